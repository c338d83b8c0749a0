from __future__ import annotations

import gc

import pytest

from runtime.clock import SystemClock
from runtime.collector import collecting_seldom
from runtime.lifecycle import run


def test_a_service_collects_seldom_while_it_runs():
    """Meanwhile circles are looked for seldom, and old objects not at all."""
    before = gc.get_threshold(), gc.get_freeze_count()
    seen = []

    async def main(_life):
        seen.append((gc.get_threshold()[0], gc.get_freeze_count()))

    assert run(main, clock=SystemClock()) == 0
    (threshold, frozen) = seen[0]
    assert threshold > 10 * before[0][0]
    assert frozen > 1000
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_a_fault_puts_the_thresholds_back():
    """Whatever ends the block, the process is left as it was."""
    before = gc.get_threshold()
    with pytest.raises(ZeroDivisionError), collecting_seldom():
        raise ZeroDivisionError
    assert gc.get_threshold() == before
