"""A session with the simulated Lighter in virtual time, and what it heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from engine.exchanges.interface import Endpoints, Venue
from engine.exchanges.lighter.options import LighterOptions, OrderEntry
from engine.exchanges.lighter.venue import Lighter
from engine.model.commands import CancelOrder, SubmitOrder
from engine.model.events import BookUpdated, Event, LegConnected, OrderUpdated
from engine.model.order import ApprovedOrder, OrderRequest, OrderStatus, Side
from engine.session.facts import fetch_instrument
from engine.session.nonces import Lease, OwnKey, clock_nonces
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.session.shared import Shared
from engine.sim.lighter.settings import LighterSettings
from engine.sim.lighter.venue import LighterMachine
from engine.sim.machine import (
    HttpAnswered,
    HttpReceived,
    Inbound,
    Outbound,
    SocketDropped,
    SocketReceived,
    SocketSent,
)
from engine.sim.network import VirtualNetwork
from engine.sim.venues import account_credentials, simulated_lighter
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from engine.spec.types import SimSpec
from engine.transport.weights import own_scales

LEG, FLEET, ACCOUNT, MARKET = "main", "tests", "alice", "ETH"
ENDPOINTS = Endpoints(rest_url="http://lighter", ws_url="ws://lighter/")
LIGHTER = Lighter(LighterOptions(tx_lifetime_s=60, order_entry=OrderEntry.REST))
"""Signs in Python, by the clock it is given: the native signer reads the machine's."""
BY_SOCKET = Lighter(LighterOptions(tx_lifetime_s=60, order_entry=OrderEntry.WEBSOCKET))
UNCOUNTED = LighterSettings(requests_per_minute=None)
FIRST_ID = LIGHTER.facts.client_ids.compose(1, 1)


def sim_spec(speed: str = "1", *accounts: str) -> SimSpec:
    return SimSpec(
        venue="lighter",
        seed=1,
        speed=Decimal(speed),
        latency_ms=0,
        taker_delay_ms=300,
        recording=None,
        accounts={name: {"USDC": Decimal(100_000)} for name in accounts or (ACCOUNT,)},
    )


def is_transaction(message: Inbound) -> bool:
    if isinstance(message, HttpReceived):
        return message.request.target == "/api/v1/sendTx"
    return isinstance(message, SocketReceived) and '"jsonapi/sendtx"' in message.text


def is_refusal(message: Outbound) -> bool:
    if isinstance(message, HttpAnswered):
        return message.response.status != 200
    return isinstance(message, SocketSent) and '"error"' in message.text


class Lossy:
    """Stands before the venue and loses the transactions it is told to, on their way there, or holds them up until
    the next one comes."""

    def __init__(self, machine: LighterMachine) -> None:
        self.machine = machine
        self.lose = self.hold_up = 0
        self.breaks_sockets = False
        """Whether a socket breaks that a lost transaction came on."""
        self.lost: list[Inbound] = []
        self._held_up: list[Inbound] = []
        self.taken: list[Inbound] = []
        self.refusals: list[Outbound] = []
        """What the venue said to transactions that it did not take."""

    @property
    def next_wake_ns(self) -> int | None:
        return self.machine.next_wake_ns

    def wake(self, now_ns: int) -> list[Outbound]:
        return self.machine.wake(now_ns)

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        if not is_transaction(message):
            return self.machine.handle(message, now_ns)
        if self.lose:
            self.lose -= 1
            self.lost.append(message)
            if self.breaks_sockets and isinstance(message, SocketReceived):
                return [SocketDropped(socket_id=message.socket_id, code=1006)]
            return []
        self._held_up.append(message)
        if self.hold_up:
            self.hold_up -= 1
            return []
        self.taken += self._held_up
        said = [words for each in self._held_up for words in self.machine.handle(each, now_ns)]
        self._held_up.clear()
        self.refusals += filter(is_refusal, said)
        return said


class Trader:
    """One session, and everything it delivered."""

    def __init__(self, world: VirtualWorld, venue: Venue = LIGHTER, account: str = ACCOUNT) -> None:
        self.world, self.venue, self.account = world, venue, account
        self.events: list[Event] = []

    async def open(self, lease: Lease | None = None, **settings: Any) -> Session:
        instrument = await fetch_instrument(self.world, self.venue, ENDPOINTS, MARKET)
        keys = account_credentials("lighter", FLEET, self.account)
        codec = self.venue.codec(leg=LEG, instrument=instrument, credentials=keys, endpoints=ENDPOINTS)
        scales = own_scales(self.venue.facts.counts, self.world.monotonic_ns())
        shared = Shared(scales, clock_nonces(), lease or OwnKey())
        self.session = Session(
            self.world,
            self.venue,
            codec,
            lambda: ENDPOINTS,
            self.events.append,
            SessionSettings(leg=LEG, **settings),
            shared,
        )
        return self.session

    def submit(self, client_id: int, side: Side, ticks: int, lots: int = 100, **more: Any) -> None:
        request = OrderRequest(leg=LEG, client_id=client_id, slot="test", side=side, ticks=ticks, lots=lots, **more)
        self.session.send(SubmitOrder(leg=LEG, order=ApprovedOrder(request=request)))

    def cancel(self, client_id: int) -> None:
        self.session.send(CancelOrder(leg=LEG, client_id=client_id, venue_order_id=None))

    def heard(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if type(event) is kind]

    def states(self, client_id: int) -> list[OrderStatus]:
        return [event.report.status for event in self.heard(OrderUpdated) if event.report.client_id == client_id]

    async def until(self, condition: Callable[[], object], what: str, timeout_s: float = 20.0) -> None:
        for _ in range(int(timeout_s * 100)):
            if condition():
                return
            await self.world.sleep(0.01)
        raise AssertionError(f"{what}; heard {self.events[-20:]}")

    async def ready(self) -> None:
        """Connected, with a book, and with a nonce."""
        await self.until(lambda: self.heard(LegConnected) and self.heard(BookUpdated), "not connected")
        await self.world.sleep(0.1)

    @property
    def bid(self) -> int:
        return int(self.heard(BookUpdated)[-1].bids[0][0])

    @property
    def ask(self) -> int:
        return int(self.heard(BookUpdated)[-1].asks[0][0])


def play(
    scene: Callable[[Trader, Lossy], Awaitable[None]],
    settings: LighterSettings = UNCOUNTED,
    venue: Venue = LIGHTER,
    speed: str = "1",
    **of_session: Any,
) -> None:
    """Play a scene beside one running session; it is closed at the end."""
    loop = VirtualLoop()

    async def whole() -> None:
        lossy = Lossy(simulated_lighter(sim_spec(speed), FLEET, settings=settings))
        trader = Trader(VirtualWorld(VirtualNetwork(loop, {"lighter": lossy}, seed=1), seed=1), venue)
        running = asyncio.ensure_future((await trader.open(**of_session)).run())
        try:
            await trader.ready()
            await scene(trader, lossy)
        finally:
            await trader.session.close()
            await running

    try:
        loop.run_until_complete(whole())
    finally:
        loop.close()
