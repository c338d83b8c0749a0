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
