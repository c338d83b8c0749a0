"""Hypothesis profiles for FEEL: `--hypothesis-profile nightly` reads 100,000 texts a property."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "nightly",
    max_examples=100_000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
