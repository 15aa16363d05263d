"""What is new since an earlier report: old findings are known, new ones fail.

Rules:

* A file is compared with what the earlier report says of the file of this name, and of any with these very bytes.  Of
  another file, everything is new.
* What is compared is what is asked for: names with verbs and kinds of arguments, and findings by their rule and what
  they are about, wherever in the file they stand.
* A verdict that has become worse is new.  What could not be read is never known, and what was not judged (it is behind
  a limit, damaged or encrypted, or a library is missing) is known of the very same bytes only: anything may have come
  into it since.
* The report is read whole and strictly: one that is broken, or of another tool, is no baseline.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from safepickle.errors import escape
from safepickle.report import NOT_A_PICKLE, PASS, RULES, VERDICTS, Finding, Report

__all__ = ["Baseline", "BaselineError", "identity", "read_baseline"]

_NUMBERS: Final = re.compile(r"\d[\d,]*")
_UNREAD: Final = "unreadable"
#: What is behind these was looked at by nobody.
_UNJUDGED: Final = frozenset({"container", "encrypted", "missing-library", "unpack-limit"})
#: From the gravest to the least.
_ORDER: Final = {verdict: rank for rank, verdict in enumerate(VERDICTS)}


class BaselineError(ValueError):
    """A file is no report that could be compared with."""


def identity(finding: Finding) -> str:
    """What a finding is about, wherever it stands: the same text for the same thing, in hexadecimal."""
    import hashlib

    about = [finding.rule, finding.module, finding.name, finding.verb, finding.path, _placeless(finding.member or "")]
    if finding.module is None:
        about.append(_placeless(finding.message))
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:32]


def _placeless(text: str) -> str:
    """A text without its numbers: lengths and places."""
    return _NUMBERS.sub("#", text)


class _Known(NamedTuple):
    """What an earlier report says of one file."""

    verdict: str
    findings: frozenset[str]
    unjudged: frozenset[str]  # findings as well
    asked: frozenset[tuple[str, ...]]


class Baseline:
    """An earlier report, to compare others with."""

    def __init__(self, reports: Iterable[Report]) -> None:
        self._by_name: dict[str, list[_Known]] = {}
        self._by_hash: dict[str, list[_Known]] = {}
        for report in reports:
            found = [finding for finding in report.findings if finding.rule != _UNREAD]
            known = _Known(
                report.verdict,
                frozenset(identity(finding) for finding in found if not _is_unjudged(finding)),
                frozenset(identity(finding) for finding in found if _is_unjudged(finding)),
                frozenset(_asked(report)),
            )
            if report.source is not None:
                self._by_name.setdefault(_normal(report.source), []).append(known)
            if report.sha256:
                self._by_hash.setdefault(report.sha256, []).append(known)

    def compare(self, report: Report) -> tuple[Report, bool]:
        """The report with what is known marked as such, and whether nothing in it is new."""
        same = self._same(report)
        known = self._named(report) + same
        findings = frozenset().union(*(each.findings for each in known), *(each.unjudged for each in same))
        asked = frozenset().union(*(each.asked for each in known))
        marked = tuple(
            finding._replace(known=identity(finding) in findings and finding.rule != _UNREAD)
            for finding in report.findings
        )
        worst = min((_ORDER[each.verdict] for each in known), default=_ORDER[PASS])
        is_known = (
            bool(known)
            and all(finding.known for finding in marked)
            and asked.issuperset(_asked(report))
            and _ORDER[report.verdict] >= worst
        )
        return report._replace(findings=marked), is_known

    def _named(self, report: Report) -> list[_Known]:
        return [] if report.source is None else self._by_name.get(_normal(report.source), [])

    def _same(self, report: Report) -> list[_Known]:
        """What is known of these very bytes."""
        if not self._by_hash or report.verdict == PASS:
            return []
        try:
            return self._by_hash.get(report.sha256, [])
        except OSError:  # a large file that has gone since it was scanned
            return []


def _is_unjudged(finding: Finding) -> bool:
    return finding.rule in _UNJUDGED


def _normal(path: str) -> str:
    return os.path.normpath(path)


def _asked(report: Report) -> set[tuple[str, ...]]:
    """What a file asks for and is not granted, a thing each: a use of a name, or one with these kinds of arguments."""
    found: set[tuple[str, ...]] = set()
    for capability in report.capabilities:
        if not capability.granted:
            name = capability.module, capability.name
            found |= {("use", *name, verb) for verb, _ in capability.uses}
            found |= {("arguments", *name, *kinds) for kinds, _ in capability.arguments}
    return found


def read_baseline(path: str) -> Baseline:
    """The baseline in a file: what `scan` has printed as json or jsonl.

    Raises OSError for what cannot be read, and BaselineError for what is no such report.
    """
    with open(path, "rb") as file:
        raw = file.read()
    try:
        return Baseline(_reports(raw.decode("utf-8")))
    except (ValueError, RecursionError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else escape(str(error), 300)
        raise BaselineError(f"no report of `scan --format json` or `jsonl`: {why}") from None


def _records(text: str) -> list[Any]:
    """The reports of one document, or of one a line."""
    if not text.strip():
        raise ValueError("it is empty")
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if not isinstance(document, dict) or "reports" not in document:
        return [document]
    reports = document["reports"]
    if not isinstance(reports, list):
        raise ValueError("reports is no list")  # noqa: TRY004 - one error for whatever is wrong with it
    return reports


def _reports(text: str) -> list[Report]:
    found = [Report.from_dict(each) for each in _records(text)]
    for report in found:
        for finding in report.findings:
            if finding.rule not in RULES:
                raise ValueError(f"there is no rule {finding.rule!r}")
        if report.verdict not in (PASS, NOT_A_PICKLE) and not report.findings:
            raise ValueError(f"{report.source!r} is called {report.verdict} without a finding")
    return found
