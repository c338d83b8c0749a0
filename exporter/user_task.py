"""The event of a user task: 22 keys, flat, in upstream's order and with upstream's types."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from exporter.errors import RecordError
from exporter.record import ILLEGIBLE, Record

_FRACTIONS = ("Z", *(f".{millis:03d}".rstrip("0") + "Z" for millis in range(1, 1000)))
_CONTROL = re.compile(rb"\\\\|\\u00[01][0-9a-f]")


class _Value(msgspec.Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """What is used of a USER_TASK record's value, in the order in which brokers write it.

    What has no default here was there in the first broker with user tasks (8.5); the defaults are
    the engine's own for a task that does not set them. In this order it is read a tenth faster.
    """

    user_task_key: int
    assignee: str | None = ""
    candidate_groups_list: list[str] | None = msgspec.field(default_factory=list)
    candidate_users_list: list[str] | None = msgspec.field(default_factory=list)
    due_date: str | None = ""
    follow_up_date: str | None = ""
    form_key: int | None = -1
    external_form_reference: str | None = ""
    creation_timestamp: int | None = -1
    element_id: str | None
    element_instance_key: int
    bpmn_process_id: str | None
    process_definition_version: int | None = -1
    process_instance_key: int
    process_definition_key: int
    custom_headers: dict[str, str] | None = msgspec.field(default_factory=dict)
    tenant_id: str | None = "<default>"
    priority: int | None = 50
    tags: list[str] | None = msgspec.field(default_factory=list)


class _Event(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The keys in the order in which they are written; None is written as null."""

    id: str
    intent: str
    type: str
    user_task_key: str
    tags: list[str] | None
    custom_headers: dict[str, str] | None
    assignee: str | None
    candidate_groups: list[str] | None
    candidate_users: list[str] | None
    external_form_reference: str | None
    priority: int | None
    form_key: str | None
    created_at: str | None
    due_date: str | None
    follow_up_date: str | None
    process_definition_key: str
    process_definition_id: str | None
    process_definition_version: str | None
    process_instance_key: str
    element_id: str | None
    element_instance_key: str
    tenant_id: str | None


_decode = msgspec.json.Decoder(_Value).decode
_encode = msgspec.json.Encoder().encode


def user_task_json(record: Record) -> bytes:
    """The event of a USER_TASK record, as upstream's exporter writes it.

    Raises:
        RecordError: A field of the value is missing or of another type.
    """
    try:
        value = _decode(record.value)
    except ILLEGIBLE as error:
        raise RecordError(f"the value of the user task cannot be read: {error}") from error
    text = _encode(
        _Event(
            str(record.key),
            record.intent,
            record.value_type,
            str(value.user_task_key),
            value.tags,
            value.custom_headers,
            value.assignee,
            value.candidate_groups_list,
            value.candidate_users_list,
            value.external_form_reference,
            value.priority,
            None if value.form_key is None else str(value.form_key),
            created_at(value.creation_timestamp),
            value.due_date,
            value.follow_up_date,
            str(value.process_definition_key),
            value.bpmn_process_id,
            None
            if value.process_definition_version is None
            else str(value.process_definition_version),
            str(value.process_instance_key),
            value.element_id,
            str(value.element_instance_key),
            value.tenant_id,
        )
    )
    return as_jackson(text) if b"\\" in text else text


def created_at(timestamp_ms: int | None) -> str | None:
    """A moment as Java's `ISO_OFFSET_DATE_TIME` writes it in UTC.

    Seconds are always there, of the fraction only the digits that are needed.

    Raises:
        RecordError: The moment is beyond the years 1 to 9999.
    """
    if timestamp_ms is None:
        return None
    seconds, millis = divmod(timestamp_ms, 1000)
    return _to_the_second(seconds) + _FRACTIONS[millis]


def as_jackson(text: bytes) -> bytes:
    """JSON as Jackson escapes it: control characters with upper-case digits."""
    return _CONTROL.sub(lambda found: found[0][:2] + found[0][2:].upper(), text)


@lru_cache(maxsize=4096)  # tasks are created many a second, and told of several times each
def _to_the_second(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()
    except (ValueError, OverflowError, OSError) as error:
        raise RecordError("its creation time is beyond the years 1 to 9999") from error
