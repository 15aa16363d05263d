"""What trusted samples use, and what a policy refuses of it: the verifier's account of each pickle in them.

This is no reader of its own.  The scanner says which pickles a sample has, the verifier goes through each under the
policy in question and collects what is missing, as it does before every load; its heap keeps what every object was
made of.  Rules:

* Nothing is imported or run, whatever the sample holds.
* What could not be judged, or no policy can grant, becomes a problem with its place, never a silence.
* It decides nothing about policies: `learn` and `lint` do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from safepickle.errors import Forbidden, StreamError, escape
from safepickle.layouts import wraps_arrays
from safepickle.limits import Limits
from safepickle.policy import Policy
from safepickle.policy.model import PolicyData
from safepickle.reader import Reader, frozen_input
from safepickle.report import NOT_A_PICKLE, PASS, Finding, Member
from safepickle.scanner import Judged, scan, watched
from safepickle.symbols import GLOBAL, KIND, Global, Made, Refusal
from safepickle.verifier import Options, Verifier
from safepickle.windows import WindowReader


class Sample(NamedTuple):
    """One source of pickles, read once."""

    name: str
    data: bytes


class Problem(NamedTuple):
    """What of a sample could not be judged, or cannot be granted."""

    sample: str
    position: int | None
    message: str

    def __str__(self) -> str:
        place = "" if self.position is None else f", byte {self.position}"
        return f"{escape(self.sample)}{place}: {self.message}"


class Pass(NamedTuple):
    """One pickle of a sample, judged under a policy; the verifier's heap holds what its objects were made of."""

    sample: str
    verifier: Verifier
    base: int = 0  # what is added to its places

    @property
    def refusals(self) -> list[Refusal]:
        """What the policy does not grant."""
        found = self.verifier.refusals
        return [one._replace(position=one.position + self.base) for one in found] if self.base else found

    def symbols(self) -> Iterable[Global]:
        """Every name that the pickle uses, with how often each verb was used."""
        return self.verifier.globals.values()

    def made(self) -> Iterator[Made]:
        """Every object that a call or a `new` of a listed name gave."""
        heap = self.verifier.heap
        for number in range(len(heap)):
            held = heap.held(number)
            if isinstance(held, Made) and held.origin is not None:
                yield held

    def bases_of(self, cls: Global) -> Iterator[str]:
        """What the pickle may have named as the base of `cls` for copyreg._reconstructor."""
        heap = self.verifier.heap
        for number in range(len(heap)):
            held = heap.held(number)
            if isinstance(held, list) and len(held) == 3 and all(code & KIND == GLOBAL for code in held[:2]):
                named, base = heap.of(held[0]), heap.of(held[1])
                if named is cls:
                    yield base.dotted


def read_samples(samples: Iterable[Any]) -> list[Sample]:
    """The samples, which are bytes-like, paths, or binary files.  Raises TypeError, and OSError for what is not read.

    Those without a name are called by their number.
    """
    if isinstance(samples, (str, bytes, bytearray, memoryview, os.PathLike)):
        raise TypeError(f"samples is a list of samples, not one {type(samples).__name__}: write [sample]")
    return [_read(sample, f"sample {number}") for number, sample in enumerate(samples, 1)]


def _read(sample: Any, name: str) -> Sample:
    if isinstance(sample, Sample):
        return sample
    if isinstance(sample, (str, os.PathLike)):
        with open(sample, "rb") as file:
            return Sample(os.fsdecode(sample), file.read())
    if callable(getattr(sample, "read", None)):
        data = sample.read()
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"the file's read() gave {type(data).__name__}, not bytes: open it in binary mode")
        return Sample(str(getattr(sample, "name", name)), bytes(data))
    return Sample(name, bytes(frozen_input(sample)))


class Source:
    """A sample, taken apart into its pickles once; it is judged under as many policies as are asked about.

    What stands in a container, or has the bytes of arrays in between, the scanner alone can read: there it is watched.
    """

    __slots__ = ("_places", "_starts", "problems", "sample", "size")

    def __init__(self, sample: Sample, limits: Limits) -> None:
        everything = Policy(PolicyData({}, unrestricted=True, named_limits=_named(limits)))
        report = scan(sample.data, policy=everything)
        passed = [member for member in report.members if member.verdict == PASS]
        self._places: set[tuple[str, int]] | None = None  # (name, start) of what has to be watched
        if any(member.name for member in passed) or _wraps_arrays(sample.data, everything):
            self._places = {(member.name, member.start) for member in passed}
        self.sample = sample
        self.size = len(sample.data)
        self.problems = [] if report.verdict == PASS else _explained(sample.name, report.findings)
        self._starts = [member.start for member in passed]
        if report.verdict == NOT_A_PICKLE:
            self.problems = [Problem(sample.name, None, NOT_A_PICKLE)]

    @property
    def count(self) -> int:
        """How many pickles it has."""
        return len(self._starts)

    def judge(self, policy: Policy, problems: list[Problem], take: Callable[[Pass], None]) -> None:
        """Hand over each pickle under the policy.  What ends a pass, whatever it is but a refusal, is a problem."""
        if self._places is None:
            for judged in self.judged(policy, problems):
                take(judged)
        else:
            self._watch(self._places, policy, problems, take)

    def _watch(
        self,
        places: set[tuple[str, int]],
        policy: Policy,
        problems: list[Problem],
        take: Callable[[Pass], None],
    ) -> None:
        left = set(places)

        def look(judged: Judged) -> None:
            member = judged.member
            # A pickle that is read in two ways, with arrays in between and without, is shown twice: what is read to
            # its end counts, both ways.
            if not judged.verifier.finished or (member.name, member.start) not in places:
                return
            left.discard((member.name, member.start))
            reader, base = judged.reader, 0
            if isinstance(reader, WindowReader):
                reader.again()
                reader.boundary()  # literals are read from what is available again
                base = member.start
            take(Pass(_within(self.sample.name, member.name), judged.verifier, base))

        watched(self.sample.data, policy=policy, watch=look)
        problems += [
            Problem(_within(self.sample.name, name), start, "this pickle could not be judged to its end")
            for name, start in sorted(left)
        ]

    def judged(self, policy: Policy, problems: list[Problem]) -> Iterator[Pass]:
        """Each pickle of a sample that is no container, as `judge` hands them over."""
        for start in self._starts:
            limits = policy.limits
            reader = Reader(self.sample.data, start, integer_digits=limits.integer_digits)
            verifier = Verifier(reader, policy.data, limits, Options(scanning=True))
            try:
                verifier.check()
            except Forbidden as error:
                if not verifier.finished:
                    problems.append(Problem(self.sample.name, error.position, _ended(verifier)))
            except StreamError as error:
                problems.append(Problem(self.sample.name, error.position, escape(str(error), 300)))
                continue
            yield Pass(self.sample.name, verifier)

    def refused(self, policy: Policy) -> list[Problem]:
        """What a scan under the policy finds, pickles inside strings included."""
        report = scan(self.sample.data, policy=policy)
        return [] if report.verdict == PASS else _explained(self.sample.name, report.findings)


def _wraps_arrays(data: bytes, policy: Policy) -> bool:
    """Whether the bytes of arrays stand in between.  Whatever makes them has joblib in the name of its module."""
    wrapping: list[Member] = []

    def look(judged: Judged) -> None:
        if wraps_arrays(judged.verifier):
            wrapping.append(judged.member)

    if b"joblib" in data:
        watched(data, policy=policy, watch=look)
    return bool(wrapping)


def _within(sample: str, member: str) -> str:
    return f"{sample}!/{member}" if member else sample


def _named(limits: Limits) -> dict[str, int]:
    return {name: value for name, value in limits._asdict().items() if value is not None}


def _explained(name: str, findings: Iterable[Finding]) -> list[Problem]:
    said = {
        (finding.position, finding.message + (_WIDER if finding.rule == "limit" and finding.opcode else "")): None
        for finding in findings
    }
    return [Problem(name, position, message) for position, message in said]


_WIDER: Final = "; for a pickle that is trusted, name a wider one under `limits` of the policy"


def _ended(verifier: Verifier) -> str:
    return verifier.refusals[-1].message + "; what follows could not be judged"
