"""The scanner: verdicts, the account of bytes, and several pickles in one source."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import safepickle
from safepickle import scanner
from safepickle.containers.source import FileSource
from safepickle.policy import Policy, packaged
from safepickle.scanner import scan, watched
from safepickle.windows import WindowReader
from tests.assembler import asm
from tests.make_containers import in_tar

PLAIN = Policy.named("plain")
ROOT = Path(__file__).parent.parent
EVIL = b"cos\nsystem\n(Vid\ntR."


def rules(report: safepickle.Report) -> list[str]:
    return [finding.rule for finding in report.findings]


def test_a_pickle_of_plain_values_passes_and_every_byte_is_claimed():
    data = pickle.dumps({"a": [1, 2.5, None]})
    report = safepickle.scan(data, policy=PLAIN)
    assert (report.ok, report.verdict, report.findings) == (True, "pass", ())
    assert report.claimed == report.size == len(data)
    assert [(member.start, member.stop) for member in report.members] == [(0, len(data))]


def test_what_is_not_granted_is_forbidden_and_listed_with_its_verbs():
    report = safepickle.scan(EVIL, policy=PLAIN)
    assert (report.ok, report.verdict) == (False, "forbidden")
    assert {(grant.module, grant.name, grant.verbs) for grant in report.missing} == {("os", "system", ("call",))}
    (capability,) = report.capabilities
    assert (capability.module, capability.name, capability.granted) == ("os", "system", False)
    assert dict(capability.uses) == {"refer": 1, "call": 1}


def test_nothing_at_all_is_malformed():
    assert safepickle.scan(b"", policy=PLAIN).verdict == "malformed"


def test_what_breaks_before_it_could_do_anything_is_no_pickle():
    report = safepickle.scan(b"hello, world", policy=PLAIN)
    assert (report.ok, report.verdict) == (False, "not a pickle")


def test_what_breaks_after_it_could_do_something_is_malformed():
    data = asm(("GLOBAL", "builtins", "set"), "EMPTY_LIST", "TUPLE1", "REDUCE")
    assert safepickle.scan(data, policy=PLAIN).verdict == "malformed"


@pytest.mark.parametrize(
    "data", [b"import os\nimport sys\n", b"Release\n", b"b", b"NR.", b"K\x01\x81.", b"(o", b"N\x93."]
)
def test_what_no_reader_can_do_anything_with_is_no_pickle(data):
    """Source files begin with `import`, which is INST without a mark."""
    assert safepickle.scan(data, policy=PLAIN).verdict == "not a pickle"


def test_what_stands_behind_four_bytes_by_chance_makes_nothing_of_the_file():
    report = safepickle.scan(b"\x80\x04q\x00N.", policy=PLAIN)
    assert (report.verdict, [member.start for member in report.members]) == ("not a pickle", [0])


def test_what_one_reader_imports_before_it_breaks_is_malformed():
    assert safepickle.scan(b"ios\nsystem\n.", policy=PLAIN).verdict == "malformed"
    assert safepickle.scan(b"ios\nsys", policy=PLAIN).verdict == "malformed"
    assert safepickle.scan(b"cos\nsys", policy=PLAIN).verdict == "malformed"


def test_a_refusal_before_the_stream_breaks_is_told_before_the_break():
    report = safepickle.scan(EVIL[:-1] + b"\xff", policy=PLAIN)
    assert report.verdict == "forbidden"


def test_every_pickle_in_a_row_is_judged():
    data = pickle.dumps(1) + EVIL + pickle.dumps(2)
    report = safepickle.scan(data, policy=PLAIN)
    assert report.verdict == "forbidden"
    assert [member.verdict for member in report.members] == ["pass", "forbidden", "pass"]
    assert report.claimed == len(data)


def test_bytes_behind_the_last_pickle_make_the_scan_incomplete():
    report = safepickle.scan(pickle.dumps(1) + b"\xff\xff", policy=PLAIN)
    assert (report.ok, report.verdict, rules(report)) == (False, "incomplete", ["trailing-data"])
    assert report.claimed == report.size - 2


@pytest.mark.parametrize(
    "start", [b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"BZh9", b"\xfd7zXZ\x00", b"\x93NUMPY", b"7z\xbc\xaf'\x1c"]
)
def test_a_container_is_incomplete_and_never_harmless(start):
    report = safepickle.scan(start + bytes(64), policy=PLAIN)
    assert (report.ok, report.verdict) == (False, "incomplete")
    assert rules(report) in (["container"], ["missing-library"])  # of what is an extra the library may be absent


def test_a_pickle_that_begins_like_a_container_is_read_as_a_pickle():
    data = b"]\x00\x00\x80\x00"
    assert safepickle.scan(b"BZh" + data, policy=PLAIN).verdict == "incomplete"
    assert safepickle.scan(asm("EMPTY_LIST", "STOP"), policy=PLAIN).ok


@pytest.mark.parametrize("kind", [bytes, bytearray])
@pytest.mark.parametrize("wrap", [lambda inner: inner, lambda inner: pickle.dumps(kindless(inner))])
def test_a_pickle_inside_a_string_is_judged(kind, wrap):
    inner = asm(("PROTO", 2), ("GLOBAL", "os", "system"), ("BINUNICODE", "id"), "TUPLE1", "REDUCE", "STOP")
    report = safepickle.scan(pickle.dumps([wrap(kind(inner))], 5), policy=PLAIN)
    assert report.verdict == "forbidden"
    assert {(grant.module, grant.name) for grant in _named(report)} == {("os", "system")}


def kindless(inner: bytes | bytearray) -> bytes:
    return bytes(inner)


def _named(report: safepickle.Report) -> list[safepickle.Finding]:
    return [finding for finding in report.findings if finding.module]


def test_a_string_that_holds_a_harmless_pickle_passes():
    assert safepickle.scan(pickle.dumps([pickle.dumps({"a": 1})]), policy=PLAIN).ok


def test_an_eight_bit_string_passes_whatever_its_encoding():
    assert safepickle.scan(asm(("SHORT_BINSTRING", b"\xff\xfe"), "STOP"), policy=PLAIN).ok


def test_persistent_ids_and_buffers_are_findings_unless_the_policy_accepts_them():
    pid = asm(("PERSID", "model"), "STOP")
    buffer = asm(("PROTO", 5), "NEXT_BUFFER", "STOP")
    accepting = Policy.from_yaml("safepickle: 1\naccept: [persistent_ids, buffers]\n")
    for data in (pid, buffer):
        assert rules(safepickle.scan(data, policy=PLAIN)) == ["not-accepted"]
        assert safepickle.scan(data, policy=accepting).ok


def test_a_source_is_bytes_a_path_or_a_binary_file(tmp_path):
    data = pickle.dumps([1])
    path = tmp_path / "one.pkl"
    path.write_bytes(data)
    hashes = {
        safepickle.scan(source, policy=PLAIN).sha256
        for source in (data, bytearray(data), memoryview(data), path, str(path), io.BytesIO(data))
    }
    assert len(hashes) == 1
    assert safepickle.scan(path, policy=PLAIN).source == str(path)


def test_what_does_not_end_is_not_read_for_ever(monkeypatch):
    monkeypatch.setattr(scanner, "_WHOLE", 1000)
    if not Path("/dev/zero").exists():
        pytest.skip("there is no device that does not end")
    with pytest.raises(OSError, match="does not end"):
        scan("/dev/zero", policy=PLAIN)


@pytest.mark.parametrize("source", [3, None, io.StringIO("text")])
def test_a_source_of_another_kind_is_a_type_error(source):
    with pytest.raises(TypeError):
        safepickle.scan(source)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        safepickle.scan(tmp_path / "absent.pkl")


def test_without_a_policy_all_packaged_policies_judge_together():
    data = pickle.dumps(dt.date(2024, 2, 29))
    assert safepickle.scan(data).ok
    assert not safepickle.scan(data, policy=PLAIN).ok


def test_without_a_policy_the_digest_is_that_of_the_files_that_were_read(tmp_path):
    """No grant is read for it, and no byte of a file can change without it, nor what reads them."""
    program = """
import sys
from safepickle import scanner
from safepickle.policy import packaged
from safepickle.policy.deferred import Later
assert packaged.folder() == sys.argv[1]
scanner.VERSION = sys.argv[2]
digest = scanner.scan(b"N.").policy
later = [part for part in scanner.packaged().data.grants.parts().values() if type(part) is Later]
assert later and all(part._read is not None for part in later)
with open(packaged.folder() + "/numpy.yaml", "ab") as file:
    file.write(b"# written while it is in use")
scanner.packaged_digest.cache_clear()
assert scanner.scan(b"N.").policy == digest
print(digest)
"""
    copy = tmp_path / "copy"
    policies = copy / "safepickle" / "policies"
    package = Path(safepickle.__file__).parent  # a checkout's, or where it is installed
    shutil.copytree(package, copy / "safepickle", ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"))
    shutil.copytree(packaged.folder(), policies, dirs_exist_ok=True)
    before = (policies / "numpy.yaml").read_bytes()

    def told(version: str = "1") -> str:
        (policies / "numpy.yaml").write_bytes(before)
        command = [sys.executable, "-c", program, str(policies), version]
        environment = {**os.environ, "PYTHONPATH": str(copy), "SAFEPICKLE_PURE": "1", "SAFEPICKLE_REQUIRE_EXT": "0"}
        return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=True).stdout

    found = {told(), told("2")}
    (policies / "pytz.yaml").write_bytes((policies / "pytz.yaml").read_bytes() + b"# a word")
    found.add(told())
    (policies / "more.yaml").write_bytes(b"safepickle: 1\n")
    found.add(told())
    assert len(found) == 4


LONG = b"x" * (1 << 21)  # without the end of a line


@pytest.mark.parametrize(
    ("begins", "verdict"),
    [
        (b"V" + LONG + b"\n0" + EVIL, "incomplete"),  # an end of the line that is not looked for any more
        (b"V" + LONG, "incomplete"),
        (b"I" + LONG, "incomplete"),
        (EVIL[:-1] + b"0V" + LONG, "forbidden"),
        (b"V" + LONG[: 1 << 19] + b"\n0" + EVIL, "forbidden"),
        (b"S" + LONG + b"\n0" + EVIL, "not a pickle"),  # no quote, so no reader goes on there
        (b"P\xff" + LONG + b"\n0" + EVIL, "not a pickle"),  # no ASCII: likewise
        (b"P" + LONG, "incomplete"),
        (b"S'" + LONG, "incomplete"),
    ],
)
def test_a_container_is_read_as_a_pickle_only_so_far_and_says_where_that_was_not_to_its_end(tmp_path, begins, verdict):
    path = tmp_path / "x.tar"
    path.write_bytes(in_tar((begins[:90].decode("latin-1"), begins[90:]), form=tarfile.USTAR_FORMAT))
    assert scan(path, policy=PLAIN).verdict == verdict


def test_a_report_is_plain_data_for_json():
    told = json.loads(json.dumps(safepickle.scan(EVIL, policy=PLAIN).to_dict()))
    assert (told["verdict"], told["ok"], told["policy"]) == ("forbidden", False, PLAIN.digest)
    assert told["missing"] == [{"module": "os", "name": "system", "verbs": ["call"], "reason": ""}]
    assert told["findings"][0]["rule"] == "not-granted"


ROW = st.sampled_from(
    [
        pickle.dumps([1, {"a": (2.5, "x")}], 4), b"N.", b"]q\x00.", EVIL, pickle.dumps(dt.date(2024, 2, 29)),
        pickle.dumps([b"\x80\x04N."]), pickle.dumps([b"\x80\x04cos\nsystem\n)R."]), b"\0", b"\xff", b"(N", b"Pid\n.",
        pickle.dumps([[()] for _ in range(3)] * 9, 2), b"N." + bytes(510),
    ]
)  # fmt: skip


@given(st.lists(ROW, max_size=30).map(b"".join))
def test_a_row_of_pickles_is_judged_as_if_none_were_expected_to_be_mere_data(data):
    report = safepickle.scan(data, policy=PLAIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, "_PATIENCE", 0)
        assert safepickle.scan(data, policy=PLAIN) == report
        patch.setattr(scanner, "_WHOLE", 0)
        slowly = _of_a_file(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, "_WHOLE", 0)
        assert _of_a_file(data) == slowly


def _of_a_file(data: bytes) -> safepickle.Report:
    """What a scan says of data that is read in windows."""
    return scanner._Scan(None, FileSource(io.BytesIO(data)), PLAIN).report()


MOST_RESIDENT = """
import re, sys
import safepickle
assert safepickle.scan(sys.argv[1], policy="plain").ok
print(re.search(r"VmHWM:\\s+([0-9]+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="nothing says how much memory a process had at most")
@pytest.mark.parametrize("row", [False, True], ids=["list", "row"])
def test_a_small_record_takes_a_few_bytes(tmp_path, row):
    records = [{"id": number, "name": f"user {number}", "score": number / 7} for number in range(100_000)]
    most = []
    for count in (1, len(records)):
        path = tmp_path / f"{count}.pkl"
        path.write_bytes(b"".join(map(pickle.dumps, records[:count])) if row else pickle.dumps(records[:count], 4))
        command = [sys.executable, "-c", MOST_RESIDENT, str(path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        most.append(int(done.stdout) << 10)
    assert path.stat().st_size > 3 << 20
    assert most[1] - most[0] < (5 << 20) + 60 * len(records)  # windows of some MiB, and 16 to 32 bytes for each


LARGE_ONES = {
    "data": pickle.dumps([{"id": number, "name": f"user {number}"} for number in range(50_000)], 4),
    "row": pickle.dumps({"id": "1" * 200}, 4) * 6000,
    "row with more": pickle.dumps({"id": "1" * 200}, 4) * 6000 + EVIL + pickle.dumps(dt.date(2024, 2, 29)),
    "payload": pickle.dumps([bytes(2 << 20), "x" * (2 << 20), [b"\x80\x04cos\nsystem\n)R."]], 4),
    "hidden": pickle.dumps([list(range(500_000)), b"\x80\x04cos\nsystem\n)R.", dt.date(2024, 2, 29)], 4),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE_ONES)
def test_whoever_watches_is_shown_what_a_scan_finds_and_can_read_it_again(tmp_path, name):
    path = tmp_path / "large.pkl"
    path.write_bytes(LARGE_ONES[name])
    assert path.stat().st_size > scanner._WHOLE
    shown = []

    def watch(judged):
        if len(shown) < 100 and isinstance(judged.reader, WindowReader):
            judged.reader.again()
            assert judged.reader.opcode() == judged.reader.data[0]
        shown.append(judged.member)

    alone = scan(path, policy=PLAIN)
    assert watched(path, policy=PLAIN, watch=watch)._replace(hashed="") == alone._replace(hashed="")
    assert set(alone.members) <= set(shown)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, "_PATIENCE", 0)
        assert scan(path, policy=PLAIN)._replace(hashed="") == alone._replace(hashed="")


def test_a_long_row_of_pickles_is_a_row_of_members():
    data = pickle.dumps({"id": 1}, 4)
    report = safepickle.scan(data * 5000 + EVIL + data, policy=PLAIN)
    assert (report.verdict, len(report.members)) == ("forbidden", 5002)
    assert report.members[4999] == (len(data) * 4999, len(data) * 5000, 9, "pass", "")
    assert report.members[5000].verdict == "forbidden"
    assert report.claimed == report.size


@given(st.binary(max_size=200))
def test_any_bytes_give_a_report_that_passes_only_if_verify_passes(data):
    report = safepickle.scan(data, policy=PLAIN)
    if report.ok:
        assert report.claimed == len(data)
        safepickle.verify(data, policy=PLAIN)
    else:
        assert report.findings or report.verdict == "not a pickle"


def test_more_pickles_in_a_row_than_are_followed_are_a_finding(monkeypatch):
    monkeypatch.setattr(scanner, "_MOST_MEMBERS", 3)
    report = scan(b"N." * 5)
    assert (report.verdict, len(report.members)) == ("incomplete", 3)
    (finding,) = report.findings
    assert (finding.rule, finding.position) == ("unpack-limit", 6)


def test_more_findings_than_are_listed_end_a_row_and_are_a_finding(monkeypatch):
    monkeypatch.setattr(scanner, "_MOST_FINDINGS", 3)
    one = b"cos\nsystem\n."
    report = scan(one * 5)
    assert (report.verdict, len(report.members)) == ("forbidden", 3)
    assert [finding.rule for finding in report.findings] == [*["not-granted"] * 3, "unpack-limit"]
    assert report.findings[-1].position == 3 * len(one)
    assert scan(one * 3).findings[-1].rule == "not-granted"  # where nothing is left out, nothing is said
    assert scan(one * 3 + b"N.").findings[-1].rule == "unpack-limit"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name in "abc":
            file.writestr(f"{name}.pkl", one * 5)
    several = scan(archive.getvalue())
    assert (several.verdict, len(several.members)) == ("forbidden", 5)


def test_whoever_watches_sees_every_pickle_that_is_judged():
    seen = []
    report = watched(b"N.]." + b"cos\nsystem\n.", watch=seen.append)
    assert [(judged.member.name, judged.member.start, judged.verifier.finished) for judged in seen] == [
        ("", 0, True),
        ("", 2, True),
        ("", 4, True),
    ]
    assert report == scan(b"N.]." + b"cos\nsystem\n.")
