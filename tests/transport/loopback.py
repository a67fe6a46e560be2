"""Servers on loopback that do exactly what a test says, byte by byte."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from engine.exchanges.messages import HttpRequest

GET = HttpRequest(method="GET", target="/api/v1/time")
POST = HttpRequest(method="POST", target="/api/v1/order", headers=(("X-Key", "k"),), body=b'{"side":"Bid"}')
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def request(self) -> tuple[str, bytes]:
        """The next request: its head and its body."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length")]
        return head, await self._reader.readexactly(int(lengths[0]) if lengths else 0)

    async def say(self, *pieces: bytes) -> None:
        """Each piece in its own packet, as far as a kernel lets one say so."""
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            await asyncio.sleep(0.002)

    async def until_closed(self) -> None:
        await self._reader.read()

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


class Server:
    def __init__(self, port: int, scheme: str) -> None:
        self.base_url = f"{scheme}://127.0.0.1:{port}"
        self.connections = 0
        self.closed = 0
        self.requests: list[tuple[str, bytes]] = []


@asynccontextmanager
async def serving(
    behave: Callable[[Server, Peer], Awaitable[None]], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """A server whose connections each follow `behave`; whatever it raises when the client leaves is its end."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        tasks.add(asyncio.current_task())
        peer = Peer(reader, writer)
        try:
            await behave(server, peer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            await peer.close()
            server.closed += 1

    tasks: set[asyncio.Task[None] | None] = set()
    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    server = Server(listener.sockets[0].getsockname()[1], "https" if tls else "http")
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*[task for task in tasks if task is not None], return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until something is so; five seconds are for ever here."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def answer_all(server: Server, peer: Peer) -> None:
    """Answer every request with OK."""
    while True:
        server.requests.append(await peer.request())
        await peer.say(OK)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
