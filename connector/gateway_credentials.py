from __future__ import annotations

import base64

from typing_extensions import override

from connector.connection import Connection
from runtime.oauth import ClientCredentials, TokenCache
from worker.credentials import CallCredentials, Metadata, NoCredentials


class TokenCredentials(CallCredentials):
    """The gateway's token, from the cache that Operate's tokens come from too."""

    def __init__(self, tokens: TokenCache, credentials: ClientCredentials) -> None:
        self._tokens = tokens
        self._credentials = credentials

    @override
    async def metadata(self) -> Metadata:
        return (("authorization", f"Bearer {await self._tokens.token(self._credentials)}"),)

    @override
    def rejected(self, metadata: Metadata) -> None:
        for _, value in metadata:
            self._tokens.drop(self._credentials, value.removeprefix("Bearer "))


class BasicCredentials(CallCredentials):
    """User name and password with every call."""

    def __init__(self, username: str, password: str) -> None:
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._metadata = (("authorization", f"Basic {pair}"),)

    @override
    async def metadata(self) -> Metadata:
        return self._metadata

    @override
    def rejected(self, metadata: Metadata) -> None:
        pass


def gateway_credentials(connection: Connection, tokens: TokenCache) -> CallCredentials:
    """What the settings say the gateway must be shown."""
    if connection.credentials is not None:
        return TokenCredentials(tokens, connection.credentials)
    if connection.method == "basic" and connection.username and connection.password:
        return BasicCredentials(connection.username, connection.password.get_secret_value())
    return NoCredentials()
