"""A policy document -> `PolicyData`, or every problem in it at once.

The language is strict, so that a typing error can neither widen nor narrow a policy in silence.  Rules:

* Unknown keys are problems, and so are names that are not dotted identifiers, conditions that no listed verb could
  meet, references to what is not listed, and includes that leave their file's folder.
* A scalar is text as written, so `no` is the name no; only `is`, `int`, `length`, limits and flags are typed.
* Named patterns are replaced by what they stand for, within a bound, so that a policy of a few lines cannot become one
  of a billion nodes.
* Grants and denies are put under the names that streams are judged by: aliases are followed, and a deny of a Python 2
  name is also one of the Python 3 name that it is read as.
* Whatever bytes are given, the result is data or a `PolicyError`.
* This module knows the language, and nothing of streams.  It never imports what a policy names.
"""

from __future__ import annotations

import os
from _thread import RLock
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, NamedTuple

from safepickle.errors import PolicyError
from safepickle.limits import FIELDS
from safepickle.policy.deferred import Later, mapping, once
from safepickle.policy.document import (
    LARGEST_FILE,
    Broken,
    Listing,
    Module,
    Node,
    Problem,
    Problems,
    Scalar,
    Section,
    Split,
    Table,
    quoted,
    read,
    read_section,
    split,
    text_of,
)
from safepickle.policy.model import (
    ACCEPTABLE,
    BUILD,
    CALL,
    EVERY_VERB,
    FILL,
    NEW,
    POWERFUL_PARTS,
    VERBS,
    Grant,
    Name,
    PersistentShape,
    PolicyData,
    join,
)
from safepickle.policy.patterns import (
    ANY,
    FILLABLE,
    LAYOUTS,
    REST,
    VIEW_FIELD,
    VIEWS,
    WORDS,
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
from safepickle.policy.regex import refusal

LANGUAGE_VERSION: Final = "1"
#: Files that include files that include files ...
DEEPEST_INCLUDE: Final = 16
MOST_FILES: Final = 256
#: Nodes that references to named patterns may add to one document.
MOST_EXPANDED: Final = 100_000
DEEPEST_PATTERN: Final = 32
LONGEST_NAME: Final = 1000
LARGEST_LIMIT: Final = 2**63 - 1

TOP_KEYS: Final = (
    "safepickle", "description", "include", "allow", "deny", "patterns", "aliases", "persistent", "accept", "limits",
)  # fmt: skip
ENTRY_KEYS: Final = ("use", "args", "kwargs", "state", "attributes", "fill", "base", "native_state", "then", "reason")
PATTERN_KEYS: Final = (
    "is", "bytes", "str", "int", "global", "instance", "built", "list", "tuple", "set", "frozenset", "dict", "fields",
    "length", "any_of", "pattern", "memory",
)  # fmt: skip
# Limits that count bytes, and so may be written with a unit.
BYTE_LIMITS: Final = frozenset({"bytes", "copy_work", "unpacked", "unpacked_opcodes"})
UNITS: Final = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
# The protocol's own helpers are recognised by these modules' names, and an alias would hide them.
_NEVER_ALIASED: Final = frozenset({"builtins", "copyreg", "_codecs", "functools", "__builtin__", "copy_reg"})
# Which verbs a condition is about; a condition without any of them says nothing.
_ABOUT: Final = {
    "args": (CALL, NEW),
    "kwargs": (NEW,),
    "base": (NEW,),
    "state": (BUILD,),
    "attributes": (BUILD,),
    "fill": (FILL,),
    "then": (BUILD,),
}


class Source(NamedTuple):
    """Where a document came from: its label in messages, and the folder that it may include files from, if any."""

    label: str
    folder: str | None = None
    ours: bool = False  # one of the packaged files
    whole: bool = True  # else what one of them lists under a module is read when a name of it is asked for


class FileRead(NamedTuple):
    """A file that a policy was made of: how it was named, the folder it may not leave (None: any), and its bytes."""

    path: str
    within: str | None
    content: bytes


class Library:
    """Reads documents and what they include, and collects their problems.

    `packaged` gives the data of a packaged policy by name, `names` all such names.  `plain` is what every policy
    stands on, for looking up the names that a document refers to; it is not part of what is returned.
    """

    __slots__ = ("_open", "_packaged", "_read", "files", "found", "names", "plain")

    def __init__(
        self, packaged: Callable[[str], PolicyData], names: Callable[[], tuple[str, ...]], plain: PolicyData
    ) -> None:
        self._packaged = packaged
        self.names = names
        self.plain = plain
        self.found: list[Problem] = []
        self.files: list[FileRead] = []
        self._open: list[str] = []
        self._read: dict[str, PolicyData] = {}

    def load_text(self, text: str | bytes, source: Source) -> PolicyData:
        """The data of a document and of what it includes.  Raises `PolicyError` with every problem found."""
        data = self._document(text, source)
        self.complain()
        return data

    def load_file(self, path: str) -> PolicyData:
        """The same, of a file.  A file that cannot be read is a `PolicyError` too."""
        problems = Problems(path, self.found)
        data = self._file(FileRead(path, None, b""), problems, (1, 1))
        self.complain()
        return data

    def complain(self) -> None:
        """Raise `PolicyError` with every problem found, if there is one."""
        if self.found:
            errors = Problems("", self.found).sorted()
            head = "" if len(errors) == 1 else f"{len(errors)} problems\n"
            raise PolicyError(head + "\n".join(errors), errors)

    def _document(self, text: str | bytes, source: Source) -> PolicyData:
        problems = Problems(source.label, self.found)
        parts = None
        if source.ours and not source.whole:
            shown = text_of(text, problems)
            parts = None if shown is None else split(shown)
        root = read(text if parts is None else parts.head, problems, ours=source.ours)
        return _EMPTY if root is None else _Document(self, source, problems).read(root, parts)

    def _file(self, wanted: FileRead, problems: Problems, where: Node | tuple[int, int]) -> PolicyData:
        try:
            real = real_path(wanted.path, wanted.within)
            content = b"" if real in self._read or real in self._open else file_content(wanted.path, wanted.within)
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            problems.add(where, f"{quoted(wanted.path)} cannot be read: {said}")
            return _EMPTY
        if real in self._open:
            problems.add(where, f"{quoted(wanted.path)} includes itself")
            return _EMPTY
        if real not in self._read:
            if len(self._open) >= DEEPEST_INCLUDE or len(self.files) >= MOST_FILES:
                problems.add(where, f"includes are over {DEEPEST_INCLUDE} levels deep, or {MOST_FILES} files")
                return _EMPTY
            self.files.append(wanted._replace(content=content))
            self._open.append(real)
            self._read[real] = self._document(content, Source(wanted.path, os.path.dirname(wanted.path) or os.curdir))
            self._open.pop()
        return self._read[real]

    def include(self, wanted: Scalar, source: Source, problems: Problems) -> PolicyData | None:
        """The data of an included policy, or None after noting why there is none."""
        before = len(self.found)
        data = self._include(wanted, source, problems)
        return data if len(self.found) == before else None

    def _include(self, wanted: Scalar, source: Source, problems: Problems) -> PolicyData:
        text = wanted.text
        if "/" not in text and "\\" not in text and not text.endswith((".yaml", ".yml")):
            if text not in self.names():
                problems.unknown(wanted, "packaged policy", self.names())
                return _EMPTY
            return self._packaged(text)
        parts = text.split("/")
        if source.folder is None:
            problems.add(wanted, "a text without a folder can include packaged policies only")
        elif "\\" in text or ":" in text or not parts[0] or ".." in parts:
            advice = "only files beside or below this one can be included, as './name.yaml'"
            problems.add(wanted, f"{quoted(text)}: {advice}")
        elif not text.endswith((".yaml", ".yml")):
            problems.add(wanted, f"{quoted(text)}: an included file ends in .yaml or .yml")
        else:
            folder = "" if source.folder == os.curdir else source.folder
            path = os.path.join(folder, *(part for part in parts if part != "."))
            return self._file(FileRead(path, source.folder, b""), problems, wanted)
        return _EMPTY


def file_content(path: str, within: str | None) -> bytes:
    """The bytes of a policy file, one more than allowed at most.

    `within` is the folder that the file must be in, symbolic links followed; only regular files can be included.
    Raises OSError, or ValueError where the file is outside.
    """
    with open(real_path(path, within), "rb") as file:
        return file.read(LARGEST_FILE + 1)


def real_path(path: str, within: str | None) -> str:
    """The path with symbolic links followed, and `file_content`'s ValueErrors."""
    real = os.path.realpath(path)
    if within is not None:
        folder = os.path.realpath(within)
        if os.path.commonpath((folder, real)) != folder:
            raise ValueError("it is outside of the folder of the file that includes it")
        if os.path.exists(real) and not os.path.isfile(real):
            raise ValueError("it is not a regular file")
    return real


_EMPTY: Final = PolicyData({}, is_settled=True)


class _Listed(NamedTuple):
    """An entry of `allow`: its name, and its conditions if it has any."""

    name: Name
    where: Scalar
    conditions: Table | None


class _Document:
    """One document.  Each method reads one part of the language and notes what is wrong with it."""

    __slots__ = (
        "_complaint", "_deepest", "_expanded", "_followed", "_inherited", "_is_whole", "_library", "_named", "_names",
        "_open", "_own", "_patterns", "_problems", "_relating", "_resolved", "_sections", "_source", "_turn",
    )  # fmt: skip

    def __init__(self, library: Library, source: Source, problems: Problems) -> None:
        self._library = library
        self._source = source
        self._problems = problems
        self._inherited = _EMPTY
        self._is_whole = True  # every include could be read, so that a name that is not there is really missing
        self._followed: Mapping[str, str] = {}  # the aliases, each to its end
        self._own: list[Name] = []  # what the document itself lists
        self._names: set[Name] = set()  # see `_known`
        self._named: Mapping[str, tuple[Scalar, Node]] = {}
        self._open: list[str] = []  # named patterns that are being read
        self._resolved: dict[str, tuple[Pattern, int, int]] = {}  # with its nodes and its depth
        self._relating: dict[int, tuple[Pattern, bool]] = {}  # by identity: what `_relates` found
        self._expanded = 0
        self._deepest = 0
        self._patterns: Section | None = None  # named patterns that are still to be read
        self._sections: dict[str, dict[Name, tuple[Grant, ...]]] = {}  # what was read later, by module
        self._complaint: PolicyError | None = None  # why nothing more is read
        self._turn = RLock()  # for what is read later

    # The document

    def read(self, root: Node, parts: Split | None = None) -> PolicyData:
        """The data of the document; `parts` are those of a packaged file that are not in `root`."""
        top = self._table(root, TOP_KEYS, "key", "a policy")
        self._version(root, top)
        self._inherited = self._includes(top.get("include"))
        aliases = self._read_aliases(top.get("aliases"))
        listed = self._listed(top.get("allow"))
        later = self._later(parts)
        self._own = [*(entry.name for entry in listed), *later]
        self._named = self._read_patterns(top.get("patterns"))
        denials = self._denied(top.get("deny"))
        own = PolicyData(
            grants=mapping({**self._grants(listed), **later}),
            denied=frozenset(denials),
            aliases=aliases,
            persistent=self._persistent(top.get("persistent")),
            accept=frozenset(self._words(top.get("accept"), ACCEPTABLE, "kind", "accept")),
            named_limits=self._limits(top.get("limits")),
            description=self._text(top.get("description"), "description") or "",
            denials=denials,
        )
        return self._joined(root, own)

    def _later(self, parts: Split | None) -> dict[Name, Later]:
        """What reads the grants of each name that a packaged file lists."""
        if parts is None:
            return {}
        self._patterns = parts.patterns
        return {
            (module.name, name): Later(partial(self._grants_of, module, (module.name, name)))
            for module in parts.modules
            for name in module.listed
        }

    def _grants_of(self, module: Module, name: Name) -> tuple[Grant, ...]:
        with self._turn:
            if module.name not in self._sections:
                self._sections[module.name] = self._section(module)
            return once(self._sections[module.name][name])

    def _section(self, module: Module) -> dict[Name, tuple[Grant, ...]]:
        """What a packaged file lists under one module.  Raises `PolicyError`, as reading all of it at once would."""
        if self._complaint is not None:
            raise PolicyError(str(self._complaint), self._complaint.errors)
        expanded, deepest, said = self._expanded, self._deepest, len(self._library.found)
        try:
            if self._patterns is not None:
                root = read_section(self._patterns, self._problems) or Broken(1, 1)
                self._read_patterns(self._table(root, TOP_KEYS, "key", "a policy").get("patterns"))
                self._library.complain()
                self._patterns = None
            grants = self._grants(self._listed(read_section(module.section, self._problems)))
            if {*grants} != {(module.name, name) for name in module.listed} and not self._library.found:
                self._problems.add((module.section.above + 1, 1), "what is listed here is not what it seems to be")
            self._library.complain()
        except PolicyError as error:
            self._complaint = PolicyError(str(error), error.errors)
            raise
        except BaseException:
            # A full stack or memory, or a keyboard, says nothing of the file: whoever asks next reads it from here on.
            self._expanded, self._deepest = expanded, deepest
            self._open.clear()
            del self._library.found[said:]
            raise
        return grants

    def _joined(self, root: Node, own: PolicyData) -> PolicyData:
        try:
            return join(self._inherited, own)._replace(description=own.description)
        except ValueError as error:
            self._problems.add(root, str(error))
            return own._replace(aliases={})

    def _version(self, root: Node, top: Mapping[str, Node]) -> None:
        version = top.get("safepickle")
        if version is None:
            if isinstance(root, Table):
                self._problems.add(root, f"the language version is missing: 'safepickle: {LANGUAGE_VERSION}'")
        elif isinstance(version, Scalar) and not version.plain:
            self._problems.add(version, "the language version is a number without quotes")
        elif isinstance(version, Scalar) and version.text != LANGUAGE_VERSION:
            advice = f"this reader knows {LANGUAGE_VERSION}"
            self._problems.add(version, f"language version {quoted(version.text)}: {advice}")
        elif isinstance(version, (Listing, Table)):
            self._problems.add(version, "the language version is a number")

    def _includes(self, node: Node | None) -> PolicyData:
        joined = _EMPTY
        items = self._items(node, "include is a list of packaged names and files")
        if len(items) > MOST_FILES:
            self._problems.add(items[MOST_FILES], f"more than {MOST_FILES} includes")
        for item in items[:MOST_FILES]:
            wanted = self._scalar(item, "a packaged name or a file")
            data = self._library.include(wanted, self._source, self._problems) if wanted else None
            if data is None:
                self._is_whole = False
                continue
            try:
                joined = join(joined, data)
            except ValueError as error:
                self._problems.add(item, str(error))
        return joined

    def _read_aliases(self, node: Node | None) -> dict[str, str]:
        aliases: dict[str, str] = {}
        for old, target in self._entries(node, "aliases map old module names to new ones"):
            new = self._scalar(target, "the new name of the module")
            is_name = self._is_dotted(old, "module name")
            if new is None or not (self._is_dotted(new, "module name") and is_name):
                continue
            if old.text in _NEVER_ALIASED:
                self._problems.add(old, f"{old.text} is part of pickle itself and cannot be an alias")
            elif old.text == new.text:
                self._problems.add(old, f"the alias {old.text} leads back to itself")
            else:
                aliases[old.text] = new.text
        try:
            self._followed = join(self._inherited._replace(grants={}), PolicyData({}, aliases=aliases)).aliases
        except ValueError as error:
            self._problems.add(node or Broken(1, 1), str(error))
            return {}
        return aliases

    # Names

    def _listed(self, node: Node | None) -> list[_Listed]:
        listed: list[_Listed] = []
        for module, names in self._entries(node, "allow maps modules to lists of names"):
            is_module = self._is_dotted(module, "module name")
            for item in self._items(names, f"{quoted(module.text)} needs a list of names"):
                entry = self._entry(item)
                if entry and is_module and self._is_allowable(entry[0]):
                    listed.append(_Listed((module.text, entry[0].text), *entry))
        return listed

    def _entry(self, item: Node) -> tuple[Scalar, Table | None] | None:
        if isinstance(item, Scalar):
            return item, None
        if isinstance(item, Table) and len(item.entries) == 1:
            name, conditions = item.entries[0]
            if isinstance(conditions, Table):
                return name, conditions
            if not isinstance(conditions, Broken):
                self._problems.add(conditions, f"{quoted(name.text)} needs a mapping of conditions, as {{use: [call]}}")
        elif not isinstance(item, Broken):
            self._problems.add(item, "expected a name, or one name with its conditions: 'Name: {use: [call]}'")
        return None

    def _is_allowable(self, name: Scalar) -> bool:
        if not self._is_dotted(name, "name"):
            return False
        powerful = POWERFUL_PARTS.intersection(name.text.split("."))
        if powerful:
            self._problems.add(name, f"{name.text}: {min(powerful)} hands out power over the interpreter")
        return not powerful

    def _denied(self, node: Node | None) -> dict[Name, str]:
        denials: dict[Name, str] = {}
        for module, names in self._entries(node, "deny maps modules to lists of names"):
            is_module = self._is_dotted(module, "module name")
            for item in self._items(names, f"{quoted(module.text)} needs a list of names"):
                name = self._scalar(item, "a name")
                if name and self._is_dotted(name, "name") and is_module:
                    where = f"{self._source.label}:{name.line}"
                    denials |= dict.fromkeys(_python3_names(module.text, name.text), where)
        return denials

    def _is_dotted(self, word: Scalar, what: str) -> bool:
        text = word.text
        if "*" in text or "?" in text:
            advice = f"there are no wildcards in a policy, each {what} is listed in full"
            self._problems.add(word, f"{quoted(text)}: {advice}")
        elif len(text) > LONGEST_NAME or not all(part.isidentifier() for part in text.split(".")):
            self._problems.add(word, f"{quoted(text)} is no {what}: names are dotted identifiers")
        elif not text.isascii() and not _is_normal(text):
            self._problems.add(word, f"{quoted(text)} is no {what}: Python would spell it differently (NFKC)")
        else:
            return True
        return False

    def _known(self) -> set[Name]:
        """Every listed name, included ones too, as streams are judged.  Needed where one is referred to."""
        if not self._names:
            everything = (*self._library.plain.grants, *self._inherited.grants, *self._own)
            self._names = {(self._followed.get(module, module), name) for module, name in everything}
        return self._names

    def _reference(self, node: Node, what: str) -> Name | None:
        """The listed name that `node` spells, or None after noting why there is none."""
        word = self._scalar(node, "a listed name, as module.Name")
        if word is None or not self._is_dotted(word, "name"):
            return None
        parts = word.text.split(".")
        ways = ((".".join(parts[:cut]), ".".join(parts[cut:])) for cut in range(1, len(parts)))
        found = {(self._followed.get(module, module), name) for module, name in ways} & self._known()
        if len(found) == 1:
            return found.pop()
        if found:
            shown = [f"{name} in {module}" for module, name in sorted(found)[:2]]
            self._problems.add(word, f"{word.text} is ambiguous: {' and '.join(shown)} are listed")
        elif self._is_whole:
            nearest = self._problems.nearest(word.text, map(".".join, self._known()))
            self._problems.add(word, f"{what} {word.text} is not listed{nearest}")
        return None

    # Grants

    def _grants(self, listed: list[_Listed]) -> dict[Name, tuple[Grant, ...]]:
        grants: dict[Name, list[Grant]] = {}
        for entry in listed:
            origin = f"{self._source.label}:{entry.where.line}"
            if entry.conditions is None:
                grant = Grant(EVERY_VERB, plain=True, origin=origin)
            else:
                grant = self._grant(entry.conditions, origin)
            grants.setdefault(entry.name, []).append(grant)
        return {name: tuple(alternatives) for name, alternatives in grants.items()}

    def _grant(self, conditions: Table, origin: str) -> Grant:
        keys = self._table(conditions, ENTRY_KEYS, "condition", "an entry")
        verbs = frozenset(self._words(keys.get("use"), VERBS, "verb", "use", least=1)) or EVERY_VERB
        for key, about in _ABOUT.items():
            if key in keys and not verbs.intersection(about):
                self._problems.add(keys[key], f"{key} says nothing here: it is about {' and '.join(about)}")
        then = self._text(keys.get("then"), "then")
        if then is not None and then != BUILD:
            self._problems.add(keys["then"], f"then can only be {BUILD}, not {quoted(then)}")
        base = self._reference(keys["base"], "the base") if "base" in keys else None
        return Grant(
            verbs=verbs,
            args=self._signatures(keys.get("args")),
            kwargs=self._keywords(keys.get("kwargs")),
            state=self._state(keys["state"]) if "state" in keys else None,
            attributes=self._attributes(keys.get("attributes")),
            fill=self._fill(keys["fill"]) if "fill" in keys else None,
            base=".".join(base) if base else None,
            native_state=self._flag(keys.get("native_state"), "native_state"),
            then_build=then is not None,
            plain="use" not in keys,
            reason=self._text(keys.get("reason"), "reason") or "",
            origin=origin,
        )

    def _signatures(self, node: Node | None) -> tuple[Shape, ...] | None:
        if node is None:
            return None
        advice = "args is a list of signatures, each a list of patterns: [[]] is one without arguments"
        found = [self._signature(item, advice) for item in self._items(node, advice, least=1)]
        return tuple(dict.fromkeys(found))

    def _signature(self, node: Node, advice: str) -> Shape:
        items = self._items(node, advice)
        last = items[-1] if items else None
        has_rest = isinstance(last, Scalar) and last.text == REST
        patterns = tuple(self._pattern(item, depth=1) for item in (items[:-1] if has_rest else items))
        shape = Shape(patterns, has_rest)
        self._check_products(shape, node)
        return shape

    def _keywords(self, node: Node | None) -> tuple[tuple[str, Pattern], ...] | None:
        if node is None:
            return None
        keywords = []
        for name, pattern in self._entries(node, "kwargs maps keywords to patterns"):
            if self._is_identifier(name, "keyword"):
                keywords.append((name.text, self._pattern(pattern)))
        return tuple(sorted(keywords, key=lambda keyword: keyword[0]))

    def _attributes(self, node: Node | None) -> frozenset[str] | None:
        if node is None:
            return None
        found = set()
        for item in self._items(node, "attributes is a list of attribute names"):
            name = self._scalar(item, "an attribute name")
            if name and self._is_identifier(name, "attribute name"):
                found.add(name.text)
        return frozenset(found)

    def _is_identifier(self, name: Scalar, what: str) -> bool:
        if not self._is_dotted(name, what):
            return False
        if "." in name.text:
            self._problems.add(name, f"{quoted(name.text)} is no {what}: it has a dot")
            return False
        if name.text.startswith("__") and name.text in POWERFUL_PARTS:
            self._problems.add(name, f"{name.text} hands out power over the interpreter")
            return False
        return True

    # Patterns

    def _read_patterns(self, node: Node | None) -> Mapping[str, tuple[Scalar, Node]]:
        self._named = {
            name.text: (name, pattern)
            for name, pattern in self._entries(node, "patterns maps names to patterns")
            if self._is_identifier(name, "pattern name")
        }
        for name in self._named:
            self._resolve(name)
        return self._named

    def _resolve(self, name: str) -> tuple[Pattern, int, int]:
        """A named pattern, the nodes it has, and its depth."""
        if name not in self._resolved:
            expanded, deepest = self._expanded, self._deepest
            self._deepest = 0
            self._open.append(name)
            pattern = self._pattern(self._named[name][1], is_named=True)
            self._open.pop()
            self._resolved[name] = (pattern, self._expanded - expanded, self._deepest)
            self._deepest = deepest
        return self._resolved[name]

    def _pattern(self, node: Node, depth: int = 0, *, is_named: bool = False) -> Pattern:
        self._expanded += 1
        self._deepest = max(self._deepest, depth)
        pattern = self._pattern_of(node, depth + 1)
        if depth == 0 and not is_named:
            self._check_products(pattern, node)
        return pattern

    def _state(self, node: Node) -> Pattern:
        """A pattern, or what only a whole state can be: one that C code takes for what is in memory."""
        if not (isinstance(node, Table) and [key.text for key, _ in node.entries] == ["memory"]):
            return self._pattern(node)
        word = self._scalar(node.entries[0][1], "a layout of memory")
        if word is not None and word.text not in LAYOUTS:
            self._problems.unknown(word, "layout of memory", LAYOUTS)
        return Memory(word.text) if word is not None and word.text in LAYOUTS else ANY

    def _fill(self, node: Node) -> Pattern:
        """A pattern of what one opcode puts in: of each item, for how many there are in the end it does not know."""
        pattern = self._put_in(node, 0)
        if isinstance(pattern, Fields) and pattern.required:
            name = quoted(pattern.required[0][0] + "?")
            self._problems.add(node, f"what is put in by and by has optional fields only, as {name}")
        elif isinstance(pattern, Length):
            self._problems.add(node, "what is put in by and by has no length")
        return pattern

    def _put_in(self, node: Node, depth: int) -> Pattern:
        said = len(self._library.found)
        pattern = self._pattern(node, depth)
        if not _is_put_in(pattern) and len(self._library.found) == said:
            self._problems.add(node, "fill is what is put in, as a list, a dict or a set: {dict: [str, int]}")
        return pattern

    def _filled(self, made: Node, node: Node, depth: int) -> Pattern:
        name = self._reference(made, "the class or function")
        pattern = self._put_in(node, depth)
        return Filled(".".join(name), pattern) if name else ANY

    def _pattern_of(self, node: Node, depth: int) -> Pattern:
        if isinstance(node, Scalar):
            return self._word(node)
        if isinstance(node, Listing):
            return Shape(tuple(self._pattern(item, depth) for item in node.items))
        if isinstance(node, Broken):
            return ANY
        keys = {key.text: value for key, value in node.entries}
        if set(keys) == {"length", "of"}:
            return self._length(keys["length"], keys["of"], depth)
        if set(keys) == {"instance", "fill"}:
            return self._filled(keys["instance"], keys["fill"], depth)
        if len(node.entries) == 1:
            word, argument = node.entries[0]
            known = _CONSTRUCTS.get(word.text)
            if known:
                return known(self, argument, depth)
            if word.text != "length":
                self._problems.unknown(word, "pattern", PATTERN_KEYS)
                return ANY
        if "instance" in keys:
            self._problems.add(node, "a pattern has one key, or instance and fill: {instance: m.C, fill: {list: int}}")
        else:
            self._problems.add(node, "a pattern has one key, or length and of: {length: [1, 64], of: str}")
        return ANY

    def _word(self, word: Scalar) -> Pattern:
        if word.text in WORDS:
            return Word(word.text)
        if word.text == REST:
            self._problems.add(word, f"{REST} can only stand last in a signature of args")
        else:
            self._problems.unknown(word, "pattern", WORDS | {REST})
        return ANY

    def literal(self, node: Node, _depth: int) -> Pattern:
        word = self._scalar(node, "a plain value")
        if word is None:
            return ANY
        if not word.plain:
            return Is("str", word.text)
        if word.text in _CONSTANTS:
            return _CONSTANTS[word.text]
        whole = self._integer_of(word)
        if whole is not None:
            return Is("int", whole)
        real = _float_of(word.text)
        if real is None:
            advice = "a number, true, false, null, or text in quotes"
            self._problems.add(word, f"{quoted(word.text)} is not {advice}")
            return ANY
        return Is("float", real)

    def view(self, node: Node, _depth: int) -> Pattern:
        word = self._scalar(node, "a layout of memory")
        if word is None:
            return ANY
        if word.text in LAYOUTS:
            self._problems.add(word, f"{word.text} is a layout of memory that only a whole state has")
        elif word.text not in VIEWS:
            self._problems.unknown(word, "layout of memory", VIEWS)
        return Memory(word.text) if word.text in VIEWS else ANY

    def bytes_literal(self, node: Node, _depth: int) -> Pattern:
        word = self._scalar(node, "bytes as Latin-1 text")
        try:
            return Is("bytes", word.text.encode("latin-1")) if word else ANY
        except UnicodeEncodeError:
            self._problems.add(node, "bytes are written as Latin-1 text: '\\xff' in double quotes is one byte")
            return ANY

    def regex(self, node: Node, _depth: int) -> Pattern:
        word = self._scalar(node, "a regular expression")
        if word is None:
            return ANY
        reason = refusal(word.text)
        if reason is not None:
            self._problems.add(word, f"{quoted(word.text)}: {reason}")
            return ANY
        return Regex(word.text)

    def int_range(self, node: Node, _depth: int) -> Pattern:
        bounds = self._bounds(node, "int")
        return IntRange(*bounds) if bounds else ANY

    def _length(self, node: Node, of: Node, depth: int) -> Pattern:
        inner = self._pattern(of, depth)
        if isinstance(node, Table):
            keys = self._table(node, ("product",), "key", "length")
            field = self._integer(keys["product"], "a field of the tuple") if "product" in keys else None
            if field is not None and field < 0:
                self._problems.add(node, "fields are counted from 0")
            return LengthProduct(field, inner) if field is not None else ANY
        bounds = self._bounds(node, "length")
        if bounds and bounds[0] < 0:
            self._problems.add(node, "a length is not negative")
        return Length(*bounds, inner) if bounds else ANY

    def _bounds(self, node: Node, what: str) -> tuple[int, int] | None:
        items = self._items(node, f"{what} has two bounds: [0, 40]")
        if len(items) != 2:
            if isinstance(node, Listing):
                self._problems.add(node, f"{what} has two bounds: [0, 40]")
            return None
        low, high = (self._integer(item, "a bound") for item in items)
        if low is None or high is None:
            return None
        if low > high:
            self._problems.add(node, "the lower bound comes first")
        return low, high

    def global_named(self, node: Node, _depth: int) -> Pattern:
        name = self._reference(node, "the global")
        return GlobalNamed(".".join(name)) if name else ANY

    def instance_of(self, node: Node, _depth: int) -> Pattern:
        name = self._reference(node, "the class or function")
        return InstanceOf(".".join(name)) if name else ANY

    def built(self, node: Node, _depth: int) -> Pattern:
        name = self._reference(node, "the class or function")
        return Built(".".join(name)) if name else ANY

    def dict_items(self, node: Node, depth: int) -> Pattern:
        items = self._items(node, "dict has a pattern of the keys and one of the values: {dict: [str, int]}")
        patterns = [self._pattern(item, depth) for item in items]
        if len(patterns) == 2:
            return DictItems(*patterns)
        if isinstance(node, Listing):
            self._problems.add(node, "dict has a pattern of the keys and one of the values: {dict: [str, int]}")
        return ANY

    def fields(self, node: Node, depth: int) -> Pattern:
        required: dict[str, Pattern] = {}
        optional: dict[str, Pattern] = {}
        for key, value in self._entries(node, "fields maps the keys of a dict to patterns"):
            name = key.text.removesuffix("?")
            if name in required or name in optional:
                self._problems.add(key, f"{quoted(name)} is there both as required and as optional")
            (optional if key.text.endswith("?") else required)[name] = self._pattern(value, depth)
        return Fields(tuple(sorted(required.items(), key=_key)), tuple(sorted(optional.items(), key=_key)))

    def any_of(self, node: Node, depth: int) -> Pattern:
        items = self._items(node, "any_of is a list of patterns", least=1)
        return AnyOf(tuple(self._pattern(item, depth) for item in items))

    def named(self, node: Node, depth: int) -> Pattern:
        word = self._scalar(node, "the name of a pattern")
        if word is None:
            return ANY
        if word.text not in self._named:
            self._problems.unknown(word, "pattern name", self._named)
            return ANY
        if word.text in self._open:
            self._problems.add(word, f"the pattern {word.text} contains itself")
            return ANY
        depth -= 1  # the pattern stands where its reference stands
        pattern, nodes, deep = self._resolve(word.text)
        if self._expanded + nodes > MOST_EXPANDED or depth + deep > DEEPEST_PATTERN:
            most = f"{MOST_EXPANDED} nodes or {DEEPEST_PATTERN} levels"
            self._problems.add(word, f"with what its named patterns stand for, this has more than {most}")
            return ANY
        self._expanded += nodes
        self._deepest = max(self._deepest, depth + deep)
        return pattern

    def items_of(self, kind: str, node: Node, depth: int) -> Pattern:
        return Items(kind, self._pattern(node, depth))

    def _check_products(self, pattern: Pattern, node: Node) -> None:
        for product, size in self._each_product(pattern, None):
            if size is None or product.field >= size:
                self._problems.add(node, f"{{product: {product.field}}} is not a field of an enclosing tuple")
                return
        if self._has_view_elsewhere(pattern):
            self._problems.add(node, "{memory: strides} stands fourth, behind a storage, an offset and sizes")

    def _each_product(self, pattern: Pattern, size: int | None) -> Iterable[tuple[LengthProduct, int | None]]:
        """Each `LengthProduct` in `pattern`, with the number of fields of the tuple that it is about."""
        if isinstance(pattern, LengthProduct):
            yield pattern, size
        for child in children(pattern):
            if self._relates(child):
                yield from self._each_product(child, len(pattern.items) if isinstance(pattern, Shape) else size)

    def _has_view_elsewhere(self, pattern: Pattern) -> bool:
        """Whether a `Memory` in `pattern` is not where a tuple, or a signature, has its strides."""
        if isinstance(pattern, Memory):
            return True
        return any(
            self._has_view_elsewhere(child)
            for place, child in enumerate(children(pattern))
            if self._relates(child)
            and not (isinstance(pattern, Shape) and isinstance(child, Memory) and place == VIEW_FIELD)
        )

    def _relates(self, pattern: Pattern) -> bool:
        """Whether there is something in it that is about the fields around it.

        Looked for once in each pattern: a named one is the same object wherever it is used.
        """
        known = self._relating.get(id(pattern))
        if known is None:
            found = isinstance(pattern, (LengthProduct, Memory)) or any(map(self._relates, children(pattern)))
            known = self._relating[id(pattern)] = (pattern, found)
        return known[1]

    # The rest

    def _persistent(self, node: Node | None) -> tuple[PersistentShape, ...] | None:
        if node is None:
            return None
        items = self._items(node, "persistent is a list of patterns")
        return tuple(dict.fromkeys(map(self._persistent_shape, items)))

    def _persistent_shape(self, node: Node) -> PersistentShape:
        if not isinstance(node, Table) or not any(key.text in {"id", "makes"} for key, _ in node.entries):
            return PersistentShape(self._pattern(node))
        keys = self._table(node, ("id", "makes"), "key", "a persistent shape")
        if "id" not in keys:
            self._problems.add(node, "id is missing: the pattern of the persistent ID")
        makes = self._reference(keys["makes"], "the class") if "makes" in keys else None
        return PersistentShape(self._pattern(keys["id"]) if "id" in keys else ANY, makes)

    def _limits(self, node: Node | None) -> dict[str, int]:
        limits: dict[str, int] = {}
        for name, value in self._entries(node, "limits maps names to numbers"):
            if name.text not in FIELDS:
                self._problems.unknown(name, "limit", FIELDS)
                continue
            number = self._size(value) if name.text in BYTE_LIMITS else self._integer(value, "a number")
            if number is None:
                continue
            if not 0 < number <= LARGEST_LIMIT:
                self._problems.add(value, "a limit is positive and below 2**63")
            limits[name.text] = number
        return limits

    def _size(self, node: Node) -> int | None:
        if isinstance(node, Scalar) and node.plain:
            for unit, factor in UNITS.items():
                if node.text.endswith(unit):
                    number = self._integer_of(node._replace(text=node.text.removesuffix(unit).removesuffix(" ")))
                    if number is not None:
                        return number * factor
        return self._integer(node, "a number of bytes, as 65536 or 64 KiB")

    # Nodes

    def _table(self, node: Node, known: tuple[str, ...], what: str, whole: str) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key, value in self._entries(node, f"{whole} is a mapping"):
            if key.text in known:
                found[key.text] = value
            else:
                self._problems.unknown(key, what, known)
        return found

    def _entries(self, node: Node | None, advice: str) -> tuple[tuple[Scalar, Node], ...]:
        if isinstance(node, Table):
            return node.entries
        if node is not None and not isinstance(node, Broken):
            self._problems.add(node, advice)
        return ()

    def _items(self, node: Node | None, advice: str, least: int = 0) -> tuple[Node, ...]:
        if isinstance(node, Listing) and len(node.items) >= least:
            return node.items
        if node is not None and not isinstance(node, Broken):
            self._problems.add(node, advice)
        return ()

    def _scalar(self, node: Node, what: str) -> Scalar | None:
        if isinstance(node, Scalar) and (node.text or not node.plain):
            return node
        if not isinstance(node, Broken):
            self._problems.add(node, f"expected {what}")
        return None

    def _text(self, node: Node | None, what: str) -> str | None:
        word = self._scalar(node, f"the text of {what}") if node is not None else None
        return word.text if word else None

    def _words(self, node: Node | None, known: tuple[str, ...], what: str, key: str, least: int = 0) -> list[str]:
        found: list[str] = []
        for item in self._items(node, f"{key} is a list of: {', '.join(known)}", least):
            word = self._scalar(item, f"a {what}")
            if word and word.text not in known:
                self._problems.unknown(word, what, known)
            elif word and word.text in found:
                self._problems.add(word, f"{word.text} is there twice")
            elif word:
                found.append(word.text)
        return found

    def _flag(self, node: Node | None, what: str) -> bool:
        if node is None:
            return False
        if isinstance(node, Scalar) and node.plain and node.text in {"true", "false"}:
            return node.text == "true"
        if not isinstance(node, Broken):
            self._problems.add(node, f"{what} is true or false")
        return False

    def _integer(self, node: Node, what: str) -> int | None:
        number = self._integer_of(node) if isinstance(node, Scalar) and node.plain else None
        if number is None and not isinstance(node, Broken):
            self._problems.add(node, f"expected {what}: a whole number without quotes")
        return number

    def _integer_of(self, word: Scalar) -> int | None:
        digits = word.text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or (digits[0] == "0" and word.text != "0"):
            return None
        try:
            return int(word.text)
        except ValueError:
            self._problems.add(word, f"{len(digits)} digits are more than Python reads")
            return 0


_CONSTANTS: Final = {"true": Is("bool", True), "false": Is("bool", False), "null": Is("none", None)}

_CONSTRUCTS: Final[dict[str, Callable[[_Document, Node, int], Pattern]]] = {
    "is": _Document.literal,
    "bytes": _Document.bytes_literal,
    "str": _Document.regex,
    "int": _Document.int_range,
    "global": _Document.global_named,
    "instance": _Document.instance_of,
    "built": _Document.built,
    "list": lambda document, node, depth: document.items_of("list", node, depth),
    "tuple": lambda document, node, depth: document.items_of("tuple", node, depth),
    "set": lambda document, node, depth: document.items_of("set", node, depth),
    "frozenset": lambda document, node, depth: document.items_of("frozenset", node, depth),
    "dict": _Document.dict_items,
    "fields": _Document.fields,
    "any_of": _Document.any_of,
    "pattern": _Document.named,
    "memory": _Document.view,
}


def _is_put_in(pattern: Pattern) -> bool:
    """Whether a pattern is of a list, a dict or a set."""
    if isinstance(pattern, (Word, Items)):
        return pattern.kind in FILLABLE
    if isinstance(pattern, Length):
        return _is_put_in(pattern.of)
    return isinstance(pattern, (DictItems, Fields))


def _key(entry: tuple[str, Pattern]) -> str:
    return entry[0]


def _float_of(text: str) -> float | None:
    import re

    if re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+([eE][-+]?[0-9]{1,4})?|[eE][-+]?[0-9]{1,4})", text):
        number = float(text)
        return number if abs(number) != float("inf") else None
    return {".inf": float("inf"), "-.inf": float("-inf")}.get(text)


def _python3_names(module: str, name: str) -> Iterable[Name]:
    """The name, and what a stream's spelling of it is read as if it is one of Python 2."""
    from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

    yield module, name
    if (module, name) in NAME_MAPPING:
        yield NAME_MAPPING[module, name]
    elif module in IMPORT_MAPPING:
        yield IMPORT_MAPPING[module], name


def _is_normal(text: str) -> bool:
    from unicodedata import is_normalized

    return is_normalized("NFKC", text)
