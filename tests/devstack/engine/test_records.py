"""Records as Zeebe's exporters see them: the same fields with the same types."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from devstack.errors import NotFoundError
from tests.kit import bpmn as b
from tests.kit.cluster import Cluster

_SAMPLES = {
    path.stem: orjson.loads(path.read_bytes())
    for path in sorted((Path(__file__).parent.parent / "records").glob("*.json"))
}


@pytest.fixture
def ours(clock):
    """Every kind of record that the samples show, as the engine makes it: kind to record."""
    cluster = Cluster(clock)
    user = b.user("approve", '<zeebe:assignmentDefinition candidateGroups="sales"/>')
    cluster.deploy(
        b.bpmn(
            b.start(),
            b.node("parallelGateway", "fork"),
            b.service("charge"),
            user,
            b.user("other"),
            b.chain("start", "fork", "charge"),
            b.chain("fork", "approve"),
            b.chain("fork", "other"),
        ),
    )
    key = cluster.start(variables={"amount": 129.5})
    [given] = cluster.jobs()
    cluster.engine.fail_job(given.job.key, retries=0, message="card declined")
    task_key = cluster.events("USER_TASK", "CREATED")[0].key
    cluster.engine.assign_user_task(task_key, "demo")
    cluster.engine.complete_user_task(task_key, {"approved": True})
    with pytest.raises(NotFoundError):
        cluster.engine.complete_user_task(task_key)
    cluster.engine.cancel_instance(key)
    found = {}
    for record in cluster.records:
        told = orjson.loads(record.to_json())
        found.setdefault((told["recordType"], told["valueType"], told["intent"]), told)
    return found


@pytest.mark.parametrize("name", _SAMPLES)
def test_fields_and_types_are_those_of_the_sample(ours, name):
    """A record has every field of a real one of its kind, with the same type of value."""
    sample = _SAMPLES[name]
    record = ours[sample["recordType"], sample["valueType"], sample["intent"]]
    assert _shape(record) == _shape(sample)


def _shape(record):
    return {
        "envelope": {field: type(value) for field, value in record.items()},
        "value": {
            field: type(value)
            for field, value in record["value"].items()
            if field not in ("variables", "customHeaders")
        },
    }


def test_envelope_of_an_event(ours):
    """The envelope tells partition, key, position, source and time as numbers."""
    record = ours["EVENT", "JOB", "CREATED"]
    assert record["partitionId"] == 1
    assert record["key"] >> 51 == 1
    assert record["timestamp"] == 1_700_000_000_000
    assert record["brokerVersion"] == "8.8.0"
    assert record["rejectionType"] == "NULL_VAL"
    assert 0 < record["sourceRecordPosition"] < record["position"]
