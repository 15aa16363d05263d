"""What every format is given: outcomes, and findings that are said in the same words as one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from safepickle.errors import escape
from safepickle.policy import Policy
from safepickle.report import DANGEROUS, DANGEROUS_ADVICE, RULES, Finding, Report

__all__ = ["FORMATS", "Group", "Manner", "Outcome", "groups"]

FORMATS: Final = ("text", "json", "jsonl", "sarif", "html", "github")


class Outcome(NamedTuple):
    """What became of one path."""

    report: Report
    exit_code: int | None  # None: nothing to scan here


class Manner(NamedTuple):
    """What a reporter has to know beside the outcomes."""

    policy: Policy | None = None  # None: all packaged ones
    compared: bool = False  # with a baseline


class Group(NamedTuple):
    """What is said in the same words, at its first place, with the verbs of all."""

    first: Finding
    verbs: tuple[str, ...]
    times: int

    @property
    def place(self) -> str:
        """Where it is: the stream of a container, the byte, the opcode."""
        first = self.first
        parts = [escape(first.member)] if first.member is not None else []
        if first.position is not None:
            parts.append(f"byte {first.position}")
        if first.opcode:
            parts.append(first.opcode)
        return ", ".join(parts)

    @property
    def judgement(self) -> str:
        """Whether the name is dangerous, and why, or unknown; empty where there is nothing to say of one."""
        if self.first.grade == DANGEROUS:
            return f"dangerous, {self.first.reason}"
        return self.first.grade or ""

    @property
    def advice(self) -> str:
        """What to do about it."""
        if self.first.grade == DANGEROUS:
            return DANGEROUS_ADVICE
        return RULES[self.first.rule].advice if self.first.rule in RULES else ""


def groups(findings: Iterable[Finding]) -> list[Group]:
    """The findings, those that are said in the same words as one, dangerous ones first."""
    alike: dict[tuple[str, str, str | None], list[Finding]] = {}
    for finding in findings:
        alike.setdefault((finding.rule, finding.message, finding.member), []).append(finding)
    found = [
        Group(group[0], tuple(dict.fromkeys(each.verb for each in group if each.verb)), len(group))
        for group in alike.values()
    ]
    return sorted(found, key=lambda group: group.first.grade != DANGEROUS)
