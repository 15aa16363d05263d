"""How cost grows: the exponent of the length of a stream, 1 where twice the bytes take twice the work.

Two ways to say what work is.  For people, CPU time of the build that runs (`python -m tests.bench growth`).  For the
tests, lines of the package's own source that are executed (`python -m tests.bench.growth`, with SAFEPICKLE_PURE=1): the
same number on every machine.  What lines do not show (a copy or a hash in C) only the first one does.

Everything is doubled: the workloads, streams made to cost more than they should, and every attack of
`tests/make_attacks.py`, one copy after the other in one pickle.  A refusal is a result too: one that comes early costs
the same for any length, and its exponent is 0.
"""

from __future__ import annotations

import json
import logging
import math
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

import safepickle
from tests.assembler import asm, dict_of, get, list_of, pickled, put, text, tuple_of
from tests.attack_check import policy_of
from tests.bench.measure import seconds
from tests.bench.workloads import WORKLOADS, Workload, policy, stream
from tests.make_attacks import MERSENNE, PATTERNS, PLAIN, STDLIB, VICTIMS, attacks, fields, glob, victim

#: Differences below this part of the whole are none: an exponent says nothing of what does not grow.
NOTICEABLE: Final = 0.05
_PACKAGE: Final = str(Path(safepickle.__file__).parent)


class Sized(NamedTuple):
    """A stream of any size, made to be expensive."""

    name: str
    policy: str
    build: Callable[[int], bytes]
    scanned: bool = False  # the scanner does something else with it than to verify it


class Case(NamedTuple):
    """One thing whose cost is looked at: what to do at each size."""

    name: str
    call: Callable[[int], Callable[[], object]]
    few: int  # the size at which lines are counted
    many: int  # the size at which time is taken


# --- What is doubled -------------------------------------------------------------------------------------------------
def _times(n: int, *steps: Any) -> bytes:
    return asm(*steps) * n


_JOBLIB_WRAPPER: Final = asm(("GLOBAL", "joblib.numpy_pickle", "NumpyArrayWrapper"), "EMPTY_TUPLE", "NEWOBJ")


def _joblib_wrappers(n: int, *, built_at_once: bool) -> bytes:
    """What joblib writes before each array, without the array."""
    build = ("EMPTY_DICT", "BUILD")
    made = [asm(_JOBLIB_WRAPPER, *build) if built_at_once else asm(_JOBLIB_WRAPPER, put(i)) for i in range(n)]
    later = [] if built_at_once else [asm(get(i), *build) for i in range(n)]
    return asm(("PROTO", 2), "MARK", *made, *later, "LIST", "STOP")


def _doubled_instances(n: int) -> bytes:
    level = asm(put(1), "POP", get(0), get(1), get(1), "TUPLE2", "REDUCE")
    return pickled(4, victim("Frozen"), put(0), "POP", "NONE", level * n)


def _outer_first(n: int) -> bytes:
    """Lists that are filled after they were put into another."""
    step = asm("EMPTY_LIST", put(1), "APPEND", "POP", get(1))
    return asm("EMPTY_LIST", put(0), step * n, "POP", get(0), "STOP")


def _again(payload: bytes, before: Any, *each: Any, n: int) -> bytes:
    """A payload, memoised, and used n times."""
    return pickled(4, payload, put(0), "POP", before, put(1), "POP", "MARK", _times(n, *each), "LIST")


def _keyed(keys: Iterator[Any]) -> bytes:
    return pickled(4, "EMPTY_DICT", "MARK", *(half for key in keys for half in (key, "NONE")), "SETITEMS")


def _one_state(n: int) -> bytes:
    """Instances that share one state, which grows between them."""
    step = asm(get(1), "EMPTY_TUPLE", "NEWOBJ", get(0), "BUILD", "POP", get(0), text("bid"), "NONE", "SETITEM", "POP")
    return pickled(4, "EMPTY_DICT", put(0), "POP", victim("Plain"), put(1), "POP", step * n, get(0))


def _getattr_chain(n: int) -> bytes:
    step = asm(put(1), "POP", get(0), get(1), text("Nested"), "TUPLE2", "REDUCE")
    return pickled(4, glob("builtins", "getattr"), put(0), "POP", victim("Plain"), step * n)


SIZED: Final = (
    Sized("marks", PLAIN, lambda n: b"(" * n + b"N."),
    Sized("values on the stack", PLAIN, lambda n: b"N" * n + b"."),
    Sized("values made and dropped", PLAIN, lambda n: b"N0" * n + b"N."),
    Sized("one value again and again", PLAIN, lambda n: b"N" + b"2" * n + b"."),
    Sized("memo entries", PLAIN, lambda n: asm(("PROTO", 4), "NONE", _times(n, "MEMOIZE"), "STOP")),
    Sized("memo entries by text", PLAIN, lambda n: b"N" + b"".join(b"p%d\n" % i for i in range(n)) + b"."),
    Sized("empty frames", PLAIN, lambda n: asm(("PROTO", 4), (b"\x95" + bytes(8)) * n, "NONE", "STOP")),
    Sized("protocols", PLAIN, lambda n: b"\x80\x04" * n + b"N.", scanned=True),
    Sized("nested tuples", PLAIN, lambda n: b")" + b"\x85" * n + b"."),
    Sized("nested tuples by mark", PLAIN, lambda n: b"(" * n + b"t" * n + b"."),
    Sized("nested lists", PLAIN, lambda n: b"]" * n + b"a" * (n - 1) + b"."),
    Sized("nested dicts", PLAIN, lambda n: b"}N" * n + b"N" + b"s" * n + b"."),
    Sized("nested frozensets", PLAIN, lambda n: asm(("PROTO", 4), b"(" * n, _times(n, "FROZENSET"), "STOP")),
    Sized("lists outer first", PLAIN, _outer_first),
    Sized("tuples doubled", PLAIN, lambda n: asm("EMPTY_TUPLE", _times(n, "DUP", "TUPLE2"), "STOP")),
    Sized("tuples doubled as a key", PLAIN, lambda n: pickled(
        4, "EMPTY_DICT", "EMPTY_TUPLE", _times(n, "DUP", "TUPLE2"), "NONE", "SETITEM")),
    Sized("lists of ten times the last", PLAIN, lambda n: pickled(
        4, text("lol"), _times(n, put(0), "POP", "EMPTY_LIST", "MARK", *[get(0)] * 10, "APPENDS"))),
    Sized("instances doubled", VICTIMS, _doubled_instances),
    Sized("instances doubled as a key", VICTIMS, lambda n: pickled(
        4, "EMPTY_DICT", _doubled_instances(n)[2:-1], "NONE", "SETITEM")),
    Sized("keys that share a hash", PLAIN, lambda n: _keyed(("LONG1", MERSENNE * factor) for factor in range(1, n))),
    Sized("tuples that share a hash", PLAIN, lambda n: _keyed(
        [("LONG1", MERSENNE * factor), "TUPLE1"] for factor in range(1, n))),
    Sized("a wide tuple as a key, n times", PLAIN, lambda n: pickled(
        4, tuple_of(*["NONE"] * n), put(0), "POP", "EMPTY_DICT", _times(n, get(0), "NONE", "SETITEM"))),
    Sized("a long text as a key, n times", PLAIN, lambda n: pickled(
        4, text("x" * 16 * n), put(0), text("x" * 16 * n), put(1), "POP", "POP", "EMPTY_DICT",
        _times(n, get(0), "NONE", "SETITEM", get(1), "NONE", "SETITEM"))),
    Sized("a long text, encoded n times", PLAIN, lambda n: _again(
        asm(text("x" * 16 * n)), glob("_codecs", "encode"), get(1), get(0), text("latin1"), "TUPLE2", "REDUCE", n=n)),
    Sized("a wide list, made a set n times", PLAIN, lambda n: _again(
        asm(list_of(*["NONE"] * n)), glob("builtins", "set"), get(1), get(0), "TUPLE1", "REDUCE", n=n)),
    Sized("many arguments, n times", VICTIMS, lambda n: _again(
        asm(tuple_of(*["NONE"] * n)), victim("keep"), get(1), get(0), "REDUCE", n=n)),
    Sized("a wide state, n times", VICTIMS, lambda n: _again(
        asm(fields(**{f"k{index}": "NONE" for index in range(n)})), victim("Plain"),
        get(1), "EMPTY_TUPLE", "NEWOBJ", get(0), "BUILD", n=n)),
    Sized("one state that grows", PATTERNS, _one_state),
    Sized("a chain of getattr", VICTIMS, _getattr_chain),
    Sized("a text without an end", PLAIN, lambda n: b"V" + b"x" * 64 * n),
    Sized("digits", PLAIN, lambda n: b"I" + b"9" * n + b"\n."),
    Sized("digits of a long", PLAIN, lambda n: b"L" + b"9" * n + b"L\n."),
    Sized("digits of a float", PLAIN, lambda n: b"F" + b"9" * n + b".0\n."),
    Sized("names", PLAIN, lambda n: pickled(
        4, "MARK", *(glob("evil", f"name{i}") for i in range(n)), "LIST"), scanned=True),
    Sized("calls of one name", PLAIN, lambda n: pickled(
        4, glob("evil", "name"), put(0), "POP", "MARK", _times(n, get(0), "EMPTY_TUPLE", "REDUCE"), "LIST"),
        scanned=True),
    Sized("parts of a name", STDLIB, lambda n: pickled(4, glob("evil", "." * n))),
    Sized("letters of a name", STDLIB, lambda n: pickled(4, glob("evil", "x" * n))),
    Sized("a state of many names", STDLIB, lambda n: pickled(
        4, glob("uuid", "UUID"), "EMPTY_TUPLE", "NEWOBJ", dict_of(*((text(f"k{i}"), "NONE") for i in range(n))),
        "BUILD")),
    Sized("lists in a list", PLAIN, lambda n: asm(list_of(*["EMPTY_LIST"] * n), "STOP"), scanned=True),
    Sized("lists as values", PLAIN, lambda n: asm(
        dict_of(*((("BININT", i), "EMPTY_LIST") for i in range(n))), "STOP"), scanned=True),
    Sized("arrays of joblib's", PLAIN, lambda n: _joblib_wrappers(n, built_at_once=True), scanned=True),
    Sized("arrays of joblib's built last", PLAIN, lambda n: _joblib_wrappers(n, built_at_once=False), scanned=True),
    Sized("arrays of joblib's, and names", PLAIN, lambda n: asm(
        ("PROTO", 2), "MARK", *(("GLOBAL", "evil", f"name{i}") for i in range(n)),
        *[_JOBLIB_WRAPPER, "EMPTY_DICT", "BUILD"] * n, "LIST", "STOP"), scanned=True),
    Sized("pickles in a row", PLAIN, lambda n: b"N." * n, scanned=True),
    Sized("pickles in texts", PLAIN, lambda n: pickled(4, "MARK", *[text("\x80\x04N.")] * n, "LIST"), scanned=True),
)  # fmt: skip


def _entries(
    name: str, data_of: Callable[[int], bytes], policy_name: str, sizes: tuple[int, int], *entries: str
) -> Iterator[Case]:
    """A hostile stream at some entry points; nobody cares how it is refused."""

    def reader(read: Callable[..., object]) -> Callable[[int], Callable[[], object]]:
        rules = policy_of(policy_name)
        assert rules.digest  # which a refusal logs, and is computed once
        return lambda n: partial(_refused, read, data_of(n), rules)

    for entry in entries:
        yield Case(f"{name}: {entry}", reader(getattr(safepickle, entry)), *sizes)


def _refused(read: Callable[..., object], data: bytes, rules: safepickle.Policy) -> object:
    try:
        return read(data, policy=rules)
    except pickle.UnpicklingError as refusal:
        return refusal


def _copies(data: bytes) -> Callable[[int], bytes]:
    """n copies of a pickle in one, each dropped before the next."""
    body = data[2:] if data[:1] == b"\x80" else data
    return lambda n: b"\x80\x04" + (body.removesuffix(b".") + b"0") * n + b"N."


def hostile(longest: int) -> Iterator[Case]:
    """Every stream that is made to cost, and n copies of every attack that has at most `longest` bytes."""
    logging.getLogger("safepickle").addHandler(logging.NullHandler())  # refusals are the point
    for sized in SIZED:
        entries = ("verify", "loads", "scan") if sized.scanned else ("verify", "loads")
        yield from _entries(sized.name, sized.build, sized.policy, (60, 10_000), *entries)
    for record in attacks():
        if not record.generated and len(data := record.build()) <= longest:
            yield from _entries(record.file, _copies(data), record.policy, (2, 100), "verify")


def harmless(workloads: Sequence[Workload]) -> Iterator[Case]:
    """Every workload: loaded, verified and written."""
    rules = policy()

    def reader(read: Callable[..., object], workload: Workload) -> Callable[[int], Callable[[], object]]:
        def sized(n: int) -> Callable[[], object]:
            data, buffers = stream(workload, workload.make(n))
            return partial(read, data, policy=rules, buffers=buffers)

        return sized

    def writer(workload: Workload) -> Callable[[int], Callable[[], object]]:
        return lambda n: partial(safepickle.dumps, workload.make(n), workload.protocol)

    for workload in workloads:
        if workload.lacks:
            continue
        sizes = (1, 50) if workload.size < 1000 else (16, workload.size // 8)
        yield Case(f"{workload.name}: loads", reader(safepickle.loads, workload), *sizes)
        yield Case(f"{workload.name}: verify", reader(safepickle.verify, workload), *sizes)
        yield Case(f"{workload.name}: dumps", writer(workload), *sizes)


# --- What work is ----------------------------------------------------------------------------------------------------
def exponent(costs: Sequence[float]) -> float:
    """The exponent of what costs this at n, 2n and 4n: from the differences, so that what is always done drops out."""
    first, second, third = costs
    least = NOTICEABLE * third
    return math.log2(max(third - second, least) / max(second - first, least))


def steps(call: Callable[[], object]) -> int:
    """How many lines of the package `call` executes."""
    count = 0

    def line(_: FrameType, event: str, __: object) -> Any:
        nonlocal count
        count += event == "line"
        return line

    def entered(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            return None
        count += 1
        return line

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def counted(case: Case) -> list[int]:
    """The lines that a case executes at n, 2n and 4n."""
    case.call(1)()  # what is only done once is not counted
    return [steps(case.call(case.few * times)) for times in (1, 2, 4)]


def timed(case: Case, part: int, rounds: int) -> list[float]:
    """The seconds that a case takes at n, 2n and 4n."""
    n = max(case.many // part, 1)
    return [seconds(case.call(n * times), rounds, shortest=2_000_000) for times in (1, 2, 4)]


# --- Showing it ------------------------------------------------------------------------------------------------------
def show(workloads: Sequence[Workload], words: Sequence[str], *, quick: bool) -> int:
    """Print the exponent of every case by CPU time."""
    print(f"{'':64}{'seconds at 4n':>16}{'exponent':>10}")
    cases = [*harmless(workloads), *(case for case in hostile(100_000) if any(word in case.name for word in words))]
    worst = (0.0, "nothing was measured")
    for case in cases:
        costs = timed(case, 20 if quick else 1, 2 if quick else 5)
        worst = max(worst, (exponent(costs), case.name))
        print(f"{case.name:64}{costs[-1]:>16.6f}{exponent(costs):>10.2f}", flush=True)
    print("the worst of {}: {:.2f}, {}".format(len(cases), *worst))
    return 0


def main() -> None:
    """Print the counted lines of every case, as one line of JSON."""
    print(json.dumps({case.name: counted(case) for case in (*harmless(WORKLOADS), *hostile(1_000))}))


if __name__ == "__main__":
    main()
