"""Puts a bot together: secrets, the right to trade, the venue's facts, the journal, the machine, the sessions.

Nothing here trades. The machine does when its sessions run and the venue has answered what it asks first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack

from engine.errors import Unavailable, VenueError
from engine.exchanges.interface import Endpoints
from engine.host.generation import AppliedBot
from engine.host.locks import Holder
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.model.instrument import Instrument
from engine.model.value import Value
from engine.runtime.bot import Bot
from engine.runtime.journal import Journal
from engine.runtime.memory import open_memory
from engine.runtime.sites import Site, endpoints_of, find_sites, lock_markets
from engine.session.facts import fetch_instrument
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.trading.leg import LegSetup
from engine.trading.machine import Machine
from engine.transport.backoff import Backoff
from engine.transport.world import World

log = logging.getLogger(__name__)


class Surroundings(Value, frozen=True, kw_only=True):
    """What a process hands into a start-up. `hide` is told the secrets that its log must never show."""

    world: World
    workspace: Workspace
    secrets: Secrets
    holder: Holder
    hide: Callable[[Iterable[str]], None]


class Opened(Value, frozen=True, kw_only=True):
    """A bot that may trade and remembers, and has not asked its venues anything yet."""

    sites: tuple[Site, ...]
    journal: Journal
    tags: dict[str, int]


class Started(Value, frozen=True, kw_only=True):
    """A bot ready to run by the spec of `applied`: `bot` takes events, every session of `sessions` still has to be
    run."""

    applied: AppliedBot
    bot: Bot
    sites: tuple[Site, ...]
    sessions: dict[str, Session]


async def open_bot(around: Surroundings, applied: AppliedBot, held: ExitStack) -> Opened:
    """Take the right to trade, and the memory. `held` gets what must be let go."""
    sites = await _sites(around, applied)
    around.hide(secret for site in sites for secret in site.credentials.values())
    lock_markets(sites, around.holder, held)
    journal, tags = open_memory(
        around.world, around.workspace, fleet_id=applied.fleet.id, bot=applied.spec.name, sites=sites
    )
    held.callback(journal.close)
    return Opened(sites=sites, journal=journal, tags=tags)


async def start_bot(around: Surroundings, applied: AppliedBot, opened: Opened, held: ExitStack) -> Started:
    """Everything up to the first connection; waits while a venue is not there."""
    sites = opened.sites
    addresses = {site.name: endpoints_of(around.workspace, site) for site in sites}
    instruments = {site.name: await _instrument(around.world, site, addresses[site.name]) for site in sites}
    bot = _bot(around.world, applied, opened, instruments)
    held.callback(bot.close)
    sessions = {
        site.name: _session(around.world, applied, site, instruments[site.name], addresses[site.name], bot)
        for site in sites
    }
    bot.lines = sessions
    return Started(applied=applied, bot=bot, sites=sites, sessions=sessions)


async def _sites(around: Surroundings, applied: AppliedBot) -> tuple[Site, ...]:
    backoff = Backoff(around.world.random)
    while True:
        try:
            return find_sites(around.workspace, applied.spec, fleet_id=applied.fleet.id, secrets=around.secrets)
        except Unavailable as error:
            await _wait(around.world, backoff, error)


async def _instrument(world: World, site: Site, address: Callable[[], Endpoints]) -> Instrument:
    """The market's facts, asked from the venue itself: a cache could be out of date."""
    backoff = Backoff(world.random)
    while True:
        try:
            return await fetch_instrument(world, site.venue, address(), site.leg.market)
        except VenueError as error:
            await _wait(world, backoff, error)


async def _wait(world: World, backoff: Backoff, error: VenueError) -> None:
    log.warning("waiting for the venue", extra={"facts": {"why": error.message}})
    await world.sleep(backoff.delay_s())


def _bot(world: World, applied: AppliedBot, opened: Opened, instruments: dict[str, Instrument]) -> Bot:
    setups = {
        site.name: LegSetup(
            leg=site.name,
            instrument=instruments[site.name],
            client_ids=site.venue.facts.client_ids,
            tag=opened.tags[site.name],
            send_lifetime_ns=site.venue.facts.send_lifetime_ns,
        )
        for site in opened.sites
    }
    memory = opened.journal.restore()
    facts = {"orders": len(memory.orders), "fills": len(memory.fills), "next_sequence": memory.next_sequence}
    log.info("journal restored", extra={"facts": facts})
    machine = Machine(legs=setups, spec=applied.spec, memory=memory)
    return Bot(world, machine, opened.journal, instruments)


def _session(
    world: World,
    applied: AppliedBot,
    site: Site,
    instrument: Instrument,
    address: Callable[[], Endpoints],
    bot: Bot,
) -> Session:
    codec = site.venue.codec(
        leg=site.name, instrument=instrument, credentials=site.credentials, endpoints=address()
    )
    settings = SessionSettings(
        leg=site.name,
        requests_per_minute=applied.request_share(
            site.account.name, venue_allows=site.venue.facts.requests_per_minute
        ),
        max_data_age_s=float(applied.spec.risk.max_data_age_s),
    )
    return Session(world, site.venue, codec, address, bot.handle, settings)
