"""A histogram of durations in constant memory."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import NS_PER_MS
from engine.trading.durations import BOUNDS_NS, DurationCounts, Durations

COARSEST = 1.28


def durations_of(*taken_ns: int) -> Durations:
    durations = Durations()
    for each in taken_ns:
        durations.add(each)
    return durations


def test_nothing_timed_has_no_percentiles() -> None:
    status = Durations().status()
    assert (status.count, status.p50_ms, status.longest_ms, status.buckets) == (0, None, None, {})


def test_percentiles_are_bounds_and_never_more_than_the_longest() -> None:
    status = durations_of(*[3 * NS_PER_MS] * 18, 40 * NS_PER_MS, 41 * NS_PER_MS).status()
    assert status.buckets == {"3.2": 18, "40": 1, "50": 1}
    assert (status.p50_ms, status.p95_ms, status.p99_ms, status.longest_ms) == (3.2, 40, 41, 41)


def test_what_takes_longer_than_every_bound_is_counted_too() -> None:
    status = durations_of(BOUNDS_NS[-1] + 1, -1).status()
    assert status.buckets == {"0.01": 1, "inf": 1}
    assert status.p95_ms == (BOUNDS_NS[-1] + 1) / NS_PER_MS


@given(st.lists(st.integers(10_000, BOUNDS_NS[-1]), min_size=1, max_size=60), st.sampled_from([50, 95, 99]))
def test_a_percentile_is_the_true_one_or_at_most_one_bucket_above_it(taken_ns: list[int], percent: int) -> None:
    true_ms = sorted(taken_ns)[-(-len(taken_ns) * percent // 100) - 1] / NS_PER_MS
    told_ms = getattr(durations_of(*taken_ns).status(), f"p{percent}_ms")
    assert true_ms <= told_ms <= true_ms * COARSEST


@given(st.lists(st.integers(-5, 10**13), max_size=30), st.lists(st.integers(0, 10**13), max_size=30))
def test_a_kept_histogram_goes_on_as_if_it_had_never_been_put_away(before: list[int], after: list[int]) -> None:
    kept = msgspec.json.decode(msgspec.json.encode(durations_of(*before).kept()), type=DurationCounts)
    resumed = Durations(kept)
    for each in after:
        resumed.add(each)
    assert resumed.status() == durations_of(*before, *after).status()
