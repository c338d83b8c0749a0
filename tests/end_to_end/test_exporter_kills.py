"""Killed at random moments, the exporter loses nothing, keeps the order and repeats itself alike.

The whole number of kills is for `KILLS=20`; by default it is a tenth of that.
"""

from __future__ import annotations

import os

import pytest

from devstack.bpmn.model import TaskListener
from devstack.stack import Stack, StackOptions
from tests.kit.kill_runs import UserTasks, environment_of, kill_runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KILLS = int(os.environ.get("KILLS", "2"))


def of_partition(told, partition_id):
    return [(key, intent) for partition, key, intent in told if partition == partition_id]


async def test_elasticsearch(tmp_path):
    """Every event once and in the log's order; a repeated request is the same request."""
    options = StackOptions(port_base=0, partitions=2, elasticsearch=True, refresh_s=0.2)
    async with Stack.start(options) as stack:
        tasks = UserTasks(stack)
        source = stack.elasticsearch_url.replace("http", "elasticsearch+http", 1)
        environment = environment_of(stack, f"{source}?lag-ms=300&poll-ms=100", tmp_path / "state")
        outcome = await kill_runs(
            stack, tasks, environment, log=tmp_path / "log", kills=KILLS, seed=7
        )
    print(f"elasticsearch: {outcome.row}")  # noqa: T201 - what `-s` is for
    for partition_id in (1, 2):
        told, arrived = (of_partition(each, partition_id) for each in (tasks.told, outcome.arrived))
        assert arrived == told
    assert outcome.changed == 0
    # One request of each partition is under way at a time.
    assert outcome.repeats <= 2 * outcome.kills


async def test_listener(tmp_path):
    """Every event once, each task's in their order, and no task left waiting."""
    listeners = tuple(TaskListener(event, "tell", 3) for event in ("creating", "completing"))
    options = StackOptions(version="8.9", port_base=0, partitions=2, global_listeners=listeners)
    async with Stack.start(options) as stack:
        tasks = UserTasks(stack)
        source = f"{stack.http_url.replace('http', 'listener+http', 1)}?type=tell"
        environment = environment_of(
            stack, f"{source}&job-timeout-ms=3000&poll-ms=1000", tmp_path / "state"
        ) | {"APP_INTEGRATIONS_SOURCE_USERNAME": "demo", "APP_INTEGRATIONS_SOURCE_PASSWORD": "demo"}
        outcome = await kill_runs(
            stack, tasks, environment, log=tmp_path / "log", kills=KILLS, seed=11
        )
    print(f"listener: {outcome.row}")  # noqa: T201 - what `-s` is for
    assert tasks.are_done
    assert sorted(outcome.arrived) == sorted(tasks.told)
    for partition_id in (1, 2):
        by_task = {}
        for key, intent in of_partition(outcome.arrived, partition_id):
            by_task.setdefault(key, []).append(intent)
        assert set(map(tuple, by_task.values())) == {("CREATED", "COMPLETED")}
    assert outcome.changed == 0
    assert outcome.repeats <= 2 * outcome.kills
