"""Jobs through the real pipeline, with the gateway and the witness left out."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from connector.authorization import Authorizer
from connector.client import Client
from connector.inputs import Policy
from connector.login import Logins
from connector.official.client import OfficialConnector
from connector.operate import OperateConnector
from connector.pipeline import Pipeline
from runtime.clock import SystemClock
from runtime.http import HttpOptions, open_session
from runtime.oauth import TokenCache


class Blind:
    """A witness that looks away."""

    def ended(self, *seen):
        pass


async def granted(job, duration_ms):
    """Whatever time a task asks for."""
    return job


@dataclass
class Pipelines:
    """The pipelines of both kinds of templates, on one session."""

    own: Pipeline
    official: Pipeline
    clock: SystemClock

    async def handle(self, job):
        """A job of our own type, with time enough."""
        return await self.own.handle(self._in_time(job))

    async def handle_official(self, job):
        """A job of Camunda's template, with time enough."""
        return await self.official.handle(self._in_time(job))

    def _in_time(self, job):
        return replace(job, deadline_ms=self.clock.now_ms() + 60_000)


@asynccontextmanager
async def pipelines(sources=(), **options: Any):
    """Both pipelines with real caches on a real session."""
    clock = SystemClock()
    limit_bytes = 50 * 1024 * 1024
    async with (
        open_session(HttpOptions()) as session,
        TokenCache(session, clock, lambda: 0.0) as tokens,
        Logins(session) as logins,
    ):
        authorizer = Authorizer(tokens, logins)
        client = Client(session, authorizer, clock, max_response_bytes=limit_bytes)
        official = OfficialConnector(
            session, authorizer, clock, Policy(), max_response_bytes=limit_bytes
        )
        yield Pipelines(
            *(
                Pipeline(connector, sources, granted, Blind(), clock, **options)
                for connector in (OperateConnector(client, Policy()), official)
            ),
            clock,
        )
