"""What the command line of reports takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from safepickle.cli import main


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
