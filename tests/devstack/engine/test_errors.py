"""BPMN errors: thrown by jobs and end events, caught by boundary events."""

from __future__ import annotations

import pytest

from tests.kit import bpmn as b
from tests.kit.cluster import Cluster


@pytest.fixture
def cluster(clock) -> Cluster:
    return Cluster(clock)


def _with_boundaries(*pieces: str, task: str = ""):
    return b.bpmn(
        b.start(),
        task or b.service("t"),
        b.end(),
        b.chain("start", "t", "end"),
        *pieces,
        errors={"e1": "no-money", "e2": "other"},
    )


def test_error_goes_on_at_its_boundary_event(cluster):
    """A thrown error ends the task and goes on, with its variables, at the event of its code."""
    cluster.deploy(
        _with_boundaries(
            b.boundary("caught", "t", b.error("e1")),
            b.boundary("any", "t", b.error()),
            b.end("refused"),
            b.end("odd"),
            b.chain("caught", "refused"),
            b.chain("any", "odd"),
        ),
    )
    key = cluster.start()
    [given] = cluster.jobs()
    cluster.engine.throw_error(given.job.key, code="no-money", variables={"missing": 5})
    assert cluster.trace("t")[-2:] == ["TERMINATING", "TERMINATED"]
    assert cluster.trace("caught")[-1] == "COMPLETED"
    assert cluster.trace("refused")[-1] == "COMPLETED"
    assert cluster.trace("odd") == []
    assert cluster.variables(key) == {"missing": "5"}
    assert cluster.intents("JOB") == ["CREATED", "ERROR_THROWN"]
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


def test_event_without_code_catches_the_rest(cluster):
    """A boundary event that names no error catches those that no other does."""
    cluster.deploy(
        _with_boundaries(
            b.boundary("caught", "t", b.error("e1")),
            b.boundary("any", "t", b.error()),
            b.end("refused"),
            b.end("odd"),
            b.chain("caught", "refused"),
            b.chain("any", "odd"),
        ),
    )
    cluster.start()
    [given] = cluster.jobs()
    cluster.engine.throw_error(given.job.key, code="unheard-of")
    assert cluster.trace("odd")[-1] == "COMPLETED"
    assert cluster.trace("refused") == []


def test_uncaught_error_is_an_incident(cluster):
    """An error that nothing catches keeps the job; resolved, the job is given out again."""
    cluster.deploy(
        _with_boundaries(
            b.boundary("caught", "t", b.error("e1")), b.end("r"), b.chain("caught", "r")
        )
    )
    cluster.start()
    [given] = cluster.jobs()
    cluster.engine.throw_error(given.job.key, code="x", message="boom")
    [incident] = cluster.incidents()
    assert incident.value["errorType"] == "UNHANDLED_ERROR_EVENT"
    assert incident.value["jobKey"] == given.job.key
    assert incident.value["errorMessage"] == (
        "Expected to throw an error event with the code 'x' with message 'boom', but it was not "
        "caught. Available error events are [no-money]"
    )
    cluster.engine.resolve_incident(incident.key)
    [again] = cluster.jobs()
    cluster.engine.throw_error(again.job.key, code="no-money")
    assert cluster.trace("r")[-1] == "COMPLETED"
    assert cluster.remembers == 0


def test_error_end_event_is_caught_around_the_sub_process(cluster):
    """An error end event ends its sub-process, and what else runs in it, at the event on it."""
    cluster.deploy(
        b.bpmn(
            b.start(),
            b.sub_process(
                "sub",
                b.start("s"),
                b.node("parallelGateway", "fork"),
                b.service("side"),
                b.end("side_end"),
                b.end("bad", b.error("e1")),
                b.chain("s", "fork", "bad"),
                b.chain("fork", "side", "side_end"),
            ),
            b.boundary("caught", "sub", b.error("e1")),
            b.end(),
            b.end("after"),
            b.chain("start", "sub", "end"),
            b.chain("caught", "after"),
            errors={"e1": "no"},
        ),
    )
    key = cluster.start()
    assert cluster.trace("side")[-1] == "TERMINATED"
    assert cluster.trace("bad") == ["ACTIVATING", "ACTIVATED", "TERMINATING", "TERMINATED"]
    assert cluster.trace("sub")[-1] == "TERMINATED"
    assert cluster.trace("after")[-1] == "COMPLETED"
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


def test_uncaught_error_end_event_is_an_incident(cluster):
    """An error end event that nothing catches waits in an incident of its own."""
    cluster.deploy(
        b.bpmn(
            b.start(),
            b.end("bad", b.error("e1")),
            b.chain("start", "bad"),
            errors={"e1": "=code"},
        ),
    )
    key = cluster.start(variables={"code": "c"})
    [incident] = cluster.incidents()
    assert incident.value["errorType"] == "UNHANDLED_ERROR_EVENT"
    assert "'c'" in incident.value["errorMessage"]
    cluster.engine.cancel_instance(key)
    assert cluster.incidents() == []
    assert cluster.remembers == 0


def test_error_passes_through_a_call_activity(cluster):
    """An error in a called process is caught by the event on the call activity."""
    cluster.deploy(
        b.bpmn(
            b.start(),
            b.call("c", "q"),
            b.boundary("caught", "c", b.error("e1")),
            b.end(),
            b.end("after"),
            b.chain("start", "c", "end"),
            b.chain("caught", "after"),
            errors={"e1": "no"},
        ),
        b.bpmn(b.start(), b.service("t"), b.end(), b.chain("start", "t", "end"), id="q"),
    )
    key = cluster.start()
    [given] = cluster.jobs()
    cluster.engine.throw_error(given.job.key, code="no", variables={"v": 1})
    assert cluster.trace("q")[-1] == "TERMINATED"
    assert cluster.trace("c")[-1] == "TERMINATED"
    assert cluster.trace("after")[-1] == "COMPLETED"
    assert cluster.variables(key) == {"v": "1"}
    assert cluster.has_ended(key)
    assert cluster.remembers == 0
