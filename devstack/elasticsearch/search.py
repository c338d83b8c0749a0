from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from devstack.elasticsearch.documents import Document
from devstack.elasticsearch.errors import SearchError
from devstack.elasticsearch.query import predicate

MAX_SIZE = 10_000
"""`index.max_result_window`."""

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
"""Sort values of a document without the field, which stands last in either order."""


class _Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    order: str = "asc"
    unmapped_type: str | None = None
    missing: str | None = None


class _Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    field: str
    size: int = 10


class _Aggregation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    terms: _Terms


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of a search, as far as it is understood; anything else is refused."""

    query: dict[str, Any] = msgspec.field(default_factory=lambda: {"match_all": {}})
    size: int = 10
    sort: list[dict[str, str | _Order]] = []
    search_after: list[int | float | str] | None = None
    source: bool | list[str] = msgspec.field(name="_source", default=True)
    aggs: dict[str, _Aggregation] = {}
    track_total_hits: bool | int = 10_000

    @classmethod
    def read(cls, body: bytes) -> Search:
        """The search that a request's body is.

        Raises:
            SearchError: It is none.
        """
        try:
            search = msgspec.json.decode(body or b"{}", type=cls)
        except msgspec.DecodeError as error:
            raise SearchError(400, "parsing_exception", str(error)) from error
        if not 0 <= search.size <= MAX_SIZE:
            reason = f"Result window is too large, size must be at most {MAX_SIZE}"
            raise SearchError(400, "illegal_argument_exception", reason)
        if search.search_after is not None and len(search.search_after) != len(search.sort):
            reason = "search_after has other values than sort"
            raise SearchError(400, "illegal_argument_exception", reason)
        return search

    @classmethod
    def read_count(cls, body: bytes) -> Search:
        """The search whose hits a request wants counted: it may have a query and nothing else.

        Raises:
            SearchError: It has more, or is none.
        """
        search = cls.read(body)
        more = msgspec.json.decode(body or b"{}").keys() - {"query"}
        if more:
            raise SearchError(400, "parsing_exception", f"request does not support {sorted(more)}")
        return search


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        total: how many documents match.
        hits: the page of them, each with its sort values.
        aggregations: buckets by name.
    """

    total: int
    hits: Sequence[tuple[Document, list[Any]]]
    aggregations: Mapping[str, Any]


def run(search: Search, documents: Sequence[Document]) -> Found:
    """Carry a search out on the documents that it sees.

    Raises:
        SearchError: Its query is not understood.
    """
    is_wanted = predicate(search.query)
    matches = [document for document in documents if is_wanted(document)]
    orders = [next(iter(each.items())) for each in search.sort]
    keyed = [
        (document, [_sortable(document.value(name), order) for name, order in orders])
        for document in matches
    ]
    for place, (_, order) in reversed(list(enumerate(orders))):
        keyed.sort(key=lambda each: each[1][place], reverse=_is_descending(order))
    if search.search_after is not None:
        keyed = [each for each in keyed if _is_after(each[1], search.search_after, orders)]
    aggregations = {name: _buckets(each.terms, matches) for name, each in search.aggs.items()}
    return Found(len(matches), keyed[: search.size], aggregations)


def _sortable(value: Any, order: str | _Order) -> Any:  # noqa: ANN401 - JSON
    if value is not None:
        return value
    return _LOWEST if _is_descending(order) else _HIGHEST


def _is_descending(order: str | _Order) -> bool:
    return (order if isinstance(order, str) else order.order) == "desc"


def _is_after(
    values: Sequence[Any], after: Sequence[Any], orders: Sequence[tuple[str, str | _Order]]
) -> bool:
    for value, limit, (_, order) in zip(values, after, orders, strict=True):
        if value != limit:
            return bool((value > limit) is not _is_descending(order))
    return False


def _buckets(terms: _Terms, matches: Sequence[Document]) -> dict[str, Any]:
    counts = Counter(
        value for document in matches if (value := document.value(terms.field)) is not None
    )
    # By count, then by key, as Elasticsearch orders buckets.
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    shown, rest = ranked[: terms.size], ranked[terms.size :]
    return {
        "doc_count_error_upper_bound": 0,
        "sum_other_doc_count": sum(count for _, count in rest),
        "buckets": [{"key": key, "doc_count": count} for key, count in shown],
    }
