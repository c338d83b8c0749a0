"""An engine whose records a test can look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from devstack.engine import ActivatedJob, Engine, JobRequest, Resource
from devstack.records import Record, RecordLog
from tests.kit.clock import FakeClock


class Cluster:
    """An engine on a clock that a test moves, and all its records so far."""

    def __init__(self, clock: FakeClock | None = None, **options: Any) -> None:
        self.clock = clock or FakeClock()
        self.records: list[Record] = []
        self._events: dict[str, list[Record]] = defaultdict(list)
        self._ended: set[int] = set()
        log = RecordLog()
        log.subscribe(self._read)
        self.engine = Engine(log, self.clock, **options)

    def _read(self, record: Record) -> None:
        self.records.append(record)
        if record.record_type == "EVENT":
            self._events[record.value_type].append(record)
            if record.intent in ("ELEMENT_COMPLETED", "ELEMENT_TERMINATED"):
                self._ended.add(record.key)

    def forget(self) -> None:
        """Forget the records so far."""
        self.records.clear()
        self._events.clear()
        self._ended.clear()

    def deploy(self, *files: bytes) -> None:
        """Deploy BPMN files, named by their place."""
        self.engine.deploy(
            [Resource(f"{number}.bpmn", content) for number, content in enumerate(files)],
        )

    def start(self, process_id: str = "p", variables: Mapping[str, Any] | None = None) -> int:
        """Start an instance and give its key."""
        return self.engine.create_instance(process_id=process_id, variables=variables).key

    def jobs(self, type: str = "work", limit: int = 100, **options: Any) -> list[ActivatedJob]:
        """Take jobs as a worker does."""
        settings = {"worker": "test", "timeout_ms": 60_000, **options}
        return self.engine.activate_jobs(JobRequest(type=type, max_jobs=limit, **settings))

    def complete(self, type: str = "work", variables: Mapping[str, Any] | None = None) -> int:
        """Complete every job of a type that waits; gives how many there were."""
        jobs = self.jobs(type)
        for each in jobs:
            self.engine.complete_job(each.job.key, variables or {})
        return len(jobs)

    def events(self, value_type: str, intent: str | None = None) -> list[Record]:
        """What has happened, of one kind."""
        events = self._events[value_type]
        return [record for record in events if intent in (None, record.intent)]

    def intents(self, value_type: str) -> list[str]:
        """The intents of the events of one kind, in order."""
        return [record.intent for record in self.events(value_type)]

    def trace(self, element_id: str) -> list[str]:
        """What one element went through, without Zeebe's `ELEMENT_`."""
        return [
            record.intent.removeprefix("ELEMENT_")
            for record in self.events("PROCESS_INSTANCE")
            if record.value["elementId"] == element_id
        ]

    def has_ended(self, key: int) -> bool:
        """Whether a process instance was completed or terminated."""
        return key in self._ended

    def variables(self, scope_key: int) -> dict[str, str]:
        """The variables of a scope as JSON texts, by name, as the records tell."""
        return {
            record.value["name"]: record.value["value"]
            for record in self.events("VARIABLE")
            if record.value["scopeKey"] == scope_key
        }

    def incidents(self) -> list[Record]:
        """The incidents that are not resolved."""
        resolved = {record.key for record in self.events("INCIDENT", "RESOLVED")}
        created = self.events("INCIDENT", "CREATED")
        return [record for record in created if record.key not in resolved]

    @property
    def remembers(self) -> int:
        """How many things the engine still keeps about instances."""
        return sum(
            len(kept)
            for processor in self.engine._processors
            for kept in (
                processor.partition.state.instances,
                processor.partition.state.jobs,
                processor.partition.state.incidents,
                processor.partition.state.user_tasks,
                processor.partition.state.timers,
                processor.partition.state.activatable,
                processor.partition.agenda,
            )
        )
