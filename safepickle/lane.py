"""The verifier's fast lane: uncompiled, the common opcodes of data, in a loop made for the interpreter.

`Verifier._run_opcodes` says what every opcode does, in a form that compiles well and interprets badly.  Uncompiled, it
lets this lane go first: the same stack, marks, memo and heap, taken over and given back between two opcodes.  The
compiled core never comes here.

Rules:

* It refuses nothing.  What it does not know, and whatever might be refused, malformed, large or at the edge of a limit,
  it leaves untouched for the verifier's own loop, which then says what is to be said.  It breaks off before the opcode,
  never inside.
* What names, calls and builds is judged by the verifier's methods, with the reader standing where they expect it.
* It takes an opcode only if the fixed-size argument and one more byte are here, so one test a turn is enough.
* The stack ends where its values end while it is in here: `append` and `pop` do what indexes do outside.
* A test runs every valid, malformed and generated pickle with the lane and without it and compares everything.
"""

from __future__ import annotations

from itertools import count as _counter
from struct import Struct

from safepickle import opcodes as op
from safepickle import symbols as sym
from safepickle.hints import Any, Callable, Final
from safepickle.loading import grow_memo
from safepickle.probes import FREE_KEYS

try:
    from _pickle import loads as _c_loads
except ImportError:  # an interpreter that has none
    _c_loads = None  # type: ignore[assignment]

__all__ = ["LOADED", "load", "make_data", "run", "table", "takes"]

#: C `_pickle`, which makes what is nothing but data; None where there is none.
make_data: Callable[[Any], Any] | None = _c_loads

#: An opcode, the fixed-size argument behind it, and an opcode that may be taken together with it.
_MARGIN: Final = 2 + max(op.WIDTHS)
#: Longer payloads are the reader's matter.
_LARGE: Final = 64 * 1024
_NOTHING: Final[list[int]] = []
_PAIRS: Final = 2 * FREE_KEYS

_SHIFT: Final = sym.SHIFT
_KIND: Final = sym.KIND
_FIRST_NODE: Final = sym.FIRST_NODE
_LONG_TEXT: Final = sym.LONG_TEXT
_STR: Final = sym.STR
_BYTES: Final = sym.BYTES
_INT: Final = sym.INT
_BYTEARRAY: Final = sym.BYTEARRAY
_TUPLE: Final = sym.TUPLE
_LIST: Final = sym.LIST
_DICT: Final = sym.DICT
_SET: Final = sym.SET
_FROZENSET: Final = sym.FROZENSET
_MADE: Final = sym.MADE
_CHANGEABLE: Final = frozenset({sym.LIST, sym.DICT, sym.SET, sym.MADE})

_MEMOIZE: Final = op.MEMOIZE
_BINPUT: Final = op.BINPUT
_LONG_BINPUT: Final = op.LONG_BINPUT
_BINGET: Final = op.BINGET
_LONG_BINGET: Final = op.LONG_BINGET
_SHORT_BINUNICODE: Final = op.SHORT_BINUNICODE
_BINUNICODE: Final = op.BINUNICODE
_SHORT_BINBYTES: Final = op.SHORT_BINBYTES
_BINBYTES: Final = op.BINBYTES
_LONG1: Final = op.LONG1
_MARK: Final = op.MARK
_EMPTY_LIST: Final = op.EMPTY_LIST
_EMPTY_DICT: Final = op.EMPTY_DICT
_EMPTY_TUPLE: Final = op.EMPTY_TUPLE
_EMPTY_SET: Final = op.EMPTY_SET
_TUPLE1: Final = op.TUPLE1
_TUPLE2: Final = op.TUPLE2
_TUPLE3: Final = op.TUPLE3
_TUPLE_OF: Final = op.TUPLE
_LIST_OF: Final = op.LIST
_DICT_OF: Final = op.DICT
_FROZENSET_OF: Final = op.FROZENSET
_APPEND: Final = op.APPEND
_APPENDS: Final = op.APPENDS
_SETITEM: Final = op.SETITEM
_SETITEMS: Final = op.SETITEMS
_ADDITEMS: Final = op.ADDITEMS
_REDUCE: Final = op.REDUCE
_NEWOBJ: Final = op.NEWOBJ
_BUILD: Final = op.BUILD
_STACK_GLOBAL: Final = op.STACK_GLOBAL
_PROTO: Final = op.PROTO
_FRAME: Final = op.FRAME

_STEPS: Final = tuple(1 + width for width in op.WIDTHS)
_EMPTIES: Final = {_EMPTY_LIST: _LIST, _EMPTY_DICT: _DICT, _EMPTY_SET: _SET}
_TUPLES: Final = {_TUPLE1: 1, _TUPLE2: 2, _TUPLE3: 3}
# What is done alike, in the order of the loop; below these are the kinds of literals, above is what is not taken here.
(
    _TO_TEXT,
    _TO_GET,
    _TO_PUT,
    _TO_MARK,
    _TO_OPEN,
    _TO_CLOSE,
    _TO_TUPLE,
    _TO_ADD,
    _TO_JUDGE,
    _TO_SHORT,
    _TO_LONG,
    _TO_EMPTY,
    _TO_CONTROL,
) = range(_FIRST_NODE, _FIRST_NODE + 13)
_NOT_TAKEN: Final = _TO_CONTROL + 1
_TAKEN: Final = {
    _SHORT_BINUNICODE: _TO_TEXT,
    **dict.fromkeys((_BINGET, _LONG_BINGET), _TO_GET),
    **dict.fromkeys((_MEMOIZE, _BINPUT, _LONG_BINPUT), _TO_PUT),
    _MARK: _TO_MARK,
    **dict.fromkeys(_EMPTIES, _TO_OPEN),
    **dict.fromkeys((_SETITEMS, _APPENDS, _ADDITEMS, _TUPLE_OF, _LIST_OF, _DICT_OF, _FROZENSET_OF), _TO_CLOSE),
    **dict.fromkeys(_TUPLES, _TO_TUPLE),
    **dict.fromkeys((_APPEND, _SETITEM), _TO_ADD),
    **dict.fromkeys((_STACK_GLOBAL, _REDUCE, _NEWOBJ, _BUILD), _TO_JUDGE),
    **dict.fromkeys((_LONG1, _SHORT_BINBYTES), _TO_SHORT),
    **dict.fromkeys((_BINUNICODE, _BINBYTES), _TO_LONG),
    _EMPTY_TUPLE: _TO_EMPTY,
    **dict.fromkeys((_PROTO, _FRAME), _TO_CONTROL),
}
# The first letters of the names that attributes are looked up by, and that the verifier notes.
_NOTED: Final = frozenset(name.encode()[0] for name in sym.HOOKS)

_uint4 = Struct("<I").unpack_from


def table(kinds: bytes) -> tuple[int, ...]:
    """What is done with each opcode, given the kinds of the literals that those of a fixed size push, else 0."""
    return tuple(kind or _TAKEN.get(code, _NOT_TAKEN) for code, kind in enumerate(kinds))


def takes(done: tuple[int, ...]) -> bytes:
    """For each opcode whether it may be taken here."""
    return bytes(each != _NOT_TAKEN for each in done)


# The accepted long function: one flat arm for each kind of opcode, common ones first, everything in local variables.
def run(  # noqa: C901, PLR0912, PLR0915 - flat on purpose
    verifier: Any, done: tuple[int, ...], pos: int, base: int, height: int, deep: int, count: int
) -> tuple[int, int, int, int, int]:
    """Take opcodes from `pos` on as long as they are common and harmless.

    `done` is a `table`; the other arguments are the variables of the verifier's loop, returned as they are then.
    """
    reader = verifier.reader
    heap = verifier.heap
    data = reader.data
    end = reader.end
    last = end - _MARGIN
    stack = heap.stack
    del stack[height:]
    push = stack.append
    pop = stack.pop
    marks = heap.marks
    marks_room = heap.marks_room
    opened = verifier._open
    memo = heap.memo
    room = heap.memo_room
    held = heap.items
    hold = held.append
    depths = heap.depths
    deepen = depths.append
    lent = heap.lent
    frozen = heap.frozen
    sizes = heap.sizes
    most = verifier._depth_limit
    beyond = verifier._beyond
    light = verifier._light  # then nothing is kept of what is in a list, dict or set
    known: list[int] = []  # the keys that were looked at last: records have the same ones again and again
    known_text = True
    fused = 0  # opcodes taken together with the one before
    opcodes = 0
    started = verifier.opcodes
    for opcodes in _counter():
        if pos >= last and (pos >= end or pos + _STEPS[data[pos]] >= end):
            break
        code = data[pos]
        kind = done[code]
        if kind < _TO_TEXT:
            push(pos << _SHIFT | kind)
            pos += _STEPS[code]
            continue

        # Texts
        if kind == _TO_TEXT:
            stop = pos + 2 + data[pos + 1]
            if stop >= end:
                break
            text = data[pos + 2 : stop]
            if not text.isascii() or (data[pos + 2] in _NOTED and stop > pos + 2 and _is_noted(text)):
                break
            value = pos << _SHIFT | _STR
            push(value)
            pos = stop
            if data[pos] == _MEMOIZE and count < room and not memo[count]:
                memo[count] = value
                count += 1
                pos += 1
                fused += 1

        # The memo
        elif kind == _TO_GET:
            index = data[pos + 1] if code == _BINGET else _uint4(data, pos + 1)[0]
            value = memo[index] if index < room else 0
            if not value:
                break
            kind = value & _KIND
            if kind >= _FIRST_NODE:
                depth = depths[value >> _SHIFT]
                if depth > deep:
                    deep = depth
                if kind in _CHANGEABLE:
                    lent.add(value >> _SHIFT)
                if kind <= _FROZENSET or kind == _MADE:
                    verifier.shared += 1
            push(value)
            pos += _STEPS[code]
        elif kind == _TO_PUT:
            if count >= room:  # as many entries as opcodes are always allowed
                grow_memo(heap, count)
                room = heap.memo_room
            if len(stack) == base or memo[count]:
                break
            if code != _MEMOIZE and count != (data[pos + 1] if code == _BINPUT else _uint4(data, pos + 1)[0]):
                break
            memo[count] = stack[-1]
            count += 1
            pos += _STEPS[code]

        # Containers
        elif kind == _TO_MARK:
            if opened == marks_room:
                break
            marks[2 * opened] = base
            marks[2 * opened + 1] = deep
            opened += 1
            base = len(stack)
            deep = 0
            pos += 1
        elif kind == _TO_OPEN:
            value = len(depths) << _SHIFT | _EMPTIES[code]
            hold(_NOTHING if light else [])
            deepen(1)
            push(value)
            if deep == 0:
                deep = 1
            pos += 1
            if data[pos] == _MEMOIZE and count < room and not memo[count]:
                memo[count] = value
                count += 1
                pos += 1
                fused += 1
        elif kind == _TO_CLOSE:
            if opened == 0 or deep >= most:
                break
            below = marks[2 * opened - 2]
            if code == _SETITEMS or code == _APPENDS or code == _ADDITEMS:
                if base == below:
                    break
                target = stack[base - 1]
                node = target >> _SHIFT
                kind = target & _KIND
                if node in lent or node in frozen:
                    break
                items = stack[base:]
                if code == _APPENDS:
                    if kind != _LIST:
                        break
                elif code == _SETITEMS:
                    if kind != _DICT or len(items) & 1:
                        break
                    keys = items[::2]
                    if keys != known:
                        known_text = True
                        for key in keys:
                            if key & _KIND != _STR or (sizes and key >> _SHIFT in sizes):
                                known_text = False
                                break
                        known = keys
                    if not known_text or verifier._hash_work + len(keys) > verifier._hash_floor:
                        reader.at = pos
                        reader.pos = pos + 1
                        verifier.opcodes = started + opcodes + fused + 1
                        before = verifier._hash_work
                        verifier._hash_all(base, len(stack), 2)
                        if len(held[node]) + len(items) <= _PAIRS:
                            verifier.harmless_keys += verifier._hash_work - before
                    else:
                        verifier._hash_work += len(keys)
                        verifier.harmless_keys += len(keys)
                else:
                    if kind != _SET:
                        break
                    reader.at = pos
                    reader.pos = pos + 1
                    verifier.opcodes = started + opcodes + fused + 1
                    before = verifier._hash_work
                    verifier._hash_all(base, len(stack), 1)
                    if len(held[node]) + len(items) <= FREE_KEYS:
                        verifier.harmless_keys += verifier._hash_work - before
                depth = depths[node]
                if items:
                    if not light:
                        held[node] += items
                    if deep >= depth:
                        depth = depths[node] = deep + 1
                del stack[base:]
            else:
                items = stack[base:]
                if code == _TUPLE_OF:
                    kind = _TUPLE
                elif code == _LIST_OF:
                    kind = _LIST
                else:
                    step = 2 if code == _DICT_OF else 1
                    if step == 2 and len(items) & 1:
                        break
                    kind = _DICT if step == 2 else _FROZENSET
                    reader.at = pos
                    reader.pos = pos + 1
                    verifier.opcodes = started + opcodes + fused + 1
                    before = verifier._hash_work
                    verifier._hash_all(base, len(stack), step)
                    if len(items) <= step * FREE_KEYS:
                        verifier.harmless_keys += verifier._hash_work - before
                depth = deep + 1
                value = len(depths) << _SHIFT | kind
                hold(_NOTHING if light and (kind == _LIST or kind == _DICT) else items)
                deepen(depth)
                del stack[base:]
                push(value)
            opened -= 1
            base = below
            deep = marks[2 * opened + 1]
            if depth > deep:
                deep = depth
            pos += 1
        elif kind == _TO_TUPLE:
            start = len(stack) - _TUPLES[code]
            if start < base:
                break
            items = stack[start:]
            depth = 1
            if deep:
                for value in items:
                    if value & _KIND >= _FIRST_NODE:
                        inside = depths[value >> _SHIFT]
                        if inside >= depth:
                            depth = inside + 1
                if depth > most:
                    break
            value = len(depths) << _SHIFT | _TUPLE
            hold(items)
            deepen(depth)
            stack[start] = value
            if code != _TUPLE1:
                del stack[start + 1 :]
            if depth > deep:
                deep = depth
            pos += 1
            if data[pos] == _MEMOIZE and count < room and not memo[count]:
                memo[count] = value
                count += 1
                pos += 1
                fused += 1

        # One item at a time
        elif kind == _TO_ADD:
            start = len(stack) - (1 if code == _APPEND else 2)
            if start <= base:
                break
            value = stack[-1]
            inside = depths[value >> _SHIFT] if deep and value & _KIND >= _FIRST_NODE else 0
            if code == _APPEND:
                target = stack[-2]
                node = target >> _SHIFT
                if target & _KIND != _LIST or inside >= most or node in lent or node in frozen:
                    break
                if not light:
                    held[node].append(value)
                pop()
            else:
                target = stack[-3]
                node = target >> _SHIFT
                if target & _KIND != _DICT or inside >= most or node in lent or node in frozen:
                    break
                key = stack[-2]
                if key & _KIND != _STR or sizes or verifier._hash_work >= verifier._hash_floor:
                    if deep and key & _KIND >= _FIRST_NODE and depths[key >> _SHIFT] > inside:
                        inside = depths[key >> _SHIFT]
                        if inside >= most:
                            break
                    reader.at = pos
                    reader.pos = pos + 1
                    verifier.opcodes = started + opcodes + fused + 1
                    before = verifier._hash_work
                    verifier._hash_all(start, start + 2, 2)
                    if len(held[node]) + 2 <= _PAIRS or key & _KIND == _STR:
                        verifier.harmless_keys += verifier._hash_work - before
                else:
                    verifier._hash_work += 1
                    verifier.harmless_keys += 1
                if not light:
                    held[node] += stack[start:]
                del stack[start:]
            depth = depths[node]
            if inside >= depth:
                depth = depths[node] = inside + 1
            if depth > deep:
                deep = depth
            pos += 1

        # Globals and objects
        elif kind == _TO_JUDGE:
            if light or len(stack) - 1 <= base:
                break
            reader.at = pos
            reader.pos = pos + 1
            verifier.opcodes = started + opcodes + fused + 1
            argument = pop()
            value = stack[-1]
            if code == _REDUCE:
                value = verifier._reduce(value, argument)
            elif code == _STACK_GLOBAL:
                value = verifier._stack_global(value, argument)
            elif code == _NEWOBJ:
                value = verifier._new(value, argument, 0, "NEWOBJ")
            else:
                verifier._build(value, argument)
            stack[-1] = value
            if value & _KIND >= _FIRST_NODE:
                depth = depths[value >> _SHIFT]
                if depth > deep:
                    deep = depth
            pos += 1
        elif kind == _TO_EMPTY:
            push(verifier._empty_tuple())
            if deep == 0:
                deep = 1
            pos += 1
        # Counted literals
        elif kind == _TO_SHORT:
            stop = pos + 2 + data[pos + 1]
            if stop >= end:
                break
            push(pos << _SHIFT | (_INT if code == _LONG1 else _BYTES))
            pos = stop
        elif kind == _TO_LONG:
            size = _uint4(data, pos + 1)[0]
            stop = pos + 5 + size
            if stop >= end or size >= _LARGE:
                break
            if code == _BINUNICODE:
                text = data[pos + 5 : stop]
                if not text.isascii() or (data[pos + 5] in _NOTED and size and _is_noted(text)):
                    break
            kind = _STR if code == _BINUNICODE else _BYTES
            if size > _LONG_TEXT:
                sizes[pos + beyond] = size
                push((pos + beyond) << _SHIFT | kind)
            else:
                push(pos << _SHIFT | kind)
            pos = stop

        elif kind == _TO_CONTROL:
            if code == _PROTO:
                if data[pos + 1] > op.HIGHEST_PROTOCOL:
                    break
                verifier._protocol = data[pos + 1]
                pos += 2
            else:
                reader.at = pos
                reader.pos = pos + 1
                verifier.opcodes = started + opcodes + fused + 1
                reader.frame()
                pos = reader.pos
                end = reader.end
                last = end - _MARGIN
        else:
            break
    verifier.opcodes = started + opcodes + fused
    verifier._open = opened
    heap.stack_room = len(stack)
    return pos, base, len(stack), deep, count


def _is_noted(text: bytes | bytearray) -> bool:
    """Whether a text may be one of the names that attributes are looked up by, or a dunder."""
    return text[:2] == b"__" or (len(text) <= 6 and bytes(text).decode("ascii") in sym.HOOKS)


# -- The same for the unpickler ----------------------------------------------------------------------------------------

_NONE: Final = op.NONE
_NEWTRUE: Final = op.NEWTRUE
_NEWFALSE: Final = op.NEWFALSE
_BININT1: Final = op.BININT1
_BININT2: Final = op.BININT2
_BININT: Final = op.BININT
_BINFLOAT: Final = op.BINFLOAT
_LITERALS: Final = {_NONE: None, _NEWTRUE: True, _NEWFALSE: False, _EMPTY_TUPLE: ()}
_MADE_HERE: Final = frozenset({
    *_LITERALS, *_TUPLES, _BININT1, _BININT2, _BININT, _BINFLOAT, _SHORT_BINUNICODE, _BINUNICODE, _SHORT_BINBYTES,
    _BINGET, _LONG_BINGET, _MEMOIZE, _BINPUT, _LONG_BINPUT, _MARK, _EMPTY_LIST, _EMPTY_DICT, _TUPLE_OF, _APPENDS,
    _APPEND, _SETITEMS, _SETITEM, _PROTO, _FRAME, _REDUCE, _NEWOBJ, _BUILD, _STACK_GLOBAL,
})  # fmt: skip
#: For each opcode whether `load` may take it.
LOADED: Final = bytes(code in _MADE_HERE for code in range(256))

_int4 = Struct("<i").unpack_from
_uint2 = Struct("<H").unpack_from
_float8 = Struct(">d").unpack_from


# The accepted long function again, now of values.  The bytes were verified, so nothing is asked but how far they go.
def load(machine: Any, pos: int) -> int:  # noqa: C901, PLR0912, PLR0915 - flat on purpose
    """Take opcodes from `pos` on as long as they are common; returns where it left off.

    For a load without entries of an earlier one in its memo, and without payloads kept aside.  What is called, made,
    built or filled, unless it is a plain list or a small dict, is the machine's own matter, the reader's `at` being
    where it expects it.
    """
    reader = machine.reader
    data = reader.data
    end = reader.end
    last = end - _MARGIN
    stack = machine.stack
    marks = machine.marks
    memo = machine.memo
    free_keys = machine.free_keys
    push = stack.append
    pop = stack.pop
    while True:
        if pos >= last and (pos >= end or pos + _STEPS[data[pos]] >= end):
            break
        code = data[pos]
        if code == _BINGET:
            push(memo[data[pos + 1]])
            pos += 2
        elif code == _SHORT_BINUNICODE:
            stop = pos + 2 + data[pos + 1]
            if stop >= end:
                break
            push(str(data[pos + 2 : stop], "utf-8", "surrogatepass"))
            pos = stop
            if data[pos] == _MEMOIZE:
                memo[len(memo)] = stack[-1]
                pos += 1
        elif code == _MEMOIZE:
            memo[len(memo)] = stack[-1]
            pos += 1
        elif code == _BININT1:
            push(data[pos + 1])
            pos += 2
        elif code == _BINFLOAT:
            push(_float8(data, pos + 1)[0])
            pos += 9
        elif code in _LITERALS:
            push(_LITERALS[code])
            pos += 1
        elif code == _BINPUT:
            memo[data[pos + 1]] = stack[-1]
            pos += 2
        elif code == _MARK:
            marks.append(len(stack))
            pos += 1

        # Objects
        elif code == _REDUCE:
            reader.at = pos
            args = pop()
            stack[-1] = machine._call(stack[-1], args)
            pos += 1
        elif code == _BUILD:
            reader.at = pos
            state = pop()
            machine._build(stack[-1], state)
            pos += 1
        elif code == _NEWOBJ:
            reader.at = pos
            args = pop()
            stack[-1] = machine._new(stack[-1], args, None, "NEWOBJ")
            pos += 1

        # Containers
        elif code in _TUPLES:
            start = len(stack) - _TUPLES[code]
            stack[start:] = (tuple(stack[start:]),)
            pos += 1
        elif code == _SETITEMS or code == _SETITEM:
            reader.at = pos
            start = marks.pop() if code == _SETITEMS else len(stack) - 2
            target = stack[start - 1]
            if type(target) is dict and len(target) + (len(stack) - start >> 1) <= free_keys:
                for key, value in zip(stack[start::2], stack[start + 1 :: 2], strict=True):
                    target[key] = value
                del stack[start:]
            else:
                machine._set_pairs(target, start)
            pos += 1
        elif code == _EMPTY_DICT:
            push({})
            pos += 1
        elif code == _EMPTY_LIST:
            push([])
            pos += 1
        elif code == _APPENDS or code == _APPEND:
            reader.at = pos
            start = marks.pop() if code == _APPENDS else len(stack) - 1
            items = stack[start:]
            del stack[start:]
            target = stack[-1]
            if type(target) is list:
                target += items
            else:
                machine._extend(target, items)
            pos += 1
        elif code == _TUPLE_OF:
            start = marks.pop()
            stack[start:] = (tuple(stack[start:]),)
            pos += 1

        # The less common
        elif code == _BININT or code == _BININT2:
            push(_int4(data, pos + 1)[0] if code == _BININT else _uint2(data, pos + 1)[0])
            pos += _STEPS[code]
        elif code == _SHORT_BINBYTES:
            stop = pos + 2 + data[pos + 1]
            if stop >= end:
                break
            push(data[pos + 2 : stop])
            pos = stop
        elif code == _BINUNICODE:
            stop = pos + 5 + _uint4(data, pos + 1)[0]
            if stop >= end:
                break
            push(str(data[pos + 5 : stop], "utf-8", "surrogatepass"))
            pos = stop
        elif code == _LONG_BINGET:
            push(memo[_uint4(data, pos + 1)[0]])
            pos += 5
        elif code == _LONG_BINPUT:
            memo[_uint4(data, pos + 1)[0]] = stack[-1]
            pos += 5
        elif code == _STACK_GLOBAL:
            reader.at = pos
            name = pop()
            stack[-1] = machine._stack_global(stack[-1], name)
            pos += 1
        elif code == _PROTO:
            pos += 2
        elif code == _FRAME:
            reader.at = pos
            reader.pos = pos + 1
            reader.frame()
            pos = reader.pos
            end = reader.end
            last = end - _MARGIN
        else:
            break
    machine.memo_size = len(memo)
    return pos
