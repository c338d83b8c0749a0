from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from aiohttp import ClientError, ClientSession

from bpmn.demo.camunda import CLIENT_ID, CLIENT_SECRET
from bpmn.demo.errors import ServiceFailedError
from bpmn.demo.ports import Ports
from bpmn.demo.service import Program, Service
from bpmn.demo.zeebe import Zeebe
from runtime.clock import Clock

_Result = TypeVar("_Result")


class Services:
    """devstack and the connector, started in this order and stopped in the other."""

    def __init__(self, ports: Ports, clock: Clock) -> None:
        self._ports = ports
        self._clock = clock
        self._running: list[Service] = []

    async def start_devstack(self, zeebe: Zeebe) -> None:
        """Start the cluster and wait until its gateway answers; its HTTP servers come before it."""
        program = Program("devstack", "devstack", ("run", *self._ports.devstack_arguments()))
        await (await self._start(program)).ready(zeebe.is_there)

    async def start_connector(self, session: ClientSession) -> None:
        """Start the connector and wait until it is ready for jobs."""
        environment = {
            "CAMUNDA_CLIENT_GRPC_ADDRESS": f"http://localhost:{self._ports.gateway}",
            "CONNECTOR_MANAGEMENT_PORT": str(self._ports.management),
            "SECRET_OPERATE_CLIENT_ID": CLIENT_ID,
            "SECRET_OPERATE_CLIENT_SECRET": CLIENT_SECRET,
        }
        url = f"http://localhost:{self._ports.management}/readyz"

        async def is_ready() -> bool:
            try:
                async with session.get(url) as response:
                    return response.ok
            except ClientError:
                return False

        program = Program("operate-connector", "connector", ("run",), environment)
        await (await self._start(program)).ready(is_ready)

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
