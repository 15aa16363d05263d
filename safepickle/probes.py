"""What hashing real objects costs: the part of hash work and probe work that only shows while running.

Rules:

* A dict's or set's cost is the number of slots its keys visit.  That is computed here by following CPython's probe
  sequence over the keys' hashes, so that keys which share a hash and keys which merely share a chain both count.
* Text is not followed: its hash is keyed with a random secret of the process.
* It compares keys only within one hash, and never keeps more than the budget lets it.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque

from safepickle.errors import LimitExceeded
from safepickle.hints import Any, Final, Iterable, Sequence

#: Containers up to this many keys are not followed: the square of it is still nothing.
FREE_KEYS: Final = 1000

_HASH_MASK: Final = (1 << 64) - 1
_PERTURB_SHIFT: Final = 5
_SET_LINEAR_PROBES: Final = 9
_TEXT: Final = frozenset({str, bytes})


class ProbeTable:
    """CPython's hash table as far as its slots go; `steps` is how many occupied slots the keys so far have met."""

    __slots__ = (
        "_buckets", "_fill", "_hashes", "_is_set", "_mask", "_most", "_slots", "added", "container", "keys", "steps",
    )  # fmt: skip

    def __init__(self, is_set: bool, most: int, container: Any = None) -> None:
        self._is_set = is_set
        self._most = most
        self._mask = 7
        self._slots = bytearray(8)
        self._hashes: list[int] = []
        self._buckets: dict[int, list[Any]] = {}
        self._fill = 0
        self.keys = 0
        self.added = 0  # keys added, equal ones as often as they were
        self.steps = 0
        self.container = container  # keeps the object alive, so that its id stays its own

    def add(self, key: Any) -> None:
        """Follow one key.  Raises LimitExceeded once the keys took more than the allowed average of steps."""
        digest = hash(key)
        self.added += 1
        bucket = self._buckets.get(digest)
        if bucket is None:
            self._buckets[digest] = [key]
        else:
            for known in bucket:
                self.steps += 1
                if known is key or known == key:
                    self._judge()
                    return
            bucket.append(key)
        self.keys += 1
        self._hashes.append(digest)
        self._insert(digest)
        self._fill += 1
        if self._is_set:
            if self._fill * 5 >= self._mask * 3:
                self._resize(self.keys * 2 if self.keys > 50_000 else self.keys * 4)
        elif self._fill * 3 >= (self._mask + 1) * 2:
            self._resize(self.keys * 3)
        self._judge()

    def _judge(self) -> None:
        # Following costs as much as filling: it ends as soon as this cannot become a harmless container any more.
        if self.steps > self._most * max(self.added, FREE_KEYS):
            raise LimitExceeded(
                f"the keys of a container collide: {self.steps:,} steps for {self.keys:,} keys; "
                f"the limit probe_work is {self._most} a key"
            )

    def _insert(self, digest: int) -> None:
        mask = self._mask
        slots = self._slots
        perturb = digest & _HASH_MASK
        slot = perturb & mask
        steps = 0
        while True:
            if not slots[slot]:
                break
            steps += 1
            if self._is_set and slot + _SET_LINEAR_PROBES <= mask:
                free = slots.find(0, slot + 1, slot + 1 + _SET_LINEAR_PROBES)
                if free >= 0:
                    slot = free
                    break
                steps += 1
            perturb >>= _PERTURB_SHIFT
            slot = (slot * 5 + perturb + 1) & mask
        slots[slot] = 1
        self.steps += steps

    def _resize(self, wanted: int) -> None:
        size = 8
        while size <= wanted:
            size <<= 1
        self._mask = size - 1
        self._slots = bytearray(size)
        steps = self.steps
        for digest in self._hashes:
            self._insert(digest)
        # Moving the keys is the table's own amortised cost; what counts is how the keys lie now.
        self.steps = max(steps, self.steps - steps)


class ProbeGuard:
    """Follows the large containers of one load."""

    __slots__ = ("_followed", "_most", "_tables")

    def __init__(self, most: int) -> None:
        self._most = most
        self._followed: dict[tuple[int, bool], tuple[Any, int]] = {}  # what was given to calls, and how long it was
        self._tables: dict[int, ProbeTable] = {}

    def adding(self, container: Any, keys: Sequence[Any], is_set: bool) -> None:
        """Judge keys that are about to be added to a dict or set, or to what may keep them in one."""
        table = self._tables.get(id(container))
        if table is None:
            if _only_text(keys):
                return
            known: Iterable[Any] = ()
            if isinstance(container, (set, dict)):
                size = set.__len__(container) if isinstance(container, set) else dict.__len__(container)
                if size + len(keys) <= FREE_KEYS:
                    return
                known = set.__iter__(container) if isinstance(container, set) else dict.__iter__(container)
            table = self._tables[id(container)] = ProbeTable(is_set, self._most, container)
            _follow(table, known)
        _follow(table, keys)

    def building(self, target: Any, args: tuple[Any, ...]) -> None:
        """Judge the arguments of a call that makes a set or a dict of them."""
        if not isinstance(target, type) or not issubclass(target, (set, frozenset, dict)):
            return
        makes_set = not issubclass(target, dict)
        for given in args:
            if not isinstance(given, _ITERATED) or len(given) <= FREE_KEYS or type(given) in _FOLLOWED_BEFORE:
                continue
            key = id(given), makes_set
            if self._followed.get(key, (None, 0))[1] == len(given):
                continue  # what is given again and again is followed once
            self._followed[key] = given, len(given)
            # A class that is given what is no dict takes pairs, or counts the members; one of its own may do either.
            if makes_set or isinstance(given, dict) or target not in _OF_PAIRS:
                _follow(ProbeTable(makes_set, self._most), given)
            if not makes_set and not isinstance(given, dict):
                _follow(ProbeTable(is_set=False, most=self._most), _firsts(given))


#: What can be walked through without using it up.
_ITERATED: Final = (list, tuple, set, frozenset, dict, range, deque)
#: What was filled by opcodes, each key of it followed then.
_FOLLOWED_BEFORE: Final = frozenset({set, frozenset, dict})
_OF_PAIRS: Final = frozenset({dict, defaultdict, OrderedDict})


def _follow(table: ProbeTable, keys: Iterable[Any]) -> None:
    for key in keys:
        if type(key) not in _TEXT:
            try:
                table.add(key)
            except TypeError:  # cannot be hashed: whoever is given this key will say so
                return


def _firsts(pairs: Iterable[Any]) -> Iterable[Any]:
    for pair in pairs:
        if isinstance(pair, (list, tuple)) and len(pair) == 2:
            yield pair[0]


def _only_text(keys: Iterable[Any]) -> bool:
    return all(type(key) in _TEXT for key in keys)


def value_weight(root: Any, most: int) -> int:
    """How many objects a hash of `root` visits through exact tuples and frozensets, capped at `most`."""
    if type(root) not in (tuple, frozenset):
        return 1
    total: dict[int, int] = {}
    path = [(root, list(root))]
    sums = [1]
    while path:
        node, rest = path[-1]
        if rest:
            child = rest.pop()
            if type(child) not in (tuple, frozenset):
                sums[-1] += 1
            elif id(child) in total:
                sums[-1] += total[id(child)]
            else:
                path.append((child, list(child)))
                sums.append(1)
        else:
            path.pop()
            weight = sums.pop()
            total[id(node)] = weight
            if path:
                sums[-1] += weight
        if sums and sums[-1] >= most:
            return most
    return total[id(root)]
