"""Any object: `dumps` writes what `_pickle.dumps` writes, byte for byte at every protocol, and `loads` reads it back.

What is written is read alike by both readers.  What `_pickle` cannot write is an exception of the same class here; but
in fast mode it loses count of how deep it is, and then fails for objects that are not cyclic.
"""

from __future__ import annotations

import _pickle
import io
from typing import Any, Final

import engine

import safepickle
from tests.choices import ENOUGH, Choices
from tests.objects import an_object
from tests.same import difference

SEEDS: Final = "objects"
_FEW: Final = 5  # parts: without a memo, what is shared is written again and again
_MOST: Final = 1 << 20  # objects, and bytes of text: ten shared lists of ten, eight deep, would fill the memory
# What is made here may hold a list of a thousand lists of a thousand, which costs more to walk through than is allowed
# by default; that it is read back is asked all the same.
_UNRESTRICTED: Final = safepickle.Policy(
    safepickle.Policy.unrestricted().data._replace(named_limits={"hash_work": 1 << 60})
)


def check(data: bytes) -> None:
    choices = Choices(data)
    protocol = choices.below(6)
    is_fast = choices.below(8) == 7
    made = an_object(choices, _FEW) if is_fast else an_object(choices)
    _check(made, protocol, is_fast)


class _TooMuch(Exception):
    """An object is written out at greater length than there is time and memory for."""


class _Measure(_pickle.Pickler):
    """Shows every object before it is written, so that one that would grow without end is given up in time."""

    written = 0

    def persistent_id(self, value: Any) -> None:
        self.written += 1 + (len(value) if isinstance(value, str | bytes | bytearray) else 0)
        if self.written > _MOST:
            raise _TooMuch


def _check(made: Any, protocol: int, is_fast: bool) -> None:
    if isinstance(_written(_Measure, made, protocol, is_fast), _TooMuch):
        return
    theirs = _written(_pickle.Pickler, made, protocol, is_fast)
    if is_fast and isinstance(theirs, Exception):
        return
    ours = _written(safepickle.Pickler, made, protocol, is_fast)
    if isinstance(theirs, bytes) and isinstance(ours, bytes):
        assert ours == theirs, f"other bytes at protocol {protocol}"
        mine = safepickle.loads(ours, policy=_UNRESTRICTED)
        assert not difference(_pickle.loads(ours), mine), difference(_pickle.loads(ours), mine)
    else:
        assert type(ours) is type(theirs), (ours, theirs)


def _written(pickler: Any, made: Any, protocol: int, is_fast: bool) -> bytes | Exception:
    """The bytes, twice the same object from one pickler, or what it raised."""
    file = io.BytesIO()
    try:
        writer = pickler(file, protocol)
        writer.fast = is_fast
        writer.dump(made)
        writer.clear_memo()
        writer.dump(made)
    except Exception as error:  # noqa: BLE001 - whatever it is has to be the same from both
        return error
    return file.getvalue()


if __name__ == "__main__":
    engine.main(__file__, check, seeds=SEEDS, longest=ENOUGH)
