"""Secrets go into every path of a job, and nothing that leaves it may hold one of them."""

from __future__ import annotations

import orjson
import pytest
from aiohttp import web
from pydantic import SecretStr

from connector.inputs import Policy
from connector.pipeline import Upstream
from connector.redaction import Redaction
from connector.render import render
from connector.secrets import EnvironmentSecrets
from tests.kit.canary import CANARIES, disguises, echo, found_in
from tests.kit.http import serving
from tests.kit.jobs import job
from tests.kit.official import SEARCH as OFFICIAL_SEARCH
from tests.kit.official import authentication as official_authentication
from tests.kit.official import official_job
from tests.kit.official import variables as official_variables
from tests.kit.pipeline import pipelines
from worker.outcome import Complete, Fail, ThrowError


class Gossip:
    """An API, a login and a token endpoint that repeat what they hear; `token` lets one in."""

    def __init__(self):
        self.lets_in = True
        self.status = 500

    async def __call__(self, request):
        if request.path == "/token" and self.lets_in:
            return web.json_response({"access_token": "canary-token-D00D42", "expires_in": 300})
        if request.path in {"/api/login", "/login"} and self.lets_in:
            answer = web.Response(status=204)
            answer.set_cookie("OPERATE-SESSION", "canary-cookie-AF37")
            return answer
        answer = await echo(request)
        answer.set_status(self.status, "Said too much")
        return answer


SENT = {"token": "canary-token-D00D42", "cookie": "canary-cookie-AF37"}
"""Credentials that are made on the way; they are nobody else's business either."""


@pytest.fixture
async def gossip():
    gossip = Gossip()
    async with serving(gossip) as gossip.origin:
        yield gossip


@pytest.fixture
async def both():
    environ = {f"SECRET_{name}": value for name, value in CANARIES.items()}
    async with pipelines([EnvironmentSecrets(environ, "SECRET_")]) as both:
        yield both


OAUTH = {
    "type": "oauth",
    "clientId": "{{secrets.ID}}",
    "clientSecret": "{{secrets.KEY}}",
    "audience": "{{secrets.AUDIENCE}}",
    "scopes": "{{secrets.SCOPE}}",
}
LOGIN = {"username": "{{secrets.USER}}", "password": "{{secrets.PASSWORD}}"}
FILTERS = [
    {"bpmnProcessId": "{{secrets.PLAIN}}"},
    {"bpmnProcessId": "{{secrets.ODD}}", "tenantId": "x secrets.PLAIN y"},
]


def own(origin, authentication=OAUTH, *, headers=None, **request):
    """A job of our own type whose every input comes from a secret."""
    given = {
        "cluster": {"operateUrl": origin, "tokenUrl": f"{origin}/token"},
        "authentication": authentication,
        "request": {"endpoint": "processInstances", "operation": "search", **request},
    }
    return job(given, headers=headers)


def official(origin, *, headers=None):
    """The same by Camunda's template."""
    given = official_variables(
        authentication=official_authentication(
            origin,
            clientId="{{secrets.ID}}",
            clientSecret="secrets.KEY",
            audience="{{secrets.AUDIENCE}}",
            scopes="{{secrets.SCOPE}}",
        ),
        input={**OFFICIAL_SEARCH, "internal_filter": FILTERS[1]},
        headers={"X-Own": "{{secrets.PASSWORD}}"},
    )
    return official_job(given, headers)


def leaves(outcome) -> str:
    """All that an outcome carries out of the process."""
    match outcome:
        case Complete():
            return outcome.variables_json.decode()
        case Fail():
            return f"{outcome.message}\n{outcome.variables_json.decode()}"
        case ThrowError():
            return f"{outcome.code}\n{outcome.message}\n{outcome.variables_json.decode()}"


def check(outcome):
    """Nothing that was secret is in what leaves."""
    text = leaves(outcome)
    # A JSON text hides what is escaped in it; the values are looked through as well.
    plain = str(orjson.loads(outcome.variables_json))
    assert found_in(text + plain) == []
    assert [name for name, value in SENT.items() if value in text] == []
    return text


@pytest.mark.parametrize("filter_", FILTERS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize(
    "authentication",
    [OAUTH, {"type": "basic", **LOGIN}, {"type": "session", **LOGIN}],
    ids=lambda given: given["type"],
)
async def test_an_error_that_repeats_the_request_gives_nothing_away(
    both, gossip, authentication, status, filter_
):
    """An API may repeat inputs, filter values and credentials, in any form: they are masked."""
    gossip.status = status
    check(await both.handle(own(gossip.origin, authentication, filter=filter_)))


@pytest.mark.parametrize("kind", ["oauth", "session"])
async def test_a_refused_login_gives_nothing_away(both, gossip, kind):
    """A token endpoint or a login that repeats what it was sent is not quoted."""
    gossip.lets_in = False
    gossip.status = 400
    given = OAUTH if kind == "oauth" else {"type": "session", **LOGIN}
    check(await both.handle(own(gossip.origin, given)))


@pytest.mark.parametrize("status", [400, 401, 500])
@pytest.mark.parametrize("lets_in", [True, False])
async def test_an_official_template_gives_nothing_away(both, gossip, status, lets_in):
    """The same holds for Camunda's templates, user headers included."""
    gossip.status, gossip.lets_in = status, lets_in
    check(await both.handle_official(official(gossip.origin)))


async def test_upstreams_way_with_secrets_gives_nothing_away(gossip):
    """Where keys can be secrets, a fault that names a key is masked, and so is all the rest."""
    environ = {f"SECRET_{name}": value for name, value in CANARIES.items()}
    sources = [EnvironmentSecrets(environ, "SECRET_")]
    async with pipelines(sources, upstream=Upstream(secrets=True)) as both:
        given = own(gossip.origin, filter={"{{secrets.PLAIN}}": 1, "mysecrets.KEY": 2})
        assert "request.filter.***" in check(await both.handle(given))
        check(await both.handle(own(gossip.origin, filter=FILTERS[0])))
        check(await both.handle_official(official(gossip.origin)))


EXPRESSIONS = [
    '=jobError("no: " + string(error), {all: error, list: [error.message]})',
    '=bpmnError("X", "no: " + error.message, {all: error})',
    '=bpmnError("code " + error.variables.response.body.parsed.filter.bpmnProcessId, "m")',
    "=ignoreError({all: error})",
    '=jobError("x", {}, 1) + error.message',
    "=[error]",
    "={all: error}",
    "=assert(error.message, false, string(error))",
    "={a: ",
    'if erorr.code = "1" then error else null',
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
async def test_an_error_expression_cannot_bring_a_secret_out(both, gossip, expression):
    """What an expression makes of an error is masked like the error: text, variables and code."""
    headers = {"errorExpression": expression}
    check(await both.handle(own(gossip.origin, headers=headers, filter=FILTERS[0])))


async def well_said(request):
    """An API whose good answer repeats a filter value."""
    if request.path == "/token":
        return await Gossip()(request)
    sent = orjson.loads(await request.read())
    items = [{"echo": sent["filter"]["bpmnProcessId"]}]
    return web.json_response({"items": items, "sortValues": [], "total": 1})


@pytest.mark.parametrize(
    "expression",
    ["=response.body.items[1].echo", "=[response]", "=assert(1, false, string(response))", "={a:"],
)
async def test_a_result_expression_that_fails_brings_no_secret_out(both, expression):
    """An answer may repeat a secret too; once it is part of a failure it is masked."""
    async with serving(well_said) as origin:
        given = own(origin, headers={"resultExpression": expression}, filter=FILTERS[0])
        outcome = await both.handle(given)
    assert isinstance(outcome, Fail)
    check(outcome)


@pytest.mark.parametrize(
    "expression",
    [
        "=bpmnError(response.body.items[1].echo, response.body.items[1].echo)",
        "=bpmnError(string(response), string(response), {a: response})",
        "=jobError(response.body.items[1].echo, {a: [response]})",
        "=response.body.items[1].echo",
        "={a: response}",
    ],
)
async def test_an_error_made_of_a_good_answer_brings_no_secret_out(both, expression):
    """A process that makes an error of an answer gets it masked, the code of the error included."""
    async with serving(well_said) as origin:
        given = own(origin, headers={"errorExpression": expression}, filter=FILTERS[0])
        outcome = await both.handle(given)
    assert isinstance(outcome, Fail | ThrowError)
    assert "***" in check(outcome)


async def test_an_address_that_is_a_secret_is_not_shown(gossip):
    """Messages name the origin of what was called; not where the task has it as a secret."""
    environ = {"S_URL": "http://127.0.0.1:1/canary-path/", "S_TOKEN": f"{gossip.origin}/token"}
    async with pipelines([EnvironmentSecrets(environ, "S_")]) as both:
        given = {
            "cluster": {"operateUrl": "{{secrets.URL}}", "tokenUrl": "{{secrets.TOKEN}}"},
            "authentication": {"type": "oauth", "clientId": "a", "clientSecret": "b"},
            "request": {"endpoint": "incidents", "operation": "search"},
        }
        outcome = await both.handle(job(given))
    assert isinstance(outcome, Fail)
    assert "127.0.0.1:1" not in leaves(outcome)
    assert "canary-path" not in leaves(outcome)


@pytest.mark.parametrize("authentication", [OAUTH, {"type": "basic", **LOGIN}])
async def test_what_is_rendered_is_masked(authentication):
    """The command that shows a request shows no secret of it."""
    environ = {f"SECRET_{name}": value for name, value in CANARIES.items()}
    given = orjson.loads(own("http://x", authentication, filter=FILTERS[1]).variables_json)
    shown = await render(given, [EnvironmentSecrets(environ, "SECRET_")], Policy())
    assert "***" in shown
    assert found_in(shown) == []


def test_the_search_finds_what_is_there():
    """Each disguise of each secret would be noticed, and masking ends it."""
    for name, value in CANARIES.items():
        for form in disguises(value):
            assert name in found_in(f"before {form} after")
            masked = Redaction([SecretStr(value)]).text(f"before {form} after")
            assert found_in(masked) == []
