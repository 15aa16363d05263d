"""Writes the zoo of a pack as pickles, with whichever Python and library run it: Python 2.7, or 3.6 and later.

    python tests/packs/writing.py [--spare] PACK FILE       # every object of zoo_PACK.py at every protocol
    python tests/packs/writing.py --merge FILE...           # drop from each file what an earlier one has byte for byte

FILE gets one JSON object a line: `name` of the object and `pickles` (base64, by protocol).  With --spare at protocols
2 and the highest only, without what `more` gives and what is longer than a few kilobytes; so were the files
`tests/data/packs/<pack>/<release>.jsonl` written, one library release after the other, and merged from the oldest on.

Rules: the source is Python 2.7 and 3.6 at once; an object that a release cannot make or pickle is left out and counted;
objects hold no path, host or user of the machine that wrote them, and are the same at each run.
"""

from __future__ import print_function

import base64
import json
import os
import pickle
import sys
import warnings

try:
    import cPickle as fast_pickle  # noqa: N813  # either module under one name
except ImportError:
    fast_pickle = pickle

#: A carried pickle is an example, not a workload.
LONGEST_CARRIED = 3000


def namespace(zoo):
    """The names that the expressions of a zoo may use: its own, and every module of IMPORTS that is here."""
    names = dict(vars(zoo))
    for dotted in zoo.IMPORTS.split():
        try:
            __import__(dotted)
        except ImportError:
            continue
        top = dotted.split(".")[0]
        names[top] = sys.modules[top]
    return names


def makers(zoo, is_spare=False):
    """Each object of a zoo: its name, and a function that makes it anew.  Some of them raise: not in this release."""
    names = namespace(zoo)
    for name, expression in zoo.VALUES:
        yield name, lambda text=expression: eval(text, names)
    if hasattr(zoo, "more") and not is_spare:
        for name, make in zoo.more():
            yield name, make


def pickled(value, protocol):
    """The pickle of `value`, by the C pickler, or by the pure one where the C pickler cannot."""
    try:
        return fast_pickle.dumps(value, protocol)
    except Exception:  # noqa: BLE001  # the pure one says what it thinks of it
        return pickle.dumps(value, protocol)


def pickler(zoo):
    """How a library pickles, where that is not pickle's own way."""
    return getattr(zoo, "pickled", pickled)


def pickles(make, protocols, pickled=pickled):
    """The pickles of one object by protocol; none where this release cannot make or pickle it."""
    found = {}
    for protocol in protocols:
        try:
            found[protocol] = pickled(make(), protocol)  # a fresh object: nothing is shared between pickles
        except Exception:  # noqa: BLE001  # not an object of this release, or none that it can pickle
            continue
    return found


def row(name, found):
    """One line of a file."""
    encoded = {str(protocol): base64.b64encode(data).decode("ascii") for protocol, data in found.items()}
    return {"name": name, "pickles": encoded}


def save(path, rows):
    """Writes rows, one a line."""
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        os.makedirs(folder)
    with open(path, "w") as file:
        file.writelines(json.dumps(one, sort_keys=True) + "\n" for one in rows)


def write(zoo, path, is_spare):
    """Writes the file of one release; gives the names of what it lacks."""
    highest = pickle.HIGHEST_PROTOCOL
    protocols = sorted({2, highest}) if is_spare else range(highest + 1)
    rows = []
    lacking = []
    for name, make in makers(zoo, is_spare):
        found = pickles(make, protocols, pickler(zoo))
        if is_spare:
            most = getattr(zoo, "LONGEST", LONGEST_CARRIED)
            found = {protocol: data for protocol, data in found.items() if len(data) <= most}
        if found:
            rows.append(row(name, found))
        else:
            lacking.append(name)
    save(path, rows)
    return lacking


def merge(paths):
    """Drops from each file what an earlier one has byte for byte."""
    seen = set()
    for path in paths:
        kept = []
        with open(path) as file:
            for one in map(json.loads, file):
                fresh = [(number, data) for number, data in one["pickles"].items() if data not in seen]
                seen.update(data for _, data in fresh)
                if fresh:
                    kept.append(dict(one, pickles=dict(fresh)))
        save(path, kept)


def main(arguments):
    """Runs the script."""
    warnings.simplefilter("ignore")
    if arguments[0] == "--merge":
        merge(arguments[1:])
        return
    pack, path = arguments[-2:]
    lacking = write(__import__("zoo_" + pack), path, "--spare" in arguments)
    print(path, "without", " ".join(lacking) or "nothing")


if __name__ == "__main__":
    main(sys.argv[1:])
