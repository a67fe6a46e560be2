"""What a grid's parameters mean in ticks and lots: its price levels, and the cells between them.

Shared by the two grid strategies, which quote the cells, and by the rules, which say before a start that a grid
cannot work. A cell is one round trip: opened at one of its two levels, closed at the other. Its slots say all of
it (side, levels, size), so what a cell holds can be read back from own fills by slot alone, even after its range
or size has been changed.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Self

from msgspec.structs import replace

from engine.model.instrument import Instrument
from engine.model.order import Side
from engine.model.value import Value


class Spacing(StrEnum):
    """Levels the same price apart, or the same percentage."""

    ARITHMETIC = "arithmetic"
    GEOMETRIC = "geometric"


class BoundaryAction(StrEnum):
    """What becomes of a grid once the market is outside its range."""

    HOLD = "hold"
    RECENTER = "recenter"
    STOP = "stop"
    CLOSE_AND_STOP = "close_and_stop"


class Direction(StrEnum):
    """Which side opens: both, around the reference price, or only one."""

    NEUTRAL = "neutral"
    LONG = "long"
    SHORT = "short"


class GridParameters(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters both grids have; their meaning stands in schemas/strategies/."""

    levels: int
    spacing: Spacing
    lower: Decimal | None
    upper: Decimal | None
    auto_range_pct: Decimal | None
    reference_price: Decimal | None
    order_size: Decimal | None
    capital: Decimal | None
    post_only: bool
    boundary_action: BoundaryAction
    boundary_tolerance_pct: Decimal

    def problem(self) -> tuple[str, str] | None:
        """The first field that contradicts another one, and how; None when the grid can be drawn."""
        fixed = self.lower is not None or self.upper is not None
        if fixed and self.auto_range_pct is not None:
            return "auto_range_pct", "give either lower and upper, or auto_range_pct"
        if self.auto_range_pct is None and (self.lower is None or self.upper is None):
            return "levels", "the range is missing: give lower and upper, or auto_range_pct"
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            return "upper", "upper must be above lower"
        if (self.order_size is None) is (self.capital is None):
            return "order_size" if self.order_size is not None else "levels", "give either order_size or capital"
        return None

    @property
    def is_placed(self) -> bool:
        """Whether the parameters alone say the range; else it lies around the first mid that is seen."""
        return self.auto_range_pct is None or self.reference_price is not None

    def placed_around(self, price: Decimal) -> Self:
        """The same range with its middle at another price: as wide, or as wide in percent where it is geometric."""
        if self.lower is None or self.upper is None:
            return replace(self, reference_price=price)
        middle = (self.lower + self.upper) / 2
        lower, upper = self.lower + price - middle, self.upper + price - middle
        if self.spacing is Spacing.GEOMETRIC:
            lower, upper = self.lower * price / middle, self.upper * price / middle
        return replace(self, lower=lower, upper=upper, reference_price=price)

    @property
    def bounds(self) -> tuple[Decimal, Decimal]:
        """The lowest and the highest price."""
        if self.lower is not None and self.upper is not None:
            return self.lower, self.upper
        assert self.auto_range_pct is not None and self.reference_price is not None
        reach = self.reference_price * self.auto_range_pct / 100
        return self.reference_price - reach, self.reference_price + reach

    @property
    def reference(self) -> Decimal:
        """The price below which cells open with a buy, unless only one side opens."""
        return sum(self.bounds) / Decimal(2) if self.reference_price is None else self.reference_price

    def ticks(self, instrument: Instrument) -> list[int]:
        """The levels from low to high, each on the nearest tick; two on one tick are one."""
        lower, upper = self.bounds
        steps = self.levels - 1
        if self.spacing is Spacing.GEOMETRIC:
            prices = [lower * (upper / lower) ** (Decimal(n) / steps) for n in range(self.levels)]
        else:
            prices = [lower + (upper - lower) * n / steps for n in range(self.levels)]
        return sorted({_nearest_tick(price, instrument) for price in prices})


class Cell(Value, frozen=True, kw_only=True):
    """One round trip of `lots` between two levels, opened by `side`; `make_cell` writes the slots."""

    side: Side
    low_ticks: int
    high_ticks: int
    lots: int
    open_slot: str
    close_slot: str

    @property
    def open_ticks(self) -> int:
        return self.low_ticks if self.side is Side.BUY else self.high_ticks

    @property
    def close_ticks(self) -> int:
        return self.high_ticks if self.side is Side.BUY else self.low_ticks

    def overlaps(self, other: Self) -> bool:
        """Whether they work in the same prices; touching at a level is not overlapping."""
        return self.low_ticks < other.high_ticks and other.low_ticks < self.high_ticks


def make_cell(side: Side, low_ticks: int, high_ticks: int, lots: int) -> Cell:
    """A cell with its two slots: a grid of 200 levels needs them at every change of the market."""
    name = f"{side}.{low_ticks}.{high_ticks}.{lots}"
    return Cell(
        side=side,
        low_ticks=low_ticks,
        high_ticks=high_ticks,
        lots=lots,
        open_slot=f"{name}.open",
        close_slot=f"{name}.close",
    )


@lru_cache(maxsize=4096)
def cell_of(slot: str) -> Cell | None:
    """The cell whose opening slot this is; None for every other slot."""
    name, _, action = slot.rpartition(".")
    side, *numbers = name.split(".")
    if action != "open" or side not in list(Side) or len(numbers) != 3 or not all(map(str.isdecimal, numbers)):
        return None
    low_ticks, high_ticks, lots = map(int, numbers)
    return make_cell(Side(side), low_ticks, high_ticks, lots)


@lru_cache(maxsize=4096)
def profit_ticks(slot: str) -> int:
    """What each lot filled in a slot makes of a round trip, in ticks: nothing but when it closes a cell."""
    name, _, action = slot.rpartition(".")
    cell = cell_of(f"{name}.open") if action == "close" else None
    return cell.high_ticks - cell.low_ticks if cell else 0


@lru_cache(maxsize=64)
def cells_of(parameters: GridParameters, direction: Direction, instrument: Instrument) -> tuple[Cell, ...]:
    """Every cell of a grid, from low to high."""
    spans = list(pairwise(parameters.ticks(instrument)))
    reference = parameters.reference
    sides = [_opening_side(direction, instrument.price(low + high) / 2, reference) for low, high in spans]
    opens = [low if side is Side.BUY else high for side, (low, high) in zip(sides, spans, strict=True)]
    size = parameters.order_size
    if size is None:
        assert parameters.capital is not None
        size = parameters.capital / instrument.price(sum(opens)) if opens else Decimal(0)
    lots = instrument.lots_within(size)
    return tuple(
        make_cell(side, low, high, lots)
        for side, (low, high) in zip(sides, spans, strict=True)
        if lots > 0 and low > 0
    )


def _opening_side(direction: Direction, middle: Decimal, reference: Decimal) -> Side:
    if direction is Direction.NEUTRAL:
        return Side.BUY if middle < reference else Side.SELL
    return Side.BUY if direction is Direction.LONG else Side.SELL


def _nearest_tick(price: Decimal, instrument: Instrument) -> int:
    return int((price / instrument.tick_size).to_integral_value(ROUND_HALF_EVEN))
