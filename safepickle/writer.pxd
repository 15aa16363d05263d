# The types of C that compiling adds to writer.py.

cimport cython

from safepickle cimport _dumping as dumping

cdef int BINBYTES, BINBYTES8, BINFLOAT, BINGET, BININT, BININT1, BININT2, BINPERSID, BINPUT, BINUNICODE, BINUNICODE8
cdef int BYTEARRAY8, DICT, EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE, EXT1, EXT2, EXT4, LIST, LONG1, LONG4, LONG_BINGET
cdef int LONG_BINPUT, MARK, MEMOIZE, NEWFALSE, NEWTRUE, NEXT_BUFFER, NONE, PERSID, POP, POP_MARK, PROTO
cdef int READONLY_BUFFER, SHORT_BINBYTES, SHORT_BINUNICODE, STOP, TUPLE, TUPLE1, TUPLE2, TUPLE3
cdef Py_ssize_t maxsize, _TARGET, _HEADER, _SHORTEST, _STAGED, _NO_FRAME, _IN_PARTS
cdef tuple _BININT1_BYTES, _TUPLES
cdef object _pack_uint2, _pack_uint4, _pack_int4, _pack_uint8, _pack_float8


@cython.final
cdef class Writer:
    cdef readonly int protocol
    cdef public bint bin
    cdef readonly bytearray buffer
    cdef readonly Py_ssize_t frame_full
    cdef Py_ssize_t _frame_start, _frame_gone, _hole
    cdef dumping.Parts *_parts
    cdef object _sink

    cpdef renew(self, int protocol)
    cpdef start(self, sink)
    @cython.locals(framed=bint)
    cpdef boundary(self)
    cpdef bytes finish(self)
    cpdef reset(self)
    cdef _open_frame(self)
    @cython.locals(start=Py_ssize_t, size=Py_ssize_t)
    cdef _commit_frame(self)
    cdef _spill(self)
    @cython.locals(start=Py_ssize_t, gone=Py_ssize_t)
    cdef _payload(self, data, Py_ssize_t size)
    @cython.locals(framed=bint)
    cdef _large(self, bytes header, data, payload)
    cpdef op(self, int code)
    cpdef none(self)
    cpdef empty_list(self)
    cpdef empty_dict(self)
    cpdef empty_tuple(self)
    cpdef short_tuple(self, Py_ssize_t size)
    cpdef drop(self, Py_ssize_t count)
    cpdef drop_to_mark(self, Py_ssize_t count)
    cpdef out_of_band(self, bint readonly)
    cpdef boolean(self, bint value)
    cpdef integer(self, value)
    @cython.locals(size=Py_ssize_t)
    cdef _long(self, value)
    cpdef floating(self, value)
    @cython.locals(size=Py_ssize_t)
    cpdef text(self, str value)
    @cython.locals(size=Py_ssize_t)
    cpdef byte_string(self, data, payload)
    @cython.locals(size=Py_ssize_t)
    cpdef byte_array(self, data, payload)
    cdef bytes _counted(self, Py_ssize_t size, int code, int long_code, str kind)
    cpdef put(self, Py_ssize_t index)
    cpdef get(self, Py_ssize_t index)
    cpdef global_name(self, module, name)
    cdef bytes _identifier(self, name, str encoding, str kind)
    cpdef extension(self, int code)
    cpdef persistent_id(self)
    cpdef persistent_line(self, str text)
