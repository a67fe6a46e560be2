"""A session with the simulated Paradex in virtual time, by REST or over the socket, and what it heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from engine.exchanges.interface import Endpoints, Venue
from engine.exchanges.paradex.options import OrderEntry, ParadexOptions
from engine.exchanges.paradex.translate import own_id
from engine.exchanges.paradex.venue import Paradex
from engine.model.commands import CancelOrder, SubmitOrder
from engine.model.events import BookUpdated, Event, LegConnected, OrderUpdated
from engine.model.order import ApprovedOrder, OrderRequest, OrderStatus, Side
from engine.session.facts import fetch_instrument
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.sim.machine import (
    HttpReceived,
    Inbound,
    Outbound,
    SocketClosed,
    SocketDropped,
    SocketReceived,
)
from engine.sim.network import VirtualNetwork
from engine.sim.paradex.settings import ParadexSettings
from engine.sim.paradex.venue import ParadexMachine
from engine.sim.venues import account_credentials, simulated_paradex
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from engine.spec.types import SimSpec

PARADEX = Paradex()
BY_SOCKET = Paradex(ParadexOptions(order_entry=OrderEntry.WEBSOCKET))
WITH_SWITCH = Paradex(ParadexOptions(order_entry=OrderEntry.WEBSOCKET, cancel_on_disconnect=True))
LEG, FLEET, ACCOUNT, MARKET = "main", "tests", "alice", "SOL-USD-PERP"
ENDPOINTS = Endpoints(rest_url="http://paradex", ws_url="ws://paradex/")
FIRST_ID = PARADEX.facts.client_ids.compose(1, 1)


def is_change(message: Inbound) -> bool:
    """Whether a message places or cancels orders."""
    if isinstance(message, HttpReceived):
        return message.request.method != "GET" and message.request.target.startswith("/v1/orders")
    return isinstance(message, SocketReceived) and any(
        f'"{method}"' in message.text for method in ("order.create", "order.create_batch", "order.cancel")
    )


class Lossy:
    """Stands before the venue, and loses of orders and cancels what it is told to: on their way there, with the
    socket they came on, or the answer to them."""

    def __init__(self, machine: ParadexMachine) -> None:
        self.machine = machine
        self.exchange = machine.exchange
        self.breaks_socket_at = 0
        """From how many calls on; all of them are lost."""
        self.mutes = 0
        """How many calls are carried out and never answered."""
        self.lost: list[Inbound] = []
        self.taken: list[Inbound] = []

    @property
    def next_wake_ns(self) -> int | None:
        return self.machine.next_wake_ns

    def wake(self, now_ns: int) -> list[Outbound]:
        return self.machine.wake(now_ns)

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        if not is_change(message):
            return self.machine.handle(message, now_ns)
        if self.breaks_socket_at and isinstance(message, SocketReceived):
            return self._lose(message, now_ns)
        self.taken.append(message)
        said = self.machine.handle(message, now_ns)
        if not self.mutes:
            return said
        self.mutes -= 1
        return []

    def drop(self, socket_id: int, now_ns: int) -> list[Outbound]:
        """Break a socket."""
        said = self.machine.handle(SocketClosed(socket_id=socket_id), now_ns)
        return [SocketDropped(socket_id=socket_id, code=1006), *said]

    def _lose(self, message: SocketReceived, now_ns: int) -> list[Outbound]:
        self.lost.append(message)
        if len(self.lost) < self.breaks_socket_at:
            return []
        self.breaks_socket_at = 0
        return self.drop(message.socket_id, now_ns)

    @property
    def ways(self) -> list[type[Inbound]]:
        """How what was taken had come."""
        return [type(message) for message in self.taken]

    @property
    def resting(self) -> list[int | None]:
        """Client ids of the account's open orders, as the venue knows them."""
        papers = self.machine._state.papers
        return [own_id(papers[order.order_id].client_id) for order in self.exchange.open_orders(ACCOUNT)]


def order(client_id: int, ticks: int) -> SubmitOrder:
    """A post-only bid."""
    request = OrderRequest(
        leg=LEG, client_id=client_id, slot="test", side=Side.BUY, ticks=ticks, lots=150, post_only=True
    )
    return SubmitOrder(leg=LEG, order=ApprovedOrder(request=request))


class Trader:
    """A session with the venue, and what it heard."""

    def __init__(self, world: VirtualWorld, venue: Lossy, way: Venue) -> None:
        self.world = world
        self.venue = venue
        self.way = way
        self.events: list[Event] = []

    async def open(self) -> Session:
        instrument = await fetch_instrument(self.world, self.way, ENDPOINTS, MARKET)
        credentials = account_credentials("paradex", FLEET, ACCOUNT)
        codec = self.way.codec(leg=LEG, instrument=instrument, credentials=credentials, endpoints=ENDPOINTS)
        settings = SessionSettings(leg=LEG)
        self.session = Session(self.world, self.way, codec, lambda: ENDPOINTS, self.events.append, settings)
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

    def cancel(self, client_id: int) -> None:
        self.session.send(CancelOrder(leg=LEG, client_id=client_id, venue_order_id=None))

    async def rest(self, client_id: int) -> None:
        """A bid far below the market, once it is on the book."""
        self.submit(client_id, Side.BUY, self.bid - 4_000, 150, post_only=True)
        await self.until(lambda: self.states(client_id).count(OrderStatus.RESTING) >= 2, "not resting")

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


def play(
    scene: Callable[[Trader], Awaitable[None]], settings: ParadexSettings | None = None, way: Venue = PARADEX
) -> None:
    loop = VirtualLoop()

    async def whole() -> None:
        venue = Lossy(simulated_paradex(spec(), FLEET, settings=settings))
        network = VirtualNetwork(loop, {"paradex": venue}, seed=1)
        trader = Trader(VirtualWorld(network, seed=1), venue, way)
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
