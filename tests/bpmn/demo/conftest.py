from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

NAMES = ("gateway", "rest", "operate", "issuer", "backend", "management", "exporter")


@pytest.fixture
def free_ports():
    """Give seven ports that nothing listens on, by their names in `Ports`."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in NAMES]
        return {name: each.getsockname()[1] for name, each in zip(NAMES, sockets, strict=True)}
