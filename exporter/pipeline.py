"""A lane for each partition, as partitions appear; the lanes know nothing of one another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from exporter.errors import LeaseHeld, SourceUnavailable, StateUnavailable
from exporter.lane import Lane, LaneOptions, Surroundings
from exporter.lease import Lease
from exporter.obstacles import Obstacles
from exporter.progress import Progress
from exporter.record import UNKNOWN_PARTITION

_LEASE_S = 1.0


@dataclass(frozen=True, slots=True)
class Share:
    """Which partitions are this process's, where replicas divide them by ordinal.

    Attributes:
        replicas: How many processes there are.
        ordinal: Which one this is, from 0.
    """

    replicas: int = 1
    ordinal: int = 0

    def has(self, partition_id: int) -> bool:
        """Whether a partition is ours; what cannot be told goes to the first."""
        place = 0 if partition_id == UNKNOWN_PARTITION else partition_id - 1
        return place % self.replicas == self.ordinal


class Pipeline:
    """Runs the lanes.

    Args:
        state_dir: Where leases lie.
        share: Which partitions are ours.
        options: For every lane.
        around: What all lanes work with.

    Attributes:
        lanes: Those that run, by partition.
        obstacles: Why partitions are not found or not begun, if so.
    """

    def __init__(
        self, state_dir: Path, share: Share, options: LaneOptions, around: Surroundings
    ) -> None:
        self.lanes: dict[int, Lane] = {}
        self.obstacles = Obstacles(UNKNOWN_PARTITION, around.clock, around.random)
        self._state_dir = state_dir
        self._share = share
        self._options = options
        self._around = around
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._begun: set[int] = set()

    @property
    def in_flight(self) -> int:
        """Batches that are being sent or closed and waiting, over all lanes."""
        return sum(lane.in_flight for lane in self.lanes.values())

    async def run(self, finish: asyncio.Event, *, rewound: Callable[[int], bool]) -> None:
        """Deliver until `finish` is set and all that was read is sent.

        Args:
            finish: Ends reading.
            rewound: Whether the user said where to begin with a partition, so that what the source
                remembers of it does not count the first time.

        Raises:
            LeaseHeld: Another process has one of the partitions.
            SourceRefused: The source will not work as it is set up.
            StateError: The state file is broken or moved by somebody else.
        """
        async with asyncio.TaskGroup() as group:
            if not self._around.source.shared:
                for partition_id in await self._positions():
                    await self._begin(partition_id, group, finish, rewound)
            watching = group.create_task(self._watch(group, finish, rewound), name="partitions")
            await finish.wait()
            watching.cancel()
            for partition_id, task in self._tasks.items():
                if partition_id not in self.lanes:  # it waits to begin and has read nothing
                    task.cancel()

    async def _watch(
        self, group: asyncio.TaskGroup, finish: asyncio.Event, rewound: Callable[[int], bool]
    ) -> None:
        failures = 0
        while True:
            # Sources are generators, which must be closed when they are left.
            partitions = cast("AsyncGenerator[int, None]", self._around.source.partitions())
            try:
                async with aclosing(partitions):
                    async for partition_id in partitions:
                        failures = 0
                        self.obstacles.passed("source")
                        await self._begin(partition_id, group, finish, rewound)
            except SourceUnavailable as error:
                failures += 1
                await self.obstacles.back_off("source", str(error), failures)

    async def _begin(
        self,
        partition_id: int,
        group: asyncio.TaskGroup,
        finish: asyncio.Event,
        rewound: Callable[[int], bool],
    ) -> None:
        """Start a lane, if the partition is ours and has none; it is written down on return."""
        if not self._share.has(partition_id):
            return
        before = self._tasks.get(partition_id)
        if before is not None and not before.done():
            if not self._around.source.shared:
                return
            await asyncio.wait((before,))  # given back while the lane still ended
        await self.obstacles.insist(
            "state", lambda: self._write_down(partition_id), StateUnavailable
        )
        self._tasks[partition_id] = group.create_task(
            self._run(partition_id, finish, rewound), name=f"lane-{partition_id}"
        )

    async def _write_down(self, partition_id: int) -> None:
        if partition_id not in await self._around.state.positions():
            await self._around.state.commit(partition_id, Progress())

    async def _positions(self) -> Mapping[int, Progress]:
        return await self.obstacles.insist("state", self._around.state.positions, StateUnavailable)

    async def _run(
        self, partition_id: int, finish: asyncio.Event, rewound: Callable[[int], bool]
    ) -> None:
        with await self._lease(partition_id):
            # A partition that comes back has been moved on since; begun anew, it would be repeated.
            is_new = partition_id not in self._begun
            self._begun.add(partition_id)
            heed_source = not (is_new and rewound(partition_id))
            progress, is_told = await self._progress(partition_id, heed_source=heed_source)
            lane = Lane(partition_id, progress, self._options, self._around, is_told=is_told)
            self.lanes[partition_id] = lane
            self._show(lane)
            try:
                await lane.run(finish)
            finally:
                del self.lanes[partition_id]
                self._hide(partition_id)

    def _show(self, lane: Lane) -> None:
        label, metrics = str(lane.partition_id), self._around.metrics
        metrics.position.labels(label).set_function(lambda: lane.done.position)
        metrics.lag.labels(label).set_function(lambda: lane.lag_s)
        metrics.stalled.labels(label).set_function(lambda: int(bool(lane.obstacles.reasons)))

    def _hide(self, partition_id: int) -> None:
        """A partition that is no longer ours is another process's to tell of."""
        metrics = self._around.metrics
        for gauge in (metrics.position, metrics.lag, metrics.stalled):
            gauge.remove(str(partition_id))

    async def _lease(self, partition_id: int) -> Lease:
        name = f"partition-{partition_id}"
        while True:
            try:
                lease = Lease.take(self._state_dir, name)
            except (LeaseHeld, StateUnavailable) as error:
                if isinstance(error, LeaseHeld) and not self._around.source.shared:
                    raise
                await self.obstacles.wait(name, str(error), _LEASE_S)
            else:
                self.obstacles.passed(name)
                return lease

    async def _progress(self, partition_id: int, *, heed_source: bool) -> tuple[Progress, bool]:
        """Ours or the source's, whichever is further; the source's where they are as far.

        Since then another process may have announced a batch to the source, and ours knows nothing
        of it.

        Returns:
            The progress, and whether the source knows of it.
        """
        ours = (await self._positions()).get(partition_id, Progress())
        if not heed_source:
            return ours, False
        theirs = await self.obstacles.insist(
            "source", lambda: self._around.source.progress(partition_id), SourceUnavailable
        )
        if theirs is None or ours.position > theirs.position:
            return ours, False
        return theirs, True
