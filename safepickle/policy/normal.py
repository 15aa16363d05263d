"""The normal form of a policy: one text for all policies that say the same.

Equality, hashes and digests of policies are those of this text.  Rules:

* What has no order in the language has one fixed order here; what is only for people (descriptions, reasons, origins)
  is left out; nothing is twice.
* It is ASCII JSON of lists, texts, booleans and nulls.  Numbers are texts in a form that no version or setting of
  Python changes.  The layout may only change together with `FORM`.
* The text is put together from those of its parts, each made once: named patterns stand for the very same object
  wherever they are used, thousands of times in the packaged policies.
"""

from __future__ import annotations

from collections.abc import Iterable
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, Final

from safepickle.policy.model import VERBS, Grant, PersistentShape, PolicyData
from safepickle.policy.patterns import AnyOf, Fields, Pattern

#: The version of this layout; part of the text, so that digests of different layouts differ.
FORM: Final = "safepickle policy 1"


def normal_form(data: PolicyData) -> str:
    """The text.  `data` has its aliases settled."""
    writer = _Writer()
    return _list(
        [
            _quoted(FORM),
            _FLAGS[data.unrestricted],
            _list(
                _list([*map(_quoted, name), _unordered(map(writer.grant, grants))])
                for name, grants in sorted(data.grants.items(), key=_name)
            ),
            _list(_texts(name) for name in sorted(data.denied)),
            _list(map(_texts, sorted(data.aliases.items()))),
            _NULL if data.persistent is None else _unordered(map(writer.persistent, data.persistent)),
            _texts(sorted(data.accept)),
            _list(_texts((name, hex(value))) for name, value in sorted(data.named_limits.items())),
        ]
    )


_NULL: Final = "null"
_FLAGS: Final = {True: "true", False: "false"}


def _name(listed: tuple[Any, Any]) -> Any:
    return listed[0]


def _list(texts: Iterable[str]) -> str:
    return f"[{','.join(texts)}]"


def _texts(words: Iterable[str]) -> str:
    return _list(map(_quoted, words))


def _unordered(texts: Iterable[str]) -> str:
    return _list(sorted(set(texts)))


class _Writer:
    """Writes the parts of one policy, which keeps its patterns alive: an identity is one pattern's as long."""

    __slots__ = ("_written",)

    def __init__(self) -> None:
        self._written: dict[int, str] = {}

    def grant(self, grant: Grant) -> str:
        return _list(
            [
                _texts(verb for verb in VERBS if verb in grant.verbs),
                _NULL if grant.args is None else _unordered(map(self._form, grant.args)),
                _NULL if grant.kwargs is None else self._pairs(grant.kwargs),
                _NULL if grant.state is None else self._form(grant.state),
                _NULL if grant.attributes is None else _texts(sorted(grant.attributes)),
                _NULL if grant.base is None else _quoted(grant.base),
                _FLAGS[grant.native_state],
                _FLAGS[grant.then_build],
                _FLAGS[grant.plain],
                # Last, and only where it is said: what does not say it has the digest that it always had.
                *([] if grant.fill is None else [self._form(grant.fill)]),
            ]
        )

    def persistent(self, shape: PersistentShape) -> str:
        return _list([self._form(shape.pattern), _texts(shape.makes) if shape.makes else _NULL])

    def _pairs(self, pairs: tuple[tuple[str, Pattern], ...]) -> str:
        return _list(f"[{_quoted(key)},{form}]" for key, form in sorted((key, self._form(one)) for key, one in pairs))

    def _form(self, part: Any) -> str:
        """A pattern, or what one is made of."""
        if not isinstance(part, tuple):
            return _atom(part)
        written = self._written.get(id(part))
        if written is None:
            written = self._written[id(part)] = self._form_of(part)
        return written

    def _form_of(self, part: Any) -> str:
        if isinstance(part, AnyOf):
            return f'["AnyOf",{_unordered(map(self._form, part.alternatives))}]'
        if isinstance(part, Fields):
            return f'["Fields",{self._pairs(part.required)},{self._pairs(part.optional)}]'
        name = [_quoted(type(part).__name__)] if hasattr(part, "_fields") else []
        return _list(name + [self._form(inner) for inner in part])


def _atom(part: Any) -> str:
    if part is None:
        return _NULL
    if isinstance(part, bool):
        return _FLAGS[part]
    if isinstance(part, str):
        return _quoted(part)
    return _quoted(hex(part) if isinstance(part, int) else part.hex())
