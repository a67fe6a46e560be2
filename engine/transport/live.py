"""The real world: system clocks, sockets, files, threads. Made once per process by `runtime` and by commands."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.transport.http import HttpClient
from engine.transport.proxy import Proxy
from engine.transport.websocket import open_socket
from engine.transport.world import Socket

T = TypeVar("T")


class LiveWorld:
    """As `world.World`. Addresses are dialled directly, or through the one proxy that is handed in."""

    def __init__(self, proxy: Proxy | None = None) -> None:
        self.random = random.Random()
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._proxy = proxy
        self.way = proxy.digest if proxy else ""
        """Tells one way out from another: venues that count by network address see each as a user of its own."""
        self._http = HttpClient(proxy=proxy)

    def now_ns(self) -> int:
        """The wall clock of the start, carried on steadily: a clock that is set back would otherwise put every
        wait and every deadline of an order off by as much, and one set forward would end them all at once. What
        venues must be told is measured against them anyway (`session.clock_offset`)."""
        return self._epoch_ns + time.monotonic_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)

    def http(self, base_url: str, request: HttpRequest, *, timeout_s: float) -> asyncio.Future[HttpResponse]:
        return self._http.send(base_url, request, timeout_s=timeout_s)

    async def connect(self, url: str, *, timeout_s: float) -> Socket:
        return await open_socket(url, timeout_s=timeout_s, proxy=self._proxy)

    def database(self, path: Path) -> sqlite3.Connection:
        """WAL without an fsync per commit: the death of the process loses nothing, because the pages are the
        kernel's by then; a power cut may lose the newest commits, and the venue still knows those orders.
        NORMAL rather than OFF, because OFF could leave a torn file behind: it syncs at checkpoints, which are
        the caller's to place off the order path. Transactions are explicit: the caller says BEGIN.
        """
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        return database

    async def in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(None, work)

    async def close(self) -> None:
        """Close what is open to venues; databases belong to those who opened them."""
        await self._http.close()
