"""How long something took, counted in a fixed number of buckets: memory stays the same however long a bot runs."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

from engine.clock import NS_PER_MS
from engine.model.value import Value

_STEPS = (100, 125, 160, 200, 250, 320, 400, 500, 630, 800)
"""Ten to a decade (the preferred numbers of ISO 3): a bound is at most 28 % above what it stands for."""
BOUNDS_NS: tuple[int, ...] = tuple(step * 10**power for power in range(2, 10) for step in _STEPS)
"""From 10 µs to 800 s."""
_NAMES = (*(f"{bound / NS_PER_MS:g}" for bound in BOUNDS_NS), "inf")


class DurationStatus(Value, frozen=True, kw_only=True):
    """`buckets` maps an upper bound in ms to how many took at most that long and longer than the bound before;
    what took longer than every bound is under `inf`. Percentiles are the bound of their bucket, and never more than
    the longest."""

    count: int
    longest_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    buckets: dict[str, int]


class DurationCounts(Value, frozen=True, kw_only=True):
    """A histogram as a journal keeps it: how many by the number of their bucket, and the longest."""

    counts: dict[int, int] = {}
    longest_ns: int = 0


class Durations:
    """A histogram."""

    def __init__(self, kept: DurationCounts | None = None) -> None:
        self._counts: Counter[int] = Counter(kept.counts if kept else {})
        self._longest_ns = kept.longest_ns if kept else 0

    def add(self, taken_ns: int) -> None:
        """Count one; a clock that was set back in between makes it zero."""
        taken_ns = max(0, taken_ns)
        self._counts[bisect_left(BOUNDS_NS, taken_ns)] += 1
        self._longest_ns = max(self._longest_ns, taken_ns)

    def kept(self) -> DurationCounts:
        """What a journal keeps of it."""
        return DurationCounts(counts=dict(self._counts), longest_ns=self._longest_ns)

    def status(self) -> DurationStatus:
        count = self._counts.total()
        return DurationStatus(
            count=count,
            longest_ms=self._longest_ns / NS_PER_MS if count else None,
            p50_ms=self._percentile(50) if count else None,
            p95_ms=self._percentile(95) if count else None,
            p99_ms=self._percentile(99) if count else None,
            buckets={_NAMES[bucket]: self._counts[bucket] for bucket in sorted(self._counts)},
        )

    def _percentile(self, percent: int) -> float:
        rank = -(-self._counts.total() * percent // 100)
        longest_ms, seen = self._longest_ns / NS_PER_MS, 0
        for bucket, bound_ns in enumerate(BOUNDS_NS):
            seen += self._counts[bucket]
            if seen >= rank:
                return min(bound_ns / NS_PER_MS, longest_ms)
        return longest_ms
