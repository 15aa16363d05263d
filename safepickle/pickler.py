"""Objects to opcodes: which objects are written how, in which order, and what is remembered in the memo.

The pickles are those of C `_pickle` of the running interpreter, byte for byte, at every protocol; the calls an object
can observe (`persistent_id`, reducers, `__reduce_ex__`, iterators, `write`) come in the same order.

Rules:

* It decides, the writer lays out: no byte of a pickle is spelled here.
* `_save` is one flat dispatch on the exact type, the frequent types first.  The arms that are longer than a few lines
  are methods of their own; nothing on the way down is a closure or a generator, so that the file can be compiled.
* Depth is counted in the argument `depth`, not by the interpreter: compiled code has no recursion check of its own.
  It counts as C does, two for a list or dict and one for anything else.
* The memo holds a reference to every object in it: an index is looked up by `id`, which must not be reused.
* It trusts the objects it is given.  Their methods run; that is what pickling is.

It must not know policies: a codec that wants what was written to be judged sets `_verify`, and until that has agreed
nothing reaches the file.
"""

from __future__ import annotations

import sys
from _compat_pickle import REVERSE_IMPORT_MAPPING, REVERSE_NAME_MAPPING
from codecs import encode as _codecs_encode
from collections.abc import Callable, Iterator
from copyreg import _extension_registry  # type: ignore[attr-defined]  # private, but what add_extension fills
from copyreg import dispatch_table as _copyreg_table
from functools import cache, partial
from operator import index as _as_int
from types import FunctionType
from typing import Any, Final, NoReturn, Protocol

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
    TUPLE2,
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
        self._setup(level, fix_imports, buffer_callback)
        self._write: Callable[[Any], object] = write
        self._policy = policy
        self._verify: Callable[[bytes], None] | None = None

    def _setup(self, protocol: int, fix_imports: bool, buffer_callback: Callable[[Any], object] | None) -> None:
        if buffer_callback is not None and protocol < 5:
            raise ValueError("buffer_callback needs protocol >= 5")
        self._protocol = protocol
        self._fix_imports = bool(fix_imports) and protocol < 3
        self._buffer_callback = buffer_callback
        self._writer = Writer(protocol)
        self._memo: dict[int, tuple[int, Any]] = {}
        self.fast: int = 0
        self._fast_nesting = 0
        self._fast_seen: set[int] = set()
        self._depth_limit = _DEPTH_OF_C
        # Looked up at each dump and dropped after it: a bound method kept here would be a reference cycle.
        self._persistent: Callable[[Any], Any] | None = None
        self._writing_pid = False
        self._reducer: Any = _MISSING
        self._table: Any = None

    # What users call and set

    def dump(self, obj: object, /) -> None:
        """Write the pickle of `obj` to the file."""
        writer: Writer | None
        try:
            writer = self._writer
        except AttributeError:
            writer = None  # what a compiled class has before __init__
        if writer is None:
            raise PicklingError(f"Pickler.__init__() was not called by {type(self).__name__}.__init__()")
        if self._verify is None and self._policy is None:
            self._run(obj, self._write)
            return
        data = self._run(obj, None)
        self._check(data)
        self._write(data)

    def persistent_id(self, _obj: Any, /) -> Any:
        """The persistent ID of an object, or None to have it pickled: for subclasses and instances to replace."""
        return None

    def clear_memo(self) -> None:
        """Forget which objects were written before."""
        self._memo.clear()

    @property
    def memo(self) -> PicklerMemoProxy:
        """What was written before; set it from another pickler's or from a copy to go on from there."""
        return PicklerMemoProxy(self)

    @memo.setter
    def memo(self, value: PicklerMemoProxy | dict[int, tuple[int, Any]]) -> None:
        if type(value) is PicklerMemoProxy:
            self._memo = value.copy()
        elif isinstance(value, dict):
            self._memo = _checked_memo(value)
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
        return self._writer.bin

    @bin.setter  # noqa: A003  # pickle's own name for it
    def bin(self, value: int) -> None:
        self._writer.bin = bool(value)

    # One dump

    def _check(self, data: bytes) -> None:
        """Have `data` judged by the codec's verifier; PicklingError if it is refused."""
        if self._verify is None:
            raise PicklingError("a policy was given, but nothing that checks it")
        try:
            self._verify(data)
        except UnpicklingError as refusal:
            raise PicklingError(str(refusal)) from refusal

    def _run(self, obj: object, sink: Callable[[Any], object] | None) -> bytes:
        """Write one pickle to `sink`, or return its bytes if that is None."""
        writer = self._writer
        self._reducer = getattr(self, "reducer_override", _MISSING)
        self._table = getattr(self, "dispatch_table", _MISSING)
        bound = self.persistent_id
        self._persistent = None if bound == _default_persistent_id(self) else bound
        if _FOLLOWS_RECURSION_LIMIT:
            self._depth_limit = min(sys.getrecursionlimit(), _DEPTH_OF_C)
        writer.start(sink)
        try:
            self._save(obj, 0)
            return writer.finish()
        finally:
            writer.reset()
            self._persistent = None
            self._reducer = _MISSING
            self._table = None

    # One object

    def _save(self, obj: Any, depth: int) -> None:  # noqa: C901, PLR0912, PLR0915  # flat: it is the hot loop
        """Write `obj`, which lies `depth` deep."""
        writer = self._writer
        if len(writer.buffer) >= writer.frame_full:
            writer.boundary()
        if self._persistent is not None and self._save_persistent(obj, depth):
            return

        kind = type(obj)
        if kind is str:
            entry = self._memo.get(id(obj))
            if entry is not None:
                writer.get(entry[0])
            else:
                writer.text(obj)
                self._memoize(obj)
            return
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

        entry = self._memo.get(id(obj))
        if entry is not None:
            writer.get(entry[0])
            return
        if kind is bytes and self._protocol >= 3:
            writer.byte_string(obj, obj)
            self._memoize(obj)
            return

        if depth >= self._depth_limit:
            raise RecursionError("maximum recursion depth exceeded while pickling an object")
        if self.fast and (kind is list or kind is dict or kind is frozenset):
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
        if self.fast:
            return
        memo = self._memo
        index = len(memo)
        # An object may come to be here twice; its new index then replaces the old one, and the size stays.
        memo[id(obj)] = (index, obj)
        self._writer.put(index)

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
            self._save(pid, depth)
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
            if watched:
                self._fast_seen.discard(key)

    def _save_tuple(self, obj: tuple[Any, ...], depth: int) -> None:
        writer = self._writer
        size = len(obj)
        if not size:
            writer.empty_tuple()
            return
        short = size <= 3 and self._protocol >= 2
        if not short:
            writer.op(MARK)
        for item in obj:
            self._save(item, depth + 1)
        entry = self._memo.get(id(obj))
        if entry is None:
            if short:
                writer.short_tuple(size)
            else:
                writer.op(TUPLE)
            self._memoize(obj)
            return
        # It came to be in the memo while its items were written: it is recursive, and already made.
        if short:
            writer.drop(size)
        else:
            writer.drop_to_mark(size)
        writer.get(entry[0])

    def _save_list(self, obj: list[Any], depth: int) -> None:
        writer = self._writer
        writer.empty_list()
        size = len(obj)
        self._memoize(obj)
        if not size:
            return
        if depth + 1 >= self._depth_limit:
            raise RecursionError("maximum recursion depth exceeded while pickling an object")
        depth += 2
        if self._protocol == 0:
            for item in obj:
                self._save(item, depth)
                writer.op(APPEND)
        elif size == 1:
            self._save(obj[0], depth)
            writer.op(APPEND)
        else:
            # A batch is ended when the next item is there, so a list of exactly 1000 has no empty one.
            count = 0
            writer.op(MARK)
            for item in obj:
                if count == BATCH_SIZE:
                    count = 0
                    writer.op(APPENDS)
                    writer.op(MARK)
                count += 1
                self._save(item, depth)
            writer.op(APPENDS)

    def _save_dict(self, obj: dict[Any, Any], depth: int) -> None:
        writer = self._writer
        writer.empty_dict()
        self._memoize(obj)
        size = len(obj)
        if not size:
            return
        if depth + 1 >= self._depth_limit:
            raise RecursionError("maximum recursion depth exceeded while pickling an object")
        depth += 2
        if self._protocol == 0:
            for key, value in obj.items():
                self._save(key, depth)
                self._save(value, depth)
                writer.op(SETITEM)
        elif size == 1:
            for key, value in obj.items():
                self._save(key, depth)
                self._save(value, depth)
                writer.op(SETITEM)
                break  # C looks for no second pair, not even where the first has just added one
        else:
            # A batch is ended when it is full, so a dict of exactly 1000 is followed by an empty one.
            count = 0
            writer.op(MARK)
            for key, value in obj.items():
                self._save(key, depth)
                self._save(value, depth)
                count += 1
                if count == BATCH_SIZE:
                    count = 0
                    writer.op(SETITEMS)
                    writer.op(MARK)
            writer.op(SETITEMS)

    def _save_set(self, obj: set[Any], depth: int) -> None:
        if self._protocol < 4:
            self._save_reduce((set, (list(obj),)), obj, depth)
            return
        writer = self._writer
        writer.op(EMPTY_SET)
        self._memoize(obj)
        if not obj:
            return
        # As for a dict: exactly 1000 members are followed by an empty batch.
        count = 0
        writer.op(MARK)
        for item in obj:
            self._save(item, depth + 1)
            count += 1
            if count == BATCH_SIZE:
                count = 0
                writer.op(ADDITEMS)
                writer.op(MARK)
        writer.op(ADDITEMS)

    def _save_frozenset(self, obj: frozenset[Any], depth: int) -> None:
        if self._protocol < 4:
            self._save_reduce((frozenset, (list(obj),)), obj, depth)
            return
        writer = self._writer
        writer.op(MARK)
        for item in obj:
            self._save(item, depth + 1)
        entry = self._memo.get(id(obj))
        if entry is None:
            writer.op(FROZENSET)
            self._memoize(obj)
        else:
            # As for a tuple: recursive, and already made.
            writer.op(POP_MARK)
            writer.get(entry[0])

    def _batch_items(self, items: Iterator[Any], depth: int) -> None:
        """Append what an iterator gives; it is asked for a second item before the first is written."""
        writer = self._writer
        if self._protocol == 0:
            for item in items:
                self._save(item, depth)
                writer.op(APPEND)
            return
        while True:
            first = next(items, _MISSING)
            if first is _MISSING:
                return
            item = next(items, _MISSING)
            if item is _MISSING:
                self._save(first, depth)
                writer.op(APPEND)
                return
            writer.op(MARK)
            self._save(first, depth)
            self._save(item, depth)
            count = 2
            while count < BATCH_SIZE:
                item = next(items, _MISSING)
                if item is _MISSING:
                    break
                self._save(item, depth)
                count += 1
            writer.op(APPENDS)
            if count < BATCH_SIZE:
                return

    def _batch_pairs(self, pairs: Iterator[Any], depth: int) -> None:
        """Set the key and value pairs an iterator gives, with the same look ahead."""
        writer = self._writer
        if self._protocol == 0:
            for pair in pairs:
                self._save_pair(pair, depth)
                writer.op(SETITEM)
            return
        while True:
            first = next(pairs, _MISSING)
            if first is _MISSING:
                return
            _check_pair(first)
            pair = next(pairs, _MISSING)
            if pair is _MISSING:
                self._save_pair(first, depth)
                writer.op(SETITEM)
                return
            writer.op(MARK)
            self._save_pair(first, depth)
            self._save_pair(pair, depth)
            count = 2
            while count < BATCH_SIZE:
                pair = next(pairs, _MISSING)
                if pair is _MISSING:
                    break
                self._save_pair(pair, depth)
                count += 1
            writer.op(SETITEMS)
            if count < BATCH_SIZE:
                return

    def _save_pair(self, pair: Any, depth: int) -> None:
        _check_pair(pair)
        self._save(tuple.__getitem__(pair, 0), depth)
        self._save(tuple.__getitem__(pair, 1), depth)

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
        view = _raw_bytes(obj)
        callback = self._buffer_callback
        if callback is not None and not callback(obj):
            self._writer.out_of_band(view.readonly)
        elif view.readonly:
            self._writer.byte_string(view, obj)
            self._memoize(obj)
        else:
            self._writer.byte_array(view, obj)
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
            reducer = None if kind is type or kind is FunctionType else self._find_reducer(kind)
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

    def _find_reducer(self, kind: type) -> Any:
        """The dispatch table's reducer for `kind`; else None for a kind of class, and _MISSING for all others."""
        if self._table is _MISSING:
            reducer = _copyreg_table.get(kind, _MISSING)
        else:
            try:
                reducer = self._table[kind]
            except KeyError:
                reducer = _MISSING
        if reducer is _MISSING:
            return None if issubclass(kind, type) else _MISSING
        return _refuse_none if reducer is None else reducer

    def _save_reduce(self, value: tuple[Any, ...], obj: Any, depth: int) -> None:
        """Write a reduce value: how to make `obj`, what to fill it with, its state.  None is made but not memoized."""
        if not 2 <= len(value) <= 6:
            raise PicklingError("tuple returned by __reduce__ must contain 2 through 6 elements")
        writer = self._writer
        state, items, pairs, setter = (*value, None, None, None, None)[2:6]
        _check_reduce(value[0], value[1], items, pairs, setter)
        depth += 1
        self._save_making(value[0], value[1], obj, depth)

        if obj is not None:
            entry = self._memo.get(id(obj))
            if entry is not None:
                # It came to be in the memo while its arguments were written: it is recursive, and already made.
                writer.op(POP)
                writer.get(entry[0])
                return
            self._memoize(obj)
        if items is not None:
            self._batch_items(items, depth)
        if pairs is not None:
            self._batch_pairs(pairs, depth)
        if state is None:
            return
        if setter is None:
            self._save(state, depth)
            writer.op(BUILD)
        else:
            # The setter changes the object in place, so what it returns is dropped.  TUPLE2 at every protocol, as C.
            self._save(setter, depth)
            self._save(obj, depth)
            self._save(state, depth)
            writer.op(TUPLE2)
            writer.op(REDUCE)
            writer.op(POP)

    def _save_making(self, function: Any, args: Any, obj: Any, depth: int) -> None:
        """Write the call that makes `obj`: NEWOBJ and NEWOBJ_EX for copyreg's helpers, by name, else REDUCE."""
        name = getattr(function, "__name__", None) if self._protocol >= 2 else None
        if isinstance(name, str) and name == "__newobj__":
            self._save_newobj(args, obj, depth)
        elif isinstance(name, str) and name == "__newobj_ex__":
            self._save_newobj_ex(args, depth)
        else:
            self._save(function, depth)
            self._save(args, depth)
            self._writer.op(REDUCE)

    def _save_newobj(self, args: tuple[Any, ...], obj: Any, depth: int) -> None:
        args = tuple.__getitem__(args, slice(None))
        if not args:
            raise PicklingError("__newobj__ arglist is empty")
        cls = args[0]
        if not issubclass(type(cls), type):
            raise PicklingError("args[0] from __newobj__ args is not a type")
        if obj is not None and getattr(obj, "__class__", type(obj)) is not cls:
            raise PicklingError("args[0] from __newobj__ args has the wrong class")
        self._save(cls, depth)
        self._save(args[1:], depth)
        self._writer.op(NEWOBJ)

    def _save_newobj_ex(self, value: tuple[Any, ...], depth: int) -> None:
        cls, args, kwargs = _newobj_ex_arguments(value)
        if self._protocol >= 4:
            self._save(cls, depth)
            self._save(args, depth)
            self._save(kwargs, depth)
            self._writer.op(NEWOBJ_EX)
        else:
            # No opcode takes keywords yet: a partial of `__new__`, called without arguments.
            self._save(partial(cls.__new__, cls, *args, **kwargs), depth)
            self._save((), depth)
            self._writer.op(REDUCE)

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
        if self._protocol >= 2:
            code = _extension_registry.get((module_name, name), _MISSING)
            if code is not _MISSING:
                self._writer.extension(_extension_code(obj, code))
                return
        if self._protocol >= 4:
            self._save(module_name, depth + 1)
            self._save(path[-1] if parent is module else name, depth + 1)
            self._writer.op(STACK_GLOBAL)
        elif parent is module:
            self._write_global(module_name, path[-1])
        elif _spells_paths_flat():
            self._save_path(module_name, path, depth)
        else:
            self._save_reduce((getattr, (parent, path[-1])), None, depth)
        self._memoize(obj)

    def _save_path(self, module_name: str, path: list[str], depth: int) -> None:
        """Write getattr(getattr(top, "a"), "b") with nothing but the names memoized (3.13 and later)."""
        writer = self._writer
        for _ in path[1:]:
            self._save(getattr, depth + 1)
            if self._protocol < 2:
                writer.op(MARK)
        self._write_global(module_name, path[0])
        for name in path[1:]:
            self._save(name, depth + 1)
            if self._protocol < 2:
                writer.op(TUPLE)
            else:
                writer.op(TUPLE2)
            writer.op(REDUCE)

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
    pickler = Pickler.__new__(Pickler)
    pickler._setup(_protocol_number(protocol), fix_imports, buffer_callback)  # noqa: SLF001  # its own module
    return pickler._run(obj, None)  # noqa: SLF001  # its own module


class PicklerMemoProxy:
    """What `Pickler.memo` gives: enough of a mapping to clear it, to copy it, and to prime another pickler with it."""

    __slots__ = ("_pickler",)
    __hash__ = None  # type: ignore[assignment]  # as C's: two proxies of one memo are not one key

    def __init__(self, pickler: Pickler) -> None:
        self._pickler = pickler

    def copy(self) -> dict[int, tuple[int, Any]]:
        """The memo as a dict from `id(obj)` to `(index, obj)`."""
        return self._pickler._memo.copy()  # noqa: SLF001  # what it stands for

    def clear(self) -> None:
        """Forget which objects were written before."""
        self._pickler._memo.clear()  # noqa: SLF001  # what it stands for

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (self.copy(),)


# Arguments


def _protocol_number(protocol: int | None) -> int:
    if protocol is None:
        return DEFAULT_PROTOCOL
    number = _as_long(protocol)
    if number < 0:
        return HIGHEST_PROTOCOL
    if number > HIGHEST_PROTOCOL:
        raise ValueError(f"pickle protocol must be <= {HIGHEST_PROTOCOL}")
    return number


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
        memo[id(entry[1])] = (_as_int(entry[0]), entry[1])
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


def _raw_bytes(buffer: PickleBuffer) -> memoryview:
    try:
        return buffer.raw()
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
