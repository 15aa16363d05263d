"""What takes long to walk through is told from what is merely shared."""

from __future__ import annotations

import pickle

import pytest

import safepickle
from safepickle.expansion import ENDLESS, expanded
from safepickle.policy import Policy
from safepickle.reader import Reader
from safepickle.verifier import Options, Verifier

PLAIN = Policy.named("plain")


def measured(value: object) -> int:
    verifier = Verifier(Reader(pickle.dumps(value, 4)), PLAIN.data, PLAIN.limits, Options(scanning=True))
    verifier.run()
    return expanded(verifier.heap)


def doubled(times: int, kind: type) -> object:
    value: object = kind()
    for _ in range(times):
        value = kind([value, value])
    return value


@pytest.mark.parametrize("kind", [list, tuple])
def test_what_doubles_forty_times_is_reported_and_is_no_pass(kind):
    report = safepickle.scan(pickle.dumps(doubled(40, kind)), policy=PLAIN)
    assert (report.verdict, [finding.rule for finding in report.findings]) == ("incomplete", ["expansion"])


@pytest.mark.parametrize(("times", "size"), [(0, 1), (1, 3), (10, 2047)])
def test_each_object_counts_as_often_as_it_is_met(times, size):
    assert measured(doubled(times, list)) == size


def test_numbers_saturate():
    assert measured(doubled(400, list)) == ENDLESS


def test_a_list_that_holds_itself_is_one_step_and_one_that_does_so_twice_is_endless():
    once: list[object] = []
    once.append(once)
    assert measured(once) == 2
    once.append(once)
    assert measured(once) == ENDLESS


def test_deep_nests_do_not_recurse():
    value: list[object] = []
    for _ in range(200):
        value = [value]
    assert measured(value) == 201


def test_nothing_hides_among_very_many_objects():
    value = [[] for _ in range(120_000)] + [doubled(40, list)]
    assert safepickle.scan(pickle.dumps(value, 4), policy=PLAIN).verdict == "incomplete"


@pytest.mark.parametrize("way", ["fetched", "duplicated"])
def test_what_is_met_again_is_counted_however_it_came_to_the_stack(way):
    twice = b"2" if way == "duplicated" else b"\x94h%c"
    stop = b"\x86"
    for kind in (b"]", b"}", b")"):
        steps = [(twice % each if b"%" in twice else twice) + stop for each in range(40)]
        data = b"\x80\x04" + kind + b"".join(steps) + b"."
        report = safepickle.scan(data, policy=PLAIN)
        assert (report.verdict, [finding.rule for finding in report.findings]) == ("incomplete", ["expansion"])


def test_what_is_shared_honestly_passes():
    row = {"name": "x", "values": [1, 2, 3]}
    assert safepickle.scan(pickle.dumps([row] * 10_000), policy=PLAIN).ok
