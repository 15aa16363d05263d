"""The table against the standard library's own, and each derivation against the table."""

from __future__ import annotations

import pickle
import pickletools

import pytest

from safepickle import opcodes
from safepickle.opcodes import TABLE, Opcode

THEIRS = {ord(row.code): row for row in pickletools.opcodes}

# How pickletools names the argument layouts that our table names in the format's words.
LAYOUT = {
    None: {opcodes.NO_ARGUMENT},
    "uint1": {opcodes.UINT1},
    "uint2": {opcodes.UINT2},
    "int4": {opcodes.INT4},
    "uint4": {opcodes.UINT4},
    "uint8": {opcodes.UINT8},
    "float8": {opcodes.FLOAT8},
    "decimalnl_short": {opcodes.DECIMAL_LINE},
    "decimalnl_long": {opcodes.DECIMAL_LINE},
    "floatnl": {opcodes.FLOAT_LINE},
    "stringnl": {opcodes.QUOTED_LINE},
    "stringnl_noescape": {opcodes.TEXT_LINE},
    "stringnl_noescape_pair": {opcodes.TWO_LINES},
    "unicodestringnl": {opcodes.ESCAPED_LINE},
    "bytes1": {opcodes.BYTES1},
    "bytes4": {opcodes.BYTES4},
    "bytes8": {opcodes.BYTES8},
    "bytearray8": {opcodes.BYTEARRAY8_},
    "string1": {opcodes.STRING1},
    "string4": {opcodes.STRING4},
    "unicodestring1": {opcodes.UTF8_1},
    "unicodestring4": {opcodes.UTF8_4},
    "unicodestring8": {opcodes.UTF8_8},
    "long1": {opcodes.LONG1_},
    "long4": {opcodes.LONG4_},
}

# How pickletools names the kinds of values on the stack.
WORD = {
    "any": "any",
    "None": "none",
    "bool": "bool",
    "int": "int",
    "int_or_bool": "int",
    "float": "float",
    "str": "str",
    "bytes": "bytes",
    "bytes_or_str": "str",
    "bytearray": "bytearray",
    "list": "list",
    "tuple": "tuple",
    "dict": "dict",
    "set": "set",
    "frozenset": "frozenset",
    "buffer": "buffer",
    "mark": "mark",
    "stackslice": "items",
}

# Where our row says more than theirs, and what ours says.
MORE_PRECISE = {
    "DICT": (("mark", "pairs"), ("dict",)),  # theirs: any number of items
    "SETITEMS": (("dict", "mark", "pairs"), ("dict",)),  # likewise
    "PUT": (("any",), ("any",)),  # theirs: nothing, though storing the top needs one
    "BINPUT": (("any",), ("any",)),  # likewise
    "LONG_BINPUT": (("any",), ("any",)),  # likewise
    "REDUCE": (("any", "tuple"), ("any",)),  # theirs: two of any
    "NEWOBJ": (("any", "tuple"), ("any",)),  # likewise
    "NEWOBJ_EX": (("any", "tuple", "dict"), ("any",)),  # likewise
}


def ids(row: Opcode) -> str:
    return row.name


def test_the_table_has_exactly_the_opcodes_of_the_standard_library():
    assert {row.code: row.name for row in TABLE} == {code: row.name for code, row in THEIRS.items()}
    assert len(TABLE) == 68


@pytest.mark.parametrize("row", TABLE, ids=ids)
def test_a_row_names_the_protocol_that_the_standard_library_names(row: Opcode):
    assert row.protocol == THEIRS[row.code].proto


@pytest.mark.parametrize("row", TABLE, ids=ids)
def test_a_row_lays_out_its_argument_as_the_standard_library_does(row: Opcode):
    theirs = THEIRS[row.code].arg
    assert row.argument in LAYOUT[theirs.name if theirs else None]


@pytest.mark.parametrize("row", TABLE, ids=ids)
def test_a_row_has_the_stack_effect_of_the_standard_library(row: Opcode):
    if row.name in MORE_PRECISE:
        assert (row.before, row.after) == MORE_PRECISE[row.name]
        return
    theirs = THEIRS[row.code]
    assert row.before == tuple(WORD[kind.name] for kind in theirs.stack_before)
    assert row.after == tuple(WORD[kind.name] for kind in theirs.stack_after)


@pytest.mark.parametrize("row", TABLE, ids=ids)
def test_the_stack_effect_keeps_the_height_that_the_standard_library_keeps(row: Opcode):
    theirs = THEIRS[row.code]
    if "mark" not in row.before:
        assert len(row.after) - len(row.before) == len(theirs.stack_after) - len(theirs.stack_before)


@pytest.mark.parametrize("row", TABLE, ids=ids)
def test_the_constant_of_an_opcode_is_the_code_of_its_row(row: Opcode):
    assert getattr(opcodes, row.name) == row.code
    assert getattr(pickle, row.name) == bytes([row.code])


def test_no_constant_names_a_code_without_a_row():
    numbers = {
        name
        for name, value in vars(opcodes).items()
        if name.isupper() and isinstance(value, int) and name not in {"HIGHEST_PROTOCOL", "DEFAULT_PROTOCOL"}
    }
    assert numbers == set(opcodes.BY_NAME)


def test_the_indexes_by_code_and_by_name_hold_every_row_once():
    assert {row.code: row for row in TABLE} == opcodes.BY_CODE
    assert {row.name: row for row in TABLE} == opcodes.BY_NAME


def test_every_layout_that_is_declared_is_used_by_a_row():
    assert {row.argument for row in TABLE} == opcodes.ARGUMENT_KINDS


def test_every_stack_word_that_is_declared_is_used_by_a_row():
    assert {word for row in TABLE for word in row.before + row.after} == opcodes.STACK_WORDS


def test_the_protocols_are_those_of_the_standard_library():
    assert opcodes.HIGHEST_PROTOCOL == max(row.protocol for row in TABLE) == 5
    assert opcodes.DEFAULT_PROTOCOL == 4


@pytest.mark.parametrize("code", range(256))
def test_name_of_gives_every_byte_a_name_that_can_be_printed(code: int):
    name = opcodes.name_of(code)
    assert name == (THEIRS[code].name if code in THEIRS else f"0x{code:02x}")


@pytest.mark.parametrize(
    "row",
    [
        (b"IJ", "INT", opcodes.NO_ARGUMENT, "", "int", 0, "Push."),
        (b"I", "INT", "uint3", "", "int", 0, "Push."),
        (b"I", "INT", opcodes.NO_ARGUMENT, "", "number", 0, "Push."),
        (b"I", "INT", opcodes.NO_ARGUMENT, "", "int", 6, "Push."),
        (b"I", "INT", opcodes.NO_ARGUMENT, "", "int", 0, "Push"),
    ],
    ids=["two bytes", "unknown layout", "unknown word", "unknown protocol", "no sentence"],
)
def test_a_row_that_cannot_be_true_fails_when_the_table_is_made(row):
    with pytest.raises(AssertionError, match="bad row"):
        opcodes._row(*row)
