"""From trusted samples to the least policy that admits them.

Every sample is verified under a base policy, `plain` unless another is given; what the verifier finds missing is what
the new policy grants, under conditions as narrow as the samples justify, and the result is tried on every sample.

Rules:

* Nothing is imported or run.  A sample is trusted to be honest, and still read like any other.
* What `lint` refuses is withheld: it is said with its reason and its place, and never written as a grant.
* Only what the base does not admit is learned, so a policy that is learned onto a file adds to what the file says.
* What is granted is what was used: verbs, the shapes of arguments, the attributes of states.  Payload stays out of it.
* Of the limits only the depth is learned, with room: how long an honest pickle may be, the next one shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from safepickle import symbols as sym
from safepickle.errors import PolicyError, escape
from safepickle.limits import DEFAULTS
from safepickle.policy import Policy
from safepickle.policy.infer import MOST_ALTERNATIVES, Summary, View, shallow
from safepickle.policy.model import (
    ACCEPTABLE,
    BUILD,
    CALL,
    FILL,
    NEW,
    PERSISTENT_IDS,
    POWERFUL_PARTS,
    REFER,
    VERBS,
    Grant,
    Name,
    PersistentShape,
    PolicyData,
)
from safepickle.policy.observe import Pass, Problem, Source, read_samples
from safepickle.policy.patterns import ANY, AnyOf, DictItems, Items, Pattern, Shape, children
from safepickle.policy.powers import changes_result, danger, shared, telling
from safepickle.policy.write import entry, inline, word
from safepickle.scanner import rule_of

#: Levels of containers that a learned pattern looks into.
DEEPEST: Final = 3
#: More attributes than a reviewer reads are not listed.
MOST_ATTRIBUTES: Final = 60
# Names up to this length, of identifiers, are read by whatever reads policies; of others it is asked.
_SURELY_SHORT: Final = 500
# Room for what the samples happen not to show.  No science went into these numbers.
_DEPTH_HEADROOM: Final = 4
_LEAST_DEPTH: Final = 50
# How to say it, the narrowest first: with patterns, with kinds only and shared states open, with verbs alone.
_CAREFUL, _BY_KIND, _BY_VERB = range(3)


class Entry(NamedTuple):
    """One learned item of `allow`: what is granted, and where that was seen first and how often."""

    name: Name
    grant: Grant
    text: str
    sample: str
    position: int | None
    uses: tuple[tuple[str, int], ...]

    def comment(self) -> str:
        """For people: uses by verb, and the first place."""
        counts = ", ".join(f"{verb} {count}x" for verb, count in self.uses)
        return f"{counts}, first in {_place(self.sample, self.position)}"

    def lines(self) -> list[str]:
        """The item with its comments: where it comes from, and what its reviewer has to judge."""
        asked = changes_result(self.name[1], self.grant.verbs)
        said = telling(self.name[1]) if CALL in self.grant.verbs else None
        judge = [f"# To be judged: {'it ' + asked if asked else said}"] if asked or said else []
        return [f"# {self.comment()}", *judge, f"- {self.text}"]


class Withheld(NamedTuple):
    """A name that the samples use and that no policy should list."""

    name: Name
    verbs: tuple[str, ...]
    reason: str
    sample: str
    position: int | None

    def __str__(self) -> str:
        spelled = f"{escape(self.name[0])}.{escape(self.name[1])}"
        return f"{spelled} ({', '.join(self.verbs)}), first in {_place(self.sample, self.position)}: {self.reason}"


class Learned(NamedTuple):
    """What was learned: the whole policy, and what it adds to its base, with what could not be learned."""

    policy: Policy  # the base and what was learned
    added: PolicyData  # what was learned alone
    entries: tuple[Entry, ...]
    persistent: tuple[str, ...]  # shapes of persistent IDs, as YAML
    accept: tuple[str, ...]
    withheld: tuple[Withheld, ...]
    problems: tuple[Problem, ...]
    samples: int
    pickles: int


def learn(samples: Iterable[Any], base: Policy | None = None) -> Policy:
    """The least policy that admits the samples: bytes-like objects, paths, or binary files.

    Raises `PolicyError` with everything that could not be learned: names that no policy should list, and samples that
    cannot be read as pickles.
    """
    learned = study(samples, base)
    errors = tuple(f"not granted: {name}" for name in learned.withheld) + tuple(map(str, learned.problems))
    if errors:
        raise PolicyError("\n".join(errors), errors)
    return learned.policy


def study(samples: Iterable[Any], base: Policy | None = None) -> Learned:
    """What there is to learn, with what there is not."""
    start = Policy.named("plain") if base is None else base
    if start.is_unrestricted:
        raise PolicyError("the unrestricted policy already grants everything: there is nothing to learn onto it")
    sources = [Source(sample, start.limits) for sample in read_samples(samples)]
    problems = [problem for source in sources for problem in source.problems]
    study_ = _Study(start, is_new=base is None)
    for source in sources:
        study_.look_at(source, problems)
    return study_.outcome(sources, problems)


def lacking(judged: Pass, base: Policy, again: Callable[[Policy], Pass]) -> Learned:
    """What one pickle, judged under `base`, needs that it does not grant; `again` judges it under another policy.

    Nobody need trust the pickle: it is told what would admit it, not that it should be.
    """
    problems: list[Problem] = []
    study_ = _Study(base, is_new=False)
    study_.take_in(judged, problems)
    return study_.outcome([_Judged(again)], problems)


class _Judged(Source):
    """One pickle that is judged by its owner."""

    __slots__ = ("_again",)

    def __init__(self, again: Callable[[Policy], Pass]) -> None:
        self.problems = []
        self._places = None
        self._again = again

    def judged(self, policy: Policy, problems: list[Problem]) -> Iterator[Pass]:  # noqa: ARG002 - none are its own
        yield self._again(policy)

    def refused(self, policy: Policy) -> list[Problem]:
        judged = self._again(policy)
        return [Problem(judged.sample, refusal.position, refusal.message) for refusal in judged.refusals]


class _Need:
    """What the samples need of one name."""

    __slots__ = (
        "_seen", "attributes", "bases", "fills", "keywords", "open_arguments", "position", "sample", "shared_state",
        "signatures", "states", "uses", "verbs",
    )  # fmt: skip

    def __init__(self, sample: str, position: int | None) -> None:
        self.sample = sample
        self.position = position
        self.verbs: set[str] = set()
        self.uses: dict[str, int] = {}
        self.signatures: dict[int, list[Summary]] = {}  # by the number of arguments
        self.keywords: dict[str, Summary] | None = None
        self.open_arguments = False  # the stream does not spell all of them out
        self.attributes: dict[str, None] | None = {}  # None: not all states are attributes by name
        self.states = Summary(DEEPEST)
        self.shared_state = False
        self.fills: dict[int, tuple[Summary, ...]] = {}  # by the kind of container that it was filled as
        self.bases: dict[str, None] = {}
        self._seen: set[tuple[int, int, int]] = set()  # what is given again is not looked at again

    def count(self, uses: dict[str, int]) -> None:
        for verb, number in uses.items():
            self.uses[verb] = self.uses.get(verb, 0) + number

    def see_arguments(self, view: View, made: sym.Made) -> None:
        if made.args & sym.KIND != sym.TUPLE:
            self.open_arguments = True
            return
        given = view.number, made.args, made.kwargs
        if given in self._seen:
            return
        self._seen.add(given)
        codes = view.heap.codes(made.args)
        places = self.signatures.setdefault(len(codes), [Summary(DEEPEST) for _ in codes])
        for place, code in zip(places, codes, strict=True):
            place.add(view, code)
        if made.kwargs:
            self._see_keywords(view, made.kwargs)

    def _see_keywords(self, view: View, kwargs: int) -> None:
        if kwargs & sym.KIND != sym.DICT:
            self.open_arguments = True
            return
        pairs = view.heap.codes(kwargs)
        self.keywords = {} if self.keywords is None else self.keywords
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            name = view.matcher.key_text(key)
            if name is None or not _is_attribute(name):
                self.open_arguments = True
            else:
                self.keywords.setdefault(name, Summary(DEEPEST)).add(view, value)

    def see_state(self, view: View, state: int) -> None:
        given = view.number, state, -1
        if given in self._seen:
            return
        self._seen.add(given)
        names = self._attribute_names(view, state)
        if names is not None and self.attributes is not None:
            self.attributes |= dict.fromkeys(names)
        elif names is None:
            self.attributes = None
        self.states.add(view, state)

    def see_fills(self, view: View, made: sym.Made) -> None:
        step = 2 if made.filled == sym.DICT else 1
        places = self.fills.setdefault(made.filled, tuple(Summary(DEEPEST - 1) for _ in range(step)))
        for start, place in enumerate(places):
            for code in made.fills[start::step]:
                place.add(view, code)

    def _attribute_names(self, view: View, state: int) -> list[str] | None:
        parts = [state]
        if state & sym.KIND == sym.TUPLE:
            parts = view.heap.codes(state)
            if len(parts) != 2:
                return None
        names: list[str] = []
        for part in parts:
            if part & sym.KIND == sym.NONE:
                continue
            if part & sym.KIND != sym.DICT:
                return None
            self.shared_state = self.shared_state or view.heap.is_lent(part)
            spelled = [view.matcher.key_text(key) for key in view.heap.codes(part)[::2]]
            if not all(name is not None and _is_attribute(name) for name in spelled):
                return None
            names += [name for name in spelled if name is not None]
        return names

    # The grant

    def grant(self, known: Callable[[str], bool], care: int, room: int) -> Grant:
        """The narrowest grant of that care, its patterns looking into `room` levels of containers."""
        verbs = frozenset(self.verbs - {REFER}) or frozenset({REFER})
        grant = Grant(verbs, base=self._base(known))
        if care == _BY_VERB:
            return grant
        room = room if care == _CAREFUL else 0
        if verbs & {CALL, NEW} and not self.open_arguments:
            grant = grant._replace(args=self._signatures(known, room), kwargs=self._keywords(known, room, verbs))
        if BUILD in verbs and not (self.shared_state and care == _BY_KIND):
            grant = self._with_state(grant, known, room)
        if FILL in verbs and care == _CAREFUL:
            grant = grant._replace(fill=self._fill(known, room))
        return grant

    def _fill(self, known: Callable[[str], bool], room: int) -> Pattern | None:
        if len(self.fills) != 1:
            return None
        (kind, places), *_ = self.fills.items()
        patterns = [place.pattern(known) for place in places]
        if kind == sym.DICT:
            return shallow(DictItems(*patterns), room)
        return shallow(Items(sym.WORDS[kind], *patterns), room) if kind in (sym.LIST, sym.SET) else None

    def _base(self, known: Callable[[str], bool]) -> str | None:
        # What the built-in ones may be given is understood without being listed.
        bases = sorted(self.bases, key=lambda base: (base.startswith("builtins."), base))
        return next((base for base in bases if NEW in self.verbs and known(base)), None)

    def _signatures(self, known: Callable[[str], bool], room: int) -> tuple[Shape, ...] | None:
        shapes = [
            Shape(tuple(shallow(place.pattern(known), room) for place in places))
            for _, places in sorted(self.signatures.items())
        ]
        if len(shapes) <= MOST_ALTERNATIVES:
            return tuple(shapes) or None
        return (Shape((ANY,) * min(self.signatures), rest=True),)

    def _keywords(
        self, known: Callable[[str], bool], room: int, verbs: frozenset[str]
    ) -> tuple[tuple[str, Pattern], ...] | None:
        if self.keywords is None or NEW not in verbs:
            return None
        return tuple((name, shallow(seen.pattern(known), room)) for name, seen in sorted(self.keywords.items()))

    def _with_state(self, grant: Grant, known: Callable[[str], bool], room: int) -> Grant:
        if self.attributes is not None:
            listed = len(self.attributes) <= MOST_ATTRIBUTES
            return grant._replace(attributes=frozenset(self.attributes)) if listed else grant
        state = shallow(self.states.pattern(known), room)
        return grant if state == ANY else grant._replace(state=state)


class _Study:
    """The needs of all samples, gathered name by name."""

    def __init__(self, base: Policy, *, is_new: bool) -> None:
        self._base = base
        self._is_new = is_new
        self._needs: dict[Name, _Need] = {}
        self._accept: dict[str, None] = {}
        self._ids = Summary(DEEPEST)
        self._needs_ids = False
        self._deepest = 0
        self._pickles = 0

    # Gathering

    def look_at(self, source: Source, problems: list[Problem]) -> None:
        """Take in what a sample needs that the base does not admit."""
        source.judge(self._base, problems, lambda judged: self.take_in(judged, problems))

    def take_in(self, judged: Pass, problems: list[Problem]) -> None:
        """Take in what a pickle needs that the base does not admit."""
        self._pickles += 1
        view = View(judged.verifier.heap, judged.verifier.matcher)
        refused = self._refusals(judged, problems)
        self._look_at_names(judged, view, refused)
        if self._needs_ids:
            for code in judged.verifier.persistent_codes:
                self._ids.add(view, code)
        self._deepest = max(self._deepest, _depth(view))

    def _refusals(self, judged: Pass, problems: list[Problem]) -> set[Name]:
        refused: set[Name] = set()
        for refusal in judged.refusals:
            rule = rule_of(refusal)
            if rule == "not-accepted":
                self._accept_kind(refusal.reason)
                continue
            if rule == "provenance" or refusal.module is None or refusal.name is None or refusal.verb is None:
                problems.append(Problem(judged.sample, refusal.position, refusal.message))
                continue
            name = refusal.module, refusal.name
            if name in self._base.data.denied:
                problems.append(Problem(judged.sample, refusal.position, refusal.message))
            else:
                need = self._needs.setdefault(name, _Need(judged.sample, refusal.position))
                need.verbs.add(refusal.verb)
                refused.add(name)
                if refusal.path == "base":
                    need.bases |= dict.fromkeys(judged.bases_of(judged.verifier.globals[name]))
        return refused

    def _accept_kind(self, reason: str) -> None:
        kinds = [kind for kind in ACCEPTABLE if kind in reason]
        self._accept |= dict.fromkeys(kinds)
        self._needs_ids = self._needs_ids or not kinds or PERSISTENT_IDS in kinds

    def _look_at_names(self, judged: Pass, view: View, refused: set[Name]) -> None:
        for symbol in judged.symbols():
            name = symbol.module, symbol.name
            if name in refused:
                self._needs[name].count(symbol.uses)
        for made in judged.made():
            origin = made.origin
            if origin is not None and (origin.module, origin.name) in refused:
                need = self._needs[origin.module, origin.name]
                need.see_arguments(view, made)
                if made.built:
                    need.see_state(view, made.state)
                if made.filled:
                    need.see_fills(view, made)

    # The outcome

    def outcome(self, sources: list[Source], problems: list[Problem]) -> Learned:
        """The narrowest policy of what was gathered that admits every sample, as far as it can be admitted."""
        withheld = self._withheld()
        grantable = {name: need for name, need in self._needs.items() if name not in {gone.name for gone in withheld}}
        known = self._known(grantable)
        left: list[Problem] = []
        for care in (_CAREFUL, _BY_KIND, _BY_VERB):
            entries = tuple(_entry(name, need, known, care) for name, need in sorted(grantable.items()))
            added = self._added(entries, known)
            policy = Policy(_joined(self._base, added))
            unlearned = {gone.name for gone in withheld}
            left = [found for source in sources for found in _left(source, policy, unlearned, source.problems)]
            if not left:
                break
        said = {(problem.sample, problem.position) for problem in problems}
        problems += [problem for problem in left if (problem.sample, problem.position) not in said]
        shapes = tuple(text for shape in added.persistent or () if (text := inline(shape.pattern)))
        return Learned(
            policy, added, entries, shapes, tuple(sorted(added.accept)), tuple(withheld),
            tuple(dict.fromkeys(problems)), len(sources), self._pickles,
        )  # fmt: skip

    def _withheld(self) -> list[Withheld]:
        withheld: list[Withheld] = []
        for name, need in sorted(self._needs.items()):
            verbs = tuple(verb for verb in VERBS if verb in need.verbs - {REFER}) or (REFER,)
            reason = danger(*name, frozenset(verbs)) or shared(*name, frozenset(verbs)) or _unlistable(name)
            if reason:
                withheld.append(Withheld(name, verbs, reason, need.sample, need.position))
        return withheld

    def _known(self, grantable: dict[Name, _Need]) -> Callable[[str], bool]:
        """Which dotted names the new policy can refer to: those that mean one listed name."""
        counts: dict[str, int] = {}
        for name in {*self._base.data.grants, *grantable}:
            dotted = ".".join(name)
            counts[dotted] = counts.get(dotted, 0) + 1
        return lambda dotted: counts.get(dotted) == 1

    def _added(self, entries: tuple[Entry, ...], known: Callable[[str], bool]) -> PolicyData:
        limits: dict[str, int] = {}
        if self._is_new:
            limits = self._limits()
        persistent: tuple[PersistentShape, ...] | None = None
        if self._needs_ids:
            pattern = self._ids.pattern(known)
            ways = _one_by_one(pattern)
            fitting = (shallow(way, room) for way in ways for room in _fitting(way))
            persistent = tuple(dict.fromkeys(PersistentShape(way) for way in fitting))
        grants = {found.name: (found.grant,) for found in entries}
        return PolicyData(grants, persistent=persistent, accept=frozenset(self._accept), named_limits=limits)

    def _limits(self) -> dict[str, int]:
        limits = {}
        depth = max(_LEAST_DEPTH, _DEPTH_HEADROOM * self._deepest)
        if depth < DEFAULTS.depth:
            limits["depth"] = depth
        return limits


def _one_by_one(pattern: Pattern) -> list[Pattern]:
    """The alternatives of a pattern, those without others inside as one: an 8-bit string is text or bytes."""
    ways = pattern.alternatives if isinstance(pattern, AnyOf) else (pattern,)
    simple = tuple(way for way in ways if not children(way))
    together: list[Pattern] = [AnyOf(simple)] if len(simple) > 1 else [*simple]
    return together + [way for way in ways if children(way)]


def _fitting(pattern: Pattern) -> list[int]:
    """The most levels of a pattern that can be written in one line, as a list of one."""
    rooms = [room for room in range(DEEPEST, -1, -1) if inline(shallow(pattern, room)) is not None]
    return rooms[:1]


def _entry(name: Name, need: _Need, known: Callable[[str], bool], care: int) -> Entry:
    for room in range(DEEPEST, -1, -1):
        grant = need.grant(known, care, room)
        text = entry(name, grant)
        if text is not None:
            break
    else:
        grant = need.grant(known, _BY_VERB, 0)
        text = entry(name, grant) or ""
    uses = tuple((verb, need.uses[verb]) for verb in VERBS if verb in need.uses)
    return Entry(name, grant, text, need.sample, need.position, uses)


def _joined(base: Policy, added: PolicyData) -> PolicyData:
    from safepickle.policy.model import join

    return join(base.data, added)


def _left(source: Source, policy: Policy, withheld: set[Name], known: list[Problem]) -> list[Problem]:
    """What the policy still refuses of a sample, but for names that were withheld and for what is said already."""
    if not known and not withheld:
        return source.refused(policy)
    problems: list[Problem] = []

    def take(judged: Pass) -> None:
        problems.extend(
            Problem(judged.sample, refusal.position, refusal.message)
            for refusal in judged.refusals
            if (refusal.module, refusal.name) not in withheld and rule_of(refusal) != "provenance"
        )

    source.judge(policy, problems, take)
    return problems


def _depth(view: View) -> int:
    heap = view.heap
    depths = (heap.depth(number << sym.SHIFT | sym.TUPLE) for number in range(len(heap)))
    return max((depth for depth in depths if depth < sym.TAINT), default=0)


def _is_attribute(name: str) -> bool:
    """Whether a policy can list an attribute or a keyword of that name."""
    return name.isidentifier() and len(name) <= 1000 and name not in POWERFUL_PARTS and _is_normal(name)


def _is_normal(name: str) -> bool:
    from unicodedata import is_normalized

    return name.isascii() or is_normalized("NFKC", name)


def _unlistable(name: Name) -> str | None:
    """Why no policy can list a name, in the words of whatever reads policies."""
    if len("".join(name)) < _SURELY_SHORT and all(map(_is_attribute, ".".join(name).split("."))):
        return None
    try:
        Policy.from_yaml(f"safepickle: 1\nallow: {{{word(name[0])}: [{word(name[1])}]}}")
    except PolicyError as error:
        return error.errors[0].split(": ", 1)[1]
    return None


def _place(sample: str, position: int | None) -> str:
    return escape(sample) + ("" if position is None else f" at byte {position}")


# Writing


def document(learned: Learned) -> str:
    """The YAML of what was learned, for a file of its own, with a comment for each name."""
    count = f"{learned.samples} sample{'' if learned.samples == 1 else 's'}, {learned.pickles} pickles"
    lines = ["safepickle: 1", f"# Learned from {count}.  Judge each name before you rely on it."]
    modules: dict[str, list[Entry]] = {}
    for found in learned.entries:
        modules.setdefault(found.name[0], []).append(found)
    lines += ["allow:"] if modules else []
    for module, entries in modules.items():
        lines.append(f"  {word(module)}:")
        for found in entries:
            lines += [f"    {line}" for line in found.lines()]
    if learned.added.persistent is not None:
        lines.append("persistent:")
        lines += [f"  - {text}" for text in learned.persistent]
    if learned.accept:
        lines.append(f"accept: [{', '.join(learned.accept)}]")
    if learned.added.named_limits:
        lines.append("limits:")
        lines += [f"  {name}: {value}" for name, value in sorted(learned.added.named_limits.items())]
    lines += remarks(learned)
    return "\n".join(lines) + "\n"


def remarks(learned: Learned) -> list[str]:
    """What was not learned, as comments."""
    lines = [f"# Not granted: {gone}" for gone in learned.withheld]
    return lines + [f"# Not learned: {problem}" for problem in learned.problems]
