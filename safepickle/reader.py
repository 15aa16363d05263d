"""The bounded cursor over a pickle: the only code of the package that slices input.

Every machine (verifier, unpickler, disassembler) reads through this module, so no two of them can disagree on a byte.

Rules:

* Each read has its length test beside it, written `n > end - pos`, so that no sum can overflow once compiled.
* Nothing is allocated from a declared length before that many bytes are there.
* Texts are strict.  Where CPython's three readers disagree, the reading is refused here (the README lists each case).
* A frame is a promise: an opcode or its argument never crosses the end of a frame, frames never nest, and STOP is the
  last opcode of its frame.
* A file is read once, and never past what can be given back: by `peek`, by `seek`, or else exactly byte for byte.
  Payloads of 64 KiB and more go straight from the file into the object they become, and are kept aside for the load.
* It knows the opcode table, and nothing of stacks, policies or objects.
"""

from __future__ import annotations

from _codecs import escape_decode, raw_unicode_escape_decode
from io import BufferedRandom, BufferedReader, BytesIO, FileIO
from struct import Struct

from safepickle import loading as prim
from safepickle import opcodes as op
from safepickle.errors import EndOfStream, LimitExceeded, MalformedStream
from safepickle.hints import Any, Callable, Final, NoReturn
from safepickle.limits import DEFAULTS

__all__ = ["BEYOND", "LARGE", "NEVER", "FileReader", "LetGo", "Reader", "frozen_input"]

#: Where a cursor never comes to.
NEVER: Final = 1 << 62
#: Above all positions: those of long literals are told apart from others by it, where bytes are let go.
BEYOND: Final = 1 << 44
#: Payloads of this many bytes are read from a file straight into their own object.
LARGE: Final = 64 * 1024
_FIRST_READ: Final = 512  # bytes read ahead from a seekable file at first; doubled each time
_LARGEST_READ: Final = 1 << 20
_LONGEST_INDEX: Final = 18  # digits of a memo index given as text: fits 64 bits

_float8 = Struct(">d").unpack_from


def frozen_input(data: Any) -> bytes:
    """`data` as bytes that cannot change during the load: itself if it is bytes, else a copy of its buffer.

    Raises TypeError for anything that has no buffer, as pickle does.
    """
    if type(data) is bytes:
        return data
    if isinstance(data, str):
        raise TypeError("a bytes-like object is required, not 'str'")
    return memoryview(data).tobytes()


class LetGo(Exception):
    """A literal was asked for that a light pass has let go."""


class Reader:
    """A cursor over bytes that are all there.

    `data` is the input, `pos` the next byte, `at` where the current opcode begins.  `asides` maps the position of an
    opcode to its large payload, where that was read from a file into its own object and is not part of `data`.
    """

    __slots__ = (
        "_available", "_frame_end", "_start", "asides", "at", "data", "end", "integer_digits", "pos", "ripe", "shift",
    )  # fmt: skip

    def __init__(
        self,
        data: bytes | bytearray,
        pos: int = 0,
        *,
        integer_digits: int = DEFAULTS.integer_digits,
        asides: dict[int, Any] | None = None,
    ) -> None:
        if type(data) is not bytes:  # what can change is not read at places that were tested before
            data = frozen_input(data)
        if not 0 <= pos <= len(data):
            raise ValueError("a pickle begins within its data")
        self.data: bytes | bytearray = data
        self.pos = pos
        self.at = pos
        self._start = pos  # where this pickle begins
        self._available = len(data)  # how far `data` is filled
        self._frame_end = -1  # where the current frame ends, negative where there is none
        self.end = len(data)  # the nearer of the two: no read may pass it
        self.integer_digits = integer_digits
        self.asides = asides
        self.shift = 0  # bytes of payload kept aside so far: what positions in `data` lag behind positions in the file
        self.ripe = NEVER  # from here on a light pass calls `let_go` between two opcodes

    def renew(self, data: bytes, integer_digits: int) -> None:
        """Begin to read other bytes, as a new reader would."""
        self._available = len(data)
        self.data = data
        self.integer_digits = integer_digits
        self.asides = None
        self._start = 0
        self.rewind()

    def release(self) -> None:
        """Let go of the bytes; nothing can be read before `renew`."""
        self.data = b""
        self.asides = None
        self.pos = self.end = self._available = 0

    def rewind(self) -> None:
        """Go back to where the pickle begins."""
        self.pos = self._start
        self.at = self._start
        self._frame_end = -1
        self.end = self._available
        self.shift = 0

    def go_on(self) -> None:
        """Begin to read another pickle, which follows this one."""
        self._start = self.pos
        self.rewind()

    def let_go(self) -> None:
        """Called where the cursor is `ripe`: nobody will ask again for what has been read."""

    # -- Opcodes and frames ------------------------------------------------------------------------------------------

    def opcode(self) -> int:
        """The next opcode byte.  Leaves a frame that ends here; `at` becomes its position."""
        pos = self.pos
        if pos >= self.end:
            self.boundary()
        self.at = pos
        self.pos = pos + 1
        return self.data[pos]

    def boundary(self) -> None:
        """Called where the next opcode is not before `end`: leave a frame that ends here, or fetch more."""
        if self._frame_end == self.pos:
            self._frame_end = -1
            self.end = self._available
        if self.pos >= self.end and not self._fetch(1):
            if self._frame_end >= 0:
                self._fail("pickle data was truncated")
            if not self.consumed:
                raise EndOfStream("Ran out of input", position=self.pos)
            raise MalformedStream(
                "Ran out of input", position=self.pos + self.shift, advice="The pickle has no STOP opcode."
            )

    def frame(self) -> None:
        """Enter the frame that a FRAME opcode announces."""
        length = self.uint8()
        if self._frame_end >= 0:
            self._fail_here("beginning of a new frame before end of current frame")
        self._frame_end = self.pos + length
        self._limit_to_frame()

    def _limit_to_frame(self) -> None:
        if self._frame_end < 0 or self._frame_end > self._available:
            self.end = self._available
        else:
            self.end = self._frame_end

    def stop(self) -> None:
        """Check that a STOP which was just read does not leave its frame unfinished."""
        if self._frame_end >= 0 and self._frame_end != self.pos:
            self._fail_here("STOP before the end of its frame")

    def _fetch(self, size: int) -> bool:
        """Make `size` bytes from `pos` on available, if the input has them."""
        return size <= self._available - self.pos

    def _need(self, size: int) -> None:
        """Called where `size` bytes from `pos` on pass `end`: fetch them, or say why they cannot be had."""
        if self._frame_end >= 0 and size > self._frame_end - self.pos:
            self._fail_here("pickle exhausted before end of frame")
        if not self._fetch(size):
            self._fail("pickle data was truncated")

    def _fail(self, message: str) -> NoReturn:
        raise MalformedStream(message, position=self.at + self.shift, opcode=self._opcode_name())

    def _fail_here(self, message: str) -> NoReturn:
        """Refuse what one of Python's own readers takes."""
        error = MalformedStream(message, position=self.at + self.shift, opcode=self._opcode_name())
        error.elsewhere = True
        raise error

    def _not_a_number(self, message: str, text: bytes) -> NoReturn:
        """Refuse a text that is no number here."""
        if _is_a_number_elsewhere(text):
            self._fail_here(message)
        self._fail(message)

    def _opcode_name(self) -> str | None:
        return op.name_of(self.data[self.at]) if self.at < len(self.data) else None

    @property
    def position(self) -> int:
        """The position of the current opcode in the source, in bytes."""
        return self.at + self.shift

    @property
    def consumed(self) -> int:
        """How many bytes of the source this pickle has taken."""
        return self.pos + self.shift - self._start

    # -- Fixed-size arguments ----------------------------------------------------------------------------------------

    def uint1(self) -> int:
        """One unsigned byte."""
        pos = self.pos
        if self.end - pos < 1:
            self._need(1)
        self.pos = pos + 1
        return prim.uint1(prim.pointer(self.data), pos)

    def uint2(self) -> int:
        """Two bytes, unsigned, little-endian."""
        pos = self.pos
        if self.end - pos < 2:
            self._need(2)
        self.pos = pos + 2
        return prim.uint2(prim.pointer(self.data), pos)

    def int4(self) -> int:
        """Four bytes, signed, little-endian."""
        pos = self.pos
        if self.end - pos < 4:
            self._need(4)
        self.pos = pos + 4
        return prim.int4(prim.pointer(self.data), pos)

    def uint4(self) -> int:
        """Four bytes, unsigned, little-endian."""
        pos = self.pos
        if self.end - pos < 4:
            self._need(4)
        self.pos = pos + 4
        return prim.uint4(prim.pointer(self.data), pos)

    def uint8(self) -> int:
        """Eight bytes, unsigned, little-endian."""
        pos = self.pos
        if self.end - pos < 8:
            self._need(8)
        self.pos = pos + 8
        size = prim.uint8(prim.pointer(self.data), pos)
        if size < 0:
            self._fail("pickle data was truncated")
        return size

    def float8(self) -> float:
        """A double, big-endian."""
        pos = self.pos
        if self.end - pos < 8:
            self._need(8)
        self.pos = pos + 8
        value: float = _float8(self.data, pos)[0]
        return value

    # -- Counted arguments -------------------------------------------------------------------------------------------

    def length4(self, what: str) -> int:
        """A four-byte length that CPython reads as signed, and must not be negative."""
        length = self.int4()
        if length < 0:
            self._fail(f"{what} pickle has negative byte count")
        return length

    def skip(self, size: int) -> None:
        """Pass over a payload of `size` bytes; from a file, keep a large one aside as bytes."""
        if size > self.end - self.pos:
            self._need(size)
        self.pos += size

    def take(self, size: int) -> bytes:
        """A payload of `size` bytes."""
        if self.asides and self.at in self.asides:
            kept: bytes = self._pass_aside(size)
            return kept
        pos = self.pos
        if size > self.end - pos:
            self._need(size)
        self.pos = pos + size
        return bytes(self.data[pos : pos + size])

    def skip_bytearray(self, size: int) -> None:
        """Pass over a payload that becomes a bytearray; from a file, keep a large one aside as that."""
        self.skip(size)

    def take_bytearray(self, size: int) -> bytearray:
        """A payload of `size` bytes as a bytearray."""
        if self.asides and self.at in self.asides:
            kept: bytearray = self._pass_aside(size)
            return kept
        pos = self.pos
        if size > self.end - pos:
            self._need(size)
        self.pos = pos + size
        return prim.new_bytearray(prim.pointer(self.data), pos, size)

    def text(self, size: int) -> str:
        """A UTF-8 payload of `size` bytes; lone surrogates pass, as they do in pickle."""
        if self.asides and self.at in self.asides:
            kept: str = self._pass_aside(size)
            return kept
        pos = self.pos
        if size > self.end - pos:
            self._need(size)
        self.pos = pos + size
        return self._utf8(self.data[pos : pos + size])

    def _pass_aside(self, size: int) -> Any:
        """The payload kept aside for this opcode: `data` has a gap here that the file and its frames have not."""
        self.shift += size
        if self._frame_end >= 0:
            self._frame_end -= size
            self._limit_to_frame()
        return (self.asides or {})[self.at]

    def _utf8(self, raw: bytes | bytearray) -> str:
        try:
            return str(raw, "utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            self._fail(f"text is not UTF-8: {error.reason} at its byte {error.start}")

    def long(self, size: int) -> int:
        """An integer of `size` bytes in two's complement, little-endian."""
        return int.from_bytes(self.take(size), "little", signed=True)

    # -- Lines -------------------------------------------------------------------------------------------------------

    def line(self) -> bytes:
        """The bytes up to the next newline, which is passed over.  A line never crosses the end of a frame."""
        pos = self.pos
        stop = self.data.find(b"\n", pos, self.end)
        if stop < 0:
            stop = self._find_newline()
        self.pos = stop + 1
        return bytes(self.data[pos:stop])

    def _find_newline(self) -> int:
        searched = self.end
        while True:
            self._need(searched + 1 - self.pos)
            stop = self.data.find(b"\n", searched, self.end)
            if stop >= 0:
                return stop
            searched = self.end

    def decimal(self, suffix: bool = False) -> int:
        """An integer as decimal text, `-?[0-9]+` without needless zeros; with `suffix`, an L may follow."""
        text = self.line()
        return self._integer(text[:-1] if suffix and text.endswith(b"L") else text)

    def int_or_bool(self) -> int:
        """INT's argument: `00` and `01` are the booleans of old protocols, everything else is a decimal integer."""
        text = self.line()
        if text == b"00":
            return False
        if text == b"-0":  # C `_pickle` takes any two characters that make 0 or 1 for a boolean; its siblings do not
            self._fail_here("not a decimal integer: '-0'")
        return True if text == b"01" else self._integer(text)

    def _integer(self, text: bytes) -> int:
        digits = text[1:] if text.startswith(b"-") else text
        if not digits.isdigit():
            self._not_a_number(f"not a decimal integer: {_shown(text)}", text)
        if len(digits) > self.integer_digits:
            raise LimitExceeded(
                f"an integer of {len(digits):,} digits; the limit integer_digits is {self.integer_digits:,}",
                position=self.position,
                opcode=self._opcode_name(),
            )
        if digits[0] == 0x30 and len(digits) > 1:
            self._fail_here(f"a decimal integer with leading zeros: {_shown(text)}")
        try:
            return int(text)
        except ValueError as error:  # the interpreter's own limit is tighter than ours
            raise LimitExceeded(str(error), position=self.position, opcode=self._opcode_name()) from None

    def index(self) -> int:
        """A memo index as decimal text, `[0-9]+`."""
        text = self.line()
        if not text.isdigit() or len(text) > _LONGEST_INDEX:
            self._not_a_number(f"not a memo index: {_shown(text)}", text)
        return int(text)

    def float_text(self) -> float:
        """A float as `repr` writes it."""
        text = self.line()
        number = text[1:] if text.startswith(b"-") else text
        plain = number[:1].isdigit() and number[-1:].isdigit() and not number.strip(b"0123456789.+-eE")
        if plain or number in (b"inf", b"nan"):
            try:
                return float(text)
            except ValueError:
                pass
        self._not_a_number(f"not a float: {_shown(text)}", text)

    def quoted(self) -> bytes:
        """A quoted and escaped 8-bit string."""
        text = self.line()
        if len(text) < 2 or text[0] != text[-1] or text[0] not in b"\"'":
            self._fail("the STRING opcode argument must be quoted")
        try:
            return escape_decode(text[1:-1])[0]  # type: ignore[arg-type,return-value,unused-ignore]
        except (ValueError, Warning):  # their texts quote the stream
            self._fail("bad escape in a STRING argument")

    def escaped(self) -> str:
        """Raw-unicode-escaped text."""
        try:
            return raw_unicode_escape_decode(self.line())[0]
        except UnicodeDecodeError as error:
            self._fail(f"bad escape in a UNICODE argument: {error.reason}")

    def name_line(self) -> str:
        """One line of a GLOBAL or INST: UTF-8, not empty."""
        text = self.line()
        if not text:
            self._fail("pickle data was truncated")
        try:
            return str(text, "utf-8")
        except UnicodeDecodeError:
            self._fail("a module or name that is not UTF-8")

    def two_lines(self) -> tuple[str, str]:
        """The module and the qualified name of a GLOBAL or INST."""
        module = self.name_line()
        return module, self.name_line()

    def persistent_id_line(self) -> str:
        """The argument of PERSID."""
        try:
            return str(self.line(), "ascii")
        except UnicodeDecodeError:
            self._fail("persistent IDs in protocol 0 must be ASCII strings")

    # -- Whole instructions ------------------------------------------------------------------------------------------

    def instruction(self) -> tuple[int, Any]:
        """The next opcode byte and its decoded argument, None where it has none; frames are entered and left.

        8-bit strings are returned as bytes, since their encoding is the loader's choice.
        """
        code = self.opcode()
        row = op.BY_CODE.get(code)
        if row is None:
            self.unknown_opcode(code)
        if code == op.FRAME:
            self.frame()
            end = self._frame_end if self._frame_end >= 0 else self.pos
            return code, end - self.pos
        if code == op.STOP:
            self.stop()
        return code, _ARGUMENTS[row.argument](self)

    def literal(self, at: int) -> Any:
        """The decoded argument of the instruction at `at`, which has been read before; the cursor stays."""
        if not 0 <= at < self._available:
            raise IndexError("no instruction begins there")
        saved = self.pos, self.at, self.end, self.shift, self._frame_end
        self.pos = at + 1
        self.at = at
        self.end = self._available
        try:
            row = op.BY_CODE[self.data[at]]
            if row.code == op.NEWTRUE or row.code == op.NEWFALSE:
                return row.code == op.NEWTRUE
            if row.code == op.INT:
                return self.int_or_bool()
            return _ARGUMENTS[row.argument](self)
        finally:
            self.pos, self.at, self.end, self.shift, self._frame_end = saved

    def unknown_opcode(self, code: int) -> NoReturn:
        """Refuse a byte that is no opcode, in pickle's words."""
        shown = f"'{chr(code)}'" if 0x20 <= code < 0x7F and code not in b"'\\" else f"'\\x{code:02x}'"
        self._fail(f"invalid load key, {shown}.")


#: As many characters as a number may have that some reader takes: of a longer text it is not asked, but said to be one.
_LONGEST_ASKED: Final = 1000


def _is_a_number_elsewhere(text: bytes) -> bool:
    """Whether some reader of pickles may take a line for a number: C stops at a zero byte, Python takes underscores."""
    number = text.split(b"\0", 1)[0].strip().rstrip(b"L")
    if not number:
        return b"\0" in text
    if len(number) > _LONGEST_ASKED:
        return not number.strip(b"0123456789abcdefABCDEFxX_+-.")
    for read in (lambda: int(number, 0), lambda: int(number), lambda: float(number)):
        try:
            read()
        except ValueError:
            continue
        return True
    return False


def _shown(text: bytes) -> str:
    """A line that is refused, told by its length alone: errors and the log carry no payload."""
    return f"a line of {len(text):,} bytes"


_ARGUMENTS: Final[dict[str, Callable[[Reader], Any]]] = {
    op.NO_ARGUMENT: lambda _reader: None,
    op.UINT1: lambda reader: reader.uint1(),
    op.UINT2: lambda reader: reader.uint2(),
    op.INT4: lambda reader: reader.int4(),
    op.UINT4: lambda reader: reader.uint4(),
    op.UINT8: lambda reader: reader.uint8(),
    op.FLOAT8: lambda reader: reader.float8(),
    op.DECIMAL_LINE: lambda reader: _DECIMALS[reader.data[reader.at]](reader),
    op.FLOAT_LINE: lambda reader: reader.float_text(),
    op.QUOTED_LINE: lambda reader: reader.quoted(),
    op.ESCAPED_LINE: lambda reader: reader.escaped(),
    op.TEXT_LINE: lambda reader: reader.persistent_id_line(),
    op.TWO_LINES: lambda reader: reader.two_lines(),
    op.BYTES1: lambda reader: reader.take(reader.uint1()),
    op.BYTES4: lambda reader: reader.take(reader.uint4()),
    op.BYTES8: lambda reader: reader.take(reader.uint8()),
    op.STRING1: lambda reader: reader.take(reader.uint1()),
    op.STRING4: lambda reader: reader.take(reader.length4("BINSTRING")),
    op.UTF8_1: lambda reader: reader.text(reader.uint1()),
    op.UTF8_4: lambda reader: reader.text(reader.uint4()),
    op.UTF8_8: lambda reader: reader.text(reader.uint8()),
    op.LONG1_: lambda reader: reader.long(reader.uint1()),
    op.LONG4_: lambda reader: reader.long(reader.length4("LONG")),
    op.BYTEARRAY8_: lambda reader: reader.take_bytearray(reader.uint8()),
}

# The decimal lines differ by opcode: INT also spells booleans, LONG may end in L, the memo's take no sign.
_DECIMALS: Final[dict[int, Callable[[Reader], Any]]] = {
    op.INT: lambda reader: reader.int_or_bool(),
    op.LONG: lambda reader: reader.decimal(suffix=True),
    op.GET: lambda reader: reader.index(),
    op.PUT: lambda reader: reader.index(),
}


class FileReader(Reader):
    """A cursor over a file that is fetched as it is read.

    `close()` must be called once reading is over, however it ended: it gives back what was read ahead, so that the
    file's position is behind the last byte taken.
    """

    __slots__ = ("_ahead", "_byte_limit", "_file", "_mode", "_origin", "_size")

    _EXACT, _PEEK, _SEEK = range(3)

    def __init__(
        self, file: Any, *, integer_digits: int = DEFAULTS.integer_digits, byte_limit: int | None = None
    ) -> None:
        Reader.__init__(self, b"", integer_digits=integer_digits)
        self.data: bytearray = bytearray()
        self.asides: dict[int, Any] = {}
        self._file = file
        self._byte_limit = byte_limit
        self._ahead = 0  # how many bytes of `data`, at its end, are only peeked at
        self._origin = 0
        self._size = _FIRST_READ
        self._mode = self._EXACT
        can_peek = callable(getattr(file, "peek", None))
        if _goes_back_cheaply(file) or (not can_peek and _seekable(file)):
            self._mode = self._SEEK
            self._origin = file.tell()
        elif can_peek:
            self._mode = self._PEEK

    def _fetch(self, size: int) -> bool:
        self._allow(size)
        missing = size - (self._available - self.pos)
        while missing > 0:
            added = self._read_some(missing)
            if not added:
                break
            missing -= added
        self._limit_to_frame()
        return missing <= 0

    def _read_some(self, missing: int) -> int:
        """Add at least one byte to `data`, at most what can be given back; 0 at the end of the file."""
        if self._mode == self._SEEK:
            chunk = self._read(min(max(missing, self._size), _LARGEST_READ))
            self._size = min(self._size * 2, _LARGEST_READ)
        elif self._mode == self._PEEK:
            self._settle_peek()
            try:
                chunk = self._file.peek(1)
            except NotImplementedError:  # what pickle takes for having no peek
                self._mode = self._EXACT
                return self._read_some(missing)
            if not isinstance(chunk, bytes):
                raise TypeError(f"peek() returned {type(chunk).__name__}, not bytes")
            if not chunk:  # a file may peek at nothing and still read: ask it for what is surely part of the pickle
                chunk = self._read(min(missing, _LARGEST_READ))
            else:  # a peek may show far more than a small pickle needs: what is given back costs time as well
                chunk = bytes(memoryview(chunk)[: max(missing, self._size)])  # whatever a subclass of bytes would say
                self._size = min(self._size * 2, _LARGEST_READ)
                self._ahead = len(chunk)
        elif self._frame_end > self._available:
            # All of the frame belongs to the pickle, so reading that far takes nothing that must be given back.
            chunk = self._read(min(self._frame_end - self._available, _LARGEST_READ))
        elif missing > 1:
            chunk = self._read(min(missing, _LARGEST_READ))
        else:
            chunk = self._read(1)
        self.data += chunk
        self._available += len(chunk)
        return len(chunk)

    def _read(self, size: int) -> bytes:
        chunk = self._file.read(size)
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise TypeError(f"read() returned {type(chunk).__name__}, not bytes")
        taken = bytes(chunk)  # first: a subclass may say of itself that it is shorter
        if len(taken) > size:
            raise ValueError(f"read() returned {len(taken) - size} bytes more than requested ({size})")
        return taken

    def _settle_peek(self) -> None:
        """Take from the file what was only peeked at so far: all of it is wanted now."""
        if self._ahead:
            wanted, self._ahead = self._ahead, 0
            taken = self._read(wanted)
            if taken != self.data[self._available - wanted :]:
                raise MalformedStream("the file's read() gave other bytes than its peek()", position=self.position)

    def _find_newline(self) -> int:
        if self._mode != self._EXACT:
            return Reader._find_newline(self)
        searched = self.pos
        while True:
            if self._frame_end >= 0:
                return Reader._find_newline(self)
            stop = self.data.find(b"\n", searched)
            if stop >= 0:
                return stop
            searched = self._available
            chunk = self._file.readline()
            if not isinstance(chunk, (bytes, bytearray)):
                raise TypeError(f"readline() returned {type(chunk).__name__}, not bytes")
            if not chunk:
                self._fail("pickle data was truncated")
            self.data += chunk
            self._available = len(self.data)  # a subclass may say of itself that it is longer
            self._allow(self._available - self.pos)
            self._limit_to_frame()

    def _allow(self, size: int) -> None:
        """Check that `size` more bytes keep this pickle within the limit, before they are waited for or held."""
        if self._byte_limit is not None and size > self._byte_limit - self.consumed:
            raise LimitExceeded(
                f"the pickle is too long; the limit bytes is {self._byte_limit:,}",
                position=self.position,
                opcode=self._opcode_name(),
            )

    # -- Large payloads ----------------------------------------------------------------------------------------------

    def skip(self, size: int) -> None:
        """Pass over a payload of `size` bytes; a large one is kept aside as bytes."""
        if size < LARGE:
            Reader.skip(self, size)
        elif not self._has_aside():
            self._keep(self._large(size), size)

    def skip_bytearray(self, size: int) -> None:
        """Pass over a payload that becomes a bytearray; a large one is kept aside as that."""
        if size < LARGE:
            Reader.skip(self, size)
        elif not self._has_aside():
            self._keep(self._large_bytearray(size), size)

    def text(self, size: int) -> str:
        """A UTF-8 payload of `size` bytes; a large one is kept aside, decoded."""
        if size < LARGE:
            return Reader.text(self, size)
        if not self._has_aside():
            self._keep(self._utf8(self._large(size)), size)
        kept: str = self.asides[self.at]
        return kept

    def take(self, size: int) -> bytes:
        """A payload of `size` bytes; a large one is kept aside."""
        self.skip(size)
        if self._has_aside():
            kept: bytes = self.asides[self.at]
            return kept
        return bytes(self.data[self.pos - size : self.pos])

    def take_bytearray(self, size: int) -> bytearray:
        """A payload of `size` bytes as a bytearray; a large one is kept aside."""
        self.skip_bytearray(size)
        if self._has_aside():
            kept: bytearray = self.asides[self.at]
            return kept
        return bytearray(self.data[self.pos - size : self.pos])

    def _has_aside(self) -> bool:
        return self.at in self.asides

    def _keep(self, payload: Any, size: int) -> None:
        self.asides[self.at] = payload
        self.shift += size
        if self._frame_end >= 0:
            self._frame_end -= size
        self._limit_to_frame()

    def _start_large(self, size: int) -> bytes:
        """What is already here of a payload of `size` bytes, taken out of `data`; the file stands behind it."""
        if self._frame_end >= 0 and size > self._frame_end - self.pos:
            self._fail("pickle exhausted before end of frame")
        self._allow(size)
        pos = self.pos
        data = self.data
        if self._mode == self._SEEK and self._available > pos:
            # What was read ahead is given back rather than copied: the payload then comes in one piece.
            self._file.seek(self._origin + self.shift + pos)
            del data[pos:]
            self._available = pos
        elif self._mode == self._PEEK and self._ahead:
            self._give_back_peek()
        here = bytes(data[pos : pos + size])
        del data[pos : pos + size]
        self._available -= len(here)
        return here

    def _give_back_peek(self) -> None:
        taken = max(0, self.pos - (self._available - self._ahead))
        wanted = bytes(self.data[self._available - self._ahead :])
        if taken and self._read(taken) != wanted[:taken]:
            raise MalformedStream("the file's read() gave other bytes than its peek()", position=self.position)
        dropped = self._ahead - taken
        self._ahead = 0
        if dropped:
            del self.data[self._available - dropped :]
            self._available -= dropped

    def _room(self) -> int | None:
        """How many bytes a seekable file still has, or None where only reading tells."""
        if self._mode != self._SEEK:
            return None
        here = self._file.tell()
        end = self._file.seek(0, 2)
        self._file.seek(here)
        return int(end) - int(here)

    def _large(self, size: int) -> bytes:
        pieces = [self._start_large(size)]
        missing = size - len(pieces[0])
        room = self._room()
        if room is not None and room < missing:
            self._fail("pickle data was truncated")
        # Where the file cannot say how much it has, each read asks for at most as much again as has come so far.
        most = missing if room is not None else LARGE
        while missing:
            piece = self._read(min(missing, most))
            if not piece:
                self._fail("pickle data was truncated")
            pieces.append(piece)
            missing -= len(piece)
            most = missing if room is not None else max(LARGE, size - missing)
        return pieces[1] if len(pieces) == 2 and not pieces[0] else b"".join(pieces)

    def _large_bytearray(self, size: int) -> bytearray:
        readinto = getattr(self._file, "readinto", None)
        if readinto is None or self._room() is None:
            return bytearray(self._large(size))
        here = self._start_large(size)
        done = len(here)
        room = self._room()
        if room is not None and room < size - done:
            self._fail("pickle data was truncated")
        payload = bytearray(size)
        payload[:done] = here
        with memoryview(payload) as view:
            while done < size:
                with view[done:] as rest:
                    count = readinto(rest)
                if not count or count < 0 or count > size - done:
                    self._fail("pickle data was truncated")
                done += count
        return payload

    # -- The end -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Leave the file's position behind the last byte taken."""
        if self._mode == self._SEEK:
            if self._available > self.pos:
                self._file.seek(self._origin + self.consumed)
        elif self._mode == self._PEEK and self._ahead:
            self._give_back_peek()

    def taken(self) -> bytes:
        """The bytes taken so far, without the payloads kept aside."""
        return bytes(memoryview(self.data)[: self.pos])


def _goes_back_cheaply(file: Any) -> bool:
    """Whether this is a file that gives back what was read ahead at no cost.

    Others that can seek may start again from their beginning to go back one byte, as decompressing ones do.
    """
    buffered = type(file) is BufferedReader or type(file) is BufferedRandom
    return (type(file.raw) is FileIO if buffered else type(file) in (BytesIO, FileIO)) and _seekable(file)


def _seekable(file: Any) -> bool:
    if not callable(getattr(file, "seek", None)) or not callable(getattr(file, "tell", None)):
        return False
    try:
        return bool(file.seekable())
    except (AttributeError, OSError, ValueError):
        return False
