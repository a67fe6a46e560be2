"""How far the venue's clock is from ours. Signatures carry its time, and windows of seconds refuse the rest."""

from __future__ import annotations

import asyncio
import logging

from engine.clock import NS_PER_S
from engine.errors import Unavailable, VenueError
from engine.exchanges.interface import Venue
from engine.session.door import Door
from engine.session.settings import SessionSettings
from engine.session.tasks import race
from engine.transport.backoff import Backoff
from engine.transport.world import World

log = logging.getLogger(__name__)

SAMPLES = 2
"""The first request of a connection pays for its handshake, so the second tells the time better."""
WORST_ROUND_TRIP_NS = 2 * NS_PER_S
"""A sample is uncertain by half its round trip; beyond this it is worse than none."""


class ClockOffset:
    """The offset of one venue; zero until measured. It is measured again at intervals and when asked for."""

    def __init__(self, world: World, venue: Venue, door: Door, settings: SessionSettings) -> None:
        self._world = world
        self._venue = venue
        self._door = door
        self._settings = settings
        self._backoff = Backoff(world.random, ceiling_s=60.0)
        self._wanted = asyncio.Event()
        self.offset_ns = 0
        self.is_known = False

    def now_ns(self) -> int:
        """The venue's clock now, as far as we know it."""
        return self._world.now_ns() + self.offset_ns

    def doubt(self) -> None:
        """The venue refused our time: measure again at once."""
        self._wanted.set()

    async def measure(self) -> bool:
        """Take the sample with the shortest round trip; False leaves the old offset when none is good."""
        try:
            self._door.find_venue()
            samples = [await self._sample() for _ in range(SAMPLES)]
        except VenueError as error:
            log.warning("venue clock not measured", extra={"facts": {"why": error.message}})
            return False
        round_trip_ns, self.offset_ns = min(samples)
        self.is_known = True
        facts = {"offset_ms": self.offset_ns // 1_000_000, "round_trip_ms": round_trip_ns // 1_000_000}
        log.info("venue clock measured", extra={"facts": facts})
        return True

    async def keep(self) -> None:
        """Keep the offset fresh until cancelled."""
        pause_s = self._settings.clock_refresh_s if self.is_known else self._backoff.delay_s()
        while True:
            await race(self._wanted.wait(), self._world.sleep(pause_s))
            self._wanted.clear()
            pause_s = self._settings.clock_refresh_s if await self.measure() else self._backoff.delay_s()

    async def _sample(self) -> tuple[int, int]:
        """(round trip, offset): the venue's clock against the middle of the round trip."""
        request = self._venue.server_time_request()
        before_ns, began_ns = self._world.now_ns(), self._world.monotonic_ns()
        response = await self._door.send(request, timeout_s=self._settings.query_timeout_s)
        round_trip_ns = self._world.monotonic_ns() - began_ns
        if round_trip_ns > WORST_ROUND_TRIP_NS:
            raise Unavailable(f"the venue took {round_trip_ns / NS_PER_S:.1f} s to tell the time")
        return round_trip_ns, self._venue.decode_server_time(response) - (before_ns + round_trip_ns // 2)
