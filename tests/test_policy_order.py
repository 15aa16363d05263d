"""The order on patterns and grants: what is said to cover something does, held against the matcher."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safepickle.policy import Policy
from safepickle.policy.infer import shallow
from safepickle.policy.model import EVERY_VERB, VERBS, Grant, PolicyData, join
from safepickle.policy.order import covers, covers_shape, grant_covers, joined
from safepickle.policy.patterns import (
    ANY,
    WORDS,
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
    Pattern,
    Regex,
    Shape,
    Word,
)
from safepickle.reader import Reader
from safepickle.verifier import Options, Verifier
from tests.assembler import asm
from tests.test_policy import PATTERNS, SIGNATURES, grants

PLAIN = Policy.named("plain")
INT, STR, NONE = Word("int"), Word("str"), Word("none")

POOL: list[Pattern] = [
    *map(Word, sorted(WORDS)),
    *(IntRange(0, 9), IntRange(5, 5), IntRange(-9, 99), Is("int", 5), Is("int", 0), Is("bool", True), Is("none", None)),
    *(Is("str", "ab"), Is("str", ""), Is("bytes", b"ab"), Is("float", 0.0), Regex("[a-z]*"), Regex("ab")),
    *(Items(kind, item) for kind in ("list", "tuple", "set", "frozenset") for item in (INT, IntRange(0, 9), ANY)),
    *(DictItems(STR, INT), DictItems(STR, ANY), DictItems(Regex("[a-z]*"), IntRange(0, 9))),
    *(Fields((("ab", INT),), ()), Fields((), (("ab", INT),)), Fields((("ab", IntRange(0, 9)),), (("c", ANY),))),
    *(Length(0, 2, ANY), Length(0, 9, STR), Length(1, 2, Word("list")), Length(2, 2, Items("list", INT))),
    *(Shape((INT,)), Shape((INT, STR)), Shape((ANY, ANY)), Shape(()), Shape((IntRange(0, 9), Is("str", "ab")))),
    *(AnyOf((INT, STR)), AnyOf((IntRange(0, 9), NONE)), AnyOf((Word("list"), Word("tuple"), NONE))),
    *(GlobalNamed("tests.victims.Plain"), GlobalNamed("builtins.list"), InstanceOf("tests.victims.Plain")),
    *(Built("tests.victims.Plain"), Built("builtins.set"), Filled("tests.victims.Plain", Fields((), ()))),
    *(Filled("tests.victims.Plain", DictItems(STR, value)) for value in (INT, IntRange(0, 9), ANY)),
    *(InstanceOf("builtins.set"), Shape((Items("tuple", INT), LengthProduct(0, Word("list"))))),
]  # fmt: skip

LITERALS = [
    None, True, 0, 5, 9, -3, 300, 2**70, 0.0, 1.5, "", "ab", "abc", "AB", b"", b"ab", [], [5], [5, 6], [5, "x"], (),
    (5,), (5, "ab"), ("ab", 5), (5, 6), {}, {"ab": 5}, {"ab": 300}, {"ab": "x"}, {"ab": 5, "c": None}, {5: 5}, {5},
    {"x"}, set(), frozenset({5}), frozenset({"x"}), ((2,), [1, 2]), ((2,), [1]), ((), [1]),
]  # fmt: skip
VALUES = [
    *(pickle.dumps(value, 4)[2:-1] for value in LITERALS),
    pickle.dumps({5, 6}, 3)[2:-1],
    pickle.dumps(bytearray(b"ab"), 5)[2:-1],
    asm(("SHORT_BINSTRING", b"ab")),
    asm(("GLOBAL", "tests.victims", "Plain")),
    asm(("GLOBAL", "builtins", "list")),
    asm(("GLOBAL", "tests.victims", "Plain"), "EMPTY_TUPLE", "NEWOBJ"),
    *(
        asm(("GLOBAL", "tests.victims", "Plain"), "EMPTY_TUPLE", "NEWOBJ", ("SHORT_BINUNICODE", "a"), item, "SETITEM")
        for item in (("BININT1", 5), ("BININT1", 200), "NONE")
    ),
]


def admits(pattern: Pattern, value: bytes) -> bool:
    data = b"\x80\x04" + asm(("GLOBAL", "tests.victims", "record")) + value + asm("TUPLE1", "REDUCE", "STOP")
    record = Grant(frozenset({"call"}), args=(Shape((pattern,)),))
    rules = join(
        PLAIN.data,
        PolicyData(
            {("tests.victims", "record"): (record,), ("tests.victims", "Plain"): (Grant(EVERY_VERB, plain=True),)}
        ),
    )
    verifier = Verifier(Reader(data), rules, PLAIN.limits, Options(scanning=True))
    try:
        verifier.check()
    except pickle.UnpicklingError:
        assert all("arguments match no signature" in refusal.message for refusal in verifier.refusals)
        return False
    return True


def test_what_is_said_to_cover_admits_all_that_the_other_admits():
    admitted = [{number for number, value in enumerate(VALUES) if admits(pattern, value)} for pattern in POOL]
    proven = 0
    for wide, all_of_wide in zip(POOL, admitted, strict=True):
        for narrow, all_of_narrow in zip(POOL, admitted, strict=True):
            if covers(wide, narrow):
                assert all_of_narrow <= all_of_wide, (wide, narrow)
                proven += wide != narrow
    assert proven > 150
    assert len([found for found in admitted if found]) > 50


@settings(max_examples=30)
@given(PATTERNS)
def test_every_pattern_covers_itself_and_is_covered_by_any(pattern):
    assert covers(pattern, pattern)
    assert covers(ANY, pattern)


@settings(max_examples=30)
@given(PATTERNS, PATTERNS)
def test_alternatives_that_are_joined_cover_each_of_them(one, other):
    both = joined([one, other], 8)
    assert covers(both, one)
    assert covers(both, other)


@settings(max_examples=30)
@given(PATTERNS, st.integers(0, 3))
def test_a_shallower_pattern_covers_the_deeper_one(pattern, room):
    assert covers(shallow(pattern, room), pattern)


@settings(max_examples=10)
@given(st.lists(PATTERNS, min_size=3, max_size=3))
def test_covering_is_handed_on(three):
    for one in (*three, *POOL[::6]):
        for other in (*three, *POOL[::6]):
            for third in three:
                if covers(one, other) and covers(other, third):
                    assert covers(one, third) or isinstance(third, (AnyOf, Length)), (one, other, third)


@settings(max_examples=15)
@given(SIGNATURES)
def test_a_signature_covers_itself_and_one_with_further_arguments_covers_it(signature):
    assert covers_shape(signature, signature)
    assert covers_shape(signature._replace(rest=True), signature)
    assert signature.rest or not covers_shape(signature, signature._replace(rest=True))


@settings(max_examples=15)
@given(grants())
def test_a_grant_covers_itself_and_one_without_conditions_covers_it(grant):
    for verb in grant.verbs:
        assert grant_covers(grant, grant, verb)
        wide = Grant(EVERY_VERB, base=grant.base)
        assert grant_covers(wide, grant, verb)


@pytest.mark.parametrize(
    ("wide", "narrow", "verb", "expected"),
    [
        (Grant(EVERY_VERB), Grant(EVERY_VERB, args=(Shape((INT,)),)), "call", True),
        (Grant(EVERY_VERB, args=(Shape((INT,)),)), Grant(EVERY_VERB), "call", False),
        (Grant(EVERY_VERB, args=(Shape((INT,)),)), Grant(EVERY_VERB), "build", True),
        (Grant(EVERY_VERB, attributes=frozenset("ab")), Grant(EVERY_VERB, attributes=frozenset("a")), "build", True),
        (Grant(EVERY_VERB, attributes=frozenset("a")), Grant(EVERY_VERB, attributes=frozenset("ab")), "build", False),
        (Grant(EVERY_VERB, state=NONE), Grant(EVERY_VERB), "build", False),
        (Grant(EVERY_VERB, then_build=True), Grant(EVERY_VERB), "new", False),
        (Grant(EVERY_VERB), Grant(EVERY_VERB, then_build=True), "new", True),
        (Grant(EVERY_VERB), Grant(EVERY_VERB, base="datetime.tzinfo"), "new", False),
        (
            Grant(EVERY_VERB, args=(Shape(()),)),
            Grant(EVERY_VERB, args=(Shape(()),), kwargs=(("a", INT),)),
            "new",
            False,
        ),
        (Grant(EVERY_VERB, kwargs=(("a", INT),)), Grant(EVERY_VERB), "new", False),
        (Grant(EVERY_VERB, kwargs=(("a", INT),)), Grant(EVERY_VERB, kwargs=(("a", IntRange(0, 1)),)), "new", True),
    ],
)
def test_conditions_are_compared_for_the_verbs_that_they_are_about(wide, narrow, verb, expected):
    assert grant_covers(wide, narrow, verb) is expected
    assert verb in VERBS


def test_a_grant_of_fill_covers_another_where_what_it_lets_in_does():
    puts = (None, DictItems(STR, ANY), DictItems(STR, INT))
    free, wide, narrow = (Grant(frozenset({"fill"}), fill=put) for put in puts)
    covering = [(free, free), (free, wide), (free, narrow), (wide, wide), (wide, narrow), (narrow, narrow)]
    every = [(one, other) for one in (free, wide, narrow) for other in (free, wide, narrow)]
    assert [pair for pair in every if grant_covers(*pair, "fill")] == covering
