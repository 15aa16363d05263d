"""The zoo of numpy, see tests/packs."""

from __future__ import print_function

PACK = "numpy"
IMPORTS = "numpy numpy.ma numpy.random numpy.polynomial numpy.exceptions numpy.rec numpy.matrixlib datetime decimal"
SKIPPED = (
    "numpy.f2py", "numpy.distutils", "numpy.typing.mypy_plugin", "numpy._pyinstaller", "numpy._core.cversions",
    "numpy._core._rational_tests",
)  # fmt: skip
_TOOL = "a tool, not a value"
WITHOUT = {
    "numpy.finfo": "worked out again from its dtype; pickle itself cannot make it at protocol 2 and above",
    "numpy.iinfo": "likewise",
    "numpy.core.getlimits": "part of finfo",
    "numpy.vectorize": "it calls what it is given",
    "numpy._core.multiarray.scalar": "up to 1.19 a record of objects was given as a tuple, which numpy cannot read any more",
    "numpy.errstate": _TOOL,
    "numpy.ndindex": _TOOL,
    "itertools.product": "part of ndindex",
    "numpy.lib._datasource": "it opens files",
    "numpy.lib.npyio.DataSource": "it opens files",
    "numpy.lib._iotools": _TOOL,
    "numpy.lib._index_tricks_impl": _TOOL,
    "numpy.lib._utils_impl": _TOOL,
    "numpy.lib.mixins": _TOOL,
    "numpy.ma.extras": _TOOL,
    "numpy.ma.core._DomainSafeDivide": _TOOL,
    "numpy.ctypeslib": "it makes pointers to any memory",
    "_ctypes": "likewise",
    "numpy._core._internal._missing_ctypes": _TOOL,
    "numpy._core._ufunc_config": _TOOL,
    "numpy._core.numerictypes": _TOOL,
    "numpy._globals": _TOOL,
    "numpy._typing": "for type checkers only",
    "numpy.typing": "for type checkers only",
    "numpy._utils": _TOOL,
    "numpy.__array_namespace_info__": _TOOL,
    "numpy.random.bit_generator.SeedlessSequence": _TOOL,
}
_SPELLING = "another name of a type or function, in releases that say so"
KEPT = {"numpy." + name: _SPELLING for name in """
abs acos acosh asanyarray asin asinh atan atan2 atanh bitwise_invert bitwise_left_shift bitwise_not bitwise_right_shift
bool8 bytes0 cdouble clongfloat complex_ conj csingle double empty float96 float_ half int0 int_ intc intp long
longfloat mod object0 pow round_ single str0 string_ true_divide uint uintc uintp ulong unicode_ void0
""".split()}
KEPT.update({
    "numpy._core._ufunc_reconstruct": "every universal function, up to 1.19",
    "numpy.dtypes": "which of them there are depends on the platform",
    "numpy.random.Generator": "as a class",
})

KINDS = "? b B h H i I l L q Q e f d g F D G".split()

VALUES = [
    # dtypes
    ("dtype.object", "numpy.dtype(object)"),
    ("dtype.bytes", "numpy.dtype('S7')"),
    ("dtype.bytes.empty", "numpy.dtype('S')"),
    ("dtype.text", "numpy.dtype('U7')"),
    ("dtype.void", "numpy.dtype('V5')"),
    ("dtype.subarray", "numpy.dtype(('<i4', (2, 3)))"),
    ("dtype.record", "numpy.dtype([('x', '<i4'), ('y', '<f8', (2,)), ('z', 'S3')])"),
    ("dtype.record.titles", "numpy.dtype([(('the x', 'x'), '<i4'), ('y', '<f8')])"),
    ("dtype.record.aligned", "numpy.dtype([('x', 'i1'), ('y', '<f8')], align=True)"),
    ("dtype.record.offsets", "numpy.dtype({'names': ['a', 'b'], 'formats': ['<i4', '<i2'], 'offsets': [4, 0], "
     "'itemsize': 12})"),
    ("dtype.record.nested", "numpy.dtype([('p', [('x', '<f4'), ('y', '<f4')]), ('o', 'O')])"),
    ("dtype.record.empty", "numpy.dtype([])"),
    ("dtype.recarray", "numpy.dtype((numpy.record, [('x', '<i4'), ('y', 'O')]))"),
    ("dtype.metadata", "numpy.dtype('<i4', metadata={'unit': 'm'})"),
    ("dtype.time.generic", "[numpy.dtype('M8'), numpy.dtype('m8')]"),
    ("dtype.text.variable", "numpy.dtypes.StringDType()"),
    ("dtype.text.variable.na", "numpy.dtypes.StringDType(na_object=None, coerce=False)"),
    ("dtype.classes", "[getattr(numpy.dtypes, name) for name in sorted(dir(numpy.dtypes)) if name.endswith('DType')]"),
    # arrays
    ("array.scalar", "numpy.array(1.5)"),
    ("array.empty", "numpy.zeros((0, 3))"),
    ("array.empty.object", "numpy.zeros((0, 3), object)"),
    ("array.3d", "numpy.arange(24.0).reshape(2, 3, 4)"),
    ("array.strided", "numpy.arange(24.0).reshape(2, 3, 4)[:, ::2, ::-1]"),
    ("array.32d", "numpy.ones((1,) * 32)"),
    ("array.swapped", "numpy.arange(5).astype('>i4')"),
    ("array.readonly", "numpy.frombuffer(b'abcdefgh', 'u1')"),
    ("array.bytes", "numpy.array([b'a', b'bcd'])"),
    ("array.text", "numpy.array([u'a', u'b\\xe9d'])"),
    ("array.text.variable", "numpy.array(['a', 'bcd'], numpy.dtypes.StringDType())"),
    ("array.void", "numpy.zeros(3, 'V5')"),
    ("array.times", "numpy.array(['2020-01-01', 'NaT'], 'M8[D]')"),
    ("array.times.ns", "numpy.array(['2020-01-01T01:02:03.000000004'], 'M8[ns]')"),
    ("array.timedeltas", "numpy.arange(3).astype('m8[ms]')"),
    ("array.record", "numpy.array([(1, [1.0, 2.0], b'abc')], [('x', '<i4'), ('y', '<f8', (2,)), ('z', 'S3')])"),
    ("array.record.aligned", "numpy.zeros(2, numpy.dtype([('x', 'i1'), ('y', '<f8')], align=True))"),
    ("array.record.object", "numpy.array([(1, 'a'), (2, None)], [('x', '<i4'), ('o', 'O')])"),
    ("array.record.nested", "numpy.zeros(2, [('p', [('x', '<f4'), ('y', '<f4')])])"),
    ("array.record.view", "numpy.zeros(2, [('x', '<i4'), ('y', '<f8'), ('z', 'i1')])[['x', 'z']]"),
    ("array.object", "numpy.array([1, 'a', None, [2.5]], object)"),
    ("array.object.2d", "numpy.array([[1, 'a', None], [b'b', 2.5, 1j]], object)"),
    ("array.object.fortran", "numpy.asfortranarray(numpy.array([[1, 'a', None], [b'b', 2.5, 1j]], object))"),
    ("array.object.ragged", "ragged()"),
    ("array.object.nested", "nested()"),
    ("array.object.times", "numpy.array([datetime.date(2020, 1, 1), decimal.Decimal('1.5')], object)"),
    ("array.object.scalars", "numpy.array([numpy.float64(1), numpy.str_('a')], object)"),
    ("array.object.itself", "itself()"),
    ("array.large", "numpy.zeros(20000)"),
    ("array.shared", "shared()"),
    ("array.state", "with_state()"),
    # other containers
    ("matrix", "numpy.matrix([[1, 2], [3, 4]])"),
    ("recarray", "numpy.rec.array([(1, 'a'), (2, 'b')], names='x,y')"),
    ("record", "numpy.rec.array([(1, 'a'), (2, 'b')], names='x,y')[0]"),
    ("chararray", "numpy.char.array(['a', 'bcd'])"),
    ("masked", "numpy.ma.array([1.5, 2, 3], mask=[0, 1, 0])"),
    ("masked.nomask", "numpy.ma.array([1, 2, 3])"),
    ("masked.hard", "numpy.ma.array([1, 2, 3], mask=[0, 1, 0], hard_mask=True, fill_value=7)"),
    ("masked.2d", "numpy.ma.array([[1, 2], [3, 4]], mask=[[0, 1], [1, 0]])"),
    ("masked.object", "numpy.ma.array(['a', None], mask=[0, 1], dtype=object)"),
    ("masked.record", "numpy.ma.array([(1, 2.0), (3, 4.0)], mask=[(0, 1), (1, 0)], "
     "dtype=[('a', '<i4'), ('b', '<f8')])"),
    ("masked.mrecord", "mrecord()"),
    ("masked.mvoid", "numpy.ma.array([(1, 2.0)], mask=[(0, 1)], dtype=[('a', '<i4'), ('b', '<f8')])[0]"),
    ("masked.times", "numpy.ma.array(['2020-01-01', '2021-01-01'], mask=[0, 1], dtype='M8[D]')"),
    ("masked.matrix", "numpy.ma.array(numpy.matrix([[1, 2]]), mask=[[0, 1]])"),
    ("masked.constant", "numpy.ma.masked"),
    ("memmap", "memmap()"),
    ("poly1d", "numpy.poly1d([1, 2, 3])"),
    ("vectorized", "numpy.vectorize(abs)"),
    ("finfo", "[numpy.iinfo('i4'), numpy.finfo('f8')]"),
    # scalars
    ("scalar.nan", "numpy.float64('nan')"),
    ("scalar.bytes", "numpy.bytes_(b'abc')"),
    ("scalar.text", "numpy.str_('abc') if str is not bytes else numpy.unicode_(u'abc')"),
    ("scalar.text.empty", "numpy.array([u''])[0]"),
    ("scalar.void", "numpy.void(b'abc')"),
    ("scalar.record", "numpy.zeros(1, [('x', '<i4'), ('y', '<f8', (2,))])[0]"),
    ("scalar.record.object", "numpy.array([(1, 'a')], [('x', '<i4'), ('o', 'O')])[0]"),
    ("scalar.time", "numpy.datetime64('2020-01-01T01:02:03.4')"),
    ("scalar.nat", "[numpy.datetime64('NaT'), numpy.timedelta64('NaT')]"),
    ("scalar.timedelta", "numpy.timedelta64(5, 'D')"),
    ("scalar.classes", "[numpy.dtype(kind).type for kind in KINDS + ['S', 'U', 'V', 'O', 'M8', 'm8']]"),
    ("scalar.abstract", "[numpy.generic, numpy.number, numpy.integer, numpy.floating, numpy.inexact, numpy.flexible, "
     "numpy.character, numpy.complexfloating, numpy.signedinteger, numpy.unsignedinteger]"),
    ("classes", "[numpy.ndarray, numpy.matrix, numpy.recarray, numpy.record, numpy.dtype, numpy.ma.MaskedArray, "
     "numpy.poly1d, numpy.ufunc, numpy.random.RandomState]"),
    ("values", "[numpy.pi, numpy.nan, numpy.inf, numpy.newaxis]"),
    # random
    ("randomstate", "numpy.random.RandomState(1)"),
    ("randomstate.gauss", "gauss()"),
    ("bits.unseeded", "unseeded()"),
    ("bits.spawned", "numpy.random.PCG64(numpy.random.SeedSequence(1).spawn(2)[1])"),
    ("seedsequence", "numpy.random.SeedSequence(12345678901234567890, spawn_key=(1, 2))"),
    ("seedsequence.list", "numpy.random.SeedSequence([1, 2, 3], pool_size=8)"),
    # errors
    ("error.axis", "numpy.exceptions.AxisError(3, 2, 'axis')"),
    ("error.complex", "numpy.exceptions.ComplexWarning('text')"),
    ("error.too", "[numpy.exceptions.TooHardError('a'), numpy.exceptions.DTypePromotionError('a'), "
     "numpy.exceptions.VisibleDeprecationWarning('a'), numpy.exceptions.RankWarning('a')]"),
    ("error.linalg", "numpy.linalg.LinAlgError('singular')"),
    ("error.masked", "[numpy.ma.MAError('a'), numpy.ma.MaskError('a')]"),
]
VALUES += [("dtype." + kind, "numpy.dtype(%r)" % kind) for kind in KINDS]
VALUES += [
    ("dtype.order." + kind, "numpy.dtype(%r)" % (order + kind))
    for order, kind in (("<", "i4"), (">", "i4"), (">", "f8"), (">", "c16"), (">", "U3"), (">", "M8[s]"), ("=", "u2"))
]
VALUES += [
    ("dtype.time." + unit, "[numpy.dtype('M8[%s]'), numpy.dtype('m8[%s]')]" % (unit, unit))
    for unit in "Y M W D h m s ms us ns ps fs as 25s".split()
]
VALUES += [("array." + kind, "numpy.arange(6).astype(%r)" % kind) for kind in KINDS]
VALUES += [
    ("array.fortran." + kind, "numpy.asfortranarray(numpy.arange(6).reshape(2, 3).astype(%r))" % kind) for kind in "bdO"
]
VALUES += [
    ("polynomial." + name, "numpy.polynomial.%s([1, 2, 3], domain=[-1, 2])" % name)
    for name in "Polynomial Chebyshev Legendre Hermite HermiteE Laguerre".split()
]
VALUES += [("scalar." + kind, "numpy.dtype(%r).type(1)" % kind) for kind in KINDS]
VALUES += [
    ("generator." + name, "numpy.random.Generator(numpy.random.%s(1))" % name)
    for name in "PCG64 PCG64DXSM MT19937 Philox SFC64".split()
]
VALUES += [("bits." + name, "numpy.random.%s(1)" % name) for name in "PCG64 PCG64DXSM MT19937 Philox SFC64".split()]
VALUES += [
    ("randomstate." + name, "numpy.random.RandomState(numpy.random.%s(1))" % name) for name in "PCG64 MT19937".split()
]


def more():
    """What is refused or found under a name each: universal functions, and functions that estimators are given."""
    import operator

    import numpy

    for name in sorted(dir(numpy)):
        value = getattr(numpy, name)
        if isinstance(value, numpy.ufunc):
            yield "ufunc." + name, lambda value=value: value
    for name in FUNCTIONS:
        yield "function." + name, lambda name=name: operator.attrgetter(name)(numpy)


FUNCTIONS = """
all amax amin any argmax argmin argsort around array average ceil clip concatenate corrcoef cumprod cumsum diff dot
fix histogram interp max mean median min nanmax nanmean nanmedian nanmin nanstd nansum nanvar nan_to_num percentile
prod ptp quantile ravel real reshape round size sort squeeze std sum transpose unique var where zeros ones array asarray linalg.norm
""".split()


def ragged():
    """Arrays in an array."""
    import numpy

    made = numpy.empty(2, object)
    made[0] = numpy.arange(3)
    made[1] = numpy.array(["a", None], object)
    return made


def nested():
    """An array of objects that holds containers."""
    import numpy

    made = numpy.empty((2, 2), object)
    made[0, 0] = {"a": [1, 2]}
    made[1, 1] = (1, {2})
    return made


def itself():
    """An array that holds itself."""
    import numpy

    made = numpy.empty(2, object)
    made[0] = made
    return made


def shared():
    """One array, and one dtype, twice."""
    import numpy

    one = numpy.arange(3.0)
    return [one, one, numpy.zeros(2, one.dtype), {"a": one}]


def with_state():
    """The state that a masked array is pickled with."""
    import numpy

    return [numpy.arange(3).__reduce__(), numpy.dtype("f8").__reduce__()]


def mrecord():
    """A masked recarray."""
    import numpy
    from numpy.ma import mrecords

    return mrecords.fromarrays([numpy.arange(3), numpy.arange(3) * 1.5], names="a,b")


def memmap():
    """What a map of a file is pickled as: its content."""
    import os
    import tempfile

    import numpy

    handle, path = tempfile.mkstemp()
    os.close(handle)
    made = numpy.memmap(path, dtype="f8", mode="w+", shape=(3,))
    made[:] = [1, 2, 3]
    os.remove(path)
    return made


def gauss():
    """A generator that has a number left over."""
    import numpy

    made = numpy.random.RandomState(1)
    made.normal()
    return made


def unseeded():
    """What was set up by a state: the old pickles of bit generators."""
    import numpy

    made = numpy.random.PCG64(1)
    made.random_raw()
    return made
