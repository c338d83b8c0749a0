"""A gateway in a process of its own, to be killed: its engine's books survive in a journal.

    python -m tests.kit.gateway_process PORT JOURNAL RATE_PER_S TOTAL

Jobs come up at a steady rate, also while the process is dead, as the brokers behind a gateway
carry on. A job that was given out is another's after its time-out. The port is printed once it
listens (0 takes a free one).
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections import deque
from pathlib import Path

import grpc
import grpc.aio
from pyzeebe.proto import gateway_pb2 as pb
from pyzeebe.proto.gateway_pb2_grpc import GatewayServicer, add_GatewayServicer_to_server

_TICK_S = 0.02


class Journal:
    """One line an event, written before the event is told to anybody."""

    def __init__(self, path: Path) -> None:
        self.began_s = time.time()
        self.given: dict[int, float] = {}
        self.completed: set[int] = set()
        lines = path.read_text().splitlines() if path.exists() else []
        for line in lines:
            what, *values = line.split()
            if what == "began":
                self.began_s = float(values[0])
            elif what == "gave":
                self.given[int(values[0])] = float(values[1])
            elif what == "completed":
                self.completed.add(int(values[0]))
        # Unbuffered: what is written is there however the process dies.
        self._file = path.open("ab", buffering=0)
        if not lines:
            self.write(f"began {self.began_s}")

    def write(self, *lines: str) -> None:
        self._file.write("".join(f"{line}\n" for line in lines).encode())


class DurableGateway(GatewayServicer):
    """Gives out jobs 1 to `total`; a key that it does not know as given is NOT_FOUND."""

    def __init__(self, journal: Journal, rate_per_s: float, total: int) -> None:
        self._journal = journal
        self._rate_per_s = rate_per_s
        self._total = total
        self._waiting: deque[int] = deque()
        self._held = {
            key: deadline_s
            for key, deadline_s in journal.given.items()
            if key not in journal.completed
        }
        known = journal.given.keys() | journal.completed
        self._next = 1
        self._known = known

    async def ActivateJobs(self, request, context):  # noqa: N802 - the protocol's name
        until_s = time.monotonic() + request.requestTimeout / 1000
        # Time brings jobs here, and time-outs: there is no event to wait for.
        while not self._fill() and time.monotonic() < until_s:  # noqa: ASYNC110 - see above
            await asyncio.sleep(_TICK_S)
        count = min(request.maxJobsToActivate, len(self._waiting))
        if count == 0:
            return
        keys = [self._waiting.popleft() for _ in range(count)]
        deadline_s = time.time() + request.timeout / 1000
        self._journal.write(*(f"gave {key} {deadline_s}" for key in keys))
        self._held.update(dict.fromkeys(keys, deadline_s))
        yield pb.ActivateJobsResponse(
            jobs=[
                pb.ActivatedJob(
                    key=key,
                    type=request.type,
                    worker=request.worker,
                    retries=3,
                    deadline=int(deadline_s * 1000),
                    customHeaders="{}",
                    variables="{}",
                )
                for key in keys
            ]
        )

    async def CompleteJob(self, request, context):  # noqa: N802 - the protocol's name
        if request.jobKey not in self._held:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such job")
        self._journal.write(f"completed {request.jobKey}")
        del self._held[request.jobKey]
        return pb.CompleteJobResponse()

    async def FailJob(self, request, context):  # noqa: N802 - the protocol's name
        if request.jobKey not in self._held:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such job")
        del self._held[request.jobKey]
        self._waiting.append(request.jobKey)
        return pb.FailJobResponse()

    def _fill(self) -> int:
        """Let jobs come up whose time has come, new ones and timed-out ones."""
        now_s = time.time()
        due = min(int((now_s - self._journal.began_s) * self._rate_per_s), self._total)
        for key in range(self._next, due + 1):
            if key not in self._known:
                self._waiting.append(key)
        self._next = max(self._next, due + 1)
        for key in [key for key, deadline_s in self._held.items() if deadline_s < now_s]:
            del self._held[key]
            self._waiting.append(key)
        return len(self._waiting)


async def _serve(port: str, journal: str, rate_per_s: str, total: str) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    gateway = DurableGateway(Journal(Path(journal)), float(rate_per_s), int(total))
    add_GatewayServicer_to_server(gateway, server)
    bound = server.add_insecure_port(f"localhost:{port}")
    await server.start()
    print(bound, flush=True)  # noqa: T201 - who started the process waits for this line
    await server.wait_for_termination()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(*sys.argv[1:]))
