"""Whether two objects are the same all through: types, values, order, attributes, and what is shared with what.

`==` is not enough where two readers of one pickle are compared: it takes 1 for True and 0.0 for -0.0, does not take nan
for nan, says nothing of most instances and does not see that one list became two.  Rules:

* An object that is no built-in container is what `__reduce_ex__` says it is made of.
* Sharing is compared for whatever can be told apart by it: numbers, texts, methods and the empty tuple are values.
* No recursion: objects may contain themselves, and nest deeper than Python calls.
* Both objects must come from this process: classes and functions are compared by identity.
"""

from __future__ import annotations

import struct
import types
from collections.abc import Iterator
from typing import Any, Final

_VALUES: Final = (int, str, bytes)  # told by type and `==`
_BY_IDENTITY: Final = (type, types.FunctionType, types.ModuleType, types.WrapperDescriptorType)
_MADE_ANEW: Final = (types.MethodType, types.BuiltinFunctionType)  # each time they are looked up
_BY_EQUALITY: Final = (types.MethodWrapperType, types.MethodDescriptorType, types.GenericAlias)


def difference(left: Any, right: Any) -> str:
    """Where the two first differ, or nothing where they are the same."""
    return _Comparison().run(left, right)


class _Comparison:
    """Which object of the left stands for which of the right, so far."""

    def __init__(self) -> None:
        self.partners: dict[int, int] = {}
        self.reverse: dict[int, int] = {}
        self.alive: list[Any] = []  # what `__reduce_ex__` gives is new: its identity must not be used again

    def run(self, left: Any, right: Any) -> str:
        pending: list[tuple[Any, Any, str]] = [(left, right, "value")]
        while pending:
            one, other, path = pending.pop()
            known = self._is_known(one, other)
            if known is None:
                return f"{path}: shared in one and not in the other"
            if known:
                continue
            wrong, inside = self._compare(one, other)
            if wrong:
                return f"{path}: {wrong}"
            pending += [(mine, theirs, f"{path}{step}") for mine, theirs, step in reversed(inside)]
        return ""

    def _is_known(self, one: Any, other: Any) -> bool | None:
        if isinstance(one, (*_VALUES, float, *_BY_IDENTITY, *_MADE_ANEW)) or (type(one) is tuple and not one):
            return False
        partner, back = self.partners.get(id(one)), self.reverse.get(id(other))
        if partner is None and back is None:
            self.partners[id(one)] = id(other)
            self.reverse[id(other)] = id(one)
            self.alive += [one, other]
            return False
        return True if partner == id(other) and back == id(one) else None

    def _compare(self, one: Any, other: Any) -> tuple[str, list[tuple[Any, Any, str]]]:
        """What is wrong with the two themselves, and what has to be compared inside of them."""
        kind = type(one)
        if kind is not type(other):
            return f"{kind.__name__} and {type(other).__name__}", []
        if kind in _VALUES or kind is bool or kind in (bytearray, complex, float):
            return ("", []) if _plain(one) == _plain(other) else (f"{one!r:.80} and {other!r:.80}", [])
        if one is other:
            return "", []
        if isinstance(one, _BY_IDENTITY) or (isinstance(one, _BY_EQUALITY) and one != other):
            return f"{one!r:.80} and {other!r:.80}", []
        if kind in (list, tuple, dict):
            return self._sequences(list(_items(one)), list(_items(other)))
        if isinstance(one, (set, frozenset)):  # a subclass, too, has its members in no order
            wrong, pairs = self._sets(one, other)
            return wrong, [*pairs, (getattr(one, "__dict__", None), getattr(other, "__dict__", None), ".__dict__")]
        return self._sequences(_parts(one), _parts(other))

    @staticmethod
    def _sequences(mine: list[Any], theirs: list[Any]) -> tuple[str, list[tuple[Any, Any, str]]]:
        if len(mine) != len(theirs):
            return f"{len(mine)} and {len(theirs)} items", []
        return "", [(one, other, f"[{index}]") for index, (one, other) in enumerate(zip(mine, theirs, strict=True))]

    def _sets(self, mine: Any, theirs: Any) -> tuple[str, list[tuple[Any, Any, str]]]:
        """Members in the order in which each member of one finds its like in the other."""
        if len(mine) != len(theirs):
            return f"{len(mine)} and {len(theirs)} members", []
        left = list(theirs)
        pairs = []
        for one in mine:
            partner = next((index for index, other in enumerate(left) if self._might_be(one, other)), None)
            if partner is None:
                return f"no like of the member {one!r:.80}", []
            pairs.append((one, left.pop(partner), "{}"))
        return "", pairs

    def _might_be(self, one: Any, other: Any) -> bool:
        trial = _Comparison()
        trial.partners, trial.reverse = dict(self.partners), dict(self.reverse)
        return not trial.run(one, other)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return "nan" if value != value else struct.pack(">d", value)
    if isinstance(value, complex):
        return _plain(value.real), _plain(value.imag)
    return value


def _items(container: Any) -> Iterator[Any]:
    for item in container:
        yield item
        if type(container) is dict:
            yield container[item]


def _parts(value: Any) -> list[Any]:
    """What an object is made of, as it would be pickled."""
    if isinstance(value, memoryview):
        return [bytes(value), value.readonly]
    if isinstance(value, types.MethodType):
        return [value.__func__, value.__self__]
    if isinstance(value, types.BuiltinFunctionType):  # a function has its module here, a bound method its object
        return [value.__name__, value.__self__]
    reduced = value.__reduce_ex__(4)
    if isinstance(reduced, str):
        return [reduced]
    return [list(part) if isinstance(part, Iterator) else part for part in reduced]
