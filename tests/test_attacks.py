"""Every attack against every entry point: refused, with nothing run, nothing changed, and bounded.

The attacks, and what is expected of a reader for each, stand in `make_attacks`; the stored files are compared with what
it makes.  An attack that hangs or crashes the interpreter takes the run with it and leaves a traceback.
"""

from __future__ import annotations

import faulthandler
import functools
import gc
import io
import json
import logging
import pickle
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import safepickle
from tests import application, victims
from tests.make_attacks import FOLDER, SECRET, Attack, attacks, files, stored_files

ATTACKS: Final = attacks()
CLASSES: Final = (
    "broken_tail", "call_of_a_reference", "copy_amplification", "cpu_bombs", "crash_bombs", "dotted_traversal",
    "extension_registry", "half_made_objects", "helper_escalation", "hidden_streams", "hostile_arguments",
    "ill_typed_calls", "late_changes", "lying_names", "memo_games", "memory_bombs", "mutating_the_application",
    "parser_disagreement", "planted_hooks", "python2_names", "resource_leaks", "scanner_as_target", "singletons",
    "trampolines", "universal_resolvers", "unlisted_import",
)  # fmt: skip

MEBIBYTE: Final = 1 << 20
MEMORY: Final = 16 * MEBIBYTE  # beside 64 bytes for each byte of the stream: objects of a Python without a compiler
MEMORY_PER_BYTE: Final = 64
SECONDS: Final = 10.0  # far beyond what any of them takes: what this stops is work that does not end
LARGEST_FILE: Final = 100_000
LARGEST_FOLDER: Final = 3 * MEBIBYTE
FEWEST_ATTACKS: Final = 150


@functools.cache
def _policy(name: str) -> safepickle.Policy:
    return safepickle.Policy.from_file(FOLDER / name) if name.endswith(".yaml") else safepickle.Policy.named(name)


def _bytes(record: Attack) -> bytes:
    return record.build() if record.generated else (FOLDER / record.file).read_bytes()


@pytest.fixture(autouse=True)
def _a_hang_ends_the_run() -> Iterator[None]:
    faulthandler.dump_traceback_later(90, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


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


def test_every_live_attack_does_its_harm_in_the_readers_of_python() -> None:
    """Otherwise it would be refused for being broken, not for what it does."""
    root = Path(__file__).parent.parent
    shown = subprocess.run(
        [sys.executable, "-m", "tests.live_attacks"], cwd=root, capture_output=True, text=True, timeout=120, check=True
    )
    did = {row["file"]: row for row in map(json.loads, shown.stdout.splitlines())}
    live = [record for record in ATTACKS if record.live]
    assert len(live) >= FEWEST_ATTACKS
    assert [record.file for record in live if not did[record.file][record.live]] == []


# --- The attacks -----------------------------------------------------------------------------------------------------
def _options(record: Attack) -> dict[str, Any]:
    options: dict[str, Any] = {"policy": _policy(record.policy), **dict(record.options)}
    if record.setup == "buffers":
        options["buffers"] = application.buffers()
    return options


def _loads(record: Attack, data: bytes) -> object:
    return safepickle.loads(data, **_options(record))


def _unpickler(record: Attack, data: bytes) -> object:
    reader = safepickle.Unpickler(io.BytesIO(data), **_options(record))
    if record.setup == "persistent_load":
        reader.persistent_load = application.persistent_load
    if record.setup == "earlier load":
        reader.load()
        victims.RAN.clear()  # what the first pickle was entitled to
    return reader.load()


def _verify(record: Attack, data: bytes) -> None:
    safepickle.verify(data, **_options(record))


def _scan(record: Attack, data: bytes) -> Any:
    return safepickle.scan(data, policy=_policy(record.policy))


def _bounded(function: Callable[[Attack, bytes], object], record: Attack, data: bytes) -> object:
    """What the function gives, or the refusal it raises; fails if it took more than the stream's length justifies."""
    tracemalloc.start()
    started = time.perf_counter()
    result: object = None
    try:
        result = function(record, data)
    except pickle.UnpicklingError as refusal:
        result = refusal
    finally:
        took = time.perf_counter() - started
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert took < SECONDS, f"{function.__name__} took {took:.1f} s"
    assert peak < MEMORY + MEMORY_PER_BYTE * len(data), f"{function.__name__} took {peak:,} bytes"
    return result


def _is_a_clean_refusal(refusal: object, record: Attack, logged: str) -> None:
    assert isinstance(refusal, pickle.UnpicklingError), f"read as {type(refusal).__name__}"
    assert not isinstance(refusal, (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError))
    assert type(refusal).__name__ in record.expected, f"{type(refusal).__name__}: {refusal}"
    assert getattr(safepickle, type(refusal).__name__) is type(refusal)
    told = "\n".join([str(refusal), *getattr(refusal, "__notes__", ())])
    assert SECRET not in told
    assert SECRET not in logged
    assert all(char.isprintable() or char == "\n" for char in told + logged), ascii(told + logged)
    for kept in (refusal.__cause__, refusal.__context__):
        assert kept is None or kept.__traceback__ is None, "the cause keeps frames, and the frames keep the payload"


def _did_nothing(record: Attack, before: dict[str, object], allowed: tuple[str, ...]) -> None:
    if record.threat == "resource_leaks":
        gc.collect()
    assert set(victims.RAN) <= set(allowed)
    assert victims.snapshot() == before
    assert "tests.tripwire" not in sys.modules


LOADERS: Final[dict[str, Callable[[Attack, bytes], object]]] = {"loads": _loads, "Unpickler": _unpickler}


@pytest.mark.parametrize("record", ATTACKS, ids=lambda record: record.file.removesuffix(".pkl"))
def test_an_attack_is_refused_with_nothing_run_nothing_changed_and_bounded(
    record: Attack, caplog: pytest.LogCaptureFixture
) -> None:
    data = _bytes(record)
    before = victims.snapshot()
    victims.RAN.clear()
    with application.prepared(record.setup), caplog.at_level(logging.DEBUG, "safepickle"):
        for entry in record.entry_points:
            caplog.clear()
            if entry == "scan":
                report = _bounded(_scan, record, data)
                assert record.runtime_only or not record.expected or report.verdict != "pass"
                assert report.ok == (report.verdict == "pass")
                _did_nothing(record, before, ())
                continue
            outcome = _bounded(LOADERS[entry], record, data)
            _did_nothing(record, before, record.ran)
            if record.expected:
                _is_a_clean_refusal(outcome, record, "\n".join(caplog.messages))
        if "loads" in record.entry_points and not record.runtime_only:
            outcome = _bounded(_verify, record, data)
            assert not record.expected or type(outcome).__name__ in record.expected
            _did_nothing(record, before, ())
