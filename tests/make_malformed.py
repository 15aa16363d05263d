"""Streams that are simply damaged: what a reader has to survive, and to name.

Most are derived from the opcode table: each opcode cut within its argument, each one with too little on the stack, each
container opcode on the wrong kind of value, each byte that is no opcode.  They are made in memory.  What no table
gives stands in `stored` and is written to `data/malformed` by `python -m tests.make_malformed`, with a manifest.

None of them asks for anything that the policy they are judged under does not grant, unless their opcode is refused as
such (extensions, persistent IDs, buffers): so being malformed is what is wrong with them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from safepickle import opcodes
from tests.assembler import SAMPLES, Step, asm, literal, lying, named, newobj, put, text, tuple_of

FOLDER: Final = Path(__file__).parent / "data" / "malformed"
MODULE: Final = "tests.victims"

MALFORMED: Final = ("MalformedStream",)
REFUSED: Final = ("MalformedStream", "Forbidden")  # the opcode is refused as such; either may be said first
ACCEPTED_BY_NAME: Final = frozenset({
    "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "NEXT_BUFFER", "READONLY_BUFFER",
})  # fmt: skip


class Damage(NamedTuple):
    """One damaged stream."""

    name: str
    why: str
    data: bytes
    expected: tuple[str, ...] = MALFORMED


# --- Derived from the table ------------------------------------------------------------------------------------------
PLAIN: Final = named(text(MODULE), text("Plain"))
BEFORE: Final[dict[str, list[Step]]] = {
    "STACK_GLOBAL": [text(MODULE), text("Plain")],
    "REDUCE": [PLAIN, "EMPTY_TUPLE"],
    "NEWOBJ": [PLAIN, "EMPTY_TUPLE"],
    "NEWOBJ_EX": [PLAIN, "EMPTY_TUPLE", "EMPTY_DICT"],
    "BUILD": [newobj(PLAIN), "EMPTY_DICT"],
    "OBJ": ["MARK", PLAIN, "NONE"],
    "INST": ["MARK", "NONE"],
    "GET": ["NONE", ("PUT", 12), "POP"],
    "BINGET": ["NONE", put(200), "POP"],
    "LONG_BINGET": ["NONE", ("PUT", 12), "POP"],
}
"""What has to be on the stack for the opcodes of which the table's words do not say enough."""

WORDS: Final[dict[str, list[Step]]] = {
    "any": ["NONE"],
    "str": [text("x")],
    "list": ["EMPTY_LIST"],
    "dict": ["EMPTY_DICT"],
    "set": ["EMPTY_SET"],
    "tuple": ["EMPTY_TUPLE"],
    "buffer": ["NEXT_BUFFER"],
    "mark": ["MARK"],
    "items": [text("k"), "NONE"],
    "pairs": [text("k"), "NONE"],
}
ARGUMENTS: Final = {**SAMPLES, opcodes.TWO_LINES: (MODULE, "Plain"), opcodes.UINT4: (12,)}


def before(row: opcodes.Opcode) -> list[Step]:
    """Steps after which the opcode finds what it needs."""
    if row.name in BEFORE:
        return BEFORE[row.name]
    return [step for word in row.before for step in WORDS[word]]


def instruction(row: opcodes.Opcode) -> bytes:
    """The opcode with an argument of its kind."""
    return asm((row.name, *((4,) if row.name == "PROTO" else ARGUMENTS[row.argument])))


def _expected(row: opcodes.Opcode) -> tuple[str, ...]:
    return REFUSED if row.name in ACCEPTED_BY_NAME else MALFORMED


def truncated() -> Iterator[Damage]:
    """Each opcode, cut behind every byte of it."""
    for row in opcodes.TABLE:
        whole = instruction(row)
        lead = asm(("PROTO", 4), *before(row))
        for kept in range(1, len(whole) + (row.name != "STOP")):
            yield Damage(f"{row.name} cut after {kept} of {len(whole)}", "the stream ends here", lead + whole[:kept],
                         _expected(row))  # fmt: skip


def underflow() -> Iterator[Damage]:
    """Each opcode with every smaller stack than it needs, on a bare stack and above a mark."""
    for row in opcodes.TABLE:
        needed = [word for word in row.before if word not in {"items", "pairs"}]
        for kept in range(len(needed)):
            if row.name == "POP" or (row.name == "OBJ" and kept):
                continue  # POP on a mark drops the mark; OBJ has its own case below
            steps = [step for word in needed[len(needed) - kept :] for step in WORDS[word]]
            tail = instruction(row) + asm("STOP")
            yield Damage(f"{row.name} on {kept} of {len(needed)}", "too little is on the stack",
                         asm(*steps) + tail, _expected(row))  # fmt: skip
            if "mark" not in needed:
                yield Damage(f"{row.name} on {kept} of {len(needed)} above a mark", "a mark is the floor of the stack",
                             asm("NONE", "NONE", "NONE", "MARK", *steps) + tail, _expected(row))  # fmt: skip
        if "mark" in needed:
            yield Damage(f"{row.name} without a mark", "there is no mark",
                         asm(*["NONE"] * 6) + instruction(row) + asm("STOP"), _expected(row))  # fmt: skip
    yield Damage("OBJ on nothing above its mark", "there is no class", asm("MARK", "OBJ", "STOP"))
    yield Damage("POP on nothing", "the stack is empty", asm("POP", "NONE", "STOP"))


KINDS: Final[dict[str, Step]] = {
    "none": "NONE", "bool": "NEWTRUE", "int": ("BININT1", 1), "float": ("BINFLOAT", 1.0), "str": text("x"),
    "bytes": literal(b"x"), "bytearray": literal(bytearray(b"x")), "list": "EMPTY_LIST", "tuple": "EMPTY_TUPLE",
    "dict": "EMPTY_DICT", "set": "EMPTY_SET", "frozenset": ["MARK", "FROZENSET"],
}  # fmt: skip
CONTAINERS: Final[dict[str, tuple[str, list[Step]]]] = {
    "APPEND": ("list", ["NONE", "APPEND"]),
    "APPENDS": ("list", ["MARK", "NONE", "APPENDS"]),
    "SETITEM": ("dict", [text("k"), "NONE", "SETITEM"]),
    "SETITEMS": ("dict", ["MARK", text("k"), "NONE", "SETITEMS"]),
    "ADDITEMS": ("set", ["MARK", text("k"), "ADDITEMS"]),
}
UNHASHABLE: Final = ("bytearray", "list", "dict", "set")


def wrong_kinds() -> Iterator[Damage]:
    """Each container opcode on every kind of value that it does not take."""
    for kind, step in KINDS.items():
        for name, (right, rest) in CONTAINERS.items():
            if kind != right:
                yield Damage(f"{name} on {kind}", "not this opcode's container", asm(step, *rest, "STOP"))
        yield Damage(f"BUILD on {kind}", "a literal has no state", asm(step, "EMPTY_DICT", "BUILD", "STOP"))
        if kind != "str":
            yield Damage(f"STACK_GLOBAL of {kind}", "a name is text", asm(text(MODULE), step, "STACK_GLOBAL", "STOP"),
                         REFUSED)  # fmt: skip
        if kind != "tuple":
            for name in ("REDUCE", "NEWOBJ"):
                yield Damage(f"{name} with {kind}", "arguments are a tuple", asm(PLAIN, step, name, "STOP"))
            yield Damage(f"NEWOBJ_EX with {kind}", "arguments are a tuple",
                         asm(PLAIN, step, "EMPTY_DICT", "NEWOBJ_EX", "STOP"))  # fmt: skip
        if kind != "dict":
            yield Damage(f"NEWOBJ_EX with keywords {kind}", "keywords are a dict",
                         asm(PLAIN, "EMPTY_TUPLE", step, "NEWOBJ_EX", "STOP"))  # fmt: skip
        if kind not in {"bytes", "bytearray"}:  # these are buffers, to pickle too
            yield Damage(f"READONLY_BUFFER on {kind}", "not a buffer", asm(step, "READONLY_BUFFER", "STOP"), REFUSED)
    for kind in UNHASHABLE:
        step = KINDS[kind]
        programs: dict[str, list[Step]] = {
            "SETITEM": ["EMPTY_DICT", step, "NONE", "SETITEM"],
            "SETITEMS": ["EMPTY_DICT", "MARK", step, "NONE", "SETITEMS"],
            "DICT": ["MARK", step, "NONE", "DICT"],
            "ADDITEMS": ["EMPTY_SET", "MARK", step, "ADDITEMS"],
            "FROZENSET": ["MARK", step, "FROZENSET"],
            "SETITEM in a tuple": ["EMPTY_DICT", [step, "TUPLE1"], "NONE", "SETITEM"],
        }
        for name, program in programs.items():
            yield Damage(f"{name} with a key that is {kind}", "not hashable", asm(*program, "STOP"))


def unknown_opcodes() -> Iterator[Damage]:
    """Each byte that is no opcode, first and in the middle."""
    for code in range(256):
        if code not in opcodes.BY_CODE:
            yield Damage(f"byte {code:02x} first", "no opcode", bytes([code]) + b".")
            yield Damage(f"byte {code:02x} later", "no opcode", b"\x80\x04N" + bytes([code]) + b".")


def derived() -> list[Damage]:
    """Everything that follows from the table."""
    return [*truncated(), *underflow(), *wrong_kinds(), *unknown_opcodes()]


# --- Stored ----------------------------------------------------------------------------------------------------------
def stored() -> list[Damage]:
    """What no table gives, sorted by name."""
    pickled_dict = asm(("PROTO", 4), literal({"key": [1, 2.5, "text", None]}), "STOP")
    cases = [
        Damage("only_a_stop", "there is no result", b"."),
        Damage("only_a_protocol", "the stream ends behind its first opcode", b"\x80\x04"),
        Damage("only_a_protocol_byte", "the stream ends within its first opcode", b"\x80"),
        Damage("protocol_6", "no such protocol", asm(("PROTO", 6), "NONE", "STOP")),
        Damage("protocol_255", "no such protocol", asm(("PROTO", 255), "NONE", "STOP")),
        Damage("protocol_6_later", "no such protocol", asm(("PROTO", 4), ("PROTO", 6), "NONE", "STOP")),
        Damage("no_stop", "the stream ends before STOP", pickled_dict[:-1]),
        Damage("last_two_bytes_missing", "the stream ends before STOP", pickled_dict[:-2]),
        Damage("first_byte_missing", "the stream begins within an argument", pickled_dict[1:]),
        Damage("nul_bytes", "not a pickle", bytes(64)),
        Damage("spaces", "not a pickle", b" " * 64),
        Damage("newline", "not a pickle", b"\n"),
        Damage("ff_bytes", "not a pickle", b"\xff" * 64),
        Damage("english", "not a pickle", b"hello, this is not a pickle at all\n"),
        Damage("json", "not a pickle", b'{"key": [1, 2, 3]}\n'),
        Damage("html", "not a pickle", b"<!DOCTYPE html><html></html>\n"),
        Damage("png", "not a pickle", b"\x89PNG\r\n\x1a\n" + bytes(16), REFUSED),
        Damage("elf", "not a pickle", b"\x7fELF\x02\x01\x01" + bytes(16)),
        Damage("byte_order_mark", "a text editor was here", b"\xef\xbb\xbf" + pickled_dict),
        Damage("newlines_translated", "a text mode was here", asm(
            ("PROTO", 4), ("BININT", 0x0A0D0A0D), ("BINUNICODE", "a\nb"), "TUPLE2", "STOP").replace(b"\n", b"\r\n")),
        Damage("seven_bit", "a mail gateway was here", bytes(byte & 0x7F for byte in pickled_dict)),
        Damage("base64", "still encoded", b"gASVCgAAAAAAAAB9lIwBYZRLAXMu"),
        Damage("repr_of_bytes", "the repr was stored, not the bytes", b"b'\\x80\\x04N.'"),
        Damage("odd_setitems", "a key without a value", asm("EMPTY_DICT", "MARK", text("k"), "SETITEMS", "STOP")),
        Damage("odd_dict", "a key without a value", asm("MARK", text("k"), "DICT", "STOP")),
        Damage("stop_above_a_mark", "a mark is left", asm("NONE", "MARK", "STOP")),
        Damage("only_a_mark", "a mark is no value", asm("MARK", "STOP")),
        Damage("get_of_nothing", "nothing was stored", asm(("GET", 0), "STOP")),
        Damage("binget_of_nothing", "nothing was stored", asm(("BINGET", 0), "STOP")),
        Damage("long_binget_of_nothing", "nothing was stored", asm(("LONG_BINGET", 0), "STOP")),
        Damage("line_without_an_end", "the line does not end", b"I123"),
        Damage("name_without_an_end", "the second line does not end", b"ctests.victims\nPlain"),
        Damage("text_that_is_no_utf8", "not UTF-8", asm(("BINUNICODE", b"caf\xe9"), "STOP")),
        Damage("string_without_quotes", "not quoted", asm(("STRING", b"abc"), "STOP")),
        Damage("integer_of_letters", "not a number", asm(("INT", b"abc"), "STOP")),
        Damage("float_of_letters", "not a number", asm(("FLOAT", b"abc"), "STOP")),
        Damage("text_longer_than_the_stream", "fewer bytes than declared", asm(
            lying("BINUNICODE", 10, b"abc"), "STOP")),
        Damage("bytes_longer_than_the_stream", "fewer bytes than declared", asm(lying("BINBYTES", 10, b"abc"), "STOP")),
        Damage("length_that_no_size_can_hold", "negative where it is taken for signed", asm(
            ("PROTO", 4), "MARK", b"\x8e" + ((1 << 63) + 3).to_bytes(8, "little"), b"\x04(N..\0abc.")),
        Damage("frame_longer_than_the_stream", "fewer bytes than declared", asm(
            ("PROTO", 4), lying("FRAME", 100, b"N"), "STOP")),
        Damage("negative_length", "a signed length", asm(lying("BINSTRING", -1, b"abc"), "STOP")),
        Damage("literal_called", "not a callable", asm(text("x"), tuple_of(), "REDUCE", "STOP"), REFUSED),
    ]  # fmt: skip
    return sorted(cases)


def files() -> dict[str, bytes]:
    """What the folder holds: the name of each file, and its bytes."""
    made = {f"{case.name}.pkl": case.data for case in stored()}
    rows = (
        {
            "file": f"{case.name}.pkl",
            "why": case.why,
            "expected": list(case.expected),
            "bytes": len(case.data),
            "sha256": hashlib.sha256(case.data).hexdigest(),
        }
        for case in stored()
    )
    made["manifest.jsonl"] = "".join(f"{json.dumps(row)}\n" for row in rows).encode("ascii")
    return made


def main() -> None:
    """Write the folder, and remove what is not made any more."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = files()
    for path in FOLDER.iterdir():
        if path.name not in made:
            path.unlink()
    for name, data in made.items():
        (FOLDER / name).write_bytes(data)
    print(f"{len(made) - 1} files, {len(derived())} more in memory")


if __name__ == "__main__":
    main()
