"""An assembler for pickle streams: what the attacks, the damaged streams and the tests of the readers are written in.

`asm(("PROTO", 4), ("GLOBAL", "os", "getcwd"), "EMPTY_TUPLE", "REDUCE", "STOP")` gives the bytes.  The opcode table says
how each argument is laid out, so a row added to the table can be assembled at once.

Rules this module rests on:

* It writes what it is told, also nonsense: it checks arguments, never stack effects, protocols or names.
* What cannot be laid out (a number too big for its field, a missing argument, an unknown opcode) is an `AssembleError`,
  so that no attack is made of something else than it says.
* Where a stream has to lie, it says so: bytes among the steps are copied as they are, `lying` declares a length that
  is not there, and a line argument given as bytes is written as spelled (`("INT", b"0x1")`).

It imports the table and nothing else of the package, so that a mistake in the readers cannot hide in the material they
are tested with.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, Union

from safepickle import opcodes

Argument: TypeAlias = int | float | str | bytes
Step: TypeAlias = Union[str, bytes, tuple[str | Argument, ...], Sequence["Step"]]
"""An opcode's name, a name with its arguments, raw bytes, or a list of steps."""


class AssembleError(ValueError):
    """A step that has no encoding."""


def asm(*steps: Step) -> bytes:
    """The bytes of a program.

    Raises:
        AssembleError: an unknown opcode, a wrong number of arguments, or an argument that does not fit its field.
    """
    out: list[bytes] = []
    pending: list[Step] = list(reversed(steps))
    while pending:  # a stack of its own: programs nest as deep as the values they build
        step = pending.pop()
        if isinstance(step, list):
            pending.extend(reversed(step))
        elif isinstance(step, bytes):
            out.append(step)
        elif isinstance(step, str):
            out.append(_instruction(step, ()))
        elif isinstance(step, tuple) and step and isinstance(step[0], str):
            out.append(_instruction(step[0], step[1:]))
        else:
            raise AssembleError(f"not a step: {step!r}")
    return b"".join(out)


def _instruction(name: str, arguments: tuple[Argument, ...]) -> bytes:
    row = opcodes.BY_NAME.get(name)
    if row is None:
        raise AssembleError(f"no opcode is called {name!r}")
    return bytes([row.code]) + _encode(row, arguments)


def _encode(row: opcodes.Opcode, arguments: tuple[Argument, ...]) -> bytes:
    expected = {opcodes.NO_ARGUMENT: 0, opcodes.TWO_LINES: 2}.get(row.argument, 1)
    if len(arguments) != expected:
        raise AssembleError(f"{row.name} takes {expected} arguments, not {len(arguments)}")
    if row.argument == opcodes.NO_ARGUMENT:
        return b""
    if row.argument in _FIELDS:
        return _field(row, arguments[0])
    if row.argument in _COUNTS:
        payload = _payload(row, arguments[0])
        return _field(row, len(payload)) + payload
    return b"".join(_line(row, argument) for argument in arguments)


# --- Numbers and counted payloads ------------------------------------------------------------------------------------
_FIELDS: Final[dict[str, str]] = {
    opcodes.UINT1: "<B",
    opcodes.UINT2: "<H",
    opcodes.INT4: "<i",
    opcodes.UINT4: "<I",
    opcodes.UINT8: "<Q",
    opcodes.FLOAT8: ">d",
}
_COUNTS: Final[dict[str, str]] = {
    opcodes.BYTES1: "<B",
    opcodes.BYTES4: "<I",
    opcodes.BYTES8: "<Q",
    opcodes.STRING1: "<B",
    opcodes.STRING4: "<i",
    opcodes.UTF8_1: "<B",
    opcodes.UTF8_4: "<I",
    opcodes.UTF8_8: "<Q",
    opcodes.LONG1_: "<B",
    opcodes.LONG4_: "<i",
    opcodes.BYTEARRAY8_: "<Q",
}
_UTF8: Final = frozenset({opcodes.UTF8_1, opcodes.UTF8_4, opcodes.UTF8_8})
_LONGS: Final = frozenset({opcodes.LONG1_, opcodes.LONG4_})
_STRINGS: Final = frozenset({opcodes.STRING1, opcodes.STRING4})


def is_counted(row: opcodes.Opcode) -> bool:
    """Whether the argument of this row is a length followed by that many bytes."""
    return row.argument in _COUNTS


def length_size(row: opcodes.Opcode) -> int:
    """How many bytes the length of a counted row takes."""
    return struct.calcsize(_COUNTS[row.argument])


def _field(row: opcodes.Opcode, value: Argument) -> bytes:
    layout = _FIELDS.get(row.argument) or _COUNTS[row.argument]
    try:
        return struct.pack(layout, value)
    except struct.error as cause:
        raise AssembleError(f"{row.name}: {value!r} does not fit {row.argument}") from cause


def _payload(row: opcodes.Opcode, value: Argument) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str) and row.argument in _UTF8:
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, str) and row.argument in _STRINGS:
        return value.encode("latin-1")
    if isinstance(value, int) and row.argument in _LONGS:
        return twos_complement(value)
    raise AssembleError(f"{row.name} cannot hold {value!r}")


def twos_complement(value: int) -> bytes:
    """The shortest little-endian two's complement of an integer, nothing for 0, as LONG1 and LONG4 have it."""
    if value == 0:
        return b""
    size = (value if value > 0 else ~value).bit_length() // 8 + 1
    return value.to_bytes(size, "little", signed=True)


def lying(name: str, length: int, payload: bytes = b"") -> bytes:
    """A counted opcode (or FRAME) that declares `length` and brings `payload`.

    A negative length is written as the bit pattern of the field, which is how a signed reader comes to see it.
    """
    row = opcodes.BY_NAME.get(name)
    if row is None or not (is_counted(row) or row.name == "FRAME"):
        raise AssembleError(f"{name!r} declares no length")
    size = 8 if row.name == "FRAME" else length_size(row)
    try:
        return bytes([row.code]) + length.to_bytes(size, "little", signed=length < 0) + payload
    except OverflowError as cause:
        raise AssembleError(f"{name}: {length} does not fit {size} bytes") from cause


# --- Lines -----------------------------------------------------------------------------------------------------------
def _line(row: opcodes.Opcode, value: Argument) -> bytes:
    text = value if isinstance(value, bytes) else _spelled(row, value)
    if b"\n" in text:
        raise AssembleError(f"{row.name}: a line cannot hold a newline")
    return text + b"\n"


def _spelled(row: opcodes.Opcode, value: float | str) -> bytes:
    spell = _SPELLINGS.get(row.argument)
    if spell is None:
        raise AssembleError(f"{row.name} has no spelling for {value!r}")
    return spell(row, value)


def _decimal(row: opcodes.Opcode, value: float | str) -> bytes:
    if isinstance(value, bool) and row.name == "INT":
        return b"01" if value else b"00"
    if not isinstance(value, int) or isinstance(value, bool):
        raise AssembleError(f"{row.name} cannot hold {value!r}")
    return str(value).encode("ascii") + (b"L" if row.name == "LONG" else b"")


def _float(row: opcodes.Opcode, value: float | str) -> bytes:
    if not isinstance(value, float):
        raise AssembleError(f"{row.name} cannot hold {value!r}")
    return repr(value).encode("ascii")


def _quoted(row: opcodes.Opcode, value: float | str) -> bytes:
    if not isinstance(value, str):
        raise AssembleError(f"{row.name} cannot hold {value!r}")
    return repr(value.encode("latin-1"))[1:].encode("ascii")


def _escaped(row: opcodes.Opcode, value: float | str) -> bytes:
    if not isinstance(value, str):
        raise AssembleError(f"{row.name} cannot hold {value!r}")
    for character in "\\\0\n\r\x1a":  # the backslash first: the others become escapes
        value = value.replace(character, f"\\u{ord(character):04x}")
    return value.encode("raw-unicode-escape")


def _text(row: opcodes.Opcode, value: float | str) -> bytes:
    if not isinstance(value, str):
        raise AssembleError(f"{row.name} cannot hold {value!r}")
    return value.encode("utf-8")


_SPELLINGS: Final[dict[str, Callable[[opcodes.Opcode, float | str], bytes]]] = {
    opcodes.DECIMAL_LINE: _decimal,
    opcodes.FLOAT_LINE: _float,
    opcodes.QUOTED_LINE: _quoted,
    opcodes.ESCAPED_LINE: _escaped,
    opcodes.TEXT_LINE: _text,
    opcodes.TWO_LINES: _text,
}


# --- Phrases: what streams are mostly made of ------------------------------------------------------------------------
def text(value: str) -> Step:
    """Text in the shortest binary form."""
    size = len(value.encode("utf-8", "surrogatepass"))
    return ("SHORT_BINUNICODE", value) if size < 256 else ("BINUNICODE", value)


def number(value: int) -> Step:
    """An integer in the shortest binary form."""
    if 0 <= value < 256:
        return ("BININT1", value)
    if -(2**31) <= value < 2**31:
        return ("BININT", value)
    return ("LONG1" if len(twos_complement(value)) < 256 else "LONG4", value)


def put(index: int) -> Step:
    """Store the top under a memo index."""
    return ("BINPUT", index) if index < 256 else ("LONG_BINPUT", index)


def get(index: int) -> Step:
    """Push the memo entry with this index."""
    return ("BINGET", index) if index < 256 else ("LONG_BINGET", index)


def named(module: Step, name: Step) -> Step:
    """A global by STACK_GLOBAL, from any two steps that push its names."""
    return [module, name, "STACK_GLOBAL"]


def tuple_of(*items: Step) -> Step:
    """A tuple of what the items push."""
    return ["MARK", *items, "TUPLE"] if items else "EMPTY_TUPLE"


def list_of(*items: Step) -> Step:
    """A list of what the items push."""
    return ["EMPTY_LIST", "MARK", *items, "APPENDS"]


def dict_of(*pairs: tuple[Step, Step]) -> Step:
    """A dict of what the pairs push."""
    return ["EMPTY_DICT", "MARK", *(half for pair in pairs for half in pair), "SETITEMS"]


def set_of(*items: Step) -> Step:
    """A set of what the items push."""
    return ["EMPTY_SET", "MARK", *items, "ADDITEMS"]


def reduce(function: Step, *arguments: Step) -> Step:
    """Call a callable with a tuple of arguments."""
    return [function, tuple_of(*arguments), "REDUCE"]


def newobj(cls: Step, *arguments: Step) -> Step:
    """Make an instance without `__init__`."""
    return [cls, tuple_of(*arguments), "NEWOBJ"]


def build(target: Step, state: Step) -> Step:
    """Give an object its state."""
    return [target, state, "BUILD"]


def literal(value: object) -> Step:
    """A plain value of Python, spelled out in binary opcodes; it recurses, so it is for small values."""
    if value is None or isinstance(value, bool):
        return {None: "NONE", True: "NEWTRUE", False: "NEWFALSE"}[value]
    if isinstance(value, int):
        return number(value)
    if isinstance(value, float):
        return ("BINFLOAT", value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bytes):
        return ("SHORT_BINBYTES" if len(value) < 256 else "BINBYTES", value)
    if isinstance(value, bytearray):
        return ("BYTEARRAY8", bytes(value))
    if isinstance(value, dict):
        return dict_of(*((literal(key), literal(item)) for key, item in value.items()))
    makers: tuple[tuple[type, Callable[..., Step]], ...] = ((list, list_of), (tuple, tuple_of), (set, set_of))
    for kind, maker in makers:
        if isinstance(value, kind):
            return maker(*map(literal, value))  # type: ignore[call-overload]  # narrowed by kind, which mypy cannot see
    raise AssembleError(f"no literal for {type(value).__name__}")


def framed(*steps: Step) -> Step:
    """The steps inside one frame of exactly their length."""
    payload = asm(*steps)
    return [("FRAME", len(payload)), payload]


def pickled(protocol: int, *steps: Step) -> bytes:
    """A whole pickle: PROTO (from 2 on, as CPython writes it), the steps, STOP."""
    return asm(*([("PROTO", protocol)] if protocol >= 2 else []), *steps, "STOP")


# --- One argument of each kind, for what is derived from the table ---------------------------------------------------
SAMPLES: Final[dict[str, tuple[Argument, ...]]] = {
    opcodes.NO_ARGUMENT: (),
    opcodes.UINT1: (200,),
    opcodes.UINT2: (60_000,),
    opcodes.INT4: (-7,),
    opcodes.UINT4: (4_000_000_000,),
    opcodes.UINT8: (0,),
    opcodes.FLOAT8: (1.5,),
    opcodes.DECIMAL_LINE: (12,),
    opcodes.FLOAT_LINE: (-0.25,),
    opcodes.QUOTED_LINE: ("it's \x07",),
    opcodes.ESCAPED_LINE: ("a\\\n\u20ac\U0001f600",),
    opcodes.TEXT_LINE: ("key",),
    opcodes.TWO_LINES: ("collections", "deque"),
    opcodes.BYTES1: (b"abc",),
    opcodes.BYTES4: (b"abc",),
    opcodes.BYTES8: (b"abc",),
    opcodes.STRING1: ("abc",),
    opcodes.STRING4: ("abc",),
    opcodes.UTF8_1: ("\u20ac",),
    opcodes.UTF8_4: ("\u20ac",),
    opcodes.UTF8_8: ("\u20ac",),
    opcodes.LONG1_: (-(2**70),),
    opcodes.LONG4_: (2**70,),
    opcodes.BYTEARRAY8_: (b"abc",),
}
