"""Commands as requests, replies as events. Signing happens here, at the last moment, with the venue's time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from engine.errors import AuthenticationFailed, ClockSkewed, NotSent, RateLimited, VenueError
from engine.exchanges.interface import Codec, Context
from engine.exchanges.messages import HttpResponse
from engine.model.commands import CancelOrder, Command, SubmitOrder
from engine.model.events import CancelRejected, Event, OutcomeUnknown, SubmitRejected
from engine.session.contexts import Contexts
from engine.session.door import Door
from engine.session.replies import failure_event
from engine.session.settings import SessionSettings
from engine.transport.world import World

NOT_CERTAINLY_TAKEN = SubmitRejected, CancelRejected, OutcomeUnknown
"""After these nobody knows whether the venue counts the request's nonce as used."""


class Sent(NamedTuple):
    """A command under way; `context` is None when it was not even signed. Instants are ours."""

    command: Command
    context: Context | None
    requested_ns: int
    reply: asyncio.Future[HttpResponse]


class Doubts(NamedTuple):
    """Who is told when a venue refuses something that all requests have in common."""

    rate_limited: Callable[[Command], None]
    clock_skewed: Callable[[], None]
    token_refused: Callable[[str], None]


class Requests:
    """One codec's requests. `begin` and `events` are the two halves of a command; `ask` is both at once."""

    def __init__(
        self, world: World, codec: Codec, door: Door, contexts: Contexts, doubts: Doubts, settings: SessionSettings
    ) -> None:
        self._world = world
        self._codec = codec
        self._door = door
        self._contexts = contexts
        self._doubts = doubts
        self._settings = settings

    def begin(self, command: Command) -> Sent:
        """Sign and write the request before this returns, if a connection is idle."""
        requested_ns = self._world.now_ns()
        try:
            context = self._contexts.of(command)
        except NotSent as error:
            refused: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return Sent(command, None, requested_ns, refused)
        request = self._codec.encode(command, context)
        changes_orders = isinstance(command, SubmitOrder | CancelOrder)
        timeout_s = self._settings.order_timeout_s if changes_orders else self._settings.query_timeout_s
        reply = self._door.send(request, timeout_s=timeout_s, command=command)
        return Sent(command, context, requested_ns, reply)

    def events(self, sent: Sent) -> Sequence[Event]:
        """What an ended request stands for; a failure is an event like any other. Called once per request."""
        try:
            return self._read(sent)
        except VenueError as error:
            return (failure_event(sent.command, error, at_ns=self._world.now_ns()),)

    async def ask(self, command: Command) -> Sequence[Event]:
        """Send one command and wait for its events; raises the VenueError of a failure."""
        sent = self.begin(command)
        with suppress(VenueError):
            await sent.reply
        return self._read(sent)

    def forget(self, sent: Sent) -> None:
        """Nobody wants to know what became of it."""
        if not sent.reply.cancelled():
            sent.reply.exception()  # Looked at, so that asyncio does not complain that nobody did.
        self._end_nonce(sent, was_taken=False)

    def _read(self, sent: Sent) -> Sequence[Event]:
        was_taken = False
        try:
            events = self._decode(sent)
            was_taken = not any(isinstance(event, NOT_CERTAINLY_TAKEN) for event in events)
        except RateLimited:
            self._doubts.rate_limited(sent.command)
            raise
        except ClockSkewed:
            self._doubts.clock_skewed()
            raise
        except AuthenticationFailed:
            if sent.context:
                self._doubts.token_refused(sent.context.token)
            raise
        finally:
            self._end_nonce(sent, was_taken=was_taken)
        return events

    def _decode(self, sent: Sent) -> Sequence[Event]:
        response, at_ns = sent.reply.result(), self._world.now_ns()
        return self._codec.decode_reply(sent.command, response, requested_ns=sent.requested_ns, at_ns=at_ns)

    def _end_nonce(self, sent: Sent, *, was_taken: bool) -> None:
        if self._contexts.sequence and sent.context and isinstance(sent.command, SubmitOrder | CancelOrder):
            self._contexts.sequence.ended(was_taken=was_taken)
