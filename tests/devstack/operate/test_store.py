"""Read delay, eviction, deletion, counts: what the store adds to the entities."""

from __future__ import annotations

import pytest

from devstack.operate.errors import InvalidRequestError, UnknownKeyError
from devstack.operate.fields import (
    FLOWNODE_INSTANCES,
    INCIDENTS,
    PROCESS_INSTANCES,
    VARIABLES,
)
from devstack.operate.query import parse_query
from devstack.operate.seeds import read_seeds
from devstack.operate.store import Store
from devstack.version import Version
from tests.kit.zeebe_records import Journal

V8_8 = Version.parse("8.8")


def count(store, entity, body=b"{}"):
    return store.search(entity, parse_query(entity, V8_8, body)).total


def run_one(journal, definition):
    instance = journal.start(definition)
    element = journal.enter(instance, "charge", "SERVICE_TASK")
    journal.take(instance, "flow")
    journal.variable(instance, "amount", "1")
    incident = journal.incident(element)
    journal.incident(element, key=incident)
    journal.leave(element)
    journal.end(instance)
    return instance


async def test_reads_see_a_write_after_the_delay(clock):
    """With a read delay a new instance is unknown until the clock has moved on."""
    store = Store(clock, version=V8_8, read_delay_s=2)
    journal = Journal(store.read)
    instance = journal.start(journal.deploy())
    await clock.advance(1.9)
    with pytest.raises(UnknownKeyError):
        store.get(PROCESS_INSTANCES, instance)
    await clock.advance(0.1)
    assert store.get(PROCESS_INSTANCES, instance)["state"] == "ACTIVE"


async def test_a_shorter_delay_keeps_the_order(clock):
    """Records that still wait show before later ones, even when the delay is switched off."""
    store = Store(clock, version=V8_8, read_delay_s=2)
    journal = Journal(store.read)
    instance = journal.start(journal.deploy())
    store.read_delay_s = 0
    journal.end(instance)
    assert count(store, PROCESS_INSTANCES) == 0
    await clock.advance(2)
    assert store.get(PROCESS_INSTANCES, instance)["state"] == "COMPLETED"


def test_the_oldest_ended_instances_go_with_all_they_have(clock):
    """Beyond the cap ended instances go, oldest end first; running ones and seeds stay."""
    store = Store(clock, version=V8_8, max_ended_instances=3)
    seed = {"key": 5, "state": "COMPLETED", "endDate": "2020-01-01T00:00:00.000+0000"}
    store.seed(read_seeds({"process-instances": [seed]}))
    journal = Journal(store.read)
    definition = journal.deploy()
    running = journal.start(definition)
    ended = []
    for _ in range(5):
        journal.now_ms += 1
        ended.append(run_one(journal, definition))
    with pytest.raises(UnknownKeyError):
        store.get(PROCESS_INSTANCES, ended[1])
    kept = [store.get(PROCESS_INSTANCES, key)["key"] for key in (5, running, *ended[2:])]
    assert kept == [5, running, *ended[2:]]
    for entity in (FLOWNODE_INSTANCES, VARIABLES, INCIDENTS):
        assert count(store, entity) == 3


def test_deleting_makes_room_under_the_cap(clock):
    """A deleted instance no longer counts as one that is kept."""
    store = Store(clock, version=V8_8, max_ended_instances=2)
    journal = Journal(store.read, now_ms=clock.now_ms())
    definition = journal.deploy()
    first, second = run_one(journal, definition), run_one(journal, definition)
    store.delete(second)
    third = run_one(journal, definition)
    assert [store.get(PROCESS_INSTANCES, key)["key"] for key in (first, third)] == [first, third]


def test_delete_takes_an_ended_instance_with_all_it_has(clock):
    """Everything with the instance's key goes; another instance keeps its own."""
    store = Store(clock, version=V8_8)
    journal = Journal(store.read, now_ms=clock.now_ms())
    definition = journal.deploy()
    kept, gone = run_one(journal, definition), run_one(journal, definition)
    store.delete(gone)
    for entity in (PROCESS_INSTANCES, FLOWNODE_INSTANCES, VARIABLES, INCIDENTS):
        assert count(store, entity) == 1
    assert store.sequence_flows(kept) == ["flow"]
    with pytest.raises(UnknownKeyError):
        store.sequence_flows(gone)


def test_a_running_instance_is_not_deleted(clock):
    """Deleting needs an ended instance."""
    store = Store(clock, version=V8_8)
    journal = Journal(store.read)
    instance = journal.start(journal.deploy())
    with pytest.raises(InvalidRequestError, match="COMPLETED or CANCELED"):
        store.delete(instance)


@pytest.mark.parametrize("end", [{}, {"endDate": "2999-01-01T00:00:00.000+0000"}])
def test_an_instance_without_an_end_in_the_past_is_not_deleted(clock, end):
    """An ended state alone is not enough: the end date must be there and past."""
    store = Store(clock, version=V8_8)
    store.seed(read_seeds({"process-instances": [{"key": 1, "state": "COMPLETED", **end}]}))
    with pytest.raises(InvalidRequestError, match="endDate"):
        store.delete(1)


def test_an_unknown_instance_is_not_deleted(clock):
    """The first check is whether the instance is there."""
    with pytest.raises(UnknownKeyError):
        Store(clock, version=V8_8).delete(1)


def test_statistics_count_each_flow_node_by_what_became_of_it(clock):
    """Active without incident, canceled, with incident, completed: one element a flow node."""
    store = Store(clock, version=V8_8)
    journal = Journal(store.read)
    instance = journal.start(journal.deploy())
    journal.leave(journal.enter(instance, "received", "START_EVENT"))
    journal.enter(instance, "charge", "SERVICE_TASK")
    journal.incident(journal.enter(instance, "charge", "SERVICE_TASK"))
    journal.leave(journal.enter(instance, "charge", "SERVICE_TASK"), "ELEMENT_TERMINATED")
    zero = {"active": 0, "canceled": 0, "incidents": 0, "completed": 0}
    counts = {one.pop("activityId"): one for one in store.statistics(instance)}
    assert counts == {
        "received": zero | {"completed": 1},
        "charge": zero | {"active": 1, "canceled": 1, "incidents": 1},
    }


def test_statistics_pass_over_multi_instance_bodies(clock):
    """A body counts only by its incidents."""
    store = Store(clock, version=V8_8)
    journal = Journal(store.read)
    instance = journal.start(journal.deploy())
    body = journal.enter(instance, "each", "MULTI_INSTANCE_BODY")
    inner = journal.enter(instance, "each", "SERVICE_TASK", scope=body)
    journal.incident(inner)
    expected = {"activityId": "each", "active": 0, "canceled": 0, "incidents": 2, "completed": 0}
    assert store.statistics(instance) == [expected]


def test_a_flow_taken_twice_is_one_flow(clock):
    """Loops do not repeat a sequence flow."""
    store = Store(clock, version=V8_8)
    journal = Journal(store.read)
    instance = journal.start(journal.deploy())
    for flow in ("a", "b", "a"):
        journal.take(instance, flow)
    assert sorted(store.sequence_flows(instance)) == ["a", "b"]


def test_at_most_a_thousand_sequence_flows_are_given(clock):
    """The real answer is one page of a search."""
    store = Store(clock, version=V8_8)
    journal = Journal(store.read)
    instance = journal.start(journal.deploy())
    for number in range(1001):
        journal.take(instance, f"flow-{number}")
    assert len(store.sequence_flows(instance)) == 1000
