"""What is measured: objects of the kinds that people pickle, each made anew from the same seed.

Each workload is made of `n` parts, so that it can be halved and doubled; `size` is the `n` of the table.  The first
five are the objects of pyperformance's pickle benchmark: keys, kinds and lengths are its, the values are not.

Rules:

* The same `n` gives the same object, in every process.
* Nothing is shared within an object that would not be in data that was read from somewhere.
* What cannot be made here says why; it is not left out.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import math
import pickle
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import safepickle

#: The policy that all of them are read under: packaged ones, and the two classes of this file.
POLICY: Final = """
safepickle: 1
description: What pandas and scikit-learn pickle, and the classes of the benchmark.
include: [stdlib, sklearn, pandas]
allow:
  tests.bench.workloads:
    - Reading
    - Point
"""


@dataclass
class Reading:
    """An instance with a dict, as most are."""

    sensor: int
    place: str
    value: float
    valid: bool


class Point:
    """An instance with slots."""

    __slots__ = ("label", "x", "y")

    def __init__(self, x: float, y: float, label: str) -> None:
        self.x = x
        self.y = y
        self.label = label

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and (self.x, self.y, self.label) == (other.x, other.y, other.label)

    __hash__ = None  # type: ignore[assignment]  # it can change


class Workload(NamedTuple):
    """One row of the table."""

    name: str
    make: Callable[[int], Any]
    size: int
    protocol: int = 5
    out_of_band: bool = False
    is_json: bool = False  # json and msgpack have a word for everything in it
    lacks: str = ""  # why it cannot be made here


class Stream(NamedTuple):
    """A workload as bytes, with its buffers where they travel separately."""

    data: bytes
    buffers: list[Any] | None


def policy() -> safepickle.Policy:
    """The policy of every workload."""
    return safepickle.Policy.from_yaml(POLICY)


def stream(workload: Workload, value: Any) -> Stream:
    """What CPython's pickler writes for `value`."""
    if not workload.out_of_band:
        return Stream(pickle.dumps(value, workload.protocol), None)
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(value, workload.protocol, buffer_callback=buffers.append)
    return Stream(data, [buffer.raw() for buffer in buffers])


def _words(source: random.Random, shortest: int, longest: int) -> str:
    return "".join(source.choices("abcdefghijklmnopqrstuvwxyz    ", k=source.randint(shortest, longest)))


# --- pyperformance's -------------------------------------------------------------------------------------------------
_PROFILE: Final = (
    ("ads_flags", 0), ("age", 41), ("birthday", dt.date(1983, 7, 5)), ("bulletin_count", 0), ("comment_count", 0),
    ("country", "PT"), ("encrypted_id", "a0B1c2D3e4F"), ("favorite_count", 8), ("first_name", ""),
    ("flags", 398_765_432_101), ("friend_count", 0), ("gender", "f"), ("gender_for_display", "Fema"),
    ("id", 301_234_567), ("is_custom_profile_icon", 0), ("last_name", ""), ("locale_preference", "pt_PT"),
    ("member", 0), ("tags", ["t", "u", "v", "w", "x", "y", "z"]), ("profile_foo_id", 812_345_678),
    ("secure_encrypted_id", "A_bcd1eF2g3hIJKlmnopQr"), ("session_number", 3), ("signup_id", "101-54321-987"),
    ("status", "B"), ("theme", 2), ("time_created", 1_212_345_678), ("time_updated", 1_223_456_789),
    ("unread_message_count", 0), ("user_group", "1"), ("username", "somebodyelse"), ("play_count", 6),
    ("view_count", 5), ("zip", ""),
)  # fmt: skip


def _some(make_one: Callable[[int], Any]) -> Callable[[int], Any]:
    """One object as it is, or a list of more."""
    return lambda n: make_one(0) if n == 1 else [make_one(index) for index in range(n)]


def _profile(_: int) -> Any:
    return {key: list(value) if isinstance(value, list) else value for key, value in _PROFILE}


def _ids(seed: int) -> Any:
    source = random.Random(seed)
    return [source.randint(265_000_000, 266_300_000) for _ in range(20)], 60


def _group(seed: int) -> Any:
    source = random.Random(seed)
    return [{key: str(source.random() * 2**63) for key, _ in _PROFILE} for _ in range(3)]


def _lists(_: int) -> Any:
    return [[list(range(10)), list(range(10))] for _ in range(10)]


def _dicts(_: int) -> Any:
    return {key: dict.fromkeys(range(10)) for key in range(100)}


# --- Data ------------------------------------------------------------------------------------------------------------
def _records(n: int) -> Any:
    source = random.Random(1)
    return [
        {
            "id": index,
            "name": _words(source, 5, 20),
            "price": source.random() * 1000,
            "stock": source.randrange(500),
            "active": source.random() < 0.7,
            "tags": [_words(source, 3, 8), _words(source, 3, 8)],
            "parent": None,
        }
        for index in range(n)
    ]


def _trees(n: int) -> Any:
    source = random.Random(2)

    def user() -> Any:
        return {
            "id": source.getrandbits(60),
            "name": _words(source, 6, 16),
            "screen_name": _words(source, 6, 12),
            "description": _words(source, 0, 140),
            "followers_count": source.randrange(100_000),
            "verified": source.random() < 0.1,
            "lang": "en",
            "url": None,
        }

    def entities() -> Any:
        return {
            "hashtags": [{"text": _words(source, 3, 12), "indices": [4, 16]} for _ in range(source.randrange(4))],
            "urls": [{"url": _words(source, 23, 23), "indices": [40, 63]} for _ in range(source.randrange(2))],
            "user_mentions": [
                {"id": source.getrandbits(60), "name": _words(source, 6, 16), "indices": [0, 3]}
                for _ in range(source.randrange(3))
            ],
        }

    def tweet(depth: int) -> Any:
        return {
            "created_at": f"Mon Sep {source.randrange(1, 30):02} 00:00:00 +0000 2024",
            "id": source.getrandbits(62),
            "text": _words(source, 20, 280),
            "source": "web",
            "truncated": False,
            "in_reply_to_status_id": None,
            "user": user(),
            "geo": None,
            "coordinates": [source.uniform(-90, 90), source.uniform(-180, 180)] if source.random() < 0.1 else None,
            "retweet_count": source.randrange(1000),
            "entities": entities(),
            "retweeted_status": tweet(depth - 1) if depth and source.random() < 0.4 else None,
        }

    return [tweet(2) for _ in range(n)]


def _nests(n: int) -> Any:
    """Objects 200 deep: lists, dicts and tuples in turn."""

    def nest(index: int) -> Any:
        value: Any = index
        for depth in range(200):
            value = ([value], {"inner": value}, (value,))[depth % 3]
        return value

    return [nest(index) for index in range(n)]


def _ints(n: int) -> Any:
    source = random.Random(3)
    return [source.getrandbits(source.randrange(1, 63)) - 2**40 for _ in range(n)]


def _small_ints(n: int) -> Any:
    source = random.Random(4)
    return [source.randrange(256) for _ in range(n)]


def _floats(n: int) -> Any:
    source = random.Random(5)
    return [source.gauss(0, 1000) for _ in range(n)]


def _strings(n: int) -> Any:
    source = random.Random(6)
    return [_words(source, 5, 30) for _ in range(n)]


def _tuples(n: int) -> Any:
    source = random.Random(7)
    return [(index, source.random(), "seen") for index in range(n)]


def _readings(n: int) -> Any:
    source = random.Random(8)
    return [Reading(index, _words(source, 4, 12), source.random(), valid=index % 7 != 0) for index in range(n)]


def _points(n: int) -> Any:
    source = random.Random(9)
    return [Point(source.random(), source.random(), f"p{index}") for index in range(n)]


def _datetimes(n: int) -> Any:
    start = dt.datetime(2024, 3, 1, 8, tzinfo=dt.UTC)
    return [start + dt.timedelta(seconds=index * 37) for index in range(n)]


def _blocks(n: int) -> Any:
    source = random.Random(10)
    return [source.randbytes(4096) for _ in range(n)]


def _array(n: int) -> Any:
    """A block of `n` bytes, as an array hands it to a pickler."""
    return pickle.PickleBuffer(bytearray(n))


def _lacking(*modules: str) -> str:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    unknown = [name for name in modules if name not in safepickle.Policy.names()]
    reasons = [f"{', '.join(missing)} not installed"] if missing else []
    return "; ".join([*reasons, f"no packaged policy for {', '.join(unknown)}"] if unknown else reasons)


def _frame(n: int) -> Any:
    import pandas as pd

    source = random.Random(11)
    return pd.DataFrame(
        {
            "day": pd.date_range("2024-01-01", periods=n, freq="min"),
            "city": [("Lisboa", "Porto", "Faro")[index % 3] for index in range(n)],
            "value": [source.random() for _ in range(n)],
            "count": [source.randrange(1000) for _ in range(n)],
        }
    )


def _forest(n: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    source = random.Random(12)
    table = [[source.random() for _ in range(8)] for _ in range(1000)]
    labels = [int(math.fsum(row) > 4) for row in table]
    return RandomForestClassifier(n_estimators=n, random_state=0).fit(table, labels)


WORKLOADS: Final = (
    Workload("dict", _some(_profile), 1),
    Workload("tuple", _some(_ids), 1),
    Workload("group", _some(_group), 1, is_json=True),
    Workload("list", _some(_lists), 1, is_json=True),
    Workload("micro dict", _some(_dicts), 1),
    Workload("records", _records, 200_000, is_json=True),
    Workload("records, protocol 2", _records, 200_000, protocol=2),
    Workload("trees", _trees, 2_000, is_json=True),
    Workload("deep nests", _nests, 500),
    Workload("ints", _ints, 300_000, is_json=True),
    Workload("small ints", _small_ints, 300_000, is_json=True),
    Workload("floats", _floats, 300_000, is_json=True),
    Workload("strings", _strings, 200_000, is_json=True),
    Workload("tuples", _tuples, 100_000),
    Workload("dataclasses", _readings, 1_000),
    Workload("slotted objects", _points, 1_000),
    Workload("datetimes", _datetimes, 20_000),
    Workload("bytes of 4 KB", _blocks, 2_000),
    Workload("array in band", _array, 100_000_000),
    Workload("array out of band", _array, 100_000_000, out_of_band=True),
    Workload("DataFrame", _frame, 100_000, lacks=_lacking("pandas", "numpy")),
    Workload("fitted forest", _forest, 50, lacks=_lacking("sklearn", "numpy", "scipy")),
)
