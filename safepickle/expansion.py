"""How large the objects of a stream are to whoever walks through them without noticing what is shared.

Forty lists, each holding the one before twice, are eighty bytes of pickle and harmless to load.  To print them, compare
them or write them as JSON takes longer than anybody waits.

Rules:

* Each node is visited once, and nothing recurses; numbers saturate.
* A reference back to what is being walked through counts as one: those who walk notice that.  A container that holds
  itself more than once is endless, since many notice only after having gone through it each time.
"""

from __future__ import annotations

from typing import Final

from safepickle import symbols as sym
from safepickle.symbols import Heap, Made

__all__ = ["ENDLESS", "FEW_SHARED", "expanded", "is_excessive"]

ENDLESS: Final = 1 << 62
#: With so few fetches of what others hold, nothing is met more than 256 times as often as it is made.
FEW_SHARED: Final = 8
#: What is shared honestly stays far below.  No science went into these numbers.
_ANYWAY: Final = 1 << 24
_TIMES_OPCODES: Final = 1000


def is_excessive(heap: Heap, opcodes: int, shared: int) -> bool:
    """Whether walking through the objects costs out of all proportion to the stream.

    `shared` is how often the stream pushed what something may hold already; each of these at most doubles a walk, and
    most streams have none.
    """
    if shared <= FEW_SHARED:
        return False
    return expanded(heap) > max(_ANYWAY, _TIMES_OPCODES * opcodes)


def expanded(heap: Heap) -> int:
    """The values met on the longest walk from any object of the heap, each as often as it is met."""
    sizes: dict[int, int] = {}
    for root in range(len(heap)):
        if root not in sizes:
            _walk(heap, root, sizes)
    return max(sizes.values(), default=0)


def _walk(heap: Heap, root: int, sizes: dict[int, int]) -> None:
    inner = _inside(heap, root)
    path = [(root, inner, iter(inner))]
    sizes[root] = 1  # what a reference back to it counts for
    while path:
        node, inner, rest = path[-1]
        fresh = next((number for number in rest if number not in sizes), None)
        if fresh is not None:
            sizes[fresh] = 1
            held = _inside(heap, fresh)
            path.append((fresh, held, iter(held)))
            continue
        path.pop()
        total = ENDLESS if inner.count(node) > 1 else 1 + sum(sizes[number] for number in inner)
        sizes[node] = min(total, ENDLESS)


def _inside(heap: Heap, number: int) -> list[int]:
    """The nodes that a node holds."""
    held = heap.held(number)
    if isinstance(held, list):
        codes = held
    elif isinstance(held, Made):
        codes = [held.args, held.kwargs, held.state, *held.fills]
    else:
        return []
    nodes = range(sym.FIRST_NODE, sym.GLOBAL)
    return [code >> sym.SHIFT for code in codes if code & sym.KIND in nodes or code & sym.KIND == sym.MADE]
