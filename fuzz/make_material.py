"""Makes what the fuzzers start from: the seeds, and the dictionaries, one of them from the opcode table.

    python fuzz/make_material.py

* `seeds/streams`: one stream for each row of the opcode table, some of those that the tests load, and of each class of
  attack the smallest few.
* `seeds/programs`, `seeds/objects`: choices for the generators, from a fixed seed.
* `seeds/containers`: what the tests make of containers, and the small files that libraries wrote.
* `seeds/policies`: what the tests of the reader of policies read, and choices for the generator of documents.
* `pickle.dict`: each opcode with an argument, and the names that matter; `policy.dict`: the words of the language.

A test makes the dictionaries again and compares; the seeds are only a start, and are made when somebody wants new ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import engine

from safepickle import opcodes
from safepickle.limits import FIELDS
from safepickle.policy.patterns import WORDS
from tests import make_containers, programs
from tests.assembler import SAMPLES, asm
from tests.choices import ENOUGH
from tests.make_malformed import before, instruction

SEEDS: Final = engine.FUZZ / "seeds"
DATA: Final = engine.ROOT / "tests" / "data"
_SMALLEST: Final = 3  # streams of each class of attack
_LARGEST: Final = 2000  # bytes
_VALID: Final = 40  # streams that libraries and interpreters wrote
_MADE: Final = 16  # inputs for each generator
_LANGUAGE: Final = (
    "safepickle: 1", "allow:", "deny:", "include:", "patterns:", "aliases:", "persistent:", "accept:", "limits:",
    "use:", "args:", "kwargs:", "state:", "attributes:", "fill:", "base:", "native_state: true", "then: build",
    "reason:", "refer", "new", "call", "build", "fill", "{is: ", "{str: '", "{int: [0, 1]}", "{bytes: ",
    "{length: [0, 1], of: ", "{product: 0}", "{any_of: [", "{fields: {a: ", "{pattern: ", "{global: ", "{instance: ",
    "extensions", "buffers", "persistent_ids", "rest",
)  # fmt: skip


def dictionaries() -> dict[str, str]:
    """The text of each dictionary by the name of its file."""
    tokens = [(row.name, instruction(row)) for row in opcodes.TABLE]
    tokens += [(f"{row.name}_opcode", bytes([row.code])) for row in opcodes.TABLE]
    for name in programs.NAMES:
        tokens.append((f"{name.module}.{name.name}", asm(("GLOBAL", name.module, name.name))))
    tokens += [(hook, asm(("SHORT_BINUNICODE", hook))) for hook in (*programs.HOOKS, "__class__", "latin1")]
    words = [(word, word.encode()) for word in (*_LANGUAGE, *sorted(WORDS), *FIELDS)]
    return {"pickle.dict": _dictionary("opcodes and names", tokens), "policy.dict": _dictionary("words", words)}


def _dictionary(what: str, tokens: list[tuple[str, bytes]]) -> str:
    """In libFuzzer's format: a comment, then a quoted token, everything but plain ASCII escaped."""
    lines = [f"# The {what}.  Made by make_material.py."]
    for name, token in tokens:
        quoted = "".join(
            chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\x{byte:02x}" for byte in token
        )
        lines += [f"# {name}", f'"{quoted}"']
    return "\n".join(lines) + "\n"


def seeds() -> Iterator[tuple[str, bytes]]:
    """Each seed: the path of its file below the folder of seeds, and its bytes."""
    for row in opcodes.TABLE:
        arguments = SAMPLES[row.argument] if row.name != "PROTO" else (4,)
        yield f"streams/opcode_{row.name}", asm(("PROTO", 4), "MARK", *before(row), (row.name, *arguments), "STOP")
    yield from _streams()
    made = random.Random("the seeds of the generators")
    for kind in ("programs", "objects"):
        for number in range(_MADE):
            yield f"{kind}/{number:02}", made.randbytes(ENOUGH * (number + 1) // _MADE)
    for name, make in make_containers.CASES.items():
        yield f"containers/{name}", make().data
    for path in sorted((DATA / "containers").iterdir()):
        yield f"containers/library_{path.name}", path.read_bytes()
    for path in (DATA / "policies" / "good").rglob("*.yaml"):
        yield f"policies/{path.stem}", path.read_bytes()
    for number in range(_MADE):
        yield f"policies/made_{number:02}", b"\xff" + made.randbytes(ENOUGH)


def _streams() -> Iterator[tuple[str, bytes]]:
    for folder in sorted((DATA / "attacks").iterdir()):
        files = [path for path in folder.glob("*.pkl") if path.stat().st_size <= _LARGEST]
        for path in sorted(files, key=lambda path: (path.stat().st_size, path.name))[:_SMALLEST]:
            yield f"streams/{folder.name}_{path.stem}", path.read_bytes()
    valid = [path for path in sorted((DATA / "valid").rglob("*.pkl")) if path.stat().st_size <= _LARGEST]
    for path in valid[:: max(1, len(valid) // _VALID)]:
        yield f"streams/valid_{path.stem}", path.read_bytes()


def main() -> None:
    for name, text in dictionaries().items():
        (engine.FUZZ / name).write_text(text, "ascii")
    for relative, data in seeds():
        path = SEEDS / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    count, size = _counted(SEEDS)
    print(f"{count} seeds, {size:,} bytes")


def _counted(folder: Path) -> tuple[int, int]:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


if __name__ == "__main__":
    main()
