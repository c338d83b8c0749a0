from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bpmn.demo.errors import ServiceFailedError
from runtime.clock import Clock

# A variable of the user's own shell must not lead the demo's services elsewhere.
_OURS: Final = ("CAMUNDA_", "CONNECTOR_", "ZEEBE_", "SECRET_", "APP_INTEGRATIONS_")
# Nor must a proxy that it has: everything here is on this machine.
_DIRECT: Final = {"NO_PROXY": "localhost,127.0.0.1", "no_proxy": "localhost,127.0.0.1"}
_STEP_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Program:
    """A Python module to run as a service, with what it is told.

    Attributes:
        name: What messages call it.
        module: The module, as after `python -m`.
        arguments: Its command line.
        environment: The variables that it gets beside the user's own.
    """

    name: str
    module: str
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class Service:
    """A program at work in a process of its own, which is there from `start` until `stop`."""

    def __init__(self, program: Program, process: asyncio.subprocess.Process, clock: Clock) -> None:
        self.name: Final = program.name
        self._process = process
        self._clock = clock
        self._lines: deque[str] = deque(maxlen=30)
        self._was_ready = False
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, program: Program, clock: Clock) -> Service:
        """Start the program.

        Ctrl-C is for the demo alone, which then stops its services in order: so they get a session
        of their own.
        """
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            program.module,
            *program.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=1 << 20,
            env={**inherited, **_DIRECT, "PYTHONUNBUFFERED": "1", **program.environment},
        )
        return cls(program, process, clock)

    async def ready(self, probe: Callable[[], Awaitable[bool]], *, within_s: float = 60.0) -> None:
        """Wait until `probe` says that the service answers.

        Raises:
            ServiceFailedError: It ended before, or did not get ready `within_s` seconds.
        """
        give_up_s = self._clock.monotonic_s() + within_s
        while not await probe():
            if self._process.returncode is not None:
                raise await self._failed(f"ended with exit code {self._process.returncode}")
            if self._clock.monotonic_s() >= give_up_s:
                raise await self._failed(f"was not ready within {within_s:g} s")
            await self._clock.sleep(_STEP_S)
        self._was_ready = True

    async def ended(self) -> None:
        """Wait until the service ends by itself, which it should not.

        Raises:
            ServiceFailedError: It did.
        """
        code = await self._process.wait()
        raise await self._failed(f"ended with exit code {code}")

    async def stop(self, *, within_s: float = 30.0) -> None:
        """Tell it to stop by SIGTERM and see that it does well; safe when it ended already.

        Raises:
            ServiceFailedError: It did not end `within_s` seconds and was killed, or it ended with
                another exit code than 0.
        """
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            code = await asyncio.wait_for(self._process.wait(), within_s)
        except TimeoutError:
            await self.kill()
            raise await self._failed(f"did not stop within {within_s:g} s of SIGTERM") from None
        # Before it is ready, a program may not even have come to heeding the signal.
        if code and (self._was_ready or code != -signal.SIGTERM):
            raise await self._failed(f"ended with exit code {code}")
        await self._reading

    async def kill(self) -> None:
        """End it at once, whatever it is doing; safe when it ended already."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading

    def last_lines(self) -> list[str]:
        """The end of what it wrote, oldest first, each line under its name."""
        return [f"{self.name}: {line}" for line in self._lines]

    async def _read(self) -> None:
        output = self._process.stdout
        while output is not None and (line := await output.readline()):
            self._lines.append(line.decode(errors="replace").rstrip())

    async def _failed(self, what: str) -> ServiceFailedError:
        if self._process.returncode is not None:
            await self._reading
        return ServiceFailedError(f"{self.name} {what}", self.last_lines())
