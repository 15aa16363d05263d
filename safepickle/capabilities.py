"""What a source asks for by name: how often by which verb, with which kinds of arguments; what is known of the name.

Rules:

* Kinds of arguments are words of the policy language, as the verifier knows them; values are never kept.
* The memory that is taken is bounded by the names that a source has, not by how often it uses them.
* Only so many objects of a source are looked at for their arguments.  Counts of kinds that add up to less than the
  calls say that there are more.
* A name is called dangerous by the one table of such names; what that does not know is unknown, never harmless.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from safepickle import symbols as sym
from safepickle.policy.model import BUILD, EVERY_VERB, FILL, VERBS, Name
from safepickle.report import DANGEROUS, MORE, UNKNOWN, Capability, Finding
from safepickle.symbols import Global, Made
from safepickle.verifier import Verifier

__all__ = ["Ledger", "graded"]

#: Nodes of a source's objects that are looked at.  No science went into these numbers: some hundredths of a second, and
#: a line.
MOST_NODES: Final = 40_000
MOST_ARGUMENTS: Final = 8
MOST_SIGNATURES: Final = 16
_SPOILS: Final = "changes what the stream did not make, and other code relies on"


class Ledger:
    """The capabilities of one source, added up over its pickles."""

    def __init__(self) -> None:
        self._room = MOST_NODES
        self._uses: dict[Name, dict[str, int]] = {}
        self._granted: dict[Name, bool] = {}
        self._arguments: dict[Name, dict[tuple[str, ...], int]] = {}

    def add(self, verifier: Verifier) -> None:
        """Count in what one pickle uses; its pass is over."""
        makes = False
        for symbol in verifier.globals.values():
            if not symbol.uses:
                continue
            makes = makes or symbol.called > 0 or symbol.made > 0
            name = symbol.module, symbol.name
            uses = self._uses.setdefault(name, {})
            for verb, count in symbol.uses.items():
                uses[verb] = uses.get(verb, 0) + count
            self._granted[name] = symbol.listed
        if makes:
            self._look(verifier)

    def _look(self, verifier: Verifier) -> None:
        held = verifier.heap.held
        looked = min(len(verifier.heap), self._room)
        self._room -= looked
        last: Global | None = None
        seen: dict[tuple[str, ...], int] = {}
        for number in range(looked):
            made = held(number)
            if type(made) is not Made or made.origin is None:
                continue
            if made.origin is not last:
                last = made.origin
                seen = self._arguments.setdefault((last.module, last.name), {})
            kinds = _kinds(verifier, made)
            if kinds not in seen and len(seen) >= MOST_SIGNATURES:
                kinds = (MORE,)
            seen[kinds] = seen.get(kinds, 0) + 1

    def all(self) -> tuple[Capability, ...]:
        """What was counted, in the order in which it was met."""
        return tuple(
            Capability(
                *name,
                tuple((verb, uses[verb]) for verb in VERBS if verb in uses),
                self._granted[name],
                tuple(self._arguments.get(name, {}).items()),
            )
            for name, uses in self._uses.items()
        )


def _kinds(verifier: Verifier, made: Made) -> tuple[str, ...]:
    """The kinds of what something was called with, or made with, as far as the stream says."""
    if made.args & sym.KIND != sym.TUPLE:
        return (MORE,)
    codes = verifier.heap.codes(made.args)
    word = verifier.matcher.word  # tells what WORDS does not: builtins that were called
    first = codes if len(codes) <= MOST_ARGUMENTS else codes[:MOST_ARGUMENTS]
    kinds = [word(code) if code & sym.KIND >= sym.MADE else sym.WORDS[code & sym.KIND] for code in first]
    if len(codes) > MOST_ARGUMENTS:
        kinds.append(MORE)
    if made.kwargs:
        kinds.append("kwargs")
    return tuple(kinds)


def graded(
    findings: Iterable[Finding], capabilities: Iterable[Capability], *, unknown: bool
) -> tuple[Finding, ...]:
    """The findings, each about a name with what is known of that; `unknown` says whether to say so of the others."""
    verbs = {(found.module, found.name): frozenset(verb for verb, _ in found.uses) for found in capabilities}
    known: dict[Name, str | None] = {}
    return tuple(_graded(finding, verbs, known, unknown) for finding in findings)


def _graded(
    finding: Finding, verbs: dict[Name, frozenset[str]], known: dict[Name, str | None], unknown: bool
) -> Finding:
    if finding.module is None or finding.name is None:
        return finding
    name = finding.module, finding.name
    if name not in known:
        from safepickle.policy.powers import gadget  # a large table, and most scans find nothing

        known[name] = gadget(*name, verbs.get(name) or EVERY_VERB)  # of what only a refusal names: all it could do
    reason = known[name]
    if reason is None and finding.rule == "provenance" and finding.verb in (BUILD, FILL):
        reason = _SPOILS
    if reason is not None:
        return finding._replace(grade=DANGEROUS, reason=reason)
    return finding._replace(grade=UNKNOWN) if unknown and finding.rule == "not-granted" else finding
