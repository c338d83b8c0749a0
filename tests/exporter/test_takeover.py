"""Processes that share a source take over from one another, in whatever way each of them ends."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.batch import Limits
from tests.kit.backend import (
    TAKE,
    Backend,
    hang,
    reset,
    status,
    take_and_hang,
    take_and_reset,
)
from tests.kit.clock import FakeClock
from tests.kit.exporter import PATIENT, Setup, done, drive, exporting
from tests.kit.http import serving
from tests.kit.records import places, task_line
from tests.kit.shared_log import SharedLog

QUICK = replace(PATIENT, try_s=0.1)
ANSWERS = [
    TAKE,
    TAKE,
    TAKE,
    take_and_reset,
    take_and_hang,
    hang,
    reset,
    status(400),
    status(500),
    status(503),
]
turns = st.lists(
    st.tuples(
        st.integers(0, 1),  # which process
        st.integers(0, 7),  # records that are written before
        st.integers(0, 5),  # requests until it ends
        st.sampled_from(["kill", "cut off", "taken", "stop"]),
        st.lists(st.sampled_from(ANSWERS), max_size=4),
    ),
    min_size=1,
    max_size=8,
)


@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(turns)
async def test_processes_that_take_over_from_one_another_lose_nothing(tmp_path_factory, schedule):
    """Over random turns of two processes with states of their own all arrives, in order.

    A process is killed, cut off from the source and then killed, loses its partition, or stops. No
    event is missing, the order holds once repeats are left out, and a repeat has the key and the
    body that it had, whoever sends it.
    """
    clock, log, backend = FakeClock(), SharedLog(), Backend()
    directory = tmp_path_factory.mktemp("takeover")
    async with serving(backend) as origin:
        setup = Setup(f"{origin}/events", "", directory, clock, policy=QUICK, give_up=False)
        setup = replace(setup, opening=log.open)
        for number, (process, count, requests, ending, answers) in enumerate(schedule):
            begin = len(log.lines)
            log.lines += [task_line(n) for n in range(begin + 1, begin + count + 1)]
            backend.say(*answers)
            # each turn cuts batches in another way, so that only what is written down is the same
            own = replace(setup, state_dir=made(directory, process), limits=Limits(2 + number % 3))
            await take_turn(own, log, backend, requests, ending)
        backend.script.clear()
        async with exporting(replace(setup, state_dir=made(directory, 0))) as exporter:
            await drive(clock, lambda: not log.lines or done(exporter) == len(log.lines))
    assert places(backend.events_once) == [(1, n) for n in range(1, len(log.lines) + 1)]
    assert set(backend.bodies_by_key.values()) <= {1}


async def take_turn(setup, log, backend, requests, ending):
    """Let a process run until so many requests came, or for 5 s, and end it."""
    clock = setup.clock
    enough, until_s = len(backend.posted) + requests, clock.monotonic_s() + 5.0

    def is_over():
        return len(backend.posted) >= enough or clock.monotonic_s() >= until_s

    with suppress(asyncio.CancelledError):
        async with exporting(setup) as exporter:
            await drive(clock, is_over)
            if ending == "cut off":
                log.is_away = True
                until_s = clock.monotonic_s() + 2.0
                await drive(clock, lambda: clock.monotonic_s() >= until_s)
            elif ending == "taken":
                log.taken.set()
                await drive(clock, lambda: not exporter.pipeline.lanes)
            elif ending == "stop":
                backend.script.clear()
                stopping = asyncio.create_task(exporter.stop())
                await drive(clock, stopping.done)
    log.is_away = False
    log.taken.clear()


def made(directory, process):
    own = directory / str(process)
    own.mkdir(exist_ok=True)
    return own
