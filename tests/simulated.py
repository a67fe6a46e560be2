"""What every stage in virtual time needs: the markets of its simulated venues, and an end for what still runs."""

from __future__ import annotations

import asyncio

from engine.sim import venues
from engine.spec.facts import VenueMarkets
from engine.spec.types import Environment


def simulated_markets(venue: str, _environment: Environment) -> VenueMarkets:
    """The markets of any simulated venue, as `engine.spec.load` looks them up."""
    return VenueMarkets(fetched_at_ns=0, instruments=venues.simulated_markets(venue))


async def end_all_tasks() -> None:
    """Cancel everything else on this loop, and see it end."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
