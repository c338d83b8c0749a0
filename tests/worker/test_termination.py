from __future__ import annotations

import asyncio
import sys

import pytest

from tests.kit.gateway import ScriptedGateway
from tests.kit.waiting import eventually

ROUNDS = 3

# A stream can only be cancelled, so that what is on the wire then waits for its time-out: with a
# new job each millisecond that is mostly none or one. A poll answers first, and loses none.
LOST_AT_MOST = {"poll": 0, "stream": 8}

# As much more is on the wire as a busy machine lets it lie there.
PROMPT_S = 0.002

# Handing back has 3 s. A machine that stands still for a good part of them proves nothing.
STANDSTILL_S = 1.0


class SteadyGateway(ScriptedGateway):
    """Jobs come up all the time, one each millisecond while few wait.

    Attributes:
        longest_s: The longest that the next one was in coming; one who asks begins it anew.
    """

    longest_s = 0.0

    async def keep_coming(self, backlog: int) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if len(self.waiting) <= backlog:
                self.add_jobs(1)
            began_s = loop.time()
            await asyncio.sleep(0.001)
            self.longest_s = max(self.longest_s, loop.time() - began_s)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["poll", "stream"])
@pytest.mark.parametrize("handler_ms", [1, 20, 10_000])
async def test_a_terminated_worker_leaves_no_job_to_its_time_out(mode, handler_ms):
    """SIGTERM in the middle of steady work: exit code 0, and all that was held is handed back."""
    async with SteadyGateway() as gateway, asyncio.TaskGroup() as group:
        # A stream brings what comes up, a poll what waits.
        coming = group.create_task(gateway.keep_coming(backlog=500 if mode == "poll" else 0))
        for _ in range(ROUNDS):
            ended, calls = len(gateway.ended), len(gateway.calls("ActivateJobs"))
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.kit.worker_process",
                gateway.address,
                mode,
                str(handler_ms),
            )
            done = 100 if handler_ms < 1000 else 0
            await eventually(
                lambda ended=ended, calls=calls, done=done: (
                    len(gateway.ended) >= ended + done
                    and len(gateway.calls("ActivateJobs")) > calls
                    and gateway.held
                )
            )
            gateway.longest_s = 0.0
            process.terminate()
            assert await process.wait() == 0
            busy = max(1.0, gateway.longest_s / PROMPT_S)
            stood_still = gateway.longest_s > STANDSTILL_S
            assert stood_still or len(gateway.held) <= LOST_AT_MOST[mode] * busy
            gateway.held.clear()
            gateway.waiting.clear()
        coming.cancel()
    assert max(gateway.ended.values(), default=1) == 1
