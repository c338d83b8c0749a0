"""Access tokens by client credentials, shared by everything in a service that needs one.

credentials → TokenCache.token        → text for `Authorization: Bearer …`
              TokenCache.access_token → the same text, and the type that the endpoint gave it
              TokenCache.drop         ← a 401 with that text
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import ClientSession
from pydantic import SecretStr

from runtime.backoff import Backoff, Random
from runtime.clock import Clock
from runtime.errors import TokenError, TokenUnavailableError
from runtime.http_errors import origin_of
from runtime.token_endpoint import ClientCredentials, Grant, request_grant

__all__ = ["AccessToken", "ClientCredentials", "TokenCache", "TokenState"]

_LEEWAY_S = 30.0
_LEEWAY_OF_LIFETIME = 0.05
_LONGEST_RETRY_AFTER_S = 60.0
_DROPS_AT_ONCE = 5.0
_DROPS_PER_S = 1.0


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token as its endpoint gave it.

    Attributes:
        text: What is shown to the API.
        token_type: As the endpoint spells it, `Bearer` when it does not say. RFC 6750 knows
            `Bearer` alone; Camunda's App Integrations exporter repeats what it was given.
    """

    text: SecretStr
    token_type: str


@dataclass(frozen=True, slots=True)
class TokenState:
    """What the status page shows of a cached token; nothing of it is secret.

    Attributes:
        origin: Scheme and host of the token endpoint.
        client_id: Whom the token was given to.
        audience: What it was asked for.
        expires_in_s: Seconds left of its life; None when there is no token.
        error: Why the last request for one failed; None when it did not.
    """

    origin: str
    client_id: str
    audience: str | None
    expires_in_s: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class _Held:
    """A token in use. Times are of `Clock.monotonic_s`."""

    token: AccessToken
    refresh_at_s: float
    usable_until_s: float
    expires_at_s: float


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why there is no token, and until when nobody asks again."""

    error: TokenError
    until_s: float
    attempt: int


class _Entry:
    """What is known for one set of credentials."""

    __slots__ = ("drop_credit", "drop_credit_at_s", "failure", "flight", "held")

    def __init__(self) -> None:
        self.held: _Held | None = None
        self.failure: _Failure | None = None
        self.flight: asyncio.Task[_Held | TokenError] | None = None
        self.drop_credit = _DROPS_AT_ONCE
        self.drop_credit_at_s = 0.0


class TokenCache:
    """Tokens by credentials; each is asked for once, however many need it.

    A token is asked for anew ahead of its expiry, by max(30 s, 5 % of its life) but at most half
    of it: the first asker then starts the request and all go on with the old token, until two
    thirds of that lead are gone. A failed request is not repeated at once: until the back-off is
    over, askers get the same error (refused: 1 s doubling to 30 s; unavailable: 0.2 s doubling to
    5 s, or what `Retry-After` says, up to 60 s). An asker that is cancelled leaves the request to
    the others.

    Use it with `async with`: leaving cancels requests that still run, so leave it after its askers
    are done and before the session is closed.

    Args:
        session: Where token requests go; its proxies and authorities hold for them.
        clock: Time for expiry and back-off.
        random: Jitter of the back-off.
        capacity: Credentials remembered; beyond it the one unused for longest is forgotten.
        timeout_s: For one token request.
        refused: Back-off after a refusal or a malformed answer.
        unavailable: Back-off while the endpoint is away.
    """

    def __init__(
        self,
        session: ClientSession,
        clock: Clock,
        random: Random,
        *,
        capacity: int = 1000,
        timeout_s: float = 20.0,
        refused: Backoff = Backoff(first_s=1.0, cap_s=30.0),  # noqa: B008 - frozen
        unavailable: Backoff = Backoff(first_s=0.2, cap_s=5.0),  # noqa: B008 - frozen
    ) -> None:
        self._session = session
        self._clock = clock
        self._random = random
        self._capacity = capacity
        self._timeout_s = timeout_s
        self._refused = refused
        self._unavailable = unavailable
        self._entries: OrderedDict[ClientCredentials, _Entry] = OrderedDict()
        self._flights: set[asyncio.Task[_Held | TokenError]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for flight in self._flights:
            flight.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)

    async def token(self, credentials: ClientCredentials) -> str:
        """The text of the access token for these credentials; raises as `access_token` does."""
        return (await self.access_token(credentials)).text.get_secret_value()

    async def access_token(self, credentials: ClientCredentials) -> AccessToken:
        """The access token for these credentials, asked for if need be.

        Raises:
            TokenRefusedError: The endpoint said no, now or within the back-off.
            TokenUnavailableError: It is away.
            TokenMalformedError: It answered without a token.
        """
        token = self.at_hand(credentials)
        if token is not None:
            return token
        entry = self._entry(credentials)
        if entry.failure is not None and self._backs_off(entry):
            raise entry.failure.error.with_traceback(None)
        outcome = await asyncio.shield(self._flight(credentials, entry))
        if isinstance(outcome, TokenError):
            raise outcome.with_traceback(None)
        return outcome.token

    def at_hand(self, credentials: ClientCredentials) -> AccessToken | None:
        """The cached token, asked for anew in the background if it is time; None without one."""
        entry = self._entry(credentials)
        held = entry.held
        now_s = self._clock.monotonic_s()
        if held is None or now_s >= held.usable_until_s:
            return None
        if now_s >= held.refresh_at_s and not self._backs_off(entry):
            self._flight(credentials, entry)
        return held.token

    def _backs_off(self, entry: _Entry) -> bool:
        failure = entry.failure
        return failure is not None and self._clock.monotonic_s() < failure.until_s

    def drop(self, credentials: ClientCredentials, token: str) -> None:
        """Forget a token that was answered with a 401, if it is still the cached one.

        So that an API that refuses every token does not make us ask for one with each request,
        five are dropped at once and then one a second; a drop beyond that does nothing.
        """
        entry = self._entries.get(credentials)
        held = None if entry is None else entry.held
        if entry is None or held is None or held.token.text.get_secret_value() != token:
            return
        now_s = self._clock.monotonic_s()
        regained = (now_s - entry.drop_credit_at_s) * _DROPS_PER_S
        entry.drop_credit = min(_DROPS_AT_ONCE, entry.drop_credit + regained)
        entry.drop_credit_at_s = now_s
        if entry.drop_credit >= 1:
            entry.drop_credit -= 1
            entry.held = None

    def states(self) -> tuple[TokenState, ...]:
        """What is held for each set of credentials, the least recently used first."""
        now_s = self._clock.monotonic_s()
        return tuple(
            TokenState(
                origin=origin_of(credentials.token_url),
                client_id=credentials.client_id,
                audience=credentials.audience,
                expires_in_s=entry.held.expires_at_s - now_s if entry.held else None,
                error=str(entry.failure.error) if entry.failure else None,
            )
            for credentials, entry in self._entries.items()
        )

    def _entry(self, credentials: ClientCredentials) -> _Entry:
        entry = self._entries.get(credentials)
        if entry is None:
            entry = self._entries[credentials] = _Entry()
            # A flight whose entry is forgotten still ends for those who wait for it.
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)
        self._entries.move_to_end(credentials)
        return entry

    def _flight(
        self, credentials: ClientCredentials, entry: _Entry
    ) -> asyncio.Task[_Held | TokenError]:
        if entry.flight is None:
            entry.flight = asyncio.create_task(self._fetch(credentials, entry), name="token")
            self._flights.add(entry.flight)
            entry.flight.add_done_callback(self._flights.discard)
        return entry.flight

    async def _fetch(self, credentials: ClientCredentials, entry: _Entry) -> _Held | TokenError:
        """Ask once; an error is a value here, so that nobody has to be there to catch it."""
        asked_at_s = self._clock.monotonic_s()
        try:
            grant = await request_grant(
                self._session,
                credentials,
                timeout_s=self._timeout_s,
                now_ms=self._clock.now_ms(),
            )
        except TokenError as error:
            entry.failure = self._failure(entry.failure, error)
            return error
        finally:
            entry.flight = None
        entry.failure = None
        entry.held = _held(grant, asked_at_s)
        return entry.held

    def _failure(self, before: _Failure | None, error: TokenError) -> _Failure:
        attempt = 1 if before is None else before.attempt + 1
        away = isinstance(error, TokenUnavailableError)
        backoff = self._unavailable if away else self._refused
        delay_s = backoff.delay_s(attempt, self._random)
        if isinstance(error, TokenUnavailableError) and error.retry_after_s is not None:
            delay_s = max(delay_s, min(error.retry_after_s, _LONGEST_RETRY_AFTER_S))
        return _Failure(error, self._clock.monotonic_s() + delay_s, attempt)


def _held(grant: Grant, asked_at_s: float) -> _Held:
    leeway_s = min(max(_LEEWAY_S, _LEEWAY_OF_LIFETIME * grant.lifetime_s), grant.lifetime_s / 2)
    expires_at_s = asked_at_s + grant.lifetime_s
    return _Held(
        token=AccessToken(grant.token, grant.token_type),
        refresh_at_s=expires_at_s - leeway_s,
        usable_until_s=expires_at_s - leeway_s / 3,
        expires_at_s=expires_at_s,
    )
