"""The cursor over large sources reads what the other one reads, past the payloads."""

from __future__ import annotations

import gc
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepickle.containers.source import BytesSource, Exhausted
from safepickle.errors import MalformedStream, StreamError, UnpicklingError
from safepickle.policy import Policy
from safepickle.reader import Reader
from safepickle.scanner import scan
from safepickle.verifier import Options, Verifier
from safepickle.windows import WindowReader

DATA = Path(__file__).parent / "data"
STREAMS = [path for path in sorted(DATA.rglob("*.pkl"))[::7] if path.stat().st_size < 10_000]
LONG = bytes(100_000)


def outcome(reader: Reader) -> tuple[object, ...]:
    """What a pass over a pickle says: where it ends or why it breaks off, and what it asks for."""
    policy = Policy.named("stdlib")
    verifier = Verifier(reader, policy.data, policy.limits, Options(scanning=True))
    ended: object = None
    try:
        verifier.run()
    except StreamError as error:
        ended = type(error), str(error), error.position, error.opcode
    names = {name: symbol.uses for name, symbol in verifier.globals.items()}
    return ended, reader.consumed if verifier.finished else None, verifier.opcodes, names


def both(data: bytes, start: int = 0) -> None:
    assert outcome(WindowReader(BytesSource(b"x" * start + data), start)) == outcome(Reader(data))


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)
def test_every_stream_is_read_as_it_is_in_memory(path):
    both(path.read_bytes())


@given(st.binary(max_size=100), st.integers(min_value=0, max_value=40))
def test_any_bytes_are_read_as_they_are_in_memory_wherever_they_begin(data, start):
    both(data, start)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "value",
    [LONG, bytearray(LONG), "é" * 60_000, [LONG, {"a": LONG}, "x" * 70_000, 3]],
    ids=["bytes", "bytearray", "str", "list"],
)
def test_long_payloads_are_passed_over_at_every_protocol(value, protocol):
    both(pickle.dumps(value, protocol))


def test_a_long_number_is_passed_over():
    both(pickle.dumps(1 << 600_000, 2))


@pytest.mark.parametrize("cut", [1, 50_000, 99_000])
def test_a_payload_that_breaks_off_is_malformed(cut):
    data = pickle.dumps([LONG], 4)[:-cut]
    assert outcome(WindowReader(BytesSource(data), 0))[0][0] is MalformedStream


def test_a_long_text_that_is_not_utf8_is_malformed():
    data = pickle.dumps("x" * 100_000, 4).replace(b"xxxx", b"xx\xffx", 1)
    assert outcome(WindowReader(BytesSource(data), 0))[0][0] is MalformedStream


def test_payloads_are_shown_with_their_places_and_not_kept():
    shown = []
    data = pickle.dumps([LONG, b"y" * 70_000], 4)
    reader = WindowReader(BytesSource(data), 0)
    reader.look = lambda place, begins, until: shown.append((place, begins, until))
    assert outcome(reader)[0] is None
    assert [(data[place : place + 3], until) for place, _, until in shown] == [(LONG[:3], 100_000), (b"yyy", 70_000)]
    assert [begins for _, begins, _ in shown] == [data[place : place + until + 4096] for place, _, until in shown]
    assert len(reader.data) < 200
    assert [reader.where(pos) for pos in (0, len(reader.data) - 1)] == [0, len(data) - 1]


def test_a_payload_can_be_asked_for_again():
    data = pickle.dumps(b"z" * 70_000, 4)
    reader = WindowReader(BytesSource(data), 0)
    assert outcome(reader)[0] is None
    assert reader.literal(data.index(b"B")) == b"z" * 70_000


def test_what_is_kept_is_bounded_by_its_room():
    reader = WindowReader(BytesSource(b"N0" * 10_000 + b"N."), 0, room=1000)
    with pytest.raises(UnpicklingError):
        Verifier(reader, Policy.named("plain").data, Policy.named("plain").limits, Options(scanning=True)).run()
    assert isinstance(reader.failure, Exhausted)
    assert len(reader.data) <= 1000


def test_a_scan_keeps_nothing_alive_that_only_the_collector_would_free(tmp_path):
    path = tmp_path / "large.pkl"
    path.write_bytes(pickle.dumps([bytes(2 << 20), [1] * 1000], 4))
    scan(path, policy=Policy.named("plain"))
    gc.collect()
    gc.disable()
    try:
        scan(path, policy=Policy.named("plain"))
        assert not [found for found in gc.get_objects() if isinstance(found, WindowReader)]
    finally:
        gc.enable()
