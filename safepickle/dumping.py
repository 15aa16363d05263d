"""The innermost of `dumps`: appending to a bytearray, and the memo of a pickler.

The writer and the pickler call these functions as `dumping.f`.  Interpreted, they get those of this file; compiled,
those of the same names in `dumping.h`, through `_dumping.pxd`.  This file is what they mean.

Rules:

* What stands here is called for most objects of most pickles; everything rarer is the writer's.  `atom` above all: it
  writes a whole value, memo and all, in one call, because calls are what an interpreted pickler spends its time on.
* A function that may leave its task to the caller returns 0 for "nothing was done", 1 for "written".
* Nothing here calls a method of an object that is pickled.
* It knows no frames but their header: the caller says up to which length of the buffer `atom` may begin a value.
"""

from __future__ import annotations

from struct import Struct

from safepickle.hints import Any, Final

from .opcodes import (
    BINBYTES,
    BINFLOAT,
    BINGET,
    BININT,
    BININT1,
    BININT2,
    BINPUT,
    BINUNICODE,
    FRAME,
    LONG1,
    LONG_BINGET,
    LONG_BINPUT,
    MEMOIZE,
    NEWFALSE,
    NEWTRUE,
    NONE,
    SHORT_BINBYTES,
    SHORT_BINUNICODE,
)

# A payload from this size on need not pass through the buffer.  Interpreted, the calls that go round it take longer
# than the copy, so that none does: larger ones stand outside of frames anyway.  In C it is less.
STAGED: Final = 64 * 1024
COMPILED: Final[bool] = False
ABSENT: Final = -1 << 63  # what `find` returns: no index that a C size can hold is smaller

_UINT4_MAX: Final = 0xFFFFFFFF

# The openings of the commonest opcodes, by the value of their argument.
_BININT1_BYTES: Final = tuple(bytes((BININT1, value)) for value in range(256))
_BINGET_BYTES: Final = tuple(bytes((BINGET, value)) for value in range(256))
_BINPUT_BYTES: Final = tuple(bytes((BINPUT, value)) for value in range(256))
_SHORT_TEXT_HEADERS: Final = tuple(bytes((SHORT_BINUNICODE, size)) for size in range(256))
_SHORT_BYTES_HEADERS: Final = tuple(bytes((SHORT_BINBYTES, size)) for size in range(256))

_pack_uint2: Final = Struct("<BH").pack
_pack_uint4: Final = Struct("<BI").pack
_pack_int4: Final = Struct("<Bi").pack
_pack_float8: Final = Struct(">Bd").pack
_pack_frame: Final = Struct("<BQ").pack
_pack_frame_header: Final = Struct("<BQ").pack_into

# By `id`, the index and the object itself: held here, so that its `id` is not another's meanwhile.
Memo = dict[int, tuple[int, Any]]

# What has left the buffer.
Parts = list[bytes]


def is_class(obj: Any) -> bool:
    """Whether `obj` is a class, and does not only say so of itself."""
    return issubclass(type(obj), type)


# The buffer


def encode_long(value: int) -> bytes:
    """The shortest little-endian two's complement of `value`, as LONG1 and LONG4 want it; nothing for zero."""
    if value == 0:
        return b""
    size = (value.bit_length() >> 3) + 1
    data = value.to_bytes(size, "little", signed=True)
    # -(2**(8*n-1)) is its own complement: it has the right sign bit without the extra byte.
    last = size - 1  # compiled code does not count from the end
    if value < 0 and last > 0 and data[last] == 0xFF and data[last - 1] & 0x80:
        return data[:last]
    return data


def is_readonly(buffer: Any) -> bool:
    """Whether a PickleBuffer may not be written to; BufferError if it is not contiguous, ValueError if released."""
    with buffer.raw() as view:
        readonly: bool = view.readonly
    return readonly


def op(buffer: bytearray, code: int) -> None:
    """Append an opcode that has no argument."""
    buffer.append(code)


def op1(buffer: bytearray, code: int, value: int) -> None:
    """Append an opcode with an argument of one byte."""
    buffer.append(code)
    buffer.append(value)


def op4(buffer: bytearray, code: int, value: int) -> None:
    """Append an opcode with an argument of four bytes."""
    buffer += _pack_uint4(code, value)


def extend(buffer: bytearray, data: Any) -> None:
    """Append what a bytes-like object holds."""
    buffer += data


def skip(buffer: bytearray, size: int) -> None:
    """Append `size` bytes, to be written later."""
    buffer += bytes(size)


def frame(buffer: bytearray, start: int, size: int) -> None:
    """Write the header of a frame of `size` bytes into the nine bytes from `start` on; IndexError if there are none."""
    if not 0 <= start <= len(buffer) - 9:
        raise IndexError("no room for the header of a frame")
    _pack_frame_header(buffer, start, FRAME, size)


def unskip(buffer: bytearray, start: int) -> None:
    """Take these nine bytes away again."""
    if not 0 <= start <= len(buffer) - 9:
        raise IndexError("no room for the header of a frame")
    del buffer[start : start + 9]


def taken(buffer: bytearray) -> bytes:
    """What the buffer holds, as bytes."""
    return bytes(buffer)


def restart(buffer: bytearray) -> None:
    """Empty the buffer."""
    buffer.clear()


# What has left the buffer


def new_parts() -> Parts:
    """No parts yet."""
    return []


def free_parts(parts: Parts) -> None:
    """Let go of parts that are not used any more."""
    parts.clear()


def drop_parts(parts: Parts) -> None:
    """Forget all parts."""
    parts.clear()


def any_parts(parts: Parts) -> bool:
    """Whether there are any."""
    return bool(parts)


def add_part(parts: Parts, data: Any) -> None:
    """Add a copy of what a bytes-like object holds now."""
    parts.append(bytes(data))


def add_buffer(parts: Parts, buffer: bytearray, start: int) -> int:
    """Add what is in the buffer, and empty it.

    If a frame's header has its place at `start`, the rest of the frame may follow: the place for `fill_hole` is
    returned.  A negative `start` says that there is none.
    """
    hole = 0
    if start >= 0:
        parts.append(bytes(buffer[:start]))
        hole = len(parts)
        parts.append(b"")
        start += 9
    else:
        start = 0
    parts.append(bytes(buffer[start:]))
    buffer.clear()
    return hole


def fill_hole(parts: Parts, hole: int, size: int) -> None:
    """Write the header of a frame of `size` bytes where it was left out."""
    parts[hole] = _pack_frame(FRAME, size)


def joined(parts: Parts) -> bytes:
    """All parts as one; afterwards there are none."""
    data = b"".join(parts)
    parts.clear()
    return data


# The memo


def new_memo() -> Memo:
    """An empty memo."""
    return {}


def free_memo(memo: Memo) -> None:
    """Let go of a memo that is not used any more."""
    memo.clear()


def clear(memo: Memo) -> None:
    """Forget all objects."""
    memo.clear()


def size(memo: Memo) -> int:
    """How many objects are in the memo."""
    return len(memo)


def find(memo: Memo, obj: Any) -> int:
    """The index of `obj`, or ABSENT."""
    entry = memo.get(id(obj))
    return ABSENT if entry is None else entry[0]


def set_index(memo: Memo, obj: Any, index: int) -> None:
    """Put `obj` into the memo under an index of the caller's."""
    memo[id(obj)] = (index, obj)


def remember(memo: Memo, obj: Any) -> int:
    """Put `obj` into the memo and return its index.

    An object may come to be here twice: its new index then replaces the old one, and the size stays.
    """
    index = len(memo)
    memo[id(obj)] = (index, obj)
    return index


def as_dict(memo: Memo) -> dict[int, tuple[int, Any]]:
    """A copy: `id(obj)` to `(index, obj)`."""
    return memo.copy()


def hand_over(_memo: Memo, _keeper: list[Any]) -> None:
    """Move the references to where the garbage collector sees them; it sees those of a dict."""


# The memo and the buffer: binary protocols only


def again(buffer: bytearray, memo: Memo, obj: Any, binary: bool) -> int:
    """Push what was written before: 0 if `obj` was not, 2 if its index is one for the writer's `get`."""
    entry = memo.get(id(obj))
    if entry is None:
        return 0
    if not binary:
        return 2
    index = entry[0]
    if index <= 0xFF:
        buffer += _BINGET_BYTES[index & 0xFF]  # a memo set by hand may hold a negative index
    elif index <= _UINT4_MAX:
        buffer += _pack_uint4(LONG_BINGET, index)
    else:
        return 2
    return 1


def keep(buffer: bytearray, memo: Memo, obj: Any, protocol: int) -> None:
    """Remember `obj`, which the reader has on top of its stack, and have the reader remember it."""
    index = len(memo)
    memo[id(obj)] = (index, obj)
    if protocol >= 4:
        buffer.append(MEMOIZE)
    elif index <= 0xFF:
        buffer += _BINPUT_BYTES[index]
    else:
        buffer += _pack_uint4(LONG_BINPUT, index)


# Values that contain no others


def atom(buffer: bytearray, memo: Memo, obj: Any, limit: int, protocol: int) -> int:  # noqa: C901, PLR0911, PLR0912, PLR0915  # flat: it is hot
    """Write a str, int, float, None, bool or bytes object in a binary protocol.

    Left to the caller: other types, payloads of STAGED bytes and more, ints of more than eight bytes (below protocol
    2, of more than four), lone surrogates, bools below protocol 2, bytes below protocol 3, memo indexes of more than
    four bytes, and everything once the buffer has reached `limit`, which is where a frame ends.
    """
    if len(buffer) >= limit:
        return 0
    kind = type(obj)
    if kind is str:
        entry = memo.get(id(obj))
        if entry is None:
            try:
                data = obj.encode()
            except UnicodeEncodeError:
                return 0
            length = len(data)
            if length <= 0xFF and protocol >= 4:
                buffer += _SHORT_TEXT_HEADERS[length]
            elif length < STAGED:
                buffer += _pack_uint4(BINUNICODE, length)
            else:
                return 0
            buffer += data
            memo[id(obj)] = (len(memo), obj)
            if protocol >= 4:
                buffer.append(MEMOIZE)
                return 1
        else:
            index = entry[0]
            if index <= 0xFF:
                buffer += _BINGET_BYTES[index & 0xFF]
            elif index <= _UINT4_MAX:
                buffer += _pack_uint4(LONG_BINGET, index)
            else:
                return 0
            return 1
    elif kind is int:
        if 0 <= obj <= 0xFF:
            buffer += _BININT1_BYTES[obj]
        elif 0 <= obj <= 0xFFFF:
            buffer += _pack_uint2(BININT2, obj)
        elif -0x80000000 <= obj <= 0x7FFFFFFF:
            buffer += _pack_int4(BININT, obj)
        elif -1 << 63 <= obj < 1 << 63 and protocol >= 2:
            data = encode_long(obj)
            buffer.append(LONG1)
            buffer.append(len(data))
            buffer += data
        else:
            return 0
        return 1
    elif kind is float:
        buffer += _pack_float8(BINFLOAT, obj)
        return 1
    elif obj is None:
        buffer.append(NONE)
        return 1
    elif kind is bool:
        if protocol < 2:
            return 0
        buffer.append(NEWTRUE if obj else NEWFALSE)
        return 1
    elif kind is bytes and protocol >= 3:
        done = again(buffer, memo, obj, True)
        if done:
            return done & 1
        length = len(obj)
        if length <= 0xFF:
            buffer += _SHORT_BYTES_HEADERS[length]
        elif length < STAGED:
            buffer += _pack_uint4(BINBYTES, length)
        else:
            return 0
        buffer += obj
        memo[id(obj)] = (len(memo), obj)
        if protocol >= 4:
            buffer.append(MEMOIZE)
            return 1
    else:
        return 0
    index = len(memo) - 1
    buffer += _BINPUT_BYTES[index] if index <= 0xFF else _pack_uint4(LONG_BINPUT, index)
    return 1
