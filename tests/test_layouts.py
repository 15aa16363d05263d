"""What the pickles of joblib and torch say of the data between and behind them."""

from __future__ import annotations

import pickle
import struct

import pytest

import safepickle
from safepickle.containers.arrays import ItemType, array_size, item_type
from safepickle.policy import Policy
from tests import make_containers as made

TORCH = """
safepickle: 1
allow:
  torch: [FloatStorage: {use: [refer]}, HalfStorage: {use: [refer]}, FloatTensor: {use: [refer]}]
accept: [persistent_ids]
"""


def scan(data: bytes) -> safepickle.Report:
    return safepickle.scan(data, policy=Policy.from_yaml(TORCH))


@pytest.mark.parametrize(("kind", "size"), [("FloatStorage", 4), ("HalfStorage", 2)])
def test_storages_behind_a_model_are_accounted_for(kind, size):
    data = made.in_torch(made.torch_model("k", 7, kind), ["k"], (7, bytes(7 * size)))
    report = scan(data)
    assert (report.verdict, report.findings) == ("pass", ())
    assert report.claimed == len(data)
    assert len(report.members) == 5


@pytest.mark.parametrize(
    "data",
    [
        made.in_torch(made.torch_model("k", 7), ["k"], (7, bytes(27))),  # a byte too few
        made.in_torch(made.torch_model("k", 7), ["k"], (8, bytes(32))),  # another length than the model says
        made.in_torch(made.torch_model("k", 7), ["j"], (7, bytes(28))),  # another key
        made.in_torch(made.torch_model("k", 7), [], (7, bytes(28))),  # no key
        made.in_torch(made.torch_model("k", 7), ["k"], (7, bytes(28))) + b"\xff",  # a byte too many
    ],
)
def test_storages_that_are_not_what_the_model_says_make_the_scan_incomplete(data):
    assert scan(data).verdict == "incomplete"


def test_a_pickle_behind_the_storages_is_judged():
    data = made.in_torch(made.torch_model("k", 7), ["k"], (7, bytes(28)))
    assert scan(data + made.EVIL).verdict == "forbidden"


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ("<f8", ItemType(8, objects=False)), ("f4", ItemType(4, objects=False)), ("|O", ItemType(8, objects=True)),
        ("O8", ItemType(8, objects=True)), ("<U5", ItemType(20, objects=False)), ("|S7", ItemType(7, objects=False)),
        ("<M8[ns]", ItemType(8, objects=False)), ("|V16", ItemType(16, objects=False)),
        ("?", ItemType(1, objects=False)),
        ([("a", "<f8"), ("b", "|O")], ItemType(16, objects=True)), ([("a", "<i2", (3,))], ItemType(6, objects=False)),
        (("<f8", (2, 2)), ItemType(32, objects=False)), ("k8", None), ("", None), (3, None), ([3], None), ("f-1", None),
    ],
)  # fmt: skip
def test_what_one_item_takes_is_told_by_its_type(described, expected):
    assert item_type(described) == expected


@pytest.mark.parametrize(
    ("shape", "size"), [((), 8), ((3, 2), 48), ((0, 5), 0), ((-1,), None), ((2**70,), None), ((2**40, 2**40), 1 << 62)]
)
def test_the_bytes_of_an_array_are_never_negative_and_never_wrap_round(shape, size):
    assert array_size(ItemType(8, objects=False), shape) == size


def torch_tar(items: int, data: bytes) -> bytes:
    """A tar as torch wrote it in 2016: one storage, one tensor of it with one dimension."""
    storage = b"\x80\x02K\x07X\3\0\0\0cpuctorch\nFloatStorage\n\x87."
    tensor = b"\x80\x02K\x08K\x07ctorch\nFloatTensor\n\x87."
    storages = pickle.dumps(1, 2) + storage + struct.pack("<q", items) + data + pickle.dumps([], 2)
    tensors = pickle.dumps(1, 2) + tensor + struct.pack("<iiqqq", 1, 0, items, 1, 0)
    members = {"sys_info": pickle.dumps({}, 2), "pickle": made.GOOD, "storages": storages, "tensors": tensors}
    return made.in_tar(*members.items())


def test_the_data_in_a_tar_of_torchs_is_accounted_for():
    report = scan(torch_tar(3, bytes(range(200, 212))))
    assert (report.verdict, report.findings) == ("pass", ())
    assert report.claimed == report.size


@pytest.mark.parametrize("items", [2, 4, -1])
def test_data_in_a_tar_of_torchs_of_another_length_makes_the_scan_incomplete(items):
    assert not scan(torch_tar(items, bytes(range(200, 212)))).ok


def test_a_pickle_behind_the_data_in_a_tar_of_torchs_is_judged():
    assert scan(torch_tar(3, bytes(12) + made.EVIL)).verdict == "forbidden"


def test_a_number_of_items_that_does_not_fit_is_not_taken_for_none():
    data = made.in_torch(made.torch_model("k", 7), ["k"]) + struct.pack("<q", -1)
    assert scan(data).verdict == "incomplete"
