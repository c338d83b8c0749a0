"""Records of user tasks as the broker's exporters write them: JSON without white space."""

from __future__ import annotations

import orjson


def user_task(
    position: int, *, partition_id: int = 1, intent: str = "CREATED", timestamp: int | None = None
) -> bytes:
    """One record; its time rises with its position."""
    return record(position, "USER_TASK", intent, partition_id=partition_id, timestamp=timestamp)


def record(
    position: int,
    value_type: str,
    intent: str,
    *,
    partition_id: int = 1,
    timestamp: int | None = None,
    **value: object,
) -> bytes:
    """One record of any value type, with the fields of a user task besides `value`'s."""
    key = (partition_id << 51) + position
    fields = {
        "userTaskKey": key,
        "assignee": "",
        "candidateGroupsList": [],
        "candidateUsersList": [],
        "changedAttributes": [],
        "dueDate": "",
        "followUpDate": "",
        "formKey": -1,
        "action": "",
        "creationTimestamp": 1_768_471_872_340,
        "elementId": "approve",
        "elementInstanceKey": key,
        "bpmnProcessId": "approval",
        "processDefinitionVersion": 1,
        "processInstanceKey": key,
        "processDefinitionKey": key,
        "variables": {},
        "customHeaders": {},
        "tenantId": "<default>",
        "priority": 50,
    }
    return orjson.dumps(
        {
            "partitionId": partition_id,
            "value": fields | value,
            "key": key,
            "timestamp": 1_768_471_872_340 + position if timestamp is None else timestamp,
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
        }
    )
