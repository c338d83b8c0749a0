"""One partition from source to position, strictly in order; the only place that knows the order.

    intake:   source → record → event → backlog                  waits while the backlog is full
    outflow:  backlog → bounds written → delivery → position     one batch at a time

Both run side by side. When something is in the way, the lane waits with back-off and tries again,
for ever, and says why in `obstacles`. It leaves nothing out but what it has written down as a dead
letter.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from exporter.backlog import Backlog
from exporter.batch import Limits, OpenBatch
from exporter.delivery import Delivery
from exporter.errors import SourceUnavailable
from exporter.event import Selection
from exporter.intake import Intake
from exporter.metrics import Metrics
from exporter.obstacles import Obstacles
from exporter.outflow import Outflow
from exporter.progress import Progress
from exporter.sources import Source
from exporter.state import State
from exporter.waiting import until
from runtime.backoff import Random
from runtime.clock import Clock

_LAST_WORDS_S = 5.0
"""How long a lane whose partition was taken away may bring what it sends to its end."""


@dataclass(frozen=True, slots=True)
class LaneOptions:
    """What is the same for every lane.

    Attributes:
        limits: When a batch is closed.
        in_flight: Batches that are being sent or closed and waiting.
        selection: What is asked for.
        give_up: Whether a rejected batch is set aside; else it is tried for ever.
    """

    limits: Limits
    in_flight: int
    selection: Selection
    give_up: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all lanes work with."""

    source: Source
    state: State
    delivery: Delivery
    metrics: Metrics
    clock: Clock
    random: Random


class Lane:
    """One partition's way from source to backend.

    `run` may be called once. Cancelling it ends the lane at any moment without loss.

    Args:
        partition_id: Whose records these are.
        progress: How far it is.
        options: The same for every lane.
        around: What it works with.
        is_told: Whether the source knows of this progress already.

    Attributes:
        partition_id: Whose records these are.
        obstacles: Why it does not go on, if so.
    """

    def __init__(
        self,
        partition_id: int,
        progress: Progress,
        options: LaneOptions,
        around: Surroundings,
        *,
        is_told: bool,
    ) -> None:
        self.partition_id = partition_id
        self._is_told = is_told
        self._source = around.source
        self.obstacles = Obstacles(partition_id, around.clock, around.random)
        self._clock = around.clock
        self._backlog = Backlog(
            OpenBatch(partition_id, options.limits, options.selection, progress),
            options.in_flight - 1,
            around.clock,
        )
        self._intake = Intake(
            partition_id,
            progress,
            around.source,
            self._backlog,
            state=around.state,
            obstacles=self.obstacles,
            metrics=around.metrics,
            clock=around.clock,
        )
        self._outflow = Outflow(
            partition_id,
            progress,
            self._backlog,
            around.delivery,
            give_up=options.give_up,
            state=around.state,
            source=around.source,
            obstacles=self.obstacles,
            metrics=around.metrics,
            clock=around.clock,
        )

    @property
    def done(self) -> Progress:
        """How far the partition is; durable."""
        return self._outflow.done

    @property
    def in_flight(self) -> int:
        """Batches that are being sent or closed and waiting."""
        return self._backlog.closed + (self._outflow.sending is not None)

    @property
    def lag_s(self) -> float:
        """Age of the oldest event that is read and not done; 0 when there is none."""
        sending = self._outflow.sending
        oldest_ms = sending.events[0].timestamp_ms if sending else self._backlog.oldest_ms
        return 0.0 if oldest_ms is None else max(0.0, (self._clock.now_ms() - oldest_ms) / 1000)

    async def run(self, finish: asyncio.Event) -> None:
        """Go on until the partition is taken away, or `finish` is set and what was read is sent.

        After the partition was taken away a batch that is not delivered within 5 s is left to the
        new owner, so that a lane that stands still does not stand in the way of its own return.

        Raises:
            SourceRefused: The source will not work as it is set up.
            StateUnusable: The state file is broken.
            PositionWentBack: Another process moves this partition.
        """
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._intake.run(), name=f"intake-{self.partition_id}")
            sending = group.create_task(self._send(), name=f"outflow-{self.partition_id}")
            finishing = group.create_task(finish.wait())
            await asyncio.wait((reading, finishing), return_when=asyncio.FIRST_COMPLETED)
            if finishing.done():
                reading.cancel()
                await asyncio.wait((reading,))
                self._backlog.drain()
            else:
                finishing.cancel()
                self._backlog.abandon()
                await self._end_soon(sending)

    async def _send(self) -> None:
        await self._tell_source()
        await self._outflow.run()

    async def _tell_source(self) -> None:
        """Tell the source where this lane begins, if it does not know, before anything is sent.

        It does not when the process ended before it could say so, or when the user said where to
        begin. A batch that was announced in our state alone would be made in another way by the
        next owner of the partition.
        """
        attempt = 0
        while not self._is_told and not self._backlog.is_abandoned:
            try:
                await self._source.acknowledge(self.partition_id, self._outflow.done)
            except SourceUnavailable as error:
                attempt += 1
                await self.obstacles.back_off("source", str(error), attempt)
            else:
                self._is_told = True
                self.obstacles.passed("source")

    async def _end_soon(self, sending: asyncio.Task[None]) -> None:
        """Let what is being sent come to its end, for a while: the new owner repeats it anyway."""
        sent = asyncio.Event()
        sending.add_done_callback(lambda _: sent.set())
        if not await until(sent, _LAST_WORDS_S, self._clock):
            sending.cancel()
