"""How much of one count of a venue may be used now. Pure: monotonic time comes in. Each session asks before a step
and says after what was sent; nothing ever queues behind a limit, because the step emits only what fits (pulled
pacing). A count may be of plain requests or of weights (`engine.transport.weights`); here both are tokens.

Law of this file: whoever sends no more than `budget` offers sends at most `per_minute` in any minute.
So the bucket's depth counts against the minute too: depth + refill over 60 s = the limit.
"""

from __future__ import annotations

import math
from typing import Protocol

from engine.clock import NS_PER_S
from engine.model.account import BudgetUse
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
    """One bucket, be it a session's own or one that processes share. Time is monotonic."""

    def budget(self, now_ns: int, /) -> Budget:
        """What may leave now. The three figures overlap: a request of any kind counts against all of them."""

    def spent(self, tokens: int, now_ns: int, /) -> None:
        """What left; queries count too, and may leave a debt that later budgets pay off."""

    def rate_limited(self, now_ns: int, /) -> None:
        """The venue counts differently than we do, or others share the account: stop, then go on more slowly."""

    def use(self, now_ns: int, /) -> BudgetUse: ...


class Bucket:
    """Tokens that come back with time, more slowly for a while after the venue said 429.

    `slack_ns`: tokens that left the bucket may be spent this much later.
    """

    def __init__(self, per_minute: int, *, slack_ns: int = 0) -> None:
        self.limit = per_minute
        self.burst = min(per_minute, max(SMALLEST_BURST, per_minute * BURST_SHARE))
        self._refill_per_ns = (per_minute - self.burst) / (NS_PER_MINUTE + slack_ns)
        self.tokens = 0.0
        self.pace = 1.0
        self.used = 0.0
        self.updated_ns = 0

    def refill(self, now_ns: int) -> None:
        elapsed_ns = max(0, now_ns - self.updated_ns)
        self.updated_ns += elapsed_ns
        self.tokens = min(self.burst, self.tokens + elapsed_ns * self._refill_per_ns * self.pace)
        self.pace = min(1.0, self.pace + (1.0 - SLOWEST_PACE) * elapsed_ns / RECOVERY_NS)
        self.used *= math.exp(-elapsed_ns / NS_PER_MINUTE)

    def slow_down(self) -> None:
        self.tokens = min(self.tokens, 0.0)
        self.pace = max(SLOWEST_PACE, self.pace / 2)

    def above(self, reserved_share: float) -> float:
        """The tokens that lie above a reserve."""
        return max(0.0, self.tokens - reserved_share * self.burst)

    @property
    def use(self) -> BudgetUse:
        return BudgetUse(used_per_minute=round(self.used), limit_per_minute=self.limit, pace=round(self.pace, 2))


class Pacing:
    """A bucket of one's own, full at the start. As `Pace`."""

    def __init__(self, per_minute: int, now_ns: int) -> None:
        self._bucket = Bucket(per_minute)
        self._bucket.tokens, self._bucket.updated_ns = float(self._bucket.burst), now_ns

    def budget(self, now_ns: int) -> Budget:
        self._bucket.refill(now_ns)
        return Budget(
            reduce=int(self._bucket.above(0.0)),
            cancel=int(self._bucket.above(RESERVED_FOR_REDUCE)),
            place=int(self._bucket.above(RESERVED_FOR_CANCEL_AND_REDUCE)),
        )

    def spent(self, tokens: int, now_ns: int) -> None:
        self._bucket.refill(now_ns)
        self._bucket.tokens -= tokens
        self._bucket.used += tokens

    def rate_limited(self, now_ns: int) -> None:
        self._bucket.refill(now_ns)
        self._bucket.slow_down()

    def use(self, now_ns: int) -> BudgetUse:
        self._bucket.refill(now_ns)
        return self._bucket.use
