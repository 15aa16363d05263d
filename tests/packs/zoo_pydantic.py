"""The zoo of pydantic, see tests/packs.

Models are the application's own: what they are listed with is shown in policies/README.md, and tested there.
"""

PACK = "pydantic"
IMPORTS = ("pydantic pydantic_core pydantic.networks pydantic.color pydantic.types pydantic.fields pydantic.errors "
           "pydantic.error_wrappers pydantic.v1 pydantic.v1.color pydantic.v1.networks datetime decimal uuid enum")
SKIPPED = ("pydantic.mypy", "pydantic._hypothesis_plugin", "pydantic.v1.mypy", "pydantic.v1._hypothesis_plugin")
WITHOUT = {}
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
    ("field", "pydantic.Field(1, description='a')"),
    ("some", "pydantic_core.Some(1)"),
    ("tz", "pydantic_core.TzInfo(3600)"),
    ("tz.parsed", "pydantic.TypeAdapter(datetime.datetime).validate_python('2020-01-01T00:00:00+01:00')"),
    ("extra", "pydantic.Extra.forbid"),
    ("json", "pydantic.Json"),
    ("version", "pydantic.VERSION"),
    ("dataclass", "pydantic_core.ArgsKwargs((1,), {'a': 2})"),
]
URLS = [
    ("AnyHttpUrl", "http://a.org/"), ("AnyWebsocketUrl", "ws://a.org/"), ("WebsocketUrl", "ws://a.org/"),
    ("FtpUrl", "ftp://a.org/"), ("CockroachDsn", "cockroachdb://a:1/b"), ("AmqpDsn", "amqp://a/b"),
    ("MongoDsn", "mongodb://a:1/b"), ("KafkaDsn", "kafka://a:1"), ("NatsDsn", "nats://a:1"),
    ("MySQLDsn", "mysql://a:1/b"), ("MariaDBDsn", "mariadb://a:1/b"), ("ClickHouseDsn", "clickhouse+native://a:1/b"),
    ("SnowflakeDsn", "snowflake://u:p@a/b"),
]  # fmt: skip


def failed(count=1):
    """What a model raises that does not like its values; v1's can be pickled, and so can newer ones of v2."""
    import pydantic

    made = pydantic.create_model("M", **{"f%d" % i: (int, ...) for i in range(count)})
    try:
        made(**{"f%d" % i: "x" for i in range(count)})
    except pydantic.ValidationError as error:
        return error


def made_url():
    """A URL as v1 makes it, from v1 itself or from what v2 carries of it."""
    try:
        from pydantic.v1 import AnyUrl, BaseModel
    except ImportError:
        from pydantic import AnyUrl, BaseModel

    made = type("Page", (BaseModel,), {"__annotations__": {"url": AnyUrl}})
    return made(url="https://user@example.org:80/a?b#c").url
