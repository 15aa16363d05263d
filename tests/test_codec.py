"""The functions that people know from pickle."""

from __future__ import annotations

import array
import datetime as dt
import inspect
import io
import mmap
import pickle
import pickletools

import pytest

import safepickle
from safepickle.policy import Policy

DATE = dt.date(2024, 2, 29)


@pytest.mark.parametrize("name", ["dump", "dumps", "load", "loads"])
def test_the_signatures_are_those_of_pickle_and_a_policy(name):
    ours = inspect.signature(getattr(safepickle, name)).parameters
    theirs = inspect.signature(getattr(pickle, "_" + name)).parameters
    both = zip([told for told in ours.values() if told.name != "policy"], theirs.values(), strict=True)
    for mine, told in both:
        # A positional argument has no name that counts: C calls it data, Python s.
        assert (mine.kind, mine.default) == (told.kind, told.default)
        assert mine.name == told.name or mine.kind is inspect.Parameter.POSITIONAL_ONLY
    assert (ours["policy"].kind, ours["policy"].default) == (inspect.Parameter.KEYWORD_ONLY, None)


def test_the_classes_of_errors_are_those_of_pickle():
    assert safepickle.UnpicklingError is pickle.UnpicklingError
    assert safepickle.PicklingError is pickle.PicklingError
    assert safepickle.PickleError is pickle.PickleError
    assert safepickle.PickleBuffer is pickle.PickleBuffer
    assert (safepickle.HIGHEST_PROTOCOL, safepickle.DEFAULT_PROTOCOL) == (pickle.HIGHEST_PROTOCOL, 4)


@pytest.mark.parametrize(
    "wrap",
    [
        bytes,
        bytearray,
        memoryview,
        lambda data: memoryview(b"x" + data + b"x")[1:-1],
        lambda data: array.array("B", data),
    ],
)
def test_any_buffer_is_read(wrap):
    assert safepickle.loads(wrap(pickle.dumps([1, "two"]))) == [1, "two"]


def test_a_mapped_file_is_read(tmp_path):
    path = tmp_path / "one.pkl"
    path.write_bytes(pickle.dumps([1, "two"]))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert safepickle.loads(mapped) == [1, "two"]


def test_a_buffer_that_changes_while_it_is_loaded_is_not_read_again():
    data = bytearray(safepickle.dumps([_Overwrites(), "behind"]))
    _Overwrites.buffer = data
    assert safepickle.loads(data, policy=Policy.unrestricted()) == ["ran", "behind"]
    assert data == b"\xff" * len(data)


class _Overwrites:
    buffer = bytearray()

    def __reduce__(self):
        return _overwrite, ()


def _overwrite():
    _Overwrites.buffer[:] = b"\xff" * len(_Overwrites.buffer)
    return "ran"


@pytest.mark.parametrize("data", ["text", 3, None, [1]])
def test_what_is_no_buffer_is_a_type_error(data):
    with pytest.raises(TypeError):
        safepickle.loads(data)
    with pytest.raises(TypeError):
        safepickle.verify(data)


def test_bytes_after_stop_are_ignored():
    assert safepickle.loads(pickle.dumps(1) + b"rubbish") == 1


def test_a_producer_refuses_what_its_consumer_would_refuse():
    assert safepickle.loads(safepickle.dumps([DATE], policy="stdlib"), policy="stdlib") == [DATE]
    file = io.BytesIO()
    with pytest.raises(safepickle.PicklingError) as caught:
        safepickle.dump([DATE], file, policy="plain")
    assert isinstance(caught.value.__cause__, safepickle.Forbidden)
    assert file.getvalue() == b""
    with pytest.raises(safepickle.PicklingError):
        safepickle.dumps([DATE], policy="plain")


@pytest.mark.parametrize("protocol", range(6))
def test_a_policy_does_not_change_what_is_written(protocol):
    value = {"a": [1, DATE], "b": (2.5, b"c")}
    assert safepickle.dumps(value, protocol, policy="stdlib") == pickle.dumps(value, protocol)


@pytest.mark.parametrize(
    "data",
    [b"", b".", b"cos\nsystem\n.", pickle.dumps(DATE), b"I0x1\n.", b"Pid\n.", b"\x80\x05\x97.", b"Nr\xff\xff\xff\x7f."],
)
def test_verify_raises_what_loads_raises(data):
    with pytest.raises(safepickle.UnpicklingError) as loaded:
        safepickle.loads(data)
    with pytest.raises(type(loaded.value)) as verified:
        safepickle.verify(data)
    assert str(verified.value) == str(loaded.value)
    assert verified.value.position == loaded.value.position


def test_verify_imports_nothing():
    data = b"cantigravity\nabc\n."
    with pytest.raises(safepickle.Forbidden):
        safepickle.verify(data)
    assert safepickle.verify(data, policy=Policy.unrestricted()) is None


def test_verify_counts_buffers_where_it_can_and_takes_none():
    out = []
    data = safepickle.dumps(safepickle.PickleBuffer(b"abc"), 5, buffer_callback=out.append)
    assert sum(code.name == "NEXT_BUFFER" for code, _, _ in pickletools.genops(data)) == 1
    with pytest.raises(safepickle.MalformedStream):
        safepickle.verify(data, buffers=[])
    several = iter([b"abc"])
    safepickle.verify(data, buffers=several)
    assert list(several) == [b"abc"]
    safepickle.verify(data, buffers=[b"abc"])


def test_a_file_is_left_behind_the_pickle_that_was_taken():
    file = io.BytesIO(pickle.dumps(1) + pickle.dumps(2) + b"tail")
    assert (safepickle.load(file), safepickle.load(file), file.read()) == (1, 2, b"tail")
