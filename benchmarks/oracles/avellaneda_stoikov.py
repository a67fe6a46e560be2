"""The engine's Avellaneda-Stoikov quotes in the market of the paper, against the paper's own table.

M. Avellaneda and S. Stoikov, "High-frequency trading in a limit order book", Quantitative Finance 8 (2008), section
3.3: a mid that steps by sigma·sqrt(dt) either way, fills with probability lambda(delta)·dt on each side, and a day
of 200 steps. *Inventory* quotes around the reservation price, *symmetric* around the mid, all day with the spread
that the other has on average. No book, no ticks and no post-only here: what is judged is the pricing function. Run
in full with `python -m benchmarks.oracles.avellaneda_stoikov`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from math import exp, sqrt
from random import Random
from statistics import fmean, stdev

from engine.model.value import Value
from engine.strategies.pricing.avellaneda_stoikov import Offsets, Taste, offsets

MID, DAY, SIGMA, DT = 100.0, 1.0, 2.0, 0.005
ARRIVAL_RATE, LIQUIDITY = 140.0, 1.5
STEPS = round(DAY / DT)
PATHS = 20_000
SEED = 2008
PROFIT_WITHIN, DEVIATION_WITHIN = 0.015, 0.08


class Row(Value, frozen=True, kw_only=True):
    """One line of the paper's tables. `clamped`: no quote is placed beyond the mid, which the paper allows."""

    risk_aversion: float
    symmetric: bool
    clamped: bool = False
    spread: float
    profit: float
    deviation: float
    inventory_deviation: float

    @property
    def name(self) -> str:
        kind = "symmetric" if self.symmetric else "inventory"
        return f"gamma {self.risk_aversion:<4g} {kind}" + (", kept at the mid" if self.clamped else "")


def row(gamma: float, kind: str, *figures: float, clamped: bool = False) -> Row:
    spread, profit, deviation, inventory = figures
    return Row(
        risk_aversion=gamma,
        symmetric=kind == "symmetric",
        clamped=clamped,
        spread=spread,
        profit=profit,
        deviation=deviation,
        inventory_deviation=inventory,
    )


PUBLISHED = (
    row(0.1, "inventory", 1.49, 65.0, 6.6, 2.9),
    row(0.1, "symmetric", 1.49, 68.4, 12.7, 8.4),
    row(0.01, "inventory", 1.35, 68.6, 8.7, 5.1),
    row(0.01, "symmetric", 1.35, 68.8, 12.8, 8.7),
    row(1, "inventory", 3.02, 31.4, 5.0, 1.7),
    row(1, "symmetric", 3.02, 44.0, 11.0, 5.1),
)
KEPT_AT_THE_MID = row(1, "inventory", 3.02, 31.4, 5.0, 1.7, clamped=True)
"""Shown beside the table and judged by nothing: the paper's own quotes pass the mid in one step of twenty."""


class Outcome(Value, frozen=True, kw_only=True):
    """What many days made, in the paper's columns."""

    spread: float
    profit: float
    deviation: float
    inventory_deviation: float

    def misses(self, published: Row) -> Iterator[str]:
        """In which columns it is not the paper's."""
        for name, bound in (
            ("profit", PROFIT_WITHIN),
            ("deviation", DEVIATION_WITHIN),
            ("inventory_deviation", DEVIATION_WITHIN),
        ):
            ours, theirs = getattr(self, name), getattr(published, name)
            if abs(ours / theirs - 1) > bound:
                yield f"{name} {ours:.2f} instead of {theirs}"
        if abs(self.spread - published.spread) > 0.005:
            yield f"spread {self.spread:.3f} instead of {published.spread}"


class Quoter:
    """The engine's quotes by time left and inventory, with the chance of each to be filled; kept, for speed."""

    def __init__(self, wanted: Row) -> None:
        self._row = wanted
        self._taste = Taste(risk_aversion=wanted.risk_aversion, liquidity=LIQUIDITY)
        self._known: list[dict[int, tuple[float, float, float, float]]] = [{} for _ in range(STEPS)]

    def quotes(self, step: int, inventory: int) -> tuple[float, float, float, float]:
        """Offset of the bid, of the ask, and the probabilities that they fill within the step."""
        known = self._known[step]
        if inventory not in known:
            at = self.offsets(step, inventory)
            known[inventory] = (at.bid, at.ask, _probability(at.bid), _probability(at.ask))
        return known[inventory]

    def offsets(self, step: int, inventory: int) -> Offsets:
        wanted = self._row
        if wanted.symmetric:
            return self.on_average
        at = offsets(self._taste, volatility=SIGMA, left_s=DAY - step * DT, inventory=inventory)
        return Offsets(bid=max(0.0, at.bid), ask=max(0.0, at.ask)) if wanted.clamped else at

    @property
    def on_average(self) -> Offsets:
        """The quotes without inventory at midday: the spread falls evenly over the day."""
        return offsets(self._taste, volatility=SIGMA, left_s=DAY / 2, inventory=0)


def _probability(offset: float) -> float:
    return min(1.0, ARRIVAL_RATE * exp(-LIQUIDITY * offset) * DT)


def simulate(wanted: Row, paths: int, random: Random) -> Outcome:
    """Many days of the paper's market."""
    quoter = Quoter(wanted)
    days = [_day(quoter, random) for _ in range(paths)]
    profits, inventories = [profit for profit, _ in days], [inventory for _, inventory in days]
    return Outcome(
        spread=quoter.on_average.bid + quoter.on_average.ask,
        profit=fmean(profits),
        deviation=stdev(profits),
        inventory_deviation=stdev(inventories),
    )


def _day(quoter: Quoter, random: Random) -> tuple[float, int]:
    """Cash and inventory at the end, the inventory valued at the last mid."""
    draw, jump = random.random, SIGMA * sqrt(DT)
    mid, cash, inventory = MID, 0.0, 0
    for step in range(STEPS):
        bid, ask, bid_fills, ask_fills = quoter.quotes(step, inventory)
        bought, sold = draw() < bid_fills, draw() < ask_fills
        cash += (mid + ask) * sold - (mid - bid) * bought
        inventory += bought - sold
        mid += jump if draw() < 0.5 else -jump
    return cash + inventory * mid, inventory


def _columns(ours: Outcome, published: Row) -> str:
    return (
        f"{ours.spread:.2f}/{published.spread:<4.2f} {ours.profit:.1f}/{published.profit:<4.1f}"
        f" {ours.deviation:4.1f}/{published.deviation:<4.1f}"
        f" {ours.inventory_deviation:.1f}/{published.inventory_deviation:.1f} "
    )


def main() -> int:
    random, wrong = Random(SEED), 0
    print(f"{'avellaneda-stoikov, ours/published':<37} spread    profit    std      std q")
    for published in (*PUBLISHED, KEPT_AT_THE_MID):
        ours = simulate(published, PATHS, random)
        misses = [] if published.clamped else list(ours.misses(published))
        wrong += bool(misses)
        verdict = "not judged" if published.clamped else "; ".join(misses) or "fine"
        print(f"  {published.name:<35} {_columns(ours, published)} {verdict}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
