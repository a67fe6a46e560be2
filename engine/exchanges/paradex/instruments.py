"""Paradex's market list as instruments."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.exchanges.decimals import exact
from engine.exchanges.paradex.typed_data import SHORT_STRING_MAX
from engine.exchanges.paradex.wire import MarketView
from engine.model.instrument import Instrument, MarketKind

FEES = (Decimal("0"), Decimal("0.00045"))
"""Maker and taker fee of the first Pro tier, for a market that does not tell its own."""


def instruments(markets: Iterable[MarketView]) -> tuple[Instrument, ...]:
    """All perps that trade on a book and whose name can be signed."""
    return tuple(
        _instrument(market)
        for market in markets
        if market.asset_kind == "PERP"
        and market.trading_mode == "STANDARD"
        and len(market.symbol) <= SHORT_STRING_MAX
    )


def same_rules(market: MarketView, instrument: Instrument) -> bool:
    """Whether the venue still has the rules the instrument was made from."""
    now = (market.symbol, exact(market.price_tick_size), exact(market.order_size_increment))
    known = (instrument.symbol, instrument.tick_size, instrument.lot_size)
    return now == known and exact(market.min_notional) == instrument.min_notional


def _instrument(market: MarketView) -> Instrument:
    """The quote is what money is counted in: prices are in USD, gains and fees in the settlement coin."""
    lot_size = _positive(market.order_size_increment)
    maker_fee, taker_fee = _fees(market)
    return Instrument(
        venue="paradex",
        symbol=market.symbol,
        kind=MarketKind.PERP,
        base=market.base_currency,
        quote=market.settlement_currency,
        tick_size=_positive(market.price_tick_size),
        lot_size=lot_size,
        min_size=lot_size,
        min_notional=exact(market.min_notional),
        maker_fee=maker_fee,
        taker_fee=taker_fee,
    )


def _fees(market: MarketView) -> tuple[Decimal, Decimal]:
    own = market.fee_config.api_fee if market.fee_config else None
    return (exact(own.maker_fee.fee), exact(own.taker_fee.fee)) if own else FEES


def _positive(text: str) -> Decimal:
    number = exact(text)
    if number <= 0:
        raise ValueError(f"{text} is no tick or lot size")
    return number
