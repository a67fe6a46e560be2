"""A bot and the simulated Backpack in one process, in virtual time: the stage of the determinism tests.

The venue is the real simulated one, the bot the whole real process from its start-up on; only the world between
them is virtual. A play has one venue and as many lives of the bot as a test wants.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import msgspec

from engine.clock import NS_PER_S
from engine.errors import BotctlError
from engine.exchanges.interface import Credentials
from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.generation import AppliedBot
from engine.host.holds import Hold
from engine.host.locks import Holder
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.runtime.process import BotProcess
from engine.runtime.service import applied_reader
from engine.runtime.startup import Surroundings
from engine.sim.backpack.settings import BackpackSettings
from engine.sim.backpack.venue import BackpackMachine
from engine.sim.exchange import Exchange
from engine.sim.flow import Flow, GeneratedFlow
from engine.sim.machine import Outbound
from engine.sim.market_machine import MarketMachine
from engine.sim.network import VirtualNetwork
from engine.sim.orders import ExchangeFill
from engine.sim.venue_market import VenueMarket
from engine.sim.venues import account_credentials
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import Crashed, VirtualWorld
from engine.spec.types import BotSpec
from engine.trading.records import FillRecord, OrderRecord
from tests.fleets import bot_spec, fleet_spec, write_generation
from tests.simulated import end_all_tasks

BOT, ACCOUNT, MARKET = "maker", "main", "SOL_USDC"
LONGEST_S = 3600.0
PACE = 3.0
"""A busy market: much happens in few seconds."""
BALANCES = {"SOL": Decimal(50), "USDC": Decimal(10_000)}


MOMENT_S = 0.01


class Play:
    """One venue, one workspace, one clock. `directory` is the play's own."""

    venue_name = "backpack"

    def __init__(self, directory: Path, *, seed: int) -> None:
        self.loop = VirtualLoop()
        self.loop.set_exception_handler(_tolerate_crashes)
        self.seed = seed
        self.lives = 0
        self.workspace = Workspace(root=directory)
        self.is_quiet = False
        self.venue = self._make_venue(account_credentials(self.venue_name, fleet_spec().id, ACCOUNT))
        self.network = VirtualNetwork(self.loop, {self.venue_name: self.venue}, seed=seed)
        write_generation(self.workspace, {BOT: self._spec()})
        host = self.venue_name
        address = SimEndpoint(instance="one", rest_url=f"http://{host}", ws_url=f"ws://{host}/", pid=os.getpid())
        write_sim_endpoint(self.workspace, host, address)

    def _make_venue(self, keys: Credentials) -> MarketMachine:
        venue = BackpackMachine(BackpackSettings(taker_delay_ms=0), self._flow)
        venue.open_account(ACCOUNT, keys["api_key"], BALANCES)
        return venue

    def _spec(self) -> BotSpec:
        return bot_spec(BOT, market=MARKET)

    def _flow(self, exchange: Exchange, at: VenueMarket, now_ns: int) -> Flow:
        generated = GeneratedFlow(exchange, at, Random(f"{self.seed}/{at.market.symbol}"), PACE, now_ns)
        return FlowThatCanRest(generated, self)

    def run(self, scene: Coroutine[Any, Any, Any]) -> Any:
        """Play a scene to its end, on a host of its own."""
        with patch.dict(os.environ, XDG_STATE_HOME=str(self.workspace.root / "host")):
            try:
                return self.loop.run_until_complete(asyncio.wait_for(scene, LONGEST_S))
            finally:
                self.loop.run_until_complete(end_all_tasks())

    def close(self) -> None:
        self.loop.close()

    def world(self, crash_at: int | None = None) -> VirtualWorld:
        """The world of the bot's next life."""
        self.lives += 1
        return VirtualWorld(self.network, seed=self.seed * 1000 + self.lives, crash_at=crash_at)

    def process(self, world: VirtualWorld, *, hold: Hold | None = None, bot: str = BOT) -> BotProcess:
        return BotProcess(self.around(world, bot), self.read_applied(bot), hold=hold)

    def read_applied(self, bot: str = BOT) -> Callable[[], AppliedBot]:
        return applied_reader(self.workspace, bot)

    def around(self, world: VirtualWorld, bot: str = BOT) -> Surroundings:
        return Surroundings(
            world=world,
            workspace=self.workspace,
            secrets=Secrets(self.workspace, shell={}),
            holder=Holder(pid=os.getpid(), bot=bot, workspace=str(self.workspace.root), since_ns=0),
            hide=lambda _secrets: None,
        )

    async def live_and_die(
        self, *, for_s: float, crash_at: int | None = None, leaving_orders: bool = False
    ) -> VirtualWorld:
        """One life that ends like kill -9: at a given point, or after a while; `leaving_orders` then waits for the
        next moment in which own orders rest."""
        world = self.world(crash_at)
        life = asyncio.ensure_future(self.process(world).live())
        death = asyncio.ensure_future(world.crashed.wait())
        await asyncio.wait((life, death), timeout=for_s, return_when=asyncio.FIRST_COMPLETED)
        if leaving_orders:
            await self.resting()
        if life.done() and not world.fenced:
            life.result()
        world.fence()
        death.cancel()
        life.cancel()
        with suppress(asyncio.CancelledError, Crashed, BotctlError, sqlite3.Error):
            await life
        return world

    async def resting(self) -> None:
        """Wait for a moment in which own orders rest: between a fill and the next quote there are none."""
        while not self.resting_at_venue():
            await asyncio.sleep(MOMENT_S)

    # What each side believes --------------------------------------------------------------------------------

    def resting_at_venue(self) -> list[int | None]:
        """Client ids of the account's open orders, as the venue itself knows them."""
        return [order.client_id for order in self.venue.exchange.open_orders(ACCOUNT)]

    def fills_at_venue(self) -> list[ExchangeFill]:
        return self.venue.exchange.fills(ACCOUNT)

    def change_at_venue(self, asset: str) -> Decimal:
        """What the account has more of an asset than it began with."""
        return self.venue.exchange.account(ACCOUNT).total[asset] - BALANCES[asset]

    def journal(self) -> Path:
        (file,) = (self.workspace.journals / BOT).glob("*.sqlite")
        return file

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table of the journal."""
        with closing(sqlite3.connect(self.journal())) as reader:
            tables = [name for (name,) in reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {table: reader.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables}

    def live_in_journal(self) -> list[OrderRecord]:
        """What the bot believes may still rest."""
        with closing(sqlite3.connect(self.journal())) as reader:
            rows = reader.execute("SELECT record FROM orders WHERE done = 0").fetchall()
        return [msgspec.json.decode(record, type=OrderRecord) for (record,) in rows]

    def fills_in_journal(self) -> list[FillRecord]:
        with closing(sqlite3.connect(self.journal())) as reader:
            rows = reader.execute("SELECT record FROM fills ORDER BY seq").fetchall()
        return [msgspec.json.decode(record, type=FillRecord) for (record,) in rows]

    def said_by_venue(self) -> list[tuple[int, Outbound]]:
        return self.network.transcript(self.venue_name)


class FlowThatCanRest:
    """A market where nobody else does anything while the play is quiet."""

    def __init__(self, flow: Flow, play: Play) -> None:
        self._flow = flow
        self._play = play
        self.next_ns = flow.next_ns

    def step(self, now_ns: int) -> None:
        if self._play.is_quiet:
            self.next_ns = now_ns + NS_PER_S
        else:
            self._flow.step(now_ns)
            self.next_ns = max(self._flow.next_ns, now_ns)


def _tolerate_crashes(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Callbacks of a dead process end with Crashed; everything else is a failure of the test."""
    if not isinstance(context.get("exception"), Crashed):
        loop.default_exception_handler(context)
