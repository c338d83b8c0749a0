"""One job from beginning to end; the only place that knows the order of the stages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import orjson
import structlog
from typing_extensions import override

from connector.errors import (
    ConnectorError,
    DeadlinePassed,
    Fault,
    InputError,
    JobTimeoutRefused,
)
from connector.headers import TaskHeaders, read_headers
from connector.known_secrets import KnownSecrets
from connector.null_result import why_nothing
from connector.outcome import Ending
from connector.redaction import Redaction
from connector.result import Answer
from connector.secrets import Resolved, SecretSource, may_name_secrets, resolve
from connector.upstream_secrets import resolve_text
from runtime.clock import Clock, SystemClock
from worker.errors import GatewayError, Retryable
from worker.job import Job, log_fields
from worker.outcome import Outcome

_MOST_TOLD = 10_000
_TOO_DEEP = (
    "something that this job brings or gets cannot be written as JSON: it is nested more than two "
    "hundred levels deep"
)
_log = structlog.get_logger("connector")

InputsT = TypeVar("InputsT")
RequestT = TypeVar("RequestT")


class Connector(Protocol[InputsT, RequestT]):
    """What a kind of job means: the part that each connector brings. All but `send` is pure."""

    def read(self, variables: Mapping[str, object]) -> InputsT:
        """The inputs of a job, its secrets filled in; raises `InputError` with all faults."""
        ...

    def build(self, inputs: InputsT) -> RequestT:
        """The request that the inputs mean."""
        ...

    async def send(self, request: RequestT, time_left_s: float) -> Answer:
        """What the request brings back; raises `CallError`."""
        ...


class Witness(Protocol):
    """Sees each job when it is decided; must not block or raise."""

    def ended(
        self,
        job: Job,
        headers: TaskHeaders,
        outcome: Outcome,
        error: ConnectorError | None,
        duration_s: float,
    ) -> None:
        """A job is decided after `duration_s`; `error` is what went wrong on the way."""
        ...


class NoWitness(Witness):
    """Looks away."""

    @override
    def ended(self, *_: object) -> None:
        pass


ExtendJob = Callable[[Job, int], Awaitable[Job]]
"""Makes a job ours for so many milliseconds from now; gives it with its new deadline."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """Which of our deliberate differences from upstream an operator has undone.

    `response` is about what an error expression sees after a success, `secrets` about where
    references to secrets are found: docs/explanation/differences-from-upstream.md.
    """

    response: bool = False
    secrets: bool = False


AS_OURSELVES = Upstream()


class Pipeline(Generic[InputsT, RequestT]):
    """Turns each job into the one command that ends it; whatever goes wrong ends only this job."""

    def __init__(
        self,
        connector: Connector[InputsT, RequestT],
        sources: Sequence[SecretSource],
        extend: ExtendJob,
        witness: Witness | None = None,
        clock: Clock | None = None,
        *,
        upstream: Upstream = AS_OURSELVES,
        known_secrets: KnownSecrets | None = None,
    ) -> None:
        self._connector = connector
        self._sources = sources
        self._extend = extend
        self._witness = witness or NoWitness()
        self._clock = clock or SystemClock()
        self._upstream = upstream
        self._known_secrets = known_secrets or KnownSecrets()
        self._told: set[tuple[int, str]] = set()

    async def handle(self, job: Job) -> Outcome:
        """Do `job` and say how it ends. Raises nothing but cancellation and defects of ours."""
        began_s = self._clock.monotonic_s()
        ending = Ending(job, TaskHeaders(), Redaction(), self._upstream.response)
        failure: ConnectorError | None = None
        try:
            headers = read_headers(job.custom_headers_json)
            ending = replace(ending, headers=headers)
            job = await self._with_timeout(job, headers)
            resolved = await self._resolved(job)
            ending = replace(ending, redaction=Redaction(resolved.secrets))
            inputs = self._connector.read(resolved.variables)
            request = self._connector.build(inputs)
            answer = await self._connector.send(request, self._time_left_s(job))
            outcome = ending.succeeded(answer)
            self._tell_nothing(job, ending, outcome, answer)
        except ConnectorError as error:
            failure = error
            outcome = ending.failed(error)
            _let_go_of_frames(error)
        except (RecursionError, orjson.JSONEncodeError):
            failure = InputError([Fault("", _TOO_DEEP)])
            outcome = ending.failed(failure)
        duration_s = self._clock.monotonic_s() - began_s
        self._witness.ended(job, ending.headers, outcome, failure, duration_s)
        return outcome

    def _tell_nothing(self, job: Job, ending: Ending, outcome: Outcome, answer: Answer) -> None:
        """Say in the log why a result expression gave nothing, once for each deployed task."""
        task = (job.process_definition_key, job.element_id)
        if task in self._told:
            return
        why = why_nothing(outcome, ending.headers, answer)
        if why and len(self._told) < _MOST_TOLD:
            self._told.add(task)
            why = ending.redaction.text(why)
            _log.warning("result expression gave nothing", why=why, **log_fields(job))

    async def _resolved(self, job: Job) -> Resolved:
        """The job's variables with its secrets filled in."""
        if not may_name_secrets(job.variables_json):
            return Resolved(_variables(job.variables_json), ())
        if not self._upstream.secrets:
            resolved = await resolve(_variables(job.variables_json), self._sources, job)
        else:
            text = await resolve_text(job.variables_json, self._sources, job)
            resolved = Resolved(_variables(text.text), text.secrets)
        self._known_secrets.add(resolved.secrets)
        return resolved

    async def _with_timeout(self, job: Job, headers: TaskHeaders) -> Job:
        """The job with the time that its task asks for, before anything is called."""
        if headers.job_timeout_ms is None:
            return job
        try:
            return await self._extend(job, headers.job_timeout_ms)
        except Retryable as error:
            # The deadline that the job came with still stands, and may well be enough.
            _log.warning("job timeout not updated", job_key=job.key, error=type(error).__name__)
            return job
        except GatewayError as error:
            raise JobTimeoutRefused(f"The job's time could not be set: {error}") from error

    def _time_left_s(self, job: Job) -> float:
        """Seconds until the job belongs to another worker."""
        left_ms = job.deadline_ms - self._clock.now_ms()
        if left_ms <= 0:
            raise DeadlinePassed(
                "The time for this job was over before it was begun. Raise CONNECTOR_JOB_TIMEOUT, "
                "or lower CONNECTOR_MAX_JOBS_ACTIVE."
            )
        return left_ms / 1000


def _let_go_of_frames(error: BaseException | None) -> None:
    """Drop the tracebacks of an error and its causes, which lead back to whoever holds the error.

    Such a circle keeps a failed job's answer and secrets in memory until Python looks for circles.
    """
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _variables(text: str) -> Mapping[str, object]:
    try:
        variables = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        raise InputError(
            [Fault("", "the variables of the job are no JSON that can be read")]
        ) from None
    if not isinstance(variables, dict):
        raise InputError([Fault("", "the variables of the job are no JSON object")])
    return variables
