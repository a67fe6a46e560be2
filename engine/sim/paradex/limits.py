"""Rate limits as token buckets that refill all the time, one per limit and whoever it counts."""

from __future__ import annotations

from engine.clock import NS_PER_S
from engine.model.value import Value
from engine.sim.paradex.errors import too_many_requests


class Limit(Value, frozen=True, kw_only=True):
    name: str
    count: int
    window_s: int


class Limits:
    """The buckets; they start full."""

    def __init__(self) -> None:
        self._levels: dict[tuple[str, str], tuple[float, int]] = {}

    def take(self, limit: Limit, who: str, now_ns: int) -> None:
        """Count one request; refused when the bucket is empty."""
        level, since_ns = self._levels.get((limit.name, who), (float(limit.count), now_ns))
        refill = (now_ns - since_ns) / NS_PER_S * limit.count / limit.window_s
        level = min(float(limit.count), level + refill)
        if level < 1:
            self._levels[limit.name, who] = level, now_ns
            raise too_many_requests(limit.count, limit.window_s, now_ns // NS_PER_S + 1)
        self._levels[limit.name, who] = level - 1, now_ns
