"""What hashing real objects costs: the part of hash work and probe work that only shows while running.

Rules:

* A dict's or set's cost is the number of slots its keys visit.  That is computed here by following CPython's probe
  sequence over the keys' hashes, so that keys which share a hash and keys which merely share a chain both count.
* Text is not followed: its hash is keyed with a random secret of the process.
* It compares keys only within one hash, and never keeps more than the budget lets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from safepickle.errors import LimitExceeded

#: Containers up to this many keys are not followed: the square of it is still nothing.
FREE_KEYS: Final = 1000

_HASH_MASK: Final = (1 << 64) - 1
_PERTURB_SHIFT: Final = 5
_SET_LINEAR_PROBES: Final = 9
_TEXT: Final = frozenset({str, bytes})


class ProbeTable:
    """CPython's hash table as far as its slots go; `steps` is how many occupied slots the keys so far have met."""

    __slots__ = ("_buckets", "_fill", "_hashes", "_is_set", "_mask", "_most", "_slots", "container", "keys", "steps")

    def __init__(self, is_set: bool, most: int, container: Any = None) -> None:
        self._is_set = is_set
        self._most = most
        self._mask = 7
        self._slots = bytearray(8)
        self._hashes: list[int] = []
        self._buckets: dict[int, list[Any]] = {}
        self._fill = 0
        self.keys = 0
        self.steps = 0
        self.container = container  # keeps the object alive, so that its id stays its own

    def add(self, key: Any) -> None:
        """Follow one key.  Raises LimitExceeded once the keys took more than the allowed average of steps."""
        digest = hash(key)
        bucket = self._buckets.get(digest)
        if bucket is None:
            self._buckets[digest] = [key]
        else:
            for known in bucket:
                self.steps += 1
                if known is key or known == key:
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
        if self.keys > FREE_KEYS and self.steps > self._most * self.keys:
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

    __slots__ = ("_most", "_tables")

    def __init__(self, most: int) -> None:
        self._most = most
        self._tables: dict[int, ProbeTable] = {}

    def adding(self, container: Any, keys: Sequence[Any], is_set: bool) -> None:
        """Judge keys that are about to be added to a dict or set."""
        table = self._tables.get(id(container))
        if table is None:
            if len(container) + len(keys) <= FREE_KEYS or _only_text(keys):
                return
            table = self._tables[id(container)] = ProbeTable(is_set, self._most, container)
            for key in container:
                if type(key) not in _TEXT:
                    table.add(key)
        for key in keys:
            if type(key) not in _TEXT:
                table.add(key)

    def building(self, target: Any, args: tuple[Any, ...]) -> None:
        """Judge the arguments of a call that makes a set or a dict of them."""
        if not isinstance(target, type) or not issubclass(target, (set, frozenset, dict)):
            return
        is_set = not issubclass(target, dict)
        for given in args:
            if type(given) not in (list, tuple, set, frozenset, dict) or len(given) <= FREE_KEYS:
                continue
            table = ProbeTable(is_set, self._most)
            for item in given:
                key = item
                if not is_set and type(given) is not dict:
                    if type(item) not in (list, tuple) or not item:
                        break
                    key = item[0]
                if type(key) not in _TEXT:
                    table.add(key)


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
