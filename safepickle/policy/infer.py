"""From the values that samples hand to a call, or as state, to the narrowest pattern that is justified by them.

Rules:

* A pattern is about kinds and shapes, not about payload: a policy is reviewed, shared and committed, and shall not hold
  what the samples say.  Only short words that keep coming back in one place ('latin1', 'storage') are kept as text.
* An int is justified within the machine width (8, 16, 32 or 64 bits) that holds all that was seen.
* A container that others may hold too is not looked into: what a pattern has looked at must not change any more.
* What cannot be said in a few alternatives becomes a kind, or `any`.
* Work is linear in what is looked at: every value counts once in each place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Final

from safepickle import symbols as sym
from safepickle.matching import Matcher
from safepickle.policy.order import joined
from safepickle.policy.patterns import (
    ANY,
    AnyOf,
    DictItems,
    GlobalNamed,
    InstanceOf,
    IntRange,
    Is,
    Items,
    Pattern,
    Shape,
    Word,
)
from safepickle.symbols import Heap

#: No science went into these numbers: what a reviewer still reads.
MOST_ALTERNATIVES: Final = 8
LONGEST_SHAPE: Final = 12
#: A word that is the same in so many uses is no payload.
ENOUGH_USES: Final = 3
MOST_WORDS: Final = 4
LONGEST_WORD: Final = 24
_WIDTHS: Final = (8, 16, 32, 64)
_SEQUENCES: Final = {sym.LIST: "list", sym.TUPLE: "tuple", sym.SET: "set", sym.FROZENSET: "frozenset"}
_PLAIN: Final = frozenset({"none", "bool", "float", "complex", "bytes", "bytearray", "buffer", "set", "frozenset"})


_numbers: Final = count()


class View:
    """One judged pickle, for looking at its values.  `number` tells it from all others, also once it is gone."""

    __slots__ = ("heap", "matcher", "number")

    def __init__(self, heap: Heap, matcher: Matcher) -> None:
        self.number = next(_numbers)
        self.heap = heap
        self.matcher = matcher


class Summary:
    """What was seen in one place: a position of a signature, a field, the items of a container."""

    __slots__ = (
        "_any", "_arities", "_entries", "_globals", "_high", "_instances", "_items", "_low", "_room", "_seen",
        "_texts", "_words", "uses",
    )  # fmt: skip

    def __init__(self, room: int) -> None:
        """`room` is how many levels of containers may be looked into."""
        self._room = room
        self.uses = 0
        self._any = False
        self._words: dict[str, None] = {}  # kinds, as words of the language
        self._texts: dict[str, int] | None = {}  # how often each; None: too many, or no words
        self._low: int | None = None
        self._high: int | None = None
        self._globals: dict[str, None] = {}
        self._instances: dict[str, None] = {}
        self._items: dict[str, Summary] = {}  # by kind of container
        self._arities: dict[int, list[Summary]] = {}  # of tuples
        self._entries: tuple[Summary, Summary] | None = None  # keys and values of dicts
        self._seen: set[tuple[int, int]] = set()

    def add(self, view: View, code: int) -> None:
        """Count a value in."""
        self.uses += 1
        kind = code & sym.KIND
        if kind in (sym.STR, sym.TEXT8):
            self._add_text(view, code, kind)
        elif kind == sym.INT:
            self._add_int(view.matcher.value(code))
        elif (view.number, code) not in self._seen:
            self._seen.add((view.number, code))
            self._add_once(view, code, kind)

    def _add_once(self, view: View, code: int, kind: int) -> None:
        word = view.matcher.word(code)
        if kind == sym.GLOBAL:
            self._globals[view.heap.of(code).dotted] = None
        elif word in _PLAIN and kind not in _SEQUENCES:
            self._words[word] = None
        elif kind == sym.MADE and view.heap.of(code).origin is not None:
            self._instances[view.heap.of(code).origin.dotted] = None
        elif kind in _SEQUENCES or kind == sym.DICT:
            self._add_container(view, code, kind)
        elif kind == sym.PERSISTENT:
            self._words["persistent"] = None
        else:
            self._any = True

    def _add_text(self, view: View, code: int, kind: int) -> None:
        if kind == sym.TEXT8:  # the loader chooses whether it is text or bytes
            self._words |= {"str": None, "bytes": None}
        if self._texts is None:
            return
        text = "" if view.matcher.text_bytes(code) else view.matcher.text(code)
        if _is_word(text) and (text in self._texts or len(self._texts) < MOST_WORDS):
            self._texts[text] = self._texts.get(text, 0) + 1
        else:
            self._texts = None

    def _add_int(self, value: int) -> None:
        self._low = value if self._low is None else min(self._low, value)
        self._high = value if self._high is None else max(self._high, value)

    def _add_container(self, view: View, code: int, kind: int) -> None:
        word = "dict" if kind == sym.DICT else _SEQUENCES[kind]
        is_shared = kind in (sym.LIST, sym.SET, sym.DICT) and view.heap.is_lent(code)
        if not self._room or is_shared:
            self._words[word] = None
            return
        codes = view.heap.codes(code)
        if kind == sym.DICT:
            self._add_dict(view, codes)
        elif (
            kind == sym.TUPLE
            and len(codes) <= LONGEST_SHAPE
            and (len(codes) in self._arities or len(self._arities) < MOST_ALTERNATIVES)
        ):
            places = self._arities.setdefault(len(codes), [Summary(self._room - 1) for _ in codes])
            for place, item in zip(places, codes, strict=True):
                place.add(view, item)
        else:
            items = self._items.setdefault(word, Summary(self._room - 1))
            for item in codes:
                items.add(view, item)

    def _add_dict(self, view: View, pairs: list[int]) -> None:
        if self._entries is None:
            self._entries = Summary(self._room - 1), Summary(self._room - 1)
        keys, values = self._entries
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            keys.add(view, key)
            values.add(view, value)

    # The pattern

    def pattern(self, known: Callable[[str], bool]) -> Pattern:
        """The narrowest pattern that is justified; `known` says which dotted names a pattern can refer to."""
        if self._any:
            return ANY
        found = [*self._scalars(), *self._named(known), *self._containers(known)]
        return joined(found, MOST_ALTERNATIVES) if found else ANY

    def _scalars(self) -> Iterable[Pattern]:
        yield from map(Word, self._words)
        if self._low is not None and self._high is not None:
            yield _int_pattern(self._low, self._high)
        texts = self._texts
        if texts is None:
            yield Word("str")
        elif texts and sum(texts.values()) >= max(ENOUGH_USES, 2 * len(texts)):
            yield from (Is("str", text) for text in sorted(texts))
        elif texts:
            yield Word("str")

    def _named(self, known: Callable[[str], bool]) -> Iterable[Pattern]:
        for names, one, word in ((self._globals, GlobalNamed, "global"), (self._instances, InstanceOf, "instance")):
            if names and len(names) <= MOST_ALTERNATIVES // 2 and all(map(known, names)):
                yield from map(one, sorted(names))
            elif names:
                yield Word(word)

    def _containers(self, known: Callable[[str], bool]) -> Iterable[Pattern]:
        for word, items in self._items.items():
            yield Items(word, items.pattern(known)) if items.uses else Word(word)
        for arity in sorted(self._arities):
            yield Shape(tuple(place.pattern(known) for place in self._arities[arity]))
        if self._entries is not None:
            keys, values = self._entries
            yield DictItems(keys.pattern(known), values.pattern(known)) if keys.uses else Word("dict")


def _is_word(text: str) -> bool:
    if not (0 < len(text) <= LONGEST_WORD and text.isascii()):
        return False
    return all(char.isalnum() or char in "_-<>=|.:" for char in text)


def _int_pattern(low: int, high: int) -> Pattern:
    for width in _WIDTHS:
        if low >= 0 and high < 1 << width:
            return IntRange(0, (1 << width) - 1)
        if low < 0 and -(1 << width - 1) <= low and high < 1 << width - 1:
            return IntRange(-(1 << width - 1), (1 << width - 1) - 1)
    return Word("int")


def shallow(pattern: Pattern, room: int) -> Pattern:
    """`pattern`, looking into no more than `room` levels of containers."""
    match pattern:
        case AnyOf(ways):
            return joined((shallow(way, room) for way in ways), MOST_ALTERNATIVES)
        case Items(kind, item):
            return Items(kind, shallow(item, room - 1)) if room else Word(kind)
        case Shape(items, rest):
            return Shape(tuple(shallow(item, room - 1) for item in items), rest) if room else Word("tuple")
        case DictItems(key, value):
            return DictItems(shallow(key, room - 1), shallow(value, room - 1)) if room else Word("dict")
    return pattern
