"""What can be said of a name's uses at a glance: the policy's patterns, made ready to be asked thousands of times.

Most objects of a stream are made like the ones before them, and most policies are asked the same few questions.  What
is prepared here can say yes, and never no: whatever it does not say yes to, `matching.py` decides on the values
themselves, the long way, and only that can refuse.

Rules:

* A yes is what `matching.py` would say as well, and looking has the same consequences: a list, dict or set whose inside
  was looked at on the way to a yes is frozen, so that what was judged is what will be handed over.  So alternatives
  that look are asked in the order of the policy, and none is asked behind one that is left to the long way.
* It reads what the stream spells in the usual way: opcodes of a fixed size, and short text and bytes.
* A question looks at no more than MOST_LOOKED values, so that its cost does not depend on what the stream shares.
* What is prepared depends on the policy alone, and is kept for whoever asks for the same pattern again; a `View` has
  what depends on the stream.
"""

from __future__ import annotations

from safepickle import loading as prim
from safepickle import symbols as sym
from safepickle.hints import TYPE_CHECKING, Any, Callable, Final
from safepickle.policy.patterns import (
    LONGEST_MATCHED_TEXT,
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
    Pattern,
    Regex,
    Shape,
    Word,
    admits_nothing,
)
from safepickle.symbols import Global, Heap

_MOST_FIELDS: Final = 60  # a bit each
_MOST_PREPARED: Final = 2048  # patterns
_MOST_TEXTS: Final = 256
_LONGEST_KEPT: Final = 64  # characters
_LONGEST_SPELLED: Final = 255  # bytes
_NOTHING_YET: Final = bytes(prim.LONGEST_FIXED)
_NO_NAMES: Final[frozenset[str]] = frozenset()
_MOST_INT: Final = 1 << 31  # what `small_int` can tell is smaller


class View:
    """What one stream shows while it is being asked about."""

    __slots__ = ("data", "heap", "left", "looked_at", "stop")

    def __init__(self, heap: Heap) -> None:
        if not prim.COMPILED:
            self.__cinit__(heap)

    def __cinit__(self, heap: Heap) -> None:
        """Compiled, there is no view without what it shows, and none is given another."""
        if not isinstance(heap, Heap):
            raise TypeError("a view needs a heap")
        self.heap = heap
        self.looked_at: list[int] = []  # lists, dicts and sets, to be frozen
        self.open(_NOTHING_YET)

    def open(self, data: bytes | bytearray) -> None:
        """Look at these bytes, all of them read already, for one question."""
        self.data = prim.pointer(data)  # compiled, it points to them
        self.stop = len(data)
        self.left = prim.MOST_LOOKED  # how many values may still be looked at
        if self.looked_at:
            self.looked_at.clear()

    def settle(self) -> None:
        """Freeze what the yes rests on."""
        if self.looked_at:
            for code in self.looked_at:
                prim.freeze(self.heap, code >> sym.SHIFT)
            self.looked_at.clear()

    def text(self, code: int) -> str | None:
        """A short text that the stream spells out; None for anything else."""
        if code & sym.KIND != sym.STR:
            return None
        return prim.short_text(self.data, code >> sym.SHIFT, self.stop)


# -- Values ------------------------------------------------------------------------------------------------------------


class Inside:
    """What a container of one kind must hold."""

    __slots__ = ("is_blind", "kind")

    if TYPE_CHECKING:
        kind: int
        is_blind: bool  # whether a part of it is left to the long way

    def admits(self, view: View, code: int) -> bool:
        """Whether the container surely matches; its kind has been looked at."""
        raise NotImplementedError


class Quick:
    """One value's pattern, as far as it can be decided at a glance: the union of what its alternatives admit.

    `kinds` has a bit for every kind that matches whatever it holds; ints and lengths of bytes match between bounds, of
    which a low one above the high one matches nothing.
    """

    __slots__ = (
        "built", "empty", "high", "inside", "instances", "is_blind", "kinds", "longest", "low", "names", "shortest",
        "spelled", "texts",
    )  # fmt: skip

    def __init__(self, pattern: Pattern) -> None:
        self.kinds = 0
        self.low, self.high = 1, 0
        self.shortest, self.longest = 1, 0
        self.instances: frozenset[str] = _NO_NAMES  # what must have been called or instantiated for it
        self.built: frozenset[str] = _NO_NAMES  # likewise, and it was given its state
        self.empty: frozenset[str] = _NO_NAMES  # likewise, without arguments, and nothing was put into it
        self.names: frozenset[str] = _NO_NAMES  # globals
        self.spelled: list[bytes] = []  # literals as they stand in the stream
        self.texts: list[Texts] = []
        self.inside: list[Inside] = []
        self.is_blind = False  # whether an alternative looks into containers, and is left to the long way
        looked_into = self._add(pattern)
        # `any_of: [{list: int}, list]` looks into a list, whatever it admits in the end, and so the list is frozen.
        self.kinds &= ~looked_into
        if looked_into >> sym.MADE & 1:
            self.instances = self.built = _NO_NAMES

    def _add(self, pattern: Pattern) -> int:
        """Take in one alternative; returns the kinds, a bit each, that deciding it looks into."""
        if isinstance(pattern, AnyOf):
            kinds = 0
            for alternative in pattern.alternatives:
                kinds |= self._add(alternative)
            return kinds
        if self._is_scalar(pattern):
            return 0
        if isinstance(pattern, Filled):
            if not self.is_blind and admits_nothing(pattern.items):
                self.empty |= {pattern.dotted}
            return 1 << sym.MADE
        inside = None if self.is_blind else _inside(pattern)
        if inside is None:
            self.is_blind = True
            return _CONTAINERS
        self.inside.append(inside)
        self.is_blind = inside.is_blind
        return 1 << inside.kind

    def _is_scalar(self, pattern: Pattern) -> bool:
        """Take in an alternative that looks into nothing; gives whether it is one."""
        if isinstance(pattern, Word):
            self.kinds |= _kinds_of(pattern.kind)
        elif isinstance(pattern, InstanceOf):
            self.instances |= {pattern.dotted}
        elif isinstance(pattern, Built):
            self.built |= {pattern.dotted}
        elif isinstance(pattern, GlobalNamed):
            self.names |= {pattern.dotted}
        elif isinstance(pattern, IntRange):
            self._add_ints(pattern.low, pattern.high)
        elif isinstance(pattern, Is):
            self._add_literal(pattern)
        elif isinstance(pattern, Regex):
            self.texts.append(Texts(pattern.pattern))
        elif isinstance(pattern, Length) and isinstance(pattern.of, Word) and pattern.of.kind == "bytes":
            if self.shortest > self.longest:  # of several the first
                self.shortest, self.longest = max(pattern.low, 0), min(pattern.high, _MOST_INT)
        else:
            return False
        return True

    def _add_ints(self, low: int, high: int) -> None:
        low, high = max(low, -_MOST_INT), min(high, _MOST_INT - 1)
        if self.low > self.high or (low <= self.low and high >= self.high):
            self.low, self.high = low, high
        elif low <= self.high + 1 and high >= self.low - 1:
            self.low, self.high = min(low, self.low), max(high, self.high)

    def _add_literal(self, pattern: Is) -> None:
        value = pattern.value
        if value is None:
            self.kinds |= 1 << sym.NONE
        elif isinstance(value, bool):
            self.spelled.append(b"\x88" if value else b"\x89")
        elif isinstance(value, int):
            self._add_ints(value, value)
        elif isinstance(value, str):
            text = value.encode("utf-8", "surrogatepass")
            if len(text) <= _LONGEST_SPELLED:
                self.spelled.append(b"\x8c" + bytes([len(text)]) + text)
        elif isinstance(value, bytes) and len(value) <= _LONGEST_SPELLED:
            self.spelled.append(b"C" + bytes([len(value)]) + value)

    def admits(self, view: View, code: int) -> bool:
        """Whether the value surely matches."""
        kind = code & sym.KIND
        if self.kinds >> kind & 1:
            return True
        at = code >> sym.SHIFT
        if kind == sym.INT:
            value = prim.small_int(view.data, at)
            return self.low <= value <= self.high
        if kind == sym.MADE:
            maker: Global | None = prim.maker(view.heap, code)
            return maker is not None and (
                maker.dotted in self.instances
                or (maker.dotted in self.built and prim.state_of(view.heap, code) != 0)
                or (maker.dotted in self.empty and self._is_empty(view, code))
            )
        if kind == sym.GLOBAL:
            symbol: Global = prim.global_of(view.heap, code)
            return symbol.dotted in self.names
        if kind >= sym.FIRST_NODE:
            return kind <= sym.FROZENSET and self._holds(view, code, kind)
        if (kind == sym.BYTES or kind == sym.ENCODED) and self.shortest <= self.longest:
            size = prim.short_length(view.data, at) if kind == sym.BYTES else prim.latin1_length(view.data, at)
            if self.shortest <= size <= self.longest:
                return True
        return (kind == sym.STR or kind == sym.BYTES or kind == sym.BOOL) and self._is_spelled(view, code)

    def _is_empty(self, view: View, code: int) -> bool:
        """Whether it was made without arguments and is as it was then; looking freezes it."""
        args = prim.args_of(view.heap, code)
        if not prim.is_new(view.heap, code) or args & sym.KIND != sym.TUPLE or prim.count(view.heap, args):
            return False
        view.looked_at.append(code)
        return True

    def _is_spelled(self, view: View, code: int) -> bool:
        """Whether it is one of the literals, or a text that one of the expressions matches."""
        at = code >> sym.SHIFT
        for number in range(len(self.spelled)):
            if prim.is_spelled(view.data, at, self.spelled[number]):
                return True
        if not self.texts:
            return False
        text = view.text(code)
        if text is None:
            return False
        for number in range(len(self.texts)):
            texts: Texts = self.texts[number]
            if texts.admits(text):
                return True
        return False

    def _holds(self, view: View, code: int, kind: int) -> bool:
        for number in range(len(self.inside)):
            inside: Inside = self.inside[number]
            if inside.kind == kind and inside.admits(view, code):
                return True
        return False


class Texts:
    """Short texts that a regular expression matches: each is tried once, not once for each stream."""

    __slots__ = ("_compiled", "_known", "_pattern")

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._compiled: Any = None
        self._known: set[str] = set()

    def admits(self, text: str) -> bool:
        """Whether the expression matches the whole text."""
        if text in self._known:
            return True
        if len(text) > LONGEST_MATCHED_TEXT:
            return False
        if self._compiled is None:
            import re

            self._compiled = re.compile(self._pattern, re.ASCII)
        if self._compiled.fullmatch(text) is None:
            return False
        if len(text) <= _LONGEST_KEPT:
            if len(self._known) >= _MOST_TEXTS:
                self._known.clear()
            self._known.add(text)
        return True


_CONTAINERS: Final = sum(1 << kind for kind in range(sym.FIRST_NODE, sym.FROZENSET + 1))
_KINDS: Final = {"list": sym.LIST, "tuple": sym.TUPLE, "set": sym.SET, "frozenset": sym.FROZENSET}


def _kinds_of(word: str) -> int:
    """The kinds that match a word, a bit each; of what a call gave, its name decides too, so that is left out."""
    if word == "any":
        return (1 << 32) - 1  # more than there are
    if word == "instance":
        return 1 << sym.MADE
    kinds = [kind for kind, named in sym.WORDS.items() if named == word and kind not in (sym.MADE, sym.PRIOR)]
    if word == "bytes":
        kinds.append(sym.TEXT8)
    return sum(1 << kind for kind in kinds)


# -- Containers --------------------------------------------------------------------------------------------------------


def _inside(pattern: Pattern) -> Inside | None:
    """What a container's pattern asks of its inside; None for a pattern that is left to the long way."""
    if isinstance(pattern, Shape):
        return Signature(pattern)
    if isinstance(pattern, Items) and pattern.kind in _KINDS:
        return Members(pattern)
    if isinstance(pattern, DictItems):
        return Entries(pattern)
    if isinstance(pattern, Fields) and len(pattern.required) + len(pattern.optional) <= _MOST_FIELDS:
        return Named(pattern)
    if isinstance(pattern, Length):
        return _sized(pattern)
    return None


class Signature(Inside):
    """The items of a tuple one by one: the arguments of a call, or a tuple among them."""

    __slots__ = ("count", "is_open", "items", "looks")

    def __init__(self, shape: Shape) -> None:
        self.kind = sym.TUPLE
        self.items = [value_of(item) for item in shape.items]
        self.is_blind = any(item.is_blind for item in self.items)
        self.looks = any(item.inside or item.empty for item in self.items)
        self.count = len(self.items)
        self.is_open = bool(shape.rest)  # whether more items may follow

    def needs_nothing(self) -> bool:
        """Whether a tuple of no items matches."""
        return self.count == 0

    def admits(self, view: View, code: int) -> bool:
        """Whether the items of a tuple surely match."""
        count = prim.count(view.heap, code)
        if count < self.count or (count > self.count and not self.is_open):
            return False
        view.left -= self.count
        if view.left < 0:
            return False
        items = prim.peek(view.heap, code)
        for place in range(self.count):
            item = items[place]
            quick: Quick = self.items[place]
            if not quick.kinds >> (item & sym.KIND) & 1 and not quick.admits(view, item):
                return False
        return True


class Members(Inside):
    """Every item of a list, tuple or set alike."""

    __slots__ = ("item",)

    def __init__(self, pattern: Items) -> None:
        self.kind = _KINDS[pattern.kind]
        self.item = value_of(pattern.item)
        self.is_blind = self.item.is_blind

    def admits(self, view: View, code: int) -> bool:
        """Whether every item surely matches."""
        count = prim.count(view.heap, code)
        view.left -= count
        if view.left < 0:
            return False
        if self.kind == sym.LIST or self.kind == sym.SET:
            view.looked_at.append(code)
        items = prim.peek(view.heap, code)
        for place in range(count):  # noqa: SIM110 - compiled, `all()` would make an object of each step
            if not self.item.admits(view, items[place]):
                return False
        return True


class Entries(Inside):
    """Every key, and every value, of a dict alike."""

    __slots__ = ("key", "value")

    def __init__(self, pattern: DictItems) -> None:
        self.kind = sym.DICT
        self.key = value_of(pattern.key)
        self.value = value_of(pattern.value)
        self.is_blind = self.key.is_blind or self.value.is_blind

    def admits(self, view: View, code: int) -> bool:
        """Whether every key and every value surely match."""
        count = prim.count(view.heap, code)
        view.left -= count
        if view.left < 0:
            return False
        view.looked_at.append(code)
        items = prim.peek(view.heap, code)
        for place in range(0, count, 2):
            if not self.key.admits(view, items[place]) or not self.value.admits(view, items[place + 1]):
                return False
        return True


class Named(Inside):
    """The values of a dict by their keys, which are short texts."""

    __slots__ = ("needed", "places", "values")

    def __init__(self, pattern: Fields) -> None:
        self.kind = sym.DICT
        both = pattern.required + pattern.optional
        self.places = {name: place for place, (name, _) in enumerate(both)}
        self.values = [value_of(value) for _, value in both]
        self.is_blind = any(value.is_blind for value in self.values)
        self.needed = (1 << len(pattern.required)) - 1

    def admits(self, view: View, code: int) -> bool:
        """Whether every key is a field, every value surely matches, and no field is missing."""
        count = prim.count(view.heap, code)
        view.left -= count
        if view.left < 0:
            return False
        view.looked_at.append(code)
        items = prim.peek(view.heap, code)
        seen = 0
        for place in range(0, count, 2):
            text = view.text(items[place])
            number = -1 if text is None else self.places.get(text, -1)
            if number < 0:
                return False
            quick: Quick = self.values[number]
            if not quick.admits(view, items[place + 1]):
                return False
            seen |= prim.bit(number)
        return seen & self.needed == self.needed


class Sized(Inside):
    """A list or tuple of so many items, each as another pattern wants it, if one does."""

    __slots__ = ("high", "inner", "low")

    def __init__(self, kind: int, low: int, high: int, inner: Inside | None) -> None:
        self.kind = kind
        self.low = max(low, 0)
        self.high = min(high, _MOST_INT)
        self.inner = inner
        self.is_blind = inner is not None and inner.is_blind

    def admits(self, view: View, code: int) -> bool:
        """Whether the length is between the bounds, and the items surely match."""
        count = prim.count(view.heap, code)
        if self.kind == sym.LIST:
            view.looked_at.append(code)
        return self.low <= count <= self.high and (self.inner is None or self.inner.admits(view, code))


def _sized(pattern: Length) -> Sized | None:
    """What a length asks for, where what it is the length of is a list or tuple."""
    if isinstance(pattern.of, Word):
        kind, inner = _KINDS.get(pattern.of.kind, 0), None
    else:
        inner = _inside(pattern.of)
        kind = 0 if inner is None else inner.kind
    return Sized(kind, pattern.low, pattern.high, inner) if kind in (sym.LIST, sym.TUPLE) else None


# -- Names -------------------------------------------------------------------------------------------------------------


class Given:
    """What one grant says of the state that BUILD gives."""

    __slots__ = ("attributes", "is_blind", "layout", "value")

    def __init__(self, attributes: frozenset[str] | None, value: Pattern | None, layout: str | None) -> None:
        self.attributes = attributes
        self.value = None if value is None else value_of(value)
        self.layout = layout  # of a state that must agree with itself about memory, which is not decided here
        self.is_blind = self.value is not None and self.value.is_blind

    def admits(self, view: View, state: int) -> bool:
        """Whether the state surely matches; where there is a `layout`, that is left open."""
        if self.attributes is not None and not self._names_only(view, state, self.attributes):
            return False
        return self.value is None or self.value.admits(view, state)

    def _names_only(self, view: View, state: int, attributes: frozenset[str]) -> bool:
        """Whether a state that is a dict sets nothing but the attributes."""
        if state & sym.KIND != sym.DICT:
            return False
        count = prim.count(view.heap, state)
        view.left -= count
        if view.left < 0:
            return False
        view.looked_at.append(state)
        items = prim.peek(view.heap, state)
        for place in range(0, count, 2):
            text = view.text(items[place])
            if text is None or text not in attributes:
                return False
        return True


class Glance:
    """What can be said at a glance of a name, from its grants alone: the same for every stream under a policy."""

    __slots__ = (
        "calls", "fills", "fills_freely", "is_hashing", "is_new_of_nothing", "must_build_calls", "must_build_news",
        "news", "plain_state", "states",
    )  # fmt: skip

    def __init__(
        self,
        calls: list[Signature],
        news: list[Signature],
        plain_state: bool,
        states: list[Given],
        fills: list[Pattern | None],
        is_hashing: bool,
    ) -> None:
        self.calls = calls  # signatures of `call`
        self.news = news  # signatures of `new`
        self.must_build_calls = False  # whether what is called must be given its state
        self.must_build_news = False
        self.is_new_of_nothing = any(one.needs_nothing() for one in news)  # a grant admits `new` without arguments
        self.plain_state = plain_state  # a grant admits any state
        self.states = states  # what grants say of a state
        self.fills = fills  # what grants say of what is put in
        self.fills_freely = None in fills  # a grant says nothing of it
        self.is_hashing = is_hashing  # it hashes what it is called with


# What was prepared, by the identity of its pattern, and the pattern: so long as it is kept, no other one has its place.
_values: dict[int, tuple[Pattern, Quick]] = {}
_arguments: dict[int, tuple[Shape, Signature]] = {}


def value_of(pattern: Pattern) -> Quick:
    """The pattern of a value, prepared."""
    quick: Quick = _prepared(_values, pattern, Quick)
    return quick


def arguments_of(shape: Shape) -> Signature:
    """The arguments that a grant admits, prepared."""
    signature: Signature = _prepared(_arguments, shape, Signature)
    return signature


def _prepared(kept: dict[int, Any], pattern: Pattern, prepare: Callable[[Any], Any]) -> Any:
    known = kept.get(id(pattern))
    if known is None:
        if len(kept) >= _MOST_PREPARED:
            kept.clear()
        known = kept[id(pattern)] = pattern, prepare(pattern)
    return known[1]


#: What a grant without a word on arguments is: it admits all.
ANY_ARGUMENTS: Final = Signature(Shape((), rest=True))
