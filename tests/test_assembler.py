"""The assembler against `pickletools`, which knows the format independently of the opcode table."""

from __future__ import annotations

import pickle
import pickletools

import pytest

from safepickle import opcodes
from tests.assembler import (
    SAMPLES,
    AssembleError,
    asm,
    framed,
    is_counted,
    length_size,
    literal,
    lying,
    named,
    pickled,
    reduce,
    text,
    twos_complement,
)


def _as_pickletools_gives_it(row: opcodes.Opcode) -> object:
    arguments = SAMPLES[row.argument]
    if row.argument == opcodes.NO_ARGUMENT:
        return None
    if row.argument == opcodes.TWO_LINES:
        return " ".join(map(str, arguments))
    if row.argument == opcodes.BYTEARRAY8_:
        return bytearray(b"abc")
    return arguments[0]


@pytest.mark.parametrize("row", opcodes.TABLE, ids=lambda row: row.name)
def test_every_row_is_laid_out_as_pickletools_reads_it(row: opcodes.Opcode) -> None:
    stream = asm((row.name, *SAMPLES[row.argument])) + asm("STOP")
    (opcode, argument, position), *rest = pickletools.genops(stream)
    assert (opcode.name, position) == (row.name, 0)
    assert [found.name for found, _, _ in rest] == ["STOP"] * (row.name != "STOP")
    assert argument == _as_pickletools_gives_it(row)


@pytest.mark.parametrize("value", [0, 1, -1, 127, 128, -128, -129, 255, 256, 2**62, -(2**63), 10**40, -(10**40)])
def test_twos_complement_is_the_shortest_one_pickle_writes(value: int) -> None:
    assert twos_complement(value) == pickle.encode_long(value)


@pytest.mark.parametrize(
    "value",
    [None, True, 7, 300, -5, 2**40, 2**3000, 1.5, "text", "t" * 300, b"b", b"b" * 300, bytearray(b"x"),
     [1, [2]], (1, ()), {"a": {1: 2}}, {1, 2}],
)  # fmt: skip
def test_a_literal_is_read_back_as_the_value(value: object) -> None:
    assert pickle.loads(pickled(5, literal(value))) == value


def test_a_frame_holds_exactly_its_steps() -> None:
    assert asm(framed(("BININT1", 5), "STOP")) == b"\x95" + b"\x03" + bytes(7) + b"K\x05."


def test_phrases_make_a_call() -> None:
    assert pickle.loads(pickled(4, reduce(named(text("builtins"), text("range")), ("BININT1", 3)))) == range(3)


def test_a_line_given_as_bytes_is_written_as_spelled() -> None:
    assert asm(("INT", b"0x1"), ("INT", True), ("LONG", 5), ("STRING", b"'a")) == b"I0x1\nI01\nL5L\nS'a\n"


@pytest.mark.parametrize("row", [row for row in opcodes.TABLE if is_counted(row)], ids=lambda row: row.name)
def test_a_lying_length_is_written_and_its_payload_is_not_padded(row: opcodes.Opcode) -> None:
    size = length_size(row)
    assert lying(row.name, -1, b"x") == bytes([row.code]) + b"\xff" * size + b"x"
    assert lying(row.name, 100) == bytes([row.code, 100]) + bytes(size - 1)


@pytest.mark.parametrize(
    "step",
    [
        "NOPE", ("BININT1",), ("BININT1", 1, 2), ("BININT1", 256), ("BININT1", -1), ("BININT1", "x"), ("NONE", 1),
        ("INT", "1"), ("INT", 1.5), ("FLOAT", 1), ("GLOBAL", "os"), ("GLOBAL", "o\ns", "x"), ("PERSID", 1),
        ("STRING", 1), ("UNICODE", 1), ("LONG", True), ("SHORT_BINBYTES", "text"), ("SHORT_BINBYTES", bytes(256)),
        ("LONG1", "x"), ("BINSTRING", 1), (), 5, None,
    ],
)  # fmt: skip
def test_what_cannot_be_laid_out_is_an_error(step: object) -> None:
    with pytest.raises(AssembleError):
        asm(step)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("arguments", [("NONE", 1), ("NOPE", 1), ("SHORT_BINBYTES", 256), ("BINBYTES", 2**32)])
def test_only_a_counted_opcode_can_lie_and_only_within_its_field(arguments: tuple[str, int]) -> None:
    with pytest.raises(AssembleError):
        lying(*arguments)


def test_a_value_without_a_literal_is_an_error() -> None:
    with pytest.raises(AssembleError):
        literal(object())
