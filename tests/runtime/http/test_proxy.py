import asyncio
import base64
import ssl

import pytest
import trustme
from aiohttp import web
from yarl import URL

from runtime.errors import HttpProxyError, SettingsError
from runtime.http import HttpOptions, exchange, open_session
from runtime.proxies import proxy_from_url
from runtime.proxy import ProxySettings
from runtime.settings import load, redacted
from tests.kit.http import serving, talking


def proxies(**environ):
    return load(ProxySettings, environ).proxies()


def chosen(url, **environ):
    proxy = proxies(**environ).proxy_for(url)
    return None if proxy is None else str(proxy.url)


CAMUNDAS = {"CONNECTOR_HTTP_PROXY_HOST": "camunda", "CONNECTOR_HTTP_PROXY_PORT": "1"}
CAMUNDAS_TLS = {"CONNECTOR_HTTPS_PROXY_HOST": "tls", "CONNECTOR_HTTPS_PROXY_PORT": "2"}
STANDARD = {"HTTP_PROXY": "http://standard:3", "https_proxy": "standard:4"}


def test_none_without_variables():
    """Without variables everything is reached directly."""
    assert not proxies()
    assert proxies().proxy_for("http://h") is None


def test_target_scheme_chooses():
    """Targets over http and https have a proxy each."""
    assert chosen("http://h", **CAMUNDAS, **CAMUNDAS_TLS) == "http://camunda:1"
    assert chosen("https://h", **CAMUNDAS, **CAMUNDAS_TLS) == "http://tls:2"
    assert chosen("https://h", **CAMUNDAS) is None


def test_camundas_win_over_the_standard_ones():
    """The standard variables serve only where Camunda's are not set."""
    assert chosen("http://h", **STANDARD) == "http://standard:3"
    assert chosen("http://h", **STANDARD, **CAMUNDAS) == "http://camunda:1"
    assert chosen("https://h", **STANDARD, **CAMUNDAS) == "http://standard:4"


def test_scheme_user_and_password_are_taken():
    """How the proxy is spoken to, and as whom, comes from Camunda's variables."""
    proxy = proxies(
        **CAMUNDAS,
        CONNECTOR_HTTP_PROXY_SCHEME="HTTPS",
        CONNECTOR_HTTP_PROXY_USER="me",
        CONNECTOR_HTTP_PROXY_PASSWORD="pw",
    ).http

    assert proxy.url == URL("https://camunda:1")
    assert proxy.headers() == {"Authorization": "Basic bWU6cHc="}
    assert "pw" not in repr(proxy)


@pytest.mark.parametrize(
    ("url", "direct"),
    [
        ("http://localhost", True),
        ("http://a.internal", True),
        ("http://internal", False),
        ("http://10.1.2.3", True),
        ("http://OTHER.example", True),
        ("http://h", False),
        ("http://[::1]/", True),
    ],
)
def test_non_proxy_hosts_are_globs(url, direct):
    """Camunda's exceptions are patterns of whole hosts, in any case."""
    excepted = "localhost|*.internal| 10.* |other.EXAMPLE|[::1]"

    assert (chosen(url, **CAMUNDAS, CONNECTOR_HTTP_NON_PROXY_HOSTS=excepted) is None) is direct


@pytest.mark.parametrize(
    ("entry", "url", "direct"),
    [
        ("example.org", "http://example.org", True),
        ("example.org", "http://a.example.org", True),
        ("example.org", "http://notexample.org", False),
        (".example.org", "http://a.example.org", True),
        ("*.example.org", "http://a.example.org", True),
        ("example.org:8080", "http://example.org:8080", True),
        ("example.org:8080", "http://example.org", False),
        ("10.0.0.0/8", "http://10.1.2.3", True),
        ("10.0.0.0/8", "http://11.1.2.3", False),
        ("10.0.0.0/8", "http://host", False),
        ("::1", "http://[::1]:8080", True),
        ("[::1]:8080", "http://[::1]:8080", True),
        ("[::1]:8080", "http://[::1]:8081", False),
        ("fd00::/8", "http://[fd12::1]", True),
        ("*", "http://anything", True),
        ("a, example.org ,b", "http://example.org", True),
    ],
)
def test_no_proxy_entries(entry, url, direct):
    """`NO_PROXY` takes domains, addresses, networks and ports."""
    assert (chosen(url, **STANDARD, NO_PROXY=entry) is None) is direct


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"CONNECTOR_HTTP_PROXY_HOST": "h"}, "CONNECTOR_HTTP_PROXY_PORT"),
        ({"CONNECTOR_HTTPS_PROXY_PORT": "1"}, "CONNECTOR_HTTPS_PROXY_HOST"),
        ({"HTTPS_PROXY": "socks5://me:hidden@h:1"}, "HTTPS_PROXY"),
        ({"HTTP_PROXY": "http://[hidden"}, "HTTP_PROXY"),
        ({"CONNECTOR_HTTP_PROXY_SCHEME": "socks"}, "CONNECTOR_HTTP_PROXY_SCHEME"),
    ],
)
def test_half_or_wrong_proxy_stops_the_start(environ, name):
    """A proxy that would quietly not be used is a fault of the settings."""
    with pytest.raises(SettingsError) as caught:
        load(ProxySettings, environ)

    assert [fault.variable for fault in caught.value.faults] == [name]
    assert "hidden" not in str(caught.value)


def test_proxy_url_is_a_secret_in_the_dump():
    """A proxy URL may hold a password, so the start log masks it."""
    settings = load(ProxySettings, {"HTTP_PROXY": "http://me:hidden@h:1"})

    assert "hidden" not in str(redacted(settings)) + repr(settings)


@pytest.mark.parametrize(
    ("text", "url", "user"),
    [
        ("proxy:3128", "http://proxy:3128", None),
        ("https://me:p%40@proxy", "https://proxy", "me"),
    ],
)
def test_standard_proxy_addresses(text, url, user):
    """The scheme may be left out, credentials are taken off the address."""
    proxy = proxy_from_url(text)

    assert (str(proxy.url), proxy.user) == (url, user)
    assert proxy.password is None or proxy.password.get_secret_value() == "p@"


async def test_http_request_goes_through_the_proxy():
    """The proxy is asked for the whole URL, with its own credentials."""
    asked = []

    async def proxy(request):
        asked.append((request.method, str(request.url), request.headers.get("Proxy-Authorization")))
        return web.Response(text="by proxy")

    async with serving(proxy) as origin:
        port = str(URL(origin).port)
        through = proxies(
            CONNECTOR_HTTP_PROXY_HOST="127.0.0.1",
            CONNECTOR_HTTP_PROXY_PORT=port,
            CONNECTOR_HTTP_PROXY_USER="me",
            CONNECTOR_HTTP_PROXY_PASSWORD="pw",
        )
        async with open_session(HttpOptions(proxies=through)) as session:
            answer = await exchange(session, "GET", "http://operate.test/v1", limit_bytes=99)

    credentials = base64.b64encode(b"me:pw").decode()
    assert answer.body == b"by proxy"
    assert asked == [("GET", "http://operate.test/v1", f"Basic {credentials}")]


async def test_excepted_host_is_asked_directly():
    """A host among the exceptions sees the request itself, though a proxy is set."""

    async def direct(request):
        return web.Response(text=request.path)

    async with serving(direct) as origin:
        around = proxies(
            CONNECTOR_HTTP_PROXY_HOST="127.0.0.1",
            CONNECTOR_HTTP_PROXY_PORT="1",
            NO_PROXY="127.0.0.0/8",
        )
        async with open_session(HttpOptions(proxies=around)) as session:
            answer = await exchange(session, "GET", f"{origin}/x", limit_bytes=99)

    assert answer.body == b"/x"


async def test_https_request_tunnels_through_the_proxy(tmp_path):
    """For an https target the proxy is asked for a tunnel and sees no more."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("operate.test").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    heads = []

    async def target(_request):
        return web.Response(text="in the tunnel")

    async with serving(target, tls=context) as origin:

        async def tunnel(reader, writer):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await relay(reader, writer, URL(origin).port)

        async with talking(tunnel) as proxy:
            through = proxies(HTTPS_PROXY=proxy.replace("//", "//me:pw@"))
            options = HttpOptions(proxies=through, ca_file=ca_file)
            async with open_session(options) as session:
                answer = await exchange(session, "GET", "https://operate.test/", limit_bytes=99)

    assert answer.body == b"in the tunnel"
    assert heads[0].startswith(b"CONNECT operate.test:443 ")
    assert b"\r\nProxy-Authorization: Basic bWU6cHc=\r\n" in heads[0]


async def test_proxy_that_refuses_is_told_as_such():
    """A refused tunnel and an absent proxy are errors of the proxy, not of the target."""

    async def refuse(_request):
        return web.Response(status=407)

    async with serving(refuse) as origin:
        for address in (origin, "http://127.0.0.1:1"):
            options = HttpOptions(proxies=proxies(HTTPS_PROXY=address))
            async with open_session(options) as session:
                with pytest.raises(HttpProxyError, match="proxy"):
                    await exchange(session, "GET", "https://operate.test/", limit_bytes=99)


async def relay(reader, writer, port):
    target_reader, target_writer = await asyncio.open_connection("127.0.0.1", port)

    async def pump(source, sink):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
        sink.close()

    await asyncio.gather(pump(reader, target_writer), pump(target_reader, writer))
