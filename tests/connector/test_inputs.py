from contextlib import suppress
from copy import deepcopy

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from connector.cluster import SaaS, SelfManaged
from connector.errors import InputError
from connector.inputs import Policy, read_inputs
from connector.request import build
from tests.kit.jobs import AUTHENTICATION, CLUSTER, SEARCH, variables

SAAS = {"deployment": "saas", "region": "bru-2", "clusterId": "0fc0-11"}


def faults(given, policy=None):
    """The faults that reading `given` finds, as `path: reason`."""
    with pytest.raises(InputError) as caught:
        read_inputs(given, policy or Policy())
    return [str(fault) for fault in caught.value.faults]


def test_a_self_managed_search_is_read():
    """The inputs that the template writes for a self-managed search are understood."""
    inputs = read_inputs(variables(), Policy())
    assert isinstance(inputs.cluster, SelfManaged)
    assert inputs.cluster.base_url == "http://localhost:8081"
    assert inputs.query.operation.name == "search"
    assert inputs.timeout_s == 20


def test_a_saas_cluster_gives_its_addresses():
    """Region and cluster id are all that a cloud cluster needs."""
    inputs = read_inputs(variables(cluster=SAAS), Policy())
    assert isinstance(inputs.cluster, SaaS)
    assert inputs.cluster.base_url == "https://bru-2.operate.camunda.io/0fc0-11"
    assert inputs.cluster.token_url == "https://login.cloud.camunda.io/oauth/token"
    assert inputs.cluster.audience == "operate.camunda.io"


@pytest.mark.parametrize("order", ["asc", "", 1, ["ASC"], {"ASC": 1}])
def test_an_order_is_asc_or_desc(order):
    """Whatever type it is of, the fault is the task's and not the worker's."""
    sort = [{"field": "startDate", "order": order}]
    expected = ["request.sort[0].order: is not ASC or DESC"]
    assert faults(variables(request={**SEARCH, "sort": sort})) == expected


@pytest.mark.parametrize("url", ["http://h:8081/", "http://h:8081/v1", "http://h:8081/v1/"])
def test_a_base_url_may_end_in_the_version_or_a_slash(url):
    """People paste base URLs in several forms; all mean the same."""
    inputs = read_inputs(variables(cluster={**CLUSTER, "operateUrl": url}), Policy())
    assert inputs.cluster.base_url == "http://h:8081"


def test_the_deployment_is_told_from_what_is_there():
    """Only a self-managed cluster has an operateUrl, so it need not say so."""
    given = {key: value for key, value in CLUSTER.items() if key != "deployment"}
    assert isinstance(read_inputs(variables(cluster=given), Policy()).cluster, SelfManaged)


def test_inputs_that_nobody_filled_in_count_as_absent():
    """Modeler writes an empty input as null, or as empty text."""
    given = variables(
        cluster={**CLUSTER, "region": None, "clusterId": ""},
        request={**SEARCH, "filter": None, "sort": None, "pagination": None, "results": ""},
        timeoutSeconds=None,
    )
    assert read_inputs(given, Policy()).query.search.results == 20


def test_all_faults_of_a_job_are_told_at_once():
    """One message names every fault in every section, so that a modeller mends them in one go."""
    given = {
        "cluster": {"deployment": "selfManaged", "operateUrl": "ftp://x"},
        "authentication": {"type": "oauth", "clientId": "x"},
        "request": {
            "endpoint": "processInstances",
            "operation": "search",
            "filter": {"proccessVersion": 1},
            "sort": [{"field": "key", "order": "down"}],
            "results": 0,
        },
        "timeoutSeconds": -1,
    }
    assert faults(given) == [
        "cluster.operateUrl: must be a URL that begins with http:// or https://",
        "authentication.clientSecret: is missing",
        "request.results: is not within 1 to 1000",
        "request.sort[0].order: is not ASC or DESC",
        "request.filter.proccessVersion: is no field of processInstances; "
        "did you mean processVersion?",
        "timeoutSeconds: is not a number of seconds above 0",
    ]


def test_a_job_without_inputs_names_the_missing_sections():
    """A task without the template's inputs says what is missing."""
    assert faults({}) == [
        "cluster: is missing",
        "authentication: is missing",
        "request: is missing",
    ]


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        (
            {"cluster": {"operateUrl": "http://u:p@h"}},
            "cluster.operateUrl: must not hold credentials; use the authentication inputs",
        ),
        (
            {"cluster": {**SAAS, "region": "bru-2.evil.com/"}},
            "cluster.region: may only have letters, digits and hyphens",
        ),
        (
            {"cluster": {**SAAS, "operateUrl": "http://h"}},
            "cluster.operateUrl: does not go with the other inputs; remove it",
        ),
        (
            {"cluster": {**CLUSTER, "operateUri": "http://h"}},
            "cluster.operateUri: is unknown; did you mean operateUrl?",
        ),
        (
            {"cluster": {**CLUSTER, "deployment": "selfmanged"}},
            "cluster.deployment: is unknown; did you mean selfManaged?",
        ),
        (
            {"cluster": {**CLUSTER, "tokenUrl": None}},
            "cluster.tokenUrl: is missing: oauth needs it",
        ),
        (
            {"cluster": {**CLUSTER, "api": "v2"}},
            "cluster.api: v2 is not available in this version; choose v1 or auto",
        ),
        ({"cluster": "http://h"}, "cluster: is not an object"),
        (
            {"authentication": {"type": "OAuth2"}},
            "authentication.type: is unknown; did you mean oauth?",
        ),
        (
            {"authentication": {**AUTHENTICATION, "username": "demo"}},
            "authentication.username: does not go with the other inputs; remove it",
        ),
        (
            {"cluster": SAAS, "authentication": {"type": "none"}},
            "authentication.type: must be oauth for saas: it knows no other way",
        ),
        (
            {"request": {"endpoint": "processInstance", "operation": "search"}},
            "request.endpoint: is unknown; did you mean processInstances?",
        ),
        (
            {"request": {"endpoint": "incidents", "operation": "find"}},
            "request.operation: is unknown; choose one of search, getByKey",
        ),
        (
            {"request": {"endpoint": "incidents", "operation": "xml", "key": 1}},
            "request.operation: xml is not there for incidents; it has search, getByKey",
        ),
        (
            {"request": {"endpoint": "incidents", "operation": "getByKey"}},
            "request.key: is missing",
        ),
        (
            {"request": {"endpoint": "incidents", "operation": "getByKey", "key": "12a"}},
            "request.key: is not a whole number",
        ),
        (
            {"request": {"endpoint": "incidents", "operation": "getByKey", "key": 2.0**53}},
            "request.key: is not a whole number",
        ),
        (
            {"request": {**SEARCH, "key": 1}},
            "request.key: does not go with search; remove it",
        ),
        (
            {"request": {**SEARCH, "results": 1001}},
            "request.results: is not within 1 to 1000",
        ),
        (
            {"request": {**SEARCH, "maxItems": 0}},
            "request.maxItems: is not within 1 to 9223372036854775807",
        ),
        (
            {"request": {**SEARCH, "sort": [{"field": "parentKey"}]}},
            "request.sort[0].field: processInstances cannot be sorted by this field",
        ),
        (
            {"request": {**SEARCH, "sort": [{"field": "startdate"}]}},
            "request.sort[0].field: is no field of processInstances; did you mean startDate?",
        ),
        (
            {"request": {**SEARCH, "pagination": []}},
            "request.pagination: is empty: the page before was the last one",
        ),
        (
            {"request": {**SEARCH, "pagination": [1, 2]}},
            "request.pagination: does not fit the sort; keep the sort of the page before",
        ),
        (
            {"request": {**SEARCH, "filter": {"incident": "maybe"}}},
            "request.filter.incident: is not true or false",
        ),
        (
            {"request": {**SEARCH, "filter": {"key": 1, "processInstanceKey": 2}}},
            "request.filter.processInstanceKey: is the same field as key; keep one of them",
        ),
        (
            {"request": {**SEARCH, "filter": {"processInstanceKey": 2, "key": 1}}},
            "request.filter.key: is the same field as processInstanceKey; keep one of them",
        ),
        (
            {"request": {**SEARCH, "filter": {"key": 2**63}}},
            "request.filter.key: is not a whole number",
        ),
        (
            {
                "request": {
                    "endpoint": "flownodeInstances",
                    "operation": "search",
                    "filter": {"flowNodeName": "x"},
                },
            },
            "request.filter.flowNodeName: cannot be filtered by: the API ignores it",
        ),
        (
            {"request": {"endpoint": "processInstances", "operation": "delete", "key": 1}},
            "request.operation: delete is switched off here; an operator can allow it with "
            "CONNECTOR_ALLOW_DELETE=true",
        ),
        ({"timeoutSeconds": "soon"}, "timeoutSeconds: is not a number of seconds above 0"),
    ],
)
def test_a_bad_input_is_named_with_its_reason(sections, expected):
    """Each kind of bad input has a message that says where it is and what to change."""
    assert faults(variables(**sections)) == [expected]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2024-02-15T22:40:10.834+0000", "2024-02-15T22:40:10.834+0000"),
        ("2024-02-15T22:40:10.834+01:00", "2024-02-15T22:40:10.834+0100"),
        ("2024-02-15T22:40:10Z", "2024-02-15T22:40:10.000+0000"),
        ("2024-02-15T22:40:10.8345678Z[GMT]", "2024-02-15T22:40:10.834+0000"),
        ("2024-02-15T00:00:00.000+0000||/d", "2024-02-15T00:00:00.000+0000||/d"),
    ],
)
def test_a_date_is_sent_in_the_form_that_the_api_takes(given, sent):
    """FEEL writes dates in forms that the API answers with status 500; they are rewritten."""
    request = {**SEARCH, "filter": {"startDate": given}}
    assert read_inputs(variables(request=request), Policy()).query.search.filter == {
        "startDate": sent,
    }


@pytest.mark.parametrize("given", ["yesterday", "2024-02-15", "2024-02-15T22:40", 1700000000000])
def test_a_date_that_the_api_cannot_read_is_refused(given):
    """The API would answer it with status 500, three tries later."""
    request = {**SEARCH, "filter": {"startDate": given}}
    assert faults(variables(request=request)) == [
        "request.filter.startDate: is not a date as 2024-02-15T22:40:10.834+0000",
    ]


def test_no_fault_shows_a_value():
    """Whatever is wrong with an input, its value stays out of the message."""
    canary = "CANARY-4711"
    given = {
        "cluster": {"deployment": canary, "operateUrl": canary},
        "authentication": {"type": canary, "clientSecret": canary},
        "request": {
            "endpoint": canary,
            "operation": canary,
            "filter": {"key": canary},
            "sort": [{"field": canary, "order": canary}],
            "key": canary,
        },
        "timeoutSeconds": canary,
    }
    assert canary not in "\n".join(faults(given))


def test_a_host_that_is_not_allowed_is_refused():
    """With a list of allowed hosts, neither Operate nor the token endpoint may lead elsewhere."""
    given = variables(cluster={**CLUSTER, "operateUrl": "http://elsewhere:8081"})
    assert faults(given, Policy(allowed_hosts=("localhost", "*.camunda.io"))) == [
        "cluster.operateUrl: names a host that this connector may not call; an operator can add "
        "it to CONNECTOR_ALLOWED_HOSTS",
    ]
    allowed = read_inputs(variables(cluster=SAAS), Policy(allowed_hosts=("*.camunda.io",)))
    assert allowed.cluster.region == "bru-2"


def test_the_documented_filter_does_what_it_says():
    """Camunda's own example uses two names that the API ignores; here they are understood."""
    given = {"processInstanceKey": 235, "state": "ACTIVE", "incidents": True}
    inputs = read_inputs(variables(request={**SEARCH, "filter": given}), Policy())
    assert inputs.query.search.filter == {"key": 235, "state": "ACTIVE", "incident": True}


def test_numbers_given_as_text_are_taken():
    """A FEEL text, or a secret, can stand for a number."""
    request = {
        **SEARCH,
        "filter": {"key": "2251799813685249", "incident": "true"},
        "results": "50",
        "maxItems": "120",
    }
    inputs = read_inputs(variables(request=request, timeoutSeconds="7.5"), Policy())
    assert inputs.query.search.filter == {"key": 2251799813685249, "incident": True}
    assert inputs.query.search.results == 50
    assert inputs.query.search.max_items == 120
    assert inputs.timeout_s == 7.5


PLACES = st.sampled_from(
    [
        ("cluster",),
        *(("cluster", name) for name in ("deployment", "operateUrl", "tokenUrl", "api", "region")),
        ("authentication",),
        *(("authentication", name) for name in ("type", "clientId", "audience", "username")),
        ("request",),
        *(("request", name) for name in ("endpoint", "operation", "key", "results", "maxItems")),
        *(("request", name) for name in ("filter", "sort", "pagination", "unknown")),
        *(("request", "filter", name) for name in ("key", "state", "startDate", "incidents")),
        *(("request", "sort", 0, name) for name in ("field", "order", "unknown")),
        ("timeoutSeconds",),
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given_any(st.lists(st.tuples(PLACES, ANYTHING), max_size=3))
def test_whatever_comes_is_read_or_refused(changes):
    """No inputs, however odd, raise anything but a list of faults; what is read makes a request."""
    request = {
        "endpoint": "processInstances",
        "operation": "search",
        "filter": {"state": "ACTIVE"},
        "sort": [{"field": "startDate", "order": "DESC"}],
    }
    changed = deepcopy(variables(request=request))
    # Deeper places first: they are in what a shallower change replaces.
    for place, value in sorted(changes, key=lambda change: -len(change[0])):
        part = changed
        for step in place[:-1]:
            part = part[step]
        part[place[-1]] = value
    with suppress(InputError):
        inputs = read_inputs(changed, Policy(allowed_hosts=("localhost",)))
        assert build(inputs).url.startswith("http")
