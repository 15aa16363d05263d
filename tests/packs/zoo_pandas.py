"""The zoo of pandas, see tests/packs."""

PACK = "pandas"
IMPORTS = ("numpy pandas pandas.api.types pandas.tseries.offsets pandas.errors pandas.arrays pandas.sparse.api pytz "
           "dateutil.tz datetime zoneinfo decimal")
SKIPPED = (
    "pandas.io", "pandas.plotting", "pandas._testing", "pandas.util", "pandas.core.computation", "pandas.compat",
    "pandas.core.arrays.arrow._arrow_utils", "pandas.core.arrays.arrow.extension_types",  # which need pyarrow
    "pandas.core._numba.extensions", "pandas.core._numba.kernels",  # which need numba
)  # fmt: skip
_PENDING = "the middle of a computation, not a value"
_TOOL = "a tool, not a value"
WITHOUT = {
    "pandas.api.typing": _PENDING,
    "pandas.core.groupby": _PENDING,
    "pandas.core.resample": _PENDING,
    "pandas.core.indexing": _TOOL,
    "numpy._core.multiarray._reconstruct": "arrays of a class that is gone (SparseArray up to 0.23)",
}
WITHOUT.update(dict.fromkeys("""
pandas._libs.tslibs.strptime pandas._libs.tslibs.parsing pandas._libs.tslibs.fields pandas._libs.algos
pandas._libs.hashtable pandas._libs.properties pandas.api.extensions pandas.api.indexers pandas.core.accessor
pandas.core.arraylike pandas.core.arrays.base pandas.core.dtypes.base pandas.core.dtypes.generic
pandas.core.indexers.objects pandas.core.interchange pandas.core.nanops pandas.core.strings pandas.Grouper _strptime
pandas.tseries.holiday
""".split(), _TOOL))
WITHOUT.update(dict.fromkeys("""
pandas.C_NAType pandas.__pyx_unpickle_C_NAType pandas._libs.interval.IntervalMixin
pandas._libs.interval.__pyx_unpickle_IntervalMixin pandas._libs.tslibs.period.PeriodMixin
pandas._libs.tslibs.period.__pyx_unpickle_PeriodMixin pandas._libs.tslibs.offsets.BaseOffset
pandas._libs.tslibs.offsets.BusinessMixin pandas._libs.tslibs.offsets.FY5253Mixin
pandas._libs.tslibs.offsets.MonthOffset pandas._libs.tslibs.offsets.SemiMonthOffset
pandas._libs.tslibs.offsets.SingleConstructorOffset pandas._libs.tslibs.offsets.WeekOfMonthMixin
pandas._libs.tslibs.offsets._CustomBusinessMonth pandas._libs.tslibs.offsets._CustomBusinessMonthBegin
pandas._libs.tslibs.offsets._CustomBusinessMonthEnd pandas._libs.tslibs.offsets._YearEnd
pandas._libs.tslibs.timedeltas._Timedelta pandas.core.arrays.floating.FloatingDtype
pandas.core.arrays.integer.IntegerDtype pandas.core.arrays.numeric pandas.core.arrays.string_.BaseStringArray
pandas.core.dtypes.dtypes.BaseMaskedDtype pandas.core.dtypes.dtypes.PandasExtensionDtype
pandas.core.indexes.frozen.IndexOpsMixin pandas.core.indexes.frozen.NoNewAttributesMixin
pandas.core.indexes.frozen.PandasObject pandas.core.indexes.frozen.SelectionMixin
""".split(), "a base class"))
KEPT = {
    "pandas._libs.tslib.__nat_unpickle": "0.20",
    "pandas._libs.tslibs.offsets.QuarterOffset": "as a class, of 1.1 to 2.2",
    "pandas._libs.tslibs.offsets.YearOffset": "as a class, of 1.1 to 2.2",
    "pandas._libs.tslibs.timedeltas.Timedelta": "as a class, of 0.24 to 2.2",
    "pandas.core.arrays.arrow": "1.5 to 2.2, with pyarrow",
    "pandas.core.arrays.numpy_.PandasArray": "0.24 to 1.5",
    "pandas.core.arrays.numpy_.PandasDtype": "0.24 to 1.1",
    "pandas.core.arrays.sparse.array.SparseDtype": "0.24, in pandas.core.arrays.sparse",
    "pandas.core.arrays.string_.StringArrayNumpySemantics": "2.3",
    "pandas.core.arrays.string_arrow": "1.5 to 2.3, with pyarrow",
    "pandas.core.dtypes.dtypes.ArrowDtype": "2.2, with pyarrow",
    "pandas.core.indexes.base": "in pandas.core.index, before 0.20",
    "pandas.core.indexes.numeric.NumericIndex": "as a class, of 0.20 to 1.5",
    "pandas.errors.SettingWithCopyError": "1.5 to 2.2",
    "pandas.errors.SettingWithCopyWarning": "1.5 to 2.2",
    "pandas.tseries.offsets": "0.20 to 0.25",
    "pyarrow.lib": "with pyarrow, which this zoo's extra does not bring",
}

HALVES = "BHalfYearBegin BHalfYearEnd HalfYearBegin HalfYearEnd".split()

VALUES = [
    ("offset.halves", "[getattr(pandas.tseries.offsets, name)() for name in HALVES]"),
    ("offset.weekday", "[pandas.tseries.offsets.WeekOfMonth(week=1, weekday=2), "
     "pandas.tseries.offsets.FY5253Quarter(startingMonth=1, weekday=1, qtr_with_extra_week=1)]"),
    ("dtype.integers", "[pandas.Int16Dtype(), pandas.Int32Dtype(), pandas.UInt8Dtype(), pandas.UInt16Dtype(), "
     "pandas.UInt32Dtype()]"),
    ("frozen", "pandas.MultiIndex.from_arrays([[1], [2]], names=['a', 'b']).names"),
    ("error.bounds", "[pandas.errors.OutOfBoundsDatetime('a'), pandas.errors.OutOfBoundsTimedelta('a')]"),
    ("error.variable", "pandas.errors.UndefinedVariableError('a')"),
    ("frame", "pandas.DataFrame({'a': [1, 2], 'b': [1.5, None], 'c': ['x', 'y']})"),
    ("methods", "[getattr(cls, name) for cls in (pandas.DataFrame, pandas.Series) for name in 'count max mean median min "
     "prod std sum var'.split()]"),
    ("frame.empty", "pandas.DataFrame()"),
    ("frame.columns", "pandas.DataFrame([[1, 2.5], [3, 4.5]], index=['r', 's'], columns=[10, 20])"),
    ("frame.multi", "pandas.DataFrame([[1, 2], [3, 4]], pandas.MultiIndex.from_tuples([('a', 1), ('b', 2)], names=['x', 'y']))"),
    ("frame.dates", "pandas.DataFrame({'t': pandas.date_range('2020', periods=3), 'z': pandas.date_range('2020', "
     "periods=3, tz='UTC')})"),
    ("frame.categories", "pandas.DataFrame({'c': pandas.Categorical(['a', 'b', 'a'])})"),
    ("frame.nullable", "pandas.DataFrame({'i': pandas.array([1, None], 'Int64'), 'b': pandas.array([True, None], 'boolean')})"),
    ("frame.text", "pandas.DataFrame({'s': pandas.array(['a', None], 'string')})"),
    ("frame.mixed", "pandas.DataFrame({'o': [[1], {'a': 2}], 'b': [True, False], 'i': numpy.array([1, 2], 'i1')})"),
    ("frame.attributes", "attributed()"),
    ("frame.period", "pandas.DataFrame({'p': pandas.period_range('2020', periods=2, freq='M')})"),
    ("frame.interval", "pandas.DataFrame({'p': pandas.interval_range(0, 2)})"),
    ("frame.sparse", "pandas.DataFrame({'p': pandas.arrays.SparseArray([0, 0, 1])})"),
    ("frame.strided", "pandas.DataFrame(numpy.arange(12.0).reshape(4, 3)).iloc[::2, ::-1]"),
    ("frame.sparse.old", "pandas.SparseDataFrame({'a': [0, 0, 1]})"),
    ("series", "pandas.Series([1, 2, 3], name='n')"),
    ("series.text", "pandas.Series(['a', 'b', None])"),
    ("series.object", "pandas.Series([1, 'a', None, [2]], dtype=object)"),
    ("series.time", "pandas.Series(pandas.date_range('2020', periods=3, freq='D'))"),
    ("series.delta", "pandas.Series(pandas.timedelta_range('1D', periods=3))"),
    ("series.zone", "pandas.Series(pandas.date_range('2020', periods=3, tz='Europe/Paris'))"),
    ("series.category", "pandas.Series(['a', 'b'], dtype='category')"),
    ("series.sparse.old", "pandas.SparseSeries([0, 0, 1])"),
    ("series.empty", "pandas.Series([], dtype='f8')"),
    ("series.arrow", "pandas.Series([1, 2, None], dtype='int64[pyarrow]')"),
    ("series.arrow.text", "pandas.Series(['a', None], dtype='string[pyarrow]')"),
    ("index", "pandas.Index(['a', 'b'], name='n')"),
    ("index.object", "pandas.Index([1, 'a', None], dtype=object)"),
    ("index.int", "pandas.Index([1, 2, 3])"),
    ("index.uint", "pandas.Index(numpy.array([1, 2], 'u8'))"),
    ("index.float", "pandas.Index([1.5, 2])"),
    ("index.bool", "pandas.Index([True, False])"),
    ("index.range", "pandas.RangeIndex(5, name='r')"),
    ("index.range.step", "pandas.RangeIndex(1, 10, 3)"),
    ("index.multi", "pandas.MultiIndex.from_product([['a', 'b'], [1, 2]], names=['x', None])"),
    ("index.multi.dates", "pandas.MultiIndex.from_arrays([pandas.date_range('2020', periods=2), [1.5, 2]])"),
    ("index.category", "pandas.CategoricalIndex(['a', 'b', 'a'], ordered=True)"),
    ("index.date", "pandas.date_range('2020', periods=3, freq='D')"),
    ("index.date.zone", "pandas.date_range('2020', periods=3, freq='h', tz='Europe/Paris')"),
    ("index.date.utc", "pandas.DatetimeIndex(['2020-01-01'], tz='UTC')"),
    ("index.date.dateutil", "pandas.DatetimeIndex(['2020-01-01'], tz=dateutil.tz.gettz('Europe/Berlin'))"),
    ("index.date.pytz", "pandas.DatetimeIndex(['2020-01-01'], tz=pytz.timezone('Asia/Tokyo'))"),
    ("index.delta", "pandas.to_timedelta(['1D', '2h'])"),
    ("index.delta.range", "pandas.timedelta_range('1D', periods=3)"),
    ("index.period", "pandas.period_range('2020-01', periods=3, freq='M')"),
    ("index.period.day", "pandas.PeriodIndex(['2020-01-01', 'NaT'], freq='D')"),
    ("index.interval", "pandas.interval_range(0, 3)"),
    ("index.interval.dates", "pandas.interval_range(pandas.Timestamp('2020'), periods=2)"),
    ("index.interval.cut", "pandas.cut([1, 5, 9], 3)"),
    ("categorical", "pandas.Categorical(['a', 'b', 'a'], categories=['b', 'a'], ordered=True)"),
    ("categorical.int", "pandas.Categorical([3, 1, None])"),
    ("period", "pandas.Period('2020-01', 'M')"),
    ("period.week", "pandas.Period('2020-01-01', 'W-SUN')"),
    ("interval", "pandas.Interval(1, 2.5, closed='both')"),
    ("interval.dates", "pandas.Interval(pandas.Timestamp('2020'), pandas.Timestamp('2021'))"),
    ("timestamp", "pandas.Timestamp('2020-01-01 12:34:56.789')"),
    ("timestamp.ns", "pandas.Timestamp(1577836800123456789)"),
    ("timestamp.utc", "pandas.Timestamp('2020-01-01', tz='UTC')"),
    ("timestamp.zone", "pandas.Timestamp('2020-06-01', tz='America/New_York')"),
    ("timestamp.pytz", "pandas.Timestamp('2020-06-01', tz=pytz.timezone('Europe/Amsterdam'))"),
    ("timestamp.pytz.offset", "pandas.Timestamp('2020-06-01', tz=pytz.FixedOffset(90))"),
    ("timestamp.dateutil", "pandas.Timestamp('2020-06-01', tz='dateutil/Europe/Berlin')"),
    ("timestamp.offset", "pandas.Timestamp('2020-06-01 00:00+02:00')"),
    ("timestamp.zoneinfo", "pandas.Timestamp('2020-06-01', tz=zoneinfo.ZoneInfo('Asia/Tokyo'))"),
    ("timestamp.freq", "pandas.date_range('2020', periods=1, freq='D')[0]"),
    ("timestamp.second", "pandas.Timestamp('2020-01-01').as_unit('s')"),
    ("timedelta", "pandas.Timedelta('1 days 02:03:04.000000005')"),
    ("timedelta.second", "pandas.Timedelta(days=2).as_unit('s')"),
    ("nat", "[pandas.NaT, pandas.NA]"),
    ("array.int", "pandas.array([1, None, 3], dtype='Int32')"),
    ("array.float", "pandas.array([1.5, None], dtype='Float64')"),
    ("array.bool", "pandas.array([True, None], dtype='boolean')"),
    ("array.text", "pandas.array(['a', None], dtype='string')"),
    ("array.text.python", "pandas.array(['a', None], dtype='string[python]')"),
    ("array.date", "pandas.array(pandas.date_range('2020', periods=2))"),
    ("array.zone", "pandas.array(pandas.date_range('2020', periods=2, tz='UTC'))"),
    ("array.delta", "pandas.array(pandas.timedelta_range('1D', periods=2))"),
    ("array.period", "pandas.array(pandas.period_range('2020', periods=2, freq='M'))"),
    ("array.interval", "pandas.array(pandas.interval_range(0, 2))"),
    ("array.sparse", "pandas.arrays.SparseArray([0, 0, 1, 2])"),
    ("array.sparse.block", "pandas.arrays.SparseArray([0, 0, 1, 2], kind='block', fill_value=0)"),
    ("array.sparse.old", "pandas.SparseArray([0, 0, 1, 2])"),
    ("array.numpy", "pandas.arrays.NumpyExtensionArray(numpy.array([1, 2]))"),
    ("dtype.category", "pandas.CategoricalDtype(['a', 'b'], ordered=True)"),
    ("dtype.zone", "pandas.DatetimeTZDtype(tz='UTC')"),
    ("dtype.period", "pandas.PeriodDtype('M')"),
    ("dtype.interval", "pandas.IntervalDtype('int64')"),
    ("dtype.sparse", "pandas.SparseDtype('f8', 0.0)"),
    ("dtype.nullable", "[pandas.Int8Dtype(), pandas.UInt64Dtype(), pandas.BooleanDtype()]"),
    ("dtype.float", "[pandas.Float32Dtype(), pandas.Float64Dtype()]"),
    ("dtype.text", "pandas.StringDtype()"),
    ("dtype.arrow", "pandas.ArrowDtype(__import__('pyarrow').int64())"),
    ("grouper", "pandas.Grouper(key='a', freq='D')"),
    ("slice", "pandas.IndexSlice"),
    ("grouped", "pandas.DataFrame({'a': [1, 1, 2], 'b': [1, 2, 3]}).groupby('a')"),
    ("flags", "pandas.DataFrame({'a': [1]}).set_flags(allows_duplicate_labels=False)"),
    ("classes", "[pandas.DataFrame, pandas.Series, pandas.Index, pandas.Timestamp, pandas.Categorical]"),
    ("functions", "[pandas.isna, pandas.notna, pandas.to_datetime, pandas.to_numeric, pandas.concat]"),
]

OFFSETS = """
BDay BMonthBegin BMonthEnd BQuarterBegin BQuarterEnd BYearBegin BYearEnd BusinessDay BusinessHour BusinessMonthBegin
BusinessMonthEnd CBMonthBegin CBMonthEnd CDay CustomBusinessDay CustomBusinessHour CustomBusinessMonthBegin
CustomBusinessMonthEnd DateOffset Day Easter FY5253 FY5253Quarter Hour LastWeekOfMonth Micro Milli Minute MonthBegin
MonthEnd Nano QuarterBegin QuarterEnd Second SemiMonthBegin SemiMonthEnd Tick Week WeekOfMonth YearBegin YearEnd
""".split()
VALUES += [("offset." + name, "pandas.tseries.offsets.%s()" % name) for name in OFFSETS]
VALUES += [("offset.two." + name, "pandas.tseries.offsets.%s(2)" % name) for name in OFFSETS]
VALUES += [
    ("offset.date.months", "pandas.DateOffset(months=2, days=1)"),
    ("offset.holidays", "pandas.tseries.offsets.CustomBusinessDay(holidays=['2020-12-25'])"),
    ("offset.week.day", "pandas.tseries.offsets.Week(weekday=3)"),
    ("offset.fiscal", "pandas.tseries.offsets.FY5253(weekday=4, startingMonth=1, variation='last')"),
]


def attributed():
    """A frame with attributes of the user's."""
    import pandas

    made = pandas.DataFrame({"a": [1, 2]})
    made.attrs["source"] = "sensor"
    made.index.name = "n"
    return made
