"""The symbolic machine: runs a whole pickle on kinds and origins, and imports, calls and builds nothing.

Pickle is straight-line code, so one pass in the order of the bytes sees every opcode exactly as the load will.  This
pass decides everything that can be known from the stream: the bytes are well formed, no opcode asks for what can never
work, every name and every use of it is granted, every target of a change was made by this very stream, and the work
stays within its limits.  Only then may anything run.

Rules:

* One machine keeps stack, marks and memo exactly as the unpickler does; tests hold the two together.
* A target of BUILD, APPEND(S), SETITEM(S) or ADDITEMS is a list, dict or set literal of this stream, or an object that
  a granted call or `new` of this stream gave.  Everything else existed before, or may have.
* The operands of STACK_GLOBAL, and the names given to getattr, are literal text of this stream.
* A refusal does not end the pass: the rest is judged as if the name were granted, so that all missing grants are known
  at once.  Bytes that are malformed, or work beyond a limit, end it.
* What is kept from one pass to the next is room and what the policy says of names, never anything of the stream.
* Work is charged when it is caused, against a budget that grows with the bytes read so far, never with declared ones.
* No recursion over the stream's values.
"""

from __future__ import annotations

from itertools import takewhile

from safepickle import lane
from safepickle import loading as prim
from safepickle import opcodes as op
from safepickle import symbols as sym
from safepickle.errors import Forbidden, LimitExceeded, MalformedStream, MissingGrant, StreamError, escape
from safepickle.glance import ANY_ARGUMENTS, Given, Glance, Signature, View, arguments_of
from safepickle.hints import Any, Final, Mapping, NoReturn
from safepickle.limits import DEFAULTS, MEMO_HEAD_START, WORK_ALLOWANCE, WORK_PER_BYTE, Limits
from safepickle.matching import Matcher
from safepickle.policy.model import (
    BUFFERS,
    BUILD,
    CALL,
    EXTENSIONS,
    FILL,
    NEW,
    PERSISTENT_IDS,
    POWERFUL_PARTS,
    REFER,
    UNCONDITIONAL,
    VERBS,
    Grant,
    PolicyData,
    builds,
)
from safepickle.policy.packaged import LIBRARIES
from safepickle.policy.patterns import Memory
from safepickle.probes import FREE_KEYS
from safepickle.reader import BEYOND, NEVER, LetGo, Reader
from safepickle.symbols import (
    TAINT,
    Global,
    Heap,
    Made,
    Occurrence,
    Partial,
    Plan,
    Prior,
    Spelling,
)
from safepickle.weighing import Scales, exact_depths

__all__ = ["PLAIN_OPTIONS", "Options", "Verifier", "canonical_name"]

_RECONSTRUCTOR_BASES: Final = {
    "builtins.list": (sym.LIST,),
    "builtins.dict": (sym.DICT,),
    "builtins.tuple": (sym.TUPLE,),
    "builtins.set": (sym.SET,),
    "builtins.frozenset": (sym.FROZENSET,),
    "builtins.str": (sym.STR, sym.TEXT8),
    "builtins.bytes": (sym.BYTES, sym.ENCODED, sym.TEXT8, sym.STR),  # Python 2's str is either, by the encoding
    "builtins.bytearray": (sym.BYTEARRAY,),
    "builtins.int": (sym.INT, sym.BOOL),
    "builtins.float": (sym.FLOAT, sym.INT),
    "builtins.complex": (sym.FLOAT,),
}
# Called with a list, or a list of pairs, these hash what is inside.
_HASHING_SETS: Final = frozenset({"builtins.set", "builtins.frozenset", "collections.Counter", "sets.Set"})
_HASHING_DICTS: Final = frozenset({
    "builtins.dict", "collections.OrderedDict", "collections.defaultdict", "collections.UserDict",
    "collections.ChainMap", "types.MappingProxyType", "weakref.WeakValueDictionary",
})  # fmt: skip
_TEXT_OPCODES: Final = frozenset({op.SHORT_BINUNICODE, op.BINUNICODE, op.BINUNICODE8, op.UNICODE})
_CHANGEABLE: Final = frozenset({sym.LIST, sym.DICT, sym.SET, sym.MADE})
_PARTIAL_NAME: Final = ("functools", "partial")
_LITERAL_TARGETS: Final = {sym.LIST: "a list", sym.DICT: "a dict", sym.SET: "a set"}
_NEVER: Final = NEVER  # compiled, numbers in C
_BEYOND: Final = BEYOND
# Values of a class that is known from the stream alone, and that can neither be called nor given a state.
_BUILTIN_LITERALS: Final = frozenset({
    sym.NONE, sym.BOOL, sym.INT, sym.FLOAT, sym.STR, sym.BYTES, sym.TEXT8, sym.BYTEARRAY, sym.TUPLE, sym.LIST, sym.DICT,
    sym.SET, sym.FROZENSET, sym.ENCODED,
})  # fmt: skip
# What the stream shows to be no tuple, no dict, no text: everything else may turn out to be one.
_NO_TUPLES: Final = _BUILTIN_LITERALS - {sym.TUPLE} | {sym.BUFFER, sym.BOUND}
_NO_DICTS: Final = _BUILTIN_LITERALS - {sym.DICT} | {sym.BUFFER, sym.BOUND}
_NO_TEXTS: Final = _BUILTIN_LITERALS - {sym.STR, sym.TEXT8} | {sym.BUFFER, sym.BOUND}
# Refusals that name nothing new are not recorded beyond this many, and more missing names than this end the pass: a
# report needs no million lines, and each of them takes a hundred times the bytes of the opcode that caused it.
_MOST_REFUSALS: Final = 1000
_MOST_MISSING: Final = 5000
# Arguments that a refusal shows the kinds of; and entries for one use of a name that are told to admit it.
_MOST_SHOWN: Final = 20
_MOST_WAYS: Final = 8
# No budget is larger: sums of work stay within 64 bits.
_MOST_WORK: Final = 1 << 60
# What taking a pair apart costs beside hashing its key.
_COST_OF_A_PAIR: Final = 3
# Longest name that is judged.  No policy lists a longer one, and names that grow with each getattr grow quadratically.
_LONGEST_NAME: Final = 1000
_NO_PRIOR: Final[dict[int, Prior]] = {}

_WIDTHS: Final = op.WIDTHS
# By opcode: whether it can name, make, change or ask for anything but data and buffers.
_POWERS: Final = frozenset({
    op.GLOBAL, op.STACK_GLOBAL, op.INST, op.EXT1, op.EXT2, op.EXT4, op.REDUCE, op.OBJ, op.NEWOBJ, op.NEWOBJ_EX,
    op.BUILD, op.PERSID, op.BINPERSID,
})  # fmt: skip
_POWERFUL: Final = bytes(code in _POWERS for code in range(256))
# By opcode: the kind of the literal that it pushes, where its whole argument has a fixed size.
_FIXED: Final = frozenset({op.NO_ARGUMENT, op.UINT1, op.UINT2, op.INT4, op.FLOAT8})
_PUSHED: Final = {"none": sym.NONE, "bool": sym.BOOL, "int": sym.INT, "float": sym.FLOAT}
_KINDS: Final = {
    row.code: _PUSHED[row.after[0]]
    for row in op.TABLE
    if row.argument in _FIXED and not row.before and row.after and row.after[0] in _PUSHED
}
_LITERAL_KINDS: Final = bytes(_KINDS.get(code, 0) for code in range(256))
# Uncompiled: what the fast lane takes; how few opcodes make it not worth while, and for how many it is left alone then.
_LANE: Final = lane.table(_LITERAL_KINDS)
_IN_LANE: Final = lane.takes(_LANE)
_TOO_FEW: Final = 6
_OWN_WAY: Final = 24


class Options:
    """How a stream is to be read, beside its policy: what the arguments of `loads` and the Unpickler's class say."""

    __slots__ = (
        "buffer_count", "buffers", "encoding", "errors", "fix_imports", "lenient", "opcodes_before", "persistent_load",
        "prior", "scanning",
    )  # fmt: skip

    def __init__(
        self,
        *,
        fix_imports: bool = True,
        encoding: str = "ASCII",
        errors: str = "strict",
        buffers: bool = False,
        buffer_count: int | None = None,
        persistent_load: bool = False,
        scanning: bool = False,
        lenient: bool = False,
        prior: Mapping[int, Prior] = _NO_PRIOR,
        opcodes_before: int = 0,
    ) -> None:
        self.fix_imports = fix_imports
        self.encoding = encoding
        self.errors = errors
        self.buffers = buffers  # out-of-band buffers were given
        self.buffer_count = buffer_count  # how many, where that is known beforehand
        self.persistent_load = persistent_load  # there is something to load persistent IDs with
        self.scanning = scanning  # nothing will be loaded: leave open what only the loader decides
        self.lenient = lenient  # go on where others do though it comes to nothing: what would they meet?
        self.prior = prior  # the memo before this load
        self.opcodes_before = opcodes_before


_NO_POLICY: Final = PolicyData({})
_NO_LIMITS: Final = DEFAULTS._replace()  # is no policy's

#: What `loads` without further arguments says of how to read a stream.
PLAIN_OPTIONS: Final = Options()
#: What it says where it is given buffers and nothing else.
BUFFERED_OPTIONS: Final = Options(buffers=True)


class Verifier:
    """One pass over one pickle.  `run` returns a Plan or raises; `refusals` and `globals` can be read either way."""

    def __init__(
        self, reader: Reader, policy: PolicyData, limits: Limits, options: Options, heap: Heap | None = None
    ) -> None:
        if not prim.COMPILED:
            self.__cinit__(reader, policy, limits, options, heap)

    def __cinit__(
        self, reader: Reader, policy: PolicyData, limits: Limits, options: Options, heap: Heap | None = None
    ) -> None:
        """Compiled, there is no verifier without what it works on, and none is given others."""
        self.heap = Heap() if heap is None else heap
        self.matcher = Matcher(reader, self.heap, options.encoding, options.errors)
        self.refusals: list[sym.Refusal] = []
        self.globals: dict[tuple[str, str], Global] = {}
        self.policy = _NO_POLICY
        self._unrestricted = False
        self.limits = _NO_LIMITS
        self.persistent_ids = 0
        self.persistent_codes: list[int] = []  # what the IDs were, for a policy to be learned from
        self.buffers = 0
        self.capable = False  # whether an opcode was seen that can import, call, build or ask for an object
        self._helper: Global | None = None  # the protocol helper that is being called
        self._spelled: dict[tuple[str, str, bool], Spelling] = {}  # kept for other passes under the same policy
        self._spellings: list[Spelling | None] = [None] * prim.NAME_PLACES  # those of them that need not be read again
        self._has_derived = False  # whether getattr has reached a global from another
        self._turn = 1
        self.occurrences: list[Occurrence] = []
        self.references: list[tuple[Global, Global]] = []
        self.persistents: list[Global | None] = []
        self._far: dict[int, int] | None = None  # memo entries that are not in the heap's array
        self._copy_work = 0
        self._scales = Scales(self.heap, self.matcher)
        # A light pass keeps nothing of what is in a list, dict or set: of mere data nobody asks for that.  Where
        # something is named or made after all, or changed once others hold it, it begins anew and keeps everything.
        self._light = False
        self._again = False
        self._beyond = 0  # what is added to the positions of long literals where bytes are let go; else 0
        self._weighed = False  # whether the scales were used
        self._late = False  # whether a container was changed after others may have come to hold it
        self._states: dict[int, Global] = {}  # dict given as state -> whose, where that is known
        self._memory: Any = None  # what states say of memory; None while none did
        self._admitted: dict[tuple[int, int], bool] = {}  # (id of a grant, state) -> whether the one admits the other
        self._hooks: set[int] = set()  # positions of literals that spell one of HOOKS
        self._dunders: set[int] = set()  # positions of literals that spell a dunder name
        self._must_build: list[int] = []  # codes
        self._view = View(self.heap)
        self._said: set[tuple[Global, str]] = set()
        self._begin(reader, policy, limits, options)

    def _begin(self, reader: Reader, policy: PolicyData, limits: Limits, options: Options) -> None:
        """Set what every pass sets, also one that only reads data."""
        self.reader = reader
        self.options = options
        if policy is not self.policy:
            self.policy = policy
            self._unrestricted = policy.unrestricted
            self._forget_names()
        if limits is not self.limits:
            self._set_limits(limits, options)
        self._reset()

    def _reset(self) -> None:
        self.opcodes = 0
        self.buffers = 0
        self.shared = 0  # how often a container or an object was pushed that something may hold already
        # What was done last, as codes, for whoever looks on between opcodes; who asks for news sets them back.
        self.last_built = 0  # what BUILD changed
        self.last_state = 0  # what it was given
        self.last_filled = 0  # what APPEND(S), SETITEM(S) or ADDITEMS changed that is no literal
        self.last_called = 0  # what was called, or made an instance of, where what came of it does not say so
        self.result = 0  # what STOP left
        self.finished = False  # whether STOP was reached
        self.elsewhere = False  # whether another reader of pickles may go on where this pass ended
        self._protocol = 0
        self._open = 0  # marks
        self._hash_work = 0
        self.harmless_keys = 0  # how much of that was for keys that are all texts, or of which there are few
        self._empty = 0  # code of the empty tuple
        # No budget is smaller than these; it is looked up again where they do not do.
        self._hash_floor = self._least_hash
        self._copy_floor = self._least_copy

    def _set_limits(self, limits: Limits, options: Options) -> None:
        self.limits = limits
        self._depth_limit = min(limits.depth, TAINT)
        self._memo_limit = min(limits.memo + options.opcodes_before, TAINT)
        self._limited = limits.opcodes is not None or limits.bytes is not None
        self._least_hash = min(limits.work(limits.hash_work, 0), _MOST_WORK)
        self._least_copy = min(limits.work(limits.copy_work, 0), _MOST_WORK)

    def forget(self) -> None:
        """Drop what a pass that has succeeded found out, but not the room that it took; nobody has its Plan."""
        self.heap.renew()
        self.matcher.forget()
        self._scales.forget()
        self._weighed = self._late = False
        self._far = None
        self._copy_work = self.persistent_ids = 0
        self._turn += 1
        if self.capable:
            self.capable = False
            self.globals.clear()
            if self._unrestricted or self._has_derived:  # else no stream can make these more than the policy lists
                self._has_derived = False
                self._forget_names()
            self.occurrences.clear()
            self.references.clear()
            self.persistents.clear()
            self.persistent_codes.clear()
            self._must_build.clear()
        if self._states:
            self._states = {}
        if self._admitted:
            self._admitted = {}
        if self._memory is not None:
            self._memory.forget()
        if self._hooks:
            self._hooks = set()
        if self._dunders:
            self._dunders = set()

    def _forget_names(self) -> None:
        self._spelled = {}
        self._spellings = [None] * prim.NAME_PLACES

    def renew(self, policy: PolicyData, limits: Limits, options: Options, light: bool = True) -> None:
        """Make ready for another pass over the same reader, which has new data.

        Only where the last one has left nothing behind: if `is_reusable()`, or after `forget`.  `options` are
        PLAIN_OPTIONS or BUFFERED_OPTIONS: what reads literals again was made for these.  `light` says whether nothing
        but data is expected.
        """
        self.heap.renew()
        if policy is self.policy and limits is self.limits and options is self.options:
            self._reset()
        else:
            self._begin(self.reader, policy, limits, options)
        self._again = False
        self._light = light and prim.COMPILED != 0

    def expect_data(self) -> None:
        """Make ready for `is_mere_data`, on what follows the last pickle that was that; also uncompiled.

        What a light pass finds in the pickle that it is on is all that can be asked afterwards: numbers, no contents.
        """
        if not self.is_reusable():
            self.forget()
        self.heap.renew()
        self._reset()
        self._again = False
        self._light = True
        self._beyond = _BEYOND if self.reader.ripe != _NEVER else 0

    def is_mere_data(self) -> bool:
        """Whether a light pass reads the pickle to its end and finds nothing but data, and nothing to refuse.

        If not, nothing is known of it.
        """
        try:
            self._run_opcodes()
        except (StreamError, LetGo, MemoryError):
            return False
        return self.finished and self.is_plain() and not self._again and not self.refusals

    def is_reusable(self) -> bool:
        """Whether the pass has read nothing but data, and left nothing behind but numbers."""
        heap = self.heap
        return (
            self.finished
            and self.is_data()
            and not self._weighed
            and not self._late
            and self._far is None
            and not (self.refusals or self.globals or self._hooks or self._dunders or heap.receivers)
            and not heap.has_priors
            and not self._copy_work
        )

    def is_plain(self) -> bool:
        """Whether the stream has neither named, made, changed nor asked for anything but data."""
        return not (self.capable or self.persistent_ids or self.buffers)

    def is_data(self) -> bool:
        """Whether the stream has neither named, made, changed nor asked for anything but data and buffers."""
        return not (self.capable or self.persistent_ids)

    def has_harmless_keys(self) -> bool:
        """Whether no dict or set of a plain stream is of more than FREE_KEYS keys, but for such as are all texts.

        The fast lane counts what it is sure of; without it, the whole stream must have few keys.
        """
        return self._far is None and (self._hash_work <= FREE_KEYS or self._hash_work == self.harmless_keys)

    # -- Outcome -----------------------------------------------------------------------------------------------------

    def run(self) -> Plan:
        """Verify one pickle up to and including its STOP.

        Raises Forbidden, with everything that is missing, where the policy refuses anything; MalformedStream,
        EndOfStream or LimitExceeded for what ends the pass.  What comes first in the stream is what is raised.
        """
        self.check()
        return self.plan()

    def check(self) -> None:
        """As `run`, without the Plan."""
        try:
            self._run_opcodes()
            if self._again:
                self._start_over()
                self._run_opcodes()
        except StreamError as error:
            self.elsewhere = error.elsewhere
            if self.refusals:
                raise self.forbidden() from None
            raise
        if self.refusals:
            raise self.forbidden()

    def _start_over(self) -> None:
        """A light pass has come to where the inside of containers matters."""
        self._again = self._light = self._late = False
        self._beyond = 0
        self._far = None
        self.heap.renew()
        if self._weighed:
            self._weighed = False
            self._scales = Scales(self.heap, self.matcher)
        self.reader.rewind()
        self._begin(self.reader, self.policy, self.limits, self.options)

    def plan(self) -> Plan:
        """What a pass that has succeeded found out."""
        reader = self.reader
        return Plan(
            reader.pos, reader.consumed, self.opcodes, self._protocol, self.occurrences, self.references,
            self.buffers, self.heap, self._far, self.persistents,
        )  # fmt: skip

    def forbidden(self) -> Forbidden:
        """One error for all refusals so far: the first one's place, everybody's grants."""
        first = next(iter(self.refusals))
        verbs: dict[tuple[str, str], set[str]] = {}
        conditions: list[MissingGrant] = []
        told: dict[Any, set[str]] = {}
        for refusal in self.refusals:
            if refusal.module is None or refusal.name is None or refusal.verb is None:
                continue
            if refusal.reason:
                found = MissingGrant(refusal.module, refusal.name, (refusal.verb,), refusal.reason, refusal.conditions)
                ways = told.setdefault(found[:3], set())
                ways.add(found.conditions)
                conditions.append(found if len(ways) <= _MOST_WAYS else found._replace(conditions=""))
            else:
                verbs.setdefault((refusal.module, refusal.name), set()).add(refusal.verb)
        missing = [
            MissingGrant(module, name, tuple(verb for verb in VERBS if verb in found - {REFER}) or (REFER,))
            for (module, name), found in verbs.items()
        ]
        return Forbidden(
            first.message,
            position=first.position,
            opcode=first.opcode,
            module=first.module,
            name=first.name,
            verb=first.verb,
            path=first.path,
            missing=tuple(missing + list(dict.fromkeys(conditions))),
            advice=None if self.options.scanning else self._advice({module.partition(".")[0] for module, _ in verbs}),
        )

    def _advice(self, roots: set[str]) -> str | None:
        """Which packaged policies say more of what is missing than that it is missing."""
        roots &= LIBRARIES.keys()
        if roots:
            roots -= {module.partition(".")[0] for module, _ in self.policy.grants}
        if not roots:
            return None
        packs = ", ".join(sorted(LIBRARIES[root] for root in roots))
        return f"Packaged policies say what these names may be given: `include: [{packs}]` before you list them bare."

    def refuse(
        self,
        message: str,
        symbol: Global | None = None,
        verb: str | None = None,
        reason: str = "",
        path: str | None = None,
        conditions: str = "",
    ) -> None:
        """Record that the policy does not grant this; the pass goes on.

        `conditions` is what an entry would say, as YAML, that grants it.
        """
        if reason and len(self.refusals) >= _MOST_REFUSALS:
            return
        if len(self.refusals) >= _MOST_MISSING:
            raise self.forbidden()
        module = symbol.module if symbol else None
        name = symbol.name if symbol else None
        self.refusals.append(
            sym.Refusal(self.reader.position, self._opcode(), module, name, verb, path, message, reason, conditions)
        )

    def forbid(self, message: str) -> NoReturn:
        """Refuse what no policy can grant, and what leaves nothing that could be judged further."""
        self.refuse(message, self._helper, CALL if self._helper else None, reason="no policy can grant this use of it")
        raise self.forbidden()

    def malformed(self, message: str, advice: str | None = None) -> NoReturn:
        """Refuse what no load could ever do."""
        raise MalformedStream(message, position=self.reader.position, opcode=self._opcode(), advice=advice)

    def _pointless(self, message: str) -> None:
        """Refuse to change a literal as no pickler does, though some readers do it, or pass it over."""
        if self.options.lenient:
            return
        error = MalformedStream(message, position=self.reader.position, opcode=self._opcode())
        error.elsewhere = True
        raise error

    def exceeded(self, limit: str, message: str) -> NoReturn:
        """Refuse what would cost more than a limit allows."""
        raise LimitExceeded(
            f"{message}; the limit {limit} is {self._limit_text(limit)}",
            position=self.reader.position,
            opcode=self._opcode(),
            advice=f"If the pickle is trusted, raise it in the policy: `limits: {{{limit}: ...}}`.",
        )

    def _limit_text(self, limit: str) -> str:
        value = getattr(self.limits, limit)
        return f"{value:,}" if value is not None else f"{self.limits.work(None, self.reader.consumed):,} at this point"

    def _opcode(self) -> str:
        data = self.reader.data
        return op.name_of(data[self.reader.at]) if self.reader.at < len(data) else "?"

    # -- The machine -------------------------------------------------------------------------------------------------

    # The accepted long function: one flat arm for each opcode, common ones first.  The values above the topmost mark
    # lie from `base` to `height` on the stack.  `deep` is the depth of the deepest value pushed since that mark: an
    # upper bound for what is on the stack, made exact where it would refuse.  Common opcodes whose bytes are all here
    # are read on the spot and go on with the next one; whatever reads through the reader ends behind the chain, where
    # `data`, `pos` and `end` are taken from it again.
    def _run_opcodes(self) -> None:  # noqa: C901, PLR0912, PLR0915 - flat on purpose
        reader = self.reader
        heap = self.heap
        depth_limit = self._depth_limit
        limited = self._limited
        light = self._light
        beyond = self._beyond
        ripe = reader.ripe if beyond else _NEVER
        prim.begin(heap, light)
        has_prior = bool(self.options.prior)
        if has_prior:
            heap.is_orderly = False
        kinds = prim.pointer(_LITERAL_KINDS)
        widths = prim.pointer(_WIDTHS)
        powers = prim.pointer(_POWERFUL)
        data = prim.pointer(reader.data)
        pos = reader.pos
        end = reader.end
        stack = heap.stack
        room = heap.stack_room
        base = 0
        height = 0
        deep = 0
        count = len(self.options.prior)  # entries in the memo
        patience = 0  # how many opcodes must have been read before the lane is tried
        while True:
            if pos >= ripe:
                reader.pos = pos
                reader.let_go()
                beyond += pos - reader.pos
                self._beyond = beyond
                pos = reader.pos
                data = prim.pointer(reader.data)
                end = reader.end
            if pos >= end:
                reader.pos = pos
                reader.boundary()
                data = prim.pointer(reader.data)
                end = reader.end
            if (
                not prim.COMPILED
                and self.opcodes >= patience
                and _IN_LANE[data[pos]]
                and not (limited or has_prior or self._far is not None)
            ):
                started = self.opcodes
                pos, base, height, deep, count = lane.run(self, _LANE, pos, base, height, deep, count)
                end = reader.end
                room = heap.stack_room
                patience = self.opcodes + (_OWN_WAY if self.opcodes - started < _TOO_FEW else 1)
                continue
            if height >= room:
                prim.grow_stack(heap)
                stack = heap.stack
                room = heap.stack_room

            # What is common comes in runs.  Each opcode has an arm of its own, so that where the next one begins is a
            # matter of branches, which are foretold, and not of a width that has to be looked up first.  An arm that
            # has a doubt leaves the opcode to the chain below, which says what is wrong.
            at = pos
            run = 0
            while prim.COMPILED and not limited and end - pos > prim.LONGEST_FIXED and height < room:
                code = data[pos]
                if code == op.BININT1:
                    stack[height] = pos << sym.SHIFT | sym.INT
                    pos += 2
                elif code == op.BININT:
                    stack[height] = pos << sym.SHIFT | sym.INT
                    pos += 5
                elif code == op.BINFLOAT:
                    stack[height] = pos << sym.SHIFT | sym.FLOAT
                    pos += 9
                elif code == op.BININT2:
                    stack[height] = pos << sym.SHIFT | sym.INT
                    pos += 3
                elif code == op.NONE:
                    stack[height] = pos << sym.SHIFT | sym.NONE
                    pos += 1
                elif code == op.NEWTRUE or code == op.NEWFALSE:
                    stack[height] = pos << sym.SHIFT | sym.BOOL
                    pos += 1
                elif code == op.SHORT_BINUNICODE:
                    stop = prim.text_stop(data, pos + 1, end, 1)
                    if stop < 0:
                        break
                    value = pos << sym.SHIFT | sym.STR
                    stack[height] = value
                    pos = stop
                    # A pickler puts every text into the memo, and most of what else it may meet again.
                    if pos < end and data[pos] == op.MEMOIZE and prim.memoize(heap, count, value):
                        count += 1
                        pos += 1
                        run += 1
                elif code == op.LONG1 or code == op.SHORT_BINBYTES:
                    if data[pos + 1] > end - pos - 2:
                        break
                    value = pos << sym.SHIFT | (sym.INT if code == op.LONG1 else sym.BYTES)
                    stack[height] = value
                    pos += 2 + data[pos + 1]
                    if pos < end and data[pos] == op.MEMOIZE and prim.memoize(heap, count, value):
                        count += 1
                        pos += 1
                        run += 1
                elif code == op.BINBYTES:
                    size = prim.uint4(data, pos + 1)
                    if size >= prim.LARGE or size > end - pos - 5:
                        break
                    if size > sym.LONG_TEXT:
                        prim.note_long(heap, pos + beyond, size)
                        stack[height] = (pos + beyond) << sym.SHIFT | sym.BYTES
                    else:
                        stack[height] = pos << sym.SHIFT | sym.BYTES
                    pos += 5 + size
                elif code == op.BINGET:
                    value = prim.fetch(heap, data[pos + 1])
                    if not value:
                        break
                    kind = value & sym.KIND
                    if kind >= sym.FIRST_NODE:
                        depth = prim.depth_of(heap, value >> sym.SHIFT)
                        if depth > deep:
                            deep = depth
                        if kind == sym.LIST or kind == sym.DICT or kind == sym.SET or kind == sym.MADE:
                            prim.lend(heap, value >> sym.SHIFT)
                        if kind <= sym.FROZENSET or kind == sym.MADE:
                            self.shared += 1
                    stack[height] = value
                    pos += 2
                elif code == op.MEMOIZE:
                    if height == base or not prim.memoize(heap, count, stack[height - 1]):
                        break
                    count += 1
                    pos += 1
                    run += 1
                    continue
                elif code == op.MARK:
                    number = self._open
                    if number == heap.marks_room:
                        break
                    heap.marks[2 * number] = base
                    heap.marks[2 * number + 1] = deep
                    self._open = number + 1
                    base = height
                    deep = 0
                    pos += 1
                    run += 1
                    continue
                elif code == op.EMPTY_LIST or code == op.EMPTY_DICT:
                    stack[height] = prim.collect(
                        heap, sym.LIST if code == op.EMPTY_LIST else sym.DICT, height, height, 1
                    )
                    if deep == 0:
                        deep = 1
                    pos += 1
                elif code == op.EMPTY_TUPLE:
                    stack[height] = self._empty_tuple()
                    if deep == 0:
                        deep = 1
                    pos += 1
                elif code == op.TUPLE1 or code == op.TUPLE2 or code == op.TUPLE3:
                    start = height - (1 if code == op.TUPLE1 else 2 if code == op.TUPLE2 else 3)
                    if start < base:
                        break
                    depth = prim.deepest(heap, start, height) + 1
                    if depth > depth_limit:
                        break
                    if depth > deep:
                        deep = depth
                    value = prim.collect(heap, sym.TUPLE, start, height, depth)
                    stack[start] = value
                    height = start + 1
                    pos += 1
                    run += 1
                    if data[pos] == op.MEMOIZE and prim.memoize(heap, count, value):
                        count += 1
                        pos += 1
                        run += 1
                    continue
                elif code == op.REDUCE or code == op.NEWOBJ or code == op.BUILD:
                    if light or height - 1 <= base:
                        break
                    self.opcodes += run + 1
                    run = 0
                    height -= 1
                    reader.at = pos
                    pos += 1
                    reader.pos = pos
                    value = self._combined(code, stack[height - 1], stack[height])
                    stack[height - 1] = value
                    if value & sym.KIND >= sym.FIRST_NODE:
                        depth = prim.depth_of(heap, value >> sym.SHIFT)
                        if depth > deep:
                            deep = depth
                    if data[pos] == op.MEMOIZE and prim.memoize(heap, count, value):
                        count += 1
                        pos += 1
                        run += 1
                    continue
                else:
                    break
                height += 1
                run += 1
            else:
                if pos != at:
                    self.opcodes += run
                    continue
            self.opcodes += run

            at = pos
            code = data[at]
            pos = at + 1
            reader.at = at
            reader.pos = pos
            self.opcodes += 1
            if limited:
                self._check_length()

            # Literals of a fixed size
            kind = kinds[code]
            if kind:
                width = widths[code]
                if width > end - pos:
                    reader.skip(width)
                    data = prim.pointer(reader.data)
                    end = reader.end
                pos += width
                stack[height] = at << sym.SHIFT | kind
                height += 1
                continue

            # Uncompiled, the order of the tests is what takes time, and the lane takes what is common
            if not prim.COMPILED and code == op.STOP:
                if height == base:
                    self._underflow()
                if light and self._late:
                    self._again = True
                else:
                    self._stop(stack[height - 1])
                break

            # What names or makes anything, in a light pass
            if light and powers[code]:
                self._again = True
                break

            # Texts, and the memo
            if code == op.SHORT_BINUNICODE or code == op.BINUNICODE:
                stop = prim.text_stop(data, pos, end, 1 if code == op.SHORT_BINUNICODE else 4)
                place = at + beyond
                stack[height] = place << sym.SHIFT | sym.STR
                height += 1
                if stop >= 0:
                    if stop - pos > sym.LONG_TEXT + 4:
                        prim.note_long(heap, place, stop - pos - 4)
                    pos = stop
                    continue
                self._text(place, reader.uint1() if code == op.SHORT_BINUNICODE else reader.uint4())
            elif code == op.MEMOIZE or code == op.BINPUT or code == op.LONG_BINPUT:
                if height == base:
                    self._underflow()
                if code == op.MEMOIZE:
                    index = count
                else:
                    if widths[code] > end - pos:
                        reader.skip(widths[code])
                        data = prim.pointer(reader.data)
                        end = reader.end
                    index = data[pos] if code == op.BINPUT else prim.uint4(data, pos)
                    pos += widths[code]
                    reader.pos = pos
                if heap.is_orderly and index == count and index < heap.memo_room:
                    heap.memo[index] = stack[height - 1]
                    count += 1
                    heap.memo_top = count
                else:
                    count = self._put(index, stack[height - 1], count)
                continue
            elif code == op.BINGET or code == op.LONG_BINGET or code == op.GET:
                if code != op.GET and widths[code] <= end - pos:
                    index = data[pos] if code == op.BINGET else prim.uint4(data, pos)
                    pos += widths[code]
                    reader.pos = pos
                elif code == op.BINGET:
                    index = reader.uint1()
                else:
                    index = reader.uint4() if code == op.LONG_BINGET else reader.index()
                value = prim.fetch(heap, index)
                if not value:
                    value = self._get_prior(index)
                kind = value & sym.KIND
                if kind >= sym.FIRST_NODE:
                    depth = prim.depth_of(heap, value >> sym.SHIFT)
                    if depth > deep:
                        deep = depth
                    if kind == sym.LIST or kind == sym.DICT or kind == sym.SET or kind == sym.MADE:
                        prim.lend(heap, value >> sym.SHIFT)
                    if kind <= sym.FROZENSET or kind == sym.MADE:
                        self.shared += 1
                stack[height] = value
                height += 1
            elif code == op.PUT:
                if height == base:
                    self._underflow()
                index = reader.index()
                count = self._put(index, stack[height - 1], count)

            # Containers
            elif code == op.MARK:
                number = self._open
                if number == heap.marks_room:
                    prim.grow_marks(heap)
                heap.marks[2 * number] = base
                heap.marks[2 * number + 1] = deep
                self._open = number + 1
                base = height
                deep = 0
                continue
            elif code == op.EMPTY_LIST or code == op.EMPTY_DICT or code == op.EMPTY_SET:
                if code == op.EMPTY_LIST:
                    kind = sym.LIST
                else:
                    kind = sym.DICT if code == op.EMPTY_DICT else sym.SET
                stack[height] = prim.collect(heap, kind, height, height, 1)
                height += 1
                if deep == 0:
                    deep = 1
                continue
            elif code == op.EMPTY_TUPLE:
                stack[height] = self._empty_tuple()
                height += 1
                if deep == 0:
                    deep = 1
                continue
            elif code == op.TUPLE1 or code == op.TUPLE2 or code == op.TUPLE3:
                start = height - (1 if code == op.TUPLE1 else 2 if code == op.TUPLE2 else 3)
                if start < base:
                    self._underflow()
                depth = prim.deepest(heap, start, height) + 1
                if depth > depth_limit:
                    depth = self._deep_tuple(start, height)
                if depth > deep:
                    deep = depth
                stack[start] = prim.collect(heap, sym.TUPLE, start, height, depth)
                height = start + 1
                continue
            elif (
                code == op.APPENDS
                or code == op.SETITEMS
                or code == op.TUPLE
                or code == op.ADDITEMS
                or code == op.LIST
                or code == op.DICT
                or code == op.FROZENSET
                or code == op.POP_MARK
                or code == op.OBJ
                or code == op.INST
            ):
                start = base
                stop = height
                inner = deep
                height = start
                self._open -= 1
                if self._open < 0:
                    self._open = 0
                    self.malformed("could not find MARK")
                base = heap.marks[2 * self._open]
                deep = heap.marks[2 * self._open + 1]
                if inner >= depth_limit:
                    inner = prim.deepest(heap, start, stop)
                    if inner >= depth_limit and code != op.TUPLE and code != op.POP_MARK:
                        self._too_deep(inner)
                if code == op.APPENDS or code == op.SETITEMS or code == op.ADDITEMS:
                    if height == base:
                        self._underflow()
                    if code == op.APPENDS:
                        kind = sym.LIST
                    else:
                        kind = sym.DICT if code == op.SETITEMS else sym.SET
                    depth = self._fill(stack[height - 1], start, stop, inner, kind)
                elif code == op.TUPLE:
                    depth = inner + 1 if inner < depth_limit else self._deep_tuple(start, stop)
                    stack[height] = prim.collect(heap, sym.TUPLE, start, stop, depth)
                    height += 1
                elif code == op.POP_MARK:
                    depth = 0
                elif code == op.LIST or code == op.DICT or code == op.FROZENSET:
                    depth = inner + 1
                    if code == op.LIST:
                        kind = sym.LIST
                    elif code == op.DICT:
                        kind = sym.DICT
                        self._check_pairs(start, stop)
                    else:
                        kind = sym.FROZENSET
                        self._hash_all(start, stop, 1)
                    if light and kind != sym.FROZENSET:
                        stop = start
                    stack[height] = prim.collect(heap, kind, start, stop, depth)
                    height += 1
                elif code == op.OBJ:
                    if start == stop:
                        self._underflow()
                    value = prim.collect(heap, sym.TUPLE, start + 1, stop, inner + 1)
                    stack[height] = self._instantiate(stack[start], value)
                    depth = heap.depth(stack[height])
                    height += 1
                else:  # INST
                    value = self._global_pair(reader.two_lines())
                    stack[height] = self._instantiate(
                        value, prim.collect(heap, sym.TUPLE, start, stop, inner + 1)
                    )
                    depth = heap.depth(stack[height])
                    height += 1
                if depth > deep:
                    deep = depth
            elif code == op.APPEND or code == op.SETITEM:
                start = height - (1 if code == op.APPEND else 2)
                if start <= base:
                    self._underflow()
                depth = prim.deepest(heap, start, height)
                depth = self._fill(stack[start - 1], start, height, depth, sym.LIST if code == op.APPEND else sym.DICT)
                height = start
                if depth > deep:
                    deep = depth
                continue

            # Globals and objects
            elif code == op.GLOBAL:
                value = self._global_pair(reader.two_lines())
                stack[height] = value
                height += 1
                depth = prim.depth_of(heap, value >> sym.SHIFT)
                if depth > deep:
                    deep = depth
            elif code == op.STACK_GLOBAL or code == op.REDUCE or code == op.NEWOBJ or code == op.BUILD:
                height -= 1
                if height <= base:
                    self._underflow()
                value = self._combined(code, stack[height - 1], stack[height])
                stack[height - 1] = value
                if value & sym.KIND >= sym.FIRST_NODE:
                    depth = prim.depth_of(heap, value >> sym.SHIFT)
                    if depth > deep:
                        deep = depth
                continue
            elif code == op.NEWOBJ_EX:
                height -= 2
                if height <= base:
                    self._underflow()
                value = self._new(stack[height - 1], stack[height], stack[height + 1], "NEWOBJ_EX")
                stack[height - 1] = value
                depth = prim.depth_of(heap, value >> sym.SHIFT)
                if depth > deep:
                    deep = depth

            # Less common literals
            elif code == op.SHORT_BINBYTES or code == op.LONG1:
                if end - pos >= 1 and data[pos] <= end - pos - 1:
                    reader.pos = pos + 1 + data[pos]
                else:
                    reader.skip(reader.uint1())
                stack[height] = at << sym.SHIFT | (sym.BYTES if code == op.SHORT_BINBYTES else sym.INT)
                height += 1
            elif code == op.BINBYTES or code == op.BINBYTES8 or code == op.LONG4 or code == op.BYTEARRAY8:
                if code == op.BINBYTES:
                    size = reader.uint4()
                else:
                    size = reader.length4("LONG") if code == op.LONG4 else reader.uint8()
                if code == op.BYTEARRAY8:
                    reader.skip_bytearray(size)
                else:
                    reader.skip(size)
                place = at + beyond
                if size > sym.LONG_TEXT:
                    prim.note_long(heap, place, size)
                if code == op.LONG4:
                    kind = sym.INT
                else:
                    kind = sym.BYTEARRAY if code == op.BYTEARRAY8 else sym.BYTES
                stack[height] = place << sym.SHIFT | kind
                height += 1
            elif code == op.BINUNICODE8:
                place = at + beyond
                self._text(place, reader.uint8())
                stack[height] = place << sym.SHIFT | sym.STR
                height += 1
            elif code == op.SHORT_BINSTRING or code == op.BINSTRING or code == op.STRING:
                if code == op.SHORT_BINSTRING:
                    raw = reader.take(reader.uint1())
                else:
                    raw = reader.take(reader.length4("BINSTRING")) if code == op.BINSTRING else reader.quoted()
                stack[height] = self._text8(at + beyond, raw)
                height += 1
            elif code == op.UNICODE:
                text = reader.escaped()
                place = at + beyond
                if len(text) > sym.LONG_TEXT:
                    prim.note_long(heap, place, len(text))
                self._note_name(place, text)
                stack[height] = place << sym.SHIFT | sym.STR
                height += 1
            elif code == op.INT or code == op.LONG:
                number_read = reader.int_or_bool() if code == op.INT else reader.decimal(suffix=True)
                place = at + beyond
                if reader.pos - reader.at > sym.LONG_TEXT:
                    prim.note_long(heap, place, reader.pos - reader.at)
                kind = sym.BOOL if number_read is True or number_read is False else sym.INT
                stack[height] = place << sym.SHIFT | kind
                height += 1
            elif code == op.FLOAT:
                reader.float_text()
                stack[height] = at << sym.SHIFT | sym.FLOAT
                height += 1

            # The stack itself
            elif code == op.POP:
                if height > base:
                    height -= 1
                elif self._open:
                    self._open -= 1
                    base = heap.marks[2 * self._open]
                    deep = heap.marks[2 * self._open + 1]
                else:
                    self._underflow()
            elif code == op.DUP:
                if height == base:
                    self._underflow()
                value = stack[height - 1]
                stack[height] = value
                height += 1
                if value & sym.KIND in _CHANGEABLE:
                    prim.lend(heap, value >> sym.SHIFT)
                if value & sym.KIND >= sym.FIRST_NODE:
                    self.shared += 1

            # Control
            elif code == op.PROTO:
                if pos < end and data[pos] <= op.HIGHEST_PROTOCOL:
                    self._protocol = data[pos]
                    pos += 1
                    continue
                self._protocol = reader.uint1()
                if self._protocol > op.HIGHEST_PROTOCOL:
                    self.malformed(f"unsupported pickle protocol: {self._protocol}")
            elif code == op.FRAME:
                reader.frame()
            elif code == op.STOP:
                if height == base:
                    self._underflow()
                if light and self._late:
                    self._again = True
                else:
                    self._stop(stack[height - 1])
                break

            # What the application has to bring
            elif code == op.PERSID:
                reader.persistent_id_line()
                stack[height] = self._persistent(at << sym.SHIFT | sym.STR, at)
                height += 1
            elif code == op.BINPERSID:
                if height == base:
                    self._underflow()
                stack[height - 1] = self._persistent(stack[height - 1], at)
            elif code == op.NEXT_BUFFER:
                self._next_buffer()
                stack[height] = at << sym.SHIFT | sym.BUFFER
                height += 1
            elif code == op.READONLY_BUFFER:
                if height == base:
                    self._underflow()
                stack[height - 1] = self._readonly_buffer(stack[height - 1], at)
            elif code == op.EXT1 or code == op.EXT2 or code == op.EXT4:
                if code == op.EXT1:
                    value = self._extension(reader.uint1())
                else:
                    value = self._extension(reader.uint2() if code == op.EXT2 else reader.int4())
                stack[height] = value
                height += 1
                depth = prim.depth_of(heap, value >> sym.SHIFT)
                if depth > deep:
                    deep = depth
            else:
                reader.unknown_opcode(code)
            pos = reader.pos
            end = reader.end
            data = prim.pointer(reader.data)

    def _combined(self, code: int, under: int, top: int) -> int:
        """What an opcode leaves that takes the two topmost values."""
        if code == op.REDUCE:
            return self._reduce(under, top)
        if code == op.NEWOBJ:
            return self._new(under, top, 0, "NEWOBJ")
        if code == op.STACK_GLOBAL:
            return self._stack_global(under, top)
        self._build(under, top)
        return under

    # -- Memo --------------------------------------------------------------------------------------------------------

    def _put(self, index: int, code: int, count: int) -> int:
        """Store a value in the memo, which has `count` entries so far; returns how many it has then."""
        heap = self.heap
        far = self._far
        if index != count:
            heap.is_orderly = False
        if index < heap.memo_room and heap.memo[index]:
            heap.memo[index] = code
            return count
        if far is not None and index in far:
            far[index] = code
            return count
        if index > self._memo_limit + self.opcodes:
            raise LimitExceeded(
                f"memo index {index:,} is far ahead of the {self.opcodes:,} opcodes so far; the limit memo is "
                f"{self.limits.memo:,}",
                position=self.reader.position,
                opcode=self._opcode(),
            )
        if index < heap.memo_room:
            heap.memo[index] = code
            heap.memo_top = max(heap.memo_top, index + 1)
        elif index <= MEMO_HEAD_START + self.opcodes:
            prim.grow_memo(heap, index)
            heap.memo[index] = code
            heap.memo_top = max(heap.memo_top, index + 1)
        elif far is None:
            self._far = {index: code}
        else:
            far[index] = code
        return count if index in self.options.prior else count + 1

    def _get_prior(self, index: int) -> int:
        """The code of a memo entry that no put of this load made within the array's reach."""
        far = self._far
        if far is not None and index in far:
            return far[index]
        prior = self.options.prior.get(index)
        if prior is None:
            self.malformed(f"Memo value not found at index {index}")
        if prior.symbol is not None and not self._unrestricted:
            symbol = self._symbol(prior.symbol.module, prior.symbol.name, prior.symbol.base)
            code = self._global_code(symbol)
        else:
            code = self.heap.add(sym.PRIOR, prior, prior.depth)
            self.heap.has_priors = True
        if self._far is None:
            self._far = {}
        self._far[index] = code
        return code

    def _underflow(self) -> NoReturn:
        self.malformed("unexpected MARK found" if self._open else "unpickling stack underflow")

    def _check_length(self) -> None:
        """The limits on the pickle's own size, where a policy sets them."""
        limits = self.limits
        if limits.bytes is not None and self.reader.consumed > limits.bytes:
            self.exceeded("bytes", "the pickle is too long")
        if limits.opcodes is not None and self.opcodes > limits.opcodes:
            self.exceeded("opcodes", "the pickle has too many opcodes")

    # -- Literals ----------------------------------------------------------------------------------------------------

    def _text(self, at: int, size: int) -> None:
        """A UTF-8 text of `size` bytes, as the reader takes it."""
        text = self.reader.text(size)
        if size > sym.LONG_TEXT:
            prim.note_long(self.heap, at, size)
        self._note_name(at, text)

    def _note_name(self, at: int, text: str) -> None:
        if text in sym.HOOKS:
            self._hooks.add(at)
        if text.startswith("__"):
            self._dunders.add(at)

    def _text8(self, at: int, raw: bytes) -> int:
        if len(raw) > sym.LONG_TEXT:
            prim.note_long(self.heap, at, len(raw))
        options = self.options
        self._note_name(at, str(raw[:sym.LONG_TEXT], "latin-1"))
        if options.scanning:
            return at << sym.SHIFT | sym.TEXT8
        if options.encoding == "bytes":
            return at << sym.SHIFT | sym.BYTES
        try:
            str(raw, options.encoding, options.errors)
        except Exception as error:
            failure = MalformedStream(
                str(error),
                position=self.reader.position,
                opcode=self._opcode(),
                advice="An 8-bit string of Python 2: give its encoding, such as encoding='latin1' or encoding='bytes'.",
            )
            error.__traceback__ = None
            raise failure from error
        return at << sym.SHIFT | sym.STR

    # -- Depth -------------------------------------------------------------------------------------------------------

    def _too_deep(self, depth: int) -> NoReturn:
        if depth >= TAINT:
            self._helper_as_value()
        self.exceeded("depth", f"objects nested {depth + 1:,} deep")

    def _deep_tuple(self, start: int, stop: int) -> int:
        """The depth of a tuple that seems too deep: tuples may hold protocol helpers on their way to their place."""
        depth = prim.deepest(self.heap, start, stop)
        if depth < TAINT and depth >= self.limits.depth:
            self._too_deep(depth)
        return depth + 1

    def _helper_as_value(self) -> NoReturn:
        self.forbid(
            "a protocol helper (copyreg._reconstructor, __newobj__, _codecs.encode, getattr, partial) used as a value"
        )

    def _usable(self, depth: int) -> None:
        if depth >= self.limits.depth:
            self._too_deep(depth)

    # -- Work --------------------------------------------------------------------------------------------------------

    def _charge_hash(self, amount: int) -> None:
        self._hash_work += amount
        if self._hash_work > self._hash_floor:
            self._hash_floor = self._hash_budget()
        if self._hash_work > self._hash_floor:
            self.exceeded("hash_work", "hashing this pickle's keys, or walking through its arguments, costs too much")

    def _charge_copy(self, amount: int) -> None:
        self._copy_work += amount
        if self._copy_work > self._copy_floor:
            self._copy_floor = self._copy_budget()
        if self._copy_work > self._copy_floor:
            self.exceeded("copy_work", "this pickle hands too much data to calls, again and again")

    def _hash_all(self, start: int, stop: int, step: int) -> None:
        """Charge what hashing these values on the stack costs, and refuse those that cannot be hashed."""
        heap = self.heap
        stack = heap.stack
        some_long = prim.has_longs(heap)
        gone = self._beyond
        data = prim.pointer(self.reader.data)
        flat = 0
        place = start
        while place < stop:
            code = stack[place]
            place += step
            kind = code & sym.KIND
            if (
                kind < sym.FIRST_NODE
                and kind != sym.BYTEARRAY
                and (
                    not some_long
                    or (not prim.long_size(heap, code >> sym.SHIFT) if gone else prim.is_short(data, code >> sym.SHIFT))
                )
            ):
                flat += 1
            else:
                self._hash_one(code)
        self._charge_hash(flat)

    def _hash_listed(self, codes: list[int]) -> None:
        """As `_hash_all`, for values that are not on the stack."""
        for code in codes:
            self._hash_one(code)

    def _hash_one(self, code: int) -> None:
        self._weighed = True
        what = self._scales.unhashable(code)
        if what is not None:
            self.malformed(f"unhashable type: '{what}'")
        self._charge_hashing(code)

    def _charge_hashing(self, code: int) -> None:
        self._charge_hash(self._scales.hashing(code, self._hash_budget()))

    def _hash_budget(self) -> int:
        limits = self.limits
        named = limits.hash_work
        return min(WORK_ALLOWANCE + WORK_PER_BYTE * self.reader.consumed if named is None else named, _MOST_WORK)

    def _copy_budget(self) -> int:
        limits = self.limits
        named = limits.copy_work
        return min(WORK_ALLOWANCE + WORK_PER_BYTE * self.reader.consumed if named is None else named, _MOST_WORK)

    def _charge_arguments(self, args: int, items: list[int], more: list[int], inside: int) -> int:
        """Charge a call or `new` for its arguments, and for `more` beside them; returns how much it may have copied."""
        self._charge_copy(len(items))
        codes = more if args & sym.KIND == sym.TUPLE and self._scales.is_flat(args) else [*items, *more]
        self._charge_handed(codes, inside)
        largest = len(items)
        for code in codes:
            bulk = self._scales.bulk(code)
            if bulk > largest:
                largest = bulk
        return largest

    def _charge_handed(self, codes: list[int], inside: int) -> None:
        """Charge what a call, NEWOBJ or BUILD is given; `inside` is how deep it is, 0 for what nobody walks through."""
        amount = self._scales.lengths(codes)
        if amount:
            self._charge_copy(amount)
        if inside > 2:  # below that, a walk meets no more than what was just counted
            # An Enum hashes what it is called with, a cached function too, and both show it in their errors.
            self._charge_hash(self._scales.walk(codes, self._hash_budget()))

    # -- Filling containers ------------------------------------------------------------------------------------------

    # One arm for each kind of target.
    def _fill(self, target: int, start: int, stop: int, inside: int, wanted: int) -> int:  # noqa: C901 - flat on purpose
        """APPEND(S), SETITEM(S) or ADDITEMS on `target`; returns its depth."""
        kind = target & sym.KIND
        if inside >= self._depth_limit:
            self._too_deep(inside)
        if wanted == sym.DICT:
            self._check_pairs(start, stop)
        elif wanted == sym.SET:
            self._hash_all(start, stop, 1)
        node = target >> sym.SHIFT
        heap = self.heap
        if kind == wanted:
            if start == stop:
                return prim.depth_of(heap, node)
            if prim.is_lent(heap, node):
                self._changes_late(node, start, stop)
            if prim.is_frozen(heap, node):
                self._check_late()
            if not self._light:  # a bare node has no room
                prim.extend(heap, node, start, stop)
        elif kind == sym.MADE:
            made: Made = heap.of(target)
            self.last_filled = target
            if prim.is_frozen(heap, node):
                self._check_late()
            if not self._unrestricted and made.origin is not None:
                self._judge_fill(made.origin, start, stop, wanted)
                made.filled = wanted if not made.filled or made.filled == wanted else sym.MADE
            made.fills += prim.listed(heap, start, stop)
        elif kind in _BUILTIN_LITERALS:
            self._pointless(f"{self._opcode()} on a {sym.WORDS[kind]}, which needs {_LITERAL_TARGETS[wanted]}")
            return heap.depth(target)
        else:
            self.last_filled = target
            if not self._unrestricted:
                self._refuse_target(target)
            return heap.depth(target)
        return self._deepen(node, inside)

    def _judge_fill(self, symbol: Global, start: int, stop: int, wanted: int) -> None:
        """Whether what lies there on the stack may be put into what the symbol gave."""
        symbol.filled += 1
        glance: Glance = self._glance_at(symbol) if symbol.glance is None else symbol.glance
        if glance.fills_freely or symbol.helper:
            return
        if not glance.fills:
            self._refuse_verb(symbol, FILL)
            return
        items = prim.listed(self.heap, start, stop)
        put_in = self.matcher.put_in(items, wanted)
        if not any(self.matcher.matches(pattern, put_in) for pattern in glance.fills if pattern is not None):
            self._refuse_condition(
                symbol, FILL, "what is put in is not what the policy says", "items",
                conditions=f"fill: {self.matcher.shown_inside(items, wanted)}",
            )  # fmt: skip

    def _deepen(self, node: int, inside: int) -> int:
        """The depth of a node that now holds something `inside` deep."""
        heap = self.heap
        depth = prim.depth_of(heap, node)
        if inside >= depth:
            depth = inside + 1
            prim.set_depth(heap, node, depth)
            if prim.is_lent(heap, node):
                self._late = True
        return depth

    def _changes_late(self, node: int, start: int, stop: int) -> None:
        """A container changes that others may hold already: so does all that was found out about it through them."""
        self._late = True
        self._scales.forget_walks()
        if prim.is_state(self.heap, node) and not self._unrestricted:
            keys = prim.listed(self.heap, start, stop)[::2]
            self._check_planted_keys(self._states.get(node), keys, slots=prim.is_slots(self.heap, node))

    def _check_late(self) -> None:
        """Refuse to change a frozen container."""
        if not self._unrestricted:
            self.refuse(
                f"{self._opcode()} changes a container after the policy judged what is in it",
                reason="changed through the memo after it was judged",
            )

    def _check_pairs(self, start: int, stop: int) -> None:
        if (stop - start) & 1:
            self.malformed(f"odd number of items for {self._opcode()}")
        before = self._hash_work
        self._hash_all(start, stop, 2)
        if not prim.COMPILED and all(key & sym.KIND == sym.STR for key in prim.listed(self.heap, start, stop)[::2]):
            self.harmless_keys += self._hash_work - before

    def _refuse_target(self, target: int) -> None:
        kind = target & sym.KIND
        what = {
            sym.GLOBAL: "a global",
            sym.BOUND: "a bound method",
            sym.PERSISTENT: "an object that a persistent ID stands for",
            sym.PRIOR: "an object from before this load",
            sym.BUFFER: "an out-of-band buffer",
            sym.PARTIAL: "a protocol helper",
        }.get(kind, f"a {sym.WORDS[kind]}")
        symbol = self.heap.of(target) if kind in (sym.GLOBAL, sym.BOUND) else None
        named = f" {escape(symbol.dotted)}" if symbol else ""
        verb = BUILD if self._opcode() == "BUILD" else FILL
        self.refuse(
            f"{self._opcode()} would change {what}{named}; a stream may only change objects that it made itself",
            symbol,
            verb,
            reason="not an object that this stream made; no policy can grant this",
        )

    # -- Naming globals ----------------------------------------------------------------------------------------------

    def _stack_global(self, module: int, name: int) -> int:
        place = -1
        if prim.COMPILED and module & sym.KIND == sym.STR and name & sym.KIND == sym.STR:
            reader = self.reader
            data = prim.pointer(reader.data)
            place = prim.name_place(data, module >> sym.SHIFT, name >> sym.SHIFT, reader.end)
            met = self._spellings[place] if place >= 0 else None
            if (
                met is not None
                and prim.spells(data, module >> sym.SHIFT, met.module)
                and prim.spells(data, name >> sym.SHIFT, met.name)
                and met.is_mapped == self._is_mapped()
            ):
                return self._named(met)
        matcher = self.matcher
        if not matcher.is_text(module) or not matcher.is_text(name):
            if not self._unrestricted or module & sym.KIND in _NO_TEXTS or name & sym.KIND in _NO_TEXTS:
                self.malformed("STACK_GLOBAL requires str", "Its operands must be literal text of this stream.")
            return self._global_of_the_application(module, name)
        if not self._unrestricted:
            self._check_name_length(matcher.text_bytes(module))
            self._check_name_length(matcher.text_bytes(name))
        spelling = self._spelling(matcher.name(module), matcher.name(name))
        if place >= 0:
            self._spellings[place] = spelling
        return self._named(spelling)

    def _check_name_length(self, length: int) -> None:
        if length > _LONGEST_NAME:
            self.forbid(f"a name of {length:,} bytes: none above {_LONGEST_NAME:,} is judged")

    def _global_of_the_application(self, module: int, name: int) -> int:
        """A name that a persistent ID or a call gives: only the unrestricted policy lets it be known while running."""
        self.capable = True
        self._note_occurrence("", "", None)
        return self._make(None, self._tuple_of([module, name]), 0, ())

    def _global_pair(self, spelled: tuple[str, str]) -> int:
        """As `_global`, for a module and a name."""
        module, name = spelled
        return self._global(module, name)

    def _global(self, module: str, name: str) -> int:
        """Push a name as the stream spells it: canonical first, then judged."""
        return self._named(self._spelling(module, name))

    def _is_mapped(self) -> bool:
        """Whether pickle's table of Python 2's names applies here."""
        return self._protocol < 3 and self.options.fix_imports

    def _spelling(self, module: str, name: str) -> Spelling:
        """A name of this stream, and what it was judged as if another stream under this policy has spelled it so."""
        if not self._unrestricted:
            self._check_name_length(max(len(module), len(name)))
        mapped = self._is_mapped()
        spelling = self._spelled.get((module, name, mapped))
        if spelling is None:
            canonical_module, canonical = canonical_name(module, name) if mapped else (module, name)
            symbol = self._symbol(canonical_module, canonical, None)
            spelling = self._spelled[module, name, mapped] = Spelling(module, name, mapped, symbol)
        return spelling

    def _named(self, spelling: Spelling) -> int:
        """Push what was spelled, and judge it."""
        self.capable = True
        symbol = spelling.symbol
        if symbol.turn != self._turn:
            met = self.globals.get(symbol.key)
            if met is None:
                symbol.renew(self._turn)
                self.globals[symbol.key] = symbol
            else:
                symbol = spelling.symbol = met
        if spelling.is_dotted and self._protocol < 4 and not self._unrestricted:
            self.malformed(f"the dotted name {escape(spelling.name)} needs protocol 4 or later")
        self._note_occurrence(spelling.module, spelling.name, symbol)
        if symbol.helper is not None and symbol.helper == sym.DUNDER_NEW:  # only what getattr gives
            self._refuse_verb(symbol, REFER)
        self._judge(symbol, REFER)
        return self._global_code(symbol)

    def _note_occurrence(self, module: str, name: str, symbol: Global | None) -> None:
        occurrence = Occurrence.__new__(Occurrence)  # without __init__, which in C takes most of the time
        occurrence.module = module
        occurrence.name = name
        occurrence.protocol = self._protocol
        occurrence.symbol = symbol
        occurrence.position = self.reader.position
        self.occurrences.append(occurrence)

    def _global_code(self, symbol: Global) -> int:
        return prim.add(self.heap, sym.GLOBAL, symbol, TAINT if symbol.helper else 0)

    def _symbol(self, module: str, name: str, base: Global | None) -> Global:
        policy = self.policy
        module = policy.aliases.get(module, module)
        symbol = self.globals.get((module, name))
        if symbol is not None:
            return symbol
        key = (module, name)
        if base is not None:
            self._has_derived = True
        helper = None if self._unrestricted else sym.HELPERS.get(key)
        denied = key in policy.denied
        if self._unrestricted:
            grants: tuple[Grant, ...] = (UNCONDITIONAL,)
        else:
            grants = () if denied else policy.grants.get(key, ())
        if denied:
            helper = None
        elif helper is None and not grants and base is not None and name.endswith(".__new__"):
            helper = sym.DUNDER_NEW
        symbol = Global(module, name, grants, bool(grants) or helper is not None, helper, base)
        symbol.turn = self._turn
        self.globals[key] = symbol
        return symbol

    # -- Judging -----------------------------------------------------------------------------------------------------

    def _judge(self, symbol: Global, verb: str) -> None:
        """Whether a verb without conditions of its own is granted."""
        if verb == REFER:
            symbol.referred += 1
            if not symbol.listed and not self._unrestricted:
                self._refuse_verb(symbol, verb)
            return
        symbol.use(verb)
        if self._unrestricted or symbol.helper:
            return
        if not symbol.has_verb(verb):
            self._refuse_verb(symbol, verb)

    def _refuse_verb(self, symbol: Global, verb: str) -> None:
        if (symbol, verb) in self._said:
            return  # once for each name and verb: a million uses make no million messages
        self._said.add((symbol, verb))
        dotted = escape(symbol.dotted)
        if (symbol.module, symbol.name) in self.policy.denied:
            why = f"the policy denies {dotted}"
        elif symbol.grants:
            why = f"the policy does not grant {verb} of {dotted}"
        else:
            why = f"{dotted} is not in the policy"
        self.refuse(f"global '{escape(symbol.module)}.{escape(symbol.name)}' is forbidden: {why}", symbol, verb)

    def _refuse_condition(self, symbol: Global, verb: str, what: str, path: str, conditions: str = "") -> None:
        dotted = escape(symbol.dotted)
        self.refuse(
            f"{verb} of {dotted} is forbidden: {what}",
            symbol, verb, reason=f"{what} (a grant with conditions exists)", path=path, conditions=conditions,
        )  # fmt: skip

    def _judge_arguments(
        self, symbol: Global, verb: str, args: int, kwargs: int, base: str | None = None
    ) -> tuple[Grant, ...]:
        """The grants that admit this call or `new` as a whole; refuses where there is none.

        `base` is what only a grant that names it as its own base admits.
        """
        symbol.use(verb)
        if self._unrestricted:
            return ()
        candidates = tuple(
            grant for grant in symbol.grants if verb in grant.verbs and (base is None or grant.base == base)
        )
        if not candidates:
            self._refuse_verb(symbol, verb)
            return ()
        admitting = tuple(grant for grant in candidates if self._arguments_admitted(grant, args, kwargs))
        if not admitting:
            self._refuse_condition(
                symbol, verb, "its arguments match no signature that the policy gives", "arguments",
                conditions="" if kwargs or base is not None else self._shown_arguments(args),
            )  # fmt: skip
        return admitting

    def _shown_arguments(self, args: int) -> str:
        """What an entry would say to admit arguments of these kinds, as YAML; nothing where they are too many."""
        if args & sym.KIND != sym.TUPLE or self.heap.count(args) > _MOST_SHOWN:
            return ""
        return f"args: [[{', '.join(map(self.matcher.shown, self.heap.codes(args)))}]]"

    def _arguments_admitted(self, grant: Grant, args: int, kwargs: int) -> bool:
        matcher = self.matcher
        if grant.args is not None:
            items = self.heap.codes(args) if args & sym.KIND == sym.TUPLE else None
            if items is None or not any(matcher.shape(shape, items, args) for shape in grant.args):
                return False
            if kwargs and grant.kwargs is None and self.heap.count(kwargs):
                return False
        if grant.kwargs is None or not kwargs:
            return True
        wanted = dict(grant.kwargs)
        pairs = matcher.pairs(kwargs)
        if pairs is None:
            return False
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            text = matcher.key_text(key)
            if text is None or text not in wanted or not matcher.matches(wanted[text], value):
                return False
        return True

    # Most objects of a stream are made like the ones before them, of a few short literals.  What can be said of these
    # at a glance is said here; everything else goes the long way, which comes to the same.

    def _glance_at(self, symbol: Global) -> Glance:
        """What can be said of a name at a glance."""
        ways = {verb == CALL for grant in symbol.grants for verb in grant.verbs & {CALL, NEW}}
        building = [
            grant
            for grant in symbol.grants
            if BUILD in grant.verbs and all(builds(grant, called=way) for way in ways)
        ]
        glance = Glance(
            self._quick_signatures(symbol, CALL),
            self._quick_signatures(symbol, NEW),
            self._unrestricted or any(grant.state is None and grant.attributes is None for grant in building),
            _seeing([_given(grant) for grant in building]),
            [grant.fill for grant in symbol.grants if FILL in grant.verbs],
            symbol.dotted in _HASHING_SETS or symbol.dotted in _HASHING_DICTS,
        )
        glance.must_build_calls = any(grant.then_build for grant in symbol.grants if CALL in grant.verbs)
        glance.must_build_news = any(grant.then_build for grant in symbol.grants if NEW in grant.verbs)
        symbol.glance = glance
        return glance

    def _quick_signatures(self, symbol: Global, verb: str) -> list[Signature]:
        if symbol.helper:
            return []
        if self._unrestricted:
            return [ANY_ARGUMENTS]
        candidates = [grant for grant in symbol.grants if verb in grant.verbs]
        if len({grant.then_build for grant in candidates}) > 1:  # which of them admits it makes a difference
            return []
        if any(grant.args is None for grant in candidates):
            return [ANY_ARGUMENTS]
        return _seeing([arguments_of(shape) for grant in candidates for shape in grant.args or ()])

    def _depth_at_a_glance(self, glance: Glance, signatures: list[Signature], args: int) -> int:
        """How deep an object of these arguments is if they surely match, and then they have been charged; else 0.

        They are scalars, names, objects, and containers of few of these.  `heap.largest` is then how much the object
        may have copied.
        """
        heap = self.heap
        count = prim.count(heap, args)
        if not signatures or count > prim.FEW_ARGUMENTS:
            return 0
        depth = prim.depth_of(heap, args >> sym.SHIFT)
        if depth >= self._depth_limit or (depth > 1 and glance.is_hashing):
            return 0
        view = self._view
        view.open(self.reader.data)
        copied = prim.handed(heap, view.data, args)
        walked = prim.met(heap, args) if depth > 2 and heap.hands_containers else 0
        if copied < 0 or walked < 0:
            return 0
        looks = False
        for number in range(len(signatures)):
            signature: Signature = signatures[number]
            looks = looks or signature.looks
            if signature.admits(view, args):
                if looks:
                    view.settle()
                elif number:  # the next one is like this one, more often than not
                    signatures.insert(0, signatures.pop(number))
                self._charge_copy(count + copied)
                if walked:
                    self._charge_hash(walked)
                return depth + 1
        return 0

    # -- Making objects ----------------------------------------------------------------------------------------------

    def _make(
        self,
        symbol: Global | None,
        args: int,
        kwargs: int,
        admitting: tuple[Grant, ...],
        size: int = 0,
        called: bool = False,
    ) -> int:
        made = Made(symbol, args, kwargs, size, called)
        inside = self.heap.depth(args)
        if kwargs and self.heap.depth(kwargs) > inside:
            inside = self.heap.depth(kwargs)
        self._usable(inside)
        code = self.heap.add(sym.MADE, made, inside + 1)
        if admitting and all(grant.then_build for grant in admitting):
            self._must_build.append(code)
        return code

    def _tuple_items(self, args: int, message: str) -> list[int]:
        """The items of an arguments' tuple that the stream spells out."""
        kind = args & sym.KIND
        if kind == sym.TUPLE:
            return self.heap.codes(args)
        if kind == sym.PRIOR and type(self.heap.of(args).value) is tuple:
            return self._prior_items(args)
        if kind in _NO_TUPLES:
            self.malformed(message)
        if not self._unrestricted:
            self.refuse(
                f"{self._opcode()} with arguments that the stream does not spell out",
                reason="the stream does not spell out these arguments",
            )
        return []

    def _prior_items(self, args: int) -> list[int]:
        """The items of a tuple that an earlier load made; each is as deep, and costs as much, as the whole."""
        whole: Prior = self.heap.of(args)
        self._charge_copy(len(whole.value))
        items = []
        for value in whole.value:
            item = Prior(value, whole.depth, None)
            item.size, item.weight, item.heap, item.code = whole.size, whole.weight, whole.heap, whole.code
            items.append(self.heap.add(sym.PRIOR, item, item.depth))
        return items

    def _reduce(self, function: int, args: int) -> int:
        self.capable = True
        kind = function & sym.KIND
        heap = self.heap
        if kind == sym.GLOBAL and args & sym.KIND == sym.TUPLE:
            symbol: Global = prim.global_of(heap, function)
            glance: Glance = self._glance_at(symbol) if symbol.glance is None else symbol.glance
            if symbol.helper is not None and symbol.helper == sym.ENCODE:
                encoded = self._encoded_at_a_glance(symbol, args)
                if encoded:
                    return encoded
            depth = self._depth_at_a_glance(glance, glance.calls, args)
            if depth:
                symbol.called += 1
                code = prim.make(heap, symbol, args, depth, heap.largest, called=True)
                if glance.must_build_calls:
                    self._must_build.append(code)
                return code
        self.last_called = function
        if kind == sym.PARTIAL:
            return self._finish_partial(function, args)
        items = self._tuple_items(args, "argument list must be a tuple")
        if kind not in (sym.GLOBAL, sym.BOUND):
            return self._reduce_value(function, args, items)
        symbol = heap.of(function)
        if symbol.helper:
            return self._reduce_helper(symbol, items, args)
        self._usable(heap.depth(args))
        admitting = self._judge_arguments(symbol, CALL, args, 0)
        bound_to = [heap.receivers[function >> sym.SHIFT]] if kind == sym.BOUND else []
        size = self._charge_arguments(args, items, bound_to, heap.depth(args))
        self._charge_container(symbol.dotted, items)
        return self._make(symbol, args, 0, admitting, size, called=True)

    def _reduce_value(self, function: int, args: int, items: list[int]) -> int:
        """REDUCE on something that is no global: only the unrestricted policy lets a stream call what was computed."""
        kind = function & sym.KIND
        if kind in _BUILTIN_LITERALS:
            self.malformed(f"'{_type_name(function)}' object is not callable")
        if not self._unrestricted:
            what = {sym.MADE: "what a call or NEWOBJ gave", sym.PERSISTENT: "what a persistent ID stands for"}
            self.refuse(
                f"{self._opcode()} would call {what.get(kind, 'a ' + sym.WORDS[kind])}; only listed names are called",
                reason="not a listed name; no policy can grant this",
            )
        self._usable(self.heap.depth(args))
        size = self._charge_arguments(args, items, [], self.heap.depth(args))
        return self._make(None, args, 0, (), size, called=True)

    def _charge_container(self, dotted: str, items: list[int]) -> None:
        """Calls that hash what they are given."""
        if dotted not in _HASHING_SETS and dotted not in _HASHING_DICTS:
            return
        for item in items:
            kind = item & sym.KIND
            if kind == sym.MADE or kind == sym.PRIOR:
                self._charge_hashing(item)
            elif sym.TUPLE <= kind <= sym.FROZENSET:
                pairs = kind != sym.DICT and dotted in _HASHING_DICTS
                self._charge_members(item, pairs=pairs)

    def _charge_members(self, container: int, *, pairs: bool) -> None:
        members = self.heap.codes(container)
        if self._scales.is_flat(container):
            self._charge_hash(len(members))
            return
        if container & sym.KIND == sym.DICT:
            members = members[::2]
        for member in members:
            key = member
            if pairs and member & sym.KIND in (sym.LIST, sym.TUPLE):
                key = self.heap.codes(member)[0] if self.heap.codes(member) else sym.NONE
            if self._scales.unhashable(key) is None:
                self._charge_hashing(key)
            if pairs:
                self._charge_hash(_COST_OF_A_PAIR)

    def _instantiate(self, function: int, args: int) -> int:
        """INST and OBJ: a call, or, without arguments, a class made without __init__."""
        kind = function & sym.KIND
        self.last_called = function
        if kind != sym.GLOBAL:
            return self._reduce_value(function, args, self.heap.codes(args))
        symbol: Global = self.heap.of(function)
        if symbol.helper:
            self._helper_as_value()
        self._usable(self.heap.depth(args))
        admitting = self._judge_arguments(symbol, CALL, args, 0)
        items = self.heap.codes(args)
        if not items:
            admitting = self._judge_arguments(symbol, NEW, args, 0) or admitting
        size = self._charge_arguments(args, items, [], self.heap.depth(args))
        self._charge_container(symbol.dotted, items)
        return self._make(symbol, args, 0, admitting, size, called=bool(items))

    def _new(self, cls: int, args: int, kwargs: int, what: str, base: str | None = None) -> int:
        self.capable = True
        kind = cls & sym.KIND
        heap = self.heap
        if kind == sym.GLOBAL and args & sym.KIND == sym.TUPLE and not kwargs and base is None:
            symbol: Global = prim.global_of(heap, cls)
            glance: Glance = self._glance_at(symbol) if symbol.glance is None else symbol.glance
            if args == self._empty and glance.is_new_of_nothing and self._depth_limit > 1:
                depth = 2
                heap.largest = 0
            else:
                depth = self._depth_at_a_glance(glance, glance.news, args)
            if depth:
                symbol.made += 1
                code = prim.make(heap, symbol, args, depth, heap.largest, called=False)
                if glance.must_build_news:
                    self._must_build.append(code)
                return code
        self.last_called = cls
        items = self._tuple_items(args, f"{what} args argument must be a tuple, not {_type_name(args)}")
        if kwargs:
            self._check_keywords(kwargs, what)
        if kind != sym.GLOBAL:
            if kind in _BUILTIN_LITERALS or kind == sym.BUFFER:
                self.malformed(f"{what} class argument must be a type, not {_type_name(cls)}")
            if not self._unrestricted:
                self.refuse(
                    f"{what} on {'what a call or NEWOBJ gave' if kind == sym.MADE else 'a ' + sym.WORDS[kind]}; only a "
                    "listed class is instantiated",
                    reason="not a listed name; no policy can grant this",
                )
            self._usable(max(heap.depth(args), heap.depth(kwargs)))
            size = self._charge_arguments(args, items, [kwargs] if kwargs else [], heap.depth(args))
            return self._make(None, args, kwargs, (), size)
        symbol = heap.of(cls)
        if symbol.helper:
            self._helper_as_value()
        inside = max(heap.depth(args), heap.depth(kwargs))
        self._usable(inside)
        admitting = self._judge_arguments(symbol, NEW, args, kwargs, base)
        keywords = heap.codes(kwargs)[1::2] if kwargs & sym.KIND == sym.DICT else []
        size = self._charge_arguments(args, items, [kwargs, *keywords] if kwargs else [], inside)
        self._charge_container(symbol.dotted, items)
        return self._make(symbol, args, kwargs, admitting, size)

    def _check_keywords(self, kwargs: int, what: str) -> None:
        kind = kwargs & sym.KIND
        if kind != sym.DICT:
            if kind in _NO_DICTS:
                self.malformed(f"{what} kwargs argument must be a dict, not {_type_name(kwargs)}")
            if not self._unrestricted:
                self.refuse(f"{what} with keywords that the stream does not spell out", reason="computed keywords")
            return
        for key in self.heap.codes(kwargs)[::2]:
            if not self.matcher.is_text(key) and (key & sym.KIND in _NO_TEXTS or not self._unrestricted):
                self.malformed(f"{what} keywords must be strings")

    # -- Protocol helpers --------------------------------------------------------------------------------------------

    def _reduce_helper(self, symbol: Global, items: list[int], args: int) -> int:
        symbol.use(CALL)
        self._helper = symbol
        code = self._helped(symbol.helper, items, args)
        self._helper = None
        return code

    def _helped(self, helper: str | None, items: list[int], args: int) -> int:
        if helper == sym.PARTIAL_CLASS:
            return self._start_partial(items)
        if helper == sym.DUNDER_NEW:
            self._helper_as_value()
        self._usable(self.heap.depth(args))
        if helper == sym.ENCODE:
            return self._encode(items)
        if helper == sym.GETATTR:
            return self._getattr(items)
        if helper == sym.RECONSTRUCTOR:
            return self._reconstructor(items)
        if helper == sym.NEWOBJ:
            if not items:
                self.forbid("copyreg.__newobj__ needs a class")
            return self._new(items[0], self._tuple_of(items[1:]), 0, "copyreg.__newobj__")
        if len(items) != 3:
            self.forbid("copyreg.__newobj_ex__ needs a class, a tuple and a dict")
        return self._new(items[0], items[1], items[2], "copyreg.__newobj_ex__")

    def _empty_tuple(self) -> int:
        if not self._empty:
            self._empty = prim.collect(self.heap, sym.TUPLE, 0, 0, 1)
        return self._empty

    def _tuple_of(self, items: list[int]) -> int:
        return self.heap.add_list(sym.TUPLE, items, self.heap.deepest(items) + 1)

    def _encode(self, items: list[int]) -> int:
        matcher = self.matcher
        if len(items) != 2 or not matcher.is_text(items[0]) or not matcher.is_text(items[1]):
            self.forbid("_codecs.encode is understood only with a literal text and 'latin1'")
        codec = matcher.name(items[1])
        if codec not in ("latin1", "latin-1"):
            self.forbid(f"_codecs.encode is understood only with 'latin1', not {escape(codec, 40)!r}")
        self._charge_handed(items[:1], 0)
        text = matcher.text(items[0])
        if not text.isascii() and max(text) > "\xff":
            self.malformed("_codecs.encode of a text that latin1 cannot encode")
        if self._is_spelled_as_text(items[0]):
            return items[0] >> sym.SHIFT << sym.SHIFT | sym.ENCODED
        # Of an earlier load's text, or an 8-bit string decoded as the application says, the value is all that is known.
        self.heap.has_priors = True
        return self.heap.add(sym.PRIOR, Prior(text.encode("latin-1"), 0, None), 0)

    def _is_spelled_as_text(self, code: int) -> bool:
        """Whether a text is a literal of an opcode for text, which reads the same whatever the application says."""
        if code & sym.KIND != sym.STR:
            return False
        return self.reader.data[code >> sym.SHIFT] in _TEXT_OPCODES

    def _encoded_at_a_glance(self, symbol: Global, args: int) -> int:
        """What `_codecs.encode` makes of a short literal text and "latin1"; 0 where that cannot be said at a glance."""
        heap = self.heap
        if prim.count(heap, args) != 2:
            return 0
        text = prim.item(heap, args, 0)
        codec = prim.item(heap, args, 1)
        if text & sym.KIND != sym.STR or codec & sym.KIND != sym.STR:
            return 0
        data = prim.pointer(self.reader.data)
        if not prim.spells_latin1(data, codec >> sym.SHIFT) or prim.latin1_length(data, text >> sym.SHIFT) < 0:
            return 0
        symbol.called += 1
        return text >> sym.SHIFT << sym.SHIFT | sym.ENCODED

    def _getattr(self, items: list[int]) -> int:
        heap = self.heap
        matcher = self.matcher
        if len(items) != 2 or not matcher.is_text(items[1]):
            self.forbid("getattr is understood only with an object and a name that is literal text of this stream")
        target = items[0]
        self._check_name_length(matcher.text_bytes(items[1]))
        part = matcher.name(items[1])
        kind = target & sym.KIND
        bound = False
        if kind in (sym.GLOBAL, sym.BOUND):
            base: Global = heap.of(target)
            bound = kind == sym.BOUND
        elif kind == sym.MADE and heap.of(target).origin is not None:
            base = heap.of(target).origin
            bound = True
        elif kind in _LITERAL_CLASSES:
            base = self._symbol("builtins", _LITERAL_CLASSES[kind], None)
            bound = True
        else:
            base = Global("?", "?", (), False)
            self.refuse(
                f"getattr on {sym.WORDS[kind]}, whose class the stream does not say",
                reason="getattr is understood on listed names, on objects made from them and on literals",
            )
        self._check_name_length(len(base.name) + 1 + len(part))
        if not part.isidentifier():
            self.forbid(f"getattr with a name that is no identifier: {escape(part, 60)}")
        if part in POWERFUL_PARTS:
            self.refuse(
                f"getattr of {escape(base.dotted)}.{part}, which hands out power over the interpreter",
                Global(base.module, f"{base.name}.{part}", (), False), REFER, reason="no policy can grant this",
            )  # fmt: skip
        symbol = self._symbol(base.module, f"{base.name}.{part}", base)
        self._judge(symbol, REFER)
        if not bound:
            self.references.append((base, symbol))
            return self._global_code(symbol)
        self._usable(heap.depth(target))
        code = heap.add(sym.BOUND, symbol, TAINT if symbol.helper else heap.depth(target) + 1)
        heap.receivers[code >> sym.SHIFT] = target
        return code

    def _reconstructor(self, items: list[int]) -> int:
        heap = self.heap
        if len(items) != 3 or items[0] & sym.KIND != sym.GLOBAL or items[1] & sym.KIND != sym.GLOBAL:
            self.forbid("copyreg._reconstructor is understood only with a class, a base class and a state")
        cls: Global = heap.of(items[0])
        base: Global = heap.of(items[1])
        state = items[2]
        dotted = base.dotted
        given: list[int] = []
        if dotted == "builtins.object":
            if state & sym.KIND != sym.NONE:
                self._refuse_condition(cls, NEW, "copyreg._reconstructor with base object takes the state None", "base")
        elif any(grant.base == dotted for grant in cls.grants):
            given = [] if state & sym.KIND == sym.NONE else [state]
            return self._new(items[0], self._tuple_of(given), 0, "copyreg._reconstructor", dotted)
        elif state & sym.KIND in _RECONSTRUCTOR_BASES.get(dotted, ()) or self._made_by(state, dotted):
            given = [state]
        else:
            self._refuse_condition(
                cls,
                NEW,
                f"copyreg._reconstructor with base {escape(dotted)}, state a {sym.WORDS[state & sym.KIND]}",
                "base",
            )
        return self._new(items[0], self._tuple_of(given), 0, "copyreg._reconstructor")

    def _made_by(self, code: int, dotted: str) -> bool:
        if dotted not in _RECONSTRUCTOR_BASES or code & sym.KIND != sym.MADE:
            return False
        made: Made = self.heap.of(code)
        return made.origin is not None and made.origin.dotted == dotted

    # functools.partial(cls.__new__, cls, *args, **kwargs)() is how protocols 2 and 3 spell NEWOBJ_EX.  A partial
    # pickles as: REDUCE with (cls.__new__,), BUILD with (cls.__new__, (cls, *args), kwargs, None), REDUCE with ().

    def _start_partial(self, items: list[int]) -> int:
        if len(items) != 1 or not self._is_dunder_new(items[0]):
            self.forbid("functools.partial is understood only as pickle spells NEWOBJ_EX below protocol 4")
        return self.heap.add(sym.PARTIAL, Partial(items[0]), TAINT)

    def _is_dunder_new(self, code: int) -> bool:
        if code & sym.KIND != sym.GLOBAL:
            return False
        symbol: Global = self.heap.of(code)
        return symbol.base is not None and symbol.name.endswith(".__new__")

    def _build_partial(self, target: int, state: int) -> None:
        partial: Partial = self.heap.of(target)
        self._helper = self.globals[_PARTIAL_NAME]
        items = self.heap.codes(state) if state & sym.KIND == sym.TUPLE else []
        shaped = (
            not partial.state
            and len(items) == 4
            and items[0] & sym.KIND == sym.GLOBAL
            and self.heap.of(items[0]) is self.heap.of(partial.function)
            and items[1] & sym.KIND == sym.TUPLE
            and self.heap.count(items[1]) > 0
            and items[2] & sym.KIND in (sym.DICT, sym.NONE)
            and (items[3] & sym.KIND == sym.NONE or (items[3] & sym.KIND == sym.DICT and not self.heap.count(items[3])))
        )
        if not shaped:
            self.forbid("functools.partial is understood only as pickle spells NEWOBJ_EX below protocol 4")
        self._helper = None
        partial.state = state
        for code in items[1:]:
            if code & sym.KIND in (sym.DICT, sym.LIST):
                self.heap.freeze(code)

    def _finish_partial(self, function: int, args: int) -> int:
        partial: Partial = self.heap.of(function)
        self._helper = self.globals[_PARTIAL_NAME]
        if not partial.state or args & sym.KIND != sym.TUPLE or self.heap.count(args):
            self.forbid("functools.partial is understood only as pickle spells NEWOBJ_EX below protocol 4")
        state = self.heap.codes(partial.state)
        given = self.heap.codes(state[1])
        kwargs = state[2] if state[2] & sym.KIND == sym.DICT else 0
        self._helper = None
        return self._new(given[0], self._tuple_of(given[1:]), kwargs, "functools.partial")

    # -- State -------------------------------------------------------------------------------------------------------

    def _build(self, target: int, state: int) -> None:
        self.capable = True
        self.last_built = target
        self.last_state = state
        kind = target & sym.KIND
        heap = self.heap
        if kind == sym.PARTIAL:
            self._build_partial(target, state)
            return
        if state & sym.KIND >= sym.FIRST_NODE and prim.depth_of(heap, state >> sym.SHIFT) >= self._depth_limit:
            self._too_deep(heap.depth(state))
        if kind == sym.MADE:
            if self._is_built_at_a_glance(target, state):
                return
            made: Made = heap.of(target)
            if heap.is_frozen(target):
                self._check_late()
            if made.origin is not None:
                self._judge_state(made, made.origin, target, state)
            made.built = True
            made.state = state
            halves = heap.codes(state) if state & sym.KIND == sym.TUPLE else []
            self._charge_handed([state, *halves] if len(halves) == 2 else [state], 0)
            for part in self._state_dicts(state):
                if part & sym.KIND == sym.DICT and not self._scales.is_flat(part):  # keys are hashed again, as names
                    self._hash_listed([key for key in heap.codes(part)[::2] if key & sym.KIND >= sym.FIRST_NODE])
            self._deepen(target >> sym.SHIFT, heap.depth(state))
        elif kind in _BUILTIN_LITERALS:
            self._pointless(f"BUILD on a {sym.WORDS[kind]}")
        elif not self._unrestricted:
            self._refuse_target(target)

    def _is_built_at_a_glance(self, target: int, state: int) -> bool:
        """A first state of an object, which nobody but the object can have seen; see `_glance_at`."""
        heap = self.heap
        kind = state & sym.KIND
        if (kind != sym.DICT and kind != sym.TUPLE) or self._hooks or heap.has_priors:
            return False
        if not prim.is_new(heap, target) or prim.is_frozen(heap, target >> sym.SHIFT):
            return False
        symbol: Global = prim.maker(heap, target)
        glance: Glance = self._glance_at(symbol) if symbol.glance is None else symbol.glance
        if not glance.plain_state and not glance.states:
            return False
        attributes = slots = 0
        if kind == sym.DICT:
            if not self._is_own_dict(state):
                return False
            attributes = state
            copied = self._copied_of(state)
        else:
            copied = prim.count(heap, state) + prim.inner_lengths(heap, state)
            if prim.count(heap, state) == 2:
                attributes = prim.item(heap, state, 0)
                slots = prim.item(heap, state, 1)
                if not self._are_halves(attributes, slots):
                    return False
                copied += self._length_of(attributes) + self._length_of(slots)
        if not glance.plain_state and not self._is_state_at_a_glance(glance, target, state):
            return False
        if attributes & sym.KIND == sym.DICT:
            prim.note_state(heap, attributes >> sym.SHIFT, slots=False)
        if slots & sym.KIND == sym.DICT:
            prim.note_state(heap, slots >> sym.SHIFT, slots=True)
        symbol.built += 1
        prim.build(heap, target, state)
        self._charge_copy(copied)
        self._deepen(target >> sym.SHIFT, prim.depth_of(heap, state >> sym.SHIFT))
        return True

    def _are_halves(self, attributes: int, slots: int) -> bool:
        """Whether a state of two parts sets, as far as they are dicts, nothing but what a glance can tell."""
        if slots & sym.KIND == sym.DICT and (
            attributes == slots or not self._is_own_dict(slots) or (self._dunders and self._has_dunder_keys(slots))
        ):
            return False
        return attributes & sym.KIND != sym.DICT or self._is_own_dict(attributes)

    def _is_state_at_a_glance(self, glance: Glance, target: int, state: int) -> bool:
        """Whether a grant with conditions surely admits the state."""
        view = self._view
        view.open(self.reader.data)
        for number in range(len(glance.states)):
            given: Given = glance.states[number]
            if given.admits(view, state) and (
                given.layout is None or self._believable(given.layout, target, state)
            ):
                view.settle()
                return True
        return False

    def _length_of(self, half: int) -> int:
        """What copying one part of a state copies: see `Scales.length`."""
        kind = half & sym.KIND
        if kind == sym.DICT:
            return self._copied_of(half)
        return 0 if kind == sym.NONE else self._scales.length(half)

    def _copied_of(self, code: int) -> int:
        """What a copy of a dict copies: see `Scales.length`."""
        count = prim.count(self.heap, code)
        return count + prim.inner_lengths(self.heap, code) if prim.has_longs(self.heap) else count

    def _has_dunder_keys(self, code: int) -> bool:
        heap = self.heap
        data = prim.pointer(self.reader.data)
        place = 0
        while place < prim.count(heap, code):
            key = prim.item(heap, code, place) >> sym.SHIFT
            if prim.may_be_dunder(data, key) and key in self._dunders:
                return True
            place += 2
        return False

    def _is_own_dict(self, code: int) -> bool:
        """Whether this is a dict that only its place on the stack holds, with literals for keys."""
        heap = self.heap
        if code & sym.KIND != sym.DICT or prim.is_lent(heap, code >> sym.SHIFT):
            return False
        return prim.has_plain_keys(heap, code)

    def _judge_state(self, made: Made, symbol: Global, target: int, state: int) -> None:
        symbol.use(BUILD)
        if self._unrestricted:
            return
        if made.built:
            self.refuse(
                f"BUILD on an object of {escape(symbol.dotted)} that already has its state",
                symbol, BUILD, reason="an object is built once; no policy can grant this",
            )  # fmt: skip
        self._check_planted(symbol, state)
        way = CALL if made.called else NEW
        # Where nothing grants how it was made, that was refused: what is said here is whether `build` is lacking too.
        is_refused = not any(way in grant.verbs for grant in symbol.grants)
        candidates = [
            grant
            for grant in symbol.grants
            if builds(grant, called=made.called) or (is_refused and BUILD in grant.verbs)
        ]
        if not candidates:
            self._refuse_verb(symbol, BUILD)
        elif not any(self._state_admitted(grant, target, state) for grant in candidates):
            self._refuse_condition(symbol, BUILD, "its state is not what the policy says", "state")

    def _state_admitted(self, grant: Grant, target: int, state: int) -> bool:
        if grant.attributes is None and grant.state is None:
            return True
        if isinstance(grant.state, Memory):  # what it may be depends on what it is given to
            self._view.open(self.reader.data)
            return self._believable(grant.state.layout, target, state)
        # What was looked at cannot change any more, so a state that is given again is not looked at again.
        admitted = self._admitted.get((id(grant), state))
        if admitted is None:
            admitted = self._admitted[id(grant), state] = self._admits_state(grant, state)
        return admitted

    def _admits_state(self, grant: Grant, state: int) -> bool:
        if grant.attributes is not None:
            names = self._attribute_names(state)
            if names is None or not grant.attributes.issuperset(names):
                return False
        return grant.state is None or self.matcher.matches(grant.state, state)

    def _believable(self, layout: str, target: int, state: int) -> bool:
        """Whether C code can take the state for what is in memory."""
        if self._memory is None:
            from safepickle.memory import Memory as Believed

            self._memory = Believed(self._view, self.heap, self.matcher)
        believed: bool = self._memory.admits(layout, target, state)
        return believed

    def _state_dicts(self, state: int) -> list[int]:
        """The parts of a state that set attributes: a dict, or a pair of a dict (or None) and a dict of slots."""
        if state & sym.KIND == sym.TUPLE:
            items = self.heap.codes(state)
            return items if len(items) == 2 else []
        return [state]

    def _attribute_names(self, state: int) -> list[str] | None:
        """Every attribute that BUILD would set with this state, or None where the stream does not spell them out."""
        parts = self._state_dicts(state)
        if not parts:
            return None
        names = []
        for part in parts:
            if part & sym.KIND == sym.NONE:
                continue
            pairs = self.matcher.pairs(part)
            if pairs is None:
                return None
            for key in pairs[::2]:
                text = self.matcher.key_text(key)
                if text is None:
                    return None
                names.append(text)
        return names

    def _check_planted(self, symbol: Global, state: int) -> None:
        """Refuse state that would plant what CPython looks up on instances, or set a dunder through slot state."""
        for number, part in enumerate(self._state_dicts(state)):
            if part & sym.KIND == sym.DICT:
                node = part >> sym.SHIFT
                known = prim.is_state(self.heap, node)
                were_slots = prim.is_slots(self.heap, node)
                slots = number == 1 or were_slots
                prim.note_state(self.heap, node, slots)
                self._states[node] = symbol
                if not known or slots != were_slots:  # else its keys were looked at when they came in
                    self._check_planted_keys(symbol, self.heap.codes(part)[::2], slots=slots)

    def _check_planted_keys(self, symbol: Global | None, keys: list[int], *, slots: bool) -> None:
        if not self._hooks and not self._dunders and not self.heap.has_priors:
            return
        for key in keys:
            if key & sym.KIND == sym.PRIOR and self.matcher.is_text(key):
                name = self.matcher.text(key)
                planted = name in sym.HOOKS or (slots and name.startswith("__"))
            else:
                at = key >> sym.SHIFT if key & sym.KIND < sym.FIRST_NODE else -1
                planted = at in self._hooks or (slots and at in self._dunders)
            if planted:
                name = escape(self.matcher.key_text(key) or "?", 60)
                self.refuse(
                    f"state of {escape(symbol.dotted) if symbol else 'an object'} that sets {name}",
                    symbol, BUILD, reason="state may not set this; no policy can grant it", path=f"state[{name!r}]",
                )  # fmt: skip
                return

    # -- What the application has to bring ---------------------------------------------------------------------------

    def _persistent(self, code: int, at: int) -> int:
        self.capable = True
        options = self.options
        policy = self.policy
        self.persistent_ids += 1
        if options.scanning:
            self.persistent_codes.append(code)
        self._usable(self.heap.depth(code))
        accepted = options.persistent_load or PERSISTENT_IDS in policy.accept
        if not options.scanning and not options.persistent_load and (accepted or policy.unrestricted):
            self.malformed(
                "A load persistent id instruction was encountered, but no persistent_load function was specified."
            )
        if not accepted and not policy.unrestricted:
            self.refuse(
                "a persistent ID: this policy does not accept them; give a persistent_load, or list `persistent_ids` "
                "under `accept`",
                reason="accept: [persistent_ids]",
            )
        shapes = policy.persistent
        matching = next((shape for shape in shapes or () if self.matcher.matches(shape.pattern, code)), None)
        symbol = None
        if matching is not None and matching.makes is not None:
            module, name = matching.makes
            symbol = self._symbol(module, name, None)
        self.persistents.append(symbol)
        if symbol is not None:
            return self._global_code(symbol)
        if shapes is None or matching is not None:
            self.matcher.identify(at << sym.SHIFT | sym.PERSISTENT, code)
            return at << sym.SHIFT | sym.PERSISTENT
        self.refuse("a persistent ID of a shape that the policy does not list", reason="persistent: [...]")
        return at << sym.SHIFT | sym.PERSISTENT

    def _next_buffer(self) -> None:
        self.buffers += 1
        options = self.options
        if options.buffer_count is not None and self.buffers > options.buffer_count:
            self.malformed("not enough out-of-band buffers")
        if options.buffers:
            return
        accepted = BUFFERS in self.policy.accept or self._unrestricted
        if options.scanning and accepted:
            return
        if accepted or not options.scanning:
            self.malformed("pickle stream refers to out-of-band data but no *buffers* argument was given")
        self.refuse(
            "an out-of-band buffer: this policy does not accept them; list `buffers` under `accept`",
            reason="accept: [buffers]",
        )

    def _readonly_buffer(self, code: int, at: int) -> int:
        """READONLY_BUFFER; what can be changed becomes a view, which is no bytearray any more."""
        kind = code & sym.KIND
        if kind in (sym.BYTES, sym.ENCODED):
            return code
        if kind in (sym.BUFFER, sym.BYTEARRAY):
            return at << sym.SHIFT | sym.BUFFER
        if (kind < sym.FIRST_NODE and kind != sym.PERSISTENT) or kind <= sym.FROZENSET:
            self.malformed(f"READONLY_BUFFER on a {sym.WORDS[kind]}")
        if not self._unrestricted:
            self.refuse(f"READONLY_BUFFER on a {sym.WORDS[kind]}", reason="only buffers and bytes are made read-only")
        return at << sym.SHIFT | sym.BUFFER

    def _extension(self, number: int) -> int:
        self.capable = True
        if number <= 0:
            self.malformed("EXT specifies code <= 0")
        if EXTENSIONS not in self.policy.accept and not self._unrestricted:
            self.refuse(
                f"extension code {number}: this policy does not accept them; list `extensions` under `accept`",
                reason="accept: [extensions]",
            )
        import copyreg

        registered: Any = copyreg._inverted_registry.get(number)  # type: ignore[attr-defined]
        if registered is None:
            self.malformed(f"unregistered extension code {number}")
        if not (type(registered) is tuple and len(registered) == 2 and all(type(part) is str for part in registered)):
            self.malformed(f"extension code {number} is registered for something that is no pair of names")
        return self._global_pair(registered)

    # -- The end -----------------------------------------------------------------------------------------------------

    def _stop(self, result: int) -> None:
        self.reader.stop()
        self.finished = True
        self.result = result
        if result & sym.KIND >= sym.FIRST_NODE:
            depth = prim.depth_of(self.heap, result >> sym.SHIFT)
            if depth >= self._depth_limit and depth >= TAINT:
                self._helper_as_value()
        if self._late and exact_depths(self.heap) > self.limits.depth:
            self.exceeded("depth", "objects that were filled once others held them are nested too deep")
        if self._must_build:
            self._check_built()

    def result_depth(self) -> int:
        """How deep the object is that the stream makes, or more, as the limit sees it."""
        result = self.result
        return prim.depth_of(self.heap, result >> sym.SHIFT) if result & sym.KIND >= sym.FIRST_NODE else 0

    def _check_built(self) -> None:
        heap = self.heap
        for code in self._must_build:
            # None is what BUILD is never given by a pickler: it leaves an object as half-made as it was.
            state = prim.state_of(heap, code)
            if state and state & sym.KIND != sym.NONE:
                continue
            maker: Global = prim.maker(heap, code)
            if maker is not None:
                self.refuse(
                    f"an object of {escape(maker.dotted)} was never given its state",
                    maker, BUILD, reason="then: build: it must be given its state before STOP",
                )  # fmt: skip


def _seeing(tests: list[Any]) -> list[Any]:
    """The tests before the first one that is left to the long way."""
    return list(takewhile(lambda test: not test.is_blind, tests))


def _given(grant: Grant) -> Given:
    """What a grant says of a state, made ready to be asked at a glance."""
    layout = grant.state.layout if isinstance(grant.state, Memory) else None
    return Given(grant.attributes, None if layout else grant.state, layout)


def _type_name(code: int) -> str:
    """The type of a value in Python's words, where the stream shows it."""
    return "NoneType" if code & sym.KIND == sym.NONE else sym.WORDS[code & sym.KIND]


_LITERAL_CLASSES: Final = {
    sym.BOOL: "bool", sym.INT: "int", sym.FLOAT: "float", sym.STR: "str", sym.TEXT8: "str", sym.BYTES: "bytes",
    sym.ENCODED: "bytes", sym.BYTEARRAY: "bytearray", sym.TUPLE: "tuple", sym.LIST: "list", sym.DICT: "dict",
    sym.SET: "set", sym.FROZENSET: "frozenset",
}  # fmt: skip


def canonical_name(module: str, name: str) -> tuple[str, str]:
    """Python 2's name as Python 3 spells it: pickle's own table, applied below protocol 3."""
    import _compat_pickle

    if (module, name) in _compat_pickle.NAME_MAPPING:
        mapped: tuple[str, str] = _compat_pickle.NAME_MAPPING[module, name]
        return mapped
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name
