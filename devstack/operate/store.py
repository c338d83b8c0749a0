from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from devstack.operate import summaries
from devstack.operate.dates import to_ms
from devstack.operate.errors import InvalidRequestError, UnknownKeyError
from devstack.operate.fields import FLOWNODE_INSTANCES, PROCESS_INSTANCES, Entity
from devstack.operate.projection import Projection
from devstack.operate.query import Query
from devstack.operate.search import Page, Search
from devstack.operate.seeds import Seed, insert_seeds
from devstack.operate.tables import open_database
from devstack.records import Reader, Record
from devstack.version import Version
from runtime.clock import Clock

MAX_SEQUENCE_FLOWS = 1000
DEFAULT_MAX_ENDED_INSTANCES = 100_000
_EVICTED_SHARE = 100
"""A hundredth of the cap goes at once, so that finding the oldest costs little an instance."""

_OF_INSTANCE = (
    ("flownode-instances", '"processInstanceKey"'),
    ("variables", '"processInstanceKey"'),
    ("incidents", '"processInstanceKey"'),
    ("decision-instances", '"processInstanceKey"'),
    ("sequence_flows", "process_instance_key"),
    ("process-instances", '"key"'),
)

_STATISTICS = f"""
SELECT "flowNodeId" AS "activityId",
    sum("state" = 'ACTIVE' AND NOT ifnull("incident", 0) AND "type" <> 'MULTI_INSTANCE_BODY'),
    sum("state" = 'TERMINATED' AND "type" <> 'MULTI_INSTANCE_BODY'),
    sum(ifnull("incident", 0)),
    sum("state" = 'COMPLETED' AND "type" <> 'MULTI_INSTANCE_BODY')
FROM "{FLOWNODE_INSTANCES.path}" WHERE "processInstanceKey" = ? GROUP BY "flowNodeId"
"""  # noqa: S608 - a constant


class Store:
    """What the Operate API knows of the cluster: the records' entities, and seeds beside them.

    Subscribe `read` to the record log before anything happens. Reads see a record `read_delay_s`
    after it was written, as with a real cluster's exporter and importer in between; there is no
    task behind this, a read first takes in what is due. Ended instances beyond
    `max_ended_instances` go, oldest end first, with all that belongs to them; seeds stay.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        version: Version,
        read_delay_s: float = 0.0,
        max_ended_instances: int = DEFAULT_MAX_ENDED_INSTANCES,
        rfc3339: bool = False,
    ) -> None:
        self._clock = clock
        self._database = open_database()
        self._projection = Projection(self._database)
        self._search = Search(self._database, version, rfc3339)
        self._rfc3339 = rfc3339
        self._max_ended_instances = max_ended_instances
        self.read_delay_s = read_delay_s
        self._waiting: deque[tuple[float, Record]] = deque()
        self._followers: list[Reader] = []

    def read(self, record: Record) -> None:
        """Take a record of the log; it shows after the read delay."""
        if self.read_delay_s <= 0 and not self._waiting:
            self._apply(record)
            return
        self._waiting.append((self._clock.monotonic_s() + self.read_delay_s, record))
        self.take_in()

    def follow(self, reader: Reader) -> None:
        """Call `reader` with each record when it shows, for reads of what the store has not.

        They call `take_in` before they answer, so that they see what is due.
        """
        self._followers.append(reader)

    def take_in(self) -> None:
        """Let every record show whose delay is over."""
        now_s = self._clock.monotonic_s()
        while self._waiting and self._waiting[0][0] <= now_s:
            self._apply(self._waiting.popleft()[1])

    def seed(self, seeds: Sequence[Seed]) -> None:
        """Add entities of a seed file, which show at once."""
        insert_seeds(self._database, list(seeds))

    def search(self, entity: Entity, query: Query) -> Page:
        """The page of entities that a query asks for.

        Raises:
            StoreFailureError: as `Search.page` says.
        """
        self.take_in()
        return self._search.page(entity, query)

    def get(self, entity: Entity, key: int | str) -> Mapping[str, Any]:
        """The entity with this key.

        Raises:
            UnknownKeyError: when there is none.
        """
        self.take_in()
        found = self._search.one(entity, key)
        if found is None:
            raise UnknownKeyError(f"No {entity.path} found for {entity.key} {key}")
        return found

    def xml(self, entity: Entity, key: int) -> str:
        """The BPMN or DMN of a definition.

        Raises:
            UnknownKeyError: when there is no definition with this key, or none with XML.
        """
        self.take_in()
        found = self._database.execute(
            "SELECT text FROM xml WHERE entity = ? AND key = ?",
            (entity.path, key),
        ).fetchone()
        if found is None:
            raise UnknownKeyError(f"No XML found in {entity.path} for key {key}")
        return str(found[0])

    def statistics(self, key: int) -> list[dict[str, Any]]:
        """How many instances of each flow node a process instance has, by what became of them.

        Raises:
            UnknownKeyError: when there is no such process instance.
        """
        self.get(PROCESS_INSTANCES, key)
        names = ("activityId", "active", "canceled", "incidents", "completed")
        rows = self._database.execute(_STATISTICS, (key,))
        return [dict(zip(names, row, strict=True)) for row in rows]

    def sequence_flows(self, key: int) -> list[str]:
        """Ids of the sequence flows that a process instance has taken, at most 1000.

        Raises:
            UnknownKeyError: when there is no such process instance.
        """
        self.get(PROCESS_INSTANCES, key)
        rows = self._database.execute(
            "SELECT id FROM sequence_flows WHERE process_instance_key = ? LIMIT ?",
            (key, MAX_SEQUENCE_FLOWS),
        )
        return [flow_id for (flow_id,) in rows]

    def process_summaries(self) -> list[dict[str, Any]]:
        """Every process definition with counts of its instances, as `summaries` says."""
        self.take_in()
        return summaries.process_summaries(self._database)

    def tokens(self, definition_key: int) -> list[dict[str, Any]]:
        """Where the running instances of a process stand, as `summaries` says."""
        self.take_in()
        return summaries.tokens(self._database, definition_key)

    def delete(self, key: int) -> None:
        """Remove an ended process instance and all that belongs to it; its children stay.

        Raises:
            UnknownKeyError: when there is no such process instance.
            InvalidRequestError: when it has not ended.
        """
        instance = self.get(PROCESS_INSTANCES, key)
        if instance.get("state") not in ("COMPLETED", "CANCELED"):
            raise InvalidRequestError(f"Process instance {key} must be COMPLETED or CANCELED")
        end_date = instance.get("endDate")
        if end_date is None or to_ms(end_date, rfc3339=self._rfc3339) > self._clock.now_ms():
            raise InvalidRequestError(f"Process instance {key} needs an endDate in the past")
        self._remove(key)

    def _apply(self, record: Record) -> None:
        self._projection.apply(record)
        for follower in self._followers:
            follower(record)
        if self._projection.ended_instances > self._max_ended_instances:
            self._evict()

    def _evict(self) -> None:
        count = max(1, self._max_ended_instances // _EVICTED_SHARE)
        oldest = self._database.execute(
            'SELECT "key" FROM "process-instances" WHERE "endDate" IS NOT NULL AND seed IS NULL'
            ' ORDER BY "endDate", "key" LIMIT ?',
            (count,),
        ).fetchall()
        for (key,) in oldest:
            self._remove(key)

    def _remove(self, key: int) -> None:
        is_ours = self._database.execute(
            'SELECT seed IS NULL FROM "process-instances" WHERE "key" = ?',
            (key,),
        ).fetchone()
        self._projection.ended_instances -= is_ours[0]
        for table, column in _OF_INSTANCE:
            self._database.execute(f'DELETE FROM "{table}" WHERE {column} = ?', (key,))  # noqa: S608 - constants
