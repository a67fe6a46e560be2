"""The HTTP client against servers that behave well, badly and not at all."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from engine.errors import NotSent, Unresolved
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.transport.http import HttpClient, HttpSettings
from tests.transport.loopback import GET, OK, POST, Peer, Server, answer_all, free_port, serving, until

Behaviour = Callable[[Server, Peer], Awaitable[None]]


def replying(*pieces: bytes) -> Behaviour:
    """Answer the first request with these pieces, then wait for the client to leave."""

    async def behave(server: Server, peer: Peer) -> None:
        server.requests.append(await peer.request())
        await peer.say(*pieces)
        await peer.until_closed()

    return behave


def reply_to(request: HttpRequest, *pieces: bytes, settings: HttpSettings | None = None) -> HttpResponse:
    async def scenario() -> HttpResponse:
        client = HttpClient(settings)
        async with serving(replying(*pieces)) as server:
            try:
                return await client.send(server.base_url, request, timeout_s=1)
            finally:
                await client.close()

    return asyncio.run(scenario())


def test_a_request_arrives_whole_and_its_reply_comes_back() -> None:
    async def scenario() -> None:
        client = HttpClient()
        async with serving(answer_all) as server:
            response = await client.send(server.base_url, POST, timeout_s=1)
            assert (response.status, response.body) == (200, b"ok")
            head, body = server.requests[0]
            assert head.startswith("POST /api/v1/order HTTP/1.1\r\nHost: 127.0.0.1:")
            assert "X-Key: k\r\n" in head and body == POST.body
            await client.close()

    asyncio.run(scenario())


def test_requests_one_after_another_share_a_connection() -> None:
    async def scenario() -> None:
        client = HttpClient()
        async with serving(answer_all) as server:
            for _ in range(5):
                await client.send(server.base_url, GET, timeout_s=1)
            assert (server.connections, len(server.requests)) == (1, 5)
            await client.close()

    asyncio.run(scenario())


def test_on_an_idle_connection_the_bytes_leave_before_send_returns() -> None:
    async def scenario() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        client = HttpClient()
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        first = client.send(base_url, GET, timeout_s=1)
        peer, _ = await asyncio.to_thread(listener.accept)
        await asyncio.to_thread(peer.recv, 4096)
        peer.sendall(OK)
        await first
        second = client.send(base_url, POST, timeout_s=1)
        peer.setblocking(False)
        assert peer.recv(4096).endswith(POST.body)  # No turn of the loop in between.
        second.cancel()
        await client.close()
        peer.close()
        listener.close()

    asyncio.run(scenario())


def test_requests_at_once_use_no_more_connections_than_allowed() -> None:
    async def scenario() -> None:
        client = HttpClient(HttpSettings(connections_per_origin=2))
        async with serving(answer_all) as server:
            replies = [client.send(server.base_url, GET, timeout_s=2) for _ in range(20)]
            assert all(reply.status == 200 for reply in await asyncio.gather(*replies))
            assert server.connections == 2
            await client.close()

    asyncio.run(scenario())


def test_more_waiting_requests_than_allowed_are_not_sent() -> None:
    async def scenario() -> None:
        client = HttpClient(HttpSettings(connections_per_origin=1, waiting_per_origin=2))
        async with serving(answer_all) as server:
            replies = [client.send(server.base_url, GET, timeout_s=2) for _ in range(3)]
            with pytest.raises(NotSent, match="already wait"):
                await replies[2]
            assert [reply.status for reply in await asyncio.gather(*replies[:2])] == [200, 200]
            await client.close()

    asyncio.run(scenario())


def test_a_chunked_reply_in_single_bytes_is_put_together() -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    response = reply_to(GET, *[bytes([byte]) for byte in raw])
    assert response.body == b"abcde"
    assert ("x-a", "b") in response.headers


def test_an_interim_reply_is_passed_over() -> None:
    assert reply_to(POST, b"HTTP/1.1 100 Continue\r\n\r\n", OK).status == 200


def test_a_reply_without_a_body_is_whole() -> None:
    assert reply_to(POST, b"HTTP/1.1 204 No Content\r\n\r\n").body == b""


def test_an_error_status_is_a_reply_like_any_other() -> None:
    assert reply_to(GET, b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy").status == 503


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        pytest.param(
            (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 99,), "no reply", id="one byte short"
        ),
        pytest.param((b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b"x" * 9999,), "longer", id="too long"),
        pytest.param((b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9999,), "longer", id="endless header"),
        pytest.param((b"SSH-2.0-OpenSSH_9.2\r\n\r\n",), "not HTTP", id="another protocol"),
        pytest.param(
            (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",), "not HTTP", id="upgrade"
        ),
    ],
)
def test_a_reply_that_is_no_reply_leaves_the_request_unresolved(pieces: tuple[bytes, ...], words: str) -> None:
    settings = HttpSettings(reply_limit_bytes=4096)
    with pytest.raises(Unresolved, match=words):
        reply_to(POST, *pieces, settings=settings)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\n\r\nuntil close"])
def test_a_server_that_closes_before_its_reply_is_whole_leaves_it_unresolved(said: bytes) -> None:
    async def hang_up(_server: Server, peer: Peer) -> None:
        await peer.request()
        await peer.say(said)

    async def scenario() -> None:
        client = HttpClient()
        async with serving(hang_up) as server:
            with pytest.raises(Unresolved, match="closed"):
                await client.send(server.base_url, POST, timeout_s=1)
            await client.close()

    asyncio.run(scenario())


def test_a_request_without_an_answer_is_unresolved_and_its_late_reply_meets_nobody() -> None:
    async def late(server: Server, peer: Peer) -> None:
        server.requests.append(await peer.request())
        if server.connections == 1:
            await asyncio.sleep(0.1)
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        await peer.say(OK)
        await peer.until_closed()

    async def scenario() -> None:
        client = HttpClient()
        async with serving(late) as server:
            with pytest.raises(Unresolved, match="no reply within"):
                await client.send(server.base_url, POST, timeout_s=0.05)
            response = await client.send(server.base_url, GET, timeout_s=1)
            assert response.body == b"ok"
            assert server.connections == 2 and len(server.requests) == 2
            await client.close()

    asyncio.run(scenario())


def test_a_refused_connection_means_not_sent() -> None:
    async def scenario() -> None:
        client = HttpClient()
        with pytest.raises(NotSent, match="cannot connect"):
            await client.send(f"http://127.0.0.1:{free_port()}", POST, timeout_s=1)
        await client.close()

    asyncio.run(scenario())


def test_a_request_still_waiting_for_a_connection_when_its_time_is_up_was_not_sent() -> None:
    async def mute(_server: Server, peer: Peer) -> None:
        await peer.until_closed()

    async def scenario() -> None:
        client = HttpClient(HttpSettings(connections_per_origin=1))
        async with serving(mute) as server:
            first = client.send(server.base_url, POST, timeout_s=0.2)
            second = client.send(server.base_url, POST, timeout_s=0.1)
            with pytest.raises(NotSent):
                await second
            with pytest.raises(Unresolved):
                await first
            await client.close()

    asyncio.run(scenario())


def test_a_kept_connection_the_server_has_closed_is_replaced_before_a_byte_is_written() -> None:
    async def once(server: Server, peer: Peer) -> None:
        server.requests.append(await peer.request())
        await peer.say(OK)

    async def scenario() -> None:
        client = HttpClient()
        async with serving(once) as server:
            for number in range(1, 4):
                assert (await client.send(server.base_url, POST, timeout_s=1)).status == 200
                await until(lambda number=number: server.closed == number)
            assert (server.connections, len(server.requests)) == (3, 3)
            await client.close()

    asyncio.run(scenario())


def test_a_kept_connection_closed_unnoticed_by_the_loop_is_not_written_to() -> None:
    async def scenario() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(True)
        client = HttpClient()
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        first = client.send(base_url, GET, timeout_s=1)
        peer, _ = await asyncio.to_thread(listener.accept)
        await asyncio.to_thread(peer.recv, 4096)
        peer.sendall(OK)
        await first
        peer.close()  # The loop gets no turn to see this before the next send.
        listener.close()
        with pytest.raises(NotSent):
            await client.send(base_url, POST, timeout_s=1)
        await client.close()

    asyncio.run(scenario())


def test_a_request_written_to_a_connection_that_then_closes_is_unresolved_and_never_sent_again() -> None:
    async def second_time_silent(server: Server, peer: Peer) -> None:
        server.requests.append(await peer.request())
        await peer.say(OK)
        server.requests.append(await peer.request())

    async def scenario() -> None:
        client = HttpClient()
        async with serving(second_time_silent) as server:
            await client.send(server.base_url, GET, timeout_s=1)
            with pytest.raises(Unresolved):
                await client.send(server.base_url, POST, timeout_s=1)
            assert (server.connections, len(server.requests)) == (1, 2)
            await client.close()

    asyncio.run(scenario())


def test_an_idle_connection_is_closed_before_the_venue_would() -> None:
    async def scenario() -> None:
        client = HttpClient(HttpSettings(idle_limit_s=0.02))
        async with serving(answer_all) as server:
            await client.send(server.base_url, GET, timeout_s=1)
            await until(lambda: server.closed == 1)
            await client.send(server.base_url, GET, timeout_s=1)
            await client.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("pieces", [(OK, OK), (OK + OK,)], ids=["later", "at once"])
def test_a_server_that_speaks_out_of_turn_loses_its_connection(pieces: tuple[bytes, ...]) -> None:
    async def scenario() -> None:
        client = HttpClient()
        async with serving(replying(*pieces)) as server:
            for number in (1, 2):
                assert (await client.send(server.base_url, GET, timeout_s=1)).body == b"ok"
                await until(lambda number=number: server.closed == number)
            await client.close()

    asyncio.run(scenario())


def test_the_limit_of_a_reply_counts_for_each_reply_anew() -> None:
    async def scenario() -> None:
        client = HttpClient(HttpSettings(reply_limit_bytes=2 * len(OK)))
        async with serving(answer_all) as server:
            for _ in range(5):
                await client.send(server.base_url, GET, timeout_s=1)
            await client.close()

    asyncio.run(scenario())


def test_a_cancelled_request_takes_its_connection_with_it() -> None:
    async def silent_at_first(server: Server, peer: Peer) -> None:
        server.requests.append(await peer.request())
        if server.connections > 1:
            await peer.say(OK)
        await peer.until_closed()

    async def scenario() -> None:
        client = HttpClient(HttpSettings(connections_per_origin=1))
        async with serving(silent_at_first) as server:
            first = client.send(server.base_url, GET, timeout_s=5)
            await until(lambda: server.requests)
            first.cancel()
            assert (await client.send(server.base_url, GET, timeout_s=1)).status == 200
            await client.close()

    asyncio.run(scenario())


def test_closing_the_client_ends_everything_under_way() -> None:
    async def scenario() -> None:
        client = HttpClient(HttpSettings(connections_per_origin=1))
        async with serving(replying()) as server:
            sent = client.send(server.base_url, GET, timeout_s=5)
            await until(lambda: server.requests)
            waiting = client.send(server.base_url, GET, timeout_s=5)
            await client.close()
            with pytest.raises(Unresolved):
                await sent
            with pytest.raises(NotSent):
                await waiting

    asyncio.run(scenario())


def test_only_so_many_origins_are_remembered() -> None:
    async def scenario() -> None:
        client = HttpClient(HttpSettings(origins=1))
        async with serving(answer_all) as one, serving(answer_all) as other:
            for server in (one, other, one):
                await client.send(server.base_url, GET, timeout_s=1)
            assert (one.connections, other.connections) == (2, 1)
            await client.close()

    asyncio.run(scenario())
