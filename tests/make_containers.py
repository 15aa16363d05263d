"""Makes a container for every trick that is known, each with what a scan under the policy `plain` must say of it.

    python -m tests.make_containers FOLDER    # writes them all, to be looked at by other tools

Nothing is stored: they are made when the tests run, from the two pickles below.  What libraries wrote themselves stands
in `tests/data/containers`, with the program that made it.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import pickle
import sqlite3
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

#: A pickle that asks for `os.system`, and one of plain values.
EVIL: Final = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R."
GOOD: Final = pickle.dumps({"a": [1, 2.5, "x"], "b": b"\x00" * 40}, 4)
TEXT: Final = b"Nothing but the notes of a meeting, in which nobody said anything.\n"

PASS: Final = "pass"
FORBIDDEN: Final = "forbidden"
MALFORMED: Final = "malformed"
INCOMPLETE: Final = "incomplete"
NO_PICKLE: Final = "not a pickle"


class Case(NamedTuple):
    """One container: its bytes, and what a scan must say."""

    data: bytes
    verdict: str
    rules: frozenset[str] = frozenset()  # rules that must be among the findings
    least_members: int = 0  # pickles that must have been found


CASES: Final[dict[str, Callable[[], Case]]] = {}


def case(
    verdict: str, *rules: str, members: int = 0
) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """Lists what a function makes, by the function's name."""

    def listed(make: Callable[[], bytes]) -> Callable[[], bytes]:
        CASES[make.__name__] = lambda: Case(make(), verdict, frozenset(rules), members)
        return make

    return listed


def each(make: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Lists what a function makes of the good pickle, of the evil one and of text."""
    name = make.__name__
    CASES[name] = lambda: Case(make(GOOD), PASS, frozenset(), 1)
    CASES[f"{name}_evil"] = lambda: Case(make(EVIL), FORBIDDEN, frozenset({"not-granted"}), 1)
    return make


def in_zip(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive as Python writes it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def in_tar(*members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive as Python writes it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def in_npy(described: str, shape: str, data: bytes, version: int = 1) -> bytes:
    """An array file as NumPy writes it."""
    text = f"{{'descr': {described}, 'fortran_order': False, 'shape': {shape}, }}"
    width = 2 if version == 1 else 4
    text += " " * (-(8 + width + len(text) + 1) % 64) + "\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(width, "little") + text.encode("latin-1") + data


def in_sqlite(*values: object, table: str = "Cache", wal: bool = False) -> bytes:
    """A database with a table of values."""
    with sqlite3.connect(":memory:") as connection:
        table = table.replace('"', '""')
        connection.execute(f'CREATE TABLE "{table}" (rowid INTEGER PRIMARY KEY, key TEXT, value BLOB)')
        connection.executemany(f'INSERT INTO "{table}" (key, value) VALUES (?, ?)', [("k", value) for value in values])
        connection.commit()
        data = bytearray(connection.serialize())
    connection.close()
    if wal:
        data[18] = data[19] = 2
    return bytes(data)


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """`data` with other bytes at `at`, which counts from the end where it is negative."""
    at %= len(data)
    return data[:at] + new + data[at + len(new) :]


def central(data: bytes, number: int = 0) -> int:
    """Where an entry of a zip's directory begins."""
    at = -1
    for _ in range(number + 1):
        at = data.index(b"PK\1\2", at + 1)
    return at


# -- Raw ---------------------------------------------------------------------------------------------------------------


@each
def raw(inner: bytes) -> bytes:
    return inner


@each
def in_a_row(inner: bytes) -> bytes:
    return GOOD + inner + GOOD


@each
def in_a_string(inner: bytes) -> bytes:
    return pickle.dumps({"blob": b"...." + inner})


@each
def in_a_string_in_a_string(inner: bytes) -> bytes:
    return pickle.dumps([pickle.dumps([inner], 4)], 4)


@each
def in_a_long_string(inner: bytes) -> bytes:
    return pickle.dumps([inner + bytes(100_000)], 4)


@case(INCOMPLETE, "trailing-data")
def behind_a_pickle_rubbish() -> bytes:
    return GOOD + b"\xff\xff"


@case(FORBIDDEN, "not-granted")
def behind_rubbish_a_pickle() -> bytes:
    return b"\xff\xff" + EVIL


@case(FORBIDDEN, "not-granted")
def behind_a_pickle_and_rubbish_another() -> bytes:
    return GOOD + b"\xff\xff" + EVIL


# -- Where other readers go on -----------------------------------------------------------------------------------------

CALL: Final = b"cos\nsystem\n(Vtrue\ntR."
#: What is refused here, and taken by some reader of pickles, which then does what follows.
GOES_ON: Final = {
    "a_number_in_another_base": b"I0x1\n0",
    "a_number_with_an_underscore": b"I1_0\n0",
    "a_number_and_a_zero_byte": b"I1\0\n0",
    "a_number_with_a_blank": b"I 1\n0",
    "a_long_number_with_an_underscore": b"L1_0L\n0",
    "a_float_with_a_sign": b"F+1.5\n0",
    "a_put_with_a_sign": b"Np+1\n0",
    "a_get_with_a_sign": b"Np1\ng+1\n00",
    "a_put_far_ahead": b"Nr\xff\xff\x7f\x000",
    "state_for_a_literal": b"]Nb0",
    "an_item_of_a_list": b"](K\1eK\0K\2s0",
    "no_items_for_a_literal": b"N(u0",
    "many_tuples": b"(" * 1001 + b"t" * 1001 + b"0",
    "many_digits": b"I" + b"1" * 5000 + b"\n0",
    "a_frame_that_ends_early": b"\x95\1\0\0\0\0\0\0\0K\x010",
    "a_frame_in_a_frame": b"\x95\2\0\0\0\0\0\0\0N\x95\2\0\0\0\0\0\0\0N0",
}


def _listed_where_others_go_on() -> None:
    for name, begin in GOES_ON.items():
        verdict = FORBIDDEN if name in {"a_put_far_ahead", "many_tuples", "many_digits"} else MALFORMED
        rule = "limit" if verdict == FORBIDDEN else "malformed"
        alone = Case(begin + CALL, verdict, frozenset({rule}))
        inside = alone._replace(data=in_zip(("good.pkl", GOOD), ("data.pkl", begin + CALL)))
        CASES[f"call_behind_{name}"] = partial(Case, *alone)
        CASES[f"call_behind_{name}_in_a_zip"] = partial(Case, *inside)


_listed_where_others_go_on()


@case(FORBIDDEN, "not-granted")
def in_a_string_behind_a_number() -> bytes:
    return pickle.dumps([b"\x80\4I1\n0" + CALL])


@case(FORBIDDEN, "not-granted")
def in_a_string_behind_bytes() -> bytes:
    return pickle.dumps([b"\x80\4B\1\0\0\0x0" + CALL])


# -- Compressed --------------------------------------------------------------------------------------------------------


@each
def in_gzip(inner: bytes) -> bytes:
    return gzip.compress(inner, mtime=0)


@each
def in_bzip2(inner: bytes) -> bytes:
    return bz2.compress(inner)


@each
def in_xz(inner: bytes) -> bytes:
    return lzma.compress(inner)


@each
def in_lzma(inner: bytes) -> bytes:
    return lzma.compress(inner, lzma.FORMAT_ALONE)


@each
def in_zlib(inner: bytes) -> bytes:
    return zlib.compress(inner, 1)


@each
def in_joblibs_old_zlib_file(inner: bytes) -> bytes:
    return b"ZF" + hex(len(inner)).ljust(19).encode() + zlib.compress(inner)


@each
def in_two_gzip_members(inner: bytes) -> bytes:
    return gzip.compress(inner[:5]) + gzip.compress(inner[5:])


@each
def in_gzip_in_bzip2_in_xz(inner: bytes) -> bytes:
    return lzma.compress(bz2.compress(gzip.compress(inner)))


@each
def in_a_pickle_and_then_zlib(inner: bytes) -> bytes:
    return pickle.dumps(1700000000.5) + zlib.compress(inner)  # as Django's file cache


def in_lzma_with(**properties: int) -> bytes:
    """The evil pickle in the old format, with properties that are not the usual ones."""
    return lzma.compress(EVIL, lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, **properties}])


@case(FORBIDDEN, "not-granted")
def lzma_with_a_small_dictionary() -> bytes:
    return in_lzma_with(dict_size=4096)


@case(FORBIDDEN, "not-granted")
def lzma_with_a_dictionary_between() -> bytes:
    return in_lzma_with(dict_size=3 << 19)


@case(FORBIDDEN, "not-granted")
def lzma_with_other_properties() -> bytes:
    return in_lzma_with(dict_size=1 << 20, lc=0, lp=2, pb=0)


# A payload that ends within the second half, which alone is one payload: only together they are what they are.
HALVES: Final = (
    b"B\x20\0\0\0" + b"\xff" * 10,
    b"B" + struct.pack("<L", 18 + len(CALL)) + b"\xff" * 17 + b"0" + CALL + b".",
)


@case(FORBIDDEN, "not-granted")
def two_gzip_members_with_zeros_between() -> bytes:
    return gzip.compress(HALVES[0]) + bytes(100_000) + gzip.compress(HALVES[1])


@case(FORBIDDEN, "not-granted")
def two_xz_streams_with_zeros_between() -> bytes:
    return lzma.compress(HALVES[0]) + bytes(8) + lzma.compress(HALVES[1])


@case(FORBIDDEN, "not-granted")
def xz_and_lzma_in_a_row() -> bytes:
    return lzma.compress(HALVES[0]) + lzma.compress(HALVES[1], lzma.FORMAT_ALONE)


@case(FORBIDDEN, "not-granted")
def lzma_and_xz_in_a_row() -> bytes:
    return lzma.compress(HALVES[0], lzma.FORMAT_ALONE) + lzma.compress(HALVES[1])


@case(FORBIDDEN, "not-granted")
def two_lzma_streams_in_a_row() -> bytes:
    return lzma.compress(HALVES[0], lzma.FORMAT_ALONE) + lzma.compress(HALVES[1], lzma.FORMAT_ALONE)


@case(NO_PICKLE)
def text_in_gzip() -> bytes:
    return gzip.compress(TEXT)


@case(INCOMPLETE, "container", members=1)
def gzip_that_breaks_off() -> bytes:
    return gzip.compress(GOOD)[:-4]


@case(FORBIDDEN, "not-granted")
def zlib_of_evil_that_breaks_off() -> bytes:
    return zlib.compress(EVIL[:-1] + bytes(100), 0)[:-30]


@case(FORBIDDEN, "not-granted")
def gzip_of_evil_that_breaks_off() -> bytes:
    return gzip.compress(EVIL + bytes(100), compresslevel=0)[:-30]


@case(INCOMPLETE, "container")
def gzip_with_a_bad_checksum() -> bytes:
    return patched(gzip.compress(GOOD), -8, b"\0\0\0\0")


@case(INCOMPLETE, "trailing-data")
def gzip_and_rubbish() -> bytes:
    return gzip.compress(GOOD) + b"rubbish"


@case(FORBIDDEN, "not-granted")
def gzip_and_a_raw_pickle() -> bytes:
    return gzip.compress(GOOD) + EVIL


@case(PASS)
def gzip_and_zeros() -> bytes:
    return gzip.compress(GOOD) + bytes(512)


@case(INCOMPLETE, "unpack-limit")
def compressed_too_often() -> bytes:
    data = EVIL
    for _ in range(20):
        data = gzip.compress(data)
    return data


@case(INCOMPLETE, "container")
def lzma_that_wants_memory() -> bytes:
    return b"\xfd7zXZ\0" + lzma.compress(GOOD, preset=9)[6:30]


# -- zip ---------------------------------------------------------------------------------------------------------------


@each
def in_a_zip(inner: bytes) -> bytes:
    return in_zip(("readme.txt", TEXT), ("data.pkl", inner))


@each
def in_a_deflated_zip(inner: bytes) -> bytes:
    return in_zip(("data.pkl", inner), method=zipfile.ZIP_DEFLATED)


@each
def in_a_bzip2_zip(inner: bytes) -> bytes:
    return in_zip(("data.pkl", inner), method=zipfile.ZIP_BZIP2)


@each
def in_an_lzma_zip(inner: bytes) -> bytes:
    return in_zip(("data.pkl", inner), method=zipfile.ZIP_LZMA)


@each
def in_a_misnamed_member(inner: bytes) -> bytes:
    return in_zip(("model/weights.txt", inner))


@each
def in_a_torch_zip(inner: bytes) -> bytes:
    return in_zip(
        ("archive/data.pkl", inner), ("archive/byteorder", b"little"), ("archive/version", b"3\n"),
        ("archive/data/0", struct.pack("<4f", 1, 2, 3, 4)),
    )  # fmt: skip


@each
def in_a_zip_in_a_zip(inner: bytes) -> bytes:
    return in_zip(("inner.zip", in_zip(("data.pkl", inner))))


@each
def in_a_streamed_zip(inner: bytes) -> bytes:
    class Pipe(io.RawIOBase):
        """What cannot seek makes zipfile write data descriptors."""

        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", inner)
    return pipe.data


@each
def in_a_zip_with_a_comment(inner: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("data.pkl", inner)
        archive.comment = b"a comment with PK in it"
    return file.getvalue()


@case(NO_PICKLE)
def zip_of_texts() -> bytes:
    return in_zip(("a.txt", TEXT), ("b.txt", TEXT))


@case(NO_PICKLE)
def empty_zip() -> bytes:
    return in_zip()


@case(MALFORMED, "container-mismatch", members=1)
def zip_with_another_name_before_the_member() -> bytes:
    data = in_zip(("data.pkl", GOOD))
    return patched(data, 30, b"evil.pkl")


@case(FORBIDDEN, "container-mismatch", "not-granted")
def zip_with_another_method_before_the_member() -> bytes:
    return patched(in_zip(("data.pkl", EVIL), method=zipfile.ZIP_DEFLATED), 8, b"\0\0")


@case(FORBIDDEN, "container-mismatch", "not-granted")
def zip_with_another_method_in_the_directory() -> bytes:
    data = in_zip(("data.pkl", EVIL))
    return patched(data, central(data) + 10, b"\x08\0")


@case(MALFORMED, "container-mismatch")
def zip_with_another_size_before_the_member() -> bytes:
    return patched(in_zip(("data.pkl", GOOD)), 18, b"\1\0\0\0\1\0\0\0")


@case(FORBIDDEN, "encrypted", "not-granted")
def zip_that_says_it_is_encrypted() -> bytes:
    data = in_zip(("data.pkl", EVIL))
    return patched(patched(data, 6, b"\1"), central(data) + 8, b"\1")


@case(FORBIDDEN, "not-granted")
def zip_that_says_so_in_one_place() -> bytes:
    return patched(in_zip(("data.pkl", EVIL), method=zipfile.ZIP_DEFLATED), 6, b"\1")


@case(INCOMPLETE, "encrypted")
def zip_that_is_encrypted() -> bytes:
    data = in_zip(("data.pkl", bytes(range(1, 255)) * 2))
    return patched(patched(data, 6, b"\1"), central(data) + 8, b"\1")


@case(FORBIDDEN, "checksum", "not-granted")
def zip_with_a_bad_checksum() -> bytes:
    data = in_zip(("data.pkl", EVIL))
    return patched(patched(data, 14, b"abcd"), central(data) + 16, b"abcd")


@case(INCOMPLETE, "checksum")
def zip_of_good_with_a_bad_checksum() -> bytes:
    data = in_zip(("data.pkl", GOOD), method=zipfile.ZIP_DEFLATED)
    return patched(patched(data, 14, b"abcd"), central(data) + 16, b"abcd")


@case(FORBIDDEN, "not-granted")
def pickle_before_a_zip() -> bytes:
    return EVIL + in_zip(("data.pkl", GOOD))


@case(INCOMPLETE, "trailing-data")
def program_before_a_zip() -> bytes:
    return b"\x7fELF" + TEXT + in_zip(("data.pkl", GOOD))


@case(FORBIDDEN, "not-granted")
def pickle_behind_a_zip() -> bytes:
    return in_zip(("data.pkl", GOOD)) + EVIL


@case(FORBIDDEN, "not-granted")
def zip_before_a_zip() -> bytes:
    return in_zip(("data.pkl", EVIL)) + in_zip(("data.pkl", GOOD))


@case(FORBIDDEN, "not-granted")
def zip_behind_a_zip() -> bytes:
    return in_zip(("data.pkl", GOOD)) + in_zip(("data.pkl", EVIL))


@case(FORBIDDEN, "not-granted")
def zip_behind_a_pickle() -> bytes:
    return GOOD + in_zip(("data.pkl", EVIL))


@case(FORBIDDEN, "not-granted")
def zip_with_a_member_that_the_directory_does_not_list() -> bytes:
    data = in_zip(("good.pkl", GOOD), ("evil.pkl", EVIL))
    first, second, end = central(data), central(data, 1), data.index(b"PK\5\6")
    listed = data[first:second]
    return data[:first] + listed + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, end - second, first, 0)


@case(FORBIDDEN, "container", "not-granted")
def zip_without_a_directory() -> bytes:
    data = in_zip(("good.pkl", GOOD), ("evil.pkl", EVIL))
    return data[: central(data)]


@case(FORBIDDEN, "container", "not-granted")
def deflated_zip_without_a_directory() -> bytes:
    data = in_zip(("good.pkl", GOOD), ("evil.pkl", EVIL), method=zipfile.ZIP_DEFLATED)
    return data[: central(data)]


@case(MALFORMED, "container-mismatch")
def zip_with_a_name_twice() -> bytes:
    return in_zip(("a.pkl", GOOD), ("b.pkl", GOOD)).replace(b"b.pkl", b"a.pkl")


@case(MALFORMED, "container-mismatch")
def zip_with_overlapping_members() -> bytes:
    data = in_zip(("a.pkl", GOOD), ("b.pkl", GOOD))
    return patched(data, central(data, 1) + 42, b"\0\0\0\0").replace(b"b.pkl", b"a.pkl")


@case(MALFORMED, "container-mismatch")
def zip_that_counts_wrongly() -> bytes:
    data = in_zip(("a.pkl", GOOD))
    return patched(data, data.index(b"PK\5\6") + 8, b"\2\0\2\0")


@case(INCOMPLETE, "container")
def zip_that_points_nowhere() -> bytes:
    data = in_zip(("a.pkl", GOOD))
    return patched(data, central(data) + 42, b"\5\0\0\0")


@case(INCOMPLETE, "container")
def zip_of_an_unknown_method() -> bytes:
    data = in_zip(("a.pkl", GOOD))
    return patched(patched(data, 8, b"\x63\0"), central(data) + 10, b"\x63\0")


@case(FORBIDDEN, "container-mismatch", "not-granted")
def zip_with_a_pickle_behind_packed_data() -> bytes:
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(GOOD) + packed.flush() + EVIL
    header = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, zlib.crc32(GOOD), len(body), len(GOOD), 5, 0)
    header += b"a.pkl"
    entry = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 0, zlib.crc32(GOOD), len(body), len(GOOD), 5, 0, 0, 0, 0, 0, 0,
    ) + b"a.pkl"  # fmt: skip
    at = len(header) + len(body)
    return header + body + entry + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry), at, 0)


def in_zip64(inner: bytes, *, count: int = 1, small_count: int = 0xFFFF, at: int = 0) -> bytes:
    """A zip with the records of ZIP64 at its end."""
    data = in_zip(("a.pkl", inner))
    first, end = central(data), data.index(b"PK\5\6")
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, end - first, first)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end + at, 1)
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, small_count, small_count, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:end] + record + locator + last


@each
def in_a_zip64(inner: bytes) -> bytes:
    return in_zip64(inner)


@case(MALFORMED, "container-mismatch")
def zip64_whose_locator_points_elsewhere() -> bytes:
    return in_zip64(GOOD, at=7)


@case(MALFORMED, "container-mismatch")
def zip64_whose_records_differ() -> bytes:
    return in_zip64(GOOD, small_count=9)


@case(FORBIDDEN, "not-granted")
def zip_that_is_a_pickle_too() -> bytes:
    name = "x\nI1\n0cos\nsystem\n(Vtrue\ntR."  # PERSID takes the header up to the first line end
    for number in range(10_000):  # until the header is ASCII, as a persistent ID must be
        text = b"%d" % number
        header = in_zip((name, text))[4:30]
        if header.isascii() and b"\n" not in header:
            return in_zip((name, text))
    raise AssertionError("no number has such a checksum")


# -- tar ---------------------------------------------------------------------------------------------------------------


@each
def in_a_tar(inner: bytes) -> bytes:
    return in_tar(("readme", TEXT), ("data.pkl", inner))


@each
def in_a_gnu_tar_with_a_long_name(inner: bytes) -> bytes:
    return in_tar(("d/" * 80 + "data.pkl", inner), form=tarfile.GNU_FORMAT)


@each
def in_a_pax_tar_with_a_long_name(inner: bytes) -> bytes:
    return in_tar(("d/" * 80 + "data.pkl", inner))


@each
def in_an_old_tar(inner: bytes) -> bytes:
    data = bytearray(in_tar(("data.pkl", inner), form=tarfile.USTAR_FORMAT))
    data[257:265] = bytes(8)
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


@each
def in_a_tar_in_gzip(inner: bytes) -> bytes:
    return gzip.compress(in_tar(("data.pkl", inner)))


@case(FORBIDDEN, "not-granted")
def pickle_behind_a_tar() -> bytes:
    return in_tar(("a", GOOD)) + EVIL


@case(INCOMPLETE, "container")
def tar_that_breaks_off() -> bytes:
    return in_tar(("a", GOOD * 100))[:2000]


@case(FORBIDDEN, "container", "not-granted")
def tar_with_a_damaged_header_before_the_evil_member() -> bytes:
    data = in_tar(("a", GOOD), ("b", EVIL), form=tarfile.USTAR_FORMAT)
    return patched(data, 1024, b"c")


@case(FORBIDDEN, "not-granted")
def tar_that_is_a_pickle_too() -> bytes:
    return in_tar(("cos\nsystem\n(Vtrue\ntR.", GOOD), form=tarfile.USTAR_FORMAT)


@case(FORBIDDEN, "not-granted")
def tar_that_is_a_long_pickle_too() -> bytes:
    skip = b"B" + struct.pack("<L", 3 << 20)  # bytes, to far within what the member holds
    data = bytearray(in_tar(("x", b"a" * (4 << 20)), form=tarfile.USTAR_FORMAT))
    data[:100] = skip.ljust(100, b"\0")
    at = len(skip) + (3 << 20)
    data[at : at + len(CALL) + 1] = b"0" + CALL
    return with_checksum(data, b"%06o\0 ")


@case(FORBIDDEN, "not-granted")
def tar_with_a_prefix_before_its_checksum() -> bytes:
    return with_checksum(bytearray(in_tar(("a.pkl", EVIL), form=tarfile.USTAR_FORMAT)), b"0o%o\0")


def with_checksum(data: bytearray, spelled: bytes) -> bytes:
    """A tar whose first header has been changed."""
    data[148:156] = b" " * 8
    data[148:156] = (spelled % sum(data[:512])).ljust(8, b"\0")
    return bytes(data)


def with_pax(*headers: bytes) -> bytes:
    """A tar with these pax headers before its one member, whose own header says that it is empty."""
    blocks = []
    for number, records in enumerate((*headers, b"")):
        info = tarfile.TarInfo(f"h{number}" if records else "data.pkl")
        info.type = tarfile.XHDTYPE if records else tarfile.REGTYPE
        info.size = len(records)
        blocks += [info.tobuf(tarfile.USTAR_FORMAT), records.ljust(-(-len(records) // 512) * 512, b"\0")]
    # What readers who missed the size take for the next header: a name that is a pickle.
    hidden = in_tar((CALL.decode(), GOOD), form=tarfile.USTAR_FORMAT)
    return b"".join(blocks) + hidden


@case(MALFORMED, "container-mismatch")
def tar_with_two_pax_headers() -> bytes:
    return with_pax(b"13 size=1024\n", b"16 comment=none\n")


@case(MALFORMED, "container-mismatch")
def tar_with_a_pax_length_of_many_digits() -> bytes:
    return with_pax(b"000000000000025 size=1024\n"[1:])


@case(FORBIDDEN, "container-mismatch", "not-granted")
def tar_with_two_sizes() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a")
        info.size = len(EVIL)
        info.pax_headers = {"comment": "20 size=7"}
        archive.addfile(info, io.BytesIO(EVIL))
    return file.getvalue().replace(b"comment=20 size=7", b"size=%-12d" % len(EVIL)).replace(
        b"size=%-12d" % len(EVIL), b"size=%012d" % (len(EVIL) - 1)
    )  # fmt: skip


@case(FORBIDDEN, "container-mismatch", "not-granted")
def tar_with_a_link_that_has_contents() -> bytes:
    data = bytearray(in_tar(("a", EVIL), form=tarfile.USTAR_FORMAT))
    data[156:157] = b"2"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


# -- NumPy -------------------------------------------------------------------------------------------------------------


@each
def in_an_array_of_objects(inner: bytes) -> bytes:
    return in_npy("'|O'", "(1,)", inner)


@each
def in_a_record_array_with_objects(inner: bytes) -> bytes:
    return in_npy("[('a', '<f8'), ('b', '|O')]", "(1,)", inner, version=2)


@each
def in_an_npz(inner: bytes) -> bytes:
    return in_zip(("a.npy", in_npy("'<f8'", "(2,)", bytes(16))), ("b.npy", in_npy("'|O'", "()", inner)))


@case(PASS)
def array_of_numbers() -> bytes:
    return in_npy("'<f8'", "(3, 2)", EVIL + bytes(48 - len(EVIL)))  # numbers are not loaded as anything else


@case(PASS)
def array_that_python_2_wrote() -> bytes:
    return in_npy("[('a', '<f8', (2L,)), ('b', '|S3')]", "(2L,)", bytes(38))


@case(FORBIDDEN, "not-granted")
def pickle_behind_an_array() -> bytes:
    return in_npy("'<f8'", "(2,)", bytes(16) + EVIL)


@case(INCOMPLETE, "container")
def array_that_breaks_off() -> bytes:
    return in_npy("'<f8'", "(1000,)", bytes(16))


@case(FORBIDDEN, "container", "not-granted")
def array_of_an_unknown_type() -> bytes:
    return in_npy("'<k8'", "(1,)", EVIL)


@case(INCOMPLETE, "container")
def array_with_brackets_without_end() -> bytes:
    return in_npy("[" * 30_000, "(1,)", bytes(8))


@case(INCOMPLETE, "container")
def array_with_a_call_in_its_header() -> bytes:
    return in_npy("__import__('os').system('true')", "(1,)", bytes(8))


# -- Databases and records ---------------------------------------------------------------------------------------------


@each
def in_sqlite_values(inner: bytes) -> bytes:
    return in_sqlite(b"text", None, 3, inner)


@each
def in_sqlite_with_a_log(inner: bytes) -> bytes:
    return in_sqlite(inner, wal=True)


@each
def in_sqlite_with_an_odd_table(inner: bytes) -> bytes:
    return in_sqlite(zlib.compress(inner), table='un"named; DROP')


def sqlite_of(*statements: str) -> bytes:
    """A database that these statements make."""
    with sqlite3.connect(":memory:") as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        data = connection.serialize()
    connection.close()
    return data


@case(FORBIDDEN, "container", "not-granted")
def sqlite_with_a_view() -> bytes:
    return sqlite_of(f"CREATE VIEW Cache AS SELECT 'k' AS key, x'{EVIL.hex()}' AS value")


@case(INCOMPLETE, "container")
def sqlite_with_a_view_that_computes() -> bytes:
    return sqlite_of(f"CREATE VIEW Cache AS SELECT 'k' AS key, x'{EVIL[:1].hex()}' || x'{EVIL[1:].hex()}' AS value")


@case(FORBIDDEN, "container", "not-granted")
def sqlite_with_a_computed_column() -> bytes:
    column = f"value BLOB GENERATED ALWAYS AS (x'{EVIL.hex()}')"
    return sqlite_of(f"CREATE TABLE Cache (key TEXT, {column})", "INSERT INTO Cache (key) VALUES ('k')")


@case(FORBIDDEN, "container", "not-granted")
def sqlite_with_a_trigger() -> bytes:
    change = f"UPDATE Cache SET value = x'{EVIL.hex()}'"
    trigger = f"CREATE TRIGGER t AFTER INSERT ON Cache BEGIN {change}; END"
    return sqlite_of("CREATE TABLE Cache (key TEXT, value BLOB)", trigger)


@case(INCOMPLETE, "container")
def sqlite_with_a_trigger_that_computes() -> bytes:
    change = f"UPDATE Cache SET value = unhex('{EVIL[:20].hex()}')"
    trigger = f"CREATE TRIGGER t AFTER INSERT ON Cache BEGIN {change}; END"
    return sqlite_of("CREATE TABLE Cache (key TEXT, value BLOB)", "INSERT INTO Cache VALUES ('k', 1)", trigger)


@case(INCOMPLETE, "container")
def sqlite_that_is_damaged() -> bytes:
    return patched(in_sqlite(GOOD), 100, b"\xff" * 300)


@case(INCOMPLETE, "container")
def log_of_sqlite() -> bytes:
    return b"\x37\x7f\x06\x82" + bytes(100)


@each
def in_records(inner: bytes) -> bytes:
    return b"".join(struct.pack(">L", len(part)) + part for part in (pickle.dumps({"msg": 1}, 1), inner))


@each
def in_one_record(inner: bytes) -> bytes:
    return struct.pack(">L", len(inner)) + inner


@case(FORBIDDEN, "not-granted")
def behind_a_time_stamp_of_never() -> bytes:
    return bytes(4) + CALL


@case(FORBIDDEN, "not-granted")
def behind_a_time_stamp_of_letters_and_without_an_end() -> bytes:
    return b"zzzz" + CALL[:-1]


@case(NO_PICKLE)
def text_that_looks_like_a_name_behind_four_letters() -> bytes:
    return b"The cat\nsat\non the mat.\n"


@case(FORBIDDEN, "not-granted")
def in_a_record_of_protocol_0() -> bytes:
    return struct.pack(">L", len(CALL)) + CALL


@each
def behind_a_time_stamp(inner: bytes) -> bytes:
    return struct.pack("<I", 1_700_000_000) + inner


@each
def in_base64(inner: bytes) -> bytes:
    return base64.encodebytes(inner)  # as Django's database cache


@each
def in_base64_with_rubbish(inner: bytes) -> bytes:
    text = base64.b64encode(inner)
    return text[:7] + b"!\n-" + text[7:]  # which `base64.b64decode` passes over


@each
def in_base64_in_sqlite(inner: bytes) -> bytes:
    return in_sqlite(base64.b64encode(inner).decode())


@each
def in_dbm_dumb(inner: bytes) -> bytes:
    return GOOD.ljust(512, b"\0") + inner.ljust(512, b"\0") + GOOD


@case(INCOMPLETE, "container")
def berkeley_db() -> bytes:
    return b"\0\6\x15\x61" + bytes(100)


# -- torch -------------------------------------------------------------------------------------------------------------

_MAGIC: Final = 0x1950A86A20F9469CFC6C


def in_torch(model: bytes, keys: list[str], *storages: tuple[int, bytes]) -> bytes:
    """A file as torch wrote it before zip: `storages` are the numbers of items, and their bytes."""
    facts = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    head = [pickle.dumps(part, 2) for part in (_MAGIC, 1001, facts)]
    body = b"".join(struct.pack("<q", count) + data for count, data in storages)
    return b"".join(head) + model + pickle.dumps(keys, 2) + body


def torch_model(key: str = "0", count: int = 3, kind: str = "FloatStorage") -> bytes:
    """A pickle with a persistent ID of a storage."""
    return (
        b"\x80\x02(X\x07\0\0\0storagectorch\n" + kind.encode() + b"\nX" + struct.pack("<L", len(key)) + key.encode()
        + b"X\x03\0\0\0cpuK" + bytes([count]) + b"NtQ."
    )  # fmt: skip


@case(FORBIDDEN, "not-granted")
def torch_file() -> bytes:
    return in_torch(torch_model(), ["0"], (3, struct.pack("<3f", 1, 2, 3)))


@case(FORBIDDEN, "trailing-data")
def torch_file_with_more_than_its_storages() -> bytes:
    return in_torch(torch_model(), ["0"], (3, struct.pack("<3f", 1, 2, 3))) + b"\xffmore"


@case(FORBIDDEN, "trailing-data")
def torch_file_whose_storage_has_another_length() -> bytes:
    return in_torch(torch_model(), ["0"], (9, struct.pack("<3f", 1, 2, 3)))


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in CASES.items():
        (folder / name).write_bytes(make().data)
    print(f"{len(CASES)} containers in {folder}")


if __name__ == "__main__":
    main()
