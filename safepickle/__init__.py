"""Pickle for data you do not fully trust: a complete codec whose reader obeys a policy.

The names and signatures are pickle's, plus `policy`.  See README.md for what is promised and what is not.
"""

from __future__ import annotations

from safepickle import build, hints

build.choose()  # before any module of which there are two

from safepickle.codec import CheckedPickler as Pickler
from safepickle.codec import dump, dumps, load, loads, verify
from safepickle.errors import (
    EndOfStream,
    Forbidden,
    LimitExceeded,
    MalformedStream,
    PickleError,
    PicklingError,
    PolicyError,
    ReconstructionError,
    UnpicklingError,
)
from safepickle.opcodes import DEFAULT_PROTOCOL, HIGHEST_PROTOCOL
from safepickle.policy import LEARNING as _LEARNING
from safepickle.policy import Policy, constructor, constructors
from safepickle.unpickler import Unpickler


def _learn(samples: hints.Iterable[object], base: Policy | None) -> Policy:
    from safepickle.policy.learn import learn

    return learn(samples, base)


def _learn_object(obj: object, protocol: int | None) -> Policy:
    return _learn([dumps(obj, protocol)], None)


_LEARNING.update(samples=_learn, object=_learn_object)

try:
    from _pickle import PickleBuffer
except ImportError:  # pragma: no cover - an interpreter without the C core
    from pickle import PickleBuffer

if hints.TYPE_CHECKING:
    from safepickle.many import scan_many
    from safepickle.narrate import explain
    from safepickle.report import Finding, Report
    from safepickle.scanner import scan
else:


    def _report() -> object:
        from safepickle import report

        return report

    def _scanner() -> object:
        from safepickle import scanner

        return scanner

    def _narrate() -> object:
        from safepickle import narrate

        return narrate

    def _many() -> object:
        from safepickle import many

        return many

    #: What only scanning needs is imported when it is first asked for: loading shall not wait for it.
    _LATER = {"Finding": _report, "Report": _report, "explain": _narrate, "scan": _scanner, "scan_many": _many}

    def __getattr__(name: str) -> object:
        """A name of `_LATER`, which is found as any other from then on."""
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(_LATER[name](), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__version__ = build.VERSION

__all__ = [
    "DEFAULT_PROTOCOL",
    "HIGHEST_PROTOCOL",
    "EndOfStream",
    "Finding",
    "Forbidden",
    "LimitExceeded",
    "MalformedStream",
    "PickleBuffer",
    "PickleError",
    "Pickler",
    "PicklingError",
    "Policy",
    "PolicyError",
    "ReconstructionError",
    "Report",
    "Unpickler",
    "UnpicklingError",
    "constructor",
    "constructors",
    "dump",
    "dumps",
    "explain",
    "load",
    "loads",
    "scan",
    "scan_many",
    "verify",
]
