"""Workflow commands of GitHub Actions: each line makes an annotation of a file.

A command is `::name key=value,key=value::message`.  Line ends and `%` are escaped everywhere, `:` and `,` in values
too, so that nothing in a name can end a value, a line or the command.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from safepickle.console import NOTHING, PASSED, UNFINISHED, say, say_command
from safepickle.formats.outcomes import Group, Manner, Outcome, groups
from safepickle.formats.text import MOST_SHOWN
from safepickle.report import NOT_A_PICKLE, Report


def report_github(outcomes: Iterable[Outcome], _: Manner) -> Iterator[Outcome]:
    """Print a command for whatever is not fine, and the verdicts as plain text."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.report.verdict] = counts.get(outcome.report.verdict, 0) + 1
        if outcome.exit_code is not None:
            _say_report(outcome)
        yield outcome
    if not counts:
        say_command(command("warning", "nothing to scan", title="safepickle"))
    else:
        say("safepickle: " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))


def _say_report(outcome: Outcome) -> None:
    report = outcome.report
    found = groups(finding for finding in report.findings if not finding.known)
    for group in found[:MOST_SHOWN]:
        say_command(_of_group(report, group))
    if len(found) > MOST_SHOWN:
        more = f"and {len(found) - MOST_SHOWN} more findings, which the other formats have"
        say_command(command("warning", more, file=report.source or "", title="safepickle"))
    if report.verdict == NOT_A_PICKLE or (not report.findings and outcome.exit_code not in (None, PASSED, NOTHING)):
        severity = "warning" if outcome.exit_code == UNFINISHED else "error"
        say_command(command(severity, report.verdict, file=report.source or "", title="safepickle"))


def _of_group(report: Report, group: Group) -> str:
    first = group.first
    parts = [part for part in (group.place, group.judgement, first.message) if part]
    verbs = f" ({', '.join(group.verbs)})" if group.verbs else ""
    text = f"{': '.join(parts)}{verbs}. {group.advice}".strip()
    return command(first.severity, text, file=report.source or "", title=f"safepickle: {first.rule}")


def command(name: str, message: str, **values: str) -> str:
    """One workflow command."""
    shown = ",".join(f"{key}={_value(value)}" for key, value in values.items() if value)
    return f"::{name} {shown}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
