"""What a new policy admits that the old one did not, and the reverse."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safepickle.policy import Policy
from safepickle.policy.diff import CHANGED, GAINED, KINDS, LOST, MORE, NARROWED, WIDENED, diff
from tests import strategies
from tests.test_policy import policies

HEAD = "safepickle: 1\n"
REVERSE = {GAINED: LOST, LOST: GAINED, WIDENED: NARROWED, NARROWED: WIDENED, CHANGED: CHANGED}


def read(text: str) -> Policy:
    return Policy.from_yaml(HEAD + text)


def told(old: str, new: str) -> list[str]:
    return [str(difference) for difference in diff(read(old), read(new))]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", []),
        ("", "allow: {shop: [Cart]}", ["gained shop.Cart: new, call, build, fill (<policy>:2)"]),
        ("allow: {shop: [Cart]}", "", ["lost shop.Cart: new, call, build, fill (<policy>:2)"]),
        ("", "allow: {shop: [make: {use: [call]}]}", ["gained shop.make: call (<policy>:2)"]),
        (
            "",
            "allow: {shop: [make: {use: [call], args: [[str]]}]}",
            ["gained shop.make: call: args: [[str]] (<policy>:2)"],
        ),
        (
            "allow: {shop: [make: {use: [call], args: [[str]]}]}",
            "allow: {shop: [make: {use: [call]}]}",
            ["widened shop.make: call: args: [[str]] -> without conditions (<policy>:2)"],
        ),
        (
            "allow: {shop: [make: {use: [call], args: [[str], [int]]}]}",
            "allow: {shop: [make: {use: [call], args: [[{int: [0, 9]}]]}]}",
            ["narrowed shop.make: call: args: [[str], [int]] -> args: [[{int: [0, 9]}]] (<policy>:2)"],
        ),
        (
            "allow: {shop: [make: {use: [call], args: [[str]]}]}",
            "allow: {shop: [make: {use: [call], args: [[int]]}]}",
            ["changed shop.make: call: args: [[str]] -> args: [[int]] (<policy>:2)"],
        ),
        (
            "allow: {shop: [Cart]}",
            "allow: {shop: [Cart: {attributes: [a]}]}",
            ["narrowed shop.Cart: build: without conditions -> attributes: [a] (<policy>:2)"],
        ),
        ("allow: {shop: [Cart]}", "allow: {shop: [Cart]}\ndeny: {shop: [Cart]}",
         ["lost shop.Cart: new, call, build, fill (<policy>:2)"]),
        ("", "accept: [buffers]", ["gained accept: buffers"]),
        ("limits: {depth: 9}", "limits: {depth: 12}", ["widened limits: depth: 9 -> 12"]),
        ("", "limits: {bytes: 9}", ["narrowed limits: bytes: no limit -> 9"]),
        ("", "limits: {copy_work: 9}", ["changed limits: copy_work: by the length -> 9"]),
        ("persistent: [str]", "persistent: [str, int]", ["widened persistent: shapes: str -> str, int"]),
        ("persistent: [str]", "", ["widened persistent: shapes: str -> any shape"]),
        ("", "aliases: {old: shop}", ["gained aliases: old: shop"]),
        ("allow: {shop: [Cart, make: {use: [call]}]}", "allow: {shop: [make: {use: [call], reason: x}, Cart]}", []),
    ],
)  # fmt: skip
def test_each_kind_of_difference_is_told_in_one_line(old, new, expected):
    assert told(old, new) == expected


def test_a_name_that_moves_to_another_file_is_no_difference(tmp_path):
    (tmp_path / "shop.yaml").write_text(HEAD + "allow: {shop: [Cart]}\n")
    (tmp_path / "all.yaml").write_text(HEAD + "include: [./shop.yaml]\n")
    assert diff(read("allow: {shop: [Cart]}"), Policy.from_file(tmp_path / "all.yaml")) == ()


def test_the_unrestricted_policy_grants_everything():
    [difference] = diff(read(""), Policy.unrestricted())
    assert (difference.kind, difference.what) == (GAINED, "everything")


@settings(max_examples=8)
@given(policies())
def test_a_policy_does_not_differ_from_itself(policy):
    assert diff(policy, policy) == ()
    assert diff(policy, Policy.from_yaml(policy.to_yaml())) == ()


@settings(max_examples=8)
@given(policies(), policies())
def test_the_reverse_of_a_difference_is_the_difference_of_the_reverse(one, other):
    there = sorted((REVERSE[found.kind], found.what, found.detail) for found in diff(one, other))
    back = sorted((found.kind, found.what, found.detail) for found in diff(other, one))
    assert there == back


@settings(max_examples=8)
@given(policies(), policies())
def test_joining_takes_away_only_by_denies_and_limits(one, other):
    try:
        both = one | other
    except ValueError:
        return
    for found in diff(one, both):
        if found.kind in {LOST, NARROWED}:
            assert other.data.denied or found.what in {"limits", "persistent", "aliases"}


@settings(max_examples=8)
@given(policies(), policies())
def test_policies_that_differ_in_what_they_admit_differ_here(one, other):
    kinds = {found.kind for found in diff(one, other)}
    assert kinds <= set(KINDS)
    if not kinds:
        assert {name for name in one.data.grants if name not in one.data.denied} == {
            name for name in other.data.grants if name not in other.data.denied
        }


@settings(max_examples=8)
@given(st.data())
def test_whatever_is_told_is_one_printable_line(data):
    one, other = (Policy.from_yaml(data.draw(strategies.documents())) for _ in range(2))
    for found in diff(one, other):
        assert str(found).isprintable()
        assert (found.kind in MORE) == (found.kind in {GAINED, WIDENED, CHANGED})
