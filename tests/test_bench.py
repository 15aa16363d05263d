"""The benchmark can be run, measures what it says, and finds the same objects every time.  No clock decides here."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import safepickle
from safepickle import build
from tests.bench import measure, scan, table
from tests.bench.__main__ import main
from tests.bench.workloads import WORKLOADS, policy, stream
from tests.same import difference

ROOT = Path(__file__).parent.parent
FEW = 3
MADE = [workload for workload in WORKLOADS if not workload.lacks]
TINY = table.Settings(rounds=1, shortest=1, part=10_000_000, peers=True)


@pytest.mark.parametrize("workload", MADE, ids=lambda workload: workload.name)
def test_a_workload_is_the_same_each_time_it_is_made(workload):
    assert stream(workload, workload.make(FEW)).data == stream(workload, workload.make(FEW)).data


@pytest.mark.parametrize("workload", MADE, ids=lambda workload: workload.name)
def test_a_workload_passes_its_policy_and_comes_back(workload):
    data, buffers = stream(workload, workload.make(FEW))
    safepickle.verify(data, policy=policy(), buffers=buffers)
    loaded = safepickle.loads(data, policy=policy(), buffers=buffers)
    if not workload.name.startswith("array"):
        assert difference(loaded, workload.make(FEW)) == ""
    else:
        assert memoryview(loaded).tobytes() == bytes(FEW)


@pytest.mark.parametrize("workload", [workload for workload in MADE if workload.is_json], ids=lambda row: row.name)
def test_what_is_measured_against_json_is_the_same_in_json(workload):
    assert json.loads(json.dumps(workload.make(FEW))) == workload.make(FEW)


def test_the_table_has_a_ratio_with_its_quartiles_for_every_workload_that_there_is():
    some = (*WORKLOADS[1::3], WORKLOADS[-1])
    assert {workload.out_of_band for workload in some} == {workload.is_json for workload in some} == {False, True}
    rows = list(table.rows(some, TINY))
    assert [row.name for row in rows] == [workload.name for workload in some]
    for row in rows:
        assert bool(row.skipped) == (not row.ratios)
        assert {"loads", "verify", "dumps"} <= set(row.ratios) or row.skipped
        assert all(0 < ratio.low <= ratio.median <= ratio.high for ratio in row.ratios.values())


def test_what_is_skipped_says_why(capsys):
    for workload in WORKLOADS:
        if workload.lacks:
            assert main(["--quick", "--only", workload.name]) == 0
            assert f"skipped: {workload.lacks}" in capsys.readouterr().out


def test_the_command_prints_a_table_with_its_mean_and_its_worst_row(capsys):
    assert main(["--quick", "--only", "tuple"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"({build.core()})" in lines[0]
    assert [line[:24].strip() for line in lines[3:]] == ["tuple", "tuples", "geometric mean", "worst"]


def test_the_command_prints_json_for_programs(capsys):
    assert main(["--quick", "--json", "--only", "small ints"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["core"] == build.core()
    assert [row["name"] for row in told["rows"]] == ["small ints"]


def test_the_sources_are_measured_in_a_process_of_their_own():
    environment = {name: value for name, value in os.environ.items() if name != "SAFEPICKLE_PURE"}
    command = [sys.executable, "-m", "tests.bench", "--pure", "--quick", "--only", "small ints"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "(pure)" in done.stdout.splitlines()[0]
    assert "pickle._loads" in done.stdout.splitlines()[0]


def test_growth_is_shown_for_what_is_asked_for(capsys):
    assert main(["growth", "--quick", "--only", "small ints"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:-1]] == [
        "small ints: loads", "small ints: verify", "small ints: dumps",
    ]  # fmt: skip


def test_scanners_are_compared_on_what_all_of_them_should_call_benign(capsys):
    assert main(["scan", "--quick"]) == 0
    told = capsys.readouterr().out.splitlines()
    head, _, *lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in told]
    assert head == ["workload", "scanner", "CPU seconds", "ratio", "MiB", "verdict"]
    assert {line[0] for line in lines} == {load.name for load in scan.LOADS}
    ours = [line for line in lines if line[1].startswith("safepickle")]
    assert [line[5] for line in ours] == ["benign"] * 2 * len(scan.LOADS)
    assert all(float(line[4]) > 5 for line in ours)


def test_a_scanner_that_fails_is_shown_as_one(tmp_path):
    failing = scan.Scanner("failing", "safepickle", "def judge(path): raise ValueError('of no use')\n")
    assert scan.cost(failing, tmp_path).verdict == "failed: ValueError"


def test_a_ratio_is_taken_within_each_round_and_the_mean_of_two_and_a_half_is_one():
    work = io.BytesIO(bytes(1000)).getvalue
    took, (ratio,) = measure.ratios(work, [work], rounds=3, shortest=100_000)
    assert took > 0
    assert ratio.low <= ratio.median <= ratio.high
    assert measure.geometric_mean([2, 0.5]) == pytest.approx(1)


def test_the_time_of_the_import_is_shown_with_what_dominates_it(capsys):
    assert main(["imports", "--quick"]) == 0
    first, *modules = capsys.readouterr().out.splitlines()
    assert first.startswith((f"import safepickle ({build.core()}): median ", "PYTHONDONTWRITEBYTECODE"))
    assert any(line.split()[-1].startswith("safepickle.") for line in modules)
