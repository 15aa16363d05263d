"""The primitives of `loads`: the Python twins and the C functions of `_loading.pxd`, through the same cases.

The C functions are inline, so a module of thin wrappers is compiled here that lets each be called by itself.
"""

from __future__ import annotations

import importlib.util
import random
import re
import shlex
import shutil
import struct
import subprocess
import sys
import sysconfig
from itertools import chain
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from safepickle import build, loading, opcodes, symbols

PACKAGE = Path(loading.__file__).parent
LIBRARY = "loading_in_c.so"

# The arguments of each primitive.  `data` is what `pointer` gives; the names say what the others are.
PRIMITIVES = """
set_up heap | renew heap | begin heap light | is_small heap | release heap
grow_stack heap | grow_marks heap | grow_memo heap index
uint1 data pos | uint2 data pos | int4 data pos | uint4 data pos | uint8 data pos
fetch heap index | memoize heap index code | is_fetched heap index
note_long heap at size | long_size heap at | has_longs heap
is_short data at | short_text data at end
small_int data at | short_length data at | latin1_length data at | spells_latin1 data at | may_be_dunder data at
text_stop data pos end width
add heap kind record depth | add_list heap kind items depth | collect heap kind start stop depth
extend heap number start stop | extend_list heap number items | listed heap start stop
codes heap code | record heap code | global_of heap code | count heap code | item heap code index | held heap number
make heap origin args depth size called | is_new heap code | maker heap code | build heap code state
state_of heap code | args_of heap code | is_called heap code
note_state heap number slots | is_state heap number | is_slots heap number
depth_of heap number | set_depth heap number depth | deepest heap start stop
lend heap number | is_lent heap number | freeze heap number | is_frozen heap number
nodes heap | memo_codes heap | flat heap code seen | has_plain_keys heap code
handed heap data code | met heap code | inner_lengths heap code | is_spelled data at literal | bit number
new_stack | new_marks stack | new_memo | free_stack stack | free_memo memo
push stack value | pop stack | top stack | at stack place | height stack | drop stack start | replace_top stack value
base marks | push_mark stack marks | pop_mark marks
push_uint1 stack data pos | push_uint2 stack data pos | push_int4 stack data pos | push_float8 stack data pos
push_text stack data pos size | push_bytes stack data pos size | push_signed stack data pos size
fold_tuple stack start | pop_tuple stack start | pop_list stack start | extend_exact_list target stack start
harmless_keys target stack start step most | set_exact_dict target stack start
put memo index stack dense | push_entry memo index stack | entries memo
renew_stack stack | renew_memo memo | is_small_memo stack memo
name_place data module name end | spells data at text | is_there where module name value | audit module name
looked_up cls name missing | makes_keys function | new cls args
place_for_one | take place | keep place value | latin1 text
set_inline target state | set_attributes attributes state | set_slots target slots
give_state stack start slots | new_bytearray data pos size
"""
SIGNATURES = {
    name: given for name, *given in (one.split() for one in re.split(r"[|\n]", PRIMITIVES) if one.strip())
}
NOT_CALLED = {"set_up", "release", "free_stack", "free_memo"}  # by a class of the core, once for each of its objects

PREFACE = """
# cython: language_level=3
from safepickle cimport _loading as prim
from safepickle.symbols cimport Heap
from safepickle.values cimport Memo, Stack

def new_heap():
    return Heap()

def set_on_stack(Heap heap, Py_ssize_t place, code):
    if not 0 <= place < heap.stack_room:
        raise IndexError
    heap.stack[place] = code

def set_mark(Heap heap, Py_ssize_t place, number):
    if not 0 <= place < 2 * heap.marks_room:
        raise IndexError
    heap.marks[place] = number

def mark_at(Heap heap, Py_ssize_t place):
    if not 0 <= place < 2 * heap.marks_room:
        raise IndexError
    return heap.marks[place]

def set_memo(Heap heap, Py_ssize_t place, code):
    if not 0 <= place < heap.memo_room:
        raise IndexError
    heap.memo[place] = code
    heap.memo_top = max(heap.memo_top, place + 1)

def rooms(Heap heap):
    return heap.stack_room, heap.marks_room, heap.memo_room

def peek(Heap heap, code):
    items = prim.peek(heap, code)
    return [items[place] for place in range(prim.count(heap, code))]

def largest(Heap heap):
    return heap.largest

def hands_containers(Heap heap):
    return heap.hands_containers
"""


def wrappers() -> str:
    """The source of a module that calls each primitive."""
    lines = [PREFACE]
    for name, given in SIGNATURES.items():
        if name not in NOT_CALLED:
            passed = ", ".join("prim.pointer(data)" if one == "data" else one for one in given)
            lines.append(f"def {name}({', '.join(given)}):\n    return prim.{name}({passed})\n")
    return "\n".join(lines)


@pytest.fixture(scope="session")
def in_c(tmp_path_factory) -> Any:
    """The primitives of `_loading.pxd` as a module."""
    if build.core() != build.COMPILED:
        pytest.skip("the compiled core does not run here")
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
    include = Path(sysconfig.get_path("include"))
    if not importlib.util.find_spec("Cython"):
        pytest.skip("no Cython")
    if not shutil.which(compiler[0]) or not (include / "Python.h").exists():
        pytest.skip("no C compiler, or no headers of this interpreter")
    folder = tmp_path_factory.mktemp("loading")
    (folder / "loading_in_c.pyx").write_text(wrappers())
    commands = (
        [sys.executable, "-m", "cython", "-3", "-I", str(PACKAGE.parent), "loading_in_c.pyx"],
        [*compiler, "-shared", "-fPIC", "-O1", f"-I{include}", f"-I{PACKAGE}", "loading_in_c.c", "-o", LIBRARY],
    )
    for command in commands:
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    spec = importlib.util.spec_from_file_location("loading_in_c", folder / LIBRARY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class HeapOfLists:
    """What a heap is to the twins."""

    def __init__(self) -> None:
        self.is_orderly = True
        loading.set_up(self)

    def new_made(self, origin: Any, args: int, size: int, called: bool) -> Any:
        return symbols.Made(origin, args, 0, size, called)


def mark_at(heap: Any, place: int) -> int:
    return heap.marks[place]


def assign(array: str) -> Any:
    def assign_in(heap: Any, place: int, number: int) -> None:
        assert place >= 0
        getattr(heap, array)[place] = number

    return assign_in


TWINS = SimpleNamespace(
    **{name: getattr(loading, name) for name in (*SIGNATURES, "peek")},
    new_heap=HeapOfLists,
    largest=lambda heap: heap.largest,
    hands_containers=lambda heap: heap.hands_containers,
    set_on_stack=assign("stack"),
    set_mark=assign("marks"),
    mark_at=mark_at,
    set_memo=assign("memo"),
    rooms=lambda heap: (heap.stack_room, heap.marks_room, heap.memo_room),
)


@pytest.fixture(params=["python", "c"] if build.core() == build.COMPILED else ["python"])
def prim(request) -> Any:
    """Each implementation in turn."""
    return TWINS if request.param == "python" else request.getfixturevalue("in_c")


def test_every_primitive_has_a_twin_and_is_tested_here():
    text = (PACKAGE / "_loading.pxd").read_text("utf-8")
    inline = re.findall(r"^cdef inline .*?(\w+)\(.*\)[^()\n]*:$", text, re.MULTILINE)
    extern = re.findall(r'^    \S.*?(\w+) "\w+" \(', text, re.MULTILINE)
    in_c = {name for name in inline + extern if not name.startswith("_")}
    public = {name for name, value in vars(loading).items() if callable(value) and not name.startswith("_")}
    imported = {"Any", "Final", "Mapping", "Struct", "TypeAlias", "Heap", "Input", "intern", "itemgetter", "unpack"}
    assert in_c == public - imported
    assert in_c - {"pointer", "peek"} == SIGNATURES.keys()  # which give pointers, for the preface to follow


# -- Numbers and texts in the stream --------------------------------------------------------------------------------

WORDS = [bytes(8), b"\xff" * 8, bytes(range(1, 9)), b"\xff" * 4 + bytes(4), bytes(4) + b"\xff" * 4]
WORDS += [bytes(at) + bytes((top,)) + bytes(7 - at) for at in range(8) for top in (0x01, 0x3F, 0x40, 0x7F, 0x80, 0xFF)]
WORDS += [b"\xff" * at + bytes((top,)) + b"\xff" * (7 - at) for at in range(8) for top in (0, 0x3F, 0x40, 0x7F, 0x80)]
HOLDERS = [bytes, bytearray]


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("before", [0, 1, 3])
def test_numbers_are_read_as_struct_reads_them(prim, holder, before):
    for word in WORDS:
        data = holder(b"\xa5" * before + word)
        assert prim.uint1(data, before) == word[0]
        assert prim.uint2(data, before) == struct.unpack_from("<H", word)[0]
        assert prim.int4(data, before) == struct.unpack_from("<i", word)[0]
        assert prim.uint4(data, before) == struct.unpack_from("<I", word)[0]
        (whole,) = struct.unpack("<Q", word)
        assert prim.uint8(data, before) == (whole if whole < 1 << 62 else -1)


@pytest.mark.parametrize("holder", HOLDERS)
def test_numbers_are_pushed_as_struct_reads_them(prim, holder):
    for word in WORDS:
        data, stack = holder(b"\xa5" + word), prim.new_stack()
        for push in (prim.push_uint1, prim.push_uint2, prim.push_int4, prim.push_float8):
            push(stack, data, 1)
        for kind in (">d", "<i", "<H", "B"):
            value, expected = prim.pop(stack), struct.unpack_from(kind, word)[0]
            assert (type(value), repr(value)) == (type(expected), repr(expected))


def test_integers_of_any_length_are_read_as_python_reads_them(prim):
    edges = [0, 1, -1, 127, 128, -128, -129, 255, 256, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 2**63, -(2**63) - 1]
    edges += [sign * (1 << bits) + more for bits in range(8, 2040, 61) for sign in (1, -1) for more in (-1, 0, 1)]
    raws = [number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True) for number in edges]
    raws += [b"", *(bytes(size) for size in range(1, 12)), *(b"\xff" * size for size in range(1, 12)), b"\x80" * 255]
    raws += [word[:size] for word in WORDS for size in range(9)]
    for raw in raws:
        stack = prim.new_stack()
        prim.push_signed(stack, b"\xa5" + raw + b"\xa5", 1, len(raw))
        value = prim.pop(stack)
        assert (type(value), value) == (int, int.from_bytes(raw, "little", signed=True))


def test_short_literals_are_told_by_their_opcode(prim):
    short = b"NJKMGUC\x88\x89\x8a\x8c"
    for row in opcodes.TABLE:
        assert prim.is_short(b"?" + bytes((row.code,)) + bytes(9), 1) == (row.code in b"X" + short)
    for size, expected in ((0, True), (255, True), (256, False), (1 << 31, False)):
        assert prim.is_short(b"X" + struct.pack("<I", size), 0) == expected


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_short_text_is_read_where_it_is_counted(prim, holder):
    for text in ("", "a", "name", "x" * 255, "\xe9\u20ac\U0001f600", "\ud800", "\0"):
        raw = text.encode("utf-8", "surrogatepass")
        for start in (b"X" + counted(raw, 4), b"\x8c" + counted(raw, 1)):
            data = holder(b"?" + start + bytes(9))
            assert prim.short_text(data, 1, len(data)) == text
            assert prim.short_text(data, 1, max(11, 1 + len(start))) == text
            for end in (0, 1, 2, 10, len(start)):
                assert prim.short_text(data, 1, end) is None or end > 10
    whole = b"X" + counted(b"a" * 256, 4)
    assert prim.short_text(holder(whole), 0, len(whole)) is None
    assert prim.short_text(holder(whole), -1, len(whole)) is None
    assert prim.short_text(holder(b"\x8c" + counted(b"a" * 200, 1)), 0, 201) is None
    for row in opcodes.TABLE:
        if row.name not in ("SHORT_BINUNICODE", "BINUNICODE"):
            assert prim.short_text(holder(bytes((row.code,)) + bytes(16)), 0, 17) is None


def test_doubles_keep_their_sign_their_infinities_and_their_smallest(prim):
    for value in (0.0, -0.0, 5e-324, -5e-324, 1.7976931348623157e308, float("inf"), float("-inf"), 1.5, -1 / 3):
        stack = prim.new_stack()
        prim.push_float8(stack, struct.pack(">d", value), 0)
        assert struct.pack(">d", prim.pop(stack)) == struct.pack(">d", value)
    stack = prim.new_stack()
    prim.push_float8(stack, b"\x7f\xf8" + bytes(6), 0)
    assert prim.top(stack) != prim.top(stack)


def test_an_integer_is_read_back_from_its_opcode_and_nothing_else_is_an_integer(prim):
    for word in WORDS:
        assert prim.small_int(b"?K" + word, 1) == word[0]
        assert prim.small_int(b"?M" + word, 1) == struct.unpack_from("<H", word)[0]
        assert prim.small_int(b"?J" + word, 1) == struct.unpack_from("<i", word)[0]
        assert prim.short_length(b"?C" + word, 1) == word[0]
    no_int = prim.small_int(b"N" + bytes(8), 0)
    assert not -(1 << 31) <= no_int < 1 << 31
    for row in opcodes.TABLE:
        if row.name not in {"BININT", "BININT1", "BININT2"}:
            assert prim.small_int(bytes((row.code,)) + bytes(8), 0) == no_int
        if row.name != "SHORT_BINBYTES":
            assert prim.short_length(bytes((row.code,)) + bytes(8), 0) == -1


LATIN1_TEXTS = ["", "a", "abc", "ÿ", "\x80", "äöü" * 20, "\x7f\x80\xff", "x" * 255, "é" * 127]
OTHER_TEXTS = ["Ā", "aĀ", "€", "\ud800", "\U0001f600", "a" * 100 + "Ā"]


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_short_text_of_latin1_has_a_length_and_any_other_has_none(prim, holder):
    for text in LATIN1_TEXTS + OTHER_TEXTS:
        raw = text.encode("utf-8", "surrogatepass")
        expected = len(text) if text in LATIN1_TEXTS else -1
        assert prim.latin1_length(holder(b"?X" + counted(raw, 4) + b"."), 1) == expected
        assert prim.latin1_length(holder(b"?\x8c" + counted(raw, 1) + b"."), 1) == expected
    assert prim.latin1_length(holder(b"X" + counted(b"a" * 256, 4)), 0) == -1
    for row in opcodes.TABLE:
        if row.name not in {"BINUNICODE", "SHORT_BINUNICODE"}:
            assert prim.latin1_length(holder(bytes((row.code,)) + bytes(16)), 0) == -1


@pytest.mark.parametrize("holder", HOLDERS)
def test_only_the_name_latin1_spells_latin1(prim, holder):
    for text in (b"latin1", b"latin2", b"Latin1", b"latin", b"latin11", b"latin-1", b"", b"utf-8!"):
        for code, width in ((b"X", 4), (b"\x8c", 1)):
            assert prim.spells_latin1(holder(b"?" + code + counted(text, width) + bytes(8)), 1) == (text == b"latin1")
    assert not prim.spells_latin1(holder(b"C" + counted(b"latin1", 1)), 0)
    assert prim.latin1("äÿ\x00") == b"\xe4\xff\x00"
    with pytest.raises(UnicodeEncodeError):
        prim.latin1("Ā")


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_begins_with_two_underscores_is_never_taken_for_harmless(prim, holder):
    for text in (b"__", b"__a", b"__init__", b"_", b"_a", b"", b"a__", b"\xc3\xa4"):
        assert prim.may_be_dunder(holder(b"?\x8c" + counted(text, 1) + b"__"), 1) == text.startswith(b"__")
    for row in opcodes.TABLE:
        if row.name != "SHORT_BINUNICODE":
            assert prim.may_be_dunder(holder(bytes((row.code,)) + bytes(16)), 0)


def test_a_memo_entry_that_was_fetched_is_known_to_be_until_the_heap_is_renewed(prim):
    heap = prim.new_heap()
    prim.set_memo(heap, 3, 99)
    assert [prim.fetch(heap, index) for index in (3, 2, loading.FIRST_ROOM, 1 << 40)] == [99, 0, 0, 0]
    assert prim.is_fetched(heap, 3)
    prim.grow_memo(heap, 1000)
    assert prim.is_fetched(heap, 3)
    assert prim.fetch(heap, 3) == 99
    assert prim.is_fetched(heap, 1 << 40)  # what is not known may be asked for
    prim.renew(heap)
    assert prim.fetch(heap, 3) == 0


def test_only_the_compiled_heap_knows_what_nobody_asks_for(in_c):
    heap = in_c.new_heap()
    for index in (3, 4, 70):
        if index >= loading.FIRST_ROOM:
            in_c.grow_memo(heap, index)
        in_c.set_memo(heap, index, 99)
        assert not in_c.is_fetched(heap, index)
    in_c.fetch(heap, 4)
    assert [in_c.is_fetched(heap, index) for index in (3, 4, 70)] == [False, True, False]
    in_c.renew(heap)
    assert not in_c.is_fetched(heap, 4)


def test_a_place_gives_what_it_keeps_once(prim):
    place, kept = prim.place_for_one(), Thing()
    before = sys.getrefcount(kept)
    assert prim.take(place) is None
    prim.keep(place, kept)
    assert sys.getrefcount(kept) == before + 1
    assert prim.take(place) is kept
    assert prim.take(place) is None
    assert sys.getrefcount(kept) == before
    for _ in range(3):
        prim.keep(place, kept)
    assert sys.getrefcount(kept) == before + 1
    del place
    assert sys.getrefcount(kept) == before


def counted(text: bytes, width: int) -> bytes:
    return len(text).to_bytes(width, "little") + text


def is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


FORMS = [
    "", "a", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ud800", "\udbff", "\udc00", "\udfff", "\ue000", "\uffff",
    "\U00010000", "\U0010ffff",
]  # fmt: skip
GOOD = [form.encode("utf-8", "surrogatepass") for form in FORMS]
BAD = [
    b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xf0\x80\x80\x80",
    b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xff", b"\xc2a",
    b"\xe1\x80a", b"\xe1a\x80", b"\xf1\x80\x80a", b"\xf1\x80a\x80", b"\xf1a\x80\x80", b"\xc2\xc2", b"\xed\xa0",
    b"\xf4\x8f\xbf", b"\xc2\x7f",
]  # fmt: skip
CUT = [form[:size] for form in GOOD for size in range(1, len(form))]
HOOKS = [b"append", b"extend", b"add", b"__x", b"__setstate__", b"__", b"___"]
NEARLY = [b"appen", b"appends", b"Append", b"extends", b"ad", b"adds", b"_", b"_x", b"x__", b"Add", b"a__dd", b"exten"]


def answers(prim: Any, data: bytes, pos: int, end: int, width: int, right: int) -> bool:
    """Whether the answer is right; a twin may also leave it to the reader."""
    given = prim.text_stop(data, pos, end, width)
    return given == right or (given == -1 and prim is TWINS)


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("text", [*GOOD, *BAD, *CUT, *HOOKS, *NEARLY], ids=repr)
def test_the_end_of_a_text_is_found_where_it_is_utf8_and_no_hook(prim, text, width):
    for around in (b"", b"x", b"x" * 6, b"x" * 7, b"x" * 8, b"x" * 15, "é".encode() * 4):
        for whole in (text, around + text, text + around, around + text + around):
            data = b"?" + counted(whole, width) + b"\x80?"
            plain = is_utf8(whole) and whole[:2] != b"__" and whole not in {b"append", b"extend", b"add"}
            stop = len(data) - 2
            assert answers(prim, data, 1, stop, width, stop if plain else -1), whole
            assert answers(prim, data, 1, len(data), width, stop if plain else -1), whole
            if whole:
                assert prim.text_stop(data, 1, stop - 1, width) == -1
            if plain:
                stack = prim.new_stack()
                prim.push_text(stack, data, 1 + width, len(whole))
                assert prim.pop(stack) == whole.decode("utf-8", "surrogatepass")


@pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 9, 254, 255])
def test_a_text_ends_at_the_end_or_before_it(prim, size):
    for width in (1, 4):
        data = counted(b"x" * size, width)
        assert prim.text_stop(data, 0, len(data), width) == len(data)
        assert prim.text_stop(data + b"x", 0, len(data) + 1, width) == len(data)
        for end in range(min(width + size, 12)):
            assert prim.text_stop(data, 0, end, width) == -1
        assert prim.text_stop(data[:-1] or b"?", 0, len(data) - 1, width) == -1


def test_a_length_of_four_bytes_that_no_input_has_is_left_to_the_reader(prim):
    for length in (b"\xff\xff\xff\xff", b"\0\0\0\x80", b"\xff\xff\xff\x7f", b"\0\0\1\0"):
        assert prim.text_stop(length + b"x" * 100, 0, 104, 4) == -1


def test_a_text_is_left_to_the_reader_from_64_kib_on(prim):
    for size, there in ((65535, True), (65536, False), (65537, False), (70000, False)):
        data = counted(b"x" * size, 4)
        assert prim.text_stop(data, 0, len(data), 4) == (len(data) if there else -1)


def test_texts_and_bytes_are_pushed_as_they_stand_there(prim):
    for holder in HOLDERS:
        for size in (0, 1, 2, 7, 8, 9, 254, 255, 256, 257, 5000):
            for last in ("", "\x7f", "\x80", "\xff", "\u0100", "\ud800", "\U00012345"):
                text = "x" * size + last
                raw = text.encode("utf-8", "surrogatepass")
                data, stack = holder(b"\xff" + raw + b"\xff"), prim.new_stack()
                prim.push_text(stack, data, 1, len(raw))
                prim.push_bytes(stack, data, 1, len(raw))
                pushed = [prim.pop(stack), prim.pop(stack)]
                assert pushed == [raw, text]
                assert [type(one) for one in pushed] == [bytes, str]


def test_a_text_that_cannot_be_decoded_is_an_error_and_pushes_nothing(prim):
    for text in BAD + CUT:
        stack = prim.new_stack()
        with pytest.raises(UnicodeDecodeError):
            prim.push_text(stack, text, 0, len(text))
        assert prim.height(stack) == 0


# -- Nodes ----------------------------------------------------------------------------------------------------------

LIST, TUPLE, GLOBAL, INT = symbols.LIST, symbols.TUPLE, symbols.GLOBAL, symbols.INT


def literal(position: int) -> int:
    return position << symbols.SHIFT | INT


def filled(prim: Any, numbers: list[int]) -> Any:
    """A heap with these codes on its stack."""
    heap = prim.new_heap()
    place(prim, heap, numbers)
    return heap


def place(prim: Any, heap: Any, numbers: list[int]) -> None:
    while prim.rooms(heap)[0] < len(numbers):
        prim.grow_stack(heap)
    for at, number in enumerate(numbers):
        prim.set_on_stack(heap, at, number)


def test_a_node_is_what_it_was_made_as(prim):
    heap = filled(prim, [literal(n) for n in range(10)])
    record = object()
    codes = [
        prim.collect(heap, TUPLE, 2, 5, 1), prim.add(heap, GLOBAL, record, 0),
        prim.add_list(heap, LIST, [7, 1 << 62], 3), prim.collect(heap, LIST, 4, 4, 1), prim.add_list(heap, LIST, [], 1),
        prim.collect(heap, LIST, 0, 10, 9),
    ]  # fmt: skip
    kinds = [TUPLE, GLOBAL, LIST, LIST, LIST, LIST]
    assert codes == [number << symbols.SHIFT | kind for number, kind in enumerate(kinds)]
    held = [[literal(n) for n in (2, 3, 4)], record, [7, 1 << 62], [], [], [literal(n) for n in range(10)]]
    assert [prim.held(heap, number) for number in range(6)] == held
    assert [prim.depth_of(heap, number) for number in range(6)] == [1, 0, 3, 1, 1, 9]
    assert prim.nodes(heap) == 6
    assert prim.record(heap, codes[1]) is prim.global_of(heap, codes[1]) is record
    for code, items in zip(codes, held, strict=True):
        if items is not record:
            assert prim.codes(heap, code) == prim.peek(heap, code) == items
            assert prim.count(heap, code) == len(items)
            assert [prim.item(heap, code, index) for index in range(len(items))] == items
            with pytest.raises(IndexError):
                prim.item(heap, code, len(items))


def test_what_is_no_node_is_an_error(in_c):
    heap = filled(in_c, [literal(1)])
    made = [in_c.collect(heap, LIST, 0, 1, 1), in_c.add(heap, GLOBAL, None, 0)]
    for number in (2, 3, 1 << 40, -1):
        for ask in (in_c.depth_of, in_c.is_lent, in_c.is_frozen, in_c.lend, in_c.freeze, in_c.held, in_c.is_state):
            with pytest.raises(IndexError):
                ask(heap, number)
        for ask in (in_c.codes, in_c.record, in_c.global_of, in_c.count, in_c.peek):
            with pytest.raises(IndexError):
                ask(heap, number << symbols.SHIFT)
    with pytest.raises(IndexError):
        in_c.item(heap, made[0], -1)
    with pytest.raises(TypeError):
        in_c.codes(heap, made[1])
    with pytest.raises(TypeError):
        in_c.peek(heap, made[1])
    for ask in (in_c.record, in_c.global_of):
        with pytest.raises(TypeError):
            ask(heap, made[0])
    with pytest.raises(TypeError):
        in_c.global_of(heap, in_c.make(heap, object(), made[0], 2, 0, called=True))


@pytest.mark.parametrize("seed", range(8))
def test_containers_that_grow_in_turn_keep_their_items_apart(prim, seed):
    chance = random.Random(seed)
    stack = [literal(n) for n in range(300)]
    heap = filled(prim, stack)
    model: list[list[int]] = []
    for step in range(600):
        choice = chance.random()
        start = chance.randrange(300)
        stop = chance.randrange(start, min(301, start + chance.choice([1, 3, 6, 200])))
        if choice < 0.1 or not model:
            prim.collect(heap, LIST, start, stop, 1)
            model.append(stack[start:stop])
        elif choice < 0.15:
            items = [chance.randrange(1 << 60) for _ in range(chance.randrange(5))]
            prim.add_list(heap, LIST, [*items], 1)  # it may keep the list
            model.append(items)
        else:
            number = chance.choice([0, len(model) - 1, chance.randrange(len(model))])
            if choice < 0.3:
                items = [chance.randrange(1 << 60) for _ in range(chance.randrange(5))]
                prim.extend_list(heap, number, items)
                model[number] = model[number] + items
            else:
                prim.extend(heap, number, start, stop)
                model[number] = model[number] + stack[start:stop]
        if step % 50 == 0:
            assert [prim.held(heap, number) for number in range(len(model))] == model
    assert [prim.held(heap, number) for number in range(len(model))] == model
    assert prim.nodes(heap) == len(model)


def test_a_memo_is_the_same_in_a_light_pass(prim):
    heap = prim.new_heap()
    prim.set_memo(heap, 3, 99)
    for light in (True, True, False, True):
        prim.begin(heap, light)
        assert [prim.fetch(heap, index) for index in (3, 2)] == [99, 0]


def test_very_many_nodes_are_kept_and_none_after_a_renewal(prim):
    heap = filled(prim, [literal(n) for n in range(3)])
    records = [object() for _ in range(3)]
    for _ in range(2):
        for number in range(3000):
            prim.collect(heap, TUPLE, number % 3, 3, number)
        for record in records:
            prim.add(heap, GLOBAL, record, 0)
        assert prim.nodes(heap) == 3003
        assert all(prim.count(heap, number << 5 | TUPLE) == 3 - number % 3 for number in range(3000))
        assert all(prim.depth_of(heap, number) == number for number in range(3000))
        assert [prim.held(heap, 3000 + index) for index in range(3)] == records
        prim.set_memo(heap, 5, 7)
        prim.lend(heap, 0)
        prim.freeze(heap, 1)
        prim.note_state(heap, 2, True)
        prim.renew(heap)
        assert prim.nodes(heap) == 0
        assert prim.memo_codes(heap) == {}
    prim.collect(heap, TUPLE, 0, 0, 1)
    prim.collect(heap, TUPLE, 0, 0, 1)
    prim.collect(heap, TUPLE, 0, 0, 1)
    assert not prim.is_lent(heap, 0)
    assert not prim.is_frozen(heap, 1)
    assert not prim.is_state(heap, 2)


def test_a_heap_lets_its_records_go_when_it_is_renewed_or_dropped(prim):
    record = object()
    before = sys.getrefcount(record)
    heap = prim.new_heap()
    prim.add(heap, GLOBAL, record, 0)
    assert sys.getrefcount(record) == before + 1
    prim.renew(heap)
    assert sys.getrefcount(record) == before
    prim.add(heap, GLOBAL, record, 0)
    del heap
    assert sys.getrefcount(record) == before


def test_depths_are_set_and_the_deepest_is_found_among_literals_too(prim):
    heap = filled(prim, [literal(1 << 40)] * 3)
    codes = [prim.collect(heap, TUPLE, 0, 0, depth) for depth in (1, 7, 3, symbols.TAINT)]
    place(prim, heap, [literal(9), codes[0], codes[1], literal(1), codes[2], codes[3]])
    found = [prim.deepest(heap, start, stop) for start, stop in ((0, 1), (0, 2), (0, 5), (3, 5), (2, 2), (0, 6))]
    assert found == [0, 1, 7, 3, 0, symbols.TAINT]
    prim.set_depth(heap, 0, 100)
    assert prim.depth_of(heap, 0) == 100
    assert prim.deepest(heap, 0, 5) == 100


def test_flags_are_those_of_one_node_each(prim):
    heap = prim.new_heap()
    for _ in range(5):
        prim.collect(heap, LIST, 0, 0, 1)
    prim.lend(heap, 1)
    prim.freeze(heap, 2)
    prim.note_state(heap, 3, False)
    prim.note_state(heap, 4, True)
    prim.note_state(heap, 4, False)
    for ask, yes in ((prim.is_lent, {1}), (prim.is_frozen, {2}), (prim.is_state, {3, 4}), (prim.is_slots, {4})):
        assert {number for number in range(5) if ask(heap, number)} == yes


def test_a_container_is_flat_if_its_new_items_are_short_literals(prim):
    heap = prim.new_heap()
    short, long = literal(10), literal(20)
    node = prim.collect(heap, TUPLE, 0, 0, 1)
    plain = prim.add_list(heap, LIST, [short, short], 1)
    assert [prim.flat(heap, plain, seen) for seen in (0, 1, 2)] == [2, 2, 2]
    nested = prim.add_list(heap, LIST, [node, short], 1)
    assert [prim.flat(heap, nested, seen) for seen in (0, 1, 2)] == [-1, 2, 2]
    lengthy = prim.add_list(heap, LIST, [short, long], 1)
    assert prim.flat(heap, lengthy, 0) == 2
    prim.note_long(heap, 20, 1000)
    assert [prim.flat(heap, lengthy, seen) for seen in (0, 1, 2)] == [-1, -1, 2]
    assert prim.flat(heap, node, 0) == 0


def test_an_orderly_memo_takes_its_next_entry_while_there_is_room(prim):
    heap = prim.new_heap()
    room = prim.rooms(heap)[2]
    assert all(prim.memoize(heap, index, index + 1) for index in range(room))
    assert not prim.memoize(heap, room, 1)
    assert prim.memo_codes(heap) == {index: index + 1 for index in range(room)}
    prim.renew(heap)
    assert prim.memo_codes(heap) == {}
    heap.is_orderly = False
    assert not prim.memoize(heap, 0, 1)
    assert prim.memo_codes(heap) == {}


@pytest.mark.parametrize("seed", range(4))
def test_long_literals_are_noted_in_whichever_order(prim, seed):
    chance = random.Random(seed)
    heap = prim.new_heap()
    for _ in range(2):
        assert not prim.has_longs(heap)
        assert prim.long_size(heap, 0) == 0
        model: dict[int, int] = {}
        places = [chance.randrange(1000) for _ in range(400)]
        for at in sorted(places) if seed % 2 else places:
            model[at] = chance.randrange(256, 1 << 40)
            prim.note_long(heap, at, model[at])
        assert prim.has_longs(heap)
        assert [prim.long_size(heap, at) for at in range(-1, 1001)] == [model.get(at, 0) for at in range(-1, 1001)]
        prim.renew(heap)


def test_what_is_handed_over_costs_what_it_is_long(prim):
    data = b"K\x01" + b"X" + struct.pack("<I", 1000) + bytes(1000)
    heap = prim.new_heap()
    short, long = literal(0), literal(2)
    origin = symbols.Global("module", "name", (), True)

    def handed(*items: int) -> tuple[int, int]:
        code = prim.add_list(heap, TUPLE, [*items], 9)
        return prim.handed(heap, data, code), prim.largest(heap)

    flat = prim.add_list(heap, TUPLE, [short, short, short], 1)
    assert handed() == (0, 0)
    assert handed(short, short, short) == (0, 3)
    made = prim.make(heap, origin, flat, 2, 7, True)
    outer = prim.make(heap, origin, flat, 4, 9, False)
    assert handed(made, short, made) == (14, 7)
    assert handed(outer) == (9, 9)
    assert prim.record(heap, made).size == 7
    prim.record(heap, made).fills.extend([short, short])
    assert handed(made, short) == (9, 9)
    assert handed(prim.add(heap, GLOBAL, origin, 0), short) == (0, 2)
    assert not prim.hands_containers(heap)
    assert handed(flat) == (3, 3)
    assert prim.hands_containers(heap)
    assert handed(prim.add_list(heap, TUPLE, [flat, short, flat], 2)) == (9, 3)
    listed = prim.add_list(heap, LIST, [flat, short, flat], 2)
    assert handed(listed) == (3, 3)
    assert handed(short, long) == (0, 2)
    prim.note_long(heap, 2, 1000)
    assert handed(listed) == (9, 3)
    assert handed(short, long) == (1000, 1000)
    assert handed(long, prim.add_list(heap, TUPLE, [long, short], 1)) == (2002, 1000)
    for item in (
        prim.add(heap, symbols.PRIOR, object(), 0),
        prim.add(heap, symbols.BOUND, origin, 0),
        prim.add_list(heap, LIST, [short] * (loading.FEW_ITEMS + 1), 1),
    ):
        assert handed(short, item)[0] == -1
    assert handed(prim.add_list(heap, LIST, [short] * loading.FEW_ITEMS, 1)) == (64, 64)


def test_a_walk_through_arguments_meets_each_value_as_often_as_it_is_there(prim):
    heap = prim.new_heap()
    one = literal(1)
    node = prim.add(heap, GLOBAL, object(), 0)
    flat = prim.add_list(heap, LIST, [one, one, one], 1)
    pair = prim.add_list(heap, TUPLE, [flat, one, flat, node], 2)
    deep = prim.add_list(heap, TUPLE, [pair], 3)
    empty = prim.add_list(heap, TUPLE, [], 1)
    wide = prim.add_list(heap, TUPLE, [prim.add_list(heap, LIST, [one] * (loading.FEW_ITEMS + 1), 1)], 2)
    for items, met in (
        ([], 0), ([one, node], 0), ([flat], 4), ([flat, one, flat], 8), ([empty], 1), ([pair], 11), ([pair, flat], 15),
        ([deep], -1), ([wide], -1), ([one, flat, deep], -1),
    ):  # fmt: skip
        assert prim.met(heap, prim.add_list(heap, TUPLE, items, 4)) == met


def test_a_literal_is_spelled_by_its_opcode_its_length_and_its_text(prim):
    data = b"\x8c\x03abcC\x03abc\x88\x89\x8c\x00."
    for at, literal_bytes in ((0, b"\x8c\x03abc"), (5, b"C\x03abc"), (10, b"\x88"), (11, b"\x89"), (12, b"\x8c\x00")):
        assert prim.is_spelled(data, at, literal_bytes)
    for at, literal_bytes in (
        (0, b"C\x03abc"), (5, b"\x8c\x03abc"), (0, b"\x8c\x03abd"), (0, b"\x8c\x04abcC"[:2]), (10, b"\x89"),
        (12, b"\x8c\x01."), (0, b"\x8c\x02ab"),
    ):  # fmt: skip
        assert not prim.is_spelled(data, at, literal_bytes)
    assert [prim.bit(number) for number in (0, 1, 31, 32, 62)] == [1, 2, 1 << 31, 1 << 32, 1 << 62]


def test_inner_lengths_are_the_same_wherever_the_long_items_stand(prim):
    source = random.Random(3)
    for _ in range(60):
        heap = prim.new_heap()
        long = {source.randrange(200): source.randrange(256, 5000) for _ in range(source.randrange(12))}
        for at in sorted(long):
            prim.note_long(heap, at, long[at])
        places = [source.choice([source.randrange(200), *long]) for _ in range(source.randrange(30))]
        container = prim.add_list(heap, LIST, [literal(place) for place in places], 1)
        assert prim.inner_lengths(heap, container) == sum(long.get(place, 0) for place in places)


def test_the_inner_lengths_of_a_container_are_its_items_own(prim):
    heap = prim.new_heap()
    prim.note_long(heap, 20, 1000)
    inner = prim.add_list(heap, LIST, [literal(1)] * 7, 1)
    node = prim.add(heap, GLOBAL, object(), 0)
    assert prim.inner_lengths(heap, prim.add_list(heap, LIST, [], 1)) == 0
    assert prim.inner_lengths(heap, prim.add_list(heap, LIST, [literal(1), node], 1)) == 0
    items = [literal(20), inner, literal(20), node, inner]
    assert prim.inner_lengths(heap, prim.add_list(heap, LIST, items, 2)) == 2014


def test_keys_are_plain_where_every_other_item_is_a_literal(prim):
    heap = prim.new_heap()
    node = prim.collect(heap, TUPLE, 0, 0, 1)
    for items, plain in (([], True), ([literal(1), node], True), ([node, literal(1)], False)):
        assert prim.has_plain_keys(heap, prim.add_list(heap, symbols.DICT, items, 1)) == plain
    tail = [literal(1), node, node, literal(1)]
    assert not prim.has_plain_keys(heap, prim.add_list(heap, symbols.DICT, tail, 1))


def test_what_is_made_at_a_glance_gives_the_record_that_the_long_way_gives(prim):
    heap = filled(prim, [literal(1), literal(2)])
    origins = [symbols.Global("m", name, (), listed=True) for name in "ab"]
    for state in (0, 77):
        for called in (False, True):
            for origin in (*origins, origins[1], origins[0]):
                args = prim.collect(heap, TUPLE, 0, 2, 1)
                code = prim.make(heap, origin, args, 3, 2, called)
                assert code & symbols.KIND == symbols.MADE
                assert prim.depth_of(heap, code >> symbols.SHIFT) == 3
                assert prim.is_new(heap, code)
                assert prim.maker(heap, code) is origin
                assert prim.is_called(heap, code) == called
                assert prim.args_of(heap, code) == args
                if state:
                    prim.build(heap, code, state)
                    assert not prim.is_new(heap, code)
                assert prim.state_of(heap, code) == state
                made = prim.record(heap, code)
                assert prim.is_new(heap, code) == (not state)
                assert prim.maker(heap, code) is origin
                assert (prim.is_called(heap, code), prim.args_of(heap, code)) == (called, args)
                assert prim.state_of(heap, code) == state
                assert prim.record(heap, code) is made
                assert prim.held(heap, code >> symbols.SHIFT) is made
                assert made.origin is origin
                assert (made.args, made.kwargs, made.state, made.fills) == (args, 0, state, [])
                assert (made.built, made.called, made.size) == (bool(state), called, 2)


def test_the_stack_the_marks_and_the_memo_of_a_heap_grow_and_keep_what_they_had(prim):
    heap = prim.new_heap()
    stack, marks, memo = prim.rooms(heap)
    for at in range(stack):
        prim.set_on_stack(heap, at, at + 1)
    for at in range(2 * marks):
        prim.set_mark(heap, at, at + 1)
    for at in range(memo):
        prim.set_memo(heap, at, at + 1)
    assert prim.is_small(heap)
    prim.grow_stack(heap)
    prim.grow_marks(heap)
    prim.grow_memo(heap, memo)
    assert prim.rooms(heap) == (2 * stack, 2 * marks, 2 * memo)
    assert prim.listed(heap, 0, stack) == [*range(1, stack + 1)]
    assert [prim.mark_at(heap, at) for at in range(2 * marks)] == [*range(1, 2 * marks + 1)]
    prim.set_on_stack(heap, 2 * stack - 1, 5)
    prim.set_mark(heap, 4 * marks - 1, 5)
    assert prim.memo_codes(heap) == {at: at + 1 for at in range(memo)}
    prim.grow_memo(heap, 100_000)
    assert prim.rooms(heap)[2] == 100_001
    prim.set_memo(heap, 100_000, 9)
    assert prim.memo_codes(heap) == {at: at + 1 for at in range(memo)} | {100_000: 9}
    prim.renew(heap)
    assert prim.memo_codes(heap) == {}


def test_a_heap_that_has_grown_far_is_not_small(prim):
    heap = prim.new_heap()
    prim.grow_memo(heap, 2_000_000)
    assert not prim.is_small(heap)


# -- Values ---------------------------------------------------------------------------------------------------------


def contents(prim: Any, stack: Any) -> list[Any]:
    return [prim.at(stack, place) for place in range(prim.height(stack))]


def stack_of(prim: Any, *values: Any) -> Any:
    stack = prim.new_stack()
    for value in values:
        prim.push(stack, value)
    return stack


class Thing:
    """Something that is counted."""


@pytest.mark.parametrize("seed", range(8))
def test_a_stack_with_its_marks_does_what_a_list_does(prim, seed):  # noqa: C901 - an arm for each primitive
    chance = random.Random(seed)
    stack = prim.new_stack()
    marks = prim.new_marks(stack)
    model: list[Any] = []
    open_marks: list[int] = []
    things = [Thing() for _ in range(20)]
    before = [sys.getrefcount(thing) for thing in things]
    for _ in range(3000):
        floor = open_marks[-1] if open_marks else 0
        assert prim.base(marks) == floor
        start = chance.randrange(floor, len(model) + 1)
        match chance.choice([0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]):
            case 0:
                for _ in range(chance.choice([1, 1, 2, 90])):
                    model.append(chance.choice(things))
                    prim.push(stack, model[-1])
            case 1 if len(model) > floor:
                assert prim.pop(stack) is model.pop()
            case 2 if len(model) > floor:
                model[-1] = chance.choice(things)
                prim.replace_top(stack, model[-1])
                assert prim.top(stack) is model[-1]
            case 3:
                open_marks.append(len(model))
                prim.push_mark(stack, marks)
            case 4 if open_marks:
                assert prim.pop_mark(marks) == open_marks.pop()
            case 5:
                prim.fold_tuple(stack, start)
                assert prim.top(stack) == tuple(model[start:])
                model[start:] = [prim.top(stack)]
            case 6:
                assert prim.pop_tuple(stack, start) == tuple(model[start:])
                del model[start:]
            case 7:
                assert prim.pop_list(stack, start) == model[start:]
                del model[start:]
            case 8:
                prim.drop(stack, start)
                del model[start:]
        assert prim.height(stack) == len(model)
        if len(model) > 2000:
            prim.renew_stack(stack)
            model, open_marks = [], []
            marks = marks if prim is not TWINS else prim.new_marks(stack)
    assert contents(prim, stack) == model
    del model
    prim.renew_stack(stack)
    assert prim.height(stack) == 0
    assert [sys.getrefcount(thing) for thing in things] == before


def test_very_many_marks_are_kept(prim):
    stack = prim.new_stack()
    marks = prim.new_marks(stack)
    for number in range(1000):
        prim.push_mark(stack, marks)
        prim.push(stack, number)
    assert [prim.pop_mark(marks) for _ in range(1000)] == [*range(999, -1, -1)]
    assert prim.base(marks) == 0


def test_an_empty_stack_has_nothing_to_give(prim):
    stack = prim.new_stack()
    marks = prim.new_marks(stack)
    for ask in (prim.pop, prim.top):
        with pytest.raises(IndexError):
            ask(stack)
    with pytest.raises(IndexError):
        prim.replace_top(stack, None)
    with pytest.raises(IndexError):
        prim.at(stack, 0)
    with pytest.raises(IndexError):
        prim.pop_mark(marks)
    with pytest.raises(IndexError):
        prim.put(prim.new_memo(), 0, stack, 100)
    assert prim.height(stack) == 0


@pytest.mark.parametrize("start", [-1, -100, -(1 << 62), 4, 1 << 62])
def test_a_place_that_is_not_on_the_stack_is_an_error(in_c, start):
    stack = stack_of(in_c, 1, 2, 3)
    for take in (in_c.fold_tuple, in_c.pop_tuple, in_c.pop_list):
        with pytest.raises(IndexError):
            take(stack, start)
    with pytest.raises(IndexError):
        in_c.at(stack, start)
    for target, take in (([], in_c.extend_exact_list), ({}, in_c.set_exact_dict)):
        with pytest.raises(IndexError):
            take(target, stack, start)
        assert not target
    assert contents(in_c, stack) == [1, 2, 3]


def test_what_is_taken_from_a_stack_is_held_once(prim):
    thing = Thing()
    before = sys.getrefcount(thing)
    for take in (prim.pop_tuple, prim.pop_list):
        stack = stack_of(prim, thing, thing, thing)
        assert sys.getrefcount(thing) == before + 3
        taken = take(stack, 1)
        assert sys.getrefcount(thing) == before + 3
        del taken
        assert sys.getrefcount(thing) == before + 1
        del stack
        assert sys.getrefcount(thing) == before
    stack = stack_of(prim, *[thing] * 200)
    prim.fold_tuple(stack, 0)
    assert sys.getrefcount(thing) == before + 200
    del stack
    assert sys.getrefcount(thing) == before


def test_what_runs_when_a_stack_lets_go_finds_it_without_what_went(prim):
    seen = []

    class Last:
        def __init__(self, stack: Any) -> None:
            self.stack = stack

        def __del__(self) -> None:
            seen.append(prim.height(self.stack))

    stack = prim.new_stack()
    for _ in range(3):
        prim.push(stack, Last(stack))
    prim.drop(stack, 1)
    prim.pop(stack)
    assert [height < 3 for height in seen] == [True] * 3


@pytest.mark.parametrize("already", [0, 1, 5, 8, 100])
@pytest.mark.parametrize("spare", [False, True])
@pytest.mark.parametrize("size", [0, 1, 3, 4, 500])
def test_a_list_is_extended_whatever_room_it_has(prim, already, spare, size):
    old, new = Thing(), Thing()
    before = sys.getrefcount(old), sys.getrefcount(new)
    target = [old] * already
    if spare:  # what is popped leaves its place
        for _ in range(4):
            target.append(old)
        del target[already:]
    stack = stack_of(prim, target, *[new] * size)
    prim.extend_exact_list(target, stack, 1)
    assert target == [old] * already + [new] * size
    assert contents(prim, stack) == [target]
    assert (sys.getrefcount(old), sys.getrefcount(new)) == (before[0] + already, before[1] + size)
    target.append(new)
    target += [old] * 50
    target.sort(key=id)
    assert len(target) == already + size + 51
    target.clear()
    assert (sys.getrefcount(old), sys.getrefcount(new)) == before
    target += [1, 2, 3]
    assert target == [1, 2, 3]


def test_a_dict_gets_its_pairs_in_order_and_the_last_value_of_a_key(prim):
    target = {"kept": 0, "a": 0}
    stack = stack_of(prim, "below", "a", 1, "b", 2, "a", 3)
    prim.set_exact_dict(target, stack, 1)
    assert [*target.items()] == [("kept", 0), ("a", 3), ("b", 2)]
    assert contents(prim, stack) == ["below"]
    prim.set_exact_dict(target, stack, 1)
    assert len(target) == 3


def test_half_a_pair_is_an_error(prim):
    with pytest.raises(IndexError):
        prim.set_exact_dict({}, stack_of(prim, "a", 1, "b"), 0)


class Failing:
    """A key that fails when it is hashed, or when it is compared."""

    def __init__(self, *, hashed: bool) -> None:
        self.hashed = hashed

    def __hash__(self) -> int:
        if self.hashed:
            raise ZeroDivisionError
        return 7

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError


@pytest.mark.parametrize("hashed", [True, False])
def test_a_key_that_fails_leaves_nothing_behind_but_the_pairs_before_it(prim, hashed):
    key, value, failing = Thing(), Thing(), Failing(hashed=hashed)
    if not hashed:
        same_hash = {"__hash__": lambda self: 7, "__eq__": lambda self, other: NotImplemented}
        key.__class__ = type("Seven", (Thing,), same_hash)
    before = [sys.getrefcount(one) for one in (key, value, failing)]
    target: dict[Any, Any] = {}
    stack = stack_of(prim, key, value, failing, value, "after", value)
    with pytest.raises(ZeroDivisionError):
        prim.set_exact_dict(target, stack, 0)
    assert len(target) == 1
    prim.renew_stack(stack)
    target.clear()
    assert [sys.getrefcount(one) for one in (key, value, failing)] == before


def test_keys_are_harmless_while_they_are_few_or_texts(prim):
    class Text(str):
        __slots__ = ()

    texts, numbers = ["a", 1, b"b", 2], [1, "a", 2, "b"]
    cases = [(texts, True), (numbers, False), ([Text("a"), 1], False), ([], True), ([("a",), 1], False)]
    for values, harmless in cases:
        stack = stack_of(prim, "below", *values)
        for already in ({}, {1: 1}, {1: 1, 2: 2}):
            least = len(already) + len(values) // 2
            assert prim.harmless_keys(already, stack, 1, 2, least)
            if values:
                assert prim.harmless_keys(already, stack, 1, 2, least - 1) == harmless
    stack = stack_of(prim, "a", "b", 3)
    assert [prim.harmless_keys({}, stack, 0, 1, most) for most in (2, 3)] == [False, True]


@pytest.mark.parametrize("dense", [0, 10, 63, 64, 65, 1000, 1 << 40])
def test_a_memo_does_what_a_dict_does_dense_or_far(prim, dense):
    if dense > 1000 and prim is not TWINS:
        dense = 100_000  # what may be an array of this length
    chance = random.Random(dense)
    memo, stack = prim.new_memo(), prim.new_stack()
    model: dict[int, Any] = {}
    things = [Thing() for _ in range(5)]
    before = [sys.getrefcount(thing) for thing in things]
    places = [*range(70), dense - 1, dense, dense + 1, 127, 128, 1000, 65535, (1 << 32) - 1, (1 << 62)]
    for round_ in range(2):
        for index in chain(places, (chance.choice(places) for _ in range(500))):
            if index < 0:
                continue
            thing = chance.choice(things)
            prim.push(stack, thing)
            assert prim.put(memo, index, stack, dense) == (index not in model)
            model[index] = prim.pop(stack)
            other = chance.choice(places)
            if other >= 0:
                assert prim.push_entry(memo, other, stack) == (other in model)
                if other in model:
                    assert prim.pop(stack) is model[other]
        assert dict(prim.entries(memo)) == model
        model.clear()
        del thing
        prim.renew_memo(memo)
        assert prim.entries(memo) == {}
        assert [sys.getrefcount(thing_) for thing_ in things] == before, round_
        assert not prim.push_entry(memo, 0, stack)


def test_an_entry_that_was_far_stays_the_one_entry_when_the_array_reaches_it(prim):
    memo = prim.new_memo()
    stack = stack_of(prim, "far")
    assert prim.put(memo, 100, stack, 10)
    for dense in (1000, 90, 1000):
        prim.push(stack, dense)
        for index in (0, 99, 101, 500):
            prim.put(memo, index, stack, dense)
        assert not prim.put(memo, 100, stack, dense)
        assert prim.entries(memo)[100] == dense
        assert prim.push_entry(memo, 100, stack)
        assert prim.pop(stack) == dense


def test_a_memo_drops_what_it_holds_when_it_goes(prim):
    thing = Thing()
    before = sys.getrefcount(thing)
    memo, stack = prim.new_memo(), stack_of(prim, thing)
    for index in (0, 1, 500, 1 << 40):
        prim.put(memo, index, stack, 100)
    assert sys.getrefcount(thing) == before + 5
    del memo, stack
    assert sys.getrefcount(thing) == before


def test_a_memo_that_has_grown_far_is_not_small(prim):
    memo, stack = prim.new_memo(), stack_of(prim, 1)
    assert prim.is_small_memo(stack, memo)
    if prim is TWINS:
        for index in range(2000):
            prim.put(memo, index, stack, 1 << 40)
    else:
        prim.put(memo, 2_000_000, stack, 1 << 40)
    assert not prim.is_small_memo(stack, memo)


def test_a_class_is_looked_up_in_its_bases_and_never_in_its_metaclass_or_bound(prim):
    class Meta(type):
        meta = 1

        def __getattribute__(cls, name: str) -> Any:
            raise AssertionError(name)

    class Base(metaclass=Meta):
        method = classmethod(len)
        slot = property(len)
        none = None

    class Derived(Base):
        __slots__ = ("own",)

    missing = object()
    namespace = type.__dict__["__dict__"].__get__
    for name in ("method", "slot", "none"):
        assert prim.looked_up(Derived, name, missing) is namespace(Base)[name]
    assert prim.looked_up(Derived, "own", missing) is namespace(Derived)["own"]
    assert prim.looked_up(Derived, "__init__", missing) is object.__dict__["__init__"]
    assert prim.looked_up(Derived, "meta", missing) is missing
    assert prim.looked_up(Derived, "not there", missing) is missing
    assert prim.looked_up(int, "__add__", missing) is int.__dict__["__add__"]


def test_only_sets_and_dicts_make_keys_of_what_they_are_given(prim):
    kinds = [type(kind.__name__, (kind,), {}) for kind in (set, frozenset, dict)]
    assert all(prim.makes_keys(kind) for kind in (set, frozenset, dict, *kinds))
    assert not any(prim.makes_keys(kind) for kind in (list, tuple, type, object, len, set(), {}, None, "set"))


def test_a_new_object_is_made_by_its_class_and_not_set_up(prim):
    class Made:
        def __new__(cls, *args: Any) -> Any:
            made = super().__new__(cls)
            made.args = args
            return made

        def __init__(self) -> None:
            raise AssertionError

    assert prim.new(Made, (1, 2)).args == (1, 2)
    assert prim.new(tuple, ([1, 2],)) == (1, 2)
    assert prim.new(int, ("12",)) == 12
    for wrong, args in ((int, (1, 2, 3)), (object, (1,)), (type(len), ()), (5, ())):
        with pytest.raises((TypeError, AttributeError)):
            prim.new(wrong, args)


def test_attributes_are_set_with_interned_names_or_not_at_all(prim):
    class Text(str):
        __slots__ = ()

    name = "not a name seen before, " * 2
    attributes: dict[Any, Any] = {"kept": 0, "changed": 0}
    assert prim.set_attributes(attributes, {name: 1, "changed": 2})
    assert attributes == {"kept": 0, "changed": 2, name: 1}
    assert all(sys.intern("" + key) is key for key in attributes)
    refused = [{hook: 1} for hook in ("add", "append", "extend", "__setstate__")]
    refused += [{1: 1}, {Text("a"): 1}, {None: 1}, {"a": 1, b"b": 2}]
    for state in refused:
        assert not prim.set_attributes(attributes, {"first": 1} | state)
        assert "first" not in attributes
    assert prim.set_attributes(attributes, {"adds": 1, "append_": 2, "__setstate": 3, "ad": 4})
    assert prim.set_attributes({}, {})
    for odd in (type("Odd", (dict,), {})(), None, []):
        assert not prim.set_attributes(odd, {"a": 1})
    assert not prim.set_attributes({}, type("Odd", (dict,), {})(a=1))


class Plain:
    default = 0


class WithProperty:
    changes = 0

    @property
    def a(self) -> Any:
        raise AssertionError

    @a.setter
    def a(self, value: Any) -> None:
        raise AssertionError


class WithSetter:
    def __setattr__(self, name: str, value: Any) -> None:
        raise AssertionError


class WithGetter:
    def __getattribute__(self, name: str) -> Any:
        return {} if name == "__dict__" else object.__getattribute__(self, name)


class WithOwnDict:
    __dict__ = property(lambda _: {})  # type: ignore[assignment]


class WithAnothersDict:
    __dict__ = Plain.__dict__["__dict__"]  # type: ignore[assignment]


class Slotted:
    __slots__ = ("a",)


class WithState(Plain):
    def __setstate__(self, state: Any) -> None:
        raise AssertionError


def test_attributes_are_set_without_a_dict_where_that_comes_to_the_same(in_c):
    name = "not a name seen before either, " * 2
    value = Thing()
    target = Plain()
    before = sys.getrefcount(value)
    state = {name: value, "default": 1}
    assert in_c.set_inline(target, state)
    assert vars(target) == state
    assert list(vars(target)) == [name, "default"]
    assert all(sys.intern("" + key) is key for key in vars(target))
    assert in_c.set_inline(target, {"default": 2})
    assert target.default == 2
    assert Plain.default == 0
    del state, target
    assert sys.getrefcount(value) == before
    many = {f"a{number}": number for number in range(1000)}  # more than an instance keeps itself
    target = Plain()
    assert in_c.set_inline(target, many)
    assert vars(target) == many


@pytest.mark.parametrize("kind", [WithProperty, WithSetter, WithGetter, WithOwnDict, WithAnothersDict, Slotted])
def test_attributes_are_left_to_the_dict_where_it_would_make_a_difference(prim, kind):
    target = kind()
    assert not prim.set_inline(target, {"a": 1})
    assert kind is WithProperty or not prim.set_inline(target, {})


def test_attributes_of_what_keeps_no_attributes_are_left_to_the_dict(prim):
    for target in (1, "a", [], {}, object(), Plain, len, KeyError(), type("Odd", (dict,), {"__slots__": ()})()):
        assert not prim.set_inline(target, {"a": 1})


def test_names_that_are_hooks_or_no_texts_are_left_to_the_dict(prim):
    for name in ("add", "append", "extend", "__setstate__", 1, None, b"a", type("Text", (str,), {})("a")):
        target = Plain()
        assert not prim.set_inline(target, {name: 1})
        assert vars(target) == {}
    for state in (None, [], type("Odd", (dict,), {})(a=1)):
        assert not prim.set_inline(Plain(), state)


def test_values_of_attributes_are_held_once(prim):
    old, new = Thing(), Thing()
    before = sys.getrefcount(old), sys.getrefcount(new)
    attributes = {"a": old}
    state = {"a": new, "b": new}
    prim.set_attributes(attributes, state)
    assert (sys.getrefcount(old), sys.getrefcount(new)) == (before[0], before[1] + 4)
    del attributes, state
    assert (sys.getrefcount(old), sys.getrefcount(new)) == before


def test_slots_are_set_as_far_as_their_names_are_plain(prim):
    class Slotted:
        __slots__ = ("a", "add", "b")

    target, value = Slotted(), Thing()
    before = sys.getrefcount(value)
    assert prim.set_slots(target, {"a": value, "b": 2}) == 2
    assert (target.a, target.b) == (value, 2)
    for number, odd in enumerate(("add", "__x", 1, b"b")):
        assert prim.set_slots(target, {odd: 1, "a": number}) == 0
        assert prim.set_slots(target, {"a": value, odd: 1, "b": 5}) == 1
        assert (target.a, target.b) == (value, 2)
    assert prim.set_slots(target, {}) == 0
    for odd in (None, [], type("Odd", (dict,), {})(a=1)):
        assert not prim.set_slots(target, odd)
    with pytest.raises(AttributeError):
        prim.set_slots(target, {"missing": 1})
    del target
    assert sys.getrefcount(value) == before


def test_a_bytearray_is_a_copy_of_a_payload(prim):
    for data in (b"0123456789", bytearray(b"0123456789")):
        for pos, size in ((0, 0), (0, 10), (3, 4), (10, 0), (9, 1)):
            made = prim.new_bytearray(data, pos, size)
            assert made == data[pos : pos + size]
            assert type(made) is bytearray
            made += b"!"
        assert data == b"0123456789"


class TwoSlots:
    __slots__ = ("a", "add", "b")


def with_state(prim: Any, target: Any, pairs: list[Any], *, slots: bool, held: Any = None) -> tuple[Any, int]:
    """A stack with an instance, what comes before a state's pairs, and the pairs; and where these begin."""
    stack = prim.new_stack()
    for each in ("below", target, *((None,) if slots else ())):
        prim.push(stack, each)
    prim.push(stack, {} if held is None else held)
    for each in pairs:
        prim.push(stack, each)
    return stack, prim.height(stack) - len(pairs)


def given(prim: Any, target: Any, pairs: list[Any], *, slots: bool) -> bool:
    """Whether the state was given; the stack is then as BUILD leaves it, and otherwise as it was."""
    stack, start = with_state(prim, target, pairs, slots=slots)
    before = prim.height(stack)
    done = prim.give_state(stack, start, slots)
    assert prim.height(stack) == (2 if done else before)
    assert prim.at(stack, 1) is target
    return bool(done)


@pytest.mark.parametrize(("cls", "slots"), [(Plain, False), (TwoSlots, True)])
def test_a_state_is_given_without_a_dict_where_that_comes_to_the_same(in_c, cls, slots):
    stack, start = with_state(in_c, cls(), [], slots=slots)
    values = [Thing(), Thing()]
    before = [sys.getrefcount(value) for value in values]
    names = ["".join(letter) for letter in ("a", "b")]
    made = []
    for number in range(5):  # on the same stack: what was found out for the first serves the others
        in_c.drop(stack, 1)
        target = cls()
        for each in (target, *((None,) if slots else ()), {}, names[0], values[0], names[1], values[1]):
            in_c.push(stack, each)
        if number == 3:  # keys that are equal, but not the same
            in_c.drop(stack, start)
            for each in (bytes([97]).decode(), values[0], bytes([98]).decode(), values[1]):
                in_c.push(stack, each)
        assert in_c.give_state(stack, start, slots)
        assert in_c.height(stack) == 2
        assert (target.a, target.b) == tuple(values)
        if not slots:
            assert list(vars(target)) == ["a", "b"]
            assert all(sys.intern("" + key) is key for key in vars(target))
        made.append(target)
    del each
    assert [sys.getrefcount(value) for value in values] == [count + 5 for count in before]
    kept = sys.getrefcount(cls)
    in_c.renew_stack(stack)
    assert sys.getrefcount(cls) == kept - 1  # what was found out is forgotten, and the class with it
    del made, target
    assert [sys.getrefcount(value) for value in values] == before


@pytest.mark.parametrize(
    "kind", [WithProperty, WithSetter, WithGetter, WithOwnDict, WithAnothersDict, Slotted, WithState]
)
def test_a_state_is_left_to_the_long_way_where_it_would_make_a_difference(prim, kind):
    for _ in range(2):
        assert not given(prim, kind(), ["a", 1], slots=False)
    for target in (1, "a", [], {}, object(), Plain, len, KeyError(), type("Odd", (dict,), {"__slots__": ()})()):
        assert not given(prim, target, ["a", 1], slots=False)
        assert not given(prim, target, ["a", 1], slots=True)


def test_names_that_are_hooks_or_no_texts_are_left_to_the_long_way(prim):
    text = type("Text", (str,), {})("a")
    for name in ("add", "append", "extend", "__setstate__", 1, None, b"a", text):
        target = Plain()
        assert not given(prim, target, ["b", 1, name, 1], slots=False)
        assert vars(target) == {}
    for name in ("add", "missing", "__a", "__class__", 1, None, b"a", text):
        assert not given(prim, TwoSlots(), ["b", 1, name, 1], slots=True)
    for number in (0, 25):
        assert not given(prim, Plain(), [each for place in range(number) for each in (f"a{place}", place)], slots=False)
    assert not given(prim, Plain(), ["a"], slots=False)
    assert not given(prim, TwoSlots(), ["a", 1, "a", 2], slots=True)


def test_slots_that_hold_something_are_left_to_the_long_way(prim):
    target = TwoSlots()
    target.b = kept = Thing()
    assert not given(prim, target, ["a", 1, "b", 2], slots=True)
    assert target.b is kept
    assert not hasattr(target, "a")


def test_slots_of_another_class_or_kind_are_left_to_the_long_way(prim):
    class Borrowing:
        __slots__ = ("c",)
        a = TwoSlots.__dict__["a"]

    class Hidden(TwoSlots):
        __slots__ = ()
        a = 5  # type: ignore[assignment]

    class Careful(TwoSlots):
        __slots__ = ()

        def __setattr__(self, name: str, value: Any) -> None:
            raise AssertionError

    for target in (Borrowing(), Hidden(), Careful(), ValueError(), slice(1), SimpleNamespace()):
        assert not given(prim, target, ["a", 1], slots=True)


def test_a_dict_that_is_not_only_for_the_state_is_left_to_the_long_way(prim):
    for held in ({"b": 1}, type("Odd", (dict,), {})(), [], None):
        for slots, target in ((False, Plain()), (True, TwoSlots())):
            kept: Any = {} if held is None else held  # which is held here as well
            stack, start = with_state(prim, target, ["a", 1], slots=slots, held=kept)
            assert not prim.give_state(stack, start, slots)
    stack = prim.new_stack()
    for each in ("below", Plain(), {"b": 1}, "a", 1):  # held by the stack alone
        prim.push(stack, each)
    del each
    assert not prim.give_state(stack, 3, False)
    stack = prim.new_stack()
    for each in ("below", TwoSlots(), "no None", {}, "a", 1):
        prim.push(stack, each)
    assert not prim.give_state(stack, 4, True)


def test_a_class_that_changes_is_looked_at_anew(in_c):
    class Changing:
        __slots__ = ("a", "b")

    class Growing:
        pass

    def once(cls: Any, slots: bool) -> bool:
        in_c.drop(stack, 1)
        for each in (cls(), *((None,) if slots else ()), {}, "a", 1):
            in_c.push(stack, each)
        return bool(in_c.give_state(stack, in_c.height(stack) - 2, slots))

    stack, _ = with_state(in_c, None, [], slots=True)
    for cls, slots in ((Changing, True), (Growing, False)):
        assert [once(cls, slots), once(cls, slots), once(cls, not slots)] == [True, True, False]
        cls.a = property(lambda _: 1, lambda *_: None)  # type: ignore[attr-defined]
        assert not once(cls, slots)
    before = Changing.b  # type: ignore[attr-defined]
    Changing.a = before  # type: ignore[attr-defined]
    assert once(Changing, True)
    Changing.__setstate__ = None  # type: ignore[attr-defined]
    assert not once(Changing, True)


@pytest.mark.parametrize(("cls", "slots"), [(Plain, False), (TwoSlots, True)])
def test_each_value_goes_where_its_own_key_says(in_c, cls, slots):
    stack, _ = with_state(in_c, None, [], slots=slots)
    for names in ("ab", "ab", "ba", "ab", "a", "b", "b", "ab"):
        in_c.drop(stack, 1)
        target = cls()
        for each in (target, *((None,) if slots else ()), {}):
            in_c.push(stack, each)
        del each
        start = in_c.height(stack)
        for name in names:
            in_c.push(stack, name)
            in_c.push(stack, name.upper())
        assert in_c.give_state(stack, start, slots)
        assert {name: getattr(target, name) for name in "ab" if hasattr(target, name)} == {
            name: name.upper() for name in names
        }


def test_a_class_that_changes_while_it_is_looked_at_is_left_to_the_long_way(in_c):
    class Meddling(str):
        """Equal in its hash to a name, and asked whether it is that name."""

        __slots__ = ()
        meddles = False

        def __hash__(self) -> int:
            return hash("b")

        def __eq__(self, other: object) -> bool:
            if Meddling.meddles:
                Meddling.meddles = False
                target_class.a = property(lambda _: "changed", lambda *_: None)
            return False

    target_class: Any = type("Met", (), {"__slots__": ("a",), Meddling("x"): 0})
    target_class.b = TwoSlots.__dict__["b"]
    stack, _ = with_state(in_c, None, [], slots=True)
    in_c.drop(stack, 1)
    target = target_class()
    for each in (target, None, {}, "a", 1):
        in_c.push(stack, each)
    del each
    assert in_c.give_state(stack, 4, True)
    in_c.renew_stack(stack)
    Meddling.meddles = True
    for each in ("below", target_class(), None, {}, "a", 1, "b", 2):
        in_c.push(stack, each)
    del each
    assert not in_c.give_state(stack, 4, True)


def test_a_state_needs_an_instance_below_it(in_c):
    stack = in_c.new_stack()
    for place in (0, 1, 5, -1):
        with pytest.raises(IndexError):
            in_c.give_state(stack, place, False)
    in_c.push(stack, {})
    in_c.push(stack, {})
    for start, slots in ((1, False), (2, True), (3, False)):
        with pytest.raises(IndexError):
            in_c.give_state(stack, start, slots)


def test_slots_that_change_while_they_are_set_are_an_error(prim):
    slots: dict[str, int] = {"a": 1, "b": 2}

    class Changing:
        def __setattr__(self, name: str, value: object) -> None:
            slots["c"] = 3

    with pytest.raises(RuntimeError):
        prim.set_slots(Changing(), slots)


# -- Names ----------------------------------------------------------------------------------------------------------


def spelled(*texts: str) -> tuple[bytes, list[int]]:
    """Short counted texts one behind the other, with room behind them, and where each is."""
    data, places = b"", []
    for each in texts:
        places.append(len(data))
        data += b"\x8c" + bytes((len(each.encode()),)) + each.encode()
    return data + bytes(loading.LONGEST_FIXED + 1), places


NAMED = [("datetime", "date"), ("a", "b"), ("b", "a"), ("collections", "OrderedDict"), ("m" * 255, "n" * 255)]


def test_names_have_a_place_that_their_lengths_and_some_bytes_decide(prim):
    random.seed(5)
    letters = "abcdefgxyz_.09"
    several = [tuple("".join(random.choices(letters, k=random.randint(1, 40))) for _ in range(2)) for _ in range(500)]
    found = set()
    for module, name in [*NAMED, *several]:
        data, (first, second) = spelled(module, name)
        place = prim.name_place(data, first, second, len(data))
        assert place == loading.name_place(data, first, second, len(data))
        assert 0 <= place < loading.NAME_PLACES
        found.add(place)
    assert len(found) > loading.NAME_PLACES // 2


def test_what_is_no_pair_of_short_texts_has_no_place(prim):
    data, (first, second) = spelled("module", "name")
    whole = len(data)
    for at in (-1, whole - loading.LONGEST_FIXED, whole, 1 << 40):
        assert prim.name_place(data, at, second, whole) == prim.name_place(data, first, at, whole) == -1
    for at in (first, second):
        other = bytearray(data)
        other[at] = 0x58
        assert prim.name_place(other, first, second, whole) == -1
        longer = bytearray(data)
        longer[at + 1] = 255  # beyond what is there
        assert prim.name_place(longer, first, second, whole) == -1
        none = bytearray(data)
        none[at + 1] = 0
        assert prim.name_place(none, first, second, whole) == -1
    assert prim.name_place(data, first, second, second + loading.LONGEST_FIXED) == -1
    assert prim.name_place(data, first, second, second + loading.LONGEST_FIXED + 1) >= 0


def test_a_text_is_spelled_by_its_own_bytes_only(prim):
    data, places = spelled("name", "nama", "nam", "names", "é", "")
    for at, text in zip(places, ("name", "nama", "nam", "names", "é", ""), strict=True):
        for other in ("name", "nama", "nam", "names", ""):
            assert prim.spells(data, at, other) is (text == other)
        assert not prim.spells(data, at, "é")  # two bytes; of what is not ASCII it is not asked
        assert not prim.spells(data, at, "\xc3\xa9")


def test_a_name_is_there_while_its_module_and_its_value_are(prim, monkeypatch):
    module, value = ModuleType("safepickle_module"), [1]
    module.value = value
    assert not prim.is_there(module, "safepickle_module", "value", value)  # nobody has imported it
    monkeypatch.setitem(sys.modules, "safepickle_module", module)
    assert prim.is_there(module, "safepickle_module", "value", value)
    assert not prim.is_there(module, "safepickle_module", "value", [1])
    assert not prim.is_there(module, "safepickle_module", "other", value)
    assert not prim.is_there(module, "safepickle_other", "value", value)
    assert not prim.is_there(None, "safepickle_module", "value", value)
    monkeypatch.setitem(sys.modules, "safepickle_module", None)
    assert not prim.is_there(None, "safepickle_module", "value", None)
    assert not prim.is_there(module, "safepickle_module", "value", value)


def test_a_name_is_announced_as_pickle_announces_it(prim):
    heard = []
    listening = [True]

    def hear(event: str, args: tuple[object, ...]) -> None:
        if listening and event == "pickle.find_class":
            heard.append(args)
            if args[1] == "refused":
                raise ValueError("not this one")

    sys.addaudithook(hear)
    try:
        prim.audit("module", "name")
        with pytest.raises(ValueError, match="not this one"):
            prim.audit("module", "refused")
    finally:
        listening.clear()
    assert heard == [("module", "name"), ("module", "refused")]
