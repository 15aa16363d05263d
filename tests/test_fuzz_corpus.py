"""Every stored input of every fuzz harness holds its invariant, without a fuzzer.

What once broke a harness stands in `fuzz/corpus/<harness>` for good; what the harnesses start from is replayed as well.
"""

from __future__ import annotations

import faulthandler
import importlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
FUZZ: Final = ROOT / "fuzz"
HARNESSES: Final = sorted(path.stem for path in FUZZ.glob("fuzz_*.py"))
SECONDS: Final = 60  # far beyond what any input takes: what this ends is work that does not end by itself


@pytest.fixture(scope="module", autouse=True)
def _harnesses_can_be_imported() -> Iterator[None]:
    sys.path.append(str(FUZZ))
    yield
    sys.path.remove(str(FUZZ))


@pytest.fixture(autouse=True)
def _a_hang_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logging.getLogger("safepickle"), "propagate", False)  # thousands of refusals, read by nobody
    faulthandler.dump_traceback_later(SECONDS, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


def _harness(name: str) -> ModuleType:
    return importlib.import_module(name)


def _stored(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


REGRESSIONS: Final = [(name, path) for name in HARNESSES for path in _stored(FUZZ / "corpus" / name)]


def test_there_is_a_harness_for_each_invariant() -> None:
    assert HARNESSES == [
        "fuzz_containers", "fuzz_loads", "fuzz_policy", "fuzz_programs", "fuzz_roundtrip", "fuzz_scan",
    ]  # fmt: skip


@pytest.mark.parametrize("name", HARNESSES)
def test_every_harness_has_inputs_and_opens_with_its_invariant(name: str) -> None:
    harness = _harness(name)
    assert harness.__doc__
    assert _stored(FUZZ / "corpus" / name) != []
    assert _stored(FUZZ / "seeds" / harness.SEEDS) != []


def test_every_stored_input_belongs_to_a_harness() -> None:
    assert {path.name for path in (FUZZ / "corpus").iterdir()} == set(HARNESSES)
    assert {path.name for path in (FUZZ / "seeds").iterdir()} == {_harness(name).SEEDS for name in HARNESSES}


@pytest.mark.parametrize(("name", "path"), REGRESSIONS, ids=[f"{name}-{path.name}" for name, path in REGRESSIONS])
def test_an_input_that_once_broke_an_invariant_holds_it(name: str, path: Path) -> None:
    _harness(name).check(path.read_bytes())


@pytest.mark.parametrize("name", HARNESSES)
def test_every_seed_holds_the_invariant(name: str) -> None:
    harness = _harness(name)
    for path in _stored(FUZZ / "seeds" / harness.SEEDS):
        try:
            harness.check(path.read_bytes())
        except AssertionError as broken:
            pytest.fail(f"{path.name}: {broken}")


def test_the_dictionaries_are_what_the_opcode_table_and_the_language_make() -> None:
    made = _harness("make_material").dictionaries()
    assert {path.name: path.read_text("ascii") for path in FUZZ.glob("*.dict")} == made


def test_a_broken_invariant_is_noticed() -> None:
    """What a harness sees of imports would be worth nothing if its eye were closed."""
    engine = _harness("engine")
    with engine.watched() as events, pytest.raises(ModuleNotFoundError):
        __import__("no_such_module_at_all")
    assert "import" in {event for event, _ in events}
