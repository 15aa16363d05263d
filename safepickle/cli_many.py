"""The options of `safepickle scan` for very many files: `--jobs`, `--dask`, `--resume` and `--cache`.

Rules:

* The reports, and their order, are those of a scan without any of them.
* An interrupt ends it cleanly: what was reported so far has been reported, and stands in the file to resume from.
* Neither that file nor the cache may lie inside a folder that is scanned: what lies there decides nothing.
"""

from __future__ import annotations

import argparse
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Final, TypeVar

from safepickle.console import complain
from safepickle.policy import Policy
from safepickle.report import Report

__all__ = ["add_options", "ended", "interrupted", "is_asked", "problem", "reports"]

_Outcome = TypeVar("_Outcome")
_IN_FLIGHT_FOR_EACH: Final = 64  # sources on their way for each process


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options themselves."""
    parser.add_argument(
        "--jobs", type=_count, default=1, metavar="N", help="scan in N processes; 0: one for each core (default: 1)"
    )
    parser.add_argument("--dask", metavar="ADDRESS", help="scan on the Dask cluster with this scheduler")
    parser.add_argument(
        "--resume", metavar="FILE", help="go on where FILE, with one result a line, ends, and write what is new to it"
    )
    parser.add_argument("--cache", metavar="FOLDER", help="keep what was found there, and look there first")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"not a number of processes: {text!a}")
    return int(text)


def is_asked(options: argparse.Namespace) -> bool:
    """Whether any of the options is used."""
    return options.jobs != 1 or any(value is not None for value in (options.dask, options.resume, options.cache))


def problem(options: argparse.Namespace) -> str | None:
    """Why the options cannot be used together, or with these paths."""
    if options.dask is not None and options.jobs != 1:
        return "--jobs is for processes here, --dask for a cluster: give one of them"
    for option, place in (("--resume", options.resume), ("--cache", options.cache)):
        for path in options.paths:
            if place is not None and "://" not in path and _is_inside(place, path):
                return f"{option} {place} is inside of {path}: what lies in a scanned folder decides nothing about it"
    return None


def _is_inside(place: str, path: str) -> bool:
    try:
        return Path(place).resolve().is_relative_to(Path(path).resolve())
    except (OSError, RuntimeError, ValueError):
        return False


def reports(
    options: argparse.Namespace, sources: Iterable[tuple[str | Report, bool]], policy: Policy | None
) -> Iterator[tuple[Report, bool]]:
    """The report on each source, with what is said of the source beside it."""
    from safepickle.many import IN_FLIGHT, scan_many  # here: it brings processes and threads with it

    beside: deque[bool] = deque()  # for the sources on their way

    def taken() -> Iterator[str | Report]:
        for source, named in sources:
            beside.append(named)
            yield source

    client, executor = _executor(options)
    try:
        for report in scan_many(
            taken(), policy=policy, executor=executor, ordered=True, resume=options.resume, cache=options.cache,
            in_flight=max(IN_FLIGHT, _IN_FLIGHT_FOR_EACH * (options.jobs or os.cpu_count() or 1)),
        ):  # fmt: skip
            yield report, beside.popleft()
    finally:
        if client is not None:
            client.close()


def _executor(options: argparse.Namespace) -> tuple[Any, Executor | Callable[[], Executor] | None]:
    if options.dask is None:
        from safepickle.many import processes

        return None, None if options.jobs == 1 else processes(options.jobs)
    import distributed  # type: ignore[import-not-found,import-untyped,unused-ignore]  # an extra

    connect: Any = distributed.Client  # which has no types
    client = connect(options.dask, set_as_default=False)
    return client, client.get_executor()


def ended(outcomes: Iterator[_Outcome], options: argparse.Namespace) -> Iterator[_Outcome]:
    """The outcomes as far as they come; `options.cut_off` says afterwards whether that was all."""
    options.cut_off = True
    try:
        yield from outcomes
        options.cut_off = False
    except KeyboardInterrupt:
        interrupted(options)
    except ValueError as error:
        from safepickle.results import ResultsError

        if not isinstance(error, ResultsError):
            raise
        complain(f"--resume {options.resume}: {error}")
    except (ImportError, OSError) as error:
        if options.dask is None and options.resume is None:
            raise
        complain(f"{_what(options, error)}: {error}")


def _what(options: argparse.Namespace, error: Exception) -> str:
    if isinstance(error, ImportError):
        return "--dask needs `pip install safepickle-codec[dask]`"
    if options.resume is not None and error.filename is not None:  # type: ignore[attr-defined]  # of an OSError
        return f"--resume {options.resume}"
    return f"--dask {options.dask}" if options.dask is not None else f"--resume {options.resume}"


def interrupted(options: argparse.Namespace) -> None:
    """Say that the rest is missing, and how to go on."""
    options.cut_off = True
    kept = options.resume is not None
    complain("interrupted" + (f"; the same command goes on where {options.resume} ends" if kept else ""))
