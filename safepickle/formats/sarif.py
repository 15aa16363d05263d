"""SARIF 2.1.0, the format of code scanning services: https://docs.oasis-open.org/sarif/sarif/v2.1.0/.

* A rule is one of the report's, or the same for a dangerous name: `not-granted/dangerous`, with a higher severity.
* "byteOffset: the zero-based offset from the beginning of the artifact".  What is in a container is no region of the
  file: the stream's name is a logical location then, and the offset in it a property.
* A fingerprint says what was found, not where: it stays when bytes move.
* Results are written as they come; the list of files and what could not be judged stand behind them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, Final

from safepickle import __version__
from safepickle.baseline import identity
from safepickle.console import UNFINISHED, say, to_json
from safepickle.errors import escape
from safepickle.formats.outcomes import Manner, Outcome
from safepickle.report import DANGEROUS, DANGEROUS_ADVICE, RULES, UNKNOWN, Finding, Report, Rule

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT: Final = "safepickle/v1"
_DANGEROUS: Final = "/dangerous"
#: Rules whose findings are about a name.
_OF_NAMES: Final = ("not-granted", "condition", "provenance")
#: How code scanning services order alerts, from 0.0 to 10.0: above 9 is critical, above 7 high, above 4 medium.
_DANGER: Final = "9.5"
_SEVERITIES: Final = {"error": "8.0", "warning": "5.0"}
#: "rank: 0.0 to 100.0, the highest is most important".
_RANKS: Final = {DANGEROUS: 95.0, UNKNOWN: 50.0}


def _rules() -> list[dict[str, Any]]:
    found = [_descriptor(name, rule, _SEVERITIES[rule.severity]) for name, rule in RULES.items()]
    for name in _OF_NAMES:
        meaning = f"{RULES[name].meaning} The name is known to be dangerous."
        rule = RULES[name]._replace(meaning=meaning, advice=DANGEROUS_ADVICE)
        found.append(_descriptor(name + _DANGEROUS, rule, _DANGER))
    return found


def _descriptor(name: str, rule: Rule, severity: str) -> dict[str, Any]:
    meaning = rule.meaning
    words = name.replace("/", "-").split("-")
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in words),
        "shortDescription": {"text": meaning},
        "fullDescription": {"text": meaning},
        "help": {"text": f"{meaning} {rule.advice}", "markdown": f"{meaning}\n\n**What to do:** {rule.advice}"},
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"security-severity": severity, "tags": ["security", "deserialization", "pickle"]},
    }


_DESCRIPTORS: Final = _rules()
_INDEXES: Final = {rule["id"]: index for index, rule in enumerate(_DESCRIPTORS)}


def report_sarif(outcomes: Iterable[Outcome], manner: Manner) -> Iterator[Outcome]:
    """Print a log with one run."""
    driver = {"name": "safepickle", "version": __version__, "semanticVersion": __version__, "rules": _DESCRIPTORS}
    say(f'{{"$schema": {to_json(SCHEMA)}, "version": "2.1.0", "runs": [{{"tool": {to_json({"driver": driver})},')
    say('"results": [')
    artifacts: dict[str, int] = {}  # "uniqueItems": a file may be named twice
    notes: list[str] = []
    complete = True
    before = ""
    for outcome in outcomes:
        index = artifacts.setdefault(to_json(_artifact(outcome.report)), len(artifacts))
        if outcome.exit_code is not None:
            complete = complete and outcome.exit_code != UNFINISHED
            for result in _results(outcome.report, index, manner):
                if before:
                    say(before + ",")
                before = to_json(result)
            if outcome.exit_code == UNFINISHED:
                notes.append(to_json(_notification(outcome.report, index)))
        yield outcome
    if before:
        say(before)
    say('], "artifacts": [')
    _say_all([*artifacts])
    say(f'], "invocations": [{{"executionSuccessful": {to_json(complete)}, "toolExecutionNotifications": [')
    _say_all(notes)
    say("]}]}]}")


def _say_all(items: list[str]) -> None:
    for number, item in enumerate(items, 1):
        say(item if number == len(items) else item + ",")


def _artifact(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {
        "location": {"uri": uri(report.source or "")},
        "length": report.size,
        "roles": ["analysisTarget"],
        "properties": {"verdict": report.verdict, "policy": report.policy},
    }
    if isinstance(report.hashed, str) and report.hashed:  # of a large file, it would be read once more
        found["hashes"] = {"sha-256": report.hashed}
    return found


def _notification(report: Report, index: int) -> dict[str, Any]:
    why = "; ".join(dict.fromkeys(finding.message for finding in report.findings[:3])) or report.verdict
    return {
        "level": "warning",
        "message": {"text": plain(f"not all of it was judged: {why}")},
        "locations": [{"physicalLocation": {"artifactLocation": _location(report, index)}}],
    }


def _location(report: Report, index: int) -> dict[str, Any]:
    return {"uri": uri(report.source or ""), "index": index}


def _results(report: Report, index: int, manner: Manner) -> Iterator[dict[str, Any]]:
    seen: dict[str, int] = {}
    for finding in report.findings:
        same = identity(finding)
        seen[same] = seen.get(same, 0) + 1
        yield _result(report, index, finding, manner, f"{same}:{seen[same]}")


def _result(report: Report, index: int, finding: Finding, manner: Manner, fingerprint: str) -> dict[str, Any]:
    rule = finding.rule + (_DANGEROUS if finding.grade == DANGEROUS and finding.rule + _DANGEROUS in _INDEXES else "")
    judged = f"Dangerous, {finding.reason}: " if finding.grade == DANGEROUS else ""
    said = f"Unknown: {finding.message}" if finding.grade == UNKNOWN else f"{judged}{finding.message}"
    physical: dict[str, Any] = {"artifactLocation": _location(report, index)}
    properties: dict[str, Any] = {
        key: plainly
        for key in ("opcode", "module", "name", "verb", "path", "grade", "reason")
        if (value := getattr(finding, key)) is not None and (plainly := escape(value, 1000))
    }
    place: dict[str, Any] = {"physicalLocation": physical}
    if finding.member is not None:
        name = escape(finding.member, 1000)
        place["logicalLocations"] = [
            {"name": name.rpartition("!/")[2] or name, "fullyQualifiedName": name, "kind": "member"}
        ]
        if finding.position is not None:
            properties["memberOffset"] = finding.position
    elif finding.position is not None:
        physical["region"] = {"byteOffset": finding.position, "byteLength": 1}
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": _INDEXES[rule],
        "kind": "fail",
        "level": finding.severity,
        "rank": _RANKS.get(finding.grade or "", 70.0 if finding.severity == "error" else 20.0),
        "message": {"text": plain(said)},
        "locations": [place],
        "partialFingerprints": {FINGERPRINT: fingerprint},
        "properties": properties,
    }
    if manner.compared:
        result["baselineState"] = "unchanged" if finding.known else "new"
    return result


def plain(text: str) -> str:
    """A message without placeholders (`{0}`) and without embedded links (`[text](target)`)."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")


def uri(path: str) -> str:
    """A file's URI reference: relative where the path is."""
    from urllib.parse import quote

    whole = os.path.normpath(path) if path else ""
    named = quote(os.fsencode(whole.replace(os.sep, "/")), safe="/")
    if not os.path.isabs(whole):
        return named
    return "file://" + (named if named.startswith("/") else "/" + named)
