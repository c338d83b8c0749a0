"""Reads that several jobs share: how old an answer may be, and what is never shared."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from connector.authorization import Authorizer
from connector.client import Client
from connector.inputs import Policy, read_inputs
from connector.login import Logins
from connector.request import build
from connector.sharing import SharedReads
from runtime.clock import SystemClock
from runtime.errors import HttpTimeoutError
from runtime.http import Answer, HttpOptions, open_session
from runtime.oauth import TokenCache
from tests.kit.clock import FakeClock
from tests.kit.http import serving
from tests.kit.jobs import AUTHENTICATION, SEARCH, variables
from tests.kit.operate import Operate, answer, page


def said(number, status=200):
    return Answer(status, "", CIMultiDictProxy(CIMultiDict()), str(number).encode())


class Api:
    """Answers with the number of the request, when it is told to."""

    def __init__(self):
        self.requests = 0
        self.waiting = []

    async def ask(self):
        self.requests += 1
        number = self.requests
        waiting = asyncio.get_running_loop().create_future()
        self.waiting.append(waiting)
        return await waiting or said(number)

    def answer(self, value=None):
        waiting = self.waiting.pop(0)
        if isinstance(value, BaseException):
            waiting.set_exception(value)
        else:
            waiting.set_result(value)


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def counted():
    return []


@pytest.fixture
async def sharing(clock, counted):
    async with SharedReads(clock, 0.5, lambda: counted.append(1)) as sharing:
        yield sharing


async def test_the_same_question_is_asked_once(sharing, counted):
    """Jobs that ask while the first waits get its answer."""
    api = Api()
    asking = [asyncio.create_task(sharing.answer("key", api.ask)) for _ in range(5)]
    await settle()
    api.answer()
    assert {(await each).body for each in asking} == {b"1"}
    assert (api.requests, len(counted)) == (1, 4)


async def test_another_question_is_asked_for_itself(sharing):
    """What differs in anything is not shared."""
    api = Api()
    asking = [asyncio.create_task(sharing.answer(key, api.ask)) for key in "ab"]
    await settle()
    api.answer()
    api.answer()
    assert [(await each).body for each in asking] == [b"1", b"2"]


async def test_an_answer_is_shared_until_its_window_ends(sharing, clock):
    """An answer is used for 0.5 s from the moment that its request was sent, and no longer."""
    api = Api()

    async def ask():
        asking = asyncio.create_task(sharing.answer("key", api.ask))
        await settle()
        if api.waiting:
            api.answer()
        return (await asking).body

    assert await ask() == b"1"
    await clock.advance(0.4)
    assert await ask() == b"1"
    await clock.advance(0.2)
    assert await ask() == b"2"
    assert len(sharing._flights) == 1
    await clock.advance(0.6)
    assert sharing._flights == {}


async def test_a_request_that_takes_longer_than_the_window_is_not_joined(sharing, clock):
    """What a job gets was asked for at most 0.5 s before it asked, however slow the API is."""
    api = Api()
    first = asyncio.create_task(sharing.answer("key", api.ask))
    await settle()
    await clock.advance(0.6)
    second = asyncio.create_task(sharing.answer("key", api.ask))
    await settle()
    api.answer()
    api.answer()
    assert [(await first).body, (await second).body] == [b"1", b"2"]


@pytest.mark.parametrize("outcome", [ValueError("no"), said(0, 500)])
async def test_an_error_is_kept_for_nobody(sharing, outcome):
    """Those who wait get it, and the next job asks anew."""
    api = Api()
    asking = [asyncio.create_task(sharing.answer("key", api.ask)) for _ in range(2)]
    await settle()
    api.answer(outcome)
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert results == [outcome, outcome]
    again = asyncio.create_task(sharing.answer("key", api.ask))
    await settle()
    api.answer()
    assert (await again).body == b"2"


async def test_the_time_of_one_job_is_not_that_of_another(sharing):
    """When the request ran out of the first job's time, the others ask for themselves."""
    api = Api()
    first, second = (asyncio.create_task(sharing.answer("key", api.ask)) for _ in range(2))
    await settle()
    api.answer(HttpTimeoutError("too slow"))
    await settle()
    api.answer()
    with pytest.raises(HttpTimeoutError):
        await first
    assert (await second).body == b"2"


async def test_a_job_that_gives_up_does_not_end_the_others_request(sharing):
    """The first may be cancelled; those who joined still get the answer."""
    api = Api()
    first, second = (asyncio.create_task(sharing.answer("key", api.ask)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    api.answer()
    assert (await second).body == b"1"
    assert first.cancelled()


async def test_leaving_ends_what_is_under_way(clock):
    """Nothing is left running when the service stops."""
    api = Api()
    async with SharedReads(clock, 1, lambda: None) as sharing:
        asking = asyncio.create_task(sharing.answer("key", api.ask))
        await settle()
        asking.cancel()
    assert sharing._tasks == set() or all(task.done() for task in sharing._tasks)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_no_answer_is_older_than_the_window(pauses):
    """Whenever jobs ask, an answer's request began at most the window before they did."""

    async def story():
        clock = FakeClock()
        began = {}

        async def ask():
            began[len(began) + 1] = clock.monotonic_s()
            return said(len(began))

        async with SharedReads(clock, 0.5, lambda: None) as sharing:
            for pause_s in pauses:
                await clock.advance(pause_s)
                got = await sharing.answer("key", ask)
                assert clock.monotonic_s() - began[int(got.body)] <= 0.5

    asyncio.run(story())


async def test_reads_with_other_credentials_are_never_shared():
    """Only the same credentials may see the same answer; a delete is nobody's read."""
    operate = Operate()
    clock = SystemClock()
    async with (
        serving(operate) as origin,
        open_session(HttpOptions()) as session,
        TokenCache(session, clock, lambda: 0.0) as tokens,
        Logins(session) as logins,
        SharedReads(clock, 60, lambda: None) as sharing,
    ):
        client = Client(
            session, Authorizer(tokens, logins), clock, max_response_bytes=1000, sharing=sharing
        )

        async def send(client_id, **request):
            given = variables(
                cluster={"operateUrl": origin, "tokenUrl": f"{origin}/token"},
                authentication={**AUTHENTICATION, "clientId": client_id},
                request={**SEARCH, **request},
            )
            await client.send(build(read_inputs(given, Policy(allow_delete=True))), 30)

        operate.say(*(answer(page()) for _ in range(5)))
        for client_id in ("a", "b", "a"):
            await send(client_id)
        assert len(operate.asked) == 2
        await send("a", results=5)
        assert len(operate.asked) == 3
        for _ in range(2):
            await send("a", operation="delete", key=7)
        assert len(operate.asked) == 5
