"""Zeebe's records as rows: what Operate's importer does, record by record.

Which intents begin and end what is Operate's own choice: an instance begins with
ELEMENT_ACTIVATING and shows no step in between; the process itself is an instance, never a flow
node; an incident marks its element, every element around it, and the instances that called them.
Sources: the index templates of Zeebe's exporters for the values, Operate's API for the entities.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from devstack.operate.fields import DEFAULT_TENANT, INCIDENTS, PROCESS_DEFINITIONS
from devstack.operate.models import read_model
from devstack.records import Record

_STARTS = frozenset({"ELEMENT_ACTIVATING", "ELEMENT_ACTIVATED"})
_PROCESS_ENDS = {"ELEMENT_COMPLETED": "COMPLETED", "ELEMENT_TERMINATED": "CANCELED"}
_FLOW_NODE_ENDS = {"ELEMENT_COMPLETED": "COMPLETED", "ELEMENT_TERMINATED": "TERMINATED"}


class Projection:
    """Writes each record into the tables at once; `ended_instances` counts what may be evicted."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._execute = database.execute
        self._many = database.executemany
        self.ended_instances = 0
        self._writers: dict[str, Callable[[Record], None]] = {
            "PROCESS": self._process,
            "PROCESS_INSTANCE": self._process_instance,
            "VARIABLE": self._variable,
            "INCIDENT": self._incident,
        }

    def apply(self, record: Record) -> None:
        """Write what the record tells; commands, rejections and other value types tell nothing."""
        writer = self._writers.get(record.value_type)
        if writer is not None and record.record_type == "EVENT":
            writer(record)

    def _process(self, record: Record) -> None:
        if record.intent != "CREATED":
            return
        value = record.value
        xml = base64.b64decode(value["resource"])
        model = read_model(xml, value["bpmnProcessId"])
        self._execute(
            'INSERT OR REPLACE INTO "process-definitions"'
            ' ("key", "name", "version", "versionTag", "bpmnProcessId", "tenantId")'
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                record.key,
                model.name,
                value["version"],
                value.get("versionTag") or None,
                value["bpmnProcessId"],
                _tenant_or_none(value),
            ),
        )
        self._execute(
            "INSERT OR REPLACE INTO xml VALUES (?, ?, ?)",
            (PROCESS_DEFINITIONS.path, record.key, xml.decode("utf-8", "replace")),
        )
        self._many(
            "INSERT OR REPLACE INTO flow_node_names VALUES (?, ?, ?)",
            ((record.key, element_id, name) for element_id, name in model.names.items()),
        )

    def _process_instance(self, record: Record) -> None:
        if record.intent == "SEQUENCE_FLOW_TAKEN":
            self._execute(
                "INSERT OR IGNORE INTO sequence_flows VALUES (?, ?)",
                (record.value["processInstanceKey"], record.value["elementId"]),
            )
        elif record.value["bpmnElementType"] == "PROCESS":
            self._instance(record)
        else:
            self._flow_node(record)

    def _instance(self, record: Record) -> None:
        value = record.value
        if record.intent in _STARTS:
            self._execute(
                'INSERT OR IGNORE INTO "process-instances" ("key", "processVersion",'
                ' "processVersionTag", "bpmnProcessId", "parentKey", "parentFlowNodeInstanceKey",'
                ' "startDate", "state", "incident", "processDefinitionKey", "tenantId")'
                ' VALUES (?, ?, (SELECT "versionTag" FROM "process-definitions" WHERE "key" = ?),'
                " ?, ?, ?, ?, 'ACTIVE', 0, ?, ?)",
                (
                    record.key,
                    value["version"],
                    value["processDefinitionKey"],
                    value["bpmnProcessId"],
                    _key_or_none(value["parentProcessInstanceKey"]),
                    _key_or_none(value["parentElementInstanceKey"]),
                    record.timestamp_ms,
                    value["processDefinitionKey"],
                    _tenant_or_none(value),
                ),
            )
        elif state := _PROCESS_ENDS.get(record.intent):
            self.ended_instances += self._execute(
                'UPDATE "process-instances" SET "state" = ?, "endDate" = ?'
                ' WHERE "key" = ? AND "endDate" IS NULL',
                (state, record.timestamp_ms, record.key),
            ).rowcount

    def _flow_node(self, record: Record) -> None:
        value = record.value
        if record.intent in _STARTS:
            self._execute(
                'INSERT OR IGNORE INTO "flownode-instances" ("key", "processInstanceKey",'
                ' "processDefinitionKey", "startDate", "flowNodeId", "type", "state", "incident",'
                " \"tenantId\") VALUES (?, ?, ?, ?, ?, ?, 'ACTIVE', 0, ?)",
                (
                    record.key,
                    value["processInstanceKey"],
                    value["processDefinitionKey"],
                    record.timestamp_ms,
                    value["elementId"],
                    value["bpmnElementType"],
                    _tenant_or_none(value),
                ),
            )
        elif state := _FLOW_NODE_ENDS.get(record.intent):
            self._execute(
                'UPDATE "flownode-instances" SET "state" = ?, "endDate" = ? WHERE "key" = ?',
                (state, record.timestamp_ms, record.key),
            )

    def _variable(self, record: Record) -> None:
        value = record.value
        if record.intent == "CREATED":
            self._execute(
                'INSERT OR REPLACE INTO "variables" ("key", "processInstanceKey", "scopeKey",'
                ' "name", "value", "tenantId") VALUES (?, ?, ?, ?, ?, ?)',
                (
                    record.key,
                    value["processInstanceKey"],
                    value["scopeKey"],
                    value["name"],
                    value["value"],
                    _tenant_or_none(value),
                ),
            )
        elif record.intent == "UPDATED":
            self._execute(
                'UPDATE "variables" SET "value" = ? WHERE "key" = ?',
                (value["value"], record.key),
            )

    def _incident(self, record: Record) -> None:
        if record.intent == "CREATED":
            self._open_incident(record)
        elif record.intent == "RESOLVED":
            self._close_incident(record)

    def _open_incident(self, record: Record) -> None:
        value = record.value
        self._execute(
            f'INSERT OR REPLACE INTO "{INCIDENTS.path}" ("key", "processDefinitionKey",'  # noqa: S608 - a constant
            ' "processInstanceKey", "type", "message", "creationTime", "state", "jobKey",'
            " \"tenantId\") VALUES (?, ?, ?, ?, ?, ?, 'ACTIVE', ?, ?)",
            (
                record.key,
                value["processDefinitionKey"],
                value["processInstanceKey"],
                value["errorType"],
                value["errorMessage"],
                record.timestamp_ms,
                _key_or_none(value["jobKey"]),
                _tenant_or_none(value),
            ),
        )
        self._execute(
            'UPDATE "flownode-instances" SET "incidentKey" = ? WHERE "key" = ?',
            (record.key, value["elementInstanceKey"]),
        )
        around = set(_elements_around(value))
        self._many(
            "INSERT OR IGNORE INTO open_incidents VALUES (?, ?)",
            ((record.key, element) for element in around),
        )
        self._mark(around)

    def _close_incident(self, record: Record) -> None:
        self._execute(
            'UPDATE "incidents" SET "state" = \'RESOLVED\' WHERE "key" = ?',
            (record.key,),
        )
        self._execute(
            'UPDATE "flownode-instances" SET "incidentKey" = NULL'
            ' WHERE "key" = ? AND "incidentKey" = ?',
            (record.value["elementInstanceKey"], record.key),
        )
        self._execute("DELETE FROM open_incidents WHERE incident_key = ?", (record.key,))
        self._mark(set(_elements_around(record.value)))

    def _mark(self, elements: Iterable[int]) -> None:
        """Let each element and instance say whether an incident is open on it or below it."""
        for table in ("process-instances", "flownode-instances"):
            self._many(
                f'UPDATE "{table}" SET "incident" = EXISTS('  # noqa: S608 - a constant
                'SELECT 1 FROM open_incidents WHERE element_instance_key = "key") WHERE "key" = ?',
                ((element,) for element in elements),
            )


def _key_or_none(key: int) -> int | None:
    """Zeebe writes -1 for no key."""
    return None if key < 0 else key


def _tenant_or_none(value: Mapping[str, Any]) -> str | None:
    tenant_id = value["tenantId"]
    return None if tenant_id == DEFAULT_TENANT else tenant_id


def _elements_around(value: Mapping[str, Any]) -> Iterable[int]:
    """The instances and elements that an incident lies in, from the root instance inwards.

    Records before 8.7 carry no path (inferred from older samples); then it is the two keys that
    each incident names.
    """
    for instance in value.get("elementInstancePath") or ():
        yield from instance
    yield value["processInstanceKey"]
    yield value["elementInstanceKey"]
