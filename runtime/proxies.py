from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, encode_basic_auth
from pydantic import SecretStr
from yarl import URL


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy, spoken to over plain HTTP or TLS; credentials apart from the address."""

    url: URL
    user: str | None = None
    password: SecretStr | None = None

    def headers(self) -> dict[str, str] | None:
        """What the proxy is told about us, None when it is told nothing.

        aiohttp sends it as `Proxy-Authorization`, within a tunnel's request only when there is one.
        """
        if self.user is None:
            return None
        password = self.password.get_secret_value() if self.password else ""
        return {"Authorization": encode_basic_auth(self.user, password, "utf-8")}


@dataclass(frozen=True, slots=True)
class Direct:
    """Which hosts are reached without a proxy.

    Attributes:
        globs: Host patterns with `*`, as in `CONNECTOR_HTTP_NON_PROXY_HOSTS`.
        entries: Entries of `NO_PROXY`: `*`, a domain with all below it, an address, a network in
            CIDR notation, each of the first three optionally with `:port`.
    """

    globs: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()

    def includes(self, url: URL) -> bool:
        """Whether `url` is reached without a proxy."""
        host = (url.host or "").lower().rstrip(".")
        return any(fnmatchcase(host, glob.lower().strip("[]")) for glob in self.globs) or any(
            _matches(entry, host, url.port) for entry in self.entries
        )


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which proxy a URL is fetched through: one for http targets, one for https targets."""

    http: Proxy | None = None
    https: Proxy | None = None
    direct: Direct = field(default_factory=Direct)

    def __bool__(self) -> bool:
        return self.http is not None or self.https is not None

    def proxy_for(self, url: str | URL) -> Proxy | None:
        """The proxy for `url`, None when it is reached directly."""
        target = URL(url)
        proxy = {"http": self.http, "https": self.https}.get(target.scheme)
        return None if proxy is None or self.direct.includes(target) else proxy

    async def route(self, request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
        """The client middleware that sends each request through its proxy."""
        proxy = self.proxy_for(request.url)
        if proxy is not None:
            request.update_proxy(proxy.url, None, proxy.headers())
        return await send(request)


def proxy_from_url(text: str) -> Proxy:
    """A proxy from `http://user:password@host:port`; the scheme may be left out.

    Raises:
        ValueError: It is no http(s) address; the message does not repeat it.
    """
    try:
        url = URL(text if "://" in text else f"http://{text}")
    except ValueError:
        raise ValueError("is no proxy address") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("is no http or https proxy address")
    password = None if url.password is None else SecretStr(url.password)
    return Proxy(url.origin(), url.user, password)


def _matches(entry: str, host: str, port: int | None) -> bool:
    name, _, wanted_port = entry.lower().rpartition(":") if _has_port(entry) else (entry, "", "")
    if wanted_port and wanted_port != str(port):
        return False
    name = name.lower().strip("[]")
    if "/" in name:
        return _in_network(host, name)
    domain = name.removeprefix("*").removeprefix(".")
    return not domain or host == domain or host.endswith(f".{domain}")


def _has_port(entry: str) -> bool:
    # An IPv6 address has colons of its own; with a port it stands in brackets.
    return entry.rpartition(":")[2].isdigit() and (entry.count(":") == 1 or "]:" in entry)


def _in_network(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
