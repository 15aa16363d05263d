"""Settings of `scan` and `report` that need not be typed every time: `[tool.safepickle]` in a pyproject.toml.

Rules:

* A file that `--config` names is read, wherever it is.  Else it is the `pyproject.toml` of the current folder, and only
  if whoever wrote what is scanned cannot have written it too: if nothing of what is scanned lies in that folder or
  below it, nor the folder or the file in what is scanned, links followed or not.
* No other folder is looked into.
* It is read whole and strictly: a file that is not understood ends the run.
* What is said on the command line counts before it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from safepickle.console import COLOURS
from safepickle.errors import escape
from safepickle.formats.outcomes import FORMATS
from safepickle.policy import _is_path

__all__ = ["NAME", "ConfigError", "Settings", "has_settings", "is_above_suspicion", "read_config"]

NAME: Final = "pyproject.toml"
_TABLE: Final = "safepickle"
_LARGEST: Final = 1 << 20
#: Each key, and what it may be; None: any text.
_KEYS: Final[dict[str, tuple[str, ...] | None]] = {
    "policy": None, "baseline": None, "format": FORMATS, "color": COLOURS,
}  # fmt: skip


class ConfigError(ValueError):
    """A file of settings is not understood."""


class Settings(NamedTuple):
    """What a file sets; None: nothing."""

    policy: str | None = None
    baseline: str | None = None
    format: str | None = None
    color: str | None = None


def is_above_suspicion(file: str, scanned: Iterable[str]) -> bool:
    """Whether a file of settings lies apart from everything that is scanned."""
    folders = {os.path.dirname(os.path.abspath(file)), os.path.dirname(os.path.realpath(file))}
    files = {os.path.abspath(file), os.path.realpath(file)}
    for path in scanned:
        for place in (os.path.abspath(path), os.path.realpath(path)):
            if any(_is_in(place, folder) for folder in folders) or any(_is_in(each, place) for each in files):
                return False
    return True


def has_settings(file: str) -> bool:
    """Whether a file of settings that is not read seems to have some; nothing in it is understood."""
    try:
        with open(file, "rb") as opened:
            return b"[tool.safepickle]" in opened.read(_LARGEST)
    except OSError:
        return False


def _is_in(path: str, folder: str) -> bool:
    """Whether a path is the folder, or below it."""
    try:
        return os.path.commonpath([path, folder]) == folder
    except ValueError:  # on different drives
        return False


def read_config(file: str, *, required: bool) -> Settings:
    """The settings in a file; without a table of ours, none, or ConfigError where it is `required`.

    Raises OSError for what cannot be read.
    """
    with open(file, "rb") as opened:
        raw = opened.read(_LARGEST + 1)
    if len(raw) > _LARGEST:
        raise ConfigError(f"it is larger than {_LARGEST >> 20} MiB")
    table = _table(raw)
    if table is None:
        if required:
            raise ConfigError(f"there is no [tool.{_TABLE}]")
        return Settings()
    if not isinstance(table, dict):
        raise ConfigError(f"tool.{_TABLE} is no table")
    found = {key: _checked(key, value) for key, value in table.items()}
    folder = os.path.dirname(file)
    if "policy" in found and _is_path(found["policy"]):
        found["policy"] = os.path.join(folder, found["policy"])
    if "baseline" in found:
        found["baseline"] = os.path.join(folder, found["baseline"])
    return Settings(**found)


def _table(raw: bytes) -> Any:
    import tomllib

    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except RecursionError:
        raise ConfigError("it is nested too deep") from None
    except ValueError as error:  # of TOML, and of UTF-8
        raise ConfigError(escape(str(error), 300)) from None
    tools = document.get("tool", {})
    return tools.get(_TABLE) if isinstance(tools, dict) else None


def _checked(key: str, value: Any) -> str:
    where = f"tool.{_TABLE}.{escape(key, 60)}"
    if key not in _KEYS:
        raise ConfigError(f"{where} is no setting; there are {', '.join(_KEYS)}")
    if not isinstance(value, str):
        raise ConfigError(f"{where} is no text")
    choices = _KEYS[key]
    if choices is not None and value not in choices:
        raise ConfigError(f"{where} is {escape(value, 60)!r}, which is none of {', '.join(choices)}")
    return value
