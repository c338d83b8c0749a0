from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Final

from bpmn.demo.errors import DemoError
from bpmn.demo.loopback import LOOPBACK

_BASES: Final = range(30_000, 32_000, 10)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens; the defaults are the documented ports.

    Attributes:
        gateway: devstack's gRPC gateway.
        rest: devstack's HTTP APIs, where the Orchestration Cluster has them.
        operate: The same, where Operate has them up to Camunda 8.7.
        issuer: devstack's token endpoint.
        backend: devstack's App Integrations backend.
        management: The connector's health, metrics and status.
        exporter: The same of the exporter.
        base: What devstack counts its ports from; None for the documented ones.
    """

    gateway: int = 26_500
    rest: int = 8080
    operate: int = 8081
    issuer: int = 18_080
    backend: int = 8088
    management: int = 9601
    exporter: int = 9602
    base: int | None = None

    @classmethod
    def counted_from(cls, base: int) -> Ports:
        """Ports one after the other from `base` on, in devstack's order, ours behind them."""
        # The one after its backend is devstack's too, for an Elasticsearch.
        gateway, rest, operate, issuer, backend, _, *ours = range(base, base + 8)
        management, exporter = ours
        return cls(gateway, rest, operate, issuer, backend, management, exporter, base)

    @property
    def all(self) -> tuple[int, ...]:
        """Every port that something will listen on."""
        return (
            self.gateway,
            self.rest,
            self.operate,
            self.issuer,
            self.backend,
            self.management,
            self.exporter,
        )

    @property
    def operate_url(self) -> str:
        """The address of devstack's Operate API, without the version."""
        return f"http://localhost:{self.operate}"

    @property
    def token_url(self) -> str:
        """The address of devstack's token endpoint."""
        realm = f"http://localhost:{self.issuer}/auth/realms/camunda-platform"
        return f"{realm}/protocol/openid-connect/token"

    @property
    def events_url(self) -> str:
        """Where devstack's backend takes events, and shows what it has."""
        return f"http://localhost:{self.backend}/events"

    def devstack_arguments(self) -> tuple[str, ...]:
        """What tells devstack to listen there."""
        return () if self.base is None else ("--port-base", str(self.base))


def choose_ports(documented: Ports | None = None) -> Ports:
    """The documented ports, or others that are free when one of those is taken.

    Raises:
        DemoError: No eight ports in a row are free between 30000 and 32000.
    """
    documented = documented or Ports()
    for ports in (documented, *map(Ports.counted_from, _BASES)):
        if all(map(_is_free, ports.all)):
            return ports
    raise DemoError("no free ports were found between 30000 and 32000; stop what listens there")


def _is_free(port: int) -> bool:
    """Whether nothing listens on a port, whatever address it chose."""
    with socket.socket() as probe:
        # As servers do it: connections of an earlier run that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
