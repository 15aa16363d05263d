"""The JSON Schema and the reader of policies: what the reader accepts, the schema accepts, and what it lets pass."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from safepickle.errors import PolicyError
from safepickle.limits import FIELDS
from safepickle.policy import Policy
from safepickle.policy.model import ACCEPTABLE, VERBS
from safepickle.policy.patterns import WORDS
from safepickle.policy.schema import DIALECT, instance, schema
from tests import strategies
from tests.test_policy import policies

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests" / "data" / "policies"
GOOD = sorted((FOLDER / "good").rglob("*.yaml"))
BAD = sorted(path for path in (FOLDER / "bad").glob("*.yaml") if path.is_file())
VALIDATOR = jsonschema.Draft202012Validator(schema())

# What only the reader knows: words of its messages.  Each has a bad document that the schema accepts.
BEYOND = (
    r"alias", r"says nothing here", r"is not listed", r"Latin-1", r"expected the text of", r"both as required",
    r"only files beside|cannot be read|includes itself|unknown packaged policy|an included file ends",
    r"the lower bound comes first", r"is not a number, true, false, null", r"expected a plain value",
    r"Python would spell it differently", r"contains itself", r"unknown pattern name", r"has more than \d+ nodes",
    r"fill is what is put in", r"has optional fields only", r"has no length", r"is ambiguous", r"hands out power",
    r"is not a field of an enclosing tuple", r"rest can only stand last",
    r"regular expression|repeats|(is|are) not part of the language|inside a repeat|longer than 1000|levels of groups",
)  # fmt: skip


def is_valid(document: Any) -> bool:
    return bool(VALIDATOR.is_valid(document))


def test_the_schema_is_one():
    assert schema()["$schema"] == DIALECT
    jsonschema.Draft202012Validator.check_schema(schema())
    assert json.loads(json.dumps(schema())) == schema()


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_what_the_reader_accepts_the_schema_accepts(path):
    assert [error.message for error in VALIDATOR.iter_errors(instance(path.read_bytes()))] == []


def test_a_packaged_policy_is_accepted_part_by_part():
    whole = instance((ROOT / "policies" / "stdlib.yaml").read_bytes()[:30_000].rpartition(b"\n  ")[0])
    assert is_valid(whole)
    assert is_valid(instance((ROOT / "policies" / "plain.yaml").read_bytes()))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_what_the_schema_lets_pass_is_what_only_the_reader_knows(path):
    errors = path.with_suffix(".errors").read_text("utf-8")
    try:
        document = instance(path.read_bytes())
    except PolicyError:
        return  # no YAML of the language, so nothing for a schema
    if is_valid(document):
        assert any(re.search(words, errors) for words in BEYOND), errors


def test_everything_that_only_the_reader_knows_is_met_by_a_document():
    let_pass = []
    for path in BAD:
        try:
            document = instance(path.read_bytes())
        except PolicyError:
            continue
        if is_valid(document):
            let_pass.append(path.with_suffix(".errors").read_text("utf-8"))
    assert all(any(re.search(words, errors) for errors in let_pass) for words in BEYOND)
    assert len(let_pass) < len(BAD) // 2


@settings(max_examples=8)
@given(policies())
def test_whatever_a_policy_writes_the_schema_accepts(policy):
    assert is_valid(instance(policy.to_yaml()))


@settings(max_examples=30)
@given(strategies.documents(wild=3))
def test_a_document_that_the_reader_accepts_is_never_underlined(text):
    try:
        Policy.from_yaml(text)
    except PolicyError:
        return
    assert [error.message for error in VALIDATOR.iter_errors(instance(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        "allow: {shop: [Cart]}",
        "safepickle: 2",
        "safepickle: '1'",
        "safepickle: 1\nallowed: {}",
        "safepickle: 1\nallow: [shop]",
        "safepickle: 1\nallow: {shop: Cart}",
        "safepickle: 1\nallow: {shop: ['*']}",
        "safepickle: 1\nallow: {shop: ['Cart.*']}",
        "safepickle: 1\nallow: {'shop-2': [Cart]}",
        "safepickle: 1\nallow: {shop: [Cart: {uses: [call]}]}",
        "safepickle: 1\nallow: {shop: [Cart: {use: [make]}]}",
        "safepickle: 1\nallow: {shop: [Cart: {use: []}]}",
        "safepickle: 1\nallow: {shop: [Cart: {args: [int]}]}",
        "safepickle: 1\nallow: {shop: [Cart: {args: [[integer]]}]}",
        "safepickle: 1\nallow: {shop: [Cart: {state: {int: [0]}}]}",
        "safepickle: 1\nallow: {shop: [Cart: {state: {int: [0, 1], str: a}}]}",
        "safepickle: 1\nallow: {shop: [Cart: {then: call}]}",
        "safepickle: 1\nallow: {shop: [Cart: {attributes: [a.b]}]}",
        "safepickle: 1\naccept: [everything]",
        "safepickle: 1\nlimits: {dept: 3}",
        "safepickle: 1\nlimits: {depth: 3 MiB}",
        "safepickle: 1\nlimits: {depth: 0}",
        "safepickle: 1\nlimits: {bytes: 3 MB}",
    ],
)
def test_an_editor_underlines_what_has_the_wrong_shape(text):
    assert not is_valid(instance(text))
    with pytest.raises(PolicyError):
        Policy.from_yaml(text)


def test_every_word_of_the_language_is_in_the_schema():
    text = json.dumps(schema())
    for word in (*WORDS, *VERBS, *ACCEPTABLE, *FIELDS, "rest", "any_of", "product", "makes", "native_state"):
        assert f'"{word}"' in text
