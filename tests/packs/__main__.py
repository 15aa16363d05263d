"""The command `python -m tests.packs`: see the package."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from safepickle.policy.learn import document
from tests.packs import judging, measuring


def show(pack: str) -> bool:
    """Print what there is to say of a pack; gives whether there is nothing."""
    found = measuring.measure(pack)
    missing = set(found.unexplained)
    print(f"{pack}: {found.objects} pickles of the installed library, {found.carried} carried ones")
    if missing:
        entries = tuple(entry for entry in found.learned.entries if ".".join(entry.name) in missing)
        withheld = tuple(one for one in found.learned.withheld if ".".join(one.name) in missing)
        lacking = found.learned._replace(entries=entries, withheld=withheld, problems=())
        print(f"--- needed, and not granted: {len(missing)} names, to be judged one by one")
        print(document(lacking), end="")
    for title, lines in (
        ("granted, and used by nothing", found.unused),
        ("explained, and no longer so", found.stale),
        ("what lint says", found.remarks),
        ("could not be judged", found.problems),
    ):
        if lines:
            print(f"--- {title}: {len(lines)}")
            print("\n".join(f"  {line}" for line in lines))
    return found.is_settled


def show_corpus(archive: Path) -> int:
    """Print which files of a collection pass, and why the others do not."""
    found = list(judging.judged(archive))
    print("\n".join([*judging.reasons(found), "", *judging.table(found)]))
    return 0 if judging.is_settled(found) else 1


def main(arguments: list[str]) -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.packs", description=measuring.__doc__)
    parser.add_argument("packs", nargs="*", metavar="PACK", help=f"one of {', '.join(measuring.packs())}")
    parser.add_argument("--all", action="store_true", help="every pack whose library is installed")
    parser.add_argument("--corpus", type=Path, metavar="ARCHIVE", help="count which real files the packs admit")
    given = parser.parse_args(arguments)
    if given.corpus:
        return show_corpus(given.corpus)
    chosen = list(filter(measuring.is_installed, measuring.packs())) if given.all else given.packs
    if not chosen:
        parser.error("name a pack, or say --all")
    settled = [show(pack) for pack in chosen]
    return 0 if all(settled) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
