from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from typing_extensions import override

Metadata = Sequence[tuple[str, str]]
"""Header fields of one call, names in lower case."""


class CallCredentials(Protocol):
    """Gives each call its credentials, on TLS and on plaintext alike.

    gRPC's own `AuthMetadataPlugin` needs TLS and a thread a call (ten times slower, measured), so
    credentials go as plain call metadata.
    """

    async def metadata(self) -> Metadata:
        """Fields to send, such as `("authorization", "Bearer …")`.

        Any exception counts as "no credentials just now": the call is tried again later.
        """
        ...

    def rejected(self, metadata: Metadata) -> None:
        """The gateway answered UNAUTHENTICATED to a call with these fields: do not reuse them."""
        ...


class NoCredentials(CallCredentials):
    """For a gateway that asks for none."""

    @override
    async def metadata(self) -> Metadata:
        return ()

    @override
    def rejected(self, metadata: Metadata) -> None:
        pass
