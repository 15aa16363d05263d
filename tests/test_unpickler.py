"""The concrete machine: what only running shows is checked while running, and nothing of a failed load is left."""

from __future__ import annotations

import codecs
import collections
import copyreg
import functools
import gc
import io
import logging
import pickle
import pickletools
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn, Self

import pytest

import safepickle
from safepickle import Policy
from tests import victims
from tests.assembler import (
    Step,
    asm,
    build,
    dict_of,
    get,
    list_of,
    literal,
    newobj,
    number,
    pickled,
    put,
    reduce,
    set_of,
    text,
    tuple_of,
)

V: Final = victims.__name__
HERE: Final = __name__


def policy(*lines: str, module: str = V, more: str = "") -> Policy:
    """A policy that lists some names of one module."""
    listed = "".join(f"    - {line}\n" for line in lines)
    return Policy.from_yaml(f"safepickle: 1\nallow:\n  {module}:\n{listed}{more}")


def victim(name: str) -> Step:
    return ("GLOBAL", V, name)


def here(name: str) -> Step:
    return ("GLOBAL", HERE, name)


def refusal(data: bytes, kind: type[BaseException] = safepickle.UnpicklingError, **options: Any) -> Any:
    """The error that loading raises."""
    with pytest.raises(kind) as refused:
        safepickle.loads(data, **options)
    return refused.value


@pytest.fixture(autouse=True)
def _nothing_ran_before() -> Iterator[None]:
    sys.modules.pop("tests.tripwire", None)  # an earlier test may compare what plain pickle imports
    victims.RAN.clear()
    gone.clear()
    yield
    assert "tests.tripwire" not in sys.modules


gone: list[str] = []


# --- Things that only running shows -----------------------------------------------------------------------------------
class Leaving:
    """Says when it is freed."""

    def __init__(self, *_arguments: object) -> None:
        self.alive = weakref.finalize(self, gone.append, "freed")


class Refusing:
    """Fails when it is given its state."""

    def __setstate__(self, state: object) -> NoReturn:
        raise ValueError("this state is not for me")


def fails(*arguments: object) -> NoReturn:
    """Raises something with the payload in a frame and in its attributes."""
    held = arguments
    raise ValueError(f"{len(held)} arguments")


def fails_on_the_way(*arguments: object) -> NoReturn:
    """Raises with a context and a cause."""
    try:
        fails(*arguments)
    except ValueError as error:
        raise KeyError("the outer one") from error


def fails_in_a_group(*arguments: object) -> NoReturn:
    """Raises several at once, each with frames of its own."""
    errors = []
    for _ in range(2):
        try:
            fails(*arguments)
        except ValueError as error:
            errors.append(error)
    raise ExceptionGroup("several", errors)


def asks_for_an_attribute(argument: object, *_more: object) -> object:
    """Fails with an error that carries the object it asked."""
    return argument.no_such_attribute


class HostileError(Exception):
    """Cannot be told, and does not let itself be changed."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __setattr__(self, name: str, value: object) -> None:
        raise RuntimeError("no attributes")


def raises_hostile_error(*_arguments: object) -> NoReturn:
    """Raises it."""
    raise HostileError


def loads_an_empty_file(*_arguments: object) -> object:
    """A listed function that reads a pickle of its own, and finds none."""
    return safepickle.load(io.BytesIO())


def loads_a_forbidden_pickle(*_arguments: object) -> object:
    """A listed function that reads a pickle of its own, which is refused."""
    return safepickle.loads(pickled(4, ("GLOBAL", "os", "getcwd")))


encode_by_another_name = codecs.encode
getattr_by_another_name = getattr
handler = functools.partial(dict, kept=True)


# --- Targets of changes -----------------------------------------------------------------------------------------------
TARGETS: Final = {
    "the_class": "type", "the_function": "function", "the_module": "module", "the_member": "Colour",
}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("verb", ["build", "fill"])
def test_classes_functions_modules_and_members_are_no_targets_even_where_a_policy_says_they_are_fresh(
    name: str, verb: str
) -> None:
    made = reduce(victim(name))
    changes: list[Step] = (
        [
            build(made, dict_of((text("limit"), number(99)))),
            build(made, tuple_of("NONE", dict_of((text("limit"), "NONE")))),
        ]
        if verb == "build"
        else [[made, "NONE", "APPEND"], [made, text("limit"), "NONE", "SETITEM"], [made, "MARK", "NONE", "ADDITEMS"]]
    )
    before = victims.snapshot()
    for change in changes:
        error = refusal(pickled(4, change), safepickle.Forbidden, policy=policy(f"{name}: {{use: [call, {verb}]}}"))
        assert error.name == TARGETS[name]
        assert victims.snapshot() == before


def test_slot_state_is_judged_again_on_exact_types() -> None:
    keys = reduce(victim("TextBag"), text("a"))
    data = pickled(4, build(newobj(victim("Slotted")), tuple_of("NONE", dict_of((keys, number(1))))))
    refusal(data, safepickle.Forbidden, policy=policy("Slotted", "TextBag"))
    computed = pickled(4, build(newobj(victim("Slotted")), tuple_of("NONE", reduce(victim("the_pairs")))))
    refusal(computed, policy=policy("Slotted", "the_pairs: {use: [call]}"))


class Attributes:
    default = 0

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and list(vars(self).items()) == list(vars(other).items())

    __hash__ = None  # type: ignore[assignment]


class InSlots:
    __slots__ = ("a", "b", "c")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(
            getattr(self, name, None) == getattr(other, name, None) for name in ("a", "b", "c", "d")
        )

    __hash__ = None  # type: ignore[assignment]


class InBoth(InSlots):
    __hash__ = None  # type: ignore[assignment]


class WithSetter(Attributes):
    SET: Final[list[str]] = []

    @property
    def a(self) -> object:
        return self.__dict__.get("a")

    @a.setter
    def a(self, value: object) -> None:
        self.SET.append("a")

    __hash__ = None  # type: ignore[assignment]


class InsideOut(InSlots):
    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, [value])

    __hash__ = None  # type: ignore[assignment]


STATES: Final[tuple[dict[str, object], ...]] = (
    {"a": 1, "b": "x"}, {"a": 1}, {"b": "x", "a": None}, {"a": [1], "b": (2,), "c": {}}, {"c": 1.5},
    {"a": 1, "b": "x"}, {},
)  # fmt: skip


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("cls", [Attributes, InSlots, InBoth, WithSetter, InsideOut])
def test_many_instances_take_their_states_as_pickle_gives_them(cls: Any, protocol: int) -> None:
    instances = []
    for state in 3 * STATES:
        instances.append(cls.__new__(cls))
        if cls in (Attributes, WithSetter):
            vars(instances[-1]).update(state)
        else:
            for name, value in state.items():
                setattr(instances[-1], name, value)
        if cls is InBoth:
            instances[-1].d = len(instances)
    shared = {"a": 5, "b": 6}
    if cls is Attributes:
        instances[0].__dict__ = shared
        instances.append(shared)
    allowed = policy(cls.__name__, module=HERE)
    data = pickle.dumps([instances, instances[3]], protocol)
    for stream in (data, pickletools.optimize(data)):
        made = safepickle.loads(stream, policy=allowed)
        assert made == pickle.loads(stream)
        assert made[1] is made[0][3]


class Telling(InSlots):
    """Is pickled by a state that others hold as well."""

    __slots__ = ("told",)
    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return copyreg.__newobj__, (Telling,), self.told  # type: ignore[attr-defined]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_state_that_is_asked_for_again_is_there(protocol: int) -> None:
    allowed = policy("Telling", module=HERE)
    for shared in (0, 1):
        state = (None, {"a": 1, "b": [2]})
        told = [Telling(), Telling(), Telling()]  # what the first one takes goes the long way
        for each, its_own in zip(told, ((None, {"a": 0, "b": None}), state, state), strict=True):
            each.told = its_own
        data = pickle.dumps([*told, state[shared] if shared else state, "end"], protocol)
        made = safepickle.loads(data, policy=allowed)
        assert made == pickle.loads(data)
        assert made[1].b is made[2].b
        assert made[3] == (state[1] if shared else state)


class Answering:
    """Has a `__setstate__` that no look at its class finds: `pickle` asks the instance."""

    __slots__ = ("a",)

    def __getattr__(self, name: str) -> Any:
        if name != "__setstate__":
            raise AttributeError(name)
        return lambda state: object.__setattr__(self, "a", ["answered", state])


def test_without_restrictions_the_instance_is_asked_how_it_takes_its_state() -> None:
    instances = [Answering(), Answering(), Answering()]
    for each in instances:
        each.a = 1
    data = pickle.dumps(instances, 5)
    for loads in (pickle.loads, functools.partial(safepickle.loads, policy=Policy.unrestricted())):
        assert [each.a for each in loads(data)] == [["answered", (None, {"a": 1})]] * 3


def grow(number: int) -> int:
    """Gives a class a property, in the midst of a load."""
    if number:
        InSlots.b = property(lambda self: "changed", lambda self, value: None)  # type: ignore[method-assign]
    return number


def test_a_class_that_changes_while_its_instances_take_their_states_is_followed() -> None:
    slots, allowed = InSlots.__dict__["b"], policy("InSlots", "grow: {use: [call]}", module=HERE)
    steps = [
        part
        for number in (0, 0, 0, 1, 1)
        for part in (
            reduce(here("grow"), ("BININT1", number)),
            build(newobj(here("InSlots")), tuple_of("NONE", dict_of((text("a"), text("x")), (text("b"), text("y"))))),
        )
    ]
    try:
        made = safepickle.loads(pickled(4, list_of(*steps)), policy=allowed)
        assert [each.b for each in made[1::2]] == ["changed"] * 5
    finally:
        InSlots.b = slots  # type: ignore[method-assign]
    assert [getattr(each, "b", None) for each in made[1::2]] == ["y", "y", "y", None, None]
    assert [each.a for each in made[1::2]] == ["x"] * 5


def test_a_planted_hook_is_not_called_but_the_one_of_the_class() -> None:
    class_state = pickled(4, build(newobj(victim("WithSetState")), dict_of((text("x"), number(1)))))
    assert safepickle.loads(class_state, policy=policy("WithSetState")).state == {"x": 1}
    computed = pickled(4, build(newobj(victim("Plain")), reduce(here("hooks"))))
    refusal(computed, safepickle.Forbidden, policy=policy("Plain") | policy("hooks: {use: [call]}", module=HERE))


def hooks() -> dict[str, object]:
    """State that no stream spells out."""
    return {"append": victims.canary}


def test_a_plain_name_that_is_no_class_is_refused_with_advice() -> None:
    for name, advice in (("harmless", "use: [call]"), ("NOT_A_CLASS", "use: [refer]")):
        error = refusal(pickled(4, victim(name)), safepickle.Forbidden, policy=policy(name))
        assert advice in str(error)
        assert (error.module, error.name) == (V, name)


def test_a_module_is_never_a_value() -> None:
    refusal(pickled(4, victim("reexported_os")), safepickle.Forbidden, policy=policy("reexported_os: {use: [refer]}"))


# --- All names first, then the first call -----------------------------------------------------------------------------
def test_every_name_is_resolved_before_the_first_call() -> None:
    data = pickled(4, reduce(victim("record")), "POP", victim("Missing"))
    refusal(data, policy=policy("record: {use: [call]}", "Missing"))
    nested = pickled(
        4, reduce(victim("record")), "POP", reduce(("GLOBAL", "builtins", "getattr"), victim("Plain"), text("no"))
    )
    refusal(nested, policy=policy("record: {use: [call]}", "Plain", "Plain.no"))
    assert victims.RAN == []


def test_buffers_are_counted_before_the_first_call() -> None:
    data = pickled(5, reduce(victim("record")), "POP", "NEXT_BUFFER", "NEXT_BUFFER", "TUPLE2")
    refusal(data, policy=policy("record: {use: [call]}"), buffers=[b"one"])
    assert victims.RAN == []
    assert safepickle.loads(data, policy=policy("record: {use: [call]}"), buffers=iter([b"1", b"2"])) == (b"1", b"2")


def test_buffers_that_fail_fail_the_load() -> None:
    def broken() -> Iterator[bytes]:
        yield b"one"
        raise RuntimeError("no more")

    error = refusal(pickled(5, "NEXT_BUFFER", "NEXT_BUFFER", "TUPLE2"), buffers=broken())
    assert isinstance(error.__cause__, RuntimeError)
    with pytest.raises(TypeError):
        safepickle.loads(b"N.", buffers=5)


def test_a_read_only_view_of_a_bytearray_is_what_pickle_makes_of_it() -> None:
    data = pickled(5, ("BYTEARRAY8", b"abc"), "READONLY_BUFFER")
    value = safepickle.loads(data)
    assert (type(value), bytes(value), value.readonly) == (memoryview, b"abc", True)
    listed = policy("keep: {use: [call], args: [[bytearray]]}")
    refusal(
        pickled(5, reduce(victim("keep"), [("BYTEARRAY8", b"x"), "READONLY_BUFFER"])),
        safepickle.Forbidden,
        policy=listed,
    )


@pytest.mark.parametrize("value", [b"", b"abc", b"x" * 300, b"x" * 70_000, bytearray(b"abc"), "abc", "\xe9" * 300])
@pytest.mark.parametrize("protocol", range(6))
def test_what_is_read_from_a_file_has_the_type_that_was_written(value: Any, protocol: int) -> None:
    loaded = safepickle.load(io.BytesIO(pickle.dumps(value, protocol)))
    assert (type(loaded), loaded) == (type(value), value)


# --- Helpers are known by what they stand for -------------------------------------------------------------------------
def test_a_listed_function_that_is_also_a_helper_is_called_as_what_it_is() -> None:
    listed = policy(
        "encode_by_another_name: {use: [call]}", "getattr_by_another_name: {use: [call]}", "handler: {use: [call]}",
        module=HERE,
    )  # fmt: skip
    assert (
        safepickle.loads(
            pickled(4, reduce(here("encode_by_another_name"), text("\u20ac"), text("utf-8"))), policy=listed
        )
        == "\u20ac".encode()
    )
    missing = pickled(4, reduce(here("getattr_by_another_name"), number(5), text("nothing"), text("default")))
    assert safepickle.loads(missing, policy=listed) == "default"
    assert safepickle.loads(pickled(4, reduce(here("handler"))), policy=listed) == {"kept": True}


class WithKeywords(int):
    """Made with keywords, also below protocol 4."""

    def __new__(cls, value: int, *, extra: object = None) -> Self:
        made = super().__new__(cls, value)
        made.extra = extra
        return made

    extra: object

    def __getnewargs_ex__(self) -> tuple[tuple[int], dict[str, object]]:
        return (int(self),), {"extra": self.extra}


class MyList(list[Any]):
    """A list with a dict."""


class MyDict(dict[Any, Any]):
    """A dict with a dict."""


class MySet(set[Any]):
    """A set with a dict."""


class MyTuple(tuple[Any, ...]):  # noqa: SLOT001  # it is about the dict
    """A tuple with a dict."""


class MyText(str):  # noqa: SLOT000  # it is about the dict
    """A text with a dict."""


def values_of_own_classes() -> Iterator[Any]:
    """Objects whose pickles below protocol 4 need the helpers."""
    for cls, content in ((MyList, [1, [2]]), (MyDict, {"a": 1}), (MySet, {1, 2}), (MyTuple, (1, 2)), (MyText, "text")):
        made = cls(content)
        made.attribute = "kept"
        yield made
    for content in (-1, 2**70):
        yield WithKeywords(content, extra="kept")


@pytest.mark.parametrize("protocol", range(6))
def test_what_the_helpers_spell_is_read_as_pickle_reads_it(protocol: int) -> None:
    listed = policy("WithKeywords", "MyList", "MyDict", "MySet", "MyTuple", "MyText", module=HERE)
    for value in values_of_own_classes():
        data = pickle.dumps(value, protocol)
        read = safepickle.loads(data, policy=listed)
        assert (type(read), read, vars(read)) == (type(value), value, vars(value))


def test_a_helper_stays_one_in_the_memo_of_several_loads() -> None:
    file = io.BytesIO()
    pickler = pickle.Pickler(file, 1)
    values = [MyList([1]), MyDict(a=1), victims.Plain(), victims.Plain()]
    for value in values:
        pickler.dump(value)
    file.seek(0)
    unpickler = safepickle.Unpickler(file, policy=policy("MyList", "MyDict", module=HERE) | policy("Plain"))
    assert [type(unpickler.load()) for _ in values] == [type(value) for value in values]
    assert copyreg._reconstructor in unpickler.memo.copy().values()


class Initialising(list[Any]):
    """A base class of Python's own kind, whose __init__ a helper must not run."""

    def __init__(self, *_arguments: object) -> None:
        gone.append("Initialising.__init__")


class Initialised(Initialising):
    pass


def test_a_reconstructor_runs_no_init_but_that_of_the_first_built_in_base() -> None:
    """Whatever base the policy names: which one a class really has, only running shows."""
    rules = policy(
        f"Initialised: {{use: [new], base: {HERE}.Initialising}}", "Initialising: {use: [refer]}", module=HERE
    )
    steps = reduce(("GLOBAL", "copyreg", "_reconstructor"), here("Initialised"), here("Initialising"), list_of())
    error = refusal(pickled(2, steps), safepickle.Forbidden, policy=rules)
    assert "the first built-in base of Initialised is list" in str(error)
    assert gone == []
    built_in = reduce(
        ("GLOBAL", "copyreg", "_reconstructor"), here("Initialised"), ("GLOBAL", "builtins", "list"), list_of(number(1))
    )
    loaded = safepickle.loads(pickled(2, built_in), policy=policy("Initialised", module=HERE))
    assert (type(loaded), loaded, gone) == (Initialised, [1], [])


def test_only_a_stream_is_understood_to_mean_the_helpers() -> None:
    unpickler = safepickle.Unpickler(io.BytesIO(b"N."))
    for module, name in (("builtins", "getattr"), ("functools", "partial"), ("copyreg", "_reconstructor")):
        with pytest.raises(safepickle.Forbidden):
            unpickler.find_class(module, name)
        unpickler = safepickle.Unpickler(io.BytesIO(pickle.dumps(MyList(), 1)), policy=policy("MyList", module=HERE))
        unpickler.load()


def test_a_reference_is_read_from_the_class_and_never_from_the_instance() -> None:
    listed = policy("Plain", "Plain.method: {use: [call]}")
    state = dict_of((text("method"), victim("Plain")))
    reached = reduce(("GLOBAL", "builtins", "getattr"), build(newobj(victim("Plain")), state), text("method"))
    assert safepickle.loads(pickled(4, reduce(reached)), policy=listed) == "method"
    assert victims.RAN == ["Plain.method"]


def test_a_getattr_hook_answers_for_nothing() -> None:
    listed = policy("Answering", "Answering.anything: {use: [call]}")
    reached = reduce(("GLOBAL", "builtins", "getattr"), newobj(victim("Answering")), text("anything"))
    refusal(pickled(4, reduce(reached)), policy=listed)
    assert victims.RAN == []


# --- find_class -------------------------------------------------------------------------------------------------------
class Narrow(safepickle.Unpickler):
    """The documented recipe."""

    asked: list[tuple[str, str]]

    def find_class(self, module: str, name: str) -> Any:
        self.asked.append((module, name))
        if name == "Slotted":
            raise pickle.UnpicklingError(f"global '{module}.{name}' is forbidden")
        return super().find_class(module, name)


def narrow(data: bytes, **options: Any) -> Narrow:
    unpickler = Narrow(io.BytesIO(data), **options)
    unpickler.asked = []
    return unpickler


def test_find_class_is_asked_for_every_global_as_the_stream_spells_it_after_verification() -> None:
    data = asm(
        ("PROTO", 2), ("GLOBAL", "__builtin__", "set"), ("GLOBAL", V, "Plain"), ("GLOBAL", V, "Plain"), "TUPLE3", "STOP"
    )
    unpickler = narrow(data, policy=policy("Plain"))
    assert unpickler.load() == (set, victims.Plain, victims.Plain)
    assert unpickler.asked == [("__builtin__", "set"), (V, "Plain"), (V, "Plain")]
    refused = narrow(pickled(4, victim("Plain"), victim("canary"), "TUPLE2"), policy=policy("Plain"))
    with pytest.raises(safepickle.Forbidden):
        refused.load()
    assert refused.asked == []


def test_find_class_can_refuse_in_its_own_words_and_only_narrow() -> None:
    unpickler = narrow(pickled(4, victim("Slotted")), policy=policy("Slotted"))
    with pytest.raises(pickle.UnpicklingError, match=r"^global 'tests.victims.Slotted' is forbidden$"):
        unpickler.load()
    widening = safepickle.Unpickler(io.BytesIO(pickled(4, victim("NotPlain"))), policy=policy("Plain"))
    widening.find_class = lambda module, name: victims.NotPlain
    with pytest.raises(safepickle.Forbidden):
        widening.load()


def test_what_find_class_gives_for_a_helper_must_be_the_helper() -> None:
    unpickler = safepickle.Unpickler(
        io.BytesIO(pickled(4, reduce(("GLOBAL", "builtins", "getattr"), victim("Plain"), text("make")))),
        policy=policy("Plain", "Plain.make: {use: [refer]}"),
    )
    unpickler.find_class = lambda module, name: victims.canary if name == "getattr" else victims.Plain
    with pytest.raises(safepickle.Forbidden):
        unpickler.load()
    assert victims.RAN == []


def test_find_class_that_raises_anything_raises_one_exception() -> None:
    for failure in (KeyError("x"), ImportError("y"), SystemExit(3), MemoryError(), RecursionError(), HostileError()):

        def fail(_module: str, _name: str, failure: BaseException = failure) -> NoReturn:
            raise failure

        unpickler = safepickle.Unpickler(io.BytesIO(pickled(4, victim("Plain"))), policy=policy("Plain"))
        unpickler.find_class = fail
        with pytest.raises(safepickle.ReconstructionError) as refused:
            unpickler.load()
        assert refused.value.__cause__ is failure
        assert (refused.value.module, refused.value.name) == (V, "Plain")


def test_find_class_called_by_the_application_refuses_what_is_not_listed_and_raises_what_pickle_raises() -> None:
    unpickler = safepickle.Unpickler(io.BytesIO(b"N."), policy=policy("Plain", "Missing", "missing_module.Thing"))
    assert unpickler.find_class(V, "Plain") is victims.Plain
    with pytest.raises(safepickle.Forbidden):
        unpickler.find_class(V, "canary")
    with pytest.raises(AttributeError):
        unpickler.find_class(V, "Missing")
    absent = safepickle.Unpickler(io.BytesIO(b"N."), policy=policy("Thing", module="no_such_module"))
    with pytest.raises(ModuleNotFoundError):
        absent.find_class("no_such_module", "Thing")


def test_every_import_is_announced_as_pickle_announces_it() -> None:
    seen: list[object] = []
    active = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if active and event == "pickle.find_class":
            seen.append(arguments)

    sys.addaudithook(hook)
    safepickle.loads(pickled(4, victim("Plain")), policy=policy("Plain"))
    active = False
    assert seen == [(V, "Plain")]


# --- Aliases ----------------------------------------------------------------------------------------------------------
def test_a_moved_module_is_imported_as_its_new_name_and_where_that_is_absent_as_spelled() -> None:
    moved = policy("Plain", module="tests.victims", more="aliases: {tests.old_victims: tests.victims}\n")
    assert safepickle.loads(pickled(4, ("GLOBAL", "tests.old_victims", "Plain")), policy=moved) is victims.Plain
    absent = policy("Plain", module="tests.new_victims", more="aliases: {tests.victims: tests.new_victims}\n")
    assert safepickle.loads(pickled(4, victim("Plain")), policy=absent) is victims.Plain
    refusal(pickled(4, ("GLOBAL", "tests.new_victims", "Plain")), policy=absent)


def test_what_an_alias_falls_back_to_is_the_name_of_python_3() -> None:
    """Otherwise the stream could have a module imported that only Python 2 knew, and that no policy names."""
    absent = Policy.from_yaml("safepickle: 1\nallow:\n  nowhere: [UserDict]\naliases: {collections: nowhere}\n")
    sys.modules["UserDict"] = trap = types.ModuleType("UserDict")
    trap.UserDict = victims.NotPlain
    try:
        data = asm(("PROTO", 2), ("GLOBAL", "UserDict", "UserDict"), "STOP")
        assert safepickle.loads(data, policy=absent) is collections.UserDict
    finally:
        del sys.modules["UserDict"]


# --- Persistent IDs ---------------------------------------------------------------------------------------------------
def persistent(data: bytes, load: Callable[[Any], Any], **options: Any) -> Any:
    unpickler = safepickle.Unpickler(io.BytesIO(data), **options)
    unpickler.persistent_load = load
    return unpickler.load()


def test_what_persistent_load_gives_may_be_referred_to_only() -> None:
    shared: list[object] = ["the application's"]
    asked = [text("id"), "BINPERSID"]
    assert persistent(pickled(4, asked), lambda _pid: shared) is shared
    for use in (
        [asked, "NONE", "APPEND"], [asked, "MARK", "NONE", "APPENDS"], [asked, "EMPTY_TUPLE", "REDUCE"],
        [asked, "EMPTY_TUPLE", "NEWOBJ"], [asked, "EMPTY_DICT", "BUILD"], [asked, "NONE", "NONE", "SETITEM"],
        reduce(("GLOBAL", "builtins", "getattr"), asked, text("clear")), [text("os"), asked, "STACK_GLOBAL"],
    ):  # fmt: skip
        with pytest.raises(safepickle.UnpicklingError):
            persistent(pickled(4, use), lambda _pid: shared)
        assert shared == ["the application's"]


def test_persistent_load_that_fails_fails_the_load_in_its_own_words_if_it_has_some() -> None:
    def refuse(_pid: object) -> NoReturn:
        raise pickle.UnpicklingError("unsupported persistent object")

    def fail(_pid: object) -> NoReturn:
        raise KeyError("no such object")

    def end(_pid: object) -> object:
        return safepickle.load(io.BytesIO())

    data = pickled(4, text("id"), "BINPERSID")
    with pytest.raises(pickle.UnpicklingError, match=r"^unsupported persistent object$"):
        persistent(data, refuse)
    with pytest.raises(safepickle.ReconstructionError) as failed:
        persistent(data, fail)
    assert isinstance(failed.value.__cause__, KeyError)
    with pytest.raises(safepickle.ReconstructionError) as ended:
        persistent(data, end)
    assert not isinstance(ended.value, EOFError)


def test_an_id_that_stands_for_a_class_must_give_that_class() -> None:
    stands = policy("Plain", more=f"persistent: [{{id: [{{is: 'class'}}, str], makes: {V}.Plain}}]\n")
    data = pickled(4, newobj([tuple_of(text("class"), text("x")), "BINPERSID"]))
    assert type(persistent(data, lambda _pid: victims.Plain, policy=stands)) is victims.Plain
    with pytest.raises(safepickle.Forbidden):
        persistent(data, lambda _pid: victims.NotPlain, policy=stands)
    assert victims.RAN == []


# --- One exception, and nothing of the payload in it ------------------------------------------------------------------
FAILING: Final = (
    "fails", "fails_on_the_way", "fails_in_a_group", "asks_for_an_attribute", "raises_hostile_error",
    "loads_an_empty_file", "loads_a_forbidden_pickle",
)  # fmt: skip


@pytest.mark.parametrize("unrestricted", [False, True])
@pytest.mark.parametrize("name", FAILING)
def test_whatever_a_listed_callable_raises_becomes_one_exception_that_keeps_no_payload(
    name: str, unrestricted: bool
) -> None:
    chosen = Policy.unrestricted() if unrestricted else policy("Leaving", f"{name}: {{use: [call]}}", module=HERE)
    payload = reduce(here("Leaving"), text("secret payload"))
    data = pickled(4, list_of(payload, payload), put(0), "POP", reduce(here(name), payload, get(0)))
    error = refusal(data, safepickle.ReconstructionError, policy=chosen)
    assert error.__cause__ is not None
    assert not isinstance(error, EOFError)
    assert (error.module, error.name, error.opcode, error.position) == (HERE, name, "REDUCE", len(data) - 2)
    gc.collect()
    assert gone == ["freed"] * 3


def test_an_object_without_the_attribute_that_its_state_needs_is_not_kept() -> None:
    class_without_dict = pickled(4, build(newobj(victim("Slotted")), dict_of((text("x"), number(1)))))
    error = refusal(class_without_dict, safepickle.ReconstructionError, policy=policy("Slotted"))
    assert isinstance(error.__cause__, AttributeError)
    assert error.__cause__.obj is None
    assert (error.module, error.name) == (V, "Slotted")


def test_a_text_that_cannot_be_decoded_is_not_kept() -> None:
    error = refusal(asm(("SHORT_BINSTRING", "secret \xe9 payload"), "STOP"), safepickle.MalformedStream)
    assert isinstance(error.__cause__, UnicodeDecodeError)
    assert error.__cause__.object == b"\xe9"
    assert "secret" not in repr(error.__cause__)


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit])
def test_interruptions_pass(error: type[BaseException]) -> None:
    def interrupt(_pid: object) -> NoReturn:
        raise error

    with pytest.raises(error):
        persistent(pickled(4, text("id"), "BINPERSID"), interrupt)


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit])
def test_interruptions_pass_while_names_are_resolved_and_buffers_taken(error, tmp_path, monkeypatch) -> None:
    def interrupt(*_given: object) -> NoReturn:
        raise error

    class Interrupted(safepickle.Unpickler):
        def find_class(self, module: str, name: str, /) -> Any:
            interrupt()

    listed = policy("fails: {use: [refer]}", module=HERE)
    named = pickled(4, here("fails"))
    with pytest.raises(error):
        Interrupted(io.BytesIO(named), policy=listed).load()

    (tmp_path / "interrupted_module.py").write_text(f"raise {error.__name__}\n")
    monkeypatch.syspath_prepend(tmp_path)
    imported = policy("thing: {use: [refer]}", module="interrupted_module")
    stream = pickled(4, ("GLOBAL", "interrupted_module", "thing"))
    for load in (safepickle.loads, lambda data, **options: safepickle.load(io.BytesIO(data), **options)):
        with pytest.raises(error):
            load(stream, policy=imported)

    buffered = pickled(5, "NEXT_BUFFER", "NEXT_BUFFER", "TUPLE2")
    with pytest.raises(error):
        safepickle.loads(buffered, buffers=map(interrupt, [1, 2]))
    with pytest.raises(error):
        safepickle.load(io.BytesIO(buffered), buffers=map(interrupt, [1, 2]))
    with pytest.raises(error):
        safepickle.loads(
            pickled(5, "NEXT_BUFFER", here("fails"), "TUPLE2"), policy=listed, buffers=map(interrupt, [1])
        )

    listening = [True]

    def hear(event: str, args: tuple[object, ...]) -> None:
        if listening and event == "pickle.find_class" and args == (HERE, "fails"):
            interrupt()

    for _ in range(2):  # the second time, what it names was found before
        assert safepickle.loads(named, policy=listed) is fails
    sys.addaudithook(hear)
    try:
        with pytest.raises(error):
            safepickle.loads(named, policy=listed)
    finally:
        listening.clear()


def test_every_refusal_is_logged_once_with_the_digest_and_without_payload(caplog: pytest.LogCaptureFixture) -> None:
    secret = text("secret \x1b[31m payload")
    listed = policy("fails: {use: [call]}", module=HERE)
    cases = {
        "Forbidden": pickled(4, reduce(victim("canary"), secret)),
        "MalformedStream": pickled(4, secret, "NONE", "APPEND"),
        "LimitExceeded": pickled(4, secret, *["TUPLE1"] * 2000),
        "ReconstructionError": pickled(4, reduce(here("fails"), secret)),
    }
    with caplog.at_level(logging.DEBUG, "safepickle"):
        for kind, data in cases.items():
            for load in (safepickle.loads, lambda data, **options: safepickle.load(io.BytesIO(data), **options)):
                caplog.clear()
                with pytest.raises(getattr(safepickle, kind)):
                    load(data, policy=listed)
                (record,) = caplog.records
                assert record.name == "safepickle"
                assert kind in record.getMessage()
                assert listed.digest[:16] in record.getMessage()
                assert "secret" not in caplog.text
                assert record.getMessage().isprintable()
        caplog.clear()
        with pytest.raises(EOFError):
            safepickle.loads(b"")
        assert caplog.records == []


def test_a_refusal_is_raised_whatever_becomes_of_its_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_record: object) -> bool:
        raise ValueError

    monkeypatch.setattr(logging.getLogger("safepickle"), "filters", [fails])
    for load in (safepickle.loads, lambda data: safepickle.load(io.BytesIO(data))):
        with pytest.raises(safepickle.Forbidden):
            load(pickled(4, victim("canary")))


def test_no_digest_is_computed_for_a_record_that_nobody_wants(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(safepickle.Policy, "digest", property(lambda _policy: pytest.fail("nobody asked for it")))
    with caplog.at_level(logging.CRITICAL, "safepickle"), pytest.raises(safepickle.Forbidden):
        safepickle.loads(pickled(4, victim("canary")))


def test_names_in_errors_and_in_the_log_are_escaped(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("\x1b[31mred", "\u202egnp.exe", "a\nb", "\ud800", "x" * 900):
        caplog.clear()
        error = refusal(pickled(4, text("module"), text(name), "STACK_GLOBAL"), safepickle.Forbidden)
        told = "\n".join([str(error), *error.__notes__, caplog.text])
        assert all(char.isprintable() or char == "\n" for char in told), ascii(told)
        assert error.name == name
        assert error.missing[0].name == name


# --- Repeated loads ---------------------------------------------------------------------------------------------------
def test_a_memo_goes_from_load_to_load_as_with_pickle() -> None:
    file = io.BytesIO()
    shared = [1, "text", (2, 3), {"k": b"v"}, victims.Plain]
    for protocol in range(6):
        file = io.BytesIO()
        pickler = pickle.Pickler(file, protocol)
        for value in (shared, [shared, shared[2]], {"again": shared, "class": victims.Plain}):
            pickler.dump(value)
        file.seek(0)
        unpickler = safepickle.Unpickler(file, policy=policy("Plain"))
        first, second, third = (unpickler.load() for _ in range(3))
        assert (first, second, third) == (shared, [shared, shared[2]], {"again": shared, "class": victims.Plain})
        assert second[0] is first
        assert third["again"] is first


def test_a_load_that_fails_leaves_the_memo_as_it_was() -> None:
    data = asm(
        text("kept"), put(0), "STOP", text("lost"), put(0), put(1), "POP", reduce(here("fails")), "STOP", get(0), "STOP"
    )  # fmt: skip
    unpickler = safepickle.Unpickler(io.BytesIO(data), policy=policy("fails: {use: [call]}", module=HERE))
    assert unpickler.load() == "kept"
    with pytest.raises(safepickle.ReconstructionError):
        unpickler.load()
    assert unpickler.memo.copy() == {0: "kept"}
    assert unpickler.load() == "kept"


def test_an_object_of_an_earlier_load_is_never_changed_nor_called() -> None:
    first = pickled(
        4, list_of("NONE"), put(0), newobj(victim("Plain")), put(1), reduce(victim("keep")), put(2), "TUPLE3"
    )
    listed = policy("Plain", "keep: {use: [call, fill]}")
    for change in (
        [get(0), "NONE", "APPEND"], [get(0), "MARK", "NONE", "APPENDS"], [get(1), "EMPTY_DICT", "BUILD"],
        [get(2), "NONE", "APPEND"], [get(1), "EMPTY_TUPLE", "REDUCE"], [get(2), "EMPTY_TUPLE", "NEWOBJ"],
    ):  # fmt: skip
        unpickler = safepickle.Unpickler(io.BytesIO(first + pickled(4, change)), policy=listed)
        made = unpickler.load()
        with pytest.raises(safepickle.Forbidden):
            unpickler.load()
        assert made[0] == [None]
        assert vars(made[1]) == {}
        assert made[2] == []


def test_names_of_an_earlier_load_are_judged_by_the_policy_of_this_one() -> None:
    first = safepickle.Unpickler(
        io.BytesIO(pickled(4, victim("record"), put(0))), policy=policy("record: {use: [call]}")
    )
    first.load()
    second = safepickle.Unpickler(io.BytesIO(pickled(4, get(0), "EMPTY_TUPLE", "REDUCE")), policy=policy("Plain"))
    second.memo = first.memo
    with pytest.raises(safepickle.Forbidden):
        second.load()
    assert victims.RAN == []


def test_a_memo_from_the_unrestricted_mode_gives_objects_and_no_names() -> None:
    first = safepickle.Unpickler(
        io.BytesIO(asm(("GLOBAL", "builtins", "getattr"), put(0), "STOP")), policy=Policy.unrestricted()
    )
    assert first.load() is getattr
    listed = policy("Plain", "Plain.method: {use: [call]}")
    call = pickled(4, get(0), newobj(victim("Plain")), text("method"), "TUPLE2", "REDUCE")
    second = safepickle.Unpickler(io.BytesIO(call), policy=listed)
    second.memo = first.memo
    with pytest.raises(safepickle.Forbidden):
        second.load()
    third = safepickle.Unpickler(io.BytesIO(call), policy=Policy.unrestricted())
    third.memo = {0: getattr}
    assert third.load()() == "method"


def test_the_memo_may_be_forgotten_while_a_load_runs() -> None:
    data = pickled(
        4, "EMPTY_LIST", "MEMOIZE", text("id"), "BINPERSID", "MEMOIZE", "APPEND", "EMPTY_DICT", "MEMOIZE", "TUPLE2"
    )
    unpickler = safepickle.Unpickler(io.BytesIO(b"(NN\x94l." + data))
    unpickler.load()

    def forget(_pid: object) -> str:
        unpickler.memo.clear()
        return "loaded"

    unpickler.persistent_load = forget
    assert unpickler.load() == (["loaded"], {})


def test_memos_that_are_none_are_refused_as_pickle_refuses_them() -> None:
    unpickler = safepickle.Unpickler(io.BytesIO(b"N."))
    for value, error in (([], TypeError), ({"a": 1}, TypeError), ({-1: 1}, ValueError)):
        with pytest.raises(error):
            unpickler.memo = value
    assert pickle.loads(pickle.dumps(unpickler.memo)) == {}


# --- Hashing across loads ---------------------------------------------------------------------------------------------
def test_what_an_earlier_load_nested_counts_when_it_is_hashed() -> None:
    doubled = ["EMPTY_TUPLE", ["DUP", "TUPLE2"] * 25]
    again = pickled(4, get(0), ["DUP", "TUPLE2"] * 25, put(1), "POP", dict_of((get(1), "NONE")))
    unpickler = safepickle.Unpickler(io.BytesIO(pickled(4, doubled, put(0), "POP", "NONE") + again))
    assert unpickler.load() is None
    with pytest.raises(safepickle.LimitExceeded):
        unpickler.load()


def test_what_an_earlier_load_made_counts_when_it_is_hashed_load_after_load() -> None:
    frozen = [
        victim("Frozen"),
        "EMPTY_TUPLE",
        "NEWOBJ",
        dict_of((text("a"), get(0)), (text("b"), get(0))),
        "BUILD",
        put(0),
        "POP",
    ]
    data = pickled(4, "NONE", put(0)) + b"".join(pickled(4, frozen, "NONE") for _ in range(60))
    data += pickled(4, dict_of((get(0), "NONE")))
    unpickler = safepickle.Unpickler(io.BytesIO(data), policy=policy("Frozen"))
    for _ in range(61):
        unpickler.load()
    with pytest.raises(safepickle.LimitExceeded):
        unpickler.load()


def test_a_long_text_of_an_earlier_load_counts_when_it_is_compared_again_and_again() -> None:
    long = "x" * 300_000
    looked_up = [
        "EMPTY_DICT",
        get(0),
        "NONE",
        "SETITEM",
        text(long),
        put(1),
        "NONE",
        "SETITEM",
        [get(1), "NONE", "SETITEM"] * 2000,
    ]
    unpickler = safepickle.Unpickler(io.BytesIO(pickled(4, text(long), put(0), "POP", "NONE") + pickled(4, looked_up)))
    unpickler.load()
    with pytest.raises(safepickle.LimitExceeded):
        unpickler.load()


# --- Entered while running --------------------------------------------------------------------------------------------
def test_an_unpickler_that_runs_cannot_be_entered_nor_set_up_again() -> None:
    for enter in ("load", "__init__"):
        file = io.BytesIO(pickled(4, text("id"), "BINPERSID") + b"N.")
        unpickler = safepickle.Unpickler(file)
        arguments = (file,) if enter == "__init__" else ()
        unpickler.persistent_load = lambda _pid: getattr(unpickler, enter)(*arguments)  # noqa: B023  # it is called at once
        with pytest.raises(safepickle.UnpicklingError, match="running"):
            unpickler.load()
        assert unpickler.load() is None  # and then it goes on


def test_one_that_was_never_set_up_says_so() -> None:
    class Forgetful(safepickle.Unpickler):
        def __init__(self) -> None:
            pass

    with pytest.raises(pickle.UnpicklingError, match=r"__init__\(\) was not called"):
        Forgetful().load()


@pytest.mark.parametrize("option", ["encoding", "errors"])
def test_arguments_of_the_wrong_kind_are_type_errors_at_once(option: str) -> None:
    for call in (
        safepickle.loads,
        safepickle.verify,
        lambda data, **options: safepickle.load(io.BytesIO(data), **options),
    ):
        with pytest.raises(TypeError):
            call(b"N.", **{option: 5})
    for file in (None, 5, "name", object()):
        with pytest.raises(TypeError):
            safepickle.Unpickler(file)


# --- Colliding keys ---------------------------------------------------------------------------------------------------
class Keeping:
    """Keeps what it is given in a dict and in a set of its own."""

    def __init__(self) -> None:
        self.items: dict[Any, Any] = {}

    def __setitem__(self, key: object, value: object) -> None:
        self.items[key] = value

    def add(self, key: object) -> None:
        """As a set has it."""
        self.items[key] = None


MODULUS: Final = 2**61 - 1  # of the hash of ints
COLLIDING: Final = [number(each * MODULUS) for each in range(1, 3001)]


@pytest.mark.parametrize(
    "filled",
    [
        dict_of(*((key, "NONE") for key in COLLIDING)),
        ["EMPTY_DICT", [[key, "NONE", "SETITEM"] for key in COLLIDING]],
        ["MARK", [[key, "NONE"] for key in COLLIDING], "DICT"],
        set_of(*COLLIDING),
        ["MARK", *COLLIDING, "FROZENSET"],
        reduce(("GLOBAL", "builtins", "set"), list_of(*COLLIDING)),
        [newobj(here("MyDict")), "MARK", [[key, "NONE"] for key in COLLIDING], "SETITEMS"],
        [newobj(here("MySet")), "MARK", *COLLIDING, "ADDITEMS"],
        [reduce(here("Keeping")), "MARK", [[key, "NONE"] for key in COLLIDING], "SETITEMS"],
        [reduce(here("Keeping")), [[key, "NONE", "SETITEM"] for key in COLLIDING]],
        [reduce(here("Keeping")), "MARK", *COLLIDING, "ADDITEMS"],
        reduce(here("MyDict"), list_of(*(tuple_of(key, "NONE") for key in COLLIDING))),
        reduce(here("MySet"), [newobj(here("MyList")), "MARK", *COLLIDING, "APPENDS"]),
        reduce(here("Tally"), list_of(*COLLIDING)),
        reduce(here("Tally"), list_of(*(tuple_of(key, "NONE") for key in COLLIDING))),
        reduce(here("MySet"), reduce(("GLOBAL", "builtins", "range"), *map(number, (0, 3000 * MODULUS, MODULUS)))),
    ],
    ids=[
        "SETITEMS", "SETITEM", "DICT", "ADDITEMS", "FROZENSET", "a call of set", "a dict's class", "a set's class",
        "SETITEMS on what is no dict", "SETITEM on what is no dict", "ADDITEMS on what is no set", "pairs",
        "a list's class", "counted", "pairs that are counted", "a range",
    ],
)  # fmt: skip
def test_keys_that_collide_are_found_out_wherever_they_are_hashed(filled: Step) -> None:
    listed = policy("MyDict", "MySet", "MyList", "Keeping", "Tally", module=HERE)
    error = refusal(pickled(4, filled), safepickle.LimitExceeded, policy=listed)
    assert "probe_work" in str(error)


class Tally(collections.Counter[Any]):
    """Counts."""


def test_keys_that_are_set_again_and_again_do_not_collide() -> None:
    keys = [number(each) for each in range(1500)] + [number(each % 7) for each in range(60_000)]
    assert len(safepickle.loads(pickled(4, dict_of(*((key, "NONE") for key in keys))))) == 1500
    assert len(safepickle.loads(pickled(4, set_of(*keys)))) == 1500
    counted = reduce(here("Tally"), list_of(*keys))
    assert safepickle.loads(pickled(4, counted), policy=policy("Tally", module=HERE))[3] == 60_000 // 7 + 1


def test_ordinary_containers_of_every_size_are_never_taken_for_colliding() -> None:
    for values in (
        range(20_000), range(0, 2**40, 2**26), [each / 7 for each in range(5000)], [-each for each in range(5000)],
        [(each, -each) for each in range(5000)], [f"text {each}" for each in range(5000)],
        [2**each for each in range(1200)], [b"%d" % each for each in range(3000)],
        [(each % 60, each // 60) for each in range(6000)],
    ):  # fmt: skip
        value = [set(values), dict.fromkeys(values), frozenset(values)]
        assert safepickle.loads(pickle.dumps(value)) == value


# --- What pickle itself reads -----------------------------------------------------------------------------------------
def test_literals_are_what_pickle_makes_of_them() -> None:
    value = [None, True, 5, -(2**80), 1.5, "text", b"bytes", bytearray(b"x"), (), (1,), {"k": {1, 2}}, frozenset({3})]
    for protocol in range(6):
        assert safepickle.loads(pickle.dumps(value, protocol)) == value
    assert safepickle.loads(asm(literal({"k": [1, (2, "x")]}), "STOP")) == {"k": [1, (2, "x")]}


def test_a_recursive_structure_is_read_as_it_was_written() -> None:
    value: list[Any] = [1]
    value.append({"self": value, "tuple": (value,)})
    for protocol in range(6):
        read = safepickle.loads(pickle.dumps(value, protocol))
        assert read[1]["self"] is read
        assert read[1]["tuple"][0] is read


class Knot:
    """An object that knows others."""

    def __init__(self, name: int) -> None:
        self.name = name
        self.others: set[Knot] = set()
        self.by: dict[Knot, int] = {}


def test_a_graph_of_objects_that_are_keys_of_each_other_is_no_bomb() -> None:
    knots = [Knot(each) for each in range(60)]
    for each, knot in enumerate(knots):
        for step in (1, 7, 31):
            other = knots[(each + step) % 60]
            knot.others.add(other)
            other.by[knot] = step
    for protocol in range(2, 6):
        read = safepickle.loads(pickle.dumps(knots, protocol), policy=policy("Knot", module=HERE))
        assert [sorted(other.name for other in knot.others) for knot in read] == [
            sorted(other.name for other in knot.others) for knot in knots
        ]
        assert all(other in knots_of.by for knots_of in read for other in knots_of.by)


def test_options_mean_what_they_mean_to_pickle() -> None:
    python2 = asm(("SHORT_BINSTRING", "caf\xe9"), "STOP")
    assert safepickle.loads(python2, encoding="latin1") == "caf\xe9"
    assert safepickle.loads(python2, encoding="bytes") == b"caf\xe9"
    assert safepickle.loads(python2, encoding="ascii", errors="replace") == "caf\ufffd"
    spelled = asm(("PROTO", 2), ("GLOBAL", "__builtin__", "set"), "STOP")
    assert safepickle.loads(spelled) is set
    refusal(spelled, fix_imports=False)
