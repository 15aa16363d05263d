"""What a policy is: frozen data, and the pure decisions made on it.

Rules:

* Default deny, exact pairs of (module, qualified name).  There is no wildcard, prefix or substring.
* A grant is a set of verbs under conditions.  Joining policies adds grants; one of them must admit a use as a whole.
* A deny wins over every grant.
* Everything here is pure: no import of what is named, no file, no clock.  Reading YAML is `parse.py`.
"""

from __future__ import annotations

from safepickle.hints import Callable, Final, Mapping, NamedTuple
from safepickle.limits import FIELDS, Limits
from safepickle.policy.deferred import Later, Part, both, mapping, once, parts_of
from safepickle.policy.patterns import Pattern, Shape, renamed, renamed_pairs, renamed_shape

REFER: Final = "refer"
NEW: Final = "new"
CALL: Final = "call"
BUILD: Final = "build"
FILL: Final = "fill"
#: The verbs in the order in which they are written.
VERBS: Final = (REFER, NEW, CALL, BUILD, FILL)
EVERY_VERB: Final = frozenset(VERBS)

PERSISTENT_IDS: Final = "persistent_ids"
BUFFERS: Final = "buffers"
EXTENSIONS: Final = "extensions"
#: What a policy can accept by name.
ACCEPTABLE: Final = (PERSISTENT_IDS, BUFFERS, EXTENSIONS)

#: Parts of a qualified name that hand out power over the interpreter, whatever object they are read from.
POWERFUL_PARTS: Final = frozenset({
    "__globals__", "__subclasses__", "__dict__", "__class__", "__bases__", "__base__", "__mro__", "mro", "__code__",
    "__builtins__", "__reduce__", "__reduce_ex__", "__getattribute__", "__getattr__", "__setattr__", "__delattr__",
    "__closure__", "__defaults__", "__kwdefaults__", "__func__", "__self__", "__wrapped__", "__loader__", "__spec__",
    "__module__", "__init__", "__call__", "__del__", "__init_subclass__", "__set_name__", "__get__", "__set__",
    "__delete__", "__import__", "gi_frame", "gi_code", "cr_frame", "f_globals", "f_locals", "f_builtins", "f_back",
    "tb_frame", "func_globals", "func_code", "im_func", "im_self", "im_class",
})  # fmt: skip

Name = tuple[str, str]  # (module, qualified name)


class Grant(NamedTuple):
    """Verbs of one name, under conditions.  A condition that is None does not restrict."""

    verbs: frozenset[str]
    args: tuple[Shape, ...] | None = None  # alternative signatures, for `call` and `new`
    kwargs: tuple[tuple[str, Pattern], ...] | None = None  # keywords of `new`; args without kwargs admits no keyword
    state: Pattern | None = None  # what BUILD is given
    attributes: frozenset[str] | None = None  # the only attributes that BUILD may set
    fill: Pattern | None = None  # what APPEND(S), SETITEM(S) and ADDITEMS each put in, as a list, dict or set
    base: str | None = None  # the base that copyreg._reconstructor may name, spelled module.Name
    native_state: bool = False  # carries C code's own state: can be memory-unsafe when hostile
    then_build: bool = False  # must be given its state before STOP
    plain: bool = False  # listed as a plain name: a class
    reason: str = ""  # for people
    origin: str = ""  # file:line, for people

    def conditions(self) -> Grant:
        """The grant without what is only for people: what equality of policies and digests are about."""
        return self._replace(reason="", origin="")


def builds(grant: Grant, *, called: bool) -> bool:
    """Whether a grant of `build` is about an object that was made that way.

    An entry that says how its objects are made builds what it makes, and nothing else: what a call hands out may be
    shared where what `new` makes is fresh.
    """
    ways = grant.verbs & {CALL, NEW}
    return BUILD in grant.verbs and (not ways or (CALL if called else NEW) in ways)


class PersistentShape(NamedTuple):
    """A shape of persistent IDs, and the class that such an ID stands for, if the policy declares it."""

    pattern: Pattern
    makes: Name | None = None


class Decision(NamedTuple):
    """Whether a verb is granted for a name, by which grants, and why (or why not) in words."""

    allowed: bool
    reason: str
    grants: tuple[Grant, ...] = ()


class PolicyData(NamedTuple):
    """The normal form that a policy is made of.  `Policy` (in `policy/__init__.py`) wraps it."""

    grants: Mapping[Name, tuple[Grant, ...]]
    denied: frozenset[Name] = frozenset()
    aliases: Mapping[str, str] = {}
    persistent: tuple[PersistentShape, ...] | None = None  # None: any shape, once accepted
    accept: frozenset[str] = frozenset()
    named_limits: Mapping[str, int] = {}
    unrestricted: bool = False
    description: str = ""
    denials: Mapping[Name, str] = {}  # file:line of each deny, for people
    is_settled: bool = False  # see `settled`


def canonical_module(data: PolicyData, module: str) -> str:
    """The module that `module` is judged and imported as: the right-hand name of an alias, else itself."""
    return data.aliases.get(module, module)


def decide(data: PolicyData, module: str, name: str, verb: str) -> Decision:
    """Whether `verb` on `module.name` is granted.  Pure: neither imports nor reads anything.

    A granted verb may still be refused by its grants' conditions, which are about arguments and state.
    """
    if verb not in EVERY_VERB:
        raise ValueError(f"verb must be one of {', '.join(VERBS)}, not {verb!r}")
    module = canonical_module(data, module)
    key = (module, name)
    if data.unrestricted:
        return Decision(True, "the unrestricted policy grants everything", (UNCONDITIONAL,))
    if key in data.denied:
        denial = data.denials.get(key)
        return Decision(False, f"{module}.{name} is denied" + (f" by {denial}" if denial else ""))
    listed = data.grants.get(key, ())
    if not listed:
        return Decision(False, f"{module}.{name} is not listed")
    grants = tuple(grant for grant in listed if verb == REFER or verb in grant.verbs)
    if not grants:
        verbs = ", ".join(known for known in VERBS if any(known in grant.verbs for grant in listed))
        return Decision(False, f"{module}.{name} is listed for {verbs}, not for {verb}")
    origins = ", ".join(dict.fromkeys(grant.origin for grant in grants if grant.origin))
    return Decision(True, f"{module}.{name} is granted {verb}" + (f" by {origins}" if origins else ""), grants)


UNCONDITIONAL: Final = Grant(EVERY_VERB)


def join(left: PolicyData, right: PolicyData) -> PolicyData:
    """The union: every grant of each name, every deny, the tightest of each named limit; `accept` lists unite."""
    if left.unrestricted or right.unrestricted:
        raise ValueError("the unrestricted policy cannot be joined with another: it already grants everything")
    ours, theirs = parts_of(left.grants), parts_of(right.grants)
    # Packaged policies that include the same one have the very same grants of it.
    listed_twice = {name for name in ours.keys() & theirs.keys() if ours[name] is not theirs[name]}
    grants = {**ours, **theirs}
    for name in listed_twice:
        grants[name] = both(ours[name], theirs[name])
    aliases = _joined_aliases(left.aliases, right.aliases)
    named = dict(left.named_limits)
    for field, value in right.named_limits.items():
        named[field] = min(value, named.get(field, value))
    persistent = right.persistent if left.persistent is None else left.persistent + (right.persistent or ())
    return settled(
        PolicyData(
            mapping(grants),
            left.denied | right.denied,
            aliases,
            persistent,
            left.accept | right.accept,
            named,
            description=left.description or right.description,
            denials={**right.denials, **left.denials},
        ),  # fmt: skip
        (listed_twice if right.is_settled else set(right.grants)) if left.is_settled else None,
    )


def _joined_aliases(left: Mapping[str, str], right: Mapping[str, str]) -> dict[str, str]:
    aliases = {**right, **left}
    ends = _ends(aliases)
    for old, new in right.items():
        theirs = ends.get(new, new)
        if ends[old] != theirs:
            raise ValueError(f"the alias {old} means {ends[old]} in one policy and {theirs} in the other")
    return aliases


def settled(data: PolicyData, among: set[Name] | None = None) -> PolicyData:
    """`data` with aliases followed to their end, and every name in it as streams are judged by, each grant once.

    `among` has the names that may have a grant twice, where that is known.
    """
    aliases = _ends(data.aliases)

    def canonical(name: Name) -> Name:
        return aliases.get(name[0], name[0]), name[1]

    moved = {".".join(name): ".".join(canonical(name)) for name in data.grants if name[0] in aliases}
    parts = _renamed_parts(data.grants, moved, canonical) if moved else parts_of(data.grants)
    for name in parts if moved or among is None else among:
        part = parts[name]
        if not isinstance(part, Later):
            parts[name] = once(part)
    persistent = data.persistent
    if persistent is not None:
        persistent = tuple(
            dict.fromkeys(
                PersistentShape(renamed(shape.pattern, moved), shape.makes and canonical(shape.makes))
                for shape in persistent
            )
        )
    return data._replace(
        grants=mapping(parts),
        denied=frozenset(map(canonical, data.denied)),
        denials={canonical(name): denial for name, denial in data.denials.items()},
        aliases=aliases,
        persistent=persistent,
        is_settled=True,
    )


def _renamed_parts(
    grants: Mapping[Name, tuple[Grant, ...]], names: Mapping[str, str], canonical: Callable[[Name], Name]
) -> dict[Name, Part]:
    """The grants under the names they are judged by.  What has moved may be named in any of them: all are read."""
    parts: dict[Name, tuple[Grant, ...]] = {}
    for name, listed in grants.items():
        where = canonical(name)
        parts[where] = parts.get(where, ()) + tuple(_renamed_grant(grant, names) for grant in listed)
    return {**parts}


def _renamed_grant(grant: Grant, names: Mapping[str, str]) -> Grant:
    return grant._replace(
        args=None if grant.args is None else tuple(renamed_shape(shape, names) for shape in grant.args),
        kwargs=None if grant.kwargs is None else renamed_pairs(grant.kwargs, names),
        state=None if grant.state is None else renamed(grant.state, names),
        fill=None if grant.fill is None else renamed(grant.fill, names),
        base=None if grant.base is None else names.get(grant.base, grant.base),
    )


def _ends(aliases: Mapping[str, str]) -> dict[str, str]:
    """Each alias with the module that it leads to in the end.  Linear in the aliases, however long their chains."""
    ends: dict[str, str] = {}
    for old in aliases:
        passed: dict[str, None] = {}
        new = old
        while new in aliases and new not in ends:
            if new in passed:
                raise ValueError(f"the alias {new} leads back to itself")
            passed[new] = None
            new = aliases[new]
        ends |= dict.fromkeys(passed, ends.get(new, new))
    return {old: ends[old] for old in aliases}


def effective_limits(data: PolicyData) -> Limits:
    """The named limits with the defaults filled in."""
    return Limits(**{field: data.named_limits[field] for field in FIELDS if field in data.named_limits})
