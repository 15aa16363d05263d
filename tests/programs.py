"""Programs of opcodes, made from the table: mostly such as could be pickles, and as wrong as one asks for.

A maker keeps a small abstract stack of what the table's words say, and chooses only opcodes whose `before` is there.
Where the table says `any` and only some values would do (a callable, a hashable key, a state), it knows which.  So a
program made with `wild=0` is one that `POLICY` admits and that loads; with more, some steps ignore all of that.

Rules this module rests on:

* What an opcode takes and leaves is read from the table, never repeated here: `Program.words` is what the table says is
  on the stack at the end, to be compared with what the machines have there.
* Every name that a program may spell, listed in `POLICY` or not, is harmless to import and to call with anything.  They
  are in `NAMES`; readers without a policy are run only behind `find_harmless`.
* It asks `Choices` and knows nothing of who answers.  It runs nothing and reads nothing of the package but the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Union

from safepickle import opcodes
from safepickle.opcodes import BY_NAME, Opcode
from tests.assembler import Argument, asm, lying
from tests.choices import Choices, chance, floating, integer, octets, one_of, text

VICTIMS: Final = "tests.victims"
HOOKS: Final = ("__setstate__", "append", "extend", "add")
CODES: Final = {"record": 241, "harmless": 242, "Plain": 243}  # extension codes, as `tests.application` registers them
_LONGEST: Final = 48  # steps
_LARGE_INDEX: Final = 2**31 - 1


# --- The abstract stack ----------------------------------------------------------------------------------------------
class Value:
    """One object of the program: the table's word for it, and what decides whether an opcode could use it."""

    __slots__ = ("built", "frozen", "hashable", "items", "name", "role", "text", "word")

    def __init__(self, word: str, role: str = "literal", name: Name | None = None) -> None:
        self.word = word
        self.role = role  # literal, global, helper, made, bound, persistent, prior
        self.name = name  # the global it is, or that made it
        self.text: str | None = None
        self.items: list[Value] | None = None  # of a container that the program spells out
        self.hashable = word not in {"list", "dict", "set", "bytearray", "buffer"}
        self.built = False
        self.frozen = False  # a pattern of the policy may have looked inside


MARK: Final = "mark"
Slot = Union[Value, str]
Words = Union[str, tuple["Words", ...]]


class Name(NamedTuple):
    """A global that programs may spell, with what can be done to it without an error."""

    module: str
    name: str
    kind: str = "class"  # class, function, value, helper
    listed: bool = True
    call: Callable[[Sequence[Value]], bool] | None = None  # whether a call with these arguments works
    new: Callable[[Sequence[Value]], bool] | None = None  # likewise NEWOBJ
    state: Callable[[Value], bool] | None = None  # whether BUILD with this state works
    fills: tuple[str, ...] = ()  # the table's words of what it can be filled like
    hashable: bool = False  # whether its instances are


def _nothing(args: Sequence[Value]) -> bool:
    return not args


def _anything(_args: Sequence[Value]) -> bool:
    return True


def _two(args: Sequence[Value]) -> bool:
    return len(args) == 2


def _words(*words: str) -> Callable[[Sequence[Value]], bool]:
    return lambda args: [arg.word if arg.role == "literal" else "" for arg in args] == list(words)


def _list_of_keys(args: Sequence[Value]) -> bool:
    return _words("list")(args) and all(item.hashable for item in args[0].items or ())


def _attributes(state: Value) -> bool:
    """A dict whose keys plant nothing."""
    keys = (state.items or [])[::2]
    return state.word == "dict" and state.role == "literal" and all(key.text not in HOOKS for key in keys)


def _slots(state: Value) -> bool:
    """None or a dict, and a dict of the slots that there are."""
    items = state.items or []
    if state.word != "tuple" or len(items) != 2 or items[1].word != "dict" or items[1].role != "literal":
        return False
    return items[0].word == "none" and all(key.text in {"a", "b"} for key in (items[1].items or [])[::2])


NAMES: Final[tuple[Name, ...]] = (
    Name(VICTIMS, "Plain", call=_anything, new=_anything, state=_attributes, hashable=True),
    Name(VICTIMS, "Plain.Nested", call=_anything, new=_nothing, state=_attributes, hashable=True),
    Name(VICTIMS, "Slotted", call=_anything, new=_anything, state=_slots, hashable=True),
    Name(VICTIMS, "SlottedWithDict", call=_nothing, new=_nothing, state=_attributes, hashable=True),
    Name(VICTIMS, "WithSetState", call=_nothing, new=_nothing, state=lambda state: True, hashable=True),
    Name(VICTIMS, "Adopting", call=_nothing, new=_nothing, state=_attributes, hashable=True),
    Name(VICTIMS, "Appender", call=_nothing, new=_nothing, state=_attributes, fills=("list", "set"), hashable=True),
    Name(VICTIMS, "ListBag", call=_nothing, new=_anything, state=_attributes, fills=("list",)),
    Name(VICTIMS, "DictBag", call=_nothing, new=_anything, state=_attributes, fills=("dict",)),
    Name(VICTIMS, "SetBag", call=_list_of_keys, new=_nothing, state=_attributes, fills=("set",)),
    Name(VICTIMS, "Pair", call=_two, new=_two),
    Name(VICTIMS, "Frozen", call=_two, new=_nothing, state=_attributes),
    Name(VICTIMS, "harmless", "function", call=_anything),
    Name(VICTIMS, "keep", "function", call=_anything),
    Name(VICTIMS, "record", "function", call=_anything),
    Name(VICTIMS, "Plain.make", "function", call=_anything),
    Name(VICTIMS, "INSTANCE", "value"),
    Name(VICTIMS, "SHARED_LIST", "value"),
    Name("collections", "OrderedDict", call=_nothing, new=_nothing, fills=("dict",)),
    Name("collections", "deque", call=_nothing, fills=("list",)),
    Name("collections", "Counter", call=_nothing, new=_nothing, fills=("dict",)),
    Name("builtins", "set", call=_list_of_keys),
    Name("builtins", "frozenset", call=_list_of_keys),
    Name("builtins", "bytearray", call=_words("bytes")),
    Name("builtins", "complex", call=_words("float", "float")),
    Name("builtins", "slice", call=lambda args: len(args) == 3),
    Name("builtins", "object", "value"),
    Name("builtins", "list", "value"),
    Name("builtins", "Ellipsis", "value"),
    Name("copyreg", "_reconstructor", "helper"),
    Name("copyreg", "__newobj__", "helper"),
    Name("copyreg", "__newobj_ex__", "helper"),
    Name("_codecs", "encode", "helper"),
    Name("builtins", "getattr", "helper"),
    Name("functools", "partial", "helper"),
    # Not listed: nothing of this may be touched.
    Name(VICTIMS, "canary", "function", listed=False),
    Name(VICTIMS, "NotPlain", listed=False, call=_anything, new=_anything, state=_attributes),
    Name(VICTIMS, "Plain.method", "function", listed=False),
    Name("tests.tripwire", "touched", "function", listed=False),
    Name("builtins", "id", "function", listed=False),
    Name("os", "getpid", "function", listed=False),
    Name("no_such_module", "nothing", listed=False),
    Name("collections", "no_such_name", listed=False),
)

#: A policy that lists what `NAMES` says is listed.
POLICY: Final = """\
safepickle: 1
description: What programs may name.
allow:
  tests.victims:
    - Plain
    - Plain.Nested
    - Slotted
    - SlottedWithDict
    - WithSetState
    - Adopting
    - Appender
    - ListBag
    - DictBag
    - SetBag
    - Pair
    - Frozen
    - harmless: {use: [call]}
    - keep: {use: [call]}
    - record: {use: [call]}
    - Plain.make: {use: [call]}
    - INSTANCE: {use: [refer]}
    - SHARED_LIST: {use: [refer]}
  collections: [OrderedDict, deque, Counter]
accept: [extensions, persistent_ids, buffers]
"""

# How Python 2 spells some of them; mapped below protocol 3.
_PYTHON_2: Final = {
    ("builtins", "set"): ("__builtin__", "set"),
    ("builtins", "getattr"): ("__builtin__", "getattr"),
    ("builtins", "object"): ("__builtin__", "object"),
    ("copyreg", "_reconstructor"): ("copy_reg", "_reconstructor"),
}
_LISTED: Final = tuple(name for name in NAMES if name.listed and name.kind != "helper")
_HARMLESS: Final = frozenset((name.module, name.name) for name in NAMES) | {
    ("builtins", part)
    for part in ("tuple", "dict", "str", "bytes", "int", "float", "bool", "range", "type", "NotImplemented")
}  # fmt: skip


def find_harmless(module: str, name: str) -> bool:
    """Whether a reader without a policy may be asked to find this, as Python 3 spells it."""
    return (module, name) in _HARMLESS


class Program(NamedTuple):
    """A stream, and what its maker knows of it."""

    data: bytes
    words: tuple[Words, ...]  # what the table says is collected in the result
    collected: int  # the memo index of the result, -1 where it collects nothing
    opcodes: tuple[str, ...]
    damaged: bool  # whether a step was chosen that ignores the stack, the policy or the format


# --- The maker -------------------------------------------------------------------------------------------------------
def program(choices: Choices, *, wild: int = 0, application: bool = True, names: bool = True) -> Program:
    """A program that collects everything it leaves on the stack in one tuple.

    `wild` is how many of 64 steps ignore what fits.  `application` admits persistent IDs, buffers and extension codes,
    `names` admits globals.
    """
    return _Maker(choices, wild, application, names).whole()


def programs_in_a_row(choices: Choices) -> list[Program]:
    """Two programs that one reader reads in a row: the second finds in the memo what the first left there."""
    first = _Maker(choices, 0, application=True, names=True)
    made = [first.whole()]
    second = _Maker(choices, 0, application=True, names=True)
    second.memo = {index: _prior(value) for index, value in first.memo.items()}
    return [*made, second.whole()]


class _Maker:
    """The program so far: its instructions, and what is on the stack and in the memo after them."""

    def __init__(self, choices: Choices, wild: int, application: bool, names: bool) -> None:
        self.choices = choices
        self.wild = wild
        self.application = application
        self.names = names
        self.protocol = 0
        self.instructions: list[bytes] = []
        self.used: list[str] = []
        self.stack: list[Slot] = []
        self.memo: dict[int, Value] = {}
        self.damaged = False
        self.dunders = False  # whether a text was spelled that makes the policy look into states

    def whole(self) -> Program:
        """The program, from its first step to its last."""
        self.start()
        for _ in range(self.choices.below(_LONGEST)):
            if not self.choices.more():
                break
            self.step()
        return self.finish()

    # Steps

    def start(self) -> None:
        """PROTO as it is mostly written, and the mark down to which everything is collected."""
        version = self.choices.below(opcodes.HIGHEST_PROTOCOL + 1)
        if version >= 2 or chance(self.choices, 1, 4):
            self.emit("PROTO", version)
        self.emit("MARK")

    def step(self) -> None:
        """One more instruction or phrase."""
        if chance(self.choices, self.wild, 64):
            self.damaged = True
            one_of(self.choices, _VIOLATIONS)(self)
            return
        way = self.choices.below(8)
        if way < 3:
            self.literal()
        elif way < 6:
            self.fitting()
        else:
            one_of(self.choices, _PHRASES if self.names else _PHRASES[:_NAMELESS])(self)

    def literal(self) -> None:
        """Any opcode that pushes a value of its own."""
        row = one_of(self.choices, _LITERALS)
        self.emit(row.name, *argument(self.choices, row))

    def fitting(self) -> None:
        """Any opcode that fits the stack, or a literal where there is none."""
        rows = [row for row in opcodes.TABLE if row.name not in _BY_PHRASE and self.fits(row)]
        if not rows:
            self.literal()
            return
        row = one_of(self.choices, rows)
        if row.name in _GETS:
            self.emit(row.name, one_of(self.choices, self.indexes(row)))
        elif row.name in _PUTS:
            self.emit(row.name, one_of(self.choices, (len(self.memo), 0, 7, 255, 300 if row.name != "BINPUT" else 3)))
        elif row.name.startswith("EXT"):
            self.emit(row.name, one_of(self.choices, tuple(CODES.values())))
        else:
            self.emit(row.name, *argument(self.choices, row))

    # What fits

    def operands(self, row: Opcode) -> list[Slot] | None:
        """What the row's `before` takes from the stack, lowest first, or None where it is not there."""
        top = len(self.stack)
        for place, word in reversed(list(enumerate(row.before))):
            if word in {"items", "pairs"}:
                low = place - row.before.index(MARK) - 1  # OBJ takes one more between the mark and the items
                low += next((at for at in range(top, 0, -1) if self.stack[at - 1] == MARK), top + 1)
                if low > top or (word == "pairs" and (top - low) % 2):
                    return None
                top = low
            elif not top or not _is(self.stack[top - 1], word):
                return None
            else:
                top -= 1
        return self.stack[top:]

    def fits(self, row: Opcode) -> bool:
        """Whether the table, and what else is known of the values, admit this opcode here."""
        if not self.application and row.name in _OF_THE_APPLICATION:
            return False
        if not self.names and row.name in _NAMING:
            return False
        taken = self.operands(row)
        if taken is None:
            return False
        if row.name in _GETS:
            return bool(self.indexes(row))
        if row.name == "MARK":
            return sum(slot == MARK for slot in self.stack) < 6
        if row.name in _CLOSING and len([slot for slot in self.stack if slot == MARK]) < 2:
            return False  # the lowest mark stays: everything is collected down to it
        sensible = _SENSIBLE.get(row.name)
        values = [slot for slot in taken if isinstance(slot, Value)]
        return sensible is None or sensible(self, values)

    def indexes(self, row: Opcode) -> tuple[int, ...]:
        """The memo indexes that this opcode can name."""
        known = (index for index, value in self.memo.items() if value.role != "helper")
        return tuple(index for index in known if index < 256 or row.name != "BINGET")

    # Emitting

    def emit(self, name: str, *arguments: Argument) -> None:
        """Write one instruction and do to the abstract stack what its row says."""
        row = BY_NAME[name]
        self.write(name, asm((name, *arguments)))
        taken = self.operands(row)
        if taken is None:
            self.damaged = True
            return
        del self.stack[len(self.stack) - len(taken) :]
        values = [slot for slot in taken if isinstance(slot, Value)]
        self.stack += self.effect(row, values, arguments)

    def write(self, name: str, data: bytes) -> None:
        """Write bytes without an effect."""
        self.instructions.append(data)
        self.used.append(name)

    def effect(self, row: Opcode, values: list[Value], arguments: tuple[Argument, ...]) -> list[Slot]:
        """What the row leaves on the stack: as many slots as its `after` has words."""
        name = row.name
        if name == "MARK":
            return [MARK]
        if name == "PROTO":
            self.protocol = int(arguments[0])
        if not row.after:
            return []
        if name == "DUP":
            return [values[0], values[0]]
        if name in _GETS and int(arguments[0]) in self.memo:
            return [self.memo[int(arguments[0])]]
        if name in _PUTS or name == "MEMOIZE":
            index = int(arguments[0]) if arguments else len(self.memo)
            if 0 <= index < _LARGE_INDEX:
                self.memo[index] = values[0]
            return [values[0]]
        if name in _KEEPING:
            self.change(name, values)
            return [values[0]]
        return [self.made(row, values, arguments)]

    def change(self, name: str, values: list[Value]) -> None:
        """Note what an opcode did to the object that it leaves in its place."""
        target, *given = values
        if name == "BUILD":
            target.built = True
            for part in (*given, *(given[0].items or ())) if self.dunders else ():
                part.frozen = True
        elif target.items is not None:
            target.items += given

    def made(self, row: Opcode, values: list[Value], arguments: tuple[Argument, ...]) -> Value:
        """The new value that an opcode pushes."""
        result = Value(row.after[-1])
        if row.name in _CONTAINERS:
            result.items = list(values)
        if row.after[-1] in {"tuple", "frozenset"}:
            result.hashable = all(value.hashable for value in values)
        if row.name in _TEXTS:
            spelled = arguments[0]
            result.text = spelled if isinstance(spelled, str) else None
            self.dunders |= bool(result.text and (result.text.startswith("__") or result.text in HOOKS))
        if row.name in _MAKING:
            named = _named(*map(str, arguments)) if row.name == "INST" else values[0].name
            result = Value("any", "made", named)
            result.hashable = bool(named and named.hashable)
        if row.name == "GLOBAL":
            result = _global(_named(*map(str, arguments)))
        if row.name == "STACK_GLOBAL":
            result = _global(_named(values[0].text or "", values[1].text or ""))
        if row.name.startswith("EXT"):
            result = _global(_named(VICTIMS, {code: name for name, code in CODES.items()}.get(int(arguments[0]), "")))
        if row.name in {"PERSID", "BINPERSID"}:
            result = Value("any", "persistent")
        return result

    # The end

    def finish(self) -> Program:
        """Close every mark, frame the whole as it may be framed, and give the result."""
        top = self.stack[-1] if self.stack else MARK
        if isinstance(top, Value) and top.role != "helper" and chance(self.choices, 1, 8):
            self.write("STOP", b".")  # a plain end: whatever is on top
            return self.framed((), -1)
        while MARK in self.stack:
            self.emit("TUPLE")
        everything = self.stack[-1] if self.stack else Value("tuple")  # nothing, if the program is damaged
        index = len(self.memo)
        self.emit("MEMOIZE")
        self.write("STOP", b".")
        items = everything.items or () if isinstance(everything, Value) else ()
        return self.framed(tuple(map(_word, items)), index)

    def framed(self, words: tuple[Words, ...], collected: int) -> Program:
        """The program with its instructions in frames, as long as these are there at all."""
        pieces = self.instructions
        if chance(self.choices, 1, 4):
            head = 1 if self.used[0] == "PROTO" else 0
            cut = head + self.choices.below(len(pieces) - head)
            off = one_of(self.choices, (1, -1, 2**40)) if chance(self.choices, self.wild, 64) else 0
            self.damaged |= bool(off)
            first, second = b"".join(pieces[head:cut]), b"".join(pieces[cut:])
            pieces = [*pieces[:head], *([_frame(first, 0)] if cut > head else []), _frame(second, off)]
        return Program(b"".join(pieces), words, collected, tuple(self.used), self.damaged)

    # Phrases: several instructions that belong together

    def spell(self, named: Name) -> None:
        """Push a global, in one of the ways of the protocol."""
        module, name = named.module, named.name
        if "." in name and self.protocol < 4:
            self.emit("PROTO", 4)
        if self.protocol < 3 and (module, name) in _PYTHON_2 and chance(self.choices, 1, 2):
            self.write("GLOBAL", asm(("GLOBAL", *_PYTHON_2[module, name])))
            self.stack.append(_global(named))
        elif self.choices.below(2):
            for part in (module, name):
                kind = one_of(self.choices, ("SHORT_BINUNICODE", "BINUNICODE", "UNICODE", "BINUNICODE8"))
                self.emit(kind, part)
            self.emit("STACK_GLOBAL")
        else:
            self.emit("GLOBAL", module, name)

    def a_global(self) -> None:
        """A listed global."""
        self.spell(one_of(self.choices, _LISTED))

    def an_instance(self) -> None:
        """An object of a listed class, called or made, mostly with a state or some items."""
        named = one_of(self.choices, _LISTED)
        if named.new is not None and named.new(()) and chance(self.choices, 1, 2):
            self.spell(named)
            self.emit("EMPTY_TUPLE")
            if chance(self.choices, 1, 4):
                self.emit("EMPTY_DICT")
                self.emit("NEWOBJ_EX")
            else:
                self.emit("NEWOBJ")
        elif named.call is not None:
            self.called(named)
        else:
            self.spell(named)
            return
        if named.state is not None and chance(self.choices, 1, 2):
            self.built(named)
        if named.fills and chance(self.choices, 1, 2):
            self.filled(one_of(self.choices, named.fills))

    def called(self, named: Name) -> None:
        """A call of a listed name with arguments that it takes."""
        call = named.call
        way = one_of(self.choices, ("TUPLE", "EMPTY_TUPLE", "INST", "OBJ"))
        if way == "EMPTY_TUPLE" and call is not None and call(()):
            self.spell(named)
            self.emit("EMPTY_TUPLE")
            self.emit("REDUCE")
            return
        if "." in named.name and self.protocol < 4:
            self.emit("PROTO", 4)
        if way not in {"INST", "OBJ"}:
            self.spell(named)
        self.emit("MARK")
        if way == "OBJ":
            self.spell(named)
        without = way in {"INST", "OBJ"} and named.new is not None and named.new(()) and chance(self.choices, 1, 2)
        if not without:  # INST and OBJ without arguments skip `__init__`
            self.arguments(named)
        if way == "INST":
            self.emit("INST", named.module, named.name)
        elif way == "OBJ":
            self.emit("OBJ")
        else:
            self.emit("TUPLE")
            self.emit("REDUCE")

    def arguments(self, named: Name) -> None:
        """Arguments that the name takes."""
        if named.call is _two:
            self.small()
            self.small()
        elif named.call is _list_of_keys:
            self.emit("EMPTY_LIST")
            self.emit("MARK")
            for _ in range(self.choices.below(3)):
                self.small()
            self.emit("APPENDS")
        elif named.name == "bytearray":
            self.emit("SHORT_BINBYTES", octets(self.choices)[:255])
        elif named.name == "complex":
            self.emit("BINFLOAT", floating(self.choices))
            self.emit("FLOAT", floating(self.choices))
        elif named.name == "slice":
            for _ in range(3):
                self.small()
        elif named.call is _anything:
            for _ in range(1 + self.choices.below(2)):
                self.small()

    def small(self) -> None:
        """A value that may be a key."""
        if chance(self.choices, 1, 4):
            self.emit("SHORT_BINUNICODE", one_of(self.choices, ("a", "b", "note")))
        else:
            self.emit("BININT1", self.choices.below(256))

    def built(self, named: Name) -> None:
        """BUILD with a state that the class takes."""
        if named.state is _slots:
            self.emit("NONE")
        self.emit("EMPTY_DICT")
        for _ in range(self.choices.below(3)):
            names = ("a", "b") if named.state is _slots else ("arguments", "note", "state", "__dunder")
            self.emit("SHORT_BINUNICODE", one_of(self.choices, names))
            self.small()
            self.emit("SETITEM")
        if named.state is _slots:
            self.emit("TUPLE2")
        self.emit("BUILD")

    def filled(self, word: str) -> None:
        """Items for an object that is filled like a list, dict or set."""
        self.emit("MARK")
        for _ in range(self.choices.below(3)):
            self.small()
            if word == "dict":
                self.small()
        self.emit({"list": "APPENDS", "dict": "SETITEMS", "set": "ADDITEMS"}[word])

    def helper(self) -> None:
        """One of the functions that pickle's own protocol spells."""
        one_of(self.choices, _HELPERS)(self)

    def as_made(self, named: Name) -> None:
        """Say that what is on top was made by this class."""
        if self.stack and isinstance(self.stack[-1], Value):
            self.stack[-1] = Value("any", "made", named)
            self.stack[-1].hashable = named.hashable

    def a_container(self) -> None:
        """A list, dict, set, tuple or frozenset with some small items."""
        empty, filling = one_of(self.choices, _CONTAINING)
        if empty:
            self.emit(empty)
        self.emit("MARK")
        for _ in range(2 * (1 + self.choices.below(3))):
            self.small()
        self.emit(filling)

    def a_buffer(self) -> None:
        """A buffer of the application's, or bytes that could be one."""
        if self.application:
            self.emit("NEXT_BUFFER")
            if self.choices.below(2):
                self.emit("READONLY_BUFFER")
        else:
            self.emit("BYTEARRAY8", octets(self.choices))

    def recursion(self) -> None:
        """A list that contains itself."""
        index = len(self.memo)
        self.emit("EMPTY_LIST")
        self.emit("MEMOIZE")
        self.emit("LONG_BINGET", index)
        self.emit("APPEND")


def _is(slot: Slot, word: str) -> bool:
    if isinstance(slot, str) or word == MARK:
        return slot == word
    if word == "any" or slot.role == "prior":
        return word == "any"  # what an earlier program made can be referred to, and nothing else
    if word == slot.word:
        return True
    return slot.role == "made" and slot.name is not None and word in slot.name.fills


def _word(value: Value) -> Words:
    """The table's word for a value; of a tuple, the words of its items."""
    return tuple(map(_word, value.items)) if value.word == "tuple" and value.items is not None else value.word


def _named(module: str, name: str) -> Name | None:
    spelled = (module, name)
    return next((each for each in NAMES if spelled in {each[:2], _PYTHON_2.get(each[:2])}), None)


def _global(named: Name | None) -> Value:
    value = Value("any", "helper" if named is not None and named.kind == "helper" else "global", named)
    value.hashable = named is None or named.kind != "value" or named.name != "SHARED_LIST"
    return value


def _prior(value: Value) -> Value:
    """What a later program may know of a value in the memo: globals are judged again, all else is the application's."""
    if value.role in {"global", "helper"}:
        return value
    known = Value("any", "prior")
    known.hashable = value.hashable
    return known


def _frame(payload: bytes, off: int) -> bytes:
    return lying("FRAME", max(0, len(payload) + off), payload)


# --- What is known beyond the table ----------------------------------------------------------------------------------
_GETS: Final = frozenset({"GET", "BINGET", "LONG_BINGET"})
_PUTS: Final = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_KEEPING: Final = frozenset({"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"})
_CLOSING: Final = frozenset(row.name for row in opcodes.TABLE if "mark" in row.before)
_CONTAINERS: Final = frozenset(
    {"EMPTY_LIST", "EMPTY_TUPLE", "EMPTY_DICT", "EMPTY_SET", "LIST", "TUPLE", "DICT", "FROZENSET", "TUPLE1", "TUPLE2",
     "TUPLE3"}
)  # fmt: skip
_TEXTS: Final = frozenset({"UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"})
_MAKING: Final = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX"})
_OF_THE_APPLICATION: Final = frozenset(
    {"EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "NEXT_BUFFER", "READONLY_BUFFER"}
)  # fmt: skip
_NAMING: Final = frozenset({"GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"})
# Chosen by phrases, or at the ends of a program, where their arguments mean something.
_BY_PHRASE: Final = frozenset({"GLOBAL", "INST", "FRAME", "STOP", "PROTO"})
_LITERALS: Final = tuple(
    row for row in opcodes.TABLE
    if not row.before and row.after and "any" not in row.after and "mark" not in row.after and "buffer" not in row.after
)  # fmt: skip


def _changeable(target: Value) -> bool:
    return not target.frozen


def _keys(maker: _Maker, values: list[Value]) -> bool:
    target, *pairs = values
    return _changeable(target) and all(key.hashable for key in pairs[::2]) and _no_helper(maker, values)


def _no_helper(_maker: _Maker, values: list[Value]) -> bool:
    return all(value.role != "helper" for value in values)


def _members(maker: _Maker, values: list[Value]) -> bool:
    target, *items = values
    return _changeable(target) and all(item.hashable for item in items) and _no_helper(maker, values)


def _appended(maker: _Maker, values: list[Value]) -> bool:
    return _changeable(values[0]) and _no_helper(maker, values)


def _all_hashable(maker: _Maker, values: list[Value]) -> bool:
    return all(value.hashable for value in values) and _no_helper(maker, values)


def _literal_tuple(value: Value) -> list[Value] | None:
    return value.items if value.word == "tuple" and value.role == "literal" else None


def _callable(maker: _Maker, values: list[Value]) -> bool:
    function, args = values
    items = _literal_tuple(args)
    named = function.name
    if function.role != "global" or named is None or named.call is None or items is None:
        return False
    return named.call(items) and _no_helper(maker, items)


def _callable_above_mark(maker: _Maker, values: list[Value]) -> bool:
    function, *items = values
    named = function.name
    if function.role != "global" or named is None or named.call is None or not named.call(items):
        return False
    return (bool(items) or (named.kind == "class" and named.new is not None)) and _no_helper(maker, items)


def _instantiable(maker: _Maker, values: list[Value]) -> bool:
    cls, args, *rest = values
    items = _literal_tuple(args)
    named = cls.name
    if cls.role != "global" or named is None or named.new is None or items is None or not named.new(items):
        return False
    if rest and (rest[0].items or rest[0].role != "literal"):
        return False
    return _no_helper(maker, items)


def _buildable(maker: _Maker, values: list[Value]) -> bool:
    target, state = values
    named = target.name
    if target.role != "made" or target.built or named is None or named.state is None or state.role == "helper":
        return False
    return named.state(state)


def _names_something(_maker: _Maker, values: list[Value]) -> bool:
    named = _named(values[0].text or "", values[1].text or "")
    return named is not None and named.listed and _maker.protocol >= 4


_SENSIBLE: Final[dict[str, Callable[[_Maker, list[Value]], bool]]] = {
    "APPEND": _appended, "APPENDS": _appended, "SETITEM": _keys, "SETITEMS": _keys, "ADDITEMS": _members,
    "DICT": lambda maker, values: all(key.hashable for key in values[::2]) and _no_helper(maker, values),
    "FROZENSET": _all_hashable, "LIST": _no_helper, "TUPLE": _no_helper, "TUPLE1": _no_helper, "TUPLE2": _no_helper,
    "TUPLE3": _no_helper, "DUP": _no_helper, "BINPERSID": _no_helper, "REDUCE": _callable, "OBJ": _callable_above_mark,
    "NEWOBJ": _instantiable, "NEWOBJ_EX": _instantiable, "BUILD": _buildable, "STACK_GLOBAL": _names_something,
}  # fmt: skip


# --- Arguments -------------------------------------------------------------------------------------------------------
def argument(choices: Choices, row: Opcode) -> tuple[Argument, ...]:
    """An argument for a row, of the kind that the table says."""
    sampler = _ARGUMENTS[row.argument]
    return sampler(choices, row)


def _within(low: int, high: int) -> Callable[[Choices, Opcode], tuple[Argument, ...]]:
    def sample(choices: Choices, _row: Opcode) -> tuple[Argument, ...]:
        return (low + (integer(choices) - low) % (high - low + 1),)

    return sample


def _decimal(choices: Choices, row: Opcode) -> tuple[Argument, ...]:
    if row.name == "INT" and chance(choices, 1, 4):
        return (bool(choices.below(2)),)
    return (integer(choices),)


def _some_text(choices: Choices, _row: Opcode) -> tuple[Argument, ...]:
    return (text(choices),)


def _short_text(choices: Choices, _row: Opcode) -> tuple[Argument, ...]:
    return (text(choices)[:60],)


def _some_bytes(choices: Choices, row: Opcode) -> tuple[Argument, ...]:
    return (octets(choices)[: 255 if row.argument in {opcodes.BYTES1, opcodes.STRING1} else None],)


def _ascii(choices: Choices, _row: Opcode) -> tuple[Argument, ...]:
    return (one_of(choices, ("", "key", "7", "a b")),)


_ARGUMENTS: Final[dict[str, Callable[[Choices, Opcode], tuple[Argument, ...]]]] = {
    opcodes.NO_ARGUMENT: lambda choices, row: (),
    opcodes.UINT1: _within(0, 255),
    opcodes.UINT2: _within(0, 2**16 - 1),
    opcodes.INT4: _within(-(2**31), 2**31 - 1),
    opcodes.UINT4: _within(0, 2**32 - 1),
    opcodes.UINT8: _within(0, 2**64 - 1),
    opcodes.FLOAT8: lambda choices, row: (floating(choices),),
    opcodes.DECIMAL_LINE: _decimal,
    opcodes.FLOAT_LINE: lambda choices, row: (floating(choices),),
    opcodes.QUOTED_LINE: lambda choices, row: (octets(choices).decode("latin-1"),),
    opcodes.ESCAPED_LINE: _some_text,
    opcodes.TEXT_LINE: _ascii,
    opcodes.TWO_LINES: lambda choices, row: one_of(choices, NAMES)[:2],
    opcodes.BYTES1: _some_bytes,
    opcodes.BYTES4: _some_bytes,
    opcodes.BYTES8: _some_bytes,
    opcodes.STRING1: _some_bytes,
    opcodes.STRING4: _some_bytes,
    opcodes.UTF8_1: _short_text,
    opcodes.UTF8_4: _some_text,
    opcodes.UTF8_8: _some_text,
    opcodes.LONG1_: lambda choices, row: (integer(choices) % 2**2000,),
    opcodes.LONG4_: lambda choices, row: (integer(choices),),
    opcodes.BYTEARRAY8_: _some_bytes,
}


# --- Helpers, as streams of real programs have them ------------------------------------------------------------------
_MADE_FROM_OBJECT: Final = tuple(
    name for name in _LISTED if name.module == VICTIMS and name.new is not None and name.state is _attributes
    and not name.fills
)  # fmt: skip


def _a_helper(maker: _Maker, module: str, name: str) -> None:
    named = _named(module, name)
    assert named is not None
    maker.spell(named)


def _reconstructor(maker: _Maker) -> None:
    cls = one_of(maker.choices, _MADE_FROM_OBJECT)
    _a_helper(maker, "copyreg", "_reconstructor")
    maker.emit("MARK")
    maker.spell(cls)
    _a_helper(maker, "builtins", "object")
    maker.emit("NONE")
    maker.emit("TUPLE")
    maker.emit("REDUCE")
    maker.as_made(cls)


def _newobj(maker: _Maker) -> None:
    cls = one_of(maker.choices, _MADE_FROM_OBJECT)
    _a_helper(maker, "copyreg", "__newobj__")
    maker.spell(cls)
    maker.emit("TUPLE1")
    maker.emit("REDUCE")
    maker.as_made(cls)


def _newobj_ex(maker: _Maker) -> None:
    cls = one_of(maker.choices, _MADE_FROM_OBJECT)
    _a_helper(maker, "copyreg", "__newobj_ex__")
    maker.spell(cls)
    maker.emit("EMPTY_TUPLE")
    maker.emit("EMPTY_DICT")
    maker.emit("TUPLE3")
    maker.emit("REDUCE")
    maker.as_made(cls)


def _encode(maker: _Maker) -> None:
    _a_helper(maker, "_codecs", "encode")
    maker.emit("BINUNICODE", octets(maker.choices).decode("latin-1"))
    maker.emit("SHORT_BINUNICODE", "latin1")
    maker.emit("TUPLE2")
    maker.emit("REDUCE")
    maker.stack[-1] = Value("any")  # bytes, though the table cannot know


def _getattr_of_a_class(maker: _Maker) -> None:
    named = _named(VICTIMS, "Plain")
    assert named is not None
    part = one_of(maker.choices, ("Nested", "make"))
    _a_helper(maker, "builtins", "getattr")
    maker.spell(named)
    maker.emit("SHORT_BINUNICODE", part)
    maker.emit("TUPLE2")
    maker.emit("REDUCE")
    maker.stack[-1] = _global(_named(VICTIMS, f"Plain.{part}"))


def _getattr_of_an_instance(maker: _Maker) -> None:
    named = _named(VICTIMS, "Plain")
    assert named is not None
    _a_helper(maker, "builtins", "getattr")
    maker.spell(named)
    maker.emit("EMPTY_TUPLE")
    maker.emit("NEWOBJ")
    maker.emit("SHORT_BINUNICODE", "make")
    maker.emit("TUPLE2")
    maker.emit("REDUCE")
    maker.stack[-1] = Value("any", "bound")


def _partial(maker: _Maker) -> None:
    """NEWOBJ_EX as protocols 2 and 3 spell it."""
    named = _named(VICTIMS, "Plain")
    assert named is not None
    index = 200
    _a_helper(maker, "functools", "partial")
    _a_helper(maker, "builtins", "getattr")
    maker.spell(named)
    maker.emit("SHORT_BINUNICODE", "__new__")
    maker.emit("TUPLE2")
    maker.emit("REDUCE")
    maker.stack[-1] = Value("any", "helper")
    maker.emit("BINPUT", index)
    maker.emit("TUPLE1")
    maker.emit("REDUCE")
    maker.emit("MARK")
    maker.emit("BINGET", index)
    maker.spell(named)
    maker.emit("TUPLE1")
    maker.emit("EMPTY_DICT")
    maker.emit("NONE")
    maker.emit("TUPLE")
    maker.emit("BUILD")
    maker.emit("EMPTY_TUPLE")
    maker.emit("REDUCE")
    maker.as_made(named)


_CONTAINING: Final = (
    ("EMPTY_LIST", "APPENDS"), ("EMPTY_DICT", "SETITEMS"), ("EMPTY_SET", "ADDITEMS"), ("", "LIST"), ("", "DICT"),
    ("", "TUPLE"), ("", "FROZENSET"),
)  # fmt: skip
_HELPERS: Final = (
    _reconstructor, _newobj, _newobj_ex, _encode, _getattr_of_a_class, _getattr_of_an_instance, _partial,
)  # fmt: skip
_PHRASES: Final = (
    _Maker.a_container, _Maker.recursion, _Maker.a_buffer, _Maker.a_global, _Maker.an_instance, _Maker.an_instance,
    _Maker.helper,
)  # fmt: skip
_NAMELESS: Final = 3  # so many of them name nothing


# --- Steps that ignore what fits -------------------------------------------------------------------------------------
_SPELLINGS: Final = (
    ("INT", b"0x1"), ("INT", b"1_0"), ("INT", b" 1"), ("INT", b"+1"), ("INT", b"007"), ("INT", b"-0"), ("INT", b""),
    ("INT", b"1L"), ("INT", b"1\x00"), ("LONG", b"1"), ("LONG", b"0x1L"), ("LONG", b"1l"), ("LONG", b"00L"),
    ("FLOAT", b"1"), ("FLOAT", b"1_0.0"), ("FLOAT", b"infinity"), ("FLOAT", b".5"), ("FLOAT", b"1e5"),
    ("FLOAT", b"+1.0"),
    ("STRING", b"abc"), ("STRING", b"'a"), ("STRING", b"'\\x4'"), ("STRING", b"'\\q'"), ("STRING", b"\"a'b\""),
    ("UNICODE", b"\\u12"), ("UNICODE", b"\xff"), ("GET", b"00"), ("GET", b"-1"), ("PUT", b"07"), ("PUT", b"1 "),
    ("GLOBAL", b"tests.victims", b"Plain\r"), ("GLOBAL", b"tests.victims", b"Plain.__init__"),
    ("GLOBAL", b"tests.victims", b"reexported_os.getpid"), ("GLOBAL", b"", b"Plain"), ("PERSID", b"\xff"),
)  # fmt: skip


def _any_opcode(maker: _Maker) -> None:
    row = one_of(maker.choices, opcodes.TABLE)
    maker.emit(row.name, *argument(maker.choices, row))


def _change_anything(maker: _Maker) -> None:
    maker.emit(one_of(maker.choices, tuple(sorted((_KEEPING | _MAKING) - {"INST"}))))


def _any_name(maker: _Maker) -> None:
    maker.spell(one_of(maker.choices, NAMES))


def _odd_spelling(maker: _Maker) -> None:
    maker.emit(*one_of(maker.choices, _SPELLINGS))


def _raw_bytes(maker: _Maker) -> None:
    maker.write("?", maker.choices.chunk(6))


def _wrong_length(maker: _Maker) -> None:
    names = ("SHORT_BINBYTES", "BINBYTES", "BINUNICODE", "LONG1", "LONG4", "BYTEARRAY8", "FRAME")
    counted = one_of(maker.choices, names)
    maker.write(counted, lying(counted, one_of(maker.choices, (0, 3, 200)), b"abc"))


def _far_index(maker: _Maker) -> None:
    maker.write("LONG_BINPUT", asm(("LONG_BINPUT", one_of(maker.choices, (131_072, 1_000_000, _LARGE_INDEX)))))


def _planted_hook(maker: _Maker) -> None:
    """A state that sets what is looked up later, on an object that takes states; the next step may look it up."""
    named = _named(VICTIMS, one_of(maker.choices, ("Plain", "Slotted", "ListBag", "Adopting")))
    assert named is not None
    maker.spell(named)
    maker.emit("EMPTY_TUPLE")
    maker.emit("NEWOBJ")
    if named.state is _slots:
        maker.emit("NONE")
    maker.emit("EMPTY_DICT")
    maker.emit(one_of(maker.choices, ("SHORT_BINUNICODE", "SHORT_BINSTRING")), one_of(maker.choices, _PLANTED))
    maker.emit("NONE")
    maker.emit("SETITEM")
    if named.state is _slots:
        maker.emit("TUPLE2")
    maker.emit("BUILD")
    maker.emit("NONE")
    maker.emit(one_of(maker.choices, ("POP", "APPEND", "BUILD")))


_PLANTED: Final = (*HOOKS, "__class__", "__dict__", "a")
_VIOLATIONS: Final = (
    _any_opcode, _change_anything, _any_name, _odd_spelling, _raw_bytes, _wrong_length, _far_index, _planted_hook,
)  # fmt: skip
