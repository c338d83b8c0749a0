"""What the connector says when it starts."""

from __future__ import annotations

import orjson
import pytest

from tests.kit.connector_process import connector_process

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("prefix", "is_told"), [("", True), ("SECRET_", False)])
async def test_secrets_without_a_prefix_are_warned_of(environ, prefix, is_told):
    """Without a prefix a task can name every variable of the connector: the log says so."""
    name = "CAMUNDA_CONNECTOR_SECRETPROVIDER_ENVIRONMENT_PREFIX"
    async with connector_process({**environ, name: prefix}) as connector:
        assert await connector.stop() == 0
    told = [orjson.loads(line) for line in connector.lines if "can be named as a secret" in line]
    assert [line["level"] for line in told] == (["warning"] if is_told else [])
    assert all(line["setting"] == name for line in told)
