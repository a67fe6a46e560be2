"""The world a session and a runtime live in, handed in whole.

Nothing above this reads a clock, sleeps, connects or draws randomness in any other way. `live.LiveWorld` is the
real one; `engine.sim.world.VirtualWorld` runs the whole bot deterministically in virtual time and can be
*fenced*: after a crash point late code has no effect and uncommitted writes are gone, as after kill -9.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from engine.exchanges.messages import HttpRequest, HttpResponse

T = TypeVar("T")


class Socket(Protocol):
    """A connected WebSocket at message level."""

    async def send(self, text: str) -> None:
        """Raises Unavailable when the socket is gone."""

    async def receive(self) -> str | bytes:
        """The next message; raises Unavailable when the socket is gone."""

    async def close(self) -> None: ...


class World(Protocol):
    random: random.Random

    def now_ns(self) -> int:
        """Wall clock, ns since the epoch."""

    def monotonic_ns(self) -> int:
        """Never goes back; for ages and timeouts."""

    async def sleep(self, delay_s: float) -> None: ...

    def http(self, base_url: str, request: HttpRequest, *, timeout_s: float) -> asyncio.Future[HttpResponse]:
        """Send at once (bytes are written before this returns when a connection is idle).

        The future ends with the response, or with NotSent (no byte left) or Unresolved (bytes left, no answer).
        """

    async def connect(self, url: str, *, timeout_s: float) -> Socket:
        """Open a WebSocket; raises Unavailable."""

    def database(self, path: Path) -> sqlite3.Connection:
        """Open a database file; in a fenced world it is rolled back and closed."""

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run blocking work beside the loop."""
