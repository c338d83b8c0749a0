from __future__ import annotations

from collections.abc import Mapping, Sequence

from exporter.breaker import Breaker, BreakerState
from exporter.deadletter import Size
from exporter.pipeline import Pipeline
from exporter.settings import ExporterSettings
from exporter.sources import Source
from runtime.health import Check
from runtime.http_errors import origin_of
from runtime.settings import redacted
from runtime.status import Section, Value


class View:
    """What the service shows of itself, while its parts come and go.

    Args:
        settings: What it was started with.
        breaker: Of the backend.

    Attributes:
        pipeline: The lanes, once there are any.
        source: The source, once it is open.
        waiting_for: What the start waits for, None when it is done.
        dead_letters: How many there are, as last counted.
    """

    def __init__(self, settings: ExporterSettings, breaker: Breaker) -> None:
        self.pipeline: Pipeline | None = None
        self.source: Source | None = None
        self.waiting_for: str | None = "starting"
        self.dead_letters = Size(0, 0)
        self._settings = settings
        self._breaker = breaker

    def checks(self) -> Mapping[str, Check]:
        """Readiness, by what may be in the way."""
        return {
            "source": lambda: self.waiting_for,
            "backend": self._backend,
            "lanes": self._lanes,
            "lag": self._lag,
        }

    def sections(self) -> Sequence[Section]:
        """The status page: never an event, a header or a secret."""
        return (
            Section(
                "backend",
                "Backend",
                facts={
                    "origin": origin_of(self._settings.url),
                    "circuit breaker": self._breaker.state.value,
                },
            ),
            Section(
                "source",
                "Source",
                facts={
                    "url": self._settings.source_name,
                    **(self.source.facts() if self.source else {}),
                },
            ),
            Section(
                "partitions",
                "Partitions",
                columns=("partition", "position", "in flight", "lag (s)", "stalled"),
                rows=self._rows(),
            ),
            Section(
                "dead-letters",
                "Dead letters",
                facts={"kept": self.dead_letters.count, "bytes": self.dead_letters.bytes},
            ),
            Section("settings", "Settings that are not empty", facts=_given(self._settings)),
        )

    def _rows(self) -> list[tuple[Value, ...]]:
        lanes = self.pipeline.lanes if self.pipeline else {}
        return [
            (
                partition_id,
                str(lane.done.position),
                lane.in_flight,
                round(lane.lag_s, 3),
                lane.obstacles.text,
            )
            for partition_id, lane in sorted(lanes.items())
        ]

    def _backend(self) -> str | None:
        if self._breaker.state is BreakerState.CLOSED:
            return None
        return f"the circuit breaker is {self._breaker.state.value.replace('_', ' ')}"

    def _lanes(self) -> str | None:
        if self.pipeline is None:
            return None
        stalled = [
            f"partition {partition_id}: {lane.obstacles.text}"
            for partition_id, lane in sorted(self.pipeline.lanes.items())
            if lane.obstacles.text
        ]
        if self.pipeline.obstacles.text:
            stalled.append(self.pipeline.obstacles.text)
        return "; ".join(stalled) or None

    def _lag(self) -> str | None:
        lanes = self.pipeline.lanes if self.pipeline else {}
        late = {
            partition_id: lane.lag_s
            for partition_id, lane in sorted(lanes.items())
            if lane.lag_s > self._settings.ready_lag_s
        }
        return (
            "; ".join(f"partition {p} is {lag_s:.0f} s behind" for p, lag_s in late.items()) or None
        )


def _given(settings: ExporterSettings) -> dict[str, Value]:
    return {name: text for name, text in redacted(settings).items() if text}
