"""What is wrong with a policy although it is valid: names that no policy should list, and entries that do nothing.

Rules:

* It says what it knows and proves nothing: a policy without remarks is one that somebody still has to judge.
* Nothing is imported unless it is asked for; then only what the policy lists, see `inspection.py`.
* What is left to an author's judgement is settled by the `reason` of the entry; what no policy should list is not.
* Of what is included only what a file adds to it is its own: packaged policies are linted by their own names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from safepickle.errors import escape
from safepickle.policy import Policy
from safepickle.policy.model import CALL, REFER, Grant, Name, PolicyData
from safepickle.policy.order import grant_covers
from safepickle.policy.powers import changes_result, danger, shared, telling

#: Every rule: its identifier, how grave it is, and what it means.
RULES: Final = {
    "never-grant": ("error", "The name hands out power, whatever else is listed."),
    "shared-target": ("error", "What the name gives belongs to the whole process, and a stream could change it."),
    "unrestricted": ("error", "The policy grants everything."),
    "telling-name": ("warning", "The name says that it does what no stream should do."),
    "changes-a-result": ("warning", "A stream may change what a function returns: it must be a fresh object."),
    "class-hook": ("warning", "The class runs code of its own when it is built, made or freed."),
    "powerful-code": ("warning", "The code of what is called evaluates, imports, opens, connects or unpickles."),
    "not-a-class": ("error", "A plain name is for classes."),
    "not-found": ("warning", "The name cannot be imported here."),
    "denied": ("warning", "The same file denies the name, so the entry does nothing."),
    "covered": ("warning", "Another entry admits all that this one does."),
    "unused": ("warning", "No sample that was given uses the entry."),
    "wide-limit": ("warning", "The limit is so wide that it protects from nothing."),
    "sample": ("warning", "A sample could not be judged, or the policy refuses it."),
}  # fmt: skip
#: What an author's reason answers.
ANSWERABLE: Final = frozenset({"telling-name", "changes-a-result", "class-hook", "powerful-code"})
#: Above these a limit is none.  CPython crashes when it frees what is nested some tens of thousands of levels deep.
WIDEST: Final = {
    "depth": 20_000, "memo": 1 << 30, "integer_digits": 100_000, "probe_work": 10_000, "hash_work": 1 << 34,
    "copy_work": 1 << 40, "nested": 1000,
}  # fmt: skip
_PACKAGED: Final = "safepickle/policies/"


class Remark(NamedTuple):
    """One thing that lint has to say."""

    rule: str
    message: str
    module: str | None = None
    name: str | None = None
    origin: str = ""  # file:line

    @property
    def severity(self) -> str:
        """error, or warning."""
        return RULES[self.rule][0]

    def __str__(self) -> str:
        place = f"{self.origin}: " if self.origin else ""
        named = f"{escape(self.module)}.{escape(self.name)} " if self.module and self.name else ""
        return f"{place}{self.severity}: {named}{self.message} [{self.rule}]"

    def to_dict(self) -> dict[str, Any]:
        """The remark as plain data for JSON."""
        return {**self._asdict(), "severity": self.severity}


def lint(policy: Policy, *, samples: Iterable[Any] | None = None, inspect: bool = False) -> tuple[Remark, ...]:
    """What there is to say about a policy, file by file and line by line.

    `samples` (bytes-like objects, paths or binary files) show which entries nothing uses.  With `inspect`, everything
    that the policy lists is imported and looked at.
    """
    if policy.is_unrestricted:
        return (Remark("unrestricted", "the unrestricted policy grants everything"),)
    own = _own(policy)
    found = [*_of_grants(own), *_of_denies(own), *_covered(own, policy.data), *_of_limits(policy)]
    if inspect:
        found += _inspected(own)
    if samples is not None:
        found += _unused(own, policy, samples)
    return tuple(sorted(dict.fromkeys(found), key=_place))


def _place(remark: Remark) -> tuple[str, int, str, str]:
    file, _, line = remark.origin.rpartition(":")
    return file, int(line) if line.isdigit() else 0, remark.rule, remark.message


def _own(policy: Policy) -> PolicyData:
    """What the policy's own files say: not `plain`, and no other packaged policy, unless there is nothing else."""
    plain = Policy.named("plain").data.grants
    grants = {}
    for name, listed in policy.data.grants.items():
        kept = tuple(grant for grant in listed if grant not in plain.get(name, ()))
        if kept:
            grants[name] = kept
    of_files = {
        name: kept
        for name, listed in grants.items()
        if (kept := tuple(grant for grant in listed if not grant.origin.startswith(_PACKAGED)))
    }
    return policy.data._replace(grants=of_files or grants)


def _of_grants(own: PolicyData) -> Iterator[Remark]:
    for name, grants in own.grants.items():
        for grant in grants:
            for rule, message in _against(name, grant):
                if not (grant.reason and rule in ANSWERABLE):
                    yield Remark(rule, message, *name, grant.origin)


def _against(name: Name, grant: Grant) -> Iterator[tuple[str, str]]:
    reason = danger(*name, grant.verbs, bounded=grant.args is not None)
    changed = shared(*name, grant.verbs)
    if reason:
        yield "never-grant", reason
    elif CALL in grant.verbs and (said := telling(name[1])):
        yield "telling-name", said
    if changed:
        yield "shared-target", changed
    elif not grant.plain and (asked := changes_result(name[1], grant.verbs)):
        yield "changes-a-result", asked


def _of_denies(own: PolicyData) -> Iterator[Remark]:
    for name, grants in own.grants.items():
        denial = own.denials.get(name, "")
        for grant in grants:
            if name in own.denied and denial.rpartition(":")[0] == grant.origin.rpartition(":")[0]:
                yield Remark("denied", f"is denied by {denial}, so this entry does nothing", *name, grant.origin)


def _covered(own: PolicyData, whole: PolicyData) -> Iterator[Remark]:
    for name, grants in own.grants.items():
        for grant in grants:
            others = [other for other in whole.grants[name] if other is not grant and other != grant]
            wider = [_covering(grant, verb, others) for verb in grant.verbs]
            if wider and all(wider) and not grant.reason:
                places = ", ".join(dict.fromkeys(other.origin for other in wider if other and other.origin))
                yield Remark("covered", f"is admitted by {places or 'another entry'} already", *name, grant.origin)


def _covering(grant: Grant, verb: str, others: list[Grant]) -> Grant | None:
    for other in others:
        has = verb in other.verbs or verb == REFER
        # Of two that say the same, the later one is the one that is too much.
        if has and grant_covers(other, grant, verb):
            alike = verb in grant.verbs and grant_covers(grant, other, verb) and other.verbs == grant.verbs
            if not alike or _line(other) < _line(grant):
                return other
    return None


def _line(grant: Grant) -> tuple[bool, int]:
    line = grant.origin.rpartition(":")[2]
    return not grant.origin.startswith(_PACKAGED), int(line) if line.isdigit() else 0


def _of_limits(policy: Policy) -> Iterator[Remark]:
    for limit, value in sorted(policy.named_limits.items()):
        if value > WIDEST.get(limit, value):
            said = f"limits: {limit} of {value:,}: above {WIDEST[limit]:,} it protects from nothing"
            yield Remark("wide-limit", said)


def _inspected(own: PolicyData) -> Iterator[Remark]:
    from safepickle.policy.inspection import look

    for name, grants in own.grants.items():
        parts = name[1].split(".")
        outer = {(name[0], ".".join(parts[:cut])) for cut in range(1, len(parts))}
        if name in own.denied or any(not grant.plain for whole in outer for grant in own.grants.get(whole, ())):
            continue  # of what is listed with its verbs: reached from its instances, if it is no class
        for rule, message in look(name, grants):
            if not (rule in ANSWERABLE and all(grant.reason for grant in grants)):
                yield Remark(rule, message, *name, grants[0].origin)


def _unused(own: PolicyData, policy: Policy, samples: Iterable[Any]) -> Iterator[Remark]:
    """The entries without which the samples are admitted just the same."""
    from safepickle.policy.observe import Pass, Problem, Source, read_samples

    problems: list[Problem] = []
    sources = [Source(sample, policy.limits) for sample in read_samples(samples)]
    used: set[Name] = set()

    def take(judged: Pass) -> None:
        used.update((symbol.module, symbol.name) for symbol in judged.symbols() if symbol.uses)
        problems.extend(Problem(judged.sample, refusal.position, refusal.message) for refusal in judged.refusals)

    for source in sources:
        problems += source.problems
        source.judge(policy, problems, take)
    yield from (Remark("sample", str(problem)) for problem in dict.fromkeys(problems))
    for name, grants in own.grants.items():
        for grant in grants:
            if grant.origin.startswith(_PACKAGED):
                continue  # made for many, and used by few as a whole
            if name not in used:
                yield Remark("unused", "is used by no sample", *name, grant.origin)
            elif len(policy.data.grants[name]) > 1 and not problems and not _is_needed(name, grant, policy, sources):
                yield Remark("unused", "is not needed: other entries admit what the samples do", *name, grant.origin)


def _is_needed(name: Name, grant: Grant, policy: Policy, sources: Iterable[Any]) -> bool:
    others = tuple(other for other in policy.data.grants[name] if other != grant)
    without = Policy(policy.data._replace(grants={**policy.data.grants, name: others}))
    refusals: list[Any] = []
    for source in sources:
        source.judge(without, [], lambda judged: refusals.extend(judged.refusals))
    return bool(refusals)
