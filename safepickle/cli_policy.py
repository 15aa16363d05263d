"""The command line of the policy tools: `safepickle policy learn|lint|diff|explain|test|schema|show`.

Rules:

* Exit codes are for CI: 0 nothing to say, 1 something found, 2 a usage error or something that could not be judged, 3
  nothing to work on; 1 wins over 2.
* Each command prints text for people or one JSON value.  What `learn`, `schema` and `show` print is a file.
* It words and decides nothing about policies: every command is a module of `safepickle.policy`, imported when it runs.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from safepickle.console import FOUND, NOTHING, PASSED, UNFINISHED, complain, read_policy, refuse, say, to_json
from safepickle.errors import PolicyError
from safepickle.report import NOT_A_PICKLE

if TYPE_CHECKING:
    from safepickle.policy import Policy
    from safepickle.policy.learn import Learned
    from safepickle.policy.observe import Sample

FORMATS: Final = ("text", "json")


def add_policy(parser: argparse.ArgumentParser, option: str, **how: Any) -> None:
    """Add an argument that names a policy."""
    parser.add_argument(
        option,
        metavar=how.pop("metavar", "NAMES|FILE"),
        help="a policy file (it has a / or ends in .yaml), or packaged policies joined by commas",
        **how,
    )


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the commands to the parser of `safepickle policy`."""
    about = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    learning = _command(about, "learn", _learn, "write the least policy that admits trusted samples")
    learning.add_argument("--into", metavar="FILE", help="add to what this policy file says, and print the result")
    learning.add_argument("paths", nargs="+", metavar="PATH", help="a trusted pickle, or a folder of them")

    linting = _command(about, "lint", _lint, "say what is wrong with a policy although it is valid")
    linting.add_argument("--import", dest="inspect", action="store_true",
                         help="import everything that the policy lists, and look at it")  # fmt: skip
    linting.add_argument("--sample", action="append", metavar="PATH", help="report entries that no sample uses")
    add_policy(linting, "policy")

    comparing = _command(about, "diff", _diff, "say what a new policy admits that an old one did not")
    add_policy(comparing, "old", metavar="OLD")
    add_policy(comparing, "new", metavar="NEW")

    explaining = _command(about, "explain", _explain, "say why a name is allowed or not")
    add_policy(explaining, "policy")
    explaining.add_argument("name", metavar="MODULE.NAME")

    testing = _command(about, "test", _test, "check which samples a policy admits and refuses")
    testing.add_argument("files", nargs="+", metavar="FILE", help="a file of expectations")

    _command(about, "schema", _schema, "print the JSON Schema of policy files", formats=False)

    flattening = _command(about, "show", _show, "print a policy with everything it includes")
    add_policy(flattening, "policy")


def _command(
    about: Any, name: str, run: Callable[[argparse.Namespace], int], help_: str, *, formats: bool = True
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = about.add_parser(name, help=help_, description=help_[0].upper() + help_[1:] + ".")
    parser.set_defaults(run=_refusing(run))
    if formats:
        parser.add_argument("--format", choices=FORMATS, default="text", help="how to print (default: %(default)s)")
    return parser


def _refusing(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """A command that says what is wrong with a policy or a file, and exits with 2."""

    def guarded(options: argparse.Namespace) -> int:
        try:
            return run(options)
        except PolicyError as error:
            refuse(error)
        except OSError as error:
            complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return UNFINISHED

    return guarded


# Learning


def _learn(options: argparse.Namespace) -> int:
    from safepickle.policy import Policy
    from safepickle.policy.learn import study

    base = Policy.from_file(options.into) if options.into else None
    samples, unread = _samples(options.paths)
    for path, why in unread:
        complain(f"{path}: {why}")
    if not samples:
        complain("nothing to learn from")
        return UNFINISHED if unread else NOTHING
    learned = study(samples, base)
    _print_learned(options, learned)
    for gone in learned.withheld:
        complain(f"not granted: {gone}")
    for problem in learned.problems:
        complain(str(problem))
    if learned.withheld:
        return FOUND
    # What lies in a folder and claims to be nothing is told, as by `scan`, and no failure.
    grave = [one for one in learned.problems if one.message != NOT_A_PICKLE or one.sample in options.paths]
    if grave or unread:
        return UNFINISHED
    return PASSED if learned.pickles else NOTHING


def _print_learned(options: argparse.Namespace, learned: Learned) -> None:
    text = _text_of(options, learned)
    if options.format == "text":
        _print_file(text)
        return
    entries = [
        {"module": found.name[0], "name": found.name[1], "entry": found.text, "sample": found.sample,
         "position": found.position, "uses": dict(found.uses)}
        for found in learned.entries
    ]  # fmt: skip
    withheld = [
        {"module": gone.name[0], "name": gone.name[1], "verbs": list(gone.verbs), "reason": gone.reason,
         "sample": gone.sample, "position": gone.position}
        for gone in learned.withheld
    ]  # fmt: skip
    problems = [problem._asdict() for problem in learned.problems]
    say(to_json({"policy": text, "entries": entries, "withheld": withheld, "problems": problems}))


def _text_of(options: argparse.Namespace, learned: Learned) -> str:
    from safepickle.policy.learn import document
    from safepickle.policy.merge import merged
    from safepickle.policy.parse import file_content

    if not options.into:
        return document(learned)
    return merged(file_content(options.into, None).decode("utf-8"), learned, options.into)


def _samples(paths: Iterable[str]) -> tuple[list[Sample], list[tuple[str, str]]]:
    """What is to be learned from, folders with everything below them, and what could not be read."""
    from safepickle.policy.observe import read_samples

    samples: list[Sample] = []
    unread: list[tuple[str, str]] = []
    for path in paths:
        for file in _files(path):
            try:
                samples += read_samples([file])
            except OSError as error:
                unread.append((file, error.strerror or str(error)))
    return samples, unread


def _files(path: str) -> Iterable[str]:
    if not os.path.isdir(path):
        yield path
    for folder, folders, names in os.walk(path):
        folders.sort()
        yield from (os.path.join(folder, name) for name in sorted(names) if os.path.isfile(os.path.join(folder, name)))


# Reviewing


def _policy(spelled: str) -> Policy:
    policy = read_policy(spelled)
    if policy is None:
        raise PolicyError("", ())
    return policy


def _lint(options: argparse.Namespace) -> int:
    from safepickle.policy.lint import lint

    policy = _policy(options.policy)
    samples = None
    if options.sample is not None:
        samples, unread = _samples(options.sample)
        for path, why in unread:
            complain(f"{path}: {why}")
        if unread:
            return UNFINISHED
    remarks = lint(policy, samples=samples, inspect=options.inspect)
    _print_all(options, "remarks", remarks)
    return FOUND if remarks else PASSED


def _diff(options: argparse.Namespace) -> int:
    from safepickle.policy.diff import MORE, diff

    differences = diff(_policy(options.old), _policy(options.new))
    _print_all(options, "differences", differences)
    return FOUND if any(difference.kind in MORE for difference in differences) else PASSED


def _explain(options: argparse.Namespace) -> int:
    from safepickle.policy.explain import explain

    policy = _policy(options.policy)
    try:
        answers = explain(policy, options.name)
    except ValueError as error:
        complain(f"{options.name}: {error}")
        return UNFINISHED
    if options.format == "json":
        say(to_json({"answers": [answer.to_dict() for answer in answers]}))
    else:
        for answer in answers:
            for line in answer.lines():
                say(line)
    return PASSED if any(answer.granted for answer in answers) else FOUND


def _test(options: argparse.Namespace) -> int:
    from safepickle.policy.expect import check

    outcomes = [outcome for file in options.files for outcome in check(file)]
    if options.format == "json":
        say(to_json({"outcomes": [outcome.to_dict() for outcome in outcomes]}))
    else:
        for outcome in outcomes:
            say(str(outcome))
        met = sum(outcome.met for outcome in outcomes)
        say(f"{met} of {len(outcomes)} as expected")
    return PASSED if all(outcome.met for outcome in outcomes) else FOUND


def _schema(_: argparse.Namespace) -> int:
    import json

    from safepickle.policy.schema import schema

    _print_file(json.dumps(schema(), indent=2))
    return PASSED


def _show(options: argparse.Namespace) -> int:
    from safepickle.policy.schema import instance

    policy = _policy(options.policy)
    text = policy.to_yaml()
    if options.format == "text":
        _print_file(text)
    else:
        say(to_json({"digest": policy.digest, "limits": policy.limits._asdict(), "policy": instance(text)}))
    return PASSED


def _print_all(options: argparse.Namespace, what: str, found: Iterable[Any]) -> None:
    if options.format == "json":
        say(to_json({what: [one.to_dict() for one in found]}))
        return
    for one in found:
        say(str(one))


def _print_file(text: str) -> None:
    for line in text.splitlines():
        say(line)
