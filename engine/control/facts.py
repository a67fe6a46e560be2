"""Fetches what venues say of their markets into the cache that plans are checked against."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from engine.control.fleet import Fleet
from engine.exchanges.registry import find_venue
from engine.host.endpoints import account_endpoints
from engine.host.facts import read_facts, write_facts
from engine.model.instrument import Instrument
from engine.session.facts import fetch_instruments
from engine.spec.facts import VenueMarkets
from engine.spec.types import AccountSpec, BotSpec, Environment
from engine.transport.live import LiveWorld


def fetch_missing_facts(fleet: Fleet, bots: Iterable[BotSpec], *, simulated: bool) -> bool:
    """Ask every venue of these bots whose markets are not known yet; whether anything was learned.

    Simulated venues can only be asked once they run, so they are asked apart from the others.
    """
    learned = False
    for (venue, environment), account in sorted(_accounts(bots).items()):
        wanted = (environment is Environment.SIM) is simulated
        if wanted and read_facts(fleet.workspace, venue, environment) is None:
            fleet.progress(f"asking {venue} ({environment}) for its markets")
            markets = VenueMarkets(fetched_at_ns=time.time_ns(), instruments=_fetch(fleet, venue, account))
            write_facts(fleet.workspace, venue, environment, markets)
            learned = True
    return learned


def _fetch(fleet: Fleet, venue: str, account: AccountSpec) -> tuple[Instrument, ...]:
    package = find_venue(venue)
    endpoints = account_endpoints(fleet.workspace, account, package.facts)

    async def ask() -> tuple[Instrument, ...]:
        world = LiveWorld()
        try:
            return await fetch_instruments(world, package, endpoints)
        finally:
            await world.close()

    return asyncio.run(ask())


def _accounts(bots: Iterable[BotSpec]) -> dict[tuple[str, Environment], AccountSpec]:
    """One account for every venue and environment the bots trade in."""
    accounts = [bot.accounts[leg.account] for bot in bots for leg in bot.legs.values()]
    return {(account.venue, account.environment): account for account in accounts}
