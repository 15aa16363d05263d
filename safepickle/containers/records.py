"""Records with their length before them, as logging and multiprocessing send them, and pickles behind a time stamp.

Neither has a magic number: such a file is told by its first length leading to a pickle that is as long as it says.

Rules:

* The lengths are four bytes each, big-endian, one record behind the other, to the end of the source.
* What follows the last record that fits is claimed by nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from safepickle.containers.source import PICKLE, Broken, Budget, Claim, Found, Slice, Source, Stream

__all__ = ["begins_records", "begins_stamped", "open_records", "open_stamped"]

_PREFIX: Final = 4
#: What pickles of dicts and of everything else begin with: PROTO, and what protocols 0 and 1 have instead.
_BEGIN: Final = b"\x80}]("


def begins_records(head: bytes, size: int) -> bool:
    """Whether the first four bytes are a length that fits, and a pickle may follow."""
    length = int.from_bytes(head[:_PREFIX], "big")
    return len(head) > _PREFIX and head[_PREFIX] in _BEGIN and 1 < length <= size - _PREFIX


def begins_stamped(head: bytes) -> bool:
    """Whether a PROTO stands behind four bytes, as cachelib writes when an entry ends before the entry."""
    return len(head) > _PREFIX + 1 and head[_PREFIX] == 0x80 and 2 <= head[_PREFIX + 1] <= 5 and head[0] != 0x80


def open_records(source: Source, budget: Budget) -> Iterator[Found]:
    """Every record.  Raises Broken where the first is no pickle."""
    at = number = 0
    while at < source.size:
        length = int.from_bytes(source.read(at, _PREFIX), "big")
        start = at + _PREFIX
        stop = start + length
        if not length or stop > source.size:
            break
        budget.member()
        record = Slice(source, start, stop)
        yield Claim(at, start)
        yield Stream(f"record {number}", record, start, stop, PICKLE)
        if not record.meant:
            raise Broken("records: one is no pickle")
        at = stop
        number += 1


def open_stamped(source: Source, budget: Budget) -> Iterator[Found]:
    """The pickle behind a time stamp.  Raises Broken where there is none."""
    budget.member()
    rest = Slice(source, _PREFIX, source.size)
    yield Claim(0, _PREFIX)
    yield Stream("", rest, _PREFIX, source.size, PICKLE)
    if not rest.meant:
        raise Broken("no pickle behind the time stamp")
