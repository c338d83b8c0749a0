from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager

from typing_extensions import override

from exporter.progress import Progress
from exporter.sources import Chunk, Source, SourceOptions
from exporter.sources.elasticsearch import query
from exporter.sources.elasticsearch.address import Address, authorization, read_address
from exporter.sources.elasticsearch.client import SearchClient
from exporter.sources.elasticsearch.tail import Tail
from runtime.http import HttpOptions, open_session

_LOOK_FOR_PARTITIONS_S = 30.0
_LOOK_FOR_FIRST_S = 2.0


class ElasticsearchSource(Source):
    """Tails the record indices; see the port for its methods.

    Args:
        client: For searches.
        address: How to read.
        options: What all sources are made from.
    """

    shared = False

    def __init__(self, client: SearchClient, address: Address, options: SourceOptions) -> None:
        self._client = client
        self._address = address
        self._options = options
        self._tails: dict[int, Tail] = {}

    @override
    async def partitions(self) -> AsyncGenerator[int, None]:
        given: set[int] = set()
        while True:
            for partition_id in await self.look():
                if partition_id not in given:
                    given.add(partition_id)
                    yield partition_id
            await self._options.clock.sleep(_LOOK_FOR_PARTITIONS_S if given else _LOOK_FOR_FIRST_S)

    async def look(self) -> list[int]:
        """The partitions that there are documents of, in their order.

        Raises:
            SourceUnavailable: Searches are not answered.
            SourceRefused: Searches are refused, of all indices or of some.
        """
        await self._client.prove()
        found = await self._client.search(query.partitions())
        return sorted(bucket.key for bucket in found.aggregations.partitions.buckets)

    @override
    async def progress(self, partition_id: int) -> Progress | None:
        return None

    @override
    async def read(self, partition_id: int, progress: Progress) -> AsyncIterator[Chunk]:
        tail = Tail(partition_id, progress, self._client, self._address, self._options)
        self._tails[partition_id] = tail
        async for chunk in tail.chunks():
            yield chunk

    @override
    async def acknowledge(self, partition_id: int, progress: Progress) -> None:
        """Nothing to do: the state file is the truth."""

    @override
    def facts(self) -> Mapping[str, str | int | float | bool | None]:
        facts: dict[str, str | int | float | bool | None] = {"prefix": self._address.prefix}
        for partition_id, tail in sorted(self._tails.items()):
            name = f"partition {partition_id}"
            facts[f"{name} read to"] = tail.read_to
            facts[f"{name} newest"] = tail.newest
            facts[f"{name} waits for missing records"] = tail.is_holding
        return facts


@asynccontextmanager
async def open_source(options: SourceOptions) -> AsyncIterator[ElasticsearchSource]:
    """The source for `elasticsearch+http(s)` and `opensearch+http(s)`; see the port.

    Raises:
        SourceUnavailable: The cluster does not answer.
        SourceRefused: It will not answer this way, or the URL cannot be used.
    """
    address = read_address(options.url)
    headers = authorization(options.credentials, options.url)
    kinds = [kind.lower().replace("_", "-") for kind in options.sieve.value_types]
    aliases = [f"{address.prefix}-{kind}" for kind in kinds]
    async with open_session(HttpOptions(ca_file=options.credentials.ca_file)) as session:
        client = SearchClient(
            session,
            address.base,
            aliases,
            headers,
            max_record_bytes=options.max_record_bytes,
            clock=options.clock,
        )
        source = ElasticsearchSource(client, address, options)
        await source.look()
        yield source


async def probe(options: SourceOptions) -> None:
    """Prove what `open_source` proves; it changes nothing."""
    async with open_source(options):
        pass
