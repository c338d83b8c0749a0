from hypothesis import given
from hypothesis import strategies as st

from runtime.backoff import Backoff


def test_waits_double_until_the_cap():
    """Without jitter the waits double from the first one and stop growing at the cap."""
    backoff = Backoff(first_s=0.1, factor=2, cap_s=1, jitter=0)
    waits_s = [backoff.delay_s(attempt, lambda: 0.0) for attempt in range(1, 7)]
    assert waits_s == [0.1, 0.2, 0.4, 0.8, 1, 1]


@given(attempt=st.integers(1, 10**9), drawn=st.floats(0, 1, exclude_max=True))
def test_jitter_only_shortens_a_wait(attempt, drawn):
    """However often it was tried and whatever chance draws, a wait stays within its range."""
    backoff = Backoff(first_s=0.1, factor=2, cap_s=5, jitter=0.5)
    assert 0.05 <= backoff.delay_s(attempt, lambda: drawn) <= 5
