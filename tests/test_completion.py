"""Completion: made from the parser, understood by the shells, and true in them."""

from __future__ import annotations

import argparse
import shutil
import subprocess

import pytest

from safepickle.cli import _parser, main
from safepickle.completion import script
from safepickle.formats import FORMATS

SHELLS = ("bash", "zsh", "fish")
COMMANDS = {"scan", "show", "policy", "report", "completion", "version"}


def shell(name: str, text: str, *arguments: str) -> str:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run(
        [name, *arguments], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def bash(words: str) -> set[str]:
    """What bash offers for a line; the last word is completed."""
    parts = words.split(" ")
    quoted = " ".join(f"'{part}'" for part in parts)
    text = script(_parser(), "bash")
    text += f"COMP_WORDS=({quoted}); COMP_CWORD={len(parts) - 1}; _safepickle; printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
    return {line for line in shell("bash", text).splitlines() if line}


def fish(words: str) -> set[str]:
    found = shell("fish", script(_parser(), "fish") + f"complete -C '{words}'\n", "--no-config")
    return {line.partition("\t")[0] for line in found.splitlines()}


@pytest.mark.parametrize("name", SHELLS)
def test_the_command_prints_the_script(name, capsys):
    assert main(["completion", name]) == 0
    assert capsys.readouterr().out == script(_parser(), name)


@pytest.mark.parametrize("name", SHELLS)
def test_the_shell_reads_the_script(name):
    assert shell(name, script(_parser(), name), "-n") == ""


@pytest.mark.parametrize("offered", [bash, fish], ids=["bash", "fish"])
def test_a_shell_offers_commands_options_and_choices(offered, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.pkl").write_bytes(b"")
    assert offered("safepickle ") >= COMMANDS
    assert offered("safepickle s") == {"scan", "show"}
    assert offered("safepickle policy l") == {"learn", "lint"}
    assert offered("safepickle scan --format ") >= set(FORMATS)
    assert offered("safepickle scan --form") == {"--format"}
    assert offered("safepickle scan --format text --col") == {"--color"}
    assert offered("safepickle completion ") >= set(SHELLS)
    assert "model.pkl" in offered("safepickle scan mod")
    assert "model.pkl" in offered("safepickle scan --policy mod")
    assert "--baseline" in offered("safepickle report x -")
    assert "--format" not in offered("safepickle report x --")
    assert offered("safepickle policy lint --im") == {"--import"}


def test_zsh_offers_commands_options_and_choices():
    stubs = (
        "compdef() { : }; _describe() { [[ $1 = -o ]] && shift; shift; print -l -- ${(P)1} }\n"
        "_files() { print FILES }; compadd() { shift; print -l -- $@ }\n"
    )

    def offered(*words: str) -> set[str]:
        quoted = " ".join(f"'{word}'" for word in words)
        text = f"{stubs}{script(_parser(), 'zsh')}words=({quoted}); CURRENT={len(words)}; _safepickle\n"
        return {line.partition(":")[0] for line in shell("zsh", text, "-f").splitlines()}

    assert offered("safepickle", "") >= COMMANDS
    assert offered("safepickle", "scan", "--format", "") == set(FORMATS)
    assert {"learn", "lint"} <= offered("safepickle", "policy", "")
    assert {"--format", "--baseline", "FILES"} <= offered("safepickle", "scan", "")
    assert offered("safepickle", "scan", "--policy", "") == {"FILES"}


@pytest.mark.parametrize("name", SHELLS)
def test_words_of_the_parser_are_words_in_the_shell(name, tmp_path):
    parser = argparse.ArgumentParser(prog="tool", add_help=False)
    told = tmp_path / "told"
    parser.add_argument("--odd", help=f"it's $(touch {told}) `touch {told}` \\ a", choices=["a'b", "$(c)", "x;y"])
    text = script(parser, name)
    ask = {
        "bash": "COMP_WORDS=(tool --odd ''); COMP_CWORD=2; _tool; printf '%s\\n' \"${COMPREPLY[@]}\"\n",
        "zsh": "compadd() { shift; print -l -- $@ }; words=(tool --odd ''); CURRENT=3; _tool\n",
        "fish": "complete -C 'tool --odd '\n",
    }[name]
    before = "compdef() { : }\n" if name == "zsh" else ""
    options = {"bash": ("--norc",), "zsh": ("-f",), "fish": ("--no-config",)}[name]
    lines = shell(name, before + text + ask, *options).splitlines()
    offered = {line.partition("\t")[0].replace("\\", "") for line in lines}
    assert offered == {"a'b", "$(c)", "x;y"}
    assert not told.exists()


def test_every_option_of_every_command_is_in_every_script():
    def options(parser):
        for action in parser._actions:
            yield from action.option_strings
            if isinstance(action, argparse._SubParsersAction):
                for inner in action.choices.values():
                    yield from options(inner)

    for name in SHELLS:
        text = script(_parser(), name)
        spelled = {option.lstrip("-") if name == "fish" else option for option in options(_parser())}
        assert [option for option in spelled if option not in text] == []
