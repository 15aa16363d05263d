"""The pickles of a source in a few bytes each: there may be a million of them, one behind the other.

Rules:

* What is read here is what was written: a `Member` is made anew each time it is asked for, and equal to the one before.
* Numbers take four bytes until one of them needs eight.
* A report holds `Members`, which nobody can change; only the scan that makes it has a `MemberLog`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, overload

__all__ = ["SIGNED", "Member", "MemberLog", "Members", "Places", "note"]

_NARROW: Final = 0xFFFF_FFFF
# Others are slices of these: to make an array anew is an event for audit hooks, which watch for what a scan runs.
_FOUR_BYTES: Final = array("I")
_EIGHT_BYTES: Final = array("Q")
SIGNED: Final = array("q")
_NUMBERS: Final = 4  # of each: start, stop, opcodes, and which of the pairs of verdict and name


class Member(NamedTuple):
    """One pickle found in the source, or in a stream of it."""

    start: int
    stop: int
    opcodes: int
    verdict: str
    name: str = ""  # of the stream of a container in which it stands; empty: the source itself


class Members(Sequence[Member]):
    """Members in the order in which they were found; equal to a tuple of them."""

    __slots__ = ("_numbers", "_words")

    def __init__(self, members: Iterable[Member] = ()) -> None:
        self._numbers = _FOUR_BYTES[:]
        self._words: dict[tuple[str, str], int] = {}  # verdict and name -> their number
        self._extend(members)

    def _extend(self, members: Iterable[Member]) -> None:
        for start, stop, opcodes, verdict, name in members:
            self._add(start, stop, opcodes, self._word(verdict, name))

    def _word(self, verdict: str, name: str) -> int:
        return self._words.setdefault((verdict, name), len(self._words))

    def _add(self, start: int, stop: int, opcodes: int, word: int) -> None:
        if max(start, stop, opcodes) > _NARROW and self._numbers.typecode == "I":
            self._widen()
        self._numbers.extend((start, stop, opcodes, word))

    def _widen(self) -> None:
        wide = _EIGHT_BYTES[:]
        wide.extend(iter(self._numbers))
        self._numbers = wide

    def __len__(self) -> int:
        return len(self._numbers) // _NUMBERS

    @overload
    def __getitem__(self, index: int) -> Member: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Member]: ...
    def __getitem__(self, index: int | slice) -> Member | Sequence[Member]:
        places = range(len(self))[index]
        if isinstance(places, range):
            return Members(self._read(places))
        return next(self._read((places,)))

    def __iter__(self) -> Iterator[Member]:
        return self._read(range(len(self)))

    def _read(self, places: Iterable[int]) -> Iterator[Member]:
        words = list(self._words)
        numbers = self._numbers
        for place in places:
            start, stop, opcodes, pair = numbers[_NUMBERS * place : _NUMBERS * place + _NUMBERS]
            yield Member(start, stop, opcodes, *words[pair])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Members, tuple)):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{len(self):,} members>" if len(self) > 10 else repr(tuple(self))


class MemberLog(Members):
    """Members while they are being found."""

    __slots__ = ()

    def append(self, member: Member) -> None:
        """Add one."""
        self._extend((member,))

    def extend(self, members: Iterable[Member]) -> None:
        """Add some."""
        self._extend(members)

    def noting(self, verdict: str, name: str, most: int) -> tuple[Any, int]:
        """For very many of this verdict and name: what `note` adds them to, and a number for these words.

        No start, no stop and no number of opcodes may be above `most`.
        """
        if most > _NARROW and self._numbers.typecode == "I":
            self._widen()
        return self._numbers, self._word(verdict, name)

    def starts(self, first: int) -> Sequence[int]:
        """Where those from the first so many on begin."""
        return self._numbers[_NUMBERS * first :: _NUMBERS]

    def cut(self, length: int) -> None:
        """Forget those behind the first so many."""
        del self._numbers[_NUMBERS * length :]

    def closed(self) -> Members:
        """What there is, for a report; this log is not to be used any more."""
        made = Members()
        made._numbers, made._words = self._numbers, self._words  # noqa: SLF001 - the same class but for what may change
        return made


def note(numbers: Any, start: int, stop: int, opcodes: int, word: int) -> None:
    """Add a member to the numbers of a log, see `MemberLog.noting`.  Compiled, `_members.pxd` does."""
    numbers.extend((start, stop, opcodes, word))


class Places:
    """Places of a source, of which most come in ascending order."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places = _EIGHT_BYTES[:]

    def add(self, place: int) -> None:
        """Add one, if it is not there."""
        places = self._places
        if not places or place > places[-1]:
            places.append(place)
        elif place not in self:
            places.insert(bisect_left(places, place), place)

    def follow(self, places: Sequence[int]) -> None:
        """Add very many, which come in ascending order."""
        if not self._places or not places or places[0] > self._places[-1]:
            self._places.extend(iter(places))
        else:
            for place in places:
                self.add(place)

    def __contains__(self, place: int) -> bool:
        at = bisect_left(self._places, place)
        return at < len(self._places) and self._places[at] == place
