"""How many requests may leave now. Pure: monotonic time comes in. Each session asks before a step and says after
what was sent; nothing ever queues behind a limit, because the step emits only what fits (pulled pacing).

Law of this file: whoever sends no more than `budget` offers sends at most `requests_per_minute` in any minute.
So the bucket's depth counts against the minute too: depth + refill over 60 s = the limit.
"""

from __future__ import annotations

from typing import Protocol

from engine.clock import NS_PER_S
from engine.trading.records import Budget

NS_PER_MINUTE = 60 * NS_PER_S
BURST_SHARE = 0.1
SMALLEST_BURST = 5
"""How much of a minute's requests may leave at once: a part, but enough to begin with."""
RESERVED_FOR_CANCEL_AND_REDUCE = 0.3
RESERVED_FOR_REDUCE = 0.1
"""Parts of the burst that placing, and that placing and cancelling, leave untouched."""
SLOWEST_PACE = 0.1
RECOVERY_NS = 5 * NS_PER_MINUTE
"""How long it takes to climb from the slowest pace back to the full one."""


class Pace(Protocol):
    """What a session needs of a request budget, be it its own or one that processes share. Time is monotonic."""

    def budget(self, now_ns: int) -> Budget:
        """What may leave now. The three figures overlap: a request of any kind counts against all of them."""

    def spent(self, requests: int, now_ns: int) -> None:
        """Requests that left; queries count too, and may leave a debt that later budgets pay off."""

    def rate_limited(self, now_ns: int) -> None:
        """The venue counts differently than we do, or others share the account: stop, then go on more slowly."""


class Pacing:
    """A token bucket with two reserves, which halves its pace when the venue says 429 and recovers by itself."""

    def __init__(self, requests_per_minute: int, now_ns: int) -> None:
        self._burst = min(requests_per_minute, max(SMALLEST_BURST, requests_per_minute * BURST_SHARE))
        self._refill_per_ns = (requests_per_minute - self._burst) / NS_PER_MINUTE
        self._tokens = float(self._burst)
        self._pace = 1.0
        self._updated_ns = now_ns

    def budget(self, now_ns: int) -> Budget:
        self._refill(now_ns)
        return Budget(
            reduce=self._whole(0.0),
            cancel=self._whole(RESERVED_FOR_REDUCE),
            place=self._whole(RESERVED_FOR_CANCEL_AND_REDUCE),
        )

    def spent(self, requests: int, now_ns: int) -> None:
        self._refill(now_ns)
        self._tokens -= requests

    def rate_limited(self, now_ns: int) -> None:
        self._refill(now_ns)
        self._tokens = min(self._tokens, 0.0)
        self._pace = max(SLOWEST_PACE, self._pace / 2)

    def _refill(self, now_ns: int) -> None:
        elapsed_ns = max(0, now_ns - self._updated_ns)
        self._updated_ns += elapsed_ns
        self._tokens = min(self._burst, self._tokens + elapsed_ns * self._refill_per_ns * self._pace)
        self._pace = min(1.0, self._pace + (1.0 - SLOWEST_PACE) * elapsed_ns / RECOVERY_NS)

    def _whole(self, reserved_share: float) -> int:
        return max(0, int(self._tokens - reserved_share * self._burst))
