"""A plain local socket in front of an encrypted stream, for clients that speak TLS of their own through it: sockets
can be wrapped once, not twice. Used for proxies that are spoken to over TLS.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

CHUNK_BYTES = 65_536
_running: set[asyncio.Task[None]] = set()
"""One per open tunnel, so bounded by the connections of their users; the loop itself keeps only weak references."""


async def bridge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> socket.socket:
    """The near end: what is written to it goes into the stream, and back. Either end closes the other."""
    near, far = socket.socketpair()
    near.setblocking(False)
    inner_reader, inner_writer = await asyncio.open_connection(sock=far)
    task = asyncio.get_running_loop().create_task(_join((reader, inner_writer), (inner_reader, writer)))
    _running.add(task)
    task.add_done_callback(_running.discard)
    return near


async def _join(*ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Copy both ways until one ends; then the other has nobody left to talk to."""
    copies = [asyncio.create_task(_copy(reader, writer)) for reader, writer in ways]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for copy in copies:
            copy.cancel()
        for _, writer in ways:
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
