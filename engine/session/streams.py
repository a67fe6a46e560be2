"""One WebSocket, kept open: connect, say the frames, listen, notice silence, begin again with jitter.

Liveness is judged by data, not by the socket being open (law 7): by silence where a venue promises to speak, and
by the listener, who may know of something that should have been heard.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from engine.clock import NS_PER_S, seconds_to_ns
from engine.errors import Unavailable, VenueError
from engine.exchanges.messages import Stream
from engine.session.settings import SessionSettings
from engine.session.tasks import race
from engine.transport.backoff import Backoff
from engine.transport.world import Socket, World

log = logging.getLogger(__name__)

WATCH_INTERVAL_S = 1.0
OUTBOX_FRAMES = 256
"""A socket that does not take so many is dead."""


class Listener(Protocol):
    """Whoever wants to know. `heard` may raise a VenueError: the connection then counts as broken."""

    def opened(self, stream: Stream) -> None: ...

    def heard(self, stream: Stream, text: str | bytes) -> str | None:
        """What must be said back, if anything."""

    def complaint(self, stream: Stream) -> str | None:
        """Why the stream counts as dead although its socket is open; asked about once a second."""

    def lost(self, stream: Stream, reason: str) -> None: ...


class StreamKeeper:
    """`stream_now` finds the venue and signs the frames anew for each connection; it may wait for a token, and
    raise a VenueError."""

    def __init__(
        self,
        world: World,
        stream_now: Callable[[], Awaitable[Stream]],
        listener: Listener,
        settings: SessionSettings,
    ) -> None:
        self._world = world
        self._stream_now = stream_now
        self._listener = listener
        self._settings = settings
        self._backoff = Backoff(
            world.random,
            first_s=settings.reconnect_first_s,
            ceiling_s=settings.reconnect_ceiling_s,
            healthy_s=settings.healthy_s,
        )
        self._heard_ns = 0
        self._outbox: asyncio.Queue[str] | None = None

    @property
    def room(self) -> int:
        """How many frames the socket takes now; 0 while none is open."""
        return 0 if self._outbox is None else OUTBOX_FRAMES - self._outbox.qsize()

    def say(self, frame: str) -> bool:
        """Send a frame on the socket; False while none is open, or it takes nothing any more."""
        if self._outbox is None or self._outbox.full():
            return False
        self._outbox.put_nowait(frame)
        return True

    async def run(self) -> None:
        """Keep the socket open until cancelled."""
        while True:
            began_ns = self._world.monotonic_ns()
            try:
                await self._connect_and_listen()
            except VenueError as error:
                log.warning("stream not open", extra={"facts": {"why": error.message}})
            held_s = (self._world.monotonic_ns() - began_ns) / NS_PER_S
            await self._world.sleep(self._backoff.delay_s(held_s=held_s))

    async def _connect_and_listen(self) -> None:
        stream = await self._stream_now()
        socket = await self._world.connect(stream.url, timeout_s=self._settings.connect_timeout_s)
        try:
            for frame in stream.frames:
                await socket.send(frame)
            self._heard_ns = self._world.monotonic_ns()
            self._outbox = asyncio.Queue(OUTBOX_FRAMES)
            self._listener.opened(stream)
            await self._listen(stream, socket, self._outbox)
        finally:
            self._outbox = None
            await socket.close()

    async def _listen(self, stream: Stream, socket: Socket, outbox: asyncio.Queue[str]) -> None:
        """Until the stream breaks; whoever listens is told before anything else is tried."""
        loops = [self._hear(stream, socket), self._watch(stream), self._speak(outbox, socket)]
        if stream.heartbeat is not None:
            loops.append(self._beat(stream.heartbeat, stream, socket))
        try:
            await race(*loops)
        except VenueError as error:
            self._outbox = None
            self._listener.lost(stream, error.message)
            raise

    async def _hear(self, stream: Stream, socket: Socket) -> None:
        while True:
            text = await socket.receive()
            self._heard_ns = self._world.monotonic_ns()
            if answer := self._listener.heard(stream, text):
                await socket.send(answer)

    async def _speak(self, outbox: asyncio.Queue[str], socket: Socket) -> None:
        while True:
            await socket.send(await outbox.get())

    async def _beat(self, frame: str, stream: Stream, socket: Socket) -> None:
        while True:
            await self._world.sleep(stream.heartbeat_s)
            await socket.send(frame)

    async def _watch(self, stream: Stream) -> None:
        limit_s, opened_ns = stream.silence_limit_s, self._world.monotonic_ns()
        while True:
            await self._world.sleep(WATCH_INTERVAL_S)
            now_ns = self._world.monotonic_ns()
            if stream.good_for_s is not None and now_ns - opened_ns >= seconds_to_ns(stream.good_for_s):
                raise Unavailable("what it was opened with ends; it is opened anew")
            silence_ns = now_ns - self._heard_ns
            if limit_s is not None and silence_ns >= seconds_to_ns(limit_s):
                raise Unavailable(f"nothing was heard for {limit_s:g} s")
            if complaint := self._listener.complaint(stream):
                raise Unavailable(complaint)
