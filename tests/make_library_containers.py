"""Writes `tests/data/containers`: small files as the libraries that write them write them, which the tests read.

    python -m tests.make_library_containers     # needs numpy, joblib, lz4, backports.zstd (or Python 3.14) and py7zr

The tests need none of these libraries, but for what only they can unpack.  Made with numpy 2.4, joblib 1.6, lz4 4.4,
py7zr 1.1 and gdbm 1.23.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "data" / "containers"
SMALL: Final = {"a": [1, 2.5, "x"]}
EVIL: Final = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R."


class _Evil:
    def __reduce__(self) -> Any:
        import os

        return os.system, ("true",)


def main() -> None:
    import joblib
    import lz4.frame
    import numpy as np
    import py7zr

    try:
        from compression import zstd
    except ImportError:
        from backports import zstd

    FOLDER.mkdir(exist_ok=True)
    numbers, letters = np.arange(40.0).reshape(5, 8), np.array(["some", "texts"])
    records = np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "<i4"), ("b", "<f8")])
    objects = np.array([{"b": 1}, [2.5], None, "x"], dtype=object)
    several = {"n": numbers, "again": numbers, "l": letters, "r": records, "empty": np.zeros((0, 3)), "s": [1, "b"]}
    joblib.dump(several, FOLDER / "several.joblib")
    joblib.dump(several, FOLDER / "several.protocol2.joblib", protocol=2)
    joblib.dump([objects, numbers, np.array([objects, 1], dtype=object)], FOLDER / "objects.joblib")
    joblib.dump([numbers, np.array([_Evil()], dtype=object), numbers], FOLDER / "evil_objects.joblib")
    joblib.dump([numbers, _Evil()], FOLDER / "evil_behind.joblib")
    for method in ("zlib", "gzip", "bz2", "lzma", "xz", "lz4"):
        joblib.dump(several, FOLDER / f"several.{method}.joblib", compress=(method, 3))
    np.save(FOLDER / "objects.npy", objects)
    np.savez_compressed(FOLDER / "arrays.npz", numbers=numbers, records=records)
    np.savez(FOLDER / "objects.npz", numbers=numbers, objects=objects)
    plain = pickle.dumps(SMALL, 4)
    for name, inner in (("good", plain), ("evil", EVIL)):
        (FOLDER / f"{name}.lz4").write_bytes(lz4.frame.compress(inner))
        (FOLDER / f"{name}.zst").write_bytes(zstd.compress(inner))
        file = io.BytesIO()
        with py7zr.SevenZipFile(file, "w") as archive:
            archive.writestr(inner, "data.pkl")
        (FOLDER / f"{name}.7z").write_bytes(file.getvalue())
    file = io.BytesIO()
    with py7zr.SevenZipFile(file, "w", password="secret", header_encryption=True) as archive:
        archive.writestr(plain, "data.pkl")
    (FOLDER / "encrypted.7z").write_bytes(file.getvalue())
    _gdbm({"good": plain, "evil": EVIL})


def _gdbm(files: dict[str, bytes]) -> None:
    try:
        import dbm.gnu
    except ImportError:
        print("this Python has no gdbm: its files stay as they are")
        return
    for name, inner in files.items():
        path = FOLDER / f"{name}.gdbm"
        path.unlink(missing_ok=True)
        with dbm.gnu.open(str(path), "n") as base:
            for number in range(3):
                base[f"key {number}"] = pickle.dumps(number)
            base["last"] = inner


if __name__ == "__main__":
    main()
