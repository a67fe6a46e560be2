"""How long something took, counted in a fixed number of buckets: memory stays the same however long a bot runs."""

from __future__ import annotations

from bisect import bisect_left

from engine.clock import NS_PER_MS
from engine.model.value import Value

BOUNDS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000)


class DurationStatus(Value, frozen=True, kw_only=True):
    """`buckets` maps an upper bound in ms to how many took at most that long and longer than the bound before;
    what took longer than every bound is under `inf`. Percentiles are the bound of their bucket, and never more than
    the longest."""

    count: int
    longest_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    buckets: dict[str, int]


class Durations:
    """A histogram."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_MS) + 1)
        self._longest_ns = 0

    def add(self, taken_ns: int) -> None:
        """Count one; a clock that was set back in between makes it zero."""
        taken_ns = max(0, taken_ns)
        self._counts[bisect_left(BOUNDS_MS, taken_ns / NS_PER_MS)] += 1
        self._longest_ns = max(self._longest_ns, taken_ns)

    def status(self) -> DurationStatus:
        count = sum(self._counts)
        names = [*map(str, BOUNDS_MS), "inf"]
        return DurationStatus(
            count=count,
            longest_ms=self._longest_ns / NS_PER_MS if count else None,
            p50_ms=self._percentile(50) if count else None,
            p95_ms=self._percentile(95) if count else None,
            buckets={name: number for name, number in zip(names, self._counts, strict=True) if number},
        )

    def _percentile(self, percent: int) -> float:
        rank = -(-sum(self._counts) * percent // 100)
        longest_ms, seen = self._longest_ns / NS_PER_MS, 0
        for bound_ms, number in zip(BOUNDS_MS, self._counts, strict=False):
            seen += number
            if seen >= rank:
                return min(float(bound_ms), longest_ms)
        return longest_ms
