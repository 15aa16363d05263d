"""What hypothesis draws for the tests: opcode programs, objects, policy documents.

Each is made by the generator that the fuzzers use too.  Hypothesis draws the bytes that a generator chooses by, always
as many as it could need: smaller bytes are simpler choices, so what fails still becomes simple.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.choices import ENOUGH, Choices
from tests.documents import document
from tests.objects import an_object
from tests.programs import Program, program
from tests.programs import programs_in_a_row as two_programs


def choices(size: int = ENOUGH) -> st.SearchStrategy[Choices]:
    """What a generator asks."""
    return st.binary(min_size=size, max_size=size).map(Choices)


def programs(*, wild: int = 0, application: bool = True, names: bool = True) -> st.SearchStrategy[Program]:
    """A program of opcodes, as `tests.programs.program` makes it."""
    return choices().map(lambda given: program(given, wild=wild, application=application, names=names))


def programs_in_a_row() -> st.SearchStrategy[list[Program]]:
    """Two programs for one reader, the second of which uses what the first left in the memo."""
    return choices(2 * ENOUGH).map(two_programs)


def objects() -> st.SearchStrategy[Any]:
    """An object to pickle: built-in values, nested, shared and recursive; instances; the standard library's values."""
    return choices().map(an_object)


def documents(*, wild: int = 0) -> st.SearchStrategy[str]:
    """The text of a policy, valid or, with `wild` of 64 words exchanged, nearly."""
    return choices().map(lambda given: document(given, wild=wild))
