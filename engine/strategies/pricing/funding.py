"""Leaning towards the side that funding pays."""

from __future__ import annotations

from decimal import Decimal

from engine.strategies.ladder import UNIT

_BPS = 10_000


def funding_tilt(rate: Decimal | None, per_bps: Decimal | None) -> int:
    """How far funding moves both sides, in parts of UNIT of half the spread: `per_bps` of it for each bps of rate.

    A positive rate is paid by longs, so quotes move down and the position towards short. An unknown one moves
    nothing.
    """
    if rate is None or not per_bps:
        return 0
    return max(-UNIT, min(UNIT, int(rate * _BPS * per_bps * UNIT)))
