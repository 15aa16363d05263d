"""The writer against the standard library's own description of the format, and against the framing rules."""

from __future__ import annotations

import pickle
import pickletools
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from safepickle import opcodes
from safepickle.errors import PicklingError
from safepickle.writer import FRAME_HEADER_SIZE, FRAME_SIZE_MIN, FRAME_SIZE_TARGET, Writer, encode_long

PROTOCOLS = range(opcodes.HIGHEST_PROTOCOL + 1)
INTEGER_EDGES = sorted(
    sign * (base + step)
    for base in (0, 1 << 7, 1 << 8, 1 << 15, 1 << 16, 1 << 31, 1 << 32, 1 << 63, 1 << 2039, 1 << 2040, 1 << 2047)
    for step in (-1, 0, 1)
    for sign in (1, -1)
)


def written(protocol: int, fill: Callable[[Writer], object]) -> bytes:
    """The pickle of one writer, collected in memory."""
    writer = Writer(protocol)
    writer.start(None)
    fill(writer)
    return writer.finish()


def read(data: bytes) -> list[tuple[str, Any]]:
    """The opcodes of a pickle without its opening, frames and end, as `pickletools` reads them."""
    return [
        (code.name, argument)
        for code, argument, _ in pickletools.genops(data)
        if code.name not in {"PROTO", "FRAME", "STOP"}
    ]


def opcodes_of(protocol: int, fill: Callable[[Writer], object]) -> list[tuple[str, Any]]:
    return read(written(protocol, fill))


class Recorder:
    """A file that keeps what it is given, itself and not a copy."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def write(self, data: Any) -> None:
        self.calls.append(data)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(value=st.integers() | st.sampled_from(INTEGER_EDGES))
@example(value=0)
def test_an_integer_is_read_back_by_pickletools_from_one_opcode(protocol, value):
    [(name, argument)] = opcodes_of(protocol, lambda writer: writer.integer(value))
    assert argument == value
    assert opcodes.BY_NAME[name].protocol <= protocol


@pytest.mark.parametrize("protocol", PROTOCOLS[1:])
@pytest.mark.parametrize(
    ("value", "name"),
    [
        (0, "BININT1"), (255, "BININT1"), (256, "BININT2"), (65535, "BININT2"), (65536, "BININT"), (-1, "BININT"),
        ((1 << 31) - 1, "BININT"), (-(1 << 31), "BININT"),
    ],
)  # fmt: skip
def test_a_small_integer_gets_its_shortest_opcode(protocol, value, name):
    assert opcodes_of(protocol, lambda writer: writer.integer(value)) == [(name, value)]


@pytest.mark.parametrize("value", [1 << 31, -(1 << 31) - 1])
def test_an_integer_beyond_four_bytes_is_text_below_protocol_2(value):
    assert [opcodes_of(protocol, lambda writer: writer.integer(value))[0][0] for protocol in PROTOCOLS] == [
        "LONG", "LONG", "LONG1", "LONG1", "LONG1", "LONG1",
    ]  # fmt: skip


@given(value=st.integers() | st.sampled_from(INTEGER_EDGES))
def test_encode_long_is_the_shortest_twos_complement(value):
    data = encode_long(value)
    assert data == pickle.encode_long(value)
    assert int.from_bytes(data, "little", signed=True) == value
    if data:
        assert int.from_bytes(data[:-1], "little", signed=True) != value


def test_an_integer_as_text_obeys_the_limit_on_digits_and_binary_ones_do_not():
    huge = 10**5000
    for protocol in (0, 1):
        with pytest.raises(ValueError, match="integer string conversion"):
            written(protocol, lambda writer: writer.integer(huge))
    for protocol in (2, 3, 4, 5):
        data = written(protocol, lambda writer: writer.integer(huge))
        assert read(data)[0][0] == "LONG4"
        assert encode_long(huge) in data


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(value=st.floats())
def test_a_float_keeps_its_bits(protocol, value):
    [(_, argument)] = opcodes_of(protocol, lambda writer: writer.floating(value))
    assert repr(argument) == repr(value)
    if protocol:
        assert struct.pack(">d", value) in written(protocol, lambda writer: writer.floating(value))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(value=st.text(st.characters(), max_size=300))
@example(value="\n\\\r\0\x1a\\u1234\xff\u1234\U00012345\ud800")
@example(value="x" * 255)
@example(value="x" * 256)
@example(value="\xe9" * 128)
def test_text_is_read_back_by_pickletools_whatever_it_holds(protocol, value):
    assert [argument for _, argument in opcodes_of(protocol, lambda writer: writer.text(value))] == [value]


def test_a_text_line_of_protocol_0_has_nothing_that_could_end_it():
    data = written(0, lambda writer: writer.text("".join(map(chr, range(0x120)))))
    assert data.count(b"\n") == 1
    assert not set(b"\0\r\x1a") & set(data)


@pytest.mark.parametrize("protocol", PROTOCOLS[3:])
@pytest.mark.parametrize("size", [0, 1, 255, 256, FRAME_SIZE_TARGET - 1, FRAME_SIZE_TARGET, FRAME_SIZE_TARGET + 1])
def test_bytes_are_read_back_at_every_size(protocol, size):
    payload = bytes(range(256)) * (size // 256 + 1)
    payload = payload[:size]
    assert [argument for _, argument in opcodes_of(protocol, lambda writer: writer.byte_string(payload, payload))] == [
        payload
    ]


@pytest.mark.parametrize("size", [0, 1, 255, 256, FRAME_SIZE_TARGET - 1, FRAME_SIZE_TARGET, FRAME_SIZE_TARGET + 1])
def test_a_bytearray_is_read_back_at_every_size(size):
    payload = bytearray(size)
    assert opcodes_of(5, lambda writer: writer.byte_array(payload, payload)) == [("BYTEARRAY8", payload)]


def test_booleans_are_ints_to_readers_older_than_protocol_2():
    assert [written(protocol, lambda writer: writer.boolean(True))[-5:-1] for protocol in (0, 1)] == [b"I01\n"] * 2
    assert [written(protocol, lambda writer: writer.boolean(False))[-5:-1] for protocol in (0, 1)] == [b"I00\n"] * 2
    assert opcodes_of(2, lambda writer: writer.boolean(True)) == [("NEWTRUE", None)]
    assert opcodes_of(2, lambda writer: writer.boolean(False)) == [("NEWFALSE", None)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_empty_containers_need_a_mark_only_in_protocol_0(protocol):
    def names(fill):
        return [name for name, _ in opcodes_of(protocol, fill)]

    assert names(Writer.empty_list) == (["EMPTY_LIST"] if protocol else ["MARK", "LIST"])
    assert names(Writer.empty_dict) == (["EMPTY_DICT"] if protocol else ["MARK", "DICT"])
    assert names(Writer.empty_tuple) == (["EMPTY_TUPLE"] if protocol else ["MARK", "TUPLE"])
    assert names(Writer.none) == ["NONE"]


def test_short_tuples_name_their_size():
    assert [opcodes_of(2, lambda writer, size=size: writer.short_tuple(size))[0][0] for size in (1, 2, 3)] == [
        "TUPLE1", "TUPLE2", "TUPLE3",
    ]  # fmt: skip


def test_dropping_to_a_mark_takes_one_opcode_or_one_for_each_value_and_the_mark():
    assert written(0, lambda writer: writer.drop_to_mark(3)) == b"0000."
    assert written(1, lambda writer: writer.drop_to_mark(3)) == b"1."
    assert written(1, lambda writer: writer.drop(2)) == b"00."


@pytest.mark.parametrize("index", [0, 255, 256, 65536, 0xFFFFFFFF])
def test_a_memo_index_is_read_back_by_pickletools(index):
    for protocol in PROTOCOLS:
        assert [argument for _, argument in opcodes_of(protocol, lambda writer: writer.get(index))] == [index]
    for protocol in PROTOCOLS[:4]:
        assert [argument for _, argument in opcodes_of(protocol, lambda writer: writer.put(index))] == [index]
    for protocol in PROTOCOLS[4:]:
        assert opcodes_of(protocol, lambda writer: writer.put(index)) == [("MEMOIZE", None)]


def test_a_memo_index_of_more_than_four_bytes_is_refused():
    with pytest.raises(PicklingError, match="memo id too large for LONG_BINGET"):
        written(2, lambda writer: writer.get(1 << 32))
    with pytest.raises(PicklingError, match="memo id too large for LONG_BINPUT"):
        written(2, lambda writer: writer.put(1 << 32))


@pytest.mark.parametrize(
    ("code", "name"),
    [(1, "EXT1"), (255, "EXT1"), (256, "EXT2"), (65535, "EXT2"), (65536, "EXT4"), (0x7FFFFFFF, "EXT4")],
)
def test_an_extension_code_gets_its_shortest_opcode(code, name):
    assert opcodes_of(2, lambda writer: writer.extension(code)) == [(name, code)]


def test_only_protocol_3_spells_names_beyond_ascii():
    assert opcodes_of(2, lambda writer: writer.global_name("module", "name")) == [("GLOBAL", "module name")]
    assert b"c" + "mödule\nnäme\n".encode() in written(3, lambda writer: writer.global_name("mödule", "näme"))
    for protocol in (0, 1, 2):
        with pytest.raises(PicklingError, match="can't pickle module identifier 'mödule' using pickle protocol"):
            written(protocol, lambda writer: writer.global_name("mödule", "name"))
    for protocol in (0, 1, 2, 3):
        with pytest.raises(PicklingError, match="can't pickle global identifier"):
            written(protocol, lambda writer: writer.global_name("module", "n\ud800me"))


def test_a_persistent_line_is_ascii():
    assert opcodes_of(0, lambda writer: writer.persistent_line("id 1")) == [("PERSID", "id 1")]
    with pytest.raises(PicklingError, match="persistent IDs in protocol 0 must be ASCII strings"):
        written(0, lambda writer: writer.persistent_line("é"))


def test_an_out_of_band_buffer_says_whether_it_is_read_only():
    assert [name for name, _ in opcodes_of(5, lambda writer: writer.out_of_band(True))] == [
        "NEXT_BUFFER",
        "READONLY_BUFFER",
    ]
    assert [name for name, _ in opcodes_of(5, lambda writer: writer.out_of_band(False))] == ["NEXT_BUFFER"]


# Framing


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pickle_opens_with_its_protocol_from_2_on(protocol):
    data = written(protocol, Writer.none)
    assert data == (bytes((opcodes.PROTO, protocol)) if protocol >= 2 else b"") + b"N."


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("count", range(8))
def test_a_frame_shorter_than_four_bytes_has_no_header(protocol, count):
    data = written(protocol, lambda writer: [writer.none() for _ in range(count)])
    framed = count + 1 >= FRAME_SIZE_MIN
    assert len(data) == 2 + count + 1 + FRAME_HEADER_SIZE * framed
    if framed:
        assert struct.unpack("<BQ", data[2:11]) == (opcodes.FRAME, count + 1)


def test_a_frame_ends_at_the_first_boundary_after_its_target():
    writer = Writer(4)
    writer.start(None)
    sizes = []
    for _ in range(3 * FRAME_SIZE_TARGET):
        if len(writer.buffer) >= writer.frame_full:
            writer.boundary()
        writer.none()
    for code, argument, _ in pickletools.genops(writer.finish()):
        if code.name == "FRAME":
            sizes.append(argument)
    assert sizes == [FRAME_SIZE_TARGET] * 2 + [FRAME_SIZE_TARGET + 1]


@pytest.mark.parametrize("protocol", PROTOCOLS[:4])
def test_protocols_below_4_never_reach_a_boundary_on_the_way_to_a_file(protocol):
    file = Recorder()
    writer = Writer(protocol)
    writer.start(file.write)
    writer.text("x" * 10 * FRAME_SIZE_TARGET)
    writer.text("x" * (FRAME_SIZE_TARGET - 1))
    assert len(writer.buffer) < writer.frame_full


@pytest.mark.parametrize("protocol", PROTOCOLS[:4])
def test_a_boundary_leaves_no_trace_below_protocol_4(protocol):
    def fill(writer):
        for number in range(3 * FRAME_SIZE_TARGET):
            if len(writer.buffer) >= writer.frame_full:
                writer.boundary()
                assert len(writer.buffer) == 0
            writer.integer(number)

    opening = 2 * (protocol >= 2)
    expected = b"".join(
        written(protocol, lambda writer, number=number: writer.integer(number))[opening:-1]
        for number in range(3 * FRAME_SIZE_TARGET)
    )
    data = written(protocol, fill)
    assert data[opening:-1] == expected


@pytest.mark.parametrize("protocol", PROTOCOLS[3:])
def test_a_large_payload_reaches_the_file_itself_outside_of_any_frame(protocol):
    payload = bytes(FRAME_SIZE_TARGET)
    file = Recorder()
    writer = Writer(protocol)
    writer.start(file.write)
    writer.none()
    writer.byte_string(payload, payload)
    writer.none()
    assert writer.finish() == b""
    before, same, after = file.calls
    assert same is payload
    assert before.endswith(b"N" + struct.pack("<BI", opcodes.BINBYTES, len(payload)))
    assert after == b"N."
    collected = written(protocol, lambda writer: (writer.none(), writer.byte_string(payload, payload), writer.none()))
    assert collected == b"".join(file.calls)


def test_a_large_payload_that_changes_later_is_written_as_it_was():
    payload = bytearray(FRAME_SIZE_TARGET)
    writer = Writer(5)
    writer.start(None)
    writer.byte_array(payload, payload)
    payload[:] = b"changed"
    assert writer.finish().count(0) >= FRAME_SIZE_TARGET


def test_a_full_frame_leaves_memory_when_there_is_a_file():
    file = Recorder()
    writer = Writer(4)
    writer.start(file.write)
    writer.text("x" * (FRAME_SIZE_TARGET - 1))
    assert file.calls == []
    assert len(writer.buffer) >= writer.frame_full
    writer.boundary()
    assert len(file.calls) == 1
    assert len(writer.buffer) == FRAME_HEADER_SIZE


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_started_writer_knows_nothing_of_the_pickle_before(protocol):
    writer = Writer(protocol)
    writer.start(None)
    writer.text("unfinished" * 10_000)
    writer.start(None)
    writer.none()
    assert writer.finish() == written(protocol, Writer.none)
    writer.start(None)
    writer.none()
    assert writer.finish() == written(protocol, Writer.none)


def test_every_opcode_without_an_argument_is_one_byte():
    for row in opcodes.TABLE:
        if row.argument == opcodes.NO_ARGUMENT:
            assert written(0, lambda writer, code=row.code: writer.op(code)) == bytes((row.code,)) + b"."


class _Long:
    """Stands for bytes of a length that no test machine has the memory for."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size


def test_bytes_above_4_gib_need_protocol_4():
    giant = _Long(1 << 32)
    with pytest.raises(OverflowError, match="serializing a bytes object larger than 4 GiB requires pickle protocol 4"):
        written(3, lambda writer: writer.byte_string(giant, giant))
    file = Recorder()
    writer = Writer(4)
    writer.start(file.write)
    writer.byte_string(giant, giant)
    assert file.calls[0].endswith(struct.pack("<BQ", opcodes.BINBYTES8, 1 << 32))
    assert file.calls[1] is giant
