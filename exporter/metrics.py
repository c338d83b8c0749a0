from __future__ import annotations

from prometheus_client import CollectorRegistry

from runtime.metrics import Counter, Gauge, Histogram, Metric

_UPSTREAM = "zeebe_app_integrations_exporter"
_OURS = "app_integrations_exporter"

FLUSH_DURATION = Histogram(
    name=f"{_UPSTREAM}_flush_duration_seconds",
    meaning="How long a batch took with all its tries of one round, failed rounds included.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
BATCH_SIZE = Histogram(
    name=f"{_UPSTREAM}_batch_size",
    meaning="Events in a batch, counted before each round of tries.",
    buckets=(1, 10, 50, 100, 500),
)
IN_FLIGHT = Gauge(
    name=f"{_UPSTREAM}_batches_in_flight",
    meaning="Batches that are being sent or closed and waiting, over all partitions.",
)
EXPORTED = Counter(
    name=f"{_UPSTREAM}_records_exported", meaning="Events that the backend has taken."
)
FAILED = Counter(
    name=f"{_UPSTREAM}_export_failed", meaning="Rounds of tries that did not deliver their batch."
)
UNAUTHORIZED = Counter(
    name=f"{_UPSTREAM}_export_unauthorized",
    meaning="Answers with status 401 to a request with an access token.",
)
TOKEN_FAILED = Counter(
    name=f"{_UPSTREAM}_token_fetch_failed",
    meaning="Requests for an access token that failed, but for time-outs.",
)
TIMEOUT = Counter(
    name=f"{_UPSTREAM}_timeout",
    meaning="Time-outs, by what took too long: `export` or `token`.",
    labels=("phase",),
)
SKIPPED = Counter(
    name=f"{_OURS}_records_skipped", meaning="Records that were read and not asked for."
)
UNREADABLE = Counter(
    name=f"{_OURS}_records_unreadable",
    meaning="Records that cannot become events, by what is wrong.",
    labels=("fault",),
)
DUPLICATES = Counter(
    name=f"{_OURS}_records_duplicate", meaning="Records that came again and were left out."
)
GAPS = Counter(
    name=f"{_OURS}_source_gaps", meaning="Times that records were gone before they were read."
)
SET_ASIDE = Counter(
    name=f"{_OURS}_dead_letters_added",
    meaning="What was set aside: a `batch` or a `record`.",
    labels=("kind",),
)
DEAD_LETTERS = Gauge(name=f"{_OURS}_dead_letters", meaning="Dead letters that are kept.")
DEAD_LETTER_BYTES = Gauge(name=f"{_OURS}_dead_letters_bytes", meaning="What they take.")
POSITION = Gauge(
    name=f"{_OURS}_position",
    meaning="Position of the last event that is done, by partition.",
    labels=("partition",),
)
LAG = Gauge(
    name=f"{_OURS}_lag_seconds",
    meaning="Age of the oldest event read and not done, by partition; 0 when there is none.",
    labels=("partition",),
)
STALLED = Gauge(
    name=f"{_OURS}_stalled",
    meaning="1 while a partition does not go on, by partition.",
    labels=("partition",),
)
BREAKER = Gauge(
    name=f"{_OURS}_breaker_state",
    meaning="State of the circuit breaker: 0 closed, 1 half open, 2 open.",
)

METRICS: tuple[Metric, ...] = (
    FLUSH_DURATION,
    BATCH_SIZE,
    IN_FLIGHT,
    EXPORTED,
    FAILED,
    UNAUTHORIZED,
    TOKEN_FAILED,
    TIMEOUT,
    SKIPPED,
    UNREADABLE,
    DUPLICATES,
    GAPS,
    SET_ASIDE,
    DEAD_LETTERS,
    DEAD_LETTER_BYTES,
    POSITION,
    LAG,
    STALLED,
    BREAKER,
)
"""Every metric of the exporter, for the reference page."""


class Metrics:
    """The exporter's metrics in a registry; make one for each registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.flush_duration = FLUSH_DURATION.on(registry)
        self.batch_size = BATCH_SIZE.on(registry)
        self.in_flight = IN_FLIGHT.on(registry)
        self.exported = EXPORTED.on(registry)
        self.failed = FAILED.on(registry)
        self.unauthorized = UNAUTHORIZED.on(registry)
        self.token_failed = TOKEN_FAILED.on(registry)
        self.timeout = TIMEOUT.on(registry)
        self.skipped = SKIPPED.on(registry)
        self.unreadable = UNREADABLE.on(registry)
        self.duplicates = DUPLICATES.on(registry)
        self.gaps = GAPS.on(registry)
        self.set_aside = SET_ASIDE.on(registry)
        self.dead_letters = DEAD_LETTERS.on(registry)
        self.dead_letter_bytes = DEAD_LETTER_BYTES.on(registry)
        self.position = POSITION.on(registry)
        self.lag = LAG.on(registry)
        self.stalled = STALLED.on(registry)
        self.breaker = BREAKER.on(registry)
        # Shown from the start, so that a rate can be taken of the first one.
        for phase in ("export", "token"):
            self.timeout.labels(phase)
        for kind in ("batch", "record"):
            self.set_aside.labels(kind)
