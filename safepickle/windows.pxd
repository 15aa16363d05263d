from libc.stdint cimport int64_t

from safepickle.reader cimport Reader


cdef class WindowReader(Reader):
    cdef readonly object source, start, room, failure
    cdef public object look, reveal, watch, brief, leave
    cdef object _rereads, _places, _texts, _dropped, _gaps, _sums, _ahead

    cpdef int go_on(self) except -1
    cpdef int let_go(self) except -1
    cpdef int boundary(self) except -1
    cpdef bint _fetch(self, int64_t size) except -1
    cpdef int skip(self, int64_t size) except -1
    cpdef object take(self, int64_t size)
    cpdef int skip_bytearray(self, int64_t size) except -1
    cpdef object take_bytearray(self, int64_t size)
    cpdef object text(self, int64_t size)
    cpdef object literal(self, int64_t at)
