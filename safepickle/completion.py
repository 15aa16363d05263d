"""Scripts that complete the command line in a shell, made from the parser of the command line itself.

Rules:

* Everything is read off argparse: commands, options, what choices they have, and whether they take a file.
* The script runs nothing of this project while it completes: it is a table of words.
* Every word is quoted for its shell.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

__all__ = ["script"]

_FILES: Final = frozenset({"PATH", "FILE", "NAMES|FILE", "OLD", "NEW"})


class Word(NamedTuple):
    """An option, or a value, with what it is."""

    text: str
    help: str


class Command(NamedTuple):
    """A command, by the words that lead to it, and what can follow them."""

    path: tuple[str, ...]
    words: tuple[Word, ...]  # commands, or choices of an argument
    options: tuple[Word, ...]
    values: dict[str, tuple[str, ...]]  # of each option that takes one: the choices; empty: any
    files: bool  # whether an argument is a file


def _commands(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[Command]:
    words: list[Word] = []
    options: list[Word] = []
    values: dict[str, tuple[str, ...]] = {}
    below: list[Command] = []
    files = False
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask what a parser takes
        choices = tuple(str(choice) for choice in action.choices or ())
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - likewise
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001 - likewise
            for name, inner in action.choices.items():
                words.append(Word(name, helps.get(name, "")))
                below += _commands(inner, (*path, name))
        elif action.option_strings:
            options += [Word(option, _said(parser, action)) for option in action.option_strings]
            if action.nargs != 0:
                values |= dict.fromkeys(action.option_strings, choices)
        elif choices:
            words += [Word(choice, "") for choice in choices]
        else:
            files = files or action.metavar in _FILES
    yield Command(path, tuple(words), tuple(options), values, files)
    yield from below


def _said(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    return (action.help or "") % {**vars(action), "prog": parser.prog} if action.help else ""


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for bash, zsh or fish."""
    return _SCRIPTS[shell](parser.prog, list(_commands(parser)))


def _quoted(text: str) -> str:
    """A word in single quotes, as bash and zsh read it."""
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    """A word in single quotes, as fish reads it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _function(prog: str) -> str:
    return "_" + "".join(char if char.isalnum() else "_" for char in prog)


def _level(path: tuple[str, ...]) -> str:
    return _quoted(" ".join(path))


def _bash(prog: str, commands: list[Command]) -> str:
    offer = f"{_function(prog)}_offer"
    lines = [
        f"# bash completion of {prog}; put into a file that ~/.bashrc sources.",
        f"{offer}() {{",  # not `compgen -W`, which expands the words
        '    local each',
        '    for each in "$@"; do [[ $each == "$word"* ]] && COMPREPLY+=("$each"); done',
        "}",
        f"{_function(prog)}() {{",
        "    local word=${COMP_WORDS[COMP_CWORD]} before='' path='' index",
        "    COMPREPLY=()",
        "    for ((index = 1; index < COMP_CWORD; index++)); do",
        '        case "$path ${COMP_WORDS[index]}" in',
    ]
    for command in commands[1:]:
        spelled = _quoted(f"{' '.join(command.path[:-1])} {command.path[-1]}")
        lines.append(f"            {spelled}) path={_level(command.path)} ;;")
    lines += [
        "        esac",
        "    done",
        '    before=${COMP_WORDS[COMP_CWORD-1]}',
        '    case "$path" in',
    ]
    for command in commands:
        lines += [f"        {_level(command.path)})", '            case "$before" in']
        for option, choices in command.values.items():
            reply = f"{offer} {' '.join(map(_quoted, choices))}" if choices else _BASH_FILES
            lines.append(f"                {_quoted(option)}) {reply}; return ;;")
        words = " ".join(_quoted(word.text) for word in (*command.words, *command.options))
        lines += ["            esac", f"            {offer} {words}"]
        if command.files:
            lines.append('            [[ $word == -* ]] || COMPREPLY+=($(compgen -f -- "$word"))')
        lines.append("            ;;")
    lines += ["    esac", "}", f"complete -o filenames -F {_function(prog)} {prog}"]
    return "\n".join(lines) + "\n"


_BASH_FILES: Final = 'COMPREPLY=($(compgen -f -- "$word"))'


def _zsh(prog: str, commands: list[Command]) -> str:
    lines = [
        f"#compdef {prog}",
        f"# zsh completion of {prog}; save it as {_function(prog)} in a folder of $fpath.",
        f"{_function(prog)}() {{",
        "    local path_= before=$words[CURRENT-1] index",
        "    local -a offered",
        "    for ((index = 2; index < CURRENT; index++)); do",
        '        case "$path_ $words[index]" in',
    ]
    for command in commands[1:]:
        spelled = _quoted(f"{' '.join(command.path[:-1])} {command.path[-1]}")
        lines.append(f"            {spelled}) path_={_level(command.path)} ;;")
    lines += ["        esac", "    done", '    case "$path_" in']
    for command in commands:
        lines += [f"        {_level(command.path)})", '            case "$before" in']
        for option, choices in command.values.items():
            reply = f"compadd -- {' '.join(map(_quoted, choices))}" if choices else "_files"
            lines.append(f"                {_quoted(option)}) {reply}; return ;;")
        lines.append("            esac")
        for kind, words in (("command", command.words), ("-o option", command.options)):
            if words:
                described = " ".join(_quoted(f"{_colons(word.text)}:{word.help}") for word in words)
                lines += [f"            offered=({described})", f"            _describe {kind} offered"]
        if command.files:
            lines.append("            _files")
        lines.append("            ;;")
    lines += [
        "    esac",
        "}",
        f'if [ "$funcstack[1]" = "{_function(prog)}" ]; then',
        f'    {_function(prog)} "$@"',
        "else",
        f"    compdef {_function(prog)} {prog}",
        "fi",
    ]
    return "\n".join(lines) + "\n"


def _colons(text: str) -> str:
    return text.replace(":", "\\:")


def _fish(prog: str, commands: list[Command]) -> str:
    at = f"_{_function(prog)}_at"
    lines = [
        f"# fish completion of {prog}; save it as ~/.config/fish/completions/{prog}.fish.",
        f"function {at}",
        "    set -l path_ ''",
        "    for word in (commandline -opc)[2..-1]",
        '        switch "$path_ $word"',
    ]
    for command in commands[1:]:
        spelled = _fish_quoted(f"{' '.join(command.path[:-1])} {command.path[-1]}")
        lines.append(f"            case {spelled}; set path_ {_fish_quoted(' '.join(command.path))}")
    lines += ["        end", "    end", '    test "$path_" = "$argv"', "end", f"complete -c {prog} -f"]
    for command in commands:
        begin = f"complete -c {prog} -n {_fish_quoted(' '.join([at, *command.path]))}"
        lines += [f"{begin} -a {_fish_words([word.text])} -d {_fish_quoted(word.help)}" for word in command.words]
        for word in command.options:
            kind = f"-l {word.text[2:]}" if word.text.startswith("--") else f"-s {word.text[1:]}"
            choices = command.values.get(word.text)
            takes = "" if choices is None else f" -x -a {_fish_words(choices)}" if choices else " -r -F"
            lines.append(f"{begin} {kind} -d {_fish_quoted(word.help)}{takes}")
        if command.files:
            lines.append(f"{begin} -F")
    return "\n".join(lines) + "\n"


def _fish_words(words: Iterable[str]) -> str:
    """What follows `-a`, which is expanded once more."""
    return _fish_quoted(" ".join(map(_fish_quoted, words)))


_SCRIPTS: Final[dict[str, Callable[[str, list[Command]], str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
