"""What filling a dict or set costs, followed without filling one."""

from __future__ import annotations

import collections
import time
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepickle.errors import LimitExceeded
from safepickle.probes import FREE_KEYS, ProbeGuard, ProbeTable, value_weight

MODULUS: Final = 2**61 - 1  # of the hash of ints
MOST: Final = 32


def fill(table: ProbeTable, keys: Any) -> ProbeTable:
    for key in keys:
        table.add(key)
    return table


def follow(keys: Any, *, is_set: bool = False, most: int = MOST) -> ProbeTable:
    return fill(ProbeTable(is_set, most), keys)


def add_one_by_one(guard: ProbeGuard, container: Any) -> None:
    for each in range(1, 3000):
        guard.adding(container, [each * MODULUS], is_set=False)
        if isinstance(container, dict):
            container[each * MODULUS] = None


class Counted:
    """A key with a hash of its choice that counts how often it is compared."""

    compared = 0

    def __init__(self, digest: int) -> None:
        self.digest = digest

    def __hash__(self) -> int:
        return self.digest

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return self is other


HARMLESS: Final = {
    "a range": range(30_000),
    "steps of a power of two": range(0, 2**44, 2**30),
    "negative ints": [-each for each in range(20_000)],
    "floats": [each / 8 for each in range(20_000)],
    "pairs": [(each % 100, each // 100) for each in range(20_000)],
    "large ints": [each * 10**20 for each in range(5000)],
    "the same key": [7] * 50_000,
    "few keys, many times": [each % 5 for each in range(50_000)],
    "equal keys of several kinds": [1, 1.0, True, 0, False] * 5000,
}
COLLIDING: Final = {
    "multiples of the modulus": [each * MODULUS for each in range(1, 3000)],
    "tuples over -1 and -2": [tuple(-1 - (each >> bit & 1) for bit in range(12)) for each in range(3000)],
    "complex numbers": [complex(-1000003 * each, each) for each in range(1, 3000)],
    "a hash of one's own": [Counted(5) for _ in range(3000)],
    "powers of two beyond the modulus": [2**each for each in range(1, 4000)],
    "two hashes": [Counted(each % 2) for each in range(3000)],
    "floats and ints that share hashes": [float(each * 2**61) for each in range(3000)]
    + [each * MODULUS for each in range(1, 3000)],
}


@pytest.mark.parametrize("is_set", [False, True])
@pytest.mark.parametrize("keys", HARMLESS.values(), ids=HARMLESS)
def test_ordinary_keys_take_few_steps(keys: Any, is_set: bool) -> None:
    table = follow(keys, is_set=is_set)
    assert table.keys == len(set(keys))
    assert table.added == len(keys)
    assert table.steps <= MOST / 2 * table.added


@pytest.mark.parametrize("is_set", [False, True])
@pytest.mark.parametrize("keys", COLLIDING.values(), ids=COLLIDING)
def test_keys_that_collide_are_found_out_early(keys: Any, is_set: bool) -> None:
    table = ProbeTable(is_set, MOST)
    with pytest.raises(LimitExceeded, match="probe_work"):
        fill(table, keys)
    assert table.steps < 4 * MOST * FREE_KEYS


def test_the_steps_of_a_dict_are_those_that_cpython_takes() -> None:
    """Where all hashes are the same, each new key is compared with every one before it."""
    keys = [Counted(5) for _ in range(60)]
    Counted.compared = 0
    real = dict.fromkeys(keys)
    assert len(real) == 60
    compared = Counted.compared
    table = follow([Counted(5) for _ in range(60)])
    assert compared <= table.steps <= 3 * compared


@given(st.lists(st.one_of(st.integers(), st.floats(), st.text(), st.tuples(st.integers(), st.text()), st.none())))
def test_following_any_keys_finds_as_many_as_a_dict_has(keys: list[Any]) -> None:
    table = follow(keys, most=10**9)
    assert table.keys == len(dict.fromkeys(keys))


def test_following_costs_no_more_than_a_harmless_container_would() -> None:
    def seconds(count: int) -> float:
        keys = [each * MODULUS for each in range(count)]
        guard = ProbeGuard(MOST)
        started = time.process_time()
        with pytest.raises(LimitExceeded):
            guard.adding({}, keys, is_set=False)
        return time.process_time() - started

    assert min(seconds(200_000) for _ in range(3)) < 5 * min(seconds(2000) for _ in range(3)) + 0.05


# --- The guard --------------------------------------------------------------------------------------------------------
def test_small_containers_and_texts_are_not_followed() -> None:
    guard = ProbeGuard(MOST)
    guard.adding({}, [each * MODULUS for each in range(FREE_KEYS)], is_set=False)
    guard.adding(set(), [each * MODULUS for each in range(FREE_KEYS)], is_set=True)
    guard.adding({}, [f"text {each}" for each in range(5 * FREE_KEYS)], is_set=False)
    guard.building(set, ([each * MODULUS for each in range(FREE_KEYS)],))
    guard.building(list, ([each * MODULUS for each in range(5000)],))
    guard.building(len, ([each * MODULUS for each in range(5000)],))


def test_what_was_in_a_container_before_counts() -> None:
    container = dict.fromkeys(each * MODULUS for each in range(FREE_KEYS))
    with pytest.raises(LimitExceeded):
        ProbeGuard(MOST).adding(container, [7], is_set=False)


def test_keys_that_come_one_by_one_are_followed_as_one() -> None:
    guard = ProbeGuard(MOST)
    container: dict[Any, None] = {}
    with pytest.raises(LimitExceeded):
        add_one_by_one(guard, container)
    assert len(container) <= FREE_KEYS


def test_what_is_no_dict_and_no_set_is_followed_from_its_first_key() -> None:
    guard = ProbeGuard(MOST)
    with pytest.raises(LimitExceeded):
        add_one_by_one(guard, collections.UserDict())


class OwnList(list[Any]):
    """A list's class."""


class OwnDict(dict[Any, Any]):
    """A dict's class."""


Point = collections.namedtuple("Point", ["x", "y"])  # noqa: PYI024  # a tuple subclass, as old code makes them
KEYS: Final = [each * MODULUS for each in range(1, 3000)]
PAIRS: Final = [(key, None) for key in KEYS]


@pytest.mark.parametrize(
    ("made", "given_"),
    [
        (set, KEYS), (frozenset, tuple(KEYS)), (set, OwnList(KEYS)), (set, collections.deque(KEYS)),
        (set, range(0, 3000 * MODULUS, MODULUS)), (dict, PAIRS), (dict, [list(pair) for pair in PAIRS]),
        (dict, [Point(*pair) for pair in PAIRS]), (collections.OrderedDict, PAIRS), (collections.Counter, KEYS),
        (collections.Counter, [(key,) for key in KEYS]), (OwnDict, PAIRS), (OwnDict, OwnDict(PAIRS)),
        (collections.defaultdict, PAIRS),
    ],
)  # fmt: skip
def test_what_a_set_or_dict_is_made_of_is_followed(made: Any, given_: Any) -> None:
    with pytest.raises(LimitExceeded):
        ProbeGuard(MOST).building(made, (None, given_))


def test_what_is_given_again_is_followed_again_only_if_it_grew() -> None:
    guard = ProbeGuard(MOST)
    members: list[int] = list(range(FREE_KEYS + 1))
    guard.building(set, (members,))
    table_before = dict(guard._followed)
    guard.building(set, (members,))
    assert guard._followed == table_before
    members += KEYS
    with pytest.raises(LimitExceeded):
        guard.building(set, (members,))


def test_members_that_cannot_be_hashed_are_left_to_who_is_given_them() -> None:
    ProbeGuard(MOST).building(set, ([[]] * 2000,))
    ProbeGuard(MOST).building(dict, ([5] * 2000,))


# --- The weight of what an application's memo holds -------------------------------------------------------------------
def test_a_value_weighs_what_a_hash_of_it_visits() -> None:
    assert value_weight("text", 100) == 1
    assert value_weight((), 100) == 1
    assert value_weight((1, (2, 3)), 100) == 5
    shared = (1, 2, 3)
    assert value_weight((shared, shared), 100) == 9
    assert value_weight(frozenset({1, (2,)}), 100) == 4


def test_a_weight_beyond_the_most_is_the_most_and_costs_no_more() -> None:
    doubled: Any = ()
    for _ in range(10_000):
        doubled = (doubled, doubled)
    assert value_weight(doubled, 1000) == 1000
