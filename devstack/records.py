from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

KEY_BITS = 51
"""A Zeebe key is `(partition << 51) + counter`; from partition 4 on it passes 2^53."""


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a partition's log, as Zeebe's exporters see it.

    `value` has Zeebe's own field names and types for the record's `value_type`. `key` is -1 for a
    command that creates something. `timestamp_ms` is wall-clock time.
    """

    position: int
    source_record_position: int
    key: int
    timestamp_ms: int
    partition_id: int
    record_type: str
    value_type: str
    intent: str
    value: Mapping[str, Any]
    rejection_type: str = "NULL_VAL"
    rejection_reason: str = ""
    broker_version: str = "8.8.0"

    def to_json(self) -> bytes:
        """The record as one line of compact JSON, in the envelope of Zeebe's exporters."""
        envelope = {
            "partitionId": self.partition_id,
            "value": dict(self.value),
            "key": self.key,
            "timestamp": self.timestamp_ms,
            "valueType": self.value_type,
            "brokerVersion": self.broker_version,
            "recordType": self.record_type,
            "sourceRecordPosition": self.source_record_position,
            "intent": self.intent,
            "rejectionType": self.rejection_type,
            "rejectionReason": self.rejection_reason,
            "authorizations": {},
            "recordVersion": 1,
            "operationReference": -1,
            "batchOperationReference": -1,
            "position": self.position,
        }
        try:
            return orjson.dumps(envelope)
        except TypeError:
            # A job's variables can hold integers past 64 bits, out of FEEL; orjson refuses these.
            return json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode()


Reader = Callable[[Record], None]


class RecordLog:
    """The partitions' record streams: the engine appends, readers see each record in order.

    Everything that a cluster tells about itself is derived from these records: the Operate API
    and the exporters read them, nothing reads the engine. The log keeps no history of its own.
    """

    def __init__(self) -> None:
        self._readers: list[Reader] = []

    def subscribe(self, reader: Reader) -> None:
        """Call `reader` with every record from now on, in the order they are appended."""
        self._readers.append(reader)

    def append(self, record: Record) -> None:
        """Hand `record` to every reader before the engine goes on."""
        for reader in self._readers:
            reader(record)
