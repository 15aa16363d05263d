"""The limits on what one load may cost, each a named field with its default and its reason.

Rules:

* Cost is bounded by the length of the pickle taken, never by a number that the stream declares.
* A limit that a policy does not name is not part of that policy: where policies are joined the tightest of the named
  ones counts, and the defaults here fill in last.
* This module imports nothing of the package.
"""

from __future__ import annotations

from safepickle.hints import Final, NamedTuple

# No science went into these two: a memo index beyond the number of opcodes so far is legal (a Pickler that is used
# again goes on counting), and 131,072 entries of head start cost nothing, since the memo is never an array.
MEMO_HEAD_START: Final = 131_072
# Hashing, and copying, may cost this much per byte of the pickle on top of a fixed allowance.  Real files stay below 2.
WORK_PER_BYTE: Final = 16
WORK_ALLOWANCE: Final = 1 << 20
# What may come out of decompression, likewise.
UNPACKED_PER_BYTE: Final = 100
UNPACKED_ALLOWANCE: Final = 256 << 20
UNPACKED_OPCODES_PER_BYTE: Final = 16
UNPACKED_OPCODES_ALLOWANCE: Final = 4 << 20


class Limits(NamedTuple):
    """What one load may cost.  None means that only the input's own length bounds it."""

    # Length of the pickle in bytes.  Unbounded by default: the caller holds the bytes already, and arrays are large.
    bytes: int | None = None
    # Number of opcodes.  Unbounded by default: time and memory are linear in the bytes anyway.
    opcodes: int | None = None
    # 1 + the deepest thing an object was made of.  CPython frees and hashes nested C objects by recursion, and crashes
    # some tens of thousands of levels deep; pickle itself writes about 500 levels of nested instances at most.
    depth: int = 1000
    # How far a memo index may run ahead of the number of opcodes executed so far.
    memo: int = MEMO_HEAD_START
    # Digits of an integer given as decimal text, whose conversion is quadratic: Python's own default.
    integer_digits: int = 4300
    # Objects hashed as keys and members with everything inside them counted, digits and repeated long texts included:
    # a doubled tuple of 300 bytes hashes for hours.  None: 2**20 + 16 for each byte.
    hash_work: int | None = None
    # Average steps a key may take along a dict's or set's probe sequence, once a container has more than 1,000 keys
    # that are not text.  Honest keys need fewer than two.
    probe_work: int = 32
    # Lengths of all that is handed to calls and as state, each time it is: a memoised megabyte encoded 600 times is
    # 600 MB.  None: 2**20 + 16 for each byte.
    copy_work: int | None = None
    # Pickles inside pickles, and containers inside containers, that the scanner follows.
    nested: int = 8
    # Streams in the containers of one source that the scanner looks into.  Wheels and models have some thousands.
    members: int = 100_000
    # Bytes that come out of decompression in one source, each time they do.  Models shrink to a half or a third, zeros
    # to a thousandth.  None: 256 MiB + 100 for each byte of the source.
    unpacked: int | None = None
    # Bytes of opcodes, payloads aside, among what comes out of decompression: each costs a thousand times what one of
    # data does.  Plain records shrink to a tenth.  None: 4 MiB + 16 for each byte of the source.
    unpacked_opcodes: int | None = None

    def work(self, named: int | None, length: int) -> int:
        """The budget for a kind of work over a pickle of `length` bytes."""
        return WORK_ALLOWANCE + WORK_PER_BYTE * length if named is None else named


FIELDS: Final = Limits._fields
DEFAULTS: Final = Limits()
