"""Tar archives of every age: V7, ustar, GNU and pax, each header with its checksum.

Rules:

* Headers are read one after the other, as every reader of tar does; what a link or a device has behind it is looked
  into like anything else.
* A pax record or a GNU name changes what the next header says, as their formats have it.
* The end is two blocks of zeros; what follows them, if it is not zeros, is claimed by nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from safepickle.containers.source import Broken, Budget, Claim, Found, Problem, Slice, Source, Stream

__all__ = ["is_tar", "open_tar"]

_BLOCK: Final = 512
#: Names and pax records longer than this are not followed.
_LONGEST_RECORD: Final = 1 << 20
_REGULAR: Final = b"\x000\x007"
_PAX: Final = b"xgX"
#: Headers that say something of the next one.
_EXTENSIONS: Final = frozenset({b"L", b"K", b"x", b"g", b"X"})
_SPARSE: Final = b"S"


_RECORD: Final = re.compile(rb"([1-9][0-9]{0,9}) ([^=\n\0]+)=")


class _Header(NamedTuple):
    name: str
    size: int
    kind: bytes


def is_tar(head: bytes) -> bool:
    """Whether a header with the right checksum stands at the beginning."""
    return _header(head[:_BLOCK]) is not None


def open_tar(source: Source, budget: Budget) -> Iterator[Found]:
    """Every member.  Raises Broken where the first header is none."""
    at = 0
    name = ""
    size: int | None = None
    extended = False  # whether a pax header waits for its member
    while True:
        block = source.read(at, _BLOCK)
        header = _header(block)
        if header is None:
            break
        if at and not header.name and not header.size and not block.strip(b"\0"):
            break
        budget.member()
        start = at + _BLOCK
        is_member = header.kind not in _EXTENSIONS
        length = header.size if size is None or not is_member else size
        stop = start + -(-length // _BLOCK) * _BLOCK
        if header.kind in b"LK" and header.kind:
            name = _text(source.read(start, min(length, _LONGEST_RECORD))) if header.kind == b"L" else name
            yield Claim(at, min(stop, source.size))
        elif header.kind and header.kind in _PAX:
            records, is_whole = _pax(source.read(start, min(length, _LONGEST_RECORD)))
            name = records.get("path", name)
            size, problems = _told_size(records, header, at)
            yield from problems
            if not is_whole or (extended and header.kind != b"g"):
                yield Problem("container-mismatch", "tar: pax headers that readers take for different things", at)
            extended = extended or header.kind != b"g"
            yield Claim(at, min(stop, source.size))
        else:
            if size is not None and header.size not in (0, size):
                yield Problem("container-mismatch", "tar: a member has two sizes", at, name or header.name)
            yield from _member(source, header, name or header.name, at, length)
            name, size, extended = "", None, False
        at = stop
        if at > source.size:
            yield Problem("container", "tar: the last member breaks off", source.size)
            return
    if not at:
        raise Broken("tar: no header")
    tail = source.read(at, 2 * _BLOCK)
    if tail and not tail.strip(b"\0"):
        yield Claim(at, min(at + 2 * _BLOCK, source.size))
    elif tail:
        yield Problem("container", "tar: a header is damaged", at)


def _told_size(records: dict[str, str], header: _Header, at: int) -> tuple[int | None, list[Problem]]:
    """The size that a pax header gives the next member, and what is wrong with it."""
    told = records.get("size", "")
    size = int(told) if told.isdigit() and told.isascii() and len(told) < 20 and header.kind != b"g" else None
    problems = []
    if "size" in records and size is None:
        problems.append(Problem("container-mismatch", "tar: a size that readers take for different things", at))
    if any(key.startswith("GNU.sparse") for key in records):
        problems.append(Problem("container", "tar: a sparse member, which is looked into as it is stored", at))
    return size, problems


def _member(source: Source, header: _Header, name: str, at: int, length: int) -> Iterator[Found]:
    start = at + _BLOCK
    stop = min(start + length, source.size)
    yield Claim(at, start)
    if header.kind and header.kind in _SPARSE:
        yield Problem("container", "tar: a sparse member, which is looked into as it is stored", at, name)
    elif length and header.kind and header.kind not in _REGULAR:
        yield Problem("container-mismatch", "tar: what is no file has contents", at, name)
    if length:
        yield Claim(start, stop)
        yield Stream(name, Slice(source, start, stop), start, stop)
    padding = source.read(stop, -length % _BLOCK)
    if not padding.strip(b"\0"):
        yield Claim(stop, stop + len(padding))


def _header(block: bytes) -> _Header | None:
    if len(block) < _BLOCK:
        return None
    told = _number(block[148:156])
    if told is None:
        return None
    plain = sum(block) - sum(block[148:156]) + 8 * 32
    if told != plain and told != plain - 256 * sum(1 for byte in block[:148] + block[156:] if byte > 127):
        return None
    size = _number(block[124:136])
    if size is None or size < 0 or not block.strip(b"\0"):
        return None
    name = block[:100]
    prefix = block[345:500] if block[257:263] == b"ustar\0" else b""
    full = _text(prefix) + "/" + _text(name) if prefix.strip(b"\0") else _text(name)
    return _Header(full, size, block[156:157])


def _number(field: bytes) -> int | None:
    if field[:1] in (b"\x80", b"\xff"):
        return int.from_bytes(field[1:], "big", signed=field[0] == 0xFF)
    digits = field.split(b"\0", 1)[0].strip()
    try:  # as Python's tarfile reads it, which takes signs, a prefix and underscores too
        return int(str(digits, "ascii"), 8) if digits else 0
    except ValueError:
        return None


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _pax(raw: bytes) -> tuple[dict[str, str], bool]:
    """The records of a pax header (a length, a blank, `key=value`, a line end), and whether there is nothing else."""
    records: dict[str, str] = {}
    at = 0
    while at < len(raw):
        found = _RECORD.match(raw, at)
        stop = at + int(found[1]) if found else 0
        if found is None or stop <= found.end() or raw[stop - 1 : stop] != b"\n":
            break
        key, value = found[2], raw[found.end() : stop - 1]
        records[key.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
        at = stop
    return records, at == len(raw)
