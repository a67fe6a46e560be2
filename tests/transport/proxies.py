"""Small real proxies on loopback: HTTP CONNECT and SOCKS5, with or without a login."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class SmallProxy:
    """`tunnels` are the hosts and ports that clients asked for; what they say inside is only passed on."""

    def __init__(self, login: str | None) -> None:
        self.login = login
        self.port = 0
        self.tunnels: list[tuple[str, int]] = []

    def url(self, scheme: str) -> str:
        return f"{scheme}://{self.login + '@' if self.login else ''}127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            first = await reader.readexactly(1)
            far = await (self._socks(reader, writer) if first == b"\x05" else self._connect(reader, writer))
            if far is not None:
                await _pass_on((reader, writer), far)
        writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Streams | None:
        head = b"C" + await reader.readuntil(b"\r\n\r\n")
        method, target, *_ = head.decode().split()
        wanted = b64encode((self.login or "").encode()).decode()
        if method != "CONNECT" or (self.login and f"Basic {wanted}" not in head.decode()):
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return None
        host, _, port = target.rpartition(":")
        far = await self._open(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return far

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Streams | None:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        method = b"\x02" if self.login else b"\x00"
        writer.write(b"\x05" + (method if method in methods else b"\xff"))
        if method not in methods or (self.login and not await self._logged_in(reader, writer)):
            return None
        _, _, _, kind = await reader.readexactly(4)
        if kind == 1:
            host = ".".join(map(str, await reader.readexactly(4)))
        else:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        port = int.from_bytes(await reader.readexactly(2), "big")
        far = await self._open(host, port)
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        return far

    async def _logged_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await reader.readexactly(1)
        name = await reader.readexactly((await reader.readexactly(1))[0])
        word = await reader.readexactly((await reader.readexactly(1))[0])
        is_right = (name + b":" + word).decode() == self.login
        writer.write(b"\x01" + (b"\x00" if is_right else b"\x01"))
        return is_right

    async def _open(self, host: str, port: int) -> Streams:
        self.tunnels.append((host, port))
        return await asyncio.open_connection(host, port)


@asynccontextmanager
async def proxying(login: str | None = None, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[SmallProxy]:
    """`tls`: the proxy itself is spoken to over TLS."""
    proxy = SmallProxy(login)
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=tls)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()


async def _pass_on(near: Streams, far: Streams) -> None:
    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    await asyncio.gather(pump(near[0], far[1]), pump(far[0], near[1]))
