"""7z archives, by way of the library that reads them.

Rules:

* The library is an extra; where it is absent the archive is not looked into, and that is said.
* What it unpacks goes through a counter that stops it at the bounds of the budget.
* Its errors are many, and none of them passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from io import BytesIO
from typing import Any, Final

from safepickle.containers.source import Budget, BytesSource, Claim, Exhausted, Found, Problem, Source, Stream

__all__ = ["MAGIC", "open_7z"]

MAGIC: Final = b"7z\xbc\xaf\x27\x1c"
#: Members are unpacked in memory; of longer ones, and of longer archives, it is said that they were not judged.
_LONGEST: Final = 64 << 20


@cache  # what is not installed is looked for once
def _library() -> Any:
    try:
        import py7zr  # type: ignore[import-untyped,import-not-found,unused-ignore]  # an extra
    except ImportError:
        return None
    return py7zr


def open_7z(source: Source, budget: Budget) -> Iterator[Found]:
    """Every member."""
    yield Claim(0, source.size)  # the library does not say which bytes it read
    py7zr = _library()
    if py7zr is None:
        yield Problem("missing-library", "7z: the library that unpacks it is not installed", 0)
        return
    if source.size > _LONGEST:
        yield Problem("unpack-limit", f"7z: of {source.size:,} bytes, which is more than is read", 0)
        return
    try:
        members = _unpack(py7zr, source.read(0, source.size), budget)
    except Exhausted:
        raise
    except _Password:
        yield Problem("encrypted", "7z: the archive is encrypted", 0)
        return
    except Exception as error:  # noqa: BLE001 - the library raises whatever its parts raise
        rule = "encrypted" if isinstance(error, py7zr.exceptions.PasswordRequired) else "container"
        yield Problem(rule, f"7z: it cannot be unpacked ({type(error).__name__})", 0)
        return
    for name, data in members:
        unpacked = BytesSource(data)
        unpacked.level = source.level + 1
        yield Stream(name, unpacked, None, 0)


class _Password(Exception):
    """The archive asks for one."""


def _unpack(py7zr: Any, data: bytes, budget: Budget) -> list[tuple[str, bytes]]:
    from py7zr.io import Py7zIO, WriterFactory  # type: ignore[import-untyped,import-not-found,unused-ignore]

    class Member(Py7zIO):  # type: ignore[misc,unused-ignore]
        """One member in memory."""

        def __init__(self) -> None:
            self.inner = BytesIO()

        def write(self, s: bytes | bytearray) -> int:
            budget.unpack(len(s))
            if self.size() + len(s) > _LONGEST:
                raise Exhausted(f"a member of more than {_LONGEST:,} bytes")
            return self.inner.write(s)

        def read(self, size: int | None = None) -> bytes:
            return self.inner.read(size)

        def seek(self, offset: int, whence: int = 0) -> int:
            return self.inner.seek(offset, whence)

        def flush(self) -> None:
            self.inner.flush()

        def size(self) -> int:
            return len(self.inner.getbuffer())

    class Factory(WriterFactory):  # type: ignore[misc,unused-ignore]
        """Gives the library something to write each member to."""

        def __init__(self) -> None:
            self.made: list[tuple[str, Member]] = []

        def create(self, filename: str) -> Any:
            budget.member()
            self.made.append((filename, Member()))
            return self.made[-1][1]

    factory = Factory()
    with py7zr.SevenZipFile(BytesIO(data)) as archive:
        if archive.needs_password():
            raise _Password
        # The library unpacks what a member announces at once, and only then writes.
        if any(each.uncompressed > min(_LONGEST, budget.unpacked) for each in archive.list()):
            raise Exhausted("a member announces more bytes than would be unpacked")
        archive.extractall(factory=factory)
    return [(name, member.inner.getvalue()) for name, member in factory.made]
