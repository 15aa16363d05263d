"""What some libraries write between the opcodes of a pickle, or behind it: joblib's arrays, torch's storages.

The pickle itself says how long such data is, by what it makes: so this stands above the verifier and looks at what the
verifier knows.  It judges nothing.

Rules:

* Only literals of the stream count.  What is computed, or not there, makes the layout unknown, and that is a problem.
* The lengths of data are only ever compared with what the source has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from safepickle import symbols as sym
from safepickle.containers.arrays import ItemType, array_size, item_type
from safepickle.containers.source import Source
from safepickle.errors import StreamError
from safepickle.symbols import Made
from safepickle.verifier import Verifier
from safepickle.windows import WindowReader

__all__ = ["TORCH_PICKLES", "TORCH_TAR_MEMBERS", "Arrays", "begins_torch", "storages", "tar_data", "wraps_arrays"]

_WRAPPERS: Final = frozenset({
    ("joblib.numpy_pickle", "NumpyArrayWrapper"), ("sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper"),
})  # fmt: skip
_HAS_OBJECTS: Final = 1  # of the flags in a dtype's state

# Torch's files from before it wrote zip: five pickles (this number, a version, facts of the machine, the object, the
# keys of its storages), then each storage: how many items, in eight bytes, and the items.
_TORCH: Final = re.compile(rb"\x80[\x02-\x05](?:\x95.{8})?\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19(?:\x94)?\.", re.DOTALL)
TORCH_PICKLES: Final = 5
#: Of the tar files that torch wrote in 2016, the members in which data follows each pickle but the first.
TORCH_TAR_MEMBERS: Final = ("storages", "tensors")
_ITEMS: Final = {
    "DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2, "LongStorage": 8, "IntStorage": 4,
    "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1, "ComplexDoubleStorage": 16,
    "ComplexFloatStorage": 8, "QUInt8Storage": 1, "QInt8Storage": 1, "QInt32Storage": 4, "UntypedStorage": 1,
}  # fmt: skip


def _literal(verifier: Verifier, code: int) -> Any:
    """The value of a literal; None for anything else.  8-bit text of Python 2 is text here."""
    kind = code & sym.KIND
    if kind >= sym.FIRST_NODE or kind in (sym.NONE, sym.PERSISTENT, sym.BUFFER) or not code:
        return None
    try:
        value = verifier.reader.literal(code >> sym.SHIFT)
    except StreamError:
        return None
    return value.decode("latin-1") if kind == sym.TEXT8 else value


def _pairs(verifier: Verifier, code: int) -> dict[Any, int]:
    """The items of a dict of the stream by the literal that is their key."""
    if code & sym.KIND != sym.DICT:
        return {}
    codes = verifier.heap.codes(code)
    return {
        _literal(verifier, key): value
        for key, value in zip(codes[::2], codes[1::2], strict=False)
        if key & sym.KIND in (sym.STR, sym.TEXT8)
    }


def _items(verifier: Verifier, code: int) -> list[int]:
    return verifier.heap.codes(code) if code & sym.KIND == sym.TUPLE else []


# -- joblib ------------------------------------------------------------------------------------------------------------


def wraps_arrays(verifier: Verifier) -> bool:
    """Whether the stream makes what joblib writes before the bytes of an array."""
    return any((found.module, found.name) in _WRAPPERS and found.built for found in verifier.globals.values())


class Arrays:
    """Called where an array may begin, which is behind each BUILD; says how many bytes it takes.

    `nested` is given where in the source the pickle of an array of objects begins, and says where it ends.
    """

    def __init__(self, verifier: Verifier, reader: WindowReader, nested: Callable[[int], int]) -> None:
        self.verifier = verifier
        self.reader = reader
        self.nested = nested
        self.problem: str | None = None
        self._judged: set[int] = set()  # where arrays of objects begin

    def __call__(self) -> int:
        """See the class."""
        wrapper = self._just_built()
        if wrapper is None:
            return 0
        size = self._size(wrapper)
        if size is None or not self.reader.source.has(self.reader.place + size):
            self.problem = "how long one of joblib's arrays is cannot be told, or it breaks off"
            return 0
        place = self.reader.place
        if place not in self._judged:
            self.reader.show(place, size)
        return size

    def _just_built(self) -> Made | None:
        """The wrapper that the last opcode gave its state, if it was one that did."""
        code = self.verifier.last_built
        self.verifier.last_built = 0
        if code & sym.KIND != sym.MADE:
            return None
        made: Made = self.verifier.heap.of(code)
        origin = made.origin
        return made if origin is not None and (origin.module, origin.name) in _WRAPPERS else None

    def _size(self, wrapper: Made) -> int | None:
        state = _pairs(self.verifier, wrapper.state)
        described = _described(self.verifier, state.get("dtype", 0))
        if described is None:
            return None
        place = self.reader.place
        if described.objects:
            self._judged.add(place)
            stop = self.nested(place)
            return stop - place if stop > place else None
        shape = tuple(_literal(self.verifier, code) for code in _items(self.verifier, state.get("shape", 0)))
        if state.get("shape", 0) & sym.KIND != sym.TUPLE:
            return None
        size = array_size(described, shape)
        alignment = _literal(self.verifier, state.get("numpy_array_alignment_bytes", 0))
        if size is None or alignment is None:
            return size
        padding = self.reader.source.read(place, 1)
        return 1 + padding[0] + size if padding else None


def _described(verifier: Verifier, code: int) -> ItemType | None:
    """The item type that a call of numpy.dtype stands for."""
    if code & sym.KIND != sym.MADE:
        return None
    made: Made = verifier.heap.of(code)
    if made.origin is None or (made.origin.module, made.origin.name) != ("numpy", "dtype"):
        return None
    text = _literal(verifier, (_items(verifier, made.args) or [0])[0])
    found = item_type(text) if isinstance(text, str) else None
    state = _items(verifier, made.state)
    if found is None or not text.startswith("V") or len(state) < 8:
        return found
    flags = _literal(verifier, state[7])
    return ItemType(found.size, not isinstance(flags, int) or bool(flags & _HAS_OBJECTS))


# -- torch -------------------------------------------------------------------------------------------------------------


def begins_torch(head: bytes) -> bool:
    """Whether a stream begins as torch's files did before it wrote zip."""
    return _TORCH.match(head) is not None


def storages(model: Verifier, keys: Verifier, source: Source, at: int) -> int | None:
    """Where the storages end that begin at `at`; None where they are not what the two pickles say."""
    known = _storage_sizes(model)
    for key in _listed(keys):
        declared = known.get(key)
        raw = source.read(at, 8)
        if declared is None or len(raw) < 8 or int.from_bytes(raw, "little") != declared[0]:
            return None
        at += 8 + declared[0] * declared[1]
        if not source.has(at):
            return None
    return at


def _storage_sizes(verifier: Verifier) -> dict[str, tuple[int, int]]:
    """The number of items, and what one takes, of each storage that persistent IDs mention, by key."""
    heap = verifier.heap
    found: dict[str, tuple[int, int]] = {}
    for number in range(len(heap)):
        held = heap.held(number)
        if not isinstance(held, list) or len(held) < 5 or held[1] & sym.KIND != sym.GLOBAL:
            continue
        if _literal(verifier, held[0]) != "storage":
            continue
        name: str = heap.of(held[1]).name
        key, items = _literal(verifier, held[2]), _literal(verifier, held[4])
        if isinstance(key, str) and type(items) is int and items >= 0 and name in _ITEMS:
            found[key] = items, _ITEMS[name]
    return found


def _listed(verifier: Verifier) -> Iterator[str]:
    """The texts of the list that a pickle is."""
    heap = verifier.heap
    for number in range(len(heap)):
        held = heap.held(number)
        if isinstance(held, list):
            yield from (f"{_literal(verifier, code)}" for code in held)


def tar_data(pickled: Verifier, source: Source, at: int) -> int:
    """Where the data ends that begins at `at`, behind a pickle in `storages` or `tensors` of a tar of torch's.

    A storage is announced by a key, a location and the class, a tensor by a key, a storage and the class.  Returns `at`
    where nothing is announced, or it is not all there.
    """
    heap = pickled.heap
    for number in range(len(heap)):
        held = heap.held(number)
        if isinstance(held, list) and len(held) == 3 and held[2] & sym.KIND == sym.GLOBAL:
            name: str = heap.of(held[2]).name
            if name in _ITEMS:
                stop = at + 8 + int.from_bytes(source.read(at, 8), "little") * _ITEMS[name]
            elif name.endswith("Tensor"):  # the number of dimensions, sizes, strides, an offset
                stop = at + 8 + 16 * int.from_bytes(source.read(at, 4), "little") + 8
            else:
                continue
            return stop if source.has(stop) else at
    return at
