from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import SecretStr
from typing_extensions import override

from exporter.errors import SourceRefused
from exporter.inbox import Entry
from exporter.lease import Lease
from exporter.record import Sieve
from exporter.sources import Credentials, SourceOptions
from exporter.sources.inbox_source import InboxSource
from exporter.sources.listener.address import Address, read_address
from exporter.sources.listener.collector import Collector
from exporter.sources.listener.gateway import JobGateway
from exporter.sources.listener.job import positioned
from exporter.sources.listener.job_inbox import JobInbox
from exporter.sources.listener.rest import RestClient
from runtime.http import HttpOptions, open_session
from runtime.oauth import TokenCache

_T = TypeVar("_T")


class ListenerSource(InboxSource):
    """Gives what listener jobs have left in the inbox.

    Args:
        inbox: Where records wait.
        collector: Fills it.
        collecting: The collector at work; its failure is a failure of the source.
        sieve: Tells which records are asked for.
    """

    def __init__(
        self,
        inbox: JobInbox,
        collector: Collector,
        collecting: asyncio.Task[None],
        sieve: Sieve,
    ) -> None:
        super().__init__(inbox, sieve)
        self._collector = collector
        self._collecting = collecting

    @override
    def _record(self, entry: Entry) -> bytes:
        # Its place is its position: a job has none, and keys do not come in order.
        return positioned(entry.raw, entry.place)

    @override
    def facts(self) -> Mapping[str, str | int | float | bool | None]:
        tally = self._collector.tally
        return {
            "waiting bytes": self._inbox.waiting_bytes,
            "jobs taken": tally.taken,
            "records kept": tally.kept,
            "jobs completed": tally.completed,
            "jobs failed": tally.failed,
            "trouble": tally.trouble,
        }

    @override
    async def _arrival(self, waiting: Coroutine[Any, Any, _T]) -> _T:
        waited_for = asyncio.create_task(waiting)
        try:
            await asyncio.wait((waited_for, self._collecting), return_when=asyncio.FIRST_COMPLETED)
            if self._collecting.done():
                _raise_single(self._collecting)
            return await waited_for
        finally:
            waited_for.cancel()


@asynccontextmanager
async def open_source(options: SourceOptions) -> AsyncIterator[ListenerSource]:
    """The source for `listener+http(s)`; see the port.

    Raises:
        LeaseHeld: Another process uses the same inbox.
        SourceUnavailable: The cluster does not answer.
        SourceRefused: It will not answer this way, or the URL cannot be used.
        StateError: The inbox cannot be opened.
    """
    address = read_address(options.url)
    async with _open_gateway(address, options) as gateway:
        await gateway.check()
        with Lease.take(options.state_dir, "inbox-listener"):
            inbox = await JobInbox.open(options.state_dir, "listener", options.inbox_max_bytes)
            collector = Collector(gateway, inbox, options, address.job_timeout_s)
            collecting = asyncio.create_task(collector.run(), name="listener-jobs")
            try:
                yield ListenerSource(inbox, collector, collecting, options.sieve)
            finally:
                collecting.cancel()
                await asyncio.gather(collecting, return_exceptions=True)
                await asyncio.to_thread(inbox.close)


async def probe(options: SourceOptions) -> None:
    """Prove that the cluster answers, lets us in and has listener jobs; takes none."""
    async with _open_gateway(read_address(options.url), options) as gateway:
        await gateway.check()


@asynccontextmanager
async def _open_gateway(address: Address, options: SourceOptions) -> AsyncIterator[JobGateway]:
    credentials = _credentials(options)
    async with (
        open_session(HttpOptions(ca_file=credentials.ca_file)) as session,
        TokenCache(session, options.clock, options.random) as tokens,
    ):
        client = RestClient(session, address.base, credentials, tokens=tokens, clock=options.clock)
        yield JobGateway(client, address)


def _credentials(options: SourceOptions) -> Credentials:
    """Those of the settings, else those of the URL."""
    credentials, url = options.credentials, options.url
    if credentials.api_key is not None:
        raise SourceRefused(
            "Camunda has no API keys; set a user name and password, or OAuth credentials"
        )
    if credentials.username is None and credentials.oauth is None and url.user is not None:
        return replace(credentials, username=url.user, password=SecretStr(url.password or ""))
    return credentials


def _raise_single(collecting: asyncio.Task[None]) -> None:
    """Raise what ended the collector, out of the group that it ran in."""
    error = collecting.exception()
    if error is None:
        raise RuntimeError("the collector has ended by itself")
    while isinstance(error, BaseExceptionGroup):
        error = _first(error.exceptions)
    raise error


def _first(errors: Sequence[BaseException]) -> BaseException:
    return errors[0]
