"""What the compiled core spells as C constants is what the sources say.

Compiled, `op.STOP`, `sym.LIST` and the like are enumerators of a `.pxd`, so that the opcode loops become jump tables;
uncompiled, they are names of a module.  Nothing but these tests would notice if one of them were another number.
"""

from __future__ import annotations

import re
from pathlib import Path

from safepickle import dumping, loading, opcodes, reader, symbols

PACKAGE = Path(opcodes.__file__).parent
ENUM = re.compile(r"^cdef enum:\n((?:    .*\n|\n)+)", re.MULTILINE)
LINE = re.compile(r"    (\w+) = (0x[0-9A-F]+|[0-9]+)(?:  # .*)?")

# What only C arrays need, bits of one number; and what is of another size in lists and dicts.
OF_C_ALONE = {"_LENT", "_FROZEN", "_BARE", "_DEPTH", "_CALLED", "_STATE", "_SLOTS", "_SIZE"}
OF_EACH_ITS_OWN = {"COMPILED", "_KEPT"}


def constants(file: str) -> dict[str, int]:
    """The enumerators of a `.pxd`."""
    found: dict[str, int] = {}
    for body in ENUM.findall((PACKAGE / file).read_text("utf-8")):
        for line in body.split("\n"):
            if line:
                read = LINE.fullmatch(line)
                assert read, f"{file}: not a constant: {line}"
                assert read[1] not in found, f"{file}: {read[1]} stands there twice"
                found[read[1]] = int(read[2], 0)
    return found


def integers(module: object) -> dict[str, int]:
    return {name: value for name, value in vars(module).items() if type(value) is int}


def test_constants_are_found_wherever_there_is_an_enumeration():
    files = {path.name for path in PACKAGE.rglob("*.pxd") if "enum" in path.read_text("utf-8")}
    assert files == {"_opcodes.pxd", "_symbols.pxd", "_loading.pxd", "_dumping.pxd"}
    assert all(constants(file) for file in files)


def test_the_opcodes_of_the_compiled_core_are_those_of_the_table():
    codes = constants("_opcodes.pxd")
    assert codes.pop("HIGHEST_PROTOCOL") == opcodes.HIGHEST_PROTOCOL
    assert codes == {row.name: row.code for row in opcodes.TABLE}


def test_every_opcode_that_a_loop_asks_for_has_the_same_name_in_both():
    for name, code in constants("_opcodes.pxd").items():
        assert getattr(opcodes, name) == code


def test_the_kinds_of_the_compiled_core_are_those_of_the_symbols():
    not_numbered_in_c = {"TAINT"}
    expected = integers(symbols)
    assert {name: expected[name] for name in expected.keys() - not_numbered_in_c} == constants("_symbols.pxd")


def test_every_kind_has_a_number_of_its_own_below_the_mask():
    assert symbols.KIND == (1 << symbols.SHIFT) - 1
    assert all(0 < kind <= symbols.KIND for kind in symbols.WORDS)
    numbers = constants("_symbols.pxd")
    kinds = [numbers[name] for name in numbers.keys() - {"SHIFT", "KIND", "FIRST_NODE", "LONG_TEXT"}]
    assert sorted(kinds) == sorted(symbols.WORDS)


def test_the_primitives_count_in_the_same_numbers_in_both():
    in_c, in_python = constants("_loading.pxd"), integers(loading)
    assert in_c.pop("COMPILED") == 1
    assert loading.COMPILED is False
    shared = in_c.keys() - OF_C_ALONE - OF_EACH_ITS_OWN
    assert {name: in_c[name] for name in shared} == {name: in_python[name] for name in shared}
    assert OF_C_ALONE.isdisjoint(in_python)


def test_what_writes_knows_which_build_it_is():
    assert constants("_dumping.pxd") == {"COMPILED": 1}
    assert dumping.COMPILED is False


def test_each_flag_of_a_node_is_a_bit_of_its_own():
    in_c = constants("_loading.pxd")
    flags = [in_c[name] for name in OF_C_ALONE - {"_SIZE", "_DEPTH"}]
    assert all(flag.bit_count() == 1 and flag < 1 << in_c["_SIZE"] for flag in flags)
    assert len({*flags}) == len(flags)
    assert all(in_c[name] < 1 << in_c["_DEPTH"] for name in ("_LENT", "_FROZEN", "_BARE"))


def test_the_primitives_know_the_shape_of_a_code():
    text = (PACKAGE / "_loading.pxd").read_text("utf-8")
    known = "DICT, FIRST_NODE, FROZENSET, GLOBAL, KIND, LIST, LONG_TEXT, MADE, SET, SHIFT, TUPLE"
    assert f"from safepickle._symbols cimport {known}\n" in text
    for name in ("SHIFT", "KIND", "FIRST_NODE", "TUPLE", "GLOBAL", "MADE", "LONG_TEXT"):
        assert getattr(loading, f"_{name}") == getattr(symbols, name)
    assert loading._LAST_LITERAL == symbols.FROZENSET


def test_the_primitives_know_the_opcodes_that_they_meet():
    for name in ("BININT", "BININT1", "BININT2", "SHORT_BINBYTES", "BINUNICODE", "SHORT_BINUNICODE"):
        assert getattr(loading, f"_{name}") == getattr(opcodes, name)


def test_the_longest_opcode_with_an_argument_of_a_fixed_size_is_known():
    assert 1 + max(opcodes.WIDTHS) == loading.LONGEST_FIXED


def test_a_text_is_large_at_the_same_length_everywhere():
    header = (PACKAGE / "loading.h").read_text("utf-8")
    assert re.findall(r"#define SP_LARGE \((\d+) \* 1024\)", header) == [str(loading.LARGE // 1024)]
    assert loading.LARGE == reader.LARGE


def test_every_hook_is_a_name_that_the_primitives_leave_to_the_reader():
    assert {name.encode() for name in symbols.HOOKS if not name.startswith("__")} == loading._LOOKED_UP
    assert loading._HOOKS == symbols.HOOKS
