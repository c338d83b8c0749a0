"""A search request's body, read as the API v1 reads it.

The order of the checks and what is let pass follow Operate's public code: unknown
names in the body and in the filter are ignored, unknown sort fields are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from devstack.operate.errors import InvalidDataError, InvalidRequestError, StoreFailureError
from devstack.operate.fields import Entity, Field, Kind
from devstack.operate.scalars import INT64, to_boolean, to_int, to_text
from devstack.version import Version

DEFAULT_SIZE = 10
MAX_SIZE = 1000
INT32 = 1 << 31


@dataclass(frozen=True, slots=True)
class Equals:
    """The field has exactly this value."""

    field: Field
    value: int | str


@dataclass(frozen=True, slots=True)
class Within:
    """The date lies in the span that this text means: a millisecond, or with `||/d` a day."""

    field: Field
    text: str


@dataclass(frozen=True, slots=True)
class HasTokens:
    """The text has every word of `value`."""

    field: Field
    value: str


Condition = Equals | Within | HasTokens


@dataclass(frozen=True, slots=True)
class Order:
    """One step of the sort."""

    field: Field
    is_descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What a search asks for; `sort` ends with the key, so that the order is total."""

    conditions: tuple[Condition, ...]
    sort: tuple[Order, ...]
    size: int
    search_after: tuple[Any, ...] | None


def parse_query(entity: Entity, version: Version, body: bytes) -> Query:
    """Read the body of `POST /v1/{entity}/search`; an empty body asks for the first ten.

    Raises:
        InvalidRequestError: when the JSON, a filter's type or the size is wrong.
        InvalidDataError: when a sort field is unknown or `searchAfter` does not fit the sort.
        StoreFailureError: when the real store would fail on what passes the checks.
    """
    asked = _object(body)
    fields = entity.fields_of(version)
    given_filter = _member(asked, "filter", dict) or {}
    conditions = _conditions(given_filter, fields)
    size = _size(asked)
    given_sort = _member(asked, "sort", list)
    search_after = _member(asked, "searchAfter", list)
    names = _sort_names(given_sort or [])
    _check_sort(names, fields)
    _check_paging(size, given_sort, search_after)
    sort = _orders(names, entity, version)
    if search_after is not None and len(search_after) != len(sort):
        raise StoreFailureError(f"searchAfter has {len(search_after)} values for {len(sort)} sorts")
    return Query(
        conditions=conditions,
        sort=sort,
        size=size,
        search_after=None if search_after is None else tuple(search_after),
    )


def _object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"JSON parse error: {error}") from error
    if asked is None:
        return {}
    if not isinstance(asked, dict):
        raise InvalidRequestError("JSON parse error: the body must be an object")
    return asked


def _member(asked: dict[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401 - JSON
    value = asked.get(name)
    if value is not None and not isinstance(value, kind):
        shape = "an object" if kind is dict else "an array"
        raise InvalidRequestError(f"JSON parse error: {name} must be {shape}")
    return value


def _size(asked: dict[str, Any]) -> int:
    if "size" not in asked:
        return DEFAULT_SIZE
    # A null becomes the zero of a primitive int (inferred from the server's JSON library).
    return to_int("size", asked["size"], INT32) or 0


def _conditions(given: dict[str, Any], fields: tuple[Field, ...]) -> tuple[Condition, ...]:
    names = {field.name: field for field in fields} | {
        field.alias: field for field in fields if field.alias is not None
    }
    conditions = (_condition(names[name], value) for name, value in given.items() if name in names)
    return tuple(condition for condition in conditions if condition is not None)


def _condition(field: Field, value: Any) -> Condition | None:  # noqa: ANN401 - JSON
    if not field.filterable or value is None:
        return None
    match field.kind:
        case Kind.INT64 | Kind.INT32:
            number = to_int(field.name, value, INT64 if field.kind is Kind.INT64 else INT32)
            return None if number is None else Equals(field, number)
        case Kind.BOOLEAN:
            flag = to_boolean(field.name, value)
            return None if flag is None else Equals(field, flag)
        case Kind.TOKENS:
            return HasTokens(field, to_text(field.name, value))
        case _:
            return _text_condition(field, to_text(field.name, value))


def _text_condition(field: Field, text: str) -> Condition | None:
    if field.values is not None and text not in field.values:
        raise InvalidRequestError(f"{field.name} must be one of {', '.join(sorted(field.values))}")
    if not text:
        return None
    return Within(field, text) if field.kind is Kind.DATE else Equals(field, text)


def _sort_names(given: list[Any]) -> list[tuple[str | None, bool]]:
    """Each entry's field name and whether it descends, checked for shape alone."""
    names = []
    for entry in given:
        if not isinstance(entry, dict):
            raise InvalidRequestError("JSON parse error: an entry of sort must be an object")
        order = entry.get("order")
        if order not in (None, "ASC", "DESC"):
            raise InvalidRequestError("JSON parse error: order must be ASC or DESC")
        field = entry.get("field")
        names.append((None if field is None else to_text("field", field), order == "DESC"))
    return names


def _check_sort(names: list[tuple[str | None, bool]], fields: tuple[Field, ...]) -> None:
    given = [name for name, _ in names if name is not None]
    if names and not given:
        raise InvalidDataError("No 'field' given in sort")
    known = {field.name for field in fields}
    if unknown := [name for name in given if name not in known]:
        raise InvalidDataError(f"Sort has invalid field(s): {', '.join(unknown)}")


def _check_paging(size: int, sort: list[Any] | None, search_after: list[Any] | None) -> None:
    if not 1 <= size <= MAX_SIZE:
        raise InvalidRequestError(f"size must be from 1 to {MAX_SIZE}")
    if search_after is None:
        return
    if not search_after:
        raise InvalidDataError("searchAfter must have at least one value")
    if sort is not None and len(search_after) != len(sort) + 1:
        raise InvalidDataError(f"searchAfter must have {len(sort) + 1} values")


def _orders(
    names: list[tuple[str | None, bool]],
    entity: Entity,
    version: Version,
) -> tuple[Order, ...]:
    orders = []
    for name, is_descending in names:
        if name is None:
            raise InvalidRequestError("an entry of sort has no field")
        field = entity.by_name[name]
        if field.sortable_since is None or version < field.sortable_since:
            raise StoreFailureError(f"no mapping found for {name} in order to sort on")
        orders.append(Order(field, is_descending))
    return (*orders, Order(entity.key_field, is_descending=False))
