"""What is said at a glance is what the long way says, and has the same consequences."""

from __future__ import annotations

import contextlib
import pickletools
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

import safepickle
from safepickle import errors, glance, symbols
from safepickle.build import COMPILED, core
from safepickle.glance import View
from safepickle.limits import DEFAULTS
from safepickle.loading import MOST_LOOKED
from safepickle.policy.model import BUILD, CALL, EVERY_VERB, NEW, REFER, Grant, PolicyData
from safepickle.policy.patterns import (
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
from tests.packs import measuring

V: Final = victims.__name__
PLAIN: Final[Step] = ("GLOBAL", V, "Plain")
KEEP: Final[Step] = ("GLOBAL", V, "keep")
SLOTTED: Final[Step] = ("GLOBAL", V, "Slotted")
ANY: Final = Word("any")

uncompiled = pytest.mark.skipif(core() == COMPILED, reason="replaces methods, which can only be replaced uncompiled")


def outcome(data: bytes, policy: PolicyData) -> dict[str, Any]:
    """All that a pass finds out, and all that it leaves behind."""
    verifier = Verifier(Reader(data), policy, DEFAULTS, Options())
    try:
        verifier.run()
        said = ""
    except errors.UnpicklingError as error:
        said = f"{type(error).__name__}: {error}"
    heap = verifier.heap
    nodes = range(len(heap))
    held = [] if said else [heap.held(node) for node in nodes]
    return {
        "said": said,
        "refusals": [refusal.message for refusal in verifier.refusals],
        "work": (verifier._copy_work, verifier._hash_work),
        "depths": [heap.depth(node << symbols.SHIFT | symbols.MADE) for node in nodes],
        "frozen": [node for node in nodes if heap.is_frozen(node << symbols.SHIFT | symbols.MADE)],
        "uses": {symbol.dotted: symbol.uses for symbol in verifier.globals.values()},
        "made": [
            (each.origin.dotted, each.args, each.kwargs, each.state, each.size, each.built, each.called, each.fills)
            for each in held
            if isinstance(each, symbols.Made)
        ],
    }


def refusals(data: bytes, policy: PolicyData) -> list[str]:
    """What is refused, in either build."""
    verifier = Verifier(Reader(data), policy, DEFAULTS, Options())
    with contextlib.suppress(errors.Forbidden):
        verifier.run()
    return [refusal.message for refusal in verifier.refusals]


GLANCES: Final = {"_depth_at_a_glance": 0, "_is_built_at_a_glance": False, "_encoded_at_a_glance": 0}


def the_long_way(data: bytes, policy: PolicyData) -> dict[str, Any]:
    """`outcome`, where nothing is said at a glance."""
    with pytest.MonkeyPatch.context() as patch:
        for name, answer in GLANCES.items():
            patch.setattr(Verifier, name, lambda *_given, answer=answer: answer)
        return outcome(data, policy)


# -- Patterns and values -----------------------------------------------------------------------------------------------
SCALARS: Final = st.sampled_from([
    *map(Word, ("none", "bool", "int", "str", "bytes", "list", "tuple", "dict", "set", "any", "instance")),
    Is("none", None), Is("bool", True), Is("int", 1), Is("int", -5), Is("str", "a"), Is("bytes", b"ab"),
    Is("float", 1.5), Regex("[ab]+"), Regex("x.*"), IntRange(0, 10), IntRange(300, 1 << 40),
    Filled(f"{V}.Plain", Fields((), ())), Filled(f"{V}.Plain", Word("dict")), Filled(f"{V}.keep", Word("list")),
    Length(1, 2, Word("bytes")), Length(0, 1, Word("str")), Length(1, 2, Word("list")), Length(0, 1, Word("dict")),
    InstanceOf(f"{V}.Plain"), InstanceOf(f"{V}.keep"), Built(f"{V}.Plain"), GlobalNamed(f"{V}.Slotted"),
])  # fmt: skip
NAMES: Final = ("a", "b", "c")


def around(inner: st.SearchStrategy[Pattern]) -> st.SearchStrategy[Pattern]:
    """The patterns of containers."""
    fields = st.lists(st.tuples(st.sampled_from(NAMES), inner), max_size=3, unique_by=lambda pair: pair[0])
    return st.one_of(
        st.builds(Items, st.sampled_from(["list", "tuple", "set", "frozenset"]), inner),
        st.builds(DictItems, inner, inner),
        st.builds(
            lambda pairs, split: Fields(tuple(pairs[:split]), tuple(pairs[split:])), fields, st.integers(0, 3)
        ),
        st.builds(lambda items, rest: Shape(tuple(items), rest), st.lists(inner, max_size=3), st.booleans()),
        st.builds(lambda ways: AnyOf(tuple(ways)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda low, more, of: Length(low, low + more, of), st.integers(0, 2), st.integers(0, 2), inner),
        st.builds(LengthProduct, st.just(0), inner),
        st.builds(
            lambda name, key, value: Filled(f"{V}.{name}", DictItems(key, value)),
            st.sampled_from(["Plain", "keep"]),
            inner,
            inner,
        ),
    )


PATTERNS: Final = st.recursive(SCALARS, around, max_leaves=6)
LITERALS: Final = st.sampled_from([
    "NONE", "NEWTRUE", "NEWFALSE", number(0), number(1), number(-5), number(300), ("BININT", 1 << 30), text("a"),
    text("ab"), text("xyz"), text("b" * 200), ("SHORT_BINBYTES", b"ab"), ("SHORT_BINBYTES", b""), ("BINFLOAT", 1.5),
    ("SHORT_BINBYTES", b"abc"), ("BINUNICODE", "ab" * 400), ("BINBYTES", b"x" * 400), SLOTTED, PLAIN, newobj(PLAIN),
    build(newobj(PLAIN), dict_of((text("a"), number(1)))), reduce(KEEP, number(1)),
    [newobj(PLAIN), text("a"), number(1), "SETITEM"], [newobj(PLAIN), "MARK", "APPENDS"], newobj(PLAIN, number(1)),
])  # fmt: skip


def holding(inner: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    """Containers, and what is made of values."""
    some = st.lists(inner, max_size=3)
    keys = st.sampled_from([text(name) for name in NAMES])
    return st.one_of(
        some.map(lambda items: list_of(*items)),
        some.map(lambda items: tuple_of(*items)),
        st.lists(st.tuples(keys, inner), max_size=3).map(lambda pairs: dict_of(*pairs)),
        st.lists(st.tuples(st.sampled_from([number(1), number(300)]), inner), max_size=2).map(
            lambda pairs: dict_of(*pairs)
        ),
        st.lists(st.sampled_from([number(1), text("a")]), max_size=3).map(lambda items: set_of(*items)),
    )


VALUES: Final = st.recursive(LITERALS, holding, max_leaves=8)


def policy_of(ways: list[list[Pattern]], state: Pattern | None, *, must_build: bool = False) -> PolicyData:
    """`keep` may be called with these arguments and given that state; the rest is free."""
    signatures = tuple(Shape(tuple(items)) for items in (*ways, [IntRange(1, 1)]))
    grants = {
        (V, "keep"): (Grant(frozenset({REFER, CALL, BUILD}), args=signatures, state=state, then_build=must_build),),
        (V, "Plain"): (Grant(EVERY_VERB),),
        (V, "Slotted"): (Grant(frozenset({REFER, NEW, BUILD}), attributes=frozenset({"a", "b"})),),
    }
    return PolicyData(grants)


@uncompiled
@given(st.lists(st.lists(PATTERNS, min_size=1, max_size=2), min_size=1), PATTERNS, VALUES, VALUES, st.data())
def test_a_glance_says_what_the_long_way_says(
    ways: list[list[Pattern]], pattern: Pattern, value: Step, more: Step, data: st.DataObject
) -> None:
    policy = policy_of(ways, data.draw(st.sampled_from([None, pattern])), must_build=data.draw(st.booleans()))
    arguments = [value, more][: len(ways[0])]
    state = data.draw(st.sampled_from([more, tuple_of(value, more), tuple_of("NONE", dict_of((text("a"), value)))]))
    made = reduce(KEEP, *arguments)
    for steps in (
        [made],
        [build(made, state)],
        [build(newobj(SLOTTED), state)],
        [value, put(0), "POP", reduce(KEEP, *[get(0)] * len(arguments)), get(0), "NONE", "APPEND", "TUPLE2"],
    ):
        stream = pickled(4, *steps)
        assert outcome(stream, policy) == the_long_way(stream, policy), pickletools.dis(stream)


# -- What decides ------------------------------------------------------------------------------------------------------
def answers(pattern: Pattern, value: Step) -> list[int]:
    """What the glances at the calls of a stream with one call said: 0 for nothing."""
    seen: list[int] = []
    at_a_glance = Verifier._depth_at_a_glance

    def noted(*given: Any) -> int:
        seen.append(at_a_glance(*given))
        return seen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Verifier, "_depth_at_a_glance", noted)
        # The last bytes of the input are read more warily than those before them.
        outcome(pickled(4, reduce(KEEP, value)) + bytes(16), policy_of([[pattern]], None))
    return seen


EMPTY: Final = Filled(f"{V}.Plain", Fields((), ()))


def yes_and_no() -> Iterator[tuple[Pattern, Step, Step]]:
    """Patterns that are decided at a glance: one value that matches, one that does not."""
    yield Word("int"), number(3), text("a")
    yield IntRange(0, 10), number(10), number(11)
    yield AnyOf((Is("bool", False), Is("int", 0))), "NEWFALSE", "NEWTRUE"
    yield AnyOf((Is("int", 0), Is("int", 1))), number(1), number(2)
    yield Is("str", "abc"), text("abc"), text("abd")
    yield Is("bytes", b"b"), ("SHORT_BINBYTES", b"b"), ("SHORT_BINBYTES", b"bb")
    yield Regex("[CF]"), text("C"), text("K")
    yield GlobalNamed(f"{V}.Plain"), PLAIN, SLOTTED
    yield Length(0, 2, Items("tuple", IntRange(0, 5))), tuple_of(number(1), number(2)), tuple_of(number(1), number(6))
    yield Items("list", Word("int")), list_of(number(1)), list_of(text("a"))
    yield DictItems(Word("str"), Word("int")), dict_of((text("a"), number(1))), dict_of((number(1), number(1)))
    yield Fields((("a", Word("int")),), (("b", ANY),)), dict_of((text("a"), number(1))), dict_of((text("b"), number(1)))
    yield Shape((Word("int"), Shape((Word("str"),)))), tuple_of(number(1), tuple_of(text("a"))), tuple_of(number(1))
    yield Length(0, 1, Word("list")), list_of(text("a")), list_of(text("a"), text("b"))
    yield Regex("[ab]+"), text("abba"), text("abbax")
    yield Length(1, 2, Word("bytes")), ("SHORT_BINBYTES", b"ab"), ("SHORT_BINBYTES", b"abc")
    yield Length(2, 3, Word("bytes")), ("SHORT_BINBYTES", b"ab"), ("SHORT_BINBYTES", b"a")
    yield AnyOf((IntRange(0, 3), IntRange(10, 20))), number(2), number(5)
    yield AnyOf((IntRange(0, 3), IntRange(4, 9))), number(9), number(10)
    yield Built(f"{V}.Plain"), build(newobj(PLAIN), dict_of((text("a"), number(1)))), newobj(PLAIN)
    yield InstanceOf(f"{V}.Plain"), newobj(PLAIN), newobj(SLOTTED)
    yield EMPTY, newobj(PLAIN), [newobj(PLAIN), text("a"), number(1), "SETITEM"]
    yield EMPTY, newobj(PLAIN), build(newobj(PLAIN), dict_of((text("a"), number(1))))
    yield EMPTY, newobj(PLAIN), newobj(PLAIN, number(1))
    yield AnyOf((Word("none"), EMPTY)), newobj(PLAIN), newobj(SLOTTED)


@uncompiled
@pytest.mark.parametrize(("pattern", "good", "bad"), [*yes_and_no()])
def test_what_policies_ask_for_is_decided_at_a_glance(pattern: Pattern, good: Step, bad: Step) -> None:
    assert answers(pattern, good)[-1]
    assert not answers(pattern, bad)[-1]
    assert not outcome(pickled(4, reduce(KEEP, good)), policy_of([[pattern]], None))["refusals"]
    assert outcome(pickled(4, reduce(KEEP, bad)), policy_of([[pattern]], None))["refusals"]


CHANGED: Final = [get(0), "NONE", "APPEND", "TUPLE2"]
FILLED: Final = [get(0), text("a"), "NONE", "SETITEM", "TUPLE2"]


@uncompiled
@pytest.mark.parametrize(
    ("ways", "value", "change"),
    [
        ([[AnyOf((Items("list", Word("str")), Word("list")))]], list_of(number(1)), CHANGED),
        ([[Length(5, 9, Items("set", ANY))], [Word("set")]], set_of(number(1)),
         [get(0), "MARK", "NONE", "ADDITEMS", "TUPLE2"]),
        ([[Items("list", Word("int"))], [Word("list")]], list_of(number(1)), CHANGED),
        ([[AnyOf((Length(3, 9, Items("set", ANY)), Items("list", ANY)))], [Word("list")]], list_of(number(1)), CHANGED),
        ([[EMPTY]], newobj(PLAIN), FILLED),
        ([[AnyOf((EMPTY, InstanceOf(f"{V}.Plain")))]], newobj(PLAIN), FILLED),
        ([[AnyOf((EMPTY, Word("instance")))]], newobj(PLAIN), FILLED),
        ([[AnyOf((EMPTY, ANY))]], newobj(PLAIN), FILLED),
        ([[AnyOf((Filled(f"{V}.Plain", DictItems(ANY, ANY)), Built(f"{V}.Plain")))]],
         build(newobj(PLAIN), dict_of((text("a"), number(1)))), FILLED),
        ([[AnyOf((Filled(f"{V}.Plain", Fields((("a", ANY),), ())), Word("instance")))]], newobj(PLAIN), FILLED),
    ],
)  # fmt: skip
def test_what_was_looked_into_on_the_way_to_a_yes_cannot_change_any_more(
    ways: list[list[Pattern]], value: Step, change: Step
) -> None:
    stream = pickled(4, value, put(0), "POP", reduce(KEEP, get(0)), change)
    policy = policy_of(ways, None)
    said = outcome(stream, policy)
    assert [message for message in said["refusals"] if "after the policy judged" in message]
    assert said == the_long_way(stream, policy)


@pytest.mark.parametrize(("key", "passes"), [("a", True), ("b", True), ("c", False)])
def test_no_other_attributes_are_set_at_a_glance(key: str, passes: bool) -> None:
    for state in (dict_of((text(key), number(1))), dict_of((text("a"), number(1)), (text(key), number(2)))):
        stream = pickled(4, build(newobj(SLOTTED), state))
        assert bool(refusals(stream, policy_of([], None))) is not passes


def test_what_must_be_built_is_refused_without_its_state_also_at_a_glance() -> None:
    policy = policy_of([[Word("int")]], None, must_build=True)
    made = reduce(KEEP, number(5))
    assert not refusals(pickled(4, build(made, tuple_of(number(1)))), policy)
    for half_made in (made, build(made, "NONE"), tuple_of(build(made, tuple_of(number(1))), made)):
        [said] = refusals(pickled(4, half_made), policy)
        assert "never given its state" in said


def test_a_grant_that_asks_for_no_state_is_enough() -> None:
    """What both of two grants admit needs a state only if both say `then: build`."""
    verbs = frozenset({REFER, CALL, BUILD})
    asks = Grant(verbs, args=(Shape((Word("int"),)), Shape((Word("str"),))), then_build=True)
    lets = Grant(verbs, args=(Shape((Word("int"),)),))
    for grants in ((asks, lets), (lets, asks)):
        policy = PolicyData({(V, "keep"): grants})
        assert not refusals(pickled(4, reduce(KEEP, number(5))), policy)
        assert refusals(pickled(4, reduce(KEEP, text("a"))), policy)


@uncompiled
@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (Items("list", ANY), list_of(*[number(1)] * 300)),  # more than a question looks at
        (Items("tuple", Items("tuple", ANY)), tuple_of(*[tuple_of(*[number(1)] * 60)] * 10)),
        (Regex("a*"), ("BINUNICODE", "a" * 300)),
        (Word("int"), ("LONG1", 1 << 900)),
        (Length(0, 5, Items("set", ANY)), set_of(number(1))),
        (Filled(f"{V}.Plain", DictItems(ANY, Word("int"))), [newobj(PLAIN), text("a"), number(1), "SETITEM"]),
        (Filled(f"{V}.Plain", Fields((("a", ANY),), ())), newobj(PLAIN)),
        (LengthProduct(0, ANY), list_of()),
    ],
)
def test_what_is_no_short_question_goes_the_long_way(pattern: Pattern, value: Step) -> None:
    stream = pickled(4, reduce(KEEP, value))
    policy = policy_of([[pattern]], None)
    assert outcome(stream, policy) == the_long_way(stream, policy)


def test_what_a_stream_may_do_depends_on_no_stream_before_it() -> None:
    policy = safepickle.Policy.from_yaml(
        f"safepickle: 1\nallow:\n  {V}:\n    - keep: {{use: [call], args: [[{{list: int}}], [list]]}}\n"
    )
    late = pickled(4, list_of(number(1)), put(0), "POP", reduce(KEEP, get(0)), get(0), "NONE", "APPEND", "TUPLE2")
    texts = pickled(4, reduce(KEEP, list_of(text("a"))))
    for _ in range(5):
        with pytest.raises(safepickle.Forbidden, match="after the policy judged"):
            safepickle.verify(late, policy=policy)
        safepickle.verify(texts, policy=policy)


@uncompiled
def test_a_glance_costs_no_more_than_it_may_look_at() -> None:
    """A tree of shared tuples is as wide as it likes: the question ends."""
    steps: list[Step] = [tuple_of(*[number(1)] * 10), put(0), "POP"]
    pattern: Pattern = Items("tuple", Word("int"))
    for level in range(1, 4):
        steps += [tuple_of(*[get(level - 1)] * 10), put(level), "POP"]
        pattern = Items("tuple", pattern)
    looked = 0

    class Counted(View):
        @property
        def left(self) -> int:
            return self._left

        @left.setter
        def left(self, value: int) -> None:
            nonlocal looked
            looked += 1
            self._left = value

    stream = pickled(4, *steps, build(reduce(KEEP, number(1)), get(3)))
    verifier = Verifier(Reader(stream), policy_of([], pattern), DEFAULTS, Options())
    verifier._view = Counted(verifier.heap)
    verifier.run()
    assert not verifier.refusals
    assert 10 < looked < 2 * MOST_LOOKED


def test_a_pattern_is_prepared_once_and_an_equal_one_by_itself() -> None:
    one, same = Shape((IntRange(0, 3),)), Shape((IntRange(0, 3),))
    assert glance.arguments_of(one) is glance.arguments_of(one)
    assert glance.arguments_of(one) is not glance.arguments_of(same)
    assert glance.value_of(one.items[0]) is glance.value_of(one.items[0])
    for bound in range(3 * glance._MOST_PREPARED):
        glance.value_of(Is("int", bound))
        glance.arguments_of(Shape((IntRange(0, bound),)))
    assert len(glance._values) <= glance._MOST_PREPARED
    assert len(glance._arguments) <= glance._MOST_PREPARED


# -- What the packs ask for --------------------------------------------------------------------------------------------
@uncompiled
@pytest.mark.parametrize("pack", ["numpy", "pandas", "scipy", "sklearn"])
def test_what_libraries_wrote_is_judged_alike_both_ways(pack: str) -> None:
    policy = safepickle.Policy.named(pack).data
    streams = [one.data for one in measuring.carried(pack)][::3]
    assert len(streams) > 10
    for data in streams:
        assert outcome(data, policy) == the_long_way(data, policy)
