"""What one bot process sees of a virtual network: a World in virtual time that can be fenced.

Crashing is what kill -9 means: at a chosen point everything ends. Before an effect, the effect does not happen;
after it, it has happened and nobody hears the answer. Code that still runs then (a `finally`, a callback) has no
effect any more, and writes that were not committed are gone. Cancelling tasks would not be that.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from engine.errors import NotSent, Unavailable, Unresolved
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.sim.network import Host, Line, VirtualNetwork
from engine.transport.world import Socket

T = TypeVar("T")


class Crashed(BaseException):
    """The process died at this instruction. Not an Exception, so that no error handling takes it for a failure."""


class VirtualWorld:
    """One life of one process. Give the next life a new world on the same network.

    `crash_at` is the point to die at: every effect (a request, a frame, a commit) has one point before and one
    after it, counted from 0.
    """

    def __init__(
        self, network: VirtualNetwork, *, seed: int, name: str = "world", crash_at: int | None = None
    ) -> None:
        self.random = random.Random(f"{name}/{seed}")
        self.points = 0
        self.clock_ahead_ns = 0
        """How far this host's wall clock is from the true time."""
        self.disk_is_full = False
        self.crashed = asyncio.Event()
        self._network = network
        self._crash_at = crash_at
        self._sockets: list[_VirtualSocket] = []
        self._databases: list[_FencedDatabase] = []

    @property
    def fenced(self) -> bool:
        return self.crashed.is_set()

    @property
    def open_sockets(self) -> int:
        """How many the process holds that nobody has closed, as far as it can know."""
        return sum(not socket.is_gone for socket in self._sockets)

    def now_ns(self) -> int:
        return self._network.now_ns() + self.clock_ahead_ns

    def monotonic_ns(self) -> int:
        return self._network.elapsed_ns

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await self._stay_dead()

    def http(self, base_url: str, request: HttpRequest, *, timeout_s: float) -> asyncio.Future[HttpResponse]:
        reply: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()
        host = self._network.host(base_url)
        if host is None:
            reply.set_exception(NotSent(f"nothing listens at {base_url}"))
            return reply

        def end(result: HttpResponse | Unresolved) -> None:
            if reply.done() or self.fenced:
                return
            if isinstance(result, HttpResponse):
                reply.set_result(result)
            else:
                reply.set_exception(result)

        self.effect(lambda: host.request(request, end))
        self._network.later(timeout_s, lambda: end(Unresolved(f"no answer within {timeout_s} s")))
        return reply

    async def connect(self, url: str, *, timeout_s: float) -> Socket:
        host = self._network.host(url)
        if host is None:
            raise Unavailable(f"nothing listens at {url}")
        opened: asyncio.Future[_VirtualSocket] = asyncio.get_running_loop().create_future()

        def accept(line: Line) -> None:
            socket = _VirtualSocket(self, host, line)
            if opened.done() or self.fenced:
                host.close(line)
            else:
                self._sockets.append(socket)
                opened.set_result(socket)

        self.effect(lambda: host.open(url, accept))
        try:
            return await asyncio.wait_for(opened, timeout_s)
        except TimeoutError as error:
            raise Unavailable(f"no connection to {url} within {timeout_s} s") from error

    def database(self, path: Path) -> sqlite3.Connection:
        database = sqlite3.connect(path, isolation_level=None, factory=_FencedDatabase)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=OFF")
        database.world = self
        self._databases.append(database)
        return database

    async def in_thread(self, work: Callable[[], T]) -> T:
        await self._stay_dead()
        return work()

    def effect(self, act: Callable[[], None]) -> None:
        """Let something happen outside the process, unless it dies just before; it may die just after."""
        self._pass_point()
        act()
        self._pass_point()

    def crash_in(self, points: int | None) -> None:
        """Choose the point to die at while the process runs: 0 is the next one, None is never."""
        self._crash_at = None if points is None else self.points + points

    def fence(self) -> None:
        """End this life: nothing it still does has any effect."""
        self.crashed.set()
        for socket in self._sockets:
            socket.cut()
        for database in self._databases:
            database.abandon()

    def _pass_point(self) -> None:
        if self.points == self._crash_at:
            self.fence()
        self.points += 1
        if self.fenced:
            raise Crashed

    async def _stay_dead(self) -> None:
        """A dead process does not go on after it slept."""
        if self.fenced:
            raise Crashed


class _VirtualSocket:
    """As `world.Socket`."""

    def __init__(self, world: VirtualWorld, host: Host, line: Line) -> None:
        self._world = world
        self._host = host
        self._line = line
        self._inbox: deque[str] = deque()
        self._news = asyncio.Event()
        self.is_gone = False
        line.heard, line.lost = self._heard, self._lost

    async def send(self, text: str) -> None:
        if self.is_gone:
            raise Unavailable("the socket is gone")
        self._world.effect(lambda: self._host.send(self._line, text))

    async def receive(self) -> str | bytes:
        while not self._inbox:
            if self.is_gone:
                raise Unavailable("the socket is gone")
            self._news.clear()
            await self._news.wait()
        return self._inbox.popleft()

    async def close(self) -> None:
        if not self.is_gone and not self._world.fenced:
            self._host.close(self._line)
            self._lost()

    def cut(self) -> None:
        """The process died: its kernel closes the connection, and what had arrived is never read."""
        if not self.is_gone:
            self._host.close(self._line)
        self._inbox.clear()

    def _heard(self, text: str) -> None:
        self._inbox.append(text)
        self._news.set()

    def _lost(self) -> None:
        self.is_gone = True
        self._news.set()


def disk_full() -> sqlite3.OperationalError:
    """As SQLite says it."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_FULL, "SQLITE_FULL"
    return error


class _FencedDatabase(sqlite3.Connection):
    """A real database file whose commits are effects."""

    world: VirtualWorld
    abandoned = False

    def commit(self) -> None:
        if self.world.disk_is_full:
            raise disk_full()
        self.world.effect(super().commit)

    def abandon(self) -> None:
        if not self.abandoned:
            self.rollback()
            self.close()

    def close(self) -> None:
        self.abandoned = True
        super().close()
