"""How points and ranges lie to each other, by the table of range functions in the DMN standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from feel.comparison import compare
from feel.functions.registry import Category
from feel.run import Run
from feel.values import Range, Value

RANGE = Category("Range functions")
_Relation: TypeAlias = Callable[[Value, Value], bool]
_PARAMETERS: Final = {
    "points": "point1: any, point2: any",
    "range and point": "range: any, point: any",
    "point and range": "point: any, range: any",
    "ranges": "range1: any, range2: any",
}


class _NoOrderError(Exception):
    """Two ends that cannot be compared; the function is null then."""


def _order(left: Value, right: Value) -> int:
    order = None if isinstance(left, str) else compare(left, right)
    if order is None:
        raise _NoOrderError
    return order


def _declare(
    name: str, summary: str, examples: dict[str, tuple[str, str]], **relations: _Relation
) -> None:
    """Declare a range function.

    Args:
        name: its name.
        summary: one sentence on what it says.
        examples: by kind of arguments; there is a way to call the function for each.
        relations: what it says of `points`, of a `range_and_point`, a `point_and_range`, `ranges`.
    """

    def relate(_run: Run, left: Value, right: Value) -> bool | None:
        kind = _kind(left, right)
        relation = relations.get(kind.replace(" ", "_"))
        if relation is None:
            return None
        try:
            return relation(left, right)
        except _NoOrderError:
            return None

    relate.__doc__ = summary
    for kind, example in examples.items():
        RANGE.function(name, _PARAMETERS[kind], example)(relate)


def _kind(left: Value, right: Value) -> str:
    if isinstance(left, Range):
        return "ranges" if isinstance(right, Range) else "range and point"
    return "point and range" if isinstance(right, Range) else "points"


def _swapped(relation: _Relation) -> _Relation:
    return lambda left, right: relation(right, left)


def _point_before_range(point: Value, r: Range) -> bool:
    order = _order(point, r.start)
    return order < 0 or (order == 0 and not r.start_included)


def _range_before_point(r: Range, point: Value) -> bool:
    order = _order(r.end, point)
    return order < 0 or (order == 0 and not r.end_included)


def _range_before_range(a: Range, b: Range) -> bool:
    order = _order(a.end, b.start)
    return order < 0 or (order == 0 and not (a.end_included and b.start_included))


def _meets(a: Range, b: Range) -> bool:
    return a.end_included and b.start_included and _order(a.end, b.start) == 0


def _reaches(a: Range, b: Range) -> bool:
    """Whether `a` ends no earlier than `b` starts."""
    order = _order(a.end, b.start)
    return order > 0 or (order == 0 and a.end_included and b.start_included)


def _overlaps(a: Range, b: Range) -> bool:
    return _reaches(a, b) and _reaches(b, a)


def _starts_earlier(a: Range, b: Range) -> bool:
    order = _order(a.start, b.start)
    return order < 0 or (order == 0 and a.start_included and not b.start_included)


def _ends_no_later(a: Range, b: Range) -> bool:
    order = _order(a.end, b.end)
    return order < 0 or (order == 0 and (not a.end_included or b.end_included))


def _starts_no_earlier(a: Range, b: Range) -> bool:
    order = _order(a.start, b.start)
    return order > 0 or (order == 0 and (not a.start_included or b.start_included))


def _overlaps_before(a: Range, b: Range) -> bool:
    return _starts_earlier(a, b) and _reaches(a, b) and _ends_no_later(a, b)


def _point_finishes(point: Value, r: Range) -> bool:
    return _order(point, r.end) == 0 and r.end_included


def _finishes(a: Range, b: Range) -> bool:
    same_end = a.end_included == b.end_included and _order(a.end, b.end) == 0
    return same_end and _starts_no_earlier(a, b)


def _point_during(point: Value, r: Range) -> bool:
    above, below = _order(point, r.start), _order(point, r.end)
    return (above > 0 or (above == 0 and r.start_included)) and (
        below < 0 or (below == 0 and r.end_included)
    )


def _during(a: Range, b: Range) -> bool:
    return _starts_no_earlier(a, b) and _ends_no_later(a, b)


def _point_starts(point: Value, r: Range) -> bool:
    return _order(point, r.start) == 0 and r.start_included


def _starts(a: Range, b: Range) -> bool:
    same_start = a.start_included == b.start_included and _order(a.start, b.start) == 0
    return same_start and _ends_no_later(a, b)


def _coincides(a: Range, b: Range) -> bool:
    return (
        (a.start_included, a.end_included) == (b.start_included, b.end_included)
        and _order(a.start, b.start) == 0
        and _order(a.end, b.end) == 0
    )


_declare(
    "before",
    "Whether the first lies wholly before the second.",
    {
        "points": ("before(1, 10)", "true"),
        "range and point": ("before([1..5], 10)", "true"),
        "point and range": ("before(1, [2..5])", "true"),
        "ranges": ("before([1..5), [5..10])", "true"),
    },
    points=lambda a, b: _order(a, b) < 0,
    range_and_point=_range_before_point,
    point_and_range=_point_before_range,
    ranges=_range_before_range,
)
_declare(
    "after",
    "Whether the first lies wholly after the second.",
    {
        "points": ("after(10, 1)", "true"),
        "range and point": ("after([1..5], 10)", "false"),
        "point and range": ("after(12, [2..5])", "true"),
        "ranges": ("after([5..10], [1..5))", "true"),
    },
    points=lambda a, b: _order(a, b) > 0,
    range_and_point=_swapped(_point_before_range),
    point_and_range=_swapped(_range_before_point),
    ranges=_swapped(_range_before_range),
)
_declare(
    "meets",
    "Whether the second range starts where the first ends.",
    {"ranges": ("meets([1..5], [5..10])", "true")},
    ranges=_meets,
)
_declare(
    "met by",
    "Whether the first range starts where the second ends.",
    {"ranges": ("met by([5..10], [1..5])", "true")},
    ranges=_swapped(_meets),
)
_declare(
    "overlaps",
    "Whether two ranges have a point in common.",
    {"ranges": ("overlaps([5..10], [1..6])", "true")},
    ranges=_overlaps,
)
_declare(
    "overlaps before",
    "Whether the first range starts before the second and ends in it.",
    {"ranges": ("overlaps before([1..5], [4..10])", "true")},
    ranges=_overlaps_before,
)
_declare(
    "overlaps after",
    "Whether the first range starts in the second and ends after it.",
    {"ranges": ("overlaps after([4..10], [1..5])", "true")},
    ranges=_swapped(_overlaps_before),
)
_declare(
    "finishes",
    "Whether the first ends where the second does and starts no earlier.",
    {
        "point and range": ("finishes(5, [1..5])", "true"),
        "ranges": ("finishes([3..5], [1..5])", "true"),
    },
    point_and_range=_point_finishes,
    ranges=_finishes,
)
_declare(
    "finished by",
    "Whether the second ends where the first does and starts no earlier.",
    {
        "range and point": ("finished by([5..10], 10)", "true"),
        "ranges": ("finished by([1..5], [3..5])", "true"),
    },
    range_and_point=_swapped(_point_finishes),
    ranges=_swapped(_finishes),
)
_declare(
    "includes",
    "Whether the second lies wholly in the first.",
    {
        "range and point": ("includes([5..10], 6)", "true"),
        "ranges": ("includes([1..10], [4..6])", "true"),
    },
    range_and_point=_swapped(_point_during),
    ranges=_swapped(_during),
)
_declare(
    "during",
    "Whether the first lies wholly in the second.",
    {
        "point and range": ("during(5, [1..10])", "true"),
        "ranges": ("during([4..6], [1..10))", "true"),
    },
    point_and_range=_point_during,
    ranges=_during,
)
_declare(
    "starts",
    "Whether the first starts where the second does and ends no later.",
    {
        "point and range": ("starts(1, [1..5])", "true"),
        "ranges": ("starts((1..5), (1..10))", "true"),
    },
    point_and_range=_point_starts,
    ranges=_starts,
)
_declare(
    "started by",
    "Whether the second starts where the first does and ends no later.",
    {
        "range and point": ("started by([1..10], 1)", "true"),
        "ranges": ("started by([1..10], [1..5])", "true"),
    },
    range_and_point=_swapped(_point_starts),
    ranges=_swapped(_starts),
)
_declare(
    "coincides",
    "Whether the two are the same point or the same range.",
    {
        "points": ("coincides(5, 5)", "true"),
        "ranges": ("coincides([1..5], [1..5])", "true"),
    },
    points=lambda a, b: _order(a, b) == 0,
    ranges=_coincides,
)
