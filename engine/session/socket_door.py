"""Where commands leave over a socket that is open anyway: as `Door`, for a codec that can say them there.

While that socket is not open they go by HTTP; nobody waits for it. One that was said and not answered, because the
socket broke or time is up, is unresolved, exactly as an HTTP request is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import NamedTuple, Protocol

from engine.clock import seconds_to_ns
from engine.errors import Unresolved
from engine.exchanges.interface import SocketEntry
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.model.commands import Command
from engine.session.door import Door
from engine.transport.weights import Scales
from engine.transport.world import World

WATCH_INTERVAL_S = 0.25
UNANSWERED_MAX = 3


class _Waiting(NamedTuple):
    reply: asyncio.Future[HttpResponse]
    until_ns: int


class Speaker(Protocol):
    """The socket, for as long as it is kept."""

    def say(self, frame: str) -> bool:
        """Send a frame; False while it is not open, or takes nothing any more."""

    @property
    def room(self) -> int:
        """How many frames it takes now."""


class SocketDoor:
    """`speaker` is asked for whenever something is to be said."""

    def __init__(
        self, world: World, door: Door, entry: SocketEntry, scales: Scales, speaker: Callable[[], Speaker]
    ) -> None:
        self.stream = entry.stream
        self._world = world
        self._door = door
        self._entry = entry
        self._scales = scales
        self._speaker = speaker
        self._ids = count(1)
        self._waiting: dict[str, _Waiting] = {}
        """Requests under way: no more than the budget lets out within a timeout."""
        self._unanswered = 0
        """Requests in a row that had no answer in time."""
        self._may_be_late = False
        """Whether an answer may still come on this socket that nobody waits for any more."""

    @property
    def room(self) -> int:
        """How many requests the socket takes now; 0 while they go by HTTP."""
        return self._speaker().room

    def send(
        self, request: HttpRequest, *, timeout_s: float, command: Command | None = None
    ) -> asyncio.Future[HttpResponse]:
        """As `Door.send`."""
        request_id = str(next(self._ids))
        frame = self._entry.frame(request, request_id)
        if frame is None or not self._speaker().say(frame):
            return self._door.send(request, timeout_s=timeout_s, command=command)
        self._scales.spent(command, self._world.monotonic_ns())
        reply: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = _Waiting(reply, self._world.monotonic_ns() + seconds_to_ns(timeout_s))
        return reply

    def heard(self, text: str | bytes) -> bool:
        """True for a frame that answers a request. One that does not say which answers the only one there can be;
        among several it answers none, and their time runs out."""
        answer = self._entry.answer(text)
        if answer is None:
            return False
        self._unanswered = 0
        request_id = answer.request_id
        if request_id is None and len(self._waiting) == 1 and not self._may_be_late:
            request_id = next(iter(self._waiting))
        waiting = self._waiting.pop(request_id, None) if request_id is not None else None
        if waiting is not None and not waiting.reply.done():
            waiting.reply.set_result(answer.response)
        return True

    @property
    def complaint(self) -> str | None:
        """Why the socket counts as dead although it is open. A lost answer or two may be their own misfortune."""
        return "requests on it are never answered" if self._unanswered >= UNANSWERED_MAX else None

    def lost(self, reason: str) -> None:
        """The socket is gone, and with it all answers that were to come on it."""
        self._unanswered, self._may_be_late = 0, False
        for request_id in tuple(self._waiting):
            self._give_up(request_id, reason)

    async def keep(self) -> None:
        """See that nobody waits for ever, until cancelled."""
        while True:
            await self._world.sleep(WATCH_INTERVAL_S)
            now_ns = self._world.monotonic_ns()
            for request_id in [key for key, waiting in self._waiting.items() if now_ns >= waiting.until_ns]:
                self._unanswered, self._may_be_late = self._unanswered + 1, True
                self._give_up(request_id, "no answer in time")

    def _give_up(self, request_id: str, reason: str) -> None:
        reply = self._waiting.pop(request_id).reply
        if not reply.done():
            reply.set_exception(Unresolved(f"sent over the socket, never answered: {reason}"))
