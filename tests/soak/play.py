"""The sample fleet, all of it, for as long as one likes: five strategies on the simulated venues, in one process.

Time is virtual, so ten minutes of it take as long as the work in them takes. Half-way and in the end the memory
that the engine holds is measured; after every bot was stopped, its books are held against the venues' ledgers.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from engine.exchanges.interface import SelfCheckingVenue
from engine.exchanges.registry import find_venue
from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.sources import read_sources
from engine.host.workspace import Workspace
from engine.model.value import Value
from engine.runtime.bot import Bot
from engine.sim.network import VirtualNetwork
from engine.sim.venues import bare_machine
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import Crashed, VirtualWorld
from engine.spec.load import load_fleet
from engine.spec.types import BotSpec, FleetSpec
from engine.trading.accounting import Accounting
from tests.chaos.flow import FUNDING_RATE, NO_FUNDING, set_funding
from tests.chaos.keeper import Keeper
from tests.chaos.play import silence
from tests.fleets import write_generation
from tests.simulated import end_all_tasks, simulated_markets
from tests.soak.books import Pnl, compare, replay

ROOT = Path(__file__).parents[2]
STOPPED_WITHIN_S = 60.0
SEED = 1
FUNDING_EVERY_S = 3
FUNDING_HEARD_S = 6.0
"""How long after the last payment every bot knows of it."""
GROWTH_MOST_BYTES = 8 * 2**20
"""Of ten legs together while they still fill up with done orders and counted fills (`trading/test_bounds.py`)."""


class Soaked(Value, frozen=True, kw_only=True):
    """How it went. Memory in bytes, as the engine's own lines allocated it."""

    strategies: tuple[str, ...]
    """Those that traded."""
    venues: tuple[str, ...]
    pnl: tuple[Pnl, ...]
    halfway_bytes: int
    end_bytes: int
    idle: tuple[str, ...]
    """Bots that did not trade on every leg; in a few seconds that may be."""
    complaints: tuple[str, ...]
    funding: Decimal
    """What all legs were paid and paid, without the sign."""

    @property
    def grown_bytes(self) -> int:
        return self.end_bytes - self.halfway_bytes

    @property
    def is_well(self) -> bool:
        agree = not any(line.differences or line.own != line.ledger for line in self.pnl)
        wrong = self.complaints or self.idle
        return agree and not wrong and self.grown_bytes <= GROWTH_MOST_BYTES


def soak(directory: Path, lasts_s: float, *, pace: Decimal = Decimal(1)) -> Soaked:
    """Run the sample fleet for so long, on markets of this pace; `directory` is the run's own."""
    try:
        with patch.dict(os.environ, {"XDG_STATE_HOME": f"{directory}/host"}), silence():
            stage = Stage(directory, pace)
            tracemalloc.start()
            try:
                stage.loop.run_until_complete(stage.scene(lasts_s))
                return stage.outcome()
            finally:
                stage.loop.run_until_complete(end_all_tasks())
                stage.loop.close()
    finally:
        tracemalloc.stop()


class Stage:
    """The fleet, its venues, and a keeper for every bot (`tests.chaos.keeper.Stage`)."""

    def __init__(self, directory: Path, pace: Decimal) -> None:
        self.workspace = Workspace(root=directory)
        self.complaints: list[str] = []
        self.idle: list[str] = []
        self.loop = VirtualLoop()
        self.loop.set_exception_handler(self._broken)
        self.fleet, self.specs = sample_fleet(pace)
        check_signers(self.fleet)
        self.venues = {venue: bare_machine(sim, self.fleet.id) for venue, sim in self.fleet.sims.items()}
        self.network = VirtualNetwork(self.loop, self.venues, seed=SEED, transcript_kept=0)
        write_generation(self.workspace, self.specs, fleet=self.fleet)
        for venue in self.venues:
            here = SimEndpoint(instance="one", rest_url=f"http://{venue}", ws_url=f"ws://{venue}/", pid=os.getpid())
            write_sim_endpoint(self.workspace, venue, here)
        self.keepers = {bot: Keeper(self, bot) for bot in self.specs}
        self.held_bytes: list[int] = []
        self.funding = Decimal(0)
        self.pnl: tuple[Pnl, ...] = ()

    async def scene(self, lasts_s: float) -> None:
        """All bots from their first start to their last stop."""
        lives = [asyncio.ensure_future(keeper.keep()) for keeper in self.keepers.values()]
        for _ in range(2):
            await asyncio.sleep(lasts_s / 2)
            self.held_bytes.append(_held_bytes())
        for machine in self.venues.values():
            set_funding(machine.exchange, NO_FUNDING)
        await asyncio.sleep(FUNDING_HEARD_S)
        bots = {name: keeper.process and keeper.process.bot for name, keeper in self.keepers.items()}
        for keeper in self.keepers.values():
            keeper.end()
        await asyncio.wait(lives, timeout=STOPPED_WITHIN_S)
        for name, bot in bots.items():
            self._look_at(name, bot)
        exchanges = {name: machine.exchange for name, machine in self.venues.items()}
        self.pnl = tuple(compare(self.workspace, self.specs, self.fleet.sims, exchanges))

    def outcome(self) -> Soaked:
        halfway, end = self.held_bytes
        return Soaked(
            strategies=tuple(
                sorted({spec.strategy.kind for bot, spec in self.specs.items() if bot not in self.idle})
            ),
            venues=tuple(sorted(self.venues)),
            pnl=self.pnl,
            halfway_bytes=halfway,
            end_bytes=end,
            idle=tuple(self.idle),
            complaints=tuple(self.complaints),
            funding=self.funding,
        )

    # What keepers ask for -----------------------------------------------------------------------------------

    def world(self, name: str) -> VirtualWorld:
        return VirtualWorld(self.network, seed=SEED, name=name)

    def apply(self, bot: str, *, spread_bps: int) -> None:
        raise AssertionError("nothing is changed while it runs")

    def stopped(self, bot: str) -> None:
        """Looked at when all have."""

    def complain(self, what: str) -> None:
        self.complaints.append(what)

    # What must be true --------------------------------------------------------------------------------------

    def _look_at(self, name: str, bot: Bot | None) -> None:
        """It traded in one life, nothing of it rests, and what it says of itself is what its journal says."""
        if bot is None or self.keepers[name].lives != 1:
            self.complain(f"{name} did not live through it in one life")
            return
        for leg, status in bot.status.legs.items():
            where = self.specs[name].legs[leg]
            instrument = self.venues[where.venue].exchange.markets[where.market].market.instrument
            books = Accounting(instrument)
            replay(books, self.workspace, name, leg)
            told = (status.fills, status.position, status.realised_pnl, status.fees, status.funding, status.equity)
            position = instrument.size(books.position_lots)
            curve = tuple(books.equity.points)
            if told != (books.fills, position, books.realised_pnl, books.fees, books.funding, curve):
                self.complain(f"{name} does not say of {leg} what its journal says")
            self.funding += abs(status.funding)
            if not status.fills:
                self.idle.append(name)
            if status.orders or status.unresolved:
                self.complain(f"{name} stopped with {status.orders} orders and {status.unresolved} unresolved")

    def _broken(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, Crashed):
            self.complain(f"in the loop: {context['message']}: {error!r}")


def check_signers(fleet: FleetSpec) -> None:
    """Have every signing library loaded, as each engine has before it trades."""
    for venue in fleet.sims:
        package = find_venue(venue)
        if isinstance(package, SelfCheckingVenue):
            package.self_check()


def sample_fleet(pace: Decimal) -> tuple[FleetSpec, dict[str, BotSpec]]:
    """What `make demo` runs, read and checked as it is there."""
    loaded = load_fleet(read_sources(Workspace(root=ROOT)), environment={}, facts=simulated_markets)
    assert loaded.fleet is not None and not loaded.has_errors, loaded.diagnostics
    paying = {"funding_interval_s": FUNDING_EVERY_S, "funding_rate": FUNDING_RATE}
    sims = {venue: replace(sim, speed=sim.speed * pace, **paying) for venue, sim in loaded.fleet.sims.items()}
    return replace(loaded.fleet, sims=sims), {name: bot.spec for name, bot in loaded.bots.items()}


def _held_bytes() -> int:
    """Simulated venues remember far more than bots do, and have bounds of their own."""
    gc.collect()
    held = tracemalloc.take_snapshot().statistics("filename")
    files = [(one.traceback[0].filename, one.size) for one in held]
    return sum(size for file, size in files if "/engine/" in file and "/engine/sim/" not in file)
