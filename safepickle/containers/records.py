"""What is wrapped around a pickle without a magic number: lengths, a time stamp, base64.

Logging and multiprocessing send records with their length before each.  Such a file is told by there being a pickle
where one would be.

Rules:

* The lengths are four bytes each, big-endian, one record behind the other, to the end of the source.
* What follows the last record that fits is claimed by nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from safepickle.containers.source import ANY, Broken, Budget, BytesSource, Claim, Found, Slice, Source, Stream

__all__ = [
    "begins_base64", "begins_records", "begins_stamped", "may_be_records", "may_be_stamped", "open_base64",
    "open_records", "open_stamped",
]  # fmt: skip

_PREFIX: Final = 4
#: What pickles of dicts and of everything else begin with: PROTO, and what protocols 0 and 1 have instead.
_BEGIN: Final = b"\x80}]("
#: And what else they may begin with.
_MAY_BEGIN: Final = _BEGIN + b"cNIJKMLFGSTUVXBC)"
#: A PROTO of 2 to 5 and two bits of what follows it.
_BASE64: Final = frozenset({b"gAI", b"gAJ", b"gAK", b"gAL", b"gAM", b"gAN", b"gAO", b"gAP", b"gAQ", b"gAR", b"gAS",
                            b"gAT", b"gAU", b"gAV", b"gAW", b"gAX"})  # fmt: skip
_LONGEST_BASE64: Final = 64 << 20


def begins_records(head: bytes, size: int) -> bool:
    """Whether the first four bytes are a length that fits, and a pickle follows."""
    return may_be_records(head, size) and head[_PREFIX] in _BEGIN


def may_be_records(head: bytes, size: int) -> bool:
    """Whether the first four bytes are a length that fits, and something follows that a pickle may begin with."""
    length = int.from_bytes(head[:_PREFIX], "big")
    return may_be_stamped(head) and 1 < length <= size - _PREFIX


def begins_stamped(head: bytes) -> bool:
    """Whether a PROTO stands behind four bytes, as cachelib writes when an entry ends before the entry."""
    return may_be_stamped(head) and head[_PREFIX] == 0x80 and 2 <= head[_PREFIX + 1] <= 5 and head[0] != 0x80


def may_be_stamped(head: bytes) -> bool:
    """Whether something stands behind four bytes that a pickle may begin with."""
    return len(head) > _PREFIX + 1 and head[_PREFIX] in _MAY_BEGIN


def open_records(source: Source, budget: Budget, holds: str = ANY) -> Iterator[Found]:
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
        yield Stream(f"record {number}", record, start, stop, holds)
        if not record.meant:
            raise Broken("records: one is no pickle")
        at = stop
        number += 1


def open_stamped(source: Source, budget: Budget, holds: str = ANY) -> Iterator[Found]:
    """The pickle behind a time stamp.  Raises Broken where there is none."""
    budget.member()
    rest = Slice(source, _PREFIX, source.size)
    yield Claim(0, _PREFIX)
    yield Stream("behind the time stamp", rest, _PREFIX, source.size, holds)
    if not rest.meant:
        raise Broken("no pickle behind the time stamp")


def begins_base64(head: bytes) -> bool:
    """Whether this is how a PROTO begins in base64, as databases keep pickles in columns of text."""
    return head[:3] in _BASE64


def open_base64(source: Source, budget: Budget) -> Iterator[Found]:
    """The pickle in base64.  Raises Broken for other text."""
    import binascii

    if source.size > _LONGEST_BASE64:
        raise Broken("base64: too long to be looked into")
    budget.unpack(source.size)
    try:
        # As `base64.b64decode` reads it unless told otherwise: what is not of the alphabet is passed over.
        data = binascii.a2b_base64(source.read(0, source.size))
    except ValueError:
        raise Broken("base64: not what it begins like") from None
    inner = BytesSource(data)
    yield Claim(0, source.size)
    yield Stream("base64", inner, None, 0)
    if not inner.meant:
        raise Broken("base64: no pickle in it")
