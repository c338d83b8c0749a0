from __future__ import annotations

import msgspec
import orjson
import pytest

from exporter.errors import RecordError
from exporter.event import INTENTS, Selection, intents_of, to_event
from exporter.record import Record, Sieve
from tests.kit.records import record

PROCESS_FIELDS = [
    "processDefinitionKey",
    "processDefinitionId",
    "processDefinitionVersion",
    "processInstanceKey",
    "elementId",
    "elementInstanceKey",
    "tenantId",
]


def read(shown) -> Record:
    return msgspec.json.decode(orjson.dumps(shown), type=Record)


def event_of(value_type, intent, value, **more):
    shown = read(record(7, value_type=value_type, intent=intent, value=value, **more))
    return orjson.loads(to_event(shown, metadata=False).json)


JOB = {
    "type": "charge-card",
    "elementId": "charge",
    "elementInstanceKey": 31,
    "bpmnProcessId": "order",
    "processDefinitionVersion": 3,
    "processInstanceKey": 32,
    "processDefinitionKey": 33,
    "retries": 3,
    "deadline": -1,
    "tenantId": "t",
}


def test_a_job_begins_with_its_kind_and_ends_with_its_process():
    """An event of a job has id, intent and type, its own fields, then the process fields."""
    event = event_of("JOB", "FAILED", JOB)
    assert list(event)[:3] == ["id", "intent", "type"]
    assert (event["intent"], event["type"], event["jobType"]) == ("FAILED", "JOB", "charge-card")
    assert list(event)[-7:] == PROCESS_FIELDS
    assert [event[field] for field in PROCESS_FIELDS] == [
        "33",
        "order",
        "3",
        "32",
        "charge",
        "31",
        "t",
    ]
    assert (event["retries"], event["bpmnProcessId"]) == (3, "order")


def test_an_incident_has_no_process_version():
    """Incidents do not tell the version of their process, so it is null."""
    event = event_of(
        "INCIDENT",
        "CREATED",
        {"errorType": "JOB_NO_RETRIES", "jobKey": 2**60, "bpmnProcessId": "order"},
    )
    assert event["processDefinitionVersion"] is None
    assert event["jobKey"] == str(2**60)


def test_paths_of_keys_are_text():
    """Keys within lists are text too; indexes are not keys."""
    event = event_of(
        "PROCESS_INSTANCE",
        "ELEMENT_ACTIVATED",
        {"version": 3, "elementInstancePath": [[1, 2]], "callingElementPath": [0]},
    )
    assert event["elementInstancePath"] == [["1", "2"]]
    assert event["callingElementPath"] == [0]
    assert (event["version"], event["processDefinitionVersion"]) == (3, "3")


def test_an_old_process_instance_is_its_own_element():
    """Records before 8.8 do not repeat their own key as that of the element instance."""
    event = event_of("PROCESS_INSTANCE", "ELEMENT_COMPLETED", {"version": 1}, key=99)
    assert (event["id"], event["elementInstanceKey"]) == ("99", "99")


def test_metadata_stands_last():
    """Metadata is added after upstream's keys: position, partition and time."""
    shown = read(record(7, partition=3))
    event = orjson.loads(to_event(shown, metadata=True).json)
    assert list(event)[-3:] == ["position", "partitionId", "timestamp"]
    assert (event["position"], event["partitionId"]) == (7, 3)
    assert list(event)[:-3] == list(orjson.loads(to_event(shown, metadata=False).json))


def test_a_value_that_is_no_object_is_no_event():
    """A value of another shape is a fault of the record."""
    with pytest.raises(RecordError):
        to_event(read(record(1, value_type="JOB", value=[1])), metadata=False)


@pytest.mark.parametrize("kind", INTENTS)
def test_a_selection_survives_being_written_down(kind):
    """What was asked for can be read back from the state file."""
    for metadata in (False, True):
        selection = Selection((kind,), metadata)
        assert Selection.of(selection.text) == selection


def test_only_the_intents_of_the_contract_are_told_of():
    """Upstream's four intents of user tasks become events, all others do not."""
    sieve = Sieve(intents_of([Selection()]))
    for intent in ("CREATED", "ASSIGNED", "COMPLETED", "CANCELED"):
        assert sieve.one(orjson.dumps(record(1, intent=intent))) is not None
    for intent in (
        "CREATING",
        "ASSIGNING",
        "UPDATED",
        "MIGRATED",
        "COMPLETE",
        "ASSIGN",
        "CLAIMING",
    ):
        assert sieve.one(orjson.dumps(record(1, intent=intent))) is None
    assert sieve.one(orjson.dumps(record(1, value_type="JOB"))) is None
