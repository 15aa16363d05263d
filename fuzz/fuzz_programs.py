"""Programs of opcodes: the verifier, the unpickler, the scanner and C `_pickle` agree about each.

* A program that fits the table and the policy is admitted by all, and loads.
* What is accepted here is accepted by `_pickle`, with the same value.
* What `_pickle` accepts and names nothing is accepted here too, or a row of `readers.STRICTER` says why not.
* What the verifier passes is not refused while it is loaded; what it refuses has run nothing.
* Two programs that one reader reads in a row, the second using what the first left in the memo, are read alike too.
"""

from __future__ import annotations

import io
import re
from functools import cache
from typing import Final

import engine
import fuzz_loads
import fuzz_scan

import safepickle
from tests import readers, victims
from tests.choices import ENOUGH, Choices, one_of
from tests.programs import Program, program, programs_in_a_row
from tests.same import difference

SEEDS: Final = "programs"
#: What the 8-bit strings of Python 2 are taken for.
ENCODINGS: Final = ("latin-1", "bytes", "ASCII", "utf-8")
_DECODING_ANYTHING: Final = ("latin-1", "bytes")
# `_pickle` sizes its memo by the largest index: it is not asked about these.
_LARGE_INDEX: Final = re.compile(rb"r..[^\0]|r...[^\0]|p[0-9 +_]{6,}", re.DOTALL)


def check(data: bytes) -> None:
    choices = Choices(data)
    kind = choices.below(5)
    if kind == 4:
        with readers.prepared():
            _check_in_a_row(programs_in_a_row(choices))
        return
    wild = (0, 1, 3, 16)[kind]
    encoding = one_of(choices, ENCODINGS)
    has_names = choices.below(4) > 0
    made = program(choices, wild=wild, application=has_names, names=has_names)
    with readers.prepared():
        fuzz_loads.check_under(made.data, _policy(), has_application=True)
        _check(made, has_names, encoding)
    with readers.prepared():  # once more: the readers that it records with leave stubs in the extensions' cache
        fuzz_scan.check_under(made.data, _policy())


@cache
def _policy() -> safepickle.Policy:
    return next(policy for policy, has_application in fuzz_loads.policies() if has_application)


def _check(made: Program, has_names: bool, encoding: str) -> None:
    loaded = readers.ours(made.data, _policy(), encoding)
    assert set(victims.RAN) <= fuzz_loads.LISTED_CANARIES, victims.RAN  # now: what follows reads without a policy too
    assert made.damaged or loaded.error is None or encoding not in _DECODING_ANYTHING, loaded.error
    if loaded.error is None:
        theirs = readers.theirs(made.data, encoding)
        assert not readers.unlike(loaded, theirs), readers.unlike(loaded, theirs)
    elif not has_names:
        _check_completeness(made.data, encoding)


def _check_in_a_row(made: list[Program]) -> None:
    data = b"".join(each.data for each in made)
    mine = readers.Ours(io.BytesIO(data), policy=_policy(), encoding="latin-1", buffers=readers.buffers())
    theirs = readers.Theirs(io.BytesIO(data), encoding="latin-1", buffers=readers.buffers())
    for _ in made:
        assert not difference(theirs.load(), mine.load())


def _check_completeness(data: bytes, encoding: str) -> None:
    refusal = readers.ours(data, safepickle.Policy.unrestricted(), encoding).error
    if isinstance(refusal, safepickle.MalformedStream) and not _LARGE_INDEX.search(data):
        try:
            theirs = readers.theirs(data, encoding)
        except readers.NotHarmlessError:
            return
        assert theirs.error is not None or readers.stricter(refusal), refusal


if __name__ == "__main__":
    engine.main(__file__, check, seeds=SEEDS, longest=2 * ENOUGH)
