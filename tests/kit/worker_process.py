"""A worker in a process of its own, to be stopped by a signal.

    python -m tests.kit.worker_process ADDRESS (poll | stream) HANDLER_MS

An open poll gets as long to answer as it takes: the gateway that it works for has a backlog.

SIGTERM sets its stop event, as the services do it; it exits with 0 when it has drained.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from tests.kit.waiting import PATIENCE_S
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
    grace_ms = 500 if mode == "stream" else round(PATIENCE_S * 1000)
    options = WorkerOptions(
        "demo", "process", stream_enabled=mode == "stream", stop_grace_ms=grace_ms
    )
    async with Gateway(address) as gateway:
        await Worker(gateway, options, handler).run(stop, drain_deadline_s=2)


if __name__ == "__main__":
    asyncio.run(_work(*sys.argv[1:]))
