"""Reports are frozen data with stable rules."""

from __future__ import annotations

import pytest

import safepickle
from safepickle.report import FORBIDDEN, INCOMPLETE, MALFORMED, NOT_A_PICKLE, PASS, RULES
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
