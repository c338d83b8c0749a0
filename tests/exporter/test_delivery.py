from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import formatdate
from itertools import pairwise

import aiohttp.web
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from exporter.backend import Request
from exporter.breaker import Breaker, BreakerState
from exporter.delivery import Delivered, Delivery, Policy, Rejected, Unavailable
from exporter.metrics import Metrics
from runtime.backoff import Backoff
from runtime.oauth import ClientCredentials
from tests.kit.backend import Backend, half, hang, reset, status, web_page
from tests.kit.clock import FakeClock
from tests.kit.exporter import PATIENT, Setup, delivering, drive
from tests.kit.http import serving, talking
from tests.kit.loop import leap

REQUEST = Request("1-3-5", b'{"events":[{"id":"1"},{"id":"2"}]}', 2)


@asynccontextmanager
async def sending(clock, tmp_path, *, policy=PATIENT, breaker=(100, 5.0), **target):
    """A delivery, the backend behind it, and its metrics."""
    backend = Backend()
    registry = CollectorRegistry()
    async with serving(backend) as origin:
        setup = Setup(f"{origin}/events", "", tmp_path, clock, policy=policy, target=target)
        async with delivering(setup, Metrics(registry), Breaker(*breaker, clock)) as delivery:
            yield delivery, backend, registry


async def outcome_of(delivery: Delivery, clock):
    sending = asyncio.create_task(delivery.send(REQUEST))
    await drive(clock, sending.done)
    return sending.result()


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
async def test_2xx_is_delivered(code, clock, tmp_path):
    """Every 2xx means that the backend has the batch, whatever its body says."""
    async with sending(clock, tmp_path) as (delivery, backend, _):
        backend.say(status(code))
        assert await outcome_of(delivery, clock) == Delivered()
        assert len(backend.posted) == 1


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 405, 409, 410, 413, 414, 422, 431])
async def test_4xx_is_the_batchs_fault_at_once(code, clock, tmp_path):
    """A client error is not tried again: the batch itself is the problem."""
    async with sending(clock, tmp_path) as (delivery, backend, _):
        backend.say(status(code))
        outcome = await outcome_of(delivery, clock)
        assert isinstance(outcome, Rejected)
        assert (outcome.status, len(backend.posted)) == (code, 1)


@pytest.mark.parametrize("code", [500, 501, 505, 507, 599])
async def test_other_5xx_is_the_batchs_fault_after_all_tries(code, clock, tmp_path):
    """A server error that is not about being away is tried as often as the settings say."""
    async with sending(clock, tmp_path) as (delivery, backend, _):
        backend.otherwise = status(code)
        outcome = await outcome_of(delivery, clock)
        assert isinstance(outcome, Rejected)
        assert (outcome.status, len(backend.posted)) == (code, 3)


def slowly(code, after_s, clock, **headers):
    """Answer with a status after a while."""

    async def answer(request):
        await clock.sleep(after_s)
        return await status(code, **headers)(request)

    return answer


async def test_a_slow_500_is_tried_as_often_as_a_quick_one(clock, tmp_path):
    """Where one answer uses up a round's time, the tries of all rounds count together."""
    policy = Policy(tries=3, total_s=5.0, backoff=Backoff(first_s=1.5))
    async with sending(clock, tmp_path, policy=policy) as (delivery, backend, _):
        backend.otherwise = slowly(500, 4.5, clock)
        rounds = [await outcome_of(delivery, clock) for _ in range(3)]
        assert rounds[:2] == [
            Unavailable("the backend answers 500", refusals=1),
            Unavailable("the backend answers 500", refusals=2),
        ]
        assert isinstance(rounds[2], Rejected)
        assert len(backend.posted) == 3


async def test_only_tries_that_were_refused_count(clock, tmp_path):
    """Neither a try that was cut nor a backend that was away in between blames the batch."""
    leap()
    policy = replace(PATIENT, try_s=0.05)
    async with sending(clock, tmp_path, policy=policy) as (delivery, backend, _):
        backend.say(status(500), hang, status(503), reset, status(500), status(504), status(599))
        outcomes = [await outcome_of(delivery, clock) for _ in range(3)]
        assert [outcome.refusals for outcome in outcomes[:2]] == [1, 2]
        assert isinstance(outcomes[2], Rejected)
        assert (outcomes[2].status, len(backend.posted)) == (599, 7)


async def test_each_batch_has_tries_of_its_own(clock, tmp_path):
    """What one batch was refused counts for no other, and not for itself once it was decided."""
    policy = Policy(tries=2, total_s=1.0, backoff=Backoff(first_s=2.0))
    async with sending(clock, tmp_path, policy=policy) as (delivery, backend, _):
        backend.say(status(500), status(500), status(200), status(500))
        assert isinstance(await outcome_of(delivery, clock), Unavailable)
        other = await delivery.send(replace(REQUEST, idempotency_key="2-3-5"))
        assert other == Unavailable("the backend answers 500", refusals=1)
        assert await outcome_of(delivery, clock) == Delivered()
        assert isinstance(await outcome_of(delivery, clock), Unavailable)


async def test_a_server_error_may_ask_to_wait(clock, tmp_path):
    """`Retry-After` is honoured with whatever status it comes."""
    async with sending(clock, tmp_path) as (delivery, backend, _):
        backend.say(status(500, Retry_After="20"))
        began_s = clock.monotonic_s()
        assert await outcome_of(delivery, clock) == Delivered()
        assert clock.monotonic_s() - began_s >= 20.0


async def test_a_try_is_not_begun_without_time_for_it(tmp_path):
    """When a wait took longer than the round had left, no call is made that would not be cut."""

    class Oversleeping(FakeClock):
        async def sleep(self, delay_s):
            await super().sleep(delay_s + 10.0)

    clock = Oversleeping()
    policy = Policy(tries=3, total_s=5.0, backoff=Backoff(first_s=2.0))
    async with sending(clock, tmp_path, policy=policy) as (delivery, backend, _):
        backend.otherwise = status(503)
        assert isinstance(await outcome_of(delivery, clock), Unavailable)
        assert len(backend.posted) == 1


@pytest.mark.parametrize("code", [302, 304, 307, 408, 425, 429, 502, 503, 504])
async def test_a_backend_that_is_away_is_no_fault_of_the_batch(code, clock, tmp_path):
    """Statuses that speak of the backend, and redirects, are tried and then waited for."""
    async with sending(clock, tmp_path) as (delivery, backend, _):
        backend.otherwise = status(code, Location="/elsewhere")
        assert isinstance(await outcome_of(delivery, clock), Unavailable)
        assert len(backend.posted) == 3


@pytest.mark.parametrize("fault", [reset, half, web_page], ids=lambda fault: fault.__name__)
async def test_what_is_no_answer_is_waited_for(fault, clock, tmp_path):
    """A broken connection, half an answer and a login page all mean: not delivered yet."""
    async with sending(clock, tmp_path) as (delivery, backend, _):
        backend.otherwise = fault
        assert isinstance(await outcome_of(delivery, clock), Unavailable)
        backend.otherwise = status(200)
        assert await outcome_of(delivery, clock) == Delivered()


async def test_a_short_html_answer_is_an_answer(clock, tmp_path):
    """Frameworks say `ok` as text/html; only a whole web page is not an answer."""
    async with sending(clock, tmp_path) as (delivery, backend, _):
        backend.say(status(200, b"<p>ok</p>"))
        assert await outcome_of(delivery, clock) == Delivered()


async def test_a_call_that_hangs_is_cut(clock, tmp_path):
    """A backend that accepts and never answers holds a try no longer than its limit."""
    leap()
    policy = Policy(tries=2, total_s=60.0, try_s=0.05, backoff=Backoff(first_s=1.0))
    async with sending(clock, tmp_path, policy=policy) as (delivery, backend, registry):
        backend.otherwise = hang
        outcome = await outcome_of(delivery, clock)
        assert isinstance(outcome, Unavailable)
        assert len(backend.posted) == 2
        name = "zeebe_app_integrations_exporter_timeout_total"
        assert registry.get_sample_value(name, {"phase": "export"}) == 2


async def test_a_round_ends_with_its_time(clock, tmp_path):
    """A wait that would pass the total time-out is not begun: the round ends as it stands."""
    policy = Policy(tries=10, total_s=5.0, backoff=Backoff(first_s=2.0, factor=1.0, jitter=0.0))
    async with sending(clock, tmp_path, policy=policy) as (delivery, backend, _):
        backend.otherwise = status(503)
        began_s = clock.monotonic_s()
        assert isinstance(await outcome_of(delivery, clock), Unavailable)
        assert (len(backend.posted), clock.monotonic_s() - began_s) == (3, 4.0)


async def test_waits_grow_from_the_retry_delay(clock, tmp_path):
    """Between tries the wait begins at the setting and doubles, up to the cap, less the jitter."""
    policy = Policy(tries=5, total_s=600.0, backoff=Backoff(first_s=1.5, cap_s=5.0, jitter=0.0))
    times = []

    async def busy(request):
        times.append(clock.monotonic_s())
        return aiohttp.web.Response(status=503)

    async with sending(clock, tmp_path, policy=policy) as (delivery, backend, _):
        backend.otherwise = busy
        await outcome_of(delivery, clock)
    assert [later - before for before, later in pairwise(times)] == [
        1.5,
        3.0,
        5.0,
        5.0,
    ]


@pytest.mark.parametrize("asked", ["20", "date"])
async def test_retry_after_is_honoured(asked, clock, tmp_path):
    """The wait before the next try is at least what the backend asks for, in seconds or a date."""
    at_s = clock.now_ms() / 1000 + 20
    text = formatdate(at_s, usegmt=True) if asked == "date" else asked
    async with sending(clock, tmp_path) as (delivery, backend, _):
        backend.say(status(429, Retry_After=text))
        began_s = clock.monotonic_s()
        assert await outcome_of(delivery, clock) == Delivered()
        assert clock.monotonic_s() - began_s >= 20.0


@pytest.mark.parametrize("text", ["soon", "-1", "1.5e3", "", "9" * 40])
async def test_a_malformed_retry_after_is_let_be(text, clock, tmp_path):
    """A header that cannot be read changes nothing."""
    async with sending(clock, tmp_path) as (delivery, backend, _):
        backend.say(status(503, Retry_After=text))
        began_s = clock.monotonic_s()
        assert await outcome_of(delivery, clock) == Delivered()
        assert clock.monotonic_s() - began_s < 3.0


async def test_upstreams_statuses_can_be_restored(clock, tmp_path):
    """With no status that asks to come again, 408, 425 and 429 are client errors as upstream."""
    policy = replace(PATIENT, later=frozenset())
    async with sending(clock, tmp_path, policy=policy) as (delivery, backend, _):
        backend.otherwise = status(429)
        assert isinstance(await outcome_of(delivery, clock), Rejected)
        assert len(backend.posted) == 1


async def test_the_breaker_ends_a_round(clock, tmp_path):
    """When the breaker opens, the rest of a round is not tried; a later one probes first."""
    async with sending(clock, tmp_path, breaker=(2, 5.0)) as (delivery, backend, _):
        backend.otherwise = status(503)
        assert isinstance(await outcome_of(delivery, clock), Unavailable)
        assert len(backend.posted) == 2
        assert delivery._breaker.state is BreakerState.OPEN
        assert isinstance(await outcome_of(delivery, clock), Unavailable)
        assert len(backend.posted) == 3


async def test_a_refused_batch_says_that_the_backend_is_there(clock, tmp_path):
    """Refusals never open the breaker, however many: other lanes must not wait for a bad batch."""
    async with sending(clock, tmp_path, breaker=(1, 5.0)) as (delivery, backend, _):
        backend.say(status(400), status(500), status(500), status(500))
        await outcome_of(delivery, clock)
        await outcome_of(delivery, clock)
        assert delivery._breaker.state is BreakerState.CLOSED


async def test_the_request_is_upstreams_and_one_header_more(clock, tmp_path):
    """Content type, key and context are upstream's; the idempotency key is ours."""
    target = {
        "api_key": SecretStr("secret-key"),
        "context": (("X-Org-Id", "org"), ("X-Cluster-Id", "cluster")),
    }
    async with sending(clock, tmp_path, **target) as (delivery, backend, _):
        await outcome_of(delivery, clock)
        (posted,) = backend.posted
        assert posted.body == REQUEST.body
        assert posted.headers["Content-Type"] == "application/json"
        assert posted.headers["x-api-key"] == "secret-key"
        assert (posted.headers["X-Org-Id"], posted.headers["X-Cluster-Id"]) == ("org", "cluster")
        assert posted.headers["Idempotency-Key"] == "1-3-5"
        assert "Authorization" not in posted.headers


async def test_every_try_is_the_same(clock, tmp_path):
    """Body and key do not change from try to try."""
    async with sending(clock, tmp_path) as (delivery, backend, _):
        backend.say(status(503), reset)
        assert await outcome_of(delivery, clock) == Delivered()
        assert {(posted.key, posted.body) for posted in backend.posted} == {("1-3-5", REQUEST.body)}
        assert len(backend.posted) == 3


async def test_large_bodies_are_compressed_when_told_to(clock, tmp_path):
    """From the size of the setting on, the body is gzip; below it is not."""
    async with sending(clock, tmp_path, gzip_min_bytes=100) as (delivery, backend, _):
        await outcome_of(delivery, clock)
        large = Request("1-1-1", b'{"events":["%b"]}' % (b"x" * 2_000_000), 1)
        assert await delivery.send(large) == Delivered()
        small, packed = backend.posted
        assert "Content-Encoding" not in small.headers
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.body == large.body


async def test_a_body_beyond_a_megabyte_is_sent_whole(clock, tmp_path):
    """An event that is larger than any batch arrives as it is."""
    async with sending(clock, tmp_path) as (delivery, backend, _):
        large = Request("1-1-1", b'{"events":["%b"]}' % (b"x" * 3_000_000), 1)
        assert await delivery.send(large) == Delivered()
        assert backend.posted[0].body == large.body


@asynccontextmanager
async def with_tokens(clock, tmp_path):
    backend = Backend()
    registry = CollectorRegistry()
    async with serving(backend) as origin:
        oauth = ClientCredentials(f"{origin}/token", "id", SecretStr("secret"))
        setup = Setup(
            f"{origin}/events", "", tmp_path, clock, policy=PATIENT, target={"oauth": oauth}
        )
        async with delivering(setup, Metrics(registry), Breaker(100, 5.0, clock)) as delivery:
            yield delivery, backend, registry


async def test_a_refused_token_is_renewed(clock, tmp_path):
    """A 401 with a token counts, drops the token, and the next try has a new one."""
    async with with_tokens(clock, tmp_path) as (delivery, backend, registry):
        backend.say(status(401))
        assert await outcome_of(delivery, clock) == Delivered()
        tokens = [posted.headers["Authorization"] for posted in backend.posted]
        assert tokens == ["Bearer token-1", "Bearer token-2"]
        name = "zeebe_app_integrations_exporter_export_unauthorized_total"
        assert registry.get_sample_value(name) == 1


@pytest.mark.parametrize("token_type", ["bearer", "BEARER", "DPoP"])
async def test_a_tokens_type_is_sent_as_given(token_type, clock, tmp_path):
    """As upstream, `Authorization` begins with what the token endpoint said, in its case."""
    async with with_tokens(clock, tmp_path) as (delivery, backend, _):
        answer = {"access_token": "t", "token_type": token_type}
        backend.token_answers.append(aiohttp.web.json_response(answer))
        assert await outcome_of(delivery, clock) == Delivered()
        assert backend.posted[0].headers["Authorization"] == f"{token_type} t"


async def test_tokens_that_are_always_refused_refuse_the_batch(clock, tmp_path):
    """After all tries a 401 is what it is without tokens: a client error."""
    async with with_tokens(clock, tmp_path) as (delivery, backend, _):
        backend.otherwise = status(401)
        outcome = await outcome_of(delivery, clock)
        assert (outcome.status, len(backend.posted)) == (401, 3)


async def test_without_a_token_nothing_is_sent(clock, tmp_path):
    """A token endpoint that is away or refuses is waited for; the batch is not to blame."""
    async with with_tokens(clock, tmp_path) as (delivery, backend, registry):
        backend.token_answers.extend(aiohttp.web.Response(status=400) for _ in range(9))
        assert isinstance(await outcome_of(delivery, clock), Unavailable)
        assert backend.posted == []
        assert delivery._breaker.state is BreakerState.CLOSED
        name = "zeebe_app_integrations_exporter_token_fetch_failed_total"
        assert registry.get_sample_value(name) == 3


async def test_what_a_token_endpoint_says_is_not_repeated(clock, tmp_path):
    """The reason names its status and OAuth's code, and nothing else of an answer."""
    async with with_tokens(clock, tmp_path) as (delivery, backend, _):
        said = {"error": "invalid_client", "error_description": "no client s3cr3t"}
        backend.token_answers.extend(aiohttp.web.json_response(said, status=401) for _ in range(9))
        outcome = await outcome_of(delivery, clock)
        assert "answers 401 invalid_client" in outcome.reason
        assert "s3cr3t" not in outcome.reason


async def test_a_token_endpoint_that_hangs_is_a_timeout(clock, tmp_path):
    """As upstream, it counts as a time-out of the phase `token`, and not as a failed fetch."""

    async def hangs(reader, writer):
        await reader.read()

    policy = Policy(tries=1, try_s=0.05)
    async with talking(hangs) as url:
        oauth = ClientCredentials(f"{url}/token", "id", SecretStr("secret"))
        async with sending(clock, tmp_path, policy=policy, oauth=oauth) as (delivery, _, registry):
            assert isinstance(await delivery.send(REQUEST), Unavailable)
            prefix = "zeebe_app_integrations_exporter"
            assert registry.get_sample_value(f"{prefix}_timeout_total", {"phase": "token"}) == 1
            assert registry.get_sample_value(f"{prefix}_token_fetch_failed_total") == 0


async def test_metrics_are_upstreams(clock, tmp_path):
    """Exported events, failed rounds, batch sizes and durations are counted by upstream's names."""
    async with sending(clock, tmp_path) as (delivery, backend, registry):
        await outcome_of(delivery, clock)
        backend.say(status(400))
        await outcome_of(delivery, clock)
        prefix = "zeebe_app_integrations_exporter"
        value = registry.get_sample_value
        assert value(f"{prefix}_records_exported_total") == 2
        assert value(f"{prefix}_export_failed_total") == 1
        assert value(f"{prefix}_batch_size_count") == 2
        assert value(f"{prefix}_batch_size_bucket", {"le": "10.0"}) == 2
        assert value(f"{prefix}_flush_duration_seconds_count") == 2


async def test_messages_show_no_credentials(clock, tmp_path):
    """What is said of a failed delivery names the origin only."""
    async with sending(clock, tmp_path, api_key=SecretStr("secret-key")) as (delivery, backend, _):
        backend.otherwise = reset
        outcome = await outcome_of(delivery, clock)
        assert "secret" not in outcome.reason
        assert "/events" not in outcome.reason


async def test_pauses_between_rounds_are_never_a_hot_loop(clock, tmp_path):
    """Even with a retry delay of nothing, there is a wait between rounds."""
    policy = Policy(tries=1, backoff=Backoff(first_s=0.0, cap_s=5.0))
    async with sending(clock, tmp_path, policy=policy) as (delivery, _, _):
        assert delivery.pause_s(1, Rejected(500, "", {})) >= 0.05
        assert delivery.pause_s(1, Unavailable("", retry_after_s=30.0)) == 30.0
        assert delivery.pause_s(1, Unavailable("", retry_after_s=10.0**9)) == 3600.0
        assert delivery.pause_s(50, Unavailable("")) <= 5.0
