"""Ratios of CPU times that a busy machine does not spoil.

Rules:

* What is compared runs in one process, in turns, and a ratio is taken within each round: whatever slows the machine
  down slows both.  The order changes from round to round.
* Thread CPU time, not the clock.  What is short is repeated until it can be measured.
* The garbage collector works as it always does; it starts each sample with nothing to do.  The last value is freed
  outside of the sample, those before it inside, on both sides alike.
* A figure comes with its quartiles.
"""

from __future__ import annotations

import gc
import math
import statistics
from collections.abc import Callable, Sequence
from time import thread_time_ns
from typing import Final, NamedTuple

Call = Callable[[], object]

SHORTEST: Final = 20_000_000  # nanoseconds of a sample: some thousand times what reading the clock takes


class Ratio(NamedTuple):
    """A ratio of times: the median of the rounds and the quartiles around it."""

    median: float
    low: float
    high: float


def ratios(baseline: Call, others: Sequence[Call], rounds: int, shortest: int = SHORTEST) -> tuple[float, list[Ratio]]:
    """The seconds that `baseline` takes, and how many times as long each of the others does."""
    calls = [baseline, *others]
    for call in calls:
        call()  # what is only done once is not measured
    repeats = _repeats(baseline, shortest)
    samples: list[list[int]] = [[] for _ in calls]
    for number in range(rounds):
        for step in range(len(calls)):
            index = (number + step) % len(calls)
            samples[index].append(_sample(calls[index], repeats))
    times = samples[0]
    found = [_ratio([mine / theirs for mine, theirs in zip(each, times, strict=True)]) for each in samples[1:]]
    return statistics.median(times) / repeats / 1e9, found


def seconds(call: Call, rounds: int, shortest: int = SHORTEST) -> float:
    """The least CPU time that `call` took in some rounds."""
    repeats = _repeats(call, shortest)
    return min(_sample(call, repeats) for _ in range(rounds)) / repeats / 1e9


def geometric_mean(values: Sequence[float]) -> float:
    """The mean that belongs to ratios: of 2 and 1/2 it is 1."""
    return math.exp(math.fsum(map(math.log, values)) / len(values))


def _ratio(values: Sequence[float]) -> Ratio:
    if len(values) < 2:
        return Ratio(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Ratio(median, low, high)


def _repeats(call: Call, shortest: int) -> int:
    repeats = 1
    while (took := _sample(call, repeats)) < shortest:
        repeats = max(repeats * 2, min(repeats * 100, repeats * shortest // max(took, 1)))
    return repeats


def _sample(call: Call, repeats: int) -> int:
    value = None
    gc.collect()
    started = thread_time_ns()
    for _ in range(repeats):
        value = call()
    took = thread_time_ns() - started
    del value
    return took
