"""`operate-connector check`: are the settings right, and is everything reachable that they name?"""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.errors import SecretsUnavailable
from connector.gateway_credentials import gateway_credentials
from connector.providers import secret_sources
from connector.render import RENDERED
from connector.secret_files import is_readable
from connector.secrets import SecretSource, SecretStore
from connector.settings import ConnectorSettings
from runtime.clock import SystemClock
from runtime.errors import TokenError
from runtime.http import HttpOptions, open_session
from runtime.oauth import TokenCache
from runtime.settings import doubtful_names
from worker.errors import GatewayError
from worker.gateway import Gateway

_WITHOUT_V1 = (8, 10)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    is_fine: bool
    text: str
    is_note: bool = False

    def __str__(self) -> str:
        mark = "note" if self.is_note else "ok  " if self.is_fine else "FAIL"
        return f"{mark} {self.subject}: {self.text}"


async def check(
    settings: ConnectorSettings,
    environ: Mapping[str, str],
) -> AsyncIterator[Finding]:
    """Look at everything that the settings name, one finding after the other."""
    types = [settings.job_type, *([settings.http_rest_type] * settings.official_templates)]
    yield Finding("settings", is_fine=True, text=f"job type {' and '.join(types)}")
    for fault in doubtful_names(ConnectorSettings, environ):
        yield Finding("settings", is_fine=True, text=str(fault), is_note=True)
    if settings.api == "v2":
        text = "CONNECTOR_API: v2 is not available in this version; set it to auto or v1"
        yield Finding("settings", is_fine=False, text=text)
    for finding in _check_secrets(settings, environ):
        yield finding
    options = HttpOptions(ca_file=settings.ca_file, proxies=settings.proxies())
    async with (
        open_session(options) as session,
        TokenCache(session, SystemClock(), random.random) as tokens,
    ):
        if settings.secrets_from_console:
            yield await _check_console(secret_sources(settings, {}, session, tokens, SystemClock()))
        async for finding in _check_gateway(settings, tokens):
            yield finding


def _check_secrets(
    settings: ConnectorSettings,
    environ: Mapping[str, str],
) -> Iterator[Finding]:
    if settings.secrets_from_environment:
        yield _count_secrets(settings.secrets_prefix, environ)
    directory = settings.secrets_dir
    if directory is not None:
        readable = is_readable(directory)
        text = "readable" if readable else "is no directory that can be read"
        yield Finding("secrets directory", readable, f"{directory} {text}")


def _count_secrets(prefix: str, environ: Mapping[str, str]) -> Finding:
    count = sum(name.startswith(prefix) for name in environ) if prefix else 0
    where = f"{count} in the environment under {prefix or 'no prefix'}"
    hint = "" if count else "; a task that names {{secrets.X}} needs " + prefix + "X"
    return Finding("secrets", is_fine=True, text=where + hint, is_note=count == 0)


async def _check_console(sources: Sequence[SecretSource]) -> Finding:
    try:
        for source in sources:
            if isinstance(source, SecretStore):
                await source.fetch([], RENDERED)
    except SecretsUnavailable as error:
        return Finding("console secrets", is_fine=False, text=error.message)
    return Finding("console secrets", is_fine=True, text="given")


async def _check_gateway(
    settings: ConnectorSettings,
    tokens: TokenCache,
) -> AsyncIterator[Finding]:
    if settings.credentials is not None:
        try:
            await tokens.token(settings.credentials)
            yield Finding("gateway token", is_fine=True, text="given")
        except TokenError as error:
            yield Finding("gateway token", is_fine=False, text=str(error))
            return
    credentials = gateway_credentials(settings, tokens)
    async with Gateway(
        settings.address,
        credentials=credentials,
        ca_file=settings.ca_file,
    ) as gateway:
        try:
            topology = await gateway.topology()
        except GatewayError as error:
            yield Finding("gateway", is_fine=False, text=str(error))
            return
    text = (
        f"version {topology.gateway_version} at {gateway.target}, "
        f"brokers: {topology.brokers}, partitions: {topology.partitions}"
    )
    yield Finding("gateway", is_fine=topology.brokers > 0, text=text)
    if not _has_operate_v1(topology.gateway_version):
        text = f"version {topology.gateway_version} has no Operate API v1, and v2 is not available "
        yield Finding("Operate", is_fine=False, text=f"{text}in this version of the connector")


def _has_operate_v1(gateway_version: str) -> bool:
    """Whether a cluster of this version can have the API v1, which Camunda 8.10 removed."""
    numbers = re.match(r"(\d+)\.(\d+)", gateway_version)
    return numbers is None or (int(numbers[1]), int(numbers[2])) < _WITHOUT_V1
