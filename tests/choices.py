"""Where the generators' choices come from: bytes, which hypothesis draws, a fuzzer makes up, or a file has kept.

A generator (`programs`, `objects`, `documents`) asks `Choices` and knows nothing of who made the bytes, so a test and a
fuzzer make the same things, and an input that a fuzzer found is replayed without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

_Item = TypeVar("_Item")

#: As many bytes as the largest things that are made take.
ENOUGH: Final = 300


class Choices:
    """Answers the questions of a generator.  Each takes a byte or two; past the end of the bytes everything is 0.

    The answer 0 and the empty answer are the simple ones, so that what makes bytes smaller makes simpler things.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._pos = 0

    def below(self, count: int) -> int:
        """A number from 0 up to, and not including, `count`: one byte, or two where more than 256 are possible."""
        size = 1 if count <= 256 else 2
        taken = self._data[self._pos : self._pos + size]
        self._pos += size
        return int.from_bytes(taken, "little") % count

    def chunk(self, most: int) -> bytes:
        """Up to `most` arbitrary bytes: their number, and the bytes."""
        size = self.below(most + 1)
        taken = self._data[self._pos : self._pos + size]
        self._pos += size
        return taken

    def more(self) -> bool:
        """Whether there is anything left to choose from."""
        return self._pos < len(self._data)


SMALL_AND_EDGES: Final = (
    0, 1, 2, 10, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32, 2**63, 2**64, 2**70, 2**2040,
)  # fmt: skip


def one_of(choices: Choices, options: Sequence[_Item]) -> _Item:
    """One of the options."""
    return options[choices.below(len(options))]


def chance(choices: Choices, parts: int, of: int) -> bool:
    """True in `parts` of `of` cases; never for 0 parts, and without a choice being made then."""
    return parts > 0 and choices.below(of) >= of - parts


#: Bytes of a payload from which on it stands outside of frames, and is read from a file into its own object.
LARGE: Final = 64 * 1024


def integer(choices: Choices) -> int:
    """An integer: small, or beside one of the sizes at which the format changes its layout."""
    edge = one_of(choices, SMALL_AND_EDGES)
    number = edge + choices.below(3) - 1
    return -number if choices.below(4) == 3 else number


def floating(choices: Choices) -> float:
    """A float, the unusual ones among them."""
    return one_of(choices, FLOATS)


FLOATS: Final = (
    0.0, 1.5, -1.0, -0.0, 0.1, 1e300, -1e-300, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf"),
    float("nan"), 1e16, 123456789.125,
)  # fmt: skip

TEXTS: Final = (
    "", "a", "x", "note", "arguments", "\xdf", "\u20ac", "\U0001f600", "\ud800", "a\nb", "a\\u0041", "\0", "\x1a\r",
    "'\"", "latin1", "1", "x" * 255, "y" * 256, "\xe9" * 200,
)  # fmt: skip


def text(choices: Choices) -> str:
    """A text: one of those that matter to an encoding, or arbitrary characters, and rarely a large one."""
    if chance(choices, 1, 64):
        return "\xe9" * (LARGE // 2 + choices.below(3) - 1)
    number = choices.below(len(TEXTS) + 4)
    return TEXTS[number] if number < len(TEXTS) else choices.chunk(12).decode("latin-1")


def octets(choices: Choices) -> bytes:
    """Bytes: a few arbitrary ones, or a length at which the layout changes, and rarely a large one."""
    if chance(choices, 1, 64):
        return bytes(LARGE + choices.below(3) - 1)
    size = one_of(choices, (0, 1, 2, 255, 256, 300))
    return choices.chunk(8) if size < 3 else bytes(size)
