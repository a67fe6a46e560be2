"""Puts a bot together: secrets, the right to trade, the venue's facts, the journal, the machine, the sessions.

Nothing here trades. The machine does when its sessions run and the venue has answered what it asks first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import NamedTuple

from engine.errors import Unavailable
from engine.exchanges.interface import Endpoints
from engine.host.generation import AppliedBot
from engine.host.locks import Holder
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.model.instrument import Instrument
from engine.model.value import Value
from engine.runtime.bot import Bot
from engine.runtime.inheriting import inherit
from engine.runtime.journal import Journal
from engine.runtime.market_facts import Addresses, MarketFacts, learn_facts
from engine.runtime.memory import open_memory
from engine.runtime.sharing import shared_with_host
from engine.runtime.sites import Site, endpoints_of, find_sites, lock_markets
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.session.shared import Shared
from engine.spec.types import BotSpec
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
    way: str = ""
    """Names the proxy that venues are reached through."""


class Started(Value, frozen=True, kw_only=True):
    """A bot ready to run: `bot` takes events, every session of `sessions` still has to be run. `applied`: what it
    was put together from."""

    applied: AppliedBot
    bot: Bot
    sites: tuple[Site, ...]
    sessions: dict[str, Session]
    addresses: Addresses
    facts: MarketFacts


class _Place(NamedTuple):
    """One leg's far end, with its facts."""

    world: World
    site: Site
    instrument: Instrument
    address: Callable[[], Endpoints]


async def start_bot(around: Surroundings, applied: AppliedBot, held: ExitStack) -> Started:
    """Everything up to the first connection; waits while a venue is not there. `held` gets what must be let go."""
    sites = await _sites(around, applied)
    around.hide(secret for site in sites for secret in site.credentials.values())
    lock_markets(sites, around.holder, held)
    addresses = {site.name: endpoints_of(around.workspace, site) for site in sites}
    if former := applied.spec.renamed_from:
        inherit(around.world, around.workspace, fleet_id=applied.fleet.id, former=former, holder=around.holder)
    journal, tags = open_memory(
        around.world, around.workspace, fleet_id=applied.fleet.id, bot=applied.spec.name, sites=sites
    )
    held.callback(journal.close)
    facts = await learn_facts(around.world, sites, addresses, journal.facts())
    journal.keep_facts(facts.instruments)
    bot = _bot(around.world, applied.spec, journal, _setups(sites, tags, facts.instruments))
    held.callback(bot.close)
    sessions = {
        site.name: _session(
            _Place(around.world, site, facts.instruments[site.name], addresses[site.name]),
            applied.spec,
            bot,
            shared_with_host(site, fleet_allows=applied.fleet.requests_per_minute, way=around.way, held=held),
        )
        for site in sites
    }
    bot.lines = sessions
    return Started(applied=applied, bot=bot, sites=sites, sessions=sessions, addresses=addresses, facts=facts)


async def _sites(around: Surroundings, applied: AppliedBot) -> tuple[Site, ...]:
    backoff = Backoff(around.world.random)
    while True:
        try:
            return find_sites(around.workspace, applied.spec, fleet_id=applied.fleet.id, secrets=around.secrets)
        except Unavailable as error:
            log.warning("waiting for the venue", extra={"facts": {"why": error.message}})
            await around.world.sleep(backoff.delay_s())


def _setups(
    sites: tuple[Site, ...], tags: dict[str, int], instruments: dict[str, Instrument]
) -> dict[str, LegSetup]:
    return {
        site.name: LegSetup(
            leg=site.name,
            instrument=instruments[site.name],
            client_ids=site.venue.facts.client_ids,
            tag=tags[site.name],
            send_lifetime_ns=site.venue.facts.send_lifetime_ns,
            can_amend=site.venue.facts.can_amend,
            tells_funding=site.venue.facts.tells_funding,
        )
        for site in sites
    }


def _bot(world: World, spec: BotSpec, journal: Journal, setups: dict[str, LegSetup]) -> Bot:
    memory = journal.restore()
    facts = {"orders": len(memory.orders), "fills": len(memory.fills), "next_sequence": memory.next_sequence}
    log.info("journal restored", extra={"facts": facts})
    machine = Machine(legs=setups, spec=spec, memory=memory)
    return Bot(world, machine, journal, {name: setup.instrument for name, setup in setups.items()})


def _session(place: _Place, spec: BotSpec, bot: Bot, shared: Shared) -> Session:
    site = place.site
    codec = site.venue.codec(
        leg=site.name, instrument=place.instrument, credentials=site.credentials, endpoints=place.address()
    )
    settings = SessionSettings(
        leg=site.name,
        max_data_age_s=float(spec.risk.max_data_age_s),
        dead_mans_switch_s=site.account.dead_mans_switch_s if site.account.exclusive else None,
    )
    return Session(place.world, site.venue, codec, place.address, bot.handle, settings, shared)
