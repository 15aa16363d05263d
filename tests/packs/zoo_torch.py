"""The zoo of torch, see tests/packs.

What `torch.save` writes: the pickle of a zip, and of the files before it.  What pickle itself writes of a tensor goes
through a function that unpickles by itself, and is not admitted.
"""

from __future__ import print_function

import io
import pickle
import pickletools

PACK = "torch"
IMPORTS = "torch torch.nn torch.nn.utils torch.optim torch.utils.data torch.ao.nn.quantized.dynamic torch.distributions collections"
# Nearly all of torch makes no values: compilers, exporters, backends, what connects machines.
SKIPPED = tuple("torch." + name for name in """
_C _appdirs _awaits _classes _compile _custom_op _custom_ops _decomp _deploy _dispatch _dynamo _export _functorch _guards
_higher_order_ops _inductor _jit_internal _lazy _library _linalg_utils _lobpcg _logging _lowrank _meta_registrations _native
_namedtensor_internals _numpy _ops _prims _prims_common _python_dispatcher _refs _sources _storage_docs _strobelight
_streambase _subclasses _tensor_docs _tensor_str _thread_safe_fork _utils_internal _vendor _vmap_internals _weights_only_unpickler
_VF accelerator amp ao autograd backends compiler contrib cpu csrc cuda distributed distributions export fft func functional futures
fx hub include jit lib library linalg masked monitor mps mtia multiprocessing nativert nested nn.attention nn.backends nn.cpp nn.grad
nn.intrinsic nn.parallel nn.qat nn.quantizable nn.quantized onnx overrides package profiler quantization quasirandom
return_types serialization signal sparse special storage testing torch_version utils version xpu _environment _cudagraphs
distributed numa _opaque_base
""".split())  # fmt: skip
_READS = "it unpickles by itself: only what torch.save writes is admitted"
_TOOL = "a tool, not a value"
_LAZY = "a module that waits for its first input: it holds nothing yet, and its hooks are methods"
WITHOUT = {
    "torch.storage._load_from_bytes": _READS,
    "torch.optim.lr_scheduler": "some of them kept their own methods in their state, up to 1.13 or so",
    "torch._utils.torch": "a memory format is pickled by a name that torch itself cannot find",
    "torch._utils._rebuild_nested_tensor": "where its parts begin and end, its tensors say, and C++ believes them unchecked",
    "torch.nn.parameter.UninitializedParameter": _LAZY,
    "torch.nn.parameter.UninitializedBuffer": _LAZY,
    "torch.utils.hooks.RemovableHandle": _LAZY,
    "torch.nn.modules.module._WrappedHook": _LAZY,
    "torch.nn.utils.prune": "what prunes is applied, not kept",
    "torch.nn.utils.parametrizations": "a parametrized module has a class that is made for it, which no pickle names",
    "torch.optim.optimizer._RequiredParameter": "what stands for a value that was not given, up to 1.13 or so",
    "torch.QUInt2x4Storage": "several items in a byte: how many there are is not said",
    "torch.QUInt4x2Storage": "likewise",
    "torch.AcceleratorError": "of a device",
    "torch.FatalError": "of a device",
    "torch.OutOfMemoryError": "of a device",
    "torch._TritonLibrary": _TOOL,
    "torch._utils.ExceptionWrapper": _TOOL,
    "torch._utils.KeyErrorMessage": _TOOL,
    "torch._utils._LazySeedTracker": _TOOL,
    "torch.distributions": "parameters of distributions are kept, not these",
    "torch.utils.data.dataloader": "it starts processes and calls functions",
    "torch.utils.data.sampler": "part of such a loader",
    "torch.utils.data._utils": "likewise",
    "torch.ScriptObject": "torch's own compiled objects, which C++ reads",
    "torch.ao": "modules with such objects in them",
    "torch.types": "for type checkers only",
}
for _file, _names in (
    ("batchnorm", "LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d"),
    ("instancenorm", "LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d"),
    ("conv", "LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d"),
    ("linear", "LazyLinear"),
):
    WITHOUT.update(("torch.nn.modules.%s.%s" % (_file, name), _LAZY) for name in _names.split())
_BASE = "a base class, which nobody makes"
WITHOUT.update(("torch.nn.modules." + name, _BASE) for name in """
batchnorm._LazyNormBase dropout._DropoutNd loss._Loss loss._WeightedLoss padding._CircularPadNd padding._ReflectionPadNd
padding._ReplicationPadNd pooling._AvgPoolNd pooling._MaxUnpoolNd
""".split())
_FUNCTION = "what an activation can be"
KEPT = {"torch.nn.functional." + name: _FUNCTION for name in """
celu elu gelu leaky_relu mish relu6 selu sigmoid silu softplus tanh
""".split()}
KEPT.update({
    "torch._utils._rebuild_tensor": "up to 0.3",
    "torch.cuda": "the class of a storage that was on a device",
    "torch.nn.functional.cosine_similarity": "what a distance can be",
    "torch.nn.functional.pairwise_distance": "what a distance can be, up to 1.13 or so",
    "torch.optim.sparse_adam.SparseAdam": "it takes sparse gradients only",
})

DTYPES = """
float16 float32 float64 bfloat16 uint8 int8 int16 int32 int64 bool complex32 complex64 complex128 uint16 uint32 uint64
float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu
""".split()

VALUES = [
    # tensors
    ("tensor", "torch.ones(2, 3)"),
    ("tensor.scalar", "torch.tensor(1.5)"),
    ("tensor.empty", "torch.zeros(0)"),
    ("tensor.empty.2d", "torch.zeros(0, 3)"),
    ("tensor.grad", "torch.ones(2, requires_grad=True)"),
    ("tensor.bool", "torch.ones(2).bool()"),
    ("tensor.transposed", "torch.arange(6.0).reshape(2, 3).t()"),
    ("tensor.strided", "torch.arange(24.0).reshape(2, 3, 4)[:, ::2, 1:3]"),
    ("tensor.expanded", "torch.ones(1, 3).expand(5, 3)"),
    ("tensor.offset", "torch.arange(10)[7:]"),
    ("tensor.shared", "shared()"),
    ("tensor.twice", "[torch.ones(2)] * 2"),
    ("tensor.conjugated", "torch.ones(2, dtype=torch.complex64).conj()"),
    ("tensor.negated", "torch.ones(2, dtype=torch.complex64).conj().imag"),
    ("tensor.channels_last", "torch.ones(1, 2, 2, 2).to(memory_format=torch.channels_last)"),
    ("tensor.attribute", "with_attribute(torch.ones(2))"),
    ("tensor.meta", "torch.ones(2, device='meta')"),
    ("tensor.quantized", "torch.quantize_per_tensor(torch.ones(2, 2), 0.1, 3, torch.quint8)"),
    ("tensor.quantized.int8", "torch.quantize_per_tensor(torch.ones(2, 2), 0.1, 0, torch.qint8)"),
    ("tensor.quantized.int32", "torch.quantize_per_tensor(torch.ones(2, 2), 0.1, 0, torch.qint32)"),
    ("tensor.quantized.channel", "torch.quantize_per_channel(torch.ones(2, 2), torch.tensor([0.1, 0.2]), "
     "torch.tensor([0, 1]), 0, torch.qint8)"),
    ("tensor.sparse", "torch.eye(3).to_sparse()"),
    ("tensor.sparse.coalesced", "torch.eye(3).to_sparse().coalesce()"),
    ("tensor.sparse.empty", "torch.zeros(3, 3).to_sparse()"),
    ("tensor.sparse.csr", "torch.eye(4).to_sparse_csr()"),
    ("tensor.sparse.csc", "torch.eye(4).to_sparse_csc()"),
    ("tensor.sparse.bsr", "torch.eye(4).to_sparse_bsr((2, 2))"),
    ("tensor.sparse.bsc", "torch.eye(4).to_sparse_bsc((2, 2))"),
    ("tensor.nested", "torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])"),
    ("parameter", "torch.nn.Parameter(torch.ones(2))"),
    ("parameter.frozen", "torch.nn.Parameter(torch.ones(2), requires_grad=False)"),
    ("parameter.attribute", "with_attribute(torch.nn.Parameter(torch.ones(2)))"),
    ("parameter.shared", "[torch.nn.Parameter(torch.ones(2))] * 2"),
    ("buffer", "torch.nn.Buffer(torch.ones(2))"),
    ("storage", "torch.ones(3).storage()"),
    ("storage.plain", "Plain(torch.ones(3).storage())"),
    ("storage.untyped", "torch.ones(3).untyped_storage()"),
    # values beside them
    ("size", "torch.ones(2, 3).size()"),
    ("size.empty", "torch.Size()"),
    ("device", "[torch.device('cpu'), torch.device('cuda', 1), torch.device('meta')]"),
    ("dtypes", "[getattr(torch, name) for name in DTYPES if hasattr(torch, name)]"),
    ("dtypes.quantized", "[torch.quint8, torch.qint8, torch.qint32, torch.quint4x2, torch.quint2x4]"),
    ("layouts", "[torch.strided, torch.sparse_coo]"),
    ("layouts.sparse", "[torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc]"),
    ("formats", "[torch.contiguous_format, torch.preserve_format, torch.channels_last]"),
    ("schemes", "[torch.per_tensor_affine, torch.per_channel_affine, torch.per_tensor_symmetric, torch.per_channel_symmetric, "
     "torch.per_channel_affine_float_qparams]"),
    ("generator", "torch.Generator().get_state()"),
    ("generator.seeded", "torch.Generator().manual_seed(7).get_state()"),
    ("classes", "[torch.Tensor, torch.nn.Parameter, torch.nn.Linear, torch.optim.SGD]"),
    # checkpoints
    ("state", "torch.nn.Linear(2, 3).state_dict()"),
    ("state.nested", "small().state_dict()"),
    ("state.checkpoint", "checkpoint()"),
    ("state.optimizers", "[trained(make).state_dict() for make in optimizers()]"),
    ("state.adam", "trained(torch.optim.Adam).state_dict()"),
    ("state.sgd", "trained(lambda parameters: torch.optim.SGD(parameters, 0.1, 0.9)).state_dict()"),
    ("state.schedulers", "[make().state_dict() for make in schedulers()]"),
    ("optimizer", "trained(torch.optim.Adam)"),
    # modules
    ("module.small", "small()"),
    ("module.linear", "torch.nn.Linear(2, 3)"),
    ("module.conv", "torch.nn.Conv2d(1, 2, 3, padding='same')"),
    ("module.norm", "torch.nn.BatchNorm2d(2)"),
    ("module.lstm", "torch.nn.LSTM(1, 2, 2, bidirectional=True)"),
    ("module.attention", "torch.nn.MultiheadAttention(2, 1)"),
    ("module.embedding", "torch.nn.Embedding(3, 2, padding_idx=0)"),
    ("module.loss", "torch.nn.CrossEntropyLoss(torch.ones(3))"),
    ("module.list", "torch.nn.ModuleList([torch.nn.ReLU(), torch.nn.Dropout()])"),
    ("module.dict", "torch.nn.ModuleDict([('a', torch.nn.ReLU())])"),
    ("module.evaluated", "small().eval()"),
    ("module.spectral", "torch.nn.utils.spectral_norm(torch.nn.Linear(2, 3))"),
    ("module.weighted", "torch.nn.utils.weight_norm(torch.nn.Linear(2, 3))"),
    # the files from before torch wrote zip
    ("legacy.tensor", "Legacy(torch.ones(2, 3))"),
    ("legacy.view", "Legacy([torch.arange(6.0)[2:]])"),
    ("legacy.state", "Legacy(small().state_dict())"),
    ("legacy.module", "Legacy(small())"),
    ("legacy.half", "Legacy([torch.ones(2).half(), torch.ones(2).double(), torch.ones(2).int(), torch.ones(2).short(), "
     "torch.ones(2).byte(), torch.ones(2).char(), torch.ones(2).long()])"),
    ("module.compiled", "torch.ao.nn.quantized.dynamic.Linear(2, 2)"),
    ("distribution", "torch.distributions.Normal(torch.zeros(1), torch.ones(1))"),
    ("loader", "torch.utils.data.DataLoader([1, 2])"),
    ("dataset", "torch.utils.data.TensorDataset(torch.ones(2), torch.ones(2))"),
]  # fmt: skip

#: The modules of torch.nn that take arguments.
MODULES = """
AdaptiveAvgPool1d(2) AdaptiveAvgPool2d((2,None)) AdaptiveAvgPool3d(2) AdaptiveMaxPool1d(2) AdaptiveMaxPool2d(2)
AdaptiveMaxPool3d(2) AdaptiveLogSoftmaxWithLoss(4,6,[2,4]) AvgPool1d(2) AvgPool2d((2,2),divisor_override=3) AvgPool3d(2)
BatchNorm1d(2) BatchNorm2d(2,affine=False) BatchNorm3d(2,track_running_stats=False) Bilinear(1,2,3) Bilinear(1,2,3,False)
ChannelShuffle(2) CircularPad1d(1) CircularPad2d(1) CircularPad3d(1) ConstantPad1d(1,0.5) ConstantPad2d((1,1,0,0),0)
ConstantPad3d(1,0) Conv1d(1,2,3) Conv2d(1,2,(3,2),stride=2,dilation=2) Conv2d(2,2,3,groups=2,bias=False,padding_mode='circular')
Conv2d(1,2,3,padding='valid') Conv3d(1,2,1) ConvTranspose1d(1,2,3) ConvTranspose2d(1,2,3,output_padding=0) ConvTranspose3d(1,2,1)
CrossMapLRN2d(3) CrossEntropyLoss(label_smoothing=0.1,ignore_index=-1) Dropout(0.1,inplace=True) Embedding(3,2,max_norm=1.0)
EmbeddingBag(3,2,mode='sum') EmbeddingBag(3,2,include_last_offset=True) Flatten(0) Fold((2,2),(1,1)) FractionalMaxPool2d(2,output_size=3)
FractionalMaxPool2d((2,2),output_ratio=(0.5,0.5)) FractionalMaxPool3d(2,output_size=3) GELU('tanh') GRU(1,2,batch_first=True)
GRUCell(1,2) GroupNorm(1,2) InstanceNorm1d(2) InstanceNorm2d(2,affine=True) InstanceNorm3d(2) LPPool1d(2,3) LPPool2d(2,3)
LPPool3d(2,3) LSTM(1,2,proj_size=1) LSTM(1,2,dropout=0.1,num_layers=2) LSTMCell(1,2) LayerNorm((2,3))
LayerNorm(2,elementwise_affine=False) LazyBatchNorm1d() LazyBatchNorm2d() LazyBatchNorm3d() LazyConv1d(1,1) LazyConv2d(1,1)
LazyConv3d(1,1) LazyConvTranspose1d(1,1) LazyConvTranspose2d(1,1) LazyConvTranspose3d(1,1) LazyInstanceNorm1d()
LazyInstanceNorm2d() LazyInstanceNorm3d() LazyLinear(2) LeakyReLU(0.2) Linear(2,3,bias=False) Linear(2,3,dtype=torch.float64)
LinearCrossEntropyLoss(2,3) LinearCrossEntropyOptions()
LocalResponseNorm(2) LogSoftmax(1) MaxPool1d(2) MaxPool2d(2,return_indices=True) MaxPool3d(2) MaxUnpool1d(2) MaxUnpool2d(2)
MaxUnpool3d(2) MultiheadAttention(2,1,kdim=3,vdim=3,add_bias_kv=True,batch_first=True) BCELoss(torch.ones(2))
BCEWithLogitsLoss(pos_weight=torch.ones(2)) NLLLoss2d() PReLU(2) PairwiseDistance(1) ParameterDict() PixelShuffle(2) PixelUnshuffle(2)
RMSNorm(2) RMSNorm((2,3),1e-5) RNN(1,2,nonlinearity='relu') RNNBase('GRU',1,2) RNNCell(1,2) ReflectionPad1d(1) ReflectionPad2d(1)
ReflectionPad3d(1) ReplicationPad1d(1) ReplicationPad2d(1) ReplicationPad3d(1) Softmax(1) Softmin(0) SyncBatchNorm(2)
Threshold(0.1,20) Transformer(2,1,1,1,2) TransformerDecoderLayer(2,1,2,activation='gelu')
TransformerEncoderLayer(2,1,2,norm_first=True,batch_first=True) TransformerEncoder(torch.nn.TransformerEncoderLayer(2,1,2),1)
TransformerDecoder(torch.nn.TransformerDecoderLayer(2,1,2),1) TripletMarginWithDistanceLoss(distance_function=torch.nn.functional.pairwise_distance)
Unflatten(1,(2,1)) Unfold(2) Upsample(2) Upsample(scale_factor=2.0,mode='bilinear') UpsamplingBilinear2d((2,2))
UpsamplingNearest2d(scale_factor=2) ZeroPad1d(1) ZeroPad2d(1) ZeroPad3d((1,)*6) Sequential(torch.nn.ReLU())
ParameterList([torch.nn.Parameter(torch.ones(1))]) ParameterDict({'a':torch.nn.Parameter(torch.ones(1))}) Identity(1)
""".split()


class Plain(object):
    """What is to be written by pickle itself."""

    def __init__(self, value):
        self.value = value


class Legacy(object):
    """What is to be written as before torch wrote zip, by releases that write both."""

    def __init__(self, value):
        self.value = value


def pickled(value, protocol):
    """The pickle in which a file of torch.save holds `value`."""
    if isinstance(value, Plain):
        return pickle.dumps(value.value, protocol)
    if not protocol:
        raise ValueError("persistent IDs are texts in protocol 0, and torch itself cannot read them")
    if protocol < 2 and type(value).__module__.startswith("torch.ao"):
        raise ValueError("below protocol 2 the objects of its own that torch has compiled end the process")
    return found(written(value, protocol))


def written(value, protocol):
    """What torch.save writes; what would be said of the machine is left out."""
    import inspect

    import torch

    file = io.BytesIO()
    given = {"pickle_protocol": protocol}
    if isinstance(value, Legacy):
        value = value.value
        if hasattr(torch.serialization, "_open_zipfile_writer"):
            given["_use_new_zipfile_serialization"] = False
    kept = inspect.getsourcelines, inspect.getsourcefile
    inspect.getsourcelines, inspect.getsourcefile = lambda _: (["source\n"], 0), lambda _: "source.py"
    try:
        torch.save(value, file, **given)
    finally:
        inspect.getsourcelines, inspect.getsourcefile = kept
    return file.getvalue()


def found(data):
    """The pickle of the object in a file of torch's."""
    import zipfile

    if data[:2] == b"PK":
        archive = zipfile.ZipFile(io.BytesIO(data))
        return archive.read(next(name for name in archive.namelist() if name.endswith("/data.pkl")))
    streams, file = [], io.BytesIO(data)
    for _ in range(5):
        start = file.tell()
        for _ in pickletools.genops(file):
            pass
        streams.append(data[start : file.tell()])
    for number, key in enumerate(pickle.loads(streams[4])):  # keys are addresses
        streams[3] = streams[3].replace(key.encode(), str(number).rjust(len(key), "1").encode())
    return streams[3]


def shared():
    import torch

    whole = torch.arange(6.0)
    return [whole[:4], whole[2:], whole.reshape(2, 3)]


def with_attribute(tensor):
    tensor.note = "a"
    return tensor


def small():
    """A module with others in it."""
    import torch

    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(1, 1, 2), nn.BatchNorm2d(1), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4, 2))


def trained(make):
    """An optimizer that has made a step."""
    import torch

    torch.manual_seed(0)
    model = torch.nn.Linear(2, 2)
    optimizer = make([model.weight])  # without the bias: some take matrices only
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step(lambda: model(torch.ones(1, 2)).sum())
    return optimizer


def optimizers():
    """How each optimizer is made."""
    import torch

    for name in sorted(dir(torch.optim)):
        cls = getattr(torch.optim, name)
        if isinstance(cls, type) and issubclass(cls, torch.optim.Optimizer) and name not in ("Optimizer", "SparseAdam"):
            yield lambda parameters, cls=cls: cls(parameters, lr=0.1)


def schedulers():
    """How each scheduler is made, of those that are made of numbers."""
    import torch

    known = torch.optim.lr_scheduler
    for name, given in (
        ("StepLR", (2,)), ("MultiStepLR", ([2, 4],)), ("ConstantLR", ()), ("LinearLR", ()), ("ExponentialLR", (0.9,)),
        ("CosineAnnealingLR", (2,)), ("ReduceLROnPlateau", ()), ("CosineAnnealingWarmRestarts", (2,)),
        ("OneCycleLR", (0.1, 4)), ("PolynomialLR", ()), ("CyclicLR", (0.1, 0.2)),
    ):  # fmt: skip
        if hasattr(known, name):
            yield lambda name=name, given=given: getattr(known, name)(trained(momentum), *given)


def momentum(parameters):
    import torch

    return torch.optim.SGD(parameters, 0.1, 0.9)


def checkpoint():
    """What training programs keep."""
    import collections

    import torch

    model = small()
    return {
        "epoch": 3,
        "model": model.state_dict(),
        "optimizer": trained(momentum).state_dict(),
        "loss": torch.tensor(0.5),
        "rng": torch.Generator().get_state(),
        "history": collections.defaultdict(list, train=[0.5, 0.25]),
    }


def more():
    """Every class of torch.nn and of torch.optim, and a tensor of every dtype."""
    import torch

    for name in sorted(set(torch.nn.modules.__all__)):
        yield "nn." + name, lambda name=name: getattr(torch.nn, name)()
    for text in MODULES:
        yield "nn." + text, lambda text=text: eval("torch.nn." + text, {"torch": torch})
        if not text.startswith("Lazy"):
            yield "legacy.nn." + text, lambda text=text: Legacy(eval("torch.nn." + text, {"torch": torch}))
    for name in sorted(name for name in set(torch.nn.modules.__all__) if not name.startswith("Lazy")):
        yield "legacy.nn." + name, lambda name=name: Legacy(getattr(torch.nn, name)())
    for name in DTYPES:
        yield "dtype." + name, lambda name=name: torch.zeros(3).to(getattr(torch, name))
        yield "legacy.dtype." + name, lambda name=name: Legacy(torch.zeros(3).to(getattr(torch, name)))
    for number, make in enumerate(optimizers()):
        yield "optimizer.%d" % number, lambda make=make: trained(make)
