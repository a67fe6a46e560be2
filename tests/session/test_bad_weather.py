"""Gap, duplicate, reorder, zombie and cut sockets before every simulated venue: the book is stale on the very frame
that reveals a gap, never wrong, and back within a bounded time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest

from engine.clock import NS_PER_S
from engine.exchanges.messages import Stream
from engine.model.events import BookLost, BookUpdated, DepthChanged, DepthSnapshot, Event, Level
from engine.model.order import Side
from engine.sim.machine import Outbound, SocketSent
from engine.sim.venue_market import VenueMarket
from tests.session.simulated import PLACES, Stage, play

SHOWN_LEVELS = 10
SPEED = "3"
BACK_WITHIN_S = 45.0
OLDEST_S = 10.0
"""A session's greatest data age."""
FRESH_S = 1.0
GAPS = 10
JOINED_S = 1.0
"""By then diffs have followed the snapshot. One that was lost before, the snapshot had in it already."""

each_venue = pytest.mark.parametrize("venue", PLACES)
each_venue_with_diffs = pytest.mark.parametrize(
    "venue", [name for name, place in PLACES.items() if not place.sends_whole_books]
)

Sides = tuple[tuple[Level, ...], tuple[Level, ...]]


class Truth:
    """Every state the venue's book was ever in, numbered by the order in which they came."""

    def __init__(self, stage: Stage) -> None:
        self._numbers: dict[Sides, list[int]] = defaultdict(list)
        self._began_ns: list[int] = []
        self._now_ns = stage.world.now_ns
        self._market = stage.place.market
        self._tell = stage.machine._book_changed
        stage.machine._book_changed = self._changed  # type: ignore[method-assign]  # the venue's own truth
        self._note(stage.machine.exchange.markets[self._market])

    def _changed(self, at: VenueMarket, bids: list[Level], asks: list[Level]) -> None:
        self._note(at)
        self._tell(at, bids, asks)

    def _note(self, at: VenueMarket) -> None:
        if at.market.symbol == self._market:
            bids, asks = (tuple(at.book.levels(side, SHOWN_LEVELS)) for side in (Side.BUY, Side.SELL))
            self._numbers[bids, asks].append(len(self._began_ns))
            self._began_ns.append(self._now_ns())

    def vouches_for(self, shown: Sequence[BookUpdated]) -> bool:
        """Whether every book shown was one of the venue's, and none older than one before it."""
        reached = 0
        for book in shown:
            later = [number for number in self._numbers[book.bids, book.asks] if number >= reached]
            if not later:
                return False
            reached = min(later)
        return bool(shown)

    def age_s(self, book: BookUpdated | BookLost) -> float:
        """For how long a book is no longer the venue's; a lost one is nobody's."""
        if isinstance(book, BookLost):
            return 0.0
        newest = max(self._numbers[book.bids, book.asks])
        ended_ns = self._began_ns[newest + 1] if newest + 1 < len(self._began_ns) else self._now_ns()
        return (self._now_ns() - ended_ns) / NS_PER_S


class Ear:
    """Follows the market's socket frame by frame: which depth frame of those sent this is, and what it led to."""

    def __init__(self, stage: Stage) -> None:
        self.revealing: list[Sequence[Event]] = []
        """What each depth frame led to that did not follow the one heard before it on its socket."""
        self._stage = stage
        self._sent: dict[str, int] = {}
        self._last: int | None = None
        self._pass_on = stage.weather._frames.pass_on
        stage.weather._frames.pass_on = self._leaves  # type: ignore[method-assign]  # before anything befalls it
        stage.session.on_open = self._opened
        stage.session.on_frame = self._arrives

    def _opened(self, stream: Stream) -> None:
        if not stream.private:
            self._last = None

    def _leaves(self, frame: SocketSent, faults: Any) -> list[Outbound]:
        if self._is_depth(frame.text):
            self._sent[frame.text] = len(self._sent)
        return self._pass_on(frame, faults)

    def _arrives(self, stream: Stream, text: str | bytes, led_to: Sequence[Event]) -> None:
        number = self._sent.get(str(text))
        if number is None or stream.private:
            return
        if self._last not in (None, number - 1):
            self.revealing.append(led_to)
        self._last = number

    def _is_depth(self, text: str) -> bool:
        events = self._stage.codec.decode_frame(text, at_ns=0)
        return any(isinstance(event, DepthChanged | DepthSnapshot) for event in events)


@each_venue_with_diffs
@pytest.mark.parametrize("fault", ["drop", "gap", "duplicate", "reorder"])
def test_the_very_frame_that_reveals_a_gap_makes_the_book_stale(venue: str, fault: str) -> None:
    async def scene(stage: Stage) -> None:
        truth, ear = Truth(stage), Ear(stage)
        for _ in range(GAPS):
            await stage.until(lambda: stage.has_book, "the book is not back")
            await stage.wait(JOINED_S)
            revealed = len(ear.revealing)
            stage.switch(**{fault: 0.3})
            await stage.until(lambda: len(ear.revealing) > revealed, "no gap was revealed")  # noqa: B023
            stage.switch()
            (lost,) = ear.revealing[revealed]
            assert isinstance(lost, BookLost)
        await stage.wait(5)
        assert stage.has_book and truth.vouches_for(stage.heard(BookUpdated))

    play(venue, scene, speed=SPEED)


@each_venue
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
def test_in_bad_weather_the_book_is_never_wrong_and_afterwards_all_is_well(
    venue: str, faults: dict[str, float]
) -> None:
    async def scene(stage: Stage) -> None:
        truth = Truth(stage)
        stage.switch(**faults)
        await stage.wait(60)
        stage.switch()
        await stage.wait(BACK_WITHIN_S)
        assert stage.has_book and truth.age_s(stage.books[-1]) < FRESH_S
        assert truth.vouches_for(stage.heard(BookUpdated))
        await stage.rest()

    play(venue, scene, speed=SPEED)


@each_venue
def test_a_zombie_socket_never_leaves_a_book_beyond_its_greatest_age_and_a_new_one_brings_it_back(
    venue: str,
) -> None:
    async def scene(stage: Stage) -> None:
        truth = Truth(stage)
        stage.switch(zombie=1.0)
        await stage.wait(1)
        stage.switch()
        for _ in range(round(BACK_WITHIN_S)):
            await stage.wait(1)
            assert truth.age_s(stage.books[-1]) <= OLDEST_S
        assert stage.heard(BookLost)
        assert stage.has_book and truth.age_s(stage.books[-1]) < FRESH_S
        assert truth.vouches_for(stage.heard(BookUpdated))

    play(venue, scene, speed=SPEED)
