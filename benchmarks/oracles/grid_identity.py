"""What a grid must have earned after any walk over its levels, against what the engine's books say it earned.

An arithmetic grid with spacing g (a price) and size w (base), no fees, a walk that stays inside the levels, every
level crossed filled whole at its price. After N crossings that end d levels from the start, marked at the last
level crossed:

    profit = w · g · (N − d²) / 2

Run in full with `python -m benchmarks.oracles.grid_identity`. Everything between the market and the books is the
engine's own: strategy, diff, guard, order lifecycle, accounting. Fills come in pieces, news in any order, and the
process dies now and then.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from random import Random

from benchmarks.oracles.bench import Bench
from engine.model.instrument import Instrument, MarketKind
from engine.model.value import Value

PATHS = 1_000
SEED = 5


class Walk(Value, frozen=True, kw_only=True):
    """One grid and one walk over its levels, as indexes of levels."""

    kind: MarketKind
    lowest_ticks: int
    spacing_ticks: int
    lots: int
    levels: int
    visited: tuple[int, ...]

    @property
    def instrument(self) -> Instrument:
        return Instrument(
            venue="backpack",
            symbol="SOL_USDC_PERP" if self.kind is MarketKind.PERP else "SOL_USDC",
            kind=self.kind,
            base="SOL",
            quote="USDC",
            tick_size=Decimal("0.01"),
            lot_size=Decimal("0.001"),
            min_size=Decimal("0.001"),
        )

    def ticks(self, level: int) -> int:
        return self.lowest_ticks + level * self.spacing_ticks

    @property
    def profit(self) -> Decimal:
        """What the identity says."""
        crossings, net = len(self.visited) - 1, self.visited[-1] - self.visited[0]
        unit = self.instrument.notional(self.spacing_ticks, self.lots)
        return unit * (crossings - net * net) / 2


def random_walk(random: Random) -> Walk:
    """Any grid, any walk inside it."""
    levels = random.randint(2, 24)
    visited = [random.randrange(levels)]
    for _ in range(random.randint(1, 60)):
        steps = [level for level in (visited[-1] - 1, visited[-1] + 1) if 0 <= level < levels]
        visited.append(random.choice(steps))
    return Walk(
        kind=random.choice(list(MarketKind)),
        lowest_ticks=random.randint(5_000, 50_000),
        spacing_ticks=random.randint(3, 250),
        lots=random.randint(1, 5_000),
        levels=levels,
        visited=tuple(visited),
    )


def booked_profit(walk: Walk, random: Random) -> Decimal:
    """What the engine's books say after the walk."""
    bench = Bench(walk.instrument, parameters_of(walk), random)
    bench.start(walk.ticks(walk.visited[0]))
    for level in walk.visited[1:]:
        bench.cross(walk.ticks(level))
    return bench.profit


def parameters_of(walk: Walk) -> dict[str, object]:
    """The strategy's parameters, as an effective document has them."""
    instrument = walk.instrument
    parameters: dict[str, object] = {
        "levels": walk.levels,
        "spacing": "arithmetic",
        "lower": instrument.price_text(walk.ticks(0)),
        "upper": instrument.price_text(walk.ticks(walk.levels - 1)),
        "auto_range_pct": None,
        "reference_price": instrument.price_text(walk.ticks(walk.visited[0])),
        "order_size": instrument.size_text(walk.lots),
        "capital": None,
        "post_only": True,
        "boundary_action": "hold",
        "boundary_tolerance_pct": "0",
    }
    return parameters | ({"direction": "neutral"} if walk.kind is MarketKind.PERP else {})


def main() -> int:
    random, wrong, crossings = Random(SEED), 0, 0
    for n in range(PATHS):
        walk = random_walk(random)
        crossings += len(walk.visited) - 1
        booked = booked_profit(walk, random)
        if booked != walk.profit:
            wrong += 1
            print(f"walk {n}: the books say {booked}, the identity {walk.profit}: {walk}")
    print(f"grid identity: {PATHS - wrong} of {PATHS} walks exact, {crossings} crossings")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
