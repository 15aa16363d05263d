cimport cython as _cython
from libc.stdint cimport int64_t

from safepickle cimport _loading as prim
from safepickle cimport _symbols as sym
from safepickle.symbols cimport Global, Heap


@_cython.final
cdef class View:
    cdef Heap heap
    cdef const unsigned char *data
    cdef int64_t stop, left
    cdef list looked_at

    cdef int open(self, object data) except -1
    @_cython.locals(code=int64_t)
    cdef int settle(self) except -1
    cdef object text(self, int64_t code)


# Not final, nor are these: Cython takes a final method of theirs for one that overrides itself.
cdef class Inside:
    cdef readonly int kind
    cdef readonly bint is_blind
    cdef bint admits(self, View view, int64_t code) except -1


@_cython.final
cdef class Quick:
    cdef int64_t kinds, low, high, shortest, longest
    cdef frozenset instances, built, names
    cdef readonly frozenset empty
    cdef list spelled, texts
    cdef readonly list inside
    cdef readonly bint is_blind

    @_cython.locals(kind=int, at=int64_t, value=int64_t, size=int64_t, maker=Global, symbol=Global)
    cdef bint admits(self, View view, int64_t code) except -1
    @_cython.locals(at=int64_t, number="Py_ssize_t", texts=Texts)
    cdef bint _is_spelled(self, View view, int64_t code) except -1
    @_cython.locals(args=int64_t)
    cdef bint _is_empty(self, View view, int64_t code) except -1
    @_cython.locals(number="Py_ssize_t", inside=Inside)
    cdef bint _holds(self, View view, int64_t code, int kind) except -1


@_cython.final
cdef class Texts:
    cdef object _pattern, _compiled
    cdef set _known

    cdef bint admits(self, object text) except -1


cdef class Signature(Inside):
    cdef readonly int64_t count
    cdef readonly bint is_open, looks
    cdef list items

    @_cython.locals(count=int64_t, place=int64_t, item=int64_t, items="const int64_t *", quick=Quick)
    cdef bint admits(self, View view, int64_t code) except -1


cdef class Members(Inside):
    cdef Quick item

    @_cython.locals(count=int64_t, place=int64_t, items="const int64_t *")
    cdef bint admits(self, View view, int64_t code) except -1


cdef class Entries(Inside):
    cdef Quick key, value

    @_cython.locals(count=int64_t, place=int64_t, items="const int64_t *")
    cdef bint admits(self, View view, int64_t code) except -1


cdef class Named(Inside):
    cdef int64_t needed
    cdef dict places
    cdef list values

    @_cython.locals(count=int64_t, place=int64_t, number=int64_t, seen=int64_t, items="const int64_t *", quick=Quick)
    cdef bint admits(self, View view, int64_t code) except -1


cdef class Sized(Inside):
    cdef int64_t low, high
    cdef Inside inner

    @_cython.locals(count=int64_t)
    cdef bint admits(self, View view, int64_t code) except -1


@_cython.final
cdef class Given:
    cdef frozenset attributes
    cdef Quick value
    cdef readonly object layout
    cdef readonly bint is_blind

    cdef bint admits(self, View view, int64_t state) except -1
    @_cython.locals(count=int64_t, place=int64_t, items="const int64_t *")
    cdef bint _names_only(self, View view, int64_t state, frozenset attributes) except -1


@_cython.final
cdef class Glance:
    cdef list calls, news, states, fills
    cdef public bint must_build_calls, must_build_news
    cdef bint plain_state, fills_freely, is_hashing, is_new_of_nothing
