"""The book, kept whole and fresh: diffs in, snapshots fetched where needed, BookUpdated and BookLost out.

A book is lost at once when its socket goes, its sequence has a gap, or nothing was heard of it for the maximum
data age (law 7). Silence alone says nothing: a quiet market is told from a socket that merely looks open by
asking for a snapshot, before the age is reached. When that is ahead of the stream, and the stream does not follow,
the socket is dead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from engine.clock import NS_PER_MS, NS_PER_S, seconds_to_ns
from engine.errors import Unavailable, VenueError
from engine.exchanges.interface import BookMachine
from engine.model.events import BookLost, BookUpdated, DepthChanged, DepthSnapshot, Event
from engine.session.settings import SessionSettings
from engine.session.tasks import race
from engine.transport.backoff import Backoff
from engine.transport.world import World

log = logging.getLogger(__name__)

Fetch = Callable[[], Awaitable[Sequence[Event]]]

LOOKS_PER_AGE = 8
"""How often the age is looked at within the maximum data age."""
SHORTEST_LOOK_NS = NS_PER_MS
"""An age that no market can keep up with keeps the bot from quoting; it must not spin or end it."""
DOUBTED_AT = 5
"""The look from which on silence is doubted; what is left is time for a snapshot to arrive."""


class BookFeed:
    """One leg's book. `fetch` asks for a snapshot and raises a VenueError when there is none. Without it snapshots
    come on the stream when that is opened, so whatever is in doubt is settled by opening it anew."""

    def __init__(
        self,
        world: World,
        book: BookMachine,
        fetch: Fetch | None,
        deliver: Callable[[Event], None],
        settings: SessionSettings,
    ) -> None:
        self._world = world
        self._book = book
        self._fetch = fetch
        self._deliver = deliver
        self._settings = settings
        self._backoff = Backoff(world.random, first_s=settings.snapshot_interval_s)
        self._wanted = asyncio.Event()
        self._connections = 0
        self._connected_ns = 0
        self._is_connected = False
        self._heard_ns = 0
        """When anything public was last heard, or a snapshot showed that there was nothing to hear."""
        self._depth_ns = 0
        """The same for depth: other public frames may go on while its subscription is dead."""
        self._newest_id = 0
        self._missed_since_ns: int | None = None
        self._broken_by = ""
        self._best: BookUpdated | None = None
        self._is_lost = True
        self.max_age_s = settings.max_data_age_s

    # What the stream tells ----------------------------------------------------------------------------------

    def connected(self) -> None:
        """Diffs are subscribed: what comes from here on can be joined to a snapshot."""
        self._is_connected = True
        self._connections += 1
        self._missed_since_ns = None
        self._broken_by = ""
        self._connected_ns = self._heard_ns = self._depth_ns = self._world.monotonic_ns()
        self._wanted.set()

    def disconnected(self, reason: str) -> None:
        self._is_connected = False
        self._forget()
        self._lose(reason)

    def changed(self, event: DepthChanged) -> None:
        self._newest_id = event.last_id
        self._depth_ns = self._world.monotonic_ns()
        self._missed_since_ns = None
        self._take(self._book.changed(event))

    def snapshot(self, event: DepthSnapshot) -> None:
        """Join a snapshot to the diffs. A whole book takes one only where the diffs have missed something."""
        self._depth_ns = self._world.monotonic_ns()
        if not self._book.wants_snapshot:
            if event.last_id <= self._newest_id:
                return
            self._missed_since_ns = self._missed_since_ns or self._depth_ns
            self._forget()
        self._newest_id = event.last_id
        self._take(self._book.snapshot(event))

    def heard(self) -> None:
        """Something public was heard and, if it was depth, taken. A book that was merely old is good again.

        Raises Unavailable when only a new socket can make the book whole.
        """
        if self._broken_by:
            raise Unavailable(self._broken_by)
        self._heard_ns = self._world.monotonic_ns()
        if self._is_lost and self._best is not None:
            self._show(replace(self._best, at_ns=self._world.now_ns()))

    @property
    def complaint(self) -> str | None:
        """Why the stream counts as dead although its socket is open."""
        if self._fetch is None:
            return self._stream_complaint
        patience_ns = seconds_to_ns(self._settings.echo_s)
        if self._missed_since_ns is None or self._world.monotonic_ns() - self._missed_since_ns < patience_ns:
            return None
        return f"the book moved on, and the stream said nothing of it for {self._settings.echo_s:g} s"

    @property
    def _stream_complaint(self) -> str | None:
        """Silence that a snapshot cannot explain counts as death, and diffs without one are as good as silence: the
        new socket brings a snapshot."""
        now_ns = self._world.monotonic_ns()
        patience_s, doubt_s = self._settings.query_timeout_s, self._settings.depth_doubt_s
        if self._book.wants_snapshot and now_ns - self._connected_ns >= seconds_to_ns(patience_s):
            return f"no snapshot of the book came for {patience_s:g} s"
        if now_ns - self._depth_ns >= seconds_to_ns(doubt_s):
            return f"nothing was said of the book for {doubt_s:g} s"
        if now_ns - self._heard_ns >= seconds_to_ns(self.max_age_s):
            return f"no market data for {self.max_age_s:g} s"
        return None

    def _take(self, outcome: BookUpdated | BookLost | None) -> None:
        if isinstance(outcome, BookUpdated):
            self._show(outcome)
        elif outcome is not None:
            self._best = None
            self._lose(outcome.reason)
            if self._fetch is None:
                self._broken_by = outcome.reason
        if self._book.wants_snapshot:
            self._wanted.set()

    def _forget(self) -> None:
        self._book.reset()
        self._best = None
        self._newest_id = 0

    def _show(self, book: BookUpdated) -> None:
        self._best = book
        self._is_lost = False
        self._deliver(book)

    def _lose(self, reason: str) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._deliver(BookLost(at_ns=self._world.now_ns(), leg=self._settings.leg, reason=reason))

    # What is done about it ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Fetch snapshots and watch the age until cancelled."""
        if self._fetch is None:
            await self._watch_age()
        else:
            await race(self._resynchronise(self._fetch), self._watch_age())

    async def _resynchronise(self, fetch: Fetch) -> None:
        """One snapshot at a time, and never faster than the interval."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if not self._is_connected:
                continue
            await self._fetch_snapshot(fetch)
            delay_s = self._settings.snapshot_interval_s
            if self._book.wants_snapshot:
                self._wanted.set()
                delay_s += self._backoff.delay_s()
            else:
                self._backoff.reset()
            await self._world.sleep(delay_s)

    async def _fetch_snapshot(self, fetch: Fetch) -> None:
        connection = self._connections
        try:
            events = await fetch()
        except VenueError as error:
            facts = {"leg": self._settings.leg, "why": error.message}
            log.warning("book snapshot not fetched", extra={"facts": facts})
            return
        if not self._is_connected or connection != self._connections:
            return
        for event in events:
            if isinstance(event, DepthSnapshot):
                self.snapshot(event)
                self.heard()

    async def _watch_age(self) -> None:
        while True:
            look_ns = max(SHORTEST_LOOK_NS, seconds_to_ns(self.max_age_s) // LOOKS_PER_AGE)
            now_ns = self._world.monotonic_ns()
            looks = (now_ns - self._heard_ns) // look_ns
            depth_age_s = (now_ns - self._depth_ns) / NS_PER_S
            if looks >= DOUBTED_AT or depth_age_s >= self._settings.depth_doubt_s:
                self._wanted.set()
            if looks >= LOOKS_PER_AGE - 1:
                self._lose(f"no market data for {(now_ns - self._heard_ns) / NS_PER_S:.1f} s")
            await self._world.sleep(look_ns / NS_PER_S)
