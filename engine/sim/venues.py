"""Finds the simulator of a venue by name and builds it from a fleet's SimSpec.

Called by the socket shell (`main`, `botctl sim`) and by whoever runs a venue in virtual time.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from engine.clock import NS_PER_MS
from engine.errors import ConfigInvalid
from engine.exchanges.interface import Credentials
from engine.exchanges.registry import find_venue
from engine.model.instrument import MarketKind
from engine.sim.backpack.settings import BackpackSettings
from engine.sim.backpack.venue import BackpackMachine
from engine.sim.exchange import Exchange
from engine.sim.flow import Flow, GeneratedFlow
from engine.sim.latency import DistantMachine
from engine.sim.machine import VenueMachine
from engine.sim.recording import OpenLines, RecordedFlow
from engine.sim.simulated_venue import FlowMaker
from engine.sim.venue_market import VenueMarket
from engine.spec.types import SimSpec

if TYPE_CHECKING:
    from engine.sim.aster.settings import AsterSettings
    from engine.sim.aster.venue import AsterMachine

SIMULATED = ("backpack", "aster", "aster-spot")


def build_machine(spec: SimSpec, fleet_id: str, recording: OpenLines | None = None) -> VenueMachine:
    """The venue a SimSpec describes, its accounts opened. `recording` gives the lines of `spec.recording`."""
    machine: VenueMachine
    if spec.venue == "backpack":
        machine = simulated_backpack(spec, fleet_id, recording)
    elif spec.venue in ("aster", "aster-spot"):
        machine = simulated_aster(spec, fleet_id, recording)
    else:
        known = ", ".join(SIMULATED)
        raise ConfigInvalid(f"{spec.venue} cannot be simulated", hint=f"simulated venues: {known}")
    return DistantMachine(machine, spec.latency_ms * NS_PER_MS) if spec.latency_ms else machine


def simulated_backpack(
    spec: SimSpec,
    fleet_id: str,
    recording: OpenLines | None = None,
    settings: BackpackSettings | None = None,
) -> BackpackMachine:
    """The simulated Backpack itself, for tests that look inside; without the spec's latency."""
    settings = settings or BackpackSettings(taker_delay_ms=spec.taker_delay_ms)
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
    """One API of the simulated Aster itself, likewise. It has no speed bump. Imported here, because only who
    simulates Aster needs its signing libraries."""
    from engine.sim.aster.settings import AsterSettings
    from engine.sim.aster.venue import AsterMachine

    kind = MarketKind.SPOT if spec.venue == "aster-spot" else MarketKind.PERP
    machine = AsterMachine(kind, settings or AsterSettings(), _flow_maker(spec, recording))
    for account, balances in spec.accounts.items():
        machine.open_account(account, account_credentials(spec.venue, fleet_id, account), balances)
    return machine


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
