"""Venues reached through a proxy, over REST and WebSocket."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from engine.errors import ConfigInvalid, NotSent, Unavailable
from engine.transport.live import LiveWorld
from engine.transport.proxy import Proxy
from tests.transport.loopback import GET, answer_all, free_port, serving
from tests.transport.proxies import proxying

LOGIN = "ann:hush"


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize("login", [None, LOGIN])
def test_requests_go_through_the_proxy(scheme: str, login: str | None) -> None:
    async def scene() -> None:
        async with serving(answer_all) as venue, proxying(login) as small:
            world = LiveWorld(Proxy(small.url(scheme), loopback_too=True))
            for _ in range(2):
                response = await world.http(venue.base_url, GET, timeout_s=5)
                assert response.body == b"ok"
            await world.close()
            assert small.tunnels == [("127.0.0.1", int(venue.base_url.rpartition(":")[2]))]
            assert venue.connections == 1

    asyncio.run(scene())


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_sockets_go_through_the_proxy(scheme: str) -> None:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async def scene() -> None:
        async with serve(echo, "127.0.0.1", 0) as venue, proxying(LOGIN) as small:
            port = next(iter(venue.sockets)).getsockname()[1]
            world = LiveWorld(Proxy(small.url(scheme), loopback_too=True))
            socket = await world.connect(f"ws://127.0.0.1:{port}/", timeout_s=5)
            await socket.send("hello")
            assert await socket.receive() == b"hello"
            await socket.close()
            assert small.tunnels == [("127.0.0.1", port)]

    asyncio.run(scene())


def test_loopback_is_never_proxied_unless_a_test_asks() -> None:
    async def scene() -> None:
        async with serving(answer_all) as venue, proxying() as small:
            world = LiveWorld(Proxy(small.url("http")))
            assert (await world.http(venue.base_url, GET, timeout_s=5)).status == 200
            await world.close()
            assert small.tunnels == []

    asyncio.run(scene())
    proxy = Proxy("http://10.0.0.1:3128")
    assert [proxy.is_for(host) for host in ("localhost", "127.0.0.9", "::1", "api.example.com")] == [False] * 3 + [
        True
    ]


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_refuses_means_not_sent_and_its_address_is_not_told(scheme: str) -> None:
    async def scene() -> None:
        async with serving(answer_all) as venue, proxying(LOGIN) as small:
            url = small.url(scheme).replace("hush", "wrong")
            world = LiveWorld(Proxy(url, loopback_too=True))
            with pytest.raises(NotSent) as refused:
                await world.http(venue.base_url, GET, timeout_s=5)
            with pytest.raises(Unavailable) as closed:
                await world.connect(venue.base_url.replace("http:", "ws:"), timeout_s=5)
            await world.close()
            for words in (str(refused.value), str(closed.value)):
                assert "proxy" in words and "wrong" not in words and str(small.port) not in words

    asyncio.run(scene())


def test_a_proxy_that_is_not_there_means_not_sent() -> None:
    async def scene() -> None:
        port = free_port()
        world = LiveWorld(Proxy(f"socks5://ann:hush@127.0.0.1:{port}", loopback_too=True))
        with pytest.raises(NotSent, match="the proxy cannot be reached") as error:
            await world.http("http://127.0.0.1:9", GET, timeout_s=5)
        await world.close()
        assert str(port) not in str(error.value)

    asyncio.run(scene())


@pytest.mark.parametrize("url", ["ftp://a:1", "http://", "http://host", "socks5://host:port", "hush", "https://h"])
def test_an_address_that_cannot_be_used_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ConfigInvalid) as error:
        Proxy(url)
    assert url not in error.value.message


def test_a_proxy_does_not_print_its_address() -> None:
    assert "hush" not in repr(Proxy("http://ann:hush@host:1"))


@pytest.fixture
def trusting(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process trusts the certificate of everybody on loopback."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("venue_speaks_tls", [False, True])
def test_a_proxy_may_be_spoken_to_over_tls_and_the_venue_inside_of_it_too(
    server_context: ssl.SSLContext, venue_speaks_tls: bool
) -> None:
    async def scene() -> None:
        tls = server_context if venue_speaks_tls else None
        async with serving(answer_all, tls=tls) as venue, proxying(LOGIN, tls=server_context) as small:
            world = LiveWorld(Proxy(small.url("https"), loopback_too=True))
            for _ in range(3):
                assert (await world.http(venue.base_url, GET, timeout_s=5)).body == b"ok"
            await world.close()
            assert small.tunnels == [("127.0.0.1", int(venue.base_url.rpartition(":")[2]))]
            assert venue.connections == 1

    asyncio.run(scene())


@pytest.mark.usefixtures("trusting")
def test_sockets_go_through_a_proxy_over_tls_until_either_end_closes(server_context: ssl.SSLContext) -> None:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            if message == "bye":
                return
            await connection.send(message)

    async def scene() -> None:
        async with serve(echo, "127.0.0.1", 0, ssl=server_context) as venue, proxying(tls=server_context) as small:
            port = next(iter(venue.sockets)).getsockname()[1]
            world = LiveWorld(Proxy(small.url("https"), loopback_too=True))
            socket = await world.connect(f"wss://127.0.0.1:{port}/", timeout_s=5)
            long = "hello" * 100_000
            await socket.send(long)
            assert await socket.receive() == long.encode()
            await socket.send("bye")
            with pytest.raises(Unavailable):
                await socket.receive()
            assert small.tunnels == [("127.0.0.1", port)]

    asyncio.run(scene())


def test_a_proxy_that_cannot_prove_its_name_is_sent_nothing(server_context: ssl.SSLContext) -> None:
    async def scene() -> None:
        async with serving(answer_all) as venue, proxying(LOGIN, tls=server_context) as small:
            world = LiveWorld(Proxy(small.url("https"), loopback_too=True))
            with pytest.raises(NotSent, match="cannot prove its name") as error:
                await world.http(venue.base_url, GET, timeout_s=5)
            await world.close()
            assert small.tunnels == [] and str(small.port) not in str(error.value)

    asyncio.run(scene())


def test_a_proxy_is_told_from_another_by_its_place_and_not_by_its_login() -> None:
    one, again, other = (Proxy(url).digest for url in ("http://a:b@h:1", "http://c:d@h:1", "http://a:b@h:2"))
    assert one == again != other
