cimport cython as _cython
from libc.stdint cimport int64_t

from safepickle cimport _loading as prim
from safepickle cimport _symbols as sym
from safepickle.symbols cimport Heap, Made, Prior


@_cython.locals(size="Py_ssize_t", depth=int64_t, deepest=int64_t, start=int64_t, index=int64_t, child=int64_t, inner=int64_t)
cpdef int64_t exact_depths(Heap heap) except -1


@_cython.final
cdef class Scales:
    cdef dict _flat, _long_texts, _repeated, _walked
    cdef Heap _heap
    cdef object _matcher
    cdef set _hashable

    cpdef int forget(self) except -1
    cpdef object hashing(self, int64_t code, object most)
    cpdef object unhashable(self, int64_t code)
    @_cython.locals(heap=Heap, count=int64_t, seen=int64_t)
    cpdef bint is_flat(self, int64_t code) except -1
    @_cython.locals(heap=Heap)
    cpdef int64_t bulk(self, int64_t code) except -1
    @_cython.locals(heap=Heap)
    cpdef int64_t length(self, int64_t code) except -1
    @_cython.locals(heap=Heap)
    cpdef int64_t _literal_length(self, int64_t code) except -1
