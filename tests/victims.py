"""The application that the attacks are aimed at: classes, functions and values as real programs have them.

Policies under `data/attacks/policies` list some of these names; the attacks go through them or around them.  Two
things show that an attack came through: `RAN`, to which every canary adds its name when it is run, and `snapshot()`,
which describes all of this module so that two descriptions can be compared.

A canary is anything that a refused stream must not run: it only records, so that the attacks may also be shown to the
plain `pickle` of CPython, which does run them.  This module knows nothing of the package.
"""

from __future__ import annotations

import enum
import os
import sys
import types
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

RAN: Final[list[str]] = []
"""The canaries that were run, in order."""

reexported_os = os  # a listed module often carries others along: `victims.reexported_os.system`


# --- Canaries --------------------------------------------------------------------------------------------------------
def canary(*_arguments: object, **_keywords: object) -> str:
    """No policy lists this function."""
    RAN.append("canary")
    return "the canary ran"


def record(*_arguments: object, **_keywords: object) -> str:
    """Policies list this one: it may be called, but only by a stream that is admitted as a whole."""
    RAN.append("record")
    return "recorded"


def _private(*_arguments: object) -> str:
    RAN.append("_private")
    return "private"


# --- Listed functions ------------------------------------------------------------------------------------------------
def harmless(*_arguments: object, **_keywords: object) -> str:
    """A function that may be called by anybody and records nothing."""
    return "os"  # a text that would be a module's name, if a result could become one


def keep(*arguments: object) -> list[object]:
    """A fresh list of its arguments: what was checked when it was called is what it holds on to."""
    return list(arguments)


def shared_list() -> list[object]:
    """The module's own list, not a copy."""
    return SHARED_LIST


def shared_dict() -> dict[object, object]:
    """The module's own dict, not a copy."""
    return SHARED_DICT


def shared_set() -> set[object]:
    """The module's own set, not a copy."""
    return SHARED_SET


def shared_instance() -> Plain:
    """The module's own instance, not a copy."""
    return INSTANCE


def the_module() -> types.ModuleType:
    """This module."""
    return sys.modules[__name__]


def the_class() -> type:
    """A class of this module."""
    return Plain


def the_function() -> Callable[..., str]:
    """A function of this module."""
    return canary


def the_member() -> Colour:
    """A member of an enumeration: the process has one of it."""
    return Colour.RED


def the_pairs() -> dict[str, object]:
    """State that no stream spells out."""
    return {"ask": 1, "method": canary}


def leaves_the_process(*_arguments: object) -> NoReturn:
    """Raises what is no Exception."""
    raise SystemExit(3)


def runs_out_of_memory(*_arguments: object) -> NoReturn:
    """Raises what allocating too much raises."""
    raise MemoryError


def recurses_too_deep(*_arguments: object) -> NoReturn:
    """Raises what endless recursion raises."""
    raise RecursionError("too deep")


def stops_an_iteration(*_arguments: object) -> NoReturn:
    """Raises what a loop around it would take for its end."""
    raise StopIteration


def ends_the_file(*_arguments: object) -> NoReturn:
    """Raises what `while True: load()` takes for its end."""
    raise EOFError


def misses_a_key(*_arguments: object) -> NoReturn:
    """Raises a LookupError."""
    raise KeyError("missing")


def raises_its_own(*_arguments: object) -> NoReturn:
    """Raises a BaseException of its own."""
    raise Unusual("nobody expects this one")


class Unusual(BaseException):
    """Not an Exception, and none of Python's."""


# --- Listed classes --------------------------------------------------------------------------------------------------
class Plain:
    """An ordinary class."""

    limit = 10

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments

    def method(self, *_arguments: object) -> str:
        """A method that is not listed unless a policy says so."""
        RAN.append("Plain.method")
        return "method"

    @classmethod
    def make(cls, *_arguments: object) -> Plain:
        """An alternative constructor."""
        return cls()

    class Nested:
        """A class inside a class."""

        def __init__(self, *arguments: object) -> None:
            self.arguments = arguments


class NotPlain:
    """A class that no policy lists."""

    def __init__(self, *_arguments: object, **_keywords: object) -> None:
        RAN.append("NotPlain")


class Slotted:
    """A class whose instances have no dict."""

    __slots__ = ("a", "b")

    def __init__(self, *_arguments: object) -> None:
        self.a = self.b = None


class SlottedWithDict:
    """A class whose instances have both."""

    __slots__ = ("__dict__", "a")


class WithSetState:
    """A class that takes its state itself."""

    def __setstate__(self, state: object) -> None:
        self.state = state


class Adopting:
    """A class that makes the state its own dict, as many do: what the stream does to the one it does to the other."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state


class ListBag(list[Any]):
    """A list with a dict."""


class DictBag(dict[Any, Any]):
    """A dict with a dict."""


class SetBag(set[Any]):
    """A set with a dict."""


class TextBag(str):
    """A str that is not exactly str; it claims to equal every text."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        RAN.append("TextBag.__eq__")
        return True

    def __hash__(self) -> int:
        RAN.append("TextBag.__hash__")
        return hash("Plain")


Pair = namedtuple("Pair", ["first", "second"])  # noqa: PYI024  # a tuple subclass, as old code makes them


class Appender:
    """Has the methods that APPEND, APPENDS and ADDITEMS look for, without being a container."""

    def append(self, _item: object) -> None:
        """Records."""
        RAN.append("Appender.append")

    def extend(self, _items: object) -> None:
        """Records."""
        RAN.append("Appender.extend")

    def add(self, _item: object) -> None:
        """Records."""
        RAN.append("Appender.add")


class Invokable:
    """A class whose instances can be called."""

    def __call__(self, *_arguments: object) -> str:
        RAN.append("Invokable.__call__")
        return "called"


class Guarded:
    """A class with a property: setting it does something."""

    @property
    def handler(self) -> str:
        """What handles."""
        return "nothing"

    @handler.setter
    def handler(self, _value: object) -> None:
        RAN.append("Guarded.handler")


class Answering:
    """A class that answers for every attribute."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        RAN.append("Answering.__getattr__")
        return canary


class Dying:
    """A class whose instances do something when they are freed."""

    def __del__(self) -> None:
        RAN.append("Dying.__del__")


class Meta(type):
    """A metaclass: a call of it makes a class."""


@dataclass(frozen=True)
class Frozen:
    """A value: it is compared and hashed by its fields."""

    a: object
    b: object


class Colour(enum.Enum):
    """An enumeration: its members are the process's own."""

    RED = 1
    BLUE = 2


class Level(enum.IntFlag):
    """An enumeration whose members are ints."""

    LOW = 1
    HIGH = 2


# --- Listed values ---------------------------------------------------------------------------------------------------
SHARED_LIST: Final[list[object]] = ["kept"]
SHARED_DICT: Final[dict[object, object]] = {"kept": True}
SHARED_SET: Final[set[object]] = {"kept"}
INSTANCE: Final = Plain("kept")
NOT_A_CLASS: Final = 5


# --- What a test compares --------------------------------------------------------------------------------------------
def snapshot() -> dict[str, object]:
    """A description of everything in this module but `RAN`, equal to another one if nothing was changed between."""
    this = sys.modules[__name__]
    names = {name: value for name, value in vars(this).items() if name != "RAN"}
    return {name: (id(value), _described(value)) for name, value in names.items()}


def _described(value: object) -> object:
    if isinstance(value, enum.Enum):
        return dict(vars(value))
    if isinstance(value, type) and value.__module__ == __name__:
        return {
            "bases": value.__bases__,
            "dict": {name: (id(item), _described(item)) for name, item in vars(value).items() if _is_ours(name)},
        }
    if isinstance(value, types.FunctionType):
        return (value.__code__, value.__defaults__, dict(value.__kwdefaults__ or {}), dict(vars(value)))
    if isinstance(value, (list, dict, set)):
        return value.copy()
    if isinstance(value, Plain):
        return (type(value), dict(vars(value)))
    return None


def _is_ours(name: str) -> bool:
    """Python itself fills in some of a class's attributes when they are first asked for."""
    return name not in {"__annotations__", "__abstractmethods__", "__weakref__", "__dict__", "__static_attributes__"}
