"""The source for Elasticsearch and OpenSearch, against the devstack's stand-in over a socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest
import trustme
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from yarl import URL

from devstack.elasticsearch import Credentials as ServerCredentials
from devstack.elasticsearch import Documents, Elasticsearch, RecordExporter
from devstack.faults import Cut, HalfBody, HtmlPage, Status
from devstack.server import HttpServer
from exporter.deadletter import LAST_ID
from exporter.errors import SourceRefused, SourceUnavailable
from exporter.progress import Progress
from exporter.record import Fault, Unreadable
from exporter.sources import Credentials, open_source, probe
from exporter.sources.elasticsearch.horizon import Horizon
from runtime.oauth import ClientCredentials
from tests.kit.clock import FakeClock
from tests.kit.exporter import Setup, drive, exporting
from tests.kit.http import serving
from tests.kit.loop import quiet
from tests.kit.loop import run as run_on_quiet_loop
from tests.kit.record_source import options_of, reading
from tests.kit.waiting import PATIENCE_S, eventually
from tests.kit.zeebe_records import Journal

LAG_MS = 2000
TASK = {
    "elementId": "approve",
    "elementInstanceKey": 4,
    "bpmnProcessId": "order",
    "processDefinitionKey": 1,
    "processInstanceKey": 2,
}


class Cluster:
    """The stand-in over a socket, with a journal for each of three partitions."""

    def __init__(self, clock, credentials=None):
        self.clock = clock
        self.documents = Documents(clock, refresh_s=1.0)
        self.exporter = RecordExporter(self.documents)
        self.api = Elasticsearch(self.documents, credentials)
        self.server = HttpServer("elasticsearch", self.api.routes(), clock)
        self.journals = {
            number: Journal(self.exporter.export, partition_id=number) for number in (1, 2, 3)
        }

    def write(
        self, count=1, *, partition=1, intent="CREATED", kind="USER_TASK", late_s=0.0, **value
    ):
        self.exporter.late_s = late_s
        for _ in range(count):
            self.journals[partition].write(kind, intent, 7, {"userTaskKey": 7, **value})
        self.exporter.late_s = 0.0

    @property
    def url(self):
        return f"elasticsearch+http://127.0.0.1:{self.server.port}"


@asynccontextmanager
async def running(clock, credentials=None):
    cluster = Cluster(clock, credentials)
    await cluster.server.start("127.0.0.1", 0)
    try:
        yield cluster
    finally:
        await cluster.server.stop()


@pytest.fixture
async def cluster(clock):
    async with running(clock) as cluster:
        yield cluster


@asynccontextmanager
async def tailing(cluster, tmp_path, query="", progress=None, partition=1, **changes):
    options = options_of(cluster.url + query, cluster.clock, tmp_path, **changes)
    async with (
        open_source(options) as source,
        reading(source, cluster.clock, partition, progress) as read,
    ):
        read.noticed = options.observer
        yield read


# Point 1: entering proves that the source answers and lets us in.


@pytest.mark.parametrize(
    ("credentials", "userinfo"),
    [
        (Credentials(username="elastic", password=SecretStr("changeme")), ""),
        (Credentials(), "elastic:changeme@"),
        (Credentials(username="elastic", password=SecretStr("changeme")), "other:wrong@"),
        (Credentials(api_key=SecretStr("demo:demo-key")), ""),
        (Credentials(api_key=SecretStr("ZGVtbzpkZW1vLWtleQ==")), ""),
    ],
)
async def test_credentials_let_in(clock, tmp_path, credentials, userinfo):
    """Basic credentials, of the settings before those of the URL, or a key in either form."""
    async with running(clock, ServerCredentials()) as cluster:
        url = cluster.url.replace("//", f"//{userinfo}")
        await probe(options_of(url, clock, tmp_path, credentials=credentials))


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials(),
        Credentials(username="elastic", password=SecretStr("wrong")),
        Credentials(api_key=SecretStr("wrong:wrong")),
    ],
)
async def test_wrong_credentials_are_refused(clock, tmp_path, credentials):
    """A 401 stops the start; the message names the settings to look at, not their values."""
    async with running(clock, ServerCredentials()) as cluster:
        with pytest.raises(SourceRefused, match="_API_KEY") as raised:
            await probe(options_of(cluster.url, clock, tmp_path, credentials=credentials))
        assert "wrong" not in str(raised.value)


@pytest.mark.parametrize("readable", [(), ("zeebe-record-incident",)], ids=["none", "others"])
async def test_an_index_that_may_not_be_read_is_refused(readable, clock, tmp_path):
    """A search passes over it without a word, since it passes over what is not there yet."""
    let_in = Credentials(username="elastic", password=SecretStr("changeme"))
    kinds = ("USER_TASK", "INCIDENT")
    async with running(clock, ServerCredentials(readable=readable)) as cluster:
        cluster.write()
        options = options_of(cluster.url, clock, tmp_path, credentials=let_in, kinds=kinds)
        with pytest.raises(SourceRefused, match="may read the indices"):
            await probe(options)


async def test_a_right_that_is_taken_away_is_noticed(clock, tmp_path):
    """It is asked for again now and then; until then nothing more would be found."""
    let_in = Credentials(username="elastic", password=SecretStr("changeme"))
    async with running(clock, ServerCredentials()) as cluster:
        options = options_of(cluster.url, clock, tmp_path, credentials=let_in)
        async with open_source(options) as source:
            looking = asyncio.create_task(anext(source.partitions()))
            cluster.api._credentials = ServerCredentials(readable=())
            await drive(clock, looking.done)
            with pytest.raises(SourceRefused, match="may read the indices"):
                looking.result()


async def test_oauth_is_refused(clock, tmp_path):
    """Credentials that Elasticsearch is not asked with here are not passed over."""
    oauth = ClientCredentials("http://localhost/token", "id", SecretStr("secret"))
    options = options_of(
        "elasticsearch+http://h", clock, tmp_path, credentials=Credentials(oauth=oauth)
    )
    with pytest.raises(SourceRefused, match="OAuth"):
        await probe(options)


async def test_a_cluster_that_is_away_can_come_back(clock, tmp_path):
    """Nobody listens: that is waited for, not refused."""
    with pytest.raises(SourceUnavailable):
        await probe(options_of("elasticsearch+http://127.0.0.1:9", clock, tmp_path))


async def test_the_ca_file_decides_whom_to_trust(clock, tmp_path):
    """Over TLS a server of an unknown authority is refused, and with its file it is let be."""
    authority = trustme.CA()
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    tls = authority.issue_cert("127.0.0.1")
    import ssl  # noqa: PLC0415 - only this test speaks TLS

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.configure_cert(context)

    async def answer(_request):
        return web.json_response(
            {"timed_out": False, "_shards": {"total": 0, "failed": 0}, "hits": {"hits": []}}
        )

    async with serving(answer, context) as origin:
        url = f"opensearch+{origin}"
        await probe(options_of(url, clock, tmp_path, credentials=Credentials(ca_file=ca_file)))
        with pytest.raises(SourceRefused, match="CA file"):
            await probe(options_of(url, clock, tmp_path))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?lag=1", "did you mean lag-ms"),
        ("?page=0&lag-ms=x", "page must be.*lag-ms must be"),
        ("?page=10001", "1 to 10000"),
        ("?prefix=Zeebe*", "lower case"),
        ("?poll-ms=0", "at least 1"),
    ],
)
async def test_a_url_that_cannot_be_used_is_refused(clock, tmp_path, query, words):
    """Each parameter that is unknown or out of range is named, all of them at once."""
    with pytest.raises(SourceRefused, match=words):
        await probe(options_of(f"elasticsearch+http://h:9200{query}", clock, tmp_path))


# Point 2: partitions.


async def test_partitions_are_given_once_as_they_appear(cluster, tmp_path):
    """Nothing at first, then each partition once, also one that appears later."""
    options = options_of(cluster.url, cluster.clock, tmp_path)
    given = []
    async with open_source(options) as source:

        async def take():
            async for partition_id in source.partitions():
                given.append(partition_id)  # noqa: PERF401 - looked at while it runs

        task = asyncio.create_task(take())
        for partition, expected in [(2, [2]), (1, [2, 1])]:
            cluster.write(partition=partition)
            async with asyncio.timeout(PATIENCE_S):
                while given != expected:
                    await cluster.clock.advance(5)
                    await quiet()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# Points 3 and 5: the state file is the truth.


async def test_it_remembers_nothing_itself(cluster, tmp_path):
    """It knows no progress, and an acknowledgement changes nothing."""
    options = options_of(cluster.url, cluster.clock, tmp_path)
    async with open_source(options) as source:
        assert await source.progress(1) is None
        await source.acknowledge(1, Progress(5))
        assert source.shared is False


# Point 4: reading.


async def test_records_come_in_order_over_pages_indices_and_days(cluster, tmp_path):
    """Pages smaller than the log, two days and another partition between: every position, once."""
    cluster.write(7)
    cluster.write(3, partition=2)
    cluster.journals[1].now_ms += 86_400_000
    cluster.write(5)
    async with tailing(cluster, tmp_path, "?page=3") as read:
        await read.until(lambda: len(read.records) == 12)
        assert read.positions == list(range(1, 13))
        assert {record.partition_id for record in read.records} == {1}
        assert max(len(chunk.records) for chunk in read.chunks) == 3


async def test_it_searches_as_it_should(cluster, tmp_path):
    """By alias, routing and partition, without the cache, partial results or a count of all."""
    cluster.write(kind="INCIDENT")
    async with tailing(cluster, tmp_path, kinds=("USER_TASK", "INCIDENT")) as read:
        await read.until(lambda: read.records)
    (search, *_) = [each for each in cluster.api.searches if "search_after" in each["body"]]
    assert search["index"] == "zeebe-record-user-task,zeebe-record-incident"
    assert search["parameters"] == {
        "routing": "1",
        "ignore_unavailable": "true",
        "allow_no_indices": "true",
        "request_cache": "false",
        "allow_partial_search_results": "false",
    }
    assert search["body"]["query"]["bool"]["filter"][0] == {"term": {"partitionId": 1}}
    assert search["body"]["track_total_hits"] is False


async def test_what_was_not_asked_for_is_counted(cluster, tmp_path):
    """An intent that no event is made of moves the bookmark on and counts as skipped."""
    cluster.write(2, intent="UPDATED")
    async with tailing(cluster, tmp_path) as read:
        await read.until(lambda: read.chunks)
        assert [(chunk.records, chunk.skipped) for chunk in read.chunks] == [([], 2)]
        assert orjson.loads(read.chunks[0].bookmark)["after"] == 2


async def test_a_missing_index_is_nothing_yet(cluster, tmp_path):
    """Reading begins before the first record was ever written."""
    async with tailing(cluster, tmp_path) as read:
        await read.pass_time(10)
        assert read.chunks == []
        cluster.write()
        await read.until(lambda: read.positions == [1])


async def test_a_bookmark_leads_to_what_follows_it(cluster, tmp_path):
    """Reading anew from the bookmark of any chunk gives what came behind it, as before."""
    cluster.write(10)
    async with tailing(cluster, tmp_path, "?page=3") as read:
        await read.until(lambda: len(read.records) == 10)
        chunks = read.chunks
    behind = Progress(chunks[1].records[-1].position, chunks[1].bookmark)
    async with tailing(cluster, tmp_path, "?page=4", progress=behind) as read:
        await read.until(lambda: len(read.records) == 4)
        assert read.positions == [7, 8, 9, 10]


async def test_a_position_alone_is_a_place_to_begin(cluster, tmp_path):
    """Without a bookmark it begins behind the position that is done."""
    cluster.write(5)
    async with tailing(cluster, tmp_path, progress=Progress(3)) as read:
        await read.until(lambda: read.records)
        assert read.positions == [4, 5]


async def test_a_bookmark_of_another_source_is_refused(cluster, tmp_path):
    """A state file that was written for files is not taken for a beginning."""
    progress = Progress(3, "records.jsonl@512")
    async with tailing(cluster, tmp_path, progress=progress) as read:
        with pytest.raises(SourceRefused, match="another kind"):
            await read.task


async def test_a_document_in_two_indices_comes_once(cluster, tmp_path):
    """The same `_id` under one alias is one record."""
    cluster.write(2)
    await cluster.clock.advance(1)
    source = next(cluster.documents.visible(list(cluster.documents.aliases()), None))
    cluster.documents.put(
        "zeebe-record_user-task_8.9.0_2026-01-15",
        "zeebe-record-user-task",
        source.id,
        "1",
        source.source,
    )
    async with tailing(cluster, tmp_path) as read:
        await read.until(lambda: 2 in read.positions)
        await read.pass_time(30)
        assert read.positions == [1, 2]


async def test_an_index_that_ends_too_early_is_told(cluster, tmp_path):
    """A cluster that was set up anew counts from 1 again: reading waits, and says for what."""
    cluster.write(3)
    async with tailing(cluster, tmp_path, progress=Progress(900)) as read:
        await read.until(lambda: read.noticed.warnings)
        await read.pass_time(30)
        assert read.records == []
        (warning,) = read.noticed.warnings
        assert "--from-beginning" in warning


# Late visibility.


async def test_what_is_visible_out_of_order_comes_in_order(cluster, tmp_path):
    """A smaller position that becomes visible later, but within the lag, still comes first."""
    cluster.write(late_s=1.5)
    cluster.write()
    async with tailing(cluster, tmp_path) as read:
        await read.until(lambda: len(read.records) == 2)
        assert read.positions == [1, 2]
        assert read.noticed.warnings == []


async def test_nothing_is_read_before_its_lag_is_over(cluster, tmp_path):
    """Refresh and lag pass before a record comes, and not much more."""
    async with tailing(cluster, tmp_path, f"?lag-ms={LAG_MS}&poll-ms=250") as read:
        cluster.write()
        took_s = await read.until(lambda: read.records)
        assert 1 + LAG_MS / 1000 <= took_s <= 1 + LAG_MS / 1000 + 1.5


async def test_a_missing_number_is_waited_for(cluster, tmp_path):
    """A record beyond the lag is noticed by its missing sequence, and what follows it waits."""
    cluster.write()
    cluster.write(late_s=20)
    cluster.write(2)
    async with tailing(cluster, tmp_path) as read:
        await read.until(lambda: read.positions == [1])
        await read.pass_time(5)
        assert read.positions == [1]
        await read.until(lambda: len(read.records) == 4)
        assert read.positions == [1, 2, 3, 4]
        assert read.noticed.gaps == []


async def test_a_number_that_never_comes_is_told_and_passed(cluster, tmp_path):
    """After the time limit reading goes on, and the observer knows what is missing."""
    cluster.write()
    cluster.exporter.skip_sequence("USER_TASK", 1, by=3)
    cluster.write()
    async with tailing(cluster, tmp_path, "?gap-ms=10000") as read:
        took_s = await read.until(lambda: len(read.records) == 2)
        assert 10 <= took_s <= 15
        assert read.noticed.gaps == [
            (1, "3 USER_TASK records before position 2 are missing in the index")
        ]


async def test_a_gap_is_noticed_over_a_restart(cluster, tmp_path):
    """The bookmark knows the last number, so that what retention took meanwhile is told."""
    cluster.write(2)
    async with tailing(cluster, tmp_path) as read:
        await read.until(lambda: len(read.records) == 2)
        progress = read.progress
    cluster.exporter.skip_sequence("USER_TASK", 1)
    cluster.write()
    async with tailing(cluster, tmp_path, "?gap-ms=0", progress=progress) as read:
        await read.until(lambda: read.positions == [3])
        assert len(read.noticed.gaps) == 1


async def test_numbers_that_repeat_or_begin_anew_hold_nothing(cluster, tmp_path):
    """Duplicate numbers (issue 24192) and smaller ones are followed from there."""
    cluster.write(3)
    cluster.exporter.skip_sequence("USER_TASK", 1, by=-1)
    cluster.write()
    cluster.exporter.skip_sequence("USER_TASK", 1, by=-3)
    cluster.write(2)
    async with tailing(cluster, tmp_path) as read:
        took_s = await read.until(lambda: len(read.records) == 6)
        assert took_s < 10
        assert read.noticed.gaps == []


async def test_what_is_too_late_even_so_is_handed_on(cluster, tmp_path):
    """A document that turns up among those read comes once, out of order, with a warning."""
    cluster.write()
    cluster.write(late_s=20)
    cluster.write()
    async with tailing(cluster, tmp_path, "?gap-ms=1000&overlap-ms=60000") as read:
        await read.until(lambda: len(read.records) == 2)
        cluster.write()
        await read.until(lambda: len(read.records) == 4)
        assert read.positions == [1, 3, 4, 2]
        await read.pass_time(60)
        assert len(read.records) == 4
        assert "lag-ms" in read.noticed.warnings[0]
        assert orjson.loads(read.chunks[-1].bookmark)["after"] == 4


@settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(st.floats(0, 1.9), st.sampled_from([1, 2])), min_size=1, max_size=25))
def test_any_lateness_within_the_lag_keeps_order(tmp_path, schedule):
    """However documents of two days become visible, each comes once and in its place."""

    async def run():
        clock = FakeClock()
        async with running(clock) as cluster, tailing(cluster, tmp_path, "?page=4") as read:
            for late_s, day in schedule:
                cluster.journals[1].now_ms = 1_768_471_871_440 + 86_400_000 * day
                cluster.write(late_s=late_s)
                await read.pass_time(late_s / 4)
            await read.until(lambda: len(read.records) >= len(schedule), step_s=0.5)
            assert read.positions == list(range(1, len(schedule) + 1))

    run_on_quiet_loop(run())


@given(
    st.lists(st.tuples(st.floats(0, 10), st.integers(0, 100)), min_size=1, max_size=30),
    st.floats(0, 5),
)
def test_the_horizon_is_what_was_seen_a_lag_ago(steps, lag_s):
    """It never passes a position that was not visible `lag_s` ago, and gets to the last one."""
    horizon, now_s, seen = Horizon(lag_s), 0.0, []
    for passed_s, position in steps:
        now_s += passed_s
        horizon.see(position, now_s)
        seen.append((now_s, position))
        old = [position for at_s, position in seen if at_s + lag_s <= now_s]
        assert horizon.safe(now_s) == max(old, default=-1)
    assert horizon.safe(now_s + lag_s + 0.001) == max(position for _, position in seen)
    assert horizon.due_s(now_s + lag_s + 0.001) is None


# Errors and odd documents.


@pytest.mark.parametrize(
    "fault",
    [
        Status(status=503, retry_after="7"),
        Status(status=429),
        Status(
            status=200,
            content_type="application/json",
            body='{"timed_out":true,"_shards":{"total":1,"failed":0},"hits":{"hits":[]}}',
        ),
        HtmlPage(),
        Cut(),
        HalfBody(),
    ],
    ids=["away", "too many", "timed out", "html", "cut", "half"],
)
async def test_a_search_that_fails_is_waited_for(cluster, tmp_path, fault):
    """The lane is told, and nothing is skipped: reading anew gives everything."""
    cluster.write(3)
    async with tailing(cluster, tmp_path) as read:
        await cluster.clock.advance(0)
        cluster.server.faults.add(fault)
        with pytest.raises(SourceUnavailable) as raised:
            await read.until(lambda: False)
        if isinstance(fault, Status) and fault.retry_after:
            assert raised.value.retry_after_s == 7
    async with tailing(cluster, tmp_path, progress=read.progress) as again:
        await again.until(lambda: len(read.records + again.records) == 3)
        assert read.positions + again.positions == [1, 2, 3]


@pytest.mark.parametrize("allowed", [True, False])
async def test_partial_results_are_an_error(cluster, tmp_path, allowed):
    """A shard that fails fails the search, also where the cluster would give what it has."""
    cluster.write(3)
    async with tailing(cluster, tmp_path) as read:
        if allowed:
            body = '{"timed_out":false,"_shards":{"total":2,"failed":1},"hits":{"hits":[]}}'
            fault = Status(status=200, content_type="application/json", body=body)
            cluster.server.faults.add(fault)
        else:
            cluster.api.fail_shards()
        with pytest.raises(SourceUnavailable):
            await read.until(lambda: False)
        assert read.records == []


async def test_a_refusal_stops_the_service(cluster, tmp_path):
    """Credentials taken away while reading are not waited for."""
    async with tailing(cluster, tmp_path) as read:
        cluster.server.faults.add(Status(status=403))
        with pytest.raises(SourceRefused):
            await read.until(lambda: False)


async def test_what_is_too_long_is_accounted_for(cluster, tmp_path):
    """A record beyond the limit comes as unreadable in its place, however large it is."""
    cluster.write()
    cluster.write(variables={"x": "y" * 3000})
    cluster.write(intent="UPDATED", variables={"x": "y" * 3000})
    cluster.write()
    async with tailing(cluster, tmp_path, max_record_bytes=2000) as read:
        await read.until(lambda: len(read.records) == 3)
        assert read.positions == [1, 2, 4]
        long = read.records[1]
        assert isinstance(long, Unreadable)
        assert (long.fault, long.partition_id, long.is_user_task) == (Fault.TOO_LONG, 1, True)
        assert len(long.raw) < 500


async def test_an_answer_beyond_the_limit_is_asked_for_in_parts(cluster, tmp_path):
    """A page of more than can be read is halved, down to the envelope of one document alone."""
    cluster.write(3, variables={"x": "y" * (12 << 20)})
    cluster.write(variables={"x": "y" * (60 << 20)})
    cluster.write()
    async with tailing(cluster, tmp_path, max_record_bytes=13 << 20) as read:
        await read.until(lambda: len(read.records) == 5)
        assert read.positions == [1, 2, 3, 4, 5]
        assert read.records[3].fault is Fault.TOO_LONG


async def test_a_document_that_is_no_record_keeps_its_place(cluster, tmp_path):
    """What lacks a field of the envelope is unreadable, and what follows it is read."""
    cluster.write()
    cluster.documents.put(
        "zeebe-record_user-task_8.8.0_2026-01-15",
        "zeebe-record-user-task",
        "1-2",
        "1",
        {"position": 2, "partitionId": 1, "valueType": "USER_TASK"},
    )
    cluster.journals[1].write("X", "Y", 1, {})
    cluster.write()
    async with tailing(cluster, tmp_path) as read:
        await read.until(lambda: len(read.records) == 3)
        assert read.records[1].fault is Fault.ENVELOPE
        assert read.positions == [1, 2, 3]


async def test_the_status_page_shows_how_far_it_is(cluster, tmp_path):
    """The prefix, and for each partition what is read and what there is."""
    cluster.write(3)
    options = options_of(cluster.url, cluster.clock, tmp_path)
    async with open_source(options) as source, reading(source, cluster.clock) as read:
        await read.until(lambda: len(read.records) == 3)
        assert source.facts() == {
            "prefix": "zeebe-record",
            "partition 1 read to": 3,
            "partition 1 newest": 3,
            "partition 1 waits for missing records": False,
        }


async def test_another_prefix_and_a_path_before_the_indices(clock, tmp_path):
    """The URL's prefix names the alias, and its path stays before it."""
    paths = []

    async def answer(request):
        paths.append(request.path)
        return web.json_response(
            {"timed_out": False, "_shards": {"total": 0, "failed": 0}, "hits": {"hits": []}}
        )

    async with serving(answer) as origin:
        url = URL(f"elasticsearch+{origin}/es/?prefix=mine")
        await probe(options_of(str(url), clock, tmp_path))
    assert set(paths) == {"/es/mine-user-task/_search"}


# With a lane behind it.


async def test_a_late_record_is_set_aside_and_the_others_delivered(cluster, tmp_path):
    """What comes after its place is gone lies in the dead letters, and holds nothing up."""
    taken = []

    async def take(request):
        taken.extend((await request.json())["events"])
        return web.Response(status=204)

    cluster.write(priority=1, **TASK)
    cluster.write(priority=2, late_s=30, **TASK)
    cluster.write(priority=3, **TASK)
    async with serving(take) as backend:
        setup = Setup(backend, f"{cluster.url}?gap-ms=1000", tmp_path, cluster.clock)
        async with exporting(setup) as exporter:
            await drive(cluster.clock, lambda: len(taken) == 2 and exporter.noticed.warnings)
            added = "app_integrations_exporter_dead_letters_added_total"
            await eventually(lambda: exporter.count(added, kind="record"))
            (letter,) = await exporter.state.letters(0, LAST_ID)
            assert (letter.partition_id, letter.first) == (1, 2)
            assert [event["priority"] for event in taken] == [1, 3]
            assert len(exporter.noticed.gaps) == 1
