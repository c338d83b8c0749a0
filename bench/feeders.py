"""What brings records to sources that ask for them, for `bench.kill`: stand-ins of their peers."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import orjson
from aiohttp import web

from devstack.elasticsearch import Documents, Elasticsearch, RecordExporter
from devstack.records import Record
from devstack.server import HttpServer
from runtime.clock import SystemClock

_REFRESH_S = 0.1
_JOB_TIMEOUT_MS = 1000
_MOST_WAITING = 200


class ElasticsearchFeeder:
    """Writes documents as Camunda's exporter does; searches see them a little later."""

    def __init__(self, exporter: RecordExporter, url: str) -> None:
        self._exporter = exporter
        query = "lag-ms=200&poll-ms=50&gap-ms=5000"
        self.environ = {"APP_INTEGRATIONS_SOURCE": f"elasticsearch+{url}?{query}"}

    async def feed(self, records: Sequence[bytes]) -> None:
        """Write them at once."""
        for raw in records:
            record = orjson.loads(raw)
            self._exporter.export(
                Record(
                    position=record["position"],
                    source_record_position=-1,
                    key=record["key"],
                    timestamp_ms=record["timestamp"],
                    partition_id=record["partitionId"],
                    record_type=record["recordType"],
                    value_type=record["valueType"],
                    intent=record["intent"],
                    value=record["value"],
                )
            )


@asynccontextmanager
async def elasticsearch(_directory: Path) -> AsyncIterator[ElasticsearchFeeder]:
    """An Elasticsearch on a free port."""
    clock = SystemClock()
    documents = Documents(clock, _REFRESH_S)
    async with _listening(Elasticsearch(documents).routes()) as url:
        yield ElasticsearchFeeder(RecordExporter(documents), url)


class ListenerFeeder:
    """Makes a listener's job of each user task, and gives it until it is completed.

    The jobs of a partition follow one another, as the changes of one task do: the next is made when
    the one before it is completed.
    """

    def __init__(self) -> None:
        self.environ: Mapping[str, str] = {}
        self._waiting: dict[int, deque[int]] = {}
        self._given_until_s: dict[int, float] = {}
        self._changed = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """The cluster's REST API, as far as a listener needs it."""
        return [
            web.get("/v2/topology", self._topology),
            web.post("/v2/jobs/activation", self._activate),
            web.post("/v2/jobs/{key}/completion", self._complete),
        ]

    async def feed(self, records: Sequence[bytes]) -> None:
        """Add jobs; waits while there are many, since nobody drops a user task."""
        for raw in records:
            record = orjson.loads(raw)
            if record["valueType"] == "USER_TASK":
                jobs = self._waiting.setdefault(record["partitionId"], deque())
                while len(jobs) >= _MOST_WAITING:
                    await self._change(0.1)
                jobs.append(record["key"])
        self._changed.set()

    async def _change(self, within_s: float) -> None:
        self._changed.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), within_s)

    async def _topology(self, _request: web.Request) -> web.Response:
        return web.json_response({"gatewayVersion": "8.8.0"})

    async def _activate(self, request: web.Request) -> web.Response:
        asked = await request.json()
        end_s = time.monotonic() + asked["requestTimeout"] / 1000
        while not (keys := self._free()) and time.monotonic() < end_s:
            await self._change(0.1)
        until_s = time.monotonic() + asked["timeout"] / 1000
        self._given_until_s.update(dict.fromkeys(keys, until_s))
        return web.json_response({"jobs": [_job(key) for key in keys]})

    def _free(self) -> list[int]:
        now_s = time.monotonic()
        first = [jobs[0] for jobs in self._waiting.values() if jobs]
        return [key for key in first if self._given_until_s.get(key, 0.0) <= now_s]

    async def _complete(self, request: web.Request) -> web.Response:
        key = int(request.match_info["key"])
        for jobs in self._waiting.values():
            if jobs and jobs[0] == key:
                jobs.popleft()
                self._given_until_s.pop(key, None)
                self._changed.set()
                return web.Response(status=204)
        return web.Response(status=404)


@asynccontextmanager
async def listener(_directory: Path) -> AsyncIterator[ListenerFeeder]:
    """A cluster's jobs on a free port."""
    feeder = ListenerFeeder()
    async with _listening(feeder.routes()) as url:
        query = f"type=tell&job-timeout-ms={_JOB_TIMEOUT_MS}&poll-ms=1000"
        feeder.environ = {"APP_INTEGRATIONS_SOURCE": f"listener+{url}?{query}"}
        yield feeder


def _job(key: int) -> dict[str, object]:
    return {
        "jobKey": str(key),
        "retries": 3,
        "processInstanceKey": str(key),
        "processDefinitionKey": "1",
        "processDefinitionId": "order",
        "processDefinitionVersion": 1,
        "elementId": "approve",
        "elementInstanceKey": str(key),
        "kind": "TASK_LISTENER",
        "listenerEventType": "CREATING",
        "userTask": {"userTaskKey": str(key)},
    }


@asynccontextmanager
async def _listening(routes: Sequence[web.RouteDef]) -> AsyncIterator[str]:
    server = HttpServer("feeder", routes, SystemClock())
    port = await server.start("127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.stop()
