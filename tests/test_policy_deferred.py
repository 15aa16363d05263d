"""Packaged policies are read in parts, as names are asked for, and say the very same as when they are read at once."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from safepickle import Policy, PolicyError
from safepickle.policy import document, packaged, parse
from safepickle.policy.deferred import Deferred, Later
from safepickle.policy.model import CALL, Grant, PolicyData, join, settled
from safepickle.policy.parse import Library, Source

LIBRARIES = [name for name in Policy.names() if name != packaged.PLAIN]
TEXT = """safepickle: 1
deny:
  shop: [Denied]
patterns:
  small: {int: [0, 9]}
allow:
  # a comment
  shop:
    - Cart
    - Denied
    - size: {use: [call], args: [[{pattern: small}]]}   # once
    - size:
        use: [call]
        args:
          - [str]
  bank.vault:
    - Key: {use: [refer]}
limits: {depth: 9}
"""


def read(text, *, whole):
    library = Library(packaged.load, packaged.names, packaged.load_plain())
    return library.load_text(text, Source("ours.yaml", ours=True, whole=whole))


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_packaged_file_says_in_parts_what_it_says_as_a_whole(name):
    """Names, their order, grants, reasons, and the lines that they stand in."""
    parts = packaged.load_file(name, packaged.load_plain(), whole=False)
    whole = packaged.load_file(name, packaged.load_plain(), whole=True)
    assert type(parts.grants) is Deferred
    assert list(parts.grants) == list(whole.grants)
    assert parts._replace(grants=dict(parts.grants)) == whole._replace(grants=dict(whole.grants))


def test_a_document_says_in_parts_what_it_says_as_a_whole():
    parts, whole = read(TEXT, whole=False), read(TEXT, whole=True)
    assert type(parts.grants) is Deferred
    assert type(whole.grants) is dict
    assert parts == whole
    assert [grant.origin for grant in parts.grants["shop", "size"]] == ["ours.yaml:11", "ours.yaml:12"]


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("    - Cart\n", "    - [Cart]\n"),
        TEXT.replace("  bank.vault:\n", "  shop:\n"),
        TEXT.replace("  bank.vault:\n    - Key: {use: [refer]}\n", "  bank.vault: [Key]\n"),
        TEXT.replace("    - Cart\n", "    - 'Cart'\n"),
        TEXT.replace("    - Cart\n", "   - Cart\n"),
        TEXT.replace("allow:\n", "allow:\n\tshop: [Cart]\n"),
        TEXT + "allow:\n  desk: [Lamp]\n",
        "safepickle: 1\nallow: {shop: [Cart]}\n",
        "safepickle: 1\n",
        "{safepickle: 1, allow: {shop: [Cart]}}\n",
    ],
)
def test_what_is_laid_out_in_another_way_is_read_as_a_whole(text):
    def outcome(*, whole):
        try:
            return read(text, whole=whole)
        except PolicyError as error:
            return str(error)

    assert document.split(text) is None or type(outcome(whole=False)) is str
    assert outcome(whole=False) == outcome(whole=True)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (("size:\n        use: [call]", "size:\n        use: [run]"), 13),
        (("Cart\n", "Cart: {kwargs: {a: nonsense}}\n"), 9),
        (("{pattern: small}", "{pattern: smal}"), 11),
        (("small: {int: [0, 9]}", "small: {int: [9, 0]}"), 5),
        (("    - Cart\n", '    - Cart: "\n    - Lamp: "\n'), 9),
    ],
)
def test_an_error_in_a_part_is_raised_whenever_a_name_of_it_is_asked_for_and_nothing_is_granted(wrong, line):
    assert wrong[0] in TEXT
    policy = Policy(read(TEXT.replace(*wrong), whole=False))
    for _ in range(2):
        with pytest.raises(PolicyError, match=f"^ours.yaml:{line}:"):
            policy.decide("shop", "Cart", CALL)
    assert not policy.decide("os", "system", CALL).allowed


def test_a_name_that_its_section_lacks_is_an_error():
    text = "safepickle: 1\nallow:\n  shop:\n    - Cart: {reason: 'a\n    - Lamp\n     '}\n"
    data = read(text, whole=False)
    assert ("shop", "Lamp") in data.grants
    with pytest.raises(PolicyError, match=r"^ours.yaml:3:1: what is listed here is not what it seems to be"):
        data.grants["shop", "Cart"]


def test_only_what_is_asked_for_is_read(monkeypatch):
    taken = []

    def read_section(section, problems):
        taken.append(section.text.split(":")[0].strip())
        return document.read_section(section, problems)

    monkeypatch.setattr(parse, "read_section", read_section)
    policy = Policy(join(packaged.load_plain(), read(TEXT, whole=False)))
    assert ("shop", "Cart") in policy.data.grants
    assert len(policy.data.grants) == len(packaged.load_plain().grants) + 4
    assert not policy.decide("shop", "Lamp", CALL).allowed
    assert not policy.decide("shop", "Denied", CALL).allowed
    assert taken == []
    assert policy.decide("shop", "size", CALL).allowed
    assert policy.decide("shop", "Cart", CALL).allowed
    assert taken == ["patterns", "shop"]


def test_joined_policies_keep_each_grant_once_and_read_it_once():
    data = read(TEXT, whole=False)
    again = join(data, data)
    assert type(again.grants) is Deferred
    assert again.grants["shop", "size"] is data.grants["shop", "size"]
    more = Grant(frozenset({CALL}), reason="more")
    other = PolicyData({("shop", "size"): (more,)})
    for left, right in ((data, other), (other, data)):
        eager = [one._replace(grants=dict(one.grants)) for one in (left, right)]
        assert join(left, right) == join(*eager)
        assert len(join(left, right).grants["shop", "size"]) == 3
        assert join(join(left, right), left) == join(left, right)


def test_where_a_module_has_moved_references_to_it_follow_in_what_is_read_later_too():
    text = TEXT.replace("[str]", "[{instance: shop.Cart}]")
    moved = PolicyData({}, aliases={"shop": "store"})
    parts, whole = (join(moved, read(text, whole=whole)) for whole in (False, True))
    assert parts == whole
    assert parts.grants["store", "size"][1].args[0].items[0].dotted == "store.Cart"
    assert settled(parts) == parts


def test_threads_that_ask_for_the_same_name_at_once_all_get_its_grants():
    data = read(TEXT, whole=False)
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: data.grants["shop", "size"], range(8)))) == 1


def test_a_grant_that_is_read_later_is_read_once():
    taken = []
    later = Later(lambda: (taken.append(1), (Grant(frozenset({CALL})),))[1])
    assert later.grants() is later.grants()
    assert taken == [1]


def test_a_scan_without_a_policy_reads_little_of_the_packaged_ones():
    """What a report is not asked for, the digest of its policy, is not computed: it needs every grant."""
    program = (
        "from safepickle import scan; from safepickle.policy import document, parse; sections = []; "
        "read = parse.read_section; parse.read_section = lambda *given: (sections.append(1), read(*given))[1]; "
        "report = scan(b'cdecimal\\nDecimal\\n(V1.5\\ntR.'); "
        "print(report.verdict, len(sections) < 9, len(report.policy))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["pass", "True", "64"]


@pytest.mark.parametrize("interrupting", [RecursionError, MemoryError, KeyboardInterrupt])
@pytest.mark.parametrize("place", ["_pattern_of", "_resolve", "_listed", "_entries"])
def test_what_interrupts_the_reading_says_nothing_of_the_file(monkeypatch, interrupting, place):
    """A stack that was nearly full once must not make a policy unreadable for as long as the process lives."""
    nested = TEXT.replace("patterns:\n", "patterns:\n  outer: {list: {pattern: small}}\n")
    nested = nested.replace("[str]", "[{pattern: outer}]")
    whole = read(nested, whole=True)
    original = getattr(parse._Document, place)
    for step in range(1, 9):
        parts = read(nested, whole=False)
        calls = iter(range(1, 1000))

        def interrupted(*given, calls=calls, step=step, **named):
            if next(calls) == step:
                raise interrupting
            return original(*given, **named)

        with monkeypatch.context() as patch:
            patch.setattr(parse._Document, place, interrupted)
            for name in parts.grants:
                with contextlib.suppress(interrupting):
                    parts.grants[name]
        assert dict(parts.grants) == whole.grants


@pytest.mark.parametrize("raised", [RecursionError, MemoryError])
def test_a_parser_without_room_is_no_mistake_in_the_document(monkeypatch, raised):
    def stream(_builder):
        raise raised

    with monkeypatch.context() as patch:
        patch.setattr(document._Builder, "_stream", stream)
        for ours in (True, False):
            with pytest.raises(raised):
                document.read(TEXT, document.Problems("some.yaml"), ours=ours)


def test_what_else_a_parser_raises_is_said_of_the_document_whichever_parser_it_is(monkeypatch):
    def stream(_builder):
        raise OverflowError

    with monkeypatch.context() as patch:
        patch.setattr(document._Builder, "_stream", stream)
        for ours in (True, False):
            problems = document.Problems("some.yaml")
            assert document.read(TEXT, problems, ours=ours) is None
            assert [problem.message[:8] for problem in problems.found] == ["not YAML"]
