"""The exporter as a process that is killed at random moments while user tasks come and go."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import defaultdict
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.backend import API_KEY, Delivery
from devstack.engine import Resource
from devstack.records import Record
from devstack.stack import Stack
from tests.kit.user_task import APPROVAL
from tests.kit.waiting import PATIENCE_S

WANTED = ("CREATED", "ASSIGNED", "COMPLETED", "CANCELED")
_AT_START = 50
"""User tasks that begin while an exporter starts."""

_OURS = ("APP_INTEGRATIONS_", "ZEEBE_", "CAMUNDA_")


class UserTasks:
    """A cluster's user tasks: begun by `start`, completed as soon as they are there.

    Attributes:
        told: What records tell of, as partition, task and intent, in their order.
    """

    def __init__(self, stack: Stack) -> None:
        self._engine = stack.engine
        self.told: list[tuple[int, str, str]] = []
        self.begun = 0
        stack.log.subscribe(self._read)
        self._engine.deploy([Resource("approval.bpmn", APPROVAL.encode())])

    def start(self) -> None:
        """Begin one more."""
        self._engine.create_instance(process_id="approval")
        self.begun += 1

    @property
    def are_done(self) -> bool:
        """Whether each was created and completed."""
        return len(self.told) == 2 * self.begun

    def _read(self, record: Record) -> None:
        is_told = record.record_type == "EVENT" and record.intent in WANTED
        if record.value_type != "USER_TASK" or not is_told:
            return
        self.told.append((record.partition_id, str(record.key), record.intent))
        if record.intent == "CREATED":
            # The engine is in the middle of its work.
            asyncio.get_running_loop().call_soon(self._engine.complete_user_task, record.key)


@asynccontextmanager
async def exporter_process(environment: Mapping[str, str], log: Path):
    """`app-integrations-exporter run` until the block ends, which kills it if it still runs."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "exporter", "run"),
            stdout=output,
            stderr=output,
            env={**inherited, **environment},
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def environment_of(stack: Stack, source: str, state_dir: Path) -> dict[str, str]:
    """Settings of an exporter that delivers to the stack's backend in small batches."""
    return {
        "APP_INTEGRATIONS_SOURCE": source,
        "APP_INTEGRATIONS_URL": stack.backend_url,
        "APP_INTEGRATIONS_API_KEY": API_KEY.get_secret_value(),
        "APP_INTEGRATIONS_STATE_DIR": str(state_dir),
        "APP_INTEGRATIONS_MANAGEMENT_PORT": "0",
        "APP_INTEGRATIONS_BATCH_SIZE": "5",
        "APP_INTEGRATIONS_BATCH_INTERVAL_MS": "50",
    }


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    Attributes:
        kills: How often the exporter was killed.
        events: How many events there were.
        arrived: By partition, task and intent of each, in the order of first arrival.
        repeats: Requests that came again.
        changed: Requests that came again with other events under the same key.
    """

    kills: int
    events: int
    arrived: list[tuple[int, str, str]]
    repeats: int
    changed: int

    @property
    def row(self) -> str:
        """The outcome in a line."""
        lost = self.events - len(set(self.arrived))
        return (
            f"kills {self.kills}, events {self.events}, lost {lost}, "
            f"requests repeated {self.repeats}, repeated with other events {self.changed}"
        )


async def kill_runs(
    stack: Stack,
    tasks: UserTasks,
    environment: Mapping[str, str],
    *,
    log: Path,
    kills: int,
    seed: int,
) -> Outcome:
    """Kill the exporter `kills` times while user tasks begin, then let it end its work.

    It is killed 0.1 to 1 s after something arrived, so that it has come to work each time.
    """
    moments = random.Random(seed)
    for _ in range(kills):
        async with exporter_process(environment, log) as process:
            seen = len(stack.backend.deliveries)
            async with asyncio.timeout(PATIENCE_S):
                begun = tasks.begun
                while len(stack.backend.deliveries) == seen:
                    assert process.returncode is None, _said(log)
                    # However long its start takes, it does not come to an ever larger backlog.
                    if tasks.begun < begun + _AT_START:
                        tasks.start()
                    await asyncio.sleep(0.02)
            end_s = asyncio.get_running_loop().time() + moments.uniform(0.1, 1.0)
            while asyncio.get_running_loop().time() < end_s:
                tasks.start()
                await asyncio.sleep(moments.uniform(0, 0.02))
    async with exporter_process(environment, log) as process, asyncio.timeout(3 * PATIENCE_S):
        while not (tasks.are_done and len(_first(stack.backend.deliveries)) >= len(tasks.told)):
            assert process.returncode is None, _said(log)
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        process.terminate()
        assert await process.wait() == 0, _said(log)
    return _outcome(kills, tasks, stack.backend.deliveries)


def _said(log: Path) -> str:
    return log.read_text()[-4000:]


def _outcome(kills: int, tasks: UserTasks, deliveries: tuple[Delivery, ...]) -> Outcome:
    requests: dict[str, dict[int, list[object]]] = defaultdict(lambda: defaultdict(list))
    for each in deliveries:
        requests[each.idempotency_key][each.request].append(each.event)
    same_key = [list(bodies.values()) for bodies in requests.values()]
    return Outcome(
        kills,
        len(tasks.told),
        _first(deliveries),
        repeats=sum(len(bodies) - 1 for bodies in same_key),
        changed=sum(any(body != bodies[0] for body in bodies) for bodies in same_key),
    )


def _first(deliveries: tuple[Delivery, ...]) -> list[tuple[int, str, str]]:
    """What arrived, without what came again under the same key."""
    return [
        (int(each.idempotency_key.split("-")[0]), each.event["id"], each.event["intent"])
        for each in deliveries
        if not each.is_repeat
    ]
