"""Which build runs: the one that was asked for, wholly, and never a mixture."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import safepickle
from safepickle import build

PACKAGE = Path(safepickle.__file__).parent
CHOICES = {"SAFEPICKLE_PURE", "SAFEPICKLE_REQUIRE_EXT"}


def asked(variable: str) -> bool:
    return os.environ.get(variable, "") not in {"", "0"}


def to_be_compiled(package: Path) -> list[Path]:
    return sorted(path for path in package.rglob("*.py") if path.with_suffix(".pxd").exists())


def extensions(package: Path) -> list[Path]:
    """The extension modules that this Python would load."""
    return sorted(path for path in package.rglob("*") if path.name[path.name.find(".") :] in EXTENSION_SUFFIXES)


def imported(package: Path, program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What becomes of `program` after `import safepickle` with the package in this folder."""
    code = f"import sys; sys.path.insert(0, {str(package.parent)!r}); import safepickle; {program}"
    inherited = {name: value for name, value in os.environ.items() if name not in CHOICES}
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def sources(tmp_path) -> Path:
    """A copy of the package with nothing compiled in it."""
    return shutil.copytree(PACKAGE, tmp_path / "safepickle", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pyc*"))


@pytest.fixture
def compiled() -> list[Path]:
    if not extensions(PACKAGE):
        pytest.skip("nothing is compiled here")
    return extensions(PACKAGE)


def test_the_build_that_runs_is_the_one_that_was_asked_for():
    if asked("SAFEPICKLE_PURE"):
        assert build.core() == "pure"
    elif asked("SAFEPICKLE_REQUIRE_EXT"):
        assert build.core() == "compiled"
    else:
        assert build.core() == ("compiled" if extensions(PACKAGE) else "pure")


def test_all_modules_are_compiled_that_are_to_be_or_none_is():
    stems = {path.name.partition(".")[0] for path in extensions(PACKAGE)}
    assert stems in (set(), {path.stem for path in to_be_compiled(PACKAGE)})


def test_no_compiled_module_is_older_than_what_it_was_compiled_from(compiled):
    if not (PACKAGE.parent / "setup.py").exists():
        pytest.skip("not built in place: the times are those of the installation")
    stale = {
        path.name
        for path in compiled
        for suffix in (".py", ".pxd")
        if path.stat().st_mtime < (path.parent / path.name.partition(".")[0]).with_suffix(suffix).stat().st_mtime
    }
    assert stale == set(), "build them again: pip install -e ."


def test_each_module_that_was_to_be_compiled_runs_as_the_build_says():
    for path in to_be_compiled(PACKAGE):
        name = ".".join(("safepickle", *path.relative_to(PACKAGE).with_suffix("").parts))
        assert import_module(name).__file__.endswith(".py") == (build.core() == "pure")


def test_a_compiled_package_runs_its_sources_where_that_is_asked_for(compiled):
    files = "print(*(m.__file__ for n, m in sys.modules.items() if n.startswith('safepickle.')))"
    done = imported(PACKAGE, f"print(safepickle.build.core()); {files}", SAFEPICKLE_PURE="1")
    core, files = done.stdout.splitlines()
    assert core == "pure"
    assert len(files.split()) > len(compiled)
    assert all(file.endswith(".py") for file in files.split())


def test_a_choice_of_zero_is_no_choice(sources):
    done = imported(sources, "print(safepickle.build.core())", SAFEPICKLE_PURE="0", SAFEPICKLE_REQUIRE_EXT="0")
    assert done.stdout == "pure\n"


def test_sources_alone_run_and_say_so(sources):
    assert imported(sources, "print(safepickle.build.core())").stdout == "pure\n"


def test_sources_alone_are_an_error_where_the_compiled_modules_are_required(sources):
    done = imported(sources, "", SAFEPICKLE_REQUIRE_EXT="1")
    assert done.stderr.splitlines()[-1] == (
        "ImportError: SAFEPICKLE_REQUIRE_EXT is set, and safepickle has no compiled modules here"
    )


def test_to_require_both_builds_is_an_error(sources):
    done = imported(sources, "", SAFEPICKLE_PURE="1", SAFEPICKLE_REQUIRE_EXT="1")
    assert "contradict" in done.stderr.splitlines()[-1]


def test_a_mixture_is_an_error_that_names_its_parts_and_says_what_to_do(sources):
    (sources / "errors.pxd").touch()
    (sources / f"limits{EXTENSION_SUFFIXES[0]}").touch()
    done = imported(sources, "")
    message = done.stderr.splitlines()[-1]
    assert message.startswith("ImportError: safepickle is compiled in part: safepickle.limits, but not ")
    assert "safepickle.errors" in message
    assert "pip install -e ." in message


def test_a_mixture_runs_as_sources_where_that_is_asked_for(sources):
    (sources / "errors.pxd").touch()
    (sources / f"limits{EXTENSION_SUFFIXES[0]}").touch()
    done = imported(sources, "print(safepickle.build.core())", SAFEPICKLE_PURE="1")
    assert done.stdout == "pure\n", done.stderr


def test_extension_modules_of_another_python_are_not_of_this_build(sources):
    (sources / "limits.cpython-200-nowhere.so").touch()
    assert imported(sources, "print(safepickle.build.core())").stdout == "pure\n"


def test_classes_and_functions_know_the_module_that_they_are_in():
    for path in to_be_compiled(PACKAGE):
        name = ".".join(("safepickle", *path.relative_to(PACKAGE).with_suffix("").parts))
        made_here = [
            value
            for value in vars(import_module(name)).values()
            if isinstance(value, type) and value.__module__.startswith("safepickle")
        ]
        for kind in made_here:
            assert getattr(sys.modules[kind.__module__], kind.__name__) is kind


# What the classes of the core keep are pointers in C: made without `__init__`, an object must not have methods that
# follow them to nowhere.
_MADE_WITHOUT_ARGUMENTS = """
import sys
from importlib import import_module
for module in map(import_module, sys.argv[1:]):
    for kind in [each for each in vars(module).values() if isinstance(each, type)]:
        if kind.__module__ != module.__name__ or issubclass(kind, BaseException):
            continue
        print(module.__name__, kind.__name__, flush=True)
        try:
            made = kind.__new__(kind)
        except TypeError:
            continue
        for name in dir(made):
            for given in ((), (1,), (1, 1), (b"x",), ([], 1, 1, 1)) if not name.startswith("__") else ():
                try:
                    getattr(made, name)(*given)
                except Exception:
                    pass
print("all survived")
"""


def test_what_is_made_without_arguments_is_refused_or_does_no_harm():
    modules = [
        ".".join(("safepickle", *path.relative_to(PACKAGE).with_suffix("").parts)) for path in to_be_compiled(PACKAGE)
    ]
    ran = subprocess.run(
        [sys.executable, "-c", _MADE_WITHOUT_ARGUMENTS, *modules],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    said = ran.stdout.splitlines()
    assert ran.returncode == 0, f"{said[-1:]}: {ran.stderr}"
    assert said[-1] == "all survived"
    assert len(said) > 40
