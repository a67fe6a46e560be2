"""The market of a play, and its funding, which come to rest when the trouble is over."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from engine.clock import NS_PER_S
from engine.sim.exchange import Exchange
from engine.sim.flow import Flow

FUNDING_INTERVAL_S = 7
FUNDING_RATE = Decimal("0.0004")
NO_FUNDING = Decimal(0)


def set_funding(exchange: Exchange, rate: Decimal) -> None:
    """From now on every perp of the venue pays this much at the end of an interval."""
    for at in exchange.markets.values():
        at.funding_rate = rate


class FlowThatRests:
    """A market where nobody else does anything while the play is quiet."""

    def __init__(self, flow: Flow, is_quiet: Callable[[], bool]) -> None:
        self._flow, self._is_quiet = flow, is_quiet
        self._has_begun = False
        self.next_ns = flow.next_ns

    def step(self, now_ns: int) -> None:
        if self._is_quiet() and self._has_begun:
            self.next_ns = now_ns + NS_PER_S
        else:
            self._has_begun = True
            self._flow.step(now_ns)
            self.next_ns = max(self._flow.next_ns, now_ns)
