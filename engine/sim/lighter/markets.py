"""The simulated Lighter's perps. A symbol is the base's name, a market is known by its number."""

from __future__ import annotations

from decimal import Decimal

from engine.model.instrument import Instrument, MarketKind
from engine.sim.market import MarginFunction, Market

VENUE, COLLATERAL = "lighter", "USDC"
INITIAL_MARGIN, MAINTENANCE_MARGIN = Decimal("0.02"), Decimal("0.012")


def _perp(number: int, base: str, *, price_decimals: int, size_decimals: int, min_size: str, price: str) -> Market:
    """A standard account pays no fees."""
    instrument = Instrument(
        venue=VENUE,
        symbol=base,
        kind=MarketKind.PERP,
        base=base,
        quote=COLLATERAL,
        tick_size=Decimal(1).scaleb(-price_decimals),
        lot_size=Decimal(1).scaleb(-size_decimals),
        min_size=Decimal(min_size),
        min_notional=Decimal(10),
        venue_code=str(number),
    )
    return Market(
        instrument=instrument,
        start_price=Decimal(price),
        initial_margin=MarginFunction(base=INITIAL_MARGIN, factor=Decimal(0)),
        maintenance_margin=MarginFunction(base=MAINTENANCE_MARGIN, factor=Decimal(0)),
    )


MARKETS = (
    _perp(0, "ETH", price_decimals=2, size_decimals=4, min_size="0.0050", price="3801.00"),
    _perp(1, "BTC", price_decimals=1, size_decimals=5, min_size="0.00020", price="86720.0"),
    _perp(2, "SOL", price_decimals=3, size_decimals=3, min_size="0.050", price="180.600"),
    _perp(35, "LTC", price_decimals=3, size_decimals=3, min_size="0.050", price="92.300"),
)
