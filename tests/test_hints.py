"""The stand-in for NamedTuple makes what the original makes, and the names for annotations can be resolved."""

from __future__ import annotations

import collections
import copy
import inspect
import pickle
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import safepickle
from safepickle import hints, limits
from safepickle.policy import model


def make(base: type) -> type:
    class Point(base):
        """A place."""

        x: int
        y: int = 2
        name: str = "p"

        @property
        def both(self) -> int:
            return self.x + self.y

        def moved(self, by: int) -> Point:
            return self._replace(x=self.x + by)

    return Point


class Kept(hints.NamedTuple):
    """One that pickle finds by its name."""

    first: int
    second: tuple[int, ...] = ()


OURS, THEIRS = make(hints.NamedTuple), make(typing.NamedTuple)
GIVEN = [
    ((1,), {}), ((1, 5), {}), ((1, 5, "q"), {}), ((), {"x": 1}), ((1,), {"name": "q"}),
    ((), {"name": 1, "y": 2, "x": 3}),
]  # fmt: skip
WRONG = [((), {}), ((1, 2, 3, 4), {}), ((1,), {"x": 1}), ((1,), {"z": 1}), ((), {"y": 1}), ((1, 2, 3), {"name": "q"})]


@pytest.mark.parametrize(("items", "named"), GIVEN)
def test_a_record_is_what_the_original_makes_of_the_same(items, named):
    ours, theirs = OURS(*items, **named), THEIRS(*items, **named)
    assert ours == theirs == tuple(ours)
    assert hash(ours) == hash(theirs)
    assert repr(ours) == repr(theirs)
    assert ours._asdict() == theirs._asdict()
    assert [*ours._asdict()] == ["x", "y", "name"]
    assert (ours.x, ours.y, ours.name, ours.both) == (theirs.x, theirs.y, theirs.name, theirs.both)
    assert type(ours.moved(3)) is OURS
    assert ours.moved(3) == theirs.moved(3)
    assert OURS._make(ours) == ours
    match ours:
        case OURS(x, y, name=name):
            assert (x, y, name) == ours


@pytest.mark.parametrize(("items", "named"), WRONG)
def test_a_record_with_wrong_items_is_an_error_as_it_is_originally(items, named):
    for kind in (OURS, THEIRS):
        with pytest.raises(TypeError):
            kind(*items, **named)


def test_a_record_is_replaced_in_its_own_fields_alone():
    for kind in (OURS, THEIRS):
        # From 3.13 on it is a TypeError, with a capital letter.
        with pytest.raises((ValueError, TypeError), match="nexpected field names"):
            kind(1)._replace(z=1)
        with pytest.raises(TypeError):
            kind._make([])


@pytest.mark.parametrize("kind", [OURS, THEIRS])
def test_a_record_cannot_be_changed(kind):
    record = kind(1)
    for name in ("x", "z", "both"):
        with pytest.raises(AttributeError):
            setattr(record, name, 1)
    assert not hasattr(record, "__dict__")


def test_the_class_of_a_record_says_what_the_original_class_says():
    for name in ("_fields", "_field_defaults", "__match_args__", "__doc__", "__slots__", "__bases__"):
        assert getattr(OURS, name) == getattr(THEIRS, name)
    assert [*OURS.__annotations__] == [*THEIRS.__annotations__]
    assert type(OURS) is type
    assert inspect.getdoc(OURS) == "A place."


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_record_is_copied_and_pickled_as_itself(protocol):
    record = Kept(1, (2, 3))
    for again in (pickle.loads(pickle.dumps(record, protocol)), copy.copy(record), copy.deepcopy(record)):
        assert (type(again), again) == (Kept, record)


def test_annotations_of_the_interface_can_be_resolved():
    for name in safepickle.__all__:
        found = getattr(safepickle, name)
        if inspect.isfunction(found):
            assert "return" in typing.get_type_hints(found), name
    for record in (limits.Limits, model.Grant, model.PolicyData):
        assert [*typing.get_type_hints(record)] == [*record._fields]


def test_each_name_is_one_that_type_checkers_know_under_the_same_name():
    for name in hints.__all__:
        assert hasattr(typing, name) or hasattr(collections.abc, name)
        assert hasattr(hints, name)


def test_what_only_scanning_needs_is_there_when_it_is_asked_for_and_not_before():
    code = f"""
import sys
sys.path.insert(0, {str(Path(safepickle.__file__).parent.parent)!r})
import safepickle
assert "safepickle.scanner" not in sys.modules
assert {{"scan", "Report", "Finding"}} <= {{*dir(safepickle)}}
assert not hasattr(safepickle, "nothing")
from safepickle import *
from safepickle import report, scanner
assert (scan, Report, Finding) == (scanner.scan, report.Report, report.Finding)
assert safepickle.scan is scan
"""
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)
