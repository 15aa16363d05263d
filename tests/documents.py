"""Policy documents: valid ones, and, with some of their words and characters exchanged, nearly valid ones.

A document is made as it is written, line by line, so that what is exchanged is text: a reader has to say what is wrong
with it, whatever that is.  It asks `Choices` and knows nothing of who answers, nor of the package: the words of the
language are spelled out here once more, as a policy's author would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.choices import Choices, chance, one_of

_MODULES: Final = ("shop", "shop.cart", "numpy", "tests.victims", "datetime", "_private")
_NAMES: Final = ("Cart", "Cart.Item", "load", "VALUE", "no", "on", "\xc9tat")
_VERBS: Final = ("refer", "new", "call", "build", "fill")
_WORDS: Final = (
    "none", "bool", "int", "float", "complex", "str", "bytes", "bytearray", "list", "tuple", "dict", "set", "frozenset",
    "buffer", "any", "global", "instance", "persistent",
)  # fmt: skip
_KEYS: Final = ("a", "b", "note", "size")
_NAMED: Final = ("knots", "text")
_LIMITS: Final = (
    "bytes: 64 MiB", "opcodes: 1000000", "depth: 200", "memo: 1", "integer_digits: 640", "hash_work: 9",
    "probe_work: 4", "copy_work: 1 GiB", "nested: 2",
)  # fmt: skip
#: What stands where something else was expected.
_ODD: Final = (
    "", "~", "null", "true", "yes", "0", "-1", "1.5", "08", "0x10", "1e400", "2**9", "[]", "{}", "[[]]", "''",
    '"\\x00"', "*", "a.*", "os.?", "&a", "*a", "!!python/object:os.system x", "<<: x", "|", ">", "%YAML 1.2", "---",
    "...", "- -", "? a", "a: b: c", "#", "\t", "\r", "\x85", "\u2028", "\ufeff", "\u202e", "\xff", "{product: 0}",
    "{product: 9}", "[1, 0]", "[-1, 3]", "{str: '(a+)+'}", "{str: '['}", "{is: .nan}", "{is: 1e5}",
    "{pattern: knots}", "{pattern: none}", "rest", "{length: [1, 2]}", "{global: os.system}", "__globals__",
    "Cart.__init__", "{any_of: []}", "{dict: [str]}", "plain", "[" * 40, "{a: " * 40, "9" * 5000, "x" * 2000,
)  # fmt: skip


def document(choices: Choices, *, wild: int = 0) -> str:
    """The text of a policy.  `wild` is how many of 64 words are exchanged for something else."""
    return _Writer(choices, wild).written()


class _Writer:
    """One document being written."""

    def __init__(self, choices: Choices, wild: int) -> None:
        self.choices = choices
        self.wild = wild
        self.lines: list[str] = []
        self.listed: list[str] = []  # names that can be referred to

    def written(self) -> str:
        self.lines.append(f"safepickle: {self.word('1')}")
        parts: list[Callable[[], None]] = [self.description, self.include, self.allow, self.deny, self.patterns,
                                           self.persistent, self.accept, self.limits, self.aliases]  # fmt: skip
        for part in parts:
            if part in (self.allow, self.patterns) or chance(self.choices, 1, 3):
                part()
        text = "\n".join(self.lines) + "\n"
        if chance(self.choices, self.wild, 64):
            cut = self.choices.below(len(text))
            text = text[:cut] + one_of(self.choices, ("", *_ODD)) + text[cut + self.choices.below(4) :]
        return text

    def word(self, text: str) -> str:
        """The text, or, if the document is to be wild, perhaps something else."""
        return one_of(self.choices, _ODD) if chance(self.choices, self.wild, 64) else text

    # Parts

    def description(self) -> None:
        self.lines.append(f"description: {self.word('What the shop needs.')}")

    def include(self) -> None:
        self.lines.append(f"include: [{self.word('plain')}]")

    def allow(self) -> None:
        self.lines.append("allow:")
        for module in self.several(_MODULES):
            self.lines.append(f"  {self.word(module)}:")
            for name in self.several(_NAMES):
                entry = self.entry()
                self.lines.append(f"    - {self.word(name)}{': {' + entry + '}' if entry else ''}")
                self.listed.append(f"{module}.{name}")

    def deny(self) -> None:
        self.lines.append(f"deny: {{{one_of(self.choices, _MODULES)}: [{self.word(one_of(self.choices, _NAMES))}]}}")

    def patterns(self) -> None:
        self.lines.append("patterns:")
        for name in _NAMED:
            self.lines.append(f"  {self.word(name)}: {self.scalar()}")

    def persistent(self) -> None:
        self.lines.append("persistent:")
        for _ in range(1 + self.choices.below(2)):
            self.lines.append(f"  - {self.pattern(2)}")

    def accept(self) -> None:
        kinds = self.several(("extensions", "buffers", "persistent_ids"))
        self.lines.append(f"accept: [{', '.join(map(self.word, kinds))}]")

    def limits(self) -> None:
        self.lines.append(f"limits: {{{', '.join(map(self.word, self.several(_LIMITS)))}}}")

    def aliases(self) -> None:
        self.lines.append(f"aliases: {{{self.word('shop_before_2020')}: {self.word('elsewhere')}}}")

    # Entries and patterns

    def several(self, options: tuple[str, ...]) -> list[str]:
        """Some of the options, at least one, in their order."""
        found = [option for option in options if self.choices.below(2)]
        return found or [options[0]]

    def entry(self) -> str:
        """The conditions of one name, or nothing."""
        if self.choices.below(2):
            return ""
        verbs = self.several(_VERBS)
        found = [f"use: [{', '.join(map(self.word, verbs))}]"]
        if {"call", "new"} & set(verbs) and self.choices.below(2):
            found.append(f"args: [{self.signature()}, {self.signature()}]")
        if "new" in verbs and self.choices.below(2):
            found.append(f"kwargs: {{a: {self.pattern(2)}}}")
        if "build" in verbs and self.choices.below(2):
            found.append(f"attributes: [{', '.join(map(self.word, self.several(_KEYS)))}]")
            found.append(f"state: {self.pattern(0)}")
            found.append(f"then: {self.word('build')}")
        if "fill" in verbs and self.choices.below(2):
            found.append(f"fill: {self.put_in(1)}")
        if self.choices.below(4) == 3:
            found.append(f"native_state: {self.word('true')}")
            found.append(f"reason: {self.word('quotes were pickled so')}")
        return ", ".join(found)

    def signature(self) -> str:
        items = [self.pattern(2) for _ in range(self.choices.below(3))]
        return f"[{', '.join(items + ['rest'] * self.choices.below(2))}]"

    def put_in(self, depth: int) -> str:
        """A pattern of what is put into an object."""
        inner = self.pattern(depth + 1)
        options = (f"{{list: {inner}}}", f"{{set: {inner}}}", f"{{dict: [str, {inner}]}}", "dict",
                   f"{{fields: {{'a?': {inner}}}}}")  # fmt: skip
        return self.word(one_of(self.choices, options))

    def scalar(self) -> str:
        """A pattern without others inside."""
        options = (
            one_of(self.choices, _WORDS), "{is: 'text'}", "{is: -1}", "{is: 1.5}", "{is: true}", "{is: null}",
            '{bytes: "\\xff"}', "{str: '[a-z]{3}'}", "{int: [0, 40]}", "{int: [-9999999999, 0]}",
        )  # fmt: skip
        return self.word(one_of(self.choices, options))

    def pattern(self, depth: int) -> str:
        """A pattern, with others inside as long as `depth` is below 3."""
        kind = self.choices.below(10 if depth < 3 else 2)
        if kind < 2:
            return self.scalar()
        if kind == 2:
            return f"{{pattern: {self.word(one_of(self.choices, _NAMED))}}}"
        if kind == 3 and self.listed:
            named = self.word(one_of(self.choices, self.listed))
            word = one_of(self.choices, ("global", "instance", "built", "filled"))
            if word == "filled":
                return f"{{instance: {named}, fill: {self.put_in(depth + 1)}}}"
            return f"{{{word}: {named}}}"
        inner = self.pattern(depth + 1)
        return self.word(
            (
                f"{{list: {inner}}}", f"{{dict: [str, {inner}]}}", f"{{fields: {{a: {inner}, 'note?': any}}}}",
                f"{{length: [0, 4], of: {inner}}}", f"{{any_of: [{inner}, none]}}", f"[{inner}, int]",
                f"[{{tuple: int}}, {{length: {{product: 0}}, of: {{list: {inner}}}}}]",
            )[kind - 3]
        )  # fmt: skip
