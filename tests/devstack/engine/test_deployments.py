"""Deploying: versions, duplicates, refusals, partitions."""

from __future__ import annotations

from base64 import b64decode

import pytest

from devstack.engine import Resource
from devstack.errors import InvalidArgumentError, InvalidStateError, NotFoundError
from tests.kit import bpmn as b
from tests.kit.cluster import Cluster

_SIMPLE = b.bpmn(b.start(), b.end(), b.chain("start", "end"))
_OTHER = b.bpmn(b.start(), b.node("task", "t"), b.end(), b.chain("start", "t", "end"))


@pytest.fixture
def cluster(clock) -> Cluster:
    return Cluster(clock)


def test_records_of_a_deployment(cluster):
    """A deployment records each new process with its file, then itself with all of them."""
    deployment = cluster.engine.deploy([Resource("simple.bpmn", _SIMPLE)])
    [process] = cluster.events("PROCESS", "CREATED")
    [record] = cluster.events("DEPLOYMENT", "CREATED")
    assert process.value["bpmnProcessId"] == "p"
    assert process.value["version"] == 1
    assert process.value["deploymentKey"] == deployment.key == record.key
    assert b64decode(process.value["resource"]) == _SIMPLE
    assert record.value["processesMetadata"][0]["processDefinitionKey"] == process.key
    assert process.position < record.position


def test_unchanged_file_makes_no_version(cluster):
    """The same bytes under the same name are found again; changed ones are the next version."""
    first = cluster.engine.deploy([Resource("a.bpmn", _SIMPLE)])
    again = cluster.engine.deploy([Resource("a.bpmn", _SIMPLE)])
    changed = cluster.engine.deploy([Resource("a.bpmn", _OTHER)])
    assert again.processes == first.processes
    assert again.created == ()
    assert again.key != first.key
    assert changed.processes[0].version == 2
    assert len(cluster.events("PROCESS", "CREATED")) == 2
    duplicate = cluster.events("DEPLOYMENT", "CREATED")[1].value["processesMetadata"][0]
    assert duplicate["duplicate"] is True


def test_instances_of_chosen_versions(cluster):
    """An instance is started of the newest version, of a version, or by definition key."""
    first = cluster.engine.deploy([Resource("a.bpmn", _SIMPLE)]).processes[0]
    second = cluster.engine.deploy([Resource("a.bpmn", _OTHER)]).processes[0]
    engine = cluster.engine
    assert engine.create_instance(process_id="p").definition is second
    assert engine.create_instance(process_id="p", version=1).definition is first
    assert engine.create_instance(definition_key=first.key).definition is first


@pytest.mark.parametrize(
    ("named", "error", "reason"),
    [
        (
            {"process_id": "x"},
            NotFoundError,
            "Expected to find process definition with process ID 'x', but none found",
        ),
        (
            {"process_id": "p", "version": 9},
            NotFoundError,
            "Expected to find process definition with process ID 'p' and version '9', "
            "but none found",
        ),
        (
            {"definition_key": 123},
            NotFoundError,
            "Expected to find process definition with key '123', but none found",
        ),
        (
            {},
            InvalidArgumentError,
            "Expected at least a bpmnProcessId or a key greater than -1, but none given",
        ),
        (
            {"process_id": "p", "tenant_id": "other"},
            NotFoundError,
            "Expected to find process definition with process ID 'p', but none found",
        ),
    ],
    ids=["id", "version", "key", "nothing", "tenant"],
)
def test_instances_of_nothing(cluster, named, error, reason):
    """A process that is not deployed cannot be started, in Zeebe's words."""
    cluster.deploy(_SIMPLE)
    with pytest.raises(error) as refusal:
        cluster.engine.create_instance(**named)
    assert refusal.value.reason == reason
    rejection = cluster.records[-1]
    assert rejection.record_type == "COMMAND_REJECTION"
    assert rejection.value_type == "PROCESS_INSTANCE_CREATION"
    assert rejection.rejection_type == error.rejection_type


def test_process_with_timer_start_only_cannot_be_started(cluster):
    """A process without a none start event starts by itself, not by command."""
    start = b.start("tick", b.timer("timeCycle", "R/PT1H"))
    cluster.deploy(b.bpmn(start, b.end(), b.chain("tick", "end")))
    with pytest.raises(InvalidStateError, match="none start event"):
        cluster.engine.create_instance(process_id="p")


def test_all_or_nothing(cluster):
    """One wrong file keeps all of the deployment out, and every wrong file is named."""
    files = [
        Resource("good.bpmn", _SIMPLE),
        Resource("bad.bpmn", b.bpmn(b.start(), b.node("receiveTask", "r"), b.chain("start", "r"))),
        Resource("table.dmn", b"<x/>"),
        Resource("broken.bpmn", b"<x"),
        Resource("form.form", b"[]"),
    ]
    with pytest.raises(InvalidArgumentError) as refusal:
        cluster.engine.deploy(files)
    for name in ("bad.bpmn", "table.dmn", "broken.bpmn", "form.form"):
        assert f"'{name}'" in refusal.value.reason
    assert "good.bpmn" not in refusal.value.reason
    assert "Element: r" in refusal.value.reason
    assert cluster.events("PROCESS") == []
    assert cluster.records[-1].rejection_type == "INVALID_ARGUMENT"
    with pytest.raises(NotFoundError):
        cluster.start()


def test_nothing_to_deploy(cluster):
    """A deployment without files is refused."""
    with pytest.raises(InvalidArgumentError, match="at least one resource"):
        cluster.engine.deploy([])


def test_same_process_in_two_files(cluster):
    """Two files of a deployment cannot hold the same process."""
    with pytest.raises(InvalidArgumentError, match=r"in resources 'a\.bpmn' and 'b\.bpmn': 'p'"):
        cluster.engine.deploy([Resource("a.bpmn", _SIMPLE), Resource("b.bpmn", _OTHER)])


def test_same_process_twice_in_a_file(cluster):
    """A file cannot hold the same process twice."""
    twice = b.document(*(b.process(b.start(s), id="p") for s in ("a", "c")))
    with pytest.raises(InvalidArgumentError, match="another process of the file has the same id"):
        cluster.engine.deploy([Resource("a.bpmn", twice)])


def test_tenants_have_their_own_processes(cluster):
    """The same process id of two tenants is two processes with versions of their own."""
    engine = cluster.engine
    one = engine.deploy([Resource("a.bpmn", _SIMPLE)], "one").processes[0]
    two = engine.deploy([Resource("a.bpmn", _OTHER)], "two").processes[0]
    assert (one.version, two.version) == (1, 1)
    assert engine.create_instance(process_id="p", tenant_id="two").definition is two
    assert cluster.events("PROCESS_INSTANCE")[-1].value["tenantId"] == "two"


def test_partitions_take_turns(clock):
    """Instances are spread over the partitions, each with keys and positions of its own."""
    cluster = Cluster(clock, partitions=5)
    cluster.deploy(b.bpmn(b.start(), b.service("t"), b.end(), b.chain("start", "t", "end")))
    keys = [cluster.start() for _ in range(10)]
    assert [key >> 51 for key in keys] == [1, 2, 3, 4, 5] * 2
    assert max(keys) > 2**53
    assert cluster.complete() == 10
    assert all(cluster.has_ended(key) for key in keys)
    for partition in range(1, 6):
        own = [record for record in cluster.records if record.partition_id == partition]
        assert [record.position for record in own] == list(range(1, len(own) + 1))
    definitions = {record.key for record in cluster.events("PROCESS", "CREATED")}
    assert len(definitions) == 1
