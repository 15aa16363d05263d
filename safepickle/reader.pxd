cimport cython as _cython
from libc.stdint cimport int64_t

from safepickle cimport _loading as prim


cdef class Reader:
    # Read only: bytes are read at these places, so nobody else may say where.
    cdef readonly object data
    cdef readonly int64_t pos, at, end, shift, ripe
    cdef readonly int64_t _start, _available, _frame_end
    cdef readonly object integer_digits
    cdef readonly object asides

    cpdef int renew(self, bytes data, object integer_digits) except -1
    cpdef int release(self) except -1
    cpdef int rewind(self) except -1
    cpdef int go_on(self) except -1
    cpdef int let_go(self) except -1
    @_cython.locals(pos=int64_t)
    cpdef int opcode(self) except -1
    cpdef int boundary(self) except -1
    @_cython.locals(length=int64_t)
    cpdef int frame(self) except -1
    cdef int _limit_to_frame(self) except -1
    cpdef int stop(self) except -1
    cpdef bint _fetch(self, int64_t size) except -1
    cdef int _need(self, int64_t size) except -1
    @_cython.locals(pos=int64_t)
    cpdef int uint1(self) except -1
    @_cython.locals(pos=int64_t)
    cpdef int uint2(self) except -1
    @_cython.locals(pos=int64_t)
    cpdef int64_t int4(self) except? -1
    @_cython.locals(pos=int64_t)
    cpdef int64_t uint4(self) except -1
    @_cython.locals(pos=int64_t, size=int64_t)
    cpdef int64_t uint8(self) except -1
    @_cython.locals(pos=int64_t)
    cpdef object float8(self)
    cpdef int64_t length4(self, str what) except -1
    cpdef int skip(self, int64_t size) except -1
    @_cython.locals(pos=int64_t)
    cpdef object take(self, int64_t size)
    cpdef int skip_bytearray(self, int64_t size) except -1
    @_cython.locals(pos=int64_t)
    cpdef object take_bytearray(self, int64_t size)
    @_cython.locals(pos=int64_t)
    cpdef object text(self, int64_t size)
    cpdef object literal(self, int64_t at)


cdef class FileReader(Reader):
    cdef object _file, _byte_limit
    cdef int64_t _ahead, _origin, _size
    cdef int _mode
