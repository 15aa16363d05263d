"""Any bytes: a Report, nothing raised, nothing imported, every byte accounted for; and what passes is not refused.

* Each pickle that passes is loaded under the same policy and not refused by it.
* A pickle passes if and only if `verify` passes it.
* Every global that CPython's two readers would look up in a pickle that was read to its end is in the report.
* A disassembly never raises, and finds nothing wrong with what passes.
* What is told of a source is printable, and comes with the report of a scan.
"""

from __future__ import annotations

import _pickle
import io
import json
import pickle
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from contextlib import suppress
from functools import cache
from typing import Any, Final, Self

import engine
import fuzz_loads

import safepickle
import safepickle.policy.learn  # which what explains a refusal imports late
import safepickle.policy.powers  # as what grades one does
import safepickle.scanner  # which the package imports when it is first asked to scan
from safepickle.disassemble import disassemble
from safepickle.narrate import explain
from safepickle.reader import Reader
from safepickle.verifier import Options, Verifier
from tests import readers

SEEDS: Final = "streams"
VERDICTS: Final = frozenset({"pass", "forbidden", "malformed", "incomplete", "not a pickle"})
_EIGHT_BIT: Final = frozenset({"STRING", "BINSTRING", "SHORT_BINSTRING"})  # text or bytes: the loader chooses
_OF_THE_APPLICATION: Final = frozenset({"PERSID", "BINPERSID", "NEXT_BUFFER"})  # accepted; the loader needs them given


def check(data: bytes) -> None:
    for policy in _policies():
        with readers.prepared():
            check_under(data, policy)
    for _ in disassemble(data):
        pass
    _check_narrative(data)


def _check_narrative(data: bytes) -> None:
    policy = _policies()[0]
    told = explain(data, policy=policy, limit=20)
    assert told.report == safepickle.scan(data, policy=policy)
    for pickled in told.pickles:
        assert len(pickled.steps) <= 20
        said = [*(step.text for step in pickled.steps), pickled.result or "", *pickled.problems]
        said += [text for step in pickled.steps for why in step.refused for text in (why.reason, why.yaml, why.advice)]
        assert all(text.isprintable() for text in said), said


@cache
def _policies() -> tuple[safepickle.Policy, ...]:
    found = (safepickle.Policy.named("plain"), readers.policy())
    for opening in (*fuzz_loads.WARMING_UP, *engine.PACKED):
        for policy in found:
            safepickle.scan(opening, policy=policy)  # what the package imports late is imported now
    return found


def check_under(data: bytes, policy: safepickle.Policy) -> None:
    with engine.watched() as events:
        report = safepickle.scan(data, policy=policy)
        assert events == []
    assert report.verdict in VERDICTS
    assert report.ok is (report.verdict == "pass")
    assert report.size == len(data)
    assert 0 <= report.claimed <= report.size
    assert report.verdict != "pass" or report.claimed == report.size
    assert report.ok or report.findings, "a scan that does not pass says why"
    json.dumps(report.to_dict())
    capabilities = {(capability.module, capability.name) for capability in report.capabilities}
    for member in [each for each in report.members if not each.name]:  # what a container holds is elsewhere
        _check_member(data[member.start :], member, policy, capabilities)


def _check_member(
    data: bytes, member: Any, policy: safepickle.Policy, capabilities: set[tuple[str, str]]
) -> None:
    passes = member.verdict == "pass"
    lines = list(disassemble(data))
    opcodes = {line.opcode for line in lines}
    if passes:
        assert not any(line.problem for line in lines), lines[-1]
    if not opcodes & (_EIGHT_BIT | _OF_THE_APPLICATION):
        assert _verifies(data, policy) is passes
    if passes and not opcodes & _EIGHT_BIT:
        refusal = readers.ours(data, policy).error
        assert refusal is None or isinstance(refusal, safepickle.ReconstructionError) or _shows_late(refusal), refusal
    size = _size(data, policy)
    if size:
        assert member.stop - member.start == size
        _check_capabilities(data, capabilities)


def _size(data: bytes, policy: safepickle.Policy) -> int:
    """The bytes of the pickle, granted or not; 0 for a broken one, in which each reader breaks off elsewhere."""
    verifier = Verifier(Reader(data), policy.data, policy.limits, Options(scanning=True))
    with suppress(pickle.UnpicklingError):
        verifier.run()
    return verifier.reader.pos if verifier.finished else 0


def _verifies(data: bytes, policy: safepickle.Policy) -> bool:
    try:
        safepickle.verify(data, policy=policy)
    except pickle.UnpicklingError:
        return False
    return True


def _shows_late(refusal: BaseException) -> bool:
    """What only running shows: a listed name that is something else, state that a listed class cannot take."""
    told = str(refusal)
    return isinstance(refusal, safepickle.MalformedStream) or "that existed before" in told or "with base" in told


class _Stub:
    """Stands for everything that a stream names: it can be called, made, given a state, filled."""

    def __new__(cls, *_arguments: Any, **_keywords: Any) -> Self:
        return object.__new__(cls)

    def __init__(self, *_arguments: Any, **_keywords: Any) -> None: ...

    def __call__(self, *_arguments: Any, **_keywords: Any) -> _Stub:
        return _Stub()

    def __setstate__(self, _state: Any) -> None: ...

    def append(self, _item: Any) -> None: ...

    def extend(self, _items: Any) -> None: ...

    def add(self, _item: Any) -> None: ...

    def __setitem__(self, _key: Any, _value: Any) -> None: ...


def _check_capabilities(data: bytes, capabilities: set[tuple[str, str]]) -> None:
    for reader in (_pickle.Unpickler, pickle._Unpickler):  # noqa: SLF001 - the second reader has no other name
        found: list[tuple[str, str]] = []

        class Recording(reader):  # type: ignore[misc, valid-type, name-defined]  # a class for each of the two
            def find_class(self, module: str, name: str, found: list[tuple[str, str]] = found) -> Any:
                found.append((module, name))
                return _Stub

            def persistent_load(self, _pid: Any) -> Any:
                return _Stub()

        with suppress(Exception):  # stubs do not go everywhere; what counts is what was looked up until then
            Recording(io.BytesIO(data), encoding="latin-1", buffers=readers.buffers()).load()
        for module, name in found:
            mapped = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
            assert capabilities & {(module, name), mapped}, f"{module}.{name} is not in the report"


if __name__ == "__main__":
    engine.main(__file__, check, seeds=SEEDS, dictionary="pickle.dict", longest=4096)
