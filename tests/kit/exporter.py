"""The exporter's parts, put together around a scripted backend and a clock of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from yarl import URL

from exporter.backend import Backend, Target
from exporter.batch import Limits
from exporter.breaker import Breaker
from exporter.delivery import Delivery, Policy
from exporter.event import Selection
from exporter.lane import LaneOptions, Surroundings
from exporter.metrics import Metrics
from exporter.pipeline import Pipeline, Share
from exporter.sources import Source, SourceOptions, open_source
from exporter.state import State, open_state
from runtime.backoff import Backoff
from runtime.clock import Clock
from runtime.http import HttpOptions, open_session
from runtime.oauth import TokenCache
from tests.kit.clock import FakeClock
from tests.kit.loop import quiet
from tests.kit.record_source import Noticed, options_of
from tests.kit.waiting import PATIENCE_S

PATIENT = Policy(tries=3, total_s=60.0, try_s=60.0, backoff=Backoff(first_s=1.5, cap_s=5.0))
"""As the defaults, but that a slow machine does not use up the time of a round."""


def half_way() -> float:
    """Randomness that is none."""
    return 0.5


@dataclass
class Setup:
    """What a test may change about the exporter."""

    url: str
    source: str
    state_dir: Path
    clock: Clock
    policy: Policy = PATIENT
    limits: Limits = field(default_factory=lambda: Limits(count=10))
    in_flight: int = 2
    selection: Selection = field(default_factory=Selection)
    give_up: bool = True
    share: Share = field(default_factory=Share)
    breaker: tuple[int, float] = (5, 5.0)
    dead_letters_bytes: int = 1 << 30
    target: dict[str, Any] = field(default_factory=dict)
    rewound: Callable[[int], bool] = lambda _: False
    opening: Callable[[SourceOptions], AbstractAsyncContextManager[Source]] = open_source


@dataclass
class Exporter:
    """A running exporter."""

    pipeline: Pipeline
    state: State
    breaker: Breaker
    metrics: Metrics
    registry: CollectorRegistry
    running: asyncio.Task[None]
    finish: asyncio.Event
    noticed: Noticed

    async def stop(self) -> None:
        """Read nothing more, send what was read."""
        self.finish.set()
        await self.running

    def count(self, name: str, **labels: str) -> float:
        """A metric's value."""
        return self.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def delivering(setup: Setup, metrics: Metrics, breaker: Breaker):
    """A `Delivery` to the setup's URL."""
    async with (
        open_session(HttpOptions()) as session,
        TokenCache(session, setup.clock, half_way) as tokens,
    ):
        yield Delivery(
            Backend(Target(URL(setup.url), **setup.target), session, tokens),
            setup.policy,
            breaker,
            metrics=metrics,
            clock=setup.clock,
            random=half_way,
        )


@asynccontextmanager
async def exporting(setup: Setup):
    """The exporter while the block runs; leaving it ends everything at once, as a kill would."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    breaker = Breaker(*setup.breaker, setup.clock)
    noticed = Noticed()
    options = options_of(
        setup.source, setup.clock, setup.state_dir, observer=noticed, kinds=setup.selection.kinds
    )
    state = await open_state(setup.state_dir, setup.source, setup.dead_letters_bytes, setup.clock)
    try:
        async with (
            delivering(setup, metrics, breaker) as delivery,
            setup.opening(options) as source,
        ):
            lanes = LaneOptions(setup.limits, setup.in_flight, setup.selection, setup.give_up)
            around = Surroundings(source, state, delivery, metrics, setup.clock, half_way)
            pipeline = Pipeline(setup.state_dir, setup.share, lanes, around)
            finish = asyncio.Event()
            running = asyncio.create_task(pipeline.run(finish, rewound=setup.rewound))
            try:
                yield Exporter(
                    pipeline, state, breaker, metrics, registry, running, finish, noticed
                )
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
    finally:
        state.close()


async def drive(clock: FakeClock, holds: Callable[[], object], within_s: float = 3600.0) -> float:
    """Let time pass until `holds()` is true, from one sleeper to the next; gives the seconds.

    Sockets and threads come to rest between the jumps: time never overtakes what is under way.
    """
    began_s = clock.monotonic_s()
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE_S) as patience:
        while not holds():
            await quiet()
            if holds():
                break
            assert clock.monotonic_s() - began_s < within_s, "it takes too long"
            if clock.sleeping_s:
                await clock.advance(clock.sleeping_s[0])
                # Long stories take their time; only one that has come to a stop is a hang.
                patience.reschedule(loop.time() + PATIENCE_S)
    return clock.monotonic_s() - began_s


def metric_names(registry: CollectorRegistry) -> set[str]:
    """Names of all samples."""
    return {sample.name for family in registry.collect() for sample in family.samples}


def done(exporter: Exporter, partition_id: int = 1) -> int:
    """Position of the last event that is done."""
    if exporter.running.done():
        exporter.running.result()
    lane = exporter.pipeline.lanes.get(partition_id)
    return -1 if lane is None else lane.done.position
