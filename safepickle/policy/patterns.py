"""Argument patterns: what a policy can say about the values that a stream hands to a call, a `new` or a BUILD.

Rules:

* A pattern is frozen, hashable data.  It says what it wants; `matching.py` decides it on a stream's symbolic values and
  `parse.py` reads it from YAML.
* What cannot be known from the stream itself matches only `any`.
* `int`, `str`, ... mean exact built-in values that the stream spells out: never instances of a subclass; `int` does not
  match a bool.
* This module knows no YAML, no opcodes and no values of a stream.
"""

from __future__ import annotations

from safepickle.hints import Any, Final, Mapping, NamedTuple, TypeAlias, TypeVar

#: The words of the language that stand for a pattern by themselves.
WORDS: Final = frozenset({
    "none", "bool", "int", "float", "complex", "str", "bytes", "bytearray", "list", "tuple", "dict", "set",
    "frozenset", "buffer", "any", "global", "instance", "persistent",
})  # fmt: skip
#: A word that only a signature's last place may hold: any further arguments.
REST: Final = "rest"
#: States whose sizes have to add up, each with the class that it is the state of; `memory.py` judges them.
LAYOUTS: Final = {
    "dtype": "numpy.dtype",
    "array": "numpy.ndarray",
    "masked_array": "numpy.ma.MaskedArray",
    "image": "PIL.Image.Image",
}
#: What an argument can be that says how memory is looked at; `tensors.py` judges it.  It comes behind a storage, an
#: offset and sizes.
VIEWS: Final = frozenset({"strides", "dense_strides"})
VIEW_FIELD: Final = 3
#: What `fill` makes of an object, seen from what is put into it.
FILLABLE: Final = frozenset({"list", "dict", "set"})
#: Longest text that a regular expression is tried on; a longer one does not match.
LONGEST_MATCHED_TEXT: Final = 4096


def _is_alike(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(tuple.__eq__(one, other))


def _is_different(one: Any, other: Any) -> bool:
    return not _is_alike(one, other)


def _hash(one: Any) -> int:
    return hash((type(one).__name__, *one))


_AnyPattern = TypeVar("_AnyPattern", bound=type)


def _of_its_own_kind(cls: _AnyPattern) -> _AnyPattern:
    """Make it equal to its own kind alone: as tuples, {global: m.C} and {instance: m.C} would be the same."""
    for name, method in (("__eq__", _is_alike), ("__ne__", _is_different), ("__hash__", _hash)):
        setattr(cls, name, method)
    return cls


@_of_its_own_kind
class Word(NamedTuple):
    """A kind of value: one of `WORDS`."""

    kind: str


class Is(NamedTuple):
    """Exactly this literal: `kind` is none, bool, int, float, str or bytes, and `value` of that type."""

    kind: str
    value: None | bool | int | float | str | bytes


@_of_its_own_kind
class Regex(NamedTuple):
    """A text that the regular expression matches as a whole, ASCII classes, at most `LONGEST_MATCHED_TEXT` long."""

    pattern: str


class IntRange(NamedTuple):
    """An int, not a bool, between the bounds, both included."""

    low: int
    high: int


@_of_its_own_kind
class GlobalNamed(NamedTuple):
    """A reference to this listed global, spelled `module.QualifiedName`."""

    dotted: str


@_of_its_own_kind
class InstanceOf(NamedTuple):
    """What `new` or `call` of exactly this listed name gave, spelled `module.QualifiedName`."""

    dotted: str


@_of_its_own_kind
class Built(NamedTuple):
    """`InstanceOf`, and BUILD has given it its state already."""

    dotted: str


class Filled(NamedTuple):
    """`InstanceOf`, made without arguments and given no state; what was put into it, as one container, is `items`."""

    dotted: str
    items: Pattern


@_of_its_own_kind
class Memory(NamedTuple):
    """What C code takes for what is in memory: a whole state of one of the `LAYOUTS`, or an argument of the `VIEWS`."""

    layout: str


class Items(NamedTuple):
    """A list, tuple, set or frozenset (`kind`) whose items all match `item`."""

    kind: str
    item: Pattern


class DictItems(NamedTuple):
    """A dict whose keys all match `key` and whose values all match `value`."""

    key: Pattern
    value: Pattern


class Fields(NamedTuple):
    """A dict with these text keys and no others; the optional ones may be missing."""

    required: tuple[tuple[str, Pattern], ...]
    optional: tuple[tuple[str, Pattern], ...]


class Length(NamedTuple):
    """A text, bytes or container that matches `of` and has between `low` and `high` characters, bytes or items."""

    low: int
    high: int
    of: Pattern


class LengthProduct(NamedTuple):
    """As many items as the product of the tuple of ints in field `field` (from 0) of the enclosing tuple pattern."""

    field: int
    of: Pattern


class AnyOf(NamedTuple):
    """Any one of the alternatives."""

    alternatives: tuple[Pattern, ...]


class Shape(NamedTuple):
    """A tuple of exactly these items, and any further ones if `rest`.  A signature is a Shape over the arguments."""

    items: tuple[Pattern, ...]
    rest: bool = False


Pattern: TypeAlias = (
    Word
    | Is
    | Regex
    | IntRange
    | GlobalNamed
    | InstanceOf
    | Built
    | Filled
    | Memory
    | Items
    | DictItems
    | Fields
    | Length
    | LengthProduct
    | AnyOf
    | Shape
)

ANY: Final = Word("any")


def children(pattern: Pattern) -> tuple[Pattern, ...]:
    """The patterns that `pattern` is directly made of."""
    if isinstance(pattern, Shape):
        return pattern.items
    if isinstance(pattern, AnyOf):
        return pattern.alternatives
    if isinstance(pattern, DictItems):
        return pattern.key, pattern.value
    if isinstance(pattern, Fields):
        return tuple(value for _, value in pattern.required + pattern.optional)
    if isinstance(pattern, Items):
        return (pattern.item,)
    if isinstance(pattern, Filled):
        return (pattern.items,)
    return (pattern.of,) if isinstance(pattern, (Length, LengthProduct)) else ()


def admits_nothing(pattern: Pattern) -> bool:
    """Whether a pattern of what was put into an object matches where that is nothing."""
    if isinstance(pattern, Length):
        return pattern.low <= 0 <= pattern.high and admits_nothing(pattern.of)
    return not pattern.required if isinstance(pattern, Fields) else isinstance(pattern, (Word, Items, DictItems))


def renamed(pattern: Pattern, names: Mapping[str, str]) -> Pattern:
    """`pattern` with the dotted names in it replaced as `names` says."""
    if isinstance(pattern, (GlobalNamed, InstanceOf, Built)):
        return pattern._replace(dotted=names.get(pattern.dotted, pattern.dotted))
    if isinstance(pattern, Filled):
        return Filled(names.get(pattern.dotted, pattern.dotted), renamed(pattern.items, names))
    if isinstance(pattern, Shape):
        return renamed_shape(pattern, names)
    if isinstance(pattern, AnyOf):
        return AnyOf(tuple(renamed(way, names) for way in pattern.alternatives))
    if isinstance(pattern, DictItems):
        return DictItems(renamed(pattern.key, names), renamed(pattern.value, names))
    if isinstance(pattern, Fields):
        return Fields(renamed_pairs(pattern.required, names), renamed_pairs(pattern.optional, names))
    if isinstance(pattern, Items):
        return pattern._replace(item=renamed(pattern.item, names))
    if isinstance(pattern, (Length, LengthProduct)):
        return pattern._replace(of=renamed(pattern.of, names))
    return pattern


def renamed_shape(shape: Shape, names: Mapping[str, str]) -> Shape:
    """`renamed` for a signature."""
    return shape._replace(items=tuple(renamed(item, names) for item in shape.items))


def renamed_pairs(pairs: tuple[tuple[str, Pattern], ...], names: Mapping[str, str]) -> tuple[tuple[str, Pattern], ...]:
    """`renamed` for keywords and fields."""
    return tuple((key, renamed(pattern, names)) for key, pattern in pairs)
