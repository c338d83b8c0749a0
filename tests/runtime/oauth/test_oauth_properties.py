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

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(1, 8)),
        st.tuples(st.just("advance"), st.sampled_from([0.5, 1.0, 9.0, 31.0, 120.0])),
        st.tuples(st.just("status"), st.sampled_from([200, 200, 401, 429, 503])),
        st.tuples(st.just("lifetime"), st.sampled_from([1, 20, 60, 300])),
        st.tuples(st.just("drop"), st.just(None)),
    ),
    max_size=25,
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


async def live(steps):
    world = World()
    async with (
        serving(world.issue) as origin,
        open_session(HttpOptions()) as session,
        TokenCache(session, world.clock, lambda: 0.0) as cache,
    ):
        key = ClientCredentials(origin, "me", SecretStr("s"))
        held = "none yet"
        for step, value in steps:
            if step == "ask":
                held = await ask(world, cache, key, value) or held
            elif step == "advance":
                await world.clock.advance(value)
            elif step == "drop":
                cache.drop(key, held)
            else:
                setattr(world, "status" if step == "status" else "lifetime_s", value)
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


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_any_course_of_events_keeps_the_promises(steps):
    """Whatever happens: one request in flight, one answer for all, never a token that is over."""
    asyncio.run(live(steps))
