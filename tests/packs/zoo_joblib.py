"""The zoo of joblib, see tests/packs.

What stands for an array in a file of joblib is no pickle by itself: tests/test_packs.py has such files scanned.
"""

PACK = "joblib"
IMPORTS = "joblib joblib.numpy_pickle joblib.numpy_pickle_compat joblib.hashing joblib.memory joblib.func_inspect numpy"
SKIPPED = ("joblib.externals", "joblib.test",
           "joblib.compressor")  # which opens files, with whichever libraries are here
_TOOL = "a tool, not a value"
WITHOUT = {
    "joblib._dask": _TOOL,
    "joblib._parallel_backends": "it starts processes",
    "joblib._store_backends": "it opens files",
    "joblib._utils": _TOOL,
    "joblib.backports": _TOOL,
    "joblib.hashing": _TOOL,
    "joblib.logger": _TOOL,
    "joblib.memory": "it opens files",
    "joblib.parallel": _TOOL,
}
KEPT = {
    "numpy.random": "generators in files of joblib",
    "joblib.numpy_pickle.NumpyArrayWrapper": "in files of joblib only",
    "joblib.my_exceptions.WorkerInterrupt": "up to 0.17",
}

VALUES = [
    ("error.transportable", "joblib.my_exceptions.TransportableException('a', ValueError)"),
    ("error.worker", "joblib.my_exceptions.WorkerInterrupt()"),
]

