import asyncio

import orjson
import pytest
from aiohttp import web

from connector.authorization import Authorizer
from connector.client import Client
from connector.errors import CallTimeout, ConnectionFailed, HttpError, ResponseInvalid, TokenError
from connector.inputs import Policy, read_inputs
from connector.login import Logins
from connector.request import build
from connector.sharing import SharedReads
from runtime.clock import SystemClock
from runtime.http import HttpOptions, open_session
from runtime.oauth import TokenCache
from tests.kit.http import saying, serving, talking
from tests.kit.jobs import AUTHENTICATION, SEARCH, variables
from tests.kit.loop import leap
from tests.kit.operate import Operate, answer, page
from tests.kit.waiting import eventually

LOGIN = {"username": "demo", "password": "demo"}


@pytest.fixture
async def operate():
    """A scripted Operate, and its origin."""
    operate = Operate()
    async with serving(operate) as operate.origin:
        yield operate


@pytest.fixture
async def client():
    """A client with real caches on a real session."""
    clock = SystemClock()
    async with (
        open_session(HttpOptions()) as session,
        TokenCache(session, clock, lambda: 0.0) as tokens,
        Logins(session) as logins,
    ):
        yield Client(session, Authorizer(tokens, logins), clock, max_response_bytes=1000)


async def send(client, origin, *, time_left_s=60, **sections):
    """Send what inputs with these sections mean."""
    cluster = {"operateUrl": origin, "tokenUrl": f"{origin}/token"}
    inputs = read_inputs(variables(cluster=cluster, **sections), Policy(allow_delete=True))
    return await client.send(build(inputs), time_left_s)


async def test_a_search_brings_its_page_as_it_came(client, operate):
    """The body reaches the process byte for byte, so that no key can lose a digit."""
    body = b'{"items":[{"key":9223372036854775807}],"sortValues":[9223372036854775807],"total":1}'
    operate.say(answer(body))
    response = await send(client, operate.origin)
    assert response.body.raw == body
    assert response.status == 200
    assert response.reason == "OK"
    asked = operate.asked[0]
    assert (asked.method, asked.path) == ("POST", "/v1/process-instances/search")
    assert asked.headers["Authorization"] == "Bearer token-1"
    assert asked.headers["Content-Type"] == "application/json"


async def test_one_token_serves_many_requests(client, operate):
    """However many jobs ask at once, the token endpoint is asked once."""
    operate.say(*[answer(page()) for _ in range(20)])
    await asyncio.gather(*[send(client, operate.origin) for _ in range(20)])
    assert operate.tokens == 1


async def test_a_401_is_followed_by_one_try_with_a_new_token(client, operate):
    """A token that was revoked early is replaced, once."""
    operate.say(answer({}, 401), answer(page()))
    await send(client, operate.origin)
    assert [asked.headers["Authorization"] for asked in operate.asked] == [
        "Bearer token-1",
        "Bearer token-2",
    ]


async def test_a_second_401_fails_the_job(client, operate):
    """Credentials that are refused twice are wrong, not old."""
    operate.say(answer({}, 401), answer({}, 401))
    with pytest.raises(HttpError) as caught:
        await send(client, operate.origin)
    assert caught.value.code == "401"
    assert len(operate.asked) == 2


async def test_a_session_begins_with_a_login_and_repeats_its_csrf_token(client, operate):
    """Cookie and CSRF token of the login go with each request, and the login happens once."""
    operate.say(answer(page()), answer(page()))
    for _ in range(2):
        await send(client, operate.origin, authentication={"type": "session", **LOGIN})
    assert operate.logins == 1
    assert operate.asked[1].headers["Cookie"] == "OPERATE-SESSION=session-1"
    assert operate.asked[1].headers["OPERATE-X-CSRF-TOKEN"] == "csrf-1"


async def test_an_error_that_repeats_a_session_comes_without_it(client, operate):
    """Neither the cookie's value alone nor the CSRF token is shown, in the body or in a header."""
    said = {"message": "session session-1 has the token csrf-1"}
    operate.say(answer(said, 400, X_Session="session-1", Retry_After="7"))
    with pytest.raises(HttpError) as caught:
        await send(client, operate.origin, authentication={"type": "session", **LOGIN})
    response = caught.value.variables["response"]
    assert response["body"] == {"message": "session *** has the token ***"}
    assert response["headers"]["X-Session"] == "***"
    assert caught.value.retry_after_s == 7
    assert "session-1" not in caught.value.message


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (400, "Delete only what has ended, that is COMPLETED or CANCELED: DELETE http"),
        (403, "Give these credentials the permission to delete"),
        (404, "Check the key and the URL; it may be deleted already"),
        (429, "Ask less often"),
    ],
)
async def test_a_delete_that_is_refused_says_what_to_change(client, operate, status, remedy):
    """The API tells no reason that can be relied on, and a delete has reasons of its own."""
    operate.say(answer({}, status))
    request = {"endpoint": "processInstances", "operation": "delete", "key": 1}
    with pytest.raises(HttpError) as caught:
        await send(client, operate.origin, request=request)
    assert caught.value.message.startswith(remedy)


async def test_an_empty_csrf_token_masks_nothing(client, operate):
    """A server that sends the header without a value gets its errors shown as they are."""
    operate.csrf = ""
    operate.say(answer({"message": "no such key"}, 404))
    with pytest.raises(HttpError) as caught:
        await send(client, operate.origin, authentication={"type": "session", **LOGIN})
    assert caught.value.variables["response"]["body"] == {"message": "no such key"}


async def test_a_session_that_ended_is_begun_again(client, operate):
    """A 401 to a session leads to a new login and a second try."""
    operate.say(answer({}, 401), answer(page()))
    await send(client, operate.origin, authentication={"type": "session", **LOGIN})
    assert operate.asked[1].headers["Cookie"] == "OPERATE-SESSION=session-2"


async def test_a_session_begins_where_newer_versions_have_their_login(client, operate):
    """From Camunda 8.8 on the login is at another path, found without being told the version."""
    operate.login_path = "/login"
    operate.say(answer(page()))
    await send(client, operate.origin, authentication={"type": "session", **LOGIN})
    assert operate.asked[0].headers["Cookie"] == "OPERATE-SESSION=session-1"


async def test_a_refused_login_says_what_to_check(client, operate):
    """A wrong password is named as such."""
    operate.login_status = 401
    with pytest.raises(TokenError, match="Check username and password") as caught:
        await send(client, operate.origin, authentication={"type": "session", **LOGIN})
    assert caught.value.code == "401"


async def test_basic_credentials_go_with_the_request(client, operate):
    """Basic authentication needs no request of its own."""
    operate.say(answer(page()))
    await send(client, operate.origin, authentication={"type": "basic", **LOGIN})
    assert operate.asked[0].headers["Authorization"] == "Basic ZGVtbzpkZW1v"
    assert operate.tokens == 0


async def test_no_authentication_sends_none(client, operate):
    """A cluster without authentication is asked without credentials."""
    operate.say(answer(page()))
    await send(client, operate.origin, authentication={"type": "none"})
    assert "Authorization" not in operate.asked[0].headers


async def test_all_pages_are_fetched_until_there_are_enough_items(client, operate):
    """With maxItems the worker pages by itself and asks for no more than is missing."""
    operate.say(
        answer(page({"key": 1}, {"key": 2}, total=9)),
        answer(page({"key": 3}, {"key": 4}, total=9)),
        answer(page({"key": 5}, total=9)),
    )
    request = {**SEARCH, "results": 2, "maxItems": 5}
    response = await send(client, operate.origin, request=request)
    assert response.body.value == {
        "items": [{"key": key} for key in range(1, 6)],
        "sortValues": [5],
        "total": 9,
    }
    assert [asked.body.get("searchAfter") for asked in operate.asked] == [None, [2], [4]]
    assert [asked.body["size"] for asked in operate.asked] == [2, 2, 1]


async def test_a_short_page_is_the_last_one(client, operate):
    """Paging ends with the data, not with another request for nothing."""
    operate.say(answer(page({"key": 1})))
    await send(client, operate.origin, request={**SEARCH, "results": 2, "maxItems": 5})
    assert len(operate.asked) == 1


async def test_a_full_page_without_its_place_is_the_last_one(client, operate):
    """The same page would come again if the next one were asked for from nowhere."""
    operate.say(answer(page({"key": 1}, sort_values=[])))
    request = {**SEARCH, "results": 1, "maxItems": 5}
    response = await send(client, operate.origin, request=request)
    assert response.body.value["items"] == [{"key": 1}]


@pytest.mark.parametrize("wrong", [{"items": 5}, {"items": None}, {"sortValues": {}}])
async def test_a_page_that_cannot_be_gone_on_from_fails_the_job(client, operate, wrong):
    """Only when pages are put together is a page looked into."""
    operate.say(answer({"items": [], "sortValues": [], "total": 0, **wrong}))
    with pytest.raises(ResponseInvalid, match="no page that can be gone on from"):
        await send(client, operate.origin, request={**SEARCH, "maxItems": 5})


@pytest.mark.parametrize("more", [{}, {"maxItems": 5}])
async def test_no_content_is_no_page(client, operate, more):
    """A search without a hit is answered with an empty page, not with nothing."""
    operate.say(web.Response(status=204))
    with pytest.raises(ResponseInvalid, match="answer is empty"):
        await send(client, operate.origin, request={**SEARCH, **more})


@pytest.mark.parametrize(
    "login",
    [
        {"body": "<html>", "content_type": "text/html"},
        {"status": 302, "headers": {"Location": "/login"}},
    ],
)
async def test_a_login_page_is_not_taken_for_xml(client, operate, login):
    """Text is not checked otherwise, but a login page is no diagram."""
    operate.say(web.Response(**login))
    request = {"endpoint": "processDefinitions", "operation": "xml", "key": 1}
    with pytest.raises(ResponseInvalid, match="login page"):
        await send(client, operate.origin, request=request)


async def test_an_error_answer_keeps_its_headers_and_body(client, operate):
    """An error expression finds the API's answer under error.variables.response."""
    body = {"status": 404, "message": "no such key", "instance": "i", "type": "t"}
    operate.say(answer(body, 404))
    with pytest.raises(HttpError) as caught:
        await send(client, operate.origin)
    assert caught.value.code == "404"
    assert caught.value.variables["response"]["body"] == body
    assert caught.value.variables["response"]["headers"]["Content-Type"] == "application/json"
    assert caught.value.message == (
        "Check the key and the URL; what was just created can be seen a moment later: "
        f"POST {operate.origin}/v1/process-instances/search was answered with "
        "status 404 Not Found: no such key"
    )


async def test_retry_after_is_passed_on(client, operate):
    """What the API asks to wait becomes the job's back-off."""
    operate.say(answer({}, 429, Retry_After="7"))
    with pytest.raises(HttpError) as caught:
        await send(client, operate.origin)
    assert caught.value.retry_after_s == 7


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"<html>Sign in</html>", {"Content-Type": "text/html"}, "login page"),
        (b"plain words", {}, "not JSON"),
        (b'{"items": [1, 2', {}, "not JSON"),
        (b'{"items":["\xff"],"sortValues":[],"total":1}', {}, "not JSON"),
        (b"", {}, "empty"),
        (b'{"hits": []}', {}, "no page"),
        (b'{"items":["' + b"x" * 1000 + b'"],"sortValues":[],"total":1}', {}, "1000 bytes"),
    ],
)
async def test_an_answer_that_is_no_page_fails_the_job(client, operate, body, headers, expected):
    """What cannot be a search page is named, and nothing of it reaches the process."""
    operate.say(web.Response(body=body, headers=headers))
    with pytest.raises(ResponseInvalid, match=expected):
        await send(client, operate.origin)


async def test_a_redirect_is_taken_for_a_login_page(client, operate):
    """Redirects are not followed: the API never sends one, a login in front of it does."""
    operate.say(web.Response(status=302, headers={"Location": "/login"}))
    with pytest.raises(ResponseInvalid, match="login page"):
        await send(client, operate.origin)


async def test_a_body_that_is_cut_off_fails_the_job(client):
    """Half an answer is no answer."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
    async with talking(saying(head + b'{"items":[')) as origin:
        with pytest.raises(ResponseInvalid):
            await send(client, origin, authentication={"type": "none"})


async def test_an_answer_that_does_not_come_is_a_time_out(client, operate):
    """A server that hangs costs the job its own time-out and no more."""
    leap()

    async def hang(request):
        await asyncio.Event().wait()

    operate.say(hang)
    with pytest.raises(CallTimeout) as caught:
        await send(client, operate.origin, timeoutSeconds=0.05)
    assert caught.value.code == "408"


@pytest.mark.parametrize(
    ("authentication", "path"),
    [(AUTHENTICATION, "/token"), ({"type": "session", **LOGIN}, "/api/login")],
    ids=["token", "login"],
)
async def test_a_token_or_login_that_does_not_come_is_a_time_out(client, authentication, path):
    """The time covers what a job waits for before its own request; the next one can go on."""
    leap()
    operate = Operate()
    hanging, released = asyncio.Event(), asyncio.Event()

    async def hang_once(request):
        if request.path == path and not hanging.is_set():
            hanging.set()
            await released.wait()
        return await operate(request)

    async with serving(hang_once) as origin:
        with pytest.raises(CallTimeout):
            await send(client, origin, authentication=authentication, timeoutSeconds=0.05)
        assert hanging.is_set()
        assert operate.asked == []
        released.set()
        operate.say(answer(page()))
        assert (await send(client, origin, authentication=authentication)).status == 200


async def test_a_shared_answer_that_does_not_come_is_a_time_out(operate):
    """A job waits no longer for another's request than it would for its own."""
    leap()

    async def hang(request):
        await asyncio.Event().wait()

    clock = SystemClock()
    async with (
        open_session(HttpOptions()) as session,
        TokenCache(session, clock, lambda: 0.0) as tokens,
        Logins(session) as logins,
        SharedReads(clock, 60, lambda: None) as sharing,
    ):
        authorizer = Authorizer(tokens, logins)
        client = Client(session, authorizer, clock, max_response_bytes=1000, sharing=sharing)
        operate.say(hang)
        patient = asyncio.create_task(send(client, operate.origin))
        await eventually(lambda: operate.asked)
        with pytest.raises(CallTimeout):
            await send(client, operate.origin, timeoutSeconds=0.05)
        assert len(operate.asked) == 1
        patient.cancel()
        await asyncio.wait([patient])


async def test_a_job_whose_time_is_over_makes_no_request(client, operate):
    """Nothing is asked for a job that already belongs to another worker."""
    with pytest.raises(CallTimeout):
        await send(client, operate.origin, time_left_s=0)
    assert operate.asked == []


async def test_nobody_listening_is_a_connection_failure(client, operate):
    """A wrong port is named as such, with upstream's code for it."""
    with pytest.raises(ConnectionFailed) as caught:
        await send(client, "http://127.0.0.1:1", authentication={"type": "none"})
    assert caught.value.code == "408"


async def test_xml_comes_as_text(client, operate):
    """A definition's XML reaches the process as one text."""
    operate.say(web.Response(body="<definitions ä/>".encode(), content_type="text/xml"))
    request = {"endpoint": "processDefinitions", "operation": "xml", "key": 1}
    response = await send(client, operate.origin, request=request)
    assert response.body.value == "<definitions ä/>"


async def test_a_header_that_came_twice_is_a_list(client, operate):
    """Repeated headers keep all of their values."""

    async def twice(request):
        response = answer(page())
        response.headers.add("X-Twice", "a")
        response.headers.add("X-Twice", "b")
        return response

    operate.say(twice)
    response = await send(client, operate.origin)
    assert response.value()["headers"]["X-Twice"] == ["a", "b"]


async def test_a_whole_answer_can_be_given_to_the_process(client):
    """Headers of any bytes and the body as it came make one JSON text."""
    body = b'{"items":[],"sortValues":[],"total":0}'
    head = b"HTTP/1.1 200 Fine\r\nX-Odd: a\xff\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with talking(saying(head + body)) as origin:
        response = await send(client, origin, authentication={"type": "none"})
    assert orjson.loads(orjson.dumps(response.encodable())) == {
        "status": 200,
        "headers": {"X-Odd": "a\ufffd", "Content-Length": str(len(body))},
        "reason": "Fine",
        "body": {"items": [], "sortValues": [], "total": 0},
    }
