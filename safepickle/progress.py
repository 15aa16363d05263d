"""How far long work has come, on standard error, where that is a terminal: a bar, the rate, and the time that is left.

Rules:

* Work of less than a second shows nothing.
* What is shown is gone before anything else is printed, and at the end: the two may share a terminal.
* It is drawn by a thread of its own, so that one large file does not look like a standstill; another one counts what is
  to be done, so that nothing waits for that.
* Numbers only: no name of a file is printed.
* With rich installed (an extra) it is rich's bar, else a plain one.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple, TextIO

from safepickle.formats.outcomes import Outcome

__all__ = ["with_progress"]

_PATIENCE: Final = 1.0  # seconds
_PERIOD: Final = 0.2
_BAR: Final = 24
_ERASE: Final = "\r\x1b[K"


class State(NamedTuple):
    """How far it is: files and bytes; totals are None while they are being counted."""

    files: int = 0
    size: int = 0
    all_files: int | None = None
    all_size: int | None = None
    seconds: float = 0.0

    @property
    def part(self) -> float | None:
        """Which part is done, from 0 to 1: of the bytes, and of the files where there are none."""
        if self.all_size:
            return min(1.0, self.size / self.all_size)
        return min(1.0, self.files / self.all_files) if self.all_files else None

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take, if it goes on like this."""
        part = self.part
        return None if not part else self.seconds * (1 - part) / part


def line(state: State, width: int) -> str:
    """The state in one line of the terminal."""
    part = state.part
    if part is None:
        return words(state)[: max(0, width - 1)]
    full = round(part * _BAR)
    return f"[{'#' * full}{'-' * (_BAR - full)}] {part:4.0%}  {words(state)}"[: max(0, width - 1)]


def words(state: State) -> str:
    """The state without the bar."""
    pieces = [f"{state.files:,}{'' if state.all_files is None else f' of {state.all_files:,}'} files"]
    if state.seconds > 0:
        pieces.append(f"{state.size / state.seconds / 1e6:,.1f} MB/s")
    if state.left is not None:
        pieces.append(f"{duration(state.left)} left")
    return "  ".join(pieces)


def duration(seconds: float) -> str:
    """A time for people: 7 s, 4:05 min, 3:20:00 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02} h"


class Plain:
    """A bar of characters."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = False

    def show(self, state: State) -> None:
        """Draw it, in place of what was there."""
        self._stream.write(_ERASE + line(state, shutil.get_terminal_size().columns))
        self._stream.flush()
        self._shown = True

    def hide(self) -> None:
        """Leave the line empty."""
        if self._shown:
            self._stream.write(_ERASE)
            self._stream.flush()
            self._shown = False


class Rich:
    """The same, by rich."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console  # type: ignore[import-not-found,unused-ignore]  # an extra
        from rich.progress import (  # type: ignore[import-not-found,unused-ignore]
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
        )

        self._bar: Any = Progress(
            BarColumn(), TaskProgressColumn(), TextColumn("{task.description}", markup=False),
            console=Console(file=stream), transient=True, auto_refresh=False, redirect_stdout=False,
            redirect_stderr=False,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=None)
        self._shown = False

    def show(self, state: State) -> None:
        """Draw it, in place of what was there."""
        if not self._shown:
            self._bar.start()
            self._shown = True
        self._bar.update(self._task, total=1, completed=state.part or 0, description=words(state))
        self._bar.refresh()

    def hide(self) -> None:
        """Leave the line empty."""
        if self._shown:
            self._bar.stop()
            self._shown = False


class Progress:
    """Counts, and has the bar drawn while nobody else prints."""

    def __init__(self, bar: Plain | Rich, clock: Callable[[], float] = time.monotonic) -> None:
        self._bar = bar
        self._clock = clock
        self._began = clock()
        self._state = State()
        self._lock = threading.Lock()
        self._paused = False
        self._over = threading.Event()

    def count(self, paths: Iterable[str]) -> None:
        """Find out how much there is to be done."""
        files = size = 0
        for found in _sizes(paths):
            if self._over.is_set():
                return
            files += 1
            size += found
        with self._lock:
            self._state = self._state._replace(all_files=files, all_size=size)

    def draw(self) -> None:
        """Show how far it is, if that is of interest yet."""
        with self._lock:
            seconds = self._clock() - self._began
            if not self._paused and not self._over.is_set() and seconds >= _PATIENCE:
                self._bar.show(self._state._replace(seconds=seconds))

    def _draw_on(self) -> None:
        while not self._over.wait(_PERIOD):
            self.draw()

    def around(self, outcomes: Iterable[Outcome], paths: list[str]) -> Iterator[Outcome]:
        """The outcomes, with the bar between them."""
        threads = [
            threading.Thread(target=self._draw_on, daemon=True),
            threading.Thread(target=self.count, args=(paths,), daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            for outcome in outcomes:
                with self._lock:
                    state = self._state
                    self._state = state._replace(files=state.files + 1, size=state.size + outcome.report.size)
                    self._paused = True
                    self._bar.hide()
                yield outcome
                with self._lock:
                    self._paused = False
        finally:
            self._over.set()
            with self._lock:
                self._bar.hide()


def _sizes(paths: Iterable[str]) -> Iterator[int]:
    """The sizes of the files that are to be scanned, as far as that can be told."""
    for path in paths:
        if not os.path.isdir(path):
            yield _size(path)
        for folder, _, names in os.walk(path):
            for name in names:
                yield _size(os.path.join(folder, name))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def with_progress(outcomes: Iterable[Outcome], paths: list[str]) -> Iterable[Outcome]:
    """The outcomes, with a bar on standard error where that is a terminal."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return outcomes
    return Progress(_bar(sys.stderr)).around(outcomes, paths)


def _bar(stream: TextIO) -> Plain | Rich:
    try:
        return Rich(stream)
    except ImportError:
        return Plain(stream)
