"""The command line of the policy tools: its exit codes, its formats, and that hostile names steer nothing."""

from __future__ import annotations

import json
import pickle
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from safepickle.cli import main
from safepickle.policy import Policy

HEAD = "safepickle: 1\n"
ID = pickle.dumps(uuid.UUID(int=7), 4)
EVIL = b"cos\nsystem\n(S'true'\ntR."
STEERING = b"\x80\x04\x8c\x05\x1b[31m\x8c\x06\xe2\x80\xaegnp\x93."

PASSED, FOUND, UNFINISHED, NOTHING = 0, 1, 2, 3


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    files = {
        "good.yaml": HEAD + "allow:\n  uuid: [UUID]\n",
        "narrow.yaml": HEAD + "allow:\n  uuid:\n    - UUID: {use: [new, build]}\n",
        "evil.yaml": HEAD + "allow:\n  os: [system: {use: [call]}]\n",
        "bad.yaml": HEAD + "allowed: {}\n",
        "expect.yaml": HEAD + "policy: good.yaml\npass: [id.pkl]\nrefuse: [evil.pkl]\n",
        "unmet.yaml": HEAD + "policy: good.yaml\npass: [evil.pkl]\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    samples = {"id.pkl": ID, "evil.pkl": EVIL, "notes.txt": b"no pickle\n", "steering.pkl": STEERING}
    for name, data in samples.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "empty").mkdir()
    return tmp_path


COMMANDS = [
    (["learn", "id.pkl"], PASSED),
    (["learn", "id.pkl", "evil.pkl"], FOUND),
    (["learn", "notes.txt"], UNFINISHED),
    (["learn", "notes.txt", "evil.pkl"], FOUND),
    (["learn", "missing.pkl"], UNFINISHED),
    (["learn", "id.pkl", "missing.pkl"], UNFINISHED),
    (["learn", "empty"], NOTHING),
    (["learn", "--into", "good.yaml", "id.pkl"], PASSED),
    (["learn", "--into", "bad.yaml", "id.pkl"], UNFINISHED),
    (["learn", "--into", "missing.yaml", "id.pkl"], UNFINISHED),
    (["lint", "./good.yaml"], PASSED),
    (["lint", "./evil.yaml"], FOUND),
    (["lint", "stdlib"], PASSED),
    (["lint", "--sample", "id.pkl", "./good.yaml"], PASSED),
    (["lint", "--sample", "evil.pkl", "./good.yaml"], FOUND),
    (["lint", "--sample", "missing.pkl", "./good.yaml"], UNFINISHED),
    (["lint", "--import", "./good.yaml"], FOUND),
    (["lint", "./bad.yaml"], UNFINISHED),
    (["lint", "./missing.yaml"], UNFINISHED),
    (["diff", "./good.yaml", "./good.yaml"], PASSED),
    (["diff", "./good.yaml", "./narrow.yaml"], PASSED),
    (["diff", "./narrow.yaml", "./good.yaml"], FOUND),
    (["diff", "plain", "./bad.yaml"], UNFINISHED),
    (["diff", "./good.yaml", "nonsense"], UNFINISHED),
    (["explain", "./good.yaml", "uuid.UUID"], PASSED),
    (["explain", "./good.yaml", "os.system"], FOUND),
    (["explain", "./good.yaml", "system"], UNFINISHED),
    (["explain", "./bad.yaml", "os.system"], UNFINISHED),
    (["test", "expect.yaml"], PASSED),
    (["test", "expect.yaml", "unmet.yaml"], FOUND),
    (["test", "bad.yaml"], UNFINISHED),
    (["test", "missing.yaml"], UNFINISHED),
    (["show", "./good.yaml"], PASSED),
    (["show", "./bad.yaml"], UNFINISHED),
]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    ("arguments", "code"), COMMANDS, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_each_command_exits_with_what_it_found(desk, capsys, arguments, code, form):
    assert main(["policy", arguments[0], "--format", form, *arguments[1:]]) == code
    shown = capsys.readouterr()
    assert (shown.out + shown.err).replace("\n", "").isprintable()
    assert bool(shown.err) == (code in {UNFINISHED, NOTHING} or (code == FOUND and arguments[0] == "learn"))
    if form == "json" and shown.out:
        json.loads(shown.out)


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    main(["policy", arguments[0], "--format", "json", *arguments[1:]])
    return json.loads(capsys.readouterr().out)


def test_the_schema_is_printed_as_a_file(capsys):
    assert main(["policy", "schema"]) == PASSED
    assert json.loads(capsys.readouterr().out)["title"] == "safepickle policy"


def test_what_learn_prints_is_a_policy_that_admits_the_samples(desk, capsys):
    assert main(["policy", "learn", "id.pkl"]) == PASSED
    (desk / "learned.yaml").write_text(capsys.readouterr().out)
    assert main(["scan", "--policy", "learned.yaml", "id.pkl"]) == PASSED
    assert main(["policy", "lint", "--sample", "id.pkl", "learned.yaml"]) == PASSED


def test_what_learn_prints_with_a_file_is_that_file_and_more(desk, capsys):
    (desk / "mine.yaml").write_text(HEAD + "# mine\nallow:\n  shop:\n    - Cart   # ours\n")
    assert main(["policy", "learn", "--into", "mine.yaml", "id.pkl"]) == PASSED
    text = capsys.readouterr().out
    assert text.startswith(HEAD + "# mine\nallow:\n  shop:\n    - Cart   # ours\n  uuid:\n")
    assert (desk / "mine.yaml").read_text().endswith("- Cart   # ours\n")


def test_a_withheld_name_is_said_on_both_outputs_and_granted_on_none(desk, capsys):
    assert main(["policy", "learn", "evil.pkl"]) == FOUND
    shown = capsys.readouterr()
    assert "# Not granted: os.system (call), first in evil.pkl at byte 0" in shown.out
    assert "safepickle: not granted: os.system (call)" in shown.err
    assert ("os", "system") not in Policy.from_yaml(shown.out).data.grants


def test_names_that_steer_a_terminal_are_escaped(desk, capsys):
    assert main(["policy", "learn", "steering.pkl"]) == FOUND
    shown = capsys.readouterr()
    assert "\\x1b[31m.\\u202egnp" in shown.out
    assert "\x1b" not in shown.out + shown.err


def test_json_has_what_text_says(desk, capsys):
    learned = as_json(capsys, "learn", "id.pkl", "evil.pkl")
    assert [entry["entry"] for entry in learned["entries"]] == [
        "UUID: {use: [new, build], args: [[]], attributes: [int]}"
    ]
    assert learned["entries"][0]["uses"] == {"refer": 1, "new": 1, "build": 1}
    assert [(gone["module"], gone["name"]) for gone in learned["withheld"]] == [("os", "system")]
    assert Policy.from_yaml(learned["policy"])
    assert [remark["rule"] for remark in as_json(capsys, "lint", "./evil.yaml")["remarks"]] == ["never-grant"]
    assert [found["kind"] for found in as_json(capsys, "diff", "plain", "./good.yaml")["differences"]] == ["gained"]
    answers = as_json(capsys, "explain", "./good.yaml", "uuid.UUID")["answers"]
    assert [answer["grounds"][0]["origin"] for answer in answers] == ["./good.yaml:3"] * 5
    assert [one["met"] for one in as_json(capsys, "test", "expect.yaml", "unmet.yaml")["outcomes"]] == [
        True,
        True,
        False,
    ]
    shown = as_json(capsys, "show", "./good.yaml")
    assert shown["policy"] == {"safepickle": 1, "allow": {"uuid": ["UUID"]}}
    assert shown["digest"] == Policy.from_file("good.yaml").digest


def test_a_folder_is_learned_from_as_a_whole(desk, capsys):
    (desk / "samples" / "deep").mkdir(parents=True)
    (desk / "samples" / "deep" / "id.pkl").write_bytes(ID)
    (desk / "samples" / "list.pkl").write_bytes(pickle.dumps([1]))
    assert main(["policy", "learn", "samples"]) == PASSED
    assert "# Learned from 2 samples, 2 pickles." in capsys.readouterr().out


def test_what_is_no_pickle_is_told_and_a_failure_only_where_it_was_named(desk, capsys):
    (desk / "samples").mkdir()
    (desk / "samples" / "notes.txt").write_bytes(b"no pickle\n")
    assert main(["policy", "learn", "samples"]) == NOTHING
    (desk / "samples" / "id.pkl").write_bytes(ID)
    assert main(["policy", "learn", "samples"]) == PASSED
    assert "samples/notes.txt: not a pickle" in capsys.readouterr().err
    assert main(["policy", "learn", "samples", "samples/notes.txt"]) == UNFINISHED


def test_no_tool_is_imported_before_it_is_asked_for():
    import subprocess

    code = "import sys, safepickle.cli; print(*[name for name in sys.modules if 'safepickle.policy.' in name])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = {name.rpartition(".")[2] for name in done.stdout.split()}
    assert loaded.isdisjoint({"learn", "lint", "diff", "explain", "expect", "schema", "merge", "inspection", "powers"})
