"""What containers read from and what they hand on: bounded windows on bytes, and named streams with an account of them.

Rules:

* A source is read by offset and length, never as a whole because it declares to be small.
* Everything that costs is taken from a `Budget` before it is done, and a budget grows with the bytes that the scan was
  given, never with what a container says of itself.
* What a container holds is said in three kinds of items: a `Stream` of bytes to be looked into, a `Claim` of bytes that
  are structure, and a `Problem`.  What nobody claims is looked into as well.
* No module in here knows what a pickle or a policy is; a stream only says what is expected to be in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, Protocol

__all__ = [
    "ANY", "DATA", "MAYBE", "PICKLE", "Broken", "Budget", "BytesSource", "Claim", "ContainerError", "Decoder",
    "Exhausted", "FileSource", "Found", "Problem", "Slice", "Source", "Stream", "Unpacked",
]  # fmt: skip

#: What a stream is expected to hold: anything at all, a pickle, what may well be none although it begins like one, or
#: mere data, which is claimed and not read.
ANY: Final = "any"
PICKLE: Final = "pickle"
MAYBE: Final = "maybe"
DATA: Final = "data"

_CHUNK: Final = 64 * 1024
_FIRST_CHUNK: Final = 512  # of a packed stream, of which there may be very many in a row
#: Members may have so many bytes together, however they lie: each byte of the source in so many of them.
_VIEWS_PER_BYTE: Final = 10
_VIEWS_ANYWAY: Final = 1 << 20
#: Unpacked bytes that are kept, so that reading them again costs nothing; of more, only the last are.
_HELD: Final = 8 << 20
_KEPT: Final = 1 << 20


class ContainerError(Exception):
    """A container cannot be read further."""


class Broken(ContainerError):
    """The bytes are not what the format says; the message tells what, and holds no payload."""


class Exhausted(ContainerError):
    """Reading on would cost more than the budget has."""


class Budget:
    """What one scan may still spend."""

    def __init__(self, *, size: int, unpacked: int, opcodes: int, members: int) -> None:
        self.views = _VIEWS_ANYWAY + _VIEWS_PER_BYTE * size  # bytes that members may have together
        self.unpacked = unpacked  # bytes that may still come out of decompression
        self.opcodes = opcodes  # of them, those that may still be kept because they are no payload
        self.members = members  # streams that may still be looked into
        self.allowed = (unpacked, members)

    def unpack(self, count: int) -> None:
        """Charge `count` bytes that were unpacked."""
        self.unpacked -= count
        if self.unpacked < 0:
            raise Exhausted(f"more than {self.allowed[0]:,} bytes would be unpacked; the limit is unpacked")

    def look(self, source: Source) -> None:
        """Charge the bytes of a member: there are few of each byte where members do not overlap."""
        if isinstance(source, Unpacked) or (isinstance(source, BytesSource) and source.level):
            return  # what comes out of it is charged as it does, or was
        if isinstance(source, Slice) and isinstance(source.source, Unpacked):
            self.unpack(source.size)
            return
        self.views -= source.size
        if self.views < 0:
            raise Exhausted("the members overlap so much that together they are many times as long as the source")

    def member(self) -> None:
        """Charge one member of a container."""
        self.members -= 1
        if self.members < 0:
            raise Exhausted(f"more than {self.allowed[1]:,} members; the limit is members")


class Source:
    """Bytes that can be read anywhere.  `size` is their number.

    `meant` is set by whoever finds something in them: only then are checks of the whole worth reading all of it.
    """

    size: int
    meant = False
    is_far = False  # each read may be a request to somewhere else
    level = 0  # how many decompressions its bytes came out of

    def read(self, at: int, count: int) -> bytes:
        """Up to `count` bytes from `at` on; fewer only where the source ends."""
        raise NotImplementedError

    def has(self, stop: int) -> bool:
        """Whether there are at least `stop` bytes."""
        return stop <= self.size

    def whole(self) -> bytes:
        """All of it; only of a source that is known to be small."""
        return self.read(0, self.size)


class BytesSource(Source):
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read(self, at: int, count: int) -> bytes:
        """See `Source`."""
        return self.data[at : at + count]

    def whole(self) -> bytes:
        """See `Source`."""
        return self.data


class FileSource(Source):
    """A file that can seek; it is read where it is asked for, and never mapped."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)

    def read(self, at: int, count: int) -> bytes:
        """See `Source`.  Raises OSError where the file cannot be read."""
        if at >= self.size:
            return b""
        self._file.seek(at)
        count = min(count, self.size - at)
        data: bytes = self._file.read(count)
        while len(data) < count:  # a raw file may give less
            more: bytes = self._file.read(count - len(data))
            if not more:
                break  # it has become shorter
            data += more
        return data


class Slice(Source):
    """Part of another source."""

    def __init__(self, source: Source, start: int, stop: int) -> None:
        if isinstance(source, Slice):  # so that slices of slices cost what one does
            start += source.start
            stop = min(source.start + stop, source.stop)
            source = source.source
        self.source: Source = source
        self.start: int = start
        self.stop: int = max(start, min(stop, source.size))
        self.size = self.stop - start
        self.level = source.level

    def read(self, at: int, count: int) -> bytes:
        """See `Source`."""
        count = min(count, self.size - at)
        return self.source.read(self.start + at, count) if count > 0 else b""


class Decoder(Protocol):
    """What the decompressors of `bz2`, `lzma` and the like have in common."""

    @property
    def eof(self) -> bool:
        """Whether the end of the packed data was reached."""

    @property
    def needs_input(self) -> bool:
        """Whether more packed bytes are needed before anything comes out."""

    @property
    def unused_data(self) -> bytes:
        """What was given and lies behind the end."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """The next bytes, at most `max_length`."""


class Unpacked(Source):
    """What comes out of decompression, forwards and within a window; going further back starts again, and is charged.

    `make` gives a decoder for each packed stream; `again` says of what follows one whether it is another of its kind,
    and where it is `padded`, zeros may stand between them.
    `errors` are what the decoder raises; `exactly` is the length after which the packed data may end unannounced.
    `size` is known once the end was reached; until then it is a lower bound.
    """

    def __init__(
        self,
        packed: Source,
        start: int,
        stop: int,
        make: Callable[[], Decoder],
        budget: Budget,
        *,
        errors: tuple[type[BaseException], ...],
        again: Callable[[bytes], bool] | None = None,
        padded: bool = False,
        exactly: int | None = None,
    ) -> None:
        self._packed = packed
        self.level = packed.level + 1
        self._start = start
        self._stop = stop
        self._make = make
        self._budget = budget
        self._errors = errors
        self._again = again
        self._padded = padded
        self._exactly = exactly
        self.failure: ContainerError | None = None  # why nothing more comes out, where that is not the end
        self.size = 0
        self.finished = False
        self.ended = start  # where in the packed source the last stream ended that was complete
        self.crc = 0
        self._restart()

    def _restart(self) -> None:
        self._chunks = self._run()
        self._held = bytearray()
        self._base = 0  # where in the unpacked bytes `_held` begins

    def read(self, at: int, count: int) -> bytes:
        """See `Source`.  What cannot be unpacked ends it, and is told by `failure`."""
        if at < self._base:
            self._restart()
        self._reach(at + count, at)
        return bytes(self._held[at - self._base : at - self._base + count])

    def has(self, stop: int) -> bool:
        """See `Source`; unpacks that far."""
        if stop > self.size:
            self._reach(stop, stop)
        return stop <= self.size

    def finish(self) -> int:
        """Unpack to the end; returns the number of bytes."""
        while not self.finished and self.failure is None:
            self._reach(self.size + _CHUNK, self.size)
        return self.size

    def _reach(self, stop: int, wanted: int) -> None:
        """Unpack up to `stop`; what lies before `wanted` need not be kept."""
        while self._base + len(self._held) < stop:
            try:
                chunk = next(self._chunks, None)
            except ContainerError as error:
                error.__traceback__ = error.__context__ = None  # which would keep the decoder, and all its memory
                self.failure = error
                return
            if chunk is None:
                return
            self._held += chunk
            self.size = max(self.size, self._base + len(self._held))
            spare = min(wanted - self._base, len(self._held) - _KEPT)
            if len(self._held) > _HELD and spare > _KEPT:
                del self._held[:spare]
                self._base += spare

    def _following(self, at: int) -> int:
        """Where another packed stream begins behind one that ends at `at`; -1 where there is none."""
        if self._again is None:
            return -1
        if self._padded:
            while at < self._stop:
                chunk = self._packed.read(at, min(_CHUNK, self._stop - at))
                rest = chunk.lstrip(b"\0")
                at += len(chunk) - len(rest)
                if rest or not chunk:
                    break
        return at if self._again(self._packed.read(at, min(16, self._stop - at))) else -1

    def _run(self) -> Iterator[bytes]:
        """The unpacked bytes in chunks, from the beginning."""
        import zlib

        self.crc = 0
        at = self._start
        done = 0
        ahead = _FIRST_CHUNK
        decoder = self._make()
        while True:
            data = b""
            if decoder.needs_input:
                data = self._packed.read(at, min(ahead, self._stop - at))
                ahead = min(2 * ahead, _CHUNK)
                if not data and done == self._exactly:
                    self.ended = at
                    self.finished = True
                    return
                if not data:
                    raise Broken("the packed data breaks off")
                at += len(data)
            try:
                chunk = decoder.decompress(data, _CHUNK)
            except self._errors as error:
                raise Broken(f"the packed data is damaged: {_told(error)}") from None
            if chunk:
                self._budget.unpack(len(chunk))
                self.crc = zlib.crc32(chunk, self.crc)
                done += len(chunk)
                yield chunk
            if decoder.eof:
                at -= len(decoder.unused_data or b"")
                self.ended = at
                following = self._following(at)
                if following < 0:
                    self.finished = True
                    return
                at = following
                self._budget.unpack(_FIRST_CHUNK)  # a stream of nothing takes its time too
                ahead = _FIRST_CHUNK
                decoder = self._make()


def _told(error: BaseException) -> str:
    return str(error)[:100] or type(error).__name__


class Stream(NamedTuple):
    """Bytes found in a container, by a name within it."""

    name: str
    source: Source
    start: int | None  # where its bytes, packed as they may be, lie in the container; None where in no one place
    stop: int
    holds: str = ANY


class Claim(NamedTuple):
    """Bytes of a container that are its structure, or padding."""

    start: int
    stop: int


class Problem(NamedTuple):
    """What is wrong with a container: the identifier of a rule, a message without payload, and where."""

    rule: str
    message: str
    position: int | None = None
    member: str = ""


Found = Stream | Claim | Problem
