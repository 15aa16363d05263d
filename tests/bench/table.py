"""The table: what loading, verifying and writing cost, as ratios to CPython's pickle.

Compiled modules are measured against `_pickle`; the sources as they are against `pickle._loads` and `pickle._dumps`,
which are CPython's own sources.  Rows are printed as they come.
"""

from __future__ import annotations

import _pickle
import json
import pickle
import platform
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import safepickle
from safepickle import build
from tests.bench.measure import SHORTEST, Ratio, geometric_mean, ratios
from tests.bench.workloads import Stream, Workload, policy, stream

#: Against CPython's pickle in Python everything takes many times as long: a part of each workload says as much.
PURE_PART: Final = 20
QUICK_PART: Final = 50


class Settings(NamedTuple):
    """How much is measured."""

    rounds: int = 15
    shortest: int = SHORTEST
    part: int = 1  # workloads of the table's size divided by this
    peers: bool = False


class Row(NamedTuple):
    """One workload: how many times as long as CPython's pickle each of the columns takes."""

    name: str
    size: int  # bytes of the pickle, buffers not counted
    loading: float  # seconds that CPython takes to load it
    writing: float  # seconds that CPython takes to write it
    ratios: dict[str, Ratio]
    skipped: str = ""


def columns(*, peers: bool) -> list[str]:
    """The names of the columns; the peers' are of reading, as multiples of what CPython takes to load."""
    found = ["loads", "verify", "dumps"]
    return [*found, *_peers()] if peers else found


def _peers() -> dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]:
    """Other formats that are here: how each writes and how it reads."""
    found: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {"json": (json.dumps, json.loads)}
    try:
        import msgpack
    except ImportError:
        return found
    return {**found, "msgpack": (msgpack.packb, partial(msgpack.unpackb, strict_map_key=False))}


def rows(workloads: Sequence[Workload], settings: Settings) -> Iterator[Row]:
    """Measure each workload in turn."""
    rules = policy()
    for workload in workloads:
        if workload.lacks:
            yield Row(workload.name, 0, 0.0, 0.0, {}, workload.lacks)
            continue
        yield _row(workload, settings, rules)


def _row(workload: Workload, settings: Settings, rules: safepickle.Policy) -> Row:
    n = max(1, workload.size // settings.part)
    data, buffers = stream(workload, workload.make(n))  # what is read is measured while nothing else is in memory
    peers = _peers() if settings.peers and workload.is_json else {}
    loading, found = _reading(Stream(data, buffers), rules, settings)
    value = workload.make(n)
    writing, written = _writing(workload, value, settings)
    found |= written
    for name, (write, read) in peers.items():
        read_it = partial(read, write(value))
        _, (found[name],) = ratios(partial(_base_loads(), data), [read_it], settings.rounds, settings.shortest)
    return Row(workload.name, len(data), loading, writing, found)


def _base_loads() -> Callable[..., Any]:
    return _pickle.loads if build.core() == build.COMPILED else pickle._loads  # type: ignore[attr-defined]


def _base_dumps() -> Callable[..., Any]:
    return _pickle.dumps if build.core() == build.COMPILED else pickle._dumps  # type: ignore[attr-defined]


def _reading(given: Stream, rules: safepickle.Policy, settings: Settings) -> tuple[float, dict[str, Ratio]]:
    data, buffers = given
    calls = [
        partial(safepickle.loads, data, policy=rules, buffers=buffers),
        partial(safepickle.verify, data, policy=rules, buffers=buffers),
    ]
    took, found = ratios(partial(_base_loads(), data, buffers=buffers), calls, settings.rounds, settings.shortest)
    return took, dict(zip(("loads", "verify"), found, strict=True))


def _writing(workload: Workload, value: Any, settings: Settings) -> tuple[float, dict[str, Ratio]]:
    def call(dumps: Callable[..., Any]) -> Callable[[], object]:
        if not workload.out_of_band:
            return partial(dumps, value, workload.protocol)
        return lambda: dumps(value, workload.protocol, buffer_callback=[].append)

    took, found = ratios(call(_base_dumps()), [call(safepickle.dumps)], settings.rounds, settings.shortest)
    return took, {"dumps": found[0]}


# --- Showing it ------------------------------------------------------------------------------------------------------
def heading(settings: Settings) -> str:
    """What was measured, with what, against what."""
    against = "_pickle, in C" if build.core() == build.COMPILED else "pickle._loads and pickle._dumps, in Python"
    part = f", 1/{settings.part} of each workload" if settings.part > 1 else ""
    return (
        f"safepickle {safepickle.__version__} ({build.core()}), {platform.python_implementation()} "
        f"{platform.python_version()}, as multiples of the CPU time of {against};\n"
        f"medians of {settings.rounds} paired rounds, with quartiles{part}; below 1 is faster"
    )


def head(names: Sequence[str]) -> str:
    """The first line of the table."""
    return f"{'':24}{'bytes':>12}" + "".join(f"{name:>23}" for name in names)


def line(row: Row, names: Sequence[str]) -> str:
    """One line of the table."""
    if row.skipped:
        return f"{row.name:24}skipped: {row.skipped}"
    cells = (row.ratios.get(name) for name in names)
    return f"{row.name:24}{row.size:>12,}" + "".join(f"{_cell(cell):>23}" for cell in cells)


def _cell(ratio: Ratio | None) -> str:
    return "-" if ratio is None else f"{ratio.median:.3f} ({ratio.low:.2f}-{ratio.high:.2f})"


def summary(measured: Sequence[Row], names: Sequence[str]) -> list[str]:
    """The geometric mean and the worst row of each column."""
    means, worst = [], []
    for name in names:
        there = [(row.ratios[name].median, row.name) for row in measured if name in row.ratios]
        means.append(f"{geometric_mean([ratio for ratio, _ in there]):.3f}" if there else "-")
        worst.append("{:.2f} {}".format(*max(there)) if there else "-")
    return [
        f"{'geometric mean':24}{'':12}" + "".join(f"{mean:>23}" for mean in means),
        f"{'worst':24}{'':12}" + "".join(f"{each[:21]:>23}" for each in worst),
    ]


def as_json(measured: Sequence[Row], settings: Settings) -> str:
    """All of it, for programs."""
    return json.dumps(
        {
            "safepickle": safepickle.__version__,
            "core": build.core(),
            "python": platform.python_version(),
            "rounds": settings.rounds,
            "part": settings.part,
            "rows": [
                {**row._asdict(), "ratios": {name: ratio._asdict() for name, ratio in row.ratios.items()}}
                for row in measured
            ],
        },
        indent=1,
    )
