from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key

from feel.comparison import equal
from feel.functions.registry import Category
from feel.numbers import as_number
from feel.run import Run
from feel.values import Function, Value, is_list

LIST = Category("List functions")
_PAIR = 2
"""Arguments of the functions that `sort` and `list replace` are given."""


def _place(items: Sequence[Value], position: int) -> int | None:
    """The 0-based index of a position, 1 being the first and -1 the last; None for 0."""
    if position == 0:
        return None
    return position - 1 if position > 0 else len(items) + position


@LIST.function("list contains", "list: list, element: any", ("list contains([1,2,3], 2)", "true"))
def list_contains(run: Run, items: Sequence[Value], element: Value) -> bool:
    """Whether a list has an item that equals the element."""
    run.charge(len(items))
    return any(equal(run, item, element) is True for item in items)


@LIST.function("count", "list: list", ("count([1,2,3])", "3"))
def count(_run: Run, items: Sequence[Value]) -> int:
    """The number of items."""
    return len(items)


@LIST.function("is empty", "list: list", ("is empty([])", "true"), ("is empty([1])", "false"))
def is_empty(_run: Run, items: Sequence[Value]) -> bool:
    """Whether a list has no items."""
    return not items


@LIST.function(
    "sublist",
    "list: list, start position: integer, length?: integer",
    ("sublist([1,2,3], 2)", "[2,3]"),
    ("sublist([1,2,3], 1, 2)", "[1,2]"),
)
def sublist(
    run: Run, items: Sequence[Value], start: int, length: int | None = None
) -> list[Value] | None:
    """The items from a position on, or so many of them; null for position 0.

    As on Camunda, places before the first item count too: `sublist([1, 2], -3, 2)` is `[1]`.
    """
    place = _place(items, start)
    if place is None:
        return None
    end = len(items) if length is None else max(0, place + length)
    place = max(0, place)
    run.charge_items(max(0, min(end, len(items)) - place))
    return list(items[place:end])


@LIST.function(
    "sublist",
    "list: list, start: integer, length?: integer",
    ("sublist(list: [1,2,3], start: 2)", "[2,3]"),
)
def sublist_from_start(
    run: Run, items: Sequence[Value], start: int, length: int | None = None
) -> list[Value] | None:
    """The same by the name that Camunda's engine has for the position."""
    return sublist(run, items, start, length)


@LIST.function(
    "append",
    "list: list, items...: any",
    ("append([1], 2, 3)", "[1,2,3]"),
    ("append(list: [1], items: [2, 3])", "[1,2,3]"),
)
def append(run: Run, items: Sequence[Value], *more: Value) -> list[Value]:
    """The list with the items at its end."""
    run.charge_items(len(items) + len(more))
    return [*items, *more]


@LIST.function("concatenate", "lists...: any", ("concatenate([1,2],[3])", "[1,2,3]"))
def concatenate(run: Run, *lists: Value) -> list[Value]:
    """One list with the items of all; one that is no list is an item itself."""
    if len(lists) == 1 and is_list(lists[0]):
        lists = tuple(lists[0])
    joined: list[Value] = []
    for each in lists:
        run.charge_items(len(joined) + (len(each) if is_list(each) else 1))
        joined.extend(each if is_list(each) else [each])
    return joined


@LIST.function(
    "insert before",
    "list: list, position: integer, newItem: any",
    ("insert before([1,3], 2, 2)", "[1,2,3]"),
)
def insert_before(
    run: Run, items: Sequence[Value], position: int, item: Value
) -> list[Value] | None:
    """The list with an item put in before a position; null for position 0."""
    place = _place(items, position)
    if place is None:
        return None
    run.charge_items(len(items) + 1)
    place = max(0, place)
    return [*items[:place], item, *items[place:]]


@LIST.function("remove", "list: list, position: integer", ("remove([1,2,3], 2)", "[1,3]"))
def remove(run: Run, items: Sequence[Value], position: int) -> list[Value] | None:
    """The list without the item at a position; null for position 0."""
    place = _place(items, position)
    if place is None:
        return None
    run.charge_items(len(items))
    return [item for index, item in enumerate(items) if index != place]


@LIST.function(
    "list replace",
    "list: list, position: any, newItem: any",
    ("list replace([1,2,3], 2, 9)", "[1,9,3]"),
    ("list replace([1,2,3], function(item, newItem) item > 1, 9)", "[1,9,9]"),
)
def list_replace(run: Run, items: Sequence[Value], where: Value, item: Value) -> list[Value] | None:
    """The list with another item at a position, or wherever a function says so."""
    run.charge_items(len(items))
    if isinstance(where, Function):
        return list_replace_matching(run, items, where, item)
    number = as_number(where)
    place = _place(items, int(number)) if number is not None and number == int(number) else None
    if place is None or not 0 <= place < len(items):
        return None
    return [*items[:place], item, *items[place + 1 :]]


@LIST.function(
    "list replace",
    "list: list, match: function, newItem: any",
    ("list replace(list: [1,2], match: function(item, newItem) item > 1, newItem: 9)", "[1,9]"),
)
def list_replace_matching(
    run: Run, items: Sequence[Value], match: Function, item: Value
) -> list[Value] | None:
    """The list with another item wherever a function of the item and the new one is true."""
    run.charge_items(len(items))
    if not match.takes(_PAIR):
        return None
    found = [match.call(each, item) for each in items]
    if not all(isinstance(each, bool) for each in found):
        return None
    return [item if each else old for each, old in zip(found, items, strict=True)]


@LIST.function("reverse", "list: list", ("reverse([1,2,3])", "[3,2,1]"))
def reverse(run: Run, items: Sequence[Value]) -> list[Value]:
    """The list in the other direction."""
    run.charge_items(len(items))
    return list(items[::-1])


@LIST.function("index of", "list: list, match: any", ("index of([1,2,3,2], 2)", "[2,4]"))
def index_of(run: Run, items: Sequence[Value], match: Value) -> list[int]:
    """The positions of all items that equal the match, 1 being the first."""
    run.charge(len(items))
    return [place for place, item in enumerate(items, 1) if equal(run, item, match) is True]


def _counted(run: Run, items: Sequence[Value]) -> list[tuple[Value, int]]:
    """The items without repeats, each with how often it comes."""
    run.charge_items(len(items))
    kept: list[Value] = []
    counts: list[int] = []
    places: dict[Value, int] = {}
    for item in items:
        place = _place_among(run, item, kept, places)
        if place == len(kept):
            kept.append(item)
            counts.append(0)
        counts[place] += 1
    return list(zip(kept, counts, strict=True))


def _place_among(run: Run, item: Value, kept: Sequence[Value], places: dict[Value, int]) -> int:
    """Where an item stands among those kept, or their number: plain ones are found by hash."""
    if item is None or isinstance(item, str | bool):
        return places.setdefault((type(item), item), len(kept))
    number = as_number(item)
    if number is not None:
        return places.setdefault(number, len(kept))
    run.charge(1 + len(kept))
    same = (place for place, other in enumerate(kept) if equal(run, other, item) is True)
    return next(same, len(kept))


@LIST.function("union", "lists...: any", ("union([1,2],[2,3])", "[1,2,3]"))
def union(run: Run, *lists: Value) -> list[Value]:
    """One list with the items of all, without repeats."""
    return [item for item, _ in _counted(run, concatenate(run, *lists))]


@LIST.function("distinct values", "list: list", ("distinct values([1,2,3,2,1])", "[1,2,3]"))
def distinct_values(run: Run, items: Sequence[Value]) -> list[Value]:
    """The list without repeats."""
    return [item for item, _ in _counted(run, items)]


@LIST.function("duplicate values", "list: list", ("duplicate values([1,2,3,2,1])", "[1,2]"))
def duplicate_values(run: Run, items: Sequence[Value]) -> list[Value]:
    """The items that a list has more than once, each once."""
    return [item for item, times in _counted(run, items) if times > 1]


@LIST.function("flatten", "list: list", ("flatten([[1,2],[[3]],4])", "[1,2,3,4]"))
def flatten(run: Run, items: Sequence[Value]) -> list[Value]:
    """One list of all items of the lists in it, however deep."""
    flat: list[Value] = []
    pending = [iter(items)]
    while pending:
        for item in pending[-1]:
            run.charge(1)
            if is_list(item):
                pending.append(iter(item))
                break
            flat.append(item)
        else:
            pending.pop()
    return flat


@LIST.function(
    "sort",
    "list: list, precedes: function",
    ("sort(list: [3,1,4,5,2], precedes: function(x,y) x < y)", "[1,2,3,4,5]"),
    weight=5,
)
def sort(run: Run, items: Sequence[Value], precedes: Function) -> list[Value] | None:
    """The list in the order of a function that says whether one item comes before another."""
    if not precedes.takes(_PAIR):
        return None
    run.charge_items(len(items))
    undecided = False

    def order(left: Value, right: Value) -> int:
        nonlocal undecided
        first = precedes.call(left, right)
        undecided = undecided or not isinstance(first, bool)
        if first is True:
            return -1
        return 1 if precedes.call(right, left) is True else 0

    ordered = sorted(items, key=cmp_to_key(order))
    return None if undecided else ordered


@LIST.function(
    "partition", "list: list, size: integer", ("partition([1,2,3,4,5], 2)", "[[1,2],[3,4],[5]]")
)
def partition(run: Run, items: Sequence[Value], size: int) -> list[Value] | None:
    """The list cut into lists of a size; null when that is below 1."""
    if size < 1:
        return None
    run.charge_items(2 * len(items))
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


@LIST.function(
    "string join",
    "list: list, delimiter?: any",
    ('string join(["a",null,"c"])', '"ac"'),
    ('string join(["a","b","c"], ", ")', '"a, b, c"'),
)
def string_join(run: Run, items: Sequence[Value], delimiter: Value = None) -> str | None:
    """The texts of a list in one, nulls left out; null when another item is no text."""
    return string_join_between(run, items, delimiter, "", "")


@LIST.function(
    "string join",
    "list: list, delimiter: any, prefix: string, suffix: string",
    ('string join(["a","b","c"], ", ", "[", "]")', '"[a, b, c]"'),
)
def string_join_between(
    run: Run, items: Sequence[Value], delimiter: Value, prefix: str, suffix: str
) -> str | None:
    """The same with a text before and one behind."""
    texts = [item for item in items if item is not None]
    if not all(isinstance(text, str) for text in texts) or not isinstance(delimiter, str | None):
        return None
    between = delimiter or ""
    chars = sum(map(len, texts)) + len(between) * len(texts) + len(prefix) + len(suffix)
    run.charge_text(chars)
    return prefix + between.join(texts) + suffix
