"""The verifier and the unpickler are two loops over one reader.  Here they are held together, and beside C `_pickle`.

A program collects all that it leaves on the stack in one tuple and puts that into the memo, so both machines show their
stack: the unpickler as the result, the verifier as the memo entry.  What the opcode table says must be there is what a
program's maker took from the table.
"""

from __future__ import annotations

import functools
import io
import re
import sys
from typing import Any, Final

import pytest
from hypothesis import given, settings

import safepickle
from safepickle import opcodes
from safepickle import symbols as sym
from safepickle.errors import StreamError
from safepickle.reader import Reader
from safepickle.symbols import KIND, SHIFT, Plan
from safepickle.verifier import Options, Verifier
from tests import readers, strategies, victims
from tests.assembler import Step, asm
from tests.make_malformed import ARGUMENTS, before
from tests.programs import CODES, Program, Words
from tests.same import difference

POLICY: Final = readers.policy()
UNRESTRICTED: Final = safepickle.Policy.unrestricted()
EXAMPLES: Final = settings(max_examples=100)
COLLECTED: Final = 250  # a memo index for the result
# What a real object must be where the table has this word.
CLASSES: Final[dict[str, type | tuple[type, ...]]] = {
    "any": object, "none": type(None), "bool": bool, "int": int, "float": float, "str": str, "bytes": bytes,
    "bytearray": bytearray, "list": list, "tuple": tuple, "dict": dict, "set": set, "frozenset": frozenset,
    "buffer": (bytearray, bytes, memoryview),
}  # fmt: skip
# Verification cannot know these: what a listed name turns out to be, and what a listed callable does.
ONLY_RUNNING_SHOWS: Final = re.compile("copyreg._reconstructor with base|existed before it was loaded")
# A sequence of bytes below which `_pickle` would size its memo by an index: it is not asked.
LARGE_INDEX: Final = re.compile(rb"r..[^\0]|r...[^\0]|p[0-9 +_]{6,}", re.DOTALL)


@pytest.fixture(autouse=True)
def _the_application():
    with readers.prepared():
        yield


def _verifier(data: bytes, policy: safepickle.Policy = POLICY) -> Verifier:
    options = Options(encoding="latin-1", persistent_load=True, buffers=True)
    return Verifier(Reader(data), policy.data, policy.limits, options)


def _verified(data: bytes, policy: safepickle.Policy = POLICY) -> Plan | StreamError:
    try:
        return _verifier(data, policy).run()
    except StreamError as error:
        return error


# --- Every row of the table ------------------------------------------------------------------------------------------
def _shown(row: opcodes.Opcode) -> bytes:
    """A stream in which the row's instruction is followed by collecting everything, marks as tuples of their own."""
    arguments = ARGUMENTS[row.argument]
    if row.name.startswith("EXT"):
        arguments = (CODES["Plain"],)
    if row.name == "PROTO":
        arguments = (4,)
    closing: list[Step] = ["TUPLE"] * (1 + row.after.count("mark"))
    shown: list[Step] = ["MARK", ("BINFLOAT", 0.5), *before(row), (row.name, *arguments)]
    return asm(("PROTO", 4), *shown, *closing, ("BINPUT", COLLECTED), "STOP")


def _expected(row: opcodes.Opcode) -> tuple[Words, ...]:
    return ("float", *(() if word == "mark" else word for word in row.after))


@pytest.mark.parametrize("row", [row for row in opcodes.TABLE if row.name != "STOP"], ids=lambda row: row.name)
def test_both_machines_do_to_the_stack_what_the_row_says(row: opcodes.Opcode) -> None:
    data = _shown(row)
    plan = _verified(data)
    assert isinstance(plan, Plan), plan
    loaded = readers.ours(data, POLICY)
    assert loaded.error is None
    assert _unlike_words(_expected(row), loaded.value) == ""
    assert _unlike_symbols(_expected(row), plan, plan.memo[COLLECTED]) == ""


def test_stop_takes_one_value_and_leaves_the_rest() -> None:
    data = asm("MARK", "NONE", ("BININT1", 1), "MEMOIZE", "STOP", "NONE")
    plan = _verified(data)
    assert isinstance(plan, Plan)
    assert plan.stop == len(data) - 1
    assert readers.ours(data, POLICY).value == 1


def _unlike_words(words: Words, value: Any) -> str:
    """Where a real object is not what the words say, or nothing."""
    if isinstance(words, str):
        return "" if isinstance(value, CLASSES[words]) else f"{words} became {type(value).__name__}"
    if type(value) is not tuple or len(value) != len(words):
        return f"{words} became {value!r:.200}"
    return next(filter(None, map(_unlike_words, words, value)), "")


def _unlike_symbols(words: Words, plan: Plan, code: int) -> str:
    """Where a symbolic value is not what the words say, or nothing."""
    kind = sym.WORDS[code & KIND]
    if isinstance(words, str):
        allowed = {"any", kind, {"bool": "int"}.get(kind, kind)}
        return "" if words in allowed else f"{words} was taken for {kind}"
    items = plan.heap.codes(code) if kind == "tuple" else []
    if len(items) != len(words):
        return f"{words} was taken for {len(items)} items of {kind}"
    return next(filter(None, (_unlike_symbols(word, plan, item) for word, item in zip(words, items, strict=True))), "")


# --- Generated programs ----------------------------------------------------------------------------------------------
@EXAMPLES
@given(strategies.programs())
def test_a_program_that_fits_the_table_and_the_policy_is_admitted_and_loads(program: Program) -> None:
    assert not program.damaged
    assert isinstance(_verified(program.data), Plan)
    assert readers.ours(program.data, POLICY).error is None


@EXAMPLES
@given(strategies.programs())
def test_both_machines_have_on_their_stack_what_the_table_says(program: Program) -> None:
    plan = _verified(program.data)
    assert isinstance(plan, Plan)
    loaded = readers.ours(program.data, POLICY).value
    if program.collected >= 0:
        code = plan.memo[program.collected]
        assert _unlike_words(program.words, loaded) == ""
        assert _unlike_symbols(program.words, plan, code) == ""


@EXAMPLES
@given(strategies.programs())
def test_every_value_that_the_stream_spells_out_is_the_one_that_is_loaded(program: Program) -> None:
    verifier = _verifier(program.data)
    plan = verifier.run()
    if program.collected >= 0:
        loaded = readers.ours(program.data, POLICY).value
        assert _unlike_loaded(verifier, plan.memo[program.collected], loaded) == ""


def _unlike_loaded(verifier: Verifier, root: int, loaded: Any) -> str:
    """Where what the verifier saw and what was loaded part, containers followed as far as the stream spells them."""
    pending = [(root, loaded)]
    seen: dict[int, Any] = {}
    while pending:
        code, value = pending.pop()
        kind = code & KIND
        if code in seen:
            if kind in (sym.LIST, sym.DICT, sym.SET, sym.MADE) and seen[code] is not value:
                return f"two objects of one {sym.WORDS[kind]}"
            continue
        seen[code] = value
        inside = _looked_at(verifier, code, value)
        if inside is None:
            return f"{sym.WORDS[kind]} at {code >> SHIFT} and {value!r:.80}"
        pending += inside
    return ""


def _looked_at(verifier: Verifier, code: int, value: Any) -> list[tuple[int, Any]] | None:
    """None if the value is not what the code says, else what has to be compared inside of it."""
    kind = code & KIND
    if kind in (sym.NONE, sym.BOOL, sym.INT, sym.FLOAT, sym.STR, sym.BYTES, sym.ENCODED):
        known = verifier.matcher.value(code)
        return [] if type(known) is type(value) and repr(known) == repr(value) else None
    if kind == sym.GLOBAL:
        symbol = verifier.heap.of(code)
        return [] if functools.reduce(getattr, symbol.name.split("."), sys.modules[symbol.module]) == value else None
    if type(value) is not _EXACTLY.get(kind, type(value)):
        return None
    held = verifier.heap.codes(code) if kind in _EXACTLY and kind != sym.BYTEARRAY else []
    if kind in (sym.TUPLE, sym.LIST):
        return list(zip(held, value, strict=True)) if len(held) == len(value) else None
    if kind in (sym.SET, sym.FROZENSET):
        return [] if len(value) <= len(held) and bool(value) is bool(held) else None
    if kind == sym.DICT:
        known = {verifier.matcher.value(key): item for key, item in zip(held[::2], held[1::2], strict=True)}
        texts = {key: item for key, item in known.items() if type(key) is str}
        exact = texts.keys() <= value.keys() and len(value) <= len(held) // 2 and bool(value) is bool(held)
        return [(item, value[key]) for key, item in texts.items()] if exact else None
    return []


_EXACTLY: Final = {
    sym.TUPLE: tuple, sym.LIST: list, sym.DICT: dict, sym.SET: set, sym.FROZENSET: frozenset, sym.BYTEARRAY: bytearray,
}  # fmt: skip


@EXAMPLES
@given(strategies.programs(wild=3))
def test_what_verification_passes_is_not_refused_while_it_is_loaded(program: Program) -> None:
    plan = _verified(program.data)
    loaded = readers.ours(program.data, POLICY)
    if isinstance(plan, Plan):
        is_refused = isinstance(loaded.error, (safepickle.Forbidden, safepickle.LimitExceeded))
        assert not is_refused or ONLY_RUNNING_SHOWS.search(str(loaded.error)), loaded.error
    else:
        assert (type(loaded.error), str(loaded.error)) == (type(plan), str(plan))
        assert isinstance(loaded.error, StreamError)
        assert loaded.error.position == plan.position


@EXAMPLES
@given(strategies.programs(wild=3))
def test_a_refused_program_has_run_nothing(program: Program) -> None:
    before_load = victims.snapshot()
    if not isinstance(_verified(program.data), Plan):
        readers.ours(program.data, POLICY)
        assert victims.RAN == []
    assert victims.snapshot() == before_load
    assert set(victims.RAN) <= {"record", "Appender.append", "Appender.extend", "Appender.add"}
    victims.RAN.clear()


@EXAMPLES
@given(strategies.programs(wild=3))
def test_a_scan_passes_what_verification_passes_and_nothing_else(program: Program) -> None:
    """But for the 8-bit strings of Python 2, which only a loader's encoding makes text or bytes."""
    report = safepickle.scan(program.data, policy=POLICY)
    verdict = report.members[0].verdict if report.members else report.verdict
    if not {"STRING", "BINSTRING", "SHORT_BINSTRING", "?"} & set(program.opcodes):
        assert (verdict == "pass") is isinstance(_verified(program.data), Plan)


# --- Beside C _pickle ------------------------------------------------------------------------------------------------
@EXAMPLES
@given(strategies.programs(wild=3))
def test_what_is_accepted_here_is_accepted_by_c_pickle_with_the_same_value(program: Program) -> None:
    mine = readers.ours(program.data, POLICY)
    if mine.error is None:
        assert readers.unlike(mine, readers.theirs(program.data)) == ""


@EXAMPLES
@given(strategies.programs_in_a_row())
def test_what_one_reader_reads_in_a_row_is_read_alike_by_c_pickle(made: list[Program]) -> None:
    data = b"".join(program.data for program in made)
    options: dict[str, Any] = {"encoding": "latin-1", "buffers": readers.buffers()}
    mine = readers.Ours(io.BytesIO(data), policy=POLICY, **options)
    options["buffers"] = readers.buffers()
    theirs = readers.Theirs(io.BytesIO(data), **options)
    for _ in made:
        assert difference(theirs.load(), mine.load()) == ""


@EXAMPLES
@given(strategies.programs(wild=3, names=False, application=False))
def test_what_c_pickle_accepts_is_accepted_here_or_explained_by_one_table(program: Program) -> None:
    mine = readers.ours(program.data, UNRESTRICTED)
    if isinstance(mine.error, safepickle.MalformedStream) and not LARGE_INDEX.search(program.data):
        try:
            theirs = readers.theirs(program.data)
        except readers.NotHarmlessError:
            return
        assert theirs.error is not None or readers.stricter(mine.error), mine.error


ONCE_READ_DIFFERENTLY: Final = (
    b"I-0\n.",  # C: False
    b"ctests.victims\nSlotted\n)\x81NN\x86b.",  # C: slot state is no dict
    b"ctests.victims\nAppender\n)\x81Na.",  # C: extend, and append only where there is none
)


@pytest.mark.parametrize("data", ONCE_READ_DIFFERENTLY, ids=repr)
def test_what_was_once_read_differently_is_refused_by_one_of_the_two_or_read_alike(data: bytes) -> None:
    mine = readers.ours(data, POLICY)
    assert mine.error is not None or readers.unlike(mine, readers.theirs(data)) == ""


SHOWN: Final = [(row, data) for row in readers.STRICTER for data in row.shown_by]


@pytest.mark.parametrize(("row", "data"), SHOWN, ids=[f"{data[:12]!r}" for _, data in SHOWN])
def test_every_stricter_reading_is_one(row: readers.Stricter, data: bytes) -> None:
    assert readers.theirs(data).error is None
    assert readers.stricter(readers.ours(data, UNRESTRICTED).error) == row.refusal
