"""What sources that are pushed to have in common, by the example of `http`."""

from __future__ import annotations

from tests.kit.backend import Backend
from tests.kit.exporter import Setup, done, drive, exporting
from tests.kit.http import serving
from tests.kit.records import places, task_line


async def test_a_queue_on_a_full_disk_stalls_the_lane_and_stops_nothing(tmp_path, clock):
    """While the queue cannot be written the lane waits, says why and repeats nothing."""
    backend = Backend()
    async with serving(backend) as origin:
        setup = Setup(f"{origin}/events", "http://127.0.0.1:0", tmp_path, clock)
        async with exporting(setup) as exporter:
            inbox = exporter.pipeline._around.source._inbox
            await inbox.put([(1, task_line(1)), (1, task_line(2))])
            await drive(clock, lambda: done(exporter) == 2)
            await inbox.put([(1, task_line(3))])
            await inbox.database.ask(lambda db: db.execute("PRAGMA query_only = ON"))
            began_s = clock.monotonic_s()
            await drive(clock, lambda: clock.monotonic_s() > began_s + 60.0)
            assert "inbox-http.sqlite3" in exporter.pipeline.lanes[1].obstacles.text
            await inbox.database.ask(lambda db: db.execute("PRAGMA query_only = OFF"))
            await inbox.put([(1, task_line(4))])
            await drive(clock, lambda: done(exporter) == 4)
            assert exporter.pipeline.lanes[1].obstacles.text is None
        assert places(backend.events) == [(1, n) for n in (1, 2, 3, 4)]
