"""What the command line of reports takes, and the hook for pre-commit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from safepickle.cli import _parser, main

ROOT = Path(__file__).parent.parent
HOOKS = ROOT / ".pre-commit-hooks.yaml"
GADGET = b"cos\nsystem\n(S'true'\ntR."


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "x"], ["report", "-o", "page.html"], ["completion"], ["completion", "tcsh"],
        ["scan", "--color", "red", "x"], ["scan", "--baseline"], ["scan", "--format", "xml", "x"],
    ],
)  # fmt: skip
def test_a_usage_error_exits_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2


def test_a_report_is_judged_by_the_policy_and_compared_with_the_baseline(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("x.pkl").write_bytes(b"\x80\x02cuuid\nUUID\n)\x81}U\x03intK\x07sb.")
    assert main(["report", "x.pkl", "-o", "page.html"]) == 0
    assert main(["report", "--policy", "plain", "x.pkl", "-o", "page.html"]) == 1
    capsys.readouterr()
    main(["scan", "--policy", "plain", "--format", "json", "x.pkl"])
    Path("old.json").write_text(capsys.readouterr().out)
    assert main(["report", "--policy", "plain", "--baseline", "old.json", "x.pkl", "-o", "page.html"]) == 0
    assert '"known": true' in Path("page.html").read_text("ascii")


# The hook.


def hook() -> dict[str, object]:
    (found,) = yaml.safe_load(HOOKS.read_text("utf-8"))
    return found


def test_the_hook_runs_a_command_that_there_is_on_the_files_it_is_given(tmp_path, capsys):
    program, *arguments = str(hook()["entry"]).split()
    assert program == "safepickle"
    options = _parser().parse_args([*arguments, "a.pkl", "b.pkl"])
    assert options.paths == ["a.pkl", "b.pkl"]
    (tmp_path / "a.pkl").write_bytes(GADGET)
    (tmp_path / "b.pkl").write_bytes(b"N.")
    assert main([*arguments, str(tmp_path / "a.pkl"), str(tmp_path / "b.pkl")]) == 1
    assert main([*arguments, str(tmp_path / "b.pkl")]) == 0


def test_the_hook_has_what_pre_commit_requires_and_looks_at_names_that_pickles_have():
    assert {"id", "name", "entry", "language"} <= hook().keys()
    assert hook()["language"] == "python"
    wanted = re.compile(str(hook()["files"]))
    taken = ["a.pkl", "b/c.pickle", "m.pt", "m.pth", "x.joblib", "x.npy", "x.npz", "x.ckpt", "x.dill"]
    assert all(wanted.search(name) for name in taken)
    assert not any(wanted.search(name) for name in ("a.py", "pkl", "apkl", "notes.pkl.md", "x.pt.txt"))
