"""The bar: shown on a terminal for long work, gone before anything else is printed, and plain without rich."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from safepickle import progress
from safepickle.cli import main
from safepickle.formats import Outcome
from safepickle.progress import Plain, Progress, State, duration, line, with_progress
from safepickle.scanner import scan

OUTCOME = Outcome(scan(b"N."), 0)


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_the_line_says_how_far_it_is_how_fast_and_how_long_it_will_take():
    state = State(files=1200, size=50_000_000, all_files=4000, all_size=200_000_000, seconds=10.0)
    assert line(state, 200) == f"[{'#' * 6}{'-' * 18}]  25%  1,200 of 4,000 files  5.0 MB/s  30 s left"


def test_the_line_says_less_while_less_is_known():
    assert line(State(files=3, size=10, seconds=0.0), 200) == "3 files"
    assert line(State(files=3, size=0, seconds=2.0), 200) == "3 files  0.0 MB/s"
    assert "50%" in line(State(files=1, all_files=2, all_size=0, seconds=2.0), 200)


def test_the_line_fits_the_terminal_and_has_no_end():
    state = State(files=1200, size=50_000_000, all_files=4000, all_size=200_000_000, seconds=10.0)
    assert len(line(state, 40)) == 39
    assert line(state, 0) == ""


def test_more_than_everything_is_everything():
    assert "100%" in line(State(files=9, size=90, all_files=3, all_size=30, seconds=1.0), 200)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (7.4, "7 s"), (59.4, "59 s"), (245, "4:05 min"), (12_000, "3:20:00 h")]
)
def test_times_are_for_people(seconds, said):
    assert duration(seconds) == said


def test_work_of_less_than_a_second_shows_nothing():
    clock, stream = Clock(), Terminal()
    bar = Progress(Plain(stream), clock)
    clock.now = 0.9
    bar.draw()
    assert stream.getvalue() == ""
    clock.now = 1.1
    bar.draw()
    assert "0 files" in stream.getvalue()


def test_the_bar_is_gone_while_others_print_and_at_the_end():
    clock, stream = Clock(), Terminal()
    bar = Progress(Plain(stream), clock)
    clock.now = 5.0

    def coming():
        bar.draw()
        yield OUTCOME
        bar.draw()
        yield OUTCOME

    for number, _ in enumerate(bar.around(coming(), []), 1):
        assert stream.getvalue().endswith("\r\x1b[K"), "its line is empty"
        bar.draw()  # as its thread may at any time
        assert stream.getvalue().endswith("\r\x1b[K"), "and stays so"
        assert stream.getvalue().count("files") == number
    assert stream.getvalue().endswith("\r\x1b[K")
    bar.draw()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_files_and_bytes_that_are_to_be_done_are_counted(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.pkl").write_bytes(b"x" * 100)
    clock, stream = Clock(), Terminal()
    bar = Progress(Plain(stream), clock)
    bar.count([str(tmp_path), str(tmp_path / "0.pkl"), "/missing"])
    clock.now = 2.0
    bar.draw()
    assert "0 of 5 files" in stream.getvalue()


def test_its_threads_end_with_it():
    before = threading.active_count()
    bar = Progress(Plain(Terminal()))
    for _ in bar.around(iter([OUTCOME]), []):
        pass
    for thread in threading.enumerate():
        if thread.daemon:
            thread.join(5)
    assert threading.active_count() <= before


def test_where_there_is_no_terminal_there_is_no_bar(monkeypatch):
    outcomes = [OUTCOME]
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert with_progress(outcomes, []) is outcomes
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert with_progress(outcomes, []) is outcomes
    monkeypatch.setenv("TERM", "xterm")
    assert with_progress(outcomes, []) is not outcomes


def test_no_name_of_a_file_and_no_line_of_it_is_in_what_is_printed(tmp_path, monkeypatch, capsys):
    (tmp_path / "secret-name.pkl").write_bytes(b"N.")
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    monkeypatch.setattr(progress, "_PERIOD", 0.001)
    assert main(["scan", str(tmp_path)]) == 0
    assert "secret" not in stream.getvalue()
    assert capsys.readouterr().out.splitlines()[-1] == "1 file: 1 pass"


def test_without_rich_the_bar_is_plain(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    assert isinstance(progress._bar(Terminal()), Plain)


def test_with_rich_it_is_rich_that_draws_and_takes_it_away(monkeypatch):
    pytest.importorskip("rich", reason="rich, an extra, is not installed")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    bar = progress._bar(stream)
    assert isinstance(bar, progress.Rich)
    bar.show(State(files=1, size=50, all_files=4, all_size=200, seconds=10.0))
    assert "1 of 4 files" in stream.getvalue()
    assert "25%" in stream.getvalue()
    assert "left" in stream.getvalue()
    out = sys.stdout
    bar.hide()
    assert sys.stdout is out
    bar.show(State(files=2))
    bar.hide()
    assert stream.getvalue().rstrip().endswith(("\x1b[2K", "\x1b[?25h"))
