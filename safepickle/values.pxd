cimport cython as _cython
from cpython.object cimport PyObject

cdef extern from "loading.h":
    ctypedef struct Recipe "sp_recipe":
        pass


@_cython.final
@_cython.no_gc
cdef class Stack:
    cdef PyObject **items
    cdef Py_ssize_t size, room
    cdef Py_ssize_t *marks
    cdef Py_ssize_t open_marks, marks_room
    cdef Recipe *recipes  # NULL until an instance takes a state
    cdef bint has_recipes


@_cython.final
@_cython.no_gc
cdef class Memo:
    cdef PyObject **entries
    cdef Py_ssize_t room, top
    cdef dict far


# At the end: the primitives work on what is declared above.
from safepickle cimport _loading as prim
