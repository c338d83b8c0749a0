from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from exporter.batch import Limits
from exporter.breaker import Breaker
from exporter.deadletter import LAST_ID
from exporter.delivery import Policy
from exporter.event import Selection
from exporter.lease import Lease
from exporter.metrics import Metrics
from exporter.pipeline import Share
from exporter.progress import Progress
from exporter.record import UNKNOWN_PARTITION
from exporter.redrive import redrive
from exporter.state import open_state
from runtime.backoff import Backoff
from tests.kit.backend import (
    TAKE,
    Backend,
    half,
    hang,
    reset,
    status,
    take_and_hang,
    take_and_reset,
    web_page,
)
from tests.kit.clock import FakeClock
from tests.kit.exporter import PATIENT, Setup, delivering, done, drive, exporting
from tests.kit.http import saying, serving, talking
from tests.kit.loop import quiet
from tests.kit.records import append, deep_line, other_line, places, task_line
from tests.kit.shared_log import SharedLog

FEW = Limits(count=3, age_s=2.0)


@asynccontextmanager
async def backend_and_setup(tmp_path, clock, **changes):
    backend = Backend()
    async with serving(backend) as origin:
        log = tmp_path / "records.jsonl"
        setup = Setup(f"{origin}/events", f"file://{log}", tmp_path, clock, limits=FEW)
        yield backend, replace(setup, **changes), log


async def letters(exporter):
    return await exporter.state.letters(0, LAST_ID)


async def test_user_tasks_arrive_in_order(tmp_path, clock):
    """Of a log of all kinds of records, the user tasks arrive, each once and in order."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        append(log, *(task_line(n) if n % 3 == 0 else other_line(n) for n in range(1, 31)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 30)
        assert places(backend.events) == [(1, n) for n in range(3, 31, 3)]
        assert [posted.key for posted in backend.taken] == [
            "1-3-9",
            "1-12-18",
            "1-21-27",
            "1-30-30",
        ]


async def test_a_batch_is_sent_when_its_first_event_is_old(tmp_path, clock):
    """A batch that does not fill is sent once its first event has waited for the interval."""
    async with backend_and_setup(tmp_path, clock) as (_backend, setup, log):
        append(log, task_line(1))
        async with exporting(setup) as exporter:
            took_s = await drive(clock, lambda: done(exporter) == 1)
        assert 2.0 <= took_s < 4.0


async def test_what_was_read_is_sent_at_the_stop(tmp_path, clock):
    """A batch that is not full is flushed when the service stops."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        append(log, task_line(1), task_line(2))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: 1 in exporter.pipeline.lanes)
            await drive(clock, lambda: not exporter.pipeline.lanes[1]._backlog.is_empty)
            await exporter.stop()
        assert backend.keys == ["1-1-2"]


async def test_a_stop_within_a_round_waits_for_the_rounds_that_it_takes(tmp_path, clock):
    """A backend that comes back within the time to drain gets what was read, each batch once."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        backend.otherwise = status(503)
        append(log, *(task_line(n) for n in range(1, 6)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: len(backend.posted) == 2)
            stopping = asyncio.create_task(exporter.stop())
            await drive(clock, lambda: len(backend.posted) == 7)
            backend.otherwise = TAKE
            append(log, task_line(6))
            await drive(clock, stopping.done)
        assert [posted.key for posted in backend.taken] == ["1-1-3", "1-4-5"]


async def test_partitions_appear_as_they_are_seen(tmp_path, clock):
    """A partition nobody has seen before gets a lane of its own, and its order is its own."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        append(log, task_line(1))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 1)
            append(log, task_line(5, partition=7), task_line(2), task_line(6, partition=7))
            await drive(clock, lambda: done(exporter) == 2 and done(exporter, 7) == 6)
        by_partition = {p: [n for q, n in places(backend.events) if q == p] for p in (1, 7)}
        assert by_partition == {1: [1, 2], 7: [5, 6]}


async def test_a_backend_that_is_away_for_ten_minutes_loses_nothing(tmp_path, clock):
    """After a long outage everything arrives, in order, soon after the backend is back."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        backend.otherwise = status(503)
        append(log, *(task_line(n) for n in range(1, 31)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: clock.monotonic_s() >= 600.0)
            asked = len(backend.posted)
            assert (
                exporter.pipeline.lanes[1].obstacles.text
                == "backend: the backend answers 503 for now"
            )
            backend.otherwise = TAKE
            back_s = await drive(clock, lambda: done(exporter) == 30)
        assert places(backend.events) == [(1, n) for n in range(1, 31)]
        assert back_s < 15.0
        assert asked < 140, "a backend that is away is asked once in five seconds"


async def test_a_backend_that_flaps_and_is_slow_gets_everything_in_order(tmp_path, clock):
    """Away and back from one request to the next, and slow: all arrives once, in order."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        asked = 0

        async def flap(request):
            nonlocal asked
            asked += 1
            await clock.sleep(0.02)
            return await (TAKE if asked % 3 == 0 else status(503))(request)

        backend.otherwise = flap
        append(log, *(task_line(n) for n in range(1, 25)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 24)
        assert places(backend.events) == [(1, n) for n in range(1, 25)]


async def test_a_stalled_backend_stops_the_reading(tmp_path, clock):
    """While nothing can be sent no more is read than fits, but for the chunk that did not."""
    async with backend_and_setup(tmp_path, clock, in_flight=2) as (backend, setup, log):
        backend.otherwise = status(503)
        append(log, *(task_line(n) for n in range(1, 1001)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: clock.monotonic_s() >= 60.0)
            lane = exporter.pipeline.lanes[1]
            assert lane.in_flight == 2
            assert len(lane._backlog.open._events) <= 3
            assert lane._intake._seen.last < 250  # of 1000: a chunk is about 190 of these


async def test_a_rejected_batch_is_set_aside_and_the_lane_goes_on(tmp_path, clock):
    """A batch that is itself the problem becomes a dead letter with all that is known of it."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        backend.say(TAKE, status(422, X_Why="because"))
        append(log, *(task_line(n) for n in range(1, 10)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 9)
            (letter,) = await letters(exporter)
            body = await exporter.state.body(letter.id)
        assert (letter.kind, letter.first, letter.last, letter.count) == ("batch", 4, 6, 3)
        assert (letter.status, letter.headers["X-Why"]) == (422, "because")
        assert places(orjson.loads(body)["events"]) == [(1, 4), (1, 5), (1, 6)]
        assert places(backend.events) == [(1, n) for n in (1, 2, 3, 7, 8, 9)]


async def test_a_batch_that_is_refused_slowly_is_set_aside_after_all_tries(tmp_path, clock):
    """A backend that needs the time of a round for one 500 does not hold the lane for ever."""
    policy = Policy(tries=3, total_s=5.0, backoff=Backoff(first_s=1.5))

    async def refuse(request):
        await clock.sleep(4.5)
        return await status(500)(request)

    async with backend_and_setup(tmp_path, clock, policy=policy) as (backend, setup, log):
        backend.decide = lambda posted: refuse if posted.key == "1-4-6" else None
        append(log, *(task_line(n) for n in range(1, 10)))
        async with exporting(setup) as exporter:
            took_s = await drive(clock, lambda: done(exporter) == 9)
            assert [(each.first, each.last) for each in await letters(exporter)] == [(4, 6)]
        assert [posted.key for posted in backend.posted].count("1-4-6") == 3
        assert took_s < 30.0
        assert places(backend.events) == [(1, n) for n in (1, 2, 3, 7, 8, 9)]


async def test_what_an_answer_holds_cannot_stop_a_lane(tmp_path, clock):
    """Headers that are no text become a dead letter like others, with what can be read of them."""
    refusal = b"HTTP/1.1 400 No\r\nX-Why: caf\xe9\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with (
        backend_and_setup(tmp_path, clock) as (_, setup, log),
        talking(saying(refusal)) as url,
    ):
        append(log, *(task_line(n) for n in range(1, 4)))
        async with exporting(replace(setup, url=url)) as exporter:
            await drive(clock, lambda: done(exporter) == 3)
            (letter,) = await letters(exporter)
    assert letter.headers["X-Why"] == "caf\N{REPLACEMENT CHARACTER}"


async def test_without_continue_on_error_a_rejected_batch_is_tried_for_ever(tmp_path, clock):
    """Nothing is set aside and nothing overtakes; once it is taken the rest follows."""
    async with backend_and_setup(tmp_path, clock, give_up=False) as (backend, setup, log):
        backend.otherwise = status(400)
        append(log, *(task_line(n) for n in range(1, 10)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: clock.monotonic_s() >= 300.0)
            asked = len(backend.posted)
            backend.otherwise = TAKE
            await drive(clock, lambda: done(exporter) == 9)
            assert await letters(exporter) == []
        assert {posted.key for posted in backend.posted[:asked]} == {"1-1-3"}
        assert 30 < asked < 200, "tried again and again, and never in a hot loop"
        assert places(backend.events) == [(1, n) for n in range(1, 10)]


async def test_a_stalled_lane_holds_up_no_other(tmp_path, clock):
    """One partition's bad batch, tried for ever, leaves the others alone: those known and new."""
    async with backend_and_setup(tmp_path, clock, give_up=False) as (backend, setup, log):
        backend.decide = lambda posted: status(400) if posted.key.startswith("1-") else None
        append(log, *(task_line(n, partition=1 + n % 2) for n in range(1, 400)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter, 2) == 399)
            append(log, *(task_line(n, partition=3) for n in range(1, 7)))
            await drive(clock, lambda: done(exporter, 3) == 6)
            assert done(exporter, 1) == -1
        assert {partition for partition, _ in places(backend.events)} == {2, 3}


async def test_a_new_partition_is_found_while_all_lanes_stand_still(tmp_path, clock):
    """When the only lane is stalled, a partition that appears behind it is found all the same."""
    async with backend_and_setup(tmp_path, clock, give_up=False) as (backend, setup, log):
        backend.decide = lambda posted: status(400) if posted.key.startswith("1-") else None
        append(log, *(task_line(n) for n in range(1, 1000)))
        append(log, *(task_line(n, partition=2) for n in range(1, 7)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter, 2) == 6)


async def test_full_dead_letters_stop_the_lane_and_drop_nothing(tmp_path, clock):
    """With no room to set aside the lane waits; room, or a backend that takes it, moves it on."""
    async with backend_and_setup(tmp_path, clock, dead_letters_bytes=3000) as (backend, setup, log):
        backend.otherwise = status(400)
        append(log, *(task_line(n) for n in range(1, 10)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: clock.monotonic_s() > 60.0)
            assert "DEAD_LETTERS_MAX_BYTES" in exporter.pipeline.lanes[1].obstacles.text
            (letter,) = await letters(exporter)
            assert done(exporter) == letter.last == 3
            await exporter.state.remove(letter.id)
            await drive(clock, lambda: done(exporter) == 6)
            backend.otherwise = TAKE
            await drive(clock, lambda: done(exporter) == 9)
        assert places(backend.events) == [(1, 7), (1, 8), (1, 9)]


async def test_lanes_share_the_room_of_the_dead_letters(tmp_path, clock):
    """Where one letter fits, one lane goes on and the other waits; nothing is dropped of either."""
    async with backend_and_setup(tmp_path, clock, dead_letters_bytes=3000) as (backend, setup, log):
        backend.otherwise = status(400)
        append(log, *(task_line(n, partition=1 + n % 2) for n in range(1, 13)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: clock.monotonic_s() > 60.0)
            (letter,) = await letters(exporter)
            lanes = exporter.pipeline.lanes
            assert all("DEAD_LETTERS_MAX_BYTES" in lane.obstacles.text for lane in lanes.values())
            backend.otherwise = TAKE
            await drive(clock, lambda: (done(exporter, 1), done(exporter, 2)) == (12, 11))
            assert len(await letters(exporter)) == 1
        held = {(letter.partition_id, n) for n in range(letter.first, letter.last + 1, 2)}
        assert len(held) == 3
        assert held | set(places(backend.events)) == {(1 + n % 2, n) for n in range(1, 13)}


async def test_a_redrive_beside_the_running_lane_loses_and_repeats_nothing(tmp_path, clock):
    """Another process sends what was set aside while the lane goes on: all arrives, each once."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        backend.decide = lambda posted: status(400) if int(posted.key.split("-")[1]) < 13 else None
        append(log, *(task_line(n) for n in range(1, 13)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 12)
            backend.decide = lambda _: None
            append(log, *(task_line(n) for n in range(13, 37)))
            beside = await open_state(tmp_path, setup.source, 1 << 20, clock)
            metrics = Metrics(CollectorRegistry())
            async with delivering(setup, metrics, Breaker(5, 5.0, clock)) as delivery:
                kept = await beside.letters(0, LAST_ID)
                async for driven in redrive(kept, beside, delivery, metadata=False, clock=clock):
                    assert driven.ending == "delivered"
                    await drive(clock, lambda n=driven.letter.id: done(exporter) >= 12 + 3 * n)
            beside.close()
            await drive(clock, lambda: done(exporter) == 36)
            assert await letters(exporter) == []
        assert sorted(places(backend.events)) == [(1, n) for n in range(1, 37)]


async def test_bad_records_are_set_aside_and_never_stop_the_lane(tmp_path, clock):
    """Whatever is wrong with a record, it is counted, kept if it is a user task, and passed by."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        append(
            log,
            task_line(1),
            b"garbage\n",
            task_line(2)[:300] + b"\n",
            task_line(3, valueType="NEVER_SEEN"),
            task_line(4, value={"userTaskKey": "seven"}),
            task_line(5, key="text"),
            task_line(6, value=[1, 2]),
            deep_line(6),
            task_line(7),
            task_line(6, timestamp=10**13),
            task_line(7),
            task_line(8),
        )
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 8)
            kept = [
                (letter.kind, letter.reason.split(":")[0]) for letter in await letters(exporter)
            ]
            count = exporter.count
            assert kept == [
                ("record", "cut_off"),
                ("record", "value"),
                ("record", "envelope"),
                ("record", "value"),
                ("record", "too_deep"),
            ]
            unreadable = "app_integrations_exporter_records_unreadable_total"
            assert count(unreadable, fault="value") == 2
            assert count("app_integrations_exporter_records_duplicate_total") == 2
            await drive(clock, lambda: count(unreadable, fault="not_json") == 1)
        assert places(backend.events) == [(1, 1), (1, 7), (1, 8)]


async def test_a_position_that_goes_back_is_set_aside(tmp_path, clock):
    """A record that comes late, or of a log that was begun anew, is not lost without a word."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        append(log, task_line(5), task_line(9), task_line(7), task_line(9), task_line(10))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 10)
            (letter,) = await letters(exporter)
            assert (letter.first, letter.reason.split(":")[0]) == (7, "went_back")
        assert places(backend.events) == [(1, 5), (1, 9), (1, 10)]


async def test_records_of_no_partition_have_a_lane_of_their_own(tmp_path, clock):
    """What cannot be told whose it is, is accounted under partition 0 and stops nobody."""
    async with backend_and_setup(tmp_path, clock) as (_, setup, log):
        append(log, b'{"userTaskKey": broken}\n', task_line(1))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 1)
            await drive(clock, lambda: UNKNOWN_PARTITION in exporter.pipeline.lanes)

            async def set_aside():
                return [letter.partition_id for letter in await letters(exporter)]

            while await set_aside() != [UNKNOWN_PARTITION]:
                assert clock.monotonic_s() < 60, "the broken record was not set aside"
                await clock.advance(0.2)
                await quiet()


async def test_a_full_disk_stalls_the_lane_and_repeats_nothing(tmp_path, clock):
    """While the state cannot be written nothing is sent again; then the lane goes on."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        async with exporting(setup) as exporter:
            append(log, *(task_line(n) for n in range(1, 4)))
            await drive(clock, lambda: done(exporter) == 3)
            database = exporter.state._database
            await database.ask(lambda db: db.execute("PRAGMA query_only = ON"))
            append(log, *(task_line(n) for n in range(4, 10)))
            await drive(clock, lambda: clock.monotonic_s() > 60.0)
            assert "state" in exporter.pipeline.lanes[1].obstacles.reasons
            assert backend.keys == ["1-1-3"]
            await database.ask(lambda db: db.execute("PRAGMA query_only = OFF"))
            await drive(clock, lambda: done(exporter) == 9)
        assert [posted.key for posted in backend.posted] == ["1-1-3", "1-4-6", "1-7-9"]


async def test_bounds_are_durable_before_the_first_try(tmp_path, clock):
    """When a batch comes in at the backend, its bounds are in the state file already."""
    seen = []
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):

        async def look(request):
            beside = await open_state(tmp_path, setup.source, 0, clock)
            seen.append((await beside.positions())[1])
            beside.close()
            return await TAKE(request)

        backend.otherwise = look
        append(log, *(task_line(n) for n in range(1, 7)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 6)
    assert [(p.pending.first, p.pending.last, p.position) for p in seen] == [(1, 3, -1), (4, 6, 3)]


async def test_a_restart_sends_the_same_batch_again(tmp_path, clock):
    """A batch whose answer never came is sent again unchanged, though the settings changed."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        backend.otherwise = status(503)
        append(log, *(task_line(n) for n in range(1, 8)))
        async with exporting(setup):
            await drive(clock, lambda: backend.posted)
        backend.otherwise = TAKE
        changed = replace(setup, limits=Limits(count=100), selection=Selection(metadata=True))
        async with exporting(changed) as exporter:
            await drive(clock, lambda: done(exporter) == 7)
        assert backend.taken[0].key == backend.posted[0].key == "1-1-3"
        assert backend.taken[0].body == backend.posted[0].body
        assert backend.taken[1].events[0]["position"] == 4


async def test_whoever_returns_repeats_what_another_process_announced(tmp_path, clock):
    """At equal positions the source's word counts: our own knows nothing of another's batch."""
    log = SharedLog()
    async with backend_and_setup(tmp_path, clock, opening=log.open) as (backend, setup, _):
        log.lines = [task_line(n) for n in range(1, 4)]
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 3)
        log.lines += [task_line(4), task_line(5)]
        backend.otherwise = take_and_reset
        other = tmp_path / "other"
        other.mkdir()
        async with exporting(replace(setup, state_dir=other)):
            await drive(clock, lambda: backend.keys == ["1-1-3", "1-4-5"])
        log.lines.append(task_line(6))
        backend.otherwise = TAKE
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 6)
    assert backend.keys == ["1-1-3", "1-4-5", "1-6-6"]


async def test_where_the_user_said_to_begin_counts_once(tmp_path, clock):
    """A partition that comes back goes on where it is, not where this process was told to begin."""
    log = SharedLog()
    log.lines = [task_line(n) for n in range(1, 4)]
    changes = {"opening": log.open, "rewound": lambda _: True}
    async with (
        backend_and_setup(tmp_path, clock, **changes) as (backend, setup, _),
        exporting(setup) as exporter,
    ):
        await drive(clock, lambda: done(exporter) == 3)
        log.taken.set()
        await drive(clock, lambda: not exporter.pipeline.lanes)
        log.lines += [task_line(n) for n in range(4, 7)]
        log.told.append(Progress(5, "5"))  # by another process
        log.returned.set()
        await drive(clock, lambda: done(exporter) == 6)
    assert backend.keys == ["1-1-3", "1-6-6"]


async def test_a_rewind_outlives_a_process_that_ends_at_once(tmp_path, clock):
    """What a source remembered before counts no more, though nothing was announced since."""
    log = SharedLog()
    log.lines = [task_line(n) for n in range(1, 4)]
    async with backend_and_setup(tmp_path, clock, opening=log.open) as (backend, setup, _):
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 3)
        state = await open_state(tmp_path, setup.source, 1 << 20, clock)
        await state.rewind(1, 2)
        state.close()
        lines, log.lines = log.lines, []  # nothing can be announced before it ends
        async with exporting(replace(setup, rewound=lambda _: True)) as exporter:
            await drive(clock, lambda: 1 in exporter.pipeline.lanes)
        log.lines = lines
        async with exporting(setup) as exporter:
            await drive(clock, lambda: len(backend.taken) == 2 and done(exporter) == 3)
    assert backend.keys == ["1-1-3", "1-2-3"]


@pytest.mark.parametrize("delivered", [0, 3], ids=["first batch", "batch after a batch"])
async def test_what_was_not_announced_is_not_sent(tmp_path, clock, delivered):
    """A batch whose announcement waits while the partition is taken away is the next owner's."""
    log = SharedLog()
    log.is_away = delivered == 0
    log.lines = [task_line(n) for n in range(1, 7)]
    async with backend_and_setup(tmp_path, clock, opening=log.open) as (backend, setup, _):

        async def take(request):
            log.is_away = True
            return await TAKE(request)

        backend.otherwise = take
        async with exporting(setup) as exporter:
            await drive(clock, lambda: "source" in (reasons(exporter) or ()))
            log.taken.set()
            await drive(clock, lambda: not exporter.pipeline.lanes)
    assert backend.keys == ["1-1-3"][: delivered // 3]


async def test_a_lane_that_stands_still_gives_its_partition_back(tmp_path, clock):
    """A batch that is tried for ever is left to the new owner, and the partition may return."""
    log = SharedLog()
    log.lines = [task_line(n) for n in range(1, 4)]
    changes = {"opening": log.open, "give_up": False}
    async with (
        backend_and_setup(tmp_path, clock, **changes) as (backend, setup, _),
        exporting(setup) as exporter,
    ):
        backend.otherwise = status(400)
        await drive(clock, lambda: backend.posted)
        log.taken.set()
        took_s = await drive(clock, lambda: not exporter.pipeline.lanes)
        assert took_s < 10.0
        backend.otherwise = TAKE
        log.returned.set()
        await drive(clock, lambda: done(exporter) == 3)
    assert backend.keys == ["1-1-3"]


async def test_what_is_being_sent_is_brought_to_its_end(tmp_path, clock):
    """A batch that is delivered soon after its partition was taken away is acknowledged."""
    log = SharedLog()
    log.lines = [task_line(n) for n in range(1, 4)]

    async def slowly(request):
        log.taken.set()
        await clock.sleep(2.0)
        return await TAKE(request)

    async with (
        backend_and_setup(tmp_path, clock, opening=log.open) as (backend, setup, _),
        exporting(setup) as exporter,
    ):
        backend.otherwise = slowly
        await drive(clock, lambda: log.taken.is_set() and not exporter.pipeline.lanes)
    assert log.told[-1].position == 3
    assert len(backend.posted) == 1


def reasons(exporter):
    """Why partition 1 stands still; None when it has no lane yet."""
    lane = exporter.pipeline.lanes.get(1)
    return lane and lane.obstacles.reasons


async def test_a_lease_is_held_while_a_lane_runs(tmp_path, clock):
    """Nobody else can take the partition meanwhile, and anybody can afterwards."""
    async with backend_and_setup(tmp_path, clock) as (_, setup, log):
        append(log, task_line(1))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 1)
            with pytest.raises(Exception, match="partition-1 is held by another process"):
                Lease.take(tmp_path, "partition-1")
            await exporter.stop()
        Lease.take(tmp_path, "partition-1").__exit__(None, None, None)


async def test_a_lease_held_elsewhere_stops_the_start(tmp_path, clock):
    """A second owner of a partition refuses to start while the first holds its lease."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        append(log, task_line(1))
        with Lease.take(tmp_path, "partition-1"):
            async with exporting(setup) as exporter:
                await drive(clock, exporter.running.done)
                with pytest.raises(ExceptionGroup) as refusal:
                    exporter.running.result()
        assert "pid" in str(refusal.value.exceptions[0])
        assert backend.posted == []


async def test_a_lease_that_cannot_be_written_is_waited_for(tmp_path, clock):
    """What may pass by itself does not stop the service; the lane begins when it has passed."""
    async with backend_and_setup(tmp_path, clock) as (_, setup, log):
        append(log, task_line(1))
        in_the_way = tmp_path / "partition-1.lease"
        in_the_way.mkdir()
        async with exporting(setup) as exporter:
            await drive(
                clock, lambda: "cannot be opened" in (exporter.pipeline.obstacles.text or "")
            )
            in_the_way.rmdir()
            await drive(clock, lambda: done(exporter) == 1)
            assert exporter.pipeline.obstacles.text is None


async def test_a_lane_that_waits_to_begin_holds_up_no_stop(tmp_path, clock):
    """It has read nothing, so there is nothing to send; the others send what they have."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        append(log, task_line(1), task_line(2, partition=2))
        (tmp_path / "partition-1.lease").mkdir()
        async with exporting(setup) as exporter:
            await drive(clock, lambda: exporter.pipeline.obstacles.text)
            await drive(clock, lambda: 2 in exporter.pipeline.lanes)
            await drive(clock, lambda: not exporter.pipeline.lanes[2]._backlog.is_empty)
            stopping = asyncio.create_task(exporter.stop())
            assert await drive(clock, stopping.done) < 1.0
        assert backend.keys == ["2-2-2"]


async def test_replicas_divide_partitions_by_ordinal(tmp_path, clock):
    """Two replicas deliver each partition once between them."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        append(log, *(task_line(n, partition=1 + n % 3) for n in range(1, 10)))
        for ordinal in (0, 1):
            directory = tmp_path / str(ordinal)
            directory.mkdir()
            owned = [p for p in (1, 2, 3) if Share(2, ordinal).has(p)]
            own = replace(setup, share=Share(2, ordinal), state_dir=directory)
            async with exporting(own) as exporter:
                await drive(clock, lambda e=exporter, o=owned: all(done(e, p) > 6 for p in o))
        assert sorted(places(backend.events)) == sorted((1 + n % 3, n) for n in range(1, 10))


async def test_where_the_user_said_to_begin(tmp_path, clock):
    """`--from-position` sends from there on, `--from-beginning` everything again."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        append(log, *(task_line(n) for n in range(1, 10)))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 9)
        state = await open_state(tmp_path, setup.source, 1 << 20, clock)
        await state.rewind(1, 7)
        state.close()
        async with exporting(setup) as exporter:
            await drive(clock, lambda: done(exporter) == 9)
        assert backend.taken[-1].key == "1-7-9"


async def test_clock_jumps_are_survived(tmp_path, clock):
    """A wall clock that jumps, back or far ahead, changes neither order nor what arrives."""
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        async with exporting(setup) as exporter:
            for jump_ms, first in ((-(10**9), 1), (10**12, 4), (-(10**12), 7)):
                clock._start_ms += jump_ms
                append(log, *(task_line(n) for n in range(first, first + 3)))
                await drive(clock, lambda last=first + 2: done(exporter) == last)
                assert exporter.pipeline.lanes[1].lag_s == 0.0
        assert places(backend.events) == [(1, n) for n in range(1, 10)]


async def test_lag_is_the_age_of_the_oldest_event_not_done(tmp_path):
    """A lane that is stalled shows how old what it holds is; one that is done shows nothing."""
    clock = FakeClock(now_ms=1_768_471_872_340 + 60_000)
    async with backend_and_setup(tmp_path, clock) as (backend, setup, log):
        backend.otherwise = status(503)
        append(log, task_line(0))
        async with exporting(setup) as exporter:
            await drive(clock, lambda: backend.posted)
            assert 60.0 <= exporter.pipeline.lanes[1].lag_s <= 70.0
            name = "app_integrations_exporter_lag_seconds"
            assert exporter.count(name, partition="1") >= 60.0
            assert exporter.count("app_integrations_exporter_stalled", partition="1") in (0, 1)
            backend.otherwise = TAKE
            await drive(clock, lambda: done(exporter) == 0)
            assert exporter.pipeline.lanes[1].lag_s == 0.0


ANSWERS = [
    TAKE,
    TAKE,
    TAKE,
    take_and_reset,
    take_and_hang,
    hang,
    reset,
    half,
    web_page,
    status(302),
    status(429),
    status(500),
    status(503),
]
numbers = st.integers(1, 12)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), numbers, st.integers(1, 3)),
        st.tuples(st.just("other"), st.integers(1, 4), st.integers(1, 3)),
        st.tuples(st.just("answers"), st.lists(st.sampled_from(ANSWERS), max_size=8), st.just(0)),
        st.tuples(st.just("wait"), numbers, st.just(0)),
        st.tuples(st.just("kill"), numbers, st.just(0)),
        st.tuples(st.just("kill at once"), st.integers(0, 60), st.just(0)),
        st.tuples(st.just("full disk"), numbers, st.just(0)),
        st.tuples(st.sampled_from(["stop", "rotate"]), st.just(0), st.just(0)),
    ),
    max_size=14,
)
QUICK = replace(PATIENT, try_s=0.1)


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps, st.integers(1, 3))
async def test_nothing_is_lost_whatever_happens(tmp_path_factory, schedule, in_flight):
    """Over random records, faults, kills, full disks, stops and rotations all arrives, in order.

    No event is missing, the order within a partition holds once repeats are left out, a repeat has
    the key and the body that it had, and the position is never ahead of what was delivered.
    """
    clock = FakeClock()
    directory = tmp_path_factory.mktemp("lane")
    source = f"file://{directory}/records*.jsonl"
    changes = {"in_flight": in_flight, "source": source, "give_up": False, "policy": QUICK}
    async with backend_and_setup(directory, clock, **changes) as (backend, setup, log):
        world = World(backend, setup, log, clock)
        for name, number, partition in schedule:
            await world.step(name, number, partition)
        await world.settle()
        for partition in (1, 2, 3):
            sent = [n for p, n in places(backend.events_once) if p == partition]
            assert sent == world.written[partition]
        assert set(backend.bodies_by_key.values()) <= {1}


class World:
    """An exporter that is killed and begun anew, a log that grows and rotates, a clock."""

    def __init__(self, backend, setup, log, clock):
        self.backend, self.setup, self.log, self.clock = backend, setup, log, clock
        self.written = {1: [], 2: [], 3: []}
        self.last = 0
        self.rotations = 0
        self.starts = 0
        self.run = None
        self.exporter = None

    async def step(self, name, number, partition):
        if name in ("write", "other"):
            make = task_line if name == "write" else other_line
            places_now = range(self.last + 1, self.last + number + 1)
            append(self.log, *(make(n, partition=partition) for n in places_now))
            self.last += number
            if name == "write":
                self.written[partition].extend(places_now)
        elif name == "answers":
            self.backend.say(*number)
        elif name == "rotate" and self.log.exists():
            self.rotations += 1
            self.log.rename(self.log.with_name(f"records-{self.rotations}.jsonl"))
        elif name == "wait":
            await self.ensure()
            until_s = self.clock.monotonic_s() + number / 4
            await drive(self.clock, lambda: self.clock.monotonic_s() >= until_s)
        elif name == "kill":
            # after so many requests, answered or not
            await self.ensure()
            enough, until_s = len(self.backend.posted) + number // 2, self.clock.monotonic_s() + 5.0
            await drive(
                self.clock,
                lambda: len(self.backend.posted) >= enough or self.clock.monotonic_s() >= until_s,
            )
            await self.end()
        elif name == "kill at once":
            await self.kill_at_once(number)
        elif name == "full disk":
            await self.fill_disk(number / 4)
        elif name == "stop" and self.exporter is not None:
            stopping = asyncio.create_task(self.exporter.stop())
            await drive(self.clock, stopping.done)
            await self.end()
        self.never_ahead()

    async def kill_at_once(self, turns):
        """End it after so many turns of the event loop, whatever is waited for then."""
        await self.ensure()
        for _ in range(turns):
            await asyncio.sleep(0)
        await self.end()

    async def fill_disk(self, seconds):
        """Nothing can be written for a while."""
        await self.ensure()
        database, until_s = self.exporter.state._database, self.clock.monotonic_s() + seconds
        await database.ask(lambda db: db.execute("PRAGMA query_only = ON"))
        await drive(self.clock, lambda: self.clock.monotonic_s() >= until_s)
        await database.ask(lambda db: db.execute("PRAGMA query_only = OFF"))

    async def ensure(self):
        if self.run is None:
            # each start cuts batches in another way, so that only what is written down is the same
            self.starts += 1
            limits = Limits(count=2 + self.starts % 3)
            self.run = exporting(replace(self.setup, limits=limits))
            self.exporter = await self.run.__aenter__()

    async def end(self):
        if self.run is not None:
            with suppress(asyncio.CancelledError):
                await self.run.__aexit__(None, None, None)
            self.run = self.exporter = None

    def never_ahead(self):
        """The position of each lane is at most that of an event that the backend has."""
        if self.exporter is None:
            return
        taken = places(self.backend.events)
        for partition, lane in self.exporter.pipeline.lanes.items():
            position = lane.done.position
            before = [n for n in self.written.get(partition, []) if n <= position]
            assert {(partition, n) for n in before} <= set(taken)

    async def settle(self):
        """The backend is well again: all that was written is done in the end."""
        self.backend.script.clear()
        await self.ensure()
        ends = {p: ns[-1] for p, ns in self.written.items() if ns}
        await drive(
            self.clock, lambda: all(done(self.exporter, p) == last for p, last in ends.items())
        )
        self.never_ahead()
        await self.end()


def test_patient_is_the_default_but_for_its_time():
    """The tests' policy differs from the service's defaults only in the time for a round."""
    assert (PATIENT.tries, PATIENT.backoff.first_s, PATIENT.backoff.cap_s) == (3, 1.5, 5.0)
