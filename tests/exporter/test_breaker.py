from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.breaker import Breaker, BreakerState
from tests.kit.clock import FakeClock
from tests.kit.waiting import PATIENCE_S


async def admitted(breaker: Breaker) -> None:
    async with breaker.turn():
        pass


def test_failures_in_a_row_open_it(clock):
    """As many failures as the setting says, without a success between, open the breaker."""
    breaker = Breaker(3, 5.0, clock)
    breaker.failed()
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    breaker.failed()
    assert breaker.state is BreakerState.CLOSED
    breaker.failed()
    assert breaker.state is BreakerState.OPEN


async def test_open_lets_nobody_through_until_the_probe_is_due(clock):
    """While it is open requests wait; after the probe's time one of them goes."""
    breaker = Breaker(1, 5.0, clock)
    breaker.failed()
    waiting = asyncio.create_task(admitted(breaker))
    await clock.advance(4.9)
    assert not waiting.done()
    await clock.advance(0.1)
    assert waiting.done()
    assert breaker.state is BreakerState.HALF_OPEN


async def test_an_old_probe_that_ends_makes_no_room_beside_a_new_one(clock):
    """A late failure of another lane opens it within a probe; the next probe is alone again."""
    breaker = Breaker(1, 5.0, clock)
    breaker.failed()
    inside = []

    async def lane(number: int) -> None:
        async with breaker.turn():
            inside.append(number)
            await asyncio.Event().wait()

    lanes = [asyncio.create_task(lane(number)) for number in range(3)]
    await clock.advance(5.0)
    breaker.failed()  # of a request that was begun before it opened
    await clock.advance(5.0)
    assert len(inside) == 2
    lanes[inside[0]].cancel()
    await clock.advance(5.0)
    assert len(inside) == 2
    for each in lanes:
        each.cancel()
    await asyncio.gather(*lanes, return_exceptions=True)


async def test_half_open_lets_one_request_find_out(clock):
    """Only one probe is on its way at a time; when it succeeds all others follow."""
    breaker = Breaker(1, 5.0, clock)
    breaker.failed()
    inside = []
    go = asyncio.Event()

    async def lane(number: int) -> None:
        async with breaker.turn():
            inside.append(number)
            await go.wait()
            breaker.succeeded()

    lanes = [asyncio.create_task(lane(number)) for number in range(3)]
    await clock.advance(5.0)
    assert len(inside) == 1
    go.set()
    await asyncio.gather(*lanes)
    assert sorted(inside) == [0, 1, 2]
    assert breaker.state is BreakerState.CLOSED


async def test_a_failed_probe_opens_it_again(clock):
    """A probe that fails costs one request, and the wait begins anew."""
    breaker = Breaker(1, 5.0, clock)
    breaker.failed()
    times = []

    async def lane() -> None:
        while len(times) < 3:
            async with breaker.turn():
                times.append(clock.monotonic_s())
                breaker.failed()

    asking = asyncio.create_task(lane())
    await clock.advance(16.0)
    await asking
    assert times == [5.0, 10.0, 15.0]


async def test_a_cancelled_probe_makes_way(clock):
    """A probe that is cancelled does not keep the others out for ever."""
    breaker = Breaker(1, 5.0, clock)
    breaker.failed()

    async def stuck() -> None:
        async with breaker.turn():
            await asyncio.Event().wait()

    first = asyncio.create_task(stuck())
    await clock.advance(5.0)
    second = asyncio.create_task(admitted(breaker))
    await clock.advance(0.0)
    assert not second.done()
    first.cancel()
    await asyncio.wait({second}, timeout=PATIENCE_S)
    assert second.done()


async def test_retry_after_holds_for_every_lane(clock):
    """What the backend asks of one request, all heed; an hour is the longest."""
    breaker = Breaker(5, 5.0, clock)
    breaker.failed(retry_after_s=30.0)
    waiting = asyncio.create_task(admitted(breaker))
    await clock.advance(29.0)
    assert not waiting.done()
    await clock.advance(1.0)
    assert waiting.done()
    breaker.failed(retry_after_s=10**9)
    assert breaker._not_before_s - clock.monotonic_s() == 3600.0


@pytest.mark.parametrize("state", list(BreakerState))
def test_each_state_has_a_number_of_its_own(state):
    """The metric tells the states apart: 0 closed, 1 half open, 2 open."""
    numbers = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}
    assert state.number == numbers[state]


@given(st.lists(st.sampled_from(["fail", "succeed", "wait"]), max_size=40), st.integers(1, 5))
def test_it_is_open_only_after_failures_in_a_row(steps, failures):
    """Whatever happens, it opens at the given number of failures in a row and never before."""

    async def walk() -> None:
        clock = FakeClock()
        breaker = Breaker(failures, 5.0, clock)
        in_a_row = 0
        for step in steps:
            if step == "wait":
                await clock.advance(6.0)
            else:
                probing = breaker.state is not BreakerState.CLOSED
                if probing:
                    await clock.advance(6.0)
                async with breaker.turn():
                    breaker.failed() if step == "fail" else breaker.succeeded()
                in_a_row = in_a_row + 1 if step == "fail" else 0
            expected = BreakerState.OPEN if in_a_row >= failures else BreakerState.CLOSED
            assert breaker.state is expected

    asyncio.run(walk())
