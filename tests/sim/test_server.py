"""The simulator as a process: real sockets, endpoint file, lock, and a stop that lets engines cancel first."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import websockets
from websockets.sync.client import connect

from engine.errors import Unavailable
from engine.exchanges.messages import HttpResponse
from engine.host.endpoints import SimEndpoint, read_sim_endpoint
from engine.host.workspace import Workspace
from engine.sim import server
from engine.sim.faults import FaultyMachine
from engine.sim.machine import HttpAnswered, HttpReceived, Inbound, Outbound, SocketOpened, SocketSent
from engine.spec.fingerprint import simulator_fingerprint
from engine.spec.types import FaultSpec, FleetSpec
from tests.sim.served import BALANCES, served, sim_spec

Launch = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace in which a fleet with one simulated Backpack was applied."""
    spec = msgspec.structs.replace(sim_spec("alice"), accounts={"alice": BALANCES})
    fleet = FleetSpec(id="served", live_allowed=False, accounts={}, sims={"backpack": spec})
    generation = tmp_path / ".botctl" / "generations" / "1"
    generation.mkdir(parents=True)
    (generation / "fleet.json").write_bytes(msgspec.json.encode(fleet))
    (tmp_path / ".botctl" / "current").symlink_to("generations/1")
    return Workspace(root=tmp_path)


@pytest.fixture
def launch(workspace: Workspace) -> Iterator[Launch]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        code = "import sys; from engine.sim.main import main; sys.exit(main())"
        arguments = [sys.executable, "-c", code, str(workspace.state), "backpack"]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


def wait_for_endpoint(workspace: Workspace, process: subprocess.Popen[bytes]) -> SimEndpoint:
    """The endpoint file of this very process."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(Unavailable):
            endpoint = read_sim_endpoint(workspace, "backpack")
            if endpoint.pid == process.pid:
                return endpoint
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.02)
    raise AssertionError("the simulator did not tell where it listens")


def test_the_program_tells_where_it_serves_and_stops_on_sigterm(workspace: Workspace, launch: Launch):
    process = launch()
    endpoint = wait_for_endpoint(workspace, process)
    fleet = msgspec.json.decode((workspace.current / "fleet.json").read_bytes(), type=FleetSpec)
    assert endpoint.fingerprint == simulator_fingerprint(fleet, "backpack")
    assert http_get(endpoint.rest_url, "/api/v1/ping") == "pong"
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    log = [json.loads(line) for line in (workspace.logs / "sim-backpack.jsonl").read_text().splitlines()]
    assert [entry["message"] for entry in log] == ["serving", "stopped"]


def test_it_lingers_until_its_sockets_are_gone_and_a_successor_waits_for_it(workspace: Workspace, launch: Launch):
    first = launch()
    endpoint = wait_for_endpoint(workspace, first)
    with connect(endpoint.ws_url) as client:
        client.send('{"method":"SUBSCRIBE","params":["depth.SOL_USDC"]}')
        client.recv(timeout=10)
        first.send_signal(signal.SIGTERM)
        second = launch()
        client.recv(timeout=10)
        assert http_get(endpoint.rest_url, "/api/v1/ping") == "pong"
        assert first.poll() is None
    assert first.wait(10) == 0
    successor = wait_for_endpoint(workspace, second)
    assert successor.instance != endpoint.instance


@pytest.mark.parametrize(
    ("arguments", "code"), [([], 64), (["{state}", "paradex"], 3), (["nowhere", "backpack"], 3)]
)
def test_what_cannot_be_served_ends_with_its_exit_code(workspace: Workspace, arguments: list[str], code: int):
    program = "import sys; from engine.sim.main import main; sys.exit(main())"
    given = [argument.format(state=workspace.state) for argument in arguments]
    done = subprocess.run([sys.executable, "-c", program, *given], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr.startswith("error: ")) == (code, True)


def test_http_and_websocket_share_one_port_and_keep_connections_open():
    with served(sim_spec("alice")) as venue:
        host, port = venue.rest_url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 10) as wire:
            for _ in range(3):
                wire.sendall(b"GET /api/v1/ping HTTP/1.1\r\nhost: sim\r\n\r\n")
                answer = b""
                while not answer.endswith(b"pong"):
                    more = wire.recv(4096)
                    assert more, answer
                    answer += more
        with connect(venue.ws_url) as client:
            client.send("no json")
            assert json.loads(client.recv(timeout=10))["error"]["code"] == 4002


class Chatty:
    """A machine that says a great deal to every socket as soon as it is asked anything."""

    next_wake_ns = None

    def __init__(self) -> None:
        self.sockets: list[int] = []

    def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
        if isinstance(message, SocketOpened):
            self.sockets.append(message.socket_id)
        if isinstance(message, HttpReceived):
            answer: Outbound = HttpAnswered(request_id=message.request_id, response=HttpResponse(status=204))
            flood = [SocketSent(socket_id=socket_id, text="x" * 4_000) for socket_id in self.sockets]
            return [answer, *(flood * 2_000)]
        return []

    def wake(self, now_ns: int) -> list[Outbound]:
        return []


def test_a_client_that_does_not_read_is_dropped_and_nobody_else_notices():
    async def flood() -> None:
        machine, stop = Chatty(), asyncio.Event()
        listener = server.loopback_socket()
        rest_url, ws_url = server.urls(listener)
        ready = asyncio.Event()
        serving = asyncio.create_task(server.serve(machine, listener, ready=ready.set, stop=stop, linger_s=0))
        await ready.wait()
        async with websockets.connect(ws_url, max_queue=1) as slow:
            for _ in range(8):
                assert await asyncio.to_thread(http_get, rest_url, "/") == ""
            with pytest.raises(websockets.ConnectionClosed):
                while True:
                    await asyncio.wait_for(slow.recv(), 10)
        stop.set()
        await serving

    asyncio.run(flood())


def test_a_distant_venue_hears_of_everything_later_and_in_order():
    class Echo:
        next_wake_ns = None

        def __init__(self) -> None:
            self.heard: list[tuple[int, int]] = []

        def handle(self, message: Inbound, now_ns: int) -> list[Outbound]:
            assert isinstance(message, SocketOpened)
            self.heard.append((message.socket_id, now_ns))
            return [SocketSent(socket_id=message.socket_id, text="hello")]

        def wake(self, now_ns: int) -> list[Outbound]:
            return []

    echo = Echo()
    distant = FaultyMachine(echo, FaultSpec(latency_ms=50), seed=1)
    ms = 1_000_000
    assert distant.handle(SocketOpened(socket_id=1), 100 * ms) == []
    assert distant.handle(SocketOpened(socket_id=2), 120 * ms) == []
    assert distant.next_wake_ns == 150 * ms
    assert len(distant.wake(400 * ms)) == 2
    assert echo.heard == [(1, 150 * ms), (2, 170 * ms)]
    assert distant.next_wake_ns is None


def http_get(base_url: str, path: str) -> str:
    """The body of one answer; a connection of its own, closed by the server."""
    host, port = base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: wire.recv(65_536), b""))
    return answer.partition(b"\r\n\r\n")[2].decode()
