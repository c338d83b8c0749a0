from __future__ import annotations

import asyncio
from collections import deque

from aiohttp import ClientError, ClientSession, ClientTimeout
from pydantic import SecretStr

from devstack.records import Record
from runtime.backoff import Backoff, Random
from runtime.clock import Clock

_BATCH = 500
_TIMEOUT_S = 10.0
_KEPT_RECORDS = 1_000_000


class RecordPush:
    """Posts records as lines of JSON, in order, each until it is taken.

    `log.subscribe(push.add)` hands it records, `run` sends them. What is not taken is sent again,
    for ever, like a broker's exporter does it; beyond a million records that wait, the newest are
    refused.

    Args:
        url: where to; anything but a 2xx means that the records were not taken.
        key: sent as `x-api-key`; None sends none.
        clock: for the back-off.
        random: its jitter.
    """

    def __init__(self, url: str, key: SecretStr | None, clock: Clock, random: Random) -> None:
        self._url = url
        self._headers = {"Content-Type": "application/x-ndjson"}
        if key is not None:
            self._headers["x-api-key"] = key.get_secret_value()
        self._clock = clock
        self._random = random
        self._backoff = Backoff(first_s=0.1, cap_s=2.0)
        self._waiting: deque[bytes] = deque()
        self._arrival = asyncio.Event()

    def add(self, record: Record) -> None:
        """Send this record too.

        Raises:
            BufferError: A million records wait already.
        """
        if len(self._waiting) >= _KEPT_RECORDS:
            raise BufferError(f"a million records wait for {self._url}; start what takes them")
        self._waiting.append(record.to_json())
        self._arrival.set()

    async def run(self) -> None:
        """Send what was added, until cancelled."""
        async with ClientSession(timeout=ClientTimeout(total=_TIMEOUT_S)) as session:
            attempt = 0
            while True:
                while not self._waiting:
                    self._arrival.clear()
                    await self._arrival.wait()
                batch = [self._waiting[n] for n in range(min(_BATCH, len(self._waiting)))]
                if await self._is_taken(session, b"\n".join(batch) + b"\n"):
                    attempt = 0
                    for _ in batch:
                        self._waiting.popleft()
                else:
                    attempt += 1
                    await self._clock.sleep(self._backoff.delay_s(attempt, self._random))

    async def _is_taken(self, session: ClientSession, body: bytes) -> bool:
        try:
            async with session.post(self._url, data=body, headers=self._headers) as response:
                return response.ok
        except (ClientError, TimeoutError):
            return False
