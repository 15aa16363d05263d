"""What `import safepickle` takes, in an interpreter that has imported nothing else: `python -m tests.bench imports`."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

import safepickle
from safepickle import build

_ROOT: Final = str(Path(safepickle.__file__).parent.parent)
# Without `site`: what an environment's own hooks import differs from one to the next, and some of it is needed here.
_BARE: Final = (sys.executable, "-I", "-S")
_TIMED: Final = f"""
import sys, time
sys.path.insert(0, {_ROOT!r})
started = time.process_time_ns()
import safepickle
print(time.process_time_ns() - started)
"""
_MOST_SHOWN: Final = 12


def milliseconds(rounds: int) -> list[float]:
    """The CPU time of the import in each of some new interpreters, with the bytecode cached."""
    command = [*_BARE, "-c", _TIMED]
    found = [int(subprocess.run(command, capture_output=True, check=True).stdout) / 1e6 for _ in range(rounds + 1)]
    return found[1:]  # the first one may have had to compile


def dominating(rounds: int) -> dict[str, float]:
    """The modules whose own code takes longest, by the least milliseconds that each took."""
    program = f"import sys; sys.path.insert(0, {_ROOT!r}); import safepickle"
    least: dict[str, float] = {}
    for _ in range(rounds):
        told = subprocess.run([*_BARE, "-X", "importtime", "-c", program], capture_output=True, text=True, check=True)
        _, _, imports = told.stderr.rpartition(" site\n")
        for own, name in re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", imports, re.MULTILINE):
            least[name] = min(least.get(name, 1e9), int(own) / 1000)
    return dict(sorted(least.items(), key=lambda row: -row[1])[:_MOST_SHOWN])


def show(rounds: int) -> int:
    """Print both."""
    if sys.dont_write_bytecode:
        print("PYTHONDONTWRITEBYTECODE is set: what is measured may be compiling")
    found = milliseconds(rounds)
    print(
        f"import safepickle ({build.core()}): median {statistics.median(found):.1f} ms of CPU time, "
        f"least {min(found):.1f} ms, over an interpreter without site"
    )
    for name, own in dominating(rounds).items():
        print(f"{own:8.2f} ms  {name}")
    return 0
