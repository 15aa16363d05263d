"""The reference of the language is true: each of its examples passes or is refused as it says, and it is complete."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import fractions
import functools
import io
import os
import pickle
import re
import shlex
import shutil
import subprocess
import sys
import types
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from safepickle.errors import PolicyError
from safepickle.policy import Policy
from safepickle.policy.model import ACCEPTABLE, VERBS
from safepickle.policy.parse import ENTRY_KEYS, PATTERN_KEYS, TOP_KEYS
from safepickle.policy.patterns import REST, WORDS
from safepickle.report import FORBIDDEN, PASS
from safepickle.scanner import scan

ROOT = Path(__file__).parent.parent
REFERENCE = (ROOT / "policies" / "README.md").read_text("utf-8")
HEADING = re.compile(r"^### `(\w+)`$", re.MULTILINE)
EXAMPLE = re.compile(r"```yaml\n([^`]*)```\n\n- passes: `([^\n]*)`\n- refused: `([^\n]*)`\n")
TRANSCRIPT = re.compile(r"<!-- the transcript -->\n```console\n([^`]*)```\n")

KNOWN = {
    "dumps": functools.partial(pickle.dumps, protocol=4),
    "Decimal": decimal.Decimal,
    "Fraction": fractions.Fraction,
    "UUID": uuid.UUID,
    "date": dt.date,
    "OrderedDict": collections.OrderedDict,
    "deque": collections.deque,
    "SimpleNamespace": types.SimpleNamespace,
    "PickleBuffer": pickle.PickleBuffer,
}


class Example(NamedTuple):
    """A policy with a stream that passes and one that is refused."""

    policy: str
    passes: str
    refused: str


def examples() -> list[Example]:
    return [Example(*found) for found in EXAMPLE.findall(REFERENCE)]


def table(title: str) -> list[list[str]]:
    """The rows of the table under a heading."""
    section = REFERENCE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def stream_of(expression: str) -> bytes:
    if expression.startswith("dumps(") and ", 5," in expression:
        expression = expression.replace("dumps(", "dumps5(").replace(", 5,", ",")
    made = eval(expression, {**KNOWN, "dumps5": functools.partial(pickle.dumps, protocol=5)})
    assert isinstance(made, bytes)
    return made


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.passes)
def test_an_example_passes_and_is_refused_as_the_reference_says(example):
    policy = Policy.from_yaml(example.policy)
    assert scan(stream_of(example.passes), policy=policy).verdict == PASS
    assert scan(stream_of(example.refused), policy=policy).verdict == FORBIDDEN


def test_every_policy_that_the_reference_shows_is_such_an_example():
    assert REFERENCE.count("```yaml") == len(examples())
    assert len(examples()) > 20


def test_every_key_of_the_language_has_its_heading():
    assert set(HEADING.findall(REFERENCE)) == {*TOP_KEYS, *ENTRY_KEYS}


def test_every_verb_and_every_kind_that_is_accepted_is_used_in_it():
    for word in (*VERBS, *ACCEPTABLE, REST):
        assert f"`{word}`" in REFERENCE


# Patterns


class Persistent(NamedTuple):
    """What a persistent ID stands for."""

    id: str


class Pickler(pickle.Pickler):
    """Writes a call of `application.f`."""

    def persistent_id(self, obj: object) -> str | None:
        return obj.id if isinstance(obj, Persistent) else None


class Call:
    """Pickles as the call of a function with one argument."""

    def __init__(self, function: Callable[..., object], value: object) -> None:
        self.reduced = function, (value,)

    def __reduce__(self) -> Any:
        return self.reduced


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], bytes]:
    module = types.ModuleType("application")
    exec("def f(*arguments): pass", module.__dict__)
    monkeypatch.setitem(sys.modules, "application", module)

    def stream(expression: str) -> bytes:
        value = eval(expression, {**KNOWN, "persistent": Persistent, "out_of_band": pickle.PickleBuffer})
        file = io.BytesIO()
        Pickler(file, 5, buffer_callback=[].append).dump(Call(module.f, value))
        return file.getvalue()

    return stream


@pytest.mark.parametrize(("pattern", "passes", "refused"), table("Patterns"))
def test_a_pattern_matches_as_the_reference_says(called, pattern, passes, refused):
    policy = Policy.from_yaml(
        "safepickle: 1\naccept: [buffers, persistent_ids]\nallow:\n  decimal: [Decimal]\n  application:\n"
        f"    - f: {{use: [call], args: [[{pattern}]]}}\n"
    )
    assert scan(called(passes), policy=policy).verdict == PASS
    assert scan(called(refused), policy=policy).verdict == FORBIDDEN


def test_every_word_and_every_construct_is_in_the_table():
    shown = {row[0] for row in table("Patterns")}
    assert shown >= WORDS
    for key in set(PATTERN_KEYS) - {"pattern", "built"}:  # an instance with its state is in the section of `memory`
        assert any(re.search(rf"\{{{key}: ", pattern) for pattern in shown), key


@pytest.mark.parametrize(("good", "bad", "words"), table("How a file is read"))
def test_a_file_is_read_or_refused_as_the_reference_says(tmp_path, good, bad, words):
    Policy.from_yaml(good, base=tmp_path)
    with pytest.raises(PolicyError) as refused:
        Policy.from_yaml(bad, base=tmp_path)
    assert words in str(refused.value)


# The transcript


def commands(transcript: str) -> list[tuple[str, str]]:
    """Each command with what it prints; the lines of a here-document belong to its command."""
    found: list[tuple[str, str]] = []
    lines = iter(transcript.splitlines(keepends=True))
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            if "<<'END'" in line:
                for inner in lines:
                    command += inner
                    if inner == "END\n":
                        break
            found.append((command, ""))
        else:
            command, printed = found[-1]
            found[-1] = command, printed + line
    return found


def test_the_transcript_prints_what_it_shows(tmp_path):
    [transcript] = TRANSCRIPT.findall(REFERENCE)
    shutil.copy(ROOT / "tests" / "data" / "valid" / "readme_orders.pkl", tmp_path / "orders.pkl")
    (tmp_path / "attack.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    python = shlex.quote(sys.executable)
    setting_up = f'safepickle() {{ {python} -m safepickle "$@"; }}\npython() {{ {python} "$@"; }}\n'
    told = commands(transcript)
    assert len(told) > 8
    marked = "".join(f"{command}echo '--- {number}'\n" for number, (command, _) in enumerate(told))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    environment.pop("SAFEPICKLE_POLICY", None)
    done = subprocess.run(
        ["sh", "-c", setting_up + marked], cwd=tmp_path, env=environment, check=False, capture_output=True, text=True
    )
    assert done.stderr == ""
    printed = re.split(r"--- \d+\n", done.stdout)
    for (command, expected), actual in zip(told, printed, strict=False):
        assert actual == expected, command
