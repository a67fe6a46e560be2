"""Optimal quotes of a maker who dislikes the risk of inventory and whose day ends.

M. Avellaneda and S. Stoikov, "High-frequency trading in a limit order book", Quantitative Finance 8 (2008). The
formulas know no units: prices, volatility, risk aversion and liquidity must agree (here usually bps), inventory
counts in orders.
"""

from __future__ import annotations

import math

from engine.model.value import Value


class Offsets(Value, frozen=True, kw_only=True):
    """How far below the mid to bid and above it to ask. A negative one lies beyond the mid."""

    bid: float
    ask: float


class Taste(Value, frozen=True, kw_only=True):
    """`risk_aversion` is the paper's gamma, `liquidity` its k: how fast fills thin out away from the mid."""

    risk_aversion: float
    liquidity: float

    @property
    def edge(self) -> float:
        """What an order without any inventory risk should earn."""
        return math.log1p(self.risk_aversion / self.liquidity) / self.risk_aversion


def offsets(taste: Taste, *, volatility: float, left_s: float, inventory: float) -> Offsets:
    """The quotes with `left_s` until the end of the day, around the price at which one would rather not trade."""
    risk = taste.risk_aversion * volatility**2 * left_s
    half, shift = risk / 2 + taste.edge, inventory * risk
    return Offsets(bid=half + shift, ask=half - shift)
