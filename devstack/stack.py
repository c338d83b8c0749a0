from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from devstack.authentication import Authentication
from devstack.backend import EVENTS_PATH, Backend
from devstack.bpmn.model import TaskListener
from devstack.engine import Engine
from devstack.exports import Exports
from devstack.faults import Faults
from devstack.gateway import Gateway
from devstack.issuer import TOKEN_PATH, Issuer
from devstack.jobs_v2 import JobApi
from devstack.operate.seeds import Seed
from devstack.operate.store import DEFAULT_MAX_ENDED_INSTANCES, Store
from devstack.operate_v1 import OperateV1
from devstack.orchestration_v2 import UserTaskApi
from devstack.page import OpenWork, Page
from devstack.records import RecordLog
from devstack.server import HttpServer
from devstack.user_task_search import UserTaskSearch
from devstack.version import Version
from runtime.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a stack listens; 0 means any free port."""

    grpc: int = 26500
    orchestration: int = 8080
    operate: int = 8081
    issuer: int = 18080
    backend: int = 8088
    elasticsearch: int = 9200

    @classmethod
    def from_base(cls, base: int | None) -> Ports:
        """The documented ports for None, free ones for 0, else six in a row from `base` on."""
        if base is None:
            return cls()
        if base == 0:
            return cls(0, 0, 0, 0, 0, 0)
        return cls(*range(base, base + 6))


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What kind of cluster to be.

    Attributes:
        version: the Camunda version to stand in for, 8.3 to 8.10.
        partitions: how many partitions the engine has; from 4 on keys pass 2^53.
        host: the address to listen on.
        port_base: see `Ports.from_base`.
        seeds: entities that the Operate API serves beside what the engine makes.
        read_delay_s: reads see a write this much later.
        token_life_s: how long an access token is good.
        gateway_requires_token: the gRPC gateway takes only calls with a good token.
        tenants: turns multi-tenancy on: the tenants that callers of the gateway may name.
        is_api_protected: the HTTP APIs ask who calls.
        rfc3339_dates: the API v1 writes dates with a colon in the offset.
        max_ended_instances: beyond it the oldest ended instances are forgotten.
        records: a file that every record is appended to, as a line of JSON.
        push_url: where every record is posted to, in batches.
        push_key: shown there as `x-api-key`.
        redis_url: a Redis whose streams every record is added to.
        elasticsearch: whether there is an Elasticsearch that records are exported to.
        refresh_s: how long after that its searches see them.
        global_listeners: listeners of every user task, from Camunda 8.9 on.
        clock: the time that engine, tokens and delays go by.
    """

    version: str = "8.8"
    partitions: int = 1
    host: str = "127.0.0.1"
    port_base: int | None = None
    seeds: tuple[Seed, ...] = ()
    read_delay_s: float = 0.0
    token_life_s: float = 300
    gateway_requires_token: bool = False
    tenants: frozenset[str] | None = None
    is_api_protected: bool = True
    rfc3339_dates: bool = False
    max_ended_instances: int = DEFAULT_MAX_ENDED_INSTANCES
    records: Path | None = None
    push_url: str | None = None
    push_key: SecretStr | None = None
    redis_url: str | None = None
    elasticsearch: bool = False
    refresh_s: float = 1.0
    global_listeners: tuple[TaskListener, ...] = ()
    clock: Clock = field(default_factory=SystemClock)


class Stack:
    """A Camunda cluster in one process: gateway, HTTP APIs and token endpoint on real sockets.

        async with Stack.start(StackOptions(port_base=0)) as stack:
            ...  # a worker against stack.grpc_address, a client against stack.operate_url

    Everything that happens goes through `log` as Zeebe records; `store` is what the Operate API
    has read of them, `work` the jobs and user tasks that wait. `faults` are by the server's name:
    `orchestration`, `operate`, `issuer`.
    """

    def __init__(self, options: StackOptions) -> None:
        version = Version.parse(options.version)
        clock = options.clock
        self.options = options
        self.version = version
        self.log = RecordLog()
        self.store = Store(
            clock,
            version=version,
            read_delay_s=options.read_delay_s,
            max_ended_instances=options.max_ended_instances,
            rfc3339=options.rfc3339_dates,
        )
        self.store.seed(options.seeds)
        self.log.subscribe(self.store.read)
        self.engine = Engine(
            self.log,
            clock,
            version=str(version),
            partitions=options.partitions,
            global_listeners=_global_listeners(options, version),
            taken_keys={key for seed in options.seeds for key in seed.keys},
        )
        self._jobs = JobApi(self.engine, clock) if version.has_listener_jobs else None
        self.issuer = Issuer(clock, token_life_s=options.token_life_s)
        self.authentication = Authentication(
            self.issuer,
            version,
            clock,
            is_required=options.is_api_protected,
        )
        self._user_task_search = UserTaskSearch(version, self.store.take_in)
        self.store.follow(self._user_task_search.read)
        self.work = OpenWork()
        self.log.subscribe(self.work.read)
        self.backend = Backend(clock, self._is_good_token)
        self._page = Page(self.store, self.work, self.engine, version)
        self.gateway = Gateway(
            self.engine,
            clock,
            host=options.host,
            check_token=self._is_good_token if options.gateway_requires_token else None,
            tenants=options.tenants,
        )
        self._servers = {
            "orchestration": self._api_server("orchestration"),
            "operate": self._api_server("operate"),
            "issuer": HttpServer("issuer", self.issuer.routes(), clock),
            "backend": HttpServer("backend", self.backend.routes(), clock),
        }
        self.exports = Exports.of(options, self.log)
        if self.exports.elasticsearch is not None:
            routes = self.exports.elasticsearch.routes()
            self._servers["elasticsearch"] = HttpServer("elasticsearch", routes, clock)
        self.faults: dict[str, Faults] = {
            name: server.faults for name, server in self._servers.items()
        }
        self._grpc_port = 0
        self._running: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def start(cls, options: StackOptions | None = None) -> AsyncIterator[Stack]:
        """A stack that listens, until the block ends.

        Raises:
            OSError: when a port is taken.
            ValueError: when the version is none that devstack knows, or lacks an option.
        """
        stack = cls(options or StackOptions())
        async with stack.listening():
            yield stack

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen until the block ends; once for each stack.

        Raises:
            OSError: when a port is taken.
        """
        async with AsyncExitStack() as exits:
            await self._open(exits)
            yield

    async def _open(self, exits: AsyncExitStack) -> None:
        ports = Ports.from_base(self.options.port_base)
        self._running = asyncio.create_task(self.engine.run(), name="devstack engine")
        exits.push_async_callback(_end, self._running)
        await exits.enter_async_context(self.exports.running())
        host = self.options.host
        for name, server in self._servers.items():
            exits.push_async_callback(server.stop)
            await server.start(host, getattr(ports, name))
        exits.push_async_callback(self.gateway.stop)
        self._grpc_port = await self.gateway.start(ports.grpc)

    def _is_good_token(self, token: str) -> bool:
        return self.issuer.check(token) is not None

    async def serve_until(self, stopped: asyncio.Event) -> None:
        """Wait for `stopped`, or for the engine's end, which is a fault and is raised."""
        waiting = asyncio.create_task(stopped.wait())
        tasks = [waiting] if self._running is None else [waiting, self._running]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()

    def _api_server(self, name: str) -> HttpServer:
        """One of the two HTTP servers: each serves every API that the version has."""
        clock = self.options.clock
        user_tasks = UserTaskApi(self.engine, self.version.user_task_path)
        routes = [
            *self.authentication.routes(),
            *self._user_task_search.routes(),
            *user_tasks.routes(),
            *self._page.routes(),
            *self.gateway.control_routes(),
        ]
        if self._jobs is not None:
            routes += self._jobs.routes()
        if self.version.has_operate_v1:
            routes += OperateV1(self.store, self.version, clock).routes()
        return HttpServer(name, routes, clock, middlewares=[self.authentication.middleware])

    @property
    def grpc_address(self) -> str:
        """Host and port of the gateway, as `localhost:26500`."""
        return f"localhost:{self._grpc_port}"

    @property
    def http_url(self) -> str:
        """Base URL of the server on Camunda's port 8080."""
        return self._url("orchestration")

    @property
    def operate_url(self) -> str:
        """Base URL of the server on Operate's old port 8081; it serves the same."""
        return self._url("operate")

    @property
    def token_url(self) -> str:
        """Where access tokens are issued."""
        return f"{self._url('issuer')}{TOKEN_PATH}"

    @property
    def backend_url(self) -> str:
        """Where the App Integrations backend takes events."""
        return f"{self._url('backend')}{EVENTS_PATH}"

    @property
    def elasticsearch_url(self) -> str:
        """Base URL of the Elasticsearch, which there must be."""
        return self._url("elasticsearch")

    def _url(self, name: str) -> str:
        return f"http://localhost:{self._servers[name].port}"


def _global_listeners(options: StackOptions, version: Version) -> tuple[TaskListener, ...]:
    if options.global_listeners and not version.has_global_listeners:
        raise ValueError(f"Camunda {version} has no global listeners; take 8.9 or later")
    return options.global_listeners


async def _end(task: asyncio.Task[None]) -> None:
    """Stop the engine; what ended it earlier, if anything did, is raised here."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
