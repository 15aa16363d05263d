"""What every harness stands on: the checkout on the path, an eye on what the interpreter is asked for, and the fuzzer.

How to run one, from the root of a checkout in which `pip install -e '.[test]'` was done:

    python fuzz/fuzz_loads.py -max_total_time=60 [libFuzzer's options] [a folder to keep new inputs in]

What a harness starts from is added to its command line: `fuzz/corpus/<harness>`, where every input stands that once
broke an invariant, `fuzz/seeds`, the dictionary, and bounds for the time and memory of one input.  Without a folder of
its own it works in a temporary one, and says where.  An input that breaks the invariant ends the run with its traceback
and is written there.  `python fuzz/fuzz_loads.py FILE` runs one input again, without the fuzzer where there is none.

Rules:

* A harness is a pure function `check(data)` that raises where its invariant does not hold, and a call of `main`.  Only
  `main` needs atheris; `tests/test_fuzz_corpus.py` replays every stored input without it.
* What is checked is asserted in the harness, never repaired here.
"""

from __future__ import annotations

import bz2
import gc
import logging
import lzma
import os
import sqlite3
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType
from typing import Any, Final

FUZZ: Final = Path(__file__).resolve().parent
ROOT: Final = FUZZ.parent
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))  # for `tests`, which is where the generators are

_DEFAULTS: Final = ("-timeout=20", "-rss_limit_mb=1024")


# --- What the interpreter is asked for -------------------------------------------------------------------------------
#: Audit events that mean nothing here: reading an object's own attributes, and what logging does to find its caller.
_UNIMPORTANT: Final = frozenset({"object.__getattr__", "object.__setattr__", "sys._getframe", "builtins.id"})
#: What the readers of containers import late: here, before anything is watched.
DECODERS: Final = (bz2, lzma, sqlite3, zlib)
#: What begins like what they unpack with a library that they look for once: to be scanned before anything is watched.
PACKED: Final = (b"\x28\xb5\x2f\xfd" + bytes(16), b"\x04\x22\x4d\x18" + bytes(16), b"7z\xbc\xaf\x27\x1c" + bytes(16))
_seen: list[tuple[str, tuple[Any, ...]]] = []
_watching: list[bool] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event not in _UNIMPORTANT:
        _seen.append((event, arguments))


@contextmanager
def watched() -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """Every audit event until the end of the block: imports, look-ups of globals, files, processes, code."""
    if _note not in _installed:
        sys.addaudithook(_note)  # for good: an audit hook cannot be removed
        _installed.append(_note)
    _seen.clear()
    _watching.append(True)
    try:
        yield _seen
    finally:
        _watching.pop()


_installed: list[Callable[[str, tuple[Any, ...]], None]] = []


class _Formatting(logging.Handler):
    """Words every message, as an application's handler would, and keeps none."""

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)


# --- The fuzzer ------------------------------------------------------------------------------------------------------
def folders(name: str, seeds: str) -> list[Path]:
    """Where the stored inputs of a harness are: what once broke it, and what it starts from."""
    return [folder for folder in (FUZZ / "corpus" / name, FUZZ / "seeds" / seeds) if folder.is_dir()]


def quiet() -> None:
    """Refusals are logged to nobody, but worded."""
    logger = logging.getLogger("safepickle")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(_Formatting())


def main(harness: str, check: Callable[[bytes], None], *, seeds: str, dictionary: str = "", longest: int) -> None:
    """Fuzz `check`, as the command line says.  `longest` is in bytes."""
    quiet()
    name = Path(harness).stem
    files = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")]
    if files and all(file.is_file() for file in files):
        for file in files:
            check(file.read_bytes())
            print(f"{file}: holds")
        return
    import atheris

    given = [argument.partition("=")[0] for argument in sys.argv[1:]]
    arguments = [sys.argv[0], *(option for option in _DEFAULTS if option.partition("=")[0] not in given)]
    if "-max_len" not in given:
        arguments.append(f"-max_len={longest}")
    if dictionary and "-dict" not in given:
        arguments.append(f"-dict={FUZZ / dictionary}")
    arguments += [argument for argument in sys.argv[1:] if argument.startswith("-")]
    if not files:
        files.append(Path(tempfile.mkdtemp(prefix=f"{name}-")))
    if "-artifact_prefix" not in given:
        arguments.append(f"-artifact_prefix={files[0]}-found-")
        print(f"new inputs: {files[0]}; what breaks the invariant: {files[0]}-found-...", flush=True)
    _instrument(atheris)
    # fuzz/asan.sh preloads a fuzzer that sees the compiled core as well.
    inside = "with_fuzzer" not in os.environ.get("LD_PRELOAD", "")
    inputs = [str(folder) for folder in (*files, *folders(name, seeds))]
    atheris.Setup(arguments + inputs, check, internal_libfuzzer=inside)
    atheris.Fuzz()


def _instrument(atheris: Any) -> None:
    """Let the fuzzer see which branches of the package run, whenever it was imported."""
    for found in gc.get_objects():
        if isinstance(found, FunctionType) and str(found.__module__).partition(".")[0] == "safepickle":
            atheris.instrument_func(found)
