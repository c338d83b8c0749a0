"""The Operate API v1 over HTTP, as its documentation and public code have it.

What is inferred and not observed there: the answer to a body of another content type (415, as
Spring gives it before a controller sees the request), and the message texts, which differ from
store to store anyway. Clients match status and type.
"""

from __future__ import annotations

from functools import partial

from aiohttp import web

from devstack.operate.fields import ENTITIES, PROCESS_INSTANCES, Entity, Kind
from devstack.operate.query import parse_query
from devstack.operate.scalars import path_key
from devstack.operate.store import Store
from devstack.problems import answering_v1, json_response, server_error
from devstack.version import Version
from runtime.clock import Clock


class OperateV1:
    """Serves a store's entities as the API v1 of one version does.

    Args:
        store: what there is to read.
        version: decides which fields there are.
        clock: for the time stamp in error bodies.
    """

    def __init__(self, store: Store, version: Version, clock: Clock) -> None:
        self._store = store
        self._version = version
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Every path of the API."""
        routes = [route for entity in ENTITIES.values() for route in self._entity_routes(entity)]
        instance = f"/v1/{PROCESS_INSTANCES.path}/{{key}}"
        return [
            *routes,
            web.delete(instance, answering_v1(self._delete)),
            web.get(f"{instance}/statistics", answering_v1(self._statistics)),
            web.get(f"{instance}/sequence-flows", answering_v1(self._sequence_flows)),
        ]

    def _entity_routes(self, entity: Entity) -> list[web.RouteDef]:
        base = f"/v1/{entity.path}"
        routes = [
            web.post(f"{base}/search", answering_v1(partial(self._search, entity))),
            web.get(f"{base}/{{key}}", answering_v1(partial(self._get, entity))),
        ]
        if entity.has_xml:
            routes.append(web.get(f"{base}/{{key}}/xml", answering_v1(partial(self._xml, entity))))
        return routes

    async def _search(self, entity: Entity, request: web.Request) -> web.Response:
        body = await request.read()
        if body and request.content_type != "application/json":
            message = f"Content-Type '{request.content_type}' is not supported"
            return server_error(415, message, request.path, self._clock)
        page = self._store.search(entity, parse_query(entity, self._version, body))
        return json_response(
            {"items": page.items, "sortValues": page.sort_values, "total": page.total},
        )

    async def _get(self, entity: Entity, request: web.Request) -> web.Response:
        text = request.match_info["key"]
        key = text if entity.key_field.kind is Kind.TEXT else path_key(text)
        return json_response(self._store.get(entity, key))

    async def _xml(self, entity: Entity, request: web.Request) -> web.Response:
        xml = self._store.xml(entity, path_key(request.match_info["key"]))
        return web.Response(text=xml, content_type="text/xml", charset="UTF-8")

    async def _statistics(self, request: web.Request) -> web.Response:
        return json_response(self._store.statistics(path_key(request.match_info["key"])))

    async def _sequence_flows(self, request: web.Request) -> web.Response:
        return json_response(self._store.sequence_flows(path_key(request.match_info["key"])))

    async def _delete(self, request: web.Request) -> web.Response:
        key = path_key(request.match_info["key"])
        self._store.delete(key)
        message = f"Process instance {key} and dependant data was deleted"
        return json_response({"message": message, "deleted": 1})
