"""What a strategy is shown of a leg."""

from __future__ import annotations

from engine.model.order import Side
from engine.strategies.interface import LegView
from engine.trading.leg import Leg


def leg_view(leg: Leg, now_ns: int, *, takes: int) -> LegView:
    """`takes`: how many orders that take the request budget has room for."""
    books = leg.accounting
    rate_left = leg.guard.orders_per_minute - leg.sent.last_minute(now_ns)
    return LegView(
        instrument=leg.instrument,
        bids=leg.others(Side.BUY, now_ns),
        asks=leg.others(Side.SELL, now_ns),
        mark=leg.mark,
        position_lots=leg.held_lots,
        max_position_lots=leg.guard.max_position_lots,
        base_change=books.base_change,
        quote_change=books.quote_change,
        executed_lots=books.executed_lots,
        memo=leg.memo,
        recent_mids=leg.mids.until(now_ns),
        funding_rate=leg.funding_rate,
        takes_left=max(0, min(takes, rate_left)),
        take_refused=leg.take_refused,
        available=leg.available,
    )
