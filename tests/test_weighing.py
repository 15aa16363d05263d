"""What a stream's values will cost, told from kinds and origins alone."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any, Final

import pytest

from safepickle import symbols as sym
from safepickle.matching import Matcher
from safepickle.reader import Reader
from safepickle.symbols import SHIFT, TAINT, Global, Heap, Made, Prior
from safepickle.weighing import ENDLESS, Scales, exact_depths, remembered
from tests.assembler import asm, text

NONE: Final = 9 << SHIFT | sym.NONE
INT: Final = 8 << SHIFT | sym.INT


class Bench:
    """A heap with scales, and literals that can be read again."""

    def __init__(self, data: bytes = b"") -> None:
        self.heap = Heap()
        self.scales = Scales(self.heap, Matcher(Reader(data), self.heap, "ASCII", "strict"))

    def tuple(self, *items: int) -> int:
        return self.heap.add_list(sym.TUPLE, list(items), self.heap.deepest(list(items)) + 1)

    def list(self, *items: int) -> int:
        return self.heap.add_list(sym.LIST, list(items), self.heap.deepest(list(items)) + 1)

    def dict(self, *items: int) -> int:
        return self.heap.add_list(sym.DICT, list(items), self.heap.deepest(list(items)) + 1)

    def made(self, name: str = "C", *arguments: int, state: int = 0) -> int:
        module, _, name = name.rpartition(".")
        args = self.tuple(*arguments)
        made = Made(Global(module or "m", name, (), True), args, 0)
        made.state = state
        return self.heap.add(sym.MADE, made, max(self.heap.depth(args), self.heap.depth(state)) + 1)

    def hashing(self, code: int) -> int:
        return self.scales.hashing(code, ENDLESS)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def doubled(bench: Bench, levels: int, make: Any) -> int:
    code = bench.tuple()
    for _ in range(levels):
        code = make(code, code)
    return code


# --- Hashing ----------------------------------------------------------------------------------------------------------
def test_a_value_weighs_what_a_hash_of_it_visits(bench: Bench) -> None:
    assert bench.hashing(NONE) == 1
    assert bench.hashing(bench.tuple()) == 1
    assert bench.hashing(bench.tuple(NONE, INT)) == 3
    inner = bench.tuple(NONE, INT)
    assert bench.hashing(bench.tuple(inner, inner, NONE)) == 8


def test_a_doubled_tuple_weighs_what_it_expands_to_and_is_weighed_at_once(bench: Bench) -> None:
    assert bench.hashing(doubled(bench, 10, bench.tuple)) == 2**11 - 1
    started = time.process_time()
    assert bench.hashing(doubled(bench, 5000, bench.tuple)) >= ENDLESS
    assert bench.scales.hashing(doubled(bench, 5000, bench.tuple), 1000) == 1001
    assert time.process_time() - started < 2


def test_an_instance_weighs_with_its_arguments_and_the_values_of_its_state(bench: Bench) -> None:
    assert bench.hashing(bench.made("C", INT, INT)) == 4
    for state in (
        bench.dict(INT, INT, NONE, INT),
        bench.list(INT, INT),
        bench.tuple(NONE, bench.dict(INT, INT, NONE, INT)),
    ):
        assert bench.hashing(bench.made("C", state=state)) == 4

    def stated(left: int, right: int) -> int:
        return bench.made("C", state=bench.dict(INT, left, NONE, right))

    assert bench.scales.hashing(doubled(bench, 60, stated), 1000) == 1001
    assert bench.scales.hashing(doubled(bench, 60, lambda *both: bench.made("C", *both)), 1000) == 1001


def test_graphs_that_hang_together_by_what_cannot_be_hashed_weigh_little(bench: Bench) -> None:
    for link in (bench.list, bench.dict, lambda *both: bench.made("builtins.set", bench.list(*both))):
        node = doubled(bench, 60, lambda *both, link=link: bench.made("C", state=bench.dict(INT, link(*both))))
        assert bench.hashing(node) < 10


def test_a_value_inside_itself_counts_once_more(bench: Bench) -> None:
    made = bench.made("C")
    bench.heap.of(made).state = bench.dict(INT, bench.tuple(made))
    assert bench.hashing(made) == 4


def test_what_cannot_be_hashed_is_found_in_tuples_and_nowhere_else(bench: Bench) -> None:
    assert bench.scales.unhashable(bench.list()) == "list"
    assert bench.scales.unhashable(bench.tuple(NONE, bench.tuple(bench.dict()))) == "dict"
    assert bench.scales.unhashable(bench.tuple(5 << SHIFT | sym.BYTEARRAY)) == "bytearray"
    assert bench.scales.unhashable(bench.tuple(NONE, bench.tuple(INT), bench.made("C", bench.list()))) is None
    assert bench.scales.unhashable(NONE) is None
    started = time.process_time()
    assert bench.scales.unhashable(doubled(bench, 3000, bench.tuple)) is None
    assert time.process_time() - started < 1


def test_a_tuple_with_something_unhashable_is_still_that_when_it_is_asked_again(bench: Bench) -> None:
    inner = bench.tuple(bench.tuple(), bench.list())
    for code in (inner, bench.tuple(inner), inner):
        assert bench.scales.unhashable(code) == "list"


def test_a_long_text_weighs_its_length_once_and_each_time_only_if_another_spells_the_same() -> None:
    one, two, other = text("x" * 500), text("x" * 500), text("y" * 500)
    data = asm(one, two, other)
    bench = Bench(data)
    length = len(asm(one))
    codes = [each * length << SHIFT | sym.STR for each in range(3)]
    for each in range(3):
        bench.heap.note_long(each * length, 500)
    assert [bench.hashing(codes[0]) for _ in range(3)] == [500, 1, 1]
    assert [bench.hashing(codes[1]) for _ in range(3)] == [500, 500, 500]
    assert bench.hashing(codes[0]) == 500
    assert [bench.hashing(codes[2]) for _ in range(3)] == [500, 1, 1]
    long_int = 7 << SHIFT | sym.INT
    bench.heap.note_long(7, 900)
    assert [bench.hashing(long_int) for _ in range(2)] == [900, 900]


# --- Copying and walking ----------------------------------------------------------------------------------------------
def test_bytes_that_a_call_makes_of_a_long_text_are_hashed_anew_each_time() -> None:
    bench = Bench(asm(("BINUNICODE", "x" * 500)))
    bench.heap.note_long(0, 500)
    assert [bench.hashing(0 << SHIFT | sym.ENCODED) for _ in range(3)] == [500] * 3


def test_what_is_handed_out_is_as_long_as_its_text_its_items_and_theirs(bench: Bench) -> None:
    long = 3 << SHIFT | sym.BYTES
    assert bench.scales.length(INT) == 0
    assert bench.scales.length(bench.list(INT, INT)) == 2
    assert bench.scales.length(bench.tuple(NONE, bench.dict(INT, INT, NONE, INT))) == 6
    bench.heap.note_long(3, 1000)
    assert bench.scales.length(long) == 1000
    assert bench.scales.length(bench.list(long, INT)) == 1002
    assert bench.scales.length(long >> SHIFT << SHIFT | sym.ENCODED) == 1000


def test_what_was_made_of_much_is_as_long_as_that_again_and_what_holds_it_is_not(bench: Bench) -> None:
    made = bench.made("C")
    assert bench.scales.length(made) == 0
    bench.heap.of(made).size = 700
    bench.heap.of(made).fills += [INT] * 50
    assert bench.scales.length(made) == bench.scales.bulk(made) == 750
    assert bench.scales.length(bench.tuple(NONE, made)) == 2
    assert bench.scales.bulk(bench.tuple(NONE, bench.list(INT, INT, INT))) == 2


def test_a_container_of_short_scalars_is_looked_at_once_and_again_only_where_it_grew(bench: Bench) -> None:
    grown = bench.list(INT, NONE)
    assert bench.scales.is_flat(grown)
    bench.heap.extend(grown, [INT])
    assert bench.scales.is_flat(grown)
    bench.heap.extend(grown, [bench.tuple()])
    assert not bench.scales.is_flat(grown)
    assert not bench.scales.is_flat(grown)
    bench.heap.note_long(8, 1000)
    assert not bench.scales.is_flat(bench.list(INT))


def test_a_walk_meets_what_is_shared_each_time_and_stops_at_what_calls_gave(bench: Bench) -> None:
    shared = bench.list(INT, INT, INT)
    assert bench.scales.walk([bench.list(shared, shared)], ENDLESS) == 9
    assert bench.scales.walk([INT, bench.made("C", shared)], ENDLESS) == 0
    assert bench.scales.walk([doubled(bench, 60, bench.list)], 1000) == 1001
    grown = bench.list(INT)
    around = bench.list(grown)
    assert bench.scales.walk([around], ENDLESS) == 3
    bench.heap.extend(grown, [INT] * 10)
    bench.scales.forget_walks()
    assert bench.scales.walk([around], ENDLESS) == 13


# --- Depth ------------------------------------------------------------------------------------------------------------
def test_what_was_filled_from_the_outside_in_is_as_deep_as_what_was_filled_from_the_inside_out(bench: Bench) -> None:
    codes = [bench.list() for _ in range(5000)]
    for outer, inner in pairwise(codes):
        bench.heap.extend(outer, [inner])
    assert exact_depths(bench.heap) == 5000
    assert bench.heap.depth(codes[0]) == 5000
    assert bench.heap.depth(codes[-1]) == 1


def test_arguments_states_fills_and_receivers_count_as_depth(bench: Bench) -> None:
    deep = bench.list(bench.list(bench.list()))
    made = bench.made("C", state=deep)
    bound = bench.heap.add(sym.BOUND, Global("m", "C.m", (), True), 1)
    bench.heap.receivers[bound >> SHIFT] = made
    around = bench.made("C")
    bench.heap.of(around).fills.append(bound)
    assert exact_depths(bench.heap) == 6
    assert bench.heap.depth(around) == 6


def test_a_ring_is_as_deep_as_a_walk_around_it_and_not_deeper(bench: Bench) -> None:
    codes = [bench.list() for _ in range(10)]
    for each, code in enumerate(codes):
        bench.heap.extend(code, [codes[(each + 1) % 10]])
    assert exact_depths(bench.heap) == 10
    alone = Bench()
    itself = alone.list()
    alone.heap.extend(itself, [itself])
    assert exact_depths(alone.heap) == 1


def test_helpers_have_no_depth(bench: Bench) -> None:
    helper = bench.heap.add(sym.GLOBAL, Global("copyreg", "_reconstructor", (), True, "reconstructor"), TAINT)
    bench.tuple(helper, bench.list())
    assert exact_depths(bench.heap) == 1


# --- From load to load ------------------------------------------------------------------------------------------------
def later(prior: Prior) -> int:
    """What hashing a memo entry weighs in the load after the one that left it."""
    bench = Bench()
    return bench.hashing(bench.heap.add(sym.PRIOR, prior, prior.depth))


def test_a_later_load_knows_how_deep_how_long_and_how_heavy_an_entry_is(bench: Bench) -> None:
    heavy = doubled(bench, 10, bench.tuple)
    made = bench.made("C", heavy)
    bench.heap.of(made).size = 700
    left = remembered(bench.heap, {0: heavy, 1: made, 2: INT}, {0: (), 1: object(), 2: 5})
    assert [left[each].depth for each in range(3)] == [11, 13, 0]
    assert later(left[0]) == 2**11 - 1
    assert later(left[1]) == 2**11 + 1
    assert (left[1].size, left[2].value, later(left[2])) == (700, 5, 1)


def test_a_chain_of_loads_is_weighed_without_following_it_back() -> None:
    prior = Prior((), 1, None)
    for _ in range(50):
        bench = Bench()
        bench.heap.has_priors = True
        code = bench.heap.add(sym.PRIOR, prior, prior.depth)
        prior = remembered(bench.heap, {0: bench.tuple(code, code)}, {0: ()})[0]
        assert prior.heap is None
    assert later(prior) > 2**50


def test_a_name_stays_a_name_a_helper_stays_one_and_an_earlier_entry_is_itself(bench: Bench) -> None:
    named = Global("m", "C", (), True)
    helper = Global("builtins", "getattr", (), True, sym.GETATTR)
    earlier = Prior("value", 3, None)
    codes = {
        0: bench.heap.add(sym.GLOBAL, named, 0),
        1: bench.heap.add(sym.GLOBAL, helper, TAINT),
        2: bench.heap.add(sym.PRIOR, earlier, 3),
    }
    left = remembered(bench.heap, codes, {})
    assert (left[0].symbol, left[1].symbol, left[1].depth) == (named, helper, TAINT)
    assert left[2] is earlier


def test_what_the_application_put_into_the_memo_is_weighed_as_it_is() -> None:
    value: Any = ()
    for _ in range(12):
        value = (value, value)
    assert later(Prior(value, 0, None)) == 2**13 - 1
    assert later(Prior(object(), 0, None)) == 1
