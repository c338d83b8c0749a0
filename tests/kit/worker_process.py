"""A worker in a process of its own, to be stopped by a signal.

    python -m tests.kit.worker_process ADDRESS (poll | stream) HANDLER_MS

SIGTERM sets its stop event, as the services do it; it exits with 0 when it has drained.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from worker.gateway import Gateway
from worker.loop import Worker
from worker.options import WorkerOptions
from worker.outcome import Complete


async def _work(address: str, mode: str, handler_ms: str) -> None:
    async def handler(job):
        await asyncio.sleep(float(handler_ms) / 1000)
        return Complete()

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    options = WorkerOptions("demo", "process", stream_enabled=mode == "stream")
    async with Gateway(address) as gateway:
        await Worker(gateway, options, handler).run(stop, drain_deadline_s=2)


if __name__ == "__main__":
    asyncio.run(_work(*sys.argv[1:]))
