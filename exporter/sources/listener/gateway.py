from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from http import HTTPStatus

import msgspec

from exporter.errors import SourceRefused, SourceUnavailable
from exporter.record import ILLEGIBLE
from exporter.sources.listener.address import EVERY_TENANT, Address
from exporter.sources.listener.job import Job, read_job
from exporter.sources.listener.rest import RestClient

_SLACK_S = 10.0
_OLDEST = (8, 8)
_KNOWS_TENANTS = (8, 9)
_NO_VARIABLE = "appIntegrationsExporterWantsNoVariables"
"""A job comes with the variables that are named, and with all of them when none is."""


class Settled(Enum):
    """What became of a job that was to be completed."""

    DONE = auto()
    """It is completed, or there is no such job any more."""
    HELD = auto()
    """It failed before, or an incident holds it; it will be given out again."""


class _Jobs(msgspec.Struct, frozen=True):
    jobs: list[msgspec.Raw]


class _Topology(msgspec.Struct, frozen=True, rename="camel"):
    gateway_version: str


_jobs = msgspec.json.Decoder(_Jobs).decode
_topology = msgspec.json.Decoder(_Topology).decode


class JobGateway:
    """The cluster's jobs; methods raise as those of `RestClient` do.

    Args:
        client: For requests.
        address: Which jobs are taken and how.
    """

    def __init__(self, client: RestClient, address: Address) -> None:
        self._client = client
        self._poll_s = address.poll_s
        self._tenants = address.tenants
        self._wanted = {
            "type": address.job_type,
            "worker": address.worker,
            "timeout": round(address.job_timeout_s * 1000),
            "maxJobsToActivate": address.max_jobs,
            "requestTimeout": round(address.poll_s * 1000),
            "fetchVariable": [_NO_VARIABLE],
            **_whose(address.tenants),
        }

    async def check(self) -> None:
        """Prove that the cluster answers, lets us in and knows listener jobs."""
        answer = await self._client.ask("GET", "topology")
        self._client.check(answer)
        try:
            version = _topology(answer.body).gateway_version
            release = tuple(int(part) for part in version.split(".")[:2])
        except (*ILLEGIBLE, ValueError) as error:
            raise SourceRefused(
                f"{self._client.origin} is no Camunda cluster; check the URL of the source"
            ) from error
        if release < _OLDEST:
            raise SourceRefused(
                f"the cluster at {self._client.origin} is older than Camunda 8.8; "
                "user task listeners over REST are there from 8.8 on"
            )
        if release < _KNOWS_TENANTS and self._tenants == EVERY_TENANT:
            raise SourceRefused(
                f"the cluster at {self._client.origin} is older than Camunda 8.9, which does not "
                "know all tenants of a user; name them in `tenants` of the URL"
            )

    async def take(self) -> list[Job]:
        """Jobs that came up, after a while an empty list."""
        timeout_s = self._poll_s + _SLACK_S
        answer = await self._client.ask("POST", "jobs/activation", self._wanted, timeout_s)
        self._client.check(answer)
        try:
            return [read_job(raw) for raw in _jobs(answer.body).jobs]
        except ILLEGIBLE as error:
            raise SourceUnavailable(
                f"{self._client.origin} gave jobs that cannot be read; see what stands before it"
            ) from error

    async def complete(self, job_key: int) -> Settled:
        """Let the change that a job announces happen."""
        answer = await self._client.ask("POST", f"jobs/{job_key}/completion", {})
        if answer.status == HTTPStatus.NOT_FOUND:
            return Settled.DONE
        if answer.status == HTTPStatus.CONFLICT:
            return Settled.HELD
        self._client.check(answer)
        return Settled.DONE

    async def fail(self, job: Job, message: str) -> None:
        """Give a job back with one retry less; when none is left, an incident tells of it."""
        body = {"retries": max(0, (job.retries or 0) - 1), "errorMessage": message}
        answer = await self._client.ask("POST", f"jobs/{job.key}/failure", body)
        if answer.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
            self._client.check(answer)


def _whose(tenants: tuple[str, ...]) -> Mapping[str, str | list[str]]:
    """The members of a poll that say whose jobs are wanted."""
    if tenants == EVERY_TENANT:
        return {"tenantFilter": "ASSIGNED"}
    return {"tenantIds": list(tenants)} if tenants else {}
