"""A session with the simulated Paradex, in virtual time: tokens, queued orders, whole books on the stream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

from engine.clock import NS_PER_S
from engine.exchanges.interface import Endpoints
from engine.exchanges.registry import find_venue
from engine.model.commands import (
    CancelOrder,
    QueryBalances,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    QueryOrderHistory,
    QueryPosition,
    SubmitOrder,
)
from engine.model.events import (
    BalancesReported,
    BookLost,
    BookUpdated,
    CancelAcknowledged,
    Event,
    FillsReported,
    LegConnected,
    LegDisconnected,
    MarkPriceUpdated,
    OpenOrdersReported,
    OrderFilled,
    OrderHistoryReported,
    OrderUpdated,
    PositionReported,
    SubmitRejected,
)
from engine.model.order import ApprovedOrder, OrderRequest, OrderStatus, RejectReason, Side, TimeInForce
from engine.session.facts import fetch_instrument
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.sim.network import VirtualNetwork
from engine.sim.paradex.settings import ParadexSettings
from engine.sim.paradex.venue import ParadexMachine
from engine.sim.venues import account_credentials, simulated_paradex
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from engine.spec.types import SimSpec

PARADEX = find_venue("paradex")
LEG, FLEET, ACCOUNT, MARKET = "main", "tests", "alice", "SOL-USD-PERP"
ENDPOINTS = Endpoints(rest_url="http://paradex", ws_url="ws://paradex/")
FIRST_ID = PARADEX.facts.client_ids.compose(1, 1)


class Trader:
    """A session with the venue, and what it heard."""

    def __init__(self, world: VirtualWorld, venue: ParadexMachine) -> None:
        self.world = world
        self.venue = venue
        self.events: list[Event] = []

    async def open(self) -> Session:
        instrument = await fetch_instrument(self.world, PARADEX, ENDPOINTS, MARKET)
        credentials = account_credentials("paradex", FLEET, ACCOUNT)
        codec = PARADEX.codec(leg=LEG, instrument=instrument, credentials=credentials, endpoints=ENDPOINTS)
        settings = SessionSettings(leg=LEG)
        self.session = Session(self.world, PARADEX, codec, lambda: ENDPOINTS, self.events.append, settings)
        return self.session

    def heard(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if type(event) is kind]

    async def until(self, condition: Callable[[], object], what: str) -> None:
        for _ in range(2000):
            if condition():
                return
            await self.world.sleep(0.01)
        raise AssertionError(f"{what}; heard {self.events[-20:]}")

    def submit(self, client_id: int, side: Side, ticks: int, lots: int, **more: Any) -> None:
        request = OrderRequest(leg=LEG, client_id=client_id, slot="test", side=side, ticks=ticks, lots=lots, **more)
        self.session.send(SubmitOrder(leg=LEG, order=ApprovedOrder(request=request)))

    def states(self, client_id: int) -> list[OrderStatus]:
        updates = self.heard(OrderUpdated)
        return [event.report.status for event in updates if event.report.client_id == client_id]

    @property
    def bid(self) -> int:
        return int(self.heard(BookUpdated)[-1].bids[0][0])

    @property
    def ask(self) -> int:
        return int(self.heard(BookUpdated)[-1].asks[0][0])


def spec(speed: str = "1") -> SimSpec:
    return SimSpec(
        venue="paradex",
        seed=1,
        speed=Decimal(speed),
        latency_ms=0,
        taker_delay_ms=0,
        recording=None,
        accounts={ACCOUNT: {"USDC": Decimal(10_000)}},
    )


def play(scene: Callable[[Trader], Awaitable[None]], settings: ParadexSettings | None = None) -> None:
    loop = VirtualLoop()

    async def whole() -> None:
        venue = simulated_paradex(spec(), FLEET, settings=settings)
        network = VirtualNetwork(loop, {"paradex": venue}, seed=1)
        trader = Trader(VirtualWorld(network, seed=1), venue)
        running = asyncio.ensure_future((await trader.open()).run())
        try:
            await trader.until(lambda: trader.heard(LegConnected) and trader.heard(BookUpdated), "not connected")
            await scene(trader)
        finally:
            await trader.session.close()
            await running

    try:
        loop.run_until_complete(whole())
    finally:
        loop.close()


def test_an_order_is_queued_rests_is_seen_and_cancelled() -> None:
    async def scene(trader: Trader) -> None:
        trader.submit(FIRST_ID, Side.BUY, trader.bid - 4_000, 150, post_only=True)
        await trader.until(lambda: trader.states(FIRST_ID).count(OrderStatus.RESTING) >= 2, "not resting")
        (opened,) = await trader.session.ask(QueryOpenOrders(leg=LEG))
        assert isinstance(opened, OpenOrdersReported)
        (report,) = opened.orders
        assert (report.client_id, report.lots, report.executed_lots) == (FIRST_ID, 150, 0)
        (found,) = await trader.session.ask(QueryOrder(leg=LEG, client_id=FIRST_ID))
        assert isinstance(found, OrderUpdated) and found.report == report
        cancel = CancelOrder(leg=LEG, client_id=FIRST_ID, venue_order_id=report.venue_order_id)
        trader.session.send(cancel)
        await trader.until(lambda: OrderStatus.CANCELED in trader.states(FIRST_ID), "not cancelled")
        assert trader.heard(CancelAcknowledged)

    play(scene)


def test_an_order_refused_behind_the_queue_is_a_late_refusal_and_then_over() -> None:
    async def scene(trader: Trader) -> None:
        trader.submit(FIRST_ID, Side.BUY, trader.ask + 300, 150, post_only=True)
        await trader.until(lambda: OrderStatus.REJECTED in trader.states(FIRST_ID), "not refused")
        assert trader.states(FIRST_ID) == [OrderStatus.RESTING, OrderStatus.REJECTED]
        (refused,) = trader.heard(SubmitRejected)
        assert (refused.client_id, refused.reason) == (FIRST_ID, RejectReason.WOULD_CROSS)
        (history,) = await trader.session.ask(QueryOrderHistory(leg=LEG, since_ns=0))
        assert isinstance(history, OrderHistoryReported)
        assert [order.status for order in history.orders] == [OrderStatus.REJECTED]

    play(scene)


def test_an_order_that_takes_is_filled_and_moves_the_position() -> None:
    async def scene(trader: Trader) -> None:
        trader.submit(FIRST_ID, Side.SELL, trader.bid - 300, 100, time_in_force=TimeInForce.IOC)
        await trader.until(lambda: OrderStatus.FILLED in trader.states(FIRST_ID), "not filled")
        first = next(number for number, event in enumerate(trader.events) if isinstance(event, OrderFilled))
        done = [isinstance(e, OrderUpdated) and e.report.status is OrderStatus.FILLED for e in trader.events]
        assert first < done.index(True), "an execution is heard before the order is done"
        heard = trader.heard(OrderFilled)
        assert sum(event.fill.lots for event in heard) == 100
        (fills,) = await trader.session.ask(QueryFills(leg=LEG, since_ns=0))
        assert isinstance(fills, FillsReported)
        assert {fill.trade_id for fill in fills.fills} == {event.fill.trade_id for event in heard}
        (position,) = await trader.session.ask(QueryPosition(leg=LEG))
        assert isinstance(position, PositionReported) and position.position.lots == -100
        assert trader.heard(PositionReported)[-1].position.lots == -100
        (balances,) = await trader.session.ask(QueryBalances(leg=LEG))
        assert isinstance(balances, BalancesReported)
        fees = sum(fill.fee for fill in fills.fills)
        assert balances.balances[0].total == Decimal(10_000) - fees

    play(scene)


def test_a_session_outlives_its_tokens_without_losing_its_streams() -> None:
    async def scene(trader: Trader) -> None:
        for _ in range(40):
            await trader.world.sleep(30)
        assert not trader.heard(LegDisconnected)
        await trader.session.ask(QueryPosition(leg=LEG))
        trader.submit(FIRST_ID, Side.BUY, trader.bid - 4_000, 150, post_only=True)
        await trader.until(lambda: trader.states(FIRST_ID).count(OrderStatus.RESTING) >= 2, "not resting")

    play(scene)


def test_the_book_follows_the_market_and_is_never_lost() -> None:
    async def scene(trader: Trader) -> None:
        await trader.world.sleep(60)
        assert not trader.heard(BookLost)
        at = trader.venue.exchange.markets[MARKET]
        await trader.world.sleep(0.2)
        shown = trader.heard(BookUpdated)[-1]
        assert abs(shown.bids[0][0] - (at.book.best(Side.BUY) or 0)) < 500
        assert len(trader.heard(BookUpdated)) > 60
        assert trader.heard(MarkPriceUpdated)
        ages = [event.at_ns for event in trader.heard(BookUpdated)]
        assert max(later - earlier for earlier, later in pairwise(ages)) < 10 * NS_PER_S

    play(scene)
