"""Records from Redis streams, as the community's zeebe-redis-exporter writes them in JSON.

    redis://host:6379                     rediss:// is the same over TLS
    redis://host:6379/0?name=zeebe&group=app-integrations-exporter

| part of the URL | default | meaning |
|---|---|---|
| user and password | none | as `APP_INTEGRATIONS_SOURCE_USERNAME` and `_PASSWORD`, which win |
| path | `0` | number of the database |
| `name` | `zeebe` | as the exporter's; streams are `<name>:<VALUE_TYPE>`: `zeebe:USER_TASK` |
| `group` | `app-integrations-exporter` | our consumer group; relays that share work share it |

The streams of the value types that are asked for are read as one log. In each, the group has one
reader; other processes stand by, and take over when it ends (at once) or dies (after 15 s; at once
when it is started anew on its state directory). Beside the streams there are two keys of ours:
`<group>:<name>:reader`, who reads, and `<group>:<name>:progress`, a hash that tells how far each
partition is, so that whoever takes over sends an interrupted batch again under its own key.

An entry is confirmed (XACK) when its event was delivered, or when nobody asked for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from pydantic import SecretStr
from typing_extensions import override

from exporter.errors import SourceRefused
from exporter.progress import Progress
from exporter.sources import Chunk, Source, SourceOptions
from exporter.sources.parameters import Parameters, read_parameters
from exporter.sources.redis_streams.client import Address, Client, connect
from exporter.sources.redis_streams.log import StreamLog
from exporter.sources.redis_streams.ownership import LIFE_S, Ownership

_log = structlog.get_logger("exporter.sources.redis")

_PARAMETERS: Parameters = {"name": ("name", str), "group": ("group", str)}


@dataclass(frozen=True, slots=True)
class Place:
    """What a URL names.

    Attributes:
        address: Where Redis is.
        name: What the streams' keys begin with: `name` of the broker's exporter.
        group: Consumer group.
    """

    address: Address
    name: str = "zeebe"
    group: str = "app-integrations-exporter"

    def key(self, value_type: str) -> str:
        """Key of the stream of a value type."""
        return f"{self.name}:{value_type}"

    def own_key(self, what: str) -> str:
        """A key of ours; it does not begin like those of the streams."""
        return f"{self.group}:{self.name}:{what}"


class RedisSource(Source):
    """Reads what a log of streams gives; see the port for its methods."""

    shared = True

    def __init__(self, log: StreamLog, reading: asyncio.Task[None], place: Place) -> None:
        self._stream_log = log
        self._reading = reading
        self._place = place

    @override
    async def partitions(self) -> AsyncGenerator[int, None]:
        while True:
            appeared = asyncio.ensure_future(self._stream_log.appeared.get())
            try:
                await asyncio.wait((appeared, self._reading), return_when=asyncio.FIRST_COMPLETED)
                if self._reading.done():
                    await self._reading
                partition_id = await appeared
            finally:
                appeared.cancel()
            yield partition_id

    @override
    async def progress(self, partition_id: int) -> Progress | None:
        return await self._stream_log.remembered(partition_id)

    @override
    def read(self, partition_id: int, progress: Progress) -> AsyncGenerator[Chunk, None]:
        return self._stream_log.read(partition_id, progress.bookmark)

    @override
    async def acknowledge(self, partition_id: int, progress: Progress) -> None:
        await self._stream_log.confirm(partition_id, progress)

    @override
    def facts(self) -> Mapping[str, str | int | float | bool | None]:
        return {
            "streams": self._place.key("*"),
            "group": self._place.group,
            "reads": self._stream_log.is_reading,
            "entries behind": self._stream_log.behind,
        }


@asynccontextmanager
async def open_source(
    options: SourceOptions, *, takeover_s: float = LIFE_S
) -> AsyncIterator[RedisSource]:
    """Connect and begin to read, or to stand by.

    Args:
        options: Of the source.
        takeover_s: When another process takes over from one that died.

    Raises:
        SourceUnavailable: Redis is away.
        SourceRefused: It will not have us, or the URL is wrong.
    """
    place = _place(options)
    async with AsyncExitStack() as exits:
        client = await exits.enter_async_context(connect(place.address, place.group))
        keys = {value_type: place.key(value_type) for value_type in options.sieve.value_types}
        await _check(client, keys, place)
        lock, memory = place.own_key("reader"), place.own_key("progress")
        ownership = Ownership(
            client,
            lock,
            memory,
            state_dir=options.state_dir,
            clock=options.clock,
            life_s=takeover_s,
        )
        exits.push_async_callback(ownership.give_up)
        log = StreamLog(client, ownership, keys, memory, options)
        reading = asyncio.create_task(log.run(), name="redis-log")
        exits.push_async_callback(_end, reading)
        yield RedisSource(log, reading, place)


async def probe(options: SourceOptions) -> None:
    """Prove that Redis answers and lets us in, and that the streams are streams.

    Raises:
        SourceError: It does not, or they are not.
    """
    place = _place(options)
    async with connect(place.address, place.group) as client:
        keys = {value_type: place.key(value_type) for value_type in options.sieve.value_types}
        await _check(client, keys, place)


async def _check(client: Client, keys: Mapping[str, str], place: Place) -> None:
    kinds = {key: await client.call("TYPE", key) for key in keys.values()}
    wrong = [key for key, kind in kinds.items() if kind not in (b"stream", b"none")]
    if wrong:
        raise SourceRefused(f"{', '.join(wrong)} is no stream; check `name` in the URL")
    if any(kind == b"stream" for kind in kinds.values()):
        return
    others = await _other_names(client, keys)
    if others:
        _log.warning("no stream under this name yet", name=place.name, there_are=others)


async def _other_names(client: Client, keys: Mapping[str, str]) -> list[str]:
    """Names that streams of the same value types have, in case the URL has a wrong one."""
    found: set[str] = set()
    cursor = b"0"
    for _ in range(100):  # a large database is not searched to its end for a hint
        cursor, names = await client.call("SCAN", cursor, "COUNT", 1000, "TYPE", "stream")
        for key in names:
            name, _, value_type = key.decode(errors="replace").rpartition(":")
            if value_type in keys:
                found.add(name)
        if cursor == b"0":
            break
    return sorted(found)


def _place(options: SourceOptions) -> Place:
    url, credentials = options.url, options.credentials
    fields = read_parameters(url, _PARAMETERS)
    database = url.path.strip("/") or "0"
    if not database.isdecimal():
        raise SourceRefused("write redis://host:6379, or redis://host:6379/1 for database 1")
    in_url = SecretStr(url.password) if url.password else None
    address = Address(
        host=str(url.host),
        port=url.port or 6379,
        database=int(database),
        username=credentials.username or url.user or None,
        password=credentials.password or in_url,
        tls=url.scheme == "rediss",
        ca_file=str(credentials.ca_file) if credentials.ca_file else None,
    )
    return Place(address, **{name: str(value) for name, value in fields.items()})


async def _end(reading: asyncio.Task[None]) -> None:
    reading.cancel()
    await asyncio.wait((reading,))
    if not reading.cancelled():
        reading.exception()  # `partitions` has raised it already
