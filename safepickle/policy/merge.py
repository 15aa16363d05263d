"""Puts what was learned into the text of a policy file, and leaves the rest of the text as it is.

A policy file is written by people: its comments, its order and its layout are theirs.  So lines are inserted, and none
is changed but a list in brackets that gets one more item.  Rules:

* Where an insertion goes is read off the marks of PyYAML's parser; what the result means is read by the reader of
  policies, and has to be exactly the old policy with what was learned.  If it is not, nothing is given back.
* The text has been read as a policy before, so its nesting is bounded.
"""

from __future__ import annotations

from typing import Any, Final

from safepickle.errors import PolicyError
from safepickle.policy import Policy
from safepickle.policy.learn import Entry, Learned, remarks
from safepickle.policy.write import word

_INDENT: Final = 2
# What is inserted at one place comes in this order.
_ITEM, _MODULE, _KEY = range(3)


def merged(text: str, learned: Learned, path: str) -> str:
    """The text of the policy file at `path` with what was learned put in.

    Raises `PolicyError` where that cannot be done by inserting alone, with what is to be pasted.
    """
    found = _Text(text)
    modules: dict[str, list[Entry]] = {}
    for one in learned.entries:
        modules.setdefault(one.name[0], []).append(one)
    try:
        found.allow(modules)
        found.listed("persistent", learned.persistent if learned.added.persistent is not None else ())
        found.listed("accept", learned.accept)
    except _CannotInsertError as reason:
        raise PolicyError(f"{path}: {reason}; this is what it lacks:\n{_to_paste(modules)}") from None
    result = found.written(remarks(learned))
    if Policy.from_yaml(result, base=_folder(path)) != learned.policy:
        lacking = _to_paste(modules)
        raise PolicyError(f"{path}: what was learned cannot be inserted here; this is what it lacks:\n{lacking}")
    return result


def _folder(path: str) -> str:
    import os

    return os.path.dirname(path) or os.curdir


def _to_paste(modules: dict[str, list[Entry]]) -> str:
    lines = ["allow:"]
    for module, entries in modules.items():
        lines.append(f"  {word(module)}:")
        lines += [f"    - {found.text}" for found in entries]
    return "\n".join(lines)


class _CannotInsertError(Exception):
    """The layout leaves no place; the argument says why."""


class _Text:
    """The text with its insertions, which are made at the end, from the last to the first."""

    def __init__(self, text: str) -> None:
        import yaml

        self._text = text if text.endswith("\n") or not text else text + "\n"
        self._insertions: list[tuple[int, int, int, str]] = []  # place, rank, number, text
        root: Any = yaml.compose(self._text, yaml.SafeLoader)
        self._root = root
        self._top = {key.value: (key, value) for key, value in root.value}

    def written(self, comments: list[str]) -> str:
        """The text with everything inserted, and comments at its end."""
        text = self._text
        for at, _, _, added in sorted(self._insertions, reverse=True):
            text = text[:at] + added + text[at:]
        return text + "".join(f"{comment}\n" for comment in comments)

    def allow(self, modules: dict[str, list[Entry]]) -> None:
        """Put the entries under their modules."""
        if not modules:
            return
        _, table = self._top.get("allow", (None, None))
        if table is None or not table.value:
            if table is not None and table.flow_style:
                raise _CannotInsertError("its `allow` is {}: write `allow:` alone")
            self._append_top("allow", "".join(self._module(word(name), found, 2) for name, found in modules.items()))
            return
        known = {key.value: value for key, value in table.value}
        for name, found in modules.items():
            if name in known:
                self._into_module(known[name], found)
            elif table.flow_style:
                items = ", ".join(f"{{{one.text}}}" for one in found)
                self._insert(_before_bracket(table), f", {word(name)}: [{items}]")
            else:
                column = table.value[0][0].start_mark.column
                self._insert(self._after(table), self._module(word(name), found, column), _MODULE)

    def listed(self, key: str, items: tuple[str, ...]) -> None:
        """Put items into the list of a key, those that it has not."""
        _, listing = self._top.get(key, (None, None))
        if not items:
            return
        if listing is None:
            self._append_top(key, "".join(f"  - {item}\n" for item in items))
        elif listing.flow_style:
            self._insert(_before_bracket(listing), ("" if not listing.value else ", ") + ", ".join(items))
        else:
            indent = " " * listing.start_mark.column
            self._insert(self._after(listing), "".join(f"{indent}- {item}\n" for item in items))

    def _append_top(self, key: str, body: str) -> None:
        if self._root.flow_style:
            raise _CannotInsertError("it is written in one pair of braces")
        if key in self._top:
            raise _CannotInsertError(f"its `{key}` is empty: remove it")
        end = self._after(self._root)
        self._insert(end, f"{key}:\n{body}", _KEY)

    def _module(self, name: str, found: list[Entry], column: int) -> str:
        indent = " " * column
        return f"{indent}{name}:\n" + self._entries(found, column + _INDENT)

    def _entries(self, found: list[Entry], column: int) -> str:
        indent = " " * column
        return "".join(f"{indent}{line}\n" for one in found for line in one.lines())

    def _into_module(self, listing: Any, found: list[Entry]) -> None:
        if listing.flow_style:
            items = ", ".join(f"{{{one.text}}}" for one in found)
            self._insert(_before_bracket(listing), (", " if listing.value else "") + items)
        else:
            self._insert(self._after(listing), self._entries(found, listing.start_mark.column))

    def _insert(self, at: int, added: str, rank: int = _ITEM) -> None:
        self._insertions.append((at, rank, len(self._insertions), added))

    def _after(self, node: Any) -> int:
        """Where the line after the last one of a node begins."""
        end = self._text.find("\n", _last(node))
        return len(self._text) if end < 0 else end + 1


def _before_bracket(node: Any) -> int:
    last: int = node.end_mark.index - 1
    return last


def _last(node: Any) -> int:
    """Where the last character of a node is; a block ends where its last item does, not where the next token begins."""
    if getattr(node, "flow_style", None) or isinstance(node.value, str):
        index: int = node.end_mark.index
        return index - 1 if index > node.start_mark.index else index
    inner = node.value[-1]
    return _last(inner[1] if isinstance(inner, tuple) else inner)
