"""Making on one leg, hedged on the other: post-only orders at the touch, and each fill mirrored by taking.

What is to be hedged is the sum of what own fills left on both legs, in exact base units. It is not remembered but
seen, so it is the same after a restart, and less than the smallest order adds up until it is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from engine.model.instrument import MarketKind
from engine.model.order import Side
from engine.model.target import InventoryTarget, LegTarget, Quote, Target
from engine.model.value import Value
from engine.strategies.interface import BPS, HedgeRule, LegView, View

MAKER, HEDGE = "maker", "hedge"
HEDGES_AHEAD = 4
"""Room for so many hedges must be left before anything is quoted: both sides may fill, and each be tried again."""


class Parameters(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Checked by schemas/strategies/maker_taker_hedge.schema.json, where every field is described."""

    order_size: Decimal
    offset_ticks: int
    min_edge_bps: Decimal | None
    requote_threshold_ticks: int
    refill_below: Decimal | None
    hedge_slippage_bps: Decimal
    hedge_leverage: Decimal
    max_unhedged: Decimal
    escalate_after_s: Decimal


class MakerTakerHedge:
    """Two legs, each spot or perp; the hedge leg's position is minus the maker leg's."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.requote_threshold_ticks = parameters.requote_threshold_ticks
        self.hedging = HedgeRule(
            maker=MAKER,
            hedge=HEDGE,
            slippage_bps=parameters.hedge_slippage_bps,
            max_unhedged=parameters.max_unhedged,
            escalate_after_s=parameters.escalate_after_s,
        )

    def target(self, view: View) -> Target:
        """Quotes on both sides of the maker leg, as far as their fills could be hedged at once."""
        maker, hedge = view.legs[MAKER], view.legs[HEDGE]
        reason = self._why_not(maker, hedge)
        quotes = [] if reason else [quote for side in Side if (quote := self._quote(side, maker, hedge))]
        if not quotes and not reason:
            reason = "position limit, or too little free on the hedge account"
        return {MAKER: LegTarget(quotes=tuple(quotes), reason=reason), **self.owed(view)}

    def owed(self, view: View) -> Target:
        """The hedge leg mirrors what the maker leg holds, in whole lots of its own."""
        hedge = view.legs[HEDGE]
        inventory = InventoryTarget(
            lots=hedge.position_lots - _open_lots(view.legs[MAKER], hedge),
            slippage_bps=self.hedging.slippage_bps,
        )
        return {HEDGE: LegTarget(inventory=inventory)}

    def _why_not(self, maker: LegView, hedge: LegView) -> str:
        """What forbids every quote; empty when nothing does."""
        if not all((maker.bids, maker.asks, hedge.bids, hedge.asks)):
            return "a side of a book is empty"
        if hedge.takes_left < HEDGES_AHEAD:
            return "too little request budget or order rate left to hedge"
        if hedge.available is None:
            return "what the hedge account has free is unknown"
        due = abs(_open_lots(maker, hedge)) >= self.hedging.least_lots(hedge.instrument, hedge.bids)
        if due and hedge.take_refused:
            return f"the last hedge was refused: {hedge.take_refused}"
        return ""

    def _quote(self, side: Side, maker: LegView, hedge: LegView) -> Quote | None:
        parameters, instrument = self.parameters, maker.instrument
        ticks = self._ticks(side, maker, hedge)
        lots = min(instrument.lots_within(parameters.order_size), _room(side, maker, hedge))
        if ticks < 1 or lots < instrument.min_lots(ticks):
            return None
        if not self._could_hedge(side.opposite, instrument.size(lots), hedge):
            return None
        slot = "bid" if side is Side.BUY else "ask"
        return Quote(slot=slot, side=side, ticks=ticks, lots=lots, refill_below=parameters.refill_below)

    def _ticks(self, side: Side, maker: LegView, hedge: LegView) -> int:
        """At the touch, or so far behind it that hedging at once would leave the least edge after both fees."""
        parameters, instrument = self.parameters, maker.instrument
        buying = side is Side.BUY
        touch = (maker.bids if buying else maker.asks)[0][0] - side.sign * parameters.offset_ticks
        if parameters.min_edge_bps is None:
            return touch
        far = hedge.instrument.price((hedge.bids if buying else hedge.asks)[0][0])
        edge, fee = parameters.min_edge_bps / BPS, hedge.instrument.taker_fee
        worst = far * (1 - side.sign * fee) / (1 + side.sign * (instrument.maker_fee + edge))
        return min(touch, instrument.ticks_below(worst)) if buying else max(touch, instrument.ticks_above(worst))

    def _could_hedge(self, side: Side, size: Decimal, hedge: LegView) -> bool:
        """Whether the hedge account has what an order of this side and size takes."""
        available, instrument = hedge.available or {}, hedge.instrument
        price = instrument.price((hedge.asks if side is Side.BUY else hedge.bids)[0][0])
        if instrument.kind is MarketKind.SPOT:
            needed = (instrument.quote, size * price) if side is Side.BUY else (instrument.base, size)
            return available.get(needed[0], Decimal(0)) >= needed[1]
        adding = size if hedge.held_base * side.sign >= 0 else max(Decimal(0), size - abs(hedge.held_base))
        return _free_margin(available, instrument.quote) * self.parameters.hedge_leverage >= adding * price


def _open_lots(maker: LegView, hedge: LegView) -> int:
    """Signed lots of the hedge leg that are not hedged; a part of a lot waits."""
    residual = maker.held_base + hedge.held_base
    lots = hedge.instrument.lots_within(abs(residual))
    return lots if residual > 0 else -lots


def _room(side: Side, maker: LegView, hedge: LegView) -> int:
    """What the position limit leaves to a side, by what the maker leg holds and by what the hedge leg mirrors. The
    schema asks for a limit; without one nothing is quoted."""
    instrument = maker.instrument
    if maker.max_position_lots is None:
        return 0
    held = max(maker.held_base * side.sign, -hedge.held_base * side.sign)
    return instrument.lots_within(instrument.size(maker.max_position_lots) - held)


def _free_margin(available: Mapping[str, Decimal], quote: str) -> Decimal:
    """Free collateral; where a venue names its only one otherwise than the market's quote asset, it is that one."""
    if quote not in available and len(available) == 1:
        return next(iter(available.values()))
    return available.get(quote, Decimal(0))


def build(parameters: Mapping[str, Any]) -> MakerTakerHedge:
    """The strategy from an effective document's parameters."""
    return MakerTakerHedge(msgspec.convert(parameters, Parameters, strict=False))
