"""Layers of quotes around a mid, in whole ticks: the arithmetic both market makers share.

All of it is exact integer arithmetic. A mid is carried as *twice the mid* (bid + ask, in ticks), rates as
whole parts of `UNIT` (so 1 bps is 1e-4 of the price exactly).
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from engine.model.order import Side
from engine.model.value import Value

UNIT = 10**10
_PER_BPS = UNIT // 10_000


class LayerStep(Value, frozen=True, kw_only=True):
    """How far one layer lies behind the one before it: exactly one of the three is set.

    `bps` of the mid, `ticks`, or a `ratio` by which each layer's distance from the mid grows.
    """

    bps: Decimal | None = None
    ticks: int | None = None
    ratio: Decimal | None = None


class SizeProfile(StrEnum):
    """Size of layer n (from 0) in order sizes: 1, n + 1, or 2 to the n."""

    EQUAL = "equal"
    LINEAR = "linear"
    GEOMETRIC = "geometric"

    def multiple(self, layer: int) -> int:
        """How many order sizes stand in this layer."""
        if self is SizeProfile.LINEAR:
            return layer + 1
        return 2**layer if self is SizeProfile.GEOMETRIC else 1


class Ladder(Value, frozen=True, kw_only=True):
    """The shape of the quotes: `spread_bps` is the whole width of the first layer, both sides together."""

    spread_bps: Decimal
    layers: int
    step: LayerStep

    def ticks(self, side: Side, twice_mid: int, *, skew: int = 0) -> list[int]:
        """The prices of one side, nearest first, strictly moving away from the mid.

        `skew`, in parts of UNIT of the half spread from -UNIT to UNIT, moves both sides the same way: a positive
        one (long inventory) moves them down. It never moves a side beyond the mid.
        """
        half = self._distance(0, twice_mid)
        shift = half * skew // UNIT
        prices: list[int] = []
        for layer in range(self.layers):
            price = _beside(side, twice_mid, self._distance(layer, twice_mid), shift)
            if prices:
                price = min(price, prices[-1] - 1) if side is Side.BUY else max(price, prices[-1] + 1)
            prices.append(price)
        return [price for price in prices if price > 0]

    def _distance(self, layer: int, twice_mid: int) -> int:
        """From the mid to a layer, in UNIT parts of twice a tick: no rounding yet."""
        half_spread = twice_mid * _parts(self.spread_bps) // 2
        if self.step.ratio is not None:
            return int(half_spread * self.step.ratio**layer)
        if self.step.ticks is not None:
            return half_spread + layer * self.step.ticks * 2 * UNIT
        return half_spread + layer * twice_mid * _parts(self.step.bps or Decimal(0))


def keep_passive(side: Side, ticks: int, *, best_bid: int | None, best_ask: int | None) -> int:
    """The nearest price to `ticks` that does not take from the other side's best."""
    if side is Side.BUY:
        return ticks if best_ask is None else min(ticks, best_ask - 1)
    return ticks if best_bid is None else max(ticks, best_bid + 1)


def skew_of(position_lots: int, target_lots: int, max_lots: int | None, strength: Decimal) -> int:
    """How far inventory moves the quotes: `strength` (0 to 1) at full inventory, in parts of UNIT."""
    if not max_lots:
        return 0
    excess = max(-max_lots, min(max_lots, position_lots - target_lots))
    return int(strength * UNIT) * excess // max_lots


def _parts(bps: Decimal) -> int:
    return int(bps * _PER_BPS)


def _beside(side: Side, twice_mid: int, distance: int, shift: int) -> int:
    """A price `distance` from the mid, moved by `shift`, rounded away from the mid onto a tick."""
    if side is Side.BUY:
        return (twice_mid * UNIT - distance - shift) // (2 * UNIT)
    return -((shift - twice_mid * UNIT - distance) // (2 * UNIT))
