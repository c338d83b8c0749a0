"""What the connector tells about its jobs: metrics by upstream's names, and a log line each."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry
from typing_extensions import override

from connector.errors import ConnectorError
from connector.headers import TaskHeaders
from runtime.clock import Clock
from runtime.metrics import LATENCY_BUCKETS_S, Counter, Gauge, Histogram, Metric
from worker.errors import GatewayError
from worker.job import Job
from worker.observer import Ending, Observer
from worker.outcome import Complete, Fail, Outcome, ThrowError

_TEMPLATE = ("type", "elementTemplateId", "elementTemplateVersion")

INVOCATIONS = Counter(
    name="camunda_connector_outbound_invocations",
    meaning="Jobs by what became of them: activated, completed, failed or bpmn-error.",
    labels=(*_TEMPLATE, "action"),
)
EXECUTION_TIME = Histogram(
    name="camunda_connector_outbound_execution_time_seconds",
    meaning="Time from the start of a job to the decision how it ends.",
    labels=_TEMPLATE,
    buckets=LATENCY_BUCKETS_S,
)
ACTIVATED = Counter(
    name="camunda_client_worker_job_activated",
    meaning="Jobs that the gateway gave to this worker.",
    labels=("type",),
)
HANDLED = Counter(
    name="camunda_client_worker_job_handled",
    meaning="Jobs that left this worker, by how they left it.",
    labels=("type", "ending"),
)
IN_HAND = Gauge(
    name="connector_jobs_in_hand",
    meaning="Jobs held just now.",
    labels=("type",),
)
FOREIGN_JOBS = Counter(
    name="connector_foreign_jobs",
    meaning="Jobs of the REST connector's type that were no Operate calls and were handed back.",
    labels=("type",),
)
COMMAND_RETRIES = Counter(
    name="connector_command_retries",
    meaning="Commands that were sent to the gateway again, by the kind of failure.",
    labels=("failure",),
)
POLL_FAILURES = Counter(
    name="connector_poll_failures",
    meaning="Polls and streams that failed, by the kind of failure.",
    labels=("failure",),
)
SHARED_READS = Counter(
    name="connector_shared_reads",
    meaning="Answers that a job got from another job's request (CONNECTOR_COALESCE_MS).",
)
METRICS: tuple[Metric, ...] = (
    INVOCATIONS,
    EXECUTION_TIME,
    ACTIVATED,
    HANDLED,
    IN_HAND,
    FOREIGN_JOBS,
    COMMAND_RETRIES,
    POLL_FAILURES,
    SHARED_READS,
)

_RECENT = 20
_REASON_CHARS = 300
_log = structlog.get_logger("connector")


@dataclass(frozen=True, slots=True)
class RecentFailure:
    """A failed job as the status page shows it; `reason` is what its incident says, masked."""

    at_ms: int
    job_key: int
    instance_key: int
    process: str
    element: str
    error: str
    code: str | None
    reason: str | None


class JobWitness:
    """Counts jobs, times them, logs how they end, and remembers the last failures."""

    def __init__(self, registry: CollectorRegistry, clock: Clock) -> None:
        self._clock = clock
        self._invocations = INVOCATIONS.on(registry)
        self._execution_time = EXECUTION_TIME.on(registry)
        self._foreign_jobs = FOREIGN_JOBS.on(registry)
        self._failures: deque[RecentFailure] = deque(maxlen=_RECENT)

    @property
    def failures(self) -> Sequence[RecentFailure]:
        """The last failures, newest first."""
        return tuple(reversed(self._failures))

    def ended(
        self,
        job: Job,
        headers: TaskHeaders,
        outcome: Outcome,
        error: ConnectorError | None,
        duration_s: float,
    ) -> None:
        """A job is decided: `outcome` goes to the gateway next."""
        template = (
            job.type,
            headers.template_id or "unknown",
            headers.template_version or "unknown",
        )
        action = _action(outcome)
        self._invocations.labels(*template, "activated").inc()
        self._invocations.labels(*template, action).inc()
        self._execution_time.labels(*template).observe(duration_s)
        if not isinstance(outcome, Complete):
            self._remember(job, error, _reason(outcome))
        log = _log.info if isinstance(outcome, Complete) else _log.warning
        log(
            "job decided",
            job_key=job.key,
            action=action,
            process_id=job.bpmn_process_id,
            process_instance_key=job.process_instance_key,
            element_id=job.element_id,
            duration_ms=round(duration_s * 1000),
            retries=outcome.retries if isinstance(outcome, Fail) else None,
            error=None if error is None else type(error).__name__,
            code=None if error is None else error.code,
            reason=_reason(outcome),
        )

    def handed_back(self, job: Job) -> None:
        """A job was none of ours."""
        self._foreign_jobs.labels(job.type).inc()

    def _remember(self, job: Job, error: ConnectorError | None, reason: str | None) -> None:
        self._failures.append(
            RecentFailure(
                at_ms=self._clock.now_ms(),
                job_key=job.key,
                instance_key=job.process_instance_key,
                process=job.bpmn_process_id,
                element=job.element_id,
                # An error expression may fail a job that got its answer.
                error="ErrorExpression" if error is None else type(error).__name__,
                code=None if error is None else error.code,
                reason=reason,
            ),
        )


class Meters:
    """What all workers count together; a registry takes each metric once."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.activated = ACTIVATED.on(registry)
        self.handled = HANDLED.on(registry)
        self.in_hand = IN_HAND.on(registry)
        self.retries = COMMAND_RETRIES.on(registry)
        self.poll_failures = POLL_FAILURES.on(registry)
        self.shared_reads = SHARED_READS.on(registry)


class WorkerMetrics(Observer):
    """One worker's own events as metrics."""

    def __init__(self, meters: Meters, job_type: str) -> None:
        self._activated = meters.activated.labels(job_type)
        self._handled = {ending: meters.handled.labels(job_type, ending.value) for ending in Ending}
        self._in_hand = meters.in_hand.labels(job_type)
        self._retries = meters.retries
        self._poll_failures = meters.poll_failures

    @override
    def jobs_activated(self, count: int) -> None:
        self._activated.inc(count)

    @override
    def jobs_in_hand(self, count: int) -> None:
        self._in_hand.set(count)

    @override
    def job_ended(self, ending: Ending, duration_s: float) -> None:
        self._handled[ending].inc()

    @override
    def command_retried(self, error: GatewayError) -> None:
        self._retries.labels(type(error).__name__).inc()

    @override
    def poll_failed(self, error: GatewayError) -> None:
        self._poll_failures.labels(type(error).__name__).inc()


def _reason(outcome: Outcome) -> str | None:
    """The beginning of what the incident says: masked, and without the variables behind it."""
    if isinstance(outcome, Complete):
        return None
    return outcome.message.partition(" | Error variables: ")[0][:_REASON_CHARS]


def _action(outcome: Outcome) -> str:
    match outcome:
        case Complete():
            return "completed"
        case Fail():
            return "failed"
        case ThrowError():
            return "bpmn-error"
