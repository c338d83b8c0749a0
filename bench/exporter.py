"""What the exporter costs beyond reading: the whole way of user tasks, beside the bare loops.

    python -m bench.exporter [--records 1000000] [--rounds 3]

One core each for the exporter and for a sink that answers as fast as it can; JSON lines with 10 %
user tasks, batches of 500, 4 in flight, a commit a batch. The goals are ratios within one run:
at least 60 % of "pre-filter and msgspec, no POST" and 5 times "json, one request at a time".
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import msgspec
import orjson
from prometheus_client import CollectorRegistry
from yarl import URL

from exporter.backend import Backend, Target
from exporter.batch import Limits
from exporter.breaker import Breaker
from exporter.delivery import Delivery, Policy
from exporter.event import Selection, intents_of
from exporter.lane import LaneOptions, Surroundings
from exporter.metrics import Metrics
from exporter.pipeline import Pipeline, Share
from exporter.record import Record, Sieve
from exporter.service import Observer
from exporter.sources import Credentials, SourceOptions, open_source
from exporter.state import open_state
from exporter.user_task import user_task_json
from runtime.clock import SystemClock
from runtime.http import HttpOptions, open_session
from runtime.oauth import TokenCache

BATCH = 500
SIGN = b'"USER_TASK"'
KEY_BITS = 51
INTENTS = ("CREATED", "ASSIGNED", "COMPLETED")


def write_records(path: Path, count: int) -> None:
    """JSON lines as a broker's exporter would write them: every tenth is a user task."""
    with path.open("wb") as file:
        for position in range(1, count + 1):
            is_task = position % 10 == 0
            # in the order in which brokers write the fields
            record = {
                "partitionId": 1,
                "value": _task(position) if is_task else _instance(position),
                "key": (1 << KEY_BITS) + position,
                "timestamp": 1_768_471_871_440 + position,
                "valueType": "USER_TASK" if is_task else "PROCESS_INSTANCE",
                "brokerVersion": "8.8.3",
                "recordType": "EVENT",
                "sourceRecordPosition": position - 1,
                "intent": INTENTS[position // 10 % 3] if is_task else "ELEMENT_ACTIVATED",
                "rejectionType": "NULL_VAL",
                "rejectionReason": "",
                "authorizations": {},
                "recordVersion": 1,
                "operationReference": -1,
                "position": position,
            }
            file.write(orjson.dumps(record) + b"\n")


def _task(number: int) -> dict[str, object]:
    key = (1 << KEY_BITS) + number
    return {
        "userTaskKey": key,
        "assignee": f"user-{number % 97}",
        "candidateGroupsList": ["sales", "back-office"],
        "candidateUsersList": [],
        "changedAttributes": ["assignee"],
        "dueDate": "2026-02-01T12:00:00Z",
        "followUpDate": "",
        "formKey": key - 1,
        "action": "",
        "externalFormReference": "",
        "creationTimestamp": 1_768_471_871_440 + number,
        "elementId": "approve-order",
        "elementInstanceKey": key - 2,
        "bpmnProcessId": "order-process",
        "processDefinitionVersion": 3,
        "processInstanceKey": key - 3,
        "processDefinitionKey": 2_251_799_813_685_251,
        "variables": {"approved": True, "amount": number},
        "customHeaders": {"channel": "teams"},
        "tenantId": "<default>",
        "priority": 50,
        "tags": ["vip"],
    }


def _instance(number: int) -> dict[str, object]:
    key = (1 << KEY_BITS) + number
    return {
        "bpmnProcessId": "order-process",
        "version": 3,
        "processDefinitionKey": 2_251_799_813_685_251,
        "processInstanceKey": key,
        "elementId": "order-process",
        "flowScopeKey": -1,
        "bpmnElementType": "PROCESS",
        "bpmnEventType": "UNSPECIFIED",
        "parentProcessInstanceKey": -1,
        "parentElementInstanceKey": -1,
        "tenantId": "<default>",
        "elementInstancePath": [[key]],
        "processDefinitionPath": [2_251_799_813_685_251],
        "callingElementPath": [],
        "tags": [],
        "rootProcessInstanceKey": key,
        "businessId": "",
    }


class _Sink(asyncio.Protocol):
    """Answers 204 to whatever looks like a request, reading no more of it than its length."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._head = b""
        self._left = 0

    def data_received(self, data: bytes) -> None:
        if self._left:
            self._left -= len(data)
        else:
            self._head += data
            head, end, rest = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
            self._left = int(length) - len(rest)
            self._head = b""
        if self._left == 0:
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")  # type: ignore[attr-defined] # a stream's


async def _sink() -> None:
    server = await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def sink(core: int) -> Iterator[str]:
    """A sink in a process and on a core of its own; gives its URL."""
    command = [sys.executable, "-m", "bench.exporter", "--sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        os.sched_setaffinity(process.pid, {core})
        try:
            yield f"http://127.0.0.1:{(process.stdout or sys.stdin).readline().strip()}/events"
        finally:
            process.terminate()


def read_lines(path: Path) -> int:
    """The least that any reader does."""
    with path.open("rb") as file:
        return sum(1 for _ in file)


def bare(path: Path) -> int:
    """Pre-filter and msgspec, envelope and value, no POST."""
    decode = msgspec.json.Decoder(Record).decode
    seen = 0
    with path.open("rb") as file:
        for line in file:
            if SIGN in line:
                record = decode(line)
                if record.value_type == "USER_TASK" and record.intent in INTENTS:
                    _value.decode(record.value)
                    seen += 1
    return seen


class _Value(msgspec.Struct, rename="camel"):
    """The fields of a user task that an event is made of."""

    user_task_key: int
    assignee: str
    candidate_groups_list: list[str]
    candidate_users_list: list[str]
    due_date: str
    follow_up_date: str
    form_key: int
    external_form_reference: str
    creation_timestamp: int
    element_id: str
    element_instance_key: int
    bpmn_process_id: str
    process_definition_version: int
    process_instance_key: int
    process_definition_key: int
    custom_headers: dict[str, str]
    tenant_id: str
    priority: int
    tags: list[str]


_value = msgspec.json.Decoder(_Value)


def events_only(path: Path) -> int:
    """The same, with the event made and encoded: what upstream's shape costs by itself."""
    decode = msgspec.json.Decoder(Record).decode
    with path.open("rb") as file:
        return sum(1 for line in file if SIGN in line and user_task_json(decode(line)))


async def plain_json(path: Path, url: str) -> None:
    """The loop that one writes first: json everywhere, one request at a time, no position."""
    async with aiohttp.ClientSession() as session:
        events: list[object] = []
        with path.open("rb") as file:
            for line in file:
                record = json.loads(line)
                if record["valueType"] == "USER_TASK" and record["intent"] in INTENTS:
                    events.append({"id": str(record["key"]), **record["value"]})
                if len(events) == BATCH:
                    await _post(session, url, events)
                    events = []
        if events:
            await _post(session, url, events)


async def _post(session: aiohttp.ClientSession, url: str, events: list[object]) -> None:
    body = json.dumps({"events": events}).encode()
    async with session.post(url, data=body) as response:
        await response.read()


async def whole(path: Path, url: str, last: int) -> None:
    """The exporter from file to position."""
    clock = SystemClock()
    metrics = Metrics(CollectorRegistry())
    selection = Selection()
    with tempfile.TemporaryDirectory() as directory:
        options = SourceOptions(
            url=URL(f"file://{path}"),
            credentials=Credentials(),
            sieve=Sieve(intents_of([selection])),
            state_dir=Path(directory),
            max_record_bytes=2**20,
            inbox_max_bytes=2**20,
            clock=clock,
            random=random.random,
            observer=Observer(metrics),
        )
        state = await open_state(Path(directory), "bench", 2**30, clock)
        async with (
            open_session(HttpOptions()) as session,
            TokenCache(session, clock, random.random) as tokens,
            open_source(options) as source,
        ):
            backend = Backend(Target(URL(url)), session, tokens)
            delivery = Delivery(
                backend,
                Policy(),
                Breaker(5, 5.0, clock),
                metrics=metrics,
                clock=clock,
                random=random.random,
            )
            lanes = LaneOptions(Limits(BATCH, 10**6, 0.2), 4, selection, give_up=True)
            around = Surroundings(source, state, delivery, metrics, clock, random.random)
            pipeline = Pipeline(Path(directory), Share(), lanes, around)
            finish = asyncio.Event()
            running = asyncio.create_task(pipeline.run(finish, rewound=lambda _: False))
            # a lane tells nobody that it has reached a position
            while 1 not in pipeline.lanes or pipeline.lanes[1].done.position < last:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            finish.set()
            await running
        state.close()


def _run_whole(path: Path, url: str, last: int) -> None:
    import uvloop  # noqa: PLC0415 - as the service does, and no other row needs it

    uvloop.run(whole(path, url, last))


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sink", action="store_true")
    arguments = parser.parse_args()
    if arguments.sink:
        asyncio.run(_sink())
        return
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})
    with tempfile.TemporaryDirectory() as directory, sink(cores[-1]) as url:
        path = Path(directory) / "records.jsonl"
        write_records(path, arguments.records)
        _measure(path, url, arguments.records, arguments.rounds)


def _measure(path: Path, url: str, records: int, rounds: int) -> None:
    last = records // 10 * 10
    rows = {
        "read lines only": lambda: read_lines(path),
        "pre-filter and msgspec, no POST": lambda: bare(path),
        "the same, events made": lambda: events_only(path),
        "json, one request at a time": lambda: asyncio.run(plain_json(path, url)),
        "exporter, file to position": lambda: _run_whole(path, url, last),
    }
    rates: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(rounds):
        for name, work in rows.items():
            begin = time.perf_counter()
            work()
            rates[name].append(records / (time.perf_counter() - begin))
    ours = rates["exporter, file to position"]
    print(f"{records:,} records, {path.stat().st_size / records:.0f} bytes each, 10 % user tasks")
    for name, rate in rates.items():
        # Round by round, since the machine may be busier in one than in another.
        share = statistics.median(ours[at] / rate[at] for at in range(rounds))
        shown = f"{name:34} {statistics.median(rate):12,.0f} records/s"
        print(f"{shown}   exporter is {share:5.2f} of it")
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of all rows {peak_mib:.0f} MiB")


if __name__ == "__main__":
    main()
