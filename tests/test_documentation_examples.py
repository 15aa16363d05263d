"""What the documentation of pickle shows by example, in programs of our own: it behaves here as it is written there.

Each program is run with pickle itself, which shows that the program is right, then with this package under the
unrestricted policy, and then under the least policy that admits it, which is written beside it.
"""

from __future__ import annotations

import collections
import contextlib
import copy
import copyreg
import functools
import io
import os
import pickle
import pickletools
import shelve
import sqlite3
import textwrap
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

import safepickle

UNRESTRICTED = safepickle.Policy.unrestricted()
NEW_STYLE = range(2, 6)  # the protocols that can make an object by its __new__
ALL_PROTOCOLS = range(6)


def listing(names: str) -> safepickle.Policy:
    """The policy that allows `names` of this module, which are lines of YAML."""
    allow = f"allow:\n  {__name__}:\n" + textwrap.indent(textwrap.dedent(names).strip(), "    ") if names else ""
    return safepickle.Policy.from_yaml(f"safepickle: 1\n{allow}\n")


def codec_under(policy: safepickle.Policy) -> SimpleNamespace:
    """What the module pickle has, bound to a policy."""

    class Unpickler(safepickle.Unpickler):
        def __init__(self, file, **options):
            super().__init__(file, policy=policy, **options)

    return SimpleNamespace(
        dump=safepickle.dump,
        dumps=safepickle.dumps,
        load=functools.partial(safepickle.load, policy=policy),
        loads=functools.partial(safepickle.loads, policy=policy),
        Pickler=safepickle.Pickler,
        Unpickler=Unpickler,
    )


def admitted_by(names: str):
    """Run a test with pickle, unrestricted, and under the policy that lists `names` of this module."""
    return admitted_under(listing(names))


def admitted_under(policy: safepickle.Policy):
    codecs = {"pickle": pickle, "unrestricted": codec_under(UNRESTRICTED), "policy": codec_under(policy)}
    return pytest.mark.parametrize("codec", codecs.values(), ids=codecs)


def at_each(protocols):
    return pytest.mark.parametrize("protocol", protocols)


def outcome(function, *arguments):
    """The class of what a call raises, or its value."""
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return type(error)


# -- Files of pickles ------------------------------------------------------------------------------------------------

DATA = {
    "a": [1, 2.0, 3 + 4j],
    "b": ("text", b"bytes"),
    "c": {None, True, False},
}


@admitted_by("")
@at_each(ALL_PROTOCOLS)
def test_built_in_values_are_written_to_a_file_and_read_again(codec, protocol, tmp_path):
    path = tmp_path / "data.pkl"
    with path.open("wb") as file:
        codec.dump(DATA, file, protocol)
    with path.open("rb") as file:
        assert codec.load(file) == DATA


@admitted_by("")
def test_a_second_object_of_the_same_file_may_hold_itself(codec, tmp_path):
    path = tmp_path / "data.pkl"
    selfref = [1, 2, 3]
    selfref.append(selfref)
    with path.open("wb") as file:
        codec.dump(DATA, file, 0)
        codec.dump(selfref, file, -1)
    with path.open("rb") as file:
        assert codec.load(file) == DATA
        loaded = codec.load(file)
        assert file.read() == b""
    assert loaded[:3] == [1, 2, 3]
    assert loaded[3] is loaded


def everything(load):
    loaded = []
    while True:
        try:
            loaded.append(load())
        except EOFError:
            return loaded


@admitted_by("")
@at_each(ALL_PROTOCOLS)
def test_a_loop_reads_all_objects_of_a_file_until_eoferror(codec, protocol, tmp_path):
    path = tmp_path / "log.pkl"
    records = [{"number": number, "text": "x" * number} for number in range(100)]
    with path.open("wb") as file:
        for record in records:
            codec.dump(record, file, protocol)
    with path.open("rb") as file:
        assert everything(lambda: codec.load(file)) == records
    with path.open("rb") as file:
        assert everything(codec.Unpickler(file).load) == records


@admitted_by("")
def test_a_loop_reads_all_objects_that_come_through_a_pipe(codec):
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as receiver, os.fdopen(writing, "wb") as sender:
        codec.dump([1, 2], sender)
        codec.dump("three", sender)
        sender.close()
        assert everything(lambda: codec.load(receiver)) == [[1, 2], "three"]


@pytest.mark.parametrize("policy", [UNRESTRICTED, listing("")], ids=["unrestricted", "policy"])
@at_each(ALL_PROTOCOLS)
def test_a_file_that_breaks_off_gives_its_whole_pickles_and_then_an_error_that_ends_no_loop(policy, protocol):
    whole = safepickle.dumps({"whole": True}, protocol)
    broken = safepickle.dumps(DATA, protocol)
    for end in range(1, len(broken)):
        file = io.BytesIO(whole + broken[:end])
        unpickler = safepickle.Unpickler(file, policy=policy)
        assert unpickler.load() == {"whole": True}
        with pytest.raises(pickle.UnpicklingError) as caught:
            everything(unpickler.load)
        assert not isinstance(caught.value, EOFError)


@admitted_by("")
def test_as_many_loads_as_dumps_of_one_pickler_share_their_objects(codec):
    file = io.BytesIO()
    pickler = codec.Pickler(file)
    shared = ["shared"]
    pickler.dump(shared)
    pickler.dump([shared, shared])
    file.seek(0)
    unpickler = codec.Unpickler(file)
    first, second = unpickler.load(), unpickler.load()
    assert first == ["shared"]
    assert second[0] is second[1] is first


@admitted_by("")
def test_bytes_behind_the_pickle_are_ignored(codec):
    assert codec.loads(codec.dumps([1, 2]) + b"anything") == [1, 2]


@admitted_by("")
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_like_object_is_read(codec, kind):
    assert codec.loads(kind(codec.dumps(DATA))) == DATA


@admitted_by("")
@at_each(ALL_PROTOCOLS)
def test_a_pickle_without_its_unused_puts_means_the_same(codec, protocol):
    shared = [1, 2]
    written = codec.dumps([shared, shared, DATA], protocol)
    shorter = pickletools.optimize(written)
    assert len(shorter) < len(written)
    loaded = codec.loads(shorter)
    assert loaded == [shared, shared, DATA]
    assert loaded[0] is loaded[1]


# -- Python 2 --------------------------------------------------------------------------------------------------------


@admitted_under(safepickle.Policy.named("stdlib"))
def test_a_datetime_from_python_2_needs_latin1(codec):
    written = b"\x80\x02cdatetime\ndatetime\nU\x0a\x07\xe8\x02\x1d\x0c\x00\x00\x00\x00\x00\x85R."
    assert codec.loads(written, encoding="latin1") == datetime(2024, 2, 29, 12)  # noqa: DTZ001 - it has none
    assert outcome(codec.loads, written) is (UnicodeDecodeError if codec is pickle else safepickle.MalformedStream)


@admitted_by("")
def test_strings_of_python_2_are_text_or_bytes_as_the_reader_asks(codec):
    written = b"\x80\x02U\x03caf\x94U\x02\xc3\xa9\x86."
    assert codec.loads(written, encoding="utf-8") == ("caf", "é")
    assert codec.loads(written, encoding="bytes") == (b"caf", b"\xc3\xa9")
    assert codec.loads(written, errors="replace") == ("caf", "\ufffd\ufffd")


@admitted_by("")
def test_names_are_mapped_to_python_2_and_back(codec):
    written = codec.dumps(range(3), 2)
    assert b"c__builtin__\nxrange\n" in written
    assert codec.loads(written) == range(3)
    plain = codec.dumps(range(3), 2, fix_imports=False)
    assert b"cbuiltins\nrange\n" in plain
    assert codec.loads(plain, fix_imports=False) == range(3)


# -- What can be pickled, and what cannot ----------------------------------------------------------------------------


def named(argument):
    return argument


class Foo:
    attr = "an attribute of the class"


@admitted_by("- named: {use: [refer]}")
@at_each(ALL_PROTOCOLS)
def test_a_function_is_its_name(codec, protocol):
    assert codec.loads(codec.dumps(named, protocol)) is named


@admitted_by("- Foo: {use: [refer]}")
@at_each(ALL_PROTOCOLS)
def test_a_class_is_its_name_and_none_of_its_attributes(codec, protocol, monkeypatch):
    written = codec.dumps(Foo, protocol)
    assert b"attribute of the class" not in written
    monkeypatch.setattr(Foo, "attr", "changed")
    assert codec.loads(written) is Foo
    assert codec.loads(written).attr == "changed"


def local_function():
    def local():
        pass

    return local


@pytest.mark.parametrize("thing", [lambda: None, local_function(), contextlib], ids=["lambda", "local", "module"])
def test_what_has_no_name_and_no_state_cannot_be_pickled(thing):
    expected = outcome(pickle.dumps, thing)
    assert issubclass(expected, (pickle.PicklingError, AttributeError, TypeError))
    assert outcome(safepickle.dumps, thing) is expected


def test_what_nests_too_deep_is_a_recursionerror():
    deep = None
    for _ in range(50_000):
        deep = [deep]
    with pytest.raises(RecursionError):
        safepickle.dumps(deep)
    while deep:
        deep = deep.pop()


@admitted_by("- Made")
@at_each(ALL_PROTOCOLS)
def test_an_instance_is_made_without_init_and_gets_its_attributes(codec, protocol):
    made = Made("by init")
    made.added = [1, 2]
    loaded = codec.loads(codec.dumps(made, protocol))
    assert type(loaded) is Made
    assert vars(loaded) == {"how": "by init", "added": [1, 2]}
    assert Made.inits == ["by init"]


class Made:
    inits: list[str]

    def __init__(self, how):
        self.how = how
        self.inits.append(how)


@pytest.fixture(autouse=True)
def _count_anew():
    Made.inits = []
    Recording.states = []
    PICKLED.clear()


@admitted_by("")
@at_each(ALL_PROTOCOLS)
def test_an_object_that_is_there_twice_is_written_once(codec, protocol):
    inner = ["x" * 1000]
    written = codec.dumps([inner, inner], protocol)
    assert written.count(b"x" * 1000) == 1
    first, second = codec.loads(written)
    assert first is second


# -- Arguments of __new__ --------------------------------------------------------------------------------------------


class Money(int):
    def __new__(cls, cents, currency):
        made = super().__new__(cls, cents)
        made.currency = currency
        return made

    def __getnewargs__(self):
        return int(self), self.currency


class Weight(float):
    def __new__(cls, number, *, unit):
        made = super().__new__(cls, number)
        made.unit = unit
        return made

    def __getnewargs_ex__(self):
        return (float(self),), {"unit": self.unit}


@admitted_by("- Money: {use: [new, build], args: [[int, str]], attributes: [currency]}")
@at_each(NEW_STYLE)
def test_getnewargs_says_what_new_is_called_with(codec, protocol):
    loaded = codec.loads(codec.dumps(Money(250, "EUR"), protocol))
    assert (type(loaded), int(loaded), loaded.currency) == (Money, 250, "EUR")


@admitted_by("- Weight: {use: [new, build], args: [[float]], kwargs: {unit: str}, attributes: [unit]}")
@at_each(NEW_STYLE)
def test_getnewargs_ex_says_what_new_is_called_with_by_name(codec, protocol):
    loaded = codec.loads(codec.dumps(Weight(2.5, unit="kg"), protocol))
    assert (type(loaded), float(loaded), loaded.unit) == (Weight, 2.5, "kg")


# -- State -----------------------------------------------------------------------------------------------------------


class Slotted:
    __slots__ = ("left", "right")


class SlottedWithDict(Slotted):
    pass


@admitted_by("- Slotted: {use: [new, build], attributes: [left, right]}")
@at_each(NEW_STYLE)
def test_slots_are_state_by_name(codec, protocol):
    original = Slotted()
    original.left = 1
    loaded = codec.loads(codec.dumps(original, protocol))
    assert loaded.left == 1
    assert not hasattr(loaded, "right")


@admitted_by("- SlottedWithDict: {use: [new, build], attributes: [left, right, other]}")
@at_each(NEW_STYLE)
def test_slots_and_attributes_are_a_state_of_two_parts(codec, protocol):
    original = SlottedWithDict()
    original.right = 2
    original.other = 3
    loaded = codec.loads(codec.dumps(original, protocol))
    assert (loaded.right, loaded.other) == (2, 3)
    assert vars(loaded) == {"other": 3}


def test_slots_without_getstate_need_protocol_2():
    assert outcome(pickle.dumps, Slotted(), 0) is TypeError
    assert outcome(safepickle.dumps, Slotted(), 0) is TypeError


class Recording:
    """Its state is what it was made with, and what it is given is recorded."""

    states: list[object]

    def __init__(self, state):
        self.state = state

    def __getstate__(self):
        return self.state

    def __setstate__(self, state):
        self.states.append(state)


@admitted_by("- Recording")
@at_each(ALL_PROTOCOLS)
def test_setstate_is_given_whatever_getstate_gave(codec, protocol):
    codec.loads(codec.dumps(Recording(("any", ["object"])), protocol))
    assert Recording.states == [("any", ["object"])]


@admitted_by("- Recording")
@at_each(ALL_PROTOCOLS)
@pytest.mark.parametrize("state", [False, 0, "", (), {}, []], ids=repr)
def test_setstate_is_given_a_false_state_from_protocol_2_on(codec, protocol, state):
    codec.loads(codec.dumps(Recording(state), protocol))
    assert Recording.states == ([state] if protocol >= 2 else [])


@admitted_by("- Recording")
@at_each(ALL_PROTOCOLS)
def test_setstate_is_not_called_where_there_is_no_state(codec, protocol):
    loaded = codec.loads(codec.dumps(Recording(None), protocol))
    assert type(loaded) is Recording
    assert Recording.states == []


class TextReader:
    """Prints the lines of a file with their numbers, and goes on where it was when it was pickled."""

    def __init__(self, path):
        self.path = path
        self.file = Path(path).open(encoding="utf-8")  # noqa: SIM115 - it stays open: that is the example
        self.number = 0

    def next_line(self):
        self.number += 1
        line = self.file.readline()
        return f"{self.number}: {line.rstrip()}" if line else None

    def __getstate__(self):
        state = self.__dict__.copy()
        del state["file"]
        return state

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.file = Path(self.path).open(encoding="utf-8")  # noqa: SIM115 - likewise
        for _ in range(self.number):
            self.file.readline()


@admitted_by("- TextReader: {use: [new, build], attributes: [path, number]}")
@at_each(ALL_PROTOCOLS)
def test_a_reader_of_a_file_goes_on_where_it_was(codec, protocol, tmp_path):
    path = tmp_path / "hello.txt"
    path.write_text("Hello world!\nI am line number two.\nGoodbye!\n", "utf-8")
    reader = TextReader(str(path))
    with reader.file:
        assert reader.next_line() == "1: Hello world!"
        assert reader.next_line() == "2: I am line number two."
        copied = codec.loads(codec.dumps(reader, protocol))
        with copied.file:
            assert copied.next_line() == "3: Goodbye!"
            assert copied.next_line() is None
        assert reader.next_line() == "3: Goodbye!"


# -- Reducing --------------------------------------------------------------------------------------------------------


class Sentinel:
    def __reduce__(self):
        return "MISSING"


MISSING = Sentinel()


@admitted_by("- MISSING: {use: [refer]}")
@at_each(ALL_PROTOCOLS)
def test_a_reduce_that_gives_a_text_is_a_global_name(codec, protocol):
    assert codec.loads(codec.dumps([MISSING, MISSING], protocol)) == [MISSING, MISSING]


class Parts:
    """Is reduced to as many parts as it is told to."""

    def __init__(self, count=0):
        self.count = count
        self.items = []
        self.table = {}
        self.setter = None

    def append(self, item):
        self.items.append(item)

    def __setitem__(self, key, value):
        self.table[key] = value

    def __reduce__(self):
        items, pairs = iter(["a", "b", "c"]), iter({"k": 1, "l": 2}.items())
        return (Parts, (self.count,), {"seen": "state"}, items, pairs, set_parts)[: self.count]


def set_parts(parts, state):
    parts.setter = state


PARTS = """
- Parts: {use: [call, build, fill], args: [[int]], attributes: [seen]}
- set_parts: {use: [call], args: [[{instance: HERE.Parts}, {fields: {seen: str}}]]}
""".replace("HERE", __name__)


@admitted_by(PARTS)
@at_each(ALL_PROTOCOLS)
@pytest.mark.parametrize("count", range(2, 7))
def test_a_reduce_gives_two_to_six_parts(codec, protocol, count):
    loaded = codec.loads(codec.dumps(Parts(count), protocol))
    assert loaded.count == count
    assert vars(loaded).get("seen") == ("state" if count in range(3, 6) else None)
    assert loaded.items == (["a", "b", "c"] if count >= 4 else [])
    assert loaded.table == ({"k": 1, "l": 2} if count >= 5 else {})
    assert loaded.setter == ({"seen": "state"} if count == 6 else None)


class Preferring:
    def __init__(self, by):
        self.by = by

    def __reduce_ex__(self, protocol):
        return Preferring, (f"__reduce_ex__({protocol})",)

    def __reduce__(self):
        return Preferring, ("__reduce__",)


@admitted_by("- Preferring: {use: [call], args: [[str]]}")
@at_each(ALL_PROTOCOLS)
def test_reduce_ex_is_preferred_and_told_the_protocol(codec, protocol):
    assert codec.loads(codec.dumps(Preferring("hand"), protocol)).by == f"__reduce_ex__({protocol})"


class Registered:
    def __init__(self, value):
        self.value = value


PICKLED: list[object] = []


def reduce_registered(registered):
    PICKLED.append(registered.value)
    return Registered, (registered.value,)


@pytest.fixture
def registered_with_copyreg():
    copyreg.pickle(Registered, reduce_registered)
    yield
    del copyreg.dispatch_table[Registered]


@admitted_by("- Registered: {use: [call], args: [[int]]}")
@at_each(ALL_PROTOCOLS)
@pytest.mark.usefixtures("registered_with_copyreg")
def test_a_function_registered_with_copyreg_reduces_for_pickle_and_copy(codec, protocol):
    copy.copy(Registered(1))
    assert codec.loads(codec.dumps(Registered(2), protocol)).value == 2
    assert PICKLED == [1, 2]


class ReducingMeta(type):
    """The metaclass of classes that are made anew, not found by their names."""


def make_class(name, bases):
    return ReducingMeta(name, bases, {})


def reduce_class(cls):
    return make_class, (cls.__name__, cls.__bases__)


@pytest.fixture
def metaclass_registered():
    copyreg.pickle(ReducingMeta, reduce_class)
    yield
    del copyreg.dispatch_table[ReducingMeta]


@admitted_by("- make_class: {use: [call], args: [[{is: 'Local'}, [{global: builtins.object}]]]}")
@at_each(ALL_PROTOCOLS)
@pytest.mark.usefixtures("metaclass_registered")
def test_a_class_whose_metaclass_is_registered_is_reduced_like_any_object(codec, protocol):
    loaded = codec.loads(codec.dumps(make_class("Local", (object,)), protocol))
    assert (type(loaded), loaded.__name__, loaded.__bases__) == (ReducingMeta, "Local", (object,))


class Dispatched:
    pass


def reduce_to_a_text(_):
    return str, ("reduced",)


def strings_may_be_made():
    policy = "safepickle: 1\nallow: {builtins: [{str: {use: [call], args: [[str]]}}]}\n"
    return admitted_under(safepickle.Policy.from_yaml(policy) | listing("- Dispatched"))


@strings_may_be_made()
@at_each(ALL_PROTOCOLS)
def test_a_dispatch_table_may_be_the_instances_own(codec, protocol):
    file = io.BytesIO()
    pickler = codec.Pickler(file, protocol)
    pickler.dispatch_table = copyreg.dispatch_table.copy()
    pickler.dispatch_table[Dispatched] = reduce_to_a_text
    pickler.dump(Dispatched())
    assert codec.loads(file.getvalue()) == "reduced"
    assert type(codec.loads(codec.dumps(Dispatched(), protocol))) is Dispatched


@strings_may_be_made()
def test_a_dispatch_table_may_be_the_classs(codec):
    table = collections.ChainMap({Dispatched: reduce_to_a_text}, copyreg.dispatch_table)

    class Pickler(codec.Pickler):
        dispatch_table = table

    file = io.BytesIO()
    Pickler(file).dump([Dispatched(), 1j])
    assert codec.loads(file.getvalue()) == ["reduced", 1j]


@strings_may_be_made()
def test_a_dispatch_table_may_be_everybodys(codec, monkeypatch):
    monkeypatch.setitem(copyreg.dispatch_table, Dispatched, reduce_to_a_text)
    assert codec.loads(codec.dumps(Dispatched())) == "reduced"


class ByValue:
    my_attribute = 1


BY_VALUE = """
safepickle: 1
description: The one class that is pickled by value.
allow:
  builtins:
    - type: {use: [call], args: [[{is: 'ByValue'}, [{global: builtins.object}], {fields: {my_attribute: int}}]]}
"""


@admitted_under(safepickle.Policy.from_yaml(BY_VALUE) | listing("- Foo: {use: [refer]}"))
@at_each(ALL_PROTOCOLS)
def test_reducer_override_pickles_one_class_by_value_and_leaves_the_others(codec, protocol):
    class Pickler(codec.Pickler):
        def reducer_override(self, obj):
            if getattr(obj, "__name__", None) == "ByValue":
                return type, (obj.__name__, obj.__bases__, {"my_attribute": obj.my_attribute})
            return NotImplemented

    file = io.BytesIO()
    Pickler(file, protocol).dump([ByValue, Foo])
    by_value, by_name = codec.loads(file.getvalue())
    assert by_value is not ByValue
    assert (by_value.__name__, by_value.my_attribute) == ("ByValue", 1)
    assert by_name is Foo


def add(left, right):
    return left + right


PARTIAL = safepickle.Policy.from_yaml(f"""
safepickle: 1
allow:
  {__name__}: [add: {{use: [refer]}}]
  functools: [partial]
""")


@pytest.mark.parametrize("codec", [pickle, codec_under(UNRESTRICTED)], ids=["pickle", "unrestricted"])
@at_each(ALL_PROTOCOLS)
def test_a_partial_is_pickled_with_what_it_was_given(codec, protocol):
    assert codec.loads(codec.dumps(functools.partial(add, 1), protocol))(2) == 3


@at_each(ALL_PROTOCOLS)
def test_a_partial_calls_anything_so_no_policy_admits_it(protocol):
    with pytest.raises(safepickle.UnpicklingError):
        safepickle.loads(pickle.dumps(functools.partial(add, 1), protocol), policy=PARTIAL)


# -- Persistent IDs --------------------------------------------------------------------------------------------------

MemoRecord = collections.namedtuple("MemoRecord", "key, task")  # noqa: PYI024 - as the documentation has it


def pickler_to_a_database(codec, file, protocol):
    class DBPickler(codec.Pickler):
        def persistent_id(self, obj):
            return ("MemoRecord", obj.key) if isinstance(obj, MemoRecord) else None

    return DBPickler(file, protocol)


def unpickler_from_a_database(codec, file, connection):
    class DBUnpickler(codec.Unpickler):
        def persistent_load(self, pid):
            tag, key = pid
            if tag != "MemoRecord":
                raise pickle.UnpicklingError("unsupported persistent object")
            cursor = connection.execute("SELECT * FROM memos WHERE key=?", (str(key),))
            return MemoRecord(*cursor.fetchone())

    return DBUnpickler(file)


@pytest.fixture
def memos():
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE memos(key INTEGER PRIMARY KEY, task TEXT)")
        for task in ("give food to fish", "prepare group meeting", "fight with a zebra"):
            connection.execute("INSERT INTO memos VALUES(NULL, ?)", (task,))
        yield connection


@admitted_by("")
@at_each(range(1, 6))
def test_records_of_a_database_are_pickled_as_their_keys(codec, protocol, memos):
    records = [MemoRecord(*row) for row in memos.execute("SELECT * FROM memos")]
    file = io.BytesIO()
    pickler_to_a_database(codec, file, protocol).dump(records)
    assert b"zebra" not in file.getvalue()
    memos.execute("UPDATE memos SET task='learn italian' WHERE key=1")
    file.seek(0)
    loaded = unpickler_from_a_database(codec, file, memos).load()
    assert [record.task for record in loaded] == ["learn italian", "prepare group meeting", "fight with a zebra"]


@admitted_by("")
def test_a_persistent_id_that_the_application_does_not_know_is_refused_in_its_words(codec, memos):
    written = b"\x80\x02X\x04\x00\x00\x00ElseK\x01\x86Q."
    with pytest.raises(pickle.UnpicklingError, match=r"^unsupported persistent object$"):
        unpickler_from_a_database(codec, io.BytesIO(written), memos).load()


@pytest.mark.parametrize("codec", [pickle, codec_under(UNRESTRICTED)], ids=["pickle", "unrestricted"])
def test_a_persistent_id_needs_something_to_load_it_with(codec):
    with pytest.raises(pickle.UnpicklingError, match="persistent_load"):
        codec.loads(b"\x80\x02K\x01Q.")


# -- Buffers out of band ---------------------------------------------------------------------------------------------


class ZeroCopyByteArray(bytearray):
    def __reduce_ex__(self, protocol):
        if protocol >= 5:
            return type(self)._reconstruct, (pickle.PickleBuffer(self),), None
        return type(self)._reconstruct, (bytearray(self),)

    @classmethod
    def _reconstruct(cls, obj):
        with memoryview(obj) as view:
            provider = view.obj
        return provider if type(provider) is cls else cls(provider)


ZERO_COPY = """
- ZeroCopyByteArray: {use: [refer]}
- ZeroCopyByteArray._reconstruct: {use: [call], args: [[bytearray], [buffer]]}
"""


@admitted_by(ZERO_COPY)
@at_each(ALL_PROTOCOLS)
def test_a_buffer_in_the_stream_is_a_copy(codec, protocol):
    original = ZeroCopyByteArray(b"abc")
    loaded = codec.loads(codec.dumps(original, protocol))
    assert type(loaded) is ZeroCopyByteArray
    assert loaded == original
    assert loaded is not original


@admitted_by(ZERO_COPY)
def test_a_buffer_beside_the_stream_is_the_object_itself(codec):
    original = ZeroCopyByteArray(b"abc")
    buffers = []
    written = codec.dumps(original, protocol=5, buffer_callback=buffers.append)
    assert b"abc" not in written
    assert codec.loads(written, buffers=buffers) is original
    assert codec.loads(written, buffers=iter(buffers)) is original


@admitted_by(ZERO_COPY)
def test_a_buffer_beside_the_stream_has_to_be_given(codec):
    written = codec.dumps(ZeroCopyByteArray(b"abc"), protocol=5, buffer_callback=[].append)
    with pytest.raises(pickle.UnpicklingError):
        codec.loads(written)
    with pytest.raises(pickle.UnpicklingError):
        codec.loads(written, buffers=[])


# -- Restricting globals ---------------------------------------------------------------------------------------------

SAFE_BUILTINS = {"range", "complex", "set", "frozenset", "slice"}

RESTRICTED = """
safepickle: 1
description: Five built-in classes and nothing else.
allow:
  builtins: [range, complex, set, frozenset, slice]
"""

#: What comes in, and which global it is refused for, if it is.
ARRIVALS = [
    (pickle.dumps([1, 2, range(15)]), None),
    (b"cos\nsystem\n(S'echo hello world'\ntR.", "os.system"),
    (b'cbuiltins\neval\n(S\'getattr(__import__("os"), "system")("echo hello world")\'\ntR.', "builtins.eval"),
]
each_arrival = pytest.mark.parametrize(("arrival", "forbidden"), ARRIVALS, ids=["data", "os.system", "eval"])


@pytest.fixture(autouse=True)
def _nothing_may_be_run(monkeypatch):
    def system(command):
        raise AssertionError(f"os.system({command!r}) was called")

    monkeypatch.setattr(os, "system", system)


def restricted(base, **options):
    class RestrictedUnpickler(base):
        def find_class(self, module, name):
            if module == "builtins" and name in SAFE_BUILTINS:
                return getattr(__import__(module), name)
            raise pickle.UnpicklingError(f"global '{module}.{name}' is forbidden")

    return lambda data: RestrictedUnpickler(io.BytesIO(data), **options).load()


@each_arrival
def test_globals_are_restricted_by_a_policy_file(arrival, forbidden, tmp_path):
    path = tmp_path / "restricted.yaml"
    path.write_text(RESTRICTED, "utf-8")
    if forbidden is None:
        assert safepickle.loads(arrival, policy=path) == [1, 2, range(15)]
        return
    with pytest.raises(pickle.UnpicklingError, match=rf"^global '{forbidden}' is forbidden"):
        safepickle.loads(arrival, policy=path)


@each_arrival
@pytest.mark.parametrize(
    "loads",
    [restricted(pickle.Unpickler), restricted(safepickle.Unpickler, policy=UNRESTRICTED)],
    ids=["pickle", "unrestricted"],
)
def test_globals_are_restricted_by_an_override_of_find_class_in_its_own_words(loads, arrival, forbidden):
    if forbidden is None:
        assert loads(arrival) == [1, 2, range(15)]
        return
    with pytest.raises(pickle.UnpicklingError, match=rf"^global '{forbidden}' is forbidden$"):
        loads(arrival)


@each_arrival
def test_an_override_of_find_class_is_not_even_asked_for_what_the_policy_forbids(arrival, forbidden):
    asked = []

    class Unpickler(safepickle.Unpickler):
        def find_class(self, module, name):
            asked.append(f"{module}.{name}")
            return super().find_class(module, name)

    unpickler = Unpickler(io.BytesIO(arrival), policy="plain")
    if forbidden is None:
        assert unpickler.load() == [1, 2, range(15)]
        assert asked == ["builtins.range"]
        return
    with pytest.raises(safepickle.Forbidden):
        unpickler.load()
    assert asked == []


# -- Shelves ---------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["pickle", "unrestricted", "policy"])
def shelf_path(request, tmp_path, monkeypatch):
    """Where a shelf may be; `shelve` reads and writes with pickle, unrestricted, or under a policy."""
    policies = {"unrestricted": UNRESTRICTED, "policy": listing("- Made: {use: [new, build], attributes: [how]}")}
    if request.param != "pickle":
        codec = codec_under(policies[request.param])
        monkeypatch.setattr(shelve, "Pickler", codec.Pickler)
        monkeypatch.setattr(shelve, "Unpickler", codec.Unpickler)
    return str(tmp_path / "shelf")


def test_a_shelf_keeps_objects_under_keys(shelf_path):
    with shelve.open(shelf_path) as shelf:
        shelf["data"] = DATA
        shelf["made"] = Made("for the shelf")
        shelf["gone"] = 1
        del shelf["gone"]
    with shelve.open(shelf_path) as shelf:
        assert sorted(shelf) == ["data", "made"]
        assert shelf["data"] == DATA
        assert shelf["made"].how == "for the shelf"
        assert "gone" not in shelf


def test_a_shelf_forgets_what_is_done_to_what_it_gave_unless_it_writes_back(shelf_path):
    with shelve.open(shelf_path) as shelf:
        shelf["xx"] = [0, 1, 2]
        shelf["xx"].append(3)
        assert shelf["xx"] == [0, 1, 2]
        taken = shelf["xx"]
        taken.append(5)
        shelf["xx"] = taken
    with shelve.open(shelf_path, writeback=True) as shelf:
        assert shelf["xx"] == [0, 1, 2, 5]
        shelf["xx"].append(6)
    with shelve.open(shelf_path) as shelf:
        assert shelf["xx"] == [0, 1, 2, 5, 6]


def test_a_shelf_of_ones_own_refuses_what_somebody_put_there(tmp_path):
    class PolicyShelf(shelve.Shelf):
        def __getitem__(self, key):
            return safepickle.loads(self.dict[key.encode(self.keyencoding)])

        def __setitem__(self, key, value):
            self.dict[key.encode(self.keyencoding)] = safepickle.dumps(value, policy="plain")

    with PolicyShelf({}) as shelf:
        shelf["data"] = DATA
        assert shelf["data"] == DATA
        shelf.dict[b"hostile"] = ARRIVALS[1][0]
        with pytest.raises(safepickle.Forbidden):
            shelf["hostile"]
        with pytest.raises(pickle.PicklingError):
            shelf["made"] = Made("for the shelf")
