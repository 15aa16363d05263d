/* What Cython cannot say as well as C: the few loops that meet every byte of a text.

   Rules: each has a Python twin in loading.py; each may answer "not me" (-1), and then the reader decides; none reads at
   or behind `end`; a length test is written `size > end - pos`, so no sum can overflow. */

#ifndef SAFEPICKLE_LOADING_H
#define SAFEPICKLE_LOADING_H

#include <Python.h>
#include <structmember.h>
#include <stdint.h>
#include <string.h>

/* Texts from this length on are the reader's: from a file they are read into their own object. */
#define SP_LARGE (64 * 1024)

/* Whether `size` bytes are UTF-8 as pickle reads it: lone surrogates pass, overlong forms and what is above U+10FFFF
   do not. */
static inline int
sp_is_utf8(const unsigned char *p, int64_t size)
{
    int64_t i = 0;
    while (i < size) {
        if (size - i >= 8) {
            uint64_t word;
            memcpy(&word, p + i, 8);
            if (!(word & UINT64_C(0x8080808080808080))) {
                i += 8;
                continue;
            }
        }
        unsigned char c = p[i];
        if (c < 0x80) {
            i += 1;
        }
        else if (c < 0xC2) {
            return 0;
        }
        else if (c < 0xE0) {
            if (2 > size - i || (p[i + 1] & 0xC0) != 0x80)
                return 0;
            i += 2;
        }
        else if (c < 0xF0) {
            if (3 > size - i || (p[i + 1] & 0xC0) != 0x80 || (p[i + 2] & 0xC0) != 0x80)
                return 0;
            if (c == 0xE0 && p[i + 1] < 0xA0)
                return 0;
            i += 3;
        }
        else if (c < 0xF5) {
            if (4 > size - i || (p[i + 1] & 0xC0) != 0x80 || (p[i + 2] & 0xC0) != 0x80 || (p[i + 3] & 0xC0) != 0x80)
                return 0;
            if ((c == 0xF0 && p[i + 1] < 0x90) || (c == 0xF4 && p[i + 1] > 0x8F))
                return 0;
            i += 4;
        }
        else {
            return 0;
        }
    }
    return 1;
}

/* Where a counted UTF-8 text ends whose length, of `width` bytes, stands at `pos`; -1 where it is not all here, is
   large, is not UTF-8, or may be a name that attributes are looked up by. */
static inline int64_t
sp_text_stop(const unsigned char *p, int64_t pos, int64_t end, int width)
{
    uint64_t size;
    if (width > end - pos)
        return -1;
    if (width == 1) {
        size = p[pos];
    }
    else if (width == 4) {
        size = (uint64_t)p[pos] | (uint64_t)p[pos + 1] << 8 | (uint64_t)p[pos + 2] << 16 | (uint64_t)p[pos + 3] << 24;
    }
    else {
        return -1;
    }
    pos += width;
    if (size >= SP_LARGE || (int64_t)size > end - pos)
        return -1;
    if (size >= 2) {
        const unsigned char *t = p + pos;
        if (t[0] == '_' && t[1] == '_')
            return -1;
        if (size == 3 && t[0] == 'a' && t[1] == 'd' && t[2] == 'd')
            return -1;
        if (size == 6 && (!memcmp(t, "append", 6) || !memcmp(t, "extend", 6)))
            return -1;
    }
    if (!sp_is_utf8(p + pos, (int64_t)size))
        return -1;
    return pos + (int64_t)size;
}

/* -- Values: references are handed over, not counted up and down ----------------------------------------------------- */

/* Text of `size` bytes; NULL with an error set. */
static inline PyObject *
sp_text(const unsigned char *p, Py_ssize_t size)
{
    Py_ssize_t i = 0;
    if (size > 1 && size < 256) {
        for (; size - i >= 8; i += 8) {
            uint64_t word;
            memcpy(&word, p + i, 8);
            if (word & UINT64_C(0x8080808080808080))
                break;
        }
        while (i < size && p[i] < 0x80)
            i++;
        if (i == size) {
            PyObject *text = PyUnicode_New(size, 127);
            if (text != NULL)
                memcpy(PyUnicode_1BYTE_DATA(text), p, size);
            return text;
        }
    }
    return PyUnicode_DecodeUTF8((const char *)p, size, "surrogatepass");
}

/* The int of up to 255 bytes in two's complement, little-endian. */
static inline PyObject *
sp_signed(const unsigned char *p, Py_ssize_t size)
{
    uint64_t bits = 0;
    if (size == 0)
        return PyLong_FromLong(0);
    if (size > 8)
        return _PyLong_FromByteArray(p, (size_t)size, 1, 1);
    if (p[size - 1] & 0x80)
        bits = ~UINT64_C(0);
    for (Py_ssize_t i = size - 1; i >= 0; i--)
        bits = bits << 8 | p[i];
    return PyLong_FromLongLong((long long)bits);
}

static inline double
sp_float8(const unsigned char *p)
{
    uint64_t bits = 0;
    double value;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | p[i];
    memcpy(&value, &bits, 8);
    return value;
}

static inline uint32_t
sp_uint4(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Hand `count` references over to the end of a list; on failure they stay the caller's. */
static inline int
sp_list_take(PyObject *list, PyObject **items, Py_ssize_t count)
{
#if defined(Py_GIL_DISABLED) || defined(PYPY_VERSION) || defined(Py_LIMITED_API)
    for (Py_ssize_t i = 0; i < count; i++) {
        if (PyList_Append(list, items[i]) < 0) {
            if (i)
                PyList_SetSlice(list, PyList_GET_SIZE(list) - i, PyList_GET_SIZE(list), NULL);
            return -1;
        }
    }
    for (Py_ssize_t i = 0; i < count; i++)
        Py_DECREF(items[i]);
#else
    PyListObject *self = (PyListObject *)list;
    Py_ssize_t size = PyList_GET_SIZE(list);
    if (count == 0)
        return 0;
    if (count > self->allocated - size) {
        Py_ssize_t wanted = size + count + (size ? size >> 3 : 0);
        PyObject **grown;
        if ((size_t)wanted > PY_SSIZE_T_MAX / sizeof(PyObject *)) {
            PyErr_NoMemory();
            return -1;
        }
        grown = (PyObject **)PyMem_Realloc(self->ob_item, wanted * sizeof(PyObject *));
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->ob_item = grown;
        self->allocated = wanted;
    }
    memcpy(self->ob_item + size, items, count * sizeof(PyObject *));
    Py_SET_SIZE(self, size + count);
#endif
    return 0;
}

/* A tuple of `count` references, which it takes over; NULL with an error set, and then they stay the caller's. */
static inline PyObject *
sp_tuple_take(PyObject **items, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    if (tuple != NULL)
        for (Py_ssize_t i = 0; i < count; i++)
            PyTuple_SET_ITEM(tuple, i, items[i]);
    return tuple;
}

/* A list of `count` references, which it takes over; NULL with an error set, and then they stay the caller's. */
static inline PyObject *
sp_new_list_take(PyObject **items, Py_ssize_t count)
{
    PyObject *list = PyList_New(count);
    if (list != NULL)
        for (Py_ssize_t i = 0; i < count; i++)
            PyList_SET_ITEM(list, i, items[i]);
    return list;
}

/* What is kept in a list of one, which is emptied; None where nothing is.  Where threads run side by side nothing is
   ever kept. */
static inline PyObject *
sp_take(PyObject *place)
{
#ifdef Py_GIL_DISABLED
    Py_RETURN_NONE;
#else
    PyObject *kept = PyList_GET_ITEM(place, 0);
    PyList_SET_ITEM(place, 0, Py_NewRef(Py_None));
    return kept;
#endif
}

static inline int
sp_keep(PyObject *place, PyObject *value)
{
#ifdef Py_GIL_DISABLED
    return 0;
#else
    return PyList_SetItem(place, 0, Py_NewRef(value));
#endif
}

static inline int
sp_set_pairs(PyObject *dict, PyObject **items, Py_ssize_t size)
{
    for (Py_ssize_t i = 0; i + 1 < size; i += 2)
        if (PyDict_SetItem(dict, items[i], items[i + 1]) < 0)
            return -1;
    return 0;
}

/* The int of one byte: one of those that the interpreter keeps, remembered so that it need not be asked for. */
static inline PyObject *
sp_uint1(unsigned char value)
{
#if defined(Py_GIL_DISABLED) || defined(PYPY_VERSION)
    return PyLong_FromLong(value);
#else
    static PyObject *kept[256];
    PyObject *number = kept[value];
    if (number == NULL) {
        number = PyLong_FromLong(value);
        if (number == NULL)
            return NULL;
        kept[value] = Py_NewRef(number);
        return number;
    }
    return Py_NewRef(number);
#endif
}

/* Errors that a caller's mistake would raise, kept out of the way of those that make none. */
#if defined(__GNUC__)
#define SP_SELDOM __attribute__((cold, noinline, unused))
#else
#define SP_SELDOM
#endif

SP_SELDOM static int
sp_no_place(const char *message)
{
    PyErr_SetString(PyExc_IndexError, message);
    return -1;
}

SP_SELDOM static int
sp_no_such_thing(const char *message)
{
    PyErr_SetString(PyExc_TypeError, message);
    return -1;
}

/* Room for twice as many references. */
SP_SELDOM static int
sp_more_room(PyObject ***items, Py_ssize_t *room)
{
    PyObject **grown = (PyObject **)PyMem_Realloc(*items, 2 * (size_t)*room * sizeof(PyObject *));
    if (grown == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *items = grown;
    *room *= 2;
    return 0;
}

/* The same, for a value that is let go if there is none. */
SP_SELDOM static int
sp_more_room_for(PyObject *value, PyObject ***items, Py_ssize_t *room)
{
    if (sp_more_room(items, room) == 0)
        return 0;
    Py_DECREF(value);
    return -1;
}

/* Where a name is remembered that is spelled by two short counted texts, at `module` and `name`; -1 for others. */
#define SP_NAME_PLACES 64
static inline int64_t
sp_name_place(const unsigned char *data, int64_t module, int64_t name, int64_t end)
{
    int64_t last = end - 9;
    unsigned mixed, size, above;
    if (module < 0 || module >= last || data[module] != 0x8c || data[module + 1] > end - module - 2
        || name < 0 || name >= last || data[name] != 0x8c || data[name + 1] > end - name - 2)
        return -1;
    size = data[name + 1];
    above = data[module + 1];
    if (size == 0 || above == 0)
        return -1;
    mixed = 31 * size + 7 * above + data[name + 2] + 5 * data[name + 2 + size / 2] + 3 * data[name + 1 + size]
        + 11 * data[module + 1 + above];
    return mixed % SP_NAME_PLACES;
}

/* Whether the short counted text at `at` spells this one, which is ASCII: then its bytes are its characters. */
static inline int
sp_spells(const unsigned char *data, int64_t at, PyObject *text)
{
    return PyUnicode_CheckExact(text) && PyUnicode_IS_COMPACT_ASCII(text) && PyUnicode_GET_LENGTH(text) == data[at + 1]
        && memcmp(PyUnicode_DATA(text), data + at + 2, data[at + 1]) == 0;
}

/* Whether `where` is still the module of that name, and still has this value under `name`: -1 with an error set. */
static inline int
sp_is_there(PyObject *where, PyObject *module, PyObject *name, PyObject *value)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *found;
    if (!PyModule_CheckExact(where) || !PyDict_CheckExact(modules))
        return 0;
    found = PyDict_GetItemWithError(modules, module);
    if (found != where)
        return found == NULL && PyErr_Occurred() ? -1 : 0;
    found = PyDict_GetItemWithError(PyModule_GetDict(where), name);
    return found == value ? 1 : found == NULL && PyErr_Occurred() ? -1 : 0;
}

/* Raise pickle's audit event for a name. */
static inline int
sp_audit(PyObject *module, PyObject *name)
{
    return PySys_Audit("pickle.find_class", "OO", module, name);
}

/* Whether this is a class that keeps what it is given as keys: a set, a frozenset or a dict. */
static inline int
sp_makes_keys(PyObject *function)
{
    if (!PyType_Check(function))
        return 0;
    PyTypeObject *cls = (PyTypeObject *)function;
    return PyType_IsSubtype(cls, &PyDict_Type) || PyType_IsSubtype(cls, &PySet_Type)
        || PyType_IsSubtype(cls, &PyFrozenSet_Type);
}

/* What NEWOBJ makes, as C `_pickle` makes it: a class has its __new__ in tp_new. */
static inline PyObject *
sp_new(PyObject *cls, PyObject *args)
{
    newfunc make;
    if (!PyType_Check(cls)) {
        PyErr_SetString(PyExc_TypeError, "NEWOBJ class argument must be a type");
        return NULL;
    }
    make = ((PyTypeObject *)cls)->tp_new;
    if (make == NULL) {
        PyErr_Format(PyExc_TypeError, "cannot create '%.100s' instances", ((PyTypeObject *)cls)->tp_name);
        return NULL;
    }
    return make((PyTypeObject *)cls, args, NULL);
}

/* Whether an attribute of this name is looked up on instances where CPython means the class. */
static inline int
sp_is_hook(PyObject *name)
{
    switch (PyUnicode_GET_LENGTH(name)) {
    case 3:
        return PyUnicode_CompareWithASCIIString(name, "add") == 0;
    case 6:
        return PyUnicode_CompareWithASCIIString(name, "append") == 0
            || PyUnicode_CompareWithASCIIString(name, "extend") == 0;
    case 12:
        return PyUnicode_CompareWithASCIIString(name, "__setstate__") == 0;
    default:
        return 0;
    }
}

/* Set attributes from a state, names interned: 1 if it is done, 0 if nothing was since this is not the plain case. */
static inline int
sp_set_attributes(PyObject *attributes, PyObject *state)
{
    Py_ssize_t place = 0;
    PyObject *name, *value;
    if (!PyDict_CheckExact(attributes) || !PyDict_CheckExact(state) || attributes == state)
        return 0;
    while (PyDict_Next(state, &place, &name, &value))
        if (!PyUnicode_CheckExact(name) || sp_is_hook(name))
            return 0;
    place = 0;
    while (PyDict_Next(state, &place, &name, &value)) {
        int failed;
        if (!PyUnicode_CheckExact(name) || sp_is_hook(name)) {
            /* What was replaced has changed the state as it went. */
            PyErr_SetString(PyExc_RuntimeError, "the state changed while it was set");
            return -1;
        }
        Py_INCREF(name);
        Py_INCREF(value);
        PyUnicode_InternInPlace(&name);
        failed = PyDict_SetItem(attributes, name, value) < 0;
        Py_DECREF(name);
        Py_DECREF(value);
        if (failed)
            return -1;
    }
    return 1;
}

/* Whether what an instance consists of is known here. */
#if defined(Py_TPFLAGS_MANAGED_DICT) && !defined(Py_GIL_DISABLED) && !defined(PYPY_VERSION)
#define SP_KNOWS_INSTANCES 1
#else
#define SP_KNOWS_INSTANCES 0
#endif

#if SP_KNOWS_INSTANCES
/* Whether the class keeps attributes as most do: in what is no other than its `__dict__`. */
static inline int
sp_has_usual_dict(PyTypeObject *cls)
{
    static PyObject *dunder_dict = NULL;
    PyObject *found;
    if (!(cls->tp_flags & Py_TPFLAGS_MANAGED_DICT) || cls->tp_getattro != PyObject_GenericGetAttr)
        return 0;
    if (dunder_dict == NULL) {
        dunder_dict = PyUnicode_InternFromString("__dict__");
        if (dunder_dict == NULL)
            return -1;
    }
    found = _PyType_Lookup(cls, dunder_dict);
    return found != NULL && Py_IS_TYPE(found, &PyGetSetDescr_Type) && PyType_IsSubtype(cls, PyDescr_TYPE(found));
}
#endif

/* Set attributes from a state where the instance keeps them itself, without a dict made for it: 1 if it is done.  0 if
   this is not the plain case, where those before may have been set; to set them once more in its dict does no harm.

   The plain case: a class that sets attributes as `object` does and has the usual `__dict__`, and names that are texts,
   no hooks, and no data descriptors of the class, which an entry of the dict would not reach. */
static inline int
sp_set_inline(PyObject *target, PyObject *state)
{
#if SP_KNOWS_INSTANCES
    PyTypeObject *cls = Py_TYPE(target);
    Py_ssize_t place = 0;
    PyObject *name, *value, *found;
    int usual = PyDict_CheckExact(state) && cls->tp_setattro == PyObject_GenericSetAttr ? sp_has_usual_dict(cls) : 0;
    if (usual <= 0)
        return usual;
    while (PyDict_Next(state, &place, &name, &value)) {
        int failed;
        if (!PyUnicode_CheckExact(name) || sp_is_hook(name))
            return 0;
        Py_INCREF(name);
        Py_INCREF(value);  /* looking a name up may run whatever a class has for keys */
        PyUnicode_InternInPlace(&name);
        found = _PyType_Lookup(cls, name);
        if (found != NULL && Py_TYPE(found)->tp_descr_set != NULL) {
            Py_DECREF(name);
            Py_DECREF(value);
            return 0;
        }
        failed = PyObject_GenericSetAttr(target, name, value) < 0;
        Py_DECREF(name);
        Py_DECREF(value);
        if (failed)
            return -1;
    }
    return 1;
#else
    return 0;
#endif
}

/* Whether a name may be set through the state of slots: no dunder, and nothing that CPython looks up on instances. */
static inline int
sp_is_plain_slot(PyObject *name)
{
    if (!PyUnicode_CheckExact(name) || sp_is_hook(name))
        return 0;
    return PyUnicode_GET_LENGTH(name) < 2 || PyUnicode_READ_CHAR(name, 0) != '_' || PyUnicode_READ_CHAR(name, 1) != '_';
}

/* Set slots from a state as far as it is the plain case: how many were set, -1 with an error set. */
static inline Py_ssize_t
sp_set_slots(PyObject *target, PyObject *slots)
{
    Py_ssize_t place = 0, done = 0, size;
    PyObject *name, *value;
    if (!PyDict_CheckExact(slots))
        return 0;
    size = PyDict_GET_SIZE(slots);
    while (PyDict_Next(slots, &place, &name, &value)) {
        int failed;
        if (!sp_is_plain_slot(name))
            return done;
        Py_INCREF(name);
        Py_INCREF(value);
        failed = PyObject_SetAttr(target, name, value) < 0;
        Py_DECREF(name);
        Py_DECREF(value);
        if (failed)
            return -1;
        if (PyDict_GET_SIZE(slots) != size) {
            /* Whatever ran while an attribute was set has changed the state. */
            PyErr_SetString(PyExc_RuntimeError, "the state changed while it was set");
            return -1;
        }
        done++;
    }
    return done;
}

/* -- Recipes: how the instances of a class take a state, found out once for a load ----------------------------------

   Thousands of instances of one class take states with the same keys.  For the first of them it is found out where each
   value goes; the next ones' values go there at once, without a dict made to hold them, as long as the class has not
   changed (its version tag says so) and the keys are the very same objects.  What is not the plain case is remembered
   as well, and left to the long way. */
#define SP_RECIPES 4
#define SP_FEW_ATTRIBUTES 24

typedef struct {
    PyTypeObject *cls;    /* NULL where there is no recipe */
    unsigned int version; /* of the class */
    int slots;            /* whether the values go to slots, not to the instance's attributes */
    Py_ssize_t count;     /* of the keys; -1 where it is not the plain case */
    PyObject *keys[SP_FEW_ATTRIBUTES];
    PyObject *names[SP_FEW_ATTRIBUTES]; /* the keys, interned */
    Py_ssize_t offsets[SP_FEW_ATTRIBUTES];
} sp_recipe;

/* The version of a class, which changes whenever it or a base does; 0 if it has none. */
static inline unsigned int
sp_version(PyTypeObject *cls)
{
#if PY_VERSION_HEX < 0x030c0000 && !defined(PYPY_VERSION)
    if (!PyType_HasFeature(cls, Py_TPFLAGS_VALID_VERSION_TAG))
        return 0;
#endif
#ifdef PYPY_VERSION
    return 0;
#else
    return cls->tp_version_tag;
#endif
}

static inline void
sp_forget_recipe(sp_recipe *recipe)
{
    PyObject *cls = (PyObject *)recipe->cls;
    Py_ssize_t count = recipe->count;
    recipe->cls = NULL;
    recipe->count = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_CLEAR(recipe->keys[i]);
        Py_CLEAR(recipe->names[i]);
    }
    Py_XDECREF(cls);
}

#if SP_KNOWS_INSTANCES
/* Where the slot of this name is in an instance; -1 if it is not one that `object` would set without a question. */
static inline Py_ssize_t
sp_slot_offset(PyTypeObject *cls, PyObject *name)
{
    PyObject *found = _PyType_Lookup(cls, name);
    PyMemberDef *member;
    if (found == NULL || !Py_IS_TYPE(found, &PyMemberDescr_Type) || !PyType_IsSubtype(cls, PyDescr_TYPE(found)))
        return -1;
    member = ((PyMemberDescrObject *)found)->d_member;
    return member->type == T_OBJECT_EX && member->flags == 0 ? member->offset : -1;
}

/* Find out where each value goes: 1 if it can be said, 0 if it is not the plain case, -1 with an error set. */
SP_SELDOM static int
sp_learn_recipe(sp_recipe *recipe, PyTypeObject *cls, PyObject **items, Py_ssize_t count, int slots)
{
    static PyObject *dunder_setstate = NULL;
    int usual = cls->tp_setattro == PyObject_GenericSetAttr;
    unsigned int version;
    sp_forget_recipe(recipe);
    if (dunder_setstate == NULL) {
        dunder_setstate = PyUnicode_InternFromString("__setstate__");
        if (dunder_setstate == NULL)
            return -1;
    }
    if (usual && _PyType_Lookup(cls, dunder_setstate) != NULL)
        usual = 0;
    version = sp_version(cls);
    if (usual && !slots)
        usual = sp_has_usual_dict(cls);
    if (usual < 0)
        return -1;
    for (Py_ssize_t i = 0; usual && i < count; i++) {
        PyObject *name = items[2 * i], *found;
        if (!sp_is_plain_slot(name) && (slots || !PyUnicode_CheckExact(name) || sp_is_hook(name))) {
            usual = 0;
            break;
        }
        recipe->keys[i] = Py_NewRef(name);
        Py_INCREF(name);
        PyUnicode_InternInPlace(&name);
        recipe->names[i] = name;
        recipe->count = i + 1;
        if (slots) {
            recipe->offsets[i] = sp_slot_offset(cls, name);
            usual = recipe->offsets[i] > 0;
            for (Py_ssize_t j = 0; usual && j < i; j++)
                usual = recipe->offsets[j] != recipe->offsets[i];
        }
        else {
            found = _PyType_Lookup(cls, name);
            usual = found == NULL || Py_TYPE(found)->tp_descr_set == NULL;
        }
    }
    if (!usual) {
        sp_forget_recipe(recipe);
        recipe->count = -1;
    }
    recipe->slots = slots;
    recipe->version = version;
    if (version == 0 || version != sp_version(cls)) { /* it cannot be told whether it changes, or it just did */
        sp_forget_recipe(recipe);
        return 0;
    }
    recipe->cls = (PyTypeObject *)Py_NewRef((PyObject *)cls);
    return usual;
}
#endif

/* Give an instance the state whose `size` keys and values these are: 1 if that is done, 0 if it is not the plain case,
   and then nothing was changed, -1 with an error set. */
static inline int
sp_give_state(sp_recipe *recipes, PyObject *target, PyObject **items, Py_ssize_t size, int slots)
{
#if SP_KNOWS_INSTANCES
    PyTypeObject *cls = Py_TYPE(target);
    sp_recipe *recipe = recipes + ((uintptr_t)cls >> 6) % SP_RECIPES;
    Py_ssize_t count = size / 2, known = 0;
    if (size & 1 || count == 0 || count > SP_FEW_ATTRIBUTES)
        return 0;
    if (recipe->cls == cls && recipe->version == sp_version(cls) && recipe->slots == slots) {
        if (recipe->count < 0)
            return 0;
        if (recipe->count == count)
            while (known < count && items[2 * known] == recipe->keys[known])
                known++;
    }
    if (known < count) {
        int learned = sp_learn_recipe(recipe, cls, items, count, slots);
        if (learned <= 0)
            return learned;
    }
    if (slots) {
        for (Py_ssize_t i = 0; i < count; i++)
            if (*(PyObject **)((char *)target + recipe->offsets[i]) != NULL)
                return 0; /* what is replaced may have something to say when it goes */
        for (Py_ssize_t i = 0; i < count; i++)
            *(PyObject **)((char *)target + recipe->offsets[i]) = Py_NewRef(items[2 * i + 1]);
        return 1;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (PyObject_GenericSetAttr(target, recipe->names[i], items[2 * i + 1]) < 0)
            return -1;
    return 1;
#else
    return 0;
#endif
}

#endif
