"""Shows the live attacks to CPython's own reader: `python -m tests.live_attacks` prints what each of them did.

Only attacks that are marked live are run, whose worst is to run a canary or to change the victims; each runs in a
process of its own, so that what one of them changes is not there for the next.  One line of JSON for each: its file,
whether a canary ran, and whether the victims were changed.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import sys
from collections.abc import Iterable

from tests import application, victims
from tests.make_attacks import Attack, attacks


class _WithObjects(pickle.Unpickler):
    """A reader with the application's objects; on 3.13 `persistent_load` cannot be assigned to an instance."""

    def persistent_load(self, pid: object) -> object:
        return application.persistent_load(pid)


def did(record: Attack) -> tuple[bool, bool]:
    """Whether CPython's reader ran a canary for this attack, and whether it changed the victims."""
    before = victims.snapshot()
    options = dict(record.options)
    if record.setup == "buffers":
        options["buffers"] = application.buffers()  # type: ignore[assignment]  # the one option that is no text
    with application.prepared(record.setup):
        make = _WithObjects if record.setup == "persistent_load" else pickle.Unpickler
        reader = make(io.BytesIO(record.build()), **options)  # type: ignore[arg-type]  # by name
        try:
            for _ in range(2 if record.setup == "earlier load" else 1):
                reader.load()
        except BaseException:  # noqa: BLE001  # how it ends does not matter, only what it did
            pass
    del reader  # and what it still holds
    return bool(victims.RAN), victims.snapshot() != before


def show(records: Iterable[Attack]) -> None:
    """One process and one line for each attack."""
    for record in records:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                ran, changed = did(record)
                print(json.dumps({"file": record.file, "runs": ran, "changes": changed}), flush=True)
            finally:
                os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    show(record for record in attacks() if record.live)
