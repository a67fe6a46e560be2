"""One leg's conversation with its venue: the only place where commands leave and events arrive.

Events are delivered from the callback that heard them, with no queue between the socket and the step. `send`
never delivers: what a command leads to always comes later, so that a step is never entered from within itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from engine.exchanges.interface import Codec, Context, Endpoints, Venue
from engine.exchanges.messages import HttpResponse, Stream
from engine.model.commands import Command, QueryBook, SubmitOrder
from engine.model.events import (
    DepthChanged,
    DepthSnapshot,
    Event,
    OrderUpdated,
)
from engine.session.account_feed import AccountFeed
from engine.session.book_feed import BookFeed
from engine.session.clock_offset import ClockOffset
from engine.session.door import Door
from engine.session.requests import Requests
from engine.session.settings import SessionSettings
from engine.session.streams import StreamKeeper
from engine.session.tasks import race
from engine.trading.records import Budget
from engine.transport.pacing import Pacing
from engine.transport.world import World

log = logging.getLogger(__name__)


class Session:
    """`endpoints_of` tells where the venue listens now; while it raises Unavailable the session waits, and any
    other error of it, or of `deliver`, ends `run`."""

    def __init__(
        self,
        world: World,
        venue: Venue,
        codec: Codec,
        endpoints_of: Callable[[], Endpoints],
        deliver: Callable[[Event], None],
        settings: SessionSettings,
    ) -> None:
        self._world = world
        self._codec = codec
        self._deliver = deliver
        self._settings = settings
        requests_per_minute = settings.requests_per_minute or venue.facts.requests_per_minute
        self._pacing = Pacing(requests_per_minute, world.monotonic_ns())
        self._door = Door(world, endpoints_of, self._pacing)
        self._clock = ClockOffset(world, venue, self._door, settings)
        self._requests = Requests(world, codec, self._door, self._clock, self._pacing, settings)
        self._book = BookFeed(world, venue.book(settings.leg), self._fetch_book, deliver, settings)
        names = {stream.name: stream.private for stream in self._streams()}
        self._account = AccountFeed(world, {name for name, private in names.items() if private}, deliver, settings)
        self._keepers = [StreamKeeper(world, partial(self._stream_now, name), self, settings) for name in names]
        self._closing = asyncio.Event()
        self._ended = asyncio.Event()
        self._is_running = False
        self._failed = asyncio.Event()
        self._failure: BaseException | None = None

    def budget(self) -> Budget:
        """How many requests may leave now."""
        return self._pacing.budget(self._world.monotonic_ns())

    def limit_data_age(self, max_data_age_s: float) -> None:
        """Change in place how old a book may be."""
        self._book.max_age_s = max_data_age_s

    def send(self, command: Command) -> None:
        """Sign and write now, if a connection is idle. What comes of it is delivered later, until the close."""
        requested_ns, sent_ns = self._world.now_ns(), self._world.monotonic_ns()
        reply = self._requests.begin(command)
        reply.add_done_callback(partial(self._answered, command, requested_ns, sent_ns))

    async def ask(self, command: Command) -> Sequence[Event]:
        """One question or order, for those who do not `run`: its events, or the VenueError of a failure."""
        if not self._clock.is_known:
            await self._clock.measure()
        return await self._requests.ask(command)

    async def run(self) -> None:
        """Converse until closed or cancelled. Raises what `deliver` or `endpoints_of` raised."""
        self._is_running = True
        try:
            await race(self._converse(), self._failed.wait(), self._closing.wait())
        finally:
            self._closing.set()
            self._ended.set()
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        """End `run` and see its sockets closed. Commands under way are unresolved; the next start asks for them."""
        self._closing.set()
        if self._is_running:
            await self._ended.wait()

    async def _converse(self) -> None:
        await self._clock.measure()
        loops = [keeper.run() for keeper in self._keepers]
        await race(self._clock.keep(), self._book.run(), *loops)

    def _streams(self) -> Sequence[Stream]:
        return self._codec.streams(Context(now_ns=self._clock.now_ns()))

    def _stream_now(self, name: str) -> Stream:
        self._door.find_venue()
        return next(stream for stream in self._streams() if stream.name == name)

    async def _fetch_book(self) -> Sequence[Event]:
        return await self._requests.ask(QueryBook(leg=self._settings.leg))

    # What the streams tell ----------------------------------------------------------------------------------

    def opened(self, stream: Stream) -> None:
        if stream.private:
            self._account.connected(stream.name)
        else:
            self._book.connected()

    def heard(self, stream: Stream, text: str | bytes) -> None:
        """The hot path: frame to events, events to the book or straight to the step."""
        for event in self._codec.decode_frame(text, at_ns=self._world.now_ns()):
            if isinstance(event, DepthChanged):
                self._book.changed(event)
            elif isinstance(event, DepthSnapshot):
                self._book.snapshot(event)
            else:
                self._deliver(event)
        if stream.private:
            self._account.heard()
        else:
            self._book.heard()

    def complaint(self, stream: Stream) -> str | None:
        return self._account.complaint if stream.private else self._book.complaint

    def lost(self, stream: Stream, reason: str) -> None:
        facts = {"leg": self._settings.leg, "stream": stream.name, "why": reason}
        log.warning("stream lost", extra={"facts": facts})
        if stream.private:
            self._account.disconnected(stream.name, reason)
        else:
            self._book.disconnected(reason)

    # What requests tell -------------------------------------------------------------------------------------

    def _answered(
        self, command: Command, requested_ns: int, sent_ns: int, reply: asyncio.Future[HttpResponse]
    ) -> None:
        if reply.cancelled():
            return
        if self._closing.is_set():
            reply.exception()  # Looked at, so that asyncio does not complain that nobody did.
            return
        try:
            for event in self._requests.events(command, reply, requested_ns=requested_ns):
                self._deliver(event)
                if isinstance(command, SubmitOrder) and isinstance(event, OrderUpdated):
                    self._account.order_taken(sent_ns)
        except BaseException as error:  # noqa: BLE001 - a callback has no caller: `run` raises it instead
            self._failure = error
            self._failed.set()
