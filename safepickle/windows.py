"""A cursor over a pickle in a large source: it keeps what is opcodes, and passes over payloads without reading them.

Rules:

* What it keeps grows with the opcodes, never with a payload or a declared length.
* A payload that was passed over can be asked for again, within a bound.
* Where nothing but data is expected, opcodes go as well, some time after they were read: what a light pass keeps of
  them is numbers.  Its positions count from the beginning of what is there: nothing is looked up by them any more.
* Where arrays lie between the opcodes, as joblib writes them, it stops behind each opcode that may announce one and
  lets its owner look; see `reveal`.
* Once a pickle has been read, it can be read again from what was kept: by somebody who looks on between the opcodes, or
  wants only the beginnings of payloads.
* A source that cannot be read on ends the pickle, and `failure` says why.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Any, Final

from safepickle import opcodes as op
from safepickle.containers.source import ContainerError, Exhausted, Source
from safepickle.errors import LimitExceeded
from safepickle.limits import DEFAULTS
from safepickle.reader import BEYOND, LARGE, NEVER, LetGo, Reader

__all__ = ["LOOKED_AT", "Beginning", "TextBeginning", "WindowReader"]

_FIRST_READ: Final = 512
_LARGEST_READ: Final = 1 << 20
#: So much is kept of what may go.
_RIPE: Final = 1 << 20
#: A payload that a policy's patterns ask for, and any number or 8-bit text, may be this long.
_LONGEST: Final = 64 << 20
_BUILD: Final = 0x62
# Opcodes that do more than to push data, and the ends of lines that belong to such: whoever looks on sees what came of
# each before the next one.
_DOING: Final = re.compile(b"[%s]" % re.escape(bytes((
    op.GLOBAL, op.STACK_GLOBAL, op.EXT1, op.EXT2, op.EXT4, op.INST, op.OBJ, op.REDUCE, op.NEWOBJ, op.NEWOBJ_EX,
    op.BUILD, op.APPEND, op.APPENDS, op.SETITEM, op.SETITEMS, op.ADDITEMS, op.PERSID, op.BINPERSID, op.NEXT_BUFFER,
    op.READONLY_BUFFER, 0x0A,
))))  # fmt: skip
#: So much of a large payload is shown to people.
_BEGINNING: Final = 64
#: How much of a payload that is passed over is shown to `look`.
LOOKED_AT: Final = 1 << 20
#: And how much of what follows: what begins in a payload may go on behind it.
_LOOKED_BEHIND: Final = 1 << 12


class Beginning(bytes):
    """The beginning of a payload of `size` bytes."""

    size: int


class TextBeginning(str):
    """The beginning of a text of `size` bytes of UTF-8."""

    __slots__ = ("size",)

    size: int


class WindowReader(Reader):
    """A cursor over the pickle that begins at `start` of a source.

    `room` bounds the bytes that are kept.  `look` is called with the place of each payload that is passed over, where
    in a packed source it is reached once, with its beginning and some of what follows, and with how much is of it.
    """

    def __init__(
        self, source: Source, start: int, *, integer_digits: int = DEFAULTS.integer_digits, room: int | None = None
    ) -> None:
        Reader.__init__(self, bytearray(), integer_digits=integer_digits)
        self.data: bytearray = bytearray()
        self.source = source
        self.start = start
        self.room = room
        self.look: Callable[[int, bytes, int], None] | None = None
        self.failure: ContainerError | None = None
        self.reveal: Callable[[], int] | None = None
        self.watch: Callable[[], None] | None = None
        self.brief = False
        self._rereads = False
        self.leave: Callable[[int], None] | None = None
        self._places: dict[int, tuple[int, int]] = {}  # position of an opcode -> where its payload is in the source
        self._texts: dict[int, TextBeginning] = {}  # likewise -> how a text that was found to be UTF-8 begins
        self._dropped = 0  # bytes passed over so far, in whichever pass
        self._gaps: list[int] = []  # where in `data` something was passed over, and how much it was up to there
        self._sums: list[int] = []
        self._ahead = _FIRST_READ

    @property
    def place(self) -> int:
        """Where in the source the cursor stands; in the first pass over what is there."""
        return self.start + self._dropped + self.pos

    # -- One pickle after the other, and only once -----------------------------------------------------------------

    def pass_once(self, leave: Callable[[int], None]) -> None:
        """Let opcodes go once they were read; `leave` is told before, up to where in `data` they go."""
        self.leave = leave
        self.ripe = _RIPE

    def go_on(self) -> None:
        """See `Reader`."""
        self.start = self.place
        del self.data[: self.pos]
        if self._dropped:
            self._dropped = 0
            self._places = {}
            self._texts = {}
            self._gaps = []
            self._sums = []
        self._available = len(self.data)
        self._start = 0
        Reader.rewind(self)

    def let_go(self) -> None:
        """See `Reader`; what was read last is kept, for those who look for what begins there."""
        size = self.pos - LARGE
        if self.leave is not None:
            self.leave(size + 2)  # what begins before may take three bytes to be known
        index = bisect_right(self._gaps, size)
        before = self._sums[index - 1] if index else 0
        gaps = [gap - size for gap in self._gaps[index:]]
        sums = [total + size for total in self._sums[index:]]
        self._gaps = [0, *gaps]
        self._sums = [before + size, *sums]
        self._places = {}
        self._texts = {}
        del self.data[:size]
        self._dropped += size
        self.shift += size
        self.pos -= size
        self.at -= size
        self._available -= size
        if self._frame_end >= 0:
            self._frame_end -= size
        self._end_at_frame()

    # -- Fetching ----------------------------------------------------------------------------------------------------

    def _fetch(self, size: int) -> bool:
        """Make `size` bytes from `pos` on available, if the source has them."""
        wanted = self.pos + size
        while len(self.data) < wanted:
            count = min(max(wanted - len(self.data), self._ahead), _LARGEST_READ)
            if self.room is not None and len(self.data) + count > self.room:
                count = self.room - len(self.data)
                if count <= 0:
                    self.failure = Exhausted("more opcodes were unpacked than the limit unpacked_opcodes allows")
                    break
            chunk = self._read(self.start + self._dropped + len(self.data), count)
            if not chunk:
                break
            self.data += chunk
            self._ahead = min(2 * self._ahead, _LARGEST_READ)
        self._available = len(self.data)
        if self.reveal is not None:
            found = self.data.find(b"b", max(wanted - 1, 0))
            if found >= 0:
                self._available = found + 1
        elif self.watch is not None:
            doing = _DOING.search(self.data, max(wanted - 1, 0))
            if doing is not None:
                self._available = doing.end()
        self._end_at_frame()
        return self._available >= wanted

    def _read(self, at: int, count: int) -> bytes:
        chunk = self.source.read(at, count)
        if not chunk:
            self.failure = getattr(self.source, "failure", None)
        return chunk

    def _end_at_frame(self) -> None:
        frame = self._frame_end
        self.end = self._available if frame < 0 or frame > self._available else frame

    def boundary(self) -> int:  # type: ignore[override]  # compiled, it is one that returns a C int
        """See `Reader`; an array may begin here, which is no opcode's."""
        if self.watch is not None:
            self.watch()
        if self.reveal is not None and self.pos and self.data[self.pos - 1] == _BUILD:
            if self._frame_end == self.pos:
                self._frame_end = -1
                self._end_at_frame()
            self.pass_over(self.reveal())
        Reader.boundary(self)
        return 0

    def again(self, *, watch: Callable[[], None] | None = None, brief: bool = False) -> None:
        """Go back to where the pickle begins, to read what was kept once more.

        `watch` is called behind each opcode that names, makes, changes or asks for anything, until it is set to None.
        Where it is to be `brief`, only the beginning of a large payload is given for it.  Raises ValueError where
        opcodes were let go.
        """
        if self.ripe != NEVER:
            raise ValueError("what was read only once is not there any more")
        self.look = self.reveal = None
        self.watch = watch
        self.brief = brief
        self._rereads = True
        self._available = 0
        self.rewind()

    # -- Payloads ----------------------------------------------------------------------------------------------------

    def where(self, pos: int) -> int:
        """The place in the source of a byte that was kept."""
        before = bisect_right(self._gaps, pos)
        return self.start + pos + (self._sums[before - 1] if before else 0)

    def pass_over(self, size: int) -> None:
        """Leave out `size` bytes that follow, wherever they go beyond what there is."""
        if size:
            here = min(size, len(self.data) - self.pos)
            del self.data[self.pos : self.pos + here]
            self._dropped += size
            self._gaps.append(self.pos)
            self._sums.append(self._dropped)
            self.shift += size
            self._available = self.pos  # what is there is fetched anew
            self._end_at_frame()

    def show(self, place: int, size: int) -> None:
        """Have a look taken at the beginning of `size` bytes that nobody else will look at."""
        if self.look is not None and size:
            shown = min(size, LOOKED_AT)
            self.look(place, self.source.read(place, shown + _LOOKED_BEHIND), shown)

    def skip(self, size: int) -> int:  # type: ignore[override]  # compiled, it is one that returns a C int
        """Pass over a payload of `size` bytes; a large one is not read."""
        if size < LARGE:
            Reader.skip(self, size)
            return 0
        if self.at not in self._places:
            if self._frame_end >= 0 and size > self._frame_end - self.pos:
                self._fail_here("pickle exhausted before end of frame")
            place = self.place
            self.show(place, size)
            if not self.source.has(place + size):
                self.failure = getattr(self.source, "failure", None)
                self._fail("pickle data was truncated")
            self._places[self.at] = (place, size)
            if self._frame_end >= 0:
                self._frame_end -= size
            self.pass_over(size)
        else:
            self.shift += size
            if self._frame_end >= 0:
                self._frame_end -= size
            self._end_at_frame()
        return 0

    def skip_bytearray(self, size: int) -> int:  # type: ignore[override]  # as above
        """Pass over a payload that becomes a bytearray."""
        return self.skip(size)

    def take(self, size: int) -> bytes:
        """A payload of `size` bytes."""
        if size < LARGE:
            return Reader.take(self, size)
        self.skip(size)
        return self._payload(size)

    def take_bytearray(self, size: int) -> Any:
        """A payload of `size` bytes as a bytearray, or its beginning."""
        taken = self.take(size)
        return taken if isinstance(taken, Beginning) else bytearray(taken)

    def text(self, size: int) -> str:
        """A UTF-8 payload of `size` bytes; of a very long one that was found to be UTF-8 only the beginning."""
        if size < LARGE:
            return Reader.text(self, size)
        self.skip(size)
        if self._rereads and self.at in self._texts:
            return self._texts[self.at]
        place, _ = self._places[self.at]
        decode = getincrementaldecoder("utf-8")("surrogatepass").decode
        begins = None
        try:
            for at in range(place, place + size, _LARGEST_READ):
                count = min(_LARGEST_READ, place + size - at)
                text = decode(self.source.read(at, count), at + count == place + size)
                begins = text if begins is None else begins
        except UnicodeDecodeError as error:
            self._fail(f"text is not UTF-8: {error.reason}")
        shown = self._texts[self.at] = TextBeginning((begins or "")[:_BEGINNING])
        shown.size = size
        return shown if self.brief else begins or ""

    def long(self, size: int) -> Any:
        """See `Reader`; where it is to be brief, a very long one is its bytes: as a number it has no beginning."""
        return self.take(size) if self.brief and size >= LARGE else Reader.long(self, size)

    def literal(self, at: int) -> Any:
        """See `Reader`."""
        if at >= BEYOND:
            raise LetGo
        return Reader.literal(self, at)

    def _payload(self, size: int) -> bytes:
        if self.brief:
            # What was packed is not unpacked once more for this.
            shown = Beginning(b"" if self.source.level else self.source.read(self._places[self.at][0], _BEGINNING))
            shown.size = size
            return shown
        if size > _LONGEST:
            raise LimitExceeded(
                f"a text or number of {size:,} bytes, which is not read; the most is {_LONGEST:,}",
                position=self.position,
            )
        return self.source.read(self._places[self.at][0], size)
