"""Nothing is left behind: not by what is loaded and dumped, and not by what is refused at any point on the way.

Every kind of work is done a few times until it has what it keeps for good, then again, and the memory that Python has
handed out must be what it was.  The arrays of the compiled core are handed out by Python too.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import logging
import pickle
import sys
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

import safepickle
from safepickle import build, symbols
from safepickle.pickler import Saver
from safepickle.reader import Reader
from safepickle.verifier import PLAIN_OPTIONS, Verifier
from safepickle.writer import Writer
from tests.assembler import pickled, reduce, text, tuple_of
from tests.make_attacks import FOLDER as ATTACKS_FOLDER
from tests.make_attacks import VICTIMS
from tests.make_malformed import derived, stored

VALID: Final = Path(__file__).parent / "data" / "valid"
ROUNDS: Final = 2
#: Bytes that a round may leave, which tables of the interpreter take; one object for each of its streams is more.
LEAST: Final = 500
#: Interpreted, there are no arrays to forget, and watching what is handed out takes long.
EACH: Final = 3 if build.core() == build.COMPILED else 40
IMMORTAL: Final = sys.version_info >= (3, 12)
#: Types remember the names that they were asked for, by their addresses: some thousand entries, which fill slowly.
forget_names: Final[Callable[[], None]] = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache


def growth(work: Callable[[], object]) -> int:
    """How many bytes each round of some work leaves, at least; references to None count as bytes."""
    logging.disable(logging.CRITICAL)
    tracemalloc.start()
    try:
        for _ in range(2):
            work()
        left = []
        for _ in range(ROUNDS):
            forget_names()
            gc.collect()
            before, nones = tracemalloc.get_traced_memory()[0], sys.getrefcount(None)
            work()
            forget_names()
            gc.collect()
            left.append(tracemalloc.get_traced_memory()[0] - before)
            if not IMMORTAL:
                left[-1] = max(left[-1], sys.getrefcount(None) - nones)
        return min(left)  # something rare, as a table of the interpreter that grows, happens in one round
    finally:
        tracemalloc.stop()
        logging.disable(logging.NOTSET)


@functools.cache
def policy() -> safepickle.Policy:
    return safepickle.Policy.from_file(ATTACKS_FOLDER / VICTIMS)


READS: Final[dict[str, Callable[[bytes], Any]]] = {
    "loads": lambda data: safepickle.loads(data, policy=policy()),
    "load": lambda data: safepickle.load(io.BytesIO(data), policy=policy()),
    "encoded": lambda data: safepickle.loads(data, policy=policy(), encoding="latin1"),
    "verify": lambda data: safepickle.verify(data, policy=policy()),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("kind", ["damaged", "valid"])
def test_reading_leaves_nothing(kind, read):
    damaged = [case.data for case in (*stored(), *derived())]
    streams = damaged if kind == "damaged" else [path.read_bytes() for path in sorted(VALID.glob("*.pkl"))]
    assert len(streams) > 50
    streams = streams[::EACH]

    def work() -> None:
        for data in streams:
            with contextlib.suppress(pickle.UnpicklingError):
                READS[read](data)

    assert growth(work) < LEAST


def test_a_stream_that_ends_anywhere_leaves_nothing():
    whole = pickle.dumps([{"a": [1, 2.5, "text" * 100, b"bytes"], "b": ({1, 2}, frozenset("xy"), None)}] * 3, 4)

    def work() -> None:
        for end in range(0, len(whole), EACH):
            with contextlib.suppress(pickle.UnpicklingError):
                safepickle.loads(whole[:end])
            with contextlib.suppress(pickle.UnpicklingError):
                safepickle.load(io.BytesIO(whole[:end]))

    assert growth(work) < LEAST


class Failing:
    """Fails when it is written; listed, it fails when it is made."""

    def __init__(self, *_given: object) -> None:
        raise ValueError("as it is meant to")

    def __reduce__(self) -> Any:
        raise ValueError("as it is meant to")


def test_a_call_that_fails_midway_leaves_nothing():
    here = safepickle.Policy.from_yaml(f"safepickle: 1\nallow:\n  {__name__}:\n    - Failing: {{use: [call]}}\n")
    call = reduce(("GLOBAL", __name__, "Failing"), text("argument" * 50), tuple_of("NONE"))
    streams = [
        pickled(4, "EMPTY_LIST", "MARK", text("before" * 50), "EMPTY_DICT", text("k"), call, "SETITEM", "APPENDS"),
        pickled(4, "EMPTY_LIST", *[["NONE", "MEMOIZE"]] * 300, call),
        pickled(4, *["MARK"] * 100, call),
    ]

    def work() -> None:
        for data in streams * (120 // EACH):
            with contextlib.suppress(safepickle.ReconstructionError):
                safepickle.loads(data, policy=here)
            with contextlib.suppress(safepickle.ReconstructionError):
                safepickle.load(io.BytesIO(data), policy=here)

    assert growth(work) < LEAST


OBJECTS: Final[list[Any]] = [
    None, True, 5, 500, 70_000, -1, 1 << 40, 1 << 70, 1.5, "text", "t\udc80", "é" * 300, "x" * 70_000, b"bytes",
    bytes(300), bytes(70_000), bytearray(b"array"), bytearray(70_000), (), (1,), (1, 2, 3, 4), [], [1],
    list(range(1500)), {}, {1: 2}, dict.fromkeys(range(1500)), set(), set(range(1500)), frozenset({1, 2}), len, int, 1j,
    slice(1, 2, 3), [[["nested"] * 3] * 3] * 3,
]  # fmt: skip


@pytest.mark.parametrize("protocol", range(6))
def test_writing_leaves_nothing(protocol):
    unwritable = [[OBJECTS, threading.Lock()], {"a": OBJECTS, "b": Failing.__new__(Failing)}]

    def work() -> None:
        for obj in OBJECTS:
            safepickle.dumps(obj, protocol)
        pickler = safepickle.Pickler(io.BytesIO(), protocol)
        for obj in [*OBJECTS, *OBJECTS]:
            pickler.dump(obj)
        pickler.memo = pickler.memo.copy()
        for obj in unwritable:
            with contextlib.suppress(TypeError, ValueError, safepickle.PicklingError):
                safepickle.dumps(obj, protocol)
            with contextlib.suppress(TypeError, ValueError, safepickle.PicklingError):
                pickler.dump(obj)
        pickler.memo = {}

    assert growth(work) < LEAST


def test_a_pickler_that_is_part_of_what_it_has_written_is_collected():
    def work() -> None:
        for _ in range(20):
            pickler = safepickle.Pickler(io.BytesIO())
            held: list[Any] = ["x" * 1000]
            pickler.dump(held)
            held.append(pickler)

    assert growth(work) < LEAST


def test_what_is_set_up_twice_or_never_leaves_nothing():
    rules = policy()

    def work() -> None:
        for _ in range(20):
            verifier = Verifier(Reader(b"N."), rules.data, rules.limits, PLAIN_OPTIONS)
            for made, given in (
                (symbols.Heap(), ()),
                (Reader(b"N."), (b"N" * 500,)),
                (Writer(4), (2,)),
                (Saver(), ()),
                (verifier, (Reader(b"N."), rules.data, rules.limits, PLAIN_OPTIONS)),
            ):
                for _ in range(5):
                    made.__init__(*given)  # type: ignore[misc]  # that is what is tried
                with contextlib.suppress(TypeError):  # some are not made of nothing
                    type(made).__new__(type(made))

    assert growth(work) < LEAST
