"""`safepickle explain` and `safepickle show`: what they print, their exit codes, and that they are bounded."""

from __future__ import annotations

import gzip
import json
import pickle
import tracemalloc
import uuid
from pathlib import Path

import pytest

from safepickle.cli import main
from safepickle.cli_explain import FORMATS
from tests import make_containers as made

GOOD = pickle.dumps({"a": [1, 2.5, "x", (None, True)]}, 4)
ID = pickle.dumps(uuid.UUID(int=7), 4)
FORBIDDEN = b"cos\nsystem\n(S'true'\ntR."
MALFORMED = b"\x80\x04cuuid\nUUID\n(K\x01"
STEERING = "\x1b[31m\u202egnp\x9b"

PASSED, FOUND, INCOMPLETE = 0, 1, 2


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "good.pkl").write_bytes(GOOD)
    (tmp_path / "id.pkl").write_bytes(ID)
    (tmp_path / "forbidden.pkl").write_bytes(FORBIDDEN)
    (tmp_path / "malformed.pkl").write_bytes(MALFORMED)
    (tmp_path / "notes.txt").write_bytes(b"The notes of a meeting.\n")
    (tmp_path / "empty").write_bytes(b"")
    inner = made.in_zip(("b.pkl", FORBIDDEN))
    (tmp_path / "a.zip").write_bytes(made.in_zip(("in.zip", inner), ("c.pkl", GOOD), ("text", b"nothing")))
    (tmp_path / "texts.zip").write_bytes(made.in_zip(("text", b"nothing")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


# -- explain -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["good.pkl"], PASSED),
        (["id.pkl"], PASSED),
        (["--policy", "plain", "id.pkl"], FOUND),
        (["forbidden.pkl"], FOUND),
        (["malformed.pkl"], FOUND),
        (["empty"], FOUND),
        (["notes.txt"], INCOMPLETE),
        (["missing.pkl"], INCOMPLETE),
        (["."], INCOMPLETE),
        (["--policy", "no-such-policy", "good.pkl"], INCOMPLETE),
        (["a.zip"], FOUND),
        (["--member", "c.pkl", "a.zip"], FOUND),
        (["--member", "d.pkl", "a.zip"], INCOMPLETE),
        (["--member", "text", "a.zip"], INCOMPLETE),
    ],
)
def test_explain_exits_as_a_scan_of_the_file(desk, capsys, form, arguments, code):
    assert main(["explain", "--format", form, *arguments]) == code


@pytest.mark.parametrize("arguments", [["--limit", "-1"], ["--limit", "x"], ["--limit", "1" * 30], ["--format", "xml"]])
def test_a_usage_error_exits_with_two(desk, capsys, arguments):
    with pytest.raises(SystemExit) as exit_:
        main(["explain", *arguments, "good.pkl"])
    assert exit_.value.code == INCOMPLETE


def test_explain_tells_the_steps_with_their_places_and_what_is_refused(desk, capsys):
    main(["explain", "--policy", "plain", "id.pkl"])
    assert printed(capsys) == [
        "id.pkl: forbidden",
        "",
        f"# byte 0: forbidden; protocol 4, {len(ID)} B, 19 opcodes, 3 objects, 2 deep",
        "      25  from uuid import UUID",
        "          # REFUSED: global 'uuid.UUID' is forbidden: uuid.UUID is not in the policy [not-granted, refer]",
        "          # admitted by: allow: {uuid: [UUID: {use: [new, build], args: [[]], attributes: [int]}]}",
        "      28  uuid_1 = UUID.__new__(UUID)",
        "          # REFUSED: global 'uuid.UUID' is forbidden: uuid.UUID is not in the policy [not-granted, new]",
        "      41  uuid_1.__setstate__({'int': 7})",
        "          # REFUSED: global 'uuid.UUID' is forbidden: uuid.UUID is not in the policy [not-granted, build]",
        "          return uuid_1",
        "# What a policy needs beside, once each name has been judged:",
        "safepickle: 1",
        "allow:",
        "  uuid:",
        "    - UUID: {use: [new, build], args: [[]], attributes: [int]}",
    ]


def test_explain_says_of_what_no_policy_should_list_why(desk, capsys):
    main(["explain", "forbidden.pkl"])
    lines = printed(capsys)
    why = "# no policy should list it: the module os starts programs, or changes files and the process"
    assert why in [line.strip() for line in lines]
    assert not any("admitted by" in line for line in lines)


def test_explain_is_the_same_in_json(desk, capsys):
    main(["explain", "--policy", "plain", "id.pkl"])
    lines = printed(capsys)
    main(["explain", "--policy", "plain", "--format", "json", "id.pkl"])
    told = json.loads(capsys.readouterr().out)
    (narrative,) = told["pickles"]
    assert [step["text"] for step in narrative["steps"]] == [line[10:] for line in lines if line[:8].strip().isdigit()]
    assert (told["source"], told["verdict"], narrative["result"]) == ("id.pkl", "forbidden", "uuid_1")
    assert narrative["yaml"].splitlines() == lines[-4:]


def test_explain_tells_each_member_by_its_name_or_the_one_that_is_chosen(desk, capsys):
    main(["explain", "a.zip"])
    heads = [line for line in printed(capsys) if line.startswith("# ")]
    assert [head.partition(":")[0] for head in heads] == ["# in.zip!/b.pkl, byte 0", "# c.pkl, byte 0"]
    main(["explain", "--member", "c.pkl", "a.zip"])
    assert not any("system" in line for line in printed(capsys))
    main(["explain", "--member", "nothing", "a.zip"])
    assert "in.zip!/b.pkl, c.pkl" in capsys.readouterr().err


def test_explain_says_what_is_wrong_with_the_file(desk, capsys):
    (desk / "x.zip").write_bytes(made.in_zip(("c.pkl", GOOD))[:-2])
    assert main(["explain", "x.zip"]) == INCOMPLETE
    assert any(line.endswith("[container]") for line in printed(capsys))


def test_explain_tells_so_many_steps_and_sums_up_the_others(desk, capsys):
    (desk / "many.pkl").write_bytes(pickle.dumps([uuid.UUID(int=n) for n in range(400)], 4))
    main(["explain", "--limit", "5", "many.pkl"])
    lines = printed(capsys)
    assert sum(line[:8].strip().isdigit() for line in lines) == 5
    assert "          # ... and more; in all: 1 refer, 400 new, 400 build" in lines
    main(["explain", "--limit", "1000", "many.pkl"])
    assert not any("and more; in all" in line for line in printed(capsys))


@pytest.mark.parametrize(("number", "shown"), [
    (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (12_345, "12.3 kB"), (44_100_000, "44.1 MB"), (10**13, "10,000 GB"),
])  # fmt: skip
def test_numbers_are_round(number, shown):
    from safepickle.cli_explain import _size

    assert _size(number) == shown


@pytest.mark.parametrize("command", [["explain"], ["explain", "--format", "json"], ["show"]])
def test_nothing_of_a_stream_or_a_name_steers_the_terminal(desk, capsys, command):
    steering = STEERING.encode()
    evil = b"\x80\x04c" + steering + b"\n" + steering + b"\n)R" + pickle.dumps([STEERING, steering], 3)[2:]
    (desk / f"{STEERING}.zip").write_bytes(made.in_zip((f"{STEERING}\n", evil)))
    for arguments in ([f"{STEERING}.zip"], [f"{STEERING}.zip", "--member", STEERING], [f"/missing/{STEERING}"]):
        main([*command, *arguments])
        shown = capsys.readouterr()
        assert shown.out + shown.err
        assert all(line.isprintable() for line in (shown.out + shown.err).removesuffix("\n").split("\n"))


@pytest.mark.parametrize("command", [["explain"], ["show"]])
def test_nothing_that_the_stream_names_runs(desk, capsys, command):
    (desk / "x.pkl").write_bytes(b"cos\nmkdir\n(V" + str(desk / "told").encode() + b"\ntR.")
    main([*command, "x.pkl"])
    assert not (desk / "told").exists()


# -- show --------------------------------------------------------------------------------------------------------------


def test_show_lists_every_instruction_with_the_names(desk, capsys):
    assert main(["show", "forbidden.pkl"]) == PASSED
    lines = printed(capsys)
    assert lines[0].split() == ["0", "GLOBAL", "os", "system", "[global:os.system]"]
    assert lines[-1].split()[:2] == [str(len(FORBIDDEN) - 1), "STOP"]


def test_show_goes_on_with_the_next_pickle_of_the_file(desk, capsys):
    (desk / "two.pkl").write_bytes(GOOD + GOOD)
    assert main(["show", "two.pkl"]) == PASSED
    lines = printed(capsys)
    assert sum("STOP" in line for line in lines) == 2
    assert f"{len(GOOD):>8}  -- the next pickle" in lines
    assert f"{len(GOOD):>8}  PROTO 4" in [line.split("  [")[0].rstrip() for line in lines]


@pytest.mark.parametrize("data", [MALFORMED, b"", GOOD + b"\xff"])
def test_show_ends_with_what_is_wrong(desk, capsys, data):
    (desk / "x.pkl").write_bytes(data)
    assert main(["show", "x.pkl"]) == FOUND
    assert "  ! " in printed(capsys)[-1]


def test_show_of_what_cannot_be_read_exits_with_two(desk, capsys):
    assert main(["show", "missing"]) == INCOMPLETE
    assert main(["show", "."]) == INCOMPLETE
    assert main(["show", "texts.zip"]) == INCOMPLETE
    assert main(["show", "--member", "text", "a.zip"]) == INCOMPLETE


def test_show_goes_through_the_pickles_of_a_container_by_their_names(desk, capsys):
    assert main(["show", "a.zip"]) == PASSED
    lines = printed(capsys)
    assert [line for line in lines if " -- " in line] == [
        "       0  -- in.zip!/b.pkl, the next pickle",
        "       0  -- c.pkl, the next pickle",
    ]
    assert any(line.endswith("[global:os.system]") for line in lines)
    assert main(["show", "--member", "c.pkl", "a.zip"]) == PASSED
    assert not any("system" in line for line in printed(capsys))


def test_show_finds_pickles_in_strings_at_their_places(desk, capsys):
    data = pickle.dumps([b"...." + made.EVIL], 4)
    (desk / "x.pkl").write_bytes(data)
    assert main(["show", "x.pkl"]) == PASSED
    place = data.index(made.EVIL) + 2
    assert f"{place:>8}  GLOBAL os system" in [line.split("  [")[0].rstrip() for line in printed(capsys)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_show_of_a_large_file_reads_past_its_payloads_and_keeps_nothing(desk, capsys, pack):
    (desk / "large").write_bytes(pack(pickle.dumps([bytes(24 << 20), "x" * (2 << 20), 7], 4)))
    tracemalloc.start()
    try:
        assert main(["show", "large"]) == PASSED
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    lines = printed(capsys)
    assert sum(f"({24 << 20} bytes)" in line for line in lines) == 1
    assert sum("xxx" in line and f"({2 << 20} bytes)" in line for line in lines) == 1
    assert peak < 20 << 20
