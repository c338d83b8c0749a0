from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import orjson
from aiohttp import web
from pydantic import SecretStr

from devstack.basic_auth import decode_basic
from devstack.elasticsearch.documents import Document, Documents
from devstack.elasticsearch.errors import SearchError
from devstack.elasticsearch.search import Found, Search, run

_CLUSTER = {
    "name": "devstack",
    "cluster_name": "devstack",
    "version": {"number": "8.17.0", "minimum_wire_compatibility_version": "7.17.0"},
    "tagline": "You Know, for Search",
}
_OF_BOTH = {"ignore_unavailable", "allow_no_indices", "routing", "preference"}
_PARAMETERS = {
    "_search": _OF_BOTH | {"allow_partial_search_results", "request_cache"},
    "_count": _OF_BOTH,
}
Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who is let in.

    Attributes:
        username: for basic authentication.
        password: with it.
        api_key: id and secret between a colon; sent in base64, as Elasticsearch wants it.
        readable: names of indices and aliases that may be searched; patterns.
    """

    username: str = "elastic"
    password: SecretStr = SecretStr("changeme")  # noqa: RUF009 - SecretStr is immutable
    api_key: SecretStr = SecretStr("demo:demo-key")  # noqa: RUF009 - the same
    readable: tuple[str, ...] = ("*",)


class Elasticsearch:
    """The HTTP API over documents.

    Args:
        documents: what there is to find.
        credentials: None lets everybody in.
    """

    def __init__(self, documents: Documents, credentials: Credentials | None = None) -> None:
        self._documents = documents
        self._credentials = credentials
        self._failing_searches = 0
        self.searches: list[Mapping[str, Any]] = []
        """Index, parameters and body of each search that came, for tests to look at."""

    def fail_shards(self, times: int = 1) -> None:
        """Let one shard fail in each of the next searches."""
        self._failing_searches += times

    def routes(self) -> list[web.RouteDef]:
        """The paths of the API, as far as they are there."""
        return [
            web.get("/", self._answering(self._info)),
            web.get("/_alias", self._answering(self._aliases)),
            web.get("/_cat/indices", self._answering(self._indices)),
            web.post("/{index}/_search", self._answering(self._search)),
            web.post("/{index}/_count", self._answering(self._count)),
        ]

    def _answering(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            try:
                self._let_in(request)
                return await handler(request)
            except SearchError as error:
                return _refusal(error)

        return answer

    def _let_in(self, request: web.Request) -> None:
        if self._credentials is None:
            return
        header = request.headers.get("Authorization", "")
        scheme, _, given = header.partition(" ")
        if scheme.lower() == "apikey":
            right = self._credentials.api_key.get_secret_value().encode()
            if hmac.compare_digest(given.encode(), base64.b64encode(right)):
                return
        password = self._credentials.password.get_secret_value()
        if decode_basic(header) == (self._credentials.username, password):
            return
        raise SearchError(401, "security_exception", "unable to authenticate for REST request")

    async def _info(self, _request: web.Request) -> web.Response:
        return _json(_CLUSTER)

    async def _aliases(self, _request: web.Request) -> web.Response:
        aliases = self._documents.aliases()
        return _json({index: {"aliases": {alias: {}}} for index, alias in aliases.items()})

    async def _indices(self, request: web.Request) -> web.Response:
        names = sorted(self._documents.aliases())
        if request.query.get("format") == "json":
            return _json(
                [{"index": name, "docs.count": str(self._documents.count(name))} for name in names]
            )
        return web.Response(
            text="".join(f"{name} {self._documents.count(name)}\n" for name in names)
        )

    async def _search(self, request: web.Request) -> web.Response:
        body = await request.read()
        search = Search.read(body)
        indices, routing = self._asked(request)
        self.searches.append(
            {
                "index": request.match_info["index"],
                "parameters": dict(request.query),
                "body": orjson.loads(body),
            }
        )
        found = run(search, list(self._documents.visible(indices, routing)))
        failed = self._failed_shards(request)
        return _json(_answer(search, found, self._documents.shards(indices, routing), failed))

    async def _count(self, request: web.Request) -> web.Response:
        search = Search.read_count(await request.read())
        indices, routing = self._asked(request)
        found = run(search, list(self._documents.visible(indices, routing)))
        shards = self._documents.shards(indices, routing)
        failed = self._failed_shards(request)
        return _json({"count": found.total, "_shards": _shards(shards, failed)})

    def _asked(self, request: web.Request) -> tuple[list[str], str | None]:
        unknown = request.query.keys() - _PARAMETERS[request.path.rpartition("/")[2]]
        if unknown:
            reason = f"request [{request.path}] contains unrecognized parameters: {sorted(unknown)}"
            raise SearchError(400, "illegal_argument_exception", reason)
        ignores = request.query.get("ignore_unavailable") == "true"
        names = self._readable(request.match_info["index"].split(","), ignores=ignores)
        indices, missing = self._documents.resolve(",".join(names))
        if missing and not ignores:
            raise SearchError(404, "index_not_found_exception", f"no such index [{missing[0]}]")
        if not indices and request.query.get("allow_no_indices") == "false":
            raise SearchError(404, "index_not_found_exception", "no such index [null]")
        return indices, request.query.get("routing")

    def _readable(self, names: Sequence[str], *, ignores: bool) -> list[str]:
        """The names that may be searched; others are an error, or passed over when told to.

        As Elasticsearch's security does it (elastic/elasticsearch pull request 92625).
        """
        patterns = ("*",) if self._credentials is None else self._credentials.readable
        readable = [
            name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)
        ]
        if len(readable) < len(names) and not ignores:
            reason = "action [indices:data/read/search] is unauthorized"
            raise SearchError(403, "security_exception", reason)
        return readable

    def _failed_shards(self, request: web.Request) -> int:
        if not self._failing_searches:
            return 0
        self._failing_searches -= 1
        if request.query.get("allow_partial_search_results") == "false":
            raise SearchError(503, "search_phase_execution_exception", "Partial shards failure")
        return 1


def _answer(search: Search, found: Found, shards: int, failed: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "took": 1,
        "timed_out": False,
        "_shards": _shards(shards, failed),
        "hits": {
            "max_score": None,
            "hits": [_hit(search, document, values) for document, values in found.hits],
        },
    }
    if search.track_total_hits is not False:
        answer["hits"]["total"] = {"value": found.total, "relation": "eq"}
    if found.aggregations:
        answer["aggregations"] = found.aggregations
    return answer


def _shards(total: int, failed: int) -> dict[str, int]:
    total = max(total, failed)
    return {"total": total, "successful": total - failed, "skipped": 0, "failed": failed}


def _hit(search: Search, document: Document, values: list[Any]) -> dict[str, Any]:
    hit: dict[str, Any] = {
        "_index": document.index,
        "_id": document.id,
        "_score": None,
        "_routing": document.routing,
    }
    if search.source is True:
        hit["_source"] = document.source
    elif search.source:
        hit["_source"] = {
            name: document.source[name] for name in search.source if name in document.source
        }
    if search.sort:
        hit["sort"] = values
    return hit


def _refusal(error: SearchError) -> web.Response:
    cause = {"type": error.kind, "reason": error.reason}
    response = _json({"error": {"root_cause": [cause], **cause}, "status": error.status})
    response.set_status(error.status)
    if error.status == 401:  # noqa: PLR2004 - unauthorized
        response.headers["WWW-Authenticate"] = 'Basic realm="security", ApiKey'
    return response


def _json(body: object) -> web.Response:
    try:
        content = orjson.dumps(body)
    except TypeError:
        # A job's variables can hold integers past 64 bits, out of FEEL; orjson refuses these.
        content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return web.Response(
        body=content,
        content_type="application/json",
        headers={"X-Elastic-Product": "Elasticsearch"},
    )
