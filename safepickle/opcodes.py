"""The opcodes of pickle: one literal table, everything else derived from it.

This file is the only place that says which byte is which opcode, how its argument is laid out, what it takes from
and leaves on the stack, and in which protocol it appeared.  The reader, the verifier, the unpickler, the pickler, the
disassembler, the fuzzers' program generator and the documentation all start here.

Rules this module rests on:

* A row is a fact about the format, not about an implementation.  A test compares every row with `pickletools`.
* A row that cannot be true (a code used twice, an unknown argument kind) fails when the module is imported.
* It knows nothing of streams, values or policies, and imports nothing of the package.

The stack effect is written as two tuples of words, bottom first.  `mark` is a MARK, `items` is everything above the
topmost mark, `pairs` is the same with an even count.  The other words are kinds of values; `any` is any of them.
"""

from __future__ import annotations

from safepickle.hints import Final, NamedTuple

HIGHEST_PROTOCOL: Final = 5
DEFAULT_PROTOCOL: Final = 4

# How the bytes after the opcode are laid out.  "u" is unsigned, "s" signed, little-endian throughout; a counted
# argument is its length followed by that many bytes.
NO_ARGUMENT: Final = "none"
UINT1: Final = "uint1"
UINT2: Final = "uint2"
INT4: Final = "int4"
UINT4: Final = "uint4"
UINT8: Final = "uint8"
FLOAT8: Final = "float8"  # big-endian IEEE 754 double
DECIMAL_LINE: Final = "decimal line"  # integer text up to a newline; INT also has 00 and 01, LONG an optional L
FLOAT_LINE: Final = "float line"
QUOTED_LINE: Final = "quoted line"  # a Python string literal's repr up to a newline
ESCAPED_LINE: Final = "raw-unicode-escape line"
TEXT_LINE: Final = "text line"  # UTF-8 up to a newline (ASCII for persistent IDs)
TWO_LINES: Final = "two text lines"  # module, newline, qualified name, newline
BYTES1: Final = "bytes1"
BYTES4: Final = "bytes4"
BYTES8: Final = "bytes8"
STRING1: Final = "string1"  # 8-bit text of Python 2: the encoding is the loader's choice
STRING4: Final = "string4"  # likewise; its length is signed in CPython and must not be negative
UTF8_1: Final = "utf8-1"
UTF8_4: Final = "utf8-4"
UTF8_8: Final = "utf8-8"
LONG1_: Final = "long1"  # two's complement, little-endian
LONG4_: Final = "long4"  # likewise; its length is signed in CPython and must not be negative
BYTEARRAY8_: Final = "bytearray8"

ARGUMENT_KINDS: Final = frozenset({
    NO_ARGUMENT, UINT1, UINT2, INT4, UINT4, UINT8, FLOAT8, DECIMAL_LINE, FLOAT_LINE, QUOTED_LINE, ESCAPED_LINE,
    TEXT_LINE, TWO_LINES, BYTES1, BYTES4, BYTES8, STRING1, STRING4, UTF8_1, UTF8_4, UTF8_8, LONG1_, LONG4_,
    BYTEARRAY8_,
})  # fmt: skip

STACK_WORDS: Final = frozenset({
    "any", "none", "bool", "int", "float", "str", "bytes", "bytearray", "list", "tuple", "dict", "set", "frozenset",
    "buffer", "mark", "items", "pairs",
})  # fmt: skip


class Opcode(NamedTuple):
    """One row: a byte, what follows it, what it does to the stack, since which protocol."""

    code: int
    name: str
    argument: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    protocol: int
    doc: str


def _row(code: bytes, name: str, argument: str, before: str, after: str, protocol: int, doc: str) -> Opcode:
    row = Opcode(code[0], name, argument, tuple(before.split()), tuple(after.split()), protocol, doc)
    if len(code) != 1 or argument not in ARGUMENT_KINDS or not 0 <= protocol <= HIGHEST_PROTOCOL:
        raise AssertionError(f"bad row {row}")
    if not STACK_WORDS.issuperset(row.before + row.after) or not doc.endswith("."):
        raise AssertionError(f"bad row {row}")
    return row


# fmt: off
TABLE: Final[tuple[Opcode, ...]] = (
    # Integers
    _row(b"I", "INT", DECIMAL_LINE, "", "int", 0, "Push a decimal integer; the texts 00 and 01 are False and True."),
    _row(b"J", "BININT", INT4, "", "int", 1, "Push a four-byte signed integer."),
    _row(b"K", "BININT1", UINT1, "", "int", 1, "Push a one-byte unsigned integer."),
    _row(b"M", "BININT2", UINT2, "", "int", 1, "Push a two-byte unsigned integer."),
    _row(b"L", "LONG", DECIMAL_LINE, "", "int", 0, "Push a decimal integer, an L may follow its digits."),
    _row(b"\x8a", "LONG1", LONG1_, "", "int", 2, "Push an integer of up to 255 bytes in two's complement."),
    _row(b"\x8b", "LONG4", LONG4_, "", "int", 2, "Push an integer of up to 2**31-1 bytes in two's complement."),
    # 8-bit strings of Python 2
    _row(b"S", "STRING", QUOTED_LINE, "", "str", 0, "Push a quoted and escaped 8-bit string."),
    _row(b"T", "BINSTRING", STRING4, "", "str", 1, "Push an 8-bit string with a four-byte length."),
    _row(b"U", "SHORT_BINSTRING", STRING1, "", "str", 1, "Push an 8-bit string with a one-byte length."),
    # Bytes
    _row(b"B", "BINBYTES", BYTES4, "", "bytes", 3, "Push bytes with a four-byte length."),
    _row(b"C", "SHORT_BINBYTES", BYTES1, "", "bytes", 3, "Push bytes with a one-byte length."),
    _row(b"\x8e", "BINBYTES8", BYTES8, "", "bytes", 4, "Push bytes with an eight-byte length."),
    _row(b"\x96", "BYTEARRAY8", BYTEARRAY8_, "", "bytearray", 5, "Push a bytearray with an eight-byte length."),
    # Out-of-band buffers
    _row(b"\x97", "NEXT_BUFFER", NO_ARGUMENT, "", "buffer", 5, "Push the next out-of-band buffer."),
    _row(b"\x98", "READONLY_BUFFER", NO_ARGUMENT, "buffer", "buffer", 5, "Make the buffer on top read-only."),
    # None and the booleans
    _row(b"N", "NONE", NO_ARGUMENT, "", "none", 0, "Push None."),
    _row(b"\x88", "NEWTRUE", NO_ARGUMENT, "", "bool", 2, "Push True."),
    _row(b"\x89", "NEWFALSE", NO_ARGUMENT, "", "bool", 2, "Push False."),
    # Text
    _row(b"V", "UNICODE", ESCAPED_LINE, "", "str", 0, "Push raw-unicode-escaped text."),
    _row(b"\x8c", "SHORT_BINUNICODE", UTF8_1, "", "str", 4, "Push UTF-8 text with a one-byte length."),
    _row(b"X", "BINUNICODE", UTF8_4, "", "str", 1, "Push UTF-8 text with a four-byte length."),
    _row(b"\x8d", "BINUNICODE8", UTF8_8, "", "str", 4, "Push UTF-8 text with an eight-byte length."),
    # Floats
    _row(b"F", "FLOAT", FLOAT_LINE, "", "float", 0, "Push a float given as text."),
    _row(b"G", "BINFLOAT", FLOAT8, "", "float", 1, "Push a float given as a big-endian double."),
    # Lists
    _row(b"]", "EMPTY_LIST", NO_ARGUMENT, "", "list", 1, "Push an empty list."),
    _row(b"a", "APPEND", NO_ARGUMENT, "list any", "list", 0, "Append the top to the list below it."),
    _row(b"e", "APPENDS", NO_ARGUMENT, "list mark items", "list", 1, "Append all items above the mark."),
    _row(b"l", "LIST", NO_ARGUMENT, "mark items", "list", 0, "Make a list of the items above the mark."),
    # Tuples
    _row(b")", "EMPTY_TUPLE", NO_ARGUMENT, "", "tuple", 1, "Push the empty tuple."),
    _row(b"t", "TUPLE", NO_ARGUMENT, "mark items", "tuple", 0, "Make a tuple of the items above the mark."),
    _row(b"\x85", "TUPLE1", NO_ARGUMENT, "any", "tuple", 2, "Make a tuple of the topmost item."),
    _row(b"\x86", "TUPLE2", NO_ARGUMENT, "any any", "tuple", 2, "Make a tuple of the two topmost items."),
    _row(b"\x87", "TUPLE3", NO_ARGUMENT, "any any any", "tuple", 2, "Make a tuple of the three topmost items."),
    # Dicts
    _row(b"}", "EMPTY_DICT", NO_ARGUMENT, "", "dict", 1, "Push an empty dict."),
    _row(b"d", "DICT", NO_ARGUMENT, "mark pairs", "dict", 0, "Make a dict of the pairs above the mark."),
    _row(b"s", "SETITEM", NO_ARGUMENT, "dict any any", "dict", 0, "Set one key of the dict below."),
    _row(b"u", "SETITEMS", NO_ARGUMENT, "dict mark pairs", "dict", 1, "Set all pairs above the mark."),
    # Sets
    _row(b"\x8f", "EMPTY_SET", NO_ARGUMENT, "", "set", 4, "Push an empty set."),
    _row(b"\x90", "ADDITEMS", NO_ARGUMENT, "set mark items", "set", 4, "Add all items above the mark."),
    _row(b"\x91", "FROZENSET", NO_ARGUMENT, "mark items", "frozenset", 4, "Make a frozenset of the items above the mark."),
    # The stack itself
    _row(b"0", "POP", NO_ARGUMENT, "any", "", 0, "Drop the top; on a bare mark, drop the mark."),
    _row(b"2", "DUP", NO_ARGUMENT, "any", "any any", 0, "Push the top once more."),
    _row(b"(", "MARK", NO_ARGUMENT, "", "mark", 0, "Remember the height of the stack."),
    _row(b"1", "POP_MARK", NO_ARGUMENT, "mark items", "", 1, "Drop everything down to and including the mark."),
    # The memo
    _row(b"g", "GET", DECIMAL_LINE, "", "any", 0, "Push the memo entry with this index."),
    _row(b"h", "BINGET", UINT1, "", "any", 1, "Push the memo entry with this one-byte index."),
    _row(b"j", "LONG_BINGET", UINT4, "", "any", 1, "Push the memo entry with this four-byte index."),
    _row(b"p", "PUT", DECIMAL_LINE, "any", "any", 0, "Store the top in the memo under this index."),
    _row(b"q", "BINPUT", UINT1, "any", "any", 1, "Store the top in the memo under this one-byte index."),
    _row(b"r", "LONG_BINPUT", UINT4, "any", "any", 1, "Store the top in the memo under this four-byte index."),
    _row(b"\x94", "MEMOIZE", NO_ARGUMENT, "any", "any", 4, "Store the top in the memo under the memo's size."),
    # The extension registry
    _row(b"\x82", "EXT1", UINT1, "", "any", 2, "Push the global registered under this one-byte code."),
    _row(b"\x83", "EXT2", UINT2, "", "any", 2, "Push the global registered under this two-byte code."),
    _row(b"\x84", "EXT4", INT4, "", "any", 2, "Push the global registered under this four-byte code."),
    # Globals and objects
    _row(b"c", "GLOBAL", TWO_LINES, "", "any", 0, "Push the named global."),
    _row(b"\x93", "STACK_GLOBAL", NO_ARGUMENT, "str str", "any", 4, "Push the global named by the two texts on top."),
    _row(b"R", "REDUCE", NO_ARGUMENT, "any tuple", "any", 0, "Call the callable below with the tuple of arguments."),
    _row(b"b", "BUILD", NO_ARGUMENT, "any any", "any", 0, "Give the object below the state on top."),
    _row(b"i", "INST", TWO_LINES, "mark items", "any", 0, "Call the named class with the items above the mark."),
    _row(b"o", "OBJ", NO_ARGUMENT, "mark any items", "any", 1, "Call the lowest item above the mark with the rest."),
    _row(b"\x81", "NEWOBJ", NO_ARGUMENT, "any tuple", "any", 2, "Call cls.__new__(cls, *args)."),
    _row(b"\x92", "NEWOBJ_EX", NO_ARGUMENT, "any tuple dict", "any", 4, "Call cls.__new__(cls, *args, **kwargs)."),
    # Control
    _row(b"\x80", "PROTO", UINT1, "", "", 2, "Declare the protocol."),
    _row(b".", "STOP", NO_ARGUMENT, "any", "", 0, "End: the top is the result."),
    _row(b"\x95", "FRAME", UINT8, "", "", 4, "Announce how many bytes of opcodes follow as one frame."),
    # Persistent IDs
    _row(b"P", "PERSID", TEXT_LINE, "", "any", 0, "Push the object with this persistent ID, an ASCII text."),
    _row(b"Q", "BINPERSID", NO_ARGUMENT, "any", "any", 1, "Push the object whose persistent ID is on top."),
)
# fmt: on

BY_CODE: Final[dict[int, Opcode]] = {row.code: row for row in TABLE}
BY_NAME: Final[dict[str, Opcode]] = {row.name: row for row in TABLE}
if not len(TABLE) == len(BY_CODE) == len(BY_NAME) == 68:
    raise AssertionError("the table has a row too many or too few")

_WIDTHS: Final = {
    UINT1: 1, UINT2: 2, INT4: 4, UINT4: 4, UINT8: 8, FLOAT8: 8, BYTES1: 1, BYTES4: 4, BYTES8: 8, STRING1: 1, STRING4: 4,
    UTF8_1: 1, UTF8_4: 4, UTF8_8: 8, LONG1_: 1, LONG4_: 4, BYTEARRAY8_: 8,
}  # fmt: skip
#: By opcode: how many bytes behind it have a fixed place, which is its whole argument, or the length of a counted one.
WIDTHS: Final = bytes(_WIDTHS.get(BY_CODE[code].argument, 0) if code in BY_CODE else 0 for code in range(256))


def name_of(code: int) -> str:
    """The name of an opcode byte, or its hexadecimal spelling where no opcode has it."""
    row = BY_CODE.get(code)
    return row.name if row else f"0x{code:02x}"


# The codes by name, spelled out so that type checkers, readers and compilers see plain integers.  A test compares
# each with its row.
INT: Final = 0x49
BININT: Final = 0x4A
BININT1: Final = 0x4B
BININT2: Final = 0x4D
LONG: Final = 0x4C
LONG1: Final = 0x8A
LONG4: Final = 0x8B
STRING: Final = 0x53
BINSTRING: Final = 0x54
SHORT_BINSTRING: Final = 0x55
BINBYTES: Final = 0x42
SHORT_BINBYTES: Final = 0x43
BINBYTES8: Final = 0x8E
BYTEARRAY8: Final = 0x96
NEXT_BUFFER: Final = 0x97
READONLY_BUFFER: Final = 0x98
NONE: Final = 0x4E
NEWTRUE: Final = 0x88
NEWFALSE: Final = 0x89
UNICODE: Final = 0x56
SHORT_BINUNICODE: Final = 0x8C
BINUNICODE: Final = 0x58
BINUNICODE8: Final = 0x8D
FLOAT: Final = 0x46
BINFLOAT: Final = 0x47
EMPTY_LIST: Final = 0x5D
APPEND: Final = 0x61
APPENDS: Final = 0x65
LIST: Final = 0x6C
EMPTY_TUPLE: Final = 0x29
TUPLE: Final = 0x74
TUPLE1: Final = 0x85
TUPLE2: Final = 0x86
TUPLE3: Final = 0x87
EMPTY_DICT: Final = 0x7D
DICT: Final = 0x64
SETITEM: Final = 0x73
SETITEMS: Final = 0x75
EMPTY_SET: Final = 0x8F
ADDITEMS: Final = 0x90
FROZENSET: Final = 0x91
POP: Final = 0x30
DUP: Final = 0x32
MARK: Final = 0x28
POP_MARK: Final = 0x31
GET: Final = 0x67
BINGET: Final = 0x68
LONG_BINGET: Final = 0x6A
PUT: Final = 0x70
BINPUT: Final = 0x71
LONG_BINPUT: Final = 0x72
MEMOIZE: Final = 0x94
EXT1: Final = 0x82
EXT2: Final = 0x83
EXT4: Final = 0x84
GLOBAL: Final = 0x63
STACK_GLOBAL: Final = 0x93
REDUCE: Final = 0x52
BUILD: Final = 0x62
INST: Final = 0x69
OBJ: Final = 0x6F
NEWOBJ: Final = 0x81
NEWOBJ_EX: Final = 0x92
PROTO: Final = 0x80
STOP: Final = 0x2E
FRAME: Final = 0x95
PERSID: Final = 0x50
BINPERSID: Final = 0x51
