from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from worker.slots import Slots


async def _settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_free_slots_are_taken_at_once():
    """Whoever finds enough free slots gets all it may have without waiting."""
    slots = Slots(10)
    assert await slots.take(3, 7) == 7
    assert slots.free == 3


async def test_a_wait_ends_when_enough_are_free():
    """A wait for four slots goes on with three free and ends with four."""
    slots = Slots(10)
    await slots.take(10, 10)
    waiting = asyncio.create_task(slots.take(4, 10))
    await _settle()
    slots.give_back(3)
    await _settle()
    assert not waiting.done()
    slots.give_back(2)
    assert await waiting == 5


async def test_many_slots_are_not_starved_by_single_ones():
    """Who came first is served first, even if others would be content with less."""
    slots = Slots(4)
    await slots.take(4, 4)
    batch = asyncio.create_task(slots.take(3, 4))
    await _settle()
    single = asyncio.create_task(slots.take(1, 1))
    await _settle()
    slots.give_back(2)
    await _settle()
    assert not batch.done()
    assert not single.done()
    slots.give_back(2)
    assert await batch == 3
    assert await single == 1


async def test_a_wait_that_is_cancelled_lets_the_next_pass():
    """A big wait that is given up no longer stands in the way of a small one."""
    slots = Slots(4)
    await slots.take(4, 4)
    batch = asyncio.create_task(slots.take(3, 4))
    await _settle()
    single = asyncio.create_task(slots.take(1, 1))
    await _settle()
    slots.give_back(1)
    batch.cancel()
    assert await single == 1


async def test_slots_granted_to_a_wait_that_was_cancelled_come_back():
    """Cancelling in the very moment of the grant loses no slot."""
    slots = Slots(2)
    await slots.take(2, 2)
    waiting = asyncio.create_task(slots.take(2, 2))
    await _settle()
    slots.give_back(2)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert slots.free == 2


async def test_a_cancelled_wait_that_was_passed_over_is_no_trouble():
    """A wait may be cancelled and passed over before its task has run again."""
    slots = Slots(1)
    await slots.take(1, 1)
    waiting = asyncio.create_task(slots.take(1, 1))
    await _settle()
    waiting.cancel()
    slots.give_back(1)
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert slots.free == 1


async def test_closing_sends_everyone_home_with_nothing():
    """After `close` nobody gets a slot, neither who waits nor who comes."""
    slots = Slots(1)
    await slots.take(1, 1)
    waiting = asyncio.create_task(slots.take(1, 1))
    await _settle()
    slots.close()
    assert await waiting == 0
    slots.give_back(1)
    assert await slots.take(1, 1) == 0
    assert slots.take_free(1) == 0


async def test_too_many_jobs_are_made_up_for():
    """A gateway that gave two jobs too many leaves nobody a slot until three are done."""
    slots = Slots(1)
    await slots.take(1, 1)
    slots.give_back(-2)
    assert slots.free == -2
    waiting = asyncio.create_task(slots.take(1, 1))
    slots.give_back(2)
    await _settle()
    assert not waiting.done()
    slots.give_back(1)
    assert await waiting == 1


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 6), st.integers(0, 6)),
        st.tuples(st.just("give"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("cancel"), st.integers(0, 5), st.just(0)),
    ),
    max_size=40,
)


@given(size=st.integers(6, 9), steps=_STEPS)
def test_never_more_slots_than_there_are(size, steps):
    """Whatever is taken, given back and given up: no slot is had twice and none is lost."""

    async def scenario():
        slots = Slots(size)
        takes: list[asyncio.Task[int]] = []
        given: set[asyncio.Task[int]] = set()

        def had() -> list[asyncio.Task[int]]:
            return [t for t in takes if t.done() and not t.cancelled() and t not in given]

        for what, first, second in steps:
            if what == "take":
                takes.append(asyncio.create_task(slots.take(first, first + second)))
            elif what == "give" and had():
                task = had()[first % len(had())]
                given.add(task)
                slots.give_back(task.result())
            elif what == "cancel" and takes:
                takes[first % len(takes)].cancel()
            if first % 2:
                await _settle()
            assert slots.free >= 0
        await _settle()
        assert sum(task.result() for task in had()) == size - slots.free
        slots.close()
        await asyncio.gather(*takes, return_exceptions=True)
        for task in had():
            slots.give_back(task.result())
        assert slots.free == size

    asyncio.run(scenario())
