"""Learning: the least policy that admits the samples, without running them, without their payload."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import gzip
import io
import pickle
import sys
import tarfile
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import safepickle
from safepickle.errors import PolicyError
from safepickle.policy import Policy
from safepickle.policy.learn import Learned, document, study
from safepickle.policy.lint import lint
from safepickle.policy.powers import danger, shared
from safepickle.scanner import scan
from tests import readers, strategies, victims
from tests.assembler import asm
from tests.make_attacks import FOLDER, Attack, attacks
from tests.programs import Program

DATA = Path(__file__).parent / "data"
VALID = sorted((DATA / "valid").glob("*.pkl"))
CORPUS = Path(__file__).parent.parent.parent / "shared" / "corpus" / "benign.tar.xz"
ATTACKS = [attack for attack in attacks() if not attack.generated][::15]
PLAIN = Policy.named("plain")

ORDER = {
    "id": uuid.UUID(int=7),
    "placed": [dt.datetime(2024, 3, 1, tzinfo=dt.UTC), dt.date(2024, 3, 2)],
    "prices": collections.OrderedDict(lamp=decimal.Decimal("59.00")),
}


def read_back(learned: Learned) -> Policy:
    """The policy that the text of what was learned means."""
    return Policy.from_yaml(document(learned))


def is_admitted(data: bytes, policy: Policy) -> bool:
    return scan(data, policy=policy).ok


def without_each_line(text: str) -> Iterator[tuple[str, str]]:
    """Each line that grants something, with the text that lacks it."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith("limits:"):
            break  # what follows narrows
        if not line.lstrip().startswith("#"):
            yield line, "".join(lines[:number] + lines[number + 1 :])


def assert_every_line_is_needed(data: bytes, text: str) -> None:
    for line, rest in without_each_line(text):
        try:
            policy = Policy.from_yaml(rest)
        except PolicyError:
            continue
        assert not is_admitted(data, policy), f"not needed: {line}"


def assert_is_the_least(data: bytes) -> None:
    learned = study([data])
    assert learned.problems == ()
    assert learned.withheld == ()
    text = document(learned)
    policy = Policy.from_yaml(text)
    assert policy == learned.policy
    assert is_admitted(data, policy)
    assert_every_line_is_needed(data, text)


# What is learned


@pytest.mark.parametrize("path", VALID[::20], ids=lambda path: path.stem)
def test_a_pickle_is_admitted_by_what_is_learned_from_it_and_by_nothing_less(path):
    assert_is_the_least(path.read_bytes())


@settings(max_examples=10)
@given(strategies.objects())
def test_any_object_is_admitted_by_what_is_learned_from_it_and_by_nothing_less(value):
    for protocol in (2, 4):
        data = pickle.dumps(value, protocol)
        learned = study([data])
        # functools.partial and its like are values that no policy should admit.
        if b"functools" in data or b"operator" in data:
            assert read_back(learned) == learned.policy
        else:
            assert_is_the_least(data)


@settings(max_examples=20)
@given(strategies.programs())
def test_any_program_that_a_policy_admits_is_admitted_by_what_is_learned_from_it(program: Program):
    with readers.prepared():
        learned = study([program.data])
        policy = read_back(learned)
        assert policy == learned.policy
        if not learned.problems and not learned.withheld:
            assert is_admitted(program.data, policy)


@pytest.mark.parametrize("protocol", range(6))
def test_what_was_learned_from_a_pickle_loads_it(protocol):
    data = pickle.dumps(ORDER, protocol)
    policy = Policy.learn([data])
    assert safepickle.loads(data, policy=policy) == ORDER
    with pytest.raises(safepickle.Forbidden):
        safepickle.loads(data)


def test_samples_are_bytes_paths_and_files(tmp_path):
    data = pickle.dumps(ORDER, 4)
    (tmp_path / "order.pkl").write_bytes(data)
    ways = [data, bytearray(data), str(tmp_path / "order.pkl"), tmp_path / "order.pkl", io.BytesIO(data)]
    assert len({Policy.learn([way]) for way in ways}) == 1


@pytest.mark.parametrize("samples", ["a.pkl", b"N.", Path("a.pkl")])
def test_one_sample_is_not_taken_for_a_list_of_them(samples):
    with pytest.raises(TypeError, match=r"write \[sample\]"):
        Policy.learn(samples)


def test_a_file_that_gives_text_is_refused():
    with pytest.raises(TypeError, match="binary mode"):
        Policy.learn([io.StringIO("N.")])


def test_nothing_but_built_in_types_needs_no_grant():
    learned = study([pickle.dumps({"a": [1, 2.5, None, {3}, (b"x",)]}, 4)])
    assert learned.entries == ()
    assert learned.policy.data.grants == PLAIN.data.grants


def test_a_policy_is_learned_from_a_live_object():
    policy = Policy.from_object(ORDER)
    assert safepickle.loads(safepickle.dumps(ORDER), policy=policy) == ORDER
    assert policy == Policy.learn([safepickle.dumps(ORDER)])


def test_every_pickle_in_a_file_is_learned_from():
    both = pickle.dumps(uuid.UUID(int=1), 4) + pickle.dumps(decimal.Decimal(1), 4)
    learned = study([both])
    assert {entry.name for entry in learned.entries} == {("uuid", "UUID"), ("decimal", "Decimal")}
    assert learned.pickles == 2


def test_more_samples_never_admit_less():
    one, other = pickle.dumps(ORDER, 4), pickle.dumps([decimal.Decimal(1), dt.time(3)], 2)
    policy = Policy.learn([one, other])
    assert is_admitted(one, policy)
    assert is_admitted(other, policy)


def grant_of(data: bytes | list[bytes], module: str, name: str) -> str:
    [entry] = [one for one in study(data if isinstance(data, list) else [data]).entries if one.name == (module, name)]
    return entry.text


CALL_RECORD = [("GLOBAL", "tests.victims", "record")]


def test_only_the_verbs_that_were_used_are_granted():
    assert grant_of(asm(*CALL_RECORD, "STOP"), "tests.victims", "record") == "record: {use: [refer]}"
    assert "use: [call]" in grant_of(asm(*CALL_RECORD, "EMPTY_TUPLE", "REDUCE", "STOP"), "tests.victims", "record")


def test_the_attributes_of_a_state_are_listed():
    assert "attributes: [int]" in grant_of(pickle.dumps(uuid.UUID(int=3), 4), "uuid", "UUID")


def called_with(*arguments: Any) -> bytes:
    return asm(*CALL_RECORD) + pickle.dumps(arguments, 0)[:-1] + asm("REDUCE", "STOP")


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        ([7], "{int: [0, 255]}"),
        ([7, 256], "{int: [0, 65535]}"),
        ([-1], "{int: [-128, 127]}"),
        ([2**40], "{int: [0, 18446744073709551615]}"),
        ([2**70], "int"),
        ([True], "bool"),
        ([None, 2.5], "{any_of: [none, float]}"),
        (["secret"], "str"),
        (["latin1"] * 4, '{is: "latin1"}'),
        (["a long text that is no word"] * 4, "str"),
        ([[1, 2]], "{list: {int: [0, 255]}}"),
        ([[]], "list"),
        ([(1, None)], "[{int: [0, 255]}, none]"),
        ([{"a": 1.5}], "{dict: [str, float]}"),
    ],
)
def test_a_pattern_is_as_narrow_as_the_samples_justify(values, pattern):
    samples = [called_with(value) for value in values]
    assert f"args: [[{pattern}]]" in grant_of(samples, "tests.victims", "record")


def test_payload_does_not_get_into_a_policy():
    secret = "hunter2 and a passphrase"
    data = pickle.dumps([decimal.Decimal(1), {"password": secret}], 4) + called_with(secret, {secret: secret}, [secret])
    assert "hunter2" not in document(study([data] * 5))


def test_a_container_that_changes_late_is_not_looked_into():
    late = asm(
        *CALL_RECORD, "EMPTY_LIST", ("BINPUT", 1), "TUPLE1", "REDUCE", ("BINGET", 1), ("BININT1", 1), "APPEND",
        "TUPLE2", "STOP",
    )  # fmt: skip
    assert_is_the_least(late)


def test_persistent_ids_are_accepted_by_their_shape():
    data = b"\x80\x02" + asm(
        "MARK", ("BINUNICODE", "storage"), ("BININT1", 3), "TUPLE", "BINPERSID", "STOP"
    )
    learned = study([data])
    text = document(learned)
    assert "accept: [persistent_ids]" in text
    assert "persistent:\n  - [str, {int: [0, 255]}]\n" in text
    assert is_admitted(data, Policy.from_yaml(text))
    other = b"\x80\x02" + asm(("BINUNICODE", "storage"), "BINPERSID", "STOP")
    assert not is_admitted(other, Policy.from_yaml(text))


def test_buffers_are_accepted_by_name():
    data = pickle.dumps(pickle.PickleBuffer(bytearray(9)), 5, buffer_callback=[].append)
    learned = study([data])
    assert learned.accept == ("buffers",)
    assert is_admitted(data, read_back(learned))


def test_the_base_of_a_reconstructor_is_learned():
    data = asm(
        ("GLOBAL", "copyreg", "_reconstructor"), "MARK", ("GLOBAL", "tests.victims", "Plain"),
        ("GLOBAL", "datetime", "tzinfo"), "NONE", "TUPLE", "REDUCE", "STOP",
    )  # fmt: skip
    learned = study([data])
    assert "base: datetime.tzinfo" in document(learned)
    assert is_admitted(data, read_back(learned))


def test_of_several_bases_the_one_that_has_to_be_listed_is():
    def made(base: tuple[str, str]) -> bytes:
        return asm(
            ("GLOBAL", "copyreg", "_reconstructor"), "MARK", ("GLOBAL", "tests.victims", "Plain"), ("GLOBAL", *base),
            "NONE", "TUPLE", "REDUCE",
        )  # fmt: skip

    data = made(("builtins", "object")) + made(("datetime", "tzinfo")) + asm("TUPLE2", "STOP")
    assert is_admitted(data, Policy.learn([data]))


def test_limits_leave_room():
    nested: list[Any] = []
    for _ in range(60):
        nested = [nested]
    assert study([pickle.dumps(nested, 4)]).policy.limits.depth == 4 * 61


def test_a_comment_says_where_a_name_was_seen_first_and_how_often(tmp_path):
    path = tmp_path / "ids.pkl"
    path.write_bytes(pickle.dumps([uuid.UUID(int=1), uuid.UUID(int=2)], 4))
    [entry] = study([path]).entries
    position = path.read_bytes().index(b"\x93")
    assert entry.comment() == f"refer 1x, new 2x, build 2x, first in {path} at byte {position}"
    assert f"    # {entry.comment()}\n    - {entry.text}\n" in document(study([path]))


def test_what_lint_asks_about_an_entry_is_asked_beside_it():
    data = asm(
        ("GLOBAL", "application", "_reconstruct"), "EMPTY_TUPLE", "REDUCE", "EMPTY_DICT", ("BINUNICODE", "a"), "NONE",
        "SETITEM", "BUILD", ("GLOBAL", "application", "loads"), "EMPTY_TUPLE", "REDUCE", "TUPLE2", "STOP",
    )  # fmt: skip
    learned = study([data])
    text = document(learned)
    assert "    # To be judged: it is called, by its name a function, and then changed (build): " in text
    assert "    # To be judged: it by its name it reads pickles by itself" not in text
    assert "    # To be judged: by its name it reads pickles by itself" in text
    assert text.count("To be judged") == len(lint(learned.policy)) == 2


def test_a_sample_beyond_a_limit_is_learned_from_where_the_base_names_a_wider_one():
    data = b"]" * 1200 + b"a" * 1199 + b"."
    [problem] = study([data]).problems
    assert "name a wider one under `limits`" in str(problem)
    base = Policy.from_yaml("safepickle: 1\nlimits: {depth: 2000}")
    assert study([data], base).problems == ()


def test_what_is_learned_is_the_same_each_time_and_in_every_order():
    samples = [path.read_bytes() for path in VALID[:60:10]]
    assert study(samples).policy == study(samples[::-1]).policy


# What is not


def test_a_name_that_no_policy_should_list_is_withheld_and_said():
    learned = study([asm(("GLOBAL", "os", "system"), ("UNICODE", "true"), "TUPLE1", "REDUCE", "STOP")])
    assert learned.entries == ()
    [withheld] = learned.withheld
    assert (withheld.name, withheld.verbs, withheld.position) == (("os", "system"), ("call",), 0)
    assert "# Not granted: os.system (call), first in sample 1 at byte 0: " in document(learned)
    with pytest.raises(PolicyError, match=r"not granted: os\.system"):
        Policy.learn([asm(("GLOBAL", "os", "system"), ("UNICODE", "true"), "TUPLE1", "REDUCE", "STOP")])


def test_members_of_an_enumeration_are_not_to_be_changed_by_what_is_learned():
    data = asm(
        ("GLOBAL", "http", "HTTPStatus"), ("BININT1", 200), "TUPLE1", "REDUCE", "EMPTY_DICT", ("BINUNICODE", "x"),
        "NONE", "SETITEM", "BUILD", "STOP",
    )  # fmt: skip
    assert [gone.name for gone in study([data]).withheld] == [("http", "HTTPStatus")]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.file)
def test_learning_from_an_attack_runs_nothing_and_grants_no_power(attack: Attack):
    tripped = "tests.tripwire" in sys.modules
    before = list(victims.RAN)
    learned = study([(FOLDER / attack.file).read_bytes()])
    assert list(victims.RAN) == before
    assert ("tests.tripwire" in sys.modules) == tripped
    for name, grants in learned.added.grants.items():
        for grant in grants:
            assert danger(*name, grant.verbs) is None
            assert shared(*name, grant.verbs) is None
    text = document(learned)
    assert Policy.from_yaml(text) == learned.policy
    assert text.replace("\n", "").isprintable()
    assert not [remark for remark in lint(learned.policy) if remark.rule in {"never-grant", "shared-target"}]


def test_the_attacks_above_meet_what_is_withheld_and_what_cannot_be_learned():
    outcomes = [study([(FOLDER / attack.file).read_bytes()]) for attack in ATTACKS]
    assert any(learned.withheld for learned in outcomes)
    assert any(learned.problems for learned in outcomes)
    assert any(learned.entries for learned in outcomes)


HOSTILE = [
    "a\nallow:",
    "\x1b[31m",
    "\u202e",
    "a: b",
    "- x",
    "#",
    "{}",
    "*",
    "\ufb01",
    "x" * 1001,
    "",
    "a b",
    "a..b",
    "'",
    '"',
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("place", ["module", "name"])
def test_a_name_that_is_none_cannot_get_into_the_text(name, place):
    names = (name, "x") if place == "module" else ("x", name)
    data = b"\x80\x04" + asm(*(("BINUNICODE", part) for part in names), "STACK_GLOBAL", "STOP")
    learned = study([data])
    assert learned.entries == ()
    assert learned.withheld or learned.problems
    text = document(learned)
    assert text.replace("\n", "").isprintable()
    assert Policy.from_yaml(text) == learned.policy
    assert len(text) < 3000


@pytest.mark.parametrize("path", ["order\n- x.pkl", "\x1b[31m.pkl", "a #.pkl"])
def test_the_name_of_a_sample_cannot_get_out_of_its_comment(tmp_path, path):
    (tmp_path / path).write_bytes(pickle.dumps(uuid.UUID(int=7), 4))
    learned = study([tmp_path / path])
    assert read_back(learned) == learned.policy
    assert len(document(learned).splitlines()) == 8


@pytest.mark.parametrize("data", [b"", b"no pickle\n", b"\x80\x04cuuid\nUUID\n(K\x01", b"PK\x03\x04", b"N.rest"])
def test_what_cannot_be_judged_is_a_problem_and_no_silence(data):
    learned = study([data])
    assert learned.problems
    assert "# Not learned: sample 1" in document(learned)
    with pytest.raises(PolicyError):
        Policy.learn([data])


def test_what_no_policy_can_grant_is_a_problem():
    changing_a_class = asm(("GLOBAL", "uuid", "UUID"), "EMPTY_DICT", "BUILD", "STOP")
    assert "would change a global uuid.UUID" in str(study([changing_a_class]).problems[0])


def test_a_pickle_in_a_string_is_said_and_not_learned():
    inner = pickle.dumps(uuid.UUID(int=7), 4)
    learned = study([pickle.dumps([inner], 4)])
    assert learned.entries == ()
    assert any("uuid.UUID" in str(problem) for problem in learned.problems)


def test_nothing_is_learned_onto_the_unrestricted_policy():
    with pytest.raises(PolicyError, match="nothing to learn"):
        Policy.learn([b"N."], base=Policy.unrestricted())


def test_a_name_that_the_base_denies_is_not_learned():
    base = Policy.from_yaml("safepickle: 1\ndeny: {uuid: [UUID]}")
    learned = study([pickle.dumps(uuid.UUID(int=7), 4)], base)
    assert learned.entries == ()
    assert any("denies uuid.UUID" in str(problem) for problem in learned.problems)


def test_only_what_the_base_does_not_admit_is_learned():
    data = pickle.dumps(ORDER, 4)
    assert study([data], Policy.named("stdlib")).entries == ()
    base = Policy.from_yaml("safepickle: 1\nallow: {decimal: [Decimal], uuid: [{UUID: {use: [new]}}]}")
    learned = study([data], base)
    assert ("decimal", "Decimal") not in {entry.name for entry in learned.entries}
    assert [entry.text for entry in learned.entries if entry.name[0] == "uuid"] == [
        "UUID: {use: [build], attributes: [int]}"
    ]
    assert is_admitted(data, learned.policy)


# The corpus


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not beside the checkout")
def test_what_is_learned_from_real_files_admits_them_or_says_why_not():
    admitted = 0
    for name, data in real_files():
        learned = study([data])
        policy = read_back(learned)
        assert policy == learned.policy, name
        if learned.withheld or learned.problems:
            continue
        assert is_admitted(data, policy), name
        assert_every_line_is_needed(data, document(learned))
        assert not [remark for remark in lint(policy) if remark.severity == "error"], name
        admitted += 1
    assert admitted > 4


def real_files() -> Iterator[tuple[str, bytes]]:
    with tarfile.open(CORPUS) as archive:
        for number, member in enumerate(archive):
            if number % 330 == 40 and member.isfile() and member.size < 10_000:
                content = archive.extractfile(member)
                assert content
                yield member.name, content.read()


# Containers


def zipped(**files: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"{name}.pkl", data)
    return held.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped(a=pickle.dumps(1), b=data)], ids=["gzip", "zip"])
def test_what_stands_in_a_container_is_learned_from_as_if_it_stood_alone(pack):
    plain = pickle.dumps(ORDER, 4)
    alone = study([plain])
    within = study([pack(plain)])
    assert (within.withheld, within.problems) == ((), ())
    assert [entry.text for entry in within.entries] == [entry.text for entry in alone.entries]
    assert [entry.position for entry in within.entries] == [entry.position for entry in alone.entries]
    assert all(entry.sample.startswith("sample 1!/") for entry in within.entries)
    assert is_admitted(pack(plain), read_back(within))
    assert_every_line_is_needed(pack(plain), document(within))
    assert lint(read_back(within), samples=[pack(plain)]) == ()


@pytest.mark.parametrize("path", sorted((DATA / "containers").glob("*.joblib")), ids=lambda path: path.name)
def test_the_arrays_of_joblib_are_passed_over_and_what_is_nested_in_them_is_learned(path):
    if "lz4" in path.name:
        pytest.importorskip("lz4")
    learned = study([path])
    evil = path.name.startswith("evil")
    assert bool(learned.withheld) is evil
    if not evil:
        assert learned.problems == ()
        assert scan(path, policy=read_back(learned)).ok
        assert {"NumpyArrayWrapper"} <= {entry.name[1] for entry in learned.entries}


def test_what_no_policy_should_list_is_withheld_in_a_container_too():
    learned = study([gzip.compress(asm(("GLOBAL", "os", "system"), "STOP"))])
    assert [gone.name for gone in learned.withheld] == [("os", "system")]
    assert learned.entries == ()
