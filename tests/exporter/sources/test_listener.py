"""The source for user task listeners, against the devstack's engine over a socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import msgspec
import orjson
import pytest
from aiohttp import web
from pydantic import SecretStr

from devstack.engine import Resource
from devstack.faults import Status
from devstack.stack import Stack, StackOptions
from exporter.errors import LeaseHeld, SourceRefused, SourceUnavailable
from exporter.event import to_event
from exporter.progress import Progress
from exporter.record import Record
from exporter.sources import Credentials, open_source, probe
from exporter.sources.listener.job import Job, positioned, record_of
from exporter.sources.listener.job_inbox import JobInbox, Kept
from runtime.clock import SystemClock
from runtime.oauth import ClientCredentials
from tests.kit import bpmn as b
from tests.kit.http import serving
from tests.kit.loop import quiet
from tests.kit.record_source import options_of
from tests.kit.waiting import PATIENCE_S, eventually

EVENTS = ("creating", "assigning", "updating", "completing", "canceling")
LISTENERS = "".join(f'<zeebe:taskListener eventType="{event}" type="tell"/>' for event in EVENTS)
EXTENSIONS = (
    '<zeebe:assignmentDefinition assignee="ann" candidateGroups="a, b" candidateUsers="c"/>'
    '<zeebe:taskSchedule dueDate="2026-02-01T12:00:00Z"/>'
    '<zeebe:priorityDefinition priority="80"/>'
    f"{b.headers({'channel': 'teams'})}<zeebe:taskListeners>{LISTENERS}</zeebe:taskListeners>"
)
PROCESS = b.bpmn(
    b.start(), b.user("approve", EXTENSIONS), b.end(), b.chain("start", "approve", "end")
)
DEMO = Credentials(username="demo", password=SecretStr("demo"))
KEY = (3 << 51) + 7


class Cluster:
    """A stack with one process, and the intents of its user tasks."""

    def __init__(self, stack):
        self.stack = stack
        self.intents = []
        self.tasks = []
        stack.log.subscribe(self._note)
        stack.engine.deploy([Resource("p.bpmn", PROCESS)])

    def _note(self, record):
        if record.value_type == "USER_TASK" and record.record_type == "EVENT":
            self.intents.append(record.intent)
            self.tasks.append(record.key)

    def start(self):
        return self.stack.engine.create_instance(process_id="p").key

    @property
    def url(self):
        return f"listener+{self.stack.http_url}?type=tell"


@pytest.fixture
async def cluster():
    async with Stack.start(StackOptions(port_base=0, partitions=3)) as stack:
        yield Cluster(stack)


@asynccontextmanager
async def collecting(url, tmp_path, clock=None, query="", **changes):
    options = options_of(
        url + query, clock or SystemClock(), tmp_path, **{"credentials": DEMO, **changes}
    )
    async with open_source(options) as source:
        source.noticed = options.observer
        yield source


async def first_chunks(source, partition_id, count, progress=None):
    """The first `count` records of a partition."""
    records = []
    async with asyncio.timeout(PATIENCE_S):
        async for chunk in source.read(partition_id, progress or Progress()):
            records += chunk.records
            if len(records) >= count:
                break
    return records


# Point 1: entering.


@pytest.mark.parametrize("how", ["basic", "userinfo", "oauth"])
async def test_the_cluster_lets_us_in(cluster, tmp_path, how):
    """User name and password, of the settings or of the URL, or a token."""
    url = cluster.url
    oauth = ClientCredentials(cluster.stack.token_url, "operate", SecretStr("secret"))
    credentials = {"basic": DEMO, "userinfo": Credentials(), "oauth": Credentials(oauth=oauth)}[how]
    if how == "userinfo":
        url = url.replace("//", "//demo:demo@")
    await probe(options_of(url, SystemClock(), tmp_path, credentials=credentials))


async def test_wrong_credentials_are_refused(cluster, tmp_path):
    """A 401 stops the start, naming the settings and not their values."""
    wrong = Credentials(username="demo", password=SecretStr("wrong"))
    with pytest.raises(SourceRefused, match="_PASSWORD") as raised:
        await probe(options_of(cluster.url, SystemClock(), tmp_path, credentials=wrong))
    assert "wrong" not in str(raised.value)


async def test_an_api_key_is_refused(tmp_path, clock):
    """Camunda has none, so that one which is set is a mistake."""
    credentials = Credentials(api_key=SecretStr("k"))
    with pytest.raises(SourceRefused, match="no API keys"):
        await probe(
            options_of("listener+http://h?type=t", clock, tmp_path, credentials=credentials)
        )


async def test_a_cluster_that_is_away_can_come_back(tmp_path, clock):
    """Nobody listens: that is waited for, not refused."""
    with pytest.raises(SourceUnavailable):
        await probe(options_of("listener+http://127.0.0.1:9?type=t", clock, tmp_path))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (web.json_response({"gatewayVersion": "8.7.3"}), "older than Camunda 8.8"),
        (web.Response(text="<html>", content_type="text/html"), "no Camunda cluster"),
        (web.Response(status=404), "check the URL"),
    ],
    ids=["8.7", "html", "404"],
)
async def test_what_is_no_cluster_of_ours_is_refused(tmp_path, clock, answer, words):
    """An older cluster, a web page and a wrong path are told apart."""

    async def give(_request):
        return answer

    async with serving(give) as origin:
        with pytest.raises(SourceRefused, match=words):
            await probe(options_of(f"listener+{origin}?type=t", clock, tmp_path))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "names no job type"),
        ("?type=", "type must be a name"),
        ("?typ=x", "did you mean type"),
        ("?type=x&tenants=a,,b", "tenants must be ids"),
        ("?type=x&tenants=*,a", "tenants must be ids"),
        ("?type=x&max-jobs=0&poll-ms=-1", "max-jobs must be.*poll-ms must be"),
    ],
)
async def test_a_url_that_cannot_be_used_is_refused(tmp_path, clock, query, words):
    """Each parameter that is missing, unknown or out of range is named."""
    with pytest.raises(SourceRefused, match=words):
        await probe(options_of(f"listener+http://h:8080{query}", clock, tmp_path))


async def test_one_process_has_the_inbox(cluster, tmp_path):
    """A second one in the same state directory does not start."""
    async with collecting(cluster.url, tmp_path):
        with pytest.raises(LeaseHeld):
            async with collecting(cluster.url, tmp_path):
                pass


# Points 2 to 5: what comes, and what is forgotten.


async def test_each_change_becomes_a_record(cluster, tmp_path):
    """Created, assigned, completed; canceled; and a change that no event is made of is passed."""
    async with collecting(cluster.url, tmp_path) as source:
        cluster.start()
        await eventually(lambda: cluster.intents[-1:] == ["ASSIGNED"])
        key = cluster.tasks[-1]
        cluster.stack.engine.update_user_task(key, {"priority": 1})
        await eventually(lambda: cluster.intents[-1] == "UPDATED")
        cluster.stack.engine.complete_user_task(key)
        await eventually(lambda: cluster.intents[-1] == "COMPLETED")
        assert await anext(source.partitions()) == 1
        records = await first_chunks(source, 1, 3)
    assert [record.intent for record in records] == ["CREATED", "ASSIGNED", "COMPLETED"]
    positions = [record.position for record in records]
    assert positions == sorted(positions)
    assert {record.key for record in records} == {key}


async def test_a_canceled_task_is_told(cluster, tmp_path):
    """The cancellation waits for its listener, and becomes a record."""
    async with collecting(cluster.url, tmp_path) as source:
        instance = cluster.start()
        await eventually(lambda: cluster.intents[-1:] == ["ASSIGNED"])
        cluster.stack.engine.cancel_instance(instance)
        await eventually(lambda: cluster.intents[-1] == "CANCELED")
        records = await first_chunks(source, 1, 3)
    assert [record.intent for record in records] == ["CREATED", "ASSIGNED", "CANCELED"]


async def test_the_event_has_upstreams_fields(cluster, tmp_path):
    """All 22 keys; what a listener's job does not tell is empty or null."""
    async with collecting(cluster.url, tmp_path) as source:
        instance = cluster.start()
        created, assigned = await first_chunks(source, 1, 2)
    event = orjson.loads(to_event(assigned, metadata=False).json)
    key = str(cluster.tasks[-1])
    element_instance_key = event.pop("elementInstanceKey")
    assert element_instance_key.isdecimal()
    definition = event.pop("processDefinitionKey")
    assert definition.isdecimal()
    assert event == {
        "id": key,
        "intent": "ASSIGNED",
        "type": "USER_TASK",
        "userTaskKey": key,
        "tags": [],
        "customHeaders": {"channel": "teams"},
        "assignee": "ann",
        "candidateGroups": ["a", "b"],
        "candidateUsers": ["c"],
        "externalFormReference": "",
        "priority": 80,
        "formKey": "-1",
        "createdAt": None,
        "dueDate": "2026-02-01T12:00:00Z",
        "followUpDate": "",
        "processDefinitionId": "p",
        "processDefinitionVersion": "1",
        "processInstanceKey": str(instance),
        "elementId": "approve",
        "tenantId": "<default>",
    }
    assert orjson.loads(to_event(created, metadata=False).json)["createdAt"].endswith("Z")


async def test_a_stalled_backend_holds_no_user_task(cluster, tmp_path):
    """Nobody reads the source, and tasks go on all the same; later everything is there."""
    async with collecting(cluster.url, tmp_path) as source:
        for _ in range(6):
            cluster.start()
        await eventually(lambda: cluster.intents.count("ASSIGNED") == 6)
        for partition_id in (1, 2, 3):
            records = await first_chunks(source, partition_id, 4)
            assert {record.partition_id for record in records} == {partition_id}


async def test_what_was_kept_is_there_after_a_restart(cluster, tmp_path):
    """Records outlive the process, and reading from a bookmark gives what follows it."""
    async with collecting(cluster.url, tmp_path):
        cluster.start()
        await eventually(lambda: cluster.intents[-1:] == ["ASSIGNED"])
    async with collecting(cluster.url, tmp_path) as source:
        created, assigned = await first_chunks(source, 1, 2)
        begin = Progress(created.position, str(created.position))
        assert await first_chunks(source, 1, 1, begin) == [assigned]


async def test_what_is_done_is_forgotten(cluster, tmp_path):
    """An acknowledgement frees the inbox up to its bookmark and no further."""
    async with collecting(cluster.url, tmp_path) as source:
        cluster.start()
        created, assigned = await first_chunks(source, 1, 2)
        full = source.facts()["waiting bytes"]
        await source.acknowledge(1, Progress())
        assert source.facts()["waiting bytes"] == full
        await source.acknowledge(1, Progress(created.position, str(created.position)))
        assert await first_chunks(source, 1, 1) == [assigned]
        await source.acknowledge(1, Progress(assigned.position, str(assigned.position)))
        assert source.facts()["waiting bytes"] == 0
        assert await source.progress(1) is None


# Failures.


class ScriptedGateway:
    """Gives jobs from a script, and answers completions from another.

    A batch of jobs is given when those before it were answered for.
    """

    version = "8.8.1"

    def __init__(self, *batches, completions=()):
        self.batches = list(batches)
        self.completions = list(completions)
        self.completed, self.failed, self.polls = [], [], []
        self._given = 0

    def _has_next(self):
        return self.batches and len(self.completed) + len(self.failed) >= self._given

    async def __call__(self, request):
        if request.path == "/v2/topology":
            return web.json_response({"gatewayVersion": self.version})
        body = await request.json()
        if request.path == "/v2/jobs/activation":
            self.polls.append(body)
            await eventually(self._has_next, within_s=10 * PATIENCE_S)
            batch = self.batches.pop(0)
            if isinstance(batch, web.Response):
                return batch
            self._given += len(batch)
            return web.json_response({"jobs": batch})
        key, what = request.path.split("/")[3:]
        if what == "failure":
            self.failed.append((int(key), body))
            return web.Response(status=204)
        self.completed.append(int(key))
        return web.Response(status=self.completions.pop(0) if self.completions else 204)


def told(origin):
    """The source's URL for a scripted gateway."""
    return f"listener+{origin}?type=tell"


def job(key=KEY, event="CREATING", **changes):
    return {
        "type": "tell",
        "jobKey": str(key),
        "retries": 3,
        "processInstanceKey": "1",
        "processDefinitionKey": "2",
        "processDefinitionId": "p",
        "processDefinitionVersion": 1,
        "elementId": "approve",
        "elementInstanceKey": "4",
        "tenantId": "<default>",
        "customHeaders": {"io.camunda.zeebe:priority": "50"},
        "kind": "TASK_LISTENER",
        "listenerEventType": event,
        "userTask": {"userTaskKey": "9"},
        "deadline": 1,
        "variables": {},
        **changes,
    }


async def test_a_job_that_comes_again_makes_no_second_record(tmp_path):
    """Its completion was lost: it is completed again, and told of once."""
    gateway = ScriptedGateway([job()], [job(), job(KEY + 1)])
    async with serving(gateway) as origin, collecting(told(origin), tmp_path) as source:
        await eventually(lambda: len(gateway.completed) == 3)
        records = await first_chunks(source, 3, 2)
        assert len(records) == 2
        assert source.facts()["records kept"] == 2


async def test_a_job_that_comes_again_after_a_restart_makes_none_either(tmp_path):
    """The process ended between keeping and completing: the job is completed at once, and known."""
    inbox = await JobInbox.open(tmp_path, "listener", 1 << 20)
    raw = b'{"partitionId":3,"key":9,"valueType":"USER_TASK","intent":"CREATED","value":{}}'
    await inbox.keep([Kept(KEY, 3, raw)])
    inbox.close()
    gateway = ScriptedGateway([job(KEY)])
    async with serving(gateway) as origin, collecting(told(origin), tmp_path) as source:
        await eventually(lambda: gateway.completed == [KEY, KEY])
        assert source.facts()["records kept"] == 0
        assert len(await first_chunks(source, 3, 1)) == 1


async def test_a_completed_job_is_forgotten_later(tmp_path, clock):
    """Only when no answer with it can be under way any more."""
    gateway = ScriptedGateway([job()])
    async with (
        serving(gateway) as origin,
        collecting(told(origin), tmp_path, clock, "&job-timeout-ms=10000") as source,
    ):
        await eventually(lambda: source.facts()["jobs completed"] == 1)
        await clock.advance(16)
        assert await source._inbox.unsettled() == [KEY]
        await clock.advance(10)
        await quiet()
        assert await source._inbox.unsettled() == []


@pytest.mark.parametrize("statuses", [[503, 429, 500], [404], [409]])
async def test_completions_are_repeated_while_the_cluster_is_away(tmp_path, statuses):
    """What is away is tried again; a job that is gone is done, and one that is held is left."""
    gateway = ScriptedGateway([job()], completions=statuses)
    async with serving(gateway) as origin, collecting(told(origin), tmp_path) as source:
        tries = len(statuses) + (statuses[0] == 503)
        await eventually(lambda: len(gateway.completed) == tries)
        await eventually(lambda: source.facts()["jobs completed"] == (statuses != [409]))


async def test_polls_go_on_when_the_cluster_was_away(tmp_path):
    """Failed polls are repeated with back-off, and the trouble is shown meanwhile."""
    away = [web.Response(status=503), web.Response(text="<html>", content_type="text/html")]
    gateway = ScriptedGateway(*away, [job()])
    async with serving(gateway) as origin, collecting(told(origin), tmp_path) as source:
        await eventually(lambda: source.facts()["trouble"])
        await eventually(lambda: gateway.completed == [KEY])
        assert source.facts()["trouble"] is None


async def test_a_refusal_while_polling_ends_reading(tmp_path):
    """Credentials taken away stop the service, whoever waits for what."""
    gateway = ScriptedGateway(web.Response(status=403))
    async with serving(gateway) as origin, collecting(told(origin), tmp_path) as source:
        with pytest.raises(SourceRefused, match="403"):
            await anext(source.partitions())
        with pytest.raises(SourceRefused, match="403"):
            await anext(source.read(3, Progress()))


async def test_a_job_of_no_listener_is_failed(tmp_path):
    """A service task of the same type is neither told of nor completed: it is given back."""
    foreign = job(KEY + 1, kind="BPMN_ELEMENT", listenerEventType="UNSPECIFIED", userTask=None)
    gateway = ScriptedGateway([foreign, job()])
    async with serving(gateway) as origin, collecting(told(origin), tmp_path):
        await eventually(lambda: gateway.failed and gateway.completed)
    ((key, body),) = gateway.failed
    assert (key, body["retries"]) == (KEY + 1, 2)
    assert "another type" in body["errorMessage"]
    assert gateway.completed == [KEY]


@pytest.mark.parametrize(
    "odd",
    [
        {"customHeaders": None, "kind": None, "userTask": None},
        {"kind": "TASK_LISTENER", "listenerEventType": "CREATING", "userTask": {}},
        {"kind": "TASK_LISTENER", "userTask": {"userTaskKey": 9, "candidateUsers": "ann"}},
    ],
    ids=["nothing", "no task's key", "other types"],
)
async def test_a_job_that_lacks_what_it_should_have_is_failed(tmp_path, odd):
    """It is given back with a reason, instead of holding up the jobs beside it."""
    gateway = ScriptedGateway([{"jobKey": str(KEY + 1), "retries": None, **odd}, job()])
    async with serving(gateway) as origin, collecting(told(origin), tmp_path):
        await eventually(lambda: gateway.failed and gateway.completed)
    assert [(key, body["retries"]) for key, body in gateway.failed] == [(KEY + 1, 0)]


async def test_a_full_inbox_holds_the_task_and_says_so(tmp_path):
    """What cannot be kept is not completed; it is once there is room again."""
    gateway = ScriptedGateway([job()], [job(KEY + 1)])
    async with (
        serving(gateway) as origin,
        collecting(told(origin), tmp_path, inbox_max_bytes=1000) as source,
    ):
        (record,) = await first_chunks(source, 3, 1)
        await eventually(lambda: source.noticed.warnings and gateway.completed)
        await quiet()
        assert gateway.completed == [KEY]
        await source.acknowledge(3, Progress(record.position, str(record.position)))
        await eventually(lambda: gateway.completed == [KEY, KEY + 1])


async def test_a_poll_asks_for_what_the_url_says(tmp_path):
    """Type, worker, time-outs and number; no variables of the instance."""
    gateway = ScriptedGateway()
    query = "&worker=w&max-jobs=5&job-timeout-ms=1000&poll-ms=2000"
    async with serving(gateway) as origin, collecting(told(origin), tmp_path, query=query):
        await eventually(lambda: gateway.polls)
    poll = gateway.polls[0]
    assert len(poll.pop("fetchVariable")) == 1
    assert poll == {
        "type": "tell",
        "worker": "w",
        "timeout": 1000,
        "maxJobsToActivate": 5,
        "requestTimeout": 2000,
    }


@pytest.mark.parametrize(
    ("tenants", "asked"),
    [
        ("", {}),
        ("&tenants=north,south", {"tenantIds": ["north", "south"]}),
        ("&tenants=*", {"tenantFilter": "ASSIGNED"}),
    ],
)
async def test_a_poll_asks_for_the_tenants_of_the_url(tmp_path, tenants, asked):
    """Those that are named, or all that the cluster knows of; else the cluster's default."""
    gateway = ScriptedGateway()
    gateway.version = "8.9.0"
    async with serving(gateway) as origin, collecting(told(origin), tmp_path, query=tenants):
        await eventually(lambda: gateway.polls)
    assert {name: each for name, each in gateway.polls[0].items() if "tenant" in name} == asked


async def test_a_cluster_that_knows_no_tenants_of_a_user_is_refused(tmp_path, clock):
    """Before 8.9 they must be named, or the jobs of the others would wait without a word."""
    async with serving(ScriptedGateway()) as origin:
        with pytest.raises(SourceRefused, match="name them in `tenants`"):
            await probe(options_of(f"{told(origin)}&tenants=*", clock, tmp_path))


async def test_the_jobs_of_a_tenant_are_taken_when_it_is_named(cluster, tmp_path):
    """The engine gives jobs of the tenants that a poll names, and of no other."""
    cluster.stack.engine.deploy([Resource("p.bpmn", PROCESS)], "north")
    cluster.stack.engine.create_instance(process_id="p", tenant_id="north")
    async with collecting(cluster.url, tmp_path, query="&tenants=north") as source:
        (partition_id,) = [await anext(source.partitions())]
        (record,) = await first_chunks(source, partition_id, 1)
    assert to_event(record, metadata=False).json.count(b'"tenantId":"north"') == 1


async def test_a_token_that_is_refused_is_replaced(cluster, tmp_path):
    """After a 401 a new token is fetched and the request sent once more."""
    oauth = ClientCredentials(cluster.stack.token_url, "operate", SecretStr("secret"))
    async with collecting(
        cluster.url, tmp_path, credentials=Credentials(oauth=oauth), query="&poll-ms=100"
    ):
        cluster.stack.issuer.revoke_all()
        cluster.start()
        await eventually(lambda: cluster.intents[-1:] == ["ASSIGNED"])
        assert len(cluster.stack.issuer.requests) == 2


async def test_the_engines_answer_may_be_late(cluster, tmp_path):
    """A completion that fails at first is repeated, and the task goes on."""
    cluster.stack.faults["orchestration"].add(
        Status(status=500, path="/v2/jobs/2", method="POST", times=2)
    )
    async with collecting(cluster.url, tmp_path) as source:
        cluster.start()
        await eventually(lambda: cluster.intents[-1:] == ["ASSIGNED"])
        assert len(await first_chunks(source, 1, 2)) == 2


@pytest.mark.parametrize("event", ["CREATING", "ASSIGNING", "COMPLETING", "CANCELING"])
def test_a_record_of_a_bare_job_becomes_an_event(event):
    """A task of which nothing but its key is known is told of too, with upstream's defaults."""
    decoded = msgspec.convert(job(event=event), Job)
    raw = positioned(record_of(decoded, 1_768_471_871_440), 12)
    record = msgspec.json.decode(raw, type=Record)
    assert (record.position, record.partition_id) == (12, 3)
    told = orjson.loads(to_event(record, metadata=False).json)
    assert (told["id"], told["formKey"], told["priority"], told["customHeaders"]) == (
        "9",
        "-1",
        50,
        {},
    )
    assert told["createdAt"] == ("2026-01-15T10:11:11.44Z" if event == "CREATING" else None)
