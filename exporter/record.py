from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import msgspec

UNKNOWN_PARTITION = 0
"""Where records are accounted whose partition cannot be told; Zeebe counts partitions from 1."""

UNKNOWN_POSITION = -1

MOST_PARTITIONS = 8191
"""A key has 13 bits for its partition."""

MOST_INT64 = 2**63 - 1
"""Zeebe counts in signed 64 bits, and so does SQLite, which keeps the positions here."""

ILLEGIBLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoders raise on text that they cannot read; the last when it is nested too deeply."""

_PARTITION = re.compile(rb'"partitionId"\s*:\s*(\d{1,4})(?!\d)')
_POSITION = re.compile(rb'"position"\s*:\s*(\d{1,18})(?!\d)')
# Brokers write the value type behind the value, near the end of the line.
_VALUE_TYPE = b'"valueType":"'
_KIND_AT = len(_VALUE_TYPE)
_TAIL = -420
_CLOSE = ord("}")
_USER_TASK_SIGNS = (b'"USER_TASK"', b'"userTaskKey"')


class Record(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One entry of a partition's log: the envelope read, the value still JSON text.

    Field names are those of Zeebe's JSON in snake case. Unknown fields are ignored, and what
    brokers from 8.1 on do not all write has a default.

    Attributes:
        position: Place in the partition's log, rising, with gaps.
        partition_id: From 1.
        key: The entity's key; up to 64 bits.
        value_type: Such as `USER_TASK`.
        intent: Such as `CREATED`.
        value: JSON text, as the broker wrote it.
        timestamp: Milliseconds since 1970-01-01 UTC by the broker's clock; -1 when not told.
    """

    position: Annotated[int, msgspec.Meta(ge=0, le=MOST_INT64)]
    partition_id: Annotated[int, msgspec.Meta(ge=1, le=MOST_PARTITIONS)]
    key: int
    value_type: str
    intent: str
    value: msgspec.Raw
    timestamp: Annotated[int, msgspec.Meta(ge=-MOST_INT64, le=MOST_INT64)] = -1


class Fault(StrEnum):
    """Why a record cannot become an event."""

    NOT_JSON = "not_json"
    CUT_OFF = "cut_off"
    ENVELOPE = "envelope"
    """A field of the envelope is missing or of another type."""
    VALUE = "value"
    """A field of the value is missing or of another type."""
    TOO_LONG = "too_long"
    TOO_DEEP = "too_deep"
    """Values are nested in one another more deeply than programs read JSON; Zeebe's own limit is
    near ours."""
    WENT_BACK = "went_back"
    """Its position is before one that was already read, and it was never seen."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that cannot become an event.

    Attributes:
        partition_id: As far as it can be told, else `UNKNOWN_PARTITION`.
        position: As far as it can be told, else `UNKNOWN_POSITION`.
        fault: What is wrong.
        reason: The same in words, without values.
        raw: The text as it came; only its beginning when it is too long.
    """

    partition_id: int
    position: int
    fault: Fault
    reason: str
    raw: bytes

    @property
    def is_user_task(self) -> bool:
        """Whether it looks like a user task, so that it is worth setting aside."""
        return any(sign in self.raw for sign in _USER_TASK_SIGNS)


Sifted = Record | Unreadable
"""What a source hands on: records that are asked for, and those of which that cannot be told."""

_decode = msgspec.json.Decoder(Record).decode


class Sieve:
    """Tells the records that are asked for from the many that are not, mostly without reading them.

    A record is asked for when its value type and intent are. Brokers write the value type behind
    the value: a line that holds the text `"valueType":"` near its end, and behind it another letter
    than those that are asked for begin with, is passed over. Every other line is parsed, and
    parsing decides.

    Args:
        wanted: Intents by value type, such as `{"USER_TASK": {"CREATED"}}`.
    """

    def __init__(self, wanted: Mapping[str, Collection[str]]) -> None:
        self._wanted = {kind: frozenset(intents) for kind, intents in wanted.items()}
        self._initials = frozenset(kind.encode()[0] for kind in wanted)

    @property
    def value_types(self) -> tuple[str, ...]:
        """Value types that are asked for, for sources that keep them apart."""
        return tuple(self._wanted)

    def lines(self, block: Iterable[bytes]) -> list[Sifted]:
        """What is asked for of whole lines of JSON, each with its line end, in their order.

        A line that is cut off is parsed too, so that it is noticed though its value type is gone.
        """
        initials = self._initials
        # This sees every record there is: to compare the whole word takes a twentieth of all time.
        return self._parsed(
            [
                line
                for line in block
                if (at := line.rfind(_VALUE_TYPE, _TAIL)) < 0
                or line[at + _KIND_AT] in initials
                or line[-2] != _CLOSE
            ]
        )

    def one(self, raw: bytes) -> Sifted | None:
        """What is asked for of one record; None when it is not."""
        text = raw.rstrip()
        if text.endswith(b"}"):
            at = text.rfind(_VALUE_TYPE, _TAIL)
            if at >= 0 and text[at + _KIND_AT] not in self._initials:
                return None
        return next(iter(self._parsed([raw])), None)

    def _parsed(self, candidates: Iterable[bytes]) -> list[Sifted]:
        found: list[Sifted] = []
        wanted = self._wanted
        for line in candidates:
            try:
                record = _decode(line)
            except ILLEGIBLE as error:
                if not line.isspace():
                    found.append(unreadable(line, error))
            else:
                if record.intent in wanted.get(record.value_type, ()):
                    found.append(record)
        return found


def unreadable(raw: bytes, error: Exception) -> Unreadable:
    """Account for text that is no record: what is wrong, and whose it was as far as can be told."""
    text = raw.strip()
    if isinstance(error, msgspec.ValidationError):
        fault, reason = Fault.ENVELOPE, str(error)
    elif isinstance(error, RecursionError):
        fault, reason = Fault.TOO_DEEP, "values of the record are nested too deeply"
    elif text.startswith(b"{") and not text.endswith(b"}"):
        fault, reason = Fault.CUT_OFF, "the record is cut off"
    else:
        fault, reason = Fault.NOT_JSON, "the record is no JSON"
    return Unreadable(*whose(raw), fault, reason, raw)


def whose(raw: bytes) -> tuple[int, int]:
    """Partition and position that broken text names, or what stands for unknown."""
    partition, position = _PARTITION.search(raw), _POSITION.search(raw)
    told = int(partition[1]) if partition else UNKNOWN_PARTITION
    return (
        told if told <= MOST_PARTITIONS else UNKNOWN_PARTITION,
        int(position[1]) if position else UNKNOWN_POSITION,
    )
