/* The innermost of `dumps`: appending to a bytearray, and the memo of a pickler.

   Compiled modules call these functions where interpreted ones call those of the same names in dumping.py, which say
   what each does; a test holds the two together.  They stand in C because that is where the time goes: a small value
   costs a comparison of types, a probe of the memo and a store of a few bytes, and no object is made.

   Rules:

   * Nothing here runs code of the objects that are pickled, except where references are dropped (dumping_clear); so a
     pointer into the buffer or the memo is never held while anything else runs.
   * A function that may fail returns -1 or NULL with an exception set.
   * The buffer is an ordinary bytearray.  Where its layout is known and one thread runs at a time, room beyond its end
     is used without a call; everywhere else PyByteArray_Resize is asked each time. */

#ifndef SAFEPICKLE_DUMPING_H
#define SAFEPICKLE_DUMPING_H

#include <Python.h>
#include <stdint.h>
#include <string.h>

#if PY_VERSION_HEX < 0x030C0000 && !defined(PYPY_VERSION)
#include <cpython/longintrepr.h>
#endif

#if defined(Py_GIL_DISABLED) || defined(PYPY_VERSION) || PY_VERSION_HEX >= 0x030F0000
#define DUMPING_OPEN_BYTEARRAY 0
#else
#define DUMPING_OPEN_BYTEARRAY 1
#endif

#if defined(__GNUC__)
#define DUMPING_COLD __attribute__((noinline, cold, unused))
#define DUMPING_UNUSED __attribute__((unused))
#define DUMPING_LIKELY(x) __builtin_expect(!!(x), 1)
#define DUMPING_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define DUMPING_COLD
#define DUMPING_UNUSED
#define DUMPING_LIKELY(x) (x)
#define DUMPING_UNLIKELY(x) (x)
#endif

/* Opcodes and sizes, as in opcodes.py and writer.py; test_dumping.py compares. */
enum {
    DUMPING_BINBYTES = 'B', DUMPING_SHORT_BINBYTES = 'C', DUMPING_BINFLOAT = 'G', DUMPING_BININT = 'J',
    DUMPING_BININT1 = 'K', DUMPING_BININT2 = 'M', DUMPING_NONE = 'N', DUMPING_BINUNICODE = 'X', DUMPING_BINGET = 'h',
    DUMPING_LONG_BINGET = 'j', DUMPING_BINPUT = 'q', DUMPING_LONG_BINPUT = 'r', DUMPING_NEWTRUE = 0x88,
    DUMPING_NEWFALSE = 0x89, DUMPING_LONG1 = 0x8a, DUMPING_SHORT_BINUNICODE = 0x8c, DUMPING_MEMOIZE = 0x94, DUMPING_FRAME = 0x95,
    DUMPING_STAGED = 2 * 1024,     /* a payload from this size on need not pass through the buffer */
    DUMPING_KEPT = 256 * 1024,     /* a buffer up to this size is kept for the next pickle */
    DUMPING_FIRST_SLOTS = 64,
    DUMPING_KEPT_SLOTS = 16 * 1024
};

/* The buffer */

static DUMPING_COLD unsigned char *
dumping_grow(PyObject *buffer, Py_ssize_t more)
{
    Py_ssize_t size = PyByteArray_GET_SIZE(buffer);
    if (more > PY_SSIZE_T_MAX / 2 - size) {
        PyErr_NoMemory();
        return NULL;
    }
#if DUMPING_OPEN_BYTEARRAY
    /* Half as much again, not twice: PyByteArray_Resize gives back what is more than half empty. */
    Py_ssize_t room = size + more + ((size + more) >> 1) + 256;
    if (PyByteArray_Resize(buffer, room) < 0) {
        return NULL;
    }
    Py_SET_SIZE((PyVarObject *)buffer, size + more);
#else
    if (PyByteArray_Resize(buffer, size + more) < 0) {
        return NULL;
    }
#endif
    return (unsigned char *)PyByteArray_AS_STRING(buffer) + size;
}

/* Makes the buffer `more` bytes longer and returns where they begin. */
static inline unsigned char *
dumping_room(PyObject *buffer, Py_ssize_t more)
{
#if DUMPING_OPEN_BYTEARRAY
    PyByteArrayObject *array = (PyByteArrayObject *)buffer;
    Py_ssize_t size = Py_SIZE(array);
    /* One byte of what is allocated is the NUL at the end; what lies before ob_start is given up. */
    if (DUMPING_LIKELY(more < array->ob_alloc - (array->ob_start - array->ob_bytes) - size)) {
        Py_SET_SIZE((PyVarObject *)array, size + more);
        return (unsigned char *)array->ob_start + size;
    }
#endif
    return dumping_grow(buffer, more);
}

static inline void
dumping_store4(unsigned char *at, uint32_t value)
{
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
    at[2] = (unsigned char)(value >> 16);
    at[3] = (unsigned char)(value >> 24);
}

static inline int
dumping_op(PyObject *buffer, int code)
{
    unsigned char *at = dumping_room(buffer, 1);
    if (DUMPING_UNLIKELY(at == NULL)) {
        return -1;
    }
    at[0] = (unsigned char)code;
    return 1;
}

static inline int
dumping_op1(PyObject *buffer, int code, int value)
{
    unsigned char *at = dumping_room(buffer, 2);
    if (DUMPING_UNLIKELY(at == NULL)) {
        return -1;
    }
    at[0] = (unsigned char)code;
    at[1] = (unsigned char)value;
    return 1;
}

static inline int
dumping_op4(PyObject *buffer, int code, uint32_t value)
{
    unsigned char *at = dumping_room(buffer, 5);
    if (DUMPING_UNLIKELY(at == NULL)) {
        return -1;
    }
    at[0] = (unsigned char)code;
    dumping_store4(at + 1, value);
    return 1;
}

DUMPING_UNUSED static int
dumping_extend(PyObject *buffer, PyObject *data)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    unsigned char *at = dumping_room(buffer, view.len);
    if (at != NULL && view.len > 0) {
        memcpy(at, view.buf, (size_t)view.len);
    }
    PyBuffer_Release(&view);
    return at == NULL ? -1 : 1;
}

DUMPING_UNUSED static int
dumping_skip(PyObject *buffer, Py_ssize_t size)
{
    unsigned char *at = dumping_room(buffer, size);
    if (at == NULL) {
        return -1;
    }
    memset(at, 0, (size_t)size);
    return 1;
}

static inline void
dumping_store_frame(unsigned char *at, Py_ssize_t size)
{
    at[0] = DUMPING_FRAME;
    dumping_store4(at + 1, (uint32_t)size);
    dumping_store4(at + 5, (uint32_t)((uint64_t)size >> 32));
}

/* Writes the header of a frame into the 9 bytes that were skipped for it. */
DUMPING_UNUSED static int
dumping_frame(PyObject *buffer, Py_ssize_t start, Py_ssize_t size)
{
    if (start < 0 || start > PyByteArray_GET_SIZE(buffer) - 9) {
        PyErr_SetString(PyExc_IndexError, "no room for the header of a frame");
        return -1;
    }
    dumping_store_frame((unsigned char *)PyByteArray_AS_STRING(buffer) + start, size);
    return 1;
}

/* Takes such 9 bytes away again. */
DUMPING_UNUSED static int
dumping_unskip(PyObject *buffer, Py_ssize_t start)
{
    Py_ssize_t size = PyByteArray_GET_SIZE(buffer);
    if (start < 0 || start > size - 9) {
        PyErr_SetString(PyExc_IndexError, "no room for the header of a frame");
        return -1;
    }
    char *at = PyByteArray_AS_STRING(buffer) + start;
    memmove(at, at + 9, (size_t)(size - start - 9));
#if DUMPING_OPEN_BYTEARRAY
    Py_SET_SIZE((PyVarObject *)buffer, size - 9);
    return 1;
#else
    return PyByteArray_Resize(buffer, size - 9) < 0 ? -1 : 1;
#endif
}

DUMPING_UNUSED static PyObject *
dumping_taken(PyObject *buffer)
{
    return PyBytes_FromStringAndSize(PyByteArray_AS_STRING(buffer), PyByteArray_GET_SIZE(buffer));
}

DUMPING_UNUSED static int
dumping_restart(PyObject *buffer)
{
#if DUMPING_OPEN_BYTEARRAY
    PyByteArrayObject *array = (PyByteArrayObject *)buffer;
    if (array->ob_exports == 0 && array->ob_alloc > 0 && array->ob_alloc <= DUMPING_KEPT) {
        array->ob_start = array->ob_bytes;
        array->ob_start[0] = '\0';
        Py_SET_SIZE((PyVarObject *)array, 0);
        return 1;
    }
#endif
    return PyByteArray_Resize(buffer, 0) < 0 ? -1 : 1;
}

/* What has left the buffer: one bytes object that grows, so that a large pickle is in memory once. */

typedef struct {
    PyObject *bytes; /* of which nobody else knows, or NULL */
    Py_ssize_t used;
} DumpingParts;

DUMPING_UNUSED static DumpingParts *
dumping_new_parts(void)
{
    DumpingParts *parts = PyMem_Calloc(1, sizeof(DumpingParts));
    if (parts == NULL) {
        PyErr_NoMemory();
    }
    return parts;
}

DUMPING_UNUSED static int
dumping_drop_parts(DumpingParts *parts)
{
    Py_CLEAR(parts->bytes);
    parts->used = 0;
    return 1;
}

DUMPING_UNUSED static void
dumping_free_parts(DumpingParts *parts)
{
    if (parts != NULL) {
        dumping_drop_parts(parts);
        PyMem_Free(parts);
    }
}

DUMPING_UNUSED static int
dumping_any_parts(DumpingParts *parts)
{
    return parts->bytes != NULL;
}

/* Makes the parts `more` bytes longer and returns where they begin.  They grow by a quarter at a time: what a block at
   the end of the heap grows by is rarely copied, and what is never used is never touched. */
static inline unsigned char *
dumping_more_parts(DumpingParts *parts, Py_ssize_t more)
{
    Py_ssize_t used = parts->used;
    if (more > PY_SSIZE_T_MAX / 4 - used) {
        PyErr_NoMemory();
        return NULL;
    }
    if (parts->bytes == NULL) {
        parts->bytes = PyBytes_FromStringAndSize(NULL, more + more / 4);
        if (parts->bytes == NULL) {
            return NULL;
        }
    }
    else if (PyBytes_GET_SIZE(parts->bytes) - used < more
             && _PyBytes_Resize(&parts->bytes, (used + more) / 4 * 5 + 4) < 0) {
        parts->used = 0; /* the bytes are gone, too */
        return NULL;
    }
    parts->used = used + more;
    return (unsigned char *)PyBytes_AS_STRING(parts->bytes) + used;
}

DUMPING_UNUSED static int
dumping_add_part(DumpingParts *parts, PyObject *data)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    unsigned char *at = dumping_more_parts(parts, view.len);
    if (at != NULL && view.len > 0) {
        memcpy(at, view.buf, (size_t)view.len);
    }
    PyBuffer_Release(&view);
    return at == NULL ? -1 : 1;
}

/* What is in the buffer becomes a part; with the header of a frame in it, at `start`, that becomes a hole. */
DUMPING_UNUSED static Py_ssize_t
dumping_add_buffer(DumpingParts *parts, PyObject *buffer, Py_ssize_t start)
{
    Py_ssize_t used = parts->used;
    if (dumping_add_part(parts, buffer) < 0 || dumping_restart(buffer) < 0) {
        return -1;
    }
    return start < 0 ? 0 : used + start;
}

DUMPING_UNUSED static int
dumping_fill_hole(DumpingParts *parts, Py_ssize_t hole, Py_ssize_t size)
{
    if (hole < 0 || hole > parts->used - 9) {
        PyErr_SetString(PyExc_IndexError, "no room for the header of a frame");
        return -1;
    }
    dumping_store_frame((unsigned char *)PyBytes_AS_STRING(parts->bytes) + hole, size);
    return 1;
}

/* All that was added, as one; afterwards there is nothing. */
DUMPING_UNUSED static PyObject *
dumping_joined(DumpingParts *parts)
{
    PyObject *bytes = parts->bytes;
    Py_ssize_t used = parts->used;
    parts->bytes = NULL;
    parts->used = 0;
    if (bytes == NULL) {
        return PyBytes_FromStringAndSize(NULL, 0);
    }
    _PyBytes_Resize(&bytes, used); /* NULL and an exception if it fails */
    return bytes;
}

/* The memo: entries in the order in which they came, and a table of slots that finds them.  A slot is 0 while it is
   empty; otherwise it holds the entry's number and 1 in its lower half, bits of the address in its upper one, so that
   a probe that misses need not look at the entry. */

typedef struct {
    PyObject *object;
    Py_ssize_t index;
} DumpingEntry;

typedef struct {
    DumpingEntry *entries;
    uint64_t *slots;
    size_t mask;              /* of the slots in use */
    size_t slots_made;        /* at least mask + 1 */
    Py_ssize_t size;
    Py_ssize_t room;
    Py_ssize_t handed_over;   /* so many entries' references belong to a list, where the garbage collector sees them */
} DumpingMemo;

#define DUMPING_ABSENT PY_SSIZE_T_MIN

/* Neighbours in memory stay neighbours in the table, and pages are scattered over it: objects are mostly written in
   the order in which they were made.  The product is taken from its middle: its lowest bits depend on few of the
   page's, and a table that is searched slot by slot does not survive that. */
static inline size_t
dumping_place(PyObject *object)
{
    uint64_t address = (uint64_t)(uintptr_t)object >> 4;
    return (size_t)((address & 0xFF) ^ (((address >> 8) * UINT64_C(0x9E3779B97F4A7C15)) >> 32));
}

static inline uint64_t
dumping_tag(PyObject *object)
{
    return ((uint64_t)(uintptr_t)object >> 4) << 32;
}

/* The entry of an object, or NULL; `*slot` is then the empty slot where it belongs. */
static inline DumpingEntry *
dumping_entry(DumpingMemo *memo, PyObject *object, size_t *slot)
{
    size_t mask = memo->mask;
    size_t place = dumping_place(object) & mask;
    uint64_t tag = dumping_tag(object);
    uint64_t found;
    while ((found = memo->slots[place]) != 0) {
        if ((found ^ tag) >> 32 == 0) {
            DumpingEntry *entry = &memo->entries[(uint32_t)found - 1];
            if (DUMPING_LIKELY(entry->object == object)) {
                return entry;
            }
        }
        place = (place + 1) & mask;
    }
    *slot = place;
    return NULL;
}

static inline void
dumping_fill_slots(DumpingMemo *memo)
{
    size_t mask = memo->mask;
    for (Py_ssize_t number = 0; number < memo->size; number++) {
        PyObject *object = memo->entries[number].object;
        size_t place = dumping_place(object) & mask;
        while (memo->slots[place] != 0) {
            place = (place + 1) & mask;
        }
        memo->slots[place] = dumping_tag(object) | (uint64_t)(number + 1);
    }
}

/* Four times as many slots, later twice. */
static DUMPING_COLD int
dumping_more_slots(DumpingMemo *memo)
{
    size_t count = (memo->mask + 1) * (memo->mask < 100000 ? 4 : 2);
    if (count > memo->slots_made) {
        if (count > PY_SSIZE_T_MAX / sizeof(uint64_t) || memo->size >= UINT32_MAX - 1) {
            PyErr_NoMemory();
            return -1;
        }
        uint64_t *slots = PyMem_Calloc(count, sizeof(uint64_t));
        if (slots == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        PyMem_Free(memo->slots);
        memo->slots = slots;
        memo->slots_made = count;
    }
    else {
        memset(memo->slots, 0, count * sizeof(uint64_t));
    }
    memo->mask = count - 1;
    dumping_fill_slots(memo);
    return 1;
}

static DUMPING_COLD int
dumping_more_entries(DumpingMemo *memo)
{
    Py_ssize_t room = memo->room ? memo->room * 2 : DUMPING_FIRST_SLOTS / 2;
    DumpingEntry *entries = PyMem_Realloc(memo->entries, (size_t)room * sizeof(DumpingEntry));
    if (entries == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memo->entries = entries;
    memo->room = room;
    return 1;
}

/* A new entry in an empty slot that dumping_entry has found. */
static inline int
dumping_add(DumpingMemo *memo, PyObject *object, Py_ssize_t index, size_t slot)
{
    if (DUMPING_UNLIKELY(memo->size == memo->room) && dumping_more_entries(memo) < 0) {
        return -1;
    }
    if (DUMPING_UNLIKELY((size_t)memo->size * 2 >= memo->mask)) {
        if (dumping_more_slots(memo) < 0) {
            return -1;
        }
        dumping_entry(memo, object, &slot);
    }
    memo->entries[memo->size].object = Py_NewRef(object);
    memo->entries[memo->size].index = index;
    memo->size++;
    memo->slots[slot] = dumping_tag(object) | (uint64_t)memo->size;
    return 1;
}

DUMPING_UNUSED static DumpingMemo *
dumping_new_memo(void)
{
    DumpingMemo *memo = PyMem_Calloc(1, sizeof(DumpingMemo));
    if (memo == NULL || (memo->slots = PyMem_Calloc(DUMPING_FIRST_SLOTS, sizeof(uint64_t))) == NULL) {
        PyMem_Free(memo);
        PyErr_NoMemory();
        return NULL;
    }
    memo->slots_made = DUMPING_FIRST_SLOTS;
    memo->mask = DUMPING_FIRST_SLOTS - 1;
    return memo;
}

/* Forgets all entries.  To drop a reference may run anything, this memo's own pickler included: by then the memo is
   empty and has let go of the entries. */
DUMPING_UNUSED static int
dumping_clear(DumpingMemo *memo)
{
    if (memo->size == 0) {
        return 1;
    }
    DumpingEntry *entries = memo->entries;
    Py_ssize_t size = memo->size, room = memo->room, first = memo->handed_over;
    memo->entries = NULL;
    memo->size = memo->room = memo->handed_over = 0;
    memset(memo->slots, 0, (memo->mask + 1) * sizeof(uint64_t));
    memo->mask = DUMPING_FIRST_SLOTS - 1;
    if (memo->slots_made > DUMPING_KEPT_SLOTS) {
        uint64_t *slots = PyMem_Calloc(DUMPING_FIRST_SLOTS, sizeof(uint64_t));
        if (slots != NULL) {
            PyMem_Free(memo->slots);
            memo->slots = slots;
            memo->slots_made = DUMPING_FIRST_SLOTS;
        }
    }
    for (Py_ssize_t number = first; number < size; number++) {
        Py_DECREF(entries[number].object);
    }
    if (memo->entries == NULL && room <= DUMPING_KEPT_SLOTS) {
        memo->entries = entries;
        memo->room = room;
    }
    else {
        PyMem_Free(entries);
    }
    return 1;
}

DUMPING_UNUSED static void
dumping_free_memo(DumpingMemo *memo)
{
    if (memo != NULL) {
        dumping_clear(memo);
        PyMem_Free(memo->entries);
        PyMem_Free(memo->slots);
        PyMem_Free(memo);
    }
}

DUMPING_UNUSED static Py_ssize_t
dumping_size(DumpingMemo *memo)
{
    return memo->size;
}

DUMPING_UNUSED static Py_ssize_t
dumping_find(DumpingMemo *memo, PyObject *object)
{
    size_t slot;
    DumpingEntry *entry = dumping_entry(memo, object, &slot);
    return entry == NULL ? DUMPING_ABSENT : entry->index;
}

static inline int
dumping_set(DumpingMemo *memo, PyObject *object, Py_ssize_t index)
{
    size_t slot;
    DumpingEntry *entry = dumping_entry(memo, object, &slot);
    if (entry != NULL) {
        entry->index = index;
        return 1;
    }
    return dumping_add(memo, object, index, slot);
}

DUMPING_UNUSED static Py_ssize_t
dumping_remember(DumpingMemo *memo, PyObject *object)
{
    Py_ssize_t index = memo->size;
    return dumping_set(memo, object, index) < 0 ? -1 : index;
}

DUMPING_UNUSED static PyObject *
dumping_as_dict(DumpingMemo *memo)
{
    PyObject *copy = PyDict_New();
    if (copy == NULL) {
        return NULL;
    }
    /* Making an object may start the garbage collector, and that may run anything: each entry is read anew. */
    for (Py_ssize_t number = 0; number < memo->size; number++) {
        PyObject *object = Py_NewRef(memo->entries[number].object);
        PyObject *key = PyLong_FromVoidPtr(object);
        PyObject *value = Py_BuildValue("nO", memo->entries[number].index, object);
        int failed = key == NULL || value == NULL || PyDict_SetItem(copy, key, value) < 0;
        Py_XDECREF(key);
        Py_XDECREF(value);
        Py_DECREF(object);
        if (failed) {
            Py_DECREF(copy);
            return NULL;
        }
    }
    return copy;
}

/* Gives the references that the memo still holds itself to a list. */
DUMPING_UNUSED static int
dumping_hand_over(DumpingMemo *memo, PyObject *list)
{
    while (memo->handed_over < memo->size) {
        PyObject *object = memo->entries[memo->handed_over].object;
        if (PyList_Append(list, object) < 0) {
            return -1;
        }
        memo->handed_over++;
        Py_DECREF(object); /* not the last one: the list has it */
    }
    return 1;
}

/* Opcodes with the memo.  Binary protocols only: the text ones are the writer's. */

static inline int
dumping_get(PyObject *buffer, Py_ssize_t index)
{
    if (index <= 0xFF) {
        return dumping_op1(buffer, DUMPING_BINGET, (int)(index & 0xFF));
    }
    if ((uint64_t)index > UINT32_MAX) {
        return 0;
    }
    return dumping_op4(buffer, DUMPING_LONG_BINGET, (uint32_t)index);
}

static inline int
dumping_put(PyObject *buffer, Py_ssize_t index, int protocol)
{
    if (protocol >= 4) {
        return dumping_op(buffer, DUMPING_MEMOIZE);
    }
    if (index <= 0xFF) {
        return dumping_op1(buffer, DUMPING_BINPUT, (int)index);
    }
    return dumping_op4(buffer, DUMPING_LONG_BINPUT, (uint32_t)index);
}

static inline int
dumping_again(PyObject *buffer, DumpingMemo *memo, PyObject *object, int binary)
{
    size_t slot;
    DumpingEntry *entry = dumping_entry(memo, object, &slot);
    if (entry == NULL) {
        return 0;
    }
    int done = binary ? dumping_get(buffer, entry->index) : 0;
    return done == 0 ? 2 : done;
}

static inline int
dumping_keep(PyObject *buffer, DumpingMemo *memo, PyObject *object, int protocol)
{
    Py_ssize_t index = memo->size;
    if (dumping_set(memo, object, index) < 0) {
        return -1;
    }
    return dumping_put(buffer, index, protocol);
}

/* Values that contain no others */

/* An int of five to eight bytes, as many as its two's complement needs. */
static DUMPING_COLD int
dumping_long(PyObject *buffer, long long value)
{
    uint64_t magnitude = value < 0 ? ~(uint64_t)value : (uint64_t)value;
    int size = 5;
    while (size < 8 && magnitude >> (8 * size - 1) != 0) {
        size++;
    }
    unsigned char *at = dumping_room(buffer, 2 + size);
    if (at == NULL) {
        return -1;
    }
    at[0] = DUMPING_LONG1;
    at[1] = (unsigned char)size;
    for (int number = 0; number < size; number++) {
        at[2 + number] = (unsigned char)((uint64_t)value >> (8 * number));
    }
    return 1;
}

static inline int
dumping_integer(PyObject *buffer, PyObject *object, int protocol)
{
    long long value;
    int overflow = 0;
#if defined(PYPY_VERSION)
    value = PyLong_AsLongLongAndOverflow(object, &overflow);
#elif PY_VERSION_HEX >= 0x030C0000
    if (DUMPING_LIKELY(PyUnstable_Long_IsCompact((PyLongObject *)object))) {
        value = PyUnstable_Long_CompactValue((PyLongObject *)object);
    }
    else {
        value = PyLong_AsLongLongAndOverflow(object, &overflow);
    }
#else
    Py_ssize_t digits = Py_SIZE(object);
    if (DUMPING_LIKELY(digits >= -1 && digits <= 1)) {
        value = (long long)digits * (long long)((PyLongObject *)object)->ob_digit[0];
    }
    else {
        value = PyLong_AsLongLongAndOverflow(object, &overflow);
    }
#endif
    if (DUMPING_UNLIKELY(overflow || value < INT32_MIN || value > INT32_MAX)) {
        return overflow || protocol < 2 ? 0 : dumping_long(buffer, value);
    }
    if (value >= 0 && value <= 0xFF) {
        return dumping_op1(buffer, DUMPING_BININT1, (int)value);
    }
    if (value >= 0 && value <= 0xFFFF) {
        unsigned char *at = dumping_room(buffer, 3);
        if (DUMPING_UNLIKELY(at == NULL)) {
            return -1;
        }
        at[0] = DUMPING_BININT2;
        at[1] = (unsigned char)value;
        at[2] = (unsigned char)(value >> 8);
        return 1;
    }
    return dumping_op4(buffer, DUMPING_BININT, (uint32_t)(int32_t)value);
}

static inline int
dumping_floating(PyObject *buffer, PyObject *object)
{
    double value = PyFloat_AS_DOUBLE(object);
    unsigned char *at = dumping_room(buffer, 9);
    if (DUMPING_UNLIKELY(at == NULL)) {
        return -1;
    }
    at[0] = DUMPING_BINFLOAT;
#if defined(__GNUC__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = __builtin_bswap64(bits);
    memcpy(at + 1, &bits, sizeof bits);
    return 1;
#else
    return PyFloat_Pack8(value, (char *)at + 1, 0) < 0 ? -1 : 1;
#endif
}

/* A counted payload of less than 2 KiB, and its place in the memo. */
static inline int
dumping_payload(PyObject *buffer, DumpingMemo *memo, PyObject *object, const char *data, Py_ssize_t size, int brief,
                int code, int protocol, size_t slot)
{
    unsigned char *at;
    Py_ssize_t header = brief ? 2 : 5;
    /* What MEMOIZE takes is reserved with the rest. */
    at = dumping_room(buffer, header + size + (protocol >= 4));
    if (DUMPING_UNLIKELY(at == NULL)) {
        return -1;
    }
    at[0] = (unsigned char)code;
    if (brief) {
        at[1] = (unsigned char)size;
    }
    else {
        dumping_store4(at + 1, (uint32_t)size);
    }
    at += header;
    memcpy(at, data, (size_t)size);
    Py_ssize_t index = memo->size;
    if (dumping_add(memo, object, index, slot) < 0) {
        return -1;
    }
    if (protocol >= 4) {
        at[size] = DUMPING_MEMOIZE;
        return 1;
    }
    return dumping_put(buffer, index, protocol);
}

static inline int
dumping_text(PyObject *buffer, DumpingMemo *memo, PyObject *object, int protocol)
{
    size_t slot;
    DumpingEntry *entry = dumping_entry(memo, object, &slot);
    if (entry != NULL) {
        return dumping_get(buffer, entry->index);
    }
    const char *data;
    Py_ssize_t size;
    if (DUMPING_LIKELY(PyUnicode_IS_COMPACT_ASCII(object))) {
        data = (const char *)PyUnicode_DATA(object);
        size = PyUnicode_GET_LENGTH(object);
    }
    else {
        data = PyUnicode_AsUTF8AndSize(object, &size);
        if (data == NULL) {
            if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
                return -1;
            }
            PyErr_Clear(); /* lone surrogates */
            return 0;
        }
    }
    if (size >= DUMPING_STAGED) {
        return 0;
    }
    int brief = size <= 0xFF && protocol >= 4;
    return dumping_payload(buffer, memo, object, data, size, brief,
                           brief ? DUMPING_SHORT_BINUNICODE : DUMPING_BINUNICODE, protocol, slot);
}

static inline int
dumping_byte_string(PyObject *buffer, DumpingMemo *memo, PyObject *object, int protocol)
{
    size_t slot;
    DumpingEntry *entry = dumping_entry(memo, object, &slot);
    if (entry != NULL) {
        return dumping_get(buffer, entry->index);
    }
    Py_ssize_t size = PyBytes_GET_SIZE(object);
    if (size >= DUMPING_STAGED) {
        return 0;
    }
    int brief = size <= 0xFF;
    return dumping_payload(buffer, memo, object, PyBytes_AS_STRING(object), size, brief,
                           brief ? DUMPING_SHORT_BINBYTES : DUMPING_BINBYTES, protocol, slot);
}

/* Whether a PickleBuffer may not be written to; -1 with an error set where it is released or not contiguous. */
static inline int
dumping_is_readonly(PyObject *buffer)
{
    const Py_buffer *view = PyPickleBuffer_GetBuffer(buffer);
    if (view == NULL) {
        return -1;
    }
    if (!PyBuffer_IsContiguous(view, 'A')) {
        PyErr_SetString(PyExc_BufferError, "cannot extract raw buffer from non-contiguous buffer");
        return -1;
    }
    return view->readonly != 0;
}

static inline int
dumping_atom(PyObject *buffer, DumpingMemo *memo, PyObject *object, Py_ssize_t limit, int protocol)
{
    PyTypeObject *kind = Py_TYPE(object);
    if (DUMPING_UNLIKELY(PyByteArray_GET_SIZE(buffer) >= limit)) {
        return 0;
    }
    if (kind == &PyUnicode_Type) {
        return dumping_text(buffer, memo, object, protocol);
    }
    if (kind == &PyLong_Type) {
        return dumping_integer(buffer, object, protocol);
    }
    if (kind == &PyFloat_Type) {
        return dumping_floating(buffer, object);
    }
    if (object == Py_None) {
        return dumping_op(buffer, DUMPING_NONE);
    }
    if (kind == &PyBool_Type && protocol >= 2) {
        return dumping_op(buffer, object == Py_True ? DUMPING_NEWTRUE : DUMPING_NEWFALSE);
    }
    if (kind == &PyBytes_Type && protocol >= 3) {
        return dumping_byte_string(buffer, memo, object, protocol);
    }
    return 0;
}

#endif
