"""The zoo of pytz, see tests/packs."""

PACK = "pytz"
IMPORTS = "pytz datetime"
SKIPPED = ("pytz.tzinfo.BaseTzInfo", "pytz.tzinfo.StaticTzInfo", "pytz.tzinfo.DstTzInfo")
WITHOUT = {
    "pytz._CountryNameDict": "it reads a table of pytz when it is used",
    "pytz._CountryTimezoneDict": "likewise",
    "pytz.lazy": "a tool, not a value",
    "pytz.reference": "the examples of the documentation",
}
KEPT = {"pytz._FixedOffset": "as a class"}

VALUES = [
    ("utc", "pytz.utc"),
    ("zone", "pytz.timezone('Europe/Amsterdam')"),
    ("zone.static", "pytz.timezone('Etc/GMT+3')"),
    ("zone.localised", "pytz.timezone('America/New_York').localize(datetime.datetime(2020, 6, 1, 12)).tzinfo"),
    ("zone.all", "[pytz.timezone(name) for name in pytz.common_timezones]"),
    ("offset", "pytz.FixedOffset(90)"),
    ("offset.negative", "pytz.FixedOffset(-330)"),
    ("datetime.utc", "datetime.datetime(2020, 1, 1, tzinfo=pytz.utc)"),
    ("datetime", "pytz.timezone('Asia/Tokyo').localize(datetime.datetime(2020, 1, 1))"),
    ("datetime.summer", "pytz.timezone('Europe/London').localize(datetime.datetime(2020, 7, 1))"),
    ("error.unknown", "pytz.exceptions.UnknownTimeZoneError('x')"),
    ("error.ambiguous", "pytz.AmbiguousTimeError('x')"),
    ("error.absent", "pytz.NonExistentTimeError('x')"),
    ("error.invalid", "pytz.InvalidTimeError('x')"),
]
