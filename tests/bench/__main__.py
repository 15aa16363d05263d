"""`python -m tests.bench` prints the table of ratios; `growth`, `imports` and `scan`: what these words say."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from tests.bench import growth, imports, scan, table
from tests.bench.workloads import WORKLOADS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("table", "growth", "imports", "scan"), default="table")
    parser.add_argument("--pure", action="store_true", help="measure the sources, uncompiled, in a process of its own")
    parser.add_argument("--only", action="append", metavar="WORD", help="only workloads with this word in their name")
    parser.add_argument("--quick", action="store_true", help="little of each: to see that it works, not for figures")
    parser.add_argument("--rounds", type=int, help="how often each pair is measured")
    parser.add_argument("--peers", action="store_true", help="also json and msgpack, where they can hold the data")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(given)
    if options.pure and os.environ.get("SAFEPICKLE_PURE") != "1":
        environment = {name: value for name, value in os.environ.items() if name != "SAFEPICKLE_REQUIRE_EXT"}
        command = [sys.executable, "-m", "tests.bench", *given]
        return subprocess.run(command, env={**environment, "SAFEPICKLE_PURE": "1"}, check=False).returncode
    if options.what == "imports":
        return imports.show(options.rounds or (2 if options.quick else 15))
    words = options.only or [""]
    if options.what == "scan":
        return scan.show(words, quick=options.quick)
    chosen = [workload for workload in WORKLOADS if any(word in workload.name for word in words)]
    if options.what == "growth":
        return growth.show(chosen, words, quick=options.quick)
    return _show_table(chosen, options)


def _settings(options: argparse.Namespace) -> table.Settings:
    settings = table.Settings(peers=options.peers)
    if options.pure:
        settings = settings._replace(rounds=7, part=table.PURE_PART)
    if options.quick:
        settings = settings._replace(rounds=3, shortest=1_000_000, part=settings.part * table.QUICK_PART)
    return settings._replace(rounds=options.rounds) if options.rounds else settings


def _show_table(chosen: Sequence[table.Workload], options: argparse.Namespace) -> int:
    settings = _settings(options)
    names = table.columns(peers=options.peers)
    if options.json:
        print(table.as_json(list(table.rows(chosen, settings)), settings))
        return 0
    if options.peers and "msgpack" not in names:
        print("msgpack is not installed: no column for it")
    print(table.heading(settings), table.head(names), sep="\n", flush=True)
    measured = []
    for row in table.rows(chosen, settings):
        measured.append(row)
        print(table.line(row, names), flush=True)
    print(*table.summary(measured, names), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
