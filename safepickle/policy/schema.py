"""The JSON Schema of policy documents, for editors: completion, and a red line under a key that does not exist.

It is made from the tables that the reader of policies uses.  Rules:

* What the reader accepts, the schema accepts: an editor never underlines a good policy.
* It knows the shape of a document alone.  What a document refers to, which verbs a condition is about, and whether a
  regular expression is linear, only the reader knows; a test lists what the schema lets pass.
* A schema is about typed values, and the language about text.  `instance` types a document as YAML 1.2 does: what is
  quoted is text, and what is not is a number, true, false, null or text.
"""

from __future__ import annotations

from typing import Any, Final

from safepickle.errors import PolicyError
from safepickle.limits import FIELDS
from safepickle.policy.document import Listing, Node, Problems, Scalar, Table, read
from safepickle.policy.model import ACCEPTABLE, VERBS
from safepickle.policy.parse import BYTE_LIMITS, ENTRY_KEYS, LARGEST_LIMIT, LONGEST_NAME, MOST_FILES, TOP_KEYS, UNITS
from safepickle.policy.patterns import LAYOUTS, REST, VIEWS, WORDS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

#: What a scalar may be where the language takes it as written: `no` is text to YAML 1.2, 3.10 a number.
_SCALAR: Final = {"type": ["string", "number", "boolean", "null"]}
_TEXT: Final = {"type": ["string", "number", "boolean", "null"]}
# Names that YAML takes for values (no, null) are names to the reader.
_UNQUOTED: Final = ["string", "boolean", "null"]
_PART: Final = r"[^\s!-/:-@\[-^`{-~0-9][^\s!-/:-@\[-^`{-~]*"
_NAME: Final = {"$ref": "#/$defs/name"}
_IDENTIFIER: Final = {"$ref": "#/$defs/identifier"}
_PATTERN: Final = {"$ref": "#/$defs/pattern"}
_MEMORY: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["memory"],
    "properties": {"memory": {"enum": sorted(LAYOUTS)}},
}
_PATTERNS: Final = {"type": "array", "items": _PATTERN}
_NAMED_PATTERNS: Final = {"type": "object", "additionalProperties": _PATTERN}
_INTEGER: Final = {"type": "integer"}
_COUNT: Final = {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT}
_SIZE: Final = {
    "anyOf": [
        _COUNT,
        {"type": "string", "pattern": f"^[0-9]+ ?({'|'.join(UNITS)})$"},
    ]
}


def schema() -> dict[str, Any]:
    """The schema, as plain data."""
    top = _top()
    if set(top) != set(TOP_KEYS):
        raise AssertionError("the schema and the reader know different keys")
    return {
        "$schema": DIALECT,
        "title": "safepickle policy",
        "description": "What a pickle may import, call, build or change.",
        "type": "object",
        "required": ["safepickle"],
        "additionalProperties": False,
        "properties": top,
        "$defs": _definitions(),
    }


def _top() -> dict[str, Any]:
    modules = {"type": "object", "propertyNames": _NAME}
    return {
        "safepickle": {"const": 1, "description": "The version of the language."},
        "description": {**_TEXT, "description": "What the policy is for."},
        "include": {
            "description": "Packaged policies by name, or files beside or below this one.",
            "type": "array",
            "maxItems": MOST_FILES,
            "items": _TEXT,
        },
        "allow": {
            "description": "By module: names that are listed, each a class as such, or with its conditions.",
            **modules,
            "additionalProperties": {"type": "array", "items": {"$ref": "#/$defs/item"}},
        },
        "deny": {
            "description": "By module: names that are denied, whatever lists them.",
            **modules,
            "additionalProperties": {"type": "array", "items": _NAME},
        },
        "patterns": {
            "description": "Patterns with a name, to be used as {pattern: name}.",
            "propertyNames": _IDENTIFIER,
            **_NAMED_PATTERNS,
        },
        "aliases": {
            "description": "Modules that have moved: the old name, and the new one.",
            **modules,
            "additionalProperties": _NAME,
        },
        "persistent": {
            "description": "Shapes of the persistent IDs that are admitted.",
            "type": "array",
            "items": {"anyOf": [_PATTERN, {"$ref": "#/$defs/persistent"}]},
        },
        "accept": {
            "description": "What is refused unless it is accepted here.",
            "type": "array",
            "uniqueItems": True,
            "items": {"enum": list(ACCEPTABLE)},
        },
        "limits": {
            "description": "What one load may cost.",
            "type": "object",
            "additionalProperties": False,
            "properties": {field: _SIZE if field in BYTE_LIMITS else _COUNT for field in FIELDS},
        },
    }


def _definitions() -> dict[str, Any]:
    entry = _entry()
    if set(entry) != set(ENTRY_KEYS):
        raise AssertionError("the schema and the reader know different conditions")
    return {
        "name": {
            "description": "Dotted identifiers, in full: there are no wildcards.",
            "type": _UNQUOTED,
            "maxLength": LONGEST_NAME,
            "pattern": rf"^{_PART}(\.{_PART})*$",
        },
        "identifier": {
            "description": "An identifier, without a dot.",
            "type": _UNQUOTED,
            "maxLength": LONGEST_NAME,
            "pattern": f"^{_PART}$",
        },
        "item": {
            "anyOf": [
                _NAME,
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "propertyNames": _NAME,
                    "additionalProperties": {"$ref": "#/$defs/entry"},
                },
            ]
        },
        "entry": {"type": "object", "additionalProperties": False, "properties": entry},
        "persistent": {
            "type": "object",
            "additionalProperties": False,
            "required": ["id"],
            "properties": {"id": _PATTERN, "makes": _NAME},
        },
        "pattern": {
            "anyOf": [{"enum": sorted(WORDS)}, _PATTERNS, *({"$ref": f"#/$defs/{kind}"} for kind in _constructs())]
        },
        **_constructs(),
    }


def _entry() -> dict[str, Any]:
    signature = {"type": "array", "items": {"anyOf": [_PATTERN, {"const": REST}]}}
    return {
        "use": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"enum": list(VERBS)}},
        "args": {
            "description": "Alternative signatures of call and new.",
            "type": "array",
            "minItems": 1,
            "items": signature,
        },
        "kwargs": {"description": "Keywords of new.", "propertyNames": _IDENTIFIER, **_NAMED_PATTERNS},
        "state": {"description": "What BUILD may give.", "anyOf": [_PATTERN, _MEMORY]},
        "attributes": {"description": "The only attributes that BUILD may set.", "type": "array", "items": _IDENTIFIER},
        "fill": {"description": "What may be put in: as a list, a dict or a set.", **_PATTERN},
        "base": {"description": "The base that copyreg._reconstructor may name.", **_NAME},
        "native_state": {"description": "Hands state to C code.", "type": "boolean"},
        "then": {"description": "Must be given its state before the pickle ends.", "const": "build"},
        "reason": {"description": "Why, for people.", **_TEXT},
    }


def _constructs() -> dict[str, Any]:
    bounds = {"type": "array", "minItems": 2, "maxItems": 2, "items": _INTEGER}
    product = {
        "type": "object",
        "additionalProperties": False,
        "required": ["product"],
        "properties": {"product": {"type": "integer", "minimum": 0}},
    }
    arguments: dict[str, Any] = {
        "is": _SCALAR,
        "bytes": _TEXT,
        "str": _TEXT,
        "int": bounds,
        "global": _NAME,
        "instance": _NAME,
        "built": _NAME,
        "list": _PATTERN,
        "tuple": _PATTERN,
        "set": _PATTERN,
        "frozenset": _PATTERN,
        "dict": {"type": "array", "minItems": 2, "maxItems": 2, "items": _PATTERN},
        "fields": _NAMED_PATTERNS,
        "any_of": {**_PATTERNS, "minItems": 1},
        "pattern": _TEXT,
        "memory": {"enum": sorted(VIEWS)},
    }
    made = {f"{key}_pattern": _with({key: argument}) for key, argument in arguments.items()}
    counted = {**bounds, "items": {"type": "integer", "minimum": 0}}
    return {
        **made,
        "length_pattern": _with({"length": {"anyOf": [counted, product]}, "of": _PATTERN}),
        "filled_pattern": _with({"instance": _NAME, "fill": _PATTERN}),
    }


def _with(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def instance(text: str | bytes) -> Any:
    """A document as YAML 1.2 types it: what an editor holds against the schema.  Raises `PolicyError` for no YAML."""
    problems = Problems("<policy>")
    root = read(text, problems)
    if root is None or problems.found:
        errors = problems.sorted()
        raise PolicyError("\n".join(errors), errors)
    return _typed(root)


def _typed(node: Node) -> Any:
    if isinstance(node, Table):
        return {key.text: _typed(value) for key, value in node.entries}
    if isinstance(node, Listing):
        return [_typed(item) for item in node.items]
    return _scalar(node) if isinstance(node, Scalar) else None


def _scalar(word: Scalar) -> Any:
    import re

    text = word.text
    if not word.plain:
        return text
    if text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
        return text.lower() == "true"
    if text in {"", "~", "null", "Null", "NULL"}:
        return None
    if re.fullmatch(r"[-+]?[0-9]{1,4000}", text):
        return int(text)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text
