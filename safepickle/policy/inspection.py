"""Looks at the live classes and functions that a policy lists: what they would do if a stream used them.

To look at something is to import its module, which runs that module's code, so this is done only where it is asked for.
Nothing is called.  Rules:

* Only what the policy lists is imported, in the way in which a load would.
* A class is looked at without its metaclass having a say, a function by the names in its code and in code inside of it.
* What cannot be looked into (C code) is not reported: silence is no proof of anything.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from safepickle.errors import escape
from safepickle.policy.model import BUILD, CALL, FILL, NEW, Grant, Name
from safepickle.unpickler import _find_listed

_EVALUATES: Final = "evaluates or compiles code"
_IMPORTS: Final = "imports"
_OPENS: Final = "opens files"
_CONNECTS: Final = "connects"
_RUNS: Final = "starts programs"
_UNPICKLES: Final = "unpickles"
#: Names in the code of a function that say what it does.
_SAYING: Final = {
    "eval": _EVALUATES, "exec": _EVALUATES, "compile": _EVALUATES, "literal_eval": _EVALUATES, "FunctionType":
    _EVALUATES, "CodeType": _EVALUATES, "__import__": _IMPORTS, "import_module": _IMPORTS, "exec_module": _IMPORTS,
    "open": _OPENS, "fdopen": _OPENS, "memmap": _OPENS, "read_text": _OPENS, "read_bytes": _OPENS, "write_text": _OPENS,
    "write_bytes": _OPENS, "socket": _CONNECTS, "create_connection": _CONNECTS, "connect": _CONNECTS, "urlopen":
    _CONNECTS, "urlretrieve": _CONNECTS, "system": _RUNS, "popen": _RUNS, "Popen": _RUNS, "check_output": _RUNS,
    "check_call": _RUNS, "execv": _RUNS, "execve": _RUNS, "spawnv": _RUNS, "loads": _UNPICKLES, "Unpickler": _UNPICKLES,
    "read_pickle": _UNPICKLES, "attrgetter": "reaches attributes by name", "methodcaller": "calls methods by name",
}  # fmt: skip
_MOST_CODES: Final = 1000


def look(name: Name, grants: tuple[Grant, ...]) -> Iterator[tuple[str, str]]:
    """What there is to say of a listed name, each as a rule of `lint` and a sentence."""
    module, qualified = name
    try:
        live = _find_listed(module, qualified, module)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - importing runs code, which may raise anything
        yield "not-found", f"cannot be imported here: {type(error).__name__}: {escape(str(error), 200)}"
        return
    verbs = frozenset().union(*(grant.verbs for grant in grants))
    if isinstance(live, ModuleType):
        yield "not-found", "is a module: a policy lists what is in it"
    elif isinstance(live, type):
        yield from _class(live, verbs)
    else:
        yield from _value(live, verbs, plain=all(grant.plain for grant in grants))


def _value(live: Any, verbs: frozenset[str], *, plain: bool) -> Iterator[tuple[str, str]]:
    if plain:
        yield "not-a-class", f"is a {type(live).__name__}, and a plain name is a class: state its verbs"
    if verbs & {BUILD, FILL} and CALL in verbs:
        yield "changes-a-result", "is a function: is what it returns always a fresh object, which nobody else holds?"
    function = getattr(live, "__func__", live)
    if CALL in verbs and isinstance(function, FunctionType):
        for power in _powers(function.__code__):
            yield "powerful-code", f"its code {power}"


def _class(live: type, verbs: frozenset[str]) -> Iterator[tuple[str, str]]:
    if verbs & {BUILD, FILL} and issubclass(live, enum.Enum):
        yield "shared-target", "is an enumeration: its members belong to the whole process, and are never changed"
    if BUILD in verbs:
        yield from _hook(live, "__setstate__", "it decides what a state means")
    if verbs & {NEW, CALL}:
        yield from _hook(live, "__del__", "it runs when the object goes, half-made or not")
    if CALL in verbs:
        for made in ("__init__", "__new__"):
            function = _attribute(live, made)
            for power in _powers(getattr(function, "__code__", None)):
                yield "powerful-code", f"its {made} {power}"
    if verbs >= {NEW, BUILD} and CALL in verbs:
        yield from _hook(live, "__reduce__", "its pickles are made by that, so they need not every verb: state them")
        yield from _hook(live, "__reduce_ex__", "its pickles are made by that, so they need not every verb: state them")


def _hook(live: type, hook: str, meaning: str) -> Iterator[tuple[str, str]]:
    """That a class has a hook of its own, and what the code of that does."""
    function = _attribute(live, hook)
    if function is None:
        return
    powers = list(_powers(getattr(function, "__code__", None)))
    yield "class-hook", f"has a {hook}: {meaning}" + (f"; its code {', '.join(powers)}" if powers else "")


def _attribute(live: type, name: str) -> Any:
    """What the class has of that name, or one of its bases that Python itself does not come with; None for none."""
    for base in type.__dict__["__mro__"].__get__(live):
        if base.__module__ != "builtins" and name in type.__dict__["__dict__"].__get__(base):
            found = type.__dict__["__dict__"].__get__(base)[name]
            return getattr(found, "__func__", found)
    return None


def _powers(code: CodeType | None) -> Iterator[str]:
    """What a function's code says that it does, by the names in it."""
    waiting = [code] if isinstance(code, CodeType) else []
    said: dict[str, list[str]] = {}
    looked = 0
    while waiting and looked < _MOST_CODES:
        current = waiting.pop()
        looked += 1
        for name in current.co_names:
            if name in _SAYING:
                said.setdefault(_SAYING[name], []).append(name)
        waiting += [inner for inner in current.co_consts if isinstance(inner, CodeType)]
    for power, names in said.items():
        yield f"{power} ({', '.join(dict.fromkeys(names))})"
