"""How much a market moves, from its mids at successive seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

WARM_S = 30
"""From fewer seconds a volatility would be a guess: until then nobody quotes by it."""
WINDOW_S = 300
"""How far back to look where a bot does not say."""
_BPS = 10_000


def volatility_bps(mids: Sequence[float], window_s: int = WINDOW_S) -> float | None:
    """The realised volatility of the last `window_s` seconds, in bps per square root of a second; None while cold.

    `mids` are on any scale, a second apart. Returns are not centred: over minutes a drift is noise, and a market
    that runs away must not look calm.
    """
    seen = tuple(mids[-(window_s + 1) :])
    return None if len(seen) <= WARM_S else _realised_bps(seen)


@lru_cache(maxsize=16)
def _realised_bps(mids: tuple[float, ...]) -> float:
    """Kept, because the mids change once a second and quotes are looked at far more often."""
    variance = sum(((after - before) / before) ** 2 for before, after in pairwise(mids)) / (len(mids) - 1)
    return math.sqrt(variance) * _BPS
