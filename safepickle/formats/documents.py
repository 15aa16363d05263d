"""Reports for programs: one JSON document, or one a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from safepickle.console import say, to_json
from safepickle.formats.outcomes import Manner, Outcome
from safepickle.report import Report

#: Of one file: a log may hold a million pickles, of which each would take a hundred bytes.  No science went into this.
MOST_MEMBERS: Final = 10_000


def report_json(outcomes: Iterable[Outcome], _: Manner) -> Iterator[Outcome]:
    """Print one document, a report a line."""
    say('{"reports": [')
    before = ""
    for outcome in outcomes:
        if before:
            say(before + ",")
        before = to_json(as_dict(outcome.report))
        yield outcome
    if before:
        say(before)
    say("]}")


def report_jsonl(outcomes: Iterable[Outcome], _: Manner) -> Iterator[Outcome]:
    """Print a report a line."""
    for outcome in outcomes:
        say(to_json(as_dict(outcome.report)))
        yield outcome


def as_dict(report: Report) -> dict[str, object]:
    """The report as plain data, with so many members; of a large file that has gone since, without its hash."""
    try:
        return report.to_dict(MOST_MEMBERS)
    except OSError:
        return report._replace(hashed="").to_dict(MOST_MEMBERS)
