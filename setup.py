"""How the compiled core is built; everything else about the package is declared in pyproject.toml.

The sources of the compiled modules are the `.py` files themselves: every module of the package with a `.pxd` beside it
is compiled by Cython, and no other.  No list of them is kept anywhere.

Rules:

* All of them or none.  Whatever goes wrong (no Cython, no compiler, an error in either) ends in a package without any
  compiled module, which does the same, slower.  A mixture would be a third program that nobody has tested.
* What was chosen is said in the log of the build, and at run time by `safepickle version`.
* Nothing is generated beside the sources but the extension modules of a build in place.

Environment variables, read when it is built:

* `SAFEPICKLE_PURE=1`: no compiled modules.
* `SAFEPICKLE_REQUIRE_EXT=1`: what would end in a package without them is an error instead.
* `SAFEPICKLE_CHECKED=1`: compiled with bounds checks and assertions, for tests.
* `CC`, `CFLAGS`, `LDFLAGS`: as everywhere.  An optimization level in `CFLAGS` replaces the one from here.
* `SAFEPICKLE_GENERATED`: a folder to keep the generated C in.  The next build of the same sources finds it there, also
  for another Python.  (Cython has a cache of its own, which asks where Cython is installed: a new place each time.)
"""

from __future__ import annotations

import os
import re
import sys
from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import version
from multiprocessing import get_all_start_methods
from pathlib import Path
from shutil import rmtree

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

PACKAGE = Path("safepickle")
JOBS = min(2, os.cpu_count() or 1)  # a compiler takes some hundred megabytes for each


def asked(variable: str) -> bool:
    """Whether an environment variable is set to something else than nothing or 0."""
    return os.environ.get(variable, "") not in {"", "0"}


CHECKED = asked("SAFEPICKLE_CHECKED")

# What Cython may assume.  Indexes of the sources are within bounds: each is computed beside its test.
DIRECTIVES = {
    "language_level": 3,
    "binding": True,  # functions that look and are inspected as Python's own
    "annotation_typing": False,  # annotations are for mypy; C types stand in the .pxd
    "boundscheck": CHECKED,
    "wraparound": True,  # the sources say `items[-1]`; arrays of C are indexed without it
    "initializedcheck": False,
    "auto_pickle": False,  # an object of the core is not to be made from a state
    "cdivision": True,
}


def modules() -> list[Extension]:
    """One extension for every module that has a `.pxd` beside it."""
    headers = sorted(path.as_posix() for path in PACKAGE.rglob("*") if path.suffix in {".h", ".pxd"})
    sources = sorted(path.with_suffix(".py") for path in PACKAGE.rglob("*.pxd") if path.with_suffix(".py").exists())
    return [
        Extension(
            ".".join(source.with_suffix("").parts),
            [source.as_posix()],
            depends=headers,
            include_dirs=[".", PACKAGE.as_posix()],
        )
        for source in sources
    ]


def flags(compiler: str) -> list[str]:
    """What a compiler is told beyond what Python tells it; `compiler` is the kind that setuptools knows it by."""
    if compiler == "msvc":
        return ["/UNDEBUG"] if CHECKED else []
    given = os.environ.get("CFLAGS", "")
    chosen = [] if re.search(r"(^|\s)-O", given) else ["-O3"]
    if not re.search(r"(^|\s)-g", given):
        chosen.append("-g0")  # half of the time and most of the size would be line numbers of generated C
    if asked("SAFEPICKLE_REQUIRE_EXT"):
        chosen.append("-Werror=incompatible-pointer-types")  # what newer compilers refuse on their own
    return [*chosen, "-UNDEBUG"] if CHECKED else chosen


class Build(build_ext):
    """Builds all extensions, or none."""

    def run(self) -> None:
        """Build them; where that fails, go on without them unless that is forbidden."""
        self._remove_all()  # what an earlier build left must not get into this one
        try:
            if asked("SAFEPICKLE_PURE"):
                raise RuntimeError("SAFEPICKLE_PURE is set")  # noqa: TRY301 - one way out for every reason
            self._generate()
            super().run()
        except (Exception, SystemExit) as error:
            if asked("SAFEPICKLE_REQUIRE_EXT"):
                raise
            self._go_on_without(error)

    def build_extensions(self) -> None:
        """Compile what has been generated, with the flags for the compiler that there is."""
        for extension in self.extensions:
            extension.extra_compile_args = flags(self.compiler.compiler_type)
        super().build_extensions()

    def _generate(self) -> None:
        if sys.implementation.name != "cpython":
            raise RuntimeError(f"the compiled core is for CPython, not for {sys.implementation.name}")
        from Cython.Build import cythonize

        self.force = True  # flags and directives leave no trace in time stamps
        self.parallel = JOBS
        folder = self._generated()
        if not (folder / "complete").exists():
            cythonize(
                self.extensions,
                build_dir=str(folder),
                compiler_directives=DIRECTIVES,
                force=True,
                nthreads=JOBS if get_all_start_methods()[0] == "fork" else 0,
            )
            (folder / "complete").touch()
        for extension in self.extensions:
            extension.sources = [str((folder / extension.sources[0]).with_suffix(".c"))]

    def _generated(self) -> Path:
        """Where the generated C is: kept under what it is made of, if anybody asks for that."""
        kept = os.environ.get("SAFEPICKLE_GENERATED")
        if not kept:
            rmtree(self.build_temp, ignore_errors=True)
            return Path(self.build_temp)
        made_of = sha256(repr((version("Cython"), DIRECTIVES)).encode())
        for path in sorted(path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".pxd"}):
            made_of.update(f"{path.as_posix()} {path.stat().st_size} ".encode() + path.read_bytes())
        return Path(kept).absolute() / made_of.hexdigest()

    def _go_on_without(self, error: BaseException) -> None:
        self._remove_all()
        self.extensions = self.distribution.ext_modules = []
        wheel = self.distribution.command_obj.get("bdist_wheel")
        if wheel is not None:
            wheel.root_is_pure = True  # what has nothing compiled in it is for every platform
        why = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]  # the whole of it stands further up
        sys.stderr.write(f"safepickle: building WITHOUT the compiled core, which makes it many times slower: {why}\n")

    def _remove_all(self) -> None:
        roots = {Path(self.build_lib), Path()} if self.inplace or self.editable_mode else {Path(self.build_lib)}
        for path in [path for root in roots for path in (root / PACKAGE).rglob("*")]:
            if path.name.removeprefix(path.name.partition(".")[0]) in EXTENSION_SUFFIXES:  # of this Python, not another
                path.unlink()


setup(ext_modules=modules(), cmdclass={"build_ext": Build})
