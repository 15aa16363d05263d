"""What can go wrong with a stream or a policy, one class per cause.

Rules:

* Whatever is wrong with a stream is a `pickle.UnpicklingError`; the class says why, attributes say where and what.
* Only `EndOfStream` has a second base.  Libraries retry on ValueError or AttributeError with an unsafe loader, so no
  refusal may be one of those.
* An error carries names and positions, never payload.
* This module imports nothing of the package.
"""

from __future__ import annotations

from safepickle.hints import Iterable, NamedTuple

try:  # `pickle` itself costs several times the import of its C core, and re-exports these very classes.
    from _pickle import PickleError, PicklingError, UnpicklingError
except ImportError:  # pragma: no cover - an interpreter without the C core
    from pickle import PickleError, PicklingError, UnpicklingError

__all__ = [
    "EndOfStream",
    "Forbidden",
    "LimitExceeded",
    "MalformedStream",
    "MissingGrant",
    "PickleError",
    "PicklingError",
    "PolicyError",
    "ReconstructionError",
    "StreamError",
    "UnpicklingError",
    "escape",
    "is_dotted",
    "paste",
]


class MissingGrant(NamedTuple):
    """One grant that a stream needs and its policy lacks."""

    module: str
    name: str
    verbs: tuple[str, ...]
    reason: str = ""  # why, where a grant exists but its conditions refuse the use
    conditions: str = ""  # what an entry would say beside its verbs, as YAML, to admit it all the same


def escape(text: str, most: int = 200) -> str:
    """Stream text made safe to print: control, bidirectional and other unprintable characters become escapes."""
    shown = text if len(text) <= most else text[:most]
    safe = "".join(
        char if char.isprintable() and char != "\\" else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in shown
    )
    return safe if len(text) <= most else f"{safe}... ({len(text)} characters)"


def is_dotted(text: str) -> bool:
    """Whether a policy can spell a name as it is: anything else would be YAML of its own where it is pasted."""
    return len(text) <= 1000 and all(part.isidentifier() for part in text.split("."))


def paste(missing: Iterable[MissingGrant]) -> str:
    """The YAML that would admit `missing`, ready to be put into a policy file once somebody has judged it."""
    modules: dict[str, list[MissingGrant]] = {}
    unlistable: list[MissingGrant] = []
    for grant in missing:
        listable = is_dotted(grant.module) and is_dotted(grant.name) and (grant.conditions or not grant.reason)
        (modules.setdefault(grant.module, []) if listable else unlistable).append(grant)
    lines = ["allow:"] if modules else []
    for module in sorted(modules):
        lines.append(f"  {module}:")
        lines += [f"    - {_entry(grant)}" for grant in sorted(modules[module], key=lambda grant: grant.name)]
    for grant in unlistable:
        why = escape(grant.reason) or "not a name that a policy can list"
        lines.append(f"# {escape(grant.module)} {escape(grant.name)} ({', '.join(grant.verbs)}): {why}")
    return "\n".join(lines) + "\n" if lines else ""


def _entry(grant: MissingGrant) -> str:
    conditions = f", {grant.conditions}" if grant.conditions else ""
    return f"{grant.name}: {{use: [{', '.join(grant.verbs)}]{conditions}}}"


class StreamError(UnpicklingError):
    """A pickle stream was refused.  Never raised itself: one of its subclasses says why.

    Attributes, each None where it does not apply: `position` (byte offset of the opcode), `opcode` (its name),
    `module` and `name` (the global concerned), `verb` (refer, new, call, build or fill), `path` (where in the object),
    `missing` (every grant the stream lacks), `yaml` (those grants as text to paste into a policy).  `elsewhere` says
    whether another reader of pickles may go on where this one ends.
    """

    elsewhere = False

    def __init__(
        self,
        message: str = "",
        *,
        position: int | None = None,
        opcode: str | None = None,
        module: str | None = None,
        name: str | None = None,
        verb: str | None = None,
        path: str | None = None,
        missing: tuple[MissingGrant, ...] = (),
        advice: str | None = None,
    ) -> None:
        super().__init__(message)
        self.position = position
        self.opcode = opcode
        self.module = module
        self.name = name
        self.verb = verb
        self.path = path
        self.missing = missing
        if position is not None:
            self.add_note(f"at byte {position}" + (f", opcode {opcode}" if opcode else ""))
        if path:
            self.add_note(f"in {path}")
        if advice:
            self.add_note(advice)
        text = paste(missing)
        if text:
            self.add_note("What this stream needs and the policy lacks; judge each name before listing it:\n" + text)

    @property
    def yaml(self) -> str:
        """The missing grants as YAML to paste into a policy file; empty where nothing is missing."""
        return paste(self.missing)


class Forbidden(StreamError):
    """The stream is well formed and asks for something that the policy does not grant."""


class LimitExceeded(StreamError):
    """The stream would cost more than a limit allows: depth, memo, hash work, copy work, digits, bytes."""

    elsewhere = True


class MalformedStream(StreamError):
    """The bytes are no pickle, or ask for what can never work, such as popping an empty stack."""


class EndOfStream(MalformedStream, EOFError):
    """There was no byte at all where a pickle should start.

    This is an `EOFError` too, so that `while True: load()` ends as it does with pickle.  A pickle that breaks off
    after its first byte is a `MalformedStream`.
    """


class ReconstructionError(StreamError):
    """Something the policy lists raised while it was imported, called or given its state; `__cause__` has it."""


class PolicyError(ValueError):
    """A policy document is not valid.  `errors` has every problem found, each with its file, line and column."""

    def __init__(self, message: str, errors: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.errors = errors or (message,)
