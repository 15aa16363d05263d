"""What the symbolic values of a stream will cost once they are real: to hash, to copy, to walk through, and how deep.

A shared object is written once and may be met any number of times: a tuple of a tuple of a tuple, each twice in the
next, takes two bytes a level and twice the time a level.  So a node counts each time it is reached.

Rules:

* It returns numbers; the verifier charges them, and refuses.
* No walk enters a node twice, so none costs more than what it returns; none recurses over the stream's values.
* Numbers saturate: an integer that doubles with each opcode would itself be the attack.
* What is hashed of an instance is its arguments and the values of its state.  A list, dict or set among these values
  counts once: such an attribute cannot be hashed, and graphs of objects, which hash by identity, hang together by them.
"""

from __future__ import annotations

from safepickle import loading as prim
from safepickle import symbols as sym
from safepickle.hints import Any, Callable, Final, Iterable, Iterator, Mapping
from safepickle.matching import Matcher
from safepickle.probes import value_weight
from safepickle.symbols import TAINT, Heap, Made, Prior

__all__ = ["Scales", "exact_depths", "remembered"]

#: More than any budget.
ENDLESS: Final = 1 << 62
_UNHASHABLE: Final = frozenset({sym.LIST, sym.DICT, sym.SET, sym.BYTEARRAY})
# What calls of these give cannot be hashed either.
_UNHASHABLE_CALLS: Final = frozenset({
    "builtins.bytearray", "builtins.dict", "builtins.list", "builtins.set", "collections.Counter",
    "collections.OrderedDict", "collections.UserDict", "collections.UserList", "collections.defaultdict",
    "collections.deque", "weakref.WeakSet",
})  # fmt: skip
_TEXTS: Final = frozenset({sym.STR, sym.TEXT8, sym.BYTES, sym.ENCODED})
_SIZED: Final = (str, bytes, bytearray, list, tuple, dict, set, frozenset)
_NOTHING: Final[list[int]] = []
_ONE_LEAF: Final = sym.NONE  # a code that stands for anything that counts once


def _plain(heap: Heap, code: int) -> list[int]:
    """What a literal container holds."""
    return heap.codes(code) if sym.TUPLE <= code & sym.KIND <= sym.FROZENSET else _NOTHING


def _hashed(heap: Heap, code: int) -> list[int]:
    """What a hash of this value may visit."""
    if code & sym.KIND != sym.MADE:
        return _plain(heap, code)
    made: Made = heap.of(code)
    held = [part for part in (made.args, made.kwargs) if part]
    for part in _records(heap, made.state):
        values = heap.codes(part)[1::2] if part & sym.KIND == sym.DICT else heap.codes(part)
        held += [_ONE_LEAF if _is_unhashable(heap, value) else value for value in values]
    return held


def _is_unhashable(heap: Heap, code: int) -> bool:
    if code & sym.KIND != sym.MADE:
        return code & sym.KIND in _UNHASHABLE
    origin = heap.of(code).origin
    return origin is not None and origin.dotted in _UNHASHABLE_CALLS


def _records(heap: Heap, state: int) -> list[int]:
    """The containers in which a state lists the values of attributes: itself, or the two halves of a pair."""
    kind = state & sym.KIND
    if kind == sym.TUPLE and heap.count(state) == 2:
        halves = heap.codes(state)
        return [half for half in halves if half & sym.KIND == sym.DICT] or [state]
    return [state] if kind in (sym.TUPLE, sym.LIST, sym.DICT) else []


def _expansion(
    heap: Heap,
    root: int,
    held_by: Callable[[Heap, int], list[int]],
    leaf: Callable[[int], int],
    weights: dict[int, int],
    most: int,
) -> int:
    """How many values a walk through `root` meets, each as often as it is met; `root` on the way to itself counts once.

    `leaf` weighs what holds nothing.  `weights` keeps what was found, for other roots of the same heap.
    """
    known = weights.get(root)
    if known is not None:
        return known
    held = held_by(heap, root)
    if not held:
        return leaf(root)
    weights[root] = 1
    path: list[tuple[int, Iterator[int]]] = [(root, iter(held))]
    sums = [1]
    while True:
        node, rest = path[-1]
        for child in rest:
            known = weights.get(child)
            if known is not None:
                sums[-1] += known
                continue
            held = held_by(heap, child)
            if not held:
                sums[-1] += leaf(child)
                continue
            weights[child] = 1
            path.append((child, iter(held)))
            sums.append(1)
            break
        else:
            path.pop()
            weight = weights[node] = min(sums.pop(), ENDLESS)
            if not path:
                return weight
            sums[-1] += weight
        if sums[-1] > most:
            weights.update((entered, most) for entered, _ in path)
            return most


class Scales:
    """Weighs the values of one heap."""

    __slots__ = ("_flat", "_hashable", "_heap", "_long_texts", "_matcher", "_repeated", "_walked")

    def __init__(self, heap: Heap, matcher: Matcher) -> None:
        if not prim.COMPILED:
            self.__cinit__(heap, matcher)

    def __cinit__(self, heap: Heap, matcher: Matcher) -> None:
        """Compiled, there are no scales without what they work on, and none are given others."""
        if not isinstance(heap, Heap):
            raise TypeError("scales need a heap")
        self._heap = heap
        self._matcher = matcher
        self._flat: dict[int, int] = {}  # container -> how many of its items were seen to be short scalars; -1: not all
        self._hashable: set[int] = set()  # tuples in which everything may be hashed
        self._long_texts: dict[int, int] = {}  # hash of a long text used as a key -> code of the first such value
        self._repeated: dict[int, bool] = {}  # code of a long text used as a key -> whether another one spells the same
        self._walked: dict[int, int] = {}  # what `walk` found

    def forget(self) -> None:
        """Make ready for another stream."""
        if self._flat:
            self._flat = {}
        if self._hashable:
            self._hashable = set()
        if self._long_texts:
            self._long_texts = {}
        if self._repeated:
            self._repeated = {}
        if self._walked:
            self._walked = {}

    # -- Hashing -----------------------------------------------------------------------------------------------------

    def hashing(self, code: int, most: int) -> int:
        """What hashing a value, and comparing it with equal keys, costs; anything above `most` is `most` + 1."""
        if code & sym.KIND < sym.FIRST_NODE:
            return self._leaf(code)
        if sym.TUPLE <= code & sym.KIND <= sym.FROZENSET and self.is_flat(code):
            return self._heap.count(code) + 1
        return _expansion(self._heap, code, _hashed, self._leaf, {}, most + 1)

    def unhashable(self, code: int) -> str | None:
        """The kind of what makes a key impossible to hash, where the stream shows it: itself, or inside its tuples."""
        if code & sym.KIND in _UNHASHABLE:
            return sym.WORDS[code & sym.KIND]
        pending = [code] if code & sym.KIND == sym.TUPLE else []
        while pending:
            node = pending.pop()
            if node in self._hashable:
                continue
            for item in self._heap.codes(node):
                kind = item & sym.KIND
                if kind in _UNHASHABLE:
                    return sym.WORDS[kind]
                if kind == sym.TUPLE:
                    pending.append(item)
            self._hashable.add(node)
        return None

    def _leaf(self, code: int) -> int:
        kind = code & sym.KIND
        if kind == sym.PRIOR:
            prior: Prior = self._heap.of(code)
            if type(prior.value) not in (str, bytes):
                return _prior_weight(prior)
            size = len(prior.value)
            return self._text_weight(code, size) if size > sym.LONG_TEXT else 1
        if kind in _TEXTS:
            size = prim.long_size(self._heap, code >> sym.SHIFT)
            if size and kind == sym.ENCODED:
                return size  # made anew by each call: a hash is kept for none
            return self._text_weight(code, size) if size else 1
        return (prim.long_size(self._heap, code >> sym.SHIFT) or 1) if kind == sym.INT else 1

    def _text_weight(self, code: int, size: int) -> int:
        # The hash of a text is kept with it.  What costs is comparing it with an equal text that is another object.
        repeated = self._repeated.get(code)
        if repeated is None:
            first = self._long_texts.setdefault(hash(self._matcher.value(code)), code)
            repeated = first != code
            self._repeated[code] = repeated
            if repeated:
                self._repeated[first] = True
            return size
        return size if repeated else 1

    # -- Containers of short scalars: what is handed out again and again is looked at once ----------------------------

    def is_flat(self, code: int) -> bool:
        """Whether a container holds nothing but scalars, none of them long."""
        heap = self._heap
        count = prim.count(heap, code)
        seen = self._flat.get(code, 0)
        if 0 <= seen < count:  # it can only have grown
            seen = self._flat[code] = prim.flat(heap, code, seen)
        return seen >= 0

    # -- Walking through ---------------------------------------------------------------------------------------------

    def walk(self, codes: Iterable[int], most: int) -> int:
        """How many values somebody meets who walks through the literal containers among these: repr, ==, a copy."""
        total = 0
        for code in codes:
            if sym.TUPLE <= code & sym.KIND <= sym.FROZENSET:
                total += _expansion(self._heap, code, _plain, _once, self._walked, most + 1)
        return total

    def forget_walks(self) -> None:
        """To be called when a container has changed that others may hold."""
        self._walked.clear()

    # -- Copying -----------------------------------------------------------------------------------------------------

    def lengths(self, codes: Iterable[int]) -> int:
        """What copying these values costs: each text its length, each container its items and how long these are."""
        return sum([self.length(code) for code in codes])

    def length(self, code: int) -> int:
        """What copying one value costs."""
        if not sym.TUPLE <= code & sym.KIND <= sym.FROZENSET or self.is_flat(code):
            return self.bulk(code)
        count = self._heap.count(code)
        # Tuples, as states are, are looked into; other containers only where there is anything long in the stream.
        if code & sym.KIND == sym.TUPLE or prim.has_longs(self._heap):
            return count + sum([self._literal_length(each) for each in self._heap.codes(code)])
        return count

    def bulk(self, code: int) -> int:
        """How many bytes or items a value holds by itself, whatever its items hold.

        What a call gave may have copied an argument, so it counts as the largest of them.  What is inside of arguments,
        and a state, does not count: a thousand objects may share what one large array stands behind.
        """
        heap = self._heap
        kind = code & sym.KIND
        if kind == sym.MADE:
            made: Made = heap.of(code)
            return made.size + len(made.fills)
        if kind == sym.PRIOR:
            prior: Prior = heap.of(code)
            return max(prior.size, len(prior.value) if isinstance(prior.value, _SIZED) else 0)
        return self._literal_length(code)

    def _literal_length(self, code: int) -> int:
        heap = self._heap
        kind = code & sym.KIND
        if kind < sym.FIRST_NODE:
            return prim.long_size(heap, code >> sym.SHIFT)
        return heap.count(code) if kind <= sym.FROZENSET else 0


def _once(_code: int) -> int:
    return 1


# -- Depth, where things were put into what others held already -------------------------------------------------------


def exact_depths(heap: Heap) -> int:
    """Make the depths of a finished heap exact, and return the deepest that is no helper's.

    While a stream is read, a container is as deep as what it held then; where it is filled once others hold it, they
    become deeper too.  A value that holds itself is not made deeper by that.
    """
    size = len(heap)
    entered = bytearray(size)
    finished = bytearray(size)
    deepest = 0
    for start in range(size):
        path = [] if entered[start] else [(start, iter(_parts(heap, start)))]
        entered[start] = 1
        while path:
            index, rest = path[-1]
            for child in rest:
                if child & sym.KIND >= sym.FIRST_NODE and not entered[child >> sym.SHIFT]:
                    entered[child >> sym.SHIFT] = 1
                    path.append((child >> sym.SHIFT, iter(_parts(heap, child >> sym.SHIFT))))
                    break
            else:
                path.pop()
                finished[index] = 1
                depth = prim.depth_of(heap, index)
                for child in _parts(heap, index):
                    inner = child >> sym.SHIFT
                    if child & sym.KIND >= sym.FIRST_NODE and finished[inner] and index != inner:
                        depth = max(depth, prim.depth_of(heap, inner) + 1)
                prim.set_depth(heap, index, depth)
                if deepest < depth < TAINT:
                    deepest = depth
    return deepest


def _parts(heap: Heap, index: int) -> list[int]:
    content = heap.held(index)
    if type(content) is list:
        return content
    if type(content) is Made:
        return [part for part in (content.args, content.kwargs, content.state) if part] + content.fills
    receiver = heap.receivers.get(index)
    return _NOTHING if receiver is None else [receiver]


# -- What an earlier load made ---------------------------------------------------------------------------------------


def remembered(heap: Heap, memo: Mapping[int, int], values: Mapping[int, Any]) -> dict[int, Prior]:
    """What a later load must know of the memo that a load left: `memo` is its codes, `values` what they became."""
    # Weighed now where the load itself used earlier entries, so that no chain of loads is followed later.
    weights: dict[int, int] | None = {} if heap.has_priors else None
    return {index: _remembered(heap, code, values.get(index), weights) for index, code in memo.items()}


def _remembered(heap: Heap, code: int, value: Any, weights: dict[int, int] | None) -> Prior:
    kind = code & sym.KIND
    if kind == sym.PRIOR:
        earlier: Prior = heap.of(code)
        return earlier
    prior = Prior(value, heap.depth(code), heap.of(code) if kind == sym.GLOBAL else None)
    if kind == sym.MADE:
        prior.size = heap.of(code).size + len(heap.of(code).fills)
    if kind < sym.FIRST_NODE:
        prior.weight = (prim.long_size(heap, code >> sym.SHIFT) or 1)
    elif weights is None:
        prior.heap, prior.code = heap, code
    else:
        prior.weight = _expansion(heap, code, _hashed, _leaf_of(heap), weights, ENDLESS)
    return prior


def _prior_weight(prior: Prior) -> int:
    if not prior.weight:
        if prior.heap is None:
            prior.weight = value_weight(prior.value, ENDLESS)
        else:
            prior.weight = _expansion(prior.heap, prior.code, _hashed, _leaf_of(prior.heap), {}, ENDLESS)
            prior.heap = None
    return prior.weight


def _leaf_of(heap: Heap) -> Callable[[int], int]:
    def leaf(code: int) -> int:
        kind = code & sym.KIND
        if kind == sym.PRIOR:
            return _prior_weight(heap.of(code))
        if kind in _TEXTS or kind == sym.INT:
            return (prim.long_size(heap, code >> sym.SHIFT) or 1)
        return 1

    return leaf
