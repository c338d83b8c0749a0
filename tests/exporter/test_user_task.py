from __future__ import annotations

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.errors import RecordError
from exporter.record import Record
from exporter.user_task import created_at, user_task_json
from tests.kit.records import USER_TASK, record

KEYS = [
    "id",
    "intent",
    "type",
    "userTaskKey",
    "tags",
    "customHeaders",
    "assignee",
    "candidateGroups",
    "candidateUsers",
    "externalFormReference",
    "priority",
    "formKey",
    "createdAt",
    "dueDate",
    "followUpDate",
    "processDefinitionKey",
    "processDefinitionId",
    "processDefinitionVersion",
    "processInstanceKey",
    "elementId",
    "elementInstanceKey",
    "tenantId",
]


def event_of(**value) -> bytes:
    shown = record(1202, key=2251799813685289, value=USER_TASK | value)
    return user_task_json(msgspec.json.decode(orjson.dumps(shown), type=Record))


def test_event_is_upstreams_to_the_byte():
    """The event has the 22 keys of upstream's exporter in its order and with its types."""
    assert event_of() == (
        b'{"id":"2251799813685289","intent":"CREATED","type":"USER_TASK",'
        b'"userTaskKey":"2251799813685289","tags":["vip"],"customHeaders":{"channel":"teams"},'
        b'"assignee":"","candidateGroups":["sales","back-office"],"candidateUsers":[],'
        b'"externalFormReference":"","priority":50,"formKey":"2251799813685252",'
        b'"createdAt":"2026-01-15T10:11:12.34Z","dueDate":"2026-02-01T12:00:00Z",'
        b'"followUpDate":"","processDefinitionKey":"2251799813685251",'
        b'"processDefinitionId":"order-process","processDefinitionVersion":"3",'
        b'"processInstanceKey":"2251799813685279","elementId":"approve-order",'
        b'"elementInstanceKey":"2251799813685288","tenantId":"<default>"}'
    )


@pytest.mark.parametrize(
    ("timestamp_ms", "text"),
    [
        (1_768_471_872_000, "2026-01-15T10:11:12Z"),
        (1_768_471_872_100, "2026-01-15T10:11:12.1Z"),
        (1_768_471_872_340, "2026-01-15T10:11:12.34Z"),
        (1_768_471_872_345, "2026-01-15T10:11:12.345Z"),
        (1_768_471_872_005, "2026-01-15T10:11:12.005Z"),
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (None, None),
    ],
)
def test_created_at_has_only_the_digits_that_it_needs(timestamp_ms, text):
    """A moment has its seconds always and of its fraction no trailing zeros."""
    assert created_at(timestamp_ms) == text


def test_a_moment_beyond_the_calendar_is_no_event():
    """A creation time that no calendar has is a fault of the record, not a crash."""
    with pytest.raises(RecordError):
        event_of(creationTimestamp=2**62)


def test_null_is_written_as_null():
    """A field that the record has as null is null in the event; no key is left out."""
    event = orjson.loads(
        event_of(assignee=None, tags=None, formKey=None, customHeaders=None, priority=None)
    )
    assert list(event) == KEYS
    assert [event[key] for key in ("assignee", "tags", "formKey", "customHeaders", "priority")] == [
        None
    ] * 5


def test_fields_of_later_brokers_have_the_engines_defaults():
    """What brokers before 8.8 do not write is what the engine takes when a task does not set it."""
    later = ("priority", "tags", "customHeaders", "tenantId", "externalFormReference", "formKey")
    old = {name: part for name, part in USER_TASK.items() if name not in later}
    shown = record(1, value=old)
    event = orjson.loads(user_task_json(msgspec.json.decode(orjson.dumps(shown), type=Record)))
    assert (event["priority"], event["tags"], event["customHeaders"]) == (50, [], {})
    assert (event["tenantId"], event["externalFormReference"]) == ("<default>", "")
    assert event["formKey"] == "-1"


@pytest.mark.parametrize(
    "value",
    [
        {"assignee": 7},
        {"tags": "vip"},
        {"customHeaders": {"a": 1}},
        {"userTaskKey": "x"},
        {"priority": "high"},
    ],
)
def test_a_value_of_another_type_is_no_event(value):
    """A field of another type than Zeebe gives it is refused, without its value in the message."""
    with pytest.raises(RecordError) as refusal:
        event_of(**value)
    assert "vip" not in str(refusal.value)
    assert "high" not in str(refusal.value)


@pytest.mark.parametrize("name", ["userTaskKey", "processInstanceKey", "elementInstanceKey"])
def test_an_event_needs_its_keys(name):
    """A user task without one of the keys that tell which one it is cannot become an event."""
    value = {key: part for key, part in USER_TASK.items() if key != name}
    shown = record(1, value=value)
    with pytest.raises(RecordError):
        user_task_json(msgspec.json.decode(orjson.dumps(shown), type=Record))


def test_control_characters_are_escaped_as_jackson_does():
    """Control characters have upper-case digits; a backslash before `u` is left alone."""
    event = event_of(assignee='\x1f\\u001f\n"é\U0001f600')
    assert b'"assignee":"\\u001F\\\\u001f\\n\\"' + 'é\U0001f600"'.encode() in event


@given(
    st.text(), st.lists(st.text(), max_size=3), st.dictionaries(st.text(), st.text(), max_size=3)
)
def test_every_text_arrives(assignee, tags, headers):
    """Whatever texts a task holds, the event holds the same, in 22 keys."""
    event = orjson.loads(event_of(assignee=assignee, tags=tags, customHeaders=headers))
    assert (event["assignee"], event["tags"], event["customHeaders"]) == (assignee, tags, headers)
    assert list(event) == KEYS


@given(st.integers(-(2**63), 2**63 - 1))
def test_keys_keep_all_their_digits(key):
    """A key of 64 bits is the same number as text."""
    event = orjson.loads(event_of(userTaskKey=key, formKey=key))
    assert (event["userTaskKey"], event["formKey"]) == (str(key), str(key))
