"""A whole story on one stage: bots, a simulated venue, a person on the same account, and trouble.

First everything goes wrong that the story says; then the market rests and nothing goes wrong any more; then both
sides are compared (`invariants`), the bots are stopped, and it is looked at once more.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from engine.exchanges.lighter.options import Tier
from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.workspace import Workspace
from engine.model.order import OrderStatus, Side, TimeInForce
from engine.sim.exchange import Exchange
from engine.sim.flow import Flow, GeneratedFlow
from engine.sim.lighter.venue import LighterMachine
from engine.sim.network import VirtualNetwork
from engine.sim.orders import Order
from engine.sim.trouble import Trouble, Weather
from engine.sim.venue_market import VenueMarket
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import Crashed, VirtualWorld
from engine.spec.types import BotSpec, BudgetSpec, BudgetsSpec, StopPolicy, StrategySpec
from tests.chaos.flow import FUNDING_RATE, NO_FUNDING, FlowThatRests, set_funding
from tests.chaos.hedge_play import HedgePlay
from tests.chaos.invariants import Watch
from tests.chaos.keeper import LOOK_EVERY_S, SETTLE_S, Keeper, settle, until_all_quote
from tests.chaos.numbers import Numbers
from tests.chaos.stages import ACCOUNT, STAGES, lighter_options, rest_budgets
from tests.chaos.story import TROUBLED_MS, LighterHabits, Mishap, Story
from tests.chaos.witness import Witness
from tests.fleets import STRATEGY, bot_spec, write_generation
from tests.simulated import end_all_tasks

BUDGET = Decimal(300)
"""For all bots of a story together: of two, less than both would use."""
INSTANCE = "one"
"""Of the simulated venue."""
FAR_AWAY = Decimal(1_000_000)
"""A loss that nobody reaches: it is only followed."""
LONGEST_S = 3_600.0


def perform(story: Story) -> list[str]:
    """Tell a story to its end; gives what happened that must not happen, nothing when all is well."""
    play: Play | HedgePlay
    with TemporaryDirectory(prefix="chaos-") as directory:
        environment = {"XDG_STATE_HOME": f"{directory}/host"}
        with patch.dict(os.environ, environment), silence():
            play = (HedgePlay if story.pair else Play)(Path(directory), story)
            try:
                with overheard(play):
                    play.loop.run_until_complete(asyncio.wait_for(play.scene(), LONGEST_S))
            finally:
                play.loop.run_until_complete(end_all_tasks())
                play.loop.close()
    return play.complaints


@contextmanager
def overheard(play: Play | HedgePlay) -> Iterator[None]:
    """While whatever bots and venues say is judged as they say it."""
    machines = play.venues.values()
    with ExitStack() as judges:
        judges.enter_context(Witness([machine.exchange for machine in machines], play).reading())
        for machine in machines:
            if isinstance(machine, LighterMachine):
                judges.enter_context(Numbers(machine, play).reading())
        yield


class Play:
    """One performance. `directory` is its own."""

    def __init__(self, directory: Path, story: Story) -> None:
        self.story = story
        self.workspace = Workspace(root=directory)
        self.is_quiet = False
        self.look_every_s = LOOK_EVERY_S
        self.loop = VirtualLoop()
        self.loop.set_exception_handler(self._broken)
        self.stage = STAGES[story.venue]
        self.venue = self.stage.open(story, self._flow)
        self.venues = {story.venue: self.venue}
        set_funding(self.venue.exchange, FUNDING_RATE)
        weather = Weather((each for each in story.troubles if isinstance(each, Trouble)), seed=story.seed)
        self.network = VirtualNetwork(
            self.loop,
            self.venues,
            seed=story.seed,
            latency_ms=(1, story.latency_ms),
            weather=weather,
        )
        self.specs = {bot: _spec(bot, story) for bot in story.bots}
        self.generations = 0
        self._write_generation()
        urls = {"rest_url": f"http://{story.venue}", "ws_url": f"ws://{story.venue}/"}
        write_sim_endpoint(self.workspace, story.venue, SimEndpoint(instance=INSTANCE, pid=os.getpid(), **urls))
        if story.lighter is not None:
            rest_budgets(story.lighter, ACCOUNT, INSTANCE)
        self.watch = Watch(self.workspace, self.venue.exchange, self.specs, self.stage)
        self.watch.budget_usd = BUDGET if story.has_budget else None
        self.keepers = {bot: Keeper(self, bot) for bot in story.bots}
        self._random = Random(f"person/{story.seed}")

    async def scene(self) -> None:
        """From the first start to the last stop."""
        for each in self.story.troubles:
            if isinstance(each, Mishap):
                self.loop.call_later(each.at_ms / 1000, self.keepers[each.bot].suffer, each)
        lives = [asyncio.ensure_future(keeper.keep()) for keeper in self.keepers.values()]
        looking = asyncio.ensure_future(self._look())
        interfering = asyncio.ensure_future(self._interfere())
        await asyncio.sleep(TROUBLED_MS / 1000)
        interfering.cancel()
        self.is_quiet = True
        set_funding(self.venue.exchange, NO_FUNDING)
        for keeper in self.keepers.values():
            keeper.relent()
        await settle(self)
        await until_all_quote(self.keepers.values())
        self.watch.agree({bot: keeper.process for bot, keeper in self.keepers.items()})
        for keeper in self.keepers.values():
            keeper.end()
        await asyncio.wait(lives, timeout=SETTLE_S)
        looking.cancel()
        self.watch.ended()

    @property
    def complaints(self) -> list[str]:
        return self.watch.complaints

    # What keepers ask for -----------------------------------------------------------------------------------

    def world(self, name: str) -> VirtualWorld:
        return VirtualWorld(self.network, seed=self.story.seed, name=name)

    def apply(self, bot: str, *, spread_bps: int) -> None:
        spec = self.specs[bot]
        parameters = {**spec.strategy.parameters, "spread_bps": spread_bps}
        self.specs[bot] = replace(spec, strategy=replace(spec.strategy, parameters=parameters))
        self._write_generation()

    def stopped(self, bot: str) -> None:
        self.watch.stopped(bot)

    def is_deaf(self, bot: str) -> bool:
        return self.keepers[bot].is_deaf

    def complain(self, what: str) -> None:
        self.watch.complain(what)

    # What else goes on --------------------------------------------------------------------------------------

    async def _look(self) -> None:
        while True:
            self.watch.look(self.network.elapsed_ns)
            for keeper in self.keepers.values():
                keeper.look()
            await asyncio.sleep(self.look_every_s)

    async def _interfere(self) -> None:
        """A person trades by hand on the same account: rests orders, and takes a little on the spot market."""
        await asyncio.sleep(1.0)
        markets = self.stage.markets
        for market in markets.values():
            self._by_hand(market, Side.BUY, TimeInForce.GTC)
        while "spot" in markets:
            await asyncio.sleep(self._random.uniform(0.5, 4.0))
            self._by_hand(markets["spot"], self._random.choice(tuple(Side)), TimeInForce.IOC)

    def _by_hand(self, symbol: str, side: Side, time_in_force: TimeInForce) -> None:
        exchange, now_ns = self.venue.exchange, self.network.now_ns()
        at = exchange.markets[symbol]
        start_ticks = int(at.market.start_price / at.market.instrument.tick_size)
        distance = start_ticks // 20 * (-1 if time_in_force is TimeInForce.GTC else 1)
        order = Order(
            order_id=exchange.next_order_id(),
            owner=ACCOUNT,
            symbol=symbol,
            side=side,
            ticks=start_ticks + side.sign * distance,
            lots=3,
            placed_ns=now_ns,
            time_in_force=time_in_force,
        )
        exchange.place(order)
        self.watch.by_hand(order)
        if time_in_force is TimeInForce.GTC:
            assert order.status is OrderStatus.RESTING

    def _flow(self, exchange: Exchange, at: VenueMarket, now_ns: int) -> Flow:
        random = Random(f"{self.story.seed}/{at.market.symbol}")
        return FlowThatRests(GeneratedFlow(exchange, at, random, self.story.pace, now_ns), lambda: self.is_quiet)

    def _write_generation(self) -> None:
        self.generations += 1
        write_generation(self.workspace, self.specs, number=self.generations)

    def _broken(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Callbacks of a dead process end with Crashed; everything else must not happen."""
        error = context.get("exception")
        if not isinstance(error, Crashed):
            self.complain(f"in the loop: {context['message']}: {error!r}")


def _spec(bot: str, story: Story) -> BotSpec:
    """Small limits, so that they are reached."""
    spec = bot_spec(bot, market=STAGES[story.venue].markets[bot])
    spec = replace(
        spec,
        legs={leg: replace(each, venue=story.venue) for leg, each in spec.legs.items()},
        accounts={name: replace(each, venue=story.venue) for name, each in spec.accounts.items()},
    )
    if bot != "spot":
        skipped = ("capital", "base_target_pct", "rebalance_threshold_pct", "rebalance_slippage_bps")
        parameters = {name: value for name, value in STRATEGY.items() if name not in skipped}
        parameters |= {"inventory_skew": "0.5", "target_position": "0"}
        spec = replace(spec, strategy=StrategySpec(kind="perp_market_maker", parameters=parameters))
    if story.lighter is not None:
        spec = _on_lighter(spec, story.lighter)
    policy = StopPolicy.FLATTEN if story.flatten else StopPolicy.KEEP
    return replace(
        spec,
        risk=replace(spec.risk, max_position=Decimal(2), stop_loss_usd=FAR_AWAY),
        process=replace(spec.process, stop_policy=policy),
        budgets=BudgetsSpec(fleet=BudgetSpec(max_gross_exposure_usd=BUDGET)) if story.has_budget else None,
    )


def _on_lighter(spec: BotSpec, habits: LighterHabits) -> BotSpec:
    """What the account has chosen; a standard one, with a request a second for everything, quotes two orders."""
    options = lighter_options(habits)
    parameters = {**spec.strategy.parameters, "spread_bps": 3}
    if habits.tier is Tier.STANDARD:
        parameters = {**parameters, "layers": 1, "requote_threshold_ticks": 100}
    return replace(
        spec,
        accounts={name: replace(each, options=options) for name, each in spec.accounts.items()},
        strategy=replace(spec.strategy, parameters=parameters),
    )


@contextmanager
def silence() -> Any:
    """A story has its own voice; what bots log is for those who replay it with a debugger."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
