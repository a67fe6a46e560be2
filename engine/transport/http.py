"""The engine's HTTP client: kept-alive connections, no retries, as little as possible between an order and the
wire. Used by `live`; a general client costs more than all the rest of the order path.

When a connection stands idle, the request's bytes are written before `send` returns. Bounds: connections and
waiting requests per origin, origins, bytes of a reply, idle time.
"""

from __future__ import annotations

import asyncio
from collections import deque

from engine.errors import NotSent
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.model.value import Value
from engine.transport.http_connection import Connection, Exchange
from engine.transport.http_wire import Origin, parse_origin, render
from engine.transport.proxy import Proxy
from engine.transport.tls import client_context


class HttpSettings(Value, frozen=True, kw_only=True):
    """`idle_limit_s` lies below the idle time-outs usual at venues, so that we close before they do."""

    connections_per_origin: int = 8
    waiting_per_origin: int = 256
    origins: int = 8
    reply_limit_bytes: int = 8 * 1024 * 1024
    connect_timeout_s: float = 10.0
    idle_limit_s: float = 50.0


class HttpClient:
    """One per process; belongs to the event loop it is first used on."""

    def __init__(self, settings: HttpSettings | None = None, proxy: Proxy | None = None) -> None:
        self._settings = settings or HttpSettings()
        self._proxy = proxy
        self._pools: dict[str, Pool] = {}

    def send(self, base_url: str, request: HttpRequest, *, timeout_s: float) -> asyncio.Future[HttpResponse]:
        """As `World.http`: ends with the response, with NotSent or with Unresolved."""
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[HttpResponse] = loop.create_future()
        try:
            pool = self._pools.get(base_url) or self._add_pool(base_url)
            exchange = Exchange(render(pool.origin, request), reply)
        except NotSent as error:
            reply.set_exception(error)
            return reply
        timer = loop.call_later(timeout_s, exchange.fail, f"no reply within {timeout_s:g} s")
        reply.add_done_callback(lambda _: timer.cancel())
        pool.submit(exchange)
        return reply

    async def close(self) -> None:
        """Abandon what is under way and give the loop the turn it needs to close the sockets."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        await asyncio.sleep(0)

    def _add_pool(self, base_url: str) -> Pool:
        pool = Pool(parse_origin(base_url), self._settings, self._proxy)
        while len(self._pools) >= self._settings.origins:
            self._pools.pop(next(iter(self._pools))).close()
        self._pools[base_url] = pool
        return pool


class Pool:
    """The connections to one origin, and the requests waiting for one."""

    def __init__(self, origin: Origin, settings: HttpSettings, proxy: Proxy | None) -> None:
        self.origin = origin
        self._proxy = proxy if proxy is not None and proxy.is_for(origin.host) else None
        self._settings = settings
        self._idle: dict[Connection, asyncio.TimerHandle] = {}
        self._open: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: deque[Exchange] = deque()

    def submit(self, exchange: Exchange) -> None:
        if len(self._waiting) >= self._settings.waiting_per_origin:
            exchange.fail(f"{len(self._waiting)} requests already wait for {self.origin.authority}")
            return
        self._waiting.append(exchange)
        self._advance()

    def close(self) -> None:
        for task in self._opening:
            task.cancel()
        while self._waiting:
            self._waiting.popleft().fail("the client was closed")
        for connection in tuple(self._open):
            connection.abort()

    def _advance(self) -> None:
        """Give waiting requests to idle connections, and dial for those that are left."""
        while (exchange := self._next_waiting()) and (connection := self._take_idle()):
            self._waiting.popleft()
            connection.carry(exchange)
        while len(self._waiting) > len(self._opening) and self._has_room:
            task = asyncio.get_running_loop().create_task(self._dial())
            self._opening.add(task)
            task.add_done_callback(self._dialled)

    @property
    def _has_room(self) -> bool:
        return len(self._open) + len(self._opening) < self._settings.connections_per_origin

    def _next_waiting(self) -> Exchange | None:
        """The oldest request somebody still waits for."""
        while self._waiting and self._waiting[0].reply.done():
            self._waiting.popleft()
        return self._waiting[0] if self._waiting else None

    def _take_idle(self) -> Connection | None:
        """The connection used last, so that spare ones grow old and go; dead ones are dropped on the way."""
        while self._idle:
            connection, expiry = self._idle.popitem()
            expiry.cancel()
            if connection.is_usable:
                return connection
            connection.abort()
        return None

    async def _dial(self) -> None:
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                connection = await self._connect()
        except (OSError, UnicodeError) as error:
            origin = self.origin
            if exchange := self._next_waiting():
                self._waiting.popleft()
                exchange.fail(f"cannot connect to {origin.authority}: {error or 'timed out'}")
        else:
            self._open.add(connection)
            self._freed(connection)

    async def _connect(self) -> Connection:
        loop, origin = asyncio.get_running_loop(), self.origin
        tls = client_context() if origin.tls else None
        if self._proxy is None:
            _, connection = await loop.create_connection(self._connection, origin.host, origin.port, ssl=tls)
            return connection
        tunnel = await self._proxy.tunnel(origin.host, origin.port)
        name = origin.host if origin.tls else None
        _, connection = await loop.create_connection(self._connection, sock=tunnel, ssl=tls, server_hostname=name)
        return connection

    def _connection(self) -> Connection:
        return Connection(self._settings.reply_limit_bytes, freed=self._freed, lost=self._lost)

    def _dialled(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        self._advance()

    def _freed(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        self._idle[connection] = loop.call_later(self._settings.idle_limit_s, connection.abort)
        self._advance()

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        if expiry := self._idle.pop(connection, None):
            expiry.cancel()
        self._advance()
