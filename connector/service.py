"""The service: everything that `run` needs, put together once and taken apart in reverse."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from importlib.metadata import version

import structlog

from connector.authorization import Authorizer
from connector.client import Client
from connector.gateway_credentials import gateway_credentials
from connector.inputs import FETCHED
from connector.login import Logins
from connector.observation import JobWitness, WorkerMetrics
from connector.operate import OperateConnector
from connector.pipeline import Pipeline
from connector.providers import secret_providers
from connector.settings import ConnectorSettings
from connector.status import sections
from runtime import health, lifecycle, logs, metrics
from runtime.clock import SystemClock
from runtime.http import HttpOptions, open_session
from runtime.oauth import TokenCache
from runtime.settings import doubtful_names, redacted
from worker.gateway import Gateway
from worker.loop import Worker
from worker.options import WorkerOptions

_log = structlog.get_logger("connector")


def serve(settings: ConnectorSettings, environ: Mapping[str, str]) -> int:
    """Work on jobs until told to stop; gives the exit code."""
    logs.configure(settings.log_level, settings.log_format)
    _log.info("starting", version=version("operate-connector"), settings=redacted(settings))
    for fault in doubtful_names(ConnectorSettings, environ):
        _log.warning("doubtful setting", setting=fault.variable, problem=fault.problem)

    async def main(life: lifecycle.Lifecycle) -> None:
        await _work(settings, environ, life)

    return lifecycle.run(main, drain_deadline_s=settings.drain_deadline_s)


async def _work(
    settings: ConnectorSettings,
    environ: Mapping[str, str],
    life: lifecycle.Lifecycle,
) -> None:
    clock = SystemClock()
    registry = metrics.new_registry()
    life.start("loop watch", metrics.watch_loop(metrics.LOOP_LAG.on(registry), clock))
    witness = JobWitness(registry, clock)
    options = HttpOptions(
        connections=settings.max_jobs_active,
        ca_file=settings.ca_file,
        proxies=settings.proxies(),
        user_agent=f"operate-connector/{version('operate-connector')}",
    )
    async with (
        open_session(options) as session,
        TokenCache(session, clock, random.random) as tokens,
        Logins(session) as logins,
        Gateway(
            settings.address,
            credentials=gateway_credentials(settings, tokens),
            ca_file=settings.ca_file,
            clock=clock,
        ) as gateway,
    ):
        client = Client(
            session,
            Authorizer(tokens, logins),
            clock,
            max_response_bytes=settings.max_response_bytes,
        )
        pipeline = Pipeline(
            OperateConnector(client, settings.policy),
            secret_providers(settings, environ),
            gateway.update_job_timeout,
            witness,
            clock,
        )
        worker = Worker(
            gateway,
            _worker_options(settings),
            pipeline.handle,
            clock=clock,
            observer=WorkerMetrics(registry, settings.job_type),
        )
        management = health.Management(
            service="operate-connector",
            version=version("operate-connector"),
            registry=registry,
            ready={
                "gateway": lambda: worker.problem,
                "life": lambda: "stopping" if life.stopping.is_set() else None,
            },
            sections=lambda: sections(settings, worker, witness, tokens),
        )
        async with health.serve(management, settings.management_port, clock=clock) as url:
            _log.info("working", gateway=gateway.target, management=url)
            await worker.run(life.stopping, settings.drain_deadline_s)


def _worker_options(settings: ConnectorSettings) -> WorkerOptions:
    return WorkerOptions(
        job_type=settings.job_type,
        worker_name=f"operate-connector@{socket.gethostname()}",
        fetch_variables=FETCHED,
        max_jobs_active=settings.max_jobs_active,
        job_timeout_ms=round(settings.job_timeout_s * 1000),
        stream_enabled=settings.stream_enabled,
    )
