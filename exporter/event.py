from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from exporter.entity import entity_json
from exporter.record import Record
from exporter.user_task import user_task_json

INTENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "USER_TASK": ("CREATED", "ASSIGNED", "COMPLETED", "CANCELED"),
        "INCIDENT": ("CREATED", "RESOLVED"),
        "PROCESS_INSTANCE": ("ELEMENT_ACTIVATED", "ELEMENT_COMPLETED", "ELEMENT_TERMINATED"),
        "JOB": ("CREATED", "COMPLETED", "FAILED", "ERROR_THROWN"),
    }
)
"""What can be told of, by value type; upstream tells of user tasks only."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for.

    Attributes:
        kinds: Value types, of `INTENTS`.
        metadata: Whether each event also tells its position, partition and time.
    """

    kinds: tuple[str, ...] = ("USER_TASK",)
    metadata: bool = False

    @property
    def text(self) -> str:
        """The selection in one word, for the state file."""
        return "+".join((*self.kinds, *(["metadata"] if self.metadata else [])))

    @classmethod
    def of(cls, text: str) -> Selection:
        """The selection that `text` was written for."""
        words = text.split("+")
        return cls(tuple(word for word in words if word in INTENTS), "metadata" in words)

    def takes(self, record: Record) -> bool:
        """Whether a record becomes an event."""
        return record.value_type in self.kinds and record.intent in INTENTS[record.value_type]


class Event(msgspec.Struct, frozen=True, gc=False):
    """What the backend is told of one record.

    Attributes:
        position: Of the record.
        timestamp_ms: Of the record.
        json: The event's JSON, one object.
    """

    position: int
    timestamp_ms: int
    json: bytes


def intents_of(selections: Sequence[Selection]) -> dict[str, tuple[str, ...]]:
    """Intents by value type that any of the selections asks for, as `record.Sieve` takes them."""
    return {kind: INTENTS[kind] for selection in selections for kind in selection.kinds}


def to_event(record: Record, *, metadata: bool) -> Event:
    """The event of a record that is asked for.

    Raises:
        RecordError: A field of its value is missing or of another type.
    """
    make = user_task_json if record.value_type == "USER_TASK" else entity_json
    json = make(record)
    if metadata:
        json = b'%b,"position":%d,"partitionId":%d,"timestamp":%d}' % (
            json[:-1],
            record.position,
            record.partition_id,
            record.timestamp,
        )
    return Event(record.position, record.timestamp, json)
