"""What the Operate API offers: endpoints, their operations and their fields.

The tables follow the API v1 of Camunda 8.3 to 8.9: names, types, and which fields it can really
filter and sort by (it accepts more, then ignores them or answers 500).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Literal


class Kind(StrEnum):
    """What a field holds, in words that fit a message."""

    INTEGER = "a whole number"
    TEXT = "text"
    BOOLEAN = "true or false"
    DATE = "a date as 2024-02-15T22:40:10.834+0000"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity, and what the API can do with it in a search."""

    kind: Kind
    filterable: bool = True
    sortable: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked of an endpoint.

    `suffix` is appended to the endpoint's path, `{key}` in it replaced by the key. `answer` says
    what a good answer's body is: a search page, one entity, a list, or text.
    """

    name: str
    method: Literal["GET", "POST", "DELETE"]
    suffix: str
    answer: Literal["page", "entity", "list", "text"]
    needs_key: bool = True


SEARCH = Operation("search", "POST", "/search", "page", needs_key=False)
GET_BY_KEY = Operation("getByKey", "GET", "/{key}", "entity")
DELETE = Operation("delete", "DELETE", "/{key}", "entity")
STATISTICS = Operation("statistics", "GET", "/{key}/statistics", "list")
SEQUENCE_FLOWS = Operation("sequenceFlows", "GET", "/{key}/sequence-flows", "list")
XML = Operation("xml", "GET", "/{key}/xml", "text")

OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        operation.name: operation
        for operation in (SEARCH, GET_BY_KEY, DELETE, STATISTICS, SEQUENCE_FLOWS, XML)
    },
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind of entity: its name in the inputs, its path under `/v1`, its fields.

    `aliases` are names that a filter may use for a field. `key` is what an entity is got by.
    """

    name: str
    path: str
    fields: Mapping[str, Field]
    operations: tuple[Operation, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)
    key: Kind = Kind.INTEGER


_INTEGER = Field(Kind.INTEGER)
_TEXT = Field(Kind.TEXT)
_BOOLEAN = Field(Kind.BOOLEAN)
_DATE = Field(Kind.DATE)
_UNSORTABLE_INTEGER = Field(Kind.INTEGER, sortable=False)
_UNSORTABLE_TEXT = Field(Kind.TEXT, sortable=False)
_SHOWN_ONLY = Field(Kind.TEXT, filterable=False, sortable=False)

_READ = (SEARCH, GET_BY_KEY)

PROCESS_INSTANCES = Endpoint(
    "processInstances",
    "/process-instances",
    {
        "key": _INTEGER,
        "processVersion": _INTEGER,
        "processVersionTag": _TEXT,
        "bpmnProcessId": _TEXT,
        "parentKey": _UNSORTABLE_INTEGER,
        "parentFlowNodeInstanceKey": _INTEGER,
        "startDate": _DATE,
        "endDate": _DATE,
        "state": _TEXT,
        "incident": _BOOLEAN,
        "processDefinitionKey": _INTEGER,
        "tenantId": _TEXT,
    },
    (*_READ, DELETE, STATISTICS, SEQUENCE_FLOWS),
    # The first is the API's own alias; Camunda's documented example uses the other two, which
    # the API ignores, so that it would return every instance.
    aliases={
        "parentProcessInstanceKey": "parentKey",
        "processInstanceKey": "key",
        "incidents": "incident",
    },
)
PROCESS_DEFINITIONS = Endpoint(
    "processDefinitions",
    "/process-definitions",
    {
        "key": _INTEGER,
        "name": _TEXT,
        "version": _INTEGER,
        "versionTag": _TEXT,
        "bpmnProcessId": _TEXT,
        "tenantId": _TEXT,
    },
    (*_READ, XML),
)
VARIABLES = Endpoint(
    "variables",
    "/variables",
    {
        "key": _INTEGER,
        "processInstanceKey": _INTEGER,
        "scopeKey": _INTEGER,
        "name": _TEXT,
        "value": _TEXT,
        "truncated": _BOOLEAN,
        "tenantId": _TEXT,
    },
    _READ,
)
FLOWNODE_INSTANCES = Endpoint(
    "flownodeInstances",
    "/flownode-instances",
    {
        "key": _INTEGER,
        "processInstanceKey": _INTEGER,
        "processDefinitionKey": _INTEGER,
        "startDate": _DATE,
        "endDate": _DATE,
        "flowNodeId": _TEXT,
        "flowNodeName": _SHOWN_ONLY,
        "incidentKey": _INTEGER,
        "type": _TEXT,
        "state": _TEXT,
        "incident": _BOOLEAN,
        "tenantId": _TEXT,
    },
    _READ,
)
INCIDENTS = Endpoint(
    "incidents",
    "/incidents",
    {
        "key": _INTEGER,
        "processDefinitionKey": _INTEGER,
        "processInstanceKey": _INTEGER,
        "type": _TEXT,
        "message": _UNSORTABLE_TEXT,
        "creationTime": _DATE,
        "state": _TEXT,
        "jobKey": _INTEGER,
        "tenantId": _TEXT,
    },
    _READ,
)
DECISION_DEFINITIONS = Endpoint(
    "decisionDefinitions",
    "/decision-definitions",
    {
        "id": _TEXT,
        "key": _INTEGER,
        "decisionId": _TEXT,
        "name": _TEXT,
        "version": _INTEGER,
        "decisionRequirementsId": _TEXT,
        "decisionRequirementsKey": _INTEGER,
        "decisionRequirementsName": _UNSORTABLE_TEXT,
        "decisionRequirementsVersion": _UNSORTABLE_INTEGER,
        "tenantId": _TEXT,
    },
    _READ,
)
DECISION_REQUIREMENTS = Endpoint(
    "decisionRequirements",
    "/drd",
    {
        "id": _TEXT,
        "key": _INTEGER,
        "decisionRequirementsId": _TEXT,
        "name": _TEXT,
        "version": _INTEGER,
        "resourceName": _TEXT,
        "tenantId": _TEXT,
    },
    (*_READ, XML),
)
DECISION_INSTANCES = Endpoint(
    "decisionInstances",
    "/decision-instances",
    {
        "id": _TEXT,
        "key": _INTEGER,
        "state": _TEXT,
        "evaluationDate": _DATE,
        "evaluationFailure": _TEXT,
        "processDefinitionKey": _INTEGER,
        "processInstanceKey": _INTEGER,
        "decisionId": _TEXT,
        "decisionDefinitionId": _TEXT,
        "decisionName": _TEXT,
        "decisionVersion": _INTEGER,
        "decisionType": _TEXT,
        "result": _SHOWN_ONLY,
        "evaluatedInputs": _SHOWN_ONLY,
        "evaluatedOutputs": _SHOWN_ONLY,
        "tenantId": _TEXT,
    },
    _READ,
    key=Kind.TEXT,
)

ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {
        endpoint.name: endpoint
        for endpoint in (
            PROCESS_INSTANCES,
            PROCESS_DEFINITIONS,
            VARIABLES,
            FLOWNODE_INSTANCES,
            INCIDENTS,
            DECISION_DEFINITIONS,
            DECISION_REQUIREMENTS,
            DECISION_INSTANCES,
        )
    },
)
