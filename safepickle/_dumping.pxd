# What dumping.h gives to the compiled pickler and writer.  They cimport it as `dumping`, the name under which the same
# source imports the Python twins when it is interpreted; so this file has another name than they.

cdef enum:
    COMPILED = 1

cdef extern from "dumping.h":
    ctypedef struct Memo "DumpingMemo":
        pass
    Py_ssize_t ABSENT "DUMPING_ABSENT"
    Py_ssize_t STAGED "DUMPING_STAGED"

    bint is_class "PyType_Check"(object obj) noexcept

    int is_readonly "dumping_is_readonly"(object buffer) except -1
    int op "dumping_op"(bytearray buffer, int code) except -1
    int op1 "dumping_op1"(bytearray buffer, int code, int value) except -1
    int op4 "dumping_op4"(bytearray buffer, int code, unsigned int value) except -1
    int extend "dumping_extend"(bytearray buffer, object data) except -1
    int skip "dumping_skip"(bytearray buffer, Py_ssize_t size) except -1
    int frame "dumping_frame"(bytearray buffer, Py_ssize_t start, Py_ssize_t size) except -1
    int unskip "dumping_unskip"(bytearray buffer, Py_ssize_t start) except -1
    bytes taken "dumping_taken"(bytearray buffer)
    int restart "dumping_restart"(bytearray buffer) except -1

    ctypedef struct Parts "DumpingParts":
        pass
    Parts *new_parts "dumping_new_parts"() except NULL
    void free_parts "dumping_free_parts"(Parts *parts) noexcept
    int drop_parts "dumping_drop_parts"(Parts *parts) except -1
    bint any_parts "dumping_any_parts"(Parts *parts) noexcept
    int add_part "dumping_add_part"(Parts *parts, object data) except -1
    Py_ssize_t add_buffer "dumping_add_buffer"(Parts *parts, bytearray buffer, Py_ssize_t start) except -1
    int fill_hole "dumping_fill_hole"(Parts *parts, Py_ssize_t hole, Py_ssize_t size) except -1
    bytes joined "dumping_joined"(Parts *parts)

    Memo *new_memo "dumping_new_memo"() except NULL
    void free_memo "dumping_free_memo"(Memo *memo) noexcept
    int clear "dumping_clear"(Memo *memo) except -1
    Py_ssize_t size "dumping_size"(Memo *memo) noexcept
    Py_ssize_t find "dumping_find"(Memo *memo, object obj) noexcept
    int set_index "dumping_set"(Memo *memo, object obj, Py_ssize_t index) except -1
    Py_ssize_t remember "dumping_remember"(Memo *memo, object obj) except -1
    dict as_dict "dumping_as_dict"(Memo *memo)
    int hand_over "dumping_hand_over"(Memo *memo, list keeper) except -1

    int again "dumping_again"(bytearray buffer, Memo *memo, object obj, bint binary) except -1
    int keep "dumping_keep"(bytearray buffer, Memo *memo, object obj, int protocol) except -1
    int atom "dumping_atom"(bytearray buffer, Memo *memo, object obj, Py_ssize_t limit, int protocol) except -1
