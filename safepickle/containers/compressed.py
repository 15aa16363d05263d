"""Compressed streams: gzip, bzip2, xz, lzma, zlib, zstd, lz4 and joblib's old zlib files.

Rules:

* The libraries decompress, a chunk at a time; what comes out is bounded by the budget, whatever the headers say.
* Several streams of a kind in a row are one, as their own tools read them: with zeros between them, for gzip and xz,
  and those of xz and of lzma among each other.  What follows the last of them is nobody's.
* A library that is not installed leaves the stream unread, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from safepickle.containers.source import (
    Broken,
    Budget,
    Claim,
    Decoder,
    Exhausted,
    Found,
    Problem,
    Source,
    Stream,
    Unpacked,
)

__all__ = ["FORMATS", "Format", "Zlib", "decoder", "memory_for", "open_compressed", "unpacked_problems"]

#: A dictionary that a stream asks for may take this much memory: the strongest presets need 65 MiB.  Of a stream within
#: an unpacked one, an eighth of that: enough for the usual preset, 9 MiB; and all of them together stay below 96 MiB.
_MOST_MEMORY: Final = 80 << 20
_SHIFT_WITHIN: Final = 3
#: A header of joblib's before 0.10: `ZF`, and the length as hexadecimal text in a field of this many characters.
_ZF_HEADER: Final = 2 + len(hex(1 << 64))


class Format(NamedTuple):
    """One kind of compression."""

    name: str
    begins: Callable[[bytes], bool]  # whether another stream of this kind begins with these bytes
    decoder: Callable[[int], tuple[Callable[[], Decoder], tuple[type[BaseException], ...]]]  # given its bytes of memory
    header: int = 0  # bytes before the packed ones
    sure: bool = True  # whether the beginning cannot be chance


class Zlib:
    """A decompressor of `zlib` with the manners of those of `bz2` and `lzma`."""

    def __init__(self, wbits: int) -> None:
        import zlib

        self._inner = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        """See `Decoder`."""
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        """See `Decoder`."""
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """See `Decoder`."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """See `Decoder`."""
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def _zlib(wbits: int) -> Callable[[int], tuple[Callable[[], Decoder], tuple[type[BaseException], ...]]]:
    def chosen(_memory: int) -> tuple[Callable[[], Decoder], tuple[type[BaseException], ...]]:
        import zlib

        return lambda: Zlib(wbits), (zlib.error,)

    return chosen


def _bz2(_memory: int) -> tuple[Callable[[], Decoder], tuple[type[BaseException], ...]]:
    import bz2

    return bz2.BZ2Decompressor, (OSError, ValueError)


def _lzma(memory: int) -> tuple[Callable[[], Decoder], tuple[type[BaseException], ...]]:
    import lzma

    return lambda: lzma.LZMADecompressor(lzma.FORMAT_AUTO, memory), (lzma.LZMAError,)


@cache  # what is not installed is looked for once
def _zstd_library() -> Any:
    try:
        from compression import zstd  # type: ignore[import-not-found,import-untyped,unused-ignore]  # Python 3.14
    except ImportError:
        try:
            from backports import zstd  # type: ignore[import-not-found,no-redef,unused-ignore]  # an extra
        except ImportError:
            return None
    return zstd


@cache
def _lz4_library() -> Any:
    try:
        import lz4.frame  # type: ignore[import-not-found,import-untyped,unused-ignore]  # an extra
    except ImportError:
        return None
    return lz4.frame


def _zstd(_memory: int) -> tuple[Callable[[], Decoder], tuple[type[BaseException], ...]]:
    library = _zstd_library()
    if library is None:
        raise ImportError("neither compression.zstd nor backports.zstd")
    return library.ZstdDecompressor, (library.ZstdError,)


def _lz4(_memory: int) -> tuple[Callable[[], Decoder], tuple[type[BaseException], ...]]:
    library = _lz4_library()
    if library is None:
        raise ImportError("no lz4.frame")
    return library.LZ4FrameDecompressor, (RuntimeError, EOFError)


def _is_zlib(head: bytes) -> bool:
    # RFC 1950: method 8, a window of at most 32 KiB, no preset dictionary, and the two bytes a multiple of 31.
    return len(head) > 1 and head[0] & 15 == 8 and head[0] >> 4 <= 7 and not head[1] & 32 and (
        (head[0] << 8 | head[1]) % 31 == 0
    )


_XZ: Final = b"\xfd7zXZ\0"


def _is_lzma(head: bytes) -> bool:
    # The old format has no magic number.  As liblzma tells it: properties that are possible, a dictionary of 2**n or
    # 2**n + 2**(n-1) bytes, a size below 256 GiB or none.
    if len(head) < 13 or head[0] >= 9 * 5 * 5:
        return False
    dictionary, size = int.from_bytes(head[1:5], "little"), int.from_bytes(head[5:13], "little")
    if size >= 1 << 38 and size != (1 << 64) - 1:
        return False
    half = 1 << max(dictionary.bit_length() - 2, 0)
    return dictionary in (2 * half, 3 * half, (1 << 32) - 1) and dictionary > 0


def _is_skippable(head: bytes) -> bool:
    # A frame of nothing, before or between others: the same ones for zstd and lz4.
    return head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5


FORMATS: Final = (
    Format("gzip", lambda head: head.startswith(b"\x1f\x8b\x08"), _zlib(31)),
    Format("bzip2", lambda head: head.startswith(b"BZh"), _bz2),
    Format("xz", lambda head: head.startswith(_XZ), _lzma),
    Format("zstd", lambda head: head.startswith(b"\x28\xb5\x2f\xfd"), _zstd),
    Format("lz4", lambda head: head.startswith(b"\x04\x22\x4d\x18"), _lz4),
    Format("joblib's old zlib file", lambda head: head[:4] == b"ZF0x", _zlib(15), header=_ZF_HEADER),
    Format("zlib", _is_zlib, _zlib(15), sure=False),
    Format("lzma", _is_lzma, _lzma, sure=False),
    Format("zstd", _is_skippable, _zstd, sure=False),
    Format("lz4", _is_skippable, _lz4, sure=False),
)


#: By format: whether another stream of what its own tools read as one follows, and whether zeros may stand before that.
_AGAIN: Final[dict[str, tuple[Callable[[bytes], bool], bool]]] = {
    "gzip": (FORMATS[0].begins, True),
    "bzip2": (FORMATS[1].begins, False),
    "xz": (lambda head: head.startswith(_XZ) or _is_lzma(head), True),
    "lzma": (lambda head: head.startswith(_XZ) or _is_lzma(head), True),
    "zstd": (lambda head: FORMATS[3].begins(head) or _is_skippable(head), False),
    "lz4": (lambda head: FORMATS[4].begins(head) or _is_skippable(head), False),
}


def memory_for(source: Source) -> int:
    """How many bytes of memory a decoder may take for its dictionary."""
    return _MOST_MEMORY >> _SHIFT_WITHIN * source.level


def decoder(name: str, source: Source) -> Any:
    """The maker of decoders of a format and the errors they raise.  Raises ImportError where its library is absent."""
    return next(form for form in FORMATS if form.name == name).decoder(memory_for(source))


def open_compressed(form: Format, source: Source, budget: Budget) -> Iterator[Found]:
    """The one stream inside, and what is wrong with it.  Raises Broken for what is no such stream after all."""
    try:
        make, errors = form.decoder(memory_for(source))
    except ImportError:
        yield Problem("missing-library", f"{form.name}: the library that unpacks it is not installed", 0)
        yield Claim(0, source.size)
        return
    again, padded = _AGAIN.get(form.name, (None, False))
    size = source.size
    unpacked = Unpacked(source, form.header, size, make, budget, errors=errors, again=again, padded=padded)
    if not unpacked.read(0, 1) and unpacked.failure is not None and not isinstance(unpacked.failure, Exhausted):
        raise Broken(f"{form.name}: {unpacked.failure}")
    yield Stream(form.name if not form.header else "zlib", unpacked, 0, 0)
    unpacked.finish()
    if unpacked.failure is not None and not (form.sure or unpacked.meant):
        raise Broken(f"{form.name}: {unpacked.failure}")  # chance: of tensors, one in some thousand begins like zlib
    yield from unpacked_problems(unpacked, form.name)
    # What a damaged stream holds after the damage is not known to be anything.
    yield Claim(0, size if unpacked.failure else unpacked.ended)


def unpacked_problems(unpacked: Unpacked, what: str, member: str = "") -> Iterator[Problem]:
    """What ended the unpacking before the end of the stream."""
    if isinstance(unpacked.failure, Exhausted):
        yield Problem("unpack-limit", f"{what}: {unpacked.failure}", None, member)
    elif unpacked.failure is not None:
        yield Problem("container", f"{what}: {unpacked.failure}", None, member)
