"""What Zeebe's records become in the store."""

from __future__ import annotations

import pytest

from devstack.operate.fields import (
    FLOWNODE_INSTANCES,
    INCIDENTS,
    PROCESS_DEFINITIONS,
    PROCESS_INSTANCES,
    VARIABLES,
)
from devstack.operate.store import Store
from devstack.version import Version
from tests.kit.zeebe_records import BPMN, Journal

STARTED = "2026-01-15T10:11:11.440+0000"


@pytest.fixture
def store(clock):
    return Store(clock, version=Version.parse("8.8"))


@pytest.fixture
def journal(store):
    return Journal(store.read)


def test_a_deployed_process_becomes_a_definition(store, journal):
    """Name and XML come from the BPMN, the rest from the record; an empty tag is none."""
    key = journal.deploy()
    assert store.get(PROCESS_DEFINITIONS, key) == {
        "key": key,
        "name": "Order to cash",
        "version": 1,
        "bpmnProcessId": "order",
        "tenantId": "<default>",
    }
    assert store.xml(PROCESS_DEFINITIONS, key) == BPMN


def test_a_running_instance_has_no_end(store, journal):
    """An instance begins with ELEMENT_ACTIVATING; what is absent is left out."""
    definition = journal.deploy(version_tag="v1.2")
    instance = journal.start(definition)
    assert store.get(PROCESS_INSTANCES, instance) == {
        "key": instance,
        "processVersion": 1,
        "processVersionTag": "v1.2",
        "bpmnProcessId": "order",
        "startDate": STARTED,
        "state": "ACTIVE",
        "incident": False,
        "processDefinitionKey": definition,
        "tenantId": "<default>",
    }


@pytest.mark.parametrize(
    ("intent", "state"),
    [("ELEMENT_COMPLETED", "COMPLETED"), ("ELEMENT_TERMINATED", "CANCELED")],
)
def test_an_ended_instance_has_state_and_date(store, journal, intent, state):
    """Zeebe terminates an instance, Operate calls it canceled."""
    instance = journal.start(journal.deploy())
    journal.now_ms += 1000
    journal.end(instance, intent)
    ended = store.get(PROCESS_INSTANCES, instance)
    assert (ended["state"], ended["endDate"]) == (state, "2026-01-15T10:11:12.440+0000")


def test_a_child_names_its_parent(store, journal):
    """A called process has the caller's instance and call activity."""
    definition = journal.deploy()
    parent = journal.start(definition)
    call = journal.enter(parent, "call", "CALL_ACTIVITY")
    child = store.get(
        PROCESS_INSTANCES,
        journal.start(definition, parent=parent, parent_element=call),
    )
    assert (child["parentKey"], child["parentFlowNodeInstanceKey"]) == (parent, call)


def test_a_flow_node_has_the_name_of_the_model(store, journal):
    """The name is looked up in the deployed XML."""
    definition = journal.deploy()
    instance = journal.start(definition)
    element = journal.enter(instance, "charge", "SERVICE_TASK")
    assert store.get(FLOWNODE_INSTANCES, element) == {
        "key": element,
        "processInstanceKey": instance,
        "processDefinitionKey": definition,
        "startDate": STARTED,
        "flowNodeId": "charge",
        "flowNodeName": "Charge the card",
        "type": "SERVICE_TASK",
        "state": "ACTIVE",
        "incident": False,
        "tenantId": "<default>",
    }


def test_an_element_without_a_name_has_none(store, journal):
    """A nameless element leaves the field out."""
    element = journal.enter(journal.start(journal.deploy()), "done", "END_EVENT")
    assert "flowNodeName" not in store.get(FLOWNODE_INSTANCES, element)


@pytest.mark.parametrize(
    ("intent", "state"),
    [("ELEMENT_COMPLETED", "COMPLETED"), ("ELEMENT_TERMINATED", "TERMINATED")],
)
def test_a_left_flow_node_has_state_and_date(store, journal, intent, state):
    """A flow node is terminated where an instance is canceled."""
    element = journal.enter(journal.start(journal.deploy()), "charge", "SERVICE_TASK")
    journal.leave(element, intent)
    left = store.get(FLOWNODE_INSTANCES, element)
    assert (left["state"], left["endDate"]) == (state, STARTED)


def test_the_process_itself_is_no_flow_node(store, journal):
    """Only elements inside the process are flow nodes."""
    instance = journal.start(journal.deploy())
    assert store.statistics(instance) == []


def test_a_variable_is_updated_in_place(store, journal):
    """A variable keeps its key through updates; its value is JSON text."""
    instance = journal.start(journal.deploy())
    key = journal.variable(instance, "amount", "12")
    journal.variable(instance, "amount", '"12"', key=key)
    assert store.get(VARIABLES, key) == {
        "key": key,
        "processInstanceKey": instance,
        "scopeKey": instance,
        "name": "amount",
        "value": '"12"',
        "truncated": False,
        "tenantId": "<default>",
    }


def test_an_incident_marks_its_element_and_instance(store, journal):
    """The element names the incident, the instance only has one."""
    definition = journal.deploy()
    instance = journal.start(definition)
    element = journal.enter(instance, "charge", "SERVICE_TASK")
    incident = journal.incident(element, job=77)
    assert store.get(INCIDENTS, incident) == {
        "key": incident,
        "processDefinitionKey": definition,
        "processInstanceKey": instance,
        "type": "JOB_NO_RETRIES",
        "message": "card declined",
        "creationTime": STARTED,
        "state": "ACTIVE",
        "jobKey": 77,
        "tenantId": "<default>",
    }
    marked = store.get(FLOWNODE_INSTANCES, element)
    assert (marked["incident"], marked["incidentKey"]) == (True, incident)
    assert store.get(PROCESS_INSTANCES, instance)["incident"] is True


def test_an_incident_marks_everything_around_it(store, journal):
    """Sub-process, call activity and calling instance show the incident of the called process."""
    definition = journal.deploy()
    parent = journal.start(definition)
    scope = journal.enter(parent, "phase", "SUB_PROCESS")
    call = journal.enter(parent, "call", "CALL_ACTIVITY", scope=scope)
    child = journal.start(definition, parent=parent, parent_element=call)
    element = journal.enter(child, "charge", "SERVICE_TASK")
    incident = journal.incident(element)
    instances = [store.get(PROCESS_INSTANCES, key)["incident"] for key in (parent, child)]
    elements = [store.get(FLOWNODE_INSTANCES, key)["incident"] for key in (scope, call, element)]
    assert instances + elements == [True] * 5
    journal.incident(element, key=incident)
    instances = [store.get(PROCESS_INSTANCES, key)["incident"] for key in (parent, child)]
    elements = [store.get(FLOWNODE_INSTANCES, key)["incident"] for key in (scope, call, element)]
    assert instances + elements == [False] * 5


def test_an_instance_keeps_its_mark_until_the_last_incident_is_resolved(store, journal):
    """Two incidents in one instance: resolving one leaves the mark."""
    instance = journal.start(journal.deploy())
    elements = [journal.enter(instance, "charge", "SERVICE_TASK") for _ in range(2)]
    incidents = [journal.incident(element) for element in elements]
    journal.incident(elements[0], key=incidents[0])
    assert store.get(INCIDENTS, incidents[0])["state"] == "RESOLVED"
    assert "incidentKey" not in store.get(FLOWNODE_INSTANCES, elements[0])
    assert store.get(PROCESS_INSTANCES, instance)["incident"] is True
    journal.incident(elements[1], key=incidents[1])
    assert store.get(PROCESS_INSTANCES, instance)["incident"] is False


def test_an_old_record_without_a_path_marks_what_it_names(store, journal):
    """Records before 8.7 carry no element path."""
    instance = journal.start(journal.deploy())
    element = journal.enter(instance, "charge", "SERVICE_TASK")
    value = {
        "errorType": "IO_MAPPING_ERROR",
        "errorMessage": "",
        "processDefinitionKey": 1,
        "processInstanceKey": instance,
        "elementInstanceKey": element,
        "jobKey": -1,
        "tenantId": "<default>",
    }
    journal.write("INCIDENT", "CREATED", journal.key(), value)
    assert store.get(FLOWNODE_INSTANCES, element)["incident"] is True
    assert store.get(PROCESS_INSTANCES, instance)["incident"] is True


def test_commands_and_rejections_change_nothing(store, journal):
    """Only events are facts."""
    instance = journal.start(journal.deploy())
    for record_type in ("COMMAND", "COMMAND_REJECTION"):
        journal.write(
            "PROCESS_INSTANCE",
            "ELEMENT_COMPLETED",
            instance,
            {"bpmnElementType": "PROCESS"},
            record_type=record_type,
        )
    assert store.get(PROCESS_INSTANCES, instance)["state"] == "ACTIVE"
