"""Commands as requests, replies as events. Signing happens here, at the last moment, with the venue's time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from engine.errors import AuthenticationFailed, ClockSkewed, NotSent, RateLimited, VenueError
from engine.exchanges.interface import BatchCodec, Codec, Context
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.model.commands import Batch, Change, Command
from engine.model.events import AmendRejected, CancelRejected, Event, NonceUsed, OutcomeUnknown, SubmitRejected
from engine.model.order import Operation, RejectReason
from engine.session.contexts import Contexts
from engine.session.door import Sender
from engine.session.nonces import LostOrders
from engine.session.replies import failure_event, failure_events
from engine.session.settings import SessionSettings
from engine.transport.world import World

NOT_CERTAINLY_TAKEN = SubmitRejected, AmendRejected, CancelRejected, OutcomeUnknown
"""After these nobody knows whether the venue counts the request's nonce as used."""


def is_certainly_taken(events: Sequence[Event]) -> bool:
    """Whether the answer that led to these events says that the venue took the request."""
    return not any(isinstance(event, NOT_CERTAINLY_TAKEN) for event in events)


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
        self,
        world: World,
        codec: Codec,
        door: Sender,
        contexts: Contexts,
        doubts: Doubts,
        settings: SessionSettings,
    ) -> None:
        self._world = world
        self._codec = codec
        self._door = door
        self._contexts = contexts
        self._doubts = doubts
        self._settings = settings
        self._lost = LostOrders()
        self._batch_codec = codec if isinstance(codec, BatchCodec) else None

    def begin(self, command: Command) -> Sent:
        """Sign and write the request before this returns, if a connection is idle."""
        requested_ns = self._world.now_ns()
        try:
            context = self._contexts.of(command)
        except NotSent as error:
            refused: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return Sent(command, None, requested_ns, refused)
        is_change = isinstance(command, Change)
        timeout_s = self._settings.order_timeout_s if is_change else self._settings.query_timeout_s
        request = self._encode(command, context)
        reply = self._door.send(request, timeout_s=timeout_s, command=command)
        return Sent(command, context, requested_ns, reply)

    def events(self, sent: Sent) -> Sequence[Event]:
        """What an ended request stands for; a failure is an event like any other. Called once per request."""
        try:
            events = self._read(sent)
        except VenueError as error:
            events = failure_events(sent.command, error, at_ns=self._world.now_ns())
        self._remember_lost(sent, events)
        return events

    def nonce_used(self, used: NonceUsed) -> Sequence[Event]:
        """What the venue carried out under a number ends what was lost under it."""
        words = f"never arrived: another transaction was carried out with its nonce, {used.nonce}"
        return [
            SubmitRejected(
                at_ns=used.at_ns,
                leg=used.leg,
                client_id=client_id,
                reason=RejectReason.NOT_SENT,
                venue_words=words,
            )
            for client_id in self._lost.ended_by(used)
        ]

    async def ask(self, command: Command) -> Sequence[Event]:
        """Send one command and wait for its events; raises the VenueError of a failure. Whoever stops waiting
        leaves its number in doubt, and the key free."""
        sent = self.begin(command)
        try:
            with suppress(VenueError):
                await sent.reply
        except asyncio.CancelledError:
            self.forget(sent)
            raise
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
            was_taken = is_certainly_taken(events)
        except VenueError as error:
            self._doubt(error, sent)
            raise
        finally:
            self._end_nonce(sent, was_taken=was_taken)
        return events

    def _doubt(self, error: VenueError, sent: Sent) -> None:
        if isinstance(error, RateLimited):
            self._doubts.rate_limited(sent.command)
        elif isinstance(error, ClockSkewed):
            self._doubts.clock_skewed()
        elif isinstance(error, AuthenticationFailed) and sent.context:
            self._doubts.token_refused(sent.context.token)

    def _encode(self, command: Command, context: Context) -> HttpRequest:
        if isinstance(command, Batch) and self._batch_codec:
            return self._batch_codec.encode_batch(command, context)
        return self._codec.encode(command, context)

    def _decode(self, sent: Sent) -> Sequence[Event]:
        command, response = sent.command, sent.reply.result()
        if not isinstance(command, Batch) or self._batch_codec is None:
            return self._decode_one(command, response, sent)
        parts = self._batch_codec.split_reply(command, response)
        answers = zip(command.items, parts, strict=True)
        return [event for item, part in answers for event in self._decode_item(item, part, sent)]

    def _decode_item(self, item: Command, part: HttpResponse, sent: Sent) -> Sequence[Event]:
        """An item that failed is its own matter: the others have their own answers."""
        try:
            return self._decode_one(item, part, sent)
        except VenueError as error:
            self._doubt(error, sent)
            return (failure_event(item, error, at_ns=self._world.now_ns()),)

    def _decode_one(self, command: Command, response: HttpResponse, sent: Sent) -> Sequence[Event]:
        at_ns = self._world.now_ns()
        return self._codec.decode_reply(command, response, requested_ns=sent.requested_ns, at_ns=at_ns)

    def _remember_lost(self, sent: Sent, events: Sequence[Event]) -> None:
        """A lost cancel needs no memory: the next list of open orders shows whether it worked."""
        if not self._contexts.sequence or not sent.context or sent.context.nonce is None:
            return
        for event in events:
            if isinstance(event, OutcomeUnknown) and event.operation is Operation.SUBMIT:
                self._lost.add(sent.context.nonce, event.client_id)

    def _end_nonce(self, sent: Sent, *, was_taken: bool) -> None:
        if self._contexts.sequence and sent.context and isinstance(sent.command, Change):
            self._contexts.sequence.ended(was_taken=was_taken)
