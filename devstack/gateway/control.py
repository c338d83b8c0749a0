"""Telling the gateway from outside to press back, beside the faults of the HTTP servers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from aiohttp import web

from devstack.gateway.admission import Admission

CONTROL_PATH = "/devstack/back-pressure"


class BackPressure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to refuse.

    Attributes:
        requests: the next so many calls; -1 for all, 0 for none.
        calls: which calls count, such as `CompleteJob`; None means any.
    """

    requests: Annotated[int, msgspec.Meta(ge=-1)]
    calls: list[str] | None = None


class Control:
    """The endpoint on the cluster's HTTP servers that tells the gateway to refuse calls."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def routes(self) -> list[web.RouteDef]:
        """The control endpoint."""
        return [web.post(CONTROL_PATH, self._post), web.delete(CONTROL_PATH, self._delete)]

    async def _post(self, request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read(), type=BackPressure)
            self._admission.exhaust(asked.requests, asked.calls)
        except (msgspec.DecodeError, ValueError) as error:
            return web.Response(status=400, text=f"no back-pressure of ours: {error}\n")
        return web.Response(status=204)

    async def _delete(self, _request: web.Request) -> web.Response:
        self._admission.exhaust(0)
        return web.Response(status=204)
