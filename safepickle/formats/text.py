"""Reports for people, a few lines for each file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from safepickle.console import Ink, say
from safepickle.formats.outcomes import Group, Manner, Outcome, groups
from safepickle.report import DANGEROUS, FORBIDDEN, INCOMPLETE, MALFORMED, NOT_A_PICKLE, PASS, Report

#: Lines of findings shown of one file, for people.  No science went into this number.
MOST_SHOWN: Final = 20

INKS: Final = {
    PASS: Ink.GREEN, FORBIDDEN: Ink.RED, MALFORMED: Ink.RED, INCOMPLETE: Ink.YELLOW, NOT_A_PICKLE: Ink.DIM,
}  # fmt: skip


def report_text(outcomes: Iterable[Outcome], manner: Manner) -> Iterator[Outcome]:
    """Print what a person reads."""
    counts: dict[str, int] = {}
    known = 0
    for outcome in outcomes:
        report = outcome.report
        counts[report.verdict] = counts.get(report.verdict, 0) + 1
        say(f"{report.source}: ", (report.verdict, INKS[report.verdict]))
        if outcome.exit_code is not None:  # what is wrong with a file that claims nothing is of no interest
            known += _say_findings(report)
        yield outcome
    total = sum(counts.values())
    pieces: list[str | tuple[str, Ink]] = []
    for verdict, count in sorted(counts.items()):
        pieces += [", " if pieces else "", (f"{count} {verdict}", INKS[verdict])]
    if not total:
        say("nothing to scan")
        return
    compared = f"; {known} finding{'' if known == 1 else 's'} known from the baseline" if manner.compared else ""
    say(f"{total} file{'' if total == 1 else 's'}: ", *pieces, compared)


def _say_findings(report: Report) -> int:
    """Print the findings that are new; returns how many are not."""
    found = groups(finding for finding in report.findings if not finding.known)
    for group in found[:MOST_SHOWN]:
        _say_group(group)
    if len(found) > MOST_SHOWN:
        say(f"  ... and {len(found) - MOST_SHOWN} more, which the other formats have")
    return sum(finding.known for finding in report.findings)


def _say_group(group: Group) -> None:
    first = group.first
    judged = f"{group.judgement}: " if group.judgement else ""
    ink = Ink.RED if first.grade == DANGEROUS else Ink.YELLOW
    verbs = f": {', '.join(group.verbs)}" if group.verbs else ""
    place = f"{group.place}: " if group.place else ""
    say(f"  {place}", (judged, ink), f"{first.message} ", (f"[{first.rule}{verbs}]", Ink.DIM))
