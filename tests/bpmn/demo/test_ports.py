from __future__ import annotations

import socket
from dataclasses import replace

from bpmn.demo.ports import Ports, choose_ports


def test_documented_ports_are_used_when_they_are_free(free_ports):
    """With nothing in the way, everything listens where the documentation says."""
    documented = replace(Ports(), **free_ports)
    assert choose_ports(documented) == documented
    assert documented.devstack_arguments() == ()


def test_other_ports_are_used_when_one_is_taken(free_ports):
    """One taken port moves everything, and devstack is told so."""
    documented = replace(Ports(), **free_ports)
    with socket.create_server(("127.0.0.1", documented.operate)):
        ports = choose_ports(documented)
    assert ports.base is not None
    assert set(ports.all).isdisjoint(documented.all)
    assert ports.devstack_arguments() == ("--port-base", str(ports.base))


def test_the_defaults_are_the_documented_ports():
    """The values in Camunda's documentation work as they stand."""
    assert Ports().operate_url == "http://localhost:8081"
    assert Ports().token_url == (
        "http://localhost:18080/auth/realms/camunda-platform/protocol/openid-connect/token"
    )
    assert Ports().all == (26500, 8080, 8081, 18080, 8088, 9601, 9602)
