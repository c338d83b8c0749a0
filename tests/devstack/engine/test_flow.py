"""Tokens: elements in order, gateways, loops, ends."""

from __future__ import annotations

import pytest

from tests.kit import bpmn as b
from tests.kit.cluster import Cluster

_LIFE = ["ACTIVATING", "ACTIVATED", "COMPLETING", "COMPLETED"]


@pytest.fixture
def cluster(clock) -> Cluster:
    return Cluster(clock)


def test_elements_run_in_order(cluster):
    """Each element of a straight process goes through its whole life before the next begins."""
    cluster.deploy(b.bpmn(b.start(), b.node("task", "t"), b.end(), b.chain("start", "t", "end")))
    key = cluster.start()
    told = [
        (record.value["elementId"], record.intent) for record in cluster.events("PROCESS_INSTANCE")
    ]
    life = [f"ELEMENT_{intent}" for intent in _LIFE]
    assert told == [
        ("p", life[0]),
        ("p", life[1]),
        *(("start", intent) for intent in life),
        ("start_t", "SEQUENCE_FLOW_TAKEN"),
        *(("t", intent) for intent in life),
        ("t_end", "SEQUENCE_FLOW_TAKEN"),
        *(("end", intent) for intent in life),
        ("p", life[2]),
        ("p", life[3]),
    ]
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


def test_every_event_follows_a_command(cluster):
    """Every event names the command before it that led to it."""
    cluster.deploy(b.bpmn(b.start(), b.service("t"), b.end(), b.chain("start", "t", "end")))
    cluster.start()
    cluster.complete()
    commands = {r.position for r in cluster.records if r.record_type == "COMMAND"}
    events = [record for record in cluster.records if record.record_type == "EVENT"]
    assert all(record.source_record_position in commands for record in events)
    assert all(record.source_record_position < record.position for record in events)


@pytest.mark.parametrize(
    ("amount", "taken"),
    [(5, "low"), (50, "high"), (500, "other")],
    ids=["first", "second", "default"],
)
def test_exclusive_gateway_takes_one_flow(cluster, amount, taken):
    """The first true condition wins; the default flow is taken when none is true."""
    gateway = b.node("exclusiveGateway", "gw", default="gw_other")
    cluster.deploy(
        b.bpmn(
            b.start(),
            gateway,
            b.end("low"),
            b.end("high"),
            b.end("other"),
            b.chain("start", "gw"),
            b.flow("gw", "other"),
            b.flow("gw", "low", "=amount &lt; 10"),
            b.flow("gw", "high", "=amount &lt; 100"),
        ),
    )
    key = cluster.start(variables={"amount": amount})
    assert [e for e in ("low", "high", "other") if cluster.trace(e)] == [taken]
    assert cluster.has_ended(key)


def test_exclusive_gateway_without_true_condition_is_an_incident(cluster):
    """No true condition and no default: the token stays, and goes on once a variable is set."""
    cluster.deploy(
        b.bpmn(
            b.start(),
            b.node("exclusiveGateway", "gw"),
            b.end("a"),
            b.end("b"),
            b.chain("start", "gw"),
            b.flow("gw", "a", "=x = 1"),
            b.flow("gw", "b", "=x = 2"),
        ),
    )
    key = cluster.start(variables={"x": 0})
    [incident] = cluster.incidents()
    assert incident.value["errorType"] == "CONDITION_ERROR"
    assert cluster.trace("gw") == ["ACTIVATING"]
    cluster.engine.set_variables(key, {"x": 2})
    cluster.engine.resolve_incident(incident.key)
    assert cluster.trace("gw") == _LIFE
    assert cluster.has_ended(key)


def test_condition_that_is_no_boolean_is_an_incident(cluster):
    """A condition that gives null says what it should have been."""
    cluster.deploy(
        b.bpmn(
            b.start(),
            b.node("exclusiveGateway", "gw"),
            b.end("a"),
            b.end("b"),
            b.chain("start", "gw"),
            b.flow("gw", "a", "=x"),
            b.flow("gw", "b", "=not(x)"),
        ),
    )
    cluster.start()
    [incident] = cluster.incidents()
    assert incident.value["errorType"] == "EXTRACT_VALUE_ERROR"
    assert incident.value["errorMessage"] == (
        "Expected result of the expression 'x' to be 'BOOLEAN', but was 'NULL'. "
        "The evaluation reported the following warnings:\n[NO_VARIABLE_FOUND] no variable `x`"
    )


def test_parallel_gateway_forks_and_joins(cluster):
    """Both branches run at once, and the join waits for the slower one."""
    cluster.deploy(
        b.bpmn(
            b.start(),
            b.node("parallelGateway", "fork"),
            b.service("one", type="one"),
            b.service("two", type="two"),
            b.node("parallelGateway", "join"),
            b.end(),
            b.chain("start", "fork", "one", "join", "end"),
            b.chain("fork", "two", "join"),
        ),
    )
    key = cluster.start()
    assert cluster.complete("one") == 1
    assert cluster.trace("join") == []
    assert cluster.complete("two") == 1
    assert cluster.trace("join") == _LIFE
    assert cluster.trace("end") == _LIFE
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


def test_process_waits_for_a_token_at_a_join(cluster):
    """A token that waits at a join for ever keeps the process from ending."""
    cluster.deploy(
        b.bpmn(
            b.start(),
            b.node("exclusiveGateway", "gw", default="gw_join"),
            b.node("parallelGateway", "join"),
            b.node("task", "t"),
            b.end(),
            b.chain("start", "gw", "join", "end"),
            b.flow("gw", "t", "=false"),
            b.chain("t", "join"),
        ),
    )
    key = cluster.start()
    assert cluster.trace("join") == []
    assert not cluster.has_ended(key)


def test_loop_over_a_gateway(cluster):
    """A process that goes back through a gateway makes a job each time round."""
    cluster.deploy(
        b.bpmn(
            b.start(),
            b.service("t", outputs=[("=n + 1", "n")]),
            b.node("exclusiveGateway", "gw", default="gw_end"),
            b.end(),
            b.chain("start", "t", "gw", "end"),
            b.flow("gw", "t", "=n &lt; 3"),
        ),
    )
    key = cluster.start(variables={"n": 0})
    rounds = 0
    while cluster.complete():
        rounds += 1
    assert rounds == 3
    assert cluster.has_ended(key)
    assert cluster.variables(key) == {"n": "3"}


def test_terminate_end_event_ends_all(cluster):
    """A terminate end event cancels what still runs and completes its process."""
    cluster.deploy(
        b.bpmn(
            b.start(),
            b.node("parallelGateway", "fork"),
            b.service("slow", type="slow"),
            b.service("fast", type="fast"),
            b.end("stop", b.TERMINATE),
            b.end(),
            b.chain("start", "fork", "slow", "end"),
            b.chain("fork", "fast", "stop"),
        ),
    )
    key = cluster.start()
    cluster.complete("fast")
    assert cluster.trace("slow") == ["ACTIVATING", "ACTIVATED", "TERMINATING", "TERMINATED"]
    assert cluster.intents("JOB") == ["CREATED", "CREATED", "COMPLETED", "CANCELED"]
    assert cluster.trace("p")[-1] == "COMPLETED"
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


async def test_endless_loop_leaves_others_their_turn(cluster):
    """A loop of gateways that never waits does not keep other commands from being carried out."""
    cluster.deploy(
        b.bpmn(
            b.start(),
            b.node("exclusiveGateway", "one"),
            b.node("exclusiveGateway", "two"),
            b.chain("start", "one", "two", "one"),
        ),
        b.bpmn(b.start(), b.end(), b.chain("start", "end"), id="q"),
    )
    endless = cluster.start("p")
    other = cluster.start("q")
    cluster.engine.cancel_instance(endless)
    while cluster.engine.catch_up():
        pass
    assert cluster.has_ended(other)
    assert cluster.trace("p")[-1] == "TERMINATED"
