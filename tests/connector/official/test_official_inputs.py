"""What a task of an Operate template asks for, and the request that it becomes."""

import asyncio

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import InputError
from connector.inputs import Policy
from connector.official.inputs import read_official_inputs
from connector.official.request import build
from connector.secrets import EnvironmentSecrets, resolve
from tests.kit.jobs import job
from tests.kit.official import GET, SAAS, SEARCH, authentication, variables
from tests.kit.upstream_cases import group


def read(given, policy=Policy()):  # noqa: B008  # frozen
    return read_official_inputs(given, policy)


def requested(given):
    return build(read(given))


def faults(given, policy=Policy()):  # noqa: B008  # frozen
    with pytest.raises(InputError) as caught:
        read(given, policy)
    assert not caught.value.uses_retry
    return [str(fault) for fault in caught.value.faults]


def test_parts_that_a_task_leaves_out_are_sent_as_null():
    """The body is upstream's to the byte: four parts in the template's order, absent ones null."""
    request = requested(variables())
    assert request.body == b'{"filter":null,"sort":null,"searchAfter":null,"size":20}'
    assert (request.method, request.url) == (
        "POST",
        "http://localhost:8081/v1/process-instances/search",
    )


def test_parts_that_a_task_has_are_sent_as_they_are():
    """Filter, sort order and pagination are the task's own business, keys exact."""
    parts = {
        "internal_filter": {"key": 9223372036854775807, "unknown": {"a": None}},
        "internal_sort": [{"field": "name", "order": "ASC"}],
        "internal_pagination": [9007199254740993],
        "internal_results": "50",
    }
    body = orjson.loads(requested(variables(input={**SEARCH, **parts})).body)
    assert body == {
        "filter": parts["internal_filter"],
        "sort": parts["internal_sort"],
        "searchAfter": parts["internal_pagination"],
        "size": 50,
    }


@pytest.mark.parametrize(
    ("results", "size"),
    [
        ("20", 20),
        (50, 50),
        ("2.5", 2.5),
        ("many", None),
        ("1e400", None),
        (None, None),
        (True, None),
    ],
)
def test_the_page_size_is_a_number_or_nothing(results, size):
    """Text is made a number, as upstream does; a number counts as well; the rest is null."""
    given = variables(input={**SEARCH, "internal_results": results})
    assert orjson.loads(requested(given).body)["size"] == size


@pytest.mark.parametrize("key", ["2251799813685732", 2251799813685732, " 2251799813685732 "])
def test_a_get_by_key_takes_the_key_from_the_input(key):
    """The key comes from `input`, whatever `url` says, be it text or a number (case 302)."""
    request = requested(
        variables(input={**GET, "internal_key": key}, url="http://localhost:8081/v1/incidents/")
    )
    assert request.url == "http://localhost:8081/v1/incidents/2251799813685732"
    assert (request.method, request.body) == ("GET", None)


def test_the_cloud_has_one_address_for_each_cluster():
    """Region and cluster id make the address, and the token is asked for at Camunda's."""
    request = requested(variables(authentication=SAAS, url=None))
    assert request.url == "https://bru-2.operate.camunda.io/7c8a-1/v1/process-instances/search"
    assert request.credentials.token_url == "https://login.cloud.camunda.io/oauth/token"
    assert request.credentials.audience == "operate.camunda.io"


@pytest.mark.parametrize("base", ["http://localhost:8081/", "http://localhost:8081/v1"])
def test_a_slash_too_many_in_the_base_url_does_no_harm(base):
    """Upstream would send `//v1` or `/v1/v1`."""
    given = variables(authentication=authentication(operate_base_url=base))
    assert requested(given).url == "http://localhost:8081/v1/process-instances/search"


def test_every_fault_is_told_at_once():
    """Fields that nobody filled in are named together, with the template's own names."""
    empty = dict.fromkeys(["internal_region", "internal_cluster", "clientId", "clientSecret"])
    told = faults(variables(authentication={**SAAS, **empty}, input={}))
    assert told == [
        "authentication.clientId: is missing",
        "authentication.clientSecret: is missing",
        "authentication.internal_region: is missing",
        "authentication.internal_cluster: is missing",
        "input.internal_endpoint: is unknown; choose one of /v1/process-instances, /v1/incidents, "
        "/v1/variables, /v1/process-definitions, /v1/flownode-instances",
        "input.internal_operation: is not one of /search, /",
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"authentication": None}, "authentication: is missing"),
        ({"authentication": "x"}, "authentication: is not an object"),
        ({"input": None}, "input: is missing"),
        ({"input": []}, "input: is not an object"),
        ({"headers": "x"}, "headers: is not an object"),
        ({"input": {**GET, "internal_key": None}}, "input.internal_key: is missing"),
        ({"input": {**GET, "internal_key": "a/b"}}, "input.internal_key: is not a whole number"),
        (
            {"authentication": {**SAAS, "internal_region": "x.evil/"}},
            "authentication.internal_region: may only have letters, digits and hyphens",
        ),
        (
            {"authentication": {**SAAS, "internal_deployment_type": "on-premise"}},
            "authentication.internal_deployment_type: is not one of saas, sm",
        ),
    ],
)
def test_a_fault_is_told_with_its_path(changed, expected):
    """Whatever is wrong, the incident says where."""
    assert expected in faults(variables(**changed))


def test_hosts_are_held_to_what_the_operator_allows():
    """CONNECTOR_ALLOWED_HOSTS holds for these templates too, token endpoint included."""
    told = faults(variables(), Policy(allowed_hosts=("operate.example",)))
    assert [fault.split(":")[0] for fault in told] == [
        "authentication.operate_base_url",
        "authentication.oauthTokenEndpoint",
    ]


@group("http address")
def test_an_address_that_is_none_ends_the_job(case):
    """What upstream refuses as a URL is refused here, by the name of the input."""
    told = faults(variables(authentication=authentication(operate_base_url=case["input"]["url"])))
    assert len(told) == 1
    assert told[0].startswith("authentication.operate_base_url: ")


@group("http time-out read")
def test_a_time_out_is_read_as_upstream_reads_it(case):
    """Numbers as text are taken, fractions and words are not."""
    named = variables(connectionTimeoutInSeconds=case["input"]["connectionTimeoutInSeconds"])
    sources = [EnvironmentSecrets({"SECRET_CONNECT_TIMEOUT_KEY": "7"}, "SECRET_")]
    given = asyncio.run(resolve(named, sources, job())).variables
    if case["expected"]["error"]:
        (fault,) = faults(given)
        assert fault.startswith("connectionTimeoutInSeconds: is not a whole number of seconds")
    else:
        read(given)


@group("http time-out used")
def test_the_read_time_out_falls_back_as_upstreams_does(case):
    """Without one of its own, reading may take as long as connecting, else 20 s."""
    assert read(variables(**case["input"])).idle_s == case["expected"]["effectiveReadTimeout"]


def test_no_time_out_is_no_limit():
    """0 means for ever, as upstream."""
    assert read(variables(connectionTimeoutInSeconds="0")).idle_s is None


NAMES = st.sampled_from(["authentication", "input", "internal_endpoint", "clientId", "headers"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(ANYTHING)
def test_whatever_comes_is_read_or_refused(value):
    """No variables, however odd, raise anything but a list of faults."""
    given = value if isinstance(value, dict) else {"authentication": value, "input": value}
    assert faults(given)


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding"])
def test_a_task_cannot_say_where_its_request_ends(name):
    """The next job's request goes over the same connection: it must not begin within this one."""
    given = variables(headers={name: "3"})
    assert faults(given) == [f"headers.{name}: follows from the body; remove it"]


@pytest.mark.parametrize(
    ("value", "sent"),
    [("a", "a"), (None, ""), (5, "5"), (1.5, "1.5"), (True, "true"), (False, "false")],
)
def test_a_headers_value_is_sent_as_java_writes_it(value, sent):
    """FEEL gives numbers and booleans where a modeller wrote no quotes."""
    assert read(variables(headers={"X-Y": value})).headers == {"X-Y": sent}


@pytest.mark.parametrize("value", [[], ["a"], {}, {"a": 1}])
def test_a_headers_value_is_no_structure(value):
    """What upstream cannot bind is a fault of the task, and not sent in some spelling."""
    assert faults(variables(headers={"X-Y": value})) == ["headers.X-Y: is no text"]


@pytest.mark.parametrize("name", ["", "X Y", "X:Y", "X\r\nY", "Größe"])
def test_a_header_has_a_name_that_http_allows(name):
    """Whatever else would be taken for another header, or refused by the server on each retry."""
    given = variables(headers={name: "3"})
    assert faults(given) == ["headers: has a name that no HTTP header can have"]
