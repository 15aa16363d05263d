cimport cython as _cython
from libc.stdint cimport int64_t

from safepickle cimport _loading as prim
from safepickle cimport _members as log
from safepickle cimport _opcodes as op
from safepickle.reader cimport Reader
from safepickle.verifier cimport Verifier


@_cython.final
cdef class Walk:
    cdef readonly Verifier verifier
    cdef readonly Reader reader
    cdef readonly object look
    cdef readonly list loud
    cdef readonly int64_t at
    cdef public int64_t begin
    cdef public bint is_over

    @_cython.locals(
        reader=Reader, verifier=Verifier, windowed=bint, large=int64_t, count=int64_t, start=int64_t, pos=int64_t, stop=int64_t,
        data="const unsigned char *",
    )
    cpdef bint run(self, object numbers, int64_t word, int64_t most, int64_t shared) except -1
    @_cython.locals(found=int)
    cdef bint _holds_proto(self, const unsigned char *data, int64_t start, int64_t stop) except -1
    cdef bint _look(self) except -1
