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
        settings.configure(SECRET_KEY="a", USE_TZ=True, TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}])
#: Of the process that walks through the modules.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django.conf.global_settings")

PACK = "django"
IMPORTS = ("django django.http django.http.cookie django.template.response django.utils.safestring django.core.exceptions "
           "django.utils.datastructures django.utils.timezone django.utils.functional django.utils.translation "
           "django.core.files.uploadedfile django.core.files.base django.contrib.messages.storage.base django.forms "
           "django.forms.utils django.core.validators django.core.paginator django.urls django.db django.db.models "
           "django.db.models.query django.db.models.base django.utils.tree django.db.utils django.utils.version "
           "django.core.signing django.http.request django.contrib.sessions.backends.cache django.middleware.csrf "
           "django.utils.html django.core.serializers.base django.template datetime decimal uuid")
SKIPPED = (
    "django.contrib.admin", "django.contrib.admindocs", "django.contrib.auth", "django.contrib.contenttypes",
    "django.contrib.flatpages", "django.contrib.gis", "django.contrib.postgres", "django.contrib.redirects",
    "django.contrib.sites", "django.contrib.sitemaps", "django.contrib.staticfiles", "django.contrib.syndication",
    "django.core.management", "django.db.backends", "django.test", "django.db.migrations", "django.conf.urls",
    "django.contrib.sessions.models", "django.contrib.sessions.backends.db", "django.contrib.sessions.backends.cached_db",
    "django.contrib.sessions.base_session",
)  # fmt: skip
WITHOUT = {}
KEPT = {}

VALUES = [
    ("response", "django.http.HttpResponse(b'a')"),
    ("response.text", "django.http.HttpResponse(u'a', content_type='text/plain; charset=utf-8', status=404, reason='No')"),
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
    ("response.streaming", "django.http.StreamingHttpResponse(iter([b'a']))"),
    ("response.file", "django.http.FileResponse(__import__('io').BytesIO(b'a'))"),
    ("page", "[200, {}, b'a']"),
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
    ("error.validation.errors", "django.core.exceptions.ValidationError([django.core.exceptions.ValidationError('a')])"),
    ("errors", "made(django.core.exceptions, ERRORS)"),
    ("error.http", "django.http.Http404('a')"),
    ("error.database", "made(django.db.utils, DATABASE)"),
    ("error.signature", "[django.core.signing.BadSignature('a'), django.core.signing.SignatureExpired('a')]"),
    ("error.page", "[django.core.paginator.PageNotAnInteger('a'), django.core.paginator.EmptyPage('a')]"),
    ("error.resolver", "[django.urls.NoReverseMatch('a'), django.urls.Resolver404({'tried': [], 'path': 'a'})]"),
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
    ("node", "django.utils.tree.Node([('a', 1)], 'AND')"),
    ("q", "django.db.models.Q(a=1, b__gt=2) | ~django.db.models.Q(c=3)"),
    ("q.f", "django.db.models.Q(a=django.db.models.F('b'))"),
    ("model.state", "django.db.models.base.ModelState()"),
    ("model.state.saved", "saved()"),
    ("paginator", "django.core.paginator.Paginator([1, 2, 3], 2)"),
    ("paginator.page", "django.core.paginator.Paginator([1, 2, 3], 2).page(1)"),
    ("validator", "django.core.validators.MaxValueValidator(3)"),
    ("validator.regex", "django.core.validators.RegexValidator('a+', 'b')"),
    ("validator.length", "django.core.validators.MinLengthValidator(3)"),
    ("validators", "[django.core.validators.EmailValidator(), django.core.validators.URLValidator(), "
     "django.core.validators.FileExtensionValidator(['a'])]"),
    ("prefetch", "django.db.models.Prefetch('a')"),
    ("row", "django.db.models.query.Row"),
    ("choices", "django.db.models.TextChoices"),
    ("settings", "django.conf.settings"),
]
ERRORS = """
ObjectDoesNotExist MultipleObjectsReturned SuspiciousOperation SuspiciousFileOperation DisallowedHost
DisallowedRedirect PermissionDenied ViewDoesNotExist MiddlewareNotUsed ImproperlyConfigured FieldError
SuspiciousMultipartForm DisallowedModelAdminLookup DisallowedModelAdminToField FieldDoesNotExist RequestDataTooBig
TooManyFieldsSent TooManyFilesSent RequestAborted BadRequest EmptyResultSet FullResultSet SynchronousOnlyOperation
AppRegistryNotReady InvalidSessionKey SuspiciousSession
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
    response.set_cookie("a", "b", max_age=60, httponly=True)
    response.delete_cookie("c")
    return response


def rendered(kind):
    """A response of a template, rendered as the cache asks for it."""
    from django.template import engines

    return kind(engines["django"].from_string("a"), {}).render()


def uploaded():
    """A file that was uploaded, in memory."""
    import io

    from django.core.files.uploadedfile import InMemoryUploadedFile

    return InMemoryUploadedFile(io.BytesIO(b"a"), "field", "a.txt", "text/plain", 1, None)


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
