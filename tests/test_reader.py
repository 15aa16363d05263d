"""The one cursor: each reading at its edges, whole and through every kind of file, and never past the pickle."""

from __future__ import annotations

import io
import pickle
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

import safepickle
from safepickle import opcodes
from safepickle.errors import EndOfStream, LimitExceeded, MalformedStream
from safepickle.reader import LARGE, FileReader, Reader, frozen_input
from tests.assembler import SAMPLES, asm, framed, is_counted, length_size, lying

MEBIBYTE: Final = 1 << 20


# --- Files of every kind ----------------------------------------------------------------------------------------------
class Exact:
    """A file that can neither peek nor seek: what pickle asks for, and no more."""

    def __init__(self, data: bytes) -> None:
        self.inner = io.BytesIO(data)
        self.taken = 0

    def read(self, size: int) -> bytes:
        given = self.inner.read(size)
        self.taken += len(given)
        return given

    def readline(self) -> bytes:
        given = self.inner.readline()
        self.taken += len(given)
        return given


class Dribbling(Exact):
    """Gives one byte at a time, as a socket may."""

    def read(self, size: int) -> bytes:
        return super().read(min(size, 1))


class Peeking(Exact):
    """Shows some of what comes next."""

    def __init__(self, data: bytes, shown: int = 8192) -> None:
        super().__init__(data)
        self.shown = shown

    def peek(self, _size: int = 0) -> bytes:
        here = self.inner.tell()
        given = self.inner.read(self.shown)
        self.inner.seek(here)
        return given


class Seeking(Exact):
    """Can be put back, and counts what it has to give again."""

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.inner.tell()

    def seek(self, position: int, whence: int = 0) -> int:
        return self.inner.seek(position, whence)

    def readinto(self, buffer: Any) -> int:
        given = self.inner.readinto(buffer)
        self.taken += given
        return given


def rest(file: Any) -> bytes:
    """All that is left in a file."""
    return b"".join(iter(lambda: file.read(100), b""))


FILES: Final[dict[str, Callable[[bytes], Any]]] = {
    "neither": Exact,
    "neither, a byte at a time": Dribbling,
    "peek": Peeking,
    "peek one byte": lambda data: Peeking(data, 1),
    "peek at nothing": lambda data: Peeking(data, 0),
    "seek": Seeking,
    "BytesIO": io.BytesIO,
    "BufferedReader": lambda data: io.BufferedReader(io.BytesIO(data)),
}
every_file = pytest.mark.parametrize("opened", FILES.values(), ids=FILES)


def readers(data: bytes) -> Iterator[tuple[str, Reader]]:
    """A cursor over the bytes, and one over each kind of file."""
    yield "bytes", Reader(data)
    for name, opened in FILES.items():
        yield name, FileReader(opened(data))


# --- Every opcode's argument ------------------------------------------------------------------------------------------
LITTLE: Final = frozenset({opcodes.STRING1, opcodes.STRING4, opcodes.QUOTED_LINE})


def written(row: opcodes.Opcode) -> bytes:
    return asm((row.name, *SAMPLES[row.argument]))


def expected(row: opcodes.Opcode) -> object:
    sample = SAMPLES[row.argument]
    if row.argument == opcodes.TWO_LINES:
        return sample
    if row.argument in LITTLE:
        return sample[0].encode("latin-1")
    if row.name == "FRAME":
        return 0  # how much of it is there, where nothing follows
    return sample[0] if sample else None


rows = pytest.mark.parametrize("row", opcodes.TABLE, ids=lambda row: row.name)


@rows
def test_an_instruction_is_read_alike_whole_and_from_every_file_with_or_without_a_tail(row: opcodes.Opcode) -> None:
    for tail in (b"", b"\x00tail\n"):
        for name, reader in readers(written(row) + tail):
            assert reader.instruction() == (row.code, expected(row)), name
            assert reader.consumed == len(written(row)), name


@rows
def test_an_instruction_that_is_cut_is_malformed_wherever_it_is_cut(row: opcodes.Opcode) -> None:
    data = written(row)
    for length in range(len(data)):
        for name, reader in readers(data[:length]):
            with pytest.raises(MalformedStream) as refused:
                reader.instruction()
            assert isinstance(refused.value, EndOfStream) == (length == 0), name


@rows
def test_a_literal_that_was_passed_can_be_read_again_and_the_cursor_stays(row: opcodes.Opcode) -> None:
    if row.name == "FRAME":
        return
    for name, reader in readers(b"N" + written(row) + b"."):
        reader.instruction()
        reader.instruction()
        before = reader.pos, reader.at, reader.end, reader.shift
        assert reader.literal(1) == {"NEWTRUE": True, "NEWFALSE": False}.get(row.name, expected(row)), name
        assert (reader.pos, reader.at, reader.end, reader.shift) == before, name


@every_file
def test_a_large_payload_is_kept_aside_and_read_again_as_the_same_object(opened: Callable[[bytes], Any]) -> None:
    size = LARGE + 7
    for name in ("BINBYTES", "BINBYTES8", "BINUNICODE", "BINUNICODE8", "BYTEARRAY8"):
        row = opcodes.BY_NAME[name]
        file = opened(asm("NONE", (name, b"x" * size), "POP", "STOP") + b"tail")
        reader = FileReader(file)
        reader.instruction()
        _, value = reader.instruction()
        assert len(value) == size
        assert reader.literal(1) is value
        assert [reader.instruction()[0], reader.instruction()[0]] == [0x30, 0x2E]
        assert reader.consumed == size + 3 + 1 + length_size(row)
        assert reader.position == reader.consumed - 1
        reader.close()
        assert rest(file) == b"tail"
        again = Reader(reader.taken(), asides=reader.asides)
        assert [again.instruction()[0] for _ in range(4)] == [0x4E, row.code, 0x30, 0x2E]
        assert again.position == reader.position


# --- Exactly one pickle, and no more than that ------------------------------------------------------------------------
PICKLES: Final = (
    [1, "two", 3.0, None], {"a": [b"x" * 300, 2**100]}, "y" * 5000, b"z" * (LARGE + 1), [["deep"]], bytearray(70_000),
)  # fmt: skip


@every_file
@pytest.mark.parametrize("protocol", range(6))
def test_each_load_takes_one_pickle_and_leaves_the_rest(opened: Callable[[bytes], Any], protocol: int) -> None:
    written_by_pickle = [pickle.dumps(value, protocol) for value in PICKLES]
    file = opened(b"".join(written_by_pickle) + b"the tail\n")
    unpickler = safepickle.Unpickler(file)
    assert [unpickler.load() for _ in PICKLES] == list(PICKLES)
    assert rest(file) == b"the tail\n"


@every_file
def test_the_end_of_a_file_of_pickles_is_an_end_of_file(opened: Callable[[bytes], Any]) -> None:
    file = opened(b"N.N.")
    assert [safepickle.load(file), safepickle.load(file)] == [None, None]
    with pytest.raises(EOFError):
        safepickle.load(file)


@pytest.mark.parametrize("opened", [Exact, Dribbling, Peeking, Seeking])
def test_many_small_pickles_in_one_file_cost_the_same_each(opened: type[Exact]) -> None:
    costs = []
    for count in (500, 1000):
        file = opened(pickle.dumps(["a", 1]) * count)
        for _ in range(count):
            safepickle.load(file)
        costs.append(file.taken)
    assert costs[1] <= 2.1 * costs[0]


def test_a_file_for_which_going_back_may_be_costly_is_peeked_into_and_never_put_back() -> None:
    class Decompressing(Peeking):
        def seekable(self) -> bool:
            return True

        def tell(self) -> int:
            return self.inner.tell()

        def seek(self, position: int, whence: int = 0) -> int:
            raise AssertionError("it would have to start from its beginning")

    file = Decompressing(pickle.dumps([1, 2]) * 2 + pickle.dumps(b"x" * LARGE))
    assert [safepickle.load(file), safepickle.load(file)] == [[1, 2], [1, 2]]
    assert len(safepickle.load(file)) == LARGE


def test_only_as_much_of_a_peek_is_used_as_a_small_pickle_needs() -> None:
    file = Peeking(pickle.dumps(["a", 1]) * 4000, shown=MEBIBYTE)
    for _ in range(100):
        safepickle.load(file)
    assert file.taken <= 100 * 1024


def test_a_large_array_from_a_file_costs_one_copy_of_it() -> None:
    size = 8 * MEBIBYTE
    for payload in (bytes(size), bytearray(size)):
        file = io.BytesIO(pickle.dumps(payload, 5))
        tracemalloc.start()
        value = safepickle.load(file)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert value == payload
        assert peak < 1.2 * size


# --- Declared lengths -------------------------------------------------------------------------------------------------
COUNTED: Final = [row for row in opcodes.TABLE if is_counted(row)]


@pytest.mark.parametrize("row", COUNTED, ids=lambda row: row.name)
def test_a_length_that_is_not_there_allocates_nothing(row: opcodes.Opcode) -> None:
    bits = 8 * length_size(row)
    for length in (2 ** (bits - 1) - 1, 2**bits - 1 if row.argument not in {opcodes.STRING4, opcodes.LONG4_} else -1):
        for name, opened in FILES.items():
            data = lying(row.name, length, b"some")
            tracemalloc.start()
            with pytest.raises(MalformedStream):
                FileReader(opened(data)).instruction()
            with pytest.raises(MalformedStream):
                Reader(data).instruction()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < MEBIBYTE, name


def test_a_frame_past_the_end_is_refused_and_allocates_nothing() -> None:
    for length in (3, 2**31, 2**62, 2**64 - 1):
        for name, opened in [*FILES.items(), ("bytes", None)]:
            data = asm(("PROTO", 4), ("FRAME", length), "NONE", "STOP")
            tracemalloc.start()
            with pytest.raises(MalformedStream):
                safepickle.load(opened(data)) if opened else safepickle.loads(data)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < 4 * MEBIBYTE, name


# --- Frames -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "data",
    [
        asm(("FRAME", 1), ("BININT1", 1), "STOP"),
        asm(("FRAME", 2), ("BININT2", 1), "STOP"),
        asm(("FRAME", 4), ("SHORT_BINBYTES", b"abcdef"), "STOP"),
        asm(("FRAME", 3), b"I12345\n", "STOP"),
        asm(("FRAME", 12), ("FRAME", 3), "NONE", "POP", "NONE", "STOP"),
        asm(("FRAME", 9), "NONE", "STOP"),
        asm(("FRAME", 2), "NONE"),
    ],
    ids=[
        "it ends before an argument", "it ends inside an argument", "it ends inside a payload", "it ends inside a line",
        "it is in another", "STOP comes before its end", "the file ends in it",
    ],
)  # fmt: skip
def test_a_frame_is_a_promise(data: bytes) -> None:
    for opened in FILES.values():
        with pytest.raises(MalformedStream):
            safepickle.load(opened(data))
    with pytest.raises(MalformedStream):
        safepickle.loads(data)


def test_frames_may_be_empty_and_follow_each_other() -> None:
    data = asm(("PROTO", 4), ("FRAME", 0), framed("NONE", "POP"), ("FRAME", 0), framed(("BININT1", 7), "STOP"))
    for opened in FILES.values():
        assert safepickle.load(opened(data + b"tail")) == 7
    assert safepickle.loads(data) == 7


@every_file
def test_a_large_payload_counts_in_its_frame_when_it_is_loaded_too(opened: Callable[[bytes], Any]) -> None:
    payloads = ("BINBYTES", b"x" * LARGE), "POP", ("BINUNICODE8", "y" * LARGE), "POP", ("BYTEARRAY8", b"z" * LARGE)
    data = asm(("PROTO", 5), framed(*payloads), framed("POP", ("BININT1", 7)), framed("STOP"))
    assert safepickle.load(opened(data)) == 7


@every_file
def test_an_error_behind_a_large_payload_says_where_in_the_file_it_is(opened: Callable[[bytes], Any]) -> None:
    large = ("BINBYTES", b"x" * LARGE)
    data = asm(("PROTO", 4), large, "POP", "NONE", "NONE", "TUPLE2", "NONE", "NONE", "BUILD", "STOP")
    with pytest.raises(safepickle.UnpicklingError) as from_bytes:
        safepickle.loads(data)
    with pytest.raises(safepickle.UnpicklingError) as from_file:
        safepickle.load(opened(data))
    assert from_file.value.position == from_bytes.value.position == data.index(b"NNb.") + 2


# --- Numbers and texts ------------------------------------------------------------------------------------------------
NUMBERS: Final = {
    "INT": (
        [b"0", b"1", b"-1", b"123456789012345678901"],
        [b"", b"-", b"+1", b" 1", b"1 ", b"1_0", b"0x1", b"1L", b"01x", b"1\x00", b"\xd9\xa1", b"010", b"-0x", b"1.0",
         b"1\r", b"--1", b"000"],
    ),
    "LONG": (
        [b"0L", b"12L", b"-12L", b"12"],
        [b"", b"L", b"1l", b"1LL", b"+1L", b" 1L", b"1 L", b"0x1L", b"1_0L", b"1\x00L"],
    ),
    "GET": ([], [b"", b"-1", b"+1", b" 0", b"0 ", b"0x0", b"0_0", b"0L", b"0\x00", b"1" * 20]),
    "PUT": ([b"0", b"007"], [b"", b"-1", b"+1", b" 0", b"0 ", b"0x0", b"0_0", b"0L", b"0\x00", b"1" * 20]),
    "FLOAT": (
        [b"1.5", b"-1e5", b"1e+20", b"inf", b"-inf", b"nan", b"0.1", b"1", b"-0.0"],
        [b"", b"1_0", b" 1.5", b"1.5 ", b"+1.5", b"Infinity", b"NaN", b"INF", b"1e", b".5", b"5.", b"0x1p3", b"1.5\x00",
         b"1e5e5", b"1-5", b"--1.5", b"\xd9\xa1", b"infinity", b"+inf", b"nan(1)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_number_texts_have_one_grammar(name: str) -> None:
    good, bad = NUMBERS[name]
    for text in good:
        for label, reader in readers(bytes([opcodes.BY_NAME[name].code]) + text + b"\n"):
            _, value = reader.instruction()
            assert repr(value) == repr(float(text) if name == "FLOAT" else int(text.rstrip(b"L"))), label
    for text in bad:
        for label, reader in readers(bytes([opcodes.BY_NAME[name].code]) + text + b"\n"):
            with pytest.raises(MalformedStream):
                reader.instruction()
            assert label


def test_the_texts_00_and_01_are_the_old_booleans_of_int_alone() -> None:
    assert [Reader(text).instruction()[1] for text in (b"I00\n", b"I01\n")] == [False, True]
    with pytest.raises(MalformedStream):
        Reader(b"L01\n").instruction()


def test_decimal_text_is_bounded_before_it_is_converted() -> None:
    for name in ("I", "L"):
        assert Reader(name.encode() + b"9" * 4300 + b"\n").instruction()[1] == 10**4300 - 1
        with pytest.raises(LimitExceeded):
            Reader(name.encode() + b"-" + b"9" * 4301 + b"\n").instruction()
        assert Reader(name.encode() + b"9" * 50 + b"\n", integer_digits=50).instruction()[1] == 10**50 - 1
        with pytest.raises(LimitExceeded):
            Reader(name.encode() + b"9" * 51 + b"\n", integer_digits=50).instruction()


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"S'a\\n\\x41\\'\"'\n", b"a\nA'\""), (b'S"it\'s"\n', b"it's"), (b"S''\n", b""),
        (b"Va\\u20ac\\\n", "a\u20ac\\"), (b"V\xe9\n", "\xe9"), (b"V\n", ""),
    ],
)  # fmt: skip
def test_quoted_and_escaped_lines_are_read_as_python_writes_them(data: bytes, value: object) -> None:
    for _, reader in readers(data):
        assert reader.instruction()[1] == value


@pytest.mark.parametrize(
    "data",
    [
        b"S'a\n", b"Sa\n", b"S\n", b"S'\n", b"S'a\"\n", b"S'\\x4'\n", b"S'a' \n", b"S 'a'\n", b"S'a'\r\n", b"S'a\\'\n",
        b"V\\u12\n", b"V\\U00110000\n", b"c\nname\n", b"cmodule\n\n", b"c\xff\nname\n", b"cmodule\n\xff\n", b"P\xe9\n",
        b"X\x01\x00\x00\x00\xff", b"\x8c\x02\xc3(", b"T\xff\xff\xff\xff", b"\x8b\xff\xff\xff\xff",
    ],
    ids=ascii,
)  # fmt: skip
def test_texts_are_strict(data: bytes) -> None:
    for _, reader in readers(data):
        with pytest.raises(MalformedStream):
            reader.instruction()


def test_the_text_of_a_refusal_quotes_no_more_than_the_start_of_a_line_and_escapes_it() -> None:
    for data in (b"I\x1b[31m" + b"secret " * 100 + b"\n", b"F\x1b[31m" + b"secret " * 100 + b"\n", b"S'\\\x1b'\\x4'\n"):
        with pytest.raises(MalformedStream) as refused:
            Reader(data).instruction()
        assert str(refused.value).isprintable()
        assert len(str(refused.value)) < 200


def test_lone_surrogates_pass_as_they_do_in_pickle() -> None:
    assert Reader(asm(("BINUNICODE", "\ud800"))).instruction()[1] == "\ud800"


def test_every_byte_that_is_no_opcode_is_refused_in_the_words_of_pickle() -> None:
    for code in set(range(256)) - set(opcodes.BY_CODE):
        with pytest.raises(pickle.UnpicklingError) as theirs:
            pickle.loads(bytes([code]))
        with pytest.raises(MalformedStream) as ours:
            Reader(bytes([code])).instruction()
        assert str(ours.value) == str(theirs.value)


# --- Files that do what no file should --------------------------------------------------------------------------------
class Lying(Exact):
    """Answers with what it is told to."""

    def __init__(self, **answers: Any) -> None:
        super().__init__(b"")
        for name, answer in answers.items():
            setattr(self, name, answer if callable(answer) else (lambda *_, answer=answer: answer))


@pytest.mark.parametrize(
    ("file", "error"),
    [
        (Lying(read="N."), TypeError), (Lying(read=None), TypeError), (Lying(read=7), TypeError),
        (Lying(read=b"too much"), ValueError), (Lying(read=b"N", peek="N."), TypeError),
        (Lying(read=b"V", readline="text"), TypeError), (Lying(read=b"V", readline=None), TypeError),
        (io.StringIO("N."), TypeError),
    ],
    ids=range(8),
)  # fmt: skip
def test_errors_of_the_file_object_keep_their_class(file: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        safepickle.load(file)


@pytest.mark.parametrize("name", ["read", "readline", "peek", "tell", "seek"])
def test_what_the_file_raises_is_passed_on_as_it_is(name: str) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError("the disk is gone")

    file = (Exact if name == "readline" else Seeking)(b"Vtext\n.tail")
    setattr(file, name, fail)
    with pytest.raises(OSError, match="the disk is gone"):
        safepickle.load(file)


def test_a_peek_that_lies_is_found_out() -> None:
    class Changing(Peeking):
        def peek(self, _size: int = 0) -> bytes:
            return b"K\x07."

    with pytest.raises(MalformedStream, match="peek"):
        safepickle.load(Changing(b"K\x08."))


def test_bytes_that_were_read_are_never_read_again() -> None:
    """Otherwise a file could show one pickle to the verifier and another to the machine."""

    class Forgetful(Exact):
        def read(self, size: int) -> bytes:
            given = super().read(size)
            data = bytearray(self.inner.getvalue())
            data[: self.inner.tell()] = b"\xff" * self.inner.tell()
            here = self.inner.tell()
            self.inner = io.BytesIO(bytes(data))
            self.inner.seek(here)
            return given

    value = ["a" * 10, b"b" * LARGE, 1.5]
    assert safepickle.load(Forgetful(pickle.dumps(value))) == value


def test_bytes_like_answers_are_taken_and_short_ones_asked_for_again() -> None:
    class Views(Exact):
        def read(self, size: int) -> Any:
            return memoryview(super().read(max(1, size // 2)))

    value = [b"x" * (LARGE * 2 + 1), "text", 2**70, bytearray(LARGE + 5)]
    assert safepickle.load(Views(pickle.dumps(value, 5))) == value


@pytest.mark.parametrize("answer", [0, -1, None, 10**9], ids=str)
def test_a_readinto_that_lies_is_an_end_of_the_data(answer: int | None) -> None:
    class Lazy(io.BytesIO):
        pass

    data = pickle.dumps(bytearray(LARGE * 2), 5)
    file = Lazy(data)
    file.readinto = lambda _buffer: answer  # type: ignore[method-assign]
    with pytest.raises(MalformedStream):
        safepickle.load(file)


def test_a_file_that_fails_to_go_back_fails_as_it_does_and_the_next_load_goes_on() -> None:
    class Once(io.BytesIO):
        failing = True

        def seek(self, position: int, whence: int = 0) -> int:
            if self.failing:
                raise OSError("cannot seek now")
            return super().seek(position, whence)

    file = Once(b"N.K\x07.")
    unpickler = safepickle.Unpickler(file)
    with pytest.raises(OSError, match="cannot seek now"):
        unpickler.load()
    file.failing = False
    file.seek(2)
    assert unpickler.load() == 7


# --- The limit `bytes` ------------------------------------------------------------------------------------------------
def test_the_limit_bytes_holds_before_the_bytes_are_waited_for() -> None:
    policy = safepickle.Policy.from_yaml("safepickle: 1\nlimits: {bytes: 1000}\n")

    class Endless(Exact):
        def read(self, size: int) -> bytes:
            self.taken += size
            return b"V" + b"x" * (size - 1)

        def readline(self) -> bytes:
            self.taken += 5000
            return b"x" * 5000

    class EndlessPeek(Endless):
        def peek(self, _size: int = 0) -> bytes:
            return b"V" + b"x" * 8191

    for file in (Endless(b""), EndlessPeek(b"")):
        with pytest.raises(LimitExceeded, match="bytes"):
            safepickle.load(file, policy=policy)
        assert file.taken < 20_000
    for opened in FILES.values():
        with pytest.raises(LimitExceeded, match="bytes"):
            safepickle.load(opened(pickle.dumps(b"x" * LARGE)), policy=policy)
        with pytest.raises(LimitExceeded, match="bytes"):
            safepickle.load(opened(pickle.dumps(["x" * 400] * 2 + ["y" * 600])), policy=policy)
        assert safepickle.load(opened(pickle.dumps(b"x" * 900)), policy=policy) == b"x" * 900


def test_the_limit_bytes_is_about_one_pickle_not_about_the_file() -> None:
    policy = safepickle.Policy.from_yaml("safepickle: 1\nlimits: {bytes: 1000}\n")
    data = pickle.dumps(b"x" * 900) * 3
    assert safepickle.scan(data, policy=policy).ok
    file = io.BytesIO(data)
    assert [safepickle.load(file, policy=policy) for _ in range(3)] == [b"x" * 900] * 3


# --- Input in memory --------------------------------------------------------------------------------------------------
def test_bytes_are_taken_as_they_are_and_everything_that_can_change_is_copied() -> None:
    data = b"N."
    assert frozen_input(data) is data
    for given in (bytearray(data), memoryview(data), memoryview(bytearray(b"N-.-"))[::2]):
        assert frozen_input(given) == data
        assert type(frozen_input(given)) is bytes


@pytest.mark.parametrize("given", ["N.", 5, None, ["N."], object()], ids=lambda given: type(given).__name__)
def test_what_is_no_buffer_is_a_type_error(given: object) -> None:
    with pytest.raises(TypeError):
        frozen_input(given)
