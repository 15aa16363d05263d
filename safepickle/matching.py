"""Decides argument patterns on the symbolic values of a stream.

Rules:

* What the stream does not spell out matches only `any`.
* A container whose inside a pattern has looked at is frozen: a later change of it is refused by the verifier, so what
  was judged is what will be handed over.
* Each (pattern, value) pair is decided once, so a value that is used a thousand times is not read a thousand times.
* Recursion is over the pattern, whose depth the policy reader bounds, never over the stream's values.
"""

from __future__ import annotations

from safepickle import loading as prim
from safepickle import symbols as sym
from safepickle.errors import is_dotted
from safepickle.hints import Any, Final
from safepickle.policy.patterns import (
    LONGEST_MATCHED_TEXT,
    WORDS,
    AnyOf,
    Built,
    DictItems,
    Fields,
    Filled,
    GlobalNamed,
    InstanceOf,
    IntRange,
    Is,
    Items,
    Length,
    LengthProduct,
    Memory,
    Pattern,
    Regex,
    Shape,
    Word,
    admits_nothing,
)
from safepickle.reader import Reader
from safepickle.symbols import Heap, Made

_UNKNOWN: Final = object()
_PUT_IN: Final = frozenset({sym.LIST, sym.DICT, sym.SET})
# What a message is made of: as many values, of as many kinds, and no longer a name.
_MOST_SHOWN: Final = 1000
_MOST_WAYS: Final = 8
_LONGEST_SHOWN: Final = 200
#: What was decided is remembered to save time only: a policy may have hundreds of shapes, a stream millions of values.
_MOST_DECIDED: Final = 100_000
_LONGEST_PRODUCT: Final = 64  # dimensions: no array library has more

# Exact types whose value is known although an earlier load made it.
_PRIOR_WORDS: Final[dict[type, str]] = {
    type(None): "none", bool: "bool", int: "int", float: "float", complex: "complex", str: "str", bytes: "bytes",
}  # fmt: skip
_CALLED_BUILTINS: Final = {
    "builtins.set": "set",
    "builtins.frozenset": "frozenset",
    "builtins.bytearray": "bytearray",
    "builtins.bytes": "bytes",
    "builtins.complex": "complex",
}


def _spelled(value: Any) -> str | None:
    """A text that is the same for equal scalars only; None for what equals nothing, or is not known.

    Hashes of numbers can be made to collide, those of texts cannot.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        return f"{int(value):x}"
    if value is _UNKNOWN or repr(value) == "nan":
        return None
    return f"{type(value).__name__} {value!r}"


class Matcher:
    """Patterns against codes of one heap, with the reader that can read literals again."""

    __slots__ = (
        "_decided", "_encoding", "_errors", "_heap", "_identities", "_lengths", "_names", "_reader", "_regexes",
    )  # fmt: skip

    def __init__(self, reader: Reader, heap: Heap, encoding: str, errors: str) -> None:
        if not prim.COMPILED:
            self.__cinit__(reader, heap, encoding, errors)

    def __cinit__(self, reader: Reader, heap: Heap, encoding: str, errors: str) -> None:
        """Compiled, there is no matcher without what it works on, and none is given others."""
        if not isinstance(reader, Reader):
            raise TypeError("a matcher needs a reader")
        if not isinstance(heap, Heap):
            raise TypeError("a matcher needs a heap")
        self._reader = reader
        self._heap = heap
        self._encoding = encoding
        self._errors = errors
        self._decided: dict[tuple[int, int], bool] = {}
        self._regexes: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        self._lengths: dict[int, int] = {}
        self._identities: dict[int, int] = {}

    def forget(self) -> None:
        """Make ready for another stream."""
        if self._decided:
            self._decided = {}
        if self._regexes:
            self._regexes = {}
        if self._names:
            self._names = {}
        if self._lengths:
            self._lengths = {}
        if self._identities:
            self._identities = {}

    def identify(self, code: int, identity: int) -> None:
        """Remember what the persistent ID was that `code` stands for."""
        self._identities[code] = identity

    # -- What a code is ----------------------------------------------------------------------------------------------

    def word(self, code: int) -> str:
        """The kind of a value as patterns name it; a container that a builtin was called for counts as that builtin."""
        kind = code & sym.KIND
        if kind == sym.MADE:
            made: Made = self._heap.of(code)
            return _CALLED_BUILTINS.get(made.origin.dotted, "instance") if made.origin else "instance"
        if kind == sym.PRIOR:
            return _PRIOR_WORDS.get(type(self._heap.of(code).value), "prior")
        return sym.WORDS[kind]

    def value(self, code: int) -> Any:
        """The value of a scalar literal, or a marker equal to nothing."""
        kind = code & sym.KIND
        if kind == sym.NONE:
            return None
        if kind in (sym.BOOL, sym.INT, sym.FLOAT, sym.BYTES):
            return self._reader.literal(code >> sym.SHIFT)
        if kind in (sym.STR, sym.TEXT8):
            return self.text(code)
        if kind == sym.ENCODED:
            return self.text(code).encode("latin-1")
        if kind == sym.PRIOR and type(self._heap.of(code).value) in _PRIOR_WORDS:
            return self._heap.of(code).value
        return _UNKNOWN

    def text(self, code: int) -> str:
        """The text of a STR or TEXT8 literal, or of an exact str from an earlier load."""
        if code & sym.KIND == sym.PRIOR:
            prior: str = self._heap.of(code).value
            return prior
        short = self._short_text(code)
        if short is not None:
            return short
        raw = self._reader.literal(code >> sym.SHIFT)
        if isinstance(raw, str):
            return raw
        if code & sym.KIND == sym.TEXT8:
            return str(raw, "latin-1")
        return str(raw, self._encoding, self._errors)

    def _short_text(self, code: int) -> str | None:
        """`text` of a short literal whose bytes say so; None for others."""
        if code & sym.KIND != sym.STR:
            return None
        data = self._reader.data
        return prim.short_text(prim.pointer(data), code >> sym.SHIFT, len(data))

    def name(self, code: int) -> str:
        """`text` of what is used as a name: a long one is read once, however often it is used."""
        short = self._short_text(code)
        if short is not None:
            return short
        name = self._names.get(code)
        if name is None:
            name = self._names[code] = self.text(code)
        return name

    def text_bytes(self, code: int) -> int:
        """How long a text is, where that is known to be more than `sym.LONG_TEXT` bytes, else 0; reads nothing."""
        if code & sym.KIND == sym.PRIOR:
            return len(self._heap.of(code).value)
        return prim.long_size(self._heap, code >> sym.SHIFT)

    def is_text(self, code: int) -> bool:
        """Whether the value is a text that this stream, or an exact str of an earlier load, spells out."""
        kind = code & sym.KIND
        if kind == sym.PRIOR:
            return type(self._heap.of(code).value) is str
        return kind in (sym.STR, sym.TEXT8)

    def key_text(self, code: int) -> str | None:
        """The text of a key that the stream spells out (Python 2 spells attribute names as 8-bit strings)."""
        if self.is_text(code):
            return self.text(code)
        if code & sym.KIND == sym.BYTES:
            return str(self._reader.literal(code >> sym.SHIFT), "latin-1")
        return None

    def contents(self, code: int) -> list[int] | None:
        """The items of a list, tuple, set or frozenset, which freezes it; None where the stream does not say."""
        kind = code & sym.KIND
        if kind in (sym.TUPLE, sym.FROZENSET):
            return self._heap.codes(code)
        if kind in (sym.LIST, sym.SET):
            self._heap.freeze(code)
            return self._heap.codes(code)
        if kind == sym.MADE and self.word(code) in ("set", "frozenset"):
            self._heap.freeze(code)
            return self._contents_of_a_call(self._heap.of(code))
        return None

    def _contents_of_a_call(self, made: Made) -> list[int] | None:
        """What `set(items)` holds, where the stream says so: set.__new__ itself ignores its arguments."""
        args = self._heap.codes(made.args) if made.args & sym.KIND == sym.TUPLE else None
        if args is None or made.fills or len(args) > 1 or not made.called:
            return None
        if not args:
            return []
        copied = args[0]
        # A list may have changed since it was copied: what it holds now is not what the set holds.
        if copied & sym.KIND == sym.LIST and not self._heap.is_lent(copied):
            return self.contents(copied)
        return self._heap.codes(copied) if copied & sym.KIND == sym.TUPLE else None

    def pairs(self, code: int) -> list[int] | None:
        """The keys and values of a dict, in turn, which freezes it; None where the stream does not say."""
        if code & sym.KIND != sym.DICT:
            return None
        self._heap.freeze(code)
        return self._heap.codes(code)

    def length(self, code: int) -> int | None:
        """Characters of a text, bytes of bytes, items of a container; None where the stream does not say."""
        if code not in self._lengths:  # what was looked at cannot change any more
            length = self._length(code)
            if length is None:
                return None
            self._lengths[code] = length
        return self._lengths[code]

    def _length(self, code: int) -> int | None:
        pairs = self.pairs(code)
        if pairs is not None:
            return self._different(pairs[::2])
        items = self.contents(code)
        if items is not None:
            return len(items) if code & sym.KIND in (sym.LIST, sym.TUPLE) else self._different(items)
        value = self._reader.literal(code >> sym.SHIFT) if code & sym.KIND == sym.BYTEARRAY else self.value(code)
        return len(value) if isinstance(value, (str, bytes, bytearray)) else None

    def _different(self, keys: list[int]) -> int | None:
        """How many different keys or members these are: equal ones are one.  None where the stream does not say."""
        if len(keys) < 2:
            return len(keys)
        different = {_spelled(self.value(key)) for key in keys}
        return None if None in different else len(different)

    # -- Deciding ----------------------------------------------------------------------------------------------------

    def matches(self, pattern: Pattern, code: int, around: int = -1) -> bool:
        """Whether the value matches.  `around` is the tuple it is an item of, where a pattern relates fields."""
        if isinstance(pattern, Word):
            return self._word_matches(pattern.kind, code)
        if isinstance(pattern, LengthProduct):
            return self._product(pattern, code, around)
        if isinstance(pattern, Memory):
            return self._stays_inside(pattern.layout == "dense_strides", around)
        if isinstance(pattern, Built):  # not so yet is no answer for later
            return self._made_by(pattern.dotted, code, built=True)
        if isinstance(pattern, Shape) and code & sym.KIND != sym.TUPLE:
            return False  # nothing to remember: of a policy's hundred shapes none is for this
        key = (id(pattern), code)
        known = self._decided.get(key)
        if known is None:
            if len(self._decided) >= _MOST_DECIDED:
                self._decided = {}
            known = self._decided[key] = self._decide(pattern, code)
        return known

    def _word_matches(self, kind: str, code: int) -> bool:
        if kind == "any":
            return True
        word = self.word(code)
        if kind == "instance":
            return code & sym.KIND == sym.MADE
        return word == kind or (code & sym.KIND == sym.TEXT8 and kind == "bytes")

    def _decide(self, pattern: Pattern, code: int) -> bool:
        if isinstance(pattern, AnyOf):
            return any(self.matches(alternative, code) for alternative in pattern.alternatives)
        if isinstance(pattern, Shape):
            return self.shape(pattern, self._heap.codes(code), code)
        if isinstance(pattern, Items):
            items = self.contents(code) if self.word(code) == pattern.kind else None
            return items is not None and all(self.matches(pattern.item, item) for item in items)
        if isinstance(pattern, DictItems):
            pairs = self.pairs(code)
            return pairs is not None and (
                all(self.matches(pattern.key, key) for key in pairs[::2])
                and all(self.matches(pattern.value, value) for value in pairs[1::2])
            )
        if isinstance(pattern, Fields):
            return self._fields(pattern, code)
        if isinstance(pattern, Filled):
            return self._filled(pattern, code)
        if isinstance(pattern, Length):
            length = self.length(code) if self.matches(pattern.of, code) else None
            return length is not None and pattern.low <= length <= pattern.high
        return self._decide_scalar(pattern, code)

    def _decide_scalar(self, pattern: Pattern, code: int) -> bool:
        if isinstance(pattern, GlobalNamed):
            return code & sym.KIND == sym.GLOBAL and self._heap.of(code).dotted == pattern.dotted
        if isinstance(pattern, InstanceOf):
            return self._made_by(pattern.dotted, code, built=False)
        if isinstance(pattern, IntRange):
            value = self.value(code) if self.word(code) == "int" else _UNKNOWN
            return type(value) is int and pattern.low <= value <= pattern.high
        if isinstance(pattern, Is):
            return self._is(pattern, code)
        if isinstance(pattern, Regex):
            return self._regex(pattern.pattern, code)
        raise TypeError(f"not a pattern: {pattern!r}")

    def _made_by(self, dotted: str, code: int, *, built: bool) -> bool:
        """Whether the value is what `new` or `call` of that name gave, with its state where that is asked for."""
        made = self._heap.of(code) if code & sym.KIND == sym.MADE else None
        return made is not None and made.origin is not None and made.origin.dotted == dotted and made.built >= built

    def _filled(self, pattern: Filled, code: int) -> bool:
        """Whether the value holds what was put into it and nothing else, and that matches; looking freezes it."""
        if not self._made_by(pattern.dotted, code, built=False):
            return False
        self._heap.freeze(code)
        made: Made = self._heap.of(code)
        if made.built or not self._is_made_of_nothing(made):
            return False
        if not made.fills:
            return admits_nothing(pattern.items)
        return made.filled in _PUT_IN and self.matches(pattern.items, self.put_in(made.fills, made.filled))

    def _is_made_of_nothing(self, made: Made) -> bool:
        """Whether there was nothing in it before it was filled; Python 2 calls OrderedDict with a list of its items."""
        if made.kwargs or made.args & sym.KIND != sym.TUPLE:
            return False
        args = self._heap.codes(made.args)
        return not args or (len(args) == 1 and args[0] & sym.KIND == sym.LIST and not self.contents(args[0]))

    def put_in(self, items: list[int], kind: int) -> int:
        """A list, dict or set of what was put into an object, for patterns to be asked."""
        return self._heap.add_list(kind, items, self._heap.deepest(items) + 1)

    def shown_inside(self, items: list[int], kind: int) -> str:
        """The YAML of a pattern of what was put into an object, no narrower than the kinds of what it is."""
        if kind == sym.DICT:
            return f"{{dict: [{self._shown(items[::2])}, {self._shown(items[1::2])}]}}"
        return f"{{{sym.WORDS[kind]}: {self._shown(items)}}}"

    def _shown(self, codes: list[int]) -> str:
        kinds = dict.fromkeys(map(self.shown, codes[:_MOST_SHOWN]))
        if not 0 < len(kinds) <= _MOST_WAYS or len(codes) > _MOST_SHOWN or "any" in kinds:
            return "any"
        ways = ", ".join(kinds)
        return ways if len(kinds) == 1 else f"{{any_of: [{ways}]}}"

    def shown(self, code: int) -> str:
        """The YAML of what a value is, no narrower than its kind: nothing of what it says, and of names their own."""
        word = self.word(code)
        named = self._heap.of(code) if word == "global" else self._heap.of(code).origin if word == "instance" else None
        if named is not None and len(named.dotted) <= _LONGEST_SHOWN and is_dotted(named.dotted):
            return f"{{{word}: {named.dotted}}}"
        return word if word in WORDS else "any"

    def _is(self, pattern: Is, code: int) -> bool:
        if not self._word_matches(pattern.kind, code):
            return False
        value = self.value(code)
        if code & sym.KIND == sym.TEXT8 and pattern.kind == "bytes":
            value = value.encode("latin-1")
        # repr tells 0.0 from -0.0, and nan from nothing.
        return type(value) is type(pattern.value) and repr(value) == repr(pattern.value)

    def _regex(self, pattern: str, code: int) -> bool:
        if not self.is_text(code):
            return False
        if code & sym.KIND != sym.PRIOR and prim.long_size(self._heap, code >> sym.SHIFT) > 4 * LONGEST_MATCHED_TEXT:
            return False  # UTF-8 needs at most four bytes a character: do not decode megabytes to say no
        text = self.text(code)
        if len(text) > LONGEST_MATCHED_TEXT:
            return False
        compiled = self._regexes.get(pattern)
        if compiled is None:
            import re

            compiled = self._regexes[pattern] = re.compile(pattern, re.ASCII)
        return compiled.fullmatch(text) is not None

    def _fields(self, pattern: Fields, code: int) -> bool:
        pairs = self.pairs(code)
        if pairs is None:
            return False
        wanted = dict(pattern.required + pattern.optional)
        seen = set()
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            text = self.key_text(key)
            if text is None or text not in wanted or not self.matches(wanted[text], value):
                return False
            seen.add(text)
        return all(name in seen for name, _ in pattern.required)

    def _product(self, pattern: LengthProduct, code: int, around: int) -> bool:
        fields = self._heap.codes(around) if around >= sym.FIRST_NODE and around & sym.KIND == sym.TUPLE else []
        shape = self.contents(fields[pattern.field]) if pattern.field < len(fields) else None
        if shape is None or len(shape) > _LONGEST_PRODUCT or not self.matches(pattern.of, code):
            return False
        product = 1
        for item in shape:
            size = self.value(item)
            if type(size) is not int or size < 0:
                return False
            product *= size
        return self.length(code) == product

    def _stays_inside(self, dense: bool, around: int) -> bool:
        """Whether strides, with what stands before them in `around`, stay inside of the storage that they are about."""
        from safepickle.tensors import is_inside

        fields = self._heap.codes(around) if around >= sym.FIRST_NODE and around & sym.KIND == sym.TUPLE else []
        identity = self._identities.get(fields[0], 0) if fields else 0
        return bool(identity) and is_inside(self._heap, self.value, fields, identity, dense=dense)

    def shape(self, pattern: Shape, items: list[int], around: int = -1) -> bool:
        """Whether a tuple's items match a shape, as a signature does a call's arguments."""
        wanted = pattern.items
        if len(items) < len(wanted) or (len(items) > len(wanted) and not pattern.rest):
            return False
        return all(self.matches(want, item, around) for want, item in zip(wanted, items, strict=False))
