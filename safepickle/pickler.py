"""Objects to opcodes: which objects are written how, in which order, and what is remembered in the memo.

The pickles are those of C `_pickle` of the running interpreter, byte for byte, at every protocol; the calls an object
can observe (`persistent_id`, reducers, `__reduce_ex__`, iterators, `write`) come in the same order.

Rules:

* It decides, the writer lays out: no byte of a pickle is spelled here.
* Most values of most pickles are written by `dumping.atom`.  What it leaves comes to `save_other`: one flat dispatch on
  the exact type.  The arms that are longer than a few lines are methods of their own.
* This file is interpreted or compiled, and does the same: `pickler.pxd` adds the types of C, nothing else.  So nothing
  on the way down is a closure or a generator.
* Depth is counted in the argument `depth`, not by the interpreter: compiled code has no recursion check of its own.
  It counts as C does, two for a list or dict and one for anything else.
* The memo holds a reference to every object in it: an index is looked up by `id`, which must not be reused.
* A `Saver` does the work and is never shown; `Pickler` is what people subclass, and has no part in the dumps of
  `dumps_bytes`, which keeps one idle saver for the next call.
* It trusts the objects it is given.  Their methods run; that is what pickling is.

It must not know policies: a codec that wants what was written to be judged sets `_verify`, and until that has agreed
nothing reaches the file.
"""

from __future__ import annotations

import sys
from _compat_pickle import REVERSE_IMPORT_MAPPING, REVERSE_NAME_MAPPING
from codecs import encode as _codecs_encode
from copyreg import _extension_registry  # type: ignore[attr-defined]  # private, but what add_extension fills
from copyreg import dispatch_table as _copyreg_table
from functools import cache, partial
from operator import index as _as_int
from sys import getrecursionlimit, maxsize
from types import FunctionType

from safepickle.hints import Any, Callable, Final, Iterator, NoReturn, Protocol

from . import dumping
from .errors import PicklingError, UnpicklingError
from .opcodes import (
    ADDITEMS,
    APPEND,
    APPENDS,
    BUILD,
    DEFAULT_PROTOCOL,
    EMPTY_SET,
    FROZENSET,
    HIGHEST_PROTOCOL,
    MARK,
    NEWOBJ,
    NEWOBJ_EX,
    POP,
    POP_MARK,
    REDUCE,
    SETITEM,
    SETITEMS,
    STACK_GLOBAL,
    TUPLE,
    TUPLE1,
    TUPLE2,
    TUPLE3,
)
from .writer import Writer

try:
    from _pickle import PickleBuffer
except ImportError:  # pragma: no cover - an interpreter without the C core
    from pickle import PickleBuffer

BATCH_SIZE: Final = 1000  # items or pairs between one MARK and its APPENDS, SETITEMS or ADDITEMS

# In fast mode nothing is memoized, so a cycle would never end; from this nesting on containers are watched for one.
FAST_NESTING_LIMIT: Final = 50

# How deep C `_pickle` goes: up to 3.11 as deep as Python code may, later to a constant of the interpreter's own.  The
# bound for 3.11 is ours: a recursion limit that was raised further must not turn into an overflow of the C stack (a
# compiled build took about 400 bytes a level).
_DEPTH_OF_C: Final = 1_500 if (3, 12) <= sys.version_info < (3, 13) else 10_000
_FOLLOWS_RECURSION_LIMIT: Final = sys.version_info < (3, 12)

_BATCH: Final = BATCH_SIZE

_MISSING: Final[Any] = object()
_NONE_TYPE: Final = type(None)
_ELLIPSIS_TYPE: Final = type(...)
_NOT_IMPLEMENTED_TYPE: Final = type(NotImplemented)
_IMMUTABLE_TYPE_FLAG: Final = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE: a type that C code defined
_EXTENSION_CODE_MAX: Final = 0x7FFFFFFF


class _Writable(Protocol):
    def write(self, data: Any, /) -> object: ...


class Pickler:
    """Writes objects to a binary file, as `pickle.Pickler` does.

    `file` has a `write` method that takes bytes-like objects.  `protocol` is 0 to 5, negative for the highest, None
    for the default of 4.  With `fix_imports` the names of protocols below 3 are those of Python 2.  `buffer_callback`
    (protocol 5) is given each PickleBuffer, and keeps it out of the stream by returning a false value.  `policy` is
    kept for the codec, which must also set `_verify`.

    Attributes: `memo` (a proxy with `copy` and `clear`, may be set from another pickler's or from a copy), `fast`
    (true: nothing is memoized), `bin`, and, where a subclass or the instance has them, `persistent_id`,
    `reducer_override` and `dispatch_table`.

    Raises TypeError and ValueError for bad arguments, and while dumping PicklingError, RecursionError for what is
    nested too deep, and whatever the objects' own methods or the file raise.
    """

    def __init__(
        self,
        file: _Writable,
        protocol: int | None = None,
        *,
        fix_imports: bool = True,
        buffer_callback: Callable[[Any], object] | None = None,
        policy: Any = None,
    ) -> None:
        level = _protocol_number(protocol)
        write = getattr(file, "write", _MISSING)
        if write is _MISSING:
            raise TypeError("file must have a 'write' attribute")
        _check_callback(level, buffer_callback)
        saver = Saver()
        saver.begin(level, fix_imports, buffer_callback)
        self._saver = saver
        self._write: Callable[[Any], object] = write
        self._policy = policy
        self._verify: Callable[[bytes], None] | None = None

    # What users call and set

    def dump(self, obj: object, /) -> None:
        """Write the pickle of `obj` to the file."""
        try:
            saver = self._saver
        except AttributeError:
            raise PicklingError(
                f"Pickler.__init__() was not called by {type(self).__name__}.__init__()"
            ) from None
        bound: Callable[[Any], Any] | None = self.persistent_id
        if bound == _default_persistent_id(self):
            bound = None
        reducer = getattr(self, "reducer_override", _MISSING)
        table = getattr(self, "dispatch_table", _MISSING)
        if self._verify is None and self._policy is None:
            saver.dump(obj, self._write, bound, reducer, table)
            return
        data = saver.dump(obj, None, bound, reducer, table)
        self._check(data)
        self._write(data)

    def persistent_id(self, _obj: Any, /) -> Any:
        """The persistent ID of an object, or None to have it pickled: for subclasses and instances to replace."""
        return None

    def clear_memo(self) -> None:
        """Forget which objects were written before."""
        self._saver.prime(None)

    @property
    def memo(self) -> PicklerMemoProxy:
        """What was written before; set it from another pickler's or from a copy to go on from there."""
        return PicklerMemoProxy(self)

    @memo.setter
    def memo(self, value: PicklerMemoProxy | dict[int, tuple[int, Any]]) -> None:
        if type(value) is PicklerMemoProxy:
            self._saver.prime(value.copy())
        elif isinstance(value, dict):
            self._saver.prime(_checked_memo(value))
        else:
            raise TypeError(
                f"'memo' attribute must be a PicklerMemoProxy object or dict, not {_type_name(type(value))}"
            )

    @memo.deleter
    def memo(self) -> None:
        raise TypeError("attribute deletion is not supported")

    @property
    def bin(self) -> bool:
        """Whether the opcodes of protocol 1 and later are used."""
        return self._saver.is_binary()

    @bin.setter  # noqa: A003  # pickle's own name for it
    def bin(self, value: int) -> None:
        self._saver.set_binary(bool(value))

    @property
    def fast(self) -> int:
        """Whether nothing is memoized: shorter pickles, and an error for whatever contains itself."""
        return int(self._saver.is_fast())

    @fast.setter
    def fast(self, value: int) -> None:
        self._saver.set_fast(bool(_as_int(value)))

    @property
    def _memo(self) -> dict[int, tuple[int, Any]]:
        return self._saver.memo_copy()

    # One dump

    def _check(self, data: bytes) -> None:
        """Have `data` judged by the codec's verifier; PicklingError if it is refused."""
        if self._verify is None:
            raise PicklingError("a policy was given, but nothing that checks it")
        try:
            self._verify(data)
        except UnpicklingError as refusal:
            raise PicklingError(str(refusal)) from refusal


class Saver:
    """Writes one object after another; what a Pickler does, and what it has between its dumps.

    `plain` says that values may go through `dumping.atom`: the protocol is binary and nothing turns the memo off.
    `direct` says that they may do so without being asked for a persistent ID.
    """

    __slots__ = (
        "_buffer", "_buffer_callback", "_depth_limit", "_direct", "_fast", "_fast_nesting", "_fast_seen",
        "_fix_imports", "_keeper", "_memo", "_persistent", "_plain", "_protocol", "_reducer", "_running", "_table",
        "_writer", "_writing_pid",
    )  # fmt: skip

    def __cinit__(self) -> None:
        """Compiled, there is no saver without its writer and its memo, and none is given others."""
        self._writer = Writer(0)
        self._buffer = self._writer.buffer
        self._memo = dumping.new_memo()
        self._keeper: list[Any] = []
        self._running = False

    def __init__(self) -> None:
        if not dumping.COMPILED:
            self.__cinit__()
        self._protocol = 0
        self._fix_imports = False
        self._buffer_callback: Callable[[Any], object] | None = None
        self._fast = False
        self._fast_nesting = 0
        self._fast_seen: set[int] | None = None
        self._depth_limit = 0
        # Looked up at each dump and dropped after it: a bound method kept here would be a reference cycle.
        self._persistent: Callable[[Any], Any] | None = None
        self._writing_pid = False
        self._reducer: Any = _MISSING
        self._table: Any = _MISSING
        self._plain = False
        self._direct = False

    def __dealloc__(self) -> None:
        """Compiled, the memo is no object, so somebody has to free it; interpreted, this is never called."""
        dumping.free_memo(self._memo)

    # Between dumps

    def begin(self, protocol: int, fix_imports: bool, buffer_callback: Callable[[Any], object] | None) -> None:
        """Take the arguments of a Pickler; the memo is empty."""
        self._protocol = protocol
        self._fix_imports = bool(fix_imports) and protocol < 3
        self._buffer_callback = buffer_callback
        self._writer.renew(protocol)
        self._fast = False
        self._fast_nesting = 0
        self._writing_pid = False
        self._choose()

    def forget(self) -> None:
        """Let go of everything that the caller's objects are reached by."""
        self._buffer_callback = None
        dumping.clear(self._memo)

    def _choose(self) -> None:
        self._plain = self._writer.bin and not self._fast
        self._direct = self._plain and self._persistent is None

    def is_binary(self) -> bool:
        """Whether the opcodes of protocol 1 and later are used."""
        return self._writer.bin

    def set_binary(self, value: bool) -> None:
        """Use the opcodes of protocol 1 and later, or not."""
        self._writer.bin = value
        self._choose()

    def is_fast(self) -> bool:
        """Whether nothing is memoized."""
        return self._fast

    def set_fast(self, value: bool) -> None:
        """Memoize nothing, or do."""
        self._fast = value
        self._choose()

    def memo_copy(self) -> dict[int, tuple[int, Any]]:
        """The memo as a dict from `id(obj)` to `(index, obj)`."""
        return dumping.as_dict(self._memo)

    def prime(self, entries: dict[int, tuple[int, Any]] | None) -> None:
        """Replace what is in the memo."""
        kept = self._keeper
        self._keeper = []
        dumping.clear(self._memo)
        kept.clear()
        if entries is not None:
            for index, obj in entries.values():
                dumping.set_index(self._memo, obj, index)
            dumping.hand_over(self._memo, self._keeper)

    # One dump

    def dump(
        self,
        obj: object,
        sink: Callable[[Any], object] | None,
        persistent: Callable[[Any], Any] | None,
        reducer: Any,
        table: Any,
    ) -> bytes:
        """Write one pickle, as a Pickler's hooks will have it, to `sink`; or return its bytes if that is None.

        PicklingError if a hook, an object or another thread comes here while it runs: two pickles have no one buffer.
        """
        if self._running:
            raise PicklingError("this Pickler is already running: it cannot be entered again")
        self._running = True
        self._persistent = persistent
        self._reducer = reducer
        self._table = table
        self._choose()
        try:
            return self.run(obj, sink)
        finally:
            self._persistent = None
            self._reducer = _MISSING
            self._table = _MISSING
            # A pickler may be reached from what it has written.
            dumping.hand_over(self._memo, self._keeper)
            self._running = False

    def run(self, obj: object, sink: Callable[[Any], object] | None) -> bytes:
        """Write one pickle to `sink`, or return its bytes if that is None."""
        writer = self._writer
        limit = _DEPTH_OF_C
        if _FOLLOWS_RECURSION_LIMIT:
            limit = min(limit, getrecursionlimit())
        self._depth_limit = limit
        writer.start(sink)
        try:
            self.save(obj, 0)
            return writer.finish()
        finally:
            writer.reset()

    # One object

    def save(self, obj: Any, depth: int) -> None:
        """Write `obj`, which lies `depth` deep."""
        if not (
            self._direct
            and dumping.atom(self._buffer, self._memo, obj, self._writer.frame_full, self._protocol)
        ):
            self.save_other(obj, depth)

    def save_other(self, obj: Any, depth: int) -> None:  # noqa: C901, PLR0912  # flat: a dispatch
        """Write `obj` where `dumping.atom` was not asked or has left it."""
        writer = self._writer
        if len(self._buffer) >= writer.frame_full:
            writer.boundary()
        if self._persistent is not None:
            if self._save_persistent(obj, depth):
                return
            if self._plain and dumping.atom(self._buffer, self._memo, obj, writer.frame_full, self._protocol):
                return

        kind = type(obj)
        # Never memoized
        if kind is int:
            writer.integer(obj)
            return
        if obj is None:
            writer.none()
            return
        if kind is float:
            writer.floating(obj)
            return
        if kind is bool:
            writer.boolean(obj)
            return

        seen = dumping.again(self._buffer, self._memo, obj, writer.bin)
        if seen:
            if seen == 2:
                writer.get(dumping.find(self._memo, obj))
            return
        if kind is str:
            writer.text(obj)
            self._memoize(obj)
            return
        if kind is bytes and self._protocol >= 3:
            writer.byte_string(obj, obj)
            self._memoize(obj)
            return

        if depth >= self._depth_limit:
            raise RecursionError("maximum recursion depth exceeded while pickling an object")
        if self._fast and (kind is list or kind is dict or kind is frozenset):
            self._save_guarded(obj, depth)
        elif kind is dict:
            self._save_dict(obj, depth)
        elif kind is tuple:
            self._save_tuple(obj, depth)
        elif kind is list:
            self._save_list(obj, depth)
        elif kind is bytes:
            self._save_old_bytes(obj, depth)
        elif kind is set:
            self._save_set(obj, depth)
        elif kind is frozenset:
            self._save_frozenset(obj, depth)
        elif kind is bytearray:
            self._save_bytearray(obj, depth)
        elif kind is PickleBuffer:
            self._save_buffer(obj)
        else:
            value = self._reduce(obj, kind, depth)
            if value is not None:
                self._save_reduce(value, obj, depth)

    def _memoize(self, obj: Any) -> None:
        """Remember the top of the reader's stack as `obj`."""
        if self._plain:
            dumping.keep(self._buffer, self._memo, obj, self._protocol)
        elif not self._fast:
            self._writer.put(dumping.remember(self._memo, obj))

    def _save_persistent(self, obj: Any, depth: int) -> bool:
        """Write the persistent ID of `obj` if it has one; the ID itself is not asked for an ID."""
        if self._writing_pid:
            self._writing_pid = False
            return False
        if self._persistent is None:
            return False
        pid = self._persistent(obj)
        if pid is None:
            return False
        if self._writer.bin:
            self._writing_pid = True
            self.save(pid, depth)
            self._writer.persistent_id()
        else:
            self._writer.persistent_line(str(pid))
        return True

    # Built-in containers

    def _save_guarded(self, obj: Any, depth: int) -> None:
        """Write a container in fast mode, where a cycle would never end."""
        key = id(obj)
        self._fast_nesting += 1
        watched = self._fast_nesting >= FAST_NESTING_LIMIT
        try:
            if watched:
                if self._fast_seen is None:
                    self._fast_seen = set()
                if key in self._fast_seen:
                    watched = False
                    raise ValueError(
                        f"fast mode: can't pickle cyclic objects including object type "
                        f"{_type_name(type(obj))} at {key:#x}"
                    )
                self._fast_seen.add(key)
            if type(obj) is list:
                self._save_list(obj, depth)
            elif type(obj) is dict:
                self._save_dict(obj, depth)
            else:
                self._save_frozenset(obj, depth)
        finally:
            self._fast_nesting -= 1
            if watched and self._fast_seen is not None:
                self._fast_seen.discard(key)

    def _save_tuple(self, obj: tuple[Any, ...], depth: int) -> None:
        writer = self._writer
        buffer = self._buffer
        memo = self._memo
        protocol = self._protocol
        size = len(obj)
        if not size:
            writer.empty_tuple()
            return
        short = size <= 3 and protocol >= 2
        if not short:
            dumping.op(buffer, MARK)
        for item in obj:
            if not (self._direct and dumping.atom(buffer, memo, item, writer.frame_full, protocol)):
                self.save_other(item, depth + 1)
        index = dumping.find(memo, obj)
        if index == dumping.ABSENT:
            if short:
                dumping.op(buffer, TUPLE1 if size == 1 else TUPLE2 if size == 2 else TUPLE3)
            else:
                dumping.op(buffer, TUPLE)
            self._memoize(obj)
            return
        # It came to be in the memo while its items were written: it is recursive, and already made.
        if short:
            writer.drop(size)
        else:
            writer.drop_to_mark(size)
        writer.get(index)

    def _save_list(self, obj: list[Any], depth: int) -> None:
        writer = self._writer
        buffer = self._buffer
        memo = self._memo
        protocol = self._protocol
        writer.empty_list()
        size = len(obj)
        self._memoize(obj)
        if not size:
            return
        if depth + 1 >= self._depth_limit:
            raise RecursionError("maximum recursion depth exceeded while pickling an object")
        depth += 2
        if protocol == 0:
            for item in obj:
                self.save(item, depth)
                dumping.op(buffer, APPEND)
        elif size == 1:
            self.save(obj[0], depth)
            dumping.op(buffer, APPEND)
        else:
            # A batch is ended when the next item is there, so a list of exactly 1000 has no empty one.
            count = 0
            dumping.op(buffer, MARK)
            for item in obj:
                if count == _BATCH:
                    count = 0
                    dumping.op(buffer, APPENDS)
                    dumping.op(buffer, MARK)
                count += 1
                if not (self._direct and dumping.atom(buffer, memo, item, writer.frame_full, protocol)):
                    self.save_other(item, depth)
            dumping.op(buffer, APPENDS)

    def _save_dict(self, obj: dict[Any, Any], depth: int) -> None:
        writer = self._writer
        buffer = self._buffer
        memo = self._memo
        protocol = self._protocol
        writer.empty_dict()
        self._memoize(obj)
        size = len(obj)
        if not size:
            return
        if depth + 1 >= self._depth_limit:
            raise RecursionError("maximum recursion depth exceeded while pickling an object")
        depth += 2
        if protocol == 0:
            for key, value in obj.items():
                self.save(key, depth)
                self.save(value, depth)
                dumping.op(buffer, SETITEM)
        elif size == 1:
            for key, value in obj.items():
                self.save(key, depth)
                self.save(value, depth)
                dumping.op(buffer, SETITEM)
                break  # C looks for no second pair, not even where the first has just added one
        else:
            # A batch is ended when it is full, so a dict of exactly 1000 is followed by an empty one.
            count = 0
            dumping.op(buffer, MARK)
            for key, value in obj.items():
                if not (self._direct and dumping.atom(buffer, memo, key, writer.frame_full, protocol)):
                    self.save_other(key, depth)
                if not (self._direct and dumping.atom(buffer, memo, value, writer.frame_full, protocol)):
                    self.save_other(value, depth)
                count += 1
                if count == _BATCH:
                    count = 0
                    dumping.op(buffer, SETITEMS)
                    dumping.op(buffer, MARK)
            dumping.op(buffer, SETITEMS)

    def _save_set(self, obj: set[Any], depth: int) -> None:
        if self._protocol < 4:
            self._save_reduce((set, (list(obj),)), obj, depth)
            return
        writer = self._writer
        buffer = self._buffer
        memo = self._memo
        protocol = self._protocol
        dumping.op(buffer, EMPTY_SET)
        self._memoize(obj)
        if not obj:
            return
        # As for a dict: exactly 1000 members are followed by an empty batch.
        count = 0
        dumping.op(buffer, MARK)
        for item in obj:
            if not (self._direct and dumping.atom(buffer, memo, item, writer.frame_full, protocol)):
                self.save_other(item, depth + 1)
            count += 1
            if count == _BATCH:
                count = 0
                dumping.op(buffer, ADDITEMS)
                dumping.op(buffer, MARK)
        dumping.op(buffer, ADDITEMS)

    def _save_frozenset(self, obj: frozenset[Any], depth: int) -> None:
        if self._protocol < 4:
            self._save_reduce((frozenset, (list(obj),)), obj, depth)
            return
        writer = self._writer
        buffer = self._buffer
        memo = self._memo
        protocol = self._protocol
        dumping.op(buffer, MARK)
        for item in obj:
            if not (self._direct and dumping.atom(buffer, memo, item, writer.frame_full, protocol)):
                self.save_other(item, depth + 1)
        index = dumping.find(memo, obj)
        if index == dumping.ABSENT:
            dumping.op(buffer, FROZENSET)
            self._memoize(obj)
        else:
            # As for a tuple: recursive, and already made.
            dumping.op(buffer, POP_MARK)
            writer.get(index)

    def _batch_items(self, items: Iterator[Any], depth: int) -> None:
        """Append what an iterator gives; it is asked for a second item before the first is written."""
        buffer = self._buffer
        if self._protocol == 0:
            for item in items:
                self.save(item, depth)
                dumping.op(buffer, APPEND)
            return
        while True:
            first = next(items, _MISSING)
            if first is _MISSING:
                return
            item = next(items, _MISSING)
            if item is _MISSING:
                self.save(first, depth)
                dumping.op(buffer, APPEND)
                return
            dumping.op(buffer, MARK)
            self.save(first, depth)
            self.save(item, depth)
            count = 2
            while count < _BATCH:
                item = next(items, _MISSING)
                if item is _MISSING:
                    break
                self.save(item, depth)
                count += 1
            dumping.op(buffer, APPENDS)
            if count < _BATCH:
                return

    def _batch_pairs(self, pairs: Iterator[Any], depth: int) -> None:
        """Set the key and value pairs an iterator gives, with the same look ahead."""
        buffer = self._buffer
        if self._protocol == 0:
            for pair in pairs:
                self._save_pair(pair, depth)
                dumping.op(buffer, SETITEM)
            return
        while True:
            first = next(pairs, _MISSING)
            if first is _MISSING:
                return
            _check_pair(first)
            pair = next(pairs, _MISSING)
            if pair is _MISSING:
                self._save_pair(first, depth)
                dumping.op(buffer, SETITEM)
                return
            dumping.op(buffer, MARK)
            self._save_pair(first, depth)
            self._save_pair(pair, depth)
            count = 2
            while count < _BATCH:
                pair = next(pairs, _MISSING)
                if pair is _MISSING:
                    break
                self._save_pair(pair, depth)
                count += 1
            dumping.op(buffer, SETITEMS)
            if count < _BATCH:
                return

    def _save_pair(self, pair: Any, depth: int) -> None:
        _check_pair(pair)
        self.save(tuple.__getitem__(pair, 0), depth)
        self.save(tuple.__getitem__(pair, 1), depth)

    # Bytes and buffers

    def _save_old_bytes(self, obj: bytes, depth: int) -> None:
        """Write bytes below protocol 3, which has no opcode for them, so that Python 2 reads a str."""
        if obj:
            self._save_reduce((_codecs_encode, (str(obj, "latin1"), "latin1")), obj, depth)
        else:
            self._save_reduce((bytes, ()), obj, depth)

    def _save_bytearray(self, obj: bytearray, depth: int) -> None:
        if self._protocol >= 5:
            self._writer.byte_array(obj, obj)
            self._memoize(obj)
        elif obj:
            self._save_reduce((bytearray, (bytes(obj),)), obj, depth)
        else:
            self._save_reduce((bytearray, ()), obj, depth)

    def _save_buffer(self, obj: PickleBuffer) -> None:
        if self._protocol < 5:
            raise PicklingError(_buffer_advice())
        readonly = _is_readonly(obj)
        callback = self._buffer_callback
        if callback is not None and not callback(obj):
            self._writer.out_of_band(readonly)
        elif readonly:
            self._writer.byte_string(obj.raw(), obj)
            self._memoize(obj)
        else:
            self._writer.byte_array(obj.raw(), obj)
            self._memoize(obj)

    # Everything else: reduce values

    def _reduce(self, obj: Any, kind: type, depth: int) -> tuple[Any, ...] | None:
        """The reduce value of `obj`, or None if it was a global and is written now."""
        value = NotImplemented
        if self._reducer is not _MISSING:
            value = self._reducer(obj)
        if value is NotImplemented:
            if kind is type:
                if obj is _NONE_TYPE:
                    return type, (None,)
                if obj is _ELLIPSIS_TYPE:
                    return type, (...,)
                if obj is _NOT_IMPLEMENTED_TYPE:
                    return type, (NotImplemented,)
            reducer = None if kind is type or kind is FunctionType else self._find_reducer(obj, kind)
            if reducer is None:
                self._save_global(obj, None, depth)
                return None
            value = _reduce_value(obj, kind, self._protocol) if reducer is _MISSING else reducer(obj)
        if isinstance(value, tuple):
            return value if type(value) is tuple else tuple.__getitem__(value, slice(None))
        if isinstance(value, str):
            self._save_global(obj, value, depth)
            return None
        raise PicklingError("__reduce__ must return a string or tuple")

    def _find_reducer(self, obj: Any, kind: type) -> Any:
        """The dispatch table's reducer for `kind`; else None for a kind of class, and _MISSING for all others."""
        if self._table is _MISSING:
            reducer = _copyreg_table.get(kind, _MISSING)
        else:
            try:
                reducer = self._table[kind]
            except KeyError:
                reducer = _MISSING
        if reducer is _MISSING:
            return None if dumping.is_class(obj) else _MISSING
        return _refuse_none if reducer is None else reducer

    def _save_reduce(self, value: tuple[Any, ...], obj: Any, depth: int) -> None:
        """Write a reduce value: how to make `obj`, what to fill it with, its state.  None is made but not memoized."""
        size = len(value)
        if not 2 <= size <= 6:
            raise PicklingError("tuple returned by __reduce__ must contain 2 through 6 elements")
        buffer = self._buffer
        function, args = value[0], value[1]
        state = value[2] if size > 2 else None
        items = value[3] if size > 3 else None
        pairs = value[4] if size > 4 else None
        setter = value[5] if size > 5 else None
        _check_reduce(function, args, items, pairs, setter)
        depth += 1
        self._save_making(function, args, obj, depth)

        if obj is not None:
            index = dumping.find(self._memo, obj)
            if index != dumping.ABSENT:
                # It came to be in the memo while its arguments were written: it is recursive, and already made.
                dumping.op(buffer, POP)
                self._writer.get(index)
                return
            self._memoize(obj)
        if items is not None:
            self._batch_items(items, depth)
        if pairs is not None:
            self._batch_pairs(pairs, depth)
        if state is None:
            return
        if setter is None:
            self.save_other(state, depth)
            dumping.op(buffer, BUILD)
        else:
            # The setter changes the object in place, so what it returns is dropped.  TUPLE2 at every protocol, as C.
            self.save_other(setter, depth)
            self.save_other(obj, depth)
            self.save_other(state, depth)
            dumping.op(buffer, TUPLE2)
            dumping.op(buffer, REDUCE)
            dumping.op(buffer, POP)

    def _save_making(self, function: Any, args: Any, obj: Any, depth: int) -> None:
        """Write the call that makes `obj`: NEWOBJ and NEWOBJ_EX for copyreg's helpers, by name, else REDUCE."""
        name = getattr(function, "__name__", None) if self._protocol >= 2 else None
        if isinstance(name, str) and name == "__newobj__":
            self._save_newobj(args, obj, depth)
        elif isinstance(name, str) and name == "__newobj_ex__":
            self._save_newobj_ex(args, depth)
        else:
            self.save_other(function, depth)
            self.save_other(args, depth)
            dumping.op(self._buffer, REDUCE)

    def _save_newobj(self, args: tuple[Any, ...], obj: Any, depth: int) -> None:
        exact = args if type(args) is tuple else tuple.__getitem__(args, slice(None))
        if not exact:
            raise PicklingError("__newobj__ arglist is empty")
        cls = exact[0]
        if not dumping.is_class(cls):
            raise PicklingError("args[0] from __newobj__ args is not a type")
        if obj is not None and getattr(obj, "__class__", type(obj)) is not cls:
            raise PicklingError("args[0] from __newobj__ args has the wrong class")
        self.save_other(cls, depth)
        self.save_other(exact[1:], depth)
        dumping.op(self._buffer, NEWOBJ)

    def _save_newobj_ex(self, value: tuple[Any, ...], depth: int) -> None:
        cls, args, kwargs = _newobj_ex_arguments(value)
        if self._protocol >= 4:
            self.save_other(cls, depth)
            self.save_other(args, depth)
            self.save_other(kwargs, depth)
            dumping.op(self._buffer, NEWOBJ_EX)
        else:
            # No opcode takes keywords yet: a partial of `__new__`, called without arguments.
            self.save_other(partial(cls.__new__, cls, *args, **kwargs), depth)
            self.save_other((), depth)
            dumping.op(self._buffer, REDUCE)

    # Globals

    def _save_global(self, obj: Any, name: str | None, depth: int) -> None:
        """Write `obj` as a global; PicklingError unless its module has this very object under its name."""
        if name is None:
            name = getattr(obj, "__qualname__", _MISSING)
            if name is _MISSING:
                name = obj.__name__
        path = _dotted_path(name)
        module_name = _module_name(obj, path)
        module, parent = _find_global(obj, name, module_name, path)
        last = path[len(path) - 1]  # compiled code does not count from the end
        if self._protocol >= 2:
            code = _extension_registry.get((module_name, name), _MISSING)
            if code is not _MISSING:
                self._writer.extension(_extension_code(obj, code))
                return
        if self._protocol >= 4:
            self.save(module_name, depth + 1)
            self.save(last if parent is module else name, depth + 1)
            dumping.op(self._buffer, STACK_GLOBAL)
        elif parent is module:
            self._write_global(module_name, last)
        elif _spells_paths_flat():
            self._save_path(module_name, path, depth)
        else:
            self._save_reduce((getattr, (parent, last)), None, depth)
        self._memoize(obj)

    def _save_path(self, module_name: str, path: list[str], depth: int) -> None:
        """Write getattr(getattr(top, "a"), "b") with nothing but the names memoized (3.13 and later)."""
        buffer = self._buffer
        for _ in path[1:]:
            self.save(getattr, depth + 1)
            if self._protocol < 2:
                dumping.op(buffer, MARK)
        self._write_global(module_name, path[0])
        for name in path[1:]:
            self.save(name, depth + 1)
            if self._protocol < 2:
                dumping.op(buffer, TUPLE)
            else:
                dumping.op(buffer, TUPLE2)
            dumping.op(buffer, REDUCE)

    def _write_global(self, module_name: str, name: str) -> None:
        if self._fix_imports:
            module_name, name = _python2_name(module_name, name)
        self._writer.global_name(module_name, name)


def dumps_bytes(
    obj: object,
    protocol: int | None = None,
    fix_imports: bool = True,
    buffer_callback: Callable[[Any], object] | None = None,
) -> bytes:
    """The pickle of `obj`; arguments and errors are those of `Pickler`."""
    level = DEFAULT_PROTOCOL if protocol is None else _protocol_number(protocol)
    if buffer_callback is not None:
        _check_callback(level, buffer_callback)
    try:
        saver = _idle.pop()
    except IndexError:
        saver = Saver()
    saver.begin(level, fix_imports, buffer_callback)
    data = saver.run(obj, None)
    saver.forget()
    if not _idle:
        _idle.append(saver)
    return data


# The saver of the last `dumps_bytes` that succeeded, for the next one to use: making one takes longer than most of what
# is dumped.  Who uses it has taken it out, so a call that comes while another runs makes its own.
_idle: list[Saver] = []


class PicklerMemoProxy:
    """What `Pickler.memo` gives: enough of a mapping to clear it, to copy it, and to prime another pickler with it."""

    __slots__ = ("_pickler",)
    __hash__ = None  # type: ignore[assignment]  # as C's: two proxies of one memo are not one key

    def __init__(self, pickler: Pickler) -> None:
        self._pickler = pickler

    def copy(self) -> dict[int, tuple[int, Any]]:
        """The memo as a dict from `id(obj)` to `(index, obj)`."""
        return self._pickler._saver.memo_copy()  # noqa: SLF001  # what it stands for

    def clear(self) -> None:
        """Forget which objects were written before."""
        self._pickler._saver.prime(None)  # noqa: SLF001  # what it stands for

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (self.copy(),)


# Arguments


def _protocol_number(protocol: int | None) -> int:
    if protocol is None:
        return DEFAULT_PROTOCOL
    if type(protocol) is int and 0 <= protocol <= HIGHEST_PROTOCOL:
        return protocol
    number = _as_long(protocol)
    if number < 0:
        return HIGHEST_PROTOCOL
    if number > HIGHEST_PROTOCOL:
        raise ValueError(f"pickle protocol must be <= {HIGHEST_PROTOCOL}")
    return number


def _check_callback(protocol: int, buffer_callback: Callable[[Any], object] | None) -> None:
    if buffer_callback is not None and protocol < 5:
        raise ValueError("buffer_callback needs protocol >= 5")


def _as_long(value: Any) -> int:
    """An int that fits a C long; TypeError for what is no int, OverflowError for a longer one."""
    number = _as_int(value)
    if not -1 << 63 <= number < 1 << 63:
        raise OverflowError("Python int too large to convert to C long")
    return number


def _checked_memo(given: dict[Any, Any]) -> dict[int, tuple[int, Any]]:
    """A memo from a dict that a user gives: the keys are not trusted to be the ids."""
    memo = {}
    for entry in given.values():
        if not isinstance(entry, tuple) or len(entry) != 2:
            raise TypeError("'memo' values must be 2-item tuples")
        index = _as_int(entry[0])
        if not -maxsize <= index <= maxsize:  # one less than C takes: it means that there is none
            raise OverflowError("Python int too large to convert to C ssize_t")
        memo[id(entry[1])] = (index, entry[1])
    return memo


def _default_persistent_id(pickler: Pickler) -> Any:
    """`persistent_id` of the base class, bound: no call is needed to know what it returns."""
    return Pickler.persistent_id.__get__(pickler, Pickler)


# Reduce values


def _refuse_none(_obj: Any) -> NoReturn:
    """What a dispatch table's None stands for: C calls it."""
    raise TypeError("'NoneType' object is not callable")


def _reduce_value(obj: Any, kind: type, protocol: int) -> Any:
    """What `__reduce_ex__`, else `__reduce__`, of `obj` returns."""
    method = getattr(obj, "__reduce_ex__", _MISSING)
    if method is not _MISSING:
        return method(protocol)
    method = getattr(obj, "__reduce__", _MISSING)
    if method is not _MISSING:
        return method()
    raise PicklingError(f"can't pickle '{_type_name(kind)}' object: {obj!r}")


def _check_reduce(function: Any, args: Any, items: Any, pairs: Any, setter: Any) -> None:
    if not callable(function):
        raise PicklingError("first item of the tuple returned by __reduce__ must be callable")
    if not isinstance(args, tuple):
        raise PicklingError("second item of the tuple returned by __reduce__ must be a tuple")
    if items is not None and not hasattr(type(items), "__next__"):
        raise PicklingError(
            "fourth element of the tuple returned by __reduce__ must be an iterator, "
            f"not {_type_name(type(items))}"
        )
    if pairs is not None and not hasattr(type(pairs), "__next__"):
        raise PicklingError(
            f"fifth element of the tuple returned by __reduce__ must be an iterator, not {_type_name(type(pairs))}"
        )
    if setter is not None and not callable(setter):
        raise PicklingError(
            f"sixth element of the tuple returned by __reduce__ must be a function, not {_type_name(type(setter))}"
        )


def _newobj_ex_arguments(value: tuple[Any, ...]) -> tuple[Any, ...]:
    """Class, arguments and keywords of a `__newobj_ex__`, each checked to be one."""
    value = tuple.__getitem__(value, slice(None))
    if len(value) != 3:
        raise PicklingError(f"length of the NEWOBJ_EX argument tuple must be exactly 3, not {len(value)}")
    cls, args, kwargs = value
    if not issubclass(type(cls), type):
        raise PicklingError(
            f"first item from NEWOBJ_EX argument tuple must be a class, not {_type_name(type(cls))}"
        )
    if not isinstance(args, tuple):
        raise PicklingError(
            f"second item from NEWOBJ_EX argument tuple must be a tuple, not {_type_name(type(args))}"
        )
    if not isinstance(kwargs, dict):
        raise PicklingError(
            f"third item from NEWOBJ_EX argument tuple must be a dict, not {_type_name(type(kwargs))}"
        )
    return value


def _check_pair(pair: Any) -> None:
    if not isinstance(pair, tuple) or tuple.__len__(pair) != 2:
        raise TypeError("dict items iterator must return 2-tuples")


def _type_name(kind: type) -> str:
    """The name C prints for a type: with its module only where the type was written in C."""
    if not kind.__flags__ & _IMMUTABLE_TYPE_FLAG or kind.__module__ == "builtins":
        return kind.__name__
    return f"{kind.__module__}.{kind.__qualname__}"


# Buffers


def _is_readonly(buffer: PickleBuffer) -> bool:
    try:
        return dumping.is_readonly(buffer)
    except BufferError:
        message = "PickleBuffer can not be pickled when pointing to a non-contiguous buffer"
        raise PicklingError(message) from None


def _buffer_advice() -> str:
    """The running interpreter's sentence: 3.13 added the missing "be" to it."""
    verb = "be " if sys.version_info >= (3, 13) else ""
    return f"PickleBuffer can only {verb}pickled with protocol >= 5"


# Names


def _dotted_path(name: str) -> list[str]:
    """The parts of a qualified name; AttributeError if it leads through a function."""
    path = str.split(name, ".")
    if "<locals>" in path:
        verb = "get" if sys.version_info >= (3, 13) else "pickle"
        raise AttributeError(f"Can't {verb} local object {name!r}")
    return path


def _follow(obj: Any, path: list[str]) -> tuple[Any, Any]:
    """The object at `path` below `obj`, or _MISSING, and the one before it."""
    parent = obj
    for part in path:
        parent = obj
        obj = getattr(parent, part, _MISSING)
        if obj is _MISSING:
            break
    return obj, parent


def _module_name(obj: Any, path: list[str]) -> Any:
    """The module of a global: what `__module__` says, else the first loaded module that has it, else `__main__`."""
    name = getattr(obj, "__module__", None)
    if name is not None:
        return name
    modules: list[tuple[str, Any]] = list(sys.modules.items())  # looking up an attribute may import more
    for name, module in modules:
        if module is not None and name != "__main__" and _follow(module, path)[0] is obj:
            return name
    return "__main__"


def _find_global(obj: Any, name: str, module_name: Any, path: list[str]) -> tuple[Any, Any]:
    """The module of a global and the object it is an attribute of; PicklingError if the name means something else."""
    module = _import(module_name)
    if module is _MISSING:
        raise PicklingError(f"Can't pickle {obj!r}: import of module {module_name!r} failed")
    found, parent = _lookup(module, path)
    if found is _MISSING:
        raise PicklingError(f"Can't pickle {obj!r}: attribute lookup {name} on {module_name} failed")
    if found is not obj:
        raise PicklingError(f"Can't pickle {obj!r}: it's not the same object as {module_name}.{name}")
    return module, parent


def _import(name: Any) -> Any:
    """The module of this name, or _MISSING for any reason: C drops the error too."""
    try:
        __import__(name)
        return sys.modules[name]
    except RecursionError:
        raise  # it says nothing of the name
    except Exception:  # noqa: BLE001  # importing runs anything
        return _MISSING


def _lookup(module: Any, path: list[str]) -> tuple[Any, Any]:
    """As `_follow`, but whatever an attribute raises counts as absence."""
    try:
        return _follow(module, path)
    except RecursionError:
        raise
    except Exception:  # noqa: BLE001  # so does looking up an attribute
        return _MISSING, module


def _extension_code(obj: Any, code: Any) -> int:
    """An extension code that `copyreg.add_extension` could have registered, with the running version's errors."""
    if sys.version_info >= (3, 13):
        number = _as_long(code)
        if not 0 < number <= _EXTENSION_CODE_MAX:
            raise RuntimeError(f"extension code {number} is out of range")
        return number
    if not isinstance(code, int):
        raise PicklingError(f"Can't pickle {obj!r}: extension code {code!r} isn't an integer")
    number = _as_long(code)
    if not 0 < number <= _EXTENSION_CODE_MAX:
        raise PicklingError(f"Can't pickle {obj!r}: extension code {number} is out of range")
    return number


def _python2_name(module_name: Any, name: str) -> tuple[str, str]:
    """The names Python 2 has for a global."""
    key = (module_name, name)
    if key in REVERSE_NAME_MAPPING:
        return REVERSE_NAME_MAPPING[key]
    return REVERSE_IMPORT_MAPPING.get(module_name, module_name), name


class _Outer:
    """A class with a class in it, to see how the running `_pickle` spells the inner one."""

    class Inner:
        pass


@cache
def _spells_paths_flat() -> bool:
    """Whether C `_pickle` of this interpreter writes a nested name below protocol 4 without reducing its parents.

    3.13 does and 3.12.1 does not; asking it once is safer than knowing which maintenance release changed.
    """
    try:
        from _pickle import dumps
    except ImportError:  # pragma: no cover - an interpreter without the C core
        from pickle import dumps
    return b"\x86q" not in dumps(_Outer.Inner, 2)  # TUPLE2, BINPUT: the arguments of a reduce value
