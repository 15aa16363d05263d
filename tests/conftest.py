"""What holds for every test: no clock decides, and nothing is fetched from anywhere."""

from __future__ import annotations

import gc
import os
import sys

from hypothesis import settings

# A busy machine is no failure: tests that are about time measure it themselves.  What decides over a change must say
# the same twice; new examples are looked for at the desk.
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("house")

LOOPBACK = ("127.", "::1", "localhost")


def _stay_here(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise RuntimeError(f"a test connects to {address[0]}")


sys.addaudithook(_stay_here)


def pytest_collection_finish(session):
    """Collecting garbage looks at what a test made, not each time at some million objects of thousands of tests."""
    gc.collect()
    gc.freeze()
