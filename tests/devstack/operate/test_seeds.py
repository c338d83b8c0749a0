"""Seed files: what they may hold, and that it is served as it was given."""

from __future__ import annotations

import orjson
import pytest

from devstack.operate.fields import (
    DECISION_DEFINITIONS,
    DECISION_INSTANCES,
    DECISION_REQUIREMENTS,
    ENTITIES,
    FLOWNODE_INSTANCES,
    PROCESS_DEFINITIONS,
    VARIABLES,
)
from devstack.operate.seeds import SeedError, parse_seeds, read_seeds
from devstack.operate.store import Store
from devstack.version import Version
from tests.kit.zeebe_records import BPMN

DATE = "2024-02-15T22:40:10.834+0000"
WHOLE = {
    "process-instances": {
        "key": 9_007_199_254_741_196,
        "processVersion": 2,
        "processVersionTag": "v2",
        "bpmnProcessId": "order",
        "parentKey": 5,
        "parentFlowNodeInstanceKey": 6,
        "startDate": DATE,
        "endDate": DATE,
        "state": "COMPLETED",
        "incident": False,
        "processDefinitionKey": 7,
        "tenantId": "<default>",
    },
    "process-definitions": {"key": 7, "name": "Order", "version": 2, "bpmnProcessId": "order"},
    "flownode-instances": {
        "key": 8,
        "flowNodeId": "charge",
        "flowNodeName": "Charge",
        "incidentKey": 11,
        "type": "AD_HOC_SUB_PROCESS",
        "incident": True,
    },
    "variables": {"key": 9, "name": "a", "value": '"x"', "truncated": False},
    "incidents": {"key": 11, "type": "SOMETHING_NEW", "message": "no", "creationTime": DATE},
    "decision-definitions": {"id": "12", "key": 12, "name": "Dish", "decisionRequirementsKey": 13},
    "drd": {"id": "13", "key": 13, "name": "Dinner", "version": 1, "resourceName": "dinner.dmn"},
    "decision-instances": {
        "id": "14-1",
        "key": 14,
        "state": "EVALUATED",
        "result": '"stew"',
        "evaluatedInputs": [{"id": "i", "name": "season", "value": '"winter"'}],
        "evaluatedOutputs": [{"id": "o", "ruleId": "r", "ruleIndex": 1}],
    },
}


@pytest.fixture
def store(clock):
    return Store(clock, version=Version.parse("8.8"))


@pytest.mark.parametrize("path", WHOLE)
def test_an_entity_is_served_as_it_was_given(store, path):
    """Nothing is added and nothing is lost, for every kind of entity."""
    given = WHOLE[path]
    store.seed(read_seeds({path: [given]}))
    entity = ENTITIES[path]
    assert store.get(entity, given[entity.key]) == given


def test_a_field_that_the_table_does_not_know_is_served_too(store):
    """A newer server has fields of its own; a null among them is left out like any other."""
    store.seed(read_seeds({"variables": [{"key": 1, "name": "a", "newer": [1], "none": None}]}))
    given = {"key": 1, "name": "a", "newer": [1], "truncated": False}
    assert store.get(VARIABLES, 1) == given


def test_a_definition_may_carry_its_xml(store):
    """The XML is served at its own path, and names the flow nodes of seeded instances."""
    definition = {"key": 7, "bpmnProcessId": "order", "xml": BPMN}
    element = {"key": 8, "processDefinitionKey": 7, "flowNodeId": "charge"}
    store.seed(read_seeds({"process-definitions": [definition], "flownode-instances": [element]}))
    assert store.xml(PROCESS_DEFINITIONS, 7) == BPMN
    assert store.get(PROCESS_DEFINITIONS, 7) == {"key": 7, "bpmnProcessId": "order"}
    assert store.get(FLOWNODE_INSTANCES, 8)["flowNodeName"] == "Charge the card"


def test_decision_requirements_go_by_either_name(store):
    """The path says drd, people say decision-requirements."""
    store.seed(read_seeds({"decision-requirements": [{"key": 13, "id": "13", "xml": "<dmn/>"}]}))
    assert store.get(DECISION_REQUIREMENTS, 13) == {"id": "13", "key": 13}
    assert store.xml(DECISION_REQUIREMENTS, 13) == "<dmn/>"


def test_a_decision_shows_its_requirements_name_and_version(store):
    """They stand in the drd entity and are joined."""
    store.seed(read_seeds({path: [WHOLE[path]] for path in ("decision-definitions", "drd")}))
    decision = store.get(DECISION_DEFINITIONS, 12)
    assert decision["decisionRequirementsName"] == "Dinner"
    assert decision["decisionRequirementsVersion"] == 1


def test_decision_instances_may_share_a_key(store):
    """Their id tells them apart, the key does not."""
    twins = [{"id": f"14-{number}", "key": 14} for number in (1, 2)]
    store.seed(read_seeds({"decision-instances": twins}))
    assert [store.get(DECISION_INSTANCES, twin["id"]) for twin in twins] == twins


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "path name"),
        ({"processes": []}, "processes: no entity"),
        ({"variables": {}}, "variables: must be a list"),
        ({"variables": [1]}, r"variables\[0\]: must be an object"),
        ({"variables": [{"name": "a"}]}, r"variables\[0\]: has no key"),
        ({"variables": [{"key": "1"}]}, r"variables\[0\].key: must be a 64-bit integer"),
        ({"variables": [{"key": True}]}, r"variables\[0\].key: must be a 64-bit integer"),
        ({"variables": [{"key": 1e20}]}, r"variables\[0\].key: must be a 64-bit integer"),
        ({"process-definitions": [{"key": 1, "version": 1 << 31}]}, r"version: must be a 32-bit"),
        ({"drd": [{"id": "a"}, {"id": "b"}]}, r"drd\[0\]: has no key"),
        ({"incidents": [{"key": 1}, {"key": 1}]}, r"incidents\[1\].key: is that of incidents\[0\]"),
        ({"variables": [{"key": 1, "value": 1}]}, r"value: must be text"),
        ({"variables": [{"key": 1, "truncated": 1}]}, r"truncated: must be true or false"),
        (
            {"incidents": [{"key": 1, "creationTime": "today"}]},
            r"incidents\[0\].creationTime: must be",
        ),
        ({"incidents": [{"key": 1, "creationTime": "2024-02-15T22:40:10"}]}, r"offset"),
        ({"process-definitions": [{"key": 1, "xml": 1}]}, r"xml: must be text"),
        ({"decision-instances": [{"key": 1}]}, r"has no id"),
    ],
)
def test_a_fault_is_named_with_its_place(given, message):
    """The message says where and what belongs there."""
    with pytest.raises(SeedError, match=message):
        parse_seeds(orjson.dumps(given))


def test_a_file_that_is_no_json_is_refused():
    """The parser's own words say where it broke."""
    with pytest.raises(SeedError, match="not JSON"):
        parse_seeds(b"{")
