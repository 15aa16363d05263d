"""Holds the streams of a zoo against its pack: what they need and it lacks, what it grants and they do not use.

The verifier says what a stream uses, `learn` how that is granted most narrowly, `lint` what no pack should grant; this
module only sorts what they say by what the zoo explains.
"""

from __future__ import annotations

import base64
import importlib
import importlib.util
import json
import pickle
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from safepickle.policy import Policy
from safepickle.policy.learn import Learned, study
from safepickle.policy.lint import lint
from safepickle.policy.model import Name
from safepickle.policy.observe import Sample, Source
from tests.packs import walking, writing

HERE = Path(__file__).parent
CARRIED = HERE.parent / "data" / "packs"
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def packs() -> list[str]:
    """Every pack that has a zoo."""
    return sorted(path.stem.removeprefix("zoo_") for path in HERE.glob("zoo_*.py"))


def zoo_of(pack: str) -> ModuleType:
    """The zoo of a pack."""
    return importlib.import_module(f"tests.packs.zoo_{pack}")


def library_of(pack: str) -> str:
    """What is imported and walked for a pack: the package of that name, unless its zoo says another."""
    return str(getattr(zoo_of(pack), "LIBRARY", pack))


def is_installed(pack: str) -> bool:
    """Whether the library of a pack is here."""
    library = library_of(pack)
    # A module that puts another object in its own place, as kombu does, has no spec any more.
    return library in sys.modules or importlib.util.find_spec(library) is not None


class Carried(NamedTuple):
    """One carried pickle: the object's name, the release that wrote it (a file's name), the protocol, the bytes."""

    pack: str
    name: str
    release: str
    protocol: int
    data: bytes

    @property
    def label(self) -> str:
        """For messages: what it is and who wrote it."""
        return f"{self.pack} {self.name} of {self.release} at protocol {self.protocol}"


def carried(pack: str) -> Iterator[Carried]:
    """Every pickle that is carried for a pack."""
    for path in sorted((CARRIED / pack).glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            for protocol, data in row["pickles"].items():
                yield Carried(pack, row["name"], path.stem, int(protocol), base64.b64decode(data))


def samples(zoo: ModuleType, problems: list[str], *, walked: bool = True) -> Iterator[Sample]:
    """The pickles of what the installed library can make, at every protocol."""
    made = [(name, writing.pickles(make, PROTOCOLS, writing.pickler(zoo))) for name, make in writing.makers(zoo)]
    if walked:
        walk = walking.walk(library_of(zoo.PACK), zoo.SKIPPED, zoo.__name__)
        made += walk.rows
        problems += walk.problems
    for name, found in made:
        for protocol, data in found.items():
            yield Sample(f"{name}, protocol {protocol}", data)


def starting_point(pack: str) -> Policy:
    """The pack, or what every policy stands on where it has still to be written."""
    return Policy.named(pack if pack in Policy.names() else "plain")


class Measured(NamedTuple):
    """What there is to say of a pack."""

    pack: str
    objects: int  # pickles that the installed library wrote
    carried: int
    learned: Learned  # what they need and the pack lacks
    unused: tuple[str, ...]  # grants of the pack's own that nothing uses, unexplained
    stale: tuple[str, ...]  # explanations that explain nothing
    remarks: tuple[str, ...]  # of lint
    problems: tuple[str, ...]

    @property
    def unexplained(self) -> tuple[str, ...]:
        """What is needed and not granted, and not explained by the zoo."""
        known = _Explained(zoo_of(self.pack).WITHOUT)
        needed = [entry.name for entry in self.learned.entries] + [one.name for one in self.learned.withheld]
        return tuple(sorted({".".join(name) for name in needed if not known.explains(name)}))

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to review."""
        return not (self.unexplained or self.unused or self.stale or self.remarks or self.problems)


class _Explained:
    """Rows of WITHOUT or KEPT, by dotted name or by module, and which of them were of use."""

    def __init__(self, rows: dict[str, str]) -> None:
        self._rows = rows
        self._used: set[str] = set()

    def explains(self, name: Name) -> bool:
        parts = ".".join(name).lstrip(".").split(".")
        found = [row for row in (".".join(parts[:cut]) for cut in range(1, len(parts) + 1)) if row in self._rows]
        self._used.update(found)
        return bool(found)

    def unused(self) -> list[str]:
        return sorted(set(self._rows) - self._used)


def explained(rows: dict[str, str]) -> Callable[[str], bool]:
    """Which dotted names the rows of a table explain."""
    known = _Explained(rows)
    return lambda dotted: known.explains(("", dotted))


def measure(pack: str, *, walked: bool = True) -> Measured:
    """Make the zoo, carried pickles with it, and hold it against the pack."""
    zoo = zoo_of(pack)
    policy = starting_point(pack)
    problems: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fresh = list(samples(zoo, problems, walked=walked))
    old = [Sample(one.label, one.data) for one in carried(pack)]
    learned = study([*fresh, *old], policy)
    known = _Explained(zoo.WITHOUT)
    refused = dict(_refused([*fresh, *old], policy))
    problems += [str(one) for one in learned.problems if one.sample not in refused]
    needed = [*(entry.name for entry in learned.entries), *(one.name for one in learned.withheld)]
    for name in [*needed, *(name for names in refused.values() for name in names)]:  # what no policy can grant, too
        known.explains(name)
    kept = _Explained(zoo.KEPT)
    unused = [name for name in own(policy, pack) - used([*fresh, *old], policy) if not kept.explains(name)]
    stale = [f"WITHOUT: {row}" for row in known.unused()] + [f"KEPT: {row}" for row in kept.unused()]
    remarks = [str(remark) for remark in lint(policy)] if pack in Policy.names() else []
    return Measured(
        pack,
        len(fresh),
        len(old),
        learned,
        tuple(".".join(name) for name in sorted(unused)),
        tuple(stale),
        tuple(remarks),
        tuple(problems),
    )


def own(policy: Policy, pack: str) -> set[Name]:
    """The names that the pack's own file grants."""
    file = f"/{pack}.yaml:"
    return {name for name, listed in policy.data.grants.items() if any(file in grant.origin for grant in listed)}


def used(streams: Iterable[Sample], policy: Policy) -> set[Name]:
    """The names that streams use."""
    return {
        (symbol.module, symbol.name)
        for sample in streams
        for judged in Source(sample, policy.limits).judged(policy, [])
        for symbol in judged.symbols()
        if symbol.uses
    }


def _refused(streams: Iterable[Sample], policy: Policy) -> Iterator[tuple[str, set[Name]]]:
    """The samples that the policy refuses, each with the names that it refuses them for."""
    for sample in streams:
        refusals = [one for judged in Source(sample, policy.limits).judged(policy, []) for one in judged.refusals]
        if refusals:
            yield sample.name, {(one.module, one.name) for one in refusals if one.module and one.name}
