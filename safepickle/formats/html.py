"""The page of `safepickle report`, printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from safepickle.console import say
from safepickle.formats.outcomes import Manner, Outcome


def report_html(outcomes: Iterable[Outcome], manner: Manner) -> Iterator[Outcome]:
    """Print the page."""
    from safepickle.pages import write

    yield from write(outcomes, manner, say)
