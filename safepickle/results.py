"""Results of scans that outlive a run: a file to resume from, and a folder of what is known of the same bytes.

Both hold one JSON document for each report, a line each: what `Report.to_dict` gives, with the `stamp` that the source
had and the `version` that judged it.

Rules:

* What is kept is only used for the same source, with the same stamp, under the same policy, by the same version.
* A source without a stamp, and one that could not be read, is scanned again each time.
* The file grows by whole lines.  One that was cut off is mended; one that is no such file, or of another policy, is
  refused and left as it is.
* Once all is done, the file is what one uninterrupted run would have written, in the same order.
* Of what the file has, some bytes for each line are kept in memory, never the lines.
"""

from __future__ import annotations

import json
import os
from array import array
from contextlib import suppress
from hashlib import blake2b
from typing import Any, BinaryIO, Final, Self

from safepickle.errors import escape
from safepickle.report import Report

__all__ = ["Cache", "Results", "ResultsError", "Stamp", "to_json"]

#: What tells one content of a source from another: its kind, and the words that change with the bytes.
Stamp = tuple[Any, ...]

_BEGINNING: Final = b'{"source": '
#: What another run may be able to do: then what was said is not the last word.
_PASSING: Final = frozenset({"unreadable", "missing-library"})
_LONGEST_LINE: Final = 1 << 30


class ResultsError(ValueError):
    """A file of results that cannot be used; the message says why and what to do."""


def to_json(report: Report, stamp: Stamp | None, version: str) -> bytes:
    """A report as a line.  Raises OSError where the hash of the source cannot be had any more."""
    told = {**report.to_dict(), "stamp": None if stamp is None else list(stamp), "version": version}
    return json.dumps(told).encode("ascii") + b"\n"


def _is_settled(report: Report) -> bool:
    return not any(finding.rule in _PASSING for finding in report.findings)


def _key(*words: object) -> int:
    """Eight bytes for a source and its stamp; what is found by them is compared as a whole."""
    return int.from_bytes(blake2b(json.dumps(words).encode(), digest_size=8).digest(), "little")


class Results:
    """A file of results: what it has is found again, what is new is written behind it.

    Raises ResultsError for a file that is none or is another policy's, OSError for one that cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str], policy: str, version: str) -> None:
        self._path = os.fspath(path)
        self._policy = policy
        self._version = version
        self._keys = array("Q")  # of the lines that can be used again
        self._places = array("Q")  # and where they begin
        self._order = array("Q")  # where the lines begin of what was given so far, in its order
        self._tidy = True  # whether these are the first lines of the file, as they come
        self._behind = 0  # where the last of them ends, while that is so
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        self._file: BinaryIO = os.fdopen(descriptor, "r+b")
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise
        self._sorted: array[int] | None = None

    def __len__(self) -> int:
        """How many results were given so far."""
        return len(self._order)

    def _read(self) -> None:
        at = 0
        for number, line in enumerate(iter(self._file.readline, b""), 1):
            whole = line.endswith(b"\n")
            if not line.startswith(_BEGINNING) and (whole or not _BEGINNING.startswith(line)):
                raise ResultsError(f"line {number} is no result of a scan; give a file that is not there yet")
            if not whole:
                break  # the run that wrote it was cut off here
            told = self._told(line, number)
            if told is not None:
                self._keys.append(_key(told["source"], told["stamp"]))
                self._places.append(at)
            at += len(line)
        self._file.truncate(at)
        self._end = at

    def _told(self, line: bytes, number: int) -> dict[str, Any] | None:
        """What a line says, if it can be used again."""
        try:
            told: dict[str, Any] = json.loads(line)
            report = Report.from_dict(told)
            stamp, version = told["stamp"], told["version"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            what = f"line {number} is damaged ({type(error).__name__})"
            raise ResultsError(f"{what}; remove it, or take another file") from None
        if report.policy != self._policy:
            raise ResultsError(
                f"line {number} is a result under another policy ({escape(report.policy[:16])}..., and this is "
                f"{self._policy[:16]}...); take another file, or scan under the policy that it was begun with"
            )
        if stamp is None or report.source is None or version != self._version or not _is_settled(report):
            return None
        return told

    def find(self, source: str, stamp: Stamp | None) -> Report | None:
        """What the file has of a source with this stamp.  It counts as given."""
        if stamp is None:
            return None
        from bisect import bisect_left

        if self._sorted is None:  # only what was there in the beginning is looked for
            self._sorted = array("Q", sorted(range(len(self._keys)), key=self._keys.__getitem__))
        key = _key(source, list(stamp))
        index = bisect_left(self._sorted, key, key=self._keys.__getitem__)
        while index < len(self._sorted) and self._keys[self._sorted[index]] == key:
            place = self._places[self._sorted[index]]
            told = json.loads(self._line_at(place))
            if told["source"] == source and told["stamp"] == json.loads(json.dumps(stamp)):
                return Report.from_dict(told)._replace(hashed=_Kept(told["sha256"], place))
            index += 1
        return None

    def _line_at(self, place: int) -> bytes:
        self._file.seek(place)
        return self._file.readline(_LONGEST_LINE)

    def give(self, report: Report, stamp: Stamp | None) -> None:
        """Note a report as the next one; what is not in the file yet is written."""
        if report.policy != self._policy:
            raise ResultsError("a report under another policy does not belong here")
        if isinstance(report.hashed, _Kept):
            place = report.hashed.place
            line = self._line_at(place)
        else:
            line = to_json(report, stamp, self._version)
            if self._tidy and self._behind < self._end and self._line_at(self._behind) == line:
                place = self._behind  # said in the same words as before
            else:
                place = self._append(line)
        if self._tidy and place == self._behind:
            self._behind += len(line)
        else:
            self._tidy = False
        self._order.append(place)

    def _append(self, line: bytes) -> int:
        place = self._end
        self._file.seek(place)
        self._file.write(line)
        self._file.flush()
        self._end += len(line)
        return place

    def finish(self) -> None:
        """All was given: leave in the file that and nothing else, in this order."""
        if not self._tidy or self._behind != self._end:
            fresh = f"{self._path}.{os.getpid()}.new"
            try:
                with open(fresh, "xb") as ordered:
                    ordered.writelines(self._line_at(place) for place in self._order)
                os.replace(fresh, self._path)
            except BaseException:
                _remove(fresh)
                raise
        self.close()

    def close(self) -> None:
        """Leave what is in the file for the next time."""
        self._file.close()


class _Kept(str):
    """The hash of a report that was found in the file, and where."""

    __slots__ = ("place",)

    place: int

    def __new__(cls, text: str, place: int) -> Self:
        made = str.__new__(cls, text)
        made.place = place
        return made

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


class Cache:
    """A folder of reports by the content that they are of; safe to be used by several processes at once.

    An entry that is damaged counts as none.  Who can write into the folder decides what passes.
    """

    def __init__(self, folder: str | os.PathLike[str], policy: str, version: str) -> None:
        self._folder = os.fspath(folder)
        self._policy = policy
        self._version = version

    def _place(self, stamp: Stamp) -> str:
        words = json.dumps([self._version, self._policy, stamp]).encode()
        name = blake2b(words, digest_size=20).hexdigest()
        return os.path.join(self._folder, name[:2], name[2:] + ".json")

    def find(self, source: str | None, stamp: Stamp | None) -> Report | None:
        """What is known of this content, as a report on `source`."""
        if stamp is None:
            return None
        try:
            with open(self._place(stamp), "rb") as file:
                told = json.loads(file.read())
            report = Report.from_dict(told)
            if told["version"] != self._version or report.policy != self._policy:
                return None
            if told["stamp"] != json.loads(json.dumps(stamp)):
                return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return report._replace(source=source)

    def keep(self, report: Report, stamp: Stamp | None) -> None:
        """Remember a report; where it cannot be, the next scan takes longer, and that is all."""
        if stamp is None or not _is_settled(report):
            return
        place = self._place(stamp)
        fresh = f"{place}.{os.getpid()}.new"
        try:
            line = to_json(report._replace(source=None), stamp, self._version)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(fresh, "wb") as file:
                file.write(line)
            os.replace(fresh, place)
        except OSError:
            _remove(fresh)
