"""What is known of venues' markets: asked of real ones and kept, and simply known of simulated ones."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from engine.control.fleet import Fleet
from engine.exchanges.registry import configured_venue, find_venue
from engine.host.endpoints import account_endpoints
from engine.host.facts import cached_facts, write_facts
from engine.host.workspace import Workspace
from engine.model.instrument import Instrument, MarketKind
from engine.plan.actions import Plan, Subject
from engine.plan.desired import Desired
from engine.plan.observed import Observed
from engine.spec.facts import FactsLookup, VenueMarkets
from engine.spec.types import AccountSpec, BotSpec, Environment


def known_facts(workspace: Workspace) -> FactsLookup:
    """The lookup plans are checked with. A simulated venue lists the same markets whether it runs or not."""
    cached = cached_facts(workspace)

    def lookup(venue: str, environment: Environment) -> VenueMarkets | None:
        if environment is not Environment.SIM:
            return cached(venue, environment)
        from engine.sim.venues import simulated_markets  # a whole venue to load, which live fleets do not need

        instruments = simulated_markets(venue)
        return VenueMarkets(fetched_at_ns=time.time_ns(), instruments=instruments) if instruments else None

    return lookup


def fetch_missing_facts(fleet: Fleet, bots: Iterable[BotSpec]) -> bool:
    """Ask every real venue of these bots whose markets are not known yet; whether anything was learned."""
    bots, lookup, learned = list(bots), known_facts(fleet.workspace), False
    for (venue, environment), account in sorted(_accounts(bots).items()):
        if lookup(venue, environment) is None:
            fleet.progress(f"asking {venue} ({environment}) for its markets")
            concerned = [bot for bot in bots if any(leg.venue == venue for leg in bot.legs.values())]
            found = _fetch(fleet, venue, account, concerned)
            markets = VenueMarkets(fetched_at_ns=time.time_ns(), instruments=found)
            write_facts(fleet.workspace, venue, environment, markets)
            learned = True
    return learned


def funding_times(workspace: Workspace, plan: Plan, desired: Desired, observed: Observed) -> dict[str, str]:
    """When every venue pays funding on whose perps this plan touches something; a market nobody knows counts."""
    lookup = known_facts(workspace)
    before = observed.applied.bots if observed.applied else {}
    touched = [action.name for action in plan.changes if action.subject is Subject.BOT]
    specs = [spec for name in touched if (spec := _meaning(name, desired, before)) is not None]
    times = {}
    for spec in specs:
        for leg in spec.legs.values():
            markets = lookup(leg.venue, spec.accounts[leg.account].environment)
            instrument = markets.find(leg.market) if markets else None
            paid = find_venue(leg.venue).facts.funding_times
            if paid and (instrument is None or instrument.kind is MarketKind.PERP):
                times[leg.venue] = paid
    return times


def _meaning(name: str, desired: Desired, before: Mapping[str, BotSpec]) -> BotSpec | None:
    return desired.bots[name].spec if name in desired.bots else before.get(name)


def _fetch(fleet: Fleet, venue: str, account: AccountSpec, bots: list[BotSpec]) -> tuple[Instrument, ...]:
    # Imported here: a whole client, and nearly every plan knows its markets already.
    from engine.control.ways import ask_through, way_out
    from engine.session.facts import fetch_instruments

    package = configured_venue(venue, account.options)
    endpoints = account_endpoints(fleet.workspace, account, package.facts)
    proxy = way_out(fleet.workspace, bots)
    return ask_through(proxy, lambda world: fetch_instruments(world, package, endpoints))


def _accounts(bots: Iterable[BotSpec]) -> dict[tuple[str, Environment], AccountSpec]:
    """One account for every venue and environment the bots trade in."""
    accounts = [bot.accounts[leg.account] for bot in bots for leg in bot.legs.values()]
    return {(account.venue, account.environment): account for account in accounts}
