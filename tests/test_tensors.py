"""What torch believes about storages: tensors inside of them pass, and what would make them larger is refused.

Nothing here needs torch: the policy `torch` decides on what the streams say.
"""

from __future__ import annotations

import io
from typing import Any

import pytest

import safepickle
from safepickle import Policy, PolicyError
from tests.assembler import pickled
from tests.test_memory import Made, call, ref, step, with_state

POLICY = Policy.named("torch")
FAR = 2**40
UINT64 = "torch:uint64"


def storage(count: Any = 6, kind: str = "torch:FloatStorage", key: Any = "0", place: Any = "cpu", *more: Any) -> Made:
    """What a persistent ID stands for, as torch writes it."""
    return Made([step(("storage", ref(kind), key, place, count, *more)), "BINPERSID"])


def in_part(*view: Any) -> Made:
    return storage(6, "torch:FloatStorage", "94501", "cpu", view)


def hooks() -> Made:
    return call("collections:OrderedDict")


def tensor(sizes: Any = (2, 3), strides: Any = (3, 1), offset: Any = 0, of: Made | None = None, *more: Any) -> Made:
    return call("torch._utils:_rebuild_tensor_v2", of or storage(), offset, sizes, strides, False, hooks(), *more)


def typed(sizes: Any, strides: Any, count: int, kind: str, *more: Any) -> Made:
    of = storage(count, "torch.storage:UntypedStorage")
    return call("torch._utils:_rebuild_tensor_v3", of, 0, sizes, strides, False, hooks(), ref(kind), *more)


def quantised(sizes: Any, strides: Any, parameters: Any, count: int = 6) -> Made:
    of = storage(count, "torch:QUInt8Storage")
    return call("torch._utils:_rebuild_qtensor", of, 0, sizes, strides, parameters, False, hooks())


AFFINE = (ref("torch:per_tensor_affine"), 0.5, 3)
GIVEN: dict[str, Any] = {
    "training": True, "_parameters": {}, "_buffers": {}, "_modules": {}, "_backward_hooks": hooks(),
    "_forward_hooks": hooks(),
}  # fmt: skip


def module(name: str = "linear:Linear", **state: Any) -> Made:
    made = Made([ref(f"torch.nn.modules.{name}").program, "EMPTY_TUPLE", "NEWOBJ"])
    return with_state(made, {**GIVEN, **state})


def with_attributes(state: Any, *given: Any, made_by: str = "torch._utils:_rebuild_tensor_v2") -> Made:
    given = given or (storage(), 0, (2, 3), (3, 1), False, hooks())
    return call("torch._tensor:_rebuild_from_type_v2", ref(made_by), ref("torch:Tensor"), given, state)


TRUE = {
    "whole storage": tensor(),
    "transposed": tensor((3, 2), (1, 3)),
    "part": tensor((2,), (2,), 3),
    "scalar": tensor((), (), 5),
    "empty": tensor((0,), (1,), 6),
    "empty with a dimension": tensor((0, FAR), (FAR, 1)),
    "expanded": tensor((FAR, 3), (0, 1)),
    "bits": tensor((2, 3), (3, 1), 0, None, {"conj": True}),
    "before zip": tensor((6,), (1,), 0, storage(6, "torch:FloatStorage", "94501", "cuda:1", None)),
    "view before zip": tensor((2,), (1,), 0, in_part("94502", 4, 2)),
    "bytes": typed((3, 2), (2, 1), 6, "torch:float8_e5m2"),
    "bytes of two": typed((3,), (1,), 6, "torch:uint16"),
    "quantised": quantised((2, 3), (3, 1), AFFINE),
    "parameter": call("torch._utils:_rebuild_parameter", tensor(), True, hooks()),
    "attributes": with_attributes({"note": "a"}),
    "module": module(in_features=2, out_features=3),
    "recurrent module": module("rnn:LSTM", num_layers=2, bidirectional=False),
    "activation": module("transformer:TransformerEncoderLayer", activation=ref("torch.nn.functional:relu")),
}

LIES = {
    "more items than the storage": tensor((7,), (1,)),
    "any amount of memory": tensor((FAR,), (1,)),
    "a product that is one": tensor((FAR, FAR), (1, FAR)),
    "strides that leave the storage": tensor((2, 3), (4, 1)),
    "an offset that leaves the storage": tensor((2, 3), (3, 1), 1),
    "an empty tensor behind the storage": tensor((0,), (1,), 7),
    "a scalar behind the storage": tensor((), (), 6),
    "a storage without items": tensor((1,), (1,), 0, storage(0)),
    "sizes without strides": tensor((2, 3), (1,)),
    "more dimensions than torch has": tensor((1,) * 65, (1,) * 65),
    "a negative size": tensor((-1,), (1,)),
    "a negative stride": tensor((2,), (-1,), 5),
    "a negative offset": tensor((2,), (1,), -1),
    "a size that is no int": tensor((2.0,), (1,)),
    "a size that is a bool": tensor((True,), (1,)),
    "sizes in a list": tensor([2, 3], (3, 1)),
    "bytes as items": typed((6,), (1,), 6, "torch:uint16"),
    "a type that has its own storage": typed((1,), (1,), 6, "torch:float32"),
    "items of a storage without a type": tensor((6,), (1,), 0, storage(6, "torch.storage:UntypedStorage")),
    "longer items than the storage has": call(
        "torch._utils:_rebuild_tensor_v3", storage(6, "torch:ByteStorage"), 0, (6,), (1,), False, hooks(), ref(UINT64)
    ),
    "more items than the part of a storage": tensor((3,), (1,), 0, in_part("94502", 4, 2)),
    "a part that leaves its storage": tensor((2,), (1,), 0, in_part("94502", 5, 2)),
    "a part that begins before its storage": tensor((2,), (1,), 0, in_part("94502", -1, 2)),
    "a part without a length": tensor((2,), (1,), 0, in_part("94502", 0)),
    "quantised, and expanded": quantised((FAR,), (0,), AFFINE),
    "quantised, and too large": quantised((7,), (1,), AFFINE),
    "no storage": tensor((1,), (1,), 0, call("torch:Size", (1,))),
    "one storage under another's number": with_attributes(None, storage(6), 0, (7,), (1,), False, hooks()),
    "the old function": call("torch._utils:_rebuild_tensor", storage(), 0, (7,), (1,)),
}

HOSTILE = {
    "what unpickles by itself": call("torch.storage:_load_from_bytes", b"\x80\x04N."),
    "a key that is a path": tensor(of=storage(6, "torch:FloatStorage", "../../etc/passwd")),
    "a place that is a path": tensor(of=storage(6, "torch:FloatStorage", "0", "/dev/shm/x")),
    "a length that is none": tensor((1,), (1,), 0, storage(-1)),
    "a length in words": tensor((1,), (1,), 0, storage("6")),
    "a class that is no storage": tensor(of=storage(6, "torch:Tensor")),
    "hooks in a list": call("torch._utils:_rebuild_tensor_v2", storage(), 0, (1,), (1,), False, [1]),
    "a parameter of no tensor": call("torch._utils:_rebuild_parameter", hooks(), True, hooks()),
    "another function to call": with_attributes(None, "x", made_by="torch.storage:_load_from_bytes"),
    "another listed function to call": with_attributes(None, (1,), made_by="torch:Size"),
    "the class as an attribute": with_attributes({"__class__": 1}),
    "the class as a slot": with_attributes((None, {"__class__": 1})),
    "a function as an attribute": with_attributes({"backward": ref("torch.nn.functional:relu")}),
    "a device that is a path": call("torch:device", "/dev/null"),
    "a device in two": call("torch:device", "cuda", -1),
    "a size without an end": call("torch:Size", call("builtins:range", 0, 10**11, 1)),
    "a layout that is none": call("torch.serialization:_get_layout", "torch.load"),
    "layers without an end": module("rnn:LSTM", num_layers=10**11, _all_weights=[[1]]),
    "names of weights that are none": module("rnn:LSTM", num_layers=1, _all_weights=[[1]]),
    "another forward": module(forward=ref("torch.nn.functional:relu")),
    "another __call__": module(_call_impl=ref("torch.nn.functional:relu")),
    "another method": module(state_dict=1),
    "a module that is a function": module(_modules={"a": ref("torch.nn.functional:relu")}),
    "a parameter that is a function": module(_parameters={"a": ref("torch.nn.functional:relu")}),
    "hooks with something in them": module(_forward_hooks={1: ref("torch.nn.functional:relu")}),
    "hooks that are a function": module(_forward_hooks=ref("torch.nn.functional:relu")),
    "an activation that is not listed": module("transformer:TransformerEncoderLayer", activation=ref("torch:load")),
    "an activation that is a class": module("transformer:TransformerEncoderLayer", activation=ref("torch:Tensor")),
    "the whole of a class": module("module:Module", __class__=1),
    "groups without an end": with_state(
        Made([ref("torch.optim.sgd:SGD").program, "EMPTY_TUPLE", "NEWOBJ"]),
        {"state": {}, "param_groups": [{"params": call("builtins:range", 0, 10**11, 1)}]},
    ),
    "a module that is called": Made([module().program, step((1,)), "REDUCE"]),
    "source of another module": Made(
        [step(("module", ref("torch.nn.modules.linear:Linear"), "a.py", "b")), "BINPERSID", step((1,)), "REDUCE"]
    ),
}


@pytest.mark.parametrize("what", TRUE)
def test_a_tensor_that_is_inside_of_its_storage_and_a_module_as_torch_has_it_are_admitted(what):
    for protocol in (2, 4):
        assert safepickle.scan(pickled(protocol, TRUE[what].program), policy=POLICY).verdict == "pass"


@pytest.mark.parametrize("what", [*LIES, *HOSTILE])
def test_what_would_make_a_storage_larger_and_a_hostile_argument_are_refused(what):
    program = {**LIES, **HOSTILE}[what].program
    for protocol in (2, 4):
        assert safepickle.scan(pickled(protocol, program), policy=POLICY).verdict == "forbidden"


def test_a_storage_is_known_by_its_own_id_and_not_by_another_one():
    small, large = storage(1), storage(FAR)
    both = [large.program, "POP", tensor((FAR,), (1,), 0, small).program]
    assert safepickle.scan(pickled(4, both), policy=POLICY).verdict == "forbidden"
    both = [small.program, "POP", tensor((FAR,), (1,), 0, large).program]
    assert safepickle.scan(pickled(4, both), policy=POLICY).verdict == "pass"


def test_a_storage_of_an_earlier_stream_says_nothing_in_a_later_one():
    class Loader(safepickle.Unpickler):
        def persistent_load(self, pid):
            return pid

    first = pickled(4, storage(FAR, "decimal:Decimal").program, ("BINPUT", 0))
    later = pickled(4, call("torch._utils:_rebuild_tensor", Made(("BINGET", 0)), 0, (1,), (1,)).program)
    loader = Loader(io.BytesIO(first + later), policy=Policy.from_yaml(ALONE))
    assert loader.load()[-1] == FAR
    with pytest.raises(safepickle.Forbidden):
        loader.load()


ALONE = """
safepickle: 1
accept: [persistent_ids]
allow:
  decimal: [Decimal: {use: [refer]}]
  torch._utils:
    - _rebuild_tensor: {use: [call], args: [[persistent, int, {tuple: int}, {memory: strides}]]}
"""


# --- The language -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "args",
    [
        "[[{memory: strides}]]", "[[any, any, any, {any_of: [none, {memory: strides}]}]]",
        "[[any, any, any, any, {memory: strides}]]", "[[any, any, any, {memory: array}]]",
        "[[any, any, any, {memory: page}]]", "[[any, any, any, {memory: [a]}]]", "[[{list: {memory: strides}}]]",
    ],
)  # fmt: skip
def test_strides_stand_behind_a_storage_an_offset_and_sizes(args):
    with pytest.raises(PolicyError):
        Policy.from_yaml(f"safepickle: 1\nallow: {{shop: [cart: {{use: [call], args: {args}}}]}}")


def test_strides_are_no_state():
    with pytest.raises(PolicyError):
        Policy.from_yaml("safepickle: 1\nallow: {shop: [Cart: {use: [new, build], state: {memory: strides}}]}")


def test_a_policy_with_strides_is_written_as_it_is_read():
    policy = Policy.from_yaml(ALONE)
    assert "{memory: strides}" in policy.to_yaml()
    assert Policy.from_yaml(policy.to_yaml()).digest == policy.digest
