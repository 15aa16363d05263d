"""The Policy value: its laws, its normal form, where policies come from, and what `plain` admits."""

from __future__ import annotations

import copy
import io
import os
import pickle
import subprocess
import sys
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safepickle.errors import PolicyError
from safepickle.limits import DEFAULTS, FIELDS
from safepickle.policy import ENVIRONMENT, Policy, constructor, constructors, document, model, packaged, resolve_policy
from safepickle.policy.freeze import frozen
from safepickle.policy.model import ACCEPTABLE, VERBS, Grant, PersistentShape, PolicyData, join, settled
from safepickle.policy.parse import Library, Source
from safepickle.policy.patterns import (
    WORDS,
    AnyOf,
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
from tests import victims

ROOT = Path(__file__).parent.parent
STREAMS = sorted((Path(__file__).parent / "data" / "policies" / "streams").glob("*.pickle"))
HEAD = "safepickle: 1\n"
SHOP = Policy.from_yaml(HEAD + "allow: {shop: [Cart, {make: {use: [call]}}]}\nlimits: {depth: 9}")
BANK = Policy.from_yaml(HEAD + "allow: {bank: [Safe]}\ndeny: {shop: [Cart]}\nlimits: {depth: 7, memo: 5}")

# Policies of every kind

NAMES = [("shop", "Cart"), ("shop", "Cart.Item"), ("shop.deep", "make"), ("no", "on"), ("bank", "Σafe")]
DOTTED = [".".join(name) for name in NAMES]
TEXTS = st.text(max_size=6)
IDENTIFIERS = st.sampled_from(["name", "size", "_Cart__owner", "no", "é"])
INTS = st.integers(-(2**70), 2**70)


def ranged(of: st.SearchStrategy[Any], low: int, high: int) -> st.SearchStrategy[Any]:
    return st.tuples(of, st.integers(low, high)).map(lambda pair: (pair[0], pair[0] + pair[1]))


LITERALS = st.one_of(
    st.builds(Is, st.just("none"), st.none()),
    st.builds(Is, st.just("bool"), st.booleans()),
    st.builds(Is, st.just("int"), INTS),
    st.builds(Is, st.just("float"), st.floats(allow_nan=False)),
    st.builds(Is, st.just("str"), TEXTS),
    st.builds(Is, st.just("bytes"), st.binary(max_size=6)),
)
LEAVES: st.SearchStrategy[Pattern] = st.one_of(
    st.sampled_from(sorted(WORDS)).map(Word),
    LITERALS,
    st.sampled_from(["[a-z]{3}", "a\"b'#: ", "", "é+"]).map(Regex),
    ranged(INTS, 0, 2**65).map(lambda pair: IntRange(*pair)),
    st.sampled_from(DOTTED).map(GlobalNamed),
    st.sampled_from(DOTTED).map(InstanceOf),
)


def pairs(keys: st.SearchStrategy[str], values: st.SearchStrategy[Pattern]) -> st.SearchStrategy[Any]:
    return st.dictionaries(keys, values, max_size=3).map(lambda found: tuple(sorted(found.items())))


def fields(pattern: st.SearchStrategy[Pattern]) -> st.SearchStrategy[Fields]:
    keys = TEXTS.map(lambda text: text.rstrip("?"))
    both = st.tuples(pairs(keys, pattern), pairs(keys, pattern))
    return both.map(lambda pair: Fields(pair[0], tuple(item for item in pair[1] if item[0] not in dict(pair[0]))))


def deeper(pattern: st.SearchStrategy[Pattern]) -> st.SearchStrategy[Pattern]:
    some = st.lists(pattern, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Items, st.sampled_from(["list", "tuple", "set", "frozenset"]), pattern),
        st.builds(DictItems, pattern, pattern),
        fields(pattern),
        st.tuples(ranged(st.integers(0, 9), 0, 9), pattern).map(lambda pair: Length(*pair[0], pair[1])),
        some.map(AnyOf),
        st.lists(pattern, max_size=3).map(lambda items: Shape(tuple(items))),
        some.map(lambda items: Shape((*items, LengthProduct(0, Word("list"))))),
        st.builds(Filled, st.sampled_from(DOTTED), put_in(pattern)),
    )


def put_in(pattern: st.SearchStrategy[Pattern]) -> st.SearchStrategy[Pattern]:
    return st.one_of(
        st.sampled_from(["list", "dict", "set"]).map(Word),
        st.builds(Items, st.sampled_from(["list", "set"]), pattern),
        st.builds(DictItems, pattern, pattern),
        fields(pattern).map(lambda found: Fields((), found.optional)),
    )


PATTERNS = st.recursive(LEAVES, deeper, max_leaves=6)
SIGNATURES = st.builds(Shape, st.lists(PATTERNS, max_size=3).map(tuple), st.booleans())


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    plain = draw(st.booleans())
    verbs = frozenset(VERBS) if plain else draw(st.frozensets(st.sampled_from(VERBS), min_size=1))
    new, build = "new" in verbs, "build" in verbs
    maybe = lambda of, when: draw(st.none() | of) if when else None  # noqa: E731 - five lines instead of fifteen
    return Grant(
        verbs,
        args=maybe(st.lists(SIGNATURES, min_size=1, max_size=3, unique=True).map(tuple), new or "call" in verbs),
        kwargs=maybe(pairs(IDENTIFIERS, PATTERNS), new),
        state=maybe(PATTERNS, build),
        attributes=maybe(st.frozensets(IDENTIFIERS), build),
        fill=maybe(put_in(PATTERNS), "fill" in verbs),
        base=maybe(st.sampled_from(DOTTED), new),
        native_state=draw(st.booleans()),
        then_build=build and draw(st.booleans()),
        plain=plain,
        reason=draw(TEXTS),
    )


SHAPES = st.builds(PersistentShape, PATTERNS, st.none() | st.sampled_from(NAMES))
OLD_NAMES = {"old_shop": "shop", "older_shop": "old_shop"}


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    listed = {name: (Grant(frozenset({"refer"})),) for name in NAMES}  # so that every reference is to a listed name
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=2)):
        listed[name] += (draw(grants()),)
    data = PolicyData(
        listed,
        denied=draw(st.frozensets(st.sampled_from([*NAMES, ("old_shop", "Cart"), ("builtins", "set")]))),
        aliases={old: OLD_NAMES[old] for old in draw(st.sets(st.sampled_from(sorted(OLD_NAMES))))},
        persistent=draw(st.none() | st.lists(SHAPES, max_size=3).map(tuple)),
        accept=draw(st.frozensets(st.sampled_from(ACCEPTABLE))),
        named_limits=draw(st.dictionaries(st.sampled_from(FIELDS), st.integers(1, 2**63 - 1), max_size=3)),
        description=draw(TEXTS),
    )
    return Policy(join(packaged.load_plain(), settled(data)))


@settings(max_examples=60)
@given(policies())
def test_a_policy_reads_back_from_its_own_yaml(policy):
    again = Policy.from_yaml(policy.to_yaml())
    assert again == policy
    assert again.digest == policy.digest
    assert again.description == policy.description
    assert again.to_yaml() == Policy.from_yaml(again.to_yaml()).to_yaml()


# Laws


@settings(max_examples=30)
@given(policies(), policies())
def test_a_union_has_no_order(left, right):
    assert left | right == right | left
    assert (left | right).digest == (right | left).digest


@settings(max_examples=20)
@given(policies(), policies(), policies())
def test_a_union_of_unions_is_one_union(first, second, third):
    assert (first | second) | third == first | (second | third)


@settings(max_examples=30)
@given(policies())
def test_a_union_with_itself_or_with_plain_adds_nothing(policy):
    assert policy | policy == policy
    assert policy | Policy.named("plain") == policy


@settings(max_examples=30)
@given(policies(), policies())
def test_a_union_denies_what_either_denies_and_grants_what_either_grants(left, right):
    both = left | right
    for module, name in {*left.data.grants, *right.data.grants}:
        for verb in VERBS:
            allowed = {policy.decide(module, name, verb).allowed for policy in (left, right)}
            denied = any(key in both.data.denied for key in [(both.data.aliases.get(module, module), name)])
            assert both.decide(module, name, verb).allowed == (any(allowed) and not denied) or denied


@settings(max_examples=30)
@given(policies(), policies())
def test_a_union_has_the_tightest_of_each_named_limit(left, right):
    both = left | right
    for field in FIELDS:
        named = [policy.named_limits[field] for policy in (left, right) if field in policy.named_limits]
        assert getattr(both.limits, field) == (min(named) if named else getattr(DEFAULTS, field))


@settings(max_examples=30)
@given(policies(), policies())
def test_policies_are_equal_exactly_if_their_digests_are(left, right):
    assert (left == right) == (left.digest == right.digest)
    assert left != right or hash(left) == hash(right)


def test_deny_wins_over_every_allow():
    assert SHOP.decide("shop", "Cart", "new").allowed
    assert not (SHOP | BANK).decide("shop", "Cart", "new").allowed
    assert not (BANK | SHOP | SHOP).decide("shop", "Cart", "new").allowed
    assert (SHOP | BANK).named_limits == {"depth": 7, "memo": 5}


def test_denying_a_class_does_not_deny_what_is_in_it():
    policy = Policy.from_yaml(HEAD + "allow: {shop: [Cart, Cart.Item]}\ndeny: {shop: [Cart]}")
    assert policy.decide("shop", "Cart.Item", "new").allowed


def test_a_decision_says_why():
    assert SHOP.decide("shop", "make", "call").reason == "shop.make is granted call by <policy>:2"
    assert SHOP.decide("shop", "make", "new").reason == "shop.make is listed for call, not for new"
    assert SHOP.decide("shop", "other", "refer").reason == "shop.other is not listed"
    assert BANK.decide("shop", "Cart", "refer").reason == "shop.Cart is denied by <policy>:3"
    assert SHOP.decide("shop", "make", "refer").grants == SHOP.data.grants["shop", "make"]
    with pytest.raises(ValueError, match="verb must be one of"):
        SHOP.decide("shop", "make", "eat")


def test_aliases_that_contradict_each_other_cannot_be_joined():
    left = Policy.from_yaml(HEAD + "aliases: {a: b, b: c}")
    assert (left | Policy.from_yaml(HEAD + "aliases: {a: b}")).data.aliases == {"a": "c", "b": "c"}
    assert (Policy.from_yaml(HEAD + "aliases: {a: b}") | left).data.aliases == {"a": "c", "b": "c"}
    with pytest.raises(PolicyError, match="the alias a means c in one policy and d in the other"):
        left | Policy.from_yaml(HEAD + "aliases: {a: d}")
    with pytest.raises(PolicyError, match="leads back to itself"):
        left | Policy.from_yaml(HEAD + "aliases: {c: a}")


def test_an_alias_of_another_policy_moves_grants_denies_and_the_names_in_patterns():
    text = "allow: {old: [A, {B: {use: [build, new], state: {instance: old.A}, base: old.A}}]}\ndeny: {old: [C]}\n"
    policy = Policy.from_yaml(HEAD + text + "persistent: [{id: {global: old.A}, makes: old.A}]")
    moved = policy | Policy.from_yaml(HEAD + "aliases: {old: new}")
    listed_anew = (text + "persistent: [{id: {global: old.A}, makes: old.A}]").replace("old", "new")
    assert moved == Policy.from_yaml(HEAD + listed_anew + "\naliases: {old: new}")
    assert not moved.decide("old", "C", "refer").allowed


# The normal form


def test_what_is_for_people_only_is_no_part_of_a_policy_s_identity():
    text = "description: one\nallow: {shop: [{Cart: {use: [new, call], args: [[int], [str]], reason: a}}, Item]}"
    other = """
description: two
allow:
  shop:
    - Item
    - Cart: {reason: b, args: [[str], [int], [str]], use: [call, new]}
"""
    assert Policy.from_yaml(HEAD + text) == Policy.from_yaml(HEAD + other)
    assert hash(Policy.from_yaml(HEAD + text)) == hash(Policy.from_yaml(HEAD + other))


DIGESTS: dict[str, str] = {}  # of the documents so far


@pytest.mark.parametrize(
    "text",
    [
        "allow: {shop: [Cart]}", "allow: {shop: [Cart.Item]}", "allow: {shop.Cart: [Item]}", "deny: {shop: [Cart]}",
        "allow: {shop: [{Cart: {use: [refer, new, call, build, fill]}}]}", "allow: {shop: [{Cart: {use: [new]}}]}",
        "allow: {shop: [{Cart: {native_state: true}}]}", "allow: {shop: [{Cart: {args: [[]]}}]}",
        "allow: {shop: [{Cart: {args: [[int]]}}]}", "allow: {shop: [{Cart: {args: [[rest]]}}]}",
        "allow: {shop: [{Cart: {args: [[{is: 1}]]}}]}", "allow: {shop: [{Cart: {args: [[{is: true}]]}}]}",
        "allow: {shop: [{Cart: {args: [[{is: 1.0}]]}}]}", "allow: {shop: [{Cart: {args: [[{is: '1'}]]}}]}",
        "allow: {shop: [{Cart: {args: [[{is: 0.0}]]}}]}", "allow: {shop: [{Cart: {args: [[{is: -0.0}]]}}]}",
        "allow: {shop: [{Cart: {args: [[{bytes: '1'}]]}}]}", "allow: {shop: [{Cart: {args: [[{str: '1'}]]}}]}",
        "allow: {shop: [{Cart: {kwargs: {}}}]}", "allow: {shop: [{Cart: {attributes: []}}]}",
        "allow: {shop: [{Cart: {then: build}}]}", "allow: {shop: [{Cart: {base: builtins.object}}]}",
        "allow: {shop: [{Cart: {state: {fields: {a: int}}}}]}",
        "allow: {shop: [{Cart: {state: {fields: {'a?': int}}}}]}",
        "persistent: []", "persistent: [str]", "persistent: [{id: str, makes: builtins.object}]", "accept: [buffers]",
        "limits: {depth: 1000}", "limits: {memo: 1000}", "aliases: {a: b}", "description: plain",
    ],
)  # fmt: skip
def test_policies_that_say_different_things_have_different_digests(text):
    digest = Policy.from_yaml(HEAD + text).digest
    assert DIGESTS.setdefault(digest, text) == text
    assert (digest == Policy.named("plain").digest) == (text == "description: plain")


def test_the_digest_is_the_same_in_every_process_and_version():
    text = """
allow:
  shop:
    - Cart: {use: [new, build], args: [[int, {is: 1.5}, {bytes: "\\xff"}]], attributes: [a, b, c], native_state: true}
    - make: {use: [call], args: [[{fields: {a: {any_of: [int, none]}, 'b?': {int: [-5, 99999999999999999999]}}}]]}
deny: {a: [b, c, d], e: [f]}
aliases: {x: y, z: y}
persistent: [{id: [{is: 'storage'}, global], makes: shop.Cart}]
accept: [extensions, buffers]
limits: {depth: 200, bytes: 64 MiB}
"""
    # Changes only together with `normal.FORM` or with what plain grants.
    digest = "04e966e25d6bf8a5356269275501b857f5b41bf20ba9b783cb27ce3f55d8ff0f"
    assert Policy.from_yaml(HEAD + text).digest == digest
    program = f"from safepickle.policy import Policy; print(Policy.from_yaml({HEAD + text!r}).digest)"
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == digest


def test_a_policy_cannot_be_changed():
    for name in ("data", "limits", "anything"):
        with pytest.raises(AttributeError):
            setattr(SHOP, name, None)
    with pytest.raises(AttributeError):
        del SHOP.data
    with pytest.raises(TypeError):
        SHOP.data.grants["os", "system"] = ()
    given = {("shop", "Cart"): (Grant(frozenset({"new"})),)}
    policy = Policy(PolicyData(given))
    given["os", "system"] = (Grant(frozenset(VERBS)),)
    assert not policy.decide("os", "system", "call").allowed


def test_a_policy_can_be_copied_and_sent_to_another_process():
    for policy in (SHOP, Policy.unrestricted(), Policy.named("plain")):
        assert copy.deepcopy(policy) == copy.copy(policy) == pickle.loads(pickle.dumps(policy)) == policy


def test_limits_have_the_defaults_filled_in():
    assert SHOP.limits == DEFAULTS._replace(depth=9)
    assert SHOP.named_limits == {"depth": 9}


# The unrestricted policy


def test_the_unrestricted_policy_grants_everything_and_mixes_with_nothing():
    policy = Policy.unrestricted()
    assert all(policy.decide("os", "system", verb).allowed for verb in VERBS)
    assert policy.is_unrestricted
    assert policy != SHOP
    assert policy.digest != SHOP.digest
    for mixed in (lambda: policy | SHOP, lambda: SHOP | policy, policy.to_yaml):
        with pytest.raises(PolicyError):
            mixed()


# Packaged policies


def test_plain_as_a_literal_is_plain_as_a_file():
    """`python -m safepickle.policy.freeze` makes the literal anew."""
    assert packaged.load_file("plain", PolicyData({})) == packaged.load_plain()
    assert (ROOT / "safepickle" / "policy" / "_plain.py").read_text("utf-8") == frozen()


@pytest.mark.parametrize("name", Policy.names())
def test_both_parsers_of_pyyaml_read_a_packaged_file_alike(name):
    text = (ROOT / "policies" / f"{name}.yaml").read_text("utf-8")
    trees = []
    for ours in (False, True):
        found = []
        trees.append(document.read(text, document.Problems("", found), ours=ours))
        assert not found
    assert trees[0] == trees[1]


@pytest.mark.parametrize("name", Policy.names())
def test_every_packaged_policy_reads_back_and_stands_on_plain(name):
    policy = Policy.named(name)
    # By the parser in C: the one in Python takes seconds for the largest, and reads back policies of any kind above.
    library = Library(packaged.load, packaged.names, packaged.load_plain())
    written = policy.to_yaml()
    assert len(written) < 300_000, "what is printed can be a file: the longest document has 1 MiB"
    data = library.load_text(written, Source("again.yaml", ours=True))
    assert Policy(join(packaged.load_plain(), data)) == policy
    assert policy | Policy.named("plain") == policy
    assert policy.description
    assert Policy.named(name) is policy


LONG = "{any_of: [" + ", ".join(f"{{global: shop.module.Name{number}}}" for number in range(9)) + "]}"


def test_a_long_pattern_that_stands_in_several_places_is_written_once():
    entries = ", ".join(f"f{number}: {{use: [call], args: [[{{list: {LONG}}}]]}}" for number in range(50))
    names = ", ".join(f"Name{number}" for number in range(9))
    policy = Policy.from_yaml(f"safepickle: 1\nallow: {{shop.module: [{names}], shop: [{entries}]}}")
    written = policy.to_yaml()
    assert written.count("{global: shop.module.Name8}") == 1
    assert Policy.from_yaml(written) == policy
    assert Policy.from_yaml(written).to_yaml() == written


@pytest.mark.parametrize(
    "arguments",
    [
        "[{any_of: [{is: 0.0}, {is: LONG}]}], [{any_of: [{is: -0.0}, {is: LONG}]}]",  # equal, and not the same
        "[[{tuple: int}, {length: {product: 0}, of: {list: {is: LONG}}}]]",  # of the tuple that it stands in
    ],
)
def test_a_pattern_that_cannot_stand_elsewhere_is_written_where_it_stands(arguments):
    said = f"{{use: [call], args: [{arguments.replace('LONG', repr('text' * 20))}]}}"
    policy = Policy.from_yaml(f"safepickle: 1\nallow: {{shop: [f: {said}, g: {said}]}}")
    assert policy.to_yaml().count("product") == said.count("product") * 2
    assert Policy.from_yaml(policy.to_yaml()) == policy


def test_the_names_of_packaged_policies_are_those_of_the_files():
    assert list(Policy.names()) == sorted(path.stem for path in (ROOT / "policies").glob("*.yaml"))
    with pytest.raises(PolicyError, match="did you mean 'plain'"):
        Policy.named("plian")
    for name in ("", "../policies/plain", "plain.yaml", "plain\0"):
        with pytest.raises(PolicyError):
            Policy.named(name)


def test_every_packaged_policy_of_a_library_is_one_that_advice_knows():
    assert {*packaged.LIBRARIES.values()} == {*packaged.names()} - {"plain", "stdlib"}
    for root, name in packaged.LIBRARIES.items():
        assert any(module.partition(".")[0] == root for module, _ in packaged.load(name).grants), root


def test_threads_that_ask_for_a_packaged_policy_at_once_all_get_it(monkeypatch):
    monkeypatch.setattr("safepickle.policy._named", {})
    monkeypatch.setattr(packaged, "_read", {})
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: Policy.named(Policy.names()[-1]), range(8)))) == 1


def test_the_default_policy_needs_no_yaml():
    program = (
        "import sys; from safepickle.policy import resolve_policy as r; "
        "assert not r().decide('os', 'system', 'call').allowed; assert r().limits.depth; r('plain').digest; "
        "print({'yaml', 're', 'logging'} & {*sys.modules})"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), ENVIRONMENT: ""}
    command = [sys.executable, "-S", "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "yaml" not in done.stdout


# What plain admits


class Made(NamedTuple):
    """What a listed callable would have given."""

    name: model.Name


class Reference(NamedTuple):
    """A global, which notes what it is called with."""

    name: model.Name
    calls: list[tuple[model.Name, tuple[Any, ...]]]

    def __call__(self, *arguments: Any) -> Any:
        self.calls.append((self.name, arguments))
        return b"" if self.name in {("_codecs", "encode"), ("builtins", "bytes")} else Made(self.name)


class Recorder(pickle.Unpickler):
    """Reads a stream and makes nothing."""

    def __init__(self, stream: bytes) -> None:
        super().__init__(io.BytesIO(stream))
        self.names: list[model.Name] = []
        self.calls: list[tuple[model.Name, tuple[Any, ...]]] = []

    def find_class(self, module: str, name: str) -> Any:
        module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        self.names.append((module, name))
        return Reference((module, name), self.calls)


def matches(pattern: Pattern, value: Any) -> bool:
    match pattern:
        case Word("any"):
            return True
        case Word(kind):
            return type(value).__name__.replace("NoneType", "none") == kind
        case Is(_, wanted):
            return type(value) is type(wanted) and value == wanted
        case Items(kind, item):
            return type(value).__name__ == kind and all(matches(item, inner) for inner in value)
        case IntRange(low, high):
            return type(value) is int and low <= value <= high
        case GlobalNamed(dotted):
            return isinstance(value, Reference) and ".".join(value.name) == dotted
    raise AssertionError(pattern)


def admits(name: model.Name, arguments: tuple[Any, ...]) -> bool:
    decision = Policy.named("plain").decide(*name, "call")
    return decision.allowed and any(
        len(shape.items) == len(arguments) and all(map(matches, shape.items, arguments))
        for grant in decision.grants
        for shape in grant.args or ()
    )


VALUES = [
    set(), {1, 2}, frozenset(), frozenset([1]), bytearray(), bytearray(b"a\xff"), b"", b"a\xff", 1j, complex(1, -2),
    range(3), range(1, 10, 3), range(10**30), slice(1), slice("a", None, [1]), Ellipsis, NotImplemented, type(None),
    type(Ellipsis), type(NotImplemented), list, dict, tuple, str, int, float, object, bool,
]  # fmt: skip


def written() -> dict[str, bytes]:
    here = {f"this-{protocol}": pickle.dumps(VALUES, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)}
    return {path.stem: path.read_bytes() for path in STREAMS} | here


def test_there_are_streams_of_old_pythons():
    assert [path.stem for path in STREAMS] == [
        "python-2.7-protocol-0", "python-2.7-protocol-2", "python-3.6-protocol-0", "python-3.6-protocol-2",
        "python-3.6-protocol-3", "python-3.6-protocol-4",
    ]  # fmt: skip


@pytest.mark.parametrize("stream", written().values(), ids=written())
def test_plain_admits_what_python_writes_for_built_in_types(stream):
    recorder = Recorder(stream)
    recorder.load()
    assert len(recorder.names) >= 5
    helper = ("_codecs", "encode")
    plain = Policy.named("plain")
    assert [name for name in recorder.names if name != helper and not plain.decide(*name, "refer").allowed] == []
    assert [call for call in recorder.calls if call[0] != helper and not admits(*call)] == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("bytearray", (10**11,)), ("bytearray", ("a", "utf-16")), ("bytearray", ("a", "latin-1", "strict")),
        ("bytearray", ([1],)), ("bytes", (10**11,)), ("bytes", ([256],)), ("bytes", ([True],)),
        ("bytes", ("a", "latin-1")),
        ("set", (Made(("builtins", "range")),)), ("set", ("abc",)), ("frozenset", ({},)), ("frozenset", ([], [])),
        ("complex", ("1e400000000",)), ("complex", (1, 2)), ("range", (10**11,)), ("range", (0, 1, True)),
        ("range", (0, 1, 1.5)), ("slice", ()), ("slice", (1,)), ("type", ("C", (), {})), ("type", (1,)), ("type", ()),
        ("list", ([],)), ("list", (Made(("builtins", "range")),)), ("tuple", ([],)), ("dict", ()), ("str", (b"a", "x")),
        ("int", ("9" * 10**4,)), ("float", ("1",)), ("object", ()), ("bool", (1,)), ("eval", ("1",)),
        ("getattr", ({}, "get")),
    ],
)  # fmt: skip
def test_plain_admits_no_other_arguments(name, arguments):
    assert not admits(("builtins", name), arguments)


def test_plain_lets_nothing_be_built_filled_or_made_without_init():
    for (module, name), listed in Policy.named("plain").data.grants.items():
        assert module == "builtins", name
        assert all(grant.verbs in ({"call"}, {"refer"}) for grant in listed)
        assert all(grant.args is not None for grant in listed if "call" in grant.verbs)


# The argument `policy`


def test_a_policy_is_itself_and_names_are_their_union():
    assert resolve_policy(SHOP) is SHOP
    assert resolve_policy("plain") is resolve_policy("plain")
    assert resolve_policy(" plain , plain") == Policy.named("plain")
    assert resolve_policy([SHOP, BANK]) == resolve_policy((BANK, (SHOP, "plain"))) == SHOP | BANK


def test_a_path_is_a_file_and_a_str_never_is(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP.to_yaml(), "utf-8")
    assert resolve_policy(path) == resolve_policy([path]) == SHOP
    for text in (str(path), "shop.yaml", "./shop", "plain,shop.yml"):
        with pytest.raises(PolicyError, match=r"pathlib\.Path"):
            resolve_policy(text)


@pytest.mark.parametrize("name", ["", ",", "plain,", "plain;plain", "PLAIN"])
def test_names_that_there_are_not_are_policy_errors(name):
    with pytest.raises(PolicyError):
        resolve_policy(name)


@pytest.mark.parametrize("spec", [1, b"plain", {"plain"}, object(), [None], [1], True, Path])
def test_anything_else_is_a_type_error(spec):
    with pytest.raises(TypeError):
        resolve_policy(spec)


def test_an_empty_list_names_no_policy():
    with pytest.raises(PolicyError):
        resolve_policy([])


def test_none_is_what_the_environment_names_and_plain_without_it(tmp_path, monkeypatch):
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert resolve_policy() is resolve_policy(None) is Policy.named("plain")
    monkeypatch.setenv(ENVIRONMENT, "")
    assert resolve_policy() is Policy.named("plain")
    (tmp_path / "shop.yaml").write_text(SHOP.to_yaml(), "utf-8")
    monkeypatch.chdir(tmp_path)
    for named in ("shop.yaml", "./shop.yaml", str(tmp_path / "shop.yaml")):
        monkeypatch.setenv(ENVIRONMENT, named)
        assert resolve_policy() == SHOP
    for named in ("nowhere.yaml", "nowhere", "./plain"):
        monkeypatch.setenv(ENVIRONMENT, named)
        with pytest.raises(PolicyError):
            resolve_policy()


def test_a_file_that_changed_in_place_is_read_again_though_its_times_and_size_are_the_same(tmp_path):
    inner, outer = tmp_path / "inner.yaml", tmp_path / "outer.yaml"
    inner.write_text(HEAD + "allow: {shop: [Cart]}", "utf-8")
    outer.write_text(HEAD + "include: [inner.yaml]", "utf-8")
    first = resolve_policy(outer)
    assert resolve_policy(outer) is first
    before = inner.stat()
    inner.write_text(HEAD + "allow: {shop: [Trap]}", "utf-8")
    os.utime(inner, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert inner.stat().st_size == before.st_size
    second = resolve_policy(outer)
    assert not second.decide("shop", "Cart", "new").allowed
    assert second.decide("shop", "Trap", "new").allowed
    inner.unlink()
    with pytest.raises(PolicyError):
        resolve_policy(outer)


@pytest.mark.skipif(sys.platform == "win32", reason="making symbolic links needs a privilege there")
def test_an_include_that_became_a_link_out_of_its_folder_is_refused_though_its_bytes_are_the_same(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    outside, inner, outer = tmp_path / "outside.yaml", folder / "inner.yaml", folder / "outer.yaml"
    for path in (outside, inner):
        path.write_text(HEAD, "utf-8")
    outer.write_text(HEAD + "include: [inner.yaml]", "utf-8")
    resolve_policy(outer)
    inner.unlink()
    inner.symlink_to(outside)
    with pytest.raises(PolicyError, match="outside of the folder"):
        resolve_policy(outer)


# Policies from live objects


class Basket:
    """Found where it says."""

    class Item:
        """Likewise."""

    @classmethod
    def of_one(cls) -> Basket:
        return cls()

    def hidden(self) -> None:
        """Not reached as a function that a stream could name safely: still a plain attribute of the class."""


class Liar:
    """Says that it is another class."""


Liar.__qualname__ = "Basket"


def make() -> Basket:
    return Basket()


def renamed_later() -> None:
    """Is not found under its name."""


kept, renamed_later = renamed_later, make


def test_classes_are_listed_with_every_verb_and_functions_for_calls():
    policy = Policy.of(Basket, Basket.Item, make, Basket.of_one)
    assert policy == Policy.from_yaml(
        f"{HEAD}allow:\n"
        f"  {__name__}: [Basket, Basket.Item, {{make: {{use: [call]}}}}, {{Basket.of_one: {{use: [call]}}}}]"
    )


def test_the_verbs_of_live_objects_can_be_given():
    policy = Policy.of(Basket, make, use=["refer", "new"])
    assert policy.decide(__name__, "make", "new").allowed
    assert not policy.decide(__name__, "Basket", "call").allowed
    assert Policy.of(Basket, use="new") == Policy.of(Basket, use={"new"})
    for use in ((), ["eat"], "cal"):
        with pytest.raises(PolicyError):
            Policy.of(Basket, use=use)


def local_class() -> type:
    class Local:
        """Has no importable name."""

    return Local


UNLISTABLE = [
    lambda: None, local_class(), Liar, kept, Basket(), 3, "text", None, sys, len.__call__, Basket.__init__, [].append,
    Basket().of_one.__func__.__get__, pickle.Unpickler.__dict__,
]  # fmt: skip


@pytest.mark.parametrize("live", UNLISTABLE, ids=lambda live: type(live).__name__)
def test_what_has_no_name_of_its_own_cannot_be_listed(live):
    with pytest.raises(PolicyError):
        Policy.of(live)


def test_what_is_registered_as_a_constructor_may_be_called_and_nothing_else():
    assert constructor(make) is make
    assert constructors().decide(__name__, "make", "call").allowed
    assert not constructors().decide(__name__, "make", "new").allowed
    assert (constructors() | SHOP).decide(__name__, "make", "call").allowed
    assert not SHOP.decide(__name__, "make", "call").allowed


@pytest.mark.parametrize("live", [lambda: None, local_class(), 3, None, sys], ids=lambda live: type(live).__name__)
def test_what_has_no_name_of_its_own_is_no_constructor(live):
    before = constructors()
    with pytest.raises(PolicyError):
        constructor(live)
    assert constructors() == before


def test_making_and_asking_policies_imports_nothing_that_they_name():
    sys.modules.pop("tests.tripwire", None)
    policy = Policy.from_yaml(HEAD + "allow: {tests.tripwire: [touched]}\naliases: {older: tests.tripwire}")
    assert policy.decide("older", "touched", "call").allowed
    Policy.from_yaml((policy | SHOP).to_yaml())
    assert "tests.tripwire" not in sys.modules
    assert "import of tests.tripwire" not in victims.RAN
