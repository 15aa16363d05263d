cimport cython as _cython
from libc.stdint cimport int64_t

from safepickle cimport _opcodes as op
from safepickle cimport _loading as prim
from safepickle.reader cimport Reader
from safepickle.symbols cimport Global, Heap, Occurrence, Plan
from safepickle.values cimport Memo, Stack
from safepickle.verifier cimport Options, Verifier


# Looked up for each object otherwise, in the module's dict.
cdef object _MISSING, _NEVER_CHANGED, _DEFAULT, _NOTHING_MORE
cdef bytes _WIDTHS
cdef Reader _NO_INPUT
cdef dict _NO_MEMO
cdef list _NO_NAMES, _PLACE
cdef bint _KEEPS_NESTED
cdef int64_t _NESTED
cdef Options _PLAIN, _BUFFERED


@_cython.final
cdef class _Helper:
    cdef readonly object name, function


@_cython.final
cdef class _NewPartial:
    cdef public object function, args, kwargs


@_cython.final
cdef class _Machine:
    cdef object unpickler, encoding, errors, guard, buffers, persistents, persistent_load, acting
    cdef list resolved, symbols
    cdef Reader reader
    cdef dict prior
    cdef bint unrestricted
    cdef Stack stack, marks
    cdef Memo memo
    cdef Heap asked
    cdef int64_t named, taken, memo_size, dense, free_keys, head_start
    cdef object probe_work
    cdef set own_types
    cdef object own_type, harmless

    cpdef object begin(self, Reader reader, object probe_work, Heap heap)
    cpdef object serve(self, object unpickler, object persistent_load, dict prior)
    cpdef object name(self, object unpickler, list resolved, list occurrences, list persistents, object buffers)
    cpdef object renew(self)
    cpdef bint is_small(self) except -1
    cdef object _guard(self)

    cpdef object run(self)
    cpdef object entries(self)
    @_cython.locals(
        reader=Reader, stack=Stack, marks=Stack, memo=Memo, widths="const unsigned char *", data="const unsigned char *",
        asides=bint, pos=int64_t, end=int64_t, at=int64_t, code=int, width=int, size=int64_t, start=int64_t, index=int64_t,
        has_prior=bint, dense=int64_t, asked=Heap, frugal=bint, left=int64_t, stop=int64_t,
    )
    cdef object _run_opcodes(self)
    cdef int _put(self, int64_t index) except -1
    cdef int _get(self, int64_t index) except -1
    @_cython.locals(stack=Stack)
    cdef int _set_pairs(self, object target, int64_t start) except -1
    @_cython.locals(place=int64_t)
    cdef object _next_buffer(self)
    @_cython.locals(place=int64_t)
    cdef object _next_global(self)
    @_cython.locals(occurrence=Occurrence)
    cdef object _stack_global(self, object module, object name)
    cdef object _call(self, object function, object args)
    cdef object _new(self, object cls, object args, object kwargs, str what)
    cdef object _instantiate(self, object cls, object args)
    cdef object _target(self, object target)
    cdef object _method(self, object target, str name)
    cdef object _extend(self, object target, list items)
    cdef object _build(self, object target, object state)
    @_cython.locals(stack=Stack, data="const unsigned char *", slots=bint, put=int64_t, place=int64_t)
    cdef int64_t _give_state(self, int64_t start, int64_t pos, int64_t end) except -1
    cdef object _set_attributes(self, object target, object state)
    @_cython.locals(done="Py_ssize_t")
    cdef object _set_slots(self, object target, object slots)
    cdef object _text8(self, object raw)
    cdef object _persistent(self, object pid)


@_cython.final
cdef class _Bench:
    cdef Reader reader
    cdef Verifier verifier
    cdef _Machine machine
    cdef object policy, rules, limits, digits, probe_work, unpickler
    cdef bint was_data

    cdef object verify(self, bytes data, object policy, Options options)
    cdef object run_with(self, object buffers)
    cdef object run(self)
    @_cython.locals(verifier=Verifier, machine=_Machine, occurrences=list, persistents=list)
    cdef object run_objects(self, object buffers)
    @_cython.locals(verifier=Verifier)
    cdef object put_back(self)


@_cython.final
cdef class _Failure:
    cdef public object error


@_cython.locals(bench=_Bench)
cdef _Bench _bench()
@_cython.locals(bench=_Bench)
cdef object _load_plain(bytes data, object policy, object buffers)
cdef Verifier _verified(Verifier verifier)
cdef object _chosen(object policy)

@_cython.locals(
    occurrence=Occurrence, symbol=Global, internal=bint, overridden=bint, unrestricted=bint, resolved=list, spelled=dict,
)
cdef list _resolved(object unpickler, list occurrences, list references, list persistents)
cdef object _resolve_others(list references, list persistents, dict known, bint unrestricted)
cdef object _audit(Occurrence occurrence)
cdef object _take(object buffers, int64_t count)
@_cython.locals(resolved=list)
cdef object _prepare(_Machine machine, object unpickler, Plan plan, object buffers, object persistent_load, dict prior)
