"""Shows one attack to every entry point it concerns, and asserts what must hold; used by `test_attacks`.

`python -m tests.attack_check <class>/<name>.pkl ...` does it in a process of its own for each, for the attacks that
would take the interpreter with them, and prints one line of JSON for each: its file, how its process ended, what that
said.

What must hold: one of the expected errors (`expected`), nothing run but what the record allows, the victims unchanged,
nothing of the payload and no control character in what is told or logged, memory and time within bounds, and causes
without the frames that keep a payload alive.
"""

from __future__ import annotations

import faulthandler
import functools
import gc
import io
import json
import logging
import os
import pickle
import sys
import tempfile
import time
import traceback
import tracemalloc
from collections.abc import Callable
from typing import Any, Final

import safepickle
from tests import application, victims
from tests.make_attacks import FOLDER, SECRET, Attack, attacks

MEMORY: Final = 4 << 20
MEMORY_PER_BYTE: Final = 256  # a memo entry without a compiler: an int and a place in a dict, in each machine
SECONDS: Final = 10.0  # of CPU time, far beyond what any of them takes: what this stops is work that does not end
SECONDS_PER_BYTE: Final = 20e-6  # only the streams of several megabytes notice it
HANGS_AFTER: Final = 240.0  # seconds; the machine may be busy
BUILT_IN_ERRORS: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError)


class Lines(logging.Handler):
    """The log as a list of formatted lines."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(self.format(record))


@functools.cache
def policy_of(name: str) -> safepickle.Policy:
    """A policy beside the attacks, or a packaged one."""
    return safepickle.Policy.from_file(FOLDER / name) if name.endswith(".yaml") else safepickle.Policy.named(name)


def bytes_of(record: Attack) -> bytes:
    """The stored file, or what is generated."""
    return record.build() if record.generated else (FOLDER / record.file).read_bytes()


def _options(record: Attack) -> dict[str, Any]:
    options: dict[str, Any] = {"policy": policy_of(record.policy), **dict(record.options)}
    if record.setup == "buffers":
        options["buffers"] = application.buffers()
    return options


def _loads(record: Attack, data: bytes) -> object:
    return safepickle.loads(data, **_options(record))


def _unpickler(record: Attack, data: bytes) -> object:
    reader = safepickle.Unpickler(io.BytesIO(data), **_options(record))
    if record.setup == "persistent_load":
        reader.persistent_load = application.persistent_load  # type: ignore[method-assign,assignment]  # as pickle has it
    if record.setup == "earlier load":
        reader.load()
        victims.RAN.clear()  # what the first pickle was entitled to
    return reader.load()


def _verify(record: Attack, data: bytes) -> None:
    safepickle.verify(data, **_options(record))


def _scan(record: Attack, data: bytes) -> safepickle.Report:
    return safepickle.scan(data, policy=policy_of(record.policy))


def _bounded(read: Callable[[Attack, bytes], object], record: Attack, data: bytes) -> object:
    """What `read` gives, or the refusal it raises, within bounds that the stream's length sets."""
    traced = record.threat == "memory_bombs" or (read is _loads and record.threat not in {"cpu_bombs", "crash_bombs"})
    if traced:
        tracemalloc.start()  # not for all: it makes everything several times as slow
    started = time.process_time()
    result: object = None
    try:
        result = read(record, data)
    except pickle.UnpicklingError as refusal:
        result = refusal
    finally:
        took = time.process_time() - started
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert traced or took < SECONDS + SECONDS_PER_BYTE * len(data), f"{read.__name__} took {took:.1f} s"
    assert peak < MEMORY + MEMORY_PER_BYTE * len(data), f"{read.__name__} took {peak:,} bytes"
    return result


def _is_a_clean_refusal(refusal: object, record: Attack, logged: list[str]) -> None:
    assert isinstance(refusal, pickle.UnpicklingError), f"read, as {type(refusal).__name__}"
    assert type(refusal).__name__ in record.expected, f"{type(refusal).__name__}: {refusal}"
    assert getattr(safepickle, type(refusal).__name__) is type(refusal)
    assert not isinstance(refusal, BUILT_IN_ERRORS)
    told = "\n".join([str(refusal), *getattr(refusal, "__notes__", ()), *logged])
    assert SECRET not in told
    assert all(char.isprintable() or char == "\n" for char in told), ascii(told)
    for kept in (refusal.__cause__, refusal.__context__):
        assert kept is None or kept.__traceback__ is None, "the cause keeps frames, and the frames keep the payload"


def _did_nothing(record: Attack, before: dict[str, object], allowed: tuple[str, ...]) -> None:
    if record.threat == "resource_leaks":
        gc.collect()
    assert set(victims.RAN) <= set(allowed), f"ran {victims.RAN[:5]}"
    assert victims.snapshot() == before, "the application was changed"
    assert "tests.tripwire" not in sys.modules


def check(record: Attack) -> None:
    """Show the attack to every entry point it concerns.

    Raises:
        AssertionError: something that must hold does not.
    """
    data = bytes_of(record)
    assert policy_of(record.policy).digest  # read, and put into the words that a log has, before anything is measured
    log, before = Lines(), victims.snapshot()
    victims.RAN.clear()
    logger = logging.getLogger("safepickle")
    logger.addHandler(log)
    try:
        with application.prepared(record.setup):
            _check_entries(record, data, before, log)
    finally:
        logger.removeHandler(log)


def _check_entries(record: Attack, data: bytes, before: dict[str, object], log: Lines) -> None:
    readers = {"loads": _loads, "Unpickler": _unpickler}
    for entry in record.entry_points:
        log.lines.clear()
        if entry == "scan":
            report = _bounded(_scan, record, data)
            assert isinstance(report, safepickle.Report)
            assert report.ok == (report.verdict == "pass")
            assert record.runtime_only or not record.expected or not report.ok, "the scanner passes it"
            _did_nothing(record, before, ())
            continue
        outcome = _bounded(readers[entry], record, data)
        _did_nothing(record, before, record.ran)
        if record.expected:
            _is_a_clean_refusal(outcome, record, log.lines)
            assert log.lines, "a refusal is logged"
        victims.RAN.clear()
    if {"loads", "Unpickler"} <= set(record.entry_points) and not record.runtime_only:
        outcome = _bounded(_verify, record, data)
        assert not record.expected or type(outcome).__name__ in record.expected, "verify lets it pass"
        _did_nothing(record, before, ())


def _in_a_process_of_its_own(record: Attack) -> dict[str, object]:
    """How a fork ended that was shown the attack; it ends as any process does, so what is freed last counts too."""
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 2)
            faulthandler.enable()
            faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
            try:
                check(record)
            except BaseException:  # noqa: BLE001  # whatever it is, it is said
                traceback.print_exc()
                sys.exit(1)
            sys.exit()
        _, status = os.waitpid(child, 0)
        said.seek(0)
        return {
            "file": record.file,
            "code": os.waitstatus_to_exitcode(status),
            "said": said.read().decode("utf-8", "replace")[-2000:],
        }


if __name__ == "__main__":
    asked = {record.file: record for record in attacks()}
    for file in sys.argv[1:]:
        print(json.dumps(_in_a_process_of_its_own(asked[file])), flush=True)
