"""The API v1 over a socket, as a table: what is asked, and what Operate would answer.

The expected values are those of Operate's documentation and public tests, as collected in the
project's facts on the API.
"""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devstack.operate.errors import ApiError
from devstack.operate.fields import ENTITIES, PROCESS_INSTANCES, SINCE_8_8
from devstack.operate.query import parse_query
from devstack.operate.seeds import read_seeds
from devstack.operate.store import Store
from tests.devstack.conftest import running_v1
from tests.kit.clock import FakeClock

DATE = "2024-02-15T22:40:10.834+0000"
MS = 1_708_036_810_834
INSTANCES = [
    {
        "key": 9_007_199_254_741_196,
        "processVersion": 1,
        "bpmnProcessId": "order",
        "startDate": "2024-02-15T22:40:10.834+0000",
        "endDate": "2024-02-16T08:00:00.000+0000",
        "state": "COMPLETED",
        "incident": False,
        "processDefinitionKey": 7,
        "tenantId": "<default>",
    },
    {
        "key": 9_007_199_254_741_197,
        "processVersion": 2,
        "bpmnProcessId": "order",
        "parentKey": 9_007_199_254_741_196,
        "startDate": "2024-02-15T00:00:00.000+0000",
        "state": "ACTIVE",
        "incident": True,
        "processDefinitionKey": 8,
        "tenantId": "<default>",
    },
    {
        "key": 9_007_199_254_741_198,
        "processVersion": 1,
        "bpmnProcessId": "invoice",
        "startDate": "2024-02-14T23:59:59.999+0000",
        "endDate": "2024-02-15T01:00:00.000+0000",
        "state": "CANCELED",
        "incident": False,
        "processDefinitionKey": 9,
        "tenantId": "other",
    },
]
FIRST, SECOND, THIRD = (instance["key"] for instance in INSTANCES)


@pytest.fixture
def seeded(v1):
    v1.store.seed(read_seeds({"process-instances": INSTANCES}))
    return v1


def keys(items):
    return [item["key"] for item in items]


async def test_an_empty_body_asks_for_everything(seeded):
    """No body is an empty object: ten items, by key."""
    status, body = await seeded.search("process-instances", raw=b"")
    assert (status, keys(body["items"]), body["total"]) == (200, [FIRST, SECOND, THIRD], 3)


async def test_explicit_nulls_are_no_restriction(seeded):
    """Camunda's own template sends null for what it does not use."""
    body = {"filter": None, "sort": None, "searchAfter": None, "size": 20}
    status, answer = await seeded.search("process-instances", body)
    assert (status, answer["total"]) == (200, 3)


async def test_an_answer_has_its_three_parts_even_when_empty(seeded):
    """Nothing found: empty lists and zero, in the documented order."""
    status, body = await seeded.search("process-instances", {"filter": {"state": "active"}})
    assert status == 200
    assert list(body.items()) == [("items", []), ("sortValues", []), ("total", 0)]


async def test_an_item_leaves_nulls_out_and_keeps_the_order_of_fields(seeded):
    """A field without a value is absent."""
    items = await seeded.items("process-instances", {"key": SECOND})
    assert list(items[0].items()) == list(INSTANCES[1].items())


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({}, [FIRST, SECOND, THIRD]),
        ({"state": "ACTIVE"}, [SECOND]),
        ({"state": "CANCELLED"}, []),
        ({"bpmnProcessId": "order", "state": "COMPLETED"}, [FIRST]),
        ({"bpmnProcessId": "ord"}, []),
        ({"bpmnProcessId": ""}, [FIRST, SECOND, THIRD]),
        ({"bpmnProcessId": None}, [FIRST, SECOND, THIRD]),
        ({"key": FIRST}, [FIRST]),
        ({"key": str(FIRST)}, [FIRST]),
        ({"processVersion": "1"}, [FIRST, THIRD]),
        ({"processVersion": 1.0}, [FIRST, THIRD]),
        ({"processDefinitionKey": 8}, [SECOND]),
        ({"parentKey": FIRST}, [SECOND]),
        ({"parentProcessInstanceKey": FIRST}, [SECOND]),
        ({"incident": True}, [SECOND]),
        ({"incident": False}, [FIRST, THIRD]),
        ({"incident": "true"}, [SECOND]),
        ({"tenantId": "other"}, [THIRD]),
        ({"processInstanceKey": 235, "incidents": True}, [FIRST, SECOND, THIRD]),
        ({"nothing": {"like": ["this"]}}, [FIRST, SECOND, THIRD]),
        ({"startDate": "2024-02-15T22:40:10.834+0000"}, [FIRST]),
        ({"startDate": "2024-02-15T23:40:10.834+0100"}, [FIRST]),
        ({"startDate": "2024-02-15T12:00:00.000+0000"}, []),
        ({"startDate": "2024-02-15T12:00:00.000+0000||/d"}, [FIRST, SECOND]),
        ({"startDate": "2024-02-15T22:00:00.000+0000||/h"}, [FIRST]),
        ({"startDate": "2024-02-01T00:00:00.000+0000||/M"}, [FIRST, SECOND, THIRD]),
        ({"endDate": "2024-02-15T00:00:00.000+0000||/y"}, [FIRST, THIRD]),
    ],
    ids=str,
)
async def test_a_filter_is_exact_matches_all_of_which_hold(seeded, filter, found):
    """Equal, and nothing else; unknown names are ignored; numbers may stand in text."""
    assert keys(await seeded.items("process-instances", filter)) == found


@pytest.mark.parametrize(
    ("sort", "found", "sort_values"),
    [
        ([], [FIRST, SECOND, THIRD], [THIRD]),
        ([{"field": "key", "order": "DESC"}], [THIRD, SECOND, FIRST], [FIRST, FIRST]),
        ([{"field": "startDate"}], [THIRD, SECOND, FIRST], [MS, FIRST]),
        ([{"field": "bpmnProcessId"}], [THIRD, FIRST, SECOND], ["order", SECOND]),
        (
            [{"field": "bpmnProcessId", "order": "DESC"}, {"field": "processVersion"}],
            [FIRST, SECOND, THIRD],
            ["invoice", 1, THIRD],
        ),
        ([{"field": "endDate"}], [THIRD, FIRST, SECOND], [2**63 - 1, SECOND]),
        ([{"field": "endDate", "order": "DESC"}], [FIRST, THIRD, SECOND], [-(2**63), SECOND]),
        ([{"field": "incident"}], [FIRST, THIRD, SECOND], [1, SECOND]),
        ([{"field": "processVersionTag"}], [FIRST, SECOND, THIRD], [None, THIRD]),
    ],
    ids=str,
)
async def test_a_sort_ends_with_the_key(seeded, sort, found, sort_values):
    """One value for each sort entry and the key; what is absent is last either way."""
    _, body = await seeded.search("process-instances", {"sort": sort})
    assert (keys(body["items"]), body["sortValues"]) == (found, sort_values)


@pytest.mark.parametrize("as_text", [False, True], ids=["typed", "text"])
@pytest.mark.parametrize(
    "sort",
    [
        None,
        [{"field": "endDate", "order": "ASC"}],
        [{"field": "endDate", "order": "DESC"}],
        [{"field": "parentFlowNodeInstanceKey"}, {"field": "bpmnProcessId", "order": "DESC"}],
        [{"field": "incident", "order": "DESC"}],
        [{"field": "processVersionTag", "order": "DESC"}],
    ],
    ids=str,
)
async def test_paging_visits_every_item_once(seeded, sort, as_text):
    """Going on from each `sortValues` gives the whole search in its order, page by page.

    OpenSearch gives every value as text, so that is taken as well.
    """
    _, whole = await seeded.search("process-instances", {"sort": sort})
    found, after = [], None
    while True:
        body = {"sort": sort, "size": 1, "searchAfter": after}
        _, page = await seeded.search("process-instances", body)
        assert page["total"] == 3
        if not page["items"]:
            break
        found += keys(page["items"])
        after = page["sortValues"]
        if as_text:
            after = [None if value is None else str(value) for value in after]
    assert found == keys(whole["items"])


async def test_a_date_may_stand_in_search_after_as_text(seeded):
    """The store takes a date in its own format where it gave milliseconds."""
    body = {
        "sort": [{"field": "startDate"}],
        "searchAfter": ["2024-02-15T00:00:00.000+0000", SECOND],
    }
    status, page = await seeded.search("process-instances", body)
    assert (status, keys(page["items"])) == (200, [FIRST])


BAD_DATA = [
    {"sort": [{"field": "nothing"}]},
    {"sort": [{"field": "parentProcessInstanceKey"}]},
    {"sort": [{"order": "ASC"}]},
    {"searchAfter": []},
    {"searchAfter": [1], "sort": [{"field": "state"}]},
    {"searchAfter": [1, 2, 3], "sort": [{"field": "state"}]},
    {"searchAfter": [1, 2], "sort": []},
]
BAD_REQUESTS = [
    {"size": 0},
    {"size": -1},
    {"size": 1001},
    {"size": "many"},
    {"size": None},
    {"size": 1 << 31},
    {"filter": []},
    {"filter": "state"},
    {"filter": {"key": "x1"}},
    {"filter": {"key": 1 << 63}},
    {"filter": {"key": [1]}},
    {"filter": {"key": True}},
    {"filter": {"processVersion": 1 << 31}},
    {"filter": {"incident": "yes"}},
    {"filter": {"incident": []}},
    {"filter": {"state": ["ACTIVE"]}},
    {"filter": {"startDate": {}}},
    {"sort": {"field": "key"}},
    {"sort": ["key"]},
    {"sort": [{"field": "key", "order": "asc"}]},
    {"sort": [{"field": "key", "order": "UP"}]},
    {"sort": [{"field": "key"}, {"order": "ASC"}]},
    {"sort": [{"field": ["key"]}]},
    {"searchAfter": 1},
    [],
    "text",
]
STORE_FAILURES = [
    {"sort": [{"field": "parentKey"}]},
    {"searchAfter": [1, 2]},
    {"searchAfter": ["x"]},
    {"searchAfter": [[1]]},
    {"searchAfter": [1 << 63]},
    {"filter": {"startDate": "2024-02-15"}},
    {"filter": {"startDate": "2024-02-15T22:40:10.834Z"}},
    {"filter": {"startDate": "2024-02-15T22:40:10.834+0000||/q"}},
]


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        *[(body, 400, "Data invalid") for body in BAD_DATA],
        *[(body, 400, "Invalid request") for body in BAD_REQUESTS],
        *[(body, 500, "API application error") for body in STORE_FAILURES],
    ],
    ids=str,
)
async def test_a_wrong_search_is_refused_as_operate_refuses_it(seeded, body, status, kind):
    """Status and type of the error, and its four fields in order."""
    answered, error = await seeded.search("process-instances", body)
    assert list(error) == ["status", "message", "instance", "type"]
    assert (answered, error["status"], error["type"]) == (status, status, kind)
    assert UUID(error["instance"])


@pytest.mark.parametrize("raw", [b"{", b"{'a': 1}", b"\xff", b"nonsense"])
async def test_malformed_json_is_refused(seeded, raw):
    """A body that is no JSON is an invalid request."""
    status, error = await seeded.search("process-instances", raw=raw)
    assert (status, error["type"]) == (400, "Invalid request")


async def test_every_bad_sort_field_is_named(seeded):
    """The message lists the names, separated by commas."""
    body = {"sort": [{"field": "foo"}, {"field": "key"}, {"field": "bar"}]}
    _, error = await seeded.search("process-instances", body)
    assert error["message"].endswith("foo, bar")


async def test_an_error_is_problem_json(seeded):
    """The content type tells a client that this is no entity."""
    async with seeded.session.get(f"{seeded.url}/v1/process-instances/1") as response:
        assert (response.status, response.content_type) == (404, "application/problem+json")


async def test_another_content_type_is_refused(seeded):
    """Only JSON is read; the answer comes from outside the controllers."""
    url = f"{seeded.url}/v1/process-instances/search"
    async with seeded.session.post(
        url, data=b"a=1", headers={"Content-Type": "text/plain"}
    ) as answer:
        body = await answer.json()
    assert (answer.status, body["path"]) == (415, "/v1/process-instances/search")
    assert list(body) == ["timestamp", "status", "error", "message", "path"]


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("process-instances/1", 404, "Requested resource not found"),
        ("process-instances/abc", 400, "Invalid request"),
        ("process-instances/9223372036854775808", 400, "Invalid request"),
        pytest.param(f"process-instances/{'9' * 5000}", 400, "Invalid request", id="5000 digits"),
        ("process-instances/1/statistics", 404, "Requested resource not found"),
        ("process-instances/1/sequence-flows", 404, "Requested resource not found"),
        ("process-instances/x/statistics", 400, "Invalid request"),
        ("process-definitions/1/xml", 404, "Requested resource not found"),
        ("drd/1/xml", 404, "Requested resource not found"),
        ("decision-instances/1-1", 404, "Requested resource not found"),
        *[(f"{path}/5", 404, "Requested resource not found") for path in ENTITIES],
    ],
)
async def test_a_key_that_leads_nowhere(v1, path, status, kind):
    """Unknown keys are 404, keys that are no integers 400."""
    answered, error = await v1.get(path)
    assert (answered, error["type"]) == (status, kind)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/process-instances", 404),
        ("GET", "/v1/decision-requirements/1", 404),
        ("GET", "/v1/decision-definitions/1/xml", 404),
        ("POST", "/v1/process-instances/1", 405),
        ("DELETE", "/v1/variables/1", 405),
    ],
)
async def test_paths_that_the_api_does_not_have(v1, method, path, status):
    """There is no list endpoint, and only process instances are deleted."""
    async with v1.session.request(method, f"{v1.url}{path}") as response:
        body = await response.json()
    assert (response.status, body["status"], body["path"]) == (status, status, path)


@pytest.mark.parametrize(
    ("path", "status", "allowed"),
    [
        ("/v1/process-instances/search", 200, {"POST", "GET", "HEAD", "DELETE", "OPTIONS"}),
        ("/v1/variables/1", 200, {"GET", "HEAD", "OPTIONS"}),
        ("/v1/nothing", 404, None),
    ],
)
async def test_options_tells_what_a_path_takes(v1, path, status, allowed):
    """As Spring does for every path that it has (inferred): 200 and the methods in Allow."""
    async with v1.session.options(f"{v1.url}{path}") as response:
        given = response.headers.get("Allow")
    assert response.status == status
    assert (given and set(given.split(","))) == allowed


async def test_total_stops_at_ten_thousand(v1):
    """The count is capped, and the last page is reached all the same."""
    v1.store.seed(read_seeds({"variables": [{"key": key} for key in range(1, 10_003)]}))
    _, body = await v1.search("variables", {"size": 1000, "searchAfter": [10_000]})
    assert (keys(body["items"]), body["total"]) == ([10_001, 10_002], 10_000)


async def test_a_seeded_value_that_is_cut_says_so(v1):
    """`truncated` is true of what a search shows, even when the seed gave the whole value."""
    whole = {"key": 1, "value": "x" * 8192, "truncated": False}
    preview = {"key": 2, "value": "x", "truncated": True}
    v1.store.seed(read_seeds({"variables": [whole, preview]}))
    shown = await v1.items("variables", {"truncated": True})
    assert [(item["key"], len(item["value"])) for item in shown] == [(1, 8191), (2, 1)]


async def test_a_long_variable_is_cut_in_a_search_and_whole_by_key(v1):
    """8191 characters are the preview; a filter sees the preview too."""
    instance = v1.journal.start(v1.journal.deploy())
    value = f'"{"é" * 9000}"'
    key = v1.journal.variable(instance, "long", value)
    short = v1.journal.variable(instance, "short", f'"{"x" * 8189}"')
    long_item, short_item = await v1.items("variables", {"processInstanceKey": instance})
    assert (long_item["value"], long_item["truncated"]) == (value[:8191], True)
    assert (short_item["key"], short_item["truncated"]) == (short, False)
    assert await v1.items("variables", {"value": value}) == []
    assert keys(await v1.items("variables", {"truncated": True})) == [key]
    _, whole = await v1.get(f"variables/{key}")
    assert (whole["value"], whole["truncated"]) == (value, False)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("declined", [1, 2]),
        ("Card DECLINED", [1]),
        ("declined twice", [2]),
        ("declin", []),
        ("card, declined!", [1]),
        ("", []),
    ],
)
async def test_an_incident_message_is_searched_by_words(v1, message, found):
    """Every word must be there, whole, in any case and order."""
    incidents = [
        {"key": 1, "message": "The card was declined."},
        {"key": 2, "message": "twice declined"},
        {"key": 3},
    ]
    v1.store.seed(read_seeds({"incidents": incidents}))
    assert keys(await v1.items("incidents", {"message": message})) == found


async def test_flow_node_names_do_not_filter(v1):
    """A filter on the name is ignored, as a name is no part of the record."""
    v1.store.seed(read_seeds({"flownode-instances": [{"key": 1, "flowNodeName": "a"}]}))
    assert keys(await v1.items("flownode-instances", {"flowNodeName": "b"})) == [1]


DECISIONS = {
    "decision-definitions": [
        {"id": "1", "key": 1, "decisionId": "dish", "decisionRequirementsKey": 10},
        {"id": "2", "key": 2, "decisionId": "wine", "decisionRequirementsKey": 11},
    ],
    "drd": [
        {"id": "10", "key": 10, "name": "Dinner", "version": 1},
        {"id": "11", "key": 11, "name": "Dinner", "version": 2},
    ],
    "decision-instances": [
        {
            "id": f"20-{number}",
            "key": 20,
            "state": "EVALUATED",
            "decisionType": "DECISION_TABLE",
            "result": "1",
            "evaluatedInputs": [],
            "evaluatedOutputs": [],
        }
        for number in (2, 1)
    ],
}


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({"decisionRequirementsName": "Dinner"}, [1, 2]),
        ({"decisionRequirementsVersion": 2}, [2]),
        ({"decisionRequirementsName": "Dinner", "decisionId": "dish"}, [1]),
        ({"decisionRequirementsName": "Lunch"}, []),
    ],
)
async def test_decisions_are_found_by_their_requirements(v1, filter, found):
    """Name and version of the requirements are joined from the drd."""
    v1.store.seed(read_seeds(DECISIONS))
    assert keys(await v1.items("decision-definitions", filter)) == found


async def test_decision_instances_are_told_apart_by_id(v1):
    """Sorted by id, and without inputs and outputs, which only a look-up by id shows."""
    v1.store.seed(read_seeds(DECISIONS))
    _, body = await v1.search("decision-instances")
    assert [item["id"] for item in body["items"]] == ["20-1", "20-2"]
    assert body["sortValues"] == ["20-2"]
    assert not {"evaluatedInputs", "evaluatedOutputs"} & set(body["items"][0])
    _, one = await v1.get("decision-instances/20-1")
    assert (one["evaluatedInputs"], one["evaluatedOutputs"]) == ([], [])


@pytest.mark.parametrize(
    ("filter", "status"),
    [
        ({"state": "EVALUATED"}, 200),
        ({"state": "evaluated"}, 400),
        ({"decisionType": "TABLE"}, 400),
        ({"result": "2", "evaluatedInputs": 1}, 200),
    ],
)
async def test_decision_instances_have_enums(v1, filter, status):
    """Their state and type are checked, unlike every other; results do not filter."""
    v1.store.seed(read_seeds(DECISIONS))
    answered, _ = await v1.search("decision-instances", {"filter": filter})
    assert answered == status


async def test_a_definition_xml_is_text(v1):
    """The BPMN comes as text/xml in UTF-8."""
    key = v1.journal.deploy()
    async with v1.session.get(f"{v1.url}/v1/process-definitions/{key}/xml") as response:
        text = await response.text()
    assert response.headers["Content-Type"].lower().replace(" ", "") == "text/xml;charset=utf-8"
    assert text.startswith("<?xml")


async def test_statistics_and_sequence_flows_are_bare_arrays(v1):
    """Both are arrays without an envelope, empty for an instance that went nowhere."""
    instance = v1.journal.start(v1.journal.deploy())
    for path in ("statistics", "sequence-flows"):
        assert await v1.get(f"process-instances/{instance}/{path}") == (200, [])
    v1.journal.leave(v1.journal.enter(instance, "received", "START_EVENT"))
    v1.journal.take(instance, "flow-1")
    _, statistics = await v1.get(f"process-instances/{instance}/statistics")
    expected = {
        "activityId": "received",
        "active": 0,
        "canceled": 0,
        "incidents": 0,
        "completed": 1,
    }
    assert statistics == [expected]
    assert await v1.get(f"process-instances/{instance}/sequence-flows") == (200, ["flow-1"])


async def test_delete_says_how_many_and_then_knows_nothing(v1):
    """An ended instance goes; asking again is a 404; a running one is a 400."""
    definition = v1.journal.deploy()
    ended, running = v1.journal.start(definition), v1.journal.start(definition)
    v1.journal.end(ended)
    answers = []
    for key in (ended, ended, running, "x"):
        async with v1.session.delete(f"{v1.url}/v1/process-instances/{key}") as response:
            body = await response.json(content_type=None)
            answers.append((response.status, body.get("deleted", body.get("type"))))
    assert answers == [
        (200, 1),
        (404, "Requested resource not found"),
        (400, "Invalid request"),
        (400, "Invalid request"),
    ]


async def test_a_version_has_only_its_own_fields():
    """Version tags and the incident flag came with 8.6: before, they neither show nor filter."""
    async with running_v1("8.5") as v1:
        v1.store.seed(read_seeds({"process-instances": INSTANCES}))
        items = await v1.items("process-instances", {"incident": True})
        status, error = await v1.search("process-instances", {"sort": [{"field": "incident"}]})
    assert (len(items), "incident" in items[1]) == (3, False)
    assert (status, error["type"]) == (400, "Data invalid")


@pytest.mark.parametrize(("version", "status"), [("8.7", 500), ("8.8", 200)])
async def test_flow_node_names_sort_from_8_8_on(version, status):
    """Before 8.8 the name passes the check and the store fails on it."""
    async with running_v1(version) as v1:
        body = {"sort": [{"field": "flowNodeName"}]}
        answered, _ = await v1.search("flownode-instances", body)
    assert answered == status


async def test_the_rfc3339_option_changes_dates_both_ways():
    """With the server option dates are written and read with a colon."""
    async with running_v1(rfc3339=True) as v1:
        v1.store.seed(read_seeds({"process-instances": INSTANCES}))
        colon = {"startDate": "2024-02-15T22:40:10.834+00:00"}
        items = await v1.items("process-instances", colon)
        status, _ = await v1.search("process-instances", {"filter": {"startDate": DATE}})
    assert [item["startDate"] for item in items] == ["2024-02-15T22:40:10.834+00:00"]
    assert status == 500


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "filter": st.dictionaries(st.sampled_from(list(PROCESS_INSTANCES.by_name)), SCALARS),
        "sort": st.lists(
            st.fixed_dictionaries(
                {"field": st.sampled_from(list(PROCESS_INSTANCES.by_name))},
                optional={"order": st.sampled_from(["ASC", "DESC", "asc"])},
            ),
            max_size=3,
        ),
        "searchAfter": st.lists(SCALARS, max_size=4),
        "size": SCALARS,
    },
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(BODIES)
def test_any_body_is_answered_or_refused(body):
    """Whatever stands in a body, the answer is a page or one of the API's own errors."""
    store = Store(FakeClock(), version=SINCE_8_8)
    store.seed(read_seeds({"process-instances": INSTANCES}))
    status = 200
    try:
        store.search(
            PROCESS_INSTANCES,
            parse_query(PROCESS_INSTANCES, SINCE_8_8, json.dumps(body).encode()),
        )
    except ApiError as error:
        status = error.status
    assert status in (200, 400, 500)
