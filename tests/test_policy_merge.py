"""What was learned gets into a policy file by insertions alone, and means exactly the file and what was learned."""

from __future__ import annotations

import datetime as dt
import decimal
import pickle
import re
import uuid
from pathlib import Path

import pytest

from safepickle.errors import PolicyError
from safepickle.policy import Policy
from safepickle.policy.learn import study
from safepickle.policy.merge import merged
from safepickle.scanner import scan
from tests.assembler import asm

GOOD = sorted((Path(__file__).parent / "data" / "policies" / "good").glob("*.yaml"))
HEAD = "safepickle: 1\n"
IDS = pickle.dumps([uuid.UUID(int=7), decimal.Decimal(3)], 4)
DAY = pickle.dumps(dt.date(2024, 2, 29), 4)


def put_into(path: Path, *samples: bytes) -> str:
    learned = study(list(samples), Policy.from_file(path))
    return merged(path.read_bytes().decode("utf-8"), learned, str(path))


def file(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text, "utf-8", newline="")
    return path


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(line in rest for line in part)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_any_policy_takes_what_was_learned_and_keeps_its_lines_or_says_what_to_paste(path):
    text = path.read_bytes().decode("utf-8")
    try:
        result = put_into(path, IDS, DAY)
    except PolicyError as error:
        assert "this is what it lacks:\nallow:\n" in str(error)  # noqa: PT017 - either outcome is right
        return
    policy = Policy.from_yaml(result, base=path.parent)
    assert scan(IDS, policy=policy).ok
    assert scan(DAY, policy=policy).ok
    if "[" not in text:
        assert is_subsequence(text.splitlines(), result.splitlines())


def test_most_layouts_of_policies_take_what_was_learned():
    refused = 0
    for path in GOOD:
        try:
            put_into(path, IDS, DAY)
        except PolicyError:
            refused += 1
    assert refused <= len(GOOD) // 4


COMMENTED = """\
# The queue's policy.  Ask the platform team.
safepickle: 1   # the language

allow:
  # Made by the shop.
  shop:
    - Cart            # since 2019
    # Items are new.
    - Cart.Item: {use: [new]}   # no state

  decimal:
    - Context

# What was bad in March.
deny:
  shop: [Cart.dump]   # it writes
"""


def test_comments_order_and_layout_of_the_file_stay(tmp_path):
    path = file(tmp_path, COMMENTED)
    result = put_into(path, IDS)
    assert is_subsequence(COMMENTED.splitlines(), result.splitlines())
    added = [re.sub(r"byte \d+", "byte N", line) for line in result.splitlines() if line not in COMMENTED.splitlines()]
    assert added == [
        "    # refer 1x, call 1x, first in sample 1 at byte N",
        "    - Decimal: {use: [call], args: [[str]]}",
        "  uuid:",
        "    # refer 1x, new 1x, build 1x, first in sample 1 at byte N",
        "    - UUID: {use: [new, build], args: [[]], attributes: [int]}",
    ]
    assert (
        result.index("- Context\n") < result.index("- Decimal") < result.index("uuid:") < result.index("# What was bad")
    )


def test_what_is_admitted_already_changes_no_byte(tmp_path):
    path = file(tmp_path, HEAD + "include: [stdlib]   # all of it\n")
    assert put_into(path, IDS, DAY) == path.read_text("utf-8")


def test_learning_twice_is_learning_once(tmp_path):
    path = file(tmp_path, COMMENTED)
    once = put_into(path, IDS)
    path.write_text(once, "utf-8")
    assert put_into(path, IDS) == once


@pytest.mark.parametrize(
    "layout",
    [
        "allow:\n  uuid:\n    - SafeUUID\n",
        "allow:\n  uuid:\n  - SafeUUID\n",
        "allow: {uuid: [SafeUUID]}\n",
        "allow:\n  uuid: [SafeUUID]\n",
        "allow:\n  uuid: [\n    SafeUUID\n  ]\n",
        "allow:\n  uuid: []\n",
        "allow:\n      uuid:\n            - SafeUUID:\n                use: [call]\n",
        "allow:\n  uuid:\n    - SafeUUID",
        "allow:\n  uuid:\n    - SafeUUID: {use: [call], args: [[\n        int]]}   # on two lines\n\n\n# The end\n",
        "allow:\n  'uuid':\n    - \"SafeUUID\"\n",
        "allow:\n  shop:\n    - Cart\nlimits: {depth: 100}\n",
        "limits: {depth: 100}\n",
        "",
        "deny: {shop: [Cart]}\nallow:\n  uuid: [SafeUUID]\npersistent: [str]\n",
        "allow:\r\n  uuid:\r\n    - SafeUUID\r\n",
    ],
)
def test_every_layout_of_a_list_takes_one_more(tmp_path, layout):
    path = file(tmp_path, HEAD + layout)
    policy = Policy.from_yaml(put_into(path, IDS), base=tmp_path)
    assert scan(IDS, policy=policy).ok
    assert policy == Policy.from_file(path) | Policy.learn([IDS], base=Policy.from_file(path))


PERSISTENT = b"\x80\x02" + asm("MARK", ("BINUNICODE", "storage"), ("BININT1", 3), "TUPLE", "BINPERSID", "STOP")


@pytest.mark.parametrize(
    "layout",
    [
        "",
        "accept: [buffers]\n",
        "accept: []\n",
        "accept:\n  - buffers\n",
        "persistent: [str]\n",
        "persistent:\n  - str\naccept: [persistent_ids]\n",
        "persistent: []\n",
    ],
)
def test_shapes_of_persistent_ids_are_put_beside_the_ones_that_are_there(tmp_path, layout):
    path = file(tmp_path, HEAD + layout)
    assert scan(PERSISTENT, policy=Policy.from_yaml(put_into(path, PERSISTENT))).ok


@pytest.mark.parametrize("layout", ["{safepickle: 1, description: x}", HEAD + "allow: {}\n"])
def test_a_layout_without_a_place_is_refused_with_what_to_paste(tmp_path, layout):
    path = file(tmp_path, layout)
    with pytest.raises(PolicyError, match=r"(?s)this is what it lacks:\nallow:\n.*UUID: \{use: \[new, build\]"):
        put_into(path, IDS)


def test_names_that_are_withheld_are_said_at_the_end(tmp_path):
    path = file(tmp_path, COMMENTED)
    evil = asm(("GLOBAL", "os", "system"), ("UNICODE", "true"), "TUPLE1", "REDUCE", "STOP")
    result = put_into(path, evil)
    assert result.startswith(COMMENTED)
    assert result.removeprefix(COMMENTED).startswith("# Not granted: os.system (call)")
