"""Connections to Kafka, and the one place where the library's errors become ours."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import aiokafka  # type: ignore[import-untyped] # the library has no types
from aiokafka import errors as wire
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped] # as above
from aiokafka.conn import AIOKafkaConnection  # type: ignore[import-untyped] # as above
from aiokafka.protocol.metadata import MetadataRequest  # type: ignore[import-untyped] # as above
from pydantic import SecretStr

from exporter.errors import SourceError, SourceRefused, SourceUnavailable

_ANSWER_MS = 10_000
_SESSION_MS = 10_000
_BEGUN_S = 5.0
_UNKNOWN_TOPIC = 3


@dataclass(frozen=True, slots=True)
class Place:
    """What a URL names.

    Attributes:
        server: Host and port of a broker; the others are learnt from it.
        topic: That is read.
        group: Consumer group.
        mechanism: SASL mechanism, used with a username.
        username: None asks for no authentication.
        password: With it.
        context: For TLS, None without.
    """

    server: str
    topic: str
    group: str = "app-integrations-exporter"
    mechanism: str = "PLAIN"
    username: str | None = None
    password: SecretStr | None = None
    context: ssl.SSLContext | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What every connection is made with."""
        words = ("SASL",) if self.username else ()
        return {
            "bootstrap_servers": self.server,
            "client_id": "app-integrations-exporter",
            "request_timeout_ms": _ANSWER_MS,
            "security_protocol": "_".join((*words, "SSL" if self.context else "PLAINTEXT")),
            "ssl_context": self.context,
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password.get_secret_value() if self.password else None,
        }


@asynccontextmanager
async def administration(place: Place) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connection that asks about topics and offsets, once Kafka has let us in.

    Raises:
        SourceUnavailable: Kafka is away.
        SourceRefused: It will not have us.
    """
    # The library's clients do not tell why they could not connect.
    async with _connection(place):
        pass
    admin = AIOKafkaAdminClient(**place.options)
    try:
        with translated():
            await _undisturbed(admin.start())
        yield admin
    finally:
        await admin.close()


async def partition_count(place: Place) -> int:
    """How many partitions the topic has; 0 when there is no such topic yet.

    Asked by hand, since the library's way to ask makes a topic that is not there, with as many
    partitions as the brokers give when nobody says (`auto.create.topics.enable`).

    Raises:
        SourceUnavailable: Kafka is away.
        SourceRefused: It will not have us.
    """
    async with _connection(place) as connection:
        asked = MetadataRequest([place.topic], allow_auto_topic_creation=False)
        (told,) = (await connection.send(asked)).to_object()["topics"]
        if told["error_code"] == _UNKNOWN_TOPIC:
            return 0
        error = wire.for_code(told["error_code"])
        if error is not wire.NoError:
            raise error
        return len(told["partitions"])


@asynccontextmanager
async def _connection(place: Place) -> AsyncIterator[AIOKafkaConnection]:
    """A connection to the broker that is named, with the library's errors as ours."""
    host, _, port = place.server.rpartition(":")
    options = {name: value for name, value in place.options.items() if name != "bootstrap_servers"}
    connection = AIOKafkaConnection(host, int(port), **options)
    try:
        with translated():
            await _undisturbed(connection.connect())
            yield connection
    finally:
        connection.close()


async def _undisturbed(beginning: Coroutine[Any, Any, Any]) -> None:
    """Connect; who is cancelled meanwhile lets it finish, for a moment.

    What the library is cancelled in, it leaves open, and nobody can close it any more.
    """
    connecting = asyncio.ensure_future(beginning)
    try:
        await asyncio.shield(connecting)
    except asyncio.CancelledError:
        await asyncio.wait((connecting,), timeout=_BEGUN_S)
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        raise


@asynccontextmanager
async def consumption(
    place: Place, member: str, listener: aiokafka.ConsumerRebalanceListener
) -> AsyncIterator[aiokafka.AIOKafkaConsumer]:
    """A member of the group, under a name that lasts, so that a restart moves no partition."""
    consumer = aiokafka.AIOKafkaConsumer(
        **place.options,
        group_id=place.group,
        group_instance_id=member,
        session_timeout_ms=_SESSION_MS,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
    )
    consumer.subscribe([place.topic], listener=listener)
    try:
        with translated():
            await _undisturbed(consumer.start())
        yield consumer
    finally:
        await consumer.stop()


@contextmanager
def translated() -> Iterator[None]:
    """Make the library's errors ours; their types decide."""
    try:
        yield
    except TimeoutError as error:
        raise SourceUnavailable("Kafka does not answer in time") from error
    except (wire.KafkaError, OSError) as error:
        raise _ours(error) from error


def _ours(error: Exception) -> SourceError:
    causes = (error, error.__cause__, error.__context__)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return SourceRefused(
            "Kafka shows a certificate that is not trusted; set APP_INTEGRATIONS_SOURCE_CA_FILE"
        )
    match error:
        case (
            wire.AuthenticationFailedError()
            | wire.SaslAuthenticationFailed()
            | wire.UnsupportedSaslMechanismError()
        ):
            return SourceRefused(
                "Kafka does not take the user; check APP_INTEGRATIONS_SOURCE_USERNAME, _PASSWORD "
                "and `sasl` in the URL"
            )
        case (
            wire.TopicAuthorizationFailedError()
            | wire.GroupAuthorizationFailedError()
            | wire.ClusterAuthorizationFailedError()
        ):
            return SourceRefused(
                "Kafka does not allow its user to read the topic or to be in the group; "
                "docs/how-to/read-from-kafka.md lists what is needed"
            )
        case wire.InvalidTopicError() | wire.InvalidGroupIdError():
            return SourceRefused("the URL has a topic or a group that Kafka cannot have")
        case wire.CommitFailedError() | wire.IllegalStateError():
            return SourceUnavailable("the partition was given to another process")
        case _:
            return SourceUnavailable(f"Kafka is away ({type(error).__name__})")
