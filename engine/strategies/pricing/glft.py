"""Optimal quotes of the same maker when no end is in sight.

O. Guéant, C.-A. Lehalle and J. Fernandez-Tapia, "Dealing with the inventory risk", Mathematics and Financial
Economics 7 (2013): with a bounded inventory the quotes settle, away from the end of time, on those of an
eigenvector, which their closed form approximates.
"""

from __future__ import annotations

import math
from functools import lru_cache

from engine.model.value import Value
from engine.strategies.pricing.avellaneda_stoikov import Offsets, Taste

PRECISION = 1e-12
MOST_ROUNDS = 500
SMALLEST = 1e-300
"""Where a market is so wild that a full inventory has no weight left at all, its logarithm must still exist."""
LEAST_RISK = 1e-9
"""Relative to fills: a market that does not move at all has no inventory risk, and no quotes to settle on."""


class Flow(Value, frozen=True, kw_only=True):
    """A market: `volatility` per root of a second; `arrival_rate`, the paper's A, fills a second at the mid."""

    volatility: float
    arrival_rate: float


def slope(taste: Taste, flow: Flow) -> float:
    """By how much one order of inventory moves both quotes, in the closed form."""
    gamma, k = taste.risk_aversion, taste.liquidity
    crowding = (1 + gamma / k) ** (1 + k / gamma)
    return math.sqrt(flow.volatility**2 * gamma / (2 * k * flow.arrival_rate) * crowding)


def closed_form(taste: Taste, flow: Flow, inventory: float) -> Offsets:
    """The approximation, for any inventory."""
    step = slope(taste, flow)
    return Offsets(
        bid=taste.edge + step * (2 * inventory + 1) / 2,
        ask=taste.edge - step * (2 * inventory - 1) / 2,
    )


class Bounds(Value, frozen=True, kw_only=True):
    """From which to which inventory a maker may go, in whole orders; `least` below `most`."""

    least: int
    most: int


def asymptotic(taste: Taste, flow: Flow, inventory: float, bounds: Bounds) -> Offsets:
    """The exact quotes for a bounded inventory, linear between whole orders."""
    lower = max(bounds.least, min(bounds.most - 1, math.floor(inventory)))
    part = max(0.0, min(1.0, inventory - lower))
    below, above = (_at_whole(taste, flow, whole, bounds) for whole in (lower, lower + 1))
    return Offsets(bid=below.bid + (above.bid - below.bid) * part, ask=below.ask + (above.ask - below.ask) * part)


def _at_whole(taste: Taste, flow: Flow, inventory: int, bounds: Bounds) -> Offsets:
    """At a full inventory the adding side has no quote: its distance is that of the order before."""
    values = _log_values(taste, flow, bounds)
    bought = min(inventory, bounds.most - 1) - bounds.least
    sold = max(inventory, bounds.least + 1) - bounds.least
    return Offsets(
        bid=taste.edge + (values[bought] - values[bought + 1]) / taste.liquidity,
        ask=taste.edge + (values[sold] - values[sold - 1]) / taste.liquidity,
    )


@lru_cache(maxsize=16)
def _log_values(taste: Taste, flow: Flow, bounds: Bounds) -> tuple[float, ...]:
    """The logarithm of the eigenvector of the smallest eigenvalue, from the least inventory to the most.

    The matrix has alpha·q² on its diagonal and -1 beside it, in units of the fill rate. With 2 added to its
    diagonal it is positive definite, and inverse iteration finds the vector in a few dozen rounds.
    """
    gamma, k = taste.risk_aversion, taste.liquidity
    fills = flow.arrival_rate * (1 + gamma / k) ** -(1 + k / gamma)
    alpha = max(LEAST_RISK, k * gamma * flow.volatility**2 / 2 / fills)
    diagonal = [2 + alpha * q * q for q in range(bounds.least, bounds.most + 1)]
    vector = [1.0] * len(diagonal)
    for _ in range(MOST_ROUNDS):
        solved = _solved(diagonal, vector)
        peak = max(solved)
        scaled = [max(SMALLEST, value / peak) for value in solved]
        settled = max(abs(new - old) / new for new, old in zip(scaled, vector, strict=True)) < PRECISION
        vector = scaled
        if settled:
            break
    return tuple(math.log(value) for value in vector)


def _solved(diagonal: list[float], right: list[float]) -> list[float]:
    """The solution of a symmetric tridiagonal system whose off-diagonal is -1 (Thomas' algorithm)."""
    above, values = [0.0] * len(right), list(right)
    pivot = diagonal[0]
    values[0] /= pivot
    for n in range(1, len(right)):
        above[n - 1] = -1 / pivot
        pivot = diagonal[n] + above[n - 1]
        values[n] = (values[n] + values[n - 1]) / pivot
    for n in range(len(right) - 2, -1, -1):
        values[n] -= above[n] * values[n + 1]
    return values
