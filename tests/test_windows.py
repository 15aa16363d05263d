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


# -- Mere data, read once ----------------------------------------------------------------------------------------------

RECORDS = [{"id": number, "name": f"record {number}", "text": "x" * (number % 400), 3: 1} for number in range(30_000)]
LONG_KEYS = [{"k" * 300: number, ("k" * 300, number): 1} for number in range(20_000)]
LARGE = [[number, bytes(70_000), "y" * 300] for number in range(50)] + RECORDS[:20_000]


def mere_data(reader: Reader) -> tuple[object, ...]:
    """What a light pass says."""
    policy = Policy.named("plain")
    verifier = Verifier(reader, policy.data, policy.limits, Options(scanning=True))
    verifier.expect_data()
    if not verifier.is_mere_data():
        return (None,)
    return verifier.opcodes, reader.consumed, verifier.shared


def once(data: bytes) -> WindowReader:
    reader = WindowReader(BytesSource(data), 0)
    reader.pass_once(lambda until: None)
    return reader


@pytest.mark.parametrize(
    ("value", "protocol"), [(RECORDS, protocol) for protocol in (1, 2, 4)] + [(LARGE, 3), (LARGE, 5)]
)
def test_mere_data_is_read_once_as_it_is_read_in_memory(value, protocol):
    data = pickle.dumps(value, protocol)
    assert len(data) > 2 << 20
    reader = once(data)
    assert mere_data(reader) == mere_data(Reader(data)) == (outcome(Reader(data))[2], len(data), 0)
    assert len(reader.data) < 3 << 20


def test_what_is_let_go_was_seen_by_whoever_looks_for_something_in_it():
    data = pickle.dumps(LARGE, 4)
    reader = WindowReader(BytesSource(data), 0)
    shown = []

    def see(until: int) -> None:
        shown.extend((reader.where(at), reader.where(at + 499) + 1) for at in range(0, until - 499, 500))
        assert all(data[reader.where(at)] == reader.data[at] for at in range(0, until, 37))

    reader.look = lambda place, begins, until: shown.append((place, place + until))
    reader.pass_once(see)
    assert mere_data(reader) != (None,)
    see(reader.pos)
    assert min(start for start, _ in shown) == 0
    behind = 0
    for start, stop in sorted(shown):
        assert start - behind < 600  # the rest of a piece
        behind = max(behind, stop)
    assert len(data) - behind < 600


def test_what_was_let_go_is_not_read_again():
    reader = once(pickle.dumps(RECORDS, 4))
    assert mere_data(reader) != (None,)
    with pytest.raises(ValueError, match="only once"):
        reader.again()


def test_a_long_key_that_was_let_go_is_not_guessed():
    data = pickle.dumps(LONG_KEYS, 2)
    assert mere_data(Reader(data)) != (None,)
    assert mere_data(once(data)) == (None,)  # equal texts are compared, so this one is asked for
    assert scan(data, policy=Policy.named("plain")).ok


def test_a_place_in_an_error_counts_from_the_beginning(tmp_path):
    data = pickle.dumps(RECORDS, 4)[:-1] + b"\xff"
    path = tmp_path / "broken.pkl"
    path.write_bytes(data)
    told = scan(path, policy=Policy.named("plain"))
    assert told._replace(source=None, hashed="") == scan(data, policy=Policy.named("plain"))._replace(hashed="")
    assert [finding.position for finding in told.findings] == [len(data) - 1]


@pytest.mark.parametrize("end", [b"cos\nsystem\n.", b"0cos\nsystem\n.", b"\xff", b"", b"e."], ids=repr)
def test_what_turns_out_to_be_more_than_data_is_judged_as_a_whole(tmp_path, end):
    hidden = pickle.dumps([RECORDS, b"\x80\x04cos\nsystem\n)R.", b"\x80\x04N."], 4)[:-1]
    path = tmp_path / "more.pkl"
    path.write_bytes(hidden + end)
    told = scan(path, policy=Policy.named("plain"))
    assert told._replace(source=None, hashed="") == scan(hidden + end, policy=Policy.named("plain"))._replace(hashed="")
    assert not told.ok


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
