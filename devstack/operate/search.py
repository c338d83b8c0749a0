"""A query over one entity's table: rows that match, the place to go on from, and how many."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import orjson

from devstack.operate.dates import to_ms, to_range_ms, to_text
from devstack.operate.errors import StoreFailureError
from devstack.operate.fields import Entity, Field, Kind
from devstack.operate.query import Condition, Equals, HasTokens, Order, Query, Within
from devstack.version import Version

TOTAL_CAP = 10_000
"""A search counts no further, and nothing in the answer tells a capped total from an exact one."""

_MAX_INT64 = (1 << 63) - 1
_MISSING = {False: _MAX_INT64, True: -_MAX_INT64 - 1}
"""What stands in `sortValues` for a number that is absent, ascending and descending."""


@dataclass(frozen=True, slots=True)
class Page:
    """A search's answer, in the shape of the API v1."""

    items: list[dict[str, Any]]
    sort_values: list[Any]
    total: int


@dataclass(frozen=True, slots=True)
class Search:
    """Reads entities of one version's API out of the database.

    Attributes:
        database: as `tables.open_database` gives it.
        version: decides which fields the entities have.
        rfc3339: writes and reads dates with a colon in the offset, as a server option does.
    """

    database: sqlite3.Connection
    version: Version
    rfc3339: bool = False

    def page(self, entity: Entity, query: Query) -> Page:
        """The entities that match.

        Raises:
            StoreFailureError: when a date or a value to go on from cannot be understood.
        """
        matching, arguments = self._where(query.conditions)
        total = self.database.execute(
            f'SELECT count(*) FROM (SELECT 1 FROM "{entity.path}" t{matching} LIMIT {TOTAL_CAP})',  # noqa: S608 - names from the field table; values are bound
            arguments,
        ).fetchone()[0]
        after, after_arguments = self._after(query)
        shown = [field for field in entity.fields_of(self.version) if field.in_search]
        columns = [field.searched for field in shown] + ["seed"]
        columns += [order.field.searched for order in query.sort]
        order_by = ", ".join(map(_order_by, query.sort))
        # The inner query sorts bare keys, which is several times faster than sorting whole rows.
        rows = self.database.execute(
            f'SELECT {", ".join(columns)} FROM "{entity.path}" t WHERE "{entity.key}" IN ('  # noqa: S608 - the same
            f'SELECT "{entity.key}" FROM "{entity.path}" t{_and(matching, after)}'
            f" ORDER BY {order_by} LIMIT {query.size}) ORDER BY {order_by}",
            [*arguments, *after_arguments],
        ).fetchall()
        return Page(
            items=[self._entity(shown, row) for row in rows],
            sort_values=_sort_values(query.sort, rows[-1][len(shown) + 1 :]) if rows else [],
            total=total,
        )

    def one(self, entity: Entity, key: int | str) -> dict[str, Any] | None:
        """The entity with this key, with the fields that only a look-up by key shows."""
        shown = entity.fields_of(self.version)
        columns = ", ".join([*(field.got for field in shown), "seed"])
        row = self.database.execute(
            f'SELECT {columns} FROM "{entity.path}" t WHERE "{entity.key}" = ?',  # noqa: S608 - the same
            [key],
        ).fetchone()
        return None if row is None else self._entity(shown, row)

    def _where(self, conditions: Sequence[Condition]) -> tuple[str, list[Any]]:
        clauses, arguments = [], []
        for condition in conditions:
            clause, values = self._clause(condition)
            clauses.append(clause)
            arguments += values
        return (f" WHERE {' AND '.join(clauses)}" if clauses else ""), arguments

    def _clause(self, condition: Condition) -> tuple[str, list[Any]]:
        match condition:
            case Equals(field, value):
                return f"{field.searched} = ?", [value]
            case Within(field, text):
                try:
                    first_ms, last_ms = to_range_ms(text, rfc3339=self.rfc3339)
                except ValueError as error:
                    raise StoreFailureError(f"failed to parse {field.name}: {error}") from error
                # The plus keeps SQLite from reading the span by an index and sorting all of it: a
                # walk along the sort's own index that stops when the page is full is faster.
                return f"+{field.searched} BETWEEN ? AND ?", [first_ms, last_ms]
            case HasTokens(field, value):
                return f"has_tokens({field.searched}, ?)", [value]
            case _:
                assert_never(condition)

    def _after(self, query: Query) -> tuple[str, list[Any]]:
        """The condition that an item comes after `search_after` in the order of the sort.

        Items that equal the given values in the first n columns and lie behind them in the next:
        one alternative for each n.
        """
        if query.search_after is None:
            return "", []
        values = [
            self._sort_value(order, value)
            for order, value in zip(query.sort, query.search_after, strict=True)
        ]
        alternatives, arguments = [], []
        for position, order in enumerate(query.sort):
            if values[position] is None:
                continue  # nothing comes after an absent value: they are last either way
            equal = [f"{earlier.field.searched} IS ?" for earlier in query.sort[:position]]
            sign = "<" if order.is_descending else ">"
            column = order.field.searched
            behind = f"({column} {sign} ? OR {column} IS NULL)"
            if order.field.name == "key":
                behind = f"{column} {sign} ?"  # never absent; the short form is a range of rows
            alternatives.append(" AND ".join([*equal, behind]))
            arguments += values[: position + 1]
        return f"({' OR '.join(alternatives) or '0'})", arguments

    def _sort_value(self, order: Order, value: Any) -> Any:  # noqa: ANN401 - JSON
        """A value of `searchAfter` as the column holds it, typed or in text."""
        if value is None:
            return None
        if order.field.kind is Kind.TEXT:
            return str(value)
        try:
            number = self._sort_number(order.field, value)
        except (OverflowError, TypeError, ValueError) as error:
            raise StoreFailureError(f"failed to parse a searchAfter value: {error}") from error
        if not -_MAX_INT64 <= number + 1 <= _MAX_INT64 + 1:
            raise StoreFailureError("a searchAfter value is no 64-bit integer")
        return None if number == _MISSING[order.is_descending] else number

    def _sort_number(self, field: Field, value: Any) -> int:  # noqa: ANN401 - JSON
        if field.kind is Kind.BOOLEAN and value in ("true", "false"):
            return int(value == "true")
        try:
            return int(value)
        except ValueError:
            if field.kind is not Kind.DATE:
                raise
            return to_ms(value, rfc3339=self.rfc3339)

    def _entity(self, shown: Sequence[Field], row: Sequence[Any]) -> dict[str, Any]:
        """The row as the API shows it: no nulls, dates in text, a seed's own fields at the end."""
        entity = {
            field.name: self._shown(field, value)
            for field, value in zip(shown, row, strict=False)  # the sort columns come after
            if value is not None
        }
        beyond = row[len(shown)]
        return entity | orjson.loads(beyond) if beyond else entity

    def _shown(self, field: Field, value: Any) -> Any:  # noqa: ANN401 - a column's value
        match field.kind:
            case Kind.DATE:
                return to_text(value, rfc3339=self.rfc3339)
            case Kind.BOOLEAN:
                return bool(value)
            case Kind.JSON:
                return orjson.loads(value)
            case _:
                return value


def _and(where: str, condition: str) -> str:
    if not condition:
        return where
    return f"{where} AND {condition}" if where else f" WHERE {condition}"


def _order_by(order: Order) -> str:
    # For SQLite null is the smallest value, so that it is last by itself in a descending order; a
    # key is never absent. Without the clause rows and indices are read in order as they lie.
    if order.is_descending:
        return f"{order.field.searched} DESC"
    nulls = "" if order.field.name in ("key", "id") else " NULLS LAST"
    return f"{order.field.searched} ASC{nulls}"


def _sort_values(sort: Sequence[Order], values: Sequence[Any]) -> list[Any]:
    """The last item's place in the order, typed as Elasticsearch gives it."""
    return [
        _MISSING[order.is_descending]
        if value is None and order.field.kind is not Kind.TEXT
        else value
        for order, value in zip(sort, values, strict=True)
    ]
