from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 26500, "https": 443}


class AddressInvalidError(ValueError):
    """The gateway's address can't be used; the message says what one looks like."""


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
    parts = urlsplit(text if "://" in text else f"http://{text}")
    if parts.scheme not in _DEFAULT_PORTS:
        raise _invalid("its scheme is neither http nor https")
    if parts.username is not None or parts.password is not None:
        raise _invalid("it holds credentials, which have settings of their own")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _invalid("nothing may follow the port")
    if not parts.hostname:
        raise _invalid("it names no host")
    try:
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except ValueError as error:
        raise _invalid("its port is no number up to 65535") from error
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(f"{host}:{port}", tls=parts.scheme == "https")


def _invalid(reason: str) -> AddressInvalidError:
    return AddressInvalidError(
        f"the gateway's address is not usable: {reason}; "
        "write http://host:26500, or https://host:443 for TLS"
    )
