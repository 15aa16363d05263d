"""Judges a source without importing anything it names: the verifier over every pickle in it, with an account of bytes.

Rules:

* The same reader and verifier as the loader, so a pass here is no refusal there.
* Every byte is claimed by a pickle or a container, or reported; what was not understood makes the scan incomplete,
  never a pass.
* A container is told by content.  Where a source can be read in more than one way, it is judged in every one of them.
* A string may hold a pickle: it is judged as one, and so is a pickle in a string of that one.
* A large source is read in windows, past its payloads; what comes out of decompression is bounded.
* A bad stream never makes it raise: it becomes a finding.  Only unusable arguments raise.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any, Final, NamedTuple

from safepickle import symbols as sym
from safepickle.containers import HEAD, Kind, kinds, kinds_by_end
from safepickle.containers.source import (
    ANY,
    DATA,
    Budget,
    BytesSource,
    Claim,
    ContainerError,
    Exhausted,
    FileSource,
    Found,
    Problem,
    Slice,
    Source,
    Unpacked,
)
from safepickle.errors import (
    EndOfStream,
    Forbidden,
    LimitExceeded,
    MalformedStream,
    MissingGrant,
    StreamError,
    escape,
)
from safepickle.limits import UNPACKED_ALLOWANCE, UNPACKED_PER_BYTE
from safepickle.opcodes import BY_NAME
from safepickle.policy import Policy, resolve_policy
from safepickle.policy.model import REFER, VERBS
from safepickle.reader import LARGE, Reader, frozen_input
from safepickle.report import (
    FORBIDDEN,
    INCOMPLETE,
    MALFORMED,
    NOT_A_PICKLE,
    PASS,
    RULES,
    Capability,
    Finding,
    Member,
    Report,
)
from safepickle.verifier import Options, Verifier
from safepickle.windows import WindowReader

__all__ = ["scan"]

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
#: Files and streams up to this size are read as a whole; larger ones in windows, past their payloads.
_WHOLE: Final = 1 << 20
#: Of a payload that is passed over, and of what is no pickle, so much is searched for pickles: whoever loads one from a
#: byte string loads from where it begins.
_SEARCHED: Final = 1 << 20
_OVERLAP: Final = 64
#: Opcodes of a stream that came out of decompression are kept up to so many bytes, and 16 for each byte of the source.
_ROOM: Final = 64 << 20
_ROOM_PER_BYTE: Final = 16


def scan(source: Any, *, policy: Any = None) -> Report:
    """Judge everything in `source`, importing and running nothing.

    `source` is a bytes-like object, a path (str or PathLike) or a binary file, which is read to its end.  `policy` is
    what `loads` takes; None means the union of all packaged policies.  Raises PolicyError for a bad policy, TypeError
    for a source of another kind, and OSError for a file that cannot be read.
    """
    chosen = _packaged() if policy is None else resolve_policy(policy)
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size > _WHOLE:
                return _Scan(os.fsdecode(source), FileSource(file), chosen, _Hash(source, file)).report()
            data = _read_all(file)
        return _Scan(os.fsdecode(source), BytesSource(data), chosen).report()
    if callable(getattr(source, "read", None)):
        data = source.read()
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"the file's read() gave {type(data).__name__}, not bytes: open it in binary mode")
        return _Scan(None, BytesSource(bytes(data)), chosen).report()
    return _Scan(None, BytesSource(frozen_input(source)), chosen).report()


@cache
def _packaged() -> Policy:
    union = Policy.named("plain")
    for name in Policy.names():
        union |= Policy.named(name)
    return union


_digests: dict[int, tuple[Policy, str]] = {}


def _digest(policy: Policy) -> str:
    """The policy's digest, which takes longer to compute than a small file to scan."""
    known = _digests.get(id(policy))
    if known is None or known[0] is not policy:
        if len(_digests) > 16:
            _digests.clear()
        known = _digests[id(policy)] = policy, policy.digest
    return known[1]


def _read_all(file: Any) -> bytes:
    data: bytes = file.read(_WHOLE + 1)
    if len(data) <= _WHOLE:
        rest = file.read(1)  # most files end here; others grow meanwhile, or are no regular ones
        if not rest:
            return data
        data += rest
    return data + b"".join(iter(lambda: file.read(_WHOLE), b""))


class _Hash:
    """The hash of a large file, for whoever asks for it once the scan is over."""

    def __init__(self, path: str | os.PathLike[str], file: Any) -> None:
        self._path = os.path.abspath(path)
        self._stamp = _stamp(file)
        self._known: str | None = None

    def __call__(self) -> str:
        if self._known is None:
            import hashlib

            with open(self._path, "rb") as file:
                if _stamp(file) != self._stamp:
                    raise OSError(f"{self._path} has changed since it was scanned")
                self._known = hashlib.file_digest(file, "sha256").hexdigest()
        return self._known


def _stamp(file: Any) -> tuple[int, int, int, int]:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class _Part(NamedTuple):
    """A stream to be judged: the source itself, or something in it."""

    name: str  # empty for the source itself
    source: Source
    depth: int = 0  # containers around it
    holds: str = ANY

    def is_unpacked(self) -> bool:
        """Whether its bytes came out of decompression."""
        source = self.source
        return isinstance(source.source if isinstance(source, Slice) else source, Unpacked)

    def inside(self, name: str, source: Source, holds: str = ANY) -> _Part:
        """A stream within this one."""
        joined = f"{self.name}!/{name}" if self.name and name else self.name or name
        return _Part(joined, source, self.depth + 1, holds)


class _Scan:
    """One source being judged."""

    def __init__(self, name: str | None, source: Source, policy: Policy, hashed: _Hash | None = None) -> None:
        self.name = name
        self.source = source
        self.policy = policy
        self.hashed = hashed
        self.limits = policy.limits
        self.findings: list[Finding] = []
        self.members: list[Member] = []
        self.missing: list[MissingGrant] = []
        self.capabilities: dict[tuple[str, str], Capability] = {}
        size = source.size
        unpacked = self.limits.unpacked
        self.budget = Budget(
            size,
            unpacked=UNPACKED_ALLOWANCE + UNPACKED_PER_BYTE * size if unpacked is None else unpacked,
            members=self.limits.members,
            nested=self.limits.nested,
        )
        self.nested_work = _LEAST_NESTED_WORK + size
        self.nested_found = 0

    def report(self) -> Report:
        """Judge the whole source."""
        verdict, claimed = self._visit(_Part("", self.source))
        return Report(
            self.name, verdict, tuple(self.findings), tuple(self.capabilities.values()), tuple(self.members),
            tuple(dict.fromkeys(self.missing)), self.source.size, claimed, self.hashed or self._hash(),
            _digest(self.policy),
        )  # fmt: skip

    def _hash(self) -> str:
        import hashlib

        return hashlib.sha256(self.source.whole()).hexdigest()

    # -- One stream, whatever it is ------------------------------------------------------------------------------------

    def _visit(self, part: _Part) -> tuple[str, int]:
        """Judge a stream; returns its verdict and how many of its bytes are accounted for."""
        source = part.source
        head = source.read(0, HEAD)
        found = kinds(head)
        if isinstance(source, Unpacked) and found:
            source.finish()  # containers need to know the size
        read = [(kind, outcome) for kind in found if (outcome := self._container(part, kind)) is not None]
        if not read:
            outcomes = [self._raw(part)]
        else:
            source.meant = True
            outcomes = [outcome for _, outcome in read]
            outcomes.append((self._also_a_pickle(part), 0))
        if isinstance(source, Unpacked):
            source.finish()
        if not any(kind.name == "zip" for kind, _ in read):
            outcomes += [o for kind in kinds_by_end(source) if (o := self._container(part, kind)) is not None]
        return _worst(verdict for verdict, _ in outcomes), max(claimed for _, claimed in outcomes)

    def _container(self, part: _Part, kind: Kind) -> tuple[str, int] | None:
        """Judge what is in a container; None where it is none of that kind after all."""
        if part.depth >= self.limits.nested:
            self._problem(part, Problem("unpack-limit", f"containers are nested deeper than {self.limits.nested}", 0))
            return INCOMPLETE, 0
        marks = len(self.findings), len(self.members), len(self.missing)
        claims: list[tuple[int, int]] = []
        verdicts = [NOT_A_PICKLE]
        try:
            verdicts.extend(self._item(part, item, claims) for item in kind.open(part.source, self.budget))
        except Exhausted as error:
            verdicts.append(self._problem(part, Problem("unpack-limit", f"{kind.name}: {error}")))
            return _worst(verdicts), 0
        except ContainerError as error:
            if not claims and (not kind.sure or self._is_a_pickle(part)):
                del self.findings[marks[0] :], self.members[marks[1] :], self.missing[marks[2] :]
                return None
            verdicts.append(self._problem(part, Problem("container", str(error), 0)))
        else:
            verdicts += self._gaps(part, claims)
        return _worst(verdicts), _covered(claims)

    def _item(self, part: _Part, item: Found, claims: list[tuple[int, int]]) -> str:
        if isinstance(item, Claim):
            claims.append((item.start, item.stop))
            return NOT_A_PICKLE
        if isinstance(item, Problem):
            return self._problem(part, item)
        if item.start is not None:
            claims.append((item.start, item.stop))
        if item.holds == DATA:
            return PASS
        return self._visit(part.inside(item.name, item.source, item.holds))[0]

    def _gaps(self, part: _Part, claims: list[tuple[int, int]]) -> Iterator[str]:
        """Judge what no structure and no member claims."""
        at = 0
        for start, stop in [*sorted(claims), (part.source.size, part.source.size)]:
            if start > at and not _is_zero(part.source, at, start):
                yield self._gap(part, at, start)
            at = max(at, stop)

    def _gap(self, part: _Part, start: int, stop: int) -> str:
        self.budget.member()
        inner = part.inside(f"bytes {start}-{stop}", Slice(part.source, start, stop))
        verdict = self._visit(inner)[0]
        if verdict != NOT_A_PICKLE:
            return verdict
        message = f"{stop - start:,} bytes between, before or behind the members are not understood"
        return self._problem(part, Problem("trailing-data", message, start))

    def _problem(self, part: _Part, problem: Problem) -> str:
        rule = RULES[problem.rule]
        name = part.inside(problem.member, part.source).name
        self.findings.append(
            Finding(problem.rule, rule.severity, escape(problem.message, 500), problem.position, member=name or None)
        )
        return rule.verdict

    # -- Pickles in a row ----------------------------------------------------------------------------------------------

    def _raw(self, part: _Part) -> tuple[str, int]:
        """Judge a stream as pickles, one behind the other."""
        source = part.source
        data = _whole(part)
        row = _Row(part, data, len(self.findings), len(self.members))
        claimed = start = 0
        verdicts: list[str] = []
        while True:
            verdict, stop = self._judge(row, start)
            if start and verdict in (MALFORMED, NOT_A_PICKLE):
                verdict, stop = self._trailing(part, start, verdict)
            verdicts.append(verdict)
            claimed += stop - start
            if stop <= start or not source.has(stop + 1) or len(self.members) - row.members >= _MOST_MEMBERS:
                break
            start = stop
        source.meant = claimed > 0
        if isinstance(source, Unpacked):
            source.finish()
        if verdicts == [NOT_A_PICKLE]:
            verdict = NOT_A_PICKLE
            if part.depth:  # what is no pickle is nothing to report in a container that holds other things too
                del self.findings[row.findings :], self.members[row.members :]
        else:
            if claimed < source.size and verdicts[-1] == PASS:
                verdicts.append(INCOMPLETE)
            verdict = _worst(verdicts)
        return self._embedded(row, verdict), claimed

    def _trailing(self, part: _Part, start: int, verdict: str) -> tuple[str, int]:
        """What follows a pickle and is none: a container, rubbish, or a stream that was broken on purpose."""
        size = part.source.size
        rest = Slice(part.source, start, size)
        if kinds(rest.read(0, HEAD)):
            del self.findings[-1], self.members[-1]
            inner, claimed = self._visit(part.inside(f"bytes {start}-{size}", rest))
            if inner != NOT_A_PICKLE:
                return inner, start + claimed
        elif verdict == NOT_A_PICKLE:
            del self.findings[-1]
        else:
            return verdict, start
        message = f"{size - start:,} bytes after the last pickle are not understood"
        return self._problem(part, Problem("trailing-data", message, start)), start

    def _judge(self, row: _Row, start: int) -> tuple[str, int]:
        """Judge one pickle; returns its verdict, and where the next would start (`start` where that is unknown)."""
        reader = self._reader(row, start)
        verifier = Verifier(reader, self.policy.data, self.limits, Options(scanning=True))
        base = start if row.data is None else 0
        stop = start
        verdict = PASS
        try:
            verifier.run()
            stop = start + reader.consumed
        except EndOfStream as error:
            verdict = MALFORMED if not row.part.depth else NOT_A_PICKLE
            self.findings.append(Finding("empty", "error", str(error), start, member=row.part.name or None))
        except Forbidden as error:
            verdict = FORBIDDEN
            self.missing.extend(error.missing)
            self._refusals(verifier.refusals, row.part, base)
            stop = start + reader.consumed if verifier.finished else start
        except LimitExceeded as error:
            verdict = FORBIDDEN
            self._broken(error, "limit", row.part, base)
        except MalformedStream as error:
            verdict = self._malformed(row, reader, verifier)
            self._broken(error, "malformed", row.part, base)
        except (MemoryError, RecursionError) as error:
            verdict = INCOMPLETE
            self.findings.append(
                Finding("limit", "warning", f"judging this pickle raised {type(error).__name__}", start)
            )
        if isinstance(reader, WindowReader):
            row.payloads += reader.payloads
        self.members.append(Member(start, stop, verifier.opcodes, verdict, row.part.name))
        self._collect(verifier)
        return verdict, stop

    def _reader(self, row: _Row, start: int) -> Reader:
        if row.data is not None:
            return Reader(row.data, start, integer_digits=self.limits.integer_digits)
        room = _ROOM + _ROOM_PER_BYTE * self.budget.outer if row.part.is_unpacked() else None
        return WindowReader(row.part.source, start, integer_digits=self.limits.integer_digits, room=room)

    def _malformed(self, row: _Row, reader: Reader, verifier: Verifier) -> str:
        """Whether what broke off was a pickle, or only happens to begin like one."""
        if isinstance(reader, WindowReader) and reader.failure is not None:
            return INCOMPLETE
        failed = reader.data[reader.at] if reader.at < len(reader.data) else 0
        if not verifier.capable and failed not in _CAPABLE:
            return NOT_A_PICKLE
        if row.part.depth and reader.data[:1] != b"\x80" and not any(map(_is_a_name, verifier.globals)):
            return NOT_A_PICKLE  # in a container are tensors and texts, of which many begin like some opcode
        return MALFORMED

    def _broken(self, error: StreamError, rule: str, part: _Part, base: int) -> None:
        position = None if error.position is None else error.position + base
        self.findings.append(
            Finding(rule, "error", escape(str(error), 500), position, error.opcode, member=part.name or None)
        )

    def _refusals(self, refusals: Iterable[sym.Refusal], part: _Part, base: int) -> None:
        for refusal in refusals:
            self.findings.append(
                Finding(
                    _rule(refusal),
                    "error",
                    refusal.message,
                    refusal.position + base,
                    refusal.opcode,
                    refusal.module,
                    refusal.name,
                    refusal.verb,
                    refusal.path,
                    part.name or None,
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

    # -- Pickles where none is expected --------------------------------------------------------------------------------

    def _is_a_pickle(self, part: _Part) -> bool:
        """Whether all of a stream is one pickle, granted or not: one may begin with what is also a magic number."""
        reader = self._reader(_Row(part, _whole(part)), 0)
        verifier = Verifier(reader, self.policy.data, self.limits, Options(scanning=True))
        with suppress(StreamError, MemoryError, RecursionError):
            verifier.run()
        return verifier.finished and reader.consumed == part.source.size

    def _also_a_pickle(self, part: _Part) -> str:
        """What a container asks for where it is loaded as the pickle that it begins like."""
        return self._hidden(_Row(part, _whole(part)), 0)

    def _hidden(self, row: _Row, start: int) -> str:
        """Judge what only looks like a pickle: told from chance by names that could be imported."""
        reader = self._reader(row, start)
        verifier = Verifier(reader, self.policy.data, self.limits, Options(scanning=True))
        with suppress(StreamError, MemoryError, RecursionError):
            verifier.run()
        self.nested_work -= verifier.opcodes + 1
        refusals = [refusal for refusal in verifier.refusals if _could_be_imported(refusal)]
        if not refusals:
            return NOT_A_PICKLE
        self.nested_found += 1
        self.members.append(Member(start, start + reader.consumed, verifier.opcodes, FORBIDDEN, row.part.name))
        self._refusals(refusals, row.part, start if row.data is None else 0)
        self._collect(verifier)
        return FORBIDDEN

    def _embedded(self, row: _Row, verdict: str) -> str:
        """Judge pickles inside the strings of pickles too: whoever loads the outer one may load them.

        Looked for is a PROTO followed by what can follow it.  What begins like a pickle by chance is told from one by
        its names: a finding needs a global that a module could have.
        """
        starts = {member.start for member in self.members[row.members :]}
        for start in self._candidates(row, verdict):
            if start in starts:
                continue
            if self.nested_work <= 0 or self.nested_found > self.limits.nested:
                self.findings.append(Finding("limit", "warning", "more embedded pickles than are followed", start))
                return _worst((verdict, INCOMPLETE))
            verdict = _worst((verdict, self._hidden(row, start)))
        return verdict

    def _candidates(self, row: _Row, verdict: str) -> Iterator[int]:
        if row.data is not None:
            yield from (match.start() for match in _NESTED.finditer(row.data))
            return
        source = row.part.source
        at = 0
        until = _SEARCHED if verdict == NOT_A_PICKLE else source.size
        if verdict == NOT_A_PICKLE and row.part.depth:
            until = LARGE
        for place, size in [*row.payloads, (until, 0)]:
            stop = min(place + _SEARCHED, until)
            while at < stop:
                count = min(_SEARCHED, stop - at)
                data = source.read(at, count + _OVERLAP)
                yield from (at + match.start() for match in _NESTED.finditer(data) if match.start() < count)
                at += count
            at = max(at, min(place + size, until))


class _Row:
    """A stream being judged as pickles in a row, and where the report stood before."""

    __slots__ = ("data", "findings", "members", "part", "payloads")

    def __init__(self, part: _Part, data: bytes | None, findings: int = 0, members: int = 0) -> None:
        self.part = part
        self.data = data  # all of it, where it is small or in memory anyway
        self.findings = findings
        self.members = members
        self.payloads: list[tuple[int, int]] = []  # where in the source lies what was passed over


def _whole(part: _Part) -> bytes | None:
    source = part.source
    if isinstance(source, BytesSource):
        return source.data
    most = LARGE if part.depth else _WHOLE
    if isinstance(source, Unpacked):
        data = source.read(0, most + 1)
        return data if len(data) <= most and source.failure is None else None
    return source.whole() if source.size <= most else None


def _is_zero(source: Source, start: int, stop: int) -> bool:
    while start < stop:
        data = source.read(start, min(_SEARCHED, stop - start))
        if not data or data.strip(b"\0"):
            return not data
        start += len(data)
    return True


def _covered(claims: list[tuple[int, int]]) -> int:
    total = at = 0
    for start, stop in sorted(claims):
        total += max(0, stop - max(start, at))
        at = max(at, stop)
    return total


def _worst(verdicts: Iterable[str]) -> str:
    found = set(verdicts)
    return next((verdict for verdict in _SEVERITY_ORDER if verdict in found), NOT_A_PICKLE)


def _is_a_name(name: tuple[str, str]) -> bool:
    return all(part.isidentifier() for part in f"{name[0]}.{name[1]}".split("."))


def _could_be_imported(refusal: sym.Refusal) -> bool:
    return refusal.module is not None and refusal.name is not None and _is_a_name((refusal.module, refusal.name))


def _rule(refusal: sym.Refusal) -> str:
    if refusal.reason.startswith("accept:") or refusal.reason.startswith("persistent:"):
        return "not-accepted"
    if not refusal.reason and refusal.verb in (REFER, *VERBS):
        return "not-granted"
    return "condition" if "grant with conditions" in refusal.reason else "provenance"
