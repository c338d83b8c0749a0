from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from devstack.elasticsearch.documents import Documents
from devstack.records import KEY_BITS, Record

DEFAULT_PREFIX = "zeebe-record"
_VALUE_TYPES = frozenset(
    {"DEPLOYMENT", "PROCESS", "INCIDENT", "VARIABLE", "PROCESS_INSTANCE", "USER_TASK", "JOB"}
)
"""What is exported by default from 8.8 on; earlier versions export more."""

_SHARDS = {"JOB": 3, "PROCESS_INSTANCE": 5}


class RecordExporter:
    """Writes records as Camunda's exporter for Elasticsearch and OpenSearch does.

    `log.subscribe(exporter.export)` sets it going. Events only, without `authorizations`, and with
    a `sequence` that counts what was exported of each value type and partition.

    Args:
        documents: where to.
        prefix: of index and alias names.
    """

    def __init__(self, documents: Documents, prefix: str = DEFAULT_PREFIX) -> None:
        self._documents = documents
        self._prefix = prefix
        self._counters: Counter[tuple[str, int]] = Counter()
        self.late_s = 0.0
        """Seconds that the next records become visible late, as after a bulk that partly failed."""

    def export(self, record: Record) -> None:
        """Write one record, if it is of those that are exported."""
        if record.record_type != "EVENT" or record.value_type not in _VALUE_TYPES:
            return
        counted = (record.value_type, record.partition_id)
        self._counters[counted] += 1
        sequence = (record.partition_id << KEY_BITS) + self._counters[counted]
        kind = record.value_type.lower().replace("_", "-")
        date = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC).date().isoformat()
        self._documents.put(
            f"{self._prefix}_{kind}_{record.broker_version.lower()}_{date}",
            f"{self._prefix}-{kind}",
            f"{record.partition_id}-{record.position}",
            str(record.partition_id),
            _source(record, sequence),
            shards=_SHARDS.get(record.value_type, 1),
            late_s=self.late_s,
        )

    def skip_sequence(self, value_type: str, partition_id: int, by: int = 1) -> None:
        """Leave numbers out, as an exporter that failed and was opened anew may do."""
        self._counters[value_type, partition_id] += by


def _source(record: Record, sequence: int) -> dict[str, Any]:
    # Exactly the fields of the root mapping, which is strict.
    return {
        "partitionId": record.partition_id,
        "value": record.value,
        "key": record.key,
        "timestamp": record.timestamp_ms,
        "valueType": record.value_type,
        "brokerVersion": record.broker_version,
        "recordType": record.record_type,
        "sourceRecordPosition": record.source_record_position,
        "intent": record.intent,
        "rejectionType": record.rejection_type,
        "rejectionReason": record.rejection_reason,
        "recordVersion": 1,
        "operationReference": -1,
        "batchOperationReference": -1,
        "position": record.position,
        "sequence": sequence,
    }
