import asyncio
import gzip
import socket
import ssl

import pytest
import trustme
from aiohttp import web

from runtime.errors import (
    HttpConnectError,
    HttpDisconnectedError,
    HttpError,
    HttpNameError,
    HttpProtocolError,
    HttpRefusedError,
    HttpRequestError,
    HttpTimeoutError,
    HttpTlsError,
    HttpTooLargeError,
    HttpTruncatedError,
)
from runtime.http import HttpOptions, exchange, open_session, read_limited
from tests.kit.http import saying, serving, talking
from tests.kit.waiting import PATIENCE_S

MIB = 2**20


async def fetch(url, options=HttpOptions(), method="GET", **how):  # noqa: B008 - frozen
    async with open_session(options) as session:
        return await exchange(session, method, url, **{"limit_bytes": MIB} | how)


async def echo(request):
    return web.json_response(
        {
            "method": request.method,
            "path": request.raw_path,
            "headers": dict(request.headers),
            "body": (await request.read()).decode(),
        }
    )


@pytest.fixture
async def echoing():
    async with serving(echo) as origin:
        yield origin


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_answer_is_whole(echoing):
    """Status, reason, headers and body of the answer are given as they came."""
    answer = await fetch(f"{echoing}/a%2Fb?c=d", method="POST", body=b"x", headers={"X-A": "1"})

    assert (answer.status, answer.reason) == (200, "OK")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert b'"method": "POST"' in answer.body
    assert b'"body": "x"' in answer.body
    assert b'"X-A": "1"' in answer.body


async def test_user_agent_is_the_options(echoing):
    """The session says who we are."""
    answer = await fetch(echoing, HttpOptions(user_agent="ours/1"))

    assert b'"User-Agent": "ours/1"' in answer.body


async def test_error_status_is_an_answer():
    """A status of 500 is no error of the exchange."""

    async def fail(_request):
        return web.Response(status=500, text="broken")

    async with serving(fail) as origin:
        answer = await fetch(origin)

    assert (answer.status, answer.body) == (500, b"broken")


async def test_redirect_is_not_followed():
    """A redirect is given back, not obeyed."""

    async def away(_request):
        raise web.HTTPFound("http://127.0.0.1:1/elsewhere")

    async with serving(away) as origin:
        assert (await fetch(origin)).status == 302


async def test_cookies_are_not_kept():
    """A cookie that one request was given is not sent with the next."""

    async def cookie(request):
        response = web.Response(text=request.headers.get("Cookie", "none"))
        response.set_cookie("session", "of another job")
        return response

    async with serving(cookie) as origin, open_session(HttpOptions()) as session:
        for _ in range(2):
            answer = await exchange(session, "GET", origin, limit_bytes=MIB)

    assert answer.body == b"none"
    assert "session" in answer.headers["Set-Cookie"]


async def test_connections_are_used_again():
    """Requests one after the other share one connection."""
    ports = set()

    async def remember(request):
        ports.add(request.transport.get_extra_info("peername")[1])
        return web.Response()

    async with serving(remember) as origin, open_session(HttpOptions()) as session:
        for _ in range(5):
            await exchange(session, "POST", origin, limit_bytes=MIB, body=b"{}")

    assert len(ports) == 1


async def test_connections_are_limited():
    """No more connections are open at once than the options allow."""
    now = most = 0

    async def count(_request):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return web.Response()

    async with serving(count) as origin, open_session(HttpOptions(connections=3)) as session:
        await asyncio.gather(
            *(exchange(session, "GET", origin, limit_bytes=MIB) for _ in range(12))
        )

    assert most == 3


@pytest.mark.parametrize("length", [MIB, MIB - 1, 0])
async def test_body_up_to_the_limit_is_read(length):
    """A body of exactly the limit is still read."""

    async def some(_request):
        return web.Response(body=b"x" * length)

    async with serving(some) as origin:
        assert len((await fetch(origin)).body) == length


async def test_larger_body_is_refused_by_its_length():
    """A body whose length is told beforehand is refused unread."""

    async def large(_request):
        return web.Response(body=b"x" * (MIB + 1))

    async with serving(large) as origin:
        with pytest.raises(HttpTooLargeError, match="1048576 bytes") as caught:
            await fetch(origin)

    assert caught.value.limit_bytes == MIB


async def test_endless_body_is_cut_off():
    """A chunked body without end is read no further than the limit."""

    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    async with serving(endless) as origin:
        with pytest.raises(HttpTooLargeError):
            await fetch(origin)


async def test_limit_counts_what_is_unpacked():
    """A small compressed body that unpacks to more than the limit is refused."""
    packed = gzip.compress(b"\0" * (20 * MIB))
    assert len(packed) < MIB

    async def bomb(_request):
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async with serving(bomb) as origin:
        with pytest.raises(HttpTooLargeError):
            await fetch(origin)


async def test_compressed_body_is_unpacked():
    """A gzip body is given unpacked."""

    async def packed(_request):
        return web.Response(body=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})

    async with serving(packed) as origin:
        assert (await fetch(origin)).body == b"{}"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", HttpTruncatedError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", HttpTruncatedError),
        (b"", HttpDisconnectedError),
        (b"SSH-2.0-OpenSSH\r\n\r\n", HttpProtocolError),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", HttpProtocolError),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nno gzip!!",
            HttpProtocolError,
        ),
    ],
    ids=["cut off", "cut off chunk", "hung up", "other protocol", "bad status", "bad gzip"],
)
async def test_broken_answers_have_their_types(said, error):
    """What a server does wrong shows in the type of the error."""
    async with talking(saying(said)) as origin:
        with pytest.raises(error) as caught:
            await fetch(f"{origin}/path?token=abc")

    assert type(caught.value) is error
    assert origin in str(caught.value)
    assert "token" not in str(caught.value)


async def test_slow_answer_times_out():
    """An answer that does not come in time is a time-out, in the time asked for."""

    async def wait(_reader, _writer):
        await asyncio.Event().wait()

    async with talking(wait) as origin:
        with pytest.raises(HttpTimeoutError):
            await fetch(origin, timeout_s=0.05)
        with pytest.raises(HttpTimeoutError):
            await fetch(origin, HttpOptions(total_s=0.05))


async def test_slow_body_times_out():
    """The time-out covers the body too."""

    async def trickle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na")
        await asyncio.Event().wait()

    async with talking(trickle) as origin:
        with pytest.raises(HttpTimeoutError):
            await fetch(origin, timeout_s=0.1)


async def test_no_time_left_is_a_timeout(echoing):
    """A time-out of nothing does not mean no time-out."""
    with pytest.raises(HttpTimeoutError, match="no time was left"):
        await fetch(echoing, timeout_s=0)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_closed_port_is_told_as_refused(host):
    """Nobody at the port is told as such, also for a name with several addresses."""
    with pytest.raises(HttpRefusedError, match="check host and port"):
        await fetch(f"http://{host}:{closed_port()}/")


async def test_unknown_name_is_told_as_such():
    """A host name that does not resolve is a name error."""
    with pytest.raises(HttpNameError):
        await fetch("http://does-not-exist.invalid/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8080",
        "/v1",
        "ftp://h/",
        "http://",
        "http:///x",
        "http://h:99999/",
        "http://[/",
    ],
)
async def test_unusable_url_is_refused_before_sending(url):
    """A URL that is none is told without repeating it."""
    with pytest.raises(HttpRequestError) as caught:
        await fetch(url)

    assert "99999" not in str(caught.value)


async def test_line_ends_in_a_header_are_refused(echoing):
    """A header value cannot smuggle in another header."""
    with pytest.raises(HttpRequestError, match="header"):
        await fetch(echoing, headers={"X-A": "1\r\nX-B: 2"})


async def test_credentials_in_a_url_are_not_told():
    """User and password of a URL stay out of messages."""
    with pytest.raises(HttpError) as caught:
        await fetch(f"http://me:pw@127.0.0.1:{closed_port()}/")

    assert "pw" not in str(caught.value)


async def test_cancellation_is_not_translated():
    """A cancelled exchange ends cancelled, not as a time-out."""

    async def wait(_reader, _writer):
        await asyncio.Event().wait()

    async with talking(wait) as origin:
        task = asyncio.ensure_future(fetch(origin))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
async def tls_origin(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with serving(echo, tls=context) as origin:
        yield origin


async def test_own_authority_is_trusted_with_its_file(authority, tls_origin, tmp_path):
    """A server of a private authority is reached once its CA file is given."""
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)

    assert (await fetch(tls_origin, HttpOptions(ca_file=ca_file))).status == 200


async def test_unknown_authority_is_a_tls_error(tls_origin):
    """Without it the connection is refused, and the message says what to do."""
    with pytest.raises(HttpTlsError, match="CA file"):
        await fetch(tls_origin)


async def test_plain_server_under_https_is_a_tls_error(echoing):
    """TLS spoken to a plain server is told as a TLS error."""
    with pytest.raises(HttpConnectError) as caught:
        await fetch(echoing.replace("http:", "https:"))

    assert isinstance(caught.value, HttpTlsError)


async def test_json_is_sent_by_orjson(echoing):
    """The session's own `json=` uses orjson: compact, and integers stay exact."""
    async with (
        open_session(HttpOptions()) as session,
        session.post(echoing, json={"key": 2**53 + 1, "at": 1.5}) as response,
    ):
        assert (await response.json())["body"] == '{"key":9007199254740993,"at":1.5}'


async def test_session_closes_its_connections():
    """Leaving the session closes its connections, so that a server sees them go."""
    gone = asyncio.Event()

    async def talk(reader, writer):
        await saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(reader, writer)
        await reader.read()
        gone.set()

    async with talking(talk) as origin:
        await fetch(origin)
        await asyncio.wait_for(gone.wait(), PATIENCE_S)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", HttpTruncatedError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 100, HttpTooLargeError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3c\r\n", HttpTruncatedError),
    ],
    ids=["cut off", "too large", "cut off chunk"],
)
async def test_body_alone_is_read_with_a_limit(said, error):
    """A response that somebody else asked for is read with the same limit and errors."""
    async with (
        talking(saying(said)) as origin,
        open_session(HttpOptions()) as session,
        session.get(origin) as response,
    ):
        with pytest.raises(error):
            await read_limited(response, 50)
