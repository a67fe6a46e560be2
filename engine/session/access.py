"""The token of a venue that lends one: had before the first private stream, renewed ahead of its end, and asked for
anew when the venue stops accepting it. Instants of a token are by the venue's clock.
"""

from __future__ import annotations

import asyncio
import logging

from engine.clock import NS_PER_S
from engine.errors import AuthenticationFailed, VenueError
from engine.exchanges.interface import Access, Context, Gate
from engine.exchanges.messages import HttpRequest
from engine.session.clock_offset import ClockOffset
from engine.session.contexts import Contexts
from engine.session.door import Door
from engine.session.settings import SessionSettings
from engine.session.tasks import race
from engine.transport.backoff import Backoff
from engine.transport.world import World

log = logging.getLogger(__name__)

LONGEST_SLEEP_S = 600.0
"""A clock that was measured anew is heeded within this time."""


class AccessKeeper:
    """One session's token. `logins` counts the tokens that did not continue an earlier one: what an older one had
    opened is deaf by then, while a socket stays open when its token is merely renewed."""

    def __init__(
        self,
        world: World,
        gate: Gate,
        door: Door,
        clock: ClockOffset,
        contexts: Contexts,
        settings: SessionSettings,
    ) -> None:
        self._world = world
        self._gate = gate
        self._door = door
        self._clock = clock
        self._contexts = contexts
        self._settings = settings
        self._backoff = Backoff(
            world.random,
            first_s=settings.reconnect_first_s,
            ceiling_s=settings.login_ceiling_s,
            healthy_s=settings.healthy_s,
        )
        self._access: Access | None = None
        self._granted = asyncio.Event()
        self._doubted = asyncio.Event()
        self._last_token = ""
        self.logins = 0

    async def granted(self) -> None:
        """Wait until there is a token."""
        await self._granted.wait()

    async def obtain(self) -> None:
        """A token for those who do not `keep` one; raises a VenueError."""
        if self._access is None:
            await self._refresh()

    def refused(self, token: str) -> None:
        """The venue did not accept this token. One that was replaced in the meantime says nothing of the new."""
        if self._access is not None and token == self._access.token:
            self._forget()
            self._doubted.set()

    async def keep(self) -> None:
        """Have a good token until cancelled."""
        while True:
            began_ns = self._world.monotonic_ns()
            try:
                await self._refresh()
            except VenueError as error:
                log.warning("no token from the venue", extra={"facts": {"why": error.message}})
            else:
                if await self._until_renewal():
                    continue
            held_s = (self._world.monotonic_ns() - began_ns) / NS_PER_S
            await self._world.sleep(self._backoff.delay_s(held_s=held_s))

    async def _until_renewal(self) -> bool:
        """True when the time to renew has come, False when the token was refused before."""
        self._doubted.clear()
        while self._access is not None and (left_ns := self._access.renew_ns - self._clock.now_ns()) > 0:
            await race(self._doubted.wait(), self._world.sleep(min(left_ns / NS_PER_S, LONGEST_SLEEP_S)))
        return self._access is not None

    async def _refresh(self) -> None:
        """Renew a token that is still good, else log in."""
        self._door.find_venue()
        context, access = self._contexts.plain(), self._access
        if access is not None and context.now_ns < access.expires_ns:
            await self._renew(access, context)
            return
        self._forget()
        self._take(await self._ask(self._gate.login(context)))
        if self._last_token != self._contexts.token:
            self.logins += 1
            self._last_token = self._contexts.token
        log.info("logged in", extra={"facts": {"leg": self._settings.leg}})

    async def _renew(self, access: Access, context: Context) -> None:
        try:
            self._take(await self._ask(self._gate.renewal(access, context)))
        except AuthenticationFailed:
            self._forget()
            raise
        self._last_token = self._contexts.token

    async def _ask(self, request: HttpRequest) -> Access:
        response = await self._door.send(request, timeout_s=self._settings.query_timeout_s)
        return self._gate.decode(response, at_ns=self._clock.now_ns())

    def _take(self, access: Access) -> None:
        self._access, self._contexts.token = access, access.token
        self._granted.set()

    def _forget(self) -> None:
        self._access, self._contexts.token = None, ""
        self._granted.clear()
