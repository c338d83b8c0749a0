from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Annotated, ClassVar, Literal

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, encode_basic_auth
from pydantic import SecretStr
from yarl import URL

from runtime.settings import Fault, Port, Rule, Settings, Variable


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


def _host_and_port(settings: ProxySettings) -> Iterator[Fault]:
    """Camunda's runtime quietly goes without a proxy when one of the two is missing."""
    for scheme in ("http", "https"):
        names = [settings.name_of(f"{scheme}_proxy_{part}") for part in ("host", "port")]
        values = [getattr(settings, f"{scheme}_proxy_{part}") for part in ("host", "port")]
        for name, other, value in zip(names, reversed(names), values, strict=True):
            if value is None and any(values):
                yield Fault(name, f"is not set, but {other} is", "set both, or remove both")


def _proxy_urls(settings: ProxySettings) -> Iterator[Fault]:
    for name, url in (("http_proxy", settings.http_proxy), ("https_proxy", settings.https_proxy)):
        try:
            if url is not None:
                proxy_from_url(url.get_secret_value())
        except ValueError as error:
            remedy = "set it to an address such as http://proxy.example:3128"
            yield Fault(settings.name_of(name), str(error), remedy)


class ProxySettings(Settings):
    """The proxies of outgoing HTTP: Camunda's variables first, then the standard ones."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            ("http_proxy_host", "http_proxy_port", "https_proxy_host", "https_proxy_port"),
            _host_and_port,
        ),
        Rule(("http_proxy", "https_proxy"), _proxy_urls),
    )

    http_proxy_host: Annotated[
        str | None, Variable("CONNECTOR_HTTP_PROXY_HOST", meaning="Proxy for http targets: host.")
    ] = None
    http_proxy_port: Annotated[
        Port | None, Variable("CONNECTOR_HTTP_PROXY_PORT", meaning="Proxy for http targets: port.")
    ] = None
    http_proxy_scheme: Annotated[
        Literal["http", "https"],
        Variable("CONNECTOR_HTTP_PROXY_SCHEME", meaning="How that proxy itself is spoken to."),
    ] = "http"
    http_proxy_user: Annotated[
        str | None, Variable("CONNECTOR_HTTP_PROXY_USER", meaning="User at that proxy.")
    ] = None
    http_proxy_password: Annotated[
        SecretStr | None, Variable("CONNECTOR_HTTP_PROXY_PASSWORD", meaning="Password there.")
    ] = None
    https_proxy_host: Annotated[
        str | None, Variable("CONNECTOR_HTTPS_PROXY_HOST", meaning="Proxy for https targets: host.")
    ] = None
    https_proxy_port: Annotated[
        Port | None,
        Variable("CONNECTOR_HTTPS_PROXY_PORT", meaning="Proxy for https targets: port."),
    ] = None
    https_proxy_scheme: Annotated[
        Literal["http", "https"],
        Variable("CONNECTOR_HTTPS_PROXY_SCHEME", meaning="How that proxy itself is spoken to."),
    ] = "http"
    https_proxy_user: Annotated[
        str | None, Variable("CONNECTOR_HTTPS_PROXY_USER", meaning="User at that proxy.")
    ] = None
    https_proxy_password: Annotated[
        SecretStr | None, Variable("CONNECTOR_HTTPS_PROXY_PASSWORD", meaning="Password there.")
    ] = None
    non_proxy_hosts: Annotated[
        str,
        Variable(
            "CONNECTOR_HTTP_NON_PROXY_HOSTS",
            meaning="Hosts reached directly, separated by `|`, with `*` as wildcard.",
        ),
    ] = ""
    http_proxy: Annotated[
        SecretStr | None,
        Variable(
            "HTTP_PROXY", "http_proxy", meaning="Proxy for http targets, when Camunda's is not set."
        ),
    ] = None
    https_proxy: Annotated[
        SecretStr | None,
        Variable(
            "HTTPS_PROXY",
            "https_proxy",
            meaning="Proxy for https targets, when Camunda's is not set.",
        ),
    ] = None
    no_proxy: Annotated[
        str,
        Variable(
            "NO_PROXY",
            "no_proxy",
            meaning="More hosts reached directly: domains, addresses or networks, by commas.",
        ),
    ] = ""

    def proxies(self) -> Proxies:
        """The proxies that these settings ask for."""
        return Proxies(
            http=_camundas(
                self.http_proxy_scheme,
                self.http_proxy_host,
                self.http_proxy_port,
                self.http_proxy_user,
                self.http_proxy_password,
            )
            or _standard(self.http_proxy),
            https=_camundas(
                self.https_proxy_scheme,
                self.https_proxy_host,
                self.https_proxy_port,
                self.https_proxy_user,
                self.https_proxy_password,
            )
            or _standard(self.https_proxy),
            direct=Direct(_items(self.non_proxy_hosts, "|"), _items(self.no_proxy, ",")),
        )


def _camundas(
    scheme: str, host: str | None, port: int | None, user: str | None, password: SecretStr | None
) -> Proxy | None:
    if host is None or port is None:
        return None
    return Proxy(URL.build(scheme=scheme, host=host, port=port), user, password)


def _standard(url: SecretStr | None) -> Proxy | None:
    return None if url is None else proxy_from_url(url.get_secret_value())


def _items(text: str, separator: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(separator) if item.strip())
