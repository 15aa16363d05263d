"""A module that no policy lists: that it is in `sys.modules` proves that a stream made somebody import it."""

from __future__ import annotations

from tests import victims

victims.RAN.append("import of tests.tripwire")


def touched() -> str:
    """Harmless; what matters is that the module was imported."""
    return "touched"
