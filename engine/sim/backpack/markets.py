"""The simulated Backpack's markets, with grids and margins as the documentation's samples have them."""

from __future__ import annotations

from decimal import Decimal

from engine.exchanges.backpack import wire, wire_markets
from engine.model.instrument import Instrument, MarketKind, plain
from engine.sim.market import MarginFunction, Market

VENUE = "backpack"
SPOT_FEES = (Decimal("0.0008"), Decimal("0.001"))
PERP_FEES = (Decimal("0.0002"), Decimal("0.0005"))
"""(maker, taker) of the first tier."""
CREATED_AT = "2025-01-21T06:34:54.691858"
FUNDING_INTERVAL_MS = 3_600_000


def _spot(base: str, *, tick: str, step: str, price: str) -> Market:
    return Market(instrument=_instrument(base, MarketKind.SPOT, tick, step), start_price=Decimal(price))


def _perp(base: str, *, tick: str, step: str, price: str, margins: tuple[str, str, str, str]) -> Market:
    initial_base, initial_factor, maintenance_base, maintenance_factor = map(Decimal, margins)
    return Market(
        instrument=_instrument(base, MarketKind.PERP, tick, step),
        start_price=Decimal(price),
        initial_margin=MarginFunction(base=initial_base, factor=initial_factor),
        maintenance_margin=MarginFunction(base=maintenance_base, factor=maintenance_factor),
    )


def _instrument(base: str, kind: MarketKind, tick: str, step: str) -> Instrument:
    maker_fee, taker_fee = PERP_FEES if kind is MarketKind.PERP else SPOT_FEES
    return Instrument(
        venue=VENUE,
        symbol=f"{base}_USDC_PERP" if kind is MarketKind.PERP else f"{base}_USDC",
        kind=kind,
        base=base,
        quote="USDC",
        tick_size=Decimal(tick),
        lot_size=Decimal(step),
        min_size=Decimal(step),
        maker_fee=maker_fee,
        taker_fee=taker_fee,
    )


MARKETS = (
    _spot("SOL", tick="0.01", step="0.01", price="180.50"),
    _spot("ETH", tick="0.01", step="0.0001", price="3800.00"),
    _spot("BTC", tick="0.1", step="0.00001", price="86700.0"),
    _spot("PEPE", tick="0.000000001", step="1000", price="0.000012345"),
    _perp("SOL", tick="0.01", step="0.01", price="180.60", margins=("0.02", "0.00006", "0.0135", "0.000036")),
    _perp("ETH", tick="0.01", step="0.0001", price="3801.00", margins=("0.02", "0.0000935", "0.0125", "0.0000561")),
    _perp("BTC", tick="0.1", step="0.00001", price="86720.0", margins=("0.02", "0.00006", "0.0125", "0.000036")),
)
"""PEPE is there for its price: eight decimals and more must stay plain text, never an exponent."""


def wire_market(market: Market) -> wire_markets.Market:
    """A market as GET /api/v1/markets shows it."""
    instrument, is_perp = market.instrument, market.is_perp
    return wire_markets.Market(
        symbol=market.symbol,
        base_symbol=instrument.base,
        quote_symbol=instrument.quote,
        market_type="PERP" if is_perp else "SPOT",
        filters=wire_markets.MarketFilters(price=_price_filter(market), quantity=_quantity_filter(instrument)),
        imf_function=wire_margin(market.initial_margin),
        mmf_function=wire_margin(market.maintenance_margin),
        funding_interval=FUNDING_INTERVAL_MS if is_perp else None,
        funding_rate_upper_bound="100" if is_perp else None,
        funding_rate_lower_bound="-100" if is_perp else None,
        open_interest_limit="4000000" if is_perp else "0",
        order_book_state="Open",
        created_at=CREATED_AT,
        position_limit_weight="1" if is_perp else None,
    )


def wire_margin(function: MarginFunction | None) -> wire.MarginFunction | None:
    if function is None:
        return None
    return wire.MarginFunction(type="sqrt", base=plain(function.base), factor=plain(function.factor))


def wire_assets() -> list[dict[str, object]]:
    """Assets without any blockchain: nothing can be deposited or withdrawn here."""
    symbols = sorted({asset for one in MARKETS for asset in (one.instrument.base, one.instrument.quote)})
    return [{"symbol": symbol, "displayName": symbol, "coingeckoId": None, "tokens": []} for symbol in symbols]


def _price_filter(market: Market) -> wire_markets.PriceFilter:
    band = market.band
    return wire_markets.PriceFilter(
        min_price=plain(market.instrument.tick_size),
        tick_size=plain(market.instrument.tick_size),
        max_multiplier=plain(band.max_multiplier),
        min_multiplier=plain(band.min_multiplier),
        max_impact_multiplier=plain(band.max_impact_multiplier),
        min_impact_multiplier=plain(band.min_impact_multiplier),
    )


def _quantity_filter(instrument: Instrument) -> wire_markets.QuantityFilter:
    return wire_markets.QuantityFilter(
        min_quantity=plain(instrument.min_size), step_size=plain(instrument.lot_size)
    )
