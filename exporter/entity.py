"""Events of the kinds that upstream does not send: incidents, process instances and jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from exporter.errors import RecordError
from exporter.record import ILLEGIBLE, Record
from exporter.user_task import as_jackson

_PROCESS_FIELDS = (
    "processDefinitionKey",
    "processDefinitionId",
    "processDefinitionVersion",
    "processInstanceKey",
    "elementId",
    "elementInstanceKey",
    "tenantId",
)
_RENAMED = {"type": "jobType"}
"""`type` is the event's own key; a job's type would hide it."""

_KEY_PATHS = frozenset({"elementInstancePath", "processDefinitionPath"})
"""Lists of keys whose names do not end in `Key`."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def entity_json(record: Record) -> bytes:
    """`id`, `intent` and `type`, the value's own fields, then the process fields of a user task.

    Keys are text, since many programs cannot hold 64-bit numbers. A field of the value that is a
    process field too stands once, among those; a job's `type` is `jobType`.

    Raises:
        RecordError: The value is no JSON object.
    """
    try:
        value = _decode(record.value)
    except ILLEGIBLE as error:
        raise RecordError(f"the value cannot be read: {error}") from error
    own = {
        _RENAMED.get(name, name): _keys_as_text(name, part)
        for name, part in value.items()
        if name not in _PROCESS_FIELDS
    }
    head = {"id": str(record.key), "intent": record.intent, "type": record.value_type}
    return as_jackson(_encode(head | own | _process_fields(record, value)))


def _process_fields(record: Record, value: Mapping[str, Any]) -> dict[str, object]:
    # The version's name differs by value type; incidents have none.
    version = value.get("processDefinitionVersion", value.get("version"))
    # Before 8.8 a process instance record did not repeat its own key as that of the element.
    own_element = record.key if record.value_type == "PROCESS_INSTANCE" else None
    fields = (
        _key(value.get("processDefinitionKey")),
        value.get("bpmnProcessId"),
        _key(version),
        _key(value.get("processInstanceKey")),
        value.get("elementId"),
        _key(value.get("elementInstanceKey", own_element)),
        value.get("tenantId", "<default>"),
    )
    return dict(zip(_PROCESS_FIELDS, fields, strict=True))


def _keys_as_text(name: str, part: object) -> object:
    if name.endswith("Key") or name in _KEY_PATHS:
        return _key(part)
    return part


def _key(part: object) -> object:
    match part:
        case bool():
            return part
        case int():
            return str(part)
        case list():
            return [_key(item) for item in part]
        case _:
            return part
