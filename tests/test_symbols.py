"""The values of the symbolic machine: codes, nodes, and what is told of a name."""

from __future__ import annotations

import pytest

from safepickle import symbols as sym
from safepickle.policy.model import Grant
from safepickle.symbols import FIRST_NODE, KIND, SHIFT, TAINT, Global, Heap, Made

KINDS = {
    name: value
    for name, value in vars(sym).items()
    if name.isupper() and type(value) is int and value in sym.WORDS and name not in {"SHIFT", "FIRST_NODE"}
}


def test_every_kind_has_its_own_number_and_a_word_and_none_is_zero():
    assert len(set(KINDS.values())) == len(KINDS) == len(sym.WORDS)
    assert min(sym.WORDS) > 0
    assert max(sym.WORDS) <= KIND < 1 << SHIFT


def test_literals_come_before_nodes_and_containers_before_other_nodes():
    containers = {sym.TUPLE, sym.LIST, sym.DICT, sym.SET, sym.FROZENSET}
    literals = {
        sym.NONE, sym.BOOL, sym.INT, sym.FLOAT, sym.STR, sym.BYTES, sym.TEXT8, sym.BYTEARRAY, sym.BUFFER,
        sym.PERSISTENT, sym.ENCODED,
    }  # fmt: skip
    assert max(literals) < FIRST_NODE <= min(containers)
    assert containers == set(range(sym.TUPLE, sym.FROZENSET + 1))
    assert literals | containers | set(range(sym.FROZENSET + 1, max(sym.WORDS) + 1)) == set(sym.WORDS)


@pytest.mark.parametrize("kind", [kind for kind in sym.WORDS if kind >= FIRST_NODE])
def test_a_nodes_code_says_its_kind_and_leads_to_what_it_holds(kind):
    heap = Heap()
    heap.add_list(sym.LIST, [], 1)
    if kind <= sym.FROZENSET:
        code = heap.add_list(kind, [1, 2], 5)
        assert heap.codes(code) == [1, 2]
        assert heap.count(code) == 2
    else:
        held = object()
        code = heap.add(kind, held, 5)
        assert heap.of(code) is held
    assert code & KIND == kind
    assert heap.depth(code) == 5
    assert len(heap) == 2


def test_containers_that_grow_in_turn_keep_their_items_apart():
    heap = Heap()
    containers = [heap.add_list(sym.LIST, [number], 1) for number in range(7)]
    wanted = [[number] for number in range(7)]
    for step in range(1, 200):
        number = step * step % 7
        heap.extend(containers[number], list(range(step)))
        wanted[number] += range(step)
    assert [heap.codes(code) for code in containers] == wanted
    assert [heap.count(code) for code in containers] == list(map(len, wanted))


def test_the_deepest_of_some_values_counts_literals_as_nothing():
    heap = Heap()
    flat, deep = heap.add_list(sym.LIST, [], 1), heap.add_list(sym.TUPLE, [], 7)
    literal = 1000 << SHIFT | sym.STR
    assert heap.depth(literal) == 0
    assert heap.deepest([]) == heap.deepest([literal]) == 0
    assert heap.deepest([literal, flat, deep, flat]) == 7


def test_a_depth_that_taints_is_deeper_than_any_limit_and_stays_so_inside_of_tuples():
    assert TAINT > 1 << 32
    assert TAINT + (1 << 32) >= TAINT


def test_a_name_has_a_verb_if_any_of_its_grants_has_it():
    named = Global("m", "C.n", (Grant(frozenset({"call"})), Grant(frozenset({"new", "build"}))), listed=True)
    assert named.dotted == "m.C.n"
    assert [named.has_verb(verb) for verb in ("call", "new", "build", "fill")] == [True, True, True, False]


def test_what_is_made_starts_unbuilt_and_empty():
    made = Made(None, 7, 0)
    assert (made.args, made.kwargs, made.state, made.fills) == (7, 0, 0, [])
    assert not made.built
    assert not made.called


def test_the_helpers_are_those_that_the_protocols_of_pickle_spell():
    assert set(sym.HELPERS) == {
        ("copyreg", "_reconstructor"), ("copyreg", "__newobj__"), ("copyreg", "__newobj_ex__"), ("_codecs", "encode"),
        ("builtins", "getattr"), ("functools", "partial"),
    }  # fmt: skip
    assert sorted(sym.HOOKS) == ["__setstate__", "add", "append", "extend"]
