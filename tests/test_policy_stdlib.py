"""The packaged policy `stdlib`: what it admits of the library's own values, and what it refuses of arguments.

Three sources: a zoo of values that Python 2.7 and 3.6 to 3.13 pickled (`data/stdlib`, made by
`make_stdlib_pickles.py`), streams that ask a listed name for more than a value, and the corpus of real files beside the
checkout, where there is one.  Each table of what is not admitted, or cannot be loaded, gives the reason, and a row that
no longer applies fails.
"""

from __future__ import annotations

import ast
import base64
import copyreg
import enum
import importlib
import io
import json
import pickle
import struct
import sys
import tarfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import safepickle
from safepickle.policy.model import BUILD, FILL, Grant
from tests import make_stdlib_pickles as zoo
from tests import victims
from tests.assembler import Step, build, dict_of, list_of, literal, named, newobj, pickled, reduce, text, tuple_of
from tests.same import difference

HERE = Path(__file__).parent
ZOO = HERE / "data" / "stdlib"
CORPUS = HERE.parent.parent / "shared" / "corpus" / "benign.tar.xz"
POLICY = safepickle.Policy.named("stdlib")
RUNNING = sys.version_info[:2]


class Carried(NamedTuple):
    """One pickle of the zoo: the value's name, the Python that wrote it, the protocol, the bytes."""

    name: str
    writer: tuple[int, int]
    protocol: int
    data: bytes

    @property
    def label(self) -> str:
        """For messages: what it is and who wrote it."""
        return f"{self.name} of {self.writer[0]}.{self.writer[1]} at protocol {self.protocol}"


def carried() -> Iterator[Carried]:
    """Every pickle of the zoo."""
    for path in sorted(ZOO.glob("*/zoo.jsonl")):
        major, minor, _ = map(int, path.parent.name.split("."))
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            for protocol, data in row["pickles"].items():
                yield Carried(row["name"], (major, minor), int(protocol), base64.b64decode(data))


CARRIED = list(carried())
EXPRESSIONS = dict(zoo.TABLE)


# --- What is not admitted ---------------------------------------------------------------------------------------------
class Refused(NamedTuple):
    """Why the policy refuses a value of the zoo, in which pickles, and by which name."""

    reason: str
    by: str
    where: Callable[[Carried], bool] = lambda one: True


def _by_python2(one: Carried) -> bool:
    return one.writer < (3,)


RUNS = "it makes what calls, imports or runs other names"
HOLLOW = Refused("what was an attribute is a slot now, so nodes would be hollow", "xml.dom.minidom", _by_python2)
NOT_ADMITTED = {
    "minidom": HOLLOW,
    "minidom.doctype": HOLLOW,
    "minidom.fragment": HOLLOW,
    "minidom.loose": HOLLOW,
    "error:asyncio.SendfileNotAvailableError": Refused("it moved", "asyncio.events", lambda one: one.writer < (3, 8)),
    "out.partial": Refused(RUNS, "functools"),
    "out.getters": Refused(RUNS, "operator"),
    "out.iterators": Refused("functions whose results would have to be built", "builtins"),
    "out.itertools": Refused("some never end for whoever iterates them", "itertools"),
    "out.map": Refused(RUNS, "builtins"),
    "out.union": Refused("functools.reduce calls what it is given", "functools"),
    "out.configparser": Refused("its sections hold functools.partial", "configparser"),
    "out.entrypoint": Refused("it names code to import", "importlib.metadata"),
    "out.codec": Refused("a table of functions", "codecs"),
    "out.mock": Refused("it answers every method", "unittest.mock"),
    "out.email.headers": Refused("it makes a class of the stream's name and bases", "email.headerregistry"),
    "out.log.logger": Refused("loggers are the process's own", "logging"),
    "out.log.formatter": Refused("a format string can ask for a gigabyte of blanks", "logging"),
    "out.log.filter": Refused("part of the machinery of logging", "logging"),
    "out.callitem": Refused("it names a function for a worker to run", "concurrent.futures.process"),
    "out.functions": Refused(RUNS, "builtins"),
}  # fmt: skip


# --- What is admitted, and cannot be loaded here ----------------------------------------------------------------------
class Unreadable(NamedTuple):
    """Why this Python cannot make the value, in which pickles."""

    reason: str
    where: Callable[[Carried], bool]


def _by_later(first: tuple[int, int]) -> Callable[[Carried], bool]:
    """Written by `first` or a later Python, and read by an earlier one."""
    return lambda one: one.writer >= first > RUNNING


def _by_earlier(first: tuple[int, int]) -> Callable[[Carried], bool]:
    """Written before `first`, and read by it or a later one."""
    return lambda one: one.writer < first <= RUNNING


def _across(first: tuple[int, int]) -> Callable[[Carried], bool]:
    """Written on one side of `first` and read on the other."""
    return lambda one: one.writer[0] == 3 and (one.writer >= first) != (first <= RUNNING)


def _by_later_node(one: Carried) -> bool:
    return one.writer >= (3, 13) and RUNNING < (3, 12)


GONE = "the name is not there any more"
LATER = "the name is not there yet"
FIELDS = "the class has other fields now"
ARGUMENTS = "it was pickled without the arguments that it takes"
UNREADABLE = {
    "array.text4": Unreadable("the typecode w is new in 3.13", _by_later((3, 13))),
    "ast.classes": Unreadable("3.13 calls nodes with all of their fields, of which 3.12 has more", _by_later_node),
    "ast.module": Unreadable("3.13 calls nodes with all of their fields, of which 3.12 has more", _by_later_node),
    "ast.statements": Unreadable(GONE, _by_python2),
    "bytesio": Unreadable("its text is bytes", _by_python2),
    "calendar.enums": Unreadable(LATER, _by_later((3, 12))),
    "decimal.context": Unreadable("Contexts are made by C now, without a __dict__", _by_python2),
    "decimal.context.default": Unreadable("Contexts are made by C now, without a __dict__", _by_python2),
    "decimal.context.traps": Unreadable("Contexts are made by C now, without a __dict__", _by_python2),
    "dis": Unreadable(FIELDS, lambda one: _by_later((3, 13))(one) or (one.writer < (3, 11) and RUNNING >= (3, 13))),
    "doctest": Unreadable("TestResults has an attribute since 3.13", _by_later((3, 13))),
    "error:PythonFinalizationError": Unreadable(LATER, _by_later((3, 13))),
    "error:queue.ShutDown": Unreadable(LATER, _by_later((3, 13))),
    "errors.argparse": Unreadable(ARGUMENTS, _by_python2),
    "errors.calendar": Unreadable(ARGUMENTS, _by_python2),
    "errors.optparse": Unreadable(ARGUMENTS, _by_python2),
    "errors.unicode.decode": Unreadable("its text is bytes", _by_python2),
    "etree": Unreadable("elements are made by C now", lambda one: _by_python2(one) and one.protocol < 2),
    "etree.tree": Unreadable("elements are made by C now", lambda one: _by_python2(one) and one.protocol < 2),
    "os.stat": Unreadable(GONE, _by_python2),
    "os.stat.full": Unreadable(GONE, _by_python2),
    "os.statvfs": Unreadable(GONE, _by_python2),
    "re.error": Unreadable("renamed in 3.13", _by_later((3, 13))),
    "re.error.position": Unreadable("renamed in 3.13", _by_later((3, 13))),
    "tarinfo": Unreadable("what was an attribute is a slot now", _by_python2),
    "traceback.frame": Unreadable(FIELDS, _across((3, 13))),
    "traceback.stack": Unreadable(FIELDS, _across((3, 13))),
    "zipinfo": Unreadable(FIELDS, _by_later((3, 13))),
}  # fmt: skip


def is_refused(one: Carried) -> bool:
    """Whether the table says that the policy refuses it."""
    return one.name in NOT_ADMITTED and NOT_ADMITTED[one.name].where(one)


def is_unreadable(one: Carried) -> bool:
    """Whether the table says that this Python cannot make it."""
    return one.name in UNREADABLE and UNREADABLE[one.name].where(one)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Some classes of the library warn that they will go."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


# --- The zoo ----------------------------------------------------------------------------------------------------------
def test_the_zoo_is_there_and_has_every_row_of_its_table():
    assert {one.writer for one in CARRIED} >= {(2, 7), *((3, minor) for minor in range(6, 14))}
    assert {name for name, _ in zoo.TABLE} == {one.name for one in CARRIED}


def test_every_value_of_the_zoo_is_admitted_but_for_the_table_of_reasons():
    wrong = []
    for one in CARRIED:
        try:
            safepickle.verify(one.data, policy=POLICY, encoding="latin1")
            admitted, error = True, None
        except safepickle.UnpicklingError as refusal:
            admitted, error = False, refusal
        if admitted == is_refused(one):
            wrong.append(f"{one.label}: {error or 'admitted'}")
    assert not wrong, "\n".join(wrong)


def test_a_refused_value_is_refused_by_the_name_that_the_reason_is_about():
    for one in filter(is_refused, CARRIED):
        with pytest.raises(safepickle.Forbidden) as refused:
            safepickle.verify(one.data, policy=POLICY, encoding="latin1")
        by = NOT_ADMITTED[one.name].by
        assert any(grant.module.endswith(by) for grant in refused.value.missing), one.label


def test_what_is_admitted_loads_as_pickle_itself_loads_it():
    wrong = []
    for one in CARRIED:
        if is_refused(one) or is_unreadable(one):
            continue
        loaded = safepickle.loads(one.data, policy=POLICY, encoding="latin1")
        try:
            plain = pickle.loads(one.data, encoding="latin1")
        except (AttributeError, ModuleNotFoundError):
            # The policy's aliases found a class that moved: what the expression gives here is what it must be.
            plain = eval(EXPRESSIONS[one.name], zoo.namespace())
            loaded, plain = repr(loaded), repr(plain)
            if one.name.startswith("ast."):
                loaded = plain = ""  # a node says nothing of itself; that it was made is what there is to see
        found = _difference(loaded, plain)
        if found:
            wrong.append(f"{one.label}: {found}")
    assert not wrong, "\n".join(wrong)


def _difference(loaded: Any, plain: Any) -> str:
    """Where the two differ; what does not reduce by itself is compared by its text."""
    try:
        return difference(loaded, plain)
    except TypeError:
        return "" if repr(loaded) == repr(plain) else f"{loaded!r} and {plain!r}"


def test_what_this_python_writes_loads_equal_to_what_was_written():
    names = zoo.namespace()
    checked = 0
    for name, expression in zoo.TABLE:
        row = zoo.row(name, expression, names, range(pickle.HIGHEST_PROTOCOL + 1))
        for protocol, data in row["pickles"].items() if row else ():
            one = Carried(name, RUNNING, int(protocol), base64.b64decode(data))
            if is_refused(one):
                continue
            loaded = safepickle.loads(one.data, policy=POLICY)
            plain = pickle.loads(one.data)
            expected = eval(expression, dict(names))
            assert type(loaded) is type(plain), one.label
            if expected == plain:  # not so where objects are equal to themselves only
                assert loaded == expected, one.label
                checked += 1
    assert checked > 500


def test_what_cannot_be_made_here_is_one_error_of_the_one_family():
    for one in filter(is_unreadable, CARRIED):
        with pytest.raises(safepickle.UnpicklingError):
            safepickle.loads(one.data, policy=POLICY, encoding="latin1")
    applying = {one.name for one in filter(is_unreadable, CARRIED)}
    expected = {name for name, row in UNREADABLE.items() if any(map(row.where, CARRIED))}
    assert applying == expected & {one.name for one in CARRIED}


@pytest.mark.parametrize("name", ["date", "datetime", "datetime.max", "time", "timedelta", "ordereddict", "counter",
                                  "deque", "defaultdict.list", "random.gauss", "calendar", "errors.text"])  # fmt: skip
def test_values_of_python_2_whose_texts_are_bytes_load_with_the_encoding_bytes(name):
    for one in CARRIED:
        if one.name == name and one.writer < (3,):
            loaded = safepickle.loads(one.data, policy=POLICY, encoding="bytes")
            assert not difference(loaded, pickle.loads(one.data, encoding="bytes")), one.label


# --- The policy itself ------------------------------------------------------------------------------------------------
def _resolved(module: str, name: str) -> Any:
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


#: What this Python does not have, and why it is listed all the same.
ABSENT = {
    "Python 2 wrote it": """
        ast.Exec ast.Print ast.Repr ast.TryExcept ast.TryFinally os._make_stat_result os._make_statvfs_result""",
    "up to 3.10": "inspect.ArgSpec",
    "3.12.5 and later": "email.errors.HeaderWriteError",
    "Windows": "builtins.WindowsError",
    "methods of what the call returns": """
        re._compile.findall re._compile.finditer re._compile.fullmatch re._compile.match re._compile.search
        re._compile.split re._compile.sub re._compile.subn""",
    "3.12 and later": """
        ast.ParamSpec ast.TypeAlias ast.TypeVar ast.TypeVarTuple calendar.Day calendar.Month collections.abc.Buffer""",
    "3.13 and later": """
        asyncio.queues.QueueShutDown builtins.PythonFinalizationError pathlib.UnsupportedOperation queue.ShutDown
        re.PatternError builtins._IncompleteInputError""",
    "depends on how Python was built": """
        signal.itimer_error signal.SIGCLD signal.SIGIOT signal.SIGPOLL signal.SIGPWR signal.SIGRTMAX signal.SIGRTMIN
        socket.AF_BLUETOOTH socket.AF_VSOCK""",
}


def test_every_listed_name_is_there_or_its_absence_is_explained():
    explained = {name for names in ABSENT.values() for name in names.split()}
    missing = set()
    for module, name in POLICY.data.grants:
        try:
            _resolved(module, name)
        except (ImportError, AttributeError):
            missing.add(f"{module}.{name}")
    assert missing <= explained, sorted(missing - explained)


def test_build_and_fill_are_granted_on_classes_that_make_fresh_objects_only():
    for (module, name), grants in POLICY.data.grants.items():
        if not any(grant.verbs & {BUILD, FILL} for grant in grants):
            continue
        try:
            found = _resolved(module, name)
        except (ImportError, AttributeError):
            continue
        assert isinstance(found, type), f"{module}.{name} is no class"
        assert not issubclass(found, enum.Enum), f"{module}.{name} hands out shared members"
        assert found.__module__ not in {"zoneinfo", "types.FunctionType"}, f"{module}.{name}"


def test_every_build_says_which_state():
    for (module, name), grants in POLICY.data.grants.items():
        for grant in grants:
            assert BUILD not in grant.verbs or grant.state is not None, f"{module}.{name}"


def _is_class_with_setitem(found: Any) -> bool:
    return any("__setitem__" in vars(base) or "append" in vars(base) for base in found.__mro__ if _in_python(base))


def _in_python(base: type) -> bool:
    return any(isinstance(vars(base).get(name), type(_resolved)) for name in ("__setitem__", "append", "extend", "add"))


def test_fill_runs_no_code_written_in_python_on_what_no_pattern_describes():
    for (module, name), grants in POLICY.data.grants.items():
        if any(FILL in grant.verbs and grant.fill is None for grant in grants):
            assert not _is_class_with_setitem(_resolved(module, name)), f"{module}.{name}"


def test_calls_of_exceptions_and_values_have_signatures_where_the_code_is_python():
    """Python code may do anything with any argument; only exceptions that just keep their arguments take any."""
    for (module, name), grants in POLICY.data.grants.items():
        for grant in grants:
            if "call" not in grant.verbs or grant.args is not None:
                continue
            assert module == "ast" or _is_exception(module, name), f"{module}.{name}"


def _is_exception(module: str, name: str) -> bool:
    try:
        return issubclass(_resolved(module, name), BaseException)
    except (ImportError, AttributeError):
        return name.endswith(("Error", "Warning", "ShutDown", "Operation", "_error"))


POWERFUL = """
builtins.eval builtins.exec builtins.compile builtins.open builtins.getattr builtins.setattr builtins.delattr
builtins.__import__ builtins.breakpoint builtins.input builtins.map builtins.filter builtins.globals builtins.vars
builtins.print builtins.next builtins.str.format builtins.str.format_map os.system os.popen os.execv os.remove
posix.system nt.system subprocess.Popen subprocess.run subprocess.check_output importlib.import_module
importlib.metadata.EntryPoint functools.partial functools.reduce _functools.reduce operator.itemgetter
operator.attrgetter operator.methodcaller _operator.attrgetter _operator.itemgetter _operator.methodcaller
_operator.call _operator.setitem _operator.delitem _operator.iadd codecs.open codecs.decode codecs.encode
codecs.CodecInfo io.open io.FileIO _io.FileIO _io.open pathlib.Path.open pathlib.PosixPath.read_text
shutil.rmtree shutil.copyfileobj tempfile.NamedTemporaryFile socket.socket socket.create_connection
ctypes.CDLL pickle.loads pickle.Unpickler _pickle.loads _pickle.Unpickler marshal.loads shelve.open
types.FunctionType types.CodeType types.MethodType types.ModuleType weakref.finalize weakref.ref
logging.FileHandler logging.StreamHandler logging.getLogger logging.config.dictConfig http.client.HTTPConnection
urllib.request.urlopen webbrowser.open runpy.run_path pty.spawn timeit.timeit pdb.run cProfile.run
unittest.mock._Call unittest.mock.patch email.headerregistry._reconstruct_header threading.Thread
multiprocessing.process.BaseProcess concurrent.futures.process._CallItem zipfile.ZipFile tarfile.TarFile
sqlite3.connect xml.sax._exceptions.SAXParseException zoneinfo.ZoneInfo.from_file zoneinfo.ZoneInfo.clear_cache
zoneinfo.reset_tzpath decimal.setcontext decimal.localcontext random.seed random.SystemRandom signal.signal
enum.EnumMeta collections.namedtuple typing.get_type_hints typing.NewType inspect.getattr_static
""".split()  # noqa: SIM905  # a paragraph of names reads better than a column


@pytest.mark.parametrize("dotted", POWERFUL)
def test_what_opens_imports_evaluates_or_runs_is_not_granted_in_any_way(dotted):
    parts = dotted.split(".")
    for cut in range(1, len(parts)):
        module, name = ".".join(parts[:cut]), ".".join(parts[cut:])
        for verb in ("refer", "new", "call", "build", "fill"):
            assert not POLICY.decide(module, name, verb).allowed, (module, name, verb)


# --- Hostile arguments ------------------------------------------------------------------------------------------------
class Hostile(NamedTuple):
    """A stream's last object, the name that must be refused, and what it is about."""

    what: str
    refused: str
    program: Step


def ref(dotted: str) -> Step:
    """A global, spelled `module:Qualified.Name`."""
    module, _, name = dotted.partition(":")
    return named(text(module), text(name))


def call(dotted: str, *arguments: Any) -> Step:
    """A call; arguments are values, or programs in a `Made`."""
    return reduce(ref(dotted), *map(step, arguments))


def new(dotted: str, *arguments: Any) -> Step:
    """An instance without `__init__`."""
    return newobj(ref(dotted), *map(step, arguments))


def state(target: Step, value: Any) -> Step:
    """BUILD."""
    return build(target, step(value))


class Made(NamedTuple):
    """A program among values."""

    program: Step


def step(value: Any) -> Step:
    """The program that pushes a value."""
    if isinstance(value, Made):
        return value.program
    if type(value) is dict:
        return dict_of(*((step(key), step(item)) for key, item in value.items()))
    if type(value) is list:
        return list_of(*map(step, value))
    if type(value) is tuple:
        return tuple_of(*map(step, value))
    return literal(value)


HUGE = Made(call("builtins:range", 0, 10**11, 1))
LEN = Made(ref("builtins:len"))
NAMESPACE = Made(state(call("types:SimpleNamespace"), {"lower": LEN}))
# Sixty lists, each twice in the next: short to write, and without end to print.
DOUBLING = [
    ["EMPTY_LIST", "MARK", ("BINGET", level), ("BINGET", level), "APPENDS", ("BINPUT", level + 1), "POP"]
    for level in range(60)
]
DOUBLED = Made(["EMPTY_LIST", ("BINPUT", 0), "POP", *DOUBLING, ("BINGET", 60)])
DOUBLED_ALIAS = [
    call("types:GenericAlias", Made(ref("builtins:list")), (Made(ref("builtins:int")),)),
    *(
        [("BINPUT", 100), "POP", call("types:GenericAlias", Made(ref("builtins:list")), (Made(("BINGET", 100)),) * 2)]
        for _ in range(8)
    ),
]
NO_POLICY = Made(new("email._policybase:Compat32"))
MESSAGE = {
    "policy": NO_POLICY,
    "_headers": [],
    "_payload": None,
    "_charset": None,
    "defects": [],
    "_default_type": "a/b",
}
ELEMENT = {"tag": "a", "_children": [], "attrib": {}}
TEXT_WRAPPER = {
    "width": 70, "initial_indent": "", "subsequent_indent": "", "expand_tabs": True, "replace_whitespace": True,
    "fix_sentence_endings": False, "break_long_words": True,
}  # fmt: skip
RECORD = {"name": "n", "msg": "m", "args": ()}
BIGGEST_WORDS = tuple([0] * 624 + [624])


def hostile() -> Iterator[Hostile]:
    """At least one stream against every pattern."""
    # datetime: states that C believes, dates out of the calendar
    yield Hostile("date of 3 bytes", "datetime.date", call("datetime:date", b"\x07\xe8\x02"))
    yield Hostile("date of 5 bytes", "datetime.date", call("datetime:date", b"\x07\xe8\x02\x1d\x00"))
    yield Hostile("date of a text in the year 0", "datetime.date", call("datetime:date", "\x00\x00\x01\x01"))
    yield Hostile("date of a text in month 13", "datetime.date", call("datetime:date", "\x07\xe8\x0d\x01"))
    yield Hostile("date in the year 10000", "datetime.date", call("datetime:date", 10000, 1, 1))
    yield Hostile("date of bools", "datetime.date", call("datetime:date", True, True, True))
    yield Hostile(
        "datetime of 9 bytes", "datetime.datetime", call("datetime:datetime", b"\x07\xe8\x02\x1d\x00\x00\x00\x00\x00")
    )
    yield Hostile(
        "datetime with a zone by name",
        "datetime.datetime",
        call("datetime:datetime", b"\x07\xe8\x02\x1d" + bytes(6), "UTC"),
    )
    yield Hostile(
        "datetime of a text at 25 o'clock",
        "datetime.datetime",
        call("datetime:datetime", "\x07\xe7\x01\x01\x19" + "\0" * 5),
    )
    yield Hostile("datetime with 61 minutes", "datetime.datetime", call("datetime:datetime", 2024, 1, 1, 0, 61))
    yield Hostile("datetime built", "datetime.datetime", state(call("datetime:datetime", 2024, 1, 1), {"a": 1}))
    yield Hostile("time of 5 bytes", "datetime.time", call("datetime:time", bytes(5)))
    yield Hostile("time of an int", "datetime.time", call("datetime:time", 10**30))
    yield Hostile("timedelta of a float", "datetime.timedelta", call("datetime:timedelta", 1e300))
    yield Hostile("timedelta of too many days", "datetime.timedelta", call("datetime:timedelta", 10**9, 0, 0))
    yield Hostile(
        "timedelta of a number of 10,000 digits", "datetime.timedelta", call("datetime:timedelta", 0, 10**300, 0)
    )
    yield Hostile("timezone of a number", "datetime.timezone", call("datetime:timezone", 1))
    yield Hostile(
        "timezone with a name of a kilobyte",
        "datetime.timezone",
        call("datetime:timezone", Made(call("datetime:timedelta", 0, 0, 0)), "x" * 1000),
    )
    yield Hostile("tzinfo with an argument", "datetime.tzinfo", call("datetime:tzinfo", 1))
    yield Hostile(
        "the shared UTC built",
        "datetime.timezone",
        state(call("datetime:timezone", Made(call("datetime:timedelta", 0, 0, 0))), {"a": 1}),
    )
    # zoneinfo: a key is a path
    for key in (
        "../../etc/passwd",
        "/etc/localtime",
        "Europe/../../x",
        "Europe//Paris",
        "",
        "a.tab",
        "Europe/Paris\n",
        "x" * 41,
    ):
        yield Hostile(f"zone {key[:20]!r}", "zoneinfo.ZoneInfo", call("zoneinfo:ZoneInfo", key))
        yield Hostile(
            f"unpickled zone {key[:20]!r}", "zoneinfo.ZoneInfo._unpickle", call("zoneinfo:ZoneInfo._unpickle", key, 0)
        )
    yield Hostile(
        "a zone's second argument", "zoneinfo.ZoneInfo._unpickle", call("zoneinfo:ZoneInfo._unpickle", "UTC", [1])
    )
    yield Hostile("zone from a file", "zoneinfo.ZoneInfo.from_file", call("zoneinfo:ZoneInfo.from_file", "/etc/passwd"))
    yield Hostile("the shared zone built", "zoneinfo.ZoneInfo", state(call("zoneinfo:ZoneInfo", "UTC"), {"key": "x"}))
    # numbers: exponents, digits, sizes
    for digits in (
        "1e400000000",
        "1E+9999999",
        "9" * 5000,
        "1_000",
        " 1",
        "\uff11",
        "0x10",
        "1e",
        "",
        "NaN" + "1" * 200,
    ):
        yield Hostile(f"Decimal {digits[:12]!r}", "decimal.Decimal", call("decimal:Decimal", digits))
    yield Hostile("Decimal of a tuple", "decimal.Decimal", call("decimal:Decimal", (0, (1,), 10**15)))
    yield Hostile(
        "Context of a billion digits",
        "decimal.Context",
        call("decimal:Context", 10**9, "ROUND_HALF_EVEN", -9, 9, 1, 0, [], []),
    )
    yield Hostile(
        "Context with a trap of text",
        "decimal.Context",
        call("decimal:Context", 9, "ROUND_HALF_EVEN", -9, 9, 1, 0, [], ["x"]),
    )
    yield Hostile("DecimalTuple of texts", "decimal.DecimalTuple", new("decimal:DecimalTuple", 0, ("1",), 0))
    for digits in ("1e400000000", "1.5", "1/0", "1/" + "3" * 4000, "9" * 4000, "1_0/3", "nan"):
        if digits != "1/0":  # two numbers as any others: what it raises is a ReconstructionError
            yield Hostile(f"Fraction {digits[:12]!r}", "fractions.Fraction", call("fractions:Fraction", digits))
    yield Hostile("Fraction of numbers of 400 digits", "fractions.Fraction", call("fractions:Fraction", 10**400, 3))
    yield Hostile("Fraction of a float", "fractions.Fraction", call("fractions:Fraction", 0.1))
    yield Hostile("Random with a seed", "random.Random", call("random:Random", [1]))
    yield Hostile("Random of 624 numbers", "random.Random", state(call("random:Random"), (3, (0,) * 624, None)))
    yield Hostile(
        "Random of too large numbers", "random.Random", state(call("random:Random"), (3, (2**32,) * 625, None))
    )
    yield Hostile("Random of a list", "random.Random", state(call("random:Random"), (3, list(BIGGEST_WORDS), None)))
    yield Hostile("Random of version 9", "random.Random", state(call("random:Random"), (9, BIGGEST_WORDS, None)))
    yield Hostile("NormalDist of texts", "statistics.NormalDist", state(new("statistics:NormalDist"), ("a", "b")))
    yield Hostile("UUID of 129 bits", "uuid.UUID", state(new("uuid:UUID"), {"int": 2**128}))
    yield Hostile("UUID of a negative", "uuid.UUID", state(new("uuid:UUID"), {"int": -1}))
    yield Hostile("UUID with a method", "uuid.UUID", state(new("uuid:UUID"), {"int": 1, "hex": LEN}))
    yield Hostile("UUID safe as text", "uuid.UUID", state(new("uuid:UUID"), {"int": 1, "is_safe": "yes"}))
    yield Hostile("IPv4 address of 33 bits", "ipaddress.IPv4Address", call("ipaddress:IPv4Address", 2**32))
    yield Hostile("IPv4 address of a name", "ipaddress.IPv4Address", call("ipaddress:IPv4Address", "localhost"))
    yield Hostile(
        "IPv6 address with a long scope", "ipaddress.IPv6Address", call("ipaddress:IPv6Address", "::1%" + "x" * 65)
    )
    yield Hostile("IPv4 network of a tuple", "ipaddress.IPv4Network", call("ipaddress:IPv4Network", (0, 0)))
    yield Hostile(
        "IPv6 network of a long text", "ipaddress.IPv6Network", call("ipaddress:IPv6Network", "0" * 5000 + "::/1")
    )
    # containers: what is iterated, called back, planted
    yield Hostile("OrderedDict of a range", "collections.OrderedDict", call("collections:OrderedDict", HUGE))
    yield Hostile("OrderedDict of triples", "collections.OrderedDict", call("collections:OrderedDict", [[1, 2, 3]]))
    yield Hostile("OrderedDict built", "collections.OrderedDict", state(call("collections:OrderedDict"), {"a": 1}))
    yield Hostile("Counter of a range", "collections.Counter", call("collections:Counter", HUGE))
    yield Hostile("deque of a range", "collections.deque", call("collections:deque", HUGE))
    yield Hostile("deque of a negative length", "collections.deque", call("collections:deque", [], -1))
    yield Hostile("deque of a range and a length", "collections.deque", call("collections:deque", HUGE, 1))
    yield Hostile("defaultdict of a listed function", "collections.defaultdict", call("collections:defaultdict", LEN))
    yield Hostile(
        "defaultdict of an unlisted function", "os.getcwd", call("collections:defaultdict", Made(ref("os:getcwd")))
    )
    yield Hostile(
        "defaultdict of a listed class",
        "collections.defaultdict",
        call("collections:defaultdict", Made(ref("random:Random"))),
    )
    yield Hostile(
        "defaultdict of a method",
        "collections.defaultdict",
        call("collections:defaultdict", Made(ref("builtins:str.upper"))),
    )
    yield Hostile("ChainMap of a text", "collections.ChainMap", state(new("collections:ChainMap"), {"maps": ["a"]}))
    yield Hostile(
        "UserDict with a method", "collections.UserDict", state(new("collections:UserDict"), {"data": {}, "get": LEN})
    )
    yield Hostile("UserList of a range", "collections.UserList", state(new("collections:UserList"), {"data": HUGE}))
    yield Hostile("UserString of a list", "collections.UserString", new("collections:UserString", [1]))
    yield Hostile(
        "namespace with a dunder", "types.SimpleNamespace", state(call("types:SimpleNamespace"), {"__class__": LEN})
    )
    yield Hostile(
        "Namespace with its method", "argparse.Namespace", state(new("argparse:Namespace"), {"_get_kwargs": LEN})
    )
    yield Hostile("Values with its method", "optparse.Values", state(new("optparse:Values"), {"read_file": LEN}))
    yield Hostile("Values with ensure_value", "optparse.Values", state(new("optparse:Values"), {"ensure_value": LEN}))
    yield Hostile("array of a range", "array.array", call("array:array", "b", HUGE))
    yield Hostile("array of an unknown typecode", "array.array", call("array:array", "c", [1]))
    yield Hostile("array of a text", "array.array", call("array:array", "u", "x" * 1000))
    yield Hostile("array of texts", "array.array", call("array:array", "u", ["xy"]))
    yield Hostile(
        "array reconstructed as a list",
        "array._array_reconstructor",
        call("array:_array_reconstructor", Made(ref("builtins:list")), "b", 1, b"a"),
    )
    yield Hostile(
        "array of a wild format",
        "array._array_reconstructor",
        call("array:_array_reconstructor", Made(ref("array:array")), "b", 22, b"a"),
    )
    yield Hostile(
        "array of a negative format",
        "array._array_reconstructor",
        call("array:_array_reconstructor", Made(ref("array:array")), "b", -1, b"a"),
    )
    yield Hostile(
        "array of two typecodes",
        "array._array_reconstructor",
        call("array:_array_reconstructor", Made(ref("array:array")), "bb", 1, b"a"),
    )
    yield Hostile("BytesIO far out", "_io.BytesIO", state(new("_io:BytesIO"), (b"", 2**62, None)))
    yield Hostile("BytesIO with a method", "_io.BytesIO", state(new("_io:BytesIO"), (b"", 0, {"read": LEN})))
    yield Hostile("StringIO with another newline", "_io.StringIO", state(new("_io:StringIO"), ("", "x", 0, None)))
    yield Hostile(
        "sorter of no nodes",
        "graphlib.TopologicalSorter",
        state(
            new("graphlib:TopologicalSorter"),
            {"_node2info": {"a": 1}, "_ready_nodes": None, "_npassedout": 0, "_nfinished": 0},
        ),
    )
    # text: what compiles, prints, is called back
    yield Hostile("pattern that prints while compiling", "re._compile", call("re:_compile", "a", 128))
    yield Hostile("pattern of wild flags", "re._compile", call("re:_compile", "a", 2**31))
    yield Hostile("pattern of 5,000 characters", "re._compile", call("re:_compile", "a" * 5000, 0))
    yield Hostile("pattern of wide ranges", "re._compile", call("re:_compile", "[\x00-\uffff]" * 100, 2))
    yield Hostile("pattern of wide ranges, escaped", "re._compile", call("re:_compile", r"[\u0000-\uffff]" * 100, 2))
    yield Hostile(
        "pattern of wide ranges, by name", "re._compile", call("re:_compile", r"[a-\N{CJK UNIFIED IDEOGRAPH-9FFF}]", 2)
    )
    yield Hostile(
        "pattern that begins a range with a wide character", "re._compile", call("re:_compile", "[\u0100-\uffff]", 0)
    )
    yield Hostile("pattern of a list", "re._compile", call("re:_compile", ["a"], 0))
    yield Hostile("pattern built", "re._compile", state(call("re:_compile", "a", 0), {"a": 1}))
    yield Hostile("flags beyond all flags", "re.RegexFlag", call("re:RegexFlag", 2**40))
    yield Hostile(
        "Template with a method", "string.Template", state(new("string:Template"), {"template": "", "substitute": LEN})
    )
    yield Hostile("Formatter with a method", "string.Formatter", state(new("string:Formatter"), {"format": LEN}))
    yield Hostile(
        "TextWrapper with its own regex",
        "textwrap.TextWrapper",
        state(new("textwrap:TextWrapper"), {**TEXT_WRAPPER, "wordsep_re": Made(call("re:_compile", "a", 0))}),
    )
    yield Hostile(
        "TextWrapper with a text as a regex",
        "textwrap.TextWrapper",
        state(new("textwrap:TextWrapper"), {**TEXT_WRAPPER, "wordsep_re_uni": "a"}),
    )
    yield Hostile(
        "matcher with a function",
        "difflib.SequenceMatcher",
        state(
            new("difflib:SequenceMatcher"),
            {"isjunk": LEN, "a": "", "b": "", "matching_blocks": None, "opcodes": None, "fullbcount": None, "b2j": {}},
        ),
    )
    yield Hostile("Match of texts", "difflib.Match", new("difflib:Match", "a", "b", "c"))
    yield Hostile("token at a text", "tokenize.TokenInfo", new("tokenize:TokenInfo", 1, "a", "b", (1, 1), ""))
    yield Hostile("dialect with a method", "csv.excel", state(new("csv:excel"), {"_validate": LEN}))
    # time
    yield Hostile("struct_time of 8", "time.struct_time", call("time:struct_time", (0,) * 8, {}))
    yield Hostile("struct_time of a range", "time.struct_time", call("time:struct_time", HUGE, {}))
    yield Hostile(
        "struct_time with another field", "time.struct_time", call("time:struct_time", (0,) * 9, {"tm_hook": LEN})
    )
    yield Hostile(
        "Calendar with a method",
        "calendar.Calendar",
        state(new("calendar:Calendar"), {"_firstweekday": 0, "itermonthdays": LEN}),
    )
    # network
    yield Hostile("status beyond all statuses", "http.HTTPStatus", call("http:HTTPStatus", 10**6))
    yield Hostile("status of a text", "http.HTTPStatus", call("http:HTTPStatus", "OK"))
    yield Hostile("status by NEWOBJ", "http.HTTPStatus", new("http:HTTPStatus", 200))
    yield Hostile("the shared status built", "http.HTTPStatus", state(call("http:HTTPStatus", 200), {"phrase": "x"}))
    yield Hostile("method in small letters", "http.HTTPMethod", call("http:HTTPMethod", "get"))
    yield Hostile("flags of many bits, kept for good", "socket.MsgFlag", call("socket:MsgFlag", 0x1234567))
    yield Hostile("options of many bits, kept for good", "ssl.Options", call("ssl:Options", 12345))
    yield Hostile("signal 1,000", "signal.Signals", call("signal:Signals", 1000))
    yield Hostile("the shared constant built", "socket.AF_INET", state(ref("socket:AF_INET"), {"a": 1}))
    yield Hostile(
        "message with another policy",
        "email.message.Message",
        state(new("email.message:Message"), {**MESSAGE, "policy": NAMESPACE}),
    )
    yield Hostile(
        "message with a method",
        "email.message.Message",
        state(new("email.message:Message"), {**MESSAGE, "get_payload": LEN}),
    )
    yield Hostile(
        "message with headers of lists",
        "email.message.Message",
        state(new("email.message:Message"), {**MESSAGE, "_headers": [("a", [1])]}),
    )
    yield Hostile(
        "message with a function in it",
        "email.message.EmailMessage",
        state(new("email.message:EmailMessage"), {**MESSAGE, "_payload": LEN}),
    )
    yield Hostile(
        "policy with a factory",
        "email.policy.EmailPolicy",
        state(new("email.policy:EmailPolicy"), {"header_factory": LEN}),
    )
    yield Hostile(
        "compat policy with a method",
        "email._policybase.Compat32",
        state(new("email._policybase:Compat32"), {"fold": LEN}),
    )
    yield Hostile(
        "header of a namespace",
        "email.header.Header",
        state(
            new("email.header:Header"), {"_charset": NAMESPACE, "_continuation_ws": "", "_chunks": [], "_maxlinelen": 1}
        ),
    )
    yield Hostile(
        "charset of a list",
        "email.charset.Charset",
        state(
            new("email.charset:Charset"),
            {
                "input_charset": [],
                "header_encoding": None,
                "body_encoding": None,
                "output_charset": None,
                "input_codec": None,
                "output_codec": None,
            },
        ),
    )
    yield Hostile(
        "header made as a class",
        "email.headerregistry._reconstruct_header",
        call("email.headerregistry:_reconstruct_header", "X", (), "v"),
    )
    yield Hostile(
        "record with its method", "logging.LogRecord", state(new("logging:LogRecord"), {**RECORD, "getMessage": LEN})
    )
    yield Hostile(
        "record with a dunder", "logging.LogRecord", state(new("logging:LogRecord"), {**RECORD, "__class__": LEN})
    )
    yield Hostile("record called", "logging.LogRecord", call("logging:LogRecord", "n", 1, "p", 1, "m", (), None))
    yield Hostile(
        "cookie with a method", "http.cookiejar.Cookie", state(new("http.cookiejar:Cookie"), {"is_expired": LEN})
    )
    yield Hostile(
        "Morsel filled with a key that answers lower()",
        "http.cookies.Morsel",
        [new("http.cookies:Morsel"), "MARK", NAMESPACE.program, "NONE", "SETITEMS"],
    )
    yield Hostile(
        "cookie filled with what prints for ever",
        "http.cookies.SimpleCookie",
        [new("http.cookies:SimpleCookie"), "MARK", text("a"), DOUBLED.program, "SETITEMS"],
    )
    yield Hostile(
        "split result of lists", "urllib.parse.SplitResult", new("urllib.parse:SplitResult", [], [], [], [], [])
    )
    yield Hostile("UID of 65 bits", "plistlib.UID", call("plistlib:UID", 2**64))
    yield Hostile("Binary of a number", "xmlrpc.client.Binary", state(new("xmlrpc.client:Binary"), {"data": 10**9}))
    # the system
    yield Hostile("path with a NUL", "pathlib.PurePosixPath", call("pathlib:PurePosixPath", "a\0b"))
    yield Hostile("path of a number", "pathlib.PosixPath", call("pathlib:PosixPath", 3))
    yield Hostile("Path called", "pathlib.Path", call("pathlib:Path", "a"))
    yield Hostile(
        "path read",
        "pathlib.PosixPath.read_text",
        reduce(call("builtins:getattr", Made(call("pathlib:PosixPath", "a")), "read_text")),
    )
    yield Hostile("stat_result of a range", "os.stat_result", call("os:stat_result", HUGE, {}))
    yield Hostile("stat_result of texts", "os.stat_result", call("os:stat_result", ("a",) * 10, {}))
    yield Hostile("terminal of three sizes", "os.terminal_size", call("os:terminal_size", (1, 2, 3), {}))
    yield Hostile("rusage of lists", "resource.struct_rusage", call("resource:struct_rusage", ([],) * 16, {}))
    yield Hostile(
        "completed process with a method",
        "subprocess.CompletedProcess",
        state(new("subprocess:CompletedProcess"), {"args": [], "returncode": 0, "check_returncode": LEN}),
    )
    yield Hostile("tar member with a file", "tarfile.TarInfo", state(new("tarfile:TarInfo"), (None, {"tarfile": LEN})))
    yield Hostile(
        "zip member with another slot", "zipfile.ZipInfo", state(new("zipfile:ZipInfo"), (None, {"is_dir": LEN}))
    )
    # programs and documents
    yield Hostile("parameter of a wild kind", "inspect.Parameter", call("inspect:Parameter", "a", 1))
    yield Hostile("signature of namespaces", "inspect.Signature", call("inspect:Signature", (NAMESPACE,)))
    yield Hostile(
        "frame with a method",
        "traceback.FrameSummary",
        state(
            new("traceback:FrameSummary"),
            (None, {"filename": "f", "lineno": 1, "name": "n", "locals": None, "line": LEN}),
        ),
    )
    yield Hostile(
        "traceback of a namespace",
        "traceback.TracebackException",
        state(new("traceback:TracebackException"), {"stack": NAMESPACE}),
    )
    yield Hostile("node with a dunder", "ast.Name", state(call("ast:Name"), {"_fields": ("id",)}))
    yield Hostile("Index of anything, which it hands back", "ast.Index", call("ast:Index", NAMESPACE))
    yield Hostile("ExtSlice of a range", "ast.ExtSlice", call("ast:ExtSlice", HUGE))
    yield Hostile(
        "element with a child of text",
        "xml.etree.ElementTree.Element",
        state(new("xml.etree.ElementTree:Element"), {**ELEMENT, "_children": ["a"]}),
    )
    yield Hostile(
        "element with a tag that is a list",
        "xml.etree.ElementTree.Element",
        state(new("xml.etree.ElementTree:Element"), {**ELEMENT, "tag": []}),
    )
    yield Hostile(
        "element with a method",
        "xml.etree.ElementTree.Element",
        state(new("xml.etree.ElementTree:Element"), {**ELEMENT, "find": LEN}),
    )
    yield Hostile(
        "text node with a method",
        "xml.dom.minidom.Text",
        state(new("xml.dom.minidom:Text"), ({"toxml": LEN}, {"_data": "a"})),
    )
    yield Hostile(
        "element node with children of a list",
        "xml.dom.minidom.Element",
        state(new("xml.dom.minidom:Element"), (None, {"childNodes": []})),
    )
    yield Hostile(
        "annotation as text, which is compiled",
        "_operator.getitem",
        call("_operator:getitem", Made(ref("typing:List")), "__import__('os')"),
    )
    yield Hostile("getitem of a dict", "_operator.getitem", call("_operator:getitem", {}, "a"))
    yield Hostile(
        "getitem of a listed class", "_operator.getitem", call("_operator:getitem", Made(ref("enum:Enum")), "a")
    )
    yield Hostile(
        "union of a hundred", "_operator.getitem", call("_operator:getitem", Made(ref("typing:Union")), (LEN,) * 100)
    )
    yield Hostile(
        "alias of texts", "types.GenericAlias", call("types:GenericAlias", Made(ref("builtins:list")), ("int",))
    )
    yield Hostile("enum called to make another", "enum.Enum", call("enum:Enum", "X", "a b c"))
    yield Hostile("list of nodes of a range", "xml.dom.minicompat.NodeList", new("xml.dom.minicompat:NodeList", HUGE))
    yield Hostile(
        "map of nodes of a range",
        "xml.dom.minidom.ReadOnlySequentialNamedNodeMap",
        state(new("xml.dom.minidom:ReadOnlySequentialNamedNodeMap"), [HUGE]),
    )
    yield Hostile(
        "encoder with a method", "json.encoder.JSONEncoder", state(new("json.encoder:JSONEncoder"), {"default": LEN})
    )
    yield Hostile("sentinel built", "builtins.object", state(new("builtins:object"), {"a": 1}))
    yield Hostile(
        "annotation whose hash doubles with each level",
        "_operator.getitem",
        call("_operator:getitem", Made(ref("typing:List")), Made(DOUBLED_ALIAS)),
    )
    yield Hostile(
        "literal of lists without end",
        "_operator.getitem",
        call("_operator:getitem", Made(ref("typing:Literal")), DOUBLED),
    )
    # exceptions: what iterates, indexes, prints, calls
    yield Hostile("SyntaxError of a range", "builtins.SyntaxError", call("builtins:SyntaxError", "m", HUGE))
    yield Hostile(
        "ParseError of a range", "xml.etree.ElementTree.ParseError", call("xml.etree.ElementTree:ParseError", "m", HUGE)
    )
    yield Hostile(
        "exception whose args become a range", "builtins.ValueError", state(call("builtins:ValueError"), {"args": HUGE})
    )
    yield Hostile(
        "AttributeError whose args become a range",
        "builtins.AttributeError",
        state(call("builtins:AttributeError"), {"args": HUGE}),
    )
    yield Hostile(
        "exception of another class",
        "builtins.ValueError",
        state(call("builtins:ValueError"), {"__class__": Made(ref("builtins:KeyError"))}),
    )
    yield Hostile(
        "exception with a cause", "builtins.ValueError", state(call("builtins:ValueError"), {"__cause__": None})
    )
    yield Hostile(
        "exception with its method", "builtins.ValueError", state(call("builtins:ValueError"), {"with_traceback": LEN})
    )
    yield Hostile("exception with add_note", "builtins.OSError", state(call("builtins:OSError"), {"add_note": LEN}))
    yield Hostile("group of a range", "builtins.ExceptionGroup", call("builtins:ExceptionGroup", "m", HUGE))
    yield Hostile(
        "group with a method",
        "builtins.ExceptionGroup",
        state(call("builtins:ExceptionGroup", "m", [Made(call("builtins:ValueError"))]), {"derive": LEN}),
    )
    yield Hostile(
        "decode error before its bytes",
        "builtins.UnicodeDecodeError",
        call("builtins:UnicodeDecodeError", "x", b"a", -(2**31), 1 - 2**31, "r"),
    )
    yield Hostile(
        "decode error that moves",
        "builtins.UnicodeDecodeError",
        state(call("builtins:UnicodeDecodeError", "x", b"a", 0, 1, "r"), {"start": -(2**31)}),
    )
    yield Hostile(
        "status line that prints for ever", "http.client.BadStatusLine", call("http.client:BadStatusLine", DOUBLED)
    )
    yield Hostile(
        "section that prints for ever", "configparser.NoSectionError", call("configparser:NoSectionError", DOUBLED)
    )
    yield Hostile(
        "encoding error that prints for ever",
        "multiprocessing.pool.MaybeEncodingError",
        call("multiprocessing.pool:MaybeEncodingError", DOUBLED, ""),
    )
    yield Hostile(
        "JSON error of a range", "json.decoder.JSONDecodeError", call("json.decoder:JSONDecodeError", "m", HUGE, 1)
    )
    yield Hostile("regex error of a namespace", "re.error", call("re:error", "m", NAMESPACE, 1))
    yield Hostile(
        "argument error of a namespace", "argparse.ArgumentError", call("argparse:ArgumentError", NAMESPACE, "m")
    )
    yield Hostile(
        "SAX error that asks its locator",
        "xml.sax._exceptions.SAXParseException",
        call("xml.sax._exceptions:SAXParseException", "m", None, NAMESPACE),
    )
    # functions and methods are values
    yield Hostile("listed function called", "builtins.len", call("builtins:len", "a"))
    yield Hostile("sorted called", "builtins.sorted", call("builtins:sorted", HUGE))
    yield Hostile("listed method called", "builtins.str.join", call("builtins:str.join", "", ["a"]))
    yield Hostile(
        "bound method called", "builtins.str.zfill", reduce(call("builtins:getattr", "x", "zfill"), literal(10**11))
    )
    yield Hostile("unlisted bound method", "builtins.str.format", call("builtins:getattr", "{0.__class__}", "format"))
    yield Hostile("random bytes called for", "secrets.token_hex", call("secrets:token_hex", 10**11))
    yield Hostile(
        "method of a pattern called",
        "re._compile.sub",
        reduce(call("builtins:getattr", Made(call("re:_compile", "(a+)+b", 0)), "sub"), text(""), text("a" * 40)),
    )
    yield Hostile("logger asked for", "logging.getLogger", call("logging:getLogger", "root"))
    yield Hostile("attrgetter", "operator.attrgetter", call("operator:attrgetter", "__class__"))


HOSTILE = list(hostile())
WITH_CANARY = POLICY | safepickle.Policy.from_yaml("safepickle: 1\nallow: {tests.victims: [{record: {use: [call]}}]}\n")


def test_there_are_hostile_streams_enough_and_each_has_a_name_of_its_own():
    assert len(HOSTILE) >= 60
    assert len({row.what for row in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("row", HOSTILE, ids=lambda row: row.what.replace(" ", "_"))
def test_a_hostile_argument_is_refused_before_anything_runs(row):
    """The canary before it, a listed function, is not called either; and what is refused is what the row is about."""
    data = pickled(4, "MARK", call("tests.victims:record"), row.program, "TUPLE")
    before = list(victims.RAN)
    for function in (safepickle.verify, safepickle.loads):
        with pytest.raises(safepickle.Forbidden) as refused:
            function(data, policy=WITH_CANARY)
        names = {(grant.module, grant.name) for grant in refused.value.missing}
        names.add((refused.value.module, refused.value.name))
        assert any(f"{module}.{name}" == row.refused for module, name in names), refused.value
    assert before == victims.RAN


def test_a_fraction_of_an_honest_zero_is_one_error_of_the_family():
    with pytest.raises(safepickle.ReconstructionError) as raised:
        safepickle.loads(pickled(4, call("fractions:Fraction", 1, 0)), policy=POLICY)
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


# --- Real files, where they are ---------------------------------------------------------------------------------------
#: The classes that the files' writers defined for themselves.
USERS_OWN = POLICY | safepickle.Policy.from_yaml("""
safepickle: 1
accept: [extensions]
allow:
  collections:
    - defaultdict: {use: [call], args: [[{global: corpus_types.Plain}]]}
  corpus_types:
    - Color
    - DC
    - DCF
    - GetState
    - IPerm
    - MyDict
    - MyFloat
    - MyInt
    - MyList
    - MyOD
    - MySet
    - MyStr
    - MyTuple
    - Num
    - OldStyle
    - Perm
    - Plain
    - Plain.Inner
    - Plain.Inner.Deep
    - Plain.cm: {use: [refer]}
    - Plain.method: {use: [refer]}
    - Point
    - ReduceEx
    - SE
    - Slots
    - SlotsDict
    - SINGLETON: {use: [refer]}
    - func: {use: [refer, call]}
""")
EXTENSION_CODES = {
    ("corpus_types", "Plain"): 240,
    ("corpus_types", "Slots"): 0x1234,
    ("corpus_types", "GetState"): 0x123456,
}
#: Families of files that stay out, by the name that keeps them out, and how many files there are of each.
STAY_OUT = {
    "stdlib/builtin_types": ("builtins.map calls what it is given", 6),
    "stdlib/codecs_info": ("codecs.CodecInfo is a table of functions", 6),
    "stdlib/concurrent_callitem": ("concurrent.futures.process._CallItem names what a worker runs", 6),
    "stdlib/configparser": ("functools.partial in every section", 6),
    "stdlib/importlib_metadata": ("importlib.metadata.EntryPoint names code to import", 6),
    "stdlib/itertools_more": ("builtins.iter would have to be built", 6),
    "stdlib/operator_objs": ("operator.itemgetter, attrgetter and methodcaller are universal resolvers", 7),
    "stdlib/typing": ("functools.reduce calls what it is given", 4),
    "stdlib/unittest_mock_call": ("unittest.mock._Call answers every method", 4),
    "stdlib/user_partial": ("functools.partial", 9),
    "stdlib_tools/futures_callitem_chunk": ("concurrent.futures.process._CallItem names what a worker runs", 2),
}
FOLDERS = ("stdlib", "cpython", "cpython_literals", "stdlib_tools", "app_patterns")


class Found(NamedTuple):
    """A file of the corpus, with what its manifest says of it."""

    path: str
    data: bytes
    facts: dict[str, Any]

    @property
    def family(self) -> str:
        """The file's folder and its name without the writer and the protocol."""
        return f"{self.facts['source']}/{Path(self.path).name.split('.')[0]}"


def corpus() -> list[Found]:
    """The files of the standard library's values, read from the archive; nothing is unpacked or loaded."""
    contents: dict[str, bytes] = {}
    facts: list[dict[str, Any]] = []
    with tarfile.open(CORPUS) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            if member.name.endswith("manifest.jsonl"):
                facts = [json.loads(line) for line in file.read().decode("utf-8").splitlines()]
            elif member.name.startswith(tuple(f"benign/{folder}/" for folder in FOLDERS)):
                contents[member.name] = file.read()
    mine = [row for row in facts if row["source"] in FOLDERS]
    return [Found(row["path"], contents[row["path"]], row) for row in mine]


def pickles_of(file: Found, index: bytes | None) -> list[bytes]:
    """The pickles in a file, by how its manifest says it is read.  `index` is the file beside a dbm's values."""
    how = file.facts["load"]
    if "length prefix" in how:
        return list(_prefixed(file.data))
    if "shelve" in how:
        if index is None:
            return []  # the index itself: no pickle in it
        entries = (ast.literal_eval(line) for line in index.decode("latin-1").splitlines() if line.strip())
        return [file.data[start : start + size] for _, (start, size) in entries]
    if "repeat" in how:
        return list(_in_a_row(file.data))
    return [file.data]


def _prefixed(data: bytes) -> Iterator[bytes]:
    while data:
        (size,) = struct.unpack(">I", data[:4])
        yield data[4 : 4 + size]
        data = data[4 + size :]


def _in_a_row(data: bytes) -> Iterator[bytes]:
    """Each pickle and what follows it: the position after a STOP is where the next one begins."""
    stream = io.BytesIO(data)
    while stream.tell() < len(data):
        yield data[stream.tell() :]
        safepickle.load(stream, policy=POLICY, encoding="latin1")


class _Persistent(safepickle.Unpickler):
    def persistent_load(self, pid):
        return f"the application's own {pid!r}"


def refusal_of(file: Found, index: bytes | None) -> str:
    """Why the policy refuses a file, or nothing."""
    policy = USERS_OWN if file.facts["requires"] or "shelve" in file.facts["load"] else POLICY
    try:
        for data in pickles_of(file, index):
            if "persistent_load" in file.facts["load"]:
                _Persistent(io.BytesIO(data), policy=policy, encoding="latin1").load()
            else:
                buffers = iter(()) if "buffers" in file.facts["load"] else None  # how many, only a load finds out
                safepickle.verify(data, policy=policy, encoding="latin1", buffers=buffers)
    except (safepickle.Forbidden, safepickle.MalformedStream) as error:
        return str(error)
    return ""


@pytest.fixture
def _extensions() -> Iterator[None]:
    for (module, name), code in EXTENSION_CODES.items():
        copyreg.add_extension(module, name, code)
    yield
    for (module, name), code in EXTENSION_CODES.items():
        copyreg.remove_extension(module, name, code)


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of real files is not beside the checkout")
@pytest.mark.usefixtures("_extensions")
def test_real_files_are_admitted_but_for_the_families_that_stay_out(capsys):
    files = corpus()
    indexes = {file.path: file.data for file in files if file.path.endswith((".bak", ".dir"))}
    refused: dict[str, list[str]] = {}
    for file in files:
        stem = file.path.removesuffix(".dat")
        index = indexes.get(stem + ".dir", indexes.get(stem + ".bak")) if stem != file.path else None
        if stem != file.path and index is None:
            index = b""  # a value file without its index: nothing says where its pickles are
        why = refusal_of(file, index)
        if why:
            refused.setdefault(file.family, []).append(f"{file.path}: {why}")
    count = sum(map(len, refused.values()))
    of_stdlib = [file for file in files if file.facts["source"] == "stdlib"]
    outside = sum(len(found) for family, found in refused.items() if family.startswith("stdlib/"))
    with capsys.disabled():
        print(f"\nstdlib admits {len(files) - count} of {len(files)} real files,", end=" ")
        print(f"{len(of_stdlib) - outside} of {len(of_stdlib)} of the folder stdlib")
    assert {family: len(found) for family, found in refused.items()} == {
        family: number for family, (_, number) in STAY_OUT.items()
    }, "\n".join(line for found in refused.values() for line in found)
    assert len(of_stdlib) - outside >= 0.89 * len(of_stdlib)


def test_each_family_that_stays_out_is_explained_in_the_policy_itself():
    told = (HERE.parent / "policies" / "stdlib.yaml").read_text(encoding="utf-8").partition("# -- Not here, and why")[2]
    for reason, _ in STAY_OUT.values():
        subject = reason.split(" ")[0].rstrip(",")
        assert subject.rsplit(".", 1)[-1] in told, reason


def test_the_grants_of_one_name_are_one_grant():
    """So that a reader of the file sees all that a name may be used for in one place."""
    own = {name: grants for name, grants in POLICY.data.grants.items() if name[0] != "builtins"}
    assert all(len(grants) == 1 and isinstance(grants[0], Grant) for grants in own.values())
