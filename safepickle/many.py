"""Scans of very many sources: side by side, in bounded memory, with nothing lost and nothing counted twice.

The work is done by any `concurrent.futures.Executor`, so by threads, processes or a cluster.  Sources are taken from
their iterator as there is room, and each gives exactly one report.

Rules:

* At most so many sources are on their way at any time: taken, and not yet handed out as a report.
* Of what is on its way when a worker ends, each is tried again alone, so that it takes nobody with it.  What ends two
  workers by itself is incomplete, as is what cannot be read, and what nobody is left to scan.  None ends the others.
* A worker judges by the policy that it was given, and its report says so; another one counts as no report.
* What is kept from one run to the next stands in `results.py`.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from functools import cache, partial
from typing import Any, Final, NamedTuple

from safepickle.build import VERSION
from safepickle.codec import dumps, loads
from safepickle.errors import escape
from safepickle.policy import Policy, PolicySpec, model, patterns, resolve_policy
from safepickle.reader import frozen_input
from safepickle.remote import is_url, stamp_of
from safepickle.report import INCOMPLETE, Finding, Report
from safepickle.results import Cache, Results, Stamp
from safepickle.scanner import changed, packaged, packaged_digest, scan

__all__ = ["processes", "scan_many", "unread"]

#: Sources on their way.  No science went into these numbers: some dozens keep a machine busy, and are little memory.
IN_FLIGHT: Final = 256
#: A task is so many small files, or files of so many bytes, so that handing it over is not what takes the time.
_MOST_IN_TASK: Final = 16
_BYTES_IN_TASK: Final = 4 << 20
#: How many workers a source may end.
_TRIES: Final = 2
_END: Final = object()


class _Item(NamedTuple):
    """A source on its way."""

    number: int
    name: str | None
    source: Any  # a path, or bytes
    size: int = 0
    ends: int = 0  # how often a worker ended that had nothing else to do


class _Outcome(NamedTuple):
    """What became of a source."""

    report: Report
    stamp: Stamp | None = None


class _Orders(NamedTuple):
    """What a worker has to know beside the source."""

    digest: str
    policy: bytes | None  # pickled by ourselves, once; None for all packaged policies
    cache: str | None
    is_hashed: bool

    @property
    def version(self) -> str:
        """Who judges: without a policy, reports also say which names nothing is known of, so they are others."""
        return VERSION if self.policy is not None else f"{VERSION}, without a policy"


def scan_many(
    sources: Iterable[Any],
    *,
    policy: PolicySpec = None,
    executor: Executor | Callable[[], Executor] | None = None,
    in_flight: int = IN_FLIGHT,
    ordered: bool = False,
    resume: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> Iterator[Report]:
    """Judge many sources as `scan` does, and give a report of each as it is there.

    `sources` is consumed as there is room.  A source is a path or a URL, a bytes-like object, a binary file, a pair of
    a name and one of these, or a Report, which is handed on.  `executor` is any `concurrent.futures.Executor`, or what
    makes one, which is asked for another where the first one breaks; None scans one after the other.  `in_flight` is
    how many sources are taken ahead.  Reports come as they are there, or, if `ordered`, as the sources do.

    `resume` is a file of results: what it has of a source that is unchanged is not scanned again, and what is new is
    written to it; the reports are `ordered` then.  `cache` is a folder of what is known of the same content.  Both hold
    only what was found under the same policy by the same version.

    Raises PolicyError for a bad policy, TypeError for a source of another kind, ResultsError for a file that does not
    hold results of this policy, and OSError where that file cannot be used.
    """
    if in_flight < 1:
        raise ValueError("in_flight is how many sources may be on their way: at least one")
    chosen = packaged() if policy is None else resolve_policy(policy)
    blob = None if policy is None else _pickled(chosen)
    digest = packaged_digest() if policy is None else chosen.digest
    orders = _Orders(digest, blob, None if cache is None else os.fspath(cache), resume is not None)
    _POLICIES[digest] = chosen
    results = None if resume is None else Results(resume, digest, orders.version)
    return _scan_many(iter(sources), orders, executor, in_flight, ordered or resume is not None, results)


def _scan_many(
    sources: Iterator[Any],
    orders: _Orders,
    executor: Executor | Callable[[], Executor] | None,
    in_flight: int,
    ordered: bool,
    results: Results | None,
) -> Iterator[Report]:
    crew: _Alone | _Crew = _Alone(orders) if executor is None else _Crew(executor, orders)
    supply = _Supply(sources, crew, results, orders.digest)
    ready: dict[int, _Outcome] = {}
    given = 0
    try:
        while True:
            ready.update(supply.take(given + in_flight))
            if given not in ready if ordered else not ready:
                ready.update(crew.work())
            if supply.is_all and not ready:
                break
            for number in (given,) if ordered else tuple(ready):
                outcome = ready.pop(number, None)
                if outcome is not None:
                    given += 1
                    if results is not None:
                        results.give(*outcome)
                    yield outcome.report
        if results is not None:
            results.finish()
    finally:
        crew.leave()
        if results is not None:
            results.close()


class _Supply:
    """Sources as they are taken: for the crew, or with what is known of them already."""

    def __init__(
        self, sources: Iterator[Any], crew: _Alone | _Crew, results: Results | None, digest: str
    ) -> None:
        self._sources = sources
        self._digest = digest
        self._crew = crew
        self._results = results
        self._taken = 0
        self.is_all = False

    def take(self, most: int) -> dict[int, _Outcome]:
        """Take up to so many, counted from the first; returns what is known without any work."""
        known: dict[int, _Outcome] = {}
        while not self.is_all and self._taken < most and self._crew.has_room():
            source = next(self._sources, _END)
            if source is _END:
                self.is_all = True
                break
            item = _item(self._taken, source, self._digest)
            outcome = item if isinstance(item, _Outcome) else _known(item, self._results)
            if outcome is not None:
                known[self._taken] = outcome
            elif isinstance(item, _Item):
                self._crew.add(item)
            self._taken += 1
        return known


# -- Sources -----------------------------------------------------------------------------------------------------------


def _item(number: int, source: Any, digest: str) -> _Item | _Outcome:
    name = None
    if isinstance(source, Report):
        return _Outcome(source._replace(judge=source.policy or digest))
    if isinstance(source, tuple) and len(source) == 2 and isinstance(source[0], str):
        name, source = source
    if isinstance(source, (str, os.PathLike)):
        path = os.fsdecode(source)
        size = 0
        with suppress(OSError, ValueError):  # whoever scans it will say so
            size = os.stat(path).st_size
        return _Item(number, path if name is None else name, path, size)
    if callable(getattr(source, "read", None)):
        source = source.read()
        if not isinstance(source, (bytes, bytearray, memoryview)):
            raise TypeError("a file that is scanned is opened in binary mode")
    data = frozen_input(source)
    return _Item(number, name, data, len(data))


def _known(item: _Item, results: Results | None) -> _Outcome | None:
    """What an earlier run has found out."""
    if results is None or item.name is None:
        return None
    with suppress(OSError, ValueError):
        stamp = _stamp(item.source)
        report = results.find(item.name, stamp)
        if report is not None:
            return _Outcome(report, stamp)
    return None


def _stamp(source: Any) -> Stamp | None:
    if isinstance(source, bytes):
        import hashlib

        return "sha256", hashlib.sha256(source).hexdigest()
    if is_url(source):
        return stamp_of(source)
    found = os.stat(source)
    # Whoever writes a file can set its times, but not the one at which that was done.
    return "file", found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def unread(source: str | None, why: str, policy: str = "") -> Report:
    """The report on what could not be read."""
    finding = Finding("unreadable", "warning", escape(why, 500))
    return Report(source, INCOMPLETE, (finding,), (), (), (), 0, 0, "", policy)


# -- What a worker does ------------------------------------------------------------------------------------------------

_POLICIES: Final[dict[str, Policy]] = {}  # by digest: a worker meets few


@cache
def _orders_only() -> Policy:
    """What a policy is made of, and nothing else: what a worker's orders may name."""
    shapes = (made for made in vars(patterns).values() if getattr(made, "__module__", "") == patterns.__name__)
    records = (made for made in shapes if isinstance(made, type))
    return Policy.of(Policy, model.PolicyData, model.Grant, model.PersistentShape, *records)


def _pickled(policy: Policy) -> bytes:
    return dumps(policy, 5)


def _policy(orders: _Orders) -> Policy:
    policy = _POLICIES.get(orders.digest)
    if policy is None:
        policy = packaged() if orders.policy is None else loads(orders.policy, policy=_orders_only())
        _POLICIES[orders.digest] = policy
    return policy


def _judge_all(orders: _Orders, items: tuple[_Item, ...]) -> list[_Outcome]:
    """One task."""
    policy = _policy(orders)
    cache = None if orders.cache is None else Cache(orders.cache, orders.digest, orders.version)
    return [_judge(orders, policy, cache, item) for item in items]


def _judge(orders: _Orders, policy: Policy, cache: Cache | None, item: _Item) -> _Outcome:
    try:
        return _judged(orders, policy, cache, item)
    except OSError as error:
        return _Outcome(unread(item.name, error.strerror or str(error), orders.digest))
    except (Exception, RecursionError) as error:  # noqa: BLE001 - one source never ends the others
        return _Outcome(unread(item.name, f"judging it raised {type(error).__name__}: {error}", orders.digest))


def _judged(orders: _Orders, policy: Policy, cache: Cache | None, item: _Item) -> _Outcome:
    source = item.source
    stamp = _stamp(source) if orders.is_hashed or cache is not None else None
    stamps = [stamp]
    if isinstance(source, str) and "://" not in source and not stat.S_ISREG(os.stat(source).st_mode):
        return _Outcome(unread(item.name, "not a regular file", orders.digest))  # a pipe would be waited for
    if cache is not None:
        known = cache.find(item.name, stamp)
        if known is not None:
            return _Outcome(known, stamp)
        if stamp is not None and stamp[0] == "file":
            stamps.append(("sha256", _file_hash(source)))  # the same bytes elsewhere, or checked out anew
            known = cache.find(item.name, stamps[1])
        if known is not None and _stamp(source) == stamp:
            cache.keep(known, stamp)
            return _Outcome(known, stamp)
    report = scan(source, policy=None if orders.policy is None else policy)._replace(source=item.name)
    if orders.is_hashed or cache is not None:
        try:
            report = report._replace(hashed=report.sha256)
        except OSError:
            return _Outcome(changed(report)._replace(hashed=""))
        if stamp is not None and _stamp(source) != stamp:
            return _Outcome(report)  # it may be about other bytes than are there
    if cache is not None:
        for each in stamps:
            cache.keep(report, each)
    return _Outcome(report, stamp)


def _file_hash(path: str) -> str:
    import hashlib

    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# -- Who does the work -------------------------------------------------------------------------------------------------


class _Alone:
    """Nobody else: each source is judged when its report is asked for."""

    def __init__(self, orders: _Orders) -> None:
        self._orders = orders
        self._items: deque[_Item] = deque()

    def has_room(self) -> bool:
        """Whether another source may be taken."""
        return not self._items

    def add(self, item: _Item) -> None:
        """Take a source."""
        self._items.append(item)

    def work(self) -> dict[int, _Outcome]:
        """The outcome of at least one source, if there is any left."""
        if not self._items:
            return {}
        item = self._items.popleft()
        return {item.number: _judge_all(self._orders, (item,))[0]}

    def leave(self) -> None:
        """Nothing to be left."""


class _Crew:
    """The workers of an executor."""

    def __init__(self, executor: Executor | Callable[[], Executor], orders: _Orders) -> None:
        self._is_ours = callable(executor)
        self._make: Callable[[], Executor] = executor if callable(executor) else lambda: executor
        self._executor: Executor | None = None
        self._orders = orders
        self._task: list[_Item] = []  # not yet handed over
        self._size = 0
        self._tasks: dict[Future[list[_Outcome]], tuple[_Item, ...]] = {}
        self._is_alone = False  # whether a suspect is at work, which nobody else is to pay for
        self._suspects: deque[_Item] = deque()  # with whom, or after whom, a worker ended
        self._done: dict[int, _Outcome] = {}

    def has_room(self) -> bool:
        """Whether another source may be taken: not while it is found out what ends workers."""
        return not self._suspects and not self._is_alone

    def add(self, item: _Item) -> None:
        """Take a source."""
        self._task.append(item)
        self._size += item.size
        if len(self._task) >= _MOST_IN_TASK or self._size >= _BYTES_IN_TASK:
            self._hand_over()

    def work(self) -> dict[int, _Outcome]:
        """The outcome of at least one source, if there is any left."""
        self._hand_over()
        while not self._done and (self._tasks or self._suspects):
            if not self._tasks:
                self._is_alone = True
                self._submit((self._suspects.popleft(),))
                continue
            finished, _ = wait(self._tasks, return_when=FIRST_COMPLETED)
            for task in finished:
                self._take_in(task)
        self._is_alone = self._is_alone and bool(self._tasks)
        done, self._done = self._done, {}
        return done

    def leave(self) -> None:
        """End what is still on its way; nobody waits for it."""
        if self._is_ours:
            self._dismiss()
        else:
            for task in self._tasks:
                task.cancel()

    def _hand_over(self) -> None:
        if self._task:
            items = tuple(self._task)
            self._task, self._size = [], 0
            self._submit(items)

    def _submit(self, items: tuple[_Item, ...]) -> None:
        for attempt in range(_TRIES):
            try:
                executor = self._executor = self._executor or self._make()
                self._tasks[executor.submit(_judge_all, self._orders, items)] = items
            except Exception as error:  # noqa: BLE001 - executors of all kinds
                self._dismiss()
                if attempt == _TRIES - 1 or not self._is_ours:
                    self._give_up(items, f"nobody is left to scan it: {_told(error)}")
                    return
            else:
                return

    def _take_in(self, task: Future[list[_Outcome]]) -> None:
        items = self._tasks.pop(task)
        error = CancelledError() if task.cancelled() else task.exception()
        outcomes = [] if error is not None else task.result()
        if error is None and len(outcomes) != len(items):
            error = ValueError("a worker gave another number of reports than it was given sources")
        if error is not None:
            self._dismiss()
            for each in items:
                item = each._replace(ends=each.ends + self._is_alone)
                if item.ends < _TRIES:
                    self._suspects.append(item)
                else:
                    self._give_up((item,), f"whoever scanned it ended, {item.ends} times: {_told(error)}")
            return
        for item, outcome in zip(items, outcomes, strict=True):
            if outcome.report.policy != self._orders.digest:
                self._give_up((item,), "a worker judged it by another policy: it has another version of safepickle")
            else:
                self._done[item.number] = outcome

    def _give_up(self, items: Iterable[_Item], why: str) -> None:
        for item in items:
            self._done[item.number] = _Outcome(unread(item.name, why, self._orders.digest))

    def _dismiss(self) -> None:
        """Let go of an executor that was made for us."""
        executor, self._executor = self._executor, None
        if executor is None or not self._is_ours:
            return
        with suppress(Exception):
            if any(not task.done() for task in self._tasks):
                # There is no other way to be rid of them before Python 3.14.  Tasks are not cancelled: what notes that
                # the processes have gone stumbles over that.
                for process in list((getattr(executor, "_processes", None) or {}).values()):
                    process.kill()
            executor.shutdown(wait=isinstance(executor, ProcessPoolExecutor))


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}{': ' if str(error) else ''}{str(error)[:200]}"


def processes(jobs: int) -> Callable[[], Executor]:
    """What makes an executor of so many processes; 0: as many as there are cores for this one."""
    if jobs < 0:
        raise ValueError("a number of processes is not negative")
    count = jobs or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    return partial(_processes, count)


def _processes(count: int) -> Executor:
    from multiprocessing import get_all_start_methods, get_context

    # Not by `fork`: this process may have threads, and a lock that one of them holds stays closed in the other.
    method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
    return ProcessPoolExecutor(count, mp_context=get_context(method), initializer=_begin_work)


def _begin_work() -> None:
    """What a worker does first: an interrupt from the terminal is for all of the group, and ends it without a word."""
    import signal
    import threading
    from multiprocessing import parent_process

    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    # What was killed tells nobody: workers hold the ends of one another's pipes open, and would wait for ever.
    threading.Thread(target=_end_with, args=(parent_process(),), daemon=True).start()


def _end_with(parent: Any) -> None:
    if parent is not None:
        parent.join()
        os._exit(1)
