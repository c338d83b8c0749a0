"""Where records come from: the port, and the factory that finds a source by the scheme of a URL.

    open_source(options) ── partitions() ──→ 1, 2, 3 …           one lane each
                         ── read(1, progress) ──→ Chunk, Chunk …  in order, pulled by the lane
                         ←─ acknowledge(1, progress)              after it is durable in our state

Who calls what, when:

1. `open_source(options)` is an async context manager. Entering proves that the source answers and
   lets us in; it raises `SourceUnavailable` (the caller waits and enters anew) or `SourceRefused`.
   It is left after the last `read` has ended and the last `acknowledge` has returned.
2. `partitions()` is iterated for as long as the source is open. It gives the id of each partition
   once, as it appears or is assigned to this process; one that was taken away (its `read` ended) is
   given again when it comes back. It never ends by itself; it raises as `read` does, and is then
   iterated anew and may give again what it gave. The caller asks for the next one only after the
   last is written down in our state, so a source may hold back the bookmark of a chunk until the
   partitions that it saw in it are asked past. A partition that our state knows is read without
   being given, unless the source is `shared`. Records whose partition cannot be told belong to
   `record.UNKNOWN_PARTITION`, which is given and read like any other.
3. `progress(p)` is asked before `read(p, …)`, but not the first time when the user said where to
   begin.
   A source that keeps positions itself (Kafka's offsets, Redis's group) answers with what it knows;
   others answer None. Ours and the source's are compared, and the further one counts.
4. `read(p, progress)` gives what follows. At most one `read` of a partition runs at a time. It
   begins after `progress.bookmark`; `BEGINNING` means the oldest record that the source has,
   whatever it remembers itself. What the source holds back for this lane is bounded: the next chunk
   is fetched when the lane asks for it, or a fixed number ahead. Nothing is dropped because a lane
   is slow; the peer is simply not read. When no record is there it waits, interruptibly, with no
   time limit. The lane may leave the iterator at any moment (`aclose`, cancellation) and call
   `read` again later with the progress it has reached.
   - It ends (StopAsyncIteration) only when the partition was taken away from this process. The
     lane then finishes what is being sent, for 5 s at most, acknowledges it, and gives up its
     lease; batches that wait are forgotten, since the new owner makes them anew.
   - It raises `SourceUnavailable` when the peer is away: the lane waits with back-off and reads
     anew from where it was. A source need not repeat by itself. `SourceRefused` stops the service.
5. `acknowledge(p, progress)` is awaited after `progress` is durable in our state file: after each
   batch that was delivered or set aside, before the first try of a batch (then `pending` is new and
   the rest as before), and now and then when only records went by that nobody asked for. Calls for
   a partition never overlap and never go back, but for one: where the user said to begin is told
   once, before `read`, and its bookmark is `BEGINNING`. It raises as `read` does;
   `SourceUnavailable` is tried again with back-off, and the lane sends nothing meanwhile.
   - Where our state file is the truth (file, elasticsearch, opensearch) there is nothing to do.
   - A source with a memory of its own (redis, kafka) moves it up to `progress.bookmark` and no
     further. One whose partitions move between processes also keeps `position` and `pending` there,
     and gives them back from `progress`: only so does a repeat carry the same `Idempotency-Key`.
   - A source that we fill (http, listener: `inbox.Inbox`) forgets what lies before the bookmark.

Chunks: `records` are in the order of the log and of that partition only. A source hands its raw
text to `options.sieve` and passes on what that gives, `Unreadable`s included; it neither orders
nor de-duplicates beyond what its peer makes it do, since the lane drops repeats by position and
sets aside what went back. A chunk without records is worth giving when its bookmark moved on. A
chunk is done when all its records are, so keep it to some hundred records, about a megabyte.

`bookmark` is text that `read` understands after a restart and after an update of this program. It
must name the place after the chunk, and reading from it again must give the same records in the
same order: a batch whose sending was interrupted is made again from them.

What goes missing at the peer (trimmed, deleted, rotated away before it was read) cannot be mended
here: tell `options.observer.gap` and go on.

Each module of a source has `open_source(options)` and `probe(options)`; the latter proves what
entering proves, changes nothing, and may run beside a running service (`check` calls it).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from pydantic import SecretStr
from yarl import URL

from exporter.errors import SourceRefused
from exporter.progress import Progress
from exporter.record import Sieve, Sifted
from runtime.backoff import Random
from runtime.clock import Clock
from runtime.oauth import ClientCredentials

_MODULES = {
    "elasticsearch+http": "elasticsearch",
    "elasticsearch+https": "elasticsearch",
    "opensearch+http": "elasticsearch",
    "opensearch+https": "elasticsearch",
    "listener+http": "listener",
    "listener+https": "listener",
    "redis": "redis",
    "rediss": "redis",
    "kafka": "kafka",
    "kafka+ssl": "kafka",
    "http": "http",
    "file": "file",
}

SCHEMES = tuple(_MODULES)
"""What `APP_INTEGRATIONS_SOURCE` may begin with."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records that follow one another in a partition's log.

    Attributes:
        records: What was asked for and what could not be read; may be empty.
        bookmark: Where to read on when all of them are done.
        skipped: How many records went by that nobody asked for, for the metrics.
    """

    records: Sequence[Sifted]
    bookmark: str
    skipped: int = 0


class SourceObserver(Protocol):
    """Sees what a source notices; called in the event loop, so it must not block or raise."""

    def gap(self, partition_id: int, reason: str) -> None:
        """Records of a partition are gone from the peer before they were read."""
        ...

    def warned(self, reason: str) -> None:
        """Something that somebody should look at before records are lost, such as trimming."""
        ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the source lets us in, or for `http` whom we let in.

    Attributes:
        username: For basic authentication or the peer's own.
        password: With it.
        api_key: Instead of both.
        oauth: Instead of all three.
        ca_file: PEM file of authorities trusted beside the system's.
    """

    username: str | None = None
    password: SecretStr | None = None
    api_key: SecretStr | None = None
    oauth: ClientCredentials | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """All that a source is made from.

    Attributes:
        url: As the user wrote it; may hold credentials, so only its origin may be shown.
        credentials: From the settings; they win over those in the URL.
        sieve: Tells which records are asked for.
        state_dir: Directory for durable queues of the source; exists.
        max_record_bytes: Longest record that is read; a longer one is `Unreadable`.
        inbox_max_bytes: For sources that are pushed to: size of their queue.
        clock: Time.
        random: Jitter.
        observer: Told of gaps and warnings.
    """

    url: URL
    credentials: Credentials
    sieve: Sieve
    state_dir: Path
    max_record_bytes: int
    inbox_max_bytes: int
    clock: Clock
    random: Random
    observer: SourceObserver


class Source(Protocol):
    """An open source; the contract is at the top of this module."""

    shared: bool
    """Whether other processes may read the same partitions, so that a lease held elsewhere is
    waited for (kafka, redis) instead of stopping the start."""

    def partitions(self) -> AsyncIterator[int]:
        """Each partition, as it appears."""
        ...

    async def progress(self, partition_id: int) -> Progress | None:
        """What the source itself remembers of a partition."""
        ...

    def read(self, partition_id: int, progress: Progress) -> AsyncIterator[Chunk]:
        """What follows `progress.bookmark`."""
        ...

    async def acknowledge(self, partition_id: int, progress: Progress) -> None:
        """Take note of what is done."""
        ...

    def facts(self) -> Mapping[str, str | int | float | bool | None]:
        """What the status page shows of the source, such as how much it is behind."""
        ...


class _Module(Protocol):
    """What each module of a source has."""

    def open_source(self, options: SourceOptions) -> AbstractAsyncContextManager[Source]: ...

    async def probe(self, options: SourceOptions) -> None: ...


def open_source(options: SourceOptions) -> AbstractAsyncContextManager[Source]:
    """The source that serves the URL of the options, to be entered with `async with`.

    Raises:
        SourceRefused: Its scheme is unknown, or the package that it needs is not installed.
    """
    return _module(options.url.scheme).open_source(options)


async def probe(options: SourceOptions) -> None:
    """Prove that the source answers, changing nothing.

    Raises:
        SourceError: It does not, or will not let us in.
    """
    await _module(options.url.scheme).probe(options)


def unknown_scheme(scheme: str) -> str | None:
    """What to write instead of a scheme that no source serves; None when one does."""
    if scheme in _MODULES:
        return None
    nearest = next(iter(get_close_matches(scheme, SCHEMES, n=1, cutoff=0.5)), None)
    if nearest is None:
        return f"use one of {', '.join(f'{known}://' for known in SCHEMES)}"
    return f"did you mean {nearest}://?"


def _module(scheme: str) -> _Module:
    remedy = unknown_scheme(scheme)
    if remedy is not None:
        raise SourceRefused(f"no source has the scheme {scheme}://; {remedy}")
    name = _MODULES[scheme]
    try:
        return cast("_Module", import_module(f"{__name__}.{name}"))
    except ModuleNotFoundError as error:
        raise SourceRefused(
            f"the source {name} needs the package {error.name}; install operate-connector[{name}]"
        ) from error
