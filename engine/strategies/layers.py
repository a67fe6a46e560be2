"""From prices to quotes: what both market makers do with a ladder, each with its own idea of room."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from engine.clock import NS_PER_S
from engine.model.order import Side
from engine.model.target import Quote
from engine.strategies.interface import LegView
from engine.strategies.ladder import Ladder, LayerStep, SizeProfile, keep_passive
from engine.strategies.pricing.shape import PricingParameters, Shape


class LayerParameters(PricingParameters, frozen=True, kw_only=True):
    """The parameters every layered quoter has; their meaning stands in schemas/strategies/."""

    layers: int
    layer_step: LayerStep
    size_profile: SizeProfile
    requote_threshold_ticks: int
    post_only: bool
    refill_below: Decimal | None
    requote_interval_s: Decimal | None = None
    """Absent in generations that were written before it existed."""

    @property
    def requote_interval_ns(self) -> int:
        return int((self.requote_interval_s or 0) * NS_PER_S)

    def ladder(self, spread_bps: Decimal) -> Ladder:
        return Ladder(spread_bps=spread_bps, layers=self.layers, step=self.layer_step)


class Room(Protocol):
    """What one side may still add."""

    reduce_only: bool

    def fitting(self, ticks: int, lots: int) -> int:
        """How many of these lots fit at this price."""

    def take(self, ticks: int, lots: int) -> None:
        """They are quoted now: less is left for the layers behind."""


def layered_quotes(parameters: LayerParameters, side: Side, seen: LegView, room: Room, shape: Shape) -> list[Quote]:
    """One side's quotes, nearest first, until room runs out. The view must have both best prices."""
    instrument, best_bid, best_ask = seen.instrument, seen.bids[0][0], seen.asks[0][0]
    order_lots = instrument.lots_within(parameters.order_size)
    quotes = []
    ladder = parameters.ladder(shape.spread_bps)
    for layer, wanted in enumerate(ladder.ticks(side, best_bid + best_ask, skew=shape.skew)):
        ticks = keep_passive(side, wanted, best_bid=best_bid, best_ask=best_ask)
        lots = room.fitting(ticks, order_lots * parameters.size_profile.multiple(layer))
        if lots < instrument.min_lots(ticks):
            break
        room.take(ticks, lots)
        quotes.append(
            Quote(
                slot=f"{'bid' if side is Side.BUY else 'ask'}.{layer}",
                side=side,
                ticks=ticks,
                lots=lots,
                post_only=parameters.post_only,
                reduce_only=room.reduce_only,
                refill_below=parameters.refill_below,
            )
        )
    return quotes
