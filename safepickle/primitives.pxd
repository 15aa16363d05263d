# Primitives of the compiled core: what a heap keeps, as C arrays.  twins.py says the same in Python.
#
# Pointers into a heap's arrays hold until the next call that may make it grow.

from cpython.list cimport PyList_GET_SIZE, PyList_New, PyList_SET_ITEM
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from safepickle.symbols cimport Heap, Node

cdef extern from "primitives.h":
    int64_t text_stop "sp_text_stop" (const unsigned char *data, int64_t pos, int64_t end, int width) nogil


cdef enum:
    COMPILED = 1
    FIRST_ROOM = 64
    _LENT = 1
    _FROZEN = 2


cdef inline int64_t *_grown(int64_t *array, Py_ssize_t size, Py_ssize_t wanted) except NULL:
    cdef int64_t *grown = <int64_t *>PyMem_Realloc(array, wanted * sizeof(int64_t))
    if grown == NULL:
        raise MemoryError
    memset(grown + size, 0, (wanted - size) * sizeof(int64_t))
    return grown


cdef inline int set_up(Heap heap) except -1:
    heap.records = []
    heap.stack = _grown(NULL, 0, FIRST_ROOM)
    heap.stack_room = FIRST_ROOM
    heap.marks = _grown(NULL, 0, FIRST_ROOM)
    heap.marks_room = FIRST_ROOM // 2
    heap.memo = _grown(NULL, 0, FIRST_ROOM)
    heap.memo_room = FIRST_ROOM
    heap.pool = _grown(NULL, 0, FIRST_ROOM)
    heap.pool_room = FIRST_ROOM
    heap.nodes = <Node *>_grown(NULL, 0, FIRST_ROOM)
    heap.node_room = FIRST_ROOM * sizeof(int64_t) // sizeof(Node)
    return 0


cdef inline void release(Heap heap):
    PyMem_Free(heap.stack)
    PyMem_Free(heap.marks)
    PyMem_Free(heap.memo)
    PyMem_Free(heap.pool)
    PyMem_Free(heap.nodes)


cdef inline int grow_stack(Heap heap) except -1:
    heap.stack = _grown(heap.stack, heap.stack_room, heap.stack_room * 2)
    heap.stack_room *= 2
    return 0


cdef inline int grow_marks(Heap heap) except -1:
    heap.marks = _grown(heap.marks, heap.marks_room * 2, heap.marks_room * 4)
    heap.marks_room *= 2
    return 0


cdef inline int grow_memo(Heap heap, Py_ssize_t index) except -1:
    cdef Py_ssize_t room = heap.memo_room * 2
    if room <= index:
        room = index + 1
    heap.memo = _grown(heap.memo, heap.memo_room, room)
    heap.memo_room = room
    return 0


cdef inline const unsigned char *pointer(object data) except NULL:
    if type(data) is bytes:
        return <const unsigned char *><char *>(<bytes>data)
    return <const unsigned char *><char *>(<bytearray>data)


# -- Nodes ---------------------------------------------------------------------------------------------------------------

cdef inline int64_t _new_node(Heap heap, int64_t depth, int64_t start, int64_t count) except -1:
    cdef Py_ssize_t number = heap.size
    cdef Py_ssize_t wanted
    if number == heap.node_room:
        wanted = heap.node_room * 2
        heap.nodes = <Node *>_grown(
            <int64_t *>heap.nodes, heap.node_room * sizeof(Node) // sizeof(int64_t), wanted * sizeof(Node) // sizeof(int64_t)
        )
        heap.node_room = wanted
    cdef Node *node = &heap.nodes[number]
    node.depth = depth
    node.start = start
    node.count = count
    node.room = count
    node.flags = 0
    heap.size = number + 1
    return number


cdef inline int64_t _in_pool(Heap heap, Py_ssize_t size) except -1:
    """Where `size` more numbers fit into the pool."""
    cdef Py_ssize_t wanted
    if size > heap.pool_room - heap.pool_used:
        wanted = heap.pool_room * 2
        if wanted < heap.pool_used + size:
            wanted = heap.pool_used + size
        heap.pool = _grown(heap.pool, heap.pool_room, wanted)
        heap.pool_room = wanted
    cdef Py_ssize_t start = heap.pool_used
    heap.pool_used = start + size
    return start


cdef inline int64_t add(Heap heap, int kind, object record, int64_t depth) except -1:
    heap.records.append(record)
    return _new_node(heap, depth, PyList_GET_SIZE(heap.records) - 1, -1) << 5 | kind


cdef inline int64_t add_list(Heap heap, int kind, list items, int64_t depth) except -1:
    cdef Py_ssize_t size = PyList_GET_SIZE(items)
    cdef int64_t start = _in_pool(heap, size)
    cdef Py_ssize_t i
    for i in range(size):
        heap.pool[start + i] = items[i]
    return _new_node(heap, depth, start, size) << 5 | kind


cdef inline int64_t collect(Heap heap, int kind, Py_ssize_t start, Py_ssize_t stop, int64_t depth) except -1:
    cdef Py_ssize_t size = stop - start
    cdef int64_t place = _in_pool(heap, size)
    if size <= 4:
        for i in range(size):
            heap.pool[place + i] = heap.stack[start + i]
    else:
        memcpy(heap.pool + place, heap.stack + start, size * sizeof(int64_t))
    return _new_node(heap, depth, place, size) << 5 | kind


cdef inline int _make_room(Heap heap, Node *node, Py_ssize_t size) except -1:
    """Room for `size` more items of a node, at the end of the pool or where it is."""
    cdef int64_t room, place
    if node.count + size <= node.room:
        return 0
    if node.start + node.room == heap.pool_used:
        _in_pool(heap, node.count + size - node.room)
        node.room = node.count + size
        return 0
    room = node.count + size
    if node.count:
        room *= 2
    place = _in_pool(heap, room)
    memcpy(heap.pool + place, heap.pool + node.start, node.count * sizeof(int64_t))
    node.start = place
    node.room = room
    return 0


cdef inline int extend(Heap heap, int64_t number, Py_ssize_t start, Py_ssize_t stop) except -1:
    cdef Node *node = &heap.nodes[number]
    cdef Py_ssize_t size = stop - start
    _make_room(heap, node, size)
    memcpy(heap.pool + node.start + node.count, heap.stack + start, size * sizeof(int64_t))
    node.count += size
    return 0


cdef inline int extend_list(Heap heap, int64_t number, list items) except -1:
    cdef Node *node = &heap.nodes[number]
    cdef Py_ssize_t size = PyList_GET_SIZE(items)
    cdef Py_ssize_t i
    _make_room(heap, node, size)
    for i in range(size):
        heap.pool[node.start + node.count + i] = items[i]
    node.count += size
    return 0


cdef inline list _numbers(const int64_t *items, Py_ssize_t size):
    cdef list listed = PyList_New(size)
    cdef Py_ssize_t i
    cdef object number
    for i in range(size):
        number = items[i]
        Py_INCREF(number)
        PyList_SET_ITEM(listed, i, number)
    return listed


cdef inline list listed(Heap heap, Py_ssize_t start, Py_ssize_t stop):
    return _numbers(heap.stack + start, stop - start)


cdef inline list codes(Heap heap, int64_t code):
    cdef Node *node = &heap.nodes[code >> 5]
    return _numbers(heap.pool + node.start, node.count if node.count > 0 else 0)


cdef inline object record(Heap heap, int64_t code):
    return <object>heap.records[heap.nodes[code >> 5].start]


cdef inline int64_t count(Heap heap, int64_t code) noexcept:
    return heap.nodes[code >> 5].count


cdef inline int64_t item(Heap heap, int64_t code, int64_t index) noexcept:
    return heap.pool[heap.nodes[code >> 5].start + index]


cdef inline int64_t depth_of(Heap heap, int64_t number) noexcept:
    return heap.nodes[number].depth


cdef inline void set_depth(Heap heap, int64_t number, int64_t depth) noexcept:
    heap.nodes[number].depth = depth


cdef inline int64_t deepest(Heap heap, Py_ssize_t start, Py_ssize_t stop) noexcept:
    cdef int64_t found = 0
    cdef int64_t code, depth
    cdef Py_ssize_t i
    for i in range(start, stop):
        code = heap.stack[i]
        if code & 31 >= 16:
            depth = heap.nodes[code >> 5].depth
            if depth > found:
                found = depth
    return found


cdef inline void lend(Heap heap, int64_t number) noexcept:
    heap.nodes[number].flags |= _LENT


cdef inline bint is_lent(Heap heap, int64_t number) noexcept:
    return heap.nodes[number].flags & _LENT


cdef inline void freeze(Heap heap, int64_t number) noexcept:
    heap.nodes[number].flags |= _FROZEN


cdef inline bint is_frozen(Heap heap, int64_t number) noexcept:
    return heap.nodes[number].flags & _FROZEN != 0


cdef inline Py_ssize_t nodes(Heap heap) noexcept:
    return heap.size


cdef inline object held(Heap heap, int64_t number):
    if heap.nodes[number].count < 0:
        return record(heap, number << 5)
    return codes(heap, number << 5)


cdef inline int64_t flat(Heap heap, int64_t code, int64_t seen) except -2:
    cdef Node *node = &heap.nodes[code >> 5]
    cdef dict sizes = heap.sizes
    cdef bint some_long = len(sizes) > 0
    cdef int64_t i, each
    for i in range(seen, node.count):
        each = heap.pool[node.start + i]
        if each & 31 >= 16 or (some_long and (each >> 5) in sizes):
            return -1
    return node.count
