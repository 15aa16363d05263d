"""The concrete machine: loads what the verifier has passed.  The only module that imports or calls what a stream names.

Order of a load: verify the whole pickle; resolve every name it uses; count the buffers; then run it.

Rules:

* A memo entry that the stream does not ask for is not kept, except for an Unpickler whose next load might.
* Nothing here trusts that verification happened to other bytes than these: both passes read the same immutable bytes,
  and a file is read once.
* What verification could not see is checked again here, on exact types: that a listed name is what the policy says it
  is, that a target of a change is no class, function, module or enum member, that slot state sets no dunder.
* `__setstate__`, `append`, `extend` and `add` are looked up on the type and bound, never on the instance.
* Whatever is raised underneath becomes one `UnpicklingError`, with the cause but without its traceback; stack and memo
  are dropped first, so an error keeps no payload alive.
* What an earlier load found under a name is taken again without being judged anew only where the policy, the module and
  the object are the very same.
* A load either succeeds as a whole, memo included, or leaves the Unpickler as it was.
"""

from __future__ import annotations

import sys
from _codecs import encode as _codecs_encode
from copyreg import __newobj__ as _newobj  # type: ignore[attr-defined]
from copyreg import __newobj_ex__ as _newobj_ex  # type: ignore[attr-defined]
from copyreg import _reconstructor  # type: ignore[attr-defined]
from functools import partial
from itertools import islice
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

from safepickle import lane
from safepickle import loading as prim
from safepickle import opcodes as op
from safepickle import symbols as sym
from safepickle.errors import (
    EndOfStream,
    Forbidden,
    LimitExceeded,
    MalformedStream,
    ReconstructionError,
    StreamError,
    UnpicklingError,
    escape,
)
from safepickle.hints import Any, Callable, Final, Iterable, Iterator, Sequence, Sized
from safepickle.limits import DEFAULTS, MEMO_HEAD_START, Limits
from safepickle.matching import Matcher
from safepickle.policy import VARIABLE, VARIABLES, Policy, PolicySpec, resolve_policy
from safepickle.policy.model import Name, PolicyData
from safepickle.probes import FREE_KEYS, ProbeGuard
from safepickle.reader import FileReader, Reader, frozen_input
from safepickle.symbols import FIRST_NODE, KIND, SHIFT, Global, Heap, Occurrence, Plan, Prior
from safepickle.verifier import BUFFERED_OPTIONS, PLAIN_OPTIONS, Options, Verifier, canonical_name
from safepickle.weighing import remembered

__all__ = ["Rehearsal", "Unpickler", "load_one", "loads", "verify"]

_MISSING: Final = object()
_WIDTHS: Final = op.WIDTHS
_FUNCTIONS: Final = (FunctionType, BuiltinFunctionType, MethodType)
_NEVER_CHANGED: Final = (type, ModuleType, *_FUNCTIONS)  # what no stream makes
_HEAP_TYPE: Final = 1 << 9  # type flag: made by a class statement
_NO_LOADER: Final = "A load persistent id instruction was encountered, but no persistent_load function was specified."


class Unpickler:
    """Reads pickles from a binary file under a policy, as `pickle.Unpickler` reads them without one.

    `file` has `read` and `readline`; `peek`, or `seek` and `tell`, are used where it has them.  Each `load` takes
    exactly one pickle.  `policy` is a Policy, packaged names, a path, a list of these, or None for the default.
    `encoding` and `errors` are for the 8-bit strings of Python 2; `encoding="bytes"` keeps them as bytes.

    A subclass, or the instance, may have `persistent_load(pid)` and `find_class(module, name)`.  `find_class` is called
    once the whole pickle has been verified, for every global, with the names that the stream spells: it can only narrow
    what the policy allows.

    Raises `pickle.UnpicklingError` (one of its subclasses in `safepickle.errors`) whatever is wrong with the pickle;
    TypeError and AttributeError for unusable arguments; and whatever the file object itself raises.
    """

    def __init__(
        self,
        file: Any,
        *,
        policy: PolicySpec = None,
        fix_imports: bool = True,
        encoding: str = "ASCII",
        errors: str = "strict",
        buffers: Iterable[Any] | None = None,
    ) -> None:
        if getattr(self, "_running", False):
            raise UnpicklingError("this Unpickler is running: it cannot be set up again")
        needed = [getattr(file, "read", None), getattr(file, "readline", None)]
        if not all(map(callable, needed)):
            raise TypeError("file must have 'read' and 'readline' attributes")
        self._file = file
        self._set_up(policy, fix_imports, encoding, errors, buffers)

    def _set_up(
        self, policy: PolicySpec, fix_imports: bool, encoding: str, errors: str, buffers: Iterable[Any] | None
    ) -> None:
        _check_texts(encoding, errors)
        self._policy = resolve_policy(policy)
        self._data: PolicyData = self._policy.data
        self._unrestricted = self._data.unrestricted
        self._limits = self._policy.limits
        self._fix_imports = bool(fix_imports)
        self._encoding = encoding
        self._errors = errors
        self._buffers: Iterator[Any] | None = None if buffers is None else iter(buffers)
        self._memo: dict[int, Any] = {}
        self._prior: dict[int, Prior] = {}
        self._opcodes = 0
        self._protocol = 0
        self._running = False
        self._resolving = False
        self._is_internal = False  # whether nobody but this module can have a hand in it
        self._is_for_one = False  # whether there will be no load after the first one

    # -- What users call, override and set ---------------------------------------------------------------------------

    def load(self) -> Any:
        """Read one pickle from the file, verify it, and return the object it makes."""
        if not hasattr(self, "_running"):
            raise UnpicklingError(f"Unpickler.__init__() was not called by {type(self).__name__}.__init__()")
        self._enter()
        try:
            value, error = self._attempt()
        finally:
            self._running = False
        if error is not None:
            _log(error, self._policy)
            raise error
        return value

    def persistent_load(self, pid: Any) -> Any:
        """The object that a persistent ID stands for; a subclass or the instance provides it."""
        raise UnpicklingError(_NO_LOADER)

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """The object that a stream names.  An override may call this; it refuses what the policy does not list.

        Raises what pickle raises where there is no such module or attribute.
        """
        sys.audit("pickle.find_class", module_name, global_name)
        if self._protocol < 3 and self._fix_imports:
            module_name, global_name = canonical_name(module_name, global_name)
        if self._data.unrestricted:
            return _find_anything(module_name, global_name, self._protocol)
        module = self._data.aliases.get(module_name, module_name)
        key = (module, global_name)
        understood = self._resolving and key in sym.HELPERS  # as parts of a verified stream, not for anybody who asks
        if key in self._data.denied or (key not in self._data.grants and not understood):
            raise Forbidden(
                f"global '{escape(module)}.{escape(global_name)}' is forbidden: it is not in the policy",
                module=module, name=global_name, verb="refer",
            )  # fmt: skip
        return _find_listed(module, global_name, module_name)

    @property
    def memo(self) -> Any:
        """The memo, as a proxy with `clear()` and `copy()`; may be set to another Unpickler's or to a dict."""
        return UnpicklerMemoProxy(self)

    @memo.setter
    def memo(self, value: Any) -> None:
        if isinstance(value, UnpicklerMemoProxy):
            other = value._unpickler
            self._opcodes = max(self._opcodes, other._opcodes)
            if other._data.unrestricted is self._data.unrestricted:
                self._memo = dict(other._memo)
                self._prior = dict(other._prior)
                return
            value = value.copy()  # what the one could call is to the other an object like any
        if not isinstance(value, dict):
            kind = type(value).__name__
            raise TypeError(f"'memo' attribute must be an UnpicklerMemoProxy object or dict, not {kind:.200}")
        for index in value:
            if not isinstance(index, int):
                raise TypeError("memo key must be integers")
            if index < 0:
                raise ValueError("memo key must be positive integers.")
        self._memo = dict(value)
        self._prior = {index: Prior(entry, 0, None) for index, entry in value.items()}

    # -- One load ----------------------------------------------------------------------------------------------------

    def _enter(self) -> None:
        if self._running:
            raise UnpicklingError("this Unpickler is already running: it cannot be entered again")
        self._running = True

    def _attempt(self) -> tuple[Any, BaseException | None]:
        """Load one pickle from the file; whatever goes wrong with the stream is returned.

        All that the load holds is local to this call, so nothing of it is left when the error is raised.
        """
        try:
            return self._verify_and_run(), None
        except _Interrupted as interrupted:
            original = interrupted.original
            raise original from None
        except _FAILURES as error:
            return None, _failure(error, self._data.unrestricted)

    def _verify_and_run(self) -> Any:
        persistent_load = self._persistent_loader()
        prior = self._prior  # this one for both passes, whatever the file, find_class or another thread do meanwhile
        options = Options(
            fix_imports=self._fix_imports,
            encoding=self._encoding,
            errors=self._errors,
            buffers=self._buffers is not None,
            persistent_load=persistent_load is not None,
            prior=prior,
            opcodes_before=self._opcodes,
        )
        limits = self._limits
        source = FileReader(self._file, integer_digits=limits.integer_digits, byte_limit=limits.bytes)
        try:
            plan = _verified(Verifier(source, self._data, limits, options)).plan()
        finally:
            source.close()
        reader = Reader(source.taken(), integer_digits=limits.integer_digits, asides=source.asides)
        return self._run(plan, reader, persistent_load, _Machine(), None if self._is_for_one else prior)

    def _run(
        self,
        plan: Plan,
        reader: Reader,
        persistent_load: Callable[[Any], Any] | None,
        machine: _Machine,
        prior: dict[int, Prior] | None = None,
    ) -> Any:
        """Run what was verified; `prior` is the memo that it was verified with, where there is a next load."""
        machine.begin(reader, self._limits.probe_work, plan.heap if prior is None else None)
        _prepare(machine, self, plan, self._buffers, persistent_load, prior)
        value = machine.run()
        if self._prior is prior:  # else the application has cleared or replaced it meanwhile: what it says stands
            self._memo.update(machine.entries())
            self._remember(plan)
        return value

    def _persistent_loader(self) -> Callable[[Any], Any] | None:
        loader = self.persistent_load
        if getattr(loader, "__func__", None) is Unpickler.persistent_load:
            return None
        return loader

    def _remember(self, plan: Plan) -> None:
        """Keep what a later load of this Unpickler must know of the memo entries that this one made."""
        self._opcodes += plan.opcodes
        self._prior.update(remembered(plan.heap, plan.memo, self._memo))

    # -- Resolving names ---------------------------------------------------------------------------------------------

    def _find(self, occurrence: Occurrence, symbol: Global) -> Any:
        """The object that one opcode names, if it is what the policy says it is."""
        self._protocol = occurrence.protocol
        self._resolving = True
        try:
            value = self.find_class(occurrence.module, occurrence.name)
        except (KeyboardInterrupt, GeneratorExit) as error:
            raise _Interrupted(error) from None
        except BaseException as error:
            culprit = occurrence.module, occurrence.name
            raise _Underneath(error, occurrence.position, culprit, own_words=True) from None
        finally:
            self._resolving = False
        if not self._data.unrestricted:
            _check_resolved(symbol, value, occurrence.position)
        return _HELPERS[symbol.helper] if symbol.helper else value


class UnpicklerMemoProxy:
    """An Unpickler's memo as users see it: it can be copied, cleared, and given to another Unpickler."""

    __slots__ = ("_unpickler",)

    def __init__(self, unpickler: Unpickler) -> None:
        self._unpickler = unpickler

    def clear(self) -> None:
        """Forget all memo entries."""
        self._unpickler._memo = {}  # not emptied: a load that is running has its own view of it
        self._unpickler._prior = {}

    def copy(self) -> dict[int, Any]:
        """The memo as a new dict."""
        return {
            index: value.function if isinstance(value, _Helper) else value
            for index, value in self._unpickler._memo.items()
        }

    def __reduce__(self) -> tuple[type[dict[int, Any]], tuple[dict[int, Any]]]:
        return dict, (self.copy(),)


class _Underneath(Exception):
    """Carries what a callable, `find_class` or `persistent_load` raised out of the machine."""

    def __init__(
        self,
        original: BaseException,
        position: int | None,
        culprit: Name | None,
        opcode: str | None = None,
        *,
        own_words: bool = False,
    ) -> None:
        super().__init__()
        self.own_words = own_words  # raised by find_class or persistent_load
        self.original = original
        self.position = position
        self.culprit = culprit
        self.opcode = opcode


class _Interrupted(BaseException):
    """Carries KeyboardInterrupt and GeneratorExit, the two that pass."""

    def __init__(self, original: BaseException) -> None:
        super().__init__()
        self.original = original


def _verified(verifier: Verifier) -> Verifier:
    try:
        verifier.check()
    except (MemoryError, RecursionError) as error:
        raise LimitExceeded(f"verifying this pickle raised {type(error).__name__}") from None
    return verifier


# What the passes themselves raise, in their own words.
_FROM_WITHIN: Final = (StreamError, _Underneath, _Interrupted)
# What a load may raise that is the stream's fault; MemoryError and RecursionError between the passes.
_FAILURES: Final = (StreamError, _Underneath, MemoryError, RecursionError)


def _failure(error: BaseException, unrestricted: bool) -> BaseException:
    """The one exception for whatever went wrong."""
    if isinstance(error, _Underneath):
        return _translated(error, unrestricted)
    if isinstance(error, StreamError):
        return _without_payload(error)
    return LimitExceeded(f"loading this pickle raised {type(error).__name__}")


def _translated(wrapper: _Underneath, unrestricted: bool) -> BaseException:
    """The one exception for whatever was raised underneath."""
    cause = wrapper.original
    _without_payload(cause)
    # find_class and persistent_load may refuse in their own words; what a pickle inside of this one says is not about
    # this one, and that a file has ended least of all.
    if wrapper.own_words and isinstance(cause, UnpicklingError) and not isinstance(cause, EndOfStream):
        return cause
    module, name = wrapper.culprit or (None, None)
    if unrestricted:
        message = _told(cause) or type(cause).__name__
    else:
        what = escape(f"{module}.{name}") if name else "something underneath"
        message = f"{what} raised {type(cause).__name__} while the pickle was loaded"
    error = ReconstructionError(
        message,
        position=wrapper.position,
        opcode=wrapper.opcode,
        module=module,
        name=name,
    )
    error.__cause__ = cause
    return error


def _without_payload(error: BaseException) -> BaseException:
    """Drop what an exception and its chain hold of the payload: tracebacks, whose frames do, and the object concerned.

    Attributes are set past the exception's class, which may be anybody's.
    """
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        BaseException.with_traceback(each, None)
        pending += [_CAUSE.__get__(each), _CONTEXT.__get__(each)]
        if isinstance(each, BaseExceptionGroup):
            pending += BaseExceptionGroup.exceptions.__get__(each)
        elif isinstance(each, AttributeError):
            _OBJECT.__set__(each, None)
        elif type(each) is UnicodeDecodeError or type(each) is UnicodeEncodeError:
            each.object = each.object[each.start : each.end]  # the text without what is around the failure
            each.start, each.end = 0, len(each.object)
            each.args = each.encoding, each.object, each.start, each.end, each.reason
    return error


_CAUSE: Final = BaseException.__dict__["__cause__"]
_CONTEXT: Final = BaseException.__dict__["__context__"]
_OBJECT: Final = AttributeError.__dict__["obj"]


def _told(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def _check_texts(encoding: Any, errors: Any) -> None:
    for name, given in (("encoding", encoding), ("errors", errors)):
        if not isinstance(given, str):
            raise TypeError(f"argument {name!r} must be str, not {type(given).__name__}")


def _log(error: BaseException, policy: Policy) -> None:
    if isinstance(error, EndOfStream):
        return  # the end of a file of pickles is no refusal
    try:
        _record(error, policy)
    except Exception:  # a full stack, a filter of the application: the refusal counts, not what becomes of its record
        return


def _record(error: BaseException, policy: Policy) -> None:
    import logging

    logger = logging.getLogger("safepickle")
    if not logger.isEnabledFor(logging.WARNING):  # all of a policy has to be read for its digest
        return
    where = f" at byte {error.position}" if isinstance(error, StreamError) and error.position is not None else ""
    told = escape(str(error), 500) if isinstance(error, StreamError) else ""
    if isinstance(error, ReconstructionError):
        named = f"{escape(error.module)}.{escape(error.name)}" if error.module and error.name else "something"
        told = f"{named} raised {type(error.__cause__).__name__}"
    logger.warning("refused a pickle%s: %s: %s (policy %s)", where, type(error).__name__, told, policy.digest[:16])


# -- Resolving names -------------------------------------------------------------------------------------------------


def _resolved(
    unpickler: Unpickler,
    occurrences: list[Occurrence],
    references: list[tuple[Global, Global]],
    persistents: list[Global | None],
) -> list[Any]:
    """The object for each opcode that names a global, in order, all of them before anything is called."""
    internal = unpickler._is_internal
    overridden = not internal and getattr(unpickler.find_class, "__func__", None) is not Unpickler.find_class
    unrestricted = unpickler._unrestricted
    spelled: dict[Any, Any] = {}
    resolved: list[Any] = []
    for each in occurrences:
        occurrence: Occurrence = each
        symbol = occurrence.symbol
        if symbol is None:
            value = _MISSING
        elif overridden:
            value = unpickler._find(occurrence, symbol)
        elif unrestricted:
            key = (occurrence.module, occurrence.name, occurrence.protocol)
            value = spelled.get(key, _MISSING)
            if value is _MISSING:
                value = spelled[key] = unpickler._find(occurrence, symbol)
        elif symbol.place >= 0:
            value = resolved[symbol.place]
        else:
            symbol.place = len(resolved)
            if symbol.found_in is not None and prim.is_there(
                symbol.found_in, symbol.module, symbol.name, symbol.found
            ):
                _audit(occurrence)  # it has been judged already
                value = symbol.found
            else:
                value = unpickler._find(occurrence, symbol)
                _note_found(symbol, value)
        resolved.append(value)
    if references or persistents:
        found = {occurrence.symbol: value for occurrence, value in zip(occurrences, resolved, strict=True)}
        _resolve_others(references, persistents, found, unrestricted)
    return resolved


def _prepare(
    machine: _Machine,
    unpickler: Unpickler,
    plan: Plan,
    buffers: Iterable[Any] | None,
    persistent_load: Callable[[Any], Any] | None,
    prior: dict[int, Prior] | None,
) -> None:
    """Resolve the names of what was verified, count its buffers, and hand all of it to the machine."""
    try:
        resolved = _resolved(unpickler, plan.occurrences, plan.references, plan.persistents)
        taken = _take(buffers, plan.buffers)
    except _FROM_WITHIN:
        raise
    except BaseException as error:
        raise _underneath(error) from None
    unpickler._protocol = plan.protocol  # for when the application calls find_class, from now on and after the load
    machine.serve(unpickler, persistent_load, prior)
    machine.name(unpickler, resolved, plan.occurrences, plan.persistents, taken)


def _underneath(error: BaseException) -> BaseException:
    """What carries an exception that was raised while names were resolved or buffers taken."""
    if isinstance(error, (KeyboardInterrupt, GeneratorExit)):
        return _Interrupted(error)
    return _Underneath(error, None, None)


def _resolve_others(
    references: list[tuple[Global, Global]],
    persistents: list[Global | None],
    known: dict[Any, Any],
    unrestricted: bool,
) -> None:
    """Find what no opcode names: classes that persistent IDs stand for, and attributes of classes."""
    for expected in persistents:
        if expected is not None and expected not in known:
            known[expected] = _find_listed(expected.module, expected.name, expected.module)
    for base, symbol in references:
        if base in known and symbol not in known and not unrestricted:
            try:
                known[symbol] = _class_attribute(known[base], symbol.name.rpartition(".")[2])
            except (KeyboardInterrupt, GeneratorExit) as error:
                raise _Interrupted(error) from None
            except BaseException as error:
                raise _Underneath(error, None, (symbol.module, symbol.name)) from None


def _audit(occurrence: Occurrence) -> None:
    """Raise pickle's audit event for a name that need not be looked for."""
    try:
        prim.audit(occurrence.module, occurrence.name)
    except (KeyboardInterrupt, GeneratorExit) as error:
        raise _Interrupted(error) from None
    except BaseException as error:
        culprit = occurrence.module, occurrence.name
        raise _Underneath(error, occurrence.position, culprit, own_words=True) from None


# -- Finding what a stream names -------------------------------------------------------------------------------------


def _find_anything(module: str, name: str, protocol: int) -> Any:
    """The rule of pickle itself, for the unrestricted policy."""
    __import__(module, level=0)
    found: Any = sys.modules[module]
    if protocol < 4:
        return getattr(found, name)
    holder = found
    for part in name.split("."):
        if part == "<locals>":
            raise AttributeError(f"Can't get local attribute {name!r} on {holder!r}")
        try:
            found = getattr(found, part)
        except AttributeError:
            raise AttributeError(f"Can't get attribute {name!r} on {holder!r}") from None
    return found


def _note_found(symbol: Global, value: Any) -> None:
    """Remember an object that was found directly in its module, for the next load that names it."""
    module = sys.modules.get(symbol.module)
    if type(module) is ModuleType and symbol.helper is None and vars(module).get(symbol.name, _MISSING) is value:
        symbol.found_in = module
        symbol.found = value


def _find_listed(module: str, name: str, spelled: str) -> Any:
    """A listed name: the module, then classes inside classes; never through anything else."""
    try:
        __import__(module, level=0)
    except ModuleNotFoundError as error:
        absent = error.name is not None and (module == error.name or module.startswith(error.name + "."))
        if spelled == module or not absent:
            raise
        module = spelled  # an alias whose new place does not exist here: the old one may
        __import__(module, level=0)
    first, *rest = name.split(".")
    found = getattr(sys.modules[module], first)
    for part in rest:
        if not isinstance(found, type):
            raise Forbidden(
                f"{escape(module)}.{escape(name)} leads through {type(found).__name__} {first!r}: every part of a "
                "qualified name but the last must be a class",
                module=module, name=name, verb="refer",
            )  # fmt: skip
        first = part
        found = _class_attribute(found, part)
    return found


def _class_attribute(cls: Any, name: str) -> Any:
    """An attribute as the class's MRO has it, bound to the class; neither `__getattr__` nor a metaclass has a say."""
    if not isinstance(cls, type):
        raise Forbidden(f"attribute {name} of a {type(cls).__name__}: only a class has attributes that can be named")
    raw = _type_lookup(cls, name)
    if raw is _MISSING:
        raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
    bind = _type_lookup(type(raw), "__get__")
    return raw if bind is _MISSING else bind(raw, None, cls)


def _bound_attribute(instance: Any, name: str) -> Any:
    """An attribute of the instance's class, bound to the instance; its own dict is never consulted."""
    cls = type(instance)
    raw = _type_lookup(cls, name)
    if raw is _MISSING:
        raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r} on its class")
    bind = _type_lookup(type(raw), "__get__")
    return raw if bind is _MISSING else bind(raw, instance, cls)


def _type_lookup(cls: type, name: str) -> Any:
    return prim.looked_up(cls, name, _MISSING)


def _check_resolved(symbol: Global, value: Any, position: int) -> None:
    """That a listed name is what the policy says it is."""
    if symbol.helper is not None:
        helper = _HELPERS.get(symbol.helper)
        if helper is None or helper.function is not value:
            raise Forbidden(
                f"{escape(symbol.dotted)} is not the function that pickle's protocol means", position=position,
                module=symbol.module, name=symbol.name, verb="refer",
            )  # fmt: skip
        return
    if isinstance(value, ModuleType):
        raise Forbidden(
            f"{escape(symbol.dotted)} is a module: a policy lists what is in it", position=position,
            module=symbol.module, name=symbol.name, verb="refer",
        )  # fmt: skip
    if not isinstance(value, type) and all(grant.plain for grant in symbol.grants):
        use = "call" if callable(value) else "refer"
        raise Forbidden(
            f"{escape(symbol.dotted)} is listed by its plain name, which is for classes, but it is a "
            f"{type(value).__name__}; list it as `{symbol.name}: {{use: [{use}]}}`",
            position=position, module=symbol.module, name=symbol.name, verb="refer",
        )  # fmt: skip


# -- Protocol helpers ------------------------------------------------------------------------------------------------


class _Helper:
    """What stands on the stack for a protocol helper.

    Not the function itself: a policy may list it by another name, and then it is to be called as it is.
    """

    __slots__ = ("function", "name")

    def __init__(self, name: str, function: Any) -> None:
        self.name = name
        self.function = function


_HELPERS: Final = {
    name: _Helper(name, function)
    for name, function in (
        (sym.RECONSTRUCTOR, _reconstructor),
        (sym.NEWOBJ, _newobj),
        (sym.NEWOBJ_EX, _newobj_ex),
        (sym.ENCODE, _codecs_encode),
        (sym.GETATTR, getattr),
        (sym.PARTIAL_CLASS, partial),
    )
}


class _NewPartial:
    """functools.partial(cls.__new__) on its way to stand for NEWOBJ_EX."""

    __slots__ = ("args", "function", "kwargs")

    def __init__(self, function: Any) -> None:
        self.function = function
        self.args: tuple[Any, ...] = ()
        self.kwargs: dict[str, Any] = {}


# -- The machine -----------------------------------------------------------------------------------------------------


class _Machine:
    """Runs one verified pickle."""

    def __init__(self) -> None:
        if not prim.COMPILED:
            self.__cinit__()

    def __cinit__(self) -> None:
        """Compiled, there is no machine without its arrays, and none is given others."""
        self.reader = _NO_INPUT
        self.stack = prim.new_stack()
        self.marks = prim.new_marks(self.stack)
        self.memo = prim.new_memo()
        self.prior = _NO_MEMO
        self.head_start = MEMO_HEAD_START
        self.free_keys = FREE_KEYS
        self.unpickler: Any = None  # the Unpickler that it serves, if it serves one
        self.unrestricted = False
        self.encoding = "ASCII"
        self.errors = "strict"
        self.guard: ProbeGuard | None = None
        self.acting: Any = None  # what was called, made or changed last, for the error
        self.asked: Heap | None = None
        self.resolved = _NO_NAMES
        self.symbols = _NO_NAMES
        self.buffers: Sequence[Any] = _NO_NAMES
        self.taken = 0  # how many of them the stream has asked for so far
        self.persistents: Iterator[Any] = _NOTHING_MORE
        self.own_types: set[type] | None = None  # classes whose instances may be changed
        self.own_type: type | None = None  # the last of them
        self.harmless: Any = None  # the last callable that keeps nothing as keys
        self.persistent_load: Callable[[Any], Any] | None = None
        self.named = 0

    def begin(self, reader: Reader | None, probe_work: int, heap: Heap | None) -> None:
        """Set what every load sets, also one of nothing but data.

        With the heap of its verification, no memo entry is kept that the stream does not ask for.
        """
        self.reader = _NO_INPUT if reader is None else reader  # for C, None is a reader too
        self.dense = self.head_start + self.reader.end  # memo entries up to here may be kept in an array
        self.memo_size = 0
        self.probe_work = probe_work
        self.asked = heap if heap is not None and heap.is_orderly else None

    def serve(
        self,
        unpickler: Unpickler,
        persistent_load: Callable[[Any], Any] | None,
        prior: dict[int, Prior] | None,
    ) -> None:
        """Set what an Unpickler was given that `loads` takes to be as usual."""
        self.encoding = unpickler._encoding
        self.errors = unpickler._errors
        self.prior = prior or _NO_MEMO
        self.memo_size = len(self.prior)
        self.persistent_load = persistent_load

    def name(
        self,
        unpickler: Unpickler,
        resolved: list[Any],
        occurrences: list[Occurrence],
        persistents: list[Global | None],
        buffers: Sequence[Any],
    ) -> None:
        """Set what a load has beside its data: what its names stand for, and what the application gives."""
        self.unpickler = unpickler
        self.unrestricted = unpickler._unrestricted
        self.named = 0  # how many names the stream has used so far
        self.resolved = resolved
        self.symbols = occurrences
        self.buffers = buffers
        if persistents:
            self.persistents = iter(persistents)

    def renew(self) -> None:
        """Drop what a load left behind."""
        prim.renew_stack(self.stack)
        prim.renew_memo(self.memo)
        self.guard = None
        self.acting = None
        self.asked = None
        self.buffers = _NO_NAMES
        self.taken = 0
        if self.unpickler is not None:
            self.own_type = self.harmless = None
            self.own_types = None
            self.unrestricted = False
            self.encoding = "ASCII"
            self.errors = "strict"
            self.prior = _NO_MEMO
            self.unpickler = self.persistent_load = None
            self.resolved = _NO_NAMES
            self.symbols = _NO_NAMES
            self.persistents = _NOTHING_MORE

    def is_small(self) -> bool:
        """Whether it may be kept for the next load."""
        return prim.is_small_memo(self.stack, self.memo)

    def _guard(self) -> ProbeGuard:
        if self.guard is None:
            self.guard = ProbeGuard(self.probe_work)
        return self.guard

    def run(self) -> Any:
        """The object that the pickle makes."""
        reader = self.reader
        try:
            return self._run_opcodes()
        except (KeyboardInterrupt, GeneratorExit) as error:
            raise _Interrupted(error) from None
        except BaseException as error:
            code = reader.data[reader.at]
            if isinstance(error, StreamError) and error.position is None:  # our own; another pickle's says where
                error.position = reader.position
                error.opcode = op.name_of(code)
                raise
            asked = code == op.PERSID or code == op.BINPERSID or code == op.STACK_GLOBAL
            culprit = _name_of(self.acting)
            self.acting = None
            # `from None` hides the context; the translation below keeps the cause itself.
            raise _Underneath(error, reader.position, culprit, op.name_of(code), own_words=asked) from None

    # The accepted long function, the verifier's twin: one flat arm for each opcode, common ones first.  Arguments of a
    # fixed size, which are all here, are read on the spot; what reads through the reader ends behind the chain.
    def _run_opcodes(self) -> Any:  # noqa: C901, PLR0912, PLR0915 - flat on purpose
        reader = self.reader
        stack = self.stack
        marks = self.marks
        memo = self.memo
        widths = prim.pointer(_WIDTHS)
        data = prim.pointer(reader.data)
        asides = bool(reader.asides)
        has_prior = bool(self.prior)
        dense = self.dense
        asked = self.asked  # in an orderly memo, `memo_size` is the index of the next entry, whatever opcode puts it
        frugal = asked is not None and prim.COMPILED != 0
        pos = reader.pos
        end = reader.end
        left = -1  # where the fast lane left off
        while True:
            if pos >= end:
                reader.pos = pos
                reader.boundary()
                end = reader.end
            if not prim.COMPILED and not asides and not has_prior and pos != left and lane.LOADED[data[pos]]:
                pos = left = lane.load(self, pos)
                end = reader.end
                continue

            # Values come in runs, which the interpreter leaves to the lane.
            while prim.COMPILED and end - pos > prim.LONGEST_FIXED:
                code = data[pos]
                if code == op.BININT1:
                    prim.push_uint1(stack, data, pos + 1)
                    pos += 2
                elif code == op.BININT:
                    prim.push_int4(stack, data, pos + 1)
                    pos += 5
                elif code == op.BINFLOAT:
                    prim.push_float8(stack, data, pos + 1)
                    pos += 9
                elif code == op.BININT2:
                    prim.push_uint2(stack, data, pos + 1)
                    pos += 3
                elif code == op.NONE:
                    prim.push(stack, None)
                    pos += 1
                elif code == op.SHORT_BINUNICODE:
                    size = data[pos + 1]
                    if size > end - pos - 2:
                        break
                    prim.push_text(stack, data, pos + 2, size)
                    pos += 2 + size
                elif code == op.LONG1 or code == op.SHORT_BINBYTES:
                    size = data[pos + 1]
                    if size > end - pos - 2:
                        break
                    if code == op.LONG1:
                        prim.push_signed(stack, data, pos + 2, size)
                    else:
                        prim.push_bytes(stack, data, pos + 2, size)
                    pos += 2 + size
                elif code == op.MEMOIZE:
                    if not frugal or prim.is_fetched(asked, self.memo_size):
                        break
                    self.memo_size += 1
                    pos += 1
                elif code == op.BINGET:
                    if not prim.push_entry(memo, data[pos + 1], stack):
                        break
                    pos += 2
                else:
                    break
            if pos >= end:
                continue
            at = pos
            code = data[at]
            pos = at + 1
            reader.at = at
            reader.pos = pos
            width = widths[code]
            if width > end - pos:
                reader.skip(width)  # says what is missing
            if not prim.COMPILED and code == op.STOP:  # interpreted, the order of the tests takes time
                return prim.pop(stack)
            if code == op.BININT1:
                prim.push_uint1(stack, data, pos)
                pos += 1
                continue
            if code == op.BININT:
                prim.push_int4(stack, data, pos)
                pos += 4
                continue
            if code == op.BINFLOAT:
                prim.push_float8(stack, data, pos)
                pos += 8
                continue
            if code == op.SHORT_BINUNICODE:
                size = data[pos]
                pos += 1
                if size > end - pos:
                    reader.pos = pos
                    reader.skip(size)
                prim.push_text(stack, data, pos, size)
                pos += size
                continue
            if code == op.BINUNICODE:
                size = prim.uint4(data, pos)
                if asides or size > end - pos - 4:
                    prim.push(stack, reader.text(reader.uint4()))
                else:
                    prim.push_text(stack, data, pos + 4, size)
                    pos += 4 + size
                    continue
            elif code == op.MEMOIZE or code == op.BINPUT or code == op.LONG_BINPUT:
                if frugal and not prim.is_fetched(asked, self.memo_size):
                    self.memo_size += 1
                    pos += width
                    continue
                if code == op.MEMOIZE:
                    index = self.memo_size
                else:
                    index = data[pos] if code == op.BINPUT else prim.uint4(data, pos)
                    pos += width
                if prim.put(memo, index, stack, dense) and (not has_prior or index not in self.prior):
                    self.memo_size += 1
                continue
            elif code == op.BINGET or code == op.LONG_BINGET:
                index = data[pos] if code == op.BINGET else prim.uint4(data, pos)
                pos += width
                if not prim.push_entry(memo, index, stack):
                    prim.push(stack, self.prior[index].value)
                continue
            elif code == op.BININT2:
                prim.push_uint2(stack, data, pos)
                pos += 2
                continue
            elif code == op.NONE:
                prim.push(stack, None)
                continue
            elif code == op.NEWTRUE:
                prim.push(stack, True)
                continue
            elif code == op.NEWFALSE:
                prim.push(stack, False)
                continue

            # Containers
            elif code == op.MARK:
                prim.push_mark(stack, marks)
                continue
            elif code == op.EMPTY_LIST:
                prim.push(stack, [])
                continue
            elif code == op.EMPTY_DICT:
                prim.push(stack, {})
                continue
            elif code == op.EMPTY_TUPLE:
                prim.push(stack, ())
                continue
            elif code == op.EMPTY_SET:
                prim.push(stack, set())
                continue
            elif code == op.TUPLE1:
                prim.fold_tuple(stack, prim.height(stack) - 1)
                continue
            elif code == op.TUPLE2:
                prim.fold_tuple(stack, prim.height(stack) - 2)
                continue
            elif code == op.TUPLE3:
                prim.fold_tuple(stack, prim.height(stack) - 3)
                continue
            elif code == op.TUPLE:
                prim.fold_tuple(stack, prim.pop_mark(marks))
                continue
            elif code == op.APPENDS or code == op.APPEND:
                start = prim.pop_mark(marks) if code == op.APPENDS else prim.height(stack) - 1
                target = prim.at(stack, start - 1)
                if type(target) is list:
                    prim.extend_exact_list(target, stack, start)
                else:
                    self._extend(target, prim.pop_list(stack, start))
                continue
            elif code == op.SETITEMS or code == op.SETITEM:
                start = prim.pop_mark(marks) if code == op.SETITEMS else prim.height(stack) - 2
                if frugal and pos < end and (data[pos] == op.BUILD or data[pos] == op.TUPLE2):
                    stop = self._give_state(start, pos, end)
                    if stop > 0:
                        pos = stop
                        continue
                self._set_pairs(prim.at(stack, start - 1), start)
                continue
            elif code == op.ADDITEMS:
                start = prim.pop_mark(marks)
                self._add_items(prim.at(stack, start - 1), prim.pop_list(stack, start))
                continue
            elif code == op.LIST:
                prim.push(stack, prim.pop_list(stack, prim.pop_mark(marks)))
                continue
            elif code == op.DICT:
                target = {}
                self._set_pairs(target, prim.pop_mark(marks))
                prim.push(stack, target)
                continue
            elif code == op.FROZENSET:
                items = prim.pop_list(stack, prim.pop_mark(marks))
                self._guard().building(frozenset, (items,))
                prim.push(stack, frozenset(items))
                continue

            # Globals and objects
            elif code == op.REDUCE:
                args = prim.pop(stack)
                prim.replace_top(stack, self._call(prim.top(stack), args))
                continue
            elif code == op.NEWOBJ:
                args = prim.pop(stack)
                prim.replace_top(stack, self._new(prim.top(stack), args, None, "NEWOBJ"))
                continue
            elif code == op.BUILD:
                state = prim.pop(stack)
                self._build(prim.top(stack), state)
                continue
            elif code == op.NEWOBJ_EX:
                kwargs = prim.pop(stack)
                args = prim.pop(stack)
                prim.replace_top(stack, self._new(prim.top(stack), args, kwargs, "NEWOBJ_EX"))
            elif code == op.GLOBAL:
                reader.two_lines()
                prim.push(stack, self._next_global())
            elif code == op.STACK_GLOBAL:
                name = prim.pop(stack)
                prim.replace_top(stack, self._stack_global(prim.top(stack), name))
            elif code == op.INST:
                reader.two_lines()
                args = prim.pop_tuple(stack, prim.pop_mark(marks))
                prim.push(stack, self._instantiate(self._next_global(), args))
            elif code == op.OBJ:
                args = prim.pop_tuple(stack, prim.pop_mark(marks))
                prim.push(stack, self._instantiate(args[0], args[1:]))

            # Less common literals
            elif code == op.SHORT_BINBYTES:
                size = data[pos]
                pos += 1
                if size > end - pos:
                    reader.pos = pos
                    reader.skip(size)
                prim.push_bytes(stack, data, pos, size)
                pos += size
                continue
            elif code == op.BINBYTES:
                size = prim.uint4(data, pos)
                if asides or size > end - pos - 4:
                    prim.push(stack, reader.take(reader.uint4()))
                else:
                    prim.push_bytes(stack, data, pos + 4, size)
                    pos += 4 + size
                    continue
            elif code == op.BINBYTES8:
                prim.push(stack, reader.take(reader.uint8()))
            elif code == op.BINUNICODE8:
                prim.push(stack, reader.text(reader.uint8()))
            elif code == op.LONG1:
                size = data[pos]
                pos += 1
                if size > end - pos:
                    reader.pos = pos
                    reader.skip(size)
                prim.push_signed(stack, data, pos, size)
                pos += size
                continue
            elif code == op.LONG4:
                prim.push(stack, reader.long(reader.length4("LONG")))
            elif code == op.BYTEARRAY8:
                prim.push(stack, reader.take_bytearray(reader.uint8()))
            elif code == op.SHORT_BINSTRING:
                prim.push(stack, self._text8(reader.take(reader.uint1())))
            elif code == op.BINSTRING:
                prim.push(stack, self._text8(reader.take(reader.length4("BINSTRING"))))
            elif code == op.STRING:
                prim.push(stack, self._text8(reader.quoted()))
            elif code == op.UNICODE:
                prim.push(stack, reader.escaped())
            elif code == op.INT:
                prim.push(stack, reader.int_or_bool())
            elif code == op.LONG:
                prim.push(stack, reader.decimal(suffix=True))
            elif code == op.FLOAT:
                prim.push(stack, reader.float_text())
            elif code == op.GET:
                self._get(reader.index())
            elif code == op.PUT:
                self._put(reader.index())

            # The stack itself
            elif code == op.POP:
                if prim.height(stack) > prim.base(marks):
                    prim.drop(stack, prim.height(stack) - 1)
                else:
                    prim.pop_mark(marks)
            elif code == op.POP_MARK:
                prim.drop(stack, prim.pop_mark(marks))
            elif code == op.DUP:
                prim.push(stack, prim.top(stack))

            # Control
            elif code == op.PROTO:
                pos += 1
                continue
            elif code == op.FRAME:
                reader.frame()
            elif code == op.STOP:
                return prim.pop(stack)

            # What the application brings
            elif code == op.PERSID:
                prim.push(stack, self._persistent(reader.persistent_id_line()))
            elif code == op.BINPERSID:
                prim.replace_top(stack, self._persistent(prim.top(stack)))
            elif code == op.NEXT_BUFFER:
                prim.push(stack, self._next_buffer())
            elif code == op.READONLY_BUFFER:
                view = memoryview(prim.top(stack))
                if not view.readonly:
                    prim.replace_top(stack, view.toreadonly())
            elif code == op.EXT1 or code == op.EXT2 or code == op.EXT4:
                reader.pos = pos + width
                prim.push(stack, self._next_global())
            else:
                reader.unknown_opcode(code)
            pos = reader.pos
            end = reader.end

    def entries(self) -> dict[int, Any]:
        """The memo entries of this load."""
        return prim.entries(self.memo)

    def _put(self, index: int) -> None:
        if prim.put(self.memo, index, self.stack, self.dense) and index not in self.prior:
            self.memo_size += 1

    def _get(self, index: int) -> None:
        if not prim.push_entry(self.memo, index, self.stack):
            prim.push(self.stack, self.prior[index].value)

    def _set_pairs(self, target: Any, start: int) -> None:
        """SETITEM(S) and DICT: the pairs from `start` on."""
        stack = self.stack
        if type(target) is dict and prim.harmless_keys(target, stack, start, 2, self.free_keys):
            prim.set_exact_dict(target, stack, start)
        else:
            self._set_items(target, prim.pop_list(stack, start))

    def _text8(self, raw: bytes) -> str | bytes:
        return raw if self.encoding == "bytes" else str(raw, self.encoding, self.errors)

    def _next_buffer(self) -> Any:
        place = self.taken
        self.taken = place + 1
        return self.buffers[place]

    def _next_global(self) -> Any:
        place = self.named
        if place >= len(self.resolved):
            raise IndexError("more names than were verified")
        self.named = place + 1
        return self.resolved[place]

    def _stack_global(self, module: Any, name: Any) -> Any:
        value = self._next_global()
        occurrence: Occurrence = self.symbols[self.named - 1]
        if occurrence.symbol is not None:
            return value
        # A name that the application gave just now; verification lets it come to this under no policy.
        if type(module) is not str or type(name) is not str:
            raise MalformedStream("STACK_GLOBAL requires str")
        self.unpickler._protocol = occurrence.protocol
        return self.unpickler.find_class(module, name)

    # -- Making objects ----------------------------------------------------------------------------------------------

    def _call(self, function: Any, args: Any) -> Any:
        if type(args) is not tuple and not isinstance(args, tuple):
            raise TypeError("argument list must be a tuple")
        self.acting = function
        if not self.unrestricted:
            if type(function) is _Helper:
                return self._help(function.name, args)
            if type(function) is _NewPartial:
                return self._finish_partial(function)
        if function is not self.harmless:
            if prim.makes_keys(function):
                self._guard().building(function, args)
            else:
                self.harmless = function
        return function(*args)

    def _help(self, name: str, args: tuple[Any, ...]) -> Any:
        """What a protocol helper stands for."""
        if name == sym.ENCODE:
            return prim.latin1(args[0])
        if name == sym.GETATTR:
            return self._reference(*args)
        if name == sym.RECONSTRUCTOR:
            return self._reconstruct(*args)
        if name == sym.NEWOBJ:
            return self._new(args[0], args[1:], None, "copyreg.__newobj__")
        if name == sym.NEWOBJ_EX:
            return self._new(args[0], args[1], args[2], "copyreg.__newobj_ex__")
        return _NewPartial(args[0])

    def _reference(self, target: Any, name: str) -> Any:
        """getattr, as a reference to a listed qualified name."""
        if isinstance(target, type):
            return _class_attribute(target, name)
        return _bound_attribute(target, name)

    def _new(self, cls: Any, args: Any, kwargs: Any, what: str) -> Any:
        if not isinstance(cls, type):
            raise MalformedStream(f"{what} class argument must be a type, not {type(cls).__name__}")
        self.acting = cls
        if not isinstance(args, tuple):
            raise MalformedStream(f"{what} args argument must be a tuple, not {type(args).__name__}")
        if cls is not self.harmless:
            if prim.makes_keys(cls):
                self._guard().building(cls, args)
            else:
                self.harmless = cls
        if kwargs is None:
            return prim.new(cls, args)
        if not isinstance(kwargs, dict):
            raise MalformedStream(f"{what} kwargs argument must be a dict, not {type(kwargs).__name__}")
        return cls.__new__(cls, *args, **kwargs)

    def _reconstruct(self, cls: Any, base: Any, state: Any) -> Any:
        """copyreg._reconstructor, without the ways to make it run another class's __init__."""
        if not isinstance(cls, type) or not isinstance(base, type):
            raise MalformedStream("copyreg._reconstructor needs a class and its base class")
        self.acting = cls
        if base is object:
            return object.__new__(cls)
        first = next(
            (each for each in type.__dict__["__mro__"].__get__(cls) if not each.__flags__ & _HEAP_TYPE), object
        )
        if base is not first:
            raise Forbidden(
                f"copyreg._reconstructor with base {base.__name__}, but the first built-in base of {cls.__name__} is "
                f"{first.__name__}"
            )
        self._guard().building(base, (state,))
        make: Any = base.__new__
        initialise: Any = base.__init__
        made = make(cls, state)
        if initialise is not object.__init__:
            initialise(made, state)
        return made

    def _finish_partial(self, partial: _NewPartial) -> Any:
        """functools.partial(cls.__new__, cls, *args, **kwargs)(), pickle's NEWOBJ_EX below protocol 4."""
        function, args, kwargs = partial.function, partial.args, partial.kwargs
        cls = args[0]
        self.acting = cls
        if not isinstance(cls, type) or not _same_function(function, _class_attribute(cls, "__new__")):
            raise Forbidden("functools.partial of a __new__ that is not its class's own")
        self._guard().building(cls, args[1:])
        return function(*args, **kwargs)

    def _instantiate(self, cls: Any, args: tuple[Any, ...]) -> Any:
        """INST and OBJ: Python 2 made an instance of a class without arguments without calling __init__."""
        if not args and isinstance(cls, type) and not hasattr(cls, "__getinitargs__"):
            self.acting = cls
            make: Any = cls.__new__
            return make(cls)
        return self._call(cls, args)

    # -- Changing objects --------------------------------------------------------------------------------------------

    def _target(self, target: Any) -> None:
        """Refuse to change what existed before the load, where only running it shows."""
        self.acting = type(target)
        if self.unrestricted or type(target) is self.own_type:
            return
        if self.own_types is not None and type(target) in self.own_types:
            self.own_type = type(target)
            return
        if isinstance(target, _NEVER_CHANGED) or _is_enum_member(target):
            raise Forbidden(
                f"a pickle would change a {type(target).__name__} that existed before it was loaded",
                module=type(target).__module__, name=type(target).__qualname__,
            )  # fmt: skip
        if self.own_types is None:
            self.own_types = set()
        self.own_types.add(type(target))

    def _method(self, target: Any, name: str) -> Any:
        if self.unrestricted:
            return getattr(target, name, _MISSING)
        raw = prim.looked_up(type(target), name, _MISSING)
        if raw is _MISSING:
            return _MISSING
        bind = prim.looked_up(type(raw), "__get__", _MISSING)
        return raw if bind is _MISSING else bind(raw, target, type(target))

    def _extend(self, target: Any, items: list[Any]) -> None:
        # One item comes to `extend` as well, as in C `_pickle`; the pure reader calls append.
        if not items:
            return
        self._target(target)
        extend = self._method(target, "extend")
        if extend is not _MISSING:
            extend(items)
            return
        append = self._method(target, "append")
        if append is _MISSING:
            raise AttributeError(f"{type(target).__name__!r} object has no attribute 'append'")
        for item in items:
            append(item)

    def _set_items(self, target: Any, items: list[Any]) -> None:
        if type(target) is not dict:
            if not items:
                return
            self._target(target)
            if not isinstance(target, dict):
                self._guard().adding(target, items[::2], is_set=False)
        if isinstance(target, dict) and dict.__len__(target) + len(items) // 2 > FREE_KEYS:
            for start in range(0, len(items), 2 * FREE_KEYS):
                some = items[start : start + 2 * FREE_KEYS]
                self._guard().adding(target, some[::2], is_set=False)
                for position in range(0, len(some), 2):
                    target[some[position]] = some[position + 1]
            return
        for position in range(0, len(items), 2):
            target[items[position]] = items[position + 1]

    def _add_items(self, target: Any, items: list[Any]) -> None:
        if not isinstance(target, set):
            if not items:
                return
            self._target(target)
            add = self._method(target, "add")
            if add is _MISSING:
                raise AttributeError(f"{type(target).__name__!r} object has no attribute 'add'")
            self._guard().adding(target, items, is_set=True)
            for item in items:
                add(item)
            return
        for start in range(0, len(items), FREE_KEYS):
            some = items[start : start + FREE_KEYS]
            self._guard().adding(target, some, is_set=True)
            set.update(target, some)

    def _build(self, target: Any, state: Any) -> None:
        if type(target) is _NewPartial:
            _, target.args, kwargs, _ = state  # the verifier has seen its exact shape
            target.kwargs = kwargs or {}
            return
        self._target(target)
        setstate = self._method(target, "__setstate__")
        if setstate is not _MISSING:
            setstate(state)
            return
        slots = _MISSING
        if isinstance(state, tuple) and len(state) == 2:
            state, slots = state
        if state is not None:
            self._set_attributes(target, state)
        if slots is not _MISSING:  # None is no dict of slots: in this place C `_pickle` refuses it
            self._set_slots(target, slots)

    def _give_state(self, start: int, pos: int, end: int) -> int:
        """Give an instance the state of the pairs from `start` on, before a dict is made of them.

        It is what BUILD would do, if it comes at `pos`, or behind the tuple that slots come in.  Returns where the
        stream goes on, or 0, with nothing done, if it is not the plain case.
        """
        stack = self.stack
        data = prim.pointer(self.reader.data)
        slots = data[pos] == op.TUPLE2
        put = 0
        if slots:
            pos += 1
            if pos < end and (data[pos] == op.MEMOIZE or data[pos] == op.BINPUT):
                if prim.is_fetched(self.asked, self.memo_size):
                    return 0
                put = 1
                pos += 1 + prim.pointer(_WIDTHS)[data[pos]]
            if pos >= end or data[pos] != op.BUILD:
                return 0
        place = start - 3 if slots else start - 2
        if place < 0:
            return 0
        cls = type(prim.at(stack, place))
        # Whether it may be changed is for the long way to say, which notes none where everything may be.
        if cls is not self.own_type:
            if self.own_types is None or cls not in self.own_types:
                return 0
            self.own_type = cls
        self.acting = cls
        if not prim.give_state(stack, start, slots):
            return 0
        self.memo_size += put
        return pos + 1

    def _set_attributes(self, target: Any, state: Any) -> None:
        if not isinstance(state, dict):
            raise MalformedStream("state is not a dictionary")
        if prim.set_inline(target, state):
            return
        attributes = target.__dict__
        if prim.set_attributes(attributes, state):
            return
        if not self.unrestricted:
            for name in dict.keys(state):
                if name in sym.HOOKS:
                    raise Forbidden("state that sets one of __setstate__, append, extend, add on an instance")
        for name, value in dict.items(state):
            attributes[sys.intern(name) if type(name) is str else name] = value

    def _set_slots(self, target: Any, slots: Any) -> None:
        if not isinstance(slots, dict):
            raise MalformedStream("slot state is not a dictionary")
        done = prim.set_slots(target, slots)
        if type(slots) is dict and done == len(slots):
            return
        for name, value in islice(dict.items(slots), done, None):
            if not self.unrestricted and (type(name) is not str or name[:2] == "__" or name in sym.HOOKS):
                raise Forbidden("slot state that sets a dunder, or a name that is no exact text")
            setattr(target, name, value)

    # -- What the application brings ---------------------------------------------------------------------------------

    def _persistent(self, pid: Any) -> Any:
        expected = next(self.persistents)
        self.acting = self.persistent_load
        if self.persistent_load is None:
            raise UnpicklingError(_NO_LOADER)
        value = self.persistent_load(pid)
        if expected is not None and value is not _find_listed(expected.module, expected.name, expected.module):
            raise Forbidden(
                f"persistent_load gave another object than {escape(expected.dotted)}, which the policy says it makes",
                module=expected.module, name=expected.name,
            )  # fmt: skip
        return value


def _name_of(acting: Any) -> Name | None:
    """Where a class or function says that it is from; nothing of anybody else's is run to find out."""
    if isinstance(acting, type):
        module, name = type.__dict__["__module__"].__get__(acting), type.__dict__["__qualname__"].__get__(acting)
    elif isinstance(acting, _FUNCTIONS):
        module, name = getattr(acting, "__module__", None) or "builtins", acting.__qualname__
    else:
        return None
    return (module, name) if type(module) is str and type(name) is str else None


def _same_function(left: Any, right: Any) -> bool:
    # A built-in __new__ is wrapped anew at each look-up; equality compares what it is bound to.
    return left is right or bool(type(left) is type(right) is BuiltinFunctionType and left == right)


def _is_enum_member(target: Any) -> bool:
    enum = sys.modules.get("enum")  # nobody has made a member of an Enum before that was imported
    return enum is not None and isinstance(target, enum.Enum)


# -- Loading from bytes ----------------------------------------------------------------------------------------------


class _Bench:
    """A reader, a verifier and a machine, kept from one load for the next one."""

    __slots__ = (
        "digits", "limits", "machine", "policy", "probe_work", "reader", "rules", "unpickler", "verifier", "was_data",
    )  # fmt: skip

    def __init__(self) -> None:
        self.reader = Reader(b"")
        self.verifier = Verifier(self.reader, _NO_RULES, DEFAULTS, PLAIN_OPTIONS)
        self.machine = _Machine()
        self.policy: Policy | None = None
        self.unpickler: Unpickler | None = None  # who resolves names under the policy
        self.was_data = True  # whether the last stream was nothing but data: so is the next one, more often than not

    def verify(self, data: bytes, policy: Policy, options: Options) -> None:
        """Verify bytes, under PLAIN_OPTIONS or BUFFERED_OPTIONS."""
        if policy is not self.policy:
            self.policy = policy
            self.unpickler = None
            self.rules: PolicyData = policy.data
            self.limits: Limits = policy.limits
            self.digits = self.limits.integer_digits
            self.probe_work = self.limits.probe_work
        self.reader.renew(data, self.digits)
        self.verifier.renew(self.rules, self.limits, options, self.was_data)
        _verified(self.verifier)

    def run(self) -> Any:
        """The object of what was verified, which is plain.

        Uncompiled, C `_pickle` makes it where there is one: of data it can make nothing else than the machine here,
        once all that it reads more generously was refused, and no keys are left whose collisions would have to be
        followed.  Whatever it raises is said by the machine here, in its own words.
        """
        if not prim.COMPILED and lane.make_data is not None and self.verifier.has_harmless_keys():
            try:
                return lane.make_data(self.reader.data)
            except Exception:  # noqa: S110 - what is wrong comes to light again below
                pass
        self.reader.rewind()
        kept = None if _KEEPS_NESTED and self.verifier.result_depth() > _NESTED else self.verifier.heap
        self.machine.begin(self.reader, self.probe_work, kept)
        return self.machine.run()

    def run_with(self, buffers: Iterable[Any]) -> Any:
        """The object of what was verified, which is nothing but data and out-of-band buffers."""
        try:
            self.machine.buffers = _take(buffers, self.verifier.buffers)
        except _FROM_WITHIN:
            raise
        except BaseException as error:
            raise _underneath(error) from None
        self.reader.rewind()
        self.machine.begin(self.reader, self.probe_work, self.verifier.heap)
        return self.machine.run()

    def run_objects(self, buffers: Iterable[Any] | None) -> Any:
        """The object of what was verified, whatever it is."""
        unpickler = self.unpickler
        if unpickler is None:
            unpickler = _over_bytes(self.policy, fix_imports=True, encoding="ASCII", errors="strict", buffers=None)
            self.unpickler = unpickler
        verifier = self.verifier
        machine = self.machine
        occurrences, persistents = verifier.occurrences, verifier.persistents
        try:
            resolved = _resolved(unpickler, occurrences, verifier.references, persistents)
            taken = _take(buffers, verifier.buffers)
        except _FROM_WITHIN:
            raise
        except BaseException as error:
            raise _underneath(error) from None
        self.reader.rewind()
        machine.begin(self.reader, self.probe_work, verifier.heap)
        machine.name(unpickler, resolved, occurrences, persistents, taken)
        return machine.run()

    def put_back(self) -> None:
        """Keep this for the next load."""
        verifier = self.verifier
        if not verifier.heap.is_small() or not self.machine.is_small():
            return
        self.reader.release()
        self.machine.renew()
        self.was_data = verifier.is_data()
        if not verifier.is_reusable():
            verifier.forget()
        prim.keep(_PLACE, self)


# Before 3.12 the garbage collector runs while objects are made.  A full pass over deep nests takes half as long again
# where nothing outside refers to what is in the middle, for it finds that out only once it comes back from the end: so
# their memo entries are kept as they come, as `_pickle` keeps all.
_KEEPS_NESTED: Final = sys.version_info < (3, 12)
_NESTED: Final = 16  # levels
_NO_INPUT: Final = Reader(b"")
_NO_RULES: Final = PolicyData({})
_NO_MEMO: Final[dict[int, Prior]] = {}
_NO_NAMES: Final[list[Any]] = []  # nor buffers
_NOTHING_MORE: Final[Iterator[Any]] = iter(())
_IDLE: Final[list[_Bench | None]] = prim.place_for_one()
_PLACE: Final = _IDLE  # the same, found at once
_PLAIN: Final = PLAIN_OPTIONS
_BUFFERED: Final = BUFFERED_OPTIONS


def _bench() -> _Bench:
    bench: _Bench | None = prim.take(_PLACE)
    return _Bench() if bench is None else bench


class _Failure:
    """Stands for an object that could not be loaded: to be raised once nothing is left of the load."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _take(buffers: Iterable[Any] | None, count: int) -> Sequence[Any]:
    """The next so many buffers, all of which are there."""
    if not count:
        return _NO_NAMES
    taken: Sequence[Any]
    if type(buffers) is list or type(buffers) is tuple:
        taken = buffers
    else:
        taken = [] if buffers is None else list(islice(buffers, count))
    if len(taken) < count:
        raise MalformedStream("not enough out-of-band buffers")
    return taken


def _load_plain(data: bytes, policy: Policy, buffers: Iterable[Any] | None) -> Any:
    """`loads` without arguments that change how bytes are read; whatever goes wrong with the stream is returned."""
    bench = _bench()
    try:
        bench.verify(data, policy, _PLAIN if buffers is None else _BUFFERED)
        if bench.verifier.is_plain():
            value = bench.run()
        elif buffers is not None and bench.verifier.is_data():
            value = bench.run_with(buffers)
        else:
            value = bench.run_objects(buffers)
    except _Interrupted as interrupted:
        original = interrupted.original
        raise original from None
    except _FAILURES as error:
        return _Failure(_failure(error, policy.data.unrestricted))
    bench.put_back()
    return value


def _load_with(unpickler: Unpickler, data: bytes) -> Any:
    """`loads` with arguments of its own; whatever goes wrong with the stream is returned."""
    options = Options(
        fix_imports=unpickler._fix_imports,
        encoding=unpickler._encoding,
        errors=unpickler._errors,
        buffers=unpickler._buffers is not None,
    )
    limits = unpickler._limits
    try:
        reader = Reader(data, integer_digits=limits.integer_digits)
        plan = _verified(Verifier(reader, unpickler._data, limits, options)).plan()
        reader = Reader(data, integer_digits=limits.integer_digits)
        return unpickler._run(plan, reader, None, _Machine())
    except _Interrupted as interrupted:
        original = interrupted.original
        raise original from None
    except _FAILURES as error:
        return _Failure(_failure(error, unpickler._data.unrestricted))


def _over_bytes(
    policy: PolicySpec, fix_imports: bool, encoding: str, errors: str, buffers: Iterable[Any] | None
) -> Unpickler:
    unpickler = Unpickler.__new__(Unpickler)
    unpickler._file = None
    unpickler._set_up(policy, fix_imports, encoding, errors, buffers)
    unpickler._is_internal = True
    return unpickler


def load_one(
    file: Any, policy: PolicySpec, fix_imports: bool, encoding: str, errors: str, buffers: Iterable[Any] | None
) -> Any:
    """The object of one pickle in a file, by an Unpickler that nobody will ask for another one."""
    unpickler = Unpickler(
        file, policy=policy, fix_imports=fix_imports, encoding=encoding, errors=errors, buffers=buffers
    )
    unpickler._is_for_one = True
    return unpickler.load()


def _chosen(policy: PolicySpec) -> Policy:
    if policy is None and VARIABLE not in VARIABLES:
        return _DEFAULT
    return policy if type(policy) is Policy else resolve_policy(policy)


_DEFAULT: Final = Policy.named("plain")


def loads(
    data: Any,
    /,
    *,
    policy: PolicySpec = None,
    fix_imports: bool = True,
    encoding: str = "ASCII",
    errors: str = "strict",
    buffers: Iterable[Any] | None = None,
) -> Any:
    """The object of the pickle in a bytes-like object, if the policy admits all of it.  Bytes after STOP are ignored.

    Raises `pickle.UnpicklingError` (see `safepickle.errors`), and TypeError for what is no buffer.
    """
    chosen = _chosen(policy)
    given: bytes = data if type(data) is bytes else frozen_input(data)
    if fix_imports is True and encoding == "ASCII" and errors == "strict":
        if type(buffers) is not list and type(buffers) is not tuple and buffers is not None:
            buffers = iter(buffers)
        value = _load_plain(given, chosen, buffers)
    else:
        value = _load_with(_over_bytes(chosen, fix_imports, encoding, errors, buffers), given)
    if type(value) is _Failure:
        failure: _Failure = value
        _log(failure.error, chosen)
        raise failure.error
    return value


def verify(
    data: Any,
    /,
    *,
    policy: PolicySpec = None,
    fix_imports: bool = True,
    encoding: str = "ASCII",
    errors: str = "strict",
    buffers: Iterable[Any] | None = None,
) -> None:
    """Raise what `loads` would raise before it imports or runs anything; return None if it would go on to load.

    Nothing is taken from `buffers`; where it has a length, that must do for the pickle.
    """
    chosen = _chosen(policy)
    given: bytes = data if type(data) is bytes else frozen_input(data)
    if fix_imports is True and encoding == "ASCII" and errors == "strict":
        bench = _bench()
        try:
            bench.verify(given, chosen, _PLAIN if buffers is None else _BUFFERED)
        except StreamError as error:
            failure = _without_payload(error)
        else:
            used = bench.verifier.buffers
            bench.put_back()
            given_buffers = _count(buffers) if used else None
            if given_buffers is not None and used > given_buffers:
                _rehearse(given, chosen, Options(buffers=True, buffer_count=given_buffers))  # says which one is missing
            return
        _log(failure, chosen)
        raise failure
    _check_texts(encoding, errors)
    options = Options(
        fix_imports=fix_imports,
        encoding=encoding,
        errors=errors,
        buffers=buffers is not None,
        buffer_count=_count(buffers),
    )
    _rehearse(given, chosen, options)


def _count(buffers: object) -> int | None:
    if type(buffers) is list or type(buffers) is tuple:
        return len(buffers)
    return len(buffers) if isinstance(buffers, Sized) else None


def _rehearse(data: bytes, policy: Policy, options: Options) -> Plan:
    """Verify for its own sake: what is refused is logged and raised, as loading would."""
    try:
        reader = Reader(data, integer_digits=policy.limits.integer_digits)
        return _verified(Verifier(reader, policy.data, policy.limits, options)).plan()
    except StreamError as error:
        failure = _without_payload(error)
    _log(failure, policy)
    raise failure


class Rehearsal:
    """What a consumer would refuse of one pickle after the other, if it read them with one Unpickler.

    It keeps of each what a memo would keep, without making any of it.  The consumer is taken to have what the pickles
    ask an application for: a persistent_load, and buffers where `buffers` says so.
    """

    def __init__(self, policy: PolicySpec, *, fix_imports: bool, buffers: bool) -> None:
        self._policy = resolve_policy(policy)
        self._fix_imports = fix_imports
        self._buffers = buffers
        self._prior: dict[int, Prior] = {}
        self._opcodes = 0

    def forget(self) -> None:
        """To be called when the writer forgets its memo."""
        self._prior = {}

    def verify(self, data: bytes) -> None:
        """Raise what the consumer would raise before it runs anything of this pickle."""
        options = Options(
            fix_imports=self._fix_imports,
            buffers=self._buffers,
            persistent_load=True,
            prior=self._prior,
            opcodes_before=self._opcodes,
        )
        plan = _rehearse(data, self._policy, options)
        matcher = Matcher(Reader(data), plan.heap, options.encoding, options.errors)
        # Names are told by their text; of a long literal its length is enough.
        values = {
            index: _MISSING if code & KIND < FIRST_NODE and plan.heap.long_size(code >> SHIFT) else matcher.value(code)
            for index, code in plan.memo.items()
        }
        self._prior.update(remembered(plan.heap, plan.memo, values))
        self._opcodes += plan.opcodes
