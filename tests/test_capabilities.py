"""Capabilities: kinds of arguments with their counts, in bounded memory; what is known of names not granted."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import tarfile
from pathlib import Path

import pytest

from safepickle import capabilities
from safepickle.report import DANGEROUS, MORE, UNKNOWN, Capability
from safepickle.scanner import scan

CORPUS = Path(__file__).parent.parent.parent / "shared" / "corpus"


def arguments(data: bytes, name: str) -> dict[tuple[str, ...], int]:
    (found,) = [each for each in scan(data).capabilities if each.name == name]
    return dict(found.arguments)


def grades(data: bytes, **how) -> dict[str | None, str | None]:
    return {finding.name: finding.grade for finding in scan(data, **how).findings}


def test_kinds_of_arguments_are_counted_for_calls_and_instances():
    data = pickle.dumps([dt.date(2024, 1, day) for day in range(1, 8)] + [dt.timedelta(1)], 4)
    assert arguments(data, "date") == {("bytes",): 7}
    assert arguments(data, "timedelta") == {("int", "int", "int"): 1}
    assert arguments(b"\x80\x02cuuid\nUUID\n)\x81.", "UUID") == {(): 1}


def test_kinds_are_told_apart_and_added_up_over_the_pickles_of_a_source():
    one = b"ca\nB\n(I1\ntR0ca\nB\n(Vx\n]tR."
    assert arguments(one + one, "B") == {("int",): 2, ("str", "list"): 2}


def test_a_name_that_is_only_mentioned_has_no_arguments():
    assert arguments(b"ca\nB\n.", "B") == {}


def test_keywords_and_many_arguments_are_said_in_one_word():
    assert arguments(b"\x80\x04ca\nB\n)}Vk\nI1\ns\x92.", "B") == {("kwargs",): 1}
    many = b"ca\nB\n(" + b"I1\n" * 100 + b"tR."
    assert arguments(many, "B") == {("int",) * capabilities.MOST_ARGUMENTS + (MORE,): 1}


def test_what_is_kept_is_bounded_by_the_names_and_not_by_their_uses(monkeypatch):
    kinds = b"".join(b"ca\nB\n(" + b"I1\n" * (n % 7) + b"Vx\n" * (n // 7) + b"tR0" for n in range(49)) + b"N."
    found = arguments(kinds, "B")
    assert len(found) <= capabilities.MOST_SIGNATURES + 1
    assert sum(found.values()) == 49
    monkeypatch.setattr(capabilities, "MOST_NODES", 10)
    found = arguments(b"ca\nB\n(I1\ntR0" * 49 + b"N.", "B")
    assert 0 < sum(found.values()) <= 10  # and the uses say that there are 49


def test_uses_are_those_of_all_pickles_of_a_source():
    assert scan(b"ca\nB\n)R.ca\nB\n.").capabilities == (
        Capability("a", "B", (("refer", 2), ("call", 1)), granted=False, arguments=(((), 1),)),
    )


# Grades.


def test_a_known_gadget_is_dangerous_with_its_reason_and_any_other_name_unknown():
    findings = scan(b"cos\nsystem\n(Vid\ntR0cprices\nCurve\n)R.").findings
    assert {(each.name, each.grade, each.reason is not None) for each in findings} == {
        ("system", DANGEROUS, True),
        ("Curve", UNKNOWN, False),
    }
    assert all("starts programs" in each.reason for each in findings if each.name == "system")


def test_under_a_policy_of_ones_own_only_the_dangerous_is_told():
    assert grades(b"cos\nsystem\n0cprices\nCurve\n.", policy="plain") == {"system": DANGEROUS, "Curve": None}


def test_what_is_refused_for_its_arguments_is_not_unknown():
    assert grades(b"cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.") == {"bytearray": None}


def test_what_spoils_a_class_for_everybody_is_dangerous_whatever_it_is():
    assert grades(b"\x80\x02cuuid\nUUID\n}V__init__\nNsb.")["UUID"] == DANGEROUS


def test_what_findings_without_a_name_are_about_has_no_grade():
    assert grades(b"\x80\x04N") == {None: None}


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of other people's files is not here")
def test_nothing_harmless_of_the_corpus_is_called_dangerous_and_the_attacks_are():
    members = dict(corpus())
    rows = [json.loads(line) for line in members.pop("fixtures.jsonl").decode().splitlines()]
    assert len(rows) == 648
    wrong, missed, told = [], [], 0
    for row in rows:
        report = scan(members[row["path"]])
        dangerous = {(each.module, each.name) for each in report.findings if each.grade == DANGEROUS}
        if row["expected"].endswith(HARMLESS) and ["posix", "system"] not in row["called"] and dangerous:
            wrong.append((row["path"], dangerous))
        if row["expected"].endswith(ATTACKS) and report.capabilities and report.verdict != "incomplete":
            told += bool(dangerous)
            missed += [row["path"]] * (not dangerous)
    assert wrong == []
    assert told >= 262
    assert len(missed) <= 11, missed  # names of nothing that is known: print, a module of the file's own, ...


#: How upstream's verdicts end.  Three of its harmless files do call posix.system, where it was not to see that.
HARMLESS = ("innocuous", "LIKELY_SAFE", "NO-ISSUES")
ATTACKS = ("dangerous", "OVERTLY_MALICIOUS", "CRITICAL", "malicious (os.system echo)", "unsafe")


def corpus():
    with tarfile.open(CORPUS / "fixtures.tar.xz") as archive:
        for member in archive:
            if member.isfile():
                yield member.name, archive.extractfile(member).read()
