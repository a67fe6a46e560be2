"""The venue's promise to cancel what rests when it has not heard of us: asked for anew all the while we converse,
and taken back when nothing of ours is left. Of an exclusive account only: the venue cancels everybody's orders.

Whoever dies, or cannot reach the venue any more, leaves it set; that is what it is for. Where the venue has one
switch for the whole account, its other bots set it again within a quarter of its time after one has stopped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from engine.errors import VenueError
from engine.model.commands import Command, SetDeadMansSwitch
from engine.model.events import Event
from engine.session.settings import SessionSettings
from engine.transport.backoff import Backoff
from engine.transport.world import World

log = logging.getLogger(__name__)

RENEWALS = 4
"""So often it is asked for within its time: some of the requests may fail."""


class DeadMansSwitch:
    """One leg's. `ask` sends a command and raises the VenueError of a failure."""

    def __init__(
        self,
        world: World,
        ask: Callable[[Command], Awaitable[Sequence[Event]]],
        settings: SessionSettings,
        cancel_after_s: int,
    ) -> None:
        self._world = world
        self._ask = ask
        self._leg = settings.leg
        self._cancel_after_s = cancel_after_s
        self._interval_s = cancel_after_s / RENEWALS
        self._backoff = Backoff(world.random, first_s=settings.reconnect_first_s, ceiling_s=self._interval_s)
        self._turn = asyncio.Lock()
        self._is_wanted = True

    async def keep(self) -> None:
        """Ask anew until cancelled; what fails is tried again sooner."""
        while True:
            if self._is_wanted and not await self._set():
                await self._world.sleep(self._backoff.delay_s())
                continue
            self._backoff.reset()
            await self._world.sleep(self._interval_s)

    async def take_back(self) -> None:
        """Nothing of ours rests any more. When this fails the venue cancels nothing of ours a little later."""
        self._is_wanted = False
        await self._set()

    async def _set(self) -> bool:
        """One request at a time, so that a late one never sets again what was taken back."""
        async with self._turn:
            cancel_after_s = self._cancel_after_s if self._is_wanted else None
            try:
                await self._ask(SetDeadMansSwitch(leg=self._leg, cancel_after_s=cancel_after_s))
            except VenueError as error:
                log.warning("dead man's switch not set", extra={"facts": {"leg": self._leg, "why": error.message}})
                return False
        return True
