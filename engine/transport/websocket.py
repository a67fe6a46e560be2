"""WebSockets at message level, over the `websockets` package. Used by `live`.

Frames come as bytes: decoding text that a codec parses as bytes anyway would be waste on the hot path.
Nothing is compressed, redirects are refused (frames are signed for one host), queues and messages are bounded.
"""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit

from engine.errors import Unavailable
from engine.transport.proxy import Proxy
from engine.transport.tls import client_context
from engine.transport.without import without

# A third of an engine's imports, for what is never asked here: proxies, to which `Proxy` speaks, those of the
# environment, and the version of a checkout.
with without("python_socks", "urllib.request", "importlib.metadata"):
    from websockets.asyncio.client import ClientConnection, connect
    from websockets.exceptions import ConnectionClosed, WebSocketException

MESSAGE_LIMIT_BYTES = 4 * 1024 * 1024
QUEUE_LIMIT_FRAMES = 64
PING_INTERVAL_S = 20.0
PONG_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0


class LiveSocket:
    """A connected WebSocket; as `world.Socket`."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise Unavailable(f"the socket closed: {error}") from error

    async def receive(self) -> str | bytes:
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise Unavailable(f"the socket closed: {error}") from error

    async def close(self) -> None:
        await self._connection.close()


async def open_socket(url: str, *, timeout_s: float, proxy: Proxy | None = None) -> LiveSocket:
    """Connect and shake hands; Unavailable when that fails or takes longer than `timeout_s`."""
    try:
        async with asyncio.timeout(timeout_s):
            tunnel = await _tunnel(url, proxy)
        connection = await _Connect(
            url,
            ssl=client_context() if url.startswith("wss:") else None,
            sock=tunnel,
            proxy=None,
            compression=None,
            user_agent_header="botctl",
            open_timeout=timeout_s,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PONG_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            max_size=MESSAGE_LIMIT_BYTES,
            max_queue=QUEUE_LIMIT_FRAMES,
        )
    except (OSError, UnicodeError, WebSocketException) as error:
        raise Unavailable(f"cannot open {url}: {error or 'timed out'}") from error
    return LiveSocket(connection)


async def _tunnel(url: str, proxy: Proxy | None) -> socket.socket | None:
    """The way through the proxy; None where there is none, or the address is not for it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if proxy is None or not proxy.is_for(host):
        return None
    return await proxy.tunnel(host, parts.port or (443 if parts.scheme == "wss" else 80))


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc
