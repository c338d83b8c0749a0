from __future__ import annotations

from typing import Annotated, Any

import msgspec

_ORDER = {"unmapped_type": "long"}
"""An index without documents may have no mapping yet; it is then passed over."""


class Envelope(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What is looked at of a document before the sieve sees it.

    Attributes:
        position: Of the record.
        partition_id: From 1.
        key: Of the entity.
        value_type: Such as `USER_TASK`.
        intent: Such as `CREATED`.
        sequence: Number by value type and partition; None in documents of old exporters.
    """

    position: Annotated[int, msgspec.Meta(ge=0)]
    partition_id: int
    key: int
    value_type: str
    intent: str
    sequence: int | None = None


class Hit(msgspec.Struct, frozen=True, gc=False):
    """One document that a search found; `source` is its JSON as it was written."""

    id: str = msgspec.field(name="_id")
    source: msgspec.Raw = msgspec.field(name="_source", default=msgspec.Raw(b"{}"))
    sort: list[int | None] = []


class Shards(msgspec.Struct, frozen=True, gc=False):
    """How many shards were asked, and how many did not answer."""

    total: int
    failed: int


class Hits(msgspec.Struct, frozen=True, gc=False):
    """The documents of an answer."""

    hits: list[Hit]


class _Bucket(msgspec.Struct, frozen=True, gc=False):
    key: int


class _Buckets(msgspec.Struct, frozen=True, gc=False):
    buckets: list[_Bucket] = []


class _Partitions(msgspec.Struct, frozen=True, gc=False):
    partitions: _Buckets = _Buckets()


class Found(msgspec.Struct, frozen=True, gc=False):
    """The answer to a search."""

    timed_out: bool
    shards: Shards = msgspec.field(name="_shards")
    hits: Hits
    aggregations: _Partitions = _Partitions()


NOTHING = Found(timed_out=False, shards=Shards(0, 0), hits=Hits([]))
"""The answer of an index that is not there yet."""


class Counted(msgspec.Struct, frozen=True, gc=False):
    """The answer to a count."""

    count: int
    shards: Shards = msgspec.field(name="_shards")


def page(partition_id: int, after: int, through: int, size: int) -> dict[str, Any]:
    """The first `size` documents of a partition behind position `after`, up to `through`."""
    return {
        "size": size,
        "query": _within(partition_id, {"lte": through}),
        "sort": [{"position": {"order": "asc", **_ORDER}}],
        "search_after": [after],
        "track_total_hits": False,
    }


def envelopes(partition_id: int, after: int, through: int) -> dict[str, Any]:
    """The first document of these without its value, for one that is too large."""
    names = ["position", "partitionId", "key", "valueType", "intent", "sequence"]
    return page(partition_id, after, through, 1) | {"_source": names}


def newest(partition_id: int) -> dict[str, Any]:
    """The document of a partition with the largest position, without its content."""
    return {
        "size": 1,
        "query": _within(partition_id, None),
        "sort": [{"position": {"order": "desc", **_ORDER}}],
        "_source": False,
        "track_total_hits": False,
    }


def count(partition_id: int, after: int, through: int) -> dict[str, Any]:
    """How many documents there are between two positions, the latter included."""
    return {"query": _within(partition_id, {"gt": after, "lte": through})}


def partitions() -> dict[str, Any]:
    """Every partition that there are documents of."""
    return {
        "size": 0,
        "aggs": {"partitions": {"terms": {"field": "partitionId", "size": 10_000}}},
        "track_total_hits": False,
    }


def _within(partition_id: int, positions: dict[str, int] | None) -> dict[str, Any]:
    # Several partitions can have one shard: routing alone keeps no other partition out.
    clauses: list[dict[str, Any]] = [{"term": {"partitionId": partition_id}}]
    if positions is not None:
        clauses.append({"range": {"position": positions}})
    return {"bool": {"filter": clauses}}
