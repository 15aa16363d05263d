"""One stream, every reader: this package's, with an application around it, and C `_pickle` to compare with.

Rules this module rests on:

* `_pickle` runs what it is given, so it is shown only streams whose every name is harmless (`programs.find_harmless`),
  and none that this package refused for what it would cost.
* `STRICTER` is the one table of what C `_pickle` accepts and this package refuses as malformed.  A refusal that no row
  explains is a difference, and a row that explains nothing fails a test.
"""

from __future__ import annotations

import _pickle
import contextlib
import io
import itertools
import re
import warnings
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import safepickle
from tests import application, programs, victims
from tests.same import difference


class Stricter(NamedTuple):
    """Something that C `_pickle` reads and this package refuses as malformed, whatever the policy."""

    refusal: str  # a regular expression that the refusal's text matches
    shown_by: tuple[bytes, ...]
    why: str


STRICTER: Final = (
    Stricter(
        "^not a decimal integer: ",
        (b"I0x1\n.", b"I1_0\n.", b"I 1\n.", b"I+1\n.", b"I1\x00\n.", b"I-0\n.", b"L0x1L\n.", b"L 1L\n.", b"L1\x00L\n."),
        "the three readers of CPython give different numbers, or some none",
    ),
    Stricter("^a decimal integer with leading zeros: ", (b"I07\n.", b"L00L\n."), "octal, decimal or an error"),
    Stricter(
        "^not a float: ", (b"F+1.0\n.", b"F.5\n.", b"F1.\n.", b"Finfinity\n.", b"FNaN\n."), "repr writes none of these"
    ),
    Stricter("^not a memo index: ", (b"Np1 \n.", b"Np+1\n."), "nobody writes it, and readers disagree on it"),
    Stricter(
        "^beginning of a new frame before end of current frame$",
        (b"\x95\x0b\0\0\0\0\0\0\0\x95\x02\0\0\0\0\0\0\0N.",),
        "a frame is a promise of where opcodes end",
    ),
    Stricter("^STOP before the end of its frame$", (b"\x95\x03\0\0\0\0\0\0\0N..",), "likewise"),
    Stricter("^pickle exhausted before end of frame$", (b"\x95\x01\0\0\0\0\0\0\0K\x01.",), "likewise"),
    Stricter("^pickle data was truncated$", (), "of a frame: what C `_pickle` reads past its end may be there or not"),
    Stricter(
        "^(SETITEM|SETITEMS) on a (list|bytearray), which needs a dict$",
        (b"]Na(K\x00Nu.", b"]NaK\x00Ns.", b"\x96\x01\0\0\0\0\0\0\0aK\x00K\x01s."),
        "nothing writes a list's items as a dict's",
    ),
    Stricter(
        "^(APPEND|APPENDS) on a bytearray, which needs a list$", (b"\x96\0\0\0\0\0\0\0\0K\x01a.",), "likewise"
    ),
    Stricter(
        "^(SETITEM|SETITEMS|APPEND|APPENDS|ADDITEMS) on a [a-z]+, which needs a [a-z]+$",
        (b"N(u.", b"N(e.", b"N(\x90."),
        "nothing is done where there are no items, so nothing fails",
    ),
    Stricter("^BUILD on a [a-z]+$", (b"NNb.", b"]N}\x86b."), "a literal takes no state, not even an empty one"),
)


class NotHarmlessError(Exception):
    """The stream names something that a reader without a policy is not asked for."""


class Outcome(NamedTuple):
    """What a reader made of a stream: a value, or what it raised, and what of the application it ran."""

    value: Any
    error: BaseException | None
    ran: tuple[str, ...] = ()


def policy() -> safepickle.Policy:
    """The policy that the programs are made for."""
    return safepickle.Policy.from_yaml(programs.POLICY)


def persistent_load(_persistent_id: object) -> object:
    """An object of the application's."""
    return victims.INSTANCE


def buffers() -> Iterator[Any]:
    """Out-of-band buffers without an end, every other one read-only."""
    return itertools.cycle((bytearray(b"the application's"), b"read-only"))


class Ours(safepickle.Unpickler):
    """This package's reader, in an application."""

    def persistent_load(self, pid: Any) -> Any:
        """An object of the application's."""
        return persistent_load(pid)


class Theirs(_pickle.Unpickler):
    """C `_pickle`, in the same application."""

    def persistent_load(self, pid: Any) -> Any:
        """An object of the application's."""
        return persistent_load(pid)

    def find_class(self, module: str, name: str) -> Any:
        """A harmless name, as it is spelled or as Python 3 spells it."""
        mapped = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        if not programs.find_harmless(module, name) and not programs.find_harmless(*mapped):
            raise NotHarmlessError(module, name)
        return super().find_class(module, name)


@contextlib.contextmanager
def prepared() -> Iterator[None]:
    """The application as it is around every read: extensions are registered, and nothing has run."""
    victims.RAN.clear()
    with application.prepared("extensions"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    victims.RAN.clear()


def ours(data: bytes, rules: safepickle.Policy, encoding: str = "latin-1") -> Outcome:
    """What this package makes of a stream; only `pickle.UnpicklingError` is expected."""
    already = len(victims.RAN)
    try:
        value = Ours(io.BytesIO(data), policy=rules, encoding=encoding, buffers=buffers()).load()
    except safepickle.UnpicklingError as error:
        return Outcome(None, error, tuple(victims.RAN[already:]))
    return Outcome(value, None, tuple(victims.RAN[already:]))


def theirs(data: bytes, encoding: str = "latin-1") -> Outcome:
    """What C `_pickle` makes of a stream.  Raises NotHarmlessError where it was not asked."""
    already = len(victims.RAN)
    try:
        value = Theirs(io.BytesIO(data), encoding=encoding, buffers=buffers()).load()
    except NotHarmlessError:
        raise
    except Exception as error:  # noqa: BLE001 - it raises whatever is raised underneath
        return Outcome(None, error, tuple(victims.RAN[already:]))
    return Outcome(value, None, tuple(victims.RAN[already:]))


def unlike(mine: Outcome, other: Outcome) -> str:
    """How an accepted stream is read differently by C `_pickle`, or nothing."""
    if other.error is not None:
        return f"C _pickle refuses it: {other.error!r}"
    if mine.ran != other.ran:
        return f"this package ran {mine.ran}, C _pickle {other.ran}"
    return difference(mine.value, other.value)


def stricter(error: BaseException | None) -> str:
    """The row of `STRICTER` that explains a refusal, or nothing."""
    if not isinstance(error, safepickle.MalformedStream):
        return ""
    return next((row.refusal for row in STRICTER if re.search(row.refusal, str(error))), "")
