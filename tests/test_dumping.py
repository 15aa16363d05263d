"""The primitives of `dumps`: the Python twins against C `_pickle`, and those of `dumping.h` against the twins.

The header is compiled here into a library of its own, so that each of its functions can be called by itself.
"""

from __future__ import annotations

import _pickle
import ctypes
import gc
import pickle
import pickletools
import random
import re
import shlex
import shutil
import struct
import subprocess
import sys
import sysconfig
import weakref
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from safepickle import dumping, opcodes, writer

HEADER = Path(dumping.__file__).with_name("dumping.h")
BINARY = range(1, opcodes.HIGHEST_PROTOCOL + 1)
NO_LIMIT = sys.maxsize
UINT4 = (1 << 32) - 1

WIDTHS = (7, 8, 15, 16, 23, 30, 31, 32, 39, 40, 47, 48, 55, 56, 60, 63, 64, 200)
NUMBERS = sorted(
    {
        sign * (base + step)
        for base in (0, *(1 << bits for bits in WIDTHS))
        for step in (-1, 0, 1)
        for sign in (1, -1)
    }
)
FLOATS = [0.0, -0.0, 1.5, -1e300, 5e-324, float("inf"), float("-inf"), float("nan"), 1 / 3]
STAGED_IN_C = 2 * 1024
SIZES = [0, 1, 2, 127, 254, 255, 256, 257, STAGED_IN_C - 1, STAGED_IN_C, STAGED_IN_C + 1, dumping.STAGED, 1 << 17]
TEXTS = [
    *("x" * size for size in SIZES), *("\xe9" * (size // 2) for size in SIZES), "\u1234" * 85, "\U00012345" * 64,
    "\0\n\\", "\ud800", "a\udfffb", "\x7f", "\x80",
]  # fmt: skip
BYTES = [bytes(range(256)) * (size // 256) + bytes(size % 256) for size in SIZES]


class Text(str):
    """Not exactly a str."""

    __slots__ = ()


OTHERS = [Text("x"), [], (), {}, set(), 1j, object(), str, type, bytearray(b"x"), Ellipsis, NotImplemented, range(3)]
ATOMS = [None, True, False, *NUMBERS, *FLOATS, *TEXTS, *BYTES]
INDEXES = [0, 1, 254, 255, 256, 257, 65535, 65536, UINT4 - 1, UINT4, UINT4 + 1, 1 << 40, -1, -300, sys.maxsize]

WRAPPERS = """
#include "dumping.h"
#define MEMO ((DumpingMemo *)memo)
#define PARTS ((DumpingParts *)parts)
int is_readonly(PyObject *b) { return dumping_is_readonly(b); }
int op(PyObject *b, int c) { return dumping_op(b, c); }
int op1(PyObject *b, int c, int v) { return dumping_op1(b, c, v); }
int op4(PyObject *b, int c, unsigned int v) { return dumping_op4(b, c, v); }
int extend(PyObject *b, PyObject *d) { return dumping_extend(b, d); }
int skip(PyObject *b, Py_ssize_t n) { return dumping_skip(b, n); }
int frame(PyObject *b, Py_ssize_t s, Py_ssize_t n) { return dumping_frame(b, s, n); }
int unskip(PyObject *b, Py_ssize_t s) { return dumping_unskip(b, s); }
PyObject *taken(PyObject *b) { return dumping_taken(b); }
int restart(PyObject *b) { return dumping_restart(b); }
void *new_parts(void) { return dumping_new_parts(); }
void free_parts(void *parts) { dumping_free_parts(PARTS); }
int drop_parts(void *parts) { return dumping_drop_parts(PARTS); }
int any_parts(void *parts) { return dumping_any_parts(PARTS); }
int add_part(void *parts, PyObject *d) { return dumping_add_part(PARTS, d); }
Py_ssize_t add_buffer(void *parts, PyObject *b, Py_ssize_t s) { return dumping_add_buffer(PARTS, b, s); }
int fill_hole(void *parts, Py_ssize_t h, Py_ssize_t n) { return dumping_fill_hole(PARTS, h, n); }
PyObject *joined(void *parts) { return dumping_joined(PARTS); }
void *new_memo(void) { return dumping_new_memo(); }
void free_memo(void *memo) { dumping_free_memo(MEMO); }
int clear(void *memo) { return dumping_clear(MEMO); }
Py_ssize_t size(void *memo) { return dumping_size(MEMO); }
Py_ssize_t find(void *memo, PyObject *o) { return dumping_find(MEMO, o); }
int set_index(void *memo, PyObject *o, Py_ssize_t i) { return dumping_set(MEMO, o, i); }
Py_ssize_t remember(void *memo, PyObject *o) { return dumping_remember(MEMO, o); }
PyObject *as_dict(void *memo) { return dumping_as_dict(MEMO); }
int hand_over(void *memo, PyObject *l) { return dumping_hand_over(MEMO, l); }
int again(PyObject *b, void *memo, PyObject *o, int y) { return dumping_again(b, MEMO, o, y); }
int keep(PyObject *b, void *memo, PyObject *o, int p) { return dumping_keep(b, MEMO, o, p); }
int atom(PyObject *b, void *memo, PyObject *o, Py_ssize_t l, int p) { return dumping_atom(b, MEMO, o, l, p); }
"""


@pytest.fixture(scope="session")
def in_c(tmp_path_factory):
    """The functions of dumping.h as a library."""
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
    include = Path(sysconfig.get_path("include"))
    if not shutil.which(compiler[0]) or not (include / "Python.h").exists():
        pytest.skip("no C compiler, or no headers of this interpreter")
    folder = tmp_path_factory.mktemp("dumping")
    (folder / "wrappers.c").write_text(WRAPPERS)
    done = subprocess.run(
        [*compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers",
         "-Wno-unused-parameter", "-Wno-sign-compare",
         f"-I{include}", f"-I{HEADER.parent}", "wrappers.c", "-o", "wrappers.so"],
        cwd=folder, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    library = ctypes.PyDLL(str(folder / "wrappers.so"))
    kinds = {
        "int": ctypes.c_int, "void": None, "void *": ctypes.c_void_p, "Py_ssize_t": ctypes.c_ssize_t,
        "PyObject *": ctypes.py_object, "unsigned int ": ctypes.c_uint,
    }  # fmt: skip
    kinds |= {name + " ": kind for name, kind in kinds.items() if not name.endswith((" ", "*"))}
    for result, name, given_ in re.findall(r"^(void \*|PyObject \*|\w+) ?(\w+)\((.*?)\) \{", WRAPPERS, re.MULTILINE):
        function = getattr(library, name)
        function.restype = kinds[result]
        function.argtypes = [
            kinds[re.match(r"(void \*|PyObject \*|unsigned int |\w+ )", one)[0]]
            for one in given_.split(", ")
            if one != "void"
        ]
    return library


@pytest.fixture(params=["python", "c"])
def primitives(request):
    """Each implementation in turn."""
    return dumping if request.param == "python" else request.getfixturevalue("in_c")


def test_a_buffer_is_asked_whether_it_is_readonly_and_in_one_piece(primitives):
    whole = memoryview(bytearray(range(24)))
    for buffer, expected in ((b"ab", 1), (bytearray(b"ab"), 0), (b"", 1), (bytearray(), 0), (whole, 0),
                             (whole.toreadonly(), 1), (whole.cast("B", (4, 6)), 0), (whole[3:7], 0)):  # fmt: skip
        assert primitives.is_readonly(pickle.PickleBuffer(buffer)) == expected
    with pytest.raises(BufferError, match="non-contiguous"):
        primitives.is_readonly(pickle.PickleBuffer(whole[::2]))
    released = pickle.PickleBuffer(bytearray(3))
    released.release()
    with pytest.raises(ValueError, match="released"):
        primitives.is_readonly(released)


@pytest.fixture
def memo(primitives):
    made = primitives.new_memo()
    yield made
    primitives.free_memo(made)


@pytest.fixture
def parts(primitives):
    made = primitives.new_parts()
    yield made
    primitives.free_parts(made)


def expected(obj: Any, protocol: int) -> bytes:
    """What C writes for a value, without opening and end."""
    data = _pickle.dumps(obj, protocol)
    (start,) = [
        position + (9 if code.name == "FRAME" else 0)
        for code, _, position in list(pickletools.genops(data))[: 2 if protocol >= 2 else 1]
        if code.name != "PROTO"
    ]
    return data[start:-1]


def is_left(obj: Any, protocol: int, staged: int) -> bool:
    """Whether the documentation of `atom` says that it leaves this value."""
    kind = type(obj)
    if kind is str:
        has_surrogates = any("\ud800" <= character <= "\udfff" for character in obj)
        return has_surrogates or len(obj.encode()) >= staged
    if kind is bytes:
        return protocol < 3 or len(obj) >= staged
    if kind is int:
        bits = 63 if protocol >= 2 else 31
        return not -1 << bits <= obj < 1 << bits
    if kind is bool:
        return protocol < 2
    return kind is not float and obj is not None


@pytest.mark.parametrize("protocol", BINARY)
def test_an_atom_is_written_as_c_writes_it_or_left_without_a_trace(primitives, protocol):
    staged = dumping.STAGED if primitives is dumping else STAGED_IN_C
    for obj in ATOMS + OTHERS:
        buffer, memo = bytearray(b"before"), primitives.new_memo()
        done = primitives.atom(buffer, memo, obj, NO_LIMIT, protocol)
        assert done == (not is_left(obj, protocol, staged)), obj
        assert buffer == b"before" + (expected(obj, protocol) if done else b""), obj
        kept = type(obj) in {str, bytes} and done
        assert primitives.size(memo) == kept
        if kept:
            again = bytearray()
            assert primitives.atom(again, memo, obj, NO_LIMIT, protocol) == 1
            assert again == b"h\0"
        primitives.free_memo(memo)


@pytest.mark.parametrize("protocol", BINARY)
@settings(max_examples=200)
@given(obj=st.integers() | st.floats() | st.text(st.characters()) | st.binary() | st.booleans() | st.none())
@example(obj="\ud800")
def test_any_atom_is_written_by_c_as_by_its_twin(in_c, protocol, obj):
    ours, theirs = bytearray(), bytearray()
    first, second = dumping.new_memo(), in_c.new_memo()
    done = dumping.atom(ours, first, obj, NO_LIMIT, protocol)
    assert in_c.atom(theirs, second, obj, NO_LIMIT, protocol) == done
    assert ours == theirs
    assert in_c.as_dict(second) == first
    in_c.free_memo(second)


@pytest.mark.parametrize("protocol", BINARY)
def test_nothing_begins_at_the_limit_or_after_it(primitives, memo, protocol):
    buffer = bytearray(10)
    for limit in (10, 9, 0, -5):
        for obj in (None, 1, "x", 1.5):
            assert primitives.atom(buffer, memo, obj, limit, protocol) == 0
    assert buffer == bytearray(10)
    assert primitives.atom(buffer, memo, None, 11, protocol) == 1


@pytest.mark.parametrize("protocol", BINARY)
def test_what_is_remembered_is_put_as_c_puts_it(primitives, memo, protocol):
    objects = [[number] for number in range(300)]
    buffer = bytearray()
    for obj in objects:
        primitives.keep(buffer, memo, obj, protocol)
    puts = [bytes((opcodes.BINPUT, n)) if n < 256 else struct.pack("<BI", opcodes.LONG_BINPUT, n) for n in range(300)]
    assert buffer == (bytes((opcodes.MEMOIZE,)) * 300 if protocol >= 4 else b"".join(puts))
    assert primitives.as_dict(memo) == {id(obj): (number, obj) for number, obj in enumerate(objects)}


@pytest.mark.parametrize("index", INDEXES)
def test_what_was_written_before_is_got_by_its_index_or_left_to_the_writer(primitives, memo, index):
    obj = []
    assert primitives.again(bytearray(), memo, obj, True) == 0
    primitives.set_index(memo, obj, index)
    assert primitives.find(memo, obj) == index
    buffer = bytearray()
    assert primitives.again(buffer, memo, obj, False) == 2
    assert buffer == b""
    done = primitives.again(buffer, memo, obj, True)
    assert done == (1 if index <= UINT4 else 2)
    if index > UINT4:
        assert buffer == b""
    else:
        made = writer.Writer(2)
        made.start(None)
        made.get(index)
        assert buffer == made.finish()[2:-1]
    text = bytearray()
    primitives.set_index(memo, "text", index)
    assert primitives.atom(text, memo, "text", NO_LIMIT, 4) == (index <= UINT4)
    assert text == buffer


def test_a_memo_finds_all_of_very_many_and_no_others(primitives, memo):
    objects: list[Any] = [[number] for number in range(5000)] + [str(number) * 9 for number in range(5000)]
    objects += [bytes(size) for size in range(1000, 2000)] + [{number: number} for number in range(2000)]
    random.Random(1).shuffle(objects)
    half = objects[::2]
    for number, obj in enumerate(half):
        assert primitives.find(memo, obj) == dumping.ABSENT
        assert primitives.remember(memo, obj) == number
    assert [primitives.find(memo, obj) for obj in objects[1::2]] == [dumping.ABSENT] * len(objects[1::2])
    assert [primitives.find(memo, obj) for obj in half] == list(range(len(half)))
    assert primitives.size(memo) == len(half)
    for _ in range(3):
        primitives.clear(memo)
        assert primitives.size(memo) == 0
        assert primitives.find(memo, half[0]) == dumping.ABSENT
        assert [primitives.remember(memo, obj) for obj in objects] == list(range(len(objects)))


def test_an_object_that_comes_twice_gets_a_new_index_and_no_new_place(primitives, memo):
    first, second = [], []
    assert [primitives.remember(memo, obj) for obj in (first, second, first)] == [0, 1, 2]
    assert primitives.size(memo) == 2
    assert primitives.as_dict(memo) == {id(first): (2, first), id(second): (1, second)}


class Thing:
    """Something that can be referred to weakly."""


def test_a_memo_holds_its_objects_until_it_is_cleared(primitives, memo):
    for keeper in (None, []):
        obj = Thing()
        gone = weakref.ref(obj)
        count = sys.getrefcount(obj)
        primitives.remember(memo, obj)
        assert sys.getrefcount(obj) == count + 1
        if keeper is not None:
            primitives.hand_over(memo, keeper)
            primitives.hand_over(memo, keeper)
            assert sys.getrefcount(obj) == count + 1
        del obj
        assert gone() is not None
        primitives.clear(memo)
        if keeper is not None:
            keeper.clear()
        assert gone() is None


def test_what_runs_when_a_memo_lets_go_may_use_the_memo(primitives, memo):
    seen = []

    class Last:
        def __del__(self):
            seen.append(primitives.size(memo))
            primitives.remember(memo, seen)
            primitives.clear(memo)
            primitives.remember(memo, seen)

    for _ in range(100):
        primitives.remember(memo, Last())
    primitives.clear(memo)
    gc.collect()
    assert len(seen) == 100
    assert primitives.find(memo, seen) != dumping.ABSENT or primitives is dumping


def test_the_buffer_grows_byte_by_byte_and_is_a_bytearray_all_the_time(primitives):
    buffer = bytearray()
    model = b""
    chance = random.Random(2)
    for step in range(3000):
        match chance.randrange(7):
            case 0:
                primitives.op(buffer, step & 0xFF)
                model += bytes((step & 0xFF,))
            case 1:
                primitives.op1(buffer, 1, step & 0xFF)
                model += bytes((1, step & 0xFF))
            case 2:
                value = chance.getrandbits(32)
                primitives.op4(buffer, 2, value)
                model += struct.pack("<BI", 2, value)
            case 3:
                data = chance.choice([b"", b"abc", bytearray(100), memoryview(b"x" * 70)])
                primitives.extend(buffer, data)
                model += data
            case 4:
                primitives.skip(buffer, 9)
                model += bytes(9)
            case 5:
                buffer += b"plain"
                model += b"plain"
            case _ if chance.random() < 0.1:
                cut = chance.randrange(len(buffer) + 1)
                del buffer[:cut]
                model = model[cut:]
            case _ if chance.random() < 0.02:
                primitives.restart(buffer)
                model = b""
        assert len(buffer) == len(model)
    assert buffer == model
    assert primitives.taken(buffer) == model
    assert buffer.find(b"\xff\xfe\xfd") == model.find(b"\xff\xfe\xfd")


def test_a_buffer_that_is_looked_at_from_outside_does_not_move(primitives):
    buffer = bytearray(b"x" * 100)
    with memoryview(buffer) as view:
        for _ in range(100_000):
            try:
                primitives.op(buffer, 1)
            except BufferError:
                break
        assert bytes(view) == b"x" * 100


@pytest.mark.parametrize("start", [-1, 0, 1, 2, 3])
def test_the_header_of_a_frame_is_written_only_where_there_is_room(primitives, start):
    buffer = bytearray(11)
    shorter = bytearray(range(11))
    if 0 <= start <= 2:
        primitives.unskip(shorter, start)
        assert shorter == bytes(range(start)) + bytes(range(start + 9, 11))
        primitives.frame(buffer, start, 0x1122334455)
        assert buffer[start : start + 9] == struct.pack("<BQ", opcodes.FRAME, 0x1122334455)
        assert buffer[:start] + buffer[start + 9 :] == bytes(2)
    else:
        with pytest.raises(IndexError, match="no room"):
            primitives.frame(buffer, start, 1)
        with pytest.raises(IndexError, match="no room"):
            primitives.unskip(shorter, start)


def test_parts_are_joined_in_their_order_and_a_hole_is_filled_later(primitives, parts):
    assert not primitives.any_parts(parts)
    assert primitives.joined(parts) == b""
    for _ in range(2):
        primitives.add_part(parts, b"first")
        buffer = bytearray(b"opening" + bytes(9) + b"frame")
        hole = primitives.add_buffer(parts, buffer, 7)
        assert buffer == b""
        changing = bytearray(b"payload" * 10_000)
        primitives.add_part(parts, changing)
        changing[:] = b"changed"
        buffer += b"end"
        primitives.add_buffer(parts, buffer, -1)
        primitives.fill_hole(parts, hole, 5)
        assert primitives.any_parts(parts)
        assert primitives.joined(parts) == (
            b"firstopening" + struct.pack("<BQ", opcodes.FRAME, 5) + b"frame" + b"payload" * 10_000 + b"end"
        )
        assert not primitives.any_parts(parts)
    primitives.add_part(parts, memoryview(b"x" * 1000))
    primitives.drop_parts(parts)
    assert primitives.joined(parts) == b""
    with pytest.raises((IndexError, KeyError)):
        primitives.fill_hole(parts, 5, 1)
    with pytest.raises(TypeError):
        primitives.add_part(parts, 1.5)


def test_a_class_is_what_a_metaclass_made_and_nothing_else():
    class Meta(type):
        """A kind of class."""

    class Pretender:
        __class__ = type

    assert [dumping.is_class(obj) for obj in (int, type, Meta, Meta("C", (), {}))] == [True] * 4
    assert [dumping.is_class(obj) for obj in (1, Pretender(), Meta.__call__)] == [False] * 3


def test_the_constants_of_the_header_are_those_of_the_package():
    listed = re.search(r"enum \{(.*?)\};", HEADER.read_text("utf-8"), re.DOTALL)
    values = dict(re.findall(r"DUMPING_(\w+) = ([^,/\n]+)", listed[1]))
    kept = {name: values.pop(name) for name in ("KEPT", "FIRST_SLOTS", "KEPT_SLOTS", "STAGED")}
    assert len(values) == 18
    for name, value in values.items():
        code = ord(value[1]) if value.startswith("'") else int(value, 16)
        assert code == opcodes.BY_NAME[name].code, name
    assert eval(kept["STAGED"]) == STAGED_IN_C
    assert dumping.STAGED == writer.FRAME_SIZE_TARGET
    first = int(kept["FIRST_SLOTS"])
    assert first & (first - 1) == 0
