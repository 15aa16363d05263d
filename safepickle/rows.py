"""Walks along pickles that are nothing but data, one behind the other, without an object for any of them.

A queue or a log may hold a million of them in a file.  What is kept of each is four numbers, see `members.py`.  Rules:

* The verifier's light pass reads every one of them: there is no other reader here, and no other verdict than that it is
  sure of one.  At the first one it is not sure of, the walk ends before it.
* What follows a pickle is tested before it is taken for another one: the walk also ends before zeros and at the end of
  what there is.
* What holds a PROTO may be a pickle with another one inside: in a window, whoever scans is asked to look at it;
  otherwise it is noted, so that all the others need not be searched.
"""

from __future__ import annotations

from safepickle import loading as prim
from safepickle import members as log
from safepickle import opcodes as op
from safepickle.hints import Any, Callable
from safepickle.reader import LARGE, Reader
from safepickle.verifier import Verifier

__all__ = ["Walk"]


class Walk:
    """A walk that begins where a reader stands, which is `at` in the source.

    `look` is called for a pickle of a window that may hold another one, once it was read, and says whether to go on.
    It is None where all bytes are there, and are searched by somebody else.
    """

    def __init__(self, verifier: Verifier, reader: Reader, at: int, look: Callable[[], bool] | None = None) -> None:
        if not prim.COMPILED:
            self.__cinit__(verifier, reader, at, look)

    def __cinit__(self, verifier: Verifier, reader: Reader, at: int, look: Callable[[], bool] | None = None) -> None:
        """Compiled, there is no walk without what it works on, and none is given others."""
        if not isinstance(verifier, Verifier):
            raise TypeError("a walk needs a verifier")
        if not isinstance(reader, Reader):
            raise TypeError("a walk needs a reader")
        if verifier.reader is not reader:
            raise ValueError("a walk needs the reader of its verifier")
        self.verifier = verifier
        self.reader = reader
        self.look = look
        self.at = at  # where in the source the pickle begins that is being read, or the next one
        self.begin = reader.pos  # where in the reader's data: what has been let go of it is not there any more
        self.loud: list[tuple[int, int]] = []  # where, without a `look`, pickles hold a PROTO behind their beginning
        self.is_over = False  # set by whoever was told of what was let go, and has something to say of it

    def run(self, numbers: Any, word: int, most: int, shared: int) -> bool:
        """Walk along at most so many pickles, and note each among the numbers of a log of members.

        `shared` is how often a pickle may refer to what it holds already.  Returns False where there is a pickle at
        `at` that this is not sure of, True where there may be none.
        """
        reader = self.reader
        verifier = self.verifier
        windowed = self.look is not None
        large = LARGE
        count = 0
        while count < most:
            count += 1
            start = reader.pos
            self.begin = start
            verifier.expect_data()
            if not verifier.is_mere_data() or verifier.shared > shared or self.is_over:
                return False
            pos = reader.pos
            data = prim.pointer(reader.data)
            if self._holds_proto(data, max(self.begin, 0) + 1, pos):
                if not windowed:
                    self.loud.append((start + 1, pos))
                elif not self._look():
                    return False
            stop = self.at + pos + reader.shift - start
            log.note(numbers, self.at, stop, verifier.opcodes, word)
            self.at = stop
            if pos >= len(reader.data) or not data[pos]:
                break  # there may be no more, or padding
            if windowed and (reader.shift or pos >= large):
                reader.go_on()
            else:
                Reader.go_on(reader)  # what lies behind is still there: there is nothing to be moved
        return True

    def _holds_proto(self, data: Any, start: int, stop: int) -> bool:
        if prim.COMPILED:
            found = 0
            while start < stop:
                found |= data[start] == op.PROTO  # without a branch: many bytes at once
                start += 1
            return found != 0
        return self.reader.data.find(op.PROTO, start, stop) >= 0

    def _look(self) -> bool:
        return self.look is not None and self.look()
