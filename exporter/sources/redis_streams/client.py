"""Redis's commands as this source needs them, with replies as they come and errors of our own."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import hiredis  # without it redis-py would read with a fifth of the speed, silently
import redis.asyncio
from pydantic import SecretStr
from redis import exceptions as wire
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from exporter.errors import SourceError, SourceRefused, SourceUnavailable
from exporter.sources.redis_streams.entries import EntryId, id_text, parse_id

_CONNECT_S = 5.0
_ANSWER_S = 10.0
_IDS_A_COMMAND = 1000
_GROUP_GONE = "a stream or its consumer group is gone; both are made anew"

RawEntry = tuple[bytes, Sequence[bytes]]
"""Id, then field and value in turn."""

_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""

_REMEMBER = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return 1
"""

_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


@dataclass(frozen=True, slots=True)
class Address:
    """Where Redis is and how it lets us in."""

    host: str
    port: int
    database: int
    username: str | None
    password: SecretStr | None
    tls: bool
    ca_file: str | None


@dataclass(frozen=True, slots=True)
class StreamState:
    """What Redis tells of a stream.

    Attributes:
        length: Entries in it.
        added: Entries that were ever added; None before Redis 7.
        first: Id of its first entry, None when it is empty.
        expires_ms: When its key goes away, None when it stays.
    """

    length: int
    added: int | None
    first: EntryId | None
    expires_ms: int | None

    def has_lost(self, entry_id: EntryId) -> bool:
        """Whether an entry that was there is not any more; what is removed is removed in order."""
        return self.first is None or entry_id < self.first


@dataclass(frozen=True, slots=True)
class GroupState:
    """What Redis tells of our group in a stream.

    Attributes:
        delivered: Id of the last entry that the group was given.
        read: Entries that it was ever given; None when Redis cannot tell.
    """

    delivered: EntryId
    read: int | None


class Client:
    """Commands on a few connections, which are made anew when they broke; nothing is repeated.

    Every method raises `SourceUnavailable`, or `SourceRefused` when Redis will not have us.

    Args:
        redis: The library's client.
        group: Consumer group.
    """

    _CONSUMER = "reader"  # one for all processes: only one reads, and it takes over what waits

    def __init__(self, redis: redis.asyncio.Redis, group: str) -> None:
        self._redis = redis
        self._group = group

    async def call(self, *words: str | bytes | int) -> Any:  # noqa: ANN401 - a reply may be anything
        """One command and its reply."""
        with _translated():
            return await self._redis.execute_command(*words)  # type: ignore[no-untyped-call] # the library's

    async def call_all(
        self, commands: Sequence[Sequence[str | bytes | int]], *, at_once: bool = True
    ) -> list[Any]:
        """Several commands in one turn, `at_once` as one transaction."""
        with _translated():
            async with self._redis.pipeline(transaction=at_once) as pipeline:
                for words in commands:
                    pipeline.execute_command(*words)
                # Raised by the library, an error would hold the whole command in its text.
                replies = await pipeline.execute(raise_on_error=False)
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
            return replies

    def reading(
        self, keys: Sequence[str], count: int, block_ms: int | None = None
    ) -> list[str | int]:
        """The command that gives the group its next entries."""
        waiting: list[str | int] = [] if block_ms is None else ["BLOCK", block_ms]
        begin: list[str | int] = ["XREADGROUP", "GROUP", self._group, self._CONSUMER]
        return [*begin, "COUNT", count, *waiting, "STREAMS", *keys, *[">"] * len(keys)]

    def confirming(self, key: str, ids: Sequence[bytes]) -> list[list[str | bytes | int]]:
        """The commands that strike entries off those that wait."""
        parts = (ids[at : at + _IDS_A_COMMAND] for at in range(0, len(ids), _IDS_A_COMMAND))
        return [["XACK", key, self._group, *part] for part in parts]

    async def make_group(self, key: str, after: EntryId) -> bool:
        """Make the group, and the stream, if missing; it begins behind an entry.

        Returns:
            Whether it was missing.
        """
        try:
            await self.call("XGROUP", "CREATE", key, self._group, id_text(after), "MKSTREAM")
        except _GroupExists:
            return False
        return True

    async def states(self, key: str) -> tuple[GroupState, StreamState]:
        """What Redis tells of our group and of the stream, at the same moment."""
        groups, *stream = await self.call_all([["XINFO", "GROUPS", key], *looking(key)])
        for fields in groups:
            told = _pairs(fields)
            if told[b"name"] == self._group.encode():
                delivered = parse_id(told[b"last-delivered-id"])
                return GroupState(delivered, told.get(b"entries-read")), stream_state(*stream)
        raise SourceUnavailable(_GROUP_GONE)

    async def correct(self, key: str, delivered: EntryId, read: int) -> None:
        """Tell Redis how many entries the group was given, so that its own lag is right."""
        place = id_text(delivered)
        await self.call("XGROUP", "SETID", key, self._group, place, "ENTRIESREAD", read)

    async def pending(self, key: str, limit: int) -> list[bytes]:
        """The lowest ids of entries that wait to be confirmed."""
        rows = await self.call("XPENDING", key, self._group, "-", "+", limit)
        return [row[0] for row in rows]

    async def hold(self, lock: str, token: str, life_ms: int) -> bool:
        """Take a lock unless somebody has it; one that is ours already is ours again."""
        if await self.call("SET", lock, token, "NX", "PX", life_ms):
            return True
        return bool(await self.call("EVAL", _RENEW, 1, lock, token, life_ms))

    def renewing(self, lock: str, token: str, life_ms: int) -> list[str | bytes | int]:
        """The command that prolongs a lock; its reply is 0 when somebody else has it."""
        return ["EVAL", _RENEW, 1, lock, token, life_ms]

    def remembering(
        self, lock: str, token: str, memory: str, field: int, text: str
    ) -> list[str | bytes | int]:
        """The command that writes a field of a hash while the lock is ours; else it replies 0."""
        return ["EVAL", _REMEMBER, 2, lock, memory, token, field, text]

    async def release(self, lock: str, token: str) -> None:
        """Give a lock up."""
        await self.call("EVAL", _RELEASE, 1, lock, token)


def looking(key: str) -> list[list[str | int]]:
    """The two commands whose replies `stream_state` reads."""
    return [["XINFO", "STREAM", key], ["PTTL", key]]


def ranging(key: str, after: EntryId, last: EntryId, count: int) -> list[str | int]:
    """The command that gives entries behind one and up to another, whoever had them before."""
    first = f"{after[0]}-{after[1] + 1}"
    return ["XRANGE", key, first, id_text(last), "COUNT", count]


def stream_state(reply: Sequence[object], expires_ms: int) -> StreamState:
    """What `XINFO STREAM` and `PTTL` told."""
    told = _pairs(reply)
    first = told.get(b"first-entry")
    return StreamState(
        length=told[b"length"],
        added=told.get(b"entries-added"),
        first=parse_id(first[0]) if first else None,
        expires_ms=expires_ms if expires_ms >= 0 else None,
    )


@asynccontextmanager
async def connect(address: Address, group: str) -> AsyncIterator[Client]:
    """Connect, prove that Redis lets us in, and close in the end.

    Raises:
        SourceUnavailable: It is away.
        SourceRefused: It will not have us.
    """
    tls: dict[str, Any] = {"ssl_ca_certs": address.ca_file} if address.tls else {}
    pool = redis.asyncio.ConnectionPool(
        connection_class=_TlsConnection if address.tls else _Connection,
        host=address.host,
        port=address.port,
        db=address.database,
        username=address.username,
        password=address.password.get_secret_value() if address.password else None,
        socket_connect_timeout=_CONNECT_S,
        socket_timeout=_ANSWER_S,
        socket_read_size=1 << 17,
        client_name="app-integrations-exporter",
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        **tls,
    )
    library = redis.asyncio.Redis.from_pool(pool)
    library.response_callbacks.clear()  # replies are taken as they are; a dict an entry is dear
    try:
        client = Client(library, group)
        await client.call("PING")
        yield client
    finally:
        await library.aclose()


class _Packing:
    """Commands written by hiredis: redis-py's own way costs as much as reading an entry."""

    def pack_command(self, *words: Any) -> list[bytes]:  # noqa: ANN401 - as the library has it
        return [hiredis.pack_command(words)]


class _Connection(_Packing, redis.asyncio.Connection):
    """Over TCP."""


class _TlsConnection(_Packing, redis.asyncio.SSLConnection):
    """Over TLS."""


class _GroupExists(SourceUnavailable):
    """The group that was to be made is there."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (wire.RedisError, OSError, ssl.SSLError) as error:
        raise _ours(error) from error


def _ours(error: Exception) -> SourceError:
    """The one place where the library's errors become ours; types decide, and Redis's own codes."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return SourceRefused(
            "Redis shows a certificate that is not trusted; set APP_INTEGRATIONS_SOURCE_CA_FILE"
        )
    match error:
        case wire.AuthenticationError() | wire.AuthenticationWrongNumberOfArgsError():
            return SourceRefused(
                "Redis does not take the password; check APP_INTEGRATIONS_SOURCE_USERNAME and "
                "_PASSWORD"
            )
        case wire.NoPermissionError():
            return SourceRefused(
                "Redis does not allow its user all that the source needs; "
                "docs/how-to/read-from-redis.md lists the commands and keys"
            )
        case wire.MovedError() | wire.AskError():
            return SourceRefused(
                "this Redis is part of a cluster; the source reads from a single server or a "
                "replicated one"
            )
        case wire.ResponseError():
            return _of_code(error)
        case _:
            return SourceUnavailable(f"Redis is away ({type(cause or error).__name__})")


def _of_code(error: wire.ResponseError) -> SourceError:
    # The library has no type for these; a code is the first word of Redis's answer and fixed.
    match str(error).partition(" ")[0]:
        case "BUSYGROUP":
            return _GroupExists("the consumer group is there")
        case "NOGROUP":
            return SourceUnavailable(_GROUP_GONE)
        case "WRONGTYPE":
            return SourceRefused("one of the keys is no stream; check `name` in the URL")
        case "NOAUTH":
            return SourceRefused("Redis asks for a password; set APP_INTEGRATIONS_SOURCE_PASSWORD")
        case _:
            return SourceUnavailable(f"Redis answers with an error ({type(error).__name__})")


def _pairs(fields: Sequence[Any]) -> Mapping[bytes, Any]:
    return dict(zip(fields[::2], fields[1::2], strict=True))
