"""Objects to pickle: built-in values, nested, shared and recursive; instances of all shapes; the standard library's.

Objects are made one after the other and put into a pool, from which containers and instances take what they hold: so
two may hold the same one.  At the end some are put into others made before them, which makes cycles.  It asks `Choices`
and knows nothing of who answers, nor of the package.
"""

from __future__ import annotations

import array
import collections
import datetime as dt
import decimal
import fractions
import functools
import ipaddress
import operator
import pathlib
import types
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests import victims
from tests.choices import LARGE, Choices, chance, floating, integer, octets, one_of, text

_MOST: Final = 24  # parts of an object
_BATCH: Final = 1000  # items that one opcode adds at most
_REACH: Final = 6  # how far back in the pool is looked mostly


def an_object(choices: Choices, most: int = _MOST) -> Any:
    """One object, with whatever it is made of: up to `most` parts, each of which may be in several others."""
    return _Pool(choices).result(most)


class _Pool:
    """The objects made so far."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.made: list[Any] = []

    def result(self, most: int) -> Any:
        for _ in range(1 + self.choices.below(most)):
            self.made.append(one_of(self.choices, _MAKERS)(self))
            if not self.choices.more():
                break
        for _ in range(self.choices.below(4)):
            _link(one_of(self.choices, self.made), self.pick())
        return self.made[-1] if chance(self.choices, 1, 2) else list(self.made)

    def pick(self) -> Any:
        """An object made before, a recent one mostly; None where there is none."""
        if not self.made:
            return None
        far = chance(self.choices, 1, 4)
        return self.made[-1 - self.choices.below(len(self.made) if far else min(_REACH, len(self.made)))]

    def some(self, most: int = 4) -> list[Any]:
        """A few objects made before."""
        return [self.pick() for _ in range(self.choices.below(most))]

    def keys(self) -> list[Any]:
        """A few values that can be keys, some of them made before."""
        found = []
        for item in self.some():
            try:
                hash(item)
                found.append(item)
            except TypeError:
                found.append(text(self.choices))
        return found


def _link(holder: Any, item: Any) -> None:
    """Put an object into one that exists already."""
    if type(holder) is list or isinstance(holder, (victims.ListBag, collections.deque)):
        holder.append(item)
    elif type(holder) is dict or isinstance(holder, (victims.DictBag, collections.OrderedDict)):
        holder["link"] = item
    elif isinstance(holder, (victims.Plain, types.SimpleNamespace)):
        holder.link = item


# --- Values ----------------------------------------------------------------------------------------------------------
def _scalar(pool: _Pool) -> Any:
    choices = pool.choices
    kind = choices.below(7)
    if kind == 0:
        return one_of(choices, (None, True, False, ..., NotImplemented))
    if kind == 1:
        return integer(choices)
    if kind == 2:
        return floating(choices)
    if kind == 3:
        return text(choices)
    if kind == 4:
        return octets(choices)
    if kind == 5:
        return complex(floating(choices), floating(choices))
    return one_of(choices, (range(3), range(0, -5, -2), slice(1, None, 2), type(None), type(...), int, list))


def _large(pool: _Pool) -> Any:
    """A payload about as long as a frame, or a container of more items than a batch has."""
    size = LARGE + pool.choices.below(3) - 1
    kind = pool.choices.below(6)
    item = pool.pick()
    many = _BATCH + pool.choices.below(3) - 1
    return (
        bytes(size), "x" * size, bytearray(size), [item] * many, dict.fromkeys(range(many), item), set(range(many))
    )[kind]  # fmt: skip


def _containers() -> Iterator[Callable[[_Pool], Any]]:
    yield lambda pool: pool.some(6)
    yield lambda pool: tuple(pool.some(6))
    yield lambda pool: dict(zip(pool.keys(), pool.some(), strict=False))
    yield lambda pool: set(pool.keys())
    yield lambda pool: frozenset(pool.keys())
    yield lambda pool: bytearray(octets(pool.choices))
    yield lambda pool: [pool.pick()] * 2


# --- Instances -------------------------------------------------------------------------------------------------------
def _plain(pool: _Pool) -> Any:
    made = victims.Plain(*pool.some(3))
    if chance(pool.choices, 1, 2):
        setattr(made, one_of(pool.choices, ("note", "x", "arguments")), pool.pick())
    return made


def _slotted(pool: _Pool) -> Any:
    made = victims.Slotted()
    made.a = pool.pick()  # type: ignore[assignment]  # declared by its first value
    return made


def _slotted_with_dict(pool: _Pool) -> Any:
    made = victims.SlottedWithDict()
    made.a = pool.pick()
    made.note = pool.pick()
    return made


def _bag(pool: _Pool) -> Any:
    made: Any = one_of(pool.choices, (victims.ListBag, victims.SetBag))(pool.keys())
    if chance(pool.choices, 1, 2):
        made.note = pool.pick()
    return made


def _without_init(pool: _Pool) -> Any:
    cls = one_of(pool.choices, (victims.WithSetState, victims.Adopting, victims.Plain.Nested))
    made: Any = cls.__new__(cls)
    if chance(pool.choices, 1, 2):
        made.__dict__["state"] = pool.pick()
    return made


_INSTANCES: Final[tuple[Callable[[_Pool], Any], ...]] = (
    _plain, _slotted, _slotted_with_dict, _bag, _without_init,
    lambda pool: victims.DictBag(zip(pool.keys(), pool.some(), strict=False)),
    lambda pool: victims.TextBag(text(pool.choices)),
    lambda pool: victims.Pair(pool.pick(), pool.pick()),
    lambda pool: victims.Frozen(pool.pick(), pool.pick()),
    lambda pool: one_of(pool.choices, (*victims.Colour, *victims.Level, victims.Level(3))),
    lambda pool: one_of(pool.choices, (victims.Plain, victims.Plain.Nested, victims.harmless, victims.Plain.make, len)),
    lambda pool: victims.Plain().method,
    lambda pool: pool.some().append,
)  # fmt: skip

# --- The standard library's ------------------------------------------------------------------------------------------
_DAY: Final = dt.datetime(2024, 2, 29, 23, 59, 59, 999_999, fold=1)  # noqa: DTZ001 - one without a zone is wanted
_STDLIB: Final[tuple[Callable[[_Pool], Any], ...]] = (
    lambda pool: one_of(pool.choices, (_DAY, _DAY.date(), _DAY.time(), _DAY.replace(tzinfo=dt.UTC))),
    lambda pool: dt.timedelta(pool.choices.below(999), pool.choices.below(999), pool.choices.below(999)),
    lambda pool: decimal.Decimal(one_of(pool.choices, ("0", "-0.10", "1E+9", "NaN", "-Infinity"))),
    lambda pool: fractions.Fraction(integer(pool.choices), 1 + pool.choices.below(99)),
    lambda pool: uuid.UUID(int=pool.choices.below(999)),
    lambda pool: collections.OrderedDict(zip(pool.keys(), pool.some(), strict=False)),
    lambda pool: collections.defaultdict(list, zip(pool.keys(), pool.some(), strict=False)),
    lambda pool: collections.deque(pool.some(), one_of(pool.choices, (None, 0, 2))),
    lambda pool: collections.Counter("abca"),
    lambda pool: array.array(one_of(pool.choices, "bHiqd"), (1, 2, 3)),
    lambda pool: pathlib.PurePosixPath("a", "b.c"),
    lambda pool: ipaddress.ip_address(one_of(pool.choices, ("127.0.0.1", "::1"))),
    lambda pool: types.SimpleNamespace(note=pool.pick()),
    lambda pool: one_of(pool.choices, (ValueError, KeyError, OSError, UserWarning))(*pool.some(3)),
    lambda pool: functools.partial(victims.harmless, *pool.some(3), note=pool.pick()),
    lambda pool: operator.itemgetter(1, "a"),
)  # fmt: skip

_MAKERS: Final[tuple[Callable[[_Pool], Any], ...]] = (
    _scalar, _scalar, *_containers(), *_containers(), *_INSTANCES, *_STDLIB, _large,
)  # fmt: skip
