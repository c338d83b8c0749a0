import asyncio

from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from runtime.errors import TokenError
from runtime.http import HttpOptions, open_session
from runtime.oauth import ClientCredentials, TokenCache
from tests.kit.clock import FakeClock
from tests.kit.http import serving

ROUNDS = st.lists(
    st.fixed_dictionaries(
        {
            "status": st.sampled_from([200, 200, 200, 401, 429, 503]),
            "lifetime_s": st.sampled_from([1, 20, 60, 300]),
            "advance_s": st.sampled_from([0.0, 0.5, 9.0, 31.0, 120.0]),
            "drops": st.booleans(),
            "askers": st.integers(1, 5),
        }
    ),
    min_size=2,
    max_size=20,
)


class World:
    """An issuer that notes what it sees, and what its tokens are worth."""

    def __init__(self):
        self.clock = FakeClock()
        self.status = 200
        self.lifetime_s = 60
        self.expiry_s = {}
        self.in_hand = self.most_in_hand = self.asked = 0

    async def issue(self, _request):
        self.asked += 1
        self.in_hand += 1
        self.most_in_hand = max(self.most_in_hand, self.in_hand)
        await asyncio.sleep(0)
        self.in_hand -= 1
        if self.status != 200:
            return web.Response(status=self.status)
        token = f"token-{self.asked}"
        self.expiry_s[token] = self.clock.monotonic_s() + self.lifetime_s
        return web.json_response({"access_token": token, "expires_in": self.lifetime_s})


async def live(rounds):
    world = World()
    async with (
        serving(world.issue) as origin,
        open_session(HttpOptions()) as session,
        TokenCache(session, world.clock, lambda: 0.0) as cache,
    ):
        key = ClientCredentials(origin, "me", SecretStr("s"))
        held = None
        for each in rounds:
            world.status, world.lifetime_s = each["status"], each["lifetime_s"]
            await world.clock.advance(each["advance_s"])
            if each["drops"] and held is not None:
                cache.drop(key, held)
            held = await ask(world, cache, key, each["askers"])
    assert world.most_in_hand <= 1


async def ask(world, cache, key, askers):
    """Ask at once; all get one token that is alive, or all the same kind of error."""
    asked = world.asked
    got = await asyncio.gather(*(cache.token(key) for _ in range(askers)), return_exceptions=True)
    assert world.asked <= asked + 1
    if any(isinstance(answer, BaseException) for answer in got):
        assert {type(answer) for answer in got} == {type(got[0])}
        assert isinstance(got[0], TokenError)
        return None
    assert len(set(got)) == 1
    assert world.expiry_s[got[0]] > world.clock.monotonic_s()
    return got[0]


@settings(max_examples=100, deadline=None)
@given(ROUNDS)
def test_any_course_of_events_keeps_the_promises(rounds):
    """Whatever happens: one request in flight, one answer for all, never a token that is over."""
    asyncio.run(live(rounds))
