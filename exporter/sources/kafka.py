"""Records from a Kafka topic, as the community's zeebe-kafka-exporter writes them.

    kafka://broker:9092/zeebe             kafka+ssl:// is the same over TLS
    kafka://broker:9092/zeebe?group=app-integrations-exporter&sasl=SCRAM-SHA-512

| part of the URL | default | meaning |
|---|---|---|
| host | required | any one broker; the others are learnt from it |
| path | `zeebe` | the topic: `zeebe` is the exporter's fallback, where user tasks go |
| user and password | none | as `APP_INTEGRATIONS_SOURCE_USERNAME` and `_PASSWORD`, which win |
| `group` | `app-integrations-exporter` | consumer group; relays that share work share it |
| `sasl` | `PLAIN` | mechanism for the user: `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512` |

Only committed transactions are read. The group divides the topic's partitions between processes:
so the relay grows past one machine. A partition's offset is committed after delivery; its metadata
holds how far each of Zeebe's partitions in it is, and which batch was announced, so that whoever
gets it next repeats a batch under its own key.

Several of Zeebe's partitions may share one of the topic, and none waits for another. Records of one
of Zeebe's partitions must lie in one of the topic; order cannot be kept over several topics either,
so each is read by a relay of its own.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from pydantic import SecretStr
from typing_extensions import override

from exporter.errors import SourceRefused
from exporter.progress import Progress
from exporter.sources import Chunk, Source, SourceOptions
from exporter.sources.kafka_topic.client import Place, partition_count
from exporter.sources.kafka_topic.member import Member
from exporter.sources.lasting_name import lasting_name
from exporter.sources.parameters import Parameters, read_parameters

_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class KafkaSource(Source):
    """Reads what the group assigns to this process; see the port for its methods."""

    shared = True

    def __init__(self, member: Member, membership: asyncio.Task[None], place: Place) -> None:
        self._member = member
        self._membership = membership
        self._place = place

    @override
    async def partitions(self) -> AsyncGenerator[int, None]:
        while True:
            appeared = asyncio.ensure_future(self._member.appeared.get())
            try:
                await asyncio.wait(
                    (appeared, self._membership), return_when=asyncio.FIRST_COMPLETED
                )
                if self._membership.done():
                    await self._membership
                partition_id = await appeared
            finally:
                appeared.cancel()
            yield partition_id

    @override
    async def progress(self, partition_id: int) -> Progress | None:
        return self._member.progress(partition_id)

    @override
    def read(self, partition_id: int, progress: Progress) -> AsyncGenerator[Chunk, None]:
        return self._member.read(partition_id, progress.bookmark)

    @override
    async def acknowledge(self, partition_id: int, progress: Progress) -> None:
        await self._member.commit(partition_id, progress)

    @override
    def facts(self) -> Mapping[str, str | int | float | bool | None]:
        assigned = sorted(self._member.shelves)
        return {
            "topic": self._place.topic,
            "group": self._place.group,
            "partitions of the topic": ", ".join(map(str, assigned)) or None,
        }


@asynccontextmanager
async def open_source(options: SourceOptions) -> AsyncIterator[KafkaSource]:
    """Connect and join the group.

    Raises:
        SourceUnavailable: Kafka is away.
        SourceRefused: It will not have us, or the URL is wrong.
    """
    place = _place(options)
    await partition_count(place)
    async with AsyncExitStack() as exits:
        name = exits.enter_context(lasting_name(options.state_dir, "kafka-member"))
        member = Member(place, name, options)
        membership = asyncio.create_task(member.run(), name="kafka-member")
        exits.push_async_callback(_end, membership)
        yield KafkaSource(member, membership, place)


async def probe(options: SourceOptions) -> None:
    """Prove that Kafka answers, lets us in, and has the topic.

    Raises:
        SourceError: It does not.
    """
    if not await partition_count(place := _place(options)):
        raise SourceRefused(
            f"there is no topic {place.topic}; it is made when the exporter first writes to it"
        )


def _mechanism(text: str) -> str:
    if text.upper() not in _MECHANISMS:
        raise ValueError(f"one of {', '.join(_MECHANISMS)}")
    return text.upper()


_PARAMETERS: Parameters = {"group": ("group", str), "sasl": ("mechanism", _mechanism)}


def _place(options: SourceOptions) -> Place:
    url, credentials = options.url, options.credentials
    fields = read_parameters(url, _PARAMETERS)
    topic = url.path.strip("/") or "zeebe"
    if "," in topic or "/" in topic:
        raise SourceRefused("the URL may name one topic; read each by a relay of its own")
    in_url = SecretStr(url.password) if url.password else None
    return Place(
        server=f"{url.host}:{url.port or 9092}",
        topic=topic,
        username=credentials.username or url.user or None,
        password=credentials.password or in_url,
        context=_context(options) if url.scheme == "kafka+ssl" else None,
        **{name: str(value) for name, value in fields.items()},
    )


def _context(options: SourceOptions) -> ssl.SSLContext:
    context = ssl.create_default_context()
    ca_file = options.credentials.ca_file
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SourceRefused(
                "APP_INTEGRATIONS_SOURCE_CA_FILE cannot be read as certificates in PEM"
            ) from error
    return context


async def _end(membership: asyncio.Task[None]) -> None:
    membership.cancel()
    await asyncio.wait((membership,))
    if not membership.cancelled():
        membership.exception()  # `partitions` has raised it already
