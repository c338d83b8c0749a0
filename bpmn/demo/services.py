from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientError, ClientSession

from bpmn.demo.camunda import CLIENT_ID, CLIENT_SECRET
from bpmn.demo.errors import ServiceFailedError
from bpmn.demo.events import API_KEY
from bpmn.demo.ports import Ports
from bpmn.demo.service import Program, Service
from bpmn.demo.zeebe import Zeebe
from runtime.clock import Clock

_Result = TypeVar("_Result")


class Services:
    """devstack, the connector and the exporter, started in this order and stopped in the other.

    Args:
        ports: Where everything listens.
        folder: For the record log and the exporter's state.
        clock: Time.
    """

    def __init__(self, ports: Ports, folder: Path, clock: Clock) -> None:
        self._ports = ports
        self._folder = folder
        self._records = folder / "records.jsonl"
        self._clock = clock
        self._running: list[Service] = []

    async def start_devstack(self, zeebe: Zeebe) -> None:
        """Start the cluster and wait until its gateway answers; its HTTP servers come before it."""
        arguments = ("run", *self._ports.devstack_arguments(), "--records", str(self._records))
        program = Program("devstack", "devstack", arguments)
        await (await self._start(program)).ready(zeebe.is_there)

    async def start_connector(self, session: ClientSession) -> None:
        """Start the connector and wait until it is ready for jobs."""
        environment = {
            "CAMUNDA_CLIENT_GRPC_ADDRESS": f"http://localhost:{self._ports.gateway}",
            "CONNECTOR_MANAGEMENT_PORT": str(self._ports.management),
            # One of the examples cleans up, and here nothing is lost that anybody needs.
            "CONNECTOR_ALLOW_DELETE": "true",
            "SECRET_OPERATE_CLIENT_ID": CLIENT_ID,
            "SECRET_OPERATE_CLIENT_SECRET": CLIENT_SECRET,
        }
        program = Program("operate-connector", "connector", ("run",), environment)
        service = await self._start(program)
        await service.ready(partial(_is_ready, session, self._ports.management))

    async def start_exporter(self, session: ClientSession) -> None:
        """Start the exporter, which reads devstack's record log, and wait until it is ready."""
        environment = {
            "APP_INTEGRATIONS_SOURCE": self._records.as_uri(),
            "APP_INTEGRATIONS_URL": self._ports.events_url,
            "APP_INTEGRATIONS_API_KEY": API_KEY,
            "APP_INTEGRATIONS_STATE_DIR": str(self._folder / "state"),
            "APP_INTEGRATIONS_MANAGEMENT_PORT": str(self._ports.exporter),
        }
        program = Program("app-integrations-exporter", "exporter", ("run",), environment)
        service = await self._start(program)
        await service.ready(partial(_is_ready, session, self._ports.exporter))

    async def meanwhile(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Do `work` while the services run.

        Raises:
            ServiceFailedError: One of them ended, which ended the work too.
        """
        doing = asyncio.create_task(work)
        watching = [asyncio.create_task(service.ended()) for service in self._running]
        try:
            await asyncio.wait([doing, *watching], return_when=asyncio.FIRST_COMPLETED)
            for watch in watching:
                if watch.done():
                    await watch
            return await doing
        finally:
            for task in (doing, *watching):
                task.cancel()
            await asyncio.gather(doing, *watching, return_exceptions=True)

    async def stop(self) -> Sequence[ServiceFailedError]:
        """Stop what runs, the last first; gives what went wrong with it."""
        failures = []
        while self._running:
            try:
                await self._running.pop().stop()
            except ServiceFailedError as error:
                failures.append(error)
        return failures

    def last_lines(self) -> list[str]:
        """The end of each service's log, for a failure that may have its cause there."""
        return [line for service in self._running for line in service.last_lines()]

    async def _start(self, program: Program) -> Service:
        service = await Service.start(program, self._clock)
        self._running.append(service)
        return service


async def _is_ready(session: ClientSession, port: int) -> bool:
    try:
        async with session.get(f"http://localhost:{port}/readyz") as response:
            return response.ok
    except ClientError:
        return False
