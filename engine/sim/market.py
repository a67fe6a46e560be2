"""What a simulated market is: its instrument, its bands, its margin, and where its price starts."""

from __future__ import annotations

from decimal import Decimal

from engine.model.instrument import Instrument, MarketKind
from engine.model.value import Value


class MarginFunction(Value, frozen=True, kw_only=True):
    """A margin fraction that grows with the size of a position: max(base, factor × √notional)."""

    base: Decimal
    factor: Decimal

    def fraction(self, notional: Decimal) -> Decimal:
        return max(self.base, self.factor * notional.sqrt())


class PriceBand(Value, frozen=True, kw_only=True):
    """How far prices may go, as multiples: limits from the last price, takers through the opposite best."""

    min_multiplier: Decimal = Decimal("0.75")
    max_multiplier: Decimal = Decimal("1.25")
    min_impact_multiplier: Decimal = Decimal("0.95")
    max_impact_multiplier: Decimal = Decimal("1.05")


class Market(Value, frozen=True, kw_only=True):
    """One market of a simulated exchange. Perps have both margin functions, spot markets neither."""

    instrument: Instrument
    start_price: Decimal
    band: PriceBand = PriceBand()
    initial_margin: MarginFunction | None = None
    maintenance_margin: MarginFunction | None = None
    depth_usd: Decimal = Decimal(2_000)
    """Typical value resting at one price level of the background flow."""

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def is_perp(self) -> bool:
        return self.instrument.kind is MarketKind.PERP

    @property
    def unit(self) -> Decimal:
        """Quote per tick-lot: what one lot costs at a price of one tick."""
        return self.instrument.tick_size * self.instrument.lot_size

    def value(self, tick_lots: int) -> Decimal:
        """Tick-lots as an amount of quote."""
        return self.unit * tick_lots
