"""Names that hand out power whatever else a policy says: what no policy should ever list, each with its reason.

`lint` reports them and `learn` withholds them; the scanner calls those of them *dangerous* that do harm by themselves.
Rules:

* The list is advice, not the fence: a policy grants nothing that it does not list, and what is missing here is no less
  refused.  So the list names what people would list in good faith, and what attacks are known to use.
* A name is looked for under every spelling that leads to it: Python 2's, the C module behind it, an old place.
* Some modules hand out power by nearly everything in them; of these the harmless names are listed instead.
* Everything here is data about names; nothing is imported or looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from safepickle.policy.model import BUILD, CALL, EVERY_VERB, FILL, REFER, Name


class Module(NamedTuple):
    """A module that hands out power, with everything below it, but for some names."""

    reason: str
    harmless: frozenset[str] = frozenset()


def _module(reason: str, harmless: str = "") -> Module:
    return Module(reason, frozenset(harmless.split()))


_RUNS: Final = "starts programs, or changes files and the process"
_IMPORTS: Final = "imports or runs modules by name"
_CODE: Final = "makes or runs code"
_OPENS: Final = "opens files"
_CONNECTS: Final = "opens connections"
_READS: Final = "reads pickles by itself, so what is in them is under no policy"
_RESOLVES: Final = "reaches any attribute of whatever it is given"
_CALLS: Final = "calls what it is given"

#: By module, each with everything below it.
MODULES: Final = {
    "os": _module(
        _RUNS,
        (
            "DirEntry PathLike _make_stat_result _make_statvfs_result error fspath sched_param stat_result "
            "statvfs_result terminal_size times_result uname_result waitid_result"
        ),
    ),
    "posix": _module(
        _RUNS,
        (
            "DirEntry PathLike _make_stat_result _make_statvfs_result error fspath sched_param stat_result "
            "statvfs_result terminal_size times_result uname_result waitid_result"
        ),
    ),
    "nt": _module(
        _RUNS,
        (
            "DirEntry PathLike _make_stat_result _make_statvfs_result error fspath sched_param stat_result "
            "statvfs_result terminal_size times_result uname_result waitid_result"
        ),
    ),
    "subprocess": _module("starts programs", "CalledProcessError CompletedProcess SubprocessError TimeoutExpired"),
    "_posixsubprocess": _module("starts programs"),
    "_winapi": _module("starts programs"),
    "popen2": _module("starts programs"),
    "pty": _module("starts programs"),
    "pexpect": _module("starts programs", "exceptions.EOF exceptions.TIMEOUT"),
    "asyncio.subprocess": _module("starts programs"),
    "asyncio.unix_events": _module("starts programs"),
    "distutils": _module("starts programs, and runs setup scripts"),
    "numpy.distutils": _module("starts programs, and runs setup scripts"),
    "setuptools": _module("starts programs, and runs setup scripts"),
    "pip": _module("installs packages"),
    "ensurepip": _module("installs packages"),
    "venv": _module("starts programs"),
    "lib2to3": _module(_OPENS),
    "idlelib": _module("runs code and starts programs"),
    "sys": _module("is the interpreter's own state", "float_info hash_info int_info version_info"),
    "importlib": _module(_IMPORTS),
    "_frozen_importlib": _module(_IMPORTS),
    "_frozen_importlib_external": _module(_IMPORTS),
    "_imp": _module(_IMPORTS),
    "imp": _module(_IMPORTS),
    "pkgutil": _module(_IMPORTS),
    "runpy": _module(_IMPORTS),
    "zipimport": _module(_IMPORTS, "ZipImportError"),
    "site": _module("changes where modules are imported from"),
    "code": _module(_CODE),
    "codeop": _module(_CODE),
    "_pyrepl": _module(_CODE),
    "bdb": _module(_CODE, "BdbQuit"),
    "pdb": _module(_CODE),
    "trace": _module(_CODE),
    "timeit": _module(_CODE),
    "cProfile": _module(_CODE),
    "profile": _module(_CODE),
    "doctest": _module(_CODE, "DocTestFailure Example TestResults UnexpectedException"),
    "cffi": _module("calls C functions and reads any memory"),
    "ctypes": _module("calls C functions and reads any memory"),
    "_ctypes": _module("calls C functions and reads any memory"),
    "mmap": _module("maps files and memory"),
    "gc": _module("hands out every object of the process"),
    "inspect": _module(
        "hands out frames, sources and members of whatever it is given",
        (
            "ArgInfo ArgSpec Attribute BlockFinder ClassFoundException ClosureVars EndOfBlock FrameInfo "
            "FullArgSpec Parameter Parameter.empty Signature Signature.empty Traceback _ParameterKind _empty"
        ),
    ),
    "dis": _module("works on code objects", "Instruction Positions _Instruction"),
    "shutil": _module(
        "copies, moves and removes files",
        "Error ExecError ReadError RegistryError SameFileError SpecialFileError _ntuple_diskusage",
    ),
    "tempfile": _module(_OPENS, "SpooledTemporaryFile.name"),
    "fileinput": _module(_OPENS),
    "linecache": _module(_OPENS),
    "glob": _module("lists files"),
    "webbrowser": _module("starts programs", "Error"),
    "antigravity": _module("starts programs"),
    "multiprocessing": _module(
        "starts processes and unpickles what they send",
        (
            "context.AuthenticationError context.BufferTooShort context.ProcessError context.TimeoutError "
            "managers.Namespace managers.RemoteError managers.Token pool.MaybeEncodingError pool.RemoteTraceback"
        ),
    ),
    "concurrent.futures": _module(
        _CALLS,
        (
            "BrokenExecutor CancelledError InvalidStateError TimeoutError _base.BrokenExecutor "
            "_base.CancelledError _base.Error _base.InvalidStateError _base.TimeoutError "
            "process.BrokenProcessPool process._RemoteTraceback thread.BrokenThreadPool"
        ),
    ),
    "threading": _module(_CALLS, "BrokenBarrierError ExceptHookArgs ThreadError"),
    "_thread": _module(_CALLS, "RLock error"),
    "sched": _module(_CALLS),
    "atexit": _module(_CALLS),
    "signal": _module(
        "changes how the process handles signals",
        "Handlers ItimerError Sigmasks Signals default_int_handler itimer_error struct_siginfo",
    ),
    "pickle": _module(_READS, "PickleBuffer PickleError PicklingError UnpicklingError"),
    "_pickle": _module(_READS, "PickleBuffer PickleError PicklingError UnpicklingError"),
    "cPickle": _module(_READS, "PickleError PicklingError UnpicklingError"),
    "pickletools": _module("works on pickles"),
    "shelve": _module(_READS),
    "dbm": _module(_OPENS, "error"),
    "marshal": _module("makes code of bytes"),
    "dill": _module("makes functions, classes and modules from what a pickle says"),
    "cloudpickle": _module("makes functions, classes and modules from what a pickle says"),
    "jsonpickle": _module(_READS),
    "yaml": _module(
        "makes objects by the tags of a text",
        "YAMLError error.Mark error.MarkedYAMLError error.YAMLError",
    ),
    "socketserver": _module(_CONNECTS),
    "telnetlib": _module(_CONNECTS),
    "ftplib": _module(_CONNECTS, "Error error_perm error_proto error_reply error_temp"),
    "smtplib": _module(
        _CONNECTS,
        (
            "SMTPAuthenticationError SMTPConnectError SMTPDataError SMTPException SMTPHeloError "
            "SMTPNotSupportedError SMTPRecipientsRefused SMTPResponseException SMTPSenderRefused "
            "SMTPServerDisconnected"
        ),
    ),
    "imaplib": _module(_CONNECTS, "IMAP4.abort IMAP4.error IMAP4.readonly"),
    "poplib": _module(_CONNECTS, "error_proto"),
    "nntplib": _module(_CONNECTS),
    "urllib.request": _module(_CONNECTS),
    "requests": _module(_CONNECTS, "exceptions structures.CaseInsensitiveDict"),
    "paramiko": _module(_CONNECTS),
    "aiohttp": _module(_CONNECTS),
    "httpx": _module(_CONNECTS),
    "unittest.mock": _module("answers every attribute, and calls what it is told to"),
    "numpy.testing": _module("runs code from text"),
    "numpy.f2py": _module("starts programs, and evaluates text"),
    "torch.jit": _module(
        "loads and compiles code",
        (
            "_pickle.build_boollist _pickle.build_doublelist _pickle.build_intlist _pickle.build_tensor_from_id "
            "_pickle.build_tensorlist"
        ),
    ),
    "torch.utils.cpp_extension": _module("starts compilers and loads what they make"),
    "torch.hub": _module("downloads and runs code"),
    "torch._dynamo": _module("compiles and runs code"),
    "torch._inductor": _module("compiles and runs code"),
    "torch.fx": _module("makes code from text"),
    "torch.utils.collect_env": _module("starts programs"),
    "torch.utils.bottleneck": _module(_CODE),
    "torch.utils.data.datapipes.utils.decoder": _module(_READS),
    "torch.utils._config_module": _module(_READS),
    "_osx_support": _module("starts programs"),
    "_aix_support": _module("starts programs"),
    "test": _module("starts programs and runs code"),
    "torch.distributed": _module(_CONNECTS),
    "torch.multiprocessing": _module("opens memory that is shared with other processes"),
}

#: Of these modules, names in capitals are numbers.
_WITH_CONSTANTS: Final = frozenset({"os", "posix", "nt", "signal", "subprocess", "inspect", "mmap"})

#: By module, and there by reason; what is inside a listed class is meant too.
_NAMES: Final = {
    "builtins": {
        _CODE: "eval exec compile execfile breakpoint",
        _IMPORTS: "__import__ __build_class__ reload",
        _RESOLVES: "getattr setattr delattr hasattr vars dir property super classmethod staticmethod",
        "hands out the variables of the program": "globals locals",
        _OPENS: "open file",
        _CALLS: "map filter apply iter sorted max min",
        "asks the user": "input raw_input help",
        "ends the process": "exit quit",
        "reads the memory of whatever it is given": "memoryview buffer",
    },
    "_operator": {
        _RESOLVES: "attrgetter",
        "calls any method of whatever it is given": "methodcaller",
        _CALLS: "call",
        "reads or changes any item of whatever it is given": "getitem setitem delitem itemgetter",
        "changes what it is given, if that can be changed": "iadd iand iconcat ior ixor isub imul imatmul",
    },
    "functools": {
        _CALLS: (
            "partial partialmethod reduce cached_property singledispatch singledispatchmethod cmp_to_key "
            "lru_cache _lru_cache_wrapper"
        ),
        _RESOLVES: "update_wrapper wraps",
    },
    "itertools": {
        _CALLS: "accumulate starmap groupby filterfalse dropwhile takewhile",
    },
    "types": {
        _CODE: "CodeType FunctionType LambdaType",
        _CALLS: "MethodType DynamicClassAttribute coroutine",
        "makes classes": "new_class resolve_bases prepare_class",
        "makes modules": "ModuleType",
        "hands out what a function has closed over": "CellType FrameType",
    },
    "copyreg": {
        "changes how the whole process pickles": (
            "pickle constructor add_extension remove_extension clear_extension_cache"
        ),
        _RESOLVES: "__reduce_ex__ _reduce_ex",
    },
    "_io": {_OPENS: "open open_code FileIO TextIOWrapper BufferedReader BufferedWriter BufferedRandom OpenWrapper"},
    "codecs": {
        _OPENS: "open",
        "imports modules named like encodings": (
            "lookup encode decode getreader getwriter EncodedFile register StreamReader StreamWriter"
        ),
    },
    "_codecs": {"imports modules named like encodings": "lookup decode register"},
    "pathlib": {
        _OPENS: (
            "Path.open Path.read_bytes Path.read_text Path.write_bytes Path.write_text Path.unlink Path.rmdir "
            "Path.rename Path.chmod Path.touch Path.mkdir Path.symlink_to Path.replace"
        ),
    },
    "pydoc": {
        _IMPORTS: "locate safeimport resolve",
        "starts programs": "pipepager tempfilepager getpager",
        _CONNECTS: "browse apropos",
    },
    "uuid": {"starts programs": "_get_command_stdout _find_mac_near_keyword _find_mac_under_heading"},
    "logging.config": {
        _IMPORTS: (
            "dictConfig fileConfig listen valid_ident _resolve BaseConfigurator.resolve BaseConfigurator ConvertingDict"
        ),
    },
    "logging.handlers": {
        _CONNECTS: "SocketHandler DatagramHandler SysLogHandler HTTPHandler SMTPHandler",
        _OPENS: "RotatingFileHandler TimedRotatingFileHandler WatchedFileHandler",
    },
    "logging": {_OPENS: "FileHandler basicConfig"},
    "socket": {_CONNECTS: "socket create_connection create_server fromfd socketpair getaddrinfo gethostbyname"},
    "_socket": {_CONNECTS: "socket"},
    "ssl": {_CONNECTS: "SSLSocket get_server_certificate wrap_socket"},
    "http.client": {_CONNECTS: "HTTPConnection HTTPSConnection HTTPSConnection.request HTTPConnection.request"},
    "xmlrpc.client": {_CONNECTS: "ServerProxy Server _Method"},
    "asyncio": {_CONNECTS: "open_connection create_subprocess_exec create_subprocess_shell run"},
    "platform": {"starts programs": "popen _syscmd_uname _syscmd_ver _syscmd_file uname architecture processor"},
    "unittest.loader": {_IMPORTS: "TestLoader.loadTestsFromName TestLoader.discover TestLoader"},
    "unittest.main": {_IMPORTS: "TestProgram main"},
    "py_compile": {_CODE: "compile main"},
    "compileall": {_CODE: "compile_dir compile_file compile_path"},
    "ast": {_CODE: "parse literal_eval"},
    "zipfile": {_OPENS: "ZipFile PyZipFile Path"},
    "tarfile": {_OPENS: "TarFile TarFile.open open"},
    "gzip": {_OPENS: "GzipFile open"},
    "bz2": {_OPENS: "BZ2File open"},
    "lzma": {_OPENS: "LZMAFile open"},
    "sqlite3": {_OPENS: "connect Connection"},
    "_sqlite3": {_OPENS: "connect Connection"},
    "weakref": {_CALLS: "finalize"},
    "contextlib": {_CALLS: "ExitStack AsyncExitStack contextmanager redirect_stdout redirect_stderr"},
    "mimetypes": {_OPENS: "MimeTypes read_mime_types init"},
    "string": {_RESOLVES: "Formatter.format Formatter.vformat Formatter.get_field"},
    "typing": {"evaluates annotations": "get_type_hints _eval_type ForwardRef._evaluate"},
    "collections": {_CODE: "namedtuple"},
    "dataclasses": {_CODE: "make_dataclass"},
    "enum": {"makes classes": "EnumMeta EnumType"},
    "numpy": {
        _OPENS: (
            "load save savez loadtxt genfromtxt fromfile memmap DataSource open_memmap ndarray.dump ndarray.tofile"
        ),
        "makes functions of what it is given": "vectorize frompyfunc",
    },
    "numpy.lib.npyio": {_READS: "load NpzFile DataSource"},
    "numpy.lib._npyio_impl": {_READS: "load NpzFile"},
    "numpy.lib.format": {_READS: "read_array open_memmap"},
    "numpy.core.multiarray": {_OPENS: "fromfile"},
    "numpy._core.multiarray": {_OPENS: "fromfile"},
    "numpy.core.memmap": {_OPENS: "memmap"},
    "numpy._core.memmap": {_OPENS: "memmap"},
    "numpy.compat.py3k": {_IMPORTS: "npy_load_module open_latin1"},
    "pandas": {
        _READS: "read_pickle eval",
        _OPENS: "read_csv read_hdf read_parquet read_json read_sql ExcelFile HDFStore read_excel read_table",
    },
    "pandas.io.pickle": {_READS: "read_pickle to_pickle"},
    "pandas.core.computation.eval": {_CODE: "eval"},
    "pandas.core.frame": {_CODE: "DataFrame.eval DataFrame.query DataFrame.apply DataFrame.pipe"},
    "pandas.compat.pickle_compat": {_READS: "load loads Unpickler"},
    "scipy.io": {_OPENS: "loadmat savemat"},
    "joblib": {_READS: "load", _OPENS: "dump Memory", _CALLS: "Parallel delayed"},
    "joblib.numpy_pickle": {
        _READS: "load NumpyUnpickler",
        "opens files that the pickle names": "NDArrayWrapper ZNDArrayWrapper",
    },
    "joblib.numpy_pickle_compat": {
        _READS: "load_compatibility",
        "opens files that the pickle names": "NDArrayWrapper ZNDArrayWrapper",
    },
    "joblib._memmapping_reducer": {_OPENS: "_strided_from_memmap reduce_memmap"},
    "sklearn.externals.joblib.numpy_pickle": {
        "opens files that the pickle names": "NDArrayWrapper ZNDArrayWrapper",
        _READS: "load",
    },
    "torch": {_READS: "load", _OPENS: "save", _CODE: "compile"},
    "torch.serialization": {_READS: "load _load _legacy_load", _OPENS: "save"},
    "torch.storage": {_READS: "_load_from_bytes"},
    "torch._utils": {_IMPORTS: "_import_dotted_name"},
    "torch.utils._import_utils": {_IMPORTS: "dill_available"},
    "torch.utils.model_zoo": {_CONNECTS: "load_url"},
    "pyarrow.lib": {_READS: "deserialize", _OPENS: "OSFile memory_map MemoryMappedFile"},
    "django.utils.module_loading": {_IMPORTS: "import_string"},
    "django.core.management": {_RUNS: "execute_from_command_line call_command"},
    "werkzeug.utils": {_IMPORTS: "import_string"},
    "celery.utils.imports": {_IMPORTS: "symbol_by_name"},
    "kombu.utils.imports": {_IMPORTS: "symbol_by_name"},
    "celery.app.task": {_CALLS: "Task.apply Task.__call__"},
    "celery.app.registry": {_IMPORTS: "_unpickle_task _unpickle_task_v2"},
    "celery.app.utils": {_CALLS: "_unpickle_app _unpickle_app_v2"},
    "celery.backends.base": {_CALLS: "unpickle_backend"},
    "kombu.abstract": {_CALLS: "unpickle_dict"},
    "kombu.utils.functional": {_CALLS: "lazy"},
    "django.utils.functional": {_CALLS: "_lazy_proxy_unpickle"},
    "pydantic.errors": {_CALLS: "cls_kwargs"},
    "pydantic.v1.errors": {_CALLS: "cls_kwargs"},
    "zope.dottedname.resolve": {_IMPORTS: "resolve"},
    "twisted.python.reflect": {_IMPORTS: "namedAny namedObject namedModule"},
    "jinja2": {_CODE: "Template Environment Environment.from_string"},
    "jinja2.environment": {_CODE: "Template Environment"},
    "mako.template": {_CODE: "Template"},
    "sympy.parsing.sympy_parser": {_CODE: "parse_expr eval_expr"},
    "sympy.core.sympify": {_CODE: "sympify"},
    "sympy.utilities.lambdify": {_CODE: "lambdify"},
    "keras.models": {_READS: "load_model model_from_json"},
    "keras.layers.core": {_CODE: "Lambda"},
    "tensorflow.python.keras.layers.core": {_CODE: "Lambda"},
    "xgboost.core": {_OPENS: "Booster.load_model Booster.save_model"},
    "nltk": {_READS: "data.load"},
    "IPython": {_CODE: "embed start_ipython"},
}

#: Ways in which the same module is spelled.  Python 2's names are read by pickle's own table.
_SAME: Final = {
    "__builtin__": "builtins", "operator": "_operator", "_functools": "functools", "copy_reg": "copyreg", "io": "_io",
    "_types": "types", "pathlib._local": "pathlib", "_weakref": "weakref",
    "_testcapi": "ctypes", "_testinternalcapi": "ctypes", "_xxsubinterpreters": "runpy", "_interpreters": "runpy",
    "_imp": "importlib", "asyncio.base_subprocess": "asyncio.subprocess",
}  # fmt: skip

#: Last parts of names that say what they do, wherever they are.
_TELLING: Final = {
    **dict.fromkeys(("eval", "exec", "execfile", "runstring", "runcode", "runsource", "run_code"), _CODE),
    **dict.fromkeys(("import_module", "_import_module", "__import__", "import_string", "load_module"), _IMPORTS),
    **dict.fromkeys(("exec_module", "dynamic_subimport", "subimport", "symbol_by_name"), _IMPORTS),
    **dict.fromkeys(("system", "popen", "Popen", "check_output", "getoutput", "spawn"), _RUNS),
    **dict.fromkeys(("load", "loads", "read_pickle", "unpickle", "load_pickle", "Unpickler"), _READS),
    **dict.fromkeys(("open", "fromfile", "memmap"), _OPENS),
    **dict.fromkeys(("urlopen", "urlretrieve"), _CONNECTS),
    **dict.fromkeys(("attrgetter", "__getattribute__"), _RESOLVES),
    "methodcaller": _CALLS,
}

#: Names whose call gives what the whole process shares: nothing that a stream may change.
_SHARED_REASON: Final = "gives an object that the whole process shares, and `build` or `fill` would change it"
_SHARED: Final = {
    "datetime": "timezone",
    "enum": "Enum IntEnum Flag IntFlag StrEnum",
    "http": "HTTPStatus HTTPMethod",
    "inspect": "_ParameterKind",
    "logging": "getLogger Logger",
    "plistlib": "PlistFormat",
    "pytz": "_UTC _p timezone utc",
    "re": "compile _compile RegexFlag",
    "select": "epoll",
    "signal": "Signals Handlers Sigmasks",
    "socket": "AddressFamily SocketKind MsgFlag AddressInfo",
    "ssl": "TLSVersion AlertDescription SSLErrorNumber Options Purpose VerifyFlags VerifyMode",
    "sys": "intern",
    "uuid": "SafeUUID",
    "zoneinfo": "ZoneInfo",
}

#: Dangerous when they are called.  As values, never called by a stream, they are what an option or a default is.
_CALLED: Final = {
    "builtins": "classmethod filter iter map max memoryview min property sorted staticmethod super",
    "itertools": "accumulate groupby starmap",
    # The class of an array that was in a file: _reconstruct makes one in memory, and does not call it.
    "numpy": "memmap",
    "numpy.core.memmap": "memmap",
    "numpy._core.memmap": "memmap",
}
#: Dangerous only where a policy does not say what they are called with.
_BOUNDED: Final = {
    "_operator": "getitem itemgetter",
    "numpy": "vectorize",
    "kombu.abstract": "unpickle_dict",
    "pydantic.errors": "cls_kwargs",
    "pydantic.v1.errors": "cls_kwargs",
}


def _canonical(module: str, name: str) -> Iterator[Name]:
    """The name as Python 3 spells it, and where it really is."""
    from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

    found = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    yield found
    if found[0] in _SAME:
        yield _SAME[found[0]], found[1]


#: Modules that others import under this name: `pathlib.os.system` asks for what `os.system` is.
_IMPORTED: Final = frozenset({
    "builtins", "ctypes", "importlib", "io", "marshal", "nt", "operator", "os", "pickle", "posix", "runpy", "shutil",
    "socket", "subprocess", "sys", "types",
})  # fmt: skip


def _readings(module: str, name: str) -> Iterator[Name]:
    """Every name that this one may turn out to be."""
    yield from _canonical(module, name)
    parts = name.split(".")
    for cut in range(1, len(parts)):
        if parts[cut - 1] in _IMPORTED:
            yield from _canonical(parts[cut - 1], ".".join(parts[cut:]))
    outer, _, inner = module.rpartition(".")
    if inner in {word for words in _NAMES.get(outer, {}).values() for word in words.split()}:
        yield outer, f"{inner}.{name}"  # what is inside a listed class


def danger(module: str, name: str, verbs: frozenset[str] = EVERY_VERB, *, bounded: bool = False) -> str | None:
    """Why no policy should list this name with these verbs, or None where nothing is known against it.

    `bounded` says that the policy states the arguments of its calls.
    """
    for spelled, called in _readings(module, name):
        if (verbs == {REFER} and _names(_CALLED, spelled, called)) or (bounded and _names(_BOUNDED, spelled, called)):
            return None
        reason = _of_name(spelled, called) or _of_module(spelled, called)
        if reason:
            return reason
    return None


#: Reasons of what does no harm by itself: what it calls, looks into or makes a class of has a name in the stream too.
_TRAMPOLINES: Final = frozenset({
    _CALLS, "calls any method of whatever it is given", "reads or changes any item of whatever it is given",
    "makes functions of what it is given", "makes classes", "hands out what a function has closed over",
    *(f"the module {module} {_CALLS}" for module in MODULES),
})  # fmt: skip
#: Likewise by name: programs write these, and what an attacker would do with them takes another name.
_HARMLESS_ALONE: Final = {
    "_operator": "attrgetter iadd iand iconcat ior ixor isub imul imatmul",
    "builtins": "buffer classmethod dir hasattr memoryview property staticmethod super",
    "cloudpickle.cloudpickle": "_make_skeleton_class _make_skeleton_enum _make_typevar",
    "collections": "namedtuple",
    "dataclasses": "make_dataclass",
    "dill._dill": "_load_type",
    "functools": "update_wrapper wraps",
    "importlib.metadata": "EntryPoint",
    "string": "Formatter.format Formatter.vformat Formatter.get_field",
    "types": "ModuleType",
    "unittest.mock": "_Call",
}


def gadget(module: str, name: str, verbs: frozenset[str] = EVERY_VERB) -> str | None:
    """What harm a stream can do with this name and these verbs alone, or None where none is known.

    Of what `danger` knows, it leaves out what depends on another name, which is judged itself.
    """
    reason = danger(module, name, verbs)
    if reason is None or reason in _TRAMPOLINES:
        return None
    spellings = _readings(module, name)
    return None if any(_names(_HARMLESS_ALONE, spelled, called) for spelled, called in spellings) else reason


def _names(table: dict[str, str], module: str, name: str) -> bool:
    return name in table.get(module, "").split()


def _of_name(module: str, name: str) -> str | None:
    parts = name.split(".")
    whole = {".".join(parts[:cut]) for cut in range(1, len(parts) + 1)}
    return next((reason for reason, names in _NAMES.get(module, {}).items() if whole & {*names.split()}), None)


def _of_module(module: str, name: str) -> str | None:
    parts = module.split(".")
    for cut in range(1, len(parts) + 1):
        known = MODULES.get(".".join(parts[:cut]))
        below = ".".join([*parts[cut:], name])
        is_harmless = known and known.harmless & {name, below, below.split(".")[0]}
        if known and not is_harmless and not (cut == 1 and _is_constant(parts[0], name)):
            return f"the module {'.'.join(parts[:cut])} {known.reason}"
    return None


def _is_constant(module: str, name: str) -> bool:
    return module in _WITH_CONSTANTS and name.isupper()


def telling(name: str) -> str | None:
    """What the last part of a name says that it does, where that is a power; for names that are not on the list."""
    said = _TELLING.get(name.rpartition(".")[2])
    return said and f"by its name it {said}"


def shared(module: str, name: str, verbs: frozenset[str]) -> str | None:
    """Why these verbs would change what the whole process shares, where that is known."""
    if not verbs & {BUILD, FILL}:
        return None
    known = any(_names(_SHARED, spelled, called) for spelled, called in _canonical(module, name))
    return _SHARED_REASON if known else None


#: Verbs in the names of functions that make objects again, or hand them out.
_MAKING: Final = frozenset({
    "build", "construct", "create", "ctor", "from", "get", "load", "make", "new", "read", "rebuild", "reconstruct",
    "restore", "unpickle",
})  # fmt: skip


def changes_result(name: str, verbs: frozenset[str]) -> str | None:
    """What the author of a policy is to be asked about a function whose result a stream may change."""
    changing = " and ".join(verb for verb in (BUILD, FILL) if verb in verbs)
    if not changing or CALL not in verbs or not _reads_as_function(name):
        return None
    return (
        f"is called, by its name a function, and then changed ({changing}): "
        "is what it returns always a fresh object, which nobody else holds?"
    )


def _reads_as_function(name: str) -> bool:
    """Whether a name says that it is a function's: by a verb that classes are not named by."""
    last = name.rpartition(".")[2]
    if last[:1].isupper():
        return False
    return not _MAKING.isdisjoint(last.lower().split("_")) or last.endswith("reconstruct")
