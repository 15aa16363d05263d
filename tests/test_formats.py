"""Reports in every format: the same verdicts, escaped, one file after the other; findings in the same words are one."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from safepickle.cli import main
from safepickle.formats import FORMATS, Manner, Outcome, documents, groups, reporter
from safepickle.report import FORBIDDEN, Finding, Report
from safepickle.scanner import scan

GADGET = b"cos\nsystem\n(S'true'\ntR."
STRANGE = b"cprices.model\nCurve\n)R."
DATA = Path(__file__).parent / "data"


def outcome(data: bytes, source: str = "x.pkl") -> Outcome:
    report = scan(data)._replace(source=source)
    return Outcome(report, 0 if report.ok else 1)


def test_a_document_has_so_many_members_and_says_how_many_it_has_not(tmp_path, monkeypatch, capsys):
    (tmp_path / "row.pkl").write_bytes(b"N." * 5)
    for most, left_out in ((2, 3), (5, None)):
        monkeypatch.setattr(documents, "MOST_MEMBERS", most)
        main(["scan", "--format", "jsonl", str(tmp_path)])
        told = json.loads(capsys.readouterr().out)
        assert (len(told["members"]), told.get("more_members")) == (most, left_out)
    assert len(scan(b"N." * 5).to_dict()["members"]) == 5


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_hands_the_outcomes_on_one_by_one_and_prints_as_it_goes(form, capsys):
    """Nothing waits for the end but what has to: a run over a million files must not be kept in memory."""
    seen = []

    def coming():
        for number in range(3):
            seen.append(len(capsys.readouterr().out))
            yield outcome(GADGET, f"{number}.pkl")

    assert [each.report.source for each in reporter(form)(coming(), Manner())] == ["0.pkl", "1.pkl", "2.pkl"]
    assert seen[-1] > 0, "what was found in the first file is printed before the last one is asked for"


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_shows_what_is_dangerous_with_the_reason_and_what_is_unknown(form, capsys):
    list(reporter(form)([outcome(GADGET), outcome(STRANGE, "y.pkl")], Manner()))
    shown = capsys.readouterr().out.lower()
    assert "dangerous" in shown
    assert "starts programs" in shown
    assert "unknown" in shown


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "html"])
def test_every_format_has_the_finding_and_its_place(form, capsys):
    list(reporter(form)([outcome(b"\x80\x04N0" + GADGET)], Manner()))
    shown = capsys.readouterr().out
    assert "os.system" in shown
    assert "not-granted" in shown
    assert "4" in shown


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_whole_where_there_is_nothing(form, capsys):
    assert list(reporter(form)([], Manner())) == []
    shown = capsys.readouterr().out
    if form in ("json", "sarif"):
        json.loads(shown)
    assert shown or form == "jsonl"


@pytest.mark.parametrize("form", FORMATS)
def test_output_is_ascii_where_the_terminal_is(form, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    list(reporter(form)([outcome(b"c\xc3\xa9\n\xe2\x80\xae\n.", "gr\xfc\u202en.pkl")], Manner()))
    out.flush()
    assert out.buffer.getvalue().isascii()


# What GitHub Actions reads.

COMMANDS = ["::error::x", "  ::set-env name=A::b", "##[add-mask]x", "a##[error]b", "::stop-commands::x"]


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "github"])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_name_is_a_command_to_a_runner_that_reads_along(form, name, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    stream = b"\x80\x04\x8c" + bytes([len(name)]) + name.encode() + b"\x8c\x01x\x93."
    list(reporter(form)([outcome(stream, name), outcome(GADGET, f"{name}.pkl")], Manner()))
    for line in capsys.readouterr().out.splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


# Groups.


def test_what_is_said_in_the_same_words_is_one_group_with_all_its_verbs():
    findings = [Finding("not-granted", "error", "m", place, verb=verb) for place, verb in ((3, "refer"), (9, "call"))]
    (group,) = groups(findings)
    assert (group.first.position, group.verbs, group.times) == (3, ("refer", "call"), 2)
    other = Finding("not-granted", "error", "m", 1, member="a!/b")
    assert len(groups([*findings, other])) == 2


def test_dangerous_names_come_first_and_the_rest_as_it_stands():
    plain = [Finding("not-granted", "error", word) for word in "abc"]
    worst = Finding("not-granted", "error", "z", grade="dangerous", reason="r")
    assert [group.first.message for group in groups([*plain, worst])] == ["z", "a", "b", "c"]


def test_the_place_of_a_group_is_escaped():
    (group,) = groups([Finding("malformed", "error", "m", 7, "STOP", member="\x1b[31m\u202e!/x")])
    assert group.place == "\\x1b[31m\\u202e!/x, byte 7, STOP"


# Documents.


def test_json_of_a_large_file_that_has_gone_is_said_without_its_hash(capsys):
    def gone():
        raise OSError("it has changed")

    report = Report("x", FORBIDDEN, (), (), (), (), 9, 9, gone, "")
    list(reporter("json")([Outcome(report, 1)], Manner()))
    (shown,) = json.loads(capsys.readouterr().out)["reports"]
    assert (shown["sha256"], shown["verdict"]) == ("", FORBIDDEN)


@pytest.mark.parametrize("form", FORMATS)
def test_attacks_of_every_class_are_told_in_every_format(form, monkeypatch, capsys):
    monkeypatch.chdir(DATA)
    classes = [sorted(folder.glob("*.pkl")) for folder in Path("attacks").iterdir() if folder.is_dir()]
    names = [str(min(paths, key=lambda path: path.stat().st_size)) for paths in classes if paths]
    assert len(names) > 20
    assert main(["scan", "--policy", "plain", "--format", form, *names]) == 1
    shown = capsys.readouterr().out
    passing = {name for name in names if scan(name, policy="plain").ok}
    assert len(passing) < len(names) / 4  # some are attacks on other policies
    assert [name for name in names if name not in shown and not (name in passing and form == "github")] == []
