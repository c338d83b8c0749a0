"""The service: everything that `run` needs, put together once and taken apart in reverse."""

from __future__ import annotations

import random
from collections.abc import Mapping
from importlib.metadata import version

import structlog

from connector.authorization import Authorizer
from connector.gateway_credentials import gateway_credentials
from connector.known_secrets import KnownSecrets
from connector.login import Logins
from connector.observation import JobWitness, Meters
from connector.providers import secret_sources
from connector.secret_files import is_readable
from connector.settings import SECRETS_PREFIX, ConnectorSettings
from connector.sharing import SharedReads
from connector.status import problem, sections
from connector.workers import Ground, run_all, workers
from runtime import health, lifecycle, logs, metrics
from runtime.clock import SystemClock
from runtime.http import HttpOptions, open_session
from runtime.oauth import TokenCache
from runtime.settings import doubtful_names, redacted
from worker.gateway import Gateway

_log = structlog.get_logger("connector")


def serve(settings: ConnectorSettings, environ: Mapping[str, str]) -> int:
    """Work on jobs until told to stop; gives the exit code."""
    logs.configure(settings.log_level, settings.log_format)
    _log.info("starting", version=version("operate-connector"), settings=redacted(settings))
    for fault in doubtful_names(ConnectorSettings, environ):
        _log.warning(
            "doubtful setting",
            setting=fault.variable,
            problem=fault.problem,
            remedy=fault.remedy,
        )
    if settings.secrets_dir is not None and not is_readable(settings.secrets_dir):
        _log.warning(
            "no secrets can be read from files",
            setting="CONNECTOR_SECRETS_DIR",
            remedy="name a directory that this user can read",
        )
    if settings.secrets_from_environment and not settings.secrets_prefix:
        _log.warning(
            "every variable can be named as a secret",
            setting=SECRETS_PREFIX,
            remedy="set a prefix that only secrets have",
        )

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
    meters = Meters(registry)
    options = HttpOptions(
        connections=settings.max_jobs_active * (2 if settings.official_templates else 1),
        ca_file=settings.ca_file,
        proxies=settings.proxies(),
        user_agent=f"operate-connector/{version('operate-connector')}",
    )
    async with (
        open_session(options) as session,
        TokenCache(session, clock, random.random) as tokens,
        Logins(session) as logins,
        SharedReads(clock, settings.coalesce_ms / 1000, meters.shared_reads.inc) as sharing,
        Gateway(
            settings.address,
            credentials=gateway_credentials(settings, tokens),
            ca_file=settings.ca_file,
            clock=clock,
        ) as gateway,
    ):
        ground = Ground(
            settings=settings,
            session=session,
            authorizer=Authorizer(tokens, logins),
            sharing=sharing if settings.coalesce_ms else None,
            sources=secret_sources(settings, environ, session, tokens, clock),
            gateway=gateway,
            meters=meters,
            witness=JobWitness(registry, clock),
            known_secrets=KnownSecrets(),
            clock=clock,
        )
        running = workers(ground)
        management = health.Management(
            service="operate-connector",
            version=version("operate-connector"),
            registry=registry,
            ready={
                "gateway": lambda: problem(running),
                "life": lambda: "stopping" if life.stopping.is_set() else None,
            },
            sections=lambda: sections(ground, running, tokens),
        )
        async with health.serve(management, settings.management_port, clock=clock) as url:
            _log.info("working", gateway=gateway.target, management=url)
            await run_all(running, life.stopping, settings.drain_deadline_s)
