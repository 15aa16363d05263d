"""The command line: `safepickle scan`, `show`, `policy` and `version`.

Rules:

* Exit codes: 0 all analysed and passed, 1 a finding, 2 incomplete or a usage error, 3 nothing to scan; 1 wins over 2,
  and 2 over 3.  What could not be analysed is never a pass.
* Nothing that is scanned is imported, called or built, and no configuration is read from where it lies.
* Every character that goes out is printable or a line end, see `console.py`.
* It decides nothing itself: the scanner judges, the disassembler reads.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from safepickle import __version__, build, cli_many, cli_policy
from safepickle.console import FOUND, NOTHING, PASSED, UNFINISHED, complain, read_policy, say, to_json
from safepickle.disassemble import Line, disassemble
from safepickle.errors import escape
from safepickle.policy import Policy
from safepickle.report import FORBIDDEN, INCOMPLETE, MALFORMED, NOT_A_PICKLE, PASS, Finding, Report
from safepickle.scanner import scan

FORMATS: Final = ("text", "json", "jsonl")
#: Lines of findings shown of one file, for people.  No science went into this number.
MOST_SHOWN: Final = 20

# What a verdict means for the exit code.  Of a file that is no pickle, how it was come by decides.
_EXIT: Final = {PASS: PASSED, FORBIDDEN: FOUND, MALFORMED: FOUND, INCOMPLETE: UNFINISHED}


class Outcome(NamedTuple):
    """What became of one path."""

    report: Report
    exit_code: int | None  # None: nothing to scan here


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; `arguments` are those of the process by default.  Returns the exit code."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        code = run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has gone, so nobody has the whole of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNFINISHED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="safepickle",
        description="Judge pickles by a policy, and look into them, without running anything they name.",
        epilog="Exit codes: 0 all analysed and passed, 1 a finding, 2 incomplete or a usage error, 3 nothing to scan.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    scanning = commands.add_parser("scan", help="judge files and folders", description="Judge files and folders.")
    scanning.add_argument("paths", nargs="+", metavar="PATH", help="a file, or a folder with everything below it")
    cli_policy.add_policy(scanning, "--policy", default=None)
    scanning.add_argument("--format", choices=FORMATS, default="text", help="how to report (default: %(default)s)")
    cli_many.add_options(scanning)
    scanning.set_defaults(run=_scan)

    showing = commands.add_parser("show", help="disassemble a file", description="Disassemble the pickles in a file.")
    showing.add_argument("file", metavar="FILE")
    showing.set_defaults(run=_show)

    policies = commands.add_parser("policy", help="make and review policies", description="Make and review policies.")
    cli_policy.add_commands(policies)

    telling = commands.add_parser("version", help="print the version")
    telling.set_defaults(run=_version)
    return parser


# Scanning.


def _scan(options: argparse.Namespace) -> int:
    policy = None
    if options.policy is not None:
        policy = read_policy(options.policy)
        if policy is None:
            return UNFINISHED
    problem = cli_many.problem(options)
    if problem:
        complain(problem)
        return UNFINISHED
    outcomes = _outcomes(options.paths, policy)
    if cli_many.is_asked(options):
        reports = cli_many.reports(options, _sources(options.paths), policy)
        outcomes = (_outcome(report, named=named) for report, named in reports)
    try:
        code = _exit_code(_REPORTERS[options.format](cli_many.ended(outcomes, options)))
    except KeyboardInterrupt:  # while something was written
        cli_many.interrupted(options)
        return UNFINISHED
    return UNFINISHED if options.cut_off and code != FOUND else code


def _exit_code(outcomes: Iterable[Outcome]) -> int:
    codes = {outcome.exit_code for outcome in outcomes} - {None}
    return next((code for code in (FOUND, UNFINISHED, PASSED) if code in codes), NOTHING)


def _outcomes(paths: Iterable[str], policy: Policy | None) -> Iterator[Outcome]:
    for source, named in _sources(paths):
        if isinstance(source, Report):
            yield Outcome(source, UNFINISHED)
        else:
            yield _judge(source, policy, named=named)


def _sources(paths: Iterable[str]) -> Iterator[tuple[str | Report, bool]]:
    """What is to be judged, and whether it was named itself; a report stands for what cannot be."""
    for path in paths:
        if os.path.isdir(path):
            yield from ((source, False) for source in _folder(path))
        else:
            yield path, True


def _folder(root: str) -> Iterator[str | Report]:
    """Everything below `root`.  Links to folders are not followed: one of them could lead anywhere, or round."""
    errors: list[OSError] = []
    for folder, subfolders, names in os.walk(root, onerror=errors.append):
        subfolders.sort()
        for name in subfolders:
            link = Path(folder, name)
            if link.is_symlink() and not link.resolve().is_relative_to(Path(root).resolve()):
                yield _unread(str(link), "a link to a folder elsewhere, which is not followed")
        for name in sorted(names):
            yield os.path.join(folder, name)
    for error in errors:
        yield _unread(str(error.filename or root), error.strerror or str(error))


def _judge(path: str, policy: Policy | None, *, named: bool) -> Outcome:
    try:
        if not named and not stat.S_ISREG(os.stat(path).st_mode):
            return Outcome(_unread(path, "not a regular file"), UNFINISHED)  # a pipe would be waited for
        report = scan(path, policy=policy)
    except OSError as error:
        return Outcome(_unread(path, error.strerror or str(error)), UNFINISHED)
    return _outcome(report, named=named)


def _outcome(report: Report, *, named: bool) -> Outcome:
    if report.verdict == NOT_A_PICKLE:
        return Outcome(report, UNFINISHED if named else None)
    return Outcome(report, _EXIT[report.verdict])


def _unread(path: str, why: str) -> Report:
    finding = Finding("unreadable", "warning", escape(why))
    return Report(path, INCOMPLETE, (finding,), (), (), (), 0, 0, "", "")


# Reporting.  Each function takes outcomes as they come, and hands them on for the exit code.


def _report_text(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    counts: dict[str, int] = {}
    for outcome in outcomes:
        report = outcome.report
        counts[report.verdict] = counts.get(report.verdict, 0) + 1
        say(f"{report.source}: {report.verdict}")
        if outcome.exit_code is not None:  # what is wrong with a file that claims nothing is of no interest
            for line in _findings(report.findings):
                say("  " + line)
        yield outcome
    total = sum(counts.values())
    summary = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    say(f"{total} file{'' if total == 1 else 's'}: {summary}" if total else "nothing to scan")


def _findings(findings: Iterable[Finding]) -> Iterator[str]:
    """One line for what is said in the same words, at its first place, with the verbs of all."""
    alike: dict[tuple[str, str, str | None], list[Finding]] = {}
    for finding in findings:
        alike.setdefault((finding.rule, finding.message, finding.member), []).append(finding)
    for group in list(alike.values())[:MOST_SHOWN]:
        first = group[0]
        place = "" if first.position is None else f"byte {first.position}"
        if first.member is not None:
            place = f"{escape(first.member)}{', ' if place else ''}{place}"
        opcode = f", {first.opcode}" if first.opcode else ""
        verbs = ", ".join(dict.fromkeys(finding.verb for finding in group if finding.verb))
        yield f"{place}{opcode}{': ' if place else ''}{first.message} [{first.rule}{': ' if verbs else ''}{verbs}]"
    if len(alike) > MOST_SHOWN:
        yield f"... and {len(alike) - MOST_SHOWN} more, which the other formats have"


def _report_json(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    shown = list(outcomes)
    say(to_json({"reports": [outcome.report.to_dict() for outcome in shown]}))
    yield from shown


def _report_jsonl(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    for outcome in outcomes:
        say(to_json(outcome.report.to_dict()))
        yield outcome


_REPORTERS: Final = {"text": _report_text, "json": _report_json, "jsonl": _report_jsonl}


# The other commands.


def _show(options: argparse.Namespace) -> int:
    try:
        data = Path(options.file).read_bytes()
    except OSError as error:
        complain(f"{options.file}: {error.strerror or error}")
        return UNFINISHED
    last: Line | None = None
    start = 0
    while last is None or start < len(data):
        if last is not None:
            say(f"{start:>8}  -- the next pickle")
        for last in disassemble(data, start):
            say(str(last))
        if last is None or last.problem:
            return FOUND
        start = last.position + 1  # STOP is one byte
    return PASSED


def _version(_: argparse.Namespace) -> int:
    core = "compiled" if build.core() == build.COMPILED else "pure Python"
    say(f"safepickle {__version__}, {core}, on {sys.implementation.name} {sys.version.split()[0]}")
    return PASSED
