"""What a job costs the connector, beside the least that can do it and beside a usual worker.

    python -m bench.connector [--jobs 3000] [--rounds 5]

Three contenders take the same jobs from one gateway, ask one HTTP server for the same page of 20
process instances, and complete the job with it:

- raw: a poll loop on grpc.aio, aiohttp, orjson; a fixed URL and token, nothing checked;
- ours: worker, secrets, inputs, token cache, response checks, result expression;
- peer: pyzeebe's worker with its waits tuned away, aiohttp, the standard json.

The servers are written in Python and are the ceiling of the rates: look at the CPU time a job.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median

import aiohttp
import grpc.aio
import orjson
import psutil
import pyzeebe
import uvloop
from pyzeebe.proto import gateway_pb2 as pb
from pyzeebe.proto.gateway_pb2_grpc import GatewayStub

from bench.peers import started
from connector.authorization import Authorizer
from connector.client import Client
from connector.inputs import FETCHED, Policy
from connector.login import Logins
from connector.operate import OperateConnector
from connector.pipeline import Pipeline
from runtime.clock import SystemClock
from runtime.collector import collecting_seldom
from runtime.http import HttpOptions, open_session
from runtime.oauth import TokenCache
from worker.gateway import Gateway
from worker.job import Job
from worker.loop import Worker
from worker.options import WorkerOptions
from worker.outcome import Outcome

_WINDOW = 64
_ITEMS = 20
_FILTER = {"bpmnProcessId": "order", "state": "ACTIVE"}
_HEADERS = orjson.dumps({"resultExpression": "={operateResponse: response.body}"}).decode()


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the gateway and the API are."""

    gateway: str
    api: str


@dataclass(frozen=True, slots=True)
class Figures:
    """One round: `rate` in jobs/s, CPU time in microseconds a job."""

    rate: float
    cpu_us: float


def inputs(api: str) -> str:
    """The variables that each job brings."""
    return orjson.dumps(
        {
            "cluster": {
                "deployment": "selfManaged",
                "operateUrl": api,
                "tokenUrl": f"{api}/token",
            },
            "authentication": {"type": "oauth", "clientId": "bench", "clientSecret": "bench"},
            "request": {"endpoint": "processInstances", "operation": "search", "filter": _FILTER},
            "timeoutSeconds": 20,
        }
    ).decode()


async def raw(servers: Servers, jobs: int) -> int:
    """The least that polls, asks and completes."""
    url = f"{servers.api}/v1/process-instances/search"
    headers = {"Authorization": "Bearer bench", "Content-Type": "application/json"}
    body = orjson.dumps({"size": _ITEMS, "filter": _FILTER})
    async with (
        grpc.aio.insecure_channel(servers.gateway) as channel,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_WINDOW)) as session,
    ):
        stub = GatewayStub(channel)
        queue: asyncio.Queue[int] = asyncio.Queue(_WINDOW)

        async def complete() -> None:
            while (key := await queue.get()) >= 0:
                async with session.post(url, data=body, headers=headers) as response:
                    page = orjson.loads(await response.read())
                result = orjson.dumps({"operateResponse": page})
                await stub.CompleteJob(pb.CompleteJobRequest(jobKey=key, variables=result))  # type: ignore[arg-type, misc] # protobuf takes bytes, and the stub is asynchronous

        completers = [asyncio.create_task(complete()) for _ in range(_WINDOW)]
        left = jobs
        while left > 0:
            request = pb.ActivateJobsRequest(
                type="bench",
                worker="raw",
                timeout=300_000,
                maxJobsToActivate=min(_WINDOW, left),
                fetchVariable=FETCHED,
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


async def ours(servers: Servers, jobs: int) -> int:
    """The connector as it runs, but for its logs and its management port."""
    stop = asyncio.Event()
    handled = 0
    clock = SystemClock()
    with collecting_seldom():  # as `lifecycle.run` has it
        async with (
            open_session(HttpOptions(connections=_WINDOW)) as session,
            TokenCache(session, clock, random.random) as tokens,
            Logins(session) as logins,
            Gateway(servers.gateway) as gateway,
        ):
            client = Client(session, Authorizer(tokens, logins), clock, max_response_bytes=2**20)
            connector = OperateConnector(client, Policy())
            pipeline = Pipeline(connector, [], gateway.update_job_timeout, Blind(), clock)

            async def handle(job: Job) -> Outcome:
                nonlocal handled
                outcome = await pipeline.handle(job)
                handled += 1
                if handled == jobs:
                    stop.set()
                return outcome

            options = WorkerOptions(
                "bench",
                "ours",
                fetch_variables=FETCHED,
                max_jobs_active=_WINDOW,
                stop_grace_ms=0,
            )
            await Worker(gateway, options, handle).run(stop, 10)
    return handled


class Blind:
    """A witness that looks away."""

    def ended(self, *_seen: object) -> None:
        """Nothing."""


async def peer(servers: Servers, jobs: int) -> int:
    """What a team would write with pyzeebe, its five-second waits tuned away."""
    url = f"{servers.api}/v1/process-instances/search"
    headers = {"Authorization": "Bearer bench"}
    done = asyncio.Event()
    handled = 0
    channel = pyzeebe.create_insecure_channel(servers.gateway)
    worker = pyzeebe.ZeebeWorker(channel, poll_retry_delay=0.001)  # type: ignore[arg-type] # seconds; its annotation says int
    connector = aiohttp.TCPConnector(limit=_WINDOW)
    async with aiohttp.ClientSession(connector=connector) as session:

        @worker.task(
            task_type="bench",
            max_jobs_to_activate=_WINDOW,
            max_running_jobs=_WINDOW,
            variables_to_fetch=["request"],
            timeout_ms=300_000,
        )
        async def ask(request: dict[str, object]) -> dict[str, object]:
            nonlocal handled
            body = {"size": _ITEMS, "filter": request["filter"]}
            async with session.post(url, json=body, headers=headers) as response:
                page = await response.json()
            handled += 1
            if handled == jobs:
                done.set()
            return {"operateResponse": page}

        working = asyncio.create_task(worker.work())
        await done.wait()
        await worker.stop()
        await working
        await channel.close()
    return handled


async def _measured(
    run: Callable[[Servers, int], Awaitable[int]],
    servers: Servers,
    jobs: int,
) -> Figures:
    began_s, cpu_s = time.perf_counter(), time.process_time()
    done = await run(servers, jobs)
    return Figures(
        done / (time.perf_counter() - began_s),
        (time.process_time() - cpu_s) / done * 1e6,
    )


async def main(jobs: int, rounds: int) -> None:
    """Measure and print the table."""
    contenders = (raw, ours, peer)
    results: dict[str, list[Figures]] = {run.__name__: [] for run in contenders}
    async with started("bench.api", str(_ITEMS)) as api_port:
        api = f"http://127.0.0.1:{api_port}"
        async with started("bench.gateway", inputs(api), _HEADERS) as gateway_port:
            servers = Servers(f"localhost:{gateway_port}", api)
            for run in contenders:
                await run(servers, jobs // 5)
            for _ in range(rounds):
                for run in contenders:
                    results[run.__name__].append(await _measured(run, servers, jobs))
    print(f"{'':8}{'jobs/s':>10}{'CPU µs/job':>14}   (medians of {rounds} rounds of {jobs} jobs)")
    for name, figures in results.items():
        rate, cpu_us = median(f.rate for f in figures), median(f.cpu_us for f in figures)
        print(f"{name:8}{rate:10.0f}{cpu_us:14.1f}")
    for name in ("raw", "peer"):
        ratios = [
            theirs.cpu_us / mine.cpu_us
            for mine, theirs in zip(results["ours"], results[name], strict=True)
        ]
        print(f"{name} / ours, CPU: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"memory of this process: {psutil.Process().memory_info().rss / 2**20:.0f} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    uvloop.run(main(chosen.jobs, chosen.rounds))
