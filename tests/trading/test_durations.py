"""A histogram of durations in constant memory."""

from __future__ import annotations

from engine.clock import NS_PER_MS
from engine.trading.durations import BOUNDS_MS, Durations


def test_nothing_timed_has_no_percentiles() -> None:
    status = Durations().status()
    assert (status.count, status.p50_ms, status.longest_ms, status.buckets) == (0, None, None, {})


def test_percentiles_are_bounds_and_never_more_than_the_longest() -> None:
    durations = Durations()
    for taken_ms in (*[3] * 18, 40, 41):
        durations.add(taken_ms * NS_PER_MS)
    status = durations.status()
    assert status.buckets == {"5": 18, "50": 2}
    assert (status.p50_ms, status.p95_ms, status.longest_ms) == (5, 41, 41)


def test_what_takes_longer_than_every_bound_is_counted_too() -> None:
    durations = Durations()
    durations.add((BOUNDS_MS[-1] + 1) * NS_PER_MS)
    durations.add(-1)
    assert durations.status().buckets == {"1": 1, "inf": 1}
    assert durations.status().p95_ms == BOUNDS_MS[-1] + 1
