"""How much a market moves, from its mids at successive seconds.

Every second may count the same, or count half as much as one `half_life_s` later: the exponentially weighted
variance of J.P. Morgan and Reuters, "RiskMetrics - Technical Document" (4th edition, 1996), whose decay factor is
0.5 ** (1 / half_life_s) here, over a bounded window and with weights that add up to one in it. Mids are heard at
odd times, but each stands for every second until the next: seconds without news are returns of zero that fade what
came before by the clock, not by the number of messages, and what moved in a gap counts as of the gap's end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

WARM_S = 30
"""From fewer seconds a volatility would be a guess: until then nobody quotes by it."""
WINDOW_S = 300
"""How far back to look where a bot does not say."""
FADING_WINDOW_S = 600
"""The same where the past fades anyway: as far as mids are kept."""
_BPS = 10_000


def volatility_bps(
    mids: Sequence[float], window_s: int | None = None, half_life_s: float | None = None
) -> float | None:
    """The realised volatility of the last `window_s` seconds, in bps per square root of a second; None while cold.

    `mids` are on any scale, a second apart. Returns are not centred: over minutes a drift is noise, and a market
    that runs away must not look calm.
    """
    window_s = window_s or (FADING_WINDOW_S if half_life_s else WINDOW_S)
    seen = tuple(mids[-(window_s + 1) :])
    keep = 0.5 ** (1 / half_life_s) if half_life_s else 1.0
    return None if len(seen) <= WARM_S else _realised_bps(seen, keep)


@lru_cache(maxsize=16)
def _realised_bps(mids: tuple[float, ...], keep: float) -> float:
    """Kept, because the mids change once a second and quotes are looked at far more often. `keep` is what a second
    leaves of the weight of those before it."""
    squares = weight = 0.0
    for before, after in pairwise(mids):
        squares = squares * keep + ((after - before) / before) ** 2
        weight = weight * keep + 1
    return math.sqrt(squares / weight) * _BPS
