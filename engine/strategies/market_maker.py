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
from engine.strategies.pricing.glft import Bounds
from engine.strategies.pricing.shape import Inventory, cold_reason, shape_of


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
        self.requote_interval_ns = parameters.requote_interval_ns

    def target(self, view: View) -> Target:
        """Layers on both sides as far as capital reaches; only the helpful side while rebalancing."""
        return {leg: self._leg_target(seen) for leg, seen in view.legs.items()}

    def _leg_target(self, seen: LegView) -> LegTarget:
        if not seen.bids or not seen.asks:
            return LegTarget(reason="a side of the book is empty")
        excess = self._excess(seen)
        shape = shape_of(self.parameters, seen, self._inventory(seen, excess))
        if shape is None:
            return LegTarget(reason=cold_reason(seen))
        inventory = self._rebalance(seen, excess)
        sides = list(Side)
        if inventory is not None:
            sides = [Side.BUY if inventory.lots > seen.position_lots else Side.SELL]
        capital = self.parameters.capital
        funds = Funds(base=capital.base + seen.base_change, quote=capital.quote + seen.quote_change)
        rooms: dict[Side, Room] = {Side.BUY: _QuoteRoom(seen, funds.quote), Side.SELL: _BaseRoom(seen, funds.base)}
        quotes = [
            quote for side in sides for quote in layered_quotes(self.parameters, side, seen, rooms[side], shape)
        ]
        return LegTarget(quotes=tuple(quotes), inventory=inventory, funds=funds)

    def _excess(self, seen: LegView) -> Decimal:
        """Base held beyond the target share of the capital's value; negative: missing."""
        return self._base(seen) - self._wealth(seen) * self.parameters.base_target_pct / 100 / _mid(seen)

    def _inventory(self, seen: LegView, excess: Decimal) -> Inventory:
        """Its bounds are all of the capital in quote, and all of it in base."""
        order_size, share = self.parameters.order_size, self.parameters.base_target_pct / 100
        orders = max(Decimal(0), self._wealth(seen) / _mid(seen) / order_size)
        bounds = Bounds(least=-int(orders * share), most=int(orders * (1 - share)))
        return Inventory(excess=float(excess / order_size), bounds=bounds)

    def _rebalance(self, seen: LegView, excess: Decimal) -> InventoryTarget | None:
        parameters = self.parameters
        threshold_pct = parameters.rebalance_threshold_pct
        if threshold_pct is None or abs(excess) * _mid(seen) * 100 <= threshold_pct * self._wealth(seen):
            return None
        return InventoryTarget(
            lots=seen.instrument.lots_within(seen.base_change - excess),
            slippage_bps=parameters.rebalance_slippage_bps,
        )

    def _base(self, seen: LegView) -> Decimal:
        return self.parameters.capital.base + seen.base_change

    def _wealth(self, seen: LegView) -> Decimal:
        """Everything the bot has, in quote."""
        return self._base(seen) * _mid(seen) + self.parameters.capital.quote + seen.quote_change


def _mid(seen: LegView) -> Decimal:
    return seen.instrument.price(seen.bids[0][0] + seen.asks[0][0]) / 2


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
    made = msgspec.convert(parameters, Parameters, strict=False)
    if problem := made.problem():
        raise ValueError(problem)
    return MarketMaker(made)
