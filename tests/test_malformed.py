"""Every damaged stream against every entry point: named for what it is, never anything but an UnpicklingError."""

from __future__ import annotations

import functools
import io
import json
import pickle
from typing import Final

import pytest

import safepickle
from safepickle import opcodes
from tests.assembler import asm
from tests.make_attacks import FOLDER as ATTACKS_FOLDER
from tests.make_attacks import VICTIMS
from tests.make_malformed import ACCEPTED_BY_NAME, FOLDER, Damage, before, derived, files, instruction, stored

DERIVED: Final = derived()
FEWEST_DERIVED: Final = 800
FEWEST_STORED: Final = 40


@functools.cache
def _policy() -> safepickle.Policy:
    return safepickle.Policy.from_file(ATTACKS_FOLDER / VICTIMS)


def test_the_stored_files_are_what_the_script_makes() -> None:
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == files()
    assert len(stored()) >= FEWEST_STORED


def test_the_manifest_has_one_line_for_each_file() -> None:
    rows = [json.loads(line) for line in (FOLDER / "manifest.jsonl").read_text("ascii").splitlines()]
    assert [row["file"] for row in rows] == [f"{case.name}.pkl" for case in stored()]


def test_there_is_a_case_for_every_opcode_and_no_two_have_one_name() -> None:
    named = {case.name.split()[0] for case in DERIVED}
    assert named >= {row.name for row in opcodes.TABLE if row.argument != opcodes.NO_ARGUMENT or row.before}
    assert len({case.name for case in DERIVED}) == len(DERIVED) >= FEWEST_DERIVED


NEEDS_AN_APPLICATION: Final = frozenset({*ACCEPTED_BY_NAME, "STOP"})
AROUND: Final = {"POP": (b"N", b"."), "POP_MARK": (b"N", b"."), "MARK": (b"", b"1N."), "PROTO": (b"", b"N."),
                 "FRAME": (b"", b"N.")}  # fmt: skip


@pytest.mark.parametrize(
    "row", [row for row in opcodes.TABLE if row.name not in NEEDS_AN_APPLICATION], ids=lambda row: row.name
)
def test_what_is_cut_is_a_good_stream_when_it_is_whole(row: opcodes.Opcode) -> None:
    """Otherwise the cut would not be what is wrong with it."""
    lead, tail = AROUND.get(row.name, (b"", b"."))
    pickle.loads(asm(("PROTO", 4), lead, *before(row)) + instruction(row) + tail)


def _refusals(data: bytes) -> list[BaseException | None]:
    found: list[BaseException | None] = []
    for read in (
        lambda: safepickle.loads(data, policy=_policy()),
        lambda: safepickle.Unpickler(io.BytesIO(data), policy=_policy()).load(),
        lambda: safepickle.verify(data, policy=_policy()),
    ):
        try:
            read()
            found.append(None)
        except pickle.UnpicklingError as refusal:
            found.append(refusal)
    return found


@pytest.mark.parametrize("case", [*stored(), *DERIVED], ids=lambda case: case.name)
def test_a_damaged_stream_is_refused_by_name_at_every_entry_point(case: Damage) -> None:
    assert [type(refusal).__name__ in case.expected for refusal in _refusals(case.data)] == [True] * 3, _refusals(
        case.data
    )
    report = safepickle.scan(case.data, policy=_policy())
    inside = {member.name for member in report.members} - {""}
    if inside:  # damaged as a pickle, whole as what holds one: the scanner looks into that
        assert inside == {case.name} == {"base64"}
        return
    assert report.verdict != "pass"
    assert not report.ok


def test_an_empty_source_is_the_end_of_a_stream_and_a_broken_one_is_not() -> None:
    for refusal in _refusals(b""):
        assert isinstance(refusal, EOFError)
        assert isinstance(refusal, pickle.UnpicklingError)
    assert safepickle.scan(b"", policy=_policy()).verdict == "malformed"
    assert not any(isinstance(refusal, EOFError) for refusal in _refusals(b"\x80\x04"))
