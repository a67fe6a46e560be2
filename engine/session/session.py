"""One leg's conversation with its venue: the only place where commands leave and events arrive.

Events are delivered from the callback that heard them, with no queue between the socket and the step. `send`
never delivers: what a command leads to always comes later, so that a step is never entered from within itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from engine.errors import AuthenticationFailed, NotSent
from engine.exchanges.interface import (
    BatchCodec,
    BatchRule,
    BookSource,
    Codec,
    Context,
    Endpoints,
    Gate,
    NonceSource,
    SocketCodec,
    Venue,
)
from engine.exchanges.messages import HttpRequest, HttpResponse, Stream
from engine.model.account import BudgetUse
from engine.model.commands import Command, QueryBook, operation_of
from engine.model.events import (
    DepthChanged,
    DepthSnapshot,
    Event,
    NonceUsed,
    TimePassed,
)
from engine.model.order import Operation
from engine.session.access import AccessKeeper
from engine.session.account_feed import AccountFeed
from engine.session.batches import batched
from engine.session.book_feed import BookFeed
from engine.session.clock_offset import ClockOffset
from engine.session.contexts import Contexts
from engine.session.dead_mans_switch import DeadMansSwitch
from engine.session.door import Door
from engine.session.nonces import TURN_POLL_S, SequenceNonces
from engine.session.requests import Doubts, Requests, Sent, is_certainly_taken
from engine.session.settings import SessionSettings
from engine.session.shared import Shared, unshared
from engine.session.socket_door import SocketDoor
from engine.session.streams import StreamKeeper
from engine.session.tasks import race
from engine.trading.records import UNCOUNTED, Budget
from engine.transport.world import World

log = logging.getLogger(__name__)

T = TypeVar("T")


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
        shared: Shared | None = None,
    ) -> None:
        self._world = world
        self._codec = codec
        self._deliver = deliver
        self._settings = settings
        shared = shared or unshared(venue.facts.counts, world.monotonic_ns())
        self._scales = shared.scales
        self._door = Door(world, endpoints_of, self._scales)
        self._clock = ClockOffset(world, venue, self._door, settings)
        self._contexts = Contexts(self._clock, venue.facts.nonces, shared.clock_nonces)
        if codec.nonce_source is not None:
            fetch_nonce = partial(self._fetch_nonce, codec.nonce_source)
            self._contexts.sequence = SequenceNonces(world, fetch_nonce, shared.lease, self._tell_time)
        self._access = self._access_keeper(codec.gate)
        self._socket_door = self._socket_door_of(codec)
        door = self._socket_door or self._door
        self._requests = Requests(world, codec, door, self._contexts, self._doubts(), settings)
        self._switch = self._dead_mans_switch(settings.dead_mans_switch_s)
        self._batches = venue.facts.batches if isinstance(codec, BatchCodec) else BatchRule()
        fetch_book = self._fetch_book if venue.facts.book_source is BookSource.QUERY else None
        self._book = BookFeed(world, venue.book(settings.leg), fetch_book, deliver, settings)
        self._names = {stream.name: stream.private for stream in self._streams()}
        private = {name for name, is_private in self._names.items() if is_private}
        self._account = AccountFeed(world, private, deliver, settings)
        self._keepers = {
            name: StreamKeeper(world, partial(self._stream_now, name), self, settings) for name in self._names
        }
        self._opened_by: dict[str, int] = {}
        """The login that each private stream was opened with."""
        self._closing = asyncio.Event()
        self._ended = asyncio.Event()
        self._is_running = False
        self._failed = asyncio.Event()
        self._failure: BaseException | None = None

    def budget(self) -> Budget:
        """How many commands may leave now: before the loop's next turn, where requests are numbered."""
        budget = self._scales.budget(self._world.monotonic_ns())
        return budget if self._contexts.sequence is None else replace(budget, changes=self._room_for_numbers())

    def wait_turn(self) -> None:
        """Deliver a TimePassed as soon as the budget has room for changes again."""
        if self._contexts.sequence is not None:
            self._contexts.sequence.wait_turn()

    def budget_use(self) -> dict[str, BudgetUse]:
        """How everything the venue counts of the account stands."""
        return self._scales.use(self._world.monotonic_ns())

    def limit_data_age(self, max_data_age_s: float) -> None:
        """Change in place how old a book may be."""
        self._book.max_age_s = max_data_age_s

    def send(self, *commands: Command) -> None:
        """Sign and write now, if a connection is idle, in as few requests as the venue allows. What comes of them
        is delivered later, until the close."""
        sent_ns = self._world.monotonic_ns()
        for command in batched(commands, self._batches):
            sent = self._requests.begin(command)
            sent.reply.add_done_callback(partial(self._answered, sent, sent_ns))

    async def ask(self, command: Command) -> Sequence[Event]:
        """One question or order, for those who do not `run`: its events, or the VenueError of a failure."""
        await self._get_ready()
        if self._contexts.sequence is not None:
            await self._contexts.sequence.know()
        return await self._requests.ask(command)

    async def inquire(
        self, question: Callable[[Codec, Context], HttpRequest | None], answer: Callable[[Codec, HttpResponse], T]
    ) -> T | None:
        """A question that is no command, for those who do not `run`: the codec puts it and reads the answer. None
        where the codec has no such question; raises the VenueError of a failure."""
        await self._get_ready()
        request = question(self._codec, self._contexts.plain())
        if request is None:
            return None
        response = await self._door.send(request, timeout_s=self._settings.query_timeout_s)
        return answer(self._codec, response)

    async def _get_ready(self) -> None:
        if not self._clock.is_known:
            await self._clock.measure()
        if self._access is not None:
            await self._access.obtain()

    async def run(self) -> None:
        """Converse until closed or cancelled. Raises what `deliver` or `endpoints_of` raised."""
        self._is_running = True
        try:
            await race(self._converse(), self._failed.wait(), self._closing.wait())
        finally:
            self._closing.set()
            self._ended.set()
            if self._socket_door is not None:
                self._socket_door.lost("the session ended")
        if self._failure is not None:
            raise self._failure

    async def stand_down(self) -> None:
        """Nothing of ours rests any more: the venue need not cancel it when we are gone."""
        if self._switch is not None:
            await self._switch.take_back()

    async def close(self) -> None:
        """End `run` and see its sockets closed. Commands under way are unresolved; the next start asks for them."""
        self._closing.set()
        if self._is_running:
            await self._ended.wait()

    async def _converse(self) -> None:
        await self._clock.measure()
        loops = [keeper.run() for keeper in self._keepers.values()]
        if self._access is not None:
            loops.append(self._access.keep())
        if self._contexts.sequence is not None:
            loops.append(self._contexts.sequence.keep())
        if self._switch is not None:
            loops.append(self._switch.keep())
        if self._socket_door is not None:
            loops.append(self._socket_door.keep())
        await race(self._clock.keep(), self._book.run(), *loops)

    # What goes out beside commands --------------------------------------------------------------------------

    def _access_keeper(self, gate: Gate | None) -> AccessKeeper | None:
        if gate is None:
            return None
        return AccessKeeper(self._world, gate, self._door, self._clock, self._contexts, self._settings)

    def _socket_door_of(self, codec: Codec) -> SocketDoor | None:
        entry = codec.socket_entry if isinstance(codec, SocketCodec) else None
        if entry is None:
            return None
        stream = entry.stream
        return SocketDoor(self._world, self._door, entry, self._scales, lambda: self._keepers[stream])

    def _dead_mans_switch(self, cancel_after_s: int | None) -> DeadMansSwitch | None:
        if cancel_after_s is None:
            return None
        return DeadMansSwitch(self._world, self._ask_in_turn, self._settings, cancel_after_s)

    def _room_for_numbers(self) -> int:
        """How many numbered requests may leave now: on the socket none overtakes another, by HTTP every one may."""
        if self._contexts.sequence is None:
            return UNCOUNTED
        return self._contexts.sequence.room(self._socket_door.room if self._socket_door else 0)

    async def _ask_in_turn(self, command: Command) -> Sequence[Event]:
        """As `Requests.ask`, for a change that no step has asked for."""
        try:
            async with asyncio.timeout(self._settings.order_timeout_s):
                while not self._room_for_numbers():
                    self.wait_turn()
                    await self._world.sleep(TURN_POLL_S)
        except TimeoutError:
            raise NotSent("other requests of the key are under way") from None
        return await self._requests.ask(command)

    def _doubts(self) -> Doubts:
        return Doubts(
            rate_limited=lambda command: self._scales.rate_limited(command, self._world.monotonic_ns()),
            clock_skewed=self._clock.doubt,
            token_refused=self._access.refused if self._access else lambda _token: None,
        )

    def _streams(self) -> Sequence[Stream]:
        return self._codec.streams(self._contexts.plain())

    def _tell_time(self) -> None:
        self._deliver(TimePassed(at_ns=self._world.now_ns(), leg=self._settings.leg))

    async def _stream_now(self, name: str) -> Stream:
        if self._access is not None and self._names[name]:
            await self._access.granted()
            self._opened_by[name] = self._access.logins
        self._door.find_venue()
        return next(stream for stream in self._streams() if stream.name == name)

    async def _fetch_book(self) -> Sequence[Event]:
        return await self._requests.ask(QueryBook(leg=self._settings.leg))

    async def _fetch_nonce(self, source: NonceSource) -> int:
        self._door.find_venue()
        request = source.request(self._contexts.plain())
        return source.decode(await self._door.send(request, timeout_s=self._settings.query_timeout_s))

    # What the streams tell ----------------------------------------------------------------------------------

    def opened(self, stream: Stream) -> None:
        if stream.private:
            self._account.connected(stream.name)
        else:
            self._book.connected()

    def heard(self, stream: Stream, text: str | bytes) -> str | None:
        """The hot path: frame to events, events to the book or straight to the step."""
        door = self._socket_door
        if door is not None and door.stream == stream.name and door.heard(text):
            return None
        for event in self._events_of(text):
            if isinstance(event, DepthChanged):
                self._book.changed(event)
            elif isinstance(event, DepthSnapshot):
                self._book.snapshot(event)
            elif isinstance(event, NonceUsed):
                for ended in self._requests.nonce_used(event):
                    self._deliver(ended)
            else:
                self._deliver(event)
        if stream.private:
            self._account.heard()
        else:
            self._book.heard()
        return self._codec.answer_frame(text)

    def _events_of(self, text: str | bytes) -> Sequence[Event]:
        try:
            return self._codec.decode_frame(text, at_ns=self._world.now_ns())
        except AuthenticationFailed:
            if self._access is not None:
                self._access.refused(self._contexts.token)
            raise

    def complaint(self, stream: Stream) -> str | None:
        door = self._socket_door
        if door is not None and door.stream == stream.name and door.complaint:
            return door.complaint
        if not stream.private:
            return self._book.complaint
        if self._access is not None and self._opened_by[stream.name] != self._access.logins:
            return "the token it was opened with is no longer good"
        return self._account.complaint

    def lost(self, stream: Stream, reason: str) -> None:
        facts = {"leg": self._settings.leg, "stream": stream.name, "why": reason}
        log.warning("stream lost", extra={"facts": facts})
        if self._socket_door is not None and stream.name == self._socket_door.stream:
            self._socket_door.lost(reason)
        if stream.private:
            self._account.disconnected(stream.name, reason)
        else:
            self._book.disconnected(reason)

    # What requests tell -------------------------------------------------------------------------------------

    def _answered(self, sent: Sent, sent_ns: int, reply: asyncio.Future[HttpResponse]) -> None:
        if self._closing.is_set() or reply.cancelled():
            self._requests.forget(sent)
            return
        try:
            events = self._requests.events(sent)
            if operation_of(sent.command) is Operation.SUBMIT and is_certainly_taken(events):
                self._account.order_taken(sent_ns)
            for event in events:
                self._deliver(event)
        except BaseException as error:  # noqa: BLE001 - a callback has no caller: `run` raises it instead
            self._failure = error
            self._failed.set()
