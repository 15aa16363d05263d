"""The reader of policies: documents that are read, those that are refused with every problem, and any text at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepickle.errors import PolicyError
from safepickle.policy import Policy
from safepickle.policy.document import LARGEST_FILE
from safepickle.policy.model import EVERY_VERB, Grant, PersistentShape
from safepickle.policy.parse import DEEPEST_INCLUDE
from safepickle.policy.patterns import (
    AnyOf,
    Fields,
    GlobalNamed,
    InstanceOf,
    IntRange,
    Is,
    Items,
    Length,
    LengthProduct,
    Regex,
    Shape,
    Word,
)

FOLDER = Path(__file__).parent / "data" / "policies"
GOOD = sorted((FOLDER / "good").rglob("*.yaml"))
BAD = sorted(path for path in (FOLDER / "bad").glob("*.yaml") if path.is_file())
HEAD = "safepickle: 1\n"


def errors_of(text: str | bytes, **options: str) -> tuple[str, ...]:
    with pytest.raises(PolicyError) as caught:
        Policy.from_yaml(text, **options)
    return caught.value.errors


def grants_of(text: str, module: str, name: str) -> tuple[Grant, ...]:
    return tuple(grant.conditions() for grant in Policy.from_yaml(HEAD + text).data.grants[module, name])


def pattern_of(text: str) -> object:
    [grant] = grants_of(f"allow: {{shop: [make, {{Cart: {{use: [build], state: {text}}}}}]}}", "shop", "Cart")
    return grant.state


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_the_folders_of_documents_are_not_empty():
    assert len(GOOD) >= 15
    assert len(BAD) >= 150
    assert {path.stem for path in BAD} == {path.stem for path in (FOLDER / "bad").glob("*.errors")}


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_document_is_read_and_reads_back_from_its_own_yaml(path):
    policy = Policy.from_file(path)
    assert Policy.from_yaml(policy.to_yaml()) == policy


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_document_is_refused_with_all_its_problems_and_their_places(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    with pytest.raises(PolicyError) as caught:
        Policy.from_file(path.name)
    assert list(caught.value.errors) == path.with_suffix(".errors").read_text("utf-8").splitlines()
    assert all(error in str(caught.value) for error in caught.value.errors)


# What the parts of the language mean


def test_a_plain_name_is_a_class_with_every_verb():
    assert grants_of("allow: {shop: [Cart]}", "shop", "Cart") == (Grant(EVERY_VERB, plain=True),)


def test_a_name_with_conditions_and_no_use_has_every_verb():
    [grant] = grants_of("allow: {shop: [{Cart: {native_state: true}}]}", "shop", "Cart")
    assert grant == Grant(EVERY_VERB, native_state=True, plain=True)


def test_every_condition_of_an_entry_is_read():
    text = """
allow:
  shop:
    - Cart:
        use: [new, build]
        args: [[], [int, rest]]
        kwargs: {size: int}
        state: none
        attributes: [items]
        base: builtins.object
        native_state: true
        then: build
        reason: why
"""
    policy = Policy.from_yaml(HEAD + text)
    assert policy.data.grants["shop", "Cart"] == (
        Grant(
            frozenset({"new", "build"}),
            args=(Shape(()), Shape((Word("int"),), rest=True)),
            kwargs=(("size", Word("int")),),
            state=Word("none"),
            attributes=frozenset({"items"}),
            base="builtins.object",
            native_state=True,
            then_build=True,
            reason="why",
            origin="<policy>:5",
        ),
    )


def test_a_name_listed_twice_has_both_grants_and_one_listed_twice_alike_has_one():
    text = """
allow:
  shop:
    - Cart: {use: [call], args: [[int]]}
    - Cart: {use: [new]}
    - Cart: {use: [new], reason: once more}
"""
    assert grants_of(text, "shop", "Cart") == (
        Grant(frozenset({"call"}), args=(Shape((Word("int"),)),)),
        Grant(frozenset({"new"})),
    )


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("int", Word("int")),
        ("{is: 0}", Is("int", 0)),
        ("{is: -1}", Is("int", -1)),
        ("{is: 1.5}", Is("float", 1.5)),
        ("{is: true}", Is("bool", True)),
        ("{is: null}", Is("none", None)),
        ("{is: 'null'}", Is("str", "null")),
        ('{is: "1"}', Is("str", "1")),
        ('{bytes: "\\xff"}', Is("bytes", b"\xff")),
        ("{bytes: no}", Is("bytes", b"no")),
        ("{str: '[a-z]{3}'}", Regex("[a-z]{3}")),
        (f"{{int: [-1, {10**40}]}}", IntRange(-1, 10**40)),
        ("{global: shop.make}", GlobalNamed("shop.make")),
        ("{instance: builtins.set}", InstanceOf("builtins.set")),
        ("{frozenset: int}", Items("frozenset", Word("int"))),
        (
            "{fields: {b: int, a: str, 'c?': any}}",
            Fields((("a", Word("str")), ("b", Word("int"))), (("c", Word("any")),)),
        ),
        ("{length: [1, 2], of: str}", Length(1, 2, Word("str"))),
        ("{any_of: [int, none]}", AnyOf((Word("int"), Word("none")))),
        ("[]", Shape(())),
        (
            "[tuple, {any_of: [none, {length: {product: 0}, of: list}]}]",
            Shape((Word("tuple"), AnyOf((Word("none"), LengthProduct(0, Word("list")))))),
        ),
    ],
)  # fmt: skip
def test_a_pattern_means_what_it_says(text, pattern):
    assert pattern_of(text) == pattern
    assert type(getattr(pattern_of(text), "value", None)) is type(getattr(pattern, "value", None))


def test_a_named_pattern_stands_for_its_pattern_wherever_it_is_written():
    text = """
patterns: {size: {any_of: [{pattern: number}, none]}, number: int}
allow: {shop: [{Cart: {use: [build], state: {list: {pattern: size}}}}]}
"""
    [grant] = grants_of(text, "shop", "Cart")
    assert grant.state == Items("list", AnyOf((Word("int"), Word("none"))))


def test_a_pattern_that_refers_to_a_moved_module_refers_to_the_new_one():
    text = "aliases: {old: new}\nallow: {new: [Cart], old: [{Box: {use: [build], state: {instance: old.Cart}}}]}"
    [grant] = grants_of(text, "new", "Box")
    assert grant.state == InstanceOf("new.Cart")


def test_persistent_shapes_say_what_they_make():
    text = "persistent: [[int, str], str, {id: int, makes: torch.nn.Linear.Inner}]\n"
    listed = "allow: {torch.nn: [Linear, Linear.Inner]}\n"
    assert Policy.from_yaml(HEAD + listed + text).data.persistent == (
        PersistentShape(Shape((Word("int"), Word("str")))),
        PersistentShape(Word("str")),
        PersistentShape(Word("int"), ("torch.nn", "Linear.Inner")),
    )


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("10 KiB", 10240), ("64MiB", 64 << 20), ("1 GiB", 1 << 30)])
def test_limits_of_bytes_can_have_a_unit(text, value):
    assert Policy.from_yaml(f"{HEAD}limits: {{bytes: {text}}}").named_limits == {"bytes": value}


def test_denying_a_name_of_python_2_denies_what_it_is_read_as():
    denied = Policy.from_yaml(HEAD + "deny: {__builtin__: [eval, xrange], os: [system]}").data.denied
    assert denied == {
        ("__builtin__", "eval"), ("builtins", "eval"),
        ("__builtin__", "xrange"), ("builtins", "range"), ("os", "system"),
    }  # fmt: skip


def test_denying_a_moved_name_denies_the_new_one():
    policy = Policy.from_yaml(HEAD + "aliases: {old: new}\nallow: {new: [Cart]}\ndeny: {old: [Cart]}")
    assert not policy.decide("new", "Cart", "call").allowed
    assert not policy.decide("old", "Cart", "call").allowed


def test_what_plain_grants_can_be_denied():
    policy = Policy.from_yaml(HEAD + "deny: {builtins: [set]}")
    assert not policy.decide("builtins", "set", "call").allowed
    assert policy.decide("builtins", "frozenset", "call").allowed


# Files


def test_an_included_file_adds_its_grants_denies_and_limits(tmp_path):
    inner = "allow: {bank: [Safe]}\ndeny: {shop: [Fraud]}\nlimits: {depth: 5, memo: 9}"
    write(tmp_path, "below/inner.yaml", HEAD + inner)
    path = write(tmp_path, "p.yaml", HEAD + "include: [below/inner.yaml]\nallow: {shop: [Fraud]}\nlimits: {depth: 7}")
    policy = Policy.from_file(path)
    assert policy.decide("bank", "Safe", "new").allowed
    assert not policy.decide("shop", "Fraud", "new").allowed
    assert policy.named_limits == {"depth": 5, "memo": 9}
    assert f"{tmp_path}{os.sep}below{os.sep}inner.yaml:2" in policy.decide("bank", "Safe", "new").reason


def test_text_can_include_files_only_with_a_folder(tmp_path):
    write(tmp_path, "team.yaml", HEAD + "allow: {team: [Player]}")
    text = HEAD + "include: [./team.yaml]"
    assert Policy.from_yaml(text, base=tmp_path).decide("team", "Player", "call").allowed
    assert errors_of(text) == ("<policy>:2:11: a text without a folder can include packaged policies only",)


@pytest.mark.skipif(sys.platform == "win32", reason="making symbolic links needs a privilege there")
def test_an_include_cannot_leave_its_folder_through_a_symbolic_link(tmp_path):
    outside = write(tmp_path, "outside.yaml", HEAD)
    folder = tmp_path / "folder"
    path = write(folder, "p.yaml", HEAD + "include: [./link.yaml, linked/outside.yaml]")
    (folder / "link.yaml").symlink_to(outside)
    (folder / "linked").symlink_to(tmp_path)
    with pytest.raises(PolicyError) as caught:
        Policy.from_file(path)
    assert len(caught.value.errors) == 2
    assert all("outside of the folder" in error for error in caught.value.errors)


@pytest.mark.skipif(sys.platform == "win32", reason="making symbolic links needs a privilege there")
def test_an_include_may_be_a_symbolic_link_within_its_folder(tmp_path):
    write(tmp_path, "data/team.yaml", HEAD + "allow: {team: [Player]}")
    (tmp_path / "team.yaml").symlink_to(tmp_path / "data" / "team.yaml")
    path = write(tmp_path, "p.yaml", HEAD + "include: [./team.yaml]")
    assert Policy.from_file(path).decide("team", "Player", "call").allowed


def test_an_included_file_may_not_include_what_is_above_it(tmp_path):
    write(tmp_path, "top.yaml", HEAD)
    write(tmp_path, "below/inner.yaml", HEAD + "include: [../top.yaml]")
    path = write(tmp_path, "p.yaml", HEAD + "include: [below/inner.yaml]")
    with pytest.raises(PolicyError, match="only files beside or below"):
        Policy.from_file(path)


def test_includes_go_so_deep_and_no_deeper(tmp_path):
    for depth in range(DEEPEST_INCLUDE):
        write(tmp_path, f"f{depth}.yaml", f"{HEAD}include: [f{depth + 1}.yaml]")
    write(tmp_path, f"f{DEEPEST_INCLUDE}.yaml", HEAD)
    assert Policy.from_file(tmp_path / "f1.yaml") == Policy.named("plain")
    with pytest.raises(PolicyError, match="levels deep"):
        Policy.from_file(tmp_path / "f0.yaml")


def test_files_that_include_each_other_many_times_are_each_read_once(tmp_path):
    for depth in range(12):
        write(tmp_path, f"f{depth}.yaml", f"{HEAD}include: [a{depth}.yaml, b{depth}.yaml]")
        for side in "ab":
            write(tmp_path, f"{side}{depth}.yaml", f"{HEAD}allow: {{{side}: [N{depth}]}}\ninclude: [f{depth + 1}.yaml]")
    write(tmp_path, "f12.yaml", HEAD)
    write(tmp_path, "f6.yaml", HEAD)  # 2**6 ways lead here
    assert Policy.from_file(tmp_path / "f0.yaml").decide("b", "N5", "new").allowed


@pytest.mark.parametrize("name", ["nowhere.yaml", ".", "a\0b.yaml"])
def test_a_file_that_cannot_be_read_is_a_policy_error(tmp_path, name):
    with pytest.raises(PolicyError, match="cannot be read"):
        Policy.from_file(tmp_path / name)


def test_a_file_has_a_megabyte_and_no_more():
    room = LARGEST_FILE - len(HEAD) - 1
    assert Policy.from_yaml(HEAD + "#" + "é" * (room // 2)) == Policy.named("plain")
    for text in (HEAD + "#" + "x" * (room + 1), (HEAD + "#" + "x" * (room + 1)).encode(), HEAD + "#" + "é" * room):
        [error] = errors_of(text)
        assert "a policy file may have 1048576 bytes" in error


def test_messages_show_what_they_quote_as_escapes_and_cut():
    [error] = errors_of(HEAD + 'allow: {"\\e[2J\\u202e": [Cart]}')
    assert error == "<policy>:2:9: '\\x1b[2J\\u202e' is no module name: names are dotted identifiers"
    [error] = errors_of(HEAD + f"allow: {{shop: ['{'x' * 5000}!']}}")
    assert len(error) < 200


def test_a_number_that_python_does_not_read_is_a_problem_like_any_other():
    [error] = errors_of(f"%YAML 1.{'9' * 5000}\n---\n{HEAD}")
    assert "not YAML" in error
    assert "digits" in errors_of(f"{HEAD}limits: {{depth: {'9' * 5000}}}")[0]


def test_long_chains_of_aliases_and_many_like_names_are_linear():
    chain = "".join(f"  a{number}: a{number + 1}\n" for number in range(3000))
    assert Policy.from_yaml(f"{HEAD}aliases:\n{chain}").data.aliases["a0"] == "a3000"
    with pytest.raises(PolicyError, match="leads back to itself"):
        Policy.from_yaml(f"{HEAD}aliases:\n{chain}  a3000: a0\n")
    assert len(grants_of(f"allow: {{a: [{'x, ' * 3000}]}}", "a", "x")) == 1


# Any text


WORDS = st.sampled_from([
    "safepickle: 1", "allow:", "\n  shop:", "\n    - Cart", "\n    - Cart: {use: [new]}", "deny: ", "include: [plain]",
    "limits: {depth: 3}", "patterns: {p: int}", "{pattern: p}", "args: [[", "]]", "{", "}", "[", "]", ": ", "- ", ", ",
    "&a ", "*a", "!!str ", "<<: *a", "'", '"', "#", "\n", "\n  ", "---", "...", "%YAML 1.1\n", "\\U0011ffff", "\\",
    "any",
    "rest", "is: ", "{int: [0, 1]}", "{str: '(a*)*'}", "\ufeff", "\0", "\r", "\u2028", "? ", "|", ">",
    "state: ", "9999999999", "no", "~", "\t", "@", "`",
])  # fmt: skip


def read_or_refuse(text: str | bytes) -> None:
    try:
        policy = Policy.from_yaml(text)
    except PolicyError:
        return
    assert Policy.from_yaml(policy.to_yaml()) == policy


@given(st.one_of(st.text(), st.binary()))
def test_any_text_is_a_policy_or_a_policy_error(text):
    read_or_refuse(text)


@given(st.lists(WORDS).map("".join))
def test_any_text_of_the_language_s_own_words_is_a_policy_or_a_policy_error(text):
    read_or_refuse(HEAD + text)


@given(st.sampled_from(GOOD), st.data())
def test_a_good_document_with_something_else_in_it_is_a_policy_or_a_policy_error(path, data):
    content = path.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 20)))
    read_or_refuse(content[:start] + data.draw(st.one_of(st.binary(max_size=4), WORDS.map(str.encode))) + content[end:])
