"""Judges a source without importing anything it names: the verifier over every pickle in it, with an account of bytes.

Rules:

* The same reader and verifier as the loader, so a pass here is no refusal there.
* Every byte is claimed by a pickle or reported; what was not understood makes the scan incomplete, never a pass.
* A string may hold a pickle: it is judged as one, and so is a pickle in a string of that one.
* A bad stream never makes it raise: it becomes a finding.  Only unusable arguments raise.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any, Final

from safepickle import symbols as sym
from safepickle.errors import (
    EndOfStream,
    Forbidden,
    LimitExceeded,
    MalformedStream,
    MissingGrant,
    StreamError,
    escape,
)
from safepickle.opcodes import BY_NAME
from safepickle.policy import Policy, resolve_policy
from safepickle.policy.model import REFER, VERBS
from safepickle.reader import Reader, frozen_input
from safepickle.report import (
    FORBIDDEN,
    INCOMPLETE,
    MALFORMED,
    NOT_A_PICKLE,
    PASS,
    Capability,
    Finding,
    Member,
    Report,
)
from safepickle.verifier import Options, Verifier

__all__ = ["scan"]

#: How containers begin that are not opened yet: they are reported as not analysed, never as harmless.
_CONTAINERS: Final = (
    (b"PK\x03\x04", "zip archive"), (b"PK\x05\x06", "zip archive"), (b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"), (b"]\x00\x00\x80\x00", "lzma"), (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x04\x22\x4d\x18", "lz4"), (b"\x93NUMPY", "npy"),
    (b"SQLite format 3\x00", "SQLite"), (b"\x78\x01", "zlib"),
    (b"\x78\x9c", "zlib"), (b"\x78\xda", "zlib"), (b"\x78\x5e", "zlib"), (b"ZF", "joblib's old zlib file"),
)  # fmt: skip
_TAR_MAGIC: Final = slice(257, 262)
_SEVERITY_ORDER: Final = (FORBIDDEN, MALFORMED, INCOMPLETE, PASS)
#: Opcodes that can import, call, build or ask the application for an object.
_CAPABLE: Final = frozenset(
    BY_NAME[name].code
    for name in (
        "GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "REDUCE", "BUILD", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4",
        "PERSID", "BINPERSID",
    )
)  # fmt: skip
_MOST_MEMBERS: Final = 1_000_000
#: A PROTO, and an opcode that a pickle can begin with.
_NESTED: Final = re.compile(rb"\x80[\x02-\x05](?=[\]})(\x8c\x95cX\x8f\x80KJMNGUCVST\x88\x89\x8a\x82-\x84])")
#: Opcodes of pickles inside pickles that are judged whatever the length of the source.
_LEAST_NESTED_WORK: Final = 100_000


def scan(source: Any, *, policy: Any = None) -> Report:
    """Judge everything in `source`, importing and running nothing.

    `source` is a bytes-like object, a path (str or PathLike) or a binary file, which is read to its end.  `policy` is
    what `loads` takes; None means the union of all packaged policies.  Raises PolicyError for a bad policy, TypeError
    for a source of another kind, and OSError for a file that cannot be read.
    """
    chosen = _packaged() if policy is None else resolve_policy(policy)
    name, data = _contents(source)
    return _Scan(name, data, chosen).report()


@cache
def _packaged() -> Policy:
    union = Policy.named("plain")
    for name in Policy.names():
        union |= Policy.named(name)
    return union


def _contents(source: Any) -> tuple[str | None, bytes]:
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as file:
            return os.fsdecode(source), file.read()
    if callable(getattr(source, "read", None)):
        data = source.read()
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"the file's read() gave {type(data).__name__}, not bytes: open it in binary mode")
        return None, bytes(data)
    return None, frozen_input(source)


class _Scan:
    """One source being judged."""

    def __init__(self, name: str | None, data: bytes, policy: Policy) -> None:
        self.name = name
        self.data = data
        self.policy = policy
        self.findings: list[Finding] = []
        self.members: list[Member] = []
        self.missing: list[MissingGrant] = []
        self.capabilities: dict[tuple[str, str], Capability] = {}
        self.claimed = 0

    def report(self) -> Report:
        """Judge the whole source."""
        import hashlib

        verdict = self._container() or self._embedded(self._streams())
        return Report(
            self.name, verdict, tuple(self.findings), tuple(self.capabilities.values()), tuple(self.members),
            tuple(dict.fromkeys(self.missing)), len(self.data), self.claimed, hashlib.sha256(self.data).hexdigest(),
            self.policy.digest,
        )  # fmt: skip

    def _container(self) -> str | None:
        kind = next((kind for magic, kind in _CONTAINERS if self.data.startswith(magic)), None)
        if kind is None and self.data[_TAR_MAGIC] == b"ustar":
            kind = "tar archive"
        if kind is None:
            return None
        if self._judge(0)[0] == PASS and self.members[0].stop == len(self.data):
            # A pickle may begin with any opcode, so also with what looks like a magic number.
            self._forget()
            return None
        self._forget()
        self.findings.append(
            Finding("container", "warning", f"a {kind}: this version does not look inside; nothing was judged", 0)
        )
        return INCOMPLETE

    def _forget(self) -> None:
        self.findings.clear()
        self.members.clear()
        self.missing.clear()
        self.capabilities.clear()
        self.claimed = 0

    def _streams(self) -> str:
        verdicts = []
        start = 0
        while True:
            verdict, stop = self._judge(start)
            if start and verdict in (MALFORMED, NOT_A_PICKLE):
                verdict = self._trailing(start, verdict)
            verdicts.append(verdict)
            if stop <= start or stop >= len(self.data) or len(self.members) >= _MOST_MEMBERS:
                break
            start = stop
        if verdicts == [NOT_A_PICKLE]:
            return NOT_A_PICKLE
        if self.claimed < len(self.data) and verdicts[-1] == PASS:
            verdicts.append(INCOMPLETE)
        return next(verdict for verdict in _SEVERITY_ORDER if verdict in verdicts)

    def _embedded(self, verdict: str) -> str:
        """Judge pickles inside the strings of pickles too: whoever loads the outer one may load them.

        Looked for is a PROTO followed by what can follow it.  What begins like a pickle by chance is told from one by
        its names: a finding needs a global that a module could have.
        """
        budget = _LEAST_NESTED_WORK + len(self.data)
        starts = {member.start for member in self.members}
        found = 0
        for match in _NESTED.finditer(self.data):
            if match.start() in starts:
                continue
            if budget <= 0 or found > self.policy.limits.nested:
                self.findings.append(
                    Finding("limit", "warning", "more embedded pickles than are followed", match.start())
                )
                return next(worst for worst in _SEVERITY_ORDER if worst in (verdict, INCOMPLETE))
            reader = Reader(self.data, match.start(), integer_digits=self.policy.limits.integer_digits)
            verifier = Verifier(reader, self.policy.data, self.policy.limits, Options(scanning=True))
            with suppress(StreamError, MemoryError, RecursionError):
                verifier.run()
            budget -= verifier.opcodes + 1
            refusals = [refusal for refusal in verifier.refusals if _could_be_imported(refusal)]
            if refusals:
                found += 1
                verdict = FORBIDDEN
                self.members.append(Member(match.start(), reader.pos, verifier.opcodes, FORBIDDEN))
                self._refusals(refusals)
                self._collect(verifier)
        return verdict

    def _trailing(self, start: int, verdict: str) -> str:
        """What follows a pickle and is none: harmless rubbish, or a stream that was broken on purpose."""
        if verdict == NOT_A_PICKLE:
            self.findings.pop()
            self.findings.append(
                Finding(
                    "trailing-data",
                    "warning",
                    f"{len(self.data) - start:,} bytes after the last pickle are not understood",
                    start,
                )  # fmt: skip
            )
            return INCOMPLETE
        return verdict

    def _judge(self, start: int) -> tuple[str, int]:
        """Judge one pickle; returns its verdict, and where the next would start (`start` where that is unknown)."""
        limits = self.policy.limits
        reader = Reader(self.data, start, integer_digits=limits.integer_digits)
        verifier = Verifier(reader, self.policy.data, limits, Options(scanning=True))
        stop = start
        verdict = PASS
        try:
            verifier.run()
            stop = reader.pos
        except EndOfStream as error:
            verdict = MALFORMED
            self.findings.append(Finding("empty", "error", str(error), start))
        except Forbidden as error:
            verdict = FORBIDDEN
            self.missing.extend(error.missing)
            self._refusals(verifier.refusals)
            stop = reader.pos if verifier.finished else start
        except LimitExceeded as error:
            verdict = FORBIDDEN
            self._broken(error, "limit")
        except MalformedStream as error:
            failed = self.data[reader.at] if reader.at < len(self.data) else 0
            capable = verifier.capable or failed in _CAPABLE
            verdict = MALFORMED if capable else NOT_A_PICKLE
            self._broken(error, "malformed")
        except (MemoryError, RecursionError) as error:
            verdict = INCOMPLETE
            self.findings.append(
                Finding("limit", "warning", f"judging this pickle raised {type(error).__name__}", start)
            )
        if stop > start:
            self.claimed += stop - start
        self.members.append(Member(start, stop, verifier.opcodes, verdict))
        self._collect(verifier)
        return verdict, stop

    def _broken(self, error: StreamError, rule: str) -> None:
        self.findings.append(Finding(rule, "error", escape(str(error), 500), error.position, error.opcode))

    def _refusals(self, refusals: Iterable[sym.Refusal]) -> None:
        for refusal in refusals:
            self.findings.append(
                Finding(
                    rule_of(refusal),
                    "error",
                    refusal.message,
                    refusal.position,
                    refusal.opcode,
                    refusal.module,
                    refusal.name,
                    refusal.verb,
                    refusal.path,
                )  # fmt: skip
            )

    def _collect(self, verifier: Verifier) -> None:
        for symbol in verifier.globals.values():
            if not symbol.uses:
                continue
            known = self.capabilities.get((symbol.module, symbol.name))
            uses = dict(known.uses) if known else {}
            for verb, count in symbol.uses.items():
                uses[verb] = uses.get(verb, 0) + count
            ordered = tuple((verb, uses[verb]) for verb in VERBS if verb in uses)
            self.capabilities[symbol.module, symbol.name] = Capability(
                symbol.module, symbol.name, ordered, symbol.listed
            )


def _could_be_imported(refusal: sym.Refusal) -> bool:
    if refusal.module is None or refusal.name is None:
        return False
    return all(part.isidentifier() for part in f"{refusal.module}.{refusal.name}".split("."))


def rule_of(refusal: sym.Refusal) -> str:
    """Which of the report's rules a refusal falls under."""
    if refusal.reason.startswith("accept:") or refusal.reason.startswith("persistent:"):
        return "not-accepted"
    if not refusal.reason and refusal.verb in (REFER, *VERBS):
        return "not-granted"
    return "condition" if "grant with conditions" in refusal.reason else "provenance"
