"""Writes `_plain.py`: the data of `policies/plain.yaml` as a Python literal.  `python -m safepickle.policy.freeze`.

The YAML file is the source of truth.  The literal saves every process that only uses the default policy from importing
a YAML parser and reading the file, some 50 ms.  A test proves that the two are equal.
"""

from __future__ import annotations

import os
import re
from types import ModuleType
from typing import Any, Final

from safepickle.policy import model, patterns
from safepickle.policy.model import PolicyData
from safepickle.policy.packaged import PLAIN, load_file

# A literal that fits in a line with what may stand before it.
_SHORT: Final = 90
_HEAD: Final = '''"""The data of `policies/plain.yaml`.

Made by `python -m safepickle.policy.freeze`: change the file and run that.
"""

from __future__ import annotations

from safepickle.hints import Final
from safepickle.policy.model import {model}
from safepickle.policy.patterns import {patterns}

DATA: Final = {literal}
'''


def frozen() -> str:
    """The source of `_plain.py`, made from the file as it is now."""
    data = load_file(PLAIN, PolicyData({}))
    literal = _literal(data, 0)
    return _HEAD.format(model=_used(literal, model), patterns=_used(literal, patterns), literal=literal)


def _used(literal: str, module: ModuleType) -> str:
    made_here = (name for name, made in vars(module).items() if getattr(made, "__module__", "") == module.__name__)
    return ", ".join(sorted(name for name in made_here if re.search(rf"\b{name}\(", literal)))


def _literal(value: Any, indent: int) -> str:
    """`value` as Python source; named tuples show the fields that are not at their defaults."""
    if isinstance(value, frozenset):
        return f"frozenset({{{', '.join(sorted(map(_text, value)))}}})" if value else "frozenset()"
    if isinstance(value, dict):
        lines = [f"{_literal(key, 0)}: {_literal(item, indent + 4)}" for key, item in value.items()]
        return _block("{", lines, "}", indent)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        defaults = vars(type(value))["_field_defaults"]
        named = zip(value._fields, value, strict=True)
        shown = [f"{name}={_literal(item, indent + 4)}" for name, item in named if (name, item) not in defaults.items()]
        return _block(f"{type(value).__name__}(", shown, ")", indent)
    if isinstance(value, tuple):
        items = [_literal(item, indent + 4) for item in value]
        return f"({items[0]},)" if len(items) == 1 and len(items[0]) < _SHORT else _block("(", items, ")", indent)
    return _text(value)


def _block(head: str, items: list[str], tail: str, indent: int) -> str:
    flat = head + ", ".join(items) + tail
    if len(flat) < _SHORT and "\n" not in flat:
        return flat
    inner = " " * (indent + 4)
    return head + "\n" + "".join(f"{inner}{item},\n" for item in items) + " " * indent + tail


def _text(value: object) -> str:
    """`repr` with the quotes of the house."""
    if isinstance(value, str) and value.isprintable() and not {"'", '"', "\\"} & set(value):
        return f'"{value}"'
    return repr(value)


def main() -> None:
    """Write the file beside this module."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_plain.py")
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(frozen())


if __name__ == "__main__":
    main()
