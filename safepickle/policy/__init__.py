"""Policies: what a stream may do, as an immutable value.

`Policy` wraps the data of `model.py` and is made from YAML, from the packaged files, or from live objects.  Rules:

* Every policy but the unrestricted one stands on the packaged policy `plain`.
* Two policies that say the same are equal and have the same digest, whatever they were made from.
* A policy never imports or reads what it names; making one from live objects looks at these only.
* A file is read again each time it is asked for, so that what counts is what it says now; only the parsing of the very
  same bytes is saved.
* The default policy needs no YAML: nothing here imports the parser until a document is read.
"""

from __future__ import annotations

import os
import sys
from types import MappingProxyType

from safepickle.errors import PolicyError
from safepickle.hints import TYPE_CHECKING, Any, Callable, Final, Iterable, Mapping, NoReturn, TypeVar, Union
from safepickle.limits import Limits
from safepickle.policy import model
from safepickle.policy.deferred import Deferred
from safepickle.policy.model import CALL, EVERY_VERB, POWERFUL_PARTS, VERBS, Decision, Grant, Name, PolicyData

if TYPE_CHECKING:
    from safepickle.policy.parse import FileRead, Library

__all__ = [
    "ENVIRONMENT",
    "VERBS",
    "Decision",
    "Policy",
    "PolicySpec",
    "constructor",
    "constructors",
    "resolve_policy",
]

#: The environment variable that names the default policy: a path, or packaged names joined by commas.
ENVIRONMENT: Final = "SAFEPICKLE_POLICY"
_FILE_ENDINGS: Final = (".yaml", ".yml")


class Policy:
    """What a stream may do: exact names with their verbs and conditions, and limits.

    Immutable, hashable, and safe to share between threads.  Equal policies say the same; descriptions, reasons and
    the places where grants were written do not count.
    """

    __slots__ = ("_digest", "_limits", "_normal", "data")

    data: PolicyData
    _limits: Limits
    _normal: str | None
    _digest: str | None

    def __init__(self, data: PolicyData) -> None:
        """Wrap data whose aliases are settled, as the other constructors give it; use those."""
        frozen = data._replace(
            grants=data.grants if isinstance(data.grants, Deferred) else MappingProxyType(dict(data.grants)),
            aliases=MappingProxyType(dict(data.aliases)),
            named_limits=MappingProxyType(dict(data.named_limits)),
            denials=MappingProxyType(dict(data.denials)),
        )
        object.__setattr__(self, "data", frozen)
        object.__setattr__(self, "_limits", model.effective_limits(frozen))
        object.__setattr__(self, "_normal", None)
        object.__setattr__(self, "_digest", None)

    # Making policies

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Policy:
        """The policy of a YAML file.  Raises `PolicyError` with every problem of it and of what it includes."""
        return _from_file(os.fspath(path))

    @classmethod
    def from_yaml(cls, text: str | bytes, *, base: str | os.PathLike[str] | None = None) -> Policy:
        """The policy of YAML text.

        `base` is the folder that the text may include files from; without it only packaged policies can be included.
        Raises `PolicyError` with every problem found.
        """
        from safepickle.policy.parse import Source

        if not isinstance(text, (str, bytes)):
            raise TypeError(f"a policy is read from str or bytes, not {type(text).__name__}")
        return _on_plain(_library().load_text(text, Source("<policy>", None if base is None else os.fspath(base))))

    @classmethod
    def named(cls, name: str) -> Policy:
        """One packaged policy.  Raises `PolicyError` for a name that there is not."""
        if name not in _named:
            from safepickle.policy import packaged

            _named[name] = _on_plain(packaged.load(name))
        return _named[name]

    @staticmethod
    def names() -> tuple[str, ...]:
        """The names of the packaged policies, sorted."""
        from safepickle.policy import packaged

        return packaged.names()

    @classmethod
    def unrestricted(cls) -> Policy:
        """The trusted mode: every name with every verb.  Limits and the strict reading stay."""
        return _UNRESTRICTED

    @classmethod
    def of(cls, *objects: object, use: Iterable[str] | None = None) -> Policy:
        """A policy that lists live classes and functions by their exact names.

        `use` is the verbs that are granted; by default every verb for a class, and `call` for a function.
        Raises `PolicyError` for what has no importable name of its own: lambdas, local functions, values.
        """
        verbs = None if use is None else _verbs(use)
        return _listing({_name_of(live): _grant_for(live, verbs) for live in objects})

    @classmethod
    def learn(cls, samples: Iterable[Any], *, base: Policy | None = None) -> Policy:
        """The least policy that admits trusted samples: bytes-like objects, paths, or binary files.

        It grants what they use: verbs, arguments of the shapes that were seen, attributes.  With a `base`, what that
        does not admit is added to it.  Imports and runs nothing.  Raises `PolicyError` for names that no policy should
        list and for what is no pickle, OSError for what cannot be read.
        """
        return LEARNING["samples"](samples, base)

    @classmethod
    def from_object(cls, obj: object, *, protocol: int | None = None) -> Policy:
        """The least policy that admits the pickle of `obj`, which is written to find out.  Raises as `learn` does."""
        return LEARNING["object"](obj, protocol)

    def __or__(self, other: object) -> Policy:
        """The union: every grant and every deny of both, and the tightest of their limits."""
        if not isinstance(other, Policy):
            return NotImplemented
        try:
            return Policy(model.join(self.data, other.data))
        except ValueError as error:
            raise PolicyError(str(error)) from None

    # Asking policies

    def decide(self, module: str, name: str, verb: str) -> Decision:
        """Whether `verb` on `module.name` is granted, by which grants, and why.  Neither imports nor reads anything.

        A granted verb may still be refused by its grants' conditions, which are about arguments and state.
        """
        return model.decide(self.data, module, name, verb)

    @property
    def limits(self) -> Limits:
        """The limits in force, the defaults filled in."""
        return self._limits

    @property
    def named_limits(self) -> Mapping[str, int]:
        """The limits that the policy itself names."""
        return self.data.named_limits

    @property
    def description(self) -> str:
        """What the document says the policy is for."""
        return self.data.description

    @property
    def is_unrestricted(self) -> bool:
        """Whether this is the trusted mode."""
        return self.data.unrestricted

    @property
    def digest(self) -> str:
        """The SHA-256 of the normal form in hexadecimal: the same for equal policies, in every process and version."""
        digest = self._digest
        if digest is None:
            from hashlib import sha256

            digest = sha256(self._normal_form().encode("ascii")).hexdigest()
            object.__setattr__(self, "_digest", digest)
        return digest

    def to_yaml(self) -> str:
        """A document that reads back as an equal policy.  Raises `PolicyError` for the unrestricted policy."""
        from safepickle.policy import packaged, write

        return write.document(self.data, packaged.load_plain())

    def _normal_form(self) -> str:
        normal = self._normal
        if normal is None:
            from safepickle.policy.normal import normal_form

            normal = normal_form(self.data)
            object.__setattr__(self, "_normal", normal)
        return normal

    def __eq__(self, other: object) -> bool:
        return self._normal_form() == other._normal_form() if isinstance(other, Policy) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._normal_form())

    def __repr__(self) -> str:
        if self.data.unrestricted:
            return "Policy.unrestricted()"
        return f"<Policy {self.digest[:12]}: {len(self.data.grants)} names, {len(self.data.denied)} denied>"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Policy is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Policy is immutable: {name} cannot be deleted")

    def __reduce__(self) -> tuple[Callable[[PolicyData], Policy], tuple[PolicyData]]:
        data = self.data._replace(
            grants=dict(self.data.grants), aliases=dict(self.data.aliases), named_limits=dict(self.data.named_limits),
            denials=dict(self.data.denials),
        )  # fmt: skip
        return Policy, (data,)


#: What an argument `policy` can be.
PolicySpec = Union[Policy, str, "os.PathLike[str]", "list[PolicySpec]", "tuple[PolicySpec, ...]", None]

#: What learns policies needs the verifier, which stands on this module: the package puts it here.
LEARNING: Final[dict[str, Callable[..., Policy]]] = {}

_UNRESTRICTED: Final = Policy(PolicyData({}, unrestricted=True))
_named: dict[str, Policy] = {}
_unions: dict[str, Policy] = {}
_files: dict[str, tuple[list[FileRead], Policy]] = {}
_MOST_CACHED: Final = 64


# os.environ takes a microsecond to say that it has no such variable, which is as long as a small pickle takes.  What it
# keeps the variables in is a dict, whose name has not changed since it was a class.
VARIABLES: Final[Any] = getattr(os.environ, "_data", os.environ)
VARIABLE: Final[Any] = os.environ.encodekey(ENVIRONMENT) if VARIABLES is not os.environ else ENVIRONMENT  # type: ignore[attr-defined,unused-ignore]


def resolve_policy(spec: PolicySpec = None) -> Policy:
    """The policy that an argument `policy` stands for.

    A `Policy` is itself; a str is packaged names joined by commas; a path is a YAML file; a list or tuple of these is
    their union; None is what the environment variable `SAFEPICKLE_POLICY` names, else `plain`.  A str is never a path,
    but in the environment it is one if it has a `/` or ends in .yaml or .yml.  Raises `PolicyError`, or TypeError for
    anything else.
    """
    if isinstance(spec, Policy):
        return spec
    if spec is None:
        named = os.environ.get(ENVIRONMENT) if VARIABLE in VARIABLES else None
        return _from_text(named) if named else _named.get("plain") or Policy.named("plain")
    if isinstance(spec, str):
        return _packaged_union(spec)
    if isinstance(spec, (list, tuple)):
        if not spec:
            raise PolicyError("an empty list names no policy; the least one is 'plain'")
        policies = [_member(member) for member in spec]
        return _union(policies)
    if isinstance(spec, os.PathLike):
        path = os.fspath(spec)
        if isinstance(path, str):
            return _from_file(path)
    raise TypeError(f"policy must be a Policy, a str, a path, a list of these or None, not {type(spec).__name__}")


def _member(spec: PolicySpec) -> Policy:
    if spec is None:
        raise TypeError("None is the default policy and cannot be one of several")
    return resolve_policy(spec)


def _from_text(text: str) -> Policy:
    """A path or packaged names, as on the command line and in the environment."""
    return _from_file(text) if _is_path(text) else _packaged_union(text)


def _is_path(text: str) -> bool:
    """Whether a policy that is spelled so is a file, not packaged names."""
    return "/" in text or os.sep in text or text.endswith(_FILE_ENDINGS)


def _packaged_union(text: str) -> Policy:
    if text not in _unions:
        names = [name.strip() for name in text.split(",")]
        if any("/" in name or name.endswith(_FILE_ENDINGS) for name in names):
            raise PolicyError(f"{text!r} is not a packaged policy; give a file as a pathlib.Path")
        _unions[text] = _union([Policy.named(name) for name in names])
    return _unions[text]


def _union(policies: list[Policy]) -> Policy:
    whole = policies[0]
    for policy in policies[1:]:
        whole |= policy
    return whole


def _library() -> Library:
    from safepickle.policy import packaged
    from safepickle.policy.parse import Library

    return Library(packaged.load, packaged.names, packaged.load_plain())


def _on_plain(data: PolicyData) -> Policy:
    from safepickle.policy import packaged

    try:
        return Policy(model.join(packaged.load_plain(), data)._replace(description=data.description))
    except ValueError as error:
        raise PolicyError(str(error)) from None


def _from_file(path: str) -> Policy:
    key = os.path.abspath(path)
    known = _files.get(key)
    if known is not None and all(map(_is_unchanged, known[0])):
        return known[1]
    library = _library()
    policy = _on_plain(library.load_file(path))
    if len(_files) >= _MOST_CACHED:
        _files.clear()
    _files[key] = (library.files, policy)
    return policy


def _is_unchanged(read: FileRead) -> bool:
    """Whether the file has the very same bytes still: times and sizes can stay the same while the text changes."""
    from safepickle.policy.parse import file_content

    try:
        return file_content(read.path, read.within) == read.content
    except (OSError, ValueError):
        return False


# Policies from live objects

_constructors: dict[Name, Grant] = {}
_AnyCallable = TypeVar("_AnyCallable", bound=Callable[..., object])


def constructor(made: _AnyCallable) -> _AnyCallable:
    """Register a function or class as a safe constructor: `constructors()` then grants `call` of exactly its name.

    To be used as a decorator.  Raises `PolicyError` for what has no importable name of its own, such as a lambda or a
    local function.  A class whose instances are pickled without a reduce function is listed by `Policy.of` instead.
    """
    _constructors[_spelled(made)] = Grant(frozenset({CALL}), reason="registered by safepickle.constructor")
    return made


def constructors() -> Policy:
    """What `constructor` has registered so far, as a policy to be joined with others by `|`."""
    return _listing(_constructors)


def _listing(grants: Mapping[Name, Grant]) -> Policy:
    return _on_plain(PolicyData({name: (grant,) for name, grant in grants.items()}))


def _verbs(use: Iterable[str]) -> frozenset[str]:
    verbs = frozenset({use} if isinstance(use, str) else use)
    if not verbs or not verbs <= EVERY_VERB:
        raise PolicyError(f"use is some of: {', '.join(VERBS)}")
    return verbs


def _grant_for(live: object, verbs: frozenset[str] | None) -> Grant:
    is_class = isinstance(live, type)
    if verbs is None:
        return Grant(EVERY_VERB, plain=True) if is_class else Grant(frozenset({CALL}))
    return Grant(verbs)


def _spelled(live: object) -> Name:
    """The module and the qualified name that a callable gives itself, if a policy can list them."""
    module, name = getattr(live, "__module__", None), getattr(live, "__qualname__", None)
    if not callable(live) or type(module) is not str or type(name) is not str:
        raise PolicyError(f"a policy lists classes and functions; this {type(live).__name__} has no name of its own")
    parts = name.split(".")
    if not all(part.isidentifier() for part in (*parts, *module.split("."))):
        raise PolicyError(f"{module}.{name} cannot be imported by its name: it is local or a lambda")
    if not POWERFUL_PARTS.isdisjoint(parts):
        raise PolicyError(f"{module}.{name} hands out power over the interpreter")
    return module, name


def _name_of(live: object) -> Name:
    """The name of a class or function under which it can be found, now, where it says it is."""
    module, name = _spelled(live)
    found: object = sys.modules.get(module)
    if found is None:
        raise PolicyError(f"{module}.{name}: the module {module} is not imported")
    for depth, part in enumerate(name.split(".")):
        if depth and not isinstance(found, type):
            raise PolicyError(f"{module}.{name} is not reached through classes alone")
        found = getattr(found, part, None)
    # A bound class method is made anew at each look, and equals the others.
    if found is not live and not (type(found) is type(live) and found == live):
        raise PolicyError(f"{module}.{name} is something else than the object that has this name")
    return module, name
