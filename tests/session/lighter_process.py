"""A process that places orders on Lighter with a key it shares: `python -m tests.session.lighter_process …`.

It places them one after the other, each again until it was taken. With `die` it is gone, as after kill -9, right
after the bytes of its last order left and before any answer.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from engine.exchanges.interface import Codec, Endpoints
from engine.exchanges.lighter.venue import VENUE
from engine.exchanges.limits import plain_class
from engine.host.nonces import KeyLease
from engine.model.commands import SubmitOrder
from engine.model.events import Event, LegConnected, OrderUpdated, SubmitRejected
from engine.model.order import ApprovedOrder, OrderRequest, Side
from engine.session.facts import fetch_instrument
from engine.session.nonces import clock_nonces
from engine.session.session import Session
from engine.session.settings import SessionSettings
from engine.session.shared import Shared
from engine.sim.venues import account_credentials
from engine.transport.live import LiveWorld
from engine.transport.weights import own_scales
from tests.sim.served import FLEET

LEG, ACCOUNT, TICKS = "main", "alice", 300_000
DEADLINE_S = 60.0


class Bot:
    """A session, and what it heard of its orders."""

    def __init__(self, world: LiveWorld, codec: Codec, endpoints: Endpoints, lease: Path) -> None:
        self.connected = asyncio.Event()
        self._resting: set[int | None] = set()
        self._refused = 0
        shared = Shared(own_scales([plain_class(100_000)], world.monotonic_ns()), clock_nonces(), KeyLease(lease))
        settings = SessionSettings(leg=LEG)
        self.session = Session(world, VENUE, codec, lambda: endpoints, self._hear, settings, shared)

    async def place(self, client_id: int, *, dies: bool) -> None:
        """Send until it rests. A try that did not leave, because of the number, is simply made again."""
        order = OrderRequest(
            leg=LEG, client_id=client_id, slot="x", side=Side.BUY, ticks=TICKS, lots=100, post_only=True
        )
        submit = SubmitOrder(leg=LEG, order=ApprovedOrder(request=order))
        while client_id not in self._resting:
            refused = self._refused
            self.session.send(submit)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if dies and self._refused == refused:
                os.kill(os.getpid(), signal.SIGKILL)
            while client_id not in self._resting and self._refused == refused:
                await asyncio.sleep(0.005)

    def _hear(self, event: Event) -> None:
        if isinstance(event, LegConnected):
            self.connected.set()
        elif isinstance(event, SubmitRejected):
            self._refused += 1
        elif isinstance(event, OrderUpdated) and event.report.status.is_open:
            self._resting.add(event.report.client_id)


async def trade(endpoints: Endpoints, lease: Path, first_id: int, count: int, *, dies: bool) -> None:
    world = LiveWorld()
    instrument = await fetch_instrument(world, VENUE, endpoints, "ETH")
    keys = account_credentials("lighter", FLEET, ACCOUNT)
    codec = VENUE.codec(leg=LEG, instrument=instrument, credentials=keys, endpoints=endpoints)
    bot = Bot(world, codec, endpoints, lease)
    running = asyncio.ensure_future(bot.session.run())
    await bot.connected.wait()
    for client_id in range(first_id, first_id + count):
        await bot.place(client_id, dies=dies and client_id == first_id + count - 1)
    await bot.session.close()
    await running
    await world.close()


if __name__ == "__main__":
    rest_url, ws_url, lease_file, first, orders, *fate = sys.argv[1:]
    where = Endpoints(rest_url=rest_url, ws_url=ws_url)
    work = trade(where, Path(lease_file), int(first), int(orders), dies=fate == ["die"])
    asyncio.run(asyncio.wait_for(work, DEADLINE_S))
