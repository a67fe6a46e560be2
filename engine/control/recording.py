"""A market recorded into a file, for `botctl market record`: public data only, asked for with throwaway keys.

Every time in which the book was not known is marked as a gap (law 7), and nothing is kept in memory but the book.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from engine.clock import NS_PER_S, seconds_to_ns
from engine.control.recording_file import RecordingFile
from engine.control.venue_questions import Counter
from engine.control.ways import ask_through
from engine.errors import Unavailable
from engine.exchanges.interface import Endpoints, TapeCodec, Venue
from engine.model.events import Event
from engine.model.instrument import Instrument
from engine.model.value import Value
from engine.session.facts import fetch_instrument
from engine.session.public import PublicCodec
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.session.tasks import race
from engine.sim.recorder import Recorder
from engine.transport.world import World

LEG = "recording"
FLUSH_S = 1.0
"""What a kill -9 may cost."""


class Progress(Value, frozen=True, kw_only=True):
    """How far a recording has come. `lost_because` is empty while the book is known."""

    seconds: float
    books: int
    trades: int
    gaps: int
    size_bytes: int
    lost_because: str


Tell = Callable[[Progress], None]


def record_market(counter: Counter, market: str, path: Path, for_s: float | None, tell: Tell) -> Progress:
    """Record until the time is over, or SIGINT or SIGTERM come; `tell` is called about once a second."""

    async def asked(world: World) -> Progress:
        instrument = await fetch_instrument(world, counter.venue, counter.endpoints(), market)
        with RecordingFile(path) as file:
            recording = Recording(world, Recorder(instrument), file, tell)
            session = public_session(world, counter.venue, instrument, counter.endpoints, recording.heard)
            await race(session.run(), recording.keep(for_s), _asked_to_stop())
        return recording.ended()

    return ask_through(counter.proxy, asked)


def public_session(
    world: World,
    venue: Venue,
    instrument: Instrument,
    endpoints_of: Callable[[], Endpoints],
    deliver: Callable[[Event], None],
) -> Session:
    """A session that hears a market's book and trades, and is nobody's."""
    codec = venue.codec(
        leg=LEG,
        instrument=instrument,
        credentials=venue.throwaway_credentials("public questions"),
        endpoints=endpoints_of(),
    )
    if not isinstance(codec, TapeCodec):
        raise Unavailable(f"botctl cannot hear the trades of {venue.facts.name}")
    return Session(world, venue, PublicCodec(codec, codec), endpoints_of, deliver, SessionSettings(leg=LEG))


async def _asked_to_stop() -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


class Recording:
    """What a session hears, on its way into a file."""

    def __init__(self, world: World, recorder: Recorder, file: RecordingFile, tell: Tell) -> None:
        self._world = world
        self._recorder = recorder
        self._file = file
        self._tell = tell
        self._began_ns = world.monotonic_ns()

    def heard(self, event: Event) -> None:
        self._file.write(self._recorder.lines(event))

    async def keep(self, for_s: float | None) -> None:
        """See it on disk about once a second, until the time is over; without one until cancelled."""
        while for_s is None or self._left_s(for_s) > 0:
            await self._world.sleep(FLUSH_S if for_s is None else min(FLUSH_S, self._left_s(for_s)))
            self._file.write(self._recorder.still(self._world.now_ns()))
            self._file.flush()
            self._tell(self.progress())

    def progress(self) -> Progress:
        recorder = self._recorder
        return Progress(
            seconds=(self._world.monotonic_ns() - self._began_ns) / NS_PER_S,
            books=recorder.books,
            trades=recorder.trades,
            gaps=recorder.gaps,
            size_bytes=self._file.size_bytes,
            lost_because=recorder.lost_because,
        )

    def ended(self) -> Progress:
        """What was recorded; where it is nothing, no file is left behind, and it is Unavailable."""
        found = self.progress()
        if not found.books and not found.trades:
            self._file.path.unlink(missing_ok=True)
            raise Unavailable(f"nothing was recorded in {found.seconds:.0f} s: {found.lost_because}")
        return found

    def _left_s(self, for_s: float) -> float:
        return (self._began_ns + seconds_to_ns(for_s) - self._world.monotonic_ns()) / NS_PER_S
