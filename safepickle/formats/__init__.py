"""How the outcome of a scan is printed: text, json, jsonl, sarif, html, github.

A reporter takes outcomes as they come, prints, and hands them on for the exit code.

Rules:

* It prints as it goes: nothing waits for the last file that need not.
* It decides nothing.  Every format shows every verdict that is no pass; what a baseline knows is shown as known, or
  only counted.
* Text of a stream or of a file name is text of the format: no markup, no command, no placeholder, no link.
* Whatever goes out goes through `console.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from safepickle.formats.outcomes import FORMATS, Group, Manner, Outcome, groups

__all__ = ["FORMATS", "Group", "Manner", "Outcome", "Reporter", "groups", "reporter"]

Reporter = Callable[[Iterable[Outcome], Manner], Iterator[Outcome]]


def reporter(name: str) -> Reporter:
    """The reporter of a format, whose module is imported now."""
    if name == "sarif":
        from safepickle.formats.sarif import report_sarif

        return report_sarif
    if name == "html":
        from safepickle.formats.html import report_html

        return report_html
    if name == "github":
        from safepickle.formats.github import report_github

        return report_github
    if name == "json":
        from safepickle.formats.documents import report_json

        return report_json
    if name == "jsonl":
        from safepickle.formats.documents import report_jsonl

        return report_jsonl
    from safepickle.formats.text import report_text

    return report_text
