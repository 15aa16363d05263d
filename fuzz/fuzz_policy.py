"""Any text: a Policy or a `PolicyError`, whether it came as text or as bytes, and nothing imported or opened.

A policy that was read can be written, and what was written means the same; it decides about any name without a look at
it.  An error says where, in words that can be printed.
"""

from __future__ import annotations

import pickle
from contextlib import suppress
from functools import cache
from typing import Final

import engine

import safepickle
from tests.choices import Choices
from tests.documents import document

SEEDS: Final = "policies"
_MADE: Final = b"\xff"  # an input that begins so is no text, but the choices of a generator of documents


def check(data: bytes) -> None:
    _warm_up()
    if data.startswith(_MADE):
        choices = Choices(data[1:])
        wild = (0, 1, 4)[choices.below(3)]
        policy = _check(document(choices, wild=wild))
        assert policy is not None or wild, "a document without a mistake is a policy"
        return
    policy = _check(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        assert policy is None
        return
    assert _check(text) == policy


@cache
def _warm_up() -> None:
    """What the package imports late is imported now."""
    for text in _OPENINGS:
        with suppress(safepickle.PolicyError):
            safepickle.Policy.from_yaml(text).to_yaml()


_OPENINGS: Final = (
    "safepickle: 1\ninclude: [plain]\nallow: {shop: [\xc9tat, {load: {args: [[{str: 'a+'}, {is: 1.5}]]}}]}",
    "safepickle: 1\nallow: {a: [b: {args: [[{str: '('}]], use: [cal]}]}", "a: [", "safepickle: 2", "a: \u2028",
    "safepickle: 1\nallow: {\"\\x07\": [a]}", "safepickle: 1\nlimits: {dept: 1, depth: 9\xb3}",
)  # fmt: skip


def _check(text: str | bytes) -> safepickle.Policy | None:
    errors: tuple[str, ...] = ()
    policy = None
    with engine.watched() as events:
        try:
            policy = safepickle.Policy.from_yaml(text)
        except safepickle.PolicyError as error:
            errors = error.errors
    unexpected = [(event, arguments[:1]) for event, arguments in events if event not in _PACKAGED]
    assert unexpected == [], unexpected
    assert (policy is None) is bool(errors)
    assert all(line.startswith("<policy>:") and line.isprintable() for line in errors), errors
    if policy is not None:
        _check_policy(policy)
    return policy


#: A packaged policy that is included is read from its file; a regular expression is compiled.
_PACKAGED: Final = frozenset({"open", "os.listdir", "os.scandir"})


def _check_policy(policy: safepickle.Policy) -> None:
    again = safepickle.Policy.from_yaml(policy.to_yaml())
    assert again == policy
    assert again.digest == policy.digest
    assert hash(again) == hash(policy)
    assert pickle.loads(pickle.dumps(policy)) == policy
    for module, name in list(policy.data.grants)[:20]:
        for verb in ("refer", "new", "call", "build", "fill"):
            decision = policy.decide(module, name, verb)
            assert isinstance(decision.allowed, bool)
            assert decision.reason
    assert not policy.decide("no_such_module", "nothing", "refer").allowed
    safepickle.scan(b"cshop\nCart\n)\x81}b.", policy=policy)


if __name__ == "__main__":
    engine.main(__file__, check, seeds=SEEDS, dictionary="policy.dict", longest=4096)
