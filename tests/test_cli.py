"""The command line: its exit codes, its formats, and that nothing of a stream or a file name steers a terminal."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from safepickle.cli import main
from safepickle.formats import FORMATS

GOOD = pickle.dumps({"a": [1, 2.5, "x", (None, True)]}, 4)
GOOD_UUID = pickle.dumps(uuid.UUID(int=7), 4)
FORBIDDEN = b"cos\nsystem\n(S'true'\ntR."
MALFORMED = b"\x80\x04cuuid\nUUID\n(K\x01"
NO_PICKLE = b"The notes of a meeting.\n"
STEERING = "\x1b[31m\u202egnp\x9b"

PASSED, FOUND, INCOMPLETE, NOTHING = 0, 1, 2, 3


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "good.pkl").write_bytes(GOOD)
    (tmp_path / "uuid.pkl").write_bytes(GOOD_UUID)
    (tmp_path / "forbidden.pkl").write_bytes(FORBIDDEN)
    (tmp_path / "malformed.pkl").write_bytes(MALFORMED)
    (tmp_path / "notes.txt").write_bytes(NO_PICKLE)
    (tmp_path / "empty").mkdir()
    return tmp_path


def process(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "safepickle", *arguments],
        check=False,
        cwd=cwd,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), **environment},
    )


# Exit codes.


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["good.pkl"], PASSED),
        (["good.pkl", "uuid.pkl"], PASSED),
        (["forbidden.pkl"], FOUND),
        (["malformed.pkl"], FOUND),
        (["good.pkl", "forbidden.pkl"], FOUND),
        (["missing.pkl"], INCOMPLETE),
        (["missing.pkl", "good.pkl"], INCOMPLETE),
        (["missing.pkl", "forbidden.pkl"], FOUND),
        (["notes.txt"], INCOMPLETE),
        (["empty"], NOTHING),
        (["empty", "good.pkl"], PASSED),
        (["empty", "missing.pkl"], INCOMPLETE),
        (["."], FOUND),
    ],
)
def test_scan_exits_with_the_gravest_of_what_it_found(tree, monkeypatch, capsys, form, names, code):
    monkeypatch.chdir(tree)
    assert main(["scan", "--format", form, *names]) == code


def test_scan_exits_with_its_code_as_a_process_too(tree):
    codes = [
        process("scan", name, cwd=tree).returncode for name in ("good.pkl", "forbidden.pkl", "missing.pkl", "empty")
    ]
    assert codes == [PASSED, FOUND, INCOMPLETE, NOTHING]


def test_a_file_that_is_no_pickle_is_listed_in_a_folder_without_a_finding(tree, capsys):
    (tree / "forbidden.pkl").unlink()
    (tree / "malformed.pkl").unlink()
    assert main(["scan", str(tree)]) == PASSED
    assert f"{tree / 'notes.txt'}: not a pickle" in capsys.readouterr().out.splitlines()


def test_a_folder_without_any_pickle_is_not_a_pass(tmp_path, capsys):
    (tmp_path / "notes.txt").write_bytes(NO_PICKLE)
    assert main(["scan", str(tmp_path)]) == NOTHING


def test_a_folder_is_walked_to_its_leaves(tmp_path, capsys):
    leaf = tmp_path / "a" / "b" / "c"
    leaf.mkdir(parents=True)
    (leaf / "model").write_bytes(FORBIDDEN)
    assert main(["scan", str(tmp_path)]) == FOUND
    assert str(leaf / "model") in capsys.readouterr().out


def test_a_pipe_in_a_folder_is_reported_and_not_waited_for(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe")
    assert main(["scan", str(tmp_path)]) == INCOMPLETE
    assert "not a regular file" in capsys.readouterr().out


def test_a_link_to_a_folder_elsewhere_is_reported_and_not_followed(tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.pkl").write_bytes(FORBIDDEN)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")
    assert main(["scan", str(tmp_path / "here")]) == INCOMPLETE
    assert "not followed" in capsys.readouterr().out


def test_a_link_that_leads_round_ends(tmp_path, capsys):
    (tmp_path / "good.pkl").write_bytes(GOOD)
    (tmp_path / "round").symlink_to(tmp_path)
    assert main(["scan", str(tmp_path)]) == PASSED


def test_a_dangling_link_is_not_a_pass(tmp_path, capsys):
    (tmp_path / "good.pkl").write_bytes(GOOD)
    (tmp_path / "gone.pkl").symlink_to(tmp_path / "nowhere")
    assert main(["scan", str(tmp_path)]) == INCOMPLETE


def test_an_unreadable_file_is_not_a_pass(tree, monkeypatch, capsys):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("safepickle.cli.scan", refuse)
    assert main(["scan", str(tree / "good.pkl")]) == INCOMPLETE
    assert "Permission denied [unreadable]" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [[], ["scan"], ["scan", "--format", "xml", "x"], ["scan", "--nope", "x"], ["frobnicate"], ["show"], ["policy"]],
)
def test_a_usage_error_exits_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == INCOMPLETE


# Policies.


def test_the_policy_decides(tree, capsys):
    assert main(["scan", "--policy", "plain", str(tree / "uuid.pkl")]) == FOUND
    assert main(["scan", "--policy", "stdlib", str(tree / "uuid.pkl")]) == PASSED
    assert main(["scan", "--policy", "plain,stdlib", str(tree / "uuid.pkl")]) == PASSED


def test_a_policy_with_a_slash_or_a_yaml_ending_is_a_file(tree, monkeypatch, capsys):
    monkeypatch.chdir(tree)
    text = "safepickle: 1\nallow:\n  uuid: [UUID]\n"
    (tree / "team.yaml").write_text(text)
    (tree / "stdlib").write_text("safepickle: 1\n")  # a file by the name of a packaged policy
    assert main(["scan", "--policy", "team.yaml", "uuid.pkl"]) == PASSED
    assert main(["scan", "--policy", "stdlib", "uuid.pkl"]) == PASSED
    assert main(["scan", "--policy", "./stdlib", "uuid.pkl"]) == FOUND


@pytest.mark.parametrize("policy", ["no-such-policy", "plain,no-such-policy", "./missing.yaml", "missing.yaml", ""])
def test_a_bad_policy_exits_with_two_and_scans_nothing(tree, monkeypatch, capsys, policy):
    monkeypatch.chdir(tree)
    assert main(["scan", "--policy", policy, "good.pkl"]) == INCOMPLETE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("safepickle: ")


def test_every_problem_of_a_policy_file_is_said_with_its_place(tree, monkeypatch, capsys):
    monkeypatch.chdir(tree)
    (tree / "bad.yaml").write_text("safepickle: 1\nalow: {}\nallow:\n  os: ['sys*']\n")
    assert main(["scan", "--policy", "bad.yaml", "good.pkl"]) == INCOMPLETE
    problems = capsys.readouterr().err.splitlines()
    assert len(problems) == 2
    assert "bad.yaml:2:1" in problems[0]
    assert "bad.yaml:4:" in problems[1]


def test_nothing_in_the_scanned_tree_configures_the_scan(tree, monkeypatch, capsys):
    monkeypatch.chdir(tree)
    (tree / "pyproject.toml").write_text('[tool.safepickle]\npolicy = "unrestricted"\n')
    (tree / "policy.yaml").write_text("safepickle: 1\nallow:\n  os: [{system: {use: [call]}}]\n")
    (tree / "safepickle.yaml").write_text("safepickle: 1\nallow:\n  os: [{system: {use: [call]}}]\n")
    assert main(["scan", "forbidden.pkl"]) == FOUND


def test_policy_explain_says_which_verbs_a_name_has(capsys):
    assert main(["policy", "explain", "stdlib", "uuid.UUID"]) == PASSED
    granted = capsys.readouterr().out.splitlines()
    assert granted[0].startswith("uuid UUID: refer granted")
    assert main(["policy", "explain", "stdlib", "os.system"]) == FOUND
    assert "os system: call refused: os.system is not listed" in capsys.readouterr().out.splitlines()


def test_policy_explain_finds_a_qualified_name_wherever_its_module_ends(tree, monkeypatch, capsys):
    monkeypatch.chdir(tree)
    (tree / "p.yaml").write_text("safepickle: 1\nallow:\n  a.b: [C.d]\n")
    assert main(["policy", "explain", "p.yaml", "a.b.C.d"]) == PASSED
    assert capsys.readouterr().out.startswith("a.b C.d: refer granted")


def test_policy_show_prints_a_policy_that_reads_back(tmp_path, capsys):
    assert main(["policy", "show", "stdlib"]) == PASSED
    (tmp_path / "flat.yaml").write_text(capsys.readouterr().out)
    (tmp_path / "uuid.pkl").write_bytes(GOOD_UUID)
    assert main(["scan", "--policy", str(tmp_path / "flat.yaml"), str(tmp_path / "uuid.pkl")]) == PASSED


# Formats.


def test_the_text_says_where_and_what(tree, capsys):
    main(["scan", str(tree / "forbidden.pkl")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{tree / 'forbidden.pkl'}: forbidden"
    assert len(lines) == 3  # what is said twice in the same words is one line
    assert lines[1].startswith("  byte 0, GLOBAL: ")
    assert "os.system" in lines[1]
    assert lines[1].endswith("[not-granted: refer, call]")
    assert lines[-1] == "1 file: 1 forbidden"


def test_the_text_of_a_file_with_very_many_findings_is_short_and_says_so(tmp_path, capsys):
    path = tmp_path / "x.pkl"
    path.write_bytes(b"".join(b"cm\nn%d\n0" % number for number in range(1000)) + b"N.")
    assert main(["scan", str(path)]) == FOUND
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 30
    assert lines[-2].strip().startswith("... and ")


def test_json_is_one_document_with_every_report(tree, capsys):
    main(["scan", "--format", "json", str(tree)])
    reports = json.loads(capsys.readouterr().out)["reports"]
    assert {Path(report["source"]).name: report["verdict"] for report in reports} == {
        "good.pkl": "pass",
        "uuid.pkl": "pass",
        "forbidden.pkl": "forbidden",
        "malformed.pkl": "malformed",
        "notes.txt": "not a pickle",
    }


def test_jsonl_is_one_report_a_line_and_the_same_as_json(tree, capsys):
    main(["scan", "--format", "json", str(tree)])
    reports = json.loads(capsys.readouterr().out)["reports"]
    main(["scan", "--format", "jsonl", str(tree)])
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == reports


def test_a_missing_file_has_a_report_in_json_too(tree, capsys):
    main(["scan", "--format", "jsonl", str(tree / "missing.pkl")])
    report = json.loads(capsys.readouterr().out)
    assert (report["verdict"], report["ok"]) == ("incomplete", False)
    assert report["source"] == str(tree / "missing.pkl")


# Escaping.


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_names_of_a_stream_never_reach_the_terminal(tmp_path, capsys, form):
    name = STEERING.encode("utf-8")
    path = tmp_path / "x.pkl"
    path.write_bytes(b"\x80\x04c" + name + b"\n" + name + b"\n)R.")
    assert main(["scan", "--format", form, str(path)]) == FOUND
    assert printable(capsys.readouterr().out)


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_names_of_files_never_reach_the_terminal(tmp_path, capsys, form):
    (tmp_path / f"{STEERING}\n.pkl").write_bytes(FORBIDDEN)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")).write_bytes(FORBIDDEN)
    assert main(["scan", "--format", form, str(tmp_path)]) == FOUND
    assert printable(capsys.readouterr().out)


def test_complaints_are_escaped(capsys):
    assert main(["show", f"/missing/{STEERING}"]) == INCOMPLETE
    assert printable(capsys.readouterr().err)


def printable(output: str) -> bool:
    assert output
    return all(line.isprintable() for line in output.removesuffix("\n").split("\n"))


def test_output_that_the_terminal_cannot_encode_is_escaped(tmp_path):
    (tmp_path / "größe.pkl").write_bytes(GOOD)
    done = process("scan", str(tmp_path), PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == PASSED
    assert "gr\\xf6\\xdfe.pkl: pass" in done.stdout


def test_a_reader_that_goes_away_ends_the_run_quietly_and_not_as_a_pass(tree):
    scan = subprocess.Popen(
        [sys.executable, "-m", "safepickle", "show", str(tree / "good.pkl")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    scan.stdout.close()
    assert scan.stderr.read() == b""
    scan.stderr.close()
    assert scan.wait() == INCOMPLETE


# Nothing runs.


def test_scan_and_show_run_nothing_that_the_stream_names(tmp_path, capsys):
    told = tmp_path / "told"
    path = tmp_path / "x.pkl"
    path.write_bytes(b"cos\nmkdir\n(V" + str(told).encode() + b"\ntR.")
    for command in (["scan"], ["scan", "--format", "json"], ["show"]):
        main([*command, str(path)])
    assert not told.exists()


def test_a_module_beside_the_scanned_file_is_not_imported(tmp_path):
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "x.pkl").write_bytes(b"cevil\nEvil\n.")
    done = process("scan", "x.pkl", cwd=tmp_path)
    assert done.returncode == FOUND
    assert "imported" not in done.stderr


# The other commands.


def test_version_names_the_version_and_the_interpreter(capsys):
    assert main(["version"]) == PASSED
    assert capsys.readouterr().out.startswith("safepickle 0.1.0, ")
