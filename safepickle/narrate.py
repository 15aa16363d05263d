"""What a pickle does, told as steps that read like Python: what it imports, makes, calls and changes, what it gives.

There is no second reading here.  The scanner finds and judges the pickles; of each the verifier goes through the bytes
once more, and between the opcodes its heap is looked at: what is new there is what has happened.

Rules:

* What is told of an object is what the verifier knows at that moment; nothing is imported, called or built.
* What is told is bounded, whatever the pickle: so many steps, so many items, so many levels, so many characters.  What
  is left out is counted.  Beside the verifier's own heap, a byte is kept for each of its nodes.
* An object that is met more than once has a name and is told once.  No part of this recurses further than the levels
  that are shown.
* Text of the stream is escaped.  A name that is not a plain ASCII identifier is quoted, and no object is called by it.
* Each step that the policy refuses says why, and what would admit it: as `learn` would write it, unless no policy
  should list it.  Refusals are the verifier's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safepickle import opcodes as op
from safepickle import symbols as sym
from safepickle.containers.source import BytesSource
from safepickle.disassemble import show_argument
from safepickle.errors import LimitExceeded, StreamError, escape
from safepickle.policy import Policy, resolve_policy
from safepickle.policy.model import BUILD, CALL, FILL, NEW, REFER, VERBS
from safepickle.policy.observe import Pass
from safepickle.policy.write import word
from safepickle.report import Member, Report
from safepickle.scanner import Judged, packaged, rule_of, watched
from safepickle.symbols import Global, Made
from safepickle.verifier import Options, Verifier
from safepickle.windows import WindowReader

if TYPE_CHECKING:
    from safepickle.policy.learn import Learned

__all__ = ["LIMIT", "Explanation", "Narrative", "Refused", "Step", "belongs", "explain", "rereading"]

#: Steps told of one pickle.
LIMIT: Final = 100
#: Pickles of one source that are told; of the others it is said that they are there.
MOST_PICKLES: Final = 100
#: How much of a value is shown.  No science went into these numbers.
_LEVELS: Final = 5
_ITEMS: Final = 12
_VALUES: Final = 60
_LONGEST_NAME: Final = 100

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_BRACKETS: Final = {
    sym.TUPLE: ("(", ")"), sym.LIST: ("[", "]"), sym.DICT: ("{", "}"), sym.SET: ("{", "}"),
    sym.FROZENSET: ("frozenset({", "})"),
}  # fmt: skip
_EMPTY: Final = {sym.SET: "set()", sym.FROZENSET: "frozenset()"}
_ASKS: Final = {sym.PERSISTENT: "persistent_load(...)", sym.BUFFER: "buffer"}
_NO_POLICY: Final = "no policy can grant this"


class Refused(NamedTuple):
    """Why the policy refuses a step, and what would admit it."""

    reason: str
    rule: str
    verb: str | None = None
    yaml: str = ""  # what a policy has to say; empty where none can or should say it
    advice: str = ""  # why none should, where that is known


class Step(NamedTuple):
    """One thing that a pickle does."""

    position: int  # byte offset of the opcode in its stream
    kind: str  # import, attribute, call, new, state, fill, persistent, buffer, holds, other
    text: str
    module: str | None = None
    name: str | None = None
    verb: str | None = None
    refused: tuple[Refused, ...] = ()


class Narrative(NamedTuple):
    """What one pickle does."""

    member: Member
    protocol: int
    objects: int  # containers, and what calls and `new` make
    depth: int
    uses: tuple[tuple[str, int], ...]  # how often names are used, by verb; persistent IDs and buffers as well
    steps: tuple[Step, ...]
    is_cut: bool  # whether there are more steps
    result: str | None  # what it gives; None where it never gets so far
    problems: tuple[str, ...]  # what is wrong beside what single steps say
    yaml: str  # the policy that admits it, as far as one should; empty where nothing is missing

    def to_dict(self) -> dict[str, Any]:
        """The narrative as plain data for JSON."""
        steps = [
            {**step._asdict(), "refused": [refused._asdict() for refused in step.refused]} for step in self.steps
        ]
        return {**self._asdict(), "member": self.member._asdict(), "uses": dict(self.uses), "steps": steps,
                "problems": list(self.problems)}  # fmt: skip


class Explanation(NamedTuple):
    """What all the pickles of a source do, and what the scan says of the source."""

    report: Report
    pickles: tuple[Narrative, ...]
    untold: int  # pickles that were judged and are not told

    @property
    def ok(self) -> bool:
        """Whether everything was analysed, and passed."""
        return self.report.ok

    def to_dict(self) -> dict[str, Any]:
        """The explanation as plain data for JSON."""
        return {
            "source": self.report.source,
            "verdict": self.report.verdict,
            "ok": self.ok,
            "policy": self.report.policy,
            "pickles": [pickle.to_dict() for pickle in self.pickles],
            "untold": self.untold,
            "findings": [finding._asdict() for finding in self.report.findings],
        }


def explain(source: Any, *, policy: Any = None, member: str | None = None, limit: int = LIMIT) -> Explanation:
    """Tell what each pickle in `source` does, importing and running nothing.

    `source` and `policy` are what `scan` takes.  `member` chooses the pickles of one stream of a container by the name
    that a report gives it, with those in containers within that stream.  At most `limit` steps are told of a pickle.
    Raises PolicyError for a bad policy, TypeError for a source of another kind, ValueError for a negative limit, and
    OSError for a file that cannot be read.
    """
    if limit < 0:
        raise ValueError("the limit is a number of steps")
    chosen = packaged() if policy is None else resolve_policy(policy)
    told: dict[Member, Narrative] = {}

    def watch(judged: Judged) -> None:
        if len(told) < 2 * MOST_PICKLES and belongs(judged.member, member):
            told[judged.member] = _Teller(judged, chosen, limit).narrative()

    report = watched(source, policy=chosen, watch=watch)
    wanted = [found for found in dict.fromkeys(report.members) if belongs(found, member)]
    pickles = tuple(told[found] for found in wanted if found in told)[:MOST_PICKLES]
    return Explanation(report, pickles, len(wanted) - len(pickles))


def belongs(found: Member, member: str | None) -> bool:
    """Whether a pickle stands in the stream of that name, or in one within it; every one does where none is named."""
    return member is None or found.name == member or found.name.startswith(f"{member}!/")


class _EnoughError(Exception):
    """The pass has come to where the judgement ended."""


class _Teller:
    """One pickle that the scanner has judged, being gone through once more."""

    def __init__(self, judged: Judged, policy: Policy, limit: int) -> None:
        self._judged = judged
        self._policy = policy
        self._limit = limit
        self._reader, self._offset = rereading(judged)
        self._verifier = self._another(policy)
        self._heap = self._verifier.heap
        self._shared, self._objects, self._depth = _survey(judged.verifier)
        self._steps: list[Step] = []
        self._is_cut = False
        self._names: dict[int, str] = {}  # codes of objects -> what they are called
        self._imported: dict[tuple[str, str], str] = {}
        self._taken: dict[str, int] = {}  # names, and how often each was wanted
        self._held: dict[int, int] = {}  # containers that have been told -> how many of their items were
        self._filled: dict[int, int] = {}  # instances -> how many of their fills were told
        self._literals: dict[int, str] = {}
        self._mentioned: list[int] = []  # containers whose names were used before they were told
        self._nodes = self._refusals = self._asked = self._buffers = 0  # how many were seen so far
        self._refused: dict[tuple[str, str, str], int] = {}  # (module, name, verb) -> where it was refused first
        self._room = 0

    def _another(self, policy: Policy) -> Verifier:
        return Verifier(self._reader, policy.data, policy.limits, Options(scanning=True))

    def narrative(self) -> Narrative:
        """Tell it."""
        judged = self._judged.verifier
        result = None
        self._reader.again(watch=self._look)
        with suppress(StreamError, _EnoughError, MemoryError, RecursionError):  # the scanner has said what is wrong
            self._verifier.check()
        if self._verifier.opcodes <= judged.opcodes:
            self._look()
        self._reader.watch = None
        if judged.finished and self._verifier.finished:
            result = self._result()
        steps, yaml = self._with_advice()
        uses = dict.fromkeys(VERBS, 0)
        for symbol in judged.globals.values():
            for verb, count in symbol.uses.items():
                uses[verb] += count
        uses |= {"persistent": judged.persistent_ids, "buffer": judged.buffers}
        problems = [
            finding.message if finding.position is None else f"{finding.message} (byte {finding.position:,})"
            for finding in self._judged.findings
            if finding.rule not in {"not-granted", "condition", "provenance", "not-accepted"}
        ]
        return Narrative(
            self._judged.member, judged.plan().protocol, self._objects, self._depth,
            tuple((verb, count) for verb, count in uses.items() if count), tuple(steps), self._is_cut, result,
            tuple(problems), yaml,
        )  # fmt: skip

    # -- What has happened -------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Called between opcodes: tell what is new."""
        verifier = self._verifier
        if verifier.opcodes > self._judged.verifier.opcodes:
            raise _EnoughError
        if self._is_cut:
            self._reader.watch = None
            return
        before = len(self._steps)
        for number in range(self._nodes, len(self._heap)):
            held = self._heap.held(number)
            if isinstance(held, Made):
                self._tell_made(number << sym.SHIFT | sym.MADE, held)
            elif isinstance(held, Global):
                self._tell_global(number, held)
        self._nodes = len(self._heap)
        if verifier.last_built:
            self._tell_state(verifier.last_built, verifier.last_state)
        if verifier.last_filled:
            self._tell_fill(verifier.last_filled)
        self._tell_asked()
        verifier.last_built = verifier.last_state = verifier.last_filled = verifier.last_called = 0
        if len(verifier.refusals) > self._refusals:
            self._mark(before)

    def _place(self) -> int:
        return self._reader.where(self._reader.at) + self._offset

    def _opcode(self) -> int:
        return self._reader.data[self._reader.at] if self._reader.at < len(self._reader.data) else 0

    def _add(
        self, kind: str, text: str, symbol: Global | None = None, verb: str | None = None, position: int | None = None
    ) -> None:
        for step in self._untold():
            self._append(step)
        module, name = (symbol.module, symbol.name) if symbol else (None, None)
        step = Step(self._place() if position is None else position, kind, text, module, name, verb)
        if symbol and verb and (symbol.module, symbol.name, verb) in self._refused:
            place = self._refused[symbol.module, symbol.name, verb]
            step = step._replace(refused=(Refused(f"as at byte {place:,}", "not-granted", verb),))
        self._append(step)

    def _append(self, step: Step) -> None:
        if len(self._steps) < self._limit:
            self._steps.append(step)
        else:
            self._is_cut = True

    def _mark(self, before: int) -> None:
        """Hold the refusals that are new against the step that caused them."""
        new = self._verifier.refusals[self._refusals :]
        self._refusals = len(self._verifier.refusals)
        for refusal in new:
            if refusal.module and refusal.name and refusal.verb and not refusal.reason:
                self._refused.setdefault((refusal.module, refusal.name, refusal.verb), self._place())
        if len(self._steps) == before and not self._is_cut:
            self._add("other", f"# {new[0].opcode}")
        for refusal in new:
            use = refusal.module, refusal.name, refusal.verb
            fitting = (at for at in range(before, len(self._steps)) if self._steps[at][3:6] == use)
            at = next(fitting, len(self._steps) - 1)
            if at >= before:
                refused = Refused(refusal.message, rule_of(refusal), refusal.verb, refusal.reason)
                step = self._steps[at]
                self._steps[at] = step._replace(refused=(*step.refused, refused))

    def _tell_global(self, number: int, symbol: Global) -> None:
        key = symbol.module, symbol.name
        if key in self._imported or self._is_cut:
            return
        is_refused = len(self._verifier.refusals) > self._refusals
        self._room = _VALUES
        if symbol.base is not None:
            target = self._heap.receivers.get(number)
            name = symbol.name.rpartition(".")[2]
            held = self._value(target) if target else self._global(symbol.base)
            self._imported[key] = f"{self._global(symbol.base)}.{_part(name)}"
            self._add("attribute", f"getattr({held}, {_quoted(name)})", symbol, REFER)
            return
        if symbol.helper and not is_refused:  # understood as an opcode of a later protocol, see the verifier
            self._imported[key] = symbol.name
            return
        plain = all(_IDENTIFIER.fullmatch(part) for part in symbol.name.split("."))
        named = symbol.name if plain and len(symbol.name) <= _LONGEST_NAME else "global_1"
        called = self._imported[key] = self._unique(named)
        spelled = named if plain and named == symbol.name else _quoted(symbol.name)
        module = symbol.module if all(map(_IDENTIFIER.fullmatch, symbol.module.split("."))) else _quoted(symbol.module)
        renamed = "" if called == spelled else f" as {called}"
        self._add("import", f"from {_cut(module)} import {spelled}{renamed}", symbol, REFER)

    def _tell_made(self, code: int, made: Made) -> None:
        if self._is_cut:
            return
        self._room = _VALUES
        called = self._verifier.last_called
        origin = made.origin
        if origin is not None and called & sym.KIND == sym.BOUND and made.called:
            receiver = self._value(self._heap.receivers[called >> sym.SHIFT])
            function = f"{receiver}.{_part(origin.name.rpartition('.')[2])}"
        elif origin is not None:
            function = self._global(origin)
        elif self._opcode() == op.STACK_GLOBAL:
            function = "find_class"
        else:
            function = self._value(called) if called else "..."
        given = self._items(made.args, inside=True)
        if made.kwargs:
            given = ", ".join(filter(None, [given, f"**{self._value(made.kwargs)}"]))
        is_call = made.called or (origin is None and self._opcode() not in {op.NEWOBJ, op.NEWOBJ_EX})
        if not is_call:
            given = ", ".join(filter(None, [function, given]))
            function += ".__new__"
        stem = origin.name.rpartition(".")[2] if origin is not None else "object"
        name = self._names[code] = self._unique(_stem(stem))
        self._add("call" if is_call else "new", f"{name} = {function}({given})", origin, CALL if is_call else NEW)

    def _tell_state(self, target: int, state: int) -> None:
        if target & sym.KIND == sym.PARTIAL or self._is_cut:
            return
        self._room = _VALUES
        text = f"{self._value(target)}.__setstate__({self._value(state)})"
        self._add("state", text, self._origin(target), BUILD)

    def _tell_fill(self, target: int) -> None:
        if self._is_cut:
            return
        self._room = _VALUES
        items: list[int] = []
        if target & sym.KIND == sym.MADE:
            fills = self._heap.of(target).fills
            items = fills[self._filled.get(target, 0) :]
            self._filled[target] = len(fills)
        self._add("fill", self._filling(self._value(target), items), self._origin(target), FILL)

    def _filling(self, name: str, items: list[int]) -> str:
        code = self._opcode()
        if code == op.SETITEM and len(items) == 2:
            return f"{name}[{self._value(items[0])}] = {self._value(items[1])}"
        if code == op.APPEND and items:
            return f"{name}.append({self._value(items[0])})"
        if code in {op.SETITEM, op.SETITEMS}:
            return f"{name}.update({{{self._pairs(items)}}})" if items else f"{name}.update(...)"
        given = self._row(items, _ITEMS) if items else "..."
        return f"{name}.update({{{given}}})" if code == op.ADDITEMS else f"{name}.extend([{given}])"

    def _tell_asked(self) -> None:
        """Tell of what the application was asked for."""
        verifier = self._verifier
        for code in verifier.persistent_codes[self._asked :]:
            self._room = _VALUES
            given = self._value(code)
            name = self._unique("persistent_1")
            self._names[self._reader.at << sym.SHIFT | sym.PERSISTENT] = name
            self._add("persistent", f"{name} = persistent_load({given})")
        self._asked = len(verifier.persistent_codes)
        if verifier.buffers > self._buffers:
            self._buffers = verifier.buffers
            name = self._unique("buffer_1")
            self._names[self._reader.at << sym.SHIFT | sym.BUFFER] = name
            self._add("buffer", f"{name} = next(buffers)")

    def _origin(self, code: int) -> Global | None:
        kind = code & sym.KIND
        if kind in (sym.GLOBAL, sym.BOUND):
            symbol: Global = self._heap.of(code)
            return symbol
        made: Made | None = self._heap.of(code) if kind == sym.MADE else None
        return made.origin if made is not None else None

    def _result(self) -> str:
        self._room = _VALUES
        text = self._value(self._verifier.result)
        place = self._place()
        for step in self._untold():
            self._append(step._replace(position=place))
        return text

    # -- Names -------------------------------------------------------------------------------------------------------

    def _unique(self, wanted: str) -> str:
        """A name that nothing else has: `wanted`, or with another number at its end."""
        if wanted not in self._taken:
            self._taken[wanted] = 1
            return wanted
        stem = wanted.removesuffix("_1")
        while True:
            self._taken[wanted] += 1
            name = f"{stem}_{self._taken[wanted]}"
            if name not in self._taken:
                self._taken[name] = 1
                return name

    def _global(self, symbol: Global) -> str:
        return self._imported.get((symbol.module, symbol.name)) or _part(symbol.name)

    # -- Containers that have names ----------------------------------------------------------------------------------

    def _untold(self) -> list[Step]:
        """Steps that tell of containers: those whose names were used for the first time, and those that have grown."""
        told: list[Step] = []
        while not self._is_full(told):
            self._tell_mentioned(told)
            self._tell_grown(told)
            if not self._mentioned:
                break
        return told

    def _is_full(self, told: list[Step]) -> bool:
        return len(self._steps) + len(told) > self._limit

    def _tell_mentioned(self, told: list[Step]) -> None:
        """Each container after those in it, as far as they do not hold each other."""
        place = self._place()
        begun = 0
        waiting: list[tuple[int, str | None]] = [(code, None) for code in reversed(self._mentioned)]
        self._mentioned = []
        while waiting and not self._is_full(told):
            code, text = waiting.pop()
            if text is not None:
                told.append(Step(place, "holds", text))
                begun -= 1
            elif code not in self._held:
                self._held[code] = self._heap.count(code)
                self._room = _VALUES
                text = f"{self._names[code]} = {self._literal_container(code)}"
                waiting.append((code, text))
                begun += 1
                if len(self._steps) + len(told) + begun < self._limit:  # else the outer ones are worth more
                    waiting += [(inner, None) for inner in reversed(self._mentioned)]
                self._is_cut = self._is_cut or (bool(self._mentioned) and waiting[-1][1] is not None)
                self._mentioned = []
        self._is_cut = self._is_cut or bool(waiting)

    def _tell_grown(self, told: list[Step]) -> None:
        place = self._place()
        for code, shown in list(self._held.items()):
            count = self._heap.count(code)
            if count > shown and not self._is_full(told):
                self._held[code] = count
                self._room = _VALUES
                told.append(Step(place, "holds", self._growth(code, self._heap.codes(code)[shown:])))

    def _growth(self, code: int, items: list[int]) -> str:
        name = self._names[code]
        if code & sym.KIND == sym.LIST:
            return f"{name} += [{self._row(items, _ITEMS)}]"
        inner = self._pairs(items) if code & sym.KIND == sym.DICT else self._row(items, _ITEMS)
        return f"{name}.update({{{inner}}})"

    # -- Values ------------------------------------------------------------------------------------------------------

    def _value(self, code: int, level: int = 0) -> str:
        """A value in a few words.  Recurses `_LEVELS` deep at most."""
        kind = code & sym.KIND
        if kind in _BRACKETS:
            return self._container(code, level)
        if kind == sym.GLOBAL:
            return self._global(self._heap.of(code))
        if kind == sym.BOUND:
            symbol: Global = self._heap.of(code)
            receiver = self._heap.receivers[code >> sym.SHIFT]
            inner = self._value(receiver, level + 1) if level < _LEVELS else "..."
            return f"{inner}.{_part(symbol.name.rpartition('.')[2])}"
        if kind == sym.MADE:
            return self._names.get(code) or self._unnamed(self._heap.of(code))
        if kind in _ASKS:
            return self._names.get(code) or _ASKS[kind]
        if kind == sym.PRIOR:  # where nothing was loaded before, what _codecs.encode gives
            return show_argument(self._heap.of(code).value)
        if kind == sym.PARTIAL:
            return sym.WORDS[kind]
        return self._literal(code)

    def _unnamed(self, made: Made) -> str:
        return f"{self._global(made.origin)}(...)" if made.origin is not None else "..."

    def _literal(self, code: int) -> str:
        known = self._literals.get(code)
        if known is not None:
            return known
        kind = code & sym.KIND
        reader = self._reader
        reader.brief = True
        try:
            value = reader.literal(code >> sym.SHIFT)
            if kind == sym.ENCODED and isinstance(value, str):
                value = value.encode("latin-1", "replace")
            shown = "None" if kind == sym.NONE else show_argument(value)
        except (StreamError, LimitExceeded):
            shown = f"<{sym.WORDS[kind]}>"
        finally:
            reader.brief = False
        if kind == sym.BYTEARRAY:
            shown = f"bytearray({shown})"
        if len(self._literals) < 10 * _VALUES * (self._limit + 1):
            self._literals[code] = shown
        return shown

    def _container(self, code: int, level: int) -> str:
        name = self._names.get(code)
        count = self._heap.count(code)
        if name is None and self._shared[code >> sym.SHIFT] > 1 and (count or code & sym.KIND not in (
            sym.TUPLE, sym.FROZENSET
        )):  # fmt: skip
            name = self._names[code] = self._unique(f"{sym.WORDS[code & sym.KIND]}_1")
        if name is not None:
            if code not in self._held:
                self._mentioned.append(code)
            return name
        if level >= _LEVELS or self._room <= 0:
            begin, end = _BRACKETS[code & sym.KIND]
            return f"{begin}...{end}" if count else self._literal_container(code)
        return self._literal_container(code, level)

    def _literal_container(self, code: int, level: int = 0) -> str:
        kind = code & sym.KIND
        begin, end = _BRACKETS[kind]
        if not self._heap.count(code):
            return _EMPTY.get(kind, begin + end)
        if kind == sym.DICT:
            return begin + self._pairs(self._heap.codes(code), level) + end
        return begin + self._items(code, level=level) + ("," if self._single(code) else "") + end

    def _single(self, code: int) -> bool:
        return code & sym.KIND == sym.TUPLE and self._heap.count(code) == 1

    def _items(self, code: int, *, inside: bool = False, level: int = 0) -> str:
        """The items of a container; `inside` the brackets of a call."""
        if code & sym.KIND not in _BRACKETS:
            return f"*{self._value(code)}" if inside and code else ""
        return self._row(self._heap.codes(code), _ITEMS, level)

    def _row(self, codes: list[int], most: int, level: int = 0) -> str:
        shown = []
        for code in codes[:most]:
            if self._room <= 0:
                break
            self._room -= 1
            shown.append(self._value(code, level + 1))
        return ", ".join(shown + ([f"... {len(codes) - len(shown):,} more"] if len(shown) < len(codes) else []))

    def _pairs(self, codes: list[int], level: int = 0) -> str:
        shown = []
        for place in range(0, min(len(codes), 2 * _ITEMS), 2):
            if self._room <= 0:
                break
            self._room -= 2
            shown.append(f"{self._value(codes[place], level + 1)}: {self._value(codes[place + 1], level + 1)}")
        left = len(codes) // 2 - len(shown)
        return ", ".join(shown + ([f"... {left:,} more"] if left else []))

    # -- What would admit it -----------------------------------------------------------------------------------------

    def _with_advice(self) -> tuple[list[Step], str]:
        """The steps, with what would admit each one that is refused, and the policy that admits the whole."""
        if not self._judged.verifier.refusals or self._policy.is_unrestricted:
            return self._steps, ""
        from safepickle.policy.learn import lacking  # a large module, for what is refused only

        self._reader.again()
        self._reader.boundary()  # literals are read from what is available again
        learned = lacking(Pass("", self._judged.verifier), self._policy, self._pass_under)
        advise = _Advice(learned, self._policy)
        steps = [
            step._replace(refused=tuple(advise.on(step, refused) for refused in step.refused)) if step.refused else step
            for step in self._steps
        ]
        return steps, _policy(learned)

    def _pass_under(self, policy: Policy) -> Pass:
        self._reader.again()
        verifier = self._another(policy)
        with suppress(StreamError, MemoryError, RecursionError):  # what ends this pass ended the other one
            verifier.check()
        return Pass("", verifier)


class _Advice:
    """What would admit a refused step, by the name that it needs."""

    def __init__(self, learned: Learned, policy: Policy) -> None:
        self._denied = policy.data.denied
        self._entries = {entry.name: entry for entry in learned.entries}
        self._withheld = {gone.name: gone.reason for gone in learned.withheld}
        self._persistent = learned.persistent

    def on(self, step: Step, refused: Refused) -> Refused:
        """The refusal with its advice; while it has none, its `yaml` is the reason that the verifier gave."""
        reason = refused.yaml
        if refused.rule == "provenance":
            return refused._replace(yaml="", advice=_NO_POLICY)
        if refused.rule == "not-accepted":
            shapes = f"persistent: [{', '.join(self._persistent)}]" if reason.startswith("persistent:") else reason
            return refused._replace(yaml=shapes)
        name = step.module or "", step.name or ""
        if name in self._withheld:
            return refused._replace(yaml="", advice=f"no policy should list it: {self._withheld[name]}")
        entry = self._entries.get(name)
        if entry is None:
            return refused._replace(yaml="", advice="the policy denies it" if name in self._denied else _NO_POLICY)
        return refused._replace(yaml=f"allow: {{{word(name[0])}: [{entry.text}]}}")


def _policy(learned: Learned) -> str:
    """The policy that admits what can be admitted; of the comments only what is to be judged, and what is withheld."""
    if not (learned.entries or learned.accept or learned.persistent):
        return ""
    from safepickle.policy.learn import document

    lines = [line for line in document(learned).splitlines() if not re.match(r"\s*# (?!To be judged)", line)]
    lines += [
        f"# Not granted: {escape(gone.name[0])}.{escape(gone.name[1])} ({', '.join(gone.verbs)}): {gone.reason}"
        for gone in learned.withheld
    ]
    return "".join(f"{line}\n" for line in lines)


def rereading(judged: Judged) -> tuple[WindowReader, int]:
    """A reader that reads the pickle once more, and what its places have to be shifted by."""
    reader = judged.reader
    if isinstance(reader, WindowReader):
        return reader, 0
    start = reader.pos + reader.shift - reader.consumed
    again = WindowReader(BytesSource(bytes(reader.data)), start, integer_digits=reader.integer_digits)
    return again, judged.member.start - start


def _survey(verifier: Verifier) -> tuple[bytearray, int, int]:
    """How often each node is held, up to two times, how many of them are objects, and the depth of the deepest."""
    heap = verifier.heap
    counts = bytearray(len(heap))
    objects = depth = 0

    def hold(codes: Iterable[int]) -> None:
        for code in codes:
            if code & sym.KIND >= sym.FIRST_NODE and counts[code >> sym.SHIFT] < 2:
                counts[code >> sym.SHIFT] += 1

    for number in range(len(heap)):
        held = heap.held(number)
        if isinstance(held, list):
            hold(held)
        elif isinstance(held, Made):
            hold((held.args, held.kwargs, held.state, *held.fills))
        else:
            continue
        objects += 1
        found = heap.depth(number << sym.SHIFT | sym.TUPLE)
        depth = found if depth < found < sym.TAINT else depth
    hold([verifier.result])
    return counts, objects, depth


def _stem(name: str) -> str:
    """What objects of a class are called, with the first number."""
    stem = name.lower().strip("_")
    return f"{stem}_1" if _IDENTIFIER.fullmatch(stem) and len(stem) <= 30 else "object_1"


def _part(name: str) -> str:
    """A name as a part of an expression."""
    return name if all(map(_IDENTIFIER.fullmatch, name.split("."))) and len(name) <= _LONGEST_NAME else _quoted(name)


def _quoted(text: str) -> str:
    return ascii(text[:_LONGEST_NAME]) + (f"... ({len(text)} characters)" if len(text) > _LONGEST_NAME else "")


def _cut(text: str) -> str:
    return text if len(text) <= 2 * _LONGEST_NAME else escape(text, _LONGEST_NAME)
