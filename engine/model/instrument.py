"""What a venue lets one trade, and the only place where decimals become ticks and lots."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from engine.model.value import Value


class MarketKind(StrEnum):
    SPOT = "spot"
    PERP = "perp"


class Instrument(Value, frozen=True, kw_only=True):
    """One market of one venue. Prices count in ticks and sizes in lots, both integers, inside the step.

    `tick_size` is in quote per base, `lot_size` and `min_size` in base, `min_notional` in quote. `venue_code` is
    the venue's own number for the market where its wire does not speak symbols. `reduces_any_notional`: an order
    that can only reduce need not be worth the min notional.
    """

    venue: str
    symbol: str
    kind: MarketKind
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    min_size: Decimal
    min_notional: Decimal = Decimal(0)
    maker_fee: Decimal = Decimal(0)
    taker_fee: Decimal = Decimal(0)
    venue_code: str = ""
    reduces_any_notional: bool = False

    def price(self, ticks: int) -> Decimal:
        """Ticks as a price in quote per base."""
        return self.tick_size * ticks

    def size(self, lots: int) -> Decimal:
        """Lots as a size in base."""
        return self.lot_size * lots

    def notional(self, ticks: int, lots: int) -> Decimal:
        """Value in quote of `lots` at `ticks`."""
        return self.tick_size * ticks * (self.lot_size * lots)

    def ticks_exact(self, price: Decimal) -> int:
        """The ticks of a price that lies on the grid; ValueError when it does not."""
        return _exact(price, self.tick_size, "price", "tick size")

    def lots_exact(self, size: Decimal) -> int:
        """The lots of a size that lies on the grid; ValueError when it does not."""
        return _exact(size, self.lot_size, "size", "lot size")

    def ticks_below(self, price: Decimal) -> int:
        """The highest tick not above `price`: where a bid may stand."""
        return int((price / self.tick_size).to_integral_value(ROUND_FLOOR))

    def ticks_above(self, price: Decimal) -> int:
        """The lowest tick not below `price`: where an ask may stand."""
        return _ceiling(price / self.tick_size)

    def lots_within(self, size: Decimal) -> int:
        """The most lots that fit in `size`."""
        return int((size / self.lot_size).to_integral_value(ROUND_FLOOR))

    def lots_covering(self, size: Decimal) -> int:
        """The fewest lots that `size` fits in."""
        return _ceiling(size / self.lot_size)

    def price_text(self, ticks: int) -> str:
        """A plain decimal on the tick, never an exponent: `0.00001234`."""
        return plain(self.price(ticks))

    def size_text(self, lots: int) -> str:
        """A plain decimal on the lot, never an exponent."""
        return plain(self.size(lots))

    def min_lots(self, ticks: int, *, reduces: bool = False) -> int:
        """The smallest order the venue takes at this price, in lots; `reduces`: of those that can only reduce."""
        lots = _ceiling(self.min_size / self.lot_size)
        if self.min_notional and ticks > 0 and not (reduces and self.reduces_any_notional):
            lots = max(lots, _ceiling(self.min_notional / self.notional(ticks, 1)))
        return max(lots, 1)


def plain(number: Decimal) -> str:
    """A decimal as venues want it: no exponent, no trailing zeros after the point."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _ceiling(number: Decimal) -> int:
    return int(number.to_integral_value(ROUND_CEILING))


def _exact(number: Decimal, grid: Decimal, what: str, grid_name: str) -> int:
    count = number / grid
    if count != count.to_integral_value():
        raise ValueError(f"{what} {plain(number)} is not a multiple of the {grid_name} {plain(grid)}")
    return int(count)
