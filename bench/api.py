"""An HTTP server that answers every request with the same page, as fast as Python can.

    python -m bench.api ITEMS

It prints its port. It reads no more of a request than it must; tokens and pages come from memory.
"""

from __future__ import annotations

import asyncio
import sys

import orjson
from typing_extensions import override

ITEM = {
    "key": 2_251_799_813_685_249,
    "processVersion": 3,
    "bpmnProcessId": "order-process-with-a-name-of-usual-length",
    "startDate": "2026-01-15T10:11:12.345+0000",
    "state": "ACTIVE",
    "incident": False,
    "processDefinitionKey": 2_251_799_813_685_250,
    "parentKey": 2_251_799_813_685_251,
    "parentFlowNodeInstanceKey": 2_251_799_813_685_252,
    "processVersionTag": "a version tag of some length, as teams write them",
    "tenantId": "<default>",
}


def answer(body: bytes) -> bytes:
    """A whole HTTP answer."""
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class SamePage(asyncio.Protocol):
    """One connection: each request gets the page, requests for a token get one."""

    def __init__(self, page: bytes) -> None:
        self._page = page
        self._token = answer(b'{"access_token": "bench", "expires_in": 3600}')
        self._unread = b""
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._unread) < end + 4 + length:
                return
            self._unread = self._unread[end + 4 + length :]
            self._transport.write(self._token if b" /token " in head else self._page)


async def _serve(items: int) -> None:
    page = {"items": [ITEM] * items, "sortValues": [ITEM["key"]], "total": items}
    whole = answer(orjson.dumps(page))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SamePage(whole), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
