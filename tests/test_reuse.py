"""What a load leaves behind for the next one on its bench: room, and what the policy says; nothing of the stream.

A value is known by the position of its literal or the number of its node, so two streams of the same layout are the
hard case: what was found out about the one must say nothing of the other.
"""

from __future__ import annotations

import gc
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

import safepickle
from safepickle import Policy
from safepickle import loading as prim
from tests import victims
from tests.assembler import Step, asm, build, dict_of, list_of, newobj, number, pickled, put, reduce, text, tuple_of

V: Final = victims.__name__
PLAIN: Final[Step] = ("GLOBAL", V, "Plain")
SLOTTED: Final[Step] = ("GLOBAL", V, "Slotted")
KEEP: Final[Step] = ("GLOBAL", V, "keep")


def policy(listed: str, more: str = "") -> Policy:
    """A policy that lists one thing of the victims."""
    return Policy.from_yaml(f"safepickle: 1\n{more}\nallow:\n  {V}:\n    - {listed}\n")


def stacked(module: str, name: str) -> Step:
    """A name as protocol 4 spells it."""
    return [text(module), text(name), "STACK_GLOBAL"]


def outcome(data: bytes, rules: Policy) -> Any:
    """What becomes of a pickle: the kind of its object, or of its refusal, with all it says."""
    try:
        return type(safepickle.loads(data, policy=rules))
    except safepickle.UnpicklingError as error:
        return type(error), str(error)


# Each pair has the same layout; the first passes, and the other one does not.
SMALL: Final = "limits: {hash_work: 2000, copy_work: 2000}"
PAIRS: Final[dict[str, tuple[Policy, Step, Step]]] = {
    "an argument that a pattern looks at": (
        policy("keep: {use: [call], args: [[{str: 'go+d'}]]}"),
        reduce(KEEP, text("goood")),
        reduce(KEEP, text("wrong")),
    ),
    "an argument that is told at a glance": (
        policy("keep: {use: [call], args: [[{int: [1, 5]}]]}"),
        reduce(KEEP, number(5)),
        reduce(KEEP, number(6)),
    ),
    "the length of an argument": (
        policy("keep: {use: [call], args: [[{length: [3, 3], of: {list: int}}]]}"),
        reduce(KEEP, list_of(*map(number, (1, 2, 3)))),
        reduce(KEEP, list_of(*map(number, (1, 2)))),
    ),
    "the names of attributes": (
        policy("Plain: {use: [new, build], attributes: [one, two]}"),
        build(newobj(PLAIN), dict_of((text("one"), "NONE"))),
        build(newobj(PLAIN), dict_of((text("six"), "NONE"))),
    ),
    "a state that a pattern looks at": (
        policy("Plain: {use: [new, build], state: {dict: [str, int]}}"),
        build(newobj(PLAIN), dict_of((text("one"), number(1)))),
        build(newobj(PLAIN), dict_of((text("one"), "NONE"))),
    ),
    "a key that nests as often as it is long": (
        policy("Plain", SMALL),
        dict_of((["NONE", ["NONE", "TUPLE2"] * 40], "NONE")),
        dict_of((["NONE", ["DUP", "TUPLE2"] * 40], "NONE")),
    ),
    "a key that holds no more than it seems to": (
        policy("Plain", SMALL),
        dict_of((["NONE", ["POP", "NONE", "DUP", "TUPLE2"] * 40], "NONE")),
        dict_of((["NONE", ["NONE", "POP", "DUP", "TUPLE2"] * 40], "NONE")),
    ),
    "a key that cannot be hashed": (
        policy("Plain"),
        dict_of((tuple_of(tuple_of("EMPTY_TUPLE")), "NONE")),
        dict_of((tuple_of(tuple_of("EMPTY_LIST")), "NONE")),
    ),
    "what a call walks through": (
        policy("keep: {use: [call]}", SMALL),
        reduce(KEEP, ["NONE", ["NONE", "TUPLE2"] * 40]),
        reduce(KEEP, ["NONE", ["DUP", "TUPLE2"] * 40]),
    ),
    "what a call is given": (
        policy("keep: {use: [call]}", SMALL),
        [("BINBYTES", b"x" * 300), put(0), "POP", [reduce(KEEP, ("BINGET", 0)), "POP"] * 5, "NONE"],
        [("BINBYTES", b"x" * 300), put(0), "POP", [reduce(KEEP, ("BINGET", 0)), "POP"] * 9, "NONE"],
    ),
    "a hook": (
        policy("Plain"),
        build(newobj(PLAIN), dict_of((text("appenz"), "NONE"))),
        build(newobj(PLAIN), dict_of((text("append"), "NONE"))),
    ),
    "a dunder in the state of slots": (
        policy("Slotted"),
        build(newobj(SLOTTED), tuple_of("NONE", dict_of((text("a"), "NONE")))),
        build(newobj(SLOTTED), tuple_of("NONE", dict_of((text("__class__"), "NONE")))),
    ),
    "a name": (policy("Plain"), PLAIN, ("GLOBAL", V, "Naked")),
    "a name whose texts are counted": (policy("Plain"), stacked(V, "Plain"), stacked(V, "Naked")),
    "a module whose text is counted": (policy("Plain"), stacked(V, "Plain"), stacked(V[::-1], "Plain")),
    "a verb": (policy("Plain: {use: [new]}"), newobj(PLAIN), reduce(PLAIN)),
    "a state that must come": (
        policy("Plain: {use: [new, build], then: build}"),
        build(newobj(PLAIN), "EMPTY_DICT"),
        [newobj(PLAIN), "EMPTY_DICT", "POP"],
    ),
    "an attribute that getattr reaches": (
        policy("Plain\n    - Plain.make: {use: [call]}"),
        reduce(reduce(("GLOBAL", "builtins", "getattr"), PLAIN, text("make"))),
        reduce(reduce(("GLOBAL", "builtins", "getattr"), PLAIN, text("mayk"))),
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def bench() -> Iterator[None]:
    """A bench that nobody has used yet: an error drops the one that there was."""
    fresh()
    yield
    fresh()


def fresh() -> None:
    with pytest.raises(safepickle.UnpicklingError):
        safepickle.loads(b"?")


@pytest.mark.parametrize("name", PAIRS)
def test_what_was_found_out_about_one_stream_says_nothing_of_the_next(name: str) -> None:
    rules, good, bad = PAIRS[name]
    first, second = pickled(4, good), pickled(4, bad)
    expected = []
    for data in (first, second):
        fresh()
        expected.append(outcome(data, rules))
    assert not isinstance(expected[0], tuple), expected[0]
    assert isinstance(expected[1], tuple)
    for order in ((first, second), (first, first, second), (second, first, first), (first, second, first, second)):
        fresh()
        for data in order:
            assert outcome(data, rules) == expected[data == second]


@pytest.mark.parametrize("before", PAIRS)
def test_any_stream_may_come_before_any_other(before: str) -> None:
    for name, (rules, good, bad) in PAIRS.items():
        for data in (pickled(4, good), pickled(4, bad)):
            fresh()
            expected = outcome(data, rules)
            fresh()
            outcome(pickled(4, PAIRS[before][1]), rules | PAIRS[before][0])
            assert outcome(data, rules) == expected, name


@pytest.mark.parametrize("one", [PLAIN, SLOTTED], ids=["attributes", "slots"])
def test_a_text_that_may_not_be_a_name_says_nothing_of_another_in_its_place(one: Step) -> None:
    before, after = ([], []) if one == PLAIN else (["NONE"], ["TUPLE2"])
    for special in ("append", "__setstate__", "__class__"):
        harmless = [newobj(one), before, "EMPTY_DICT", text(special), "POP", after, "BUILD"]
        named = [newobj(one), before, "EMPTY_DICT", text("a"), "NONE", "SETITEM", after, "BUILD"]
        for steps in (harmless, named, harmless, harmless, named):
            assert outcome(pickled(4, steps), policy("Plain") | policy("Slotted")) in (victims.Plain, victims.Slotted)


def test_work_is_counted_for_each_load_by_itself() -> None:
    rules, good, _ = PAIRS["what a call is given"]
    data = pickled(4, good)
    assert [outcome(data, rules) for _ in range(20)] == [type(None)] * 20


def test_each_load_resolves_its_own_names() -> None:
    rules = Policy.from_yaml(f"safepickle: 1\nallow:\n  {V}: [Plain, Slotted, WithSetState]\n")
    names = ["Plain", "Slotted", "WithSetState"]
    for name in (*names, *reversed(names), *names):
        assert safepickle.loads(pickled(4, ("GLOBAL", V, name)), policy=rules) is getattr(victims, name)
    both = pickled(4, tuple_of(*[("GLOBAL", V, name) for name in names]))
    assert safepickle.loads(both, policy=rules) == tuple(getattr(victims, name) for name in names)


def test_a_policy_is_asked_for_what_another_has_granted() -> None:
    data = pickled(4, PLAIN)
    granting, other = policy("Plain"), policy("Slotted")
    for _ in range(3):
        assert outcome(data, granting) is type
        assert outcome(data, other)[0] is safepickle.Forbidden


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module that can be changed."""
    made = types.ModuleType("made_for_this")
    monkeypatch.setitem(sys.modules, "made_for_this", made)
    return made


def new_class() -> type:
    return type("Thing", (), {"__module__": "made_for_this"})


MADE: Final = Policy.from_yaml("safepickle: 1\nallow:\n  made_for_this: [Thing]\n")
THING: Final = pickled(4, ("GLOBAL", "made_for_this", "Thing"))


def test_a_name_stands_for_what_it_stands_for_now(module: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        module.Thing = new_class()  # type: ignore[attr-defined]
        assert safepickle.loads(THING, policy=MADE) is module.Thing
        assert safepickle.loads(THING, policy=MADE) is module.Thing
    other = types.ModuleType("made_for_this")
    other.Thing = new_class()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "made_for_this", other)
    assert safepickle.loads(THING, policy=MADE) is other.Thing
    del other.Thing
    with pytest.raises(safepickle.UnpicklingError):
        safepickle.loads(THING, policy=MADE)


@pytest.mark.parametrize("now", [len, types, lambda: None], ids=["a built-in", "a module", "a function"])
def test_what_a_name_stands_for_now_is_judged(module: types.ModuleType, now: Any) -> None:
    module.Thing = new_class()  # type: ignore[attr-defined]
    assert safepickle.loads(THING, policy=MADE) is module.Thing
    module.Thing = now  # type: ignore[attr-defined]
    with pytest.raises(safepickle.Forbidden):
        safepickle.loads(THING, policy=MADE)


def test_an_alias_is_the_one_of_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("made_one", "made_two"):
        made = types.ModuleType(name)
        made.Thing = new_class()  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, made)
    rules = [
        Policy.from_yaml(f"safepickle: 1\naliases: {{made_old: {name}}}\nallow:\n  {name}: [Thing]\n")
        for name in ("made_one", "made_two")
    ]
    data = pickled(4, ("GLOBAL", "made_old", "Thing"))
    for _ in range(2):
        assert safepickle.loads(data, policy=rules[0]) is sys.modules["made_one"].Thing
        assert safepickle.loads(data, policy=rules[1]) is sys.modules["made_two"].Thing


def test_an_audit_hook_hears_of_each_name_at_each_load() -> None:
    rules = policy("Plain")
    data = pickled(4, tuple_of(PLAIN, PLAIN))
    heard: list[tuple[Any, ...]] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "pickle.find_class" and arguments[0] == V and listening:
            heard.append(arguments)

    listening = [True]
    sys.addaudithook(hook)
    for _ in range(3):
        heard.clear()
        safepickle.loads(data, policy=rules)
        assert heard == [(V, "Plain")]
    listening.clear()


class Payload(bytearray):
    """What can be watched."""


@pytest.mark.parametrize("given", [list, tuple, iter], ids=["a list", "a tuple", "an iterator"])
@pytest.mark.parametrize("steps", ["NEXT_BUFFER", newobj(PLAIN)], ids=["data", "objects"])
def test_buffers_are_let_go(given: Callable[[list[Any]], Any], steps: Step) -> None:
    payload = Payload(b"x" * 10)
    watched = weakref.ref(payload)
    data = pickled(5, tuple_of("NEXT_BUFFER", steps) if steps != "NEXT_BUFFER" else "NEXT_BUFFER")
    value = safepickle.loads(data, policy=policy("Plain"), buffers=given([payload]))
    del value, payload
    gc.collect()
    assert watched() is None


def test_names_that_are_remembered_at_the_same_place_are_told_apart() -> None:
    same: dict[int, list[str]] = {}
    for number_ in range(3000):
        name = f"Name{number_ * 7919 % 10000:04}"
        data = pickled(4, stacked(V, name), "POP", "NONE")
        first = data.index(b"\x8c")
        second = data.index(b"\x8c", first + 1)
        place = prim.name_place(data + bytes(9), first, second, len(data) + 9)
        assert place >= 0
        same.setdefault(place, []).append(name)
    together = max(same.values(), key=len)[:20]
    assert len(together) == 20
    listed = together[::2]
    rules = Policy.from_yaml(
        f"safepickle: 1\nallow:\n  {V}:\n" + "".join(f"    - {name}: {{use: [refer]}}\n" for name in listed)
    )
    for name in together * 3:
        data = pickled(4, stacked(V, name), "POP", "NONE") + bytes(9)
        if name in listed:
            safepickle.verify(data, policy=rules)
        else:
            with pytest.raises(safepickle.Forbidden) as caught:
                safepickle.verify(data, policy=rules)
            assert (caught.value.module, caught.value.name) == (V, name)
    every = [[stacked(V, name), "POP"] for name in together]
    with pytest.raises(safepickle.Forbidden) as caught:
        safepickle.verify(pickled(4, every, "NONE"), policy=rules)
    assert {grant.name for grant in caught.value.missing} == set(together) - set(listed)


def test_a_name_of_python_2_is_one_below_protocol_3_only() -> None:
    rules = Policy.from_yaml("safepickle: 1\nallow:\n  collections: [UserDict]\n")
    old = [stacked("UserDict", "UserDict"), "POP", "NONE", "STOP"]
    behind = bytes(20)
    for _ in range(2):
        assert safepickle.loads(asm(("PROTO", 2), *old) + behind, policy=rules) is None
        with pytest.raises(safepickle.Forbidden):
            safepickle.loads(asm(("PROTO", 4), *old) + behind, policy=rules)
        assert safepickle.loads(asm(("PROTO", 2), *old) + behind, policy=rules) is None
        both = [("PROTO", 2), stacked("UserDict", "UserDict"), "POP", ("PROTO", 4), *old]
        with pytest.raises(safepickle.Forbidden):
            safepickle.loads(asm(*both) + behind, policy=rules)


def test_a_dotted_name_needs_protocol_4_however_often_it_was_met() -> None:
    rules = policy("Plain.make: {use: [refer]}")
    steps = [stacked(V, "Plain.make"), "POP", "NONE", "STOP"]
    for _ in range(3):
        assert safepickle.loads(asm(("PROTO", 4), *steps) + bytes(20), policy=rules) is None
        with pytest.raises(safepickle.MalformedStream):
            safepickle.loads(asm(("PROTO", 3), *steps) + bytes(20), policy=rules)
