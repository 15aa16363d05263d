"""The zoo of dateutil, see tests/packs."""

PACK = "dateutil"
IMPORTS = "dateutil dateutil.tz dateutil.relativedelta dateutil.rrule dateutil.parser dateutil.easter datetime"
SKIPPED = ("dateutil.zoneinfo.rebuild", "dateutil.tzwin", "dateutil.tz.win")
_TOOL = "a tool, not a value"
WITHOUT = {
    "dateutil.parser._parser.parserinfo": _TOOL,
    "dateutil.parser.parserinfo": _TOOL,
    "dateutil.parser._parser._tzparser": _TOOL,
    "dateutil.parser._parser._ymd": _TOOL,
    "dateutil.parser._parser.parser": _TOOL,
    "dateutil.parser.isoparser": _TOOL,
    "dateutil.rrule._rrulestr": _TOOL,
    "dateutil.rrule.rrulebase": "it holds a lock and an iterator",
    "dateutil.rrule.rruleset": "likewise",
    "dateutil.tz.tz.DeprecatedTzKeyWarning": _TOOL,
    "dateutil.tz.tz.DeprecatedTzFormatWarning": _TOOL,
    "dateutil.tz._common": "a base class",
    "dateutil.zoneinfo.ZoneInfoFile": "an archive of zones",
}
KEPT = {
    "dateutil.relativedelta.weekday": "up to 2.6",
    "dateutil.zoneinfo.gettz": "zones of the archive, up to 2.6",
}

VALUES = [
    ("utc", "dateutil.tz.tzutc()"),
    ("utc.value", "dateutil.tz.UTC"),
    ("local", "dateutil.tz.tzlocal()"),
    ("offset", "dateutil.tz.tzoffset('BRST', -10800)"),
    ("offset.unnamed", "dateutil.tz.tzoffset(None, 3600)"),
    ("range", "dateutil.tz.tzrange('EST', -18000, 'EDT')"),
    ("range.rules", "dateutil.tz.tzrange('EST', -18000, 'EDT', -14400, dateutil.relativedelta.relativedelta(hours=2, "
     "month=4, day=1, weekday=dateutil.relativedelta.SU(1)))"),
    ("text", "dateutil.tz.tzstr('EST5EDT,M3.2.0,M11.1.0')"),
    ("file", "dateutil.tz.gettz('Europe/Berlin')"),
    ("file.utc", "dateutil.tz.gettz('UTC')"),
    ("file.zoneinfo", "__import__('dateutil.zoneinfo', fromlist=['get_zonefile_instance']).get_zonefile_instance()"
     ".get('Europe/Madrid')"),
    ("datetime", "datetime.datetime(2020, 1, 1, tzinfo=dateutil.tz.tzutc())"),
    ("datetime.zone", "datetime.datetime(2020, 1, 1, tzinfo=dateutil.tz.gettz('America/New_York'))"),
    ("datetime.parsed", "dateutil.parser.parse('2003-09-25T10:49:41-03:00')"),
    ("delta", "dateutil.relativedelta.relativedelta(years=1, months=-2, days=+3, hour=4)"),
    ("delta.weekday", "dateutil.relativedelta.relativedelta(weekday=dateutil.relativedelta.FR(-1))"),
    ("delta.leap", "dateutil.relativedelta.relativedelta(yearday=260, leapdays=1)"),
    ("delta.floats", "dateutil.relativedelta.relativedelta(days=1.5)"),
    ("weekday", "dateutil.relativedelta.MO(2)"),
    ("weekday.rule", "dateutil.rrule.TU(-1)"),
    ("parserinfo", "dateutil.parser.parserinfo()"),
    ("error", "dateutil.parser.ParserError('bad %s', 'x')"),
]
