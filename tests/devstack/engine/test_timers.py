"""Timers on catch, boundary and start events."""

from __future__ import annotations

import asyncio

import pytest

from tests.kit import bpmn as b
from tests.kit.cluster import Cluster


@pytest.fixture
async def cluster(clock):
    cluster = Cluster(clock)
    task = asyncio.create_task(cluster.engine.run())
    yield cluster
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _catch(kind: str, text: str) -> bytes:
    return b.bpmn(
        b.start(),
        b.node("intermediateCatchEvent", "wait", b.timer(kind, text)),
        b.end(),
        b.chain("start", "wait", "end"),
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("timeDuration", "PT1M30S"),
        ("timeDuration", '=duration("PT90S")'),
        ("timeDuration", "=wait"),
        ("timeDate", "2023-11-14T22:14:50Z"),
        ("timeDate", '=date and time("2023-11-14T22:14:50Z")'),
    ],
    ids=["static", "feel", "variable", "date", "feel-date"],
)
async def test_catch_event_waits_its_time(cluster, clock, kind, text):
    """A timer catch event waits for its duration or until its date, however it is written."""
    cluster.deploy(_catch(kind, text))
    key = cluster.start(variables={"wait": "PT90S"})
    [timer] = cluster.events("TIMER", "CREATED")
    assert timer.value["dueDate"] == clock.now_ms() + 90_000
    assert timer.value["targetElementId"] == "wait"
    await clock.advance(89)
    assert not cluster.has_ended(key)
    await clock.advance(2)
    assert cluster.has_ended(key)
    assert cluster.intents("TIMER") == ["CREATED", "TRIGGERED"]
    assert cluster.remembers == 0


async def test_date_in_the_past_fires_at_once(cluster, clock):
    """A timer whose date has passed fires in the next moment."""
    cluster.deploy(_catch("timeDate", "2020-01-01T00:00:00Z"))
    key = cluster.start()
    await clock.advance(0.001)
    assert cluster.has_ended(key)


async def test_wrong_duration_is_an_incident(cluster, clock):
    """FEEL that gives no duration says so; set right and resolved, the timer runs."""
    cluster.deploy(_catch("timeDuration", "=wait"))
    key = cluster.start(variables={"wait": "soon"})
    [incident] = cluster.incidents()
    assert incident.value["errorType"] == "EXTRACT_VALUE_ERROR"
    assert (
        "Invalid duration format 'soon' for expression 'wait'." in (incident.value["errorMessage"])
    )
    cluster.engine.set_variables(key, {"wait": "PT1S"})
    cluster.engine.resolve_incident(incident.key)
    await clock.advance(2)
    assert cluster.has_ended(key)


def _boundary(kind: str, text: str, *, interrupting: bool) -> bytes:
    return b.bpmn(
        b.start(),
        b.service("t"),
        b.boundary("late", "t", b.timer(kind, text), interrupting=interrupting),
        b.end(),
        b.end("reminded"),
        b.chain("start", "t", "end"),
        b.chain("late", "reminded"),
    )


async def test_interrupting_timer_ends_the_task(cluster, clock):
    """When its time is over the task is terminated and the path of the event is taken."""
    cluster.deploy(_boundary("timeDuration", "PT10S", interrupting=True))
    key = cluster.start()
    await clock.advance(11)
    assert cluster.trace("t")[-1] == "TERMINATED"
    assert cluster.trace("reminded")[-1] == "COMPLETED"
    assert cluster.intents("JOB") == ["CREATED", "CANCELED"]
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


async def test_timer_of_a_done_task_is_canceled(cluster, clock):
    """A task that is done in time takes its timer with it."""
    cluster.deploy(_boundary("timeDuration", "PT10S", interrupting=True))
    key = cluster.start()
    cluster.complete()
    assert cluster.intents("TIMER") == ["CREATED", "CANCELED"]
    await clock.advance(20)
    assert cluster.trace("late") == []
    assert cluster.has_ended(key)


async def test_non_interrupting_cycle_repeats(cluster, clock):
    """A cycle fires as often as it says while the task goes on."""
    cluster.deploy(_boundary("timeCycle", "R3/PT10S", interrupting=False))
    key = cluster.start()
    await clock.advance(100)
    assert cluster.trace("reminded").count("COMPLETED") == 3
    assert cluster.trace("t")[-1] == "ACTIVATED"
    cluster.complete()
    assert cluster.has_ended(key)
    assert cluster.remembers == 0


@pytest.mark.parametrize(
    ("cycle", "times"),
    [
        ('=cycle(2, duration("PT10S"))', 2),
        ('=cycle(repetitions: 3, interval: duration("PT10S"))', 3),
        ('=cycle(duration("PT10S"))', 10),
        ('=cycle(null, duration("PT10S"))', 10),
        ('=cycle(2, duration("P1M"))', 0),
    ],
)
async def test_a_cycle_may_come_from_zeebes_own_function(cluster, clock, cycle, times):
    """`cycle` makes a repetition of a number and a duration, endless without a number."""
    cluster.deploy(_boundary("timeCycle", cycle, interrupting=False))
    cluster.start()
    await clock.advance(105)
    assert cluster.trace("reminded").count("COMPLETED") == times
    assert cluster.incidents() == []


@pytest.mark.parametrize(
    "cycle", ['=cycle(2, "PT10S")', '=cycle("2", duration("PT1S"))', "=cycle(2)"]
)
async def test_a_cycle_of_something_else_is_an_incident(cluster, cycle):
    """The incident says what `cycle` takes."""
    cluster.deploy(_boundary("timeCycle", cycle, interrupting=False))
    cluster.start()
    [incident] = cluster.incidents()
    assert incident.value["errorType"] == "EXTRACT_VALUE_ERROR"
    assert "cycle takes a number of repetitions and a duration" in incident.value["errorMessage"]


@pytest.mark.parametrize(
    "cycle", ["R/2020-01-01T00:00:00Z/PT1S", "R/PT0S", "R/-PT1H"], ids=["past", "zero", "negative"]
)
async def test_cycle_does_not_run_away(cycle, clock):
    """A cycle that begins in the past, or has no length, fires at once and lets others go on."""
    cluster = Cluster(clock)
    cluster.deploy(_boundary("timeCycle", cycle, interrupting=False))
    cluster.start()
    for _ in range(5):
        await clock.advance(1)
        cluster.engine.catch_up()
    assert 1 <= cluster.trace("reminded").count("COMPLETED") <= 5
    cluster.complete()
    assert cluster.remembers == 0


async def test_endless_cycle_ends_with_its_task(cluster, clock):
    """A cycle without a number goes on until the task is done."""
    cluster.deploy(_boundary("timeCycle", "R/PT10S", interrupting=False))
    cluster.start()
    await clock.advance(55)
    assert cluster.trace("reminded").count("COMPLETED") == 5
    cluster.complete()
    await clock.advance(55)
    assert cluster.trace("reminded").count("COMPLETED") == 5
    assert cluster.remembers == 0


def _started_by(kind: str, text: str) -> bytes:
    start = b.start("tick", b.timer(kind, text))
    return b.bpmn(start, b.end(), b.chain("tick", "end"))


async def test_start_event_starts_instances(cluster, clock):
    """A timer start event starts an instance each time, at its own start event."""
    cluster.deploy(_started_by("timeCycle", "R2/PT1H"))
    await clock.advance(3 * 3600)
    assert cluster.trace("tick").count("COMPLETED") == 2
    assert cluster.trace("p").count("COMPLETED") == 2
    assert cluster.remembers == 0


async def test_new_version_replaces_start_timers(cluster, clock):
    """Deploying a new version ends the old one's timer."""
    cluster.deploy(_started_by("timeCycle", "R/PT1H"))
    cluster.deploy(_started_by("timeCycle", "R/PT2H"))
    await clock.advance(2 * 3600 + 1)
    assert cluster.trace("p").count("COMPLETED") == 1
    assert cluster.events("PROCESS_INSTANCE")[-1].value["version"] == 2
