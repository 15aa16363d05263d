"""What a library has that no table of a zoo names: its classes, made without arguments, as far as that works.

Rules:

* Every module of the library is imported but for its tests and what a zoo skips; one that cannot be imported is said.
* A class counts once, where it says that it is defined, whatever re-exports it.
* Classes are called without arguments; what that raises, or what cannot be pickled, is no object of the zoo.
* Objects that were made of nothing can end the process when they are pickled: another process makes them, and is
  started again behind the class that ended it.
"""

from __future__ import annotations

import base64
import importlib
import json
import pickle
import pkgutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from tests.packs import writing

#: Parts of module names that mean no library code.
_TESTS = {"tests", "testing", "conftest", "setup", "_testing", "__main__", "_examples", "distutils"}


def modules(library: str, skipped: tuple[str, ...], problems: list[str]) -> Iterator[ModuleType]:
    """Every module of the library, imported."""
    package = importlib.import_module(library)
    yield package

    def failed(name: str) -> None:
        if not _is_skipped(name, skipped):
            problems.append(f"{name} cannot be imported")

    pending = [package]
    while pending:
        parent = pending.pop()
        for found in pkgutil.iter_modules(parent.__path__, f"{parent.__name__}."):
            if _is_skipped(found.name, skipped):
                continue
            try:
                module = importlib.import_module(found.name)
            except Exception:  # noqa: BLE001  # importing runs code, which may raise anything
                failed(found.name)
                continue
            yield module
            if found.ispkg:
                pending.append(module)


def _is_skipped(name: str, skipped: tuple[str, ...]) -> bool:
    return not _TESTS.isdisjoint(name.split(".")) or any(f"{name}.".startswith(f"{one}.") for one in skipped)


def classes(library: str, skipped: tuple[str, ...], problems: list[str]) -> dict[str, type]:
    """The classes of the library by their dotted names."""
    found: dict[str, type] = {}
    for module in modules(library, skipped, problems):
        for value in list(vars(module).values()):
            if isinstance(value, type) and str(value.__module__).split(".")[0] == library:
                found.setdefault(f"{value.__module__}.{value.__qualname__}", value)
    return {name: value for name, value in sorted(found.items()) if not _is_skipped(name, skipped)}


class Walk(NamedTuple):
    """The pickles of each class that could be made, and what there is to say of the walk."""

    rows: list[tuple[str, dict[int, bytes]]]
    problems: list[str]


def walk(library: str, skipped: tuple[str, ...], zoo: str | None = None) -> Walk:
    """The pickles of every class of the library that can be made without arguments; as the zoo pickles, if it says."""
    rows: dict[str, dict[int, bytes]] = {}
    done: list[str] = []
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "told.jsonl")
        while True:
            told.write_bytes(b"")
            request = json.dumps([library, skipped, done, str(told), zoo])
            command = [sys.executable, "-m", __spec__.name, request]
            child = subprocess.run(command, check=False, capture_output=True, text=True)
            lines = [json.loads(line) for line in told.read_text("utf-8").splitlines()]
            for line in lines:
                if "pickles" in line:
                    rows[line["name"]] = {int(key): base64.b64decode(data) for key, data in line["pickles"].items()}
                elif "problems" in line:
                    problems = line["problems"]
            if child.returncode == 0:
                return Walk(list(rows.items()), problems)
            begun = [line["begun"] for line in lines if "begun" in line]
            if not begun:
                return Walk(list(rows.items()), [f"the walk failed: {child.stderr.strip()[-300:]}"])
            done += begun  # the last of them ended the process


def _tell(request: str) -> None:
    """What the child does: each class is named before it is made, since some end the process."""
    library, skipped, done, path, zoo = json.loads(request)
    problems: list[str] = []
    warnings.simplefilter("ignore")
    pickled = writing.pickler(importlib.import_module(zoo)) if zoo else writing.pickled
    with Path(path).open("a", encoding="utf-8", buffering=1) as file:
        for name, cls in classes(library, tuple(skipped), problems).items():
            if name in done:
                continue
            file.write(json.dumps({"begun": name}) + "\n")
            found = writing.pickles(cls, range(pickle.HIGHEST_PROTOCOL + 1), pickled)
            file.write(json.dumps(writing.row(name, found)) + "\n")
        file.write(json.dumps({"problems": problems}) + "\n")


if __name__ == "__main__":
    _tell(sys.argv[1])
