cimport cython as _cython
from libc.stdint cimport int64_t

from safepickle cimport _opcodes as op
from safepickle cimport _loading as prim
from safepickle cimport _symbols as sym
from safepickle.glance cimport Given, Glance, Signature, View
from safepickle.matching cimport Matcher
from safepickle.reader cimport Reader
from safepickle.symbols cimport Global, Heap, Made, Occurrence, Partial, Plan, Prior, Spelling
from safepickle.weighing cimport Scales


# Looked up in the module's dict otherwise.
cdef bytes _WIDTHS, _POWERFUL, _LITERAL_KINDS
cdef int64_t _NEVER, _BEYOND


@_cython.final
cdef class Options:
    cdef public bint fix_imports, buffers, persistent_load, scanning, lenient
    cdef public object encoding, errors, buffer_count, opcodes_before
    cdef public dict prior


@_cython.final
cdef class Verifier:
    cdef readonly Reader reader
    cdef public object policy, limits
    cdef readonly list refusals, persistent_codes
    cdef readonly dict globals
    cdef readonly Heap heap
    cdef readonly Options options
    cdef readonly Matcher matcher
    cdef Scales _scales
    cdef View _view
    cdef public int64_t persistent_ids, buffers, opcodes, harmless_keys, shared
    cdef public int64_t last_built, last_state, last_filled, last_called, result
    cdef public bint finished, capable, elsewhere
    cdef bint _unrestricted, _has_derived, _late, _weighed, _limited, _light, _again
    cdef object _helper, _memory
    cdef readonly list occurrences, references, persistents
    cdef list _must_build, _spellings
    cdef set _hooks, _dunders, _said
    cdef dict _far, _states, _spelled, _admitted
    cdef int64_t _turn, _protocol, _open, _depth_limit, _memo_limit, _empty, _hash_work, _copy_work, _hash_floor, _copy_floor, _least_hash, _least_copy, _beyond

    @_cython.locals(
        reader=Reader, heap=Heap, depth_limit=int64_t, limited=bint, light=bint, has_prior=bint, kinds="const unsigned char *",
        widths="const unsigned char *", powers="const unsigned char *", data="const unsigned char *", pos=int64_t, end=int64_t, stack="int64_t *",
        room=int64_t, base=int64_t, height=int64_t, deep=int64_t, count=int64_t, at=int64_t, code=int, kind=int, width=int,
        stop=int64_t, start=int64_t, index=int64_t, value=int64_t, run=int64_t, depth=int64_t, number=int64_t, inner=int64_t,
        beyond=int64_t, ripe=int64_t, place=int64_t, patience=int64_t, started=int64_t, size=int64_t,
    )
    cdef int _run_opcodes(self) except -1
    cdef int _begin(self, Reader reader, object policy, object limits, object options) except -1
    cdef int _reset(self) except -1
    cpdef int renew(self, object policy, object limits, Options options, bint light=*) except -1
    cpdef int forget(self) except -1
    @_cython.locals(heap=Heap)
    cdef int _set_limits(self, object limits, object options) except -1
    cdef int64_t _hash_budget(self) except -1
    cdef int64_t _copy_budget(self) except -1
    @_cython.locals(depth=int64_t)
    cdef int _stop(self, int64_t result) except -1
    @_cython.locals(result=int64_t)
    cpdef int64_t result_depth(self) except -1
    cpdef int expect_data(self) except -1
    cpdef bint is_mere_data(self) except -1
    cpdef bint is_reusable(self) except -1
    cpdef bint is_plain(self) except -1
    cpdef bint is_data(self) except -1
    cpdef bint has_harmless_keys(self) except -1
    cpdef int check(self) except -1
    cdef int _start_over(self) except -1
    cdef int64_t _put(self, int64_t index, int64_t code, int64_t count) except -1
    cdef int64_t _get_prior(self, int64_t index) except -1
    cdef int64_t _text8(self, int64_t at, object raw) except -1
    cdef int64_t _deep_tuple(self, int64_t start, int64_t stop) except -1
    @_cython.locals(heap=Heap, stack="int64_t *", some_long=bint, flat=int64_t, place=int64_t, code=int64_t, kind=int, data="const unsigned char *", gone=int64_t)
    cdef int _hash_all(self, int64_t start, int64_t stop, int64_t step) except -1
    cdef int _hash_one(self, int64_t code) except -1
    cdef int _charge_hash(self, int64_t amount) except -1
    cdef int _charge_copy(self, int64_t amount) except -1
    @_cython.locals(heap=Heap, kind=int, node=int64_t, made=Made)
    cdef int64_t _fill(self, int64_t target, int64_t start, int64_t stop, int64_t inside, int wanted) except -1
    @_cython.locals(glance=Glance)
    cdef object _judge_fill(self, Global symbol, int64_t start, int64_t stop, int wanted)
    @_cython.locals(heap=Heap, depth=int64_t)
    cdef int64_t _deepen(self, int64_t node, int64_t inside) except -1
    cdef int _check_pairs(self, int64_t start, int64_t stop) except -1
    cdef int64_t _combined(self, int code, int64_t under, int64_t top) except -1
    cdef int64_t _empty_tuple(self) except -1
    @_cython.locals(options=Options)
    cdef object _next_buffer(self)
    @_cython.locals(heap=Heap, kind=int, symbol=Global, encoded=int64_t, depth=int64_t, glance=Glance, code=int64_t)
    cdef int64_t _reduce(self, int64_t function, int64_t args) except -1
    @_cython.locals(heap=Heap, kind=int, symbol=Global, depth=int64_t, glance=Glance, code=int64_t)
    cdef int64_t _new(self, int64_t cls, int64_t args, int64_t kwargs, object what, object base=*) except -1
    @_cython.locals(heap=Heap, kind=int, made=Made)
    cdef object _build(self, int64_t target, int64_t state)
    @_cython.locals(heap=Heap, text=int64_t, codec=int64_t, data="const unsigned char *")
    cdef int64_t _encoded_at_a_glance(self, Global symbol, int64_t args) except -1
    @_cython.locals(glance=Glance)
    cdef Glance _glance_at(self, Global symbol)
    @_cython.locals(heap=Heap, view=View, number="Py_ssize_t", signature=Signature, depth=int64_t, copied=int64_t, walked=int64_t, looks=bint, count=int64_t)
    cdef int64_t _depth_at_a_glance(self, Glance glance, list signatures, int64_t args) except -1
    @_cython.locals(kind=int)
    cdef int64_t _length_of(self, int64_t half) except -1
    @_cython.locals(count=int64_t)
    cdef int64_t _copied_of(self, int64_t code) except -1
    @_cython.locals(heap=Heap, place=int64_t, key=int64_t, data="const unsigned char *")
    cdef bint _has_dunder_keys(self, int64_t code) except -1
    @_cython.locals(heap=Heap)
    cdef bint _is_own_dict(self, int64_t code) except -1
    @_cython.locals(heap=Heap, symbol=Global, kind=int, copied=int64_t, attributes=int64_t, slots=int64_t, glance=Glance)
    cdef bint _is_built_at_a_glance(self, int64_t target, int64_t state) except -1
    cdef bint _are_halves(self, int64_t attributes, int64_t slots) except -1
    @_cython.locals(view=View, number="Py_ssize_t", given=Given)
    cdef bint _is_state_at_a_glance(self, Glance glance, int64_t target, int64_t state) except -1
    cdef bint _believable(self, object layout, int64_t target, int64_t state) except -1
    cdef int64_t _global_code(self, Global symbol) except -1
    @_cython.locals(matcher=Matcher, reader=Reader, data="const unsigned char *", place=int64_t, met=Spelling, spelling=Spelling)
    cdef int64_t _stack_global(self, int64_t module, int64_t name) except -1
    cdef bint _is_mapped(self) noexcept
    cdef Spelling _spelling(self, object module, object name)
    @_cython.locals(symbol=Global, met=Global)
    cdef int64_t _named(self, Spelling spelling) except -1
    cdef int _forget_names(self) except -1
    @_cython.locals(occurrence=Occurrence)
    cdef object _note_occurrence(self, object module, object name, Global symbol)
    cdef int _check_name_length(self, int64_t length) except -1
    cdef int64_t _global(self, object module, object name) except -1
    @_cython.locals(symbol=Global)
    cdef Global _symbol(self, object module, object name, Global base)
    cdef object _judge(self, Global symbol, object verb)
    cdef int64_t _global_pair(self, object spelled) except -1
