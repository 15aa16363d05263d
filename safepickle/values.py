"""Where a compiled unpickler keeps its values: a stack with marks, and a memo, as C arrays of references.

Uncompiled, a stack and its marks are lists and a memo is a dict (see `loading.py`), and nothing here is used.
"""

from __future__ import annotations

from safepickle import loading as prim

__all__ = ["Memo", "Stack"]


class Stack:
    """Values and marks of one load."""

    __slots__ = ()

    def __dealloc__(self) -> None:
        prim.free_stack(self)


class Memo:
    """The memo entries of one load, by index."""

    __slots__ = ()

    def __dealloc__(self) -> None:
        prim.free_memo(self)
