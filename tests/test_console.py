"""What goes out: colours where they are wanted, and nothing else that steers a terminal."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import pytest

from safepickle import console
from safepickle.cli import main
from safepickle.console import Ink, say, to_json

GADGET = b"cos\nsystem\n(S'true'\ntR."


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def variables(monkeypatch):
    for variable in ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(console, "_chosen", "auto")


@pytest.fixture
def terminal(variables, monkeypatch):
    """A terminal in place of standard output, once the test asks for what it shows."""
    return Terminal()


@pytest.mark.parametrize(
    ("choice", "named", "is_terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": ""}, False, False),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colours_are_for_terminals_unless_somebody_says_otherwise(
    terminal, monkeypatch, choice, named, is_terminal, expected
):
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Terminal, "isatty", lambda _: is_terminal)
    console.choose_colour(choice)
    with redirect_stdout(terminal):
        say("a ", ("b", Ink.RED))
    assert terminal.getvalue() == ("a \x1b[1;31mb\x1b[0m\n" if expected else "a b\n")


def test_text_in_colour_is_escaped_before_it_is_coloured(terminal):
    console.choose_colour("always")
    with redirect_stdout(terminal):
        say(("\x1b[32m\u202ex\n", Ink.RED))
    assert terminal.getvalue() == "\x1b[1;31m\\x1b[32m\\u202ex\\n\x1b[0m\n"


def test_nothing_is_coloured_where_there_is_nothing(terminal):
    console.choose_colour("always")
    with redirect_stdout(terminal):
        say("a", ("", Ink.RED))
    assert terminal.getvalue() == "a\n"


@pytest.mark.parametrize("form", ["json", "jsonl", "sarif", "github", "html"])
def test_formats_for_programs_are_never_coloured(terminal, tmp_path, form):
    (tmp_path / "x.pkl").write_bytes(GADGET)
    with redirect_stdout(terminal):
        main(["scan", "--color", "always", "--format", form, str(tmp_path)])
    assert terminal.getvalue()
    assert "\x1b" not in terminal.getvalue()


def test_a_scan_says_its_verdicts_in_colour(terminal, tmp_path):
    (tmp_path / "x.pkl").write_bytes(GADGET)
    (tmp_path / "y.pkl").write_bytes(b"N.")
    with redirect_stdout(terminal):
        main(["scan", str(tmp_path)])
    assert "\x1b[1;31mforbidden\x1b[0m" in terminal.getvalue()
    assert "\x1b[32mpass\x1b[0m" in terminal.getvalue()
    assert "\x1b[1;31mdangerous, " in terminal.getvalue()


def test_a_line_is_no_command_to_a_runner_only_where_one_reads(terminal, monkeypatch):
    with redirect_stdout(terminal):
        say(" ::error::x ##[y]")
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        say(" ::error::x ##[y]")
        say("a::b")
    assert terminal.getvalue().splitlines() == [" ::error::x ##[y]", " \\x3a:error::x ##\\x5by]", "a::b"]


def test_json_spells_out_what_begins_a_command_anywhere():
    assert to_json(["##[x]"]) == '["##\\u005bx]"]'
