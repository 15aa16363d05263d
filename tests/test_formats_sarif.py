"""SARIF: valid by the published schema, with rules that help, stable fingerprints, and places in bytes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import jsonschema
import pytest

from safepickle.baseline import Baseline
from safepickle.cli import main
from safepickle.formats import Manner, Outcome
from safepickle.formats.sarif import FINGERPRINT, plain, report_sarif, uri
from safepickle.report import DANGEROUS_ADVICE, RULES, Finding
from safepickle.scanner import scan

DATA = Path(__file__).parent / "data"
SCHEMA = json.loads((DATA / "sarif" / "sarif-2.1.0.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
GADGET = b"cos\nsystem\n(S'true'\ntR."


@pytest.fixture
def log(capsys):
    def run(*outcomes: Outcome, manner: Manner | None = None):
        list(report_sarif(outcomes, manner or Manner()))
        return checked(capsys.readouterr().out)

    return run


def checked(text: str):
    """The one run of a log that is valid."""
    document = json.loads(text)
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        location = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][location["index"]]["location"]["uri"] == location["uri"]
    return run


def outcome(data: bytes, source: str = "x.pkl", code: int = 1, **how) -> Outcome:
    return Outcome(scan(data, **how)._replace(source=source), code)


def test_the_schema_refuses_what_is_wrong():
    for broken in ({}, {"version": "2.0.0", "runs": []}, {"version": "2.1.0", "runs": [{}]}):
        assert list(VALIDATOR.iter_errors(broken))


def test_what_the_tests_have_of_everything_makes_a_valid_log(monkeypatch, capsys):
    monkeypatch.chdir(DATA)
    paths = sorted(str(path) for name in ("attacks", "malformed", "containers") for path in Path(name).rglob("*.*"))
    main(["scan", "--format", "sarif", *paths[::9], "containers"])
    run = checked(capsys.readouterr().out)
    assert len(run["results"]) > 50
    assert {result["ruleId"].partition("/")[0] for result in run["results"]} > {"not-granted", "malformed", "limit"}
    assert len(run["artifacts"]) > len(paths[::9])


def test_a_finding_has_its_rule_level_place_and_file(log):
    run = log(outcome(b"\x80\x04N0" + GADGET, "models/a.pkl"))
    first, second = run["results"]
    assert first["ruleId"] == "not-granted/dangerous"
    assert (first["level"], first["kind"]) == ("error", "fail")
    assert first["message"]["text"].startswith("Dangerous, the module os starts programs")
    physical = first["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "models/a.pkl"
    assert physical["region"] == {"byteOffset": 4, "byteLength": 1}
    assert first["properties"]["verb"] == "refer"
    assert second["properties"]["verb"] == "call"
    (artifact,) = run["artifacts"]
    assert artifact["hashes"]["sha-256"] == scan(b"\x80\x04N0" + GADGET).sha256
    assert artifact["properties"]["verdict"] == "forbidden"


def test_what_is_dangerous_ranks_above_what_is_unknown(log):
    run = log(outcome(GADGET + b"cprices\nCurve\n."))
    ranks = {result["properties"]["grade"]: result["rank"] for result in run["results"]}
    assert ranks["dangerous"] > ranks["unknown"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    severity = {name: float(rules[name]["properties"]["security-severity"]) for name in rules}
    assert severity["not-granted/dangerous"] > severity["not-granted"] > severity["checksum"]


def test_what_is_in_a_container_is_a_logical_location_and_no_region_of_the_file(log):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x04N0" + GADGET)
    run = log(outcome(packed.getvalue(), "m.pt"))
    found = run["results"][0]
    place = found["locations"][0]
    assert "region" not in place["physicalLocation"]
    (named,) = place["logicalLocations"]
    assert (named["name"], named["kind"]) == ("a/data.pkl", "member")
    assert found["properties"]["memberOffset"] == 4


def test_every_rule_has_help_and_a_severity(log):
    rules = log()["tool"]["driver"]["rules"]
    assert {rule["id"] for rule in rules} > set(RULES)
    for rule in rules:
        assert rule["help"]["text"].count(".") >= 2
        advice = DANGEROUS_ADVICE if "/" in rule["id"] else RULES[rule["id"]].advice
        assert advice in rule["help"]["markdown"]
        assert 0 <= float(rule["properties"]["security-severity"]) <= 10
    assert len({rule["name"] for rule in rules}) == len(rules)


def fingerprints(run) -> list[str]:
    return [result["partialFingerprints"][FINGERPRINT] for result in run["results"]]


def test_a_fingerprint_stays_when_bytes_move_and_is_one_of_a_kind(log):
    once = fingerprints(log(outcome(GADGET)))
    moved = fingerprints(log(outcome(b"\x80\x04N0" + GADGET)))
    assert once == moved
    twice = fingerprints(log(outcome(GADGET + GADGET)))
    assert len(set(twice)) == len(twice) == 4
    assert set(once) < set(twice)
    assert not set(fingerprints(log(outcome(b"cos\npopen\n(S'x'\ntR.")))) & set(once)


def test_with_a_baseline_results_say_what_is_new(log):
    old = Baseline([scan(GADGET)._replace(source="x.pkl")])
    marked, _ = old.compare(scan(GADGET + b"cprices\nCurve\n.")._replace(source="x.pkl"))
    run = log(Outcome(marked, 1), manner=Manner(compared=True))
    states = {(result["properties"]["name"], result["baselineState"]) for result in run["results"]}
    assert states == {("system", "unchanged"), ("Curve", "new")}
    assert all("baselineState" not in result for result in log(outcome(GADGET))["results"])


def test_what_was_not_judged_is_a_notification_and_no_success(log):
    run = log(outcome(b"N.abc", code=2), outcome(b"N.", "y", 0))
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "not all of it was judged" in invocation["toolExecutionNotifications"][0]["message"]["text"]
    (invocation,) = log(outcome(GADGET), outcome(b"N.", "y", 0))["invocations"]
    assert (invocation["executionSuccessful"], invocation["toolExecutionNotifications"]) == (True, [])


def test_what_is_no_pickle_in_a_folder_is_no_result(log):
    run = log(Outcome(scan(b"Notes.")._replace(source="x"), None))
    assert run["results"] == []
    assert len(run["artifacts"]) == 1


@pytest.mark.parametrize("name", ["{0}", "[click](http://example.com)", "a b%c#d?e:f", "\x1b[31m\u202e", "\udcff", "é"])
def test_hostile_names_are_text_and_files_are_references(log, name):
    report = scan(b"N.")._replace(
        source=f"{name}/x.pkl", verdict="forbidden",
        findings=(Finding("not-granted", "error", f"global '{name}'", 0, "GLOBAL", name, name, "refer", member=name),),
    )  # fmt: skip
    (result,) = log(Outcome(report, 1))["results"]
    text = result["message"]["text"]
    assert "](" not in text
    assert text.replace("{{", "").replace("}}", "").count("{") == 0
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].isprintable()


def test_placeholders_and_links_are_defused():
    assert plain("a {0} [x](y)") == "a {{0}} [x] (y)"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b.pkl", "a/b.pkl"), ("./a.pkl", "a.pkl"), ("/srv/a b.pkl", "file:///srv/a%20b.pkl"),
        ("c:d", "c%3Ad"), ("../x", "../x"), ("\udcff.pkl", "%FF.pkl"), ("é#?", "%C3%A9%23%3F"), ("a//b", "a/b"),
    ],
)  # fmt: skip
def test_a_path_is_a_uri_reference(path, expected):
    assert uri(path) == expected
