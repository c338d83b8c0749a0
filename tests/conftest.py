"""Fixtures for every test: loopback only, and a clock that a test moves."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import HealthCheck, settings

from tests.kit.clock import FakeClock
from tests.kit.loop import QuietLoop

# How long an example takes says how busy the machine is, and nothing of what it proves.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

_real_connect = socket.socket.connect


def _connect_to_loopback(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        host = address[0]
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            pytest.fail(f"a test tried to reach {host}: only loopback is allowed")
    return _real_connect(self, address)


def pytest_asyncio_loop_factories() -> dict[str, type[QuietLoop]]:
    """Every asynchronous test runs on the loop that tells when nothing is under way."""
    return {"quiet": QuietLoop}


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", _connect_to_loopback)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
