"""The source `redis` against a real Redis: the port's contract, order, takeover, losses."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
import trustme

from exporter.errors import SourceRefused, SourceUnavailable
from exporter.progress import Bounds, Progress
from exporter.record import UNKNOWN_PARTITION, Fault, Unreadable
from exporter.sources import Credentials, open_source, probe
from exporter.sources.redis_streams.ownership import RENEW_S
from exporter.sources.remembered import from_text
from runtime.clock import SystemClock
from tests.kit.clock import NotingClock
from tests.kit.reading import in_order, partitions, reader
from tests.kit.record_source import options_of
from tests.kit.redis_server import redis_server
from tests.kit.tcp_proxy import tcp_proxy
from tests.kit.user_task_records import record, user_task
from tests.kit.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.slow

STREAM = "zeebe:USER_TASK"
GROUP = "app-integrations-exporter"
PROGRESS = f"{GROUP}:zeebe:progress"


@pytest.fixture
async def server(tmp_path):
    directory = tmp_path / "redis"
    directory.mkdir()
    async with redis_server(directory) as running:
        yield running


@pytest.fixture
def options(server, tmp_path):
    """Options of the source; `url` and `state` may be others."""

    def make(url=None, state="state", **changes):
        state_dir = tmp_path / state
        state_dir.mkdir(exist_ok=True)
        clock = changes.pop("clock", SystemClock())
        return options_of(url or server.url, clock, state_dir, **changes)

    return make


class Hasty(SystemClock):
    """Real time, but for waits: they take 10 ms at most."""

    async def sleep(self, delay_s):
        await asyncio.sleep(min(delay_s, 0.01))


async def waiting(server, stream=STREAM):
    """How many entries the group was given and has not confirmed."""
    return (await server.client.xpending(stream, GROUP))["pending"]


# --- 1. entering ---------------------------------------------------------------------------------


async def test_entering_a_redis_that_is_away_says_so(tmp_path):
    """Nobody listens: the caller may wait and enter anew."""
    options = options_of("redis://127.0.0.1:1", SystemClock(), tmp_path)
    with pytest.raises(SourceUnavailable, match="Redis is away"):
        await probe(options)


async def test_a_wrong_password_is_refused_and_not_shown(tmp_path):
    """Somebody has to change a setting, and the message holds no secret."""
    async with redis_server(tmp_path, "--requirepass", "right") as server:
        for url in (f"redis://:wrong@127.0.0.1:{server.port}", server.url):
            with pytest.raises(SourceRefused, match="password") as refused:
                await probe(options_of(url, SystemClock(), tmp_path))
            assert "wrong" not in str(refused.value)
        await probe(options_of(f"redis://:right@127.0.0.1:{server.port}", SystemClock(), tmp_path))


@pytest.mark.parametrize(
    ("suffix", "reason"),
    [("/one", "redis://host:6379"), ("?nmae=zeebe", "nmae"), ("?name=taken", "taken:USER_TASK")],
)
async def test_an_address_that_cannot_be_right_is_refused(server, options, suffix, reason):
    """A database that is no number, a setting that is none, a key that is no stream."""
    await server.client.set("taken:USER_TASK", "text")
    with pytest.raises(SourceRefused, match=reason):
        await probe(options(server.url + suffix))


async def test_probing_changes_nothing(server, options):
    """`check` may run beside a running service, or before anything is set up."""
    await probe(options())
    assert await server.client.dbsize() == 0


async def test_tls_is_spoken_to_a_server_whose_authority_is_known(tmp_path):
    """With the authority's file the source connects; without it, it says what to set."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    ca, key, cert = tmp_path / "ca.pem", tmp_path / "key.pem", tmp_path / "cert.pem"
    authority.cert_pem.write_to_path(ca)
    certificate.private_key_pem.write_to_path(key)
    certificate.cert_chain_pems[0].write_to_path(cert)
    tls = ["--tls-cert-file", str(cert), "--tls-key-file", str(key), "--tls-auth-clients", "no"]
    async with redis_server(tmp_path, "--tls-port", "0") as plain, tcp_proxy(0) as unused:
        port = unused.port
        await unused.stop()
        await plain.client.config_set("tls-cert-file", str(cert))
        await plain.client.execute_command(
            "CONFIG", "SET", *[word.removeprefix("--") for word in tls], "tls-port", port
        )
        url = f"rediss://localhost:{port}"
        with pytest.raises(SourceRefused, match="CA_FILE"):
            await probe(options_of(url, SystemClock(), tmp_path))
        trusting = Credentials(ca_file=ca)
        await probe(options_of(url, SystemClock(), tmp_path, credentials=trusting))


# --- 2. partitions -------------------------------------------------------------------------------


async def test_partitions_of_one_stream_are_kept_apart(server, options):
    """Records of several partitions interleave in a stream; each lane gets its own, in order."""
    tasks = [user_task(at, partition_id=1 + at % 3) for at in range(1, 61)]
    await server.add(*tasks)
    async with open_source(options()) as source, partitions(source, 1, 2, 3) as appeared:
        assert sorted(appeared) == [1, 2, 3]
        for partition_id in appeared:
            async with reader(source, partition_id) as read:
                await read.until(59 + (partition_id + 1) % 3 - 1)
            assert read.positions == [at for at in range(1, 61) if 1 + at % 3 == partition_id]


async def test_a_partition_that_appears_later_is_told_when_it_does(server, options):
    """Partitions are not known beforehand."""
    await server.add(user_task(1))
    async with (
        open_source(options()) as source,
        partitions(source, 1) as appeared,
        reader(source, 1) as read,
    ):
        await read.until(1)
        await server.add(user_task(7, partition_id=4))
        await eventually(lambda: appeared == [1, 4])


async def test_a_partition_that_appears_later_is_begun_where_it_does(server, options):
    """Nothing of it lies before, so the stream is not read from its start for it."""
    await server.add(*[user_task(at) for at in range(1, 301)])
    async with (
        open_source(options()) as source,
        partitions(source, 1) as appeared,
        reader(source, 1, confirms=True) as read,
    ):
        await read.until(300)
        end = read.progress.bookmark
        await server.add(user_task(301, partition_id=2))
        await eventually(lambda: 2 in appeared)
        assert await source.progress(2) == Progress(bookmark=end)


async def test_broken_records_go_to_whom_they_belong_as_far_as_can_be_told(server, options):
    """No JSON, cut off, too long: each is handed on, and stops nobody."""
    cut = user_task(2)[:-40]
    long = user_task(3) + b" " * 2000
    await server.add(b"\x08\x01", cut, long, user_task(4))
    observer = options().observer
    small = options(max_record_bytes=1500, observer=observer)
    async with (
        open_source(small) as source,
        partitions(source, UNKNOWN_PARTITION, 1),
        reader(source, UNKNOWN_PARTITION) as unknown,
        reader(source, 1) as known,
    ):
        await known.until(4)
        await eventually(lambda: unknown.records)
    faults = [r.fault if isinstance(r, Unreadable) else r.position for r in known.records]
    assert faults == [Fault.CUT_OFF, Fault.TOO_LONG, 4]
    assert [r.fault for r in unknown.records] == [Fault.NOT_JSON]
    assert len(observer.warnings) == 1
    assert "format" in observer.warnings[0]


# --- 3. progress ---------------------------------------------------------------------------------


async def test_whoever_takes_over_is_told_the_batch_whose_sending_had_begun(server, options):
    """Only so does a repeat from another machine carry the same idempotency key."""
    await server.add(*[user_task(at) for at in range(1, 4)])
    pending = Bounds(first=2, last=3, count=2, selection="USER_TASK")
    async with open_source(options()) as source, partitions(source, 1):
        async with reader(source) as read:
            await read.until(3)
        told = Progress(1, read.progress.bookmark, pending, 1_700_000_000_001)
        await source.acknowledge(1, told)
    async with open_source(options(state="elsewhere")) as source, partitions(source, 1):
        assert await source.progress(1) == told
        assert await source.progress(2) is None


async def test_where_the_user_said_to_begin_is_remembered_before_it_is_passed(server, options):
    """A process that ends before its first batch, or within it, does not undo a rewind."""
    await server.add(*[user_task(at) for at in range(1, 7)])
    async with (
        open_source(options()) as source,
        partitions(source, 1),
        reader(source, confirms=True) as read,
    ):
        await read.until(6)
    pending = Bounds(first=3, last=4, count=2, selection="USER_TASK")
    for announced in (None, pending):
        told = Progress(2, "", announced)
        async with open_source(options()) as source, partitions(source, 1):
            await source.acknowledge(1, told)
        async with open_source(options()) as source, partitions(source, 1):
            assert await source.progress(1) == told
            async with reader(source, progress=told) as read:
                await read.until(6)
        assert read.positions == [1, 2, 3, 4, 5, 6]


# --- 4. reading ----------------------------------------------------------------------------------


async def test_reading_goes_on_behind_a_bookmark_and_begins_anew_without_one(server, options):
    """A bookmark names the place after its chunk; the beginning is the oldest entry there is."""
    await server.add(*[user_task(at) for at in range(1, 201)])
    async with open_source(options()) as source, partitions(source, 1):
        async with reader(source, confirms=True) as read:
            await read.until(200)
        assert read.positions == list(range(1, 201))
        first = read.chunks[0]
        after = [at for at in range(1, 201) if at > first.records[-1].position]
        for begin, expected in ((first.bookmark, after), ("", list(range(1, 201)))):
            async with reader(source, progress=Progress(bookmark=begin)) as again:
                await again.until(200)
            assert again.positions == expected


async def test_a_slow_lane_holds_up_no_other_and_loses_nothing(server, options):
    """What a lane has no room for is read again from the stream when it gets there."""
    tasks = [user_task(at, partition_id=1 + at % 2) for at in range(1, 3001)]
    await server.add(*tasks)
    async with open_source(options()) as source, partitions(source, 1, 2):
        slow = source.read(1, Progress())
        async with aclosing(slow):
            positions = [r.position for r in (await anext(slow)).records]
            async with reader(source, 2, confirms=True) as fast:
                await fast.until(2999)
            while positions[-1] < 3000:
                positions += [r.position for r in (await anext(slow)).records]
    assert fast.positions == list(range(1, 3001, 2))
    assert in_order(positions) == positions == list(range(2, 3001, 2))


async def test_nothing_is_read_while_no_lane_wants_more(server, options):
    """The backend is away: what waits in Redis stays there."""
    await server.add(*[user_task(at) for at in range(1, 6001)])
    async with open_source(options()) as source, partitions(source, 1):
        slow = source.read(1, Progress())
        async with aclosing(slow):
            await anext(slow)
            await asyncio.sleep(0.3)
            assert await waiting(server) < 3000


async def test_a_lane_may_leave_at_any_moment_and_read_again(server, options):
    """Reading is taken up from the progress that the lane has, however often."""
    await server.add(*[user_task(at) for at in range(1, 1001)])
    progress, positions = Progress(), []
    async with open_source(options()) as source, partitions(source, 1):
        while not positions or positions[-1] < 1000:
            chunks = source.read(1, progress)
            async with aclosing(chunks):
                async for chunk in chunks:
                    positions += [r.position for r in chunk.records]
                    progress = Progress(positions[-1] if positions else -1, chunk.bookmark)
                    break
    assert positions == list(range(1, 1001))


async def test_entries_that_come_twice_are_passed_on_twice(server, options):
    """The broker's exporter sends a batch again under new ids; the lane knows by positions."""
    await server.add(*[user_task(at) for at in (1, 2, 3, 1, 2, 3, 4)])
    async with (
        open_source(options()) as source,
        partitions(source, 1),
        reader(source, confirms=True) as read,
    ):
        await read.until(4)
    assert read.positions == [1, 2, 3, 1, 2, 3, 4]
    assert await waiting(server) == 0


async def test_the_name_of_the_field_means_nothing(server, options):
    """The exporter names it by a number, which may change."""
    await server.client.xadd(STREAM, {"anything": user_task(1)})
    async with (
        open_source(options()) as source,
        partitions(source, 1),
        reader(source) as read,
    ):
        await read.until(1)


async def test_value_types_are_read_in_the_order_of_positions(server, options):
    """Each has a stream of its own; a partition's records come in the log's order all the same."""
    kinds = ("USER_TASK", "INCIDENT", "JOB")
    for at in range(1, 1501):
        kind = kinds[at * at % 3]
        entry = {"1": record(at, kind, "CREATED")}
        await server.client.xadd(f"zeebe:{kind}", entry, id=f"{1_700_000_000_000 + at // 4}-*")
    async with open_source(options(kinds=kinds)) as source, partitions(source, 1):
        async with reader(source, confirms=True) as read:
            await read.until(1500)
        assert read.positions == list(range(1, 1501))
        middle = read.chunks[len(read.chunks) // 2]
        async with reader(source, progress=Progress(bookmark=middle.bookmark)) as again:
            await again.until(1500)
        assert again.positions == list(range(middle.records[-1].position + 1, 1501))


# --- 4 and 5. the peer goes away -----------------------------------------------------------------


async def test_a_redis_that_goes_away_and_comes_back_costs_nothing(server, options):
    """The lane is told, reads anew from where it was, and misses nothing."""
    await server.add(*[user_task(at) for at in range(1, 101)])
    async with open_source(options()) as source, partitions(source, 1):
        async with reader(source, confirms=True) as read:
            await read.until(100)
            await server.stop()
            await eventually(lambda: read.failure)
        assert isinstance(read.failure, SourceUnavailable)
        with pytest.raises(SourceUnavailable):
            await source.acknowledge(1, read.progress)
        await server.start()
        await server.add(*[user_task(at) for at in range(101, 201)])
        positions = read.positions
        for _ in range(20):
            async with reader(source, progress=read.progress, confirms=True) as again:
                await eventually(lambda again=again: again.failure or again.has(200))
            positions += again.positions
            read = again
            if again.failure is None:
                break
            await asyncio.sleep(0.2)
    assert positions == list(range(1, 201))
    assert await waiting(server) == 0


async def test_a_wire_that_breaks_anywhere_loses_nothing(server, options):
    """Answers are cut at many places, entries that were given and not received among them."""
    total, positions, progress = 4000, [], Progress()
    await server.add(*[user_task(at) for at in range(1, total + 1)])
    async with tcp_proxy(server.port) as proxy:
        url = f"redis://127.0.0.1:{proxy.port}"
        hasty = options(url, clock=Hasty())
        async with open_source(hasty) as source, partitions(source, 1):
            for cut_after_bytes in range(100, 2_000_000, 37_111):
                proxy.cut_after_bytes = cut_after_bytes
                async with reader(source, progress=progress, confirms=True) as read:
                    await eventually(lambda read=read: read.failure or read.has(total))
                positions += read.positions
                progress = read.progress
                if read.failure is None:
                    break
                assert isinstance(read.failure, SourceUnavailable)
    assert in_order(positions) == list(range(1, total + 1))


# --- 5. acknowledging ----------------------------------------------------------------------------


async def test_entries_are_confirmed_up_to_the_bookmark_and_no_further(server, options):
    """What is not delivered stays on the group's list, as an operator can see."""
    await server.add(*[user_task(at) for at in range(1, 1001)])
    async with open_source(options()) as source, partitions(source, 1):
        async with reader(source) as read:
            await read.until(1000)
        assert await waiting(server) == 1000
        middle = read.chunks[len(read.chunks) // 2]
        await source.acknowledge(1, Progress(middle.records[-1].position, middle.bookmark))
        assert await waiting(server) == 1000 - middle.records[-1].position
        await source.acknowledge(1, read.progress)
        assert await waiting(server) == 0


async def test_an_announced_batch_confirms_nothing(server, options):
    """Progress with a pending batch and the old bookmark is only written down."""
    await server.add(user_task(1))
    async with open_source(options()) as source, partitions(source, 1):
        async with reader(source) as read:
            await read.until(1)
        await source.acknowledge(1, Progress(pending=Bounds(1, 1, 1, "USER_TASK")))
        assert await waiting(server) == 1


async def test_what_nobody_asked_for_is_confirmed_at_once(server, options):
    """Intents that make no event do not pile up."""
    await server.add(user_task(1, intent="CREATING"), user_task(2))
    async with open_source(options()) as source, partitions(source, 1):
        async with reader(source) as read:
            await read.until(2)
        assert await waiting(server) == 1
        assert sum(chunk.skipped for chunk in read.chunks) <= 1


async def test_other_groups_are_left_alone(server, options):
    """Each relay's group stands for itself."""
    await server.add(user_task(1))
    await server.client.xgroup_create(STREAM, "theirs", id="0")
    async with (
        open_source(options()) as source,
        partitions(source, 1),
        reader(source, confirms=True) as read,
    ):
        await read.until(1)
    groups = {g["name"]: g["lag"] for g in await server.client.xinfo_groups(STREAM)}
    assert groups[b"theirs"] == 1


# --- standing by ---------------------------------------------------------------------------------


async def test_one_process_reads_and_the_next_takes_over_when_it_ends(server, options):
    """Order needs one reader; the others stand by and lose no time when it stops in good order."""
    await server.add(*[user_task(at) for at in range(1, 11)])
    async with open_source(options(state="one")) as one, partitions(one, 1):
        async with reader(one, confirms=True) as read:
            await read.until(10)
        async with open_source(options(state="two")) as two:
            assert not two.facts()["reads"]
            taking = asyncio.create_task(anext(two.partitions()))
            await asyncio.sleep(0.1)
            assert not taking.done()
            # as leaving the source does; a log that went on might take the lock back at once
            one._reading.cancel()
            await asyncio.wait((one._reading,))
            await one._stream_log._ownership.give_up()
            async with asyncio.timeout(PATIENCE_S):
                assert await taking == 1
            progress = await two.progress(1)
            await server.add(user_task(11))
            async with reader(two, progress=progress) as rest:
                await rest.until(11)
            assert rest.positions == [11]
            async with reader(one, progress=read.progress) as former:
                await eventually(lambda: former.ended)
            with pytest.raises(SourceUnavailable, match="another process"):
                await one.acknowledge(1, read.progress)


async def test_a_reader_that_died_is_replaced_when_its_lock_runs_out(server, options, tmp_path):
    """Another machine cannot know, so it waits; nothing that was not confirmed is passed over."""
    await server.add(*[user_task(at) for at in range(1, 11)])
    await server.client.set(f"{GROUP}:zeebe:reader", "dead", px=300)
    async with (
        open_source(options()) as source,
        partitions(source, 1),
        reader(source) as read,
    ):
        await read.until(10)


async def test_a_reader_that_is_begun_anew_has_its_lock_at_once(server, options):
    """A process that was killed and started again on its state directory does not wait."""
    await server.add(user_task(1))
    async with open_source(options()) as source, partitions(source, 1):
        token = await server.client.get(f"{GROUP}:zeebe:reader")
    await server.client.set(f"{GROUP}:zeebe:reader", token, px=3_600_000)
    async with open_source(options()) as source:
        async with asyncio.timeout(PATIENCE_S):
            assert await anext(source.partitions()) == 1


async def test_a_reader_whose_lock_was_taken_stops(server, options):
    """It was held up too long: its partitions end here and its progress is not written."""
    await server.add(user_task(1))
    async with (
        open_source(options()) as source,
        partitions(source, 1),
        reader(source) as read,
    ):
        await read.until(1)
        await server.client.set(f"{GROUP}:zeebe:reader", "other")
        await eventually(lambda: read.ended)
        with pytest.raises(SourceUnavailable):
            await source.acknowledge(1, read.progress)
    assert from_text(await server.client.hget(PROGRESS, 1)).position == -1


# --- what goes missing ---------------------------------------------------------------------------


async def test_what_was_trimmed_while_nobody_read_is_a_gap(server, options):
    """The exporter removes entries after five minutes unless told otherwise; say what it cost."""
    noticed = options()
    await server.add(*[user_task(at) for at in range(1, 11)])
    async with (
        open_source(noticed) as source,
        partitions(source, 1),
        reader(source, confirms=True) as read,
    ):
        await read.until(10)
    await server.add(*[user_task(at) for at in range(11, 51)])
    await server.client.xtrim(STREAM, maxlen=15, approximate=False)
    async with open_source(noticed) as source, partitions(source, 1):
        async with reader(source, progress=read.progress, confirms=True) as rest:
            await rest.until(50)
        assert rest.positions == list(range(36, 51))
    assert [gap[0] for gap in noticed.observer.gaps] == [1]
    assert "25 records" in noticed.observer.gaps[0][1]
    async with open_source(noticed) as source, partitions(source, 1):
        await server.add(user_task(51))
        async with reader(source, progress=rest.progress) as last:
            await last.until(51)
    assert len(noticed.observer.gaps) == 1


async def test_what_was_trimmed_after_it_was_done_is_no_gap(server, options):
    """Cleaning up behind us is what the exporter does all the time."""
    noticed = options()
    for begin in (1, 11, 21):
        await server.add(*[user_task(at) for at in range(begin, begin + 10)])
        async with (
            open_source(noticed) as source,
            partitions(source, 1),
            reader(source, progress=await source.progress(1), confirms=True) as read,
        ):
            await read.until(begin + 9)
        await server.client.xtrim(STREAM, maxlen=0, approximate=False)
    assert noticed.observer.gaps == []


async def test_what_was_given_and_trimmed_before_it_was_delivered_is_a_gap(server, options):
    """Entries that a dead reader had not confirmed are asked for again, and are not there."""
    noticed = options()
    await server.add(*[user_task(at) for at in range(1, 11)])
    async with (
        open_source(noticed) as source,
        partitions(source, 1),
        reader(source) as read,
    ):
        await read.until(10)
    await server.client.xtrim(STREAM, maxlen=4, approximate=False)
    async with (
        open_source(noticed) as source,
        partitions(source, 1),
        reader(source, confirms=True) as rest,
    ):
        await rest.until(10)
    assert rest.positions == [7, 8, 9, 10]
    assert "6 records" in noticed.observer.gaps[0][1]
    assert await waiting(server) == 0


async def test_what_waits_to_be_read_again_is_no_gap(server, options):
    """A restart while the backend is away: what was given before is there, and is given again."""
    noticed = options()
    await server.add(*[user_task(at) for at in range(1, 11)])
    async with open_source(noticed) as source, partitions(source, 1), reader(source) as read:
        await read.until(10)
    clock = NotingClock()
    anew = options(clock=clock, observer=noticed.observer)
    async with open_source(anew) as source, partitions(source, 1):
        # When it waits again it has looked once at what is removed meanwhile.
        await eventually(lambda: clock.waits_s.count(RENEW_S) == 2)
        async with reader(source, confirms=True) as again:
            await again.until(10)
    assert again.positions == list(range(1, 11))
    assert noticed.observer.gaps == []
    assert await waiting(server) == 0


async def test_a_lane_that_reads_back_misses_what_was_trimmed_meanwhile(server, options):
    """It was slow, and what it left out for later is gone: that is told for its partition."""
    noticed = options()
    tasks = [user_task(at, partition_id=1 + at % 2) for at in range(1, 3001)]
    await server.add(*tasks)
    async with open_source(noticed) as source, partitions(source, 1, 2):
        slow = source.read(1, Progress())
        async with aclosing(slow):
            positions = [r.position for r in (await anext(slow)).records]
            async with reader(source, 2, confirms=True) as fast:
                await fast.until(2999)
            await server.client.xtrim(STREAM, maxlen=100, approximate=False)
            while positions[-1] < 3000:
                positions += [r.position for r in (await anext(slow)).records]
            await server.add(user_task(3002, partition_id=1))
            await anext(slow)
    ((partition_id, reason),) = noticed.observer.gaps
    assert partition_id == 1
    assert f"{1500 - len(positions)} records" in reason


async def test_trimming_that_is_about_to_overtake_is_told_beforehand(server, options):
    """Most of the stream is undelivered and entries are being removed: there is time to act."""
    noticed = options()
    old_ms = SystemClock().now_ms() - 60_000
    for at in range(1, 101):
        await server.client.xadd(STREAM, {"1": user_task(at)}, id=f"{old_ms + at}-0")
    async with (
        open_source(noticed) as source,
        partitions(source, 1),
        reader(source) as read,
    ):
        await read.until(100)
        assert noticed.observer.warnings == []
        first = read.chunks[0]
        await source.acknowledge(1, Progress(first.records[-1].position, first.bookmark))
        await server.client.xtrim(STREAM, maxlen=40, approximate=False)
        await eventually(lambda: noticed.observer.warnings)
    assert "maxTimeToLiveInSeconds" in noticed.observer.warnings[0]


async def test_a_stream_that_expires_as_a_whole_is_told(server, options):
    """A time to live on the key would take everything at once."""
    noticed = options()
    await server.add(user_task(1))
    await server.client.expire(STREAM, 1000)
    async with (
        open_source(noticed) as source,
        partitions(source, 1),
        reader(source) as read,
    ):
        await read.until(1)
        await eventually(lambda: noticed.observer.warnings)
    assert "expiry" in noticed.observer.warnings[0]


@pytest.mark.parametrize("loss", ["group", "stream", "everything"])
async def test_what_was_deleted_is_made_anew(server, options, loss):
    """A group, a stream or the whole memory is gone: reading goes on with what comes."""
    await server.add(*[user_task(at) for at in range(1, 11)])
    async with (
        open_source(options()) as source,
        partitions(source, 1) as appeared,
    ):
        async with reader(source, confirms=True) as read:
            await read.until(10)
            match loss:
                case "group":
                    await server.client.xgroup_destroy(STREAM, GROUP)
                case "stream":
                    await server.client.delete(STREAM)
                case _:
                    await server.client.flushall()
            await server.add(user_task(11))
            await eventually(lambda: read.failure or read.ended or read.has(11))
        positions, progress = read.positions, read.progress
        async with asyncio.timeout(PATIENCE_S):
            while 11 not in positions:
                if read.ended:
                    await eventually(lambda: appeared == [1, 1])
                async with reader(source, progress=progress, confirms=True) as read:
                    await eventually(lambda read=read: read.failure or read.ended or read.has(11))
                positions += read.positions
                progress = read.progress
                await asyncio.sleep(0.05)
    assert in_order(positions) == list(range(1, 12))
