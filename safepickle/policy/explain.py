"""Why a policy grants or denies each verb of a name: by which file, which line, and under which conditions.

It asks `model.decide` and words what that says; it decides nothing itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from safepickle.errors import escape
from safepickle.policy import Policy
from safepickle.policy.model import VERBS, Grant, Name
from safepickle.policy.write import conditions_of


class Ground(NamedTuple):
    """One grant of a verb: where it is written, under what conditions, and why its author gave it."""

    origin: str
    conditions: str
    reason: str


class Answer(NamedTuple):
    """The verdict on one verb of one name."""

    module: str
    name: str
    verb: str
    granted: bool
    reason: str
    grounds: tuple[Ground, ...] = ()

    def lines(self) -> list[str]:
        """The answer for people: the verdict, and one line for each grant that says under which conditions."""
        shown = f"{escape(self.module)} {escape(self.name)}"
        lines = [f"{shown}: {self.verb} {'granted' if self.granted else 'refused'}: {escape(self.reason, 1000)}"]
        for ground in self.grounds:
            if ground.conditions:
                lines.append(f"  {ground.origin}: {ground.conditions}")
            if ground.reason:
                lines.append(f"  {ground.origin}: reason: {escape(ground.reason)}")
        return lines

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data for JSON."""
        return {**self._asdict(), "grounds": [ground._asdict() for ground in self.grounds]}


def explain(policy: Policy, dotted: str) -> tuple[Answer, ...]:
    """An answer for each verb of `module.Name`, for every way to divide it that the policy knows.

    Where it knows none, the last part is taken for the name.  Raises ValueError where there is no dot.
    """
    parts = dotted.split(".")
    if len(parts) < 2 or not all(parts):
        raise ValueError("a name is spelled module.Name")
    ways = [(".".join(parts[:cut]), ".".join(parts[cut:])) for cut in range(1, len(parts))]
    known = [way for way in ways if _is_known(policy, way)]
    return tuple(_answer(policy, way, verb) for way in known or ways[-1:] for verb in VERBS)


def _is_known(policy: Policy, way: Name) -> bool:
    module = policy.data.aliases.get(way[0], way[0])
    return (module, way[1]) in policy.data.grants or (module, way[1]) in policy.data.denied


def _answer(policy: Policy, way: Name, verb: str) -> Answer:
    decision = policy.decide(*way, verb)
    grounds = tuple(_ground(grant, verb) for grant in decision.grants)
    return Answer(*way, verb, decision.allowed, decision.reason, grounds)


def _ground(grant: Grant, verb: str) -> Ground:
    return Ground(grant.origin, conditions_of(grant, verb), grant.reason)
