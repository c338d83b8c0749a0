from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import SecretStr
from yarl import URL

from runtime.proxies import Direct, Proxies, Proxy, proxy_from_url
from runtime.settings import Fault, Port, Rule, Settings, Variable


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
