from __future__ import annotations

from dataclasses import dataclass

from runtime.backoff import Random
from runtime.clock import Clock
from worker.gateway import Gateway
from worker.observer import Observer
from worker.options import WorkerOptions


@dataclass(frozen=True, slots=True)
class Context:
    """What the parts of one worker share."""

    gateway: Gateway
    options: WorkerOptions
    clock: Clock
    random: Random
    observer: Observer
