"""The command line of reports: how `scan` prints, `safepickle report`, `safepickle completion`, and their settings.

Rules:

* What is wrong with the settings, the baseline or the page's place ends the run with 2 before anything is scanned.
* A page takes the place of an older one only when it is complete.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TextIO

from safepickle import cli_policy
from safepickle.config import NAME, ConfigError, Settings, has_settings, is_above_suspicion, read_config
from safepickle.console import (
    COLOURS,
    FOUND,
    NOTHING,
    PASSED,
    UNFINISHED,
    choose_colour,
    complain,
    printable,
    read_policy,
    say,
)
from safepickle.formats import FORMATS, Manner, Outcome, reporter

if TYPE_CHECKING:
    from safepickle.baseline import Baseline
    from safepickle.pages import Studio
    from safepickle.policy import Policy
    from safepickle.scanner import Judged

    Watchers = Callable[[], Callable[[Judged], None] | None]  # who is to watch the scan of the next file

Run = Callable[[argparse.Namespace], int]
Outcomes = Callable[[Iterable[str], "Policy | None", "Watchers | None"], Iterable[Outcome]]

_DEFAULTS: Final = Settings(format="text", color="auto")
SHELLS: Final = ("bash", "zsh", "fish")


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add what `scan` has beside paths and a policy."""
    parser.add_argument("--format", choices=FORMATS, help=f"how to report (default: {_DEFAULTS.format})")
    _add_baseline(parser)
    parser.add_argument("--color", choices=COLOURS, help=f"whether to colour text (default: {_DEFAULTS.color})")
    _add_config(parser)


def _add_baseline(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--baseline", metavar="FILE", help="fail only for what is new since this report, json or jsonl")


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", metavar="FILE",
        help=f"settings: a {NAME} (default: that of the current folder, unless something in or around it is scanned)",
    )  # fmt: skip


def add_commands(commands: Any, outcomes: Outcomes, parser: Callable[[], argparse.ArgumentParser]) -> None:
    """Add `report` and `completion`; `outcomes` judges paths, and `parser` makes the one that is completed."""
    paging = commands.add_parser(
        "report", help="write a page to look at", description="Judge files and folders, and write one HTML page."
    )
    paging.add_argument("paths", nargs="+", metavar="PATH", help="a file, or a folder with everything below it")
    paging.add_argument("-o", "--output", metavar="FILE", required=True, help="where to write the page")
    cli_policy.add_policy(paging, "--policy", default=None)
    _add_baseline(paging)
    _add_config(paging)
    paging.set_defaults(run=configured(lambda options: _report(options, outcomes)))

    completing = commands.add_parser(
        "completion", help="print what completes commands in a shell",
        description="Print a script that completes this command in a shell, made from its options.",
    )  # fmt: skip
    completing.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))
    completing.set_defaults(run=lambda options: _completion(options, parser()))


# Settings


def configured(run: Run) -> Run:
    """A command whose options are settled before it runs."""

    def guarded(options: argparse.Namespace) -> int:
        settings = _settings(options)
        if settings is None:
            return UNFINISHED
        for name, value in settings._asdict().items():
            if getattr(options, name, None) is None:
                setattr(options, name, value if value is not None else getattr(_DEFAULTS, name))
        choose_colour(options.color)
        if options.baseline is not None:
            options.baseline = _baseline(options.baseline)
            if options.baseline is None:
                return UNFINISHED
        return run(options)

    return guarded


def _settings(options: argparse.Namespace) -> Settings | None:
    """What a file sets; None once it was said that it is not understood."""
    file = options.config or NAME
    try:
        if options.config is not None:
            return read_config(file, required=True)
        if not os.path.lexists(NAME):
            return Settings()
        if not is_above_suspicion(NAME, options.paths):
            if has_settings(NAME):
                complain(f"{NAME}: not read, as what is scanned lies in or around its folder; --config {NAME} reads it")
            return Settings()
        return read_config(file, required=False)
    except ConfigError as error:
        complain(f"{file}: {error}")
    except OSError as error:
        complain(f"{file}: {error.strerror or error}")
    return None


def _baseline(path: str) -> Baseline | None:
    from safepickle.baseline import BaselineError, read_baseline

    try:
        return read_baseline(path)
    except BaselineError as error:
        complain(f"{path}: {error}")
    except OSError as error:
        complain(f"{path}: {error.strerror or error}")
    return None


# Reports


def studio(options: argparse.Namespace) -> Studio | None:
    """Where a page is drawn while its files are judged, if `scan` is asked for one: else they would be read twice."""
    if options.format != "html":
        return None
    from safepickle.pages import Studio

    return Studio()


def reported(
    options: argparse.Namespace, outcomes: Iterable[Outcome], policy: Policy | None, drawing: Studio | None = None
) -> Iterator[Outcome]:
    """Print the outcomes as the options say, and hand them on; `drawing` is what watched them being judged."""
    manner = Manner(policy, options.baseline is not None)
    prepared = _prepared(options, outcomes)
    if drawing is not None:
        from safepickle.pages import write

        return write(prepared, manner, say, drawing)
    return reporter(options.format)(prepared, manner)


def _prepared(options: argparse.Namespace, outcomes: Iterable[Outcome]) -> Iterable[Outcome]:
    from safepickle.progress import with_progress

    compared = outcomes if options.baseline is None else _compared(outcomes, options.baseline)
    return with_progress(compared, options.paths)


def _compared(outcomes: Iterable[Outcome], baseline: Baseline) -> Iterator[Outcome]:
    for report, code in outcomes:
        marked, is_known = baseline.compare(report)
        yield Outcome(marked, PASSED if is_known and code is not None else code)


def _report(options: argparse.Namespace, outcomes: Outcomes) -> int:
    policy = None
    if options.policy is not None:
        policy = read_policy(options.policy)
        if policy is None:
            return UNFINISHED
    unfinished = f"{options.output}.part"
    try:
        with open(unfinished, "w", encoding="ascii", newline="\n") as file:
            codes, counts = _write(options, outcomes, policy, file)
        os.replace(unfinished, options.output)
    except OSError as error:
        complain(f"{error.filename or options.output}: {error.strerror or error}")
        return UNFINISHED
    finally:
        with suppress(OSError):
            os.unlink(unfinished)  # what was not finished is of no use
    total = sum(counts.values())
    summary = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    say(f"{options.output}: {total} file{'' if total == 1 else 's'}" + (f": {summary}" if summary else ""))
    return next((code for code in (FOUND, UNFINISHED, PASSED) if code in codes), NOTHING)


def _write(
    options: argparse.Namespace, outcomes: Outcomes, policy: Policy | None, file: TextIO
) -> tuple[set[int | None], dict[str, int]]:
    from safepickle.pages import Studio, write

    def put(line: str) -> None:
        file.write(printable(line) + "\n")

    codes: set[int | None] = set()
    counts: dict[str, int] = {}
    manner = Manner(policy, options.baseline is not None)
    studio = Studio()
    found = outcomes(options.paths, policy, studio.artist)
    others = (outcome for outcome in found if not _is_file(outcome, file))
    for outcome in write(_prepared(options, others), manner, put, studio):
        codes.add(outcome.exit_code)
        counts[outcome.report.verdict] = counts.get(outcome.report.verdict, 0) + 1
    return codes, counts


def _is_file(outcome: Outcome, file: TextIO) -> bool:
    """Whether an outcome is that of the page itself, which is being written."""
    return os.path.abspath(outcome.report.source or "") == os.path.abspath(file.name)


# Completion


def _completion(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from safepickle.completion import script

    for line in script(parser, options.shell).splitlines():
        say(line)
    return PASSED
