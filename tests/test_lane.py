"""Uncompiled, common opcodes take a fast lane, and C `_pickle` makes what is nothing but data: nobody can tell.

Every pickle there is goes through the verifier with its lane and without it, and everything that the pass found out is
compared, also where it was refused; likewise through the unpickler with its lane, without it, and through `_pickle`.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings

import safepickle
from safepickle import build, lane, unpickler, verifier
from safepickle.errors import StreamError
from safepickle.limits import DEFAULTS
from safepickle.probes import FREE_KEYS
from safepickle.reader import Reader
from safepickle.verifier import Options, Verifier
from tests import readers, strategies
from tests.assembler import asm, dict_of, list_of, number, pickled, set_of, text, tuple_of
from tests.attack_check import bytes_of, policy_of
from tests.bench.growth import SIZED
from tests.bench.workloads import WORKLOADS, policy, stream
from tests.make_attacks import MERSENNE, attacks
from tests.make_malformed import derived, stored
from tests.programs import Program
from tests.same import difference

pytestmark = pytest.mark.skipif(build.core() == build.COMPILED, reason="the compiled core has no lane")

POLICY: Final = readers.policy()
PLAIN: Final = safepickle.Policy.named("plain")
STDLIB: Final = safepickle.Policy.named("stdlib")
VALID: Final = sorted((Path(__file__).parent / "data" / "valid").glob("*.pkl"))
NO_LANE: Final = bytes(256)
EXAMPLES: Final = settings(max_examples=150)
LONGEST: Final = 20_000  # bytes of an attack


@pytest.fixture(autouse=True)
def _the_application() -> Iterator[None]:
    with readers.prepared():
        yield


# --- The verifier ----------------------------------------------------------------------------------------------------
def _pass(data: bytes, rules: safepickle.Policy, table: bytes, **options: Any) -> tuple[Any, ...]:
    """All that one pass found out, numbers of nodes included."""
    given = Options(encoding="latin-1", persistent_load=True, buffers=True, **options)
    machine = Verifier(Reader(data), rules.data, rules.limits, given)
    saved = verifier._IN_LANE
    verifier._IN_LANE = table  # type: ignore[misc]
    try:
        machine.run()
    except StreamError as error:
        shown = vars(error).copy()
        return type(error), str(error), error.position, error.opcode, str(shown.get("missing")), machine.opcodes
    finally:
        verifier._IN_LANE = saved  # type: ignore[misc]
    plan = machine.plan()
    heap = plan.heap
    nodes = [content if type(content := heap.held(node)) is list else type(content) for node in range(len(heap))]
    return (
        plan.stop, plan.consumed, plan.opcodes, plan.protocol, plan.buffers, plan.memo, heap.depths, heap.sizes,
        heap.lent, heap.frozen, nodes, machine._hash_work, machine._copy_work, machine._late, machine.is_plain(),
        machine._hooks, machine._dunders, [symbol.uses for symbol in machine.globals.values()],
    )  # fmt: skip


def _passes_alike(data: bytes, rules: safepickle.Policy, **options: Any) -> bool:
    with_lane = _pass(data, rules, verifier._IN_LANE, **options)
    without = _pass(data, rules, NO_LANE, **options)
    assert with_lane == without
    return len(with_lane) > 6


def test_valid_pickles_pass_alike() -> None:
    assert all(_passes_alike(path.read_bytes(), STDLIB) for path in VALID)
    assert len(VALID) > 250


@pytest.mark.parametrize("workload", [each for each in WORKLOADS if not each.lacks], ids=lambda each: each.name)
def test_workloads_pass_alike_and_mostly_in_the_lane(workload: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data, _ = stream(workload, workload.make(max(1, workload.size // 200)))
    assert _passes_alike(data, policy())
    taken = []

    def watched(machine: Verifier, *rest: Any) -> Any:
        before = machine.opcodes
        result = lane_run(machine, *rest)
        taken.append(machine.opcodes - before)
        return result

    lane_run = lane.run
    monkeypatch.setattr(lane, "run", watched)
    machine = Verifier(Reader(data), policy().data, DEFAULTS, Options(buffers=workload.out_of_band))
    machine.check()
    assert machine.opcodes < 50 or sum(taken) > 0.9 * machine.opcodes


def test_damaged_pickles_are_refused_alike() -> None:
    cases = [*derived(), *stored()]
    for case in cases:
        _passes_alike(case.data, POLICY)
        _passes_alike(b"\x80\x04(" + case.data, POLICY)  # where the lane has begun
    assert len(cases) > 800


def test_what_is_cut_anywhere_is_refused_alike() -> None:
    data = pickled(
        4, "MARK", dict_of((text("one"), number(1)), (text("two"), ("BINFLOAT", 0.5))), "MEMOIZE",
        tuple_of(text("x" * 300), ("LONG1", 2**70), ("SHORT_BINBYTES", b"abc")), ("BINBYTES", b"x" * 300),
        ("BINUNICODE", "y" * 10), list_of(*map(number, range(300))), set_of(number(1)), ("BINGET", 0), "LIST",
    )  # fmt: skip
    assert _passes_alike(data, PLAIN)
    for stop in range(len(data)):
        assert not _passes_alike(data[:stop], PLAIN)
        framed = b"\x95" + stop.to_bytes(8, "little") + data[2 : stop + 2]  # a frame that may end inside an opcode
        _passes_alike(b"\x80\x04" + framed + data[stop + 2 :], PLAIN)


def test_attacks_are_refused_alike() -> None:
    seen = 0
    for record in attacks():
        if not record.generated and len(data := bytes_of(record)) <= LONGEST:
            _passes_alike(data, policy_of(record.policy))
            seen += 1
    assert seen > 700


@pytest.mark.parametrize("sized", SIZED, ids=lambda sized: sized.name)
@pytest.mark.parametrize("n", [3, 40, 1200])
def test_expensive_streams_are_judged_alike(sized: Any, n: int) -> None:
    if n < 1000 or "frozensets" not in sized.name:
        _passes_alike(sized.build(n), policy_of(sized.policy))


@pytest.mark.parametrize("limit", ["depth: 3", "hash_work: 5", "opcodes: 9", "bytes: 40", "memo: 1"])
def test_limits_are_met_at_the_same_opcode(limit: str) -> None:
    rules = safepickle.Policy.from_yaml(f"safepickle: 1\nlimits: {{{limit}}}\n")
    inner = dict_of((text("k"), tuple_of(tuple_of(number(1)))), (text("l"), list_of(list_of(list_of()))))
    for steps in ([inner], [list_of(inner)], ["EMPTY_LIST", inner, "APPEND"], ["EMPTY_DICT", "NONE", inner, "SETITEM"]):
        _passes_alike(pickled(4, *steps), rules)
        _passes_alike(pickled(4, *steps, ("LONG_BINPUT", 77), "MEMOIZE", ("BINGET", 77), "TUPLE2"), rules)


@EXAMPLES
@given(strategies.programs())
def test_programs_pass_alike(program: Program) -> None:
    assert _passes_alike(program.data, POLICY)


@EXAMPLES
@given(strategies.programs(wild=3))
def test_damaged_programs_are_judged_alike(program: Program) -> None:
    _passes_alike(program.data, POLICY)
    _passes_alike(program.data, safepickle.Policy.unrestricted())


def test_what_takes_turns_between_lane_and_loop_costs_no_more_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack of any height is handed over between them, not copied."""
    taken_away: list[int] = []
    lane_run = lane.run

    def watched(machine: Verifier, done: Any, pos: int, base: int, height: int, *rest: int) -> Any:
        taken_away.append(len(machine.heap.stack) - height)
        return lane_run(machine, done, pos, base, height, *rest)

    monkeypatch.setattr(lane, "run", watched)
    calls = []
    for n in (4_000, 8_000):
        taken_away.clear()
        Verifier(Reader(b"\x80\x04" + b"N" * n + b"N0" * n + b"."), PLAIN.data, DEFAULTS, Options()).check()
        assert max(taken_away) <= 128
        calls.append(len(taken_away))
    assert 2 < calls[0] < calls[1] <= 2 * calls[0] + 4


# --- The unpickler ---------------------------------------------------------------------------------------------------
def _loaded(data: bytes, monkeypatch: pytest.MonkeyPatch, *, by_lane: bool, by_c: bool, rules: Any = PLAIN) -> Any:
    with monkeypatch.context() as changed:
        changed.setattr(lane, "make_data", lane.make_data if by_c else None)
        changed.setattr(lane, "LOADED", lane.LOADED if by_lane else NO_LANE)
        try:
            return safepickle.loads(data, policy=rules)
        except StreamError as error:
            return type(error), str(error), error.position, error.opcode


def _loads_alike(data: bytes, monkeypatch: pytest.MonkeyPatch, rules: Any = PLAIN) -> Any:
    expected = _loaded(data, monkeypatch, by_lane=False, by_c=False, rules=rules)
    for by_lane, by_c in ((True, False), (True, True)):
        value = _loaded(data, monkeypatch, by_lane=by_lane, by_c=by_c, rules=rules)
        assert difference(expected, value) == ""
    return expected


def test_valid_pickles_load_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in VALID:
        _loads_alike(path.read_bytes(), monkeypatch, STDLIB)


@pytest.mark.parametrize("workload", [each for each in WORKLOADS if not each.lacks], ids=lambda each: each.name)
def test_workloads_load_alike(workload: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data, buffers = stream(workload, workload.make(max(1, workload.size // 200)))
    if not buffers:
        _loads_alike(data, monkeypatch, policy())


@pytest.mark.parametrize("names", [True, False], ids=["objects", "data"])
@EXAMPLES
@given(data=strategies.choices())
def test_programs_load_alike(names: bool, data: Any) -> None:
    from tests.programs import program

    with pytest.MonkeyPatch.context() as monkeypatch:
        for wild in (0, 3):
            made = program(data, wild=wild, application=False, names=names)
            _loads_alike(made.data, monkeypatch, POLICY)


def test_damaged_pickles_load_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    for case in (*derived(), *stored()):
        _loads_alike(case.data, monkeypatch, POLICY)


# --- What C _pickle makes --------------------------------------------------------------------------------------------
@pytest.fixture
def made_by_c(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What C `_pickle` is given from here on."""
    given: list[bytes] = []
    make = lane.make_data
    monkeypatch.setattr(lane, "make_data", lambda data: given.append(data) or make(data))  # type: ignore[func-returns-value]
    return given


def test_data_is_made_by_c_and_nothing_is_heard_of_it(made_by_c: list[bytes]) -> None:
    events: list[str] = []
    listening = [True]
    sys.addaudithook(lambda event, _: events.append(event) if listening and event.startswith("pickle") else None)
    data = pickled(4, dict_of((text("rows"), list_of(*[tuple_of(number(1), text("a"))] * 3))))
    assert safepickle.loads(data + b"more") == {"rows": [(1, "a")] * 3}
    listening.clear()
    assert made_by_c == [data + b"more"]
    assert events == []


@pytest.mark.parametrize(
    "data",
    [b"cbuiltins\nset\n)R.", b"\x80\x04\x8c\x08builtins\x8c\x03set\x93.", b"cbuiltins\nlist\n0N."],
)
def test_what_names_anything_is_made_here(data: bytes, made_by_c: list[bytes]) -> None:
    safepickle.loads(data)
    assert made_by_c == []


def test_what_is_refused_is_never_given_to_c(made_by_c: list[bytes]) -> None:
    refused = 0
    for record in attacks():
        if not record.generated and len(data := bytes_of(record)) <= LONGEST:
            try:
                safepickle.loads(data, policy=policy_of(record.policy))
            except safepickle.UnpicklingError:
                refused += 1
                assert made_by_c == []
            made_by_c.clear()
    assert refused > 700


@pytest.mark.parametrize("count", [FREE_KEYS, FREE_KEYS + 1])
@pytest.mark.parametrize("filled", ["at once", "by one", "in batches"])
def test_large_containers_whose_keys_are_not_all_texts_are_made_here(
    count: int, filled: str, made_by_c: list[bytes]
) -> None:
    pairs = [(("BININT", index), "NONE") for index in range(count)]
    if filled == "at once":
        data = pickled(4, dict_of(*pairs))
    elif filled == "by one":
        data = pickled(4, "EMPTY_DICT", *(asm(key, value, "SETITEM") for key, value in pairs))
    else:
        half = count // 2
        batches = [
            asm("MARK", *(step for pair in part for step in pair), "SETITEMS") for part in (pairs[:half], pairs[half:])
        ]
        data = pickled(4, "EMPTY_DICT", *batches)
    assert len(safepickle.loads(data)) == count
    assert len(made_by_c) == (count <= FREE_KEYS)


@pytest.mark.parametrize("make", ["set", "frozenset", "dict"])
def test_large_sets_are_made_here(make: str, made_by_c: list[bytes]) -> None:
    for count in (FREE_KEYS, FREE_KEYS + 1):
        keys = [("BININT", index) for index in range(count)]
        steps = {
            "set": [set_of(*keys)],
            "frozenset": ["MARK", *keys, "FROZENSET"],
            "dict": ["MARK", *(step for key in keys for step in (key, "NONE")), "DICT"],
        }[make]
        assert len(safepickle.loads(pickled(4, *steps))) == count
        assert len(made_by_c) == 1


def test_many_texts_are_keys_of_data_like_any(made_by_c: list[bytes]) -> None:
    data = pickled(4, dict_of(*((text(f"key {index}"), "NONE") for index in range(5 * FREE_KEYS))))
    assert len(safepickle.loads(data)) == 5 * FREE_KEYS
    assert len(made_by_c) == 1


@pytest.mark.parametrize("texts", [0, 700])
def test_keys_that_collide_are_refused_wherever_the_others_are(texts: int, made_by_c: list[bytes]) -> None:
    keys = [("LONG1", MERSENNE * factor) for factor in range(1, 1200)]
    some = [text(f"key {index}") for index in range(texts)]
    for steps in ([*some, *keys], [*keys, *some], [*keys[:600], *some, *keys[600:]]):
        with pytest.raises(safepickle.LimitExceeded, match="probe_work"):
            safepickle.loads(pickled(4, dict_of(*((key, "NONE") for key in steps))))
    assert made_by_c == []


def test_a_far_memo_index_costs_no_memory_in_c(made_by_c: list[bytes]) -> None:
    rules = safepickle.Policy.from_yaml("safepickle: 1\nlimits: {memo: 100000000}\n")
    assert safepickle.loads(b"N" + b"r\xff\xff\xff\x04" + b".", policy=rules) is None
    assert made_by_c == []


@pytest.mark.parametrize("failure", [MemoryError, RecursionError, ValueError])
def test_what_c_cannot_make_is_made_here(failure: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: bytes) -> Any:
        raise failure

    monkeypatch.setattr(lane, "make_data", fail)
    assert safepickle.loads(b"\x80\x04]\x94(K\x01K\x02e.") == [1, 2]


#: Accepted here; whatever C `_pickle` says of it, the value is the one that is made here.
ODD: Final = (
    b'F1e400\n.', b'F-1e-400\n.', b'Fnan\n.', b'F-inf\n.', b'I00\n.', b'I01\n.', b'I-1\n.',
    b'L12345678901234567890\n.', b'L5L\n.', b"S'\\x41\\n'\n.", b'S"it\'s"\n.', b'V\\u20ac\\ud800\n.',
    b'Np0\ng0\n\x86.', b'\x80\x05\x96\x00\x00\x00\x00\x00\x00\x00\x00.', b'\x8a\x00.', b'\x8a\x03\xff\xff\xff.',
    b'\x8b\x00\x00\x00\x00.', b'\x8c\x03\xed\xa0\x80.', b'G\x7f\xf0\x00\x00\x00\x00\x00\x01.', b'((NN0t0(t.',
    b'(NNN1N.', b'N2\x86.', b']2\x86.', b'(lp0\ng0\na.', b'}\x94h\x00h\x00N\x86Ns.',
    b'\x80\x04\x8f\x94(K\x01K\x01\x90h\x00\x86.', b'\x80\x04(K\x01\x91.', b'\x80\x04(\x91.', b'T\x01\x00\x00\x00a.',
    b'U\x01a.', b'C\x01aC\x01a\x86.', b']\x94h\x00a.', b'}(NN\x88K\x01K\x01N\x89NI00\nNu.',
    b'\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00\x95\x02\x00\x00\x00\x00\x00\x00\x00N..', b'(K\x01K\x02NtN0.',
)  # fmt: skip


@pytest.mark.parametrize("data", ODD, ids=repr)
def test_odd_spellings_of_data_come_to_the_same(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _loads_alike(data, monkeypatch)


def test_a_bench_that_c_made_use_of_is_used_again() -> None:
    safepickle.loads(b"]N.")
    (idle,) = unpickler._IDLE
    assert safepickle.loads(b"\x80\x04]\x94(K\x01e.") == [1]
    assert unpickler._IDLE[0] is idle
