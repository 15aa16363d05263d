"""What a new policy lets a stream do that the old one did not, and the reverse: fit for the review of a change.

It compares meanings, not texts: a name moved between files or written in another way is no difference.  Rules:

* A capability is a verb of a name that is not denied.  It is gained, lost, widened or narrowed; where neither set of
  conditions is seen to cover the other, it is changed, which a reviewer has to judge.
* "Widened" and "narrowed" are what `order.py` can prove, so a change that only adds is never shown as one that only
  takes away.
* Limits, accepted kinds, shapes of persistent IDs and aliases are capabilities too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from safepickle.policy import Policy
from safepickle.policy.model import REFER, VERBS, Grant, Name, PersistentShape
from safepickle.policy.order import covers, grant_covers
from safepickle.policy.write import conditions_of, inline

GAINED: Final = "gained"
LOST: Final = "lost"
WIDENED: Final = "widened"
NARROWED: Final = "narrowed"
CHANGED: Final = "changed"
#: In the order in which a reviewer wants them.
KINDS: Final = (GAINED, WIDENED, CHANGED, NARROWED, LOST)
#: A policy with one of these lets a stream do more, or may.
MORE: Final = frozenset({GAINED, WIDENED, CHANGED})


class Difference(NamedTuple):
    """One capability that is not the same."""

    kind: str
    what: str  # module.Name, or `limits`, `accept`, `persistent`, `aliases`
    detail: str  # the verbs, the limit, ...
    old: str = ""
    new: str = ""
    origin: str = ""  # file:line in the new policy, or in the old one where it is lost

    def __str__(self) -> str:
        change = f": {self.old} -> {self.new}" if self.old and self.new else f": {self.old or self.new}"
        shown = "" if change in (": ", f": {_ALWAYS}") else change
        return f"{self.kind} {self.what}: {self.detail}{shown}" + (f" ({self.origin})" if self.origin else "")

    def to_dict(self) -> dict[str, Any]:
        """The difference as plain data for JSON."""
        return self._asdict()


def diff(old: Policy, new: Policy) -> tuple[Difference, ...]:
    """Every capability that differs, gained ones first."""
    found = [*_of_trust(old, new)]
    if not (old.is_unrestricted or new.is_unrestricted):
        found += [*_of_names(old, new), *_of_accept(old, new), *_of_persistent(old, new), *_of_aliases(old, new)]
    found += _of_limits(old, new)
    return tuple(sorted(found, key=lambda one: (KINDS.index(one.kind), one.what, one.detail)))


def _of_trust(old: Policy, new: Policy) -> Iterator[Difference]:
    if old.is_unrestricted != new.is_unrestricted:
        yield Difference(GAINED if new.is_unrestricted else LOST, "everything", "by the unrestricted policy")


def _of_names(old: Policy, new: Policy) -> Iterator[Difference]:
    for name in sorted({*old.data.grants, *new.data.grants}):
        alike: dict[tuple[str, str, str, str], list[str]] = {}  # what is said of several verbs is said once
        for verb in VERBS:
            before, after = _granted(old, name, verb), _granted(new, name, verb)
            kind = _kind(before, after, verb)
            if kind:
                origins = dict.fromkeys(grant.origin for grant in after or before if grant.origin)
                said = kind, _shown(before, verb), _shown(after, verb), ", ".join(origins)
                alike.setdefault(said, []).append(verb)
        implied = {said[0] for said, verbs in alike.items() if verbs != [REFER]}
        for (kind, was, is_now, origin), verbs in alike.items():
            told = [verb for verb in verbs if verb != REFER or kind not in implied]  # the other verbs imply it
            if told:
                yield Difference(kind, ".".join(name), ", ".join(told), was, is_now, origin)


def _granted(policy: Policy, name: Name, verb: str) -> tuple[Grant, ...]:
    if name in policy.data.denied:
        return ()
    return tuple(grant for grant in policy.data.grants.get(name, ()) if verb == REFER or verb in grant.verbs)


def _kind(before: tuple[Grant, ...], after: tuple[Grant, ...], verb: str) -> str | None:
    if not before or not after:
        return GAINED if after else LOST if before else None
    more = not all(any(grant_covers(wide, narrow, verb) for wide in before) for narrow in after)
    less = not all(any(grant_covers(wide, narrow, verb) for wide in after) for narrow in before)
    return _named(more=more, less=less)


def _named(*, more: bool, less: bool) -> str | None:
    if more and less:
        return CHANGED
    return WIDENED if more else NARROWED if less else None


_ALWAYS: Final = "without conditions"


def _shown(grants: Iterable[Grant], verb: str) -> str:
    return " or ".join(dict.fromkeys(conditions_of(grant, verb) or _ALWAYS for grant in grants))


def _of_accept(old: Policy, new: Policy) -> Iterator[Difference]:
    for kind in sorted(old.data.accept ^ new.data.accept):
        yield Difference(GAINED if kind in new.data.accept else LOST, "accept", kind)


def _of_persistent(old: Policy, new: Policy) -> Iterator[Difference]:
    before, after = old.data.persistent, new.data.persistent
    if before == after:
        return
    more = before is not None and not (after is not None and _all_shapes_covered(before, after))
    less = after is not None and not (before is not None and _all_shapes_covered(after, before))
    kind = _named(more=more, less=less)
    if kind:
        yield Difference(kind, "persistent", "shapes", _shapes(before), _shapes(after))


def _all_shapes_covered(wide: tuple[PersistentShape, ...], narrow: tuple[PersistentShape, ...]) -> bool:
    return all(
        any(shape.makes == other.makes and covers(other.pattern, shape.pattern) for other in wide) for shape in narrow
    )


def _shapes(shapes: tuple[PersistentShape, ...] | None) -> str:
    if shapes is None:
        return "any shape"
    return ", ".join((inline(shape.pattern) or "a shape of many levels") for shape in shapes) or "no shape"


def _of_aliases(old: Policy, new: Policy) -> Iterator[Difference]:
    for module in sorted({*old.data.aliases, *new.data.aliases}):
        before, after = old.data.aliases.get(module, ""), new.data.aliases.get(module, "")
        if before != after:
            kind = CHANGED if before and after else GAINED if after else LOST
            yield Difference(kind, "aliases", module, before, after)


def _of_limits(old: Policy, new: Policy) -> Iterator[Difference]:
    for field in old.limits._fields:
        before, after = getattr(old.limits, field), getattr(new.limits, field)
        if before != after:
            yield Difference(_limit_kind(field, before, after), "limits", field, _number(field, before),
                             _number(field, after))  # fmt: skip


def _limit_kind(field: str, before: int | None, after: int | None) -> str:
    if field in _BY_LENGTH and (before is None or after is None):
        return CHANGED  # which is more depends on the pickle
    return WIDENED if after is None or (before is not None and after > before) else NARROWED


def _number(field: str, value: int | None) -> str:
    if value is None:
        return "by the length" if field in _BY_LENGTH else "no limit"
    return f"{value:,}"


# Unnamed, these grow with the length of the pickle.
_BY_LENGTH: Final = frozenset({"hash_work", "copy_work"})
