"""The demo from start to stop; the one place that knows the order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from aiohttp import ClientSession, ClientTimeout

from bpmn.demo.camunda import Camunda
from bpmn.demo.errors import DemoError
from bpmn.demo.events import delivered
from bpmn.demo.orders import place_orders
from bpmn.demo.ports import Ports, choose_ports
from bpmn.demo.report import events_table, invitation, table, where
from bpmn.demo.services import Services
from bpmn.demo.stories import STORIES
from bpmn.demo.story import Stage
from bpmn.demo.tap import Tap
from bpmn.demo.zeebe import Zeebe
from runtime.clock import Clock

EXAMPLES: Final = Path(__file__).parents[1] / "examples"
_REQUEST_TIMEOUT_S: Final = 60
Say = Callable[[str], None]


async def run(say: Say, clock: Clock, *, stay: bool) -> int:
    """Start everything, tell the stories, and stop everything; gives the exit code.

    Args:
        say: Takes what a person is to read, a piece at a time.
        clock: Time, for waiting and measuring.
        stay: Whether the services stay up afterwards, until SIGINT or SIGTERM.
    """
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        ports = choose_ports()
    except DemoError as error:
        say(f"\nFailed: {error}")
        return 1
    with TemporaryDirectory(prefix="operate-connector-demo-") as folder:
        demo = Demo(ports, Services(ports, Path(folder), clock), say, clock)
        work = asyncio.create_task(demo.perform(stay=stay))
        stop = asyncio.create_task(stopped.wait())
        await asyncio.wait([work, stop], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        work.cancel()
        (result,) = await asyncio.gather(work, return_exceptions=True)
        return await demo.close(result, stay=stay)


class Demo:
    """What one run of the demo does, between its start and the stop of its services."""

    def __init__(self, ports: Ports, services: Services, say: Say, clock: Clock) -> None:
        self._ports = ports
        self._services = services
        self._say = say
        self._clock = clock
        self._begun_s = clock.monotonic_s()
        self._told = 0
        self._events = 0

    async def perform(self, *, stay: bool) -> None:
        """Start the services, tell the stories, and with `stay` wait to be cancelled.

        Raises:
            DemoError: for whatever failed; the services are left as they are.
        """
        async with AsyncExitStack() as stack:
            timeout = ClientTimeout(total=_REQUEST_TIMEOUT_S)
            session = await stack.enter_async_context(ClientSession(timeout=timeout))
            zeebe = await stack.enter_async_context(Zeebe(self._ports.gateway))
            self._say(where(self._ports))
            await self._services.start_devstack(zeebe)
            self._progress("devstack is up")
            await self._services.start_connector(session)
            self._progress("operate-connector is ready for jobs")
            await self._services.start_exporter(session)
            self._progress("app-integrations-exporter reads the record log")
            tap = await stack.enter_async_context(Tap(self._ports.operate_url, session))
            camunda = Camunda(session, self._ports.operate_url, self._ports.token_url)
            stage = Stage(zeebe, camunda, tap, self._ports.token_url, self._clock)
            await self._services.meanwhile(self._tell(stage, session))
            if stay:
                self._say(f"\n{invitation(self._ports)}")
                await self._services.meanwhile(asyncio.Event().wait())

    async def _tell(self, stage: Stage, session: ClientSession) -> None:
        files = sorted(EXAMPLES.glob("*.bpmn")) + sorted(EXAMPLES.glob("*.form"))
        deployed = await stage.zeebe.deploy(files)
        self._progress(f"deployed {', '.join(deployed)}")
        await stage.camunda.log_in()
        orders = await place_orders(stage)
        self._progress(f"{len(orders.stuck)} orders are stuck, 1 is at work, 1 is done")
        told = []
        for story in STORIES:
            ended = await story(stage, orders)
            told.append(ended)
            self._told += 1
            self._say(f"\n{table(ended)}")
        events = await delivered(session, self._ports.events_url, told, self._clock)
        self._events = len(events)
        self._say(f"\n{events_table(events)}")

    async def close(self, result: BaseException | None, *, stay: bool) -> int:
        """Stop the services, say how it all ended, and give the exit code.

        Args:
            result: What `perform` raised, None when it came to its end.
            stay: Whether to be interrupted is how it is meant to end.

        Raises:
            Exception: `result`, when it is nothing that the demo knows: a fault of its own.
        """
        failures = [result] if isinstance(result, DemoError) else []
        lines = self._services.last_lines() if failures else []
        for failure in await self._services.stop():
            failures.append(failure)
            lines += [line for line in failure.last_lines if line not in lines]
        if isinstance(result, Exception) and not isinstance(result, DemoError):
            raise result
        if failures:
            self._say("\n".join(["", "The services' last log lines:", *lines]))
            # A service that ended by itself is noticed while it is waited for, and at its stop.
            self._say("\n".join(dict.fromkeys(f"\nFailed: {failure}" for failure in failures)))
            return 1
        was_cut_short = isinstance(result, asyncio.CancelledError) and not stay
        if self._told < len(STORIES) or not self._events or was_cut_short:
            self._say("\nStopped before the end.")
            return 1
        took_s = self._clock.monotonic_s() - self._begun_s
        self._say(
            f"\n{self._told} processes ran to their ends, {self._events} events were delivered, "
            f"services stopped: {took_s:.1f} s"
        )
        return 0

    def _progress(self, what: str) -> None:
        self._say(f"{self._clock.monotonic_s() - self._begun_s:5.1f} s  {what}")
