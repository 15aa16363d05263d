"""Grants that are read when they are asked for: a mapping whose names are known before what they grant.

The packaged policies list thousands of names, of which a pickle uses a few.  Rules:

* From the outside it is a mapping of names to grants as any other: the same names, in the same order, with the same
  grants as if all had been read at once.
* A name that it does not have is refused as ever; a grant that cannot be read raises, and nothing is granted.
* What has been read is kept, and joined policies share it.
* This module knows nothing of files and of YAML.
"""

from __future__ import annotations

from safepickle.hints import Any, Callable, Final, Iterator, Mapping, Union

Name = tuple[str, str]  # (module, qualified name)
Grants = tuple[Any, ...]  # each a `Grant` of `model.py`, which stands on this module


class Later:
    """The grants of one name, once they are asked for."""

    __slots__ = ("_grants", "_read")

    def __init__(self, read: Callable[[], Grants]) -> None:
        self._read: Callable[[], Grants] | None = read
        self._grants: Grants = ()

    def grants(self) -> Grants:
        """They themselves.  Raises what reading them raises, each time."""
        read = self._read
        if read is not None:
            self._grants = read()  # a second thread may do the same: it finds the same
            self._read = None
        return self._grants


#: What a mapping has for a name.
Part = Union[Grants, Later]


def once(listed: Grants) -> Grants:
    """Each grant once: what is only for people makes no difference."""
    if len(listed) == 1:
        return listed
    known: dict[Any, Any] = {}
    for grant in listed:
        known.setdefault(grant.conditions(), grant)
    return tuple(known.values())


def both(left: Part, right: Part) -> Part:
    """The grants of a name that two policies list."""
    if isinstance(left, Later) or isinstance(right, Later):
        return Later(lambda: once(_grants(left) + _grants(right)))
    # Packaged policies that include the same one have the very same grants of it.
    more = tuple(grant for grant in right if not any(grant is one for one in left))
    return left + more if more else left


def _grants(part: Part) -> Grants:
    return part.grants() if isinstance(part, Later) else part


class Deferred(Mapping[Name, Grants]):
    """A mapping of names to their grants.  Nothing changes it but that grants are read."""

    __slots__ = ("_parts",)

    def __init__(self, parts: dict[Name, Part]) -> None:
        self._parts: Final = parts

    def __getitem__(self, name: Name) -> Grants:
        return _grants(self._parts[name])

    def get(self, name: Name, default: Any = None) -> Any:
        """The grants of a name, or the default where it is not listed."""
        part = self._parts.get(name)
        return default if part is None else _grants(part)

    def __contains__(self, name: object) -> bool:
        return name in self._parts

    def __iter__(self) -> Iterator[Name]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def parts(self) -> dict[Name, Part]:
        """Each name with its grants, or with what will read them; a new dict."""
        return dict(self._parts)


def parts_of(grants: Mapping[Name, Grants]) -> dict[Name, Part]:
    """The same of any mapping of names to grants."""
    return grants.parts() if isinstance(grants, Deferred) else dict(grants)


def mapping(parts: dict[Name, Part]) -> Mapping[Name, Grants]:
    """The mapping that these parts are: a plain dict where nothing is left to be read."""
    if any(type(part) is Later for part in parts.values()):
        return Deferred(parts)
    return parts  # type: ignore[return-value]  # none of them is a Later
