"""What numpy and Pillow believe about memory: what tells the truth passes, and every lie is refused, without them."""

from __future__ import annotations

from typing import Any

import pytest

import safepickle
from safepickle import Policy, PolicyError
from tests.assembler import (
    Step,
    build,
    dict_of,
    get,
    list_of,
    literal,
    named,
    newobj,
    number,
    pickled,
    put,
    reduce,
    text,
    tuple_of,
)

POLICY = Policy.named("numpy")


class Made:
    """A program among values."""

    def __init__(self, program: Step) -> None:
        self.program = program


def step(value: Any) -> Step:
    if isinstance(value, Made):
        return value.program
    if type(value) is dict:
        return dict_of(*((step(key), step(item)) for key, item in value.items()))
    if type(value) is list:
        return list_of(*map(step, value))
    if type(value) is tuple:
        return tuple_of(*map(step, value))
    return literal(value)


def ref(dotted: str) -> Made:
    module, _, name = dotted.partition(":")
    return Made(named(text(module), text(name)))


def call(dotted: str, *arguments: Any) -> Made:
    return Made(reduce(ref(dotted).program, *map(step, arguments)))


def with_state(target: Made, state: Any) -> Made:
    return Made(build(target.program, step(state)))


SIZES = {"b1": -1, "i4": -1, "i8": -1, "f8": -1, "O8": -1}


def dtype(what: Any, **lies: Any) -> Made:
    """A dtype as numpy writes it, but for what is said of it."""
    kind = what[0] if isinstance(what, str) else "V"
    size, alignment, flags = -1, -1, 0
    if kind in "SUV":
        number = int(what[1:]) if isinstance(what, str) else 0
        size, alignment = (number * 4, 4) if kind == "U" else (number, 1)
    if kind == "O":
        flags = 63
    if kind == "U":
        flags = 8
    fields = {"version": 3, "order": "|", "base": None, "names": None, "fields": None, "size": size,
              "alignment": alignment, "flags": flags, **lies}  # fmt: skip
    return with_state(call("numpy:dtype", what, False, True), tuple(fields.values()))


def record(size: int, fields: dict[str, tuple[Any, ...]], flags: int = 16, **lies: Any) -> Made:
    return dtype(f"V{size}", **{"names": tuple(fields), "fields": fields, "flags": flags, **lies})


def array(shape: Any, kind: Any, data: Any, version: int = 1) -> Made:
    made = call("numpy._core.multiarray:_reconstruct", ref("numpy:ndarray"), (0,), b"b")
    return with_state(made, (version, shape, kind, False, data))


def masked(shape: Any, kind: Any, data: Any, mask: Any, filler: Any) -> Made:
    made = call("numpy.ma.core:_mareconstruct", ref("numpy.ma.core:MaskedArray"), ref("numpy:ndarray"), (0,), b"b")
    return with_state(made, (1, shape, kind, False, data, mask, filler))


TRUE = {
    "number": dtype("f8", order="<"),
    "object": dtype("O8"),
    "text": dtype("U7", order="<"),
    "bytes": dtype("S0"),
    "record": record(12, {"x": (dtype("i4"), 0), "y": (dtype("f8"), 4)}),
    "a union of numbers": record(8, {"x": (dtype("f8"), 0), "y": (dtype("i4"), 4)}),
    "record of an object": record(16, {"x": (dtype("i8"), 0), "o": (dtype("O8"), 8)}, flags=27),
    "aligned record": record(16, {"x": (dtype("b1"), 0), "y": (dtype("f8"), 8)}, flags=-112, alignment=8),
    "record with a title": record(
        12,
        {"x": (dtype("i4"), 0), "y": (dtype("f8"), 4)},
    ),
    "items of an item": dtype("V24", base=(dtype("i4"), (2, 3)), alignment=4),
    "objects in an item": dtype("V16", base=(dtype("O8"), (2,)), alignment=8, flags=63),
    "times": with_state(
        call("numpy:dtype", "M8", False, True), (4, "<", None, None, None, -1, -1, 0, ({}, (b"ns", 1, 1, 1)))
    ),
    "array": array((2,), dtype("i4"), b"12345678"),
    "array of objects": array((2, 1), dtype("O8"), [1, "a"]),
    "empty array": array((0, 10**12), dtype("f8"), b""),
    "masked array": masked((2,), dtype("i4"), b"12345678", b"\0\1", 7),
}

HUGE = call("builtins:range", 0, 10**11, 1)
NEVER_BUILT = call("numpy:dtype", "V8", False, True)
I4 = dtype("i4")
F8 = dtype("f8")
O8 = dtype("O8")

LIES = {
    # products beyond 64 bits
    "as many items as make no bytes at 64 bits": array((2**62,), dtype("i4"), b""),
    "more items than 64 bits count": array((2**64 + 2,), dtype("i4"), b"12345678"),
    "a text as long as nothing at 64 bits": dtype(f"U{2**62}", size=0),
    # pointers
    "an object dtype that says it holds none": dtype("O8", flags=0),
    "an object dtype that says it is no list": dtype("O8", flags=61),
    "a number that says it is a pointer": dtype("i8", flags=63),
    "a record whose object is not said": record(8, {"o": (O8, 0)}, flags=16),
    "a record without an object that says it has one": record(8, {"x": (F8, 0)}, flags=27),
    "a number over an object": record(8, {"o": (O8, 0), "x": (F8, 0)}, flags=27),
    "half a number over an object": record(12, {"x": (F8, 0), "o": (O8, 4)}, flags=27),
    "two objects in one place": record(8, {"o": (O8, 0), "p": (O8, 0)}, flags=27),
    "objects of an old machine, packed": record(8, {"o": (dtype("O4"), 0), "p": (dtype("O4"), 4)}, flags=27),
    "objects in an item that says it has none": dtype("V16", base=(O8, (2,)), flags=0),
    "an array of objects made of bytes": array((1,), O8, b"AAAAAAAA"),
    "an array of objects made of text": array((1,), O8, "AAAAAAAA"),
    "an array of numbers made of a list": array((1,), F8, [1.5]),
    "an array of objects that lacks one": array((3,), O8, [1, 2]),
    "an array of 100,000 objects made of one": array((100_000,), O8, [None]),
    "an array of more objects than it has room for": array((1,), O8, [1, 2]),
    # places
    "a field beyond its item": record(8, {"x": (F8, 8)}),
    "a field that leaves its item": record(8, {"x": (F8, 4)}),
    "a field far out": record(8, {"x": (F8, 2**40)}),
    "a field before its item": record(8, {"x": (F8, -8)}),
    "a name without a field": record(8, {"x": (F8, 0)}, names=("x", "y")),
    "a field without a name": record(8, {"x": (F8, 0), "y": (F8, 0)}, names=("x",)),
    "a name twice": record(8, {"x": (F8, 0)}, names=("x", "x")),
    "names without fields": dtype("V8", names=("x",), flags=16),
    "fields without names": dtype("V8", fields={"x": (F8, 0)}, flags=16),
    "names that are no text": record(8, {"x": (F8, 0)}, names=(1,)),
    "a field of no dtype": record(8, {"x": ("f8", 0)}),
    "a field whose offset is a float": record(8, {"x": (F8, 0.0)}),
    "a title without a field": record(8, {"x": (F8, 0, "t")}),
    "a title that stands elsewhere": record(16, {"x": (F8, 0, "t"), "t": (F8, 8, "t")}, names=("x",)),
    "fields of a number": dtype("f8", names=("x",), fields={"x": (F8, 0)}),
    "a base of a number": dtype("f8", base=(F8, (1,))),
    "a base and fields": record(8, {"x": (F8, 0)}, base=(F8, (1,))),
    "more in an item than it is long": dtype("V8", base=(F8, (2,))),
    "less in an item than it is long": dtype("V16", base=(F8, (1,))),
    "a negative number of items in an item": dtype("V8", base=(F8, (-1,))),
    "an item of items without end": dtype("V8", base=(F8, (2**62, 2**62))),
    # lengths
    "a longer item than it says": dtype("V8", size=2**20),
    "a negative item": dtype("V8", size=-1),
    "a text of another length": dtype("U7", size=7),
    "bytes of another length": dtype("S3", size=300),
    "a number with a length": dtype("f8", size=100),
    "an alignment of nothing": dtype("V8", alignment=0),
    "an alignment of three": dtype("V8", alignment=3),
    "a number with leading zeros": dtype("V08"),
    "flags of nine bits": dtype("V8", flags=256 + 63),
    "a version of its own": dtype("f8", version=7),
    "an order of its own": dtype("f8", order="?"),
    "fewer bytes than numbers": array((3,), I4, b"12345678"),
    "more bytes than numbers": array((1,), I4, b"12345678"),
    "a shape that overflows to nothing": array((2**32, 2**32), F8, b""),
    "an empty shape that overflows": array((0, 2**40, 2**40), F8, b""),
    "a huge shape": array((10**12,), F8, b""),
    "a huge shape of empty items": array((10**12,), dtype("S0"), b""),
    "a negative shape": array((-1,), I4, b"1234"),
    "a shape of two negatives": array((-1, -1), I4, b"1234"),
    "a shape of texts": array(("1",), I4, b"1234"),
    "a shape that is a list": array([1], I4, b"1234"),
    "a shape of 65 dimensions": array((1,) * 65, I4, b"1234"),
    "an array of another version": array((1,), I4, b"1234", version=0),
    "an array of a dtype without its state": array((1,), NEVER_BUILT, b"12345678"),
    "an array of no dtype": array((1,), "i4", b"1234"),
    "a masked array of too few": masked((2,), I4, b"1234", b"\0\0", 7),
    "a mask of a list": masked((1,), I4, b"1234", [0], 7),
    "a fill value without end": masked((1,), I4, b"1234", b"\0", HUGE),
    # times
    "times in no unit": with_state(
        call("numpy:dtype", "M8", False, True), (4, "<", None, None, None, -1, -1, 0, ({}, (b"xx", 1, 1, 1)))
    ),
    "times divided by nothing": with_state(
        call("numpy:dtype", "M8", False, True), (4, "<", None, None, None, -1, -1, 0, ({}, (b"s", 1, 0, 1)))
    ),
    "a multiple of nothing": with_state(
        call("numpy:dtype", "m8", False, True), (4, "<", None, None, None, -1, -1, 0, ({}, (b"s", 0, 1, 1)))
    ),
    "metadata that is a number": with_state(
        call("numpy:dtype", "f8", False, True), (4, "<", None, None, None, -1, -1, 0, 7)
    ),
}

HOSTILE = {
    "numpy's own dtype, changed": with_state(
        call("numpy:dtype", "f8", False, False), (3, ">", None, None, None, -1, -1, 0)
    ),
    "a dtype of a list": call("numpy:dtype", [("x", "O")], False, True),
    "a dtype of a huge item": dtype("V99999999999"),
    "a dtype of many": dtype("i4,O"),
    "a dtype without its state": NEVER_BUILT,
    "an array made of a listed class that is none": call(
        "numpy._core.multiarray:_reconstruct", ref("numpy:float64"), (0,), b"b"
    ),
    "an array made with a shape": call("numpy._core.multiarray:_reconstruct", ref("numpy:ndarray"), (10**12,), b"b"),
    "an array made of objects": call("numpy._core.multiarray:_reconstruct", ref("numpy:ndarray"), (0,), b"O"),
    "a scalar without its bytes": call("numpy._core.multiarray:scalar", dtype("V999999999")),
    "a scalar of a dtype without its state": call("numpy._core.multiarray:scalar", NEVER_BUILT, b"12345678"),
    "a scalar of an iterator": call("numpy._core.multiarray:scalar", O8, HUGE),
    "a scalar of a tuple": call("numpy._core.multiarray:scalar", O8, (1, 2)),
    "a buffer with a huge shape": call("numpy._core.numeric:_frombuffer", b"", F8, (10**16,), "C"),
    "a buffer with a negative shape": call("numpy._core.numeric:_frombuffer", b"12345678", F8, (-1,), "C"),
    "a buffer of a dtype without its state": call(
        "numpy._core.numeric:_frombuffer", b"12345678", NEVER_BUILT, (1,), "C"
    ),
    "a buffer of a range": call("numpy._core.numeric:_frombuffer", HUGE, F8, (1,), "C"),
    "a function of numpy by any name": call("numpy._core:_ufunc_reconstruct", "numpy", "load"),
    "a function of any module": call("numpy._core:_ufunc_reconstruct", "os", "add"),
    "an array called for": call("numpy:zeros", (10**12,)),
    "a generator of no name": call("numpy.random._pickle:__bit_generator_ctor", "os.system"),
    "a generator of a listed class that is none": call(
        "numpy.random._pickle:__bit_generator_ctor", ref("numpy:ndarray")
    ),
    "a position beyond the numbers": with_state(
        call("numpy.random._pickle:__bit_generator_ctor", "MT19937"),
        {"bit_generator": "MT19937", "state": {"key": array((1,), I4, b"1234"), "pos": 10**6}},
    ),
    "a position before the numbers": with_state(
        call("numpy.random._pickle:__bit_generator_ctor", "Philox"),
        {"bit_generator": "Philox", "buffer_pos": -5,
         "state": {"key": array((1,), I4, b"1234"), "counter": array((1,), I4, b"1234")}},
    ),
    "an old position beyond the numbers": with_state(
        call("numpy.random:__RandomState_ctor"), ("MT19937", array((1,), I4, b"1234"), 625, 0, 0.0)
    ),
    "a seed of another class": call(
        "numpy.random.bit_generator:__pyx_unpickle_SeedSequence", ref("numpy:ndarray"), 1, None
    ),
    "text of many without end": with_state(
        call("numpy._core.multiarray:_reconstruct", ref("numpy:ndarray"), (0,), b"b"),
        (1, (1,), call("numpy._core._internal:_convert_to_stringdtype_kwargs", True), False, [HUGE]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", TRUE)
def test_a_state_that_numpy_can_believe_is_admitted(what):
    for protocol in (2, 4):
        safepickle.verify(pickled(protocol, TRUE[what].program), policy=POLICY)


@pytest.mark.parametrize("what", [*LIES, *HOSTILE])
def test_a_lie_about_memory_and_a_hostile_argument_are_refused(what):
    program = {**LIES, **HOSTILE}[what].program
    for protocol in (2, 4):
        with pytest.raises(safepickle.Forbidden):
            safepickle.verify(pickled(protocol, program), policy=POLICY)
        assert safepickle.scan(pickled(protocol, program), policy=POLICY).verdict == "forbidden"


def image(mode: Any, size: Any, data: Any, *more: Any, palette: Any = None, info: Any = None) -> Made:
    made = Made(newobj(ref("PIL.Image:Image").program))
    return with_state(made, [{} if info is None else info, mode, size, palette, data, *more])


IMAGES = {
    "bytes": image("L", (3, 2), b"123456"),
    "of Python 2": image("RGB", (1, 1), "abc"),
    "without a pixel": image("RGB", (0, 0), b""),
    "bits that fill no byte": image("1", (9, 2), b"1234"),
    "two bytes for each": image("I;16", (2, 1), b"1234"),
    "a palette": image("P", (1, 1), b"1", palette=[1, 2, 255]),
    "a palette in bytes": image("PA", (1, 1), b"12", palette=b"123"),
    "of a file": image("L", (1, 1), b"1", "a.jpg", 1, [("\x01", 1, 1, 0)]),
    "with what was beside it": image("L", (1, 1), b"1", info={"dpi": (72, 72)}),
}
LIES_OF_IMAGES = {
    "more pixels than data": image("RGBA", (100_000, 100_000), b"1234"),
    "more data than pixels": image("L", (1, 1), b"12"),
    "lines without a pixel": image("L", (0, 10**9), b""),
    "pixels without a line": image("L", (10**9, 0), b""),
    "sides below nothing": image("L", (-1, -1), b"1"),
    "bits that fill one more byte": image("1", (9, 2), b"123"),
    "a mode that nobody knows": image("XYZ", (1, 1), b"123"),
    "a mode that is none": image(3, (1, 1), b"1"),
    "a size in a list": image("L", [1, 1], b"1"),
    "a size of three": image("L", (1, 1, 1), b"1"),
    "a size that is not spelled out": image("L", (1, call("decimal:Decimal", "1")), b"1"),
    "data that are not spelled out": image("L", (1, 1), call("decimal:Decimal", "1")),
    "a number for a palette": image("P", (1, 1), b"1", palette=10**11),
    "a palette of numbers that fit no byte": image("P", (1, 1), b"1", palette=[256]),
    "a palette of what is no number": image("P", (1, 1), b"1", palette=[None]),
    "a palette without end": image("P", (1, 1), b"1", palette=[1] * 1025),
    "what was beside it in a list": image("L", (1, 1), b"1", info=[]),
    "an object for a file's name": image("L", (1, 1), b"1", call("decimal:Decimal", "1")),
    "too much behind it": image("L", (1, 1), b"1", None, None, None, None),
}


@pytest.mark.parametrize("what", IMAGES)
def test_an_image_that_its_data_fill_is_admitted(what):
    for protocol in (2, 4):
        safepickle.verify(pickled(protocol, IMAGES[what].program), policy="pillow")


@pytest.mark.parametrize("what", LIES_OF_IMAGES)
def test_an_image_that_its_data_do_not_fill_is_refused(what):
    for protocol in (2, 4):
        with pytest.raises(safepickle.Forbidden):
            safepickle.verify(pickled(protocol, LIES_OF_IMAGES[what].program), policy="pillow")


def test_one_text_of_pixels_does_not_make_images_without_end():
    """Each image copies what it is made of: a thousand of a memoised megabyte are a gigabyte."""
    state = step([{}, "L", (1000, 1000), None, b"1" * 1_000_000])
    one = newobj(ref("PIL.Image:Image").program)
    many = [[build(one, ("BINGET", 0)), "POP"] for _ in range(100)]
    with pytest.raises(safepickle.LimitExceeded):
        safepickle.verify(pickled(4, state, ("BINPUT", 0), "POP", *many, "NONE"), policy="pillow")


def test_a_dtype_that_gets_its_state_after_its_array_is_refused():
    late = [
        call("numpy:dtype", "V8", False, True).program, ("BINPUT", 0), "POP",
        array((1,), Made(("BINGET", 0)), b"12345678").program, "POP",
        with_state(Made(("BINGET", 0)), (3, "|", None, None, None, 8, 1, 0)).program,
    ]  # fmt: skip
    with pytest.raises(safepickle.Forbidden):
        safepickle.verify(pickled(4, *late), policy=POLICY)


def test_one_state_is_judged_for_each_dtype_that_it_is_given_to():
    """What a state may be depends on what it is given to: the answer for one is none for the other."""
    steps = [
        step((3, "|", None, None, None, -1, -1, 0)), ("BINPUT", 0), "POP",
        build(call("numpy:dtype", "f8", False, True).program, ("BINGET", 0)), "POP",
        build(call("numpy:dtype", "O8", False, True).program, ("BINGET", 0)),
    ]  # fmt: skip
    with pytest.raises(safepickle.Forbidden):
        safepickle.verify(pickled(4, *steps), policy=POLICY)


def test_fields_that_change_after_they_were_judged_are_refused():
    fields = step({"x": (I4, 0)})
    steps = [
        fields, ("BINPUT", 0), "POP",
        with_state(
            call("numpy:dtype", "V4", False, True), (3, "|", None, ("x",), Made(("BINGET", 0)), 4, 1, 16)
        ).program, "POP",
        ("BINGET", 0), step("y"), step((I4, 100)), "SETITEM",
    ]  # fmt: skip
    with pytest.raises(safepickle.UnpicklingError):
        safepickle.verify(pickled(4, *steps), policy=POLICY)


# --- The language -----------------------------------------------------------------------------------------------------
BUILT = """
safepickle: 1
allow:
  uuid: [UUID]
  shop:
    - use_it: {use: [call], args: [[{built: uuid.UUID}]]}
"""


def test_built_is_an_instance_that_has_its_state():
    policy = Policy.from_yaml(BUILT)
    new = Made(newobj(ref("uuid:UUID").program))
    safepickle.verify(pickled(4, call("shop:use_it", with_state(new, {"int": 1})).program), policy=policy)
    with pytest.raises(safepickle.Forbidden):
        safepickle.verify(pickled(4, call("shop:use_it", new).program), policy=policy)


@pytest.mark.parametrize(
    "state", ["{memory: page}", "[{memory: array}]", "{any_of: [none, {memory: dtype}]}", "{memory: [a]}"]
)
def test_memory_is_said_of_a_whole_state_and_of_a_layout_that_is_known(state):
    with pytest.raises(PolicyError):
        Policy.from_yaml(f"safepickle: 1\nallow: {{shop: [Cart: {{use: [new, build], state: {state}}}]}}")


def test_policies_with_memory_and_built_are_written_as_they_are_read():
    for policy in (POLICY, Policy.from_yaml(BUILT)):
        assert Policy.from_yaml(policy.to_yaml()).digest == policy.digest


ONE_WAY = """
safepickle: 1
allow:
  shop:
    - Zone: {use: [call], args: [[str]]}
    - Zone: {use: [new, build], args: [[]], ATTRIBUTES}
"""


@pytest.mark.parametrize("attributes", ["attributes: [offset]", "reason: none"])
def test_an_entry_builds_what_it_makes_itself(attributes):
    """What the call hands out may be shared; only what `new` made may be given a state."""
    policy = Policy.from_yaml(ONE_WAY.replace("ATTRIBUTES", attributes))
    fresh = Made(newobj(ref("shop:Zone").program))
    safepickle.verify(pickled(4, with_state(fresh, {"offset": 1}).program), policy=policy)
    safepickle.verify(pickled(4, call("shop:Zone", "UTC").program), policy=policy)
    with pytest.raises(safepickle.Forbidden):
        safepickle.verify(pickled(4, with_state(call("shop:Zone", "UTC"), {"offset": 1}).program), policy=policy)


def test_what_one_stream_says_of_a_dtype_is_not_believed_of_another_one():
    """The same places in both: the other one gives its dtype a state too late."""
    made = [call("numpy:dtype", "f8", False, True).program, put(0), "POP"]
    state = step((3, "<", None, None, None, -1, -1, 0))
    holder = call("numpy._core.multiarray:_reconstruct", ref("numpy:ndarray"), (0,), b"b").program
    filled = [holder, tuple_of(number(1), tuple_of(number(1)), get(0), "NEWFALSE", literal(b"12345678")), "BUILD"]
    early, late = [get(0), state, "BUILD", "POP", filled], [filled, get(0), state, "BUILD", "POP"]
    for _ in range(3):
        safepickle.verify(pickled(4, made, early), policy=POLICY)
        with pytest.raises(safepickle.Forbidden):
            safepickle.verify(pickled(4, made, late), policy=POLICY)
