"""What every command of the command line shares: exit codes, and the only ways out.

Every character that goes out is printable or a line end: names in streams, names of files and messages of errors alike
pass through `printable`.
"""

from __future__ import annotations

import sys
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
    """`value` as JSON in ASCII."""
    import json  # here: only some formats need it

    return json.dumps(value)


def say(line: str) -> None:
    """One line to standard output."""
    _write(line, sys.stdout)


def complain(line: str) -> None:
    """One line to standard error."""
    _write(f"safepickle: {line}", sys.stderr)


def _write(line: str, stream: TextIO) -> None:
    shown = printable(line)
    encoding = stream.encoding or "ascii"
    stream.write(shown.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def printable(line: str) -> str:
    """`line` with whatever steers a terminal or turns the reading direction escaped, line ends included."""
    if line.isprintable():
        return line
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii") for char in line
    )
