"""The command line: `safepickle scan`, `show`, `explain`, `policy`, `report`, `completion` and `version`.

Rules:

* Exit codes: 0 all analysed and passed, 1 a finding, 2 incomplete or a usage error, 3 nothing to scan; 1 wins over 2,
  and 2 over 3.  What could not be analysed is never a pass.
* Nothing that is scanned is imported, called or built, and no configuration is read from where it lies.
* Every character that goes out is printable or a line end, see `console.py`.
* It decides nothing itself: the scanner judges, `formats` print.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from safepickle import __version__, build, cli_explain, cli_many, cli_policy, cli_report
from safepickle.console import FOUND, NOTHING, PASSED, UNFINISHED, complain, read_policy, say
from safepickle.errors import escape
from safepickle.formats import Outcome
from safepickle.policy import Policy
from safepickle.report import FORBIDDEN, INCOMPLETE, MALFORMED, NOT_A_PICKLE, PASS, Finding, Report
from safepickle.scanner import Judged, scan, watched

# What a verdict means for the exit code.  Of a file that is no pickle, how it was come by decides.
_EXIT: Final = {PASS: PASSED, FORBIDDEN: FOUND, MALFORMED: FOUND, INCOMPLETE: UNFINISHED}


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
    cli_report.add_format(scanning)
    cli_many.add_options(scanning)
    scanning.set_defaults(run=cli_report.configured(_scan))

    cli_explain.add_commands(commands)

    policies = commands.add_parser("policy", help="make and review policies", description="Make and review policies.")
    cli_policy.add_commands(policies)

    cli_report.add_commands(commands, _outcomes, _parser)

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
    studio = None
    outcomes: Iterator[Outcome]
    if cli_many.is_asked(options):
        reports = cli_many.reports(options, _sources(options.paths), policy)
        outcomes = (_outcome(report, named=named) for report, named in reports)
    else:
        studio = cli_report.studio(options)
        outcomes = _outcomes(options.paths, policy, None if studio is None else studio.artist)
    try:
        code = _exit_code(cli_report.reported(options, cli_many.ended(outcomes, options), policy, studio))
    except KeyboardInterrupt:  # while something was written
        cli_many.interrupted(options)
        return UNFINISHED
    return UNFINISHED if options.cut_off and code != FOUND else code


def _exit_code(outcomes: Iterable[Outcome]) -> int:
    codes = {outcome.exit_code for outcome in outcomes} - {None}
    return next((code for code in (FOUND, UNFINISHED, PASSED) if code in codes), NOTHING)


def _outcomes(
    paths: Iterable[str], policy: Policy | None, watchers: cli_report.Watchers | None = None
) -> Iterator[Outcome]:
    for source, named in _sources(paths):
        if isinstance(source, Report):
            yield Outcome(source, UNFINISHED)
        else:
            yield _judge(source, policy, None if watchers is None else watchers(), named=named)


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


def _judge(path: str, policy: Policy | None, watch: Callable[[Judged], None] | None, *, named: bool) -> Outcome:
    try:
        if not named and not stat.S_ISREG(os.stat(path).st_mode):
            return Outcome(_unread(path, "not a regular file"), UNFINISHED)  # a pipe would be waited for
        report = scan(path, policy=policy) if watch is None else watched(path, policy=policy, watch=watch)
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


# The other commands.


def _version(_: argparse.Namespace) -> int:
    core = "compiled" if build.core() == build.COMPILED else "pure Python"
    say(f"safepickle {__version__}, {core}, on {sys.implementation.name} {sys.version.split()[0]}")
    return PASSED
