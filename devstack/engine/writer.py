from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devstack.errors import CommandRejectedError
from devstack.records import Record, RecordLog
from runtime.clock import Clock


class RecordWriter:
    """Appends one partition's records: positions rise, events name the command they follow.

    Args:
        log: Where the records go.
        clock: Gives each record's time.
        partition_id: 1-based.
        broker_version: Such as `8.8.0`.
    """

    def __init__(
        self, log: RecordLog, clock: Clock, partition_id: int, broker_version: str
    ) -> None:
        self._log = log
        self._clock = clock
        self._partition_id = partition_id
        self._broker_version = broker_version
        self._position = 0
        self._source_position = -1

    @property
    def position(self) -> int:
        """Position of the newest record."""
        return self._position

    @property
    def source_position(self) -> int:
        """Position of the command that events follow now; -1 before the first one."""
        return self._source_position

    def command(self, value_type: str, intent: str, key: int, value: Mapping[str, Any]) -> None:
        """Append a command of a client; the events that follow name it as their source."""
        self._source_position = -1
        self._source_position = self._append("COMMAND", value_type, intent, key, value)

    def follow_up(self, value_type: str, intent: str, key: int, value: Mapping[str, Any]) -> int:
        """Append a command that the engine gives itself; gives the position to process it from."""
        return self._append("COMMAND", value_type, intent, key, value)

    def processing(self, position: int) -> None:
        """From now on events follow the command at `position`."""
        self._source_position = position

    def event(self, value_type: str, intent: str, key: int, value: Mapping[str, Any]) -> None:
        """Append what has happened."""
        self._append("EVENT", value_type, intent, key, value)

    def rejection(
        self,
        value_type: str,
        key: int,
        value: Mapping[str, Any],
        error: CommandRejectedError,
    ) -> None:
        """Append that a command was refused, and why."""
        rejection = (error.rejection_type, error.reason)
        self._append(
            "COMMAND_REJECTION",
            value_type,
            error.intent,
            key,
            value,
            rejection=rejection,
        )

    def _append(
        self,
        record_type: str,
        value_type: str,
        intent: str,
        key: int,
        value: Mapping[str, Any],
        *,
        rejection: tuple[str, str] = ("NULL_VAL", ""),
    ) -> int:
        self._position += 1
        self._log.append(
            Record(
                position=self._position,
                source_record_position=self._source_position,
                key=key,
                timestamp_ms=self._clock.now_ms(),
                partition_id=self._partition_id,
                record_type=record_type,
                value_type=value_type,
                intent=intent,
                value=value,
                rejection_type=rejection[0],
                rejection_reason=rejection[1],
                broker_version=self._broker_version,
            ),
        )
        return self._position
