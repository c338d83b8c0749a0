from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
import orjson
from aiohttp import ClientSession
from yarl import URL

from exporter.errors import ExporterError, SourceRefused, SourceUnavailable
from exporter.record import ILLEGIBLE
from exporter.sources.elasticsearch.query import NOTHING, Counted, Found, Shards
from runtime.clock import Clock
from runtime.errors import HttpError, HttpRequestError, HttpTlsError, HttpTooLargeError
from runtime.http import Answer, exchange
from runtime.http_errors import origin_of
from runtime.retry_after import retry_after_s

_T = TypeVar("_T", Found, Counted)

_PAGE_BYTES = 32 << 20
_TIMEOUT_S = 30.0
_AWAY = frozenset({408, 425, 429, 500, 502, 503, 504})

_WHOLE = {"request_cache": "false", "allow_partial_search_results": "false"}
"""Parameters of a search: no partial results, and none from the cache, which are as old as the last
refresh; nobody asks the same twice."""

_NO_INDEX = "index_not_found_exception"


class TooLarge(ExporterError):
    """The answer is longer or nested deeper than is read; the tail asks for fewer documents."""


class _Cause(msgspec.Struct, frozen=True):
    type: str = "unknown"


class _Failure(msgspec.Struct, frozen=True):
    error: _Cause | str = "unknown"


class SearchClient:
    """Searches the record indices.

    Args:
        session: From `runtime.http.open_session`.
        base: http(s) URL of the cluster.
        aliases: Of the indices to search.
        headers: That let us in.
        max_record_bytes: Longest record that is read.
        clock: For dates in `Retry-After`.
    """

    def __init__(
        self,
        session: ClientSession,
        base: URL,
        aliases: Sequence[str],
        headers: Mapping[str, str],
        *,
        max_record_bytes: int,
        clock: Clock,
    ) -> None:
        self._session = session
        self._clock = clock
        self._base = base
        self._aliases = aliases
        self._headers = {"Content-Type": "application/json", **headers}
        self._limit_bytes = _PAGE_BYTES + 2 * max_record_bytes

    async def prove(self) -> None:
        """Prove of each alias that it may be searched; one that is not there yet may be.

        A search that passes over what is missing passes over what is forbidden too: Elasticsearch
        then takes such names out of it, and answers as if nothing were there.

        Raises:
            SourceUnavailable: No answer; ask again.
            SourceRefused: One of them may not be searched.
        """
        for alias in self._aliases:
            parameters = {**_WHOLE, "ignore_unavailable": "false"}
            body = {"size": 0, "track_total_hits": False}
            self._read(await self._ask(f"{alias}/_search", body, parameters, None), Found)

    async def search(self, body: Mapping[str, Any], partition_id: int | None = None) -> Found:
        """Search a partition, or all of them; an index that is not there yet has no documents.

        Raises:
            SourceUnavailable: No answer, or not from all shards; ask again.
            SourceRefused: The cluster will not answer this way.
            TooLarge: The answer has more bytes than are read.
        """
        answer = await self._ask(f"{self._every}/_search", body, _WHOLE, partition_id)
        found = self._read(answer, Found)
        if found is None:
            return NOTHING
        if found.timed_out:
            raise SourceUnavailable(f"{origin_of(self._base)} ran out of time within a search")
        self._check(found.shards)
        return found

    async def count(self, body: Mapping[str, Any], partition_id: int) -> int:
        """Count documents of a partition; raises as `search` does."""
        answer = await self._ask(f"{self._every}/_count", body, {}, partition_id)
        counted = self._read(answer, Counted)
        if counted is None:
            return 0
        self._check(counted.shards)
        return counted.count

    @property
    def _every(self) -> str:
        return ",".join(self._aliases)

    async def _ask(
        self,
        path: str,
        body: Mapping[str, Any],
        parameters: Mapping[str, str],
        partition_id: int | None,
    ) -> Answer:
        query = {"ignore_unavailable": "true", "allow_no_indices": "true", **parameters}
        if partition_id is not None:
            query["routing"] = str(partition_id)
        try:
            return await exchange(
                self._session,
                "POST",
                (self._base / path).with_query(query),
                limit_bytes=self._limit_bytes,
                headers=self._headers,
                body=orjson.dumps(body),
                timeout_s=_TIMEOUT_S,
            )
        except HttpTooLargeError as error:
            raise TooLarge from error
        except (HttpRequestError, HttpTlsError) as error:
            raise SourceRefused(str(error)) from error
        except HttpError as error:
            raise SourceUnavailable(str(error)) from error

    def _read(self, answer: Answer, kind: type[_T]) -> _T | None:
        """What an answer holds; None when there is no index yet."""
        if answer.status != HTTPStatus.OK:
            self._refuse_failure(answer)
            return None
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except RecursionError as error:
            raise TooLarge from error
        except ILLEGIBLE as error:
            raise SourceUnavailable(
                f"{origin_of(self._base)} gave an answer that is none of Elasticsearch or "
                "OpenSearch; check the URL and what stands before it"
            ) from error

    def _refuse_failure(self, answer: Answer) -> None:
        """Raise what the status means, unless it only means that there is no index yet."""
        status, reason = answer.status, _reason(answer.body)
        origin = origin_of(self._base)
        if status == HTTPStatus.NOT_FOUND and reason == _NO_INDEX:
            return
        if status in _AWAY:
            raise SourceUnavailable(
                f"{origin} answered {status} ({reason})",
                retry_after_s(answer.headers, self._clock.now_ms()),
            )
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise SourceRefused(
                f"{origin} answered {status} ({reason}): check APP_INTEGRATIONS_SOURCE_USERNAME "
                "and _PASSWORD or _API_KEY, and that they may read the indices"
            )
        raise SourceRefused(f"{origin} answered {status} ({reason}); check the URL of the source")

    def _check(self, shards: Shards) -> None:
        if shards.failed:
            # What the other shards gave is of no use: what is missing would be skipped for good.
            raise SourceUnavailable(
                f"{shards.failed} of {shards.total} shards at {origin_of(self._base)} "
                "did not answer"
            )


def _reason(body: bytes) -> str:
    try:
        error = msgspec.json.decode(body, type=_Failure).error
    except ILLEGIBLE:
        return "no reason given"
    return error if isinstance(error, str) else error.type
