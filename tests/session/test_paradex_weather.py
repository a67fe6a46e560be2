"""Gap, duplicate, reorder, zombie and cut sockets before the simulated Paradex. Its book always comes whole, so a
lost frame costs freshness and never truth: what is shown was once the venue's book, and never an older one than
before.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest
from msgspec.structs import replace

from engine.exchanges.interface import Codec
from engine.exchanges.registry import find_venue
from engine.model.events import BookLost, BookUpdated, DepthSnapshot, Event
from engine.model.order import OrderStatus, Side
from engine.session.facts import fetch_instrument
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.sim.faults import FaultyMachine
from engine.sim.machine import Inbound, Outbound, SocketSent
from engine.sim.network import VirtualNetwork
from engine.sim.venues import account_credentials, simulated_paradex
from engine.sim.virtual_loop import VirtualLoop
from engine.sim.world import VirtualWorld
from engine.spec.types import FaultSpec
from tests.session.test_paradex import ACCOUNT, ENDPOINTS, FIRST_ID, FLEET, LEG, MARKET, Trader, spec

BACK_WITHIN_S = 45.0
VENUE = find_venue("paradex")


class Witness:
    """Stands between the venue and the weather, and knows every book the venue ever sent."""

    def __init__(self) -> None:
        self.machine = simulated_paradex(spec("3"), FLEET)
        self.codec: Codec | None = None
        self.numbers: dict[object, list[int]] = defaultdict(list)

    @property
    def next_wake_ns(self) -> int | None:
        return self.machine.next_wake_ns

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        return self._learn(self.machine.handle(message, now_ns))

    def wake(self, now_ns: int) -> list[Outbound]:
        return self._learn(self.machine.wake(now_ns))

    def _learn(self, said: list[Outbound]) -> list[Outbound]:
        for message in said:
            if isinstance(message, SocketSent) and self.codec is not None and '"order_book.' in message.text:
                for event in self.codec.decode_frame(message.text, at_ns=0):
                    if isinstance(event, DepthSnapshot):
                        self.numbers[_best(event.bids), _best(event.asks)].append(event.last_id)
        return said

    def vouches_for(self, shown: list[BookUpdated]) -> bool:
        """Whether every book shown was one of the venue's, in the venue's order."""
        reached = 0
        for book in shown:
            later = [number for number in self.numbers[book.bids, book.asks] if number >= reached]
            if not later:
                return False
            reached = min(later)
        return bool(shown)


def _best(levels: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    return levels[:10]


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
def test_in_bad_weather_the_book_is_never_wrong_and_afterwards_all_is_well(faults: dict[str, float]) -> None:
    loop = VirtualLoop()

    async def whole() -> None:
        witness = Witness()
        weather = FaultyMachine(witness, FaultSpec(), seed=7)
        world = VirtualWorld(VirtualNetwork(loop, {"paradex": weather}, seed=1), seed=1)
        instrument = await fetch_instrument(world, VENUE, ENDPOINTS, MARKET)
        keys = account_credentials("paradex", FLEET, ACCOUNT)
        codec = VENUE.codec(leg=LEG, instrument=instrument, credentials=keys, endpoints=ENDPOINTS)
        witness.codec = codec
        events: list[Event] = []
        session = Session(world, VENUE, codec, lambda: ENDPOINTS, events.append, SessionSettings(leg=LEG))
        running = asyncio.ensure_future(session.run())
        try:
            await world.sleep(5)
            weather.faults = replace(FaultSpec(), **faults)
            await world.sleep(60)
            weather.faults = FaultSpec()
            await world.sleep(BACK_WITHIN_S)
            books = [event for event in events if isinstance(event, BookUpdated | BookLost)]
            assert isinstance(books[-1], BookUpdated)
            await world.sleep(10)
            shown = [event for event in events if isinstance(event, BookUpdated)]
            assert shown[-1].at_ns > books[-1].at_ns
            assert witness.vouches_for(shown)
            trader = Trader(world, witness.machine)
            trader.session, trader.events = session, events
            trader.submit(FIRST_ID, Side.BUY, trader.bid - 4_000, 150, post_only=True)
            await trader.until(lambda: trader.states(FIRST_ID).count(OrderStatus.RESTING) >= 2, "not resting")
        finally:
            await session.close()
            await running

    try:
        loop.run_until_complete(whole())
    finally:
        loop.close()
