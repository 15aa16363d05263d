"""Every attack on a reader of pickles that the tests know: what it is, why it is dangerous, and its bytes.

`python -m tests.make_attacks` writes `data/attacks/<class>/<name>.pkl` and `data/attacks/manifest.jsonl`, always the
same bytes; a test compares the folder with what this script makes.  A class is a row of the threat catalogue, and one
function here gives all its variants.  A bypass that is found becomes one more line in its class and stays for good.

Rules this file rests on:

* Bytes are made by the assembler, never by `pickle`, and the arguments of dangerous names are harmless, so that even a
  reader that fails does no damage.
* An attack states what is expected of a reader (`expected`: the classes of error of which one is raised; none, where
  the stream may be read and must only do no harm) under which policy, through which entry points.
* `live` attacks do their harm in CPython's own `pickle`, with nothing worse than a canary: a test has a process of its
  own show that, so that an attack cannot be a stream which is simply broken.
* Large streams are `generated`: built while the tests run, not stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from itertools import count, islice, product
from pathlib import Path
from typing import Final, NamedTuple, Required, TypeAlias, TypedDict, Unpack

from tests.assembler import (
    Step,
    asm,
    build,
    dict_of,
    framed,
    get,
    list_of,
    literal,
    lying,
    named,
    newobj,
    pickled,
    put,
    reduce,
    set_of,
    text,
    tuple_of,
)

FOLDER: Final = Path(__file__).parent / "data" / "attacks"
EVERY_ENTRY: Final = ("loads", "Unpickler", "scan")

# The policies: packaged names, or files beside the attacks.
PLAIN: Final = "plain"
STDLIB: Final = "stdlib"
VICTIMS: Final = "policies/victims.yaml"
FRESH: Final = "policies/fresh.yaml"
VERBS: Final = "policies/verbs.yaml"
PATTERNS: Final = "policies/patterns.yaml"
BUILT: Final = "policies/built.yaml"
DENY: Final = "policies/deny.yaml"
EXTENSIONS: Final = "policies/extensions.yaml"
PERSISTENT: Final = "policies/persistent.yaml"
FILLS: Final = "policies/fills.yaml"
METHODS: Final = "policies/methods.yaml"
MISNAMED: Final = "policies/misnamed.yaml"

# What is expected.
FORBIDDEN: Final = ("Forbidden",)
MALFORMED: Final = ("MalformedStream",)
LIMIT: Final = ("LimitExceeded",)
FAILED: Final = ("ReconstructionError",)
HARMLESS: Final = ()  # may be read; must do nothing of what it was made for

# What the application did before: "", "persistent_load", "extensions", "warm extensions", "earlier load", "buffers".
Setup: TypeAlias = str


class Attack(NamedTuple):
    """One attack and what is expected of a reader."""

    threat: str  # the class, as its folder is called
    name: str
    why: str  # one line
    build: Callable[[], bytes]
    policy: str
    expected: tuple[str, ...]  # names of error classes of which one is raised; empty: read without harm
    entry_points: tuple[str, ...]
    runtime_only: bool  # no static rule can see it: scan and verify may pass
    ran: tuple[str, ...]  # the canaries that may have run: what the policy lists and the stream was entitled to
    options: tuple[tuple[str, str | bool], ...]  # keyword arguments of the loader
    setup: Setup  # what the application did before
    generated: bool  # built in the test run, not stored
    live: str  # what CPython's own reader does: "runs" a canary, "changes" the victims, or "" (not to be tried)

    @property
    def file(self) -> str:
        """The path below the folder of attacks."""
        return f"{self.threat}/{self.name}.pkl"


class _Details(TypedDict, total=False):
    policy: str
    expected: Required[tuple[str, ...]]
    entry_points: tuple[str, ...]
    runtime_only: bool
    ran: tuple[str, ...]
    options: dict[str, str | bool]
    setup: Setup
    live: str


def attack(name: str, why: str, stream: bytes | Callable[[], bytes], **details: Unpack[_Details]) -> Attack:
    """A record; a stream given as a function is generated when it is asked for."""
    return Attack(
        threat="",
        name=name,
        why=why,
        build=stream if callable(stream) else lambda: stream,
        policy=details.get("policy", PLAIN),
        expected=details["expected"],
        entry_points=details.get("entry_points", EVERY_ENTRY),
        runtime_only=details.get("runtime_only", False),
        ran=details.get("ran", ()),
        options=tuple(sorted(details.get("options", {}).items())),
        setup=details.get("setup", ""),
        generated=callable(stream),
        live=details.get("live", ""),
    )


# fmt: off
# From here on this is a catalogue: the layout keeps an attack together where the formatter would give it ten lines.


# --- Phrases of this file --------------------------------------------------------------------------------------------
MODULE: Final = "tests.victims"


def victim(name: str) -> Step:
    """A name of the victims' module."""
    return named(text(MODULE), text(name))


def glob(module: str, name: str) -> Step:
    """Any name, by STACK_GLOBAL."""
    return named(text(module), text(name))


def slots(**state: Step) -> Step:
    """State that BUILD sets attribute by attribute."""
    return tuple_of("NONE", dict_of(*((text(name), value) for name, value in state.items())))


def fields(**state: Step) -> Step:
    """State that BUILD puts into the instance's dict."""
    return dict_of(*((text(name), value) for name, value in state.items()))


def getattr_(target: Step, name: Step) -> Step:
    """A reference to an attribute, as pickle writes bound methods."""
    return reduce(glob("builtins", "getattr"), target, name)


# --- Imports ---------------------------------------------------------------------------------------------------------
def unlisted_import() -> Iterator[Attack]:
    """GLOBAL, INST, STACK_GLOBAL of names that no policy lists: importing alone runs the module's code."""
    called = "a name that is not listed is imported and called"
    yield attack("global_protocol_0", called, pickled(0, ("GLOBAL", MODULE, "canary"), "MARK", "TUPLE", "REDUCE"),
                 expected=FORBIDDEN, live="runs")
    yield attack("global_protocol_2", called, pickled(2, ("GLOBAL", MODULE, "canary"), "EMPTY_TUPLE", "REDUCE"),
                 expected=FORBIDDEN, live="runs")
    yield attack("stack_global", called, pickled(4, reduce(victim("canary"))), expected=FORBIDDEN, live="runs")
    yield attack("stack_global_of_long_texts", called, pickled(4, reduce(
        named(("BINUNICODE8", MODULE), ("BINUNICODE", "canary")))), expected=FORBIDDEN, live="runs")
    yield attack("stack_global_of_unicode_lines", called, pickled(4, reduce(
        named(("UNICODE", MODULE), ("UNICODE", rb"c\u0061nary")))), expected=FORBIDDEN, live="runs")
    yield attack("inst", called, pickled(0, "MARK", ("INST", MODULE, "canary")), expected=FORBIDDEN, live="runs")
    yield attack("inst_with_arguments", called, pickled(0, "MARK", ("INT", 1), ("INST", MODULE, "NotPlain")),
                 expected=FORBIDDEN, live="runs")
    yield attack("inst_made_without_init", "INST without arguments skips `__init__`, which a check of calls misses",
                 pickled(0, "MARK", ("INST", MODULE, "NotPlain")), expected=FORBIDDEN)
    yield attack("obj", called, pickled(1, "MARK", ("GLOBAL", MODULE, "canary"), ("BININT1", 1), "OBJ"),
                 expected=FORBIDDEN, live="runs")
    yield attack("newobj", "NEWOBJ runs `__new__` of any class that can be imported",
                 pickled(2, newobj(("GLOBAL", MODULE, "NotPlain"))), expected=FORBIDDEN)
    yield attack("newobj_ex", "so does NEWOBJ_EX", pickled(
        4, victim("NotPlain"), "EMPTY_TUPLE", "EMPTY_DICT", "NEWOBJ_EX"), expected=FORBIDDEN)
    tripwire = ("GLOBAL", "tests.tripwire", "touched")
    only = "importing is enough: module code runs even if the name is never called"
    yield attack("import_only", only, pickled(0, tripwire), expected=FORBIDDEN, live="runs")
    yield attack("import_and_pop", only, pickled(0, ("INT", 1), tripwire, "POP"), expected=FORBIDDEN, live="runs")
    yield attack("import_and_pop_to_mark", only, pickled(1, ("INT", 1), "MARK", tripwire, "POP_MARK"),
                 expected=FORBIDDEN, live="runs")
    yield attack("import_as_dict_key", only, pickled(1, dict_of((tripwire, "NONE"))), expected=FORBIDDEN, live="runs")
    yield attack("import_of_a_missing_name", "the module is imported before the name turns out to be missing",
                 pickled(0, ("GLOBAL", "tests.tripwire", "no_such_name")), expected=FORBIDDEN)
    yield attack("import_in_state", only, pickled(4, build(newobj(victim("Plain")), fields(x=tripwire))),
                 policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("import_in_arguments_of_a_listed_call", only, pickled(4, reduce(victim("harmless"), tripwire)),
                 policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("import_in_a_persistent_id", "a persistent ID is an object like any other", pickled(
        4, tripwire, "BINPERSID"), policy=PERSISTENT, setup="persistent_load", entry_points=("Unpickler", "scan"),
        expected=FORBIDDEN, live="runs")
    yield attack("after_a_listed_one", "one listed name does not vouch for the next", pickled(
        4, reduce(victim("record")), "POP", reduce(victim("canary"))), policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("beside_a_listed_one", "a listed module is not a listed name", pickled(4, reduce(victim("canary"))),
                 policy=VICTIMS, expected=FORBIDDEN, live="runs")
    for label, module, name in (
        ("longer_name", MODULE, "Plainer"), ("shorter_name", MODULE, "Plai"), ("other_case", MODULE, "plain"),
        ("private_name", MODULE, "_private"), ("module_in_the_name", "tests", "victims.Plain"),
        ("name_in_the_module", "tests.victims.Plain", "Nested"), ("other_module", "victims", "Plain"),
        ("name_of_the_module", "tests", "victims"), ("star", MODULE, "*"), ("star_as_module", "*", "Plain"),
        ("wildcard", MODULE, "Pl*"), ("pattern", MODULE, "Plai."), ("two_names", MODULE, "Plain, canary"),
    ):
        yield attack(f"near_miss_{label}", "a name that is nearly listed is not listed", pickled(
            4, newobj(glob(module, name))), policy=VICTIMS, expected=FORBIDDEN)
    for module, name in (
        ("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "Popen"), ("builtins", "eval"),
        ("builtins", "exec"), ("builtins", "compile"), ("builtins", "__import__"), ("builtins", "open"),
        ("builtins", "breakpoint"), ("builtins", "globals"), ("builtins", "vars"), ("builtins", "input"),
        ("_posixsubprocess", "fork_exec"), ("pty", "spawn"), ("sys", "modules"), ("socket", "socket"),
        ("ctypes", "CDLL"), ("webbrowser", "open"), ("shutil", "rmtree"), ("atexit", "register"),
        ("signal", "signal"), ("threading", "Thread"), ("gc", "get_objects"),
    ):
        yield attack(f"stock_{module}_{name}", "what every exploit begins with", pickled(
            4, reduce(glob(module, name), text("true"))), policy=STDLIB, expected=FORBIDDEN)


def universal_resolvers() -> Iterator[Attack]:
    """Callables that turn a text into anything: whoever may call one may call everything."""
    why = "this callable reaches every other one by its name"
    for module, name in (
        ("operator", "attrgetter"), ("operator", "methodcaller"), ("operator", "itemgetter"), ("operator", "call"),
        ("importlib", "import_module"), ("importlib", "__import__"), ("importlib.util", "find_spec"),
        ("pkgutil", "resolve_name"), ("pydoc", "locate"), ("pydoc", "importfile"), ("functools", "reduce"),
        ("functools", "partial"), ("builtins", "map"), ("builtins", "filter"), ("builtins", "sorted"),
        ("builtins", "setattr"), ("builtins", "delattr"), ("itertools", "starmap"), ("itertools", "accumulate"),
        ("types", "FunctionType"), ("types", "CodeType"), ("types", "MethodType"), ("types", "DynamicClassAttribute"),
        ("inspect", "getattr_static"), ("logging.config", "_resolve"), ("unittest.mock", "_importer"),
        ("unittest.util", "strclass"), ("xmlrpc.server", "resolve_dotted_attribute"), ("enum", "property"),
        ("weakref", "finalize"), ("contextlib", "ExitStack"), ("string", "Formatter"), ("reprlib", "Repr"),
        ("concurrent.futures.thread", "_WorkItem"), ("copyreg", "pickle"), ("copyreg", "add_extension"),
    ):
        yield attack(f"{module}_{name}", why, pickled(4, reduce(glob(module, name), text("limit"))),
                     policy=STDLIB, expected=FORBIDDEN)
    yield attack("getattr_then_called", "getattr of a listed class's method, not listed itself, then called", pickled(
        4, reduce(getattr_(newobj(victim("Plain")), text("method")))), policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("map_over_a_listed_function", "map calls what it is given, later", pickled(
        4, reduce(glob("builtins", "list"), reduce(glob("builtins", "map"), victim("record"), literal([1])))),
        policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("partial_of_a_listed_function", "partial makes a callable that no name stands for", pickled(
        4, reduce(reduce(glob("functools", "partial"), victim("record")))), policy=VICTIMS, expected=FORBIDDEN,
        live="runs")
    yield attack("reduce_over_a_listed_function", "reduce calls what it is given", pickled(
        4, reduce(glob("functools", "reduce"), victim("record"), literal([1, 2]))), policy=VICTIMS, expected=FORBIDDEN,
        live="runs")
    yield attack("methodcaller_on_an_instance", "methodcaller calls any method by name", pickled(
        4, reduce(reduce(glob("operator", "methodcaller"), text("method")), newobj(victim("Plain")))),
        policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("default_factory", "a listed defaultdict calls its factory whenever a key is missing", pickled(
        4, reduce(glob("collections", "defaultdict"), victim("canary"))), policy=STDLIB, expected=FORBIDDEN)


def dotted_traversal() -> Iterator[Attack]:
    """A qualified name that walks from something listed to something that is not."""
    why = "each part is reached by getattr, so a dotted name goes anywhere"
    for name in (
        "Plain.__init__.__globals__", "Plain.method", "Plain.method.__globals__", "Plain.__subclasses__",
        "Plain.__dict__", "Plain.__class__", "Plain.__base__", "Plain.__mro__", "Plain.mro", "Plain.__reduce__",
        "Plain.__new__", "Plain.__init__.__builtins__", "Plain.method.__code__", "Plain.Nested.__init__",
        "record.__globals__", "record.__call__", "harmless.__self__", "Frozen.__hash__.__builtins__",
        "INSTANCE.method", "INSTANCE.arguments", "SHARED_LIST.append", "SHARED_DICT.update", "Colour.RED",
        "Plain.limit", "Meta.__call__", "Plain.Nested.Nested", "canary.__call__",
    ):
        yield attack(f"attribute_{name.replace('.', '_')}", why, pickled(4, victim(name)), policy=VICTIMS,
                     expected=FORBIDDEN)
    for name in ("reexported_os.system", "reexported_os.path.join", "sys.modules", "types.FunctionType"):
        yield attack(f"module_{name.replace('.', '_')}", "a listed module carries others along", pickled(
            4, reduce(victim(name), text("true"))), policy=VICTIMS, expected=FORBIDDEN)
    yield attack("method_called", why, pickled(4, reduce(victim("Plain.method"), "NONE")), policy=VICTIMS,
                 expected=FORBIDDEN, live="runs")
    yield attack("method_by_global", why, pickled(4, reduce(("GLOBAL", MODULE, "Plain.method"), "NONE")),
                 policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("method_by_inst", why, pickled(4, "MARK", "NONE", ("INST", MODULE, "Plain.method")),
                 policy=VICTIMS, expected=FORBIDDEN, live="runs")
    for label, name in (("empty_first", ".Plain"), ("empty_last", "Plain."), ("empty_middle", "Plain..Nested"),
                        ("only_dots", "..."), ("locals", "Plain.<locals>.Nested"), ("spaced", "Plain. Nested")):
        yield attack(f"part_{label}", "a part that is no name", pickled(4, newobj(victim(name))), policy=VICTIMS,
                     expected=FORBIDDEN)
    below = "below protocol 4 a dot is no separator: a reader that splits it anyway reads another name"
    yield attack("listed_below_protocol_4", below, pickled(2, newobj(("GLOBAL", MODULE, "Plain.Nested"))),
                 policy=VICTIMS, expected=("Forbidden", "MalformedStream"))
    yield attack("listed_without_a_protocol", below, asm(
        "MARK", ("INST", MODULE, "Plain.Nested"), "STOP"), policy=VICTIMS, expected=("Forbidden", "MalformedStream"))
    yield attack("listed_after_protocol_went_down", "the last PROTO counts", asm(
        ("PROTO", 4), ("PROTO", 2), victim("Plain.Nested"), "STOP"), policy=VICTIMS,
        expected=("Forbidden", "MalformedStream"))


def lying_names() -> Iterator[Attack]:
    """Names that are one thing when judged and another when imported."""
    computed = "a name that is computed can differ from what was judged"
    operands = ("Forbidden", "MalformedStream")
    yield attack("module_from_a_call", computed, pickled(
        4, reduce(named(reduce(victim("harmless")), text("getpid")))), policy=VICTIMS, expected=operands)
    yield attack("name_from_a_call", computed, pickled(
        4, reduce(named(text(MODULE), reduce(glob("builtins", "str"), text("canary"))))), policy=VICTIMS,
        expected=FORBIDDEN, live="runs")
    yield attack("name_is_a_subclass_instance", "a str subclass brings its own __eq__ and __hash__", pickled(
        4, named(text(MODULE), newobj(victim("TextBag"), text("canary")))), policy=VICTIMS, expected=operands)
    yield attack("module_is_a_subclass_instance", "a str subclass brings its own __eq__ and __hash__", pickled(
        4, named(newobj(victim("TextBag"), text(MODULE)), text("Plain"))), policy=VICTIMS, expected=operands)
    yield attack("name_concatenated", computed, pickled(
        4, named(text(MODULE), reduce(glob("operator", "concat"), text("can"), text("ary")))), policy=VICTIMS,
        expected=FORBIDDEN)
    yield attack("name_by_a_text_method", computed, pickled(
        4, named(text(MODULE), reduce(getattr_(text("CANARY"), text("lower"))))), policy=VICTIMS, expected=FORBIDDEN)
    yield attack("name_overwritten_in_the_memo", "the name under a memo index is replaced before it is used", pickled(
        4, text("Plain"), put(7), "POP", text("canary"), put(7), "POP", reduce(named(text(MODULE), get(7)))),
        policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("names_swapped", "name and module are taken in the order of the stack", pickled(
        4, named(text("Plain"), text(MODULE))), policy=VICTIMS, expected=FORBIDDEN)
    yield attack("name_is_persistent", "the application's answer is not the stream's text", pickled(
        4, named(text(MODULE), [literal(("storage", 0)), "BINPERSID"])), policy=PERSISTENT, setup="persistent_load",
        entry_points=("Unpickler", "scan"), expected=operands)
    for label, step in (
        ("bytes", ("SHORT_BINBYTES", b"canary")), ("bytearray", ("BYTEARRAY8", b"canary")), ("none", "NONE"),
        ("int", ("BININT1", 1)), ("true", "NEWTRUE"), ("list", list_of(text("canary"))), ("tuple", tuple_of()),
        ("dict", "EMPTY_DICT"), ("global", victim("Plain")), ("instance", newobj(victim("Plain"))),
    ):
        yield attack(f"name_is_{label}", "what is no text is no name", pickled(4, named(text(MODULE), step)),
                     policy=VICTIMS, expected=operands)
        yield attack(f"module_is_{label}", "what is no text is no module", pickled(4, named(step, text("Plain"))),
                     policy=VICTIMS, expected=operands)
    texts = {
        "nul": "Plain\0", "nul_inside": "Pl\0ain", "carriage_return": "Plain\r", "newline": "Plain\n",
        "leading_space": " Plain", "trailing_space": "Plain ", "tab": "Plain\t", "empty": "",
        "full_width": "\uff30lain", "cyrillic": "Pl\u0430in", "zero_width": "Plain\u200b",
        "byte_order_mark": "\ufeffPlain",
        "combining": "Plai\u0303n", "ligature": "Pla\ufb01n", "soft_hyphen": "Pl\u00adain",
        "right_to_left": "\u202enialP",
        "surrogate": "Plain\ud800", "two_lines": "Plain\ncanary", "colon": "Plain:canary", "quoted": "'Plain'",
        "keyword": "class", "number": "0", "very_long": "Plain" * 4000,
    }
    for label, name in texts.items():
        yield attack(f"name_with_{label}", "a spelling that some reader trims, folds or cuts to a listed name", pickled(
            4, newobj(victim(name))), policy=VICTIMS, expected=operands if label in {"surrogate",
            "empty"} else FORBIDDEN)
    for label, module in (
        ("nul", "tests.victims\0"), ("space", " tests.victims"), ("full_width", "tests.\uff56ictims"), ("empty", ""),
        ("relative", ".victims"), ("leading_dots", "..tests.victims"), ("trailing_dot", "tests.victims."),
        ("slash", "tests/victims"), ("file", "tests/victims.py"), ("surrogate", "tests.victims\udc00"),
        ("package", "tests.victims:Plain"), ("init", "tests.__init__"), ("main", "__main__"),
    ):
        yield attack(f"module_with_{label}", "a spelling that some importer takes for the listed module", pickled(
            4, newobj(glob(module, "Plain"))), policy=VICTIMS,
            expected=operands if label in {"surrogate", "empty"} else FORBIDDEN)
    for label, line in (("carriage_return", b"Plain\r"), ("nul", b"Plain\0"), ("space", b"Plain "), ("empty", b"")):
        yield attack(f"global_line_with_{label}", "a line that some reader strips", pickled(
            0, ("GLOBAL", MODULE, line)), policy=VICTIMS, expected=operands if label == "empty" else FORBIDDEN)
    for label, encoding in (("utf7", "utf-7"), ("ebcdic", "cp037")):
        name_bytes = b"c+AGE-nary" if label == "utf7" else "canary".encode("cp037")
        module_bytes = MODULE.encode("ascii" if label == "utf7" else "cp037")
        yield attack(f"eight_bit_name_in_{label}", "the loader's encoding decides what an 8-bit text says", pickled(
            4, reduce(named(("SHORT_BINSTRING", module_bytes), ("SHORT_BINSTRING", name_bytes)))), policy=VICTIMS,
            options={"encoding": encoding}, expected=FORBIDDEN, live="runs")
    yield attack("eight_bit_name_as_bytes", "with encoding=bytes an 8-bit text is no text", pickled(
        4, named(("SHORT_BINSTRING", MODULE), ("SHORT_BINSTRING", "Plain"))), policy=VICTIMS,
        options={"encoding": "bytes"}, entry_points=("loads", "Unpickler"), expected=operands)


def python2_names() -> Iterator[Attack]:
    """Old spellings that are mapped to new names after the check."""
    why = "an old spelling is mapped to a name that is not listed"
    for module, name in (
        ("__builtin__", "eval"), ("__builtin__", "execfile"), ("__builtin__", "apply"), ("__builtin__", "reduce"),
        ("__builtin__", "file"), ("__builtin__", "raw_input"), ("__builtin__", "getattr"), ("__builtin__",
            "__import__"),
        ("__builtin__", "open"), ("__builtin__", "intern"), ("commands", "getoutput"), ("commands", "getstatusoutput"),
        ("copy_reg", "pickle"), ("cPickle", "loads"), ("cPickle", "Unpickler"), ("_winreg", "ConnectRegistry"),
        ("itertools", "imap"), ("itertools", "ifilter"), ("urllib", "urlopen"), ("urllib2", "urlopen"),
        ("os", "getcwdu"), ("os", "popen2"), ("UserDict", "UserDict"), ("whichdb", "whichdb"), ("anydbm", "open"),
        ("SocketServer", "TCPServer"), ("xmlrpclib", "ServerProxy"), ("StringIO", "StringIO"), ("Queue", "Queue"),
        ("_multiprocessing", "Connection"), ("thread", "start_new_thread"), ("dummy_thread", "start_new_thread"),
    ):
        yield attack(f"{module}_{name}", why, pickled(
            0, ("GLOBAL", module, name), "MARK", ("UNICODE", "1"), "TUPLE", "REDUCE"), expected=FORBIDDEN)
    yield attack("denied_by_its_new_name", "a deny is to hold for every spelling of the name", pickled(
        2, reduce(("GLOBAL", "__builtin__", "set"), literal([1]))), policy=DENY, expected=FORBIDDEN)
    yield attack("denied_and_mapped", "a deny is to hold for every spelling of the name", pickled(
        2, reduce(("GLOBAL", "__builtin__", "reduce"), ("GLOBAL", MODULE, "Plain"), list_of())), policy=DENY,
        expected=FORBIDDEN)
    yield attack("denied_behind_an_alias", "a deny is to hold for every spelling of the name", pickled(
        4, reduce(glob("tests.old_victims", "record"))), policy=DENY, expected=FORBIDDEN)
    yield attack("not_mapped_from_protocol_3_on", "the mapping ends with protocol 2: this is another module", pickled(
        3, ("GLOBAL", "__builtin__", "set"), "EMPTY_TUPLE", "REDUCE"), expected=FORBIDDEN)
    yield attack("not_mapped_on_request", "fix_imports=False takes names as they are", pickled(
        2, ("GLOBAL", "__builtin__", "set"), "EMPTY_TUPLE", "REDUCE"), options={"fix_imports": False},
        entry_points=("loads", "Unpickler"), expected=FORBIDDEN)
    yield attack("mapped_by_inst", "INST maps names too", pickled(
        0, "MARK", ("UNICODE", "1"), ("INST", "__builtin__", "eval")), expected=FORBIDDEN)
    yield attack("mapped_twice", "a mapped name is not mapped again", pickled(
        2, ("GLOBAL", "__builtin__", "reduce"), ("GLOBAL", "functools", "reduce"), "TUPLE2"), expected=FORBIDDEN)


def extension_registry() -> Iterator[Attack]:
    """Codes that stand for names, and a cache of CPython that skips every check."""
    why = "a code stands for a name that find_class never sees"
    for opcode in ("EXT1", "EXT2", "EXT4"):
        label = opcode.lower()
        yield attack(f"{label}_not_accepted", why, pickled(2, reduce((opcode, 240))), policy=VICTIMS,
                     setup="extensions", expected=FORBIDDEN, live="runs")
        yield attack(f"{label}_of_a_listed_name_not_accepted", "codes are refused unless they are accepted by name",
                     pickled(2, reduce((opcode, 241))), policy=VICTIMS, setup="extensions", expected=FORBIDDEN,
                     live="runs")
        yield attack(f"{label}_unlisted", why, pickled(2, reduce((opcode, 240))), policy=EXTENSIONS,
                     setup="extensions", expected=FORBIDDEN, live="runs")
        yield attack(f"{label}_unlisted_in_a_warm_cache", "a warm cache gives the object without any look-up", pickled(
            2, reduce((opcode, 240))), policy=EXTENSIONS, setup="warm extensions", expected=FORBIDDEN, live="runs")
        yield attack(f"{label}_listed_over_a_poisoned_cache", "the cache holds another object than the registry names",
                     pickled(2, reduce((opcode, 242))), policy=EXTENSIONS, setup="warm extensions", expected=HARMLESS,
                     live="runs")
        yield attack(f"{label}_unknown", "a code that nobody registered", pickled(2, (opcode, 239)), policy=EXTENSIONS,
                     setup="extensions", expected=("Forbidden", "MalformedStream"))
        yield attack(f"{label}_zero", "codes begin at 1", pickled(2, (opcode, 0)), policy=EXTENSIONS,
                     setup="extensions", expected=MALFORMED)
    yield attack("ext4_negative", "a signed code", pickled(2, ("EXT4", -16)), policy=EXTENSIONS, setup="extensions",
                 expected=MALFORMED)
    yield attack("ext1_used_beyond_its_verbs", "a code is judged as the name it stands for, verbs included", pickled(
        2, newobj(("EXT1", 242))), policy=EXTENSIONS, setup="extensions", expected=FORBIDDEN)
    yield attack("ext1_build_on_a_class", "a code gives a class like any other name", pickled(
        4, build(("EXT1", 243), slots(limit=("BININT1", 1)))), policy=EXTENSIONS, setup="extensions",
        expected=FORBIDDEN, live="changes")


def memo_games() -> Iterator[Attack]:
    """What a GET gives depends on every PUT before it: a reader that loses count judges another object."""
    why = "a reader that loses count of the memo judges another object than the one that is used"
    good, bad = text("harmless"), text("canary")
    call = ["STACK_GLOBAL", "EMPTY_TUPLE", "REDUCE"]

    def named_by(*steps: Step) -> bytes:
        return pickled(4, *steps, *call)

    programs: dict[str, bytes] = {
        "put_over_put": named_by(good, put(0), "POP", bad, put(0), "POP", text(MODULE), get(0)),
        "text_index_over_binary": named_by(good, put(5), "POP", bad, ("PUT", 5), "POP", text(MODULE), get(5)),
        "leading_zeros": named_by(good, put(5), "POP", bad, ("PUT", b"005"), "POP", text(MODULE), get(5)),
        "get_with_leading_zeros": named_by(bad, put(5), "POP", text(MODULE), ("GET", b"005")),
        "long_index_over_short": named_by(good, put(5), "POP", bad, ("LONG_BINPUT", 5), "POP", text(MODULE), get(5)),
        "memoize_after_a_gap": named_by(good, put(9), bad, "MEMOIZE", "POP", "POP", text(MODULE), get(1)),
        "memoize_onto_a_put": named_by(good, put(1), "POP", bad, "MEMOIZE", "POP", text(MODULE), get(1)),
        "memoize_after_put_over_put": named_by(
            good, put(0), put(0), "POP", bad, "MEMOIZE", "POP", text(MODULE), get(1)),
        "memoize_twice": named_by(good, "MEMOIZE", "POP", bad, "MEMOIZE", "MEMOIZE", "POP", text(MODULE), get(2)),
        "put_then_memoize_of_one": named_by(bad, put(3), "MEMOIZE", "POP", good, put(0), "POP", text(MODULE), get(1)),
        "put_of_what_is_popped": named_by("MARK", bad, put(0), "POP_MARK", text(MODULE), get(0)),
        "mark_is_not_counted": named_by("MARK", "MARK", bad, "MEMOIZE", "POP_MARK", "POP", text(MODULE), get(0)),
        "dup_of_the_name": named_by(text(MODULE), bad, "DUP", put(0), "POP"),
        "dup_shifts_the_names": named_by(text(MODULE), "DUP", "POP", bad, "DUP", "POP"),
        "pop_uncovers_the_name": named_by(text(MODULE), bad, good, "POP"),
        "pop_of_a_mark": named_by(text(MODULE), "MARK", "POP", bad),
        "pop_of_a_mark_below_items": named_by(text(MODULE), "MARK", good, "POP", "POP", bad),
        "pop_mark_keeps_what_is_below": named_by(text(MODULE), bad, "MARK", good, good, "POP_MARK"),
        "pop_mark_takes_the_topmost_mark": named_by(text(MODULE), "MARK", "MARK", good, "POP_MARK", "POP", bad),
        "marks_inside_a_tuple": named_by("MARK", "MARK", text("x"), "TUPLE", "POP_MARK", text(MODULE), bad),
        "memo_of_the_module": named_by(text("tests"), put(0), "POP", text(MODULE), put(0), "POP", get(0), bad),
        "get_before_the_overwrite": named_by(
            bad, put(0), "POP", text(MODULE), get(0), good, put(0), "POP"),
        "high_index": named_by(bad, ("LONG_BINPUT", 100_000), "POP", text(MODULE), ("LONG_BINGET", 100_000)),
        "high_index_then_memoize": named_by(
            good, ("LONG_BINPUT", 100_000), "POP", bad, "MEMOIZE", "POP", text(MODULE), get(1)),
    }
    for name, stream in programs.items():
        yield attack(name, why, stream, policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("callable_under_an_old_index", "a listed function's memo entry becomes another function", pickled(
        4, victim("harmless"), put(0), "POP", victim("canary"), put(0), "POP", get(0), "EMPTY_TUPLE", "REDUCE"),
        policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("called_from_the_memo", "a name that is only mentioned is called later, from the memo", pickled(
        4, victim("record"), put(0), "POP", get(0), "EMPTY_TUPLE", "REDUCE"), policy=VERBS, expected=FORBIDDEN,
        live="runs")
    for name, why, steps in (
        ("get_of_nothing", "no such entry", [get(0)]),
        ("get_text_of_nothing", "no such entry", [("GET", 7)]),
        ("long_get_of_nothing", "no such entry, and no array of this size", [("LONG_BINGET", 2**32 - 1)]),
        ("get_of_a_gap", "an array would have an empty slot here", ["NONE", put(5), get(4)]),
        ("get_beyond_the_end", "an array would end here", ["NONE", put(5), get(6)]),
        ("put_of_nothing", "there is nothing to store", [put(0), "NONE"]),
        ("memoize_of_nothing", "there is nothing to store", ["MEMOIZE", "NONE"]),
        ("put_of_a_mark", "a mark is no value", ["NONE", "MARK", put(0), "POP"]),
        ("memoize_of_a_mark", "a mark is no value", ["NONE", "MARK", "MEMOIZE", "POP"]),
        ("dup_of_a_mark", "a mark is no value", ["NONE", "MARK", "DUP", "POP", "POP"]),
        ("stop_at_a_mark", "a mark is no result", ["NONE", "MARK"]),
        ("pop_of_nothing", "the stack is empty", ["POP", "NONE"]),
        ("pop_mark_of_nothing", "there is no mark", ["NONE", "POP_MARK", "NONE"]),
        ("get_negative", "an index is not negative", [("GET", b"-1")]),
        ("put_negative", "an index is not negative", ["NONE", ("PUT", b"-1")]),
        ("get_of_a_huge_number", "an index that fits no machine word", [("GET", b"9" * 400)]),
    ):
        yield attack(name, why, pickled(4, *steps), expected=MALFORMED)


# --- Bytes -----------------------------------------------------------------------------------------------------------
def parser_disagreement() -> Iterator[Attack]:
    """Bytes that one of CPython's readers accepts and another refuses or reads as something else."""
    why = "readers of pickles disagree about this text, so what one of them checked another one loads differently"
    integers = {
        "hexadecimal": b"0x1", "octal": b"0o7", "binary": b"0b1", "underscore": b"1_0", "leading_blank": b" 1",
        "trailing_blank": b"1 ", "tab": b"1\t", "plus": b"+1", "nul": b"1\0", "nul_and_more": b"1\0garbage",
        "carriage_return": b"1\r", "empty": b"", "sign_only": b"-", "two_signs": b"--1", "blank_sign": b"- 1",
        "float": b"1.0", "exponent": b"1e3", "letters": b"abc", "arabic_digit": "\u0661".encode(),
        "superscript": "\u00b2".encode(), "vertical_tab": b"\x0b1", "form_feed": b"1\x0c", "no_break_space": b"\xa01",
    }
    for label, spelled in integers.items():
        yield attack(f"int_{label}", why, pickled(0, ("INT", spelled)), expected=MALFORMED)
        yield attack(f"long_{label}", why, pickled(0, ("LONG", spelled + b"L")), expected=MALFORMED)
        yield attack(f"get_{label}", why, pickled(0, ("INT", 1), ("PUT", 1), ("GET", spelled)), expected=MALFORMED)
        yield attack(f"put_{label}", why, pickled(0, ("INT", 1), ("PUT", spelled)), expected=MALFORMED)
    for label, step in {
        "int_with_an_l": ("INT", b"1L"), "int_true_with_a_blank": ("INT", b"01 "), "int_false_signed": ("INT", b"-00x"),
        "long_two_ls": ("LONG", b"1LL"), "long_small_l": ("LONG", b"1l"), "long_only_an_l": ("LONG", b"L"),
        "long_blank_before_the_l": ("LONG", b"1 L"), "get_with_an_l": ("GET", b"1L"),
    }.items():
        yield attack(label, why, pickled(0, ("INT", 1), ("PUT", 1), step), expected=MALFORMED)
    for label, spelled in {
        "underscore": b"1_0", "hexadecimal": b"0x1p3", "blank": b" 1.0", "trailing_blank": b"1.0 ", "nul": b"1.0\0",
        "suffix": b"1.0f", "empty": b"", "comma": b"1,0", "two_points": b"1.0.0", "sign_only": b"-", "letters": b"abc",
        "carriage_return": b"1.0\r", "exponent_only": b"e5", "full_width": "\uff11.0".encode(),
        "two_exponents": b"1e5e5",
        "long": b"1L", "complex": b"1j",
    }.items():
        yield attack(f"float_{label}", why, pickled(0, ("FLOAT", spelled)), expected=MALFORMED)
    for label, spelled in {
        "no_quotes": b"abc", "empty": b"", "one_quote": b"'", "open": b"'abc", "mismatched": b"'abc\"",
        "blank_before": b" 'abc'", "blank_behind": b"'abc' ", "carriage_return": b"'abc'\r", "bytes_prefix": b"b'abc'",
        "escaped_last_quote": b"'abc\\'x", "half_an_escape": b"'\\x1'", "lone_backslash": b"'\\'",
        "nul_behind": b"'a'\0",
    }.items():
        yield attack(f"string_{label}", why, pickled(0, ("STRING", spelled)), expected=MALFORMED)
    for label, spelled in {"short_escape": b"\\u12", "no_digits": b"\\u", "beyond_unicode": b"\\U00110000"}.items():
        yield attack(f"unicode_{label}", why, pickled(0, ("UNICODE", spelled)), expected=MALFORMED)
    for label, payload in {
        "overlong": b"\xc0\x80", "truncated": b"\xe2\x82", "latin1": b"caf\xe9", "beyond_unicode": b"\xf4\x90\x80\x80",
        "continuation": b"\x80", "ff": b"\xff",
    }.items():
        for opcode in ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"):
            yield attack(f"{opcode.lower()}_{label}", "bytes that are no UTF-8", pickled(4, (opcode, payload)),
                         expected=MALFORMED)
        yield attack(f"global_{label}", "bytes that are no UTF-8 in a name", pickled(
            4, ("GLOBAL", MODULE, b"Plain" + payload)), policy=VICTIMS, expected=MALFORMED)
    yield attack("global_module_in_latin1", "bytes that are no UTF-8 in a name", pickled(
        2, ("GLOBAL", b"tests.victims\xe9", "Plain")), policy=VICTIMS, expected=MALFORMED)
    yield attack("inst_in_latin1", "bytes that are no UTF-8 in a name", pickled(
        0, "MARK", ("INST", MODULE, b"Plain\xe9")), policy=VICTIMS, expected=MALFORMED)
    crlf = "a file that went through a text mode: the names end in a carriage return"
    yield attack("global_crlf", crlf, pickled(0, ("GLOBAL", b"tests.victims\r", b"Plain\r")), policy=VICTIMS,
                 expected=("Forbidden", "MalformedStream"))
    yield attack("inst_crlf", crlf, pickled(0, "MARK", ("INST", b"tests.victims\r", b"Plain\r")), policy=VICTIMS,
                 expected=("Forbidden", "MalformedStream"))
    yield attack("persid_not_ascii", "a persistent ID of protocol 0 is ASCII", pickled(0, ("PERSID", "caf\u00e9")),
                 policy=PERSISTENT, setup="persistent_load", entry_points=("Unpickler", "scan"), expected=MALFORMED)
    yield from _frames()
    yield from _lengths()


def _frames() -> Iterator[Attack]:
    why = "a frame that says something else than the opcodes do: readers that buffer it see other bytes"
    hidden = asm(reduce(victim("canary")))
    head = asm(("PROTO", 4))
    for name, stream in {
        "frame_past_the_end": head + lying("FRAME", 100, asm(text("x"), "STOP")),
        "frame_one_too_long": head + lying("FRAME", 3, asm("NONE", "STOP")),
        "frame_ends_inside_an_argument": head + lying("FRAME", 3, asm(("BININT", 1), "STOP")),
        "frame_ends_inside_a_text": head + lying("FRAME", 4, asm(text("abcdef"), "STOP")),
        "frame_ends_inside_a_line": head + lying("FRAME", 3, asm(("INT", 12345), "STOP")),
        "frame_ends_inside_a_global": head + lying("FRAME", 8, asm(("GLOBAL", MODULE, "Plain"), "STOP")),
        "frame_in_a_frame": head + asm(framed(text("x"), framed("NONE", "TUPLE2"), "STOP")),
        "frame_in_a_frame_past_its_end": head + lying("FRAME", 12, asm("NONE", lying("FRAME", 20, hidden), "STOP")),
        "frame_goes_on_after_stop": head + lying("FRAME", 10, asm("NONE", "STOP", b"\0" * 8)),
        "frame_hides_a_pickle_after_stop": head + lying(
            "FRAME", 2 + len(hidden), asm("NONE", "STOP") + hidden),
        "frame_header_cut": head + b"\x95\x01\x00",
        "frame_in_a_counted_text_only_by_length": head + lying("FRAME", 2, asm(("BINUNICODE", "ab"), "STOP")),
    }.items():
        yield attack(name, why, stream, policy=VICTIMS, expected=MALFORMED)


def _lengths() -> Iterator[Attack]:
    why = "a length that is negative to a signed reader and huge to an unsigned one"
    for opcode in ("BINSTRING", "LONG4"):
        yield attack(f"{opcode.lower()}_negative", why, asm(lying(opcode, -1, b"abc"), "STOP"), expected=MALFORMED)
        yield attack(f"{opcode.lower()}_most_negative", why, asm(lying(opcode, -(2**31), b"abc"), "STOP"),
                     expected=MALFORMED)
    for opcode in ("BINUNICODE", "BINBYTES", "BINUNICODE8", "BINBYTES8", "BYTEARRAY8"):
        yield attack(f"{opcode.lower()}_negative", why, asm(lying(opcode, -1, b"abc"), "STOP"), expected=MALFORMED)
        yield attack(f"{opcode.lower()}_minus_four", why, asm(lying(opcode, -4, b"abc"), "STOP"), expected=MALFORMED)
    for protocol in (6, 7, 128, 255):
        yield attack(f"protocol_{protocol}", "a protocol that does not exist", asm(("PROTO", protocol), "NONE", "STOP"),
                     expected=MALFORMED)


def broken_tail() -> Iterator[Attack]:
    """The attack first, then the stream breaks: whoever runs opcode by opcode has run it by then."""
    why = "what is listed must not run in a stream that is refused in the end"
    head = asm(("PROTO", 4), reduce(victim("record")))
    tails: dict[str, tuple[bytes, tuple[str, ...]]] = {
        "cut_at_an_opcode": (b"", MALFORMED),
        "cut_in_an_argument": (b"J\x01\x02", MALFORMED),
        "cut_in_a_length": (b"X\x01", MALFORMED),
        "cut_in_a_line": (b"I123", MALFORMED),
        "cut_in_a_frame": (lying("FRAME", 10, b"N"), MALFORMED),
        "unknown_opcode": (b"\xff.", MALFORMED),
        "underflow": (asm("POP", "POP", "NONE", "STOP"), MALFORMED),
        "get_of_nothing": (asm(get(77), "STOP"), MALFORMED),
        "bad_text": (asm(("SHORT_BINUNICODE", b"\xff"), "STOP"), MALFORMED),
        "bad_number": (asm(("INT", b"0x1"), "STOP"), MALFORMED),
        "bad_protocol": (asm(("PROTO", 99), "STOP"), MALFORMED),
        "stop_at_a_mark": (asm("MARK", "STOP"), MALFORMED),
        "odd_setitems": (asm("EMPTY_DICT", "MARK", "NONE", "SETITEMS", "STOP"), MALFORMED),
        "unhashable_key": (asm("EMPTY_DICT", "EMPTY_LIST", "NONE", "SETITEM", "STOP"), MALFORMED),
        "append_to_a_dict": (asm("EMPTY_DICT", "NONE", "APPEND", "STOP"), MALFORMED),
        "build_on_a_literal": (asm(text("x"), "EMPTY_DICT", "BUILD", "STOP"), MALFORMED),
        "arguments_are_a_list": (asm(victim("harmless"), "EMPTY_LIST", "REDUCE", "STOP"), MALFORMED),
        "unlisted_name": (asm(victim("canary"), "STOP"), FORBIDDEN),
        "unlisted_name_in_the_last_byte": (asm(text(MODULE), text("canary"), "STACK_GLOBAL"), ("Forbidden",
            "MalformedStream")),
        "unlisted_verb": (asm(newobj(victim("harmless")), "STOP"), FORBIDDEN),
        "persistent_id": (asm("NONE", "BINPERSID", "STOP"), FORBIDDEN),
        "extension": (asm(("EXT1", 240), "STOP"), FORBIDDEN),
        "buffer": (asm("NEXT_BUFFER", "STOP"), ("Forbidden", "MalformedStream")),
        "too_deep": (asm("EMPTY_TUPLE", *["TUPLE1"] * 1100, "STOP"), LIMIT),
        "memo_index": (asm(("LONG_BINPUT", 2**31), "STOP"), LIMIT),
        "digits": (asm(("INT", b"9" * 5000), "STOP"), LIMIT),
    }
    for name, (tail, expected) in tails.items():
        yield attack(name, why, head + tail, policy=VICTIMS, expected=expected,
                     live="" if name in {"too_deep", "memo_index", "extension"} else "runs")
    yield attack("after_a_megabyte", "the tail may be far away", lambda: head + asm(
        "POP", ("BINBYTES8", bytes(1 << 20)), victim("canary"), "STOP"), policy=VICTIMS, expected=FORBIDDEN)
    listed = asm(("PROTO", 4), reduce(victim("record")), "POP")
    yield attack("missing_listed_name", "every listed name is resolved before the first call", listed + asm(
        victim("Missing"), "STOP"), policy=MISNAMED, expected=("Forbidden", "ReconstructionError"), runtime_only=True,
        live="runs")
    yield attack("missing_listed_module", "every listed name is resolved before the first call", listed + asm(
        glob("tests.no_such_module", "Thing"), "STOP"), policy=MISNAMED, expected=("Forbidden", "ReconstructionError"),
        runtime_only=True, live="runs")
    yield attack("missing_buffer", "buffers are counted before the first call", asm(
        ("PROTO", 5), reduce(victim("record")), "NEXT_BUFFER", "NEXT_BUFFER", "TUPLE3", "STOP"), policy=VICTIMS,
        setup="buffers", entry_points=("loads", "Unpickler"), expected=MALFORMED, live="runs")


def hidden_streams() -> Iterator[Attack]:
    """A pickle where a scanner does not look: behind STOP, or inside a text of another pickle."""
    evil = pickled(4, reduce(victim("canary")))
    old = pickled(0, ("GLOBAL", MODULE, "canary"), "MARK", "TUPLE", "REDUCE")
    clean = pickled(4, literal({"a": 1}))
    behind = "a program that calls load again reads the second pickle"
    inside = "the payload is a pickle that the program will load in its turn"
    streams: dict[str, tuple[str, bytes]] = {
        "second_pickle": (behind, clean + evil),
        "second_pickle_of_protocol_0": (behind, clean + old),
        "third_pickle": (behind, clean + clean + evil),
        "second_pickle_after_noise": ("a program that seeks reads it", clean + b"\0\0noise" + evil),
        "second_pickle_after_newlines": ("a program that reads records reads it", clean + b"\n\n" + evil),
        "second_pickle_broken": ("bytes that nothing accounts for", clean + evil[:-1]),
        "trailing_bytes": ("bytes that nothing accounts for", clean + b"trailing bytes of no kind"),
        "trailing_nul": ("bytes that nothing accounts for", clean + b"\0"),
        "pickle_in_bytes": (inside, pickled(4, ("SHORT_BINBYTES", evil))),
        "pickle_in_a_bytearray": (inside, pickled(5, ("BYTEARRAY8", evil))),
        "pickle_in_an_eight_bit_string": (inside, pickled(2, ("SHORT_BINSTRING", evil))),
        "pickle_in_a_list_of_bytes": (inside, pickled(4, list_of(literal(b"x"), ("SHORT_BINBYTES", evil)))),
        "pickle_in_a_dict_value": (inside, pickled(4, dict_of((text("blob"), ("BINBYTES", evil))))),
        "pickle_behind_noise_in_bytes": (inside, pickled(4, ("SHORT_BINBYTES", b"noise" + evil))),
        "pickle_in_a_pickle_in_a_pickle": (inside, pickled(4, ("BINBYTES", pickled(4, ("BINBYTES", evil))))),
    }
    for name, (why, stream) in streams.items():
        yield attack(name, why, stream, policy=VICTIMS, entry_points=("scan",),
                     expected=("Forbidden", "MalformedStream"))
        yield attack(f"loaded_{name}", "the loader takes the first pickle and nothing else", stream, policy=VICTIMS,
                     entry_points=("loads", "Unpickler"), options={"encoding": "latin1"}, expected=HARMLESS)


# --- Calls -----------------------------------------------------------------------------------------------------------
def call_of_a_reference() -> Iterator[Attack]:
    """REDUCE and its kin on what may be mentioned and not called."""
    why = "a name that may be mentioned is called"
    mentioned: dict[str, Step] = {
        "reduce": [victim("record"), "EMPTY_TUPLE", "REDUCE"],
        "obj": ["MARK", victim("record"), ("BININT1", 1), "OBJ"],
        "obj_without_arguments": ["MARK", victim("record"), "OBJ"],
        "inst": ["MARK", ("BININT1", 1), ("INST", MODULE, "record")],
        "from_a_list_of_references": [victim("record"), put(0), "EMPTY_LIST", get(0), "APPEND", "POP", "EMPTY_TUPLE",
            "REDUCE"],
        "method": [victim("Plain.method"), tuple_of("NONE"), "REDUCE"],
    }
    for label, program in mentioned.items():
        yield attack(f"refer_only_{label}", why, pickled(4, program), policy=VERBS, expected=FORBIDDEN, live="runs")
    for label, program in {
        "refer_only_class_called": reduce(victim("Plain")),
        "refer_only_class_newobj": newobj(victim("Plain")),
        "refer_only_class_newobj_ex": [victim("Plain"), "EMPTY_TUPLE", "EMPTY_DICT", "NEWOBJ_EX"],
        "new_only_class_called": reduce(victim("Slotted")),
        "new_only_class_inst": ["MARK", "NONE", ("INST", MODULE, "Slotted")],
        "new_only_class_obj": ["MARK", victim("Slotted"), "NONE", "OBJ"],
        "call_only_class_newobj": newobj(victim("ListBag")),
        "call_only_class_inst_without_arguments": ["MARK", ("INST", MODULE, "NotPlain")],
        "call_only_class_obj_without_arguments": ["MARK", victim("NotPlain"), "OBJ"],
        "call_only_class_reconstructed": reduce(
            glob("copyreg", "_reconstructor"), victim("NotPlain"), glob("builtins", "object"), "NONE"),
        "call_only_class_built": build(reduce(victim("ListBag")), fields(x="NONE")),
        "call_only_class_filled": [reduce(victim("ListBag")), "NONE", "APPEND"],
        "new_only_class_built": build(newobj(victim("WithSetState")), fields(x="NONE")),
        "new_only_class_filled": [newobj(victim("DictBag")), "NONE", "NONE", "SETITEM"],
        "build_only_class_filled": [newobj(victim("SetBag")), "MARK", "NONE", "ADDITEMS"],
        "appender_filled": [newobj(victim("Appender")), "NONE", "APPEND"],
        "appender_filled_with_many": [newobj(victim("Appender")), "MARK", "NONE", "APPENDS"],
        "appender_filled_as_a_set": [newobj(victim("Appender")), "MARK", "NONE", "ADDITEMS"],
    }.items():
        yield attack(label, "each verb is granted on its own", pickled(4, program), policy=VERBS, expected=FORBIDDEN,
                     live="runs" if label.startswith("appender") else "")
    yield attack("instance_called", "an instance with __call__ is no function of the policy", pickled(
        4, reduce(newobj(victim("Invokable")))), policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("result_called", "what a listed function returns is called in its turn", pickled(
        4, reduce(reduce(victim("the_function")))), policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("result_called_by_obj", "what a listed function returns is called in its turn", pickled(
        4, "MARK", reduce(victim("the_function")), "NONE", "OBJ"), policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("result_newobj", "a class that a listed function returns is instantiated", pickled(
        4, newobj(reduce(victim("the_class")))), policy=VICTIMS, expected=FORBIDDEN)
    yield attack("class_made_by_a_metaclass_called", "a call of a metaclass makes a class that no name stands for",
                 pickled(4, reduce(reduce(victim("Meta"), text("New"), literal(()), fields(
                     __init__=victim("record"))))), policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("callable_planted_by_a_metaclass", "a class whose methods the stream chose is instantiated", pickled(
        4, newobj(reduce(victim("Meta"), text("New"), literal(()), fields(__new__=victim("record"))))),
        policy=VICTIMS, expected=FORBIDDEN, live="runs")
    for label, step in {
        "text": text("canary"), "none": "NONE", "int": ("BININT1", 1), "tuple": "EMPTY_TUPLE", "dict": "EMPTY_DICT",
        "list": "EMPTY_LIST", "bytes": ("SHORT_BINBYTES", b"canary"),
    }.items():
        yield attack(f"literal_{label}_called", "a literal is no callable", pickled(4, reduce(step)), policy=VICTIMS,
                     expected=("Forbidden", "MalformedStream"))
    for label, program in {
        "called": reduce([literal(("storage", 4)), "BINPERSID"]),
        "called_by_obj": ["MARK", literal(("storage", 4)), "BINPERSID", "NONE", "OBJ"],
        "newobj": newobj([literal(("storage", 5)), "BINPERSID"]),
    }.items():
        yield attack(f"persistent_object_{label}", "what persistent_load gave is the application's", pickled(4,
            program),
                     policy=PERSISTENT, setup="persistent_load", entry_points=("Unpickler", "scan"), expected=FORBIDDEN,
                     live="" if label == "newobj" else "runs")
    yield attack("earlier_load_called", "what an earlier load gave may be referred to only", pickled(
        4, victim("the_function"), "EMPTY_TUPLE", "REDUCE", put(0)) + pickled(4, reduce(get(0))), policy=VICTIMS,
        setup="earlier load", entry_points=("Unpickler",), expected=FORBIDDEN, live="runs")
    yield attack("reference_called_through_getattr", "a listed bound name is called on its own terms only", pickled(
        4, reduce(getattr_(victim("Plain"), text("limit")))), policy=METHODS, expected=FORBIDDEN)


def ill_typed_calls() -> Iterator[Attack]:
    """Calls whose callable or arguments are of the wrong kind."""
    kinds = {
        "list": list_of("NONE"), "none": "NONE", "text": text("ab"), "dict": "EMPTY_DICT", "set": "EMPTY_SET",
        "int": ("BININT1", 1), "bytes": ("SHORT_BINBYTES", b"ab"), "global": victim("Plain"),
    }
    for label, step in kinds.items():
        # Only importing could tell what a global is.
        said = ("Forbidden", "MalformedStream") if label == "global" else MALFORMED
        yield attack(f"reduce_arguments_{label}", "arguments that are no tuple", pickled(
            4, victim("record"), step, "REDUCE"), policy=VICTIMS, expected=said)
        yield attack(f"newobj_arguments_{label}", "arguments that are no tuple", pickled(
            4, victim("Plain"), step, "NEWOBJ"), policy=VICTIMS, expected=said)
        yield attack(f"newobj_ex_arguments_{label}", "arguments that are no tuple", pickled(
            4, victim("Plain"), step, "EMPTY_DICT", "NEWOBJ_EX"), policy=VICTIMS, expected=said)
        if label != "dict":
            yield attack(f"newobj_ex_keywords_{label}", "keywords that are no dict", pickled(
                4, victim("Plain"), "EMPTY_TUPLE", step, "NEWOBJ_EX"), policy=VICTIMS, expected=said)
        if label != "global":
            yield attack(f"newobj_on_{label}", "no class to make an instance of", pickled(4, newobj(step)),
                         policy=VICTIMS, expected=("MalformedStream", "Forbidden"))
    unknown = ("MalformedStream", "Forbidden", "ReconstructionError")
    for label, step in {
        "result": reduce(victim("harmless")), "list_result": reduce(victim("keep")),
        "dict_subclass": newobj(victim("DictBag")), "plain_instance": newobj(victim("Plain")),
    }.items():
        yield attack(f"reduce_arguments_{label}", "arguments that only running can tell from a tuple", pickled(
            4, victim("record"), step, "REDUCE"), policy=VICTIMS, expected=unknown, runtime_only=True)
        yield attack(f"newobj_ex_keywords_{label}", "keywords that only running can tell from a dict", pickled(
            4, victim("Plain"), "EMPTY_TUPLE", step, "NEWOBJ_EX"), policy=VICTIMS, expected=unknown, runtime_only=True)
    keys: dict[str, Step] = {
        "int": ("BININT1", 1), "bytes": ("SHORT_BINBYTES", b"a"), "none": "NONE", "tuple": "EMPTY_TUPLE",
        "subclass": newobj(victim("TextBag"), text("a")),
    }
    for label, key in keys.items():
        yield attack(f"keyword_is_{label}", "a keyword that is no text", pickled(
            4, victim("Frozen"), "EMPTY_TUPLE", dict_of((key, "NONE")), "NEWOBJ_EX"), policy=VICTIMS, expected=unknown,
            runtime_only=label == "subclass", ran=("TextBag.__hash__",) if label == "subclass" else ())
    yield attack("newobj_ex_swapped", "arguments and keywords the wrong way round", pickled(
        4, victim("Plain"), "EMPTY_DICT", "EMPTY_TUPLE", "NEWOBJ_EX"), policy=VICTIMS, expected=MALFORMED)
    yield attack("newobj_on_a_function", "a function is no class", pickled(4, newobj(victim("harmless"))),
                 policy=VICTIMS, expected=FORBIDDEN)
    yield attack("newobj_on_an_instance", "an instance is no class", pickled(4, newobj(newobj(victim("Plain")))),
                 policy=VICTIMS, expected=FORBIDDEN)
    for label, name in {"function": "harmless", "instance": "INSTANCE", "number": "NOT_A_CLASS"}.items():
        yield attack(f"class_that_is_a_{label}", "a name listed as a class turns out to be something else", pickled(
            4, reduce(victim("record")), "POP", newobj(victim(name))), policy=MISNAMED,
            expected=("Forbidden", "ReconstructionError"), runtime_only=True)
    for name in ("leaves_the_process", "runs_out_of_memory", "recurses_too_deep", "stops_an_iteration", "ends_the_file",
                 "misses_a_key", "raises_its_own"):
        yield attack(f"listed_function_{name}", "whatever a listed callable raises, a refusal is an UnpicklingError",
                     pickled(4, reduce(victim(name))), policy=VICTIMS, expected=FAILED, runtime_only=True)
    yield attack("listed_function_with_wrong_arguments", "a listed callable that refuses its arguments", pickled(
        4, reduce(victim("shared_list"), "NONE")), policy=VICTIMS, expected=FAILED, runtime_only=True)
    yield attack("unhashable_made_by_a_call", "a key that only running can tell to be unhashable", pickled(
        4, dict_of((reduce(victim("keep")), "NONE"))), policy=VICTIMS, expected=FAILED, runtime_only=True)
    yield attack("state_of_the_wrong_kind", "state that is neither a dict nor a pair", pickled(
        4, build(newobj(victim("Plain")), ("BININT1", 5))), policy=VICTIMS,
        expected=("MalformedStream", "ReconstructionError", "Forbidden"), runtime_only=True)


# --- Objects ---------------------------------------------------------------------------------------------------------
def mutating_the_application() -> Iterator[Attack]:
    """BUILD, SETITEM, APPEND and ADDITEMS on what existed before the stream did."""
    hook = victim("record")
    why = "a listed name is changed for the whole process"
    targets: dict[str, Step] = {
        "class_init": build(victim("Plain"), slots(__init__=hook)),
        "class_new_attribute": build(victim("Plain"), slots(anything=hook)),
        "class_method": build(victim("Plain"), slots(method=hook)),
        "class_by_dict_state": build(victim("Plain"), fields(method=hook)),
        "nested_class": build(victim("Plain.Nested"), slots(__init__=hook)),
        "function_code": build(victim("harmless"), slots(__defaults__=literal((1,)))),
        "function_attribute": build(victim("harmless"), fields(note=hook)),
        "enumeration": build(victim("Colour"), slots(GREEN=hook)),
        "metaclass": build(victim("Meta"), slots(__call__=hook)),
        "instance": build(victim("INSTANCE"), fields(arguments=hook)),
        "instance_by_slots": build(victim("INSTANCE"), slots(arguments=hook)),
        "list_append": [victim("SHARED_LIST"), hook, "APPEND"],
        "list_appends": [victim("SHARED_LIST"), "MARK", hook, "APPENDS"],
        "dict_setitem": [victim("SHARED_DICT"), text("kept"), hook, "SETITEM"],
        "dict_setitems": [victim("SHARED_DICT"), "MARK", text("kept"), hook, "SETITEMS"],
        "set_additems": [victim("SHARED_SET"), "MARK", text("added"), "ADDITEMS"],
        "result_list_append": [reduce(victim("shared_list")), hook, "APPEND"],
        "result_list_appends": [reduce(victim("shared_list")), "MARK", hook, "APPENDS"],
        "result_dict_setitem": [reduce(victim("shared_dict")), text("kept"), hook, "SETITEM"],
        "result_dict_setitems": [reduce(victim("shared_dict")), "MARK", text("kept"), hook, "SETITEMS"],
        "result_set_additems": [reduce(victim("shared_set")), "MARK", text("added"), "ADDITEMS"],
        "result_instance_build": build(reduce(victim("shared_instance")), fields(arguments=hook)),
        "result_class_build": build(reduce(victim("the_class")), slots(method=hook)),
        "result_function_build": build(reduce(victim("the_function")), fields(note=hook)),
        "result_module_build": build(reduce(victim("the_module")), fields(canary=hook)),
        "result_member_build": build(reduce(victim("the_member")), fields(note=hook)),
        "result_through_the_memo": [reduce(victim("shared_list")), put(0), "POP", get(0), hook, "APPEND"],
        "result_through_dup": [reduce(victim("shared_list")), "DUP", hook, "APPEND"],
    }
    for name, program in targets.items():
        live = "changes"
        if name == "class_by_dict_state":
            live = ""
        yield attack(name, why, pickled(4, program), policy=VICTIMS, expected=FORBIDDEN, live=live)
    yield attack("module_as_a_listed_value", "a listed module's dict is written to", pickled(
        4, build(glob("tests", "victims"), fields(canary="NONE"))), policy=MISNAMED, expected=FORBIDDEN, live="changes")
    yield attack("module_dict_of_a_function", "a function's globals are a dict like any other", pickled(
        4, victim("harmless.__globals__"), text("canary"), "NONE", "SETITEM"), policy=VICTIMS, expected=FORBIDDEN,
        live="changes")
    persistent = {
        "build": build([literal(("storage", 0)), "BINPERSID"], fields(arguments="NONE")),
        "append": [literal(("storage", 1)), "BINPERSID", "NONE", "APPEND"],
        "setitem": [literal(("storage", 2)), "BINPERSID", text("kept"), "NONE", "SETITEM"],
        "additems": [literal(("storage", 3)), "BINPERSID", "MARK", text("added"), "ADDITEMS"],
    }
    for name, program in persistent.items():
        yield attack(f"persistent_object_{name}", "what persistent_load gave is the application's", pickled(4, program),
                     policy=PERSISTENT, setup="persistent_load", entry_points=("Unpickler", "scan"), expected=FORBIDDEN,
                     live="changes")
    earlier = asm(("PROTO", 4), list_of(), put(0), dict_of(), put(1), set_of(), put(2), newobj(victim("Plain")), put(3),
                  newobj(victim("ListBag")), put(4), "NONE", "STOP")
    for name, program in {
        "list": [get(0), "NONE", "APPEND"], "dict": [get(1), "NONE", "NONE", "SETITEM"],
        "set": [get(2), "MARK", "NONE", "ADDITEMS"], "instance": build(get(3), fields(x="NONE")),
        "bag": [get(4), "MARK", "NONE", "APPENDS"],
    }.items():
        yield attack(f"earlier_load_{name}", "the application holds what an earlier load gave", earlier + pickled(
            4, program), policy=VICTIMS, setup="earlier load", entry_points=("Unpickler",), expected=FORBIDDEN)
    yield attack("buffer_build", "a buffer is the application's memory", pickled(5, build("NEXT_BUFFER",
        fields(x="NONE"))),
                 policy=VICTIMS, setup="buffers", entry_points=("loads", "Unpickler"),
                 expected=("Forbidden", "MalformedStream"))
    yield attack("buffer_append", "a buffer is the application's memory: bytearray has append", pickled(
        5, "NEXT_BUFFER", ("BININT1", 1), "APPEND"), policy=VICTIMS, setup="buffers", entry_points=("loads",
        "Unpickler"),
        expected=("Forbidden", "MalformedStream"))
    yield attack("buffer_setitem", "a buffer is the application's memory: bytearray has items", pickled(
        5, "NEXT_BUFFER", ("BININT1", 0), ("BININT1", 1), "SETITEM"), policy=VICTIMS, setup="buffers",
        entry_points=("loads", "Unpickler"), expected=("Forbidden", "MalformedStream"))
    for name in ("__class__", "__dict__", "__init__", "__setstate__", "__reduce__", "__slots__", "__doc__",
        "__module__",
                 "__weakref__", "__getattr__", "__anything__"):
        value = victim("Plain.Nested") if name == "__class__" else fields(x="NONE")
        yield attack(f"slot_state_{name}", "slot state reaches what the instance's dict does not", pickled(
            4, build(newobj(victim("Plain")), slots(**{name: value}))), policy=VICTIMS, expected=FORBIDDEN)
    yield attack("slot_state_key_as_eight_bit_text", "the same name in Python 2's text", pickled(
        2, build(newobj(("GLOBAL", MODULE, "Plain")), tuple_of("NONE", dict_of(
            (("SHORT_BINSTRING", "__class__"), ("GLOBAL", MODULE, "Frozen")))))), policy=VICTIMS, expected=FORBIDDEN)
    yield attack("slot_state_key_of_a_subclass", "a key that is one text when judged and another when set", pickled(
        4, build(newobj(victim("Plain")), tuple_of("NONE", dict_of(
            (newobj(victim("TextBag"), text("__class__")), victim("Plain.Nested")))))), policy=VICTIMS,
        expected=("Forbidden", "ReconstructionError"), runtime_only=True, ran=("TextBag.__hash__", "TextBag.__eq__"))
    outside = "an attribute that the policy does not name is set"
    for name, program in {
        "dict_state": build(newobj(victim("Plain")), fields(bid="NONE", method=victim("Plain"))),
        "slot_state": build(newobj(victim("Plain")), slots(bid="NONE", method="NONE")),
        "both_states": build(newobj(victim("Plain")), tuple_of(fields(bid="NONE"), fields(method="NONE"))),
        "dict_half": build(newobj(victim("SlottedWithDict")), tuple_of(fields(method="NONE"), fields(a="NONE"))),
        "slot": build(newobj(victim("Slotted")), slots(a="NONE", b="NONE")),
        "property": build(newobj(victim("Guarded")), slots(handler="NONE")),
        "added_later": [newobj(victim("Plain")), dict_of(), put(0), text("method"), "NONE", "SETITEM", "BUILD"],
        "added_before_the_object": [dict_of(), put(0), text("method"), "NONE", "SETITEM", "POP",
                                    newobj(victim("Plain")), get(0), text("bid"), "NONE", "SETITEM", "BUILD"],
        "bytes_key": build(newobj(victim("Plain")), dict_of((literal(b"method"), "NONE"))),
        "int_key": build(newobj(victim("Plain")), dict_of((("BININT1", 1), "NONE"))),
        "subclass_key": build(newobj(victim("Plain")), dict_of((newobj(victim("TextBag"), text("bid")), "NONE"))),
        "dict_subclass": build(newobj(victim("Plain")), newobj(victim("DictBag"))),
        "result": build(newobj(victim("Plain")), reduce(victim("the_pairs"))),
        "result_as_slots": build(newobj(victim("Plain")), tuple_of("NONE", reduce(victim("the_pairs")))),
    }.items():
        yield attack(f"attributes_{name}", outside, pickled(4, program), policy=PATTERNS, expected=FORBIDDEN,
                     live="runs" if name == "property" else "")


def planted_hooks() -> Iterator[Attack]:
    """State that sets what CPython will look up on the instance and call."""
    hook = victim("record")
    why = "CPython finds the stream's callable in the instance's dict and calls it"
    planted = ("__setstate__", "append", "extend", "add")
    follow: dict[str, list[Step]] = {
        "__setstate__": [fields(x="NONE"), "BUILD"], "append": ["NONE", "APPEND"],
        "extend": ["MARK", "NONE", "NONE", "APPENDS"], "add": ["MARK", "NONE", "ADDITEMS"],
    }
    for name in planted:
        label = name.strip("_")
        yield attack(f"{label}_in_dict_state", why, pickled(
            4, build(newobj(victim("Plain")), fields(**{name: hook})), *follow[name]), policy=VICTIMS,
            expected=FORBIDDEN, live="runs")
        yield attack(f"{label}_in_slot_state", why, pickled(
            4, build(newobj(victim("Plain")), slots(**{name: hook})), *follow[name]), policy=VICTIMS,
            expected=FORBIDDEN, live="runs")
        yield attack(f"{label}_only_planted", "whoever loads it again or fills it later calls it", pickled(
            4, build(newobj(victim("Plain")), fields(**{name: hook}))), policy=VICTIMS, expected=FORBIDDEN)
        yield attack(f"{label}_in_eight_bit_text", why, pickled(
            2, build(newobj(("GLOBAL", MODULE, "Plain")), dict_of(
                (("SHORT_BINSTRING", name), ("GLOBAL", MODULE, "record")))),
            *(follow[name] if name == "append" else [])), policy=VICTIMS, expected=FORBIDDEN,
            live="runs" if name == "append" else "")
        yield attack(f"{label}_on_a_called_class", why, pickled(
            4, build(reduce(victim("Plain")), fields(**{name: hook})), *follow[name]), policy=VICTIMS,
            expected=FORBIDDEN, live="runs")
        yield attack(f"{label}_added_to_the_state_later", why, pickled(
            4, newobj(victim("Plain")), dict_of(), put(0), text(name), hook, "SETITEM", "BUILD", *follow[name]),
            policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("setstate_by_a_text_subclass", "a key that is no exact text", pickled(
        4, build(newobj(victim("Plain")), dict_of((newobj(victim("TextBag"), text("append")), hook))), "NONE",
        "APPEND"),
        policy=VICTIMS, expected=("Forbidden", "ReconstructionError"), runtime_only=True,
        ran=("TextBag.__hash__", "TextBag.__eq__"))
    yield attack("built_twice", "an object that got its state is given another one", pickled(
        4, build(build(newobj(victim("Plain")), fields(x="NONE")), fields(y="NONE"))), policy=VICTIMS,
        expected=FORBIDDEN)
    yield attack("built_twice_through_the_memo", "an object that got its state is given another one", pickled(
        4, newobj(victim("WithSetState")), put(0), fields(x="NONE"), "BUILD", "POP", build(get(0), fields(y="NONE"))),
        policy=VICTIMS, expected=FORBIDDEN)
    yield attack("built_twice_with_nothing", "a falsy state is a state", pickled(
        4, build(build(newobj(victim("WithSetState")), "NONE"), fields(y="NONE"))), policy=VICTIMS, expected=FORBIDDEN)
    yield attack("adopted_state", "the state becomes the instance's dict, and is then changed through the memo",
        pickled(
        4, newobj(victim("Adopting")), dict_of((text("x"), "NONE")), put(0), "BUILD", put(1), "POP",
        get(0), text("append"), hook, "SETITEM", "POP", get(1), "NONE", "APPEND"), policy=VICTIMS,
        expected=("Forbidden", "ReconstructionError"), runtime_only=True, live="runs")
    yield attack("adopted_state_setstate", "the adopted dict is given a __setstate__", pickled(
        4, newobj(victim("Adopting")), dict_of((text("x"), "NONE")), put(0), "BUILD", put(1), "POP",
        get(0), text("__setstate__"), hook, "SETITEM", "POP", build(get(1), "NONE")), policy=VICTIMS,
        expected=FORBIDDEN, live="runs")
    yield attack("answering_class", "a class with __getattr__ has an append of its own making", pickled(
        4, newobj(victim("Answering")), "NONE", "APPEND"), policy=VICTIMS, expected=("Forbidden",
        "ReconstructionError"),
        runtime_only=True, live="runs")
    yield attack("answering_class_appends", "a class with __getattr__ has an extend of its own making", pickled(
        4, newobj(victim("Answering")), "MARK", "NONE", "APPENDS"), policy=VICTIMS,
        expected=("Forbidden", "ReconstructionError"), runtime_only=True, live="runs")
    yield attack("answering_class_additems", "a class with __getattr__ has an add of its own making", pickled(
        4, newobj(victim("Answering")), "MARK", "NONE", "ADDITEMS"), policy=VICTIMS,
        expected=("Forbidden", "ReconstructionError"), runtime_only=True, live="runs")
    yield attack("method_on_the_instance", "a listed method's name is planted, and then referred to", pickled(
        4, build(newobj(victim("Plain")), fields(make=victim("record"))), put(0), "POP",
        reduce(getattr_(get(0), text("make")))), policy=METHODS, expected=HARMLESS, runtime_only=True, live="runs")
    yield attack("method_on_the_instance_by_slots", "a listed method's name is planted, and then referred to", pickled(
        4, build(newobj(victim("Plain")), slots(make=victim("record"))), put(0), "POP",
        reduce(getattr_(get(0), text("make")))), policy=METHODS, expected=HARMLESS, runtime_only=True, live="runs")


def singletons() -> Iterator[Attack]:
    """Calls that give the process's own object although they look like constructions."""
    why = "what the call gives existed before and is everybody's"
    granted = {
        "member_by_call": build(reduce(victim("Colour"), ("BININT1", 1)), fields(note="NONE")),
        "member_by_call_slots": build(reduce(victim("Colour"), ("BININT1", 1)), slots(note="NONE")),
        "member_by_newobj": build(newobj(victim("Colour"), ("BININT1", 1)), fields(note="NONE")),
        "flag_by_call": build(reduce(victim("Level"), ("BININT1", 1)), fields(note="NONE")),
        "member_by_getter": build(reduce(victim("the_member")), fields(note="NONE")),
        "class_by_getter": build(reduce(victim("the_class")), slots(note="NONE")),
        "function_by_getter": build(reduce(victim("the_function")), fields(note="NONE")),
        "module_by_getter": build(reduce(victim("the_module")), fields(canary="NONE")),
        "module_filled": [reduce(victim("the_module")), text("canary"), "NONE", "SETITEM"],
        "http_status": build(reduce(glob("http", "HTTPStatus"), literal(200)), fields(note=text("changed"))),
    }
    for name, program in granted.items():
        yield attack(f"granted_{name}", why, pickled(4, program), policy=FRESH, expected=("Forbidden",
            "ReconstructionError"),
                     runtime_only=True, live="" if name in {"http_status", "module_filled"} else "changes")
    yield attack("granted_class_by_metaclass", "a class is no target, also one that the stream made", pickled(
        4, build(reduce(victim("Meta"), text("New"), literal(()), fields()), slots(__init__=victim("record")))),
        policy=FRESH, expected=("Forbidden", "ReconstructionError"), runtime_only=True)
    for name, program in {
        "member": build(reduce(victim("Colour"), ("BININT1", 1)), fields(note="NONE")),
        "flag": build(reduce(victim("Level"), ("BININT1", 3)), fields(note="NONE")),
        "member_made_new": newobj(victim("Colour"), ("BININT1", 1)),
        "member_filled": [reduce(victim("Colour"), ("BININT1", 1)), "NONE", "APPEND"],
    }.items():
        yield attack(f"call_only_{name}", why, pickled(4, program), policy=VICTIMS, expected=FORBIDDEN,
                     live="changes" if name == "member" else "")
    yield attack("stock_http_status", why, pickled(
        4, build(reduce(glob("http", "HTTPStatus"), literal(200)), fields(note="NONE"))), policy=STDLIB,
        expected=FORBIDDEN)
    for label, step in {"none": "NONE", "true": "NEWTRUE", "text": text("x"), "empty_tuple": "EMPTY_TUPLE",
                        "int": ("BININT1", 1), "bytes": literal(b"x"), "list": "EMPTY_LIST", "dict": "EMPTY_DICT",
                        "set": "EMPTY_SET", "bytearray": ("BYTEARRAY8", b"x")}.items():
        yield attack(f"literal_{label}_built", "a literal takes no state", pickled(5, build(step, fields(x="NONE"))),
                     policy=VICTIMS, expected=MALFORMED)


def _left_by_an_earlier_load() -> Iterator[tuple[str, str, Step, Step]]:
    """What one pickle of a row leaves in the memo for the next one: a name, why, the first pickle, the second."""
    method = getattr_(newobj(victim("Plain")), text("method"))
    half = [
        reduce(glob("functools", "partial"), getattr_(victim("Plain"), text("__new__"))), put(0), "POP", "NONE",
    ]
    why = "a helper that was not used yet is no value in the next pickle either"
    yield "helper_as_a_value", why, [glob("copyreg", "_reconstructor"), put(0), "POP", "NONE"], get(0)
    yield "partial_as_a_value", why, half, get(0)
    yield "partial_called", why, half, reduce(get(0))
    yield "bound_method_called", "what it is bound to is the application's now", [method, put(0)], reduce(get(0))
    for name in ("append", "__setstate__"):
        yield f"text_{name.strip('_')}_as_a_key", "the name stands in another pickle than the state", [
            text(name), put(0)], build(newobj(victim("Plain")), dict_of((get(0), victim("record"))))
    yield "text_class_as_a_slot", "the name stands in another pickle than the state", [
        text("__class__"), put(0)], build(newobj(victim("Plain")), tuple_of("NONE", dict_of((get(0), victim("Plain")))))


def helper_escalation() -> Iterator[Attack]:
    """The protocols' own helpers, bent to call something else."""
    for name, why, first, second in _left_by_an_earlier_load():
        yield attack(f"earlier_load_{name}", why, pickled(4, first) + pickled(4, second), policy=METHODS,
                     setup="earlier load", entry_points=("Unpickler",), expected=FORBIDDEN)
    yield from _reconstructors()
    yield from _newobj_helpers()
    yield from _codecs()
    yield from _getattrs()


def _reconstructors() -> Iterator[Attack]:
    helper = glob("copyreg", "_reconstructor")
    builtin = {name: glob("builtins", name) for name in ("object", "list", "dict", "str", "int", "set", "tuple",
        "type")}
    plain, bag = victim("Plain"), victim("ListBag")
    why = "`_reconstructor(cls, base, state)` calls `base.__new__` and `base.__init__`"
    wrong = ("Forbidden", "MalformedStream")
    programs: dict[str, tuple[Step, tuple[str, ...]]] = {
        "base_is_the_class": (reduce(helper, plain, plain, "NONE"), FORBIDDEN),
        "base_is_the_class_with_state": (reduce(helper, plain, plain, text("x")), FORBIDDEN),
        "base_is_another_class": (reduce(helper, plain, victim("Frozen"), text("x")), FORBIDDEN),
        "base_is_unlisted": (reduce(helper, plain, victim("NotPlain"), text("x")), FORBIDDEN),
        "base_is_type": (reduce(helper, victim("Meta"), builtin["type"], text("x")), FORBIDDEN),
        "class_is_unlisted": (reduce(helper, victim("NotPlain"), builtin["object"], "NONE"), FORBIDDEN),
        "class_is_a_function": (reduce(helper, victim("record"), builtin["object"], "NONE"), FORBIDDEN),
        "class_is_a_result": (reduce(helper, reduce(victim("the_class")), builtin["object"], "NONE"), FORBIDDEN),
        "class_is_a_literal": (reduce(helper, text("Plain"), builtin["object"], "NONE"), wrong),
        "class_is_built_in": (reduce(helper, builtin["list"], builtin["list"], literal([1])), FORBIDDEN),
        "base_is_a_result": (reduce(helper, plain, reduce(victim("the_class")), "NONE"), FORBIDDEN),
        "base_is_a_literal": (reduce(helper, plain, "NONE", "NONE"), wrong),
        "object_with_state": (reduce(helper, plain, builtin["object"], text("x")), wrong),
        "list_of_a_huge_range": (reduce(helper, bag, builtin["list"], reduce(glob("builtins", "range"),
            literal(10**11))),
                                 FORBIDDEN),
        "list_of_a_result": (reduce(helper, bag, builtin["list"], reduce(victim("shared_list"))), FORBIDDEN),
        "list_of_a_dict": (reduce(helper, bag, builtin["list"], "EMPTY_DICT"), wrong),
        "list_of_a_text": (reduce(helper, bag, builtin["list"], text("xx")), wrong),
        "dict_of_a_list": (reduce(helper, victim("DictBag"), builtin["dict"], literal([(1, 2)])), wrong),
        "text_of_a_list": (reduce(helper, victim("TextBag"), builtin["str"], literal([1])), wrong),
        "int_of_a_text": (reduce(helper, victim("Level"), builtin["int"], text("9" * 5000)), wrong),
        "two_arguments": (reduce(helper, plain, builtin["object"]), wrong),
        "four_arguments": (reduce(helper, plain, builtin["object"], "NONE", "NONE"), wrong),
        "no_arguments": (reduce(helper), wrong),
        "arguments_are_a_list": ([helper, list_of(plain, builtin["object"], "NONE"), "REDUCE"], MALFORMED),
        "as_a_value": (helper, FORBIDDEN),
        "in_a_list": (list_of(helper), FORBIDDEN),
        "as_an_argument": (reduce(victim("keep"), helper), FORBIDDEN),
        "newobj": (newobj(helper), FORBIDDEN),
        "inst": (["MARK", plain, plain, "NONE", ("INST", "copyreg", "_reconstructor")], FORBIDDEN),
        "built": (build(helper, fields(x="NONE")), FORBIDDEN),
        "popped": ([helper, "POP", "NONE"], HARMLESS),  # nothing is made of it
        "only_called_class": (reduce(helper, victim("Colour"), builtin["object"], "NONE"), FORBIDDEN),
    }
    for name, (program, expected) in programs.items():
        yield attack(f"reconstructor_{name}", why, pickled(4, program), policy=VICTIMS, expected=expected)
    old = [("GLOBAL", "copy_reg", "_reconstructor"), ("GLOBAL", MODULE, "Plain"), ("GLOBAL", MODULE, "Plain"), "NONE",
           "TUPLE3", "REDUCE"]
    yield attack("reconstructor_in_python_2", why, pickled(2, old), policy=VICTIMS, expected=FORBIDDEN)
    for name, cls, base, state in (
        ("wrong_kind", "ListBag", "dict", literal({})), ("object_for_a_list", "ListBag", "object", "NONE"),
        ("list_for_a_plain_class", "Plain", "list", literal([1])), ("text_for_a_tuple", "Pair", "str", text("x")),
    ):
        yield attack(f"reconstructor_{name}", "the base is not what the class is made of, so its __init__ would run",
                     pickled(4, reduce(helper, victim(cls), glob("builtins", base), state)), policy=VICTIMS,
                     expected=("ReconstructionError", "Forbidden"), runtime_only=True)


def _newobj_helpers() -> Iterator[Attack]:
    plain, unlisted = victim("Plain"), victim("NotPlain")
    new, new_ex, partial = glob("copyreg", "__newobj__"), glob("copyreg", "__newobj_ex__"), glob("functools", "partial")
    wrong = ("Forbidden", "MalformedStream")
    why = "a helper that makes an instance of the class it is given"
    programs: dict[str, tuple[Step, tuple[str, ...]]] = {
        "newobj_of_an_unlisted_class": (reduce(new, unlisted), FORBIDDEN),
        "newobj_of_a_function": (reduce(new, victim("record")), FORBIDDEN),
        "newobj_of_a_result": (reduce(new, reduce(victim("the_class"))), FORBIDDEN),
        "newobj_of_nothing": (reduce(new), wrong),
        "newobj_of_a_text": (reduce(new, text("Plain")), wrong),
        "newobj_as_a_value": (new, FORBIDDEN),
        "newobj_ex_of_an_unlisted_class": (reduce(new_ex, unlisted, "EMPTY_TUPLE", "EMPTY_DICT"), FORBIDDEN),
        "newobj_ex_keywords_no_dict": (reduce(new_ex, plain, "EMPTY_TUPLE", "NONE"), wrong),
        "newobj_ex_arguments_no_tuple": (reduce(new_ex, plain, "EMPTY_LIST", "EMPTY_DICT"), wrong),
        "newobj_ex_too_few": (reduce(new_ex, plain), wrong),
        "newobj_ex_as_a_value": (list_of(new_ex), FORBIDDEN),
        "partial_of_a_listed_function": (reduce(partial, victim("record")), FORBIDDEN),
        "partial_of_an_unlisted_function": (reduce(reduce(partial, victim("canary"))), FORBIDDEN),
        "partial_of_a_class": (reduce(reduce(partial, plain)), FORBIDDEN),
        "partial_of_new_with_another_class": (
            reduce(reduce(partial, getattr_(plain, text("__new__")), victim("Frozen"))), FORBIDDEN),
        "partial_of_new_with_an_unlisted_class": (
            reduce(reduce(partial, getattr_(unlisted, text("__new__")), unlisted)), FORBIDDEN),
        "partial_of_new_never_called": (reduce(partial, getattr_(plain, text("__new__")), plain), FORBIDDEN),
        "partial_of_new_called_with_arguments": (
            reduce(reduce(partial, getattr_(plain, text("__new__")), plain), text("x")), wrong),
        "partial_of_init": (reduce(reduce(partial, getattr_(plain, text("__init__")), newobj(plain))), FORBIDDEN),
        "partial_given_state": (build(
            reduce(partial, getattr_(plain, text("__new__")), plain),
            tuple_of(victim("canary"), "EMPTY_TUPLE", "EMPTY_DICT", "NONE")), FORBIDDEN),
        "partial_given_state_and_called": (reduce(build(
            reduce(partial, victim("harmless")), tuple_of(victim("record"), "EMPTY_TUPLE", "EMPTY_DICT", "NONE"))),
            FORBIDDEN),
        "partial_as_a_value": (partial, FORBIDDEN),
        "new_as_a_value": (getattr_(plain, text("__new__")), FORBIDDEN),
        "new_called": (reduce(getattr_(plain, text("__new__")), plain), FORBIDDEN),
        "partial_kept_as_an_argument": (
            reduce(victim("keep"), reduce(partial, getattr_(plain, text("__new__")), plain)), FORBIDDEN),
    }
    for name, (program, expected) in programs.items():
        yield attack(name, why, pickled(4, program), policy=VICTIMS, expected=expected,
                     live="runs" if name in {"partial_of_an_unlisted_function",
                         "partial_given_state_and_called"} else "")


def _codecs() -> Iterator[Attack]:
    encode = glob("_codecs", "encode")
    why = "`_codecs.encode` is a way to spell bytes, and a door to every codec"
    wrong = ("Forbidden", "MalformedStream")
    for codec in ("rot13", "zip", "bz2", "hex", "base64", "idna", "punycode", "utf-16", "utf-7", "unicode_escape",
                  "no_such_codec", "latin1\0", "tests.tripwire", "..tests"):
        label = codec.replace("\0", "_nul").replace(".", "_").replace("-", "_")
        yield attack(f"encode_with_{label}", why, pickled(4, reduce(encode, text("x"), text(codec))),
            expected=FORBIDDEN)
    programs: dict[str, tuple[Step, tuple[str, ...]]] = {
        "computed_codec": (reduce(encode, text("x"), reduce(encode, text("x"), text("latin1"))), FORBIDDEN),
        "with_errors": (reduce(encode, text("\u20ac"), text("latin1"), text("backslashreplace")), FORBIDDEN),
        "no_codec": (reduce(encode, text("x")), FORBIDDEN),
        "bytes_to_encode": (reduce(encode, literal(b"x"), text("latin1")), FORBIDDEN),
        "list_to_encode": (reduce(encode, literal([1]), text("latin1")), FORBIDDEN),
        "not_in_latin1": (reduce(encode, text("\u20ac"), text("latin1")), (*wrong, "ReconstructionError")),
        "as_a_value": (encode, FORBIDDEN),
        "decode": (reduce(glob("_codecs", "decode"), literal(b"x"), text("rot13")), FORBIDDEN),
        "codecs_encode": (reduce(glob("codecs", "encode"), text("x"), text("latin1")), FORBIDDEN),
        "lookup": (reduce(glob("_codecs", "lookup"), text("latin1")), FORBIDDEN),
        "register": (reduce(glob("_codecs", "register"), glob("builtins", "str")), FORBIDDEN),
        "arguments_are_a_list": ([encode, list_of(text("x"), text("latin1")), "REDUCE"], MALFORMED),
        "newobj": (newobj(encode, text("x"), text("latin1")), FORBIDDEN),
    }
    for name, (program, expected) in programs.items():
        yield attack(f"encode_{name}", why, pickled(4, program), expected=expected,
                     runtime_only=name == "not_in_latin1")
    yield attack("encode_of_a_text_subclass", why, pickled(
        4, reduce(encode, newobj(victim("TextBag"), text("x")), text("latin1"))), policy=VICTIMS, expected=FORBIDDEN)


def _getattrs() -> Iterator[Attack]:
    plain, made = victim("Plain"), newobj(victim("Plain"))
    helper = glob("builtins", "getattr")
    why = "getattr is understood as a reference to a listed name and must not be anything more"
    wrong = ("Forbidden", "MalformedStream")
    programs: dict[str, tuple[Step, tuple[str, ...]]] = {
        "of_an_unlisted_method": (getattr_(made, text("__init__")), FORBIDDEN),
        "with_a_dunder_name": (getattr_(plain, text("__subclasses__")), FORBIDDEN),
        "with_globals": (getattr_(getattr_(plain, text("method")), text("__globals__")), FORBIDDEN),
        "with_a_computed_name": (getattr_(made, reduce(victim("harmless"))), FORBIDDEN),
        "with_a_subclass_name": (getattr_(made, newobj(victim("TextBag"), text("method"))), FORBIDDEN),
        "with_a_bytes_name": (getattr_(made, literal(b"method")), wrong),
        "with_a_dotted_name": (getattr_(made, text("method.__globals__")), FORBIDDEN),
        "with_an_empty_name": (getattr_(made, text("")), FORBIDDEN),
        "with_a_default": (reduce(helper, made, text("method"), "NONE"), FORBIDDEN),
        "with_one_argument": (reduce(helper, made), wrong),
        "of_a_result": (getattr_(reduce(victim("shared_list")), text("append")), FORBIDDEN),
        "of_the_module": (getattr_(reduce(victim("the_module")), text("canary")), FORBIDDEN),
        "of_an_unlisted_global": (getattr_(victim("NotPlain"), text("limit")), FORBIDDEN),
        "of_a_function": (getattr_(victim("record"), text("__globals__")), FORBIDDEN),
        "of_a_listed_value": (getattr_(victim("SHARED_LIST"), text("append")), FORBIDDEN),
        "of_a_listed_instance": (getattr_(victim("INSTANCE"), text("method")), FORBIDDEN),
        "of_a_text": (reduce(getattr_(text("{0.__class__}"), text("format")), "NONE"), FORBIDDEN),
        "of_a_list": (getattr_(literal([]), text("append")), FORBIDDEN),
        "of_a_dict": (getattr_(literal({}), text("update")), FORBIDDEN),
        "of_a_tuple": (getattr_(literal(()), text("__class__")), FORBIDDEN),
        "of_bytes": (getattr_(literal(b"x"), text("decode")), FORBIDDEN),
        "of_none": (getattr_("NONE", text("__class__")), FORBIDDEN),
        "of_a_built_in_class": (getattr_(glob("builtins", "object"), text("__subclasses__")), FORBIDDEN),
        "as_a_value": (helper, FORBIDDEN),
        "of_getattr": (getattr_(helper, text("__self__")), FORBIDDEN),
        "as_an_argument": (reduce(victim("keep"), helper), FORBIDDEN),
        "by_newobj": (newobj(helper, made, text("method")), FORBIDDEN),
        "result_built": (build(getattr_(made, text("make")), fields(x="NONE")), FORBIDDEN),
        "chain_to_an_unlisted_name": (getattr_(getattr_(plain, text("Nested")), text("__init__")), FORBIDDEN),
        "class_attribute": (getattr_(plain, text("limit")), FORBIDDEN),
        "result_newobj": (newobj(getattr_(plain, text("method"))), FORBIDDEN),
        "mro": (getattr_(plain, text("mro")), FORBIDDEN),
    }
    for name, (program, expected) in programs.items():
        yield attack(f"getattr_{name}", why, pickled(4, program), policy=METHODS, expected=expected)
    yield attack("getattr_of_a_persistent_object", why, pickled(
        4, getattr_([literal(("storage", 0)), "BINPERSID"], text("method"))), policy=PERSISTENT,
        setup="persistent_load", entry_points=("Unpickler", "scan"), expected=FORBIDDEN)


def late_changes() -> Iterator[Attack]:
    """What is checked first and changed afterwards, through the memo."""
    why = "what was checked is changed through the memo before anybody uses it"

    def kept(tag: str, value: Step, *later: Step) -> bytes:
        return pickled(4, reduce(victim("keep"), text(tag), [value, put(0)]), "POP", get(0), *later)

    streams: dict[str, bytes] = {
        "list_append": kept("list", "EMPTY_LIST", text("x"), "APPEND"),
        "list_appends": kept("list", "EMPTY_LIST", "MARK", ("BININT1", 1), text("x"), "APPENDS"),
        "list_that_had_items": kept("list", list_of(("BININT1", 1)), text("x"), "APPEND"),
        "list_made_by_list": kept("list", ["MARK", ("BININT1", 1), "LIST"], text("x"), "APPEND"),
        "dict_setitem": kept("dict", "EMPTY_DICT", text("x"), text("y"), "SETITEM"),
        "dict_setitems": kept("dict", "EMPTY_DICT", "MARK", ("BININT1", 1), ("BININT1", 1), "SETITEMS"),
        "dict_overwritten": kept("dict", dict_of((text("x"), ("BININT1", 1))), text("x"), "NONE", "SETITEM"),
        "dict_made_by_dict": kept("dict", ["MARK", "DICT"], text("x"), text("y"), "SETITEM"),
        "set_additems": kept("set", "EMPTY_SET", "MARK", text("x"), "ADDITEMS"),
        "fields_setitem": kept("fields", dict_of((text("x"), ("BININT1", 1))), text("z"), "NONE", "SETITEM"),
        "fields_overwritten": kept("fields", dict_of((text("x"), ("BININT1", 1))), text("x"), text("no"), "SETITEM"),
        "length_grown": kept("short", list_of("NONE", "NONE"), "NONE", "APPEND"),
        "list_holds_a_global_later": kept("list", "EMPTY_LIST", victim("Plain"), "APPEND"),
        "inner_list": pickled(4, "EMPTY_LIST", put(1), "POP", reduce(
            victim("keep"), text("lists"), list_of(get(1))), "POP", get(1), text("x"), "APPEND"),
        "list_inside_a_tuple": pickled(4, "EMPTY_LIST", put(1), "POP", reduce(
            victim("keep"), text("tuple"), tuple_of(get(1))), "POP", get(1), text("x"), "APPEND"),
        "list_under_two_indexes": pickled(4, "EMPTY_LIST", put(1), put(2), "POP", reduce(
            victim("keep"), text("list"), get(1)), "POP", get(2), text("x"), "APPEND"),
        "list_left_on_the_stack": pickled(4, "EMPTY_LIST", "DUP", put(1), "POP", reduce(
            victim("keep"), text("list"), get(1)), "POP", text("x"), "APPEND"),
        "list_that_holds_itself": kept("lists", "EMPTY_LIST", get(0), "APPEND"),
        "list_within_another_later": pickled(4, "EMPTY_LIST", put(0), "POP", "EMPTY_LIST", put(1), "POP", reduce(
            victim("keep"), text("lists"), get(0)), "POP", get(0), get(1), "APPEND", "POP", get(1), text("x"),
            "APPEND"),
        "state_dict": pickled(4, newobj(victim("WithSetState")), dict_of((text("x"), ("BININT1", 1))), put(0), "BUILD",
                              "POP", get(0), text("y"), "NONE", "SETITEM"),
        "state_field": pickled(4, newobj(victim("WithSetState")), dict_of((text("x"), ("BININT1", 1))), put(0), "BUILD",
                               "POP", get(0), text("x"), victim("Plain"), "SETITEM"),
        "state_adopted": pickled(4, newobj(victim("Adopting")), dict_of((text("items"), list_of())), put(0), "BUILD",
                                 "POP", get(0), text("append"), victim("Plain"), "SETITEM"),
        "list_inside_the_state": pickled(4, "EMPTY_LIST", put(1), "POP", build(
            newobj(victim("Adopting")), dict_of((text("items"), get(1)))), "POP", get(1), text("x"), "APPEND"),
        "attributes_by_slots_later": pickled(4, newobj(victim("Slotted")), dict_of((text("a"), "NONE")), put(0), "POP",
                                             tuple_of("NONE", get(0)), put(1), "POP", get(0), text("b"), "NONE",
                                             "SETITEM", "POP", get(1), "BUILD"),
    }
    new = getattr_(victim("Frozen"), text("__new__"))
    streams["keywords_of_a_partial"] = pickled(
        4, new, put(6), "POP", build(reduce(glob("functools", "partial"), get(6)), tuple_of(
            get(6), tuple_of(victim("Frozen")), [fields(a=("BININT1", 1)), put(0)], "NONE")), put(1), "POP",
        get(0), text("b"), "NONE", "SETITEM", "POP", reduce(get(1)))
    streams["keywords_setitem"] = pickled(
        4, victim("Frozen"), "EMPTY_TUPLE", fields(a=("BININT1", 1)), put(0), "NEWOBJ_EX", "POP", get(0), text("b"),
        "NONE", "SETITEM")
    for name, stream in streams.items():
        yield attack(name, why, stream, policy=PATTERNS, expected=FORBIDDEN)
    unseen = "what the stream does not spell out matches no pattern but `any`"

    def some(members: Step) -> Step:
        return reduce(victim("keep"), text("some"), members)

    for name, program in {
        "result_for_a_list": reduce(victim("keep"), text("list"), reduce(victim("keep"), text("list"), literal([1]))),
        "result_for_a_word": reduce(victim("keep"), text("word"), reduce(victim("harmless"))),
        "subclass_for_a_dict": reduce(victim("keep"), text("dict"), newobj(victim("DictBag"))),
        "subclass_for_a_word": reduce(victim("keep"), text("word"), newobj(victim("TextBag"), text("abc"))),
        "subclass_for_the_tag": reduce(victim("keep"), newobj(victim("TextBag"), text("list")), literal([1])),
        "tag_left_out": reduce(victim("keep"), literal([1])),
        "too_many_arguments": reduce(victim("keep"), text("list"), literal([1]), "NONE"),
        "bool_for_an_int": reduce(victim("keep"), text("small"), "NEWTRUE"),
        "int_out_of_range": reduce(victim("keep"), text("small"), literal(41)),
        "float_for_an_int": reduce(victim("keep"), text("small"), ("BINFLOAT", 5.0)),
        "word_with_a_newline": reduce(victim("keep"), text("word"), text("abc\n")),
        "word_with_more": reduce(victim("keep"), text("word"), text("abcd")),
        "word_in_another_script": reduce(victim("keep"), text("word"), text("\u0430bc")),
        "another_class": reduce(victim("keep"), text("class"), victim("Frozen")),
        "instance_for_the_class": reduce(victim("keep"), text("class"), newobj(victim("Plain"))),
        "class_for_the_instance": reduce(victim("keep"), text("object"), victim("Plain")),
        "another_instance": reduce(victim("keep"), text("object"), newobj(victim("Slotted"))),
        "arguments_for_a_call_without": reduce(victim("harmless"), "NONE"),
        "arguments_for_new": newobj(victim("Plain"), "NONE"),
        "keywords_not_listed": [victim("Frozen"), "EMPTY_TUPLE", fields(b=("BININT1", 1)), "NEWOBJ_EX"],
        "keywords_of_another_kind": [victim("Frozen"), "EMPTY_TUPLE", fields(a=text("x")), "NEWOBJ_EX"],
        "state_of_another_shape": build(newobj(victim("WithSetState")), fields(z="NONE")),
        "state_without_a_field": build(newobj(victim("WithSetState")), fields(note=text("x"))),
        "state_by_a_call": build(newobj(victim("WithSetState")), reduce(victim("the_pairs"))),
        "state_of_a_subclass": build(newobj(victim("WithSetState")), newobj(victim("DictBag"))),
        "state_as_slots": build(newobj(victim("WithSetState")), slots(x=("BININT1", 1))),
        "state_none": build(newobj(victim("WithSetState")), "NONE"),
        "members_that_are_equal": some(set_of(("BININT1", 1), "NEWTRUE", ("BINFLOAT", 1.0))),
        "members_of_a_call_that_are_equal": some(reduce(glob("builtins", "set"), literal([0, False]))),
        "members_that_new_ignores": some(newobj(glob("builtins", "set"), literal([1, 2]))),
        "members_of_a_list_that_grew": ["EMPTY_LIST", put(0), "POP", reduce(glob("builtins", "set"), get(0)), put(1),
            "POP", get(0), "MARK", ("BININT1", 1), ("BININT1", 2), "APPENDS", "POP", some(get(1))],
    }.items():
        yield attack(f"evaded_by_{name}", unseen, pickled(4, program), policy=PATTERNS, expected=FORBIDDEN)
    yield from _filled()


def _filled() -> Iterator[Attack]:
    """What is put into an object, after which anybody may find it there."""
    bag, fresh = newobj(victim("DictBag")), reduce(glob("collections", "OrderedDict"))
    one, evil = ("BININT1", 1), victim("Plain")
    item = [text("a"), one]
    put_in = "what is put into an object is not what the policy says"
    for name, program in {
        "by_setitem": [bag, text("a"), evil, "SETITEM"],
        "by_setitems": [bag, "MARK", *item, text("b"), evil, "SETITEMS"],
        "by_append": [newobj(victim("ListBag")), evil, "APPEND"],
        "by_appends": [newobj(victim("ListBag")), "MARK", list_of(), evil, "APPENDS"],
        "by_additems": [newobj(victim("SetBag")), "MARK", one, text("x"), "ADDITEMS"],
        "as_a_list": [bag, text("a"), "APPEND"],
        "as_a_list_of_one_pair": [bag, "MARK", *item, "APPENDS"],
        "as_a_set": [bag, "MARK", "ADDITEMS"],
        "by_another_key": [bag, evil, one, "SETITEM"],
        "by_a_computed_key": [bag, newobj(victim("Plain")), one, "SETITEM"],
        "by_the_second_opcode": [bag, *item, "SETITEM", "MARK", text("b"), evil, "SETITEMS"],
        "and_overwritten": [bag, text("a"), evil, "SETITEM", *item, "SETITEM"],
        "through_the_memo": [bag, put(0), *item, "SETITEM", "POP", get(0), text("b"), evil, "SETITEM"],
        "through_a_copy_on_the_stack": [bag, "DUP", *item, "SETITEM", "POP", text("b"), evil, "SETITEM"],
        "once_it_was_handed_over": [bag, put(0), "POP", reduce(victim("keep"), text("hold"), get(0)), "POP", get(0),
            text("a"), evil, "SETITEM"],
        "once_it_was_built": [build(bag, fields(x=one)), text("a"), evil, "SETITEM"],
        "into_what_it_holds": [bag, text("a"), [list_of(one), put(1)], "SETITEM", "POP", get(1), evil, "APPEND"],
        "into_what_it_holds_by_now": ["EMPTY_LIST", put(1), "POP", bag, "MARK", text("a"), get(1), "SETITEMS", "POP",
            get(1), "MARK", text("x"), "APPENDS"],
        "into_what_a_list_holds": [newobj(victim("ListBag")), list_of(), put(1), "APPEND", "POP", get(1), evil,
            "APPEND"],
        "within_itself": [bag, put(0), text("a"), get(0), "SETITEM"],
        "within_a_tuple": [newobj(victim("SetBag")), "MARK", tuple_of(one, text("x")), "ADDITEMS"],
        "made_by_reconstructor": [reduce(glob("copyreg", "_reconstructor"), victim("DictBag"), glob("builtins", "dict"),
            "EMPTY_DICT"), text("a"), evil, "SETITEM"],
        "made_by_newobj_ex": [victim("DictBag"), "EMPTY_TUPLE", "EMPTY_DICT", "NEWOBJ_EX", text("a"), evil, "SETITEM"],
    }.items():
        yield attack(f"filled_{name}", put_in, pickled(4, program), policy=FILLS, expected=FORBIDDEN)

    def kept(tag: str, *value: Step) -> Step:
        return reduce(victim("keep"), text(tag), [*value])

    held = "what was put into an object is not what the policy says of it where it is used"
    for name, program in {
        "not_empty": kept("empty", fresh, *item, "SETITEM"),
        "not_empty_for_long": [kept("empty", fresh, put(0)), "POP", get(0), *item, "SETITEM"],
        "changed_by_no_items": [kept("empty", fresh, put(0)), "POP", get(0), "MARK", "SETITEMS"],
        "not_empty_on_the_stack": [fresh, "DUP", put(0), "POP", kept("empty", get(0)), "POP", *item, "SETITEM"],
        "not_empty_in_a_state": [build(newobj(victim("Slotted")), tuple_of("NONE", fields(a=[fresh, put(0)]))), "POP",
            get(0), *item, "SETITEM"],
        "not_empty_before_the_state": build(newobj(victim("Slotted")), tuple_of("NONE", fields(
            a=[fresh, *item, "SETITEM"]))),
        "not_empty_by_its_arguments": kept("empty", reduce(glob("collections", "OrderedDict"), list_of(
            tuple_of(*item)))),
        "not_empty_by_a_list_that_was": [list_of(), put(0), "POP", kept("empty", reduce(
            glob("collections", "OrderedDict"), get(0))), "POP", get(0), tuple_of(*item), "APPEND"],
        "other_items": kept("numbers", fresh, *item, "SETITEM", text("b"), evil, "SETITEM"),
        "other_items_later": [kept("numbers", fresh, put(0), *item, "SETITEM"), "POP", get(0), text("b"), evil,
            "SETITEM"],
        "items_as_a_list": kept("numbers", fresh, "MARK", *item, "APPENDS"),
        "items_both_ways": kept("numbers", fresh, *item, "SETITEM", "MARK", "APPENDS"),
        "items_both_ways_a_dict_at_last": kept("numbers", fresh, "MARK", *item, "APPENDS", text("b"), one, "SETITEM"),
        "a_field_is_missing": kept("bag", bag),
        "a_field_too_many": kept("bag", bag, *item, "SETITEM", text("b"), one, "SETITEM"),
        "a_field_of_another_kind": kept("bag", bag, text("a"), newobj(victim("Plain")), "SETITEM"),
        "with_a_state": kept("bag", build(bag, fields(x=evil)), *item, "SETITEM"),
        "with_a_state_later": [kept("bag", bag, put(0), *item, "SETITEM"), "POP", build(get(0), fields(x=evil))],
        "with_arguments": kept("bag", newobj(victim("DictBag"), dict_of((text("b"), one))), *item, "SETITEM"),
        "with_keywords": kept("bag", victim("DictBag"), "EMPTY_TUPLE", fields(b=one), "NEWOBJ_EX", *item, "SETITEM"),
        "with_a_state_of_its_base": kept("bag", reduce(glob("copyreg", "_reconstructor"), victim("DictBag"), glob(
            "builtins", "dict"), fields(b=one)), *item, "SETITEM"),
        "of_another_class": kept("bag", fresh, *item, "SETITEM"),
        "a_dict": kept("bag", dict_of((text("a"), one))),
        "a_global": kept("empty", glob("collections", "OrderedDict")),
        "changed_though_it_may_be_either": [kept("either", bag, put(0)), "POP", get(0), *item, "SETITEM"],
    }.items():
        yield attack(f"holds_{name}", held, pickled(4, program), policy=FILLS, expected=FORBIDDEN)


def half_made_objects() -> Iterator[Attack]:
    """Objects without their state, where the policy says that they are not to be left so."""
    why = "C code trusts that an object got its state"
    plain = victim("Plain")
    for name, program in {
        "newobj": newobj(plain),
        "called": reduce(plain),
        "inst": ["MARK", ("INST", MODULE, "Plain")],
        "obj": ["MARK", plain, "OBJ"],
        "newobj_ex": [plain, "EMPTY_TUPLE", "EMPTY_DICT", "NEWOBJ_EX"],
        "reconstructed": reduce(glob("copyreg", "_reconstructor"), plain, glob("builtins", "object"), "NONE"),
        "in_a_list": list_of(newobj(plain)),
        "one_of_two": list_of(build(newobj(plain), fields(x="NONE")), newobj(plain)),
        "as_an_argument": reduce(victim("keep"), newobj(plain)),
        "as_the_state_of_another": build(newobj(plain), fields(other=newobj(plain))),
        "only_in_the_memo": [newobj(plain), put(0), "POP", reduce(victim("keep"), get(0)), "POP", "NONE"],
        "filled_and_not_built": [newobj(victim("ListBag")), "NONE", "APPEND"],
        "filled_with_many_and_not_built": [newobj(victim("ListBag")), "MARK", "NONE", "APPENDS"],
        "as_a_dict_key": dict_of((newobj(plain), "NONE")),
        "built_with_none": build(newobj(plain), "NONE"),
    }.items():
        yield attack(name, why, pickled(4, program), policy=BUILT, expected=FORBIDDEN)


# --- Cost ------------------------------------------------------------------------------------------------------------
def copy_amplification() -> Iterator[Attack]:
    """Something long, memoised, and handed to calls over and over."""
    why = "a memoised payload is copied by each of many short calls"
    long_text, long_bytes = text("x" * 16_384), literal(b"x" * 16_384)

    def repeated(payload: Step, *each: Step, times: int = 600, before: Step = b"") -> bytes:
        once = asm(*each)
        return asm(("PROTO", 5), payload, put(0), "POP", before, "MARK") + once * times + asm(
            "LIST", "STOP")

    encode = [glob("_codecs", "encode"), put(1), text("latin1"), put(2), "POP", "POP"]
    yield attack("encoded", why, repeated(long_text, get(1), get(0), get(2), "TUPLE2", "REDUCE", before=encode),
                 expected=LIMIT)
    copied = [get(1), get(0), "TUPLE1", "REDUCE"]
    yield attack("bytearray", why, repeated(
        long_bytes, *copied, before=[glob("builtins", "bytearray"), put(1), "POP"]), expected=LIMIT)
    items = list_of(*["NONE"] * 16_384)
    yield attack("set_of_a_list", why, repeated(
        items, *copied, before=[glob("builtins", "set"), put(1), "POP"]), expected=LIMIT, entry_points=QUICK)
    yield attack("frozenset_of_a_list", why, repeated(
        items, *copied, before=[glob("builtins", "frozenset"), put(1), "POP"]), expected=LIMIT, entry_points=QUICK)
    yield attack("listed_call_of_a_list", why, repeated(
        items, *copied, before=[victim("keep"), put(1), "POP"]), policy=VICTIMS, expected=LIMIT)
    yield attack("listed_call_of_a_tuple_of_texts", why, repeated(
        tuple_of(long_text), *copied, before=[victim("keep"), put(1), "POP"]), policy=VICTIMS,
        expected=HARMLESS)  # one reference, sixteen kilobytes that nobody copies
    yield attack("newobj_of_a_text_subclass", why, repeated(
        long_text, get(1), get(0), "TUPLE1", "NEWOBJ", before=[victim("TextBag"), put(1), "POP"]), policy=VICTIMS,
        expected=LIMIT)
    yield attack("array_of_a_list", why, repeated(
        list_of(*[("BININT1", 1)] * 8_192), get(1), get(2), get(0), "TUPLE2", "REDUCE", before=[
            glob("array", "array"), put(1), "POP", text("B"), put(2), "POP"]), policy=STDLIB, expected=LIMIT)
    many = tuple_of(*["NONE"] * 16_384)
    yield attack("newobj_of_many_arguments", "the tuple of arguments is copied for each call", repeated(
        many, get(1), get(0), "NEWOBJ", before=[victim("Plain"), put(1), "POP"]), policy=VICTIMS, expected=LIMIT)
    yield attack("listed_call_of_many_arguments", "the tuple of arguments is copied for each call", repeated(
        many, get(1), get(0), "REDUCE", before=[victim("keep"), put(1), "POP"]), policy=VICTIMS, expected=LIMIT)
    state = dict_of(*((text(f"k{index}"), "NONE") for index in range(2048)))
    yield attack("built_from_one_state", why, repeated(
        state, get(1), "EMPTY_TUPLE", "NEWOBJ", get(0), "BUILD", times=2000, before=[victim("Plain"), put(1), "POP"]),
        policy=VICTIMS, expected=LIMIT)
    yield attack("built_from_one_slot_state", why, repeated(
        tuple_of("NONE", state), get(1), "EMPTY_TUPLE", "NEWOBJ", get(0), "BUILD", times=2000,
        before=[victim("Plain"), put(1), "POP"]), policy=VICTIMS, expected=LIMIT)
    yield attack("reconstructed_from_one_list", why, repeated(
        items, get(1), get(2), get(3), get(0), "TUPLE3", "REDUCE", before=[
            glob("copyreg", "_reconstructor"), put(1), victim("ListBag"), put(2), glob("builtins", "list"), put(3),
            "POP", "POP", "POP"]), policy=VICTIMS, expected=LIMIT)
    yield attack("inst_of_many_arguments", "the arguments are the stream's own bytes, so this is paid for", pickled(
        0, "MARK", *[("INT", 1)] * 2000, ("INST", MODULE, "Plain")), policy=VICTIMS, expected=HARMLESS)
    yield attack("keywords_given_again_and_again", why, repeated(
        state, get(1), "EMPTY_TUPLE", get(0), "NEWOBJ_EX", times=2000, before=[victim("Plain"), put(1), "POP"]),
        policy=VICTIMS, expected=LIMIT)


def hostile_arguments() -> Iterator[Attack]:
    """Built-in types, with arguments that make them expensive or give them another meaning."""
    huge = literal(10**11)
    span = reduce(glob("builtins", "range"), huge)
    why = "a built-in type allocates what a number tells it to"
    for name, module, function, arguments in (
        ("bytearray_of_a_number", "builtins", "bytearray", [huge]),
        ("bytearray_of_a_small_number", "builtins", "bytearray", [literal(10**6)]),
        ("bytearray_of_a_range", "builtins", "bytearray", [span]),
        ("bytearray_of_a_text_and_codec", "builtins", "bytearray", [text("x"), text("zip")]),
        ("bytearray_of_a_text_and_rot13", "builtins", "bytearray", [text("x"), text("rot13")]),
        ("bytes_of_a_number", "builtins", "bytes", [huge]),
        ("bytes_of_a_range", "builtins", "bytes", [span]),
        ("set_of_a_range", "builtins", "set", [span]),
        ("frozenset_of_a_range", "builtins", "frozenset", [span]),
        ("list_of_a_range", "builtins", "list", [span]),
        ("tuple_of_a_range", "builtins", "tuple", [span]),
        ("list_called", "builtins", "list", [literal([1])]),
        ("dict_called", "builtins", "dict", [literal({})]),
        ("str_of_bytes", "builtins", "str", [literal(b"x"), text("rot13")]),
        ("str_of_a_number", "builtins", "str", [literal(10**40)]),
        ("int_of_a_text", "builtins", "int", [text("9" * 5000)]),
        ("float_of_a_text", "builtins", "float", [text("1e5")]),
        ("complex_of_a_text", "builtins", "complex", [text("1+1j")]),
        ("complex_of_three", "builtins", "complex", [literal(1.0)] * 3),
        ("type_of_three", "builtins", "type", [text("New"), tuple_of(), dict_of()]),
        ("type_of_a_list", "builtins", "type", [literal([])]),
        ("type_of_a_class", "builtins", "type", [glob("builtins", "object")]),
        ("object_called", "builtins", "object", []),
        ("memoryview", "builtins", "memoryview", [literal(b"x")]),
        ("range_of_texts", "builtins", "range", [text("1"), text("2")]),
        ("slice_of_four", "builtins", "slice", ["NONE"] * 4),
        ("ellipsis_as_a_callable", "builtins", "Ellipsis", []),
        ("set_of_a_text", "builtins", "set", [text("abc")]),
        ("set_of_two", "builtins", "set", [literal([1]), literal([2])]),
    ):
        yield attack(name, why, pickled(4, reduce(glob(module, function), *arguments)), expected=(
            "Forbidden", "MalformedStream") if name == "ellipsis_as_a_callable" else FORBIDDEN)
    for name, program in {
        "set_newobj": newobj(glob("builtins", "set")), "int_newobj": newobj(glob("builtins", "int"), text("1")),
        "type_newobj": newobj(glob("builtins", "type"), text("New"), tuple_of(), dict_of()),
        "object_newobj": newobj(glob("builtins", "object")), "list_built": build(glob("builtins", "list"),
            fields(x="NONE")),
        "str_newobj": newobj(glob("builtins", "str"), literal(b"x"), text("rot13")),
        "bytearray_newobj": newobj(glob("builtins", "bytearray"), huge),
        "set_called_then_built": build(reduce(glob("builtins", "set"), literal([1])), fields(x="NONE")),
    }.items():
        yield attack(name, "a built-in type is used in another way than its reduce value does", pickled(4, program),
                     expected=("Forbidden", "MalformedStream"))
    for name, module, function, arguments in (
        ("fraction_of_a_huge_exponent", "fractions", "Fraction", [text("1e400000000")]),
        ("deque_of_a_range", "collections", "deque", [span]),
        ("ordered_dict_of_a_range", "collections", "OrderedDict", [span]),
        ("counter_of_a_range", "collections", "Counter", [span]),
        ("array_of_a_range", "array", "array", [text("d"), span]),
        ("path_that_is_read", "pathlib", "Path.read_bytes", [text("x")]),
    ):
        yield attack(f"stdlib_{name}", why, pickled(4, reduce(glob(module, function), *arguments)), policy=STDLIB,
                     expected=FORBIDDEN)
    stored = [tuple_of(text("storage"), glob("torch", "FloatStorage"), text("0"), text("cpu"), literal(1)), "BINPERSID"]
    hooks = reduce(glob("collections", "OrderedDict"))
    for name, offset, sizes, strides in (
        ("larger_than_its_storage", 0, (10**11,), (1,)), ("behind_its_storage", 10**11, (1,), (1,)),
        ("with_strides_out_of_its_storage", 0, (2,), (10**11,)),
    ):
        numbers = [literal(offset), tuple_of(*map(literal, sizes)), tuple_of(*map(literal, strides))]
        made = reduce(glob("torch._utils", "_rebuild_tensor_v2"), stored, *numbers, literal(False), hooks)
        yield attack(f"torch_tensor_{name}", "torch makes a storage as large as a tensor of it asks for",
                     pickled(2, made), policy="torch", setup="persistent_load", entry_points=("Unpickler", "scan"),
                     expected=FORBIDDEN)
    for policy, module, attribute in (("xgboost", "xgboost.core", "handle"), ("lightgbm", "lightgbm.basic", "_handle")):
        made = build(newobj(glob(module, "Booster")), dict_of((text(attribute), literal(4096))))
        yield attack(f"{policy}_booster_with_a_pointer", "the library frees what this attribute of a booster points to",
                     pickled(2, made), policy=policy, expected=FORBIDDEN)


def trampolines() -> Iterator[Attack]:
    """Functions that load, open, import or evaluate what they are given: listing one lists everything."""
    why = "this callable runs what its arguments say"
    for module, name in (
        ("pickle", "loads"), ("pickle", "Unpickler"), ("_pickle", "loads"), ("marshal", "loads"), ("shelve", "open"),
        ("dbm", "open"), ("io", "open"), ("io", "FileIO"), ("_io", "FileIO"), ("codecs", "open"), ("tempfile",
            "mktemp"),
        ("linecache", "getline"), ("runpy", "run_path"), ("code", "interact"), ("code", "InteractiveInterpreter"),
        ("timeit", "timeit"), ("cProfile", "run"), ("profile", "run"), ("pdb", "run"), ("bdb", "Bdb"), ("trace",
            "Trace"),
        ("doctest", "debug_script"), ("zipimport", "zipimporter"), ("sqlite3", "connect"), ("logging.config",
            "dictConfig"),
        ("logging", "FileHandler"), ("logging.handlers", "SocketHandler"), ("smtplib", "SMTP"), ("urllib.request",
            "urlopen"),
        ("http.client", "HTTPSConnection"), ("multiprocessing.connection", "Client"), ("multiprocessing", "Process"),
        ("asyncio", "create_subprocess_shell"), ("asyncio.subprocess", "create_subprocess_exec"), ("uuid",
            "_get_command_stdout"),
        ("platform", "_syscmd_file"), ("distutils.spawn", "spawn"), ("ensurepip", "_run_pip"), ("venv", "create"),
        ("pathlib", "Path.write_text"), ("pathlib", "Path.unlink"), ("pathlib", "Path.open"), ("random",
            "Random.seed.__globals__"),
        ("decimal", "getcontext"), ("enum", "_make_class_unpicklable"), ("re", "_compile"), ("sre_compile", "compile"),
        ("email.utils", "make_msgid"), ("email.message_from_file", "x"), ("types", "new_class"), ("builtins",
            "type.__call__"),
        ("numpy", "load"), ("numpy", "fromfile"), ("numpy.testing._private.utils", "runstring"),
        ("numpy.f2py.crackfortran", "myeval"),
        ("joblib", "load"), ("joblib.numpy_pickle", "NDArrayWrapper"), ("torch", "load"), ("torch.storage",
            "_load_from_bytes"),
        ("torch.hub", "load"), ("torch.jit.unsupported_tensor_ops", "execWrapper"), ("pandas", "read_pickle"),
        ("pandas", "eval"),
        ("dill", "loads"), ("cloudpickle", "loads"), ("cloudpickle.cloudpickle", "_make_function"), ("pip", "main"),
        ("setuptools", "setup"), ("jinja2", "Template"), ("yaml", "unsafe_load"), ("keras.models", "load_model"),
    ):
        yield attack(f"{module}_{name}".replace(".", "_"), why, pickled(4, reduce(glob(module, name), text("none"))),
                     policy=STDLIB, expected=FORBIDDEN)
    nested = asm(reduce(victim("canary")))
    yield attack("pickle_loads_of_a_payload", why, pickled(
        4, reduce(glob("pickle", "loads"), literal(asm(("PROTO", 4), nested, "STOP")))), policy=STDLIB,
        expected=FORBIDDEN, live="runs")


def memory_bombs() -> Iterator[Attack]:
    """Numbers that ask for memory which the stream never fills."""
    index = "an array that is sized by the index takes gigabytes"
    yield attack("long_binput", index, asm("NONE", ("LONG_BINPUT", 2**32 - 1), "STOP"), expected=LIMIT)
    yield attack("long_binput_signed", index, asm("NONE", ("LONG_BINPUT", 2**31 - 1), "STOP"), expected=LIMIT)
    yield attack("long_binput_halfway", index, asm("NONE", ("LONG_BINPUT", 10**7), "STOP"), expected=LIMIT)
    yield attack("put_text", index, asm("NONE", ("PUT", 10**9), "STOP"), expected=LIMIT)
    yield attack("put_text_beyond_64_bits", index, asm("NONE", ("PUT", 10**30), "STOP"),
                 expected=("LimitExceeded", "MalformedStream"))
    yield attack("put_text_of_many_digits", index, asm("NONE", ("PUT", b"9" * 5000), "STOP"),
                 expected=("LimitExceeded", "MalformedStream"))
    yield attack("put_many_far_ones", "indexes just under the limit, and then beyond it", asm(
        "NONE", *[("LONG_BINPUT", 130_000 + step * 1000) for step in range(40)], "STOP"), expected=LIMIT)
    declared = "memory is taken for a length that is only declared"
    eight = ("BINUNICODE8", "BINBYTES8", "BYTEARRAY8")
    four = ("BINUNICODE", "BINBYTES", "BINSTRING", "LONG4")
    for opcode, length in [*product(eight, (2**62, 2**63, 2**64 - 1, 2**33)), *product(four, (2**31 - 1,)),
                           *product(four[:2], (2**32 - 1,))]:
        yield attack(f"{opcode.lower()}_{length:x}", declared, asm(lying(opcode, length, b"abc"), "STOP"),
                     expected=MALFORMED)
    for opcode in ("SHORT_BINUNICODE", "SHORT_BINBYTES", "SHORT_BINSTRING", "LONG1"):
        yield attack(f"{opcode.lower()}_ff", declared, asm(lying(opcode, 255, b"abc"), "STOP"), expected=MALFORMED)
    for length in (2**62, 2**63, 2**64 - 1, 2**33):
        yield attack(f"frame_{length:x}", declared, asm(("PROTO", 4), lying("FRAME", length, b"N."), "STOP"),
                     expected=MALFORMED)
    yield attack("bytearray8_at_the_very_end", declared, asm(("PROTO", 5), lying("BYTEARRAY8", 2**40)),
                 expected=MALFORMED)
    yield attack("line_without_an_end", "a reader by lines looks for the end of the line", lambda: asm(
        ("PROTO", 4), b"V" + b"x" * 2_000_000), expected=MALFORMED)
    yield attack("many_marks", "each mark is remembered", lambda: b"(" * 15_000 + b"N.", expected=HARMLESS)
    yield attack("many_dups", "each DUP is one reference, paid for with one byte",
        lambda: b"N" + b"2" * 20_000 + b".",
                 expected=HARMLESS)
    yield attack("many_memo_entries", "each entry is paid for with its opcode", lambda: asm(("PROTO", 4), "NONE")
                 + asm("MEMOIZE") * 15_000 + asm("STOP"), expected=HARMLESS)


MERSENNE: Final = 2**61 - 1  # the modulus of the hash of numbers: multiples of it share the hash 0


def _doubled(depth: int, start: Step = "EMPTY_TUPLE") -> Step:
    return [start, *["DUP", "TUPLE2"] * depth]


def _frozen_doubled(depth: int) -> Step:
    level: list[Step] = [put(1), "POP", get(0), get(1), get(1), "TUPLE2", "REDUCE"]
    return [victim("Frozen"), put(0), "POP", "NONE", *level * depth]


def _frozen_doubled_outer_first(depth: int) -> Step:
    """Each instance gets two references to the next one, which has nothing yet when it is handed over."""
    made: Step = [get(0), "EMPTY_TUPLE", "NEWOBJ"]
    program: list[Step] = [victim("Frozen"), put(0), "POP", made, put(1), put(2), "POP"]
    for _ in range(depth):
        program += [made, put(3), "POP", get(2), fields(a=get(3), b=get(3)), "BUILD", "POP", get(3), put(2), "POP"]
    return [*program, get(2), fields(a="NONE", b="NONE"), "BUILD", "POP", get(1)]


def _keyed(keys: list[Step]) -> bytes:
    """A dict with these keys, in batches as pickle writes them."""
    batches: list[Step] = ["EMPTY_DICT"]
    for start in range(0, len(keys), 1000):
        batches += ["MARK", *(half for key in keys[start : start + 1000] for half in (key, "NONE")), "SETITEMS"]
    return pickled(4, *batches)


def _probe_chain(walkers: int) -> list[int]:
    """Ints that CPython's dict of 8,192 slots can only place by walking along a chain of taken slots.

    The dict goes from slot i to 5 * i + hash's next bits + 1.  Small ints take the first 2,731 slots of the orbit
    that has no bits left, and each walker is chosen to join that orbit early.
    """
    mask, orbit, slot = 8191, [], 1
    for _ in range(2731):
        orbit.append(slot)
        slot = (5 * slot + 1) & mask
    early = set(orbit[:900])

    def joins(candidate: int) -> bool:
        place, bits = candidate & mask, candidate
        while bits and place in taken:
            bits >>= 5
            place = (5 * place + bits + 1) & mask
        return not bits and place in early

    taken = set(orbit)
    found = (candidate for candidate in count(8192) if joins(candidate))
    return orbit + list(islice(found, walkers))


def cpu_bombs() -> Iterator[Attack]:
    """Few bytes, endless work: mostly hashing."""
    why = "a tuple holds the one before it twice: hashing it visits 2**60 leaves"
    bomb = _doubled(60)
    for name, program in {
        "doubled_tuple_setitem": ["EMPTY_DICT", bomb, "NONE", "SETITEM"],
        "doubled_tuple_setitems": dict_of((bomb, "NONE")),
        "doubled_tuple_dict": ["MARK", bomb, "NONE", "DICT"],
        "doubled_tuple_additems": set_of(bomb),
        "doubled_tuple_frozenset": ["MARK", bomb, "FROZENSET"],
        "doubled_tuple_in_a_tuple": dict_of((tuple_of(text("x"), bomb), "NONE")),
        "doubled_tuple_memoised": [bomb, put(0), "POP", dict_of((get(0), "NONE"))],
        "doubled_tuple_set_called": reduce(glob("builtins", "set"), list_of(bomb)),
        "doubled_tuple_frozenset_called": reduce(glob("builtins", "frozenset"), list_of(bomb)),
        "doubled_tuple_in_triples": dict_of((["EMPTY_TUPLE", *["DUP", "DUP", "TUPLE3"] * 40], "NONE")),
        "doubled_tuple_as_the_key_of_a_key": dict_of((["MARK", bomb, "FROZENSET"], "NONE")),
        "doubled_tuple_of_marks": ["EMPTY_DICT", "EMPTY_TUPLE", put(0), "POP", *[
            step for _ in range(60) for step in ("MARK", get(0), get(0), "TUPLE", put(0), "POP")], get(0), "NONE",
            "SETITEM"],
    }.items():
        yield attack(name, why, pickled(4, program), expected=LIMIT)
    for name, module, function in (("set", "__builtin__", "set"), ("frozenset", "__builtin__", "frozenset")):
        yield attack(f"doubled_tuple_{name}_in_python_2", why, pickled(
            2, reduce(("GLOBAL", module, function), ["EMPTY_LIST", bomb, "APPEND"])), expected=LIMIT)
    for name, function, argument in (
        ("ordered_dict", "OrderedDict", list_of(tuple_of(bomb, "NONE"))), ("counter", "Counter", list_of(bomb)),
        ("counter_of_a_tuple", "Counter", tuple_of(bomb)),
    ):
        yield attack(f"doubled_tuple_{name}", why, pickled(4, reduce(glob("collections", function), argument)),
                     policy=VICTIMS, expected=LIMIT)
    yield attack("doubled_tuple_in_an_ordered_dict_item", why, pickled(
        4, reduce(glob("collections", "OrderedDict")), bomb, "NONE", "SETITEM"), policy=VICTIMS, expected=LIMIT)
    yield attack("doubled_tuple_in_a_set_subclass", why, pickled(
        4, newobj(victim("SetBag")), "MARK", bomb, "ADDITEMS"), policy=VICTIMS, expected=LIMIT)
    yield attack("doubled_tuple_in_a_dict_subclass", why, pickled(
        4, newobj(victim("DictBag")), bomb, "NONE", "SETITEM"), policy=VICTIMS, expected=LIMIT)
    instances = "a frozen dataclass is hashed by its fields: doubled instances are doubled tuples"
    yield attack("doubled_instances", instances, pickled(4, dict_of((_frozen_doubled(40), "NONE"))), policy=VICTIMS,
                 expected=LIMIT)
    yield attack("doubled_instances_in_a_set", instances, pickled(4, set_of(_frozen_doubled(40))), policy=VICTIMS,
                 expected=LIMIT)
    yield attack("doubled_instances_outer_first", "the state is given before what is in it has grown", pickled(
        4, dict_of((_frozen_doubled_outer_first(40), "NONE"))), policy=VICTIMS, expected=LIMIT)
    yield attack("doubled_instances_by_state", instances, pickled(
        4, dict_of(([victim("Frozen"), put(0), "POP", "NONE", *[
            step for _ in range(40) for step in
            (put(1), "POP", get(0), "EMPTY_TUPLE", "NEWOBJ", fields(a=get(1), b=get(1)), "BUILD")]], "NONE"))),
        policy=VICTIMS, expected=LIMIT)
    yield attack("one_state_judged_again_and_again", "the state grows between the objects that are given it", asm(
        ("PROTO", 4), "EMPTY_DICT", put(0), "POP", victim("Plain"), put(1), "POP", *[
            get(1), "EMPTY_TUPLE", "NEWOBJ", get(0), "BUILD", "POP", get(0), text("bid"), "NONE", "SETITEM",
            "POP"] * 1000, get(0), "STOP"), policy=PATTERNS, expected=("LimitExceeded", "Forbidden"))
    yield from _shared_hashes()
    yield from _long_keys()
    yield from _expansion()


def _shared_hashes() -> Iterator[Attack]:
    why = "keys that share a hash make a dict quadratic"
    multiples: list[Step] = [("LONG1", MERSENNE * factor) for factor in range(1, 1801)]
    yield attack("multiples_of_the_modulus", why, lambda: _keyed(multiples), expected=LIMIT, runtime_only=True)
    yield attack("multiples_of_the_modulus_in_a_set", why, lambda: pickled(4, set_of(*multiples)), expected=LIMIT,
                 runtime_only=True)
    yield attack("multiples_of_the_modulus_in_a_frozenset", why, lambda: pickled(4, "MARK", *multiples, "FROZENSET"),
                 expected=LIMIT, runtime_only=True)
    yield attack("multiples_of_the_modulus_in_a_called_set", why, lambda: pickled(
        4, reduce(glob("builtins", "set"), list_of(*multiples))), expected=LIMIT, runtime_only=True)
    yield attack("multiples_of_the_modulus_by_dict", why, lambda: pickled(
        0, "MARK", *(half for key in multiples for half in (key, "NONE")), "DICT"), expected=LIMIT, runtime_only=True)
    yield attack("multiples_of_the_modulus_one_by_one", why, lambda: pickled(
        0, "EMPTY_DICT", *(step for key in multiples for step in (key, "NONE", "SETITEM"))), expected=LIMIT,
        runtime_only=True)
    yield attack("multiples_of_the_modulus_in_an_ordered_dict", why, lambda: pickled(
        4, reduce(glob("collections", "OrderedDict")), "MARK",
        *(half for key in multiples for half in (key, "NONE")), "SETITEMS"), policy=VICTIMS, expected=LIMIT,
        runtime_only=True)
    yield attack("multiples_of_the_modulus_in_a_counter", why, lambda: pickled(
        4, reduce(glob("collections", "Counter"), list_of(*multiples))), policy=VICTIMS, expected=LIMIT,
        runtime_only=True)
    yield attack("tuples_of_multiples", why, lambda: _keyed([[key, "TUPLE1"] for key in multiples]), expected=LIMIT,
                 runtime_only=True)
    yield attack("tuples_over_minus_one_and_minus_two", "-1 and -2 share a hash, and so do all tuples over them",
                 lambda: asm(("PROTO", 4), ("BININT", -1), put(0), ("BININT", -2), put(1), "POP", "POP", "EMPTY_DICT",
                             *(step for bits in product((0, 1), repeat=11) for step in
                               (tuple_of(*map(get, bits)), "NONE", "SETITEM")), "STOP"),
                 expected=LIMIT, runtime_only=True)
    yield attack("complex_numbers", "hash(re) + 1000003 * hash(im) is 0 for all of these", lambda: asm(
        ("PROTO", 4), glob("builtins", "complex"), put(0), "POP", "EMPTY_DICT",
        *(step for factor in range(1, 1801) for step in (
            get(0), ("BINFLOAT", -1000003.0 * factor), ("BINFLOAT", float(factor)), "TUPLE2", "REDUCE", "NONE",
            "SETITEM")),
        "STOP"), expected=LIMIT, runtime_only=True)
    yield attack("probe_chain", "no two keys share a hash, but each walks along the same chain of taken slots",
                 lambda: _keyed([("BININT", key) for key in _probe_chain(1500)]), expected=LIMIT, runtime_only=True)


def _long_keys() -> Iterator[Attack]:
    why = "a long key is hashed or compared again and again"
    long_text, other = text("x" * 20_000), ("BINUNICODE8", "x" * 20_000)

    def again(first: Step, second: Step, times: int = 500) -> bytes:
        return asm(("PROTO", 4), first, put(0), second, put(1), "POP", "POP", "EMPTY_DICT", get(0), "NONE", "SETITEM",
                   *[get(1), "NONE", "SETITEM"] * times, "STOP")

    yield attack("equal_texts", why, again(long_text, other), expected=LIMIT)
    yield attack("equal_bytes", why, again(literal(b"x" * 20_000), ("BINBYTES8", b"x" * 20_000)), expected=LIMIT)
    yield attack("long_integer", "the hash of an int is computed each time", again(
        ("LONG4", b"\x7f" * 20_000), ("LONG4", b"\x7f" * 20_000), times=3000), expected=LIMIT)
    yield attack("wide_tuple", "the hash of a tuple is computed each time", asm(
        ("PROTO", 4), tuple_of(*["NONE"] * 5000), put(0), "POP", "EMPTY_DICT", *[get(0), "NONE", "SETITEM"] * 3000,
        "STOP"),
        expected=LIMIT)
    yield attack("earlier_load_doubled_tuple", "what an earlier load made is hashed as what this one makes", asm(
        *_doubled(40), put(0), "STOP", "EMPTY_DICT", get(0), "NONE", "SETITEM", "STOP"),
        setup="earlier load", entry_points=("Unpickler",), expected=LIMIT)
    yield attack("wide_tuple_in_sets", "each set hashes its members", asm(
        ("PROTO", 4), tuple_of(*["NONE"] * 5000), put(0), "POP", "MARK",
        *["EMPTY_SET", "MARK", get(0), "ADDITEMS"] * 3000, "LIST", "STOP"), expected=LIMIT)
    yield attack("wide_frozen_instance", "an instance is hashed by its state", asm(
        ("PROTO", 4), newobj(victim("Frozen")), fields(a=tuple_of(*["NONE"] * 5000), b="NONE"), "BUILD", put(0), "POP",
        "EMPTY_DICT", *[get(0), "NONE", "SETITEM"] * 3000, "STOP"), policy=VICTIMS, expected=LIMIT)


def _expansion() -> Iterator[Attack]:
    digits = "decimal text is converted in quadratic time"
    for opcode, suffix in (("INT", b""), ("LONG", b"L")):
        label = opcode.lower()
        yield attack(f"{label}_of_5000_digits", digits, pickled(0, (opcode, b"9" * 5000 + suffix)), expected=LIMIT)
        yield attack(f"{label}_of_5000_negative_digits", digits, pickled(0, (opcode, b"-" + b"9" * 5000 + suffix)),
                     expected=LIMIT)
        yield attack(f"{label}_of_a_million_digits", digits, lambda opcode=opcode,
            suffix=suffix: pickled(  # type: ignore[misc]  # bound now
            0, (opcode, b"9" * 1_000_000 + suffix)), expected=LIMIT)
    yield attack("float_of_a_million_digits", "linear, but it must be", lambda: pickled(
        0, ("FLOAT", b"9" * 1_000_000 + b".0")), expected=HARMLESS)
    laughs = "shared structure is small in memory and endless when it is printed, copied or compared"
    level: list[Step] = [put(0), "POP", "EMPTY_LIST", "MARK", *[get(0)] * 10, "APPENDS"]
    yield attack("billion_laughs_in_lists", laughs, pickled(4, text("lol"), *level * 30), expected=HARMLESS)
    yield attack("billion_laughs_in_tuples", laughs, pickled(4, text("lol"), *[
        step for _ in range(30) for step in (put(0), "POP", tuple_of(*[get(0)] * 10))]), expected=HARMLESS)
    yield attack("billion_laughs_as_a_key", laughs, pickled(4, dict_of(([text("lol"), *[
        step for _ in range(30) for step in (put(0), "POP", tuple_of(*[get(0)] * 10))]], "NONE"))), expected=LIMIT)
    yield attack("billion_laughs_in_dicts", laughs, pickled(4, text("lol"), *[
        step for _ in range(60) for step in (put(0), "POP", dict_of((text("a"), get(0)), (text("b"), get(0))))]),
        expected=HARMLESS)


DEEP: Final = 300_000
# They do not crash when they are freed but when they are printed, copied or compared; being just too deep says it all.
NOT_GENERATED: Final = frozenset({
    "lists_outer_first", "dicts_outer_first", "lists_of_tuples_outer_first", "states_outer_first",
})
QUICK: Final = ("loads", "scan")  # for what takes long: the other entry points run the same code
LOADS: Final = ("loads",)  # for what takes seconds
VERY_DEEP: Final = 2_000_000


def crash_bombs() -> Iterator[Attack]:
    """Depth: CPython hashes, compares and frees nested objects by recursion in C."""
    why = "nested so deeply that hashing or freeing it overflows the C stack"
    just_over = 1001
    tuples = asm("TUPLE1")
    for label, depth in (("just_over", just_over), ("deep", DEEP)):
        def as_made(program: Callable[[int], bytes], depth: int = depth) -> bytes | Callable[[], bytes]:
            return program(depth) if depth == just_over else (lambda: program(depth))

        for name, policy, program in (
            ("tuples_as_a_key", PLAIN, lambda n: asm("EMPTY_DICT", "EMPTY_TUPLE", tuples * n, "NONE", "SETITEM",
                "STOP")),
            ("tuples", PLAIN, lambda n: asm("EMPTY_TUPLE", tuples * n, "STOP")),
            ("tuples_by_mark", PLAIN, lambda n: asm(b"(" * n, b"t" * n, "STOP")),
            ("lists", PLAIN, lambda n: asm(b"]" * n, b"a" * (n - 1), "STOP")),
            ("lists_by_mark", PLAIN, lambda n: asm(b"(" * n, b"l" * n, "STOP")),
            ("frozensets", PLAIN, lambda n: asm(("PROTO", 4), b"(" * n, asm("FROZENSET") * n, "STOP")),
            ("dicts", PLAIN, lambda n: asm(asm("EMPTY_DICT", "NONE") * n, "NONE", b"s" * n, "STOP")),
            ("lists_outer_first", PLAIN, lambda n: asm(
                "EMPTY_LIST", put(0), asm("EMPTY_LIST", put(1), "APPEND", "POP", get(1)) * n,
                "POP", get(0), "STOP")),
            ("dicts_outer_first", PLAIN, lambda n: asm(
                "EMPTY_DICT", put(0), asm("NONE", "EMPTY_DICT", put(1), "SETITEM", "POP", get(1)) * n,
                "POP", get(0), "STOP")),
            ("lists_of_tuples_outer_first", PLAIN, lambda n: asm(
                "EMPTY_LIST", put(0), asm("EMPTY_LIST", put(1), b"\x85", "APPEND", "POP", get(1)) * n,
                "POP", get(0), "STOP")),
            ("deques_outer_first", VICTIMS, lambda n: asm(
                ("PROTO", 4), glob("collections", "deque"), put(0), "POP", get(0), "EMPTY_TUPLE", "REDUCE", put(2),
                asm(get(0), "EMPTY_TUPLE", "REDUCE", put(1), "APPEND", "POP", get(1)) * min(n, DEEP // 2),
                "POP", get(2), "STOP")),
            ("deques_of_tuples_outer_first", VICTIMS, lambda n: asm(
                ("PROTO", 4), glob("collections", "deque"), put(0), "POP", get(0), "EMPTY_TUPLE", "REDUCE", put(2),
                asm(get(0), "EMPTY_TUPLE", "REDUCE", put(1), "TUPLE1", "APPEND", "POP", get(1)) * min(n, DEEP // 2),
                "POP", get(2), "STOP")),
            ("default_dicts_outer_first", VICTIMS, lambda n: asm(
                ("PROTO", 4), glob("collections", "defaultdict"), put(0), "POP", get(0), "EMPTY_TUPLE", "REDUCE",
                put(2),
                asm("NONE", get(0), "EMPTY_TUPLE", "REDUCE", put(1), "SETITEM", "POP", get(1)) * min(n, DEEP // 3),
                "POP", get(2), "STOP")),
            ("deques", VICTIMS, lambda n: asm(
                ("PROTO", 4), glob("collections", "deque"), put(0), "POP", "NONE",
                asm(put(1), "POP", get(0), "EMPTY_TUPLE", "REDUCE", get(1), "APPEND") * n, "STOP")),
            ("slices", PLAIN, lambda n: asm(
                ("PROTO", 4), glob("builtins", "slice"), put(0), "POP", "NONE",
                asm(put(1), "POP", get(0), "NONE", "NONE", get(1), "TUPLE3", "REDUCE") * n, "STOP")),
            ("states", VICTIMS, lambda n: asm(
                ("PROTO", 4), victim("Plain"), put(0), "POP", "NONE",
                asm(put(1), "POP", get(0), "EMPTY_TUPLE", "NEWOBJ", "EMPTY_DICT", text("x"), get(1), "SETITEM",
                    "BUILD") * n,
                "STOP")),
            ("states_outer_first", VICTIMS, lambda n: asm(
                ("PROTO", 4), victim("Plain"), put(0), "POP", get(0), "EMPTY_TUPLE", "NEWOBJ", put(2),
                asm("EMPTY_DICT", text("x"), get(0), "EMPTY_TUPLE", "NEWOBJ", put(1), "SETITEM", "BUILD", "POP",
                    get(1)) * n,
                "POP", get(2), "STOP")),
            ("arguments_of_calls", VICTIMS, lambda n: asm(
                ("PROTO", 4), victim("Plain"), put(0), "POP", "NONE",
                asm(put(1), "POP", get(0), get(1), "TUPLE1", "REDUCE") * n, "STOP")),
            ("arguments_of_new", VICTIMS, lambda n: asm(
                ("PROTO", 4), victim("ListBag"), put(0), "POP", "NONE",
                asm(put(1), "POP", get(0), get(1), "TUPLE1", "NEWOBJ") * n, "STOP")),
            ("arguments_of_obj", VICTIMS, lambda n: asm(
                ("PROTO", 4), victim("Plain"), put(0), "POP", "NONE", asm(put(1), "POP", "MARK", get(0), get(1),
                    "OBJ") * n,
                "STOP")),
            ("arguments_of_inst", VICTIMS, lambda n: asm(b"(" * n, "NONE", asm(("INST", MODULE, "Plain")) * n, "STOP")),
            ("filled_instances", VICTIMS, lambda n: asm(
                ("PROTO", 4), victim("ListBag"), put(0), "POP", "NONE",
                asm(put(1), "POP", get(0), "EMPTY_TUPLE", "NEWOBJ", get(1), "APPEND") * n, "STOP")),
            ("keywords", VICTIMS, lambda n: asm(
                ("PROTO", 4), victim("DictBag"), put(0), "POP", "NONE",
                asm(put(1), "POP", get(0), "EMPTY_TUPLE", "EMPTY_DICT", text("x"), get(1), "SETITEM", "NEWOBJ_EX") * n,
                "STOP")),
            ("persistent_ids", PERSISTENT, lambda n: asm(
                ("PROTO", 4), "EMPTY_TUPLE", tuples * n, "BINPERSID", "STOP")),
        ):
            if depth > just_over and name in NOT_GENERATED:
                continue
            persistent = policy == PERSISTENT
            entry_points = ("Unpickler", "scan") if persistent else LOADS if depth > just_over else EVERY_ENTRY
            yield attack(f"{name}_{label}", why, as_made(program), policy=policy,
                         expected=("LimitExceeded", "Forbidden") if persistent else LIMIT,
                         setup="persistent_load" if persistent else "", entry_points=entry_points)
    yield attack("two_million_lists", why, lambda: b"]" * VERY_DEEP + b"a" * (VERY_DEEP - 1) + b".", expected=LIMIT,
                 entry_points=LOADS)
    yield attack("two_million_marks_closed", why, lambda: b"(" * VERY_DEEP + b"t" * VERY_DEEP + b".",
                 expected=LIMIT, entry_points=LOADS)
    yield attack("getattr_chain", "a reference to a reference to a reference", asm(
        ("PROTO", 4), glob("builtins", "getattr"), put(0), "POP", victim("Plain"),
        asm(put(1), "POP", get(0), get(1), text("Nested"), "TUPLE2", "REDUCE") * 3000, "STOP"), policy=VICTIMS,
        expected=("Forbidden", "LimitExceeded"))
    yield attack("cycle_as_a_key", "a tuple that holds a list that holds the tuple", pickled(
        4, "EMPTY_DICT", "EMPTY_LIST", put(0), "POP", tuple_of(get(0)), put(1), "POP", get(0), get(1), "APPEND", "POP",
        get(1), "NONE", "SETITEM"), expected=("MalformedStream", "LimitExceeded"))
    yield attack("cycle_of_frozen_instances_as_a_key", "an instance whose state holds itself is hashed for ever",
        pickled(
        4, newobj(victim("Frozen")), put(0), fields(a=get(0), b="NONE"), "BUILD", "POP", dict_of((get(0), "NONE"))),
        policy=VICTIMS, expected=("LimitExceeded", "ReconstructionError"), runtime_only=True)
    yield attack("cycle_of_frozen_instances_through_a_tuple", "likewise, with a tuple between", pickled(
        4, newobj(victim("Frozen")), put(0), fields(a=tuple_of(get(0)), b="NONE"), "BUILD", "POP",
        dict_of((get(0), "NONE"))), policy=VICTIMS, expected=("LimitExceeded", "ReconstructionError"),
        runtime_only=True)


# --- What is left behind, and who reads it ---------------------------------------------------------------------------
SECRET: Final = "a-secret-of-the-payload"


def resource_leaks() -> Iterator[Attack]:
    """Errors that keep or print the payload, and objects that act when they are thrown away."""
    why = "a refusal must not print what the stream carries"
    secret = text(SECRET)
    wrong = ("MalformedStream", "Forbidden", "ReconstructionError")
    for name, program in {
        "secret_beside_an_unlisted_name": tuple_of(secret, victim("canary")),
        "secret_as_an_argument": reduce(victim("canary"), secret),
        "secret_as_a_bad_number": ("INT", SECRET.encode()),
        "secret_as_a_bad_long": ("LONG", SECRET.encode()),
        "secret_as_a_bad_float": ("FLOAT", SECRET.encode()),
        "secret_as_a_bad_string": ("STRING", SECRET.encode()),
        "secret_as_a_bad_index": ("GET", SECRET.encode()),
        "secret_as_bad_text": ("SHORT_BINUNICODE", SECRET.encode() + b"\xff"),
        "secret_as_a_callable": reduce(secret),
        "secret_given_state": build(secret, fields(x="NONE")),
        "secret_as_arguments": [victim("harmless"), secret, "REDUCE"],
        "secret_in_an_unhashable_key": dict_of((list_of(secret), "NONE")),
        "secret_as_a_persistent_id": [secret, "BINPERSID"],
        "secret_as_a_class": newobj(secret),
        "secret_filled": [secret, secret, "APPEND"],
        "secret_to_the_wrong_codec": reduce(glob("_codecs", "encode"), secret, text("rot13")),
        "secret_as_a_number_for_bytearray": reduce(glob("builtins", "bytearray"), secret, secret),
    }.items():
        yield attack(name, why, pickled(4, program), policy=VICTIMS, expected=wrong)
    yield attack("secret_in_a_pattern", "a pattern that does not match must not print what it saw", pickled(
        4, reduce(victim("keep"), text("word"), secret)), policy=PATTERNS, expected=FORBIDDEN)
    dying = newobj(victim("Dying"))
    yield attack("finalizer_before_a_broken_tail", "an object that acts when it is freed must never be made", asm(
        ("PROTO", 4), dying, "POP", b"\xff."), policy=VICTIMS, expected=MALFORMED, live="runs")
    yield attack("finalizer_before_an_unlisted_name", "an object that acts when it is freed must never be made",
        pickled(
        4, dying, "POP", victim("canary")), policy=VICTIMS, expected=FORBIDDEN, live="runs")
    yield attack("finalizer_in_the_memo", "an object that acts when it is freed must never be made", asm(
        ("PROTO", 4), dying, "MEMOIZE", ("SHORT_BINUNICODE", b"\xff"), "STOP"), policy=VICTIMS, expected=MALFORMED,
        live="runs")


def scanner_as_target() -> Iterator[Attack]:
    """Names that attack whoever reads the report."""
    why = "the name is text of the attacker's in a terminal, a page, a log or a build"
    for label, name in {
        "ansi": "\x1b[2J\x1b[1;32mclean\x1b[0m", "osc": "\x1b]0;title\x07", "bidi": "\u202emetsys\u202c", "html":
        "<script>alert(1)</script>", "attribute": "\" onmouseover=\"alert(1)", "entity": "&lt;b&gt;", "markdown":
        "[x](javascript:alert(1))", "workflow_command": "\n::error::owned", "newline": "a\nPASS b.pkl",
        "carriage_return":
        "a\rclean", "format": "{0.__class__.__init__.__globals__}", "percent": "%s%s%n",
        "json": "\"},{\"verdict\":\"pass\"",
        "nul": "a\0b", "c1": "\x9b2J", "separator": "a\u2028b", "surrogate": "a\udce9b", "tag": "\U000e0041\U000e0042",
        "backspaces": "evil\b\b\b\bgood", "shell": "$(true)`true`", "path": "../../../etc/x", "jinja": "{{7*7}}",
    }.items():
        expected = ("Forbidden", "MalformedStream") if label == "surrogate" else FORBIDDEN
        yield attack(f"name_{label}", why, pickled(4, reduce(glob("evil", name))), expected=expected)
        yield attack(f"module_{label}", why, pickled(4, glob(name, "evil")), expected=expected)
    yield attack("name_of_60000_letters", "a name as long as a book", pickled(4, glob("evil", "x" * 60_000)),
                 expected=("Forbidden", "MalformedStream"))
    yield attack("name_of_60000_dots", "a name of as many parts", pickled(4, glob("evil", "." * 60_000)),
                 expected=("Forbidden", "MalformedStream"))
    yield attack("many_names", "a report that lists every one of these is longer than the file", lambda: asm(
        ("PROTO", 4), "MARK", *(glob("evil", f"name{index}") for index in range(1_500)), "LIST", "STOP"),
        expected=FORBIDDEN)
    yield attack("many_calls_of_one_name", "a report that lists every one of these is longer than the file",
                 lambda: asm(("PROTO", 4), glob("evil", "name"), put(0), "POP", "MARK")
                 + asm(get(0), "EMPTY_TUPLE", "REDUCE") * 3_000 + asm("LIST", "STOP"), expected=FORBIDDEN)
    yield attack("persistent_id_ansi", why, pickled(0, ("PERSID", b"\x1b[2J")), expected=FORBIDDEN)


# fmt: on


CLASSES: Final[tuple[Callable[[], Iterator[Attack]], ...]] = (
    unlisted_import, universal_resolvers, dotted_traversal, lying_names, python2_names, extension_registry, memo_games,
    parser_disagreement, broken_tail, hidden_streams, call_of_a_reference, ill_typed_calls, mutating_the_application,
    planted_hooks, singletons, helper_escalation, late_changes, copy_amplification, half_made_objects, trampolines,
    hostile_arguments, memory_bombs, cpu_bombs, crash_bombs, resource_leaks, scanner_as_target,
)  # fmt: skip


def attacks() -> list[Attack]:
    """Every attack, sorted by class and name.

    Raises:
        AssertionError: two attacks of a class have one name.
    """
    found = [record._replace(threat=threat.__name__) for threat in CLASSES for record in threat()]
    found.sort(key=lambda record: record.file)
    if len({record.file for record in found}) != len(found):
        raise AssertionError("two attacks share a name")
    return found


# --- Files -----------------------------------------------------------------------------------------------------------
def manifest_line(record: Attack, data: bytes | None) -> str:
    """The record as one line of JSON; `data` is None for what is generated."""
    stored = {} if data is None else {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    row = {
        "file": record.file,
        "class": record.threat,
        "name": record.name,
        "why": record.why,
        "policy": record.policy,
        "expected": list(record.expected),
        "entry_points": list(record.entry_points),
        "runtime_only": record.runtime_only,
        "ran": list(record.ran),
        "options": dict(record.options),
        "setup": record.setup,
        "generated": record.generated,
        "live": record.live,
        **stored,
    }
    return json.dumps(row, ensure_ascii=True)


def files() -> dict[str, bytes]:
    """What the folder holds: the path of each file below it, and its bytes."""
    made: dict[str, bytes] = {}
    lines: list[str] = []
    for record in attacks():
        data = None if record.generated else record.build()
        if data is not None:
            made[record.file] = data
        lines.append(manifest_line(record, data))
    made["manifest.jsonl"] = "".join(f"{line}\n" for line in lines).encode("ascii")
    return made


def stored_files() -> set[str]:
    """The paths of the files that are in the folder, the policies aside."""
    paths = (path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())
    return {path for path in paths if not path.startswith("policies/")}


def main() -> None:
    """Write the folder, and remove what no attack makes any more."""
    made = files()
    for path in stored_files() - made.keys():
        (FOLDER / path).unlink()
    for name, data in made.items():
        target = FOLDER / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    print(f"{len(made) - 1} files, {sum(map(len, made.values())):,} bytes")


if __name__ == "__main__":
    main()
