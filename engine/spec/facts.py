"""What loading knows of venues: their markets, as fetched at some moment. Loading itself fetches nothing.

`engine.host.facts` keeps them between runs; commands hand them in.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.model.instrument import Instrument
from engine.model.value import Value
from engine.spec.types import Environment


class VenueMarkets(Value, frozen=True, kw_only=True):
    """All markets of a venue in one environment, and how old that knowledge is."""

    fetched_at_ns: int
    instruments: tuple[Instrument, ...]

    def find(self, market: str) -> Instrument | None:
        """The market's facts; None when the venue does not list it."""
        return next((found for found in self.instruments if found.symbol == market), None)


FactsLookup = Callable[[str, Environment], VenueMarkets | None]
"""A venue's markets by venue and environment; None when nobody ever fetched them, which is not the same as none."""


def no_facts(venue: str, environment: Environment) -> VenueMarkets | None:  # noqa: ARG001 - a FactsLookup
    """The lookup of somebody who has never asked a venue."""
    return None
