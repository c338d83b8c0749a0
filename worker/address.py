from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 26500, "https": 443}


ADDRESS_REMEDY: Final = "write http://host:26500, or https://host:443 for TLS"


class AddressInvalidError(ValueError):
    """The gateway's address can't be used; the message says what one looks like.

    Attributes:
        reason: Why, without the address.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the gateway's address is not usable: {reason}; {ADDRESS_REMEDY}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Address:
    """Where the gateway is.

    Attributes:
        target: `host:port` as gRPC takes it.
        tls: Whether the connection is encrypted.
    """

    target: str
    tls: bool


def parse_address(text: str) -> Address:
    """Read `http://host:port`, `https://host:port` (TLS) or a bare `host:port` (no TLS).

    Without a port, http means Zeebe's 26500 and https means 443.

    Raises:
        AddressInvalidError: For anything else.
    """
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
    except ValueError as error:
        raise AddressInvalidError("its brackets hold no IPv6 address") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise AddressInvalidError("its scheme is neither http nor https")
    if parts.username is not None or parts.password is not None:
        raise AddressInvalidError("it holds credentials, which have settings of their own")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise AddressInvalidError("nothing may follow the port")
    if not parts.hostname:
        raise AddressInvalidError("it names no host")
    try:
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except ValueError as error:
        raise AddressInvalidError("its port is no number up to 65535") from error
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(f"{host}:{port}", tls=parts.scheme == "https")
