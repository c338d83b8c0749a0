"""Reads several streams as one, in turns, and keeps the account of what is removed from them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from exporter.sources import SourceObserver
from exporter.sources.redis_streams.client import Client, looking, ranging, stream_state
from exporter.sources.redis_streams.entries import Cut, Entry, EntryId, Merge, parse_id
from exporter.sources.redis_streams.sifting import Sifter
from exporter.sources.redis_streams.trimming import Backlog, Trimming
from runtime.clock import Clock

LOOK_S = 2.0
_BLOCK_MS = 1000
_PENDING_A_TURN = 1000


class Reader:
    """The group's one reader.

    What was given to the group and not received, because the connection broke or the process died,
    is read again by its ids before anything new: call `settle` after each failure.

    Every method that asks Redis raises `SourceError`.

    Args:
        client: Redis.
        keys: Keys of the streams by value type.
        sifter: Makes entries of replies.
        clock: Time.
        observer: Told what is about to be lost.
        report: Told what is lost: the stream and the reason.
        backlog: What of a stream was handed out and is not confirmed.
    """

    def __init__(
        self,
        client: Client,
        keys: Mapping[str, str],
        sifter: Sifter,
        clock: Clock,
        *,
        observer: SourceObserver,
        report: Callable[[str, str], None],
        backlog: Callable[[str], Backlog],
    ) -> None:
        self._client = client
        self._keys = keys
        self._streams = {key.encode(): stream for stream, key in keys.items()}
        self._sifter = sifter
        self._clock = clock
        self._observer = observer
        self._report = report
        self._backlog = backlog
        self._merge = Merge(tuple(keys), Cut({}))
        self._delivered: dict[str, EntryId] = {}
        self._trimming: dict[str, Trimming] = {}
        self._is_drained = False
        self._looked_s = -LOOK_S

    @property
    def end(self) -> Cut:
        """Up to where entries were handed out."""
        return self._merge.taken

    @property
    def unread(self) -> int:
        """Entries that wait in Redis, as far as known."""
        return sum(trimming.unread for trimming in self._trimming.values())

    async def begin(self, done: Cut) -> None:
        """Begin anew behind a place up to which everything is done."""
        self._merge = Merge(tuple(self._keys), done)
        self._trimming.clear()
        await self.settle()
        for stream, key in self._keys.items():
            await self._clear_up(stream, key, done[stream])

    async def settle(self) -> None:
        """Make what is missing, and learn what the group was given, received or not."""
        for stream, key in self._keys.items():
            is_new = await self._client.make_group(key, self._merge.read[stream])
            group, state = await self._client.states(key)
            before = self._trimming.get(stream)
            if is_new and before is not None and (before.unread or self._backlog(stream).waiting):
                self._report(stream, "it or its consumer group was deleted with records in it")
            self._delivered[stream] = group.delivered
            self._trimming[stream] = Trimming(group, state)
        self._is_drained = False

    async def read(self) -> list[Entry]:
        """What comes next, in order; waits up to a second when there is nothing."""
        count = self._sifter.count
        asked = self._merge.asked(count)
        if self._is_drained and self._clock.monotonic_s() - self._looked_s < LOOK_S:
            complete = await self._wait_for_more(asked, count)
        else:
            complete = await self._look_and_read(asked, count)
        entries = self._merge.take(complete)
        self._is_drained = len(complete) == len(self._keys) and self._merge.is_empty
        return entries

    async def look(self) -> None:
        """Keep an eye on what is removed while nothing is read."""
        for stream, key in self._keys.items():
            told = await self._client.call_all(looking(key))
            await self._account(stream, told, self._delivered[stream], 0, complete=False)
        self._is_drained = False

    async def history(self, begin: Cut, end: Cut) -> AsyncIterator[tuple[list[Entry], Cut]]:
        """What lies between two places, in turns, each with the place after it."""
        merge = Merge(tuple(self._keys), begin)
        while not end.is_within(merge.taken):
            count = self._sifter.count
            asked = [s for s in merge.asked(count) if merge.read[s] < end[s]]
            complete = {s for s in self._keys if merge.read[s] >= end[s]}
            replies = await self._client.call_all(
                [ranging(self._keys[s], merge.read[s], end[s], count) for s in asked]
            )
            for stream, reply in zip(asked, replies, strict=True):
                merge.add(stream, self._sifter.entries(stream, reply))
                if len(reply) < count:
                    merge.skip_to(stream, end[stream])
                    complete.add(stream)
            yield merge.take(complete), merge.taken

    async def _wait_for_more(self, asked: Sequence[str], count: int) -> set[str]:
        keys = [self._keys[stream] for stream in asked]
        given = self._receive(
            await self._client.call(*self._client.reading(keys, count, _BLOCK_MS))
        )
        for stream, number in given.items():
            self._trimming[stream].add(number)
        return {stream for stream in asked if given.get(stream, 0) < count}

    async def _look_and_read(self, asked: Sequence[str], count: int) -> set[str]:
        """Read together with what Redis counts; gives the streams that have no more."""
        back = [s for s in asked if self._merge.read[s] < self._delivered[s]]
        new = [s for s in asked if s not in back]
        commands: list[list[str | int]] = [
            ranging(self._keys[s], self._merge.read[s], self._delivered[s], count) for s in back
        ]
        if new:
            commands += [command for s in new for command in looking(self._keys[s])]
            commands.append(self._client.reading([self._keys[s] for s in new], count))
        replies = await self._client.call_all(commands)
        for stream, reply in zip(back, replies, strict=False):
            self._merge.add(stream, self._sifter.entries(stream, reply))
            if len(reply) < count:
                self._merge.skip_to(stream, self._delivered[stream])
        return await self._take_new(new, replies[len(back) :], count) if new else set()

    async def _take_new(self, new: Sequence[str], replies: Sequence[Any], count: int) -> set[str]:
        *told, reply = replies
        before = {stream: self._merge.read[stream] for stream in new}
        given = self._receive(reply)
        complete = {stream for stream in new if given.get(stream, 0) < count}
        for at, stream in enumerate(new):
            await self._account(
                stream,
                told[2 * at : 2 * at + 2],
                before[stream],
                given.get(stream, 0),
                complete=stream in complete,
            )
        self._looked_s = self._clock.monotonic_s()
        return complete

    def _receive(self, reply: Sequence[Any] | None) -> dict[str, int]:
        """Take what the group was given; how many entries of each stream."""
        given = {}
        for key, raw in reply or ():
            stream = self._streams[key]
            self._merge.add(stream, self._sifter.entries(stream, raw))
            self._delivered[stream] = self._merge.read[stream]
            given[stream] = len(raw)
        return given

    async def _account(
        self, stream: str, told: Sequence[Any], read: EntryId, given: int, *, complete: bool
    ) -> None:
        state, trimming = stream_state(*told), self._trimming[stream]
        gone = trimming.lost(state, read, given, complete=complete)
        if gone > 0:
            self._report(stream, f"{gone} records were removed before they were read")
            # Redis does not notice, and would tell the next reader of the same loss.
            await self._client.correct(
                self._keys[stream], self._delivered[stream], trimming.given or 0
            )
        now_ms, now_s = self._clock.now_ms(), self._clock.monotonic_s()
        reason = trimming.warning(state, self._backlog(stream), now_ms=now_ms, now_s=now_s)
        if reason is not None:
            self._observer.warned(f"stream {self._keys[stream]}: {reason}")

    async def _clear_up(self, stream: str, key: str, done: EntryId) -> None:
        """Strike off what is done, and report what was removed without ever being confirmed."""
        _, state = await self._client.states(key)
        gone = 0
        while True:
            ids = await self._client.pending(key, _PENDING_A_TURN)
            past = [i for i in ids if parse_id(i) <= done or state.has_lost(parse_id(i))]
            if not past:
                break
            gone += sum(parse_id(raw_id) > done for raw_id in past)
            await self._client.call_all(self._client.confirming(key, past))
        if gone:
            self._report(stream, f"{gone} records were removed before they were delivered")
