"""The in-memory database behind the API: one table an entity, and what reads need beside them.

SQLite keeps a row in a few dozen bytes where a Python object takes a few hundred, and sorts and
counts 100,000 rows in milliseconds; both are what a store of ended instances is asked for.
"""

from __future__ import annotations

import re
import sqlite3

from devstack.operate.fields import ENTITIES, Entity, Kind

_SQL_TYPES = {
    Kind.INT64: "INTEGER",
    Kind.INT32: "INTEGER",
    Kind.BOOLEAN: "INTEGER",
    Kind.DATE: "INTEGER",
    Kind.TEXT: "TEXT",
    Kind.TOKENS: "TEXT",
    Kind.JSON: "TEXT",
}

_OTHER_TABLES = """
CREATE TABLE xml (entity TEXT, key INTEGER, text TEXT, PRIMARY KEY (entity, key)) WITHOUT ROWID;
CREATE TABLE flow_node_names (
    process_definition_key INTEGER, flow_node_id TEXT, name TEXT,
    PRIMARY KEY (process_definition_key, flow_node_id)) WITHOUT ROWID;
CREATE TABLE sequence_flows (
    process_instance_key INTEGER, id TEXT,
    PRIMARY KEY (process_instance_key, id)) WITHOUT ROWID;
CREATE TABLE open_incidents (
    incident_key INTEGER, element_instance_key INTEGER,
    PRIMARY KEY (incident_key, element_instance_key)) WITHOUT ROWID;
CREATE INDEX open_incidents_of_element ON open_incidents (element_instance_key);
CREATE INDEX instances_by_start ON "process-instances" ("startDate");
CREATE INDEX instances_by_end ON "process-instances" ("endDate");
CREATE INDEX flow_nodes_by_start ON "flownode-instances" ("startDate");
CREATE INDEX flow_nodes_by_end ON "flownode-instances" ("endDate");
CREATE INDEX active_flow_nodes ON "flownode-instances" ("processDefinitionKey")
    WHERE "state" = 'ACTIVE';
CREATE INDEX flow_nodes_of_instance ON "flownode-instances" ("processInstanceKey");
CREATE INDEX variables_of_instance ON "variables" ("processInstanceKey");
CREATE INDEX incidents_of_instance ON "incidents" ("processInstanceKey");
"""

_PAGE_BYTES = 16_384
"""Larger than the default, since each page costs a few hundred bytes beside what it holds."""

_WORD = re.compile(r"\w+")


def open_database() -> sqlite3.Connection:
    """An empty database with every table, living as long as the connection."""
    # Autocommit: a projected record is one statement or two, and nobody reads in between.
    # One thread uses it, which need not be the one that opened it.
    database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    # No statement here can fail half-way, and a journal would copy a page for each.
    database.execute("PRAGMA journal_mode = OFF")
    database.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    database.executescript("".join(map(_table, ENTITIES.values())) + _OTHER_TABLES)
    database.create_function("has_tokens", 2, _has_tokens, deterministic=True)
    return database


def words(text: str) -> list[str]:
    """The words of a text as a full-text index splits it: letters and digits, in lower case."""
    return _WORD.findall(text.lower())


def _has_tokens(text: str | None, wanted: str) -> bool:
    tokens = words(wanted)
    # A query without a word matches nothing, as a full-text query on nothing does.
    return bool(tokens) and set(tokens) <= set(words(text or ""))


def _table(entity: Entity) -> str:
    """The table of an entity, with a column a field and `seed`.

    `seed` is null for what the engine made; for an entity of a seed file it is the JSON object of
    the fields that it has beyond the API's, served as they were given.
    """
    columns = [f'"{field.name}" {_SQL_TYPES[field.kind]}' for field in entity.fields]
    columns.append("seed TEXT")
    return f'CREATE TABLE "{entity.path}" ({", ".join(columns)}, PRIMARY KEY ("{entity.key}"));\n'
