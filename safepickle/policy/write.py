"""`PolicyData` -> the YAML document that means it.

Rules:

* What is written reads back as an equal policy.  Includes are written out; what `plain` grants is not repeated, since
  every policy stands on it.
* A long pattern that stands in several places is written once, as a named pattern: what a policy includes would
  otherwise outgrow what a reader takes for one document.
* Lines are for people: one for each name, modules and names sorted.  Any text is quoted that is not a plain word.
* A pattern that is nested more deeply than a document may be is written in parts, as named patterns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from safepickle.errors import PolicyError
from safepickle.policy.model import (
    BUILD,
    CALL,
    EVERY_VERB,
    FILL,
    NEW,
    REFER,
    VERBS,
    Grant,
    Name,
    PersistentShape,
    PolicyData,
)
from safepickle.policy.patterns import (
    AnyOf,
    Built,
    DictItems,
    Fields,
    Filled,
    GlobalNamed,
    InstanceOf,
    IntRange,
    Is,
    Items,
    Length,
    LengthProduct,
    Memory,
    Pattern,
    Regex,
    Shape,
    Word,
    children,
)

# Levels of nesting that are left for a pattern in the deepest place of an entry, and in `patterns`.
_ROOM: Final = 6
_ROOM_NAMED: Final = 12
# A construct and its list take two levels, and what does not fit below them is written as {pattern: name}.
_LEAST_ROOM: Final = 3
# Other readers of YAML take these for booleans and nulls; ours does not.
_MISREAD: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
# What is said of one name.
_KEYS: Final = {GlobalNamed: "global", InstanceOf: "instance", Built: "built", Memory: "memory"}
_SHORTEST_SHARED: Final = 60  # characters; a reference and a name take about thirty
_LONGEST_KEY: Final = 500  # YAML cannot find the colon of a longer key that is not marked as one


def document(data: PolicyData, plain: PolicyData) -> str:
    """The YAML of `data`, less what `plain` says.  Raises `PolicyError` for what has no YAML."""
    if data.unrestricted:
        raise PolicyError("the unrestricted policy has no YAML: no document grants everything")
    return _Writer(data, plain).written()


def entry(name: Name, grant: Grant) -> str | None:
    """One item of `allow` in one line, or None if that nests more deeply than a document may."""
    writer = _Writer(_NOTHING, _NOTHING)
    text = writer.entry(name, grant)
    return None if writer.has_parts else text


def inline(pattern: Pattern) -> str | None:
    """One item of `persistent` likewise."""
    writer = _Writer(_NOTHING, _NOTHING)
    text = writer.pattern(pattern)
    return None if writer.has_parts else text


def conditions_of(grant: Grant, verb: str) -> str:
    """The conditions under which a grant admits a verb, in one line; empty where there are none."""
    bare = Grant(EVERY_VERB, plain=True, then_build=grant.then_build, native_state=grant.native_state)
    if verb in (CALL, NEW):
        bare = bare._replace(args=grant.args)
    if verb == NEW:
        bare = bare._replace(kwargs=grant.kwargs, base=grant.base)
    if verb == BUILD:
        bare = bare._replace(state=grant.state, attributes=grant.attributes)
    if verb in (REFER, FILL):
        bare = bare._replace(then_build=False, native_state=False)
    if verb == FILL:
        bare = bare._replace(fill=grant.fill)
    return ", ".join(_Writer(_NOTHING, _NOTHING).conditions(bare))


def word(text: str) -> str:
    """A name or a key as YAML that every reader takes for that text."""
    return _word(text)


_NOTHING: Final = PolicyData({})


class _Writer:
    __slots__ = ("_data", "_named", "_plain", "_shared")

    def __init__(self, data: PolicyData, plain: PolicyData) -> None:
        self._data = data
        self._plain = plain
        self._named: dict[Pattern, tuple[str, str]] = {}  # patterns written in parts: name and text
        self._shared: frozenset[Pattern] = frozenset()  # patterns that stand in several places

    def written(self) -> str:
        """The whole document."""
        data = self._data
        self._shared = _in_several_places(data, self._own())
        head = ["safepickle: 1"]
        if data.description:
            head.append(f"description: {_quoted(data.description)}")
        if data.aliases:
            head.append("aliases:")
            head += [f"  {_word(old)}: {_word(new)}" for old, new in sorted(data.aliases.items())]
        body = [*self._allow(), *self._deny(), *self._persistent()]
        if data.accept:
            body.append(f"accept: [{', '.join(sorted(data.accept))}]")
        if data.named_limits:
            body.append("limits:")
            body += [f"  {name}: {value}" for name, value in sorted(data.named_limits.items())]
        return "\n".join([*head, *self._patterns(), *body]) + "\n"

    @property
    def has_parts(self) -> bool:
        """Whether patterns had to be written in parts."""
        return bool(self._named)

    def pattern(self, pattern: Pattern) -> str:
        """A pattern in the deepest place of an entry."""
        return self._pattern(pattern, _ROOM)

    def _own(self) -> Iterable[tuple[Name, Grant]]:
        """Each grant that `plain` does not give."""
        for name, grants in sorted(self._data.grants.items()):
            known = {grant.conditions() for grant in self._plain.grants.get(name, ())}
            for grant in grants:
                if grant.conditions() not in known:
                    yield name, grant

    def _allow(self) -> Iterable[str]:
        modules: dict[str, list[str]] = {}
        for name, grant in self._own():
            modules.setdefault(name[0], []).append(f"    - {self.entry(name, grant)}")
        return _by_module("allow", modules)

    def _deny(self) -> Iterable[str]:
        modules: dict[str, list[str]] = {}
        for module, name in sorted(self._data.denied - self._plain.denied):
            modules.setdefault(module, []).append(f"    - {_word(name)}")
        return _by_module("deny", modules)

    def entry(self, name: Name, grant: Grant) -> str:
        """A name with its conditions."""
        conditions = list(self.conditions(grant))
        return f"{_word(name[1])}: {{{', '.join(conditions)}}}" if conditions else _word(name[1])

    def conditions(self, grant: Grant) -> Iterable[str]:
        """Each key of an entry with its value."""
        if not grant.plain:
            # To refer is implied by the other verbs, and is written where it was.
            yield f"use: [{', '.join(verb for verb in VERBS if verb in grant.verbs)}]"
        elif grant.verbs != EVERY_VERB:
            raise PolicyError(f"a plain name grants every verb, not only {', '.join(sorted(grant.verbs))}")
        if grant.args is not None:
            yield f"args: [{', '.join(self._signature(shape) for shape in grant.args)}]"
        if grant.kwargs is not None:
            yield f"kwargs: {self._pairs(grant.kwargs, _ROOM)}"
        if grant.state is not None:
            yield f"state: {self._pattern(grant.state, _ROOM)}"
        if grant.attributes is not None:
            yield f"attributes: [{', '.join(map(_word, sorted(grant.attributes)))}]"
        if grant.fill is not None:
            yield f"fill: {self._pattern(grant.fill, _ROOM)}"
        if grant.base is not None:
            yield f"base: {_word(grant.base)}"
        if grant.native_state:
            yield "native_state: true"
        if grant.then_build:
            yield f"then: {BUILD}"
        if grant.reason:
            yield f"reason: {_quoted(grant.reason)}"

    def _persistent(self) -> Iterable[str]:
        if self._data.persistent is None:
            return
        if not self._data.persistent:
            yield "persistent: []"
            return
        yield "persistent:"
        for shape in self._data.persistent:
            yield f"  - {self._persistent_shape(shape)}"

    def _persistent_shape(self, shape: PersistentShape) -> str:
        pattern = self._pattern(shape.pattern, _ROOM)
        return pattern if shape.makes is None else f"{{id: {pattern}, makes: {_word('.'.join(shape.makes))}}}"

    def _patterns(self) -> Iterable[str]:
        if self._named:
            yield "patterns:"
        for name, text in self._named.values():
            yield f"  {name}: {text}"

    # Patterns

    def _signature(self, shape: Shape) -> str:
        items = [self._pattern(item, _ROOM) for item in shape.items]
        return f"[{', '.join([*items, *(['rest'] if shape.rest else [])])}]"

    def _pattern(self, pattern: Pattern, room: int) -> str:
        if pattern not in self._shared and (_levels(pattern) <= room or room >= _LEAST_ROOM):
            return self._inline(pattern, room)
        if pattern not in self._named:
            text = self._inline(pattern, _ROOM_NAMED)
            self._named[pattern] = (f"part_{len(self._named) + 1}", text)
        return f"{{pattern: {self._named[pattern][0]}}}"

    def _pairs(self, pairs: tuple[tuple[str, Pattern], ...], room: int, mark: str = "") -> str:
        return f"{{{', '.join(self._pair(key + mark, pattern, room - 1) for key, pattern in pairs)}}}"

    def _pair(self, key: str, pattern: Pattern, room: int) -> str:
        written = _word(key)
        return f"{'? ' if len(written) > _LONGEST_KEY else ''}{written} : {self._pattern(pattern, room)}"

    def _inline(self, pattern: Pattern, room: int) -> str:
        match pattern:
            case Word(kind):
                return kind
            case Is(kind, value):
                return _literal(kind, value)
            case Regex(expression):
                return f"{{str: {_quoted(expression)}}}"
            case IntRange(low, high):
                return f"{{int: [{low}, {high}]}}"
            case GlobalNamed(text) | InstanceOf(text) | Built(text) | Memory(text):
                return f"{{{_KEYS[type(pattern)]}: {_word(text)}}}"
            case Filled(text, items):
                return f"{{instance: {_word(text)}, fill: {self._pattern(items, room - 1)}}}"
            case Items(kind, item):
                return f"{{{kind}: {self._pattern(item, room - 1)}}}"
            case Length(low, high, of):
                return f"{{length: [{low}, {high}], of: {self._pattern(of, room - 1)}}}"
            case LengthProduct(field, of):
                return f"{{length: {{product: {field}}}, of: {self._pattern(of, room - 1)}}}"
            case _:
                return self._several(pattern, room)

    def _several(self, pattern: DictItems | Fields | AnyOf | Shape, room: int) -> str:
        match pattern:
            case DictItems(key, value):
                return f"{{dict: [{self._pattern(key, room - 2)}, {self._pattern(value, room - 2)}]}}"
            case Fields(required, optional):
                pairs = [self._pair(key, value, room - 2) for key, value in required]
                pairs += [self._pair(f"{key}?", value, room - 2) for key, value in optional]
                return f"{{fields: {{{', '.join(pairs)}}}}}"
            case AnyOf(alternatives):
                return f"{{any_of: [{', '.join(self._pattern(way, room - 2) for way in alternatives)}]}}"
            case Shape(items, rest):
                if rest:
                    raise PolicyError("further items (rest) can be written in a signature only")
                return f"[{', '.join(self._pattern(item, room - 1) for item in items)}]"


def _in_several_places(data: PolicyData, own: Iterable[tuple[Name, Grant]]) -> frozenset[Pattern]:
    """The patterns that are worth a name: long ones which stand in more than one place."""
    pending = [shape.pattern for shape in data.persistent or ()]
    for _, grant in own:
        pending += [item for shape in grant.args or () for item in shape.items]
        pending += [pattern for _, pattern in grant.kwargs or ()]
        pending += [] if grant.state is None else [grant.state]
    seen: set[Pattern] = set()
    several: set[Pattern] = set()
    while pending:
        pattern = pending.pop()
        if isinstance(pattern, Word):
            continue
        if pattern in seen:
            several.add(pattern)  # what is below it stands in one place, its own
        else:
            seen.add(pattern)
            pending += children(pattern)
    writer = _Writer(_NOTHING, _NOTHING)
    return frozenset(
        pattern for pattern in several if not _is_bound(pattern) and len(writer.pattern(pattern)) >= _SHORTEST_SHARED
    )


def _is_bound(pattern: Pattern) -> bool:
    """Whether a pattern has to stand in its own place: it speaks of what is around it, or is not all that equals it."""
    if isinstance(pattern, (LengthProduct, Memory)) or (isinstance(pattern, Is) and pattern == Is("float", 0.0)):
        return True  # -0.0 is another value that equals it
    return any(map(_is_bound, children(pattern)))


def _levels(pattern: Pattern) -> int:
    """Levels of YAML that `pattern` takes when it is written in one piece."""
    if isinstance(pattern, Word):
        return 0
    below = max(map(_levels, children(pattern)), default=0)
    if isinstance(pattern, (DictItems, Fields, AnyOf)):
        return below + 2
    return max(below + 1, 2 if isinstance(pattern, (IntRange, Length, LengthProduct)) else 1)


def _by_module(head: str, modules: dict[str, list[str]]) -> Iterable[str]:
    if modules:
        yield f"{head}:"
    for module, lines in modules.items():
        yield f"  {_word(module)}:"
        yield from lines


def _literal(kind: str, value: None | float | str | bytes) -> str:
    if isinstance(value, bytes):
        return f"{{bytes: {_quoted(value.decode('latin-1'))}}}"
    if isinstance(value, str):
        return f"{{is: {_quoted(value)}}}"
    if isinstance(value, float):
        shown = repr(value)
        return f"{{is: {shown.replace('inf', '.inf')}}}"
    return f"{{is: {'null' if kind == 'none' else str(value).lower()}}}"


def _word(text: str) -> str:
    """`text` without quotes if every reader of YAML takes it for text."""
    is_plain = text.isascii() and text.replace(".", "").isidentifier() and text.lower() not in _MISREAD
    return text if is_plain else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if (" " <= char <= "~") or char.isalnum():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
