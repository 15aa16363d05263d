"""The zoo of Django, see tests/packs.

Models are the application's own: what they are listed with is shown in policies/README.md, and tested there.
"""

import os

try:
    from django.conf import settings
except ImportError:
    pass  # what reads the names below needs no Django
else:
    if not settings.configured:
        settings.configure(
            SECRET_KEY="a", USE_TZ=True, TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
        )
#: Of the process that walks through the modules.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django.conf.global_settings")

PACK = "django"
IMPORTS = (
    "django django.http django.http.cookie django.template.response django.utils.safestring django.core.exceptions "
    "django.utils.datastructures django.utils.timezone django.utils.functional django.utils.translation "
    "django.core.files.uploadedfile django.core.files.base django.contrib.messages.storage.base django.forms "
    "django.forms.utils django.core.validators django.core.paginator django.urls django.db django.db.models "
    "django.db.models.query django.db.models.base django.utils.tree django.db.utils django.utils.version "
    "django.core.signing django.http.request django.contrib.sessions.backends.cache django.middleware.csrf "
    "django.utils.html django.core.mail django.template datetime decimal uuid"
)
SKIPPED = (
    # what an application is made of: settings, models and their parts, forms, templates, views, routes, commands
    "django.conf", "django.contrib.admin", "django.contrib.admindocs", "django.contrib.auth",
    "django.contrib.contenttypes", "django.contrib.flatpages", "django.contrib.gis", "django.contrib.humanize",
    "django.contrib.messages.storage.cookie", "django.contrib.messages.views", "django.contrib.postgres",
    "django.contrib.redirects", "django.contrib.sessions", "django.contrib.sitemaps", "django.contrib.sites",
    "django.contrib.staticfiles", "django.contrib.syndication", "django.contrib.messages.test", "django.core.cache",
    "django.core.checks", "django.core.files.storage", "django.core.files.uploadhandler", "django.core.files.utils",
    "django.core.handlers", "django.core.mail.backends", "django.core.mail.utils", "django.core.management",
    "django.core.serializers", "django.db.backends", "django.db.migrations", "django.db.models.aggregates",
    "django.db.models.constraints", "django.db.models.expressions", "django.db.models.fields",
    "django.db.models.functions", "django.db.models.indexes", "django.db.models.lookups", "django.db.models.manager",
    "django.db.models.sql", "django.forms.boundfield", "django.forms.fields", "django.forms.forms",
    "django.forms.formsets", "django.forms.models", "django.forms.renderers", "django.forms.widgets",
    "django.template.backends", "django.template.base", "django.template.context", "django.template.defaulttags",
    "django.template.library", "django.template.loader_tags", "django.template.smartif", "django.template.utils",
    "django.test", "django.urls.converters", "django.urls.resolvers", "django.utils.archive",
    "django.utils.autoreload", "django.utils.choices", "django.utils.dateformat", "django.utils.html",
    "django.utils.log", "django.utils.regex_helper", "django.utils.text", "django.utils.xmlutils", "django.views",
)  # fmt: skip
_TOOL = "a tool, not a value"
_FIELD = "part of the definition of a field or a form"
WITHOUT = {
    "django.core.files.base.File": "it opens the path that it is given, when it is asked to",
    "django.core.paginator.Page": "made again from what there is to show",
    "django.core.paginator.Paginator": "likewise",
    "django.core.files.uploadedfile.UploadedFile": "a base class",
    "django.db.models.utils": _TOOL,
    "django.db.utils.ConnectionRouter": _TOOL,
    "django.utils.deprecation": "warnings for those who write programs",
    "django.core.mail.message.MIMEMixin": "a base class",
    "django.core.mail.message.SafeMIMEMultipart": "a message as it is sent",
    "django.core.signing.JSONSerializer": _TOOL,
    "django.core.validators": _FIELD,
    "re._compile": "part of a validator, with another expression than a stranger may have compiled",
    "django.db.models.base": "part of the definition of a model",
    "django.utils.tree.Node": "a base class",
    "django.db.models.query_utils.RegisterLookupMixin": "a base class",
    "django.forms.utils": "base classes",
    "django.http.request.HttpRequest": "what a server was asked, with what it is asked by",
    "django.http.response.HttpResponseBase": "a base class",
    "django.http.response.FileResponse": "what it would send is not in it",
    "builtins.iter": "part of a response that is sent bit by bit",
    "django.utils.datastructures.DictWrapper": "it calls what it is given",
    "django.utils.encoding": "part of a lazy text, up to 1.11",
    "django.utils.functional.Promise": "a base class",
    "django.utils.functional.classproperty": _TOOL,
    "django.utils.safestring.SafeData": "a base class",
    "django.utils.translation": "part of a lazy text",
    "django.db.models.query.Prefetch": "part of a query",
    "django.http.response.StreamingHttpResponse": "what it would send is not in it",
    "django.utils.functional._lazy_proxy_unpickle": "it calls what it is given",
    "django.utils.functional.unpickle_lazyobject": "it hands out whatever it is given as what it has made",
    "http.cookies.SimpleCookie": "with a set of bad cookies as its state, as Django 1.11 had it with Python 2",
}
KEPT = {
    "django.db.models.fields._load_field": "fields of an application's models",
    "django.utils.timezone.UTC": "up to 1.10",
}

VALUES = [
    ("response", "django.http.HttpResponse(b'a')"),
    (
        "response.text",
        "django.http.HttpResponse(u'a', content_type='text/plain; charset=utf-8', status=404, reason='No')",
    ),
    ("response.headers", "with_headers(django.http.HttpResponse('a'))"),
    ("response.cookies", "with_cookies(django.http.HttpResponse('a'))"),
    ("response.redirect", "django.http.HttpResponseRedirect('/a')"),
    ("response.permanent", "django.http.HttpResponsePermanentRedirect('/a')"),
    ("response.unchanged", "django.http.HttpResponseNotModified()"),
    ("response.bad", "django.http.HttpResponseBadRequest('a')"),
    ("response.missing", "django.http.HttpResponseNotFound('a')"),
    ("response.forbidden", "django.http.HttpResponseForbidden('a')"),
    ("response.method", "django.http.HttpResponseNotAllowed(['GET'])"),
    ("response.gone", "django.http.HttpResponseGone('a')"),
    ("response.error", "django.http.HttpResponseServerError('a')"),
    ("response.json", "django.http.JsonResponse({'a': 1})"),
    ("response.template", "rendered(django.template.response.SimpleTemplateResponse)"),
    ("response.template.request", "rendered(django.template.response.TemplateResponse, django.http.HttpRequest())"),
    ("response.streaming", "django.http.StreamingHttpResponse(iter([b'a']))"),
    ("response.file", "django.http.FileResponse(__import__('io').BytesIO(b'a'))"),
    ("cookie", "django.http.SimpleCookie()"),
    ("cookie.one", "django.http.SimpleCookie('a=b')"),
    ("safe", "django.utils.safestring.mark_safe(u'<b>')"),
    ("safe.bytes", "django.utils.safestring.SafeBytes(b'<b>')"),
    ("safe.format", "django.utils.html.format_html('<b>{}</b>', 'a')"),
    ("lazy", "django.utils.translation.gettext_lazy('a')"),
    ("lazy.text", "django.utils.functional.lazystr('a')"),
    ("lazy.object", "django.utils.functional.SimpleLazyObject(dict)"),
    ("querydict", "django.http.QueryDict('a=1&a=2&b=3', encoding='utf-8')"),
    ("querydict.mutable", "django.http.QueryDict('a=1', mutable=True, encoding='latin-1')"),
    ("querydict.empty", "django.http.QueryDict(encoding='utf-8')"),
    ("multi", "django.utils.datastructures.MultiValueDict({'a': [1, 2], 'b': []})"),
    ("ordered", "django.utils.datastructures.OrderedSet(['a', 'b'])"),
    ("sorted", "django.utils.datastructures.SortedDict([('a', 1)])"),
    ("insensitive", "django.utils.datastructures.CaseInsensitiveMapping({'A': 'b'})"),
    ("immutable", "django.utils.datastructures.ImmutableList([1, 2], warning='a')"),
    ("wrapper", "django.utils.datastructures.DictWrapper({'a': 1}, str, 'b')"),
    ("zone.fixed", "django.utils.timezone.get_fixed_timezone(90)"),
    ("zone.fixed.class", "django.utils.timezone.FixedOffset(90, 'a')"),
    ("zone.utc", "django.utils.timezone.utc"),
    ("zone.utc.class", "django.utils.timezone.UTC()"),
    ("datetime", "datetime.datetime(2020, 1, 1, tzinfo=django.utils.timezone.utc)"),
    ("datetime.fixed", "datetime.datetime(2020, 1, 1, tzinfo=django.utils.timezone.get_fixed_timezone(60))"),
    ("message", "django.contrib.messages.storage.base.Message(20, 'a', extra_tags='b')"),
    ("message.safe", "django.contrib.messages.storage.base.Message(20, django.utils.safestring.mark_safe('<b>'))"),
    ("error.validation", "django.core.exceptions.ValidationError('a')"),
    ("error.validation.code", "django.core.exceptions.ValidationError('a %(b)s', code='c', params={'b': 1})"),
    ("error.validation.list", "django.core.exceptions.ValidationError(['a', 'b'])"),
    ("error.validation.dict", "django.core.exceptions.ValidationError({'a': ['b'], 'c': 'd'})"),
    ("errors", "made(django.core.exceptions, ERRORS)"),
    ("error.http", "django.http.Http404('a')"),
    ("error.database", "made(django.db.utils, DATABASE)"),
    ("error.signature", "[django.core.signing.BadSignature('a'), django.core.signing.SignatureExpired('a')]"),
    ("error.page", "[django.core.paginator.PageNotAnInteger('a'), django.core.paginator.EmptyPage('a')]"),
    ("error.resolver", "[django.urls.NoReverseMatch('a'), django.urls.Resolver404({'tried': [], 'path': 'a'})]"),
    ("error.header", "__import__('django.http.response', fromlist=['x']).BadHeaderError('a')"),
    ("error.reading", "django.http.request.UnreadablePostError('a')"),
    ("error.template", "[django.template.TemplateDoesNotExist('a'), django.template.TemplateSyntaxError('a')]"),
    ("form.errors", "django.forms.utils.ErrorList(['a'])"),
    ("form.errors.validation", "django.forms.utils.ErrorList([django.core.exceptions.ValidationError('a')])"),
    ("form.errors.dict", "django.forms.utils.ErrorDict({'a': django.forms.utils.ErrorList(['b'])})"),
    ("file.memory", "uploaded()"),
    ("file.simple", "django.core.files.uploadedfile.SimpleUploadedFile('a.txt', b'b')"),
    ("file.content", "django.core.files.base.ContentFile(b'a', 'b')"),
    ("file", "django.core.files.base.File(None, 'b')"),
    ("session", "session()"),
    ("q", "django.db.models.Q(a=1, b__gt=2) | ~django.db.models.Q(c=3)"),
    ("q.f", "django.db.models.Q(a=django.db.models.F('b'))"),
    ("model.state", "django.db.models.base.ModelState()"),
    ("model.state.saved", "saved()"),
    ("paginator", "django.core.paginator.Paginator([1, 2, 3], 2)"),
    ("paginator.page", "django.core.paginator.Paginator([1, 2, 3], 2).page(1)"),
    ("validator", "django.core.validators.MaxValueValidator(3)"),
    ("validator.regex", "django.core.validators.RegexValidator('a+', 'b')"),
    ("validator.length", "django.core.validators.MinLengthValidator(3)"),
    (
        "validators",
        "[django.core.validators.EmailValidator(), django.core.validators.URLValidator(), "
        "django.core.validators.FileExtensionValidator(['a'])]",
    ),
    (
        "mail",
        "django.core.mail.EmailMessage('a', 'b', 'c@d.org', ['e@f.org'], attachments=[('a.txt', 'b', 'text/plain')])",
    ),
    ("mail.alternatives", "alternative()"),
    ("prefetch", "django.db.models.Prefetch('a')"),
]
ERRORS = """
ObjectDoesNotExist MultipleObjectsReturned SuspiciousOperation SuspiciousFileOperation DisallowedHost
DisallowedRedirect PermissionDenied ViewDoesNotExist MiddlewareNotUsed ImproperlyConfigured FieldError
SuspiciousMultipartForm DisallowedModelAdminLookup DisallowedModelAdminToField FieldDoesNotExist RequestDataTooBig
TooManyFieldsSent TooManyFilesSent RequestAborted BadRequest EmptyResultSet FullResultSet SynchronousOnlyOperation
AppRegistryNotReady ObjectNotUpdated
""".split()
DATABASE = """
Error InterfaceError DatabaseError DataError OperationalError IntegrityError InternalError ProgrammingError
NotSupportedError ConnectionDoesNotExist
""".split()


def made(module, names):
    """Exceptions, as far as this release has them."""
    return [getattr(module, name)("a") for name in names if hasattr(module, name)]


def with_headers(response):
    """A response that says more."""
    response["Cache-Control"] = "max-age=60"
    response["Vary"] = "Cookie"
    return response


def with_cookies(response):
    """A response that sets a cookie."""
    response.set_cookie("a", "b", httponly=True)
    return response


def rendered(kind, *request):
    """A response of a template, rendered as the cache asks for it."""
    import django
    from django.template import engines

    django.setup()
    return kind(*(request + (engines["django"].from_string("a"), {}))).render()


def uploaded():
    """A file that was uploaded, in memory."""
    import io

    from django.core.files.uploadedfile import InMemoryUploadedFile

    return InMemoryUploadedFile(io.BytesIO(b"a"), "field", "a.txt", "text/plain", 1, None)


def alternative():
    """A message in two forms."""
    from django.core.mail import EmailMultiAlternatives

    made = EmailMultiAlternatives("a", "b", "c@d.org", ["e@f.org"], headers={"X-A": "b"})
    made.attach_alternative("<b>", "text/html")
    return made


def session():
    """What a session has."""
    return {"_auth_user_id": "1", "_auth_user_backend": "django.contrib.auth.backends.ModelBackend", "cart": [1, 2]}


def saved():
    """The state of a model's instance that came from a database."""
    from django.db.models.base import ModelState

    try:
        state = ModelState("default")
    except TypeError:
        state = ModelState()
        state.db = "default"
    state.adding = False
    state.fields_cache = {"a": None}
    return state
