from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from devstack.version import Version

SINCE_8_3 = Version(3)
SINCE_8_6 = Version(6)
SINCE_8_8 = Version(8)

PREVIEW_CHARACTERS = 8191
"""Length of a variable's stored preview; a search shows no more (Operate's default)."""


class Kind(Enum):
    """How a field's values are read, compared and written."""

    INT64 = auto()
    INT32 = auto()
    TEXT = auto()
    TOKENS = auto()  # text that is searched by its words, all of which must be there
    BOOLEAN = auto()
    DATE = auto()
    JSON = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity, with what the API v1 can do with it.

    Attributes:
        name: the field's name in a request, a response and the table.
        kind: how its values are read, compared and written.
        since: the first version whose API has the field.
        filterable: whether a filter on it has an effect; without, it is silently ignored.
        sortable_since: the first version that can sort by it; None when none can. An API whose
            store cannot sort by a field it declares answers 500.
        alias: a second name that filters (never sorts, never answers) take.
        values: for an enum that the API checks, the values it knows.
        in_search: whether a search shows it; get-by-key always does.
        search_sql: an SQL expression that a search reads in place of the column.
        get_sql: the same for get-by-key.
    """

    name: str
    kind: Kind
    since: Version = SINCE_8_3
    filterable: bool = True
    sortable_since: Version | None = SINCE_8_3
    alias: str | None = None
    values: frozenset[str] | None = None
    in_search: bool = True
    search_sql: str = ""
    get_sql: str = ""

    @property
    def searched(self) -> str:
        """The SQL expression that stands for the field in a search."""
        return self.search_sql or f'"{self.name}"'

    @property
    def got(self) -> str:
        """The SQL expression that stands for the field when one entity is asked for."""
        return self.get_sql or self.searched


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of thing that the API v1 serves under `/v1/{path}`."""

    path: str
    fields: tuple[Field, ...]
    key: str = "key"
    has_xml: bool = False
    by_name: dict[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A frozen value sets its own derived attribute once, here.
        object.__setattr__(self, "by_name", {field.name: field for field in self.fields})

    @property
    def key_field(self) -> Field:
        """The field that tells one entity from another."""
        return self.by_name[self.key]

    def fields_of(self, version: Version) -> tuple[Field, ...]:
        """The fields that the API of `version` knows."""
        return tuple(field for field in self.fields if field.since <= version)


def _int64(name: str, *, alias: str | None = None) -> Field:
    return Field(name, Kind.INT64, alias=alias)


def _int32(name: str) -> Field:
    return Field(name, Kind.INT32)


def _text(name: str, *, since: Version = SINCE_8_3, values: frozenset[str] | None = None) -> Field:
    return Field(name, Kind.TEXT, since=since, values=values)


def _date(name: str) -> Field:
    return Field(name, Kind.DATE)


DEFAULT_TENANT = "<default>"


def _tenant() -> Field:
    """The tenant, which the engine's rows leave out when it is the default one: it is in most."""
    stored = f"""CASE WHEN t.seed IS NULL THEN coalesce(t."tenantId", '{DEFAULT_TENANT}')
        ELSE t."tenantId" END"""
    return Field("tenantId", Kind.TEXT, search_sql=stored)


def _boolean(name: str, *, since: Version = SINCE_8_3) -> Field:
    return Field(name, Kind.BOOLEAN, since=since)


# Name and version of the decision requirements stand in the drd entity and are joined at read
# time; a seed that carries them itself is served as it was given.
def _of_drd(name: str, drd_name: str, kind: Kind) -> Field:
    joined = f'(SELECT d."{drd_name}" FROM "drd" d WHERE d."key" = t."decisionRequirementsKey")'  # noqa: S608 - the names are this module's own
    return Field(name, kind, sortable_since=None, search_sql=f'coalesce(t."{name}", {joined})')


_FLOW_NODE_NAME = """coalesce(t."flowNodeName", (
    SELECT n.name FROM flow_node_names n
    WHERE n.process_definition_key = t."processDefinitionKey"
        AND n.flow_node_id = t."flowNodeId"))"""

PROCESS_INSTANCES = Entity(
    "process-instances",
    (
        _int64("key"),
        _int32("processVersion"),
        _text("processVersionTag", since=SINCE_8_6),
        _text("bpmnProcessId"),
        # Stored under another name, so that sorting by it passes the check and fails in the store.
        Field("parentKey", Kind.INT64, sortable_since=None, alias="parentProcessInstanceKey"),
        _int64("parentFlowNodeInstanceKey"),
        _date("startDate"),
        _date("endDate"),
        _text("state"),
        _boolean("incident", since=SINCE_8_6),
        _int64("processDefinitionKey"),
        _tenant(),
    ),
)

PROCESS_DEFINITIONS = Entity(
    "process-definitions",
    (
        _int64("key"),
        _text("name"),
        _int32("version"),
        _text("versionTag", since=SINCE_8_6),
        _text("bpmnProcessId"),
        _tenant(),
    ),
    has_xml=True,
)

FLOWNODE_INSTANCES = Entity(
    "flownode-instances",
    (
        _int64("key"),
        _int64("processInstanceKey"),
        _int64("processDefinitionKey"),
        _date("startDate"),
        _date("endDate"),
        _text("flowNodeId"),
        # Looked up in the deployed model at read time; in the store, and so sortable, from 8.8 on.
        Field(
            "flowNodeName",
            Kind.TEXT,
            filterable=False,
            sortable_since=SINCE_8_8,
            search_sql=_FLOW_NODE_NAME,
        ),
        _int64("incidentKey"),
        _text("type"),
        _text("state"),
        _boolean("incident"),
        _tenant(),
    ),
)

VARIABLES = Entity(
    "variables",
    (
        _int64("key"),
        _int64("processInstanceKey"),
        _int64("scopeKey"),
        _text("name"),
        Field(
            "value",
            Kind.TEXT,
            search_sql=f'substr("value", 1, {PREVIEW_CHARACTERS})',
            get_sql='"value"',
        ),
        Field(
            "truncated",
            Kind.BOOLEAN,
            # Over what a seed says: a value that a search cuts must say so.
            search_sql=f'(ifnull("truncated", 0) OR length("value") > {PREVIEW_CHARACTERS})',
            get_sql="0",
        ),
        _tenant(),
    ),
)

INCIDENTS = Entity(
    "incidents",
    (
        _int64("key"),
        _int64("processDefinitionKey"),
        _int64("processInstanceKey"),
        _text("type"),
        Field("message", Kind.TOKENS, sortable_since=None),
        _date("creationTime"),
        _text("state"),
        _int64("jobKey"),
        _tenant(),
    ),
)

DECISION_DEFINITIONS = Entity(
    "decision-definitions",
    (
        _text("id"),
        _int64("key"),
        _text("decisionId"),
        _text("name"),
        _int32("version"),
        _text("decisionRequirementsId"),
        _int64("decisionRequirementsKey"),
        _of_drd("decisionRequirementsName", "name", Kind.TEXT),
        _of_drd("decisionRequirementsVersion", "version", Kind.INT32),
        _tenant(),
    ),
)

DECISION_REQUIREMENTS = Entity(
    "drd",
    (
        _text("id"),
        _int64("key"),
        _text("decisionRequirementsId"),
        _text("name"),
        _int32("version"),
        _text("resourceName"),
        _tenant(),
    ),
    has_xml=True,
)


def _evaluation(name: str, kind: Kind, *, in_search: bool) -> Field:
    return Field(name, kind, filterable=False, sortable_since=None, in_search=in_search)


DECISION_INSTANCES = Entity(
    "decision-instances",
    (
        _text("id"),
        _int64("key"),
        _text("state", values=frozenset({"FAILED", "EVALUATED", "UNKNOWN", "UNSPECIFIED"})),
        _date("evaluationDate"),
        _text("evaluationFailure"),
        _int64("processDefinitionKey"),
        _int64("processInstanceKey"),
        _text("decisionId"),
        _text("decisionDefinitionId"),
        _text("decisionName"),
        _int32("decisionVersion"),
        _text(
            "decisionType",
            values=frozenset({"DECISION_TABLE", "LITERAL_EXPRESSION", "UNSPECIFIED", "UNKNOWN"}),
        ),
        _evaluation("result", Kind.TEXT, in_search=True),
        _evaluation("evaluatedInputs", Kind.JSON, in_search=False),
        _evaluation("evaluatedOutputs", Kind.JSON, in_search=False),
        _tenant(),
    ),
    key="id",
)

ENTITIES: dict[str, Entity] = {
    entity.path: entity
    for entity in (
        PROCESS_INSTANCES,
        PROCESS_DEFINITIONS,
        FLOWNODE_INSTANCES,
        VARIABLES,
        INCIDENTS,
        DECISION_DEFINITIONS,
        DECISION_REQUIREMENTS,
        DECISION_INSTANCES,
    )
}
"""Every entity by its path under `/v1`."""
