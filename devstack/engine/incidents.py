from __future__ import annotations

from devstack.engine import blanks, values
from devstack.engine.failure import ElementFailure, ErrorType
from devstack.engine.partition import Partition, StepKind
from devstack.engine.state import (
    ElementInstance,
    Incident,
    IncidentCause,
    Job,
    JobState,
)
from devstack.errors import InvalidStateError, NotFoundError


class Incidents:
    """Raises incidents, takes them back when their element ends, and resolves them on command."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    def raise_for_element(
        self,
        instance: ElementInstance,
        failure: ElementFailure,
        cause: IncidentCause,
    ) -> None:
        """An element cannot be activated or completed."""
        self._raise(instance, failure, cause, 0)

    def raise_for_job(self, job: Job, error_type: ErrorType, message: str) -> None:
        """A job cannot go on."""
        failure = ElementFailure(error_type, message)
        job.incident_key = self._raise(job.instance, failure, IncidentCause.JOB, job.key)

    def _raise(
        self,
        instance: ElementInstance,
        failure: ElementFailure,
        cause: IncidentCause,
        job_key: int,
    ) -> int:
        key = self._partition.keys.next()
        value = values.incident(instance, failure.error_type, failure.message, job_key)
        self._partition.state.incidents[key] = Incident(key, instance, cause, job_key, value)
        instance.incident_keys.append(key)
        self._partition.writer.event("INCIDENT", "CREATED", key, value)
        return key

    def drop(self, instance: ElementInstance) -> None:
        """Take back every incident of an element that ends."""
        for key in list(instance.incident_keys):
            self._resolved(self._partition.state.incidents[key])

    def resolve(self, key: int) -> None:
        """Try again what failed.

        Raises:
            NotFoundError: There is no such incident.
            InvalidStateError: Its job has no retries left; they are to be set first.
        """
        writer = self._partition.writer
        incident = self._partition.state.incidents.get(key)
        value = incident.value if incident is not None else blanks.INCIDENT
        writer.command("INCIDENT", "RESOLVE", key, value)
        try:
            incident = self._check(key, incident)
        except (NotFoundError, InvalidStateError) as error:
            writer.rejection("INCIDENT", key, value, error)
            raise
        self._resolved(incident)
        if incident.cause is IncidentCause.JOB:
            self._release(self._partition.state.jobs[incident.job_key])
        else:
            kind = StepKind.ACTIVATE
            if incident.cause is IncidentCause.COMPLETE:
                kind = StepKind.COMPLETE
            # Zeebe goes on with the failed command itself, without writing it anew.
            self._partition.go_on(kind, incident.instance)

    def _check(self, key: int, incident: Incident | None) -> Incident:
        if incident is None:
            reason = (
                f"Expected to resolve incident with key '{key}', but no such incident was found"
            )
            raise NotFoundError("RESOLVE", reason)
        job = self._partition.state.jobs.get(incident.job_key)
        if job is not None and job.retries <= 0:
            reason = (
                f"Expected to resolve incident with key '{key}', but job with key '{job.key}' "
                "has no retries left. Please update the job retries and retry resolving the "
                "incident"
            )
            raise InvalidStateError("RESOLVE", reason)
        return incident

    def _resolved(self, incident: Incident) -> None:
        del self._partition.state.incidents[incident.key]
        incident.instance.incident_keys.remove(incident.key)
        self._partition.writer.event("INCIDENT", "RESOLVED", incident.key, incident.value)

    def _release(self, job: Job) -> None:
        job.incident_key = 0
        job.state = JobState.ACTIVATABLE
        job.error_code = job.error_message = ""
        self._partition.offer(job)
