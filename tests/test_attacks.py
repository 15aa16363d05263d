"""Every attack against every entry point: refused, with nothing run, nothing changed, and bounded.

The attacks, and what is expected of a reader for each, stand in `make_attacks`; the stored files are compared with
what it makes.  What must hold for each of them stands in `attack_check`.  What could crash the interpreter is shown to
one of its own; an attack that hangs ends the run, with a traceback of where it hung.
"""

from __future__ import annotations

import faulthandler
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.attack_check import HANGS_AFTER, check
from tests.make_attacks import FOLDER, Attack, attacks, files, stored_files

ATTACKS: Final = attacks()
CLASSES: Final = (
    "broken_tail", "call_of_a_reference", "copy_amplification", "cpu_bombs", "crash_bombs", "dotted_traversal",
    "extension_registry", "half_made_objects", "helper_escalation", "hidden_streams", "hostile_arguments",
    "ill_typed_calls", "late_changes", "lying_names", "memo_games", "memory_bombs", "mutating_the_application",
    "parser_disagreement", "planted_hooks", "python2_names", "resource_leaks", "scanner_as_target", "singletons",
    "trampolines", "universal_resolvers", "unlisted_import",
)  # fmt: skip
ROOT: Final = Path(__file__).parent.parent
LARGEST_FILE: Final = 100_000
LARGEST_FOLDER: Final = 3 << 20
FEWEST_ATTACKS: Final = 1000
FEWEST_LIVE: Final = 150


def _may_crash(record: Attack) -> bool:
    return record.threat == "crash_bombs" and record.generated


@pytest.fixture(scope="module")
def terminal(request: pytest.FixtureRequest) -> Iterator[int]:
    """Standard error as it was before pytest captured it, so that a traceback of a hang is seen."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        descriptor = os.dup(2)
    yield descriptor
    os.close(descriptor)


@pytest.fixture(scope="module", autouse=True)
def _plain_pickle_ran_elsewhere() -> None:
    """What earlier tests compared this reader with may have imported what no attack must import here."""
    sys.modules.pop("tests.tripwire", None)


# --- The folder ------------------------------------------------------------------------------------------------------
def test_the_stored_files_are_what_the_script_makes() -> None:
    made = files()
    assert stored_files() == made.keys()
    assert [path for path, data in made.items() if (FOLDER / path).read_bytes() != data] == []


def test_every_class_of_the_threat_catalogue_that_concerns_a_stream_has_stored_files() -> None:
    assert {path.split("/")[0] for path in stored_files() if "/" in path} == set(CLASSES)
    assert {record.threat for record in ATTACKS} == set(CLASSES)


def test_the_folder_is_not_empty_and_not_large() -> None:
    sizes = [(FOLDER / path).stat().st_size for path in stored_files() if path.endswith(".pkl")]
    assert len(sizes) >= FEWEST_ATTACKS
    assert max(sizes) <= LARGEST_FILE
    assert sum(sizes) <= LARGEST_FOLDER


def test_the_manifest_has_one_line_for_each_attack() -> None:
    rows = [json.loads(line) for line in (FOLDER / "manifest.jsonl").read_text("ascii").splitlines()]
    assert [row["file"] for row in rows] == [record.file for record in ATTACKS]
    assert {row["file"] for row in rows if not row["generated"]} == stored_files() - {"manifest.jsonl"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each live attack is shown in a fork of its own")
def test_every_live_attack_does_its_harm_in_the_reader_of_python() -> None:
    """Otherwise it would be refused for being broken, not for what it does."""
    shown = subprocess.run(
        [sys.executable, "-m", "tests.live_attacks"], cwd=ROOT, capture_output=True, text=True, timeout=240, check=True
    )
    did = {row["file"]: row for row in map(json.loads, shown.stdout.splitlines())}
    live = [record for record in ATTACKS if record.live]
    assert len(live) >= FEWEST_LIVE
    assert [record.file for record in live if not did[record.file][record.live]] == []


# --- The attacks -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "record",
    [record for record in ATTACKS if not _may_crash(record)],
    ids=lambda record: record.file.removesuffix(".pkl"),
)
def test_an_attack_is_refused_with_nothing_run_nothing_changed_and_bounded(record: Attack, terminal: int) -> None:
    faulthandler.dump_traceback_later(HANGS_AFTER, exit=True, file=terminal)
    try:
        check(record)
    finally:
        faulthandler.cancel_dump_traceback_later()


@functools.cache
def _ended() -> dict[str, dict[str, Any]]:
    """How the processes ended that were shown what may crash one: forks of one process, which is started only once."""
    files_ = [record.file for record in ATTACKS if _may_crash(record)]
    shown = subprocess.run(
        [sys.executable, "-m", "tests.attack_check", *files_], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return {row["file"]: row for row in map(json.loads, shown.stdout.splitlines())}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each is shown to a fork of its own")
@pytest.mark.parametrize(
    "record", [record for record in ATTACKS if _may_crash(record)], ids=lambda record: record.file.removesuffix(".pkl")
)
def test_what_crashes_pickle_is_refused_and_the_interpreter_lives(record: Attack) -> None:
    assert _ended()[record.file]["code"] == 0, _ended()[record.file]["said"]
