"""What a scan found: frozen data, independent of how it is printed.

Rules:

* Rule identifiers are stable: they are what a baseline or a code-scanning service compares.
* Text that comes from a stream is kept as it is here, and escaped by whatever prints it; `message` is already escaped.
* A report that does not account for every byte is never a pass.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from safepickle.errors import MissingGrant

__all__ = ["RULES", "Capability", "Finding", "Member", "Report"]

PASS: Final = "pass"
FORBIDDEN: Final = "forbidden"
MALFORMED: Final = "malformed"
INCOMPLETE: Final = "incomplete"
NOT_A_PICKLE: Final = "not a pickle"

#: Every rule: its identifier, and what it means.
RULES: Final = {
    "not-granted": "The stream uses a name in a way that the policy does not grant.",
    "condition": "The policy lists the name, but not for these arguments or this state.",
    "provenance": "The stream would change or call something that it did not make itself, or plant a hook.",
    "not-accepted": "The stream needs persistent IDs, buffers or extension codes, which the policy does not accept.",
    "limit": "Loading would cost more than a limit allows.",
    "malformed": "The bytes are no valid pickle.",
    "empty": "There is not a single byte.",
    "trailing-data": "Bytes after the last pickle belong to nothing that was understood.",
    "container": "The file is a container that this version does not open.",
    "unreadable": "The file could not be read.",
}


class Finding(NamedTuple):
    """One thing that is wrong, or could not be judged."""

    rule: str
    severity: str  # error, or warning where nothing hostile was seen but the scan is not complete
    message: str
    position: int | None = None  # byte offset in the source
    opcode: str | None = None
    module: str | None = None
    name: str | None = None
    verb: str | None = None
    path: str | None = None


class Capability(NamedTuple):
    """One name that the source refers to, and how often it is used by which verb."""

    module: str
    name: str
    uses: tuple[tuple[str, int], ...]
    granted: bool


class Member(NamedTuple):
    """One pickle found in the source."""

    start: int
    stop: int
    opcodes: int
    verdict: str


class Report(NamedTuple):
    """The outcome of one scan."""

    source: str | None
    verdict: str
    findings: tuple[Finding, ...]
    capabilities: tuple[Capability, ...]
    members: tuple[Member, ...]
    missing: tuple[MissingGrant, ...]
    size: int
    claimed: int  # bytes that belong to a pickle that was understood
    sha256: str
    policy: str  # digest

    @property
    def ok(self) -> bool:
        """Whether everything was analysed, and passed."""
        return self.verdict == PASS

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data for JSON."""
        return {
            "source": self.source,
            "verdict": self.verdict,
            "ok": self.ok,
            "findings": [finding._asdict() for finding in self.findings],
            "capabilities": [
                {**capability._asdict(), "uses": dict(capability.uses)} for capability in self.capabilities
            ],
            "members": [member._asdict() for member in self.members],
            "missing": [{**grant._asdict(), "verbs": list(grant.verbs)} for grant in self.missing],
            "size": self.size,
            "claimed": self.claimed,
            "sha256": self.sha256,
            "policy": self.policy,
        }
