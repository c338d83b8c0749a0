"""The service: everything that `run` needs, put together once and taken apart in reverse."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version

import structlog
from prometheus_client import CollectorRegistry
from typing_extensions import override
from yarl import URL

from exporter.backend import Backend, Target
from exporter.batch import Limits
from exporter.breaker import Breaker
from exporter.delivery import Delivery, Policy
from exporter.errors import SourceUnavailable, StateUnavailable
from exporter.event import Selection, intents_of
from exporter.lane import LaneOptions, Surroundings
from exporter.lease import Lease
from exporter.metrics import Metrics
from exporter.pipeline import Pipeline
from exporter.record import Sieve
from exporter.settings import ExporterSettings
from exporter.sources import Source, SourceObserver, SourceOptions, open_source
from exporter.state import State, open_state
from exporter.status import View
from exporter.waiting import until
from runtime import health, lifecycle, logs, metrics
from runtime.backoff import Backoff
from runtime.clock import Clock, SystemClock
from runtime.http import HttpOptions, open_session
from runtime.oauth import TokenCache
from runtime.settings import doubtful_names, redacted

PROGRAM = "app-integrations-exporter"
_COUNT_S = 5.0
_PATIENCE = Backoff(first_s=0.5, cap_s=10.0)

_log = structlog.get_logger("exporter")


@dataclass(frozen=True, slots=True)
class Begin:
    """Where the user said to begin.

    Attributes:
        everywhere: From the oldest record there is, for every partition.
        positions: First position to read, by partition.
    """

    everywhere: bool = False
    positions: Mapping[int, int] = field(default_factory=dict)

    def says(self, partition_id: int) -> bool:
        """Whether it says anything of a partition."""
        return self.everywhere or partition_id in self.positions


def serve(settings: ExporterSettings, environ: Mapping[str, str], begin: Begin) -> int:
    """Deliver events until told to stop; gives the exit code."""
    logs.configure(settings.log_level, settings.log_format)
    _log.info("starting", version=version("operate-connector"), settings=redacted(settings))
    for fault in doubtful_names(ExporterSettings, environ):
        _log.warning("doubtful setting", setting=fault.variable, problem=fault.problem)

    async def main(life: lifecycle.Lifecycle) -> None:
        await _work(settings, begin, life)

    return lifecycle.run(main, drain_deadline_s=settings.drain_deadline_s)


async def _work(settings: ExporterSettings, begin: Begin, life: lifecycle.Lifecycle) -> None:
    clock = SystemClock()
    registry = metrics.new_registry()
    life.start("loop watch", metrics.watch_loop(metrics.LOOP_LAG.on(registry), clock))
    counted = Metrics(registry)
    breaker = Breaker(settings.breaker_failures, settings.breaker_probe_ms / 1000, clock)
    counted.breaker.set_function(lambda: breaker.state.number)
    view = View(settings, breaker)
    async with AsyncExitStack() as stack:
        state = await open_state(
            settings.state_dir, settings.source_name, settings.dead_letters_max_bytes, clock
        )
        stack.callback(state.close)
        management = _management(registry, view, life)
        url = await stack.enter_async_context(
            health.serve(management, settings.management_port, clock=clock)
        )
        _log.info("management port open", url=url)
        life.start("dead letters", _count(state, view, counted, clock))
        delivery = await stack.enter_async_context(delivering(settings, breaker, counted, clock))
        options = await _source_options(settings, state, counted, clock)
        source = await _opened(stack, options, life.stopping, view)
        if source is None:  # told to stop before it answered
            return
        if not source.shared:
            stack.enter_context(Lease.take(settings.state_dir, f"reader-{settings.share.ordinal}"))
        await _rewind(state, begin)
        around = Surroundings(source, state, delivery, counted, clock, random.random)
        pipeline = Pipeline(settings.state_dir, settings.share, _lane_options(settings), around)
        counted.in_flight.set_function(lambda: pipeline.in_flight)
        view.pipeline = pipeline
        await _run_until_drained(pipeline, begin, life, settings.drain_deadline_s, clock)


def _management(
    registry: CollectorRegistry, view: View, life: lifecycle.Lifecycle
) -> health.Management:
    return health.Management(
        service=PROGRAM,
        version=version("operate-connector"),
        registry=registry,
        ready={
            **view.checks(),
            "life": lambda: "stopping" if life.stopping.is_set() else None,
        },
        sections=view.sections,
    )


@asynccontextmanager
async def delivering(
    settings: ExporterSettings, breaker: Breaker, counted: Metrics, clock: Clock
) -> AsyncIterator[Delivery]:
    """What sends batches to the backend of the settings."""
    options = HttpOptions(
        ca_file=settings.ca_file,
        proxies=settings.proxies(),
        user_agent=f"{PROGRAM}/{version('operate-connector')}",
    )
    token_s = (settings.oauth_connect_timeout_ms + settings.oauth_read_timeout_ms) / 1000
    async with (
        open_session(options) as session,
        TokenCache(session, clock, random.random, timeout_s=token_s) as tokens,
    ):
        target = Target(
            url=URL(settings.url),
            api_key=settings.api_key,
            oauth=settings.oauth,
            context=settings.context,
            gzip_min_bytes=settings.gzip_min_bytes,
        )
        yield Delivery(
            Backend(target, session, tokens),
            _policy(settings),
            breaker,
            metrics=counted,
            clock=clock,
            random=random.random,
        )


def _policy(settings: ExporterSettings) -> Policy:
    total_s, first_s = settings.request_timeout_ms / 1000, settings.retry_delay_ms / 1000
    return Policy(
        tries=settings.max_retries + 1,
        total_s=total_s,
        try_s=total_s if settings.try_timeout_ms is None else settings.try_timeout_ms / 1000,
        backoff=Backoff(first_s, cap_s=max(settings.retry_max_delay_ms / 1000, first_s)),
        later=settings.later,
    )


def _lane_options(settings: ExporterSettings) -> LaneOptions:
    return LaneOptions(
        limits=Limits(
            settings.batch_size, settings.batch_max_bytes, settings.batch_interval_ms / 1000
        ),
        in_flight=settings.max_batches_in_flight,
        selection=settings.selection,
        give_up=settings.continue_on_error,
    )


async def _source_options(
    settings: ExporterSettings, state: State, counted: Metrics, clock: Clock
) -> SourceOptions:
    # What was begun under other settings is made again as it was, so it must still be read.
    begun = [
        Selection.of(progress.pending.selection)
        for progress in (await state.positions()).values()
        if progress.pending is not None
    ]
    return source_options(settings, [settings.selection, *begun], Observer(counted), clock)


def source_options(
    settings: ExporterSettings,
    selections: Sequence[Selection],
    observer: SourceObserver,
    clock: Clock,
) -> SourceOptions:
    """What the source of the settings is made from."""
    return SourceOptions(
        url=settings.source_url,
        credentials=settings.source_credentials,
        sieve=Sieve(intents_of(selections)),
        state_dir=settings.state_dir,
        max_record_bytes=settings.max_record_bytes,
        inbox_max_bytes=settings.inbox_max_bytes,
        clock=clock,
        random=random.random,
        observer=observer,
    )


async def _opened(
    stack: AsyncExitStack, options: SourceOptions, stopping: asyncio.Event, view: View
) -> Source | None:
    """The source, however long it is away; None when told to stop before it was there."""
    attempt = 0
    while not stopping.is_set():
        try:
            source = await stack.enter_async_context(open_source(options))
        except SourceUnavailable as error:
            attempt += 1
            if view.waiting_for != str(error):
                _log.warning("waiting for the source", reason=str(error))
            view.waiting_for = str(error)
            delay_s = max(_PATIENCE.delay_s(attempt, options.random), error.retry_after_s or 0.0)
            await until(stopping, delay_s, options.clock)
        else:
            view.waiting_for = None
            view.source = source
            return source
    return None


async def _rewind(state: State, begin: Begin) -> None:
    if begin.everywhere:
        await state.rewind_all()
    for partition_id, first in begin.positions.items():
        await state.rewind(partition_id, first)
    if begin != Begin():
        _log.warning("rewound", everywhere=begin.everywhere, positions=dict(begin.positions))


async def _run_until_drained(
    pipeline: Pipeline,
    begin: Begin,
    life: lifecycle.Lifecycle,
    deadline_s: float,
    clock: Clock,
) -> None:
    """Run the lanes; after the word to stop, for no longer than the deadline."""
    running = asyncio.create_task(pipeline.run(life.stopping, rewound=begin.says), name="pipeline")
    ended = asyncio.Event()
    running.add_done_callback(lambda _: ended.set())
    try:
        stopped = asyncio.ensure_future(life.stopping.wait())
        await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not await until(ended, deadline_s, clock) and not running.done():
            _log.warning("not drained in time; the rest is sent after the next start")
    finally:
        running.cancel()
        await asyncio.wait((running,))
    if not running.cancelled():
        running.result()


async def _count(state: State, view: View, counted: Metrics, clock: Clock) -> None:
    """Keep the numbers of dead letters fresh; a redrive changes them from another process."""
    while True:
        try:
            view.dead_letters = await state.dead_letters()
        except StateUnavailable:
            _log.warning("dead letters cannot be counted now")
        counted.dead_letters.set(view.dead_letters.count)
        counted.dead_letter_bytes.set(view.dead_letters.bytes)
        await clock.sleep(_COUNT_S)


class Observer(SourceObserver):
    """Counts and logs what a source notices."""

    def __init__(self, counted: Metrics) -> None:
        self._counted = counted

    @override
    def gap(self, partition_id: int, reason: str) -> None:
        self._counted.gaps.inc()
        _log.error("records are gone", partition=partition_id, reason=reason)

    @override
    def warned(self, reason: str) -> None:
        _log.warning("source", reason=reason)
