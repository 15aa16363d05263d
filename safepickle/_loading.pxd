# Primitives of the compiled core: what a heap keeps, as C arrays.  loading.py says the same in Python.
#
# Pointers into a heap's arrays hold until the next call that may make it grow.

from cpython.bytes cimport PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Size
from cpython.list cimport PyList_GET_SIZE, PyList_New, PyList_SET_ITEM
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.unicode cimport PyUnicode_CheckExact
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcmp, memcpy, memmove, memset

from safepickle cimport _opcodes as op
from safepickle._symbols cimport DICT, FIRST_NODE, FROZENSET, GLOBAL, KIND, LIST, LONG_TEXT, MADE, SET, SHIFT, TUPLE
from safepickle.symbols cimport Global, Heap, Made, Node
from safepickle.values cimport Memo, Recipe, Stack

cdef extern from "loading.h":
    int64_t text_stop "sp_text_stop" (const unsigned char *data, int64_t pos, int64_t end, int width) nogil
    PyObject *_text "sp_text" (const unsigned char *data, Py_ssize_t size) noexcept
    object _new_text "sp_text" (const unsigned char *data, Py_ssize_t size)
    PyObject *_uint1 "sp_uint1" (unsigned char value) noexcept
    int _set_pairs "sp_set_pairs" (object target, PyObject **items, Py_ssize_t size) except -1
    PyObject *_long "PyLong_FromLong" (long value) noexcept
    PyObject *_signed "sp_signed" (const unsigned char *data, Py_ssize_t size) noexcept
    PyObject *_float "PyFloat_FromDouble" (double value) noexcept
    PyObject *_bytes "PyBytes_FromStringAndSize" (const char *data, Py_ssize_t size) noexcept
    object _bytearray "PyByteArray_FromStringAndSize" (const char *data, Py_ssize_t size)
    PyObject *_tuple_take "sp_tuple_take" (PyObject **values, Py_ssize_t count) noexcept
    double _float8 "sp_float8" (const unsigned char *data) noexcept nogil
    unsigned int _uint4 "sp_uint4" (const unsigned char *data) noexcept nogil
    int _list_take "sp_list_take" (object items, PyObject **values, Py_ssize_t count) except -1
    object _new_tuple_take "sp_tuple_take" (PyObject **values, Py_ssize_t count)
    object _new_list_take "sp_new_list_take" (PyObject **values, Py_ssize_t count)
    PyObject *_type_lookup "_PyType_Lookup" (PyTypeObject *cls, object name) noexcept

    Py_ssize_t set_slots "sp_set_slots" (object target, object slots) except -1
    object take "sp_take" (list place)
    int keep "sp_keep" (list place, object value) except -1
    object latin1 "PyUnicode_AsLatin1String" (object text)
    int set_inline "sp_set_inline" (object target, object state) except -1
    int set_attributes "sp_set_attributes" (object attributes, object state) except -1
    int _more_room "sp_more_room" (PyObject ***items, Py_ssize_t *room) except -1
    int _more_room_for "sp_more_room_for" (PyObject *value, PyObject ***items, Py_ssize_t *room) noexcept
    int _no_place "sp_no_place" (const char *message) except -1
    int _no_such_thing "sp_no_such_thing" (const char *message) except -1
    int64_t name_place "sp_name_place" (const unsigned char *data, int64_t module, int64_t name, int64_t end) noexcept nogil
    bint spells "sp_spells" (const unsigned char *data, int64_t at, object text) noexcept
    int is_there "sp_is_there" (object where, object module, object name, object value) except -1
    int audit "sp_audit" (object module, object name) except -1
    bint makes_keys "sp_makes_keys" (object function) noexcept
    object _new "sp_new" (object cls, object args)
    int _RECIPES "SP_RECIPES"
    int _give_state "sp_give_state" (Recipe *recipes, object target, PyObject **items, Py_ssize_t size, bint slots) except -1
    void _forget_recipe "sp_forget_recipe" (Recipe *recipe)

cdef extern from *:
    """
    #define SP_DECREF(o) Py_DECREF(o)
    """
    Py_ssize_t _references "Py_REFCNT" (object held) noexcept
    void _drop_reference "SP_DECREF" (PyObject *)


cdef enum:
    COMPILED = 1
    FIRST_ROOM = 64
    LONGEST_FIXED = 9
    LARGE = 65536
    FEW_ARGUMENTS = 16
    FEW_ITEMS = 64
    MOST_LOOKED = 256
    NAME_PLACES = 64
    _LENT = 1  # of the flags beside a depth
    _FROZEN = 2
    _BARE = 4  # a light pass keeps nothing else of this node
    _DEPTH = 3  # the bits behind these flags are the depth
    _CALLED = 8  # of the flags of a node
    _STATE = 16
    _SLOTS = 32
    _SIZE = 8  # flags from this bit on: what a thing made at a glance may have copied
    _KEPT = 1048576


cdef inline int64_t *_grown(int64_t *array, Py_ssize_t size, Py_ssize_t wanted) except NULL:
    cdef int64_t *grown = <int64_t *>PyMem_Realloc(array, wanted * sizeof(int64_t))
    if grown == NULL:
        raise MemoryError
    return grown


cdef inline int set_up(Heap heap) except -1:
    heap.records = []
    heap.origins = []
    heap.stack = _grown(NULL, 0, FIRST_ROOM)
    heap.stack_room = FIRST_ROOM
    heap.marks = _grown(NULL, 0, FIRST_ROOM)
    heap.marks_room = FIRST_ROOM // 2
    heap.memo = _grown(NULL, 0, FIRST_ROOM)
    memset(heap.memo, 0, FIRST_ROOM * sizeof(int64_t))
    heap.fetched = <char *>PyMem_Malloc(FIRST_ROOM)
    if heap.fetched == NULL:
        raise MemoryError
    memset(heap.fetched, 0, FIRST_ROOM)
    heap.memo_room = FIRST_ROOM
    heap.pool = _grown(NULL, 0, FIRST_ROOM)
    heap.pool_room = FIRST_ROOM
    heap.node_room = FIRST_ROOM * sizeof(int64_t) // sizeof(Node)
    heap.depths = _grown(NULL, 0, heap.node_room)
    heap.nodes = <Node *>_grown(NULL, 0, FIRST_ROOM)
    return 0


cdef inline int renew(Heap heap) except -1:
    memset(heap.memo, 0, heap.memo_top * sizeof(int64_t))
    memset(heap.fetched, 0, heap.memo_top)
    heap.memo_top = 0
    heap.size = 0
    heap.pool_used = 0
    heap.longs_used = 0
    if PyList_GET_SIZE(heap.records):
        heap.records.clear()
    if PyList_GET_SIZE(heap.origins):
        heap.origins.clear()
    return 0


cdef inline bint is_small(Heap heap) noexcept:
    return heap.stack_room + heap.marks_room + heap.memo_room + heap.pool_room + heap.node_room + heap.longs_room <= _KEPT


cdef inline void release(Heap heap):
    PyMem_Free(heap.stack)
    PyMem_Free(heap.marks)
    PyMem_Free(heap.memo)
    PyMem_Free(heap.fetched)
    PyMem_Free(heap.pool)
    PyMem_Free(heap.depths)
    PyMem_Free(heap.nodes)
    PyMem_Free(heap.longs)


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
    cdef char *fetched = <char *>PyMem_Realloc(heap.fetched, room)
    if fetched == NULL:
        raise MemoryError
    heap.fetched = fetched
    memset(heap.fetched + heap.memo_room, 0, room - heap.memo_room)
    heap.memo = _grown(heap.memo, heap.memo_room, room)
    memset(heap.memo + heap.memo_room, 0, (room - heap.memo_room) * sizeof(int64_t))
    heap.memo_room = room
    return 0


cdef inline int64_t fetch(Heap heap, int64_t index) noexcept:
    if index < 0 or index >= heap.memo_room:
        return 0
    heap.fetched[index] = 1
    return heap.memo[index]


cdef inline bint memoize(Heap heap, int64_t index, int64_t code) noexcept:
    if not heap.is_orderly or index < 0 or index >= heap.memo_room:
        return False
    heap.memo[index] = code
    heap.memo_top = index + 1
    return True


cdef inline bint is_fetched(Heap heap, int64_t index) noexcept:
    return index < 0 or index >= heap.memo_room or heap.fetched[index]


cdef inline int64_t _place_of_long(Heap heap, int64_t at) noexcept:
    """The first pair whose position is `at` or behind it."""
    cdef int64_t low = 0
    cdef int64_t high = heap.longs_used
    cdef int64_t middle
    while low < high:
        middle = (low + high) // 2
        if heap.longs[2 * middle] < at:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline int note_long(Heap heap, int64_t at, int64_t size) except -1:
    cdef int64_t used = heap.longs_used
    cdef int64_t place = used
    if used == heap.longs_room:
        heap.longs = _grown(heap.longs, 2 * heap.longs_room, 4 * heap.longs_room if heap.longs_room else FIRST_ROOM)
        heap.longs_room = 2 * heap.longs_room if heap.longs_room else FIRST_ROOM // 2
    if used and heap.longs[2 * used - 2] >= at:  # a stream's literals come one behind the other, so this is for others
        place = _place_of_long(heap, at)
        if heap.longs[2 * place] == at:
            heap.longs[2 * place + 1] = size
            return 0
        memmove(heap.longs + 2 * place + 2, heap.longs + 2 * place, 2 * (used - place) * sizeof(int64_t))
    heap.longs[2 * place] = at
    heap.longs[2 * place + 1] = size
    heap.longs_used = used + 1
    return 0


cdef inline int64_t long_size(Heap heap, int64_t at) noexcept:
    cdef int64_t place
    if not heap.longs_used:
        return 0
    place = _place_of_long(heap, at)
    return heap.longs[2 * place + 1] if place < heap.longs_used and heap.longs[2 * place] == at else 0


cdef inline bint has_longs(Heap heap) noexcept:
    return heap.longs_used > 0


cdef inline const unsigned char *pointer(object data) except NULL:
    if type(data) is bytes:
        return <const unsigned char *><char *>(<bytes>data)
    return <const unsigned char *><char *>(<bytearray>data)


cdef inline int uint1(const unsigned char *data, int64_t pos) noexcept:
    return data[pos]


cdef inline int uint2(const unsigned char *data, int64_t pos) noexcept:
    return data[pos] | data[pos + 1] << 8


cdef inline int int4(const unsigned char *data, int64_t pos) noexcept:
    return <int>_uint4(data + pos)


cdef inline int64_t uint4(const unsigned char *data, int64_t pos) noexcept:
    return _uint4(data + pos)


cdef inline int64_t uint8(const unsigned char *data, int64_t pos) noexcept:
    if data[pos + 7] >= 0x40:
        return -1
    return <int64_t>_uint4(data + pos) | <int64_t>_uint4(data + pos + 4) << 32


cdef inline int64_t small_int(const unsigned char *data, int64_t at) noexcept:
    cdef int code = data[at]
    if code == op.BININT1:
        return data[at + 1]
    if code == op.BININT2:
        return uint2(data, at + 1)
    if code == op.BININT:
        return int4(data, at + 1)
    return <int64_t>1 << 40


cdef inline int64_t short_length(const unsigned char *data, int64_t at) noexcept:
    return data[at + 1] if data[at] == op.SHORT_BINBYTES else -1


cdef inline bint is_spelled(const unsigned char *data, int64_t at, bytes literal) except -1:
    cdef const unsigned char *wanted = <const unsigned char *><char *>literal
    cdef Py_ssize_t size = PyBytes_GET_SIZE(literal)
    if size < 1 or data[at] != wanted[0]:
        return False
    # Where opcode and length are the same, as many bytes follow.
    return size < 2 or (data[at + 1] == wanted[1] and memcmp(data + at, wanted, size) == 0)


cdef inline int64_t bit(int64_t number) noexcept:
    return <int64_t>1 << number


cdef inline bint is_short(const unsigned char *data, int64_t at) noexcept:
    cdef int code = data[at]
    return (
        code == op.SHORT_BINUNICODE
        or code == op.BININT1
        or code == op.BININT
        or code == op.BININT2
        or code == op.BINFLOAT
        or code == op.NONE
        or code == op.NEWTRUE
        or code == op.NEWFALSE
        or code == op.LONG1
        or code == op.SHORT_BINBYTES
        or code == op.SHORT_BINSTRING
        or (code == op.BINUNICODE and uint4(data, at + 1) <= LONG_TEXT)
    )


cdef inline object short_text(const unsigned char *data, int64_t at, int64_t end):
    cdef int64_t start, size
    if at < 0 or end - at <= LONGEST_FIXED:
        return None
    if data[at] == op.SHORT_BINUNICODE:
        start = at + 2
        size = data[at + 1]
    elif data[at] == op.BINUNICODE:
        start = at + 5
        size = uint4(data, at + 1)
    else:
        return None
    if size > LONG_TEXT or size > end - start:
        return None
    return _new_text(data + start, size)


cdef inline int64_t latin1_length(const unsigned char *data, int64_t at) noexcept:
    cdef int64_t size, start, i
    cdef int64_t length = 0
    if data[at] == op.SHORT_BINUNICODE:
        size = data[at + 1]
        start = at + 2
    elif data[at] == op.BINUNICODE:
        size = uint4(data, at + 1)
        start = at + 5
    else:
        return -1
    if size > LONG_TEXT:
        return -1
    for i in range(start, start + size):
        if data[i] > 0xC3:
            return -1
        length += (data[i] & 0xC0) != 0x80
    return length


cdef inline bint may_be_dunder(const unsigned char *data, int64_t at) noexcept:
    if data[at] == op.SHORT_BINUNICODE:
        return data[at + 1] >= 2 and data[at + 2] == 0x5F and data[at + 3] == 0x5F
    return True


cdef inline bint spells_latin1(const unsigned char *data, int64_t at) noexcept:
    if data[at] == op.SHORT_BINUNICODE:
        return data[at + 1] == 6 and memcmp(data + at + 2, b"latin1", 6) == 0
    return data[at] == op.BINUNICODE and uint4(data, at + 1) == 6 and memcmp(data + at + 5, b"latin1", 6) == 0


cdef inline list place_for_one():
    return [None]


# -- Nodes ---------------------------------------------------------------------------------------------------------------

cdef inline int64_t _numbered(Heap heap, int64_t depth, int flags) except -1:
    """The number of a new node of which nothing is written but how deep it is."""
    cdef Py_ssize_t number = heap.size
    cdef Py_ssize_t wanted
    if number == heap.node_room:
        wanted = heap.node_room * 2
        heap.depths = _grown(heap.depths, heap.node_room, wanted)
        heap.nodes = <Node *>_grown(
            <int64_t *>heap.nodes, heap.node_room * sizeof(Node) // sizeof(int64_t), wanted * sizeof(Node) // sizeof(int64_t)
        )
        heap.node_room = wanted
    heap.depths[number] = depth << _DEPTH | flags
    heap.size = number + 1
    return number


cdef inline int64_t _new_node(Heap heap, int64_t depth, int64_t start, int64_t count) except -1:
    cdef Py_ssize_t number = _numbered(heap, depth, 0)
    cdef Node *node = &heap.nodes[number]
    node.start = start
    node.count = count
    node.room = count
    node.flags = 0
    node.state = 0
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
    return _new_node(heap, depth, PyList_GET_SIZE(heap.records) - 1, -1) << SHIFT | kind


cdef inline int _fill_pool(Heap heap, int64_t start, list items, Py_ssize_t size) except -1:
    cdef Py_ssize_t i
    cdef int64_t code
    for i in range(size):
        if i >= PyList_GET_SIZE(items):  # what is no int may run anything on its way to become one
            _no_place("the items went away")
        code = items[i]
        heap.pool[start + i] = code
    return 0


cdef inline int64_t add_list(Heap heap, int kind, list items, int64_t depth) except -1:
    cdef Py_ssize_t size = len(items)  # which looks whether it is a list
    cdef int64_t start = _in_pool(heap, size)
    _fill_pool(heap, start, items, size)
    return _new_node(heap, depth, start, size) << SHIFT | kind


cdef inline int64_t collect(Heap heap, int kind, Py_ssize_t start, Py_ssize_t stop, int64_t depth) except -1:
    cdef Py_ssize_t size = stop - start
    cdef Py_ssize_t i
    cdef int64_t place
    if heap.is_light and (kind == LIST or kind == DICT or kind == SET):
        return _numbered(heap, depth, _BARE) << SHIFT | kind
    place = _in_pool(heap, size)
    if size <= 4:
        for i in range(size):
            heap.pool[place + i] = heap.stack[start + i]
    else:
        memcpy(heap.pool + place, heap.stack + start, size * sizeof(int64_t))
    return _new_node(heap, depth, place, size) << SHIFT | kind


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
    cdef Node *node = _node(heap, number)
    cdef Py_ssize_t size = stop - start
    _make_room(heap, node, size)
    memcpy(heap.pool + node.start + node.count, heap.stack + start, size * sizeof(int64_t))
    node.count += size
    return 0


cdef inline int extend_list(Heap heap, int64_t number, list items) except -1:
    cdef Node *node = _node(heap, number)
    cdef Py_ssize_t size = len(items)
    if node.count < 0:
        _no_such_thing("this node has a record, not items")
    _make_room(heap, node, size)
    _fill_pool(heap, node.start + node.count, items, size)
    _node(heap, number).count += size
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


cdef inline Node *_node(Heap heap, int64_t number) except NULL:
    if <uint64_t>number >= <uint64_t>heap.size or heap.depths[number] & _BARE:
        _no_place("no such node")
    return &heap.nodes[number]


cdef inline int64_t *_depth(Heap heap, int64_t number) except NULL:
    if <uint64_t>number >= <uint64_t>heap.size:
        _no_place("no such node")
    return &heap.depths[number]


cdef inline list codes(Heap heap, int64_t code):
    cdef Node *node = _node(heap, code >> SHIFT)
    if node.count < 0:
        _no_such_thing("this node has a record, not items")
    return _numbers(heap.pool + node.start, node.count)


cdef inline object record(Heap heap, int64_t code):
    cdef Node *node = _node(heap, code >> SHIFT)
    cdef Made made
    if node.count >= 0:
        _no_such_thing("this node has items, not a record")
    if node.count == -1:
        return heap.records[node.start]
    # It was made at a glance, and somebody wants to know.
    made = heap.new_made(<object>heap.origins[node.room], node.start, node.flags >> _SIZE, node.flags & _CALLED != 0)
    if node.state:
        made.state = node.state
        made.built = True
    heap.records.append(made)
    node.start = PyList_GET_SIZE(heap.records) - 1
    node.count = -1
    return made


cdef inline object global_of(Heap heap, int64_t code):
    cdef Node *node = _node(heap, code >> SHIFT)
    if node.count != -1:
        _no_such_thing("this node has no record")
    return heap.records[node.start]


cdef inline Made _made(Heap heap, Node *node):
    """The record of an object that has one."""
    if node.count != -1:
        _no_such_thing("this node has no record")
    return <Made?>heap.records[node.start]


cdef inline bint is_new(Heap heap, int64_t code) except -1:
    """Whether nothing has happened to an object since a listed name made it, without keywords."""
    cdef Node *node = _node(heap, code >> SHIFT)
    cdef Made made
    if node.count == -2:
        return not node.state
    made = _made(heap, node)
    return not (made.built or made.kwargs or made.filled or made.origin is None or PyList_GET_SIZE(made.fills))


cdef inline Global maker(Heap heap, int64_t code):
    cdef Node *node = _node(heap, code >> SHIFT)
    if node.count == -2:
        return heap.origins[node.room]
    return _made(heap, node).origin


cdef inline int64_t state_of(Heap heap, int64_t code) except -1:
    cdef Node *node = _node(heap, code >> SHIFT)
    return node.state if node.count == -2 else _made(heap, node).state


cdef inline int64_t args_of(Heap heap, int64_t code) except -1:
    cdef Node *node = _node(heap, code >> SHIFT)
    return node.start if node.count == -2 else _made(heap, node).args


cdef inline bint is_called(Heap heap, int64_t code) except -1:
    cdef Node *node = _node(heap, code >> SHIFT)
    return node.flags & _CALLED != 0 if node.count == -2 else _made(heap, node).called


cdef inline int build(Heap heap, int64_t code, int64_t state) except -1:
    cdef Node *node = _node(heap, code >> SHIFT)
    cdef Made made
    if node.count == -2:
        node.state = state
    else:
        made = _made(heap, node)
        made.built = True
        made.state = state
    return 0


cdef inline int note_state(Heap heap, int64_t number, bint slots) except -1:
    _node(heap, number).flags |= (_STATE | _SLOTS) if slots else _STATE
    return 0


cdef inline bint is_state(Heap heap, int64_t number) except -1:
    cdef bint is_bare = _depth(heap, number)[0] & _BARE != 0  # then the pass begins anew where states matter
    return not is_bare and heap.nodes[number].flags & _STATE != 0


cdef inline bint is_slots(Heap heap, int64_t number) except -1:
    return _node(heap, number).flags & _SLOTS != 0


cdef inline int64_t make(Heap heap, object origin, int64_t args, int64_t depth, int64_t size, bint called) except -1:
    cdef list origins = heap.origins
    cdef Py_ssize_t place = PyList_GET_SIZE(origins) - 1
    cdef int64_t number
    if place < 0 or origins[place] is not origin:
        origins.append(origin)
        place += 1
    number = _new_node(heap, depth, args, -2)
    heap.nodes[number].room = place
    heap.nodes[number].flags = size << _SIZE | (_CALLED if called else 0)
    return number << SHIFT | MADE


cdef inline int64_t count(Heap heap, int64_t code) except? -2:
    return _node(heap, code >> SHIFT).count


cdef inline int64_t item(Heap heap, int64_t code, int64_t index) except -1:
    cdef Node *node = _node(heap, code >> SHIFT)
    if index < 0 or index >= node.count:
        _no_place("no such item")
    return heap.pool[node.start + index]


cdef inline const int64_t *peek(Heap heap, int64_t code) except NULL:
    cdef Node *node = _node(heap, code >> SHIFT)
    if node.count < 0:
        _no_such_thing("this node has a record, not items")
    return heap.pool + node.start


cdef inline int64_t depth_of(Heap heap, int64_t number) except -1:
    return _depth(heap, number)[0] >> _DEPTH


cdef inline int set_depth(Heap heap, int64_t number, int64_t depth) except -1:
    cdef int64_t *place = _depth(heap, number)
    place[0] = depth << _DEPTH | (place[0] & (_LENT | _FROZEN | _BARE))
    return 0


cdef inline int64_t deepest(Heap heap, Py_ssize_t start, Py_ssize_t stop) noexcept:
    cdef int64_t found = 0
    cdef int64_t code, depth
    cdef Py_ssize_t i
    for i in range(start, stop):
        code = heap.stack[i]
        if code & KIND >= FIRST_NODE:
            depth = heap.depths[code >> SHIFT] >> _DEPTH
            if depth > found:
                found = depth
    return found


cdef inline int lend(Heap heap, int64_t number) except -1:
    _depth(heap, number)[0] |= _LENT


cdef inline bint is_lent(Heap heap, int64_t number) except -1:
    return _depth(heap, number)[0] & _LENT != 0


cdef inline int freeze(Heap heap, int64_t number) except -1:
    _depth(heap, number)[0] |= _FROZEN


cdef inline bint is_frozen(Heap heap, int64_t number) except -1:
    return _depth(heap, number)[0] & _FROZEN != 0


cdef inline int begin(Heap heap, bint light) except -1:
    """Of a light pass nothing is kept of lists, dicts and sets but how deep they are and who may hold them."""
    heap.is_light = light
    return 0


cdef inline Py_ssize_t nodes(Heap heap) noexcept:
    return heap.size


cdef inline dict memo_codes(Heap heap):
    cdef dict found = {}
    cdef Py_ssize_t i
    for i in range(heap.memo_room):
        if heap.memo[i]:
            found[i] = heap.memo[i]
    return found


cdef inline object held(Heap heap, int64_t number):
    if _node(heap, number).count < 0:
        return record(heap, number << SHIFT)
    return codes(heap, number << SHIFT)


cdef inline int64_t inner_lengths(Heap heap, int64_t code) except -1:
    cdef Node *node = _node(heap, code >> SHIFT)
    cdef int64_t total = 0
    cdef int64_t used = heap.longs_used
    cdef int64_t low = -1  # between these positions, which are long scalars or the ends, there are none
    cdef int64_t high = -1 if used else (<int64_t>1 << 62)
    cdef int64_t i, each, kind, at, place
    for i in range(node.count):
        each = heap.pool[node.start + i]
        kind = each & KIND
        if kind < FIRST_NODE:
            at = each >> SHIFT
            if low < at < high:
                continue
            place = _place_of_long(heap, at)
            if place < used and heap.longs[2 * place] == at:
                total += heap.longs[2 * place + 1]
                continue
            low = heap.longs[2 * place - 2] if place else -1
            high = heap.longs[2 * place] if place < used else (<int64_t>1 << 62)
        elif kind <= FROZENSET:
            total += _node(heap, each >> SHIFT).count
    return total


cdef inline int64_t _bulk(Heap heap, int64_t code) except -1:
    """What an object may have copied."""
    cdef Node *node = _node(heap, code >> SHIFT)
    cdef Made made
    if node.count == -2:
        return node.flags >> _SIZE
    made = _made(heap, node)
    return made.size + PyList_GET_SIZE(made.fills)


cdef inline int64_t handed(Heap heap, const unsigned char *data, int64_t code) except -2:
    cdef Node *node = _node(heap, code >> SHIFT)
    cdef bint some_long = has_longs(heap)
    cdef int64_t total = 0
    cdef int64_t largest = node.count
    heap.hands_containers = False
    cdef int64_t i, each, kind, size
    for i in range(node.count):
        each = heap.pool[node.start + i]
        kind = each & KIND
        if kind < FIRST_NODE:
            if not some_long or is_short(data, each >> SHIFT):
                continue
            size = long_size(heap, each >> SHIFT)
        elif kind <= FROZENSET:
            size = count(heap, each)
            if size > FEW_ITEMS or size < 0:
                return -1
            heap.hands_containers = True
            if kind == TUPLE or some_long:
                total += inner_lengths(heap, each)
        elif kind == MADE:
            size = _bulk(heap, each)
        elif kind == GLOBAL:
            continue
        else:
            return -1
        total += size
        if size > largest:
            largest = size
    heap.largest = largest
    return total


cdef inline int64_t met(Heap heap, int64_t code) except -2:
    cdef Node *node = _node(heap, code >> SHIFT)
    cdef Node *outer
    cdef Node *inner
    cdef int64_t total = 0
    cdef int64_t i, j, k, each
    for i in range(node.count):
        each = heap.pool[node.start + i]
        if each & KIND < FIRST_NODE or each & KIND > FROZENSET:
            continue
        outer = _node(heap, each >> SHIFT)
        total += 1
        for j in range(outer.count):
            total += 1
            each = heap.pool[outer.start + j]
            if each & KIND < FIRST_NODE or each & KIND > FROZENSET:
                continue
            inner = _node(heap, each >> SHIFT)
            if inner.count > FEW_ITEMS:
                return -1
            for k in range(inner.count):
                each = heap.pool[inner.start + k] & KIND
                if each >= FIRST_NODE and each <= FROZENSET:
                    return -1
            total += inner.count
    return total


cdef inline int64_t flat(Heap heap, int64_t code, int64_t seen) except -2:
    cdef Node *node = _node(heap, code >> SHIFT)
    cdef bint some_long = has_longs(heap)
    cdef int64_t i, each
    for i in range(seen, node.count):
        each = heap.pool[node.start + i]
        if each & KIND >= FIRST_NODE or (some_long and long_size(heap, each >> SHIFT)):
            return -1
    return node.count


cdef inline bint has_plain_keys(Heap heap, int64_t code) except -1:
    cdef Node *node = _node(heap, code >> SHIFT)
    cdef int64_t i
    for i in range(0, node.count, 2):
        if heap.pool[node.start + i] & KIND >= FIRST_NODE:
            return False
    return True


# -- Values --------------------------------------------------------------------------------------------------------------

cdef inline Stack new_stack():
    cdef Stack stack = Stack.__new__(Stack)
    stack.items = <PyObject **>PyMem_Malloc(FIRST_ROOM * sizeof(PyObject *))
    stack.marks = <Py_ssize_t *>PyMem_Malloc(FIRST_ROOM * sizeof(Py_ssize_t))
    if stack.items == NULL or stack.marks == NULL:
        raise MemoryError
    stack.room = FIRST_ROOM
    stack.marks_room = FIRST_ROOM
    return stack


cdef inline Stack new_marks(Stack stack):
    return stack


cdef inline Memo new_memo():
    return Memo.__new__(Memo)


cdef inline void free_stack(Stack stack):
    drop(stack, 0)
    _forget_recipes(stack)
    PyMem_Free(stack.recipes)
    PyMem_Free(stack.items)
    PyMem_Free(stack.marks)


cdef inline void free_memo(Memo memo):
    cdef Py_ssize_t i
    for i in range(memo.top):
        Py_XDECREF(memo.entries[i])
    PyMem_Free(memo.entries)


cdef inline int push(Stack stack, object value) except -1:
    if stack.size == stack.room:
        _more_room(&stack.items, &stack.room)
    Py_INCREF(value)
    stack.items[stack.size] = <PyObject *>value
    stack.size += 1
    return 0


cdef inline int _give(Stack stack, PyObject *value) except -1:
    """Push a new reference without counting it up."""
    if value == NULL:
        return -1
    if stack.size == stack.room and _more_room_for(value, &stack.items, &stack.room) < 0:
        return -1
    stack.items[stack.size] = value
    stack.size += 1
    return 0


cdef inline int drop(Stack stack, Py_ssize_t start) except -1:
    """Drop everything from `start` on, topmost first."""
    while stack.size > start:
        stack.size -= 1
        _drop_reference(stack.items[stack.size])
    return 0


cdef inline object pop(Stack stack):
    if stack.size < 1:
        _no_place("pop from an empty stack")
    stack.size -= 1
    value = <object>stack.items[stack.size]
    _drop_reference(stack.items[stack.size])
    return value


cdef inline object top(Stack stack):
    if stack.size < 1:
        _no_place("an empty stack has no top")
    return <object>stack.items[stack.size - 1]


cdef inline object at(Stack stack, Py_ssize_t place):
    if place < 0 or place >= stack.size:
        _no_place("not a place on the stack")
    return <object>stack.items[place]


cdef inline int replace_top(Stack stack, object value) except -1:
    if stack.size < 1:
        _no_place("an empty stack has no top")
    cdef PyObject *old = stack.items[stack.size - 1]
    Py_INCREF(value)
    stack.items[stack.size - 1] = <PyObject *>value
    _drop_reference(old)
    return 0


cdef inline Py_ssize_t height(Stack stack) noexcept:
    return stack.size


cdef inline Py_ssize_t base(Stack marks) noexcept:
    return marks.marks[marks.open_marks - 1] if marks.open_marks else 0


cdef inline int push_mark(Stack stack, Stack marks) except -1:
    cdef Py_ssize_t *grown
    if stack.open_marks == stack.marks_room:
        grown = <Py_ssize_t *>PyMem_Realloc(stack.marks, 2 * stack.marks_room * sizeof(Py_ssize_t))
        if grown == NULL:
            raise MemoryError
        stack.marks = grown
        stack.marks_room *= 2
    stack.marks[stack.open_marks] = stack.size
    stack.open_marks += 1
    return 0


cdef inline Py_ssize_t pop_mark(Stack marks) except -1:
    if marks.open_marks < 1:
        _no_place("no mark")
    marks.open_marks -= 1
    return marks.marks[marks.open_marks]


cdef inline int push_uint1(Stack stack, const unsigned char *data, Py_ssize_t pos) except -1:
    return _give(stack, _uint1(data[pos]))


cdef inline int push_uint2(Stack stack, const unsigned char *data, Py_ssize_t pos) except -1:
    return _give(stack, _long(data[pos] | data[pos + 1] << 8))


cdef inline int push_int4(Stack stack, const unsigned char *data, Py_ssize_t pos) except -1:
    return _give(stack, _long(<int>_uint4(data + pos)))


cdef inline int push_float8(Stack stack, const unsigned char *data, Py_ssize_t pos) except -1:
    return _give(stack, _float(_float8(data + pos)))


cdef inline int push_signed(Stack stack, const unsigned char *data, Py_ssize_t pos, Py_ssize_t size) except -1:
    return _give(stack, _signed(data + pos, size))


cdef inline int push_text(Stack stack, const unsigned char *data, Py_ssize_t pos, Py_ssize_t size) except -1:
    return _give(stack, _text(data + pos, size))


cdef inline int push_bytes(Stack stack, const unsigned char *data, Py_ssize_t pos, Py_ssize_t size) except -1:
    return _give(stack, _bytes(<const char *>data + pos, size))


cdef inline object new_bytearray(const unsigned char *data, int64_t pos, int64_t size):
    return _bytearray(<const char *>data + pos, size)


cdef inline int fold_tuple(Stack stack, Py_ssize_t start) except -1:
    """Put a tuple in the place of everything from `start` on."""
    if start < 0 or start > stack.size:
        _no_place("not a place on the stack")
    cdef PyObject *made = _tuple_take(stack.items + start, stack.size - start)
    if made == NULL:
        return -1
    stack.size = start
    return _give(stack, made)


cdef inline object pop_tuple(Stack stack, Py_ssize_t start):
    if start < 0 or start > stack.size:
        _no_place("not a place on the stack")
    cdef object made = _new_tuple_take(stack.items + start, stack.size - start)
    stack.size = start
    return made


cdef inline list pop_list(Stack stack, Py_ssize_t start):
    if start < 0 or start > stack.size:
        _no_place("not a place on the stack")
    cdef object made = _new_list_take(stack.items + start, stack.size - start)
    stack.size = start
    return made


cdef inline int extend_exact_list(object target, Stack stack, Py_ssize_t start) except -1:
    """Move everything from `start` on to the end of a list."""
    if start < 0 or start > stack.size:
        _no_place("not a place on the stack")
    cdef Py_ssize_t size = stack.size - start
    _list_take(target, stack.items + start, size)
    stack.size = start
    return 0


cdef inline bint harmless_keys(object target, Stack stack, Py_ssize_t start, Py_ssize_t step, Py_ssize_t most) noexcept:
    """Whether these keys keep a dict small, or are texts, whose hashes nobody chooses."""
    cdef Py_ssize_t i
    if PyDict_Size(target) + (stack.size - start) // step <= most:
        return True
    i = start
    while i < stack.size:
        if not PyUnicode_CheckExact(<object>stack.items[i]) and not PyBytes_CheckExact(<object>stack.items[i]):
            return False
        i += step
    return True


cdef inline int set_exact_dict(object target, Stack stack, Py_ssize_t start) except -1:
    """Set the pairs from `start` on in a dict, and drop them."""
    if start < 0 or start > stack.size or (stack.size - start) & 1:
        _no_place("not pairs on the stack")
    _set_pairs(target, stack.items + start, stack.size - start)
    return drop(stack, start)


cdef inline int put(Memo memo, Py_ssize_t index, Stack stack, Py_ssize_t dense) except -1:
    """Store the top under `index`; 1 if there was nothing before.  Up to `dense`, entries are kept in an array."""
    cdef PyObject **grown
    cdef PyObject *old
    cdef Py_ssize_t room
    value = top(stack)
    if index >= memo.room:
        if index > dense:
            if memo.far is None:
                memo.far = {}
            fresh = index not in memo.far
            memo.far[index] = value
            return fresh
        if memo.far is not None and index in memo.far:
            memo.far[index] = value
            return 0
        room = memo.room * 2
        if room < FIRST_ROOM:
            room = FIRST_ROOM
        if room <= index:
            room = index + 1
        grown = <PyObject **>PyMem_Realloc(memo.entries, room * sizeof(PyObject *))
        if grown == NULL:
            raise MemoryError
        memset(grown + memo.room, 0, (room - memo.room) * sizeof(PyObject *))
        memo.entries = grown
        memo.room = room
    old = memo.entries[index]
    if old == NULL and memo.far is not None and index in memo.far:
        memo.far[index] = value
        return 0
    Py_INCREF(value)
    memo.entries[index] = <PyObject *>value
    if index >= memo.top:
        memo.top = index + 1
    if old == NULL:
        return 1
    _drop_reference(old)
    return 0


cdef inline bint push_entry(Memo memo, Py_ssize_t index, Stack stack) except -1:
    """Push a memo entry; false if there is none."""
    if index < memo.room and memo.entries[index] != NULL:
        push(stack, <object>memo.entries[index])
        return True
    if memo.far is not None and index in memo.far:
        push(stack, memo.far[index])
        return True
    return False


cdef inline dict entries(Memo memo):
    cdef dict found = {}
    cdef Py_ssize_t i
    for i in range(memo.room):
        if memo.entries[i] != NULL:
            found[i] = <object>memo.entries[i]
    if memo.far is not None:
        found.update(memo.far)
    return found


cdef inline object looked_up(object cls, object name, object missing):
    """What a class's MRO has under a name, unbound."""
    cdef PyObject *found = _type_lookup(<PyTypeObject *>cls, name)
    if found == NULL:
        return missing
    return <object>found


cdef inline bint give_state(Stack stack, Py_ssize_t start, bint slots) except -1:
    """Give an instance the state whose pairs begin at `start`, where BUILD comes next, and drop it: false, with nothing
    done, where it is not the plain case.  Below the pairs are the dict made for them, None for slots, and the instance.
    """
    cdef Py_ssize_t place = start - 3 if slots else start - 2
    if place < 0 or start > stack.size:
        _no_place("no instance below a state")
    held = <object>stack.items[start - 1]
    if type(held) is not dict or PyDict_Size(held) or _references(held) != 2:  # the stack's and the one here
        return False
    if slots and stack.items[start - 2] != <PyObject *>None:
        return False
    if stack.recipes == NULL:
        stack.recipes = <Recipe *>PyMem_Malloc(_RECIPES * sizeof(Recipe))
        if stack.recipes == NULL:
            raise MemoryError
        memset(stack.recipes, 0, _RECIPES * sizeof(Recipe))
    stack.has_recipes = True
    if not _give_state(stack.recipes, <object>stack.items[place], stack.items + start, stack.size - start, slots):
        return False
    drop(stack, place + 1)
    return True


cdef inline void _forget_recipes(Stack stack):
    cdef Py_ssize_t i
    if stack.has_recipes:
        stack.has_recipes = False
        for i in range(_RECIPES):
            _forget_recipe(stack.recipes + i)


cdef inline int renew_stack(Stack stack) except -1:
    drop(stack, 0)
    _forget_recipes(stack)
    stack.open_marks = 0
    return 0


cdef inline int renew_memo(Memo memo) except -1:
    cdef Py_ssize_t i
    cdef PyObject *old
    for i in range(memo.top):
        old = memo.entries[i]
        if old != NULL:
            memo.entries[i] = NULL
            _drop_reference(old)
    memo.top = 0
    memo.far = None
    return 0


cdef inline bint is_small_memo(Stack stack, Memo memo) noexcept:
    return stack.room + stack.marks_room + memo.room <= _KEPT


cdef inline object new(object cls, object args):
    if type(args) is not tuple:
        args = tuple(args)
    return _new(cls, args)
