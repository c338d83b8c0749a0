"""Calls of the official templates over a real socket: what is sent, and what comes back."""

import asyncio

import orjson
import pytest
from aiohttp import web
from yarl import URL

from connector.authorization import Authorizer
from connector.errors import ConnectionFailed, ConnectorError, HttpError, TokenError
from connector.inputs import Policy
from connector.login import Logins
from connector.official.client import OfficialConnector
from connector.official.response import NoResponse, body_text
from runtime.clock import SystemClock
from runtime.http import HttpOptions, open_session
from runtime.oauth import TokenCache
from runtime.proxies import Direct
from tests.kit.http import saying, serving, talking
from tests.kit.loop import leap
from tests.kit.official import GET, SEARCH, authentication, variables
from tests.kit.upstream_cases import group


class Api:
    """An API and a token endpoint in one, which answer what a test says."""

    def __init__(self):
        self.answers = []
        self.asked = []
        self.token_requests = []
        self.token_answer = {"access_token": "token", "expires_in": 3600}
        self.token_status = 200
        self.origin = ""

    async def __call__(self, request):
        body = await request.read()
        if request.path == "/token":
            form = dict(await request.post())
            self.token_requests.append((request.method, request.headers.copy(), form))
            return web.Response(body=_bytes(self.token_answer), status=self.token_status)
        self.asked.append((request.method, request.path, request.headers.copy(), body))
        answer = self.answers.pop(0)
        return await answer(request) if callable(answer) else answer


def _bytes(value):
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def answering(given):
    """The answer that a case describes."""
    body = given.get("responseBody", given.get("body"))
    answer = web.Response(
        status=given.get("status", 200),
        reason=given.get("reason"),
        body=None if body is None else _bytes(body),
    )
    headers = given.get("headers")
    for name, values in headers.items() if isinstance(headers, dict) else []:
        for value in values if isinstance(values, list) else [values]:
            answer.headers[name] = value
    for name, value in given.get("responseHeaders", []):
        answer.headers.add(name, value)
    if answer.status in {301, 302}:
        answer.headers["Location"] = "/elsewhere"
    return answer


@pytest.fixture
async def api():
    api = Api()
    async with serving(api) as api.origin:
        yield api


@pytest.fixture
async def connector():
    clock = SystemClock()
    async with (
        open_session(HttpOptions()) as session,
        TokenCache(session, clock, lambda: 0.0) as tokens,
        Logins(session) as logins,
    ):
        yield OfficialConnector(
            session, Authorizer(tokens, logins), clock, Policy(), max_response_bytes=10_000
        )


async def send(connector, origin, time_left_s=30, **changed):
    """Send what a task with these variables asks for."""
    request = connector.build(connector.read(variables(origin, **changed)))
    return await connector.send(request, time_left_s)


@group("http error answer")
async def test_an_error_answer_is_upstreams_error(api, connector, case):
    """Code, message, headers and body of an error are those that expressions know."""
    # A 401 is asked a second time.
    api.answers = [answering(case["input"]), answering(case["input"])]
    expected = case["expected"]["error"]
    with pytest.raises(HttpError) as caught:
        await send(connector, api.origin)
    error = caught.value
    response = error.variables["response"]
    assert error.code == expected["code"]
    assert error.message == expected.get("message", error.message)
    assert expected.get("messageContains", "") in error.message
    wanted = expected.get("variables", {}).get("response", {})
    assert response["body"] == wanted.get(
        "body", expected.get("variables.response.body", response["body"])
    )
    for name, value in (wanted.get("headers") or {}).items():
        assert response["headers"][name] == value


async def test_an_error_without_a_reason_says_so(connector):
    """A status line may end after its number."""
    async with (
        talking(saying(b"HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n")) as origin,
        serving(Api()) as tokens,
    ):
        with pytest.raises(HttpError) as caught:
            await send(
                connector,
                origin,
                authentication=authentication(origin, oauthTokenEndpoint=f"{tokens}/token"),
            )
    assert (caught.value.message, caught.value.code) == ("[no reason]", "500")


async def test_retry_after_is_passed_on(api, connector):
    """What the API asks to wait becomes the job's back-off here too."""
    api.answers = [web.Response(status=429, headers={"Retry-After": "7"})]
    with pytest.raises(HttpError) as caught:
        await send(connector, api.origin)
    assert caught.value.retry_after_s == 7


@group("http body")
def test_only_an_object_or_a_list_is_json(case):
    """Text that begins like JSON and is none stays text; blank is null."""
    text = case["input"]["bodyText"]
    value = body_text((text or "").encode()).value
    if case["expected"]["parsedAsJson"]:
        assert value == orjson.loads(text)
    else:
        assert value == (text or None)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'"quoted"', '"quoted"'),
        (b"42", "42"),
        (b"<xml/>", "<xml/>"),
        (b"  ", None),
        (b' {"a": 1} ', {"a": 1}),
        (b'{"key":9223372036854775807}', {"key": 9223372036854775807}),
        (b"caf\xe9", "caf�"),
        (b'{"a":"\xff"}', '{"a":"�"}'),
    ],
)
def test_a_body_is_taken_as_it_comes(body, value):
    """The content type is not asked, and no body is an error."""
    assert body_text(body).value == value
    assert orjson.loads(orjson.dumps(orjson.Fragment(body_text(body).raw))) == value


@group("http good answer")
async def test_a_good_answer_is_upstreams_answer(api, connector, case):
    """Everything below 400 is good, redirects included, and none is followed."""
    api.answers = [answering(case["input"])]
    answer = (await send(connector, api.origin, input=GET)).value()
    expected = case["expected"]
    assert answer["status"] == expected.get("status", 200)
    assert answer["document"] is None
    for name, value in expected.get("headers", {}).items():
        assert answer["headers"][name] == value
    assert expected.get("headersContain", "Server") in answer["headers"]
    if "body" in expected:
        assert answer["body"] == expected["body"]
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 302 Found\r\nLocation: /x"]
)
async def test_a_redirect_without_an_entity_gives_nothing(api, connector, head):
    """Where HTTP announces no body at all, the result is null, as upstream's."""
    signed_in = authentication(oauthTokenEndpoint=f"{api.origin}/token")
    async with talking(saying(head + b"\r\nConnection: close\r\n\r\n")) as origin:
        answer = await send(
            connector, origin, authentication={**signed_in, "operate_base_url": origin}
        )
    assert answer == NoResponse()
    assert answer.value() is None
    assert answer.encodable() is None


@pytest.mark.slow
@group("http silence")
async def test_a_server_that_says_nothing_is_a_time_out(api, connector, case):
    """The wait ends with the task's time-out, in upstream's words."""
    leap()

    async def wait(request):
        await asyncio.sleep(case["input"]["serverDelayMs"] / 1000)

    api.answers = [wait]
    seconds = case["input"]["readTimeoutInSeconds"]
    with pytest.raises(ConnectorError) as caught:
        await send(connector, api.origin, readTimeoutInSeconds=seconds)
    assert caught.value.code == case["expected"]["error"]["code"]
    assert caught.value.message == case["expected"]["error"]["message"]


async def test_a_slow_answer_that_keeps_coming_is_no_time_out(api, connector):
    """The time-out is about silence: an answer may take longer than it in all."""
    leap()

    async def drip(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b"[", b"1", b"]"):
            await asyncio.sleep(0.45)
            await response.write(piece)
        return response

    api.answers = [drip]
    answer = await send(connector, api.origin, connectionTimeoutInSeconds="1")
    assert answer.value()["body"] == [1]


async def test_a_job_ends_with_its_own_time_at_the_latest(api, connector):
    """Without a time-out of its own, a call still ends when the job does."""

    async def hang(request):
        await asyncio.Event().wait()

    api.answers = [hang]
    with pytest.raises(ConnectorError) as caught:
        await send(connector, api.origin, time_left_s=0.05, connectionTimeoutInSeconds="0")
    assert caught.value.code == "408"


async def test_nobody_listening_is_upstreams_408(connector):
    """A refused connection has upstream's words, and its cause beside them."""
    with pytest.raises(ConnectionFailed) as caught:
        await send(connector, "http://127.0.0.1:1")
    assert caught.value.code == "408"
    assert caught.value.message == (
        "An error occurred while executing the request, or the connection was aborted"
    )
    assert "127.0.0.1:1" in caught.value.variables["cause"]


async def test_an_answer_that_is_cut_off_is_upstreams_408(api, connector):
    """Half an answer is an aborted connection."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"
    signed_in = authentication(oauthTokenEndpoint=f"{api.origin}/token")
    async with talking(saying(head)) as origin:
        with pytest.raises(ConnectionFailed) as caught:
            await send(connector, origin, authentication={**signed_in, "operate_base_url": origin})
    assert caught.value.code == "408"


async def test_a_server_without_tls_has_upstreams_code(api, connector):
    """TLS that does not come about has a code of its own."""
    signed_in = authentication(oauthTokenEndpoint=f"{api.origin}/token")
    secure = api.origin.replace("http:", "https:")
    with pytest.raises(ConnectionFailed) as caught:
        await send(connector, secure, authentication={**signed_in, "operate_base_url": secure})
    assert caught.value.code == "SSL_HANDSHAKE_FAILED"


@group("http request")
async def test_headers_and_nulls_go_out_as_upstreams(api, connector, case):
    """Null fields are sent; a null content type is as good as none, others are empty."""
    given, expected = case["input"], case["expected"]
    api.answers = [web.Response()]
    await send(
        connector,
        api.origin,
        headers=given["headers"],
        input={**SEARCH, "internal_filter": given["body"]},
    )
    _, _, headers, body = api.asked[0]
    for name, value in expected["wireHeaders"].items():
        assert headers[name] == value
    assert orjson.dumps(given["body"]) in body
    assert expected.get("wireBody", "").encode() in body


async def test_the_token_goes_out_once_and_alone(api, connector):
    """A header of the task's own of that name, however spelt, would make it two."""
    api.answers = [web.Response()]
    await send(connector, api.origin, headers={"authorization": "Basic x", "X-Own": "1"})
    _, _, headers, _ = api.asked[0]
    assert [value.split()[0] for value in headers.getall("Authorization")] == ["Bearer"]
    assert headers["X-Own"] == "1"


@group("http token request")
async def test_a_token_is_asked_for_as_upstream_asks(api, connector, case):
    """Credentials in the body or as a header, audience and scopes beside them."""
    api.answers = [web.Response()]
    given = authentication(api.origin, **case["input"]["authentication"])
    await send(connector, api.origin, authentication=given)
    method, headers, form = api.token_requests[0]
    expected = case["expected"]["tokenRequest"]
    assert (method, form) == (expected["method"], expected["form"])
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers.get("Authorization", "").startswith("Basic") == ("basicAuth" in expected)
    name, _, value = case["expected"]["apiHeader"].partition(": ")
    assert api.asked[0][2][name] == value


@group("http token refused")
async def test_a_refused_token_has_the_code_of_its_answer(api, connector, case):
    """A token endpoint's 401 looks like one of the API; its body is not repeated."""
    api.token_status = case["input"]["tokenEndpointStatus"]
    api.token_answer = case["input"]["tokenEndpointBody"] + " s3cr3t"
    with pytest.raises(TokenError) as caught:
        await send(connector, api.origin)
    expected = case["expected"]["error"]
    assert caught.value.code == expected["code"]
    assert expected["messageContains"] in caught.value.message
    assert "s3cr3t" not in caught.value.message
    assert caught.value.variables == {"response": {"headers": {}, "body": None}}


async def test_a_token_answer_without_a_token_has_upstreams_code(api, connector):
    """An answer that holds no token is not taken for one."""
    api.token_answer = {"token": "x"}
    with pytest.raises(TokenError) as caught:
        await send(connector, api.origin)
    assert caught.value.code == "OAUTH_TOKEN_ERROR"


@group("http token count", with_differences=True)
async def test_tokens_are_shared(api, connector, case):
    """One token serves many calls; a 401 ends its life; without an age it is kept a while."""
    given = case["input"]
    api.token_answer = given["token"]
    ok, refused = web.Response, lambda: web.Response(status=401)
    api.answers = [ok(), *([refused()] if given.get("invalidateBetween") else []), ok()]
    for _ in range(given["requests"]):
        await send(connector, api.origin)
    # Case 246: upstream keeps no token without `expires_in`.
    ours = 1 if case["id"] == 246 else case["expected"]["tokenRequests"]
    assert len(api.token_requests) == ours


async def test_a_second_401_fails_the_job(api, connector):
    """Credentials that are refused twice are wrong, not old."""
    api.answers = [web.Response(status=401), web.Response(status=401)]
    with pytest.raises(HttpError) as caught:
        await send(connector, api.origin)
    assert caught.value.code == "401"
    assert len(api.asked) == 2


@group("http proxy")
def test_exceptions_from_the_proxy_are_upstreams(case):
    """CONNECTOR_HTTP_NON_PROXY_HOSTS means what it means to Camunda's runtime."""
    patterns = tuple(case["input"]["nonProxyHosts"].split("|"))
    url = URL(f"https://{case['input']['host']}/")
    assert Direct(globs=patterns).includes(url) == case["expected"]["bypassProxy"]
