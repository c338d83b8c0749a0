"""A Zeebe gateway that answers from a script, over real gRPC on a real socket.

It keeps the jobs' books as the engine does: a job waits, is held by whoever it was given to, and
ends by a command; a failed one with retries left waits again. On top of that a test scripts what
goes wrong: failures, answers that are held back, polls that end at once, restarts.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import grpc
import grpc.aio
from google.protobuf.message import Message
from pyzeebe.proto import gateway_pb2 as pb
from pyzeebe.proto.gateway_pb2_grpc import GatewayServicer, add_GatewayServicer_to_server

from runtime.clock import Clock, SystemClock
from tests.kit.waiting import PATIENCE_S, eventually


@dataclass(frozen=True, slots=True)
class Received:
    """One call, as it came in.

    Attributes:
        method: Its name, such as `CompleteJob`.
        request: Its message.
        metadata: Its header fields.
        at_s: When, on the monotonic clock.
    """

    method: str
    request: Message
    metadata: dict[str, str]
    at_s: float


@dataclass(slots=True)
class _Failure:
    status: grpc.StatusCode
    details: str
    times: float


@dataclass(slots=True)
class Script:
    """What goes wrong, by method name."""

    failures: dict[str, list[_Failure]] = field(default_factory=lambda: defaultdict(list))
    gates: dict[str, asyncio.Event] = field(default_factory=dict)

    def fail(
        self,
        method: str,
        status: grpc.StatusCode,
        *,
        times: float = 1,
        details: str = "as scripted",
    ) -> None:
        """Let the next `times` calls of `method` end with `status`."""
        self.failures[method].append(_Failure(status, details, times))

    def mend(self, method: str) -> None:
        """Let `method` work again."""
        self.failures[method].clear()

    def hold(self, method: str) -> asyncio.Event:
        """Let calls of `method` hang until the event is set."""
        return self.gates.setdefault(method, asyncio.Event())


class ScriptedGateway(GatewayServicer):
    """Use it as an async context manager; `address` is where it listens."""

    def __init__(self, *, token: str | None = None, job_timeout_ms: int | None = None) -> None:
        """Make a gateway.

        Args:
            token: Refuse calls that do not carry it as a bearer token.
            job_timeout_ms: Give jobs this time whatever the worker asks for.
        """
        self.script = Script()
        self.token = token
        self.long_polling = True
        self.waiting: deque[pb.ActivatedJob] = deque()
        self.held: dict[int, pb.ActivatedJob] = {}
        self.ended: Counter[int] = Counter()
        self.most_held = 0
        self.received: list[Received] = []
        self.open_calls: Counter[str] = Counter()
        self.port = 0
        self.tls: grpc.ServerCredentials | None = None
        self.clock: Clock = SystemClock()
        self._job_timeout_ms = job_timeout_ms
        self._next_key = 2_251_799_813_685_249
        self._changed = asyncio.Event()
        self._server: grpc.aio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def address(self) -> str:
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}"

    async def start(self) -> None:
        """Listen; after `stop` on the same port again."""
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        add_GatewayServicer_to_server(self, self._server)
        where = f"localhost:{self.port}"
        if self.tls:
            self.port = self._server.add_secure_port(where, self.tls)
        else:
            self.port = self._server.add_insecure_port(where)
        await self._server.start()

    async def stop(self) -> None:
        """Go away at once: open calls break off."""
        if self._server is not None:
            await self._server.stop(grace=None)
            self._server = None

    def add_jobs(self, count: int, **fields: object) -> list[int]:
        """Let `count` jobs come up and return their keys."""
        keys = list(range(self._next_key, self._next_key + count))
        self._next_key += count
        defaults = {
            "type": "demo",
            "processInstanceKey": 1,
            "bpmnProcessId": "order",
            "elementId": "ask",
            "customHeaders": "{}",
            "variables": "{}",
            "retries": 3,
            "tenantId": "<default>",
        }
        self.waiting.extend(pb.ActivatedJob(key=key, **(defaults | fields)) for key in keys)
        self._pulse()
        return keys

    def calls(self, method: str) -> list[Received]:
        return [call for call in self.received if call.method == method]

    def requests(self, method: str) -> list[Message]:
        return [call.request for call in self.calls(method)]

    def polls_open(self) -> int:
        """Polls that wait for a job right now."""
        return self.open_calls["ActivateJobs"]

    async def until_called(self, method: str, times: int = 1, within_s: float = PATIENCE_S) -> None:
        """Wait until `method` has been called `times` times in all."""
        await eventually(lambda: len(self.calls(method)) >= times, within_s)

    async def until_ended(self, keys: Iterable[int], within_s: float = PATIENCE_S) -> None:
        """Wait until each of these jobs has ended."""
        wanted = set(keys)
        await eventually(lambda: wanted <= self.ended.keys(), within_s)

    # The calls, by the names of the protocol.

    async def Topology(self, request, context):  # noqa: N802
        await self._enter("Topology", request, context)
        return pb.TopologyResponse(
            brokers=[pb.BrokerInfo(nodeId=0)], partitionsCount=3, gatewayVersion="8.8.0"
        )

    async def ActivateJobs(self, request, context):  # noqa: N802
        self.open_calls["ActivateJobs"] += 1
        try:
            await self._enter("ActivateJobs", request, context)
            wait_s = request.requestTimeout / 1000 if self.long_polling else 0
            until_s = time.monotonic() + wait_s
            while not self.waiting and (left_s := until_s - time.monotonic()) > 0:
                await self._change(left_s)
            jobs = self._give(request, request.maxJobsToActivate)
            if jobs:
                yield pb.ActivateJobsResponse(jobs=jobs)
        finally:
            self.open_calls["ActivateJobs"] -= 1

    async def StreamActivatedJobs(self, request, context):  # noqa: N802
        self.open_calls["StreamActivatedJobs"] += 1
        try:
            await self._enter("StreamActivatedJobs", request, context)
            while True:
                for job in self._give(request, 1):
                    await self._push(job, context)
                if not self.waiting:
                    await self._change(1.0)
        finally:
            self.open_calls["StreamActivatedJobs"] -= 1

    async def CompleteJob(self, request, context):  # noqa: N802
        await self._enter("CompleteJob", request, context)
        await self._end(request.jobKey, context)
        return pb.CompleteJobResponse()

    async def ThrowError(self, request, context):  # noqa: N802
        await self._enter("ThrowError", request, context)
        await self._end(request.jobKey, context)
        return pb.ThrowErrorResponse()

    async def FailJob(self, request, context):  # noqa: N802
        await self._enter("FailJob", request, context)
        job = await self._end(request.jobKey, context)
        if request.retries > 0:
            del self.ended[job.key]
            job.retries = request.retries
            self.waiting.append(job)
            self._pulse()
        return pb.FailJobResponse()

    async def UpdateJobTimeout(self, request, context):  # noqa: N802
        await self._enter("UpdateJobTimeout", request, context)
        if request.jobKey not in self.held:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such job")
        return pb.UpdateJobTimeoutResponse()

    async def _enter(self, method, request, context) -> None:
        """Note the call, then do with it what the script says."""
        metadata = dict(context.invocation_metadata())
        self.received.append(Received(method, request, metadata, time.monotonic()))
        if self.token and metadata.get("authorization") != f"Bearer {self.token}":
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "no valid token")
        if gate := self.script.gates.get(method):
            await gate.wait()
        for failure in self.script.failures[method]:
            if failure.times > 0:
                failure.times -= 1
                await context.abort(failure.status, failure.details)

    def _give(self, request, at_most: int) -> list[pb.ActivatedJob]:
        jobs = [self.waiting.popleft() for _ in range(min(at_most, len(self.waiting)))]
        deadline = self.clock.now_ms() + (self._job_timeout_ms or request.timeout)
        for job in jobs:
            job.deadline = deadline
            job.worker = request.worker
            self.held[job.key] = job
        self.most_held = max(self.most_held, len(self.held))
        return jobs

    async def _push(self, job: pb.ActivatedJob, context) -> None:
        """Write a job into a stream; as Zeebe does, take it back when that fails."""
        try:
            await context.write(job)
        except BaseException:
            if self.held.pop(job.key, None):
                self.waiting.appendleft(job)
            raise

    async def _end(self, key: int, context) -> pb.ActivatedJob:
        if key not in self.held:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such job")
        self.ended[key] += 1
        return self.held.pop(key)

    def _pulse(self) -> None:
        """Wake every poll and stream that waits for a job."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _change(self, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                await self._changed.wait()
        except TimeoutError:
            pass
