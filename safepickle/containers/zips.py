"""Zip archives, as every reader of them may read them.

What a zip holds is said twice: in the directory at its end, and in a header before each member.  Python believes the
one, others believe the other, and `zipfile` hides where they differ.  So the structure is read here; the standard
library decompresses.

Rules:

* The end is looked for as Python does it; every entry of the directory is compared with the header that it points to.
* A member is opened however its flags and sizes read; what differs between directory and header is a problem.
* Whatever lies between, before and behind the members that the directory lists is claimed by nobody here, so that it
  is looked into as well: another archive, or members that no directory lists.
* Where each read is a request to somewhere else, the tensors of a torch file are claimed unread: what the directory
  says of them is all that is known.
* Without a directory the members are read one after the other, as streaming readers do.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from functools import partial
from struct import Struct
from typing import Final, NamedTuple

from safepickle.containers.compressed import Zlib, decoder, memory_for, unpacked_problems
from safepickle.containers.source import Broken, Budget, Claim, Found, Problem, Slice, Source, Stream, Unpacked

__all__ = ["find_end", "open_zip"]

_END: Final = Struct("<4s4H2LH")
_END64_LOCATOR: Final = Struct("<4sLQL")
_END64: Final = Struct("<4sQ2H2L4Q")
_ENTRY: Final = Struct("<4s6H3L5H2L")
_LOCAL: Final = Struct("<4s5H3L2H")
_LONGEST_COMMENT: Final = 0xFFFF
_ENCRYPTED: Final = 1
_DESCRIPTOR: Final = 8
_PATCHED: Final = 32
_STRONG: Final = 64
_UTF8: Final = 1 << 11
_STORED: Final = 0
_DEFLATED: Final = 8
_METHODS: Final = {12: "bzip2", 93: "zstd", 95: "xz"}
_LZMA: Final = 14
#: Of larger stored members the checksum is not computed: it would be the only reason to read them.
_CHECKED: Final = 8 << 20


#: How torch names the members with its tensors.
_STORAGE: Final = re.compile(rb"((?:[^/]+/)?)data/[0-9]+", re.DOTALL)


class _Header(NamedTuple):
    """What one of the two descriptions of a member says."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    at: int  # where the local header is, or, for a local header, where the data begins


class _End(NamedTuple):
    """Where the directory is."""

    at: int  # of the first record of the end
    stop: int  # behind the comment
    start: int  # of the directory
    agrees: bool  # whether the records of the end say the same
    shift: int  # bytes before the archive, which its offsets do not know of
    entries: int


def find_end(source: Source) -> int:
    """Where the end record is that Python would choose, or -1."""
    size = source.size
    tail_at = max(0, size - _END.size - _LONGEST_COMMENT)
    tail = source.read(tail_at, size - tail_at)
    if tail[-_END.size : -_END.size + 4] == b"PK\5\6" and tail.endswith(b"\0\0"):
        return size - _END.size
    found = tail.rfind(b"PK\5\6", 0, len(tail) - _END.size + 4)
    return -1 if found < 0 else tail_at + found


def open_zip(source: Source, budget: Budget) -> Iterator[Found]:
    """Every member, and what is wrong with the archive.  Raises Broken for what is none."""
    at = find_end(source)
    end = None if at < 0 else _read_end(source, at)
    if end is None:
        if source.read(0, 4) != b"PK\3\4":
            raise Broken("zip: no directory")
        yield Problem("container", "zip: there is no directory that lists its members", 0)
        yield from _without_directory(source, budget)
        return
    yield Claim(end.at, end.stop)
    yield from _Archive(source, budget, end).items()


def _read_end(source: Source, at: int) -> _End | None:
    raw = source.read(at, _END.size)
    if len(raw) < _END.size:
        return None
    _, _, _, _, count, size, offset, comment = _END.unpack(raw)
    stop = min(at + _END.size + comment, source.size)
    first = at
    agrees = True
    locator = source.read(at - _END64_LOCATOR.size, _END64_LOCATOR.size) if at >= _END64_LOCATOR.size else b""
    if locator[:4] == b"PK\6\7":
        record_at = at - _END64_LOCATOR.size - _END64.size
        record = source.read(record_at, _END64.size) if record_at >= 0 else b""
        if record[:4] == b"PK\6\6":
            small = count, size, offset
            count, size, offset = _END64.unpack(record)[7:]
            first = record_at
            agrees = all(
                narrow in (wide, 0xFFFF if narrow is small[0] else 0xFFFFFFFF)
                for narrow, wide in zip(small, (count, size, offset), strict=True)
            ) and _END64_LOCATOR.unpack(locator)[2] == record_at - (first - size - offset)
        else:
            agrees = False
    start = first - size
    if start < 0:
        return None
    return _End(first, stop, start, agrees, start - offset, count)


class _Archive:
    """One archive that has a directory."""

    def __init__(self, source: Source, budget: Budget, end: _End) -> None:
        self.source = source
        self.budget = budget
        self.end = end
        self.taken: list[tuple[int, int]] = []
        self.names: set[bytes] = set()

    def items(self) -> Iterator[Found]:
        """Everything the directory lists."""
        end = self.end
        if end.shift < 0:
            yield Problem("container-mismatch", "zip: the directory is not where its end record says", end.at)
        elif end.shift and self.source.read(end.start - end.shift, 4) == b"PK\1\2":
            yield Problem("container-mismatch", "zip: there are two directories for its end record to mean", end.at)
        if not end.agrees:
            yield Problem("container-mismatch", "zip: the records of the end differ", end.at)
        at = end.start
        listed: list[tuple[int, _Header]] = []
        while at < end.at:
            raw = self.source.read(at, _ENTRY.size)
            if len(raw) < _ENTRY.size or raw[:4] != b"PK\1\2":
                yield Problem("container", "zip: the directory has something else between its entries", at)
                break
            self.budget.member()
            header, length = self._entry(raw, at)
            yield Claim(at, at + length)
            listed.append((at, header))
            at += length
        if end.entries not in (len(listed), len(listed) & 0xFFFF):
            message = f"zip: the directory has {len(listed):,} entries and its end record says {end.entries:,}"
            yield Problem("container-mismatch", message, end.at)
        listed.sort(key=lambda pair: pair[1].at)  # a packed source is read forwards
        unread = _storages({header.name: header for _, header in listed}) if self.source.is_far else set()
        for place, (entry_at, header) in enumerate(listed):
            if header.name in unread:
                follows = listed[place + 1][1].at if place + 1 < len(listed) else end.start
                yield Claim(header.at, follows)
            else:
                yield from self._member(header, entry_at)
        self.taken.sort()
        for (_, stop), (start, _) in zip(self.taken, self.taken[1:], strict=False):
            if start < stop:
                yield Problem("container-mismatch", "zip: members overlap", start)
                break

    def _entry(self, raw: bytes, at: int) -> tuple[_Header, int]:
        (_, _, _, flags, method, _, _, crc, packed, size, name_size, extra_size, comment_size, _, _, _, local) = (
            _ENTRY.unpack(raw)
        )
        name = self.source.read(at + _ENTRY.size, name_size)
        extra = self.source.read(at + _ENTRY.size + name_size, extra_size)
        size, packed, local = _wide(extra, size, packed, local)
        length = _ENTRY.size + name_size + extra_size + comment_size
        return _Header(name, flags, method, crc, packed, size, local + self.end.shift), length

    def _member(self, listed: _Header, entry_at: int) -> Iterator[Found]:
        name = shown_name(listed.name)
        local = read_local(self.source, listed.at)
        if local is None:
            yield Problem("container", "zip: the directory points to where no member is", entry_at, name)
            return
        if listed.name in self.names:
            yield Problem("container-mismatch", "zip: a name is listed twice", entry_at, name)
        self.names.add(listed.name)
        different = _differences(listed, local)
        if different:
            yield Problem(
                "container-mismatch", f"zip: the directory and the member's own header differ in its {different}",
                listed.at, name,
            )  # fmt: skip
        stop = local.at + listed.packed
        if stop > self.source.size:
            yield Problem("container", "zip: a member is longer than the file", listed.at, name)
            stop = self.source.size
        descriptor = _descriptor(self.source, stop, listed) if local.flags & _DESCRIPTOR else 0
        self.taken.append((listed.at, stop + descriptor))
        yield Claim(listed.at, stop + descriptor)
        yield from _open_member(self.source, self.budget, name, listed, local.at, stop)
        if local.method != listed.method and not listed.flags & _ENCRYPTED:
            other = listed._replace(method=local.method)
            yield from _open_member(self.source, self.budget, name, other, local.at, stop)


def _storages(members: dict[bytes, _Header]) -> set[bytes]:
    """The members that torch keeps its tensors in, beside the pickle that mentions them; they are never unpickled."""
    return {
        name
        for name, header in members.items()
        if (found := _STORAGE.fullmatch(name)) is not None
        and found[1] + b"data.pkl" in members
        and header.method == _STORED
        and header.packed == header.size
        and not header.flags & (_ENCRYPTED | _PATCHED | _STRONG)
    }


def shown_name(name: bytes) -> str:
    """A member's name as text; whoever prints it escapes it."""
    return name.decode("utf-8", "surrogateescape")


def read_local(source: Source, at: int) -> _Header | None:
    """The header at `at`, or None."""
    raw = source.read(at, _LOCAL.size) if at >= 0 else b""
    if len(raw) < _LOCAL.size or raw[:4] != b"PK\3\4":
        return None
    _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack(raw)
    name = source.read(at + _LOCAL.size, name_size)
    extra = source.read(at + _LOCAL.size + name_size, extra_size)
    size, packed, _ = _wide(extra, size, packed, 0)
    return _Header(name, flags, method, crc, packed, size, at + _LOCAL.size + name_size + extra_size)


def _wide(extra: bytes, size: int, packed: int, local: int) -> tuple[int, int, int]:
    """Sizes and offset, with those that do not fit 32 bits taken from the ZIP64 extra field."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = extra[at] | extra[at + 1] << 8, extra[at + 2] | extra[at + 3] << 8
        if kind == 1:
            values = [
                int.from_bytes(extra[place : place + 8], "little")
                for place in range(at + 4, min(at + 4 + length, len(extra)) - 7, 8)
            ]
            if size == 0xFFFFFFFF and values:
                size = values.pop(0)
            if packed == 0xFFFFFFFF and values:
                packed = values.pop(0)
            if local == 0xFFFFFFFF and values:
                local = values.pop(0)
            break
        at += 4 + length
    return size, packed, local


def _differences(listed: _Header, local: _Header) -> str:
    found = []
    if listed.name != local.name:
        found.append("name")
    if listed.method != local.method:
        found.append("method")
    if (listed.flags ^ local.flags) & (_ENCRYPTED | _PATCHED | _STRONG):
        found.append("flags")
    if not local.flags & _DESCRIPTOR or local.packed or local.size:
        if (listed.packed, listed.size) != (local.packed, local.size):
            found.append("size")
        if listed.crc != local.crc and not local.flags & _DESCRIPTOR:
            found.append("checksum")
    return ", ".join(found)


def _descriptor(source: Source, at: int, listed: _Header) -> int:
    """The length of the data descriptor at `at`: with or without a signature, its sizes in four bytes or in eight."""
    raw = source.read(at, 24)
    crc = listed.crc.to_bytes(4, "little")
    for signature in (b"PK\7\x08", b""):
        if raw.startswith(signature + crc):
            for width in (8, 4):
                sizes = listed.packed.to_bytes(8, "little")[:width] + listed.size.to_bytes(8, "little")[:width]
                if raw.startswith(signature + crc + sizes):
                    return len(signature) + 4 + 2 * width
    return 0


def _open_member(
    source: Source, budget: Budget, name: str, header: _Header, start: int, stop: int
) -> Iterator[Found]:
    if header.flags & (_ENCRYPTED | _STRONG):
        yield Problem("encrypted", "zip: a member is marked as encrypted", start, name)
    if header.flags & _PATCHED:
        yield Problem("container", "zip: a member is patched data, which is not supported", start, name)
    if header.method == _STORED:
        yield from _open_stored(source, name, header, start, stop)
        return
    try:
        unpacked = _unpacked(source, budget, header.method, start, stop, header.size)
    except ImportError:
        yield Problem("missing-library", f"zip: what unpacks method {header.method} is not installed", start, name)
        return
    except Broken as error:
        yield Problem("container", f"zip: {error}", start, name)
        return
    encrypted = header.flags & _ENCRYPTED
    if encrypted and not unpacked.read(0, 1):
        return
    yield Stream(name, unpacked, start, stop)
    unpacked.finish()
    if encrypted:
        return
    yield from unpacked_problems(unpacked, "zip", name)
    if unpacked.failure is None:
        if unpacked.crc != header.crc or unpacked.size != header.size:
            yield Problem("checksum", "zip: a member is not what its checksum and size say", start, name)
        if unpacked.ended < stop:
            rest = Slice(source, unpacked.ended, stop)
            yield Problem("container-mismatch", "zip: a member's packed data ends before the member does", start, name)
            yield Stream(name, rest, unpacked.ended, stop)


def _open_stored(source: Source, name: str, header: _Header, start: int, stop: int) -> Iterator[Found]:
    import zlib

    stored = Slice(source, start, stop)
    yield Stream(name, stored, start, stop)
    if header.flags & _ENCRYPTED:
        return
    if header.size != header.packed:
        yield Problem("container-mismatch", "zip: a stored member has two sizes", start, name)
    if stored.meant and stored.size <= _CHECKED and zlib.crc32(stored.whole()) != header.crc:
        yield Problem("checksum", "zip: a member is not what its checksum says", start, name)


def _unpacked(source: Source, budget: Budget, method: int, start: int, stop: int, size: int) -> Unpacked:
    if method == _LZMA:
        return _zip_lzma(source, budget, start, stop, size)
    if method == _DEFLATED:
        import zlib

        return Unpacked(source, start, stop, partial(Zlib, -15), budget, errors=(zlib.error,))
    if method not in _METHODS:
        raise Broken(f"a member is packed by method {method}, which is not supported")
    make, errors = decoder(_METHODS[method], source)
    return Unpacked(source, start, stop, make, budget, errors=errors)


def _zip_lzma(source: Source, budget: Budget, start: int, stop: int, size: int) -> Unpacked:
    # APPNOTE 5.8.8: two bytes of version, two of the length of the properties, the properties, a raw stream.
    import lzma

    properties = source.read(start + 4, 5)
    if source.read(start + 2, 2) != b"\5\0" or len(properties) < 5:
        raise Broken("a member's LZMA properties are missing")
    rest, lp, dictionary = properties[0], 0, int.from_bytes(properties[1:], "little")
    rest, lc = divmod(rest, 9)
    pb, lp = divmod(rest, 5)
    if pb > 4 or lc + lp > 4 or dictionary > memory_for(source):
        raise Broken("a member's LZMA properties are not usable")
    chain = [{"id": lzma.FILTER_LZMA1, "dict_size": max(dictionary, 4096), "lc": lc, "lp": lp, "pb": pb}]

    def make() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain)

    return Unpacked(source, start + 9, stop, make, budget, errors=(lzma.LZMAError,), exactly=size)


def _without_directory(source: Source, budget: Budget) -> Iterator[Found]:
    """The members as a streaming reader finds them: each header behind the member before."""
    at = 0
    while (local := read_local(source, at)) is not None:
        budget.member()
        stop = min(local.at + local.packed, source.size)
        if local.flags & _DESCRIPTOR and not local.packed:
            stop = yield from _open_unsized(source, budget, local)
        else:
            yield from _open_member(source, budget, shown_name(local.name), local, local.at, stop)
        if local.flags & _DESCRIPTOR:
            stop += _descriptor(source, stop, local)
        yield Claim(at, stop)
        at = stop


def _open_unsized(source: Source, budget: Budget, local: _Header) -> Generator[Found, None, int]:
    """A member whose length only its packed data tells; returns where it ends."""
    name = shown_name(local.name)
    if local.method != _DEFLATED:
        yield Problem("container", "zip: nothing says where a member ends", local.at, name)
        return local.at
    unpacked = _unpacked(source, budget, local.method, local.at, source.size, -1)
    yield Stream(name, unpacked, local.at, source.size)
    unpacked.finish()
    yield from unpacked_problems(unpacked, "zip", name)
    return unpacked.ended
