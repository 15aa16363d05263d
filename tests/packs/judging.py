"""Holds a collection of real pickles against the packs: which pass, and why the others do not.

    python -m tests.packs --corpus ARCHIVE       # a tar, with a `manifest.jsonl` in it

A line of the manifest is a file: its `path` in the archive, the `globals` that it refers to (pairs, or dotted texts),
and `allowlistable`, which is "no" where whoever collected it says that no allowlist can admit it.  Nothing is loaded:
a scan judges each file as it is, containers too.

A file counts for the widest pack whose library it names, and is judged by all packs whose libraries it names at once;
one that names the standard library only counts for `stdlib`.  Each file that does not pass has one of these reasons:

* `out of reach`: no allowlist can admit it: whoever collected it says so, since it carries code or loads by itself, or
  it names what hands out power whatever else is listed (`safepickle.policy.powers`);
* `of others`: it names a library or an application that no pack is for;
* `withheld`: the zoo of a pack says why a name in it is not granted;
* `accepted`: it wants what an application has to bring, or to accept: buffers, persistent IDs, extension codes;
* `no pickle`: as a whole, it is not what this reads: a backup of a shelf, bytes between pickles that are no pickle;
* `refused`: none of these, so the pack lacks something.
"""

from __future__ import annotations

import json
import sys
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import safepickle
from safepickle.policy import Policy
from safepickle.policy.model import EVERY_VERB
from safepickle.policy.powers import danger
from tests.packs import measuring

PASSED, OUT_OF_REACH, OF_OTHERS = "pass", "out of reach", "of others"
WITHHELD, ACCEPTED, NO_PICKLE, REFUSED = "withheld", "accepted", "no pickle", "refused"
COLUMNS = (PASSED, REFUSED, WITHHELD, ACCEPTED, NO_PICKLE, OF_OTHERS, OUT_OF_REACH)
#: What Python 2 called modules of its standard library, as far as its pickles name them.
_PYTHON_2 = {
    "__builtin__", "copy_reg", "exceptions", "UserDict", "UserList", "UserString", "sets", "cStringIO", "StringIO",
    "ConfigParser", "Cookie", "Queue", "cookielib", "urlparse", "commands", "cPickle", "itertools", "collections",
    "HTMLParser", "SocketServer", "future_builtins", "xmlrpclib", "decimal", "whichdb", "dummy_thread", "thread",
}  # fmt: skip
STANDARD = frozenset(sys.stdlib_module_names) | _PYTHON_2


class Found(NamedTuple):
    """What was found of one file; `detail` says more where it does not pass."""

    path: str
    pack: str
    outcome: str
    detail: str


def judged(archive: Path) -> Iterator[Found]:
    """Each file of the collection, for the pack that it counts for; files that no pack is for are left out."""
    libraries = {measuring.library_of(pack): pack for pack in measuring.packs()}
    with tarfile.open(archive) as members:
        rows: dict[str, dict[str, Any]] = {}
        waiting = {}  # an archive that is compressed is read once, from its beginning to its end
        for member in members:
            if member.isfile():
                data = members.extractfile(member)
                assert data is not None
                if member.name.endswith("manifest.jsonl"):
                    rows = {row["path"]: row for row in map(json.loads, data.read().decode("utf-8").splitlines())}
                else:
                    waiting[member.name] = data.read()
    for path, row in rows.items():
        names = {name if isinstance(name, str) else ".".join(name) for name in row["globals"]}
        tops = {name.split(".")[0] for name in names}
        packs = tuple(sorted(libraries[top] for top in tops if top in libraries))
        if packs or tops <= STANDARD:
            yield _judged(row, names, packs or ("stdlib",), waiting[path])


@cache
def _policy(packs: tuple[str, ...]) -> Policy:
    policy = Policy.named("stdlib")
    for pack in packs:
        policy |= Policy.named(pack)
    return policy


def _judged(row: dict[str, Any], names: set[str], packs: tuple[str, ...], data: bytes) -> Found:
    widest = max(packs, key=lambda pack: len(Policy.named(pack).data.grants))
    report = safepickle.scan(data, policy=_policy(packs))
    if report.ok:
        return Found(row["path"], widest, PASSED, "")
    lacking = sorted({f"{one.module}.{one.name}" for one in report.findings if one.module and one.name})
    own = STANDARD | {_library(pack) for pack in packs}
    others = sorted({name.split(".")[0] for name in {*names, *lacking}} - own)
    known = [measuring.explained(measuring.zoo_of(pack).WITHOUT) for pack in packs if pack != "stdlib"]
    withheld = [name for name in lacking if any(explains(name) for explains in known)]
    messages = ", ".join(sorted({one.message for one in report.findings if one.rule == "not-accepted"}))
    powers = [name for name in lacking if _is_power(name)]
    said = (
        (OUT_OF_REACH, row.get("allowlistable") == "no" and (row.get("notes") or ", ".join(lacking))),
        (OF_OTHERS, ", ".join(others)),
        (OUT_OF_REACH, ", ".join(powers)),
        (WITHHELD, ", ".join(withheld)),
        (ACCEPTED, not lacking and messages),
        (NO_PICKLE, report.verdict != "forbidden" and f"{report.verdict}: {report.findings[0].message}"),
    )
    outcome, detail = next(((outcome, why) for outcome, why in said if why), (REFUSED, ", ".join(lacking)))
    return Found(row["path"], widest, outcome, str(detail))


def _is_power(name: str) -> bool:
    parts = name.split(".")
    return any(
        danger(".".join(parts[:cut]), ".".join(parts[cut:]), EVERY_VERB, bounded=True) for cut in range(1, len(parts))
    )


def _library(pack: str) -> str:
    """The library of a pack; `stdlib` is the one without a zoo."""
    return "" if pack == "stdlib" else measuring.library_of(pack)


def table(found: list[Found]) -> Iterator[str]:
    """The counts as a table in Markdown: a row for each pack, and how many of what could pass does."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in found:
        counts[one.pack][one.outcome] += 1
        counts["all"][one.outcome] += 1
    yield f"| pack | files | {' | '.join(COLUMNS)} | of what could pass |"
    yield f"|---|{'---:|' * (len(COLUMNS) + 2)}"
    for pack in sorted(counts, key=lambda pack: (pack == "all", pack)):
        count = counts[pack]
        could = count[PASSED] + count[REFUSED]
        share = f"{100 * count[PASSED] / could:.1f} %" if could else "-"
        yield f"| {pack} | {count.total()} | {' | '.join(str(count[one]) for one in COLUMNS)} | {share} |"


def reasons(found: list[Found]) -> Iterator[str]:
    """The files that do not pass, grouped by what is said of them."""
    groups: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in found:
        if one.outcome != PASSED:
            groups[one.outcome, one.pack, one.detail].append(one.path)
    for (outcome, pack, detail), paths in sorted(groups.items()):
        yield f"{outcome}, {pack}: {len(paths)} x {detail[:160]} (first: {paths[0]})"


def is_settled(found: list[Found]) -> bool:
    """Whether at least 99 % of what could pass does."""
    counts = Counter(one.outcome for one in found)
    return counts[PASSED] >= 0.99 * (counts[PASSED] + counts[REFUSED])
