from __future__ import annotations

import pytest

from worker.address import Address, AddressInvalidError, parse_address


@pytest.mark.parametrize(
    ("text", "target", "tls"),
    [
        ("http://localhost:26500", "localhost:26500", False),
        ("https://id.bru-2.zeebe.camunda.io:443", "id.bru-2.zeebe.camunda.io:443", True),
        ("localhost:26500", "localhost:26500", False),
        ("zeebe", "zeebe:26500", False),
        ("http://zeebe", "zeebe:26500", False),
        ("https://zeebe", "zeebe:443", True),
        ("https://zeebe/", "zeebe:443", True),
        ("http://[::1]:26500", "[::1]:26500", False),
        ("HTTPS://Zeebe:1", "zeebe:1", True),
    ],
)
def test_an_address_says_where_and_whether_encrypted(text, target, tls):
    """Camunda's spellings of a gateway address are read; https alone means TLS."""
    assert parse_address(text) == Address(target, tls)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("grpc://zeebe:26500", "scheme"),
        ("http://", "names no host"),
        ("", "names no host"),
        ("http://zeebe:port", "port"),
        ("http://zeebe:65536", "port"),
        ("http://zeebe:26500/v1", "follow the port"),
        ("http://user:canary@zeebe:26500", "credentials"),
        ("http://[::1:26500", "brackets"),
    ],
)
def test_an_address_that_cannot_be_used_says_what_one_looks_like(text, reason):
    """Each fault has its reason and the remedy, and the address itself is not repeated."""
    with pytest.raises(AddressInvalidError, match=reason) as caught:
        parse_address(text)
    assert "http://host:26500" in str(caught.value)
    assert "canary" not in str(caught.value)
