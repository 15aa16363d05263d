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


class _Shell(NamedTuple):
    """How a script is spelled for one shell.  In its texts, `@prog` is the program and `@function` a name made of it.

    The script first walks along the words of the line, to find out which command they lead to, then offers what can
    follow that.
    """

    quoted: Callable[[str], str]
    before: str
    step: str  # of the walk, for each command: {words} lead from the one above it to {path}
    between: str
    offered: Callable[[Command], Iterator[str]]  # the lines that say what can follow a command
    after: str


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for bash, zsh or fish."""
    form = _SHELLS[shell]
    commands = list(_commands(parser))
    lines = [form.before]
    for command in commands[1:]:
        words = form.quoted(f"{' '.join(command.path[:-1])} {command.path[-1]}")
        lines.append(form.step.format(words=words, path=form.quoted(" ".join(command.path))))
    lines.append(form.between)
    lines += [line for command in commands for line in form.offered(command)]
    lines.append(form.after)
    function = "_" + "".join(char if char.isalnum() else "_" for char in parser.prog)
    text = "".join(f"{line}\n" for line in lines if line)
    return text.replace("@prog", parser.prog).replace("@function", function)


def _quoted(text: str) -> str:
    """A word in single quotes, as bash and zsh read it."""
    return "'" + text.replace("'", "'\\''") + "'"


def _all_quoted(words: Iterable[str]) -> str:
    return " ".join(map(_quoted, words))


def _cased(command: Command, offer: str, files: str, otherwise: Iterable[str]) -> Iterator[str]:
    """What bash and zsh have alike: what can follow an option that takes a value, and `otherwise` the rest."""
    yield f"        {_quoted(' '.join(command.path))})"
    yield '            case "$before" in'
    for option, choices in command.values.items():
        reply = f"{offer} {_all_quoted(choices)}" if choices else files
        yield f"                {_quoted(option)}) {reply}; return ;;"
    yield "            esac"
    yield from (f"            {line}" for line in otherwise)
    yield "            ;;"


_BASH_FILES: Final = 'COMPREPLY=($(compgen -f -- "$word"))'


def _bash(command: Command) -> Iterator[str]:
    rest = [f"@function_offer {_all_quoted(word.text for word in (*command.words, *command.options))}"]
    if command.files:
        rest.append('[[ $word == -* ]] || COMPREPLY+=($(compgen -f -- "$word"))')
    return _cased(command, "@function_offer", _BASH_FILES, rest)


def _zsh(command: Command) -> Iterator[str]:
    rest = []
    for kind, words in (("command", command.words), ("-o option", command.options)):
        if words:
            rest.append(f"offered=({_all_quoted(f'{_colons(word.text)}:{word.help}' for word in words)})")
            rest.append(f"_describe {kind} offered")
    if command.files:
        rest.append("_files")
    return _cased(command, "compadd --", "_files", rest)


def _colons(text: str) -> str:
    return text.replace(":", "\\:")


def _fish_quoted(text: str) -> str:
    """A word in single quotes, as fish reads it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish(command: Command) -> Iterator[str]:
    begin = f"complete -c @prog -n {_fish_quoted(' '.join(['_@function_at', *command.path]))}"
    for word in command.words:
        yield f"{begin} -a {_fish_words([word.text])} -d {_fish_quoted(word.help)}"
    for word in command.options:
        kind = f"-l {word.text[2:]}" if word.text.startswith("--") else f"-s {word.text[1:]}"
        choices = command.values.get(word.text)
        takes = "" if choices is None else f" -x -a {_fish_words(choices)}" if choices else " -r -F"
        yield f"{begin} {kind} -d {_fish_quoted(word.help)}{takes}"
    if command.files:
        yield f"{begin} -F"


def _fish_words(words: Iterable[str]) -> str:
    """What follows `-a`, which is expanded once more."""
    return _fish_quoted(" ".join(map(_fish_quoted, words)))


_SHELLS: Final = {
    "bash": _Shell(
        _quoted,
        """\
# bash completion of @prog; put into a file that ~/.bashrc sources.
@function_offer() {
    local each
    for each in "$@"; do [[ $each == "$word"* ]] && COMPREPLY+=("$each"); done
}
@function() {
    local word=${COMP_WORDS[COMP_CWORD]} before='' path='' index
    COMPREPLY=()
    for ((index = 1; index < COMP_CWORD; index++)); do
        case "$path ${COMP_WORDS[index]}" in""",  # not `compgen -W`, which expands the words
        "            {words}) path={path} ;;",
        """\
        esac
    done
    before=${COMP_WORDS[COMP_CWORD-1]}
    case "$path" in""",
        _bash,
        """\
    esac
}
complete -o filenames -F @function @prog""",
    ),
    "zsh": _Shell(
        _quoted,
        """\
#compdef @prog
# zsh completion of @prog; save it as @function in a folder of $fpath.
@function() {
    local path_= before=$words[CURRENT-1] index
    local -a offered
    for ((index = 2; index < CURRENT; index++)); do
        case "$path_ $words[index]" in""",
        "            {words}) path_={path} ;;",
        """\
        esac
    done
    case "$path_" in""",
        _zsh,
        """\
    esac
}
if [ "$funcstack[1]" = "@function" ]; then
    @function "$@"
else
    compdef @function @prog
fi""",
    ),
    "fish": _Shell(
        _fish_quoted,
        """\
# fish completion of @prog; save it as ~/.config/fish/completions/@prog.fish.
function _@function_at
    set -l path_ ''
    for word in (commandline -opc)[2..-1]
        switch "$path_ $word\"""",
        "            case {words}; set path_ {path}",
        """\
        end
    end
    test "$path_" = "$argv"
end
complete -c @prog -f""",
        _fish,
        "",
    ),
}
