"""Waiting before trying again, for any randomness."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from engine.transport.backoff import Backoff


@given(st.integers(), st.integers(1, 60), st.floats(0.01, 5), st.floats(5, 120))
def test_every_delay_lies_under_a_bound_that_doubles_to_the_ceiling(
    seed: int, attempts: int, first_s: float, ceiling_s: float
) -> None:
    backoff = Backoff(random.Random(seed), first_s=first_s, ceiling_s=ceiling_s)
    for attempt in range(attempts):
        assert 0 <= backoff.delay_s() <= min(ceiling_s, first_s * 2**attempt)


def test_the_delays_of_a_fleet_are_spread_over_the_whole_bound() -> None:
    delays = [Backoff(random.Random(seed), first_s=1.0).delay_s() for seed in range(1000)]
    assert min(delays) < 0.05 and max(delays) > 0.95
    assert 0.45 < sum(delays) / len(delays) < 0.55


def test_a_connection_that_held_long_enough_starts_the_delays_anew() -> None:
    backoff = Backoff(random.Random(1), first_s=0.5, ceiling_s=64, healthy_s=30)
    for _ in range(10):
        backoff.delay_s(held_s=29.9)
    assert backoff.delay_s(held_s=30.0) <= 0.5
    assert backoff.delay_s() <= 1.0


def test_success_starts_the_delays_anew() -> None:
    backoff = Backoff(random.Random(1), first_s=0.5)
    for _ in range(10):
        backoff.delay_s()
    backoff.reset()
    assert backoff.delay_s() <= 0.5
