"""The pages about Redis and Kafka name what may stand in the URL, what is needed and written."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from exporter.sources import kafka, redis
from exporter.sources.kafka_topic.client import Place as KafkaPlace
from exporter.sources.redis import Place as RedisPlace
from runtime.clock import SystemClock
from tests.kit.reading import partitions, reader
from tests.kit.record_source import options_of
from tests.kit.redis_server import redis_server
from tests.kit.user_task_records import user_task

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


@pytest.mark.parametrize(
    ("page", "parameters", "place"),
    [
        ("read-from-redis.md", redis._PARAMETERS, RedisPlace),
        ("read-from-kafka.md", kafka._PARAMETERS, KafkaPlace),
    ],
    ids=["redis", "kafka"],
)
def test_parameters_are_those_of_the_code(page, parameters, place):
    """Each parameter has a row with its default."""
    text = (HOW_TO / page).read_text(encoding="utf-8")
    section = text.split("## What may stand in the URL")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| `([^`]+)` \|", section, re.MULTILINE))
    defaults = {field.name: field.default for field in fields(place)}
    assert rows == {name: defaults[field] for name, (field, _) in parameters.items()}


@pytest.mark.slow
async def test_the_rights_that_the_redis_page_lists_are_enough(tmp_path):
    """A user with them alone reads, confirms, and is told how far it is after a restart."""
    text = (HOW_TO / "read-from-redis.md").read_text(encoding="utf-8")
    rights = re.search(r"An ACL user needs (.*?)\.\n", text, re.DOTALL)[1]
    keys = [f"~{key}" for key in ("zeebe:*", "app-integrations-exporter:*")]
    commands = re.findall(r"\+[\w|]+", rights)
    async with redis_server(tmp_path) as server:
        acl = ["ACL", "SETUSER", "relay", "on", ">secret", *keys, *commands]
        await server.client.execute_command(*acl)
        await server.add(user_task(1), user_task(2, intent="CREATING"))
        url = f"redis://relay:secret@127.0.0.1:{server.port}"
        options = options_of(url, SystemClock(), tmp_path)
        await redis.probe(options)
        for _ in range(2):
            async with redis.open_source(options) as source, partitions(source, 1):
                async with reader(source, confirms=True) as read:
                    await read.until(1)
                assert (await source.progress(1)).position == 1
        written = {key.decode() for key in await server.client.keys("*")}
    named = " ".join(re.findall(r"^\| `(<[^`]+)` \|", text, re.MULTILINE))
    names = {"<name>": "zeebe", "<group>": "app-integrations-exporter", "<VALUE_TYPE>": "USER_TASK"}
    for placeholder, name in names.items():
        named = named.replace(placeholder, name)
    assert written <= set(named.split())
