"""What CPython's own tests of pickle need in order to judge this package: its classes as they call them, and its eye.

The tests were written for a reader that lets ValueError, AttributeError or IndexError through when a stream fails.
Here all of these are `pickle.UnpicklingError`.  So whatever leaves a load is marked, and where a test names the
exception that it expects:

* a failure that came out of a load has to be an UnpicklingError, whatever the test names; it has to be an EOFError too
  if and only if there was nothing to read; and it may be none of the exceptions that libraries retry on;
* every other failure (of a dump, of arguments, of a file, of `find_class` itself) has to be what the test names.

A text that a test compares is compared as it stands.

Everything is read under the unrestricted policy, which lifts the rules on names and on targets and no other.
"""

from __future__ import annotations

import io
import pickle
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest import mock

from test import pickletester

import safepickle

UNRESTRICTED: Final = safepickle.Policy.unrestricted()

# What a refusal must never be besides an UnpicklingError: those who catch these fall back to an unsafe loader.
RETRIED: Final = (
    ArithmeticError, AttributeError, ImportError, LookupError, OSError, RuntimeError, TypeError, ValueError,
)  # fmt: skip

# Tests that catch by `except`, not by assertRaises, what pickle raises for a stream: the test, and what it catches.
CATCHING: Final = {"test_proto": ValueError}


@contextmanager
def a_load(anything_to_read: bool | None) -> Iterator[None]:
    """The extent of one load: what is raised in it is about the stream; None if nobody knows whether there is one."""
    try:
        yield
    except BaseException as error:
        error.left_a_load = True
        error.anything_to_read = anything_to_read
        raise


def complaint(error: BaseException) -> str | None:
    """What is wrong with the class of an exception that left a load."""
    if not isinstance(error, pickle.UnpicklingError):
        return f"a load raised {type(error).__name__}, which is no UnpicklingError: {error}"
    if isinstance(error, RETRIED):
        return f"{type(error).__name__} is more than an UnpicklingError"
    if error.anything_to_read is not None and isinstance(error, EOFError) is error.anything_to_read:
        return f"{type(error).__name__} where there was {'something' if error.anything_to_read else 'nothing'} to read"
    return None


def _anything_in(file: Any) -> bool | None:
    """Whether a file of the suite has something left, found out behind its back: some of them cannot seek."""
    file = getattr(file, "_bio", file)  # MinimalIO's
    if isinstance(file, io.BytesIO):
        return io.BytesIO.tell(file) < len(file.getbuffer())
    return None


class Unpickler(safepickle.Unpickler):
    """The Unpickler under the unrestricted policy."""

    def __init__(self, file: Any, **options: Any) -> None:
        super().__init__(file, policy=UNRESTRICTED, **options)
        self._of_the_suite = file

    def load(self) -> Any:
        with a_load(_anything_in(getattr(self, "_of_the_suite", None))):
            return super().load()


class _Peekable(io.BufferedReader):
    """A file that can be peeked into and cannot seek, as one that reads from a pipe."""

    def seekable(self) -> bool:
        return False


class PeekingUnpickler(Unpickler):
    """Reads every BytesIO as a file that can be peeked into and cannot seek."""

    def __init__(self, file: Any, **options: Any) -> None:
        super().__init__(_Peekable(file) if type(file) is io.BytesIO else file, **options)
        self._of_the_suite = file


class MinimalUnpickler(Unpickler):
    """Reads every BytesIO as a file that has `read` and `readline` and nothing else."""

    def __init__(self, file: Any, **options: Any) -> None:
        minimal = types.SimpleNamespace(read=file.read, readline=file.readline) if type(file) is io.BytesIO else file
        super().__init__(minimal, **options)
        self._of_the_suite = file


def load(file: Any, **options: Any) -> Any:
    """`load` under the unrestricted policy."""
    safepickle.Unpickler(io.BytesIO(), policy=UNRESTRICTED, **options)  # what is wrong with the arguments leaves here
    with a_load(_anything_in(file)):
        return safepickle.load(file, policy=UNRESTRICTED, **options)


def loads(data: Any, /, **options: Any) -> Any:
    """`loads` under the unrestricted policy."""
    safepickle.Unpickler(io.BytesIO(), policy=UNRESTRICTED, **options)  # what is wrong with the arguments leaves here
    with a_load(bool(data)):
        return safepickle.loads(data, policy=UNRESTRICTED, **options)


class _Expectation:
    """What `assertRaises` gives, asking a failure of a load for what `complaint` says."""

    def __init__(self, original: Any) -> None:
        self.original = original

    def __enter__(self) -> Any:
        return self.original.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> Any:
        if error is not None and hasattr(error, "left_a_load"):
            wrong = complaint(error)
            if wrong:
                raise AssertionError(wrong) from error
            self.original.expected = pickle.UnpicklingError
        return self.original.__exit__(kind, error, trace)


# The suite's own `pickle`: what it reads or writes through the module, it reads and writes through this package.
_MODULE: Final = types.SimpleNamespace(
    **{**vars(pickle), "dump": safepickle.dump, "dumps": safepickle.dumps, "load": load, "loads": loads}
)


class Ours:
    """Mixed in before a class of the suite: its tests, with the eye described above."""

    def setUp(self) -> None:
        module = mock.patch.object(pickletester, "pickle", _MODULE)
        module.start()
        self.addCleanup(module.stop)
        super().setUp()
        kind = CATCHING.get(self._testMethodName)
        if kind is not None:
            self.loads = _caught_as(self.loads, kind)

    def assertRaises(self, expected: Any, *call: Any, **options: Any) -> Any:  # noqa: N802 - unittest's name
        return _expect(super().assertRaises, (expected,), call, options)

    def assertRaisesRegex(self, expected: Any, regex: Any, *call: Any, **options: Any) -> Any:  # noqa: N802 - unittest's name
        return _expect(super().assertRaisesRegex, (expected, regex), call, options)


def _expect(method: Callable[..., Any], expected: tuple[Any, ...], call: tuple[Any, ...], options: Any) -> Any:
    """One `assertRaises` or `assertRaisesRegex`, in either of the two forms it has."""
    if not call:
        return _Expectation(method(*expected, **options))
    function, *arguments = call
    with _Expectation(method(*expected)):
        function(*arguments, **options)
    return None


def _caught_as(loads: Callable[..., Any], kind: type[Exception]) -> Callable[..., Any]:
    """`loads`, its refusals looked at and then raised, with their text, as what the test will catch."""

    def loads_as_caught(data: Any, **options: Any) -> Any:
        try:
            return loads(data, **options)
        except BaseException as error:
            if not hasattr(error, "left_a_load"):
                raise
            wrong = complaint(error)
            raise AssertionError(wrong) if wrong else kind(str(error)) from error

    return loads_as_caught
