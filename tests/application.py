"""What the application did before an attack reaches it: registered extensions, a persistent_load, buffers, a load.

One place for the tests that aim attacks at this package and for the process that shows them to CPython's own reader,
so that both see the same application.  It knows nothing of the package.
"""

from __future__ import annotations

import contextlib
import copyreg
from collections.abc import Iterator
from typing import Any, Final

from tests import victims

CANARY_CODE: Final = 240
RECORD_CODE: Final = 241
HARMLESS_CODE: Final = 242  # in a warm cache it gives something else than the registry names
CLASS_CODE: Final = 243
CODES: Final = {CANARY_CODE: "canary", RECORD_CODE: "record", HARMLESS_CODE: "harmless", CLASS_CODE: "Plain"}


def persistent_load(persistent_id: Any) -> object:
    """The application's own objects, by number."""
    objects = (
        victims.INSTANCE, victims.SHARED_LIST, victims.SHARED_DICT, victims.SHARED_SET, victims.canary, victims.Plain,
    )  # fmt: skip
    kind, number = persistent_id
    if kind != "storage":
        raise KeyError(kind)
    return objects[number]


def buffers() -> list[bytearray]:
    """One out-of-band buffer."""
    return [bytearray(b"the application's memory")]


@contextlib.contextmanager
def prepared(setup: str) -> Iterator[None]:
    """The extension registry as the attack's setup has it, and afterwards as it was."""
    if setup not in {"extensions", "warm extensions"}:
        yield
        return
    cache: dict[int, object] = copyreg._extension_cache  # type: ignore[attr-defined]  # the cache that is attacked
    for code, name in CODES.items():
        copyreg.add_extension(victims.__name__, name, code)
    if setup == "warm extensions":
        cache.update({CANARY_CODE: victims.canary, RECORD_CODE: victims.record, HARMLESS_CODE: victims.canary})
    try:
        yield
    finally:
        for code, name in CODES.items():
            copyreg.remove_extension(victims.__name__, name, code)
            cache.pop(code, None)
