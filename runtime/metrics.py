from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import prometheus_client
from prometheus_client import CollectorRegistry, ProcessCollector

from runtime.clock import Clock

LATENCY_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0)
"""For exchanges with a server near or far, up to the time-outs that services use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric, declared once beside the code that counts it.

    Attributes:
        name: As Prometheus knows it, with its unit (`_seconds`, `_bytes`), without `_total`.
        meaning: One sentence, shown as its help and in the reference.
        labels: Names of its labels; their values are few and known.
    """

    kind: ClassVar[str]
    name: str
    meaning: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter(Metric):
    """Counts up; exposed as `<name>_total`."""

    kind: ClassVar[str] = "counter"

    def on(self, registry: CollectorRegistry) -> prometheus_client.Counter:
        """The counter in a service's registry; once for each registry."""
        return prometheus_client.Counter(self.name, self.meaning, self.labels, registry=registry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge(Metric):
    """Goes up and down."""

    kind: ClassVar[str] = "gauge"

    def on(self, registry: CollectorRegistry) -> prometheus_client.Gauge:
        """The gauge in a service's registry; once for each registry."""
        return prometheus_client.Gauge(self.name, self.meaning, self.labels, registry=registry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram(Metric):
    """Counts observations by size; exposed as `<name>_bucket`, `_sum` and `_count`."""

    kind: ClassVar[str] = "histogram"
    buckets: tuple[float, ...] = LATENCY_BUCKETS_S

    def on(self, registry: CollectorRegistry) -> prometheus_client.Histogram:
        """The histogram in a service's registry; once for each registry."""
        return prometheus_client.Histogram(
            self.name, self.meaning, self.labels, registry=registry, buckets=self.buckets
        )


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric, as the reference page shows it; `unit` is empty for a plain number."""

    name: str
    kind: str
    labels: tuple[str, ...]
    unit: str
    meaning: str


LOOP_LAG = Gauge(
    name="event_loop_lag_seconds",
    meaning="How much later than asked the event loop woke its watcher, at the last look.",
)


def new_registry() -> CollectorRegistry:
    """A registry with the process's own metrics: CPU, memory, open files, start time (Linux)."""
    # The moment of creation beside each counter doubles the page and is asked for by nobody.
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # it has no types
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


def describe(metrics: Iterable[Metric]) -> list[MetricRow]:
    """A row for each metric, under the name that a scraper sees."""
    return [
        MetricRow(
            name=f"{metric.name}_total" if isinstance(metric, Counter) else metric.name,
            kind=metric.kind,
            labels=metric.labels,
            unit=next((unit for unit in ("seconds", "bytes") if metric.name.endswith(unit)), ""),
            meaning=metric.meaning,
        )
        for metric in metrics
    ]


async def watch_loop(gauge: prometheus_client.Gauge, clock: Clock, interval_s: float = 1.0) -> None:
    """Measure the lag of the event loop for ever: a blocking call anywhere shows here."""
    while True:
        before_s = clock.monotonic_s()
        await clock.sleep(interval_s)
        gauge.set(max(0.0, clock.monotonic_s() - before_s - interval_s))
