"""`safepickle scan` with processes, results to resume from, a cache or a cluster says what it says without."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from safepickle.cli import main
from safepickle.formats import FORMATS

ROOT = Path(__file__).parent.parent
GOOD = pickle.dumps({"a": [1, 2.5, "x", (None, True)]}, 4)
EVIL = b"cos\nsystem\n(S'true'\ntR."
PASSED, FOUND, INCOMPLETE, NOTHING = 0, 1, 2, 3


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    (folder / "below").mkdir(parents=True)
    for number in range(30):
        (folder / f"{number:02}.pkl").write_bytes(EVIL if number % 10 == 4 else GOOD)
    (folder / "below" / "notes").write_bytes(b"notes")
    (folder / "below" / "gone").symlink_to(tmp_path / "gone")
    (tmp_path / "elsewhere").mkdir()
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(folder / "below" / "pipe")
    return folder


def output(capsys, *arguments: object) -> tuple[int, str]:
    code = main(["scan", *map(str, arguments)])
    return code, capsys.readouterr().out


def without_policies(text: str) -> list[object]:
    """Lines, and reports in them; what could not be read may say under which policy it was not."""
    lines: list[object] = []
    for line in text.splitlines():
        if line.startswith('{"source": '):
            told = json.loads(line.rstrip(","))
            lines.append({**told, "policy": ""} if told["verdict"] == "incomplete" else told)
        else:
            lines.append(re.sub(r'("policy": )"[^"]*"', r'\1""', line))
    return lines


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("extra", [["--jobs", "2"], ["--cache", "c"], ["--resume", "r"]], ids=" ".join)
def test_it_says_the_same_in_the_same_order(tree, tmp_path, monkeypatch, capsys, form, extra):
    monkeypatch.chdir(tmp_path)
    plain = output(capsys, "--format", form, tree, tree / "01.pkl", "missing")
    for _ in range(1 if "--jobs" in extra else 2):  # the second time from what was kept
        code, text = output(capsys, "--format", form, *extra, tree, tree / "01.pkl", "missing")
        assert (code, without_policies(text)) == (plain[0], without_policies(plain[1]))


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["00.pkl"], PASSED),
        (["04.pkl"], FOUND),
        (["missing"], INCOMPLETE),
        (["below/notes"], INCOMPLETE),
        ([], NOTHING),
    ],
)
def test_the_exit_codes_are_the_same(tree, monkeypatch, capsys, names, code):
    monkeypatch.chdir(tree)
    Path("empty").mkdir()
    assert output(capsys, "--jobs", "2", "empty", *names)[0] == code


def test_a_file_of_results_that_cannot_be_used_is_said_and_left_alone(tree, tmp_path, capsys):
    results = tmp_path / "results.jsonl"
    main(["scan", "--policy", "plain", "--resume", str(results), str(tree)])
    kept = results.read_bytes()
    assert kept.count(b"\n") == 34
    capsys.readouterr()
    for arguments in (["--policy", "stdlib", "--resume", str(results)], ["--resume", str(tmp_path)]):
        assert main(["scan", *arguments, str(tree)]) == INCOMPLETE
        assert "--resume" in capsys.readouterr().err
    assert results.read_bytes() == kept


@pytest.mark.parametrize("option", ["--resume", "--cache"])
def test_what_lies_in_a_scanned_folder_decides_nothing_about_it(tree, capsys, option):
    assert main(["scan", option, str(tree / "below" / "planted"), str(tree)]) == INCOMPLETE
    assert "decides nothing" in capsys.readouterr().err
    assert not (tree / "below" / "planted").exists()


def test_a_number_of_processes_is_a_number(tree, capsys):
    for wrong in ("-1", "x", "1.5", ""):
        with pytest.raises(SystemExit) as ended:
            main(["scan", "--jobs", wrong, str(tree)])
        assert ended.value.code == INCOMPLETE
    assert main(["scan", "--jobs", "2", "--dask", "tcp://127.0.0.1:1", str(tree)]) == INCOMPLETE


def test_without_dask_it_says_what_to_install(tree, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["scan", "--dask", "tcp://127.0.0.1:1", str(tree)]) == INCOMPLETE
    assert "safepickle-codec[dask]" in capsys.readouterr().err


@pytest.mark.filterwarnings("default")  # of the library's own
def test_a_scan_on_a_cluster_says_the_same(tree, capsys):
    distributed = pytest.importorskip("distributed", reason="Dask's distributed is not installed")
    plain = output(capsys, "--format", "jsonl", tree)
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    )
    with cluster:
        code, text = output(capsys, "--format", "jsonl", "--dask", cluster.scheduler_address, tree)
    assert (code, without_policies(text)) == (plain[0], without_policies(plain[1]))


@pytest.fixture
def interruptible():
    """In the background of a shell an interrupt is ignored, also by what is started there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_ends_cleanly_and_the_same_command_goes_on(tmp_path, jobs):
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number:04}").write_bytes(GOOD * (80 if number > 50 else 1))
    results, once = tmp_path / "results.jsonl", tmp_path / "once.jsonl"
    command = [sys.executable, "-m", "safepickle", "scan", "--policy", "plain", "--format", "jsonl", "--jobs", jobs]
    with subprocess.Popen(
        [*command, "--resume", str(results), str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as run:
        first = run.stdout.readline()
        run.send_signal(signal.SIGINT)
        rest = run.stdout.read()  # `communicate` would lose what was read ahead of the first line's end
        complaint = run.stderr.read()
    assert run.returncode == INCOMPLETE
    assert complaint == f"safepickle: interrupted; the same command goes on where {results} ends\n"
    kept = results.read_bytes().splitlines()
    assert [json.loads(line)["source"] for line in (first + rest).splitlines()] == [
        json.loads(line)["source"] for line in kept
    ][: len((first + rest).splitlines())]
    assert 1 <= len(kept) < 400
    assert main(["scan", "--policy", "plain", "--resume", str(results), str(folder)]) == PASSED
    assert main(["scan", "--policy", "plain", "--resume", str(once), str(folder)]) == PASSED
    assert results.read_bytes() == once.read_bytes()
