from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from exporter.sources.elasticsearch.query import Envelope


@dataclass(frozen=True, slots=True)
class _Missing:
    """Numbers that are missing behind `last`, and until when they are waited for."""

    value_type: str
    last: int
    until_s: float


class SequenceWatch:
    """Holds a page where numbers are missing, until they turn up or time is over.

    Numbers may be given twice or left out by Camunda's exporter after a failure (issue 24192), or
    begin anew: so a smaller one is followed from there, and a missing one is not waited for longer
    than `gap_s`.

    Args:
        numbers: The last number read, by value type; changed by `passing`.
        gap_s: Most seconds that a missing number is waited for.
        gone: Told what is missing for good.
    """

    def __init__(
        self, numbers: Mapping[str, int], gap_s: float, gone: Callable[[str], None]
    ) -> None:
        self._numbers = dict(numbers)
        self._gap_s = gap_s
        self._gone = gone
        self._missing: _Missing | None = None

    @property
    def numbers(self) -> Mapping[str, int]:
        """The last number that passed, by value type."""
        return self._numbers

    @property
    def is_holding(self) -> bool:
        """Whether something is waited for."""
        return self._missing is not None

    def passing(self, envelopes: Sequence[Envelope], now_s: float) -> int:
        """How many of these, which follow what passed before, may pass now."""
        for count, envelope in enumerate(envelopes):
            if envelope.sequence is None:
                continue
            last = self._numbers.get(envelope.value_type)
            if last is not None and envelope.sequence > last + 1:
                if self._is_waited_for(envelope.value_type, last, now_s):
                    return count
                missing = envelope.sequence - last - 1
                self._gone(
                    f"{missing} {envelope.value_type} records before position "
                    f"{envelope.position} are missing in the index"
                )
            self._numbers[envelope.value_type] = envelope.sequence
        if envelopes:
            self._missing = None
        return len(envelopes)

    def _is_waited_for(self, value_type: str, last: int, now_s: float) -> bool:
        missing = self._missing
        if missing is None or (missing.value_type, missing.last) != (value_type, last):
            missing = self._missing = _Missing(value_type, last, now_s + self._gap_s)
        if now_s < missing.until_s:
            return True
        self._missing = None
        return False
