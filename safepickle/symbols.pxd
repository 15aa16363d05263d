cimport cython as _cython
from libc.stdint cimport int64_t


ctypedef struct Node:
    int64_t start  # of its items in the pool; of its record among the records
    int64_t count  # of its items; -1 for a node that has a record
    int64_t room  # for items
    int64_t flags
    int64_t state  # what was made at a glance: the code of its state, or 0


cdef class Global
cdef class Made


@_cython.final
cdef class Heap:
    cdef int64_t *stack
    cdef int64_t *marks  # in turn: where the stack of the mark begins, how deep what is below it was
    cdef int64_t *memo
    cdef char *fetched  # by memo index: whether the stream asks for the entry
    cdef int64_t *pool
    cdef int64_t *longs  # in turn: the position of a literal above LONG_TEXT, in their order, and its length
    cdef int64_t *depths  # by node: how deep it is, and flags
    cdef Node *nodes
    cdef Py_ssize_t stack_room, marks_room, memo_room, pool_room, pool_used, node_room, size
    cdef Py_ssize_t memo_top  # entries from here on are 0
    cdef int64_t largest  # what `handed` found last
    cdef bint hands_containers  # likewise
    cdef Py_ssize_t longs_used, longs_room  # in pairs
    cdef list records
    cdef list origins  # of what was made at a glance, without a record
    cdef public dict receivers
    cdef public bint has_priors, is_orderly
    cdef bint is_light

    cpdef int renew(self) except -1
    cpdef bint is_small(self) except -1
    cpdef int note_long(self, int64_t at, int64_t size) except -1
    cpdef int64_t long_size(self, int64_t at) except -1
    cpdef bint has_longs(self) except -1
    cpdef Made new_made(self, Global origin, int64_t args, int64_t size, bint called)


@_cython.final
cdef class Global:
    cdef public object module, name, dotted, grants, helper, base, glance, found_in, found
    cdef public tuple key
    cdef public bint listed
    cdef public int64_t turn, place, referred, called, made, built, filled

    cpdef int renew(self, int64_t turn) except -1


@_cython.final
cdef class Spelling:
    cdef public object module, name
    cdef public bint is_mapped, is_dotted
    cdef public Global symbol


@_cython.final
@_cython.freelist(16)
cdef class Occurrence:
    cdef public object module, name
    cdef public Global symbol
    cdef public int64_t protocol, position


@_cython.final
cdef class Plan:
    cdef readonly int64_t stop, consumed, opcodes, protocol, buffers
    cdef readonly list occurrences, references, persistents
    cdef readonly Heap heap
    cdef dict _far


@_cython.final
cdef class Made:
    cdef public Global origin
    cdef public int64_t args, kwargs, state, size
    cdef public bint built, called
    cdef public int filled
    cdef public list fills


@_cython.final
cdef class Prior:
    cdef public object value, depth, symbol, size, weight, heap, code


@_cython.final
cdef class Partial:
    cdef public int64_t function, state


# At the end: the primitives work on what is declared above.
from safepickle cimport _loading as prim
