"""Opcodes, their arguments and framing: the inverse of the reader, and the only code that lays out bytes.

One method per kind of thing a pickle can hold.  A method picks the shortest opcode its protocol has for that thing and
appends it; nothing is ever rewritten but the header of the frame that is still open.

Rules:

* It knows opcodes, not objects: what is memoized, in which order things are saved and what a class is are the
  pickler's business.  It imports the opcode table and the exception it raises, nothing else of the package.
* Bytes are those of C `_pickle`.  Where C and `pickle.py` differ (what is written in one call, which payloads
  leave the frame), C wins.
* Frames as in PEP 3154: one ends once it has reached 64 KiB, and since it may not end inside an opcode it ends at the
  start of the next object.  A frame is opened eagerly, with room for its header; one that stays shorter than 4 bytes
  loses the header again, so opening early costs nothing.
* Payloads of 64 KiB and more stand outside of frames.  Written to a file they are handed over as they are, without a
  copy; collected in memory they are copied once, when the parts are joined.

A writer is started, filled and finished once per pickle; `start` forgets whatever an unfinished one left behind.
"""

from __future__ import annotations

from struct import Struct
from sys import maxsize

from safepickle.hints import Any, Callable, Final

from . import dumping
from .dumping import encode_long
from .errors import PicklingError
from .opcodes import (
    BINBYTES,
    BINBYTES8,
    BINFLOAT,
    BINGET,
    BININT,
    BININT1,
    BININT2,
    BINPERSID,
    BINPUT,
    BINUNICODE,
    BINUNICODE8,
    BYTEARRAY8,
    DICT,
    EMPTY_DICT,
    EMPTY_LIST,
    EMPTY_TUPLE,
    EXT1,
    EXT2,
    EXT4,
    LIST,
    LONG1,
    LONG4,
    LONG_BINGET,
    LONG_BINPUT,
    MARK,
    MEMOIZE,
    NEWFALSE,
    NEWTRUE,
    NEXT_BUFFER,
    NONE,
    PERSID,
    POP,
    POP_MARK,
    PROTO,
    READONLY_BUFFER,
    SHORT_BINBYTES,
    SHORT_BINUNICODE,
    STOP,
    TUPLE,
    TUPLE1,
    TUPLE2,
    TUPLE3,
)

FRAME_SIZE_MIN: Final = 4  # a shorter frame is written without its header
FRAME_SIZE_TARGET: Final = 64 * 1024  # a frame that has reached this size ends before the next object
FRAME_HEADER_SIZE: Final = 9

# The same for compiled code, where a number of C is not a name that others can import.
_TARGET: Final = FRAME_SIZE_TARGET
_HEADER: Final = FRAME_HEADER_SIZE
_STAGED: Final = dumping.STAGED
_SHORTEST: Final = FRAME_SIZE_MIN

# Where the open frame begins in the buffer; else one of these.
_NO_FRAME: Final = -1
_IN_PARTS: Final = -2  # it began before what is in the buffer

_UINT4_MAX: Final = 0xFFFFFFFF
_INT4_MAX: Final = 0x7FFFFFFF
_INT4_MIN: Final = -0x80000000

# The two-byte openings of the commonest opcodes, by the value of their argument.
_BININT1_BYTES: Final = tuple(bytes((BININT1, value)) for value in range(256))

_pack_uint2: Final = Struct("<BH").pack
_pack_uint4: Final = Struct("<BI").pack
_pack_int4: Final = Struct("<Bi").pack
_pack_uint8: Final = Struct("<BQ").pack
_pack_float8: Final = Struct(">Bd").pack

_TUPLES: Final = (EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3)

# What raw-unicode-escape leaves alone but a line of protocol 0 cannot hold; \x1a ends a text file on DOS.
_LINE_ESCAPES: Final = {code: f"\\u{code:04x}" for code in (0x00, 0x0A, 0x0D, 0x1A, 0x5C)}


class Writer:
    """Appends the opcodes of one pickle at a time to a buffer and passes them on.

    `protocol` is 0 to 5.  `bin` is true where protocol 1 and later are; the pickler's attribute of the same name may
    change it.  `buffer` and `frame_full` are public for the pickler's boundary test alone:
    `if len(writer.buffer) >= writer.frame_full: writer.boundary()` at the start of every object.
    """

    __slots__ = (
        "_frame_gone", "_frame_start", "_hole", "_parts", "_sink", "bin", "buffer", "frame_full", "protocol",
    )  # fmt: skip

    def __cinit__(self) -> None:
        """Compiled, there is no writer without its buffer and its parts, and none is given others."""
        self.buffer = bytearray()
        self._parts = dumping.new_parts()
        self._frame_gone = 0
        self._hole = 0
        self._sink: Callable[[Any], object] | None = None
        self.reset()

    def __init__(self, protocol: int) -> None:
        if not dumping.COMPILED:
            self.__cinit__()
        self.renew(protocol)
        self.reset()

    def __dealloc__(self) -> None:
        """Compiled, the parts are no object, so somebody has to free them; interpreted, this is never called."""
        dumping.free_parts(self._parts)

    def renew(self, protocol: int) -> None:
        """Write another protocol from the next pickle on."""
        self.protocol = protocol
        self.bin = protocol > 0

    # One pickle: start, boundaries, finish

    def start(self, sink: Callable[[Any], object] | None) -> None:
        """Begin a pickle; `sink` is a file's `write`, or None to have `finish` return the bytes."""
        self.reset()
        self._sink = sink
        if self.protocol >= 2:
            dumping.op1(self.buffer, PROTO, self.protocol)
        if self.protocol >= 4:
            self._open_frame()
        elif sink is None:
            self.frame_full = _TARGET

    def boundary(self) -> None:
        """End a frame that has reached its size: it leaves the buffer now.

        Protocols below 4 have no frames.  Collected in memory their bytes leave the buffer as often, to keep it short;
        a file is given them at once.
        """
        framed = self._frame_start != _NO_FRAME
        self._commit_frame()
        self._spill()
        if framed:
            self._open_frame()

    def finish(self) -> bytes:
        """Write STOP and the last frame.  Returns the pickle, or nothing when it went to a file."""
        dumping.op(self.buffer, STOP)
        self._commit_frame()
        if self._sink is not None:
            self._spill()
            return b""
        if not dumping.any_parts(self._parts):
            return dumping.taken(self.buffer)
        dumping.add_part(self._parts, self.buffer)
        return dumping.joined(self._parts)

    def reset(self) -> None:
        """Forget everything buffered."""
        dumping.restart(self.buffer)
        dumping.drop_parts(self._parts)
        self._sink = None
        self._frame_start = _NO_FRAME
        self.frame_full = maxsize

    def _open_frame(self) -> None:
        self._frame_start = len(self.buffer)
        dumping.skip(self.buffer, _HEADER)
        self.frame_full = len(self.buffer) + _TARGET

    def _commit_frame(self) -> None:
        start = self._frame_start
        if start == _NO_FRAME:
            return
        if start == _IN_PARTS:
            dumping.fill_hole(self._parts, self._hole, self._frame_gone + len(self.buffer))
        else:
            size = len(self.buffer) - start - _HEADER
            if size >= _SHORTEST:
                dumping.frame(self.buffer, start, size)
            else:
                dumping.unskip(self.buffer, start)
        self._frame_start = _NO_FRAME
        self.frame_full = maxsize

    def _spill(self) -> None:
        """Pass on what is buffered: to the file, or to the parts."""
        if self._sink is None:
            dumping.add_buffer(self._parts, self.buffer, -1)
        else:
            data = dumping.taken(self.buffer)
            dumping.restart(self.buffer)
            self._sink(data)

    def _payload(self, data: Any, size: int) -> None:
        """Write a payload within a frame; collected in memory, a longer one is copied but once."""
        if size < _STAGED or self._sink is not None:
            dumping.extend(self.buffer, data)
            return
        start = self._frame_start
        gone = len(self.buffer)
        if start >= 0:
            gone -= start + _HEADER
            self._hole = dumping.add_buffer(self._parts, self.buffer, start)
            self._frame_start = _IN_PARTS
            self._frame_gone = gone + size
        else:
            dumping.add_buffer(self._parts, self.buffer, -1)
            self._frame_gone += gone + size
        dumping.add_part(self._parts, data)
        if start != _NO_FRAME:
            self.frame_full = _TARGET - self._frame_gone

    def _large(self, header: bytes, data: Any, payload: object) -> None:
        """Write a payload outside of any frame; `data` are its bytes, `payload` what a file is given."""
        framed = self._frame_start != _NO_FRAME
        self._commit_frame()
        self.buffer += header
        self._spill()
        if self._sink is not None:
            self._sink(payload)
        else:
            dumping.add_part(self._parts, data)
        if framed:
            self._open_frame()

    # Opcodes without an argument

    def op(self, code: int) -> None:
        """Write an opcode that has no argument."""
        dumping.op(self.buffer, code)

    def none(self) -> None:
        """Push None."""
        dumping.op(self.buffer, NONE)

    def empty_list(self) -> None:
        """Push an empty list."""
        if self.bin:
            dumping.op(self.buffer, EMPTY_LIST)
        else:
            dumping.op(self.buffer, MARK)
            dumping.op(self.buffer, LIST)

    def empty_dict(self) -> None:
        """Push an empty dict."""
        if self.bin:
            dumping.op(self.buffer, EMPTY_DICT)
        else:
            dumping.op(self.buffer, MARK)
            dumping.op(self.buffer, DICT)

    def empty_tuple(self) -> None:
        """Push the empty tuple."""
        if self.protocol:
            dumping.op(self.buffer, EMPTY_TUPLE)
        else:
            dumping.op(self.buffer, MARK)
            dumping.op(self.buffer, TUPLE)

    def short_tuple(self, size: int) -> None:
        """Make a tuple of the 1 to 3 topmost values (protocol 2 and later)."""
        if not 0 <= size <= 3:
            raise ValueError(f"no opcode makes a tuple of {size}")
        self.buffer.append(_TUPLES[size])

    def drop(self, count: int) -> None:
        """Drop the `count` topmost values or marks, one by one."""
        self.buffer += bytes((POP,)) * count

    def drop_to_mark(self, count: int) -> None:
        """Drop the topmost mark and the `count` values above it, with POP_MARK where the protocol has it."""
        if self.bin:
            dumping.op(self.buffer, POP_MARK)
        else:
            self.drop(count + 1)

    def out_of_band(self, readonly: bool) -> None:
        """Refer to the next out-of-band buffer."""
        self.buffer.append(NEXT_BUFFER)
        if readonly:
            self.buffer.append(READONLY_BUFFER)

    # Numbers

    def boolean(self, value: bool) -> None:
        """Push True or False."""
        if self.protocol >= 2:
            dumping.op(self.buffer, NEWTRUE if value else NEWFALSE)
        else:
            # Readers older than bools took these texts for ints.
            self.buffer += b"I01\n" if value else b"I00\n"

    def integer(self, value: int) -> None:
        """Push an int of any size; OverflowError from 2**31 bytes on, ValueError as `repr` of a long one (0 and 1)."""
        if not _INT4_MIN <= value <= _INT4_MAX:
            self._long(value)
        elif not self.bin:
            self.buffer += b"I%d\n" % value
        elif 0 <= value <= 0xFF:
            self.buffer += _BININT1_BYTES[value]
        elif 0 <= value <= 0xFFFF:
            self.buffer += _pack_uint2(BININT2, value)
        else:
            self.buffer += _pack_int4(BININT, value)

    def _long(self, value: int) -> None:
        if self.protocol < 2:
            self.buffer += b"L%bL\n" % repr(value).encode("ascii")
            return
        data = encode_long(value)
        size = len(data)
        if size > _INT4_MAX:
            raise OverflowError("int too large to pickle")
        if size <= 0xFF:
            dumping.op1(self.buffer, LONG1, size)
        else:
            dumping.op4(self.buffer, LONG4, size)
        dumping.extend(self.buffer, data)

    def floating(self, value: float) -> None:
        """Push a float: eight bytes, or its `repr` in protocol 0."""
        if self.bin:
            self.buffer += _pack_float8(BINFLOAT, value)
        else:
            self.buffer += b"F%b\n" % repr(value).encode("ascii")

    # Text and bytes

    def text(self, value: str) -> None:
        """Push a str, lone surrogates included; OverflowError above 4 GiB below protocol 4."""
        if not self.bin:
            self.buffer += b"V%b\n" % value.translate(_LINE_ESCAPES).encode("raw-unicode-escape")
            return
        try:
            data = value.encode()
        except UnicodeEncodeError:
            data = value.encode("utf-8", "surrogatepass")
        size = len(data)
        if size <= 0xFF and self.protocol >= 4:
            dumping.op1(self.buffer, SHORT_BINUNICODE, size)
            dumping.extend(self.buffer, data)
        elif size < _TARGET:
            dumping.op4(self.buffer, BINUNICODE, size)
            self._payload(data, size)
        else:
            self._large(self._counted(size, BINUNICODE, BINUNICODE8, "string"), data, data)

    def byte_string(self, data: bytes | memoryview, payload: object) -> None:
        """Push bytes (protocol 3 and later); a large one reaches the file as `payload`, the object it came from."""
        size = len(data)
        if size <= 0xFF:
            dumping.op1(self.buffer, SHORT_BINBYTES, size)
            dumping.extend(self.buffer, data)
        elif size < _TARGET:
            dumping.op4(self.buffer, BINBYTES, size)
            self._payload(data, size)
        else:
            self._large(self._counted(size, BINBYTES, BINBYTES8, "bytes object"), data, payload)

    def byte_array(self, data: bytearray | memoryview, payload: object) -> None:
        """Push a bytearray (protocol 5); a large one reaches the file as `payload`, the object it came from."""
        size = len(data)
        header = _pack_uint8(BYTEARRAY8, size)
        if size < _TARGET:
            dumping.extend(self.buffer, header)
            self._payload(data, size)
        else:
            self._large(header, data, payload)

    def _counted(self, size: int, code: int, long_code: int, kind: str) -> bytes:
        if size <= _UINT4_MAX:
            return _pack_uint4(code, size)
        if self.protocol >= 4:
            return _pack_uint8(long_code, size)
        raise OverflowError(f"serializing a {kind} larger than 4 GiB requires pickle protocol 4 or higher")

    # The memo

    def put(self, index: int) -> None:
        """Store the top under `index`, which from protocol 4 on is implied: it is the size of the reader's memo."""
        if self.protocol >= 4:
            dumping.op(self.buffer, MEMOIZE)
        elif not self.bin:
            self.buffer += b"p%d\n" % index
        elif index <= 0xFF:
            dumping.op1(self.buffer, BINPUT, index)
        elif index <= _UINT4_MAX:
            dumping.op4(self.buffer, LONG_BINPUT, index)
        else:
            raise PicklingError("memo id too large for LONG_BINPUT")

    def get(self, index: int) -> None:
        """Push the memo entry `index`."""
        if not self.bin:
            self.buffer += b"g%d\n" % index
        elif index <= 0xFF:
            dumping.op1(self.buffer, BINGET, index & 0xFF)  # a memo set by hand may hold a negative index
        elif index <= _UINT4_MAX:
            dumping.op4(self.buffer, LONG_BINGET, index)
        else:
            raise PicklingError("memo id too large for LONG_BINGET")

    # Names

    def global_name(self, module: str, name: str) -> None:
        """Write GLOBAL; PicklingError where the protocol cannot spell a name (only protocol 3 has UTF-8)."""
        encoding = "utf-8" if self.protocol == 3 else "ascii"
        self.buffer += b"c%b\n%b\n" % (
            self._identifier(module, encoding, "module"),
            self._identifier(name, encoding, "global"),
        )

    def _identifier(self, name: str, encoding: str, kind: str) -> bytes:
        try:
            return name.encode(encoding)
        except UnicodeEncodeError:
            message = f"can't pickle {kind} identifier '{name}' using pickle protocol {self.protocol}"
            raise PicklingError(message) from None

    def extension(self, code: int) -> None:
        """Write the code of an extension registry entry, 1 to 2**31-1."""
        if code <= 0xFF:
            self.buffer.append(EXT1)
            dumping.op(self.buffer, code)
        elif code <= 0xFFFF:
            self.buffer += _pack_uint2(EXT2, code)
        else:
            self.buffer += _pack_int4(EXT4, code)

    def persistent_id(self) -> None:
        """Take the top for a persistent ID (protocol 1 and later)."""
        dumping.op(self.buffer, BINPERSID)

    def persistent_line(self, text: str) -> None:
        """Write a persistent ID as text (protocol 0); PicklingError if it is not ASCII."""
        if not text.isascii():
            raise PicklingError("persistent IDs in protocol 0 must be ASCII strings")
        self.buffer.append(PERSID)
        self.buffer += b"%b\n" % text.encode("ascii")
