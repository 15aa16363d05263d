"""Files of expectations: samples that pass, samples that are refused, and what proves nothing."""

from __future__ import annotations

import pickle
import uuid
from pathlib import Path

import pytest

from safepickle.errors import PolicyError
from safepickle.policy.expect import check

HEAD = "safepickle: 1\npolicy: policy.yaml\n"
EVIL = b"cos\nsystem\n(S'true'\ntR."


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text("safepickle: 1\nallow: {uuid: [UUID]}\n")
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "id.pkl").write_bytes(pickle.dumps(uuid.UUID(int=7), 4))
    (tmp_path / "good" / "list.pkl").write_bytes(pickle.dumps([1, 2], 4))
    (tmp_path / "evil.pkl").write_bytes(EVIL)
    (tmp_path / "broken.pkl").write_bytes(EVIL[:-3])
    (tmp_path / "nothing").mkdir()
    return tmp_path


def outcomes(desk: Path, text: str) -> list[tuple[str, bool]]:
    path = desk / "expectations.yaml"
    path.write_text(text)
    return [(outcome.path, outcome.met) for outcome in check(str(path))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pass: [good/id.pkl]", [("good/id.pkl", True)]),
        ("pass: [good]", [("good/id.pkl", True), ("good/list.pkl", True)]),
        ("pass: [evil.pkl]", [("evil.pkl", False)]),
        ("refuse: [evil.pkl]", [("evil.pkl", True)]),
        ("refuse: [good/id.pkl]", [("good/id.pkl", False)]),
        ("refuse: [evil.pkl: os.system]", [("evil.pkl", True)]),
        ("refuse: [evil.pkl: os.popen]", [("evil.pkl", False)]),
        ("refuse: [broken.pkl]", [("broken.pkl", True)]),
        ("refuse: [nothing]", [("nothing", False)]),
        ("pass: [nothing]", [("nothing", False)]),
    ],
)
def test_an_expectation_is_met_or_not(desk, text, expected):
    assert outcomes(desk, HEAD + text) == expected


@pytest.mark.parametrize("data", [b"", b"no pickle\n", b"\x80\x04K"])
def test_what_is_refused_without_the_policy_proves_nothing_about_it(desk, data):
    (desk / "sample.pkl").write_bytes(data)
    assert outcomes(desk, HEAD + "refuse: [sample.pkl]") == [("sample.pkl", False)]
    assert outcomes(desk, HEAD + "pass: [sample.pkl]") == [("sample.pkl", False)]


def test_packaged_policies_are_named_without_a_file(desk):
    assert outcomes(desk, "safepickle: 1\npolicy: stdlib\npass: [good/id.pkl]") == [("good/id.pkl", True)]
    assert outcomes(desk, "safepickle: 1\npolicy: plain\npass: [good/id.pkl]") == [("good/id.pkl", False)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "nothing here"),
        ("- a", "is a mapping"),
        ("policy: plain\npass: [good]", "language version"),
        ("safepickle: 1\npass: [good]", "expected the policy"),
        (HEAD, "nothing is expected"),
        (HEAD + "passes: [good]", "did you mean 'pass'"),
        (HEAD + "pass: good", "expected a list"),
        (HEAD + "pass: [[good]]", "expected a file or a folder"),
        (HEAD + "pass: [gone.pkl]", "'gone.pkl' is not there"),
        (HEAD + "pass: [../elsewhere.pkl]", "outside of the folder"),
        (HEAD + "pass: [/etc/passwd]", "outside of the folder"),
        (HEAD + "pass: [good: os.system]", "expected a file or a folder"),
        (HEAD + "pass: [good]\npass: [good]", "already there"),
        ("safepickle: 1\npolicy: gone.yaml\npass: [good]", "'gone.yaml' is not there"),
        ("safepickle: 1\npolicy: nonsense\npass: [good]", "no packaged policy 'nonsense'"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_its_place(desk, text, problem):
    with pytest.raises(PolicyError) as caught:
        outcomes(desk, text)
    assert problem in str(caught.value)


def test_a_link_that_leads_out_is_refused(desk, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "evil.pkl"
    elsewhere.write_bytes(EVIL)
    (desk / "link.pkl").symlink_to(elsewhere)
    with pytest.raises(PolicyError, match="outside of the folder"):
        outcomes(desk, HEAD + "refuse: [link.pkl]")


def test_a_file_that_is_not_there_is_a_policy_error(tmp_path):
    with pytest.raises(PolicyError, match="cannot be read"):
        check(str(tmp_path / "gone.yaml"))
