"""What FEEL in a model can call beside FEEL's own functions, as Zeebe offers it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from feel import Function, FunctionFailed, Value, YearsMonths, to_json


def _cycle(repetitions: Value, interval: Value) -> Value:
    """`cycle(3, duration("PT1H"))`, or endless: `cycle(duration("PT1H"))`.

    Raises:
        FunctionFailed: the arguments are no number and duration.
    """
    if interval is None:
        repetitions, interval = None, repetitions
    if not isinstance(interval, timedelta | YearsMonths):
        raise FunctionFailed("cycle takes a number of repetitions and a duration, or a duration")
    if repetitions is None:
        return f"R/{to_json(interval)}"
    if isinstance(repetitions, bool) or not isinstance(repetitions, int | float | Decimal):
        raise FunctionFailed("cycle takes a number of repetitions and a duration")
    return f"R{int(repetitions)}/{to_json(interval)}"


FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {"cycle": Function("cycle", ("repetitions", "interval"), _cycle, 1)},
)
