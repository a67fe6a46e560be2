"""What the venues say of a bot's markets: asked anew at every start, because a copy could be out of date.

A bot of several legs does not wait for a venue that is out of reach while another leg's venue answers: what rests
there would rest on, without anybody who hedges or cancels it. It begins with what its journal remembers of the
market, quotes nothing before the venue has answered everything else, and is started again should the facts differ.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from engine.errors import BotctlError, VenueError
from engine.exchanges.interface import Endpoints
from engine.model.instrument import Instrument
from engine.model.value import Value
from engine.runtime.sites import Site
from engine.session.facts import fetch_instrument
from engine.transport.backoff import Backoff
from engine.transport.world import World

log = logging.getLogger(__name__)

PATIENCE_S = 10.0
FIRST_PATIENCE_S = 2.0
"""Of a bot with several legs: while one venue keeps silent, orders may rest at the other."""

Addresses = Mapping[str, Callable[[], Endpoints]]


class MarketFacts(Value, frozen=True, kw_only=True):
    """The legs' instruments; `presumed` are legs whose venue has not answered."""

    instruments: dict[str, Instrument]
    presumed: tuple[str, ...] = ()


async def learn_facts(
    world: World, sites: Sequence[Site], addresses: Addresses, remembered: Mapping[str, Instrument]
) -> MarketFacts:
    """Ask every leg's venue, until all have answered or what is missing is remembered and one of them has."""
    backoff, told = Backoff(world.random), dict[str, Instrument]()
    patience_s = PATIENCE_S if len(sites) == 1 else FIRST_PATIENCE_S
    while True:
        missing = [site for site in sites if site.name not in told]
        asked = (_ask(world, site, addresses, patience_s) for site in missing)
        answers = zip(missing, await asyncio.gather(*asked), strict=True)
        told |= {site.name: answer for site, answer in answers if answer}
        presumed = tuple(site.name for site in sites if site.name not in told)
        if told and all(leg in remembered for leg in presumed):
            known = told | {leg: remembered[leg] for leg in presumed}
            return MarketFacts(instruments={site.name: known[site.name] for site in sites}, presumed=presumed)
        await world.sleep(backoff.delay_s())
        patience_s = min(PATIENCE_S, 2 * patience_s)


async def confirm_facts(world: World, sites: Sequence[Site], addresses: Addresses, facts: MarketFacts) -> None:
    """Ask what was presumed until it is known. Never ends but with a BotctlError: the facts have changed."""
    backoff, open_legs = Backoff(world.random), list(facts.presumed)
    while open_legs:
        for site in [site for site in sites if site.name in open_legs]:
            found = await _ask(world, site, addresses, PATIENCE_S)
            if found and found != facts.instruments[site.name]:
                raise BotctlError(
                    f"{site.venue.facts.name} has changed what it says of {site.leg.market}",
                    hint="the supervisor starts the bot again, which then counts in the new ticks and lots",
                )
            if found:
                open_legs.remove(site.name)
        await world.sleep(backoff.delay_s())
    await asyncio.get_running_loop().create_future()


async def _ask(world: World, site: Site, addresses: Addresses, timeout_s: float) -> Instrument | None:
    try:
        address = addresses[site.name]()
        return await fetch_instrument(world, site.venue, address, site.leg.market, timeout_s=timeout_s)
    except VenueError as error:
        log.warning("waiting for the venue", extra={"facts": {"why": error.message}})
        return None
