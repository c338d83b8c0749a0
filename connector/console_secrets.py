from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
import structlog
from aiohttp import ClientSession
from pydantic import SecretStr
from typing_extensions import override

from connector.errors import SecretsUnavailable
from connector.secrets import SecretStore
from runtime.clock import Clock
from runtime.errors import ServiceError
from runtime.http import Answer, exchange
from runtime.oauth import ClientCredentials, TokenCache
from worker.job import Job

REFRESH_S: Final = 20.0
"""How long what Console said is used: upstream's figure."""

_LIMIT_BYTES = 4 * 1024 * 1024
_UNAUTHORIZED = 401
_OK = 200
_log = structlog.get_logger("connector")


@dataclass(frozen=True, slots=True)
class _Read:
    """All secrets of the cluster, and when they were asked for."""

    secrets: Mapping[str, SecretStr]
    at_s: float


class ConsoleSecrets(SecretStore):
    """The secrets that Camunda's Console (SaaS) keeps for a cluster.

    All of them come at once and are used for 20 s; however many jobs ask, one request is under
    way. While Console cannot be reached, what it said last goes on being used.
    """

    def __init__(
        self,
        session: ClientSession,
        tokens: TokenCache,
        clock: Clock,
        *,
        endpoint: str,
        credentials: ClientCredentials,
    ) -> None:
        self._session = session
        self._tokens = tokens
        self._clock = clock
        self._endpoint = endpoint
        self._credentials = credentials
        self._last: _Read | None = None
        self._reading = asyncio.Lock()

    @override
    async def fetch(self, names: Sequence[str], job: Job) -> Mapping[str, SecretStr]:
        async with self._reading:
            if self._last is None or self._clock.monotonic_s() - self._last.at_s >= REFRESH_S:
                self._last = await self._refreshed(self._last)
        return self._last.secrets

    @property
    @override
    def remedy(self) -> str:
        return "Add it to the cluster's connector secrets in Camunda's Console."

    async def _refreshed(self, last: _Read | None) -> _Read:
        asked_at_s = self._clock.monotonic_s()
        try:
            return _Read(await self._read(), asked_at_s)
        except (ServiceError, SecretsUnavailable) as error:
            if last is None:
                raise SecretsUnavailable(
                    f"Camunda's Console gave no secrets ({error}). Check that it is reachable, and "
                    f"that the client of this connector may read secrets."
                ) from error
            _log.warning("console secrets not refreshed", error=type(error).__name__)
            return _Read(last.secrets, asked_at_s)

    async def _read(self) -> Mapping[str, SecretStr]:
        token = await self._tokens.token(self._credentials)
        answer = await self._ask(token)
        if answer.status == _UNAUTHORIZED:
            self._tokens.drop(self._credentials, token)
            answer = await self._ask(await self._tokens.token(self._credentials))
        if answer.status != _OK:
            raise SecretsUnavailable(f"it answered with status {answer.status}")
        return _secrets(answer.body)

    async def _ask(self, token: str) -> Answer:
        return await exchange(
            self._session,
            "GET",
            self._endpoint,
            limit_bytes=_LIMIT_BYTES,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        )


def _secrets(body: bytes) -> Mapping[str, SecretStr]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise SecretsUnavailable("its answer is no JSON object")
    return {name: SecretStr(value) for name, value in found.items() if isinstance(value, str)}
