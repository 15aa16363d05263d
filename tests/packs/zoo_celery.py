"""The zoo of Celery, see tests/packs.

What is refused for what it is given (chords, the cause of a Retry) is no part of it: tests/test_packs.py has that.
"""

PACK = "celery"
IMPORTS = (
    "celery celery.canvas celery.exceptions celery.schedules celery.result celery.states celery.beat celery.app "
    "celery.app.task celery.events.state celery.utils.serialization celery.utils.collections celery.local "
    "celery.utils.functional celery.utils.time billiard billiard.einfo billiard.exceptions datetime kombu kombu.exceptions"
)
SKIPPED = (
    "celery.backends", "celery.bin", "celery.contrib", "celery.fixups", "celery.concurrency", "celery.apps",
    "celery.worker", "celery.platforms", "celery.security", "celery.utils.dispatch", "celery.loaders",
    "celery.canvas.Signature",  # of no task, when nothing is said
)  # fmt: skip
_TOOL = "a tool, not a value"
WITHOUT = {
    "builtins.object.__new__": "tracebacks of newer releases of billiard are made by it, and it makes any class",
    "celery.app": "what makes an application or a task again imports modules and calls what the stream names",
    "celery.backends": "it connects to where the stream says",
    "celery.beat._PidboxStopping": _TOOL,
    "celery.bootsteps": _TOOL,
    "celery.events": "what a monitor has gathered of workers that run",
    "celery.result.AsyncResult": "it comes with a backend, which connects to where the stream says",
    "celery.result.GroupResult": "likewise",
    "celery.result.ResultBase": "a base class",
    "celery.schedules.BaseSchedule": "a base class",
    "celery.schedules.crontab_parser": _TOOL,
    "celery.utils.abstract": _TOOL,
    "celery.utils.collections.AttributeDictMixin": "a base class",
    "celery.utils.collections.ChainMap": "the settings of an application",
    "celery.utils.collections.Evictable": "a base class",
    "celery.utils.collections.LazyObject": _TOOL,
    "celery.utils.collections.OrderedDict": "what a monitor has gathered",
    "celery.utils.functional.DummyContext": _TOOL,
    "celery.utils.graph": _TOOL,
    "celery.utils.imports": _TOOL,
    "celery.utils.log": _TOOL,
    "logging.PercentStyle": "part of what formats a log",
    "celery.utils.objects": _TOOL,
    "celery.utils.term": _TOOL,
    "celery.utils.text": _TOOL,
    "celery.utils.threads": _TOOL,
    "_thread.get_ident": "part of what a thread has for itself",
    "celery.utils.time._Zone": _TOOL,
}
KEPT = {}

VALUES = [
    ("signature", "celery.canvas.Signature('shop.add', (1, 2), {'debug': True})"),
    (
        "signature.options",
        "celery.canvas.Signature('shop.add', (1,), countdown=10, link=[celery.canvas.Signature('b')])",
    ),
    ("signature.immutable", "celery.canvas.Signature('shop.add', (1,), immutable=True)"),
    ("chain", "celery.canvas.chain(*add(2))"),
    ("chain.three", "celery.canvas.chain(*add(3))"),
    ("chain.options", "celery.canvas.chain(*add(2)).set(countdown=3)"),
    ("group", "celery.canvas.group(add(2))"),
    ("group.empty", "celery.canvas.group([])"),
    ("group.chains", "celery.canvas.group([celery.canvas.chain(*add(2)), add(1)[0]])"),
    ("map", "celery.canvas.xmap(celery.canvas.Signature('shop.add'), [1, 2])"),
    ("starmap", "celery.canvas.xstarmap(celery.canvas.Signature('shop.add'), [(1, 2), (3, 4)])"),
    ("chunks", "celery.canvas.chunks(celery.canvas.Signature('shop.add'), [(1, 2), (3, 4)], 2)"),
    ("schedule", "celery.schedules.schedule(30)"),
    ("schedule.delta", "celery.schedules.schedule(datetime.timedelta(hours=1), relative=True)"),
    ("crontab", "celery.schedules.crontab(minute=0, hour='*/3', day_of_week='mon-fri')"),
    ("crontab.empty", "celery.schedules.crontab()"),
    ("crontab.sets", "celery.schedules.crontab(minute={0, 30}, hour=[1, 2])"),
    ("solar", "celery.schedules.solar('sunset', -37.8, 144.9)"),
    (
        "entry",
        "celery.beat.ScheduleEntry('a', 'shop.add', datetime.datetime(2020, 1, 1), 0, celery.schedules.schedule(30), "
        "(1,), {'b': 2}, {'queue': 'c'})",
    ),
    ("states", "[celery.states.PENDING, celery.states.SUCCESS]"),
    ("state", "celery.states.state('PENDING')"),
    ("result.eager", "celery.result.EagerResult('a', 7, 'SUCCESS')"),
    ("result.eager.failed", "celery.result.EagerResult('a', ValueError('b'), 'FAILURE', traceback='c')"),
    (
        "result.group",
        "celery.result.GroupResult('a', [celery.result.EagerResult('b', 7, 'SUCCESS')], app=celery.Celery())",
    ),
    ("result.async", "celery.result.AsyncResult('a', app=celery.Celery())"),
    ("error.retry", "celery.exceptions.Retry()"),
    ("error.retry.when", "celery.exceptions.Retry('a', None, datetime.datetime(2020, 1, 1))"),
    ("error.retry.text", "celery.exceptions.Retry('a', 'b', 1.5)"),
    ("error.reject", "celery.exceptions.Reject('a', requeue=True)"),
    ("error.retries", "celery.exceptions.MaxRetriesExceededError('a')"),
    ("error.retries.task", "celery.exceptions.MaxRetriesExceededError('a', task_args=(1,), task_kwargs={'b': 2})"),
    ("error.time", "celery.exceptions.SoftTimeLimitExceeded()"),
    ("error.time.hard", "celery.exceptions.TimeLimitExceeded(30)"),
    ("error.lost", "celery.exceptions.WorkerLostError('a')"),
    ("error.lost.code", "celery.exceptions.WorkerLostError('a', -9)"),
    ("error.terminated", "celery.exceptions.Terminated(15)"),
    ("error.backend", "[celery.exceptions.BackendError('a'), celery.exceptions.BackendGetMetaError('a', task_id='b')]"),
    ("error.backend.store", "celery.exceptions.BackendStoreError('a', state='SUCCESS', task_id='b')"),
    ("errors", "made(celery.exceptions, ERRORS)"),
    ("warnings", "made(celery.exceptions, WARNINGS)"),
    ("error.shutdown", "celery.exceptions.WorkerShutdown(0)"),
    (
        "error.wrapped",
        "celery.utils.serialization.UnpickleableExceptionWrapper('shop', 'Broken', ['a', 1], 'Broken(1)')",
    ),
    ("error.wrapped.made", "celery.utils.serialization.UnpickleableExceptionWrapper.from_exception(unpicklable())"),
    ("einfo", "explained()"),
    ("event.worker", "celery.events.state.Worker('a', 1)"),
    ("event.task", "celery.events.state.Task('a')"),
    ("event.state", "celery.events.state.State()"),
    ("collection.limited", "celery.utils.collections.LimitedSet(maxlen=5, expires=10, data=['a'])"),
    ("collection.attributes", "celery.utils.collections.AttributeDict(a=1)"),
    ("context", "celery.app.task.Context({'id': 'a'})"),
    ("app", "celery.Celery('shop', broker='memory://')"),
    ("task", "celery.Celery('shop', set_as_current=False).task(abs)"),
    ("time", "[celery.utils.time.ffwd(days=1), celery.utils.time.rate('10/m')]"),
    ("zone.local", "celery.utils.time.LocalTimezone()"),
    ("zone", "celery.utils.time.timezone.utc"),
]
ERRORS = """
CeleryError TaskPredicate Ignore ImproperlyConfigured SecurityError TaskError QueueNotFound IncompleteStream
NotRegistered AlreadyRegistered TimeoutError TaskRevokedError InvalidTaskError ChordError
""".split()
WARNINGS = """
CPendingDeprecationWarning CDeprecationWarning FixupWarning NotConfigured AlwaysEagerIgnored DuplicateNodenameWarning
""".split()


def made(module, names):
    """Exceptions, as far as this release has them."""
    return [getattr(module, name)("a") for name in names if hasattr(module, name)]


def add(count):
    """Signatures of one task."""
    import celery.canvas

    return [celery.canvas.Signature("shop.add", (i, i)) for i in range(count)]


def unpicklable():
    """An exception that no pickle can hold."""
    return type("Broken", (Exception,), {})("a", 1)


def explained():
    """What a worker knows of a task that failed, in a file of no machine."""
    names = {"__name__": "shop", "__file__": "shop.py"}
    exec(compile(FAILS, "shop.py", "exec"), names)
    return names["fail"]()


FAILS = """
from billiard.einfo import ExceptionInfo
def fail():
    try:
        {}["a"]
    except KeyError:
        return ExceptionInfo()
"""
