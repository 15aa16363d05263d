"""The data of `policies/plain.yaml`.

Made by `python -m safepickle.policy.freeze`: change the file and run that.
"""

from __future__ import annotations

from safepickle.hints import Final
from safepickle.policy.model import Grant, PolicyData
from safepickle.policy.patterns import GlobalNamed, IntRange, Is, Items, Shape, Word

DATA: Final = PolicyData(
    grants={
        ("builtins", "set"): (
            Grant(
                verbs=frozenset({"call"}),
                args=(Shape(items=()), Shape(items=(Word(kind="list"),)), Shape(items=(Word(kind="tuple"),))),
                origin="safepickle/policies/plain.yaml:11",
            ),
        ),
        ("builtins", "frozenset"): (
            Grant(
                verbs=frozenset({"call"}),
                args=(Shape(items=()), Shape(items=(Word(kind="list"),)), Shape(items=(Word(kind="tuple"),))),
                origin="safepickle/policies/plain.yaml:14",
            ),
        ),
        ("builtins", "bytearray"): (
            Grant(
                verbs=frozenset({"call"}),
                args=(
                    Shape(items=()),
                    Shape(items=(Word(kind="bytes"),)),
                    Shape(items=(Word(kind="str"), Is(kind="str", value="latin-1"))),
                ),
                origin="safepickle/policies/plain.yaml:18",
            ),
        ),
        ("builtins", "bytes"): (
            Grant(
                verbs=frozenset({"call"}),
                args=(Shape(items=()), Shape(items=(Items(kind="list", item=IntRange(low=0, high=255)),))),
                origin="safepickle/policies/plain.yaml:22",
            ),
        ),
        ("builtins", "complex"): (
            Grant(
                verbs=frozenset({"call"}),
                args=(Shape(items=(Word(kind="float"), Word(kind="float"))),),
                origin="safepickle/policies/plain.yaml:25",
            ),
        ),
        ("builtins", "range"): (
            Grant(
                verbs=frozenset({"call"}),
                args=(Shape(items=(Word(kind="int"), Word(kind="int"), Word(kind="int"))),),
                origin="safepickle/policies/plain.yaml:29",
            ),
        ),
        ("builtins", "slice"): (
            Grant(
                verbs=frozenset({"call"}),
                args=(Shape(items=(Word(kind="any"), Word(kind="any"), Word(kind="any"))),),
                origin="safepickle/policies/plain.yaml:32",
            ),
        ),
        ("builtins", "type"): (
            Grant(
                verbs=frozenset({"call"}),
                args=(
                    Shape(items=(Word(kind="none"),)),
                    Shape(items=(GlobalNamed(dotted="builtins.Ellipsis"),)),
                    Shape(items=(GlobalNamed(dotted="builtins.NotImplemented"),)),
                ),
                origin="safepickle/policies/plain.yaml:36",
            ),
        ),
        ("builtins", "Ellipsis"): (Grant(verbs=frozenset({"refer"}), origin="safepickle/policies/plain.yaml:39"),),
        ("builtins", "NotImplemented"): (Grant(verbs=frozenset({"refer"}), origin="safepickle/policies/plain.yaml:40"),),
        ("builtins", "object"): (Grant(verbs=frozenset({"refer"}), origin="safepickle/policies/plain.yaml:42"),),
        ("builtins", "bool"): (Grant(verbs=frozenset({"refer"}), origin="safepickle/policies/plain.yaml:43"),),
        ("builtins", "int"): (Grant(verbs=frozenset({"refer"}), origin="safepickle/policies/plain.yaml:44"),),
        ("builtins", "float"): (Grant(verbs=frozenset({"refer"}), origin="safepickle/policies/plain.yaml:45"),),
        ("builtins", "str"): (Grant(verbs=frozenset({"refer"}), origin="safepickle/policies/plain.yaml:46"),),
        ("builtins", "list"): (Grant(verbs=frozenset({"refer"}), origin="safepickle/policies/plain.yaml:47"),),
        ("builtins", "tuple"): (Grant(verbs=frozenset({"refer"}), origin="safepickle/policies/plain.yaml:48"),),
        ("builtins", "dict"): (Grant(verbs=frozenset({"refer"}), origin="safepickle/policies/plain.yaml:49"),),
    },
    description="What the built-in types need at every protocol and from Python 2.",
    is_settled=True,
)
