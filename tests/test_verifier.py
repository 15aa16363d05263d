"""The symbolic machine: what a policy says, what none can say, and what it all may cost, before anything runs."""

from __future__ import annotations

import copyreg
import functools
import io
import pickle
import pickletools
import sys
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import pytest

import safepickle
from safepickle import Policy, symbols
from safepickle.build import COMPILED, core
from safepickle.limits import Limits
from safepickle.matching import Matcher
from safepickle.policy.model import Grant, PolicyData
from safepickle.reader import Reader
from safepickle.verifier import Options, Verifier, canonical_name
from tests import victims
from tests.assembler import (
    Step,
    build,
    dict_of,
    get,
    list_of,
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
PLAIN: Final[Step] = ("GLOBAL", V, "Plain")
GETATTR: Final[Step] = ("GLOBAL", "builtins", "getattr")
PARTIAL: Final[Step] = ("GLOBAL", "functools", "partial")
ENCODE: Final[Step] = ("GLOBAL", "_codecs", "encode")
RECONSTRUCTOR: Final[Step] = ("GLOBAL", "copyreg", "_reconstructor")
NEWOBJ: Final[Step] = ("GLOBAL", "copyreg", "__newobj__")
NEWOBJ_EX: Final[Step] = ("GLOBAL", "copyreg", "__newobj_ex__")


@functools.cache
def policy(*lines: str, more: str = "") -> Policy:
    """A policy that lists some names of the victims."""
    listed = "".join(f"    - {line}\n" for line in lines)
    return Policy.from_yaml(f"safepickle: 1\n{more}\nallow:\n  {V}:\n{listed or '    - Meta'}\n")


def victim(name: str) -> Step:
    return ("GLOBAL", V, name)


#: Behind STOP nothing counts; but the last bytes of the input are read more warily than those before them.
FOLLOWING: Final = bytes(16)


def _passes(data: bytes, by: Policy, **options: Any) -> bool:
    try:
        safepickle.verify(data, policy=by, **options)
    except safepickle.UnpicklingError:
        return False
    return True


def refused(kind: type[BaseException], *steps: Step, by: Policy, protocol: int = 4, **options: Any) -> Any:
    """The error that verification raises for a pickle of these steps; the scanner does not pass it either."""
    data = pickled(protocol, *steps)
    with pytest.raises(kind) as raised:
        safepickle.verify(data, policy=by, **options)
    with pytest.raises(kind) as among_others:
        safepickle.verify(data + FOLLOWING, policy=by, **options)
    assert str(among_others.value) == str(raised.value)
    assert not safepickle.scan(data, policy=by).ok or options
    return raised.value


def forbidden(*steps: Step, by: Policy, **options: Any) -> safepickle.Forbidden:
    """The Forbidden that it raises."""
    error: safepickle.Forbidden = refused(safepickle.Forbidden, *steps, by=by, **options)
    return error


def admitted(*steps: Step, by: Policy, protocol: int = 4, **options: Any) -> bool:
    """Whether verification and the scanner pass a pickle of these steps, and agree."""
    data = pickled(protocol, *steps)
    passes = _passes(data, by, **options)
    assert _passes(data + FOLLOWING, by, **options) is passes
    if not options:
        report = safepickle.scan(data, policy=by)
        # What takes without end to walk through is loaded, and reported.
        unbounded = report.verdict == "incomplete" and {finding.rule for finding in report.findings} == {"expansion"}
        assert passes if unbounded else report.ok == passes
    return passes


def missing(error: safepickle.Forbidden) -> dict[str, tuple[str, ...]]:
    """The names that an error says are missing, with their verbs."""
    return {f"{grant.module}.{grant.name}": grant.verbs for grant in error.missing}


@pytest.fixture(autouse=True)
def _nothing_is_imported_or_run() -> Iterator[None]:
    victims.RAN.clear()
    yield
    assert victims.RAN == []
    assert "tests.tripwire" not in sys.modules


# --- Names ------------------------------------------------------------------------------------------------------------
NAMINGS: Final[dict[str, tuple[int, Step]]] = {
    "GLOBAL": (0, PLAIN),
    "STACK_GLOBAL": (4, [text(V), text("Plain"), "STACK_GLOBAL"]),
    "STACK_GLOBAL of other literals": (4, [("BINUNICODE", V), ("UNICODE", "Plain"), "STACK_GLOBAL"]),
    "STACK_GLOBAL of 8-bit strings": (4, [("SHORT_BINSTRING", V), ("BINSTRING", "Plain"), "STACK_GLOBAL"]),
    "STACK_GLOBAL from the memo": (
        4,
        [text(V), put(0), "POP", text("Plain"), put(1), get(0), get(1), "STACK_GLOBAL", put(2), "POP", "POP", get(2)],
    ),
    "INST": (0, ["MARK", ("INST", V, "Plain")]),
    "OBJ": (1, ["MARK", PLAIN, "OBJ"]),
}


@pytest.mark.parametrize("way", NAMINGS)
def test_a_name_is_admitted_only_where_it_is_listed_however_it_is_spelled(way: str) -> None:
    protocol, steps = NAMINGS[way]
    assert admitted(steps, by=policy("Plain"), protocol=protocol)
    error = forbidden(steps, by=policy("Slotted"), protocol=protocol)
    assert f"{V}.Plain" in missing(error)
    assert (error.module, error.name) == (V, "Plain")


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "Plain ",
        " Plain",
        "Plain\r",
        "Plain\x00",
        "\uff30lain",
        "Plain.",
        ".Plain",
        "Plain.method",
        "",
        "__dict__",
    ],
)
def test_names_are_exact(name: str) -> None:
    assert not admitted([text(V), text(name), "STACK_GLOBAL"], by=policy("Plain"))
    assert not admitted([text(name), text("Plain"), "STACK_GLOBAL"], by=policy("Plain"))


@pytest.mark.parametrize(
    "operand",
    [
        "NONE",
        number(1),
        ("SHORT_BINBYTES", b"Plain"),
        "EMPTY_LIST",
        tuple_of(text("Plain")),
        PLAIN,
        newobj(PLAIN),
        reduce(ENCODE, text("Plain"), text("latin1")),
        ("BYTEARRAY8", b"Plain"),
        reduce(victim("harmless")),
        newobj(victim("TextBag"), text("Plain")),
        [text("Plain"), "BINPERSID"],
    ],
)
def test_the_operands_of_a_global_are_literal_text_of_this_stream(operand: Step) -> None:
    listed = policy("Plain", "TextBag", "harmless: {use: [call]}", more="accept: [persistent_ids]")
    for steps in ([text(V), operand], [operand, text("Plain")]):
        refused(safepickle.UnpicklingError, steps, "STACK_GLOBAL", by=listed)


def test_python_2_names_are_mapped_before_they_are_judged_as_pickle_maps_them() -> None:
    renamed = Policy.from_yaml("safepickle: 1\nallow:\n  collections: [OrderedDict]\n  queue: [Queue]\n")
    for module, name, protocol, passes in (
        ("Queue", "Queue", 2, True),
        ("Queue", "Queue", 3, False),
        ("queue", "Queue", 3, True),
        ("queue", "Queue", 2, True),
        ("__builtin__", "set", 1, True),
        ("__builtin__", "set", 4, False),
        ("__builtin__", "eval", 2, False),
        ("commands", "getoutput", 2, False),
        ("copy_reg", "_reconstructor", 3, False),
    ):
        assert admitted(("GLOBAL", module, name), "POP", "NONE", by=renamed, protocol=protocol) == passes, (
            module,
            protocol,
        )
    assert not admitted(("GLOBAL", "Queue", "Queue"), by=renamed, protocol=2, fix_imports=False)
    assert canonical_name("__builtin__", "xrange") == ("builtins", "range")
    assert canonical_name("UserDict", "UserDict") == ("collections", "UserDict")
    assert canonical_name("no", "thing") == ("no", "thing")


def test_the_protocol_that_counts_is_the_one_in_force_where_the_name_stands() -> None:
    listed = Policy.from_yaml("safepickle: 1\nallow:\n  queue: [Queue]\n")
    early, late = ("GLOBAL", "Queue", "Queue"), ("PROTO", 4)
    assert admitted(early, "POP", late, "NONE", by=listed, protocol=2)
    assert not admitted(late, early, by=listed, protocol=2)
    assert not admitted(late, ("PROTO", 3), early, by=listed, protocol=2)
    assert admitted(late, ("PROTO", 1), early, by=listed, protocol=2)


def test_a_dotted_name_needs_protocol_4_as_in_pickle() -> None:
    listed = policy("Plain", "Plain.Nested")
    assert admitted(("GLOBAL", V, "Plain.Nested"), by=listed, protocol=4)
    for protocol in range(4):
        refused(safepickle.MalformedStream, ("GLOBAL", V, "Plain.Nested"), by=listed, protocol=protocol)
    assert not admitted(("GLOBAL", V, "Plain.Nested"), by=policy("Plain"), protocol=4)


@pytest.fixture
def registered() -> Iterator[None]:
    copyreg.add_extension(V, "Plain", 240)
    copyreg.add_extension(V, "canary", 70_000)
    copyreg._extension_cache[240] = victims.canary  # what a warm cache could give
    yield
    copyreg._extension_cache.pop(240)
    copyreg.remove_extension(V, "Plain", 240)
    copyreg.remove_extension(V, "canary", 70_000)


@pytest.mark.usefixtures("registered")
def test_an_extension_code_is_judged_as_the_name_it_is_registered_for_and_only_where_codes_are_accepted() -> None:
    accepting = policy("Plain", more="accept: [extensions]")
    for code in (("EXT1", 240), ("EXT2", 240), ("EXT4", 240)):
        assert admitted(code, by=accepting)
        assert safepickle.loads(pickled(4, code), policy=accepting) is victims.Plain
        assert "accept" in str(forbidden(code, by=policy("Plain")).missing or forbidden(code, by=policy("Plain")))
    assert missing(forbidden(("EXT4", 70_000), by=accepting)) == {f"{V}.canary": ("refer",)}
    for number_ in (0, -1, 5):
        refused(safepickle.MalformedStream, ("EXT4", number_), by=accepting)


def test_a_name_that_is_longer_than_any_policy_has_is_refused_at_once() -> None:
    for steps in (
        [text("x" * 1001), text("y"), "STACK_GLOBAL"],
        [text("x"), text("y" * 1001), "STACK_GLOBAL"],
        [text("x"), ("BINUNICODE", "y" * 1_000_000), "STACK_GLOBAL"],
        ("GLOBAL", "x" * 1001, "y"),
        reduce(GETATTR, PLAIN, text("y" * 1001)),
        [reduce(GETATTR, PLAIN, text("y" * 500)), put(0), "POP", reduce(GETATTR, get(0), text("y" * 500))],
    ):
        assert "bytes" in str(forbidden(steps, by=policy("Plain", "Plain." + "y" * 500)))
    assert missing(forbidden([text("x" * 1000), text("y" * 1000), "STACK_GLOBAL"], by=policy()))


# --- Verbs ------------------------------------------------------------------------------------------------------------
MADE: Final = newobj(PLAIN)
USES: Final[dict[str, tuple[set[str], Step]]] = {
    "GLOBAL": (set(), PLAIN),
    "NEWOBJ": ({"new"}, MADE),
    "NEWOBJ_EX": ({"new"}, [PLAIN, "EMPTY_TUPLE", "EMPTY_DICT", "NEWOBJ_EX"]),
    "copyreg.__newobj__": ({"new"}, reduce(NEWOBJ, PLAIN)),
    "copyreg.__newobj_ex__": ({"new"}, reduce(NEWOBJ_EX, PLAIN, "EMPTY_TUPLE", "EMPTY_DICT")),
    "copyreg._reconstructor": ({"new"}, reduce(RECONSTRUCTOR, PLAIN, ("GLOBAL", "builtins", "object"), "NONE")),
    "REDUCE": ({"call"}, reduce(PLAIN)),
    "INST with arguments": ({"call"}, ["MARK", "NONE", ("INST", V, "Plain")]),
    "OBJ with arguments": ({"call"}, ["MARK", PLAIN, "NONE", "OBJ"]),
    "INST without arguments": ({"call", "new"}, ["MARK", ("INST", V, "Plain")]),
    "OBJ without arguments": ({"call", "new"}, ["MARK", PLAIN, "OBJ"]),
    "BUILD": ({"new", "build"}, build(MADE, "EMPTY_DICT")),
    "BUILD of a call's result": ({"call", "build"}, build(reduce(PLAIN), "EMPTY_DICT")),
    "APPEND": ({"new", "fill"}, [MADE, "NONE", "APPEND"]),
    "APPENDS": ({"new", "fill"}, [MADE, "MARK", "NONE", "APPENDS"]),
    "SETITEM": ({"new", "fill"}, [MADE, "NONE", "NONE", "SETITEM"]),
    "SETITEMS": ({"new", "fill"}, [MADE, "MARK", "NONE", "NONE", "SETITEMS"]),
    "ADDITEMS": ({"new", "fill"}, [MADE, "MARK", "NONE", "ADDITEMS"]),
}


@pytest.mark.parametrize("use", USES)
def test_each_use_needs_exactly_its_verbs_and_each_that_lacks_is_told(use: str) -> None:
    needed, steps = USES[use]
    spelled = ", ".join(sorted(needed)) or "refer"
    assert admitted(steps, by=policy(f"Plain: {{use: [{spelled}]}}"))
    every = {"new", "call", "build", "fill"}
    for verb in needed:
        others = ", ".join(sorted(every - {verb})) or "refer"
        error = forbidden(steps, by=policy(f"Plain: {{use: [{others}]}}"))
        assert missing(error)[f"{V}.Plain"] == (verb,)
    error = forbidden(steps, by=policy("Slotted"))
    assert set(missing(error)[f"{V}.Plain"]) == (needed or {"refer"})
    pasted = Policy.from_yaml("safepickle: 1\n" + error.yaml)
    assert admitted(steps, by=pasted)


def test_all_that_is_missing_is_told_at_once_with_the_place_of_the_first() -> None:
    steps = [
        reduce(victim("record")),
        "POP",
        build(newobj(victim("Slotted")), "EMPTY_DICT"),
        "POP",
        [("GLOBAL", "os", "system"), text("id"), "TUPLE1", "REDUCE"],
        "POP",
        "EMPTY_LIST",
    ]
    error = forbidden(*steps, by=policy("Plain"))
    assert missing(error) == {f"{V}.record": ("call",), f"{V}.Slotted": ("new", "build"), "os.system": ("call",)}
    assert (error.position, error.opcode, error.verb) == (2, "GLOBAL", "refer")
    # What comes after a refusal and breaks does not hide it.
    broken = forbidden(victim("record"), "POP", "POP", by=policy("Plain"))
    assert missing(broken) == {f"{V}.record": ("refer",)}


def test_a_report_of_what_is_missing_is_bounded() -> None:
    names = [[text("m"), text(f"n{each}"), "STACK_GLOBAL", "POP"] for each in range(8000)]
    error = forbidden(names, "NONE", by=policy())
    assert 1000 <= len(error.missing) <= 5001
    same = forbidden([reduce(PLAIN, "NONE"), "POP"] * 5000, "NONE", by=policy("Plain: {use: [call], args: [[]]}"))
    assert len(same.missing) == 1


def test_one_grant_admits_a_use_as_a_whole() -> None:
    union = policy("Plain: {use: [new], args: [[str]], kwargs: {a: int}}", "Plain: {use: [new], args: [[int]]}")
    made = lambda first, *pairs: [PLAIN, tuple_of(first), dict_of(*pairs), "NEWOBJ_EX"]  # noqa: E731  # for this test alone
    assert admitted(made(text("x"), (text("a"), number(1))), by=union)
    assert admitted(made(number(1)), by=union)
    assert not admitted(made(number(1), (text("a"), number(1))), by=union)
    based = policy("ListBag: {use: [new], base: builtins.list, args: [[{list: int}]]}", "ListBag: {use: [new]}")
    remade = lambda content: reduce(RECONSTRUCTOR, victim("ListBag"), ("GLOBAL", "builtins", "list"), content)  # noqa: E731  # likewise
    assert admitted(remade(list_of(number(1))), by=based)
    assert not admitted(remade(list_of(text("x"))), by=based)


def test_a_deny_wins_over_every_allow_and_over_what_is_understood() -> None:
    for denied, steps in (
        (f"{V}: [Plain]", PLAIN),
        ("builtins: [set]", reduce(("GLOBAL", "builtins", "set"), "EMPTY_LIST")),
        ("builtins: [getattr]", reduce(GETATTR, PLAIN, text("Nested"))),
        ("_codecs: [encode]", reduce(ENCODE, text("x"), text("latin1"))),
        ("copyreg: [_reconstructor]", reduce(RECONSTRUCTOR, PLAIN, ("GLOBAL", "builtins", "object"), "NONE")),
        ("copyreg: [__newobj__]", reduce(NEWOBJ, PLAIN)),
        (f"{V}: [Plain.Nested]", reduce(GETATTR, PLAIN, text("Nested"))),
    ):
        assert admitted(steps, by=policy("Plain", "Plain.Nested"))
        assert "denies" in str(forbidden(steps, by=policy("Plain", "Plain.Nested", more=f"deny:\n  {denied}")))
    python2 = ("GLOBAL", "__builtin__", "set")
    assert not admitted(python2, by=policy("Plain", more="deny: {builtins: [set]}"), protocol=2)
    moved = policy("Plain", more=f"deny: {{old: [Plain]}}\naliases: {{old: {V}}}")
    assert not admitted(PLAIN, by=moved)
    assert admitted(("GLOBAL", V, "Plain.Nested"), by=policy("Plain.Nested", more=f"deny: {{{V}: [Plain]}}"))


# --- What no policy can say -------------------------------------------------------------------------------------------
SHARED: Final[dict[str, Step]] = {
    "a global": PLAIN,
    "a function": victim("keep"),
    "a nested class": reduce(GETATTR, PLAIN, text("Nested")),
    "a bound method": reduce(GETATTR, MADE, text("method")),
    "a listed value": victim("SHARED_LIST"),
}
LITERALS: Final[dict[str, Step]] = {
    "None": "NONE",
    "a bool": "NEWTRUE",
    "an int": number(1),
    "a text": text("x"),
    "bytes": ("SHORT_BINBYTES", b"x"),
    "a bytearray": ("BYTEARRAY8", b"x"),
    "a tuple": "EMPTY_TUPLE",
    "a frozenset": ["MARK", "FROZENSET"],
    "encoded bytes": reduce(ENCODE, text("x"), text("latin1")),
    "a float": ("BINFLOAT", 1.0),
    "an 8-bit string": ("SHORT_BINSTRING", "x"),
}
CHANGES: Final[dict[str, Step]] = {
    "BUILD": ["EMPTY_DICT", "BUILD"],
    "APPEND": ["NONE", "APPEND"],
    "APPENDS": ["MARK", "NONE", "APPENDS"],
    "SETITEM": ["NONE", "NONE", "SETITEM"],
    "SETITEMS": ["MARK", "NONE", "NONE", "SETITEMS"],
    "ADDITEMS": ["MARK", "NONE", "ADDITEMS"],
}
EVERYTHING: Final = policy(
    "Plain",
    "Plain.Nested",
    "Plain.method: {use: [refer, call, build, fill, new]}",
    "keep: {use: [call, build, fill, new]}",
    "SHARED_LIST: {use: [refer, call, build, fill, new]}",
    "Slotted",
    "Frozen",
    more="accept: [persistent_ids]",
)


@pytest.mark.parametrize("change", CHANGES)
def test_what_existed_before_is_never_a_target(change: str) -> None:
    for what, steps in SHARED.items():
        error = forbidden(steps, CHANGES[change], by=EVERYTHING)
        assert "existed" in str(error) or "may only change" in str(error), what
    for what, steps in LITERALS.items():
        refused(safepickle.MalformedStream, steps, CHANGES[change], by=EVERYTHING)
        assert what
    fitting = {"list": {"APPEND", "APPENDS"}, "dict": {"SETITEM", "SETITEMS"}, "set": {"ADDITEMS"}}
    for kind, steps in (("list", "EMPTY_LIST"), ("dict", "EMPTY_DICT"), ("set", "EMPTY_SET")):
        assert admitted(steps, CHANGES[change], by=EVERYTHING) == (change in fitting[kind])


def test_only_a_name_is_called_and_only_a_class_is_instantiated() -> None:
    for steps in [
        MADE,
        reduce(victim("keep")),
        [text("id"), "BINPERSID"],
        reduce(MADE),
        newobj(MADE),
        reduce(reduce(PLAIN)),
    ]:
        for use in (["EMPTY_TUPLE", "REDUCE"], ["EMPTY_TUPLE", "NEWOBJ"], ["EMPTY_TUPLE", "EMPTY_DICT", "NEWOBJ_EX"]):
            assert not admitted(steps, use, by=EVERYTHING)
        assert not admitted("MARK", steps, "OBJ", by=EVERYTHING)
    for steps in LITERALS.values():
        for use in (["EMPTY_TUPLE", "REDUCE"], ["EMPTY_TUPLE", "NEWOBJ"], ["EMPTY_TUPLE", "EMPTY_DICT", "NEWOBJ_EX"]):
            refused(safepickle.MalformedStream, steps, use, by=EVERYTHING)
    assert not admitted(SHARED["a bound method"], "EMPTY_TUPLE", "NEWOBJ", by=EVERYTHING)
    assert admitted(SHARED["a bound method"], "EMPTY_TUPLE", "REDUCE", by=EVERYTHING)


def test_arguments_that_are_no_tuple_and_keywords_that_are_no_texts_are_malformed() -> None:
    for given in ("NONE", "EMPTY_LIST", "EMPTY_DICT", text("x"), number(1), PLAIN):
        for opcode in ("REDUCE", "NEWOBJ"):
            assert not admitted(PLAIN, given, opcode, by=EVERYTHING)
        assert not admitted(PLAIN, "EMPTY_TUPLE", given, "NEWOBJ_EX", by=EVERYTHING) or given == "EMPTY_DICT"
    for key in (number(1), "NONE", ("SHORT_BINBYTES", b"a"), tuple_of(text("a")), MADE):
        assert not admitted(PLAIN, "EMPTY_TUPLE", dict_of((key, "NONE")), "NEWOBJ_EX", by=EVERYTHING)


def test_an_object_is_built_at_most_once() -> None:
    assert admitted(build(MADE, "EMPTY_DICT"), by=EVERYTHING)
    for again in ("EMPTY_DICT", "NONE", dict_of((text("a"), "NONE"))):
        assert not admitted(build(build(MADE, "EMPTY_DICT"), again), by=EVERYTHING)
        assert not admitted(MADE, put(0), "EMPTY_DICT", "BUILD", "POP", build(get(0), again), by=EVERYTHING)


HOOKS: Final = ("__setstate__", "append", "extend", "add")
DUNDERS: Final = ("__class__", "__dict__", "__slots__", "__x")


def stated(*pairs: tuple[Step, Step]) -> Step:
    return dict_of(*pairs)


@pytest.mark.parametrize("name", HOOKS + DUNDERS)
def test_state_sets_no_hook_and_slot_state_no_dunder(name: str) -> None:
    spellings: list[Step] = [
        text(name),
        ("BINUNICODE", name),
        ("UNICODE", name),
        ("SHORT_BINSTRING", name),
        ("BINUNICODE8", name),
    ]
    for key in spellings:
        as_state = stated((text("a"), "NONE"), (key, "NONE"))
        assert admitted(build(MADE, as_state), by=EVERYTHING) == (name in DUNDERS)
        assert admitted(build(MADE, tuple_of(as_state, "NONE")), by=EVERYTHING) == (name in DUNDERS)
        assert not admitted(build(MADE, tuple_of("NONE", as_state)), by=EVERYTHING)
        from_memo = [key, put(5), "POP", build(MADE, tuple_of("NONE", stated((get(5), "NONE"))))]
        assert not admitted(from_memo, by=EVERYTHING)
    assert admitted(build(MADE, tuple_of("NONE", stated((text("_x"), "NONE")))), by=EVERYTHING)


def test_a_long_dunder_is_one_too() -> None:
    slots = stated((text("__" + "x" * 300), "NONE"))
    assert not admitted(build(MADE, tuple_of("NONE", slots)), by=EVERYTHING)


@pytest.mark.parametrize("slots", [False, True])
def test_what_is_put_into_a_state_after_it_was_given_is_judged_as_state(slots: bool) -> None:
    given = tuple_of("NONE", get(0)) if slots else get(0)
    name = "__class__" if slots else "append"
    for before in ([], [text(name), "POP"]):
        steps = [
            before,
            "EMPTY_DICT",
            put(0),
            "POP",
            build(newobj(victim("Adopting")), given),
            "POP",
            get(0),
            text(name),
        ]
        assert not admitted(steps, "NONE", "SETITEM", by=policy("Adopting"))
        harmless = [
            before,
            "EMPTY_DICT",
            put(0),
            "POP",
            build(newobj(victim("Adopting")), given),
            "POP",
            get(0),
            text("a"),
        ]
        assert admitted(harmless, "NONE", "SETITEM", by=policy("Adopting"))


def test_a_key_from_an_earlier_load_is_judged_as_one_of_this() -> None:
    for name, slots in (("append", False), ("__class__", True)):
        state = stated((get(0), "NONE"))
        data = pickled(4, text(name), put(0), "POP", "NONE")
        data += pickled(4, reduce(victim("keep")), "POP", build(MADE, tuple_of("NONE", state) if slots else state))
        unpickler = safepickle.Unpickler(io.BytesIO(data), policy=EVERYTHING)
        unpickler.load()
        with pytest.raises(safepickle.Forbidden) as refusal:
            unpickler.load()
        assert refusal.value.verb == "build"


# --- Conditions -------------------------------------------------------------------------------------------------------
def test_attributes_are_all_that_build_may_set() -> None:
    listed = policy("Plain: {use: [new, build], attributes: [bid, ask]}")
    for state, passes in (
        (stated((text("bid"), "NONE")), True),
        (stated((text("bid"), "NONE"), (text("ask"), "NONE")), True),
        ("EMPTY_DICT", True),
        ("NONE", True),
        (tuple_of(stated((text("bid"), "NONE")), "NONE"), True),
        (tuple_of("NONE", stated((text("ask"), "NONE"))), True),
        (stated((("SHORT_BINSTRING", "bid"), "NONE")), True),
        (stated((text("other"), "NONE")), False),
        (stated((text("bid"), "NONE"), (text("other"), "NONE")), False),
        (tuple_of("NONE", stated((text("other"), "NONE"))), False),
        (tuple_of(stated((text("x"), "NONE")), "NONE"), False),
        (stated((number(1), "NONE")), False),
        (stated((tuple_of(text("bid")), "NONE")), False),
        ("EMPTY_LIST", False),
        (text("bid"), False),
        (tuple_of("NONE", "NONE", "NONE"), False),
        (reduce(victim("keep")), False),
        (tuple_of("NONE", reduce(victim("keep"))), False),
        ("EMPTY_TUPLE", False),
    ):
        with_keep = listed | policy("keep: {use: [call]}")
        assert admitted(build(MADE, state), by=with_keep) == passes, state


def test_attributes_hold_for_what_is_put_into_the_state_later() -> None:
    steps = ["EMPTY_DICT", put(0), "POP", build(MADE, get(0)), "POP", get(0), text("other"), "NONE", "SETITEM"]
    assert not admitted(steps, by=policy("Plain: {use: [new, build], attributes: [bid]}"))


def test_state_is_matched_as_a_whole() -> None:
    listed = policy("Plain: {use: [new, build], state: {fields: {grid: {list: int}, 'note?': str}}}")
    assert admitted(build(MADE, stated((text("grid"), list_of(number(1))))), by=listed)
    error = forbidden(build(MADE, stated((text("grid"), list_of("NONE")))), by=listed)
    assert (error.verb, error.path) == ("build", "state")
    assert error.missing[0].reason


def test_keywords_are_those_the_policy_names() -> None:
    named = policy("Frozen: {use: [new], args: [[]], kwargs: {a: int}}")
    for pairs, passes in (
        ([], True),
        ([(text("a"), number(1))], True),
        ([(text("a"), text("x"))], False),
        ([(text("b"), number(1))], False),
    ):
        assert admitted([victim("Frozen"), "EMPTY_TUPLE", dict_of(*pairs), "NEWOBJ_EX"], by=named) == passes
    unnamed = policy("Frozen: {use: [new], args: [[]]}")
    assert not admitted([victim("Frozen"), "EMPTY_TUPLE", dict_of((text("a"), "NONE")), "NEWOBJ_EX"], by=unnamed)


def test_what_must_be_built_is_built_before_stop_and_none_is_no_state() -> None:
    listed = policy("Plain: {use: [new, build], then: build}")
    assert admitted(build(MADE, "EMPTY_DICT"), by=listed)
    for steps in (MADE, [MADE, "POP", "NONE"], build(MADE, "NONE"), [MADE, put(0), build(get(0), "NONE")]):
        error = forbidden(steps, by=listed)
        assert (error.verb, error.name) == ("build", "Plain")
    assert admitted([MADE, put(0), "POP", list_of(get(0)), get(0), "EMPTY_DICT", "BUILD", "POP"], by=listed)
    either = listed | policy("Plain: {use: [new], args: [[]]}")
    assert admitted(MADE, by=either)


# --- What is put in ---------------------------------------------------------------------------------------------------
BAGS: Final = policy(
    "ListBag: {use: [new, fill], fill: {list: int}}",
    "DictBag: {use: [new, build, fill], fill: {fields: {'a?': int, 'b?': {list: int}}}}",
    "SetBag: {use: [new, fill], fill: {set: {int: [0, 9]}}}",
    "SetBag: {use: [new, fill], fill: {set: str}}",
)
LIST_BAG, DICT_BAG, SET_BAG = (newobj(victim(name)) for name in ("ListBag", "DictBag", "SetBag"))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ([LIST_BAG, number(1), "APPEND"], [LIST_BAG, text("x"), "APPEND"]),
        ([LIST_BAG, "MARK", number(1), number(2), "APPENDS"], [LIST_BAG, "MARK", number(1), "NONE", "APPENDS"]),
        ([DICT_BAG, text("a"), number(1), "SETITEM"], [DICT_BAG, text("c"), number(1), "SETITEM"]),
        ([DICT_BAG, "MARK", text("b"), list_of(), "SETITEMS"], [DICT_BAG, "MARK", text("a"), "NONE", "SETITEMS"]),
        ([SET_BAG, "MARK", number(1), "ADDITEMS"], [SET_BAG, "MARK", number(10), "ADDITEMS"]),
        ([SET_BAG, "MARK", text("x"), "ADDITEMS"], [SET_BAG, "MARK", text("x"), number(1), "ADDITEMS"]),
        ([LIST_BAG, "MARK", "APPENDS"], [LIST_BAG, "MARK", "SETITEMS"]),
        ([SET_BAG, "MARK", "ADDITEMS"], [SET_BAG, "MARK", "APPENDS"]),
    ],
)
def test_what_is_put_in_is_what_one_grant_says_at_each_opcode(good: Step, bad: Step) -> None:
    assert admitted(good, by=BAGS)
    said = forbidden(bad, by=BAGS)
    assert (said.verb, said.path) == ("fill", "items")
    assert forbidden(good, put(0), "POP", bad, by=BAGS).verb == "fill"


def test_what_was_put_in_does_not_change_any_more_but_for_what_no_pattern_looked_into() -> None:
    inner = ["EMPTY_LIST", put(0), "POP"]
    later = ["POP", get(0), number(1), "APPEND"]
    assert "after the policy judged" in str(forbidden(inner, DICT_BAG, text("b"), get(0), "SETITEM", later, by=BAGS))
    loose = policy("DictBag: {use: [new, fill], fill: {dict: [any, list]}}")
    assert admitted(inner, DICT_BAG, text("b"), get(0), "SETITEM", later, by=loose)


def test_a_grant_without_a_condition_admits_what_another_one_does_not() -> None:
    anything = policy("DictBag: {use: [new, fill], fill: {dict: [str, int]}}", "DictBag: {use: [fill]}")
    assert admitted(DICT_BAG, "NONE", "NONE", "SETITEM", by=anything)


def test_what_is_put_in_is_told_as_the_entry_that_would_admit_it() -> None:
    put_in = [DICT_BAG, "MARK", text("x"), PLAIN, text("y"), newobj(PLAIN), number(1), "NONE", "SETITEMS"]
    said = forbidden(put_in, by=BAGS | policy("Plain"))
    assert said.yaml == (
        "allow:\n  tests.victims:\n    - DictBag: {use: [fill], fill: {dict: [{any_of: [str, int]}, "
        "{any_of: [{global: tests.victims.Plain}, {instance: tests.victims.Plain}, none]}]}}\n"
    )
    assert admitted(put_in, by=BAGS | Policy.from_yaml(f"safepickle: 1\n{said.yaml}    - Plain\n"))


def test_arguments_are_told_by_their_kinds_as_the_entry_that_would_admit_them() -> None:
    narrow = policy("keep: {use: [call], args: [[int]]}", "Plain")
    steps = tuple_of(
        reduce(victim("keep"), text("secret"), newobj(PLAIN), list_of(), PLAIN),
        reduce(victim("keep"), number(1)),
        reduce(victim("keep")),
    )
    said = forbidden(steps, by=narrow)
    first, second = (f"    - keep: {{use: [call], args: [[{kinds}]]}}\n" for kinds in (
        f"str, {{instance: {V}.Plain}}, list, {{global: {V}.Plain}}", ""))  # fmt: skip
    assert said.yaml == f"allow:\n  {V}:\n{first}{second}"
    assert admitted(steps, by=narrow | Policy.from_yaml(f"safepickle: 1\n{said.yaml}    - Plain\n"))


def test_a_packaged_policy_is_advised_where_it_lists_the_library_and_the_policy_nothing_of_it() -> None:
    steps = ["MARK", ("GLOBAL", "numpy", "dtype"), ("GLOBAL", "PIL.Image", "Image"), "TUPLE"]
    [said] = [note for note in forbidden(steps, by=policy()).__notes__ if "include" in note]
    assert "`include: [numpy, pillow]`" in said
    known = policy() | Policy.named("numpy")
    assert "`include: [pillow]`" in "".join(forbidden(steps, by=known).__notes__)
    assert "include" not in "".join(forbidden(victim("Plain"), ("GLOBAL", "os", "system"), by=policy()).__notes__)


def test_the_entries_that_are_told_of_one_use_are_few_however_many_would_do() -> None:
    narrow = policy("keep: {use: [call], args: [[none]]}")
    said = forbidden(*[[reduce(victim("keep"), *[number(1)] * count), "POP"] for count in range(40)], "NONE", by=narrow)
    assert len(said.missing) == 9
    assert said.yaml.count("- keep") == 8
    assert said.yaml.count("# ") == 1


@pytest.mark.parametrize("name", ["a}}], b: [c", "x: {use: [call]}", "a b", "a\n  - b", "'"])
def test_no_name_of_a_stream_adds_anything_to_the_entry_that_is_told(name: str) -> None:
    hostile = [text(name), text(name), "STACK_GLOBAL"]
    said = forbidden(DICT_BAG, text("x"), tuple_of(hostile), "SETITEM", text("y"), hostile, "SETITEM", by=BAGS)
    assert said.yaml.startswith("allow:\n  tests.victims:\n    - DictBag: {use: [fill], fill: {dict: [str, tuple]}}\n")
    listed = Policy.from_yaml("safepickle: 1\n" + said.yaml).data.grants
    assert {name for name in listed if name[0] == V} == {(V, "DictBag")}
    assert all(line.startswith("# ") for line in said.yaml.splitlines()[3:] if "DictBag" not in line)


HELD: Final = policy(
    "keep: {use: [call], args: [[{instance: tests.victims.DictBag, fill: {dict: [str, int]}}]]}",
    "DictBag", "Plain: {use: [refer]}",
)  # fmt: skip


def test_what_an_object_holds_is_all_that_was_put_in_by_then_and_no_more_is() -> None:
    keep = victim("keep")
    two = [DICT_BAG, text("a"), number(1), "SETITEM", "MARK", text("b"), number(2), "SETITEMS"]
    assert admitted(reduce(keep, DICT_BAG), by=HELD)
    assert admitted(reduce(keep, two), by=HELD)
    assert admitted(reduce(keep, [two, put(0)]), "POP", reduce(keep, get(0)), by=HELD)
    assert forbidden(reduce(keep, [two, text("c"), "NONE", "SETITEM"]), by=HELD).name == "keep"
    for change in ([text("c"), number(3), "SETITEM"], [dict_of(), "BUILD"]):
        said = forbidden(reduce(keep, [two, put(0)]), "POP", get(0), change, by=HELD)
        assert "after the policy judged" in str(said)


def test_what_python_2_made_of_an_empty_list_holds_nothing() -> None:
    ordered: Step = ("GLOBAL", "collections", "OrderedDict")
    empty = safepickle.Policy.from_yaml(
        "safepickle: 1\nallow:\n  collections: [OrderedDict]\n  tests.victims:\n"
        "    - keep: {use: [call], args: [[{instance: collections.OrderedDict, fill: {fields: {}}}]]}\n"
    )
    keep = victim("keep")
    assert admitted(reduce(keep, reduce(ordered)), by=empty)
    assert admitted(reduce(keep, reduce(ordered, list_of())), by=empty)
    assert forbidden(reduce(keep, reduce(ordered, list_of(tuple_of(text("a"), "NONE")))), by=empty).name == "keep"
    assert forbidden(reduce(keep, reduce(ordered, dict_of())), by=empty).name == "keep"


# --- Protocol helpers -------------------------------------------------------------------------------------------------
def test_getattr_refers_to_the_qualified_name_and_that_must_be_listed() -> None:
    for base, name, passes in (
        (PLAIN, "Nested", True),
        (PLAIN, "make", False),
        (MADE, "method", True),
        (reduce(PLAIN), "method", True),
        (MADE, "make", False),
        (reduce(GETATTR, MADE, text("Nested")), "x", False),
        (text("x"), "upper", False),
        (reduce(victim("keep")), "append", False),
        ([text("id"), "BINPERSID"], "method", False),
    ):
        assert admitted(reduce(GETATTR, base, text(name)), by=EVERYTHING) == passes, name
    error = forbidden(reduce(reduce(GETATTR, PLAIN, text("make")), number(1)), by=policy("Plain"))
    assert missing(error) == {f"{V}.Plain.make": ("call",)}
    literal = Policy.from_yaml("safepickle: 1\nallow:\n  builtins:\n    - str.upper: {use: [call]}\n")
    assert safepickle.loads(pickled(4, reduce(reduce(GETATTR, text("x"), text("upper")))), policy=literal) == "X"
    assert not admitted(reduce(reduce(GETATTR, ("SHORT_BINBYTES", b"x"), text("upper"))), by=literal)


@pytest.mark.parametrize(
    "part", ["__globals__", "__dict__", "__class__", "__subclasses__", "__init__", "__reduce__", "mro"]
)
def test_parts_that_hand_out_power_are_refused_whatever_a_policy_lists(part: str) -> None:
    powerful = PolicyData(
        {(V, "Plain"): (Grant(frozenset({"refer", "new"})),), (V, f"Plain.{part}"): (Grant(frozenset({"refer"})),)}
    )
    for base in (PLAIN, MADE):
        verifier = Verifier(Reader(pickled(4, reduce(GETATTR, base, text(part)))), powerful, Limits(), Options())
        with pytest.raises(safepickle.Forbidden, match="power"):
            verifier.run()


def test_dunder_new_is_understood_in_a_partial_and_is_no_name_of_its_own() -> None:
    reached = reduce(GETATTR, PLAIN, text("__new__"))
    spelled = ("GLOBAL", V, "Plain.__new__")
    for steps in (spelled, [reached, "POP", spelled], [spelled, "POP", reached], reached, [reached, "POP", "NONE"]):
        passes = steps == [reached, "POP", "NONE"]
        assert admitted(steps, by=policy("Plain")) == passes, steps
    assert not admitted(reduce(reached, PLAIN), by=policy("Plain"))


def partial_of(cls: Step, *arguments: Step, keywords: Step = "EMPTY_DICT") -> Step:
    new = reduce(GETATTR, cls, text("__new__"))
    return [
        PARTIAL,
        [new, put(9), "TUPLE1", "REDUCE"],
        tuple_of(get(9), tuple_of(cls, *arguments), keywords, "NONE"),
        "BUILD",
    ]


def test_a_partial_is_understood_as_newobj_ex_and_as_nothing_else() -> None:
    listed = policy("Frozen: {use: [new], args: [[]], kwargs: {a: int}}", "Plain", "keep: {use: [call]}")
    called = lambda partial: [partial, "EMPTY_TUPLE", "REDUCE"]  # noqa: E731  # for this test alone
    one = partial_of(victim("Frozen"), keywords=dict_of((text("a"), number(1))))
    assert admitted(called(one), by=listed)
    for steps in (
        one,
        called([PARTIAL, PLAIN, "TUPLE1", "REDUCE"]),
        [one, number(1), "TUPLE1", "REDUCE"],
        called(partial_of(victim("Frozen"), keywords=dict_of((text("b"), number(1))))),
        called(partial_of(victim("Slotted"))),
        reduce(PARTIAL, victim("keep")),
        called([one, "NONE", "BUILD"]),
        list_of(one),
        reduce(victim("keep"), one),
        called([PARTIAL, reduce(GETATTR, PLAIN, text("__new__")), "TUPLE1", "REDUCE"]),
        [
            dict_of((text("a"), number(1))),
            put(5),
            "POP",
            partial_of(victim("Frozen"), keywords=get(5)),
            put(6),
            "POP",
            get(5),
            text("b"),
            number(1),
            "SETITEM",
            "POP",
            called(get(6)),
        ],
    ):
        assert not admitted(steps, by=listed), steps


@pytest.mark.parametrize("helper", [GETATTR, PARTIAL, ENCODE, RECONSTRUCTOR, NEWOBJ, NEWOBJ_EX])
def test_a_helper_is_never_a_value(helper: Step) -> None:
    for steps in (
        helper,
        list_of(helper),
        ["EMPTY_LIST", helper, "APPEND"],
        tuple_of(helper),
        dict_of((helper, "NONE")),
        dict_of((text("x"), helper)),
        set_of(helper),
        ["MARK", helper, "FROZENSET"],
        ["MARK", helper, "LIST"],
        ["MARK", text("x"), helper, "DICT"],
        reduce(victim("keep"), helper),
        reduce(PLAIN, tuple_of(helper)),
        newobj(PLAIN, helper),
        build(MADE, helper),
        build(MADE, tuple_of("NONE", helper)),
        ["MARK", PLAIN, helper, "OBJ"],
        ["MARK", helper, "OBJ"],
        ["MARK", helper, ("INST", V, "Plain")],
        [helper, "BINPERSID"],
        [helper, "EMPTY_TUPLE", "NEWOBJ"],
        [helper, "EMPTY_DICT", "BUILD"],
        [helper, "NONE", "APPEND"],
        reduce(GETATTR, helper, text("x")),
        [helper, "READONLY_BUFFER"],
        [helper, "EMPTY_TUPLE", "EMPTY_DICT", "NEWOBJ_EX"],
        [tuple_of(tuple_of(helper)), put(0), "POP", list_of(get(0))],
    ):
        assert not admitted(steps, by=EVERYTHING), steps
    assert admitted(helper, "POP", "NONE", by=EVERYTHING)
    assert admitted(helper, put(0), "DUP", "POP", "POP", "NONE", by=EVERYTHING)


def test_a_reconstructor_has_a_base_from_a_closed_table_and_a_state_of_its_kind() -> None:
    listed = policy("ListBag", "DictBag", "SetBag", "TextBag", "Plain", "Frozen", "keep: {use: [call]}")
    remade = lambda cls, base, state: reduce(RECONSTRUCTOR, victim(cls), base, state)  # noqa: E731  # for this test alone
    builtin = lambda name: ("GLOBAL", "builtins", name)  # noqa: E731  # likewise
    for cls, base, state, passes in (
        ("Plain", builtin("object"), "NONE", True),
        ("Plain", builtin("object"), number(1), False),
        ("ListBag", builtin("list"), "EMPTY_LIST", True),
        ("ListBag", builtin("list"), "EMPTY_TUPLE", False),
        ("ListBag", builtin("list"), reduce(builtin("range"), *map(number, (0, 9, 1))), False),
        ("DictBag", builtin("dict"), "EMPTY_DICT", True),
        ("DictBag", builtin("dict"), list_of(), False),
        ("SetBag", builtin("set"), "EMPTY_SET", True),
        ("SetBag", builtin("set"), reduce(builtin("set"), "EMPTY_LIST"), True),
        ("SetBag", builtin("set"), "EMPTY_LIST", False),
        ("TextBag", builtin("str"), text("x"), True),
        ("TextBag", builtin("str"), number(5), False),
        ("Plain", PLAIN, "NONE", False),
        ("Plain", victim("Frozen"), "NONE", False),
        ("Plain", MADE, "NONE", False),
        ("ListBag", builtin("list"), reduce(victim("keep")), False),
    ):
        assert admitted(remade(cls, base, state), by=listed) == passes, (cls, state)
    assert not admitted(reduce(RECONSTRUCTOR, PLAIN, builtin("object")), by=listed)
    assert not admitted(reduce(RECONSTRUCTOR, text("x"), builtin("object"), "NONE"), by=listed)


def test_encode_is_a_literal_of_latin_1_and_of_nothing_else() -> None:
    nothing = policy()
    for codec in ("latin1", "latin-1"):
        assert safepickle.loads(pickled(2, reduce(ENCODE, text("\xe9"), text(codec))), policy=nothing) == b"\xe9"
    for arguments in (
        [text("x"), text("utf-8")],
        [text("x"), text("LATIN1")],
        [text("x")],
        [text("x"), text("latin1"), text("strict")],
        [("SHORT_BINBYTES", b"x"), text("latin1")],
        [number(1), text("latin1")],
        [text("x"), "NONE"],
        [],
        [reduce(ENCODE, text("x"), text("latin1")), text("latin1")],
        [text("\u20ac"), text("latin1")],
    ):
        assert not admitted(reduce(ENCODE, *arguments), by=nothing)


# --- What the application brings --------------------------------------------------------------------------------------
def test_persistent_ids_are_refused_unless_a_loader_or_the_policy_accepts_them_and_have_the_listed_shapes() -> None:
    steps = [tuple_of(text("storage"), number(1)), "BINPERSID"]
    assert "persistent" in str(forbidden(steps, by=policy()))
    accepting = policy(more="accept: [persistent_ids]")
    assert safepickle.scan(pickled(4, steps), policy=accepting).ok
    refused(safepickle.MalformedStream, steps, by=accepting, buffers=())
    shaped = policy(more="accept: [persistent_ids]\npersistent: [[{is: 'storage'}, int], {str: '[a-z]+'}]")
    for asked, passes in (
        (steps, True),
        ([text("abc"), "BINPERSID"], True),
        (("PERSID", "abc"), True),
        (("PERSID", "ABC"), False),
        ([tuple_of(text("other"), number(1)), "BINPERSID"], False),
        (["NONE", "BINPERSID"], False),
        ([MADE, "BINPERSID"], False),
    ):
        assert safepickle.scan(pickled(4, asked), policy=shaped | policy("Plain")).ok == passes, asked


def test_an_id_stands_for_a_class_only_where_its_shape_says_so() -> None:
    shaped = policy(
        "Plain",
        more=f"accept: [persistent_ids]\npersistent: [{{id: {{is: 'class'}}, makes: {V}.Plain}}, {{is: 'other'}}]",
    )
    for name, passes in (("class", True), ("other", False)):
        for use in (newobj([text(name), "BINPERSID"]), reduce([text(name), "BINPERSID"])):
            assert safepickle.scan(pickled(4, use), policy=shaped).ok == passes
    assert not safepickle.scan(pickled(4, [text("class"), "BINPERSID"], "EMPTY_DICT", "BUILD"), policy=shaped).ok


def test_buffers_are_accepted_by_giving_them_or_by_name() -> None:
    assert admitted("NEXT_BUFFER", by=policy(), protocol=5, buffers=[b"x"])
    refused(safepickle.MalformedStream, "NEXT_BUFFER", by=policy(), protocol=5)
    assert safepickle.scan(pickled(5, "NEXT_BUFFER"), policy=policy(more="accept: [buffers]")).ok
    for steps in ("NONE", "EMPTY_LIST", text("x"), number(1)):
        refused(safepickle.MalformedStream, steps, "READONLY_BUFFER", by=policy(), protocol=5)
    for steps in (PLAIN, MADE, [text("x"), "BINPERSID"]):
        assert not admitted(steps, "READONLY_BUFFER", by=EVERYTHING, protocol=5)


# --- Keys that cannot be --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("key", ["EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET", ("BYTEARRAY8", b"x")])
def test_a_key_that_the_stream_shows_to_be_unhashable_is_malformed_also_inside_of_tuples(key: Step) -> None:
    for spelled in (key, ["NONE", key, "TUPLE2"], ["NONE", [key, "TUPLE1"], "NONE", "TUPLE3"]):
        for steps in (
            dict_of((spelled, "NONE")),
            ["EMPTY_DICT", spelled, "NONE", "SETITEM"],
            ["MARK", spelled, "NONE", "DICT"],
            set_of(spelled),
            ["MARK", spelled, "FROZENSET"],
        ):
            refused(safepickle.MalformedStream, steps, by=policy(), protocol=5)
    assert admitted(dict_of(("NONE", key)), by=policy(), protocol=5)
    assert admitted(dict_of((newobj(PLAIN, key), "NONE")), by=policy("Plain"), protocol=5)


def test_pairs_come_in_twos() -> None:
    for steps in (["EMPTY_DICT", "MARK", "NONE", "SETITEMS"], ["MARK", "NONE", "DICT"]):
        refused(safepickle.MalformedStream, steps, by=policy())


# --- Limits -----------------------------------------------------------------------------------------------------------
NESTING: Final[dict[str, tuple[Step, Step, int]]] = {
    "tuples": ("EMPTY_TUPLE", "TUPLE1", 1),
    "tuples of two": ("EMPTY_TUPLE", ["NONE", "TUPLE2"], 1),
    "marked tuples": (["MARK"] * 2000, [], 0),
    "instances": (MADE, [put(0), "POP", newobj(PLAIN, get(0))], 2),
    "states": (MADE, [put(0), "POP", build(MADE, get(0))], 1),
    "calls": ("NONE", [put(0), "POP", reduce(PLAIN, get(0))], 2),
    "fills": ("EMPTY_LIST", [put(0), "POP", newobj(victim("ListBag")), get(0), "APPEND"], 1),
    "bound methods": (
        MADE,
        [put(0), "POP", reduce(GETATTR, get(0), text("method")), put(0), "POP", newobj(PLAIN, get(0))],
        3,
    ),
    "INST": ("NONE", [put(0), "POP", "MARK", get(0), ("INST", V, "Plain")], 2),
    "frozensets": (["MARK", "FROZENSET"], [put(0), "POP", "MARK", get(0), "FROZENSET"], 1),
    "dicts": ("EMPTY_DICT", [put(0), "POP", dict_of((text("k"), get(0)))], 1),
}
DEEP: Final = policy("Plain", "ListBag", "Plain.method: {use: [refer]}")


@pytest.mark.parametrize("way", [way for way, (_, _, each) in NESTING.items() if each])
def test_depth_is_bounded_whatever_the_nesting_is_made_of(way: str) -> None:
    seed, level, each = NESTING[way]
    assert admitted(seed, [level] * (900 // each), by=DEEP)
    error = refused(safepickle.LimitExceeded, seed, [level] * (1100 // each), by=DEEP)
    assert "depth" in str(error)
    tight = DEEP | policy(more="limits: {depth: 50}")
    assert not admitted(seed, [level] * 60, by=tight)


@pytest.mark.parametrize(
    ("steps", "depth"),
    [
        (list_of(list_of()), 2),
        (["EMPTY_LIST", "EMPTY_LIST", "APPEND"], 2),
        (["MARK", "EMPTY_TUPLE", "LIST"], 2),
        (tuple_of(tuple_of("NONE")), 2),
        (["MARK", "EMPTY_TUPLE", "TUPLE"], 2),
        (dict_of(("NONE", list_of())), 2),
        (reduce(PLAIN, "NONE"), 2),
        (reduce(PLAIN, list_of()), 3),
        (newobj(PLAIN, "NONE"), 2),
        (newobj(PLAIN, list_of()), 3),
        ([PLAIN, "EMPTY_TUPLE", dict_of((text("x"), list_of())), "NEWOBJ_EX"], 3),
        (["MARK", list_of(), ("INST", V, "Plain")], 3),
        (["MARK", PLAIN, list_of(), "OBJ"], 3),
        (build(MADE, dict_of((text("x"), list_of(list_of())))), 4),
        ([newobj(victim("ListBag")), list_of(list_of()), "APPEND"], 3),
        ([newobj(victim("ListBag")), "MARK", list_of(list_of()), "APPENDS"], 3),
        (reduce(GETATTR, MADE, text("method")), 4),
    ],
    ids=repr,
)
def test_the_limit_on_depth_admits_what_is_exactly_so_deep(steps: Step, depth: int) -> None:
    assert admitted(steps, by=DEEP | policy(more=f"limits: {{depth: {depth}}}"))
    error = refused(safepickle.LimitExceeded, steps, by=DEEP | policy(more=f"limits: {{depth: {depth - 1}}}"))
    assert "depth" in str(error)


@pytest.mark.parametrize(
    ("start", "link"),
    [
        (["EMPTY_LIST", put(0)], ["EMPTY_LIST", put(1), "APPEND", "POP", get(1)]),
        (["EMPTY_DICT", put(0)], ["NONE", "EMPTY_DICT", put(1), "SETITEM", "POP", get(1)]),
        ([newobj(victim("ListBag")), put(0)], [newobj(victim("ListBag")), put(1), "APPEND", "POP", get(1)]),
        ([MADE, put(0)], [MADE, put(1), "BUILD", "POP", get(1)]),
        (["EMPTY_LIST", put(0)], ["EMPTY_LIST", put(1), "TUPLE1", "APPEND", "POP", get(1)]),
        (["EMPTY_LIST"], ["EMPTY_LIST", "DUP", put(1), "POP", "APPEND", "POP", get(1)]),
    ],
    ids=["lists", "dicts", "a list's class", "states", "tuples in lists", "by DUP"],
)
def test_what_is_nested_from_the_outside_in_is_as_deep(start: Step, link: Step) -> None:
    error = refused(safepickle.LimitExceeded, start, [link] * 1100, "POP", "NONE", by=DEEP)
    assert "depth" in str(error)
    assert admitted(start, [link] * 400, "POP", "NONE", by=DEEP)


def test_marks_alone_are_no_depth() -> None:
    assert admitted(["MARK"] * 100_000, "NONE", ["POP_MARK", "NONE"] * 100_000, by=policy())


def test_recursive_values_have_the_depth_of_a_walk_through_them() -> None:
    value: list[Any] = []
    for _ in range(300):
        value = [value, {"self": value}]
        value.append(value)
    safepickle.verify(pickle.dumps(value[0][0][0]))
    ring: list[Any] = [[] for _ in range(200)]
    for each, item in enumerate(ring):
        item.append(ring[each - 1])
    safepickle.verify(pickle.dumps(ring))


def test_a_memo_index_may_run_ahead_of_the_opcodes_and_no_further() -> None:
    for index, passes in ((131_000, True), (140_000, False), (2**32 - 1, False)):
        for steps in (["NONE", ("LONG_BINPUT", index)], ["NONE", ("PUT", index)]):
            assert admitted(steps, by=policy()) == passes
    for limit, by in ((131_072, policy()), (40, policy(more="limits: {memo: 40}"))):
        for put_ in ("LONG_BINPUT", "PUT"):  # the third opcode
            assert admitted("NONE", (put_, limit + 3), by=by)
            assert not admitted("NONE", (put_, limit + 4), by=by)
    refused(safepickle.MalformedStream, get(0), by=policy())
    refused(safepickle.MalformedStream, ("GET", 10**18), by=policy())


def test_opcodes_and_bytes_are_bounded_where_a_policy_names_them() -> None:
    few = policy(more="limits: {opcodes: 10}")
    assert admitted(["NONE", "POP"] * 3, "NONE", by=few)
    assert not admitted(["NONE", "POP"] * 5, "NONE", by=few)
    assert admitted(["NONE", "POP"] * 3, "NONE", "DUP", by=few)  # with PROTO and STOP just as many
    assert not admitted(["NONE", "POP"] * 3, "NONE", "DUP", "DUP", by=few)
    short = policy(more="limits: {bytes: 100}")
    assert admitted(text("x" * 80), by=short)
    assert not admitted(text("x" * 100), by=short)
    most = "x" * (100 - len(pickled(4, text(""))))
    assert admitted(text(most), by=short)
    assert not admitted(text(most + "x"), by=short)


BOMB: Final[Step] = ["EMPTY_TUPLE", ["DUP", "TUPLE2"] * 40]
FROZEN_BOMB: Final[Step] = [
    "NONE",
    put(0),
    "POP",
    [newobj(victim("Frozen")), stated((text("a"), get(0)), (text("b"), get(0))), "BUILD", put(0), "POP"] * 40,
    get(0),
]
LISTED_BOMB: Final[Step] = ["EMPTY_LIST", put(0), "POP", [list_of(get(0), get(0)), put(0), "POP"] * 40, get(0)]
HASHED: Final[dict[str, Step]] = {
    "a key": dict_of((BOMB, "NONE")),
    "SETITEM's key": ["EMPTY_DICT", BOMB, "NONE", "SETITEM"],
    "DICT's key": ["MARK", BOMB, "NONE", "DICT"],
    "a member": set_of(BOMB),
    "a frozenset's member": ["MARK", BOMB, "FROZENSET"],
    "a tuple in a key": dict_of((tuple_of(number(1), BOMB), "NONE")),
    "an instance": dict_of((FROZEN_BOMB, "NONE")),
    "instances made with arguments": dict_of(
        (["NONE", put(0), "POP", [newobj(PLAIN, get(0), get(0)), put(0), "POP"] * 40, get(0)], "NONE")
    ),
    "a call of set": reduce(("GLOBAL", "builtins", "set"), list_of(BOMB)),
    "a call of frozenset": reduce(("GLOBAL", "builtins", "frozenset"), tuple_of(BOMB)),
    "an argument": reduce(victim("keep"), BOMB),
    "an argument in a list": reduce(victim("keep"), list_of(BOMB)),
    "an argument of lists": reduce(victim("keep"), LISTED_BOMB),
    "NEWOBJ's argument": newobj(PLAIN, BOMB),
    "NEWOBJ_EX's keyword": [PLAIN, "EMPTY_TUPLE", dict_of((text("a"), BOMB)), "NEWOBJ_EX"],
    "an Enum's value": reduce(victim("Colour"), BOMB),
    "a key of a fill": [newobj(victim("DictBag")), BOMB, "NONE", "SETITEM"],
    "a member of a fill": [newobj(victim("SetBag")), "MARK", BOMB, "ADDITEMS"],
}
HASHING: Final = policy("Plain", "Frozen", "DictBag", "SetBag", "Colour", "keep: {use: [call]}")


@pytest.mark.parametrize("way", HASHED)
def test_what_expands_without_end_is_hashed_nowhere(way: str) -> None:
    assert "hash_work" in str(refused(safepickle.LimitExceeded, HASHED[way], by=HASHING))


def test_what_expands_without_end_may_be_kept_if_nobody_hashes_it() -> None:
    for steps in (BOMB, list_of(BOMB), dict_of((number(1), BOMB)), build(MADE, stated((text("a"), BOMB))), LISTED_BOMB):
        assert admitted(steps, by=HASHING)


@pytest.mark.parametrize(
    "again",
    [
        dict_of((get(0), "NONE")),
        set_of(get(0)),
        ["MARK", get(0), "FROZENSET"],
        dict_of((tuple_of(get(0)), "NONE")),
        reduce(("GLOBAL", "builtins", "set"), list_of(get(0))),
    ],
)
def test_hashing_a_large_key_again_and_again_is_charged_each_time(again: Step) -> None:
    wide = ["MARK", [number(each) for each in range(6_000)], "TUPLE", put(0), "POP"]
    assert admitted(wide, again, by=HASHING)
    assert not admitted(wide, [again, "POP"] * 300, "NONE", by=HASHING)


def test_the_keys_of_a_state_are_hashed_each_time_it_is_given() -> None:
    state = ["EMPTY_DICT", ["EMPTY_TUPLE", ["DUP", "TUPLE2"] * 17], "NONE", "SETITEM", put(0), "POP"]
    assert admitted(state, build(MADE, get(0)), by=HASHING)
    assert not admitted(state, [build(MADE, get(0)), "POP"] * 20, "NONE", by=HASHING)


LARGE_TEXT: Final[Step] = ("BINUNICODE", "x" * 60_000)
NUMBERS: Final[Step] = list_of(*[number(1)] * 30_000)
KEYS: Final[Step] = stated(*((text(f"k{each}"), "NONE") for each in range(20_000)))
COPIED: Final[dict[str, tuple[Step, Step]]] = {
    "a text encoded": (LARGE_TEXT, reduce(ENCODE, get(0), text("latin1"))),
    "a text as an argument": (LARGE_TEXT, reduce(victim("keep"), get(0))),
    "a text in a list": (list_of(LARGE_TEXT), reduce(victim("keep"), get(0))),
    "a list as an argument": (NUMBERS, reduce(victim("keep"), get(0))),
    "many arguments": ([NUMBERS, "POP", "MARK", *[number(1)] * 30_000, "TUPLE"], [victim("keep"), get(0), "REDUCE"]),
    "NEWOBJ's argument": (NUMBERS, newobj(PLAIN, get(0))),
    "INST's argument": (NUMBERS, ["MARK", get(0), ("INST", V, "Plain")]),
    "a keyword": (NUMBERS, [PLAIN, "EMPTY_TUPLE", dict_of((text("a"), get(0))), "NEWOBJ_EX"]),
    "a state": (KEYS, build(MADE, get(0))),
    "slots": (KEYS, build(MADE, tuple_of("NONE", get(0)))),
    "a state of a pair": (KEYS, build(MADE, tuple_of(get(0), "NONE"))),
    "a text as a state": (LARGE_TEXT, build(MADE, get(0))),
    "what a call made": (
        reduce(("GLOBAL", "builtins", "bytes"), NUMBERS),
        reduce(("GLOBAL", "builtins", "bytearray"), get(0)),
    ),
    "what a call of a call made": (
        [reduce(victim("keep"), NUMBERS), put(1), "POP", reduce(victim("keep"), get(1))],
        reduce(victim("keep"), get(0)),
    ),
    "what was filled": (
        [newobj(victim("ListBag")), "MARK", [number(1)] * 30_000, "APPENDS"],
        reduce(victim("keep"), get(0)),
    ),
    "what a method is bound to": (reduce(GETATTR, LARGE_TEXT, text("upper")), [get(0), "EMPTY_TUPLE", "REDUCE"]),
    "a set for _reconstructor": (
        set_of(*map(number, range(30_000))),
        reduce(RECONSTRUCTOR, victim("SetBag"), ("GLOBAL", "builtins", "set"), get(0)),
    ),
}
COPYING: Final = (
    HASHING
    | policy("ListBag")
    | Policy.from_yaml("safepickle: 1\nallow:\n  builtins:\n    - str.upper: {use: [call]}\n")
)


@pytest.mark.parametrize("way", COPIED)
def test_what_is_handed_out_is_charged_its_length_each_time(way: str) -> None:
    large, handed = COPIED[way]
    assert admitted(large, put(0), "POP", [handed, "POP"] * 3, "NONE", by=COPYING)
    error = refused(safepickle.LimitExceeded, large, put(0), "POP", [handed, "POP"] * 400, "NONE", by=COPYING)
    assert "copy_work" in str(error)


def test_what_many_share_is_charged_to_nobody_who_only_holds_it() -> None:
    state = stated((text("payload"), ("BINBYTES", b"x" * 1_000_000)))
    shared = [build(MADE, state), put(0), "POP"]
    assert admitted(shared, list_of(*[reduce(PLAIN, get(0))] * 1000), by=COPYING)
    assert admitted(shared, list_of(*[reduce(PLAIN, tuple_of(get(0), get(0)))] * 1000), by=COPYING)
    expression = ["NONE", put(0), "POP", [reduce(PLAIN, get(0), get(0)), put(0), "POP"] * 60, get(0)]
    assert admitted(expression, by=COPYING)


def test_a_tuple_of_an_earlier_load_is_charged_its_length_when_it_becomes_arguments() -> None:
    first = pickled(4, ["MARK", *[number(1)] * 30_000, "TUPLE", put(0), "POP"], "NONE")
    data = first + pickled(4, [[victim("keep"), get(0), "REDUCE"], "POP"] * 100, "NONE")
    unpickler = safepickle.Unpickler(io.BytesIO(data), policy=COPYING)
    unpickler.load()
    with pytest.raises(safepickle.LimitExceeded, match="copy_work"):
        unpickler.load()


def test_limits_that_a_policy_names_replace_the_budget_that_grows_with_the_bytes() -> None:
    tight = HASHING | policy(more="limits: {hash_work: 10, copy_work: 10}")
    assert admitted(dict_of((number(1), "NONE")), by=tight)
    assert not admitted(set_of(*map(number, range(20))), by=tight)
    assert not admitted(reduce(victim("keep"), list_of(*["NONE"] * 20)), by=tight)


def test_each_pickle_of_a_file_has_a_budget_of_its_own() -> None:
    one = pickled(4, set_of(*map(number, range(200))))
    tight = policy(more="limits: {hash_work: 300}")
    assert safepickle.scan(one * 20, policy=tight).ok
    file = io.BytesIO(one * 20)
    unpickler = safepickle.Unpickler(file, policy=tight)
    assert [len(unpickler.load()) for _ in range(20)] == [200] * 20


@pytest.mark.skipif(core() == COMPILED, reason="counts calls of a method, which can only be replaced uncompiled")
def test_a_long_name_from_the_memo_is_read_once_however_often_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    read = Matcher.text
    monkeypatch.setattr(Matcher, "text", lambda self, code: reads.append(code) or read(self, code))
    names = [text("m" * 300), put(0), "POP", text("n" * 300), put(1), "POP"]
    uses = [get(0), get(1), "STACK_GLOBAL", "POP"]
    for count in (1, 200):
        reads.clear()
        safepickle.verify(pickled(4, names, uses * count, "NONE"), policy=Policy.unrestricted())
        assert len(reads) == 2


# --- At a glance, and the long way ------------------------------------------------------------------------------------
GLANCED: Final = (
    Policy.named("stdlib")
    | policy("Plain", "Slotted", "keep: {use: [call]}")
    | Policy.from_yaml("safepickle: 1\nallow:\n  builtins:\n    - frozenset: {use: [call]}\n")
)
_LONG: Final = "more than is told at a glance, which is what a length of two hundred and fifty-five is, " * 3


def _objects_of_objects() -> Iterator[bytes]:
    when = datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=2), "here"))
    values: list[Any] = [
        [when, when, when.replace(tzinfo=UTC), timedelta(1, 2, 3), when.time(), when.timetz(), when.date()],
        {when: {when.date(), when.time()}, (when, _LONG): OrderedDict([(when, _LONG), (_LONG, [when])])},
        {frozenset({when, Fraction(1, 3)}), Fraction(1, 3), Decimal("1.5")},
        [_LONG, b"x" * 300, 1 << 3000, {_LONG: _LONG, "short": (when, [_LONG] * 3)}],
        [UUID(int=5), UUID(int=1 << 100), PurePosixPath("a/b"), Counter([when, when]), deque([when] * 3, 5)],
        [SimpleNamespace(a=when, b=_LONG, c=[[_LONG]]), slice(1, when, None), 1j, bytearray(b"x" * 300)],
    ]
    yield from (pickle.dumps(value, protocol) for value in values for protocol in range(2, 6))
    made = reduce(victim("keep"), number(1), number(2), number(3))
    built = build(newobj(PLAIN), dict_of((text("a"), text(_LONG)), (text("b"), list_of(*map(number, range(9))))))
    slots = build(newobj(PLAIN), tuple_of(dict_of((text("a"), text(_LONG))), dict_of((text("b"), made))))
    again = [put(0), [reduce(victim("keep"), get(0)), put(0), "POP"] * 20, get(0)]
    for steps in (
        reduce(victim("keep"), made, made),
        reduce(victim("keep"), reduce(victim("keep"), made, number(1)), made),
        [built, "POP", slots, put(1), "POP", reduce(victim("keep"), get(1), built)],
        [made, *again, put(1), set_of(get(1), get(0))],
        [list_of(made), put(1), "POP", reduce(victim("keep"), get(1), made)],
        [text(_LONG), put(1), "POP", reduce(victim("keep"), get(1), made)],
        reduce(("GLOBAL", "builtins", "frozenset"), reduce(victim("keep"), made, made)),
    ):
        yield pickled(4, steps)


def _account(data: bytes) -> dict[str, Any]:
    """All that a pass found out that an object made at a glance could make different."""
    verifier = Verifier(Reader(data), GLANCED.data, GLANCED.limits, Options())
    plan = verifier.run()
    heap = plan.heap
    held = [heap.held(node) for node in range(len(heap))]
    return {
        "work": (verifier._copy_work, verifier._hash_work),
        "depths": [heap.depth(node << symbols.SHIFT | symbols.MADE) for node in range(len(heap))],
        "uses": {symbol.dotted: symbol.uses for symbol in verifier.globals.values()},
        "made": [
            (each.origin.dotted, each.args, each.kwargs, each.state, each.size, each.built, each.called, each.fills)
            for each in held
            if isinstance(each, symbols.Made)
        ],
    }


@pytest.mark.skipif(core() == COMPILED, reason="replaces methods, which can only be replaced uncompiled")
def test_what_is_made_and_built_at_a_glance_costs_what_the_long_way_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    glance = Verifier._depth_at_a_glance
    monkeypatch.setattr(Verifier, "_depth_at_a_glance", lambda *given: seen.append(glance(*given)) or seen[-1])
    streams = [*_objects_of_objects()]
    at_a_glance = [_account(data) for data in streams]
    assert max(seen) > 4, "objects of objects of objects are made at a glance"
    monkeypatch.setattr(Verifier, "_depth_at_a_glance", lambda *_given: 0)
    monkeypatch.setattr(Verifier, "_is_built_at_a_glance", lambda *_given: False)
    monkeypatch.setattr(Verifier, "_encoded_at_a_glance", lambda *_given: 0)
    for data, account in zip(streams, at_a_glance, strict=True):
        assert _account(data) == account, pickletools.dis(data)


# --- Read in runs -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("opcode", [b"C", b"U", b"\x8c", b"\x8a", b"B", b"X", b"T", b"\x8b"])
def test_a_payload_ends_with_its_frame_and_with_the_input_however_much_is_there(opcode: bytes) -> None:
    size = b"\x28" if opcode in b"CU\x8c\x8a" else b"\x28\0\0\0"
    body = opcode + size + b"a" * 40 + b"."
    for before in (0, 1, 9, 12):
        for inside in (len(size) + 12, len(size) + 40, len(size) + 1):  # bytes of the frame behind the opcode
            frame = (before + 1 + inside).to_bytes(8, "little")
            data = b"\x80\x04\x95" + frame + b"N0" * (before // 2) + b"N" * (before % 2) + body + FOLLOWING
            crosses = inside < len(size) + 40
            for read in (safepickle.verify, safepickle.loads):
                if crosses:
                    with pytest.raises(safepickle.MalformedStream, match="frame"):
                        read(data)
                else:
                    read(data, encoding="latin1")
        with pytest.raises(safepickle.MalformedStream, match="truncated"):
            safepickle.verify(b"\x80\x04" + b"N" * before + opcode + size + b"a" * 39)


@pytest.mark.parametrize(
    "opcode",
    ["TUPLE1", "TUPLE2", "TUPLE3", "APPEND", "SETITEM", "REDUCE", "BUILD", "NEWOBJ", "STACK_GLOBAL", "DUP", "MEMOIZE"],
)
def test_nothing_is_taken_from_below_a_mark(opcode: str) -> None:
    needed = 3 if opcode in ("TUPLE3", "SETITEM") else 1 if opcode in ("TUPLE1", "DUP", "MEMOIZE") else 2
    for below in (["EMPTY_LIST"] * 4, ["NONE"] * 4):
        steps = [below, "MARK", ["NONE"] * (needed - 1), opcode]
        refused(safepickle.MalformedStream, steps, "POP", "NONE", by=EVERYTHING)


def test_tuples_too_deep_are_refused_wherever_they_stand() -> None:
    for behind in ([], ["POP", "NONE"], ["POP", ["NONE", "POP"] * 20, "NONE"]):
        refused(safepickle.LimitExceeded, ["EMPTY_TUPLE", ["TUPLE1"] * 1100, *behind], by=EVERYTHING)


# --- The unrestricted mode --------------------------------------------------------------------------------------------
def test_the_trusted_mode_grants_every_name_and_keeps_the_limits() -> None:
    trusted = Policy.unrestricted()
    for steps in (
        victim("canary"),
        reduce(victim("keep")),
        build(victim("Plain"), "EMPTY_DICT"),
        reduce(MADE),
        list_of(GETATTR),
    ):
        assert admitted(steps, by=trusted)
    for steps in (
        BOMB,
        dict_of((BOMB, "NONE")),
        ["EMPTY_TUPLE", "TUPLE1", ["TUPLE1"] * 1100],
        reduce(victim("keep"), BOMB),
    ):
        assert admitted(steps, by=trusted) == (steps == BOMB)
    refused(safepickle.MalformedStream, "NONE", "EMPTY_TUPLE", "REDUCE", by=trusted)
