"""Regular expressions of policies: the admitted ones match in linear time, the others are refused with the reason."""

from __future__ import annotations

import re
import time
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepickle.policy.patterns import LONGEST_MATCHED_TEXT
from safepickle.policy.regex import LONGEST_EXPRESSION, refusal

ADMITTED = (
    "", "a", "[a-z]{3}", ".*", "a+b+", r"(\d{1,3}\.){3}\d{1,3}", "(ab|cd)*", "(a|ab)*", r"v\d+(\.\d+){0,3}", "^a+$",
    "[A-Za-z_][A-Za-z0-9_]{0,99}", "cuda(:[0-9]{1,2})?", "(cpu|cuda(:[0-9]+)?|mps)", r".*\.py", "[a-z]+-[a-z]+",
    "[<>|=]?[biufcmMOSUV][0-9]{0,6}", "(ab){2,}ab", "(a|b|[c-f])+", "[a-z]*[0-9a-z]{2}", "a{2,}?b", "[^,]*,[^,]*",
    "é+a", r"\w+", r"\W*x", r"[\s\S]*", "(?P<year>[0-9]{4})", "x{0}", "(a*)?", "a?b?c?", "()",
)  # fmt: skip

REFUSED = {
    "a*a*": "too many ways", ".*a.*": "too many ways", "a*b?a*": "too many ways", "é+è+": "too many ways",
    "[^a]*[^b]*": "too many ways", "a?" * 30 + "a": "too many ways", "x*x{0,5}x*": "too many ways",
    "(a{1,60}b){1,60}": "too many ways", "(a|b)*(b|c)*": "too many ways", "a{0,60}a{0,60}": "too many ways",
    "(a+)+": "nested", "([a-z]+,)*": "nested", "(a{1000}b){1000}": "nested", "((a{1,99}b){2}c)*": "nested",
    "(a?)*": "can be empty", "(a*)*": "can be empty", "(){5}": "can be empty", "(a|b?)+": "can be empty",
    "(a|a)*": "begin differently", "(ad|[a-c]d)+": "begin differently", "((a|b)c?)*c": "begin differently",
    "(ab{1,2})*b": None, "(ab{1,2}){2}b": None, "((ab{1,2})b)*": "one character must tell",
    "(a)\\1": "group", "(?P<x>a)(?P=x)": "group", "(a)?(?(1)b|c)": "group", "(?=a)": "ahead", "(?<!a)b": "ahead",
    "(?i)a": "flags", "(?s:a)": "flags", "(?x) a": "flags", "(?u)a": "flags", r"\ba": "boundary", r"a\B": "boundary",
    "a++": "possessive", "(?>a)": "atomic", "(": "not a regular", "[z-a]": "not a regular", "[[a]": "escape it",
    "a{99999999999}": "not a regular", "(" * 30 + ")" * 30: "levels of groups", "\\": "not a regular",
    "a" * (LONGEST_EXPRESSION + 1): "longer than",
}  # fmt: skip


@pytest.mark.parametrize("expression", ADMITTED)
def test_an_expression_that_is_linear_is_admitted(expression):
    assert refusal(expression) is None


@pytest.mark.parametrize("expression", REFUSED, ids=lambda expression: expression[:30])
def test_an_expression_that_may_not_be_linear_is_refused_with_the_reason(expression):
    reason = REFUSED[expression]
    if reason is None:
        assert refusal(expression)
    else:
        assert reason in (refusal(expression) or "")


def test_what_the_library_warns_of_is_refused_whatever_is_done_with_warnings():
    for action in ("ignore", "default", "error"):
        with warnings.catch_warnings(record=True) as noted:
            warnings.simplefilter(action)
            for expression in ("[[a]", "[a--b]", "[^a||b]", "[]&&]", "x[\\]~~]", "[a--]"):
                assert "escape it" in (refusal(expression) or "")
            for expression in (r"\[[0-9]\]", "[]a]", "[^]a]", "--", r"[\[\[]", "[a-b]-[c]", "[-a]", "[a|b]", r"[\-\-]"):
                assert refusal(expression) is None
        assert noted == []


ATOMS = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\w", r"\d", "ab", "", "é"])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    times = st.sampled_from(["*", "+", "?", "{2}", "{0,3}", "{2,70}", "{3,}", "*?", "{0,40}"])
    return st.one_of(
        st.lists(inner, min_size=2, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda ways: f"({'|'.join(ways)})"),
        st.tuples(inner, times).map(lambda pair: f"({pair[0]}){pair[1]}"),
    )


TEXTS = ("a", "b", "ab", "ba", "aab", "é", "a1", "abab b")


@given(st.recursive(ATOMS, grown, max_leaves=8))
def test_what_is_admitted_matches_long_texts_in_time(expression):
    if refusal(expression) is not None:
        return
    compiled = re.compile(expression, re.ASCII)
    for text in TEXTS:
        long = (text * LONGEST_MATCHED_TEXT)[: LONGEST_MATCHED_TEXT - 1]
        for tail in ("", "!", "a", "\n"):
            start = time.thread_time()
            compiled.fullmatch(long + tail)
            assert time.thread_time() - start < 0.5


@given(st.text(alphabet="ab()[]{}|*+?.^$\\,0-9wsdé", max_size=30))
def test_any_text_is_admitted_or_refused(expression):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if refusal(expression) is None:
            re.compile(expression, re.ASCII)
