"""Cost grows with the length of a stream and no faster: counted in lines of the sources, which is no matter of luck.

The sources are run uncompiled for this, in a process of their own; the compiled modules are the same sources.  What is
counted, and of what, stands in `tests/bench/growth.py`.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from safepickle.limits import WORK_ALLOWANCE
from tests.bench.growth import SIZED, exponent
from tests.bench.workloads import WORKLOADS
from tests.make_attacks import CLASSES

ROOT: Final = Path(__file__).parent.parent
STEEPEST: Final = 1.15  # 1, and room for what is rounded up: a batch, a frame, a longer memo index

# What costs more than its length, until the allowance of one of the limits is spent: at most so many lines.
SPENDING: Final = {
    "nested frozensets: verify": WORK_ALLOWANCE * 40,
    "nested frozensets: loads": WORK_ALLOWANCE * 40,
    "a wide state, n times: loads": WORK_ALLOWANCE * 40,
    "protocols: scan": 10_000_000,
}


@functools.cache
def counted() -> dict[str, list[int]]:
    """The lines that every case executes at n, 2n and 4n."""
    environment = {name: value for name, value in os.environ.items() if name != "SAFEPICKLE_REQUIRE_EXT"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.growth"],
        cwd=ROOT,
        env={**environment, "SAFEPICKLE_PURE": "1", "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(("costs", "expected"), [([5, 5, 5], 0), ([9, 13, 21], 1), ([10, 40, 160], 2)])
def test_the_exponent_is_that_of_what_grows(costs, expected):
    assert exponent(costs) == pytest.approx(expected)


def test_every_workload_every_costly_stream_and_every_class_of_attacks_is_counted():
    first = {name.partition(":")[0].partition("/")[0] for name in counted()}
    assert {workload.name for workload in WORKLOADS if not workload.lacks} <= first
    assert {sized.name for sized in SIZED} <= first
    assert {threat.__name__ for threat in CLASSES} - first == {"copy_amplification"}  # long ones, made to size above


def test_the_count_sees_what_the_package_does():
    assert all(lines[0] > 10 for lines in counted().values())


def test_no_cost_grows_faster_than_its_stream():
    steep = {name: lines for name, lines in counted().items() if exponent(lines) > STEEPEST}
    assert {name: lines for name, lines in steep.items() if name not in SPENDING} == {}


def test_what_spends_an_allowance_has_spent_no_more_than_that():
    assert {name for name, most in SPENDING.items() if counted()[name][-1] > most} == set()
