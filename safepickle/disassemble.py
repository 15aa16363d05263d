"""One line for each instruction of a pickle: where it is, what it is called, what it does to the stack.

Rules:

* Instructions are read by the one reader and explained by the one table: what is shown here is what the loader and the
  scanner see.
* A stream that breaks is shown as far as it goes.  The last line then says what is wrong, and nothing raises.
* The stack holds words, never values: a kind from the table, or what a global, a call or an instance stands for.
  Nothing is imported, called or built, and each instruction costs what its own bytes cost.
* Text of the stream is escaped and cut before it is shown.

It judges nothing: what a policy says of a stream is the verifier's to tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from safepickle import opcodes
from safepickle.errors import StreamError, escape
from safepickle.opcodes import BY_CODE, Opcode, name_of
from safepickle.reader import Reader
from safepickle.windows import Beginning, TextBeginning, WindowReader

#: Longest argument shown, in characters of text or in bytes.
LONGEST_ARGUMENT: Final = 60
#: Longest name of a global shown in a word of the stack.
LONGEST_NAME: Final = 100
#: Words shown from the top of the stack.
SHOWN_WORDS: Final = 4

# These leave the object that was lowest among their operands, changed or remembered, in its place.
_KEEP_THE_LOWEST: Final = frozenset({
    opcodes.APPEND, opcodes.APPENDS, opcodes.SETITEM, opcodes.SETITEMS, opcodes.ADDITEMS, opcodes.BUILD,
    opcodes.PUT, opcodes.BINPUT, opcodes.LONG_BINPUT, opcodes.MEMOIZE,
})  # fmt: skip
_PUTS: Final = frozenset({opcodes.PUT, opcodes.BINPUT, opcodes.LONG_BINPUT})
_GETS: Final = frozenset({opcodes.GET, opcodes.BINGET, opcodes.LONG_BINGET})
_TEXTS: Final = frozenset({
    opcodes.UNICODE, opcodes.SHORT_BINUNICODE, opcodes.BINUNICODE, opcodes.BINUNICODE8,
})  # fmt: skip
_INSTANCES: Final = frozenset({opcodes.NEWOBJ, opcodes.NEWOBJ_EX})


class Line(NamedTuple):
    """One instruction, or, as the last line of a stream that is broken, what is wrong."""

    position: int  # byte offset of the opcode
    opcode: str  # its name; "" where there is none
    argument: str  # escaped and cut; "" where there is none
    depth: int  # objects on the stack afterwards, marks not counted
    marks: int  # marks on the stack afterwards
    top: tuple[str, ...]  # the topmost words of the stack afterwards, marks included, lowest first
    problem: str = ""  # what is wrong, where something is

    def __str__(self) -> str:
        if self.problem:
            return f"{self.position:>8}  ! {self.opcode + ': ' if self.opcode else ''}{self.problem}"
        shown = f"{self.opcode} {self.argument}".rstrip()
        hidden = "... " if self.depth + self.marks > len(self.top) else ""
        return f"{self.position:>8}  {shown:<40}  [{hidden}{' '.join(self.top)}]".rstrip()


class Word(NamedTuple):
    """What is known of one object on the stack."""

    kind: str  # a word of the table
    name: str = ""  # "module.name" of the global that it is or comes from, escaped
    text: str | None = None  # the text itself, where it is short enough for a name

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


_MARK: Final = Word("mark")


class BrokenStackError(Exception):
    """The instruction asks for what the stack or the memo does not hold."""


def disassemble(data: bytes | WindowReader, start: int = 0, *, shift: int = 0) -> Iterator[Line]:
    """The instructions of the pickle that starts at byte `start` of `data`, up to and including its STOP.

    In place of bytes, a reader of a larger source may be given, which is read from where its pickle begins, past its
    payloads; `shift` is added to the positions.  Never raises on what the stream holds: the last line has a `problem`
    where the stream is broken.
    """
    if isinstance(data, WindowReader):
        reader: Reader = data
        data.again(brief=True)
    else:
        reader = Reader(data, start)
    stack = _Stack()
    while True:
        position, name = _next(reader, shift)
        try:
            code, argument = reader.instruction()
            stack.run(BY_CODE[code], argument)
        except (StreamError, BrokenStackError) as error:
            yield stack.line(position, name, "", problem=str(error))
            return
        shown = f"as {len(stack.memo) - 1}" if code == opcodes.MEMOIZE else show_argument(argument)
        yield stack.line(position, name, shown)
        if code == opcodes.STOP:
            return


def _next(reader: Reader, shift: int) -> tuple[int, str]:
    """Where the next instruction begins, and its name."""
    with suppress(StreamError):  # there may be none
        reader.boundary()
    pos = reader.pos
    position = reader.where(pos) if isinstance(reader, WindowReader) else pos
    return position + shift, name_of(reader.data[pos]) if pos < len(reader.data) else ""


def show_argument(argument: object) -> str:
    """A decoded argument as text that is safe to print and at most a few dozen characters long."""
    if argument is None:
        return ""
    if isinstance(argument, tuple):
        return " ".join(escape(str(part), LONGEST_NAME) for part in argument)
    if isinstance(argument, (Beginning, TextBeginning)):  # of a large payload, the rest of which is not read
        return repr(argument[:LONGEST_ARGUMENT]) + _cut(argument.size, "bytes")
    if isinstance(argument, str):
        return repr(argument[:LONGEST_ARGUMENT]) + _cut(len(argument), "characters")
    if isinstance(argument, (bytes, bytearray, memoryview)):
        return repr(bytes(argument[:LONGEST_ARGUMENT])) + _cut(len(argument), "bytes")
    if isinstance(argument, int) and argument.bit_length() > 4 * LONGEST_ARGUMENT:
        return f"an integer of {argument.bit_length()} bits"  # writing it out would cost the square of its length
    return repr(argument)


def _cut(length: int, unit: str) -> str:
    return f"... ({length} {unit})" if length > LONGEST_ARGUMENT else ""


class _Stack:
    """The stack, its marks and the memo, as words."""

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.marks: list[int] = []  # heights of `words` at which the marks lie
        self.memo: dict[int, Word] = {}

    def line(self, position: int, opcode: str, argument: str, problem: str = "") -> Line:
        return Line(position, opcode, argument, len(self.words), len(self.marks), self._top(), problem)

    def _top(self) -> tuple[str, ...]:
        shown: list[str] = []
        marks = len(self.marks) - 1
        height = len(self.words)
        while len(shown) < SHOWN_WORDS and (height or marks >= 0):
            if marks >= 0 and self.marks[marks] == height:
                shown.append(str(_MARK))
                marks -= 1
            else:
                height -= 1
                shown.append(str(self.words[height]))
        return tuple(reversed(shown))

    def run(self, row: Opcode, argument: object) -> None:
        """Do to the words what the instruction does to the objects."""
        if row.code == opcodes.POP and self.marks and self.marks[-1] == len(self.words):
            self.marks.pop()  # "on a bare mark, drop the mark"
            return
        operands = self._take(row.before)
        if row.code in _KEEP_THE_LOWEST:
            self._remember(row, argument, operands[0])
            self.words.append(operands[0])
        elif row.after == ("mark",):
            self.marks.append(len(self.words))
        elif row.code == opcodes.DUP:
            self.words += (operands[0], operands[0])
        elif row.after:
            self.words.append(self._result(row, argument, operands))

    def _take(self, wanted: tuple[str, ...]) -> list[Word]:
        """Remove what the row wants; give its single operands, lowest first, without the run above the mark."""
        below = wanted.index("mark") if "mark" in wanted else len(wanted)
        above = self._take_to_mark() if below < len(wanted) else []
        single = [word for word in wanted[below + 1 :] if word not in {"items", "pairs"}]  # the callable of OBJ
        floor = self.marks[-1] if self.marks else 0
        if len(above) < len(single) or len(self.words) - floor < below:
            raise BrokenStackError("it takes more from the stack than there is")
        operands = self.words[len(self.words) - below :]
        del self.words[len(self.words) - below :]
        return operands + above[: len(single)]

    def _take_to_mark(self) -> list[Word]:
        if not self.marks:
            raise BrokenStackError("there is no mark on the stack")
        height = self.marks.pop()
        above = self.words[height:]
        del self.words[height:]
        return above

    def _remember(self, row: Opcode, argument: object, word: Word) -> None:
        if row.code == opcodes.MEMOIZE:
            self.memo[len(self.memo)] = word
        elif row.code in _PUTS and isinstance(argument, int):
            self.memo[argument] = word

    def _result(self, row: Opcode, argument: object, operands: list[Word]) -> Word:
        kind = row.after[-1]
        if row.code in _TEXTS and isinstance(argument, str):
            return Word(kind, text=argument if len(argument) <= LONGEST_NAME else None)
        if row.code in _GETS:
            return self._recall(argument)
        if row.code == opcodes.GLOBAL and isinstance(argument, tuple):
            return Word("global", _dotted(*argument))
        if row.code == opcodes.STACK_GLOBAL:
            return Word("global", _dotted(operands[0].text, operands[1].text))
        if row.code == opcodes.INST and isinstance(argument, tuple):
            return Word("call", _dotted(*argument))
        if row.code in {opcodes.REDUCE, opcodes.OBJ}:
            return Word("call", operands[0].name)
        if row.code in _INSTANCES:
            return Word("new", operands[0].name)
        return Word(kind)

    def _recall(self, argument: object) -> Word:
        if not isinstance(argument, int) or argument not in self.memo:
            raise BrokenStackError(f"the memo has no entry {show_argument(argument)}")
        return self.memo[argument]


def _dotted(module: str | None, name: str | None) -> str:
    if module is None or name is None:
        return "?"
    return escape(f"{module}.{name}", LONGEST_NAME)
