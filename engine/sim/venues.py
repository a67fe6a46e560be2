"""Finds the simulator of a venue by name and builds it from a fleet's SimSpec.

Called by the socket shell (`main`, `botctl sim`) and by whoever runs a venue in virtual time.
"""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from engine.errors import ConfigInvalid
from engine.exchanges.interface import Credentials
from engine.exchanges.registry import find_venue
from engine.model.instrument import Instrument
from engine.sim.backpack.markets import MARKETS
from engine.sim.backpack.settings import BackpackSettings
from engine.sim.backpack.venue import BackpackMachine, FlowMaker
from engine.sim.exchange import Exchange
from engine.sim.faults import FaultyMachine
from engine.sim.flow import Flow, GeneratedFlow
from engine.sim.machine import VenueMachine
from engine.sim.recording import OpenLines, RecordedFlow
from engine.sim.venue_market import VenueMarket
from engine.spec.types import FaultSpec, SimSpec

SIMULATED = ("backpack",)


def build_machine(spec: SimSpec, fleet_id: str, recording: OpenLines | None = None) -> VenueMachine:
    """The venue a SimSpec describes, its accounts opened, behind the faults that can be switched while it runs.
    `recording` gives the lines of `spec.recording`."""
    machine: VenueMachine = simulated_backpack(spec, fleet_id, recording)
    faults = replace(spec.faults or FaultSpec(), latency_ms=spec.latency_ms)
    return FaultyMachine(machine, faults, seed=spec.seed)


def simulated_backpack(
    spec: SimSpec,
    fleet_id: str,
    recording: OpenLines | None = None,
    settings: BackpackSettings | None = None,
) -> BackpackMachine:
    """The simulated Backpack itself, for tests that look inside; without the spec's latency."""
    if spec.venue not in SIMULATED:
        known = ", ".join(SIMULATED)
        raise ConfigInvalid(f"{spec.venue} cannot be simulated", hint=f"simulated venues: {known}")
    settings = settings or BackpackSettings(taker_delay_ms=spec.taker_delay_ms)
    machine = BackpackMachine(settings, _flow_maker(spec, recording))
    for account, balances in spec.accounts.items():
        api_key = account_credentials(spec.venue, fleet_id, account)["api_key"]
        machine.open_account(account, api_key, balances)
    return machine


def simulated_markets(venue: str) -> tuple[Instrument, ...]:
    """The markets a simulated venue lists, known without running it; empty for venues nobody simulates."""
    return tuple(market.instrument for market in MARKETS) if venue in SIMULATED else ()


def account_credentials(venue: str, fleet_id: str, account: str) -> Credentials:
    """The keys of a simulated account; engines derive the same ones."""
    return find_venue(venue).throwaway_credentials(seed=f"{fleet_id}/{account}")


def _flow_maker(spec: SimSpec, recording: OpenLines | None) -> FlowMaker | None:
    speed = float(spec.speed)
    if speed <= 0:
        return None

    def make(exchange: Exchange, at: VenueMarket, now_ns: int) -> Flow:
        if recording is not None:
            return RecordedFlow(exchange, at, recording, speed, now_ns)
        return GeneratedFlow(exchange, at, Random(f"{spec.seed}/{at.market.symbol}"), speed, now_ns)

    return make
