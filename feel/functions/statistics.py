"""Functions over a list of numbers or booleans, given as a list or as arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from feel import numbers
from feel.comparison import compare
from feel.functions.registry import Category, Implementation
from feel.numbers import Number, as_number
from feel.run import Run
from feel.values import Value, is_list

STATISTICS = Category("Functions over all items of a list")


def _over_items(
    name: str, *examples: tuple[str, str]
) -> Callable[[Implementation], Implementation]:
    """Declare a function of a list that also takes the items as its arguments.

    By place a list or its items, so that one value stands for a list of it; by name a list alone.
    """

    def declare(implementation: Implementation) -> Implementation:
        def over_arguments(run: Run, *items: Value) -> Value:
            only = items[0] if len(items) == 1 else None
            return implementation(run, only if is_list(only) else items)

        over_arguments.__doc__ = implementation.__doc__
        STATISTICS.function(name, "items...: any", *examples)(over_arguments)
        STATISTICS.function(name, "list: list", _by_name(name, examples[0]))(implementation)
        return implementation

    return declare


def _by_name(name: str, example: tuple[str, str]) -> tuple[str, str]:
    text, result = example
    return text.replace(f"{name}(", f"{name}(list: "), result


def _numbers(run: Run, items: Sequence[Value]) -> list[Number] | None:
    """The items as numbers; None when there are none or one is no number."""
    run.charge(len(items))
    found = [as_number(item) for item in items]
    return None if not found or None in found else found  # type: ignore[return-value] # no None


def _extreme(run: Run, items: Sequence[Value], wanted: int) -> Value:
    run.charge(len(items))
    if not items or items[0] is None:
        return None
    best = items[0]
    for item in items:
        order = compare(item, best)
        if order is None:
            return None
        if order == wanted:
            best = item
    number = as_number(best)
    return best if number is None else number


@_over_items("min", ("min([1,2,3])", "1"), ("min(1,2,3)", "1"))
def minimum(run: Run, items: Sequence[Value]) -> Value:
    """The least item; null of an empty list or of items without an order."""
    return _extreme(run, items, -1)


@_over_items("max", ("max([1,2,3])", "3"), ("max(1,2,3)", "3"))
def maximum(run: Run, items: Sequence[Value]) -> Value:
    """The greatest item; null of an empty list or of items without an order."""
    return _extreme(run, items, 1)


def _total(found: Sequence[Number]) -> Number:
    total: Number = 0
    for number in found:
        total = numbers.add(total, number)
    return total


@_over_items("sum", ("sum([1,2,3])", "6"), ("sum(1,2,3)", "6"))
def total(run: Run, items: Sequence[Value]) -> Number | None:
    """The sum of numbers; null of an empty list or when an item is no number."""
    found = _numbers(run, items)
    return None if found is None else _total(found)


@_over_items("product", ("product([2,3,4])", "24"), ("product(2,3,4)", "24"))
def product(run: Run, items: Sequence[Value]) -> Number | None:
    """The product of numbers; null of an empty list or when an item is no number."""
    found = _numbers(run, items)
    if found is None:
        return None
    result: Number = 1
    for number in found:
        result = numbers.multiply(result, number)
    return result


def _mean(found: Sequence[Number]) -> Number | None:
    return numbers.divide(_total(found), len(found))


@_over_items("mean", ("mean([1,2,3])", "2"), ("mean(1,2,3)", "2"))
def mean(run: Run, items: Sequence[Value]) -> Number | None:
    """The arithmetic mean of numbers."""
    found = _numbers(run, items)
    return None if found is None else _mean(found)


@_over_items("median", ("median([6,1,2,3])", "2.5"), ("median(8,2,5,3,4)", "4"))
def median(run: Run, items: Sequence[Value]) -> Number | None:
    """The middle one of numbers, or the mean of the middle two."""
    found = _numbers(run, items)
    if found is None:
        return None
    found.sort()
    middle = len(found) // 2
    return found[middle] if len(found) % 2 else _mean(found[middle - 1 : middle + 1])


@_over_items(
    "stddev",
    ("round half up(stddev([2,4,7,5]), 6)", "2.081666"),
    ("round half up(stddev(2,4,7,5), 6)", "2.081666"),
)
def stddev(run: Run, items: Sequence[Value]) -> Number | None:
    """The standard deviation of a sample; null of fewer than two numbers."""
    found = _numbers(run, items)
    if found is None or len(found) == 1:
        return None
    run.charge(50)
    middle = _mean(found)
    if middle is None:
        return None
    squares = [numbers.multiply(gap, gap) for gap in (numbers.subtract(n, middle) for n in found)]
    variance = numbers.divide(_total(squares), len(found) - 1)
    return None if variance is None else numbers.with_doubles(math.sqrt, variance)


@_over_items("mode", ("mode([6,1,9,6,1])", "[1,6]"), ("mode(6,3,9,6,6)", "[6]"))
def mode(run: Run, items: Sequence[Value]) -> list[Number] | None:
    """The numbers that come most often, in order; none of an empty list."""
    if not items:
        return []
    found = _numbers(run, items)
    if found is None:
        return None
    counts: dict[Number, int] = {}
    for number in found:
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values())
    return sorted(number for number, times in counts.items() if times == most)


def _all(run: Run, items: Sequence[Value]) -> bool | None:
    run.charge(len(items))
    if any(item is False for item in items):
        return False
    return True if all(item is True for item in items) else None


def _any(run: Run, items: Sequence[Value]) -> bool | None:
    run.charge(len(items))
    if any(item is True for item in items):
        return True
    return False if all(item is False for item in items) else None


@_over_items("all", ("all([true,false])", "false"), ("all(true,null)", "null"))
def all_true(run: Run, items: Sequence[Value]) -> bool | None:
    """False when an item is, true when all are, else null."""
    return _all(run, items)


@_over_items("and", ("and([true,false])", "false"), ("and(false,null,true)", "false"))
def conjunction(run: Run, items: Sequence[Value]) -> bool | None:
    """The same as `all`."""
    return _all(run, items)


@_over_items("any", ("any([false,true])", "true"), ("any(false,null)", "null"))
def any_true(run: Run, items: Sequence[Value]) -> bool | None:
    """True when an item is, false when all are false, else null."""
    return _any(run, items)


@_over_items("or", ("or([false,true])", "true"), ("or(false,null,true)", "true"))
def disjunction(run: Run, items: Sequence[Value]) -> bool | None:
    """The same as `any`."""
    return _any(run, items)
