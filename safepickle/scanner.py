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
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, Final, NamedTuple

from safepickle import symbols as sym
from safepickle.build import VERSION
from safepickle.capabilities import Ledger, graded
from safepickle.containers import HEAD, Kind, kinds, kinds_by_end, kinds_otherwise
from safepickle.containers.source import (
    ANY,
    DATA,
    MAYBE,
    PICKLE,
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
from safepickle.expansion import FEW_SHARED, is_excessive
from safepickle.layouts import (
    TORCH_PICKLES,
    TORCH_TAR_MEMBERS,
    Arrays,
    begins_torch,
    storages,
    tar_data,
    wraps_arrays,
)
from safepickle.limits import (
    UNPACKED_ALLOWANCE,
    UNPACKED_OPCODES_ALLOWANCE,
    UNPACKED_OPCODES_PER_BYTE,
    UNPACKED_PER_BYTE,
)
from safepickle.members import MemberLog, Places
from safepickle.opcodes import BY_CODE, BY_NAME, INST, PERSID, STRING, TABLE
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
    Finding,
    Member,
    Report,
)
from safepickle.rows import Walk
from safepickle.verifier import Options, Verifier
from safepickle.windows import LOOKED_AT, WindowReader

__all__ = ["changed", "packaged", "packaged_digest", "scan"]

_SEVERITY_ORDER: Final = (FORBIDDEN, MALFORMED, INCOMPLETE, PASS)
#: Opcodes that can import, call, build or ask the application for an object.
_CAPABLE: Final = frozenset(
    BY_NAME[name].code
    for name in (
        "GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "REDUCE", "BUILD", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4",
        "PERSID", "BINPERSID",
    )
)  # fmt: skip
#: Those of them that need nothing on the stack.
_WITH_ARGUMENTS: Final = frozenset(code for code in _CAPABLE if not BY_CODE[code].before)
_MOST_MEMBERS: Final = 1_000_000
#: Of a file; a row of pickles ends with the one whose findings come to more.
_MOST_FINDINGS: Final = 20_000
#: A PROTO, and an opcode that a pickle can begin with.
_BEGINNINGS: Final = bytes(row.code for row in TABLE if not row.before and "GET" not in row.name and row.name != "STOP")
_NESTED: Final = re.compile(rb"\x80[\x02-\x05](?=[%s])" % re.escape(_BEGINNINGS))
_BEHIND: Final = 2  # bytes of it that stand behind its first one
#: Opcodes of pickles inside pickles that are judged whatever the length of the source.
_LEAST_NESTED_WORK: Final = 100_000
#: Files and streams up to this size are read as a whole; larger ones in windows, past their payloads.
_WHOLE: Final = 1 << 20
#: A pipe, a device, and a file that grows, say that they are small, and go on: so many such parts are read of one.
_MOST_PIECES: Final = 256
#: Of a member of a container that is no pickle, so much is searched for pickles: tensors are not read.  So much of what
#: is somewhere else is looked at twice.
_SEARCHED: Final = 64 * 1024
#: What judging a pickle costs beside its opcodes, in bytes of them; charged where a row of pickles was packed.
_LEAST_CHARGED: Final = 64
#: So much is kept of what a container is as a pickle: a line that its first bytes begin may be all of it.
_ALSO: Final = 1 << 20
_BLOCK: Final = 512  # of dbm.dumb's files
#: Pickles of a row that turned out to be more than data: from then on no other one is expected to be just that.
_PATIENCE: Final = 8
_OPTIONS: Final = Options(scanning=True)


def scan(source: Any, *, policy: Any = None) -> Report:
    """Judge everything in `source`, importing and running nothing.

    `source` is a bytes-like object, a path (str or PathLike), a URL (str), or a binary file, which is read to its end.
    `policy` is what `loads` takes; None means the union of all packaged policies.  Raises PolicyError for a bad policy,
    TypeError for a source of another kind, and OSError for a file that cannot be read.
    """
    return watched(source, policy=policy)


class Judged(NamedTuple):
    """One pickle that a scan has judged."""

    member: Member
    source: Source  # the stream in which it stands
    reader: Reader  # can be made to read it again
    verifier: Verifier
    findings: tuple[Finding, ...]


class _How(NamedTuple):
    """What a scan is asked for beside a report."""

    watch: Callable[[Judged], None] | None = None
    is_packaged: bool = False  # no policy was given: then names of which nothing is known are called so


def watched(source: Any, *, policy: Any = None, watch: Callable[[Judged], None] | None = None) -> Report:
    """As `scan`; `watch` is shown every pickle as it is judged, also those that are no member of the report at last.

    A pickle that is read in two ways is shown twice.
    """
    chosen = packaged() if policy is None else resolve_policy(policy)
    how = _How(watch, policy is None)
    if isinstance(source, str) and "://" in source:
        from safepickle.remote import is_url

        if is_url(source):
            return _scan_remote(source, chosen, how)
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size > _WHOLE:
                hashed = _Hash(source, file)
                report = _Scan(os.fsdecode(source), FileSource(file), chosen, hashed, how=how).report()
                return report if hashed.is_current(file) else changed(report)
            data = _read_all(file)
        return _Scan(os.fsdecode(source), BytesSource(data), chosen, how=how).report()
    if callable(getattr(source, "read", None)):
        data = source.read()
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"the file's read() gave {type(data).__name__}, not bytes: open it in binary mode")
        return _Scan(None, BytesSource(bytes(data)), chosen, how=how).report()
    return _Scan(None, BytesSource(frozen_input(source)), chosen, how=how).report()


def _scan_remote(url: str, policy: Policy, how: _How) -> Report:
    from safepickle.remote import RemoteError, open_remote

    source = open_remote(url)
    judging = _Scan(url, source, policy, _not_hashed, how)
    try:
        report = judging.report()
        return report if source.is_current() else changed(report)
    except RemoteError as error:
        verdict = judging._problem(_Part("", source), Problem("unreadable", str(error)))  # noqa: SLF001 - it is ours
        return judging.told(_worst((verdict, *(RULES[found.rule].verdict for found in judging.findings))), 0)


def _not_hashed() -> str:
    return ""  # nobody has read all of it


@cache
def _names() -> tuple[str, ...]:
    return Policy.names()


@cache
def packaged() -> Policy:
    """The union of all packaged policies."""
    union = Policy.named("plain")
    for name in _names():
        union |= Policy.named(name)
    return union


@cache
def packaged_digest() -> str:
    """What stands in reports for the digest of that union, all of which would have to be read for its own.

    It changes with every byte of the files that were read, and with the version that reads them, so at least whenever
    what they say does.
    """
    import json
    from hashlib import sha256

    from safepickle.policy.packaged import contents

    files = [[name, sha256(content).hexdigest()] for name, content in sorted(contents(_names()).items())]
    words = ["all packaged policies", VERSION, Policy.named("plain").digest, files]
    return sha256(json.dumps(words).encode()).hexdigest()


def _read_all(file: Any) -> bytes:
    data: bytes = file.read(_WHOLE + 1)
    if len(data) <= _WHOLE:
        rest = file.read(1)  # most files end here; others grow meanwhile, or are no regular ones
        if not rest:
            return data
        data += rest
    pieces = [data]
    for piece in iter(lambda: file.read(_WHOLE), b""):
        pieces.append(piece)
        if len(pieces) > _MOST_PIECES:
            raise OSError("it does not end, or is no regular file: save it, and scan what was saved")
    return b"".join(pieces)


class _Hash:
    """The hash of a large file, for whoever asks for it once the scan is over."""

    def __init__(self, path: str | os.PathLike[str], file: Any) -> None:
        self._path = os.path.abspath(path)
        self._stamp = _stamp(file)
        self._known: str | None = None

    def is_current(self, file: Any) -> bool:
        """Whether the open file is as it was."""
        return _stamp(file) == self._stamp

    def __call__(self) -> str:
        if self._known is None:
            import hashlib

            with open(self._path, "rb") as file:
                if not self.is_current(file):
                    raise OSError(f"{self._path} has changed since it was scanned")
                self._known = hashlib.file_digest(file, "sha256").hexdigest()
        return self._known


def changed(report: Report) -> Report:
    """The report on a file that has changed while it was read: other bytes may have been judged than are there."""
    finding = Finding("unreadable", "warning", "the file has changed while it was scanned")
    verdict = _worst((report.verdict, INCOMPLETE))
    return report._replace(verdict=verdict, findings=(*report.findings, finding))


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


_JUDGING: Final = _How()


class _Scan:
    """One source being judged."""

    def __init__(
        self,
        name: str | None,
        source: Source,
        policy: Policy,
        hashed: Callable[[], str] | None = None,
        how: _How = _JUDGING,
    ) -> None:
        self.name = name
        self.how = how
        self.source = source
        self.policy = policy
        self.hashed = hashed
        self.limits = policy.limits
        self.findings: list[Finding] = []
        self.members = MemberLog()
        self.missing: list[MissingGrant] = []
        self.capabilities = Ledger()
        size = source.size
        unpacked, opcodes = self.limits.unpacked, self.limits.unpacked_opcodes
        self.budget = Budget(
            size=size,
            unpacked=UNPACKED_ALLOWANCE + UNPACKED_PER_BYTE * size if unpacked is None else unpacked,
            opcodes=UNPACKED_OPCODES_ALLOWANCE + UNPACKED_OPCODES_PER_BYTE * size if opcodes is None else opcodes,
            members=self.limits.members,
        )
        self.nested_work = _LEAST_NESTED_WORK + size
        self.nested_found = 0
        self.arrays_deep = 0

    def report(self) -> Report:
        """Judge the whole source."""
        return self.told(*self._visit(_Part("", self.source)))

    def told(self, verdict: str, claimed: int) -> Report:
        """The report with this verdict, and so many bytes accounted for."""
        capabilities = self.capabilities.all()
        return Report(
            self.name, verdict, graded(self.findings, capabilities, unknown=self.how.is_packaged), capabilities,
            self.members.closed(),
            tuple(dict.fromkeys(self.missing)), self.source.size, claimed, self.hashed or self._hash(),
            packaged_digest if self.how.is_packaged else self.policy,
        )  # fmt: skip

    def _hash(self) -> str:
        import hashlib

        return hashlib.sha256(self.source.whole()).hexdigest()

    # -- One stream, whatever it is ------------------------------------------------------------------------------------

    def _visit(self, part: _Part) -> tuple[str, int]:
        """Judge a stream; returns its verdict and how many of its bytes are accounted for."""
        source = part.source
        head = source.read(0, HEAD)
        if isinstance(source, Unpacked):
            source.has(_WHOLE)  # small ones are known as a whole then
        found = kinds(source, head)
        if isinstance(source, Unpacked) and found:
            source.finish()  # containers need to know the size
        also = self._also_a_pickle(part) if found else NOT_A_PICKLE
        read = [(kind, outcome) for kind in found if (outcome := self._container(part, kind)) is not None]
        marks = _Marks(self)
        if not read:
            outcomes = [self._raw(part)]
        else:
            source.meant = True
            outcomes = [*(outcome for _, outcome in read), (also, 0)]
        if isinstance(source, Unpacked):
            source.finish()
        if not any(kind.sure and claimed == source.size for kind, (_, claimed) in read):
            outcomes += self._by_its_end(part, outcomes, marks)
        if not part.depth and _worst(verdict for verdict, _ in outcomes) == NOT_A_PICKLE:
            outcomes += self._otherwise(part, kinds_otherwise(source, head))
        return _worst(verdict for verdict, _ in outcomes), max(claimed for _, claimed in outcomes)

    def _by_its_end(self, part: _Part, outcomes: list[tuple[str, int]], marks: _Marks) -> list[tuple[str, int]]:
        """Judge what is told by its end: something else may stand before it, or be all of the rest."""
        found = kinds_by_end(part.source)
        if not found:
            return []
        alone = not any(claimed for _, claimed in outcomes)
        said = marks.cut() if _worst(verdict for verdict, _ in outcomes) == NOT_A_PICKLE else None
        read = [self._container(part, kind, gaps=alone) for kind in found]
        if said is not None and not any(read):
            said.put_back()  # what it is not matters only where it is nothing else
        return [outcome for outcome in read if outcome is not None]

    def _otherwise(self, part: _Part, found: list[Kind]) -> Iterator[tuple[str, int]]:
        """Judge what nothing else is; that it may be something harmless says nothing of it."""
        for kind in found:
            marks = _Marks(self)
            outcome = self._container(part, kind)
            if outcome is not None and outcome[0] in (PASS, NOT_A_PICKLE):
                marks.cut()
            elif outcome is not None:
                yield outcome

    def _container(self, part: _Part, kind: Kind, *, gaps: bool = True) -> tuple[str, int] | None:
        """Judge what is in a container; None where it is none of that kind after all."""
        if part.depth >= self.limits.nested:
            self._problem(part, Problem("unpack-limit", f"containers are nested deeper than {self.limits.nested}", 0))
            return INCOMPLETE, 0
        marks = _Marks(self)
        claims: list[tuple[int, int]] = []
        verdicts = [NOT_A_PICKLE]
        try:
            verdicts.extend(self._item(part, item, claims) for item in kind.open(part.source, self.budget))
        except Exhausted as error:
            verdicts.append(self._problem(part, Problem("unpack-limit", f"{kind.name}: {error}")))
            return _worst(verdicts), 0
        except ContainerError as error:
            if not kind.sure or (not claims and self._is_a_pickle(part)):
                marks.cut()
                return None
            verdicts.append(self._problem(part, Problem("container", str(error), 0)))
        else:
            if gaps:
                verdicts += self._bounded_gaps(part, kind, claims)
        return _worst(verdicts), _covered(claims, part.source.size)

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
        self.budget.look(item.source)
        return self._visit(part.inside(item.name, item.source, item.holds))[0]

    def _bounded_gaps(self, part: _Part, kind: Kind, claims: list[tuple[int, int]]) -> Iterator[str]:
        try:
            yield from self._gaps(part, claims)
        except Exhausted as error:
            yield self._problem(part, Problem("unpack-limit", f"{kind.name}: {error}"))

    def _gaps(self, part: _Part, claims: list[tuple[int, int]]) -> Iterator[str]:
        """Judge what no structure and no member claims."""
        at = 0
        size = part.source.size
        for begin, stop in [*sorted(claims), (size, size)]:
            start = min(begin, size)  # a directory may point anywhere
            if start > at:
                first = _after_zeros(part.source, at, start)
                verdict = NOT_A_PICKLE if first == start else self._gap(part, first, start)
                claims.append((at, start if first == start or verdict != INCOMPLETE else first))
                yield verdict
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
        row.is_torch = begins_torch(source.read(0, 64))
        claimed = start = 0
        unread: int | None = None  # where no pickle of the row was read any more, though a container may claim it
        verdicts: list[str] = []
        while True:
            marks = _Marks(self, row)
            stop = self._mere_data(row, start)
            verdict, stop = (PASS, stop) if stop > start else self._judge(row, start)
            if start and verdict in (MALFORMED, NOT_A_PICKLE):
                verdict, stop = self._trailing(part, start, verdict, marks)
                unread = start if unread is None else unread
            verdicts.append(verdict)
            if row.follows and stop > start:
                stop = tar_data(row.verifiers[-1], source, stop)
            if row.is_torch and stop > start and len(verdicts) == TORCH_PICKLES:
                stop = storages(row.verifiers[0], row.verifiers[1], source, stop) or stop
            if stop > start:
                stop = self._padding(source, stop)
            claimed += stop - start
            if stop <= start or not source.has(stop + 1) or len(self.members) - row.members >= _MOST_MEMBERS:
                break
            if len(self.findings) >= _MOST_FINDINGS:
                message = f"there are more than {_MOST_FINDINGS:,} findings: pickles from here on are not followed"
                verdicts.append(self._problem(part, Problem("unpack-limit", message, stop)))
                break
            start = stop
        source.meant = verdicts != [NOT_A_PICKLE]
        if isinstance(source, Unpacked):
            source.finish()
        if verdicts == [NOT_A_PICKLE]:
            verdict = NOT_A_PICKLE
            if part.depth:  # what is no pickle is nothing to report in a container that holds other things too
                del self.findings[row.findings :]
                self.members.cut(row.members)
        else:
            if claimed < source.size and verdicts[-1] == PASS:
                message = f"more than {_MOST_MEMBERS:,} pickles in a row are not followed"
                verdicts.append(self._problem(part, Problem("unpack-limit", message, claimed)))
            verdict = _worst(verdicts)
        return self._embedded(row, verdict, claimed if unread is None else unread), claimed

    def _padding(self, source: Source, at: int) -> int:
        """Where the zeros end that follow a pickle up to a block: so `dbm.dumb` lays its values out."""
        block = -at % _BLOCK
        zeros = source.read(at, block + 1)
        if block and not zeros[:block].strip(b"\0") and zeros[block:] not in (b"", b"\0"):
            return at + block
        return at

    def _trailing(self, part: _Part, start: int, verdict: str, marks: _Marks) -> tuple[str, int]:
        """What follows a pickle and is none: a container, rubbish, or a stream that was broken on purpose."""
        size = part.source.size
        rest = Slice(part.source, start, size)
        if any(kind.follows for kind in kinds(rest, rest.read(0, HEAD))):
            marks.cut()
            inner, claimed = self._visit(part.inside(f"bytes {start}-{size}", rest))
            if inner != NOT_A_PICKLE:
                return inner, start + claimed
        elif verdict == NOT_A_PICKLE:
            self.members.extend(marks.cut().members)
        else:
            return verdict, start
        message = f"{size - start:,} bytes after the last pickle are not understood"
        return self._problem(part, Problem("trailing-data", message, start)), start

    def _mere_data(self, row: _Row, start: int) -> int:
        """Judge pickles that are nothing but data, one behind the other, as long as a light pass is sure of them.

        Returns where it left off.  What it was not sure of it leaves as it was, so what it says is what `_judge` says.
        Whoever watches wants to read again what a light pass lets go.
        """
        if row.is_torch or row.follows or not row.patience or (row.data is None and row.part.is_unpacked()):
            return start
        if self.how.watch is not None:
            return start
        # Data has none, and where a pickle in it has, all of it is left to `_judge`.
        capabilities, self.capabilities = self.capabilities, Ledger()
        try:
            return self._light_pass(row, start)
        finally:
            self.capabilities = capabilities

    def _light_pass(self, row: _Row, start: int) -> int:
        """What `_mere_data` does, once it is worth while."""
        reader = self._reader(row, start)
        verifier = Verifier(reader, self.policy.data, self.limits, _OPTIONS)
        first = len(self.members)
        numbers, word = self.members.noting(PASS, row.part.name, max(row.part.source.size, len(row.data or b"")))
        beside = _Beside(self, row, reader) if isinstance(reader, WindowReader) else None
        walk = Walk(verifier, reader, start, None if beside is None else beside.look)
        if beside is not None:
            beside.begin(walk)
        if not walk.run(numbers, word, _MOST_MEMBERS - first + row.members, FEW_SHARED):
            row.patience -= 1
            if beside is not None:
                beside.take_back()
        if beside is not None:
            beside.end()
        if row.data is not None:  # else nobody looks for more than what is inside
            row.starts.follow(self.members.starts(first))
            row.walked.append((start, walk.at, walk.loud))
        if row.part.is_unpacked():
            self.budget.opcodes -= walk.at - start
        return walk.at

    def _judge(self, row: _Row, start: int) -> tuple[str, int]:
        """Judge one pickle; returns its verdict, and where the next would start (`start` where that is unknown)."""
        marks = _Marks(self, row)
        reader = self._reader(row, start)
        verifier = Verifier(reader, self.policy.data, self.limits, _OPTIONS)
        verdict, stop = self._run(row, start, verifier)
        if wraps_arrays(verifier):
            verdict, stop = self._with_arrays(row, start, (verdict, stop), marks)
        if row.is_torch or row.follows:
            row.verifiers.append(verifier)
        return verdict, stop

    def _run(self, row: _Row, start: int, verifier: Verifier) -> tuple[str, int]:
        """Judge one pickle with a verifier that has not run yet."""
        reader = verifier.reader
        base = start if isinstance(reader, WindowReader) else 0
        name = row.part.name or None
        stop = start
        verdict = PASS
        before = len(self.findings)
        try:
            verifier.run()
        except EndOfStream as error:
            verdict = NOT_A_PICKLE if row.part.depth else MALFORMED
            if not isinstance(reader, WindowReader) or reader.failure is None:
                self.findings.append(Finding("empty", "error", str(error), start, member=name))
        except Forbidden as error:
            verdict = NOT_A_PICKLE if self._is_chance(row, verifier) else FORBIDDEN
            if verdict == FORBIDDEN:
                self.missing.extend(error.missing)
                self._refusals(verifier.refusals, row.part, base)
        except LimitExceeded as error:
            verdict = NOT_A_PICKLE if self._is_chance(row, verifier) else FORBIDDEN
            self._broken(error, "limit", row.part, base)
        except MalformedStream as error:
            verdict = self._malformed(row, reader, verifier)
            if not isinstance(reader, WindowReader) or reader.failure is None:
                self._broken(error, "malformed", row.part, base)
        except (MemoryError, RecursionError) as error:
            verdict = INCOMPLETE
            message = f"judging this pickle raised {type(error).__name__}"
            self.findings.append(Finding("limit", "warning", message, start, member=name))
        if verifier.finished:
            stop = start + reader.consumed
        judged = verdict
        self.members.append(Member(start, stop, verifier.opcodes, judged, row.part.name))
        row.starts.add(start)
        self.capabilities.add(verifier)
        verdict = _worst((verdict, *self._look_back(row, start, verifier)))
        if isinstance(reader, WindowReader):
            reader.look = reader.reveal = None  # they know the reader: without them it is gone at once
        if self.how.watch is not None:
            member = Member(start, stop, verifier.opcodes, judged, row.part.name)
            self.how.watch(Judged(member, row.part.source, reader, verifier, tuple(self.findings[before:])))
        return verdict, stop

    def _look_back(self, row: _Row, start: int, verifier: Verifier) -> Iterator[str]:
        """What there is to say of a pickle once it has been read."""
        reader = verifier.reader
        if verifier.finished and is_excessive(verifier.heap, verifier.opcodes, verifier.shared):
            message = "walking through the objects without noticing what they share would hardly ever end"
            yield self._problem(row.part, Problem("expansion", message, start))
        if row.part.is_unpacked():
            self.budget.opcodes -= max(_LEAST_CHARGED, min(len(reader.data), reader.consumed))
        if isinstance(reader, WindowReader):
            if isinstance(reader.failure, Exhausted) and getattr(row.part.source, "failure", None) is None:
                yield self._problem(row.part, Problem("unpack-limit", str(reader.failure)))
            if row.data is None:
                self._search(row, reader.data, reader.where, reader.pos)

    def _with_arrays(self, row: _Row, start: int, plain: tuple[str, int], marks: _Marks) -> tuple[str, int]:
        """Judge once more what joblib reads with arrays between the opcodes, and pickle without.

        A file of joblib's makes no sense to pickle.  What pickle would ask for in it, and joblib would not, counts.
        """
        said = marks.cut()
        reader = self._window(row, start)
        verifier = Verifier(reader, self.policy.data, self.limits, _OPTIONS)
        arrays = reader.reveal = Arrays(verifier, reader, lambda place: self._objects(row, place))
        verdict, stop = self._run(row, start, verifier)
        if arrays.problem is not None:
            verdict = _worst((verdict, self._problem(row.part, Problem("container", arrays.problem, start))))
        if stop > start and plain[1] <= start:
            known = {(found.module, found.name, found.verb) for found in self.findings}
            extra = [
                found for found in said.findings
                if found.module and found.name and _is_a_name((found.module, found.name))
                and (found.module, found.name, found.verb) not in known
            ]  # fmt: skip
            self.findings += extra
            return (FORBIDDEN if extra else verdict), stop
        if plain[1] > start and stop <= start:
            hidden = [found for found in self.findings[marks.findings :] if found.module and found not in said.findings]
            marks.cut()
            said.put_back()
            self.findings += hidden
            return (FORBIDDEN if hidden else plain[0]), plain[1]
        said.put_back()
        return _worst((verdict, plain[0])), max(stop, plain[1])

    def _objects(self, row: _Row, start: int) -> int:
        """Judge the pickle that is an array of objects; returns where it ends.

        Each is read with what is around it in every way in which that can be read, so those inside of others are few.
        """
        if self.arrays_deep >= self.limits.nested:
            message = f"arrays of objects are nested deeper than {self.limits.nested}"
            row.hidden.append(self._problem(row.part, Problem("unpack-limit", message, start)))
            return start
        self.arrays_deep += 1
        try:
            verdict, stop = self._judge(row, start)
        finally:
            self.arrays_deep -= 1
        row.hidden.append(verdict if stop > start else _worst((verdict, INCOMPLETE)))
        return stop

    def _reader(self, row: _Row, start: int, most: int | None = None) -> Reader:
        if row.data is not None:
            return Reader(row.data, start, integer_digits=self.limits.integer_digits)
        return self._window(row, start, most)

    def _window(self, row: _Row, start: int, most: int | None = None) -> WindowReader:
        """What reads a stream without keeping its payloads; `most` is how much else it may keep."""
        room = most
        if row.part.is_unpacked():
            left = max(0, self.budget.opcodes)
            room = left if most is None else min(left, most)
        reader = WindowReader(row.part.source, start, integer_digits=self.limits.integer_digits, room=room)
        if row.data is None:  # else all of it is searched in the end
            reader.look = lambda place, data, until: self._search(row, data, lambda at: place + at, until)
        return reader

    def _malformed(self, row: _Row, reader: Reader, verifier: Verifier) -> str:
        """Whether what broke off was a pickle, or only happens to begin like one."""
        if isinstance(reader, WindowReader) and reader.failure is not None:
            return INCOMPLETE
        failed = _failed(reader)
        if not verifier.capable and not (failed in _CAPABLE and _could_do(reader, failed)):
            return MALFORMED if verifier.elsewhere and self._goes_on(verifier) else NOT_A_PICKLE
        return NOT_A_PICKLE if self._is_chance(row, verifier) else MALFORMED

    def _is_chance(self, row: _Row, verifier: Verifier) -> bool:
        """Whether what broke off in a container is no pickle: of tensors and texts, many begin like some opcode."""
        if not row.part.depth or row.part.holds == PICKLE or verifier.finished:
            return False
        if row.part.holds == MAYBE:  # of texts some lines look like names, and no line looks like a call
            return not any(symbol.called + symbol.made for symbol in verifier.globals.values())
        if _NESTED.match(verifier.reader.data) or any(map(_is_a_name, verifier.globals)):
            return False
        return not (verifier.elsewhere and self._goes_on(verifier))

    def _goes_on(self, verifier: Verifier) -> bool:
        """Whether some other reader goes on where a stream broke off, and comes to names.

        What that reader takes for a number, and where frames end for it, is not asked: nothing of that is chance.
        """
        reader = verifier.reader
        if isinstance(reader, WindowReader):
            reader.again()
        else:
            reader.rewind()
        limits = self.limits._replace(memo=1 << 32, bytes=None, opcodes=None)
        further = Verifier(reader, self.policy.data, limits, Options(scanning=True, lenient=True))
        with suppress(StreamError, MemoryError, RecursionError):
            further.run()
        return further.elsewhere or any(map(_is_a_name, further.globals))

    def _broken(self, error: StreamError, rule: str, part: _Part, base: int) -> None:
        position = None if error.position is None else error.position + base
        self.findings.append(
            Finding(rule, "error", escape(str(error), 500), position, error.opcode, member=part.name or None)
        )

    def _refusals(self, refusals: Iterable[sym.Refusal], part: _Part, base: int) -> None:
        for refusal in refusals:
            self.findings.append(
                Finding(
                    rule_of(refusal),
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

    # -- Pickles where none is expected --------------------------------------------------------------------------------

    def _is_a_pickle(self, part: _Part) -> bool:
        """Whether all of a stream is one pickle, granted or not: one may begin with what is also a magic number."""
        reader = self._briefly(_Row(part, _whole(part)))  # nothing is said yet of what is in it
        verifier = Verifier(reader, self.policy.data, self.limits, _OPTIONS)
        with suppress(StreamError, MemoryError, RecursionError):
            verifier.run()
        return verifier.finished and reader.consumed == part.source.size

    def _also_a_pickle(self, part: _Part) -> str:
        """What a container asks for where it is loaded as the pickle that it begins like."""
        row = _Row(part, _whole(part))
        reader = self._briefly(row)  # what is in payloads is found with what the container holds
        verdict = self._hidden(row, reader, 0, 0)
        if not isinstance(reader, WindowReader) or not isinstance(reader.failure, Exhausted) or _breaks_off(reader):
            return verdict
        message = f"it may also be read as a pickle, of which no end is found in the first {_ALSO:,} bytes"
        return _worst((verdict, self._problem(part, Problem("unpack-limit", message, 0))))

    def _briefly(self, row: _Row) -> Reader:
        """What reads a container as a pickle."""
        reader = self._reader(row, 0, _ALSO)
        if isinstance(reader, WindowReader):
            reader.look = None
        return reader

    def _hidden(self, row: _Row, reader: Reader, place: int, base: int) -> str:
        """Judge what only looks like a pickle: told from chance by names that could be imported.

        It begins at `place` of the stream, and `base` is to be added to its positions.
        """
        verifier = Verifier(reader, self.policy.data, self.limits, _OPTIONS)
        verifier.expect_data()
        if not verifier.is_mere_data() and _failed(reader) in _CAPABLE:  # else it names nothing, whatever it is
            reader.rewind()
            verifier = Verifier(reader, self.policy.data, self.limits, _OPTIONS)
            with suppress(StreamError, MemoryError, RecursionError):
                verifier.run()
        self.nested_work -= verifier.opcodes + 1
        refusals = [refusal for refusal in verifier.refusals if _could_be_imported(refusal)]
        if not refusals:
            return NOT_A_PICKLE
        self.nested_found += 1
        member = Member(place, place + reader.consumed, verifier.opcodes, FORBIDDEN, row.part.name)
        before = len(self.findings)
        self.members.append(member)
        self._refusals(refusals, row.part, base)
        self.capabilities.add(verifier)
        if self.how.watch is not None:
            self.how.watch(Judged(member, row.part.source, reader, verifier, tuple(self.findings[before:])))
        return FORBIDDEN

    def _embedded(self, row: _Row, verdict: str, rest: int) -> str:
        """Judge pickles inside the strings of pickles too: whoever loads the outer one may load them.

        Looked for is a PROTO followed by what can follow it.  What begins like a pickle by chance is told from one by
        its names: a finding needs a global that a module could have.
        """
        if row.data is not None:
            self._judge_hidden(row, row.data, lambda at: at, row.unsearched(row.data))
        else:
            most = _SEARCHED if row.part.depth and not rest else LOOKED_AT
            self._search(row, row.part.source.read(rest, most), lambda at: rest + at)
        return _worst((verdict, *row.hidden))

    def _search(
        self,
        row: _Row,
        data: bytes | bytearray,
        place: Callable[[int], int],
        until: int | None = None,
        begin: int = 0,
    ) -> None:
        """Look for pickles in bytes of a stream; `place` says where in it such a byte stands."""
        matches = _NESTED.finditer(data, begin, len(data) if until is None else until)
        self._judge_hidden(row, data, place, (match.start() for match in matches))

    def _judge_hidden(
        self, row: _Row, data: bytes | bytearray, place: Callable[[int], int], begins: Iterable[int]
    ) -> None:
        """Judge what begins there, unless it is known to be a pickle of the row itself."""
        frozen = data if isinstance(data, bytes) else b""
        for at in begins:
            if place(at) in row.starts:
                continue
            frozen = frozen or bytes(data)  # once, and only where there is something to be read
            if self.nested_work <= 0 or self.nested_found > self.limits.nested:
                message = "more embedded pickles than are followed"
                self.findings.append(Finding("limit", "warning", message, place(at), member=row.part.name or None))
                row.hidden.append(INCOMPLETE)
                return
            reader = Reader(frozen, at, integer_digits=self.limits.integer_digits)
            row.hidden.append(self._hidden(row, reader, place(at), place(at) - at))


class _Beside:
    """What is said beside a walk along the pickles of a window: pickles inside of them are judged before they go."""

    __slots__ = ("_before", "_copied", "_copy", "_reader", "_row", "_scan", "_searches", "_walk")

    def __init__(self, scan: _Scan, row: _Row, reader: WindowReader) -> None:
        self._scan = scan
        self._row = row
        self._reader = reader
        self._walk: Walk | None = None
        self._searches: Callable[[int, bytes, int], None] | None = None  # through payloads that are passed over
        self._before: tuple[int, int, int, int, int, int] | None = None
        self._copy = b""
        self._copied = (-1, -1)  # of what

    def begin(self, walk: Walk) -> None:
        """Go along with this walk."""
        self._walk = walk
        self._searches = self._reader.look
        self._reader.look = self._show
        self._reader.pass_once(self._leave)

    def end(self) -> None:
        """Forget the walk, which knows this, and so does the reader."""
        self._walk = self._before = self._searches = None
        self._reader.look = self._reader.leave = None

    def look(self) -> bool:
        """Judge what may be pickles inside of the one that was read; False where there is something to say of them."""
        walk, reader = self._walk, self._reader
        if walk is None or not _NESTED.search(reader.data, walk.begin + 1, reader.pos):
            return True
        self._note(walk)
        self._row.starts.add(walk.at)
        self._scan._search(self._row, self._frozen(), reader.where, reader.pos, walk.begin)  # noqa: SLF001 - its own
        return not self._says(walk)

    def _frozen(self) -> bytes | bytearray:
        """What is in the window.  Many pickles stand in it as it is: it is copied once for all of them."""
        reader = self._reader
        if reader.shift:
            return reader.data
        what = reader.start, len(reader.data)
        if what != self._copied:
            self._copy, self._copied = bytes(reader.data), what
        return self._copy

    def _show(self, place: int, data: bytes, until: int) -> None:
        walk = self._walk
        if walk is not None and self._searches is not None:
            self._note(walk)
            self._searches(place, data, until)
            walk.is_over = self._says(walk)

    def _leave(self, until: int) -> None:
        walk, reader = self._walk, self._reader
        if walk is not None:
            self._note(walk)
            self._scan._search(self._row, reader.data, reader.where, until, walk.begin)  # noqa: SLF001 - its own
            walk.begin = 0
            walk.is_over = self._says(walk)

    def _note(self, walk: Walk) -> None:
        """Note where the report stood before anything was said of this pickle."""
        scan = self._scan
        if self._before is None or self._before[0] != walk.at:
            self._before = (
                walk.at, len(scan.findings), len(self._row.hidden), len(scan.members), scan.nested_found,
                scan.nested_work,
            )  # fmt: skip

    def _says(self, walk: Walk) -> bool:
        return self._before is not None and self._before[0] == walk.at and len(self._scan.findings) > self._before[1]

    def take_back(self) -> None:
        """Take back what was said of the pickle at which the walk ended: all of it is judged anew."""
        if self._before is not None and self._walk is not None and self._before[0] == self._walk.at:
            scan = self._scan
            _, findings, hidden, members, scan.nested_found, scan.nested_work = self._before
            del scan.findings[findings:], self._row.hidden[hidden:]
            scan.members.cut(members)


class _Row:
    """A stream being judged as pickles in a row, and where the report stood before."""

    __slots__ = (
        "data", "findings", "follows", "hidden", "is_torch", "members", "part", "patience", "starts", "verifiers",
        "walked",
    )  # fmt: skip

    def __init__(self, part: _Part, data: bytes | None, findings: int = 0, members: int = 0) -> None:
        self.part = part
        self.data = data  # all of it, where it is small or in memory anyway
        self.findings = findings
        self.members = members
        self.hidden: list[str] = []  # verdicts on what was found where no pickle is expected
        self.is_torch = False
        self.patience = _PATIENCE
        self.follows = part.depth > 0 and part.name.rpartition("!/")[2] in TORCH_TAR_MEMBERS  # data behind its pickles
        self.starts = Places()  # where the pickles of the row begin
        self.verifiers: deque[Verifier] = deque(maxlen=2)  # the last ones, of a file of torch's
        # Of what is in memory: where walks were, and where in the pickles there others may begin.
        self.walked: list[tuple[int, int, list[tuple[int, int]]]] = []

    def unsearched(self, data: bytes) -> Iterator[int]:
        """Where pickles seem to begin inside of others: nowhere where a walk has met no PROTO but at a beginning."""
        at = 0
        for start, stop, loud in (*self.walked, (len(data), len(data), [])):
            for begin, until in ((at, start), *loud):
                for match in _NESTED.finditer(data, begin, min(until + _BEHIND, len(data))):
                    if match.start() >= until:
                        break
                    yield match.start()
            at = stop


class _Marks:
    """Where the report stood, to take back what was said since."""

    __slots__ = ("_cut", "_found", "_hidden", "_row", "_scan", "findings")

    def __init__(self, scan: _Scan, row: _Row | None = None) -> None:
        self._scan = scan
        self._row = row
        self._hidden = len(row.hidden) if row else 0
        self.findings = len(scan.findings)
        self._cut = len(scan.findings), len(scan.members), len(scan.missing)
        self._found = scan.nested_found

    def cut(self) -> _Said:
        """Take back what was said since, and return it."""
        scan = self._scan
        hidden = [] if self._row is None else self._row.hidden
        said = _Said(
            scan, scan.findings[self._cut[0] :], scan.members[self._cut[1] :], scan.missing[self._cut[2] :],
            hidden, hidden[self._hidden :], scan.nested_found - self._found,
        )  # fmt: skip
        scan.nested_found = self._found
        del hidden[self._hidden :]
        del scan.findings[self._cut[0] :], scan.missing[self._cut[2] :]
        scan.members.cut(self._cut[1])
        return said


class _Said(NamedTuple):
    """What was said of a pickle, and taken back."""

    scan: _Scan
    findings: list[Finding]
    members: Sequence[Member]
    missing: list[MissingGrant]
    verdicts: list[str]  # of a row, on what was found where no pickle is expected
    hidden: list[str]  # which of them were taken back
    nested_found: int

    def put_back(self) -> None:
        """Say it again."""
        self.scan.findings += self.findings
        self.scan.members.extend(self.members)
        self.scan.missing += self.missing
        self.scan.nested_found += self.nested_found
        self.verdicts.extend(self.hidden)


def _whole(part: _Part) -> bytes | None:
    source = part.source
    if isinstance(source, BytesSource):
        return source.data
    most = LARGE if part.depth else _WHOLE
    if isinstance(source, Unpacked):
        data = source.read(0, most + 1)
        return data if len(data) <= most and source.failure is None else None
    return source.whole() if source.size <= most else None


def _after_zeros(source: Source, start: int, stop: int) -> int:
    """Where the first byte is that is not zero; `stop` where there is none."""
    while start < stop:
        data = source.read(start, min(_WHOLE, stop - start))
        rest = data.lstrip(b"\0")
        if rest or not data:
            return start + len(data) - len(rest)
        start += len(data)
    return stop


def _covered(claims: list[tuple[int, int]], size: int) -> int:
    """How many bytes of so many are claimed; a claim may go beyond what there is."""
    total = at = 0
    for start, stop in sorted(claims):
        end = min(stop, size)
        total += max(0, end - max(start, at))
        at = max(at, end)
    return total


def _worst(verdicts: Iterable[str]) -> str:
    found = set(verdicts)
    return next((verdict for verdict in _SEVERITY_ORDER if verdict in found), NOT_A_PICKLE)


def _failed(reader: Reader) -> int:
    """The opcode at which a pass came to its end; 0 where there is none."""
    return reader.data[reader.at] if reader.at < len(reader.data) else 0


def _breaks_off(reader: Reader) -> bool:
    """Whether nothing could make sense of the line at which a pass broke off: those with which zip and SQLite begin.

    "persistent IDs in protocol 0 must be ASCII strings", "the STRING opcode argument must be quoted".
    """
    code, line = _failed(reader), bytes(reader.data[reader.at + 1 :])
    return (code == PERSID and not line.isascii()) or (code == STRING and line[:1] not in (b"'", b'"'))


def _could_do(reader: Reader, failed: int) -> bool:
    """Whether an opcode that broke off may have done something elsewhere: what misses its operands does it nowhere.

    But Python's own reader imports what INST names before it looks for a mark.
    """
    if failed != INST:
        return failed in _WITH_ARGUMENTS
    with suppress(StreamError):
        return _is_a_name(reader.two_lines())
    return True


def _is_a_name(name: tuple[str, str]) -> bool:
    return all(part.isidentifier() for part in f"{name[0]}.{name[1]}".split("."))


def _could_be_imported(refusal: sym.Refusal) -> bool:
    return refusal.module is not None and refusal.name is not None and _is_a_name((refusal.module, refusal.name))


def rule_of(refusal: sym.Refusal) -> str:
    """Which of the report's rules a refusal falls under."""
    if refusal.reason.startswith("accept:") or refusal.reason.startswith("persistent:"):
        return "not-accepted"
    if not refusal.reason and refusal.verb in (REFER, *VERBS):
        return "not-granted"
    return "condition" if "grant with conditions" in refusal.reason else "provenance"
