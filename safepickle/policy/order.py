"""Which policy admits at least what another one admits: an order on patterns, on grants, and on what a name may do.

`diff` says "widened" by it, `lint` says "covered", and `learn` leaves out what is covered.  Rules:

* It is sound and not complete: where it says that one pattern admits all that another does, that is so; where it does
  not say so, nobody knows.  A test holds it against the matcher.
* It compares what `matching.py` decides, and decides nothing about streams itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from safepickle.policy.model import BUILD, CALL, FILL, NEW, Grant, builds
from safepickle.policy.patterns import (
    ANY,
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
)

# The word that a pattern is a narrower form of, where there is one.
_WORD_OF: Final[dict[type, str]] = {
    Regex: "str", IntRange: "int", GlobalNamed: "global", InstanceOf: "instance", DictItems: "dict", Fields: "dict",
    Shape: "tuple", Built: "instance", Filled: "instance", Memory: "tuple",
}  # fmt: skip


def covers(wide: Pattern, narrow: Pattern) -> bool:
    """Whether whatever `narrow` matches is surely matched by `wide`."""
    if wide in (ANY, narrow):
        return True
    if isinstance(narrow, AnyOf):
        return all(covers(wide, way) for way in narrow.alternatives)
    if isinstance(wide, AnyOf):
        return any(covers(way, narrow) for way in wide.alternatives)
    if isinstance(narrow, Length) and not isinstance(wide, (Length, LengthProduct)):
        return covers(wide, narrow.of)
    if isinstance(narrow, LengthProduct) and not isinstance(wide, LengthProduct):
        return covers(wide, narrow.of)
    if isinstance(wide, Word):
        return _is_of_kind(wide.kind, narrow)
    return _covers_alike(wide, narrow)


def _is_of_kind(kind: str, narrow: Pattern) -> bool:
    if isinstance(narrow, (Is, Items)):
        return narrow.kind == kind
    return _WORD_OF.get(type(narrow)) == kind


def _covers_alike(wide: Pattern, narrow: Pattern) -> bool:
    match wide, narrow:
        case IntRange(low, high), IntRange(least, most):
            return low <= least and most <= high
        case IntRange(low, high), Is("int", int(value)):
            return low <= value <= high
        case InstanceOf(dotted), Built(made) | Filled(made):
            return dotted == made
        case Filled(dotted, items), Filled(made, inner):
            return dotted == made and covers(items, inner)
        case Items(kind, item), Items(same, inner):
            return kind == same and covers(item, inner)
        case Items("tuple", item), Shape(items, False):
            return all(covers(item, inner) for inner in items)
        case Length(low, high, of), Length(least, most, inner):
            return low <= least and most <= high and covers(of, inner)
        case LengthProduct(field, of), LengthProduct(same_field, inner):
            return field == same_field and covers(of, inner)
        case Shape(), Shape():
            return covers_shape(wide, narrow)
        case _:
            return _covers_dict(wide, narrow)


def _covers_dict(wide: Pattern, narrow: Pattern) -> bool:
    match wide, narrow:
        case DictItems(key, value), DictItems(inner_key, inner_value):
            return covers(key, inner_key) and covers(value, inner_value)
        case Fields(required, optional), Fields(theirs, theirs_too):
            wanted = dict(required + optional)
            given = dict(theirs + theirs_too)
            return {name for name, _ in required} <= {name for name, _ in theirs} and all(
                name in wanted and covers(wanted[name], pattern) for name, pattern in given.items()
            )
    return False


def covers_shape(wide: Shape, narrow: Shape) -> bool:
    """`covers` for signatures."""
    count = len(wide.items)
    if len(narrow.items) < count or (not wide.rest and (narrow.rest or len(narrow.items) > count)):
        return False
    return all(covers(want, given) for want, given in zip(wide.items, narrow.items, strict=False))


def grant_covers(wide: Grant, narrow: Grant, verb: str) -> bool:
    """Whether `wide` admits every use of `verb` that `narrow` admits.  Both have the verb."""
    if verb in (CALL, NEW):
        if narrow.then_build < wide.then_build:
            return False
        return _covers_arguments(wide, narrow) and (verb == CALL or _covers_keywords(wide, narrow))
    if verb == FILL:
        return wide.fill is None or (narrow.fill is not None and covers(wide.fill, narrow.fill))
    if verb != BUILD:
        return True
    ways = [called for called in (True, False) if builds(narrow, called=called)]
    return all(builds(wide, called=called) for called in ways) and _covers_state(wide, narrow)


def _covers_arguments(wide: Grant, narrow: Grant) -> bool:
    if wide.args is None:
        return True
    return narrow.args is not None and all(
        any(covers_shape(shape, given) for shape in wide.args) for given in narrow.args
    )


def _covers_keywords(wide: Grant, narrow: Grant) -> bool:
    if narrow.base is not None and wide.base != narrow.base:
        return False
    if wide.kwargs is None:
        # A grant with args and without kwargs admits no keyword.
        return wide.args is None or (narrow.args is not None and not narrow.kwargs)
    if narrow.kwargs is None:
        return narrow.args is not None
    wanted = dict(wide.kwargs)
    return all(name in wanted and covers(wanted[name], pattern) for name, pattern in narrow.kwargs)


def _covers_state(wide: Grant, narrow: Grant) -> bool:
    if wide.attributes is not None and (narrow.attributes is None or not wide.attributes >= narrow.attributes):
        return False
    return wide.state is None or (narrow.state is not None and covers(wide.state, narrow.state))


def joined(patterns: Iterable[Pattern], most: int) -> Pattern:
    """One pattern that admits what any of these does: their alternatives, none covered by another, `most` of them."""
    flat: list[Pattern] = []
    for pattern in patterns:
        flat += pattern.alternatives if isinstance(pattern, AnyOf) else [pattern]
    kept: list[Pattern] = []
    for pattern in dict.fromkeys(flat):
        if not any(covers(other, pattern) for other in kept):
            kept = [other for other in kept if not covers(pattern, other)] + [pattern]
    if not kept or len(kept) > most:
        return ANY
    return kept[0] if len(kept) == 1 else AnyOf(tuple(kept))
