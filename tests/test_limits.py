"""The limits: their defaults are the documented ones, and budgets grow with the pickle and nothing else."""

from __future__ import annotations

import ast
import inspect
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepickle import limits
from safepickle.limits import DEFAULTS, FIELDS, Limits


def test_the_fields_are_the_limits_that_a_policy_can_name():
    assert FIELDS == (
        "bytes",
        "opcodes",
        "depth",
        "memo",
        "integer_digits",
        "hash_work",
        "probe_work",
        "copy_work",
        "nested",
        "members",
        "unpacked",
        "unpacked_opcodes",
    )


def test_the_defaults_are_the_documented_ones():
    assert DEFAULTS._asdict() == {
        "bytes": None,
        "opcodes": None,
        "depth": 1000,
        "memo": 131_072,
        "integer_digits": 4300,
        "hash_work": None,
        "probe_work": 32,
        "copy_work": None,
        "nested": 8,
        "members": 100_000,
        "unpacked": None,
        "unpacked_opcodes": None,
    }


def test_the_digits_of_an_integer_are_bounded_as_python_bounds_them():
    assert DEFAULTS.integer_digits == sys.int_info.default_max_str_digits


def test_every_limit_has_its_reason_in_a_comment_above_it():
    source = inspect.getsource(limits).splitlines()
    body = next(node for node in ast.parse("\n".join(source)).body if isinstance(node, ast.ClassDef)).body
    fields = [node for node in body if isinstance(node, ast.AnnAssign)]
    assert len(fields) == len(FIELDS)
    assert [field.target.id for field in fields if not source[field.lineno - 2].strip().startswith("# ")] == []


@given(st.integers(min_value=0, max_value=1 << 40))
def test_the_default_budget_is_a_megabyte_and_sixteen_for_each_byte(length):
    assert DEFAULTS.work(DEFAULTS.hash_work, length) == (1 << 20) + 16 * length
    assert DEFAULTS.work(DEFAULTS.copy_work, length) == (1 << 20) + 16 * length


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_a_named_budget_does_not_depend_on_the_length(named, length):
    assert Limits(hash_work=named).work(named, length) == named


def test_a_budget_of_zero_is_not_taken_for_none():
    assert DEFAULTS.work(0, 1000) == 0


def test_limits_cannot_be_changed():
    with pytest.raises(AttributeError):
        DEFAULTS.depth = 1  # type: ignore[misc]
