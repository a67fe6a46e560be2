"""Gap, duplicate, reorder, zombie and cut sockets before the simulated Backpack: the book is stale within one
message, never wrong, and back within a bounded time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from engine.exchanges.interface import Codec, Context, Endpoints
from engine.exchanges.registry import find_venue
from engine.model.commands import QueryBook
from engine.model.events import BookLost, BookUpdated, DepthChanged, DepthSnapshot, Event
from engine.session.facts import fetch_instrument
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.sim.faults import FaultyMachine
from engine.sim.machine import (
    HttpAnswered,
    HttpReceived,
    Inbound,
    Outbound,
    SocketOpened,
    SocketReceived,
    SocketSent,
)
from engine.sim.network import VirtualNetwork
from engine.sim.venues import account_credentials, simulated_backpack
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from engine.spec.types import FaultSpec
from tests.session.test_backpack import ACCOUNT, FLEET, LEG, spec

MARKET = "SOL_USDC_PERP"
OURS = -1
"""The id of the witness's own socket and request."""
BACK_WITHIN_S = 45.0
ENDPOINTS = Endpoints(rest_url="http://backpack", ws_url="ws://backpack/")
VENUE = find_venue("backpack")
Book = tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]


class Witness:
    """Stands between the venue and the weather, and knows every book there ever was."""

    def __init__(self) -> None:
        self.machine = simulated_backpack(spec("3"), FLEET)
        self.books: set[Book] = set()
        self.frames = 0
        self.codec: Codec | None = None
        self._book = VENUE.book(LEG)

    @property
    def next_wake_ns(self) -> int | None:
        return self.machine.next_wake_ns

    def watch(self, codec: Codec, now_ns: int) -> None:
        self.codec = codec
        subscription = f'{{"method":"SUBSCRIBE","params":["depth.{MARKET}"]}}'
        depth = codec.encode(QueryBook(leg=LEG), Context(now_ns=now_ns))
        for message in (
            SocketOpened(socket_id=OURS),
            SocketReceived(socket_id=OURS, text=subscription),
            HttpReceived(request_id=OURS, request=depth),
        ):
            self.handle(message, now_ns)

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        return self._without_ours(self.machine.handle(message, now_ns))

    def wake(self, now_ns: int) -> list[Outbound]:
        return self._without_ours(self.machine.wake(now_ns))

    def _without_ours(self, said: list[Outbound]) -> list[Outbound]:
        return [message for message in said if not self._is_ours(message)]

    def _is_ours(self, message: Outbound) -> bool:
        if isinstance(message, HttpAnswered):
            is_ours = message.request_id == OURS
            events = self._decode_reply(message) if is_ours else ()
        else:
            is_ours = message.socket_id == OURS
            events = self._decode_frame(message) if is_ours else ()
        for event in events:
            self._learn(event)
        return is_ours

    def _decode_reply(self, message: HttpAnswered):
        assert self.codec is not None
        return self.codec.decode_reply(QueryBook(leg=LEG), message.response, requested_ns=0, at_ns=0)

    def _decode_frame(self, message: Outbound):
        assert self.codec is not None and isinstance(message, SocketSent)
        return self.codec.decode_frame(message.text, at_ns=0)

    def _learn(self, event: Event) -> None:
        self.frames += 1
        seen = None
        if isinstance(event, DepthChanged):
            seen = self._book.changed(event)
        elif isinstance(event, DepthSnapshot):
            seen = self._book.snapshot(event)
        assert not isinstance(seen, BookLost)
        if seen is not None:
            self.books.add((seen.bids, seen.asks))


class Stage:
    def __init__(self, loop: VirtualLoop) -> None:
        self.witness = Witness()
        self.weather = FaultyMachine(self.witness, FaultSpec(), seed=7)
        self.network = VirtualNetwork(loop, {"backpack": self.weather}, seed=1)
        self.world = VirtualWorld(self.network, seed=1)
        self.events: list[Event] = []

    async def open(self) -> None:
        instrument = await fetch_instrument(self.world, VENUE, ENDPOINTS, MARKET)
        keys = account_credentials("backpack", FLEET, ACCOUNT)
        codec = VENUE.codec(leg=LEG, instrument=instrument, credentials=keys, endpoints=ENDPOINTS)
        self.witness.watch(codec, self.world.now_ns())
        settings = SessionSettings(leg=LEG)
        self.session = Session(self.world, VENUE, codec, lambda: ENDPOINTS, self.events.append, settings)

    def switch(self, **faults: float) -> None:
        self.weather.faults = replace(FaultSpec(), **faults)

    async def wait(self, delay_s: float) -> None:
        await self.world.sleep(delay_s)

    async def next_frame(self) -> None:
        """Wait until the venue has said something of the book, and it has had time to arrive."""
        before = self.witness.frames
        while self.witness.frames == before:
            await self.wait(0.001)
        await self.wait(0.006)

    @property
    def books(self) -> list[BookUpdated | BookLost]:
        return [event for event in self.events if isinstance(event, BookUpdated | BookLost)]

    def is_whole(self) -> bool:
        return bool(self.books) and isinstance(self.books[-1], BookUpdated)

    def never_wrong(self) -> bool:
        shown = [event for event in self.books if isinstance(event, BookUpdated)]
        return bool(shown) and all((event.bids, event.asks) in self.witness.books for event in shown)


def play(scene: Callable[[Stage], Awaitable[None]]) -> None:
    loop = VirtualLoop()

    async def whole() -> None:
        stage = Stage(loop)
        await stage.open()
        running = asyncio.ensure_future(stage.session.run())
        try:
            await scene(stage)
        finally:
            await stage.session.close()
            await running

    try:
        loop.run_until_complete(whole())
    finally:
        loop.close()


@pytest.mark.parametrize("fault", ["drop", "gap", "reorder"])
def test_after_a_lost_or_late_frame_the_next_one_makes_the_book_stale(fault: str) -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(5)
        assert stage.is_whole()
        before = len([event for event in stage.books if isinstance(event, BookLost)])
        stage.switch(**{fault: 1.0})
        await stage.next_frame()
        stage.switch()
        for _ in range(6):
            await stage.next_frame()
            if len([event for event in stage.books if isinstance(event, BookLost)]) > before:
                break
        assert len([event for event in stage.books if isinstance(event, BookLost)]) > before
        await stage.wait(5)
        assert stage.is_whole() and stage.never_wrong()

    play(scene)


@pytest.mark.parametrize(
    "faults",
    [
        {"drop": 0.05},
        {"gap": 0.02},
        {"duplicate": 0.2},
        {"reorder": 0.05},
        {"disconnect": 0.01},
        {"zombie": 0.01},
        {"jitter_ms": 300},
        {"slow": 0.5, "slow_ms": 3000, "server_error": 0.2, "rate_limited": 0.2},
        {"drop": 0.02, "gap": 0.01, "duplicate": 0.05, "reorder": 0.02, "disconnect": 0.005, "zombie": 0.002},
    ],
    ids=lambda faults: "+".join(faults),
)
def test_in_bad_weather_the_book_is_never_wrong_and_afterwards_it_comes_back(faults: dict[str, float]) -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(5)
        stage.switch(**faults)
        await stage.wait(60)
        stage.switch()
        await stage.wait(BACK_WITHIN_S)
        assert stage.is_whole() and stage.never_wrong()
        newest = stage.books[-1]
        await stage.wait(10)
        assert stage.books[-1].at_ns > newest.at_ns and stage.never_wrong()

    play(scene)


def test_a_zombie_socket_loses_the_book_within_its_greatest_age_and_a_new_one_brings_it_back() -> None:
    async def scene(stage: Stage) -> None:
        await stage.wait(5)
        stage.switch(zombie=1.0)
        await stage.wait(1)
        stage.switch()
        silent_from_ns = stage.books[-1].at_ns
        await stage.wait(15)
        lost = next(event for event in stage.books if isinstance(event, BookLost))
        assert lost.at_ns - silent_from_ns <= 15e9
        await stage.wait(BACK_WITHIN_S)
        assert stage.is_whole() and stage.never_wrong()

    play(scene)
