"""Lighter's market list as instruments. Orders name a market by its number, so that travels along."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.exchanges.decimals import MAX_EXPONENT, exact
from engine.exchanges.lighter.wire import MarketView
from engine.model.instrument import Instrument, MarketKind

QUOTE = "USDC"
PERCENT = Decimal("0.01")
_PERP, _ACTIVE = "perp", "active"


def instruments(markets: Iterable[MarketView]) -> tuple[Instrument, ...]:
    """All active perps. A symbol is the base's name alone; spot markets and options trade by other rules."""
    return tuple(
        _instrument(market) for market in markets if market.market_type == _PERP and market.status == _ACTIVE
    )


def same_rules(market: MarketView, instrument: Instrument) -> bool:
    """Whether the venue still has the rules the instrument was made from."""
    now = _instrument(market)
    return (now.tick_size, now.lot_size, now.min_size, now.min_notional) == (
        instrument.tick_size,
        instrument.lot_size,
        instrument.min_size,
        instrument.min_notional,
    )


def _instrument(market: MarketView) -> Instrument:
    return Instrument(
        venue="lighter",
        symbol=market.symbol,
        kind=MarketKind.PERP,
        base=market.symbol,
        quote=QUOTE,
        tick_size=_step(market.price_decimals),
        lot_size=_step(market.size_decimals),
        min_size=exact(market.min_base_amount),
        min_notional=exact(market.min_quote_amount),
        maker_fee=exact(market.maker_fee) * PERCENT,
        taker_fee=exact(market.taker_fee) * PERCENT,
        venue_code=str(market.market_id),
    )


def _step(decimals: int) -> Decimal:
    if not 0 <= decimals <= MAX_EXPONENT:
        raise ValueError(f"a market of {decimals} decimals")
    return Decimal(1).scaleb(-decimals)
