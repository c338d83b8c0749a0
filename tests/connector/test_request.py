import orjson
import pytest

from connector.inputs import Policy, read_inputs
from connector.request import BasicLogin, SessionLogin, build, next_page
from runtime.oauth import ClientCredentials
from tests.kit.jobs import CLUSTER, SEARCH, variables


def request(**sections):
    """The request that inputs with these sections mean."""
    return build(read_inputs(variables(**sections), Policy(allow_delete=True)))


def test_a_plain_search_asks_for_a_page():
    """Nothing is sent that was not asked for, but the page size."""
    made = request()
    assert made.operation.method == "POST"
    assert made.url == "http://localhost:8081/v1/process-instances/search"
    assert orjson.loads(made.body) == {"size": 20}


def test_a_search_sends_filter_sort_and_place():
    """The API's own names go out, in its own shape."""
    made = request(
        request={
            **SEARCH,
            "filter": {"processInstanceKey": 235, "incidents": True},
            "sort": [{"field": "startDate", "order": "DESC"}],
            "pagination": [1700000000000, 9007199254740993],
            "results": 5,
        },
    )
    assert orjson.loads(made.body) == {
        "filter": {"key": 235, "incident": True},
        "sort": [{"field": "startDate", "order": "DESC"}],
        "searchAfter": [1700000000000, 9007199254740993],
        "size": 5,
    }


@pytest.mark.parametrize(
    ("endpoint", "operation", "key", "expected"),
    [
        ("processInstances", "getByKey", 5, "GET /v1/process-instances/5"),
        ("processInstances", "delete", 5, "DELETE /v1/process-instances/5"),
        ("processInstances", "statistics", 5, "GET /v1/process-instances/5/statistics"),
        ("processInstances", "sequenceFlows", 5, "GET /v1/process-instances/5/sequence-flows"),
        ("processDefinitions", "xml", "6", "GET /v1/process-definitions/6/xml"),
        ("variables", "getByKey", 7, "GET /v1/variables/7"),
        ("flownodeInstances", "getByKey", 8, "GET /v1/flownode-instances/8"),
        ("incidents", "getByKey", 9, "GET /v1/incidents/9"),
        ("decisionDefinitions", "getByKey", 10, "GET /v1/decision-definitions/10"),
        ("decisionRequirements", "xml", 11, "GET /v1/drd/11/xml"),
        ("decisionInstances", "getByKey", "12-1", "GET /v1/decision-instances/12-1"),
    ],
)
def test_each_operation_has_its_path(endpoint, operation, key, expected):
    """Every operation of every endpoint goes where the API has it."""
    made = request(request={"endpoint": endpoint, "operation": operation, "key": key})
    path = made.url.removeprefix("http://localhost:8081")
    assert f"{made.operation.method} {path}" == expected
    assert made.body is None


def test_oauth_asks_for_the_usual_audience():
    """Without an audience the one of a self-managed Operate is asked for."""
    assert request().authorization == ClientCredentials(
        token_url="http://localhost:18080/token",
        client_id="operate",
        client_secret=request().authorization.client_secret,
        audience="operate-api",
        scope=None,
    )


def test_other_ways_of_authentication_carry_their_login():
    """Basic goes with each request, a session is begun at Operate's login address."""
    login = {"username": "demo", "password": "demo"}
    basic = request(authentication={"type": "basic", **login}).authorization
    session = request(authentication={"type": "session", **login}).authorization
    assert isinstance(basic, BasicLogin)
    assert isinstance(session, SessionLogin)
    assert session.base_url == "http://localhost:8081"
    assert request(authentication={"type": "none"}).authorization is None


def test_a_saas_request_goes_to_the_cloud():
    """Region and cluster id make the address."""
    made = request(cluster={"deployment": "saas", "region": "bru-2", "clusterId": "0fc0"})
    assert made.url == "https://bru-2.operate.camunda.io/0fc0/v1/process-instances/search"
    assert made.authorization.audience == "operate.camunda.io"


def test_the_next_page_goes_on_where_the_last_one_ended():
    """A following page keeps filter and sort and asks for no more than is missing."""
    first = request(request={**SEARCH, "results": 10, "maxItems": 25, "filter": {"key": 1}})
    second = next_page(first, [7], missing=5)
    assert orjson.loads(second.body) == {"filter": {"key": 1}, "searchAfter": [7], "size": 5}


def test_a_trailing_slash_does_not_double():
    """A base URL with a slash at its end leads to the same place."""
    made = request(cluster={**CLUSTER, "operateUrl": "http://localhost:8081/"})
    assert made.url == "http://localhost:8081/v1/process-instances/search"
