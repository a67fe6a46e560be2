"""Backpack's market list as instruments."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.exchanges.backpack.wire_markets import MarketView
from engine.exchanges.decimals import exact
from engine.model.instrument import Instrument, MarketKind

KINDS = {"SPOT": MarketKind.SPOT, "PERP": MarketKind.PERP}
"""Other market types (dated, prediction, RFQ) trade by other rules."""

FEES = {
    MarketKind.SPOT: (Decimal("0.0008"), Decimal("0.0010")),
    MarketKind.PERP: (Decimal("0.0002"), Decimal("0.0005")),
}
"""Maker and taker fee of the first tier. The market list has no fees and an account's own tier can only be
better, so this is what to reckon with before trading; what was really paid stands in every fill."""

CLOSED = "Closed"


def instruments(markets: Iterable[MarketView]) -> tuple[Instrument, ...]:
    """All visible spot and perp markets that are not closed."""
    return tuple(
        _instrument(market)
        for market in markets
        if market.market_type in KINDS and market.visible and market.order_book_state != CLOSED
    )


def same_rules(market: MarketView, instrument: Instrument) -> bool:
    """Whether the venue still has the rules the instrument was made from."""
    price, quantity = market.filters.price, market.filters.quantity
    now = (exact(price.tick_size), exact(quantity.step_size), exact(quantity.min_quantity))
    return now == (instrument.tick_size, instrument.lot_size, instrument.min_size)


def _instrument(market: MarketView) -> Instrument:
    kind = KINDS[market.market_type]
    maker_fee, taker_fee = FEES[kind]
    return Instrument(
        venue="backpack",
        symbol=market.symbol,
        kind=kind,
        base=market.base_symbol,
        quote=market.quote_symbol,
        tick_size=_positive(market.filters.price.tick_size),
        lot_size=_positive(market.filters.quantity.step_size),
        min_size=exact(market.filters.quantity.min_quantity),
        maker_fee=maker_fee,
        taker_fee=taker_fee,
    )


def _positive(text: str) -> Decimal:
    number = exact(text)
    if number <= 0:
        raise ValueError(f"{text} is no tick or lot size")
    return number
