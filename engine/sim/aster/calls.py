"""One request on its way through a handler: who asks, with which parameters, when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.exchanges.decimals import exact
from engine.sim.aster.errors import invalid, missing
from engine.sim.aster.state import AsterState
from engine.sim.venue_market import VenueMarket

PAGE_MOST, PAGE_USUAL = 1_000, 500


@dataclass(slots=True, frozen=True)
class Call:
    """`account` is empty for public requests. Query and form are one: the venue takes parameters in either."""

    state: AsterState
    account: str
    parameters: Mapping[str, str]
    now_ns: int

    def text(self, name: str) -> str:
        """A parameter that must be there."""
        if not self.parameters.get(name):
            raise missing(name)
        return self.parameters[name]

    def number(self, name: str, default: int) -> int:
        word = self.parameters.get(name, "")
        if not word:
            return default
        if not word.isdecimal():
            raise invalid(name)
        return int(word)

    def decimal(self, name: str) -> Decimal:
        try:
            return exact(self.text(name))
        except ValueError:
            raise invalid(name) from None

    def flag(self, name: str) -> bool:
        return self.parameters.get(name, "false").lower() == "true"

    def market(self) -> VenueMarket:
        """The market named by `symbol`."""
        return self.state.market(self.text("symbol"), self.now_ns)

    def limit(self) -> int:
        return min(self.number("limit", PAGE_USUAL), PAGE_MOST)

    def within(self, at_ms: int) -> bool:
        """Whether an instant lies in the span that startTime and endTime ask for."""
        return self.number("startTime", 0) <= at_ms <= self.number("endTime", at_ms)

    def with_parameters(self, parameters: Mapping[str, str]) -> Call:
        """The same asker with an element of a batch."""
        return replace(self, parameters=parameters)
