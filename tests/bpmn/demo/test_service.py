from __future__ import annotations

import os
import textwrap

import pytest

from bpmn.demo.errors import ServiceFailedError
from bpmn.demo.service import Program, Service
from runtime.clock import SystemClock

pytestmark = pytest.mark.slow


@pytest.fixture
async def start(tmp_path):
    """Give a function that starts a service from its source, ended after the test."""
    started = []

    async def run(source, **environment):
        (tmp_path / "program.py").write_text(textwrap.dedent(source))
        environment = {"PYTHONPATH": str(tmp_path), **environment}
        program = Program("program", "program", ("an argument",), environment)
        service = await Service.start(program, SystemClock())
        started.append(service)
        return service

    yield run
    for service in started:
        await service.kill()


async def is_up(service):
    return bool(service.last_lines())


WELL_BEHAVED = """
    import signal, sys
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("up", flush=True)
    signal.pause()
"""


async def test_a_service_is_told_to_stop_and_does(start):
    """SIGTERM and exit code 0 is a good end, and telling it again does no harm."""
    service = await start(WELL_BEHAVED)
    await service.ready(lambda: is_up(service))
    await service.stop()
    await service.stop()
    assert service.last_lines() == ["program: up"]


async def test_a_service_that_ends_at_once_is_named(start):
    """What a service wrote before it ended is in the error, for the user to read."""
    service = await start("import sys; print('no such port'); sys.exit(2)")

    async def never():
        return False

    with pytest.raises(ServiceFailedError, match="program ended with exit code 2") as failed:
        await service.ready(never)
    assert failed.value.last_lines == ("program: no such port",)


async def test_a_service_that_does_not_get_ready_is_named(start):
    """Waiting for a service has an end."""
    service = await start(WELL_BEHAVED)

    async def never():
        return False

    with pytest.raises(ServiceFailedError, match=r"program was not ready within 0\.2 s"):
        await service.ready(never, within_s=0.2)


async def test_a_service_may_be_stopped_before_it_is_ready(start):
    """A program that is still being loaded does not know the signal yet, which is no failure."""
    service = await start("import signal; signal.pause()")
    await service.stop()


async def test_a_service_that_stops_badly_is_named(start):
    """An exit code other than 0 after SIGTERM is a failure."""
    service = await start(WELL_BEHAVED.replace("sys.exit(0)", "sys.exit(7)"))
    await service.ready(lambda: is_up(service))
    with pytest.raises(ServiceFailedError, match="program ended with exit code 7"):
        await service.stop()


async def test_a_service_that_does_not_stop_is_killed(start):
    """A service that does not heed SIGTERM does not outlive the demo."""
    service = await start(WELL_BEHAVED.replace("sys.exit(0)", "None") + "    signal.pause()\n")
    await service.ready(lambda: is_up(service))
    with pytest.raises(ServiceFailedError, match=r"did not stop within 0\.2 s of SIGTERM"):
        await service.stop(within_s=0.2)
    with pytest.raises(ServiceFailedError, match="ended with exit code -9"):
        await service.ended()


async def test_a_users_own_variables_do_not_lead_it_elsewhere(start, monkeypatch):
    """Settings of the user's shell for a cluster of theirs are kept from the services."""
    monkeypatch.setenv("CAMUNDA_CLIENT_GRPC_ADDRESS", "https://production:443")
    monkeypatch.setenv("SECRET_OPERATE_CLIENT_SECRET", "theirs")
    service = await start(
        """
        import os, sys
        print(sys.argv[1:], sorted(k for k in os.environ if k.startswith(("CAMUNDA_", "SECRET_"))))
        """,
        SECRET_OPERATE_CLIENT_ID="operate",
    )
    with pytest.raises(ServiceFailedError):
        await service.ended()
    assert service.last_lines() == ["program: ['an argument'] ['SECRET_OPERATE_CLIENT_ID']"]
    assert "CAMUNDA_CLIENT_GRPC_ADDRESS" in os.environ
