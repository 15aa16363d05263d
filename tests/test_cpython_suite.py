"""CPython's own tests of pickle, those of the interpreter that runs this, through this package's reader and writer.

The classes below are put together as Lib/test/test_pickle.py puts its own together, and inherit from them, so that
what an interpreter adds to its suite is run here too.  `cpython_suite` says what is asked of a failure.

No test of pickling and unpickling is left out or changed.  What CPython itself skips (what needs gigabytes, a 32-bit
build or numpy) is skipped here, with its reason.
"""

from __future__ import annotations

import pytest

try:
    from test import pickletester, test_pickle
except ImportError as missing:
    pytest.skip(f"this Python comes without its own tests: {missing}", allow_module_level=True)

import _pickle
import contextlib
import pickle
import unittest

import safepickle
from tests import cpython_suite as suite
from tests.cpython_suite import Ours

#: The classes of test_pickle that are about something else than pickling and unpickling, and what that is.
ABOUT_SOMETHING_ELSE = {
    "CompatPickleTests": "the standard library's table of Python 2's names, which this package uses as it is",
    "HeapTypesTests": "how C `_pickle` defines its types",
    "SizeofTests": "how many bytes C `_pickle`'s own objects take",
}


@pytest.fixture(autouse=True, scope="module")
def _in_a_folder_of_their_own(tmp_path_factory):
    # One for all: the import system remembers by its relative name the folder that one of the tests imports from.
    with contextlib.chdir(tmp_path_factory.mktemp("suite")):
        yield


# -- The suite -------------------------------------------------------------------------------------------------------


class ModuleFunctions(Ours, test_pickle.PyPickleTests):
    dump = staticmethod(safepickle.dump)
    dumps = staticmethod(safepickle.dumps)
    load = staticmethod(suite.load)
    loads = staticmethod(suite.loads)
    Pickler = safepickle.Pickler
    Unpickler = suite.Unpickler


class InMemory(Ours, test_pickle.InMemoryPickleTests):
    bad_stack_errors = truncated_errors = (pickle.UnpicklingError,)

    def dumps(self, arg, protocol=None, **options):
        return safepickle.dumps(arg, protocol, **options)

    def loads(self, data, **options):
        return suite.loads(data, **options)


class Seekable(Ours, test_pickle.PyUnpicklerTests):
    unpickler = suite.Unpickler
    bad_stack_errors = truncated_errors = (pickle.UnpicklingError,)


class Peekable(Seekable):
    unpickler = suite.PeekingUnpickler


class Minimal(Seekable):
    unpickler = suite.MinimalUnpickler


class OursToOurs(Ours, test_pickle.PyPicklerTests):
    pickler = safepickle.Pickler
    unpickler = suite.Unpickler


class OursToC(OursToOurs):
    unpickler = _pickle.Unpickler


class OursToPython(OursToOurs):
    unpickler = pickle._Unpickler


class CToOurs(OursToOurs):
    pickler = _pickle.Pickler


class PythonToOurs(OursToOurs):
    pickler = pickle._Pickler


class Persistent(Ours, test_pickle.PyPersPicklerTests):
    pickler = safepickle.Pickler
    unpickler = suite.Unpickler


class PersistentOursToC(Persistent):
    unpickler = _pickle.Unpickler


class PersistentCToOurs(Persistent):
    pickler = _pickle.Pickler


class PersistentIdentity(Ours, test_pickle.PyIdPersPicklerTests):
    pickler = safepickle.Pickler
    unpickler = suite.Unpickler


class PersistentIdentityOursToC(PersistentIdentity):
    unpickler = _pickle.Unpickler


class PersistentIdentityCToOurs(PersistentIdentity):
    pickler = _pickle.Pickler


class Objects(Ours, test_pickle.CPicklerUnpicklerObjectTests):
    pickler_class = safepickle.Pickler
    unpickler_class = suite.Unpickler


class DispatchTable(Ours, test_pickle.PyDispatchTableTests):
    pickler_class = safepickle.Pickler


class ChainedDispatchTable(Ours, test_pickle.PyChainDispatchTableTests):
    pickler_class = safepickle.Pickler


class PicklerWithHook(safepickle.Pickler, pickletester.AbstractCustomPicklerClass):
    pass


class Hooks(Ours, test_pickle.PyPicklerHookTests):
    pickler_class = PicklerWithHook


if hasattr(test_pickle, "PyPicklingErrorTests"):  # from 3.13 on

    class PicklingErrors(Ours, test_pickle.PyPicklingErrorTests):
        pickler = safepickle.Pickler


# -- That it is all of the suite, and that the eye sees --------------------------------------------------------------

HERE = [kind for kind in vars().copy().values() if isinstance(kind, type) and issubclass(kind, unittest.TestCase)]


def names_of_tests(*kinds: type) -> set[str]:
    return {name for kind in kinds for name in dir(kind) if name.startswith("test") and callable(getattr(kind, name))}


def failures(case: unittest.TestCase) -> str:
    result = unittest.TestResult()
    case.run(result)
    assert result.testsRun == 1
    return "\n".join(told for _, told in result.failures + result.errors)


def test_every_test_that_pickletester_has_is_run_here():
    found = names_of_tests(*(kind for kind in vars(pickletester).values() if isinstance(kind, type)))
    assert len(found) > 150
    assert found - names_of_tests(*HERE) == set()


def test_every_test_that_test_pickle_has_is_run_here_or_about_something_else():
    cases = {
        name: names_of_tests(kind) - names_of_tests(*HERE)
        for name, kind in vars(test_pickle).items()
        if isinstance(kind, type) and issubclass(kind, unittest.TestCase)
    }
    assert {name for name, left_out in cases.items() if left_out} == cases.keys() & ABOUT_SOMETHING_ELSE.keys()


@pytest.mark.parametrize("name", suite.CATCHING)
def test_a_test_that_catches_by_except_cannot_be_run_as_it_stands(name, monkeypatch):
    assert failures(OursToOurs(name)) == ""
    monkeypatch.delitem(suite.CATCHING, name)
    assert "UnpicklingError" in failures(OursToOurs(name)) or "MalformedStream" in failures(OursToOurs(name))


class Expecting(Ours, unittest.TestCase):
    """A test that expects ValueError of what `raising` does."""

    __test__ = False  # it is run by the tests below
    raising = None

    def test_it(self):
        with self.assertRaises(ValueError):  # noqa: PT027 - it is assertRaises that is tested
            self.raising()

    def test_it_as_a_call(self):
        self.assertRaises(ValueError, self.raising)  # noqa: PT027 - likewise

    def test_its_text(self):
        with self.assertRaisesRegex(ValueError, "^so$"):  # noqa: PT027 - likewise
            self.raising()


def load_that_raises(error, anything_to_read=True):
    def raising(_):
        with suite.a_load(anything_to_read):
            raise error

    return raising


@pytest.mark.parametrize("name", ["test_it", "test_it_as_a_call", "test_its_text"])
class TestAnExpectation:
    def told(self, monkeypatch, name, raising):
        monkeypatch.setattr(Expecting, "raising", raising)
        return failures(Expecting(name))

    def test_is_met_by_an_unpickling_error_out_of_a_load(self, monkeypatch, name):
        assert self.told(monkeypatch, name, load_that_raises(pickle.UnpicklingError("so"))) == ""

    def test_is_not_met_by_what_it_names_out_of_a_load(self, monkeypatch, name):
        assert "no UnpicklingError" in self.told(monkeypatch, name, load_that_raises(ValueError("so")))

    def test_is_not_met_by_an_unpickling_error_that_is_also_what_it_names(self, monkeypatch, name):
        both = type("Both", (pickle.UnpicklingError, ValueError), {})
        assert "more than an UnpicklingError" in self.told(monkeypatch, name, load_that_raises(both("so")))

    def test_is_not_met_by_the_end_of_a_file_that_has_not_ended(self, monkeypatch, name):
        raising = load_that_raises(safepickle.EndOfStream("so"))
        assert "where there was something to read" in self.told(monkeypatch, name, raising)

    def test_is_not_met_by_anything_but_the_end_of_a_file_that_has_ended(self, monkeypatch, name):
        raising = load_that_raises(pickle.UnpicklingError("so"), anything_to_read=False)
        assert "where there was nothing to read" in self.told(monkeypatch, name, raising)

    def test_is_met_by_what_it_names_out_of_anything_else(self, monkeypatch, name):
        def raising(_):
            raise ValueError("so")

        assert self.told(monkeypatch, name, raising) == ""

    def test_is_not_met_by_an_unpickling_error_out_of_anything_else(self, monkeypatch, name):
        def raising(_):
            raise pickle.UnpicklingError("so")

        assert "UnpicklingError" in self.told(monkeypatch, name, raising)

    def test_is_not_met_by_nothing(self, monkeypatch, name):
        assert "not raised" in self.told(monkeypatch, name, lambda _: None)


def test_the_text_that_a_test_names_is_asked_of_a_load_too(monkeypatch):
    monkeypatch.setattr(Expecting, "raising", load_that_raises(pickle.UnpicklingError("otherwise")))
    assert "does not match" in failures(Expecting("test_its_text"))
