from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from exporter.errors import ExporterError
from runtime.backoff import Backoff, Random
from runtime.clock import Clock

T = TypeVar("T")

_BACKOFF = Backoff(first_s=0.2, cap_s=5.0)


class Obstacles:
    """What is in the way of a lane, by where it is met: `source`, `state`, `backend`.

    Args:
        partition_id: For the log.
        clock: Time.
        random: Jitter.

    Attributes:
        reasons: What is in the way now, in words.
    """

    def __init__(self, partition_id: int, clock: Clock, random: Random) -> None:
        self.reasons: dict[str, str] = {}
        self._clock = clock
        self._random = random
        self._log = structlog.get_logger("exporter.lane").bind(partition=partition_id)

    @property
    def text(self) -> str | None:
        """All of them in one line; None when there are none."""
        return "; ".join(f"{where}: {reason}" for where, reason in self.reasons.items()) or None

    def met(self, where: str, reason: str) -> None:
        """Something is in the way; it is logged when it is new."""
        if self.reasons.get(where) != reason:
            self._log.warning("stalled", at=where, reason=reason)
            self.reasons[where] = reason

    def passed(self, where: str) -> None:
        """Nothing is in the way there any more."""
        if self.reasons.pop(where, None) is not None:
            self._log.info("going on", at=where)

    async def wait(self, where: str, reason: str, delay_s: float) -> None:
        """Wait because something is in the way."""
        self.met(where, reason)
        await self._clock.sleep(delay_s)

    async def back_off(self, where: str, reason: str, attempt: int) -> None:
        """Wait for the `attempt`-th time in a row (1-based), longer each time up to 5 s."""
        await self.wait(where, reason, _BACKOFF.delay_s(attempt, self._random))

    async def insist(
        self, where: str, work: Callable[[], Awaitable[T]], passing: type[Exception]
    ) -> T:
        """Do `work` until it succeeds or raises something else than `passing`."""
        attempt = 0
        while True:
            try:
                result = await work()
            except passing as error:
                attempt += 1
                await self.back_off(where, str(error), attempt)
            except ExporterError:  # of another kind, so what was in the way here is not any more
                self.passed(where)
                raise
            else:
                self.passed(where)
                return result
