"""The values of the symbolic machine: what a pickle's objects look like while nothing has been built.

A stack slot, a memo entry and a container's item are each one int, called a code: its low five bits are a kind, the
rest is an origin.  For a literal the origin is the position of the opcode that pushed it, so its content can be read
again on demand and costs nothing meanwhile; for everything else it is the number of a node in the `Heap`.

Rules:

* A code never holds a value of the stream, and a heap never holds an object that the stream would build.
* A depth of `TAINT` or more marks a protocol helper, or a tuple with one inside: something that may be used in its one
  place and is never a value.
* This module decides nothing.
"""

from __future__ import annotations

from safepickle import loading as prim
from safepickle.hints import TYPE_CHECKING, Any, Final, NamedTuple
from safepickle.policy.model import BUILD, CALL, NEW, REFER, VERBS, Grant, Name

SHIFT: Final = 5
KIND: Final = 31

# Literals: the origin is the position of the opcode.  No kind is 0, so the code 0 can stand for "no value".
NONE: Final = 1
BOOL: Final = 2
INT: Final = 3
FLOAT: Final = 4
STR: Final = 5
BYTES: Final = 6
TEXT8: Final = 7  # an 8-bit string whose encoding is not known: str or bytes, as the loader will choose
BYTEARRAY: Final = 8
BUFFER: Final = 9
PERSISTENT: Final = 10
ENCODED: Final = 11  # bytes spelled as _codecs.encode(text, "latin1"); the origin is the literal text's
FIRST_NODE: Final = 16
# Nodes: the origin is an index into the heap.
TUPLE: Final = 16
LIST: Final = 17
DICT: Final = 18
SET: Final = 19
FROZENSET: Final = 20
GLOBAL: Final = 21  # a Global, also one reached by getattr from another (a nested class, a class method)
BOUND: Final = 22  # a Global reached by getattr from an object of this stream: a bound method
MADE: Final = 23  # what a call or a `new` gives
PARTIAL: Final = 24  # functools.partial(cls.__new__), on its way to stand for NEWOBJ_EX
PRIOR: Final = 25  # a memo entry that an earlier load, or the application, left

WORDS: Final = {
    NONE: "none", BOOL: "bool", INT: "int", FLOAT: "float", STR: "str", BYTES: "bytes", TEXT8: "str",
    BYTEARRAY: "bytearray", BUFFER: "buffer", PERSISTENT: "persistent", TUPLE: "tuple", LIST: "list", DICT: "dict",
    SET: "set", FROZENSET: "frozenset", ENCODED: "bytes", GLOBAL: "global", BOUND: "bound method", MADE: "instance",
    PARTIAL: "partial", PRIOR: "object of an earlier load",
}  # fmt: skip

#: Depths from here on mean "a helper, or a tuple that holds one".
TAINT: Final = 1 << 40

# Protocol helpers: functions that pickle's own protocol spells, and that stand for an opcode of a later protocol.
RECONSTRUCTOR: Final = "reconstructor"
NEWOBJ: Final = "newobj"
NEWOBJ_EX: Final = "newobj_ex"
ENCODE: Final = "encode"
GETATTR: Final = "getattr"
PARTIAL_CLASS: Final = "partial"
DUNDER_NEW: Final = "__new__"  # getattr(cls, "__new__"), where the policy does not list it as a name of its own

HELPERS: Final[dict[Name, str]] = {
    ("copyreg", "_reconstructor"): RECONSTRUCTOR,
    ("copyreg", "__newobj__"): NEWOBJ,
    ("copyreg", "__newobj_ex__"): NEWOBJ_EX,
    ("_codecs", "encode"): ENCODE,
    ("builtins", "getattr"): GETATTR,
    ("functools", "partial"): PARTIAL_CLASS,
}

#: The names that CPython looks up on an instance, where its own state can plant them.
HOOKS: Final = frozenset({"__setstate__", "append", "extend", "add"})


class Global:
    """One name that a stream refers to, judged once: canonical module and qualified name, grants, how it was used."""

    __slots__ = (
        "base", "built", "called", "dotted", "filled", "found", "found_in", "glance", "grants", "helper", "key",
        "listed", "made", "module", "name", "place", "referred", "turn",
    )  # fmt: skip

    def __init__(
        self,
        module: str,
        name: str,
        grants: tuple[Grant, ...],
        listed: bool,
        helper: str | None = None,
        base: Global | None = None,
    ) -> None:
        self.module = module
        self.name = name
        self.key = module, name
        self.dotted = f"{module}.{name}"
        self.grants = grants
        self.listed = listed
        self.helper = helper
        self.base = base  # the global it was reached from by getattr
        self.turn = 0  # the pass that met it last
        self.place = -1  # where the load of that pass has what it found, among what its names stand for
        # Where an earlier load under the same policy found it, and what: so it need not be judged anew.
        self.found_in: Any = None
        self.found: Any = None
        self.glance: Any = None  # what its grants say, as far as it can be decided at a glance; None: nobody has asked
        self.referred = self.called = self.made = self.built = self.filled = 0  # how often each verb was used

    @property
    def uses(self) -> dict[str, int]:
        """How often the stream uses it, by verb."""
        counts = zip(VERBS, (self.referred, self.made, self.called, self.built, self.filled), strict=True)
        return {verb: count for verb, count in counts if count}

    def renew(self, turn: int) -> None:
        """Begin to count anew."""
        self.turn = turn
        self.place = -1
        self.referred = self.called = self.made = self.built = self.filled = 0

    def use(self, verb: str) -> None:
        """Count one use."""
        if verb == REFER:
            self.referred += 1
        elif verb == CALL:
            self.called += 1
        elif verb == NEW:
            self.made += 1
        elif verb == BUILD:
            self.built += 1
        else:
            self.filled += 1

    def has_verb(self, verb: str) -> bool:
        """Whether any grant has the verb, whatever its conditions."""
        return any(verb in grant.verbs for grant in self.grants)


class Made:
    """An object that a call or a `new` of a global will give."""

    __slots__ = (
        "args", "built", "called", "fills", "filled", "kwargs", "origin", "size", "state",
    )  # fmt: skip

    def __init__(
        self, origin: Global | None, args: int, kwargs: int, size: int = 0, called: bool = False
    ) -> None:
        self.origin = origin  # None: made in unrestricted mode by something that has no name
        self.args = args  # code of the arguments' tuple
        self.kwargs = kwargs  # code of the keywords' dict, 0 for none
        self.size = size  # what it may have copied of its arguments and its state: so much a copy of it may copy again
        self.called = called  # made by a call, not by `new`
        self.state = 0  # code of the state that BUILD gave
        self.built = False
        self.filled = 0  # what it was filled as: LIST, DICT or SET; MADE for several of these, 0 for none
        self.fills: list[int] = []  # items that APPEND(S), SETITEM(S) and ADDITEMS gave


class Prior:
    """What is known of a memo entry from before this load."""

    __slots__ = ("code", "depth", "heap", "size", "symbol", "value", "weight")

    def __init__(self, value: Any, depth: int, symbol: Global | None) -> None:
        self.value = value
        self.depth = depth
        self.symbol = symbol  # the global that the entry is, if it is one
        self.size = 0  # what a copy of it may copy, beside its length
        self.weight = 0  # what hashing it costs; 0 while nobody has asked
        self.heap: Heap | None = None  # what knows its weight: the heap of the load that made it
        self.code = 0  # what it is there


class Partial:
    """functools.partial(cls.__new__) on its way to stand for NEWOBJ_EX."""

    __slots__ = ("function", "state")

    def __init__(self, function: int) -> None:
        self.function = function  # code of cls.__new__
        self.state = 0  # code of the state that BUILD gave


class Heap:
    """The stack, the marks and the memo of one pass, and its nodes: what each holds (codes, or a record) and its depth.

    `stack`, `marks` and `memo` are written by index.  Of marks there are two numbers each: where the stack above it
    begins, and how deep what lies below it is.  A memo entry of 0 is none.  The memo `is_orderly` while each entry was
    put where the one before it ends, and none twice: so do picklers, and their streams need no index to be followed.
    """

    __slots__ = (
        "depths", "frozen", "hands_containers", "has_priors", "is_orderly", "items", "largest", "lent", "marks",
        "marks_room", "memo", "memo_room", "memo_top", "receivers", "sizes", "stack", "stack_room", "states",
    )  # fmt: skip

    if TYPE_CHECKING:  # a compiled heap has C arrays in their place
        stack: list[int]
        marks: list[int]
        memo: list[int]
        stack_room: int
        marks_room: int
        memo_room: int
        memo_top: int  # entries from here on are 0
        largest: int  # what `handed` found last
        hands_containers: bool  # likewise

    def __cinit__(self) -> None:
        """Compiled, there is no heap without its arrays, and none is given a second set of them."""
        prim.set_up(self)

    def __init__(self) -> None:
        if not prim.COMPILED:
            self.__cinit__()
        self.receivers: dict[int, int] = {}  # node of a bound method -> the value that it is bound to
        self.has_priors = False
        self.is_orderly = True

    def __dealloc__(self) -> None:
        prim.release(self)

    def renew(self) -> None:
        """Forget everything but the room for it."""
        prim.renew(self)
        self.has_priors = False
        self.is_orderly = True
        if self.receivers:
            self.receivers = {}

    def is_small(self) -> bool:
        """Whether it may be kept for another pass."""
        return prim.is_small(self)

    def note_long(self, at: int, size: int) -> None:
        """Note how long the literal at `at` is, where that is above LONG_TEXT."""
        prim.note_long(self, at, size)

    def long_size(self, at: int) -> int:
        """How long the literal at `at` is, where that is above LONG_TEXT; else 0."""
        return prim.long_size(self, at)

    def has_longs(self) -> bool:
        """Whether there is a literal above LONG_TEXT."""
        return prim.has_longs(self)

    def __len__(self) -> int:
        """How many nodes there are."""
        return prim.nodes(self)

    def add(self, kind: int, record: Any, depth: int) -> int:
        """The code of a new node that has a record."""
        return prim.add(self, kind, record, depth)

    def new_made(self, origin: Global | None, args: int, size: int, called: bool) -> Made:
        """The record of what a call or a `new` makes without keywords."""
        return Made(origin, args, 0, size, called)

    def add_list(self, kind: int, items: list[int], depth: int) -> int:
        """The code of a new container with these items."""
        return prim.add_list(self, kind, items, depth)

    def of(self, code: int) -> Any:
        """The record of a node."""
        return prim.record(self, code)

    def codes(self, code: int) -> list[int]:
        """The items of a container's node, not to be changed."""
        return prim.codes(self, code)

    def count(self, code: int) -> int:
        """How many items a container has."""
        return prim.count(self, code)

    def extend(self, code: int, items: list[int]) -> None:
        """Add items to a container."""
        prim.extend_list(self, code >> SHIFT, items)

    def depth(self, code: int) -> int:
        """The depth of a value: 0 for literals and globals, 1 for an empty container."""
        return prim.depth_of(self, code >> SHIFT) if code & KIND >= FIRST_NODE else 0

    def set_depth(self, number: int, depth: int) -> None:
        """Say how deep a node is."""
        prim.set_depth(self, number, depth)

    def deepest(self, codes: list[int]) -> int:
        """The depth of the deepest of some values."""
        deepest = 0
        for code in codes:
            if code & KIND >= FIRST_NODE:
                depth = prim.depth_of(self, code >> SHIFT)
                if depth > deepest:
                    deepest = depth
        return deepest

    def lend(self, code: int) -> None:
        """Note that others may hold this container too: GET or DUP pushed it."""
        prim.lend(self, code >> SHIFT)

    def is_lent(self, code: int) -> bool:
        """Whether others may hold this container."""
        return prim.is_lent(self, code >> SHIFT)

    def freeze(self, code: int) -> None:
        """Note that a pattern has looked into this container: what was judged must not change."""
        prim.freeze(self, code >> SHIFT)

    def is_frozen(self, code: int) -> bool:
        """Whether a pattern has looked into this container."""
        return prim.is_frozen(self, code >> SHIFT)

    def held(self, number: int) -> Any:
        """What the node with this number holds: a list of codes, or a record."""
        return prim.held(self, number)


#: Literals up to this length are charged a flat unit; longer ones by their length.
LONG_TEXT: Final = 255


class Spelling:
    """A name as streams spell it, and what it was judged as: kept for the next stream under the same policy."""

    __slots__ = ("is_dotted", "is_mapped", "module", "name", "symbol")

    def __init__(self, module: str, name: str, is_mapped: bool, symbol: Global) -> None:
        self.module = module
        self.name = name
        self.is_mapped = is_mapped  # whether pickle's table of Python 2's names applied to it
        self.is_dotted = "." in name
        self.symbol = symbol


class Occurrence:
    """One opcode that names a global: as the stream spells it, under which protocol, and what it was judged as.

    Its `symbol` is None where only running it shows the name, which the unrestricted policy lets be.
    """

    __slots__ = ("module", "name", "position", "protocol", "symbol")

    if TYPE_CHECKING:  # compiled, these are fields in C
        module: str
        name: str
        protocol: int
        symbol: Global | None
        position: int


class Refusal(NamedTuple):
    """One thing that the policy does not grant."""

    position: int
    opcode: str
    module: str | None
    name: str | None
    verb: str | None
    path: str | None
    message: str
    reason: str  # empty where the grant is missing altogether, else which condition refused
    conditions: str = ""  # what an entry would say, as YAML, that grants it all the same


class Plan:
    """What verification found out that the load needs, and a report shows."""

    __slots__ = (
        "_far", "buffers", "consumed", "heap", "occurrences", "opcodes", "persistents", "protocol", "references",
        "stop",
    )  # fmt: skip

    def __init__(
        self,
        stop: int,
        consumed: int,
        opcodes: int,
        protocol: int,
        occurrences: list[Occurrence],
        references: list[tuple[Global, Global]],
        buffers: int,
        heap: Heap,
        far: dict[int, int] | None,
        persistents: list[Global | None],
    ) -> None:
        if not prim.COMPILED:
            self.__cinit__(
                stop, consumed, opcodes, protocol, occurrences, references, buffers, heap, far, persistents
            )

    def __cinit__(
        self,
        stop: int,
        consumed: int,
        opcodes: int,
        protocol: int,
        occurrences: list[Occurrence],
        references: list[tuple[Global, Global]],
        buffers: int,
        heap: Heap,
        far: dict[int, int] | None,
        persistents: list[Global | None],
    ) -> None:
        """Compiled, there is no plan without its heap."""
        if not isinstance(heap, Heap):
            raise TypeError("a plan needs a heap")
        self.stop = stop  # position after STOP in the reader's data
        self.consumed = consumed  # bytes of the source taken
        self.opcodes = opcodes
        self.protocol = protocol  # what the last PROTO said, 0 without one
        self.occurrences = occurrences
        self.references = references  # (class, what getattr reads from it), to be resolved before the first call
        self.buffers = buffers
        self.heap = heap
        self._far = far
        self.persistents = persistents  # for each persistent ID, the class it stands for, where the policy says so

    @property
    def memo(self) -> dict[int, int]:
        """The memo at STOP, as codes."""
        codes = prim.memo_codes(self.heap)
        if self._far is not None:
            codes.update(self._far)
        return codes
