"""Files that hold other files: what each kind looks like, and what reads it.

Rules:

* A kind is told by content, never by a name.  Where more than one fits, all of them are read.
* Nothing in here knows pickles or policies: each reader gives named streams of bytes, claims what is structure, and
  says what is wrong.  `source.py` has the words for that.
* What is imported only for one kind is imported when there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

from safepickle.containers.arrays import MAGIC as NPY
from safepickle.containers.arrays import open_npy
from safepickle.containers.compressed import FORMATS, open_compressed
from safepickle.containers.records import (
    begins_base64,
    begins_records,
    begins_stamped,
    may_be_records,
    may_be_stamped,
    open_base64,
    open_records,
    open_stamped,
)
from safepickle.containers.sevenzips import MAGIC as SEVEN_ZIP
from safepickle.containers.sevenzips import open_7z
from safepickle.containers.source import MAYBE, Broken, Budget, Found, Source
from safepickle.containers.stores import GDBM, SQLITE, open_gdbm, open_sqlite
from safepickle.containers.tars import is_tar, open_tar
from safepickle.containers.zips import find_end, open_zip

__all__ = ["HEAD", "Kind", "kinds", "kinds_by_end", "kinds_otherwise"]

#: How many of the first bytes tell a kind.
HEAD: Final = 512


class Kind(NamedTuple):
    """One kind of container that a source may be."""

    name: str
    open: Callable[[Source, Budget], Iterator[Found]]
    sure: bool = True  # whether the beginning cannot be chance: then what cannot be read is a problem
    follows: bool = True  # whether one may stand behind a pickle


def _unsupported(what: str) -> Callable[[Source, Budget], Iterator[Found]]:
    def open_(_source: Source, _budget: Budget) -> Iterator[Found]:
        raise Broken(f"{what}: this version does not look inside")

    return open_


_ZIP: Final = Kind("zip", open_zip)
_TAR: Final = Kind("tar", open_tar)
_RECORDS: Final = Kind("records", open_records, sure=False, follows=False)
_STAMPED: Final = Kind("stamped", open_stamped, sure=False, follows=False)
_MAYBE_RECORDS: Final = Kind("records", partial(open_records, holds=MAYBE), sure=False, follows=False)
_MAYBE_STAMPED: Final = Kind("stamped", partial(open_stamped, holds=MAYBE), sure=False, follows=False)
_BASE64: Final = Kind("base64", open_base64, sure=False)
_BY_END: Final = Kind("zip", open_zip, sure=False)
_COMPRESSED: Final = tuple(
    (form.begins, Kind(form.name, partial(open_compressed, form), form.sure)) for form in FORMATS
)
_BEGINNINGS: Final = (
    (NPY, Kind("npy", open_npy)),
    (SEVEN_ZIP, Kind("7z", open_7z)),
    (SQLITE, Kind("SQLite", open_sqlite)),
    *((magic, Kind("gdbm", open_gdbm)) for magic in GDBM),
    *(
        (magic, Kind(what, _unsupported(what)))
        for magic, what in (
            (b"Rar!\x1a\7", "rar"), (b"\x37\x7f\6\x82", "SQLite's log"), (b"\x37\x7f\6\x83", "SQLite's log"),
            (b"\xd9\xd5\5\xf9\x20\xa1\x63\xd7", "SQLite's journal"), (b"LZIP", "lzip"), (b"\x1f\x9d", "compress"),
            (b"\xff\6\0\0sNaPpY", "snappy"), (b"\0\6\x15\x61", "Berkeley DB"), (b"\x61\x15\6\0", "Berkeley DB"),
        )
    ),
)  # fmt: skip
_SECOND_MAGIC: Final = {b"\0\6\x15\x61", b"\x61\x15\6\0", b"\0\5\x31\x62", b"\x62\x31\5\0"}
_BERKELEY: Final = Kind("Berkeley DB", _unsupported("Berkeley DB"))


def kinds(source: Source, head: bytes) -> list[Kind]:
    """The kinds of container that `source`, which begins with `head`, may be, at a glance."""
    found = [kind for begins, kind in _BEGINNINGS if head.startswith(begins)]
    found += [kind for begins, kind in _COMPRESSED if begins(head)]
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        found.append(_ZIP)
    if head[12:16] in _SECOND_MAGIC:
        found.append(_BERKELEY)
    if is_tar(head):
        found.append(_TAR)
    if begins_records(head, source.size):
        found.append(_RECORDS)
    elif begins_stamped(head):
        found.append(_STAMPED)
    if begins_base64(head):
        found.append(_BASE64)
    return found


def kinds_by_end(source: Source) -> list[Kind]:
    """The kinds that are told by how a source ends; its size must be known."""
    return [_BY_END] if find_end(source) >= 0 else []


def kinds_otherwise(source: Source, head: bytes) -> list[Kind]:
    """The kinds that a source may be where it is nothing else: so much begins like them that little of it is one."""
    found = [_MAYBE_RECORDS] if may_be_records(head, source.size) else []
    return [*found, _MAYBE_STAMPED] if may_be_stamped(head) else found
