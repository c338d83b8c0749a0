"""The image's recipe and the compose file, as far as they can be checked without a container."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from yarl import URL

from connector.settings import ConnectorSettings
from devstack.__main__ import _parser as devstack_parser
from devstack.backend import API_KEY, EVENTS_PATH
from devstack.stack import Ports
from exporter.settings import load_settings
from runtime.settings import load

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def check(program, *arguments):
    done = subprocess.run(
        [BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_dockerfile_lints_clean():
    """The linter hadolint has nothing to say about the recipe of the image."""
    assert check("hadolint", "Dockerfile") == (0, "")


@pytest.mark.slow
def test_compose_file_fits_the_schema():
    """The compose file is one by the specification's own schema."""
    code, said = check(
        "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"
    )
    assert code == 0, said


def test_image_gets_every_package():
    """What the wheel is made of is not kept from the build by .dockerignore."""
    admitted = (ROOT / ".dockerignore").read_text().splitlines()
    for package in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert f"!{package}" in admitted
    assert "!requirements" in admitted


def test_image_runs_commands_that_are_there():
    """Entry points and health checks call console scripts of the distribution, as JSON arrays."""
    scripts = PROJECT["project"]["scripts"]
    assert 'ENTRYPOINT ["operate-connector"]' in DOCKERFILE
    assert 'CMD ["operate-connector", "health"]' in DOCKERFILE
    services = COMPOSE["services"]
    called = [
        "operate-connector",
        *services["devstack"]["entrypoint"],
        *services["exporter"]["entrypoint"],
        services["exporter"]["healthcheck"]["test"][1],
    ]
    assert scripts.keys() >= set(called)


def test_image_says_its_version():
    """The label's default is the version of the distribution."""
    assert f"ARG VERSION={PROJECT['project']['version']}\n" in DOCKERFILE


def test_image_is_not_root_and_stops_by_sigterm():
    """The image runs as an unprivileged user and is told to stop by the signal that drains."""
    assert "USER 10001:10001\n" in DOCKERFILE
    assert "STOPSIGNAL SIGTERM\n" in DOCKERFILE


def test_compose_needs_nothing_else():
    """The compose file starts devstack, worker and exporter, all from the one image."""
    services = COMPOSE["services"]
    assert services.keys() == {"devstack", "worker", "exporter"}
    assert {service["image"] for service in services.values()} == {"operate-connector"}


def test_compose_sets_what_the_worker_knows():
    """The worker's variables are settings of its, or secrets, and lead it to devstack."""
    settings = load(ConnectorSettings, COMPOSE["services"]["worker"]["environment"])
    assert settings.grpc_address == "http://localhost:26500"
    assert settings.management_port == 9601
    assert settings.allow_delete


def test_compose_tells_devstack_what_it_understands():
    """Devstack's arguments are its own, and it listens where the published ports lead."""
    options = devstack_parser().parse_args(COMPOSE["services"]["devstack"]["command"])
    assert (options.command, options.host) == ("run", "0.0.0.0")


def test_compose_leads_records_and_events_through_the_exporter():
    """Devstack pushes where the exporter listens, with its key, and the backend is devstack's."""
    exporter = load_settings(COMPOSE["services"]["exporter"]["environment"])
    devstack = COMPOSE["services"]["devstack"]
    pushed = URL(devstack_parser().parse_args(devstack["command"]).push)
    assert pushed.port == exporter.source_url.port
    assert (
        exporter.source_api_key.get_secret_value() == devstack["environment"]["DEVSTACK_PUSH_KEY"]
    )
    assert exporter.url == f"http://localhost:{Ports().backend}{EVENTS_PATH}"
    assert exporter.api_key.get_secret_value() == API_KEY.get_secret_value()
