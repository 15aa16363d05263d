"""The pickler against C `_pickle` of the running interpreter: the same bytes, the same calls, the same errors.

Nothing here says what a pickle should look like.  Every property is "as C does", for every protocol and with and
without `fix_imports`, into memory and into a file.
"""

from __future__ import annotations

import _pickle
import array
import collections
import copyreg
import dataclasses
import datetime  # noqa: ICN001  # by its name, as in the pickles
import decimal
import enum
import fractions
import functools
import gc
import io
import ipaddress
import itertools
import operator
import pathlib
import re
import string
import sys
import threading
import types
import uuid
import weakref
import zoneinfo
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safepickle import pickler as pickler_module
from safepickle.errors import PicklingError, UnpicklingError
from safepickle.opcodes import HIGHEST_PROTOCOL
from safepickle.pickler import Pickler, PicklerMemoProxy, dumps_bytes
from safepickle.writer import FRAME_SIZE_TARGET

PROTOCOLS = range(HIGHEST_PROTOCOL + 1)
SPELLINGS = [(protocol, fix_imports) for protocol in PROTOCOLS for fix_imports in (True, False)]
every_spelling = pytest.mark.parametrize(("protocol", "fix_imports"), SPELLINGS)


# Things to pickle


class Plain:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Slotted:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left = left
        self.right = right


class SlottedAndOpen(Slotted):
    """Slots and a dict: its state is a pair."""


class Getnewargs(int):
    def __getnewargs__(self):
        return (int(self),)


class GetnewargsEx:
    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        self.made = (args, kwargs)
        return self

    def __getnewargs_ex__(self):
        return (1, "two"), {"three": 3}


class OwnState:
    def __init__(self, state):
        self.state = state

    def __getstate__(self):
        return self.state

    def __setstate__(self, state):
        self.state = state


class Singleton:
    def __reduce__(self):
        return "SINGLETON"


SINGLETON = Singleton()


class Reduced:
    """An object that reduces to whatever it is given; iterators are made afresh for each dump."""

    def __init__(self, *make: Any):
        self.make = make

    def __reduce_ex__(self, protocol):
        return tuple(part() if isinstance(part, Fresh) else part for part in self.make)

    def __repr__(self):
        return "<Reduced>"


class Fresh:
    """Makes an iterator over the same values each time."""

    def __init__(self, values):
        self.values = values

    def __call__(self):
        return iter(self.values)


class Reducing:
    """As Reduced, for a value that is not a plain tuple."""

    def __init__(self, value):
        self.value = value

    def __reduce_ex__(self, protocol):
        return self.value

    def __repr__(self):
        return "<Reducing>"


def set_state(obj, state):
    obj.__dict__.update(state)


class Outer:
    class Middle:
        class Inner:
            def method(self):
                """A bound method of an instance of a nested class."""

            @classmethod
            def of_class(cls):
                """A bound method of a nested class."""

            @staticmethod
            def of_none():
                """A function inside of a nested class."""


class Colour(enum.Enum):
    RED = 1
    BLUE = "blue"


class Permission(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


class Point(NamedTuple):
    x: int
    y: float


@dataclasses.dataclass
class Record:
    name: str
    values: list[int] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenRecord:
    name: str


class ListOf(list):
    pass


class DictOf(dict):
    pass


class TextOf(str):
    __slots__ = ()


class TupleOf(tuple):
    """A tuple whose own methods must not be used to read it."""

    __slots__ = ()

    def __getitem__(self, index):
        raise AssertionError

    def __iter__(self):
        raise AssertionError

    def __len__(self):
        raise AssertionError


class MetaClass(type):
    pass


class WithMeta(metaclass=MetaClass):
    pass


class OddError(Exception):
    def __init__(self, code, message):
        super().__init__(code, message)
        self.code = code


class Failing:
    def __reduce__(self):
        raise ZeroDivisionError("as intended")


def a_function():
    """A function of this module."""


def zoo() -> list[Any]:
    """Real objects, made afresh."""
    shared = ["shared"]
    return [
        None, True, False, ..., NotImplemented, type(None), type(...), type(NotImplemented), 0, -1, 10**50, 1.5, 2j,
        "", "text", "é\n\\", b"", b"bytes", bytearray(), bytearray(b"array"), (), [], {}, set(), frozenset(),
        [shared, shared, (shared,), {"k": shared}], range(3), slice(1, 2, 3), int, type, object, len, a_function, print,
        datetime.datetime(2020, 1, 2, 3, 4, 5, 6),  # noqa: DTZ001  # naive ones too
        datetime.date(2020, 1, 2), datetime.time(1, 2, 3),
        datetime.timedelta(1, 2, 3), datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC),
        datetime.timezone(datetime.timedelta(hours=1), "one"), zoneinfo.ZoneInfo("UTC"), decimal.Decimal("1.50"),
        decimal.Context(prec=5), fractions.Fraction(1, 3), uuid.UUID(int=5), pathlib.PurePosixPath("/a/b"),
        pathlib.PureWindowsPath("c:/a"), ipaddress.ip_address("10.0.0.1"), ipaddress.ip_network("10.0.0.0/8"),
        collections.OrderedDict([("a", 1), ("b", [2])]), collections.defaultdict(list, {"a": [1]}),
        collections.Counter("abca"), collections.deque([1, 2, 3], maxlen=5), collections.ChainMap({"a": 1}, {"b": 2}),
        collections.UserDict({"a": 1}), array.array("d", [1.5, 2.5]), array.array("b", [-1]),
        re.compile("a+", re.IGNORECASE), string.Template("$a"), types.SimpleNamespace(a=1, b=[2]),
        ValueError("message"), KeyError("key"), OSError(2, "no such file", "name"), OddError(5, "message"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "reason"), ExceptionGroup("group", [ValueError(1), TypeError(2)]),
        ImportError("no", name="n", path="p"), StopIteration(5), functools.partial(int, "10", base=2),
        operator.itemgetter(1, "a"), operator.attrgetter("a.b"), operator.methodcaller("m", 1, k=2),
        itertools.count(5), Plain(a=1, b=[1, 2]), Plain(), Slotted(1, "two"), SlottedAndOpen(1, 2), Getnewargs(5),
        GetnewargsEx(), OwnState(None), OwnState(0), OwnState({}), OwnState({"a": 1}), OwnState((1, 2)), SINGLETON,
        Outer, Outer.Middle, Outer.Middle.Inner, Outer.Middle.Inner(), Outer.Middle.Inner.method,
        Outer.Middle.Inner().method, Outer.Middle.Inner.of_class, Outer.Middle.Inner.of_none,
        [Outer.Middle.Inner, Outer.Middle, Outer.Middle.Inner.method], Colour.RED, Colour.BLUE, Colour,
        Permission.READ | Permission.WRITE, Point(1, 2.5), Record("name", [1]), FrozenRecord("name"), ListOf([1, 2]),
        DictOf(a=1), TextOf("text"), WithMeta, WithMeta(), MetaClass, str.join, "abc".join, [1].append, dict.fromkeys,
        {}.get, int.from_bytes, iter([1, 2]), iter((1, 2)), iter({1: 2}), iter("ab"), iter(range(3)), reversed([1]),
        enumerate([1]), zip([1], [2], strict=True), zip([1], [2], strict=False), map(int, ["1"]),
        filter(None, [1]), io.BytesIO(b"x"), io.StringIO("x"),
        Reduced(Plain, (), {"a": 1}, None, None, set_state), Reduced(list, (), None, Fresh([1, 2, 3])),
        Reduced(dict, (), None, None, Fresh([(1, 2), (3, 4)])), Reduced(Plain, (), {"a": 1}),
        Reduced(copyreg.__newobj__, (Reduced,)), Reduced(copyreg.__newobj_ex__, (GetnewargsEx, (1,), {"k": [2]})),
        Reducing(TupleOf((list, TupleOf(([1],))))), Reducing(TextOf("SINGLETON")), weakref.WeakValueDictionary,
        ["latin1", b"abc", b"abd"], [b"a", b"a", "a"], collections.abc.Mapping, io.UnsupportedOperation,
    ]  # fmt: skip


def of_size(kind: str, size: int) -> Any:
    """A container of `size` items."""
    items = range(size)
    return {
        "list": lambda: list(items),
        "tuple": lambda: tuple(items),
        "dict": lambda: dict.fromkeys(items),
        "set": lambda: set(items),
        "frozenset": lambda: frozenset(items),
        "list subclass": lambda: ListOf(items),
        "dict subclass": lambda: DictOf(dict.fromkeys(items)),
        "ordered dict": lambda: collections.OrderedDict.fromkeys(items),
        "deque": lambda: collections.deque(items),
        "items": lambda: Reduced(list, (), None, Fresh(items)),
        "pairs": lambda: Reduced(dict, (), None, None, Fresh([(item, item) for item in items])),
    }[kind]()


SIZED_KINDS = [
    "list", "tuple", "dict", "set", "frozenset", "list subclass", "dict subclass", "ordered dict", "deque", "items",
    "pairs",
]  # fmt: skip


def knot(kind: str, size: int = 1) -> Any:
    """A structure that contains itself."""
    if kind == "list":
        value: Any = []
        value.append(value)
    elif kind == "dict":
        value = {}
        value[1] = value
    elif kind == "tuple through a list":
        inside: list[Any] = []
        value = (inside, *range(size - 1))
        inside.append(value)
    elif kind == "tuple through an object":
        inner = Plain()
        value = (inner, *range(size - 1))
        inner.around = value
    elif kind == "set":
        inner = Plain()
        value = {inner}
        inner.around = value
    elif kind == "frozenset":
        inner = Plain()
        value = frozenset([inner])
        inner.around = value
    elif kind == "member of a frozenset":
        value = Plain()
        value.around = frozenset([value])
    elif kind == "list subclass":
        value = ListOf()
        value.append(value)
    elif kind == "dict subclass":
        value = DictOf()
        value[1] = value
    elif kind == "object":
        value = Plain()
        value.itself = value
    elif kind == "argument":
        inside = []
        value = Reduced(list, (inside,))
        inside.append(value)
    else:
        raise AssertionError(kind)
    return value


KNOTS = [
    "list", "dict", "tuple through a list", "tuple through an object", "set", "frozenset", "member of a frozenset",
    "list subclass", "dict subclass", "object", "argument",
]  # fmt: skip


# Comparing


class Recorder:
    """A file that remembers each write: what kind of object it was given, and the bytes of it."""

    def __init__(self):
        self.calls = []

    def write(self, data):
        self.calls.append((type(data), bytes(data)))


def outcome(function, *arguments, **keywords) -> Any:
    """What a call returns, or the class and text of what it raises."""
    try:
        return function(*arguments, **keywords)
    except RecursionError:
        return RecursionError
    except Exception as error:  # noqa: BLE001  # that is what is compared
        text = re.sub("0x[0-9a-f]+", "0x", str(error))
        # C and the iterator of a set differ in one capital letter.
        return type(error), text[:1].lower() + text[1:], error.__cause__


def assert_as_c(obj: Any, protocol: int, fix_imports: bool, prepare=None) -> None:
    """Hold both picklers together: in memory, into a file, and into the same file again."""
    if prepare is None:
        expected = outcome(_pickle.dumps, obj, protocol, fix_imports=fix_imports)
        assert outcome(dumps_bytes, obj, protocol, fix_imports) == expected
    seen = []
    for kind in (_pickle.Pickler, Pickler):
        file = Recorder()
        writing = kind(file, protocol, fix_imports=fix_imports)
        if prepare is not None:
            prepare(writing)
        seen.append([outcome(writing.dump, obj), outcome(writing.dump, [obj, "again"]), file.calls])
    assert_same(seen)


def assert_same(seen: list[list[Any]]) -> None:
    """Compare what both did; where they gave up for depth, what they did before depends on how deep each can go."""
    if RecursionError in seen[0]:
        assert seen[1][0] is RecursionError
    else:
        assert seen[1] == seen[0]


@contextmanager
def module_with(**names):
    """A module of these names that can be imported while the block runs."""
    module = types.ModuleType("test_pickler_module")
    module.__dict__.update(names)
    sys.modules[module.__name__] = module
    try:
        yield module
    finally:
        del sys.modules[module.__name__]


# The same bytes

atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(1 << 40), 1 << 40)
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(["", "a", "latin1", "\n", "\x1a\0\\\r", "\ud800", "x" * 300])
    | st.binary(max_size=20)
    | st.binary(max_size=20).map(bytearray)
    | st.sampled_from([b"", b"a", b"x" * 300, int, len, ..., NotImplemented, type(None), Plain, Outer.Middle.Inner])
    | st.datetimes()
    | st.decimals()
    | st.fractions()
    | st.uuids()
)

trees = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.lists(inner, max_size=6).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=6)
        | st.sets(st.integers() | st.text(max_size=3) | st.binary(max_size=3), max_size=6)
        | st.frozensets(st.integers() | st.text(max_size=3) | st.tuples(st.integers()), max_size=6)
        | inner.map(lambda value: Plain(value=value))
        | st.tuples(inner, inner).map(lambda pair: Slotted(*pair))
        | st.lists(inner, max_size=3).map(ListOf)
        | st.lists(inner, max_size=3).map(collections.deque)
        | inner.map(OwnState)
    ),
    max_leaves=25,
)


@st.composite
def graphs(draw) -> Any:
    """An object graph with sharing and cycles: each step uses what was there before, and knots are tied at the end."""
    pool: list[Any] = draw(st.lists(atoms, min_size=1, max_size=5))
    some = st.lists(st.integers(0, 1 << 16), max_size=5)
    for _ in range(draw(st.integers(1, 10))):
        parts = [pool[number % len(pool)] for number in draw(some)]
        kind = draw(st.sampled_from(["list", "tuple", "dict", "set", "frozenset", "object", "list subclass"]))
        if kind == "list":
            pool.append(parts)
        elif kind == "tuple":
            pool.append(tuple(parts))
        elif kind == "dict":
            pool.append(dict(enumerate(parts)))
        elif kind == "object":
            pool.append(Plain(**{f"a{number}": part for number, part in enumerate(parts)}))
        elif kind == "list subclass":
            pool.append(ListOf(parts))
        else:
            # Instances hash by identity: they let a set contain what contains the set.
            members = {part for part in parts if isinstance(part, Plain | int | str | float)}
            pool.append(members if kind == "set" else frozenset(members))
    for first, second in draw(st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 1 << 16)), max_size=5)):
        target, value = pool[first % len(pool)], pool[second % len(pool)]
        if isinstance(target, list):
            target.append(value)
        elif isinstance(target, dict):
            target["knot"] = value
        elif isinstance(target, Plain):
            target.knot = value
    return pool[-1]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(obj=trees)
def test_any_tree_of_builtin_values_gives_the_bytes_of_c(obj):
    for protocol, fix_imports in SPELLINGS:
        assert_as_c(obj, protocol, fix_imports)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(obj=graphs())
def test_any_graph_with_sharing_and_cycles_gives_the_bytes_of_c(obj):
    for protocol, fix_imports in SPELLINGS:
        assert_as_c(obj, protocol, fix_imports)


@every_spelling
def test_real_objects_give_the_bytes_of_c(protocol, fix_imports):
    everything = zoo()
    assert len(everything) > 100
    for obj in everything:
        assert_as_c(obj, protocol, fix_imports)


@every_spelling
def test_all_real_objects_in_one_pickle_share_names_as_in_c(protocol, fix_imports):
    picklable = [obj for obj in zoo() if isinstance(outcome(_pickle.dumps, obj, protocol), bytes)]
    assert len(picklable) > 100
    assert_as_c(picklable, protocol, fix_imports)


@pytest.mark.parametrize("kind", SIZED_KINDS)
@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 999, 1000, 1001, 1002, 1999, 2000, 2001])
def test_containers_are_batched_as_in_c(kind, size):
    for protocol in PROTOCOLS:
        assert_as_c(of_size(kind, size), protocol, True)


@pytest.mark.parametrize("kind", KNOTS)
def test_recursive_structures_give_the_bytes_of_c(kind):
    for size in (1, 2, 3, 4, 5) if kind.startswith("tuple") else (1,):
        obj = knot(kind, size)
        for protocol, fix_imports in SPELLINGS:
            assert_as_c(obj, protocol, fix_imports)


INTEGERS = [
    sign * (base + step)
    for base in (0, 1 << 7, 1 << 8, 1 << 15, 1 << 16, 1 << 31, 1 << 32, 1 << 63, 1 << 64, 1 << 2039, 1 << 2040, 10**999)
    for step in (-1, 0, 1)
    for sign in (1, -1)
]


@every_spelling
def test_numbers_at_every_edge_give_the_bytes_of_c(protocol, fix_imports):
    assert_as_c(INTEGERS, protocol, fix_imports)
    assert_as_c([0.0, -0.0, 1e300, 5e-324, float("inf"), float("-inf"), float("nan"), 0.1], protocol, fix_imports)


@every_spelling
def test_an_integer_of_too_many_digits_fails_where_it_fails_in_c(protocol, fix_imports):
    assert_as_c(10**5000, protocol, fix_imports)
    assert_as_c([-(10**5000)], protocol, fix_imports)


@pytest.mark.parametrize(
    "make",
    [
        lambda size: "x" * size,
        lambda size: "\xe9" * (size // 2) + "x" * (size % 2),
        lambda size: "\ud800" * (size // 3) + "x" * (size % 3),
        lambda size: b"x" * size,
        lambda size: bytearray(b"x" * size),
        lambda size: _pickle.PickleBuffer(b"x" * size),
        lambda size: _pickle.PickleBuffer(bytearray(b"x" * size)),
    ],
    ids=["ascii", "latin", "surrogates", "bytes", "bytearray", "read-only buffer", "writable buffer"],
)
@pytest.mark.parametrize("size", [0, 1, 255, 256, 65526, 65534, 65535, 65536, 65537, 140_000])
def test_payloads_around_the_size_of_a_frame_are_written_in_the_calls_of_c(make, size):
    for protocol in PROTOCOLS:
        assert_as_c([1, make(size), 2, make(size), [make(size)], make(5)], protocol, True)
        assert_as_c(make(size), protocol, True)


@pytest.mark.parametrize("shift", range(24))
def test_frames_end_where_those_of_c_end(shift):
    obj = ["a" * 60_000, "b" * (FRAME_SIZE_TARGET - 60_040 + shift), *[1.5] * 9, b"c" * (65_530 + shift), "d", [{}] * 9]
    for protocol in (4, 5):
        assert_as_c(obj, protocol, True)


@pytest.mark.parametrize("width", [1, 3, 8])
def test_a_pickle_of_many_frames_gives_the_bytes_of_c(width):
    assert_as_c([f"{number:0{width}}" for number in range(12_000)], 4, True)


def test_the_module_function_takes_the_arguments_of_the_class():
    assert dumps_bytes([1]) == _pickle.dumps([1])
    assert dumps_bytes([1], -1) == _pickle.dumps([1], -1)
    assert dumps_bytes(Outer, 2, False) == _pickle.dumps(Outer, 2, fix_imports=False)
    with pytest.raises(ValueError, match="pickle protocol must be <= 5"):
        dumps_bytes([1], 6)
    with pytest.raises(ValueError, match="buffer_callback needs protocol >= 5"):
        dumps_bytes([1], 4, True, [].append)


# Names


class Named:
    """An object that says it is the global of this name; `__module__` is an attribute of the instance."""

    def __init__(self, name, module="test_pickler_module"):
        self.name = name
        self.__module__ = module

    def __reduce_ex__(self, protocol):
        return self.name

    def __repr__(self):
        return "<Named>"


@pytest.mark.parametrize(
    "name",
    ["a", "C.a", "C.D.a", "itself.a", "itself.itself.a", "C.back.a", "glöbal", "C.glöbal", "n\ud800me", "x" * 300],
)
@pytest.mark.parametrize("spelling", [str, TextOf])
def test_a_global_is_spelled_as_in_c_however_it_is_reached(name, spelling):
    with module_with() as module:
        nested = type("C", (), {"__module__": module.__name__, "__qualname__": "C"})
        module.C = nested
        nested.D = type("D", (), {"__module__": module.__name__, "__qualname__": "C.D"})
        module.itself = module
        nested.back = nested
        *parents, last = name.split(".")
        obj = Named(spelling(name))
        setattr(functools.reduce(getattr, parents, module), last, obj)
        for protocol, fix_imports in SPELLINGS:
            assert_as_c(obj, protocol, fix_imports)
            assert_as_c([nested, nested.D, obj], protocol, fix_imports)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("missing", "test_pickler_module"), ("present", "test_pickler_module"), ("lazy", "test_pickler_module"),
        ("present.missing", "test_pickler_module"), ("", "test_pickler_module"), ("<locals>", None),
        ("a.<locals>.b", "test_pickler_module"), ("present", "no_such_module"), ("present", ""), ("present", 42),
        ("present", "no\ud800"), ("nowhere to be found", None),
    ],
)  # fmt: skip
def test_a_name_that_does_not_lead_to_the_object_is_an_error_as_in_c(name, module):
    class Lazy(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            raise (ZeroDivisionError if name == "lazy" else AttributeError)(name)

    with module_with():
        lazy = Lazy("test_pickler_module")
        lazy.present = object()
        sys.modules[lazy.__name__] = lazy
        for protocol, fix_imports in SPELLINGS:
            assert_as_c(Named(name, module), protocol, fix_imports)


def test_a_local_class_or_function_is_an_attribute_error_as_in_c():
    class Local:
        pass

    for obj in (Local, Local(), lambda: 0, (value for value in ())):
        for protocol, fix_imports in SPELLINGS:
            assert_as_c(obj, protocol, fix_imports)


def test_a_global_without_a_module_is_looked_for_in_all_modules():
    obj = Named("only_here", None)
    with module_with(only_here=obj):
        for protocol, fix_imports in SPELLINGS:
            assert_as_c(obj, protocol, fix_imports)
        assert b"test_pickler_module" in dumps_bytes(obj)


def test_a_global_without_a_module_is_taken_for_one_of_main_only_as_the_last_resort(monkeypatch):
    obj = Named("here_and_in_main", None)
    monkeypatch.setattr(sys.modules["__main__"], "here_and_in_main", obj, raising=False)
    for protocol, fix_imports in SPELLINGS:
        assert_as_c(obj, protocol, fix_imports)
    with module_with(here_and_in_main=obj):
        for protocol, fix_imports in SPELLINGS:
            assert_as_c(obj, protocol, fix_imports)
        assert b"__main__" not in dumps_bytes(obj)


def test_a_class_that_hides_its_qualified_name_goes_by_its_name():
    class Hiding(type):
        def __getattribute__(cls, name):
            if name == "__qualname__":
                raise AttributeError(name)
            return type.__getattribute__(cls, name)

    hidden = Hiding("hidden", (), {"__module__": "test_pickler_module"})
    with module_with(hidden=hidden):
        for protocol, fix_imports in SPELLINGS:
            assert_as_c(hidden, protocol, fix_imports)


@pytest.mark.parametrize(
    "code", [1, 255, 256, 65535, 65536, 0x7FFFFFFF, 0, -1, 1 << 31, 1 << 70, -(1 << 70), "x", None]
)
def test_the_extension_registry_is_used_as_in_c(code, monkeypatch):
    monkeypatch.setitem(copyreg._extension_registry, (__name__, "Plain"), code)
    monkeypatch.setitem(copyreg._extension_registry, (__name__, "Outer.Middle"), code)
    for protocol, fix_imports in SPELLINGS:
        assert_as_c([Plain, Plain, Plain(a=1)], protocol, fix_imports)
        assert_as_c([Outer.Middle.Inner, Outer.Middle], protocol, fix_imports)


@pytest.mark.parametrize("fix_imports", [True, False])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_name_that_python_2_spelled_differently_is_mapped_as_in_c(protocol, fix_imports):
    import _compat_pickle

    names = set(_compat_pickle.REVERSE_NAME_MAPPING) | {("io", "StringIO"), ("queue", "Queue"), ("builtins", "range")}
    found = 0
    for module, name in sorted(names):
        try:
            obj = getattr(__import__(module, fromlist=["x"]), name)
        except (ImportError, AttributeError):
            continue
        found += 1
        assert_as_c(obj, protocol, fix_imports)
    assert found > 40


# Reduce values


@pytest.mark.parametrize(
    "value",
    [
        None, 1, [], (), (print,), (print, 1), (print, None), (print, []), (1, ()), (print, (), 1, []),
        (print, (), 1, 2), (print, (), None, None, []), (print, (), None, None, None, 3),
        (print, (), None, None, collections.deque()),
        (print, (), None, None, None, None, None), (copyreg.__newobj__, ()), (copyreg.__newobj__, (1,)),
        (copyreg.__newobj__, (str,)), (copyreg.__newobj_ex__, ()), (copyreg.__newobj_ex__, (1, (), {})),
        (copyreg.__newobj_ex__, (Plain, [], {})), (copyreg.__newobj_ex__, (Plain, (), [])), (print, (), 0),
        (print, (), {}), (copyreg.__newobj_ex__, (str, ("a",), {})), (copyreg.__newobj__, TupleOf((Reducing,))),
        (print, (), None), (copyreg.__newobj_ex__, TupleOf((Reducing, (), {}))), (print, TupleOf((1,))),
        (Failing(), ()), (print, (Failing(),)), (print, (), Failing()), (print, (), 5, None, None, print),
        (print, (), None, None, None, print), "no such name",
    ],
    ids=repr,
)  # fmt: skip
def test_a_reduce_value_is_written_or_refused_as_in_c(value):
    for protocol, fix_imports in SPELLINGS:
        assert_as_c(Reducing(value), protocol, fix_imports)


def test_the_class_of_a_new_object_is_the_one_it_claims_as_in_c():
    class Claiming(Reduced):
        __class__ = Plain

    for claimed in (Plain, Reduced):
        for protocol, fix_imports in SPELLINGS:
            assert_as_c(Claiming(copyreg.__newobj__, (claimed,)), protocol, fix_imports)
    assert dumps_bytes(Claiming(copyreg.__newobj__, (Plain,)), 4)


@pytest.mark.parametrize("bad", [1, (1,), (1, 2, 3), [1, 2], "ab", None])
@pytest.mark.parametrize("place", range(4))
def test_dict_items_that_are_no_pairs_are_an_error_at_the_place_of_c(bad, place):
    pairs = [(number, number) for number in range(4)]
    pairs[place] = bad
    for protocol, fix_imports in SPELLINGS:
        assert_as_c(Reduced(dict, (), None, None, Fresh(pairs)), protocol, fix_imports)
    pairs[place] = TupleOf((1, 2))
    for protocol, fix_imports in SPELLINGS:
        assert_as_c(Reduced(dict, (), None, None, Fresh(pairs)), protocol, fix_imports)


def test_the_calls_an_object_sees_come_in_the_order_of_c():
    calls: list[Any] = []

    class Watched:
        def __init__(self, name):
            self.name = name

        def __getattribute__(self, attribute):
            calls.append((object.__getattribute__(self, "name"), attribute))
            return object.__getattribute__(self, attribute)

        def __reduce_ex__(self, protocol):
            def items():
                for number in range(3):
                    calls.append(("item", number))
                    yield Other(number)

            def pairs():
                for number in range(3):
                    calls.append(("pair", number))
                    yield Other(number), Other(-number)

            return list, (Other("argument"),), Other("state"), items(), pairs(), print

    class Other:
        def __init__(self, name):
            self.name = name

        def __reduce__(self):
            calls.append(("reduced", self.name))
            return str, ()

    for protocol in PROTOCOLS:
        seen = []
        for kind in (_pickle.Pickler, Pickler):
            calls.clear()
            kind(io.BytesIO(), protocol).dump([Watched("w"), Other("o")])
            seen.append(list(calls))
        assert seen[0] == seen[1] != []


# Hooks


def hooked(base, calls, **attributes):
    """A pickler class with these hooks, which also note what they were called with."""

    def noting(name, hook):
        def call(self, obj):
            calls.append((name, type(obj)))
            return hook(obj)

        return call

    return type("Hooked", (base,), {name: noting(name, hook) for name, hook in attributes.items()})


HOOKED_OBJECTS: list[Any] = [
    1, "a", 1.5, (1.5, {2.5: b"x"}), [None, True], Outer.Middle, print, int, a_function, Plain(a=1.5), {1, 2}, WithMeta,
    [1.5] * 3, frozenset([2.5]), Plain, Colour.RED,
]  # fmt: skip


def compare_hooks(protocol, fix_imports, attributes, obj=HOOKED_OBJECTS):
    seen = []
    for base in (_pickle.Pickler, Pickler):
        calls: list[Any] = []
        file = Recorder()
        writing = hooked(base, calls, **attributes)(file, protocol, fix_imports=fix_imports)
        seen.append([outcome(writing.dump, obj), outcome(writing.dump, obj), file.calls, calls])
    assert_same(seen)


@every_spelling
@pytest.mark.parametrize("pid", ["id", "é", "two\nlines", 42, ("a", 1), [1, "b"], b"x", 1.5, "s" * 70_000], ids=repr)
def test_persistent_ids_are_asked_for_and_written_as_in_c(protocol, fix_imports, pid):
    compare_hooks(protocol, fix_imports, {"persistent_id": lambda obj: pid if isinstance(obj, float) else None})
    if not isinstance(pid, tuple | list | bytes):  # these are made of what has a persistent ID again, without end
        compare_hooks(protocol, fix_imports, {"persistent_id": lambda obj: pid})


@pytest.mark.parametrize(
    ("protocol", "pid"),
    [*((protocol, ("a",)) for protocol in PROTOCOLS[1:]), (1, b"x"), (2, b"x")],
)
def test_a_persistent_id_whose_parts_have_one_again_is_a_recursion_error(protocol, pid):
    """The C pickler crashes on the bytes below protocol 3: it counts no depth there."""
    with pytest.raises(RecursionError):
        hooked(Pickler, [], persistent_id=lambda obj: pid)(Recorder(), protocol).dump(1)


@every_spelling
def test_a_failing_persistent_id_is_the_error_of_the_dump(protocol, fix_imports):
    compare_hooks(protocol, fix_imports, {"persistent_id": lambda obj: 1 / 0 if isinstance(obj, float) else None})


def test_a_persistent_id_may_be_assigned_on_the_instance():
    for make in (Pickler, type("Sub", (Pickler,), {})):
        file = io.BytesIO()
        writing = make(file, 4)
        writing.persistent_id = lambda obj: "id" if obj == 5 else None
        writing.dump([5, 6])
        assert file.getvalue() == b"\x80\x04\x95\r\x00\x00\x00\x00\x00\x00\x00]\x94(\x8c\x02id\x94QK\x06e."
        assert Pickler.persistent_id(writing, 5) is None


@every_spelling
@pytest.mark.parametrize("answer", [NotImplemented, (str, ()), "Plain", 1, None], ids=repr)
def test_reducer_override_is_asked_and_obeyed_as_in_c(protocol, fix_imports, answer):
    for asked in (Plain, type, types.FunctionType, object):
        compare_hooks(
            protocol,
            fix_imports,
            {"reducer_override": lambda obj, asked=asked: answer if isinstance(obj, asked) else NotImplemented},
        )


@every_spelling
def test_a_reducer_override_that_is_not_callable_is_an_error_as_in_c(protocol, fix_imports):
    for value in (None, 5):
        results = []
        for base in (_pickle.Pickler, Pickler):
            odd = type("Odd", (base,), {"reducer_override": value})
            results.append(outcome(odd(Recorder(), protocol, fix_imports=fix_imports).dump, Plain()))
        assert results[0] == results[1]


TABLES = {
    "none": None,
    "no table": 5,
    "empty": {},
    "a reducer": {Plain: lambda obj: (str, ("reduced",))},
    "a chain": collections.ChainMap({}, {Plain: lambda obj: (str, ("reduced",))}),
    "a name": {Plain: lambda obj: "Plain"},
    "none for a class": {Plain: None},
    "not callable": {Plain: 5},
    "ignored for what has an opcode": {list: lambda obj: (str, ()), type: lambda obj: (str, ()), int: None},
    "ignored for functions": {types.FunctionType: lambda obj: (str, ())},
    "a metaclass": {MetaClass: lambda obj: (str, ("class",))},
}


@every_spelling
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("where", ["instance", "class"])
def test_a_dispatch_table_is_used_as_in_c(protocol, fix_imports, table, where):
    seen = []
    for base in (_pickle.Pickler, Pickler):
        file = Recorder()
        attributes = {"dispatch_table": TABLES[table]} if where == "class" else {}
        try:
            writing = type("WithTable", (base,), attributes)(file, protocol, fix_imports=fix_imports)
            if where == "instance":
                writing.dispatch_table = TABLES[table]
            seen.append([outcome(writing.dump, HOOKED_OBJECTS), file.calls])
        except TypeError as error:
            seen.append([type(error), str(error)])
    assert seen[1] == seen[0]


def test_copyregs_table_is_used_where_a_pickler_has_none(monkeypatch):
    monkeypatch.setitem(copyreg.dispatch_table, Plain, lambda obj: (str, ("reduced",)))
    for protocol, fix_imports in SPELLINGS:
        assert_as_c([Plain(), Plain], protocol, fix_imports)


@pytest.mark.parametrize("in_band", [True, False, 0, 1, None, "yes"])
def test_a_buffer_is_out_of_band_when_the_callback_returns_a_false_value(in_band):
    given_away = []

    def callback(buffer):
        given_away.append(buffer)
        return in_band

    payload = bytearray(b"writable")
    obj = [_pickle.PickleBuffer(b"read-only"), _pickle.PickleBuffer(payload), _pickle.PickleBuffer(bytes(70_000))]
    obj += obj
    expected = _pickle.dumps(obj, 5, buffer_callback=callback)
    assert dumps_bytes(obj, 5, True, callback) == expected
    assert len(given_away) % 2 == 0
    file = io.BytesIO()
    Pickler(file, 5, buffer_callback=callback).dump(obj)
    assert file.getvalue() == expected


def test_the_errors_of_buffers_are_those_of_c():
    released = _pickle.PickleBuffer(b"x")
    released.release()
    strided = _pickle.PickleBuffer(memoryview(b"abcdef")[::2])
    for protocol, fix_imports in SPELLINGS:
        assert_as_c(_pickle.PickleBuffer(b"x"), protocol, fix_imports)
        assert_as_c(released, protocol, fix_imports)
        assert_as_c(strided, protocol, fix_imports)

    def fail(buffer):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        dumps_bytes(_pickle.PickleBuffer(b"x"), 5, True, fail)


# The memo


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("how", ["proxy", "copy", "shifted", "negative", "huge", "cleared", "cleared by its proxy"])
def test_a_memo_primed_from_another_pickler_gives_the_bytes_of_c(protocol, how):
    seen = []
    for kind in (_pickle.Pickler, Pickler):
        obj = ["a", "b", ("c",), {"d": 5}]
        file = Recorder()
        first = kind(file, protocol)
        first.dump(obj)
        second = kind(file, protocol)
        entries = first.memo.copy()
        if how == "proxy":
            second.memo = first.memo
        else:
            shift = {"shifted": 300, "negative": -50, "huge": 1 << 32}.get(how, 0)
            second.memo = {key: (index + shift, value) for key, (index, value) in entries.items()}
        if how == "cleared":
            second.clear_memo()
        elif how == "cleared by its proxy":
            second.memo.clear()
        result = outcome(second.dump, [obj, "new", obj[2], "newer"])
        first.dump([obj, "first"])
        indexes = [sorted(index for index, _ in pickler.memo.copy().values()) for pickler in (first, second)]
        seen.append([result, file.calls, indexes, set(entries) == {id(value) for _, value in entries.values()}])
    assert seen[1] == seen[0]


@pytest.mark.parametrize("value", [5, None, [], {1: 2}, {1: (1,)}, {1: (1, 2, 3)}], ids=repr)
def test_a_memo_of_the_wrong_form_is_refused_as_in_c(value):
    results = []
    for kind in (_pickle.Pickler, Pickler):
        writing = kind(Recorder())
        results.append(outcome(setattr, writing, "memo", value))
    assert results[0] == results[1]
    assert results[0][0] is TypeError


def test_the_memo_is_neither_deleted_nor_hashed_and_reduces_to_a_dict():
    writing = Pickler(Recorder())
    writing.dump(["a"])
    with pytest.raises(TypeError, match="attribute deletion is not supported"):
        del writing.memo
    with pytest.raises(TypeError, match="unhashable"):
        hash(writing.memo)
    assert isinstance(writing.memo, PicklerMemoProxy)
    assert writing.memo.__reduce__() == (dict, (writing.memo.copy(),))
    with pytest.raises(TypeError):
        writing.memo = {1: ("index", "object")}


def test_the_memo_keeps_its_objects_alive():
    writing = Pickler(io.BytesIO())
    obj = Plain()
    gone = weakref.ref(obj)
    writing.dump(obj)
    del obj
    assert gone() is not None
    writing.clear_memo()
    assert gone() is None


def test_a_pickler_that_is_reached_from_what_it_has_written_is_collected():
    writing = Pickler(io.BytesIO())
    obj = Plain()
    writing.dump([obj])
    writing.dump([Plain(a=obj)])
    obj.writing = writing
    gone = weakref.ref(obj), weakref.ref(writing)
    del obj, writing
    gc.collect()
    assert [ref() for ref in gone] == [None, None]


def test_a_memo_is_primed_from_itself_and_survives_what_runs_when_it_is_cleared():
    writing = Pickler(io.BytesIO())

    class Last:
        def __reduce__(self):
            return str, ()

        def __del__(self):
            seen.append(len(writing.memo.copy()))
            writing.dump(["again"])

    seen: list[int] = []
    writing.dump([Last() for _ in range(50)])
    writing.memo = writing.memo
    assert len(writing.memo.copy()) > 50
    writing.clear_memo()
    gc.collect()
    assert len(seen) == 50
    writing.clear_memo()
    assert writing.memo.copy() == {}


def test_dumps_within_dumps_do_not_share_what_they_write_to():
    class Nesting:
        def __init__(self, dumps, depth):
            self.dumps = dumps
            self.depth = depth

        def __reduce__(self):
            inner = Nesting(self.dumps, self.depth - 1) if self.depth else None
            return bytes, (self.dumps(["x" * 70_000, inner, "x"]),)

    assert dumps_bytes(Nesting(dumps_bytes, 5)) == _pickle.dumps(Nesting(_pickle.dumps, 5))


def test_threads_that_dump_at_once_get_their_own_pickles():
    objects = [[f"{number} {item}" for item in range(3000)] for number in range(8)]
    results: list[list[bytes]] = [[] for _ in objects]

    def work(number):
        for _ in range(10):
            results[number].append(dumps_bytes(objects[number]))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert results == [[_pickle.dumps(obj)] * 10 for obj in objects]


@pytest.mark.parametrize("kind", ["list", "dict", "tuple", "object"])
@pytest.mark.parametrize("depth", [10, 47, 48, 49, 50, 51, 60, 80])
def test_fast_mode_gives_the_bytes_of_c(kind, depth):
    obj: Any = []
    for _ in range(depth):
        obj = {"list": [obj], "dict": {1: obj}, "tuple": (obj, "x"), "object": Plain(a=obj)}[kind]
    for protocol in PROTOCOLS:
        assert_as_c([obj, obj], protocol, True, lambda writing: setattr(writing, "fast", True))


@pytest.mark.parametrize("kind", ["list", "dict", "tuple through a list", "object", "list subclass"])
def test_a_cycle_in_fast_mode_is_the_error_of_c_and_not_an_endless_loop(kind):
    obj = knot(kind)
    for protocol in PROTOCOLS:
        assert_as_c(obj, protocol, True, lambda writing: setattr(writing, "fast", True))


def test_fast_mode_takes_a_frozenset_as_often_as_it_occurs():
    """C counts the nesting up and never down here, and takes the 51st for a cycle."""
    member = frozenset([1])
    writing = Pickler(file := io.BytesIO(), 4)
    writing.fast = True
    writing.dump([member] * 100)
    assert _pickle.loads(file.getvalue()) == [member] * 100


@every_spelling
@pytest.mark.parametrize("value", [0, 1])
def test_bin_changes_the_opcodes_as_in_c(protocol, fix_imports, value):
    obj = [1, 1 << 40, {1: 2}, {}, [], [3], "a", "a", 2.5, b"x", (1, 2, 3, 4), True, None, knot("list")]
    obj.append(knot("tuple through a list", 5))
    assert_as_c(obj, protocol, fix_imports, lambda writing: setattr(writing, "bin", value))
    assert Pickler(Recorder(), protocol).bin == (protocol > 0)


# What goes wrong


class Changing:
    """Changes a container while it is written."""

    def __init__(self, change):
        self.change = change

    def __hash__(self):
        return 12345  # the same order in every set

    def __reduce__(self):
        self.change()
        return str, ()


CHANGES = {
    "clear": lambda container: container.clear(),
    "pop": lambda container: container.popitem() if isinstance(container, dict) else container.pop(),
    "grow": lambda container: (
        container.append(0)
        if isinstance(container, list)
        else container.setdefault(object())
        if isinstance(container, dict)
        else container.add(object())
    ),
    "replace": lambda container: (
        container.__setitem__(0, "new") if not isinstance(container, set) else container.discard("absent")
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ["list", "dict", "set"])
@pytest.mark.parametrize(("size", "place"), [(1, 0), (2, 0), (2, 1), (5, 2), (1000, 999), (1001, 999), (1001, 1000)])
def test_a_container_changed_while_it_is_written_is_treated_as_in_c(change, kind, size, place):
    def outcome_of(dumps, protocol):
        container = of_size(kind, size)
        changing = Changing(lambda: CHANGES[change](container))
        if kind == "set":
            container.remove(place)
            container.add(changing)
        else:
            container[place] = changing
        return outcome(dumps, container, protocol)

    for protocol in PROTOCOLS:
        assert outcome_of(dumps_bytes, protocol) == outcome_of(_pickle.dumps, protocol)


def nested(kind: str, depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = {"list": [value], "tuple": (value,), "dict": {0: value}, "object": Plain(a=value)}[kind]
    return value


@pytest.mark.parametrize("kind", ["list", "tuple", "dict", "object"])
def test_what_is_nested_too_deep_is_a_recursion_error_and_never_a_crash(kind):
    obj = nested(kind, 30_000)
    for protocol in PROTOCOLS:
        with pytest.raises(RecursionError):
            dumps_bytes(obj, protocol)
    while obj:  # taken apart from outside, since freeing it at once recurses in C
        obj = obj.__dict__.pop("a") if kind == "object" else obj.pop(0) if kind != "tuple" else obj[0]


def test_an_object_that_reduces_to_itself_is_a_recursion_error():
    class Endless:
        def __reduce__(self):
            return str, (Endless(),)

    for protocol in PROTOCOLS:
        with pytest.raises(RecursionError):
            dumps_bytes(Endless(), protocol)


@pytest.mark.parametrize(("kind", "deepest"), [("list", 25), ("dict", 25), ("tuple", 50), ("object", 16)])
def test_depth_is_counted_as_c_counts_it(kind, deepest, monkeypatch):
    monkeypatch.setattr(pickler_module, "_DEPTH_OF_C", 50)
    assert dumps_bytes(nested(kind, deepest)) == _pickle.dumps(nested(kind, deepest))
    with pytest.raises(RecursionError, match="while pickling an object"):
        dumps_bytes(nested(kind, deepest + 1))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_failed_dump_leaves_a_pickler_that_goes_on_as_in_c(protocol):
    seen = []
    for kind in (_pickle.Pickler, Pickler):
        file = Recorder()
        writing = kind(file, protocol)
        first = outcome(writing.dump, ["kept", Failing()])
        second = outcome(writing.dump, ["kept", "new"])
        seen.append([first, second, file.calls])
    assert seen[1] == seen[0]


class FullDisk:
    """A file that fails at its n-th write."""

    def __init__(self, writes):
        self.writes = writes

    def write(self, data):
        self.writes -= 1
        if self.writes < 0:
            raise OSError(28, "No space left on device")


@pytest.mark.parametrize("writes", range(6))
def test_the_error_of_the_file_keeps_its_class(writes):
    obj = [str(number) for number in range(20_000)] + [b"x" * 70_000]
    for kind in (_pickle.Pickler, Pickler):
        writing = kind(FullDisk(writes), 4)
        if writes < 5:
            with pytest.raises(OSError, match="No space left"):
                writing.dump(obj)
        else:
            writing.dump(obj)


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [
        ((None,), {}), ((5,), {}), ((io.BytesIO(), 6), {}), ((io.BytesIO(), "x"), {}), ((io.BytesIO(), 1.5), {}),
        ((io.BytesIO(), 1 << 70), {}), ((io.BytesIO(), -(1 << 70)), {}), ((object(), 6), {}),
        ((io.BytesIO(), 4), {"buffer_callback": print}), ((io.BytesIO(),), {"buffer_callback": print}),
    ],
    ids=repr,
)  # fmt: skip
def test_bad_arguments_are_refused_as_in_c(arguments, keywords):
    results = [outcome(kind, *arguments, **keywords) for kind in (_pickle.Pickler, Pickler)]
    assert results[0] == results[1]
    assert isinstance(results[0], tuple)


@pytest.mark.parametrize("protocol", [None, -1, 0, 5, True, Getnewargs(2)])
def test_good_protocols_are_taken_as_in_c(protocol):
    files = [io.BytesIO(), io.BytesIO()]
    _pickle.Pickler(files[0], protocol).dump([b"x"])
    Pickler(files[1], protocol).dump([b"x"])
    assert files[0].getvalue() == files[1].getvalue()


def test_a_subclass_that_forgets_to_initialise_is_told_so():
    class Forgetful(Pickler):
        def __init__(self):
            """Not calling the base."""

    with pytest.raises(PicklingError, match=r"^Pickler.__init__\(\) was not called by Forgetful.__init__\(\)$"):
        Forgetful().dump(1)


def test_initialising_again_starts_afresh():
    first, second = io.BytesIO(), io.BytesIO()
    writing = Pickler(first, 2)
    writing.dump(["a"])
    writing.__init__(second, 4)
    writing.dump(["a"])
    assert second.getvalue() == _pickle.dumps(["a"], 4)


def test_a_pickler_with_hooks_is_freed_without_the_garbage_collector():
    class Hooked(Pickler):
        def persistent_id(self, obj):
            return None

        def reducer_override(self, obj):
            return NotImplemented

    writing = Hooked(io.BytesIO())
    writing.dump([Plain()])
    with pytest.raises(ZeroDivisionError):
        writing.dump(Failing())
    gone = weakref.ref(writing)
    del writing
    assert gone() is None


def test_an_error_keeps_no_payload_alive():
    obj = Plain(a=b"payload" * 1000)
    gone = weakref.ref(obj)
    for bad in (Failing(), _pickle.PickleBuffer(memoryview(b"abc")[::2]), Named("n\ud800me")):
        writing = Pickler(io.BytesIO(), 5)
        assert outcome(writing.dump, [obj, bad]) is not None
        del writing
    del obj
    assert gone() is None


# Judging what was written


def test_what_the_verifier_accepts_is_written_in_one_call():
    judged = []
    file = Recorder()
    writing = Pickler(file, 4, policy="any")
    writing._verify = judged.append
    writing.dump([b"x" * 100_000, "text"])
    expected = _pickle.dumps([b"x" * 100_000, "text"], 4)
    assert judged == [expected]
    assert file.calls == [(bytes, expected)]


def test_what_the_verifier_refuses_does_not_reach_the_file():
    refusal = UnpicklingError("refused")

    def refuse(data):
        raise refusal

    file = Recorder()
    writing = Pickler(file, 4, policy="any")
    writing._verify = refuse
    with pytest.raises(PicklingError, match=r"^refused$") as caught:
        writing.dump([b"x" * 100_000, "text"])
    assert caught.value.__cause__ is refusal
    assert file.calls == []


def test_a_policy_that_nothing_checks_is_not_ignored():
    file = Recorder()
    with pytest.raises(PicklingError, match="nothing that checks it"):
        Pickler(file, 4, policy="any").dump(1)
    assert file.calls == []
