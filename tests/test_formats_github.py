"""Workflow commands: exact escaping, one a line, and nothing in a name is another command."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepickle.formats import Manner, Outcome
from safepickle.formats.github import command, report_github
from safepickle.report import Finding
from safepickle.scanner import scan


def decoded(line: str) -> tuple[str, dict[str, str], str]:
    """A command as the runner reads it: up to the first `::` behind the values, then the message."""
    name, values, message = re.fullmatch(r"::([a-z]+) ?(.*?)::(.*)", line, re.DOTALL).groups()
    pairs = dict(pair.split("=", 1) for pair in values.split(",") if pair)
    back = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}

    def plain(text: str) -> str:
        return re.sub("%(?:0D|0A|3A|2C|25)", lambda found: back[found[0]], text)

    return name, {key: plain(value) for key, value in pairs.items()}, plain(message)


def test_a_command_is_spelled_as_the_runner_documents_it():
    assert command("error", "100%\r\nx: y, z", file="a,b:c%.pkl", title="t") == (
        "::error file=a%2Cb%3Ac%25.pkl,title=t::100%25%0D%0Ax: y, z"
    )
    assert command("warning", "m") == "::warning ::m"


@given(st.text(), st.text(min_size=1), st.text(min_size=1))
def test_whatever_a_name_holds_is_read_back_and_ends_nothing(message, file, title):
    line = command("error", message, file=file, title=title)
    assert not {"\n", "\r"} & set(line)
    assert decoded(line) == ("error", {"file": file, "title": title}, message)


def shown(capsys, *outcomes: Outcome) -> list[str]:
    list(report_github(outcomes, Manner()))
    return capsys.readouterr().out.splitlines()


def test_a_finding_is_an_annotation_of_its_file(capsys):
    report = scan(b"cos\nsystem\n(S'true'\ntR.")._replace(source="models/x,1.pkl")
    first, last = shown(capsys, Outcome(report, 1))
    name, values, message = decoded(first)
    assert (name, values) == ("error", {"file": "models/x,1.pkl", "title": "safepickle: not-granted"})
    assert message.startswith("byte 0, GLOBAL: dangerous, the module os starts programs")
    assert message.endswith("(refer, call). Do not load it: no policy should admit this.")
    assert last == "safepickle: 1 forbidden"


def test_what_is_no_error_is_a_warning_and_a_pass_is_nothing(capsys):
    incomplete = scan(b"N.abc")._replace(source="x")
    assert incomplete.verdict == "incomplete"
    first, last = shown(capsys, Outcome(incomplete, 2), Outcome(scan(b"N.")._replace(source="y"), 0))
    assert first.startswith("::warning file=x,")
    assert last == "safepickle: 1 incomplete, 1 pass"


@pytest.mark.parametrize(("code", "lines"), [(2, 2), (None, 1)])
def test_what_is_no_pickle_is_told_where_it_was_named(capsys, code, lines):
    report = scan(b"The notes of a meeting.")._replace(source="x", findings=())
    found = shown(capsys, Outcome(report, code))
    assert len(found) == lines
    assert found[-1] == "safepickle: 1 not a pickle"


def test_very_many_findings_are_some_annotations_and_a_count(capsys):
    findings = tuple(Finding("not-granted", "error", f"m{number}") for number in range(1000))
    report = scan(b"N.")._replace(source="x", verdict="forbidden", findings=findings)
    found = shown(capsys, Outcome(report, 1))
    assert len(found) < 30
    assert "and 980 more findings" in found[-2]


def test_what_a_baseline_knows_is_not_annotated(capsys):
    known = Finding("not-granted", "error", "m", known=True)
    report = scan(b"N.")._replace(source="x", verdict="forbidden", findings=(known,))
    assert shown(capsys, Outcome(report, 0)) == ["safepickle: 1 forbidden"]


def test_nothing_to_scan_is_a_warning(capsys):
    assert shown(capsys) == ["::warning title=safepickle::nothing to scan"]
