"""What an application's own code can do while a codec runs: come back in, change what is read or written, throw.

Compiled, the codec keeps pointers and counts of its own, so whoever finds a way to change what they stand for has more
than a wrong result.  Each test here is such an attempt.  It must end in a value or in an exception, and what follows
must work as before.
"""

from __future__ import annotations

import contextlib
import gc
import io
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

import pytest

import safepickle
from safepickle import Policy, symbols
from safepickle.disassemble import disassemble
from safepickle.reader import FileReader, Reader
from safepickle.verifier import PLAIN_OPTIONS, Verifier
from safepickle.writer import Writer
from tests.assembler import (
    Step,
    asm,
    build,
    dict_of,
    get,
    list_of,
    newobj,
    number,
    pickled,
    put,
    reduce,
    text,
    tuple_of,
)

HERE: Final = __name__
RECORDS: Final = [{"id": each, "name": f"n{each}", "value": each / 2, "pair": (each, None)} for each in range(50)]
PLAIN: Final = pickle.dumps(RECORDS, 4)
GOOD: Final = pickled(4, text("good"))


def here(name: str) -> Step:
    return ("GLOBAL", HERE, name)


def policy(**verbs: str) -> Policy:
    listed = "".join(f"    - {name}: {{use: [{some}]}}\n" for name, some in verbs.items())
    return Policy.from_yaml(f"safepickle: 1\nallow:\n  {HERE}:\n{listed}")


def _nothing(*_given: object) -> None:
    pass


act: Callable[..., Any] = _nothing  # what the stream's call does: each test sets it
called: list[str] = []


def acting(*given: Any) -> Any:
    """What streams call."""
    return act(*given)


@contextlib.contextmanager
def doing(what: Callable[..., Any]) -> Iterator[None]:
    global act  # noqa: PLW0603 - a stream can only name what stands in a module
    saved, act = act, what
    try:
        yield
    finally:
        act = saved


def works() -> None:
    """Afterwards, everything does."""
    assert safepickle.loads(PLAIN) == RECORDS
    assert safepickle.loads(safepickle.dumps(RECORDS)) == RECORDS
    assert len(reading_bench()) <= 3


def reading_bench() -> list[Any]:
    from safepickle import unpickler

    return unpickler._IDLE


@pytest.fixture(autouse=True)
def _everything_works_before_and_after() -> Iterator[None]:
    called.clear()
    works()
    yield
    works()


# --- Loading: code that comes back in ---------------------------------------------------------------------------------
CALLS: Final = policy(acting="call", Acting="new, build, fill", Restored="new, build", Watching="new, build")


def test_a_call_that_loads_and_dumps_does_not_disturb_the_load_it_is_part_of():
    nested = pickled(4, reduce(here("acting"), number(1)))
    data = pickled(4, list_of(*(reduce(here("acting"), number(each % 4)) for each in range(40))))

    def again(depth: int) -> Any:
        if depth == 1:
            assert safepickle.loads(PLAIN) == RECORDS
        if depth == 2:
            with pytest.raises(safepickle.UnpicklingError):
                safepickle.loads(PLAIN[:-1])
        if depth == 3:
            assert safepickle.loads(nested, policy=CALLS) == 1
            assert pickle.loads(safepickle.dumps(RECORDS)) == RECORDS
            safepickle.verify(PLAIN)
        return depth

    with doing(again):
        assert safepickle.loads(data, policy=CALLS) == [each % 4 for each in range(40)]
        assert safepickle.Unpickler(io.BytesIO(data), policy=CALLS).load() == [each % 4 for each in range(40)]


def test_a_call_cannot_change_the_bytes_that_are_read():
    given = bytearray(pickled(4, tuple_of(reduce(here("acting"), number(1)), text("after"))))
    with doing(lambda _number: given.clear()):
        assert safepickle.loads(given, policy=CALLS) == (None, "after")
        assert given == b""


def test_a_call_can_change_the_list_or_dict_that_is_being_filled():
    changes: list[Callable[[Any], Any]] = [
        lambda held: held.clear(),
        lambda held: held.extend(range(1000)) if isinstance(held, list) else held.update(dict.fromkeys(range(1000))),
        lambda held: held.pop() if isinstance(held, list) else held.popitem(),
        lambda held: held.sort(key=lambda _each: safepickle.loads(PLAIN)) if isinstance(held, list) else len(held),
    ]
    filled = ["MARK", number(1), number(2), "APPENDS"]
    lists = pickled(4, "EMPTY_LIST", put(0), filled, reduce(here("acting"), get(0)), "APPEND", filled, filled)
    pairs: list[Step] = ["MARK", number(1), "NONE", number(2), "NONE", "SETITEMS"]
    setting: list[Step] = ["MARK", text("k"), reduce(here("acting"), get(0)), "SETITEMS", pairs]
    dicts = pickled(4, "EMPTY_DICT", put(0), pairs, setting)
    for change in changes:
        for data in (lists, dicts):
            with doing(change):
                assert len(safepickle.loads(data, policy=CALLS)) >= 2


class Acting:
    """Acts when it is hashed, compared, appended to, or given its state."""

    def __new__(cls, *_given: object) -> Self:
        return super().__new__(cls)

    def __hash__(self) -> int:
        act(self)
        return 1

    def __eq__(self, other: object) -> bool:
        act(self)
        return self is other

    def extend(self, items: list[Any]) -> None:
        act(self)
        items.clear()

    def __setitem__(self, key: object, value: object) -> None:
        act(self)

    def __del__(self) -> None:
        with contextlib.suppress(ZeroDivisionError, safepickle.UnpicklingError):
            act(self)


def test_keys_that_act_when_they_are_hashed_or_compared():
    keys = [newobj(here("Acting")) for _ in range(40)]
    streams = [
        pickled(4, dict_of(*((key, number(1)) for key in keys))),
        pickled(4, "EMPTY_DICT", [[key, "NONE", "SETITEM"] for key in keys]),
        pickled(4, "EMPTY_SET", "MARK", *keys, "ADDITEMS"),
        pickled(4, "MARK", *keys, "FROZENSET"),
        pickled(4, newobj(here("Acting")), "MARK", [[number(1), key] for key in keys], "SETITEMS"),
        pickled(4, newobj(here("Acting")), "MARK", *keys, "APPENDS"),
    ]
    for what in (lambda *_: safepickle.loads(PLAIN), lambda *_: gc.collect(0), lambda *_: 1 / 0):
        for data in streams:
            with doing(what), contextlib.suppress(safepickle.UnpicklingError, ZeroDivisionError):
                safepickle.loads(data, policy=CALLS)
            gc.collect()


class Restored:
    """Is given a state by a method that acts."""

    def __setstate__(self, state: Any) -> None:
        act(self, state)


class Watching:
    """Has an attribute that acts when it is set, and slots."""

    __slots__ = ("__dict__", "first", "second")

    @property
    def watched(self) -> None:
        return None

    @watched.setter
    def watched(self, value: Any) -> None:
        act(self, value)


def test_a_state_that_changes_while_it_is_set():
    states: list[Any] = []

    def change(_self: object, held: Any) -> None:
        states.append(held)
        held.clear()
        held.update({f"new{each}": each for each in range(200)})

    state = dict_of((text("x"), number(1)))
    slots = ["EMPTY_DICT", put(3), "MARK", text("watched"), get(3), text("second"), number(2), "SETITEMS"]
    with doing(change):
        safepickle.loads(pickled(4, build(newobj(here("Restored")), state)), policy=CALLS)
        with contextlib.suppress(safepickle.UnpicklingError):
            safepickle.loads(pickled(4, build(newobj(here("Watching")), tuple_of("NONE", slots))), policy=CALLS)
    assert len(states) == 2


class Replaced:
    """Acts when an attribute takes its place."""

    def __init__(self, held: dict[str, Any]) -> None:
        self.held = held

    def __del__(self) -> None:
        self.held.clear()
        safepickle.loads(PLAIN)


class Made:
    """Has attributes before it is given its state, of which one empties that state."""

    def __new__(cls) -> Self:
        made = super().__new__(cls)
        made.__dict__.update(first=Replaced(act()), second=2)
        return made


def test_an_attribute_that_is_replaced_empties_the_state():
    attributes: dict[str, Any] = {}
    data = pickled(4, build(newobj(here("Made")), dict_of((text("first"), "NONE"), (text("second"), "NONE"))))
    with doing(lambda: attributes):
        assert safepickle.loads(data, policy=policy(Made="new, build")).second is None


def test_objects_that_load_when_they_are_freed():
    made = newobj(here("Acting"))
    streams = [
        pickled(4, made, "POP", "NONE"),
        pickled(4, made, put(0), "POP", "NONE", put(0)),  # replaced in the memo
        pickled(4, "MARK", made, made, "POP_MARK", "NONE"),
        pickled(4, *[[made, put(each), "POP"] for each in range(200)], "NONE"),  # dropped with the memo
        pickled(4, *[[made] for each in range(200)], "NONE"),  # left on the stack
        pickled(4, *[[made] for each in range(50)], reduce(here("acting"), number(1))),
    ]
    for data in streams:
        for what in (lambda *_: safepickle.loads(PLAIN), lambda *_: safepickle.loads(streams[0][:-1] + b"0N.")):
            for load in (safepickle.loads, lambda data, policy: safepickle.load(io.BytesIO(data), policy=policy)):
                with doing(what), contextlib.suppress(safepickle.UnpicklingError):
                    load(data, policy=CALLS)
                gc.collect()


class Garbage:
    """A cycle, which acts when the collector finds it."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        called.append("freed")
        safepickle.loads(PLAIN)
        safepickle.dumps(RECORDS[:2])


def test_the_collector_may_run_anything_at_any_allocation():
    data = pickled(4, list_of(*(newobj(here("Acting"), number(each)) for each in range(100))))
    thresholds = gc.get_threshold()
    gc.set_threshold(3)
    try:
        for _ in range(5):
            garbage = [Garbage() for _ in range(20)]
            del garbage
            assert safepickle.loads(PLAIN) == RECORDS
            assert safepickle.dumps(RECORDS) == pickle.dumps(RECORDS)
            assert len(safepickle.loads(data, policy=CALLS)) == 100
            pickler = safepickle.Pickler(io.BytesIO())
            pickler.dump(RECORDS)
            assert len(pickler.memo.copy()) > 100
    finally:
        gc.set_threshold(*thresholds)
    assert called


@pytest.mark.parametrize("where", ["find_class", "read"])
def test_what_was_verified_is_run_although_the_memo_is_cleared_in_between(where):
    """Otherwise the same index would be a listed function to one pass, and something only mentioned to the other."""
    first = pickled(4, *[["NONE", "MEMOIZE", "POP"] for _ in range(3)], "NONE")
    functions = [[here("granted"), "MEMOIZE", "POP"], [["NONE", "MEMOIZE", "POP"] for _ in range(2)]]
    mentioned = [here("mentioned"), "MEMOIZE", "POP"]
    second = pickled(4, functions, mentioned, get(3), "EMPTY_TUPLE", "REDUCE")

    class Clearing(safepickle.Unpickler):
        def find_class(self, module: str, name: str, /) -> Any:
            if where == "find_class":
                self.memo.clear()
            return super().find_class(module, name)

    class File(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if where == "read":
                clearing.memo = {}
            return super().read(size)

    clearing = Clearing(File(first + second + second), policy=policy(granted="call", mentioned="refer"))
    assert clearing.load() is None
    for _ in range(2):
        with contextlib.suppress(safepickle.UnpicklingError):
            clearing.load()
    assert "mentioned" not in called


def granted() -> None:
    called.append("granted")


def mentioned() -> None:
    called.append("mentioned")


def test_the_memo_that_the_application_sets_while_a_load_runs_is_the_one_that_is_left():
    class Clearing(safepickle.Unpickler):
        def persistent_load(self, pid: Any) -> Any:
            self.memo = {7: "mine"}
            return pid

    lenient = Policy.from_yaml("safepickle: 1\naccept: [persistent_ids]\n")
    stream = pickled(4, text("kept"), put(0), text("id"), "BINPERSID", "TUPLE2")
    clearing = Clearing(io.BytesIO(stream + pickled(4, get(7)) + pickled(4, get(0))), policy=lenient)
    assert clearing.load() == ("kept", "id")
    assert clearing.memo.copy() == {7: "mine"}
    assert clearing.load() == "mine"
    with pytest.raises(safepickle.MalformedStream, match="Memo value not found"):
        clearing.load()


# --- Loading: files that lie ------------------------------------------------------------------------------------------
class Longer(bytes):
    """Says of itself that it is longer than it is."""

    def __len__(self) -> int:
        return 1 << 40

    def __getitem__(self, _place: Any) -> Any:
        return self

    def __bytes__(self) -> bytes:
        return bytes(1 << 10)


class Shorter(Longer):
    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize("kind", [Longer, Shorter])
@pytest.mark.parametrize("lies", ["read", "peek", "readline", "readinto"])
def test_a_file_whose_answers_lie_about_their_length(kind, lies):
    large = pickled(5, ("BYTEARRAY8", bytes(70_000)), ("BINBYTES", bytes(70_000)), "TUPLE2")
    lines = b"Vtext\nI12\nL12L\nF1.5\n(t."

    class File:
        def __init__(self, data: bytes) -> None:
            self.inner = io.BytesIO(data)

        def read(self, size: int) -> Any:
            got = self.inner.read(size)
            return kind(got) if lies == "read" else got

        def readline(self) -> Any:
            got = self.inner.readline()
            return kind(got) if lies == "readline" else got

        if lies == "peek":

            def peek(self, size: int) -> Any:
                return kind(self.inner.getvalue()[self.inner.tell() :][: size + 20])

        if lies == "readinto":

            def readinto(self, view: memoryview) -> int:
                self.kept = view
                return 1 << 62 if kind is Longer else -1

            def seek(self, *where: int) -> int:
                return self.inner.seek(*where)

            def tell(self) -> int:
                return self.inner.tell()

            def seekable(self) -> bool:
                return True

    for data in (PLAIN, large, lines):
        with contextlib.suppress(safepickle.UnpicklingError, ValueError, TypeError):
            safepickle.Unpickler(File(data)).load()


def test_a_file_that_keeps_the_view_it_was_given_to_fill():
    kept: list[memoryview] = []

    class File(io.BytesIO):
        def readinto(self, view: Any, /) -> int:
            kept.append(memoryview(view))
            return super().readinto(view)

    payload = bytes(range(256)) * 300
    with contextlib.suppress(BufferError):
        loaded = safepickle.load(File(pickled(5, ("BYTEARRAY8", payload))))
        assert loaded == payload
    for view in kept:
        with contextlib.suppress(ValueError, TypeError):
            view[:] = bytes(len(view))


def test_a_file_that_loads_from_itself_while_it_is_read():
    class File(io.BytesIO):
        unpickler: safepickle.Unpickler

        def read(self, size: int | None = -1, /) -> bytes:
            with pytest.raises(safepickle.UnpicklingError, match="running"):
                self.unpickler.load()
            with pytest.raises(safepickle.UnpicklingError, match="running"):
                self.unpickler.__init__(self)  # type: ignore[misc]
            assert safepickle.loads(GOOD) == "good"
            return super().read(size)

    file = File(PLAIN + GOOD)
    file.unpickler = safepickle.Unpickler(file)
    assert file.unpickler.load() == RECORDS
    assert file.unpickler.load() == "good"


def test_bytes_that_change_between_two_instructions_are_read_as_they_were():
    data = bytearray(PLAIN)
    lines = disassemble(data)  # type: ignore[arg-type]  # bytes are what it wants
    next(lines)
    data.clear()
    assert [line.position for line in lines] == [line.position for line in disassemble(PLAIN)][1:]


@pytest.mark.parametrize("given", [bytearray(GOOD), memoryview(GOOD), type("Sub", (bytes,), {})(GOOD)])
def test_a_reader_takes_any_buffer_and_keeps_bytes(given):
    reader = Reader(given)
    assert type(reader.data) is bytes
    assert reader.instruction() == (0x80, 4)


def test_a_reader_begins_within_its_data_and_nobody_moves_it():
    for pos in (-1, 4, -(1 << 62), 1 << 62):
        with pytest.raises(ValueError, match="within"):
            Reader(b"N0.", pos)
    with pytest.raises((TypeError, ValueError)):
        Reader("N.")  # type: ignore[arg-type]  # text has no bytes
    reader = Reader(GOOD)
    for at in (-1, -3, len(GOOD), 1 << 62):
        with pytest.raises(IndexError):
            reader.literal(at)


# --- Lengths that no memory has ---------------------------------------------------------------------------------------
COUNTED: Final = {
    "BINBYTES8": 8, "BINUNICODE8": 8, "BYTEARRAY8": 8, "FRAME": 8, "BINBYTES": 4, "BINUNICODE": 4, "BINSTRING": 4,
    "LONG4": 4, "SHORT_BINBYTES": 1, "SHORT_BINUNICODE": 1, "SHORT_BINSTRING": 1, "LONG1": 1,
}  # fmt: skip


class OneWay(io.RawIOBase):
    """Gives bytes, and cannot go back."""

    def __init__(self, data: bytes) -> None:
        self.inner = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self.inner.read(size)

    def readline(self, size: int | None = -1) -> bytes:
        return self.inner.readline(size)


@pytest.mark.parametrize("name", COUNTED)
def test_a_length_of_any_size_is_refused_before_it_is_believed(name):
    width = COUNTED[name]
    largest = 1 << 8 * width
    half, quarter = largest // 2, largest // 4
    sizes = {largest - 1, largest - 2, half, half - 1, half + 3, quarter, quarter - 1, 9}
    code = asm((name, *([b""] if name != "FRAME" else [0])))[:1]
    for size in sizes:
        for before in (b"", b"\x80\x04(", b"\x80\x04\x95\x20\0\0\0\0\0\0\0("):
            data = before + code + struct.pack("<Q", size)[:width] + b"(N..\0abc."
            for read in (
                safepickle.loads,
                safepickle.verify,
                lambda given: safepickle.load(io.BytesIO(given)),
                lambda given: safepickle.load(io.BufferedReader(io.BytesIO(given))),
                lambda given: safepickle.load(OneWay(given)),
            ):
                with pytest.raises(safepickle.UnpicklingError):
                    read(data)
            assert not safepickle.scan(data).ok
            assert list(disassemble(data))


# --- Dumping: code that comes back in ---------------------------------------------------------------------------------
class Reducing:
    def __reduce__(self) -> Any:
        act()
        return here_list, ()


def here_list() -> list[Any]:
    return []


def test_a_pickler_that_runs_cannot_be_entered_again():
    tried: list[str] = []

    def enter(*_: object) -> None:
        with pytest.raises(safepickle.PicklingError, match="running"):
            pickler.dump(RECORDS)
        tried.append("refused")

    class Entering(safepickle.Pickler):
        def persistent_id(self, obj: Any, /) -> Any:
            if obj == "enter":
                enter()
            return None

        def reducer_override(self, _obj: Any) -> Any:
            enter()
            return NotImplemented

    class File(io.BytesIO):
        def write(self, data: Any, /) -> int:
            if entered:
                enter()
            return super().write(data)

    entered = False
    for protocol in range(6):
        file = File()
        pickler = Entering(file, protocol)
        with doing(enter):
            pickler.dump([1, "enter", Reducing(), "after"])
        assert pickle.loads(file.getvalue()) == [1, "enter", [], "after"]
    file = File()
    pickler = safepickle.Pickler(file, 5, buffer_callback=enter)
    entered = True
    pickler.dump([pickle.PickleBuffer(b"x"), bytes(100_000), "after"])
    assert pickle.loads(file.getvalue(), buffers=[b"x"])[2] == "after"
    assert len(tried) > 15
    pickler.clear_memo()
    entered = False
    pickler.dump(RECORDS)  # and then it goes on


def test_a_dump_that_dumps_and_loads_does_not_disturb_the_one_it_is_part_of():
    def again() -> None:
        assert safepickle.dumps(RECORDS) == pickle.dumps(RECORDS)
        assert safepickle.loads(PLAIN) == RECORDS
        with pytest.raises(TypeError):
            safepickle.dumps([RECORDS, threading.Lock()])

    for protocol in range(6):
        with doing(again):
            made = [RECORDS, Reducing(), bytes(70_000), Reducing(), RECORDS]
            assert pickle.loads(safepickle.dumps(made, protocol)) == [RECORDS, [], bytes(70_000), [], RECORDS]


CHANGES: Final[dict[str, Callable[[safepickle.Pickler], Any]]] = {
    "clear": lambda pickler: pickler.clear_memo(),
    "proxy": lambda pickler: pickler.memo.clear(),
    "replace": lambda pickler: setattr(pickler, "memo", {each: (each, [each]) for each in range(500)}),
    "itself": lambda pickler: setattr(pickler, "memo", pickler.memo),
    "text": lambda pickler: setattr(pickler, "bin", 0),
    "fast": lambda pickler: setattr(pickler, "fast", 1),
    "anew": lambda pickler: pickler.__init__(io.BytesIO()),  # type: ignore[misc]  # that is what is tried
    "saver": lambda pickler: pickler._saver.__init__(),  # type: ignore[misc]
    "begin": lambda pickler: pickler._saver.begin(0, True, None),
    "collect": lambda _pickler: gc.collect(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_hook_may_change_the_pickler_itself(change):
    class Changing(safepickle.Pickler):
        def persistent_id(self, obj: Any, /) -> Any:
            if obj == "change":
                CHANGES[change](self)
            return None

    for protocol in range(6):
        file = io.BytesIO()
        pickler = Changing(file, protocol)
        for _ in range(2):
            with contextlib.suppress(safepickle.PicklingError, IndexError, ValueError, TypeError, RecursionError):
                pickler.dump([RECORDS, ["a", "change", (RECORDS, {"k": "change"})], frozenset({"change"}), RECORDS])
            pickler.memo.copy()


def test_containers_that_change_while_they_are_written():
    """A list may; a dict and a set say so, as they do everywhere."""
    for protocol in range(6):
        for size in (1, 2, 5, 1001):
            for container in (list, dict, set):
                items = [Reducing() for _ in range(size)]
                held: Any = container(items) if container is not dict else dict(zip(range(size), items, strict=True))
                for change in (held.clear, lambda held=held: held.update([(9**9, 9)]) if held else None):
                    with doing(change), contextlib.suppress(RuntimeError, AttributeError):
                        safepickle.dumps(held, protocol)


class Freed:
    """Acts when it is freed, on the pickler that has written it."""

    pickler: Any = None

    def __reduce__(self) -> Any:
        return here_list, ()

    def __del__(self) -> None:
        called.append("freed")
        if Freed.pickler is not None:
            Freed.pickler.dump([1, "two", Reducing()])
            Freed.pickler.memo.copy()
            Freed.pickler.clear_memo()


def test_what_is_freed_with_the_memo_may_use_the_pickler():
    Freed.pickler = safepickle.Pickler(io.BytesIO())
    try:
        for clear in (Freed.pickler.clear_memo, lambda: setattr(Freed.pickler, "memo", {1: (1, "x")})):
            Freed.pickler.dump([Freed() for _ in range(100)])
            clear()
            assert len(called) >= 100
            called.clear()
    finally:
        Freed.pickler = None


# --- Threads ----------------------------------------------------------------------------------------------------------
def test_threads_that_share_an_unpickler_or_a_pickler_are_told_so():
    def slowly(*_given: object) -> None:
        for _ in range(20):
            safepickle.loads(GOOD)

    count = 60
    stream = pickled(4, list_of(text("a"), put(0), reduce(here("acting"), number(1))))
    unpickler = safepickle.Unpickler(io.BytesIO(stream * count), policy=CALLS)
    written = io.BytesIO()
    pickler = safepickle.Pickler(written)
    outcomes: list[str] = []

    def work() -> None:
        for _ in range(count):
            try:
                assert unpickler.load() == ["a", None]
                pickler.dump([RECORDS, Reducing()])
                outcomes.append("done")
            except (safepickle.UnpicklingError, safepickle.PicklingError) as error:
                outcomes.append("running" if "running" in str(error) else type(error).__name__)
            pickler.memo.copy()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with doing(slowly):
            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert set(outcomes) <= {"done", "running", "EndOfStream"}
    assert "done" in outcomes


# --- Objects of the core that were never set up, or twice -------------------------------------------------------------
def test_what_is_set_up_again_has_its_arrays_once():
    heap = symbols.Heap()
    codes = [heap.add_list(symbols.LIST, [1] * 50, 1) for _ in range(500)]
    heap.__init__()  # type: ignore[misc]
    with contextlib.suppress(IndexError):  # uncompiled it is a new one
        assert heap.codes(codes[-1]) == [1] * 50
    writer = Writer(4)
    writer.start(None)
    writer.__init__(2)  # type: ignore[misc]
    writer.start(None)
    writer.none()
    assert writer.finish() == b"\x80\x02N."
    with pytest.raises(ValueError, match="tuple of"):
        writer.short_tuple(1 << 40)
    reader = Reader(GOOD)
    verifier = Verifier(reader, Policy.named("plain").data, Policy.named("plain").limits, PLAIN_OPTIONS)
    verifier.check()
    verifier.__init__(Reader(PLAIN), Policy.named("plain").data, Policy.named("plain").limits, PLAIN_OPTIONS)  # type: ignore[misc]
    verifier.check()
    file_reader = FileReader(io.BytesIO(GOOD))
    file_reader.instruction()
    file_reader.__init__(io.BytesIO(PLAIN))  # type: ignore[misc]
    assert file_reader.instruction() == (0x80, 4)


PROBING: Final = """
import faulthandler, importlib, sys
faulthandler.enable()
from safepickle import limits, policy, reader, symbols, verifier, writer
NAMES = "symbols reader verifier unpickler pickler writer matching weighing values".split()
ARGUMENTS = (
    (), (0,), (1, 2), (0, 0, 0), (None,), (None, None), (None, None, None), (None, None, None, None), (b"N.", 0),
    (b"N.",), (10**6,), (-1,), ([1],), (17, [1, 2, 3], 1), (2**62, 2**62), (22, None, 0), ({},), ("a", "b"),
)
LEFT_ALONE = {"__init__", "__new__", "__class__", "__dealloc__", "__del__"}
rules = policy.Policy.named("plain")
def verifying():
    return verifier.Verifier(reader.Reader(b"N."), rules.data, rules.limits, verifier.PLAIN_OPTIONS)
READY = {
    "Heap": lambda _: symbols.Heap(), "Reader": lambda _: reader.Reader(b"K\\x01."),
    "Verifier": lambda _: verifying(), "Writer": lambda _: writer.Writer(4),
}
probed = 0
for name in NAMES:
    module = importlib.import_module("safepickle." + name)
    for cls in [each for each in vars(module).values() if isinstance(each, type)]:
        if cls.__module__ != module.__name__ or issubclass(cls, (tuple, BaseException)):
            continue
        for make in {cls.__new__, READY.get(cls.__name__, cls.__new__)}:
            for attribute in sorted({*dir(cls)} - LEFT_ALONE):
                if isinstance(getattr(cls, attribute), (str, type)):
                    continue
                for arguments in ARGUMENTS:
                    made = make(cls)
                    probed += 1
                    try:
                        getattr(made, attribute)(*arguments)
                    except (Exception, SystemExit):
                        pass
                try:
                    delattr(made, attribute)
                except Exception:
                    continue
                for method in ("check", "plan", "uint1", "codes", "finish"):
                    try:
                        getattr(made, method)()
                    except Exception:
                        pass
print(probed)
"""


def test_an_object_that_was_never_set_up_raises_and_does_not_end_the_process():
    done = subprocess.run([sys.executable, "-c", PROBING], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) > 3000
