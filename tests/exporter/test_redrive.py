from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from exporter import deadletter
from exporter.breaker import Breaker
from exporter.deadletter import LAST_ID, Letter
from exporter.errors import RecordError
from exporter.metrics import Metrics
from exporter.record import Fault, Unreadable
from exporter.redrive import redrive, request_for
from exporter.state import open_state
from tests.kit.backend import Backend, reset, status
from tests.kit.exporter import PATIENT, Setup, delivering
from tests.kit.exporter import drive as time_passes
from tests.kit.http import serving
from tests.kit.records import places, task_line


def batch(number: int) -> Letter:
    body = b'{"events":[{"id":"%d"}]}' % ((1 << 51) + number)
    return Letter("batch", 1, number, number, 1, "no", 400, {}, 0, body)


def record(raw: bytes, position: int) -> Letter:
    unreadable = Unreadable(1, position, Fault.WENT_BACK, "late", raw)
    return deadletter.of_record(unreadable, now_ms=0)


@asynccontextmanager
async def driving(clock, tmp_path, *letters, **changes):
    backend = Backend()
    state = await open_state(tmp_path, None, 1 << 20, clock)
    await state.set_aside(letters)
    async with serving(backend) as origin:
        policy = replace(PATIENT, **{"tries": 1} | changes)
        setup = Setup(f"{origin}/events", "", tmp_path, clock, policy=policy)
        metrics = Metrics(CollectorRegistry())
        async with delivering(setup, metrics, Breaker(100, 5.0, clock)) as delivery:

            async def drive() -> list[str]:
                kept = await state.letters(0, LAST_ID)
                driven = redrive(kept, state, delivery, metadata=False, clock=clock)
                return [done.ending async for done in driven]

            yield backend, state, drive
    state.close()


async def test_letters_are_sent_in_order_with_their_keys(clock, tmp_path):
    """What is delivered is forgotten; keys and bodies are those of the first try."""
    async with driving(clock, tmp_path, batch(3), batch(1), batch(2)) as (backend, state, drive):
        assert await drive() == ["delivered"] * 3
        assert [posted.key for posted in backend.taken] == ["1-3-3", "1-1-1", "1-2-2"]
        assert await state.letters(0, LAST_ID) == []


async def test_what_is_refused_again_is_kept(clock, tmp_path):
    """A letter that the backend still refuses stays, and the others go."""
    async with driving(clock, tmp_path, batch(1), batch(2), batch(3)) as (backend, state, drive):
        backend.decide = lambda posted: status(400) if posted.key == "1-2-2" else None
        assert await drive() == ["delivered", "refused", "delivered"]
        assert [letter.first for letter in await state.letters(0, LAST_ID)] == [2]


async def test_what_is_refused_slowly_holds_up_no_other(clock, tmp_path):
    """A round that has time for one try is no backend that is away: the letter gets all tries."""
    slow = {"tries": 3, "total_s": 1.0}
    async with driving(clock, tmp_path, batch(1), batch(2), **slow) as (backend, _, drive):
        backend.decide = lambda posted: status(500) if posted.key == "1-1-1" else None
        driven = asyncio.create_task(drive())
        await time_passes(clock, driven.done)
        assert driven.result() == ["refused", "delivered"]
        assert len(backend.posted) == 4


async def test_a_backend_that_is_away_ends_it(clock, tmp_path):
    """The rest is not tried while nothing can be delivered; all is kept."""
    async with driving(clock, tmp_path, batch(1), batch(2)) as (backend, state, drive):
        backend.otherwise = reset
        assert await drive() == ["unavailable"]
        assert len(await state.letters(0, LAST_ID)) == 2


async def test_a_record_is_sent_as_the_event_that_it_makes(clock, tmp_path):
    """A record that was late is sent as an event of its own."""
    late = record(task_line(7).strip(), 7)
    async with driving(clock, tmp_path, late) as (backend, _, drive):
        assert await drive() == ["delivered"]
        assert places(backend.events) == [(1, 7)]
        assert backend.keys == ["1-7-7"]


async def test_a_record_that_is_still_broken_is_kept(clock, tmp_path):
    """What cannot become an event is not sent."""
    broken = record(task_line(7)[:200], 7)
    async with driving(clock, tmp_path, broken) as (backend, state, drive):
        assert await drive() == ["unusable"]
        assert backend.posted == []
        assert len(await state.letters(0, LAST_ID)) == 1


async def test_a_letter_that_another_redrive_took_is_passed_by(clock, tmp_path):
    """Two redrives at once send no letter twice on purpose."""
    async with driving(clock, tmp_path, batch(1), batch(2)) as (backend, state, drive):

        async def taken(request):
            await state.remove(2)
            return await status(200)(request)

        backend.say(taken)
        assert await drive() == ["delivered", "gone"]


def test_a_record_that_nobody_asks_for_is_no_event():
    """A redrive sends nothing that the service would not send."""
    with pytest.raises(RecordError):
        request_for(
            record(task_line(1, intent="CREATING"), 1),
            task_line(1, intent="CREATING"),
            metadata=False,
        )
