from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from devstack.operate.fields import (
    FLOWNODE_INSTANCES,
    INCIDENTS,
    PROCESS_INSTANCES,
    VARIABLES,
    Entity,
)
from devstack.operate.query import MAX_SIZE, Equals, Order, Query
from devstack.operate.store import Store


@dataclass(frozen=True, slots=True)
class ProcessInstance:
    """What Operate knows of a process instance.

    Attributes:
        key: of the instance.
        process_id: BPMN id of its process.
        state: `ACTIVE`, `COMPLETED` or `CANCELED`.
        variables: those of the instance itself, by name; not those of its elements.
        completed: ids of the elements that were completed, in the order they began.
        active: ids of the elements that it stands at.
        incidents: the open incidents: id of the element, and the message.
    """

    key: int
    process_id: str
    state: str
    variables: Mapping[str, Any]
    completed: tuple[str, ...]
    active: tuple[str, ...]
    incidents: tuple[tuple[str, str], ...]

    @property
    def is_ended(self) -> bool:
        """Whether it is over, one way or another."""
        return self.state != "ACTIVE"


def read_instance(store: Store, key: int) -> ProcessInstance:
    """What the store knows of a process instance.

    Raises:
        UnknownKeyError: when it knows none with this key.
    """
    instance = store.get(PROCESS_INSTANCES, key)
    elements = _of_instance(store, FLOWNODE_INSTANCES, key)
    stuck = {each["incidentKey"]: each["flowNodeId"] for each in elements if "incidentKey" in each}
    return ProcessInstance(
        key=key,
        process_id=instance["bpmnProcessId"],
        state=instance["state"],
        variables={
            each["name"]: orjson.loads(store.get(VARIABLES, each["key"])["value"])
            for each in _of_instance(store, VARIABLES, key)
            if each["scopeKey"] == key
        },
        completed=tuple(each["flowNodeId"] for each in elements if each["state"] == "COMPLETED"),
        active=tuple(each["flowNodeId"] for each in elements if each["state"] == "ACTIVE"),
        incidents=tuple(
            (stuck.get(each["key"], "?"), each.get("message", ""))
            for each in _of_instance(store, INCIDENTS, key)
            if each["state"] == "ACTIVE"
        ),
    )


def _of_instance(store: Store, entity: Entity, key: int) -> list[dict[str, Any]]:
    """Everything of one kind that belongs to the instance, page by page, by key."""
    found: list[dict[str, Any]] = []
    after: tuple[Any, ...] | None = None
    while True:
        query = Query(
            conditions=(Equals(entity.by_name["processInstanceKey"], key),),
            sort=(Order(entity.key_field, is_descending=False),),
            size=MAX_SIZE,
            search_after=after,
        )
        page = store.search(entity, query)
        found += page.items
        if len(page.items) < MAX_SIZE:
            return found
        after = tuple(page.sort_values)
