"""Which number a request carries, where a venue numbers requests. Taken at the moment of the send, without waiting.

A sequence has one law: a number of which it is not certain that the venue took it puts all in doubt. Then none is
given out until what is under way has ended and the venue has told the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Protocol

from engine.clock import NS_PER_US
from engine.errors import NotSent, VenueError
from engine.model.events import NonceUsed
from engine.transport.backoff import Backoff
from engine.transport.world import World

log = logging.getLogger(__name__)

LOST_KEPT = 1_000
TURN_POLL_S = 0.005
TURN_LIMIT_S = 10.0
"""How often who wants to send tries a key that another process holds, and for how long who asks only once."""

ClockNonces = Callable[[int], int]
"""A unique number of microseconds for the instant given in ns: of a session, or of all processes of a user."""


def clock_nonces() -> ClockNonces:
    """Numbers for those who share a user with nobody."""
    last_us = 0

    def take(now_ns: int) -> int:
        nonlocal last_us
        last_us = max(last_us + 1, now_ns // NS_PER_US)
        return last_us

    return take


class Lease(Protocol):
    """The right to number one key's requests; `engine.host.nonces` has one for keys that processes share."""

    def hold(self, *, waits: bool = False) -> bool:
        """True when it is ours from now on; False while another process has it, or was here first. Who `waits` is
        the next one, and must come again or `forgo`."""

    def forgo(self) -> None:
        """Wait no longer, if we did."""

    @property
    def is_awaited(self) -> bool:
        """Whether another process waits for what we hold."""

    @property
    def next_nonce(self) -> int | None:
        """What the last holder left; None when nobody knows, also because that holder died."""

    def release(self, next_nonce: int | None) -> None: ...


class OwnKey:
    """The lease of a key that no other process uses."""

    is_awaited = False

    def __init__(self) -> None:
        self.next_nonce: int | None = None

    def hold(self, *, waits: bool = False) -> bool:  # noqa: ARG002 - nobody is before us
        return True

    def forgo(self) -> None:
        pass

    def release(self, next_nonce: int | None) -> None:
        self.next_nonce = next_nonce


class LostOrders:
    """Orders that left and were never answered, by the number they had. A number is used once: as soon as the venue
    carried out something else under it, the lost order cannot arrive any more."""

    def __init__(self) -> None:
        self._by_nonce: OrderedDict[int, tuple[int, ...]] = OrderedDict()

    def add(self, nonce: int, client_id: int) -> None:
        """One more order without an answer. The number may be given out again, and be lost again."""
        self._by_nonce[nonce] = (*self._by_nonce.get(nonce, ()), client_id)
        if len(self._by_nonce) > LOST_KEPT:
            self._by_nonce.popitem(last=False)

    def ended_by(self, used: NonceUsed) -> tuple[int, ...]:
        """The client ids of the orders that this proves dead."""
        lost = self._by_nonce.pop(used.nonce, ())
        return tuple(client_id for client_id in lost if client_id != used.client_id)


class SequenceNonces:
    """One key's numbers. `fetch` asks the venue for the next one and raises a VenueError; `tell` hears that numbers
    may be taken, when somebody had to wait for that.

    Requests of one key must arrive in the order of their numbers. So many of them may be under way where none
    overtakes another, elsewhere only one, and never those of two processes at a time.
    """

    def __init__(
        self,
        world: World,
        fetch: Callable[[], Awaitable[int]],
        lease: Lease,
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        self._world = world
        self._fetch = fetch
        self._lease = lease
        self._tell = tell
        self._backoff = Backoff(world.random, ceiling_s=5.0)
        self._next: int | None = None
        self._has_asked = False
        self._under_way = 0
        """Numbered requests without an answer."""
        self._keeps_order = False
        """Whether they went where none overtakes another."""
        self._users = 0
        """Those under way, looks, and a question to the venue; while there are any, the lease is held."""
        self._wanted = asyncio.Event()
        self._unused = asyncio.Event()
        self._wanted.set()
        self._unused.set()

    def room(self, in_order: int) -> int:
        """How many numbers may be taken before the loop's next turn; until then the key is ours. `in_order`: how
        many requests a way takes now that keeps their order, 0 where there is none."""
        if self._under_way:
            goes_on = self._keeps_order and self._next is not None and not self._lease.is_awaited
            return in_order if goes_on else 0
        if not self._enter():
            return 0
        asyncio.get_running_loop().call_soon(self._leave)
        self._keeps_order = in_order > 0
        return 0 if self._next is None else max(1, in_order)

    def wait_turn(self) -> None:
        """Somebody wants a number and there was no room: `tell` when there may be."""
        self._wanted.set()

    def take(self) -> int:
        """The number for a request that is sent now; NotSent while it is not known."""
        if not self._enter():
            self._wanted.set()
            raise NotSent("another process is numbering requests of this key")
        number = self._next
        if number is None:
            self._leave()
            raise NotSent("the next nonce is not known; the venue is being asked")
        self._next = number + 1
        self._under_way += 1
        return number

    def ended(self, *, was_taken: bool) -> None:
        """A numbered request has its answer; `was_taken` only when it is certain that its number is used up."""
        if not was_taken:
            self._next = None
        self._under_way -= 1
        self._leave()

    async def know(self) -> None:
        """Ask the venue now, if need be, for those who do not `keep`; raises a VenueError."""
        if not self._wanted.is_set():
            return
        try:
            async with asyncio.timeout(TURN_LIMIT_S):
                while not self._enter(waits=True):
                    await self._world.sleep(TURN_POLL_S)
        except TimeoutError:
            raise NotSent("another process keeps numbering requests of this key") from None
        finally:
            self._lease.forgo()
        await self._learn()

    async def keep(self) -> None:
        """See that the next number is known and that whoever waits is told, until cancelled."""
        try:
            while True:
                await self._wanted.wait()
                await self._unused.wait()
                await self._serve()
        finally:
            self._lease.forgo()

    async def _serve(self) -> None:
        """Nothing is under way, so no request of ours can overtake the venue's answer."""
        if self._users:
            return
        if not self._enter(waits=True):
            await self._world.sleep(TURN_POLL_S)
            return
        try:
            await self._learn(then=self._tell)
        except VenueError as error:
            log.warning("nonce not fetched", extra={"facts": {"why": error.message}})
            await self._world.sleep(self._backoff.delay_s())

    async def _learn(self, then: Callable[[], None] = lambda: None) -> None:
        """Called when entered, and leaves. A number that another process left in no doubt is as good as an answer,
        but at the start."""
        try:
            if self._next is None or not self._has_asked:
                self._next = None
                self._next = await self._fetch()
            self._has_asked = True
            self._wanted.clear()
            self._backoff.reset()
            then()
        finally:
            self._leave()

    def _enter(self, *, waits: bool = False) -> bool:
        """Use the key; False while another process does."""
        if not self._users:
            if not self._lease.hold(waits=waits):
                return False
            self._next = self._lease.next_nonce
        self._users += 1
        self._unused.clear()
        return True

    def _leave(self) -> None:
        self._users -= 1
        if self._next is None:
            self._wanted.set()
        if not self._users:
            self._keeps_order = False
            self._lease.release(self._next)
            self._unused.set()
