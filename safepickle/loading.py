"""What the compiled core has as C primitives, in Python: `_loading.pxd` says the same for C arrays.

Uncompiled, the modules call these; compiled, Cython puts the C functions of the same names in their place.  A stack,
the marks and a memo are arrays that are written by index, as C writes them, so that one text serves both.

Rules:

* A primitive decides nothing: no policy, no limit, no error but MemoryError.
* A primitive that reads the stream may answer -1, which hands the matter over to the reader.
"""

from __future__ import annotations

import sys
from operator import itemgetter
from struct import Struct
from sys import intern

from safepickle.hints import Any, Final, Mapping, TypeAlias

#: A Heap of symbols.py, which imports this module; the attributes that it is given here are C arrays when compiled.
Heap: TypeAlias = Any
Input: TypeAlias = bytes | bytearray

COMPILED: Final[bool] = False
FIRST_ROOM: Final = 64
LONGEST_FIXED: Final = 9  # bytes of an opcode and an argument of a fixed size
LARGE: Final = 64 * 1024  # payloads from this length on are the reader's: from a file they go into their own object
FEW_ARGUMENTS: Final = 16  # more are looked at once, however often they are given, so not at a glance
FEW_ITEMS: Final = 64  # of a container among arguments, likewise
MOST_LOOKED: Final = 256  # values that one question about arguments or a state looks at
NAME_PLACES: Final = 64
_MORE_ROOM: Final = [0] * FIRST_ROOM
_SHIFT: Final = 5
_KIND: Final = 31
_FIRST_NODE: Final = 16
_TUPLE: Final = 16
_LAST_LITERAL: Final = 20
_GLOBAL: Final = 21
_MADE: Final = 23
_BININT: Final = 0x4A
_BININT1: Final = 0x4B
_BININT2: Final = 0x4D
_SHORT_BINBYTES: Final = 0x43
_BINUNICODE: Final = 0x58
_SHORT_BINUNICODE: Final = 0x8C
_SHORT: Final = frozenset(b"NJKMGUC\x88\x89\x8a\x8c")
_LONG_TEXT: Final = 255
_LAST_LEAD_BYTE: Final = 0xC3  # of a character up to U+00FF in UTF-8; all that follow a lead byte are smaller
_SHORT_LATIN1: Final = b"\x8c\x06latin1"
_COUNTED_LATIN1: Final = b"X\x06\x00\x00\x00latin1"
_NO_INT: Final = 1 << 40
_TOO_LONG: Final = 1 << 62
_KEPT: Final = 1 << 10  # numbers
_HOOKS: Final = frozenset({"__setstate__", "append", "extend", "add"})
_NOTHING: Final = object()
_LOOKED_UP: Final = frozenset({b"append", b"extend", b"add"})


def set_up(heap: Heap) -> None:
    """Give a new heap its arrays."""
    heap.stack = [0] * FIRST_ROOM
    heap.stack_room = FIRST_ROOM
    heap.marks = [0] * FIRST_ROOM
    heap.marks_room = FIRST_ROOM // 2
    heap.memo = [0] * FIRST_ROOM
    heap.memo_room = FIRST_ROOM
    heap.memo_top = 0
    heap.items = []
    heap.depths = []
    heap.lent = set()
    heap.frozen = set()
    heap.states = {}
    heap.sizes = {}


def renew(heap: Heap) -> None:
    """Make a heap that was used ready to be used again."""
    if any(heap.memo):
        zeros = [0] * heap.memo_room
        heap.memo = zeros if type(heap.memo) is list else _packed(zeros)
    heap.items.clear()
    del heap.depths[:]
    heap.lent.clear()
    heap.frozen.clear()
    heap.states.clear()
    heap.sizes.clear()


def begin(heap: Heap, light: bool) -> None:
    """Begin a pass: of a light one, which a large stream may have, numbers are kept as C keeps them."""
    if light != (type(heap.memo) is not list):
        heap.memo = _packed(heap.memo) if light else list(heap.memo)
        heap.depths = _packed(heap.depths) if light else list(heap.depths)


def _packed(numbers: list[int]) -> Any:
    from safepickle.members import SIGNED  # here: only a scan comes here, and has it

    packed = SIGNED[:]
    packed.extend(numbers)
    return packed


def is_small(heap: Heap) -> bool:
    """Whether a heap may be kept for the next pass."""
    return heap.stack_room + heap.marks_room + heap.memo_room <= _KEPT and len(heap.items) <= _KEPT


def release(_heap: Heap) -> None:
    """Free a heap's arrays."""


def grow_stack(heap: Heap) -> None:
    """Make more room on the stack: little, since a fast lane takes what is unused away again."""
    heap.stack.extend(_MORE_ROOM)
    heap.stack_room += FIRST_ROOM


def grow_marks(heap: Heap) -> None:
    """Double the room for marks."""
    heap.marks.extend([0] * (heap.marks_room * 2))
    heap.marks_room *= 2


def grow_memo(heap: Heap, index: int) -> None:
    """Make room for the memo entry `index`, and at least twice as much as there was."""
    room = max(heap.memo_room * 2, index + 1)
    heap.memo.extend([0] * (room - heap.memo_room))
    heap.memo_room = room


def fetch(heap: Heap, index: int) -> int:
    """The code of the memo entry `index`, 0 if there is none.  Compiled, it is noted that the stream asks for it."""
    return heap.memo[index] if index < heap.memo_room else 0


def memoize(heap: Heap, index: int, code: int) -> bool:
    """Put what is on the top into an orderly memo as its next entry; false where that is not to be done at once."""
    if not heap.is_orderly or index >= heap.memo_room:
        return False
    heap.memo[index] = code
    heap.memo_top = index + 1
    return True


def is_fetched(_heap: Heap, _index: int) -> bool:
    """Whether the stream may ask for the memo entry `index`.  Interpreted, a note would cost more than it saves."""
    return True


def note_long(heap: Heap, at: int, size: int) -> None:
    """Note how long the literal at `at` is."""
    heap.sizes[at] = size


def long_size(heap: Heap, at: int) -> int:
    """How long the literal at `at` was noted to be, 0 if it was not."""
    size: int = heap.sizes.get(at, 0)
    return size


def has_longs(heap: Heap) -> bool:
    """Whether any literal was noted to be long."""
    return bool(heap.sizes)


def pointer(data: Input) -> Input:
    """What the bytes of the input are read from."""
    return data


def uint1(data: Input, pos: int) -> int:
    """One byte, unsigned."""
    return data[pos]


def uint2(data: Input, pos: int) -> int:
    """Two bytes, unsigned, little-endian."""
    return data[pos] | data[pos + 1] << 8


def int4(data: Input, pos: int) -> int:
    """Four bytes, signed, little-endian."""
    return int.from_bytes(data[pos : pos + 4], "little", signed=True)


def uint4(data: Input, pos: int) -> int:
    """Four bytes, unsigned, little-endian."""
    return int.from_bytes(data[pos : pos + 4], "little")


def uint8(data: Input, pos: int) -> int:
    """Eight bytes, unsigned, little-endian; -1 for 2**62 and more, which no input has."""
    size = int.from_bytes(data[pos : pos + 8], "little")
    return size if size < _TOO_LONG else -1


def small_int(data: Input, at: int) -> int:
    """The value of the BININT, BININT1 or BININT2 at `at`; for other integers one that no four bytes have."""
    code = data[at]
    if code == _BININT1:
        return data[at + 1]
    if code == _BININT2:
        return data[at + 1] | data[at + 2] << 8
    return int4(data, at + 1) if code == _BININT else _NO_INT


def short_length(data: Input, at: int) -> int:
    """The length of the SHORT_BINBYTES at `at`; -1 for other bytes."""
    return data[at + 1] if data[at] == _SHORT_BINBYTES else -1


def is_spelled(data: Input, at: int, literal: bytes) -> bool:
    """Whether the literal at `at` is these bytes: an opcode of its own, or a short text or bytes with its length."""
    return data[at : at + len(literal)] == literal


def bit(number: int) -> int:
    """The bit with this number, from 0 to 62."""
    return 1 << number


def is_short(data: Input, at: int) -> bool:
    """Whether the opcode of the verified literal at `at` says that it is not longer than LONG_TEXT."""
    code = data[at]
    return code in _SHORT or (code == _BINUNICODE and uint4(data, at + 1) <= _LONG_TEXT)


def short_text(data: Input, at: int, end: int) -> str | None:
    """The short and counted text at `at`, all of it before `end`; None for other literals."""
    if at < 0 or end - at <= LONGEST_FIXED:
        return None
    start = at + 2 if data[at] == _SHORT_BINUNICODE else at + 5
    if data[at] == _SHORT_BINUNICODE:
        size = data[at + 1]
    elif data[at] == _BINUNICODE:
        size = uint4(data, at + 1)
    else:
        return None
    if size > _LONG_TEXT or size > end - start:
        return None
    return str(data[start : start + size], "utf-8", "surrogatepass")


def name_place(data: Input, module: int, name: int, end: int) -> int:
    """Which of NAME_PLACES names with this module and name, two literals, are to be remembered at; -1 for long ones."""
    for at in (module, name):
        if not 0 <= at < end - LONGEST_FIXED or data[at] != _SHORT_BINUNICODE or data[at + 1] > end - at - 2:
            return -1
    size = data[name + 1]
    if not size or not data[module + 1]:
        return -1
    first, middle, last = data[name + 2], data[name + 2 + size // 2], data[name + 1 + size]
    mixed = 31 * size + 7 * data[module + 1] + first + 5 * middle + 3 * last + 11 * data[module + 1 + data[module + 1]]
    return mixed % NAME_PLACES


def spells(data: Input, at: int, text: str) -> bool:
    """Whether the SHORT_BINUNICODE at `at`, of which `name_place` said that it is one, spells this text.

    Of a text that is not ASCII it says no, and so it may of a text that the interpreter keeps elsewhere.
    """
    return text.isascii() and data[at + 2 : at + 2 + data[at + 1]] == text.encode()


def latin1_length(data: Input, at: int) -> int:
    """How many characters the short, counted, verified text at `at` has, all of them of latin-1; -1 for other bytes."""
    if data[at] == _SHORT_BINUNICODE:
        text = data[at + 2 : at + 2 + data[at + 1]]
    elif data[at] == _BINUNICODE and uint4(data, at + 1) <= _LONG_TEXT:
        text = data[at + 5 : at + 5 + uint4(data, at + 1)]
    else:
        return -1
    if text and max(text) > _LAST_LEAD_BYTE:
        return -1
    return len(text.decode())


def may_be_dunder(data: Input, at: int) -> bool:
    """Whether the verified literal at `at` may be a text that begins with two underscores."""
    return data[at] != _SHORT_BINUNICODE or data[at + 2 : at + 2 + data[at + 1]].startswith(b"__")


def spells_latin1(data: Input, at: int) -> bool:
    """Whether the verified literal at `at` is the counted text "latin1"."""
    return data[at : at + 8] == _SHORT_LATIN1 or data[at : at + 11] == _COUNTED_LATIN1


def make(heap: Heap, origin: Any, args: int, depth: int, size: int, called: bool) -> int:
    """The code of a new object that `origin` makes of a tuple, which may have copied `size` of it."""
    return add(heap, _MADE, heap.new_made(origin, args, size, called), depth)


def is_new(heap: Heap, code: int) -> bool:
    """Whether nothing has happened to an object since a listed name made it, without keywords."""
    made = heap.items[code >> _SHIFT]
    return not (made.built or made.kwargs or made.fills or made.filled or made.origin is None)


def maker(heap: Heap, code: int) -> Any:
    """The global whose call or `new` made this; None where it has no name."""
    return heap.items[code >> _SHIFT].origin


def state_of(heap: Heap, code: int) -> int:
    """The state that BUILD gave to an object; 0 for none."""
    state: int = heap.items[code >> _SHIFT].state
    return state


def args_of(heap: Heap, code: int) -> int:
    """The arguments' tuple that an object was made of."""
    args: int = heap.items[code >> _SHIFT].args
    return args


def is_called(heap: Heap, code: int) -> bool:
    """Whether a call made it, not `new`."""
    called: bool = heap.items[code >> _SHIFT].called
    return called


def build(heap: Heap, code: int, state: int) -> None:
    """Note the state that an object was given."""
    made = heap.items[code >> _SHIFT]
    made.built = True
    made.state = state


def note_state(heap: Heap, number: int, slots: bool) -> None:
    """Note that a dict was given as a state."""
    heap.states[number] = slots or heap.states.get(number, False)


def is_state(heap: Heap, number: int) -> bool:
    """Whether a dict was given as a state."""
    return number in heap.states


def is_slots(heap: Heap, number: int) -> bool:
    """Whether a dict was given as the state of slots."""
    slots: bool = heap.states.get(number, False)
    return slots


def text_stop(data: Input, pos: int, end: int, width: int) -> int:
    """Where a counted UTF-8 text ends whose length, of `width` bytes, stands at `pos`.

    -1 where it is not all here, is large, is not seen to be UTF-8, or may be a name that attributes are looked up by.
    """
    if width > end - pos or width > 4:
        return -1
    size = data[pos] if width == 1 else int.from_bytes(data[pos : pos + width], "little")
    pos += width
    if size >= LARGE or size > end - pos:
        return -1
    text = data[pos : pos + size]
    if not text.isascii() or text[:2] == b"__" or (size <= 6 and bytes(text) in _LOOKED_UP):
        return -1
    return pos + size


# -- Nodes -------------------------------------------------------------------------------------------------------------


def add(heap: Heap, kind: int, record: Any, depth: int) -> int:
    """The code of a new node that has a record."""
    depths = heap.depths
    heap.items.append(record)
    depths.append(depth)
    return (len(depths) - 1) << _SHIFT | kind


def add_list(heap: Heap, kind: int, items: list[int], depth: int) -> int:
    """The code of a new container with these items."""
    depths = heap.depths
    heap.items.append(items)
    depths.append(depth)
    return (len(depths) - 1) << _SHIFT | kind


def collect(heap: Heap, kind: int, start: int, stop: int, depth: int) -> int:
    """The code of a new container with the items from `start` to `stop` on the stack."""
    depths = heap.depths
    heap.items.append(heap.stack[start:stop])
    depths.append(depth)
    return (len(depths) - 1) << _SHIFT | kind


def extend(heap: Heap, number: int, start: int, stop: int) -> None:
    """Add what lies from `start` to `stop` on the stack to a container."""
    heap.items[number] += heap.stack[start:stop]


def extend_list(heap: Heap, number: int, items: list[int]) -> None:
    """Add items to a container."""
    heap.items[number] += items


def listed(heap: Heap, start: int, stop: int) -> list[int]:
    """What lies from `start` to `stop` on the stack."""
    items: list[int] = heap.stack[start:stop]
    return items


def codes(heap: Heap, code: int) -> list[int]:
    """The items of a container, not to be changed."""
    items: list[int] = heap.items[code >> _SHIFT]
    return items


def record(heap: Heap, code: int) -> Any:
    """The record of a node."""
    return heap.items[code >> _SHIFT]


def global_of(heap: Heap, code: int) -> Any:
    """The record of a node that nothing was made at a glance for."""
    return heap.items[code >> _SHIFT]


def count(heap: Heap, code: int) -> int:
    """How many items a container has."""
    return len(heap.items[code >> _SHIFT])


def item(heap: Heap, code: int, index: int) -> int:
    """One item of a container."""
    found: int = heap.items[code >> _SHIFT][index]
    return found


def peek(heap: Heap, code: int) -> list[int]:
    """The items of a container as they are now; compiled, where they are, until anything may make the heap grow."""
    items: list[int] = heap.items[code >> _SHIFT]
    return items


def depth_of(heap: Heap, number: int) -> int:
    """How deep a node is."""
    depth: int = heap.depths[number]
    return depth


def set_depth(heap: Heap, number: int, depth: int) -> None:
    """Say how deep a node is."""
    heap.depths[number] = depth


def deepest(heap: Heap, start: int, stop: int) -> int:
    """The depth of the deepest of what lies from `start` to `stop` on the stack."""
    depths = heap.depths
    found = 0
    for code in heap.stack[start:stop]:
        if code & _KIND >= _FIRST_NODE:
            depth = depths[code >> _SHIFT]
            if depth > found:
                found = depth
    return found


def lend(heap: Heap, number: int) -> None:
    """Note that others may hold this container."""
    heap.lent.add(number)


def is_lent(heap: Heap, number: int) -> bool:
    """Whether others may hold this container."""
    return number in heap.lent


def freeze(heap: Heap, number: int) -> None:
    """Note that a pattern has looked into this container."""
    heap.frozen.add(number)


def is_frozen(heap: Heap, number: int) -> bool:
    """Whether a pattern has looked into this container."""
    return number in heap.frozen


def nodes(heap: Heap) -> int:
    """How many nodes there are."""
    return len(heap.depths)


def memo_codes(heap: Heap) -> dict[int, int]:
    """The memo's entries by their index."""
    return {index: code for index, code in enumerate(heap.memo) if code}


def held(heap: Heap, number: int) -> Any:
    """What the node with this number holds: a list of codes, or a record."""
    return heap.items[number]


def inner_lengths(heap: Heap, code: int) -> int:
    """How long the items of a container are: long scalars in bytes, literal containers by their items."""
    total = 0
    for each in heap.items[code >> _SHIFT]:
        kind = each & _KIND
        if kind < _FIRST_NODE:
            total += long_size(heap, each >> _SHIFT)
        elif kind <= _LAST_LITERAL:
            total += len(heap.items[each >> _SHIFT])
    return total


def handed(heap: Heap, _data: Input, code: int) -> int:
    """What copying the items of a tuple costs, or -1 where that is not told at a glance; see `Scales.length`.

    Items are scalars, objects, names, and containers of few items.  `heap.largest` is then the most that one of them
    holds, or the tuple itself: see `Scales.bulk`; and `heap.hands_containers` whether there is one among them.
    """
    items: list[int] = heap.items[code >> _SHIFT]
    total = 0
    largest = len(items)
    heap.hands_containers = False
    for each in items:
        kind = each & _KIND
        if kind < _FIRST_NODE:
            size = long_size(heap, each >> _SHIFT)
        elif kind <= _LAST_LITERAL:
            size = len(heap.items[each >> _SHIFT])
            if size > FEW_ITEMS:
                return -1
            heap.hands_containers = True
            if kind == _TUPLE or heap.sizes:
                total += inner_lengths(heap, each)
        elif kind == _MADE:
            made = heap.items[each >> _SHIFT]
            size = made.size + len(made.fills)
        elif kind == _GLOBAL:
            size = 0
        else:
            return -1
        total += size
        largest = max(largest, size)
    heap.largest = largest
    return total


def met(heap: Heap, code: int) -> int:
    """How many values a walk through the containers in a tuple meets; -1 where these hold containers of containers."""
    total = 0
    for each in heap.items[code >> _SHIFT]:
        if not _FIRST_NODE <= each & _KIND <= _LAST_LITERAL:
            continue
        total += 1
        for inner in heap.items[each >> _SHIFT]:
            total += 1
            if _FIRST_NODE <= inner & _KIND <= _LAST_LITERAL:
                held = heap.items[inner >> _SHIFT]
                if len(held) > FEW_ITEMS or any(_FIRST_NODE <= one & _KIND <= _LAST_LITERAL for one in held):
                    return -1
                total += len(held)
    return total


def flat(heap: Heap, code: int, seen: int) -> int:
    """How many items a container has if all from `seen` on are short scalars, else -1."""
    sizes = heap.sizes
    items: list[int] = heap.items[code >> _SHIFT]
    fresh = items[seen:] if seen else items
    for each in fresh:
        if each & _KIND >= _FIRST_NODE or (sizes and each >> _SHIFT in sizes):
            return -1
    return len(items)


# -- Values: uncompiled, a stack and its marks are lists, and a memo is a dict -----------------------------------------

_float8: Final = Struct(">d").unpack_from
_TEXTS: Final = frozenset({str, bytes})

push = list.append
pop = list.pop
top = itemgetter(-1)
at = list.__getitem__
height = len
pop_mark = list.pop


def new_stack() -> list[Any]:
    """An empty stack."""
    return []


def new_marks(_stack: list[Any]) -> list[int]:
    """The marks of a stack."""
    return []


def new_memo() -> dict[int, Any]:
    """An empty memo."""
    return {}


def free_stack(_stack: Any) -> None:
    """Give back what a stack holds."""


def free_memo(_memo: Any) -> None:
    """Give back what a memo holds."""


def drop(stack: list[Any], start: int) -> None:
    """Drop everything from `start` on."""
    del stack[start:]


def replace_top(stack: list[Any], value: Any) -> None:
    """Put a value in the place of the top."""
    stack[-1] = value


def base(marks: list[int]) -> int:
    """Where what is above the topmost mark begins."""
    return marks[-1] if marks else 0


def push_mark(stack: list[Any], marks: list[int]) -> None:
    """Remember the height of the stack."""
    marks.append(len(stack))


def push_uint1(stack: list[Any], data: Input, pos: int) -> None:
    """Push a one-byte integer."""
    stack.append(data[pos])


def push_uint2(stack: list[Any], data: Input, pos: int) -> None:
    """Push a two-byte integer."""
    stack.append(data[pos] | data[pos + 1] << 8)


def push_int4(stack: list[Any], data: Input, pos: int) -> None:
    """Push a signed four-byte integer."""
    stack.append(int.from_bytes(data[pos : pos + 4], "little", signed=True))


def push_float8(stack: list[Any], data: Input, pos: int) -> None:
    """Push a double."""
    stack.append(_float8(data, pos)[0])


def push_signed(stack: list[Any], data: Input, pos: int, size: int) -> None:
    """Push an integer of at most 255 bytes in two's complement, little-endian."""
    stack.append(int.from_bytes(data[pos : pos + size], "little", signed=True))


def push_text(stack: list[Any], data: Input, pos: int, size: int) -> None:
    """Push UTF-8 text."""
    stack.append(str(data[pos : pos + size], "utf-8", "surrogatepass"))


def push_bytes(stack: list[Any], data: Input, pos: int, size: int) -> None:
    """Push bytes."""
    stack.append(bytes(data[pos : pos + size]))


def new_bytearray(data: Input, pos: int, size: int) -> bytearray:
    """A payload as a bytearray, copied once."""
    return bytearray(memoryview(data)[pos : pos + size])


def fold_tuple(stack: list[Any], start: int) -> None:
    """Put a tuple in the place of everything from `start` on."""
    stack[start:] = [tuple(stack[start:])]


def pop_tuple(stack: list[Any], start: int) -> tuple[Any, ...]:
    """Everything from `start` on, as a tuple."""
    items = tuple(stack[start:])
    del stack[start:]
    return items


def pop_list(stack: list[Any], start: int) -> list[Any]:
    """Everything from `start` on, as a list."""
    items = stack[start:]
    del stack[start:]
    return items


def extend_exact_list(target: list[Any], stack: list[Any], start: int) -> None:
    """Move everything from `start` on to the end of a list."""
    target += stack[start:]
    del stack[start:]


def harmless_keys(target: dict[Any, Any], stack: list[Any], start: int, step: int, most: int) -> bool:
    """Whether these keys keep a dict small, or are texts, whose hashes nobody chooses."""
    if len(target) + (len(stack) - start) // step <= most:
        return True
    return all(type(key) in _TEXTS for key in stack[start::step])


def set_exact_dict(target: dict[Any, Any], stack: list[Any], start: int) -> None:
    """Set the pairs from `start` on in a dict, and drop them."""
    for place in range(start, len(stack), 2):
        target[stack[place]] = stack[place + 1]
    del stack[start:]


def put(memo: dict[int, Any], index: int, stack: list[Any], _dense: int) -> bool:
    """Store the top under `index`; true if there was nothing before."""
    fresh = index not in memo
    memo[index] = stack[-1]
    return fresh


def push_entry(memo: dict[int, Any], index: int, stack: list[Any]) -> bool:
    """Push a memo entry; false if there is none."""
    if index not in memo:
        return False
    stack.append(memo[index])
    return True


def entries(memo: dict[int, Any]) -> dict[int, Any]:
    """The memo entries by their index."""
    return memo


def is_there(where: Any, module: str, name: str, value: Any) -> bool:
    """Whether `where` is still the module of that name, and still has this value under `name`."""
    return where is not None and sys.modules.get(module) is where and vars(where).get(name, _NOTHING) is value


def audit(module: str, name: str) -> None:
    """Raise pickle's audit event for a name."""
    sys.audit("pickle.find_class", module, name)


def looked_up(cls: type, name: str, missing: Any) -> Any:
    """What a class's MRO has under a name, unbound."""
    for each in type.__dict__["__mro__"].__get__(cls):
        namespace: Mapping[str, Any] = type.__dict__["__dict__"].__get__(each)
        if name in namespace:
            return namespace[name]
    return missing


def renew_stack(stack: list[Any]) -> None:
    """Make a stack that was used ready to be used again."""
    stack.clear()


def renew_memo(memo: dict[int, Any]) -> None:
    """Make a memo that was used ready to be used again."""
    memo.clear()


def is_small_memo(_stack: list[Any], memo: dict[int, Any]) -> bool:
    """Whether a stack and a memo may be kept for the next load."""
    return len(memo) <= _KEPT


def has_plain_keys(heap: Heap, code: int) -> bool:
    """Whether the keys of a dict are literals."""
    items: list[int] = heap.items[code >> _SHIFT]
    return all(key & _KIND < _FIRST_NODE for key in items[::2])


def makes_keys(function: Any) -> bool:
    """Whether this is a class that keeps what it is given as keys: a set, a frozenset or a dict."""
    return isinstance(function, type) and issubclass(function, (set, frozenset, dict))


def new(cls: Any, args: tuple[Any, ...]) -> Any:
    """What NEWOBJ makes: `cls.__new__(cls, *args)`."""
    return cls.__new__(cls, *args)


def place_for_one() -> list[Any]:
    """A place where one object can be kept, for whoever takes it first."""
    return []


def take(place: list[Any]) -> Any:
    """Take what is kept there; None if nothing is."""
    try:
        return place.pop()
    except IndexError:
        return None


def keep(place: list[Any], value: Any) -> None:
    """Keep an object there, unless there is one."""
    if not place:
        place.append(value)


def latin1(text: str) -> bytes:
    """The text in latin-1."""
    return text.encode("latin-1")


def set_inline(_target: Any, _state: Any) -> bool:
    """Set attributes without a dict made for the instance; false if they are not all set, as always here."""
    return False


def give_state(_stack: list[Any], _start: int, _slots: bool) -> bool:
    """Give an instance the state whose pairs begin at `start`, and drop it.

    It is what BUILD would do if it came next; false, with nothing done, where it is not the plain case, as always here.
    """
    return False


def set_attributes(attributes: Any, state: dict[Any, Any]) -> bool:
    """Set attributes from a state, names interned; false where it is not the plain case, and then nothing was set."""
    if type(attributes) is not dict or type(state) is not dict or not all(type(name) is str for name in state):
        return False
    if not _HOOKS.isdisjoint(state):
        return False
    for name, value in state.items():
        attributes[intern(name)] = value
    return True


def set_slots(target: Any, slots: dict[Any, Any]) -> int:
    """Set slots from a state as far as it is the plain case; how many were set."""
    if type(slots) is not dict:
        return 0
    done = 0
    for name, value in slots.items():
        if type(name) is not str or name[:2] == "__" or name in _HOOKS:
            break
        setattr(target, name, value)
        done += 1
    return done
