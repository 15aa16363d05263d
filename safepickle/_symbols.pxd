# The kinds and shifts of symbols.py as C constants; a test holds the two together.

cdef enum:
    SHIFT = 5
    KIND = 31
    NONE = 1
    BOOL = 2
    INT = 3
    FLOAT = 4
    STR = 5
    BYTES = 6
    TEXT8 = 7
    BYTEARRAY = 8
    BUFFER = 9
    PERSISTENT = 10
    ENCODED = 11
    FIRST_NODE = 16
    TUPLE = 16
    LIST = 17
    DICT = 18
    SET = 19
    FROZENSET = 20
    GLOBAL = 21
    BOUND = 22
    MADE = 23
    PARTIAL = 24
    PRIOR = 25
    LONG_TEXT = 255
