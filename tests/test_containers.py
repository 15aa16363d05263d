"""Containers: every known trick, by what a scan says of it."""

from __future__ import annotations

import bz2
import gc
import gzip
import hashlib
import io
import lzma
import pickle
import random
import sqlite3
import struct
import subprocess
import sys
import tracemalloc
import weakref
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path

import pytest

import safepickle
import safepickle.scanner
from safepickle.cli import main
from safepickle.containers import sevenzips
from safepickle.containers.source import Budget, BytesSource, FileSource, Unpacked
from safepickle.policy import Policy
from safepickle.report import RULES
from tests import make_containers as made

PLAIN = Policy.named("plain")


@pytest.mark.parametrize("name", made.CASES)
def test_a_container_is_judged_by_everything_that_is_in_it(name):
    case = made.CASES[name]()
    report = safepickle.scan(case.data, policy=PLAIN)
    told = {finding.rule for finding in report.findings}
    assert (report.verdict, case.rules - told) == (case.verdict, frozenset()), report.findings
    assert len(report.members) >= case.least_members
    assert told <= RULES.keys()
    assert report.ok == (case.verdict == made.PASS)
    if report.ok:
        assert report.claimed == report.size == len(case.data)
        assert report.findings == ()


# -- Bounds ------------------------------------------------------------------------------------------------------------


def limited(**limits: object) -> Policy:
    named = ", ".join(f"{name}: {value}" for name, value in limits.items())
    return Policy.from_yaml(f"safepickle: 1\nlimits: {{{named}}}\n")


def rules(report: safepickle.Report) -> set[str]:
    return {finding.rule for finding in report.findings}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zlib.compress])
def test_what_comes_out_of_decompression_is_bounded(pack):
    report = safepickle.scan(pack(pickle.dumps(bytes(3 << 20))), policy=limited(unpacked="1 MiB"))
    assert (report.verdict, rules(report)) == ("incomplete", {"unpack-limit"})


def test_a_payload_of_a_compressed_pickle_is_not_kept():
    data = gzip.compress(pickle.dumps([bytes(32 << 20), b"x"]), 1)
    tracemalloc.start()
    report = safepickle.scan(data, policy=PLAIN)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.ok
    assert peak < 24 << 20


def test_opcodes_out_of_decompression_are_bounded_over_all_members():
    members = [(f"{number}.pkl", b"N0" * 40_000 + b"N.") for number in range(3)]
    data = made.in_zip(*members, method=zipfile.ZIP_DEFLATED)
    report = safepickle.scan(data, policy=limited(unpacked_opcodes="128 KiB"))
    assert (report.verdict, rules(report)) == ("incomplete", {"unpack-limit"})
    assert safepickle.scan(data, policy=PLAIN).ok


def test_the_number_of_members_is_bounded():
    data = made.in_zip(*((f"{number}", made.GOOD) for number in range(20)))
    report = safepickle.scan(data, policy=limited(members=10))
    assert (report.verdict, rules(report)) == ("incomplete", {"unpack-limit"})
    assert safepickle.scan(data, policy=limited(members=20)).ok


def test_containers_in_containers_are_followed_as_deep_as_the_limit_says():
    data = made.GOOD
    for _ in range(3):
        data = gzip.compress(data)
    assert safepickle.scan(data, policy=limited(nested=3)).ok
    assert rules(safepickle.scan(data, policy=limited(nested=2))) == {"unpack-limit"}


def test_members_that_lie_in_each_other_are_bounded():
    """Each of three hundred entries of a directory points to the same bytes."""
    one = made.in_zip(("a.pkl", pickle.dumps(bytes(50_000))))
    first, end = made.central(one), one.rindex(b"PK\5\6")
    directory = one[first:end] * 300
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 300, 300, len(directory), first, 0)
    report = safepickle.scan(one[:first] + directory + last, policy=PLAIN)
    assert report.verdict == "malformed"
    assert {"unpack-limit", "container-mismatch"} <= rules(report)
    assert len(report.members) < 60


def test_buckets_of_gdbm_that_lie_in_each_other_are_bounded():
    data = bytearray((LIBRARY / "good.gdbm").read_bytes())
    directory = int.from_bytes(data[8:16], "little")
    bucket = int.from_bytes(data[directory : directory + 8], "little")
    for number in range(512):
        struct.pack_into("<Q", data, directory + 8 * number, bucket + number)
    assert safepickle.scan(bytes(data), policy=PLAIN).verdict == "incomplete"


def test_what_a_database_computes_when_it_is_read_is_not_read():
    with sqlite3.connect(":memory:") as base:
        base.execute("CREATE TABLE slow (value BLOB, b AS (hex(zeroblob(20000000))))")
        base.execute("INSERT INTO slow (value) VALUES (?)", (made.EVIL,))
        base.commit()
        data = base.serialize()
    base.close()
    report = safepickle.scan(data, policy=PLAIN)
    assert (report.verdict, rules(report)) == ("forbidden", {"not-granted", "container"})


def test_a_view_of_a_database_is_never_read():
    with sqlite3.connect(":memory:") as base:
        base.execute("CREATE TABLE plain (value BLOB)")
        base.execute("INSERT INTO plain VALUES (?)", (made.GOOD,))
        endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x FROM n"
        base.execute(f"CREATE VIEW endless AS {endless}")
        base.commit()
        data = base.serialize()
    base.close()
    report = safepickle.scan(data, policy=PLAIN)
    assert (report.verdict, rules(report)) == ("incomplete", {"container"})


def test_counters_of_a_database_are_no_computations():
    """As caches keep them: what they count stands in no pickle."""
    with sqlite3.connect(":memory:") as base:
        base.execute("CREATE TABLE Settings (key TEXT NOT NULL UNIQUE, value)")
        base.execute("CREATE TABLE Cache (rowid INTEGER PRIMARY KEY, value BLOB, size INTEGER DEFAULT 0)")
        base.execute("INSERT INTO Cache (value) VALUES (?)", (made.GOOD,))
        base.execute(
            "CREATE TRIGGER Settings_count_insert AFTER INSERT ON Cache FOR EACH ROW BEGIN"
            " UPDATE Settings SET value = value + NEW.size WHERE key = 'count'; END"
        )
        base.commit()
        data = base.serialize()
    base.close()
    assert safepickle.scan(data, policy=PLAIN).ok


def test_a_file_of_many_records_takes_time_in_proportion():
    few, many = _records(60), _records(240)
    assert safepickle.scan(many, policy=PLAIN).ok
    lines = [_lines(data) for data in (few, many)]
    assert lines[1] < 5 * lines[0]


def _records(count: int) -> bytes:
    return (struct.pack(">L", len(made.GOOD)) + made.GOOD) * count


def _lines(data: bytes) -> int:
    """How many lines of Python a scan runs: what it costs, without a clock."""
    count = 0

    def trace(*_: object) -> object:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        safepickle.scan(data, policy=PLAIN)
    finally:
        sys.settrace(before)
    return count


def with_dictionary(data: bytes, size: int) -> bytes:
    """A zip whose one member, packed by LZMA, asks for a dictionary of that size."""
    return made.patched(data, data.index(b"\5\0", 30) + 3, size.to_bytes(4, "little"))


def test_the_dictionary_that_a_member_packed_by_lzma_asks_for_is_bounded():
    data = made.in_zip(("a.pkl", made.GOOD), method=zipfile.ZIP_LZMA)
    assert safepickle.scan(with_dictionary(data, 64 << 20), policy=PLAIN).ok
    assert safepickle.scan(gzip.compress(with_dictionary(data, 8 << 20)), policy=PLAIN).ok
    for too_large in (with_dictionary(data, 96 << 20), gzip.compress(with_dictionary(data, 16 << 20))):
        report = safepickle.scan(too_large, policy=PLAIN)
        assert (report.verdict, rules(report)) == ("incomplete", {"container"})
        assert "LZMA" in report.findings[0].message


class Failing:
    """A decoder that fails."""

    eof = False
    needs_input = True
    unused_data = b""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        raise ValueError("no")


def test_a_decoder_that_has_failed_is_gone():
    """Kept by the error that it raised, it would keep its dictionary, and there may be as many as there are members."""
    decoders: list[weakref.ref[Failing]] = []

    def make() -> Failing:
        decoder = Failing()
        decoders.append(weakref.ref(decoder))
        return decoder

    budget = Budget(size=1, unpacked=1 << 20, opcodes=1, members=1)
    unpacked = Unpacked(BytesSource(b"packed"), 0, 6, make, budget, errors=(ValueError,))
    gc.disable()
    try:
        assert unpacked.read(0, 1) == b""
        assert unpacked.failure is not None
        assert [reference() for reference in decoders] == [None]
    finally:
        gc.enable()


def test_a_claim_beyond_the_end_is_no_gap():
    """A member's own header says that its data begins far behind the end of the file."""
    data = made.patched(made.in_zip(("a.pkl", made.GOOD)), 28, b"\xff\xff")
    report = safepickle.scan(data, policy=PLAIN)
    assert (report.verdict, "trailing-data" in rules(report)) == ("incomplete", False)
    assert report.claimed <= report.size
    assert all(finding.position is None or finding.position <= report.size for finding in report.findings)


# -- Large files -------------------------------------------------------------------------------------------------------


def test_a_large_file_is_read_past_its_payloads(tmp_path):
    path = tmp_path / "large.pkl"
    path.write_bytes(pickle.dumps({"a": bytes(8 << 20), "b": [1, 2]}, 4))
    with read_bytes(path) as counted:
        report = safepickle.scan(path, policy=PLAIN)
    assert report.ok
    assert report.claimed == report.size == path.stat().st_size
    assert sum(counted) < 3 << 20
    assert report.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_tensors_of_a_torch_zip_are_not_read(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(made.in_zip(("m/data.pkl", made.GOOD), *((f"m/data/{n}", bytes(4 << 20)) for n in range(4))))
    with read_bytes(path) as counted:
        report = safepickle.scan(path, policy=PLAIN)
    assert report.ok
    assert sum(counted) < 2 << 20


@contextmanager
def read_bytes(path):
    """How many bytes each read of a source gives, while the block runs."""
    counted: list[int] = []
    original = FileSource.read

    def read(self: FileSource, at: int, count: int) -> bytes:
        data = original(self, at, count)
        counted.append(len(data))
        return data

    FileSource.read = read
    try:
        yield counted
    finally:
        FileSource.read = original


def test_tensors_that_begin_like_something_are_tensors():
    made_up = random.Random("tensors")
    begins = [b"x\x9c", b"h\x81", b"c", b"b", b"\0\0\0\x10}", b"]\0\0\0", b"abcd\x80\x04", b"gAR", b"P", b"(i", b"Nr"]
    tensors = [(f"m/data/{n}", begins[n % len(begins)] + made_up.randbytes(60)) for n in range(40 * len(begins))]
    report = safepickle.scan(made.in_zip(("m/data.pkl", made.GOOD), *tensors), policy=PLAIN)
    assert (report.verdict, report.findings) == ("pass", ())


def test_tensors_that_break_off_where_another_reader_goes_on_are_tensors():
    """It goes on to nothing: only where it would come to a name are they none."""
    made_up = random.Random("others go on")
    begins = [b"NNb", b"]Nb", b"N(u", b"](K\x01eK\0K\x02s", b"Nr"]
    tensors = [(f"m/data/{n}", begins[n % len(begins)] + made_up.randbytes(60)) for n in range(100 * len(begins))]
    report = safepickle.scan(made.in_zip(("m/data.pkl", made.GOOD), *tensors), policy=PLAIN)
    assert (report.verdict, report.findings) == ("pass", ())


def test_packed_streams_within_packed_ones_take_less_and_less_memory():
    """Each asks for the largest dictionary there is, and none may end while the next is read."""
    strongest = [{"id": lzma.FILTER_LZMA2, "preset": 9}]
    usual = lzma.compress(made.GOOD, preset=6)
    assert safepickle.scan(lzma.compress(usual), policy=PLAIN).ok
    data = made.GOOD
    for _ in range(4):
        data = lzma.compress(data + bytes(2 << 20), filters=strongest)
    tracemalloc.start()
    try:
        report = safepickle.scan(data, policy=PLAIN)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not report.ok
    assert any("emory" in finding.message for finding in report.findings)
    assert peak < 96 << 20


def test_the_hash_of_a_large_file_that_has_changed_is_not_given(tmp_path):
    path = tmp_path / "large.pkl"
    path.write_bytes(pickle.dumps(bytes(2 << 20)))
    report = safepickle.scan(path, policy=PLAIN)
    path.write_bytes(pickle.dumps(bytes(3 << 20)))
    with pytest.raises(OSError, match="has changed"):
        _ = report.sha256


@pytest.mark.parametrize("name", [name for name in made.CASES if not name.startswith("compressed")])
def test_a_file_is_judged_as_its_bytes_are(name, tmp_path, monkeypatch):
    """In windows of a file, as in memory: with the smallest size that counts as large, everything goes that way."""
    case = made.CASES[name]()
    monkeypatch.setattr(safepickle.scanner, "_WHOLE", 16)
    monkeypatch.setattr(safepickle.scanner, "LARGE", 16)
    path = tmp_path / "container"
    path.write_bytes(case.data)
    report = safepickle.scan(path, policy=PLAIN)
    assert report.verdict == case.verdict
    if report.ok:
        assert report.claimed == report.size


# -- What libraries wrote ----------------------------------------------------------------------------------------------

LIBRARY = Path(__file__).parent / "data" / "containers"
ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
NEEDS = {".lz4": "lz4.frame", ".zst": ZSTD, ".7z": "py7zr"}
NUMPY = """
safepickle: 1
allow:
  joblib.numpy_pickle: [NumpyArrayWrapper]
  numpy: [ndarray, dtype]
  numpy._core.multiarray: [{_reconstruct: {use: [call, build]}}]
"""


def test_there_are_files_that_libraries_wrote():
    assert len(list(LIBRARY.iterdir())) > 20


@pytest.mark.parametrize("path", sorted(LIBRARY.iterdir()), ids=lambda path: path.name)
def test_a_file_that_a_library_wrote_is_judged_to_its_last_byte(path):
    needed = next((module for ending, module in NEEDS.items() if ending in path.name), None)
    report = safepickle.scan(path, policy=Policy.from_yaml(NUMPY))
    if needed is not None and not _is_there(needed):
        assert (report.verdict, rules(report)) == ("incomplete", {"missing-library"})
        assert "is not installed" in report.findings[0].message
    elif "evil" in path.name:
        assert report.verdict == "forbidden"
        assert {finding.name for finding in report.findings} == {"system"}
    elif "encrypted" in path.name:
        assert (report.verdict, rules(report)) == ("incomplete", {"encrypted"})
    else:
        assert (report.verdict, report.findings) == ("pass", ())
        assert report.claimed == report.size


def _is_there(module: str) -> bool:
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def in_7z(data: bytes) -> bytes:
    py7zr = pytest.importorskip("py7zr")
    file = io.BytesIO()
    with py7zr.SevenZipFile(file, "w") as archive:
        archive.writestr(data, "a.pkl")
    return file.getvalue()


def test_what_a_7z_member_announces_is_not_unpacked_where_it_is_too_much(monkeypatch):
    data = in_7z(b"N." * 300_000)
    assert safepickle.scan(data[:-1], policy=PLAIN).verdict == "incomplete"
    monkeypatch.setattr(sevenzips, "_LONGEST", 1 << 19)
    monkeypatch.setattr(Budget, "unpack", None)  # nothing is
    report = safepickle.scan(data, policy=PLAIN)
    assert (report.verdict, rules(report)) == ("incomplete", {"unpack-limit"})
    assert "announces" in report.findings[0].message


def test_a_7z_member_is_no_overlap_however_much_it_shrank():
    data = in_7z(pickle.dumps(["price"] * 1_500_000, 2))
    assert len(data) < 10_000
    assert safepickle.scan(data, policy=PLAIN).verdict == "pass"


def test_pickles_in_a_packed_row_cost_more_than_their_opcodes():
    """A row of two bytes each would be a million pickles in 130 KB."""
    few = Policy.from_yaml("safepickle: 1\nlimits: {unpacked_opcodes: 32000}\n")
    report = safepickle.scan(gzip.compress(b"N." * 50_000), policy=few)
    assert (report.verdict, rules(report)) == ("incomplete", {"unpack-limit"})
    assert 400 < len(report.members) < 600


@pytest.mark.parametrize(("depth", "verdict"), [(4, "pass"), (20, "incomplete"), (40, "incomplete")])
def test_arrays_of_objects_in_one_another_are_followed_only_so_far(depth, verdict):
    """Each is read with what is around it in more than one way, so that the work would be quadratic."""
    data = b"N."
    for _ in range(depth):
        data = one_array(1, b"", "O8") + data + b"."
    report = safepickle.scan(data, policy=Policy.from_yaml(NUMPY))
    assert report.verdict == verdict
    assert len(report.members) < 3 * min(depth, 10)


@pytest.mark.parametrize("name", ["several.joblib", "several.protocol2.joblib", "objects.joblib"])
def test_a_file_of_joblibs_that_breaks_off_never_passes(name):
    data = (LIBRARY / name).read_bytes()
    for size in range(1, len(data), 83):
        assert not safepickle.scan(data[:size], policy=Policy.from_yaml(NUMPY)).ok


def one_array(size: int, data: bytes, kind: str = "u1") -> bytes:
    """A file of joblib's, as before 1.1: an array of bytes between the opcodes, and what else there is."""
    shape = b"X\5\0\0\0shapeK" + bytes([size]) + b"\x85"
    dtype = b"X\5\0\0\0dtypecnumpy\ndtype\nX\2\0\0\0" + kind.encode() + b"\x85R"
    return b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(" + shape + dtype + b"ub" + data


CALL = b"cos\nsystem\n(Vtrue\ntR"


def test_an_array_between_opcodes_is_passed_over():
    report = safepickle.scan(one_array(30, bytes(range(200, 230)) + b"."), policy=Policy.from_yaml(NUMPY))
    assert (report.verdict, report.findings, report.claimed) == ("pass", (), report.size)


def test_what_pickle_would_run_in_joblibs_array_is_found():
    data = one_array(30, (b"0" + CALL).ljust(30, b"\xff") + b".")
    report = safepickle.scan(data, policy=Policy.from_yaml(NUMPY))
    assert report.verdict == "forbidden"
    assert {finding.name for finding in report.findings} == {"system"}


def test_what_joblib_would_run_behind_an_array_that_pickle_reads_as_a_string_is_found():
    rest = CALL + b"0"
    data = one_array(5, b"B" + struct.pack("<L", len(rest)) + rest + b"0.")
    report = safepickle.scan(data, policy=Policy.from_yaml(NUMPY))
    assert report.verdict == "forbidden"
    assert "system" in {finding.name for finding in report.findings}


def test_what_is_hidden_in_a_payload_counts_where_the_array_before_it_was_none(tmp_path):
    """The file makes sense to pickle alone, which was tried first, and whose findings were taken back meanwhile."""
    payload = b"\xff" * 9 + made.EVIL + bytes(2 << 20)
    path = tmp_path / "large.joblib"
    path.write_bytes(one_array(5, b"B" + struct.pack("<L", len(payload)) + payload + b"0."))
    report = safepickle.scan(path, policy=Policy.from_yaml(NUMPY))
    assert report.verdict == "forbidden"
    assert {finding.name for finding in report.findings} == {"system"}


def test_what_is_hidden_behind_an_array_is_found_once():
    hidden = b"\xff" + made.EVIL
    data = one_array(30, bytes(range(200, 230)) + b"0U" + bytes([len(hidden)]) + hidden + b".")
    report = safepickle.scan(data, policy=Policy.from_yaml(NUMPY))
    places = [member.start for member in report.members if member.verdict == "forbidden"]
    assert places == [data.index(made.EVIL)]
    assert [(finding.name, finding.verb) for finding in report.findings] == [("system", "refer"), ("system", "call")]


# -- What is printed ---------------------------------------------------------------------------------------------------


def test_names_of_members_never_steer_a_terminal(tmp_path, capsys):
    path = tmp_path / "x.zip"
    path.write_bytes(made.in_zip(("\x1b[31m\u202egnp.\x9b", made.EVIL), ("\x1b]0;x\x07", made.EVIL[:-1] + b"\xff")))
    for form in ("text", "json", "jsonl"):
        assert main(["scan", "--format", form, str(path)]) == 1
        shown = capsys.readouterr().out
        assert all(line.isprintable() for line in shown.removesuffix("\n").split("\n"))


def test_a_finding_says_in_which_member_it_is():
    report = safepickle.scan(made.in_zip(("a.zip", made.in_zip(("b.pkl", made.EVIL)))), policy=PLAIN)
    assert {finding.member for finding in report.findings} == {"a.zip!/b.pkl"}
    assert {finding.position for finding in report.findings} == {2, 23}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (gzip.compress(made.EVIL), "gzip"),
        (bz2.compress(made.EVIL), "bzip2"),
        (lzma.compress(made.EVIL), "xz"),
        (lzma.compress(made.EVIL, lzma.FORMAT_ALONE), "lzma"),
        (zlib.compress(made.EVIL), "zlib"),
        (b"ZF" + hex(len(made.EVIL)).ljust(19).encode() + zlib.compress(made.EVIL), "zlib"),
        (gzip.compress(bz2.compress(made.EVIL)), "gzip!/bzip2"),
        (gzip.compress(made.in_tar(("x.pkl", made.EVIL))), "gzip!/x.pkl"),
        (made.in_zip(("x.gz", gzip.compress(made.EVIL))), "x.gz!/gzip"),
        (made.in_npy("'<k8'", "(1,)", made.EVIL), "array"),
    ],
)
def test_what_comes_out_of_decompression_has_a_name_since_its_places_count_there(data, name):
    report = safepickle.scan(data, policy=PLAIN)
    assert {member.name for member in report.members if member.verdict == "forbidden"} == {name}
    assert {finding.member for finding in report.findings if finding.name == "system"} == {name}
    assert {finding.position for finding in report.findings if finding.name == "system"} == {2, 23}


def test_scanning_imports_nothing_that_a_plain_pickle_does_not_need():
    code = "import sys, safepickle; safepickle.scan(b'N.', policy='plain'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"zipfile", "tarfile", "sqlite3", "lzma", "bz2", "tempfile"}.isdisjoint(done.stdout.split())
