"""YAML text -> a small tree of nodes that know where they stand, and every problem of the YAML itself.

A policy says what a stream may do, so its file is a target: a key given twice, an alias, a tag, or a hidden line
break can make a reviewer and a parser read two different files.  Rules:

* Only mappings, lists and scalars are understood.  Anchors, aliases, tags, directives, merge keys, duplicate keys and
  second documents are problems, and so are characters that a reviewer cannot see.
* A scalar is its text as written, and whether it was quoted; nothing is guessed from how it looks.
* PyYAML's own loaders are not used: its C loader crashes on deep nesting, its constructors guess types.  Its parser's
  events are, with a cap on depth that is checked while iterating.  What a user writes is read by the parser in Python
  alone, so that a policy does not depend on how PyYAML was built.
* Whatever bytes come in, nothing but a tree and a list of problems comes out.
* This module knows YAML and nothing of policies.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Union

from safepickle.errors import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

#: No real policy comes near; a parser in Python reads this much in some seconds.
LARGEST_FILE: Final = 1 << 20
#: Deeper nesting has no meaning in the language and costs stack.
DEEPEST_NESTING: Final = 16
#: Looking for the nearest known word is quadratic in its length, and done for this many problems only.
LONGEST_SUGGESTED: Final = 60
MOST_SUGGESTIONS: Final = 100
MOST_COMPARED: Final = 1000
_MERGE_KEY: Final = "<<"
# Line breaks to YAML 1.1 and not to an editor, a byte order mark, and what turns the direction of displayed text.
_HIDDEN: Final = frozenset(
    "\x85\u2028\u2029\ufeff\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


class Section(NamedTuple):
    """A part of a document that can be read by itself: its lines, and how many stand above them."""

    text: str
    above: int


class Module(NamedTuple):
    """What a packaged file lists under one module: the names, and the section that says under which conditions."""

    name: str
    listed: tuple[str, ...]
    section: Section


class Split(NamedTuple):
    """A packaged file: what is to be read at once, and what can wait."""

    head: str  # the document with blank lines for what can wait
    patterns: Section | None
    modules: tuple[Module, ...]


class Scalar(NamedTuple):
    """Text, as written; `plain` if it was not quoted.  Lines and columns count from 1."""

    text: str
    plain: bool
    line: int
    column: int


class Listing(NamedTuple):
    """A YAML list."""

    items: tuple[Node, ...]
    line: int
    column: int


class Table(NamedTuple):
    """A YAML mapping, in the order written; no key is there twice."""

    entries: tuple[tuple[Scalar, Node], ...]
    line: int
    column: int


class Broken(NamedTuple):
    """What stood here was no part of the language, and has been reported."""

    line: int
    column: int


Node = Union[Scalar, Listing, Table, Broken]


class Problem(NamedTuple):
    """What is wrong, and where: the file as it was named, line and column from 1."""

    label: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.label}:{self.line}:{self.column}: {self.message}"


class Problems:
    """Every problem found so far.  `label` is the name of the file that is being read."""

    __slots__ = ("_suggestions", "found", "label")

    def __init__(self, label: str, found: list[Problem] | None = None) -> None:
        self.label = label
        self.found: list[Problem] = [] if found is None else found
        self._suggestions = 0

    def of(self, label: str) -> Problems:
        """The same list, for another file."""
        return Problems(label, self.found)

    def add(self, where: Node | tuple[int, int], message: str) -> None:
        """Note a problem at a node or at (line, column)."""
        line, column = where[-2:]
        self.found.append(Problem(self.label, line, column, message))

    def sorted(self) -> tuple[str, ...]:
        """The problems as text, file by file as they were met, in each from top to bottom, each once."""
        files = list(dict.fromkeys(problem.label for problem in self.found))
        ordered = sorted(self.found, key=lambda problem: (files.index(problem.label), *problem[1:3]))
        return tuple(dict.fromkeys(map(str, ordered)))

    def unknown(self, where: Scalar, what: str, known: Iterable[str]) -> None:
        """Note a word that the language does not have, with the nearest one that it has."""
        self.add(where, f"unknown {what} {quoted(where.text)}{self.nearest(where.text, known)}")

    def nearest(self, word: str, known: Iterable[str]) -> str:
        """`; did you mean 'x'?` for the known word closest to `word`, else nothing."""
        self._suggestions += 1
        if self._suggestions > MOST_SUGGESTIONS or len(word) > LONGEST_SUGGESTED:
            return ""
        import difflib
        from itertools import islice

        close = difflib.get_close_matches(word, sorted(islice(known, MOST_COMPARED)), n=1)
        return f"; did you mean {close[0]!r}?" if close else ""


def quoted(text: str) -> str:
    """`text` as a message shows it: escaped, cut, in quotes."""
    return f"'{escape(text, 80)}'"


def read(document: str | bytes, problems: Problems, *, ours: bool = False) -> Node | None:
    """The tree of the one document in `document`, or None where the problems leave nothing to go on.

    `ours` is for the packaged files, for each of which a test proves that PyYAML's C parser gives the same events: it
    takes a fortieth of the time.
    """
    text = text_of(document, problems)
    return None if text is None else _Builder(problems).build(text, ours=ours)


def text_of(document: str | bytes, problems: Problems) -> str | None:
    """The text of a document that a reviewer can see as it is, or None."""
    text = _decode(document, problems)
    return text if text is not None and _is_visible(text, problems) else None


def read_section(section: Section, problems: Problems) -> Node | None:
    """The tree of a part of a packaged file, its lines counted from the file's first."""
    return _Builder(problems, section.above).build(section.text, ours=True)


def split(text: str) -> Split | None:
    """A packaged file in parts that can be read by themselves; None if it is laid out in any other way than they are.

    Nothing is decided by what is found here: it says which names are there, and the section of each is read as YAML
    before anything is granted.  A name that this overlooks is not listed, and one that its section lacks is an error
    when it is asked for.  A test holds every packaged file to what it says when it is read as a whole.
    """
    import re

    tops = list(re.finditer(r"^([a-z]+):.*\n", text, re.MULTILINE))
    ends = [*(top.start() for top in tops), len(text)][1:]
    found = {top[1]: text[top.start() : end] for top, end in zip(tops, ends, strict=True)}
    if len(found) < len(tops) or "allow" not in found or re.search(_OTHER_LAYOUT, found["allow"], re.MULTILINE):
        return None
    head = text
    later: dict[str, Section] = {}
    for key in ("allow",) if "persistent" in found else ("allow", "patterns"):  # whose shapes are made of patterns
        if key in found:
            place = text.index(found[key])
            later[key] = Section(found[key], text.count("\n", 0, place))
            head = head.replace(found[key], "\n" * found[key].count("\n"), 1)
    modules = _modules(later["allow"])
    if len({module.name for module in modules}) < len(modules):
        return None
    return Split(head, later.get("patterns"), modules)


# A line below `allow` that is neither a module, nor begins an entry, nor belongs to one, nor says nothing.
_OTHER_LAYOUT: Final = (
    r"^(?!allow:$|  [A-Za-z_][\w.]*:(?: +#.*)?$|    - [A-Za-z_][\w.]*(?::(?: .*)?| *| +#.*)$|     +[^ ]| *(?:#.*)?$)"
)


def _modules(allowed: Section) -> tuple[Module, ...]:
    import re

    heads = list(re.finditer(r"^  ([A-Za-z_][\w.]*):", allowed.text, re.MULTILINE))
    ends = [*(head.start() for head in heads), len(allowed.text)][1:]
    entry = re.compile(r"^    - ([A-Za-z_][\w.]*)", re.MULTILINE)
    modules = []
    above, place = allowed.above, 0
    for head, end in zip(heads, ends, strict=True):
        above += allowed.text.count("\n", place, head.start())
        place = head.start()
        section = Section(allowed.text[place:end], above)
        modules.append(Module(head[1], tuple(dict.fromkeys(entry.findall(section.text))), section))
    return tuple(modules)


def _decode(document: str | bytes, problems: Problems) -> str | None:
    size = len(document) if isinstance(document, bytes) else len(document.encode("utf-8", "surrogatepass"))
    if size > LARGEST_FILE:
        problems.add((1, 1), f"a policy file may have {LARGEST_FILE} bytes, this one has {size}")
        return None
    if isinstance(document, str):
        return document
    try:
        return document.decode("utf-8")
    except UnicodeDecodeError as error:
        before = document[: error.start].decode("utf-8")
        problems.add(_place(before, len(before)), f"byte 0x{document[error.start]:02x} is not UTF-8")
        return None


def _is_visible(text: str, problems: Problems) -> bool:
    if text.isascii() and text.replace("\r\n", "").replace("\n", "").isprintable():
        return True
    for index, char in enumerate(text):
        if char in "\n\t" or (char == "\r" and text[index + 1 : index + 2] == "\n"):
            continue
        if char in _HIDDEN or not ("\x20" <= char <= "\x7e" or char >= "\xa0") or "\ud800" <= char <= "\udfff":
            advice = "in quoted text write an escape"
            problems.add(_place(text, index), f"U+{ord(char):04X} cannot stand in a policy file; {advice}")
            return False
    return True


def _place(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1


class _Stop(Exception):
    """What follows cannot be read; the reason has been noted."""


class _Builder:
    """Events to nodes.  Recursion is bounded by `DEEPEST_NESTING`.  Lines are counted from `above`."""

    __slots__ = ("_above", "_events", "_problems")

    def __init__(self, problems: Problems, above: int = 0) -> None:
        self._above = above
        self._problems = problems
        self._events: Iterator[Any] = iter(())

    def build(self, text: str, *, ours: bool) -> Node | None:
        import yaml  # here: it takes as long to import as the rest of the package several times over

        loader = None
        try:
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text) if ours else yaml.SafeLoader(text)
            self._events = iter(loader.get_event, None)
            return self._stream()
        except _Stop:
            return None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = self._place(mark)
            said = "; ".join(str(part) for part in (error.problem, error.context) if part)
            self._problems.add(place, f"not YAML: {_shown(said)}")
        except (MemoryError, RecursionError):  # which say nothing of the document: how deep it may be is bounded
            raise
        except Exception:  # noqa: BLE001 - PyYAML lets ValueError, OverflowError and others through
            # Its C parser, which reads the packaged files, knows no place beside that of its own errors.
            here = None if loader is None or ours else loader.get_mark()
            self._problems.add(self._place(here), "not YAML: an escape or a number that no character or version has")
        finally:
            if loader:
                loader.dispose()
        return None

    def _stream(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                if root is not None:
                    self._problems.add(self._at(event), "a policy file has one document; this is a second one")
                    raise _Stop
                if event.version or event.tags:
                    self._problems.add(self._at(event), "directives have no place in a policy file")
                root = self._node(next(self._events), 1)
        if root is None:
            self._problems.add((1, 1), "there is nothing here; a policy starts with 'safepickle: 1'")
        return root

    def _node(self, event: Any, depth: int) -> Node:
        kind = type(event).__name__
        line, column = self._at(event)
        if kind == "AliasEvent":
            self._problems.add((line, column), f"aliases are not part of the language: *{escape(event.anchor, 80)}")
            return Broken(line, column)
        marked = self._is_marked(event)
        if kind == "ScalarEvent":
            return Broken(line, column) if marked else Scalar(event.value, not event.style, line, column)
        if depth > DEEPEST_NESTING:
            self._problems.add((line, column), f"nested more than {DEEPEST_NESTING} levels deep")
            raise _Stop
        node = self._table(line, column, depth) if kind == "MappingStartEvent" else self._listing(line, column, depth)
        return Broken(line, column) if marked else node

    def _at(self, event: Any) -> tuple[int, int]:
        mark = event.start_mark
        return self._above + mark.line + 1, mark.column + 1

    def _place(self, mark: Any) -> tuple[int, int]:
        return (self._above + mark.line + 1, mark.column + 1) if mark else (self._above + 1, 1)

    def _is_marked(self, event: Any) -> bool:
        if event.anchor is not None:
            self._problems.add(self._at(event), f"anchors are not part of the language: &{escape(event.anchor, 80)}")
        if event.tag is not None:
            self._problems.add(self._at(event), f"tags are not part of the language: {escape(event.tag, 80)}")
        return event.anchor is not None or event.tag is not None

    def _listing(self, line: int, column: int, depth: int) -> Listing:
        items: list[Node] = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            items.append(self._node(event, depth + 1))
        return Listing(tuple(items), line, column)

    def _table(self, line: int, column: int, depth: int) -> Table:
        entries: list[tuple[Scalar, Node]] = []
        lines: dict[str, int] = {}
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if isinstance(key, Scalar) and self._is_new(key, lines):
                entries.append((key, value))
            elif isinstance(key, (Listing, Table)):
                self._problems.add(key, "a key is text, not a list or a mapping")
        return Table(tuple(entries), line, column)

    def _is_new(self, key: Scalar, lines: dict[str, int]) -> bool:
        if key.plain and key.text == _MERGE_KEY:
            self._problems.add(key, "merge keys are not part of the language")
            return False
        if key.text in lines:
            self._problems.add(key, f"{quoted(key.text)} is already there, in line {lines[key.text]}")
            return False
        lines[key.text] = key.line
        return True


def _shown(said: str) -> str:
    return escape(said).replace("\\\\", "\\")  # PyYAML shows characters as escapes already
