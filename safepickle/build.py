"""Which build of the package runs: the compiled one, or the sources as they are.

The modules that cost time have a `.pxd` beside them, and `setup.py` compiles them where it can.  Either way they are
the same sources and do the same.

Rules:

* It is asked before any other module of the package is imported.
* Never a mixture: compiled modules rely on each other's layout in memory, and what some of them and some of the sources
  do together nobody has tested.  A mixture, as an interrupted build leaves it, is an error.
* `SAFEPICKLE_PURE=1` runs the sources, whatever is compiled; with `SAFEPICKLE_REQUIRE_EXT=1` to have nothing compiled
  is an error.
* It knows files, and nothing of what is in them.
"""

from __future__ import annotations

import os
import sys
from _imp import extension_suffixes
from types import ModuleType

from safepickle.hints import TYPE_CHECKING, Final, Iterator, Sequence

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

VERSION: Final = "0.1.0"
COMPILED: Final = "compiled"
PURE: Final = "pure"

_PACKAGE: Final = __name__.rpartition(".")[0]
_FOLDER: Final = os.path.dirname(__file__)
_SUBPACKAGES: Final = ("", "policy")
_SUFFIXES: Final = tuple(extension_suffixes())
_REBUILD: Final = "build it again (pip install -e . in a checkout), or set SAFEPICKLE_PURE=1 to run the sources"


def core() -> str:
    """Which build runs: "compiled" or "pure"."""
    return COMPILED if any(_is_compiled(sys.modules.get(name)) for name, _ in _candidates()) else PURE


def choose() -> None:
    """Arrange for one of the two builds to be imported.

    Raises ImportError if there is only part of the compiled one, or none where the environment asks for it.
    """
    if _asked("SAFEPICKLE_PURE"):
        if _asked("SAFEPICKLE_REQUIRE_EXT"):
            raise ImportError("SAFEPICKLE_PURE and SAFEPICKLE_REQUIRE_EXT are both set, and contradict each other")
        if SourceFinder not in sys.meta_path:
            sys.meta_path.insert(0, SourceFinder)
        return
    candidates = [*_candidates()]
    lacking = [name for name, compiled in candidates if not compiled]
    present = [name for name, compiled in candidates if compiled]
    if lacking and present:
        raise ImportError(
            f"safepickle is compiled in part: {', '.join(present)}, but not {', '.join(lacking)}; {_REBUILD}"
        )
    if not present and _asked("SAFEPICKLE_REQUIRE_EXT"):
        raise ImportError("SAFEPICKLE_REQUIRE_EXT is set, and safepickle has no compiled modules here")


class SourceFinder:
    """Finds the modules of this package as their sources."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, _: ModuleType | None = None) -> ModuleSpec | None:
        """What there is to load for `name`, or None if that is not for this finder to say."""
        if path is None or not name.startswith(f"{_PACKAGE}."):
            return None
        from _frozen_importlib_external import SOURCE_SUFFIXES, FileFinder, SourceFileLoader  # already there

        found = (FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES)).find_spec(name) for folder in path)
        return next((spec for spec in found if spec is not None and spec.loader is not None), None)


def _candidates() -> Iterator[tuple[str, bool]]:
    """The modules that are to be compiled, by their full names, and whether they are.

    Those with a `.pxd`, and those that are compiled without one: an older version may have left them.
    """
    for subpackage in _SUBPACKAGES:
        try:
            files = {*os.listdir(os.path.join(_FOLDER, subpackage))}
        except OSError:  # not in a folder: in an archive, where nothing compiled can be
            continue
        stems = {file.partition(".")[0] for file in files if file.endswith((".pxd", *_SUFFIXES))}
        for stem in sorted(stem for stem in stems if f"{stem}.py" in files):
            compiled = any(stem + suffix in files for suffix in _SUFFIXES)
            if compiled or f"{stem}.pxd" in files:
                yield ".".join(part for part in (_PACKAGE, subpackage, stem) if part), compiled


def _is_compiled(module: ModuleType | None) -> bool:
    return (getattr(module, "__file__", None) or "").endswith(_SUFFIXES)


def _asked(variable: str) -> bool:
    return os.environ.get(variable, "") not in {"", "0"}
