"""What is told of a pickle: that it is what happens, that all of it is judged, and that it is bounded."""

from __future__ import annotations

import collections
import datetime as dt
import functools
import gzip
import json
import pickle
import tracemalloc
import uuid
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import safepickle
from safepickle import opcodes
from safepickle.disassemble import disassemble
from safepickle.narrate import MOST_PICKLES, Explanation, Narrative, Step, explain
from safepickle.policy import Policy
from safepickle.scanner import scan
from tests import make_containers as made
from tests import strategies
from tests.assembler import asm

PLAIN = Policy.named("plain")
DATA = Path(__file__).parent / "data"
VALID = sorted((DATA / "valid").glob("*.pkl"))
STREAMS = [path for path in sorted(DATA.rglob("*.pkl"))[::12] if path.stat().st_size < 20_000]
STREAMS += sorted((DATA / "attacks").rglob("*.pkl"))[::5]
EVIL = b"cos\nsystem\n(Vid\ntR."


def one(data: bytes, *, policy: object = PLAIN, limit: int = 100) -> Narrative:
    (told,) = explain(data, policy=policy, limit=limit).pickles
    return told


def told(data: bytes, *, policy: object = PLAIN, limit: int = 100) -> list[str]:
    """The texts of the steps, and what is returned."""
    narrative = one(data, policy=policy, limit=limit)
    return [step.text for step in narrative.steps] + [f"return {narrative.result}"]


def texts(explanation: Explanation) -> list[str]:
    shown = []
    for pickled in explanation.pickles:
        shown += [step.text for step in pickled.steps] + [pickled.result or "", *pickled.problems]
        shown += [text for step in pickled.steps for why in step.refused for text in (why.reason, why.yaml, why.advice)]
    return shown


# -- What is told ------------------------------------------------------------------------------------------------------


def test_names_are_imported_calls_are_made_and_results_have_names():
    assert told(b"cos\nsystem\n(Vrm -r ~\ntR.") == [
        "from os import system",
        "system_1 = system('rm -r ~')",
        "return system_1",
    ]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_an_instance_is_made_and_given_its_state(protocol):
    data = pickle.dumps(uuid.UUID(int=7), protocol)
    assert told(data) == [
        "from uuid import UUID",
        "uuid_1 = UUID.__new__(UUID)",
        "uuid_1.__setstate__({'int': 7})",
        "return uuid_1",
    ]


def test_what_is_built_of_what_is_told_in_its_order():
    data = pickle.dumps([dt.datetime(2024, 2, 29, tzinfo=dt.timezone(dt.timedelta(hours=1))), dt.date(2024, 1, 1)], 4)
    assert told(data) == [
        "from datetime import datetime",
        "from datetime import timezone",
        "from datetime import timedelta",
        "timedelta_1 = timedelta(0, 3600, 0)",
        "timezone_1 = timezone(timedelta_1)",
        r"datetime_1 = datetime(b'\x07\xe8\x02\x1d\x00\x00\x00\x00\x00\x00', timezone_1)",
        "from datetime import date",
        r"date_1 = date(b'\x07\xe8\x01\x01')",
        "return [datetime_1, date_1]",
    ]


def test_items_that_an_instance_is_filled_with_are_told():
    made_of = ("GLOBAL", "m", "C"), "EMPTY_TUPLE", "NEWOBJ"
    pairs = "MARK", ("BININT1", 1), ("BININT1", 2), "SETITEMS", ("BININT1", 3), ("BININT1", 4), "SETITEM"
    items = "MARK", ("BININT1", 5), ("BININT1", 6), "APPENDS", ("BININT1", 7), "APPEND"
    members = "MARK", ("BININT1", 8), "ADDITEMS"
    assert told(asm(("PROTO", 4), *made_of, *pairs, *items, *members, "STOP"))[2:-1] == [
        "c_1.update({1: 2})",
        "c_1[3] = 4",
        "c_1.extend([5, 6])",
        "c_1.append(7)",
        "c_1.update({8})",
    ]


def test_keywords_and_classes_without_init_are_told():
    data = asm(("PROTO", 4), ("GLOBAL", "m", "C"), ("BININT1", 1), "TUPLE1", "EMPTY_DICT", ("BINUNICODE", "k"), "NONE",
               "SETITEM", "NEWOBJ_EX", "MARK", ("INST", "m", "C"), "TUPLE2", "STOP")  # fmt: skip
    assert told(data) == [
        "from m import C",
        "c_1 = C.__new__(C, 1, **{'k': None})",
        "c_2 = C.__new__(C)",
        "return (c_1, c_2)",
    ]


def test_a_method_is_told_by_what_it_is_bound_to():
    inner = ("GLOBAL", "builtins", "getattr"), ("GLOBAL", "m", "C"), "EMPTY_TUPLE", "NEWOBJ", ("BINUNICODE", "go")
    data = asm(("PROTO", 2), *inner, "TUPLE2", "REDUCE", "EMPTY_TUPLE", "REDUCE", "STOP")
    assert told(data) == [
        "from m import C",
        "c_1 = C.__new__(C)",
        "getattr(c_1, 'go')",
        "go_1 = c_1.go()",
        "return go_1",
    ]


def test_what_an_instance_is_called_for_is_told_though_no_policy_grants_it():
    data = asm(("GLOBAL", "m", "C"), "EMPTY_TUPLE", "NEWOBJ", ("BININT1", 1), "TUPLE1", "REDUCE", "STOP")
    step = one(b"\x80\x02" + data).steps[-1]
    assert step.text == "object_1 = c_1(1)"
    assert [why.advice for why in step.refused] == ["no policy can grant this"]


def test_what_the_application_is_asked_for_is_told():
    data = asm(("PROTO", 5), ("BINUNICODE", "key"), "BINPERSID", "NEXT_BUFFER", ("PERSID", "x"), "TUPLE3", "STOP")
    narrative = one(data)
    assert [step.text for step in narrative.steps] == [
        "persistent_1 = persistent_load('key')",
        "buffer_1 = next(buffers)",
        "persistent_2 = persistent_load('x')",
    ]
    assert narrative.result == "(persistent_1, buffer_1, persistent_2)"
    assert dict(narrative.uses) == {"persistent": 2, "buffer": 1}
    assert [why.yaml for step in narrative.steps for why in step.refused] == [
        "accept: [persistent_ids]", "accept: [buffers]", "accept: [persistent_ids]",
    ]  # fmt: skip


def test_an_object_that_is_met_more_than_once_has_a_name_and_is_told_once():
    shared = [1]
    data = pickle.dumps([shared, shared, {"a": shared}])
    assert told(data) == ["list_1 = [1]", "return [list_1, list_1, {'a': list_1}]"]


def test_what_holds_itself_is_told():
    holder: dict[str, object] = {}
    holder["self"] = holder
    assert told(pickle.dumps(holder)) == ["dict_1 = {'self': dict_1}", "return dict_1"]


def test_what_grows_once_it_was_told_is_told_to_have_grown():
    grows: list[object] = []
    grows.append(functools.partial(print, grows))
    data = asm(("PROTO", 4), "EMPTY_LIST", "MEMOIZE", ("GLOBAL", "m", "f"), ("BINGET", 0), "TUPLE1", "REDUCE", "APPEND",
               "STOP")  # fmt: skip
    assert told(data) == ["from m import f", "list_1 = []", "f_1 = f(list_1)", "list_1 += [f_1]", "return list_1"]


def test_names_that_are_the_same_in_two_modules_are_told_apart():
    calls = [step for module in "ab" for step in (("GLOBAL", module, "C"), "EMPTY_TUPLE", "REDUCE")]
    data = asm(*calls, "TUPLE2", "STOP")
    assert told(data) == ["from a import C", "c_1 = C()", "from b import C as C_2", "c_2 = C_2()", "return (c_1, c_2)"]


def test_a_class_cannot_be_taken_for_an_object():
    data = asm(("GLOBAL", "a", "C"), "EMPTY_TUPLE", "REDUCE", ("GLOBAL", "b", "c_1"), "TUPLE2", "STOP")
    assert told(data)[-2:] == ["from b import c_1 as c_2", "return (c_1, c_2)"]


@pytest.mark.parametrize("protocol", range(6))
def test_protocol_helpers_are_told_as_what_they_stand_for(protocol):
    data = pickle.dumps([collections.OrderedDict(a=1), b"bytes", slice(1, 2), {3}], protocol)
    shown = "\n".join(told(data, policy="stdlib"))
    assert "_reconstructor" not in shown
    assert "_codecs" not in shown
    assert "b'bytes'" in shown


def test_every_packaged_kind_of_pickle_has_its_protocol_and_its_size():
    narrative = one(pickle.dumps([(1, [2])], 3))
    assert (narrative.protocol, narrative.objects, narrative.depth) == (3, 3, 3)
    assert narrative.member.opcodes == sum(1 for _ in disassemble(pickle.dumps([(1, [2])], 3)))


# -- Who judges --------------------------------------------------------------------------------------------------------


def test_each_step_that_is_refused_says_why_and_what_would_admit_it():
    data = pickle.dumps([uuid.UUID(int=7), uuid.UUID(int=8)], 4)
    steps = one(data).steps
    assert all(step.refused for step in steps)
    assert {why.yaml for step in steps for why in step.refused} == {
        "allow: {uuid: [UUID: {use: [new, build], args: [[]], attributes: [int]}]}"
    }
    assert [step.refused[0].verb for step in steps] == ["refer", "new", "build", "new", "build"]
    assert steps[3].refused[0].reason == f"as at byte {steps[1].position}"


def test_what_no_policy_should_list_is_not_advised():
    narrative = one(EVIL)
    assert narrative.yaml == ""
    assert all(why.yaml == "" and "starts programs" in why.advice for step in narrative.steps for why in step.refused)


def test_arguments_that_a_grant_does_not_admit_are_refused_with_what_would():
    policy = Policy.from_yaml("safepickle: 1\nallow: {m: [f: {use: [call], args: [[str]]}]}")
    data = asm(("GLOBAL", "m", "f"), ("BININT1", 1), "TUPLE1", "REDUCE", "STOP")
    imported, called = one(data, policy=policy).steps
    assert not imported.refused
    (why,) = called.refused
    assert (why.rule, why.yaml) == ("condition", "allow: {m: [f: {use: [call], args: [[{int: [0, 255]}]]}]}")


def test_what_the_policy_denies_is_said_to_be_denied():
    policy = Policy.from_yaml("safepickle: 1\nallow: {m: [f]}\ndeny: {m: [f]}")
    (step,) = one(asm(("GLOBAL", "m", "f"), "STOP"), policy=policy).steps
    assert [why.advice for why in step.refused] == ["the policy denies it"]


@pytest.mark.parametrize("path", VALID[::9], ids=lambda path: path.name)
def test_the_policy_that_is_advised_admits_the_pickle(path):
    explanation = explain(path, policy=PLAIN)
    advised = [pickled.yaml for pickled in explanation.pickles if pickled.yaml]
    assert bool(advised) == (explanation.report.verdict == "forbidden")
    assert scan(path, policy=[PLAIN, *map(Policy.from_yaml, advised)]).ok


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)
def test_every_refusal_is_told_at_a_step_of_its_opcode(path):
    data = path.read_bytes()
    explanation = explain(data, policy=PLAIN, limit=2000)
    at = {line.position: line.opcode for pickled in explanation.pickles
          for line in disassemble(data, pickled.member.start)}  # fmt: skip
    for pickled in explanation.pickles:
        for step in pickled.steps:
            if step.kind in OPCODES and step.position in at:
                assert at[step.position] in OPCODES[step.kind], step
    refused = {why.reason for pickled in explanation.pickles for step in pickled.steps for why in step.refused}
    wanted = {"not-granted", "condition", "provenance", "not-accepted"}
    assert {finding.message for finding in explanation.report.findings if finding.rule in wanted} <= refused


OPCODES = {
    "import": {"GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4", "REDUCE", "BINPERSID", "PERSID"},
    "attribute": {"REDUCE"},
    "call": {"REDUCE", "INST", "OBJ", "STACK_GLOBAL"},
    "new": {"NEWOBJ", "NEWOBJ_EX", "REDUCE", "INST", "OBJ"},
    "state": {"BUILD"},
    "fill": {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS"},
    "persistent": {"PERSID", "BINPERSID"},
    "buffer": {"NEXT_BUFFER"},
}


@pytest.mark.parametrize("name", made.CASES)
def test_a_source_is_judged_as_by_a_scan_and_each_of_its_pickles_is_told(name):
    data = made.CASES[name]().data
    explanation = explain(data, policy=PLAIN)
    assert explanation.report == scan(data, policy=PLAIN)
    members = [pickled.member for pickled in explanation.pickles]
    assert members == list(dict.fromkeys(explanation.report.members))[:MOST_PICKLES]
    assert explanation.untold == len(set(explanation.report.members)) - len(members)


@settings(max_examples=100)
@given(strategies.programs(wild=10))
def test_any_program_is_told_in_printable_words_as_far_as_it_is_judged(program):
    explanation = explain(program.data, policy="stdlib", limit=20)
    assert explanation.report == scan(program.data, policy="stdlib")
    for pickled in explanation.pickles:
        assert len(pickled.steps) <= 20
        if pickled.member.verdict == "forbidden":
            assert pickled.is_cut or pickled.problems or any(step.refused for step in pickled.steps)
        if pickled.member.verdict == "pass":
            assert pickled.result is not None
            assert not any(step.refused for step in pickled.steps)
    assert all(text.isprintable() and len(text) < 20_000 for text in texts(explanation))


@settings(max_examples=100)
@given(st.binary(max_size=100))
def test_any_bytes_are_told_or_not(data):
    explanation = explain(data, policy=PLAIN)
    assert explanation.report == scan(data, policy=PLAIN)
    assert all(text.isprintable() for text in texts(explanation))


@pytest.mark.parametrize("data", [EVIL[:-1], EVIL[:-1] + b"\xff", EVIL[:-1] + b"Nr\xff\xff\xff\x7f."])
def test_a_pickle_that_breaks_is_told_as_far_as_it_goes(data):
    narrative = one(data)
    assert [step.text for step in narrative.steps] == ["from os import system", "system_1 = system('id')"]
    assert narrative.result is None


def test_what_is_wrong_with_a_pickle_is_told_with_its_place():
    narrative = one(b"cbuiltins\nset\n(]tR]Nr\xff\xff\xff\x7f.")
    assert narrative.result is None
    (problem,) = narrative.problems
    assert "memo index" in problem
    assert problem.endswith("(byte 20)")


def test_a_policy_without_bounds_refuses_nothing():
    narrative = one(EVIL, policy=Policy.unrestricted())
    assert not any(step.refused for step in narrative.steps)
    assert narrative.yaml == ""


# -- Containers --------------------------------------------------------------------------------------------------------


def test_pickles_in_containers_are_told_by_their_names():
    inner = made.in_zip(("b.pkl", EVIL))
    explanation = explain(made.in_zip(("a.zip", inner), ("c.pkl", made.GOOD)), policy=PLAIN)
    assert [pickled.member.name for pickled in explanation.pickles] == ["a.zip!/b.pkl", "c.pkl"]
    assert explanation.pickles[0].steps[0].text == "from os import system"


@pytest.mark.parametrize(("member", "count"), [("a.zip", 1), ("a.zip!/b.pkl", 1), ("c.pkl", 1), ("a", 0), ("", 0)])
def test_a_member_is_chosen_by_its_name_with_what_is_in_it(member, count):
    inner = made.in_zip(("b.pkl", EVIL))
    explanation = explain(made.in_zip(("a.zip", inner), ("c.pkl", made.GOOD)), policy=PLAIN, member=member)
    assert (len(explanation.pickles), explanation.untold) == (count, 0)


def test_a_pickle_in_a_string_is_told_at_its_place():
    data = pickle.dumps([b"...." + made.EVIL], 4)
    explanation = explain(data, policy=PLAIN)
    assert [pickled.member.start for pickled in explanation.pickles] == [0, data.index(made.EVIL)]
    assert explanation.pickles[1].steps[0].position == data.index(made.EVIL) + 2


@pytest.mark.parametrize("protocol", [2, 4])
def test_mere_data_of_a_large_file_is_told_as_it_is_in_memory(tmp_path, protocol):
    path = tmp_path / "large"
    data = pickle.dumps([{"id": number, "name": f"user {number}"} for number in range(60_000)], protocol)
    path.write_bytes(data + pickle.dumps([bytes(2 << 20), dt.date(2024, 2, 29)], protocol) + pickle.dumps("x"))
    large, small = explain(path, limit=20), explain(path.read_bytes(), limit=20)
    assert texts(large) == texts(small)
    assert [found.member for found in large.pickles] == list(scan(path).members)


def test_a_pickle_in_a_string_of_a_large_file_is_told_at_its_place(tmp_path):
    data = pickle.dumps([b"\xff" * (2 << 20), b"...." + made.EVIL], 4)
    path = tmp_path / "large"
    path.write_bytes(data)
    assert [step.position for step in explain(path, policy=PLAIN).pickles[1].steps] == [
        data.index(made.EVIL) + 2, data.index(made.EVIL) + 23,
    ]  # fmt: skip


def test_nothing_is_told_that_was_not_judged():
    """Of a long text in a packed stream only the beginning is there the second time: the pass would go on."""
    text = ("a" * 70_000 + "\u20ac").encode()
    encoded = b"c_codecs\nencode\nX" + len(text).to_bytes(4, "little") + text + b"X\6\0\0\0latin1\x86R"
    (narrative,) = explain(gzip.compress(b"\x80\x02" + encoded + b"0" + EVIL), policy=PLAIN).pickles
    assert "latin1 cannot encode" in narrative.problems[0]
    assert narrative.steps == ()


def test_more_pickles_than_anybody_reads_are_counted():
    explanation = explain(made.GOOD * (MOST_PICKLES + 20), policy=PLAIN)
    assert (len(explanation.pickles), explanation.untold) == (MOST_PICKLES, 20)


def test_what_joblib_writes_between_arrays_is_told_to_its_end():
    shape = b"X\5\0\0\0shapeK\x1e\x85"
    dtype = b"X\5\0\0\0dtypecnumpy\ndtype\nX\2\0\0\0u1\x85R"
    head = b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(" + shape + dtype + b"ub"
    narrative = explain(head + b"bReads\n" * 4 + b"xx" + b"cos\nsystem\n(Vid\ntR.", policy=PLAIN).pickles[0]
    assert [step.text for step in narrative.steps][-2:] == ["from os import system", "system_1 = system('id')"]
    assert narrative.steps[-2].position == len(head) + 30


def test_what_is_packed_is_not_unpacked_again_for_its_payloads():
    data = gzip.compress(pickle.dumps([bytes(3 << 20), "x" * (3 << 20), uuid.UUID(int=1)], 4), 1)
    policy = Policy.from_yaml("safepickle: 1\nallow: {uuid: [UUID]}\nlimits: {unpacked: 7 MiB}")
    explanation = explain(data, policy=policy)
    assert explanation.ok
    assert explanation.report == scan(data, policy=policy)
    assert explanation.pickles[0].result == f"[b''... ({3 << 20} bytes), {'x' * 60!r}... ({3 << 20} bytes), uuid_1]"


# -- Bounds ------------------------------------------------------------------------------------------------------------


def test_so_many_steps_are_told_and_the_others_are_counted():
    data = pickle.dumps([dt.date(2000 + n // 28, 1, 1 + n % 28) for n in range(1000)], 4)
    narrative = one(data, limit=7)
    assert (len(narrative.steps), narrative.is_cut) == (7, True)
    assert dict(narrative.uses) == {"refer": 1, "call": 1000}
    assert narrative.result is not None
    assert narrative.result.endswith("... 988 more]")
    assert one(data, limit=0).steps == ()


def test_a_laughing_list_is_told_in_a_few_words():
    laughs: list[object] = []
    for _ in range(60):
        laughs = [laughs] * 10
    narrative = one(pickle.dumps(laughs), limit=100)
    assert narrative.steps[-1].text == f"list_1 = [{', '.join(['list_2'] * 10)}]"
    assert sum(len(step.text) for step in narrative.steps) < 10_000
    assert one(pickle.dumps(laughs), limit=5).steps[-1].text.startswith("list_1 = [")


@pytest.mark.parametrize("data", [
    b"]" * 900 + b"a" * 899 + b".",
    b"]q\x00" + b"2\x86" * 400 + b".",
    b"(" + b"](NNe" * 4_000 + b"l.",
    b"](" + b"cm\nn\n)R" * 1_000 + b"e.",
    b"\x80\x04]\x94(" + b"h\x00" * 20_000 + b"e.",
    b"}(" + b"".join(b"J" + n.to_bytes(4, "little") + b"]" for n in range(4_000)) + b"u.",
    b"".join((b"\x80\x04]\x94", b"]\x94h\x00a" * 900, b"0" * 899, b".")),
])  # fmt: skip
def test_whatever_a_pickle_holds_little_is_said_and_kept(data):
    scan(data, policy=PLAIN)
    tracemalloc.start()
    try:
        narrative = one(data)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(map(len, [narrative.result or "", *(step.text for step in narrative.steps)])) < 100_000
    assert kept < 1 << 20
    assert peak < 1 << 20 or peak < 400 * len(data)


def test_of_what_is_wide_and_of_what_is_deep_little_is_shown():
    wide = [[[[n, m, k] for n in range(12)] for m in range(12)] for k in range(12)]
    assert len(one(pickle.dumps(wide)).result or "") < 600
    assert one(b"]" * 900 + b"a" * 899 + b".").result == "[[[[[[...]]]]]]"


def test_long_data_is_cut():
    narrative = one(pickle.dumps([b"x" * 100_000, "y" * 300, 1 << 3000, 1 << 1_000_000], 4))
    assert narrative.result == (
        f"[{b'x' * 60!r}... (100000 bytes), {'y' * 60!r}... (300 characters), an integer of 3001 bits, "
        f"{bytes(60)!r}... (125001 bytes)]"
    )


@pytest.mark.parametrize("name", ["\x1b[31mred", "\u202egnp.exe", "a\\nb", "\uff4fs", "x" * 900, "a b", "", "é"])
def test_names_that_are_no_names_are_quoted_and_escaped(name):
    texts_ = [("BINUNICODE", name), ("BINUNICODE", name), "STACK_GLOBAL", "EMPTY_TUPLE", "REDUCE"]
    explanation = explain(asm(("PROTO", 4), *texts_, "STOP"), policy=PLAIN)
    steps = [step.text for step in explanation.pickles[0].steps]
    assert all(text.isprintable() and text.isascii() and len(text) < 600 for text in steps), steps
    assert len(steps) == 2
    assert all(text.isprintable() for text in texts(explanation))


@pytest.mark.parametrize("text", ["\x1b]0;x\x07", "\u202e\u2066", "line\nline\r", "\ud800", "\x9b31m"])
def test_texts_are_escaped(text):
    data = pickle.dumps([text, text.encode("utf-8", "surrogatepass"), {text: text}], 4)
    assert all(shown.isprintable() for shown in texts(explain(data, policy=PLAIN)))


# -- The interface -----------------------------------------------------------------------------------------------------


def test_it_is_plain_data_for_json():
    shown = json.loads(json.dumps(explain(EVIL, policy=PLAIN).to_dict()))
    assert (shown["verdict"], shown["ok"], shown["policy"]) == ("forbidden", False, PLAIN.digest)
    (narrative,) = shown["pickles"]
    assert [step["text"] for step in narrative["steps"]] == told(EVIL)[:-1]
    assert narrative["steps"][1]["refused"][0]["rule"] == "not-granted"
    assert (narrative["member"]["start"], narrative["uses"]) == (0, {"refer": 1, "call": 1})


def test_explain_is_of_the_package_and_takes_what_scan_takes(tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(EVIL)
    assert safepickle.explain is explain
    for source in (path, str(path), EVIL, bytearray(EVIL)):
        assert [step.kind for step in safepickle.explain(source).pickles[0].steps] == ["import", "call"]
    with pytest.raises(FileNotFoundError):
        explain(tmp_path / "absent")
    with pytest.raises(TypeError):
        explain(3)
    with pytest.raises(ValueError, match="limit"):
        explain(EVIL, limit=-1)


def test_steps_are_of_these_kinds():
    assert set(OPCODES) | {"holds", "other"} == {
        "import", "attribute", "call", "new", "state", "fill", "persistent", "buffer", "holds", "other",
    }  # fmt: skip
    assert {name for names in OPCODES.values() for name in names} <= set(opcodes.BY_NAME)
    assert isinstance(one(EVIL).steps[0], Step)
