"""The exception family: what each class is, what it carries, and how names of a stream are shown."""

from __future__ import annotations

import logging
import pickle
import unicodedata

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from safepickle import errors
from safepickle.errors import MissingGrant, escape, paste

STREAM_ERRORS = [
    errors.Forbidden,
    errors.LimitExceeded,
    errors.MalformedStream,
    errors.EndOfStream,
    errors.ReconstructionError,
]
#: What libraries catch to retry with an unsafe loader, or to take for a broken cache entry.
RETRIED = (ValueError, AttributeError, TypeError, LookupError, ImportError, ArithmeticError, OSError, RuntimeError)


def test_the_base_classes_are_those_of_pickle_itself():
    assert errors.PickleError is pickle.PickleError
    assert errors.PicklingError is pickle.PicklingError
    assert errors.UnpicklingError is pickle.UnpicklingError


@pytest.mark.parametrize("kind", STREAM_ERRORS)
def test_every_error_of_a_stream_is_an_unpickling_error(kind):
    assert issubclass(kind, errors.StreamError)
    assert issubclass(kind, pickle.UnpicklingError)


@pytest.mark.parametrize("kind", STREAM_ERRORS)
def test_no_error_of_a_stream_is_one_that_callers_retry_on(kind):
    assert not issubclass(kind, RETRIED)


def test_only_the_end_of_the_stream_has_a_second_base():
    assert [kind for kind in STREAM_ERRORS if issubclass(kind, EOFError)] == [errors.EndOfStream]
    assert all(len(kind.__bases__) == 1 for kind in STREAM_ERRORS if kind is not errors.EndOfStream)


def test_every_class_of_the_family_is_tested_here():
    family = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.StreamError)}
    assert family == {*STREAM_ERRORS, errors.StreamError}


def test_a_policy_error_is_a_value_error_and_not_an_error_of_a_stream():
    assert issubclass(errors.PolicyError, ValueError)
    assert not issubclass(errors.PolicyError, pickle.PickleError)


def test_a_policy_error_holds_every_problem_that_was_found():
    assert errors.PolicyError("two problems", ("a.yaml:1:1: x", "a.yaml:2:1: y")).errors == (
        "a.yaml:1:1: x",
        "a.yaml:2:1: y",
    )
    assert errors.PolicyError("one problem").errors == ("one problem",)


def test_the_text_of_an_error_is_its_message_alone():
    error = errors.Forbidden("no", position=4, opcode="REDUCE", module="os", name="system", verb="call", advice="think")
    assert str(error) == "no"
    assert error.args == ("no",)


def test_an_error_carries_where_and_what_as_attributes():
    missing = (MissingGrant("os", "system", ("call",)),)
    error = errors.Forbidden(
        "no", position=4, opcode="REDUCE", module="os", name="system", verb="call", path="$[0]", missing=missing
    )
    carried = (error.position, error.opcode, error.module, error.name, error.verb, error.path, error.missing)
    assert carried == (4, "REDUCE", "os", "system", "call", "$[0]", missing)


def test_what_does_not_apply_is_none_and_nothing_is_missing_by_default():
    error = errors.MalformedStream("no")
    assert error.missing == ()
    assert error.yaml == ""
    carried = (error.position, error.opcode, error.module, error.name, error.verb, error.path)
    assert carried == (None,) * 6
    assert not hasattr(error, "__notes__")


def test_position_path_advice_and_yaml_are_notes_for_the_traceback():
    error = errors.Forbidden(
        "no",
        position=4,
        opcode="REDUCE",
        path="$[0]",
        missing=(MissingGrant("os", "system", ("call",)),),
        advice="think",
    )
    assert error.__notes__[:3] == ["at byte 4, opcode REDUCE", "in $[0]", "think"]
    assert error.__notes__[3].endswith(error.yaml)
    assert errors.MalformedStream("no", position=7).__notes__ == ["at byte 7"]


def test_the_yaml_of_an_error_lists_every_missing_grant_under_its_module():
    text = paste(
        [
            MissingGrant("uuid", "UUID", ("new", "build")),
            MissingGrant("decimal", "Decimal", ("call",)),
            MissingGrant("uuid", "SafeUUID", ("refer",)),
        ]
    )
    assert yaml.safe_load(text) == {
        "allow": {
            "decimal": [{"Decimal": {"use": ["call"]}}],
            "uuid": [{"SafeUUID": {"use": ["refer"]}}, {"UUID": {"use": ["new", "build"]}}],
        }
    }


def test_nothing_missing_pastes_nothing():
    assert paste([]) == ""


def test_a_name_that_no_policy_can_list_is_only_a_comment_of_the_yaml():
    text = paste([MissingGrant("os\n  sys", "a b", ("call",)), MissingGrant("m", "f", ("call",), "args differ")])
    assert yaml.safe_load(text) is None
    assert text.splitlines() == [
        "# os\\n  sys a b (call): not a name that a policy can list",
        "# m f (call): args differ",
    ]


def test_what_would_admit_a_refused_use_is_an_entry_of_its_own():
    text = paste([MissingGrant("m", "f", ("call",), "args differ", "args: [[int]]"), MissingGrant("m", "g", ("new",))])
    assert yaml.safe_load(text) == {
        "allow": {"m": [{"f": {"use": ["call"], "args": [["int"]]}}, {"g": {"use": ["new"]}}]}
    }


@given(st.text(), st.text(), st.sampled_from(["", "the arguments match no signature"]))
@example("no", "null", "")  # names, not values: a policy reads scalars as they are written
@example("a\nallow: ", "b", "")
def test_hostile_names_never_add_a_key_to_the_yaml(module, name, reason):
    text = paste([MissingGrant(module, name, ("call",), reason)])
    read = yaml.load(text, yaml.BaseLoader)
    assert read is None or read == {"allow": {module: [{name: {"use": ["call"]}}]}}


@given(st.text(alphabet=st.characters()))
def test_escaped_text_is_printable_and_short(text):
    shown = escape(text, most=20)
    assert shown.isprintable()
    assert len(shown) <= 20 * len("\\U0010ffff") + len("... (1000000 characters)")


STEERING = ["\x00", "\x1b", "\n", "\r", "\x7f", "\x9b", "\u202e", "\u2066", "\u200f", "\ud800", "\\"]


@pytest.mark.parametrize("char", STEERING)
def test_characters_that_steer_a_terminal_or_a_reader_are_escaped(char):
    assert escape(f"a{char}b") == "a" + char.encode("unicode_escape", "surrogatepass").decode() + "b"


def test_no_bidirectional_control_is_printable():
    controls = [chr(code) for code in range(0x110000) if unicodedata.bidirectional(chr(code)) in BIDI_CONTROLS]
    assert controls
    assert all(char not in escape(char) for char in controls)


BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def test_plain_text_is_shown_as_it_is():
    assert escape("prices.model.Größe 値") == "prices.model.Größe 値"


def test_long_text_is_cut_and_says_how_long_it_was():
    assert escape("x" * 201) == "x" * 200 + "... (201 characters)"
    assert escape("x" * 200) == "x" * 200


@given(st.text(), st.text())
def test_different_short_texts_are_never_shown_alike(left, right):
    assert (escape(left) == escape(right)) == (left == right) or max(len(left), len(right)) > 200


def test_making_an_error_logs_nothing(caplog):
    with caplog.at_level(logging.DEBUG):
        errors.Forbidden("no", position=1)
    assert not caplog.records
