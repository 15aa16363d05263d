"""The rules of the house: layers, imports, names, files, types, style.  Each is read off the tree itself."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import safepickle

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "safepickle"

# A module imports only from the layers above its own in this list.
LAYERS = (
    {"hints"},
    {"build", "errors", "limits", "members", "opcodes"},
    {"dumping", "loading"},
    {"reader", "writer", "probes", "values", "policy.patterns", "policy.regex", "policy.document", "containers.source"},
    {"policy.deferred"},
    {"policy.model", "remote", "windows"}
    | {f"containers.{name}" for name in ("arrays", "compressed", "records", "sevenzips", "stores", "tars")},
    {"policy._plain", "policy.normal", "policy.order", "policy.parse", "policy.powers", "policy.write", "symbols"}
    | {"containers.zips"},
    {"tensors"},
    {"policy.packaged", "glance", "matching", "containers"},
    {"weighing", "lane", "expansion", "memory"},
    {"policy.freeze", "policy"},
    {"policy.diff", "policy.explain", "policy.schema", "verifier", "pickler", "disassemble"},
    {"unpickler", "layouts", "rows"},
    {"codec", "report"},
    {"capabilities", "results"},
    {"scanner"},
    {"many"},
    {"policy.expect", "policy.infer", "policy.inspection", "policy.observe"},
    {"policy.learn", "policy.lint"},
    {"policy.merge", "narrate"},
    {""},
    {"console", "baseline", "completion", "formats.outcomes", "pages.objects"},
    {"config", "progress", "cli_policy", "formats.text", "formats.documents", "formats.sarif", "pages"},
    {"formats.github", "formats.html"},
    {"formats"},
    {"cli_explain", "cli_many", "cli_report"},
    {"cli"},
    {"__main__"},
)
RANKS = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}

TOP_LEVEL = {
    ".ci", ".gitignore", ".pre-commit-hooks.yaml", "LICENSE", "MANIFEST.in", "README.md", "fuzz", "policies",
    "pyproject.toml", "safepickle", "setup.py", "tests",
}  # fmt: skip

INTERFACE = {
    "DEFAULT_PROTOCOL", "EndOfStream", "Finding", "Forbidden", "HIGHEST_PROTOCOL", "LimitExceeded", "MalformedStream",
    "PickleBuffer", "PickleError", "Pickler", "PicklingError", "Policy", "PolicyError", "ReconstructionError", "Report",
    "Unpickler", "UnpicklingError", "constructor", "constructors", "dump", "dumps", "explain", "load", "loads", "scan",
    "scan_many", "verify",
}  # fmt: skip

# Tests that are about the project rather than about one module.
ABOUT_THE_PROJECT = {
    "assembler", "attacks", "bench", "constants", "cpython_suite", "documentation_examples", "fuzz_corpus", "growth",
    "house", "leaks", "malformed", "packs", "passes", "policy_language", "policy_stdlib", "readme", "reentrancy",
    "reuse", "twins", "valid",
}  # fmt: skip

#: What `import safepickle` may load, with what these load themselves: small modules, or such as every program has.
CHEAP = (
    "__future__",
    "_codecs",
    "_compat_pickle",
    "_pickle",
    "collections.abc",
    "copyreg",
    "io",
    "os",
    "struct",
    "types",
)


def modules() -> dict[str, Path]:
    """Every module of the package by its name below it: `errors`, `policy.model`, `policy`, and "" for the package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def tracked() -> list[Path]:
    """The files of the project: those that git knows, or all of an archive."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        return [
            ROOT / os.fsdecode(name) for name in listed.split(b"\0") if name and (ROOT / os.fsdecode(name)).exists()
        ]
    made = {"__pycache__", "build", "dist"}
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and not any(part in made or part.endswith(".egg-info") for part in path.parts)
        and path.suffix not in {".so", ".pyd"}
        and not path.relative_to(ROOT).parts[0].startswith((".venv", ".mypy", ".pytest", ".ruff", ".hypothesis"))
    ]


def imports_of(module: str, path: Path) -> set[str]:
    """The modules of the package that this one imports, at its top or inside of a function."""
    known = modules()
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = absolute(module, path, node)
            found |= {full if below(full) in known else base for full in (f"{base}.{name.name}" for name in node.names)}
    return {below(name) for name in found if name.split(".")[0] == "safepickle"}


def absolute(module: str, path: Path, node: ast.ImportFrom) -> str:
    """The module that a `from` names, a relative one spelled out."""
    if not node.level:
        return node.module or ""
    here = [part for part in ("safepickle", *module.split(".")) if part]
    ups = node.level - (path.name == "__init__.py")
    return ".".join([*here[: len(here) - ups], *([node.module] if node.module else [])])


def below(name: str) -> str:
    """A dotted name as it is called within the package."""
    return name.removeprefix("safepickle").removeprefix(".")


@pytest.mark.parametrize("module", modules())
def test_every_module_has_a_layer(module):
    assert module in RANKS


def test_every_layer_names_modules_that_exist():
    assert set(RANKS) == set(modules())


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_from_lower_layers(module):
    too_high = {name for name in imports_of(module, modules()[module]) if RANKS[name] >= RANKS[module]}
    assert too_high == set()


def test_only_the_unpickler_and_the_pickler_import_by_name_and_nothing_evaluates():
    importing, evaluating = {"__import__", "import_module", "find_class"}, {"eval", "exec", "compile"}
    for module, path in modules().items():
        calls = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        bare = {call.id for call in calls if isinstance(call, ast.Name)}
        named = bare | {call.attr for call in calls if isinstance(call, ast.Attribute)}
        assert bare.isdisjoint(evaluating), module
        assert module in {"unpickler", "pickler"} or named.isdisjoint(importing), module


@pytest.mark.parametrize("module", modules())
def test_every_module_opens_by_saying_what_it_does(module):
    assert ast.get_docstring(ast.parse(modules()[module].read_text("utf-8")))


def test_the_interface_is_exactly_what_is_documented():
    assert set(safepickle.__all__) == INTERFACE
    assert len(safepickle.__all__) == len(INTERFACE)
    assert all(hasattr(safepickle, name) for name in INTERFACE)


def test_the_package_shows_no_other_public_names_than_its_modules():
    public = {name for name in dir(safepickle) if not name.startswith("_")} - INTERFACE
    assert public - {"annotations"} <= {name.split(".")[0] for name in modules()} | {"policies"}


def fresh(program: str) -> set[str]:
    """The modules that a bare interpreter has after `program` and had not before."""
    setting_up = f"import sys; sys.path.insert(0, {str(ROOT)!r}); had = {{*sys.modules}}"
    code = f"{setting_up}; {program}; print(*{{*sys.modules}} - had)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_itself_and_what_is_cheap():
    made_by_cython = re.compile(r"cython_runtime|_cython_\w+")  # empty modules that its types are kept in
    foreign = {name for name in fresh("import safepickle") if name.split(".")[0] != "safepickle"}
    foreign = {name for name in foreign if not made_by_cython.fullmatch(name)}
    assert foreign - fresh(f"import {', '.join(CHEAP)}") == set()


def test_importing_the_command_line_is_not_part_of_importing_the_package():
    assert "safepickle.cli" not in fresh("import safepickle")


def test_no_file_names_a_place_on_somebodys_machine():
    place = re.compile(rb"(?<![\w.])/(?:root|work|home|Users|tmp)/[\w.-]+")
    named = {path.relative_to(ROOT).as_posix() for path in tracked() if place.search(path.read_bytes())}
    assert named - {"tests/test_house.py"} == set()


def test_the_top_of_the_tree_holds_the_named_files_and_no_others():
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP_LEVEL


def test_every_test_file_is_named_after_a_module():
    named = {name.replace(".", "_") for name in modules() if name} | ABOUT_THE_PROJECT
    assert {path.stem.removeprefix("test_") for path in (ROOT / "tests").glob("test_*.py")} <= named


def test_the_only_dependency_at_run_time_is_the_reader_of_yaml():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert [re.split(r"[<>=~!]", name)[0] for name in project["dependencies"]] == ["PyYAML"]


def test_the_package_knows_the_version_that_is_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert safepickle.__version__ == project["version"]


def test_every_package_and_every_policy_ships():
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    packages = {f"safepickle.{name}".rstrip(".") for name, path in modules().items() if path.name == "__init__.py"}
    assert set(setup["packages"]) == packages | {"safepickle.policies"}
    assert {path.suffix for path in (ROOT / "policies").iterdir() if path.is_file()} == {".md", ".py", ".yaml"}


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_mypy_finds_nothing():
    assert run("mypy") == ""


def test_ruff_finds_nothing():
    assert run("ruff", "check", "--quiet") == ""


def test_every_exception_from_a_check_says_why():
    """Each code that is switched off stands in the source with a comment that gives its reason."""
    config = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    ignored = [line for line in config if re.match(r'\s+"[A-Z]+[0-9]*",', line) and line.count('"') == 2]
    assert ignored
    assert [line for line in ignored if not re.search(r'",\s+# .*\w', line)] == []
    bare = re.compile(r"# noqa(?!: [A-Z]+[0-9]+(?:, [A-Z]+[0-9]+)*(?: -|  #) \w)|# type: ignore(?!\[)")
    sources = [path for path in tracked() if path.suffix == ".py" and path.name != "test_house.py"]
    assert [path.name for path in sources if bare.search(path.read_text("utf-8"))] == []
