import pytest

from connector.settings import ConnectorSettings
from runtime.errors import SettingsError
from runtime.settings import load


@pytest.mark.parametrize(
    "hosts",
    [
        "localhost:8081",
        "http://localhost",
        "[::1]",
        "a.example/operate",
        "u@a.example",
        "ok.example,a:1",
    ],
)
def test_allowed_hosts_are_hosts_alone(hosts):
    """Anything more would match nothing, and so forbid what it is meant to allow."""
    with pytest.raises(SettingsError) as caught:
        load(ConnectorSettings, {"CONNECTOR_ALLOWED_HOSTS": hosts})
    (fault,) = caught.value.faults
    assert str(fault).startswith("CONNECTOR_ALLOWED_HOSTS: has an entry that is no host alone")


def test_names_addresses_and_wildcards_are_hosts():
    """IPv6 addresses go without brackets; blanks around a host do not count."""
    hosts = "*, *.camunda.io, localhost, 127.0.0.1, ::1, fd00::10:1"
    settings = load(ConnectorSettings, {"CONNECTOR_ALLOWED_HOSTS": hosts})
    assert len(settings.policy.allowed_hosts) == 6


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        (
            {"CAMUNDA_CLIENT_GRPC_ADDRESS": "grpc://zeebe"},
            "CAMUNDA_CLIENT_GRPC_ADDRESS: its scheme is neither http nor https; "
            "write http://host:26500, or https://host:443 for TLS",
        ),
        (
            {
                "ZEEBE_ADDRESS": "http://user:canary@zeebe",
                "ZEEBE_CLIENT_SECURITY_PLAINTEXT": "true",
            },
            "CAMUNDA_CLIENT_GRPC_ADDRESS: it holds credentials, which have settings of their own; "
            "write http://host:26500, or https://host:443 for TLS",
        ),
        (
            {"CAMUNDA_CLIENT_AUTH_TOKEN_URL": "login.example/token"},
            "CAMUNDA_CLIENT_AUTH_TOKEN_URL: is no http(s) URL; "
            "write the token endpoint's whole address",
        ),
        (
            {"CAMUNDA_CLIENT_AUTH_TOKEN_URL": "http://[::1/token"},
            "CAMUNDA_CLIENT_AUTH_TOKEN_URL: is no http(s) URL; "
            "write the token endpoint's whole address",
        ),
    ],
    ids=["scheme", "credentials", "no URL", "brackets"],
)
def test_an_address_that_cannot_be_used_stops_the_start(environ, told):
    """It is a fault of the settings like any other, told with them and without its value."""
    with pytest.raises(SettingsError) as caught:
        load(ConnectorSettings, environ)
    assert [str(fault) for fault in caught.value.faults] == [told]
