"""The page of the App Integrations backend, in Chromium."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from devstack.stack import Stack, StackOptions
from tests.kit.modeler import ROOT, chromium

BROWSER = Path(__file__).with_name("look.mjs")
EVENT = {
    "id": "9007199254740993",
    "intent": "CREATED",
    "type": "USER_TASK",
    "elementId": "approve",
    "processDefinitionId": "<b>order</b>",
    "assignee": "ann",
}


async def look(url, script, *screenshot):
    """Go through a list of steps in Chromium; gives what each reading step found."""
    browser = await asyncio.create_subprocess_exec(
        *("node", BROWSER, chromium(), url, json.dumps(script), *screenshot),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    output, errors = await browser.communicate()
    assert browser.returncode == 0, errors.decode()
    return json.loads(output)


@pytest.mark.slow
async def test_events_show_as_they_arrive():
    """Newest first, keys whole, text never as markup, and a repeated request marked as such."""
    async with Stack.start(StackOptions(port_base=0)) as stack, aiohttp.ClientSession() as session:
        page = stack.backend_url.removesuffix("/events")
        assert await look(page, [{"read": "#none"}]) == ["Nothing has arrived yet."]
        for key, event in [("1-1-1", EVENT), ("1-2-2", EVENT | {"intent": "ASSIGNED"})] * 2:
            headers = {"x-api-key": "demo-key", "Idempotency-Key": key}
            body = {"events": [event]}
            async with session.post(stack.backend_url, json=body, headers=headers) as response:
                assert response.status == 204
        rows, first, oldest, count, markup = await look(
            page,
            [
                {"wait": "#events tr"},
                {"count": "#events tr"},
                {"read": "#events tr:first-child"},
                {"read": "#events tr:last-child"},
                {"read": "#count"},
                {"count": "#events b"},
            ],
        )
        assert (rows, count, markup) == (4, "4 so far", 0)
        assert "ASSIGNED USER_TASK" in first
        assert first.rstrip().endswith("repeat")
        for text in ("CREATED", "approve", "<b>order</b>", "ann", "9007199254740993", "1-1-1"):
            assert text in oldest
        assert "repeat" not in oldest
