"""The zoo of pydantic, see tests/packs.

Models are the application's own: what they are listed with is shown in policies/README.md, and tested there.
"""

PACK = "pydantic"
IMPORTS = (
    "pydantic pydantic_core pydantic.networks pydantic.color pydantic.types pydantic.fields pydantic.errors "
    "pydantic.error_wrappers pydantic.v1 pydantic.v1.color pydantic.v1.networks datetime decimal uuid enum"
)
SKIPPED = (
    "pydantic.mypy",
    "pydantic._hypothesis_plugin",
    "pydantic.v1.mypy",
    "pydantic.v1._hypothesis_plugin",
    "pydantic.v1.errors.PydanticErrorMixin",
)  # a base class, which pickles as its children do
_MODEL = "part of the definition of a model, not a value"
_BASE = "a base class: what an application makes of it, it lists itself"
WITHOUT = {
    "pydantic._internal": _MODEL,
    "pydantic.aliases": _MODEL,
    "pydantic.annotated_handlers": _MODEL,
    "pydantic.deprecated": _MODEL,
    "pydantic.experimental": _MODEL,
    "pydantic.fields.FieldInfo": _MODEL,
    "pydantic.fields.ModelPrivateAttr": _MODEL,
    "pydantic.functional_serializers": _MODEL,
    "pydantic.functional_validators": _MODEL,
    "pydantic.json_schema": _MODEL,
    "pydantic.networks.EmailStr": _MODEL,
    "pydantic.networks.UrlConstraints": _MODEL,
    "pydantic.types": _MODEL,
    "pydantic.v1.config": _MODEL,
    "pydantic.v1.env_settings.BaseSettings": _BASE,
    "pydantic.v1.fields": _MODEL,
    "pydantic.v1.generics": _BASE,
    "pydantic.v1.main": _BASE,
    "pydantic.v1.networks.EmailStr": _MODEL,
    "pydantic.v1.networks.Parts": _MODEL,
    "pydantic.v1.types": _BASE,
    "pydantic.v1.utils": _MODEL,
}
KEPT = {}

VALUES = [
    ("secret", "pydantic.SecretStr('a')"),
    ("secret.bytes", "pydantic.SecretBytes(b'a')"),
    ("secret.of", "pydantic.Secret(7)"),
    ("color", "pydantic.color.Color('red')"),
    ("color.alpha", "pydantic.color.Color('rgba(1, 2, 3, 0.5)')"),
    ("color.tuple", "pydantic.color.Color((1, 2, 3))"),
    ("color.rgba", "pydantic.color.RGBA(0.1, 0.2, 0.3, None)"),
    ("size", "pydantic.ByteSize(1024)"),
    ("payment", "pydantic.PaymentCardNumber('4000000000000002')"),
    ("payment.brand", "__import__('pydantic.types', fromlist=['x']).PaymentCardBrand.visa"),
    ("undefined", "pydantic_core.PydanticUndefined"),
    ("undefined.v1", "pydantic.fields.Undefined"),
    ("url.core", "pydantic_core.Url('https://example.org/a?b#c')"),
    ("url.core.multi", "pydantic_core.MultiHostUrl('postgres://a,b/c')"),
    ("url.any", "pydantic.AnyUrl('https://example.org/a')"),
    ("url.http", "pydantic.HttpUrl('https://example.org/a')"),
    ("url.file", "pydantic.FileUrl('file:///a')"),
    ("url.postgres", "pydantic.PostgresDsn('postgres://user:pass@localhost:5432/foobar')"),
    ("url.redis", "pydantic.RedisDsn('redis://localhost:6379/0')"),
    ("url.others", "[getattr(pydantic.networks, kind)(text) for kind, text in URLS]"),
    ("url.v1", "made_url()"),
    ("email", "pydantic.NameEmail('a', 'a@example.org')"),
    ("error", "failed()"),
    ("error.many", "failed(2)"),
    ("error.core", "pydantic_core.PydanticCustomError('a', 'b {c}', {'c': 1})"),
    ("error.known", "pydantic_core.PydanticKnownError('greater_than', {'gt': 1})"),
    ("error.omit", "[pydantic_core.PydanticOmit(), pydantic_core.PydanticUseDefault()]"),
    ("error.serialization", "pydantic_core.PydanticSerializationError('a')"),
    ("error.user", "pydantic.errors.PydanticUserError('a', code=None)"),
    ("error.schema", "pydantic.errors.PydanticSchemaGenerationError('a')"),
    ("error.json", "pydantic.errors.PydanticInvalidForJsonSchema('a')"),
    ("error.v1.config", "v1().errors.ConfigError('a')"),
    ("some", "pydantic_core.Some(1)"),
    ("tz", "pydantic_core.TzInfo(3600)"),
    ("tz.parsed", "pydantic.TypeAdapter(datetime.datetime).validate_python('2020-01-01T00:00:00+01:00')"),
    ("extra", "pydantic.Extra.forbid"),
    ("root", "pydantic.RootModel(7)"),
    ("error.v1", "told(v1().errors.IntegerError())"),
    ("error.v1.limit", "told(v1().errors.NumberNotGtError(limit_value=3))"),
    ("errors.v1.a", "every_error('A', 'F')"),
    ("errors.v1.f", "every_error('F', 'M')"),
    ("errors.v1.m", "every_error('M', 'S')"),
    ("errors.v1.s", "every_error('S', '[')"),
    ("errors.v1.members", "v1().errors.EnumMemberError(enum_values=[decimal.Decimal(1)])"),
    ("payment.v1", "v1().PaymentCardNumber('4000000000000002')"),
    ("secret.v1", "[v1().SecretStr('a'), v1().SecretBytes(b'a'), v1().ByteSize(3), v1().NameEmail('a', 'a@b.c')]"),
    ("color.v1", "v1().color.Color('red')"),
    ("extra.v1", "v1().Extra.allow"),
    (
        "urls.v1",
        "[getattr(v1().networks, kind)(scheme + '://a.org/b', scheme=scheme, host='a.org') for kind, scheme in URLS_OF_1]",
    ),
]
URLS = [
    ("AnyHttpUrl", "http://a.org/"), ("AnyWebsocketUrl", "ws://a.org/"), ("WebsocketUrl", "ws://a.org/"),
    ("FtpUrl", "ftp://a.org/"), ("CockroachDsn", "cockroachdb://a:1/b"), ("AmqpDsn", "amqp://a/b"),
    ("MongoDsn", "mongodb://a:1/b"), ("KafkaDsn", "kafka://a:1"), ("NatsDsn", "nats://a:1"),
    ("MySQLDsn", "mysql://a:1/b"), ("MariaDBDsn", "mariadb://a:1/b"), ("ClickHouseDsn", "clickhouse+native://a:1/b"),
    ("SnowflakeDsn", "snowflake://u:p@a/b"),
]  # fmt: skip


URLS_OF_1 = [
    ("AnyUrl", "x"), ("AnyHttpUrl", "http"), ("HttpUrl", "https"), ("PostgresDsn", "postgres"), ("RedisDsn", "redis"),
    ("AmqpDsn", "amqp"), ("CockroachDsn", "cockroachdb"), ("FileUrl", "file"), ("KafkaDsn", "kafka"),
    ("MongoDsn", "mongodb"),
]  # fmt: skip


def v1():
    """The first version, by itself or as the second carries it."""
    import pydantic

    if pydantic.VERSION.startswith("1."):
        import pydantic.color
        import pydantic.errors

        return pydantic
    import pydantic.v1

    return pydantic.v1


def every_error(low, high):
    """The errors of the first version from one letter to another, each with what it wants to know."""
    import inspect

    made = []
    base = v1().errors.PydanticErrorMixin
    for name, kind in sorted(vars(v1().errors).items()):
        if low <= name < high and inspect.isclass(kind) and issubclass(kind, base) and kind is not base:
            wanted = [one for one in inspect.signature(kind).parameters if one != "ctx"]
            made.append(kind(**dict.fromkeys(wanted, "a")))
    return made


def told(error):
    """What a model of the first version raises."""
    from importlib import import_module

    wrappers = import_module(v1().__name__ + ".error_wrappers")
    return wrappers.ValidationError([wrappers.ErrorWrapper(error, loc=("a", 0))], v1().BaseModel)


def failed(count=1):
    """What a model raises that does not like its values; v1's can be pickled, and so can newer ones of v2."""
    import pydantic

    made = pydantic.create_model("M", **{"f%d" % i: (int, ...) for i in range(count)})
    try:
        made(**{"f%d" % i: "x" for i in range(count)})
    except pydantic.ValidationError as error:
        return error


def made_url():
    """A URL as the first version makes it."""
    made = type("Page", (v1().BaseModel,), {"__annotations__": {"url": v1().AnyUrl}})
    return made(url="https://user@example.org:80/a?b#c").url
