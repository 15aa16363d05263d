"""Argument patterns on the values of a stream: for each pattern what it admits, and what it does not."""

from __future__ import annotations

import functools
import io
import tracemalloc
from typing import Any, Final

import pytest

import safepickle
from safepickle import Policy
from safepickle.build import COMPILED, core
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

KEEP: Final[Step] = ("GLOBAL", V, "keep")
PLAIN: Final[Step] = ("GLOBAL", V, "Plain")
FROZEN: Final[Step] = ("GLOBAL", V, "Frozen")
GETATTR: Final[Step] = ("GLOBAL", "builtins", "getattr")
ENCODED: Final[Step] = reduce(("GLOBAL", "_codecs", "encode"), text("abc"), text("latin1"))
INSTANCE: Final[Step] = newobj(PLAIN)
RESULT: Final[Step] = reduce(KEEP)
METHOD: Final[Step] = reduce(GETATTR, INSTANCE, text("method"))


def called(kind: str, *arguments: Step) -> Step:
    return reduce(("GLOBAL", "builtins", kind), *arguments)


@functools.cache
def policy(pattern: str, more: str = "") -> Policy:
    """A policy that lets `keep` be called with one argument of this pattern, and lists what tests mention."""
    return Policy.from_yaml(
        f"safepickle: 1\n{more}\nallow:\n  {V}:\n"
        f"    - keep: {{use: [call], args: [[{pattern}], []]}}\n"
        "    - Plain\n    - Frozen\n    - Plain.method: {use: [refer]}\n    - Plain.Nested\n"
    )


def admits(pattern: str, argument: Step, more: str = "", **options: Any) -> bool:
    """Whether verification admits a call with this argument."""
    try:
        safepickle.verify(pickled(5, reduce(KEEP, argument)), policy=policy(pattern, more), **options)
    except safepickle.Forbidden as refusal:
        return (refusal.path, refusal.verb) != ("arguments", "call")
    return True


# --- Words ------------------------------------------------------------------------------------------------------------
VALUES: Final[dict[str, tuple[Step, ...]]] = {
    "none": ("NONE",),
    "bool": ("NEWTRUE", "NEWFALSE", b"I01\n"),
    "int": (("BININT1", 1), ("BININT2", 1), ("BININT", -1), ("LONG1", 2**70), ("LONG4", 1), ("INT", 5), ("LONG", 5)),
    "float": (("BINFLOAT", 1.5), ("FLOAT", 1.5)),
    "complex": (called("complex", ("BINFLOAT", 1.0), ("BINFLOAT", 2.0)),),
    "str": (text("x"), ("BINUNICODE", "x"), ("UNICODE", "x"), ("SHORT_BINSTRING", "x"), ("BINUNICODE8", "x" * 300)),
    "bytes": (("SHORT_BINBYTES", b"x"), ("BINBYTES", b"x"), ("BINBYTES8", b"x"), ENCODED, called("bytes")),
    "bytearray": (("BYTEARRAY8", b"x"), called("bytearray"), called("bytearray", ("SHORT_BINBYTES", b"x"))),
    "list": ("EMPTY_LIST", list_of(number(1)), ["MARK", "NONE", "LIST"]),
    "tuple": ("EMPTY_TUPLE", ["NONE", "TUPLE1"], tuple_of("NONE", "NONE", "NONE", "NONE")),
    "dict": ("EMPTY_DICT", dict_of((text("a"), "NONE")), ["MARK", "NONE", "NONE", "DICT"]),
    "set": ("EMPTY_SET", set_of("NONE"), called("set"), called("set", list_of("NONE"))),
    "frozenset": (["MARK", "NONE", "FROZENSET"], called("frozenset", list_of("NONE"))),
    "global": (PLAIN, reduce(GETATTR, PLAIN, text("Nested"))),
    "instance": (INSTANCE, RESULT, build(INSTANCE, "EMPTY_DICT")),
}
NOTHING_OF_THESE: Final[tuple[Step, ...]] = (METHOD,)


@pytest.mark.parametrize("word", VALUES)
def test_a_word_admits_its_own_kind_and_no_other(word: str) -> None:
    made_by_calls = {"complex", "bytes", "bytearray", "set", "frozenset"}
    for kind, values in VALUES.items():
        for value in values:
            if word == "instance" and kind in made_by_calls:
                continue  # the result of a call of a built-in is both
            assert admits(word, value) == (word == kind), (kind, value)
    for value in NOTHING_OF_THESE:
        assert not admits(word, value)


def test_any_admits_everything() -> None:
    for value in [value for values in VALUES.values() for value in values] + list(NOTHING_OF_THESE):
        assert admits("any", value)


def test_an_eight_bit_string_is_what_the_loader_makes_of_it_and_either_in_a_scan() -> None:
    string = ("SHORT_BINSTRING", "x")
    assert admits("str", string, encoding="latin1")
    assert not admits("bytes", string, encoding="latin1")
    assert admits("bytes", string, encoding="bytes")
    assert not admits("str", string, encoding="bytes")
    for word in ("str", "bytes"):
        assert safepickle.scan(pickled(2, reduce(KEEP, string)), policy=policy(word)).ok


def test_buffers_and_persistent_objects_have_words_of_their_own() -> None:
    accepting = "accept: [buffers]"
    assert admits("buffer", "NEXT_BUFFER", accepting, buffers=[b"x"])
    assert admits("buffer", ["NEXT_BUFFER", "READONLY_BUFFER"], accepting, buffers=[b"x"])
    assert admits("buffer", [("BYTEARRAY8", b"x"), "READONLY_BUFFER"])
    assert not admits("bytearray", [("BYTEARRAY8", b"x"), "READONLY_BUFFER"])
    assert not admits("bytes", "NEXT_BUFFER", accepting, buffers=[b"x"])
    for word, admitted in (("persistent", True), ("instance", False), ("str", False), ("global", False)):
        unpickler = safepickle.Unpickler(
            io.BytesIO(pickled(4, reduce(KEEP, [text("id"), "BINPERSID"]))), policy=policy(word)
        )
        unpickler.persistent_load = lambda _pid: "loaded"
        if admitted:
            assert unpickler.load() == ["loaded"]
        else:
            with pytest.raises(safepickle.Forbidden):
                unpickler.load()


# --- Patterns of scalars ----------------------------------------------------------------------------------------------
SCALARS: Final[dict[str, tuple[tuple[Step, ...], tuple[Step, ...]]]] = {
    "{is: 0}": ((number(0), ("INT", 0)), ("NEWFALSE", ("BINFLOAT", 0.0), number(1), text("0"), "NONE")),
    "{is: -1}": ((number(-1),), (number(1),)),
    "{is: 1.5}": ((("BINFLOAT", 1.5),), (("BINFLOAT", 1.25), text("1.5"))),
    "{is: 0.0}": ((("BINFLOAT", 0.0),), (("BINFLOAT", -0.0), number(0))),
    "{is: true}": (("NEWTRUE", b"I01\n"), ("NEWFALSE", number(1))),
    "{is: null}": (("NONE",), (text("null"), number(0), "EMPTY_TUPLE")),
    "{is: 'x'}": (
        (text("x"), ("BINUNICODE", "x"), ("SHORT_BINSTRING", "x")),
        (text("X"), text("xx"), ("SHORT_BINBYTES", b"x")),
    ),
    "{is: ''}": ((text(""),), (text(" "), "NONE")),
    "{bytes: 'b'}": (
        (("SHORT_BINBYTES", b"b"), reduce(("GLOBAL", "_codecs", "encode"), text("b"), text("latin1"))),
        (("SHORT_BINBYTES", b"bb"), text("b"), ("BYTEARRAY8", b"b")),
    ),
    "{int: [0, 40]}": ((number(0), number(40)), (number(-1), number(41), "NEWTRUE", ("BINFLOAT", 4.0), number(2**70))),
    "{str: '[a-z]{3}'}": (
        (text("abc"), ("SHORT_BINSTRING", "abc")),
        (text("ab"), text("abcd"), text("abc\n"), text("ABC"), text("ab\u00e9"), ("SHORT_BINBYTES", b"abc")),
    ),
    "{str: '[0-9]+'}": ((text("42"),), (text("\u0664\u0662"), text(""))),
    "{str: '.*'}": ((text("x" * 4096), text("")), (text("x" * 4097), ("BINUNICODE", "\u20ac" * 4097), "NONE")),
    f"{{global: {V}.Plain}}": ((PLAIN,), (FROZEN, INSTANCE, text("Plain"), reduce(GETATTR, PLAIN, text("Nested")))),
    f"{{global: {V}.Plain.Nested}}": ((reduce(GETATTR, PLAIN, text("Nested")),), (PLAIN, METHOD)),
    f"{{instance: {V}.Plain}}": (
        (INSTANCE, reduce(PLAIN), build(INSTANCE, "EMPTY_DICT")),
        (PLAIN, newobj(FROZEN), RESULT, newobj(reduce(GETATTR, PLAIN, text("Nested")))),
    ),
    f"{{instance: {V}.keep}}": ((RESULT,), (INSTANCE, KEEP)),
}


@pytest.mark.parametrize("pattern", SCALARS)
def test_a_pattern_of_a_scalar_admits_what_it_says_and_nothing_near_it(pattern: str) -> None:
    good, bad = SCALARS[pattern]
    for value in good:
        assert admits(pattern, value), value
    for value in bad:
        assert not admits(pattern, value), value


def test_a_text_that_is_too_long_to_match_is_not_decoded_to_find_out() -> None:
    data = pickled(4, text("x" * 5_000_000), put(0), "POP", *[[reduce(KEEP, get(0)), "POP"]] * 3, "NONE")
    with pytest.raises(safepickle.Forbidden):
        safepickle.verify(data, policy=policy("{str: '.*'}"))


# --- Patterns of containers -------------------------------------------------------------------------------------------
def numbers(*values: int) -> list[Step]:
    return [number(value) for value in values]


CONTAINERS: Final[dict[str, tuple[tuple[Step, ...], tuple[Step, ...]]]] = {
    "{list: int}": (
        ("EMPTY_LIST", list_of(*numbers(1, 2))),
        (list_of(number(1), text("x")), tuple_of(*numbers(1)), list_of("NEWTRUE"), "NONE", RESULT),
    ),
    "{tuple: int}": (("EMPTY_TUPLE", tuple_of(*numbers(1, 2))), (tuple_of(number(1), "NONE"), list_of(number(1)))),
    "{set: int}": (
        ("EMPTY_SET", set_of(*numbers(1, 2)), called("set", list_of(*numbers(1)))),
        (set_of(text("x")), ["MARK", number(1), "FROZENSET"], called("set", list_of("NONE"))),
    ),
    "{frozenset: int}": (
        (["MARK", number(1), "FROZENSET"], called("frozenset", tuple_of(*numbers(1)))),
        (["MARK", "NONE", "FROZENSET"], set_of(number(1))),
    ),
    "{dict: [str, int]}": (
        ("EMPTY_DICT", dict_of((text("a"), number(1)))),
        (dict_of((text("a"), "NONE")), dict_of((number(1), number(1))), "EMPTY_LIST"),
    ),
    "[int, {is: 'x'}]": (
        (tuple_of(number(1), text("x")),),
        (tuple_of(number(1)), tuple_of(number(1), text("x"), "NONE"), list_of(number(1), text("x"))),
    ),
    "{list: {list: int}}": (
        (list_of(list_of(*numbers(1)), "EMPTY_LIST"),),
        (list_of(number(1)), list_of(list_of("NONE"))),
    ),
    "{fields: {a: int, 'b?': str}}": (
        (dict_of((text("a"), number(1))), dict_of((text("b"), text("x")), (text("a"), number(1)))),
        (
            "EMPTY_DICT",
            dict_of((text("a"), text("x"))),
            dict_of((text("a"), number(1)), (text("c"), "NONE")),
            dict_of((text("a"), number(1)), (text("a"), text("x"))),
            dict_of((text("a"), number(1)), (number(1), "NONE")),
            dict_of((text("a"), number(1)), ("EMPTY_TUPLE", "NONE")),
            dict_of((RESULT, number(1))),
            RESULT,
        ),
    ),
    "{length: [2, 3], of: list}": (
        (list_of(*numbers(1, 2)), list_of(*numbers(1, 1, 1))),
        (list_of(number(1)), list_of(*numbers(1, 2, 3, 4)), tuple_of(*numbers(1, 2))),
    ),
    "{length: [2, 3], of: str}": ((text("ab"), text("\u20ac\u20ac")), (text("a"), text("abcd"))),
    "{length: [2, 3], of: bytes}": ((("SHORT_BINBYTES", b"ab"), ENCODED), (("SHORT_BINBYTES", b"a"), called("bytes"))),
    "{length: [2, 3], of: bytearray}": ((("BYTEARRAY8", b"ab"),), (("BYTEARRAY8", b"a"), called("bytearray"))),
    "{length: [2, 3], of: dict}": (
        (dict_of((text("a"), "NONE"), (text("b"), "NONE")), dict_of((number(1), "NONE"), (number(2), "NONE"))),
        (
            dict_of((text("a"), "NONE")),
            dict_of((text("a"), "NONE"), (text("a"), "NONE")),
            dict_of((number(1), "NONE"), (("BINFLOAT", 1.0), "NONE")),
            dict_of((number(1), "NONE"), ("NEWTRUE", "NONE")),
            dict_of((tuple_of(number(1)), "NONE"), (tuple_of(number(1)), "NONE")),
        ),
    ),
    "{length: [2, 3], of: set}": (
        (set_of(*numbers(1, 2)), called("set", list_of(*numbers(1, 2)))),
        (set_of(*numbers(1, 1)), set_of(number(0), "NEWFALSE"), called("set", list_of(*numbers(1, 1)))),
    ),
    "{length: [1, 2], of: int}": ((), (number(1), number(12))),
    "{length: [0, 9], of: any}": ((text("x"), "EMPTY_DICT"), ("NONE", RESULT, PLAIN)),
    "{length: [1, 2], of: {list: int}}": ((list_of(*numbers(1)),), (list_of("NONE"), "EMPTY_LIST")),
    "{any_of: [int, {is: 'x'}]}": ((number(1), text("x")), (text("y"), "NONE")),
    "[[int, int], {length: {product: 0}, of: {list: int}}]": (
        (
            tuple_of(tuple_of(*numbers(2, 2)), list_of(*numbers(1, 2, 3, 4))),
            tuple_of(tuple_of(*numbers(0, 9)), "EMPTY_LIST"),
        ),
        (
            tuple_of(tuple_of(*numbers(2, 2)), list_of(*numbers(1, 2))),
            tuple_of(tuple_of(*numbers(-1, -1)), list_of(number(1))),
            tuple_of(tuple_of(*numbers(1, 1)), list_of("NONE")),
            tuple_of(tuple_of(*numbers(1, 2)), RESULT),
        ),
    ),
    "[any, {length: {product: 0}, of: list}]": (
        (tuple_of("EMPTY_TUPLE", list_of("NONE")), tuple_of(list_of(*numbers(2)), list_of("NONE", "NONE"))),
        (
            tuple_of("NONE", "EMPTY_LIST"),
            tuple_of(RESULT, "EMPTY_LIST"),
            tuple_of(tuple_of("NEWTRUE"), list_of("NONE")),
            tuple_of(tuple_of(*numbers(*[1] * 65)), list_of("NONE")),
            tuple_of(tuple_of(text("1")), list_of("NONE")),
        ),
    ),
}


@pytest.mark.parametrize("pattern", CONTAINERS)
def test_a_pattern_of_a_container_looks_at_everything_inside(pattern: str) -> None:
    good, bad = CONTAINERS[pattern]
    for value in good:
        assert admits(pattern, value), value
    for value in bad:
        assert not admits(pattern, value), value


def test_a_named_pattern_is_what_it_stands_for() -> None:
    named = "patterns:\n  knots: {length: [1, 2], of: {list: float}}"
    assert admits("{pattern: knots}", list_of(("BINFLOAT", 1.0)), named)
    assert not admits("{pattern: knots}", "EMPTY_LIST", named)


def test_signatures_are_alternatives_and_rest_is_any_further_arguments() -> None:
    listed = Policy.from_yaml(
        f"safepickle: 1\nallow:\n  {V}:\n    - keep: {{use: [call], args: [[], [int], [str, rest], [int, int, int]]}}\n"
    )
    for arguments, admitted in (
        ([], True),
        ([number(1)], True),
        (["NONE"], False),
        ([text("x")], True),
        ([text("x"), "NONE", PLAIN_TEXT], True),
        (numbers(1, 2), False),
        (numbers(1, 2, 3), True),
        (numbers(1, 2, 3, 4), False),
    ):
        data = pickled(4, reduce(KEEP, *arguments))
        if admitted:
            assert len(safepickle.loads(data, policy=listed)) == len(arguments)
        else:
            with pytest.raises(safepickle.Forbidden):
                safepickle.loads(data, policy=listed)


PLAIN_TEXT: Final[Step] = text("text")


# --- What changes after it was looked at ------------------------------------------------------------------------------
def late(pattern: str, container: Step, change: Step) -> bool:
    """Whether a container may still be changed once a pattern has looked at it."""
    data = pickled(4, container, put(0), "POP", reduce(KEEP, get(0)), "POP", get(0), change, "POP", "NONE")
    try:
        safepickle.loads(data, policy=policy(pattern))
    except safepickle.Forbidden as refusal:
        return "judged" not in str(refusal)
    return True


@pytest.mark.parametrize(
    ("pattern", "container", "change"),
    [
        ("{list: int}", list_of(number(1)), ["NONE", "APPEND"]),
        ("{list: int}", list_of(number(1)), ["MARK", "NONE", "APPENDS"]),
        ("{dict: [str, int]}", "EMPTY_DICT", ["NONE", "NONE", "SETITEM"]),
        ("{fields: {'a?': int}}", "EMPTY_DICT", ["MARK", text("b"), "NONE", "SETITEMS"]),
        ("{set: int}", "EMPTY_SET", ["MARK", "NONE", "ADDITEMS"]),
        ("{length: [0, 1], of: list}", "EMPTY_LIST", ["NONE", "APPEND"]),
        ("{any_of: [{list: str}, list]}", list_of(number(1)), ["NONE", "APPEND"]),
    ],
)
def test_what_a_pattern_has_looked_into_cannot_change_any_more(pattern: str, container: Step, change: Step) -> None:
    assert not late(pattern, container, change)


def test_what_no_pattern_has_looked_into_may_still_change() -> None:
    assert late("list", "EMPTY_LIST", ["NONE", "APPEND"])
    assert late("any", "EMPTY_DICT", ["NONE", "NONE", "SETITEM"])


def test_a_container_inside_of_another_that_was_looked_into_cannot_change_either() -> None:
    inner = [list_of(number(1)), put(1)]
    data = pickled(4, list_of(inner), put(0), "POP", reduce(KEEP, get(0)), "POP", get(1), "NONE", "APPEND")
    with pytest.raises(safepickle.Forbidden, match="judged"):
        safepickle.loads(data, policy=policy("{list: {list: int}}"))


def test_a_list_that_grew_since_it_was_copied_does_not_say_what_the_copy_holds() -> None:
    copied = [
        list_of(number(1)),
        put(0),
        "POP",
        called("set", get(0)),
        put(1),
        "POP",
        get(0),
        number(2),
        "APPEND",
        "POP",
    ]
    data = pickled(4, copied, reduce(KEEP, get(1)))
    for pattern in ("{length: [2, 9], of: set}", "{set: int}"):
        with pytest.raises(safepickle.Forbidden):
            safepickle.loads(data, policy=policy(pattern))
    assert safepickle.loads(data, policy=policy("set")) == [{1}]


def test_a_set_made_without_its_init_does_not_hold_what_it_was_given() -> None:
    listed = policy("{length: [1, 9], of: set}") | Policy.from_yaml("safepickle: 1\nallow:\n  builtins: [set]\n")
    data = pickled(4, reduce(KEEP, newobj(("GLOBAL", "builtins", "set"), list_of(number(1)))))
    with pytest.raises(safepickle.Forbidden):
        safepickle.loads(data, policy=listed)


# --- What an earlier load left ----------------------------------------------------------------------------------------
def after(first: Step, pattern: str) -> bool:
    """Whether a memo entry of an earlier load matches."""
    data = pickled(4, first, put(0)) + pickled(4, reduce(KEEP, get(0)))
    unpickler = safepickle.Unpickler(io.BytesIO(data), policy=policy(pattern))
    unpickler.load()
    try:
        unpickler.load()
    except safepickle.Forbidden:
        return False
    return True


def test_of_an_earlier_load_exact_scalars_and_names_are_known_and_nothing_else() -> None:
    for pattern, first in (
        ("str", text("x")),
        ("{is: 'x'}", text("x")),
        ("{int: [1, 2]}", number(1)),
        ("float", ("BINFLOAT", 1.0)),
        ("bytes", ("SHORT_BINBYTES", b"x")),
        ("none", "NONE"),
        ("{str: '[a-z]'}", text("x")),
        ("global", PLAIN),
        (f"{{global: {V}.Plain}}", PLAIN),
        ("any", list_of(number(1))),
        ("{length: [1, 1], of: str}", text("x")),
    ):
        assert after(first, pattern), pattern
    for pattern, first in (
        ("list", list_of(number(1))),
        ("{list: int}", list_of(number(1))),
        ("dict", "EMPTY_DICT"),
        ("set", "EMPTY_SET"),
        ("tuple", "EMPTY_TUPLE"),
        ("instance", INSTANCE),
        (f"{{instance: {V}.Plain}}", INSTANCE),
        ("[int]", tuple_of(number(1))),
        ("{length: [0, 9], of: any}", "EMPTY_LIST"),
        ("bytearray", ("BYTEARRAY8", b"x")),
        ("str", number(1)),
        ("int", "NEWTRUE"),
        ("frozenset", ["MARK", "FROZENSET"]),
    ):
        assert not after(first, pattern), pattern


def test_a_call_with_arguments_of_an_earlier_load_matches_no_signature() -> None:
    listed = Policy.from_yaml(
        f"safepickle: 1\nallow:\n  {V}:\n    - keep: {{use: [call], args: [[{{set: int}}]]}}\n    - Plain\n"
    )
    listed |= Policy.from_yaml("safepickle: 1\nallow:\n  builtins:\n    - set: {use: [call]}\n")
    data = pickled(4, tuple_of(list_of(text("x"))), put(0))
    data += pickled(4, reduce(KEEP, [("GLOBAL", "builtins", "set"), get(0), "REDUCE"]))
    unpickler = safepickle.Unpickler(io.BytesIO(data), policy=listed)
    unpickler.load()
    with pytest.raises(safepickle.Forbidden):
        unpickler.load()


# --- Cost -------------------------------------------------------------------------------------------------------------
@pytest.mark.skipif(core() == COMPILED, reason="replaces a constant and counts entries, which C does not show")
def test_what_is_remembered_of_patterns_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from safepickle import matching

    most = 0
    decide = matching.Matcher._decide

    def counted(self: matching.Matcher, pattern: Any, code: int) -> bool:
        nonlocal most
        most = max(most, len(self._decided))
        return decide(self, pattern, code)

    monkeypatch.setattr(matching, "_MOST_DECIDED", 20)
    monkeypatch.setattr(matching.Matcher, "_decide", counted)
    listed = Policy.from_yaml(
        f"safepickle: 1\nallow:\n  {V}:\n    - keep: {{use: [call], args: [[{{tuple: {{int: [0, 999]}}}}]]}}\n"
    )
    data = pickled(4, reduce(KEEP, tuple_of(*(number(each) for each in range(500)))))
    assert safepickle.loads(data, policy=listed) == [tuple(range(500))]
    assert 0 < most <= 20
    with pytest.raises(safepickle.Forbidden):
        safepickle.loads(pickled(4, reduce(KEEP, tuple_of(*map(number, [*range(500), 1000])))), policy=listed)


@pytest.mark.skipif(core() == COMPILED, reason="counts calls of a method, which can only be replaced uncompiled")
def test_a_large_value_is_looked_at_once_however_often_it_is_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0
    from safepickle.reader import Reader

    literal = Reader.literal

    def counted(self: Reader, at: int) -> Any:
        nonlocal reads
        reads += 1
        return literal(self, at)

    monkeypatch.setattr(Reader, "literal", counted)
    pattern = "[[[int], {length: {product: 0}, of: bytes}]]"
    shape = [tuple_of(number(1000)), put(0), "POP", ("BINBYTES", b"x" * 1000), put(1), "POP"]
    costs = []
    for count in (50, 100):
        reads = 0
        call = [reduce(KEEP, tuple_of(tuple_of(get(0), get(1)))), "POP"]
        safepickle.verify(pickled(4, shape, [call] * count, "NONE"), policy=policy(pattern))
        costs.append(reads - count)  # the shape's one number is read again each time
    assert costs[1] == costs[0] < 10


def test_numbers_that_collide_are_counted_without_colliding() -> None:
    keys = [number(each * (2**61 - 1)) for each in range(1, 20_001)]
    data = pickled(4, reduce(KEEP, dict_of(*((key, "NONE") for key in keys))))
    safepickle.verify(data, policy=policy("{length: [20000, 20000], of: dict}"))


def test_a_persistent_id_that_is_no_tuple_is_not_remembered_with_every_shape():
    """Of each of torch's there are more than a hundred: that was 20 KB for one byte of the stream."""
    policy = Policy.named("torch")
    safepickle.scan(b"(K\x01tQ.", policy=policy)
    tracemalloc.start()
    try:
        assert safepickle.scan(b"N" + b"Q" * 5000 + b".", policy=policy).verdict == "forbidden"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
