"""Files of torch: one made without it, and the two kinds loaded with it, as an application's Unpickler would.

Rules:

* The policy has said what the pickle may do.  What is left to whoever gives the storages is done here: the number of
  items in a persistent ID is held against the bytes that there are, and a key names a member and nothing else.
* torch is imported by those that load.
"""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import safepickle

POLICY = "torch"


def zipped(pickle: bytes) -> bytes:
    """A file of torch's around a pickle, with one storage of 24 bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle)
        archive.writestr("archive/version", b"3\n")
        archive.writestr("archive/data/0", struct.pack("<6f", 1, 2, 3, 4, 5, 6))
    return file.getvalue()


def members(data: bytes) -> dict[str, bytes]:
    """The members of a zip of torch's, but for the one that differs at each run."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if "serialization_id" not in name}


def storage(cls: Any, raw: bytes, count: int) -> Any:
    """A storage of these bytes."""
    import torch

    dtype = torch.uint8 if cls is torch.UntypedStorage else cls.dtype
    if len(raw) != count * dtype.itemsize:
        raise ValueError("a storage is not as long as its persistent ID says")
    untyped = torch.UntypedStorage(len(raw))
    if raw:
        untyped.copy_(torch.frombuffer(bytearray(raw), dtype=torch.uint8).untyped_storage())
    return torch.storage.TypedStorage(wrap_storage=untyped, dtype=dtype, _internal=True)


class Loader(safepickle.Unpickler):
    """Loads the value in a zip of torch's."""

    def __init__(self, data: bytes) -> None:
        self._archive = zipfile.ZipFile(io.BytesIO(data))
        self._folder = self._archive.namelist()[0].partition("/")[0]
        self._storages: dict[str, Any] = {}
        super().__init__(io.BytesIO(self._archive.read(f"{self._folder}/data.pkl")), policy=POLICY)

    def persistent_load(self, pid: Any) -> Any:
        _, cls, key, _, count = pid
        if key not in self._storages:
            self._storages[key] = storage(cls, self._archive.read(f"{self._folder}/data/{key}"), count)
        return self._storages[key]


class LegacyLoader(safepickle.Unpickler):
    """Loads the value in a file from before torch wrote zip; its storages come behind it."""

    def __init__(self, file: io.BytesIO) -> None:
        self.storages: dict[str, Any] = {}
        self._room = len(file.getvalue())
        super().__init__(file, policy=POLICY)

    def persistent_load(self, pid: Any) -> Any:
        if pid[0] == "module":
            return pid[1]
        _, cls, key, _, count, _ = pid
        if key not in self.storages:
            import torch

            size = 1 if cls is torch.UntypedStorage else cls.dtype.itemsize
            if count * size > self._room:
                raise ValueError("a storage is longer than the file")
            self.storages[key] = storage(cls, bytes(count * size), count)
        return self.storages[key]


def load_legacy(data: bytes) -> Any:
    """The value in a file from before torch wrote zip."""
    import torch

    file = io.BytesIO(data)
    for _ in range(3):  # a number, a version, facts about the machine
        safepickle.load(file, policy="plain")
    loader = LegacyLoader(file)
    value = loader.load()
    for key in safepickle.load(file, policy="plain"):
        found = loader.storages[key]
        [count] = struct.unpack("<q", file.read(8))
        if count != len(found):
            raise ValueError("a storage is not as long as its persistent ID says")
        raw = bytearray(file.read(count * found.dtype.itemsize))
        if raw:
            found.untyped().copy_(torch.frombuffer(raw, dtype=torch.uint8).untyped_storage())
    return value
