"""Benign pickles that Pythons from 2.7 to 3.13 wrote: read, with the value they were written with, under a packaged
policy; and passed by the scanner under the same one."""

# make_valid runs on Python 2.7 too, and has no annotations.
# mypy: allow-untyped-calls

from __future__ import annotations

import io
import json
import pickle
import sys
from pathlib import Path
from typing import Any, Final

import pytest

import safepickle
from tests.make_valid import shown

FOLDER: Final = Path(__file__).parent / "data" / "valid"
ROWS: Final[list[dict[str, Any]]] = [
    json.loads(line) for line in (FOLDER / "manifest.jsonl").read_text("ascii").splitlines()
]
FEWEST: Final = 250
LARGEST_FOLDER: Final = 300_000


def test_the_manifest_names_every_file_and_no_other() -> None:
    files = sorted(path.name for path in FOLDER.iterdir() if path.suffix == ".pkl")
    assert files == [row["file"] for row in ROWS]
    assert len(files) >= FEWEST
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= LARGEST_FOLDER


def test_every_protocol_of_both_pythons_is_there() -> None:
    found = {(row["writer"].split("-")[1][0], row["protocol"]) for row in ROWS}
    assert found == {("2", 0), ("2", 1), ("2", 2), *(("3", protocol) for protocol in range(6))}


@pytest.mark.parametrize(
    "row", [row for row in ROWS if sys.version_info >= tuple(row["needs"])], ids=lambda row: row["file"]
)
def test_a_benign_pickle_is_read_with_the_value_it_was_written_with(row: dict[str, Any]) -> None:
    data = (FOLDER / row["file"]).read_bytes()
    policy = safepickle.Policy.named(row["policy"])
    value = safepickle.loads(data, policy=policy, **row["options"])
    assert shown(value) == row["repr"]
    assert shown(safepickle.Unpickler(io.BytesIO(data), policy=policy, **row["options"]).load()) == row["repr"]
    assert shown(pickle.loads(data, **row["options"])) == row["repr"]
    assert safepickle.scan(data, policy=policy).ok
