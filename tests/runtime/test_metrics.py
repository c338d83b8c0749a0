import asyncio

import pytest
from prometheus_client import generate_latest

from runtime.metrics import (
    LOOP_LAG,
    Counter,
    Gauge,
    Histogram,
    MetricRow,
    describe,
    new_registry,
    watch_loop,
)

JOBS = Counter(name="jobs", meaning="Jobs done.", labels=("action",))
TIME = Histogram(name="time_seconds", meaning="How long.", buckets=(0.5, 1.0))
SIZE = Gauge(name="size_bytes", meaning="How large.")


def test_declared_metrics_are_exposed_as_described():
    """The reference shows the names that a scraper sees."""
    registry = new_registry()
    JOBS.on(registry).labels("completed").inc()
    TIME.on(registry).observe(0.7)
    SIZE.on(registry).set(5)
    page = generate_latest(registry).decode()

    assert 'jobs_total{action="completed"} 1.0' in page
    assert 'time_seconds_bucket{le="1.0"} 1.0' in page
    assert "size_bytes 5.0" in page
    assert "_created" not in page
    assert describe([JOBS, TIME, SIZE]) == [
        MetricRow("jobs_total", "counter", ("action",), "", "Jobs done."),
        MetricRow("time_seconds", "histogram", (), "seconds", "How long."),
        MetricRow("size_bytes", "gauge", (), "bytes", "How large."),
    ]


def test_registries_are_apart():
    """Each service counts for itself."""
    one, other = new_registry(), new_registry()
    JOBS.on(one).labels("completed").inc()
    JOBS.on(other)

    assert b'action="completed"' not in generate_latest(other)


def test_metric_is_registered_once():
    """The same metric twice in a registry is a mistake of ours."""
    registry = new_registry()
    JOBS.on(registry)
    with pytest.raises(ValueError, match="Duplicated"):
        JOBS.on(registry)


@pytest.mark.parametrize(
    "name",
    ["process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"],
)
def test_process_is_measured(name):
    """Memory, CPU and open files of the process are among the metrics."""
    assert new_registry().get_sample_value(name) > 0


async def test_loop_lag_is_what_the_wait_took_too_long(clock):
    """A loop that wakes its watcher late shows by how much."""

    class Late:
        monotonic_s = clock.monotonic_s

        async def sleep(self, delay_s):
            await clock.sleep(delay_s + 0.25)

    registry = new_registry()
    watcher = asyncio.create_task(watch_loop(LOOP_LAG.on(registry), Late()))
    await clock.advance(1.3)
    watcher.cancel()

    assert registry.get_sample_value("event_loop_lag_seconds") == pytest.approx(0.25)
