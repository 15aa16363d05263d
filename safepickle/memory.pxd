cimport cython as _cython
from libc.stdint cimport int64_t

from safepickle cimport _loading as prim
from safepickle cimport _symbols as sym
from safepickle.glance cimport View
from safepickle.matching cimport Matcher
from safepickle.symbols cimport Global, Heap


# Looked up in the module's dict otherwise.
cdef frozenset _ORDERS, _FLEXIBLE
cdef dict _spellings
cdef object _POINTER
cdef int64_t _MOST_BYTES, _MOST_EMPTY_ITEMS, _LONGEST_ITEM, _NO_NUMBER, _MOST_SHORT, _MOST_DIMENSIONS


@_cython.final
cdef class Memory:
    cdef View _view
    cdef Heap _heap
    cdef Matcher _matcher
    cdef dict _items, _records

    cpdef int forget(self) except -1
    @_cython.locals(heap=Heap, count=int64_t)
    cpdef bint admits(self, object layout, int64_t target, int64_t state) except -1
    @_cython.locals(count=int64_t, size=int64_t)
    cdef bint _fits(self, int64_t shape, int64_t dtype, int64_t data) except -1
    cdef int64_t _times(self, int64_t count, int64_t size) noexcept
    @_cython.locals(heap=Heap, dimensions=int64_t, count=int64_t, room=int64_t, place=int64_t, size=int64_t)
    cdef int64_t _count(self, int64_t shape) except -2
    cdef bint _has_items(self, int64_t data, int64_t count) except -1
    @_cython.locals(kind=int)
    cdef bint _is_raw(self, int64_t code) except -1
    @_cython.locals(args=int64_t)
    cdef bint _is_no_bytes(self, int64_t code) except -1
    @_cython.locals(kind=int, known=int64_t, short=int64_t)
    cdef int64_t _raw_size(self, int64_t code) except -2
    @_cython.locals(maker=Global)
    cdef bint _is_variable_text(self, int64_t code) except -1
    @_cython.locals(maker=Global)
    cdef bint _is_filler(self, int64_t code) except -1
    @_cython.locals(heap=Heap, count=int64_t, args=int64_t, flags=int64_t, items="const int64_t *")
    cdef object _dtype(self, int64_t target, int64_t state)
    cdef bint _has_nothing(self, const int64_t *items) except -1
    cdef tuple _spelled(self, int64_t code)
    cdef bint _is_metadata(self, object kind, int64_t metadata) except -1
    @_cython.locals(size=int64_t)
    cdef object _flexible(self, object kind, int64_t declared, int64_t state, const int64_t *items)
    cdef object _flagged(self, object item, int64_t flags)
    @_cython.locals(base=int64_t, names=int64_t, fields=int64_t, count=int64_t, inner_size=int64_t)
    cdef object _record(self, int64_t size, const int64_t *items)
    cdef list _tuple(self, int64_t code)
    cdef object _text(self, int64_t code)
    @_cython.locals(short=int64_t)
    cdef int64_t _int(self, int64_t code) except? -1
