"""The packaged policies for libraries: what they admit, what they never grant, and what the library itself says.

Each pack is proved twice: by pickles of several releases that are carried (`data/packs`), which need no library, and
by the zoo of the installed one (`tests/packs`), where there is one.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import pickle
import sys
import tarfile
import warnings
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import safepickle
from safepickle import Policy
from safepickle.policy.lint import RULES, lint
from safepickle.policy.model import BUILD, CALL, FILL, VERBS
from safepickle.policy.powers import danger, telling
from tests.assembler import literal, named, newobj, pickled, reduce, text
from tests.packs import judging, measuring, walking, writing
from tests.same import difference
from tests.test_memory import Made, call, ref, step, with_state

PACKS = measuring.packs()
CORPUS = Path(__file__).parent.parent.parent / "shared" / "corpus" / "benign.tar.xz"


def test_every_zoo_has_a_policy_and_every_library_is_an_extra():
    import tomllib

    project = tomllib.loads(Path(__file__).parent.parent.joinpath("pyproject.toml").read_text("utf-8"))["project"]
    called = {"sklearn": "scikit-learn", "dateutil": "python-dateutil", "xgboost": "xgboost-cpu"}
    assert len(PACKS) >= 17
    assert set(PACKS) <= set(Policy.names())
    # All but torch, which is larger than the rest together.
    assert {called.get(pack, pack) for pack in PACKS} - {"torch"} <= {
        name.split(">")[0] for name in project["optional-dependencies"]["packs"]
    }


@pytest.mark.parametrize("pack", PACKS)
def test_lint_has_nothing_to_say_of_a_pack(pack):
    assert [str(remark) for remark in lint(Policy.named(pack))] == []
    assert RULES["never-grant"][0] == "error"


@pytest.mark.parametrize("pack", PACKS)
def test_what_is_called_and_then_changed_says_what_it_is_given(pack):
    """A result of a call is changed only where arguments, state or attributes are spelled out."""
    policy = Policy.named(pack)
    for name in measuring.own(policy, pack):
        for grant in policy.data.grants[name]:
            if CALL in grant.verbs and grant.verbs & {BUILD, FILL}:
                assert grant.args is not None, name
            assert not grant.plain, f"{name}: a plain name grants its call with any arguments"
            if CALL in grant.verbs:
                assert grant.args is not None, name


#: Names that attacks are known to use, and that other scanners call dangerous.
GADGETS = """
builtins.eval builtins.exec builtins.compile builtins.open builtins.getattr builtins.setattr builtins.map
builtins.__import__ builtins.globals builtins.vars os.system os.popen posix.system nt.system subprocess.Popen
subprocess.check_output subprocess.run importlib.import_module pkgutil.resolve_name pydoc.locate runpy.run_path
functools.partial functools.reduce operator.attrgetter operator.methodcaller operator.itemgetter _operator.attrgetter
pickle.loads _pickle.loads pickle.Unpickler marshal.loads types.FunctionType types.CodeType ctypes.CDLL io.open
_io.FileIO codecs.open socket.socket webbrowser.open shutil.rmtree timeit.timeit code.InteractiveInterpreter pdb.run
numpy.load numpy.save numpy.loadtxt numpy.genfromtxt numpy.fromfile numpy.memmap numpy.DataSource numpy.frompyfunc
numpy.lib.npyio.load numpy.lib.npyio.DataSource numpy.lib._npyio_impl.load numpy.lib.format.read_array
numpy.lib.format.open_memmap numpy.core.multiarray.fromfile numpy._core.multiarray.fromfile numpy.core.memmap.memmap
numpy._core.memmap.memmap numpy.testing._private.utils.runstring numpy.testing.utils.runstring
numpy.testing._private.utils.measure numpy.testing.runstring numpy.f2py.crackfortran.getlincoef
numpy.f2py.crackfortran._eval_length numpy.f2py.crackfortran.param_eval numpy.f2py.compile
numpy.distutils.exec_command.exec_command numpy.distutils.misc_util.exec_mod_from_location numpy.safe_eval
numpy.compat.py3k.npy_load_module numpy.core._internal._ctypes numpy.ctypeslib.load_library numpy.apply_along_axis
numpy.fromfunction numpy.piecewise numpy.fromstring numpy.asarray numpy.zeros numpy.ones numpy.empty numpy.ndarray
pandas.eval pandas.read_pickle pandas.read_csv pandas.read_hdf pandas.core.computation.eval.eval
pandas.core.frame.DataFrame.eval pandas.core.frame.DataFrame.query pandas.DataFrame.eval pandas.DataFrame.query
pandas.DataFrame.apply pandas.DataFrame.pipe pandas.io.pickle.read_pickle pandas.compat.pickle_compat.load
pandas.compat.pickle_compat.loads pandas.io.common.urlopen pandas.io.parsers.readers.read_csv pandas.to_pickle
pandas.HDFStore pandas.ExcelFile pandas.core.generic.NDFrame.to_pickle pandas.concat pandas.to_datetime
scipy.io.loadmat scipy.io.savemat scipy.io.matlab.loadmat scipy.optimize.minimize scipy.integrate.quad
scipy.LowLevelCallable scipy._lib._ccallback.LowLevelCallable scipy.weave.inline scipy.datasets.face
sklearn.datasets.load_svmlight_file sklearn.datasets.fetch_openml sklearn.datasets._base.load_files
sklearn.utils.fixes.parse_version sklearn.utils._testing.assert_run_python_script sklearn.externals.joblib.load
sklearn.externals.joblib.numpy_pickle.load sklearn.externals.joblib.numpy_pickle.NDArrayWrapper
sklearn.externals.joblib.numpy_pickle.ZNDArrayWrapper
joblib.load joblib.dump joblib.Memory joblib.Parallel joblib.delayed joblib.numpy_pickle.load
joblib.numpy_pickle.NumpyUnpickler joblib.numpy_pickle.NDArrayWrapper joblib.numpy_pickle.ZNDArrayWrapper
joblib.numpy_pickle_compat.NDArrayWrapper joblib.numpy_pickle_compat.ZNDArrayWrapper
joblib.numpy_pickle_compat.load_compatibility joblib._memmapping_reducer._strided_from_memmap
joblib.externals.cloudpickle.loads joblib.externals.loky.backend.spawn.main joblib.memory.Memory
joblib.func_inspect.get_func_code joblib._parallel_backends.LokyBackend
dateutil.tz.gettz dateutil.tz.tz.gettz dateutil.parser.parse dateutil.zoneinfo.rebuild.rebuild pytz.timezone
pytz.open_resource pytz.tzfile.build_tzinfo pyarrow.lib.deserialize pyarrow.lib.memory_map pyarrow.lib.OSFile
torch.load torch.save torch.compile torch.serialization.load torch.serialization._load torch.serialization._legacy_load
torch.storage._load_from_bytes torch.storage.UntypedStorage.from_file torch.storage.TypedStorage.from_file
torch.from_file torch.storage._TypedStorage._new_shared_filename torch.hub.load torch.hub.load_state_dict_from_url
torch.classes.load_library torch.ops.load_library torch.jit.load torch.jit.script
torch.jit._script.unpackage_script_module torch.jit.unsupported_tensor_ops.execWrapper
torch.fx.graph_module.reduce_graph_module torch.fx.Interpreter torch.package.package_importer.PackageImporter
torch.utils.cpp_extension.load torch.utils.model_zoo.load_url torch.utils.data.DataLoader
torch.utils.data.dataloader.DataLoader torch.utils._config_module.load_config torch.utils.collect_env.run
torch.utils.bottleneck.__main__.run_autograd_prof torch._utils._import_dotted_name
torch._utils._rebuild_wrapper_subclass torch._utils._rebuild_nested_tensor
torch._utils._rebuild_device_tensor_from_numpy torch._tensor._rebuild_from_type torch._dynamo.guards.GuardBuilder.get
torch._inductor.codecache.compile_file torch.multiprocessing.reductions.rebuild_storage_filename
torch.multiprocessing.reductions.rebuild_cuda_tensor torch.distributed.rpc.rref_proxy._local_invoke torch.onnx.export
torch.nn.Module.apply torch.nn.modules.module.Module.apply torch.nn.modules.module.Module.register_forward_hook
torch.nn.modules.lazy.LazyModuleMixin._infer_parameters xgboost.Booster.load_model xgboost.core.Booster.load_model
xgboost.core.Booster.save_model xgboost.core._load_lib xgboost.core.DMatrix xgboost.core.from_cstr_to_pystr
xgboost.sklearn.XGBModel.load_model xgboost.dask.train lightgbm.Booster.model_from_string
lightgbm.basic.Booster.save_model lightgbm.basic._load_lib lightgbm.basic.Dataset lightgbm.libpath.find_lib_path
lightgbm.engine.train lightgbm.dask.DaskLGBMModel cloudpickle.loads dill.loads dill._dill._create_code
PIL.Image.open PIL.Image.frombuffer PIL.Image.core.new PIL.ImageFont.FreeTypeFont PIL.ImageFont.truetype
PIL.ImageFont.load PIL.ImageMath.eval PIL.ImageMath.unsafe_eval PIL.ImageGrab.grab PIL.ImageShow.Viewer
PIL.EpsImagePlugin.Ghostscript PIL.ImageFile.Parser PIL.PdfParser.PdfParser PIL.ImageFile.ImageFile shapely.from_wkt
shapely.io.from_geojson shapely.wkb.load shapely.speedups.enable shapely.geos.WKBReader networkx.read_gpickle
networkx.readwrite.gpickle.read_gpickle networkx.read_edgelist networkx.utils.configs.Config
networkx.utils.configs.Config._deserialize networkx.utils.backends._restore_dispatchable networkx.utils.misc.open_file
networkx.drawing.nx_agraph.view_pygraphviz networkx.relabel.relabel_nodes pydantic.types.ImportString
pydantic.v1.types.PyObject pydantic.v1.utils.import_string pydantic.utils.import_string
pydantic._internal._validators.import_string pydantic.create_model pydantic.main.create_model pydantic.validate_call
pydantic.parse_raw pydantic.v1.parse.load_str_bytes pydantic.v1.tools.parse_file_as pydantic.deprecated.parse.load_file
pydantic.type_adapter.TypeAdapter pydantic_core.SchemaValidator pydantic_core._pydantic_core.SchemaValidator
kombu.connection.Connection kombu.serialization.loads kombu.serialization.pickle_loads
kombu.utils.imports.symbol_by_name kombu.utils.functional.lazy kombu.utils.functional.promise
kombu.utils.functional.maybe_evaluate kombu.compression.decompress kombu.messaging.Producer kombu.clocks.LamportClock
kombu.utils.objects.cached_property kombu.transport.resolve_transport celery.app.base._unpickle_appattr
celery.app.base.Celery celery.app.utils._unpickle_app celery.app.utils._unpickle_app_v2
celery.app.registry._unpickle_task celery.app.registry._unpickle_task_v2 celery.backends.base.unpickle_backend
celery.utils.imports.instantiate celery.utils.imports.symbol_by_name celery.utils.imports.import_from_cwd
celery.result.AsyncResult celery.result.GroupResult celery.canvas.Signature celery.canvas._chord celery.canvas.chord
celery.events.state._depickle_task celery.local.Proxy celery.local.PromiseProxy celery.utils.functional.mlazy
celery.utils.serialization.create_exception_cls celery.utils.serialization.find_pickleable_exception
celery.platforms.setuid billiard.process.Process billiard.reduction.rebuild_handle billiard.connection.Client
billiard.managers.RebuildProxy billiard.pool.Pool billiard.sharedctypes.rebuild_ctype billiard.einfo.Traceback.Frame
vine.promises.promise django.db.models.base.model_unpickle django.db.models.query.QuerySet
django.db.models.sql.query.Query django.db.models.expressions.RawSQL django.db.models.expressions.Func
django.utils.functional._lazy_proxy_unpickle django.utils.functional.unpickle_lazyobject django.utils.functional.lazy
django.utils.functional.SimpleLazyObject django.utils.functional.LazyObject
django.utils.translation._lazy_number_unpickle django.utils.module_loading.import_string
django.utils.datastructures.DictWrapper django.core.files.base.File django.core.files.uploadedfile.TemporaryUploadedFile
django.core.files.storage.FileSystemStorage django.core.management.call_command
django.core.cache.backends.filebased.FileBasedCache django.http.response.FileResponse
django.http.response.StreamingHttpResponse django.template.base.Template django.template.loader.render_to_string
django.test.utils.override_settings django.conf.LazySettings django.contrib.sessions.serializers.PickleSerializer
django.core.serializers.deserialize django.views.debug.ExceptionReporter
django.db.models.fields.related_descriptors.create_reverse_many_to_one_manager django.apps.registry.Apps.get_model
django.core.validators.RegexValidator django.contrib.gis.geos.GEOSGeometry django.db.models.fields._empty
__builtin__.apply __builtin__.compile __builtin__.eval __builtin__.exec __builtin__.getattr __builtin__.globals
__future__._ssl.RAND_bytes _aix_support._read_cmd_output _interpreters.create _io.open _operator.methodcaller
_osx_support._find_build_tool _osx_support._read_output _pyrepl.pager.pipe_pager _xxsubinterpreters.create
aiohttp.client.ClientSession ast.parse asyncio.unix_events._UnixSubprocessTransport._start bdb.Bdb bdb.Bdb.run
builtins.eval.__call__ builtins.input builtins.print cProfile.run cProfile.runctx cloudpickle.cloudpickle._builtin_type
cloudpickle.cloudpickle._function_setstate cloudpickle.cloudpickle._make_cell cloudpickle.cloudpickle._make_empty_cell
cloudpickle.cloudpickle._make_function cloudpickle.cloudpickle.subimport code.InteractiveInterpreter.runcode
distutils.file_util.write_file doctest.debug_script ensurepip._run_pip fickling.hook.deactivate_safe_ml_environment
fickling.hook.remove_hook ftplib.FTP httplib.HTTPSConnection idlelib.autocomplete.AutoComplete.fetch_completions
idlelib.autocomplete.AutoComplete.get_entity idlelib.calltip.Calltip.fetch_tip idlelib.calltip.get_entity
idlelib.debugobj.ObjectTreeItem.SetText idlelib.pyshell.ModifiedInterpreter.runcode
idlelib.pyshell.ModifiedInterpreter.runcommand idlelib.run.Executive.runcode imaplib.IMAP4 imaplib.IMAP4_stream
io.FileIO lib2to3.pgen2.grammar.Grammar.loads lib2to3.pgen2.pgen.ParserGenerator.make_label logging.FileHandler
macos.system multiprocessing.util.spawnv_passfds nntplib.NNTP numpy.__builtins__ os.cpu_count os.environ
os.environ.items pathlib.os.system pip.main poplib.POP3 profile.Profile.run profile.Profile.runctx profile.run pty.spawn
pydoc.pipepager requests.api.get runpy._run_code smtplib.SMTP socket.create_connection ssl.get_server_certificate
sys.exit telnetlib.Telnet test.support.script_helper.assert_python_ok
torch.distributed.elastic.rendezvous.api.basichandlers
torch.fx.experimental.symbolic_shapes.ShapeEnv.evaluate_guards_expression torch.utils._config_module.ConfigModule
torch.utils._config_module.ConfigModule.load_config torch.utils.bottleneck.__main__.run_cprofile
torch.utils.collect_env.run_and_read_all torch.utils.data.datapipes.utils.decoder.basichandlers trace.Trace.run
trace.Trace.runctx urllib.request.urlopen uuid._get_command_stdout venv.create
""".split()  # noqa: SIM905  # a paragraph of names reads better than a column

#: What fixtures of other scanners name beside that, in dangerous files too, and why a pack may grant it.
NAMED_BESIDE = {
    "values of the language": """
        __builtin__.dict __builtin__.set builtins.dict builtins.int builtins.len builtins.str.join
        collections.OrderedDict collections.Counter collections.deque collections.abc.Iterable
        decimal.Decimal __future__.annotations
    """,
    "bound by patterns, and by what a state says of memory": """
        _codecs.encode numpy.dtype numpy.core.multiarray._reconstruct numpy._core.multiarray._reconstruct numpy.poly1d
        numpy.size torch._tensor._rebuild_from_type_v2 torch._utils._rebuild_parameter torch._utils._rebuild_tensor
        torch._utils._rebuild_tensor_v2 torch.nn.modules.container.ParameterDict torch.FloatStorage torch.LongStorage
    """,
    "no names of anything": "?.? ?.os torch._utils __main__.TestClass importme.import_this",
}


@pytest.mark.parametrize("pack", PACKS)
def test_no_known_gadget_is_granted_with_a_verb_that_makes_or_changes_anything(pack):
    policy = Policy.named(pack)
    spelled = {
        (".".join(parts[:cut]), ".".join(parts[cut:]))
        for parts in (dotted.split(".") for dotted in GADGETS)
        for cut in range(1, len(parts))
    }
    for module, name in spelled:
        for verb in VERBS[1:]:
            assert not policy.decide(module, name, verb).allowed, (module, name, verb)
    for protocol in (0, 2, 4):
        calls = {
            one: reduce(named(text(one[0]), text(one[1])), literal("x"))
            for one in spelled
            if protocol == 4 or "." not in one[1]
        }
        names, lacking = sorted(calls), set()
        for place in range(0, len(names), 20):  # what is lacking is said of a whole stream; some calls end it
            steps = [[calls[one], "POP"] for one in names[place : place + 20]]
            with pytest.raises(safepickle.Forbidden) as caught:
                safepickle.verify(pickled(protocol, *steps, "NONE"), policy=policy)
            lacking |= {(one.module, one.name) for one in caught.value.missing if CALL in one.verbs}
        assert len(lacking) > 100
        for one in calls.keys() - lacking:  # what is refused for another reason, or under another name
            with pytest.raises(safepickle.UnpicklingError):
                safepickle.verify(pickled(protocol, calls[one]), policy=policy)


def test_every_name_in_other_scanners_fixtures_is_a_known_gadget_or_was_looked_at():
    if not CORPUS.exists():
        pytest.skip("the corpus is not beside this checkout")
    with tarfile.open(CORPUS.with_name("fixtures.tar.xz")) as archive:
        [listed] = [member for member in archive if member.name.endswith("fixtures.jsonl")]
        rows = [json.loads(line) for line in archive.extractfile(listed).read().decode().splitlines()]
    named = {
        one if isinstance(one, str) else ".".join(one)
        for row in rows
        if "malformed" not in row["expected"]
        for one in row["globals"]
    }
    named = {name for name in named if not name.endswith((".some_func", ".dangerous"))}  # for any name of a module
    assert len(named) > 140
    assert named - set(GADGETS) <= {name for names in NAMED_BESIDE.values() for name in names.split()}


def made(dotted: str, state: Any = None, *arguments: Any) -> Made:
    """What `new` gives, with its state."""
    program = newobj(ref(dotted).program, *map(step, arguments))
    return Made(program) if state is None else with_state(Made(program), state)


FAR_TOO_MUCH = 10**12
DTYPE = with_state(call("numpy:dtype", "f8", False, True), (3, "<", None, None, None, -1, -1, 0))
OBJECTS = with_state(call("numpy:dtype", "O8", False, True), (3, "|", None, None, None, -1, -1, 63))
ARRAY = "numpy._core.multiarray:_reconstruct"
EMPTY = with_state(call(ARRAY, ref("numpy:ndarray"), (0,), b"b"), (1, (0,), DTYPE, False, b""))
#: What would take the machine's memory or time, or reach for something, through a name that some pack grants.
COSTLY = {
    "bytes that are not there": call("builtins:bytearray", FAR_TOO_MUCH),
    "a list of a range": call("builtins:list", call("builtins:range", 0, FAR_TOO_MUCH, 1)),
    "a tuple of a range": call("builtins:tuple", call("builtins:range", 0, FAR_TOO_MUCH, 1)),
    "a power in a text": call("fractions:Fraction", "1e400000000"),
    "a codec that unpacks": call("_codecs:encode", "x", "zlib_codec"),
    "a codec that is imported": call("_codecs:encode", "x", "os"),
    "a way to treat errors": call("_codecs:encode", "x", "latin1", "surrogateescape"),
    "a typecode of nobody": call("array:_array_reconstructor", ref("array:array"), "Z", 0, b""),
    "a format of nobody": call("array:_array_reconstructor", ref("array:array"), "d", 22, b""),
    "a zone that is a path": call("zoneinfo:ZoneInfo._unpickle", "../../../etc/passwd", True),
    "an array without its items": call(ARRAY, ref("numpy:ndarray"), (FAR_TOO_MUCH,), b"b"),
    "a shape without its items": with_state(
        call(ARRAY, ref("numpy:ndarray"), (0,), b"b"), (1, (FAR_TOO_MUCH,), DTYPE, False, b"")
    ),
    "a dtype of a terabyte": call("numpy:dtype", f"V{FAR_TOO_MUCH}", False, True),
    "another generator": call("numpy.random._pickle:__bit_generator_ctor", "os.system"),
    "objects of bytes": with_state(
        call(ARRAY, ref("numpy:ndarray"), (0,), b"b"), (1, (1,), OBJECTS, False, b"12345678")
    ),
    "a tree of more outputs than its classes": call("sklearn.tree._tree:Tree", 2**31 - 1, EMPTY, 2**31 - 1),
    "a criterion without its classes": call("sklearn.tree._criterion:Gini", 2**31 - 1, EMPTY),
    "arguments of a distribution that are code": with_state(
        made("scipy.stats._continuous_distns:norm_gen"), {"_parse_arg_template": "import os"}
    ),
    "a matrix of no arrays": with_state(made("scipy.sparse._csr:csr_matrix"), {"_shape": (9, 9), "indptr": [2**40]}),
}


#: Rows of it whose name no pack grants at all, and those whose name is understood, not granted.
NOWHERE = {"a list of a range", "a tuple of a range", "a criterion without its classes"}
UNDERSTOOD = {"a codec that unpacks", "a codec that is imported", "a way to treat errors"}


@pytest.mark.parametrize("pack", Policy.names())
def test_no_pack_admits_arguments_that_cost_more_than_what_is_sent(pack):
    for what, program in COSTLY.items():
        report = safepickle.scan(pickled(4, program.program), policy=pack)
        assert report.verdict == "forbidden", what


def test_what_costly_arguments_are_given_to_is_granted_somewhere_but_for_what_is_said():
    """Else the test above would say nothing: a refusal by condition lacks no grant of a name."""
    bound = set()
    for pack in Policy.names():
        for what, program in COSTLY.items():
            found = safepickle.scan(pickled(4, program.program), policy=pack).findings
            bound |= {what} if {one.rule for one in found} == {"condition"} else set()
    assert set(COSTLY) - bound == NOWHERE | UNDERSTOOD


@pytest.mark.parametrize("pack", PACKS)
def test_what_a_pack_calls_is_neither_dangerous_nor_named_so(pack):
    policy = Policy.named(pack)
    called = [
        (name, grant)
        for name in measuring.own(policy, pack)
        for grant in policy.data.grants[name]
        if CALL in grant.verbs
    ]
    for name, grant in called:
        assert danger(*name, grant.verbs, bounded=True) is None, name
        assert telling(name[1]) is None, name


# --- Arguments that are power -----------------------------------------------------------------------------------------
def signature(kind: str | None, kwargs: dict[str, Any]) -> Made:
    task = f"celery.{kind}" if kind else "shop.add"
    said = {"task": task, "args": (), "kwargs": kwargs, "options": {}, "subtask_type": kind, "immutable": False}
    return call("celery.canvas:signature", said)


def exchange(kind: str, **more: Any) -> Made:
    flags = dict.fromkeys(("durable", "passive", "auto_delete"), False)
    said = {"name": "a", "type": "direct", "arguments": None, **flags, "delivery_mode": None, **more}
    return call("kombu.abstract:unpickle_dict", ref(kind), said)


def response(**more: Any) -> Made:
    return made("django.http.response:HttpResponse", {"_charset": None, "_container": [b"a"], "closed": False, **more})


def crontab(minute: Any, state: Any) -> Made:
    return with_state(call("celery.schedules:crontab", minute, "*", "*", "*", "*"), state)


def view(nobody: Any) -> Made:
    edges = made("networkx.classes.reportviews:EdgeView", {"_graph": graph(), "_adjdict": {}})
    state = {"viewer": edges, "nbunch": nobody, "data": False, "default": None}
    return made("networkx.classes.reportviews:EdgeDataView", state)


def graph(**more: Any) -> Made:
    return made("networkx.classes.graph:Graph", {"graph": {}, "_node": {}, "_adj": {}, **more})


def uploaded(name: str) -> Made:
    content = with_state(made("_io:BytesIO"), (b"a", 0, None))
    said = dict.fromkeys(("content_type", "charset", "content_type_extra", "field_name"))
    return made("django.core.files.uploadedfile:InMemoryUploadedFile", {"file": content, "_name": name, **said})


ONE = signature(None, {})
SHOWN, FROZEN = made("networkx.classes.filters:show_nodes", {"nodes": {1}}), ref("networkx.classes.function:frozen")
CLOCK = ref("datetime:datetime.now")  # that a stream may refer to, and no more
INVALID = call("django.core.exceptions:ValidationError", "a", None, None)
WRAPPER = "celery.utils.serialization:UnpickleableExceptionWrapper"
#: What is admitted, and the same with something that is power in the place of a value.
POWER: dict[str, tuple[str, Made, Made]] = {
    "another method of a graph": ("networkx", graph(add_node=FROZEN), graph(add_node=CLOCK)),
    "another filter of a view": ("networkx", graph(_NODE_OK=SHOWN), graph(_NODE_OK=CLOCK)),
    "nodes that are looked up again": ("networkx", view(None), view({1: None})),
    "a node of a tree with one child": (
        "shapely",
        call("shapely.strtree:STRtree", [call("shapely.io:from_wkb", b"")], 10),
        call("shapely.strtree:STRtree", [call("shapely.io:from_wkb", b"")], 1),
    ),
    "another class of errors": (
        "pydantic",
        call("pydantic.errors:cls_kwargs", ref("pydantic.errors:IntegerError"), {}),
        call("pydantic.errors:cls_kwargs", ref("datetime:datetime"), {}),
    ),
    "shared structure that is printed": (
        "pydantic",
        call("pydantic.errors:cls_kwargs", ref("pydantic.errors:PathNotExistsError"), {"path": "a"}),
        call("pydantic.errors:cls_kwargs", ref("pydantic.errors:PathNotExistsError"), {"path": [["a"]]}),
    ),
    "another class of a broker's": ("kombu", exchange("kombu.entity:Exchange"), exchange("datetime:datetime")),
    "a channel": ("kombu", exchange("kombu.entity:Exchange"), exchange("kombu.entity:Exchange", channel=None)),
    "a chord, which copies what is below it": (
        "celery",
        signature("group", {"tasks": [ONE]}),
        signature("chord", {"header": [ONE], "body": ONE, "kwargs": {}}),
    ),
    "tasks that are dicts, gone into again": (
        "celery",
        signature("chain", {"tasks": [ONE]}),
        signature("chain", {"tasks": [{"task": "a"}]}),
    ),
    "another class for tasks": (
        "celery",
        signature("group", {"tasks": [ONE]}),
        signature("group", {"tasks": call("collections:deque", [ONE])}),
    ),
    "a cause that is printed": (
        "celery",
        call("celery.exceptions:Retry", "a", "b", 1),
        call("celery.exceptions:Retry", "a", call("builtins:ValueError", "b"), 1),
    ),
    "a clock of the stream's": (
        "celery",
        call("celery.schedules:schedule", 1, False, None),
        call("celery.schedules:schedule", 1, False, CLOCK),
    ),
    "a clock in a crontab": ("celery", crontab("*/5", {}), crontab("*/5", {"nowfun": CLOCK})),
    "minutes without end": ("celery", crontab("*/5", {}), crontab("1," * 10_000, {})),
    "an attribute of a class": (
        "celery",
        call("billiard.einfo:rebuild_exc", call("builtins:ValueError", "a"), "b"),
        call("billiard.einfo:rebuild_exc", ref("celery.exceptions:Retry"), "b"),
    ),
    "arguments that are printed where they cannot be pickled": (
        "celery",
        with_state(call(WRAPPER, "a", "B", ["c"], "d"), {"exc_module": "a", "exc_cls_name": "B", "exc_args": ["c"]}),
        with_state(call(WRAPPER, "a", "B", [["c"]], "d"), {"exc_module": "a", "exc_cls_name": "B", "exc_args": ["c"]}),
    ),
    "what a response calls when it is closed": (
        "django",
        response(_resource_closers=[]),
        response(_resource_closers=[CLOCK]),
    ),
    "what a response is sent by": ("django", response(_handler_class=None), response(_handler_class=CLOCK)),
    "a method of a response": ("django", response(), response(close=CLOCK)),
    "a folder in a file's name": ("django", uploaded("a.txt"), uploaded("../../a.txt")),
    "a connector that is SQL": (
        "django",
        made("django.db.models.query_utils:Q", {"children": [("a", 1)], "connector": "OR", "negated": False}),
        made("django.db.models.query_utils:Q", {"children": [("a", 1)], "connector": "OR 1=1 OR", "negated": False}),
    ),
    "a name that is none": (
        "django",
        made("django.db.models.query_utils:Q", {"children": [("a", 1)], "connector": "OR", "negated": False}),
        made("django.db.models.query_utils:Q", {"children": [('a"', 1)], "connector": "OR", "negated": False}),
    ),
    "errors of errors": (
        "django",
        call("django.core.exceptions:ValidationError", ["a", "b"], None, None),
        call("django.core.exceptions:ValidationError", [INVALID, INVALID], None, None),
    ),
    "a cookie that its own code sets": (
        "django",
        response(cookies=made("http.cookies:SimpleCookie")),
        response(cookies=Made([made("http.cookies:SimpleCookie").program, text("a"), text("b"), "SETITEM"])),
    ),
    "a model that nobody listed": (
        "django",
        made("django.db.models.base:ModelState", {"db": None, "adding": True}),
        call("django.db.models.base:model_unpickle", ("shop", "Book")),
    ),
}


@pytest.mark.parametrize("what", POWER)
def test_an_argument_that_is_power_is_refused_where_a_value_is_admitted(what):
    pack, admitted, refused = POWER[what]
    for protocol in (2, 4):
        safepickle.verify(pickled(protocol, admitted.program), policy=pack)
    with pytest.raises(safepickle.Forbidden) as caught:
        safepickle.verify(pickled(4, refused.program), policy=pack)
    assert "datetime.now" not in str(caught.value)  # it may be referred to: what is refused is where it stands


# --- Carried pickles --------------------------------------------------------------------------------------------------
CARRIED = {pack: list(measuring.carried(pack)) for pack in PACKS}


def _needs(pack: str, data: bytes) -> set[str]:
    """What a pickle needs and the pack does not grant."""
    if Policy.named(pack).data.persistent is not None:  # a load would want to know who gives what they stand for
        report = safepickle.scan(data, policy=pack)
        return {f"{found.module}.{found.name}" for found in report.findings if not report.ok}
    try:
        safepickle.verify(data, policy=pack, encoding="latin1")
    except safepickle.Forbidden as error:
        return {f"{grant.module}.{grant.name}" for grant in error.missing} or {"?"}
    return set()


@pytest.mark.parametrize("pack", PACKS)
def test_pickles_of_several_releases_are_admitted_without_the_library(pack):
    """But for what the zoo gives a reason not to grant."""
    known = measuring.explained(measuring.zoo_of(pack).WITHOUT)
    wrong = [
        f"{one.label}: {missing}"
        for one in CARRIED[pack]
        if (missing := {name for name in _needs(pack, one.data) if not known(name)})
    ]
    assert not wrong, "\n".join(wrong[:20])
    # pytz pickles names, which no release spells otherwise; what joblib writes around arrays is no pickle by itself
    assert len({one.release for one in CARRIED[pack]}) >= {"pytz": 1, "joblib": 0}.get(pack, 2)


def test_what_is_carried_for_numpy_is_refused_by_the_default_policy():
    for one in CARRIED["numpy"][:50]:
        assert safepickle.scan(one.data, policy="plain").verdict == "forbidden"


# --- The installed library --------------------------------------------------------------------------------------------
def _installed(pack: str) -> None:
    if not measuring.is_installed(pack):
        pytest.skip(f"{pack} is not installed: pip install {'torch' if pack == 'torch' else 'safepickle-codec[packs]'}")


@pytest.mark.parametrize("pack", [pack for pack in PACKS if pack not in ("joblib", "torch")])  # whose files are below
def test_what_the_library_pickles_loads_as_pickle_itself_loads_it(pack):
    _installed(pack)
    zoo, known = measuring.zoo_of(pack), measuring.explained(measuring.zoo_of(pack).WITHOUT)
    wrong, counts = [], Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, make in writing.makers(zoo):
            for protocol, data in writing.pickles(make, _protocols(pack)).items():
                label = f"{name} at protocol {protocol}"
                missing = _needs(pack, data)
                if missing:
                    wrong += [f"{label}: {missing}"] if not all(map(known, missing)) else []
                    counts["refused"] += 1
                    continue
                said = _compared(pack, data)
                counts[said == ""] += 1
                wrong += [f"{label}: {said}"] if said else []
    assert not wrong, "\n".join(wrong[:20])
    assert counts[True] > 10


def _protocols(pack: str) -> tuple[int, ...]:
    """All of them where objects are small; of what is fitted or solved, the two that differ most."""
    fitted = {"scipy", "sklearn", "xgboost", "lightgbm", "pillow", "networkx"}
    return (2, 5) if pack in fitted else tuple(range(pickle.HIGHEST_PROTOCOL + 1))


def _compared(pack: str, data: bytes) -> str:
    """How what is loaded differs from what pickle loads; nothing where pickle cannot load it either."""
    try:
        plain = pickle.loads(data)
    except Exception as cause:  # noqa: BLE001  # whatever it is: ours is one error of the one family
        with pytest.raises(safepickle.UnpicklingError):
            safepickle.loads(data, policy=pack)
        return "" if cause else "?"
    loaded = safepickle.loads(data, policy=pack)
    try:
        wrong = difference(loaded, plain)
    except TypeError:
        return "" if repr(loaded) == repr(plain) else "another text"
    if wrong and difference(pickle.loads(data), plain):
        return "" if type(loaded) is type(plain) else wrong  # not even alike when pickle loads it twice: addresses
    return wrong


def test_a_fitted_forest_predicts_what_it_predicted_before():
    _installed("sklearn")
    from sklearn.ensemble import RandomForestClassifier

    from tests.packs import zoo_sklearn as zoo

    forest = RandomForestClassifier(5, random_state=0).fit(zoo.data, zoo.target)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        loaded = safepickle.loads(pickle.dumps(forest, protocol), policy="sklearn")
        assert (loaded.predict_proba(zoo.data) == forest.predict_proba(zoo.data)).all()


def _shown(word: str) -> Policy:
    """The policy in the reference of the language that lists a class of an application."""
    reference = Path(__file__).parent.parent.joinpath("policies", "README.md").read_text("utf-8")
    shown = reference.partition("## Classes of your own")[2].split("```yaml\n")[1:]
    return Policy.from_yaml(next(text for text in shown if word in text).partition("```")[0])


def test_a_model_that_is_listed_as_the_reference_shows_it_loads(monkeypatch):
    _installed("pydantic")
    import pydantic

    if pydantic.VERSION.startswith("1."):
        pytest.skip("the reference shows a model of the second version")
    order = pydantic.create_model("Order", __module__="shop", count=(int, ...), site=(pydantic.HttpUrl | None, None))
    monkeypatch.setitem(sys.modules, "shop", SimpleNamespace(Order=order))
    for made in (order(count=1), order(count=2, site="https://example.org/a")):
        for protocol in (2, 5):
            stream = pickle.dumps(made, protocol)
            assert safepickle.loads(stream, policy=_shown("Order")) == made
            with pytest.raises(safepickle.Forbidden):
                safepickle.loads(stream, policy="pydantic")


def test_a_chord_is_read_where_the_reference_shows_that_it_can_be():
    _installed("celery")
    from celery.canvas import Signature, chord

    made = chord([Signature("a"), Signature("b")], Signature("c"))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        stream = pickle.dumps(made, protocol)
        assert safepickle.loads(stream, policy=_shown("celery")) == made
        with pytest.raises(safepickle.Forbidden):
            safepickle.loads(stream, policy="celery")


def test_files_of_joblib_pass_a_scan_and_hostile_ones_do_not():
    _installed("joblib")
    import joblib
    import numpy as np

    for value in ({"a": np.arange(100.0)}, [np.ones((3, 4), order="F")], np.array(["a", None], object)):
        for compress in (0, 3, ("gzip", 3)):
            file = io.BytesIO()
            joblib.dump(value, file, compress=compress)
            assert safepickle.scan(file.getvalue(), policy="joblib").verdict == "pass"
    file = io.BytesIO()
    joblib.dump(np.array([print], object), file)
    assert safepickle.scan(file.getvalue(), policy="joblib").verdict == "forbidden"


def test_files_of_torch_load_as_torch_itself_loads_them():
    _installed("torch")
    import torch

    from tests.packs import zoo_torch as zoo
    from tests.torch_files import Loader, load_legacy, members

    wrong, count = [], 0
    known = measuring.explained(zoo.WITHOUT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, make in writing.makers(zoo):
            try:
                value = make()
                data = zoo.written(value, 2)
            except Exception:  # noqa: BLE001  # not an object of this release, or none that it saves
                continue
            if isinstance(value, zoo.Plain) or any(map(known, _needs("torch", zoo.found(data)))):
                continue
            if safepickle.scan(data, policy="torch").verdict != "pass":
                wrong.append(f"{name}: a scan does not pass")
                continue
            loaded = load_legacy(data) if isinstance(value, zoo.Legacy) else Loader(data).load()
            try:
                plain = torch.load(io.BytesIO(data), weights_only=False)
            except AttributeError:  # what has no type has none in the files before zip: torch 2.13 cannot read its own
                assert "complex32" in name or "int" in name or "float8" in name or "untyped" in name, name
                continue
            if members(zoo.written(loaded, 2)) != members(zoo.written(plain, 2)):
                wrong.append(f"{name}: not what torch loads")
            count += 1
    assert not wrong, "\n".join(wrong[:20])
    assert count > 400


def test_a_file_of_torch_with_a_gadget_or_a_tensor_beside_its_storage_is_refused():
    """Made of what the format is, so torch is not needed."""
    from tests.test_tensors import FAR, TRUE, call, tensor
    from tests.torch_files import zipped

    told = {
        what: safepickle.scan(zipped(pickled(2, made.program)), policy="torch").verdict
        for what, made in {
            "whole storage": TRUE["whole storage"],
            "too large": tensor((FAR,), (1,)),
            "a gadget": call("torch.hub:load", "x"),
            "what unpickles by itself": call("torch.storage:_load_from_bytes", b""),
        }.items()
    }
    assert told.pop("whole storage") == "pass"
    assert set(told.values()) == {"forbidden"}


def _booster(state: Any, kind: str = "xgboost.core:Booster") -> bytes:
    made = Made([ref(kind).program, "EMPTY_TUPLE", "NEWOBJ"])
    return pickled(4, with_state(made, state).program if state is not None else step(made))


#: What C++ would take for a pointer to free, to write to, or for a connection; and what is called in another's place.
HOSTILE = {
    "xgboost": [
        _booster({"handle": 4096}), _booster({"handle": b"bytes"}), _booster({}), _booster(None),
        _booster({"handle": None, "predict": 1}), _booster({"handle": None, "best_iteration": "text"}),
        _booster({"handle": 4096}, "xgboost.core:DMatrix"),
        _booster({"_Booster": 1}, "xgboost.sklearn:XGBRegressor"),
        _booster({"predict": None}, "xgboost.sklearn:XGBRegressor"),
        _booster({"callbacks": [call("builtins:print")]}, "xgboost.sklearn:XGBRegressor"),
        _booster({"callbacks": [ref("builtins:len")]}, "xgboost.sklearn:XGBRegressor"),
    ],
    "lightgbm": [
        _booster({"_handle": 4096}, "lightgbm.basic:Booster"), _booster({"handle": 4096}, "lightgbm.basic:Booster"),
        _booster({"_network": True}, "lightgbm.basic:Booster"), _booster(None, "lightgbm.basic:Booster"),
        _booster({"_Booster__inner_predict_buffer": [[1.5]]}, "lightgbm.basic:Booster"),
        _booster({"_Booster__init_predictor": 1}, "lightgbm.basic:Booster"),
        _booster({"predict": None}, "lightgbm.basic:Booster"),
        _booster({"_handle": None}, "lightgbm.basic:Dataset"),
        _booster({"_Booster": ref("builtins:dict")}, "lightgbm.sklearn:LGBMRegressor"),
        _booster({"__class__": 1}, "lightgbm.sklearn:LGBMRegressor"),
    ],
}  # fmt: skip
HARMLESS = {
    "xgboost": [_booster({"handle": None}), _booster({"max_depth": 3}, "xgboost.sklearn:XGBRegressor")],
    "lightgbm": [
        _booster({"_handle": None}, "lightgbm.basic:Booster"),
        _booster({"verbose": 1}, "lightgbm.sklearn:LGBMRegressor"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("pack", HOSTILE)
def test_a_booster_is_given_no_pointer_and_no_other_method(pack):
    told = [safepickle.scan(data, policy=pack).verdict for data in HOSTILE[pack]]
    assert set(told) == {"forbidden"}, told
    assert {safepickle.scan(data, policy=pack).verdict for data in HARMLESS[pack]} == {"pass"}


def test_the_walk_goes_on_behind_a_class_that_ends_the_process(tmp_path, monkeypatch):
    library = tmp_path / "fragile"
    library.mkdir()
    library.joinpath("__init__.py").write_text(
        "import os\nclass A: pass\nclass B:\n    def __init__(self): os._exit(7)\nclass C: pass\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parent.parent}")
    found = walking.walk("fragile", ())
    assert [name for name, pickles in found.rows if pickles] == ["fragile.A", "fragile.C"]


# --- Real files -------------------------------------------------------------------------------------------------------
def test_real_files_are_admitted_by_the_packs_of_their_libraries():
    """The corpus beside the checkout; what the packs refuse of it is what the reference of the language says."""
    if not CORPUS.exists():
        pytest.skip("the corpus is not beside this checkout")
    found = list(judging.judged(CORPUS))
    assert judging.is_settled(found)
    passed = Counter(one.pack for one in found if one.outcome == judging.PASSED)
    assert len(passed) >= 16
    assert {one.pack for one in found if one.outcome == judging.REFUSED} == {"celery", "stdlib"}
    if find_spec("lz4"):  # without it, some files of joblib are not read
        reference = Path(__file__).parent.parent.joinpath("policies", "README.md").read_text("utf-8")
        assert "\n".join(judging.table(found)) in reference


def test_each_real_file_is_counted_with_the_reason_why_it_does_not_pass(tmp_path):
    arrays = CARRIED["numpy"][0].data
    files = {
        "array.pkl": (arrays, ["numpy.dtype"], "yes"),
        "date.pkl": (pickle.dumps(dt.date(2024, 2, 29), 4), [["datetime", "date"]], "yes"),
        "cart.pkl": (pickled(4, reduce(named(text("shop"), text("Cart")))), ["shop.Cart", "numpy.dtype"], "yes"),
        "nobody.pkl": (pickled(4, reduce(named(text("shop"), text("Cart")))), ["shop.Cart"], "yes"),
        "code.pkl": (pickled(4, call("shop:code").program), ["datetime.date"], "no"),
        "reduce.pkl": (pickled(4, ref("functools:reduce").program), ["functools.reduce"], "yes"),
        "vectorize.pkl": (pickled(4, newobj(ref("numpy:vectorize").program)), ["numpy.vectorize"], "yes"),
        "persistent.pkl": (b"P1\n.", [], "yes"),
        "text.pkl": (b"a text", [], "yes"),
        "codec.pkl": (pickled(4, ref("codecs:CodecInfo").program), ["codecs.CodecInfo"], "yes"),
    }
    archive = tmp_path / "real.tar.xz"
    with tarfile.open(archive, "w:xz") as packed:
        rows = [
            {"path": name, "globals": names, "allowlistable": grade} for name, (_, names, grade) in files.items()
        ]
        manifest = "\n".join(map(json.dumps, rows)).encode()
        for name, data in {"manifest.jsonl": manifest, **{name: data for name, (data, *_) in files.items()}}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    found = list(judging.judged(archive))
    assert {one.path: (one.pack, one.outcome) for one in found} == {
        "array.pkl": ("numpy", judging.PASSED),
        "date.pkl": ("stdlib", judging.PASSED),
        "cart.pkl": ("numpy", judging.OF_OTHERS),
        "code.pkl": ("stdlib", judging.OUT_OF_REACH),
        "reduce.pkl": ("stdlib", judging.OUT_OF_REACH),
        "vectorize.pkl": ("numpy", judging.WITHHELD),
        "persistent.pkl": ("stdlib", judging.ACCEPTED),
        "text.pkl": ("stdlib", judging.NO_PICKLE),
        "codec.pkl": ("stdlib", judging.REFUSED),
    }
    assert not judging.is_settled(found)
    assert "| all | 9 | 2 | 1 | 1 | 1 | 1 | 1 | 2 | 66.7 % |" in list(judging.table(found))
    assert len(list(judging.reasons(found))) == 7
