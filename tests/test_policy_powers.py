"""What no policy should list: the table finds names under every spelling, and leaves the packaged policies alone."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from safepickle.policy import Policy
from safepickle.policy.model import EVERY_VERB, VERBS
from safepickle.policy.powers import danger, gadget, shared, telling

CORPUS = Path(__file__).parent.parent.parent / "shared" / "corpus" / "benign.tar.xz"

# What every guide to pickles names; the reason has to name the power.
KNOWN = [
    ("builtins", "eval", "code"),
    ("__builtin__", "eval", "code"),
    ("builtins", "exec", "code"),
    ("builtins", "getattr", "attribute"),
    ("builtins", "__import__", "imports"),
    ("builtins", "open", "opens"),
    ("builtins", "map", "calls"),
    ("os", "system", "programs"),
    ("posix", "system", "programs"),
    ("nt", "system", "programs"),
    ("os", "popen", "programs"),
    ("subprocess", "Popen", "programs"),
    ("commands", "getoutput", "programs"),
    ("importlib", "import_module", "imports"),
    ("importlib._bootstrap", "_gcd_import", "imports"),
    ("functools", "partial", "calls"),
    ("functools", "reduce", "calls"),
    ("__builtin__", "reduce", "calls"),
    ("operator", "attrgetter", "attribute"),
    ("_operator", "methodcaller", "method"),
    ("pickle", "loads", "pickles"),
    ("cPickle", "loads", "pickles"),
    ("_pickle", "Unpickler", "pickles"),
    ("marshal", "loads", "code"),
    ("types", "FunctionType", "code"),
    ("types", "CodeType", "code"),
    ("runpy", "run_path", "imports"),
    ("pkgutil", "resolve_name", "imports"),
    ("pydoc", "locate", "imports"),
    ("ctypes", "CDLL", "C functions"),
    ("ctypes.util", "find_library", "C functions"),
    ("numpy.testing._private.utils", "runstring", "code"),
    ("numpy", "load", "opens"),
    ("numpy", "fromfile", "opens"),
    ("joblib", "load", "pickles"),
    ("joblib.numpy_pickle", "NDArrayWrapper", "opens"),
    ("torch", "load", "pickles"),
    ("torch.storage", "_load_from_bytes", "pickles"),
    ("pandas", "read_pickle", "pickles"),
    ("dill._dill", "_create_function", "makes"),
    ("cloudpickle.cloudpickle", "_make_skeleton_class", "makes"),
    ("webbrowser", "open", "programs"),
    ("logging.config", "listen", "imports"),
    ("socket", "socket", "connections"),
    ("urllib2", "urlopen", "connections"),
]
# What people list, and may.
HARMLESS = [
    ("os", "stat_result"),
    ("subprocess", "CalledProcessError"),
    ("commands", "CalledProcessError"),
    ("signal", "SIGTERM"),
    ("socket", "AF_INET"),
    ("collections", "OrderedDict"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("pathlib", "PosixPath"),
    ("urllib2", "URLError"),
    ("application", "system_of_units"),
]


@pytest.mark.parametrize(("module", "name", "power"), KNOWN)
def test_a_name_that_hands_out_power_is_known_with_its_reason(module, name, power):
    assert power in (danger(module, name) or "nothing")


@pytest.mark.parametrize(("module", "name"), HARMLESS)
def test_a_name_that_people_may_list_is_not_on_the_list(module, name):
    assert danger(module, name) is None
    assert telling(name) is None


def test_what_is_inside_of_a_class_on_the_list_is_on_it_too():
    assert danger("types", "FunctionType.inner") == danger("types", "FunctionType")
    assert danger("types", "FunctionTypes") is None


@pytest.mark.parametrize("name", ["eval", "Node.eval", "a.b.import_module", "loads", "system"])
def test_the_last_part_of_a_name_can_tell(name):
    assert telling(name)


def test_a_builtin_that_calls_is_no_danger_as_a_value():
    assert danger("builtins", "max", frozenset({"refer"})) is None
    assert danger("builtins", "max", frozenset({"call"}))
    assert danger("builtins", "eval", frozenset({"refer"}))


def test_what_reads_any_item_is_no_danger_where_the_policy_says_of_what():
    assert danger("operator", "getitem")
    assert danger("operator", "getitem", bounded=True) is None
    assert danger("operator", "attrgetter", bounded=True)


@pytest.mark.parametrize("verb", VERBS)
def test_what_the_process_shares_is_never_to_be_changed(verb):
    assert bool(shared("http", "HTTPStatus", frozenset({"call", verb}))) == (verb in {"build", "fill"})


@pytest.mark.parametrize("name", Policy.names())
def test_no_packaged_policy_lists_what_is_on_the_list(name):
    listed = [
        (module, called)
        for (module, called), grants in Policy.named(name).data.grants.items()
        for grant in grants
        if danger(module, called, grant.verbs, bounded=grant.args is not None) or shared(module, called, grant.verbs)
    ]
    assert listed == []


def test_every_reason_reads_as_the_rest_of_a_sentence():
    for module, name, _ in KNOWN:
        reason = danger(module, name, EVERY_VERB)
        assert reason
        assert reason[0].islower()
        assert not reason.endswith(".")


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not beside the checkout")
def test_what_the_corpus_says_no_policy_should_admit_is_on_the_list():
    never = {
        gadget.removeprefix("NO:")
        for row in manifest()
        for gadget in row.get("gadgets", ())
        if gadget.startswith("NO:")
    }
    assert len(never) > 20
    for dotted in never:
        module, _, name = dotted.rpartition(".")
        assert danger(module, name), dotted


def manifest() -> list[dict[str, Any]]:
    with tarfile.open(CORPUS) as archive:
        for member in archive:
            if member.name.endswith("manifest.jsonl"):
                content = archive.extractfile(member)
                assert content
                return [json.loads(line) for line in content.read().splitlines()]
    raise AssertionError("the corpus has no manifest")


# What does harm by itself.


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"), ("posix", "system"), ("__builtin__", "eval"), ("builtins", "getattr"),
        ("pathlib", "os.system"), ("torch.storage", "_load_from_bytes"), ("importlib", "import_module"),
        ("types", "CodeType"), ("pickle", "loads"),
        ("cloudpickle.cloudpickle", "_make_function"), ("dill._dill", "_create_code"), ("numpy", "memmap"),
        ("torch.compile", "inner"), ("webbrowser", "open"),
    ],
)  # fmt: skip
def test_what_does_harm_by_itself_is_a_gadget_for_the_reason_that_lint_gives(module, name):
    assert gadget(module, name)
    assert gadget(module, name) == danger(module, name)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("functools", "partial"), ("operator", "attrgetter"), ("operator", "methodcaller"), ("operator", "itemgetter"),
        ("_operator", "getitem"), ("builtins", "map"), ("__builtin__", "iter"), ("builtins", "property"),
        ("itertools", "groupby"), ("threading", "Thread"), ("concurrent.futures.process", "_CallItem"),
        ("numpy", "vectorize"), ("collections", "namedtuple"), ("dill._dill", "_load_type"), ("enum", "EnumMeta"),
    ],
)  # fmt: skip
def test_what_needs_another_name_is_never_listed_and_yet_no_gadget(module, name):
    assert danger(module, name)
    assert gadget(module, name) is None


def test_what_is_not_known_is_no_gadget():
    assert gadget("prices.model", "PriceModel") is None
    assert gadget("mylib", "site.Config") is None


def test_an_array_in_a_file_opens_it_only_when_it_is_called():
    assert gadget("numpy", "memmap", frozenset({"refer"})) is None
    assert gadget("numpy", "memmap", frozenset({"refer", "call"}))
