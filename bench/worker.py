"""What the worker costs beyond grpc.aio itself: CPU time a job, side by side in one run.

    python -m bench.worker [--jobs 10000] [--rounds 5] [--variables-bytes 600] [--asyncio]

Rounds alternate: raw (one poll at a time for 128 jobs, 64 tasks that complete them, nothing else),
then our worker with a handler that does nothing. Both talk to one gateway in another process, which
is written in Python and the ceiling of the rates; the CPU time a job is that of this process alone
and the figure to look at.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median

import grpc.aio
import psutil
import uvloop
from pyzeebe.proto import gateway_pb2 as pb
from pyzeebe.proto.gateway_pb2_grpc import GatewayStub

from bench.peers import started
from worker.gateway import Gateway
from worker.job import Job
from worker.loop import Worker
from worker.options import WorkerOptions
from worker.outcome import Complete, Outcome

_BATCH = 128
_COMPLETERS = 64
_RESULT = b'{"answer": {"status": 200, "body": {"items": [], "total": 0}}}'


@dataclass(frozen=True, slots=True)
class Figures:
    """One round: `rate` in jobs/s, CPU time in microseconds a job."""

    rate: float
    cpu_us: float


async def raw(address: str, jobs: int) -> int:
    """The least that polls and completes `jobs` jobs; gives how many they were."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = GatewayStub(channel)
        queue: asyncio.Queue[int] = asyncio.Queue(_BATCH)

        async def complete() -> None:
            while (key := await queue.get()) >= 0:
                await stub.CompleteJob(pb.CompleteJobRequest(jobKey=key, variables=_RESULT))  # type: ignore[arg-type, misc] # protobuf takes bytes, and the stub is asynchronous

        completers = [asyncio.create_task(complete()) for _ in range(_COMPLETERS)]
        left = jobs
        while left > 0:
            request = pb.ActivateJobsRequest(
                type="bench",
                worker="raw",
                timeout=300_000,
                maxJobsToActivate=min(_BATCH, left),
                requestTimeout=10_000,
            )
            async for answer in stub.ActivateJobs(request):  # type: ignore[attr-defined] # asynchronous, as the channel is
                left -= len(answer.jobs)
                for job in answer.jobs:
                    await queue.put(job.key)
        for _ in completers:
            await queue.put(-1)
        await asyncio.gather(*completers)
    return jobs


async def ours(address: str, jobs: int) -> int:
    """The same by our worker, which stops in good order after `jobs` jobs and a few more."""
    stop = asyncio.Event()
    handled = 0

    async def handler(_job: Job) -> Outcome:
        nonlocal handled
        handled += 1
        if handled == jobs:
            stop.set()
        return Complete(_RESULT)

    async with Gateway(address) as gateway:
        options = WorkerOptions("bench", "ours", max_jobs_active=_BATCH, stop_grace_ms=0)
        await Worker(gateway, options, handler).run(stop, 10)
    return handled


async def _measured(run: Callable[[str, int], Awaitable[int]], address: str, jobs: int) -> Figures:
    began_s, cpu_s = time.perf_counter(), time.process_time()
    done = await run(address, jobs)
    return Figures(
        done / (time.perf_counter() - began_s), (time.process_time() - cpu_s) / done * 1e6
    )


async def main(jobs: int, rounds: int, variables_bytes: int) -> None:
    """Measure and print the table."""
    results: dict[str, list[Figures]] = {"raw": [], "ours": []}
    variables = '{"a": "' + "x" * max(variables_bytes - 9, 0) + '"}'
    async with started("bench.gateway", variables, "{}") as port:
        address = f"localhost:{port}"
        for run in (raw, ours):
            await run(address, jobs // 5)
        for _ in range(rounds):
            for run in (raw, ours):
                results[run.__name__].append(await _measured(run, address, jobs))
    print(f"{'':8}{'jobs/s':>10}{'CPU µs/job':>14}   (medians of {rounds} rounds of {jobs} jobs)")
    for name, figures in results.items():
        rate, cpu_us = median(f.rate for f in figures), median(f.cpu_us for f in figures)
        print(f"{name:8}{rate:10.0f}{cpu_us:14.1f}")
    ratios = [
        mine.cpu_us / theirs.cpu_us
        for mine, theirs in zip(results["ours"], results["raw"], strict=True)
    ]
    print(f"ours / raw, CPU: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"memory of this process: {psutil.Process().memory_info().rss / 2**20:.0f} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--variables-bytes", type=int, default=600)
    parser.add_argument("--asyncio", action="store_true", help="the standard loop, not uvloop")
    chosen = parser.parse_args()
    run = asyncio.run if chosen.asyncio else uvloop.run
    run(main(chosen.jobs, chosen.rounds, chosen.variables_bytes))
