"""A session with the simulated Backpack: on the virtual network, and over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.exchanges.interface import Endpoints
from engine.exchanges.registry import find_venue
from engine.model.commands import CancelOrder, QueryBalances, QueryFills, QueryOpenOrders, SubmitOrder
from engine.model.events import (
    BalancesReported,
    BookLost,
    BookUpdated,
    Event,
    FillsReported,
    LegConnected,
    LegDisconnected,
    OpenOrdersReported,
    OrderUpdated,
    SubmitRejected,
)
from engine.model.order import ApprovedOrder, OrderRequest, OrderStatus, RejectReason, Side
from engine.session.facts import fetch_instrument
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.sim.network import VirtualNetwork
from engine.sim.server import loopback_socket, serve, urls
from engine.sim.venues import account_credentials, simulated_backpack
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from engine.spec.types import SimSpec
from engine.transport.live import LiveWorld
from engine.transport.world import World

BACKPACK = find_venue("backpack")
LEG, FLEET, ACCOUNT = "main", "tests", "alice"


class Trader:
    """A session and what it heard."""

    def __init__(self, world: World, session_of: Callable[[Callable[[Event], None]], Session]) -> None:
        self.world = world
        self.events: list[Event] = []
        self.session = session_of(self.events.append)

    def heard(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if type(event) is kind]

    async def until(self, condition: Callable[[], object], what: str) -> None:
        for _ in range(1000):
            if condition():
                return
            await self.world.sleep(0.01)
        raise AssertionError(f"{what}; heard {self.events}")

    def submit(self, client_id: int, side: Side, ticks: int, lots: int) -> None:
        request = OrderRequest(
            leg=LEG, client_id=client_id, slot="test", side=side, ticks=ticks, lots=lots, post_only=True
        )
        self.session.send(SubmitOrder(leg=LEG, order=ApprovedOrder(request=request)))

    def states(self, client_id: int) -> list[OrderStatus]:
        updates = self.heard(OrderUpdated)
        return [event.report.status for event in updates if event.report.client_id == client_id]


async def make_trader(world: World, endpoints: Endpoints, market: str) -> Trader:
    instrument = await fetch_instrument(world, BACKPACK, endpoints, market)
    credentials = account_credentials("backpack", FLEET, ACCOUNT)
    codec = BACKPACK.codec(leg=LEG, instrument=instrument, credentials=credentials, endpoints=endpoints)
    settings = SessionSettings(leg=LEG)
    return Trader(world, lambda deliver: Session(world, BACKPACK, codec, lambda: endpoints, deliver, settings))


def spec(speed: str = "1") -> SimSpec:
    return SimSpec(
        venue="backpack",
        seed=1,
        speed=Decimal(speed),
        latency_ms=0,
        taker_delay_ms=0,
        recording=None,
        accounts={ACCOUNT: {"USDC": Decimal(10_000), "SOL": Decimal(100)}},
    )


async def act(trader: Trader, scene: Callable[[Trader], Awaitable[None]]) -> None:
    running = asyncio.ensure_future(trader.session.run())
    try:
        await trader.until(
            lambda: trader.heard(LegConnected) and trader.heard(BookUpdated), "not connected, or no book"
        )
        await scene(trader)
    finally:
        await trader.session.close()
        await running


def play_virtual(scene: Callable[[Trader], Awaitable[None]], market: str, *, speed: str = "1") -> None:
    loop = VirtualLoop()

    async def whole() -> None:
        network = VirtualNetwork(loop, {"backpack": simulated_backpack(spec(speed), FLEET)}, seed=1)
        endpoints = Endpoints(rest_url="http://backpack", ws_url="ws://backpack/")
        await act(await make_trader(VirtualWorld(network, seed=1), endpoints, market), scene)

    try:
        loop.run_until_complete(whole())
    finally:
        loop.close()


def play_real(scene: Callable[[Trader], Awaitable[None]], market: str) -> None:
    async def whole() -> None:
        stop, ready, world = asyncio.Event(), asyncio.Event(), LiveWorld()
        listener = loopback_socket()
        machine = simulated_backpack(spec(), FLEET)
        served = asyncio.ensure_future(serve(machine, listener, ready=ready.set, stop=stop, linger_s=1))
        await ready.wait()
        rest_url, ws_url = urls(listener)
        try:
            await act(await make_trader(world, Endpoints(rest_url=rest_url, ws_url=ws_url), market), scene)
        finally:
            await world.close()
            stop.set()
            await served

    asyncio.run(whole())


PLAYS = [pytest.param(play_virtual, id="virtual"), pytest.param(play_real, id="sockets")]


@pytest.mark.parametrize("play", PLAYS)
@pytest.mark.parametrize("market", ["SOL_USDC", "SOL_USDC_PERP"])
def test_an_order_rests_is_heard_of_twice_and_is_cancelled(play, market: str) -> None:
    async def scene(trader: Trader) -> None:
        bid = trader.heard(BookUpdated)[-1].bids[0][0]
        trader.submit(7, Side.BUY, bid - 50, 10)
        await trader.until(lambda: len(trader.states(7)) >= 2, "the order was not confirmed by reply and stream")
        [open_orders] = await trader.session.ask(QueryOpenOrders(leg=LEG))
        assert isinstance(open_orders, OpenOrdersReported)
        assert [order.client_id for order in open_orders.orders] == [7]
        trader.session.send(CancelOrder(leg=LEG, client_id=7, venue_order_id=open_orders.orders[0].venue_order_id))
        await trader.until(lambda: OrderStatus.CANCELED in trader.states(7), "the order was not cancelled")

    play(scene, market)


@pytest.mark.parametrize("play", PLAYS)
def test_a_post_only_order_that_would_cross_is_rejected(play) -> None:
    async def scene(trader: Trader) -> None:
        ask = trader.heard(BookUpdated)[-1].asks[0][0]
        trader.submit(8, Side.BUY, ask + 50, 10)
        await trader.until(lambda: trader.heard(SubmitRejected), "the order was not refused")
        assert trader.heard(SubmitRejected)[0].reason is RejectReason.WOULD_CROSS

    play(scene, "SOL_USDC")


@pytest.mark.parametrize("play", PLAYS)
def test_questions_are_answered(play) -> None:
    async def scene(trader: Trader) -> None:
        [balances] = await trader.session.ask(QueryBalances(leg=LEG))
        assert isinstance(balances, BalancesReported)
        assert {balance.asset: balance.total for balance in balances.balances}["SOL"] == 100
        [fills] = await trader.session.ask(QueryFills(leg=LEG, since_ns=0))
        assert isinstance(fills, FillsReported) and fills.fills == ()

    play(scene, "SOL_USDC")


@pytest.mark.parametrize("market", ["SOL_USDC", "SOL_USDC_PERP"])
def test_a_moving_market_is_followed_for_minutes_without_a_loss(market: str) -> None:
    async def scene(trader: Trader) -> None:
        await trader.world.sleep(180)
        assert len(trader.heard(BookUpdated)) > 100
        assert not trader.heard(BookLost) and not trader.heard(LegDisconnected)

    play_virtual(scene, market)


@pytest.mark.parametrize("market", ["SOL_USDC", "SOL_USDC_PERP"])
def test_a_market_where_nothing_happens_for_an_hour_keeps_its_book(market: str) -> None:
    async def scene(trader: Trader) -> None:
        await trader.world.sleep(3600)
        assert not trader.heard(BookLost) and not trader.heard(LegDisconnected)

    play_virtual(scene, market, speed="0")
