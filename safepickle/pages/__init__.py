"""One page for people who would rather look: verdicts, names, and what the objects are made of.

Rules:

* The page is one file and loads nothing.  Its policy (CSP) admits its own style and its own script, by their hashes,
  and nothing else: no network, no frame, no form, no handler in an attribute.
* Reports stand in it as data, in blocks of JSON in which nothing can end the block.  The script sets text, never
  markup.
* What it holds is bounded for each file, and so are the files and the objects of the whole page; what is left out is
  said.
* It is written file by file, as they are judged.  Whoever judges for the page has the objects drawn at the same time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final

from safepickle.console import to_json
from safepickle.errors import StreamError, escape
from safepickle.formats.outcomes import Manner, Outcome, groups
from safepickle.pages.objects import MOST_NODES, Artist, Picture
from safepickle.policy import Policy
from safepickle.report import DANGEROUS, NOT_A_PICKLE, PASS, UNKNOWN, Capability, Finding, Report
from safepickle.scanner import watched

__all__ = ["Studio", "write"]

#: Of one file.  No science went into these numbers: what a person would still look at.
MOST_FINDINGS: Final = 100
MOST_NAMES: Final = 500
#: Objects of all files: some megabytes of page.
MOST_OBJECTS: Final = 60_000
#: Files, and as many again of those that do not pass: likewise.
MOST_FILES: Final = 5000
_LONGEST_PATH: Final = 1000
#: What is said of a name.
REFUSED: Final = "refused"
GRANTED: Final = "granted"
GRADES: Final = (DANGEROUS, UNKNOWN, REFUSED, GRANTED)
_HERE: Final = os.path.dirname(__file__)


@cache
def _asset(name: str) -> str:
    with open(os.path.join(_HERE, name), encoding="ascii", newline="") as file:
        return file.read().replace("\r\n", "\n")


def _hash(text: str) -> str:
    import hashlib
    from base64 import b64encode

    return f"'sha256-{b64encode(hashlib.sha256(text.encode('ascii')).digest()).decode('ascii')}'"


def _head() -> Iterator[str]:
    style, script = f"\n{_asset('page.css')}", f"\n{_asset('page.js')}"
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="referrer" content="no-referrer">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield "<title>safepickle report</title>"
    yield "<style>"
    yield from style[1:].splitlines()
    yield "</style>"
    yield "</head>"


_BODY: Final = """\
<body>
<header>
<h1>safepickle report</h1>
<div id="verdicts"></div>
<input type="search" id="search" placeholder="Search files, names, findings and objects" aria-label="Search">
<button type="button" id="theme">Light / dark</button>
</header>
<main>
<noscript><p>This page is drawn by a script of its own, which is switched off here. The formats text and json of
<code>safepickle scan</code> say the same.</p></noscript>
<h2>Files</h2>
<div id="files"></div>
<section id="file" aria-live="polite"></section>
<h2>What they ask for</h2>
<div id="capabilities"></div>
</main>
"""


class Studio:
    """Has artists for the files of one page, as long as there is room for their objects."""

    def __init__(self) -> None:
        self.room = MOST_OBJECTS
        self._artist: Artist | None = None

    def artist(self) -> Artist | None:
        """What is to watch the scan of the next file, if anything is to be drawn of it."""
        self._artist = Artist(min(4 * MOST_NODES, self.room)) if self.room > 0 else None
        return self._artist

    def take(self) -> Artist | None:
        """The artist that watched the last scan, if one did."""
        artist, self._artist = self._artist, None
        return artist


def write(
    outcomes: Iterable[Outcome], manner: Manner, put: Callable[[str], None], studio: Studio | None = None
) -> Iterator[Outcome]:
    """Hand the page to `put`, line by line, and the outcomes on.

    Whoever judges has each scan watched by an artist of the `studio`; without one, files are read again to be drawn.
    """
    for line in (*_head(), *_BODY.splitlines()):
        put(line)
    drawing = studio or Studio()
    shown = 0
    left_out: dict[str, int] = {}
    for outcome in outcomes:
        report = outcome.report
        if shown < (MOST_FILES if report.verdict == PASS else 2 * MOST_FILES):
            shown += 1
            artist, without = _drawn(report, drawing, manner.policy, again=studio is None)
            drawing.room -= artist.taken
            data = inert(to_json(_as_data(report, artist, without)))
            put(f'<script type="application/json" class="report">{data}</script>')
        else:
            left_out[report.verdict] = left_out.get(report.verdict, 0) + 1
        yield outcome
    if left_out:
        counts = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(left_out.items()))
        put(f'<p id="left-out">Files that are not shown in this page, which has {shown:,}: {counts}.</p>')
    put("<script>")
    for line in _asset("page.js").splitlines():
        put(line)
    put("</script>")
    put("</body>")
    put("</html>")


def inert(text: str) -> str:
    """JSON in which no character is special to HTML."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _drawn(report: Report, studio: Studio, policy: Policy | None, *, again: bool) -> tuple[Artist, str]:
    """What was drawn of a file, and why that is nothing, or not all; `again` says whether nobody has drawn yet."""
    artist = studio.artist() if again else studio.take()
    if artist is None:
        return Artist(0), "No objects: there are too many in this page." if studio.room <= 0 else ""
    if again:
        return artist, _look(report, artist, policy)
    if report.verdict == NOT_A_PICKLE or not report.members:
        return Artist(0), ""
    return artist, _left_out(artist)


def _left_out(artist: Artist) -> str:
    return f"Pickles of this file that are not drawn: {artist.left_out:,}." if artist.left_out else ""


def _look(report: Report, artist: Artist, policy: Policy | None) -> str:
    """Have the objects of a file drawn; returns why there are none, or not all."""
    if report.source is None or report.verdict == NOT_A_PICKLE or not report.members:
        return ""
    try:
        again = watched(report.source, policy=policy, watch=artist)
    except (OSError, ValueError, StreamError) as error:  # ValueError: a name that no file can have
        return f"No objects: {escape(str(error), 300)}"
    if (again.size, again.findings) != (report.size, tuple(found._replace(known=False) for found in report.findings)):
        return "The file has changed since it was judged: these objects are of what it holds now."
    return _left_out(artist)


def _as_data(report: Report, artist: Artist, without: str) -> dict[str, Any]:
    grades = _grades(report)
    found = groups(report.findings)
    first = sorted(report.capabilities, key=lambda each: _weight(each, grades))[:MOST_NAMES]
    return {
        "source": escape(report.source or "", _LONGEST_PATH),
        "verdict": report.verdict,
        "size": report.size,
        "sha256": report.hashed if isinstance(report.hashed, str) else "",
        "findings": [_finding(group.first, group.place, group.verbs, group.times) for group in found[:MOST_FINDINGS]],
        "more_findings": sum(group.times for group in found[MOST_FINDINGS:]),
        "names": len(report.capabilities),
        "capabilities": [_capability(each, *grades[each.module, each.name]) for each in first],
        "pictures": [_picture(each) for each in artist.pictures],
        "no_pictures": without,
    }


def _grades(report: Report) -> dict[tuple[str, str], tuple[str, str | None]]:
    """What is to be said of each name, and why."""
    found: dict[tuple[str, str], tuple[str, str | None]] = {}
    for each in report.findings:
        if each.module is not None and each.name is not None:
            # What spoils a name says nothing of the name.
            graded = each.grade if each.rule != "provenance" else None
            if (each.module, each.name) not in found or graded:
                found[each.module, each.name] = graded or REFUSED, each.reason if graded else None
    for capability in report.capabilities:
        name = capability.module, capability.name
        found.setdefault(name, (GRANTED if capability.granted else REFUSED, None))
    return found


def _weight(capability: Capability, grades: dict[tuple[str, str], tuple[str, str | None]]) -> int:
    return GRADES.index(grades[capability.module, capability.name][0])


def _finding(finding: Finding, place: str, verbs: tuple[str, ...], count: int) -> dict[str, Any]:
    return {
        "rule": finding.rule, "severity": finding.severity, "message": finding.message, "place": place,
        "grade": finding.grade, "reason": finding.reason, "verbs": ", ".join(verbs), "count": count,
        "known": finding.known,
    }  # fmt: skip


def _capability(capability: Capability, grade: str, reason: str | None) -> dict[str, Any]:
    return {
        "name": escape(f"{capability.module}.{capability.name}"),
        "grade": grade,
        "reason": reason,
        "uses": dict(capability.uses),
        "arguments": [[", ".join(kinds), count] for kinds, count in capability.arguments],
    }


def _picture(picture: Picture) -> dict[str, Any]:
    nodes = [
        {"kind": node.kind, "name": node.name, "size": node.size, "items": node.items, "more": node.more}
        for node in picture.nodes
    ]
    return {**picture._asdict(), "nodes": nodes}
