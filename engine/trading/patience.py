"""Quotes that move no more often than their strategy wants: an order that was put where it is just now stays there.

Only prices wait. What must not rest is taken away at once, and what is missing is placed at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from engine.model.target import Quote
from engine.trading.lifecycle import OwnOrder


def patient(quotes: Sequence[Quote], live: Mapping[str, Sequence[OwnOrder]], since_ns: int) -> tuple[Quote, ...]:
    """The quotes, each at the price where an order of its slot was put after `since_ns`, if one was."""
    return tuple(_patient(quote, live.get(quote.slot, ()), since_ns) for quote in quotes)


def next_move_ns(orders: Iterable[OwnOrder], interval_ns: int, now_ns: int) -> int | None:
    """When the first of these orders may move that may not now."""
    return min((due for order in orders if (due := order.put_ns + interval_ns) > now_ns), default=None)


def _patient(quote: Quote, orders: Sequence[OwnOrder], since_ns: int) -> Quote:
    newest = max(orders, key=lambda order: order.put_ns, default=None)
    if newest is None or newest.put_ns <= since_ns:
        return quote
    return replace(quote, ticks=newest.request.ticks)
