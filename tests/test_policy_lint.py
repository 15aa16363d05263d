"""What lint says: each rule on a policy that deserves it and on one that does not, and nothing imported unasked."""

from __future__ import annotations

import decimal
import pickle
import sys
import uuid
from pathlib import Path

import pytest
from hypothesis import given, settings

from safepickle.policy import Policy
from safepickle.policy.lint import ANSWERABLE, RULES, WIDEST, lint
from tests.test_policy import policies

HEAD = "safepickle: 1\n"


def rules_of(text: str, **options: object) -> list[str]:
    return [remark.rule for remark in lint(Policy.from_yaml(HEAD + text), **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", []),
        ("allow: {prices.model: [PriceModel, PriceModel.Node]}", []),
        ("allow: {os: [system: {use: [call]}]}", ["never-grant"]),
        ("allow: {os: [system: {use: [call], reason: we need it}]}", ["never-grant"]),
        ("allow: {builtins: [max: {use: [refer]}]}", []),
        ("allow: {builtins: [max: {use: [call]}]}", ["never-grant"]),
        ("allow: {http: [HTTPStatus]}", ["shared-target"]),
        ("allow: {http: [HTTPStatus: {use: [call]}]}", []),
        ("allow: {prices: [loads: {use: [call]}]}", ["telling-name"]),
        ("allow: {prices: [loads: {use: [refer]}]}", []),
        ("allow: {prices: [loads: {use: [call], reason: of JSON}]}", []),
        ("allow: {numpy.core.multiarray: [_reconstruct: {use: [call, build]}]}", ["changes-a-result"]),
        ("allow: {numpy.core.multiarray: [_reconstruct: {use: [call, build], reason: it is fresh}]}", []),
        ("allow: {numpy.core.multiarray: [_reconstruct: {use: [call]}]}", []),
        ("allow: {shop: [Cart]}\ndeny: {shop: [Cart]}", ["denied"]),
        ("include: [stdlib]\ndeny: {datetime: [date]}", []),
        ("allow: {shop: [Cart, Cart: {use: [new]}]}", ["covered"]),
        ("allow: {shop: [Cart: {use: [new], args: [[int]]}, Cart: {use: [new], args: [[str]]}]}", []),
        ("allow: {builtins: [set: {use: [refer]}]}", ["covered"]),
        ("include: [stdlib]\nallow: {fractions: [Fraction: {use: [refer]}]}", ["covered"]),
        ("limits: {depth: 1000000}", ["wide-limit"]),
        ("limits: {depth: 2000}", []),
    ],
)
def test_each_rule_is_met_by_what_deserves_it(text, rules):
    assert rules_of(text) == rules


def test_a_remark_says_where_and_why():
    [remark] = lint(Policy.from_yaml(HEAD + "allow:\n  os:\n    - popen: {use: [call]}"))
    assert str(remark) == (
        "<policy>:4: error: os.popen the module os starts programs, or changes files and the process [never-grant]"
    )


@pytest.mark.parametrize("name", Policy.names())
def test_nothing_is_said_of_the_packaged_policies(name):
    assert lint(Policy.named(name)) == ()


def test_the_unrestricted_policy_is_what_no_policy_should_be():
    assert [remark.rule for remark in lint(Policy.unrestricted())] == ["unrestricted"]


@settings(max_examples=8)
@given(policies())
def test_any_policy_can_be_linted_and_every_remark_is_one_printable_line_of_a_known_rule(policy):
    for remark in lint(policy):
        assert remark.rule in RULES
        assert str(remark).isprintable()
        assert remark.to_dict()["severity"] in {"error", "warning"}


def test_what_an_author_can_answer_is_no_error():
    assert {RULES[rule][0] for rule in ANSWERABLE} == {"warning"}
    assert set(WIDEST) < set(Policy.named("plain").limits._fields)


# Samples

IDS = pickle.dumps([uuid.UUID(int=7)], 4)


def test_entries_that_no_sample_uses_are_reported():
    text = "allow: {uuid: [UUID], decimal: [Decimal]}"
    assert rules_of(text, samples=[IDS]) == ["unused"]
    assert rules_of(text, samples=[IDS, pickle.dumps(decimal.Decimal(1))]) == []
    assert rules_of(text) == []


def test_of_several_entries_for_a_name_the_ones_that_are_not_needed_are_reported():
    text = "allow: {uuid: [UUID: {use: [new, build]}, UUID: {use: [call], args: [[str]]}]}"
    assert rules_of(text, samples=[IDS]) == ["unused"]


def test_what_is_included_from_the_package_is_not_reported_as_unused():
    assert rules_of("include: [stdlib]", samples=[IDS]) == []
    assert rules_of("include: [stdlib]\nallow: {shop: [Cart]}", samples=[IDS]) == ["unused"]


@pytest.mark.parametrize("sample", [b"no pickle\n", pickle.dumps(decimal.Decimal(1)), b""])
def test_a_sample_that_is_refused_or_none_is_reported(sample):
    assert "sample" in rules_of("allow: {uuid: [UUID]}", samples=[sample])


# Looking at what is listed

MODULE = """\
import enum, pickle

class Quiet:
    def __init__(self): self.x = 1

class Hooked:
    def __setstate__(self, state): eval(state)
    def __del__(self): pass

class Opening:
    def __init__(self, path): self.file = open(path)

class Reduced:
    def __reduce__(self): return Reduced, ()

class Colour(enum.Enum):
    RED = 1

class Error(ValueError):
    pass

def evaluates(text): return [eval(part) for part in text]
def imports(name): return __import__(name)
def unpickles(data): return pickle.loads(data)
def innocent(x): return x + 1
VALUE = 3
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "looked_at.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "looked_at", raising=False)
    return "looked_at"


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("Quiet", []),
        ("Error", []),
        ("Hooked", [("class-hook", "__setstate__"), ("class-hook", "__del__")]),
        ("Hooked: {use: [refer]}", []),
        ("Opening", [("powerful-code", "its __init__ opens files (open)")]),
        ("Opening: {use: [new]}", []),
        ("Reduced", [("class-hook", "__reduce__")]),
        ("Reduced: {use: [call]}", []),
        ("Colour: {use: [call, build]}", [("shared-target", "enumeration")]),
        ("Colour: {use: [call]}", []),
        ("evaluates: {use: [call]}", [("powerful-code", "evaluates or compiles code (eval)")]),
        ("imports: {use: [call]}", [("powerful-code", "imports (__import__)")]),
        ("unpickles: {use: [call]}", [("powerful-code", "unpickles (loads)")]),
        ("unpickles: {use: [call], reason: its own files}", []),
        ("innocent: {use: [call]}", []),
        ("innocent: {use: [call, fill]}", [("changes-a-result", "is a function")]),
        ("innocent", [("not-a-class", "is a function"), ("changes-a-result", "is a function")]),
        ("VALUE: {use: [refer]}", []),
        ("Missing", [("not-found", "AttributeError")]),
    ],
)
def test_what_is_listed_is_looked_at_where_it_is_asked_for(module, entry, found):
    policy = Policy.from_yaml(f"{HEAD}allow:\n  {module}:\n    - {entry}\n")
    assert module not in sys.modules
    lint(policy)
    assert module not in sys.modules
    remarks = lint(policy, inspect=True)
    assert sorted(remark.rule for remark in remarks) == sorted(rule for rule, _ in found)
    for rule, said in found:
        assert any(remark.rule == rule and said in remark.message for remark in remarks)


def test_a_module_that_fails_to_import_is_a_remark(tmp_path, monkeypatch):
    (tmp_path / "failing_module.py").write_text("raise SystemExit('no')")
    monkeypatch.syspath_prepend(str(tmp_path))
    policy = Policy.from_yaml(HEAD + "allow: {failing_module: [C], no_such_module: [C]}")
    assert [remark.rule for remark in lint(policy, inspect=True)] == ["not-found", "not-found"]
