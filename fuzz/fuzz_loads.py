"""Any bytes: a value or `pickle.UnpicklingError`, in bounded time and memory, and no name outside the policy touched.

However they are read: from memory, from a file that can seek, peek, or only read, the outcome is the same, and a file
stands behind the pickle afterwards.  Nothing is imported while a load runs, nothing of the application is changed, and
nothing is run that the policy does not list.
"""

from __future__ import annotations

import io
import pickle
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from contextlib import suppress
from copyreg import _slotnames  # type: ignore[attr-defined]
from functools import cache
from importlib import import_module
from typing import Any, Final, NamedTuple

import engine

import safepickle
from tests import readers, victims
from tests.same import difference

SEEDS: Final = "streams"
#: Streams that take a reader to everything that is imported only when it is needed.
WARMING_UP: Final = (
    b"N.", b"", b"c\n", b"cos\nsystem\n.", b"cos\n\\\x07\n.", b"\x80\x02c__builtin__\nset\n]\x85R.", b"U\x01\xff.",
    b"V\xff\n.", b"\x80\x02c_codecs\nencode\nX\x02\0\0\0\xc3\xbfX\x06\0\0\0latin1\x86R.", b"\x82\x01.",
)  # fmt: skip
#: What the application's own listed callables note down; see `tests.victims`.
LISTED_CANARIES: Final = frozenset({"record", "Appender.append", "Appender.extend", "Appender.add"})


def check(data: bytes) -> None:
    for policy, has_application in policies():
        with readers.prepared():
            check_under(data, policy, has_application)


@cache
def policies() -> tuple[tuple[safepickle.Policy, bool], ...]:
    """Each policy, and whether the application brings persistent IDs, buffers and an encoding with it."""
    found = [(safepickle.Policy.named("plain"), False), (readers.policy(), True)]
    if "stdlib" in safepickle.Policy.names():
        found.append((safepickle.Policy.named("stdlib"), False))
    for policy, _ in found:
        for module, _ in policy.data.grants:
            with suppress(ImportError):  # a module of another version of Python
                import_module(module)  # beforehand, so that an import while loading shows that something was named
    for opening in WARMING_UP:
        for policy, has_application in found:
            _outcome(io.BytesIO(opening), policy, has_application)  # and so is what the package itself imports late
    _untouched()
    return tuple(found)


def check_under(data: bytes, policy: safepickle.Policy, has_application: bool) -> None:
    file = io.BytesIO(data)
    with engine.watched() as events:
        value, error = _outcome(file, policy, has_application)
    _check_events(events, policy)
    assert set(victims.RAN) <= LISTED_CANARIES, victims.RAN
    if has_application:
        assert victims.snapshot() == _untouched(), "the application was changed"
    if policy is not policies()[-1][0]:  # it is slow, and two of them are enough
        _check_other_sources(data, policy, has_application, Outcome(value, error, file.tell()))


@cache
def _untouched() -> dict[str, object]:
    victims.Level(3)  # a combination of flags that Python notes in the class as well
    for value in (*vars(victims).values(), victims.Plain.Nested):
        if isinstance(value, type):
            _slotnames(value)  # which Python notes in the class when it first pickles an instance
    return victims.snapshot()


@cache
def _listed(policy: safepickle.Policy) -> tuple[frozenset[tuple[str, str]], frozenset[str]]:
    """The names that a load may look up, and the modules that it may import for them, packages included."""
    names = frozenset({*policy.data.grants, *_HELPERS})
    parts = [module.split(".") for module, _ in names]
    return names, frozenset(".".join(part[:end]) for part in parts for end in range(1, len(part) + 1))


def _check_events(events: list[tuple[str, tuple[Any, ...]]], policy: safepickle.Policy) -> None:
    """Nothing was asked of the interpreter but listed names."""
    listed, modules = _listed(policy)
    for event, arguments in events:
        if event == "pickle.find_class":
            ways = {arguments, _python3(*arguments)}
            aliases = policy.data.aliases
            assert listed & {(aliases.get(module, module), name) for module, name in ways}, f"looked up: {arguments}"
        elif event == "import":
            assert arguments[0] in modules, f"imported: {arguments[0]}"
        elif event not in _BY_LISTED_CALLABLES:
            raise AssertionError(f"{event}: {arguments!r:.300}")


_HELPERS: Final = frozenset({
    ("copyreg", "_reconstructor"), ("copyreg", "__newobj__"), ("copyreg", "__newobj_ex__"), ("_codecs", "encode"),
    ("builtins", "getattr"), ("functools", "partial"),
})  # fmt: skip
#: Events that listed names of the standard library raise themselves: a time zone is read from its file.
_BY_LISTED_CALLABLES: Final = frozenset({"open", "os.listdir", "os.scandir", "array.__new__"})


def _python3(module: str, name: str) -> tuple[str, str]:
    mapped: tuple[str, str] = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    return mapped


def _outcome(file: Any, policy: safepickle.Policy, has_application: bool) -> tuple[Any, BaseException | None]:
    try:
        if has_application:
            options: dict[str, Any] = {"encoding": "latin-1", "buffers": readers.buffers()}
            return readers.Ours(file, policy=policy, **options).load(), None
        return safepickle.load(file, policy=policy), None
    except pickle.UnpicklingError as error:
        return None, error


class _OnlyReads:
    """A file as a socket's is: it can neither seek nor peek."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)
        self.read = self._file.read
        self.readline = self._file.readline
        self.tell_anyway = self._file.tell


class Outcome(NamedTuple):
    """What a load from a seekable file gave, and where the file stood afterwards."""

    value: Any
    error: BaseException | None
    end: int


def _check_other_sources(data: bytes, policy: safepickle.Policy, has_application: bool, expected: Outcome) -> None:
    buffered = io.BufferedReader(io.BytesIO(data), buffer_size=16)  # type: ignore[arg-type]  # raw enough
    peeking = _Peeks(buffered)
    reading = _OnlyReads(data)
    outcomes = [_outcome(peeking, policy, has_application), _outcome(reading, policy, has_application)]
    if not has_application:
        try:
            outcomes.append((safepickle.loads(data, policy=policy), None))
        except pickle.UnpicklingError as refusal:
            outcomes.append((None, refusal))
    for other, refused in outcomes:
        assert type(refused) is type(expected.error), (expected.error, refused)
        assert str(refused) == str(expected.error)
        assert getattr(refused, "position", None) == getattr(expected.error, "position", None)
        assert expected.error is not None or not difference(expected.value, other)
    if expected.error is None:
        assert [buffered.tell(), reading.tell_anyway()] == [expected.end] * 2


class _Peeks:
    """A file that can peek and not seek."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.read = file.read
        self.readline = file.readline
        self.readinto = file.readinto
        self.peek = file.peek


if __name__ == "__main__":
    engine.main(__file__, check, seeds=SEEDS, dictionary="pickle.dict", longest=4096)
