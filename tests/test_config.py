"""Settings: read where it is sure that whoever wrote what is scanned did not write them, strictly, or not at all."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepickle.cli import main
from safepickle.config import ConfigError, Settings, is_above_suspicion, read_config

UUID = b"\x80\x02cuuid\nUUID\n)\x81}U\x03intK\x07sb."
PLAIN = '[tool.safepickle]\npolicy = "plain"\n'


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A desk with settings by which UUIDs are refused, and a store elsewhere, where one lies."""
    (tmp_path / "desk").mkdir()
    (tmp_path / "store" / "inner").mkdir(parents=True)
    (tmp_path / "store" / "inner" / "x.pkl").write_bytes(UUID)
    (tmp_path / "desk" / "pyproject.toml").write_text(PLAIN)
    monkeypatch.chdir(tmp_path / "desk")
    return tmp_path / "desk"


def scanned(*arguments: str) -> int:
    return main(["scan", *arguments])


def test_settings_of_the_current_folder_count_for_what_lies_elsewhere(desk, capsys):
    assert scanned("../store") == 1
    (desk / "pyproject.toml").write_text("")
    assert scanned("../store") == 0


def test_the_command_line_counts_before_them(desk, capsys):
    assert scanned("--policy", "stdlib", "../store") == 0


@pytest.mark.parametrize("place", [".", "..", "sub", "sub/x.pkl", "link", "link/x.pkl", "../desk", "pyproject.toml"])
def test_they_are_not_read_where_something_in_or_around_their_folder_is_scanned(desk, capsys, place):
    """Whoever wrote what is scanned could have written them: a settings file that lets everything in."""
    (desk / "pyproject.toml").write_text('[tool.safepickle]\nnonsense = "would be refused"\n')
    (desk / "sub").mkdir()
    (desk / "sub" / "x.pkl").write_bytes(UUID)
    (desk / "link").symlink_to(desk.parent / "store" / "inner")
    scanned(place)
    shown = capsys.readouterr()
    assert shown.err.startswith("safepickle: pyproject.toml: not read, ")
    assert len(shown.err.splitlines()) == 1
    assert shown.out != ""  # so it has been scanned; with the settings, it would not


def test_a_file_without_settings_that_is_not_read_is_not_worth_a_word(desk, capsys):
    (desk / "pyproject.toml").write_text("[project]\n")
    scanned(".")
    (desk / "pyproject.toml").unlink()
    (desk / "pyproject.toml").symlink_to(desk / "nowhere")
    scanned(".")
    assert capsys.readouterr().err == ""


def test_one_of_many_paths_is_enough_not_to_read_them(desk, capsys):
    (desk / "x.pkl").write_bytes(UUID)
    assert scanned("../store", "x.pkl") == 0


def test_a_folder_that_is_reached_by_a_link_is_known_for_what_it_is(desk, capsys, monkeypatch):
    (desk.parent / "alias").symlink_to(desk)
    monkeypatch.chdir(desk.parent / "alias")
    (desk / "x.pkl").write_bytes(UUID)
    assert scanned(str(desk / "x.pkl")) == 0
    assert scanned(str(desk.parent / "alias" / "x.pkl")) == 0


def test_settings_that_are_a_link_into_what_is_scanned_are_not_read(desk, capsys):
    (desk / "pyproject.toml").unlink()
    (desk.parent / "store" / "pyproject.toml").write_text(PLAIN)
    (desk / "pyproject.toml").symlink_to(desk.parent / "store" / "pyproject.toml")
    assert scanned("../store") == 0


def test_no_other_folder_is_looked_into(desk, capsys, monkeypatch):
    (desk / "below").mkdir()
    monkeypatch.chdir(desk / "below")
    assert scanned(str(desk.parent / "store")) == 0


def test_a_file_that_is_named_is_read_wherever_it_lies(desk, capsys):
    assert scanned("--config", "pyproject.toml", "..") == 1
    (desk.parent / "store" / "settings.toml").write_text(PLAIN)
    assert scanned("--config", "../store/settings.toml", "../store") == 1


def test_files_that_settings_name_lie_beside_them(desk, capsys, monkeypatch):
    (desk / "team.yaml").write_text("safepickle: 1\n")
    (desk / "pyproject.toml").write_text('[tool.safepickle]\npolicy = "team.yaml"\n')
    monkeypatch.chdir(desk.parent)
    assert scanned("--config", "desk/pyproject.toml", "store") == 1
    assert read_config("desk/pyproject.toml", required=True).policy == "desk/team.yaml"
    (desk / "pyproject.toml").write_text('[tool.safepickle]\npolicy = "stdlib"\nbaseline = "old.json"\n')
    assert read_config("desk/pyproject.toml", required=True) == Settings("stdlib", "desk/old.json")


def test_every_setting_does_what_its_option_does(desk, capsys):
    (desk / "pyproject.toml").write_text('[tool.safepickle]\nformat = "jsonl"\n')
    scanned("../store")
    jsonl = capsys.readouterr().out
    assert jsonl.startswith('{"source": ')
    (desk / "old.json").write_text(jsonl)
    (desk / "pyproject.toml").write_text(
        '[tool.safepickle]\npolicy = "plain"\nbaseline = "old.json"\n'
        'color = "always"\n'
    )
    assert scanned("../store") == 1
    assert "\x1b[1;31m" in capsys.readouterr().out
    assert scanned("--color", "never", "../store") == 1
    assert "\x1b" not in capsys.readouterr().out
    main(["scan", "--format", "jsonl", "--policy", "plain", "../store"])
    (desk / "old.json").write_text(capsys.readouterr().out)
    assert scanned("../store") == 0


@pytest.mark.parametrize(
    "text",
    [
        "[tool.safepickle]\nnonsense = 1\n", "[tool.safepickle]\npolicy = 1\n", "[tool.safepickle]\nformat = 'xml'\n",
        "[tool.safepickle]\ncolor = 'red'\n", "[tool.safepickle", "[tool]\nsafepickle = 1\n", "\xff",
        "[[tool.safepickle]]\npolicy = 'plain'\n", "a = " + "[" * 100_000, "[tool.safepickle]\npolicy = ['plain']\n",
        "[tool.safepickle]\npolicy = 'no-such-policy'\n", "[tool.safepickle]\nbaseline = 'missing.json'\n",
        "#" * (2 << 20), "[tool.safepickle]\n'\x1b[31m' = 1\n",
    ],
)  # fmt: skip
def test_settings_that_are_not_understood_end_the_run_before_anything_is_scanned(desk, capsys, text):
    (desk / "pyproject.toml").write_text(text, "latin-1")
    for arguments in ((), ("--config", "pyproject.toml")):
        assert scanned(*arguments, "../store") == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("safepickle: ")
        assert all(line.isprintable() for line in shown.err.splitlines())


def test_settings_that_are_named_must_be_there(desk, capsys):
    assert scanned("--config", "missing.toml", "../store") == 2
    (desk / "pyproject.toml").write_text("[tool.other]\n")
    assert scanned("../store") == 0
    assert scanned("--config", "pyproject.toml", "../store") == 2
    assert "there is no [tool.safepickle]" in capsys.readouterr().err


def test_settings_that_cannot_be_read_end_the_run(desk, capsys):
    (desk / "pyproject.toml").unlink()
    (desk / "pyproject.toml").symlink_to(desk / "nowhere")
    assert scanned("../store") == 2
    (desk / "pyproject.toml").unlink()
    (desk / "pyproject.toml").mkdir()
    assert scanned("../store") == 2


def test_a_file_apart_is_above_suspicion_and_its_neighbours_are_not(tmp_path):
    file = tmp_path / "a" / "pyproject.toml"
    near = [tmp_path, tmp_path / "a", file, tmp_path / "a" / "b" / "c", "/", "/a/..", f"{tmp_path}/b/../a"]
    assert not any(is_above_suspicion(str(file), [str(path)]) for path in near)
    apart = [tmp_path / "b", tmp_path / "ab", tmp_path / "pyproject.toml", f"{tmp_path}/a/../b"]
    assert all(is_above_suspicion(str(file), [str(path)]) for path in apart)


@given(st.binary(max_size=80))
def test_whatever_a_file_holds_it_is_read_or_refused(data):
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with suppress(ConfigError):
            assert isinstance(read_config(file.name, required=False), Settings)
