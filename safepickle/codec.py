"""The four functions that people know from pickle, and `verify`.

Rules:

* Same names, signatures and defaults as pickle, plus `policy`.
* To load is to verify the whole pickle and then to run it; there is no other way in.
* `dumps(policy=p)` refuses at the producer what a consumer under `p` would refuse, before a byte is written.
"""

from __future__ import annotations

from safepickle.hints import Any, Callable, Iterable
from safepickle.pickler import Pickler, dumps_bytes
from safepickle.policy import PolicySpec
from safepickle.unpickler import Rehearsal, load_one, loads, verify

__all__ = ["dump", "dumps", "load", "loads", "verify"]


class CheckedPickler(Pickler):
    """Writes objects to a binary file as `pickle.Pickler` does; with a `policy`, only what it would let in again."""

    def __init__(
        self,
        file: Any,
        protocol: int | None = None,
        *,
        fix_imports: bool = True,
        buffer_callback: Callable[[Any], object] | None = None,
        policy: PolicySpec = None,
    ) -> None:
        super().__init__(file, protocol, fix_imports=fix_imports, buffer_callback=buffer_callback, policy=policy)
        self._rehearsal: Rehearsal | None = None
        if policy is not None:
            # Pickles that share a memo are read by one Unpickler: the later ones say little by themselves.
            self._rehearsal = Rehearsal(policy, fix_imports=fix_imports, buffers=buffer_callback is not None)
            self._verify = self._rehearsal.verify

    def dump(self, obj: Any, /) -> None:
        """Write the pickle of `obj` to the file, unless a consumer under the policy would refuse it."""
        rehearsal = getattr(self, "_rehearsal", None)
        if rehearsal is not None and not self._memo:
            rehearsal.forget()
        super().dump(obj)


def dump(
    obj: Any,
    file: Any,
    protocol: int | None = None,
    *,
    fix_imports: bool = True,
    buffer_callback: Callable[[Any], object] | None = None,
    policy: PolicySpec = None,
) -> None:
    """Write the pickle of `obj` to a binary file.

    Raises PicklingError for what cannot be pickled and, with a `policy`, for what a consumer under it would refuse.
    """
    CheckedPickler(file, protocol, fix_imports=fix_imports, buffer_callback=buffer_callback, policy=policy).dump(obj)


def dumps(
    obj: Any,
    protocol: int | None = None,
    *,
    fix_imports: bool = True,
    buffer_callback: Callable[[Any], object] | None = None,
    policy: PolicySpec = None,
) -> bytes:
    """The pickle of `obj`, byte for byte what CPython's C pickler writes.

    Raises PicklingError for what cannot be pickled and, with a `policy`, for what a consumer under it would refuse.
    """
    if policy is None:
        return dumps_bytes(obj, protocol, fix_imports, buffer_callback)
    from io import BytesIO

    file = BytesIO()
    dump(obj, file, protocol, fix_imports=fix_imports, buffer_callback=buffer_callback, policy=policy)
    return file.getvalue()


def load(
    file: Any,
    *,
    policy: PolicySpec = None,
    fix_imports: bool = True,
    encoding: str = "ASCII",
    errors: str = "strict",
    buffers: Iterable[Any] | None = None,
) -> Any:
    """Read exactly one pickle from a binary file and return its object, if the policy admits all of it.

    Raises `pickle.UnpicklingError` (see `safepickle.errors`), and whatever the file object raises.
    """
    return load_one(file, policy, fix_imports, encoding, errors, buffers)
