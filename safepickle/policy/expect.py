"""Expectations of a policy: samples that it has to admit, and samples that it has to refuse.

A file of expectations stands beside the policy and its samples, and is read by the reader that reads policies:

    safepickle: 1
    policy: orders.yaml            # or packaged names, joined by commas
    pass: [samples/order.pkl, samples/empty]
    refuse:
      - attacks/system.pkl
      - attacks/eval.pkl: builtins.eval      # for this name

Rules:

* What has to be refused has to be refused by the policy.  A file that is damaged, empty or missing is no proof of it.
* A folder stands for everything below it, and one without a file is a mistake.
* Paths lead from the folder of the file, and not out of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from safepickle.errors import PolicyError, escape
from safepickle.policy import Policy, resolve_policy
from safepickle.policy.document import Listing, Node, Problems, Scalar, Table, quoted, read
from safepickle.policy.parse import LANGUAGE_VERSION, file_content
from safepickle.report import FORBIDDEN, PASS, Report
from safepickle.scanner import scan

_KEYS: Final = ("safepickle", "policy", "pass", "refuse")
_ENDINGS: Final = (".yaml", ".yml")


class Wanted(NamedTuple):
    """One line of the file: a path, what has to become of it, and for which name it has to be refused, if any."""

    path: str
    verdict: str
    because: str | None
    line: int


class Outcome(NamedTuple):
    """What became of one sample."""

    path: str
    wanted: str
    got: str
    met: bool
    message: str
    origin: str

    def __str__(self) -> str:
        return f"{escape(self.path)}: {'as expected' if self.met else 'NOT AS EXPECTED'}: {self.message}"

    def to_dict(self) -> dict[str, Any]:
        """The outcome as plain data for JSON."""
        return self._asdict()


class Expectations(NamedTuple):
    """What a file of expectations says."""

    label: str
    folder: str
    policy: Policy
    wanted: tuple[Wanted, ...]


def check(path: str) -> tuple[Outcome, ...]:
    """The outcome of every expectation in a file.

    Raises `PolicyError` for a file that is not valid, for a bad policy, and for samples that are not there.
    """
    expectations = load(path)
    return tuple(outcome for wanted in expectations.wanted for outcome in _outcomes(expectations, wanted))


def load(path: str) -> Expectations:
    """What the file says.  Raises `PolicyError` with every problem of it."""
    problems = Problems(path)
    try:
        root = read(file_content(path, None), problems)
    except (OSError, ValueError) as error:
        raise PolicyError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    reader = _Reader(problems, os.path.dirname(path) or os.curdir)
    wanted, named = reader.read(root) if root is not None else ((), None)
    errors = problems.sorted()
    if errors:
        raise PolicyError("\n".join(errors), errors)
    return Expectations(path, reader.folder, _policy(named or "plain", reader.folder), wanted)


def _policy(named: str, folder: str) -> Policy:
    if named.endswith(_ENDINGS):
        return Policy.from_file(os.path.join(folder, named))
    return resolve_policy(named)


class _Reader:
    """Reads the document; notes what is wrong with it."""

    def __init__(self, problems: Problems, folder: str) -> None:
        self._problems = problems
        self.folder = folder

    def read(self, root: Node) -> tuple[tuple[Wanted, ...], str | None]:
        if not isinstance(root, Table):
            self._problems.add(root, "a file of expectations is a mapping with the keys: " + ", ".join(_KEYS))
            return (), None
        top: dict[str, Node] = {}
        for key, value in root.entries:
            if key.text in _KEYS:
                top[key.text] = value
            else:
                self._problems.unknown(key, "key", _KEYS)
        version = top.get("safepickle")
        if not isinstance(version, Scalar) or version.text != LANGUAGE_VERSION:
            self._problems.add(version or root, f"the language version is missing: 'safepickle: {LANGUAGE_VERSION}'")
        named = self._text(top.get("policy", root), "the policy: packaged names, or a file ending in .yaml")
        wanted = (*self._wanted(top.get("pass"), PASS), *self._wanted(top.get("refuse"), FORBIDDEN))
        if not wanted and not self._problems.found:
            self._problems.add(root, "nothing is expected: list samples under `pass` or `refuse`")
        if named and named.endswith(_ENDINGS):
            self._inside(top["policy"], named)
        return wanted, named

    def _text(self, node: Node, what: str) -> str | None:
        if isinstance(node, Scalar) and node.text:
            return node.text
        self._problems.add(node, f"expected {what}")
        return None

    def _wanted(self, node: Node | None, verdict: str) -> Iterator[Wanted]:
        if node is None:
            return
        if not isinstance(node, Listing):
            self._problems.add(node, "expected a list of files and folders")
            return
        for item in node.items:
            found: Node = item
            because: str | None = None
            if isinstance(item, Table) and len(item.entries) == 1 and verdict == FORBIDDEN:
                found, reason = item.entries[0]
                because = self._text(reason, "the name for which it has to be refused, as module.Name")
            path = self._text(found, "a file or a folder")
            if path and self._inside(found, path):
                yield Wanted(path, verdict, because, found.line)

    def _inside(self, node: Node, path: str) -> bool:
        real = os.path.realpath(os.path.join(self.folder, path))
        folder = os.path.realpath(self.folder)
        if os.path.isabs(path) or os.path.commonpath((folder, real)) != folder:
            self._problems.add(node, f"{quoted(path)} is outside of the folder of this file")
            return False
        if not os.path.exists(real):
            self._problems.add(node, f"{quoted(path)} is not there")
            return False
        return True


def _outcomes(expectations: Expectations, wanted: Wanted) -> Iterator[Outcome]:
    whole = os.path.join(expectations.folder, wanted.path)
    origin = f"{expectations.label}:{wanted.line}"
    paths = list(_files(whole)) if os.path.isdir(whole) else [whole]
    if not paths:
        yield Outcome(wanted.path, wanted.verdict, "nothing", False, "the folder has no file", origin)
    for path in paths:
        shown = os.path.relpath(path, expectations.folder)
        try:
            report = scan(path, policy=expectations.policy)
        except OSError as error:
            yield Outcome(shown, wanted.verdict, "unreadable", False, error.strerror or str(error), origin)
        else:
            met = report.verdict == wanted.verdict and _is_because(report, wanted.because)
            yield Outcome(shown, wanted.verdict, report.verdict, met, _message(report, wanted, met=met), origin)


def _files(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (os.path.join(place, name) for name in sorted(names))


def _is_because(report: Report, because: str | None) -> bool:
    named = {f"{finding.module}.{finding.name}" for finding in report.findings if finding.module}
    return because is None or because in named


def _message(report: Report, wanted: Wanted, *, met: bool) -> str:
    first = report.findings[0].message if report.findings else "everything in it is granted"
    if met:
        return report.verdict
    if report.verdict == FORBIDDEN and wanted.because is not None:
        return f"refused, but not for {escape(wanted.because)}: {first}"
    return f"{report.verdict}, and it has to be {wanted.verdict}: {first}"
