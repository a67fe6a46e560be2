"""Spot market making: layers around the mid, paid for by declared capital and what own fills made of it.

The bot counts only the capital it was given, never the whole account. When the share of base drifts further
than `rebalance_threshold_pct` from `base_target_pct`, the missing or surplus base is traded through the book.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from engine.model.order import Side
from engine.model.target import Funds, InventoryTarget, LegTarget, Target
from engine.model.value import Value
from engine.strategies.interface import LegView, View
from engine.strategies.layers import LayerParameters, Room, layered_quotes


class Capital(Value, frozen=True, kw_only=True):
    """What the bot may use, in units of base and of quote."""

    base: Decimal
    quote: Decimal


class Parameters(LayerParameters, frozen=True, kw_only=True):
    """Checked by schemas/strategies/market_maker.schema.json, where every field is described."""

    capital: Capital
    base_target_pct: Decimal
    rebalance_threshold_pct: Decimal | None
    rebalance_slippage_bps: Decimal


class MarketMaker:
    """One leg, both sides, spot."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.requote_threshold_ticks = parameters.requote_threshold_ticks

    def target(self, view: View) -> Target:
        """Layers on both sides as far as capital reaches; only the helpful side while rebalancing."""
        return {leg: self._leg_target(seen) for leg, seen in view.legs.items()}

    def _leg_target(self, seen: LegView) -> LegTarget:
        if not seen.bids or not seen.asks:
            return LegTarget(reason="a side of the book is empty")
        inventory = self._rebalance(seen)
        sides = list(Side)
        if inventory is not None:
            sides = [Side.BUY if inventory.lots > seen.position_lots else Side.SELL]
        capital = self.parameters.capital
        funds = Funds(base=capital.base + seen.base_change, quote=capital.quote + seen.quote_change)
        rooms: dict[Side, Room] = {Side.BUY: _QuoteRoom(seen, funds.quote), Side.SELL: _BaseRoom(seen, funds.base)}
        quotes = [quote for side in sides for quote in layered_quotes(self.parameters, side, seen, rooms[side])]
        return LegTarget(quotes=tuple(quotes), inventory=inventory, funds=funds)

    def _rebalance(self, seen: LegView) -> InventoryTarget | None:
        parameters = self.parameters
        if parameters.rebalance_threshold_pct is None:
            return None
        mid = seen.instrument.price(seen.bids[0][0] + seen.asks[0][0]) / 2
        base = parameters.capital.base + seen.base_change
        wealth = base * mid + parameters.capital.quote + seen.quote_change
        wanted = wealth * parameters.base_target_pct / 100 / mid
        if abs(base - wanted) * mid * 100 <= parameters.rebalance_threshold_pct * wealth:
            return None
        return InventoryTarget(
            lots=seen.instrument.lots_within(wanted - parameters.capital.base),
            slippage_bps=parameters.rebalance_slippage_bps,
        )


class _QuoteRoom:
    """Bids cost quote."""

    reduce_only = False

    def __init__(self, seen: LegView, left: Decimal) -> None:
        self._instrument, self._left = seen.instrument, max(Decimal(0), left)

    def fitting(self, ticks: int, lots: int) -> int:
        return min(lots, self._instrument.lots_within(self._left / self._instrument.price(ticks)))

    def take(self, ticks: int, lots: int) -> None:
        self._left -= self._instrument.notional(ticks, lots)


class _BaseRoom:
    """Asks cost base."""

    reduce_only = False

    def __init__(self, seen: LegView, left: Decimal) -> None:
        self._left_lots = seen.instrument.lots_within(max(Decimal(0), left))

    def fitting(self, ticks: int, lots: int) -> int:  # noqa: ARG002 - base costs the same at any price
        return min(lots, self._left_lots)

    def take(self, ticks: int, lots: int) -> None:  # noqa: ARG002 - as above
        self._left_lots -= lots


def build(parameters: Mapping[str, Any]) -> MarketMaker:
    """The strategy from an effective document's parameters."""
    return MarketMaker(msgspec.convert(parameters, Parameters, strict=False))
