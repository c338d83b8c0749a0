from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exporter.sources.elasticsearch.query import Envelope
from exporter.sources.elasticsearch.sequence import SequenceWatch


def page(*numbers, kind="USER_TASK", first=1):
    """Documents with these numbers; None has none."""
    return [
        Envelope(position, 1, 7, kind, "CREATED", number)
        for position, number in enumerate(numbers, start=first)
    ]


def watch(numbers=None, gap_s=10.0):
    gone = []
    return SequenceWatch(numbers or {}, gap_s, gone.append), gone


def test_the_first_number_of_all_is_taken_as_it_comes():
    """Retention may have deleted what was before the oldest document."""
    watching, gone = watch()
    assert watching.passing(page(700, 701), 0.0) == 2
    assert watching.numbers == {"USER_TASK": 701}
    assert gone == []


def test_what_is_before_a_gap_passes_and_the_rest_waits():
    """Up to the missing number everything passes; the rest does when it turns up."""
    watching, gone = watch({"USER_TASK": 1})
    assert watching.passing(page(2, 4, 5), 0.0) == 1
    assert watching.is_holding
    assert watching.passing(page(3, 4, 5, first=2), 1.0) == 3
    assert not watching.is_holding
    assert gone == []


def test_each_gap_is_waited_for_once():
    """Its time runs from when it was noticed; then it is told, and the next one is waited for."""
    watching, gone = watch({"USER_TASK": 1})
    assert watching.passing(page(3, 5), 100.0) == 0
    assert watching.passing(page(3, 5), 109.9) == 0
    assert watching.passing(page(3, 5), 110.0) == 1
    assert watching.passing(page(5, first=2), 110.0) == 0
    assert watching.passing(page(5, first=2), 120.0) == 1
    assert len(gone) == 2


def test_kinds_are_counted_apart():
    """Each value type has numbers of its own."""
    watching, gone = watch({"USER_TASK": 5, "INCIDENT": 9})
    assert watching.passing([*page(6), *page(10, kind="INCIDENT", first=2)], 0.0) == 2
    assert gone == []


def test_documents_without_numbers_pass():
    """Exporters of old brokers wrote none."""
    watching, gone = watch({"USER_TASK": 5})
    assert watching.passing(page(None, 6, None), 0.0) == 3
    assert gone == []


@given(st.sets(st.integers(1, 60), min_size=1), st.integers(1, 7))
def test_everything_passes_in_order_and_every_gap_is_told(numbers, size):
    """Whatever is missing, all there is passes once and in order, and what is missing is told."""
    watching, gone = watch({"USER_TASK": 0}, gap_s=5.0)
    left, passed, now_s = sorted(numbers), [], 0.0
    while left:
        count = watching.passing(page(*left[:size]), now_s)
        passed += left[:count]
        left = left[count:]
        now_s += 1.0
    assert passed == sorted(numbers)
    missing = set(range(1, max(numbers))) - numbers
    gaps = [number for number in missing if number - 1 not in missing]
    assert len(gone) == len(gaps)
    assert sum(int(reason.split()[0]) for reason in gone) == len(missing)
