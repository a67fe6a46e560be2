"""Commands as requests, replies as events. Signing happens here, at the last moment, with the venue's time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from engine.errors import ClockSkewed, RateLimited, VenueError
from engine.exchanges.interface import Codec, Context
from engine.exchanges.messages import HttpResponse
from engine.model.commands import CancelOrder, Command, SubmitOrder
from engine.model.events import Event
from engine.session.clock_offset import ClockOffset
from engine.session.door import Door
from engine.session.replies import failure_event
from engine.session.settings import SessionSettings
from engine.transport.pacing import Pacing
from engine.transport.world import World


class Requests:
    """One codec's requests. `begin` and `events` are the two halves of a command; `ask` is both at once."""

    def __init__(
        self, world: World, codec: Codec, door: Door, clock: ClockOffset, pacing: Pacing, settings: SessionSettings
    ) -> None:
        self._world = world
        self._codec = codec
        self._door = door
        self._clock = clock
        self._pacing = pacing
        self._settings = settings

    def begin(self, command: Command) -> asyncio.Future[HttpResponse]:
        """Sign and write the request before this returns, if a connection is idle."""
        request = self._codec.encode(command, Context(now_ns=self._clock.now_ns()))
        changes_orders = isinstance(command, SubmitOrder | CancelOrder)
        timeout_s = self._settings.order_timeout_s if changes_orders else self._settings.query_timeout_s
        return self._door.send(request, timeout_s=timeout_s)

    def events(
        self, command: Command, reply: asyncio.Future[HttpResponse], *, requested_ns: int
    ) -> Sequence[Event]:
        """What an ended request stands for; a failure is an event like any other."""
        try:
            return self._read(command, reply, requested_ns=requested_ns)
        except VenueError as error:
            return (failure_event(command, error, at_ns=self._world.now_ns()),)

    async def ask(self, command: Command) -> Sequence[Event]:
        """Send one command and wait for its events; raises the VenueError of a failure."""
        requested_ns = self._world.now_ns()
        reply = self.begin(command)
        with suppress(VenueError):
            await reply
        return self._read(command, reply, requested_ns=requested_ns)

    def _read(self, command: Command, reply: asyncio.Future[HttpResponse], *, requested_ns: int) -> Sequence[Event]:
        try:
            at_ns = self._world.now_ns()
            return self._codec.decode_reply(command, reply.result(), requested_ns=requested_ns, at_ns=at_ns)
        except RateLimited:
            self._pacing.rate_limited(self._world.monotonic_ns())
            raise
        except ClockSkewed:
            self._clock.doubt()
            raise
