"""The policies that come with the package: where their files are, and reading each at most once in a process.

Rules:

* They are the files `*.yaml` of the package `safepickle.policies`; in a checkout that is not installed, the folder
  `policies` beside the package.
* `plain` is read from a literal that was made from its file, so that using only the default policy needs no YAML.
* Of the others, what is listed under a module is read when a name of that module is asked for.
* A packaged policy includes packaged policies only.
* This module knows nothing of environment variables and of users' files.
"""

from __future__ import annotations

import os
from _thread import RLock

from safepickle.errors import PolicyError
from safepickle.hints import Final, Iterable
from safepickle.policy.model import PolicyData

PACKAGE: Final = "safepickle.policies"
PLAIN: Final = "plain"
#: Top-level modules of libraries, and the packaged policy for each: for advice, which reads no folder.
LIBRARIES: Final = {
    "PIL": "pillow", "celery": "celery", "dateutil": "dateutil", "django": "django", "joblib": "joblib",
    "kombu": "kombu", "lightgbm": "lightgbm", "networkx": "networkx", "numpy": "numpy", "pandas": "pandas",
    "pydantic": "pydantic", "pytz": "pytz", "scipy": "scipy", "shapely": "shapely", "sklearn": "sklearn",
    "torch": "torch", "xgboost": "xgboost",
}  # fmt: skip
_SUFFIX: Final = ".yaml"
_read: dict[str, PolicyData] = {}
_contents: dict[str, bytes] = {}  # of the files that were read, as they were then
_reading: list[str] = []
_turn: Final = RLock()  # a second thread waits for the first to have read; the same one comes back for what is included


def folder() -> str:
    """The folder of the packaged policies.  Raises `PolicyError` where the installation lacks it."""
    from importlib.util import find_spec

    spec = find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    checkout = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for place in (*places, os.path.join(checkout, "policies")):
        if os.path.isfile(os.path.join(place, PLAIN + _SUFFIX)):
            return place
    raise PolicyError("the packaged policies are missing from this installation of safepickle")


def names() -> tuple[str, ...]:
    """The names of the packaged policies, sorted."""
    return tuple(sorted(file.removesuffix(_SUFFIX) for file in os.listdir(folder()) if file.endswith(_SUFFIX)))


def load_plain() -> PolicyData:
    """The data of `plain`, without reading a file."""
    from safepickle.policy._plain import DATA

    return DATA


def load(name: str) -> PolicyData:
    """The data of one packaged policy, without `plain` joined.  Raises `PolicyError` for an unknown name."""
    if name == PLAIN:
        return load_plain()
    if name not in _read:
        with _turn:
            return _read_first(name)
    return _read[name]


def _read_first(name: str) -> PolicyData:
    if name in _read:
        return _read[name]
    if name not in names():
        from safepickle.policy.document import Problems

        raise PolicyError(f"there is no packaged policy {name!r}{Problems('').nearest(name, names())}")
    if name in _reading:
        raise PolicyError(f"the packaged policy {name!r} includes itself")
    _reading.append(name)
    try:
        content = _content(name)
        _read[name] = _load_content(name, content, load_plain(), whole=False)
        _contents[name] = content
    finally:
        _reading.remove(name)
    return _read[name]


def contents(wanted: Iterable[str]) -> dict[str, bytes]:
    """The bytes that the data of these packaged policies was read from; `plain`, which is read from none, is left out.

    They are those that count in this process, whatever the files have become since.
    """
    for name in wanted:
        load(name)
    return {name: _contents[name] for name in wanted if name != PLAIN}


def load_file(name: str, plain: PolicyData, *, whole: bool = True) -> PolicyData:
    """The data of the packaged file of that name, read now; if not as a `whole`, its grants when they are asked for."""
    return _load_content(name, _content(name), plain, whole=whole)


def _content(name: str) -> bytes:
    with open(os.path.join(folder(), name + _SUFFIX), "rb") as file:
        return file.read()


def _load_content(name: str, content: bytes, plain: PolicyData, *, whole: bool) -> PolicyData:
    from safepickle.policy.parse import Library, Source

    source = Source(f"safepickle/policies/{name}{_SUFFIX}", ours=True, whole=whole)
    return Library(load, names, plain).load_text(content, source)
