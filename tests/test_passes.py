"""Every way to come to a verdict comes to the same one.

`verify` and `loads` keep a bench from one call to the next, and the compiled core begins with a light pass, which keeps
nothing of what is inside containers and starts over where that matters.  A `Verifier` of one's own does neither.  Both
are shown the same pickles, in an order that lets each find what the one before it left.
"""

from __future__ import annotations

import io
import pickle
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

import safepickle
from safepickle import Policy
from safepickle.reader import Reader
from safepickle.verifier import Options, Verifier
from tests import programs, strategies
from tests.assembler import asm

DATA: Final = Path(__file__).parent / "data"
FOLDERS: Final = ("attacks", "malformed", "valid")


def stored(folder: str) -> list[Path]:
    return sorted(path for path in (DATA / folder).rglob("*") if path.is_file() and path.suffix != ".jsonl")


def told(refusal: pickle.UnpicklingError | None) -> object:
    if refusal is None:
        return None
    facts = [getattr(refusal, name, None) for name in ("position", "opcode", "module", "name", "verb", "missing")]
    return type(refusal), str(refusal), facts


def by_itself(data: bytes, policy: Policy) -> object:
    reader = Reader(data, integer_digits=policy.limits.integer_digits)
    verifier = Verifier(reader, policy.data, policy.limits, Options())
    try:
        verifier.run()
    except pickle.UnpicklingError as refusal:
        return told(refusal)
    return None


def on_the_bench(data: bytes, policy: Policy) -> object:
    try:
        safepickle.verify(data, policy=policy)
    except pickle.UnpicklingError as refusal:
        return told(refusal)
    return None


def differing(pickles: list[bytes], policy: Policy) -> Iterator[bytes]:
    for data in pickles:
        if by_itself(data, policy) != on_the_bench(data, policy):
            yield data


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_stored_pickle_is_judged_alike_whatever_was_judged_before_it(folder: str) -> None:
    policy = Policy.named("stdlib")
    pickles = [path.read_bytes() for path in stored(folder)]
    assert len(pickles) > 10
    random.Random(7).shuffle(pickles)
    kept = pickle.dumps([{}, "kept", (1, 2)] * 30)
    for number, data in enumerate(pickles):
        if number % 3 == 0:  # what succeeds in between leaves its bench behind
            safepickle.loads(kept, policy=policy)
        assert list(differing([data], policy)) == []


@given(strategies.programs(), strategies.programs())
def test_a_generated_pickle_is_judged_alike_after_any_other(first: programs.Program, second: programs.Program) -> None:
    policy = Policy.named("stdlib")
    pickles = [first.data, second.data]
    assert list(differing([*pickles, *pickles], policy)) == []


@given(st.integers(0, 300), st.integers(0, 300), st.sampled_from((0, 1, 2, 3, 4, 5)))
def test_data_before_and_after_a_name_makes_no_difference(before: int, after: int, protocol: int) -> None:
    policy = Policy.named("stdlib")
    shared: list[object] = [1]
    value = [[shared, {number: (shared, str(number))}] for number in range(before)]
    value += [range(3), frozenset({1, 2})]
    value += [[shared, {"k": number}] for number in range(after)]
    shared.append(value)
    data = pickle.dumps(value, protocol)
    assert by_itself(data, policy) == on_the_bench(data, policy)
    assert by_itself(data, Policy.named("plain")) == on_the_bench(data, Policy.named("plain"))


def test_a_large_memo_leaves_nothing_to_the_next_pickle() -> None:
    safepickle.loads(pickle.dumps([str(number) for number in range(5000)], 4))
    for index in (0, 1, 63, 64, 4000, 4999, 5001):
        for opcode in (b"h%c" % index if index < 256 else b"", b"j" + index.to_bytes(4, "little"), b"g%d\n" % index):
            if opcode:
                with pytest.raises(pickle.UnpicklingError, match="Memo value not found"):
                    safepickle.loads(b"\x80\x04" + opcode + b".")


def test_a_bench_that_is_kept_holds_nothing_of_what_was_loaded() -> None:
    data = pickle.dumps(["kept by nobody but whoever loaded it" * 3, 12345678901234567890])
    value = safepickle.loads(data)
    held = sys.getrefcount(value), sys.getrefcount(value[0]), sys.getrefcount(data)
    fresh = pickle.loads(data)
    assert held == (sys.getrefcount(fresh), sys.getrefcount(fresh[0]), sys.getrefcount(data))


# -- What a load keeps in its memo -------------------------------------------------------------------------------------


def a_program_of_puts_and_gets(source: random.Random, *, orderly: bool) -> bytes:
    """A list of texts, ints and lists, put under indices in turn or at random, and fetched at random."""
    steps: list[tuple[object, ...]] = [("PROTO", 4), ("EMPTY_LIST",), ("MARK",)]
    known: list[int] = []
    for number in range(source.randrange(1, 150)):
        if known and source.random() < 0.3:
            index = source.choice(known)
            steps.append((source.choice(["BINGET", "LONG_BINGET"]), index) if source.random() < 0.9 else ("GET", index))
            continue
        kind = source.randrange(4)
        if kind == 0:
            steps.append(("SHORT_BINUNICODE", f"text {number}"))
        elif kind == 1:
            steps.append(("BININT1", number % 256))
        elif kind == 2:
            steps.append(("BINUNICODE", f"text {number}"))
        else:
            steps += [("EMPTY_LIST",), ("BININT2", number), ("APPEND",)]
        if source.random() < 0.8:
            fresh = len(set(known))
            index = fresh if orderly else source.randrange(256)
            ways = [("BINPUT", index), ("LONG_BINPUT", index), ("PUT", index)]
            steps.append(source.choice(ways if not orderly and index != fresh else [*ways, ("MEMOIZE",)]))
            known.append(index)
    return asm(*steps, ("APPENDS",), "STOP")


@pytest.mark.parametrize("orderly", [True, False])
def test_what_is_fetched_is_what_was_put_last_whatever_else_is_not_kept(orderly: bool) -> None:
    for seed in range(400):
        data = a_program_of_puts_and_gets(random.Random(seed), orderly=orderly)
        expected = pickle.loads(data)
        loaded = safepickle.loads(data)
        assert loaded == expected
        same = [[expected.index(each) for each in value] for value in (expected, loaded)]
        assert same[0] == same[1]
        assert [first is second for first in loaded for second in loaded if type(first) is list] == [
            first is second for first in expected for second in expected if type(first) is list
        ]


def test_an_unpickler_keeps_every_entry_for_the_next_load() -> None:
    first = asm(("PROTO", 4), ("SHORT_BINUNICODE", "kept"), ("MEMOIZE",), ("EMPTY_LIST",), ("MEMOIZE",), "STOP")
    second = asm(("PROTO", 4), ("BINGET", 0), ("BINGET", 1), ("TUPLE2",), "STOP")
    unpickler = safepickle.Unpickler(io.BytesIO(first + second))
    made = unpickler.load()
    text, again = unpickler.load()
    assert text == "kept"
    assert again is made


def test_what_crosses_the_end_of_a_frame_in_a_run_of_values_is_refused_by_every_pass() -> None:
    values = asm(*[("BININT1", 7)] * 20, ("SHORT_BINUNICODE", "x" * 20))
    for cut in range(1, len(values)):
        data = b"\x80\x04\x95" + cut.to_bytes(8, "little") + b"(" + values + b"l."
        policy = Policy.named("plain")
        whole = (cut - 1) % 2 == 0 and cut <= 41
        assert (by_itself(data, policy) is None) == whole
        assert (on_the_bench(data, policy) is None) == whole
        if whole:
            assert safepickle.loads(data) == [7] * 20 + ["x" * 20]
