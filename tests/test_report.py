"""Reports are frozen data with stable rules."""

from __future__ import annotations

import json
import re

import pytest

import safepickle
from safepickle.policy import Policy
from safepickle.report import FORBIDDEN, INCOMPLETE, MALFORMED, NOT_A_PICKLE, PASS, RULES, Report
from safepickle.scanner import scan

SOURCES = (
    b"", b".", b"N.", b"N.N.", b"N.\xff", b"cos\nsystem\n.", b"cos\nsystem\n(", b"Pid\n.", b"\x82\x01.", b"PK\x03\x04",
    b"cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.", b"Nr\xff\xff\xff\x7f.", b"cbuiltins\nset\n}V__setstate__\nNsb.",
)  # fmt: skip


@pytest.mark.parametrize("data", SOURCES)
def test_every_finding_has_a_rule_that_is_explained(data):
    report = scan(data, policy="plain")
    assert {finding.rule for finding in report.findings} <= RULES.keys()
    assert {finding.severity for finding in report.findings} <= {"error", "warning"}


def test_the_sources_above_meet_every_verdict():
    verdicts = {scan(data, policy="plain").verdict for data in SOURCES}
    assert verdicts == {PASS, FORBIDDEN, MALFORMED, INCOMPLETE, NOT_A_PICKLE}


@pytest.mark.parametrize("data", SOURCES)
def test_only_a_pass_is_ok_and_a_pass_has_no_findings(data):
    report = scan(data, policy="plain")
    assert report.ok == (report.verdict == PASS)
    assert not (report.ok and report.findings)


def test_every_rule_says_what_it_means_and_what_to_do():
    assert {rule.severity for rule in RULES.values()} == {"error", "warning"}
    assert {rule.verdict for rule in RULES.values()} == {FORBIDDEN, MALFORMED, INCOMPLETE}
    assert all(rule.meaning.endswith(".") and rule.advice.endswith(".") for rule in RULES.values())
    assert all((rule.severity == "warning") == (rule.verdict == INCOMPLETE) for rule in RULES.values())


def test_a_report_cannot_be_changed():
    report = scan(b"N.", policy="plain")
    with pytest.raises(AttributeError):
        report.verdict = "pass"  # type: ignore[misc]
    assert isinstance(report, safepickle.Report)


# Reading a report again.


@pytest.mark.parametrize("data", [*SOURCES, b"\x80\x02cuuid\nUUID\n)\x81}Vint\nI1\nsb."])
def test_a_report_reads_back_from_json_as_it_was(data):
    report = scan(data)
    assert Report.from_dict(json.loads(json.dumps(report.to_dict()))) == report._replace(hashed=report.sha256)


def damaged():
    """A report with any one of its parts missing, or of another kind."""
    whole = scan(b"cos\nsystem\n(Vid\ntR.").to_dict()
    for key in sorted(whole.keys() - {"ok"}):
        for value in (None, 1, "x", [1], {"x": "x"}, True):
            if value == [1] or (type(value) is not type(whole[key]) and not (key == "source" and value == "x")):
                yield key, {**whole, key: value}
        yield key, {name: part for name, part in whole.items() if name != key}
    for key in ("findings", "capabilities", "members", "missing"):
        for inner in whole[key][0]:
            rest = {name: part for name, part in whole[key][0].items() if name != inner}
            yield f"{key}[0].{inner}", {**whole, key: [rest]}
            yield f"{key}[0].{inner}", {**whole, key: [{**rest, inner: 1.5}]}


@pytest.mark.parametrize(("place", "data"), [*damaged()])
def test_anything_else_is_refused_with_its_place(place, data):
    with pytest.raises(ValueError, match=re.escape(place.split(".")[0])):
        Report.from_dict(data)


@pytest.mark.parametrize("data", [None, [], "report", 1, {}, {"verdict": "fine"}])
def test_what_is_no_report_is_refused(data):
    with pytest.raises(ValueError, match=r"is no object|missing|is none"):
        Report.from_dict(data)


def test_what_a_later_version_adds_to_a_report_is_ignored():
    data = scan(b"N.").to_dict()
    assert Report.from_dict({**data, "added": {"later": 1}}) == Report.from_dict(data)


@pytest.mark.parametrize("number", [-1, 1 << 64])
def test_a_member_that_is_nowhere_is_no_report(number):
    told = safepickle.scan(b"N.").to_dict()
    told["members"][0]["stop"] = number
    with pytest.raises(ValueError, match=r"members\[0\]\.stop is negative, or larger"):
        Report.from_dict(told)


def test_what_would_admit_a_refused_use_is_part_of_a_report_and_only_where_there_is_something_to_tell():
    policy = Policy.from_yaml("safepickle: 1\nallow: {uuid: [UUID: {use: [call], args: [[int]]}]}")
    report = scan(b"cuuid\nUUID\n(Vtext\ntR.", policy=policy)
    assert report.to_dict()["missing"][0]["conditions"] == "args: [[str]]"
    assert Report.from_dict(report.to_dict()).missing == report.missing
    assert "conditions" not in scan(b"cos\nsystem\n.").to_dict()["missing"][0]
