from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from devstack.elasticsearch.documents import Document
from devstack.elasticsearch.errors import SearchError

Predicate = Callable[[Document], bool]

_BOUNDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def predicate(query: Any) -> Predicate:  # noqa: ANN401 - JSON
    """What a query of the query language asks of a document.

    Raises:
        SearchError: It is no query that is understood here.
    """
    if not isinstance(query, Mapping) or len(query) != 1:
        raise SearchError(400, "parsing_exception", "a query is an object with one name")
    ((name, content),) = query.items()
    make = _QUERIES.get(name)
    if make is None or not isinstance(content, Mapping):
        raise SearchError(400, "parsing_exception", f"unknown query [{name}]")
    return make(content)


def _match_all(_content: Mapping[str, Any]) -> Predicate:
    return lambda _document: True


def _bool(content: Mapping[str, Any]) -> Predicate:
    unknown = content.keys() - {"filter", "must", "must_not"}
    if unknown:
        raise SearchError(400, "parsing_exception", f"[bool] query does not support {unknown}")
    wanted = [predicate(each) for name in ("filter", "must") for each in _clauses(content, name)]
    unwanted = [predicate(each) for each in _clauses(content, "must_not")]
    return lambda document: (
        all(each(document) for each in wanted) and not any(each(document) for each in unwanted)
    )


def _clauses(content: Mapping[str, Any], name: str) -> Sequence[Any]:
    clauses = content.get(name, [])
    return clauses if isinstance(clauses, list) else [clauses]


def _term(content: Mapping[str, Any]) -> Predicate:
    name, value = _one_field("term", content)
    expected = value["value"] if isinstance(value, Mapping) else value
    return lambda document: bool(document.value(name) == expected)


def _terms(content: Mapping[str, Any]) -> Predicate:
    name, values = _one_field("terms", content)
    if not isinstance(values, list):
        raise SearchError(400, "parsing_exception", "[terms] query requires a list")
    return lambda document: document.value(name) in values


def _range(content: Mapping[str, Any]) -> Predicate:
    name, bounds = _one_field("range", content)
    if not isinstance(bounds, Mapping) or bounds.keys() - _BOUNDS.keys():
        raise SearchError(400, "parsing_exception", f"[range] query on [{name}] is not understood")

    def is_within(document: Document) -> bool:
        value = document.value(name)
        return value is not None and all(_BOUNDS[each](value, bounds[each]) for each in bounds)

    return is_within


def _ids(content: Mapping[str, Any]) -> Predicate:
    values = frozenset(content.get("values", ()))
    return lambda document: document.id in values


def _one_field(query: str, content: Mapping[str, Any]) -> tuple[str, Any]:
    if len(content) != 1:
        raise SearchError(400, "parsing_exception", f"[{query}] query takes one field")
    ((name, value),) = content.items()
    return name, value


_QUERIES: Mapping[str, Callable[[Mapping[str, Any]], Predicate]] = {
    "match_all": _match_all,
    "bool": _bool,
    "term": _term,
    "terms": _terms,
    "range": _range,
    "ids": _ids,
}
