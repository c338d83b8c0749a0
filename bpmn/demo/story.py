from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bpmn.demo.camunda import Camunda
from bpmn.demo.errors import StoryFailedError
from bpmn.demo.tap import Exchange, Tap
from bpmn.demo.waiting import until
from bpmn.demo.zeebe import Zeebe
from runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Stage:
    """Where stories take place: the cluster, the line that is listened to, and time."""

    zeebe: Zeebe
    camunda: Camunda
    tap: Tap
    token_url: str
    clock: Clock


@dataclass(frozen=True, slots=True)
class Ended:
    """An instance of an example process that came to its end.

    Attributes:
        process_id: The process's BPMN id.
        key: The instance.
        state: `COMPLETED` or `CANCELED`.
        end: The name of the end event that it reached.
        asked: Each connector task's name with what it asked and was answered, in order.
        variables: The instance's variables at its end.
        took_s: Seconds from its start to its end, as the demo saw it.
        completed: Each user task's name with the variables that the demo completed it with.
    """

    process_id: str
    key: int
    state: str
    end: str
    asked: tuple[tuple[str, Exchange], ...]
    variables: Mapping[str, Any]
    took_s: float
    completed: tuple[tuple[str, Mapping[str, object]], ...] = ()


@dataclass(frozen=True, slots=True)
class Instance:
    """A running instance of an example process."""

    stage: Stage
    process_id: str
    key: int
    started_s: float

    @classmethod
    async def start(
        cls, stage: Stage, process_id: str, variables: Mapping[str, object]
    ) -> Instance:
        """Start an instance whose tasks ask by way of the tap."""
        started_s = stage.clock.monotonic_s()
        addresses = {"operateUrl": stage.tap.url_for(process_id), "tokenUrl": stage.token_url}
        key = await stage.zeebe.start(process_id, {**variables, **addresses})
        return cls(stage, process_id, key, started_s)

    async def end(self) -> Ended:
        """Wait for the end and tell what happened.

        Raises:
            StoryFailedError: It did not end in time, was held up by an incident, or its tasks did
                not ask once each.
        """
        instance = await until(self._ended, f"the end of {self.process_id}", self.stage.clock)
        took_s = self.stage.clock.monotonic_s() - self.started_s
        nodes = await self.stage.camunda.flow_nodes(self.key)
        tasks = [node["flowNodeName"] for node in nodes if node["type"] == "SERVICE_TASK"]
        heard = self.stage.tap.heard(self.process_id)
        if len(tasks) != len(heard):
            raise StoryFailedError(
                f"{self.process_id} has {len(tasks)} connector tasks and asked {len(heard)} times"
            )
        return Ended(
            process_id=self.process_id,
            key=self.key,
            state=instance["state"],
            end=next(node["flowNodeName"] for node in nodes if node["type"] == "END_EVENT"),
            asked=tuple(zip(tasks, heard, strict=True)),
            variables=await self.stage.camunda.variables(self.key),
            took_s=took_s,
        )

    async def _ended(self) -> Mapping[str, Any] | None:
        instance = await self.stage.camunda.instance(self.key)
        if instance is None or instance["state"] == "ACTIVE":
            await self._check()
            return None
        return instance

    async def _check(self) -> None:
        """An incident will not go away by waiting, so its message is the answer."""
        for incident in await self.stage.camunda.incidents():
            if incident["processInstanceKey"] == self.key:
                message = incident.get("message", incident["type"])
                raise StoryFailedError(f"{self.process_id} is held up by an incident: {message}")
