"""Any bytes, read as whatever containers they may be: a Report, nothing raised, everything bounded and accounted for.

* Nothing but what the readers of containers need is imported, and nothing is opened, written or run.
* What passes is accounted for to its last byte and has no finding; what does not pass says why.
* What is read in the smallest windows gets the verdict that it gets as a whole, or a more careful one.
* What comes out of decompression stays within the limits, and so do the streams that are looked into.
"""

from __future__ import annotations

import io
import json
import tracemalloc
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Final

import engine

import safepickle
import safepickle.scanner  # which the package imports when it is first asked to scan
from safepickle.containers.source import FileSource
from safepickle.report import RULES
from tests import make_containers

SEEDS: Final = "containers"
#: `compile` is the reading of an array's header as a literal, of which nothing is executed.
_HARMLESS: Final = frozenset({"sqlite3.connect", "sqlite3.connect/handle", "compile"})
#: What py7zr asks psutil for: how much memory there is.
_ASKED: Final = ("open", ("/proc/meminfo",))
_MOST_MEMORY: Final = 96 << 20
_STRICTNESS: Final = ("pass", "not a pickle", "incomplete", "malformed", "forbidden")


@cache
def _policy() -> safepickle.Policy:
    policy = safepickle.Policy.from_yaml(
        "safepickle: 1\n"
        "limits: {unpacked: 8 MiB, unpacked_opcodes: 256 KiB, members: 200, nested: 4}\n"
        "allow: {joblib.numpy_pickle: [NumpyArrayWrapper], numpy: [ndarray, dtype]}\n"
    )
    for make in make_containers.CASES.values():
        safepickle.scan(make().data, policy=policy)  # what is imported late is imported now
    for begins in engine.PACKED:
        safepickle.scan(begins, policy=policy)
    "".encode("utf-16-le")  # as names are in 7z
    with suppress(ImportError):
        import_module("psutil")  # which py7zr asks how much memory there is
    return policy


def check(data: bytes) -> None:
    policy = _policy()
    tracemalloc.start()
    try:
        with engine.watched() as events:
            report = safepickle.scan(data, policy=policy)
            assert {event for event, said in events if (event, said[:1]) != _ASKED} <= _HARMLESS, events[:3]
        assert tracemalloc.get_traced_memory()[1] < _MOST_MEMORY
    finally:
        tracemalloc.stop()
    _check_report(report, data)
    windowed = _in_windows(data, policy)
    _check_report(windowed, data)
    assert _STRICTNESS.index(windowed.verdict) >= _STRICTNESS.index(report.verdict) or not report.capabilities


def _check_report(report: safepickle.Report, data: bytes) -> None:
    assert report.size == len(data)
    assert 0 <= report.claimed <= report.size
    assert report.verdict in _STRICTNESS
    if report.ok:
        assert report.claimed == report.size
        assert report.findings == ()
    else:
        assert report.findings or report.verdict == "not a pickle", "a scan that does not pass says why"
    for finding in report.findings:
        assert finding.rule in RULES
        assert finding.message.isprintable()
    assert len(report.members) <= len(data) + 1000
    json.dumps(report.to_dict())


def _in_windows(data: bytes, policy: safepickle.Policy) -> safepickle.Report:
    """The report on the same bytes where hardly anything is small enough to be read at once."""
    scanner = safepickle.scanner
    whole, large = scanner._WHOLE, scanner.LARGE  # noqa: SLF001 - what is large is what is tested
    scanner._WHOLE = scanner.LARGE = 64  # type: ignore[misc]  # noqa: SLF001 - likewise
    try:
        return scanner._Scan(None, FileSource(io.BytesIO(data)), policy).report()  # noqa: SLF001 - as for a large file
    finally:
        scanner._WHOLE, scanner.LARGE = whole, large  # type: ignore[misc]  # noqa: SLF001 - likewise


if __name__ == "__main__":
    engine.main(__file__, check, seeds=SEEDS, longest=65536)
