"""Zeebe records as text, for tests of the exporter; an event's id tells partition and position."""

from __future__ import annotations

import json
from pathlib import Path

import orjson

KEY_BITS = 51
BORN_MS = 1_768_471_872_340

USER_TASK = {
    "userTaskKey": 2251799813685289,
    "assignee": "",
    "candidateGroupsList": ["sales", "back-office"],
    "candidateUsersList": [],
    "changedAttributes": [],
    "dueDate": "2026-02-01T12:00:00Z",
    "followUpDate": "",
    "formKey": 2251799813685252,
    "action": "",
    "externalFormReference": "",
    "creationTimestamp": BORN_MS,
    "elementId": "approve-order",
    "elementInstanceKey": 2251799813685288,
    "bpmnProcessId": "order-process",
    "processDefinitionVersion": 3,
    "processInstanceKey": 2251799813685279,
    "processDefinitionKey": 2251799813685251,
    "variables": {},
    "customHeaders": {"channel": "teams"},
    "tenantId": "<default>",
    "priority": 50,
    "tags": ["vip"],
    "deniedReason": "",
    "listenersConfigKey": -1,
    "rootProcessInstanceKey": 2251799813685279,
    "businessId": "",
}


def record(
    position, /, *, partition=1, value_type="USER_TASK", intent="CREATED", value=None, **more
):
    """A record as a dictionary; its key is made of partition and position."""
    return {
        "partitionId": partition,
        "value": USER_TASK if value is None else value,
        "key": (partition << KEY_BITS) + position,
        "timestamp": BORN_MS + position,
        "valueType": value_type,
        "brokerVersion": "8.8.3",
        "recordType": "EVENT",
        "sourceRecordPosition": position - 1,
        "intent": intent,
        "rejectionType": "NULL_VAL",
        "rejectionReason": "",
        "authorizations": {},
        "recordVersion": 1,
        "operationReference": -1,
        "position": position,
    } | more


def task_line(position, /, **changes) -> bytes:
    """A user task record as a line."""
    return orjson.dumps(record(position, **changes)) + b"\n"


def deep_line(position, /, **changes) -> bytes:
    """A user task whose variables are nested more deeply than programs read JSON."""
    deep = b'{"a":' * 2000 + b"1" + b"}" * 2000
    return task_line(position, **changes).replace(b'"variables":{}', b'"variables":' + deep)


def other_line(position, /, **changes) -> bytes:
    """A record that nobody asks for."""
    value = {"bpmnProcessId": "p", "bpmnElementType": "PROCESS"}
    return task_line(position, value_type="PROCESS_INSTANCE", value=value, **changes)


def places(events) -> list[tuple[int, int]]:
    """Partition and position of events, from their ids."""
    keys = [int(event["id"]) for event in events]
    return [(key >> KEY_BITS, key & ((1 << KEY_BITS) - 1)) for key in keys]


def append(path: Path, *lines: bytes) -> None:
    """Write to the end of a file, made when it is not there."""
    with path.open("ab") as file:
        file.writelines(lines)


def pretty(position, /, **changes) -> bytes:
    """A user task record as JSON with white space."""
    return json.dumps(record(position, **changes)).encode() + b"\n"
