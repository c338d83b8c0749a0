"""Which of several processes reads: a lock in Redis with a time limit, under a name that lasts.

A process that is killed and started anew on the same state directory has the same name, and so its
lock at once; another machine waits until the lock has run out.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from exporter.errors import SourceUnavailable
from exporter.sources.lasting_name import lasting_name
from exporter.sources.redis_streams.client import Client
from runtime.clock import Clock

LIFE_S = 15.0
RENEW_S = 2.0


class Ownership:
    """The right to read, held by one process at a time.

    Args:
        client: Redis.
        lock: Key of the lock.
        memory: Key of the hash that only the owner may write.
        state_dir: Where this process's name is kept.
        clock: Time.
        life_s: How long the lock stays when its owner is gone.

    Attributes:
        is_held: Whether it was ours when we last asked, and cannot have run out since.
    """

    def __init__(
        self,
        client: Client,
        lock: str,
        memory: str,
        *,
        state_dir: Path,
        clock: Clock,
        life_s: float = LIFE_S,
    ) -> None:
        self._client = client
        self._lock = lock
        self._memory = memory
        self._state_dir = state_dir
        self._clock = clock
        self._life_s = life_s
        self._named: ExitStack | None = None
        self._token = ""
        self._asked_s: float | None = None

    @property
    def is_held(self) -> bool:
        """Whether it was ours when we last asked, and cannot have run out since."""
        asked_s = self._asked_s
        return asked_s is not None and self._clock.monotonic_s() - asked_s < self._life_s

    @property
    def is_due(self) -> bool:
        """Whether it is time to renew it."""
        asked_s = self._asked_s
        renew_s = min(RENEW_S, self._life_s / 4)
        return asked_s is None or self._clock.monotonic_s() - asked_s >= renew_s

    async def take(self) -> bool:
        """Take it, unless another process has it."""
        if self._named is None:
            named = ExitStack()
            self._token = named.enter_context(lasting_name(self._state_dir, "redis-reader"))
            self._named = named
        asked_s = self._clock.monotonic_s()
        if not await self._client.hold(self._lock, self._token, self._life_ms):
            return False
        self._asked_s = asked_s
        return True

    async def renew(self) -> bool:
        """Prolong it; False when another process has it."""
        asked_s = self._clock.monotonic_s()
        command = self._client.renewing(self._lock, self._token, self._life_ms)
        if not await self._client.call(*command):
            self._asked_s = None
            return False
        self._asked_s = asked_s
        return True

    async def write(
        self, partition_id: int, text: str, confirming: Sequence[Sequence[str | bytes | int]] = ()
    ) -> bool:
        """Write a field of the hash and carry out commands with it.

        Returns:
            False when another process has the lock; the field was not written.
        """
        remembering = self._client.remembering(
            self._lock, self._token, self._memory, partition_id, text
        )
        written, *_ = await self._client.call_all([remembering, *confirming])
        if not written:
            self._asked_s = None
        return bool(written)

    async def give_up(self) -> None:
        """Let another process have it at once, as far as Redis can be reached."""
        if self.is_held:
            with suppress(SourceUnavailable):
                await self._client.release(self._lock, self._token)
        self._asked_s = None
        if self._named is not None:
            self._named.close()
            self._named = None

    @property
    def _life_ms(self) -> int:
        return int(self._life_s * 1000)
