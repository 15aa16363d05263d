"""Writes a zoo of the standard library's values as pickles, with whichever Python runs it: 2.7, or 3.6 and later.

    python make_stdlib_pickles.py FOLDER            # every value at every protocol
    python make_stdlib_pickles.py --spare FOLDER    # protocols 0, 2 and 4 (what `ONCE` says: 2)
    python make_stdlib_pickles.py --merge FOLDER    # drop from each version what an older one wrote byte for byte

The first two write FOLDER/<version>/zoo.jsonl: one JSON object a line with `name` (a row of `TABLE`), `repr` (what the
writing Python prints for the value) and `pickles` (base64, by protocol).  tests/data/stdlib is what --spare writes with
2.7 and 3.6 to 3.13, one after the other, and then --merge.  tests/test_policy_stdlib.py reads it, and imports the table
to compare what it loads with what the same expression gives on the Python that runs the tests.

Rules: the source is Python 2.7 and 3.6+ at once; a value that a Python cannot make or pickle is left out and counted;
values hold no path, no host and no user name of the machine that wrote them.
"""

# Python 2.7 decides over the spelling here, and knows neither pathlib nor unpacking in a list.
# ruff: noqa: PTH103, PTH112, PTH118, PTH123, PTH208, RUF005, SIM905, UP010

from __future__ import print_function

import base64
import json
import os
import pickle
import sys
import warnings

try:
    import cPickle as fast_pickle  # noqa: N813  # either module under one name
except ImportError:
    fast_pickle = pickle

#: What the expressions below may name, where it exists.
MODULES = """
argparse array ast asyncio binascii bz2 calendar cgi codecs collections collections.abc concurrent.futures
concurrent.futures.process configparser copy csv datetime decimal difflib dis doctest email email.charset email.errors
email.header email.headerregistry email.message email.mime.application email.mime.base email.mime.image
email.mime.message email.mime.multipart email.mime.text email.policy enum fractions functools getopt graphlib grp
html.parser http http.client http.cookiejar http.cookies imaplib importlib.metadata inspect io ipaddress itertools
json json.decoder locale logging lzma mailbox multiprocessing netrc numbers operator optparse os pathlib platform
plistlib poplib posix pstats pwd py_compile queue random re resource sched select selectors shutil signal smtplib
socket sqlite3 ssl statistics string struct subprocess sys tarfile textwrap threading time token tokenize tomllib
traceback types typing unittest unittest.mock urllib.error urllib.parse uuid warnings wave weakref xml.dom
xml.dom.minidom xml.etree.ElementTree xml.parsers.expat xml.sax xmlrpc.client zipfile zlib zoneinfo ConfigParser
Cookie HTMLParser Queue UserDict UserList UserString cookielib httplib rfc822 sets urllib2 urlparse xmlrpclib base64
bisect fnmatch heapq html math ntpath posixpath unicodedata
""".split()

#: name of the value, expression.  Where the two lines of Python spell a module differently, both spellings are rows of
#: the same meaning; the row that this Python lacks is left out.
VALUES = [
    # datetime and zoneinfo
    ("date", "datetime.date(2024, 2, 29)"),
    ("date.min", "datetime.date.min"),
    ("date.max", "datetime.date.max"),
    ("datetime", "datetime.datetime(2011, 11, 30, 23, 59, 58, 123456)"),
    ("datetime.ascii", "datetime.datetime(1, 1, 1, 1, 1, 1, 65793)"),
    ("datetime.min", "datetime.datetime.min"),
    ("datetime.max", "datetime.datetime.max"),
    ("datetime.fold", "datetime.datetime(2023, 10, 29, 2, 30, fold=1)"),
    ("datetime.utc", "datetime.datetime(2023, 10, 29, 2, 30, tzinfo=datetime.timezone.utc)"),
    ("datetime.offset", "datetime.datetime(2023, 1, 2, 3, tzinfo=datetime.timezone(datetime.timedelta(minutes=-90)))"),
    ("datetime.zone", "datetime.datetime(2023, 1, 2, 3, tzinfo=zoneinfo.ZoneInfo('Europe/Paris'))"),
    ("time", "datetime.time(23, 59, 58, 999999)"),
    ("time.midnight", "datetime.time()"),
    ("time.fold", "datetime.time(1, 2, 3, fold=1)"),
    ("time.utc", "datetime.time(1, 2, 3, tzinfo=datetime.timezone.utc)"),
    ("timedelta", "datetime.timedelta(-5, 86399, 999999)"),
    ("timedelta.zero", "datetime.timedelta()"),
    ("timedelta.max", "datetime.timedelta.max"),
    ("timedelta.min", "datetime.timedelta.min"),
    ("timezone.utc", "datetime.timezone.utc"),
    ("timezone.named", "datetime.timezone(datetime.timedelta(hours=5, minutes=30), 'IST')"),
    ("timezone.min", "datetime.timezone.min"),
    ("timezone.seconds", "datetime.timezone(datetime.timedelta(seconds=1234))"),
    ("tzinfo", "datetime.tzinfo()"),
    ("tzinfo.class", "datetime.tzinfo"),
    ("date.classes", "[datetime.date, datetime.datetime, datetime.time, datetime.timedelta]"),
    ("zoneinfo", "zoneinfo.ZoneInfo('America/Argentina/Buenos_Aires')"),
    ("zoneinfo.utc", "zoneinfo.ZoneInfo('UTC')"),
    ("zoneinfo.sign", "zoneinfo.ZoneInfo('Etc/GMT+5')"),
    ("zoneinfo.nocache", "zoneinfo.ZoneInfo.no_cache('Europe/Paris')"),
    # numbers
    ("decimal", "decimal.Decimal('3.14')"),
    ("decimal.negative", "decimal.Decimal('-0.00')"),
    ("decimal.long", "decimal.Decimal('1234567890' * 10 + '.5')"),
    ("decimal.exponent", "decimal.Decimal('1.5E+300')"),
    ("decimal.small", "decimal.Decimal('1E-6176')"),
    ("decimal.specials", "[decimal.Decimal(x) for x in ('Infinity', '-Infinity')]"),
    ("decimal.nan", "[decimal.Decimal(x) for x in ('NaN', '-NaN', 'NaN123', 'sNaN')]"),
    ("decimal.tuple", "decimal.Decimal('-1.25').as_tuple()"),
    ("decimal.infinity.tuple", "decimal.Decimal('Infinity').as_tuple()"),
    ("decimal.context", "decimal.Context(prec=9, rounding=decimal.ROUND_HALF_DOWN)"),
    ("decimal.context.default", "decimal.DefaultContext.copy()"),
    ("decimal.context.traps", "decimal.Context(traps=[decimal.DivisionByZero], flags=[decimal.Inexact])"),
    ("fraction", "fractions.Fraction(-22, 7)"),
    ("fraction.whole", "fractions.Fraction(5)"),
    ("fraction.float", "fractions.Fraction(1e-300)"),
    ("numbers.classes", "[numbers.Number, numbers.Complex, numbers.Real, numbers.Rational, numbers.Integral]"),
    ("random.gauss", "(lambda r: (r.gauss(0, 1), r)[1])(random.Random(7))"),
    ("statistics.normal", "statistics.NormalDist(1.5, 2.25)"),
    ("statistics.regression", "statistics.LinearRegression(1.5, 2.5)"),
    ("uuid", "uuid.UUID('12345678-1234-5678-1234-567812345678')"),
    ("uuid.max", "uuid.UUID(int=2 ** 128 - 1)"),
    ("uuid.zero", "uuid.UUID(int=0)"),
    ("uuid.safe", "uuid.UUID(int=1, is_safe=uuid.SafeUUID.safe)"),
    ("uuid.SafeUUID", "list(uuid.SafeUUID)"),
    ("ipaddress.v4", "ipaddress.IPv4Address('192.0.2.1')"),
    ("ipaddress.v6", "ipaddress.IPv6Address('2001:db8::1')"),
    ("ipaddress.v6.scope", "ipaddress.IPv6Address('fe80::1%eth0')"),
    ("ipaddress.v4.network", "ipaddress.IPv4Network('192.0.2.0/24')"),
    ("ipaddress.v6.network", "ipaddress.IPv6Network('2001:db8::/32')"),
    ("ipaddress.v4.interface", "ipaddress.IPv4Interface('192.0.2.5/24')"),
    ("ipaddress.v6.interface", "ipaddress.IPv6Interface('2001:db8::5/64')"),
    ("ipaddress.bounds", (
        "[ipaddress.ip_address(0), ipaddress.ip_address(2 ** 32 - 1),"
        " ipaddress.ip_address(2 ** 128 - 1), ipaddress.ip_network('0.0.0.0/0'), ipaddress.ip_network('::/0')]"
    )),
    # containers
    ("ordereddict", "collections.OrderedDict([('b', 1), ('a', [2])])"),
    ("ordereddict.empty", "collections.OrderedDict()"),
    ("ordereddict.numbers", "collections.OrderedDict((i, str(i)) for i in range(5))"),
    ("counter", "collections.Counter('abracadabra')"),
    ("counter.empty", "collections.Counter()"),
    ("deque", "collections.deque([1, 'a', None])"),
    ("deque.empty", "collections.deque()"),
    ("deque.one", "collections.deque([1])"),
    ("deque.maxlen", "collections.deque([1, 2, 3], 3)"),
    ("deque.maxlen.empty", "collections.deque([], 10)"),
    ("defaultdict.list", "collections.defaultdict(list, a=[1])"),
    ("defaultdict.int", "collections.defaultdict(int, a=1, b=2)"),
    ("defaultdict.none", "collections.defaultdict(None, a=1)"),
    ("defaultdict.kinds", (
        "[collections.defaultdict(k, x=k()) for k in"
        " (dict, set, str, float, tuple, bool, bytes, complex, frozenset, object)[:9]]"
    )),
    ("defaultdict.nested", (
        "collections.defaultdict(collections.OrderedDict,"
        " a=collections.OrderedDict(b=collections.Counter('xx')))"
    )),
    ("defaultdict.deque", "collections.defaultdict(collections.deque, a=collections.deque([1]))"),
    ("defaultdict.counter", "collections.defaultdict(collections.Counter, a=collections.Counter('ab'))"),
    ("chainmap", "collections.ChainMap({'a': 1}, collections.OrderedDict(b=2))"),
    ("userdict", "collections.UserDict(a=1)"),
    ("userlist", "collections.UserList([1, 2])"),
    ("userstring", "collections.UserString('text')"),
    ("py2.userdict", "UserDict.UserDict(a=1)"),
    ("py2.iterableuserdict", "UserDict.IterableUserDict(a=1)"),
    ("py2.userlist", "UserList.UserList([1, 2])"),
    ("py2.userstring", "UserString.UserString('text')"),
    ("collections.classes", (
        "[collections.OrderedDict, collections.Counter, collections.deque,"
        " collections.defaultdict]"
    )),
    ("collections.abc.classes", (
        "[getattr(collections.abc, n) for n in ('Mapping', 'MutableMapping', 'Sequence',"
        " 'MutableSequence', 'Set', 'MutableSet', 'Iterable', 'Iterator', 'Callable', 'Hashable', 'Sized')]"
    )),
    ("namespace", "types.SimpleNamespace(a=1, b=[2], _c=types.SimpleNamespace())"),
    ("argparse.namespace", "argparse.Namespace(lr=0.1, layers=[1, 2], name=None, _private=True)"),
    ("optparse.values", "optparse.Values({'verbose': True, 'level': 3})"),
    ("array.ints", "[array.array(c, [0, 1, 100]) for c in 'bBhHiIlL']"),
    ("array.long", "[array.array(c, [0, 1, 2 ** 62]) for c in 'qQ']"),
    ("array.floats", "[array.array(c, [0.0, -1.5, 1e10]) for c in 'fd']"),
    ("array.empty", "array.array('d')"),
    ("array.text", "array.array('u', b'a\\xe9'.decode('latin-1'))"),
    ("array.text4", "array.array('w', b'a\\xe9'.decode('latin-1'))"),
    ("array.class", "array.array"),
    ("bytesio", "(lambda b: (b.write(b'abc'), b)[1])(io.BytesIO())"),
    ("stringio", "(lambda s: (s.write(b'abc'.decode('ascii')), s)[1])(io.StringIO())"),
    ("graphlib", "graphlib.TopologicalSorter({'a': ['b'], 'b': ['c']})"),
    # text
    ("re", "re.compile('a+(b)?')"),
    ("re.flags", "re.compile('a.b # c', re.I | re.S | re.X)"),
    ("re.ascii", "re.compile('a', re.A)"),
    ("re.bytes", "re.compile(b'[\\x80-\\xff]+')"),
    ("re.unicode", "re.compile(b'[\\xe0-\\xff]'.decode('latin-1'), re.U)"),
    ("re.methods", "[re.compile('a+').match, re.compile('b+').sub, re.compile('c').findall, re.compile('d').search]"),
    ("re.classes", "[re.Pattern, re.Match]"),
    ("re.error", "re.error('bad')"),
    ("re.error.position", "re.error('bad', 'a(b', 1)"),
    ("re.RegexFlag", "[re.RegexFlag(2), re.RegexFlag(10), re.RegexFlag(0), re.I | re.M | re.S]"),
    ("template", "string.Template('$who likes ${what}')"),
    ("formatter", "string.Formatter()"),
    ("textwrap", "textwrap.TextWrapper(width=40)"),
    ("textwrap.full", "textwrap.TextWrapper(width=40, max_lines=2, placeholder='...', tabsize=4)"),
    ("difflib.match", "difflib.Match(1, 2, 3)"),
    ("difflib.blocks", "difflib.SequenceMatcher(None, 'abcd', 'bcde').get_matching_blocks()"),
    ("difflib.matcher", "difflib.SequenceMatcher(None, 'abcd', 'bcde')"),
    ("difflib.matcher.used", "(lambda m: (m.get_opcodes(), m)[1])(difflib.SequenceMatcher(None, 'ab', 'bc'))"),
    ("tokens", "list(tokenize.generate_tokens(iter(['a = 1\\n']).__next__))"),
    ("csv.dialects", "[csv.excel(), csv.excel_tab()]"),
    ("csv.dialect.classes", "[csv.excel, csv.excel_tab, csv.Dialect]"),
    # time
    ("struct_time", "time.gmtime(0)"),
    ("struct_time.plain", "time.struct_time((2024, 2, 29, 1, 2, 3, 3, 60, -1))"),
    ("struct_time.strptime", "time.strptime('2020', '%Y')"),
    ("calendar", "[calendar.Calendar(6), calendar.TextCalendar(), calendar.HTMLCalendar(2)]"),
    ("calendar.enums", "[calendar.Day.MONDAY, calendar.Month.MAY]"),
    # network values
    ("http.status", "[http.HTTPStatus.OK, http.HTTPStatus.NOT_FOUND]"),
    ("http.method", "list(http.HTTPMethod)"),
    ("cookies", "(lambda c: (c.load('a=1; b=\"two\"; Path=/'), c)[1])(http.cookies.SimpleCookie())"),
    ("cookies.attributes", (
        "(lambda c: (c.__setitem__('k', 'v'), c['k'].__setitem__('max-age', 3), c)[2])("
        "http.cookies.SimpleCookie())"
    )),
    ("cookies.base", "http.cookies.BaseCookie('a=1')"),
    ("morsel", "http.cookies.Morsel()"),
    ("py2.cookies", "(lambda c: (c.load('a=1; b=\"two\"; Path=/'), c)[1])(Cookie.SimpleCookie())"),
    ("py2.morsel", "Cookie.Morsel()"),
    ("cookiejar.cookie", (
        "http.cookiejar.Cookie(0, 'n', 'v', None, False, 'h.example', True, False, '/', True, False,"
        " 2000000000, False, None, None, {'HttpOnly': None})"
    )),
    ("py2.cookiejar.cookie", (
        "cookielib.Cookie(0, 'n', 'v', None, False, 'h.example', True, False, '/', True, False,"
        " 2000000000, False, None, None, {'HttpOnly': None})"
    )),
    ("cookiejar.policy", "http.cookiejar.DefaultCookiePolicy()"),
    ("urlsplit", "urllib.parse.urlsplit('https://u:p@h.example:8080/p?q=1#f')"),
    ("urlparse", "urllib.parse.urlparse('https://h.example/p;x?q=1#f')"),
    ("urldefrag", "urllib.parse.urldefrag('https://h.example/p#f')"),
    ("urlsplit.bytes", "urllib.parse.urlsplit(b'https://h.example/p?q=1#f')"),
    ("urlparse.bytes", "urllib.parse.urlparse(b'https://h.example/p;x?q=1#f')"),
    ("urldefrag.bytes", "urllib.parse.urldefrag(b'https://h.example/p#f')"),
    ("py2.urlsplit", "urlparse.urlsplit('https://u:p@h.example:8080/p?q=1#f')"),
    ("py2.urlparse", "urlparse.urlparse('https://h.example/p;x?q=1#f')"),
    ("message", "email.message_from_string('To: a@b.example\\nSubject: s\\n\\nbody\\n')"),
    ("message.empty", "email.message.Message()"),
    ("message.text", "email.mime.text.MIMEText('body')"),
    ("message.utf8", "email.mime.text.MIMEText(b'caf\\xc3\\xa9'.decode('utf-8'), 'plain', 'utf-8')"),
    ("message.multipart", (
        "(lambda m: (m.attach(email.mime.text.MIMEText('x')), m)[1])("
        "email.mime.multipart.MIMEMultipart(boundary='b'))"
    )),
    ("message.parsed", "email.message_from_string('Content-Type: multipart/mixed; boundary=b\\n\\n--b\\n\\n--b--\\n')"),
    ("message.defects", "email.message_from_string('Content-Type: multipart/mixed\\n\\nx')"),
    ("message.application", "email.mime.application.MIMEApplication(b'data', Name='n')"),
    ("message.base", "email.mime.base.MIMEBase('a', 'b')"),
    ("message.rfc822", "email.mime.message.MIMEMessage(email.message.Message())"),
    ("message.header", (
        "(lambda m: (m.__setitem__('Subject', email.header.Header('s', 'utf-8')), m)[1])("
        "email.message.Message())"
    )),
    ("emailmessage.empty", "email.message.EmailMessage()"),
    ("emailmessage", "email.message_from_string('Subject: s\\n\\nbody\\n', policy=email.policy.default)"),
    ("email.header", "email.header.Header(b'caf\\xe9'.decode('latin-1'), 'iso-8859-1')"),
    ("email.charset", "email.charset.Charset('utf-8')"),
    ("email.address", "email.headerregistry.Address('A B', 'a', 'b.example')"),
    ("email.group", "email.headerregistry.Group('g', (email.headerregistry.Address('A', 'a', 'b.example'),))"),
    ("email.policies", "[email.policy.compat32, email.policy.compat32.clone(linesep='\\r\\n')]"),
    ("email.policy.default", "[email.policy.default, email.policy.SMTP]"),
    ("mailbox.message", "mailbox.mboxMessage()"),
    ("mailbox.maildir", "mailbox.MaildirMessage()"),
    ("log.record", "logging.LogRecord('app.db', 30, '/x/y.py', 11, 'hello %s', ('w',), None, 'f')"),
    ("log.record.dict", "logging.makeLogRecord({'name': 'n', 'msg': 'm', 'args': {'a': 1}, 'levelno': 10})"),
    ("log.record.extra", (
        "logging.makeLogRecord({'name': 'n', 'msg': 'm', 'request_id': 'r', 'message': 'm',"
        " 'asctime': 't'})"
    )),
    ("xmlrpc", "[xmlrpc.client.DateTime('20240229T00:00:00'), xmlrpc.client.Binary(b'abc')]"),
    ("py2.xmlrpc", "[xmlrpclib.DateTime('20240229T00:00:00'), xmlrpclib.Binary('abc')]"),
    ("plistlib.uid", "plistlib.UID(7)"),
    ("socket.enums", "[socket.AF_INET, socket.SOCK_STREAM, socket.AI_PASSIVE, socket.MSG_PEEK]"),
    ("socket.addrinfo", "[(socket.AF_INET, socket.SOCK_STREAM, 6, '', ('192.0.2.1', 80))]"),
    ("ssl.enums", (
        "[ssl.CERT_REQUIRED, ssl.PROTOCOL_TLS, ssl.OP_NO_TICKET, ssl.VERIFY_X509_STRICT, ssl.TLSVersion.TLSv1_2,"
        " ssl.SSLErrorNumber.SSL_ERROR_SSL, ssl.AlertDescription.ALERT_DESCRIPTION_CLOSE_NOTIFY]"
    )),
    ("signal.enums", "[signal.SIGINT, signal.SIG_DFL, signal.SIG_BLOCK]"),
    # files and processes, as values
    ("pathlib.pure", "[pathlib.PurePosixPath('/a/b'), pathlib.PureWindowsPath('c:/a/b'), pathlib.PurePosixPath()]"),
    ("pathlib.path", "[pathlib.Path('a', 'b.txt'), pathlib.PosixPath('/'), pathlib.Path('.')]"),
    ("pathlib.classes", "[pathlib.Path, pathlib.PurePath, pathlib.PosixPath]"),
    ("os.stat", "os.stat_result(range(10))"),
    ("os.stat.full", "os.stat(os.devnull).__class__(tuple(range(13)) + (0.5, 0.5, 0.5))"),
    ("os.terminal_size", "os.terminal_size((80, 24))"),
    ("os.uname", "os.uname_result(('Linux', 'h', 'r', 'v', 'm'))"),
    ("os.times", "os.times_result((0.1, 0.2, 0.3, 0.4, 0.5))"),
    ("os.statvfs", "os.statvfs_result(range(10))"),
    ("pwd", "pwd.struct_passwd(('u', 'x', 1, 1, 'U', '/u', '/bin/sh'))"),
    ("grp", "grp.struct_group(('g', 'x', 1, ['u']))"),
    ("resource", "resource.struct_rusage((0.1, 0.2) + tuple(range(14)))"),
    ("tarinfo", "tarfile.TarInfo('a/b')"),
    ("zipinfo", "zipfile.ZipInfo('a/b', (2024, 2, 29, 0, 0, 0))"),
    ("completed", "subprocess.CompletedProcess(['true'], 0, b'out', None)"),
    ("wave.params", "wave._wave_params(1, 2, 3, 4, 'NONE', 'not compressed')"),
    # programs, as values
    ("traceback.frame", "traceback.FrameSummary('f.py', 3, 'f', line='x = 1', lookup_line=False)"),
    ("traceback.stack", "traceback.StackSummary.from_list([('f.py', 3, 'f', 'x = 1')])"),
    ("traceback.exception", "traceback.TracebackException(ValueError, ValueError('v'), None)"),
    ("inspect.signature", (
        "inspect.signature(lambda a, b=1, *c, d=None, **e: None)"
        ".replace(return_annotation=int)"
    )),
    ("inspect.parameter", "inspect.Parameter('a', inspect.Parameter.KEYWORD_ONLY, default=3, annotation=int)"),
    ("inspect.argspec", "inspect.FullArgSpec(['a'], None, None, (1,), [], None, {})"),
    ("dis", "list(dis.get_instructions(compile('a + 1', 'f', 'eval')))[:6]"),
    ("ast.module", "ast.parse('def f(a, *b, c=1):\\n    return [a, -c]\\n')"),
    ("ast.expression", "ast.parse('{x: y for x in a.b[1:2] if not c}', mode='eval')"),
    ("ast.classes", "ast.parse('class C(B):\\n    x = \"s\"\\n    y = 1.5\\n')"),
    ("ast.statements", "ast.parse('try:\\n    import a\\nexcept E as e:\\n    raise\\nfor i in r:\\n    break\\n')"),
    ("doctest", "[doctest.TestResults(1, 2), doctest.Example('1 + 1', '2')]"),
    ("warning.message", "warnings.WarningMessage('m', UserWarning, 'f.py', 3)"),
    ("pstats", "list(pstats.SortKey)"),
    ("enum.classes", "[enum.Enum, enum.IntEnum, enum.Flag, enum.IntFlag]"),
    ("enum.boundary", "[enum.FlagBoundary.STRICT, enum.EnumCheck.UNIQUE]"),
    ("plistlib.formats", "list(plistlib.PlistFormat)"),
    ("py_compile.modes", "list(py_compile.PycInvalidationMode)"),
    ("inspect.kinds", "list(inspect._ParameterKind)"),
    # types and functions by reference
    ("types", "[bool, bytes, bytearray, complex, dict, float, frozenset, int, list, object, set, str, tuple, type]"),
    ("types.more", "[classmethod, enumerate, memoryview, property, range, reversed, staticmethod, super, zip]"),
    ("types.none", "[type(None), type(Ellipsis), type(NotImplemented)]"),
    ("functions", (
        "[abs, all, any, bin, callable, chr, divmod, hash, hex, id, isinstance, issubclass, iter, len, max,"
        " min, oct, ord, pow, repr, round, sorted, sum]"
    )),
    ("methods.text", "['text'.upper, 'text'.lower, ' '.join, 'a b'.split, 'x'.strip, 'x'.startswith]"),
    ("methods.unbound", "[str.upper, str.lower, str.split, str.strip]"),
    ("methods.containers", "[[1].append, {}.get, {1: 2}.keys]"),
    ("generic.alias", "[list[int], dict[str, int], tuple[int, ...]]"),
    ("typing.names", (
        "[typing.Any, typing.List, typing.Dict, typing.Optional, typing.Union, typing.Tuple,"
        " typing.Callable, typing.Generic, typing.Set, typing.ClassVar]"
    )),
    ("typing.generics", "[typing.List[int], typing.Dict[str, int], typing.Optional[int], typing.Union[int, str]]"),
    ("typing.literal", "[typing.Literal['a'], typing.Literal[1, None]]"),
    ("weakref.type", "weakref.ref"),
    ("object", "object()"),
    ("functions.library", (
        "[base64.b64encode, binascii.hexlify, bisect.bisect_left, copy.deepcopy, datetime.datetime.now, "
        "fnmatch.fnmatch, heapq.heappush, html.escape, math.sqrt, ntpath.join, operator.add, posixpath.join, "
        "statistics.mean, string.capwords, textwrap.dedent, time.time, unicodedata.normalize, "
        "urllib.parse.quote, uuid.uuid4, zlib.compress]"
    )),
    # what names things that import, call or run: the policy leaves it out
    ("out.partial", "functools.partial(int, base=2)"),
    ("out.getters", "[operator.itemgetter(1), operator.attrgetter('a.b'), operator.methodcaller('upper')]"),
    ("out.iterators", "[iter([1, 2]), reversed([1, 2])]"),
    ("out.itertools", "[itertools.count(3), itertools.repeat(1, 2), itertools.chain([1], [2])]"),
    ("out.map", "[map, filter]"),
    ("out.union", "int | str"),
    ("out.configparser", "configparser.ConfigParser()"),
    ("out.entrypoint", "importlib.metadata.EntryPoint('a', 'b:c', 'g')"),
    ("out.codec", "codecs.lookup('utf-8')"),
    ("out.mock", "unittest.mock.call(1, a=2)"),
    ("out.email.headers", "(lambda m: (m.__setitem__('Subject', 's'), m)[1])(email.message.EmailMessage())"),
    ("out.log.logger", "[logging.getLogger('app.db'), logging.getLogger()]"),
    ("out.log.formatter", "logging.Formatter('%(message)s')"),
    ("out.log.filter", "logging.Filter('app')"),
    ("out.callitem", "concurrent.futures.process._CallItem(1, pow, (2, 3), {})"),
    ("out.functions", "[eval, getattr, open, __import__]"),
    # documents
    ("etree", "xml.etree.ElementTree.fromstring('<a x=\"1\"><b>t</b>u</a>')"),
    ("etree.tree", "xml.etree.ElementTree.ElementTree(xml.etree.ElementTree.fromstring('<a/>'))"),
    ("etree.qname", "xml.etree.ElementTree.QName('u', 't')"),
    ("minidom", "xml.dom.minidom.parseString('<a x=\"1\">t<b/><!-- c --><?p i?><![CDATA[d]]></a>')"),
    ("minidom.doctype", "xml.dom.minidom.parseString('<!DOCTYPE a SYSTEM \"x.dtd\"><a/>')"),
    ("minidom.loose", (
        "[xml.dom.minidom.Document(), xml.dom.minidom.Element('a'), xml.dom.minidom.Attr('a'),"
        " xml.dom.minidom.Text(), xml.dom.minidom.ProcessingInstruction('t', 'd')]"
    )),
    ("minidom.fragment", "xml.dom.minidom.DocumentFragment()"),
    ("json.encoder", "json.JSONEncoder(indent=2)"),
    # exceptions with arguments and state of their own
    ("errors.text", "ValueError('bad', 3, None)"),
    ("errors.nested", "RuntimeError('a', KeyError('k'))"),
    ("errors.os", "[OSError(2, 'No such file', '/x'), OSError(13, 'denied'), OSError('only text'), OSError()]"),
    ("errors.os.two", "OSError(18, 'cross', '/a', None, '/b')"),
    ("errors.blocking", "BlockingIOError(11, 'again', 3)"),
    ("errors.unicode.decode", "UnicodeDecodeError('utf-8', b'\\xff', 0, 1, 'invalid start byte')"),
    ("errors.unicode.encode", "UnicodeEncodeError('ascii', b'\\xe9'.decode('latin-1'), 0, 1, 'ordinal')"),
    ("errors.unicode.translate", "UnicodeTranslateError(b'\\xe9'.decode('latin-1'), 0, 1, 'x')"),
    ("errors.syntax", "SyntaxError('bad', ('f.py', 1, 2, 'x ='))"),
    ("errors.syntax.end", "SyntaxError('bad', ('f.py', 1, 2, 'x =', 1, 3))"),
    ("errors.import", "ImportError('no', name='m', path='/p')"),
    ("errors.module", "ModuleNotFoundError('no', name='m')"),
    ("errors.attribute", "AttributeError('no', name='n', obj=None)"),
    ("errors.name", "NameError('no', name='n')"),
    ("errors.key", "KeyError(('k', 1))"),
    ("errors.exit", "[SystemExit(3), SystemExit('text'), KeyboardInterrupt()]"),
    ("errors.stop", "StopIteration(3)"),
    ("errors.group", "ExceptionGroup('g', [ValueError('v'), TypeError('t')])"),
    ("errors.group.base", "BaseExceptionGroup('g', [KeyboardInterrupt(), ExceptionGroup('h', [OSError(1, 'e')])])"),
    ("errors.notes", "(lambda e: (e.add_note('n'), e)[1])(ValueError('v'))"),
    ("errors.attributes", "(lambda e: (setattr(e, 'code', 7), setattr(e, 'detail_', 'd'), e)[2])(ValueError('v'))"),
    ("errors.json", "json.JSONDecodeError('m', 'doc', 1)"),
    ("errors.called", "[subprocess.CalledProcessError(1, ['ls'], b'o'), subprocess.TimeoutExpired('ls', 5)]"),
    ("errors.asyncio", (
        "[asyncio.CancelledError(), asyncio.TimeoutError('t'), asyncio.InvalidStateError('s'),"
        " asyncio.QueueEmpty(), asyncio.QueueFull()]"
    )),
    ("errors.asyncio.read", "[asyncio.IncompleteReadError(b'a', 5), asyncio.LimitOverrunError('m', 3)]"),
    ("errors.futures", (
        "[concurrent.futures.CancelledError('c'), concurrent.futures.TimeoutError('t'),"
        " concurrent.futures.process.BrokenProcessPool('b')]"
    )),
    ("errors.socket", "[socket.timeout('t'), socket.gaierror(1, 'g'), socket.herror(1, 'h')]"),
    ("errors.ssl", "[ssl.SSLError(1, 's'), ssl.SSLEOFError(8, 'e'), ssl.SSLWantReadError(2, 'w')]"),
    ("errors.config", "[configparser.NoSectionError('s'), configparser.NoOptionError('o', 's')]"),
    ("errors.py2.config", "[ConfigParser.NoSectionError('s'), ConfigParser.NoOptionError('o', 's')]"),
    ("errors.url", "urllib.error.URLError('u')"),
    ("errors.py2.url", "urllib2.URLError('u')"),
    ("errors.http", "[http.client.BadStatusLine('x'), http.client.IncompleteRead(b'x', 3), http.client.InvalidURL()]"),
    ("errors.http.line", "http.client.InvalidURL('x')"),
    ("errors.xml", "xml.etree.ElementTree.ParseError('p')"),
    ("errors.sax", "xml.sax.SAXException('s')"),
    ("errors.calendar", "calendar.IllegalMonthError(13)"),
    ("errors.zoneinfo", "zoneinfo.ZoneInfoNotFoundError('No time zone found with key X')"),
    ("errors.argparse", "[argparse.ArgumentError(None, 'm'), argparse.ArgumentTypeError('t')]"),
    ("errors.optparse", "optparse.OptionValueError('v')"),
    ("errors.getopt", "getopt.GetoptError('m', 'o')"),
    ("errors.graph", "graphlib.CycleError('cycle', ['a', 'b', 'a'])"),
    ("errors.smtp", "[smtplib.SMTPException('s'), smtplib.SMTPServerDisconnected('d')]"),
    ("errors.smtp.response", "[smtplib.SMTPResponseException(550, b'no'), smtplib.SMTPDataError(550, b'no')]"),
    ("errors.futures.remote", "concurrent.futures.process._RemoteTraceback('tb')"),
]  # fmt: skip

#: Exceptions that are made with one text argument, or with none.
PLAIN_EXCEPTIONS = """
BaseException Exception ArithmeticError AssertionError AttributeError BlockingIOError BrokenPipeError BufferError
BytesWarning ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError
DeprecationWarning EOFError EncodingWarning EnvironmentError FileExistsError FileNotFoundError FloatingPointError
FutureWarning GeneratorExit IOError ImportError ImportWarning IndentationError IndexError InterruptedError
IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError
NotImplementedError OSError OverflowError PendingDeprecationWarning PermissionError ProcessLookupError
PythonFinalizationError RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning StandardError
StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError TypeError
UnboundLocalError UnicodeError UnicodeWarning UserWarning ValueError Warning ZeroDivisionError
argparse.ArgumentTypeError asyncio.BrokenBarrierError asyncio.SendfileNotAvailableError binascii.Error
binascii.Incomplete concurrent.futures.BrokenExecutor concurrent.futures.InvalidStateError
configparser.Error ConfigParser.Error Cookie.CookieError http.cookies.CookieError copy.Error csv.Error
dataclasses.FrozenInstanceError decimal.Clamped decimal.DecimalException decimal.DivisionByZero decimal.FloatOperation
decimal.Inexact decimal.InvalidOperation decimal.Overflow decimal.Rounded decimal.Subnormal decimal.Underflow
email.errors.BoundaryError email.errors.CharsetError email.errors.HeaderParseError email.errors.MessageDefect
email.errors.MessageError email.errors.MessageParseError email.errors.MultipartConversionError
email.errors.MissingHeaderBodySeparatorDefect http.client.CannotSendRequest http.client.HTTPException
http.client.ImproperConnectionState http.client.NotConnected http.client.RemoteDisconnected
http.client.ResponseNotReady httplib.HTTPException httplib.NotConnected http.cookiejar.LoadError inspect.EndOfBlock
io.UnsupportedOperation ipaddress.AddressValueError ipaddress.NetmaskValueError locale.Error lzma.LZMAError
mailbox.Error multiprocessing.AuthenticationError multiprocessing.BufferTooShort multiprocessing.ProcessError
multiprocessing.TimeoutError pickle.PickleError pickle.PicklingError pickle.UnpicklingError poplib.error_proto
plistlib.InvalidFileException queue.Empty queue.Full queue.ShutDown Queue.Empty Queue.Full select.error shutil.Error
shutil.ExecError shutil.ReadError shutil.RegistryError shutil.SameFileError shutil.SpecialFileError signal.ItimerError
smtplib.SMTPException smtplib.SMTPNotSupportedError smtplib.SMTPServerDisconnected socket.error socket.gaierror
socket.herror socket.timeout sqlite3.DataError sqlite3.DatabaseError sqlite3.Error sqlite3.IntegrityError
sqlite3.InterfaceError sqlite3.InternalError sqlite3.NotSupportedError sqlite3.OperationalError
sqlite3.ProgrammingError sqlite3.Warning ssl.CertificateError ssl.SSLError ssl.SSLEOFError ssl.SSLSyscallError
ssl.SSLWantReadError ssl.SSLWantWriteError ssl.SSLZeroReturnError ssl.SSLCertVerificationError
statistics.StatisticsError struct.error subprocess.SubprocessError tarfile.CompressionError tarfile.ExtractError
tarfile.HeaderError tarfile.ReadError tarfile.StreamError tarfile.TarError threading.BrokenBarrierError
tokenize.TokenError tomllib.TOMLDecodeError unittest.SkipTest wave.Error xml.dom.HierarchyRequestErr
xml.dom.NotFoundErr xml.dom.SyntaxErr xml.etree.ElementTree.ParseError xml.parsers.expat.ExpatError
xmlrpc.client.Error xmlrpclib.Error zipfile.BadZipFile zipfile.BadZipfile zipfile.LargeZipFile zlib.error
zoneinfo.ZoneInfoNotFoundError
""".split()

#: What --spare writes at protocol 2 only: the alike, the long, and what is refused by its name alone.
ONCE = ("ast.classes", "ast.statements", "dis", "error:", "log.record.dict", "mailbox", "out.", "random", "tokens")

TABLE = VALUES + [("error:" + name, name + "('msg')") for name in PLAIN_EXCEPTIONS]


def namespace():
    """The names that the expressions may use: every module of `MODULES` that this Python has."""
    names = {}
    for dotted in MODULES + ["dataclasses", "pickle"]:
        try:
            __import__(dotted)
        except ImportError:
            continue
        top = dotted.split(".")[0]
        names[top] = sys.modules[top]
    return names


def pickled(value, protocol):
    """The pickle of `value`, by the C pickler, or by the pure one where the C pickler cannot."""
    try:
        return fast_pickle.dumps(value, protocol)
    except Exception:  # noqa: BLE001  # the pure one says what it thinks of it
        return pickle.dumps(value, protocol)


def printed(value):
    """What this Python prints for `value`; some half-filled values (a ZipInfo before 3.9) cannot be printed."""
    try:
        return repr(value)
    except AttributeError:
        return ""


def row(name, expression, names, protocols):
    """The row of one value, or None where this Python cannot make it or pickle it at any of the protocols."""
    pickles = {}
    text = ""
    for protocol in protocols:
        try:
            value = eval(expression, dict(names))  # a fresh value: nothing is shared between pickles
            data = pickled(value, protocol)
        except Exception:  # noqa: BLE001  # not a value of this Python, or none that it can pickle
            continue
        text = printed(value)
        pickles[str(protocol)] = base64.b64encode(data).decode("ascii")
    return {"name": name, "repr": text, "pickles": pickles} if pickles else None


def write(folder, written):
    """Writes FOLDER/<version>/zoo.jsonl."""
    folder = os.path.join(folder, ".".join(map(str, sys.version_info[:3])))
    if not os.path.isdir(folder):
        os.makedirs(folder)
    save(os.path.join(folder, "zoo.jsonl"), written)
    return folder


def save(path, written):
    """Writes rows, one a line."""
    with open(path, "w") as file:
        file.writelines(json.dumps(one, sort_keys=True) + "\n" for one in written)


def merge(folder):
    """Drops from each version's file the pickles that an older version wrote too, byte for byte."""
    versions = sorted(os.listdir(folder), key=lambda version: [int(part) for part in version.split(".")])
    seen = set()
    for version in versions:
        path = os.path.join(folder, version, "zoo.jsonl")
        kept = []
        with open(path) as file:
            for one in map(json.loads, file):
                fresh = [(number, data) for number, data in one["pickles"].items() if (one["name"], data) not in seen]
                seen.update((one["name"], data) for _, data in fresh)
                if fresh:
                    kept.append(dict(one, pickles=dict(fresh)))
        save(path, kept)


def protocols_of(name, is_spare):
    """At which protocols to write a value."""
    highest = pickle.HIGHEST_PROTOCOL
    if not is_spare:
        return range(highest + 1)
    return (2,) if name.startswith(ONCE) else tuple(sorted({0, 2, min(4, highest)}))


def main(arguments):
    """Runs the script."""
    warnings.simplefilter("ignore")
    folder = arguments[-1]
    if "--merge" in arguments:
        merge(folder)
        return
    names = namespace()
    found = [(name, row(name, text, names, protocols_of(name, "--spare" in arguments))) for name, text in TABLE]
    print(write(folder, [one for _, one in found if one]), "without", " ".join(name for name, one in found if not one))


if __name__ == "__main__":
    main(sys.argv[1:])
