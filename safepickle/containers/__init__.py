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
from safepickle.containers.sevenzips import MAGIC as SEVEN_ZIP
from safepickle.containers.sevenzips import open_7z
from safepickle.containers.source import Budget, Found, Source
from safepickle.containers.tars import is_tar, open_tar
from safepickle.containers.zips import find_end, open_zip

__all__ = ["HEAD", "Kind", "kinds", "kinds_by_end"]

#: How many of the first bytes tell a kind.
HEAD: Final = 512


class Kind(NamedTuple):
    """One kind of container that a source may be."""

    name: str
    open: Callable[[Source, Budget], Iterator[Found]]
    sure: bool = True  # whether the beginning cannot be chance: then what cannot be read is a problem


_ZIP: Final = Kind("zip", open_zip)
_BEGINNINGS: Final = (
    (NPY, Kind("npy", open_npy)),
    (SEVEN_ZIP, Kind("7z", open_7z)),
)  # fmt: skip


def kinds(head: bytes) -> list[Kind]:
    """The kinds of container that a source which begins with `head` may be, at a glance."""
    found = [kind for begins, kind in _BEGINNINGS if head.startswith(begins)]
    found += [Kind(form.name, partial(open_compressed, form), form.sure) for form in FORMATS if form.begins(head)]
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        found.append(_ZIP)
    if is_tar(head):
        found.append(Kind("tar", open_tar))
    return found


def kinds_by_end(source: Source) -> list[Kind]:
    """The kinds that are told by how a source ends; its size must be known."""
    return [Kind("zip", open_zip, sure=False)] if find_end(source) >= 0 else []
