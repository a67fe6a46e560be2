"""A session with any simulated venue in virtual time, weather between them: the stage of tests over all venues.

A venue joins with a row in `PLACES`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from msgspec.structs import replace

from engine.exchanges.interface import Codec, Endpoints
from engine.exchanges.messages import Stream
from engine.exchanges.registry import find_venue
from engine.model.commands import SubmitOrder
from engine.model.events import BookLost, BookUpdated, Event, LegConnected, OrderUpdated
from engine.model.order import ApprovedOrder, OrderRequest, OrderStatus, Side
from engine.session.facts import fetch_instrument
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.sim.faults import FaultyMachine
from engine.sim.market_machine import MarketMachine
from engine.sim.network import VirtualNetwork
from engine.sim.venues import (
    account_credentials,
    simulated_aster,
    simulated_backpack,
    simulated_lighter,
    simulated_paradex,
)
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from engine.spec.types import FaultSpec, SimSpec

LEG, FLEET, ACCOUNT = "main", "tests", "alice"
QUOTE = Decimal(100_000)


class Place(NamedTuple):
    """Where to trade at a venue, and what makes its simulator."""

    simulate: Callable[..., Any]
    market: str
    quote: str
    sends_whole_books: bool = False


PLACES = {
    "aster": Place(simulated_aster, "SOLUSDT", "USDT"),
    "aster-spot": Place(simulated_aster, "SOLUSDT", "USDT"),
    "backpack": Place(simulated_backpack, "SOL_USDC_PERP", "USDC"),
    "lighter": Place(simulated_lighter, "SOL", "USDC"),
    "paradex": Place(simulated_paradex, "SOL-USD-PERP", "USDC", sends_whole_books=True),
}


class WatchedSession(Session):
    """Tells of every opened socket, and at once what every frame led to: `on_frame(stream, text, events)`."""

    on_open: Callable[[Stream], None]
    on_frame: Callable[[Stream, str | bytes, Sequence[Event]], None]
    events: list[Event]

    def opened(self, stream: Stream) -> None:
        self.on_open(stream)
        super().opened(stream)

    def heard(self, stream: Stream, text: str | bytes) -> str | None:
        before = len(self.events)
        try:
            return super().heard(stream, text)
        finally:
            self.on_frame(stream, text, self.events[before:])


class Stage:
    """One venue, the weather before it, one session, and what it heard. `venue_settings` go to the simulator."""

    def __init__(self, loop: VirtualLoop, venue: str, speed: str, venue_settings: Any) -> None:
        self.venue, self.place = find_venue(venue), PLACES[venue]
        spec = SimSpec(
            venue=venue,
            seed=1,
            speed=Decimal(speed),
            latency_ms=0,
            taker_delay_ms=0,
            recording=None,
            accounts={ACCOUNT: {self.place.quote: QUOTE, "SOL": Decimal(100)}},
        )
        self.machine: MarketMachine = self.place.simulate(spec, FLEET, settings=venue_settings)
        self.weather = FaultyMachine(self.machine, FaultSpec(), seed=7)
        self.network = VirtualNetwork(loop, {venue: self.weather}, seed=1)
        self.world = VirtualWorld(self.network, seed=1)
        self.endpoints = Endpoints(rest_url=f"http://{venue}", ws_url=f"ws://{venue}/")
        self.events: list[Event] = []

    async def open(self, settings: SessionSettings) -> Session:
        instrument = await fetch_instrument(self.world, self.venue, self.endpoints, self.place.market)
        keys = account_credentials(self.venue.facts.name, FLEET, ACCOUNT)
        self.codec: Codec = self.venue.codec(
            leg=LEG, instrument=instrument, credentials=keys, endpoints=self.endpoints
        )
        self.session = WatchedSession(
            self.world, self.venue, self.codec, lambda: self.endpoints, self.events.append, settings
        )
        self.session.events = self.events
        self.session.on_open = lambda _stream: None
        self.session.on_frame = lambda _stream, _text, _events: None
        return self.session

    def switch(self, **faults: float) -> None:
        """From now on exactly these faults."""
        self.weather.faults = replace(FaultSpec(), **faults)

    async def wait(self, delay_s: float) -> None:
        await self.world.sleep(delay_s)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        for _ in range(3_000):
            if condition():
                return
            await self.wait(0.01)
        raise AssertionError(f"{what}; heard {self.events[-20:]}")

    # What was heard -----------------------------------------------------------------------------------------

    def heard(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if type(event) is kind]

    @property
    def books(self) -> list[BookUpdated | BookLost]:
        return [event for event in self.events if isinstance(event, BookUpdated | BookLost)]

    @property
    def has_book(self) -> bool:
        return bool(self.books) and isinstance(self.books[-1], BookUpdated)

    def states(self, client_id: int) -> list[OrderStatus]:
        updates = self.heard(OrderUpdated)
        return [event.report.status for event in updates if event.report.client_id == client_id]

    # What is done -------------------------------------------------------------------------------------------

    def client_id(self, sequence: int = 1) -> int:
        return self.venue.facts.client_ids.compose(1, sequence)

    def submit(self, client_id: int, ticks: int) -> None:
        """Send a post-only bid."""
        request = OrderRequest(
            leg=LEG, client_id=client_id, slot="test", side=Side.BUY, ticks=ticks, lots=150, post_only=True
        )
        self.session.send(SubmitOrder(leg=LEG, order=ApprovedOrder(request=request)))

    async def rest(self, sequence: int = 1, *, below: int = 400) -> int:
        """A bid that rests well below the market; gives its client id."""
        client_id, bid = self.client_id(sequence), self.heard(BookUpdated)[-1].bids[0][0]
        self.submit(client_id, bid - below)
        await self.until(lambda: OrderStatus.RESTING in self.states(client_id), "not resting")
        return client_id


def play(
    venue: str,
    scene: Callable[[Stage], Awaitable[None]],
    *,
    speed: str = "1",
    venue_settings: Any = None,
    settings: SessionSettings | None = None,
) -> Stage:
    """Play a scene beside a running session that has connected and has a book."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)

    async def whole() -> Stage:
        stage = Stage(loop, venue, speed, venue_settings)
        running = asyncio.ensure_future((await stage.open(settings or SessionSettings(leg=LEG))).run())
        try:
            await stage.until(lambda: stage.heard(LegConnected) and stage.has_book, "not connected, or no book")
            await scene(stage)
        finally:
            await stage.session.close()
            await running
        return stage

    try:
        return loop.run_until_complete(whole())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
