"""What the page shows, as JSON: entities of the store and open work, with keys as text.

A key is text here because it passes 2^53 from the fourth partition on, and a browser's numbers
lose its digits there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devstack.operate.fields import (
    FLOWNODE_INSTANCES,
    INCIDENTS,
    PROCESS_DEFINITIONS,
    PROCESS_INSTANCES,
    VARIABLES,
    Entity,
    Kind,
)
from devstack.operate.query import MAX_SIZE, Equals, Order, Query
from devstack.operate.store import Store
from devstack.page.work import OpenJob, OpenWork

SHOWN_INSTANCES = 100
_JOB_FIELDS = ("type", "elementId", "retries", "worker", "errorMessage")
_TASK_FIELDS = ("elementId", "assignee", "candidateGroupsList", "dueDate", "priority")


class Views:
    """Reads the store and the open work for the page.

    Each method raises `UnknownKeyError` for a key that the store does not know.
    """

    def __init__(self, store: Store, work: OpenWork) -> None:
        self._store = store
        self._work = work

    def processes(self) -> list[dict[str, Any]]:
        """Every deployed process with counts of its instances."""
        return [_summary(each) for each in self._store.process_summaries()]

    def process(self, key: int) -> dict[str, Any]:
        """A process: where its running instances stand, and its first hundred instances."""
        self._store.get(PROCESS_DEFINITIONS, key)
        return {"tokens": self._store.tokens(key), "instances": self._instances(key)}

    def instance(self, key: int) -> dict[str, Any]:
        """A process instance with all that belongs to it; a seed's entities may lack any field."""
        elements = self._found(FLOWNODE_INSTANCES, "processInstanceKey", key)
        names = {str(each.get("flowNodeId")): each.get("flowNodeName") for each in elements}
        incidents = [
            each
            for each in self._found(INCIDENTS, "processInstanceKey", key)
            if each.get("state") == "ACTIVE"
        ]
        stuck = {each["incidentKey"]: each for each in elements if "incidentKey" in each}
        return {
            "instance": _texts(PROCESS_INSTANCES, self._store.get(PROCESS_INSTANCES, key)),
            "tokens": self._store.statistics(key),
            "sequenceFlows": self._store.sequence_flows(key),
            "variables": [
                each | {"scope": _scope(each, key, elements)}
                for each in self._found(VARIABLES, "processInstanceKey", key)
            ],
            "incidents": [
                each | {"elementId": stuck.get(each["key"], {}).get("flowNodeId")}
                for each in incidents
            ],
            "jobs": [_job(job, names) for job in self._work.jobs_of(key)],
            "userTasks": [_task(task, names) for task in self._work.user_tasks_of(key)],
        }

    def _instances(self, definition_key: int) -> list[dict[str, Any]]:
        """Stuck instances first, then running ones, the newest of each first."""
        entity = PROCESS_INSTANCES
        query = Query(
            conditions=(Equals(entity.by_name["processDefinitionKey"], definition_key),),
            sort=(
                Order(entity.by_name["incident"], is_descending=True),
                Order(entity.by_name["state"], is_descending=False),
                Order(entity.key_field, is_descending=True),
            ),
            size=SHOWN_INSTANCES,
            search_after=None,
        )
        return [_texts(entity, item) for item in self._store.search(entity, query).items]

    def _found(self, entity: Entity, field: str, value: int) -> list[dict[str, Any]]:
        query = Query(
            conditions=(Equals(entity.by_name[field], value),),
            sort=(Order(entity.key_field, is_descending=False),),
            size=MAX_SIZE,
            search_after=None,
        )
        return [_texts(entity, item) for item in self._store.search(entity, query).items]


def _summary(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A process, under its key where a seed gave it no name to go by."""
    key = str(summary["key"])
    return {
        **summary,
        "key": key,
        "bpmnProcessId": summary["bpmnProcessId"] or key,
        "version": summary["version"] or 1,
    }


def _texts(entity: Entity, item: Mapping[str, Any]) -> dict[str, Any]:
    keys = {field.name for field in entity.fields if field.kind is Kind.INT64}
    return {name: str(value) if name in keys else value for name, value in item.items()}


def _scope(variable: Mapping[str, Any], instance_key: int, elements: list[dict[str, Any]]) -> str:
    """The element that a variable lives in; empty for the instance itself, and when not known."""
    scope_key = variable.get("scopeKey", "")
    if scope_key == str(instance_key):
        return ""
    of_key = {each["key"]: each.get("flowNodeId", "") for each in elements}
    return str(of_key.get(scope_key, scope_key))


def _job(job: OpenJob, names: Mapping[str, str | None]) -> dict[str, Any]:
    shown = {name: job.value[name] for name in _JOB_FIELDS}
    name = names.get(job.value["elementId"])
    return {"key": str(job.key), "state": job.state, "elementName": name} | shown


def _task(task: Mapping[str, Any], names: Mapping[str, str | None]) -> dict[str, Any]:
    shown = {name: task[name] for name in _TASK_FIELDS}
    return {"key": str(task["userTaskKey"]), "elementName": names.get(task["elementId"])} | shown
