# -*- coding: utf-8 -*-
# ruff: noqa: C402, C405, DTZ001, DTZ901, E501, FURB122, ICN001, N813, PTH107, PTH118, PTH208, UP009, UP010, UP017, UP018, UP020, UP031  # it runs on Python 2.7 too
"""Writes benign pickles with the Python that runs it: `<python> make_valid.py <folder>`, then `--manifest` once.

The stored files were written by CPython 2.7.18, 3.6.15, 3.8.18, 3.11.7 and 3.13.0, in this order, at every protocol
each of them knows; bytes that an earlier one wrote too are not stored twice.  A test does not run this again, since
those Pythons are not at hand where the tests run: the files are what they are.  Each Python leaves `<writer>.jsonl`
beside its files; `--manifest` (with 3.13) joins these, sorted, to `manifest.jsonl`.  `--orders` writes the README's own
pickle.

This one file runs on Python 2.7 too, which is why it looks as it does: no annotations, no f-strings.
"""

from __future__ import absolute_import, print_function, unicode_literals

import array
import collections
import datetime
import decimal
import fractions
import hashlib
import io
import json
import os
import pickle
import sys
import uuid

PYTHON_2 = sys.version_info[0] == 2
WRITER = "cpython-%d.%d.%d" % sys.version_info[:3]


def shown(value):
    """The repr of a value, in a form that no version of Python has changed; of a long one the digest."""
    text = "OrderedDict(%r)" % list(value.items()) if isinstance(value, collections.OrderedDict) else repr(value)
    return text if len(text) <= 500 else "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest()


def plain_values():
    """Values that need nothing but the default policy, by name."""
    shared = [1, 2]
    recursive = []
    recursive.append(recursive)
    values = {
        "none": None,
        "booleans": [True, False],
        "small_integers": [0, 1, -1, 127, 128, 255, 256, -128, 65535, 65536, 2**31 - 1, -(2**31)],
        "large_integers": [2**31, -(2**31) - 1, 2**63, -(2**63), 2**64, 10**40, -(10**40), 2**2100],
        "floats": [0.0, -0.0, 1.5, -2.25, 1e300, 1e-300, float("inf"), float("-inf")],
        "texts": ["", "a", "text", "caf\u00e9", "\u20ac", "\U0001f600", "line\nbreak\\u0041 \x00\r\x1a", "x" * 300],
        "nested": {"list": [1, [2, [3, []]]], "tuple": (1, (2, ()), (3, 4, 5, 6)), "dict": {"a": {"b": {}}}},
        "shared": [shared, shared, {"again": shared}],
        "recursive": recursive,
        "thousand_items": [n % 3 for n in range(1001)],
        "thousand_keys": dict((n, None) for n in range(1001)),
        "sets": [set(), set([1, 2, 3]), frozenset(), frozenset(["a"])],
        "bytearrays": [bytearray(), bytearray(b"\x00\xffabc")],
        "complex": [1 + 2j, -0j],
        "range": [slice(1, None, 2), Ellipsis] if PYTHON_2 else [range(3), range(0, 10, -2), slice(1, None, 2)],
    }
    if PYTHON_2:
        values["range"] = [complex(0, 1)]  # slices and Ellipsis cannot be pickled there
        values["eight_bit_strings"] = [b"", b"ascii", b'quote\'s "both" \\ \n \t']
        values["latin1_strings"] = [b"caf\xe9", bytes(bytearray(range(256)))]
    else:
        values["bytes"] = [b"", b"abc", bytes(range(256)), b"x" * 300]
        values["singletons"] = [Ellipsis, NotImplemented, type(None), type(Ellipsis)]
    return values


def stdlib_values():
    """Values of the standard library's own types, by name."""
    values = {
        "dates": [
            datetime.date(2024, 2, 29), datetime.time(23, 59, 58, 999999), datetime.datetime(2024, 2, 29, 12, 30),
            datetime.timedelta(days=-1, seconds=5, microseconds=7), datetime.datetime.max,
        ],
        "decimals": [decimal.Decimal("1.10"), decimal.Decimal("-0"), decimal.Decimal("Infinity"), decimal.Decimal("1E+50")],
        "fractions": [fractions.Fraction(1, 3), fractions.Fraction(-7, 2)],
        "uuids": [uuid.UUID("12345678-1234-5678-1234-567812345678")],
        "ordered_dict": collections.OrderedDict([("b", 1), ("a", 2)]),
        "default_dict": collections.defaultdict(list, {"a": [1]}),
        "counter": collections.Counter(["a", "b", "a"]),
        "deque": [collections.deque([1, 2, 3]), collections.deque([1, 2], 5)],
        "arrays": [array.array(str("d"), [1.5, -2.5]), array.array(str("i"), [1, -2, 3])],
        "exceptions": [ValueError("bad", 1), KeyError("k")],
    }  # fmt: skip
    if not PYTHON_2:
        import ipaddress
        import pathlib
        import types

        values["time_zones"] = [
            datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc),
            datetime.time(1, tzinfo=datetime.timezone(datetime.timedelta(hours=5), "five")),
        ]
        values["paths"] = [pathlib.PurePosixPath("/a/b.txt"), pathlib.PureWindowsPath("C:/a")]
        values["addresses"] = [ipaddress.ip_address("10.0.0.1"), ipaddress.ip_network("10.0.0.0/8")]
        values["namespace"] = types.SimpleNamespace(a=1, b=[2])
    return values


def write(folder):
    """Every value at every protocol that this Python knows."""
    rows = []
    stored = set()
    for name in os.listdir(folder):
        with io.open(os.path.join(folder, name), "rb") as file:
            stored.add(file.read())
    for policy, values in (("plain", plain_values()), ("stdlib", stdlib_values())):
        for name, value in sorted(values.items()):
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                file_name = "%s-%d-%s.pkl" % (WRITER, protocol, name)
                if PYTHON_2:
                    import cPickle as writer
                else:
                    writer = pickle
                data = writer.dumps(value, protocol)
                if data in stored:
                    continue
                stored.add(data)
                with io.open(os.path.join(folder, file_name), "wb") as file:
                    file.write(data)
                options = {"encoding": "latin1"} if PYTHON_2 else {}
                # From 3.13 on a path's class is in a module that older Pythons do not have.
                needs = [3, 13] if name == "paths" and sys.version_info >= (3, 13) else [3, 0]
                rows.append({"file": file_name, "writer": WRITER, "protocol": protocol, "policy": policy,
                             "options": options, "needs": needs})  # fmt: skip
    with io.open(os.path.join(folder, WRITER + ".jsonl"), "w") as file:
        for row in rows:
            file.write(json.dumps(row, sort_keys=True, ensure_ascii=True).encode().decode() + "\n")


def orders():
    """The README's pickle: orders as a shop's nightly export has them."""
    places = ["Lisboa", "\u0141\u00f3d\u017a", "Malm\u00f6", "Gent", "Graz"]
    goods = [("kettle", "34.90"), ("lamp", "59.00"), ("notebook", "4.25"), ("chair", "129.00"), ("mug", "8.75")]
    rows = []
    for number in range(24):
        items = [
            {"sku": goods[(number + step) % 5][0], "quantity": 1 + (number * step) % 4,
             "price": decimal.Decimal(goods[(number + step) % 5][1])}
            for step in range(1, 2 + number % 3)
        ]  # fmt: skip
        rows.append({
            "id": uuid.UUID(int=0x6F7264657200400080000000000000 * 2**8 + number),
            "placed": datetime.datetime(2024, 3, 1 + number % 28, 8 + number % 10, (number * 7) % 60,
                                        tzinfo=datetime.timezone.utc),
            "city": places[number % 5],
            "items": items,
            "total": sum((item["price"] * item["quantity"] for item in items), decimal.Decimal(0)),
            "paid": number % 4 != 0,
        })  # fmt: skip
    return rows


def write_orders(folder):
    """The README's pickle, and its row."""
    with io.open(os.path.join(folder, "readme_orders.pkl"), "wb") as file:
        file.write(pickle.dumps(orders(), 4))
    row = {"file": "readme_orders.pkl", "writer": WRITER, "protocol": 4, "policy": "stdlib", "options": {},
           "needs": [3, 0]}  # fmt: skip
    with io.open(os.path.join(folder, "orders.jsonl"), "w") as file:
        file.write(json.dumps(row, sort_keys=True) + "\n")


def manifest(folder):
    """Join what each Python left, with the values shown."""
    rows = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".jsonl") and name != "manifest.jsonl":
            with io.open(os.path.join(folder, name)) as file:
                rows += [json.loads(line) for line in file]
            os.remove(os.path.join(folder, name))
    for row in rows:
        with io.open(os.path.join(folder, row["file"]), "rb") as file:
            data = file.read()
        row["repr"] = shown(pickle.loads(data, **row["options"]))  # written by this very script, a moment ago
    with io.open(os.path.join(folder, "manifest.jsonl"), "w", newline="\n") as file:
        for row in sorted(rows, key=lambda row: row["file"]):
            file.write(json.dumps(row, sort_keys=True) + "\n")


if __name__ == "__main__":
    task = {"--manifest": manifest, "--orders": write_orders}.get(sys.argv[-1], write)
    task(sys.argv[1])
