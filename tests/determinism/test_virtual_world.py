"""The virtual world itself: time that jumps, messages in order, and death that leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from engine.clock import NS_PER_MS, NS_PER_S
from engine.errors import NotSent, Unavailable, Unresolved
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.sim.machine import (
    HttpAnswered,
    HttpReceived,
    Inbound,
    Outbound,
    SocketClosed,
    SocketReceived,
    SocketSent,
)
from engine.sim.network import VirtualNetwork
from engine.sim.virtual_loop import NothingWillHappen, VirtualLoop
from engine.sim.world import Crashed, VirtualWorld

Scene = Callable[[VirtualNetwork, "Echo"], Coroutine[Any, Any, None]]
HELLO = HttpRequest(method="GET", target="/hello")


class Echo:
    """A venue that answers everything at once, except `/silent`; it remembers what it heard."""

    next_wake_ns = None

    def __init__(self) -> None:
        self.heard: list[Inbound] = []

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        self.heard.append(message)
        if isinstance(message, HttpReceived) and message.request.target != "/silent":
            return [HttpAnswered(request_id=message.request_id, response=HttpResponse(status=200))]
        if isinstance(message, SocketReceived):
            return [SocketSent(socket_id=message.socket_id, text=f"{message.text}{n}") for n in range(3)]
        return []

    def wake(self, now_ns: int) -> list[Outbound]:
        return []


def play(scene: Scene) -> None:
    loop, venue = VirtualLoop(), Echo()
    network = VirtualNetwork(loop, {"echo": venue}, seed=1, latency_ms=(1, 50))
    loop.set_exception_handler(lambda _loop, _context: None)
    loop.run_until_complete(scene(network, venue))
    loop.close()


def test_sleeping_moves_the_clock_exactly_and_takes_no_time() -> None:
    async def scene(network: VirtualNetwork, venue: Echo) -> None:
        world = VirtualWorld(network, seed=1)
        before_ns = world.now_ns()
        await world.sleep(3600.5)
        assert world.now_ns() - before_ns == 3600 * NS_PER_S + 500 * NS_PER_MS

    play(scene)


def test_a_deadlock_is_an_error_and_not_a_hang() -> None:
    loop = VirtualLoop()
    with pytest.raises(NothingWillHappen):
        loop.run_until_complete(asyncio.wait_for(loop.create_future(), None))
    loop.close()


def test_a_request_is_answered_after_its_latency(tmp_path: Path) -> None:
    async def scene(network: VirtualNetwork, venue: Echo) -> None:
        world = VirtualWorld(network, seed=1)
        response = await world.http("http://echo", HELLO, timeout_s=5)
        assert response.status == 200
        assert 2 * NS_PER_MS <= world.monotonic_ns() <= 100 * NS_PER_MS

    play(scene)


def test_no_answer_in_time_is_unresolved_and_no_venue_is_not_sent() -> None:
    async def scene(network: VirtualNetwork, venue: Echo) -> None:
        world = VirtualWorld(network, seed=1)
        with pytest.raises(Unresolved):
            await world.http("http://echo", HttpRequest(method="GET", target="/silent"), timeout_s=5)
        assert world.monotonic_ns() == 5 * NS_PER_S
        with pytest.raises(NotSent):
            await world.http("http://nobody", HELLO, timeout_s=5)
        with pytest.raises(Unavailable):
            await world.connect("ws://nobody/", timeout_s=5)

    play(scene)


def test_a_socket_keeps_the_order_of_its_messages() -> None:
    async def scene(network: VirtualNetwork, venue: Echo) -> None:
        socket = await VirtualWorld(network, seed=1).connect("ws://echo/", timeout_s=5)
        for letter in "abcdefgh":
            await socket.send(letter)
        heard = [await socket.receive() for _ in range(24)]
        assert heard == [f"{letter}{n}" for letter in "abcdefgh" for n in range(3)]

    play(scene)


@pytest.mark.parametrize(("crash_at", "arrived"), [(0, 0), (1, 1)])
def test_a_crash_before_a_request_keeps_it_back_and_one_after_it_does_not(crash_at: int, arrived: int) -> None:
    async def scene(network: VirtualNetwork, venue: Echo) -> None:
        world = VirtualWorld(network, seed=1, crash_at=crash_at)
        with pytest.raises(Crashed):
            world.http("http://echo", HELLO, timeout_s=5)
        await asyncio.sleep(1)
        assert world.fenced
        assert len(venue.heard) == arrived

    play(scene)


@pytest.mark.parametrize(("crash_at", "kept"), [(0, []), (1, [(7,)])])
def test_a_crash_before_a_commit_loses_it_and_one_after_it_does_not(
    tmp_path: Path, crash_at: int, kept: list[tuple[int]]
) -> None:
    async def scene(network: VirtualNetwork, venue: Echo) -> None:
        VirtualWorld(network, seed=1).database(tmp_path / "db").execute("CREATE TABLE t (x)")
        database = VirtualWorld(network, seed=1, crash_at=crash_at).database(tmp_path / "db")
        database.execute("BEGIN")
        database.execute("INSERT INTO t VALUES (7)")
        with pytest.raises(Crashed):
            database.commit()
        survivor = VirtualWorld(network, seed=2).database(tmp_path / "db")
        assert survivor.execute("SELECT x FROM t").fetchall() == kept

    play(scene)


def test_what_a_dead_process_still_does_has_no_effect() -> None:
    async def scene(network: VirtualNetwork, venue: Echo) -> None:
        world = VirtualWorld(network, seed=1)
        socket = await world.connect("ws://echo/", timeout_s=5)
        sleeping = asyncio.ensure_future(world.sleep(1))
        reply = world.http("http://echo", HELLO, timeout_s=5)
        await asyncio.sleep(0)
        world.fence()
        before = len(venue.heard)
        with pytest.raises(Crashed):
            world.http("http://echo", HELLO, timeout_s=5)
        with pytest.raises(Crashed):
            await socket.send("late")
        with pytest.raises(Crashed):
            await world.in_thread(lambda: None)
        with pytest.raises(Crashed):
            await sleeping
        await asyncio.sleep(10)
        assert not reply.done(), "a dead process hears no answer"
        assert {type(message) for message in venue.heard[before:]} == {HttpReceived, SocketClosed}

    play(scene)


def test_the_next_life_finds_the_venue_as_it_is() -> None:
    async def scene(network: VirtualNetwork, venue: Echo) -> None:
        first = VirtualWorld(network, seed=1, crash_at=1)
        with pytest.raises(Crashed):
            first.http("http://echo", HELLO, timeout_s=5)
        response = await VirtualWorld(network, seed=2).http("http://echo", HELLO, timeout_s=5)
        assert response.status == 200
        assert len(venue.heard) == 2

    play(scene)
