"""WebSockets against real servers on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import Request, Response, ServerConnection, serve

from engine.errors import Unavailable
from engine.transport.websocket import CLOSE_TIMEOUT_S, MESSAGE_LIMIT_BYTES, open_socket
from tests.transport.loopback import Peer, Server, free_port, serving


@asynccontextmanager
async def listening(behave: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    async with serve(behave, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/"


async def echo(peer: ServerConnection) -> None:
    async for message in peer:
        await peer.send(message)


def test_messages_go_both_ways() -> None:
    async def scenario() -> None:
        async with listening(echo) as url:
            socket = await open_socket(url, timeout_s=1)
            for text in ("one", "zwei ✓"):
                await socket.send(text)
                assert await socket.receive() == text.encode()
            await socket.close()

    asyncio.run(scenario())


def test_nothing_is_compressed_and_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("all_proxy", f"http://127.0.0.1:{free_port()}")
    offered: list[str] = []

    async def look(peer: ServerConnection) -> None:
        assert peer.request is not None
        offered.extend(peer.request.headers.get_all("Sec-WebSocket-Extensions"))
        await peer.send("seen")

    async def scenario() -> None:
        async with listening(look) as url:
            socket = await open_socket(url, timeout_s=1)
            assert await socket.receive() == b"seen"
            await socket.close()
            assert offered == []

    asyncio.run(scenario())


def test_a_socket_the_venue_closes_is_unavailable_for_both_directions() -> None:
    async def leave(peer: ServerConnection) -> None:
        await peer.close(code=1001)

    async def scenario() -> None:
        async with listening(leave) as url:
            socket = await open_socket(url, timeout_s=1)
            with pytest.raises(Unavailable, match="closed"):
                await socket.receive()
            with pytest.raises(Unavailable, match="closed"):
                await socket.send("anybody?")
            await socket.close()

    asyncio.run(scenario())


def test_a_message_beyond_the_limit_ends_the_socket() -> None:
    async def shout(peer: ServerConnection) -> None:
        await peer.send("x" * (MESSAGE_LIMIT_BYTES + 1))
        await peer.wait_closed()

    async def scenario() -> None:
        async with listening(shout) as url:
            socket = await open_socket(url, timeout_s=1)
            with pytest.raises(Unavailable):
                await socket.receive()
            await socket.close()

    asyncio.run(scenario())


def test_nobody_listening_is_unavailable() -> None:
    async def scenario() -> None:
        with pytest.raises(Unavailable, match="cannot open"):
            await open_socket(f"ws://127.0.0.1:{free_port()}/", timeout_s=1)

    asyncio.run(scenario())


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "ws://", "nonsense"])
def test_what_is_no_socket_address_is_unavailable(url: str) -> None:
    with pytest.raises(Unavailable):
        asyncio.run(open_socket(url, timeout_s=1))


def test_a_server_that_never_shakes_hands_is_unavailable() -> None:
    async def mute(_server: Server, peer: Peer) -> None:
        await peer.until_closed()

    async def scenario() -> None:
        async with serving(mute) as server:
            with pytest.raises(Unavailable):
                await open_socket(server.base_url.replace("http", "ws"), timeout_s=0.1)

    asyncio.run(scenario())


def test_a_redirect_is_not_followed() -> None:
    async def scenario() -> None:
        async with listening(echo) as elsewhere:

            def redirect(peer: ServerConnection, _request: Request) -> Response:
                response = peer.respond(HTTPStatus.FOUND, "")
                response.headers["Location"] = elsewhere
                return response

            async with serve(echo, "127.0.0.1", 0, process_request=redirect) as server:
                port = next(iter(server.sockets)).getsockname()[1]
                with pytest.raises(Unavailable, match="302"):
                    await open_socket(f"ws://127.0.0.1:{port}/", timeout_s=1)

    asyncio.run(scenario())


def test_a_peer_that_has_vanished_does_not_hold_up_a_close() -> None:
    async def scenario() -> None:
        over = asyncio.Event()

        async def deaf(peer: ServerConnection) -> None:
            peer.transport.pause_reading()
            await over.wait()
            peer.transport.abort()

        async with listening(deaf) as url:
            socket = await open_socket(url, timeout_s=1)
            await socket.send("anybody?")
            await asyncio.wait_for(socket.close(), 10 * CLOSE_TIMEOUT_S)
            over.set()

    asyncio.run(scenario())
