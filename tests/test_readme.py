"""The README is true: its examples run, its tables are the code's, its commands do what it says they print."""

from __future__ import annotations

import ast
import doctest
import pickle
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import safepickle
from safepickle import limits
from safepickle.cli import _parser, main
from safepickle.report import RULES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
FENCE = re.compile(r"^(?:<!-- (?P<title>[^\n]*) -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(block["title"] or "", block["kind"], block["body"]) for block in FENCE.finditer(README)]


def titled(title: str) -> str:
    (body,) = [body for found, _, body in BLOCKS if found == title]
    return body.strip()


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The rows of the table in a section, without its head."""
    table = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[2:]]


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Path:
    """A folder with the files that the README shows, and the tests' data."""
    for title, _, body in BLOCKS:
        if title.startswith("file: "):
            (tmp_path / title.removeprefix("file: ")).write_text(body, "utf-8")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_block_is_of_a_kind_that_is_tested_here():
    assert {kind for _, kind, _ in BLOCKS} == {"sh", "pycon", "yaml", "text"}
    assert all(title.startswith("file: ") for title, kind, _ in BLOCKS if kind == "yaml")


def test_the_python_examples_give_what_they_show(desk, monkeypatch):
    monkeypatch.delenv("SAFEPICKLE_POLICY", raising=False)
    examples = "\n".join(body for _, kind, body in BLOCKS if kind == "pycon")
    test = doctest.DocTestParser().get_doctest(examples, {}, "README.md", "README.md", 0)
    assert len(test.examples) > 5
    told: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert "".join(told) == ""


@pytest.mark.parametrize("row", rows("What it stops"), ids=lambda row: row[0])
def test_what_the_readme_says_is_stopped_is_stopped(row):
    _, example, outcome = row
    stream = eval(example.strip("`"), {"__builtins__": {}})
    with pytest.raises(safepickle.UnpicklingError) as stopped:
        safepickle.loads(stream, policy="stdlib")
    assert type(stopped.value).__name__ == outcome
    assert not safepickle.scan(stream, policy="stdlib").ok


@pytest.mark.parametrize("row", rows("Where it is stricter than pickle"), ids=lambda row: row[0])
def test_what_the_readme_says_only_pickle_accepts_is_refused_here_alone(row):
    _, example, outcome = row
    stream = eval(example.strip("`"), {"__builtins__": {}})
    pickle.loads(stream)  # data of this repository, and without a global
    with pytest.raises(safepickle.UnpicklingError) as stopped:
        safepickle.loads(stream, policy=safepickle.Policy.unrestricted())
    assert type(stopped.value).__name__ == outcome
    assert stopped.value.elsewhere
    assert safepickle.scan(stream).verdict in {"malformed", "forbidden"}


def test_the_examples_of_attacks_are_constants():
    tables = rows("What it stops") + rows("Where it is stricter than pickle")
    streams = [ast.parse(example.strip("`"), mode="eval") for _, example, _ in tables]
    kinds = (ast.Expression, ast.Constant, ast.BinOp, ast.operator)
    assert all(isinstance(node, kinds) for stream in streams for node in ast.walk(stream))


def test_the_errors_are_the_ones_of_the_package():
    named = {row[0].strip("`") for row in rows("Errors")}
    assert named == {kind.__name__ for kind in subclasses(safepickle.errors.StreamError)}


def subclasses(kind: type) -> set[type]:
    below = set(kind.__subclasses__())
    return below.union(*(subclasses(each) for each in below))


def test_the_limits_are_the_ones_of_the_package_with_their_defaults():
    shown = {row[0].strip("`"): row[1] for row in rows("Limits")}
    words = {None: "none", **{value: str(value) for value in limits.DEFAULTS if value is not None}}
    work = f"{limits.WORK_ALLOWANCE >> 20} MiB + {limits.WORK_PER_BYTE} for each byte"
    unpacked = f"{limits.UNPACKED_ALLOWANCE >> 20} MiB + {limits.UNPACKED_PER_BYTE} for each byte"
    opcodes = f"{limits.UNPACKED_OPCODES_ALLOWANCE >> 20} MiB + {limits.UNPACKED_OPCODES_PER_BYTE} for each byte"
    budgets = {"unpacked_opcodes": opcodes, "hash_work": work, "copy_work": work, "unpacked": unpacked}
    assert shown == {
        name: budgets.get(name) or words[value]
        for name, value in limits.DEFAULTS._asdict().items()
    }


def test_the_findings_are_the_ones_of_the_package_with_what_they_mean():
    shown = {row[0].strip("`"): tuple(row[1:]) for row in rows("What a finding means")}
    assert shown == {name: (rule.verdict, rule.meaning, rule.advice) for name, rule in RULES.items()}


def test_the_variables_that_choose_a_build_are_the_ones_that_are_read():
    asked = r'_?asked\("(\w+)"\)'
    built = set(re.findall(asked, (ROOT / "setup.py").read_text("utf-8")))
    imported = set(re.findall(asked, (ROOT / "safepickle" / "build.py").read_text("utf-8")))
    shown = [[cell.strip("`") for cell in row] for row in rows("Compiled or not")]
    assert {variable.removesuffix("=1") for variable, when_built, _ in shown if when_built != "-"} == built
    assert {variable.removesuffix("=1") for variable, _, when_imported in shown if when_imported != "-"} == imported


def test_the_packaged_policies_are_the_ones_it_names():
    assert set(re.findall(r"`([a-z]+)` \(", section("A policy"))) == set(safepickle.Policy.names())


@pytest.mark.parametrize("title", ["the first command", "the test command"])
def test_each_of_the_two_commands_is_one_line_that_sets_up_everything(title):
    command = titled(title)
    assert "\n" not in command
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install -q -e ")


def test_the_first_command_prints_what_the_readme_shows():
    setting_up = "python3 -m venv .venv && .venv/bin/pip install -q -e . && "
    here = {"safepickle": f"{shlex.quote(sys.executable)} -m safepickle", "python": shlex.quote(sys.executable)}
    command = titled("the first command").removeprefix(setting_up)
    command, replaced = re.subn(r"\.venv/bin/(\w+)", lambda found: here[found[1]], command)
    assert replaced == 3
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.strip() == titled("what the first command prints")


def test_learning_prints_what_the_readme_shows(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["policy", "learn", "tests/data/valid/readme_orders.pkl"]) == 0
    assert capsys.readouterr().out.strip() == titled("what policy learn prints")


def test_explaining_prints_what_the_readme_shows(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["explain", "--policy", "plain", "tests/data/valid/cpython-3.11.7-4-fractions.pkl"]) == 1
    assert capsys.readouterr().out.strip() == titled("what explain prints")


def test_the_synopsis_of_the_command_line_is_the_one_it_has():
    shown = re.findall(r"^safepickle (\w+)(?: ([a-z]+)\b)?", section("The command line"), re.MULTILINE)
    help_ = subprocess.run([sys.executable, "-m", "safepickle", "--help"], check=True, capture_output=True, text=True)
    listed = re.findall(r"^    (\w+)(?:  |$)", help_.stdout, re.MULTILINE)
    assert list(dict.fromkeys(command for command, _ in shown)) == listed
    arguments = [sys.executable, "-m", "safepickle", "policy", "--help"]
    help_ = subprocess.run(arguments, check=True, capture_output=True, text=True)
    listed = re.findall(r"^    (\w+)(?:  |$)", help_.stdout, re.MULTILINE)
    assert [command for tool, command in shown if tool == "policy"] == listed


def test_every_module_that_the_layout_names_is_there():
    named = re.findall(r"(\w+\.py|policy/)", section("The code"))
    assert {name.rstrip("/") for name in named} == {
        path.name for path in (ROOT / "safepickle").iterdir() if path.suffix == ".py" or path.name == "policy"
    } - {"__init__.py", "__main__.py"}


# The hook for pre-commit.


def hook() -> dict[str, object]:
    (found,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    return found


def test_the_hook_runs_a_command_that_there_is_on_the_files_it_is_given(tmp_path, capsys):
    program, *arguments = str(hook()["entry"]).split()
    assert program == "safepickle"
    options = _parser().parse_args([*arguments, "a.pkl", "b.pkl"])
    assert options.paths == ["a.pkl", "b.pkl"]
    (tmp_path / "a.pkl").write_bytes(b"cos\nsystem\n(Vid\ntR.")
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
