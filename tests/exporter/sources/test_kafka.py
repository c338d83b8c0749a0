"""The source `kafka` against a real broker: the port's contract, order, rebalances, losses."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import time
from contextlib import aclosing, asynccontextmanager
from itertools import count

import orjson
import pytest
import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from pydantic import SecretStr

from exporter.errors import SourceRefused, SourceUnavailable
from exporter.progress import Bounds, Progress
from exporter.record import Fault, Record
from exporter.sources import Credentials, open_source, probe
from runtime.clock import SystemClock
from runtime.logs import configure
from tests.kit.kafka.broker import kafka_broker
from tests.kit.reading import in_order, partitions, reader
from tests.kit.record_source import options_of
from tests.kit.tcp_proxy import tcp_proxy
from tests.kit.user_task_records import user_task
from tests.kit.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.slow

GROUP = "app-integrations-exporter"
numbers = count(1)


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with kafka_broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
async def admin(broker):
    client = AIOKafkaAdminClient(bootstrap_servers=broker.server)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


class Topic:
    """A topic of the test's own, written as the broker's exporter writes."""

    def __init__(self, name, width, producer):
        self.name = name
        self._width = width
        self._producer = producer

    async def add(self, *records, partition=None, commits=True):
        """One transaction; each record goes where its partition's number says."""
        await self._producer.begin_transaction()
        for raw in records:
            key = {"partitionId": 1, "position": 1}
            try:
                read = orjson.loads(raw)
                key = {"partitionId": read["partitionId"], "position": read["position"]}
            except orjson.JSONDecodeError:
                key = {"partitionId": 1, "position": 77}
            number = key["partitionId"] % self._width if partition is None else partition
            await self._producer.send(self.name, raw, key=orjson.dumps(key), partition=number)
        if commits:
            await self._producer.commit_transaction()
        else:
            await self._producer.abort_transaction()


@pytest.fixture
async def topic(broker, admin, tmp_path):
    """Makes topics of a given width."""
    producers = []

    async def make(width=1):
        number = next(numbers)
        name = f"zeebe-{number}"
        await admin.create_topics([NewTopic(name, width, 1)])
        producer = AIOKafkaProducer(bootstrap_servers=broker.server, transactional_id=name)
        await producer.start()
        producers.append(producer)
        return Topic(name, width, producer)

    try:
        yield make
    finally:
        for producer in producers:
            await producer.stop()


@pytest.fixture
def options(broker, tmp_path):
    """Options of the source for a topic, in a group of its own; `state` names a process."""

    def make(topic, state="state", server=None, **changes):
        state_dir = tmp_path / state
        state_dir.mkdir(exist_ok=True)
        url = f"kafka://{server or broker.server}/{topic.name}?group={topic.name}"
        return options_of(url, SystemClock(), state_dir, **changes)

    return make


async def committed(admin, topic, number=0):
    """Offset and metadata that the group has committed."""
    at = TopicPartition(topic.name, number)
    told = await admin.list_consumer_group_offsets(topic.name, partitions=[at])
    return told[at].offset, told[at].metadata


# --- 1. entering ---------------------------------------------------------------------------------


async def test_entering_a_kafka_that_is_away_says_so(tmp_path):
    """Nobody listens: the caller may wait and enter anew."""
    with pytest.raises(SourceUnavailable, match="Kafka is away"):
        await probe(options_of("kafka://127.0.0.1:1/zeebe", SystemClock(), tmp_path))


@pytest.mark.parametrize(
    ("suffix", "reason"),
    [("/a,b", "one topic"), ("/zeebe?sasl=GSSAPI", "sasl"), ("/zeebe?grupo=x", "group")],
)
async def test_an_address_that_cannot_be_right_is_refused(tmp_path, suffix, reason):
    """Two topics cannot be read in order, and settings that are none would be ignored."""
    url = f"kafka://127.0.0.1:1{suffix}"
    with pytest.raises(SourceRefused, match=reason):
        await probe(options_of(url, SystemClock(), tmp_path))


async def test_probing_wants_the_topic_and_changes_nothing(broker, admin, options, topic):
    """`check` may run beside a running service; a topic that is missing is named."""
    there = await topic()
    await probe(options(there))
    missing = Topic("zeebe-missing", 1, None)
    with pytest.raises(SourceRefused, match="zeebe-missing"):
        await probe(options(missing))
    assert "zeebe-missing" not in await admin.list_topics()


async def test_tls_is_spoken_to_a_broker_whose_authority_is_known(broker, topic, tmp_path):
    """With the authority's file the source connects; without it, it says what to set."""
    there = await topic()
    url = f"kafka+ssl://localhost:{broker.tls_port}/{there.name}"
    with pytest.raises(SourceRefused, match="CA_FILE"):
        await probe(options_of(url, SystemClock(), tmp_path))
    trusting = Credentials(ca_file=broker.authority)
    await probe(options_of(url, SystemClock(), tmp_path, credentials=trusting))
    await there.add(user_task(1))
    options = options_of(url, SystemClock(), tmp_path, credentials=trusting)
    async with open_source(options) as source, partitions(source, 1), reader(source) as read:
        await read.until(1)


async def test_a_wrong_password_is_refused_and_not_shown(broker, topic, tmp_path):
    """Somebody has to change a setting, and the message holds no secret."""
    there = await topic()
    address = f"127.0.0.1:{broker.sasl_port}/{there.name}"
    with pytest.raises(SourceRefused, match="user") as refused:
        await probe(options_of(f"kafka://relay:wrong@{address}", SystemClock(), tmp_path))
    assert "wrong" not in str(refused.value)
    right = Credentials(username="relay", password=SecretStr("right"))
    await probe(options_of(f"kafka://{address}", SystemClock(), tmp_path, credentials=right))


@pytest.fixture
def debug_log():
    """Everything is logged as the service does; gives a function that ends it with its lines."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    writer = configure("DEBUG", "json", stream)

    def text():
        writer.close()
        return stream.getvalue()

    yield text
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def test_the_librarys_log_is_ours_and_shows_no_password(broker, topic, options, debug_log):
    """Its lines have the shape of every other; those that hold requests are left out."""
    there = await topic()
    await there.add(user_task(1))
    credentials = Credentials(username="relay", password=SecretStr("right"))
    server = f"localhost:{broker.sasl_port}"
    async with (
        open_source(options(there, server=server, credentials=credentials)) as source,
        partitions(source, 1),
        reader(source) as read,
    ):
        await read.until(1)
    text = debug_log()
    lines = [orjson.loads(line) for line in text.splitlines()]
    assert {"timestamp", "level", "logger", "event"} <= set.intersection(*map(set, lines))
    assert "Sending username and password in the clear" in [line["event"] for line in lines]
    assert "right" not in text


async def test_a_topic_that_is_made_later_is_read_then(broker, admin, options):
    """The exporter makes its topic when it first writes."""
    late = Topic("zeebe-late", 1, None)
    async with open_source(options(late)) as source:
        appearing = asyncio.create_task(anext(source.partitions()))
        await admin.create_topics([NewTopic(late.name, 1, 1)])
        producer = AIOKafkaProducer(bootstrap_servers=broker.server)
        await producer.start()
        await producer.send_and_wait(late.name, user_task(1), partition=0)
        await producer.stop()
        async with asyncio.timeout(PATIENCE_S):
            assert await appearing == 1


# --- 2 to 4. partitions and reading --------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 2, 3])
async def test_each_partition_is_read_in_order_whatever_shares_its_place(options, topic, width):
    """Zeebe's partition p lies in the topic's p % count, so several may share one."""
    written = await topic(width)
    await written.add(*[user_task(at, partition_id=1 + at % 3) for at in range(1, 61)])
    async with (
        open_source(options(written)) as source,
        partitions(source, 1, 2, 3),
        reader(source, 1, confirms=True) as one,
        reader(source, 2, confirms=True) as two,
        reader(source, 3, confirms=True) as three,
    ):
        await one.until(60)
        await two.until(58)
        await three.until(59)
    assert one.positions == list(range(3, 61, 3))
    assert two.positions == list(range(1, 61, 3))
    assert three.positions == list(range(2, 61, 3))


async def test_only_committed_transactions_are_read(options, topic):
    """What the exporter took back was never exported."""
    written = await topic()
    await written.add(user_task(1))
    await written.add(user_task(2), user_task(3), commits=False)
    await written.add(user_task(4))
    async with (
        open_source(options(written)) as source,
        partitions(source, 1),
        reader(source) as read,
    ):
        await read.until(4)
    assert read.positions == [1, 4]


async def test_reading_goes_on_behind_a_bookmark_and_begins_anew_without_one(options, topic):
    """A bookmark names the place after its chunk; the beginning is the oldest message there is."""
    written = await topic()
    for begin in range(1, 1001, 100):
        await written.add(*[user_task(at) for at in range(begin, begin + 100)])
    async with open_source(options(written)) as source, partitions(source, 1):
        async with reader(source, progress=await source.progress(1), confirms=True) as read:
            await read.until(1000)
        assert read.positions == list(range(1, 1001))
        first = next(chunk for chunk in read.chunks if chunk.records)
        after = list(range(first.records[-1].position + 1, 1001))
        for bookmark, expected in ((first.bookmark, after), ("", list(range(1, 1001)))):
            async with reader(source, progress=Progress(bookmark=bookmark)) as again:
                await again.until(1000)
            assert again.positions == expected


async def test_a_slow_lane_holds_up_no_other_and_loses_nothing(options, topic):
    """Two of Zeebe's partitions share one of the topic, and one stands still for a while."""
    written = await topic()
    await written.add(*[user_task(at, partition_id=1 + at % 2) for at in range(1, 5001)])
    async with open_source(options(written)) as source, partitions(source, 1, 2):
        slow = source.read(1, Progress())
        async with aclosing(slow):
            positions = [r.position for r in (await anext(slow)).records]
            async with reader(source, 2, confirms=True) as fast:
                await fast.until(4999)
            while positions[-1] < 5000:
                positions += [r.position for r in (await anext(slow)).records]
    assert fast.positions == list(range(1, 5001, 2))
    assert positions == list(range(2, 5001, 2))


async def test_broken_records_go_to_whom_their_key_names(options, topic):
    """The exporter's key tells partition and position though the value is broken."""
    written = await topic()
    await written.add(b"\x08\x01", user_task(2))
    async with (
        open_source(options(written)) as source,
        partitions(source, 1),
        reader(source) as read,
    ):
        await read.until(2)
    broken, whole = read.records
    assert (broken.fault, broken.partition_id, broken.position) == (Fault.NOT_JSON, 1, 77)
    assert isinstance(whole, Record)


async def test_a_partition_that_lies_in_two_places_is_refused(options, topic):
    """The topic was widened while it was read: order cannot be told any more."""
    written = await topic(2)
    await written.add(user_task(1), partition=1)
    await written.add(user_task(2), partition=0)

    async def read_all(source):
        async for partition_id in source.partitions():
            async with reader(source, partition_id):
                await asyncio.sleep(0.5)

    async with open_source(options(written)) as source:
        with pytest.raises(SourceRefused, match="new topic"):
            await read_all(source)


async def test_what_retention_removed_before_it_was_read_is_a_gap(admin, options, topic):
    """Kafka removes old messages, read or not; say what it cost and go on."""
    written = await topic()
    noticed = options(written)
    await written.add(*[user_task(at) for at in range(1, 11)])
    async with (
        open_source(noticed) as source,
        partitions(source, 1),
        reader(source, progress=await source.progress(1), confirms=True) as read,
    ):
        await read.until(10)
    await written.add(*[user_task(at) for at in range(11, 31)])
    at = TopicPartition(written.name, 0)
    await admin.delete_records({at: RecordsToDelete(before_offset=21)})
    async with (
        open_source(noticed) as source,
        partitions(source, 1),
        reader(source, progress=await source.progress(1), confirms=True) as rest,
    ):
        await rest.until(30)
    assert rest.positions == list(range(21, 31))
    ((partition_id, reason),) = noticed.observer.gaps
    assert partition_id == 1
    assert "up to 11 records" in reason  # the end of a transaction counts as well


# --- 5. acknowledging ----------------------------------------------------------------------------


async def test_an_offset_is_committed_up_to_the_bookmark_and_no_further(admin, options, topic):
    """Nothing is committed by itself, and of two that share a partition the slower one counts."""
    written = await topic()
    await written.add(*[user_task(at, partition_id=1 + at % 2) for at in range(1, 101)])
    async with (
        open_source(options(written)) as source,
        partitions(source, 1, 2),
        reader(source, 1) as one,
        reader(source, 2) as two,
    ):
        await one.until(100)
        await two.until(99)
        assert (await committed(admin, written))[0] == -1
        await source.acknowledge(1, one.progress)
        assert (await committed(admin, written))[0] == 0
        await source.acknowledge(2, two.progress)
        offset, metadata = await committed(admin, written)
    assert offset == 101 - 1
    assert set(orjson.loads(metadata)) == {"1", "2"}


async def test_whoever_gets_a_partition_next_is_told_what_was_announced(options, topic):
    """Only so does a repeat from another machine carry the same idempotency key."""
    written = await topic()
    await written.add(*[user_task(at) for at in range(1, 4)])
    pending = Bounds(first=2, last=3, count=2, selection="USER_TASK")
    async with open_source(options(written)) as source, partitions(source, 1):
        async with reader(source) as read:
            await read.until(3)
        told = Progress(1, read.progress.bookmark, pending, 1_700_000_000_001)
        await source.acknowledge(1, told)
    elsewhere = options(written, state="elsewhere")
    async with open_source(elsewhere) as source, asyncio.timeout(PATIENCE_S):
        assert await anext(source.partitions()) == 1
        assert await source.progress(1) == told
        assert await source.progress(2) is None


async def test_where_the_user_said_to_begin_is_remembered_before_it_is_passed(
    admin, options, topic
):
    """A process that ends before its first batch, or within it, does not undo a rewind."""
    written = await topic()
    await written.add(*[user_task(at) for at in range(1, 7)])
    async with (
        open_source(options(written)) as source,
        partitions(source, 1),
        reader(source, confirms=True) as read,
    ):
        await read.until(6)
    pending = Bounds(first=3, last=4, count=2, selection="USER_TASK")
    for announced in (None, pending):
        async with open_source(options(written)) as source, partitions(source, 1):
            await source.acknowledge(1, Progress(2, "", announced))
        async with open_source(options(written)) as source, partitions(source, 1):
            told = await source.progress(1)
            assert (told.position, told.pending) == (2, announced)
            async with reader(source, progress=told) as read:
                await read.until(6)
        assert read.positions == [1, 2, 3, 4, 5, 6]
        assert (await committed(admin, written))[0] == 0


# --- rebalances ----------------------------------------------------------------------------------


@asynccontextmanager
async def member(options):
    """A process that reads and confirms whatever it is assigned, as the pipeline does."""
    taken = {}
    async with open_source(options) as source:

        async def run(partition_id, progress):
            async with reader(source, partition_id, progress, confirms=True) as read:
                taken.setdefault(partition_id, []).append(read)
                await eventually(lambda: read.ended or read.failure, 3 * PATIENCE_S)

        async def watch():
            lanes = {}
            async with asyncio.TaskGroup() as group:
                async for partition_id in source.partitions():
                    if partition_id in lanes:
                        await asyncio.wait((lanes[partition_id],))
                    progress = await source.progress(partition_id)
                    lanes[partition_id] = group.create_task(run(partition_id, progress))

        watching = asyncio.create_task(watch())
        try:
            yield taken
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


def positions(taken):
    return {p: [at for read in reads for at in read.positions] for p, reads in taken.items()}


async def test_members_share_partitions_and_take_over_from_one_another(options, topic):
    """A second process gets a part; when it ends, the first has all of it again, in order."""
    written = await topic(2)

    async def add(first, last):
        await written.add(*[user_task(at, partition_id=1 + at % 2) for at in range(first, last)])

    def read(*members):
        return {at for taken in members for part in positions(taken).values() for at in part}

    await add(1, 101)
    async with member(options(written, state="one")) as one:
        await eventually(lambda: {99, 100} <= read(one))
        async with member(options(written, state="two")) as two:
            await eventually(lambda: two)
            await add(101, 201)
            await eventually(lambda: {199, 200} <= read(one, two))
            (theirs,) = set(positions(two))
        await add(201, 301)
        await eventually(lambda: {299, 300} <= read(one))
    first, second = positions(one), positions(two)
    mine = 3 - theirs
    assert in_order(first[mine]) == list(range(3 - mine, 301, 2))
    assert sorted({*first[theirs], *second[theirs]}) == list(range(3 - theirs, 301, 2))
    assert in_order(first[theirs]) == first[theirs]
    assert in_order(second[theirs]) == second[theirs]


async def entering_s(options):
    """How long it takes to enter the group and be given its partition."""
    began_s = time.monotonic()
    async with open_source(options) as source, asyncio.timeout(PATIENCE_S):
        assert await anext(source.partitions()) == 1
        return time.monotonic() - began_s


async def test_a_process_that_is_begun_anew_has_its_partitions_at_once(options, topic):
    """Its name lasts, so it does not wait for a session to run out, as one of another name does."""
    written = await topic()
    await written.add(user_task(1))
    await entering_s(options(written))
    again_s = await entering_s(options(written))
    stranger_s = await entering_s(options(written, state="stranger"))
    assert again_s < stranger_s / 2


async def test_two_processes_on_one_state_directory_are_refused(options, topic):
    """They would have one name in the group, and each throw the other out."""
    written = await topic()
    async with open_source(options(written)):
        with pytest.raises(SourceUnavailable, match="kafka-member is held"):
            async with open_source(options(written)):
                pass


async def test_who_is_stopped_while_connecting_leaves_no_connection_open(options, topic):
    """At whatever moment of its beginning: an open connection that is lost fails the test."""
    written = await topic()
    for moment in range(25):
        async with open_source(options(written)):
            await asyncio.sleep(moment * 0.004)
        gc.collect()


async def test_a_member_that_was_thrown_out_joins_anew(options, topic, tmp_path):
    """Another process has its name and takes its place: reading ends, and goes on later."""
    written = await topic()
    await written.add(user_task(1))
    async with member(options(written)) as taken:
        await eventually(lambda: 1 in positions(taken).get(1, ()))
        copy = options(written, state="copy")
        name = (tmp_path / "state" / "kafka-member.name").read_text(encoding="utf-8")
        (tmp_path / "copy" / "kafka-member.name").write_text(name, encoding="utf-8")
        async with open_source(copy) as source, asyncio.timeout(PATIENCE_S):
            assert await anext(source.partitions()) == 1
            await eventually(lambda: taken[1][0].ended or taken[1][0].failure)
        await written.add(user_task(2))
        await eventually(lambda: 2 in positions(taken)[1])
    assert in_order(positions(taken)[1]) == [1, 2]


# --- the peer goes away --------------------------------------------------------------------------


async def test_a_broker_that_comes_back_is_read_on(tmp_path):
    """Connections break and the broker is away for a while: nothing is missed or out of order."""
    async with tcp_proxy(0) as wire:
        with kafka_broker(tmp_path, advertised=wire.port) as broker:
            wire.to(broker.port)
            server = f"127.0.0.1:{wire.port}"
            admin = AIOKafkaAdminClient(bootstrap_servers=server)
            await admin.start()
            await admin.create_topics([NewTopic("zeebe", 1, 1)])
            await admin.close()
            producer = AIOKafkaProducer(bootstrap_servers=server)
            await producer.start()
            options = options_of(f"kafka://{server}/zeebe", SystemClock(), tmp_path)
            async with member(options) as taken:
                for begin in range(1, 301, 100):
                    for at in range(begin, begin + 100):
                        await producer.send("zeebe", user_task(at), partition=0)
                    await producer.flush()
                    await eventually(lambda begin=begin: begin + 99 in positions(taken).get(1, ()))
                    wire.refuses = True
                    wire.cut()
                    await asyncio.sleep(0.5)
                    wire.refuses = False
            await producer.stop()
    assert in_order(positions(taken)[1]) == list(range(1, 301))
