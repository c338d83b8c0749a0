"""The second half of a lane: batches from the backlog to the backend, then the position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from exporter import deadletter
from exporter.backend import Request
from exporter.backlog import Backlog
from exporter.batch import Batch
from exporter.deadletter import Letter
from exporter.delivery import Delivered, Delivery, Rejected
from exporter.errors import DeadLettersFull, SourceUnavailable, StateUnavailable
from exporter.metrics import Metrics
from exporter.obstacles import Obstacles
from exporter.progress import Progress
from exporter.sources import Source
from exporter.state import State
from runtime.clock import Clock

_IDLE_COMMIT_S = 1.0
_TOGETHER_S = 0.02
"""How long the position after a batch waits to be written together with the bounds of the next."""


class Outflow:
    """Sends one batch at a time, each until it is delivered or set aside.

    A batch's bounds are durable before its first try, the position after it before the next batch
    is tried. Under load that is one write a batch: it ends one and announces the next.

    Args:
        partition_id: Whose batches these are.
        progress: How far the partition is.
        backlog: Where batches come from.
        delivery: Where they go.
        give_up: Whether a rejected batch is set aside; else it is tried for ever.
        state: Where progress and dead letters are kept.
        source: Told of progress.
        obstacles: Told when something is in the way.
        metrics: What became of batches.
        clock: Time.

    Attributes:
        done: How far the partition is; durable.
        sending: The batch that is being sent, None when none is.
    """

    def __init__(
        self,
        partition_id: int,
        progress: Progress,
        backlog: Backlog,
        delivery: Delivery,
        *,
        give_up: bool,
        state: State,
        source: Source,
        obstacles: Obstacles,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self.done = progress
        self.sending: Batch | None = None
        self._partition_id = partition_id
        self._backlog = backlog
        self._delivery = delivery
        self._give_up = give_up
        self._state = state
        self._source = source
        self._obstacles = obstacles
        self._metrics = metrics
        self._clock = clock
        self._log = structlog.get_logger("exporter.outflow").bind(partition=partition_id)

    async def run(self) -> None:
        """Send until the backlog is over.

        Raises:
            SourceRefused: The source will not take note of progress.
            StateUnusable: The state file is broken.
            PositionWentBack: Another process moves this partition.
        """
        while not self._backlog.is_over:
            batch = await self._backlog.take(_IDLE_COMMIT_S)
            if batch is None:
                await self._note_what_went_by()
                continue
            if self.done.pending != batch.bounds:
                self._warn_of_change(batch)
                if not await self._commit(replace(self.done, pending=batch.bounds)):
                    continue
            while batch is not None:
                self.sending = batch
                batch = await self._ship(batch)
            self.sending = None

    async def _ship(self, batch: Batch) -> Batch | None:
        """Bring a batch to its end; gives the next one, announced, when that is ready already."""
        request = Request(batch.idempotency_key, batch.body, len(batch.events))
        rounds = 0
        while True:
            outcome = await self._delivery.send(request)
            if isinstance(outcome, Delivered):
                return await self._delivered(batch)
            reason = outcome.reason
            if isinstance(outcome, Rejected) and self._give_up:
                try:
                    await self._set_aside(batch, outcome)
                except DeadLettersFull as error:
                    reason = f"{reason}; {error}"
                else:
                    return None
            rounds += 1
            await self._obstacles.wait("backend", reason, self._delivery.pause_s(rounds, outcome))

    async def _delivered(self, batch: Batch) -> Batch | None:
        following = await self._backlog.take(_TOGETHER_S)
        pending = None if following is None else following.bounds
        told = await self._commit(replace(batch.progress, pending=pending))
        self._obstacles.passed("backend")
        return following if told else None

    async def _set_aside(self, batch: Batch, outcome: Rejected) -> None:
        letter = deadletter.of_batch(
            batch,
            reason=outcome.reason,
            status=outcome.status,
            headers=outcome.headers,
            now_ms=self._clock.now_ms(),
        )
        await self._commit(batch.progress, [letter])
        self._obstacles.passed("backend")
        self._metrics.set_aside.labels("batch").inc()
        self._log.warning(
            "batch set aside",
            first=letter.first,
            last=letter.last,
            events=letter.count,
            status=outcome.status,
        )

    def _warn_of_change(self, batch: Batch) -> None:
        before = self.done.pending
        if before is not None:
            self._log.error(
                "a batch that was begun before cannot be made again: the source no longer gives "
                "the same records",
                begun=f"{before.first}-{before.last}",
                begun_events=before.count,
                now=f"{batch.bounds.first}-{batch.bounds.last}",
                now_events=batch.bounds.count,
            )

    async def _note_what_went_by(self) -> None:
        """Nothing is in hand: what was read and not asked for is done as well."""
        if self._backlog.is_empty and self._backlog.open.bookmark != self.done.bookmark:
            await self._commit(replace(self.done, bookmark=self._backlog.open.bookmark))

    async def _commit(self, progress: Progress, letters: Sequence[Letter] = ()) -> bool:
        """Make progress durable here, then tell the source.

        Returns:
            Whether the source took note. It need not when the partition was taken away; then a
            batch that this announces must not be sent, since the new owner knows nothing of it.

        Raises:
            DeadLettersFull: There is no room for the letters; nothing was changed.
        """
        await self._obstacles.insist(
            "state",
            lambda: self._state.commit(self._partition_id, progress, letters),
            StateUnavailable,
        )
        self.done = progress
        return await self._obstacles.insist(
            "source", lambda: self._tell(progress), SourceUnavailable
        )

    async def _tell(self, progress: Progress) -> bool:
        try:
            await self._source.acknowledge(self._partition_id, progress)
        except SourceUnavailable:
            # Whoever has the partition now begins where it was last told; nothing is lost by it.
            if not self._backlog.is_abandoned:
                raise
            return False
        return True
