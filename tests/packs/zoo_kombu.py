"""The zoo of kombu, see tests/packs."""

PACK = "kombu"
IMPORTS = (
    "kombu kombu.exceptions kombu.utils.limits kombu.utils.functional kombu.utils.scheduling kombu.utils.uuid "
    "kombu.common kombu.serialization kombu.compression kombu.pidbox kombu.utils.json kombu.utils.eventio amqp"
)
SKIPPED = (
    "kombu.transport", "kombu.asynchronous.aws", "kombu.asynchronous.http", "kombu.compression", "kombu.async",
    "kombu.abstract.Object", "kombu.abstract.MaybeChannelBound",  # base classes, which pickle as their children do
)  # fmt: skip
_TOOL = "a tool, not a value"
WITHOUT = {
    "kombu.asynchronous": "part of a loop that is running",
    "kombu.connection": "it connects to where the stream says",
    "kombu.log": _TOOL,
    "kombu.matcher": _TOOL,
    "kombu.message": "part of a connection",
    "kombu.messaging": "part of a connection",
    "kombu.mixins": _TOOL,
    "kombu.pools": "connections",
    "kombu.serialization": "what reads and writes messages",
    "kombu.utils.collections": _TOOL,
    "kombu.utils.eventio": "part of a loop that is running",
    "kombu.utils.functional.lazy": "it calls what it is given",
    "kombu.utils.json": _TOOL,
}
KEPT = {}

VALUES = [
    ("exchange", "kombu.Exchange('tasks', type='direct')"),
    ("exchange.empty", "kombu.Exchange()"),
    (
        "exchange.topic",
        "kombu.Exchange('tasks', 'topic', durable=False, auto_delete=True, delivery_mode=1, arguments={'x': 1})",
    ),
    ("queue", "kombu.Queue('tasks', kombu.Exchange('tasks'), routing_key='a')"),
    ("queue.empty", "kombu.Queue('tasks')"),
    ("queue.arguments", "kombu.Queue('tasks', queue_arguments={'x-max-priority': 10}, expires=60, max_length=5)"),
    ("queue.bindings", "kombu.Queue('tasks', [kombu.binding(kombu.Exchange('a'), 'b')])"),
    ("binding", "kombu.binding(kombu.Exchange('a'), 'b')"),
    ("binding.arguments", "kombu.binding(kombu.Exchange('a'), 'b', {'x': 1}, {'y': 2})"),
    ("broadcast", "kombu.common.Broadcast('a', queue='b')"),
    ("bucket", "kombu.utils.limits.TokenBucket(5)"),
    ("error", "kombu.exceptions.OperationalError('a')"),
    ("errors", "made(kombu.exceptions, ERRORS)"),
    ("error.disallowed", "kombu.exceptions.ContentDisallowed('a')"),
    ("error.encode", "kombu.exceptions.EncodeError('a')"),
    ("error.http", "kombu.exceptions.HttpError(404, 'a')"),
    ("error.inconsistency", "kombu.exceptions.InconsistencyError('a')"),
    ("connection", "kombu.Connection('memory://')"),
    ("lazy", "kombu.utils.functional.lazy(int)"),
    ("cache", "kombu.utils.functional.LRUCache(3)"),
    ("producer", "kombu.Producer(None)"),
    ("cycle", "[kombu.utils.scheduling.round_robin_cycle(['a']), kombu.utils.scheduling.priority_cycle(['a'])]"),
    ("error.amqp", "amqp.exceptions.NotFound('a')"),
    ("errors.amqp", "made(amqp.exceptions, AMQP)"),
    ("error.amqp.reply", "amqp.exceptions.ConnectionForced('a', (1, 2), 'b', 320)"),
]
ERRORS = """
KombuError OperationalError SerializationError DecodeError NotBoundError MessageStateError LimitExceeded
ConnectionLimitExceeded ChannelLimitExceeded VersionMismatch SerializerNotInstalled
""".split()
AMQP = """
AMQPDeprecationWarning AMQPError AMQPNotImplementedError AccessRefused ChannelError ChannelNotOpen ConnectionError
ConsumerCancelled ContentTooLarge FrameError FrameSyntaxError InternalError InvalidCommand InvalidPath
IrrecoverableChannelError IrrecoverableConnectionError MessageNacked NoConsumers NotAllowed PreconditionFailed
RecoverableChannelError RecoverableConnectionError ResourceError ResourceLocked UnexpectedFrame
""".split()


def made(module, names):
    """Exceptions, as far as this release has them."""
    return [getattr(module, name)("a") for name in names if hasattr(module, name)]
