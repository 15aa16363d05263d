"""What a scan takes, beside other scanners: `python -m tests.bench scan`.

Each scanner judges each workload in a process of its own, by its library, after it has judged something small: what
importing takes is not counted.  CPU seconds are those of the process and what it started; the memory is the most that
was resident.  The others are the extra `peers`, and one that is not installed has no column.

All workloads are benign, and so is the right verdict on them: this compares speed, and what is said of harmless files.
What a scanner overlooks is for its makers to hear first, and is not shown here.
"""

from __future__ import annotations

import array
import datetime as dt
import importlib.util
import json
import os
import pickle
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parent.parent.parent


class Load(NamedTuple):
    """Something to be judged: `make` writes it, of this size, to a path."""

    name: str
    size: int
    make: Callable[[Path, int], None]


class Scanner(NamedTuple):
    """A scanner: the program that judges a path says `benign`, or what else it thinks of it."""

    name: str
    package: str
    program: str
    environment: dict[str, str] = {}  # noqa: RUF012 - nobody changes it


class Cost(NamedTuple):
    """What one scan took, and said."""

    seconds: float
    mebibytes: float
    verdict: str


# -- What is judged ----------------------------------------------------------------------------------------------------


def _record(number: int) -> dict[str, object]:
    return {"id": number, "name": f"user {number}", "score": number / 7, "active": number % 3 == 0}


def _records(path: Path, size: int) -> None:
    path.write_bytes(pickle.dumps([_record(number) for number in range(size)], 4))


def _row(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.writelines(pickle.dumps({"id": number, "name": f"user {number}"}, 4) for number in range(size))


def _folder(path: Path, size: int) -> None:
    """Small files as caches and queues have them: at every protocol, half of them with datetimes."""
    path.mkdir()
    chosen = random.Random(7)
    for number in range(size):
        value: dict[str, object] = {"rows": [_record(chosen.randrange(10**6)) for _ in range(number % 8)]}
        if number % 2:
            value["at"] = dt.datetime(2024, 3, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=number)
        (path / f"{number}.pkl").write_bytes(pickle.dumps(value, number % 6))


def _array(path: Path, size: int) -> None:
    path.write_bytes(pickle.dumps(array.array("d", bytes(size)), 4))


LOADS: Final = (
    Load("a list of a million small records", 1_000_000, _records),
    Load("a million small pickles in a row", 1_000_000, _row),
    Load("a folder of 2,000 small files", 2000, _folder),
    Load("an array of 200 MB", 200_000_000, _array),
)

# -- Who judges --------------------------------------------------------------------------------------------------------

_OURS: Final = """
from safepickle import scan_many
def judge(path):
    paths = [str(each) for each in sorted(path.iterdir())] if path.is_dir() else [str(path)]
    said = {report.verdict for report in scan_many(paths)}
    return "benign" if said == {"pass"} else ", ".join(sorted(said))
"""
_PICKLESCAN: Final = """
import logging; logging.disable()
from picklescan.scanner import scan_directory_path, scan_file_path
def judge(path):
    found = scan_directory_path(str(path)) if path.is_dir() else scan_file_path(str(path))
    if found.scan_err: return "error"
    return "benign" if not found.issues_count else "dangerous"
"""
_MODELSCAN: Final = """
import logging; logging.disable()
from modelscan.modelscan import ModelScan
def judge(path):
    found = ModelScan().scan(str(path))["summary"]
    if found["total_issues"]: return "dangerous"
    return "benign" if found["scanned"]["total_scanned"] else "skipped"
"""
_FICKLING: Final = """
import logging; logging.disable()
from fickling.analysis import Severity, check_safety
from fickling.fickle import StackedPickle
def judge(path):
    worst = Severity.LIKELY_SAFE
    for each in path.iterdir() if path.is_dir() else [path]:
        with each.open("rb") as file:
            for pickled in StackedPickle.load(file):
                worst = max(worst, check_safety(pickled).severity, key=lambda severity: severity.value[0])
    return "benign" if worst == Severity.LIKELY_SAFE else worst.value[1].lower()
"""
#: Around each of these: something small first, then what it is about, and the time of that alone.
_AROUND: Final = """
import json, pickle, re, resource, sys, tempfile, time
from pathlib import Path
warm = Path(tempfile.mkdtemp()) / "warm.pkl"
warm.write_bytes(pickle.dumps([1], 4))
judge(warm)
begun = time.process_time()
verdict = judge(Path(sys.argv[1]))
seconds = time.process_time() - begun
told = Path("/proc/self/status")  # what getrusage says begins with what the parent had
if told.exists():
    most = int(re.search(r"VmHWM:\\s+([0-9]+) kB", told.read_text())[1]) / 2**10
else:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
print(json.dumps([seconds, most, verdict]))
"""

SCANNERS: Final = (
    Scanner("safepickle", "safepickle", _OURS),
    Scanner("safepickle, sources", "safepickle", _OURS, {"SAFEPICKLE_PURE": "1"}),
    Scanner("picklescan", "picklescan", _PICKLESCAN),
    Scanner("modelscan", "modelscan", _MODELSCAN),
    Scanner("fickling", "fickling", _FICKLING),
)


def cost(scanner: Scanner, path: Path) -> Cost:
    """What it takes this scanner to judge a path; the verdict says how it failed, if it did."""
    environment = {name: value for name, value in os.environ.items() if name != "SAFEPICKLE_REQUIRE_EXT"}
    done = subprocess.run(
        [sys.executable, "-c", scanner.program + _AROUND, str(path)],
        cwd=ROOT,
        env={**environment, "SAFEPICKLE_PURE": "0", **scanner.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return Cost(0, 0, f"failed: {said.partition(':')[0][:60]}")
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def costs(words: Sequence[str], part: float) -> Iterator[tuple[Load, Scanner, Cost]]:
    """What each workload, this part of it, took each scanner."""
    present = [scanner for scanner in SCANNERS if importlib.util.find_spec(scanner.package) is not None]
    for load in LOADS:
        if any(word in load.name for word in words):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "what.pkl"
                load.make(path, max(1, int(load.size * part)))
                for scanner in present:
                    yield load, scanner, cost(scanner, path)


def show(words: Sequence[str], *, quick: bool) -> int:
    """Print the table as Markdown; the ratio is to the first of the scanners."""
    print("| workload | scanner | CPU seconds | ratio | MiB | verdict |\n|---|---|--:|--:|--:|---|", flush=True)
    first = 0.0
    for load, scanner, each in costs(words, 0.002 if quick else 1):
        first = each.seconds if scanner is SCANNERS[0] else first
        ratio = f"{each.seconds / first:,.1f}" if first and each.seconds else ""
        figures = f"{each.seconds:.3f} | {ratio} | {each.mebibytes:,.0f}"
        print(f"| {load.name} | {scanner.name} | {figures} | {each.verdict} |", flush=True)
    return 0
