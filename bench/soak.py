"""Watches the exporter's memory under load, with the backend away half of the time.

    python -m bench.soak [--minutes 1] [--away-s 5]

Records are written faster than they are taken, so that queues are full whenever they can be. The
table has the resident memory when idle and over the run, which must stay flat: the median of the
last quarter is at most 10 % above that of the second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil
from aiohttp import web

from bench.kill import Backend, FileFeeder, Writer, environ_of, serving, start

GROWTH = 1.1
IDLE_MIB = 60
MIB = 2**20
AHEAD = 20_000
"""User tasks written and not taken yet."""


class FlappingBackend(Backend):
    """Away for a while, then there for as long."""

    away_s = 5.0

    async def __call__(self, request: web.Request) -> web.Response:
        """Answer one request."""
        if int(time.monotonic() / self.away_s) % 2:
            return web.Response(status=503)
        self._take(request.headers["Idempotency-Key"], await request.read())
        return web.Response(status=200)


async def run(minutes: float, away_s: float) -> bool:
    """Run, print and judge."""
    backend, writer = FlappingBackend(random.Random(1)), Writer()
    backend.away_s = away_s
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        async with serving(backend) as url:
            # The source knows each file that lies there, so their number must not grow with time.
            feeder = FileFeeder(directory, rotate_bytes=256 * MIB)
            environ = environ_of(directory, url) | feeder.environ
            process = await start(environ | {"APP_INTEGRATIONS_BATCH_SIZE": "50"})
            memory = psutil.Process(process.pid)
            await asyncio.sleep(3.0)
            idle_mib = memory.memory_info().rss / MIB
            feeding = asyncio.create_task(_feed(feeder, writer, backend))
            samples = await _sample(memory, minutes * 60)
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 40)
    return _judge(idle_mib, samples, backend)


async def _feed(feeder: FileFeeder, writer: Writer, backend: Backend) -> None:
    while True:
        # Always more than fits into any queue, and no more than a disk holds after half an hour.
        if writer.count - backend.taken < AHEAD:
            await feeder.feed(writer.some(1000))
        await asyncio.sleep(0.05)


async def _sample(memory: psutil.Process, for_s: float) -> list[float]:
    samples = []
    until_s = time.monotonic() + for_s
    while time.monotonic() < until_s:
        samples.append(memory.memory_info().rss / MIB)
        await asyncio.sleep(0.5)
    return samples


def _judge(idle_mib: float, samples: list[float], backend: Backend) -> bool:
    quarter = max(1, len(samples) // 4)
    quarters = [samples[at : at + quarter] for at in range(0, 4 * quarter, quarter)]
    medians = [statistics.median(part) for part in quarters]
    shown = "  ".join(f"{median:.1f}" for median in medians)
    print(f"idle {idle_mib:.1f} MiB; by quarters {shown} MiB; highest {max(samples):.1f} MiB")
    print(f"{backend.taken:,} events taken, {backend.repeats} repeats")
    return idle_mib <= IDLE_MIB and medians[3] <= GROWTH * medians[1] and backend.taken > 0


def main() -> int:
    """Watch; gives 1 when memory was not flat or too much."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--away-s", type=float, default=5.0)
    arguments = parser.parse_args()
    return 0 if asyncio.run(run(arguments.minutes, arguments.away_s)) else 1


if __name__ == "__main__":
    sys.exit(main())
