"""Files that are somewhere else, read in parts: a URL that the user has named, never one that was found in a source.

http and https are asked with the standard library, so that every answer can be held against the question; whatever else
fsspec knows (s3, gs, ...) is asked through it, with what its own options say.

Rules:

* Only parts are fetched, in blocks, and a bounded number of them is kept.
* An answer that is not exactly what was asked for, or is not about the file that was there in the beginning (by its
  size, and by its etag or date where there is one), ends the scan as incomplete.
* No answer is read beyond what was asked for, and none takes for ever.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from typing import Any, Final, NamedTuple, Protocol

from safepickle.containers.source import Source

__all__ = ["RemoteError", "RemoteSource", "is_url", "open_remote", "stamp_of"]

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
_BLOCK: Final = 64 * 1024
#: Blocks that follow one another are fetched with one request, of at most so many.
_MOST_AT_ONCE: Final = 16
_KEPT: Final = 256
#: Seconds: without a byte, and for one answer as a whole.  No science went into these numbers.
_PATIENCE: Final = 30
_LONGEST_ANSWER: Final = 300
_CONTENT_RANGE: Final = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)")
#: What tells one content from another, in the words of different storages.
_TELLING: Final = ("etag", "md5", "generation", "version", "modified", "mtime", "created")


class RemoteError(OSError):
    """A file somewhere else cannot be read, or not as it should be; the message says why."""


class Facts(NamedTuple):
    """What is known of a file without its bytes."""

    size: int
    stamp: str  # what changes with its contents; empty where nothing is told


class Store(Protocol):
    """One file somewhere else."""

    def begin(self) -> tuple[Facts, bytes]:
        """What is known of it, and its first block if that has come with it."""

    def fetch(self, start: int, stop: int) -> bytes:
        """These bytes, all of them.  Raises RemoteError."""

    def facts(self) -> Facts:
        """What is known of it now."""


def is_url(source: object) -> bool:
    """Whether a source is a text that names something somewhere else."""
    return isinstance(source, str) and _URL.match(source) is not None


def open_remote(url: str) -> RemoteSource:
    """The file that a URL names.  Raises RemoteError."""
    scheme = url.partition("://")[0].lower()
    return RemoteSource(_Http(url) if scheme in ("http", "https") else _Fsspec(url))


def stamp_of(url: str) -> tuple[Any, ...] | None:
    """What tells the content that is there now from another one; None where nothing does.  Raises RemoteError."""
    facts = open_remote(url).facts
    return ("etag", facts.stamp, facts.size) if facts.stamp else None


class RemoteSource(Source):
    """Bytes somewhere else, in blocks."""

    is_far = True

    def __init__(self, store: Store) -> None:
        self._store = store
        self.facts, first = store.begin()
        self.size = self.facts.size
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._next = 0  # the block behind those that were fetched last
        self._run = 1
        if first:
            self._keep(0, first)

    def read(self, at: int, count: int) -> bytes:
        """See `Source`.  Raises RemoteError."""
        stop = min(at + count, self.size)
        pieces = []
        while at < stop:
            number = at // _BLOCK
            block = self._block(number, (stop - 1) // _BLOCK)
            piece = block[at - number * _BLOCK : stop - number * _BLOCK]
            pieces.append(piece)
            at += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _block(self, number: int, last: int) -> bytes:
        known = self._blocks.get(number)
        if known is not None:
            self._blocks.move_to_end(number)
            return known
        self._run = min(2 * self._run, _MOST_AT_ONCE) if number == self._next else 1
        behind = number + max(1, min(last + 1 - number, _MOST_AT_ONCE), self._run)
        behind = min(behind, -(-self.size // _BLOCK))
        behind = next((each for each in range(number + 1, behind) if each in self._blocks), behind)
        self._keep(number, self._store.fetch(number * _BLOCK, min(behind * _BLOCK, self.size)))
        self._next = behind
        return self._blocks[number]

    def _keep(self, number: int, data: bytes) -> None:
        for start in range(0, len(data), _BLOCK):
            self._blocks[number + start // _BLOCK] = data[start : start + _BLOCK]
        while len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)

    def is_current(self) -> bool:
        """Whether the file is still what it was in the beginning.  Raises RemoteError."""
        return self._store.facts() == self.facts


# -- http and https ----------------------------------------------------------------------------------------------------


class _Http:
    """A file that a web server has."""

    def __init__(self, url: str) -> None:
        from urllib import request

        self._url = url
        self._facts: Facts | None = None
        self._opener = request.OpenerDirector()  # with nothing that opens local files
        for handler in (
            request.ProxyHandler(), request.HTTPHandler(), request.HTTPSHandler(),
            request.HTTPRedirectHandler(), request.HTTPDefaultErrorHandler(), request.HTTPErrorProcessor(),
        ):  # fmt: skip
            self._opener.add_handler(handler)

    def begin(self) -> tuple[Facts, bytes]:
        """See `Store`."""
        facts, data = self._ask(0, _BLOCK)
        self._facts = facts
        return facts, data

    def fetch(self, start: int, stop: int) -> bytes:
        """See `Store`."""
        facts, data = self._ask(start, stop)
        if facts != self._facts:
            raise RemoteError("the file has changed while it was scanned: the server tells another etag, date or size")
        if len(data) != stop - start:
            raise RemoteError(f"the server gave {len(data):,} bytes where {stop - start:,} were asked for")
        return data

    def facts(self) -> Facts:
        """See `Store`."""
        return self._ask(0, 1)[0]

    def _ask(self, start: int, stop: int) -> tuple[Facts, bytes]:
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.request import Request

        headers = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity", "User-Agent": "safepickle"}
        try:
            question = Request(self._url, headers=headers)  # noqa: S310 - the handlers above open nothing but http
            with self._opener.open(question, timeout=_PATIENCE) as answer:
                return self._answer(answer, start, stop)
        except HTTPError as error:
            with error:
                if error.code == 416 and not start and _total(error.headers) == 0:
                    return Facts(0, _telling(error.headers)), b""
            raise RemoteError(f"the server answers {error.code}") from None
        except RemoteError:
            raise
        except (OSError, HTTPException, ValueError) as error:
            raise RemoteError(f"it cannot be fetched: {type(error).__name__}: {error}") from None

    def _answer(self, answer: Any, start: int, stop: int) -> tuple[Facts, bytes]:
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise RemoteError("the server gives it packed, though asked not to")
        if answer.status == 200:
            return self._whole(answer, start, stop)
        told = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
        if answer.status != 206 or told is None or told[1] is None:
            raise RemoteError(f"the server answers {answer.status} without saying which part that is")
        size = int(told[3])
        if (int(told[1]), int(told[2])) != (start, min(stop, size) - 1):
            raise RemoteError("the server gives another part than was asked for")
        return Facts(size, _telling(answer.headers)), _body(answer, min(stop, size) - start)

    def _whole(self, answer: Any, start: int, stop: int) -> tuple[Facts, bytes]:
        """What a server gives that knows no parts: of a small file, that is all that was asked for."""
        size = answer.headers.get("Content-Length", "")
        if not size.isdecimal() or start or int(size) > max(stop, _BLOCK):
            raise RemoteError("the server does not give parts of files; fetch it, and scan what you have fetched")
        data = _body(answer, int(size))
        return Facts(int(size), _telling(answer.headers)), data[:stop]


def _body(answer: Any, size: int) -> bytes:
    """As many bytes as are to come, and not one more."""
    data = bytearray()
    ends = time.monotonic() + _LONGEST_ANSWER
    while len(data) <= size:
        piece = answer.read1(min(_BLOCK, size + 1 - len(data)))
        if not piece:
            break
        data += piece
        if time.monotonic() > ends:
            raise RemoteError(f"an answer took more than {_LONGEST_ANSWER} seconds")
    if len(data) != size:
        given = "more" if len(data) > size else f"{len(data):,}"
        raise RemoteError(f"the server gave {given} bytes where {size:,} were announced")
    return bytes(data)


def _telling(headers: Any) -> str:
    return str(headers.get("ETag") or headers.get("Last-Modified") or "")


def _total(headers: Any) -> int:
    told = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    return -1 if told is None else int(told[3])


# -- Whatever else fsspec knows ----------------------------------------------------------------------------------------


class _Fsspec:
    """A file of one of fsspec's file systems."""

    def __init__(self, url: str) -> None:
        if "::" in url:
            raise RemoteError("a chain of URLs is not followed: name the file that is to be scanned")
        try:
            from fsspec.core import url_to_fs  # type: ignore[import-untyped,import-not-found,unused-ignore]  # an extra
        except ImportError:
            raise RemoteError("this needs fsspec: `pip install safepickle-codec[remote]`") from None
        try:
            self._files, self._path = url_to_fs(url)
        except Exception as error:  # noqa: BLE001 - each file system raises what its library raises
            raise _failure(error) from None

    def begin(self) -> tuple[Facts, bytes]:
        """See `Store`."""
        return self.facts(), b""

    def facts(self) -> Facts:
        """See `Store`."""
        try:
            self._files.invalidate_cache()
            told = dict(self._files.info(self._path))
        except Exception as error:  # noqa: BLE001 - as above
            raise _failure(error) from None
        size = told.get("size")
        if told.get("type") == "directory" or not isinstance(size, int) or size < 0:
            raise RemoteError("it is no file, or nothing says how long it is")
        telling = [key for key in sorted(told) if any(word in key.lower() for word in _TELLING)]
        return Facts(size, ", ".join(f"{key}={told[key]}" for key in telling))

    def fetch(self, start: int, stop: int) -> bytes:
        """See `Store`."""
        try:
            data = bytes(self._files.cat_file(self._path, start=start, end=stop))
        except Exception as error:  # noqa: BLE001 - as above
            raise _failure(error) from None
        if len(data) != stop - start:
            raise RemoteError(f"{len(data):,} bytes came where {stop - start:,} were asked for")
        return data


def _failure(error: Exception) -> RemoteError:
    return RemoteError(f"it cannot be fetched: {type(error).__name__}: {error}")
