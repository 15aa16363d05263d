"""The disassembler against the standard library's reading, on good streams and on every kind of broken one."""

from __future__ import annotations

import pickle
import pickletools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepickle import opcodes
from safepickle.containers.source import BytesSource
from safepickle.disassemble import LONGEST_ARGUMENT, SHOWN_WORDS, Line, disassemble, show_argument
from safepickle.windows import WindowReader

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(), inner)
        | st.lists(inner).map(tuple)
        | st.frozensets(st.integers())
        | st.sets(st.text())
    ),
    max_leaves=20,
)
PROTOCOLS = st.integers(min_value=0, max_value=5)


def lines_of(data: bytes) -> list[Line]:
    return list(disassemble(data))


@given(VALUES, PROTOCOLS)
def test_every_instruction_has_the_position_and_the_name_that_the_standard_library_reads(value, protocol):
    data = pickle.dumps(value, protocol)
    theirs = [(position, row.name) for row, _, position in pickletools.genops(data)]
    assert [(line.position, line.opcode) for line in disassemble(data)] == theirs


@given(VALUES, PROTOCOLS)
def test_a_good_stream_has_no_problem_and_leaves_nothing_behind(value, protocol):
    lines = lines_of(pickle.dumps(value, protocol))
    assert not any(line.problem for line in lines)
    assert (lines[-1].opcode, lines[-1].depth, lines[-1].marks, lines[-1].top) == ("STOP", 0, 0, ())


@given(st.binary())
def test_any_bytes_end_in_stop_or_in_a_problem_and_never_raise(data):
    lines = lines_of(data)
    assert lines[-1].opcode == "STOP" or lines[-1].problem
    assert not any(line.problem for line in lines[:-1])


@given(VALUES, PROTOCOLS, st.data())
def test_a_stream_cut_short_is_shown_up_to_the_cut(value, protocol, draw):
    whole = pickle.dumps(value, protocol)
    cut = draw.draw(st.integers(min_value=0, max_value=len(whole) - 1))
    lines = lines_of(whole[:cut])
    assert lines[-1].problem
    assert lines[-1].position <= cut
    assert [line[:2] for line in lines[:-1]] == [line[:2] for line in disassemble(whole)][: len(lines) - 1]


@given(st.binary())
def test_every_rendered_line_is_printable(data):
    assert all(str(line).isprintable() for line in disassemble(data))


@pytest.mark.parametrize("row", opcodes.TABLE, ids=lambda row: row.name)
def test_an_instruction_that_takes_something_from_an_empty_stack_is_a_problem(row):
    lines = lines_of(bytes([row.code]) + ARGUMENT[row.name] + b".")
    assert lines[0].opcode == row.name
    assert bool(lines[0].problem) == bool(row.before or row.name in {"GET", "BINGET", "LONG_BINGET"})


# An argument for each opcode that takes one.
ARGUMENT = {
    row.name: {
        opcodes.NO_ARGUMENT: b"",
        opcodes.UINT1: b"\x00",
        opcodes.UINT2: b"\x00\x00",
        opcodes.INT4: b"\x00" * 4,
        opcodes.UINT4: b"\x00" * 4,
        opcodes.UINT8: b"\x01" + b"\x00" * 7,
        opcodes.FLOAT8: b"\x00" * 8,
        opcodes.DECIMAL_LINE: b"7\n",
        opcodes.FLOAT_LINE: b"1.5\n",
        opcodes.QUOTED_LINE: b"'a'\n",
        opcodes.ESCAPED_LINE: b"a\n",
        opcodes.TEXT_LINE: b"a\n",
        opcodes.TWO_LINES: b"a\nb\n",
        opcodes.BYTES1: b"\x00",
        opcodes.BYTES4: b"\x00" * 4,
        opcodes.BYTES8: b"\x00" * 8,
        opcodes.STRING1: b"\x00",
        opcodes.STRING4: b"\x00" * 4,
        opcodes.UTF8_1: b"\x00",
        opcodes.UTF8_4: b"\x00" * 4,
        opcodes.UTF8_8: b"\x00" * 8,
        opcodes.LONG1_: b"\x00",
        opcodes.LONG4_: b"\x00" * 4,
        opcodes.BYTEARRAY8_: b"\x00" * 8,
    }[row.argument]
    for row in opcodes.TABLE
}


@pytest.mark.parametrize("row", opcodes.TABLE, ids=lambda row: row.name)
def test_the_stack_grows_and_shrinks_as_the_row_says(row):
    data = b""
    for word in row.before:  # one value for each operand, a pair above each mark
        data += {"mark": b"(", "items": b"NN", "pairs": b"NN"}.get(word, b"N")
    if row.name in {"GET", "BINGET", "LONG_BINGET"}:
        data = b"Np7\nq\x000"  # the entries that the arguments above ask for
    lines = lines_of(data + bytes([row.code]) + ARGUMENT[row.name])
    after = next(line for line in lines if line.position == len(data))
    assert not after.problem
    assert after.depth == sum(word != "mark" for word in row.after)
    assert after.marks == sum(word == "mark" for word in row.after)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"cos\nsystem\n.", ["global:os.system"]),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", ["global:os.system"]),
        (b"\x80\x04\x8c\x02os\x94\x8c\x06system\x9400h\x00h\x01\x93.", ["global:os.system"]),
        (b"\x80\x04N\x8c\x06system\x93.", ["global:?"]),
        (b"cos\nsystem\n(S'x'\ntR.", ["call:os.system"]),
        (b"(cos\nsystem\nS'x'\no.", ["call:os.system"]),
        (b"(S'x'\nios\nsystem\n.", ["call:os.system"]),
        (b"\x80\x02cuuid\nUUID\n)\x81.", ["new:uuid.UUID"]),
        (b"\x80\x04cuuid\nUUID\n)}\x92.", ["new:uuid.UUID"]),
        (b"\x80\x02cuuid\nUUID\n)\x81}b.", ["new:uuid.UUID"]),
        (b"cos\nsystem\nq\x010h\x01.", ["global:os.system"]),
        (b"(((1.", ["mark", "mark"]),
        (b"(0N.", ["none"]),
        (b"N2.", ["none", "none"]),
        (b"]N(a.", ["list", "none", "mark"]),
    ],
)
def test_the_words_say_what_globals_calls_and_instances_stand_for(data, words):
    lines = lines_of(data)
    assert [line for line in lines if line.opcode != "STOP" and not line.problem][-1].top == tuple(words)


def test_only_the_top_of_a_high_stack_is_shown_and_the_rest_is_hinted_at():
    line = lines_of(b"N" * 50 + b".")[49]
    assert line.depth == 50
    assert len(line.top) == SHOWN_WORDS
    assert "[... none" in str(line)


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        (None, ""),
        (7, "7"),
        (True, "True"),
        (1.5, "1.5"),
        ("a\x1b\u202e", "'a\\x1b\\u202e'"),
        (b"a\x1b", "b'a\\x1b'"),
        (bytearray(b"a"), "b'a'"),
        (("os", "sys\ntem"), "os sys\\ntem"),
        (1 << 300, "an integer of 301 bits"),
        (-(1 << 300), "an integer of 301 bits"),
    ],
)
def test_an_argument_is_shown_escaped(argument, shown):
    assert show_argument(argument) == shown


@pytest.mark.parametrize(("argument", "unit"), [("x" * 1000, "characters"), (b"x" * 1000, "bytes")])
def test_a_long_argument_is_cut_and_says_how_long_it_was(argument, unit):
    assert show_argument(argument) == repr(argument[:LONGEST_ARGUMENT]) + f"... (1000 {unit})"


def test_what_is_memoized_is_shown_with_its_index():
    lines = lines_of(b"\x80\x04]\x94}\x94Nq\x07h\x01.")
    assert [(line.opcode, line.argument) for line in lines if line.opcode.endswith(("MEMOIZE", "PUT", "GET"))] == [
        ("MEMOIZE", "as 0"), ("MEMOIZE", "as 1"), ("BINPUT", "7"), ("BINGET", "1"),
    ]  # fmt: skip


@given(VALUES, PROTOCOLS)
def test_a_reader_of_a_larger_source_is_shown_as_bytes_are(value, protocol):
    data = pickle.dumps(value, protocol)
    reader = WindowReader(BytesSource(b"xyz" + data), 3)
    assert list(disassemble(reader, shift=-3)) == lines_of(data)
    assert list(disassemble(reader, shift=-3)) == lines_of(data)


def test_of_a_large_payload_only_the_beginning_is_read():
    payloads = [b"b" * 70_000, "é" * 70_000, bytearray(70_000), 1 << 600_000]
    reader = WindowReader(BytesSource(pickle.dumps(payloads, 5)), 0)
    shown = [line.argument for line in disassemble(reader) if "..." in line.argument]
    assert shown == [
        f"{b'b' * 60!r}... (70000 bytes)", f"{'é' * 60!r}... (140000 bytes)", f"{bytes(60)!r}... (70000 bytes)",
        f"{bytes(60)!r}... (75001 bytes)",
    ]  # fmt: skip


def test_a_large_text_that_is_none_is_a_problem_each_time_it_is_read():
    reader = WindowReader(BytesSource(b"X" + (70_000).to_bytes(4, "little") + b"x" * 69_999 + b"\xff."), 0)
    assert [list(disassemble(reader))[-1].problem for _ in range(2)] == ["text is not UTF-8: invalid start byte"] * 2


def test_a_pickle_can_start_anywhere_in_the_data():
    first, second = pickle.dumps([1], 2), pickle.dumps({"a": 2}, 4)
    lines = list(disassemble(first + second, len(first)))
    assert lines[0][:3] == (len(first), "PROTO", "4")
    assert lines[-1].position == len(first + second) - 1


def test_bytes_after_stop_are_not_read():
    assert lines_of(b"N.cos\nsystem\n")[-1].opcode == "STOP"


def test_the_work_of_a_long_stream_is_linear_in_it():
    data = b"(" + b"N" * 20_000 + b"t."
    tracemalloc.start()
    count = sum(1 for _ in disassemble(data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_003
    assert peak < 100 * len(data)
