"""Counts over all instances of a process, for people to look at; the API v1 has none of these."""

from __future__ import annotations

import sqlite3
from typing import Any

_PROCESSES = """
SELECT d."key", d."bpmnProcessId", d."name", d."version",
    ifnull(sum(i.instances) FILTER (WHERE i."state" = 'ACTIVE'), 0),
    ifnull(sum(i.instances) FILTER (WHERE i."state" = 'ACTIVE' AND i."incident"), 0),
    ifnull(sum(i.instances) FILTER (WHERE i."state" <> 'ACTIVE'), 0)
FROM "process-definitions" d LEFT JOIN (
    SELECT "processDefinitionKey", "state", "incident", count(*) AS instances
    FROM "process-instances" GROUP BY 1, 2, 3) i ON i."processDefinitionKey" = d."key"
GROUP BY d."key" ORDER BY d."bpmnProcessId", d."version" DESC
"""

_TOKENS = """
SELECT "flowNodeId", sum(NOT ifnull("incident", 0)), sum(ifnull("incident", 0))
FROM "flownode-instances"
WHERE "processDefinitionKey" = ? AND "state" = 'ACTIVE' AND "type" <> 'MULTI_INSTANCE_BODY'
GROUP BY "flowNodeId"
"""


def process_summaries(database: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every process definition with its running, stuck and ended instances.

    `active` counts the running ones, `incidents` those among them that have an open incident.
    """
    names = ("key", "bpmnProcessId", "name", "version", "active", "incidents", "ended")
    return [dict(zip(names, row, strict=True)) for row in database.execute(_PROCESSES)]


def tokens(database: sqlite3.Connection, definition_key: int) -> list[dict[str, Any]]:
    """Where the running instances of a process stand: flow nodes with what is active on them."""
    names = ("activityId", "active", "incidents")
    rows = database.execute(_TOKENS, (definition_key,))
    return [dict(zip(names, row, strict=True)) for row in rows]
