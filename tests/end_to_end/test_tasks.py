"""A service task asks Operate and gets its answer, through a real gateway and a real HTTP API."""

import pytest

from devstack.faults import Cut, HalfBody, HtmlPage, Status
from tests.kit.connector_process import connector_process

pytestmark = pytest.mark.slow


async def test_a_search_becomes_a_process_variable(story, connector):
    """The template's default result expression gives the process the page."""
    story.deploy(resultExpression="={operateResponse: response.body}")
    key, ended = story.begin()
    found = (await ended).variables["operateResponse"]
    assert [item["key"] for item in found["items"]] == [key]
    assert found["total"] == 1
    assert found["sortValues"] == [key]


async def test_the_documented_filter_example_does_what_it_says(story, connector):
    """Camunda's example names two fields that the API ignores; here they filter."""
    story.deploy(resultExpression="={total: response.body.total}")
    story.begin()
    wanted = {"processInstanceKey": 235, "state": "ACTIVE", "incidents": True}
    ended = await story.end(request={**story.request, "filter": wanted})
    assert ended["total"] == 0


async def test_get_by_key_brings_one_entity(story, connector):
    """An instance can be asked for by its key, and the whole answer can be kept."""
    story.deploy(resultVariable="answer")
    key, _ = story.begin(cluster={})
    request = {"endpoint": "processInstances", "operation": "getByKey", "key": str(key)}
    ended = await story.end(request=request)
    assert ended["answer"]["status"] == 200
    assert ended["answer"]["reason"] == "OK"
    assert ended["answer"]["body"]["key"] == key


@pytest.mark.parametrize(
    "endpoint",
    ["processInstances", "processDefinitions", "variables", "flownodeInstances", "incidents"],
)
async def test_every_entity_can_be_searched(story, connector, endpoint):
    """All five entities of the Operate connector answer a search."""
    story.deploy(resultExpression="={items: response.body.items}")
    ended = await story.end(request={"endpoint": endpoint, "operation": "search"})
    assert isinstance(ended["items"], list)


@pytest.mark.parametrize("kind", ["session", "basic"])
async def test_a_login_serves_as_well_as_a_token(story, connector, kind):
    """User name and password let a task in, by session or with each request."""
    story.deploy(resultExpression="={total: response.body.total}")
    login = {"type": kind, "username": "demo", "password": "demo"}
    assert (await story.end(authentication=login))["total"] == 1


async def test_an_error_expression_turns_a_failure_into_a_result(story, connector):
    """A process can go on after a 404 if its modeller says so."""
    expression = '=if error.code = "404" then ignoreError({found: false}) else null'
    story.deploy(errorExpression=expression)
    request = {"endpoint": "incidents", "operation": "getByKey", "key": 1}
    assert (await story.end(request=request))["found"] is False


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"cluster": None}, "cluster: is missing"),
        ({"request": {"endpoint": "incident"}}, "request.endpoint: is unknown; did you mean"),
        (
            {"request": {"endpoint": "incidents", "operation": "delete", "key": 1}},
            "request.operation: delete is not there for incidents",
        ),
        (
            {"request": {"endpoint": "incidents", "operation": "getByKey", "key": "abc"}},
            "request.key: is not a whole number",
        ),
        (
            {
                "request": {
                    "endpoint": "incidents",
                    "operation": "search",
                    "filter": {"procesInstanceKey": 1},
                },
            },
            "did you mean processInstanceKey?",
        ),
        (
            {
                "request": {
                    "endpoint": "incidents",
                    "operation": "search",
                    "sort": [{"field": "key", "order": "desc"}],
                },
            },
            "request.sort[0].order: is not ASC or DESC",
        ),
        (
            {"request": {"endpoint": "incidents", "operation": "search", "results": 1001}},
            "request.results: is not within 1 to 1000",
        ),
        (
            {"authentication": {"type": "basic", "username": "{{secrets.NOBODY}}"}},
            "Secret with name 'NOBODY' is not available",
        ),
        (
            {"request": {"endpoint": "incidents", "operation": "getByKey", "key": 1}},
            "Check the key and the URL",
        ),
        (
            {"authentication": {"type": "oauth", "clientId": "operate", "clientSecret": "no"}},
            "client id",
        ),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:30],
)
async def test_a_bad_task_ends_in_an_incident_that_says_what_to_mend(
    story, connector, changed, expected
):
    """Whatever is wrong with a task, its incident names it, and the worker goes on."""
    story.deploy(resultExpression="={total: response.body.total}")
    assert expected in await story.incident(**changed)
    assert (await story.end())["total"] >= 1


async def test_an_address_without_http_is_refused(story, connector):
    """A base URL must be one."""
    story.deploy()
    message = await story.incident(cluster={**story.cluster, "operateUrl": "localhost:8081"})
    assert "must be a URL that begins with http:// or https://" in message


async def test_the_logs_hold_no_credential(story, connector):
    """Nothing that a task or the environment keeps secret is logged."""
    story.deploy(resultExpression="={total: response.body.total}")
    await story.end()
    await story.incident(request={"endpoint": "incidents", "operation": "getByKey", "key": 1})
    assert await connector.stop() == 0
    assert '"secret"' not in "".join(connector.lines)
    assert "Bearer" not in "".join(connector.lines)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (HtmlPage(), "login page"),
        (HalfBody(), "hung up within its answer"),
        (Cut(), "code=408"),
        (Status(status=500, body="boom"), "status 500"),
        (Status(status=200, body="plain words"), "not JSON"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else None,
)
async def test_a_bad_answer_ends_in_an_incident_that_names_it(
    story, stack, connector, fault, expected
):
    """Whatever the API sends instead of a page, the incident says what it was."""
    story.deploy(resultExpression="={total: response.body.total}")
    stack.faults["operate"].add(fault)
    assert expected in await story.incident()
    assert (await story.end())["total"] >= 1


async def test_a_token_that_is_refused_once_costs_nothing(story, stack, connector):
    """A 401 from the API drops the token, and the second try succeeds."""
    story.deploy(resultExpression="={total: response.body.total}")
    stack.faults["operate"].add(Status(status=401))
    assert (await story.end())["total"] == 1


async def test_an_answer_larger_than_the_limit_fails_its_job_only(story, environ):
    """A limit of the operator's protects the worker from answers that it cannot hold."""
    story.deploy(resultExpression="={total: response.body.total}")
    async with connector_process({**environ, "CONNECTOR_MAX_RESPONSE_BYTES": "100"}):
        assert "CONNECTOR_MAX_RESPONSE_BYTES" in await story.incident()


async def test_a_host_that_is_not_allowed_is_never_called(story, environ):
    """An operator decides where tasks may lead."""
    story.deploy(resultExpression="={total: response.body.total}")
    async with connector_process({**environ, "CONNECTOR_ALLOWED_HOSTS": "operate.example"}):
        assert "CONNECTOR_ALLOWED_HOSTS" in await story.incident()
