"""Why a verb of a name is granted or not: which file, which line, under which conditions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from safepickle.policy import Policy
from safepickle.policy.explain import explain
from safepickle.policy.model import VERBS
from tests.test_policy import policies

TEXT = """\
safepickle: 1
allow:
  shop:
    - Cart
    - make: {use: [call], args: [[str]], reason: carts before 2020}
    - make: {use: [call], args: [[int]]}
    - gone
  a.b: [C]
  a: [b.C]
deny:
  shop:
    - gone
aliases: {old_shop: shop}
"""
POLICY = Policy.from_yaml(TEXT)


def told(name: str) -> list[str]:
    return [line for answer in explain(POLICY, name) for line in answer.lines()]


def test_each_verb_has_an_answer_with_its_line():
    assert told("shop.make") == [
        "shop make: refer granted: shop.make is granted refer by <policy>:5, <policy>:6",
        "  <policy>:5: reason: carts before 2020",
        "shop make: new refused: shop.make is listed for call, not for new",
        "shop make: call granted: shop.make is granted call by <policy>:5, <policy>:6",
        "  <policy>:5: args: [[str]]",
        "  <policy>:5: reason: carts before 2020",
        "  <policy>:6: args: [[int]]",
        "shop make: build refused: shop.make is listed for call, not for build",
        "shop make: fill refused: shop.make is listed for call, not for fill",
    ]


def test_a_deny_is_explained_by_its_line_too():
    assert told("shop.gone") == [f"shop gone: {verb} refused: shop.gone is denied by <policy>:12" for verb in VERBS]


def test_an_alias_is_followed():
    assert told("old_shop.Cart")[0] == "old_shop Cart: refer granted: shop.Cart is granted refer by <policy>:4"


def test_every_way_to_divide_a_name_that_is_listed_is_answered():
    assert {(answer.module, answer.name) for answer in explain(POLICY, "a.b.C")} == {("a.b", "C"), ("a", "b.C")}


def test_a_name_that_is_not_listed_is_answered_once():
    assert told("os.path.join") == [f"os.path join: {verb} refused: os.path.join is not listed" for verb in VERBS]


@pytest.mark.parametrize("name", ["", "os", ".", "os.", ".system", "a..b"])
def test_what_is_no_dotted_name_is_refused(name):
    with pytest.raises(ValueError, match=r"module\.Name"):
        explain(POLICY, name)


def test_a_file_that_is_included_is_named(tmp_path):
    (tmp_path / "team.yaml").write_text("safepickle: 1\nallow:\n  shop: [Cart]\n")
    (tmp_path / "all.yaml").write_text("safepickle: 1\ninclude: [./team.yaml, stdlib]\ndeny: {uuid: [UUID]}\n")
    policy = Policy.from_file(tmp_path / "all.yaml")
    assert explain(policy, "shop.Cart")[0].grounds[0].origin == f"{tmp_path}/team.yaml:3"
    assert explain(policy, "datetime.date")[2].grounds[0].origin.startswith("safepickle/policies/stdlib.yaml:")
    assert explain(policy, "uuid.UUID")[0].reason == f"uuid.UUID is denied by {tmp_path}/all.yaml:3"


@settings(max_examples=8)
@given(policies())
def test_what_is_explained_is_what_is_decided(policy):
    for module, name in policy.data.grants:
        for answer in explain(policy, f"{module}.{name}"):
            decision = policy.decide(answer.module, answer.name, answer.verb)
            assert (answer.granted, answer.reason) == (decision.allowed, decision.reason)
            assert len(answer.grounds) == len(decision.grants)
            assert all(line.isprintable() for line in answer.lines())
