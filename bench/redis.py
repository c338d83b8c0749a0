"""What reading from Redis costs beyond bare XREADGROUP and XACK, side by side in one run.

    python -m bench.redis [--records 100000] [--rounds 5] [--asyncio]

Rounds alternate: bare (redis-py with hiredis, 500 entries a turn, confirmed and thrown away), then
our source (read, parsed, put in order by partition, confirmed together with the progress). Both
read one stream of user task records from a redis-server of the run's own. The goal is 60 %.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, closing, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import cast

import orjson
import redis
import uvloop
from yarl import URL

from exporter.progress import Progress
from exporter.record import Record, Sieve
from exporter.sources import Chunk, Credentials, SourceOptions
from exporter.sources.redis import open_source
from runtime.clock import SystemClock

_STREAM = "zeebe:USER_TASK"
_TURN = 500


class Silent:
    """Nothing is expected to be noticed; what is ends the run."""

    def gap(self, partition_id: int, reason: str) -> None:
        """Records are gone."""
        raise SystemExit(f"partition {partition_id}: {reason}")

    def warned(self, reason: str) -> None:
        """They soon will be."""
        raise SystemExit(reason)


def record(position: int) -> bytes:
    """A user task's record of about 765 bytes."""
    key = (1 << 51) + position
    return orjson.dumps(
        {
            "partitionId": 1,
            "value": {
                "userTaskKey": key,
                "assignee": "",
                "candidateGroupsList": ["sales", "back-office"],
                "candidateUsersList": [],
                "changedAttributes": [],
                "dueDate": "2026-02-01T12:00:00Z",
                "followUpDate": "",
                "formKey": 2251799813685252,
                "action": "",
                "creationTimestamp": 1_768_471_872_340,
                "elementId": "approve-order",
                "elementInstanceKey": key,
                "bpmnProcessId": "order-process",
                "processDefinitionVersion": 3,
                "processInstanceKey": key,
                "processDefinitionKey": 2251799813685251,
                "variables": {},
                "customHeaders": {"channel": "teams"},
                "tenantId": "<default>",
                "priority": 50,
            },
            "key": key,
            "timestamp": 1_768_471_872_340 + position,
            "valueType": "USER_TASK",
            "brokerVersion": "8.8.3",
            "recordType": "EVENT",
            "sourceRecordPosition": position - 1,
            "intent": "CREATED",
            "rejectionType": "NULL_VAL",
            "rejectionReason": "",
            "authorizations": {},
            "recordVersion": 1,
            "operationReference": -1,
            "position": position,
        }
    )


def bare(client: redis.Redis, records: int) -> None:
    """The least that reads a stream by a group and confirms it."""
    client.xgroup_create(_STREAM, "bare", id="0")
    left = records
    while left:
        ((_, entries),) = client.xreadgroup("bare", "reader", {_STREAM: ">"}, count=_TURN)
        client.xack(_STREAM, "bare", *(entry_id for entry_id, _ in entries))
        left -= len(entries)
    client.xgroup_destroy(_STREAM, "bare")


def options_of(url: str, state_dir: Path) -> SourceOptions:
    """What our source is made from."""
    return SourceOptions(
        url=URL(url),
        credentials=Credentials(),
        sieve=Sieve({"USER_TASK": {"CREATED"}}),
        state_dir=state_dir,
        max_record_bytes=1 << 20,
        inbox_max_bytes=1 << 20,
        clock=SystemClock(),
        random=lambda: 0.5,
        observer=Silent(),
    )


async def ours(options: SourceOptions, records: int) -> None:
    """The same by our source, each chunk acknowledged."""
    async with open_source(options) as source:
        partition_id = await anext(source.partitions())
        chunks = cast("AsyncGenerator[Chunk, None]", source.read(partition_id, Progress()))
        left = records
        async with aclosing(chunks):
            async for chunk in chunks:
                last = chunk.records[-1]
                assert isinstance(last, Record)
                await source.acknowledge(partition_id, Progress(last.position, chunk.bookmark))
                left -= len(chunk.records)
                if not left:
                    return


@contextmanager
def server(directory: Path) -> Iterator[int]:
    """A Redis without persistence; gives its port."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("needs the Debian package redis-server; run tests/system-packages")
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        port = int(listening.getsockname()[1])
    arguments = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(arguments, cwd=directory, stdout=subprocess.DEVNULL) as process:
        try:
            with redis.Redis(port=port) as client:
                while True:
                    try:
                        client.ping()
                        break
                    except redis.ConnectionError:
                        time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def fill(client: redis.Redis, records: int) -> None:
    """Write the records, a thousand a turn."""
    for begin in range(1, records + 1, 1000):
        with client.pipeline(transaction=False) as pipeline:
            for position in range(begin, min(begin + 1000, records + 1)):
                pipeline.xadd(_STREAM, {"1700000000000": record(position)})
            pipeline.execute()


def main(records: int, rounds: int, loop: str) -> None:
    """Measure and print the table."""
    rates: dict[str, list[float]] = {"bare": [], "ours": []}
    with (
        TemporaryDirectory() as directory,
        server(Path(directory)) as port,
        redis.Redis(port=port) as client,
    ):
        fill(client, records)
        for number in range(rounds):
            began_s = time.perf_counter()
            bare(client, records)
            rates["bare"].append(records / (time.perf_counter() - began_s))
            options = options_of(f"redis://127.0.0.1:{port}?group=ours-{number}", Path(directory))
            began_s = time.perf_counter()
            (uvloop.run if loop == "uvloop" else asyncio.run)(ours(options, records))
            rates["ours"].append(records / (time.perf_counter() - began_s))
    print(f"{'':6}{'records/s':>12}   (medians of {rounds} rounds of {records} records, {loop})")
    for name, measured in rates.items():
        print(f"{name:6}{median(measured):12.0f}")
    ratios = [mine / its for mine, its in zip(rates["ours"], rates["bare"], strict=True)]
    print(f"ours / bare: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), goal 0.60")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--asyncio", action="store_true", help="the standard loop, not uvloop")
    chosen = parser.parse_args()
    sys.exit(main(chosen.records, chosen.rounds, "asyncio" if chosen.asyncio else "uvloop"))
