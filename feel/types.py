from __future__ import annotations

from typing import Final

from feel.run import Run
from feel.syntax import TypeName
from feel.values import Function, Range, Value, is_context, is_list, type_of

_SAME_TYPE: Final = {
    "day-time-duration": "days and time duration",
    "year-month-duration": "years and months duration",
    "date time": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "dateTime": "date and time",
    "Null": "null",
}


def is_instance(run: Run, value: Value, wanted: TypeName) -> bool:
    """Whether `value` is of a type; null is of no type but `Null`."""
    name = _SAME_TYPE.get(wanted.name, wanted.name)
    if name == "Any":
        return value is not None
    if type_of(value) != name:
        return False
    return not wanted.parts or _parts_fit(run, value, wanted)


def _parts_fit(run: Run, value: Value, wanted: TypeName) -> bool:
    if isinstance(value, Function) or callable(value):
        return _function_fits(value, wanted)
    if isinstance(value, Range):
        ends = (value.start, value.end)
        return all(end is None or is_instance(run, end, wanted.parts[0][1]) for end in ends)
    if is_context(value):
        return all(
            member in value and _fits_or_null(run, value[member], part)
            for member, part in wanted.parts
        )
    if is_list(value):
        run.charge(len(value))
        return all(_fits_or_null(run, item, wanted.parts[0][1]) for item in value)
    return False


def _fits_or_null(run: Run, value: Value, wanted: TypeName) -> bool:
    return value is None or is_instance(run, value, wanted)


def _function_fits(value: Value, wanted: TypeName) -> bool:
    """A function written in FEEL has no types: only the number of its parameters is compared."""
    parameters = [part for member, part in wanted.parts if member != "->"]
    return isinstance(value, Function) and len(value.parameters) == len(parameters)
