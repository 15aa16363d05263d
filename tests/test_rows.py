"""Walking along pickles that are mere data says what judging each of them says, in all details."""

from __future__ import annotations

import io
import pickle
import struct
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safepickle import Policy, Report, rows, scanner, windows
from safepickle.containers.source import FileSource
from safepickle.expansion import FEW_SHARED
from safepickle.limits import DEFAULTS
from safepickle.members import MemberLog
from safepickle.reader import Reader
from safepickle.rows import Walk
from safepickle.verifier import Options, Verifier

PLAIN = Policy.named("plain")
EVIL = b"cos\nsystem\n(Vid\ntR."
FEW = struct.pack("<4B", 0x80, 4, 0x4E, 0x2E)  # the least pickle with a PROTO

atoms = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(max_size=9)
values = st.recursive(atoms, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(atoms, inner, max_size=4))
data = st.builds(pickle.dumps, values, st.integers(0, 5))
# A payload that is longer than what is there, and would be passed over: what it holds is searched all the same.
long = st.builds(
    lambda size, inside: b"\x80\x04B" + struct.pack("<I", size) + inside + bytes(9) + b".",
    st.sampled_from([70_000, 1 << 20]),
    st.sampled_from([b"", FEW, b"\x80\x04" + EVIL]),
)
hiding = st.builds(
    lambda inside, around, protocol: pickle.dumps([around, inside, around], protocol),
    data | st.sampled_from([b"\x80\x04" + EVIL, FEW, b"\x80\x04cos\nsystem\n", b"\x80\x05]\x94."]),
    st.binary(max_size=40),
    st.integers(0, 5),
)
broken = st.builds(lambda whole, cut: whole[: cut % len(whole)], data | hiding, st.integers(0, 99))
other = st.sampled_from(
    [EVIL, b"\0", bytes(512), b"\xff", b"Pid\n.", b"]q\x00h\x00a.", b"\x80\x04\x95\x02" + bytes(7) + b"N."]
)  # fmt: skip
usual = data | hiding
streams = st.lists(usual | usual | usual | broken | other | long, max_size=12)
padded = st.lists(usual, max_size=4).map(lambda all_of_them: [one + bytes(-len(one) % 512) for one in all_of_them])


def judged(whole: bytes, *, patience: int, small: bool) -> Report:
    """What a scan says: of bytes, or of a file in windows that are `small`, so that rows leave them at every place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, "_PATIENCE", patience)
        if not small:
            return scanner.scan(whole, policy=PLAIN)
        patch.setattr(scanner, "_WHOLE", 0)
        for module, name, size in ((windows, "_FIRST_READ", 5), (windows, "_LARGEST_READ", 64), (rows, "LARGE", 50)):
            patch.setattr(module, name, size)
        return scanner._Scan(None, FileSource(io.BytesIO(whole)), PLAIN).report()


@settings(max_examples=100)
@given(streams | padded, st.booleans())
def test_a_row_is_judged_as_each_of_its_streams_is(made, small):
    whole = b"".join(made)
    assert judged(whole, patience=8, small=small).to_dict() == judged(whole, patience=0, small=small).to_dict()


def walk_of(whole: bytes, most: int = 1000) -> tuple[bool, Walk, MemberLog]:
    reader = Reader(whole)
    log = MemberLog()
    numbers, word = log.noting("pass", "", len(whole))
    walk = Walk(Verifier(reader, PLAIN.data, DEFAULTS, Options(scanning=True)), reader, 0)
    return walk.run(numbers, word, most, FEW_SHARED), walk, log


def test_a_walk_notes_what_it_is_sure_of_and_ends_before_what_it_is_not():
    for end, sure in ((b"", True), (bytes(3), True), (EVIL, False), (b"N", False), (b"]q\x00h\x00a.", False)):
        is_sure, walk, log = walk_of(b"N." + FEW + end)
        assert (is_sure, walk.at) == (sure, 6)
        assert tuple(log) == ((0, 2, 2, "pass", ""), (2, 6, 3, "pass", ""))


def test_a_walk_notes_where_pickles_may_have_others_inside():
    hides = pickle.dumps([FEW], 4)
    _, walk, _ = walk_of(FEW + hides + b"N." + hides + FEW)
    assert walk.loud == [(5, 4 + len(hides)), (7 + len(hides), 6 + 2 * len(hides))]


def test_a_walk_ends_before_what_shares_so_much_that_it_has_to_be_weighed():
    levels = range(FEW_SHARED + 1)
    sharing = b"]q\x00" + b"".join(b"](h%ch%ceq%c" % (level, level, level + 1) for level in levels) + b"."
    is_sure, walk, log = walk_of(b"N." + sharing + b"N.")
    assert (is_sure, walk.at, len(log)) == (False, 2, 1)
    few = b"]q\x00(h\x00h\x00t."
    assert walk_of(b"N." + few + b"N.")[0]


def test_a_walk_goes_with_the_reader_of_its_verifier():
    reader = Reader(FEW)
    verifier = Verifier(reader, PLAIN.data, DEFAULTS, Options(scanning=True))
    with pytest.raises(ValueError, match="the reader of its verifier"):
        Walk(verifier, Reader(FEW), 0)
    with pytest.raises(TypeError):
        Walk(None, reader, 0)
    with pytest.raises(TypeError):
        Walk(verifier, None, 0)


def test_a_walk_has_an_end():
    is_sure, walk, log = walk_of(b"N." * 9, most=4)
    assert (is_sure, walk.at, len(log)) == (True, 8, 4)


def test_a_log_with_large_numbers_takes_them_as_it_takes_small_ones():
    log = MemberLog()
    numbers, word = log.noting("pass", "", 1 << 40)
    reader = Reader(FEW)
    walk = Walk(Verifier(reader, PLAIN.data, DEFAULTS, Options(scanning=True)), reader, 1 << 39)
    assert walk.run(numbers, word, 9, FEW_SHARED)
    assert tuple(log) == ((1 << 39, (1 << 39) + 4, 3, "pass", ""),)
    assert numbers.typecode == array("Q").typecode


def test_a_window_with_many_pickles_in_pickles_is_copied_once_for_all_of_them(monkeypatch):
    """To copy what follows for each of them would be work in proportion to the square of a window."""
    copies = []

    def frozen(beside, original=scanner._Beside._frozen):
        copies.append(original(beside))
        return copies[-1]

    monkeypatch.setattr(scanner._Beside, "_frozen", frozen)
    monkeypatch.setattr(scanner, "_WHOLE", 0)
    whole = pickle.dumps([FEW], 4) * 3000
    report = scanner._Scan(None, FileSource(io.BytesIO(whole)), PLAIN).report()
    assert (report.verdict, len(report.members), len(copies)) == ("pass", 3000, 3000)
    assert sum(map(len, {id(copy): copy for copy in copies}.values())) < 9 * len(whole)
