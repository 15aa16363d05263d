"""The command line of what looks into single files: `safepickle explain` and `safepickle show`.

Rules:

* What is printed is bounded by what was asked for, or goes out line by line: no file is too large to be looked into.
* `explain` exits as `scan` does for the same file; `show` exits 0 if all pickles could be read to their ends, else 1.
  What could not be read, and a member that is not there, is 2.
* It tells and decides nothing: `narrate` tells, the scanner finds and judges, the disassembler reads.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Any, Final

from safepickle import cli_policy
from safepickle.console import FOUND, PASSED, UNFINISHED, complain, read_policy, say, to_json
from safepickle.disassemble import Line, disassemble
from safepickle.errors import escape
from safepickle.narrate import LIMIT, Explanation, Narrative, Refused, belongs, explain, rereading
from safepickle.policy import Policy
from safepickle.report import FORBIDDEN, INCOMPLETE, MALFORMED, NOT_A_PICKLE, PASS, Member
from safepickle.scanner import Judged, watched

FORMATS: Final = ("text", "json")
#: Findings about the file as a whole that are shown to people, and names of members that are suggested.
_MOST_SHOWN: Final = 20
_EXIT: Final = {PASS: PASSED, FORBIDDEN: FOUND, MALFORMED: FOUND, INCOMPLETE: UNFINISHED, NOT_A_PICKLE: UNFINISHED}
_SCALES: Final = ((10**9, "G"), (10**6, "M"), (10**3, "k"))
# Rules whose findings a narrative tells at its steps, or as what is wrong with the pickle.
_TOLD: Final = frozenset({"not-granted", "condition", "provenance", "not-accepted", "malformed", "limit", "expansion"})


def add_commands(commands: Any) -> None:
    """Add the commands to the parser of `safepickle`."""
    showing = commands.add_parser("show", help="disassemble a file", description="Disassemble the pickles in a file.")
    showing.add_argument("file", metavar="FILE")
    _add_member(showing)
    showing.set_defaults(run=_show)

    explaining = commands.add_parser(
        "explain", help="say what a pickle does",
        description="Say what the pickles in a file do, as steps that read like Python, and what the policy refuses.",
    )  # fmt: skip
    explaining.add_argument("file", metavar="FILE")
    cli_policy.add_policy(explaining, "--policy", default=None)
    _add_member(explaining)
    explaining.add_argument(
        "--limit", metavar="N", type=_steps, default=LIMIT, help="steps told of a pickle (default: %(default)s)"
    )
    explaining.add_argument("--format", choices=FORMATS, default="text", help="how to print (default: %(default)s)")
    explaining.set_defaults(run=_explain)


def _add_member(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--member", metavar="NAME", help="only the pickles in this member of a container")


def _steps(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError("a number of steps is expected")
    return int(text)


# Explaining.


def _explain(options: argparse.Namespace) -> int:
    policy = None
    if options.policy is not None:
        policy = read_policy(options.policy)
        if policy is None:
            return UNFINISHED
    try:
        told = explain(options.file, policy=policy, member=options.member, limit=options.limit)
    except OSError as error:
        complain(f"{options.file}: {error.strerror or error}")
        return UNFINISHED
    if options.format == "json":
        say(to_json(told.to_dict()))
    else:
        for line in _lines(told):
            say(line)
    if options.member is not None and not told.pickles and not told.untold:
        return _no_member(options, told.report.members)
    return _EXIT[told.report.verdict]


def _lines(told: Explanation) -> Iterator[str]:
    yield f"{told.report.source}: {told.report.verdict}"
    for pickle in told.pickles:
        yield ""
        yield from _narrative(pickle)
    if told.untold:
        yield ""
        yield f"... and {told.untold:,} more pickles, which --member chooses from"
    general = [finding for finding in told.report.findings if finding.rule not in _TOLD]
    if general:
        yield ""
    for finding in general[:_MOST_SHOWN]:
        place = _comma(escape(finding.member or ""), "" if finding.position is None else f"byte {finding.position:,}")
        yield f"{place}{': ' if place else ''}{finding.message} [{finding.rule}]"
    if len(general) > _MOST_SHOWN:
        yield f"... and {len(general) - _MOST_SHOWN:,} more findings, which scan has"


def _comma(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _narrative(told: Narrative) -> Iterator[str]:
    member = told.member
    where = _comma(escape(member.name), f"byte {member.start:,}")
    size = _size(member.stop - member.start) if member.stop > member.start else "it breaks off"
    yield (
        f"# {where}: {member.verdict}; protocol {told.protocol}, {size}, {_round(member.opcodes)} opcodes, "
        f"{_round(told.objects)} objects, {told.depth:,} deep"
    )
    shown: set[Refused] = set()
    for step in told.steps:
        yield f"{step.position:>8}  {step.text}"
        for refused in step.refused:
            yield from _refused(refused, shown)
    if told.is_cut:
        uses = ", ".join(f"{_round(count)} {verb}" for verb, count in told.uses)
        yield f"{'':>8}  # ... and more; in all: {uses or 'none that uses a name'}"
    if told.result is not None:
        yield f"{'':>8}  return {told.result}"
    for problem in told.problems:
        yield f"{'':>8}  # {problem}"
    if told.yaml:
        yield "# What a policy needs beside, once each name has been judged:"
        yield from told.yaml.splitlines()


def _refused(refused: Refused, shown: set[Refused]) -> Iterator[str]:
    """Why a step is refused; what would admit it is said once."""
    yield f"{'':>8}  # REFUSED: {refused.reason} [{_comma(refused.rule, refused.verb or '')}]"
    advice = Refused("", "", None, refused.yaml, refused.advice)
    if advice not in shown:
        shown.add(advice)
        if refused.yaml:
            yield f"{'':>8}  # admitted by: {refused.yaml}"
        if refused.advice:
            yield f"{'':>8}  # {refused.advice}"


def _round(number: int) -> str:
    """A number for people: three digits of it."""
    return _size(number).removesuffix("B").rstrip()


def _size(number: int) -> str:
    """A number of bytes for people."""
    for scale, unit in _SCALES:
        if number >= scale:
            return f"{number / scale:.3g} {unit}B" if number < 1000 * scale else f"{number // scale:,} {unit}B"
    return f"{number} B"


# Showing.


def _show(options: argparse.Namespace) -> int:
    try:
        return _Shown(options).exit_code()
    except BrokenPipeError:  # not the file: whoever read the output has gone
        raise
    except OSError as error:
        complain(f"{options.file}: {error.strerror or error}")
        return UNFINISHED


class _Shown:
    """The pickles of a file being shown, as the scanner finds them.

    It goes through the file twice: what it finds at first it may take back.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._is_broken = False
        self._wanted: set[tuple[str, int]] = set()

    def exit_code(self) -> int:
        """Show them."""
        options = self._options
        policy = Policy.named("plain")
        members = watched(options.file, policy=policy).members
        self._wanted = {(found.name, found.start) for found in members if belongs(found, options.member)}
        if not self._wanted:
            return _no_member(options, members)
        watched(options.file, policy=policy, watch=self._watch)
        return FOUND if self._is_broken else PASSED

    def _watch(self, judged: Judged) -> None:
        place = judged.member.name, judged.member.start
        if place in self._wanted:
            self._wanted.remove(place)
            self._member(judged)

    def _member(self, judged: Judged) -> None:
        name, start = judged.member.name, judged.member.start
        if name or start:
            say(f"{start:>8}  -- {_comma(escape(name), 'the next pickle')}")
        reader, shift = rereading(judged)
        last: Line | None = None
        for last in disassemble(reader, shift=shift):
            say(str(last))
        self._is_broken = self._is_broken or last is None or bool(last.problem)


def _no_member(options: argparse.Namespace, members: Iterable[Member]) -> int:
    names = list(dict.fromkeys(member.name for member in members if member.name))
    there = ", ".join(escape(name) for name in names[:_MOST_SHOWN]) + (", ..." if len(names) > _MOST_SHOWN else "")
    missing = "no pickle" if options.member is None else f"no pickle in a member {options.member}"
    complain(f"{options.file}: {missing}; the members with pickles: {there or 'none'}")
    return UNFINISHED
