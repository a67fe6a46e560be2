"""A hedging bot on two legs: spot and perp of one account, two accounts, or two venues. Same troubles, own truths.

What must hold: the hedge leg never holds more than the maker leg's fills ever asked for, and in the end what is not
hedged is less than the smallest hedge, or the bot says so itself.
"""

from __future__ import annotations

import asyncio
import os
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from msgspec.structs import replace

from engine.clock import NS_PER_S
from engine.host.endpoints import SimEndpoint, write_sim_endpoint
from engine.host.workspace import Workspace
from engine.model.instrument import Instrument, MarketKind
from engine.model.order import Side, TimeInForce
from engine.model.value import Value
from engine.runtime.process import BotProcess
from engine.sim.exchange import Exchange
from engine.sim.flow import Flow, GeneratedFlow
from engine.sim.network import VirtualNetwork
from engine.sim.orders import ExchangeFill, Order
from engine.sim.trouble import Trouble, Weather
from engine.sim.venue_market import VenueMarket
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import Crashed, VirtualWorld
from engine.spec.types import (
    AccountSpec,
    BotSpec,
    BudgetSpec,
    BudgetsSpec,
    LegSpec,
    RiskSpec,
    StopPolicy,
    StrategySpec,
)
from engine.trading.funding import STEADY_NS
from engine.trading.records import FillRecord
from engine.trading.status import LegStatus
from tests.chaos.flow import FUNDING_RATE, NO_FUNDING, FlowThatRests, set_funding
from tests.chaos.hedge_stage import BALANCES, PAIRS, open_venues
from tests.chaos.invariants import DRIFT
from tests.chaos.journals import rows
from tests.chaos.keeper import LOOK_EVERY_S, SETTLE_S, Keeper, settle, until_all_quote
from tests.chaos.stages import lighter_options, rest_budgets
from tests.chaos.story import TROUBLED_MS, Mishap, Story
from tests.fleets import ACCOUNT, PROCESS, RISK, write_generation

BOT = "hedge"
STRATEGY: dict[str, Any] = {
    "order_size": "0.4",
    "offset_ticks": 0,
    "min_edge_bps": None,
    "requote_threshold_ticks": 1,
    "refill_below": "0.5",
    "hedge_slippage_bps": 50,
    "hedge_leverage": 2,
    "max_unhedged": "1",
    "escalate_after_s": 3,
}
BUDGET = Decimal(370)
"""For both legs together, where a story has one: less than the position limit would let them use."""
INSTANCE = "one"
"""Of the simulated venues."""


class Place(Value, frozen=True, kw_only=True):
    """One leg, as the venue knows it from within."""

    leg: str
    exchange: Exchange
    account: str
    symbol: str

    @property
    def instrument(self) -> Instrument:
        return self.exchange.markets[self.symbol].market.instrument


class HedgePlay:
    """One performance. `directory` is its own; keywords change the strategy's parameters."""

    def __init__(self, directory: Path, story: Story, **strategy: Any) -> None:
        self.story = story
        self.workspace = Workspace(root=directory)
        self.complaints: list[str] = []
        self.is_quiet = False
        self.look_every_s = LOOK_EVERY_S
        self.loop = VirtualLoop()
        self.loop.set_exception_handler(self._broken)
        legs = dict(zip(("maker", "hedge"), PAIRS[story.pair], strict=True))
        self.venues = open_venues(story, legs.values(), self._flow)
        weather = Weather((each for each in story.troubles if isinstance(each, Trouble)), seed=story.seed)
        self.network = VirtualNetwork(
            self.loop, self.venues, seed=story.seed, latency_ms=(1, story.latency_ms), weather=weather
        )
        self.places = {
            leg: Place(leg=leg, exchange=self.venues[venue].exchange, account=account, symbol=market)
            for leg, (venue, account, market) in legs.items()
        }
        self._set_funding(FUNDING_RATE)
        self.spec = _spec(legs, STRATEGY | strategy, story)
        self.generations = 0
        self._write_generation()
        for venue in self.venues:
            address = SimEndpoint(
                instance=INSTANCE, rest_url=f"http://{venue}", ws_url=f"ws://{venue}/", pid=os.getpid()
            )
            write_sim_endpoint(self.workspace, venue, address)
        if story.lighter is not None:
            rest_budgets(story.lighter, legs["hedge"][1], INSTANCE)
        self.keeper = Keeper(self, BOT)
        self._random = Random(f"person/{story.seed}")
        self._hands: set[tuple[str, int]] = set()

    async def scene(self) -> None:
        """From the first start to the last stop."""
        for each in self.story.troubles:
            if isinstance(each, Mishap):
                self.loop.call_later(each.at_ms / 1000, self.keeper.suffer, each)
        life = asyncio.ensure_future(self.keeper.keep())
        looking = asyncio.ensure_future(self.look())
        interfering = asyncio.ensure_future(self.interfere())
        await asyncio.sleep(TROUBLED_MS / 1000)
        interfering.cancel()
        self.rest()
        self.keeper.relent()
        await settle(self)
        await until_all_quote([self.keeper])
        await self._until_funding_is_told()
        self.agree(self.keeper.process)
        self.keeper.end()
        await asyncio.wait([life], timeout=SETTLE_S)
        looking.cancel()
        self.stopped(BOT)

    def rest(self) -> None:
        """From now on nobody else trades, and nothing is paid."""
        self.is_quiet = True
        self._set_funding(NO_FUNDING)

    # What the keeper asks for -------------------------------------------------------------------------------

    def world(self, name: str) -> VirtualWorld:
        return VirtualWorld(self.network, seed=self.story.seed, name=name)

    def apply(self, bot: str, *, spread_bps: int) -> None:
        """Another offset stands for another spread."""
        parameters = {**self.spec.strategy.parameters, "offset_ticks": spread_bps % 3}
        self.spec = replace(self.spec, strategy=replace(self.spec.strategy, parameters=parameters))
        self._write_generation()

    def is_deaf(self, bot: str) -> bool:
        return self.keeper.is_deaf

    def complain(self, what: str) -> None:
        if what not in self.complaints:
            self.complaints.append(what)

    def stopped(self, bot: str) -> None:
        """It ended as asked: nothing rests on either leg, all is hedged, and flat where the policy says so."""
        for place in self.places.values():
            if resting := self.resting(place):
                self.complain(f"{bot} stopped and left {len(resting)} orders on its {place.leg} leg")
        if abs(self.residual) >= self.smallest_hedge():
            self.complain(f"{bot} stopped with {self.residual} not hedged")
        maker = self.places["maker"]
        if self.story.flatten and abs(self.held(maker)) >= self._smallest(maker):
            self.complain(f"{bot} should be flat after its stop and holds {self.held(maker)}")

    # What must hold -----------------------------------------------------------------------------------------

    async def look(self) -> None:
        while True:
            self._look_at_hedge()
            self._look_at_budget()
            self.keeper.look()
            await asyncio.sleep(self.look_every_s)

    def _look_at_hedge(self) -> None:
        """By the maker's fills as they happened; or, where news came late, as the bot heard of them."""
        held = self.held(self.places["hedge"])
        happened = [fill.lots * fill.side.sign for fill in reversed(self.fills(self.places["maker"]))]
        if self._was_asked_for(held, happened):
            return
        heard = [record.fill.lots * record.fill.side.sign for record in self._fills_in_journal("maker")]
        if not self._was_asked_for(held, heard):
            self.complain(f"the hedge leg holds {held}, and was never asked for that after {len(heard)} fills")

    def _was_asked_for(self, held: Decimal, fills: list[int]) -> bool:
        made = list(accumulate(fills, initial=0))
        instrument, lot = self.places["maker"].instrument, self.places["hedge"].instrument.lot_size
        return instrument.size(-max(made)) - lot < held < instrument.size(-min(made)) + lot

    def _look_at_budget(self) -> None:
        """Both legs with everything filled that may be, and what was filled hedged."""
        maker, hedge = self.places["maker"], self.places["hedge"]
        resting, held = self.resting(maker), self.held(maker)
        open_size = {side: sum(order.open_lots for order in resting if order.side is side) for side in Side}
        most = max(held * side.sign + maker.instrument.size(lots) for side, lots in open_size.items())
        used = self._worth(maker, most) + self._worth(hedge, max(most, abs(self.held(hedge))))
        if self.story.has_budget and used > BUDGET * DRIFT:
            self.complain(f"{self.loop.elapsed_ns / NS_PER_S:.3f} s: the legs use {used} of a budget of {BUDGET}")

    @staticmethod
    def _worth(place: Place, size: Decimal) -> Decimal:
        return size * place.exchange.markets[place.symbol].market.start_price

    def agree(self, process: BotProcess | None) -> None:
        """Belief equals truth on both legs, and what is not hedged is closed or alarmed."""
        if process is None or process.bot is None or process.bot.status.hedge is None:
            self.complain("the bot does not run in the end")
            return
        status, hedge = process.bot.status, process.bot.status.hedge
        if hedge.residual != self.residual:
            self.complain(f"the bot believes {hedge.residual} is not hedged, and it is {self.residual}")
        if abs(self.residual) >= self.smallest_hedge() and not hedge.alarm:
            self.complain(f"{self.residual} is not hedged, and nobody says so")
        for leg, place in self.places.items():
            self._agree_on_leg(place)
            self._agree_on_funding(place, status.legs[leg])
            if not status.legs[leg].ready or status.legs[leg].unresolved:
                self.complain(f"the {leg} leg does not settle: {status.legs[leg].why_not or 'unresolved orders'}")
        if hedge.alarm or not self.resting(self.places["maker"]):
            self.complain(f"the bot does not quote in the end: {hedge.alarm or status.legs['maker'].why_not}")

    def _agree_on_leg(self, place: Place) -> None:
        believed = sorted(
            (record.fill.side, record.fill.ticks, record.fill.lots) for record in self._fills_in_journal(place.leg)
        )
        if believed != sorted((fill.side, fill.ticks, fill.lots) for fill in self.fills(place)):
            self.complain(f"the journal of the {place.leg} leg has other fills than the venue")
        live = sum(not order.state.is_done for order in self._orders_in_journal(place.leg))
        if live != len(self.resting(place)):
            self.complain(
                f"the bot believes in {live} orders on its {place.leg} leg, {len(self.resting(place))} rest"
            )

    def _agree_on_funding(self, place: Place, status: LegStatus) -> None:
        """On either leg, whatever happened: what the venue paid is what the bot counts, and wrote down."""
        paid = self._paid(place)
        written = sum((one.own for one in rows(self.workspace, BOT, "funding") if one.leg == place.leg), Decimal(0))
        if not status.funding == written == paid:
            self.complain(
                f"the {place.leg} leg says {status.funding} of funding, wrote down {written}, the venue paid {paid}"
            )

    async def _until_funding_is_told(self) -> None:
        """Where a venue has no funding clock, and its news of a payment was lost, the next question tells."""
        for _ in range(STEADY_NS // NS_PER_S):
            bot = self.keeper.process.bot if self.keeper.process else None
            legs = bot.status.legs if bot else {}
            if all(leg in legs and legs[leg].funding == self._paid(place) for leg, place in self.places.items()):
                return
            await asyncio.sleep(1.0)

    def _paid(self, place: Place) -> Decimal:
        position = place.exchange.account(place.account).positions.get(place.symbol)
        return position.funding if position else Decimal(0)

    @property
    def residual(self) -> Decimal:
        return sum((self.held(place) for place in self.places.values()), Decimal(0))

    def held(self, place: Place) -> Decimal:
        """What the bot's fills made of a leg, in base: on spot, fees taken in base are gone."""
        instrument, fills = place.instrument, self.fills(place)
        lots = sum(fill.lots * fill.side.sign for fill in fills)
        fees = sum((fill.fee for fill in fills if fill.fee_asset == instrument.base), Decimal(0))
        return instrument.size(lots) - (fees if instrument.kind is MarketKind.SPOT else 0)

    def smallest_hedge(self) -> Decimal:
        return self._smallest(self.places["hedge"])

    def _smallest(self, place: Place) -> Decimal:
        best = place.exchange.markets[place.symbol].book.best(Side.BUY)
        slippage_bps = STRATEGY["hedge_slippage_bps"]
        return place.instrument.size(place.instrument.min_lots(int((best or 0) * (1 - slippage_bps / 10_000))))

    def fills(self, place: Place) -> list[ExchangeFill]:
        fills = place.exchange.fills(place.account)
        return [
            fill for fill in fills if fill.symbol == place.symbol and (place.leg, fill.order_id) not in self._hands
        ]

    def resting(self, place: Place) -> list[Order]:
        orders = place.exchange.open_orders(place.account, place.symbol)
        return [order for order in orders if (place.leg, order.order_id) not in self._hands]

    def _orders_in_journal(self, leg: str) -> list[Any]:
        orders = rows(self.workspace, BOT, "orders")
        return [order for order in orders if order.request.leg == leg]

    def _fills_in_journal(self, leg: str) -> list[FillRecord]:
        return [record for record in rows(self.workspace, BOT, "fills") if record.leg == leg]

    # What else goes on --------------------------------------------------------------------------------------

    async def interfere(self) -> None:
        """A person trades by hand on the same account and spot market; none of it is the bot's to hedge. (On a perp
        market the position would be the person's too, and the bot would stop adding to it.)"""
        spot = [place for place in self.places.values() if place.instrument.kind is MarketKind.SPOT]
        while spot:
            await asyncio.sleep(self._random.uniform(0.5, 4.0))
            self._by_hand(spot[0], self._random.choice(tuple(Side)))

    def _by_hand(self, place: Place, side: Side) -> None:
        at = place.exchange.markets[place.symbol]
        start_ticks = int(at.market.start_price / at.market.instrument.tick_size)
        order = Order(
            order_id=place.exchange.next_order_id(),
            owner=place.account,
            symbol=place.symbol,
            side=side,
            ticks=start_ticks + side.sign * start_ticks // 20,
            lots=3,
            placed_ns=self.network.now_ns(),
            time_in_force=TimeInForce.IOC,
        )
        self._hands.add((place.leg, order.order_id))
        place.exchange.place(order)

    def _set_funding(self, rate: Decimal) -> None:
        for machine in self.venues.values():
            set_funding(machine.exchange, rate)

    def _flow(self, exchange: Exchange, at: VenueMarket, now_ns: int) -> Flow:
        random = Random(f"{self.story.seed}/{at.market.symbol}")
        return FlowThatRests(GeneratedFlow(exchange, at, random, self.story.pace, now_ns), lambda: self.is_quiet)

    def _write_generation(self) -> None:
        self.generations += 1
        write_generation(self.workspace, {BOT: self.spec}, number=self.generations)

    def _broken(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), Crashed):
            self.complain(f"in the loop: {context['message']}: {context.get('exception')!r}")


def _spec(legs: dict[str, tuple[str, str, str]], parameters: dict[str, Any], story: Story) -> BotSpec:
    """Small limits, so that they are reached."""
    accounts = {
        account: AccountSpec(
            **{**msgspec.structs.asdict(ACCOUNT), "name": account, "venue": venue, "balances": BALANCES}
        )
        for venue, account, _ in legs.values()
    }
    if story.lighter is not None:
        hedging = legs["hedge"][1]
        accounts[hedging] = replace(accounts[hedging], options=lighter_options(story.lighter))
    risk: RiskSpec = replace(RISK, max_position=Decimal(2))
    policy = StopPolicy.FLATTEN if story.flatten else StopPolicy.KEEP
    return BotSpec(
        name=BOT,
        labels={},
        enabled=True,
        legs={
            leg: LegSpec(venue=venue, account=account, market=market)
            for leg, (venue, account, market) in legs.items()
        },
        accounts=accounts,
        strategy=StrategySpec(kind="maker_taker_hedge", parameters=parameters),
        risk=risk,
        process=replace(PROCESS, stop_policy=policy),
        budgets=BudgetsSpec(fleet=BudgetSpec(max_gross_exposure_usd=BUDGET)) if story.has_budget else None,
    )
