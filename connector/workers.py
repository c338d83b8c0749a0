from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import ClientSession

from connector.authorization import Authorizer
from connector.client import Client
from connector.inputs import FETCHED
from connector.known_secrets import KnownSecrets
from connector.observation import JobWitness, Meters, WorkerMetrics
from connector.official import template
from connector.official.client import OfficialConnector
from connector.official.gate import OfficialJobs
from connector.operate import OperateConnector
from connector.pipeline import Connector, InputsT, Pipeline, RequestT
from connector.secrets import SecretSource
from connector.settings import ConnectorSettings
from connector.sharing import SharedReads
from runtime.clock import Clock
from worker.executor import Handler
from worker.gateway import Gateway
from worker.loop import Worker
from worker.options import WorkerOptions


@dataclass(frozen=True, slots=True)
class Ground:
    """What the workers of all job types share: one gateway, one pool, one cache of tokens."""

    settings: ConnectorSettings
    session: ClientSession
    authorizer: Authorizer
    sharing: SharedReads | None
    sources: Sequence[SecretSource]
    gateway: Gateway
    meters: Meters
    witness: JobWitness
    known_secrets: KnownSecrets
    clock: Clock


def workers(ground: Ground) -> Mapping[str, Worker]:
    """A worker for each job type that the settings ask for, by that type."""
    return dict(_workers(ground))


async def run_all(
    running: Mapping[str, Worker], stop: asyncio.Event, drain_deadline_s: float
) -> None:
    """Run the workers until `stop`, side by side; a fault of one ends all.

    Raises:
        Exception: The fault of the first worker that had one.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for job_type, worker in running.items():
                group.create_task(worker.run(stop, drain_deadline_s), name=f"worker {job_type}")
    except BaseExceptionGroup as faults:
        raise faults.exceptions[0] from faults


def _workers(ground: Ground) -> Iterator[tuple[str, Worker]]:
    settings = ground.settings
    limit_bytes = settings.max_response_bytes
    client = Client(
        ground.session,
        ground.authorizer,
        ground.clock,
        max_response_bytes=limit_bytes,
        sharing=ground.sharing,
    )
    ours = _pipeline(ground, OperateConnector(client, settings.policy)).handle
    options = _options(settings, settings.job_type, FETCHED, settings.job_timeout_s)
    yield settings.job_type, _worker(ground, options, ours)
    if settings.official_templates:
        official = OfficialConnector(
            ground.session,
            ground.authorizer,
            ground.clock,
            settings.policy,
            max_response_bytes=limit_bytes,
            sharing=ground.sharing,
        )
        gate = OfficialJobs(_pipeline(ground, official).handle, ground.witness.handed_back)
        timeout_ms = settings.http_rest_timeout_ms
        timeout_s = settings.job_timeout_s if timeout_ms is None else timeout_ms / 1000
        options = _options(settings, settings.http_rest_type, template.FETCHED, timeout_s)
        yield settings.http_rest_type, _worker(ground, options, gate.handle)


def _pipeline(
    ground: Ground, connector: Connector[InputsT, RequestT]
) -> Pipeline[InputsT, RequestT]:
    return Pipeline(
        connector,
        ground.sources,
        ground.gateway.update_job_timeout,
        ground.witness,
        ground.clock,
        upstream=ground.settings.upstream,
        known_secrets=ground.known_secrets,
    )


def _worker(ground: Ground, options: WorkerOptions, handler: Handler) -> Worker:
    return Worker(
        ground.gateway,
        options,
        handler,
        clock=ground.clock,
        observer=WorkerMetrics(ground.meters, options.job_type),
    )


def _options(
    settings: ConnectorSettings,
    job_type: str,
    fetched: tuple[str, ...],
    timeout_s: float,
) -> WorkerOptions:
    return WorkerOptions(
        job_type=job_type,
        worker_name=f"operate-connector@{socket.gethostname()}",
        fetch_variables=fetched,
        max_jobs_active=settings.max_jobs_active,
        job_timeout_ms=round(timeout_s * 1000),
        stream_enabled=settings.stream_enabled,
    )
