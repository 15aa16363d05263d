"""What a scan found: frozen data, independent of how it is printed.

Rules:

* Rule identifiers are stable: they are what a baseline or a code-scanning service compares.
* Text that comes from a stream is kept as it is here, and escaped by whatever prints it; `message` is already escaped.
* A report that does not account for every byte is never a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safepickle.errors import MissingGrant, escape
from safepickle.members import Member, Members

if TYPE_CHECKING:
    from safepickle.policy import Policy

__all__ = ["RULES", "Capability", "Finding", "Member", "Report", "Rule"]

PASS: Final = "pass"
FORBIDDEN: Final = "forbidden"
MALFORMED: Final = "malformed"
INCOMPLETE: Final = "incomplete"
NOT_A_PICKLE: Final = "not a pickle"
VERDICTS: Final = (FORBIDDEN, MALFORMED, INCOMPLETE, NOT_A_PICKLE, PASS)

#: What is known of a name that is not granted.
DANGEROUS: Final = "dangerous"
UNKNOWN: Final = "unknown"
#: What to do about a dangerous one, whatever the rule.
DANGEROUS_ADVICE: Final = "Do not load it: no policy should admit this."
#: Stands in kinds of arguments for those that are not told apart.
MORE: Final = "..."


class Rule(NamedTuple):
    """One kind of finding: what it means, and what to do about it."""

    meaning: str
    advice: str
    severity: str = "error"  # error, or warning where nothing hostile was seen but the scan is not complete
    verdict: str = FORBIDDEN  # what the source is called because of it


#: Every rule by its identifier.
RULES: Final = {
    "not-granted": Rule(
        "The stream uses a name in a way that the policy does not grant.",
        "Judge the name; list it if what it does is harmless with any arguments.",
    ),
    "condition": Rule(
        "The policy lists the name, but not for these arguments or this state.",
        "Find out who wrote them; widen the condition only for what your own program writes.",
    ),
    "provenance": Rule(
        "The stream would change or call something that it did not make itself, or plant a hook.",
        "Do not load it: no program writes this by accident.",
    ),
    "not-accepted": Rule(
        "The stream needs persistent IDs, buffers or extension codes, which the policy does not accept.",
        "List them under `accept` if the program that loads it provides them.",
    ),
    "limit": Rule(
        "Loading would cost more than a limit allows.",
        "Raise the limit in the policy if the file is yours; else do not load it.",
    ),
    "malformed": Rule(
        "The bytes are no valid pickle.",
        "Do not load it; fetch it again if it should be one.",
        verdict=MALFORMED,
    ),
    "empty": Rule("There is not a single byte.", "Fetch the file again.", verdict=MALFORMED),
    "expansion": Rule(
        "The objects share so much that to print them, compare them or write them as text would hardly ever end.",
        "Load it only if nothing walks through what it holds.",
        "warning", INCOMPLETE,
    ),
    "trailing-data": Rule(
        "Bytes behind, before or between what was understood belong to nothing.",
        "Find out what wrote them; cut them off if nobody needs them.",
        "warning", INCOMPLETE,
    ),
    "container": Rule(
        "A container is damaged, or of a kind that is not supported, so not all of it was judged.",
        "Fetch it again, or unpack it with its own tool and scan what comes out.",
        "warning", INCOMPLETE,
    ),
    "container-mismatch": Rule(
        "A container says two things of what it holds: one program would load other bytes than another one.",
        "Do not load it: no program writes this by accident.",
        verdict=MALFORMED,
    ),
    "checksum": Rule(
        "A member is not what its checksum says; its bytes were judged as they are.",
        "Fetch the file again.",
        "warning", INCOMPLETE,
    ),
    "encrypted": Rule(
        "A member is encrypted, or says that it is, so it was not judged.",
        "Decrypt it and scan what comes out.",
        "warning", INCOMPLETE,
    ),
    "missing-library": Rule(
        "What would unpack this is not installed here.",
        "Install it: `pip install safepickle-codec[containers]`.",
        "warning", INCOMPLETE,
    ),
    "unpack-limit": Rule(
        "There are more members or findings, it is nested deeper or unpacks to more than the scan follows.",
        "Raise `members`, `nested` or `unpacked` under `limits` in the policy if the file is yours.",
        "warning", INCOMPLETE,
    ),
    "unreadable": Rule("The file could not be read.", "See the message.", "warning", INCOMPLETE),
}  # fmt: skip


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
    member: str | None = None  # the stream of a container in which `position` counts; None: the source itself
    grade: str | None = None  # dangerous: a name known for it; unknown: one that is not, and no policy was given
    reason: str | None = None  # what a dangerous name can do
    known: bool = False  # a baseline has it too, see `baseline.py`


class Capability(NamedTuple):
    """One name that the source refers to, and how often it is used by which verb, with which kinds of arguments."""

    module: str
    name: str
    uses: tuple[tuple[str, int], ...]
    granted: bool
    #: Of calls and of instances: words of the policy language, and how often.  Where they add up to less than the uses,
    #: the source makes more objects than are looked at.
    arguments: tuple[tuple[tuple[str, ...], int], ...] = ()


class Report(NamedTuple):
    """The outcome of one scan."""

    source: str | None
    verdict: str
    findings: tuple[Finding, ...]
    capabilities: tuple[Capability, ...]
    members: Sequence[Member]  # a tuple, or `Members`, which is equal to one
    missing: tuple[MissingGrant, ...]
    size: int
    claimed: int  # bytes that belong to a pickle or a container that was understood
    hashed: str | Callable[[], str]
    #: The digest of the policy, or what gives it: a policy's takes longer than most scans.
    judge: str | Policy | Callable[[], str]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Report):
            return NotImplemented
        return tuple(self)[:-1] == tuple(other)[:-1] and self.policy == other.policy

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((*tuple(self)[:-1], self.policy))

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Report, (*tuple(self)[:-1], self.policy)  # as short as it is elsewhere

    @property
    def policy(self) -> str:
        """The digest of the policy, computed when it is first asked for.

        Where no policy was given, it is that of the packaged files and of the version that has read them.
        """
        judge = self.judge
        if isinstance(judge, str):
            return judge
        return judge() if callable(judge) else judge.digest

    @property
    def ok(self) -> bool:
        """Whether everything was analysed, and passed."""
        return self.verdict == PASS

    @property
    def sha256(self) -> str:
        """The hash of the source, in hexadecimal; a large file is read for it when it is first asked for.

        Raises OSError where the file has gone or has changed since it was scanned.
        """
        return self.hashed if isinstance(self.hashed, str) else self.hashed()

    def to_dict(self, most_members: int | None = None) -> dict[str, Any]:
        """The report as plain data for JSON.

        Where there are more members than `most_members`, the first ones, and `more_members`: how many are left out.
        """
        count = len(self.members)
        cut = count if most_members is None else min(most_members, count)
        left_out = {"more_members": count - cut} if cut < count else {}
        return {
            "source": self.source,
            "verdict": self.verdict,
            "ok": self.ok,
            "findings": [finding._asdict() for finding in self.findings],
            "capabilities": [_capability_to_dict(capability) for capability in self.capabilities],
            "members": [member._asdict() for member in (self.members if cut == count else self.members[:cut])],
            **left_out,
            "missing": [_grant_to_dict(grant) for grant in self.missing],
            "size": self.size,
            "claimed": self.claimed,
            "sha256": self.sha256,
            "policy": self.policy,
        }

    @classmethod
    def from_dict(cls, data: Any) -> Report:
        """The report that `to_dict` made this of.

        Raises ValueError, with what is wrong and where, for anything else.  What a later version has added is ignored.
        """
        record = _Reading(data, "")
        verdict = record.text("verdict")
        if verdict not in VERDICTS:
            raise ValueError(f"verdict: {escape(verdict, 40)!r} is none")
        return cls(
            record.maybe_text("source"),
            verdict,
            tuple(_finding(each) for each in record.records("findings")),
            tuple(_capability(each) for each in record.records("capabilities")),
            Members(_member(each) for each in record.records("members")),
            tuple(_grant(each) for each in record.records("missing")),
            record.number("size"),
            record.number("claimed"),
            record.text("sha256"),
            record.text("policy"),
        )


def _grant_to_dict(grant: MissingGrant) -> dict[str, Any]:
    told = {**grant._asdict(), "verbs": list(grant.verbs)}
    if not grant.conditions:
        del told["conditions"]
    return told


def _capability_to_dict(capability: Capability) -> dict[str, Any]:
    arguments = [{"kinds": list(kinds), "count": count} for kinds, count in capability.arguments]
    return {**capability._asdict(), "uses": dict(capability.uses), "arguments": arguments}


class _Reading:
    """One object of a JSON document, and how it is reached."""

    def __init__(self, data: Any, place: str) -> None:
        if not isinstance(data, dict):
            raise ValueError(f"{place or 'it'} is no object")  # noqa: TRY004 - one error for whatever is wrong with it
        self._data = data
        self._place = place

    def has(self, key: str) -> bool:
        """Whether there is such a key: versions before this one did not write all of them."""
        return key in self._data

    def _get(self, key: str, kinds: type | tuple[type, ...], called: str) -> Any:
        where = f"{self._place}.{key}" if self._place else key
        if key not in self._data:
            raise ValueError(f"{where} is missing")
        value = self._data[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise ValueError(f"{where} is no {called}")
        return value

    def text(self, key: str) -> str:
        found: str = self._get(key, str, "text")
        return found

    def maybe_text(self, key: str) -> str | None:
        found: str | None = self._get(key, (str, type(None)), "text")
        return found

    def number(self, key: str) -> int:
        found: int = self._get(key, int, "whole number")
        return found

    def place(self, key: str) -> int:
        found = self.number(key)
        if not 0 <= found < 1 << 64:  # as `Members` keeps them
            raise ValueError(f"{self._place}.{key} is negative, or larger than any file")
        return found

    def maybe_number(self, key: str) -> int | None:
        found: int | None = self._get(key, (int, type(None)), "whole number")
        return found

    def truth(self, key: str) -> bool:
        found: bool = self._get(key, bool, "truth value")
        return found

    def records(self, key: str) -> list[_Reading]:
        place = f"{self._place}.{key}" if self._place else key
        return [_Reading(each, f"{place}[{index}]") for index, each in enumerate(self._get(key, list, "list"))]

    def texts(self, key: str) -> list[str]:
        found: list[str] = self._get(key, list, "list")
        if not all(isinstance(each, str) for each in found):
            raise ValueError(f"{self._place}.{key} is no list of texts")
        return found

    def counts(self, key: str) -> tuple[tuple[str, int], ...]:
        inner = _Reading(self._get(key, dict, "object"), f"{self._place}.{key}")
        return tuple((name, inner.number(name)) for name in inner._data)


def _grant(record: _Reading) -> MissingGrant:
    conditions = record.text("conditions") if record.has("conditions") else ""
    verbs = tuple(record.texts("verbs"))
    return MissingGrant(record.text("module"), record.text("name"), verbs, record.text("reason"), conditions)


def _finding(record: _Reading) -> Finding:
    rule, severity, grade = record.text("rule"), record.text("severity"), record.maybe_text("grade")
    return Finding(
        rule, severity, record.text("message"), record.maybe_number("position"), record.maybe_text("opcode"),
        record.maybe_text("module"), record.maybe_text("name"), record.maybe_text("verb"), record.maybe_text("path"),
        record.maybe_text("member"), grade, record.maybe_text("reason"), record.truth("known"),
    )  # fmt: skip


def _capability(record: _Reading) -> Capability:
    arguments = tuple((tuple(each.texts("kinds")), each.number("count")) for each in record.records("arguments"))
    return Capability(
        record.text("module"), record.text("name"), record.counts("uses"), record.truth("granted"), arguments
    )


def _member(record: _Reading) -> Member:
    return Member(
        record.place("start"), record.place("stop"), record.place("opcodes"), record.text("verdict"),
        record.text("name"),
    )  # fmt: skip
