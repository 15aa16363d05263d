"""Baselines: only what is new fails; a broken or foreign one is a usage error; nothing is known by mistake."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepickle.baseline import Baseline, BaselineError, identity, read_baseline
from safepickle.cli import main
from safepickle.report import Finding
from safepickle.scanner import scan

GADGET = b"cos\nsystem\n(S'true'\ntR."
STRANGE = b"cprices.model\nCurve\n(I1\ntR."
TRAILING = b"N.abc"


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    return tmp_path


def run(capsys, *arguments: str, form: str = "json"):
    code = main(["scan", "--format", form, *arguments])
    return code, capsys.readouterr()


def remember(capsys, form: str = "json") -> None:
    _, shown = run(capsys, "models", form=form)
    Path("old.json").write_text(shown.out, "utf-8")


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_what_the_baseline_has_passes_and_what_is_new_fails(desk, capsys, form):
    (desk / "models" / "a.pkl").write_bytes(GADGET)
    (desk / "models" / "b.pkl").write_bytes(TRAILING)
    remember(capsys, form)
    assert run(capsys, "models")[0] == 1
    assert run(capsys, "models", "--baseline", "old.json")[0] == 0
    (desk / "models" / "c.pkl").write_bytes(STRANGE)
    code, shown = run(capsys, "models", "--baseline", "old.json")
    reports = json.loads(shown.out)["reports"]
    known = {report["source"]: [each["known"] for each in report["findings"]] for report in reports}
    assert code == 1
    assert known == {"models/a.pkl": [True, True], "models/b.pkl": [True], "models/c.pkl": [False, False]}


def test_a_baseline_of_one_report_and_one_that_a_tool_has_laid_out_are_read(desk, capsys):
    (desk / "models" / "a.pkl").write_bytes(GADGET)
    remember(capsys, "jsonl")
    assert run(capsys, "models", "--baseline", "old.json")[0] == 0
    remember(capsys)
    (desk / "old.json").write_text(json.dumps(json.loads((desk / "old.json").read_text()), indent=4))
    assert run(capsys, "models", "--baseline", "old.json")[0] == 0


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (GADGET, GADGET, 0),
        (GADGET, b"\x80\x04N0" + GADGET, 0),  # the same, elsewhere in the file
        (GADGET, GADGET + GADGET, 0),
        (GADGET, b"cos\nsystem\n.", 0),  # less than before
        (GADGET, b"N.", 0),
        (b"N.", GADGET, 1),
        (GADGET, b"cos\npopen\n(S'true'\ntR.", 1),  # another name
        (b"cos\nsystem\n.", GADGET, 1),  # another verb
        (GADGET, b"cos\nsystem\n(]tR.", 1),  # other kinds of arguments
        (GADGET, b"cos\nsystem\n(S'true'\nI1\ntR.", 1),
        (TRAILING, b"N.abcd", 0),
        (TRAILING, b"N.abc" + b"K", 0),
        (TRAILING, GADGET, 1),
        (GADGET, GADGET + b"N", 1),  # what follows is no whole pickle
        (GADGET + b"abc", GADGET, 0),
        (b"Notes.", b"N.abc", 2),
    ],
)  # fmt: skip
def test_what_is_compared_is_what_a_file_asks_for_wherever_it_stands(desk, capsys, before, after, code):
    path = desk / "models" / "a.pkl"
    path.write_bytes(before)
    remember(capsys)
    path.write_bytes(after)
    assert run(capsys, "models", "--baseline", "old.json")[0] == code


def test_a_file_is_known_by_its_name_or_by_its_bytes_and_not_by_what_others_ask_for(desk, capsys):
    (desk / "models" / "a.pkl").write_bytes(GADGET)
    remember(capsys)
    (desk / "models" / "a.pkl").rename(desk / "models" / "moved.pkl")
    assert run(capsys, "models", "--baseline", "old.json")[0] == 0
    (desk / "models" / "other.pkl").write_bytes(b"N0" + GADGET)
    assert run(capsys, "models", "--baseline", "old.json")[0] == 1


def test_a_file_that_could_not_be_read_is_never_known(desk, capsys):
    assert main(["scan", "--format", "json", "models/gone.pkl"]) == 2
    (desk / "old.json").write_text(capsys.readouterr().out)
    assert run(capsys, "models/gone.pkl", "--baseline", "old.json")[0] == 2


def test_what_was_left_unjudged_is_known_of_the_same_bytes_only():
    left = Finding("unpack-limit", "warning", "behind a limit")
    before, after = (
        scan(TRAILING[:-1] + end)._replace(source="x", verdict="incomplete", findings=(left,)) for end in (b"c", b"d")
    )
    assert identity(before.findings[0]) == identity(after.findings[0])
    baseline = Baseline([before])
    assert baseline.compare(before)[1]
    assert baseline.compare(before._replace(source="y"))[1]
    marked, is_known = baseline.compare(after)
    assert not is_known
    assert not marked.findings[0].known


def test_streams_of_a_container_are_told_apart(desk, capsys):
    def pack(*names):
        with zipfile.ZipFile(desk / "models" / "m.pt", "w") as archive:
            for name in names:
                archive.writestr(name, GADGET)

    pack("a.pkl")
    remember(capsys)
    assert run(capsys, "models", "--baseline", "old.json")[0] == 0
    pack("a.pkl", "b.pkl")
    assert run(capsys, "models", "--baseline", "old.json")[0] == 1


def test_the_text_shows_what_is_new_and_counts_what_is_known(desk, capsys):
    (desk / "models" / "a.pkl").write_bytes(GADGET)
    remember(capsys)
    (desk / "models" / "a.pkl").write_bytes(GADGET + STRANGE)
    _, shown = run(capsys, "models", "--baseline", "old.json", form="text")
    assert "os.system" not in shown.out
    assert "prices.model.Curve" in shown.out
    assert shown.out.splitlines()[-1] == "1 file: 1 forbidden; 2 findings known from the baseline"


WHOLE = {"reports": [scan(GADGET)._replace(source="a").to_dict()]}


@pytest.mark.parametrize(
    "text",
    [
        "", " \n", "{", "null", "[]", "7", "{}", '{"reports": 1}', '{"reports": [1]}', '{"reports": [{}]}', "\xff",
        '{"version": "2.1.0", "runs": []}', '{"results": {"a.pkl": "dangerous"}}', "[" * 100_000, "NaN",
        json.dumps(WHOLE)[:-10], json.dumps(WHOLE) + "x", json.dumps(WHOLE).replace('"verb"', '"werb"'),
        json.dumps(WHOLE).replace("not-granted", "B301"), json.dumps(WHOLE).replace("forbidden", "fine"),
        json.dumps({"reports": [{**WHOLE["reports"][0], "findings": []}]}), "1" * 5000,
    ],
)  # fmt: skip
def test_a_broken_or_foreign_baseline_is_a_usage_error_and_nothing_is_scanned(desk, capsys, text):
    (desk / "old.json").write_text(text, "latin-1")
    code, shown = run(capsys, "models", "--baseline", "old.json")
    assert code == 2
    assert shown.out == ""
    assert shown.err.startswith("safepickle: old.json: no report of `scan --format json` or `jsonl`: ")
    assert len(shown.err.splitlines()) == 1


def test_a_baseline_that_cannot_be_read_is_a_usage_error(desk, capsys):
    for name in ("missing.json", "models"):
        code, shown = run(capsys, "models", "--baseline", name)
        assert (code, shown.out) == (2, "")
        assert shown.err.startswith(f"safepickle: {name}: ")


@given(st.binary(max_size=60))
def test_whatever_a_baseline_holds_it_is_read_or_refused(data):
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with pytest.raises(BaselineError):
            read_baseline(file.name)


def test_an_identity_knows_no_place_but_the_stream_of_a_container():
    finding = Finding("trailing-data", "warning", "1,234 bytes after the last pickle are not understood", 7)
    assert identity(finding) == identity(finding._replace(position=9, message=finding.message.replace("1,234", "5")))
    assert identity(finding) != identity(finding._replace(rule="container"))
    assert identity(finding) != identity(finding._replace(member="a.pkl"))
    named = Finding("not-granted", "error", "m", 7, "GLOBAL", "os", "system", "refer")
    assert identity(named) == identity(named._replace(position=9, opcode="STACK_GLOBAL", message="n"))
    assert len({identity(named._replace(**{key: "x"})) for key in ("module", "name", "verb", "rule", "path")}) == 5


def test_a_policy_that_grants_more_makes_a_file_pass_without_a_baseline_entry():
    report = scan(STRANGE)
    assert Baseline([]).compare(report) == (report, False)
    assert Baseline([report]).compare(report)[1]


def test_a_verdict_that_has_become_worse_is_new_whatever_else_is_known():
    passed = scan(b"N.")._replace(source="x")
    worse = passed._replace(verdict="incomplete")
    assert Baseline([passed]).compare(passed)[1]
    assert not Baseline([passed]).compare(worse)[1]
    assert Baseline([worse]).compare(worse)[1]
    assert Baseline([worse]).compare(passed)[1]


def test_a_capability_without_a_finding_is_compared_too():
    asked = scan(STRANGE)._replace(source="x", findings=())
    silent = asked._replace(capabilities=())
    assert not Baseline([silent._replace(hashed="other")]).compare(asked)[1]
    granted = tuple(each._replace(granted=True) for each in asked.capabilities)
    assert Baseline([silent._replace(hashed="other")]).compare(asked._replace(capabilities=granted))[1]
