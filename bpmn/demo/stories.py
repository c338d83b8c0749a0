"""What happens to each example process. A story gives the ended instance, or raises."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bpmn.demo.errors import StoryFailedError
from bpmn.demo.orders import PROCESS_ID, Orders
from bpmn.demo.story import Ended, Instance, Stage
from bpmn.demo.waiting import until

_REMARK: Final = {"remark": "Asked the customers for another card."}


async def find_stuck_instances(stage: Stage, orders: Orders) -> Ended:
    """The search finds the declined orders, and the user task that lists them is completed."""
    instance = await Instance.start(stage, "stuck-instances", {"processId": PROCESS_ID})

    async def user_task() -> int | None:
        return await stage.camunda.user_task(instance.key)

    task = await until(user_task, "the user task about stuck instances", stage.clock)
    await stage.camunda.complete_user_task(task, _REMARK)
    ended = replace(await instance.end(), completed=(("Look into stuck instances", _REMARK),))
    found = {item["key"] for item in ended.variables["stuckInstances"]}
    _expect(ended, "Stuck instances looked into", found == orders.stuck)
    return ended


async def wait_for_order(stage: Stage, orders: Orders) -> Ended:
    """The order is asked about until its card is charged, which is after the second question."""
    variables = {"orderInstanceKey": orders.running}
    instance = await Instance.start(stage, "wait-for-process", variables)

    async def asked_twice() -> bool | None:
        return len(stage.tap.heard(instance.process_id)) >= 2 or None  # noqa: PLR2004 - twice

    await until(asked_twice, "a second question about the order", stage.clock)
    await stage.zeebe.complete(orders.charge)
    ended = await instance.end()
    _expect(ended, "Receipt read", "A-1001" in str(ended.variables.get("receipt")))
    return ended


async def count_incidents(stage: Stage, orders: Orders) -> Ended:
    """The incidents of the declined orders are counted over two pages."""
    ended = await (await Instance.start(stage, "page-incidents", {})).end()
    expected = [{"type": "JOB_NO_RETRIES", "incidents": len(orders.stuck)}]
    _expect(ended, "Incidents counted", ended.variables.get("incidentsByType") == expected)
    return ended


async def trace_order(stage: Stage, orders: Orders) -> Ended:
    """The way of a declined order is told: where it began, where it is stuck, and its diagram."""
    variables = {"orderInstanceKey": min(orders.stuck)}
    ended = await (await Instance.start(stage, "trace-instance", variables)).end()
    expected = {
        "completed": ["StartEvent_Placed"],
        "stuck": ["Task_ChargeCard"],
        "taken": ["Flow_Placed_ChargeCard"],
        "isDrawn": True,
    }
    _expect(ended, "Order traced", ended.variables.get("trace") == expected)
    return ended


async def clean_up(stage: Stage, orders: Orders) -> Ended:
    """The two orders that ended are deleted, and the declined ones stay."""
    ended = await (await Instance.start(stage, "clean-up", {"keepFor": "PT0S"})).end()
    gone = {orders.done, orders.running}
    left = {key for key in gone | orders.stuck if await stage.camunda.instance(key)}
    told = set(ended.variables.get("deleted", ()))
    _expect(ended, "Cleaned up", told == gone and left == orders.stuck)
    return ended


STORIES: Final = (find_stuck_instances, wait_for_order, count_incidents, trace_order, clean_up)


def _expect(ended: Ended, end: str, result_is_right: bool) -> None:  # noqa: FBT001 - private
    if ended.state != "COMPLETED" or ended.end != end:
        raise StoryFailedError(f"{ended.process_id} ended {ended.state} at '{ended.end}'")
    if not result_is_right:
        raise StoryFailedError(f"{ended.process_id} came to another result: {ended.variables}")
