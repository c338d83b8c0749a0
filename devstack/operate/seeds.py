"""Seed files: entities in the API's own shape, served beside what the engine makes.

{"process-instances": [{"key": 1, "state": "ACTIVE"}], "process-definitions": [{"key": 2,
 "bpmnProcessId": "order", "xml": "<bpmn:definitions …>"}]}
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from devstack.operate.dates import any_to_ms
from devstack.operate.fields import ENTITIES, PROCESS_DEFINITIONS, Entity, Field, Kind
from devstack.operate.models import read_model

_ALIASES = {"decision-requirements": "drd"}
_TYPES: dict[Kind, tuple[type, str]] = {
    Kind.INT64: (int, "a 64-bit integer"),
    Kind.INT32: (int, "a 32-bit integer"),
    Kind.BOOLEAN: (bool, "true or false"),
    Kind.JSON: (list, "an array"),
}

_INT32 = range(-(1 << 31), 1 << 31)


class SeedError(ValueError):
    """A seed file that cannot be served; the message names the place and what belongs there."""


@dataclass(frozen=True, slots=True)
class Seed:
    """One entity of a seed file, as a row."""

    entity: Entity
    row: tuple[Any, ...]
    key: int | str
    bpmn_process_id: str
    xml: str | None

    @property
    def keys(self) -> Iterator[int]:
        """Every key that the entity has or refers to."""
        for field, value in zip(self.entity.fields, self.row, strict=False):  # `seed` is behind
            if field.kind is Kind.INT64 and value is not None:
                yield value


def parse_seeds(text: bytes) -> list[Seed]:
    """Read a seed file.

    Raises:
        SeedError: when it is no JSON object of arrays of entities with keys.
    """
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SeedError(f"not JSON: {error}") from error
    return read_seeds(given)


def read_seeds(given: object) -> list[Seed]:
    """The same from a JSON object that is read already."""
    if not isinstance(given, dict):
        raise SeedError("a seed file is an object: path name to a list of entities")
    lists = [(path, _entity(path), _list(path, items)) for path, items in given.items()]
    places: dict[tuple[str, int | str], str] = {}
    seeds = []
    for path, entity, items in lists:
        for index, item in enumerate(items):
            seed = _seed(entity, item, f"{path}[{index}]")
            _check_once(seed, item[entity.key], f"{path}[{index}].{entity.key}", places)
            seeds.append(seed)
    return seeds


def _check_once(
    seed: Seed, key: int | str, place: str, places: dict[tuple[str, int | str], str]
) -> None:
    """Refuse a key that an earlier entity of the kind has: one of the two would not be served."""
    earlier = places.setdefault((seed.entity.path, key), place)
    if earlier is not place:
        raise SeedError(f"{place}: is that of {earlier} already")


def insert_seeds(database: sqlite3.Connection, seeds: list[Seed]) -> None:
    """Write seeds into the tables, over rows that have the same key."""
    for seed in seeds:
        marks = ", ".join("?" * len(seed.row))
        database.execute(f'INSERT OR REPLACE INTO "{seed.entity.path}" VALUES ({marks})', seed.row)  # noqa: S608 - a path of the field table
        if seed.xml is None:
            continue
        database.execute(
            "INSERT OR REPLACE INTO xml VALUES (?, ?, ?)",
            (seed.entity.path, seed.key, seed.xml),
        )
        if seed.entity is PROCESS_DEFINITIONS:
            names = read_model(seed.xml.encode(), seed.bpmn_process_id).names
            database.executemany(
                "INSERT OR REPLACE INTO flow_node_names VALUES (?, ?, ?)",
                ((seed.key, element_id, name) for element_id, name in names.items()),
            )


def _entity(path: str) -> Entity:
    entity = ENTITIES.get(_ALIASES.get(path, path))
    if entity is None:
        raise SeedError(f"{path}: no entity of the API v1; there are {', '.join(ENTITIES)}")
    return entity


def _list(path: str, items: object) -> list[Any]:
    if not isinstance(items, list):
        raise SeedError(f"{path}: must be a list of entities")
    return items


def _seed(entity: Entity, item: object, place: str) -> Seed:
    if not isinstance(item, dict):
        raise SeedError(f"{place}: must be an object")
    if item.get(entity.key) is None:
        raise SeedError(f"{place}: has no {entity.key}")
    xml = item.get("xml") if entity.has_xml else None
    if xml is not None and not isinstance(xml, str):
        raise SeedError(f"{place}.xml: must be text")
    row = [_column(field, item.get(field.name), f"{place}.{field.name}") for field in entity.fields]
    return Seed(
        entity=entity,
        row=(*row, orjson.dumps(_beyond(entity, item)).decode()),
        key=item["key"] if "key" in item else item[entity.key],
        bpmn_process_id=str(item.get("bpmnProcessId", "")),
        xml=xml,
    )


def _beyond(entity: Entity, item: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a newer server may have and the field table does not know."""
    served_elsewhere = {"xml"} if entity.has_xml else set()
    return {
        name: value
        for name, value in item.items()
        if name not in entity.by_name and name not in served_elsewhere and value is not None
    }


def _column(field: Field, value: Any, place: str) -> Any:  # noqa: ANN401 - JSON in, a column out
    if value is None:
        return None
    expected, wording = _TYPES.get(field.kind, (str, "text"))
    is_boolean_for_number = isinstance(value, bool) and expected is int
    is_too_large = field.kind is Kind.INT32 and value not in _INT32
    if not isinstance(value, expected) or is_boolean_for_number or is_too_large:
        raise SeedError(f"{place}: must be {wording}")
    match field.kind:
        case Kind.DATE:
            return _date(str(value), place)
        case Kind.JSON:
            return orjson.dumps(value).decode()
        case _:
            return value


def _date(text: str, place: str) -> int:
    try:
        return any_to_ms(text)
    except ValueError as error:
        wanted = "must be a date with an offset, as 2024-02-15T22:40:10.834+0000"
        raise SeedError(f"{place}: {wanted}") from error
