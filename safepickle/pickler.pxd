# The types of C that compiling adds to pickler.py.

cimport cython

from safepickle cimport _dumping as dumping
from safepickle.writer cimport Writer

cdef int ADDITEMS, APPEND, APPENDS, BUILD, DEFAULT_PROTOCOL, EMPTY_SET, FROZENSET, HIGHEST_PROTOCOL, MARK, NEWOBJ
cdef int NEWOBJ_EX, POP, POP_MARK, REDUCE, SETITEM, SETITEMS, STACK_GLOBAL, TUPLE, TUPLE1, TUPLE2, TUPLE3
cdef Py_ssize_t _BATCH
cdef bint _FOLLOWS_RECURSION_LIMIT
cdef object _MISSING, _NONE_TYPE, _ELLIPSIS_TYPE, _NOT_IMPLEMENTED_TYPE, PickleBuffer, FunctionType
cdef object getrecursionlimit
cdef dict _copyreg_table, _extension_registry
cdef list _idle


@cython.final
@cython.no_gc_clear
cdef class Saver:
    cdef Writer _writer
    cdef bytearray _buffer
    cdef dumping.Memo *_memo
    cdef list _keeper
    cdef int _protocol
    cdef bint _fix_imports, _fast, _writing_pid, _plain, _direct, _running
    cdef object _buffer_callback, _persistent, _reducer, _table
    cdef Py_ssize_t _fast_nesting, _depth_limit
    cdef set _fast_seen

    cpdef begin(self, int protocol, fix_imports, buffer_callback)
    cdef forget(self)
    cdef _choose(self)
    cpdef bint is_binary(self)
    cpdef set_binary(self, bint value)
    cpdef bint is_fast(self)
    cpdef set_fast(self, bint value)
    cpdef dict memo_copy(self)
    @cython.locals(kept=list)
    cpdef prime(self, dict entries)
    cpdef bytes dump(self, obj, sink, persistent, reducer, table)
    @cython.locals(writer=Writer, limit=Py_ssize_t)
    cdef bytes run(self, obj, sink)

    cdef save(self, obj, Py_ssize_t depth)
    @cython.locals(writer=Writer, seen=int)
    cdef save_other(self, obj, Py_ssize_t depth)
    cdef _memoize(self, obj)
    cdef bint _save_persistent(self, obj, Py_ssize_t depth) except -1

    @cython.locals(watched=bint)
    cdef _save_guarded(self, obj, Py_ssize_t depth)
    @cython.locals(
        writer=Writer, buffer=bytearray, memo="dumping.Memo *", protocol=int, size=Py_ssize_t, short=bint,
        index=Py_ssize_t,
    )
    cdef _save_tuple(self, tuple obj, Py_ssize_t depth)
    @cython.locals(
        writer=Writer, buffer=bytearray, memo="dumping.Memo *", protocol=int, size=Py_ssize_t, count=Py_ssize_t,
    )
    cdef _save_list(self, list obj, Py_ssize_t depth)
    @cython.locals(
        writer=Writer, buffer=bytearray, memo="dumping.Memo *", protocol=int, size=Py_ssize_t, count=Py_ssize_t,
    )
    cdef _save_dict(self, dict obj, Py_ssize_t depth)
    @cython.locals(
        writer=Writer, buffer=bytearray, memo="dumping.Memo *", protocol=int, count=Py_ssize_t,
    )
    cdef _save_set(self, set obj, Py_ssize_t depth)
    @cython.locals(
        writer=Writer, buffer=bytearray, memo="dumping.Memo *", protocol=int, index=Py_ssize_t,
    )
    cdef _save_frozenset(self, frozenset obj, Py_ssize_t depth)
    @cython.locals(buffer=bytearray, count=Py_ssize_t)
    cdef _batch_items(self, items, Py_ssize_t depth)
    @cython.locals(buffer=bytearray, count=Py_ssize_t)
    cdef _batch_pairs(self, pairs, Py_ssize_t depth)
    cdef _save_pair(self, pair, Py_ssize_t depth)

    cdef _save_old_bytes(self, bytes obj, Py_ssize_t depth)
    cdef _save_bytearray(self, bytearray obj, Py_ssize_t depth)
    cdef _save_buffer(self, obj)

    cdef tuple _reduce(self, obj, kind, Py_ssize_t depth)
    cdef _find_reducer(self, obj, kind)
    @cython.locals(buffer=bytearray, size=Py_ssize_t, index=Py_ssize_t)
    cdef _save_reduce(self, tuple value, obj, Py_ssize_t depth)
    cdef _save_making(self, function, args, obj, Py_ssize_t depth)
    @cython.locals(exact=tuple)
    cdef _save_newobj(self, args, obj, Py_ssize_t depth)
    cdef _save_newobj_ex(self, value, Py_ssize_t depth)

    cdef _save_global(self, obj, name, Py_ssize_t depth)
    @cython.locals(buffer=bytearray)
    cdef _save_path(self, module_name, list path, Py_ssize_t depth)
    cdef _write_global(self, module_name, name)


@cython.locals(level=int, saver=Saver)
cpdef bytes dumps_bytes(obj, protocol=*, fix_imports=*, buffer_callback=*)
cdef int _protocol_number(protocol) except -2
cdef _check_callback(int protocol, buffer_callback)
cdef _reduce_value(obj, kind, int protocol)
cdef _check_reduce(function, args, items, pairs, setter)
cdef _check_pair(pair)
