cimport cython as _cython
from libc.stdint cimport int64_t

from safepickle cimport _loading as prim
from safepickle cimport _symbols as sym
from safepickle.reader cimport Reader
from safepickle.symbols cimport Heap, Made


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
