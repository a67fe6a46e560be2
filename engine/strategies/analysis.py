"""What a market looks like to somebody who would make it: for `botctl market analyse`. Statistics, hence floats.

The suggestions are a beginning, not advice: a spread that covers both fees and about a minute's move, and layers
as far out as the market moves in ten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from engine.model.instrument import Instrument
from engine.model.value import Value

BPS = 10_000
LEVELS = 10
FEWEST_RETURNS = 10
"""From fewer returns a volatility would be a guess."""
LAYERS_WITHIN_MINUTES = 10
MOST_LAYERS = 5

Levels = Sequence[tuple[int, int]]
"""(ticks, lots), best first."""


class Analysis(Value, frozen=True, kw_only=True):
    """`imbalance` runs from -1 (only asks) to 1 (only bids) over the best levels. None is unknown."""

    mid: Decimal
    spread_bps: float
    imbalance: float
    volatility_bps_per_minute: float | None
    suggested_spread_bps: float | None
    suggested_layers: int | None
    suggested_layer_step_bps: float | None


def analyse(instrument: Instrument, bids: Levels, asks: Levels, closes: Sequence[Decimal]) -> Analysis | None:
    """None for a book with an empty side. `closes` are those of successive minutes."""
    if not bids or not asks:
        return None
    mid = (instrument.price(bids[0][0]) + instrument.price(asks[0][0])) / 2
    tick_bps = float(instrument.tick_size / mid) * BPS
    volatility = volatility_bps(closes)
    spread = layers = step = None
    if volatility is not None:
        fees_bps = 2 * float(instrument.maker_fee) * BPS
        spread = max(fees_bps + volatility, 2 * tick_bps)
        layers = max(1, min(MOST_LAYERS, round(volatility * math.sqrt(LAYERS_WITHIN_MINUTES) / spread * 2)))
        step = max(spread / 2, tick_bps)
    return Analysis(
        mid=mid,
        spread_bps=round((asks[0][0] - bids[0][0]) * tick_bps, 3),
        imbalance=round(imbalance(bids, asks), 3),
        volatility_bps_per_minute=_rounded(volatility),
        suggested_spread_bps=_rounded(spread),
        suggested_layers=layers,
        suggested_layer_step_bps=_rounded(step),
    )


def imbalance(bids: Levels, asks: Levels) -> float:
    """How much more is bid than asked, over the best levels of both sides."""
    bid, ask = (sum(lots for _, lots in side[:LEVELS]) for side in (bids, asks))
    return (bid - ask) / (bid + ask) if bid + ask else 0.0


def volatility_bps(closes: Sequence[Decimal]) -> float | None:
    """The standard deviation of the logarithmic returns from one close to the next."""
    returns = [math.log(after / before) for before, after in pairwise(closes) if before > 0]
    if len(returns) < FEWEST_RETURNS:
        return None
    mean = sum(returns) / len(returns)
    variance = sum((value - mean) ** 2 for value in returns) / (len(returns) - 1)
    return math.sqrt(variance) * BPS


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
