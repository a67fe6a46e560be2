"""An account's orders as they stood a moment ago: what a venue shows whose lists are behind its matching."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from engine.model.order import OrderStatus
from engine.sim.exchange import Exchange
from engine.sim.orders import ExchangeFill, Order


def orders_as_of(exchange: Exchange, account: str, at_ns: int) -> list[Order]:
    """Every order placed until then, newest first, with what was known of it then."""
    later: dict[int, list[ExchangeFill]] = defaultdict(list)
    for fill in exchange.fills(account):
        if fill.at_ns <= at_ns:
            break
        later[fill.order_id].append(fill)
    orders = exchange.order_history(account)
    return [_as_of(order, later[order.order_id], at_ns) for order in orders if order.placed_ns <= at_ns]


def _as_of(order: Order, later: list[ExchangeFill], at_ns: int) -> Order:
    """What changed it last came after: until then it rested, with fewer fills."""
    if order.updated_ns <= at_ns:
        return order
    return replace(
        order,
        status=OrderStatus.RESTING,
        expiry=None,
        executed_lots=order.executed_lots - sum(fill.lots for fill in later),
        executed_value=order.executed_value - sum(fill.ticks * fill.lots for fill in later),
    )
