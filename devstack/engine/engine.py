"""The engine of the embedded cluster: commands in, records out, nothing else remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from devstack.bpmn import model
from devstack.engine.definitions import Definitions, Wanted
from devstack.engine.deployments import Deployment, Deployments
from devstack.engine.job_activation import ActivatedJob, JobRequest
from devstack.engine.keys import KeyGenerator, partition_of
from devstack.engine.partition import Partition
from devstack.engine.processor import Processor
from devstack.engine.resources import Resource
from devstack.engine.schedule import Schedule
from devstack.engine.state import Job, OnEnd, ResultListener, StartedInstance
from devstack.engine.writer import RecordWriter
from devstack.records import RecordLog
from devstack.waiting import within
from runtime.clock import Clock

DEFAULT_TENANT = "<default>"
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""What the cluster takes or gives in one message; Zeebe's default."""

_STEPS_AT_ONCE = 10_000
"""Steps a command may lead to before others get their turn; a loop without end needs this."""

_LONGEST_SLEEP_S = 3600
"""Event loops cannot sleep for thousands of years, which a timer may ask for."""

_ORDERED_MAPPINGS_SINCE = (8, 10)

JobListener = Callable[[str, int], None]


class Engine:
    """Runs process instances; one thread, no I/O.

    Each method is one command: it is carried out at once with all that follows from it, and its
    records are appended before it returns. `run` does what time brings: timers, job time-outs,
    back-offs, and the rest of instances that take very many steps.

    Args:
        log: Where every record goes.
        clock: Time of records, timers and deadlines.
        version: Camunda version to behave like, such as `8.8`.
        partitions: How many; instances are spread over them in turn.
        max_message_bytes: Jobs larger than this get an incident instead of a worker.
        global_listeners: Listeners of every user task (Camunda 8.9), told before its own.
        taken_keys: Keys that stand for something else already, such as a seed file's.
    """

    def __init__(
        self,
        log: RecordLog,
        clock: Clock,
        *,
        version: str = "8.8",
        partitions: int = 1,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        global_listeners: Sequence[model.TaskListener] = (),
        taken_keys: Collection[int] = (),
    ) -> None:
        self.version = version
        self._clock = clock
        self._max_message_bytes = max_message_bytes
        self._wakeup = asyncio.Event()
        self._schedule = Schedule(self._wakeup.set)
        self._definitions = Definitions()
        self._job_listeners: list[JobListener] = []
        release = tuple(int(part) for part in version.split(".")[:2])
        self._processors: list[Processor] = []
        for partition_id in range(1, partitions + 1):
            partition = Partition(
                id=partition_id,
                keys=KeyGenerator(partition_id, taken_keys),
                writer=RecordWriter(log, clock, partition_id, f"{version}.0"),
                clock=clock,
                schedule=self._schedule,
                definitions=self._definitions,
                ordered_mappings=release >= _ORDERED_MAPPINGS_SINCE,
                on_activatable=self._announce,
                global_listeners=tuple(global_listeners),
            )
            self._processors.append(Processor(partition))
        self._deployments = Deployments(
            self._definitions,
            self._processors[0].partition.keys,
            [processor.partition.writer for processor in self._processors],
        )
        self._next_instance = 0
        self._next_poll = 0

    @property
    def partitions(self) -> int:
        """How many partitions there are; their ids count from 1."""
        return len(self._processors)

    async def run(self) -> None:
        """Do what time brings, until cancelled. Can be run again after that."""
        while True:
            self._wakeup.clear()
            if self.catch_up():
                await self._clock.sleep(0)
                continue
            due_ms = self._schedule.next_due_ms
            if due_ms is None:
                await self._wakeup.wait()
            else:
                delay_s = max(0, due_ms - self._clock.now_ms()) / 1000
                await within(self._clock, min(delay_s, _LONGEST_SLEEP_S), self._wakeup.wait())

    def catch_up(self) -> bool:
        """Do what is due now, and a share of the steps that wait; True when some are left."""
        # What comes due while this works is left for the next time, or others would never get on.
        now_ms = self._clock.now_ms()
        while self._schedule.ring_next(now_ms):
            self._work()
        return self._work()

    def on_job(self, listener: JobListener) -> None:
        """Call `listener` with type and key of each job that a worker can take from now on.

        It is called in the middle of the engine's work and must not call the engine.
        """
        self._job_listeners.append(listener)

    def deploy(self, resources: Sequence[Resource], tenant_id: str = DEFAULT_TENANT) -> Deployment:
        """Deploy BPMN files and forms, all or none.

        Raises:
            InvalidArgumentError: A file cannot be run; the reason lists each file's faults.
        """
        deployment = self._deployments.deploy(resources, tenant_id)
        for definition in deployment.created:
            versions = self._definitions.versions(tenant_id, definition.process_id)
            replaced = next((each for each in versions if each is not definition), None)
            self._processors[0].set_start_timers(definition, replaced)
        self._settle()
        return deployment

    def create_instance(
        self,
        *,
        process_id: str = "",
        version: int = -1,
        definition_key: int = 0,
        variables: Mapping[str, Any] | None = None,
        tenant_id: str = DEFAULT_TENANT,
        on_result: ResultListener | None = None,
    ) -> StartedInstance:
        """Start an instance of a process, named by its definition's key or by id and version.

        Args:
            process_id: BPMN process id; counts when there is no `definition_key`.
            version: -1 for the newest.
            definition_key: 0 when the process is named by its id.
            variables: Of the new instance.
            tenant_id: Whose process.
            on_result: Told once when the instance has ended, which may be before this returns.

        Raises:
            NotFoundError: No such process is deployed.
            InvalidArgumentError: Neither key nor id is given.
            InvalidStateError: The process has no none start event.
        """
        processor = self._processors[self._next_instance % len(self._processors)]
        self._next_instance += 1
        wanted = Wanted(process_id, version, definition_key, tenant_id)
        instance = processor.create_instance(wanted, variables or {}, on_result)
        self._settle()
        return StartedInstance(instance.key, instance.definition)

    def cancel_instance(self, key: int) -> None:
        """Terminate a process instance with all that runs in it.

        Raises:
            NotFoundError: There is no such process instance, or not any more.
            InvalidStateError: A call activity started it; its root can be canceled.
        """
        self._processor(key).cancel_instance(key)
        self._settle()

    def activate_jobs(self, request: JobRequest) -> list[ActivatedJob]:
        """Give a worker jobs that wait, at most `request.max_jobs`; none when there are none.

        Raises:
            InvalidArgumentError: Type or worker is blank, or a number is not positive.
        """
        request.check()
        jobs: list[ActivatedJob] = []
        for offset in range(len(self._processors)):
            processor = self._processors[(self._next_poll + offset) % len(self._processors)]
            limit = request.max_jobs - len(jobs)
            if limit > 0:
                activation = processor.job_activation
                jobs.extend(activation.activate(request, limit, self._max_message_bytes))
        self._next_poll += 1
        return jobs

    def activate_job(self, key: int, request: JobRequest) -> ActivatedJob | None:
        """Give a worker this one job, when it still waits and is the kind that `request` wants."""
        activation = self._processor(key).job_activation
        return activation.activate_one(key, request, self._max_message_bytes)

    def yield_job(self, key: int) -> None:
        """Take a job back that was given out but never reached its worker; it need not exist."""
        self._processor(key).job_activation.hand_back(key)

    def complete_job(
        self, key: int, variables: Mapping[str, Any], result: Mapping[str, Any] | None = None
    ) -> None:
        """A worker has done the job; `result` is what a user task listener says to the change.

        Raises:
            InvalidArgumentError: A listener gives what it cannot give.
            NotFoundError: There is no such job, or not any more.
            InvalidStateError: The job has failed and waits for its back-off or its incident.
        """
        self._processor(key).jobs.complete(key, variables, result)
        self._settle()

    def fail_job(
        self,
        key: int,
        *,
        retries: int,
        message: str = "",
        backoff_ms: int = 0,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        """A worker could not do the job: again after `backoff_ms`, or an incident at 0 retries.

        Raises:
            NotFoundError: There is no such job, or not any more.
            InvalidStateError: The job has failed already.
        """
        self._processor(key).jobs.fail(key, retries, message, backoff_ms, variables or {})
        self._settle()

    def throw_error(
        self,
        key: int,
        *,
        code: str,
        message: str = "",
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        """A worker ends the job with a BPMN error; an incident when nothing catches it.

        Raises:
            NotFoundError: There is no such job, or not any more.
            InvalidStateError: The job has failed already.
        """
        self._processor(key).jobs.throw_error(key, code, message, variables or {})
        self._settle()

    def update_job_retries(self, key: int, retries: int) -> None:
        """Give a job more tries.

        Raises:
            NotFoundError: There is no such job, or not any more.
            InvalidArgumentError: `retries` is not positive.
        """
        self._processor(key).jobs.update_retries(key, retries)

    def update_job_timeout(self, key: int, timeout_ms: int) -> None:
        """Let a worker keep a job until `timeout_ms` from now.

        Raises:
            NotFoundError: There is no such job, or not any more.
            InvalidStateError: No worker has the job.
        """
        self._processor(key).jobs.update_timeout(key, timeout_ms)

    def resolve_incident(self, key: int) -> None:
        """Try again what an incident holds.

        Raises:
            NotFoundError: There is no such incident, or not any more.
            InvalidStateError: Its job has no retries left.
        """
        self._processor(key).incidents.resolve(key)
        self._settle()

    def set_variables(
        self,
        scope_key: int,
        variables: Mapping[str, Any],
        *,
        local: bool = False,
    ) -> int:
        """Set variables at a scope, or where they are known around it; gives the change's key.

        Raises:
            NotFoundError: There is no element instance with this key, or not any more.
        """
        return self._processor(scope_key).set_variables(scope_key, variables, local=local)

    def complete_user_task(
        self,
        key: int,
        variables: Mapping[str, Any] | None = None,
        action: str = "",
        on_end: OnEnd | None = None,
    ) -> None:
        """Someone has done the user task; `on_end` is told when its listeners are done.

        Raises:
            NotFoundError: There is no such user task, or not any more.
            InvalidStateError: It is being canceled.
        """
        self._processor(key).user_tasks.complete(key, variables or {}, action, on_end)
        self._settle()

    def assign_user_task(
        self,
        key: int,
        assignee: str,
        *,
        allow_override: bool = True,
        action: str = "",
        on_end: OnEnd | None = None,
    ) -> None:
        """Give a user task to someone; empty text takes it from whoever has it.

        Raises:
            NotFoundError: There is no such user task, or not any more.
            InvalidStateError: It is someone else's and `allow_override` is off.
        """
        tasks = self._processor(key).user_tasks
        tasks.assign(key, assignee, allow_override=allow_override, action=action, on_end=on_end)

    def update_user_task(
        self,
        key: int,
        changeset: Mapping[str, Any],
        action: str = "",
        on_end: OnEnd | None = None,
    ) -> None:
        """Change candidates, dates or priority of a user task; null clears a field.

        Raises:
            NotFoundError: There is no such user task, or not any more.
            InvalidArgumentError: The changeset has a field that cannot be changed so.
        """
        self._processor(key).user_tasks.update(key, changeset, action, on_end)

    def _processor(self, key: int) -> Processor:
        # A key of no partition is answered by the first one, which does not know it either; a real
        # gateway says UNAVAILABLE here, and a client that retries that would never stop.
        index = partition_of(key) - 1
        return self._processors[index if 0 <= index < len(self._processors) else 0]

    def _announce(self, job: Job) -> None:
        for listener in self._job_listeners:
            listener(job.type, job.key)

    def _settle(self) -> None:
        if self._work():
            self._wakeup.set()

    def _work(self) -> bool:
        more = [processor.work(_STEPS_AT_ONCE) for processor in self._processors]
        return any(more)
