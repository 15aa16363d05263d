"""Which regular expressions a policy may hold: those whose matching is linear in the text.

Python's engine backtracks, and the text that it is tried on comes from the stream.  So an expression is refused unless
its tree shows that backtracking stays linear.  Rules:

* Literals, character classes, groups, alternatives and repeats only: no backreference, lookaround, flag or boundary.
* Inside a repeat the next character decides: alternatives begin differently, and whether the repeat goes on shows in
  one character.  What is repeated is never empty.
* No unbounded or large repeat within another one.
* Where the next character does not decide, every way is counted, and so is what follows it, once for each way: at most
  one such repeat may be unbounded, and only if nothing unbounded follows it.
* This module knows no YAML and no policies.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Union

#: Longer expressions are programs; no shape of a name or a number needs one.
LONGEST_EXPRESSION: Final = 1000
#: A repeat of more than this counts as unbounded.
LARGE_REPEAT: Final = 64
#: Ways, and steps of them, that may be tried for each character of the text.  No science went into this number: the
#: longest text then costs some tens of milliseconds.
MOST_WAYS: Final = 1000
_DEEPEST_GROUPS: Final = 20

# A set of characters is an int: one bit for each ASCII character, one for all others together, one for the text's end.
_ASCII: Final = 128
_OTHERS: Final = 1 << _ASCII
_END: Final = 1 << (_ASCII + 1)
_EVERY: Final = (1 << (_ASCII + 1)) - 1
_NEWLINE: Final = 1 << 10
_NOT_PART: Final = {
    "ASSERT": "looking ahead or behind",
    "ASSERT_NOT": "looking ahead or behind",
    "AT": "a word boundary",
    "ATOMIC_GROUP": "an atomic group",
    "GROUPREF": "a reference to a group",
    "GROUPREF_EXISTS": "a reference to a group",
    "POSSESSIVE_REPEAT": "a possessive repeat",
}
_LINEAR: Final = 1


class _Refused(Exception):
    """The expression is not one of those; the argument says why."""


class _Chars(NamedTuple):
    """One character of a set."""

    allowed: int


class _Sequence(NamedTuple):
    items: tuple[_Node, ...]


class _Choice(NamedTuple):
    branches: tuple[_Node, ...]


class _Repeat(NamedTuple):
    low: int
    high: int | None  # None: unbounded
    body: _Node

    @property
    def is_large(self) -> bool:
        return self.high is None or self.high > LARGE_REPEAT


_Node = Union[_Chars, _Sequence, _Choice, _Repeat]
_EMPTY: Final = _Sequence(())


class _Tail(NamedTuple):
    """What is still to match: what it can begin with, and its cost, `steps` times the text's length ** `degree`."""

    first: int
    degree: int
    steps: int


def refusal(expression: str) -> str | None:
    """Why `expression` cannot stand in a policy, or None if it can.

    What passes is meant to be compiled with `re.ASCII` and used with `fullmatch`.
    """
    if len(expression) > LONGEST_EXPRESSION:
        return f"longer than {LONGEST_EXPRESSION} characters"
    try:
        tail = _cost(_parsed(expression), _Tail(_END, 0, 1), inside=False)
    except _Refused as reason:
        return str(reason)
    if tail.degree > _LINEAR or tail.steps > MOST_WAYS:
        return "its repeats can divide one text in too many ways: separate them by characters they do not contain"
    return None


def _parsed(expression: str) -> _Node:
    import re
    from re import _parser  # type: ignore[attr-defined]  # the standard library's, without a public name

    if _is_ambiguous(expression):
        raise _Refused("a doubled [ - & ~ or | in a set of characters may mean something else one day: escape it")
    try:
        tree = _parser.parse(expression, re.ASCII)
    except (re.error, RecursionError, OverflowError, ValueError, Warning) as error:
        raise _Refused(f"not a regular expression: {error}") from None
    if tree.state.flags != re.ASCII:
        raise _Refused("flags are not part of the language")
    return _converted(tree, 0)


def _is_ambiguous(expression: str) -> bool:
    """Whether `re` would warn of a set of characters.  Filters of warnings belong to the process, so none is set."""
    start, index = -1, 0  # where the set that we are in has its first character
    while index < len(expression):
        char, doubled = expression[index], expression[index : index + 2] == expression[index] * 2
        if char == "\\":
            index += 1
        elif start < 0:
            if char == "[" and doubled:
                return True
            start = index + 1 + (expression[index + 1 : index + 2] == "^") if char == "[" else -1
        elif char == "]" and index > start:
            start = -1
        elif doubled and char in "-&~|":
            return True
        index += 1
    return False


def _converted(tree: Any, depth: int) -> _Node:
    if depth > _DEEPEST_GROUPS:
        raise _Refused(f"more than {_DEEPEST_GROUPS} levels of groups")
    return _Sequence(tuple(_item(str(code), argument, depth) for code, argument in tree))


def _item(code: str, argument: Any, depth: int) -> _Node:
    if code in {"LITERAL", "NOT_LITERAL", "ANY", "IN"}:
        return _Chars(_characters(code, argument))
    if code == "BRANCH":
        return _Choice(tuple(_converted(branch, depth + 1) for branch in argument[1]))
    if code == "SUBPATTERN":
        _group, added, removed, body = argument
        if added or removed:
            raise _Refused("flags are not part of the language")
        return _converted(body, depth + 1)
    if code in {"MAX_REPEAT", "MIN_REPEAT"}:
        low, high, body = argument
        return _Repeat(int(low), None if str(high) == "MAXREPEAT" else int(high), _converted(body, depth + 1))
    if code == "AT" and str(argument) in {"AT_BEGINNING", "AT_BEGINNING_STRING", "AT_END", "AT_END_STRING"}:
        return _EMPTY
    raise _Refused(f"{_NOT_PART.get(code, code.lower())} is not part of the language")


def _characters(code: str, argument: Any) -> int:
    if code == "ANY":
        return _EVERY & ~_NEWLINE
    if code == "LITERAL":
        return _range(argument, argument)
    if code == "NOT_LITERAL":
        return (_EVERY & ~_range(argument, argument)) | _OTHERS
    allowed, negated = 0, False
    for kind, member in argument:
        if str(kind) == "NEGATE":
            negated = True
        elif str(kind) == "CATEGORY":
            allowed |= _category(str(member))
        else:
            allowed |= _range(member, member) if str(kind) == "LITERAL" else _range(*member)
    return (_EVERY & ~allowed) | _OTHERS if negated else allowed


def _range(first: int, last: int) -> int:
    ascii_part = sum(1 << code for code in range(first, min(last, _ASCII - 1) + 1))
    return ascii_part | (_OTHERS if last >= _ASCII else 0)


def _category(name: str) -> int:
    digits = _range(ord("0"), ord("9"))
    known = {
        "DIGIT": digits,
        "SPACE": sum(1 << ord(char) for char in " \t\n\r\f\v"),
        "WORD": digits | _range(ord("a"), ord("z")) | _range(ord("A"), ord("Z")) | _range(ord("_"), ord("_")),
    }
    kind = name.removeprefix("CATEGORY_")
    return _EVERY & ~known[kind.removeprefix("NOT_")] if kind.startswith("NOT_") else known[kind]


def _can_be_empty(node: _Node) -> bool:
    if isinstance(node, _Chars):
        return False
    if isinstance(node, _Sequence):
        return all(map(_can_be_empty, node.items))
    if isinstance(node, _Choice):
        return any(map(_can_be_empty, node.branches))
    return node.low == 0 or _can_be_empty(node.body)


def _first(node: _Node, follow: int) -> int:
    """The characters that `node`, followed by what begins with `follow`, can begin with."""
    if isinstance(node, _Chars):
        return node.allowed
    if isinstance(node, _Sequence):
        for item in reversed(node.items):
            follow = _first(item, follow)
        return follow
    if isinstance(node, _Choice):
        found = 0
        for branch in node.branches:
            found |= _first(branch, follow)
        return found
    return _first(node.body, follow) | (follow if node.low == 0 else 0)


def _cost(node: _Node, tail: _Tail, *, inside: bool, large: bool = False) -> _Tail:
    """What `node` and then `tail` cost.  `inside` a repeat the next character must decide; `large` says which kind."""
    if isinstance(node, _Chars):
        return _Tail(node.allowed, tail.degree, tail.steps + 1)
    if isinstance(node, _Sequence):
        for item in reversed(node.items):
            tail = _cost(item, tail, inside=inside, large=large)
        return tail
    if isinstance(node, _Choice):
        return _choice(node.branches, tail, inside=inside, large=large)
    if node.high == 0:
        return tail
    if node.high == 1:
        branches = (node.body,) if node.low else (node.body, _EMPTY)
        return _choice(branches, tail, inside=inside, large=large)
    return _repeat(node, tail, inside=inside, large=large)


def _choice(branches: tuple[_Node, ...], tail: _Tail, *, inside: bool, large: bool) -> _Tail:
    ways = [_cost(branch, tail, inside=inside, large=large) for branch in branches]
    first, decided = 0, True
    for way in ways:
        decided = decided and not first & way.first
        first |= way.first
    if inside and not decided:
        raise _Refused("inside a repeat, alternatives must begin differently, and not as what follows")
    steps = [way.steps for way in ways]
    return _Tail(first, max(way.degree for way in ways), max(steps) if decided else sum(steps))


def _repeat(node: _Repeat, tail: _Tail, *, inside: bool, large: bool) -> _Tail:
    if _can_be_empty(node.body):
        raise _Refused("it repeats what can be empty")
    if large and node.is_large:
        raise _Refused(f"unbounded repeats (or ones of more than {LARGE_REPEAT}) are nested")
    begins = _first(node.body, 0)
    first = begins | (tail.first if node.low == 0 else 0)
    body = _cost(node.body, _Tail(begins | tail.first, 0, 0), inside=True, large=large or node.is_large)
    times = 1 if node.high is None or node.is_large else node.high
    if node.low == node.high or not begins & tail.first:
        degree = _LINEAR if node.is_large else body.degree
        return _Tail(first, max(degree, tail.degree), times * body.steps + tail.steps)
    if inside:
        raise _Refused("inside a repeat, one character must tell whether another repeat goes on")
    if node.is_large:
        return _Tail(first, _LINEAR + tail.degree, body.steps + tail.steps)
    return _Tail(first, max(body.degree, tail.degree), (times - node.low + 1) * (body.steps + tail.steps))
