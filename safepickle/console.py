"""What every command of the command line shares: exit codes, and the only ways out.

Rules:

* Every character that goes out is printable or a line end: names in streams, names of files and messages of errors
  alike pass through `printable`.  Only then colours are added, and only those of `Ink`.
* Colours go to a terminal that wants them.  NO_COLOR (https://no-color.org) and FORCE_COLOR, not empty, decide
  otherwise, and `--color` decides before these.
* Where GitHub Actions reads along, no line is a command to it unless it was meant as one.
"""

from __future__ import annotations

import os
import sys
from enum import Enum
from typing import Final, TextIO

from safepickle.errors import PolicyError
from safepickle.policy import Policy, _from_text

#: Exit codes.
PASSED: Final = 0
FOUND: Final = 1
UNFINISHED: Final = 2
NOTHING: Final = 3


def read_policy(spelled: str) -> Policy | None:
    """The policy that the command line spells, or None once its errors have been said."""
    try:
        return _from_text(spelled)
    except PolicyError as error:
        refuse(error)
    except OSError as error:
        complain(f"{spelled}: {error.strerror or error}")
    return None


def refuse(error: PolicyError) -> None:
    """Say every problem of a policy."""
    for problem in error.errors:
        complain(problem)


def to_json(value: object) -> str:
    """`value` as JSON in ASCII.  `##[`, which begins a command of GitHub Actions wherever it stands, is spelled out."""
    import json  # here: only some formats need it

    return json.dumps(value).replace("##[", "##\\u005b")


class Ink(Enum):
    """What text may be printed in, as the parameter of the terminal's SGR sequence."""

    RED = "1;31"
    GREEN = "32"
    YELLOW = "33"
    DIM = "2"


Piece = str | tuple[str, Ink]
COLOURS: Final = ("auto", "always", "never")
_chosen = "auto"


def choose_colour(choice: str) -> None:
    """Say whether text is coloured, as `--color` does: auto, always or never."""
    global _chosen  # noqa: PLW0603 - a process has one terminal
    _chosen = choice


def is_coloured(stream: TextIO) -> bool:
    """Whether what is printed there is coloured."""
    if _chosen != "auto":
        return _chosen == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def say(*pieces: Piece) -> None:
    """One line to standard output; of text in pieces, some may be coloured."""
    _write(pieces, sys.stdout)


def say_command(line: str) -> None:
    """One line to standard output that is meant as a command of GitHub Actions."""
    sys.stdout.write(_encodable(printable(line), sys.stdout) + "\n")


def complain(line: str) -> None:
    """One line to standard error."""
    _write((f"safepickle: {line}",), sys.stderr)


def _write(pieces: tuple[Piece, ...], stream: TextIO) -> None:
    coloured = is_coloured(stream)
    shown = []
    for piece in pieces:
        text, ink = (piece, None) if isinstance(piece, str) else piece
        safe = _encodable(printable(text), stream)
        shown.append(f"\x1b[{ink.value}m{safe}\x1b[0m" if coloured and ink is not None and safe else safe)
    line = "".join(shown)
    stream.write((_no_command(line) if os.environ.get("GITHUB_ACTIONS") else line) + "\n")


def _no_command(line: str) -> str:
    """A line that the runner of GitHub Actions takes for text: commands begin with `::`, or have `##[` anywhere."""
    begin = len(line) - len(line.lstrip())
    if line.startswith("::", begin):
        line = f"{line[:begin]}\\x3a{line[begin + 1 :]}"
    return line.replace("##[", "##\\x5b")


def _encodable(text: str, stream: TextIO) -> str:
    encoding = stream.encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def printable(line: str) -> str:
    """`line` with whatever steers a terminal or turns the reading direction escaped, line ends included."""
    if line.isprintable():
        return line
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii") for char in line
    )
