"""What C code takes on trust when it is given a state, judged before it is given one: numpy's, and Pillow's.

numpy believes a state about memory: how long an item is, where its fields stand, whether it holds pointers to objects.
A state that lies about any of it makes numpy read or write where nothing of its own is: bytes become object pointers, a
field stands beyond its item, a list is shorter than its array.  Patterns say what kinds of values there are; whether
sizes add up takes arithmetic, and that is here.  `state: {memory: dtype}` and its like ask for it.

Pillow makes room for as many pixels as a state says before it looks at the data: `image` is a state whose data fill it.

Rules:

* Everything is decided on what the stream itself spells out, all of it; what is not spelled out is refused.
* A dtype counts from its own BUILD on, which comes once: an array or a field that names one has to come after it.
* A dtype is what its text says ('f8', 'O8', 'V16') and its state must agree, flags too: they say what is a pointer.
* What holds pointers overlaps nothing.  Numbers may overlap numbers: such a dtype is a union.
* Work is linear in the stream: what a state says about fields is worked out once, however often it is given.
"""

from __future__ import annotations

from itertools import pairwise

from safepickle import symbols as sym
from safepickle.hints import Final, NamedTuple
from safepickle.matching import Matcher
from safepickle.symbols import Heap, Made

_VARIABLE_TEXT: Final = "numpy._core._internal._convert_to_stringdtype_kwargs"  # what a dtype of such texts is made by
_ORDERS: Final = frozenset("<>|=")
_UNITS: Final = frozenset({"generic", "Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"})
_FLEXIBLE: Final = frozenset("SUV")
_TIMES: Final = frozenset("Mm")
_ALIGNMENTS: Final = frozenset({1, 2, 4, 8, 16, 32, 64})
_MOST_DIMENSIONS: Final = 64
_LONGEST_ITEM: Final = 2**31 - 1  # numpy's own bound of an item
_MOST_BYTES: Final = 2**63 - 1
# Items without a byte cost nothing to store, and a loop over them no less for it.  No science went into this number.
_MOST_EMPTY_ITEMS: Final = 2**16
_POINTER: Final = 8  # numpy reads O4 as O8 where pointers have 8 bytes; where they have 4, this is on the safe side

# Bits of a pixel in the data of an image, by mode, and the lines that an image without a pixel may have all the same:
# Pillow keeps a pointer for each.  No science went into this number.
_PIXEL: Final = {
    "1": 1, "L": 8, "P": 8, "LA": 16, "La": 16, "PA": 16, "I;16": 16, "I;16L": 16, "I;16B": 16, "I;16N": 16,
    "RGB": 24, "YCbCr": 24, "LAB": 24, "HSV": 24, "RGBA": 32, "RGBX": 32, "RGBa": 32, "CMYK": 32, "I": 32, "F": 32,
}  # fmt: skip
_MOST_EMPTY_LINES: Final = 2**16
_LONGEST_PALETTE: Final = 4 * 256
_BESIDE_AN_IMAGE: Final = frozenset({"none", "str", "bytes", "int", "list"})  # the file's name; a JPEG's layers

# numpy's flags of a dtype: reference-counted, pickled as a list, a pointer, to be initialised, needs the interpreter.
_ALIGNED: Final = 0x80
_OF_OBJECT: Final = 0x3F
_WITH_OBJECTS: Final = frozenset({0x1B, 0x3F})
_WITHOUT_OBJECTS: Final = frozenset({0x00, 0x08, 0x10, 0x18})


class Item(NamedTuple):
    """What a dtype says of memory: bytes of an item, and whether there are pointers in it."""

    size: int
    has_objects: bool


class Memory:
    """What the states of one stream say of memory."""

    __slots__ = ("_heap", "_items", "_matcher", "_records")

    def __init__(self, heap: Heap, matcher: Matcher) -> None:
        self._heap = heap
        self._matcher = matcher
        self._items: dict[int, Item] = {}  # by the code of a dtype that was given its state
        self._records: dict[int, Item | None] = {}  # by the code of a state with fields

    def admits(self, layout: str, target: int, made: Made, state: int) -> bool:
        """Whether C code can believe the state that `target` is given, of which `made` says how it was made."""
        if layout == "image":
            return self._is_image(state)
        items = self._tuple(state)
        if layout == "dtype":
            item = self._dtype(made, state, items)
            if item is not None:
                self._items[target] = item
            return item is not None
        if layout == "array":
            return len(items) == 5 and self._int(items[0]) == 1 and self._fits(items[1], items[2], items[4])
        return (  # of a masked array, which has its mask and its fill value behind
            len(items) == 7
            and self._int(items[0]) == 1
            and self._fits(items[1], items[2], items[4])
            and self._is_raw(items[5])
            and self._is_filler(items[6])
        )

    # -- Arrays ------------------------------------------------------------------------------------------------------

    def _fits(self, shape: int, dtype: int, data: int) -> bool:
        """Whether the data are as many as the shape says, and of the kind that the dtype says."""
        count = self._count(shape)
        if count is None:
            return False
        if self._is_variable_text(dtype):
            return self._has_items(data, count) and all(map(self._is_text_or_none, self._heap.codes(data)))
        item = self._items.get(dtype)
        if item is None:
            return False
        if item.has_objects:
            return self._has_items(data, count)
        if not self._is_raw(data) or (not item.size and count > _MOST_EMPTY_ITEMS):
            return False
        return self._raw_size(data) == count * item.size

    def _count(self, shape: int) -> int | None:
        """The product of a shape; None where it is none, or where numpy's own product might overflow."""
        dimensions = [self._int(code) for code in self._tuple(shape)]
        if shape & sym.KIND != sym.TUPLE or len(dimensions) > _MOST_DIMENSIONS:
            return None
        count = room = 1
        for size in dimensions:
            if size is None or size < 0:
                return None
            count *= size
            room *= size or 1
            if room > _MOST_BYTES:
                return None
        return count

    def _has_items(self, data: int, count: int) -> bool:
        return data & sym.KIND == sym.LIST and self._matcher.length(data) == count

    def _is_raw(self, code: int) -> bool:
        """Whether it is bytes, or the text as which bytes of Python 2 are read."""
        return code & sym.KIND in (sym.BYTES, sym.TEXT8, sym.ENCODED, sym.STR) or self._is_no_bytes(code)

    def _is_no_bytes(self, code: int) -> bool:
        """Whether it is bytes(): how empty ones are written up to protocol 2."""
        if code & sym.KIND != sym.MADE or self._matcher.word(code) != "bytes":
            return False
        made = self._heap.of(code)
        return made.called and made.args & sym.KIND == sym.TUPLE and not self._heap.codes(made.args)

    def _raw_size(self, code: int) -> int | None:
        if code & sym.KIND == sym.MADE:
            return 0
        known = self._heap.long_size(code >> sym.SHIFT) if code & sym.KIND in (sym.BYTES, sym.TEXT8) else 0
        size: int | None = known or self._matcher.length(code)
        return size

    def _is_variable_text(self, code: int) -> bool:
        made = self._heap.of(code) if code & sym.KIND == sym.MADE else None
        return made is not None and made.origin is not None and made.origin.dotted == _VARIABLE_TEXT

    def _is_text_or_none(self, code: int) -> bool:
        """An item of an array of texts: anything else would be printed while loading."""
        return code & sym.KIND in (sym.STR, sym.NONE, sym.FLOAT)

    def _is_filler(self, code: int) -> bool:
        """A fill value: what numpy makes an array of, without iterating over anything long."""
        if code & sym.KIND == sym.MADE:
            made = self._heap.of(code)
            return made.origin is not None and made.origin.module.startswith("numpy.")
        return self._matcher.word(code) in {"none", "bool", "int", "float", "complex", "str", "bytes"}

    # -- Images ------------------------------------------------------------------------------------------------------

    def _is_image(self, state: int) -> bool:
        """Whether it is a list of info, mode, size, palette, data, and of what a format has besides."""
        items = self._matcher.contents(state) or [] if state & sym.KIND == sym.LIST else []
        if len(items) not in (5, 6, 7, 8):
            return False
        info, mode, size, palette, data = items[:5]
        pixel = _PIXEL.get(self._text(mode) or "")
        sides = [self._int(code) for code in self._tuple(size)]
        if pixel is None or len(sides) != 2 or sides[0] is None or sides[1] is None or min(sides[0], sides[1]) < 0:
            return False
        width, height = sides[0], sides[1]
        if not width * height and max(width, height) > _MOST_EMPTY_LINES:
            return False
        return (
            self._is_raw(data)
            and self._raw_size(data) == (width * pixel + 7) // 8 * height
            and info & sym.KIND == sym.DICT
            and self._is_palette(palette)
            and all(self._matcher.word(code) in _BESIDE_AN_IMAGE for code in items[5:])
        )

    def _is_palette(self, code: int) -> bool:
        """Nothing, bytes, or numbers that each fit into one; a number by itself would be a length."""
        if code & sym.KIND == sym.NONE:
            return True
        if (self._matcher.length(code) or 0) > _LONGEST_PALETTE:
            return False
        if code & sym.KIND != sym.LIST:
            return self._is_raw(code)
        return all(0 <= (-1 if (one := self._int(item)) is None else one) <= 255 for item in self._heap.codes(code))

    # -- dtypes ------------------------------------------------------------------------------------------------------

    def _dtype(self, made: Made, state: int, items: list[int]) -> Item | None:
        if len(items) not in (8, 9) or self._int(items[0]) != len(items) - 5:
            return None
        if self._text(items[1]) not in _ORDERS:
            return None
        args = self._tuple(made.args)
        kind, declared = self._spelled(args[0]) if args else ("", 0)
        flags = self._int(items[7])
        if not kind or flags is None or not -128 <= flags <= 255:
            return None
        if not self._is_metadata(kind, items[8:]):
            return None
        if kind in _FLEXIBLE:
            return self._flexible(kind, declared, state, items)
        has_nothing = all(code & sym.KIND == sym.NONE for code in items[2:5])
        if not has_nothing or self._int(items[5]) != -1 or self._int(items[6]) != -1:
            return None
        if flags != (_OF_OBJECT if kind == "O" else 0):
            return None
        return Item(_POINTER, True) if kind == "O" else Item(declared, False)

    def _spelled(self, code: int) -> tuple[str, int]:
        """The kind of a dtype's first argument and the number behind it; -1 for a class, which has no number."""
        if code & sym.KIND == sym.GLOBAL:
            return "V", -1
        text = self._text(code) or ""
        digits = text[1:]
        # What has leading zeros would be another way to say the same.
        if not digits.isdecimal() or not text.isascii() or str(int(digits[:12])) != digits:
            return "", 0
        return text[0], int(digits)

    def _is_metadata(self, kind: str, rest: list[int]) -> bool:
        if not rest:
            return True
        metadata = rest[0]
        if kind not in _TIMES:
            return metadata & sym.KIND in (sym.NONE, sym.DICT)
        items = self._tuple(metadata)
        unit = self._tuple(items[1]) if len(items) == 2 and items[0] & sym.KIND in (sym.NONE, sym.DICT) else []
        if len(unit) != 4 or self._text(unit[0]) not in _UNITS:
            return False
        numbers = [self._int(code) for code in unit[1:]]
        return numbers[0] is not None and 1 <= numbers[0] <= _LONGEST_ITEM and numbers[1:] == [1, 1]

    def _flexible(self, kind: str, declared: int, state: int, items: list[int]) -> Item | None:
        """Of texts and records numpy takes the length from the state."""
        size = self._int(items[5])
        if size is None or not 0 <= size <= _LONGEST_ITEM or self._int(items[6]) not in _ALIGNMENTS:
            return None
        if declared >= 0 and size != declared * (4 if kind == "U" else 1):
            return None
        if kind == "V" and any(code & sym.KIND != sym.NONE for code in items[2:5]):
            if state not in self._records:
                self._records[state] = self._record(size, items)
            return self._records[state]
        has_nothing = all(code & sym.KIND == sym.NONE for code in items[2:5])
        return self._flagged(Item(size, False), items[7]) if has_nothing else None

    def _flagged(self, item: Item, flags: int) -> Item | None:
        """The item, if the flags say so too."""
        known = _WITH_OBJECTS if item.has_objects else _WITHOUT_OBJECTS
        return item if (self._int(flags) or 0) & 0xFF & ~_ALIGNED in known else None

    def _record(self, size: int, items: list[int]) -> Item | None:
        """A dtype of arrays, or of fields: which they may be is one or the other."""
        base, names, fields = items[2:5]
        if base & sym.KIND == sym.NONE:
            has_objects = self._fields(size, self._tuple(names), fields) if names & sym.KIND == sym.TUPLE else None
            return None if has_objects is None else self._flagged(Item(size, has_objects), items[7])
        pair = self._tuple(base)
        inner = self._items.get(pair[0]) if len(pair) == 2 else None
        if inner is None or names & sym.KIND != sym.NONE or fields & sym.KIND != sym.NONE:
            return None
        count = self._int(pair[1]) if pair[1] & sym.KIND == sym.INT else self._count(pair[1])
        if count is None or count < 0 or count * inner.size != size:
            return None
        return self._flagged(Item(size, inner.has_objects), items[7])

    def _fields(self, size: int, names: list[int], fields: int) -> bool | None:
        """Whether fields hold objects; None where they are not all there, leave the item, or overlap an object."""
        known = self._field_table(fields)
        if known is None:
            return None
        titles = set()
        places = []
        for code in names:
            name = self._text(code)
            field = known.get(name) if name is not None else None
            item = self._items.get(field[0]) if field else None
            if name is None or field is None or item is None or not 0 <= field[1] <= size - item.size:
                return None
            if field[2] is not None:
                title = known.get(field[2])
                if title is None or title[:2] != field[:2]:
                    return None
                titles.add(field[2])
            places.append((field[1], field[1] + item.size, item.has_objects, name))
        said = {name for *_, name in places}
        if len(said) != len(names) or said & titles or said | titles != set(known):
            return None
        has_objects = any(place[2] for place in places)
        filled = sorted(place for place in places if place[0] < place[1])
        if has_objects and any(first[1] > second[0] for first, second in pairwise(filled)):
            return None
        return has_objects

    def _field_table(self, fields: int) -> dict[str, tuple[int, int, str | None]] | None:
        """By name or title: the dtype's code, the offset, the title."""
        pairs = self._matcher.pairs(fields)
        if pairs is None:
            return None
        table: dict[str, tuple[int, int, str | None]] = {}
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            name = self._text(key)
            field = self._tuple(value)
            offset = self._int(field[1]) if len(field) in (2, 3) else None
            title = self._text(field[2]) if len(field) == 3 else None
            if name is None or name in table or offset is None or (len(field) == 3 and title is None):
                return None
            table[name] = field[0], offset, title
        return table

    # -- Values ------------------------------------------------------------------------------------------------------

    def _tuple(self, code: int) -> list[int]:
        """The items of a tuple; none of what is no tuple."""
        found: list[int] = self._heap.codes(code) if code & sym.KIND == sym.TUPLE else []
        return found

    def _text(self, code: int) -> str | None:
        """A text that the stream spells out, or bytes as Latin-1; both are used for names."""
        if code & sym.KIND == sym.ENCODED:
            return self._matcher.text(code)
        return self._matcher.key_text(code)

    def _int(self, code: int) -> int | None:
        """The value of an int that the stream spells out, else None."""
        if code & sym.KIND != sym.INT or self._heap.long_size(code >> sym.SHIFT):
            return None
        value: int = self._matcher.value(code)
        return value
