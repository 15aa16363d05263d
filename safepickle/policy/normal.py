"""The normal form of a policy: one text for all policies that say the same.

Equality, hashes and digests of policies are those of this text.  Rules:

* What has no order in the language has one fixed order here; what is only for people (descriptions, reasons, origins)
  is left out; nothing is twice.
* It is ASCII JSON of lists, texts, booleans and nulls.  Numbers are texts in a form that no version or setting of
  Python changes.  The layout may only change together with `FORM`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from safepickle.policy.model import VERBS, Grant, PersistentShape, PolicyData
from safepickle.policy.patterns import AnyOf, Fields, Pattern

#: The version of this layout; part of the text, so that digests of different layouts differ.
FORM: Final = "safepickle policy 1"


def normal_form(data: PolicyData) -> str:
    """The text.  `data` has its aliases settled."""
    return _text(
        [
            FORM,
            data.unrestricted,
            [[*name, _unordered(map(_grant, grants))] for name, grants in sorted(data.grants.items())],
            sorted(map(list, data.denied)),
            sorted(map(list, data.aliases.items())),
            None if data.persistent is None else _unordered(map(_persistent, data.persistent)),
            sorted(data.accept),
            sorted([name, hex(value)] for name, value in data.named_limits.items()),
        ]
    )


def _text(form: Any) -> str:
    return json.dumps(form, ensure_ascii=True, separators=(",", ":"))


def _unordered(forms: Iterable[Any]) -> list[Any]:
    return [form for _, form in sorted({_text(form): form for form in forms}.items())]


def _grant(grant: Grant) -> list[Any]:
    return [
        [verb for verb in VERBS if verb in grant.verbs],
        None if grant.args is None else _unordered(map(_form, grant.args)),
        None if grant.kwargs is None else _pairs(grant.kwargs),
        None if grant.state is None else _form(grant.state),
        None if grant.attributes is None else sorted(grant.attributes),
        grant.base,
        grant.native_state,
        grant.then_build,
        grant.plain,
    ]


def _persistent(shape: PersistentShape) -> list[Any]:
    return [_form(shape.pattern), shape.makes and list(shape.makes)]


def _pairs(pairs: tuple[tuple[str, Pattern], ...]) -> list[Any]:
    return sorted([key, _form(pattern)] for key, pattern in pairs)


def _form(part: Any) -> Any:
    """A pattern, or what one is made of."""
    if isinstance(part, AnyOf):
        return ["AnyOf", _unordered(map(_form, part.alternatives))]
    if isinstance(part, Fields):
        return ["Fields", _pairs(part.required), _pairs(part.optional)]
    if isinstance(part, tuple):
        name = [type(part).__name__] if hasattr(part, "_fields") else []
        return name + [_form(inner) for inner in part]
    if part is None or isinstance(part, (bool, str)):
        return part
    return hex(part) if isinstance(part, int) else part.hex()
