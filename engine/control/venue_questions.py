"""Questions a person asks a venue, through one account of the fleet: for `botctl market` and `botctl account`.

What is public is asked with throwaway keys, so that a market can be looked at before there are any. What is private
is asked through a session, counts against the account's shared budget, and changes nothing at the venue.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import TypeVar

from msgspec.structs import replace

from engine.clock import NS_PER_US
from engine.control.desired import load_workspace
from engine.errors import ConfigInvalid, NotSent, Unavailable, Unresolved, UsageError
from engine.exchanges.interface import Candle, CandleVenue, Context, Endpoints, Venue
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.registry import configured_venue
from engine.host.accounts import AccountIdentity, credentials_of
from engine.host.endpoints import account_endpoints, read_sim_endpoint
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.model.commands import Command, QueryBook
from engine.model.events import DepthSnapshot, Event
from engine.model.instrument import Instrument
from engine.model.value import Value
from engine.runtime.sharing import shared_with_host
from engine.runtime.sites import Site
from engine.session.facts import fetch_instrument, fetch_instruments
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.spec.types import AccountSpec, BotSpec, Environment, FleetSpec, LegSpec
from engine.transport.live import LiveWorld
from engine.transport.world import World

TIMEOUT_S = 10.0
LEG = "question"
T = TypeVar("T")


class Counter(Value, frozen=True, kw_only=True):
    """Where a question is put: an account of the fleet, its venue, and the markets its bots trade."""

    workspace: Workspace
    fleet: FleetSpec
    account: AccountSpec
    markets: tuple[str, ...]

    @property
    def venue(self) -> Venue:
        return configured_venue(self.account.venue, self.account.options)

    def endpoints(self) -> Endpoints:
        return account_endpoints(self.workspace, self.account, self.venue.facts)


def open_counter(workspace: Workspace, name: str | None) -> Counter:
    """The named account, or the fleet's only one."""
    loaded = load_workspace(workspace)
    if loaded.fleet is None or loaded.has_errors:
        raise ConfigInvalid("the fleet's files have errors", hint="botctl validate")
    accounts = loaded.fleet.accounts
    if name is None and len(accounts) == 1:
        name = next(iter(accounts))
    if name is None or name not in accounts:
        known = ", ".join(sorted(accounts)) or "none"
        raise UsageError(f"the fleet has no account {name!r}" if name else "which account?", hint=f"-a: {known}")
    markets = _markets((bot.spec for bot in loaded.bots.values()), name)
    return Counter(workspace=workspace, fleet=loaded.fleet, account=accounts[name], markets=markets)


def list_markets(counter: Counter) -> tuple[Instrument, ...]:
    return _run(lambda world: fetch_instruments(world, counter.venue, counter.endpoints()))


def market_info(counter: Counter, market: str) -> Instrument:
    return _run(lambda world: fetch_instrument(world, counter.venue, counter.endpoints(), market))


def market_book(counter: Counter, instrument: Instrument) -> DepthSnapshot:
    """The venue's book now, as a query tells it, with the best of each side first."""

    async def ask(world: World) -> DepthSnapshot:
        keys, endpoints = counter.venue.throwaway_credentials("public questions"), counter.endpoints()
        codec = counter.venue.codec(leg=LEG, instrument=instrument, credentials=keys, endpoints=endpoints)
        now_ns, command = world.now_ns(), QueryBook(leg=LEG)
        request = codec.encode(command, Context(now_ns=now_ns, nonce=now_ns // NS_PER_US))
        response = await _send(world, endpoints, request)
        for event in codec.decode_reply(command, response, requested_ns=now_ns, at_ns=world.now_ns()):
            if isinstance(event, DepthSnapshot):
                return replace(event, bids=tuple(sorted(event.bids, reverse=True)), asks=tuple(sorted(event.asks)))
        raise Unavailable(f"{counter.account.venue} did not tell its book")

    return _run(ask)


def market_candles(counter: Counter, instrument: Instrument, *, since_ns: int) -> tuple[Candle, ...] | None:
    """Candles of a minute; None where the venue's package tells none."""
    venue = counter.venue
    if not isinstance(venue, CandleVenue):
        return None

    async def ask(world: World) -> tuple[Candle, ...]:
        request = venue.candles_request(instrument, since_ns=since_ns)
        return venue.decode_candles(await _send(world, counter.endpoints(), request))

    return _run(ask)


def ask_account(counter: Counter, market: str, commands: Sequence[Command]) -> tuple[Instrument, list[Event]]:
    """The events that answer private questions about one market of the account."""

    async def ask(world: World) -> tuple[Instrument, list[Event]]:
        instrument = await fetch_instrument(world, counter.venue, counter.endpoints(), market)
        async with _session(world, counter, instrument) as session:
            return instrument, [event for command in commands for event in await session.ask(command)]

    return _run(ask)


@asynccontextmanager
async def _session(world: World, counter: Counter, instrument: Instrument) -> AsyncIterator[Session]:
    with ExitStack() as held:
        site = _site(counter, instrument.symbol)
        codec = site.venue.codec(
            leg=LEG, instrument=instrument, credentials=site.credentials, endpoints=counter.endpoints()
        )
        shared = shared_with_host(site, fleet_allows=counter.fleet.requests_per_minute, held=held)
        settings = SessionSettings(leg=LEG)
        yield Session(world, site.venue, codec, counter.endpoints, lambda _event: None, settings, shared)


def _site(counter: Counter, market: str) -> Site:
    account, venue = counter.account, counter.venue
    secrets = Secrets(counter.workspace, shell=os.environ, shell_allowed=True)
    credentials = credentials_of(account, venue, fleet_id=counter.fleet.id, secrets=secrets)
    is_simulated = account.environment is Environment.SIM and not account.rest_url
    identity = AccountIdentity(
        venue=account.venue,
        environment=account.environment,
        key=venue.account_identity(credentials),
        instance=read_sim_endpoint(counter.workspace, account.venue).instance if is_simulated else "",
    )
    leg = LegSpec(venue=account.venue, account=account.name, market=market)
    return Site(name=LEG, leg=leg, account=account, venue=venue, credentials=credentials, identity=identity)


def _markets(bots: Iterable[BotSpec], account: str) -> tuple[str, ...]:
    return tuple(sorted({leg.market for bot in bots for leg in bot.legs.values() if leg.account == account}))


async def _send(world: World, endpoints: Endpoints, request: HttpRequest) -> HttpResponse:
    try:
        return await world.http(endpoints.rest_url, request, timeout_s=TIMEOUT_S)
    except (NotSent, Unresolved) as error:
        raise Unavailable(f"the venue does not answer: {error.message}") from error


def _run(question: Callable[[World], Awaitable[T]]) -> T:
    async def asked() -> T:
        world = LiveWorld()
        try:
            return await question(world)
        finally:
            await world.close()

    return asyncio.run(asked())
