"""Finds the simulator of a venue by name and builds it from a fleet's SimSpec.

Called by the socket shell (`main`, `botctl sim`) and by whoever runs a venue in virtual time. A venue's simulator
is imported only when it is asked for: signature libraries are heavy, and not everybody has all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from random import Random
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from engine.errors import ConfigInvalid
from engine.exchanges.interface import Credentials
from engine.exchanges.registry import find_venue
from engine.model.instrument import Instrument, MarketKind
from engine.model.value import Value
from engine.sim.exchange import Exchange
from engine.sim.faults import FaultyMachine
from engine.sim.flow import Flow, GeneratedFlow
from engine.sim.machine import VenueMachine
from engine.sim.market import Market
from engine.sim.market_machine import FlowMaker, MarketMachine
from engine.sim.recorded_flow import RecordedFlow
from engine.sim.recording import OpenLines
from engine.sim.venue_market import VenueMarket
from engine.spec.types import FaultSpec, SimSpec

if TYPE_CHECKING:
    from engine.sim.aster.settings import AsterSettings
    from engine.sim.aster.venue import AsterMachine
    from engine.sim.backpack.settings import BackpackSettings
    from engine.sim.backpack.venue import BackpackMachine
    from engine.sim.lighter.settings import LighterSettings
    from engine.sim.lighter.venue import LighterMachine
    from engine.sim.paradex.settings import ParadexSettings
    from engine.sim.paradex.venue import ParadexMachine

Settings = TypeVar("Settings", bound=Value)

_ASTER_KINDS = {"aster": MarketKind.PERP, "aster-spot": MarketKind.SPOT}


def build_machine(spec: SimSpec, fleet_id: str, recording: OpenLines | None = None) -> VenueMachine:
    """The venue a SimSpec describes, its accounts opened, behind the faults that can be switched while it runs.
    `recording` gives the lines of `spec.recording`."""
    machine = bare_machine(spec, fleet_id, recording)
    faults = replace(spec.faults or FaultSpec(), latency_ms=spec.latency_ms)
    return FaultyMachine(machine, faults, seed=spec.seed)


def bare_machine(spec: SimSpec, fleet_id: str, recording: OpenLines | None = None) -> MarketMachine:
    """The same without its latency and faults, for who looks inside."""
    if spec.venue not in _SIMULATORS:
        known = ", ".join(SIMULATED)
        raise ConfigInvalid(f"{spec.venue} cannot be simulated", hint=f"simulated venues: {known}")
    machine = _SIMULATORS[spec.venue](spec, fleet_id, recording)
    if spec.funding_rate is not None:
        for at in machine.exchange.markets.values():
            at.funding_rate = spec.funding_rate
    return machine


def simulated_backpack(
    spec: SimSpec,
    fleet_id: str,
    recording: OpenLines | None = None,
    settings: BackpackSettings | None = None,
) -> BackpackMachine:
    """The simulated Backpack itself, for tests that look inside; without the spec's latency and faults."""
    from engine.sim.backpack.settings import BackpackSettings
    from engine.sim.backpack.venue import BackpackMachine

    settings = settings or _with_funding(BackpackSettings(taker_delay_ms=spec.taker_delay_ms), spec)
    machine = BackpackMachine(settings, _flow_maker(spec, recording))
    for account, balances in spec.accounts.items():
        api_key = account_credentials(spec.venue, fleet_id, account)["api_key"]
        machine.open_account(account, api_key, balances)
    return machine


def simulated_aster(
    spec: SimSpec,
    fleet_id: str,
    recording: OpenLines | None = None,
    settings: AsterSettings | None = None,
) -> AsterMachine:
    """One API of the simulated Aster itself, likewise. It has no speed bump."""
    from engine.sim.aster.settings import AsterSettings
    from engine.sim.aster.venue import AsterMachine

    settings = settings or _with_funding(AsterSettings(), spec)
    machine = AsterMachine(_ASTER_KINDS[spec.venue], settings, _flow_maker(spec, recording))
    for account, balances in spec.accounts.items():
        machine.open_account(account, account_credentials(spec.venue, fleet_id, account), balances)
    return machine


def simulated_paradex(
    spec: SimSpec,
    fleet_id: str,
    recording: OpenLines | None = None,
    settings: ParadexSettings | None = None,
) -> ParadexMachine:
    """The simulated Paradex itself, likewise; its speed bump belongs to the token, so the spec's does not count."""
    from engine.sim.paradex.settings import ParadexSettings
    from engine.sim.paradex.venue import ParadexMachine

    machine = ParadexMachine(settings or _with_funding(ParadexSettings(), spec), _flow_maker(spec, recording))
    for account, balances in spec.accounts.items():
        machine.open_account(account, account_credentials(spec.venue, fleet_id, account), balances)
    return machine


def simulated_lighter(
    spec: SimSpec,
    fleet_id: str,
    recording: OpenLines | None = None,
    settings: LighterSettings | None = None,
) -> LighterMachine:
    """The simulated Lighter itself, likewise."""
    from engine.sim.lighter.settings import LighterSettings
    from engine.sim.lighter.venue import LighterMachine

    settings = settings or _with_funding(LighterSettings(taker_delay_ms=spec.taker_delay_ms), spec)
    machine = LighterMachine(settings, _flow_maker(spec, recording))
    for account, balances in spec.accounts.items():
        keys, tier = account_credentials(spec.venue, fleet_id, account), (spec.tiers or {}).get(account, "standard")
        machine.open_account(account, keys, balances, tier)
    return machine


_SIMULATORS: dict[str, Callable[[SimSpec, str, OpenLines | None], MarketMachine]] = {
    "backpack": simulated_backpack,
    "aster": simulated_aster,
    "aster-spot": simulated_aster,
    "paradex": simulated_paradex,
    "lighter": simulated_lighter,
}
SIMULATED = tuple(_SIMULATORS)


def simulated_markets(venue: str) -> tuple[Instrument, ...]:
    """The markets a simulated venue lists, known without running it; empty for venues nobody simulates."""
    return tuple(market.instrument for market in _markets(venue))


def start_prices(venue: str) -> dict[str, Decimal]:
    """Where a simulated venue's markets begin, by market."""
    return {market.instrument.symbol: market.start_price for market in _markets(venue)}


def _markets(venue: str) -> tuple[Market, ...]:
    if venue not in _SIMULATORS:
        return ()
    if venue in _ASTER_KINDS:
        from engine.sim.aster.markets import MARKETS

        return MARKETS[_ASTER_KINDS[venue]]
    markets: tuple[Market, ...] = import_module(f"engine.sim.{venue}.markets").MARKETS
    return markets


def account_credentials(venue: str, fleet_id: str, account: str) -> Credentials:
    """The keys of a simulated account; engines derive the same ones."""
    return find_venue(venue).throwaway_credentials(seed=f"{fleet_id}/{account}")


def _with_funding(settings: Settings, spec: SimSpec) -> Settings:
    """A venue's own settings, with the interval that the fleet wants."""
    interval_s = spec.funding_interval_s
    return settings if interval_s is None else replace(settings, funding_interval_s=interval_s)


def _flow_maker(spec: SimSpec, recording: OpenLines | None) -> FlowMaker | None:
    speed = float(spec.speed)
    if speed <= 0:
        return None

    def make(exchange: Exchange, at: VenueMarket, now_ns: int) -> Flow:
        if recording is not None:
            return RecordedFlow(exchange, at, recording, speed, now_ns)
        return GeneratedFlow(exchange, at, Random(f"{spec.seed}/{at.market.symbol}"), speed, now_ns)

    return make
