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
* Numbers here are 64-bit: what the stream spells that is no such number agrees with nothing.
"""

from __future__ import annotations

from itertools import pairwise

from safepickle import loading as prim
from safepickle import symbols as sym
from safepickle.glance import View
from safepickle.hints import Final, NamedTuple
from safepickle.matching import Matcher
from safepickle.symbols import Global, Heap

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
_MOST_SPELLED: Final = 256
_NO_NUMBER: Final = 1 - 2**63
_MOST_SHORT: Final = 2**31

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

_spellings: dict[str, tuple[str, int]] = {}  # what texts of dtypes say: the same for every stream


class Item(NamedTuple):
    """What a dtype says of memory: bytes of an item, and whether there are pointers in it."""

    size: int
    has_objects: bool


class Memory:
    """What the states of one stream say of memory."""

    __slots__ = ("_heap", "_items", "_matcher", "_records", "_view")

    def __init__(self, view: View, heap: Heap, matcher: Matcher) -> None:
        if not prim.COMPILED:
            self.__cinit__(view, heap, matcher)

    def __cinit__(self, view: View, heap: Heap, matcher: Matcher) -> None:
        """Compiled, there is none without what it works on, and none is given others."""
        if not isinstance(view, View):
            raise TypeError("what states say of memory needs a view")
        if not isinstance(heap, Heap):
            raise TypeError("what states say of memory needs a heap")
        if not isinstance(matcher, Matcher):
            raise TypeError("what states say of memory needs a matcher")
        self._view = view
        self._heap = heap
        self._matcher = matcher
        self._items: dict[int, Item] = {}  # by the code of a dtype that was given its state
        self._records: dict[int, Item | None] = {}  # by the code of a state with fields

    def forget(self) -> None:
        """Make ready for another stream."""
        self._items = {}
        self._records = {}

    def admits(self, layout: str, target: int, state: int) -> bool:
        """Whether C code can believe the state that `target` is given; the view is open."""
        if layout == "image":
            return self._is_image(state)
        heap = self._heap
        if state & sym.KIND != sym.TUPLE:
            return False
        count = prim.count(heap, state)
        if layout == "dtype":
            item = self._dtype(target, state) if count == 8 or count == 9 else None
            if item is not None:
                self._items[target] = item
            return item is not None
        if count != (5 if layout == "array" else 7) or self._int(prim.item(heap, state, 0)) != 1:
            return False
        if not self._fits(prim.item(heap, state, 1), prim.item(heap, state, 2), prim.item(heap, state, 4)):
            return False
        # A masked array has its mask and its fill value behind.
        return layout == "array" or (
            self._is_raw(prim.item(heap, state, 5)) and self._is_filler(prim.item(heap, state, 6))
        )

    # -- Arrays ------------------------------------------------------------------------------------------------------

    def _fits(self, shape: int, dtype: int, data: int) -> bool:
        """Whether the data are as many as the shape says, and of the kind that the dtype says."""
        count = self._count(shape)
        if count < 0:
            return False
        item = self._items.get(dtype)
        if item is None:
            return (
                self._is_variable_text(dtype)
                and self._has_items(data, count)
                and all(map(self._is_text_or_none, self._heap.codes(data)))
            )
        if item.has_objects:
            return self._has_items(data, count)
        size: int = item.size
        if not self._is_raw(data) or (not size and count > _MOST_EMPTY_ITEMS):
            return False
        return self._raw_size(data) == self._times(count, size)

    def _times(self, count: int, size: int) -> int:
        """The product of two numbers that are not negative; -2 where it is no 64-bit number."""
        return -2 if size and count > _MOST_BYTES // size else count * size

    def _count(self, shape: int) -> int:
        """The product of a shape; -1 where it is none, or where numpy's own product might overflow."""
        heap = self._heap
        if shape & sym.KIND != sym.TUPLE:
            return -1
        dimensions = prim.count(heap, shape)
        if dimensions > _MOST_DIMENSIONS:
            return -1
        count = room = 1
        for place in range(dimensions):
            size = self._int(prim.item(heap, shape, place))
            if size < 0:
                return -1
            if not size:
                count = 0
                continue
            if room > _MOST_BYTES // size:
                return -1
            room *= size
            count *= size
        return count

    def _has_items(self, data: int, count: int) -> bool:
        return data & sym.KIND == sym.LIST and self._matcher.length(data) == count

    def _is_raw(self, code: int) -> bool:
        """Whether it is bytes, or the text as which bytes of Python 2 are read."""
        kind = code & sym.KIND
        if kind == sym.BYTES or kind == sym.TEXT8 or kind == sym.ENCODED or kind == sym.STR:
            return True
        return self._is_no_bytes(code)

    def _is_no_bytes(self, code: int) -> bool:
        """Whether it is bytes(): how empty ones are written up to protocol 2."""
        if code & sym.KIND != sym.MADE or self._matcher.word(code) != "bytes":
            return False
        args = prim.args_of(self._heap, code)
        return (
            prim.is_called(self._heap, code)
            and args & sym.KIND == sym.TUPLE
            and prim.count(self._heap, args) == 0
        )

    def _raw_size(self, code: int) -> int:
        """How many bytes; -1 where the stream does not say."""
        kind = code & sym.KIND
        if kind == sym.MADE:
            return 0
        if kind == sym.BYTES or kind == sym.TEXT8:
            known = prim.long_size(self._heap, code >> sym.SHIFT)
            if known:
                return known
            if kind == sym.BYTES:
                short = prim.short_length(self._view.data, code >> sym.SHIFT)
                if short >= 0:
                    return short
        length = self._matcher.length(code)
        return -1 if length is None else length

    def _is_variable_text(self, code: int) -> bool:
        if code & sym.KIND != sym.MADE:
            return False
        maker: Global | None = prim.maker(self._heap, code)
        return maker is not None and maker.dotted == _VARIABLE_TEXT

    def _is_text_or_none(self, code: int) -> bool:
        """An item of an array of texts: anything else would be printed while loading."""
        return code & sym.KIND in (sym.STR, sym.NONE, sym.FLOAT)

    def _is_filler(self, code: int) -> bool:
        """A fill value: what numpy makes an array of, without iterating over anything long."""
        if code & sym.KIND == sym.MADE:
            maker: Global | None = prim.maker(self._heap, code)
            return maker is not None and maker.module.startswith("numpy.")
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
        if pixel is None or len(sides) != 2 or min(sides) < 0:
            return False
        width, height = sides
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
        return all(0 <= self._int(item) <= 255 for item in self._heap.codes(code))

    # -- dtypes ------------------------------------------------------------------------------------------------------

    def _dtype(self, target: int, state: int) -> Item | None:
        heap = self._heap
        count = prim.count(heap, state)
        items = prim.peek(heap, state)
        if self._int(items[0]) != count - 5 or self._text(items[1]) not in _ORDERS:
            return None
        args = prim.args_of(heap, target)
        if args & sym.KIND != sym.TUPLE or not prim.count(heap, args):
            return None
        spelled = self._spelled(prim.item(heap, args, 0))
        kind: str = spelled[0]
        declared: int = spelled[1]
        flags = self._int(items[7])
        if not kind or not -128 <= flags <= 255:
            return None
        if count == 9 and not self._is_metadata(kind, items[8]):
            return None
        if kind in _FLEXIBLE:
            return self._flexible(kind, declared, state, items)
        if not self._has_nothing(items) or self._int(items[5]) != -1 or self._int(items[6]) != -1:
            return None
        if flags != (_OF_OBJECT if kind == "O" else 0):
            return None
        return Item(_POINTER, True) if kind == "O" else Item(declared, False)

    def _has_nothing(self, items: list[int]) -> bool:
        """Whether a dtype's state says neither what it is an array of, nor names, nor fields."""
        return (
            items[2] & sym.KIND == sym.NONE and items[3] & sym.KIND == sym.NONE and items[4] & sym.KIND == sym.NONE
        )

    def _spelled(self, code: int) -> tuple[str, int]:
        """The kind of a dtype's first argument and the number behind it; -1 for a class, which has no number."""
        if code & sym.KIND == sym.GLOBAL:
            return "V", -1
        text = self._text(code) or ""
        known = _spellings.get(text)
        if known is None:
            known = _read(text)
            if known[0] and len(_spellings) < _MOST_SPELLED:
                _spellings[text] = known
        return known

    def _is_metadata(self, kind: str, metadata: int) -> bool:
        if kind not in _TIMES:
            return metadata & sym.KIND in (sym.NONE, sym.DICT)
        items = self._tuple(metadata)
        unit = self._tuple(items[1]) if len(items) == 2 and items[0] & sym.KIND in (sym.NONE, sym.DICT) else []
        if len(unit) != 4 or self._text(unit[0]) not in _UNITS:
            return False
        return 1 <= self._int(unit[1]) <= _LONGEST_ITEM and self._int(unit[2]) == 1 and self._int(unit[3]) == 1

    def _flexible(self, kind: str, declared: int, state: int, items: list[int]) -> Item | None:
        """Of texts and records numpy takes the length from the state."""
        size = self._int(items[5])
        if not 0 <= size <= _LONGEST_ITEM or self._int(items[6]) not in _ALIGNMENTS:
            return None
        if declared >= 0 and size != self._times(declared, 4 if kind == "U" else 1):
            return None
        if kind == "V" and not self._has_nothing(items):
            if state not in self._records:
                self._records[state] = self._record(size, items)
            return self._records[state]
        return self._flagged(Item(size, False), items[7]) if self._has_nothing(items) else None

    def _flagged(self, item: Item, flags: int) -> Item | None:
        """The item, if the flags say so too."""
        known = _WITH_OBJECTS if item.has_objects else _WITHOUT_OBJECTS
        return item if self._int(flags) & 0xFF & ~_ALIGNED in known else None

    def _record(self, size: int, items: list[int]) -> Item | None:
        """A dtype of arrays, or of fields: which they may be is one or the other."""
        base = items[2]
        names = items[3]
        fields = items[4]
        if base & sym.KIND == sym.NONE:
            has_objects = self._fields(size, self._tuple(names), fields) if names & sym.KIND == sym.TUPLE else None
            return None if has_objects is None else self._flagged(Item(size, has_objects), items[7])
        pair = self._tuple(base)
        inner = self._items.get(pair[0]) if len(pair) == 2 else None
        if inner is None or names & sym.KIND != sym.NONE or fields & sym.KIND != sym.NONE:
            return None
        count = self._int(pair[1]) if pair[1] & sym.KIND == sym.INT else self._count(pair[1])
        inner_size: int = inner.size
        if count < 0 or self._times(count, inner_size) != size:
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
            offset = self._int(field[1]) if len(field) in (2, 3) else -1
            title = self._text(field[2]) if len(field) == 3 else None
            if name is None or name in table or offset < 0 or (len(field) == 3 and title is None):
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
        short = self._view.text(code)
        if short is not None:
            return short
        if code & sym.KIND == sym.ENCODED:
            return self._matcher.text(code)
        return self._matcher.key_text(code)

    def _int(self, code: int) -> int:
        """The value of a 64-bit int that the stream spells out, else one that agrees with nothing."""
        if code & sym.KIND != sym.INT:
            return _NO_NUMBER
        short = prim.small_int(self._view.data, code >> sym.SHIFT)
        if short <= _MOST_SHORT:
            return short
        if prim.long_size(self._heap, code >> sym.SHIFT):
            return _NO_NUMBER
        value: int = self._matcher.value(code)
        return value if _NO_NUMBER < value <= _MOST_BYTES else _NO_NUMBER


def _read(text: str) -> tuple[str, int]:
    digits = text[1:]
    # What has leading zeros would be another way to say the same.
    if not digits.isdecimal() or not text.isascii() or str(int(digits[:12])) != digits:
        return "", 0
    return text[0], int(digits)
