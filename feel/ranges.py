from __future__ import annotations

from feel.comparison import compare
from feel.values import Range, Value


def range_includes(interval: Range, value: Value) -> bool | None:
    """Whether `value` lies in the range; None when it cannot be compared with its ends."""
    if interval.start is not None:
        order = compare(value, interval.start)
        if order is None:
            return None
        if order < 0 or (order == 0 and not interval.start_included):
            return False
    if interval.end is not None:
        order = compare(value, interval.end)
        if order is None:
            return None
        if order > 0 or (order == 0 and not interval.end_included):
            return False
    return interval.start is not None or interval.end is not None or None
