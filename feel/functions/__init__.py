"""The built-in functions of Camunda's FEEL reference, a module for each part of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from feel.functions.boolean import BOOLEAN
from feel.functions.context import CONTEXT
from feel.functions.conversion import CONVERSION
from feel.functions.lists import LIST
from feel.functions.miscellaneous import MISCELLANEOUS
from feel.functions.numeric import NUMERIC
from feel.functions.range import RANGE
from feel.functions.registry import Category, Overload, Parameter
from feel.functions.statistics import STATISTICS
from feel.functions.string import STRING
from feel.functions.temporal import TEMPORAL

__all__ = ["BUILTINS", "CATEGORIES", "Overload", "Parameter", "overload_for"]

CATEGORIES: Final[tuple[Category, ...]] = (
    BOOLEAN,
    STRING,
    NUMERIC,
    LIST,
    STATISTICS,
    CONTEXT,
    TEMPORAL,
    RANGE,
    CONVERSION,
    MISCELLANEOUS,
)
"""The parts of the reference, in its order."""


def _by_name() -> dict[str, list[Overload]]:
    found: dict[str, list[Overload]] = {}
    for category in CATEGORIES:
        for overload in category.overloads:
            found.setdefault(overload.name, []).append(overload)
    return found


BUILTINS: Final = _by_name()
"""All built-in functions by name, each with the ways to call it."""


def overload_for(name: str, labels: Sequence[str | None]) -> Overload | None:
    """The way to call function `name` with arguments of these names (None: by place).

    Where two ways take the same names, as `before(range, point)` and `before(point, range)` do,
    the order in which the names are written decides.
    """
    fitting = [overload for overload in BUILTINS.get(name, ()) if overload.takes(labels)]
    for overload in fitting:
        if [parameter.name for parameter in overload.parameters[: len(labels)]] == list(labels):
            return overload
    return fitting[0] if fitting else None
