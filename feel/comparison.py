"""Which values are equal, and which comes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from feel.numbers import as_number
from feel.run import Run
from feel.temporal.arithmetic import since_first_midnight, since_midnight
from feel.temporal.zones import zone_text
from feel.values import Range, Value, YearsMonths, is_context, is_list, type_of

_SAME_IN_PYTHON = frozenset([str, int, bool, date, timedelta, YearsMonths])
_ORDERED = frozenset([int, str, date, datetime, time, timedelta, YearsMonths])


def equal(run: Run, left: Value, right: Value) -> bool | None:
    """Whether two values are equal; None when their types cannot be compared.

    Items of lists and entries of contexts are steps of the run: nested values may be the same
    object many times over, so that they are far larger than they look.
    """
    if left is None or right is None:
        return left is right
    kind = type(left)
    if kind is type(right) and kind in _SAME_IN_PYTHON:
        return bool(left == right)
    if (number := as_number(left)) is not None:
        other = as_number(right)
        return None if other is None else number == other
    if is_context(left):
        return _equal_contexts(run, left, right) if is_context(right) else None
    if is_list(left):
        return _equal_lists(run, left, right) if is_list(right) else None
    return _equal_others(run, left, right)


def _equal_lists(run: Run, left: Sequence[Value], right: Sequence[Value]) -> bool:
    if len(left) != len(right):
        return False
    run.charge(len(left))
    return all(equal(run, a, b) is True for a, b in zip(left, right, strict=True))


def _equal_contexts(run: Run, left: Mapping[str, Value], right: Mapping[str, Value]) -> bool:
    if left.keys() != right.keys():
        return False
    run.charge(len(left))
    return all(equal(run, left[key], right[key]) is True for key in left)


def _equal_others(run: Run, left: Value, right: Value) -> bool | None:
    if type_of(left) != type_of(right):
        return None
    if isinstance(left, Range):
        same_ends = (left.start_included, left.end_included) == (
            right.start_included,
            right.end_included,
        )
        return (
            same_ends
            and equal(run, left.start, right.start) is True
            and equal(run, left.end, right.end) is True
        )
    if isinstance(left, datetime | time):
        return _equal_times(left, right)
    return bool(left == right)


def _equal_times(left: datetime | time, right: datetime | time) -> bool | None:
    """Whether local time and zone are the same: as on Camunda, 10:00Z is not 11:00+01:00."""
    if (left.tzinfo is None) != (right.tzinfo is None):
        return None
    if left.replace(tzinfo=None) != right.replace(tzinfo=None):
        return False
    return left.tzinfo is None or zone_text(left) == zone_text(right)


def compare(left: Value, right: Value) -> int | None:
    """-1, 0 or 1 as `left` is less than, equal to or greater than `right`.

    None when the two have no order: other types, null, booleans, lists, contexts, or one of two
    times has a zone and the other has none. Two with zones are compared in UTC.
    """
    kind = type(left)
    if kind is not type(right) or kind not in _ORDERED:
        left, right = as_number(left), as_number(right)
        if left is None or right is None:
            return None
    elif kind is datetime or kind is time:
        return _compare_times(left, right)
    return int(left > right) - int(left < right)


def _compare_times(left: datetime | time, right: datetime | time) -> int | None:
    first, second = _position(left), _position(right)
    if (left.tzinfo is None) != (right.tzinfo is None):
        return None
    return int(first > second) - int(first < second)


def _position(value: datetime | time) -> timedelta:
    if isinstance(value, datetime):
        return since_first_midnight(value)
    return since_midnight(value)
