"""Zoos of libraries' picklable objects, and the tool that holds a packaged policy against them.

    python -m tests.packs numpy                  # what the installed numpy writes against policies/numpy.yaml
    python -m tests.packs --all                  # every pack whose library is installed
    python -m tests.packs --corpus ARCHIVE       # which real files pass, and why others do not: see judging.py
    python tests/packs/writing.py numpy FOLDER   # the zoo as pickles, with any Python and any numpy: see writing.py

A new release of a library is one command and a reviewed diff: the tool prints what the zoo needs and the pack lacks
(as YAML to paste, once judged), what the pack grants and nothing uses, and what lint says.  It exits 1 if there is any
of it that the zoo does not explain.

A zoo is one file, `zoo_<pack>.py`, in the language of Python 2.7 and 3 at once, so that old releases can be asked too:

    PACK = "numpy"              the policy, and the library that is walked
    LIBRARY = "PIL"             optional: the library, where its package has another name than the policy
    IMPORTS = "numpy numpy.ma"  what the expressions name; what a release does not have is left out
    VALUES = [("array", "numpy.arange(3)"), ...]    a name, and an expression that makes a fresh object
    def more(): ...             optional: yields further (name, function that makes a fresh object)
    def pickled(value, protocol): ...   optional: the pickle that the library writes, where it has its own way
    SKIPPED = ("numpy.f2py",)   modules and classes that the walk leaves out, each with what is below it
    LONGEST = 5000              optional: bytes up to which a pickle is carried, where the smallest ones are longer
    WITHOUT = {"numpy.x.y": "why"}      what the pack does not grant although objects need it; a module means all of it
    KEPT = {"numpy.x.y": "who wrote it"}    what the pack grants although nothing here uses it; likewise

The pickles of other releases that are carried in `tests/data/packs/<pack>` count as used too.  Rules:

* The streams are judged by the verifier and worded by `learn`: nothing here reads a pickle or knows what a pattern is.
* WITHOUT and KEPT are reviewed text: a row that no longer applies is reported as well.
"""
