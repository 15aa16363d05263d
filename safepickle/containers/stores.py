"""Databases that keep pickles as values: SQLite's tables, and what gdbm writes.

Rules:

* SQLite reads its own files, from memory and without trusting the schema: only tables are read, by nothing but SELECT,
  and whatever takes too many steps is broken off.
* What a database computes when it is read or written to (views, generated columns, triggers) can give what stands in no
  table.  It is not run, but said, and literals in it are streams; counters, as caches keep them, are harmless.
* Every value that is bytes is a stream; which column holds pickles no schema says.
* What a database has thrown away but not overwritten cannot be read through it, and is not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from safepickle.containers.source import Broken, Budget, BytesSource, Claim, Found, Problem, Slice, Source, Stream

__all__ = ["GDBM", "SQLITE", "open_gdbm", "open_sqlite"]

SQLITE: Final = b"SQLite format 3\0"
#: Larger databases would have to be held in memory.
_LONGEST: Final = 256 << 20
#: Steps of SQLite's machine for each byte of the file, and for any file.
_STEPS_PER_BYTE: Final = 4
_LEAST_STEPS: Final = 4_000_000
_ROUND: Final = 10_000
_WAL_VERSION: Final = 2

_GENERATED: Final = (2, 3)  # of `pragma_table_xinfo`
_LITERAL: Final = re.compile(r"[xX]'((?:[0-9a-fA-F]{2})*)'|'((?:[^']|'')*)'")
#: What a trigger needs to make a value: a literal of some length, functions, or to join what it has.
_MAKES_VALUES: Final = re.compile(
    r"'[^']{16,}'|x'|\|\||\b(?!(?:old|new|values|into|set|in|when|and|or|on)\b)\w+\s*\(", re.IGNORECASE
)

#: How gdbm's files begin, by the byte order and the width of offsets.
GDBM: Final = (b"\xcf\x9a\x57\x13", b"\xce\x9a\x57\x13", b"\x13\x57\x9a\xcf", b"\x13\x57\x9a\xce")
_BUCKET_FIELDS: Final = 112  # bytes of a bucket before its entries: free space, bits, count
_ENTRY: Final = 24


def open_sqlite(source: Source, budget: Budget) -> Iterator[Found]:
    """Every value of a table that is bytes."""
    yield Claim(0, source.size)
    try:
        import sqlite3
    except ImportError:
        yield Problem("missing-library", "SQLite: this Python has no sqlite3", 0)
        return
    if source.size > _LONGEST:
        yield Problem("unpack-limit", f"SQLite: of {source.size:,} bytes, which is more than is read", 0)
        return
    data = bytearray(source.read(0, source.size))
    if len(data) > 19 and data[19] == _WAL_VERSION:
        data[18] = data[19] = 1  # in memory there is no log beside the file; one that there was is a file of its own
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        yield from _rows(connection, bytes(data), budget)
    except (sqlite3.Error, sqlite3.Warning, MemoryError, OverflowError, UnicodeError) as error:
        yield Problem("container", f"SQLite: it cannot be read ({type(error).__name__})", 0)
    finally:
        connection.close()


def _rows(connection: Any, data: bytes, budget: Budget) -> Iterator[Found]:
    connection.deserialize(data)
    connection.text_factory = bytes
    steps = [_LEAST_STEPS + _STEPS_PER_BYTE * len(data)]

    def count() -> bool:
        steps[0] -= _ROUND
        return steps[0] < 0

    connection.set_progress_handler(count, _ROUND)
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "query_only=ON"):
        connection.execute(f"PRAGMA {pragma}")
    schema = connection.execute("SELECT type, name, rootpage, sql FROM sqlite_master").fetchall()
    for kind, name, _, sql in schema:
        yield from _computed(_text(kind), _text(name), _text(sql or ""), budget)
    for table in [name for kind, name, page, _ in schema if kind == b"table" and page]:
        described = connection.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (_text(table),)).fetchall()
        columns = [_text(name) for name, hidden in described if not hidden]
        if any(hidden in _GENERATED for _, hidden in described):
            yield Problem("container", f"SQLite: columns of the table {_text(table)!r} are computed when it is read")
        if not columns:
            continue
        chosen = ", ".join(map(_quoted, columns))
        cursor = connection.execute(f"SELECT {chosen} FROM {_quoted(_text(table))}")  # noqa: S608 - read-only, quoted
        for number, row in enumerate(cursor):
            for column, value in zip(columns, row, strict=True):
                if isinstance(value, bytes) and value:
                    budget.member()
                    yield Stream(f"{_text(table)}.{column}[{number}]", BytesSource(value), None, 0)


def _computed(kind: str, name: str, sql: str, budget: Budget) -> Iterator[Found]:
    """What a part of the schema computes, and the literals in it."""
    if kind == "view":
        yield Problem("container", f"SQLite: {name!r} is a view, which is computed when it is read")
    elif kind == "trigger" and _MAKES_VALUES.search(sql):
        yield Problem("container", f"SQLite: the trigger {name!r} makes values when the database is written to")
    for literal in _LITERAL.finditer(sql):
        data = bytes.fromhex(literal[1]) if literal[1] is not None else literal[2].replace("''", "'").encode()
        if data:
            budget.member()
            yield Stream(f"schema of {name}", BytesSource(data), None, 0)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(name: Any) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else f"{name}"


def open_gdbm(source: Source, budget: Budget) -> Iterator[Found]:
    """Every value.  Raises Broken where the directory is none."""
    order = "little" if source.read(3, 1) == b"\x13" else "big"
    wide = source.read(0, 4) in (b"\xcf\x9a\x57\x13", b"\x13\x57\x9a\xcf")

    def number(at: int, size: int) -> int:
        raw = source.read(at, size)
        if len(raw) < size:
            raise Broken("gdbm: it breaks off")
        return int.from_bytes(raw, order, signed=False)  # type: ignore[arg-type]

    if not wide:
        raise Broken("gdbm: of the old kind, with offsets of four bytes, which is not supported")
    yield Claim(0, source.size)  # what is in no bucket is free space, which nobody can read through the database
    directory, directory_size = number(8, 8), number(16, 4)
    bucket_size, bucket_items = number(24, 4), number(28, 4)
    if not 0 < bucket_items * _ENTRY <= bucket_size or directory + directory_size > source.size:
        raise Broken("gdbm: the header is damaged")
    seen: set[int] = set()
    for place in range(directory, directory + directory_size - 7, 8):
        bucket = number(place, 8)
        if bucket in seen:
            continue
        seen.add(bucket)
        if len(seen) * bucket_size > source.size:
            raise Broken("gdbm: there are more buckets than there is room for")
        for entry in range(bucket_items):
            at = bucket + _BUCKET_FIELDS + entry * _ENTRY
            if number(at, 4) == 0xFFFFFFFF:  # an empty place
                continue
            budget.member()
            start = number(at + 8, 8) + number(at + 16, 4)
            stop = start + number(at + 20, 4)
            if stop > source.size:
                raise Broken("gdbm: a value breaks off")
            yield Stream(f"value at {start}", Slice(source, start, stop), None, 0)
