"""Camunda's cloud as a connector sees it: its host names, by TLS, through an operator's proxy."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import trustme
from aiohttp import web

from tests.kit.http import Talk, serving, talking

REGION, CLUSTER_ID = "bru-2", "7c8a1f0e-cluster"
OPERATE_HOST = f"{REGION}.operate.camunda.io"
LOGIN_HOST = "login.cloud.camunda.io"
CONSOLE_HOST = "cluster-api.cloud.camunda.io"


@dataclass(frozen=True)
class Saas:
    """A running cloud: what an operator sets to reach it, and what was asked of it."""

    environ: dict[str, str]
    asked: list[tuple[str, str]]


@asynccontextmanager
async def saas(
    operate_url: str, token_url: str, directory: Path, secrets: dict[str, str] | None = None
) -> AsyncIterator[Saas]:
    """The cloud's hosts in front of a cluster; nothing leaves this machine.

    Args:
        operate_url: Where the cluster's Operate is.
        token_url: Where tokens are given.
        directory: Takes the authority's file.
        secrets: What Console gives.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "authority.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(OPERATE_HOST, LOGIN_HOST, CONSOLE_HOST).configure_cert(tls)
    asked: list[tuple[str, str]] = []

    async with aiohttp.ClientSession() as session:

        async def front(request: web.Request) -> web.Response:
            asked.append((request.host, request.path))
            if request.host == CONSOLE_HOST:
                return web.json_response(secrets or {})
            target = token_url
            if request.host == OPERATE_HOST:
                target = operate_url + request.path.removeprefix(f"/{CLUSTER_ID}")
            hop = {name: value for name, value in request.headers.items() if name != "Host"}
            async with session.request(
                request.method, target, headers=hop, data=await request.read()
            ) as answer:
                return web.Response(
                    status=answer.status,
                    body=await answer.read(),
                    content_type=answer.content_type,
                )

        async with serving(front, tls) as origin, talking(_tunnel(origin)) as proxy:
            environ = {
                "CONNECTOR_HTTPS_PROXY_HOST": "127.0.0.1",
                "CONNECTOR_HTTPS_PROXY_PORT": proxy.rpartition(":")[2],
                "CAMUNDA_CLIENT_CA_CERTIFICATE_PATH": str(directory / "authority.pem"),
            }
            yield Saas(environ, asked)


def _tunnel(origin: str) -> Talk:
    """A proxy whose every tunnel ends at the same server, whatever host was asked for."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", origin.rpartition(":")[2]
        )
        try:
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        finally:
            far_writer.close()

    return talk


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
