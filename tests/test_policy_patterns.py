"""Argument patterns as data: what they are made of, renaming, and that they are frozen and hashable."""

from __future__ import annotations

import pytest

from safepickle.policy import Policy
from safepickle.policy.patterns import (
    ANY,
    REST,
    WORDS,
    AnyOf,
    Built,
    DictItems,
    Fields,
    Filled,
    GlobalNamed,
    InstanceOf,
    IntRange,
    Is,
    Items,
    Length,
    LengthProduct,
    Memory,
    Pattern,
    Regex,
    Shape,
    Word,
    children,
    renamed,
    renamed_pairs,
    renamed_shape,
)

A, B, C = GlobalNamed("old.A"), InstanceOf("old.B"), InstanceOf("other.C")
NEW_A, NEW_B = GlobalNamed("new.A"), InstanceOf("new.B")
NAMES = {"old.A": "new.A", "old.B": "new.B"}

# A pattern, what it is directly made of, and what it is once `old` is called `new`.
TABLE: tuple[tuple[Pattern, tuple[Pattern, ...], Pattern], ...] = (
    (Word("int"), (), Word("int")),
    (Is("str", "old.A"), (), Is("str", "old.A")),
    (Regex("old.A"), (), Regex("old.A")),
    (IntRange(0, 1), (), IntRange(0, 1)),
    (A, (), NEW_A),
    (B, (), NEW_B),
    (C, (), C),
    (Built("old.B"), (), Built("new.B")),
    (Filled("old.B", A), (A,), Filled("new.B", NEW_A)),
    (Memory("array"), (), Memory("array")),
    (Items("list", A), (A,), Items("list", NEW_A)),
    (DictItems(A, B), (A, B), DictItems(NEW_A, NEW_B)),
    (Fields((("old.A", A),), (("b", C),)), (A, C), Fields((("old.A", NEW_A),), (("b", C),))),
    (Length(1, 2, A), (A,), Length(1, 2, NEW_A)),
    (LengthProduct(0, B), (B,), LengthProduct(0, NEW_B)),
    (AnyOf((A, C)), (A, C), AnyOf((NEW_A, C))),
    (Shape((A, C), rest=True), (A, C), Shape((NEW_A, C), rest=True)),
)


def test_every_kind_of_pattern_is_in_the_table():
    assert {type(row[0]) for row in TABLE} == set(Pattern.__args__)  # type: ignore[attr-defined]  # a Union's own


@pytest.mark.parametrize(("pattern", "parts", "new"), TABLE, ids=str)
def test_a_pattern_gives_what_it_is_made_of(pattern, parts, new):
    assert children(pattern) == parts


@pytest.mark.parametrize(("pattern", "parts", "new"), TABLE, ids=str)
def test_renaming_replaces_names_of_globals_and_nothing_else(pattern, parts, new):
    assert renamed(pattern, NAMES) == new
    assert type(renamed(pattern, NAMES)) is type(pattern)
    assert renamed(pattern, {}) == pattern
    assert renamed_shape(Shape((pattern,)), NAMES) == Shape((new,))
    assert renamed_pairs((("old.A", pattern),), NAMES) == (("old.A", new),)


@pytest.mark.parametrize(("pattern", "parts", "new"), TABLE, ids=str)
def test_patterns_are_frozen_and_hashable(pattern, parts, new):
    assert hash(pattern) == hash(pattern._replace())
    with pytest.raises(AttributeError):
        setattr(pattern, pattern._fields[0], None)


def test_rest_is_no_pattern_and_any_is_a_word():
    assert REST not in WORDS
    assert ANY.kind in WORDS


def test_patterns_of_one_text_are_equal_only_to_their_own_kind():
    alike = [Word("int"), Regex("int"), GlobalNamed("int"), InstanceOf("int")]
    assert len(set(alike)) == len(alike)
    for number, one in enumerate(alike):
        for other in alike[number + 1 :]:
            assert one != other
            assert Shape((one,)) != Shape((other,))
        assert one == type(one)("int")
        assert not one != type(one)("int")  # noqa: SIM202 - that is what is asked


def test_alternatives_that_differ_only_in_what_their_text_means_are_all_kept():
    args = "[[{global: m.C}], [{instance: m.C}], [int], [{str: int}]]"
    text = "safepickle: 1\nallow: {m: [C, f: {use: [call], args: " + args + "}]}"
    [grant] = Policy.from_yaml(text).data.grants["m", "f"]
    assert grant.args is not None
    assert len(grant.args) == 4
    again = Policy.from_yaml(text.replace("{global: m.C}", "{instance: m.C}"))
    assert len((Policy.from_yaml(text) | again).data.grants["m", "f"]) == 2


def test_deep_patterns_that_differ_only_in_what_their_text_means_are_written_apart():
    deep = "{fields: {a: {fields: {a: {fields: {a: {list: {list: {X: m.C}}}}}}}}}"
    args = ", ".join(f"[{deep.replace('X', kind)}]" for kind in ("global", "instance"))
    policy = Policy.from_yaml("safepickle: 1\nallow: {m: [C, f: {use: [call], args: [" + args + "]}]}")
    assert Policy.from_yaml(policy.to_yaml()) == policy
