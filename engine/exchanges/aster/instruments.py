"""Aster's exchange information as instruments."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.exchanges.aster.apis import VENUE_NAMES
from engine.exchanges.aster.wire import Filter, SymbolView
from engine.exchanges.decimals import exact
from engine.model.instrument import Instrument, MarketKind

PERPETUAL, TRADING = "PERPETUAL", "TRADING"
_INTERNAL = "TEST"
"""Symbols that begin so are the venue's own test markets."""

FEES = {
    MarketKind.PERP: (Decimal("0.0001"), Decimal("0.00035")),
    MarketKind.SPOT: (Decimal("0.0004"), Decimal("0.0010")),
}
"""Maker and taker fee to reckon with before trading: the list of markets has none, and what an account really pays
stands in every fill. Perps as captured from an account, spot at the public rate."""


def instruments(kind: MarketKind, symbols: Iterable[SymbolView]) -> tuple[Instrument, ...]:
    """All markets of one API that trade; those that are internal, without assets or dated are left out."""
    return tuple(
        _instrument(kind, symbol)
        for symbol in symbols
        if symbol.status == TRADING
        and symbol.base_asset
        and not symbol.symbol.startswith(_INTERNAL)
        and (symbol.contract_type == PERPETUAL) is (kind is MarketKind.PERP)
    )


def same_rules(now: Instrument, known: Instrument) -> bool:
    """Whether the venue still has the rules an instrument was made from."""
    return (now.tick_size, now.lot_size, now.min_size, now.min_notional) == (
        known.tick_size,
        known.lot_size,
        known.min_size,
        known.min_notional,
    )


def _instrument(kind: MarketKind, symbol: SymbolView) -> Instrument:
    filters = {one.filter_type: one for one in symbol.filters}
    price, size = _filter(filters, "PRICE_FILTER"), _filter(filters, "LOT_SIZE")
    maker_fee, taker_fee = FEES[kind]
    return Instrument(
        venue=VENUE_NAMES[kind],
        symbol=symbol.symbol,
        kind=kind,
        base=symbol.base_asset,
        quote=symbol.quote_asset,
        tick_size=_positive(price.tick_size),
        lot_size=_positive(size.step_size),
        min_size=exact(str(size.min_qty)),
        min_notional=_min_notional(filters),
        maker_fee=maker_fee,
        taker_fee=taker_fee,
        reduces_any_notional=kind is MarketKind.PERP,
    )


def _filter(filters: dict[str, Filter], name: str) -> Filter:
    if name not in filters:
        raise ValueError(f"a market without {name}")
    return filters[name]


def _min_notional(filters: dict[str, Filter]) -> Decimal:
    """The strictest of the filters that speak of it, in either spelling."""
    least = Decimal(0)
    for name in ("MIN_NOTIONAL", "NOTIONAL"):
        if name in filters:
            for text in (filters[name].notional, filters[name].min_notional):
                least = max(least, exact(text)) if isinstance(text, str) else least
    return least


def _positive(text: object) -> Decimal:
    number = exact(str(text))
    if number <= 0:
        raise ValueError(f"{text} is no tick or lot size")
    return number
