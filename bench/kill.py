"""Kills the exporter at random moments while events flow, and counts what became of them.

    python -m bench.kill [--runs 20] [--source file] [--seed 1]

One log, one state directory, one backend; the service is killed with SIGKILL and started again as
often as told, and left to finish at the end. The table has the kills, the events, how many were
lost or out of order within their partition, and the repeats: requests that the backend had taken
before, which must carry the key and the body that they had.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import aiohttp
import orjson
from aiohttp import web

from bench import broker_feeders, feeders

KEY_BITS = 51
PARTITIONS = (1, 2)
KEY = "kill-test-key"
FINISH_S = 60.0
WARM = 0.9
"""How often the service is let begin before it is killed."""
BEHIND = 500
"""Events that may wait before the writer does."""
AWAY = 0.02
"""How often the backend says 503."""


class Feeder(Protocol):
    """Brings records to a source, for as long as it takes."""

    environ: Mapping[str, str]
    """Settings that make the exporter read them."""

    async def feed(self, records: Sequence[bytes]) -> None:
        """Hand on records in this order; they are not lost when the exporter is away."""
        ...


class FileFeeder:
    """Appends to a log file, rotated so often that hundreds of files lie there in the end."""

    def __init__(self, directory: Path, rotate_bytes: int = 2**14) -> None:
        self._log = directory / "records.jsonl"
        self._rotate_bytes = rotate_bytes
        self._rotations = 0
        self.environ = {"APP_INTEGRATIONS_SOURCE": f"file://{directory}/records*.jsonl"}

    async def feed(self, records: Sequence[bytes]) -> None:
        """Write lines; a rotation renames the file and begins a new one."""
        with self._log.open("ab") as file:
            file.writelines(record + b"\n" for record in records)
        if self._log.stat().st_size > self._rotate_bytes:
            self._rotations += 1
            self._log.rename(self._log.with_name(f"records-{self._rotations:05}.jsonl"))


class HttpFeeder:
    """Posts records, again and again until they are taken, as an exporter in a broker would."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._url = f"http://127.0.0.1:{_free_port()}"
        self._session = session
        self.environ = {
            "APP_INTEGRATIONS_SOURCE": self._url,
            "APP_INTEGRATIONS_SOURCE_API_KEY": KEY,
        }

    async def feed(self, records: Sequence[bytes]) -> None:
        """Post lines."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with self._session.post(
                    self._url, data=b"\n".join(records), headers={"x-api-key": KEY}
                ) as response:
                    if response.ok:
                        return
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def _file(directory: Path) -> AsyncIterator[Feeder]:
    yield FileFeeder(directory)


@contextlib.asynccontextmanager
async def _http(_directory: Path) -> AsyncIterator[Feeder]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5.0)) as session:
        yield HttpFeeder(session)


FEEDERS: dict[str, Callable[[Path], AbstractAsyncContextManager[Feeder]]] = {
    "file": _file,
    "http": _http,
    "elasticsearch": feeders.elasticsearch,
    "listener": feeders.listener,
    "redis": broker_feeders.redis,
    "kafka": broker_feeders.kafka,
}
"""By what `--source` calls it."""


@dataclass
class Backend:
    """Takes events after a moment, refuses now and then for a while, and remembers."""

    chance: random.Random
    first: dict[str, bytes] = field(default_factory=dict)
    repeats: int = 0
    changed: int = 0
    by_partition: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    async def __call__(self, request: web.Request) -> web.Response:
        """Answer one request."""
        key, body = request.headers["Idempotency-Key"], await request.read()
        await asyncio.sleep(self.chance.random() * 0.01)
        if self.chance.random() < AWAY:
            return web.Response(status=503)
        self._take(key, body)
        # The answer may come too late for a service that is killed meanwhile.
        await asyncio.sleep(self.chance.random() * 0.01)
        return web.Response(status=200)

    @property
    def taken(self) -> int:
        """Events, repeats left out."""
        return sum(map(len, self.by_partition.values()))

    def _take(self, key: str, body: bytes) -> None:
        if key in self.first:
            self.repeats += 1
            self.changed += self.first[key] != body
            return
        self.first[key] = body
        for event in orjson.loads(body)["events"]:
            partition, position = divmod(int(event["id"]), 1 << KEY_BITS)
            self.by_partition[partition].append(position)


@dataclass
class Writer:
    """Writes records, every fifth a user task, and knows which."""

    written: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    position: int = 0

    @property
    def count(self) -> int:
        """User tasks so far."""
        return sum(map(len, self.written.values()))

    def some(self, count: int) -> list[bytes]:
        """The next records."""
        return [self._record() for _ in range(count)]

    def _record(self) -> bytes:
        self.position += 1
        partition = PARTITIONS[self.position % len(PARTITIONS)]
        is_task = self.position % 5 == 0
        if is_task:
            self.written[partition].append(self.position)
        key = (partition << KEY_BITS) + self.position
        value = {
            "userTaskKey": key,
            "elementId": "approve",
            "elementInstanceKey": key,
            "bpmnProcessId": "order",
            "processDefinitionKey": 1,
            "processInstanceKey": key,
        }
        return orjson.dumps(
            {
                "partitionId": partition,
                "value": value,
                "key": key,
                "timestamp": time.time_ns() // 1_000_000,
                "valueType": "USER_TASK" if is_task else "JOB",
                "recordType": "EVENT",
                "intent": "CREATED",
                "position": self.position,
            }
        )


@dataclass(frozen=True)
class Result:
    """What is counted."""

    source: str
    kills: int
    events: int
    lost: int
    out_of_order: int
    repeats: int
    changed: int

    @property
    def is_fine(self) -> bool:
        """Nothing lost, order kept, for each kill at most a batch a lane repeated, unchanged."""
        allowed = self.kills * len(PARTITIONS)
        return not (self.lost or self.out_of_order or self.changed) and self.repeats <= allowed


async def run(source: str, kills: int, seed: int) -> Result:
    """Kill the service `kills` times and count."""
    chance = random.Random(seed)
    backend, writer = Backend(chance), Writer()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        async with serving(backend) as url, FEEDERS[source](directory) as feeder:
            environ = environ_of(directory, url) | dict(feeder.environ)
            enough = asyncio.Event()
            writing = asyncio.create_task(_write(writer, feeder, backend, chance, enough))
            for _ in range(kills):
                await _run_and_kill(environ, backend, chance)
            enough.set()
            await _finish(environ, backend, writer, writing)
    return _count(source, kills, backend, writer)


async def _write(
    writer: Writer,
    feeder: Feeder,
    backend: Backend,
    chance: random.Random,
    enough: asyncio.Event,
) -> None:
    while not enough.is_set():
        await feeder.feed(writer.some(chance.randint(1, 100)))
        await asyncio.sleep(chance.random() * 0.02)
        # Events are to flow at each kill, not to pile up for the end.
        while writer.count - backend.taken > BEHIND and not enough.is_set():  # noqa: ASYNC110 - as below
            await asyncio.sleep(0.01)


async def _run_and_kill(
    environ: Mapping[str, str], backend: Backend, chance: random.Random
) -> None:
    """Start the service and kill it: mostly while events flow, at times while it starts."""
    process = await start(environ)
    if chance.random() < WARM:
        before = backend.taken
        await _until(lambda: backend.taken > before or process.returncode is not None)
    await asyncio.sleep(chance.random() * 0.4)
    if process.returncode is not None:
        raise RuntimeError(f"the exporter ended by itself with exit code {process.returncode}")
    process.send_signal(signal.SIGKILL)
    await process.wait()


async def _finish(
    environ: Mapping[str, str], backend: Backend, writer: Writer, writing: asyncio.Task[None]
) -> None:
    """Let the service bring the rest, then stop it as one does."""
    process = await start(environ)
    await writing
    # What does not come in time is counted as lost.
    with contextlib.suppress(TimeoutError):
        await _until(lambda: backend.taken >= writer.count)
    process.terminate()
    await process.wait()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(FINISH_S):
        # what happens in another process has no event of its own
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def _count(source: str, kills: int, backend: Backend, writer: Writer) -> Result:
    lost = out_of_order = 0
    for partition in PARTITIONS:
        arrived, written = backend.by_partition[partition], writer.written[partition]
        lost += len(set(written) - set(arrived))
        out_of_order += sum(later <= before for before, later in pairwise(arrived))
    return Result(
        source,
        kills,
        backend.taken,
        lost,
        out_of_order,
        backend.repeats,
        backend.changed,
    )


async def start(environ: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start the service."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "exporter",
        "run",
        env=dict(environ),
        stderr=asyncio.subprocess.DEVNULL,
    )


def environ_of(directory: Path, url: str) -> dict[str, str]:
    """Settings for small batches and short waits."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "APP_INTEGRATIONS_URL": url,
        "APP_INTEGRATIONS_STATE_DIR": str(directory / "state"),
        "APP_INTEGRATIONS_MANAGEMENT_PORT": "0",
        "APP_INTEGRATIONS_BATCH_SIZE": "7",
        "APP_INTEGRATIONS_BATCH_INTERVAL_MS": "20",
        "APP_INTEGRATIONS_RETRY_DELAY_MS": "10",
        "APP_INTEGRATIONS_BREAKER_PROBE_MS": "50",
    }


@contextlib.asynccontextmanager
async def serving(backend: Backend) -> AsyncIterator[str]:
    """A backend on a free port; gives its URL."""
    runner = web.ServerRunner(web.Server(backend), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/events"
    finally:
        await runner.cleanup()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def main() -> int:
    """Run for each source and print the table; gives 1 when a promise was broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--source", choices=[*FEEDERS, "all"], default="all")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    sources = list(FEEDERS) if arguments.source == "all" else [arguments.source]
    print(
        f"{'source':14}{'kills':>7}{'events':>9}{'lost':>6}{'order':>7}{'repeats':>9}{'changed':>9}"
    )
    is_fine = True
    for source in sources:
        result = asyncio.run(run(source, arguments.runs, arguments.seed))
        is_fine = is_fine and result.is_fine
        print(
            f"{result.source:14}{result.kills:7}{result.events:9}{result.lost:6}"
            f"{result.out_of_order:7}{result.repeats:9}{result.changed:9}",
            flush=True,
        )
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
