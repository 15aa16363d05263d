"""Every way to come to a verdict comes to the same one.

`verify` and `loads` keep a bench from one call to the next, and the compiled core begins with a light pass, which keeps
nothing of what is inside containers and starts over where that matters.  A `Verifier` of one's own does neither.  Both
are shown the same pickles, in an order that lets each find what the one before it left.
"""

from __future__ import annotations

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
