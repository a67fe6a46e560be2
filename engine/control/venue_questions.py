"""Questions a person asks a venue, through one account of the fleet: for `botctl market` and `botctl account`.

What is public is asked with throwaway keys, so that a market can be looked at before there are any. What is private
is asked through a session, counts against the account's shared budget, and changes nothing at the venue.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import TypeVar

from msgspec.structs import replace

from engine.clock import NS_PER_US
from engine.control.desired import load_in_force
from engine.control.ways import ask_through, shell_secrets, way_out
from engine.errors import ConfigInvalid, NotSent, Unavailable, Unresolved, UsageError
from engine.exchanges.interface import (
    Candle,
    CandleVenue,
    ChainVenue,
    Codec,
    Collateral,
    CollateralCodec,
    Context,
    Credentials,
    DepositCodec,
    Endpoints,
    Leverage,
    LeverageChangingCodec,
    LeverageCodec,
    Venue,
)
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.exchanges.registry import configured_venue
from engine.host.accounts import AccountIdentity, credentials_of
from engine.host.endpoints import account_endpoints, read_sim_endpoint
from engine.host.workspace import Workspace
from engine.model.commands import Query, QueryBook
from engine.model.events import DepthSnapshot, Event
from engine.model.instrument import Instrument
from engine.model.value import Value
from engine.runtime.sharing import shared_with_host
from engine.runtime.sites import Site
from engine.session.facts import fetch_instrument, fetch_instruments
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.spec.types import AccountSpec, BotSpec, Environment, FleetSpec, LegSpec
from engine.transport.proxy import Proxy
from engine.transport.world import World

TIMEOUT_S = 10.0
LEG = "question"
T = TypeVar("T")


class Counter(Value, frozen=True, kw_only=True):
    """Where a question is put: an account of the fleet, its venue, and the markets its bots trade."""

    workspace: Workspace
    fleet: FleetSpec
    account: AccountSpec
    bots: tuple[BotSpec, ...]
    """Those that trade on the account."""

    @property
    def markets(self) -> tuple[str, ...]:
        """What its bots trade."""
        legs = (leg for bot in self.bots for leg in bot.legs.values())
        return tuple(sorted({leg.market for leg in legs if leg.account == self.account.name}))

    @property
    def venue(self) -> Venue:
        return configured_venue(self.account.venue, self.account.options)

    def endpoints(self) -> Endpoints:
        return account_endpoints(self.workspace, self.account, self.venue.facts)

    @property
    def proxy(self) -> Proxy | None:
        """The way its bots take."""
        return way_out(self.workspace, self.bots)


def open_counter(workspace: Workspace, name: str | None) -> Counter:
    """The named account, or the fleet's only one."""
    loaded = load_in_force(workspace)
    if loaded.fleet is None or loaded.has_errors:
        raise ConfigInvalid("the fleet's files have errors", hint="botctl validate")
    accounts = loaded.fleet.accounts
    if name is None and len(accounts) == 1:
        name = next(iter(accounts))
    if name is None or name not in accounts:
        known = ", ".join(sorted(accounts)) or "none"
        raise UsageError(f"the fleet has no account {name!r}" if name else "which account?", hint=f"-a: {known}")
    specs = (bot.spec for _, bot in sorted(loaded.bots.items()))
    bots = tuple(spec for spec in specs if any(leg.account == name for leg in spec.legs.values()))
    return Counter(workspace=workspace, fleet=loaded.fleet, account=accounts[name], bots=bots)


def list_markets(counter: Counter) -> tuple[Instrument, ...]:
    return ask_through(counter.proxy, lambda world: fetch_instruments(world, counter.venue, counter.endpoints()))


def market_info(counter: Counter, market: str) -> Instrument:
    return ask_through(
        counter.proxy, lambda world: fetch_instrument(world, counter.venue, counter.endpoints(), market)
    )


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

    return ask_through(counter.proxy, ask)


def market_candles(counter: Counter, instrument: Instrument, *, since_ns: int) -> tuple[Candle, ...] | None:
    """Candles of a minute; None where the venue's package tells none."""
    venue = counter.venue
    if not isinstance(venue, CandleVenue):
        return None

    async def ask(world: World) -> tuple[Candle, ...]:
        request = venue.candles_request(instrument, since_ns=since_ns)
        return venue.decode_candles(await _send(world, counter.endpoints(), request))

    return ask_through(counter.proxy, ask)


def chain_differences(counter: Counter) -> tuple[str, ...] | None:
    """Where the venue's chain is not the one we sign for; None where a venue has none, or it is simulated."""
    venue, endpoints = counter.venue, counter.endpoints()
    if not isinstance(venue, ChainVenue):
        return None

    async def ask(world: World) -> tuple[str, ...]:
        return venue.chain_differences(await _send(world, endpoints, venue.chain_request()), endpoints)

    return ask_through(counter.proxy, ask)


def account_collateral(counter: Counter, market: str) -> Collateral | None:
    """What backs the account's positions; None where the venue's package does not ask."""

    def question(codec: Codec, context: Context) -> HttpRequest | None:
        return codec.collateral_request(context) if isinstance(codec, CollateralCodec) else None

    def answer(codec: Codec, response: HttpResponse) -> Collateral:
        assert isinstance(codec, CollateralCodec)
        return codec.decode_collateral(response)

    return _ask_codec(counter, market, question, answer)


def account_leverage(counter: Counter, market: str) -> tuple[Leverage, bool] | None:
    """How leverage is set at the venue, and whether its package can also set it; None where it does not ask."""

    def question(codec: Codec, context: Context) -> HttpRequest | None:
        return codec.leverage_request(context) if isinstance(codec, LeverageCodec) else None

    def answer(codec: Codec, response: HttpResponse) -> tuple[Leverage, bool]:
        assert isinstance(codec, LeverageCodec)
        return codec.decode_leverage(response), isinstance(codec, LeverageChangingCodec)

    return _ask_codec(counter, market, question, answer)


def deposit_address(counter: Counter, market: str, blockchain: str) -> str | None:
    """Where deposits go on a blockchain; None where the venue's package does not ask."""

    def question(codec: Codec, context: Context) -> HttpRequest | None:
        return codec.deposit_request(blockchain, context) if isinstance(codec, DepositCodec) else None

    def answer(codec: Codec, response: HttpResponse) -> str:
        assert isinstance(codec, DepositCodec)
        return codec.decode_deposit(response)

    return _ask_codec(counter, market, question, answer)


def _ask_codec(
    counter: Counter,
    market: str,
    question: Callable[[Codec, Context], HttpRequest | None],
    answer: Callable[[Codec, HttpResponse], T],
) -> T | None:
    """A private question that is no command: sent by the account's session, so signed and counted as all are.
    What leaves is a GET, or nothing."""

    def only_reading(codec: Codec, context: Context) -> HttpRequest | None:
        request = question(codec, context)
        if request is not None and request.method != "GET":
            raise NotSent(f"{request.method} {request.target} is no question")
        return request

    async def ask(world: World) -> T | None:
        instrument = await fetch_instrument(world, counter.venue, counter.endpoints(), market)
        async with open_session(world, counter, instrument) as session:
            return await session.inquire(only_reading, answer)

    return ask_through(counter.proxy, ask)


def ask_account(counter: Counter, market: str, commands: Sequence[Query]) -> tuple[Instrument, list[Event]]:
    """The events that answer private questions about one market of the account."""

    async def ask(world: World) -> tuple[Instrument, list[Event]]:
        instrument = await fetch_instrument(world, counter.venue, counter.endpoints(), market)
        async with open_session(world, counter, instrument) as session:
            return instrument, [event for command in commands for event in await session.ask(command)]

    return ask_through(counter.proxy, ask)


@asynccontextmanager
async def open_session(world: World, counter: Counter, instrument: Instrument) -> AsyncIterator[Session]:
    """A conversation of the account about one market, sharing its budget with the bots."""
    with ExitStack() as held:
        site = _site(counter, instrument.symbol)
        codec = site.venue.codec(
            leg=LEG, instrument=instrument, credentials=site.credentials, endpoints=counter.endpoints()
        )
        proxy, allowed = counter.proxy, counter.fleet.requests_per_minute
        shared = shared_with_host(site, fleet_allows=allowed, way=proxy.digest if proxy else "", held=held)
        settings = SessionSettings(leg=LEG)
        yield Session(world, site.venue, codec, counter.endpoints, lambda _event: None, settings, shared)


def _site(counter: Counter, market: str) -> Site:
    account, venue = counter.account, counter.venue
    credentials = _credentials(counter)
    identity = account_identity(counter)
    leg = LegSpec(venue=account.venue, account=account.name, market=market)
    return Site(name=LEG, leg=leg, account=account, venue=venue, credentials=credentials, identity=identity)


def account_identity(counter: Counter) -> AccountIdentity:
    """Which account this is, for the host."""
    account = counter.account
    is_simulated = account.environment is Environment.SIM and not account.rest_url
    return AccountIdentity(
        venue=account.venue,
        environment=account.environment,
        key=counter.venue.account_identity(_credentials(counter)),
        instance=read_sim_endpoint(counter.workspace, account.venue).instance if is_simulated else "",
    )


def _credentials(counter: Counter) -> Credentials:
    secrets = shell_secrets(counter.workspace)
    return credentials_of(counter.account, counter.venue, fleet_id=counter.fleet.id, secrets=secrets)


async def _send(world: World, endpoints: Endpoints, request: HttpRequest) -> HttpResponse:
    try:
        return await world.http(endpoints.rest_url, request, timeout_s=TIMEOUT_S)
    except (NotSent, Unresolved) as error:
        raise Unavailable(f"the venue does not answer: {error.message}") from error
