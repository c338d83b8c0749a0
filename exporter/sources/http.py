"""Records that are pushed to us: one, an array, or lines of JSON, by POST.

    http://0.0.0.0:9700        listens there; senders show the key as `x-api-key` or as bearer token

An answer of 200 means that the records are on disk here. 503 means that they are not, and that the
sender should come again: the disk is full, or the queue, because the backend was away for long.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec
import orjson
from aiohttp import web
from pydantic import SecretStr
from typing_extensions import override
from yarl import URL

from exporter.errors import InboxFull, RecordError, SourceRefused, StateUnavailable
from exporter.inbox import Inbox
from exporter.lease import Lease
from exporter.record import ILLEGIBLE, Unreadable
from exporter.sources import SourceOptions
from exporter.sources.inbox_source import InboxSource
from runtime.errors import HttpError
from runtime.http import HttpOptions, exchange, open_session

_NAME = "app-integrations-exporter records"
_COME_AGAIN_S = "5"
_ANSWER_BYTES = 4096

_array = msgspec.json.Decoder(list[msgspec.Raw])
_one = msgspec.json.Decoder(msgspec.Raw)


class HttpSource(InboxSource):
    """Gives what senders have left in the inbox."""

    @override
    def facts(self) -> Mapping[str, str | int | float | bool | None]:
        return {"waiting bytes": self._inbox.waiting_bytes}


class _Receiver:
    """Answers senders."""

    def __init__(self, inbox: Inbox, options: SourceOptions) -> None:
        self._inbox = inbox
        self._sieve = options.sieve
        self._key = options.credentials.api_key

    async def __call__(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            return _answer(200, {"service": _NAME})
        if request.method != "POST":
            return _answer(405, {"error": "send records with POST"})
        if not _may(request, self._key):
            return _answer(401, {"error": "show the API key as x-api-key or as bearer token"})
        return await self._receive(request)

    async def _receive(self, request: web.Request) -> web.Response:
        try:
            wanted, skipped = self._sort(records_of(await request.read()))
            await self._inbox.put(wanted)
        except web.HTTPRequestEntityTooLarge:
            return _answer(413, {"error": "send fewer records at once"})
        except RecordError as error:
            return _answer(400, {"error": str(error)})
        except (InboxFull, StateUnavailable) as error:
            return _answer(503, {"error": str(error)}, {"Retry-After": _COME_AGAIN_S})
        return _answer(200, {"accepted": len(wanted), "skipped": skipped})

    def _sort(self, records: Sequence[bytes]) -> tuple[list[tuple[int, bytes]], int]:
        """Those to keep, with their partitions, and the number of those that nobody asked for.

        A broken user task is kept, so that its lane sets it aside: refused, it would come again
        for ever. Anything else that is broken is a mistake of the sender.
        """
        wanted = []
        for number, raw in enumerate(records, start=1):
            sifted = self._sieve.one(raw)
            if sifted is None:
                continue
            if isinstance(sifted, Unreadable) and not sifted.is_user_task:
                raise RecordError(f"record {number} of {len(records)}: {sifted.reason}")
            wanted.append((sifted.partition_id, raw))
        return wanted, len(records) - len(wanted)


def records_of(body: bytes) -> Sequence[bytes]:
    """The records of a request: an array's, a single one, or one a line.

    Raises:
        RecordError: There are none, or the array is no JSON.
    """
    text = body.strip()
    if not text:
        raise RecordError("the request holds no record")
    try:
        if text.startswith(b"["):
            return [bytes(raw) for raw in _array.decode(text)]
        return [bytes(_one.decode(text))]
    except ILLEGIBLE as error:
        if text.startswith(b"["):
            raise RecordError("the request begins as an array and is no JSON") from error
    return [line for line in map(bytes.strip, text.split(b"\n")) if line]


@asynccontextmanager
async def open_source(options: SourceOptions) -> AsyncIterator[HttpSource]:
    """Listen at the address of the URL.

    Raises:
        LeaseHeld: Another process uses the same queue.
        SourceRefused: The address cannot be listened at.
        StateError: The queue cannot be opened.
    """
    with Lease.take(options.state_dir, "inbox-http"):
        inbox = await Inbox.open(options.state_dir, "http", options.inbox_max_bytes)
        try:
            async with _listening(inbox, options):
                yield HttpSource(inbox, options.sieve)
        finally:
            await asyncio.to_thread(inbox.close)


async def probe(options: SourceOptions) -> None:
    """Prove that the address is free, or that it is this service that listens there.

    Raises:
        SourceRefused: Neither.
    """
    try:
        _listener(options.url).close()
    except SourceRefused:
        if not await _is_us(options.url):
            raise


@asynccontextmanager
async def _listening(inbox: Inbox, options: SourceOptions) -> AsyncIterator[None]:
    application = web.Application(client_max_size=options.max_record_bytes)
    application.router.add_route("*", "/{path:.*}", _Receiver(inbox, options).__call__)
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=5.0)
    listener = _listener(options.url)
    try:
        await runner.setup()
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()
        listener.close()


def _listener(url: URL) -> socket.socket:
    host, port = url.host or "", url.port or 0
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SourceRefused(
            f"port {port} cannot be listened at ({error.strerror}); free it or name another in "
            "APP_INTEGRATIONS_SOURCE"
        ) from error


async def _is_us(url: URL) -> bool:
    host = "127.0.0.1" if url.host == "0.0.0.0" else url.host  # noqa: S104 - compared, not bound
    target = URL.build(scheme="http", host=host or "localhost", port=url.port)
    async with open_session(HttpOptions(connections=1)) as session:
        try:
            answer = await exchange(
                session, "GET", target, limit_bytes=_ANSWER_BYTES, timeout_s=3.0
            )
        except HttpError:
            return False
    return _NAME.encode() in answer.body


def _may(request: web.Request, key: SecretStr | None) -> bool:
    """Whether a sender shows the key; takes the same time whatever it shows."""
    if key is None:
        return True
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    shown = request.headers.get("x-api-key", bearer)
    return hmac.compare_digest(
        shown.encode(errors="surrogateescape"), key.get_secret_value().encode()
    )


def _answer(
    status: int, body: Mapping[str, str | int], headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(
        body=orjson.dumps(body), status=status, content_type="application/json", headers=headers
    )
