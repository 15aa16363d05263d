"""What hypothesis draws for the tests: opcode programs, objects, policy documents.

Each is made by the generator that the fuzzers use too; here are only the choices.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.documents import document
from tests.objects import an_object
from tests.programs import Program, program


class FromHypothesis:
    """`Choices` that hypothesis draws, and shrinks towards the simple ones."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw

    def below(self, count: int) -> int:
        """A drawn integer."""
        number: int = self._draw(st.integers(0, count - 1))
        return number

    def chunk(self, most: int) -> bytes:
        """Drawn bytes."""
        chunk: bytes = self._draw(st.binary(max_size=most))
        return chunk

    def more(self) -> bool:
        """Whether to go on: mostly."""
        return self.below(16) < 15


@st.composite
def programs(draw: Any, *, wild: int = 0, application: bool = True, names: bool = True) -> Program:
    """A program of opcodes, as `tests.programs.program` makes it."""
    return program(FromHypothesis(draw), wild=wild, application=application, names=names)


@st.composite
def objects(draw: Any) -> Any:
    """An object to pickle: built-in values, nested, shared and recursive; instances; the standard library's values."""
    return an_object(FromHypothesis(draw))


@st.composite
def documents(draw: Any, *, wild: int = 0) -> str:
    """The text of a policy, valid or, with `wild` of 64 parts, nearly."""
    return document(FromHypothesis(draw), wild=wild)
