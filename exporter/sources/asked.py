from __future__ import annotations

from exporter.event import INTENTS
from exporter.record import Record, Sieve


def asked_kinds(sieve: Sieve) -> list[str]:
    """The value types that a sieve asks for, such as `USER_TASK`.

    The sieve says so itself: it is given a record of each kind.
    """
    return [
        value_type
        for value_type, intents in INTENTS.items()
        if any(isinstance(sieve.one(_sample(value_type, each)), Record) for each in intents)
    ]


def _sample(value_type: str, intent: str) -> bytes:
    return (
        f'{{"position":0,"partitionId":1,"key":1,"valueType":"{value_type}",'
        f'"intent":"{intent}","value":{{}}}}'
    ).encode()
