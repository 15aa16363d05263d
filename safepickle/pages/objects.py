"""What the objects of a pickle are made of, as much of it as a person can look at.

Rules:

* It is made from the verifier's symbols: nothing is imported, called or built, and no value but short literals is read.
* It is bounded: in nodes, in the items of one node, in the characters of a literal, and in nodes over a whole source.
  What is left out is counted.
* An object that several others hold is one node: it is shown where it is met first, and referred to elsewhere.
* Text of the stream is escaped as it is read.
* No recursion over the stream's values.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, NamedTuple

from safepickle import symbols as sym
from safepickle.disassemble import show_argument
from safepickle.errors import StreamError, escape
from safepickle.scanner import Judged
from safepickle.symbols import Global, Made
from safepickle.verifier import Verifier

__all__ = ["Artist", "Node", "Picture"]

#: No science went into these numbers: what fits a screen or some.
MOST_NODES: Final = 300
MOST_ITEMS: Final = 40
LONGEST_LITERAL: Final = 80
MOST_PICTURES: Final = 20
MOST_LINKS: Final = 300
_MOST_STEPS: Final = 20_000  # items that are looked at for links

_CONTAINERS: Final = {
    sym.TUPLE: "tuple", sym.LIST: "list", sym.DICT: "dict", sym.SET: "set", sym.FROZENSET: "frozenset",
}  # fmt: skip
_NONE: Final = 0  # the code of no value


class Node(NamedTuple):
    """An object: a container, what a call or `new` gives, or a name."""

    kind: str  # a container's, "call", "new", "name", or what else is known
    name: str  # dotted and escaped, of a global or of what something is made by; else empty
    size: int  # items of a container
    #: Each: what it is to the node, and the number of a node or the text of a literal.
    items: tuple[tuple[str, int | str], ...]
    more: int  # items that are left out


class Picture(NamedTuple):
    """The objects of one pickle; the first node is what the pickle is, unless that is the literal `root`."""

    stream: str  # of a container, escaped; empty: the source itself
    start: int  # byte offset in it
    root: str
    nodes: tuple[Node, ...]
    #: Which name is made from which, and how often: the names' numbers, -1 for the pickle itself.
    names: tuple[str, ...]
    links: tuple[tuple[int, int, int], ...]
    whole: bool  # whether everything is there


class Artist:
    """Is called with the pickles of a source, see `scanner.watched`, and keeps a picture of each."""

    def __init__(self, room: int = MOST_NODES * 4) -> None:
        self._room = room  # nodes
        self._pictures: dict[tuple[str, int], Picture] = {}
        self.left_out = 0  # pickles

    def __call__(self, judged: Judged) -> None:
        """See the class.  A pickle that is judged twice is drawn as it was read last."""
        stream, start, verifier = judged.member.name, judged.member.start, judged.verifier
        place = stream, start
        if not verifier.finished:
            return
        if place not in self._pictures and (len(self._pictures) >= MOST_PICTURES or self._room <= 0):
            self.left_out += 1
            return
        found = _draw(stream, start, verifier, min(MOST_NODES, max(self._room, 1)))
        self._room -= len(found.nodes)
        self._pictures[place] = found

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures, in the order of the streams and of their bytes."""
        return tuple(self._pictures.values())

    @property
    def taken(self) -> int:
        """How many nodes there are."""
        return sum(len(picture.nodes) for picture in self._pictures.values())


class _Drawing:
    def __init__(self, verifier: Verifier, most: int) -> None:
        self.verifier = verifier
        self.most = most
        self.numbers: dict[int, int] = {}  # code -> number of its node
        self.waiting: deque[int] = deque()
        self.whole = True

    def item(self, code: int) -> int | str:
        """The number of a node, or the text of a literal."""
        if code & sym.KIND < sym.FIRST_NODE:
            return self.literal(code)
        if code not in self.numbers:
            if len(self.numbers) >= self.most:
                self.whole = False
                return f"{self.kind(code)} (not shown)"
            self.numbers[code] = len(self.numbers)
            self.waiting.append(code)
        return self.numbers[code]

    def kind(self, code: int) -> str:
        return sym.WORDS.get(code & sym.KIND, "object")

    def literal(self, code: int) -> str:
        """What a literal says, where it is short; else how long it is."""
        if code == _NONE:
            return "nothing"
        kind = code & sym.KIND
        if kind == sym.NONE:
            return "None"
        if kind in (sym.PERSISTENT, sym.BUFFER):
            return "an object of the application" if kind == sym.PERSISTENT else "a buffer of the application"
        heap = self.verifier.heap
        long = heap.long_size(code >> sym.SHIFT)
        if long > 4 * LONGEST_LITERAL:
            return f"{sym.WORDS[kind]} of {long:,} bytes"
        try:
            if kind == sym.BYTEARRAY:
                return _shown(self.verifier.reader.literal(code >> sym.SHIFT))
            return _shown(self.verifier.matcher.value(code))
        except (StreamError, UnicodeError):
            return f"{sym.WORDS[kind]} (not kept)"

    def node(self, code: int) -> Node:
        kind = code & sym.KIND
        heap = self.verifier.heap
        if kind == sym.DICT:
            return self._dict(heap.codes(code))
        if kind in _CONTAINERS:
            codes = heap.codes(code)
            shown = tuple((str(index), self.item(each)) for index, each in enumerate(codes[:MOST_ITEMS]))
            return Node(_CONTAINERS[kind], "", len(codes), shown, len(codes) - len(shown))
        record = heap.of(code)
        if kind == sym.MADE:
            return self._made(record)
        name = escape(record.dotted) if isinstance(record, Global) else ""
        return Node("name" if name else sym.WORDS.get(kind, "object"), name, 0, (), 0)

    def _dict(self, codes: list[int]) -> Node:
        items: list[tuple[str, int | str]] = []
        first = codes[: 2 * MOST_ITEMS]
        for number, (key, value) in enumerate(zip(first[::2], first[1::2], strict=False)):
            if key & sym.KIND < sym.FIRST_NODE:
                items.append((self.literal(key), self.item(value)))
            else:
                items += [(f"key {number}", self.item(key)), (f"value {number}", self.item(value))]
        size = len(codes) // 2
        return Node("dict", "", size, tuple(items), max(0, size - MOST_ITEMS))

    def _made(self, made: Made) -> Node:
        heap = self.verifier.heap
        given: list[tuple[str, int]] = []
        more = 0
        if made.args & sym.KIND == sym.TUPLE:
            codes = heap.codes(made.args)
            given += [(f"argument {index}", code) for index, code in enumerate(codes[:MOST_ITEMS])]
            more = len(codes) - len(given)
        elif made.args:
            given.append(("arguments", made.args))
        if made.kwargs:
            given.append(("keywords", made.kwargs))
        if made.state:
            given.append(("state", made.state))
        given += [(f"filled {index}", code) for index, code in enumerate(made.fills[:MOST_ITEMS])]
        more += max(0, len(made.fills) - MOST_ITEMS)
        shown = tuple((label, self.item(code)) for label, code in given)
        name = escape(made.origin.dotted) if made.origin else "?"
        return Node("call" if made.called else "new", name, 0, shown, more)


def _draw(stream: str, start: int, verifier: Verifier, most: int) -> Picture:
    drawing = _Drawing(verifier, most)
    first = drawing.item(verifier.result)
    nodes: list[Node] = []
    while drawing.waiting:
        nodes.append(drawing.node(drawing.waiting.popleft()))
    whole = drawing.whole and not any(node.more for node in nodes)
    names, links, all_of_them = _links(nodes)
    root = first if isinstance(first, str) else ""
    return Picture(escape(stream), start, root, tuple(nodes), names, links, whole and all_of_them)


def _links(nodes: list[Node]) -> tuple[tuple[str, ...], tuple[tuple[int, int, int], ...], bool]:
    """Which name is made from which: through containers, but not through other objects; and whether that is all."""
    numbers: dict[str, int] = {}
    counts: dict[tuple[int, int], int] = {}
    steps = _MOST_STEPS
    for number, node in enumerate(nodes):
        if (node.name or not number) and steps > 0:
            owner = numbers.setdefault(node.name, len(numbers)) if node.name else -1
            names, taken = _inside(nodes, number)
            steps -= taken
            for name in names:
                link = owner, numbers.setdefault(name, len(numbers))
                counts[link] = counts.get(link, 0) + 1
    links = sorted(((*link, count) for link, count in counts.items()), key=lambda link: -link[2])
    return tuple(numbers), tuple(links[:MOST_LINKS]), steps > 0 and len(links) <= MOST_LINKS


def _inside(nodes: list[Node], number: int) -> tuple[list[str], int]:
    """The names in what a node is made of, and how many items were looked at."""
    found: list[str] = []
    taken = 1
    seen = {number}
    waiting = [number]
    while waiting:
        items = nodes[waiting.pop()].items
        taken += len(items)
        for _, item in items:
            if isinstance(item, int) and nodes[item].name:
                found.append(nodes[item].name)
            elif isinstance(item, int) and item not in seen:
                seen.add(item)
                waiting.append(item)
    return found, taken


def _shown(value: Any) -> str:
    """A literal as text: what is long is cut, and nothing in it can be anything but text."""
    if isinstance(value, str):
        cut = f"... ({len(value)} characters)" if len(value) > LONGEST_LITERAL else ""
        return f"'{escape(value[:LONGEST_LITERAL])}'{cut}"
    return show_argument(value)
