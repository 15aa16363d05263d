"""What torch takes on trust when it makes a tensor of a storage: that sizes and strides stay inside of it.

`torch.Tensor.set_` makes a storage as large as sizes, strides and offset ask for.  So a few bytes of a stream could
have any amount of memory allocated, and hand out what was there before.  Patterns bound each number; that they stay
inside of the storage takes arithmetic, and that is here.  `{memory: strides}` among the arguments asks for it.

Rules:

* How long the storage is, its persistent ID says: ('storage', class, key, location, number of items, ...).  Whoever
  loads it compares that number with the bytes that there are; this module has no bytes.
* A storage without a type counts bytes.  How long an item is, the type in the argument behind `backward_hooks` says;
  where a storage has a type, there is none.
* What the stream does not spell out is refused.
"""

from __future__ import annotations

from safepickle import symbols as sym
from safepickle.hints import Any, Callable, Final
from safepickle.symbols import Heap

_MOST_DIMENSIONS: Final = 64  # torch's own bound
_ITEMS: Final = 4  # of a storage's persistent ID
_VIEW: Final = 5  # likewise, up to 1.5: of what is a part of another one
_TYPE: Final = 6  # of the arguments, where the storage has no type
_WITHOUT_A_TYPE: Final = frozenset({"torch.storage.UntypedStorage", "torch.UntypedStorage"})
#: Bytes of an item, of the types whose storages have none.
_BYTES: Final = {
    "torch.complex32": 4, "torch.uint16": 2, "torch.uint32": 4, "torch.uint64": 8,
    "torch.bits8": 1, "torch.bits16": 2, "torch.bits1x8": 1, "torch.bits2x4": 1, "torch.bits4x2": 1,
    "torch.float8_e4m3fn": 1, "torch.float8_e4m3fnuz": 1, "torch.float8_e5m2": 1, "torch.float8_e5m2fnuz": 1,
    "torch.float8_e8m0fnu": 1, "torch.float4_e2m1fn_x2": 1,
}  # fmt: skip


def is_inside(heap: Heap, value: Callable[[int], Any], fields: list[int], identity: int, *, dense: bool) -> bool:
    """Whether a tensor stays inside of its storage, `fields` being: storage, offset, sizes, strides and what follows.

    `identity` is the code of the storage's persistent ID, `value` reads a literal.  A `dense` tensor has no more items
    than its storage: such memory is allocated for its own sake.
    """
    room = _room(heap, value, fields, identity)
    sizes, strides = _numbers(heap, value, fields[2]), _numbers(heap, value, fields[3])
    offset = value(fields[1])
    if room is None or sizes is None or strides is None or len(sizes) != len(strides):
        return False
    if type(offset) is not int or not 0 <= offset <= room:
        return False
    if 0 in sizes:
        return True
    last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if dense:
        count = 1
        for size in sizes:
            count *= size
        return last < room >= count
    return last < room


def _room(heap: Heap, value: Callable[[int], Any], fields: list[int], identity: int) -> int | None:
    """How many items of the tensor's type the storage has; None where the two do not fit."""
    parts = heap.codes(identity) if identity & sym.KIND == sym.TUPLE else []
    kind = _name(heap, parts[1]) if len(parts) > _ITEMS else None
    count = value(parts[_ITEMS]) if kind is not None else None
    if type(count) is not int:
        return None
    if len(parts) > _VIEW and parts[_VIEW] & sym.KIND != sym.NONE:
        count = _part(heap, value, parts[_VIEW], count)
    item = _name(heap, fields[_TYPE]) if len(fields) > _TYPE else None
    if kind not in _WITHOUT_A_TYPE:
        return count if item is None else None
    size = _BYTES.get(item or "")
    return None if size is None or count is None else count // size


def _part(heap: Heap, value: Callable[[int], Any], view: int, count: int) -> int | None:
    """How many items a part of a storage has that is a storage of its own: its key, where it begins, how long it is."""
    parts = heap.codes(view) if view & sym.KIND == sym.TUPLE else []
    numbers = [value(part) for part in parts[1:]]
    if len(numbers) != 2 or any(type(number) is not int or number < 0 for number in numbers):
        return None
    length: int = numbers[1]
    return length if numbers[0] + length <= count else None


def _name(heap: Heap, code: int) -> str | None:
    """The name of what a stream refers to."""
    if code & sym.KIND != sym.GLOBAL:
        return None
    name: str = heap.of(code).dotted
    return name


def _numbers(heap: Heap, value: Callable[[int], Any], code: int) -> list[int] | None:
    """The items of a tuple of ints that are not negative."""
    items = heap.codes(code) if code & sym.KIND == sym.TUPLE else None
    if items is None or len(items) > _MOST_DIMENSIONS:
        return None
    numbers = [value(item) for item in items]
    return numbers if all(type(number) is int and number >= 0 for number in numbers) else None
