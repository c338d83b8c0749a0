from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Self, TypeVar

from devstack.engine import Resource
from devstack.environment import client_environment
from devstack.errors import NotFoundError
from devstack.operate.errors import UnknownKeyError
from devstack.records import Record
from devstack.stack import Stack, StackOptions
from devstack.testing.errors import InstanceNotEndedError, InstanceStuckError
from devstack.testing.instance import ProcessInstance, read_instance
from devstack.testing.thread import StackThread
from devstack.testing.workers import Program, Work, WorkerThread

_T = TypeVar("_T")
_CHECK_S = 0.25
"""How often a wait looks whether the worker is still there; the cluster's news come at once."""


class EmbeddedCluster:
    """A cluster in a thread of its own, with plain calls for tests.

    From an `async` test call what waits as `await asyncio.to_thread(camunda.run, …)`, so that a
    worker in the test's own loop goes on meanwhile.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._thread = StackThread(stack)
        self._news = Event()
        self._workers: list[WorkerThread | Program] = []
        stack.log.subscribe(self._note)

    @classmethod
    @contextmanager
    def running(cls, options: StackOptions) -> Iterator[Self]:
        """A cluster that listens, until the block ends.

        Raises:
            OSError: when a port is taken.
        """
        cluster = cls(Stack(options))
        with cluster._thread.running():
            yield cluster

    @property
    def grpc_address(self) -> str:
        """Host and port of the Zeebe gateway, for a channel."""
        return self._stack.grpc_address

    @property
    def http_url(self) -> str:
        """Base URL of the HTTP APIs: v1 under `/v1`, v2 under `/v2`."""
        return self._stack.http_url

    @property
    def token_url(self) -> str:
        """Where access tokens are issued, to client `operate` with secret `secret`."""
        return self._stack.token_url

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which Camunda's clients find a cluster."""
        return client_environment(self._stack)

    def deploy(self, *files: str | Path) -> tuple[str, ...]:
        """Deploy BPMN files and forms together; gives the ids of the processes in them.

        Raises:
            InvalidArgumentError: when one of them cannot be run.
        """
        resources = [Resource(Path(file).name, Path(file).read_bytes()) for file in files]
        deployment = self.call(lambda stack: stack.engine.deploy(resources))
        return tuple(definition.process_id for definition in deployment.processes)

    def start(self, process_id: str, variables: Mapping[str, Any] | None = None) -> int:
        """Start an instance of the newest version; gives its key.

        Raises:
            NotFoundError: when no such process is deployed.
        """
        created = self.call(
            lambda stack: stack.engine.create_instance(process_id=process_id, variables=variables),
        )
        return created.key

    def run(
        self,
        process: str | Path,
        variables: Mapping[str, Any] | None = None,
        *,
        timeout_s: float = 30,
    ) -> ProcessInstance:
        """Start an instance and wait for its end.

        Args:
            process: the id of a deployed process, or a BPMN file, whose first process it is.
            variables: those that it starts with.
            timeout_s: how long to wait.

        Raises:
            TestingError: see `wait`.
            NotFoundError: when no such process is deployed.
        """
        is_file = isinstance(process, Path) or process.endswith(".bpmn")
        process_id = self.deploy(process)[0] if is_file else str(process)
        return self.wait(self.start(process_id, variables), timeout_s=timeout_s)

    def wait(self, key: int, *, timeout_s: float = 30) -> ProcessInstance:
        """Wait for the end of a process instance.

        Raises:
            InstanceNotEndedError: when it was still running after `timeout_s`.
            InstanceStuckError: when an incident holds it.
            WorkerFailedError: when a worker of the test has ended meanwhile.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            self._news.clear()
            instance = self._seen(key)
            if instance is not None and instance.is_ended:
                return instance
            if instance is not None and instance.incidents:
                found = "; ".join(f"{element}: {text}" for element, text in instance.incidents)
                raise InstanceStuckError(f"instance {key} of {instance.process_id}: {found}")
            for worker in self._workers:
                worker.check()
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                places = "nowhere yet" if instance is None else f"at {', '.join(instance.active)}"
                raise InstanceNotEndedError(f"instance {key} stands {places} after {timeout_s} s")
            self._news.wait(min(left_s, _CHECK_S))

    def instance(self, key: int) -> ProcessInstance:
        """What became of a process instance so far.

        Raises:
            UnknownKeyError: when there is none with this key.
        """
        return self.call(lambda stack: read_instance(stack.store, key))

    def complete_user_task(self, key: int, variables: Mapping[str, Any] | None = None) -> None:
        """Complete the oldest open user task of the process instance with this key.

        Raises:
            NotFoundError: when it has none.
        """

        def complete(stack: Stack) -> None:
            tasks = stack.work.user_tasks_of(key)
            if not tasks:
                raise NotFoundError("COMPLETE", f"instance {key} has no open user task")
            stack.engine.complete_user_task(tasks[0]["userTaskKey"], variables)

        self.call(complete)

    @contextmanager
    def worker(self, work: Work) -> Iterator[None]:
        """Run an asynchronous worker in the background until the block ends.

        Args:
            work: a function without arguments; its coroutine runs until it is cancelled.

        Raises:
            WorkerFailedError: when it ended by itself.
        """
        with self._beside(WorkerThread(work)):
            yield

    @contextmanager
    def program(
        self, *command: str, environment: Mapping[str, str] | None = None
    ) -> Iterator[None]:
        """Run a worker that is a program of its own until the block ends.

        It gets this process's environment, `self.environment` and `environment`.

        Raises:
            WorkerFailedError: when it ended by itself.
        """
        variables = {**os.environ, **self.environment, **(environment or {})}
        with self._beside(Program(command, variables)):
            yield

    def call(self, function: Callable[[Stack], _T]) -> _T:
        """Call a function in the cluster's own thread and give its result.

        For all that has no call here: faults, revoked tokens, the engine itself.
        """
        return self._thread.call(function)

    @contextmanager
    def _beside(self, worker: WorkerThread | Program) -> Iterator[None]:
        worker.start()
        self._workers.append(worker)
        try:
            yield
            worker.check()
        finally:
            self._workers.remove(worker)
            worker.stop()

    def _note(self, record: Record) -> None:
        """Wake a wait when an instance may have ended or been stopped."""
        is_end = record.value.get("bpmnElementType") == "PROCESS"
        if record.value_type == "INCIDENT" or is_end:
            self._news.set()

    def _seen(self, key: int) -> ProcessInstance | None:
        """The instance, or None while the read delay hides it."""
        try:
            return self.instance(key)
        except UnknownKeyError:
            return None
