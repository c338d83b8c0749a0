from __future__ import annotations

from collections.abc import Sequence

import msgspec

from exporter.record import ILLEGIBLE, Fault, Record, Sifted, Unreadable, whose
from exporter.sources import SourceOptions
from exporter.sources.redis_streams.client import RawEntry
from exporter.sources.redis_streams.entries import Entry

_MOST_ENTRIES = 500
_TURN_BYTES = 1 << 20
_SHOWN_BYTES = 4096
_MOST_KINDS = 1000

_decode = msgspec.json.Decoder(Record).decode


class Sifter:
    """Makes entries of what Redis gives: the value of the only field is a record's JSON.

    The field's name is a number that the broker's exporter chose; nothing depends on it.

    Args:
        options: Of the source.

    Attributes:
        count: How many entries to ask for, so that they come to about a megabyte.
    """

    def __init__(self, options: SourceOptions) -> None:
        self.count = 64
        self._sieve = options.sieve
        self._asked: dict[tuple[str, str], bool] = {}
        self._longest_bytes = options.max_record_bytes
        self._observer = options.observer
        self._warned = False

    def entries(self, stream: str, raw: Sequence[RawEntry]) -> list[Entry]:
        """What was read of a stream, in its order."""
        if not raw:
            return []
        one, longest_bytes, total_bytes = self._one, self._longest_bytes, 0
        entries = []
        for raw_id, fields in raw:
            record: Sifted | None
            if len(fields) == 2:  # noqa: PLR2004 - a name and a value
                text = fields[1]
                total_bytes += len(text)
                record = one(text) if len(text) <= longest_bytes else self._too_long(text)
            else:
                record = self._misshapen(fields)
            entries.append(Entry(stream, raw_id, record))
        self.count = max(1, min(_MOST_ENTRIES, _TURN_BYTES * len(raw) // (total_bytes + 1)))
        if not self._warned and isinstance(entries[0].record, Unreadable):
            self._hint(stream, raw[0][1])
        return entries

    def _one(self, text: bytes) -> Sifted | None:
        """As `Sieve.one`, for streams in which nearly every record has a type that is asked for.

        There it pays to parse at once. Whether value type and intent are asked for is the sieve's
        to say, and the same for all that have them.
        """
        try:
            record = _decode(text)
        except ILLEGIBLE:
            return self._sieve.one(text)
        kind = record.value_type, record.intent
        asked = self._asked.get(kind)
        if asked is None:
            asked = self._sieve.one(text) is not None
            if len(self._asked) < _MOST_KINDS:
                self._asked[kind] = asked
        return record if asked else None

    def _too_long(self, text: bytes) -> Unreadable:
        reason = f"the record is longer than {self._longest_bytes} bytes"
        return Unreadable(*whose(text), Fault.TOO_LONG, reason, text[:_SHOWN_BYTES])

    def _misshapen(self, fields: Sequence[bytes]) -> Unreadable:
        text = b" ".join(fields)[: self._longest_bytes]
        reason = "the entry has more than one field, so it is none of the broker's exporter"
        return Unreadable(*whose(text), Fault.NOT_JSON, reason, text)

    def _hint(self, stream: str, fields: Sequence[bytes]) -> None:
        """Name the likely reason once: the broker's exporter writes Protobuf unless told to."""
        if fields and not fields[-1].lstrip().startswith(b"{"):
            self._warned = True
            self._observer.warned(
                f"the entries of {stream} are no JSON; set `format` of the broker's Redis exporter "
                "to json"
            )
