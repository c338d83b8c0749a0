from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.errors import Faults
from connector.numbers import INT64_MAX, whole_number
from connector.operations import ENDPOINTS, OPERATIONS, Endpoint, Kind, Operation
from connector.search_filter import read_filter
from connector.section import given, nearest
from connector.sort import Sort, read_sort

DEFAULT_RESULTS = 20
"""Page size of Camunda's own template; the API's default is 10."""
MAX_RESULTS = 1000


@dataclass(frozen=True, slots=True)
class Search:
    """What a search asks for.

    `results` is the page size (1 to 1000). `pagination` is the `sortValues` of the page before,
    opaque. `max_items`, when set, asks for that many items over as many pages as it takes.
    """

    filter: Mapping[str, object] | None = None
    sort: tuple[Sort, ...] = ()
    results: int = DEFAULT_RESULTS
    pagination: tuple[object, ...] = ()
    max_items: int | None = None

    @property
    def page_size(self) -> int:
        """Items to ask for at once: never more than are wanted in all."""
        return self.results if self.max_items is None else min(self.results, self.max_items)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: an operation of an endpoint, on one `key` or as a `search`."""

    endpoint: Endpoint
    operation: Operation
    key: int | str | None = None
    search: Search | None = None


_SEARCH_ONLY = ("filter", "sort", "pagination", "maxItems")
_NAMES = ("endpoint", "operation", "key", "results", *_SEARCH_ONLY)


def read_query(value: object, faults: Faults) -> Query | None:
    """Read the `request` section; gives the query, or None when it has faults."""
    if not isinstance(value, Mapping):
        faults.add("", "is missing" if value is None else "is not an object")
        return None
    inputs = given(value)
    for name in inputs:
        if name not in _NAMES:
            faults.add(name, f"is unknown; {nearest(name, _NAMES)}")
    endpoint = _read_endpoint(inputs.get("endpoint"), faults)
    operation = _read_operation(inputs.get("operation"), endpoint, faults)
    size = _read_size(inputs, faults)
    if endpoint is None or operation is None:
        return None
    if operation.needs_key:
        _refuse(_SEARCH_ONLY, inputs, operation, faults)
        return Query(endpoint, operation, key=_read_key(inputs.get("key"), endpoint, faults))
    _refuse(["key"], inputs, operation, faults)
    return Query(endpoint, operation, search=_read_search(inputs, endpoint, size, faults))


def _read_endpoint(name: object, faults: Faults) -> Endpoint | None:
    if name is None:
        faults.add("endpoint", f"is missing; choose one of {', '.join(ENDPOINTS)}")
        return None
    endpoint = ENDPOINTS.get(str(name))
    if endpoint is None:
        faults.add("endpoint", f"is unknown; {nearest(str(name), ENDPOINTS)}")
    return endpoint


def _read_operation(name: object, endpoint: Endpoint | None, faults: Faults) -> Operation | None:
    offered = [item.name for item in endpoint.operations] if endpoint else list(OPERATIONS)
    if name is None:
        faults.add("operation", f"is missing; choose one of {', '.join(offered)}")
        return None
    operation = OPERATIONS.get(str(name))
    if operation is None:
        faults.add("operation", f"is unknown; {nearest(str(name), offered)}")
    elif operation.name not in offered and endpoint is not None:
        reason = f"{operation.name} is not there for {endpoint.name}; it has {', '.join(offered)}"
        faults.add("operation", reason)
    return operation


def _refuse(
    names: tuple[str, ...] | list[str],
    inputs: Mapping[str, object],
    operation: Operation,
    faults: Faults,
) -> None:
    for name in names:
        if name in inputs:
            faults.add(name, f"does not go with {operation.name}; remove it")


def _read_key(key: object, endpoint: Endpoint, faults: Faults) -> int | str | None:
    if key is None:
        faults.add("key", "is missing")
        return None
    if endpoint.key is Kind.INTEGER:
        return _read_integer("key", key, 0, INT64_MAX, faults)
    if isinstance(key, str) and key.isascii() and all(map(str.isdecimal, key.split("-"))):
        return key
    faults.add("key", "is not an id as 2251799813685249-1")
    return None


@dataclass(frozen=True, slots=True)
class _Size:
    """How much a search brings: items a page, and items in all."""

    results: int
    max_items: int | None


def _read_size(inputs: Mapping[str, object], faults: Faults) -> _Size:
    results = inputs.get("results", DEFAULT_RESULTS)
    max_items = inputs.get("maxItems")
    return _Size(
        _read_integer("results", results, 1, MAX_RESULTS, faults) or DEFAULT_RESULTS,
        None if max_items is None else _read_integer("maxItems", max_items, 1, INT64_MAX, faults),
    )


def _read_search(
    inputs: Mapping[str, object],
    endpoint: Endpoint,
    size: _Size,
    faults: Faults,
) -> Search:
    sort = read_sort(inputs.get("sort"), endpoint, faults)
    return Search(
        filter=read_filter(inputs.get("filter"), endpoint, faults),
        sort=sort,
        results=size.results,
        pagination=_read_pagination(inputs.get("pagination"), len(sort) + 1, faults),
        max_items=size.max_items,
    )


def _read_integer(path: str, value: object, least: int, most: int, faults: Faults) -> int | None:
    number = whole_number(value)
    if number is None:
        faults.add(path, "is not a whole number")
    elif not least <= number <= most:
        faults.add(path, f"is not within {least} to {most}")
    return number


def _read_pagination(value: object, length: int, faults: Faults) -> tuple[object, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        faults.add("pagination", "is not a list; give the sortValues of the page before")
    elif not value:
        faults.add("pagination", "is empty: the page before was the last one")
    elif len(value) != length:
        faults.add("pagination", "does not fit the sort; keep the sort of the page before")
    else:
        return tuple(value)
    return ()
