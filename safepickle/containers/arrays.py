"""NumPy's array files, and how many bytes an array takes by what describes it.

Rules:

* A header is read as the literal it is, and nothing in it is evaluated.
* The bytes of an array are data, and are not read.  An array of objects has a pickle in their place.
* A type that is not understood makes nothing of the rest: it is looked into.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from safepickle.containers.source import ANY, DATA, PICKLE, Broken, Budget, Claim, Found, Problem, Slice, Source, Stream

__all__ = ["MAGIC", "ItemType", "item_type", "open_npy"]

MAGIC: Final = b"\x93NUMPY"
#: NumPy itself refuses to read headers longer than 10,000 characters unless told to trust them.
_LONGEST_HEADER: Final = 64 * 1024
_SIZES: Final = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "l": 8, "L": 8, "q": 8, "Q": 8, "p": 8,
                 "P": 8, "e": 2, "f": 4, "d": 8, "F": 8, "D": 16, "c": 1}  # fmt: skip
_DEEPEST: Final = 16
_MOST_BRACKETS: Final = 5000


class ItemType(NamedTuple):
    """What one item of an array takes."""

    size: int
    objects: bool  # whether there are Python objects in it


def item_type(described: Any, depth: int = 0) -> ItemType | None:
    """The item type that a description as NumPy writes it stands for; None where that is not understood."""
    if depth > _DEEPEST:
        return None
    if isinstance(described, str):
        return _simple(described)
    if isinstance(described, tuple) and len(described) == 2:
        inner = item_type(described[0], depth + 1)
        count = _product(described[1] if isinstance(described[1], tuple) else (described[1],))
        return None if inner is None or count is None else ItemType(inner.size * count, inner.objects)
    if not isinstance(described, list):
        return None
    total, objects = 0, False
    for field in described:
        if not isinstance(field, tuple) or len(field) not in (2, 3):
            return None
        inner = item_type(field[1] if len(field) == 2 else (field[1], field[2]), depth + 1)
        if inner is None:
            return None
        total, objects = total + inner.size, objects or inner.objects
    return ItemType(total, objects)


def _simple(text: str) -> ItemType | None:
    code = text.lstrip("<>=|")
    if text[:1] in "<>=|" and len(text) - len(code) > 1:
        return None
    letter, digits = code[:1], code[1:].partition("[")[0]
    if letter == "O":
        return ItemType(8, objects=True)
    if not digits:
        return ItemType(_SIZES[letter], objects=False) if letter in _SIZES else None
    if not (digits.isascii() and digits.isdigit() and len(digits) < 12):
        return None
    size = int(digits)
    if letter in "biufcSaVmM":
        return ItemType(8 if letter in "mM" else size, objects=False)
    return ItemType(4 * size, objects=False) if letter == "U" else None


def _product(shape: Any) -> int | None:
    total = 1
    for length in shape:
        if type(length) is not int or not 0 <= length < 1 << 62:
            return None
        total = min(total * length, 1 << 62)
    return total


def array_size(described: ItemType, shape: Any) -> int | None:
    """The bytes of an array, or None where the shape is none."""
    count = _product(shape) if isinstance(shape, tuple) else None
    return None if count is None else min(count * described.size, 1 << 62)


def open_npy(source: Source, budget: Budget) -> Iterator[Found]:
    """The pickle in an array file of objects; data otherwise.  Raises Broken for a header that is none."""
    budget.member()
    version = source.read(len(MAGIC), 2)
    wide = version[:1] != b"\1"
    if len(version) < 2 or version[0] not in (1, 2, 3):
        raise Broken("npy: an unknown version")
    start = len(MAGIC) + (6 if wide else 4)
    length = int.from_bytes(source.read(len(MAGIC) + 2, 4 if wide else 2), "little")
    if length > _LONGEST_HEADER:
        raise Broken("npy: the header is too long to be one")
    header = _header(source.read(start, length))
    start += length
    if start > source.size and not source.has(start):
        raise Broken("npy: the header breaks off")
    yield Claim(0, start)
    described = item_type(header.get("descr"))
    size = None if described is None else array_size(described, header.get("shape"))
    if described is None or size is None:
        yield Problem("container", "npy: the type or the shape is not understood", len(MAGIC))
        yield Stream("array", Slice(source, start, source.size), start, source.size, ANY)
    elif described.objects:
        yield Stream("objects", Slice(source, start, source.size), start, source.size, PICKLE)
    else:
        if not source.has(start + size):
            yield Problem("container", "npy: the array breaks off", start)
        yield Stream("array", Slice(source, start, start + size), start, min(start + size, source.size), DATA)


def _header(raw: bytes) -> dict[str, Any]:
    """The dict that a header is: text, numbers and names of constants in brackets, nothing else."""
    import ast
    import re

    text = raw.decode("latin-1").strip()
    # What else a literal may be written as only gives a parser work: escapes, warnings, brackets without end.
    usual = r"""(?:'[^'\\\n]*'|"[^"\\\n]*"|\b(?:[0-9]{1,18}L?|True|False|None)\b|[][(){},:\s])*"""
    if not re.fullmatch(usual, text) or sum(map(text.count, "([{")) > _MOST_BRACKETS:
        raise Broken("npy: the header is not one that NumPy writes")
    try:
        header = ast.literal_eval(re.sub(r"(?<=[0-9])L(?=[,)])", "", text))  # Python 2 wrote long integers as 5L
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise Broken("npy: the header is no dict")
    return {key: value for key, value in header.items() if isinstance(key, str)}
