import base64

import pytest
from aiohttp import web
from pydantic import SecretStr

from runtime.errors import TokenMalformedError, TokenRefusedError, TokenUnavailableError
from runtime.http import HttpOptions, open_session
from runtime.token_endpoint import (
    DEFAULT_LIFETIME_S,
    LONGEST_LIFETIME_S,
    ClientCredentials,
    form,
    request_grant,
)
from tests.kit.http import saying, serving, talking

SECRET = "s3cr&t =ü"


def credentials(url="http://h/token", **parts):
    return ClientCredentials(url, "me", SecretStr(SECRET), **parts)


async def ask(url, **parts):
    async with open_session(HttpOptions()) as session:
        return await request_grant(session, credentials(url, **parts), timeout_s=5, now_ms=0)


def answering(body, status=200, **headers):
    async def answer(_request):
        return web.Response(body=body, status=status, headers=headers)

    return serving(answer)


def test_form_is_in_camundas_order():
    """The parts stand in the order that Camunda's clients use."""
    sent = form(credentials(audience="operate-api", scope="a b", resource="r"))

    assert sent == (
        b"grant_type=client_credentials&client_id=me&client_secret=s3cr%26t+%3D%C3%BC"
        b"&audience=operate-api&scope=a+b&resource=r"
    )


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_blank_parts_are_left_out(blank):
    """A part that is not there is not sent as an empty one."""
    sent = form(credentials(audience=blank, scope=blank, resource=blank))

    assert sent == b"grant_type=client_credentials&client_id=me&client_secret=s3cr%26t+%3D%C3%BC"


async def test_request_is_a_form_post():
    """The token is asked for by POST of a form."""
    asked = []

    async def issue(request):
        asked.append((request.method, request.content_type, "Authorization" in request.headers))
        assert (await request.post())["client_secret"] == SECRET
        return web.json_response({"access_token": "t", "expires_in": 60})

    async with serving(issue) as origin:
        grant = await ask(origin)

    assert asked == [("POST", "application/x-www-form-urlencoded", False)]
    assert (grant.token.get_secret_value(), grant.lifetime_s) == ("t", 60)
    assert "'t'" not in repr(grant)


async def test_basic_puts_the_client_into_the_header():
    """With Basic, id and secret are in the header and not in the form."""
    asked = []

    async def issue(request):
        asked.append((request.headers["Authorization"], await request.text()))
        return web.json_response({"access_token": "t"})

    async with serving(issue) as origin:
        await ask(origin, client_authentication="basic", audience="a")

    pair = base64.b64encode(f"me:{SECRET}".encode()).decode()
    assert asked == [(f"Basic {pair}", "grant_type=client_credentials&audience=a")]


@pytest.mark.parametrize(
    ("expires_in", "lifetime_s"),
    [
        (b"60", 60),
        (b'"60"', 60),
        (b"0", DEFAULT_LIFETIME_S),
        (b"-1", DEFAULT_LIFETIME_S),
        (b"59.5", 59.5),
        (b"null", DEFAULT_LIFETIME_S),
        (b"1e12", LONGEST_LIFETIME_S),
    ],
)
async def test_lifetime_is_read(expires_in, lifetime_s):
    """Numbers and numbers as text give a lifetime within bounds; none, 0 and less the default."""
    async with answering(b'{"access_token": "t", "expires_in": %s}' % expires_in) as origin:
        assert (await ask(origin)).lifetime_s == lifetime_s


@pytest.mark.parametrize(
    ("given", "token_type"),
    [
        (b"", "Bearer"),
        (b', "token_type": null', "Bearer"),
        (b', "token_type": ""', "Bearer"),
        (b', "token_type": "bearer"', "bearer"),
        (b', "token_type": "DPoP"', "DPoP"),
    ],
)
async def test_type_is_as_given(given, token_type):
    """The case of a token's type is kept; without one it is `Bearer`."""
    async with answering(b'{"access_token": "t"%s}' % given) as origin:
        assert (await ask(origin)).token_type == token_type


@pytest.mark.parametrize(
    ("status", "body", "checks"),
    [
        (401, b'{"error": "invalid_client"}', "client id and client secret"),
        (400, b'{"error": "invalid_scope"}', "scope"),
        (400, b'{"error": "invalid_target"}', "audience and resource"),
        (404, b"<html>", "token URL, client id, client secret, audience and scope"),
        (302, b"", "token URL"),
        (400, b'["error"]', "token URL"),
        (400, b'{"error": {"a": 1}}', "token URL"),
    ],
)
async def test_refusal_says_what_to_check(status, body, checks):
    """A refusal carries its status, and its message what to look at."""
    async with answering(body, status, Location="/") as origin:
        with pytest.raises(TokenRefusedError, match=checks) as caught:
            await ask(origin)

    assert caught.value.status == status
    assert str(status) in str(caught.value)


async def test_server_text_is_not_repeated():
    """What else the endpoint says stays out of the message: it may hold what we sent."""
    body = b'{"error": "s3cr3t-code", "error_description": "no client s3cr3t"}'
    async with answering(body, 401) as origin:
        with pytest.raises(TokenRefusedError) as caught:
            await ask(f"{origin}/token?key=s3cr3t")

    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_endpoint_that_is_away_says_for_how_long(status):
    """Statuses that pass by themselves are told apart, with their `Retry-After`."""
    async with answering(b"", status, **{"Retry-After": "7"}) as origin:
        with pytest.raises(TokenUnavailableError) as caught:
            await ask(origin)

    assert (caught.value.status, caught.value.retry_after_s) == (status, 7)
    assert caught.value.retryable


async def test_no_answer_is_unavailable():
    """I/O that fails is the endpoint being away, with the network's error as the cause."""
    async with talking(saying(b"")) as origin:
        with pytest.raises(TokenUnavailableError, match="check the token URL") as caught:
            await ask(origin)

    assert caught.value.status is None
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    "body",
    [
        b"<html>login</html>",
        b"",
        b"[]",
        b"{}",
        b'{"access_token": ""}',
        b'{"access_token": 5}',
        b'{"access_token": "a b"}',
        b'{"access_token": "a\\r\\nX: b"}',
        b'{"access_token": "t", "token_type": "Bearer\\r\\nX: b"}',
        b'{"access_token": "t", "token_type": 1}',
        b'{"access_token": "t", "expires_in": "soon"}',
        b'{"access_token": "t", "expires_in": true}',
        b'{"access_token": "t", "expires_in": "nan"}',
        b'{"access_token": "t", "expires_in": [1]}',
    ],
)
async def test_answer_without_a_usable_token_is_malformed(body):
    """A 200 that holds no token is an error of its own."""
    async with answering(body) as origin:
        with pytest.raises(TokenMalformedError, match="check the token URL"):
            await ask(origin)


async def test_answer_that_is_no_http_is_malformed():
    """A port that speaks something else is no token endpoint."""
    async with talking(saying(b"SSH-2.0\r\n\r\n")) as origin:
        with pytest.raises(TokenMalformedError):
            await ask(origin)


async def test_url_that_is_none_is_malformed():
    """A token URL that cannot be asked is told as such."""
    with pytest.raises(TokenMalformedError, match=r"http\(s\) URL"):
        await ask("login.example/token")


def test_credentials_are_a_key_that_does_not_print():
    """Equal credentials are one key, another secret is another key, and no secret is shown."""
    other = ClientCredentials("http://h/token", "me", SecretStr("other"))

    assert len({credentials(), credentials(), other}) == 2
    assert SECRET not in repr(credentials())
