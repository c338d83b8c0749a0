"""The Elasticsearch stand-in: what the exporter writes, and what searches find of it."""

from __future__ import annotations

from contextlib import asynccontextmanager

import aiohttp
import pytest

from devstack.elasticsearch import Credentials, Documents, Elasticsearch, RecordExporter
from devstack.server import HttpServer
from tests.kit.zeebe_records import Journal

USER_TASKS = "zeebe-record-user-task"
BY_POSITION = {"sort": [{"position": "asc"}]}


class Searched:
    """The API over a socket, its documents, and a journal of two partitions."""

    def __init__(self, session, clock, credentials):
        self.session = session
        self.clock = clock
        self.documents = Documents(clock, refresh_s=1.0)
        self.exporter = RecordExporter(self.documents)
        self.api = Elasticsearch(self.documents, credentials)
        self.journals = {
            number: Journal(self.exporter.export, partition_id=number) for number in (1, 2)
        }

    def write(self, partition=1, intent="CREATED", value_type="USER_TASK", **options):
        self.journals[partition].write(value_type, intent, 7, {"userTaskKey": 7}, **options)

    async def search(self, body=None, index=USER_TASKS, status=200, headers=None, **parameters):
        url = f"{self.url}/{index}/_search"
        async with self.session.post(
            url, json=body or BY_POSITION, params=parameters, headers=headers
        ) as response:
            assert response.status == status, await response.text()
            return await response.json()

    async def positions(self, body=None, **parameters):
        found = await self.search(body, **parameters)
        return [hit["_source"]["position"] for hit in found["hits"]["hits"]]


@asynccontextmanager
async def running(clock, credentials=None):
    async with aiohttp.ClientSession() as session:
        searched = Searched(session, clock, credentials)
        server = HttpServer("elasticsearch", searched.api.routes(), clock)
        searched.url = f"http://127.0.0.1:{await server.start('127.0.0.1', 0)}"
        try:
            yield searched
        finally:
            await server.stop()


@pytest.fixture
async def searched(clock):
    async with running(clock) as searched:
        yield searched


async def test_documents_have_the_exporters_form(searched, clock):
    """Index, id, routing, sequence and fields are those of Camunda's exporter."""
    searched.write(partition=2)
    await clock.advance(1)
    (hit,) = (await searched.search())["hits"]["hits"]
    assert hit["_index"] == "zeebe-record_user-task_8.8.0_2026-01-15"
    assert (hit["_id"], hit["_routing"], hit["sort"]) == ("2-1", "2", [1])
    source = hit["_source"]
    assert source["sequence"] == (2 << 51) + 1
    assert source["value"] == {"userTaskKey": 7}
    assert "authorizations" not in source


async def test_only_events_of_the_usual_types_are_exported(searched, clock):
    """Commands, and value types that 8.8 leaves out, are not there."""
    searched.write(record_type="COMMAND", intent="COMPLETE")
    searched.write(value_type="TIMER")
    await clock.advance(1)
    assert await searched.positions(index="zeebe-record*") == []


async def test_a_document_is_seen_after_the_refresh(searched, clock):
    """Searches see it a refresh interval later, and one that is late later still."""
    searched.write()
    searched.exporter.late_s = 5
    searched.write()
    searched.exporter.late_s = 0
    searched.write()
    assert await searched.positions() == []
    await clock.advance(1)
    assert await searched.positions() == [1, 3]
    await clock.advance(5)
    assert await searched.positions() == [1, 2, 3]


async def test_an_index_a_day_under_one_alias(searched, clock):
    """Records of another day go into another index, and the alias finds both."""
    searched.write()
    searched.journals[1].now_ms += 86_400_000
    searched.write()
    await clock.advance(1)
    assert await searched.positions() == [1, 2]
    async with searched.session.get(f"{searched.url}/_alias") as response:
        assert sorted(await response.json()) == [
            "zeebe-record_user-task_8.8.0_2026-01-15",
            "zeebe-record_user-task_8.8.0_2026-01-16",
        ]
    searched.documents.drop("zeebe-record_user-task_8.8.0_2026-01-15")
    assert await searched.positions() == [2]


async def test_routing_leads_to_a_shard_not_to_a_partition(searched, clock):
    """User tasks have one shard, so that routing alone keeps no other partition out."""
    searched.write(partition=1)
    searched.write(partition=2)
    await clock.advance(1)
    assert len(await searched.positions(routing="1")) == 2
    query = {"bool": {"filter": [{"term": {"partitionId": 2}}]}}
    assert len(await searched.positions(BY_POSITION | {"query": query}, routing="2")) == 1


async def test_pages_follow_by_search_after(searched, clock):
    """A page holds `size` hits, the next begins behind the sort values of the last."""
    for _ in range(5):
        searched.write()
    await clock.advance(1)
    page = BY_POSITION | {"size": 2}
    assert await searched.positions(page) == [1, 2]
    assert await searched.positions(page | {"search_after": [2]}) == [3, 4]
    down = {"size": 2, "sort": [{"position": {"order": "desc"}}]}
    assert await searched.positions(down | {"search_after": [4]}) == [3, 2]


async def test_ranges_terms_and_ids_filter(searched, clock):
    """The queries that a reader needs give what they say."""
    for intent in ("CREATED", "ASSIGNED", "COMPLETED"):
        searched.write(intent=intent)
    await clock.advance(1)
    for query, expected in [
        ({"range": {"position": {"gt": 1, "lte": 2}}}, [2]),
        ({"terms": {"intent": ["CREATED", "COMPLETED"]}}, [1, 3]),
        ({"bool": {"must_not": [{"ids": {"values": ["1-2"]}}]}}, [1, 3]),
    ]:
        assert await searched.positions(BY_POSITION | {"query": query}) == expected


async def test_partitions_are_counted_in_buckets(searched, clock):
    """A terms aggregation gives each partition with its number of documents."""
    for partition in (2, 1, 2):
        searched.write(partition=partition)
    await clock.advance(1)
    aggs = {"partitions": {"terms": {"field": "partitionId", "size": 10}}}
    found = await searched.search({"size": 0, "aggs": aggs})
    assert found["aggregations"]["partitions"]["buckets"] == [
        {"key": 2, "doc_count": 2},
        {"key": 1, "doc_count": 1},
    ]


@pytest.mark.parametrize(
    ("parameters", "status"), [({}, 404), ({"ignore_unavailable": "true"}, 200)]
)
async def test_a_missing_index_is_an_error_unless_told_otherwise(searched, parameters, status):
    """The real one's 404, and an empty answer of no shards with ignore_unavailable."""
    found = await searched.search(status=status, **parameters)
    if status == 404:
        assert found["error"]["type"] == "index_not_found_exception"
    else:
        assert found["_shards"]["total"] == 0


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        ({"query": {"fuzzy": {}}}, {}),
        ({"size": 10_001}, {}),
        ({"colour": "red"}, {}),
        (BY_POSITION | {"search_after": [1, 2]}, {}),
        (BY_POSITION, {"unknown": "1"}),
    ],
)
async def test_what_is_not_understood_is_refused(searched, body, parameters):
    """A query, size, name or parameter that is not known is a 400, not something else found."""
    searched.write()
    await searched.search(body, status=400, **parameters)


async def test_no_index_is_an_error_when_told_so(searched):
    """Names that are passed over leave none; whether that may be is a parameter of its own."""
    ignoring = {"ignore_unavailable": "true"}
    await searched.search(status=404, allow_no_indices="false", **ignoring)
    await searched.search(status=200, allow_no_indices="true", **ignoring)


@pytest.mark.parametrize(("order", "value"), [("asc", 2**63 - 1), ("desc", -(2**63))])
async def test_a_document_without_the_field_stands_last(searched, clock, order, value):
    """In either order, with the type's outermost value to sort by."""
    searched.write()
    searched.documents.put("other", USER_TASKS, "1-9", "1", {"partitionId": 1})
    await clock.advance(1)
    found = await searched.search({"sort": [{"position": {"order": order}}]})
    assert [hit["sort"] for hit in found["hits"]["hits"]] == [[1], [value]]


async def test_a_count_has_a_query_and_nothing_else(searched, clock):
    """Neither sizes nor a search's parameters belong to it."""
    searched.write()
    await clock.advance(1)
    url = f"{searched.url}/{USER_TASKS}/_count"
    for body, parameters, status in [
        ({"query": {"match_all": {}}}, {}, 200),
        ({"size": 0}, {}, 400),
        ({}, {"request_cache": "false"}, 400),
    ]:
        async with searched.session.post(url, json=body, params=parameters) as response:
            assert response.status == status


@pytest.mark.parametrize(("ignores", "status"), [("false", 403), ("true", 200)])
async def test_what_may_not_be_read_is_refused_or_passed_over(clock, ignores, status):
    """As Elasticsearch's security has it: who passes over missing names is not told of others."""
    async with running(clock, Credentials(readable=("zeebe-record-job",))) as searched:
        searched.write()
        await clock.advance(1)
        found = await searched.search(
            status=status,
            headers={"Authorization": aiohttp.encode_basic_auth("elastic", "changeme")},
            ignore_unavailable=ignores,
        )
    assert status == 403 or found["_shards"]["total"] == 0


async def test_a_failed_shard_shows_in_the_answer_or_as_an_error(searched, clock):
    """Partial results are counted under `_shards`, and refused when they are not allowed."""
    searched.write()
    await clock.advance(1)
    searched.api.fail_shards(2)
    assert (await searched.search())["_shards"]["failed"] == 1
    await searched.search(status=503, allow_partial_search_results="false")
    assert (await searched.search())["_shards"]["failed"] == 0


async def test_only_who_shows_credentials_is_let_in(clock):
    """Basic credentials or an API key in base64; anything else is a 401."""
    async with running(clock, Credentials()) as searched:
        for authorization, status in [
            (aiohttp.encode_basic_auth("elastic", "changeme"), 200),
            ("ApiKey ZGVtbzpkZW1vLWtleQ==", 200),
            ("ApiKey demo:demo-key", 401),
            (aiohttp.encode_basic_auth("elastic", "other"), 401),
        ]:
            await searched.search(
                status=status,
                headers={"Authorization": authorization},
                ignore_unavailable="true",
            )
