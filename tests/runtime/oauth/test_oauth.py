import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from pydantic import SecretStr

from runtime.errors import TokenRefusedError, TokenUnavailableError
from runtime.http import HttpOptions, open_session
from runtime.oauth import ClientCredentials, TokenCache, TokenState
from tests.kit.http import serving
from tests.kit.waiting import PATIENCE_S


class Issuer:
    """A token endpoint that numbers its tokens and can be held, slowed or made to refuse."""

    def __init__(self):
        self.asked = 0
        self.lifetime_s = 300
        self.status = 200
        self.headers = {}
        self.open = asyncio.Event()
        self.open.set()

    async def answer(self, _request):
        self.asked += 1
        number = self.asked
        await self.open.wait()
        if self.status != 200:
            return web.Response(status=self.status, headers=self.headers)
        return web.json_response({"access_token": f"token-{number}", "expires_in": self.lifetime_s})


@pytest.fixture
def issuer():
    return Issuer()


@asynccontextmanager
async def caching(issuer, clock, **options):
    async with (
        serving(issuer.answer) as origin,
        open_session(HttpOptions()) as session,
        TokenCache(session, clock, lambda: 0.0, **options) as cache,
    ):
        yield cache, credentials(origin)


def credentials(origin, client_id="me"):
    return ClientCredentials(f"{origin}/token", client_id, SecretStr("s"), audience="a")


async def asked(issuer, times):
    """Wait until the issuer was asked this often."""
    async with asyncio.timeout(PATIENCE_S):
        while issuer.asked < times:  # noqa: ASYNC110 - real sockets, no event to wait for
            await asyncio.sleep(0.001)


async def idle(cache):
    """Wait until no token request is on its way."""
    while cache._flights:
        await asyncio.wait(cache._flights)


async def test_token_is_kept(issuer, clock):
    """A token serves until it nears its end."""
    async with caching(issuer, clock) as (cache, key):
        assert await cache.token(key) == "token-1"
        await clock.advance(269)
        assert await cache.token(key) == "token-1"

    assert issuer.asked == 1


async def test_many_askers_make_one_request(issuer, clock):
    """However many ask at once, the endpoint sees one request."""
    issuer.open.clear()
    async with caching(issuer, clock) as (cache, key):
        askers = [asyncio.create_task(cache.token(key)) for _ in range(64)]
        await asked(issuer, 1)
        issuer.open.set()

        assert await asyncio.gather(*askers) == ["token-1"] * 64

    assert issuer.asked == 1


async def test_cancelled_asker_leaves_the_request_to_the_others(issuer, clock):
    """One asker that gives up does not take the token from the rest."""
    issuer.open.clear()
    async with caching(issuer, clock) as (cache, key):
        first = asyncio.create_task(cache.token(key))
        second = asyncio.create_task(cache.token(key))
        await asked(issuer, 1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        issuer.open.set()

        assert await second == "token-1"


async def test_request_outlives_its_only_asker(issuer, clock):
    """A token whose only asker gave up serves the next one."""
    issuer.open.clear()
    async with caching(issuer, clock) as (cache, key):
        asker = asyncio.create_task(cache.token(key))
        await asked(issuer, 1)
        asker.cancel()
        await asyncio.gather(asker, return_exceptions=True)
        issuer.open.set()
        await idle(cache)

        assert await cache.token(key) == "token-1"

    assert issuer.asked == 1


async def test_failure_without_an_asker_is_no_noise(issuer, clock):
    """A request that fails after its only asker gave up leaves no unheard exception."""
    heard = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: heard.append(context))
    issuer.open.clear()
    issuer.status = 401
    async with caching(issuer, clock) as (cache, key):
        asker = asyncio.create_task(cache.token(key))
        await asked(issuer, 1)
        asker.cancel()
        await asyncio.gather(asker, return_exceptions=True)
        issuer.open.set()
        await idle(cache)

    assert heard == []


async def test_token_is_renewed_ahead_of_its_end(issuer, clock):
    """30 s before its end the next is asked for, and nobody waits for it."""
    async with caching(issuer, clock) as (cache, key):
        await cache.token(key)
        await clock.advance(271)
        issuer.open.clear()
        assert [await cache.token(key) for _ in range(3)] == ["token-1"] * 3
        await asked(issuer, 2)
        issuer.open.set()
        await idle(cache)
        assert await cache.token(key) == "token-2"

    assert issuer.asked == 2


async def test_long_lived_token_is_renewed_by_its_twentieth(issuer, clock):
    """The lead is 5 % of a long life: 180 s of an hour."""
    issuer.lifetime_s = 3600
    async with caching(issuer, clock) as (cache, key):
        await cache.token(key)
        await clock.advance(3419)
        await cache.token(key)
        assert issuer.asked == 1
        await clock.advance(2)
        await cache.token(key)
        await asked(issuer, 2)


async def test_token_at_its_very_end_is_not_used(issuer, clock):
    """With less than a third of the lead left the asker waits for the new token."""
    async with caching(issuer, clock) as (cache, key):
        await cache.token(key)
        await clock.advance(291)

        assert await cache.token(key) == "token-2"


async def test_short_lived_token_is_used_for_half_its_life(issuer, clock):
    """A token of 20 s still serves 10 s before it is renewed."""
    issuer.lifetime_s = 20
    async with caching(issuer, clock) as (cache, key):
        await cache.token(key)
        await clock.advance(9.9)
        assert await cache.token(key) == "token-1"
        assert issuer.asked == 1
        await clock.advance(7)
        assert await cache.token(key) == "token-2"


async def test_token_without_life_serves_who_waited(issuer, clock):
    """A token that is over almost at once is given to its asker and not kept."""
    issuer.lifetime_s = 0.001
    async with caching(issuer, clock) as (cache, key):
        assert await cache.token(key) == "token-1"
        await clock.advance(0.001)
        assert await cache.token(key) == "token-2"


async def test_failed_renewal_keeps_the_old_token(issuer, clock):
    """While the endpoint is away the token serves to its end, asked for with back-off."""
    async with caching(issuer, clock) as (cache, key):
        await cache.token(key)
        await clock.advance(271)
        issuer.status = 503
        for _ in range(10):
            assert await cache.token(key) == "token-1"
            await idle(cache)
        assert issuer.asked == 2
        await clock.advance(20)
        with pytest.raises(TokenUnavailableError):
            await cache.token(key)


async def test_refused_request_is_not_repeated_at_once(issuer, clock):
    """Within the back-off askers get the same error and the endpoint is left alone."""
    issuer.status = 401
    async with caching(issuer, clock) as (cache, key):
        for _ in range(5):
            with pytest.raises(TokenRefusedError) as caught:
                await cache.token(key)
            assert caught.value.status == 401
        assert issuer.asked == 1

        await clock.advance(1)
        with pytest.raises(TokenRefusedError):
            await cache.token(key)
        assert issuer.asked == 2

        await clock.advance(1.9)
        with pytest.raises(TokenRefusedError):
            await cache.token(key)
        assert issuer.asked == 2

        await clock.advance(0.1)
        issuer.status = 200
        assert await cache.token(key) == "token-3"


async def test_back_off_starts_anew_after_a_success(issuer, clock):
    """One good answer forgets the failures before it."""
    async with caching(issuer, clock) as (cache, key):
        for status, wait_s in ((401, 1), (401, 2), (200, 0)):
            issuer.status = status
            await asyncio.gather(cache.token(key), return_exceptions=True)
            await clock.advance(wait_s)
        cache.drop(key, "token-3")
        issuer.status = 401
        with pytest.raises(TokenRefusedError):
            await cache.token(key)
        await clock.advance(1)
        issuer.status = 200

        assert await cache.token(key) == "token-5"


async def test_retry_after_is_waited_for(issuer, clock):
    """An endpoint that says when to come back is asked no sooner."""
    issuer.status, issuer.headers = 429, {"Retry-After": "12"}
    async with caching(issuer, clock) as (cache, key):
        for advance_s in (0, 11.9):
            await clock.advance(advance_s)
            with pytest.raises(TokenUnavailableError):
                await cache.token(key)
        assert issuer.asked == 1
        await clock.advance(0.2)
        issuer.status = 200
        assert await cache.token(key) == "token-2"


async def test_other_credentials_do_not_wait(issuer, clock):
    """A refusal for one client holds up no other."""
    issuer.status = 401
    async with caching(issuer, clock) as (cache, key):
        with pytest.raises(TokenRefusedError):
            await cache.token(key)
        issuer.status = 200
        other = ClientCredentials(key.token_url, "other", SecretStr("s"))
        assert await cache.token(other) == "token-2"


async def test_dropped_token_is_asked_for_anew(issuer, clock):
    """After a 401 the next asker gets a new token."""
    async with caching(issuer, clock) as (cache, key):
        cache.drop(key, await cache.token(key))

        assert await cache.token(key) == "token-2"


async def test_only_the_cached_token_is_dropped(issuer, clock):
    """A late 401 with the token before does not drop its successor."""
    async with caching(issuer, clock) as (cache, key):
        old = await cache.token(key)
        for _ in range(10):
            cache.drop(key, old)
            await cache.token(key)

    assert issuer.asked == 2


async def test_dropping_what_was_never_asked_for_does_nothing(issuer, clock):
    """Unknown credentials have nothing to drop."""
    async with caching(issuer, clock) as (cache, key):
        cache.drop(key, "x")

        assert cache.states() == ()


async def test_api_that_refuses_every_token_does_not_hammer_the_endpoint(issuer, clock):
    """A hundred 401s in a row cost six token requests, and then one a second."""
    async with caching(issuer, clock) as (cache, key):
        for _ in range(100):
            cache.drop(key, await cache.token(key))
        assert issuer.asked == 6
        for _ in range(3):
            await clock.advance(1)
            cache.drop(key, await cache.token(key))
            cache.drop(key, await cache.token(key))
        assert issuer.asked == 9


async def test_size_is_bounded(issuer, clock):
    """Beyond the capacity the credentials unused for longest are forgotten."""
    async with caching(issuer, clock, capacity=2) as (cache, key):
        second, third = (credentials(key.token_url, name) for name in ("second", "third"))
        for asked in (key, second, key, third):
            await cache.token(asked)

        assert [state.client_id for state in cache.states()] == ["me", "third"]


async def test_states_show_no_secret(issuer, clock):
    """The status page sees where, who and how long, and neither token nor secret."""
    async with caching(issuer, clock) as (cache, key):
        await cache.token(key)
        await clock.advance(100)
        (state,) = cache.states()

        origin = key.token_url.removesuffix("/token")
        assert state == TokenState(origin, "me", "a", 200, None)
        issuer.status = 401
        cache.drop(key, "token-1")
        with pytest.raises(TokenRefusedError):
            await cache.token(key)
        (state,) = cache.states()
        assert state.expires_in_s is None
        assert "401" in state.error


async def test_leaving_ends_the_request(issuer, clock):
    """A request that still runs when the cache is left is cancelled, not left behind."""
    issuer.open.clear()
    async with caching(issuer, clock) as (cache, key):
        asker = asyncio.create_task(cache.token(key))
        await asked(issuer, 1)
        flights = set(cache._flights)

    assert all(flight.cancelled() for flight in flights)
    with pytest.raises(asyncio.CancelledError):
        await asker
