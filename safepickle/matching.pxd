cimport cython as _cython
from libc.stdint cimport int64_t

from safepickle cimport _loading as prim
from safepickle cimport _symbols as sym
from safepickle.reader cimport Reader
from safepickle.symbols cimport Global, Heap, Made


@_cython.final
cdef class Quick:
    cdef int64_t count
    cdef bint rest
    cdef list instances
    cdef bytes _packed
    cdef const int64_t *table

    @_cython.locals(
        count=int64_t, place=int64_t, code=int64_t, kind=int, value=int64_t, size=int64_t, row=int64_t, origin=Global,
        items="const int64_t *", table="const int64_t *",
    )
    cdef bint admits(self, Heap heap, const unsigned char *data, int64_t args) except -1


@_cython.final
cdef class Glance:
    cdef list calls, news
    cdef bint plain_state, is_hashing, is_new_of_nothing


@_cython.final
cdef class Matcher:
    cdef Reader _reader
    cdef Heap _heap
    cdef object _encoding, _errors
    cdef dict _decided, _identities, _lengths, _names, _regexes

    cpdef int forget(self) except -1
    cpdef object word(self, int64_t code)
    cpdef object value(self, int64_t code)
    cpdef object text(self, int64_t code)
    cpdef int64_t text_bytes(self, int64_t code) except -1
    cdef object _short_text(self, int64_t code)
    cpdef object name(self, int64_t code)
    cpdef bint is_text(self, int64_t code) except -1
    cpdef object length(self, int64_t code)
