from __future__ import annotations

import pytest

from tests.kit.gateway import ScriptedGateway


@pytest.fixture
async def gateway():
    async with ScriptedGateway() as gateway:
        yield gateway
