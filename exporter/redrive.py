"""Sending dead letters again, in the order in which they were set aside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal

from exporter.backend import Request
from exporter.deadletter import Letter
from exporter.delivery import Delivered, Delivery, Outcome, Rejected, Unavailable
from exporter.errors import RecordError
from exporter.event import INTENTS, to_event
from exporter.record import Record, Sieve
from exporter.state import State
from runtime.clock import Clock

_sieve = Sieve(INTENTS)


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of one letter.

    Attributes:
        letter: Which one.
        ending: `delivered` and forgotten, `refused` by the backend, `unusable` because the record
            still cannot become an event, `gone` because another redrive took it, or `unavailable`:
            the backend is away, so the rest was not tried.
        reason: In words; empty when it was delivered.
    """

    letter: Letter
    ending: Literal["delivered", "refused", "unusable", "gone", "unavailable"]
    reason: str = ""


async def redrive(
    letters: Sequence[Letter], state: State, delivery: Delivery, *, metadata: bool, clock: Clock
) -> AsyncIterator[Redriven]:
    """Send letters, each with the key that it had; what is delivered is forgotten at once.

    It is safe while the service runs: a letter is not part of any lane any more.

    Args:
        letters: Which ones, without bodies.
        state: Where they are kept.
        delivery: Where they go.
        metadata: Whether events made from records tell their position, partition and time.
        clock: For the pauses between rounds of tries.
    """
    for letter in letters:
        body = await state.body(letter.id)
        if body is None:
            yield Redriven(letter, "gone", "it is no longer there")
            continue
        try:
            request = request_for(letter, body, metadata=metadata)
        except RecordError as error:
            yield Redriven(letter, "unusable", str(error))
            continue
        outcome = await _sent(request, delivery, clock)
        if isinstance(outcome, Delivered):
            await state.remove(letter.id)
            yield Redriven(letter, "delivered")
        elif isinstance(outcome, Rejected):
            yield Redriven(letter, "refused", outcome.reason)
        else:
            yield Redriven(letter, "unavailable", outcome.reason)
            return


async def _sent(request: Request, delivery: Delivery, clock: Clock) -> Outcome:
    """A round of tries, and more for as long as each brings the batch nearer to its refusal."""
    rounds = refusals = 0
    while True:
        outcome = await delivery.send(request)
        if not isinstance(outcome, Unavailable) or outcome.refusals == refusals:
            return outcome
        refusals = outcome.refusals
        rounds += 1
        await clock.sleep(delivery.pause_s(rounds, outcome))


def request_for(letter: Letter, body: bytes, *, metadata: bool) -> Request:
    """What is sent for a letter: a batch as it was, a record as the event that it makes now.

    Raises:
        RecordError: The record still cannot become an event.
    """
    if letter.kind == "batch":
        return Request(letter.idempotency_key, body, letter.count)
    record = _sieve.one(body.strip())
    if not isinstance(record, Record):
        reason = "it is not asked for" if record is None else record.reason
        raise RecordError(f"the record still cannot become an event: {reason}")
    event = to_event(record, metadata=metadata)
    return Request(letter.idempotency_key, b'{"events":[%b]}' % event.json, 1)
