# What a compiled walk adds to a log of members.  members.py says the same in Python.

from cpython.array cimport array, resize_smart
from libc.stdint cimport int64_t


cdef inline int note(object numbers, int64_t start, int64_t stop, int64_t opcodes, int64_t word) except -1:
    cdef array kept = numbers
    cdef Py_ssize_t size = len(kept)
    if kept.ob_descr.typecode != c"I" and kept.ob_descr.typecode != c"Q":
        raise TypeError("no numbers of a log of members")
    resize_smart(kept, size + 4)
    if kept.ob_descr.itemsize == 4:
        kept.data.as_uints[size] = <unsigned int> start
        kept.data.as_uints[size + 1] = <unsigned int> stop
        kept.data.as_uints[size + 2] = <unsigned int> opcodes
        kept.data.as_uints[size + 3] = <unsigned int> word
    else:
        kept.data.as_ulonglongs[size] = start
        kept.data.as_ulonglongs[size + 1] = stop
        kept.data.as_ulonglongs[size + 2] = opcodes
        kept.data.as_ulonglongs[size + 3] = word
    return 0
