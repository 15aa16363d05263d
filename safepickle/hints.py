"""What annotations and records are written with, without `typing`.

To import `typing`, with `re`, `enum` and whatever else it needs, and to have it make the package's records takes longer
than all the rest of `import safepickle`.  Type checkers see the originals.  At run time the names for annotations are
stand-ins, so that annotations can be resolved, and a `NamedTuple` is the subclass of `tuple` that the original makes.

Rules:

* Every module that `import safepickle` loads takes these names from here; the others need not.
* It imports only what `_pickle` loads in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any as Any
    from typing import Final as Final
    from typing import NamedTuple as NamedTuple
    from typing import NoReturn as NoReturn
    from typing import Protocol as Protocol
    from typing import TypeAlias as TypeAlias
    from typing import TypeVar as TypeVar
    from typing import Union as Union
else:
    from collections import _tuplegetter  # reads an item as fast as a slot; a property where there is none in C

    class _Anything:
        """A special form, with or without what stands in its brackets; any object is one of it."""

        def __class_getitem__(cls, _: object) -> type:
            return object

    def TypeVar(_name: str, **_options: object) -> type:  # noqa: N802 - named as what it stands for
        """Stand in for a type variable."""
        return object

    Any = object
    Final = NoReturn = TypeAlias = Union = _Anything

    class Protocol:
        """Stands in for a base class that says nothing."""

        __slots__ = ()

    class _Record(type):
        """Makes subclasses of `tuple`, with a name for each item, of what is derived from NamedTuple."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, object]) -> type:
            if not bases:
                return type.__new__(cls, name, bases, body)
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            named = {field: _tuplegetter(index, "") for index, field in enumerate(fields)}
            known = {"_fields": fields, "_field_defaults": defaults, "__match_args__": fields, "__slots__": ()}
            return type.__new__(type, name, (tuple,), _METHODS | body | named | known)

    class NamedTuple(metaclass=_Record):
        """What is derived from this is a tuple whose items have names, and some of them defaults."""

    def _new(cls: type, /, *items: object, **named: object) -> tuple:
        if named or len(items) != len(cls._fields):
            items = _completed(cls, items, named)
        return tuple.__new__(cls, items)

    def _completed(cls: type, items: tuple, named: dict[str, object]) -> Iterator[object]:
        """All items of a record of which some were given by place, some by name, and some not at all."""
        fields = cls._fields
        twice = [field for field in fields[: len(items)] if field in named]
        rest = fields[len(items) :]
        given = cls._field_defaults | named
        unknown = named.keys() - {*fields}
        lacking = [field for field in rest if field not in given]
        if len(items) > len(fields) or twice or unknown or lacking:
            raise TypeError(
                f"{cls.__name__}() takes {', '.join(fields) or 'nothing'}: "
                f"{len(items)} given by place, twice: {twice}, unknown: {sorted(unknown)}, lacking: {lacking}"
            )
        return (*items, *(given[field] for field in rest))

    def _replace(self: tuple, /, **changes: object) -> tuple:
        """This record with some items replaced."""
        items = [changes.pop(field, item) for field, item in zip(self._fields, self, strict=True)]
        if changes:
            raise ValueError(f"Got unexpected field names: {[*changes]!r}")
        return tuple.__new__(type(self), items)

    def _make(cls: type, items: Iterable[object]) -> tuple:
        """A record of these items."""
        return cls(*items)

    def _asdict(self: tuple) -> dict[str, object]:
        """The items by their names."""
        return dict(zip(self._fields, self, strict=True))

    def _repr(self: tuple) -> str:
        items = ", ".join(f"{field}={item!r}" for field, item in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({items})"

    def _items(self: tuple) -> tuple:
        return tuple(self)

    _METHODS = {
        "__new__": _new, "__repr__": _repr, "__getnewargs__": _items, "_replace": _replace, "_asdict": _asdict,
        "_make": classmethod(_make),
    }  # fmt: skip

__all__ = [
    "TYPE_CHECKING", "Any", "Callable", "Final", "Iterable", "Iterator", "Mapping", "NamedTuple", "NoReturn",
    "Protocol", "Sequence", "Sized", "TypeAlias", "TypeVar", "Union",
]  # fmt: skip
