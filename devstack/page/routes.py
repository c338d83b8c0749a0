from __future__ import annotations

from pathlib import Path

from aiohttp import web

from devstack.engine import Engine
from devstack.operate.errors import UnknownKeyError
from devstack.operate.fields import PROCESS_DEFINITIONS
from devstack.operate.scalars import path_key
from devstack.operate.store import Store
from devstack.orchestration_v2 import UserTaskApi
from devstack.page.views import Views
from devstack.page.work import OpenWork
from devstack.problems import answering_v1, json_response
from devstack.version import Version

STATIC = Path(__file__).parent / "static"


class Page:
    """The page and the JSON behind it, under `/` and `/devstack`.

    Args:
        store: what there is to see.
        work: the jobs and user tasks that wait.
        engine: completes user tasks.
        version: what the page says that it shows.
    """

    def __init__(self, store: Store, work: OpenWork, engine: Engine, version: Version) -> None:
        self._store = store
        self._views = Views(store, work)
        self._version = version
        self._user_tasks = UserTaskApi(engine, "/devstack/user-tasks")

    def routes(self) -> list[web.AbstractRouteDef]:
        """The page, its files, its data, and user tasks to be completed by a click."""
        return [
            web.get("/", self._index),
            web.static("/devstack/page", STATIC),
            web.get("/devstack/processes", answering_v1(self._processes)),
            web.get("/devstack/processes/{key}", answering_v1(self._process)),
            web.get("/devstack/processes/{key}/xml", answering_v1(self._xml)),
            web.get("/devstack/instances/{key}", answering_v1(self._instance)),
            *self._user_tasks.routes(),
        ]

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _processes(self, _request: web.Request) -> web.Response:
        return json_response(
            {"version": str(self._version), "processes": self._views.processes()},
        )

    async def _process(self, request: web.Request) -> web.Response:
        return json_response(self._views.process(_key(request)))

    async def _xml(self, request: web.Request) -> web.Response:
        key = _key(request)
        self._store.get(PROCESS_DEFINITIONS, key)
        try:
            xml = self._store.xml(PROCESS_DEFINITIONS, key)
        except UnknownKeyError:
            xml = ""  # a seed file need not have it
        return web.Response(text=xml, content_type="text/xml", charset="UTF-8")

    async def _instance(self, request: web.Request) -> web.Response:
        return json_response(self._views.instance(_key(request)))


def _key(request: web.Request) -> int:
    return path_key(request.match_info["key"])
