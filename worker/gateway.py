from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message
from pyzeebe.proto import gateway_pb2 as pb
from pyzeebe.proto.gateway_pb2_grpc import GatewayStub

from runtime.clock import Clock, SystemClock
from worker import requests
from worker.address import parse_address
from worker.channel import open_channel
from worker.credentials import CallCredentials, Metadata, NoCredentials
from worker.deadlines import Deadlines
from worker.errors import CredentialsMissing, GatewayError, Rejected, Unauthenticated, translate
from worker.job import Job, from_activated
from worker.options import WorkerOptions
from worker.outcome import Outcome

_POLL_SLACK_S: Final = 5.0
"""How much longer than the long poll itself we wait for its answer to travel."""

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Topology:
    """What the gateway says of its cluster.

    Attributes:
        gateway_version: Version of the gateway, such as `8.8.0`.
        brokers: Brokers that the gateway knows.
        partitions: Partitions of the cluster.
    """

    gateway_version: str
    brokers: int
    partitions: int


class Gateway:
    """One channel to a Zeebe gateway.

    It is made and used inside one event loop (grpc.aio knows but one a process), connects with the
    first call, and connects again however often the gateway goes away. Every call fails with one
    of `worker.errors` and is made once: trying again is the caller's decision.
    """

    def __init__(
        self,
        address: str,
        *,
        credentials: CallCredentials | None = None,
        ca_file: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Open the channel; nothing is sent yet.

        Args:
            address: `http://host:port`, `https://host:port` or a bare `host:port`.
            credentials: Give each call its token; None sends none.
            ca_file: PEM file of the authorities to trust instead of the system's.
            clock: Time, for the deadlines of jobs.

        Raises:
            AddressInvalidError: The address can't be used.
            OSError: The file can't be read.
        """
        parsed = parse_address(address)
        self.target: Final = parsed.target
        self.deadlines: Final = Deadlines()
        self._credentials = credentials or NoCredentials()
        self._clock = clock or SystemClock()
        self._channel = open_channel(parsed, ca_file)
        # The generated stub's types speak of the synchronous API; the channel decides which it is.
        self._stub: Any = GatewayStub(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the channel and what is still open on it; may be called again."""
        await self._channel.close()

    async def topology(self, timeout_s: float = 5.0) -> Topology:
        """Ask who answers; shows that address, TLS and credentials are right.

        Raises:
            GatewayError: They are not, or the gateway is away.
        """
        answer = await self._call(self._stub.Topology, pb.TopologyRequest(), timeout_s)
        return Topology(answer.gatewayVersion, len(answer.brokers), answer.partitionsCount)

    async def activate(
        self, options: WorkerOptions, count: int, wait_ms: int
    ) -> JobCall[list[Job]]:
        """Open a poll for up to `count` jobs.

        Args:
            options: What to ask for.
            count: Most jobs to be given, at least 1.
            wait_ms: How long the gateway waits for the first job; negative: not at all.

        Raises:
            CredentialsMissing: Before anything was sent. All else is raised by reading.
        """
        request = requests.activation(options, count, wait_ms)
        timeout_s = max(wait_ms, 0) / 1000 + _POLL_SLACK_S
        return await self._open(self._stub.ActivateJobs, request, timeout_s, _jobs_of)

    async def stream(self, options: WorkerOptions) -> JobCall[Job]:
        """Open a job stream, which ends with `TimedOut` after `stream_renewal_s`.

        Raises:
            CredentialsMissing: Before anything was sent. All else is raised by reading.
        """
        request = requests.job_stream(options)
        return await self._open(
            self._stub.StreamActivatedJobs, request, options.stream_renewal_s, from_activated
        )

    async def send(self, job: Job, outcome: Outcome, timeout_s: float) -> None:
        """Tell the gateway what became of a job, once.

        Raises:
            GatewayError: The gateway did not take it; the type says whether it may yet.
        """
        try:
            request = requests.command(job, outcome)
        except ValueError as error:
            raise Rejected(
                f"a {type(outcome).__name__} that is no valid command: "
                "bytes that are no UTF-8, or a number out of range"
            ) from error
        match request:
            case pb.CompleteJobRequest():
                method = self._stub.CompleteJob
            case pb.FailJobRequest():
                method = self._stub.FailJob
            case pb.ThrowErrorRequest():
                method = self._stub.ThrowError
        await self._call(method, request, timeout_s)

    async def update_job_timeout(self, job: Job, duration_ms: int, timeout_s: float = 10.0) -> Job:
        """Make a job ours for `duration_ms` from now on.

        The worker that holds the job reckons with the new deadline, too.

        Returns:
            The job with its new deadline.

        Raises:
            GatewayError: Nothing was changed, as far as is known.
        """
        deadline_ms = self._clock.now_ms() + duration_ms
        request = pb.UpdateJobTimeoutRequest(jobKey=job.key, timeout=duration_ms)
        await self._call(self._stub.UpdateJobTimeout, request, timeout_s)
        self.deadlines.extend(job, deadline_ms)
        return replace(job, deadline_ms=deadline_ms)

    async def _call(self, method: Callable[..., Any], request: Message, timeout_s: float) -> Any:  # noqa: ANN401 - the generated stub's answers are untyped for grpc.aio
        metadata = await self._metadata()
        try:
            return await method(request, timeout=timeout_s, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise self._error(error, metadata, request.ByteSize()) from error

    async def _open(
        self,
        method: Callable[..., Any],
        request: Message,
        timeout_s: float,
        convert: Callable[[Any], _Read],
    ) -> JobCall[_Read]:
        metadata = await self._metadata()
        call = method(request, timeout=timeout_s, metadata=metadata)
        return JobCall(call, convert, lambda error: self._error(error, metadata, 0))

    async def _metadata(self) -> Metadata:
        try:
            return await self._credentials.metadata()
        except Exception as error:
            # Whatever the source of tokens raises, its text may hold what it was asked with.
            raise CredentialsMissing(
                f"no credentials for gateway {self.target}: {type(error).__name__}"
            ) from error

    def _error(
        self, error: grpc.aio.AioRpcError, metadata: Metadata, sent_bytes: int
    ) -> GatewayError:
        ours = translate(error.code(), error.details(), gateway=self.target, sent_bytes=sent_bytes)
        if isinstance(ours, Unauthenticated):
            self._credentials.rejected(metadata)
        return ours


class JobCall(Generic[_Read]):
    """An open poll or stream: read until None, or cancel."""

    def __init__(
        self,
        call: grpc.aio.UnaryStreamCall[Any, Any],
        convert: Callable[[Any], _Read],
        translated: Callable[[grpc.aio.AioRpcError], GatewayError],
    ) -> None:
        self._call = call
        self._convert = convert
        self._translated = translated
        self._cancelled = False

    async def read(self) -> _Read | None:
        """What comes next; None at the end, also at the end that `cancel` made.

        Cancelling the reading task cancels the call, and what it had received is lost: use
        `cancel` where that matters.

        Raises:
            GatewayError: The call failed.
        """
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise self._translated(error) from error
        except asyncio.CancelledError:
            # gRPC tells of the call's end by the same exception that ends a task.
            task = asyncio.current_task()
            if self._cancelled and task is not None and not task.cancelling():
                return None
            raise
        return None if message is grpc.aio.EOF else self._convert(message)

    def cancel(self) -> None:
        """End the call; a message that has already arrived is still given to a waiting `read`."""
        self._cancelled = True
        self._call.cancel()


def _jobs_of(answer: pb.ActivateJobsResponse) -> list[Job]:
    return [from_activated(job) for job in answer.jobs]
