from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pyzeebe.proto import gateway_pb2 as pb

from bpmn.demo.errors import StoryFailedError
from bpmn.demo.story import Stage
from bpmn.demo.waiting import until

PROCESS_ID: Final = "order"
_JOB_TYPE: Final = "charge-card"
_CHARGED: Final[Mapping[str, object]] = {"orderId": "A-1000", "total": 99, "card": "valid"}
_GOOD: Final[Mapping[str, object]] = {"orderId": "A-1001", "total": 42, "card": "valid"}
_DECLINED: Final[tuple[Mapping[str, object], ...]] = (
    {"orderId": "A-1002", "total": 17, "card": "expired"},
    {"orderId": "A-1003", "total": 230, "card": "expired"},
    {"orderId": "A-1004", "total": 8, "card": "expired"},
)


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders that the examples look at.

    Attributes:
        stuck: Instances whose card was declined: an incident holds each up.
        running: The instance whose card is still being charged.
        charge: The job that `running` waits for.
        done: The instance whose card was charged: it has ended.
    """

    stuck: frozenset[int]
    running: int
    charge: pb.ActivatedJob
    done: int


async def place_orders(stage: Stage) -> Orders:
    """Start the orders and be the worker that charges cards: one is charged, one kept, some fail.

    Raises:
        StoryFailedError: The gateway gave other jobs than those, or no incidents came of it.
    """
    done = await stage.zeebe.start(PROCESS_ID, _CHARGED)
    running = await stage.zeebe.start(PROCESS_ID, _GOOD)
    stuck = frozenset([await stage.zeebe.start(PROCESS_ID, order) for order in _DECLINED])
    jobs = await _take_jobs(stage, 2 + len(_DECLINED))
    await stage.zeebe.complete(jobs[done])
    for key in stuck:
        await stage.zeebe.fail(jobs[key], "The card was declined: it has expired")

    async def all_stuck() -> list[dict[str, Any]] | None:
        incidents = await stage.camunda.incidents()
        held_up = {incident["processInstanceKey"] for incident in incidents}
        return incidents if stuck <= held_up else None

    await until(all_stuck, "an incident for each declined card", stage.clock)
    return Orders(stuck, running, jobs[running], done)


async def _take_jobs(stage: Stage, expected: int) -> dict[int, pb.ActivatedJob]:
    jobs: dict[int, pb.ActivatedJob] = {}

    async def all_jobs() -> dict[int, pb.ActivatedJob] | None:
        for job in await stage.zeebe.jobs(_JOB_TYPE, at_most=expected - len(jobs)):
            if "orderId" not in orjson.loads(job.variables):
                raise StoryFailedError(f"the job {job.key} came without its order's variables")
            jobs[job.processInstanceKey] = job
        return jobs if len(jobs) == expected else None

    return await until(all_jobs, f"{expected} jobs of type {_JOB_TYPE}", stage.clock)
