"""Random processes run to their ends, and their records hold together."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devstack.errors import NotFoundError
from tests.kit.cluster import Cluster
from tests.kit.random_process import STUCK_UNTIL, blocks, draw

_NEXT = {
    None: {"ELEMENT_ACTIVATING"},
    "ELEMENT_ACTIVATING": {"ELEMENT_ACTIVATED", "ELEMENT_TERMINATING"},
    "ELEMENT_ACTIVATED": {"ELEMENT_COMPLETING", "ELEMENT_TERMINATING"},
    "ELEMENT_COMPLETING": {"ELEMENT_COMPLETED", "ELEMENT_TERMINATING"},
    "ELEMENT_TERMINATING": {"ELEMENT_TERMINATED"},
}
_ENDED = {"ELEMENT_COMPLETED", "ELEMENT_TERMINATED"}
_FATES = st.sampled_from(["complete", "complete", "fail", "error", "late"])


class _HandClock:
    """A clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.ms

    def monotonic_s(self) -> float:
        return self.ms / 1000

    async def sleep(self, delay_s: float) -> None:
        raise AssertionError("nothing sleeps here")


def _drive(cluster: Cluster, keys: list[int], fates, rounds: int = 400) -> None:
    """Do whatever the instances wait for, as workers, people and time do it."""
    for _ in range(rounds):
        if all(cluster.has_ended(key) for key in keys):
            return
        worked = False
        for job_type in ("work", "io.camunda.zeebe:userTask"):
            for given_job in cluster.jobs(job_type, limit=2):
                _finish(cluster, given_job.job.key, fates())
                worked = True
        for task in _open_tasks(cluster)[:2]:
            cluster.engine.complete_user_task(task, {"n": 1})
            worked = True
        if not (_free(cluster) or worked):
            due_ms = cluster.engine._schedule.next_due_ms
            assert due_ms is not None, "the instance waits for nothing"
            cluster.clock.ms = due_ms
            cluster.engine.catch_up()
    raise AssertionError("the instance does not end")


def _finish(cluster: Cluster, key: int, fate: str) -> None:
    """End a job in one of the ways; what was done before may have taken it back."""
    with suppress(NotFoundError):
        _act(cluster, key, fate)


def _act(cluster: Cluster, key: int, fate: str) -> None:
    engine = cluster.engine
    if fate == "complete":
        engine.complete_job(key, {"n": 2})
    elif fate == "late":
        cluster.clock.ms += 60_000
        engine.catch_up()
    else:
        if fate == "fail":
            engine.fail_job(key, retries=0, message="no")
        else:
            engine.throw_error(key, code="no")
        for incident in cluster.incidents():
            if incident.value["jobKey"] > 0:
                engine.update_job_retries(incident.value["jobKey"], 1)
                engine.resolve_incident(incident.key)


def _free(cluster: Cluster) -> bool:
    """Give a stuck element what it lacks, and resolve its incident; False when there is none."""
    stuck = [each for each in cluster.incidents() if each.value["jobKey"] == -1]
    for incident in stuck[:1]:
        name = STUCK_UNTIL + incident.value["elementId"]
        cluster.engine.set_variables(incident.value["processInstanceKey"], {name: True})
        cluster.engine.resolve_incident(incident.key)
    return bool(stuck)


def _open_tasks(cluster: Cluster) -> list[int]:
    ended = {
        record.key
        for intent in ("COMPLETED", "CANCELED")
        for record in cluster.events("USER_TASK", intent)
    }
    return [r.key for r in cluster.events("USER_TASK", "CREATED") if r.key not in ended]


def _check_positions(cluster: Cluster) -> None:
    positions = defaultdict(int)
    commands = defaultdict(set)
    for record in cluster.records:
        assert record.position == positions[record.partition_id] + 1
        positions[record.partition_id] = record.position
        if record.record_type == "COMMAND":
            commands[record.partition_id].add(record.position)
        else:
            assert record.source_record_position in commands[record.partition_id]
        if record.key > 0 and record.value_type not in ("PROCESS", "DEPLOYMENT"):
            assert record.key >> 51 == record.partition_id


def _check_lives(cluster: Cluster) -> None:
    """Every element instance lives by the rules, inside a scope that lives."""
    states: dict[int, str] = {}
    scopes: dict[int, int] = {}
    for record in cluster.events("PROCESS_INSTANCE"):
        if record.intent == "SEQUENCE_FLOW_TAKEN":
            assert states[record.value["flowScopeKey"]] not in _ENDED
            continue
        assert record.intent in _NEXT[states.get(record.key)], (record.key, record.intent)
        states[record.key] = record.intent
        scope = record.value["flowScopeKey"]
        assert scopes.setdefault(record.key, scope) == scope
        if scope != -1:
            assert states[scope] not in _ENDED
        parent = record.value["parentElementInstanceKey"]
        if scope == -1 and parent != -1:
            assert states[parent] not in _ENDED
    assert set(states.values()) <= _ENDED


def _check_belongings(cluster: Cluster) -> None:
    """Jobs, tasks, timers and incidents begin once, end once, and belong to an element instance."""
    instances = {r.key for r in cluster.events("PROCESS_INSTANCE") if "ELEMENT" in r.intent}
    ends = {
        "JOB": {"COMPLETED", "CANCELED", "ERROR_THROWN"},
        "USER_TASK": {"COMPLETED", "CANCELED"},
        "TIMER": {"TRIGGERED", "CANCELED"},
        "INCIDENT": {"RESOLVED"},
    }
    for value_type, ending in ends.items():
        created = cluster.events(value_type, "CREATED")
        assert len({record.key for record in created}) == len(created)
        assert all(record.value["elementInstanceKey"] in instances for record in created)
        ended = {r.key for r in cluster.events(value_type) if r.intent in ending}
        assert ended == {record.key for record in created}
    assert all(r.value["scopeKey"] in instances for r in cluster.events("VARIABLE"))
    for record in cluster.events("VARIABLE", "UPDATED"):
        assert any(c.key == record.key for c in cluster.events("VARIABLE", "CREATED"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(block=blocks, partitions=st.integers(1, 3), data=st.data())
def test_random_processes_run_to_their_ends(block, partitions, data):
    """Whatever is built of supported elements ends, leaves nothing, and its records are sound."""
    cluster = Cluster(_HandClock(), partitions=partitions)
    cluster.deploy(draw(block))
    keys = [cluster.start(variables={"n": n}) for n in range(partitions)]
    _drive(cluster, keys, lambda: data.draw(_FATES))
    _check_positions(cluster)
    _check_lives(cluster)
    _check_belongings(cluster)
    assert cluster.remembers == 0
    ends = [r for r in cluster.events("PROCESS_INSTANCE", "ELEMENT_COMPLETED") if r.key in keys]
    assert len(ends) == len(keys)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(block=blocks, data=st.data())
def test_random_processes_can_be_canceled_anywhere(block, data):
    """Cancelling at any moment ends all that runs, and leaves nothing."""
    cluster = Cluster(_HandClock())
    cluster.deploy(draw(block))
    key = cluster.start(variables={"n": 0})
    for _ in range(data.draw(st.integers(0, 5))):
        for job_type in ("work", "io.camunda.zeebe:userTask"):
            for given_job in cluster.jobs(job_type, limit=1):
                _finish(cluster, given_job.job.key, data.draw(_FATES))
    if not cluster.has_ended(key):
        cluster.engine.cancel_instance(key)
    assert cluster.has_ended(key)
    _check_positions(cluster)
    _check_lives(cluster)
    _check_belongings(cluster)
    assert cluster.remembers == 0
